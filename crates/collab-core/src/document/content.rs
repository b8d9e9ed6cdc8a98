//! What people and programs do with a document: read and edit files by offset, look up places, keep
//! a few facts about the room. Must not know where updates come from or go to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use yrs::{Observable, ReadTxn, TransactionMut, WriteTxn};

use super::Document;
use super::edit::{self, Edit, EditError};
use super::files::{self, FileEntry, FileId, MAX_FILES, MAX_NAME_BYTES};
use super::gate::Source;
use super::guard::{Committed, Poisoned};
use super::halves::Halves;
use super::sticky::{self, Assoc};
use crate::ids::Offset;

/// What is known about the text of a watched file.
#[derive(Debug)]
pub(super) struct Watched {
    /// Whether it [is plain](edit::is_plain). Once it is not, it is never asked again.
    plain: AtomicBool,
}

impl Watched {
    fn is_plain(&self) -> bool {
        self.plain.load(Ordering::Relaxed)
    }
}

/// Reading and writing files, in offsets.
impl Document {
    /// Makes edits in one file: one update, which is also the return value. All offsets mean the
    /// text before the call; edits ascend and do not overlap.
    pub fn edit(&mut self, file: &FileId, edits: &[Edit]) -> Result<Bytes, EditError> {
        let (len, heads) = self.checked(file, edits)?;
        if let Some(watched) = self.watched.get(file)
            && !edits.iter().all(|edit| edit::is_plain(&edit.insert))
        {
            watched.plain.store(false, Ordering::Relaxed);
        }
        self.write(|txn| {
            let text = txn.get_or_insert_text(file.root());
            debug_assert_eq!(yrs::Text::len(&text, txn), len);
            edit::make(txn, &text, edits, |number, edit| match &heads {
                Some(heads) => heads.get(number).copied().unwrap_or_default(),
                None => u32::from(edit.delete > 1),
            });
        })
    }

    /// The length of the text before these edits, and their [heads](edit::head) unless every character
    /// of it is one unit.
    fn checked(&self, file: &FileId, edits: &[Edit]) -> Result<(u32, Option<Vec<u32>>), EditError> {
        self.engine.read("reading a text", |txn| {
            let Some(text) = txn.get_text(file.root()) else {
                return edit::check("", edits).map(|()| (0, None));
            };
            let len = yrs::Text::len(&text, txn);
            // A person types into a watched file, and most are plain: no keystroke then reads the
            // whole text.
            if self
                .watched
                .get(file)
                .is_some_and(|watched| watched.is_plain())
            {
                debug_assert!(edit::is_plain(&edit::visible(txn, &text)));
                return edit::check_range(len, edits).map(|()| (len, None));
            }
            let shown = edit::visible(txn, &text);
            edit::check(&shown, edits)?;
            if edit::utf16_len(&shown) == len {
                let heads = edits.iter().map(|edit| edit::head(&shown, edit));
                Ok((len, Some(heads.collect())))
            } else {
                Err(EditError::NotText)
            }
        })?
    }

    /// Whether a file is watched and known to be [plain](edit::is_plain).
    fn knows_plain(&self, file: &FileId) -> bool {
        self.watched
            .get(file)
            .is_some_and(|watched| watched.is_plain())
    }

    /// The text of a file; empty when there is none. Embedded objects show as U+FFFC.
    pub fn text(&self, file: &FileId) -> String {
        self.engine
            .read("reading a text", |txn| {
                txn.get_text(file.root())
                    .map(|text| edit::visible(txn, &text))
                    .unwrap_or_default()
            })
            .unwrap_or_default()
    }

    /// The length of [`Document::text`] in UTF-16 code units.
    pub fn text_len(&self, file: &FileId) -> u32 {
        edit::utf16_len(&self.text(file))
    }

    /// Writes down a file. Its text exists without it; this is how people find it. A file that is
    /// there already gets the new path and language.
    pub fn create_file(
        &mut self,
        file: &FileId,
        path: &str,
        language: &str,
    ) -> Result<Bytes, EditError> {
        self.put_file(file, Some(path), Some(language))
    }

    /// Gives a file another path.
    pub fn set_path(&mut self, file: &FileId, path: &str) -> Result<Bytes, EditError> {
        self.put_file(file, Some(path), None)
    }

    /// Gives a file another language.
    pub fn set_language(&mut self, file: &FileId, language: &str) -> Result<Bytes, EditError> {
        self.put_file(file, None, Some(language))
    }

    /// Writes down a file, or what of it is given: `None` leaves what there is.
    pub fn put_file(
        &mut self,
        file: &FileId,
        path: Option<&str>,
        language: Option<&str>,
    ) -> Result<Bytes, EditError> {
        for name in [path, language].into_iter().flatten() {
            short_enough(name)?;
        }
        let is_full = self.engine.read("counting files", |txn| {
            files::len(txn) >= MAX_FILES && !files::has(txn, file)
        })?;
        if is_full {
            return Err(EditError::TooManyFiles { limit: MAX_FILES });
        }
        self.write(|txn| files::put(txn, file, path, language))
    }

