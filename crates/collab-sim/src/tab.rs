//! One open page: a client, the editor it feeds, and what was typed in it. Must not know servers,
//! networks or why somebody types.

use collab_core::document::{Document, Edit, FileId};
use collab_core::ids::{ConnectionId, ReplicaId};
use collab_core::protocol::Dialect;
use collab_core::room::Access;
use collab_core::session::{Effect, Input, SaveState, Session};
use collab_core::time::Millis;

use crate::checker::{Invariant, Units, Verdict, violated};
use crate::plain::Plain;

/// What runs in a page.
pub enum Client {
    /// Our own page's session.
    Page(Box<Session>),
    /// A y-websocket client.
    Plain(Box<Plain>),
    /// Somebody who only sends frames of their own making, while this is set.
    Hostile {
        /// Whether a socket is open or being opened.
        busy: bool,
    },
}

/// See the module.
pub struct Tab {
    /// Which room it shows.
    pub room: u32,
    /// Its copy's name.
    pub replica: ReplicaId,
    /// What runs in it.
    pub client: Client,
    /// What it may do.
    pub access: Access,
    /// Its socket, as far as it knows.
    pub link: Option<ConnectionId>,
    /// Whether the device has a network.
    pub online: bool,
    /// Whether anybody still looks at it.
    pub open: bool,
    /// The tab in the same browser that it shares edits with.
    pub sibling: Option<usize>,
    /// The file it shows.
    pub file: FileId,
    /// What the editor shows, in UTF-16 code units: built from `Changed` alone.
    pub editor: Vec<u16>,
    /// Everything typed and deleted here.
    pub own: Units,
    /// When the agenda wakes it next.
    pub timer: Option<Millis>,
    /// Edits made since it last said "Saved".
    pub dirty: bool,
    /// It asked for what it lacks a second time on one connection.
    pub asked_again: bool,
}

impl Tab {
    /// A page just loaded, nothing asked for yet.
    pub fn new(room: u32, replica: ReplicaId, client: Client, access: Access) -> Tab {
        Tab {
            room,
            replica,
            client,
            access,
            link: None,
            online: true,
            open: true,
            sibling: None,
            file: FileId::main(),
            editor: Vec::new(),
            own: Units::default(),
            timer: None,
            dirty: false,
            asked_again: false,
        }
    }

    /// The dialect it asks for.
    pub fn dialect(&self) -> Dialect {
        match self.client {
            Client::Page(_) => Dialect::CollabV1,
            Client::Plain(_) | Client::Hostile { .. } => Dialect::YWebsocket,
        }
    }

    /// Whether it means well.
    pub fn is_honest(&self) -> bool {
        !matches!(self.client, Client::Hostile { .. })
    }

    /// Its copy of the document.
    pub fn document(&self) -> Option<&Document> {
        match &self.client {
            Client::Page(session) => Some(session.document()),
            Client::Plain(plain) => Some(plain.document()),
            Client::Hostile { .. } => None,
        }
    }

    /// Hands something to its client.
    pub fn handle(&mut self, now: Millis, input: Input, effects: &mut Vec<Effect>) {
        match &mut self.client {
            Client::Page(session) => session.handle(now, input, effects),
            Client::Plain(plain) => plain.handle(now, input, effects),
            Client::Hostile { busy } => match input {
                Input::Start if !*busy => {
                    *busy = true;
                    effects.push(Effect::Connect);
                }
                Input::Closed { .. } => *busy = false,
                _ => {}
            },
        }
    }

    /// When its client wants to be woken.
    pub fn next_deadline(&self) -> Option<Millis> {
        match &self.client {
            Client::Page(session) => session.next_deadline(),
            Client::Plain(plain) => plain.next_deadline(),
            Client::Hostile { .. } => None,
        }
    }

