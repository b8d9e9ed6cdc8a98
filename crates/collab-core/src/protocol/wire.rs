//! lib0's primitives: variable-length integers, byte strings and text. Must not know messages.
//!
//! Source: `lib0` 0.2 `encoding.js`/`decoding.js`. Reading is strict where lib0 is lax: an integer
//! has one encoding only, so no check can be passed by an unusual spelling of a small number.

use bytes::{Buf, Bytes};

/// Why bytes are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes end inside a value.
    #[error("the bytes end inside a value")]
    End,
    /// An integer above 2^53 - 1, or written with more bytes than it needs.
    #[error("an integer is out of range or not written in its shortest form")]
    Integer,
    /// Text that is not UTF-8.
    #[error("text is not UTF-8")]
    Text,
    /// Bytes after the end.
    #[error("bytes follow the end of the message")]
    Trailing,
    /// More of something than the limit for it.
    #[error("more {what} than the limit of {limit}")]
    TooMany { what: &'static str, limit: usize },
    /// A number that stands for nothing.
    #[error("no {what} has the number {number}")]
    Unknown { what: &'static str, number: u64 },
}

/// Appends an unsigned integer: 7 bits a byte, least significant first, bit 7 = continue.
pub fn put_uint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Appends a byte string: its length, then itself.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads values off the front of a frame without copying.
#[derive(Debug, Clone)]
pub struct Reader {
    rest: Bytes,
}

impl Reader {
    /// Starts at the front of `bytes`.
    pub fn new(bytes: Bytes) -> Reader {
        Reader { rest: bytes }
    }

    /// Bytes not yet read.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// An unsigned integer of at most 53 bits.
    pub fn uint(&mut self) -> Result<u64, WireError> {
        let mut value = 0u64;
        for shift in (0..56).step_by(7) {
            if !self.rest.has_remaining() {
                return Err(WireError::End);
            }
            let byte = self.rest.get_u8();
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let padded = byte == 0 && shift > 0;
                return if padded || value >= 1 << 53 {
                    Err(WireError::Integer)
                } else {
                    Ok(value)
                };
            }
        }
        Err(WireError::Integer)
    }

    /// A byte string; shares the frame's memory.
    pub fn bytes(&mut self) -> Result<Bytes, WireError> {
        let length = usize::try_from(self.uint()?).map_err(|_| WireError::End)?;
        self.take(length)
    }

    /// Text.
    pub fn text(&mut self) -> Result<String, WireError> {
        let bytes = self.bytes()?;
        match std::str::from_utf8(&bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(WireError::Text),
        }
    }

    /// Exactly `length` bytes.
    pub fn take(&mut self, length: usize) -> Result<Bytes, WireError> {
        if length > self.rest.len() {
            return Err(WireError::End);
        }
        Ok(self.rest.split_to(length))
    }

    /// Succeeds when nothing is left.
    pub fn end(&self) -> Result<(), WireError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(WireError::Trailing)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uint(bytes: &'static [u8]) -> Result<u64, WireError> {
        Reader::new(Bytes::from_static(bytes)).uint()
    }

    #[test]
    fn integers_at_their_limits() {
        assert_eq!(uint(&[0]), Ok(0));
        assert_eq!(uint(&[0x80, 0x01]), Ok(128));
        assert_eq!(
            uint(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]),
            Ok((1 << 53) - 1)
        );
        assert_eq!(
            uint(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]),
            Err(WireError::Integer)
        );
        assert_eq!(
            uint(&[0x80, 0x00]),
            Err(WireError::Integer),
            "a padded zero"
        );
        assert_eq!(uint(&[0x80]), Err(WireError::End));
        assert_eq!(uint(&[0xff; 12]), Err(WireError::Integer));
    }

    #[test]
    fn integers_come_back() {
        for value in [0, 1, 127, 128, 300, 1 << 31, (1 << 53) - 1] {
            let mut out = Vec::new();
            put_uint(&mut out, value);
            assert_eq!(Reader::new(out.into()).uint(), Ok(value));
        }
    }

    #[test]
    fn a_length_beyond_the_end_allocates_nothing() {
        let mut reader = Reader::new(Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2]));
        assert_eq!(reader.bytes(), Err(WireError::End));
    }
}
