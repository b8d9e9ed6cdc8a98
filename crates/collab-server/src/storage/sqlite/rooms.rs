//! The table of rooms: claim, describe, list, delete. Must not know logs or snapshots beyond
//! removing them with their room.

use collab_core::ids::{Epoch, Lineage, RoomId};
use collab_core::time::Millis;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};

use super::log::{signed, unavailable};
use super::seq;
use crate::storage::{Claim, Create, MAX_PAGE_ROOMS, RoomInfo, RoomKey, RoomState, StoreError};

const CLAIM: &str = "
  update room set epoch = epoch + 1, load_attempts = load_attempts + 1
  where name = ?1 and deleted_at is null
  returning id, lineage, epoch, head_seq, snap_seq, created_at, updated_at, name,
    state, load_attempts";

/// Makes a room, or a new life for a deleted one. Its log is empty: deleting saw to that.
const CREATE: &str = "
  insert into room (name, lineage, epoch, created_at, updated_at, load_attempts)
  values (?1, ?2, 1, ?3, ?3, 1)
  on conflict (name) do update set
    lineage = excluded.lineage, epoch = epoch + 1, head_seq = 0, snap_seq = 0,
    created_at = excluded.created_at, updated_at = excluded.updated_at, deleted_at = null,
    state = 'active', load_attempts = 1
  returning id, lineage, epoch, head_seq, snap_seq, created_at, updated_at, name,
    state, load_attempts";

const DESCRIBE: &str = "
  select id, lineage, epoch, head_seq, snap_seq, created_at, updated_at, name,
    state, load_attempts
  from room where name = ?1 and deleted_at is null";

const LIST: &str = "
  select id, lineage, epoch, head_seq, snap_seq, created_at, updated_at, name,
    state, load_attempts
  from room where name > ?1 and deleted_at is null order by name limit ?2";

const DELETE: &str = "
  update room set deleted_at = ?2, epoch = epoch + 1, head_seq = 0, snap_seq = 0
  where name = ?1 and deleted_at is null returning id";

pub fn claim(
    connection: &mut Connection,
    room: &RoomId,
    create: Create,
    at: Millis,
) -> Result<Claim, StoreError> {
    let failed = unavailable("claiming a room");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&failed)?;
    let claimed = transaction
        .prepare_cached(CLAIM)
        .and_then(|mut claim| claim.query_row([room.as_str()], read_claimed).optional())
        .map_err(&failed)?;
    let ((info, load_attempts), created) = match (claimed, create) {
        (Some(_), Create::New { .. }) => return Err(StoreError::AlreadyExists),
        (Some(claimed), _) => (claimed, false),
        (None, Create::Never) => return Err(StoreError::NotFound),
        (None, Create::IfMissing { lineage } | Create::New { lineage }) => {
            let made = transaction
                .prepare_cached(CREATE)
                .and_then(|mut create| {
                    let row = (room.as_str(), lineage.0, signed(at.0));
                    create.query_row(row, read_claimed)
                })
                .map_err(&failed)?;
            (made, true)
        }
    };
    let info = info?;
    transaction.commit().map_err(&failed)?;
    Ok(Claim {
        key: info.key,
        lineage: info.lineage,
        epoch: info.epoch,
        head: info.head,
        snapshot: info.snapshot,
        created_at: info.created_at,
        created,
        load_attempts: load_attempts.try_into().unwrap_or(u64::MAX),
    })
}

pub fn describe(
    connection: &mut Connection,
    room: &RoomId,
) -> Result<Option<RoomInfo>, StoreError> {
    connection
        .prepare_cached(DESCRIBE)
        .and_then(|mut describe| describe.query_row([room.as_str()], read).optional())
        .map_err(unavailable("reading a room"))?
        .transpose()
}

pub fn list(
    connection: &mut Connection,
    after: Option<&RoomId>,
    limit: usize,
) -> Result<Vec<RoomInfo>, StoreError> {
    let limit = i64::try_from(limit.min(MAX_PAGE_ROOMS)).unwrap_or(0);
    // No name is empty, so every name is behind the empty one.
    let after = after.map_or("", RoomId::as_str);
    connection
        .prepare_cached(LIST)
        .and_then(|mut list| {
            let rows = list.query_map((after, limit), read)?;
            rows.collect::<Result<Vec<_>, _>>()
        })
        .map_err(unavailable("listing rooms"))?
        .into_iter()
        .collect()
}

pub fn delete(connection: &mut Connection, room: &RoomId, at: Millis) -> Result<bool, StoreError> {
    let failed = unavailable("deleting a room");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&failed)?;
    let key: Option<i64> = transaction
        .prepare_cached(DELETE)
        .and_then(|mut delete| {
            let row = (room.as_str(), signed(at.0));
            delete.query_row(row, |row| row.get(0)).optional()
        })
        .map_err(&failed)?;
    let Some(key) = key else {
        return Ok(false);
    };
    for statement in [
        "delete from room_update where room_id = ?1",
        "delete from room_snapshot where room_id = ?1",
        "delete from room_quarantine where room_id = ?1",
    ]
    .into_iter()
    .chain(super::history::DELETE_ROOM)
    {
        transaction.execute(statement, [key]).map_err(&failed)?;
    }
    transaction.commit().map_err(&failed)?;
    Ok(true)
}

fn read_claimed(row: &Row<'_>) -> rusqlite::Result<(Result<RoomInfo, StoreError>, i64)> {
    Ok((read(row)?, row.get(9)?))
}

/// The outer error is SQLite's, the inner one a row that cannot be right.
pub fn read(row: &Row<'_>) -> rusqlite::Result<Result<RoomInfo, StoreError>> {
    let key = RoomKey(row.get(0)?);
    let lineage: Vec<u8> = row.get(1)?;
    let numbers: [i64; 3] = [row.get(2)?, row.get(3)?, row.get(4)?];
    let times: [i64; 2] = [row.get(5)?, row.get(6)?];
    let name: String = row.get(7)?;
    let state: String = row.get(8)?;
    let info = || {
        let [epoch, head, snapshot] = numbers.map(seq);
        let [created_at, updated_at] = times.map(|at| u64::try_from(at).ok().map(Millis));
        Some(RoomInfo {
            room: RoomId::parse(&name).ok()?,
            key,
            lineage: Lineage(lineage.try_into().ok()?),
            epoch: Epoch(epoch?.0),
            head: head?,
            snapshot: snapshot?,
            created_at: created_at?,
            updated_at: updated_at?,
            state: RoomState::of(&state)?,
        })
    };
    Ok(info().ok_or_else(|| StoreError::damaged(key, "the room's own row")))
}
