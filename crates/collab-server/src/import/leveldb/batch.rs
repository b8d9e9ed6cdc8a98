//! What the records of a log write: values and deletions with their numbers. Must not know tables.

use std::path::Path;

use bytes::Bytes;

use super::bytes::Reader;
use super::{Version, journal, named};

const DELETION: u8 = 0;
const VALUE: u8 = 1;

/// Adds what a log writes, and what of it cannot be read.
pub(super) fn read(path: &Path, versions: &mut Vec<Version>, damage: &mut Vec<String>) {
    match journal::read(path) {
        Ok(journal) => {
            damage.extend(journal.damage);
            for record in journal.records {
                if batch(record, versions).is_none() {
                    damage.push(format!("{}: a record is not one", named(path)));
                }
            }
        }
        Err(why) => damage.push(why),
    }
}

fn batch(record: Bytes, versions: &mut Vec<Version>) -> Option<()> {
    let mut reader = Reader(record);
    let mut sequence = reader.u64()?;
    for _ in 0..reader.u32()? {
        let kind = reader.byte()?;
        let key = reader.sized()?;
        let value = match kind {
            VALUE => Some(reader.sized()?),
            DELETION => None,
            _ => return None,
        };
        versions.push(Version {
            key,
            sequence,
            value,
        });
        sequence = sequence.checked_add(1)?;
    }
    reader.0.is_empty().then_some(())
}
