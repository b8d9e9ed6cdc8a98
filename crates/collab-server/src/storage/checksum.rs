//! How stored bytes prove that they are what was written, where it was written. Must not know a
//! database: rows come in as plain values.
//!
//! The place (room, seq, epoch) is part of every checksum, so that a right row in a wrong place is
//! found as surely as a flipped bit.

use bytes::Bytes;
use collab_core::ids::{Epoch, Seq};
use sha2::{Digest, Sha256};

use super::{Append, MAX_DOCUMENT_BYTES, RoomKey, Snapshot, StoreError};

/// Layout of a log row: the body as the room gave it, CRC-32C as in [`record_crc`].
pub const RECORD_FORMAT: u8 = 1;

/// Layout of a snapshot row: one zstd frame, SHA-256 as in `snapshot_sha`.
pub const SNAPSHOT_FORMAT: u8 = 1;

/// zstd's own default. Snapshots are written in the background; a higher level buys about a tenth
/// of the size for several times the time.
const ZSTD_LEVEL: i32 = 3;

/// One row of the log as a database returns it; unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    pub seq: Seq,
    pub epoch: Epoch,
    pub format: u8,
    pub crc32c: u32,
    pub body: Bytes,
}

/// One snapshot row as a database takes and returns it; unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow {
    pub seq: Seq,
    pub epoch: Epoch,
    pub format: u8,
    /// Size of the state before compression, in bytes.
    pub n_bytes: u64,
    pub content_sha256: Vec<u8>,
    pub sha256: Vec<u8>,
    /// Compressed.
    pub body: Bytes,
}

/// CRC-32C over a record and its place.
pub fn record_crc(key: RoomKey, seq: Seq, epoch: Epoch, format: u8, body: &[u8]) -> u32 {
    let mut place = [0; 25];
    place[..8].copy_from_slice(&key.0.to_le_bytes());
    place[8..16].copy_from_slice(&seq.0.to_le_bytes());
    place[16..24].copy_from_slice(&epoch.0.to_le_bytes());
    place[24] = format;
    crc32c::crc32c_append(crc32c::crc32c(&place), body)
}

/// The row for a record on its way into the log.
pub fn record_row(append: &Append) -> RecordRow {
    let Append {
        key, seq, epoch, ..
    } = *append;
    RecordRow {
        seq,
        epoch,
        format: RECORD_FORMAT,
        crc32c: record_crc(key, seq, epoch, RECORD_FORMAT, &append.record),
        body: append.record.clone(),
    }
}

/// `Corrupt` unless the record is what was written at this place.
pub fn check_record(key: RoomKey, row: &RecordRow) -> Result<(), StoreError> {
    let what = if row.format != RECORD_FORMAT {
        format!("record of unknown format {}", row.format)
    } else if record_crc(key, row.seq, row.epoch, row.format, &row.body) != row.crc32c {
        "the record does not match its checksum".to_owned()
    } else {
        return Ok(());
    };
    Err(StoreError::Corrupt {
        room: key,
        what,
        seq: row.seq,
    })
}

/// Compresses a state and seals it. Takes up to a second for the largest: keep it off the runtime's
/// own threads.
///
/// Errors: `TooLarge` above [`MAX_DOCUMENT_BYTES`].
pub fn pack_snapshot(snapshot: &Snapshot) -> Result<SnapshotRow, StoreError> {
    let n_bytes = snapshot.state.len();
    if n_bytes > MAX_DOCUMENT_BYTES {
        return Err(StoreError::TooLarge {
            what: "a document's state",
            bytes: n_bytes,
            limit: MAX_DOCUMENT_BYTES,
        });
    }
    let body = zstd::bulk::compress(&snapshot.state, ZSTD_LEVEL)
        .map_err(|error| StoreError::unavailable("compressing a snapshot", error))?;
    let mut row = SnapshotRow {
        seq: snapshot.seq,
        epoch: snapshot.epoch,
        format: SNAPSHOT_FORMAT,
        n_bytes: n_bytes as u64,
        content_sha256: snapshot.content_sha256.to_vec(),
        sha256: Vec::new(),
        body: Bytes::from(body),
    };
    row.sha256 = snapshot_sha(snapshot.key, &row).to_vec();
    Ok(row)
}

/// The state in a snapshot row, and its content hash. `Corrupt` unless the row is what was written
/// at this place. The seal is checked before the decompressor sees a byte, and the declared size
/// bounds what it may write.
pub fn unpack_snapshot(key: RoomKey, row: &SnapshotRow) -> Result<(Bytes, [u8; 32]), StoreError> {
    let corrupt = |what: String| StoreError::Corrupt {
        room: key,
        what,
        seq: row.seq,
    };
    if row.format != SNAPSHOT_FORMAT {
        return Err(corrupt(format!(
            "snapshot of unknown format {}",
            row.format
        )));
    }
    if snapshot_sha(key, row)[..] != row.sha256[..] {
        return Err(corrupt("the snapshot does not match its checksum".into()));
    }
    let content = <[u8; 32]>::try_from(&row.content_sha256[..])
        .map_err(|_| corrupt("the snapshot's content hash has a wrong length".into()))?;
    let n_bytes = usize::try_from(row.n_bytes)
        .ok()
        .filter(|n_bytes| *n_bytes <= MAX_DOCUMENT_BYTES)
        .ok_or_else(|| corrupt(format!("the snapshot claims {} bytes", row.n_bytes)))?;
    let state = zstd::bulk::decompress(&row.body, n_bytes)
        .map_err(|error| corrupt(format!("the snapshot does not decompress: {error}")))?;
    if state.len() != n_bytes {
        return Err(corrupt(
            "the snapshot has another size than declared".into(),
        ));
    }
    Ok((Bytes::from(state), content))
}

