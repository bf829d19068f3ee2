//! Why a request is not let in, for people, for programs and for gRPC.

use axum::body::Body;
use axum::response::IntoResponse;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::super::answer::{Answer, Problem};
use super::super::convert::DOMAIN;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: StatusCode,
    /// For programs.
    pub reason: &'static str,
    pub sentence: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// A foreign page that may read it.
    pub origin: Option<HeaderValue>,
}

impl Refusal {
    pub fn new(status: StatusCode, reason: &'static str, sentence: impl Into<String>) -> Self {
        Self { status, reason, sentence: sentence.into(), headers: Vec::new(), origin: None }
    }

    pub fn forbidden(reason: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, reason, sentence)
    }

    /// Somebody who has to show a token.
    pub fn stranger(reason: &'static str, sentence: impl Into<String>) -> Self {
        let challenge = match reason {
            TOKEN_WRONG => "Bearer realm=\"gaserad\", error=\"invalid_token\"",
            _ => "Bearer realm=\"gaserad\"",
        };
        Self::new(StatusCode::UNAUTHORIZED, reason, sentence).with(header::WWW_AUTHENTICATE, challenge)
    }

    /// Somebody who asks too often, and when to ask again.
    pub fn too_often(sentence: impl Into<String>, seconds: u64) -> Self {
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, TOO_OFTEN, sentence);
        refusal.with(header::RETRY_AFTER, &seconds.max(1).to_string())
    }

    fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    /// As whoever sent the request understands it.
    pub fn answer(&self, is_grpc: bool) -> Answer {
        if is_grpc { self.grpc().into_http::<Body>() } else { self.http() }
    }

    /// Where there is no place for one more.
    pub fn full(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "FULL", sentence).with(header::RETRY_AFTER, "5")
    }

    /// The bytes of an answer to somebody of whom nothing is read.
    pub fn bytes(&self) -> Vec<u8> {
        let body = json!({ "error": self.reason, "message": self.sentence }).to_string();
        let mut text = format!("HTTP/1.1 {}\r\n", self.status);
        for (name, value) in &self.headers {
            text += &format!("{name}: {}\r\n", value.to_str().unwrap_or_default());
        }
        text += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        text += "connection: close\r\n\r\n";
        (text + &body).into_bytes()
    }

    pub fn http(&self) -> Answer {
        let mut answer = Problem::new(self.status, self.reason, self.sentence.clone()).into_response();
        answer.headers_mut().extend(self.headers.iter().cloned());
        answer
    }

    pub fn grpc(&self) -> Status {
        let code = match self.status {
            StatusCode::UNAUTHORIZED => Code::Unauthenticated,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::PAYLOAD_TOO_LARGE => {
                Code::ResourceExhausted
            }
            StatusCode::BAD_REQUEST => Code::InvalidArgument,
            _ => Code::PermissionDenied,
        };
        let metadata: [(String, String); 0] = [];
        let details = ErrorDetails::with_error_info(self.reason, DOMAIN, metadata);
        Status::with_error_details(code, &self.sentence, details)
    }
}

pub const TOKEN_MISSING: &str = "TOKEN_MISSING";
pub const TOKEN_WRONG: &str = "TOKEN_WRONG";
pub const NOT_PERMITTED: &str = "NOT_PERMITTED";
pub const TOO_OFTEN: &str = "TOO_OFTEN";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_the_same_in_both_tongues() {
        let wrong = Refusal::stranger(TOKEN_WRONG, "this token is not known here");
        let answer = wrong.http();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(answer.headers()["www-authenticate"], "Bearer realm=\"gaserad\", error=\"invalid_token\"");
        let status = wrong.grpc();
        assert_eq!((status.code(), status.message()), (Code::Unauthenticated, "this token is not known here"));
        assert_eq!(status.get_details_error_info().unwrap().reason, "TOKEN_WRONG");
        let bytes = String::from_utf8(Refusal::full("no place").bytes()).unwrap();
        assert!(bytes.starts_with("HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\n"), "{bytes}");
        assert!(bytes.ends_with("\r\n\r\n{\"error\":\"FULL\",\"message\":\"no place\"}"), "{bytes}");
        assert_eq!(Refusal::too_often("x", 0).http().headers()["retry-after"], "1");
        assert_eq!(Refusal::forbidden(NOT_PERMITTED, "x").grpc().code(), Code::PermissionDenied);
    }
}
