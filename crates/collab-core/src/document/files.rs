//! How our own page lays out a document: files, their texts, and what is known about them. Other
//! editors lay out theirs as they like, and nothing else depends on this. Must not know edits.

use yrs::block::{ItemContent, Prelim};
use yrs::branch::{Branch, BranchID, BranchPtr};
use yrs::types::TypeRef;
use yrs::{Any, Doc, Map, MapRef, Out, ReadTxn, Text, TransactionMut, WriteTxn};

/// Root map from file id to a map of `path` and `language`.
const FILES: &str = "files";
/// Root map of what is known about the room.
const META: &str = "meta";
const PATH: &str = "path";
const LANGUAGE: &str = "language";
/// A file's text is the root text of this name and the file's id. Root types merge even when two
/// people create them at the same moment; nested ones would not.
const TEXT_PREFIX: &str = "file:";

/// The roots that describe a document.
const DESCRIPTION: [&str; 2] = [FILES, META];

/// Files of one document. Another one is refused; two people who each add the last one at the same
/// moment may end with one more.
pub const MAX_FILES: usize = 256;

/// Whether the root of this name describes the document.
pub(super) fn describes(root: &str) -> bool {
    DESCRIPTION.contains(&root)
}

/// Longest path, language or value of `meta`, in bytes. Longer ones are refused.
pub const MAX_NAME_BYTES: usize = 1_024;

/// The name of a file inside a document: 1 to 64 of `A-Z a-z 0-9 _ -`. Never changes; the path
/// that people see does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(String);

impl FileId {
    /// Longest id in bytes.
    pub const MAX_BYTES: usize = 64;

    /// `None` when it is not a file id.
    pub fn parse(id: &str) -> Option<FileId> {
        let well_formed = (1..=FileId::MAX_BYTES).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        well_formed.then(|| FileId(id.to_owned()))
    }

    /// The file that every document has.
    pub fn main() -> FileId {
        FileId("main".to_owned())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the root text that holds this file.
    pub fn root(&self) -> String {
        format!("{TEXT_PREFIX}{}", self.0)
    }

    /// The file whose text is the root type of this name.
    pub(super) fn from_root(name: &str) -> Option<FileId> {
        name.strip_prefix(TEXT_PREFIX).and_then(FileId::parse)
    }
}

impl std::fmt::Display for FileId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is known about one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileEntry {
    /// Its name inside the document.
    pub id: FileId,
    /// The path people see; empty until someone gives it one.
    pub path: String,
    /// The language for highlighting and completion; empty until someone chooses one.
    pub language: String,
}

/// Every file, `main` first and the others by id. `main` exists before anyone writes it down.
/// Entries that are not of our form are left out: whoever may write can write anything.
pub(super) fn list<T: ReadTxn>(txn: &T) -> Vec<FileEntry> {
    let mut files: Vec<FileEntry> = txn
        .get_map(FILES)
        .iter()
        .flat_map(|map| map.iter(txn))
        .filter_map(|(id, value)| {
            let id = FileId::parse(id)?;
            let Out::YMap(entry) = value else { return None };
            Some(FileEntry {
                id,
                path: text(txn, &entry, PATH),
                language: text(txn, &entry, LANGUAGE),
            })
        })
        .collect();
    if !files.iter().any(|file| file.id.as_str() == "main") {
        files.push(FileEntry {
            id: FileId::main(),
            path: String::new(),
            language: String::new(),
        });
    }
    files.sort_unstable_by(|a, b| {
        let order = |file: &FileEntry| (file.id.as_str() != "main", file.id.clone());
        order(a).cmp(&order(b))
    });
    files
}

fn text<T: ReadTxn>(txn: &T, entry: &MapRef, key: &str) -> String {
    match entry.get(txn, key) {
        Some(Out::Any(Any::String(text))) => text.to_string(),
        _ => String::new(),
    }
}

/// From now on, [`described`] tells of changes to this document: the engine looks for changes in
/// roots only when it knows what they are.
pub(super) fn watch(doc: &Doc) {
    for root in DESCRIPTION {
        doc.get_or_insert_map(root);
    }
}

/// Whether a committed transaction changed the list of files, an entry of it or a value of `meta`.
pub(super) fn described(txn: &TransactionMut<'_>) -> bool {
    txn.changed_parent_types().iter().any(
        |changed| matches!(changed.id(), BranchID::Root(name) if DESCRIPTION.contains(&&*name)),
    )
}

/// How many files are written down.
pub(super) fn len<T: ReadTxn>(txn: &T) -> usize {
    let files = txn.get_map(FILES);
    files.map_or(0, |files| {
        usize::try_from(files.len(txn)).unwrap_or(usize::MAX)
    })
}

/// Whether a file is written down.
pub(super) fn has<T: ReadTxn>(txn: &T, file: &FileId) -> bool {
    txn.get_map(FILES)
        .is_some_and(|files| files.contains_key(txn, file.as_str()))
}

/// Writes down a file: a new entry, or new values in the one there is.
pub(super) fn put(
    txn: &mut TransactionMut<'_>,
    file: &FileId,
    path: Option<&str>,
    language: Option<&str>,
) {
    let files = txn.get_or_insert_map(FILES);
    let values = [(PATH, path), (LANGUAGE, language)]
        .into_iter()
        .filter_map(|(key, value)| value.map(|value| (key, value)));
    let entry = match files.get(txn, file.as_str()) {
        Some(Out::YMap(entry)) => entry,
        _ => files.insert(txn, file.as_str(), NewEntry),
    };
    for (key, value) in values {
        set(txn, &entry, key, value);
    }
}

/// An empty map, to be put into another. The engine's own `MapPrelim` may hold any type there is,
/// which costs the page 20 KB.
struct NewEntry;

impl Prelim for NewEntry {
    type Return = MapRef;

