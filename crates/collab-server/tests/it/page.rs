//! The page: what may be kept and for how long, what it may load, and that it answers at every
//! address of a room.

use collab_server::http::PageSource;
use tempfile::TempDir;

use crate::server::{Running, settings};

fn dist() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let write = |path: &str, body: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("inside")).expect("a folder");
        std::fs::write(path, body).expect("a file");
    };
    write(
        "index.html",
        "<!doctype html><base href=\"/\" /><title>Collab</title>",
    );
    write("assets/main-abc123.js", "export {}");
    write("assets/collab-abc123.wasm", "\0asm");
    write("favicon.svg", "<svg/>");
    write(".vite/manifest.json", "{}");
    folder
}

async fn get(server: &Running, path: &str) -> reqwest::Response {
    reqwest::get(server.url(path)).await.expect("an answer")
}

#[tokio::test]
async fn caching_and_csp() {
    let folder = dist();
    let mut settings = settings();
    settings.page = PageSource::Folder(folder.path().to_owned());
    let server = Running::start(settings).await;
    for path in ["/", "/room/team/notes%201", "/?room=x", "/room/0"] {
        let page = get(&server, path).await;
        assert_eq!(page.status(), 200, "{path}");
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(page.headers()["cache-control"], "no-cache");
        assert_eq!(page.headers()["referrer-policy"], "no-referrer");
        assert_eq!(page.headers()["x-content-type-options"], "nosniff");
        let csp = page.headers()["content-security-policy"]
            .to_str()
            .expect("ASCII")
            .to_owned();
        let host = server.address;
        for part in [
            "default-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            &format!("connect-src 'self' ws://{host} wss://{host}"),
            "worker-src 'self' blob:",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "object-src 'none'",
        ] {
            assert!(
                csp.split("; ").any(|found| found == part),
                "{part} in {csp}"
            );
        }
        assert!(
            !csp.contains("'unsafe-eval'") && !csp.contains("unsafe-inline"),
            "{csp}"
        );
        let tag = page.headers()["etag"].clone();
        let again = reqwest::Client::new()
            .get(server.url(path))
            .header("if-none-match", tag);
        assert_eq!(again.send().await.expect("an answer").status(), 304);
    }
    for (path, kind, keep) in [
        (
            "/assets/main-abc123.js",
            "text/javascript",
            "public, max-age=31536000, immutable",
        ),
        (
            "/assets/collab-abc123.wasm",
            "application/wasm",
            "public, max-age=31536000, immutable",
        ),
        ("/favicon.svg", "image/svg+xml", "no-cache"),
    ] {
        let file = get(&server, path).await;
        assert_eq!(file.status(), 200, "{path}");
        assert_eq!(file.headers()["content-type"], kind);
        assert_eq!(file.headers()["cache-control"], keep);
    }
    for path in [
        "/assets/old-000000.js",
        "/index.html",
        "/.vite/manifest.json",
        "/assets/../index.html",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/etc/passwd",
        "//etc/passwd",
    ] {
        let nothing = get(&server, path).await;
        // The client itself resolves "..", so the page may be what it asks for.
        assert_eq!(nothing.status(), 404, "{path}");
        assert_eq!(
            nothing.headers()["content-type"],
            "application/problem+json"
        );
    }
}

#[tokio::test]
async fn a_sub_path_is_the_pages_root() {
    let folder = dist();
    let mut settings = settings();
    settings.page = PageSource::Folder(folder.path().to_owned());
    settings.public_url = Some("https://example.org/collab".to_owned());
    let server = Running::start(settings).await;
    let page = get(&server, "/room/x").await.text().await.expect("text");
    assert!(page.contains("<base href=\"/collab/\" />"), "{page}");
}

#[tokio::test]
async fn a_server_without_its_page_says_so() {
    let folder = TempDir::new().expect("a folder");
    let mut settings = settings();
    settings.page = PageSource::Folder(folder.path().to_owned());
    let server = Running::start(settings).await;
    let page = get(&server, "/").await;
    assert_eq!(page.status(), 404);
    let problem: serde_json::Value = page.json().await.expect("JSON");
    assert_eq!(problem["type"], "urn:collab:problem:page-not-built");
}

#[tokio::test]
async fn the_operators_numbers_are_there() {
    let server = Running::start(settings()).await;
    let mut ann = crate::client::Client::collab(server.address, "r").await;
    ann.type_text("x").await;
    ann.until_saved().await;
    let page = get(&server, "/metrics").await;
    assert_eq!(
        page.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let page = page.text().await.expect("text");
    for name in [
        "collab_connections ",
        "collab_rooms_awake ",
        "collab_updates_total ",
        "collab_commit_seconds_bucket{le=\"0.005\"}",
        "collab_unacknowledged_bytes ",
        "collab_outbox_overflows_total ",
    ] {
        assert!(
            page.lines().any(|line| line.starts_with(name)),
            "{name} in {page}"
        );
    }
    assert_eq!(get(&server, "/healthz").await.status(), 200);
    assert_eq!(get(&server, "/readyz").await.status(), 200);
}

#[tokio::test]
async fn the_api_describes_itself_without_outside_files() {
    let server = Running::start(settings()).await;
    let api = get(&server, "/openapi.json").await;
    assert_eq!(api.status(), 200);
    let api: serde_json::Value = api.json().await.expect("JSON");
    for path in [
        "/api/rooms",
        "/api/rooms/{room}",
        "/api/rooms/{room}/files/{file}",
        "/api/rooms/{room}/update",
        "/api/autocomplete",
    ] {
        assert!(api["paths"][path].is_object(), "{path}");
    }
    let docs = get(&server, "/docs/").await;
    assert_eq!(docs.status(), 200);
    assert_eq!(docs.headers()["x-content-type-options"], "nosniff");
    let html = docs.text().await.expect("text");
    assert!(
        !html.contains("https://") && !html.contains("src=\"//"),
        "{html}"
    );
    // What the page of the product may do does not depend on what this one may.
    assert!(
        get(&server, "/docs/swagger-ui.css")
            .await
            .status()
            .is_success()
    );
}
