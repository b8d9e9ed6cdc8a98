//! The archive: what becomes of log rows. Must not know what is inside a chunk.

use bytes::Bytes;
use collab_core::ids::{Epoch, Seq};
use collab_core::time::Millis;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior};

use super::history::state_row;
use super::log::{damaged_or_unavailable, record, signed, unavailable};
use super::{seq, snapshots};
use crate::storage::assemble::FoldBase;
use crate::storage::checksum::{RecordRow, check_record};
use crate::storage::history::seal::{BaseRow, check_chunk, chunk_sha};
use crate::storage::history::{Archived, Chunk, ChunkInfo, Forgotten, MAX_READ_BYTES, fits};
use crate::storage::{Folded, RoomKey, StoreError};

const LIST: &str = "
  select first_seq, last_seq, first_at, last_at, turns, octet_length(body)
  from room_archive where room_id = ?1 order by first_seq";

const READ: &str = "
  select first_seq, last_seq, first_at, last_at, turns, sha256, body
  from room_archive where room_id = ?1 and first_seq = ?2";

const PUT: &str = "
  insert into room_archive (room_id, first_seq, last_seq, first_at, last_at, turns, sha256, body)
  values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

const PUT_BASE: &str = "
  insert or replace into room_base (room_id, seq, at, n_bytes, sha256, body)
  values (?1, ?2, ?3, ?4, ?5, ?6)";

const BEHIND: &str = "
  select seq, epoch, format, crc32c, body from room_update
  where room_id = ?1 and seq > ?2 order by seq";

const OVERDUE: &str = "
  select room_id from room_archive where room_id > ?3 group by room_id
  having min(last_at) < ?1 or sum(octet_length(body)) > ?2
  order by room_id limit ?4";

/// Rooms with a chunk that ends before a time, or with more bytes of them.
pub fn overdue(
    connection: &mut Connection,
    (before, above_bytes): (Option<Millis>, Option<u64>),
    after: RoomKey,
    limit: usize,
) -> Result<Vec<RoomKey>, StoreError> {
    let before = before.map(|before| signed(before.0));
    let above = above_bytes.map(signed);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection
        .prepare_cached(OVERDUE)
        .and_then(|mut list| {
            let rows = list.query_map((before, above, after.0, limit), |row| row.get(0))?;
            rows.map(|key| key.map(RoomKey)).collect()
        })
        .map_err(unavailable("looking for old history"))
}

pub fn list(connection: &mut Connection, key: RoomKey) -> Result<Archived, StoreError> {
    let failed = unavailable("listing an archive");
    let transaction = connection.transaction().map_err(&failed)?;
    let base: Option<(i64, i64)> = transaction
        .query_row(
            "select seq, at from room_base where room_id = ?1",
            [key.0],
            |row| row.try_into(),
        )
        .optional()
        .map_err(&failed)?;
    let rows = transaction
        .prepare_cached(LIST)
        .and_then(|mut list| {
            let rows = list.query_map([key.0], info)?;
            rows.collect::<Result<Vec<_>, _>>()
        })
        .map_err(&failed)?;
    let damaged = || StoreError::damaged(key, "an archive's own rows");
    let chunks = rows.into_iter().collect::<Option<Vec<ChunkInfo>>>();
    let base = match base {
        Some((place, at)) => {
            let base = seq(place).zip(seq(at)).ok_or_else(damaged)?;
            Some((base.0, Millis(base.1.0)))
        }
        None => None,
    };
    Ok(Archived {
        base,
        chunks: chunks.ok_or_else(damaged)?,
    })
}

/// `None` when a number cannot be what was written.
fn info(row: &Row<'_>) -> rusqlite::Result<Option<ChunkInfo>> {
    let mut numbers = [0u64; 6];
    for (column, place) in numbers.iter_mut().enumerate() {
        match u64::try_from(row.get::<_, i64>(column)?) {
            Ok(number) => *place = number,
            Err(_) => return Ok(None),
        }
    }
    let [first, last, first_at, last_at, turns, bytes] = numbers;
    Ok(Some(ChunkInfo {
        first: Seq(first),
        last: Seq(last),
        first_at: Millis(first_at),
        last_at: Millis(last_at),
        turns,
        bytes,
    }))
}

