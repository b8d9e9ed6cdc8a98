//! Quarantine, the mark of a load, and new lineages. Must not know why a part is bad.

use bytes::Bytes;
use collab_core::ids::{Epoch, Lineage, RoomId};
use collab_core::room::{Damage, Part};
use collab_core::time::Millis;
use deadpool_postgres::{Object, Transaction};
use tokio_postgres::{Error, Row};
use uuid::Uuid;

use super::{damaged_or_unavailable, rooms, seq, signed, unavailable};
use crate::storage::assemble::Standing;
use crate::storage::damage::{MAX_PAGE_PARTS, Mark, Marks, columns, part, sha};
use crate::storage::{Quarantined, RoomInfo, RoomKey, RoomState, StoreError, Whereabouts};

const ROOM: &str =
    "select head_seq, snap_seq, state from room where id = $1 and deleted_at is null";

const MARKS: &str = "
  select source, seq, last_seq, reason, withhold, sha256 from room_quarantine where room_id = $1";

/// The room's own row may have been left behind its log by damage: then it names its end again.
const DEGRADE: &str = "
  update room set state = 'degraded', head_seq = greatest(head_seq,
    coalesce((select max(seq) from room_update where room_id = room.id), 0))
  where id = $1 and epoch = $2 and deleted_at is null";

