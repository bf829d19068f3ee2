//! What a page sends: one JSON object, read key by key, so that every mistake is told with the key that it is in.
//!
//! What is read also describes itself: reading an empty form leaves a list of its fields, which the document shows.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{RefOr, Required};

use super::answer::{self, FormMistake, Problem, Shape};
use super::describe::{Describe, Sheet};
use crate::domain::{Reason, duration};

/// The largest form that is read.
const MOST: usize = 64 * 1024;
/// The largest request of another kind that is read.
const MOST_JSON: usize = 16 * 1024;
/// How long a body may take to come.
const WITHIN: Duration = Duration::from_secs(10);

/// What is read of a form.
pub trait FromForm: Sized {
    /// What the document calls it.
    const NAME: &'static str;

    fn take(form: &mut Form) -> Self;
}

/// A form that was sent, without mistakes; it must say that it is JSON: a page of another origin cannot say so unasked.
pub struct Filled<T>(pub T);

impl<T: FromForm, S: Sync> FromRequest<S> for Filled<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case(answer::JSON) {
            let sentence = format!("the content type is {kind:?}; send one JSON object, as application/json");
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", sentence));
        }
        let mut form = Form::parse(&bytes(&parts.headers, body, MOST).await?).map_err(Problem::bad_request)?;
        let taken = T::take(&mut form);
        form.finish().map_err(|mistakes| Problem::mistakes(Reason::RequestInvalid, mistakes))?;
        Ok(Self(taken))
    }
}

impl<T: FromForm> Describe for Filled<T> {
    fn describe(sheet: &mut Sheet) {
        let mut form = Form::default();
        T::take(&mut form);
        sheet.schemas.push((T::NAME.to_owned(), form.object().into()));
        let schema = utoipa::openapi::Ref::from_schema_name(T::NAME);
        sheet.body(answer::JSON, schema.into(), Required::True);
    }
}

/// A request's JSON, as it is, if it has any.
pub struct Sent<T>(pub Option<T>);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = bytes(&parts.headers, body, MOST_JSON).await?;
        if body.trim_ascii().is_empty() {
            return Ok(Self(None));
        }
        serde_json::from_slice(&body)
            .map(|sent| Self(Some(sent)))
            .map_err(|error| Problem::bad_request(format!("the request is not the JSON that is meant here: {error}")))
    }
}

impl<T: Shape> Describe for Sent<T> {
    fn describe(sheet: &mut Sheet) {
        let schema = T::schema(sheet);
        sheet.body(answer::JSON, schema, Required::False);
    }
}

/// A field that was read, or looked for.
struct Field {
    key: &'static str,
    schema: RefOr<Schema>,
}

/// An object whose keys are taken out one after the other; what is left at the end was not known.
#[derive(Default)]
pub struct Form {
    fields: Map<String, Value>,
    taken: Vec<Field>,
    mistakes: Vec<FormMistake>,
}

impl Form {
    fn parse(body: &[u8]) -> Result<Self, String> {
        let fields = match body.trim_ascii() {
            b"" => Map::new(),
            body => serde_json::from_slice(body)
                .map_err(|error| format!("the request is not the JSON object that is meant here: {error}"))?,
        };
        Ok(Self { fields, ..Self::default() })
    }

    /// What stands under the key; `null` is as if it were not there.
    fn take<T>(
        &mut self,
        key: &'static str,
        schema: impl Into<RefOr<Schema>>,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.taken.push(Field { key, schema: schema.into() });
        let value = self.fields.remove(key).filter(|value| !value.is_null())?;
        read(&value).map_err(|sentence| self.mistakes.push(FormMistake::of(key, format!("{key} {sentence}")))).ok()
    }

    pub fn text(&mut self, key: &'static str, meaning: &str) -> Option<String> {
        self.take(key, of(Type::String, meaning), |value| {
            value.as_str().map(str::to_owned).ok_or_else(|| format!("is {value}; it must be a text"))
        })
    }

    pub fn number(&mut self, key: &'static str, meaning: &str) -> Option<u32> {
        self.take(key, of(Type::Integer, meaning).minimum(Some(0)), number)
    }