    /// The person edits. The editor shows it at once. Returns the update, if the client tells.
    pub fn edit(
        &mut self,
        now: Millis,
        edits: &[Edit],
        effects: &mut Vec<Effect>,
    ) -> Option<bytes::Bytes> {
        let before = self.deletions();
        let file = self.file.clone();
        self.show(edits);
        self.dirty = true;
        let update = match &mut self.client {
            Client::Page(session) => {
                let edits = edits.to_vec();
                session.handle(now, Input::Edit { file, edits }, effects);
                None
            }
            Client::Plain(plain) => {
                Some(plain.edit(&file, edits, effects)).filter(|update| !update.is_empty())
            }
            Client::Hostile { .. } => None,
        };
        let after = self.deletions();
        self.own.add(after.new_deletions(&before));
        if let Some(typed) = self.typed() {
            self.own.add(typed);
        }
        update
    }

    /// What its copy knows to be deleted.
    fn deletions(&self) -> Units {
        self.document()
            .and_then(|document| document.diff(&document.state_vector()).ok())
            .and_then(|diff| Units::of_update(&diff))
            .unwrap_or_default()
    }

    /// Every insertion of its own replica.
    fn typed(&self) -> Option<Units> {
        let document = self.document()?;
        let clock = document.state_vector().get(self.replica);
        (clock > 0).then(|| Units::inserted_by(self.replica, clock))
    }

    /// Edits, shown in the editor. All offsets mean the text before any of them.
    pub fn show(&mut self, edits: &[Edit]) {
        for edit in edits.iter().rev() {
            let len = self.editor.len();
            let from = usize::try_from(edit.at.0).unwrap_or(len).min(len);
            let gone = usize::try_from(edit.delete).unwrap_or(0);
            let to = from.saturating_add(gone).min(len);
            self.editor.splice(from..to, edit.insert.encode_utf16());
        }
    }

    /// Shows this text instead.
    pub fn reset(&mut self, text: &str) {
        self.editor = text.encode_utf16().collect();
    }

    /// The text in the editor, as the person reads it.
    pub fn text(&self) -> String {
        String::from_utf16_lossy(&self.editor)
    }

    /// The editor of our own page shows what the document says; a plain one reads it from there.
    pub fn shows_its_document(&mut self, name: usize) -> Verdict {
        let Some(document) = self.document() else {
            return Ok(());
        };
        let text = document.text(&self.file);
        if matches!(self.client, Client::Plain(_)) {
            self.reset(&text);
            return Ok(());
        }
        if self.text() != text {
            return violated(
                Invariant::EditorShowsDocument,
                format!(
                    "tab {name} shows {:?}, its document says {text:?}",
                    self.text()
                ),
            );
        }
        Ok(())
    }

    /// Everything it typed is saved as far as it can know, and everything it asked is answered.
    pub fn is_level(&self, now: Millis) -> bool {
        match &self.client {
            Client::Page(session) => session.state(now) == SaveState::Saved,
            Client::Plain(plain) => plain.is_level(),
            Client::Hostile { .. } => true,
        }
    }

    /// Whether something that it was sent rests on edits that it was never sent.
    pub fn was_sent_a_gap(&self) -> bool {
        match &self.client {
            // Nothing else makes it ask again.
            Client::Page(_) => self.asked_again,
            Client::Plain(plain) => plain.was_sent_a_gap(),
            Client::Hostile { .. } => false,
        }
    }

    /// Why it was turned away for good, if it was.
    pub fn turned_away(&self, now: Millis) -> Option<String> {
        match &self.client {
            Client::Page(session) => match session.state(now) {
                SaveState::Attention { reason, .. } => Some(reason),
                _ => None,
            },
            Client::Plain(plain) if plain.is_banned() => Some("a final close code".to_owned()),
            Client::Plain(plain) => plain.bewildered().map(str::to_owned),
            Client::Hostile { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use collab_core::ids::Offset;

    #[test]
    fn several_edits_mean_the_text_before_any_of_them() {
        let replica = ReplicaId::ours(1);
        let client = Client::Plain(Box::new(Plain::new(replica)));
        let mut tab = Tab::new(0, replica, client, Access::Write);
        tab.reset("abcdef");
        let edit = |at, delete, insert: &str| Edit {
            at: Offset(at),
            delete,
            insert: insert.to_owned(),
        };
        tab.show(&[edit(1, 1, "XY"), edit(4, 2, "")]);
        assert_eq!(tab.text(), "aXYcd");
    }
}
