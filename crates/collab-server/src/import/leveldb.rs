//! Reads a LevelDB folder, strictly: every block and record by its checksum, nothing passed over in
//! silence, nothing written, not even a lock. Must not know what keys and values mean.
//!
//! Own code, because the crates that read LevelDB tidy up the folder they open and go on behind
//! what is damaged without a word. The format: <https://github.com/google/leveldb/tree/main/doc>.
//!
//! - `bytes`: varints, checksums. `journal`: records of logs and of the manifest.
//! - `manifest`: which files are the database. `batch`: what a log record writes.
//! - `table`: a sorted file, block by block. `merge`: all of them as one, the newest value of a key.

mod batch;
mod bytes;
mod journal;
mod manifest;
mod merge;
mod table;

use std::path::{Path, PathBuf};

use ::bytes::Bytes;

use self::manifest::Manifest;
pub(super) use self::merge::Entries;

/// Largest log or manifest, in bytes (256 MiB). LevelDB begins another one after a few.
const MAX_LOG_BYTES: u64 = 256 << 20;

/// Sorted files of one database.
const MAX_TABLES: usize = 1 << 16;

/// A database's files.
#[derive(Debug)]
pub(super) struct LevelDb {
    folder: PathBuf,
    tables: Vec<u64>,
    logs: Vec<PathBuf>,
    missing: Vec<String>,
}

/// One key with its newest value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub key: Bytes,
    pub value: Bytes,
}

/// What can come out of a source of entries, in the order of keys, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    key: Bytes,
    sequence: u64,
    /// `None`: the key was deleted.
    value: Option<Bytes>,
}

impl LevelDb {
    /// Reads which files there are. The error says why the folder is not a sound LevelDB.
    pub fn open(folder: &Path) -> Result<LevelDb, String> {
        let Manifest {
            tables,
            log,
            previous_log,
        } = Manifest::read(folder)?;
        if tables.len() > MAX_TABLES {
            return Err(format!("has more than {MAX_TABLES} tables"));
        }
        let mut logs: Vec<(u64, PathBuf)> = Vec::new();
        let entries = std::fs::read_dir(folder);
        for entry in entries.map_err(|error| format!("cannot be read: {error}"))? {
            let entry = entry.map_err(|error| format!("cannot be read: {error}"))?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".log"));
            let Some(number) = number.and_then(|number| number.parse().ok()) else {
                continue;
            };
            if number >= log || number == previous_log {
                logs.push((number, entry.path()));
            }
        }
        logs.sort();
        let mut missing = Vec::new();
        if log > 0 && logs.iter().all(|(number, _)| *number != log) {
            missing.push(format!("{log:06}.log is missing"));
        }
        Ok(LevelDb {
            folder: folder.to_owned(),
            tables,
            logs: logs.into_iter().map(|(_, path)| path).collect(),
            missing,
        })
    }

    /// Everything in it, in the order of keys.
    pub fn entries(&self) -> Entries {
        let mut damage = self.missing.clone();
        let mut recent = Vec::new();
        for log in &self.logs {
            batch::read(log, &mut recent, &mut damage);
        }
        Entries::new(&self.folder, &self.tables, recent, damage)
    }
}

/// A file's name, for what is said of it.
fn named(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
