//! The page, out of the binary: what it may do (its content security policy) and how long it may
//! be kept. Must not know what the page is.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::{App, Problem};

/// What `cargo xtask build` leaves. Empty when the server was built alone. In debug builds files
/// are read from the folder at run time.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

/// Where the page comes from.
#[derive(Debug, Clone, Default)]
pub enum PageSource {
    /// Out of the binary.
    #[default]
    Inside,
    /// Out of a folder, read at every request: for tests and for work on the page.
    Folder(PathBuf),
}

impl PageSource {
    fn get(&self, path: &str) -> Option<EmbeddedFile> {
        match self {
            PageSource::Inside => Dist::get(path),
            PageSource::Folder(folder) => {
                let inside = Path::new(path)
                    .components()
                    .all(|part| matches!(part, Component::Normal(_)));
                let file = folder.join(path);
                (inside && file.is_file())
                    .then(|| rust_embed::utils::read_file_from_fs(&file).ok())
                    .flatten()
            }
        }
    }
}

/// Files whose names carry a hash of their content: vite puts them here.
const HASHED: &str = "assets/";

/// A year, the longest that is of use.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Kept, but asked about each time (there is an `ETag`).
const ASK_AGAIN: &str = "no-cache";

/// The page's fixed root, as it stands in `index.html`.
const BASE: &str = "<base href=\"/\" />";

/// `/` and `/room/…`: the page finds out itself which room it shows.
pub async fn page(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let index = app.inner.page.get("index.html").ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "page-not-built",
            "There is no page inside",
            "this server was built without its page; `cargo xtask build` builds both",
        )
    })?;
    let mut body = index.data;
    if let Some(path) = app.inner.public_url.as_deref().and_then(sub_path) {
        let html =
            String::from_utf8_lossy(&body).replace(BASE, &format!("<base href=\"{path}/\" />"));
        body = Cow::Owned(html.into_bytes());
    }
    let mut response = answer(&headers, body, &index.metadata.sha256_hash(), ASK_AGAIN);
    let policy = policy(headers.get(header::HOST));
    let response_headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response_headers.insert(header::CONTENT_TYPE, html);
    response_headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// Any other path: a file of the page, or nothing.
pub async fn file(
    State(app): State<App>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let path = uri.path().trim_start_matches('/');
    let found = matches!(method, Method::GET | Method::HEAD)
        // `index.html` is the page and has its headers only at its own address.
        .then(|| {
            app.inner
                .page
                .get(path)
                .filter(|_| path != "index.html" && !path.starts_with('.'))
        })
        .flatten();
    let Some(file) = found else {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            "no-such-route",
            "There is nothing here",
            "no route has this path",
        ));
    };
    let keep = if path.starts_with(HASHED) {
        FOR_EVER
    } else {
        ASK_AGAIN
    };
    let mut response = answer(&headers, file.data, &file.metadata.sha256_hash(), keep);
    let kind = HeaderValue::from_str(file.metadata.mimetype())
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn answer(
    asked: &HeaderMap,
    body: Cow<'static, [u8]>,
    hash: &[u8],
    keep: &'static str,
) -> Response {
    let mut tag = String::from("\"");
    for byte in hash.iter().take(16) {
        write!(tag, "{byte:02x}").expect("writing to a string cannot fail");
    }
    tag.push('"');
    let known = asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|candidate| candidate.trim().trim_start_matches("W/") == tag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(body.into_owned()))
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// The folder in which people reach the server, when it is not the root of its host.
fn sub_path(public_url: &str) -> Option<&str> {
    let (_, rest) = public_url.split_once("://")?;
    let path = &rest[rest.find('/')?..];
    let plain = path
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~%".contains(&byte));
    plain.then_some(path)
}

/// What the page may load and connect to: itself, and nothing else. WebSockets of the same host
/// are named, because older browsers do not count them to 'self'. `base-uri` is 'self': rooms may
/// have `/` in their names, so the page needs its `<base>`.
fn policy(host: Option<&HeaderValue>) -> HeaderValue {
    let host = host
        .and_then(|host| host.to_str().ok())
        .filter(|host| {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
        })
        .map_or(String::new(), |host| format!(" ws://{host} wss://{host}"));
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data: blob:; connect-src 'self'{host}; worker-src 'self' blob:; \
         manifest-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; \
         object-src 'none'"
    );
    HeaderValue::from_str(&policy).expect("made of visible ASCII only")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_cannot_write_the_policy() {
        let hostile = HeaderValue::from_static("evil; script-src *");
        assert_eq!(policy(Some(&hostile)), policy(None));
        let own = policy(Some(&HeaderValue::from_static("127.0.0.1:8000")));
        let own = own.to_str().expect("ASCII");
        assert!(own.contains("connect-src 'self' ws://127.0.0.1:8000 wss://127.0.0.1:8000;"));
        assert!(!own.contains("unsafe-eval'") || own.contains("'wasm-unsafe-eval'"));
        assert!(!own.contains("unsafe-inline"));
    }

    #[test]
    fn a_sub_path_comes_from_the_public_address() {
        assert_eq!(sub_path("https://example.org/collab"), Some("/collab"));
        assert_eq!(sub_path("https://example.org"), None);
        assert_eq!(sub_path("https://example.org/\"><script>"), None);
    }
}
