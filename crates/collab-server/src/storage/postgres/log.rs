//! The update log: append and load. Must not know what is inside a record.

use std::collections::BTreeSet;

use bytes::Bytes;
use collab_core::ids::Epoch;
use deadpool_postgres::Object;
use tokio_postgres::{Error, IsolationLevel, Row};

use super::{damage, damaged_or_unavailable, seq, signed, snapshots, unavailable};
use crate::storage::assemble::{LogRow, SnapshotSearch};
use crate::storage::checksum::{RECORD_FORMAT, RecordRow, record_row};
use crate::storage::{
    Append, Appended, MAX_RECORD_BYTES, RoomKey, StoreError, Stored, contiguous, heavy, runs,
};

/// Records of many rooms in one statement, and so in one round trip and one commit. The update of
/// the room's row is the fence: it waits for whoever is writing to the room, then sees the epoch
/// and head that one left. Rooms missing from the result were not written.
///
/// A row at or behind the place means damage that a load will name; it must not turn into a failure
/// of everybody's batch.
const APPEND: &str = "
  with offered as (
    select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
      $6::bytea[]) as t (room_id, seq, epoch, at, crc32c, body)
  ),
  run as (
    select room_id, epoch, min(seq) as first, max(seq) as last, max(at) as at
    from offered group by room_id, epoch
  ),
  taken as (
    update room set head_seq = run.last, updated_at = greatest(room.updated_at, run.at)
    from run
    where room.id = run.room_id and room.epoch = run.epoch and room.head_seq = run.first - 1
      and room.deleted_at is null
      and not exists (select 1 from room_update u where u.room_id = room.id and u.seq >= run.first)
    returning room.id, room.epoch
  )
  insert into room_update (room_id, seq, epoch, format, at, crc32c, body)
  select o.room_id, o.seq, o.epoch, $7, o.at, o.crc32c, o.body
  from offered o join taken on taken.id = o.room_id and taken.epoch = o.epoch
  returning room_id, seq, epoch";

/// Which records stand in the log already: then an earlier commit succeeded unheard.
const STANDING: &str = "
  select u.room_id, u.seq, u.epoch
  from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[])
    as o (room_id, seq, epoch, crc32c, body)
  join room_update u using (room_id, seq, epoch, crc32c)
  where u.format = $6 and u.body = o.body";

const BEHIND: &str = "
  select seq, epoch, format, crc32c, body from room_update
  where room_id = $1 and seq > $2 order by seq";

pub async fn append(client: &Object, batch: &[Append]) -> Result<Vec<Appended>, StoreError> {
    let mut outcomes = vec![Appended::Fenced; batch.len()];
    let mut offered = Vec::new();
    let mut doubtful = Vec::new();
    for run in runs(batch) {
        let appends: Vec<&Append> = run.iter().filter_map(|&index| batch.get(index)).collect();
        if appends
            .iter()
            .any(|append| append.record.len() > MAX_RECORD_BYTES)
        {
            for index in run {
                if let Some(outcome) = outcomes.get_mut(index) {
                    *outcome = Appended::TooLarge;
                }
            }
        } else if contiguous(&appends) {
            offered.extend(appends);
        } else {
            doubtful.extend(appends);
        }
    }
    // Everybody locks rooms in the same order, as far as the planner goes along.
    offered.sort_by_key(|append| (append.key, append.epoch, append.seq));
    let mut durable = write(client, &offered).await?;
    doubtful.extend(
        offered
            .iter()
            .filter(|append| !durable.contains(&place(append))),
    );
    if !doubtful.is_empty() {
        durable.extend(standing(client, &doubtful).await?);
    }
    for (outcome, append) in outcomes.iter_mut().zip(batch) {
        if *outcome == Appended::Fenced && durable.contains(&place(append)) {
            *outcome = Appended::Committed;
        }
    }
    Ok(outcomes)
}

/// Room, seq and epoch.
type Place = (i64, i64, i64);

fn place(append: &Append) -> Place {
    (append.key.0, signed(append.seq.0), signed(append.epoch.0))
}

fn returned(rows: &[Row]) -> Result<BTreeSet<Place>, Error> {
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))
        .collect()
}

