//! What survives a page, and what a person may change besides text. The server's end is played by
//! hand; `collab-sim` has the true one.

mod large;

use crate::document::Edit;
use bytes::Bytes;

use super::*;
use crate::document::{MAX_FILES, MAX_NAME_BYTES};
use crate::ids::{ConnectionId, Epoch, Offset, Seq};
use crate::protocol::Welcome;

const NOW: Millis = Millis(1_000);
const LINEAGE: Lineage = Lineage([7; 16]);

/// The other end of one connection after the other.
struct Server {
    document: Document,
    lineage: Lineage,
    /// State-changing messages heard on this connection.
    heard: u64,
    /// Bytes of the largest frame it takes.
    max_frame_bytes: usize,
}

impl Server {
    fn new() -> Server {
        Server {
            document: Document::new(ReplicaId::ours(99)),
            lineage: LINEAGE,
            heard: 0,
            max_frame_bytes: 1 << 24,
        }
    }

    fn saved(&self) -> Message {
        Message::Control(Control::Saved {
            frames: self.heard,
            seq: Seq(1),
        })
    }

    fn types(&mut self, at: u32, text: &str) -> Message {
        Message::Update(
            self.document
                .edit(&FileId::main(), &[insert(at, text)])
                .expect("in range"),
        )
    }

    fn text(&self) -> String {
        self.document.text(&FileId::main())
    }
}

/// A page with its session, and what the device was told to write down.
struct Page {
    session: Session,
    device: Kept,
    seen: Vec<Effect>,
}

impl Page {
    fn new(replica: u32) -> Page {
        let mut session = Session::new(ReplicaId::ours(replica), 1);
        session.open_file(&FileId::main());
        Page {
            session,
            device: Kept::default(),
            seen: Vec::new(),
        }
    }

    /// Another page on the device of one that is gone.
    fn after(crashed: &Page, replica: u32) -> Page {
        let mut page = Page::new(replica);
        page.device = crashed.device.clone();
        page.give(Input::Restore(crashed.device.clone()));
        page
    }

    fn give(&mut self, input: Input) -> Vec<Message> {
        let mut effects = Vec::new();
        self.session.handle(NOW, input, &mut effects);
        let mut sent = Vec::new();
        for effect in effects {
            match &effect {
                Effect::Send(frame) => sent.extend(codec::decode(frame.clone()).expect("ours")),
                Effect::Keep(kept) => {
                    self.device.updates.extend(kept.updates.iter().cloned());
                    self.device.unsaved = kept.unsaved;
                    self.device.lineage = kept.lineage;
                }
                _ => {}
            }
            self.seen.push(effect);
        }
        sent
    }

    /// The device writes down everything instead.
    fn copies(&mut self) {
        self.device = self.session.copy().expect("a sound document");
    }

    fn hears(&mut self, server: &mut Server, message: &Message) -> Vec<Message> {
        let mut sent = Vec::new();
        let mut waiting = self.give(Input::Frame(codec::encode(message)));
        while !waiting.is_empty() {
            for message in std::mem::take(&mut waiting) {
                assert!(codec::encode(&message).len() <= server.max_frame_bytes);
                sent.push(message.clone());
                match message {
                    Message::SyncStep1(have) => {
                        let have = StateVector::decode(&have).expect("ours");
                        let diff = server.document.diff(&have).expect("sound");
                        let answer = codec::encode(&Message::SyncStep2(diff));
                        waiting.extend(self.give(Input::Frame(answer)));
                    }
                    Message::SyncStep2(update) | Message::Update(update) => {
                        server.heard += 1;
                        let turn = server.document.apply_from_server(&update).expect("sound");
                        assert!(matches!(turn.outcomes[..], [Outcome::Applied { .. }]));
                    }
                    _ => {}
                }
            }
        }
        sent
    }

    fn connects(&mut self, server: &mut Server) -> Vec<Message> {
        self.give(Input::Start);
        let asked = self.give(Input::Opened);
        server.heard = 0;
        let welcome = Message::Control(Control::Welcome(Welcome {
            version: protocol::VERSION,
            lineage: server.lineage,
            connection: ConnectionId(1),
            epoch: Epoch(1),
            seq: Seq(0),
            max_frame_bytes: server.max_frame_bytes as u64,
        }));
        let mut sent = self.hears(server, &welcome);
        if !self.session.is_open() {
            return sent;
        }
        let theirs = server.document.state_vector().encode().into();
        sent.extend(self.hears(server, &Message::SyncStep1(theirs)));
        for message in asked {
            if let Message::SyncStep1(have) = message {
                let have = StateVector::decode(&have).expect("ours");
                let diff = server.document.diff(&have).expect("sound");
                sent.extend(self.hears(server, &Message::SyncStep2(diff)));
            }
        }
        sent
    }

    fn edits(&mut self, edit: Edit) -> Vec<Message> {
        let file = FileId::main();
        let edits = vec![edit];
        self.give(Input::Edit { file, edits })
    }