    pub fn flag(&mut self, key: &'static str, meaning: &str) -> Option<bool> {
        self.take(key, of(Type::Boolean, meaning), |value| {
            value.as_bool().ok_or_else(|| format!("is {value}; it must be true or false"))
        })
    }

    /// A duration as people write it, like `"5m"`, or in seconds.
    pub fn span(&mut self, key: &'static str, meaning: &str) -> Option<Duration> {
        let written = of(Type::String, "Like 5m or 1h30m.");
        let schema = OneOfBuilder::new().item(written).item(of(Type::Number, "Seconds."));
        self.take(key, schema.description(Some(meaning)), |value| match value {
            Value::String(text) => duration::parse(text).map_err(|error| format!("cannot be read: {error}")),
            value => value
                .as_f64()
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .ok_or_else(|| format!("is {value}; it must be seconds, or a text like \"5m\"")),
        })
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, key: &'static str, meaning: &str, choices: &[(&str, T)]) -> Option<T> {
        let words = of(Type::String, meaning).enum_values(Some(choices.iter().map(|(word, _)| *word)));
        self.take(key, words, |value| {
            let found = value.as_str().and_then(|word| choices.iter().find(|(known, _)| *known == word));
            let known = || choices.iter().map(|(known, _)| format!("{known:?}")).collect::<Vec<_>>().join(" or ");
            found.map(|(_, choice)| *choice).ok_or_else(|| format!("is {value}; it can be {}", known()))
        })
    }

    /// Channels as people write them, like `"1-8,!5"`, or an array of their numbers.
    pub fn channels(&mut self, key: &'static str, meaning: &str) -> Option<String> {
        let numbers = ArrayBuilder::new().items(of(Type::Integer, "A channel.").minimum(Some(1)));
        let schema = OneOfBuilder::new().item(of(Type::String, "Like 1-8,12,!5 or all.")).item(numbers);
        self.take(key, schema.description(Some(meaning)), |value| match value {
            Value::String(text) => Ok(text.clone()),
            Value::Array(numbers) => {
                let numbers: Result<Vec<_>, _> = numbers.iter().map(|one| number(one).map(|n| n.to_string())).collect();
                numbers.map(|numbers| numbers.join(","))
            }
            value => Err(format!("is {value}; it must be a text like \"1-8\", or an array of numbers")),
        })
    }

    /// A channel, 0 for none, or `{"channel": …, "every": …}`; gives both, 0 where nothing is said.
    pub fn background(&mut self, key: &'static str, meaning: &str) -> Option<(u32, u32)> {
        let part = |meaning| of(Type::Integer, meaning).minimum(Some(0));
        let both = ObjectBuilder::new()
            .property("channel", part("The channel, or 0 for none."))
            .property("every", part("After so many channels."));
        let schema = OneOfBuilder::new().item(part("A channel, or 0 for none.")).item(closed(both));
        self.take(key, schema.description(Some(meaning)), |value| {
            let Some(object) = value.as_object() else { return Ok((number(value)?, 0)) };
            if let Some(other) = object.keys().find(|key| !["channel", "every"].contains(&key.as_str())) {
                return Err(format!("has the unknown key {other:?}; it can have \"channel\" and \"every\""));
            }
            let part = |part: &str| object.get(part).filter(|value| !value.is_null()).map_or(Ok(0), number);
            Ok((part("channel")?, part("every")?))
        })
    }

    /// A field under the name that it had before; both at once are a mistake.
    pub fn renamed(&mut self, old: &'static str, new: &'static str) {
        let Some(value) = self.fields.remove(old) else { return };
        if self.fields.insert(new.to_owned(), value).is_some() {
            self.mistake(FormMistake::of(old, format!("{old} is the name that {new} had before; send one of them")));
        }
    }

    pub fn mistake(&mut self, mistake: FormMistake) {
        self.mistakes.push(mistake);
    }

    /// The fields that were looked for.
    fn object(self) -> Object {
        let all = self.taken.into_iter();
        closed(all.fold(ObjectBuilder::new(), |object, field| object.property(field.key, field.schema)))
    }

