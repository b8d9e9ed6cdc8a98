//! Pages of other sites may not connect; programs and the own page may.

use crate::client::{self, Client, refused};
use crate::server::{Running, settings};

#[tokio::test]
async fn foreign_pages_are_refused_before_the_upgrade() {
    let server = Running::start(settings()).await;
    let own = format!("http://{}", server.address);
    for origin in [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        format!("{own}.evil.example"),
        format!("http://localhost:{}", server.address.port()),
        "http://127.0.0.1:1".to_owned(),
        format!("ftp://{}", server.address),
    ] {
        let request = client::request(server.address, "r", &[("origin", &origin)]);
        let (status, problem) = refused(request).await;
        assert_eq!(status, 403, "{origin}");
        assert_eq!(problem["type"], "urn:collab:problem:origin-not-allowed");
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("--allowed-origins"), "{problem}");
    }
    for origin in [own.clone(), own.to_uppercase()] {
        let request = client::request(server.address, "r", &[("origin", &origin)]);
        Client::open(request).await.until_synced().await;
    }
}

#[tokio::test]
async fn a_listed_origin_may_connect_and_change_things() {
    let mut settings = settings();
    settings.allowed_origins = vec!["https://editor.example".to_owned()];
    let server = Running::start(settings).await;
    let listed = [("origin", "https://editor.example")];
    let request = client::request(server.address, "r", &listed);
    Client::open(request).await.until_synced().await;
    let http = reqwest::Client::new();
    for (origin, status) in [
        ("https://editor.example", 201),
        ("http://editor.example", 403),
        ("https://evil.example", 403),
    ] {
        let request = http.post(server.url("/api/rooms")).header("origin", origin);
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), status, "{origin}");
    }
}
