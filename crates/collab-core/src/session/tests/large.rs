//! Edits above the server's limit for one message.

use super::*;

#[test]
fn what_is_larger_than_the_server_takes_goes_in_several_messages() {
    let mut server = Server::new();
    server.max_frame_bytes = 100;
    let mut page = Page::new(1);
    page.connects(&mut server);
    let code = 1006;
    let reason = String::new();
    page.give(Input::Closed { code, reason });
    page.edits(insert(0, &"one ".repeat(50)));
    page.edits(insert(4, &"two ".repeat(50)));
    page.edits(delete(0, 8));
    let text = page.text();
    page.give(Input::Retry);
    let sent = page.connects(&mut server);
    assert!(sent.len() > 4);
    assert_eq!(server.text(), text);
    assert_eq!(page.state(), SaveState::Saving { unsaved: 3 });
    server.heard -= 1;
    let all_but_one = server.saved();
    page.hears(&mut server, &all_but_one);
    assert_eq!(page.state(), SaveState::Saving { unsaved: 3 });
    server.heard += 1;
    let saved = server.saved();
    page.hears(&mut server, &saved);
    assert_eq!(page.state(), SaveState::Saved);

    // One paste.
    let sent = page.edits(insert(7, &"three ".repeat(50)));
    assert!(sent.len() > 2);
    for message in sent {
        assert!(codec::encode(&message).len() <= server.max_frame_bytes);
        let Message::Update(update) = message else {
            panic!("{message:?}");
        };
        server.heard += 1;
        server.document.apply_from_server(&update).expect("sound");
    }
    assert_eq!(server.text(), page.text());
    let saved = server.saved();
    page.hears(&mut server, &saved);
    assert_eq!(page.state(), SaveState::Saved);
}

#[test]
fn what_cannot_be_divided_is_kept_and_told() {
    let mut server = Server::new();
    server.max_frame_bytes = 100;
    let mut page = Page::new(1);
    page.connects(&mut server);
    let key = "name".to_owned();
    let value = "n".repeat(200);
    let sent = page.give(Input::Describe(Description::SetMeta { key, value }));
    assert_eq!(sent, []);
    assert!(matches!(
        page.state(),
        SaveState::Attention { unsaved: 1, reason } if reason.contains("longer than")
    ));
}
