//! What a browser may be tricked into: requests under a foreign name, and requests that a foreign page sends.
//!
//! The name that a request is for must be one of ours, which stops pages that have their own name lead here (DNS
//! rebinding). A page's own origin, where a browser tells it, must be ours or one that the settings name.

use std::net::{IpAddr, SocketAddr};

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::super::answer::{self, Answer};
use super::refusal::Refusal;

/// Whom browsers may come from, and under which names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Beside those of the loopback interface and the address itself, without ports.
    pub hosts: Vec<String>,
    /// Like `https://dashboard.example.org`.
    pub origins: Vec<String>,
}

const METHODS: &str = "GET, HEAD, POST, DELETE";
const HEADERS: &str = "authorization, content-type, last-event-id, x-grpc-web, x-user-agent, grpc-timeout";
/// How long a browser may remember what a preflight said, seconds.
const REMEMBERED: &str = "600";

impl Names {
    /// Whether the request is for one of our names; `local` is the address that the peer connected to.
    pub fn check_host(&self, parts: &Parts, local: SocketAddr) -> Result<(), Refusal> {
        let host = host(parts);
        let (name, port) = split(host);
        let port_fits = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
        if port_fits && self.is_ours(name, local.ip()) {
            return Ok(());
        }
        let sentence = format!(
            "this daemon does not answer for host {host:?}; use http://localhost or its address, or list the name in \
             [listen] hosts"
        );
        Err(Refusal::forbidden("HOST_FORBIDDEN", sentence))
    }

    fn is_ours(&self, name: &str, local: IpAddr) -> bool {
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let is_address = bare.parse::<IpAddr>().is_ok_and(|address| address.to_canonical() == local.to_canonical());
        is_address
            || ["localhost", "127.0.0.1", "[::1]"].iter().any(|ours| name.eq_ignore_ascii_case(ours))
            || self.hosts.iter().any(|ours| name.eq_ignore_ascii_case(ours))
    }

    /// The foreign origin that may read the answer, if the request has one; or why it may not ask.
    pub fn check_origin(&self, parts: &Parts, secure: bool) -> Result<Option<HeaderValue>, Refusal> {
        let Some(origin) = parts.headers.get(header::ORIGIN) else { return check_site(parts).map(|()| None) };
        let text = origin.to_str().unwrap_or("?");
        let ours = format!("{}://{}", if secure { "https" } else { "http" }, host(parts));
        if text.eq_ignore_ascii_case(&ours) {
            return Ok(None);
        }
        if self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(text)) {
            return Ok(Some(origin.clone()));
        }
        Err(foreign(text))
    }
}

fn foreign(origin: &str) -> Refusal {
    let sentence = format!("pages of {origin:?} may not ask this daemon; to let them, list it in [listen] origins");
    Refusal::forbidden("ORIGIN_FORBIDDEN", sentence)
}

/// Newer browsers say where a request comes from also where they send no origin, like for an image.
fn check_site(parts: &Parts) -> Result<(), Refusal> {
    let is_visit = parts.headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
    let is_foreign =
        parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site");
    if is_foreign && !(is_visit && parts.method == Method::GET) { Err(foreign("another site")) } else { Ok(()) }
}

/// HTTP/2 has the host in the address.
fn host(parts: &Parts) -> &str {
    let header = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    parts.uri.authority().map(http::uri::Authority::as_str).or(header).unwrap_or_default()
}

fn split(host: &str) -> (&str, &str) {
    let end = if host.starts_with('[') {
        host.find(']').map_or(host.len(), |at| at + 1)
    } else {
        host.find(':').unwrap_or(host.len())
    };
    host.split_at(end)
}

/// A browser asks before it sends what a form could not.
pub fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight; [`dress`] adds who may.
pub fn preflight() -> Answer {
    let mut answer = answer::with(StatusCode::NO_CONTENT, "text/plain; charset=utf-8", "");
    let headers = answer.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBERED));
    headers.insert("access-control-allow-private-network", HeaderValue::from_static("true"));
    answer
}

/// What goes with every answer: what browsers may do with it, and for a foreign `origin` that it may read it. A page
/// has said already what it may load.
pub fn dress(headers: &mut HeaderMap, origin: Option<&HeaderValue>) {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'self'; frame-ancestors 'none'"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    let resource = if origin.is_some() { "cross-origin" } else { "same-origin" };
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static(resource));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after, grpc-status"));
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
}
