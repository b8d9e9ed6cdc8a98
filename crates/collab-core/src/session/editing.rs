//! What the person does to the document: an edit, a file, a name. Made here first, kept on the device,
//! then sent. Must not know how an acknowledgement comes back.

use std::ops::RangeInclusive;

use bytes::Bytes;

use super::{Description, Effect, Kept, Phase, Session};
use crate::document::{Document, Edit, EditError, FileId};
use crate::protocol::{Message, codec};

/// Bytes of a message around its update, at most: two kinds and a length.
const MESSAGE_OVERHEAD_BYTES: usize = 12;

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
        let sent = if self.phase == Phase::Live {
            self.push_change(Message::Update, update, effects)
        } else {
            None
        };
        match sent {
            Some(frames) => self.unsaved.made_in(frames),
            None => self.unsaved.made(),
        }
    }

    /// Sends an update, in as many messages as the server's limit makes of it. Says which they are
    /// in the server's count; `None` when a part of it cannot be sent.
    pub(super) fn push_change(
        &mut self,
        message: fn(Bytes) -> Message,
        update: Bytes,
        effects: &mut Vec<Effect>,
    ) -> Option<RangeInclusive<u64>> {
        let limit = usize::try_from(self.max_frame_bytes).unwrap_or(usize::MAX);
        let limit = limit.saturating_sub(MESSAGE_OVERHEAD_BYTES);
        let bytes = update.len();
        let parts = if bytes <= limit {
            vec![update]
        } else if let Some(parts) = Document::parts(&update, limit) {
            parts
        } else {
            let reason = format!(
                "something in this edit of {bytes} bytes is longer than the {limit} that the server \
                 takes at once; it is kept here, not sent"
            );
            self.attention(&reason, effects);
            return None;
        };
        let first = self.sent + 1;
        for part in parts {
            effects.push(Effect::Send(codec::encode(&message(part))));
            self.sent += 1;
        }
        Some(first..=self.sent)
    }
}
