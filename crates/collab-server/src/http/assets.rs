//! The page, out of the binary: in which form it goes out, what it may do (its content security
//! policy) and how long it may be kept. Must not know what the page is.
//!
//! The build leaves beside each file its compressed forms, `.br` and `.gz`. They have no addresses
//! of their own.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest as _, Sha256};

use super::coding::Coding;
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

/// A file as it goes out.
struct Form {
    data: Cow<'static, [u8]>,
    /// Of these very bytes.
    hash: [u8; 32],
    coding: Coding,
    /// Of the file, whatever form it is in.
    mimetype: String,
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

    /// A file in the first of these forms that it has.
    fn best(&self, path: &str, wanted: &[Coding]) -> Option<Form> {
        let plain = self.get(path)?;
        let mimetype = plain.metadata.mimetype().to_owned();
        let written = plain.metadata.last_modified();
        let compressed = wanted
            .iter()
            .filter(|coding| **coding != Coding::Identity)
            .find_map(|coding| {
                let file = self.get(&format!("{path}{}", coding.suffix()))?;
                // Somebody who works on the page may have built it anew without compressing it.
                (file.metadata.last_modified() >= written).then_some((file, *coding))
            });
        let (file, coding) = compressed.unwrap_or((plain, Coding::Identity));
        Some(Form {
            hash: file.metadata.sha256_hash(),
            data: file.data,
            coding,
            mimetype,
        })
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
pub async fn page(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut response = index(&app, &headers)?;
    if let Some(text) = text_of(uri.path()) {
        response.headers_mut().insert(header::LINK, text);
    }
    Ok(response)
}

/// Has the browser ask for a room's text as soon as it hears of the page, rather than when the page's
/// code does. `None` for names that are written in several ways: an address that differs from the
/// code's by a character would be asked for in vain.
fn text_of(path: &str) -> Option<HeaderValue> {
    let room = path.strip_prefix("/room/")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    if room.is_empty() || matches!(room, "." | "..") || !room.bytes().all(plain) {
        return None;
    }
    let text = format!("<../api/rooms/{room}/files/main>; rel=preload; as=fetch; crossorigin");
    HeaderValue::from_str(&text).ok()
}

/// The page itself.
fn index(app: &App, headers: &HeaderMap) -> Result<Response, Problem> {
    let seen = &app.inner.root.seen;
    // With another root it is another text, of 2 KB: not worth compressing at every request.
    let wanted = if seen.is_empty() {
        Coding::wanted(headers)
    } else {
        vec![Coding::Identity]
    };
    let mut index = app.inner.page.best("index.html", &wanted).ok_or_else(|| {
        let detail = match app.inner.page {
            PageSource::Inside => {
                "this server was built without its page; `cargo xtask build` builds both"
            }
            PageSource::Folder(_) => "the folder of the page (--page-dir) holds no index.html",
        };
        Problem::new(
            StatusCode::NOT_FOUND,
            "page-not-built",
            "There is no page inside",
            detail,
        )
    })?;
    if !seen.is_empty() {
        let html = String::from_utf8_lossy(&index.data)
            .replace(BASE, &format!("<base href=\"{seen}/\" />"));
        index.data = Cow::Owned(html.into_bytes());
        // A browser that knows the page with another root must not keep that one.
        index.hash = Sha256::digest(&index.data).into();
    }
    "text/html; charset=utf-8".clone_into(&mut index.mimetype);
    let mut response = answer(headers, index, ASK_AGAIN);
    let policy = policy(headers.get(header::HOST));
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
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
    // `index.html` is the page and has its headers only at its own address.
    let has_address = path != "index.html" && !path.starts_with('.') && !Coding::is_form(path);
    let found = (has_address && matches!(method, Method::GET | Method::HEAD))
        .then(|| app.inner.page.best(path, &Coding::wanted(&headers)))
        .flatten();
    let Some(file) = found else {
        // Somebody followed a link, and reads sentences.
        if reads_pages(&method, path, &headers)
            && let Ok(mut page) = index(&app, &headers)
        {
            if page.status() == StatusCode::OK {
                *page.status_mut() = StatusCode::NOT_FOUND;
            }
            return Ok(page);
        }
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
    Ok(answer(&headers, file, keep))
}

/// Whether a browser asks for something to show. Below `/api` and `/yjs` are programs.
fn reads_pages(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let programs = ["api", "yjs", HASHED.trim_end_matches('/')];
    let top = path.split('/').next().unwrap_or_default();
    matches!(*method, Method::GET | Method::HEAD)
        && !programs.contains(&top)
        && headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|kind| kind.split(';').next().unwrap_or_default().trim() == "text/html")
}

fn answer(asked: &HeaderMap, form: Form, keep: &'static str) -> Response {
    let mut tag = String::from("\"");
    for byte in form.hash.iter().take(16) {
        write!(tag, "{byte:02x}").expect("writing to a string cannot fail");
    }
    tag.push('"');
    let known = asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|candidate| candidate == "*" || candidate.trim_start_matches("W/") == tag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(form.data));
        let headers = response.headers_mut();
        let kind = HeaderValue::from_str(&form.mimetype)
            .unwrap_or(HeaderValue::from_static("application/octet-stream"));
        headers.insert(header::CONTENT_TYPE, kind);
        if let Some(coding) = form.coding.name() {
            let coding = HeaderValue::from_static(coding);
            headers.insert(header::CONTENT_ENCODING, coding);
        }
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
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
         img-src 'self' data:; connect-src 'self'{host}; worker-src 'self'; \
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
}
