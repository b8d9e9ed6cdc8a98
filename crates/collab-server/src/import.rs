//! Brings in what other servers left behind: finds the documents in a store of theirs and puts each
//! into a room, through the same gate as every update. Must not know the command line.
//!
//! A store is only read, never written, and hostile until parsed: whatever is in it becomes a
//! document, or a line that says what is wrong. Nothing is left out in silence: what is damaged is
//! refused, or left out by name when that was asked for ([`Care::LeaveOut`]).

mod destination;
mod folder;
mod hocuspocus;
mod importer;
mod leveldb;
mod whole;
mod y_leveldb;
mod y_sweet;

use std::path::{Path, PathBuf};

use bytes::Bytes;

pub use self::destination::{Destination, Unreachable};
pub use self::importer::{Brought, Existing, Importer, Put};

/// Bytes of one document in another server's store, all of its updates together (256 MiB). A
/// larger one is not imported, and named.
pub const MAX_DOCUMENT_BYTES: usize = 256 << 20;

/// Updates of one document, likewise.
pub const MAX_UPDATES: usize = 1 << 16;

/// Documents of one store. A store with more is refused.
pub const MAX_DOCUMENTS: usize = 1 << 20;

/// A document found in another server's store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// What it is called there.
    pub name: String,
    /// Its updates (v1) that could be read, in the order in which they were stored.
    pub updates: Vec<Bytes>,
    /// What of it could not be read.
    pub damage: Vec<String>,
}

/// What is done about damage in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// A damaged store is refused, and a damaged document of a sound store is not imported.
    Refuse,
    /// What can be read is imported; what cannot is left out, and named.
    LeaveOut,
}

/// Where documents come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A SQLite file written by `@hocuspocus/extension-sqlite`.
    Hocuspocus(PathBuf),
    /// A folder written by y-sweet's file store.
    YSweet(PathBuf),
    /// A folder written by `y-leveldb`.
    YLeveldb(PathBuf),
    /// A folder of files, each a Yjs update (v1).
    Updates {
        folder: PathBuf,
        /// Files of one folder are updates of one document; otherwise each file is a document.
        by_folder: bool,
    },
}

/// A store that was opened.
pub struct Documents {
    /// How many documents there are.
    pub count: u64,
    /// What of the store as a whole could not be read.
    pub damage: Vec<String>,
    /// One after the other.
    pub documents: Box<dyn Iterator<Item = Found>>,
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents")
            .field("count", &self.count)
            .field("damage", &self.damage)
            .finish_non_exhaustive()
    }
}

/// Why a store cannot be read at all. One line that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {why}", path.display())]
pub struct BadSource {
    pub path: PathBuf,
    pub why: String,
}

impl BadSource {
    fn new(path: &Path, why: impl Into<String>) -> BadSource {
        BadSource {
            path: path.to_owned(),
            why: why.into(),
        }
    }

    /// A store that is damaged, where that was not to be put up with.
    fn damaged(path: &Path, what: &[String]) -> BadSource {
        let first = what.first().map_or("", String::as_str);
        let more = match what.len() {
            0 | 1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        BadSource::new(
            path,
            format!(
                "is damaged: {first}{more}; use a sound copy, or import what can be read with --salvage"
            ),
        )
    }
}

impl Source {
    /// Opens it for reading. Nothing in it is changed.
    pub fn open(&self, care: Care) -> Result<Documents, BadSource> {
        let (path, opened) = match self {
            Source::Hocuspocus(path) => (path, hocuspocus::open(path)),
            Source::YSweet(path) => (path, y_sweet::open(path)),
            Source::YLeveldb(path) => (path, y_leveldb::open(path)),
            Source::Updates { folder, by_folder } => (folder, folder::open(folder, *by_folder)),
        };
        let opened = opened?;
        if care == Care::Refuse && !opened.damage.is_empty() {
            return Err(BadSource::damaged(path, &opened.damage));
        }
        if opened.count > MAX_DOCUMENTS as u64 {
            let why = format!("has more than {MAX_DOCUMENTS} documents; import it in parts");
            return Err(BadSource::new(path, why));
        }
        Ok(opened)
    }
}

/// A file in one piece; or what is wrong with it.
fn read(path: &Path) -> Result<Bytes, String> {
    let name = path.display();
    let failed = |error: std::io::Error| format!("{name} cannot be read: {error}");
    let bytes = path.metadata().map_err(failed)?.len();
    if bytes > MAX_DOCUMENT_BYTES as u64 {
        return Err(format!(
            "{name} has {bytes} bytes; at most 256 MiB are read"
        ));
    }
    Ok(std::fs::read(path).map_err(failed)?.into())
}

/// A folder that must be there.
fn must_be_folder(path: &Path) -> Result<(), BadSource> {
    match path.is_dir() {
        true => Ok(()),
        false => Err(BadSource::new(
            path,
            "is not a folder; name the one that the other server wrote",
        )),
    }
}
