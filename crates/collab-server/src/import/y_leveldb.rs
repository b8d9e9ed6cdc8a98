//! The folder of `y-leveldb` (and so of y-websocket's own server until 2.x): a LevelDB whose keys
//! are lists of texts and numbers. Must not know rooms.
//!
//! `["v1", NAME, "update", CLOCK]` is an update of a document, `["v1_sv", NAME]` says that there is
//! a document and up to which clock its state vector goes. Clocks of a document follow each other,
//! so that a missing update is found out.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;

use super::leveldb::{Entries, LevelDb};
use super::{BadSource, Documents, Found, MAX_DOCUMENT_BYTES, MAX_UPDATES, must_be_folder};

/// Kinds of the parts of a key.
const TEXT: u8 = 0;
const NUMBER: u8 = 1;

/// What every key of a document begins with, its state vector's aside: the text `v1`.
const DOCUMENT: &[u8] = b"\0\x02v1";

/// See the module.
pub(super) fn open(path: &Path) -> Result<Documents, BadSource> {
    must_be_folder(path)?;
    let database = LevelDb::open(path).map_err(|why| BadSource::new(path, why))?;
    // Once to check everything and to count, once for the documents.
    let mut all = Reading::new(database.entries());
    let count = all.by_ref().count() as u64;
    let mut damage = all.entries.damage().to_vec();
    damage.append(&mut all.damage);
    if count == 0 && damage.is_empty() {
        let why = "has no document of y-leveldb in it; name the folder given to it";
        return Err(BadSource::new(path, why));
    }
    Ok(Documents {
        count,
        damage,
        documents: Box::new(Reading::new(database.entries())),
    })
}

/// Documents out of entries in the order of their keys.
struct Reading {
    entries: Entries,
    /// An update of the next document.
    ahead: Option<(String, u32, Bytes)>,
    /// The last clock of each document so far, of the one at hand too: state vectors may follow it.
    last: BTreeMap<String, u32>,
    damage: Vec<String>,
}

/// What a key is about.
#[derive(Debug, PartialEq, Eq)]
enum Key {
    Update { name: String, clock: u32 },
    StateVector { name: String },
    Other,
}

impl Reading {
    fn new(entries: Entries) -> Reading {
        let mut reading = Reading {
            entries,
            ahead: None,
            last: BTreeMap::new(),
            damage: Vec::new(),
        };
        reading.ahead = reading.next_update();
        reading
    }

    /// The next update of any document. State vectors, which come behind all updates, are compared
    /// with what was there.
    fn next_update(&mut self) -> Option<(String, u32, Bytes)> {
        loop {
            let entry = self.entries.next()?;
            match Key::parse(&entry.key) {
                Some(Key::Update { name, clock }) => return Some((name, clock, entry.value)),
                Some(Key::StateVector { name }) => self.compare(&name, &entry.value),
                Some(Key::Other) => {}
                None => self
                    .damage
                    .push("a key of a document is damaged".to_owned()),
            }
        }
    }

    fn compare(&mut self, name: &str, value: &[u8]) {
        let named = number(&mut &*value).and_then(|clock| u32::try_from(clock).ok());
        match (self.last.get(name), named) {
            (Some(last), Some(clock)) if *last >= clock => {}
            (Some(last), Some(clock)) => self.damage.push(format!(
                "updates {} to {clock} of document {name:?} are missing",
                u64::from(*last) + 1
            )),
            (None, _) => self
                .damage
                .push(format!("every update of document {name:?} is missing")),
            (Some(_), None) => self
                .damage
                .push(format!("the state vector of document {name:?} is damaged")),
        }
    }
}

impl Iterator for Reading {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let (name, mut clock, update) = self.ahead.take()?;
        self.last.insert(name.clone(), clock);
        let mut bytes = update.len();
        let mut found = Found {
            name,
            updates: vec![update],
            damage: Vec::new(),
        };
        // Keys are in order: the updates of one document follow each other, by clock.
        while let Some((other, next, update)) = self.next_update() {
            if other != found.name {
                self.ahead = Some((other, next, update));
                break;
            }
            if u64::from(next) != u64::from(clock) + 1 {
                found
                    .damage
                    .push(format!("updates between {clock} and {next} are missing"));
            }
            clock = next;
            self.last.insert(found.name.clone(), clock);
            bytes += update.len();
            if bytes <= MAX_DOCUMENT_BYTES && found.updates.len() < MAX_UPDATES {
                found.updates.push(update);
            } else if found.damage.last().is_none_or(|last| last != TOO_LARGE) {
                found.damage.push(TOO_LARGE.to_owned());
            }
        }
        Some(found)
    }
}

const TOO_LARGE: &str = "it has more than 65536 updates, or more than 256 MiB of them";

impl Key {
    /// `None` for one that begins as a document's and does not go on so.
    fn parse(key: &[u8]) -> Option<Key> {
        let rest = &mut &*key;
        if !key.starts_with(DOCUMENT) {
            let vector = (text(rest) == Some("v1_sv")).then(|| text(rest));
            return Some(match vector.flatten() {
                Some(name) => Key::StateVector {
                    name: name.to_owned(),
                },
                None => Key::Other,
            });
        }
        let (_version, name, kind) = (text(rest)?, text(rest)?, text(rest)?);
        if kind != "update" {
            // Metadata of programs that used the same store.
            return Some(Key::Other);
        }
        let (&NUMBER, clock) = rest.split_first()? else {
            return None;
        };
        Some(Key::Update {
            name: name.to_owned(),
            clock: u32::from_be_bytes(clock.try_into().ok()?),
        })
    }
}

/// A text of a key: its kind, its length, its bytes.
fn text<'a>(key: &mut &'a [u8]) -> Option<&'a str> {
    let (&TEXT, rest) = key.split_first()? else {
        return None;
    };
    *key = rest;
    let len = usize::try_from(number(key)?).ok()?;
    let (text, rest) = key.split_at_checked(len)?;
    *key = rest;
    std::str::from_utf8(text).ok()
}

/// A number as lib0 writes it: seven bits to a byte, the lowest first; here below 2^35.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..35).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        let key = b"\0\x02v1\0\x04name\0\x06update\x01\0\0\x01\x07";
        let update = Key::Update {
            name: "name".to_owned(),
            clock: 263,
        };
        assert_eq!(Key::parse(key), Some(update));
        for end in DOCUMENT.len()..key.len() {
            assert_eq!(Key::parse(&key[..end]), None, "cut at {end}");
        }
        let vector = Key::StateVector {
            name: "name".to_owned(),
        };
        assert_eq!(Key::parse(b"\0\x05v1_sv\0\x04name"), Some(vector));
        assert_eq!(
            Key::parse(b"\0\x02v1\0\x04name\0\x04meta\0\x01k"),
            Some(Key::Other)
        );
        let foreign = b"\0\xff\xff\xff\xff\xff\xff\xff\xff\xff";
        assert_eq!(Key::parse(foreign), Some(Key::Other));
    }
}
