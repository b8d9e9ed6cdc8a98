//! Numbers, lengths and checksums as LevelDB writes them. Must not know what they belong to.

use bytes::Bytes;

/// Takes bytes off a front; every method is `None` when there are not enough.
#[derive(Debug, Clone)]
pub(super) struct Reader(pub Bytes);

impl Reader {
    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Option<Bytes> {
        (count <= self.0.len()).then(|| self.0.split_to(count))
    }

    pub fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?[..].try_into().ok()?))
    }

    pub fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?[..].try_into().ok()?))
    }

    /// Seven bits a byte, the lowest first, at most ten bytes.
    pub fn varint(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits.checked_shl(shift)?.checked_shr(shift)? != bits {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// A length or an offset.
    pub fn size(&mut self) -> Option<usize> {
        usize::try_from(self.varint()?).ok()
    }

    /// Bytes behind their length.
    pub fn sized(&mut self) -> Option<Bytes> {
        let size = self.size()?;
        self.take(size)
    }
}

/// Whether bytes match a checksum as LevelDB stores it: rotated and shifted, because a checksum of
/// bytes that contain checksums says little.
pub(super) fn matches(stored: u32, parts: &[&[u8]]) -> bool {
    let sum = parts
        .iter()
        .fold(0, |sum, part| crc32c::crc32c_append(sum, part));
    sum.rotate_right(15).wrapping_add(0xa282_ead8) == stored
}
