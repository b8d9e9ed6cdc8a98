//! A stored room on its way to a child: one part after the other. Must not know processes.
//!
//! Each part is a tag, its place and its length (little-endian, 8 and 4 bytes), and its bytes.

use std::io::{self, Read};

use bytes::Bytes;
use collab_core::ids::Seq;

use crate::storage::MAX_DOCUMENT_BYTES;

/// What the child says when it is ready to die.
pub const GREETING: &str = "collab opens a room, 1\n";

/// What it says when it has not.
pub const SURVIVED: &str = "survived\n";

/// A part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    Snapshot(Seq, Bytes),
    Record(Seq, Bytes),
    /// Something is left out: a room with gaps is opened in another way.
    LeftOut,
}

impl Sent {
    /// What stands before the bytes.
    pub fn head(&self) -> [u8; 13] {
        let (tag, seq, length) = match self {
            Sent::Snapshot(seq, body) => (b's', seq.0, body.len()),
            Sent::Record(seq, body) => (b'r', seq.0, body.len()),
            Sent::LeftOut => (b'-', 0, 0),
        };
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let mut head = [tag; 13];
        head[1..9].copy_from_slice(&seq.to_le_bytes());
        head[9..].copy_from_slice(&length.to_le_bytes());
        head
    }

    /// The bytes behind it.
    pub fn body(&self) -> &[u8] {
        match self {
            Sent::Snapshot(_, body) | Sent::Record(_, body) => body,
            Sent::LeftOut => &[],
        }
    }
}

/// Everything up to the end.
pub fn read(mut from: impl Read) -> io::Result<Vec<Sent>> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut parts = Vec::new();
    loop {
        let mut tag = [0];
        if from.read(&mut tag)? == 0 {
            return Ok(parts);
        }
        let (mut seq, mut length) = ([0; 8], [0; 4]);
        from.read_exact(&mut seq)?;
        from.read_exact(&mut length)?;
        let (seq, length) = (Seq(u64::from_le_bytes(seq)), u32::from_le_bytes(length));
        let length = usize::try_from(length).map_err(|_| bad("a part of this size"))?;
        if length > MAX_DOCUMENT_BYTES {
            return Err(bad("a part larger than a document"));
        }
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        parts.push(match tag {
            [b's'] => Sent::Snapshot(seq, body.into()),
            [b'r'] => Sent::Record(seq, body.into()),
            [b'-'] => Sent::LeftOut,
            _ => return Err(bad("an unknown part")),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_and_half_a_part_is_an_error() {
        let parts = vec![
            Sent::Snapshot(Seq(7), Bytes::from_static(b"state")),
            Sent::LeftOut,
            Sent::Record(Seq(9), Bytes::new()),
            Sent::Record(Seq(u64::MAX), Bytes::from_static(b"r")),
        ];
        let bytes: Vec<u8> = parts
            .iter()
            .flat_map(|part| [&part.head()[..], part.body()].concat())
            .collect();
        assert_eq!(read(&bytes[..]).expect("whole"), parts);
        assert!(read(&bytes[..bytes.len() - 1]).is_err());
        assert!(read(&b"x\0\0\0\0\0\0\0\0\0\0\0\0"[..]).is_err());
        assert!(read(&b"r\0\0\0\0\0\0\0\0\xff\xff\xff\xff"[..]).is_err());
    }
}
