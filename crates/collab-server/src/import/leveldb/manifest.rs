//! Which files are the database now: `CURRENT` names a manifest, whose records add and remove
//! tables. Must not know what is in them.

use std::collections::BTreeSet;
use std::path::Path;

use super::bytes::Reader;
use super::journal;

/// The file that says what belongs to a LevelDB.
const CURRENT: &str = "CURRENT";

/// The only order of keys that is read: byte by byte.
const COMPARATOR: &[u8] = b"leveldb.BytewiseComparator";

/// What a record's parts are about.
const ORDER: u64 = 1;
const LOG: u64 = 2;
const NEXT_FILE: u64 = 3;
const LAST_SEQUENCE: u64 = 4;
const COMPACTION: u64 = 5;
const REMOVED: u64 = 6;
const ADDED: u64 = 7;
const PREVIOUS_LOG: u64 = 9;

/// See the module.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    /// Numbers of tables.
    pub tables: Vec<u64>,
    /// Logs from this number on are not in tables yet, nor is the one before it.
    pub log: u64,
    pub previous_log: u64,
}

impl Manifest {
    pub fn read(folder: &Path) -> Result<Manifest, String> {
        let current = std::fs::read_to_string(folder.join(CURRENT)).map_err(|_| {
            "is not a LevelDB folder (it has no file CURRENT); name the one given to y-leveldb, or YPERSISTENCE"
        })?;
        let name = current.trim_end();
        let number = name.strip_prefix("MANIFEST-");
        if number.is_none_or(|number| number.parse::<u64>().is_err()) {
            return Err("is damaged: CURRENT names no manifest; use a sound copy".to_owned());
        }
        let damaged =
            |what: &str| format!("is damaged: {name}: {what}; use a sound copy of the folder");
        let journal = journal::read(&folder.join(name))
            .map_err(|why| format!("is damaged: {why}; use a sound copy of the folder"))?;
        if let Some(what) = journal.damage.first() {
            return Err(format!(
                "is damaged: {what}; use a sound copy of the folder"
            ));
        }
        let mut manifest = Manifest::default();
        let mut tables = BTreeSet::new();
        for record in journal.records {
            let mut reader = Reader(record);
            while !reader.0.is_empty() {
                change(&mut reader, &mut manifest, &mut tables)
                    .ok_or_else(|| damaged("a record is not one"))?;
            }
        }
        manifest.tables = tables.into_iter().map(|(_, number)| number).collect();
        Ok(manifest)
    }
}

/// One part of a record. `None` when it is not one that can be read.
fn change(
    reader: &mut Reader,
    manifest: &mut Manifest,
    tables: &mut BTreeSet<(u64, u64)>,
) -> Option<()> {
    match reader.varint()? {
        ORDER => (reader.sized()? == COMPARATOR).then_some(()),
        LOG => {
            manifest.log = reader.varint()?;
            Some(())
        }
        PREVIOUS_LOG => {
            manifest.previous_log = reader.varint()?;
            Some(())
        }
        NEXT_FILE | LAST_SEQUENCE => reader.varint().map(drop),
        COMPACTION => {
            reader.varint()?;
            reader.sized().map(drop)
        }
        REMOVED => {
            let table = (reader.varint()?, reader.varint()?);
            tables.remove(&table).then_some(())
        }
        ADDED => {
            let table = (reader.varint()?, reader.varint()?);
            let _bytes = reader.varint()?;
            let (_smallest, _largest) = (reader.sized()?, reader.sized()?);
            tables.insert(table);
            Some(())
        }
        _ => None,
    }
}
