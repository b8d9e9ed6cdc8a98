//! What an address answers besides its body: to browsers a page where there is nothing, and what a
//! room's page will ask for next.

use collab_server::http::PageSource;

use crate::page::{dist, get};
use crate::server::{Running, settings};

/// What somebody sees who followed a link that leads nowhere; programs hear a problem.
#[tokio::test]
async fn an_unknown_address_answers_browsers_with_the_page() {
    let folder = dist();
    let mut settings = settings();
    settings.page = PageSource::Folder(folder.path().to_owned());
    let server = Running::start(settings).await;
    let http = reqwest::Client::new();
    let asked = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let ask = async |path: &str, accept: &str| {
        let request = http.get(server.url(path)).header("accept", accept);
        request.send().await.expect("an answer")
    };
    for path in ["/nothing", "/rooom/x", "/team/notes.html", "/index.html"] {
        let page = ask(path, asked).await;
        assert_eq!(page.status(), 404, "{path}");
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        assert!(page.headers().contains_key("content-security-policy"));
        let text = page.text().await.expect("text");
        assert!(text.contains("<title>Collab</title>"), "{text}");
        for program in ["*/*", "application/json", "text/plain", ""] {
            let problem = ask(path, program).await;
            let kind = problem.headers()["content-type"].clone();
            assert_eq!(kind, "application/problem+json", "{path} {program}");
        }
    }
    for path in ["/api/nothing", "/api/rooms/none", "/yjs/", "/assets/old.js"] {
        let problem = ask(path, asked).await;
        let kind = problem.headers()["content-type"].clone();
        assert_eq!(kind, "application/problem+json", "{path}");
    }
}

/// The page's code would ask half a second later on a slow machine.
#[tokio::test]
async fn a_room_s_page_has_its_text_asked_for_at_once() {
    let folder = dist();
    let mut settings = settings();
    settings.page = PageSource::Folder(folder.path().to_owned());
    settings.base_path = "/tools/collab".to_owned();
    let server = Running::start(settings).await;
    let link = async |path: &str| {
        let page = get(&server, &format!("/tools/collab{path}")).await;
        let link = page.headers().get("link").cloned();
        link.map(|link| link.to_str().expect("ASCII").to_owned())
    };
    assert_eq!(
        link("/room/1f0e-x_y.z").await.as_deref(),
        Some("<../api/rooms/1f0e-x_y.z/files/main>; rel=preload; as=fetch; crossorigin")
    );
    for path in ["/", "/room/a/b", "/room/a%20b", "/room/x/", "/?room=x"] {
        assert_eq!(link(path).await, None, "{path}");
    }
}
