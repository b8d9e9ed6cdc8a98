//! Reads lib0 v1 bytes without copying and without trusting them. Must not know what the numbers
//! mean for a document.

use crate::document::refusal::Refusal;
use crate::ids::ReplicaId;

/// Largest clock, and largest sum of a clock and a length: the engine computes in `i32`.
pub(crate) const MAX_CLOCK: u32 = 0x7fff_ffff;

/// A cursor over bytes from outside. Every method either returns a checked value and moves on, or
/// says which rule was broken.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    /// Continues at a place that [`Reader::position`] gave for the same bytes.
    pub(crate) fn at(bytes: &'a [u8], at: usize) -> Reader<'a> {
        Reader { bytes, at }
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// Everything that follows.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Nothing may follow.
    pub(crate) fn end(&self) -> Result<(), Refusal> {
        if self.left() == 0 {
            Ok(())
        } else {
            Err(Refusal::Trailing)
        }
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, Refusal> {
        let byte = *self.bytes.get(self.at).ok_or(Refusal::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    /// An unsigned number of at most 63 bits in its shortest form. Other lib0 readers wrap or
    /// ignore what is longer, so two of them could read two different numbers.
    #[inline]
    pub(crate) fn uint(&mut self) -> Result<u64, Refusal> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(u64::from(first));
        }
        let mut value = u64::from(first & 0x7f);
        let mut shift = 7;
        loop {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return if byte == 0 {
                    Err(Refusal::Varint)
                } else {
                    Ok(value)
                };
            }
            shift += 7;
            if shift > 56 {
                return Err(Refusal::Varint);
            }
        }
    }

    /// A signed number as it stands inside a value: at most 2^53 in magnitude, shortest form.
    /// (The engine's reader shifts too far from the eleventh byte on.)
    pub(crate) fn signed(&mut self) -> Result<(), Refusal> {
        let first = self.byte()?;
        let mut magnitude = u64::from(first & 0x3f);
        let mut shift = 6;
        let mut byte = first;
        while byte >= 0x80 {
            byte = self.byte()?;
            if shift > 48 || byte == 0 {
                return Err(Refusal::Varint);
            }
            magnitude |= u64::from(byte & 0x7f) << shift;
            shift += 7;
        }
        if magnitude > 1 << 53 {
            return Err(Refusal::Varint);
        }
        Ok(())
    }

    /// A number of entries of at least `smallest` bytes each. What cannot fit is refused here,
    /// before anyone reserves memory for it.
    #[inline]
    pub(crate) fn count(&mut self, smallest: usize) -> Result<usize, Refusal> {
        let count = usize::try_from(self.uint()?).map_err(|_| Refusal::Count)?;
        if count > self.left() / smallest {
            return Err(Refusal::Count);
        }
        Ok(count)
    }

    #[inline]
    pub(crate) fn clock(&mut self) -> Result<u32, Refusal> {
        match u32::try_from(self.uint()?) {
            Ok(clock) if clock <= MAX_CLOCK => Ok(clock),
            _ => Err(Refusal::ClockRange),
        }
    }

    #[inline]
    pub(crate) fn replica(&mut self) -> Result<u64, Refusal> {
        let id = self.uint()?;
        if id > ReplicaId::MAX {
            return Err(Refusal::ReplicaRange);
        }
        Ok(id)
    }

    #[inline]
    pub(crate) fn skip(&mut self, length: usize) -> Result<&'a [u8], Refusal> {
        let end = self.at.checked_add(length).ok_or(Refusal::Truncated)?;
        let slice = self.bytes.get(self.at..end).ok_or(Refusal::Truncated)?;
        self.at = end;
        Ok(slice)
    }

    #[inline]
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Refusal> {
        let length = usize::try_from(self.uint()?).map_err(|_| Refusal::Truncated)?;
        self.skip(length)
    }

    #[inline]
    pub(crate) fn text(&mut self) -> Result<&'a str, Refusal> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Refusal::Utf8)
    }
}

/// The clock after `len` more units.
pub(super) fn after(clock: u32, len: u32) -> Result<u32, Refusal> {
    match clock.checked_add(len) {
        Some(end) if end <= MAX_CLOCK => Ok(end),
        _ => Err(Refusal::ClockRange),
    }
}
