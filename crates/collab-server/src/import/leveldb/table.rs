//! A sorted file: blocks of entries, a block that says where they are, and a foot that says where
//! that is. Must not know other files.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};

use super::bytes::{Reader, matches};
use super::{Version, named};

const FOOT_BYTES: usize = 48;
const MAGIC: u64 = 0xdb47_7524_8b80_fb57;

/// Kind of compression and checksum, behind each block.
const TAIL_BYTES: usize = 5;

/// Largest block, in bytes as stored and before compression (256 MiB): LevelDB's are 4 KiB, or one
/// large value. One that claims more is damaged.
const MAX_BLOCK_BYTES: usize = 256 << 20;

const PLAIN: u8 = 0;
const SNAPPY: u8 = 1;

/// Behind each key: its number and kind.
const SUFFIX_BYTES: usize = 8;
const DELETION: u8 = 0;
const VALUE: u8 = 1;

/// One table, read block by block.
#[derive(Debug)]
pub(super) struct Table {
    path: PathBuf,
    /// Where blocks are that were not read yet.
    index: std::vec::IntoIter<(usize, usize)>,
    /// Entries of the block at hand.
    block: std::vec::IntoIter<Version>,
    damage: Vec<String>,
}

impl Table {
    /// A table that cannot be opened is one without entries, and damaged.
    pub fn open(folder: &Path, number: u64) -> Table {
        let mut path = folder.join(format!("{number:06}.ldb"));
        if !path.exists() {
            path = folder.join(format!("{number:06}.sst"));
        }
        let mut table = Table {
            path,
            index: Vec::new().into_iter(),
            block: Vec::new().into_iter(),
            damage: Vec::new(),
        };
        match index(&table.path) {
            Ok(index) => table.index = index.into_iter(),
            Err(what) => table.note(&what),
        }
        table
    }

    /// What could not be read since this was asked for.
    pub fn take_damage(&mut self) -> Vec<String> {
        std::mem::take(&mut self.damage)
    }

    fn note(&mut self, what: &str) {
        let line = format!("{}: {what}", named(&self.path));
        self.damage.push(line);
    }
}

impl Iterator for Table {
    type Item = Version;

    fn next(&mut self) -> Option<Version> {
        loop {
            if let Some(version) = self.block.next() {
                return Some(version);
            }
            let (offset, size) = self.index.next()?;
            let block = File::open(&self.path)
                .map_err(|error| error.to_string())
                .and_then(|file| read_block(&file, offset, size))
                .and_then(|block| versions(block).ok_or_else(|| "it is no block".to_owned()));
            match block {
                Ok(versions) => self.block = versions.into_iter(),
                Err(what) => self.note(&format!("the block at {offset}: {what}")),
            }
        }
    }
}

/// Where a table's blocks are.
fn index(path: &Path) -> Result<Vec<(usize, usize)>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let bytes = file.metadata().map_err(|error| error.to_string())?.len();
    let at = bytes.checked_sub(FOOT_BYTES as u64).ok_or("it is cut")?;
    let mut foot = [0; FOOT_BYTES];
    file.read_exact_at(&mut foot, at)
        .map_err(|error| error.to_string())?;
    let mut reader = Reader(Bytes::copy_from_slice(&foot));
    let mut handles = || {
        let _filters = (reader.size()?, reader.size()?);
        let index = (reader.size()?, reader.size()?);
        let unused = reader.0.len().checked_sub(8)?;
        reader.take(unused)?;
        (reader.u64()? == MAGIC).then_some(index)
    };
    let (offset, size) = handles().ok_or("its end is damaged")?;
    let block = read_block(&file, offset, size).map_err(|what| format!("its index: {what}"))?;
    let handles = entries(block).ok_or("its index is damaged")?;
    let handle = |(_, value): (Bytes, Bytes)| {
        let mut reader = Reader(value);
        Some((reader.size()?, reader.size()?))
    };
    let handles: Option<Vec<_>> = handles.into_iter().map(handle).collect();
    handles.ok_or_else(|| "its index is damaged".to_owned())
}

/// A block's content, checked and decompressed.
fn read_block(file: &File, offset: usize, size: usize) -> Result<Bytes, String> {
    if size > MAX_BLOCK_BYTES {
        return Err(format!("it claims {size} bytes"));
    }
    let mut stored = BytesMut::zeroed(size + TAIL_BYTES);
    file.read_exact_at(&mut stored, offset as u64)
        .map_err(|error| error.to_string())?;
    let block = stored.split_to(size).freeze();
    let mut tail = Reader(stored.freeze());
    let (Some(kind), Some(checksum)) = (tail.byte(), tail.u32()) else {
        return Err("it is cut".to_owned());
    };
    if !matches(checksum, &[&block, &[kind]]) {
        return Err("it does not match its checksum".to_owned());
    }
    match kind {
        PLAIN => Ok(block),
        SNAPPY => {
            let bytes = snap::raw::decompress_len(&block).map_err(|error| error.to_string())?;
            if bytes > MAX_BLOCK_BYTES {
                return Err(format!("it claims {bytes} bytes before compression"));
            }
            let mut decoder = snap::raw::Decoder::new();
            let plain = decoder.decompress_vec(&block);
            plain.map(Bytes::from).map_err(|error| error.to_string())
        }
        other => Err(format!("its compression {other} is not known")),
    }
}

/// The entries of a block. A key repeats the beginning of the one before it, which it does not say
/// again.
fn entries(block: Bytes) -> Option<Vec<(Bytes, Bytes)>> {
    let restarts = Reader(block.slice(block.len().checked_sub(4)?..)).u32()?;
    let behind = usize::try_from(restarts).ok()?.checked_add(1)?;
    let end = block.len().checked_sub(behind.checked_mul(4)?)?;
    let mut reader = Reader(block.slice(..end));
    let mut entries: Vec<(Bytes, Bytes)> = Vec::new();
    while !reader.0.is_empty() {
        let (same, new, value) = (reader.size()?, reader.size()?, reader.size()?);
        let rest = reader.take(new)?;
        let key = match entries.last() {
            _ if same == 0 => rest,
            Some((before, _)) => [before.get(..same)?, &rest].concat().into(),
            None => return None,
        };
        entries.push((key, reader.take(value)?));
    }
    Some(entries)
}

fn versions(block: Bytes) -> Option<Vec<Version>> {
    let version = |(mut key, value): (Bytes, Bytes)| {
        let suffix = key.split_off(key.len().checked_sub(SUFFIX_BYTES)?);
        let suffix = Reader(suffix).u64()?;
        let [kind, ..] = suffix.to_le_bytes();
        Some(Version {
            key,
            sequence: suffix >> 8,
            value: match kind {
                VALUE => Some(value),
                DELETION => None,
                _ => return None,
            },
        })
    };
    entries(block)?.into_iter().map(version).collect()
}
