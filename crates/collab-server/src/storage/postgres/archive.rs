//! The archive: what becomes of log rows. Must not know what is inside a chunk.

use bytes::Bytes;
use collab_core::ids::{Epoch, Seq};
use collab_core::time::Millis;
use deadpool_postgres::{Object, Transaction};
use tokio_postgres::{Error, IsolationLevel, Row};

use super::history::state_row;
use super::log::record;
use super::{damaged_or_unavailable, seq, signed, snapshots, unavailable};
use crate::storage::assemble::FoldBase;
use crate::storage::checksum::check_record;
use crate::storage::history::seal::{BaseRow, check_chunk, chunk_sha};
use crate::storage::history::{Archived, Chunk, ChunkInfo, Forgotten, MAX_READ_BYTES, fits};
use crate::storage::{Folded, RoomKey, StoreError};

const LIST: &str = "
  select first_seq, last_seq, first_at, last_at, turns, octet_length(body)::bigint
  from room_archive where room_id = $1 order by first_seq";

const READ: &str = "
  select first_seq, last_seq, first_at, last_at, turns, sha256, body
  from room_archive where room_id = $1 and first_seq = $2";

const PUT: &str = "
  insert into room_archive (room_id, first_seq, last_seq, first_at, last_at, turns, sha256, body)
  values ($1, $2, $3, $4, $5, $6, $7, $8)";

const PUT_BASE: &str = "
  insert into room_base (room_id, seq, at, n_bytes, sha256, body) values ($1, $2, $3, $4, $5, $6)
  on conflict (room_id) do update set seq = excluded.seq, at = excluded.at,
    n_bytes = excluded.n_bytes, sha256 = excluded.sha256, body = excluded.body";

/// A page of the log: so many rows are asked for at a time.
const PAGE_ROWS: i64 = 512;

const BEHIND: &str = "
  select seq, epoch, format, crc32c, body from room_update
  where room_id = $1 and seq > $2 order by seq limit $3";

const OVERDUE: &str = "
  select room_id from room_archive where room_id > $3 group by room_id
  having min(last_at) < $1 or sum(octet_length(body)) > $2
  order by room_id limit $4";

/// Rooms with a chunk that ends before a time, or with more bytes of them.
pub async fn overdue(
    client: &mut Object,
    (before, above_bytes): (Option<Millis>, Option<u64>),
    after: RoomKey,
    limit: usize,
) -> Result<Vec<RoomKey>, StoreError> {
    let failed = unavailable("looking for old history");
    let before = before.map(|before| signed(before.0));
    let above = above_bytes.map(signed);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = client
        .query(OVERDUE, &[&before, &above, &after.0, &limit])
        .await
        .map_err(&failed)?;
    let keys = rows.iter().map(|row| row.try_get(0).map(RoomKey));
    keys.collect::<Result<_, _>>().map_err(failed)
}

pub async fn list(client: &mut Object, key: RoomKey) -> Result<Archived, StoreError> {
    let failed = unavailable("listing an archive");
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .map_err(&failed)?;
    let base = transaction
        .query_opt(
            "select seq, at from room_base where room_id = $1",
            &[&key.0],
        )
        .await
        .map_err(&failed)?;
    let rows = transaction.query(LIST, &[&key.0]).await.map_err(&failed)?;
    let damaged = || StoreError::damaged(key, "an archive's own rows");
    let base = match base {
        Some(row) => {
            let numbers: [u64; 2] = numbers(&row).map_err(&failed)?.ok_or_else(damaged)?;
            Some((Seq(numbers[0]), Millis(numbers[1])))
        }
        None => None,
    };
    let mut chunks = Vec::with_capacity(rows.len());
    for row in &rows {
        let [first, last, first_at, last_at, turns, bytes] =
            numbers(row).map_err(&failed)?.ok_or_else(damaged)?;
        chunks.push(ChunkInfo {
            first: Seq(first),
            last: Seq(last),
            first_at: Millis(first_at),
            last_at: Millis(last_at),
            turns,
            bytes,
        });
    }
    Ok(Archived { base, chunks })
}