/// SHA-256 over a snapshot's place, its declarations and its compressed body.
fn snapshot_sha(key: RoomKey, row: &SnapshotRow) -> [u8; 32] {
    let mut sha = Sha256::new();
    sha.update(key.0.to_le_bytes());
    sha.update(row.seq.0.to_le_bytes());
    sha.update(row.epoch.0.to_le_bytes());
    sha.update([row.format]);
    sha.update(row.n_bytes.to_le_bytes());
    sha.update((row.content_sha256.len() as u64).to_le_bytes());
    sha.update(&row.content_sha256);
    sha.update(&row.body);
    sha.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(state: &[u8]) -> Snapshot {
        Snapshot {
            key: RoomKey(7),
            epoch: Epoch(3),
            seq: Seq(11),
            state: Bytes::copy_from_slice(state),
            content_sha256: [9; 32],
        }
    }

    #[test]
    fn every_bit_of_a_record_and_its_place_counts() {
        let row = record_row(&Append {
            key: RoomKey(7),
            epoch: Epoch(3),
            seq: Seq(11),
            record: Bytes::from_static(b"hello"),
            at: Default::default(),
        });
        assert_eq!(check_record(RoomKey(7), &row), Ok(()));
        assert!(check_record(RoomKey(8), &row).is_err());
        let damaged = |change: &dyn Fn(&mut RecordRow)| {
            let mut row = row.clone();
            change(&mut row);
            check_record(RoomKey(7), &row).is_err()
        };
        for bit in 0..40 {
            assert!(damaged(&|row| {
                let mut body = row.body.to_vec();
                body[bit / 8] ^= 1 << (bit % 8);
                row.body = body.into();
            }));
        }
        assert!(damaged(&|row| row.seq = Seq(12)));
        assert!(damaged(&|row| row.epoch = Epoch(2)));
        assert!(damaged(&|row| row.format = 2));
        assert!(damaged(&|row| row.crc32c ^= 1));
    }

    #[test]
    fn every_bit_of_a_snapshot_and_its_place_counts() {
        let row = pack_snapshot(&snapshot(&[b'x'; 1000])).unwrap();
        let (state, content) = unpack_snapshot(RoomKey(7), &row).unwrap();
        assert_eq!((&state[..], content), (&[b'x'; 1000][..], [9; 32]));
        assert!(row.body.len() < 100, "compressed");
        assert!(unpack_snapshot(RoomKey(8), &row).is_err());
        let damaged = |change: &dyn Fn(&mut SnapshotRow)| {
            let mut row = row.clone();
            change(&mut row);
            unpack_snapshot(RoomKey(7), &row).is_err()
        };
        for bit in 0..row.body.len() * 8 {
            assert!(damaged(&|row| {
                let mut body = row.body.to_vec();
                body[bit / 8] ^= 1 << (bit % 8);
                row.body = body.into();
            }));
        }
        assert!(damaged(&|row| row.seq = Seq(12)));
        assert!(damaged(&|row| row.epoch = Epoch(2)));
        assert!(damaged(&|row| row.n_bytes += 1));
        assert!(damaged(&|row| row.content_sha256[0] ^= 1));
        assert!(damaged(&|row| row.content_sha256.truncate(31)));
        assert!(damaged(&|row| row.sha256.clear()));
    }

    #[test]
    fn a_bomb_stops_at_the_declared_size() {
        let mut row = pack_snapshot(&snapshot(&vec![0; 1 << 20])).unwrap();
        // A right seal over a wrong declaration: what somebody who can write rows could do.
        for n_bytes in [100, MAX_DOCUMENT_BYTES as u64 + 1, u64::MAX] {
            row.n_bytes = n_bytes;
            row.sha256 = snapshot_sha(RoomKey(7), &row).to_vec();
            assert!(unpack_snapshot(RoomKey(7), &row).is_err());
        }
    }

    #[test]
    fn states_at_the_size_limit() {
        let at = snapshot(&vec![0; MAX_DOCUMENT_BYTES]);
        let row = pack_snapshot(&at).unwrap();
        assert_eq!(
            unpack_snapshot(RoomKey(7), &row).unwrap().0.len(),
            MAX_DOCUMENT_BYTES
        );
        let above = snapshot(&vec![0; MAX_DOCUMENT_BYTES + 1]);
        assert!(matches!(
            pack_snapshot(&above),
            Err(StoreError::TooLarge { .. })
        ));
    }
}
