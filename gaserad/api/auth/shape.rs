//! What no request may be like, whoever sends it: too large, of a strange method, or with a token in its address.

use http::request::Parts;
use http::{Method, StatusCode, header};

use super::refusal::Refusal;

/// What would let somebody put a token into an address, where logs and histories keep it.
const TOKEN_KEYS: [&str; 4] = ["token", "access_token", "api_key", "authorization"];

/// Refuses what is out of shape.
pub fn check_shape(parts: &Parts) -> Result<(), Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    for name in names {
        if TOKEN_KEYS.iter().any(|key| name.eq_ignore_ascii_case(key)) {
            let sentence = "a token does not belong into an address, where logs keep it; show it as \"Authorization: \
                            Bearer TOKEN\", or POST it to /login";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "TOKEN_IN_ADDRESS", sentence));
        }
    }
    let headers = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
    if headers + parts.uri.path().len() + query.len() > MOST_HEAD {
        let sentence =
            format!("the address and the headers of the request are too large; {MOST_HEAD} bytes are the most");
        return Err(Refusal::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "HEAD_TOO_LARGE", sentence));
    }
    let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > MOST_REQUEST) {
        let sentence = format!("the request is too large; {MOST_REQUEST} bytes are the most");
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE", sentence));
    }
    if parts.method == Method::TRACE || parts.method == Method::CONNECT {
        let sentence = format!("{} is not understood here", parts.method);
        return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", sentence));
    }
    Ok(())
}

/// Of addresses and headers; browsers send cookies of other programs on this machine along.
const MOST_HEAD: usize = 32 * 1024;
/// Plans in files are the largest that is sent.
const MOST_REQUEST: u64 = 4 * 1024 * 1024;