/// The first columns of a row; `None` when a number cannot be what was written.
fn numbers<const N: usize>(row: &Row) -> Result<Option<[u64; N]>, Error> {
    let mut numbers = [0; N];
    for (column, place) in numbers.iter_mut().enumerate() {
        match u64::try_from(row.try_get::<_, i64>(column)?) {
            Ok(number) => *place = number,
            Err(_) => return Ok(None),
        }
    }
    Ok(Some(numbers))
}

pub async fn chunk(client: &mut Object, key: RoomKey, first: Seq) -> Result<Chunk, StoreError> {
    let failed = damaged_or_unavailable(key, "reading a chunk");
    let row = client
        .query_opt(READ, &[&key.0, &signed(first.0)])
        .await
        .map_err(&failed)?
        .ok_or(StoreError::NotFound)?;
    let [first, last, first_at, last_at, turns] = numbers(&row)
        .map_err(&failed)?
        .ok_or_else(|| StoreError::damaged(key, "a chunk's own row"))?;
    let sha256: Vec<u8> = row.try_get(5).map_err(&failed)?;
    let body: Vec<u8> = row.try_get(6).map_err(&failed)?;
    let chunk = Chunk {
        first: Seq(first),
        last: Seq(last),
        first_at: Millis(first_at),
        last_at: Millis(last_at),
        turns,
        body: Bytes::from(body),
    };
    check_chunk(key, chunk, &sha256)
}

pub async fn base(client: &mut Object, key: RoomKey) -> Result<Option<BaseRow>, StoreError> {
    let failed = damaged_or_unavailable(key, "reading a base");
    let row = client
        .query_opt(
            "select seq, at, n_bytes, sha256, body from room_base where room_id = $1",
            &[&key.0],
        )
        .await
        .map_err(&failed)?;
    let Some(row) = row else {
        return Ok(None);
    };
    let [place, at] = numbers(&row)
        .map_err(&failed)?
        .ok_or_else(|| StoreError::damaged(key, "a base's own row"))?;
    Ok(Some((Seq(place), Millis(at), state_row(key, &row, 2)?)))
}

pub async fn records(
    client: &mut Object,
    key: RoomKey,
    after: Seq,
) -> Result<Vec<(Seq, Bytes)>, StoreError> {
    let failed = damaged_or_unavailable(key, "reading a log");
    let mut read: Vec<(Seq, Bytes)> = Vec::new();
    let mut bytes = 0;
    loop {
        let behind = read.last().map_or(after, |(last, _)| *last);
        let rows = client
            .query(BEHIND, &[&key.0, &signed(behind.0), &PAGE_ROWS])
            .await
            .map_err(&failed)?;
        for row in &rows {
            let row = record(row)
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
        }
        if bytes >= MAX_READ_BYTES || i64::try_from(rows.len()).unwrap_or(0) < PAGE_ROWS {
            return Ok(read);
        }
    }
}

