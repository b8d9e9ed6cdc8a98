//! Snapshots and the fold that relies on them. Must not know what is inside a state.

use bytes::Bytes;
use collab_core::ids::{Epoch, Seq};
use deadpool_postgres::{Object, Transaction};
use tokio_postgres::{Error, IsolationLevel, Row};

use super::{damaged_or_unavailable, seq, signed, unavailable};
use crate::storage::assemble::FoldBase;
use crate::storage::checksum::SnapshotRow;
use crate::storage::{Folded, RoomKey, StoreError};

/// The fence of a snapshot: the owner's epoch, a place inside the log, never backwards.
const POINT: &str = "
  update room set snap_seq = $3
  where id = $1 and epoch = $2 and deleted_at is null and $3 between snap_seq and head_seq";

const PUT: &str = "
  insert into room_snapshot (room_id, seq, epoch, format, n_bytes, content_sha256, sha256, body)
  values ($1, $2, $3, $4, $5, $6, $7, $8)
  on conflict (room_id, seq) do update set
    epoch = excluded.epoch, format = excluded.format, n_bytes = excluded.n_bytes,
    content_sha256 = excluded.content_sha256, sha256 = excluded.sha256, body = excluded.body";

const READ: &str = "
  select epoch, format, n_bytes, content_sha256, sha256, body
  from room_snapshot where room_id = $1 and seq = $2";

const OWNED: &str = "
  select head_seq, snap_seq from room where id = $1 and epoch = $2 and deleted_at is null";

/// Transaction A: adds, removes nothing.
pub async fn put(client: &mut Object, key: RoomKey, row: &SnapshotRow) -> Result<(), StoreError> {
    let failed = unavailable("storing a snapshot");
    let transaction = client.transaction().await.map_err(&failed)?;
    let (at, epoch) = (signed(row.seq.0), signed(row.epoch.0));
    // The body first and the fence last: the fence locks the room's row, and everybody's appends
    // would wait while megabytes travel. A place of 0 is an empty document: nothing to keep.
    if at > 0 {
        transaction
            .execute(
                PUT,
                &[
                    &key.0,
                    &at,
                    &epoch,
                    &i16::from(row.format),
                    &signed(row.n_bytes),
                    &row.content_sha256,
                    &row.sha256,
                    &&row.body[..],
                ],
            )
            .await
            .map_err(|error| match error.code() {
                // A room that was never there has no owner either.
                Some(&tokio_postgres::error::SqlState::FOREIGN_KEY_VIOLATION) => StoreError::Fenced,
                _ => failed(error),
            })?;
    }
    let pointed = transaction
        .execute(POINT, &[&key.0, &epoch, &at])
        .await
        .map_err(&failed)?;
    if pointed != 1 {
        // Dropped without commit: rolled back.
        return Err(StoreError::Fenced);
    }
    transaction.commit().await.map_err(failed)
}

/// Places of a room's snapshots, newest first.
pub async fn stored(transaction: &Transaction<'_>, key: RoomKey) -> Result<Vec<Seq>, StoreError> {
    let failed = damaged_or_unavailable(key, "listing snapshots");
    let rows = transaction
        .query(
            "select seq from room_snapshot where room_id = $1 order by seq desc",
            &[&key.0],
        )
        .await
        .map_err(&failed)?;
    rows.iter()
        .map(|row| row.try_get(0).map(seq).map_err(&failed))
        .collect::<Result<Option<Vec<Seq>>, _>>()?
        .ok_or_else(|| StoreError::damaged(key, "a snapshot's own row"))
}

/// One snapshot, unchecked; `Corrupt` when it is missing or cannot be read at all.
pub async fn read(
    transaction: &Transaction<'_>,
    key: RoomKey,
    at: Seq,
) -> Result<SnapshotRow, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt {
        room: key,
        what: what.to_owned(),
        seq: at,
    };
    let failed = damaged_or_unavailable(key, "reading a snapshot");
    let row = transaction
        .query_opt(READ, &[&key.0, &signed(at.0)])
        .await
        .map_err(&failed)?
        .ok_or_else(|| corrupt("the snapshot is missing"))?;
    row_of(&row, at)
        .map_err(&failed)?
        .ok_or_else(|| corrupt("the snapshot's own row"))
}

/// `None` when a number cannot be what was written.
fn row_of(row: &Row, at: Seq) -> Result<Option<SnapshotRow>, Error> {
    let [epoch, n_bytes]: [i64; 2] = [row.try_get(0)?, row.try_get(2)?];
    let format: i16 = row.try_get(1)?;
    let (content_sha256, sha256) = (row.try_get(3)?, row.try_get(4)?);
    let body = Bytes::from(row.try_get::<_, Vec<u8>>(5)?);
    let read = || {
        Some(SnapshotRow {
            seq: at,
            epoch: Epoch(seq(epoch)?.0),
            format: u8::try_from(format).ok()?,
            n_bytes: u64::try_from(n_bytes).ok()?,
            content_sha256,
            sha256,
            body,
        })
    };
    Ok(read())
}