const COPY: &str = "
  insert into room_quarantine (room_id, source, seq, last_seq, reason, withhold, sha256, body, at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  on conflict (room_id, source, seq, sha256) do update set
    withhold = excluded.withhold, reason = excluded.reason
  where excluded.withhold and not room_quarantine.withhold";

const COPIES: &str = "
  select id, source, seq, last_seq, reason, withhold, body, at from room_quarantine
  where room_id = $1 and id > $2 order by id limit $3";

const RENEW: &str = "
  update room set epoch = greatest(epoch, $2) + 1, lineage = coalesce($3, lineage)
  where name = $1 and deleted_at is null
  returning id, lineage, epoch, head_seq, snap_seq, created_at, updated_at, name, state";

const LOAD_ENDED: &str =
    "update room set load_attempts = 0 where id = $1 and epoch = $2 and deleted_at is null";

const MEND: &str =
    "update room set state = 'active' where id = $1 and epoch = $2 and deleted_at is null";

/// What a load begins with; `NotFound` when there is no room.
pub async fn standing(transaction: &Transaction<'_>, key: RoomKey) -> Result<Standing, StoreError> {
    let failed = damaged_or_unavailable(key, "reading a room");
    let room = transaction.prepare_cached(ROOM).await.map_err(&failed)?;
    let row = transaction.query_opt(&room, &[&key.0]).await;
    let row = row.map_err(&failed)?.ok_or(StoreError::NotFound)?;
    let marks = transaction.prepare_cached(MARKS).await.map_err(&failed)?;
    let marks = transaction.query(&marks, &[&key.0]).await;
    let read = || -> Result<Option<Standing>, Error> {
        let state: String = row.try_get(2)?;
        let (head, newest) = (seq(row.try_get(0)?), seq(row.try_get(1)?));
        let marks: Vec<Option<Mark>> = marks?.iter().map(mark).collect::<Result<_, _>>()?;
        let marks: Option<Vec<Mark>> = marks.into_iter().collect();
        let standing = || {
            Some(Standing {
                head: head?,
                newest: newest?,
                state: RoomState::of(&state)?,
                marks: Marks(marks?),
            })
        };
        Ok(standing())
    };
    read()
        .map_err(&failed)?
        .ok_or_else(|| StoreError::damaged(key, "the room's own row"))
}

fn mark(row: &Row) -> Result<Option<Mark>, Error> {
    let place = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(Mark::read(
        place,
        row.try_get(3)?,
        row.try_get(4)?,
        row.try_get(5)?,
    ))
}

/// The load that the claim of this epoch began has ended.
pub async fn load_ended(client: &mut Object, key: RoomKey, epoch: Epoch) -> Result<(), StoreError> {
    owned(client, LOAD_ENDED, key, epoch, "ending a load").await
}

pub async fn mend(client: &mut Object, key: RoomKey, epoch: Epoch) -> Result<(), StoreError> {
    owned(client, MEND, key, epoch, "marking a room as whole").await
}

/// Runs a statement on the room's row, if it is still ours.
async fn owned(
    client: &Object,
    statement: &str,
    key: RoomKey,
    epoch: Epoch,
    doing: &'static str,
) -> Result<(), StoreError> {
    let changed = client.execute(statement, &[&key.0, &signed(epoch.0)]).await;
    match changed.map_err(unavailable(doing))? {
        0 => Err(StoreError::Fenced),
        _ => Ok(()),
    }
}

pub async fn quarantine(
    client: &mut Object,
    key: RoomKey,
    epoch: Epoch,
    parts: &[Damage],
    at: Millis,
) -> Result<(), StoreError> {
    let failed = unavailable("putting into quarantine");
    let transaction = client.transaction().await.map_err(&failed)?;
    let marked = transaction
        .execute(DEGRADE, &[&key.0, &signed(epoch.0)])
        .await
        .map_err(&failed)?;
    if marked == 0 {
        return Err(StoreError::Fenced);
    }
    for damage in parts {
        let (source, first, last) = columns(damage.part);
        // One body at a time: a damaged log may be large.
        let body = body(&transaction, key, damage.part)
            .await
            .map_err(&failed)?;
        transaction
            .execute(
                COPY,
                &[
                    &key.0,
                    &source,
                    &signed(first.0),
                    &signed(last.0),
                    &damage.reason,
                    &damage.withhold,
                    &sha(body.as_deref()),
                    &body,
                    &signed(at.0),
                ],
            )
            .await
            .map_err(&failed)?;
    }
    transaction.commit().await.map_err(failed)
}

async fn body(
    transaction: &Transaction<'_>,
    key: RoomKey,
    part: Part,
) -> Result<Option<Vec<u8>>, Error> {
    let (statement, at) = match part {
        Part::Records { first, last } if first == last => (
            "select body from room_update where room_id = $1 and seq = $2",
            first,
        ),
        Part::Snapshot(seq) => (
            "select body from room_snapshot where room_id = $1 and seq = $2",
            seq,
        ),
        Part::Records { .. } | Part::Head => return Ok(None),
    };
    let row = transaction
        .query_opt(statement, &[&key.0, &signed(at.0)])
        .await?;
    row.map(|row| row.try_get(0)).transpose()
}

pub async fn quarantined(
    client: &mut Object,
    key: RoomKey,
    after: i64,
) -> Result<Vec<Quarantined>, StoreError> {
    let failed = unavailable("reading quarantine");
    let limit = i64::try_from(MAX_PAGE_PARTS).unwrap_or(i64::MAX);
    let rows = client.query(COPIES, &[&key.0, &after, &limit]).await;
    let copies: Vec<Option<Quarantined>> = rows
        .map_err(&failed)?
        .iter()
        .map(copy)
        .collect::<Result<_, _>>()
        .map_err(&failed)?;
    let copies: Option<Vec<_>> = copies.into_iter().collect();
    copies.ok_or_else(|| StoreError::damaged(key, "a row of quarantine"))
}

fn copy(row: &Row) -> Result<Option<Quarantined>, Error> {
    let (first, last): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
    let part = part(row.try_get(1)?, first, last);
    let (id, reason, withhold) = (row.try_get(0)?, row.try_get(4)?, row.try_get(5)?);
    let (body, at): (Option<Vec<u8>>, i64) = (row.try_get(6)?, row.try_get(7)?);
    let copy = || {
        Some(Quarantined {
            id,
            part: part?,
            reason,
            withhold,
            body: body.map(Bytes::from),
            at: Millis(u64::try_from(at).ok()?),
        })
    };
    Ok(copy())
}

pub async fn renew(
    client: &mut Object,
    room: &RoomId,
    lineage: Option<Lineage>,
    above: Epoch,
) -> Result<RoomInfo, StoreError> {
    let lineage = lineage.map(|lineage| Uuid::from_bytes(lineage.0));
    let row = client
        .query_opt(RENEW, &[&room.as_str(), &signed(above.0), &lineage])
        .await
        .map_err(unavailable("renewing a room"))?;
    rooms::read(&row.ok_or(StoreError::NotFound)?)
}

pub async fn whereabouts(client: &mut Object, room: &RoomId) -> Result<Whereabouts, StoreError> {
    if let Some(info) = rooms::describe(client, room).await? {
        return Ok(Whereabouts::Here(info));
    }
    let known = client
        .query_opt("select 1 from room where name = $1", &[&room.as_str()])
        .await
        .map_err(unavailable("looking for a room"))?;
    Ok(match known {
        Some(_) => Whereabouts::Deleted,
        None => Whereabouts::Unknown,
    })
}
