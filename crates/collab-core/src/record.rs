//! What one append writes to the update log: the turns since the last one, with when and by whom.
//! Must not know storage, nor what is inside an update.
//!
//! One format version byte, then bincode (internal: no third party reads it). Replacing the
//! encoding means a new version byte here and nothing elsewhere.

use bincode::{Decode, Encode};
use bytes::Bytes;

use crate::time::Millis;

/// The format written today.
pub const FORMAT: u8 = 1;

/// Largest record, in bytes; storage refuses larger ones. A room that has more to say writes
/// several records.
pub const MAX_RECORD_BYTES: usize = 32 << 20;

/// Most turns in one record; a room that has more to say writes several records. Reading a record
/// reserves up to 32 bytes a turn before anything is known of them, and that counts against
/// [`MAX_RECORD_BYTES`]: a million empty turns could be written and never read. So many take 8 MiB.
pub const MAX_TURNS: usize = 1 << 18;

/// One merged turn of a room.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Logged {
    /// When it was merged, in milliseconds since the Unix epoch by the server's clock.
    pub at: u64,
    /// The update (v1): the room's own encoding of what was new.
    pub delta: Vec<u8>,
}

/// The turns of one append, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Record {
    /// Never empty in a stored record.
    pub turns: Vec<Logged>,
}

/// Why bytes are not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// Written by a newer version, or not a record.
    #[error("unknown record format {0}")]
    Format(u8),
    /// Damaged.
    #[error("the record does not decode")]
    Damaged,
}

impl Record {
    /// Adds a turn.
    pub fn push(&mut self, at: Millis, delta: &[u8]) {
        self.turns.push(Logged {
            at: at.0,
            delta: delta.to_vec(),
        });
    }

    /// The bytes of the log.
    pub fn encode(&self) -> Bytes {
        let mut out = vec![FORMAT];
        bincode::encode_into_std_write(self, &mut out, config())
            .expect("writing plain vectors into memory cannot fail");
        out.into()
    }

    /// Reads them back.
    pub fn decode(bytes: &[u8]) -> Result<Record, BadRecord> {
        match bytes.split_first() {
            Some((&FORMAT, body)) => match bincode::decode_from_slice(body, config()) {
                Ok((record, used)) if used == body.len() => Ok(record),
                _ => Err(BadRecord::Damaged),
            },
            Some((&other, _)) => Err(BadRecord::Format(other)),
            None => Err(BadRecord::Damaged),
        }
    }
}

/// Bounded: without a limit a damaged length would make bincode reserve whatever it says.
fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<MAX_RECORD_BYTES>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Stored logs are read for years: these bytes may never change meaning.
    #[test]
    fn golden_bytes() {
        let mut record = Record::default();
        record.push(Millis(1000), &[1, 2, 3]);
        let golden = [1, 1, 251, 0xe8, 0x03, 3, 1, 2, 3];
        assert_eq!(&record.encode()[..], golden);
        assert_eq!(Record::decode(&golden), Ok(record));
    }

    #[test]
    fn a_length_bomb_is_an_error() {
        let bomb = [1, 253, 0, 0, 0, 0, 0, 1, 0, 0];
        assert_eq!(Record::decode(&bomb), Err(BadRecord::Damaged));
        assert_eq!(Record::decode(&[9]), Err(BadRecord::Format(9)));
        assert_eq!(Record::decode(&[]), Err(BadRecord::Damaged));
    }

    proptest! {
        #[test]
        fn damage_is_an_error_or_another_record(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Record::decode(&bytes);
        }
    }
}
