//! The update log: append and load. Must not know what is inside a record.

use bytes::Bytes;
use collab_core::ids::{Epoch, Seq};
use rusqlite::{CachedStatement, Connection, ErrorCode, Row, Transaction, TransactionBehavior};

use super::{damage, seq, snapshots};
use crate::storage::assemble::{LogRow, SnapshotSearch};
use crate::storage::checksum::{RecordRow, record_row};
use crate::storage::{
    Append, Appended, MAX_RECORD_BYTES, RoomKey, StoreError, Stored, contiguous, runs,
};

/// Takes the next places in a log, if the caller owns it: the fence. A row at or behind the place
/// means damage that a load will name; it must not turn into a failure of everybody's batch.
const TAKE: &str = "
  update room set head_seq = ?4, updated_at = max(updated_at, ?5)
  where id = ?1 and epoch = ?2 and head_seq = ?3 - 1 and deleted_at is null
    and not exists (select 1 from room_update where room_id = ?1 and seq >= ?3)";

const INSERT: &str = "
  insert into room_update (room_id, seq, epoch, format, at, crc32c, body)
  values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// Whether a record stands in the log already: then an earlier commit succeeded unheard.
const STANDS: &str = "
  select 1 from room_update
  where room_id = ?1 and seq = ?2 and epoch = ?3 and format = ?4 and crc32c = ?5 and body = ?6";

const BEHIND: &str = "
  select seq, epoch, format, crc32c, body from room_update
  where room_id = ?1 and seq > ?2 order by seq";

/// One row, if it is there.
const AT: &str = "
  select seq, epoch, format, crc32c, body from room_update where room_id = ?1 and seq = ?2";

/// Rows read one by one after a page of the file proved damaged. A longer log is an error then.
const MAX_SINGLE_ROWS: u64 = 1 << 20;

pub fn append(connection: &mut Connection, batch: &[Append]) -> Result<Vec<Appended>, StoreError> {
    append_all(connection, batch).map_err(unavailable("appending"))
}

fn append_all(connection: &mut Connection, batch: &[Append]) -> rusqlite::Result<Vec<Appended>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut outcomes = vec![Appended::Fenced; batch.len()];
    {
        let mut statements = Statements::prepare(&transaction)?;
        for run in runs(batch) {
            let appends: Vec<&Append> = run.iter().filter_map(|&i| batch.get(i)).collect();
            for (&index, outcome) in run.iter().zip(statements.append(&appends)?) {
                if let Some(place) = outcomes.get_mut(index) {
                    *place = outcome;
                }
            }
        }
    }
    transaction.commit()?;
    Ok(outcomes)
}

struct Statements<'a> {
    take: CachedStatement<'a>,
    insert: CachedStatement<'a>,
    stands: CachedStatement<'a>,
}

impl<'a> Statements<'a> {
    fn prepare(transaction: &'a Transaction<'_>) -> rusqlite::Result<Statements<'a>> {
        Ok(Statements {
            take: transaction.prepare_cached(TAKE)?,
            insert: transaction.prepare_cached(INSERT)?,
            stands: transaction.prepare_cached(STANDS)?,
        })
    }

    /// Appends a run of records of one owner, all or nothing.
    fn append(&mut self, run: &[&Append]) -> rusqlite::Result<Vec<Appended>> {
        if run
            .iter()
            .any(|append| append.record.len() > MAX_RECORD_BYTES)
        {
            return Ok(vec![Appended::TooLarge; run.len()]);
        }
        if self.take(run)? {
            for append in run {
                let row = record_row(append);
                self.insert.execute((
                    append.key.0,
                    signed(row.seq.0),
                    signed(row.epoch.0),
                    row.format,
                    signed(append.at.0),
                    row.crc32c,
                    &row.body[..],
                ))?;
            }
            return Ok(vec![Appended::Committed; run.len()]);
        }
        let outcome = |append: &&Append| {
            let row = record_row(append);
            let stands = self.stands.exists((
                append.key.0,
                signed(row.seq.0),
                signed(row.epoch.0),
                row.format,
                row.crc32c,
                &row.body[..],
            ))?;
            Ok(match stands {
                true => Appended::Committed,
                false => Appended::Fenced,
            })
        };
        run.iter().map(outcome).collect()
    }

    fn take(&mut self, run: &[&Append]) -> rusqlite::Result<bool> {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return Ok(false);
        };
        if !contiguous(run) {
            return Ok(false);
        }
        let at = run.iter().map(|append| append.at.0).max().unwrap_or(0);
        let taken = self.take.execute((
            first.key.0,
            signed(first.epoch.0),
            signed(first.seq.0),
            signed(last.seq.0),
            signed(at),
        ))?;
        Ok(taken == 1)
    }
}

