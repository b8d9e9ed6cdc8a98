//! What a text shows, unit by unit: which replica inserted it, and what it is. Must not know when.

use yrs::types::text::YChange;
use yrs::{Any, BranchID, ID, IdSet, Out, ReadTxn, Snapshot, Text};

use super::seen::Range;
use crate::document::Document;
use crate::document::edit::{OBJECT, utf16_len};
use crate::document::guard::Poisoned;

/// Units that were inserted one after the other and stand beside each other.
#[derive(Debug)]
pub(super) struct Run {
    pub range: Range,
    pub text: String,
}

impl Document {
    /// Every unit that the root text of this name shows, in order, as [`edit::visible`] would show them.
    ///
    /// The engine tells whose a piece of text is when it compares it with a time at which there was
    /// none of it. Embedded objects it does not tell of; see [`Objects::Shown`].
    ///
    /// [`edit::visible`]: crate::document::edit::visible
    /// [`Objects::Shown`]: super::merged::Objects::Shown
    pub(super) fn runs(&mut self, root: &str) -> Result<Vec<Run>, Poisoned> {
        let (pieces, _) = self.engine.write(|txn| {
            let Some(text) = txn.get_text(root) else {
                return Ok(Vec::new());
            };
            let now = Snapshot::new(txn.state_vector(), IdSet::default());
            let nothing = Snapshot::default();
            Ok(text.diff_range(txn, Some(&now), Some(&nothing), YChange::identity))
        })?;
        let run = |id: ID, text: String| Run {
            range: Range {
                replica: id.client.get(),
                clock: id.clock,
                units: utf16_len(&text),
            },
            text,
        };
        let runs = pieces.into_iter().filter_map(|piece| match piece.insert {
            Out::Any(Any::String(text)) => {
                let id = piece.ychange.map(|change| change.id);
                id.map(|id| run(id, text.to_string()))
            }
            other => id_of(&other).map(|id| run(id, OBJECT.to_string())),
        });
        Ok(runs.collect())
    }
}

/// The unit that a shared type is.
fn id_of(out: &Out) -> Option<ID> {
    let id = match out {
        Out::YText(it) => AsRef::<yrs::branch::Branch>::as_ref(it).id(),
        Out::YArray(it) => AsRef::<yrs::branch::Branch>::as_ref(it).id(),
        Out::YMap(it) => AsRef::<yrs::branch::Branch>::as_ref(it).id(),
        Out::YXmlElement(it) => AsRef::<yrs::branch::Branch>::as_ref(it).id(),
        Out::YXmlFragment(it) => AsRef::<yrs::branch::Branch>::as_ref(it).id(),
        Out::YXmlText(it) => AsRef::<yrs::branch::Branch>::as_ref(it).id(),
        _ => return None,
    };
    match id {
        BranchID::Nested(id) => Some(id),
        BranchID::Root(_) => None,
    }
}
