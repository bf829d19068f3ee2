//! `POST /login` with a token gives a browser its cookie, and `POST /logout` takes it back.

use std::time::Duration;

use axum::response::IntoResponse;
use bytes::Bytes;
use http::request::Parts;
use http::{StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Body;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::super::answer::{Answer, Raw, Told};
use super::refusal::{Refusal, TOKEN_MISSING};
use super::{Access, Link, Time, cookie};

/// A token and what a form puts around it.
pub const MOST_BODY: usize = 8 * 1024;
/// How long it may take to come.
const WITHIN: Duration = Duration::from_secs(10);

/// Whose token it was.
#[derive(Serialize, ToSchema)]
pub struct LoggedIn {
    name: String,
    role: &'static str,
    expires_in_s: u64,
}

/// Answers with the cookie, if the body holds a token: alone, as `{"token": …}`, or as a form's field `token`.
pub async fn login<B>(access: &Access, link: &Link, parts: &Parts, body: B, now: Time) -> Result<Answer, Refusal>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let Ok(Ok(body)) = timeout(WITHIN, Limited::new(body, MOST_BODY).collect()).await else {
        let sentence = format!("the body could not be read; a token is sent alone, in at most {MOST_BODY} bytes");
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE", sentence));
    };
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match read(kind, &body.to_bytes()) {
        Some(token) => enter(access, link, &token, now),
        None => Err(Refusal::stranger(TOKEN_MISSING, "the body holds no token; send it alone, or as {\"token\": …}")),
    }
}

fn enter(access: &Access, link: &Link, shown: &str, now: Time) -> Result<Answer, Refusal> {
    let token = access.check_token(link, shown, now)?;
    let told = LoggedIn { name: token.name.clone(), role: token.role.word(), expires_in_s: cookie::LASTS.as_secs() };
    let mut answer = Told::json(&told).into_response();
    let value = cookie::set(&access.cookies.make(token, now.utc), link.is_secure());
    answer.headers_mut().extend(value.map(|value| (header::SET_COOKIE, value)));
    Ok(answer)
}

/// Ends the cookie that is shown.
pub fn logout(access: &Access, link: &Link, parts: &Parts, now: Time) -> Answer {
    if let Some(value) = cookie::shown(&parts.headers) {
        access.cookies.end(&access.tokens, value, now.utc);
    }
    let mut answer = Raw::text("logged out\n").into_response();
    let value = cookie::set("", link.is_secure());
    answer.headers_mut().extend(value.map(|value| (header::SET_COOKIE, value)));
    answer
}

fn read(kind: &str, body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let token = if kind.starts_with("application/json") {
        let object: serde_json::Value = serde_json::from_str(text).ok()?;
        object["token"].as_str()?.to_owned()
    } else if kind.starts_with("application/x-www-form-urlencoded") {
        super::super::query::of_form(text, "token")?
    } else {
        text.to_owned()
    };
    Some(token).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_token_is_read_from_each_kind_of_body() {
        for (kind, body) in [
            ("text/plain", " s3cret\n"),
            ("", "s3cret"),
            ("application/json; charset=utf-8", r#"{"token": "s3cret"}"#),
            ("application/x-www-form-urlencoded", "x=1&token=s3cret"),
        ] {
            assert_eq!(read(kind, body.as_bytes()).as_deref(), Some("s3cret"), "{kind}");
        }
        for (kind, body) in [("application/json", "{}"), ("application/json", "x"), ("text/plain", ""), ("x", " ")] {
            assert_eq!(read(kind, body.as_bytes()), None, "{kind}");
        }
    }
}
