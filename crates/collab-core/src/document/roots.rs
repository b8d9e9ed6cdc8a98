//! Root texts by their own names: what any editor put at the root of a document, not only the files of
//! our page. Must not know where updates come from or go to.

use bytes::Bytes;
use yrs::{ReadTxn, WriteTxn};

use super::edit::{self, Edit, EditError};
use super::{Document, FileId, files};

impl Document {
    /// The names of all root types that show text and are not files of our page, in order.
    pub fn root_texts(&self) -> Vec<String> {
        let names = self.engine.read("listing roots", |txn| {
            let mut names: Vec<String> = txn
                .root_refs()
                .map(|(name, _)| name.to_owned())
                .filter(|name| FileId::from_root(name).is_none() && !files::describes(name))
                .collect();
            names.retain(|name| {
                let text = txn.get_text(name.as_str());
                text.is_some_and(|text| !edit::visible(txn, &text).is_empty())
            });
            names.sort_unstable();
            names
        });
        names.unwrap_or_default()
    }

    /// The text of a root type of any name; empty when there is none. Embedded objects show as U+FFFC.
    pub fn root_text(&self, name: &str) -> String {
        let text = self.engine.read("reading a text", |txn| {
            let text = txn.get_text(name);
            text.map(|text| edit::visible(txn, &text))
        });
        text.ok().flatten().unwrap_or_default()
    }

    /// As [`Document::edit`], in the root text of this name.
    pub fn edit_root(&mut self, name: &str, edits: &[Edit]) -> Result<Bytes, EditError> {
        if let Some(file) = FileId::from_root(name) {
            return self.edit(&file, edits);
        }
        let shown = self.root_text(name);
        edit::check(&shown, edits)?;
        let len = self.engine.read("reading a text", |txn| {
            txn.get_text(name)
                .map_or(0, |text| yrs::Text::len(&text, txn))
        })?;
        if edit::utf16_len(&shown) != len {
            return Err(EditError::NotText);
        }
        self.write(|txn| {
            let text = txn.get_or_insert_text(name);
            edit::make(txn, &text, edits, |_, edit| edit::head(&shown, edit));
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Offset, ReplicaId};

    #[test]
    fn any_root_text_is_found_read_and_edited() {
        let mut document = Document::new(ReplicaId::ours(1));
        let insert = |at, text: &str| Edit {
            at: Offset(at),
            delete: 0,
            insert: text.to_owned(),
        };
        document
            .edit_root("notes", &[insert(0, "one")])
            .expect("fits");
        document
            .edit_root("notes", &[insert(3, " two")])
            .expect("fits");
        document
            .edit_root("file:main", &[insert(0, "x")])
            .expect("fits");
        document.set_meta("name", "Room").expect("short");
        assert_eq!(document.root_texts(), ["notes"]);
        assert_eq!(document.root_text("notes"), "one two");
        assert_eq!(document.text(&FileId::main()), "x");
        let past = document.edit_root("notes", &[insert(9, "y")]);
        assert!(matches!(past, Err(EditError::OutOfRange { .. })));
    }
}