    /// All mistakes, also the keys that nobody took.
    pub fn finish(mut self) -> Result<(), Vec<FormMistake>> {
        let known = self.taken.iter().map(|field| field.key).collect::<Vec<_>>().join(", ");
        for key in self.fields.keys() {
            let key: String = key.chars().take(100).collect();
            let sentence = format!("there is no field {key:?}; the fields are {known}");
            self.mistakes.push(FormMistake::of(&key, sentence));
        }
        if self.mistakes.is_empty() { Ok(()) } else { Err(self.mistakes) }
    }
}

fn of(kind: Type, meaning: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind).description(Some(meaning))
}

/// An object that has no other properties.
fn closed(object: ObjectBuilder) -> Object {
    object.additional_properties(Some(AdditionalProperties::FreeForm(false))).build()
}

fn number(value: &Value) -> Result<u32, String> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| format!("is {value}; it must be a whole number"))
}

/// The body of a request, if it is not larger than `most` and comes soon.
async fn bytes(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        let sentence = format!("the request is larger than the {most} bytes that are read here");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE", sentence)
    };
    let told = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|length| length > most) {
        return Err(too_large());
    }
    match tokio::time::timeout(WITHIN, Limited::new(body, most).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => {
            let sentence = "the request did not come within 10 s; send it again, whole";
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", sentence))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form(value: &Value) -> Form {
        Form::parse(value.to_string().as_bytes()).ok().unwrap()
    }

    #[test]
    fn a_duration_is_a_text_or_seconds() {
        let mut good = form(&json!({ "a": "5m", "b": 90, "c": 0.5, "d": null }));
        let spans = ["a", "b", "c", "d", "e"].map(|key| good.span(key, "").map(|span| span.as_secs_f64()));
        assert_eq!(spans, [Some(300.0), Some(90.0), Some(0.5), None, None]);
        assert_eq!(good.finish(), Ok(()));
        for bad in [json!("5"), json!(-1), json!(1e300), json!([1]), json!("")] {
            let mut bad = form(&json!({ "purge": bad }));
            assert_eq!(bad.span("purge", ""), None);
            let mistakes = bad.finish().unwrap_err();
            assert_eq!(mistakes[0].field.as_deref(), Some("purge"), "{mistakes:?}");
        }
    }

    #[test]
    fn every_mistake_names_its_key() {
        let mut form =
            form(&json!({ "repeats": "3", "now": 1, "sync": "x", "channels": 7, "chanels": "1", "park": -1 }));
        let _ =
            (form.number("repeats", ""), form.flag("now", ""), form.channels("channels", ""), form.number("park", ""));
        let _ = form.choice("sync", "", &[("analyzer", 1), ("dwell", 2)]);
        let mistakes = form.finish().unwrap_err();
        let fields: Vec<_> = mistakes.iter().filter_map(|mistake| mistake.field.as_deref()).collect();
        assert_eq!(fields, ["repeats", "now", "channels", "park", "sync", "chanels"]);
        assert!(mistakes[4].sentence.contains("\"analyzer\" or \"dwell\""), "{mistakes:?}");
        assert!(mistakes[5].sentence.contains("channels"), "{mistakes:?}");
    }

    #[test]
    fn channels_and_a_background_are_read_in_each_way() {
        let mut good = form(&json!({ "a": [1, 3], "b": "1-8", "c": 31, "d": { "channel": 4, "every": 2 }, "e": 0 }));
        assert_eq!((good.channels("a", "").as_deref(), good.channels("b", "").as_deref()), (Some("1,3"), Some("1-8")));
        assert_eq!(["c", "d", "e"].map(|key| good.background(key, "")), [Some((31, 0)), Some((4, 2)), Some((0, 0))]);
        let mut bad = form(&json!({ "a": [1, "x"], "b": { "chanel": 4 } }));
        assert_eq!((bad.channels("a", ""), bad.background("b", "")), (None, None));
    }

    #[test]
    fn what_is_no_object_is_no_form() {
        for body in ["[]", "1", "{", "{}{}", "\"x\"", "null"] {
            assert!(Form::parse(body.as_bytes()).is_err(), "{body}");
        }
        assert!(Form::parse(b" ").is_ok());
    }
}