/// What a fold would rely on, newest first, to be checked by the caller. `None` when there is
/// nothing to fold.
pub async fn choose(
    client: &mut Object,
    key: RoomKey,
    epoch: Epoch,
) -> Result<Option<(FoldBase, [SnapshotRow; 2])>, StoreError> {
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .map_err(unavailable("reading snapshots"))?;
    let (_, newest) = owned(&transaction, key, epoch).await?;
    let places = stored(&transaction, key).await?;
    let Some(base) = FoldBase::choose(key, newest, &places)? else {
        return Ok(None);
    };
    let newest = read(&transaction, key, base.newest).await?;
    let previous = read(&transaction, key, base.previous).await?;
    Ok(Some((base, [newest, previous])))
}

/// Transaction B: removes what `base` makes needless, if it still is what was checked.
///
/// It does not lock the room's row, so that appends go on. Everything happens as of one moment
/// (REPEATABLE READ): if the room is claimed meanwhile, what is removed is needless to the new owner
/// too; if it is deleted and made again, the new life's rows are not visible here, and meeting rows
/// that the deletion removed ends this transaction with an error.
pub async fn fold(
    client: &mut Object,
    key: RoomKey,
    epoch: Epoch,
    base: FoldBase,
    seals: &[Vec<u8>; 2],
) -> Result<Folded, StoreError> {
    let failed = unavailable("folding a log");
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .start()
        .await
        .map_err(&failed)?;
    recheck(&transaction, key, epoch, base, seals).await?;
    let previous_at = signed(base.previous.0);
    let records_deleted = transaction
        .execute(
            "delete from room_update where room_id = $1 and seq <= $2",
            &[&key.0, &previous_at],
        )
        .await
        .map_err(&failed)?;
    let snapshots_deleted = transaction
        .execute(
            "delete from room_snapshot where room_id = $1 and seq < $2",
            &[&key.0, &previous_at],
        )
        .await
        .map_err(&failed)?;
    transaction.commit().await.map_err(&failed)?;
    Ok(Folded {
        records_deleted,
        snapshots_deleted,
    })
}

/// Whether the room is still ours and `base` still is what was checked, with its log whole.
pub async fn recheck(
    transaction: &Transaction<'_>,
    key: RoomKey,
    epoch: Epoch,
    base: FoldBase,
    seals: &[Vec<u8>; 2],
) -> Result<(), StoreError> {
    let failed = unavailable("folding a log");
    let (head, newest) = owned(transaction, key, epoch).await?;
    let places = stored(transaction, key).await?;
    let (newest_at, previous_at) = (signed(base.newest.0), signed(base.previous.0));
    let same_seals: i64 = transaction
        .query_one(
            "select count(*) from room_snapshot
             where room_id = $1 and (seq, sha256) in (($2, $3), ($4, $5))",
            &[&key.0, &newest_at, &seals[0], &previous_at, &seals[1]],
        )
        .await
        .and_then(|row| row.try_get(0))
        .map_err(&failed)?;
    if same_seals != 2 || FoldBase::choose(key, newest, &places)? != Some(base) {
        return Err(StoreError::unavailable(
            "folding a log",
            "its snapshots changed meanwhile",
        ));
    }
    let rows_above: i64 = transaction
        .query_one(
            "select count(*) from room_update where room_id = $1 and seq > $2",
            &[&key.0, &previous_at],
        )
        .await
        .and_then(|row| row.try_get(0))
        .map_err(damaged_or_unavailable(key, "counting records"))?;
    base.check_log(key, head, u64::try_from(rows_above).unwrap_or(0))
}

/// Head and newest snapshot of a room that is still ours.
async fn owned(
    transaction: &Transaction<'_>,
    key: RoomKey,
    epoch: Epoch,
) -> Result<(Seq, Seq), StoreError> {
    let failed = unavailable("reading a room");
    let row = transaction
        .query_opt(OWNED, &[&key.0, &signed(epoch.0)])
        .await
        .map_err(&failed)?
        .ok_or(StoreError::Fenced)?;
    let head = seq(row.try_get(0).map_err(&failed)?);
    let newest = seq(row.try_get(1).map_err(&failed)?);
    head.zip(newest)
        .ok_or_else(|| StoreError::damaged(key, "the room's own row"))
}
