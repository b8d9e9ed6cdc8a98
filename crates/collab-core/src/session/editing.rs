//! What the person does to the document: an edit, a file, a name. Made here first, kept on the device,
//! then sent. Must not know how an acknowledgement comes back.

use bytes::Bytes;

use super::{Description, Effect, Kept, Phase, Session};
use crate::document::{Edit, EditError, FileId};
use crate::protocol::Message;

impl Session {
    pub(super) fn edit(&mut self, file: &FileId, edits: &[Edit], effects: &mut Vec<Effect>) {
        match self.document.edit(file, edits) {
            Ok(delta) => self.made(delta, effects),
            Err(EditError::Poisoned(_)) => self.unreadable(effects),
            Err(_refused) => effects.push(Effect::Reset {
                file: file.clone(),
                text: self.document.text(file),
            }),
        }
    }

    pub(super) fn describe(&mut self, description: Description, effects: &mut Vec<Effect>) {
        let result = match &description {
            Description::PutFile {
                file,
                path,
                language,
            } => self
                .document
                .put_file(file, path.as_deref(), language.as_deref()),
            Description::RemoveFile(file) => self.document.remove_file(file),
            Description::SetMeta { key, value } => self.document.set_meta(key, value),
        };
        match result {
            Ok(delta) => self.made(delta, effects),
            Err(EditError::Poisoned(_)) => self.unreadable(effects),
            Err(refused) => effects.push(Effect::Refused {
                reason: refused.to_string(),
            }),
        }
        if let Description::RemoveFile(file) = description {
            let text = self.document.text(&file);
            effects.push(Effect::Reset { file, text });
        }
        effects.push(Effect::Described);
    }

    /// An edit was made here: it is kept on this device before it is sent.
    pub(super) fn made(&mut self, delta: Bytes, effects: &mut Vec<Effect>) {
        if delta.is_empty() {
            return;
        }
        let updates = self.keeping.with_what_it_rests_on(delta.clone());
        effects.push(Effect::Keep(Kept {
            updates,
            unsaved: self.unsaved().saturating_add(1),
            lineage: self.lineage,
        }));
        self.send_edit(delta, effects);
    }

    /// Sends one unsaved edit, if it is time; otherwise it goes with the answer to the server's
    /// question.
    pub(super) fn send_edit(&mut self, update: Bytes, effects: &mut Vec<Effect>) {
        let live = self.phase == Phase::Live;
        if live && self.push_change(&Message::Update(update), effects) {
            self.unsaved.made_in(self.sent);
        } else {
            self.unsaved.made();
        }
    }
}