/// A chunk takes the place of rows, if everything still is what was checked. As for a fold, it does
/// not lock the room's row, and everything happens as of one moment.
pub async fn fold(
    client: &mut Object,
    key: RoomKey,
    epoch: Epoch,
    (base, seals): (FoldBase, &[Vec<u8>; 2]),
    chunk: &Chunk,
    rests_on: Option<&BaseRow>,
) -> Result<Folded, StoreError> {
    let failed = unavailable("folding a log into the archive");
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .start()
        .await
        .map_err(&failed)?;
    snapshots::recheck(&transaction, key, epoch, base, seals).await?;
    if chunk.last > base.previous {
        return Err(moved("the chunk reaches beyond the previous snapshot"));
    }
    let last = signed(chunk.last.0);
    let row = transaction
        .query_one(
            "select coalesce(min(seq), 0), count(*) from room_update
             where room_id = $1 and seq <= $2",
            &[&key.0, &last],
        )
        .await
        .map_err(&failed)?;
    let [first_row, rows] = numbers(&row)
        .map_err(&failed)?
        .ok_or_else(|| moved("its rows are damaged"))?;
    let replaced = transaction
        .query_opt(
            "delete from room_archive where room_id = $1 and first_seq = $2 returning last_seq",
            &[&key.0, &signed(chunk.first.0)],
        )
        .await
        .map_err(&failed)?;
    let replaced = replaced.map(|row| row.try_get(0).map(seq)).transpose();
    let replaced = replaced.map_err(&failed)?.flatten();
    let overlapping: bool = transaction
        .query_one(
            "select exists (select 1 from room_archive where room_id = $1 and last_seq >= $2)",
            &[&key.0, &signed(chunk.first.0)],
        )
        .await
        .and_then(|row| row.try_get(0))
        .map_err(&failed)?;
    if overlapping || !fits(chunk, replaced, Seq(first_row), rows) {
        return Err(moved("its rows changed meanwhile"));
    }
    put(&transaction, key, chunk).await.map_err(&failed)?;
    if let Some(rests_on) = rests_on {
        put_base(&transaction, key, rests_on)
            .await
            .map_err(&failed)?;
    }
    let records_deleted = transaction
        .execute(
            "delete from room_update where room_id = $1 and seq <= $2",
            &[&key.0, &last],
        )
        .await
        .map_err(&failed)?;
    let snapshots_deleted = match chunk.last == base.previous {
        true => transaction
            .execute(
                "delete from room_snapshot where room_id = $1 and seq < $2",
                &[&key.0, &last],
            )
            .await
            .map_err(&failed)?,
        false => 0,
    };
    transaction.commit().await.map_err(&failed)?;
    Ok(Folded {
        records_deleted,
        snapshots_deleted,
    })
}

fn moved(why: &str) -> StoreError {
    StoreError::unavailable("folding a log into the archive", why)
}

async fn put(transaction: &Transaction<'_>, key: RoomKey, chunk: &Chunk) -> Result<(), Error> {
    let sha = chunk_sha(key, chunk);
    transaction
        .execute(
            PUT,
            &[
                &key.0,
                &signed(chunk.first.0),
                &signed(chunk.last.0),
                &signed(chunk.first_at.0),
                &signed(chunk.last_at.0),
                &signed(chunk.turns),
                &&sha[..],
                &&chunk.body[..],
            ],
        )
        .await
        .map(|_| ())
}

async fn put_base(
    transaction: &Transaction<'_>,
    key: RoomKey,
    (place, at, state): &BaseRow,
) -> Result<(), Error> {
    transaction
        .execute(
            PUT_BASE,
            &[
                &key.0,
                &signed(place.0),
                &signed(at.0),
                &signed(state.n_bytes),
                &state.sha256,
                &&state.body[..],
            ],
        )
        .await
        .map(|_| ())
}

/// Removes the chunks up to a base, which stands for them.
pub async fn forget(
    client: &mut Object,
    key: RoomKey,
    base: &BaseRow,
) -> Result<Forgotten, StoreError> {
    let failed = unavailable("forgetting a part of an archive");
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .start()
        .await
        .map_err(&failed)?;
    let place = signed(base.0.0);
    let rows = transaction
        .query(
            "delete from room_archive where room_id = $1 and first_seq <= $2
             returning last_seq, turns, octet_length(body)::bigint",
            &[&key.0, &place],
        )
        .await
        .map_err(&failed)?;
    let mut last = 0;
    let mut forgotten = Forgotten::default();
    for row in &rows {
        let [last_seq, turns, bytes] = numbers(row)
            .map_err(&failed)?
            .ok_or_else(|| StoreError::damaged(key, "an archive's own rows"))?;
        last = last.max(last_seq);
        forgotten.chunks += 1;
        forgotten.turns += turns;
        forgotten.bytes += bytes;
    }
    // A chunk is forgotten whole; a base in the middle of one was made from another archive.
    if last != base.0.0 {
        return Err(StoreError::unavailable(
            "forgetting a part of an archive",
            "its chunks changed meanwhile",
        ));
    }
    put_base(&transaction, key, base).await.map_err(&failed)?;
    transaction.commit().await.map_err(&failed)?;
    Ok(forgotten)
}