    fn into_content(self, _txn: &mut TransactionMut<'_>) -> (ItemContent, Option<NewEntry>) {
        (ItemContent::Type(Branch::new(TypeRef::Map)), None)
    }

    fn integrate(self, _txn: &mut TransactionMut<'_>, _branch: BranchPtr) {}
}

/// Takes a file from the list and empties its text.
pub(super) fn remove(txn: &mut TransactionMut<'_>, file: &FileId) {
    let files = txn.get_or_insert_map(FILES);
    files.remove(txn, file.as_str());
    let text = txn.get_or_insert_text(file.root());
    let len = text.len(txn);
    if len > 0 {
        text.remove_range(txn, 0, len);
    }
}

/// A value of the room, when it is a text.
pub(super) fn meta<T: ReadTxn>(txn: &T, key: &str) -> Option<String> {
    match txn.get_map(META)?.get(txn, key)? {
        Out::Any(Any::String(text)) => Some(text.to_string()),
        _ => None,
    }
}

/// Writes down a value of the room.
pub(super) fn set_meta(txn: &mut TransactionMut<'_>, key: &str, value: &str) {
    let meta = txn.get_or_insert_map(META);
    set(txn, &meta, key, value);
}

/// Writes down a value, unless it is there.
fn set(txn: &mut TransactionMut<'_>, map: &MapRef, key: &str, value: &str) {
    let same = matches!(map.get(txn, key), Some(Out::Any(Any::String(text))) if *text == *value);
    if !same {
        map.insert(txn, key, Any::from(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_ids_at_their_limits() {
        assert!(FileId::parse("").is_none());
        assert!(FileId::parse(&"a".repeat(64)).is_some());
        assert!(FileId::parse(&"a".repeat(65)).is_none());
        assert!(FileId::parse("src/main.rs").is_none());
        assert_eq!(FileId::from_root("file:x-1"), FileId::parse("x-1"));
        assert_eq!(FileId::from_root("file:"), None);
        assert_eq!(FileId::from_root("x"), None);
    }
}