    fn text(&self) -> String {
        self.session.document().text(&FileId::main())
    }

    fn state(&self) -> SaveState {
        self.session.state(NOW)
    }

    fn saw(&mut self, effect: &Effect) -> usize {
        let seen = std::mem::take(&mut self.seen);
        seen.iter().filter(|one| *one == effect).count()
    }
}

fn insert(at: u32, text: &str) -> Edit {
    Edit {
        at: Offset(at),
        delete: 0,
        insert: text.to_owned(),
    }
}

fn delete(at: u32, units: u32) -> Edit {
    Edit {
        at: Offset(at),
        delete: units,
        insert: String::new(),
    }
}

#[test]
fn a_page_that_never_connected_comes_back_with_everything() {
    let mut page = Page::new(1);
    page.give(Input::Start);
    page.edits(insert(0, "hello"));
    page.edits(insert(5, " world"));
    page.edits(delete(0, 1));
    let mut page = Page::after(&page, 2);
    assert_eq!(page.text(), "ello world");
    assert_eq!(page.session.unsaved(), 3);
    let mut server = Server::new();
    page.connects(&mut server);
    assert_eq!(server.text(), "ello world");
    assert_eq!(page.state(), SaveState::Saving { unsaved: 3 });
    let saved = server.saved();
    page.hears(&mut server, &saved);
    assert_eq!(page.state(), SaveState::Saved);
    assert_eq!(page.session.copy().expect("sound").unsaved, 0);
}

#[test]
fn a_deletion_that_was_kept_is_carried_though_it_moves_no_state_vector() {
    let mut server = Server::new();
    server.types(0, "hello");
    let mut page = Page::new(1);
    page.connects(&mut server);
    page.copies();
    let code = 1006;
    let reason = String::new();
    page.give(Input::Closed { code, reason });
    page.edits(delete(0, 4));
    let mut page = Page::after(&page, 2);
    assert_eq!((page.text().as_str(), page.session.unsaved()), ("o", 1));
    page.connects(&mut server);
    assert_eq!(server.text(), "o");
    assert_eq!(page.state(), SaveState::Saving { unsaved: 1 });
}

#[test]
fn what_an_edit_rests_on_is_kept_with_it() {
    let mut server = Server::new();
    let mut page = Page::new(1);
    page.connects(&mut server);
    page.copies();
    let theirs = server.types(0, "theirs");
    page.hears(&mut server, &theirs);
    page.edits(insert(6, " and mine"));
    let mut page = Page::after(&page, 2);
    assert_eq!(page.text(), "theirs and mine");
    // The server had not saved it when it crashed, and whoever typed it is gone.
    let mut server = Server::new();
    page.connects(&mut server);
    assert_eq!(server.text(), "theirs and mine");
}

#[test]
fn an_edit_waits_for_what_it_rests_on_and_is_sent_then() {
    let mut server = Server::new();
    let mut page = Page::new(1);
    page.connects(&mut server);
    page.copies();
    let theirs = server.types(0, "theirs");
    page.hears(&mut server, &theirs);
    page.edits(insert(6, " and mine"));
    // As if more than HEARD_BYTES had come before it.
    let rests_on = page.device.updates.len() - 2;
    page.device.updates.remove(rests_on);
    let mut page = Page::after(&page, 2);
    assert_eq!((page.text().as_str(), page.session.unsaved()), ("", 1));
    // Another crash, before the server was reached, loses nothing either.
    page.copies();
    let mut page = Page::after(&page, 3);
    assert_eq!(page.session.unsaved(), 1);
    page.connects(&mut server);
    assert_eq!(page.text(), "theirs and mine");
    assert_eq!(server.text(), "theirs and mine");
    assert_eq!(page.state(), SaveState::Saving { unsaved: 1 });
    let saved = server.saved();
    page.hears(&mut server, &saved);
    assert_eq!(page.state(), SaveState::Saved);
}

#[test]
fn too_much_from_others_is_not_kept_and_later_edits_are() {
    let mut server = Server::new();
    let mut page = Page::new(1);
    page.connects(&mut server);
    let much = server.types(0, &"x".repeat(HEARD_BYTES));
    page.hears(&mut server, &much);
    let little = server.types(0, "y");
    page.hears(&mut server, &little);
    page.edits(insert(0, "z"));
    assert_eq!(page.device.updates.len(), 1, "the edit alone");
    let little = server.types(0, "y");
    page.hears(&mut server, &little);
    page.edits(insert(0, "z"));
    assert_eq!(page.device.updates.len(), 3, "and the next with its cause");
}

#[test]
fn what_is_kept_of_another_document_is_shown_and_not_merged() {
    let mut server = Server::new();
    let mut page = Page::new(1);
    page.connects(&mut server);
    page.edits(insert(0, "of the old room"));
    let mut page = Page::after(&page, 2);
    let mut server = Server::new();
    server.lineage = Lineage([8; 16]);
    server.types(0, "new");
    let sent = page.connects(&mut server);
    assert_eq!(sent, [], "nothing of it leaves the device");
    assert!(matches!(
        page.state(),
        SaveState::Attention { unsaved: 1, .. }
    ));
    assert_eq!(page.text(), "of the old room");
    assert_eq!(
        page.session.copy().map(|kept| kept.lineage),
        Some(Some(LINEAGE))
    );
}