async fn write(client: &Object, offered: &[&Append]) -> Result<BTreeSet<Place>, StoreError> {
    let failed = unavailable("appending");
    if offered.is_empty() {
        return Ok(BTreeSet::new());
    }
    let columns = Columns::of(offered);
    let at: Vec<i64> = offered.iter().map(|append| signed(append.at.0)).collect();
    let statement = client.prepare_cached(APPEND).await.map_err(&failed)?;
    let rows = client
        .query(
            &statement,
            &[
                &columns.room_id,
                &columns.seq,
                &columns.epoch,
                &at,
                &columns.crc32c,
                &columns.body,
                &i16::from(RECORD_FORMAT),
            ],
        )
        .await
        .map_err(&failed)?;
    returned(&rows).map_err(&failed)
}

async fn standing(client: &Object, doubtful: &[&Append]) -> Result<BTreeSet<Place>, StoreError> {
    let failed = unavailable("looking for appended records");
    let columns = Columns::of(doubtful);
    let statement = client.prepare_cached(STANDING).await.map_err(&failed)?;
    let rows = client
        .query(
            &statement,
            &[
                &columns.room_id,
                &columns.seq,
                &columns.epoch,
                &columns.crc32c,
                &columns.body,
                &i16::from(RECORD_FORMAT),
            ],
        )
        .await
        .map_err(&failed)?;
    returned(&rows).map_err(&failed)
}

/// Records, column by column.
#[derive(Default)]
struct Columns<'a> {
    room_id: Vec<i64>,
    seq: Vec<i64>,
    epoch: Vec<i64>,
    crc32c: Vec<i64>,
    body: Vec<&'a [u8]>,
}

impl<'a> Columns<'a> {
    fn of(appends: &[&'a Append]) -> Columns<'a> {
        let mut columns = Columns::default();
        for append in appends {
            let (room_id, seq, epoch) = place(append);
            columns.room_id.push(room_id);
            columns.seq.push(seq);
            columns.epoch.push(epoch);
            columns.crc32c.push(i64::from(record_row(append).crc32c));
            columns.body.push(&append.record);
        }
        columns
    }
}

pub async fn load(client: &mut Object, key: RoomKey) -> Result<Stored, StoreError> {
    let failed = damaged_or_unavailable(key, "loading a room");
    // Room, snapshots and log as of one moment.
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .map_err(&failed)?;
    let standing = damage::standing(&transaction, key).await?;
    let stored = snapshots::stored(&transaction, key).await?;
    let mut search = SnapshotSearch::new(key, standing, &stored);
    for at in stored {
        match snapshots::read(&transaction, key, at).await {
            Ok(row) => {
                let offer = move || {
                    let found = search.offer(&row);
                    Ok((search, found))
                };
                let (returned, found) = heavy("checking a snapshot", offer).await?;
                search = returned;
                if found {
                    break;
                }
            }
            Err(StoreError::Corrupt { what, .. }) => search.pass_over(at, None, &what),
            Err(error) => return Err(error),
        }
    }
    let behind = transaction.prepare_cached(BEHIND).await.map_err(&failed)?;
    let rows = transaction
        .query(&behind, &[&key.0, &signed(search.base().0)])
        .await
        .map_err(&failed)?;
    let rows: Vec<LogRow> = rows
        .iter()
        .map(log_row)
        .collect::<Result<_, _>>()
        .map_err(&failed)?;
    // Checksums of a long log are work too.
    heavy("checking a log", move || search.finish(&rows)).await
}

/// `None` when a number cannot be what was written.
pub fn record(row: &Row) -> Result<Option<RecordRow>, Error> {
    Ok(match log_row(row)? {
        LogRow::Read(row) => Some(row),
        LogRow::Unreadable { .. } => None,
    })
}

/// A row of the log; unreadable when a number cannot be what was written.
fn log_row(row: &Row) -> Result<LogRow, Error> {
    let [at, epoch, crc]: [i64; 3] = [row.try_get(0)?, row.try_get(1)?, row.try_get(3)?];
    let format: i16 = row.try_get(2)?;
    let body = Bytes::from(row.try_get::<_, Vec<u8>>(4)?);
    let read = || {
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