pub fn chunk(connection: &mut Connection, key: RoomKey, first: Seq) -> Result<Chunk, StoreError> {
    type Columns = (i64, i64, i64, i64, i64, Vec<u8>, Vec<u8>);
    let row: Option<Columns> = connection
        .prepare_cached(READ)
        .and_then(|mut read| {
            read.query_row((key.0, signed(first.0)), |row| row.try_into())
                .optional()
        })
        .map_err(damaged_or_unavailable(key, "reading a chunk"))?;
    let (first, last, first_at, last_at, turns, sha256, body) = row.ok_or(StoreError::NotFound)?;
    let read = || {
        Some(Chunk {
            first: seq(first)?,
            last: seq(last)?,
            first_at: Millis(seq(first_at)?.0),
            last_at: Millis(seq(last_at)?.0),
            turns: seq(turns)?.0,
            body: Bytes::from(body),
        })
    };
    let chunk = read().ok_or_else(|| StoreError::damaged(key, "a chunk's own row"))?;
    check_chunk(key, chunk, &sha256)
}

/// The base: place, time and packed state.
pub fn base(connection: &mut Connection, key: RoomKey) -> Result<Option<BaseRow>, StoreError> {
    let row = connection
        .query_row(
            "select seq, at, n_bytes, sha256, body from room_base where room_id = ?1",
            [key.0],
            |row| {
                let place: (i64, i64) = (row.get(0)?, row.get(1)?);
                Ok((place, (row.get(2)?, row.get(3)?, row.get(4)?)))
            },
        )
        .optional()
        .map_err(damaged_or_unavailable(key, "reading a base"))?;
    let Some(((place, at), state)) = row else {
        return Ok(None);
    };
    let place = seq(place).zip(seq(at));
    let (place, at) = place.ok_or_else(|| StoreError::damaged(key, "a base's own row"))?;
    Ok(Some((place, Millis(at.0), state_row(key, state)?)))
}

pub fn records(
    connection: &mut Connection,
    key: RoomKey,
    after: Seq,
) -> Result<Vec<(Seq, Bytes)>, StoreError> {
    let failed = damaged_or_unavailable(key, "reading a log");
    let mut statement = connection.prepare_cached(BEHIND).map_err(&failed)?;
    let mut rows = statement.query((key.0, signed(after.0))).map_err(&failed)?;
    let mut read: Vec<(Seq, Bytes)> = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next().map_err(&failed)? {
        let row: RecordRow = record(row)
            .map_err(&failed)?
            .ok_or_else(|| StoreError::damaged(key, "a record's own row"))?;
        if read.last().is_some_and(|(last, _)| last.next() != row.seq) {
            return Err(StoreError::Corrupt {
                room: key,
                what: "the record is missing".to_owned(),
                seq: row.seq,
            });
        }
        check_record(key, &row)?;
        bytes += row.body.len();
        read.push((row.seq, row.body));
        if bytes >= MAX_READ_BYTES {
            break;
        }
    }
    Ok(read)
}

