//! What is asked in an address: its query, and the names in its path.
//!
//! A query is held against its own description in the document: keys that are not there, and values that are not what
//! the schema says, are refused with what is known. A key without a value is as if it were not there; of several values
//! the first counts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::answer::Problem;
use super::describe::{Describe, Sheet};

/// The query of an address.
pub struct Asked<T>(pub T);

impl<T: IntoParams> Describe for Asked<T> {
    fn describe(sheet: &mut Sheet) {
        sheet.parameters(keys::<T>());
    }
}

impl<T: DeserializeOwned + IntoParams, S: Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(parts.uri.query().unwrap_or_default()).map(Self).map_err(Problem::bad_request)
    }
}

/// The names in a path.
pub struct Named<T>(pub T);

impl<T: IntoParams> Describe for Named<T> {
    fn describe(sheet: &mut Sheet) {
        sheet.parameters(T::into_params(|| Some(ParameterIn::Path)));
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = parts.uri.path().to_owned();
        let named = Path::<T>::from_request_parts(parts, state).await;
        named.map(|Path(names)| Self(names)).map_err(|error| {
            Problem::bad_request(format!("the address {path:?} cannot be read: {}", error.body_text()))
        })
    }
}

fn keys<T: IntoParams>() -> Vec<Parameter> {
    T::into_params(|| Some(ParameterIn::Query))
}

fn read<T: DeserializeOwned + IntoParams>(query: &str) -> Result<T, String> {
    let known = keys::<T>();
    let mut values = BTreeMap::new();
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let Some(parameter) = known.iter().find(|parameter| parameter.name == key) else {
            return Err(unknown(&key, &known));
        };
        if !value.is_empty() && !values.contains_key(parameter.name.as_str()) {
            let value = check(parameter, value).map_err(|sentence| format!("{key} {sentence}"))?;
            values.insert(parameter.name.as_str(), value);
        }
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(values).finish();
    serde_urlencoded::from_str(&query).map_err(|error| format!("the query {query:?} cannot be read: {error}"))
}

/// Refuses any query, where no key is known.
pub fn refuse(query: &str) -> Result<(), Problem> {
    let first = form_urlencoded::parse(query.as_bytes()).next();
    first.map_or(Ok(()), |(key, _)| Err(Problem::bad_request(unknown(&key, &[]))))
}

fn unknown(key: &str, known: &[Parameter]) -> String {
    let key: String = key.chars().take(100).collect();
    let known: Vec<&str> = known.iter().map(|parameter| parameter.name.as_str()).collect();
    match known.as_slice() {
        [] => format!("there is no query key {key:?} here; this address takes none"),
        known => format!("there is no query key {key:?} here; the keys are {}", known.join(", ")),
    }
}

/// The schema of a key that takes the number of an event.
pub fn event_id() -> Object {
    ObjectBuilder::new().schema_type(Type::Integer).title(Some("an event id")).minimum(Some(0)).build()
}

/// The value as it is read, if it is what the schema says.
fn check<'a>(parameter: &Parameter, value: Cow<'a, str>) -> Result<Cow<'a, str>, String> {
    let schema = serde_json::to_value(&parameter.schema).unwrap_or_default();
    let wrong = |wanted: String| format!("is {value:?}; it must be {wanted}");
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        return if words.contains(&&*value) { Ok(value) } else { Err(wrong(format!("one of {}", words.join(", ")))) };
    }
    match schema["type"].as_str() {
        Some("boolean") => match &*value {
            "true" | "1" | "yes" => Ok("true".into()),
            "false" | "0" | "no" => Ok("false".into()),
            _ => Err(wrong("true or false".into())),
        },
        Some("integer") => match value.parse::<u64>() {
            Ok(number) if is_within(&schema, number) => Ok(value),
            _ => Err(wrong(format!("{}a whole decimal number{}", title(&schema), range(&schema)))),
        },
        Some("number") if value.parse::<f64>().is_err() => Err(wrong("a number".into())),
        _ => Ok(value),
    }
}

/// `an event id, `
fn title(schema: &Value) -> String {
    schema["title"].as_str().map(|title| format!("{title}, ")).unwrap_or_default()
}

fn bounds(schema: &Value) -> [Option<u64>; 2] {
    ["minimum", "maximum"].map(|bound| schema[bound].as_u64())
}

fn is_within(schema: &Value, number: u64) -> bool {
    let [least, most] = bounds(schema);
    least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)
}

fn range(schema: &Value) -> String {
    match bounds(schema) {
        [least, Some(most)] => format!(" from {} to {most}", least.unwrap_or_default()),
        [Some(least @ 1..), None] => format!(" from {least} on"),
        _ => String::new(),
    }
}

/// The first value of a key in a form as browsers send it.
pub fn of_form(body: &str, key: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(body.as_bytes());
    pairs.find(|(name, value)| name == key && !value.is_empty()).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize, IntoParams)]
    #[into_params(parameter_in = Query)]
    struct Wanted {
        types: Option<String>,
        channels: Option<String>,
        empty: Option<u32>,
        run: Option<String>,
        broken: Option<String>,
        #[param(minimum = 1, maximum = 10)]
        limit: Option<u32>,
        since: Option<u64>,
        sticky: Option<bool>,
        ratio: Option<f64>,
    }

    #[test]
    fn values_are_decoded() {
        let query = "types=run.%2A%2Cphase&channels=1-8,12&empty=&run=a+b&broken=%zz%+4%4&sticky=1&types=x&ratio=0.5";
        let wanted = Wanted {
            types: Some("run.*,phase".into()),
            channels: Some("1-8,12".into()),
            run: Some("a b".into()),
            broken: Some("%zz% 4%4".into()),
            sticky: Some(true),
            ratio: Some(0.5),
            ..Wanted::default()
        };
        assert_eq!(read(query), Ok(wanted));
        assert_eq!(read(""), Ok(Wanted::default()));
    }

    #[test]
    fn a_mistake_names_what_is_known() {
        for (query, sentence) in [
            ("tpes=x", "there is no query key \"tpes\" here; the keys are types, channels, empty, run"),
            ("tpes", "there is no query key \"tpes\""),
            ("limit=0", "limit is \"0\"; it must be a whole decimal number from 1 to 10"),
            ("limit=11", "limit is \"11\"; "),
            ("limit=99999999999999999999", "limit is "),
            ("since=yesterday", "since is \"yesterday\"; it must be a whole decimal number"),
            ("sticky=maybe", "sticky is \"maybe\"; it must be true or false"),
            ("ratio=x", "ratio is \"x\"; it must be a number"),
        ] {
            let told = read::<Wanted>(query).unwrap_err();
            assert!(told.starts_with(sentence), "{query}: {told}");
        }
    }
}
