//! Snapshots and the fold that relies on them. Must not know what is inside a state.

use bytes::Bytes;
use collab_core::ids::{Epoch, Seq};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::log::{damaged_or_unavailable, signed, unavailable};
use super::seq;
use crate::storage::assemble::FoldBase;
use crate::storage::checksum::SnapshotRow;
use crate::storage::{Folded, RoomKey, StoreError};

/// The fence of a snapshot: the owner's epoch, a place inside the log, never backwards.
const POINT: &str = "
  update room set snap_seq = ?3
  where id = ?1 and epoch = ?2 and deleted_at is null and ?3 between snap_seq and head_seq";

const PUT: &str = "
  insert or replace into room_snapshot
    (room_id, seq, epoch, format, n_bytes, content_sha256, sha256, body)
  values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

const READ: &str = "
  select epoch, format, n_bytes, content_sha256, sha256, body
  from room_snapshot where room_id = ?1 and seq = ?2";

const OWNED: &str = "
  select head_seq, snap_seq from room where id = ?1 and epoch = ?2 and deleted_at is null";

/// Transaction A: adds, removes nothing.
pub fn put(connection: &mut Connection, key: RoomKey, row: &SnapshotRow) -> Result<(), StoreError> {
    let failed = unavailable("storing a snapshot");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&failed)?;
    let (at, epoch) = (signed(row.seq.0), signed(row.epoch.0));
    let pointed = transaction
        .execute(POINT, (key.0, epoch, at))
        .map_err(&failed)?;
    // A place of 0 is an empty document: there is nothing to keep.
    if pointed != 1 {
        return Err(StoreError::Fenced);
    }
    if at > 0 {
        let values = (
            key.0,
            at,
            epoch,
            row.format,
            signed(row.n_bytes),
            &row.content_sha256,
            &row.sha256,
            &row.body[..],
        );
        transaction.execute(PUT, values).map_err(&failed)?;
    }
    transaction.commit().map_err(failed)
}

/// Places of a room's snapshots, newest first.
pub fn stored(connection: &Connection, key: RoomKey) -> Result<Vec<Seq>, StoreError> {
    let places: Vec<i64> = connection
        .prepare_cached("select seq from room_snapshot where room_id = ?1 order by seq desc")
        .and_then(|mut places| {
            let rows = places.query_map([key.0], |row| row.get(0))?;
            rows.collect()
        })
        .map_err(damaged_or_unavailable(key, "listing snapshots"))?;
    let places: Option<Vec<Seq>> = places.into_iter().map(seq).collect();
    places.ok_or_else(|| StoreError::damaged(key, "a snapshot's own row"))
}

/// One snapshot, unchecked; `Corrupt` when it is missing or cannot be read at all.
pub fn read(connection: &Connection, key: RoomKey, at: Seq) -> Result<SnapshotRow, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt {
        room: key,
        what: what.to_owned(),
        seq: at,
    };
    type Row = (i64, i64, i64, Vec<u8>, Vec<u8>, Vec<u8>);
    let row: Option<Row> = connection
        .prepare_cached(READ)
        .and_then(|mut read| {
            read.query_row((key.0, signed(at.0)), |row| row.try_into())
                .optional()
        })
        .map_err(damaged_or_unavailable(key, "reading a snapshot"))?;
    let (epoch, format, n_bytes, content_sha256, sha256, body) =
        row.ok_or_else(|| corrupt("the snapshot is missing"))?;
    let read = || {
        Some(SnapshotRow {
            seq: at,
            epoch: Epoch(seq(epoch)?.0),
            format: u8::try_from(format).ok()?,
            n_bytes: u64::try_from(n_bytes).ok()?,
            content_sha256,
            sha256,
            body: Bytes::from(body),
        })
    };
    read().ok_or_else(|| corrupt("the snapshot's own row"))
}

/// What a fold would rely on, newest first, to be checked by the caller. `None` when there is
/// nothing to fold.
pub fn choose(
    connection: &mut Connection,
    key: RoomKey,
    epoch: Epoch,
) -> Result<Option<(FoldBase, [SnapshotRow; 2])>, StoreError> {
    let transaction = connection
        .transaction()
        .map_err(unavailable("reading snapshots"))?;
    let (_, newest) = owned(&transaction, key, epoch)?;
    let Some(base) = FoldBase::choose(key, newest, &stored(&transaction, key)?)? else {
        return Ok(None);
    };
    let rows = [
        read(&transaction, key, base.newest)?,
        read(&transaction, key, base.previous)?,
    ];
    Ok(Some((base, rows)))
}

/// Transaction B: removes what `base` makes needless, if it still is what was checked.
pub fn fold(
    connection: &mut Connection,
    key: RoomKey,
    epoch: Epoch,
    base: FoldBase,
    seals: &[Vec<u8>; 2],
) -> Result<Folded, StoreError> {
    let failed = unavailable("folding a log");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&failed)?;
    recheck(&transaction, key, epoch, base, seals)?;
    let previous = signed(base.previous.0);
    let delete = |statement: &str| {
        let deleted = transaction.execute(statement, (key.0, previous));
        deleted.map(|rows| rows as u64).map_err(&failed)
    };
    let folded = Folded {
        records_deleted: delete("delete from room_update where room_id = ?1 and seq <= ?2")?,
        snapshots_deleted: delete("delete from room_snapshot where room_id = ?1 and seq < ?2")?,
    };
    transaction.commit().map_err(&failed)?;
    Ok(folded)
}

/// Whether the room is still ours and `base` still is what was checked, with its log whole.
pub fn recheck(
    transaction: &Connection,
    key: RoomKey,
    epoch: Epoch,
    base: FoldBase,
    seals: &[Vec<u8>; 2],
) -> Result<(), StoreError> {
    let (head, newest) = owned(transaction, key, epoch)?;
    let same = FoldBase::choose(key, newest, &stored(transaction, key)?)? == Some(base);
    let sealed = |at: Seq| {
        transaction
            .query_row(
                "select sha256 from room_snapshot where room_id = ?1 and seq = ?2",
                (key.0, signed(at.0)),
                |row| row.get::<_, Vec<u8>>(0),
            )
            .map_err(damaged_or_unavailable(key, "reading a snapshot"))
    };
    if !same || sealed(base.newest)? != seals[0] || sealed(base.previous)? != seals[1] {
        return Err(StoreError::unavailable(
            "folding a log",
            "its snapshots changed meanwhile",
        ));
    }
    let rows_above: i64 = transaction
        .query_row(
            "select count(*) from room_update where room_id = ?1 and seq > ?2",
            (key.0, signed(base.previous.0)),
            |row| row.get(0),
        )
        .map_err(damaged_or_unavailable(key, "counting records"))?;
    base.check_log(key, head, u64::try_from(rows_above).unwrap_or(0))
}

/// Head and newest snapshot of a room that is still ours.
fn owned(connection: &Connection, key: RoomKey, epoch: Epoch) -> Result<(Seq, Seq), StoreError> {
    let row: Option<(i64, i64)> = connection
        .prepare_cached(OWNED)
        .and_then(|mut owned| {
            owned
                .query_row((key.0, signed(epoch.0)), |row| row.try_into())
                .optional()
        })
        .map_err(unavailable("reading a room"))?;
    let (head, newest) = row.ok_or(StoreError::Fenced)?;
    seq(head)
        .zip(seq(newest))
        .ok_or_else(|| StoreError::damaged(key, "the room's own row"))
}