/// A chunk takes the place of rows, if everything still is what was checked.
pub fn fold(
    connection: &mut Connection,
    key: RoomKey,
    epoch: Epoch,
    (base, seals): (FoldBase, &[Vec<u8>; 2]),
    chunk: &Chunk,
    rests_on: Option<&BaseRow>,
) -> Result<Folded, StoreError> {
    let failed = unavailable("folding a log into the archive");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&failed)?;
    snapshots::recheck(&transaction, key, epoch, base, seals)?;
    if chunk.last > base.previous {
        return Err(moved("the chunk reaches beyond the previous snapshot"));
    }
    let last = signed(chunk.last.0);
    let (first_row, rows): (Option<i64>, i64) = transaction
        .query_row(
            "select min(seq), count(*) from room_update where room_id = ?1 and seq <= ?2",
            (key.0, last),
            |row| row.try_into(),
        )
        .map_err(&failed)?;
    let replaced: Option<i64> = transaction
        .query_row(
            "delete from room_archive where room_id = ?1 and first_seq = ?2 returning last_seq",
            (key.0, signed(chunk.first.0)),
            |row| row.get(0),
        )
        .optional()
        .map_err(&failed)?;
    let overlapping: bool = transaction
        .query_row(
            "select exists (select 1 from room_archive where room_id = ?1 and last_seq >= ?2)",
            (key.0, signed(chunk.first.0)),
            |row| row.get(0),
        )
        .map_err(&failed)?;
    let first_row = first_row.and_then(seq).unwrap_or_default();
    let rows = u64::try_from(rows).unwrap_or(0);
    if overlapping || !fits(chunk, replaced.and_then(seq), first_row, rows) {
        return Err(moved("its rows changed meanwhile"));
    }
    put(&transaction, key, chunk).map_err(&failed)?;
    if let Some(rests_on) = rests_on {
        put_base(&transaction, key, rests_on).map_err(&failed)?;
    }
    let delete = |statement: &str, up_to: i64| {
        let deleted = transaction.execute(statement, (key.0, up_to));
        deleted.map(|rows| rows as u64).map_err(&failed)
    };
    let folded = Folded {
        records_deleted: delete(
            "delete from room_update where room_id = ?1 and seq <= ?2",
            last,
        )?,
        snapshots_deleted: match chunk.last == base.previous {
            true => delete(
                "delete from room_snapshot where room_id = ?1 and seq < ?2",
                last,
            )?,
            false => 0,
        },
    };
    transaction.commit().map_err(&failed)?;
    Ok(folded)
}

fn moved(why: &str) -> StoreError {
    StoreError::unavailable("folding a log into the archive", why)
}

fn put(transaction: &Transaction<'_>, key: RoomKey, chunk: &Chunk) -> rusqlite::Result<()> {
    let row = (
        key.0,
        signed(chunk.first.0),
        signed(chunk.last.0),
        signed(chunk.first_at.0),
        signed(chunk.last_at.0),
        signed(chunk.turns),
        chunk_sha(key, chunk),
        &chunk.body[..],
    );
    transaction.execute(PUT, row).map(|_| ())
}

fn put_base(
    transaction: &Transaction<'_>,
    key: RoomKey,
    (place, at, state): &BaseRow,
) -> rusqlite::Result<()> {
    let row = (
        key.0,
        signed(place.0),
        signed(at.0),
        signed(state.n_bytes),
        &state.sha256,
        &state.body[..],
    );
    transaction.execute(PUT_BASE, row).map(|_| ())
}

/// Removes the chunks up to a base, which stands for them.
pub fn forget(
    connection: &mut Connection,
    key: RoomKey,
    base: &BaseRow,
) -> Result<Forgotten, StoreError> {
    let failed = unavailable("forgetting a part of an archive");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&failed)?;
    let place = signed(base.0.0);
    let chosen: Vec<(i64, i64, i64)> = transaction
        .prepare_cached(
            "select last_seq, turns, octet_length(body) from room_archive
             where room_id = ?1 and first_seq <= ?2",
        )
        .and_then(|mut list| {
            let rows = list.query_map((key.0, place), |row| row.try_into())?;
            rows.collect()
        })
        .map_err(&failed)?;
    // A chunk is forgotten whole; a base in the middle of one was made from another archive.
    if chosen.iter().map(|(last, ..)| *last).max() != Some(place) {
        return Err(StoreError::unavailable(
            "forgetting a part of an archive",
            "its chunks changed meanwhile",
        ));
    }
    put_base(&transaction, key, base).map_err(&failed)?;
    transaction
        .execute(
            "delete from room_archive where room_id = ?1 and last_seq <= ?2",
            (key.0, place),
        )
        .map_err(&failed)?;
    transaction.commit().map_err(&failed)?;
    let mut forgotten = Forgotten::default();
    for (_, turns, bytes) in chosen {
        forgotten.chunks += 1;
        forgotten.turns += u64::try_from(turns).unwrap_or(0);
        forgotten.bytes += u64::try_from(bytes).unwrap_or(0);
    }
    Ok(forgotten)
}