#[test]
fn saved_and_kept_is_what_a_copy_says() {
    let mut server = Server::new();
    let mut page = Page::new(1);
    page.connects(&mut server);
    for message in page.edits(insert(0, "saved")) {
        if let Message::Update(update) = message {
            server.heard += 1;
            server.document.apply_from_server(&update).expect("sound");
        }
    }
    let saved = server.saved();
    page.hears(&mut server, &saved);
    page.edits(insert(5, ", not saved"));
    page.copies();
    assert_eq!(page.device.unsaved, 1);
    let page = Page::after(&page, 2);
    assert_eq!(page.text(), "saved, not saved");
    assert_eq!(page.session.unsaved(), 1);
}

#[test]
fn what_was_kept_may_come_twice_damaged_or_too_late() {
    let mut page = Page::new(1);
    page.edits(insert(0, "one"));
    page.edits(insert(3, " two"));
    page.device.updates.reverse();
    page.device.updates.extend(page.device.updates.clone());
    page.device.updates.push(Bytes::from_static(b"junk"));
    let mut page = Page::after(&page, 2);
    assert_eq!(page.text(), "one two");
    assert_eq!(page.session.unsaved(), 2);
    page.give(Input::Start);
    let kept = page.device.clone();
    page.give(Input::Restore(kept));
    assert_eq!(page.session.unsaved(), 2);
}

#[test]
fn files_and_names_are_edits() {
    let mut server = Server::new();
    let mut page = Page::new(1);
    page.connects(&mut server);
    let file = FileId::parse("notes").expect("an id");
    let put = |path: &str| {
        Input::Describe(Description::PutFile {
            file: file.clone(),
            path: Some(path.to_owned()),
            language: None,
        })
    };
    let sent = page.give(put("notes.md"));
    assert!(matches!(sent[..], [Message::Update(_)]));
    assert_eq!(page.saw(&Effect::Described), 1);
    assert_eq!(page.state(), SaveState::Saving { unsaved: 1 });
    let key = "name".to_owned();
    let value = "Plans".to_owned();
    page.give(Input::Describe(Description::SetMeta { key, value }));
    let edits = vec![insert(0, "text")];
    page.give(Input::Edit {
        file: file.clone(),
        edits,
    });
    assert_eq!(page.session.unsaved(), 3);

    let mut page = Page::after(&page, 2);
    let document = page.session.document();
    assert_eq!(document.meta("name").as_deref(), Some("Plans"));
    assert_eq!(document.files()[1].path, "notes.md");
    page.seen.clear();
    page.give(Input::Describe(Description::RemoveFile(file.clone())));
    let text = String::new();
    assert_eq!(page.session.document().files().len(), 1);
    assert_eq!(page.session.document().text(&file), "");
    let file = file.clone();
    assert_eq!(page.saw(&Effect::Reset { file, text }), 1);

    page.give(put(&"x".repeat(MAX_NAME_BYTES + 1)));
    assert!(
        page.seen
            .iter()
            .any(|effect| matches!(effect, Effect::Refused { .. }))
    );
    assert_eq!(page.session.document().files().len(), 1);
}

#[test]
fn what_others_say_about_the_room_is_told_and_what_they_type_is_not() {
    let mut server = Server::new();
    let mut page = Page::new(1);
    page.connects(&mut server);
    page.seen.clear();
    let typed = server.types(0, "text");
    page.hears(&mut server, &typed);
    assert_eq!(page.saw(&Effect::Described), 0);
    for change in [
        server.document.set_meta("name", "Plans"),
        server.document.create_file(&FileId::main(), "a.rs", "rust"),
        server.document.set_path(&FileId::main(), "b.rs"),
        server.document.remove_file(&FileId::main()),
    ] {
        let update = Message::Update(change.expect("within limits"));
        page.hears(&mut server, &update);
        assert_eq!(page.saw(&Effect::Described), 1);
    }
}

#[test]
fn a_room_has_so_many_files_and_no_more() {
    let mut page = Page::new(1);
    let mut put = |id: String| {
        page.give(Input::Describe(Description::PutFile {
            file: FileId::parse(&id).expect("an id"),
            path: Some(id),
            language: Some("rust".to_owned()),
        }));
        page.seen.drain(..).find_map(|effect| match effect {
            Effect::Refused { reason } => Some(reason),
            _ => None,
        })
    };
    for number in 0..MAX_FILES {
        assert_eq!(put(format!("f{number}")), None);
    }
    assert!(put("more".to_owned()).is_some_and(|reason| reason.contains("256 files")));
    assert_eq!(put("f3".to_owned()), None, "those there can be changed");
}