pub fn load(connection: &mut Connection, key: RoomKey) -> Result<Stored, StoreError> {
    let failed = damaged_or_unavailable(key, "loading a room");
    // One read transaction: room, snapshots and log as of one moment.
    let transaction = connection.transaction().map_err(&failed)?;
    let standing = damage::standing(&transaction, key)?;
    let head = standing.head;
    let stored = snapshots::stored(&transaction, key)?;
    let mut search = SnapshotSearch::new(key, standing, &stored);
    for at in stored {
        match snapshots::read(&transaction, key, at) {
            Ok(row) if search.offer(&row) => break,
            Ok(_) => {}
            Err(StoreError::Corrupt { what, .. }) => search.pass_over(at, None, &what),
            Err(error) => return Err(error),
        }
    }
    let rows = rows_behind(&transaction, key, search.base(), head)?;
    search.finish(&rows)
}

/// Every row of the log behind a place. When a page of the file is damaged, the rows on the others
/// are read one by one.
fn rows_behind(
    connection: &Connection,
    key: RoomKey,
    base: Seq,
    head: Seq,
) -> Result<Vec<LogRow>, StoreError> {
    let failed = damaged_or_unavailable(key, "loading a room");
    let read = |from: Seq, statement: &str| {
        let mut behind = connection.prepare_cached(statement)?;
        let rows = behind.query_map((key.0, signed(from.0)), log_row)?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    let error = match read(base, BEHIND) {
        Ok(rows) => return Ok(rows),
        Err(error) => failed(error),
    };
    let single = head.0.saturating_sub(base.0) <= MAX_SINGLE_ROWS;
    if !single || !matches!(error, StoreError::Corrupt { .. }) {
        return Err(error);
    }
    let mut rows = Vec::new();
    for at in (base.0 + 1..=head.0).map(Seq) {
        match read(at, AT).map_err(&failed) {
            Ok(found) => rows.extend(found),
            Err(StoreError::Corrupt { what, .. }) => {
                rows.push(LogRow::Unreadable { seq: at, why: what })
            }
            Err(error) => return Err(error),
        }
    }
    Ok(rows)
}

/// `None` when a number cannot be what was written.
pub fn record(row: &Row<'_>) -> rusqlite::Result<Option<RecordRow>> {
    Ok(match log_row(row)? {
        LogRow::Read(row) => Some(row),
        LogRow::Unreadable { .. } => None,
    })
}

/// The outer error is SQLite's.
fn log_row(row: &Row<'_>) -> rusqlite::Result<LogRow> {
    let at: i64 = row.get(0)?;
    let numbers: [i64; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
    let body = Bytes::from(row.get::<_, Vec<u8>>(4)?);
    let read = || {
        let [epoch, format, crc] = numbers;
        Some(RecordRow {
            seq: seq(at)?,
            epoch: Epoch(seq(epoch)?.0),
            format: u8::try_from(format).ok()?,
            crc32c: u32::try_from(crc).ok()?,
            body,
        })
    };
    Ok(read().map_or_else(
        || LogRow::Unreadable {
            seq: seq(at).unwrap_or_default(),
            why: "a number in the record's row cannot be".to_owned(),
        },
        LogRow::Read,
    ))
}

/// A number on its way into the database. Nothing of ours comes near the limit; what does becomes a
/// place that matches no row.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// For calls after whose failure the caller can only try again.
pub fn unavailable(doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| StoreError::unavailable(doing, error)
}

/// For calls that read a room's content: what is unreadable today will be unreadable tomorrow.
pub fn damaged_or_unavailable(
    key: RoomKey,
    doing: &'static str,
) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| {
        let damaged = match &error {
            rusqlite::Error::SqliteFailure(failure, _) => matches!(
                failure.code,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase
            ),
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..) => true,
            _ => false,
        };
        match damaged {
            true => StoreError::damaged(key, &format!("while {doing}: {error}")),
            false => StoreError::unavailable(doing, error),
        }
    }
}
