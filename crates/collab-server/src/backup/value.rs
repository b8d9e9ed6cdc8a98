//! One cell of a table as both databases can say it, rows of them as bytes, and a digest of a
//! table's rows that does not depend on their order. Must not know tables.

use sha2::{Digest as _, Sha256};

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    /// Bytes; a UUID is its 16 bytes.
    Blob(Vec<u8>),
}

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const REAL: u8 = 2;
const TEXT: u8 = 3;
const BLOB: u8 = 4;

impl Value {
    /// Appends its bytes: a tag, then the value, with its length (u32, little-endian) when it has
    /// one. `None` when it is longer than can be said.
    pub fn encode(&self, out: &mut Vec<u8>) -> Option<()> {
        let sized = |out: &mut Vec<u8>, tag: u8, bytes: &[u8]| {
            let len = u32::try_from(bytes.len()).ok()?;
            out.push(tag);
            out.extend_from_slice(&len.to_le_bytes());
            out.extend_from_slice(bytes);
            Some(())
        };
        match self {
            Value::Null => out.push(NULL),
            Value::Integer(number) => {
                out.push(INTEGER);
                out.extend_from_slice(&number.to_le_bytes());
            }
            Value::Real(number) => {
                out.push(REAL);
                out.extend_from_slice(&number.to_le_bytes());
            }
            Value::Text(text) => sized(out, TEXT, text.as_bytes())?,
            Value::Blob(bytes) => sized(out, BLOB, bytes)?,
        }
        Some(())
    }

    /// Takes one from the front. `None` when the bytes are not one.
    pub fn decode(bytes: &mut &[u8]) -> Option<Value> {
        let tag = take(bytes, 1)?.first().copied()?;
        let eight = |bytes: &mut &[u8]| <[u8; 8]>::try_from(take(bytes, 8)?).ok();
        let sized = |bytes: &mut &[u8]| {
            let len = u32::from_le_bytes(take(bytes, 4)?.try_into().ok()?);
            Some(take(bytes, usize::try_from(len).ok()?)?.to_vec())
        };
        Some(match tag {
            NULL => Value::Null,
            INTEGER => Value::Integer(i64::from_le_bytes(eight(bytes)?)),
            REAL => Value::Real(f64::from_le_bytes(eight(bytes)?)),
            TEXT => Value::Text(String::from_utf8(sized(bytes)?).ok()?),
            BLOB => Value::Blob(sized(bytes)?),
            _ => return None,
        })
    }
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

/// The sum of the SHA-256 of every row, as four numbers modulo 2^64.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableDigest([u64; 4]);

impl TableDigest {
    /// Counts a row in, as [`Value::encode`] writes its cells one after the other.
    pub fn add(&mut self, row: &[u8]) {
        let hash: [u8; 32] = Sha256::digest(row).into();
        for (sum, part) in self.0.iter_mut().zip(hash.chunks_exact(8)) {
            let part = part.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
            *sum = sum.wrapping_add(part);
        }
    }
}

impl std::fmt::Display for TableDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|part| write!(f, "{part:016x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[Value]) -> Vec<u8> {
        let mut out = Vec::new();
        for value in values {
            value.encode(&mut out).expect("short");
        }
        out
    }

    #[test]
    fn cells_come_back_as_they_were() {
        let cells = [
            Value::Null,
            Value::Integer(i64::MIN),
            Value::Real(-0.5),
            Value::Text("é".to_owned()),
            Value::Blob(vec![0, 255]),
        ];
        let bytes = row(&cells);
        let mut rest = &bytes[..];
        let back: Vec<Value> = std::iter::from_fn(|| Value::decode(&mut rest)).collect();
        assert_eq!(back, cells);
        for end in 0..bytes.len() {
            // Never a panic, never a value out of nothing.
            let mut cut = &bytes[..end];
            while Value::decode(&mut cut).is_some() {}
        }
    }

    #[test]
    fn a_digest_knows_rows_but_not_their_order() {
        let digest = |rows: &[&[u8]]| {
            let mut digest = TableDigest::default();
            rows.iter().for_each(|row| digest.add(row));
            digest
        };
        assert_eq!(digest(&[b"a", b"b"]), digest(&[b"b", b"a"]));
        assert_ne!(digest(&[b"a", b"b"]), digest(&[b"ab"]));
        assert_ne!(digest(&[b"a"]), digest(&[b"a", b"a"]));
    }
}
