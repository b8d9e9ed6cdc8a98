//! Records of a log or a manifest: blocks of 32 KiB, in which each fragment of a record has a
//! checksum, a length and a kind. Must not know what records say.

use std::path::Path;

use bytes::{Bytes, BytesMut};

use super::bytes::{Reader, matches};
use super::{MAX_LOG_BYTES, named};

const BLOCK_BYTES: usize = 32 << 10;

/// Checksum, length, kind.
const HEAD_BYTES: usize = 7;

/// Kinds of fragments; 0 fills what is not used.
const FULL: u8 = 1;
const FIRST: u8 = 2;
const MIDDLE: u8 = 3;
const LAST: u8 = 4;

/// A file's records as far as they read back right, and what does not.
#[derive(Debug, Default)]
pub(super) struct Journal {
    pub records: Vec<Bytes>,
    pub damage: Vec<String>,
}

/// Reads a whole file.
pub(super) fn read(path: &Path) -> Result<Journal, String> {
    let name = named(path);
    let failed = |error: std::io::Error| format!("{name} cannot be read: {error}");
    let bytes = path.metadata().map_err(failed)?.len();
    if bytes > MAX_LOG_BYTES {
        return Err(format!(
            "{name} has {bytes} bytes; at most 256 MiB are read"
        ));
    }
    let bytes = Bytes::from(std::fs::read(path).map_err(failed)?);
    let mut journal = parse(&bytes);
    for what in &mut journal.damage {
        *what = format!("{name}: {what}");
    }
    Ok(journal)
}

fn parse(bytes: &Bytes) -> Journal {
    let mut journal = Journal::default();
    // The fragments of a record so far.
    let mut begun: Option<BytesMut> = None;
    for (number, start) in (0..bytes.len()).step_by(BLOCK_BYTES).enumerate() {
        let block = bytes.slice(start..bytes.len().min(start + BLOCK_BYTES));
        let mut reader = Reader(block);
        // Too few bytes for a head fill a block.
        while reader.0.len() >= HEAD_BYTES {
            match fragment(&mut reader) {
                Ok(None) => break,
                Ok(Some((kind, data))) => {
                    if !join(&mut journal.records, &mut begun, kind, &data) {
                        let what = format!("a record in block {number} has no beginning or end");
                        journal.damage.push(what);
                    }
                }
                Err(what) => {
                    // Where the next fragment of this block begins is not known any more.
                    journal.damage.push(format!("block {number}: {what}"));
                    begun = None;
                    break;
                }
            }
        }
        if start + BLOCK_BYTES > bytes.len() && reader.0.iter().any(|byte| *byte != 0) {
            let what = format!("it ends in the middle of a record, in block {number}");
            if journal.damage.is_empty() {
                journal.damage.push(what);
            }
        }
    }
    if begun.is_some() {
        journal.damage.push("its last record has no end".to_owned());
    }
    journal
}

/// The next fragment's kind and data; `None` when the rest of the block is not used.
fn fragment(reader: &mut Reader) -> Result<Option<(u8, Bytes)>, &'static str> {
    if reader.0.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let mut next = || {
        let checksum = reader.u32()?;
        let length = [reader.byte()?, reader.byte()?];
        let kind = reader.byte()?;
        let data = reader.take(usize::from(u16::from_le_bytes(length)))?;
        Some((checksum, kind, data))
    };
    let (checksum, kind, data) = next().ok_or("a record is cut")?;
    match matches(checksum, &[&[kind], &data]) {
        true => Ok(Some((kind, data))),
        false => Err("a record does not match its checksum"),
    }
}

/// Adds a fragment to what was begun; `false` when it does not follow it.
fn join(records: &mut Vec<Bytes>, begun: &mut Option<BytesMut>, kind: u8, data: &Bytes) -> bool {
    match (kind, begun.take()) {
        (FULL, None) => records.push(data.clone()),
        (FIRST, None) => *begun = Some(BytesMut::from(&data[..])),
        (MIDDLE, Some(mut record)) => {
            record.extend_from_slice(data);
            *begun = Some(record);
        }
        (LAST, Some(mut record)) => {
            record.extend_from_slice(data);
            records.push(record.freeze());
        }
        (FULL, Some(_)) => {
            records.push(data.clone());
            return false;
        }
        (FIRST, Some(_)) => {
            *begun = Some(BytesMut::from(&data[..]));
            return false;
        }
        _ => return false,
    }
    true
}
