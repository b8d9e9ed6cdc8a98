//! Answers of the API in fewer bytes, for whoever reads gzip: a text of 100 KB takes half a second of a
//! slow line, and a tenth of that compressed. Must not know what an answer says.
//!
//! Gzip alone, because browsers take it on any connection, and fast, because it happens at each
//! request; the page's own files were compressed better when they were built (`assets`).

use std::io::Write as _;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::Next;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::coding::Coding;

/// Bytes. A smaller answer fits into one packet with its headers, whatever its form.
const WORTH_IT: u64 = 1_024;

/// Bytes. A larger answer goes out as it is: compressing it takes a processor a good part of a second,
/// for anybody who asks.
const MOST: u64 = 32 << 20;

/// Bytes above which compressing (about 10 ms per MB) is no work for a task that others wait for.
const QUICK: usize = 64 << 10;

/// See the module.
pub async fn compress(request: Request, next: Next) -> Response<Body> {
    let reads = *request.method() == Method::GET;
    let wanted = Coding::wanted(request.headers());
    let answer = next.run(request).await;
    if !reads || answer.status() != StatusCode::OK || !is_compressible(answer.headers()) {
        return answer;
    }
    let size = answer.body().size_hint().exact();
    if size.is_none_or(|size| !(WORTH_IT..=MOST).contains(&size)) {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let vary = HeaderValue::from_static("accept-encoding");
    parts.headers.append(header::VARY, vary);
    if !wanted.contains(&Coding::Gzip) {
        return Response::from_parts(parts, body);
    }
    let Ok(whole) = axum::body::to_bytes(body, usize::MAX).await else {
        // Of known size, so it was here already and cannot break off.
        return Response::from_parts(parts, Body::empty());
    };
    let small = if whole.len() <= QUICK {
        gzip(&whole)
    } else {
        let whole = whole.clone();
        let done = tokio::task::spawn_blocking(move || gzip(&whole)).await;
        done.ok().flatten()
    };
    let Some(small) = small.filter(|small| small.len() < whole.len()) else {
        return Response::from_parts(parts, Body::from(whole));
    };
    let headers = &mut parts.headers;
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    // The same text in other bytes.
    if let Some(tag) = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok())
        && !tag.starts_with("W/")
        && let Ok(weak) = HeaderValue::from_str(&format!("W/{tag}"))
    {
        headers.insert(header::ETAG, weak);
    }
    Response::from_parts(parts, Body::from(small))
}

fn is_compressible(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    !headers.contains_key(header::CONTENT_ENCODING)
        && (kind.starts_with("text/")
            || kind.ends_with("json")
            || kind == "application/octet-stream")
}

fn gzip(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}