    /// Takes a file from the list and empties its text: a text itself cannot be taken away. `main`
    /// stays in the list, without a path or a language.
    pub fn remove_file(&mut self, file: &FileId) -> Result<Bytes, EditError> {
        self.write(|txn| files::remove(txn, file))
    }

    /// Every file, `main` first.
    pub fn files(&self) -> Vec<FileEntry> {
        self.engine
            .read("reading files", |txn| files::list(txn))
            .unwrap_or_default()
    }

    /// A value of the room, such as its `name`.
    pub fn meta(&self, key: &str) -> Option<String> {
        self.engine
            .read("reading meta", |txn| files::meta(txn, key))
            .ok()
            .flatten()
    }

    /// Writes down a value of the room.
    pub fn set_meta(&mut self, key: &str, value: &str) -> Result<Bytes, EditError> {
        short_enough(key)?;
        short_enough(value)?;
        self.write(|txn| files::set_meta(txn, key, value))
    }

    /// One local transaction. What it did passes our own gate, which learns it that way.
    pub(super) fn write(
        &mut self,
        change: impl FnOnce(&mut TransactionMut<'_>),
    ) -> Result<Bytes, EditError> {
        self.own.store(true, Ordering::Relaxed);
        let written = self.engine.write(|txn| {
            change(txn);
            Ok(())
        });
        self.own.store(false, Ordering::Relaxed);
        let ((), Committed { delta, .. }) = written?;
        self.take_changes();
        let mut before = Vec::new();
        if !delta.is_empty() {
            if self.gate.check(&delta, &self.clocks, Source::Own).is_err() {
                self.engine.abandon();
                return Err(EditError::Poisoned(Poisoned {
                    during: "checking an edit of our own",
                }));
            }
            self.gate.admit(&mut self.clocks, &mut before);
        }
        self.count(&delta, before);
        Ok(delta)
    }

    /// From now on, [`Turn::changes`] tells what others did to this file.
    pub fn watch(&mut self, file: &FileId) {
        let Some(doc) = self.engine.doc() else {
            return;
        };
        if self.watched.contains_key(file) {
            return;
        }
        let text = doc.get_or_insert_text(file.root());
        let changes = Arc::clone(&self.changes);
        let name = file.clone();
        let shown = self.text(file);
        let mut halves = Halves::of(&shown);
        let watched = Arc::new(Watched {
            plain: AtomicBool::new(edit::is_plain(&shown)),
        });
        self.watched.insert(file.clone(), Arc::clone(&watched));
        let own = Arc::clone(&self.own);
        text.observe("watch", move |txn, event| {
            // What we did ourselves is known, and nobody asks for it.
            if own.load(Ordering::Relaxed) && watched.is_plain() {
                return;
            }
            let mut edits = edit::from_delta(event.delta(txn));
            // Only what is not plain can be cut.
            if !watched.is_plain() || !edits.iter().all(|edit| edit::is_plain(&edit.insert)) {
                watched.plain.store(false, Ordering::Relaxed);
                edits = halves.complete(&edit::visible(txn, event.target()), edits);
            }
            if !edits.is_empty() {
                let mut changes = changes.lock().unwrap_or_else(PoisonError::into_inner);
                // The engine calls observers in the order of a hash table.
                let at = changes.partition_point(|(other, _)| *other < name);
                changes.insert(at, (name.clone(), edits));
            }
        });
    }

    /// From now on, [`Turn::described`] tells whether others changed the list of files or a value
    /// of `meta`.
    pub fn watch_description(&mut self) {
        let Some(doc) = self.engine.doc() else {
            return;
        };
        files::watch(doc);
    }

    /// A place in a file that stays with its neighbours while the text changes, as the bytes of a
    /// Yjs relative position. `None` past the end.
    pub fn sticky(&self, file: &FileId, offset: Offset, assoc: Assoc) -> Option<Vec<u8>> {
        self.engine
            .read("looking up a place", |txn| {
                let text = txn.get_text(file.root())?;
                sticky::at(txn, &text, offset, assoc)
            })
            .ok()
            .flatten()
    }

    /// Where such a place is now. The bytes may come from anyone; `None` when they are not a place
    /// in a file, or in a file we have not heard of.
    pub fn resolve(&self, sticky: &[u8]) -> Option<(FileId, Offset)> {
        self.engine
            .read("looking up a place", |txn| {
                sticky::resolve(txn, sticky, |file| self.knows_plain(file))
            })
            .ok()
            .flatten()
    }
}

fn short_enough(text: &str) -> Result<(), EditError> {
    if text.len() > MAX_NAME_BYTES {
        return Err(EditError::TooLong {
            bytes: text.len(),
            limit: MAX_NAME_BYTES,
        });
    }
    Ok(())
}
