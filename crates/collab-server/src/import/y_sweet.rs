//! The file store of y-sweet: `DOCUMENT/data.ysweet`, each a map from keys to values written by
//! bincode 1, whose keys are those of `yrs-kvstore` 0.3. Must not know rooms.
//!
//! A document is its state and the updates after it; a state vector says nothing that they do not
//! say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::{BadSource, Documents, Found, MAX_UPDATES, folder, must_be_folder, read};

/// What a document's file is called.
const FILE: &str = "data.ysweet";

/// First byte of every key, then the kind of key: an id by name, or a part of a document.
const VERSION: u8 = 0;
const PARTS: u8 = 1;

/// What of a document, behind its id of four bytes.
const STATE: u8 = 0;
const UPDATE: u8 = 2;

/// See the module.
pub(super) fn open(path: &Path) -> Result<Documents, BadSource> {
    must_be_folder(path)?;
    let mut files = folder::files(path)?;
    files.retain(|file| file.file_name().is_some_and(|name| name == FILE));
    let mut damage = Vec::new();
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for file in files {
        let below = file.strip_prefix(path).ok().and_then(Path::parent);
        match below.and_then(folder::name) {
            Some(name) if !name.is_empty() => found.push((name, file)),
            Some(_) => damage.push(format!("{FILE} is in no folder of its own")),
            None => damage.push(format!("the name of {} is not UTF-8", file.display())),
        }
    }
    if found.is_empty() && damage.is_empty() {
        let why = format!("has no document in it; y-sweet keeps them as DOCUMENT/{FILE}");
        return Err(BadSource::new(path, why));
    }
    Ok(Documents {
        count: found.len() as u64,
        damage,
        documents: Box::new(found.into_iter().map(|(name, file)| {
            let parsed = read(&file).and_then(|bytes| match parse(&bytes) {
                Some(updates) => updates.map_err(str::to_owned),
                None => Err(format!("{} is damaged, or not of y-sweet", file.display())),
            });
            match parsed {
                Ok(updates) => Found {
                    name,
                    updates,
                    ..Found::default()
                },
                Err(why) => Found {
                    name,
                    damage: vec![why],
                    ..Found::default()
                },
            }
        })),
    })
}

/// State and updates, in order. `None` when the bytes are not a map of y-sweet.
fn parse(whole: &Bytes) -> Option<Result<Vec<Bytes>, &'static str>> {
    let bytes = &mut &whole[..];
    let mut parts: BTreeMap<(u8, &[u8]), Bytes> = BTreeMap::new();
    let mut documents = BTreeSet::new();
    for _ in 0..number(bytes)? {
        let (key, value) = (sized(bytes)?, sized(bytes)?);
        match key {
            [
                VERSION,
                PARTS,
                a,
                b,
                c,
                d,
                part @ (STATE | UPDATE),
                place @ ..,
            ] => {
                documents.insert([a, b, c, d]);
                parts.insert((*part, place), whole.slice_ref(value));
            }
            // State vectors, names, and metadata of programs that used the same store.
            [VERSION, ..] => {}
            _ => return None,
        }
        if parts.len() > MAX_UPDATES {
            return Some(Err("it has too many updates"));
        }
    }
    if documents.len() > 1 {
        return Some(Err("its file holds several documents"));
    }
    bytes.is_empty().then(|| Ok(parts.into_values().collect()))
}

/// A length as bincode 1 writes it: eight bytes, little-endian.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*number))
}

fn sized<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(number(bytes)?).ok()?;
    let (value, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut bytes = (entries.len() as u64).to_le_bytes().to_vec();
        for part in entries.iter().flat_map(|(key, value)| [key, value]) {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }

    #[test]
    fn damaged_files_are_refused() {
        let state = (&[0, 1, 0, 0, 0, 1, 0][..], &b"state"[..]);
        let update = (&[0, 1, 0, 0, 0, 1, 2, 0, 0, 0, 1, 0][..], &b"update"[..]);
        let vector = (&[0, 1, 0, 0, 0, 1, 1][..], &b"vector"[..]);
        let name = (&[0, 0, b'd', 0][..], &[0, 0, 0, 1][..]);
        let mut bytes = file(&[update, name, vector, state]);
        let parts = [&b"state"[..], b"update"].map(Bytes::from_static);
        assert_eq!(parse(&bytes.clone().into()), Some(Ok(parts.into())));
        for end in 0..bytes.len() {
            assert_eq!(parse(&bytes[..end].to_vec().into()), None, "cut at {end}");
        }
        bytes.push(0);
        assert_eq!(parse(&bytes.into()), None);
        assert_eq!(parse(&u64::MAX.to_le_bytes().to_vec().into()), None);
        let other = (&[0, 1, 0, 0, 0, 2, 0][..], &b"other"[..]);
        assert!(matches!(parse(&file(&[state, other]).into()), Some(Err(_))));
    }
}
