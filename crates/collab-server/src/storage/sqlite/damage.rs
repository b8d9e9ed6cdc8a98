//! Quarantine, the mark of a load, and new lineages. Must not know why a part is bad.

use bytes::Bytes;
use collab_core::ids::{Epoch, Lineage, RoomId};
use collab_core::room::{Damage, Part};
use collab_core::time::Millis;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};

use super::log::{damaged_or_unavailable, signed, unavailable};
use super::{rooms, seq};
use crate::storage::assemble::Standing;
use crate::storage::damage::{MAX_PAGE_PARTS, Mark, Marks, columns, part, sha};
use crate::storage::{Quarantined, RoomInfo, RoomKey, RoomState, StoreError, Whereabouts};

const ROOM: &str =
    "select head_seq, snap_seq, state from room where id = ?1 and deleted_at is null";

const MARKS: &str = "
  select source, seq, last_seq, reason, withhold, sha256 from room_quarantine where room_id = ?1";

/// The room's own row may have been left behind its log by damage: then it names its end again.
const DEGRADE: &str = "
  update room set state = 'degraded', head_seq = max(head_seq,
    coalesce((select max(seq) from room_update where room_id = room.id), 0))
  where id = ?1 and epoch = ?2 and deleted_at is null";

const COPY: &str = "
  insert into room_quarantine (room_id, source, seq, last_seq, reason, withhold, sha256, body, at)
  values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
  on conflict (room_id, source, seq, sha256) do update set
    withhold = excluded.withhold, reason = excluded.reason
  where excluded.withhold > withhold";

const COPIES: &str = "
  select id, source, seq, last_seq, reason, withhold, body, at from room_quarantine
  where room_id = ?1 and id > ?2 order by id limit ?3";

const RENEW: &str = "
  update room set epoch = max(epoch, ?2) + 1, lineage = coalesce(?3, lineage)
  where name = ?1 and deleted_at is null
  returning id, lineage, epoch, head_seq, snap_seq, created_at, updated_at, name, state";

/// What a load begins with; `NotFound` when there is no room.
pub fn standing(connection: &Connection, key: RoomKey) -> Result<Standing, StoreError> {
    let failed = damaged_or_unavailable(key, "reading a room");
    let (head, newest, state): (i64, i64, String) = connection
        .prepare_cached(ROOM)
        .and_then(|mut room| room.query_row([key.0], |row| row.try_into()).optional())
        .map_err(&failed)?
        .ok_or(StoreError::NotFound)?;
    let marks: Vec<Option<Mark>> = connection
        .prepare_cached(MARKS)
        .and_then(|mut marks| marks.query_map([key.0], mark)?.collect())
        .map_err(&failed)?;
    let standing = || {
        Some(Standing {
            head: seq(head)?,
            newest: seq(newest)?,
            state: RoomState::of(&state)?,
            marks: Marks(marks.into_iter().collect::<Option<_>>()?),
        })
    };
    standing().ok_or_else(|| StoreError::damaged(key, "the room's own row"))
}

fn mark(row: &Row<'_>) -> rusqlite::Result<Option<Mark>> {
    let source: String = row.get(0)?;
    let place = (source.as_str(), row.get(1)?, row.get(2)?);
    Ok(Mark::read(place, row.get(3)?, row.get(4)?, row.get(5)?))
}

/// The load that the claim of this epoch began has ended.
pub fn load_ended(
    connection: &mut Connection,
    key: RoomKey,
    epoch: Epoch,
) -> Result<(), StoreError> {
    owned(
        connection,
        "update room set load_attempts = 0 where id = ?1 and epoch = ?2 and deleted_at is null",
        (key, epoch),
        "ending a load",
    )
}

pub fn mend(connection: &mut Connection, key: RoomKey, epoch: Epoch) -> Result<(), StoreError> {
    owned(
        connection,
        "update room set state = 'active' where id = ?1 and epoch = ?2 and deleted_at is null",
        (key, epoch),
        "marking a room as whole",
    )
}

/// Runs a statement on the room's row, if it is still ours.
fn owned(
    connection: &Connection,
    statement: &str,
    (key, epoch): (RoomKey, Epoch),
    doing: &'static str,
) -> Result<(), StoreError> {
    let changed = connection
        .prepare_cached(statement)
        .and_then(|mut statement| statement.execute((key.0, signed(epoch.0))))
        .map_err(unavailable(doing))?;
    match changed {
        0 => Err(StoreError::Fenced),
        _ => Ok(()),
    }
}

