//! The table of rooms: claim, describe, list, delete. Must not know logs or snapshots beyond
//! removing them with their room.

use collab_core::ids::{Epoch, Lineage, RoomId};
use collab_core::time::Millis;
use deadpool_postgres::Object;
use tokio_postgres::{Error, Row};
use uuid::Uuid;

use super::{seq, signed, unavailable};
use crate::storage::{Claim, Create, MAX_PAGE_ROOMS, RoomInfo, RoomKey, RoomState, StoreError};

const CLAIM: &str = "
  update room set epoch = epoch + 1, load_attempts = load_attempts + 1
  where name = $1 and deleted_at is null
  returning id, lineage, epoch, head_seq, snap_seq, created_at, updated_at, name,
    state, load_attempts";

/// Makes a room, or a new life for a deleted one, whose log is empty: deleting saw to that. No row
/// comes back when the room exists: the one who made it first has it.
const CREATE: &str = "
  insert into room (name, lineage, epoch, created_at, updated_at, load_attempts)
  values ($1, $2, 1, $3, $3, 1)
  on conflict (name) do update set
    lineage = excluded.lineage, epoch = room.epoch + 1, head_seq = 0, snap_seq = 0,
    created_at = excluded.created_at, updated_at = excluded.updated_at, deleted_at = null,
    state = 'active', load_attempts = 1
  where room.deleted_at is not null
  returning id, lineage, epoch, head_seq, snap_seq, created_at, updated_at, name,
    state, load_attempts";

const DESCRIBE: &str = "
  select id, lineage, epoch, head_seq, snap_seq, created_at, updated_at, name,
    state, load_attempts
  from room where name = $1 and deleted_at is null";

const LIST: &str = "
  select id, lineage, epoch, head_seq, snap_seq, created_at, updated_at, name,
    state, load_attempts
  from room where name > $1 and deleted_at is null order by name limit $2";

const DELETE: &str = "
  update room set deleted_at = $2, epoch = epoch + 1, head_seq = 0, snap_seq = 0
  where name = $1 and deleted_at is null returning id";

/// Tries to claim and to create in turn. More than two rounds mean that others create and delete
/// the room in between; the caller is told to try again.
const ROUNDS: usize = 4;

pub async fn claim(
    client: &mut Object,
    room: &RoomId,
    create: Create,
    at: Millis,
) -> Result<Claim, StoreError> {
    let failed = unavailable("claiming a room");
    for _ in 0..ROUNDS {
        if !matches!(create, Create::New { .. }) {
            let claim = client.prepare_cached(CLAIM).await.map_err(&failed)?;
            let row = client.query_opt(&claim, &[&room.as_str()]).await;
            if let Some(row) = row.map_err(&failed)? {
                return claimed(&row, false);
            }
        }
        let (Create::IfMissing { lineage } | Create::New { lineage }) = create else {
            return Err(StoreError::NotFound);
        };
        let make = client.prepare_cached(CREATE).await.map_err(&failed)?;
        let lineage = Uuid::from_bytes(lineage.0);
        let row = client
            .query_opt(&make, &[&room.as_str(), &lineage, &signed(at.0)])
            .await;
        if let Some(row) = row.map_err(&failed)? {
            return claimed(&row, true);
        }
        if matches!(create, Create::New { .. }) {
            return Err(StoreError::AlreadyExists);
        }
    }
    Err(StoreError::unavailable(
        "claiming a room",
        "others keep creating and deleting it",
    ))
}

fn claimed(row: &Row, created: bool) -> Result<Claim, StoreError> {
    let info = read(row)?;
    Ok(Claim {
        key: info.key,
        lineage: info.lineage,
        epoch: info.epoch,
        head: info.head,
        snapshot: info.snapshot,
        created_at: info.created_at,
        created,
        load_attempts: row
            .try_get::<_, i64>(9)
            .map_err(unavailable("claiming a room"))?
            .try_into()
            .unwrap_or(u64::MAX),
    })
}

pub async fn describe(client: &mut Object, room: &RoomId) -> Result<Option<RoomInfo>, StoreError> {
    let failed = unavailable("reading a room");
    let describe = client.prepare_cached(DESCRIBE).await.map_err(&failed)?;
    let row = client.query_opt(&describe, &[&room.as_str()]).await;
    row.map_err(&failed)?.as_ref().map(read).transpose()
}

pub async fn list(
    client: &mut Object,
    after: Option<&RoomId>,
    limit: usize,
) -> Result<Vec<RoomInfo>, StoreError> {
    let failed = unavailable("listing rooms");
    let limit = i64::try_from(limit.min(MAX_PAGE_ROOMS)).unwrap_or(0);
    // No name is empty, so every name is behind the empty one.
    let after = after.map_or("", RoomId::as_str);
    let list = client.prepare_cached(LIST).await.map_err(&failed)?;
    let rows = client.query(&list, &[&after, &limit]).await;
    rows.map_err(&failed)?.iter().map(read).collect()
}

pub async fn delete(client: &mut Object, room: &RoomId, at: Millis) -> Result<bool, StoreError> {
    let failed = unavailable("deleting a room");
    let transaction = client.transaction().await.map_err(&failed)?;
    // The row first: it makes a batch that appends to this room wait, and then fences it.
    let row = transaction
        .query_opt(DELETE, &[&room.as_str(), &signed(at.0)])
        .await;
    let Some(row) = row.map_err(&failed)? else {
        return Ok(false);
    };
    let key: i64 = row.try_get(0).map_err(&failed)?;
    for statement in [
        "delete from room_update where room_id = $1",
        "delete from room_snapshot where room_id = $1",
        "delete from room_quarantine where room_id = $1",
    ]
    .into_iter()
    .chain(super::history::DELETE_ROOM)
    {
        transaction
            .execute(statement, &[&key])
            .await
            .map_err(&failed)?;
    }
    transaction.commit().await.map_err(&failed)?;
    Ok(true)
}

pub fn read(row: &Row) -> Result<RoomInfo, StoreError> {
    let columns = || -> Result<_, Error> {
        let numbers: [i64; 3] = [row.try_get(2)?, row.try_get(3)?, row.try_get(4)?];
        let times: [i64; 2] = [row.try_get(5)?, row.try_get(6)?];
        let key = RoomKey(row.try_get(0)?);
        let lineage: Uuid = row.try_get(1)?;
        let words: [String; 2] = [row.try_get(7)?, row.try_get(8)?];
        Ok((key, lineage, numbers, times, words))
    };
    let (key, lineage, numbers, times, [name, state]) =
        columns().map_err(unavailable("reading a room"))?;
    let info = || {
        let [epoch, head, snapshot] = numbers.map(seq);
        let [created_at, updated_at] = times.map(|at| u64::try_from(at).ok().map(Millis));
        Some(RoomInfo {
            room: RoomId::parse(&name).ok()?,
            key,
            lineage: Lineage(lineage.into_bytes()),
            epoch: Epoch(epoch?.0),
            head: head?,
            snapshot: snapshot?,
            created_at: created_at?,
            updated_at: updated_at?,
            state: RoomState::of(&state)?,
        })
    };
    info().ok_or_else(|| StoreError::damaged(key, "the room's own row"))
}
