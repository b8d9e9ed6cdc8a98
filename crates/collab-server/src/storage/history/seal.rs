//! How chunks and kept states prove that they are what was written, where it was written. Must not
//! know a database: rows come in as plain values.

use bytes::Bytes;
use collab_core::ids::Seq;
use collab_core::time::Millis;
use sha2::{Digest, Sha256};

use super::{Base, Chunk};
use crate::storage::{MAX_DOCUMENT_BYTES, RoomKey, StoreError};

/// zstd's own default, as for snapshots.
const ZSTD_LEVEL: i32 = 3;

/// A state as a database takes and returns it; unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRow {
    /// Size before compression, in bytes.
    pub n_bytes: u64,
    pub sha256: Vec<u8>,
    /// Compressed.
    pub body: Bytes,
}

/// The seal of a chunk: place, declarations and body.
pub fn chunk_sha(key: RoomKey, chunk: &Chunk) -> [u8; 32] {
    let mut sha = Sha256::new();
    sha.update(b"chunk");
    sha.update(key.0.to_le_bytes());
    for number in [
        chunk.first.0,
        chunk.last.0,
        chunk.first_at.0,
        chunk.last_at.0,
        chunk.turns,
    ] {
        sha.update(number.to_le_bytes());
    }
    sha.update(&chunk.body);
    sha.finalize().into()
}

/// The chunk, if it matches its seal.
pub fn check_chunk(key: RoomKey, chunk: Chunk, sha256: &[u8]) -> Result<Chunk, StoreError> {
    if chunk_sha(key, &chunk)[..] == *sha256 {
        return Ok(chunk);
    }
    Err(StoreError::Corrupt {
        room: key,
        what: "a chunk of the archive does not match its checksum".to_owned(),
        seq: chunk.first,
    })
}

/// Compresses a state and seals it. `place` is what it belongs to: a seq, or a version's id. Keep it
/// off the runtime's own threads. `TooLarge` above [`MAX_DOCUMENT_BYTES`].
pub fn pack_state(key: RoomKey, place: u64, state: &[u8]) -> Result<StateRow, StoreError> {
    if state.len() > MAX_DOCUMENT_BYTES {
        return Err(StoreError::TooLarge {
            what: "a document's state",
            bytes: state.len(),
            limit: MAX_DOCUMENT_BYTES,
        });
    }
    let body = zstd::bulk::compress(state, ZSTD_LEVEL)
        .map_err(|error| StoreError::unavailable("compressing a state", error))?;
    let mut row = StateRow {
        n_bytes: state.len() as u64,
        sha256: Vec::new(),
        body: body.into(),
    };
    row.sha256 = state_sha(key, place, &row).to_vec();
    Ok(row)
}

/// The state in a row. `Corrupt` unless it is what was written at this place.
pub fn unpack_state(key: RoomKey, place: u64, row: &StateRow) -> Result<Bytes, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt {
        room: key,
        what: what.to_owned(),
        seq: Seq(place),
    };
    if state_sha(key, place, row)[..] != row.sha256[..] {
        return Err(corrupt("a kept state does not match its checksum"));
    }
    let n_bytes = usize::try_from(row.n_bytes)
        .ok()
        .filter(|n_bytes| *n_bytes <= MAX_DOCUMENT_BYTES)
        .ok_or_else(|| corrupt("a kept state claims to be too large"))?;
    let state = zstd::bulk::decompress(&row.body, n_bytes)
        .map_err(|_| corrupt("a kept state does not decompress"))?;
    if state.len() != n_bytes {
        return Err(corrupt("a kept state has another size than declared"));
    }
    Ok(state.into())
}

/// A base as a database takes and returns it: place, time and packed state.
pub type BaseRow = (Seq, Millis, StateRow);

/// As [`pack_state`].
pub fn pack_base(key: RoomKey, base: &Base) -> Result<BaseRow, StoreError> {
    let state = pack_state(key, base.seq.0, &base.state)?;
    Ok((base.seq, base.at, state))
}

/// As [`unpack_state`].
pub fn unpack_base(key: RoomKey, (seq, at, state): &BaseRow) -> Result<Base, StoreError> {
    Ok(Base {
        seq: *seq,
        at: *at,
        state: unpack_state(key, seq.0, state)?,
    })
}

fn state_sha(key: RoomKey, place: u64, row: &StateRow) -> [u8; 32] {
    let mut sha = Sha256::new();
    sha.update(b"state");
    sha.update(key.0.to_le_bytes());
    sha.update(place.to_le_bytes());
    sha.update(row.n_bytes.to_le_bytes());
    sha.update(&row.body);
    sha.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_a_chunk_and_its_place_counts() {
        let key = RoomKey(7);
        let chunk = Chunk {
            first: Seq(3),
            last: Seq(9),
            first_at: Millis(100),
            last_at: Millis(200),
            turns: 12,
            body: Bytes::from_static(b"hello"),
        };
        let sha = chunk_sha(key, &chunk);
        assert_eq!(check_chunk(key, chunk.clone(), &sha), Ok(chunk.clone()));
        assert!(check_chunk(RoomKey(8), chunk.clone(), &sha).is_err());
        let damaged = |change: &dyn Fn(&mut Chunk)| {
            let mut chunk = chunk.clone();
            change(&mut chunk);
            check_chunk(key, chunk, &sha).is_err()
        };
        assert!(damaged(&|chunk| chunk.first = Seq(2)));
        assert!(damaged(&|chunk| chunk.last = Seq(8)));
        assert!(damaged(&|chunk| chunk.first_at = Millis(101)));
        assert!(damaged(&|chunk| chunk.last_at = Millis(201)));
        assert!(damaged(&|chunk| chunk.turns = 11));
        for bit in 0..40 {
            assert!(damaged(&|chunk| {
                let mut body = chunk.body.to_vec();
                body[bit / 8] ^= 1 << (bit % 8);
                chunk.body = body.into();
            }));
        }
    }

    #[test]
    fn a_state_comes_back_or_is_damaged() {
        let key = RoomKey(7);
        let row = pack_state(key, 5, &[9; 1000]).unwrap();
        assert_eq!(unpack_state(key, 5, &row).unwrap(), vec![9; 1000]);
        assert!(unpack_state(key, 6, &row).is_err());
        let mut bomb = row.clone();
        for n_bytes in [100, MAX_DOCUMENT_BYTES as u64 + 1, u64::MAX] {
            bomb.n_bytes = n_bytes;
            bomb.sha256 = state_sha(key, 5, &bomb).to_vec();
            assert!(unpack_state(key, 5, &bomb).is_err());
        }
    }
}