pub fn quarantine(
    connection: &mut Connection,
    key: RoomKey,
    epoch: Epoch,
    parts: &[Damage],
    at: Millis,
) -> Result<(), StoreError> {
    let failed = unavailable("putting into quarantine");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&failed)?;
    owned(
        &transaction,
        DEGRADE,
        (key, epoch),
        "putting into quarantine",
    )?;
    for damage in parts {
        let (source, first, last) = columns(damage.part);
        // One body at a time: a damaged log may be large. What cannot be read has no copy.
        let body = body(&transaction, key, damage.part);
        let values = (
            key.0,
            source,
            signed(first.0),
            signed(last.0),
            &damage.reason,
            damage.withhold,
            sha(body.as_deref()),
            &body,
            signed(at.0),
        );
        transaction
            .prepare_cached(COPY)
            .and_then(|mut copy| copy.execute(values))
            .map_err(&failed)?;
    }
    transaction.commit().map_err(failed)
}

fn body(connection: &Connection, key: RoomKey, part: Part) -> Option<Vec<u8>> {
    let (statement, at) = match part {
        Part::Records { first, last } if first == last => (
            "select body from room_update where room_id = ?1 and seq = ?2",
            first,
        ),
        Part::Snapshot(seq) => (
            "select body from room_snapshot where room_id = ?1 and seq = ?2",
            seq,
        ),
        Part::Records { .. } | Part::Head => return None,
    };
    let read = connection.query_row(statement, (key.0, signed(at.0)), |row| row.get(0));
    read.ok()
}

pub fn quarantined(
    connection: &mut Connection,
    key: RoomKey,
    after: i64,
) -> Result<Vec<Quarantined>, StoreError> {
    let failed = damaged_or_unavailable(key, "reading quarantine");
    let copies: Vec<Option<Quarantined>> = connection
        .prepare_cached(COPIES)
        .and_then(|mut copies| {
            let limit = i64::try_from(MAX_PAGE_PARTS).unwrap_or(i64::MAX);
            copies.query_map((key.0, after, limit), copy)?.collect()
        })
        .map_err(failed)?;
    let copies: Option<Vec<_>> = copies.into_iter().collect();
    copies.ok_or_else(|| StoreError::damaged(key, "a row of quarantine"))
}

fn copy(row: &Row<'_>) -> rusqlite::Result<Option<Quarantined>> {
    let source: String = row.get(1)?;
    let (first, last): (i64, i64) = (row.get(2)?, row.get(3)?);
    let (id, reason, withhold) = (row.get(0)?, row.get(4)?, row.get(5)?);
    let (body, at): (Option<Vec<u8>>, i64) = (row.get(6)?, row.get(7)?);
    let copy = || {
        Some(Quarantined {
            id,
            part: part(&source, first, last)?,
            reason,
            withhold,
            body: body.map(Bytes::from),
            at: Millis(u64::try_from(at).ok()?),
        })
    };
    Ok(copy())
}

pub fn renew(
    connection: &mut Connection,
    room: &RoomId,
    lineage: Option<Lineage>,
    above: Epoch,
) -> Result<RoomInfo, StoreError> {
    let lineage = lineage.map(|lineage| lineage.0);
    connection
        .prepare_cached(RENEW)
        .and_then(|mut renew| {
            let values = (room.as_str(), signed(above.0), lineage);
            renew.query_row(values, rooms::read).optional()
        })
        .map_err(unavailable("renewing a room"))?
        .ok_or(StoreError::NotFound)?
}

pub fn whereabouts(connection: &mut Connection, room: &RoomId) -> Result<Whereabouts, StoreError> {
    if let Some(info) = rooms::describe(connection, room)? {
        return Ok(Whereabouts::Here(info));
    }
    let known = connection
        .prepare_cached("select 1 from room where name = ?1")
        .and_then(|mut known| known.exists([room.as_str()]))
        .map_err(unavailable("looking for a room"))?;
    Ok(match known {
        true => Whereabouts::Deleted,
        false => Whereabouts::Unknown,
    })
}
