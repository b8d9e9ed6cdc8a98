//! A LevelDB written by hand, byte by byte, and damaged in every place.

use super::*;

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(0x80 | u8::try_from(number & 0x7f).unwrap());
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap());
}

fn sized(out: &mut Vec<u8>, bytes: &[u8]) {
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn checksum(parts: &[&[u8]]) -> [u8; 4] {
    let sum = parts
        .iter()
        .fold(0, |sum, part| crc32c::crc32c_append(sum, part));
    sum.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// Records as a log has them, in fragments where they do not fit into a block.
fn journal(records: &[Vec<u8>]) -> Vec<u8> {
    const BLOCK: usize = 32 << 10;
    let mut out = Vec::new();
    for record in records {
        let mut rest = &record[..];
        let mut begun = false;
        loop {
            let room = BLOCK - out.len() % BLOCK;
            if room < 7 {
                out.resize(out.len() + room, 0);
                continue;
            }
            let (data, behind) = rest.split_at(rest.len().min(room - 7));
            let kind = match (begun, behind.is_empty()) {
                (false, true) => 1,
                (false, false) => 2,
                (true, false) => 3,
                (true, true) => 4,
            };
            out.extend_from_slice(&checksum(&[&[kind], data]));
            out.extend_from_slice(&u16::try_from(data.len()).unwrap().to_le_bytes());
            out.push(kind);
            out.extend_from_slice(data);
            begun = true;
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
    }
    out
}

/// Keys with values, or deleted.
type Writes<'a> = &'a [(&'a str, Option<Vec<u8>>)];

fn batch(sequence: u64, writes: Writes<'_>) -> Vec<u8> {
    let mut out = sequence.to_le_bytes().to_vec();
    out.extend_from_slice(&u32::try_from(writes.len()).unwrap().to_le_bytes());
    for (key, value) in writes {
        out.push(u8::from(value.is_some()));
        sized(&mut out, key.as_bytes());
        if let Some(value) = value {
            sized(&mut out, value);
        }
    }
    out
}

/// A block whose keys repeat what they share with the one before.
fn block(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut before: &[u8] = &[];
    for (key, value) in entries {
        let same = before.iter().zip(key).take_while(|(a, b)| a == b).count();
        varint(&mut out, same as u64);
        varint(&mut out, (key.len() - same) as u64);
        varint(&mut out, value.len() as u64);
        out.extend_from_slice(&key[same..]);
        out.extend_from_slice(value);
        before = key;
    }
    out.extend_from_slice(&[0, 0, 0, 0, 1, 0, 0, 0]);
    out
}

fn put_block(out: &mut Vec<u8>, block: &[u8], compressed: bool) -> Vec<u8> {
    let stored = match compressed {
        true => snap::raw::Encoder::new().compress_vec(block).unwrap(),
        false => block.to_vec(),
    };
    let mut handle = Vec::new();
    varint(&mut handle, out.len() as u64);
    varint(&mut handle, stored.len() as u64);
    let kind = [u8::from(compressed)];
    out.extend_from_slice(&stored);
    out.extend_from_slice(&kind);
    out.extend_from_slice(&checksum(&[&stored, &kind]));
    handle
}

/// A table with a block for every two keys.
fn table(sequence: u64, writes: Writes<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut index = Vec::new();
    for (number, two) in writes.chunks(2).enumerate() {
        let entries: Vec<_> = two
            .iter()
            .map(|(key, value)| {
                let kind = u64::from(value.is_some());
                let suffix = (sequence << 8 | kind).to_le_bytes();
                let key = [key.as_bytes(), &suffix].concat();
                (key, value.clone().unwrap_or_default())
            })
            .collect();
        let last = entries.last().unwrap().0.clone();
        index.push((last, put_block(&mut out, &block(&entries), number % 2 == 1)));
    }
    let filters = put_block(&mut out, &block(&[]), false);
    let index = put_block(&mut out, &block(&index), true);
    let mut foot = [filters, index].concat();
    foot.resize(40, 0);
    foot.extend_from_slice(&0xdb47_7524_8b80_fb57u64.to_le_bytes());
    out.extend_from_slice(&foot);
    out
}

/// A folder with two tables and two logs, of which the older one is done with.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let mut manifest = Vec::new();
    varint(&mut manifest, 1);
    sized(&mut manifest, b"leveldb.BytewiseComparator");
    let mut tables = vec![2, 7, 9, 0];
    for (level, number) in [(0, 5), (1, 4), (1, 3)] {
        tables.extend_from_slice(&[7, level, number, 100]);
        sized(&mut tables, b"a");
        sized(&mut tables, b"z");
    }
    tables.extend_from_slice(&[6, 1, 3]);
    write("CURRENT", b"MANIFEST-000002\n");
    write("MANIFEST-000002", &journal(&[manifest, tables]));
    let value = |text: &str| Some(text.as_bytes().to_vec());
    write(
        "000004.ldb",
        &table(
            3,
            &[
                ("apple", value("old")),
                ("apply", value("kept")),
                ("bear", value("gone")),
                ("berry", value("kept")),
                ("cat", value("kept")),
            ],
        ),
    );
    write(
        "000005.sst",
        &table(6, &[("apple", value("new")), ("bear", None)]),
    );
    write(
        "000006.log",
        &journal(&[batch(1, &[("lost", value("no"))])]),
    );
    let long = vec![b'x'; 100_000];
    write(
        "000007.log",
        &journal(&[
            batch(7, &[("cow", value("first")), ("dog", Some(long))]),
            batch(9, &[("cow", None), ("eel", value("last"))]),
        ]),
    );
    folder
}

fn read(folder: &Path) -> (Vec<(String, usize)>, Vec<String>) {
    let database = match LevelDb::open(folder) {
        Ok(database) => database,
        Err(why) => return (Vec::new(), vec![why]),
    };
    let mut entries = database.entries();
    let all = entries.by_ref().map(|entry| {
        let key = String::from_utf8_lossy(&entry.key).into_owned();
        (key, entry.value.len())
    });
    (all.collect(), entries.damage().to_vec())
}

#[test]
fn newest_values_in_order() {
    let folder = folder();
    let (entries, damage) = read(folder.path());
    let expected = [
        ("apple", 3),
        ("apply", 4),
        ("berry", 4),
        ("cat", 4),
        ("dog", 100_000),
        ("eel", 4),
    ];
    let entries: Vec<_> = entries.iter().map(|(key, len)| (&key[..], *len)).collect();
    assert_eq!(entries, expected);
    assert_eq!(damage, [""; 0]);
}

/// Flips a bit, or cuts, in every place of every file: what is read is all, or damage is reported.
#[test]
fn nothing_is_left_out_in_silence() {
    let folder = folder();
    let whole = read(folder.path());
    for name in [
        "CURRENT",
        "MANIFEST-000002",
        "000004.ldb",
        "000005.sst",
        "000007.log",
    ] {
        let path = folder.path().join(name);
        let bytes = std::fs::read(&path).unwrap();
        // The long value says the same everywhere.
        let places = (0..bytes.len()).filter(|at| bytes.len() < 10_000 || at % 997 < 8);
        for at in places {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            std::fs::write(&path, &damaged).unwrap();
            let found = read(folder.path());
            assert!(!found.1.is_empty() || found.0 == whole.0, "{name} at {at}");
            // Cut where a record ends, a log is one of an hour before: y-leveldb's clocks tell.
            if name != "000007.log" && name != "MANIFEST-000002" {
                std::fs::write(&path, &bytes[..at]).unwrap();
                let found = read(folder.path());
                assert!(
                    !found.1.is_empty() || found.0 == whole.0,
                    "{name} cut at {at}"
                );
            }
        }
        std::fs::write(&path, &bytes).unwrap();
    }
    assert_eq!(read(folder.path()), whole);
    std::fs::remove_file(folder.path().join("000005.sst")).unwrap();
    let (entries, damage) = read(folder.path());
    assert_eq!((entries.len(), damage.len()), (7, 1), "{damage:?}");
    std::fs::remove_file(folder.path().join("000007.log")).unwrap();
    let (_, damage) = read(folder.path());
    assert_eq!(damage.len(), 2, "{damage:?}");
}
