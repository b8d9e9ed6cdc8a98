//! The page: what may be kept and for how long, what it may load, and that it answers at every
//! address of a room.

use collab_server::http::PageSource;
use tempfile::TempDir;

use crate::client::{Client, refused};
use crate::server::{Running, settings};

pub fn dist() -> TempDir {
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
    write("sw.js", "self");
    write("app.webmanifest", "{}");
    write(".vite/manifest.json", "{}");
    folder
}

pub async fn get(server: &Running, path: &str) -> reqwest::Response {
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
            "img-src 'self' data:",
            &format!("connect-src 'self' ws://{host} wss://{host}"),
            "worker-src 'self'",
            "manifest-src 'self'",
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
        // A worker that is kept longer keeps an old page alive.
        ("/sw.js", "text/javascript", "no-cache"),
        ("/app.webmanifest", "application/manifest+json", "no-cache"),
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

/// With the compressed forms that the page's build leaves, each with a text of its own.
fn compressed_dist() -> TempDir {
    let folder = dist();
    for name in ["index.html", "assets/main-abc123.js", "sw.js"] {
        for suffix in ["br", "gz"] {
            let path = folder.path().join(format!("{name}.{suffix}"));
            std::fs::write(path, format!("{name} as {suffix}")).expect("a file");
        }
    }
    folder
}

async fn serving(folder: &TempDir) -> Running {
    let mut settings = settings();
    settings.page = PageSource::Folder(folder.path().to_owned());
    Running::start(settings).await
}

#[tokio::test]
async fn a_file_goes_out_in_the_form_that_the_browser_prefers() {
    let folder = compressed_dist();
    let server = serving(&folder).await;
    let http = reqwest::Client::new();
    let ask = async |method: reqwest::Method, path: &str, accepted: &str, known: &str| {
        let request = http
            .request(method, server.url(path))
            .header("accept-encoding", accepted)
            .header("if-none-match", known);
        request.send().await.expect("an answer")
    };
    let get =
        async |path: &str, accepted: &str| ask(reqwest::Method::GET, path, accepted, "").await;
    let js = "/assets/main-abc123.js";
    let mut tags = Vec::new();
    for (accepted, coding, body) in [
        (
            "gzip, deflate, br, zstd",
            Some("br"),
            "assets/main-abc123.js as br",
        ),
        ("gzip, deflate", Some("gzip"), "assets/main-abc123.js as gz"),
        (
            "br;q=0.5, gzip",
            Some("gzip"),
            "assets/main-abc123.js as gz",
        ),
        ("br;q=0, gzip;q=0", None, "export {}"),
        ("", None, "export {}"),
    ] {
        let file = get(js, accepted).await;
        assert_eq!(file.status(), 200, "{accepted}");
        let headers = file.headers().clone();
        assert_eq!(headers["content-type"], "text/javascript", "{accepted}");
        assert_eq!(headers["vary"], "accept-encoding");
        assert_eq!(
            headers["cache-control"],
            "public, max-age=31536000, immutable"
        );
        let said = headers
            .get("content-encoding")
            .map(|value| value.to_str().expect("ASCII"));
        assert_eq!(said, coding, "{accepted}");
        assert_eq!(file.text().await.expect("text"), body, "{accepted}");
        let tag = headers["etag"].to_str().expect("ASCII").to_owned();

        let again = ask(reqwest::Method::GET, js, accepted, &tag).await;
        assert_eq!(again.status(), 304, "{accepted}");
        assert_eq!(again.headers()["etag"], tag.as_str());
        assert_eq!(again.headers()["vary"], "accept-encoding");

        let head = ask(reqwest::Method::HEAD, js, accepted, "").await;
        assert_eq!(head.status(), 200, "{accepted}");
        for name in [
            "content-type",
            "content-length",
            "etag",
            "vary",
            "cache-control",
        ] {
            assert_eq!(head.headers()[name], headers[name], "{accepted}: {name}");
        }
        assert_eq!(
            head.headers().get("content-encoding"),
            headers.get("content-encoding")
        );
        tags.push(tag);
    }
    tags.dedup();
    assert_eq!(tags.len(), 3, "each form has a tag of its own: {tags:?}");
    let other = ask(reqwest::Method::GET, js, "gzip", &tags[0]).await;
    assert_eq!(
        other.status(),
        200,
        "the tag of one form is not that of another"
    );

    let page = get("/room/x", "br").await;
    assert_eq!(page.headers()["content-encoding"], "br");
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(page.headers()["cache-control"], "no-cache");
    assert!(page.headers().contains_key("content-security-policy"));
    let worker = get("/sw.js", "br").await;
    assert_eq!(worker.headers()["content-encoding"], "br");
    assert_eq!(worker.headers()["cache-control"], "no-cache");
    // It has no other form.
    let wasm = get("/assets/collab-abc123.wasm", "br, gzip").await;
    assert!(!wasm.headers().contains_key("content-encoding"));

    for path in [
        "/assets/main-abc123.js.br",
        "/assets/main-abc123.js.gz",
        "/index.html.br",
    ] {
        assert_eq!(get(path, "br").await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn a_form_older_than_its_file_is_not_sent() {
    let folder = compressed_dist();
    let server = serving(&folder).await;
    let hour = std::time::Duration::from_secs(3600);
    for suffix in ["br", "gz"] {
        let form = folder.path().join(format!("sw.js.{suffix}"));
        let form = std::fs::File::options()
            .write(true)
            .open(form)
            .expect("there");
        let before = std::time::SystemTime::now() - hour;
        form.set_modified(before).expect("a time can be set");
    }
    let worker = reqwest::Client::new()
        .get(server.url("/sw.js"))
        .header("accept-encoding", "br, gzip");
    let worker = worker.send().await.expect("an answer");
    assert_eq!(worker.text().await.expect("text"), "self");
}

#[tokio::test]
async fn a_folder_is_read_at_every_request() {
    let folder = dist();
    let server = serving(&folder).await;
    assert_eq!(get(&server, "/new.txt").await.status(), 404);
    std::fs::write(folder.path().join("new.txt"), "1").expect("a file");
    assert_eq!(
        get(&server, "/new.txt").await.text().await.expect("text"),
        "1"
    );
    std::fs::write(folder.path().join("new.txt"), "2").expect("a file");
    assert_eq!(
        get(&server, "/new.txt").await.text().await.expect("text"),
        "2"
    );
}

/// Behind a proxy that takes the path away: the public address tells what browsers see.
#[tokio::test]
async fn the_public_path_is_the_pages_root() {
    let folder = compressed_dist();
    let mut settings = settings();
    settings.page = PageSource::Folder(folder.path().to_owned());
    settings.public_url = Some("https://example.org/collab".to_owned());
    let server = Running::start(settings).await;
    let page = reqwest::Client::new()
        .get(server.url("/room/x"))
        .header("accept-encoding", "br");
    let page = page.send().await.expect("an answer").text().await;
    let page = page.expect("text, though a compressed form is there: its root is another");
    assert!(page.contains("<base href=\"/collab/\" />"), "{page}");
    let api: serde_json::Value = get(&server, "/openapi.json")
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(api["servers"][0]["url"], "/collab");
}

/// Behind a proxy that leaves the path as it is.
#[tokio::test]
async fn everything_answers_below_the_base_path() {
    let folder = compressed_dist();
    let mut settings = settings();
    settings.page = PageSource::Folder(folder.path().to_owned());
    settings.base_path = "/tools/collab".to_owned();
    let server = Running::start(settings).await;
    let still = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client");
    for (path, to) in [
        ("/tools/collab", "collab/"),
        ("/tools/collab?room=x%20y", "collab/?room=x%20y"),
        ("/tools/collab/docs", "docs/"),
    ] {
        let moved = still.get(server.url(path)).send().await.expect("an answer");
        assert_eq!(moved.status(), 307, "{path}");
        assert_eq!(moved.headers()["location"], to, "{path}");
        assert_eq!(
            get(&server, path).await.status(),
            200,
            "{path}: where that leads"
        );
    }
    for path in ["/tools/collab/", "/tools/collab/room/team/notes"] {
        let page = get(&server, path).await;
        assert_eq!(page.status(), 200, "{path}");
        assert!(page.headers().contains_key("content-security-policy"));
        let page = page.text().await.expect("text");
        assert!(page.contains("<base href=\"/tools/collab/\" />"), "{page}");
    }
    for path in [
        "/tools/collab/assets/main-abc123.js",
        "/tools/collab/sw.js",
        "/tools/collab/docs/swagger-ui.css",
        "/tools/collab/healthz",
        "/tools/collab/readyz",
        "/tools/collab/metrics",
        "/healthz",
        "/readyz",
        "/metrics",
    ] {
        assert_eq!(get(&server, path).await.status(), 200, "{path}");
    }
    for path in [
        "/",
        "/room/x",
        "/sw.js",
        "/assets/main-abc123.js",
        "/api/rooms/x",
        "/openapi.json",
        "/tools/collabx",
        "/tools/collab/index.html",
        "/tools/collab/nothing",
    ] {
        let nothing = get(&server, path).await;
        assert_eq!(nothing.status(), 404, "{path}");
        let problem: serde_json::Value = nothing.json().await.expect("JSON");
        assert_eq!(
            problem["type"], "urn:collab:problem:no-such-route",
            "{path}"
        );
    }

    let made = reqwest::Client::new()
        .post(server.url("/tools/collab/api/rooms"))
        .json(&serde_json::json!({"text": "hello"}));
    let made = made.send().await.expect("an answer");
    assert_eq!(made.status(), 201);
    let location = made.headers()["location"]
        .to_str()
        .expect("ASCII")
        .to_owned();
    let room: serde_json::Value = made.json().await.expect("JSON");
    let id = room["id"].as_str().expect("an id");
    assert_eq!(location, format!("/tools/collab/api/rooms/{id}"));
    assert_eq!(
        room["url"],
        server.url(&format!("/tools/collab/room/{id}")).as_str()
    );
    assert_eq!(get(&server, &location).await.status(), 200);

    let socket = |path: &str| {
        use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
        format!("ws://{}{path}", server.address)
            .into_client_request()
            .expect("an address")
    };
    let mut ann = Client::open(socket(&format!("/tools/collab/yjs/{id}"))).await;
    ann.until_text("hello").await;
    let (status, _) = refused(socket(&format!("/yjs/{id}"))).await;
    assert_eq!(status, 404);

    let api: serde_json::Value = get(&server, "/tools/collab/openapi.json")
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(api["servers"][0]["url"], "/tools/collab");
}

/// Whoever moves the server must not leave browsers with a page that looks in the old place.
#[tokio::test]
async fn the_page_below_another_root_is_another_page() {
    let folder = dist();
    let mut tags = Vec::new();
    for base_path in ["", "/a", "/b"] {
        let mut settings = settings();
        settings.page = PageSource::Folder(folder.path().to_owned());
        settings.base_path = base_path.to_owned();
        let server = Running::start(settings).await;
        let page = get(&server, &format!("{base_path}/")).await;
        tags.push(page.headers()["etag"].clone());
    }
    assert!(tags[0] != tags[1] && tags[1] != tags[2], "{tags:?}");
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
    let mut ann = Client::collab(server.address, "r").await;
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
    let set_up = get(&server, "/docs/swagger-initializer.js").await;
    let set_up = set_up.text().await.expect("text");
    assert!(set_up.contains("../openapi.json"), "{set_up}");
    // What the page of the product may do does not depend on what this one may.
    assert!(
        get(&server, "/docs/swagger-ui.css")
            .await
            .status()
            .is_success()
    );
}
