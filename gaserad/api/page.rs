//! The dashboard: a page and what it loads, as they are in the binary. What they show they ask for like any other client.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;

use super::answer::{self, Answer, Kind, Problem, Raw};
use super::auth::{self, Needs};
use super::operation::Endpoint;
use super::query::Named;

/// Name, content, and content compressed with gzip.
const FILES: &[(&str, &[u8], &[u8])] = include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));
const INDEX: &str = "index.html";

pub fn endpoints() -> Vec<Endpoint<Arc<Page>>> {
    vec![
        Endpoint::get("/", "dashboard", "Serves the dashboard", index).needs(Needs::Nothing),
        Endpoint::get("/dashboard/{file}", "dashboard_file", "Serves a file of the dashboard", file)
            .needs(Needs::Nothing),
    ]
}

struct Html;

impl Kind for Html {
    const KINDS: &'static [&'static str] = &["text/html; charset=utf-8"];
}

async fn index(State(page): State<Arc<Page>>, headers: HeaderMap) -> Raw<Html> {
    page.index(&headers).into()
}

#[derive(Deserialize, IntoParams)]
struct FileNamed {
    /// Its name.
    file: String,
}

struct Asset;

impl Kind for Asset {
    const KINDS: &'static [&'static str] =
        &["text/javascript; charset=utf-8", "text/css; charset=utf-8", "application/octet-stream"];
}

async fn file(
    State(page): State<Arc<Page>>,
    headers: HeaderMap,
    Named(FileNamed { file }): Named<FileNamed>,
) -> Raw<Asset> {
    page.file(&file, &headers).into()
}

/// Nothing from elsewhere, nothing inline but the page's own style.
fn policy(style: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'{style}; img-src 'self' data: blob:; \
         connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    )
}

struct File {
    name: &'static str,
    bytes: &'static [u8],
    compressed: &'static [u8],
    /// Of the content, as it is and compressed.
    tags: [HeaderValue; 2],
    policy: HeaderValue,
}

pub struct Page {
    files: Vec<File>,
}

impl Page {
    pub fn new() -> Self {
        let file = |&(name, bytes, compressed)| {
            let policy = policy(&own_style(bytes).map(allowed).unwrap_or_default());
            let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
            File { name, bytes, compressed, tags: tags(bytes), policy }
        };
        Self { files: FILES.iter().map(file).collect() }
    }

    pub fn index(&self, headers: &HeaderMap) -> Answer {
        self.file(INDEX, headers)
    }

    pub fn file(&self, name: &str, headers: &HeaderMap) -> Answer {
        let Some(file) = self.files.iter().find(|file| file.name == name) else {
            let sentence = format!("the dashboard has no file {name:?}; it begins at GET /");
            return Problem::not_found("NOT_FOUND", sentence).into_response();
        };
        let small = takes_gzip(headers);
        let tag = &file.tags[usize::from(small)];
        let mut answer = if is_known(headers, tag) {
            let mut answer = answer::with(StatusCode::NOT_MODIFIED, "", "");
            answer.headers_mut().remove(header::CONTENT_TYPE);
            answer
        } else {
            answer::with(StatusCode::OK, kind(file.name), if small { file.compressed } else { file.bytes })
        };
        let own = answer.headers_mut();
        own.insert(header::ETAG, tag.clone());
        own.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if small && answer.status() == StatusCode::OK {
            answer.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let own = answer.headers_mut();
        // It may be kept, and is asked for again each time: the daemon may be another version by then.
        own.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        own.insert(header::CONTENT_SECURITY_POLICY, file.policy.clone());
        answer
    }
}

/// The style that is in a page, as a browser takes it.
fn own_style(bytes: &[u8]) -> Option<&str> {
    let (_, rest) = std::str::from_utf8(bytes).ok()?.split_once("<style>")?;
    rest.split_once("</style>").map(|(style, _)| style)
}

/// What a policy calls a style that may be inline.
fn allowed(style: &str) -> String {
    format!(" 'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(style)))
}

fn tags(bytes: &[u8]) -> [HeaderValue; 2] {
    let digest = auth::hex(&Sha256::digest(bytes));
    ["", "-gzip"].map(|how| {
        HeaderValue::from_str(&format!("\"{}{how}\"", &digest[..32])).unwrap_or(HeaderValue::from_static("\"\""))
    })
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let told = headers.get(header::ACCEPT_ENCODING).and_then(|told| told.to_str().ok()).unwrap_or_default();
    told.split(',').any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|weight| weight.trim().parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
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

    #[test]
    fn the_page_has_its_style_in_it() {
        let text = |name: &str| {
            let (_, bytes, _) = FILES.iter().find(|(known, ..)| *known == name).unwrap();
            std::str::from_utf8(bytes).unwrap()
        };
        let page = text(INDEX);
        assert_eq!((own_style(page.as_bytes()), page.contains("rel=\"stylesheet\"")), (Some(text("style.css")), false));
        let policies = [INDEX, "app.js"].map(|name| {
            let answer = Page::new().file(name, &HeaderMap::new());
            answer.headers()["content-security-policy"].to_str().unwrap().to_owned()
        });
        assert!(policies[0].contains("; style-src 'self' 'sha256-") && !policies[1].contains("sha256"), "{policies:?}");
        // As the standard writes the digest of nothing.
        assert_eq!(allowed(""), " 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
    }

    #[test]
    fn who_takes_gzip_gets_it_and_who_does_not_gets_the_file() {
        let page = Page::new();
        let asked = |encodings: &str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, encodings.parse().unwrap())]);
            let answer = page.index(&headers);
            assert_eq!(answer.headers()["vary"], "Accept-Encoding");
            (answer.headers().contains_key("content-encoding"), answer.headers()["etag"].clone())
        };
        let [small, plain] = [asked("br, gzip;q=0.5"), asked("br, gzip;q=0")];
        assert_eq!((small.0, plain.0, asked("identity").0), (true, false, false));
        assert_ne!(small.1, plain.1);
    }

    /// A lab leaves it open on a phone, too.
    #[test]
    fn the_whole_page_is_small() {
        let total: usize = FILES.iter().map(|(_, _, compressed)| compressed.len()).sum();
        assert!(total < 80 * 1000, "{total} bytes");
    }
}
