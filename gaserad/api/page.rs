//! The dashboard: a page and what it loads, as they are in the binary. What they show they ask for like any other client.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

use super::answer::{self, Answer};
use super::auth;

const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));
const INDEX: &str = "index.html";

/// Nothing from elsewhere, nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

struct File {
    name: &'static str,
    bytes: &'static [u8],
    /// Of the content.
    tag: HeaderValue,
}

pub struct Page {
    files: Vec<File>,
}

impl Page {
    pub fn new() -> Self {
        let file = |(name, bytes): &(&'static str, &'static [u8])| File { name, bytes, tag: tag(bytes) };
        Self { files: FILES.iter().map(file).collect() }
    }

    pub fn index(&self, headers: &HeaderMap) -> Answer {
        self.file(INDEX, headers)
    }

    pub fn file(&self, name: &str, headers: &HeaderMap) -> Answer {
        let Some(file) = self.files.iter().find(|file| file.name == name) else {
            let sentence = format!("the dashboard has no file {name:?}; it begins at GET /");
            return answer::refuse(StatusCode::NOT_FOUND, "NOT_FOUND", &sentence);
        };
        let mut answer = if is_known(headers, &file.tag) {
            let mut answer = answer::with(StatusCode::NOT_MODIFIED, "", "");
            answer.headers_mut().remove(header::CONTENT_TYPE);
            answer
        } else {
            answer::with(StatusCode::OK, kind(file.name), file.bytes)
        };
        let own = answer.headers_mut();
        own.insert(header::ETAG, file.tag.clone());
        for (name, value) in [
            // It may be kept, and is asked for again each time: the daemon may be another version by then.
            (header::CACHE_CONTROL, "no-cache"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        ] {
            own.insert(name, HeaderValue::from_static(value));
        }
        answer
    }
}

fn tag(bytes: &[u8]) -> HeaderValue {
    let digest = auth::hex(&Sha256::digest(bytes));
    HeaderValue::from_str(&format!("\"{}\"", &digest[..32])).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether the browser has it already.
fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let shown = headers.get(header::IF_NONE_MATCH).and_then(|shown| shown.to_str().ok()).unwrap_or_default();
    let tags = shown.split(',').map(|one| one.trim().trim_start_matches("W/"));
    tags.into_iter().any(|one| one == "*" || one.as_bytes() == tag.as_bytes())
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_has_is_not_sent_again() {
        let page = Page::new();
        let first = page.index(&HeaderMap::new());
        assert_eq!((first.status(), &first.headers()["cache-control"]), (StatusCode::OK, &"no-cache".parse().unwrap()));
        let tag = first.headers()["etag"].to_str().unwrap().to_owned();
        let asked = |tags: &str| page.index(&HeaderMap::from_iter([(header::IF_NONE_MATCH, tags.parse().unwrap())]));
        for tags in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
            let again = asked(&tags);
            assert_eq!(
                (again.status(), again.headers().contains_key("content-type")),
                (StatusCode::NOT_MODIFIED, false)
            );
            assert_eq!(again.headers()["etag"], tag.as_str());
        }
        assert_eq!(asked("\"x\"").status(), StatusCode::OK);
    }

    #[test]
    fn every_file_of_the_page_has_a_type_and_no_other_is_served() {
        let page = Page::new();
        assert!(page.files.iter().any(|file| file.name == INDEX));
        for file in &page.files {
            let answer = page.file(file.name, &HeaderMap::new());
            assert_ne!(answer.headers()["content-type"], "application/octet-stream", "{}", file.name);
        }
        for name in ["", "..", "../page.rs", "index.html/", "INDEX.HTML"] {
            assert_eq!(page.file(name, &HeaderMap::new()).status(), StatusCode::NOT_FOUND, "{name}");
        }
    }

    /// A lab leaves it open on a phone, too.
    #[test]
    fn the_whole_page_is_small() {
        let total: usize = FILES.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(total < 150 * 1000, "{total} bytes");
    }
}
