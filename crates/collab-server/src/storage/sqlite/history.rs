//! Versions and authors. Must not know chunks or what is inside a state.

use bytes::Bytes;
use collab_core::ids::{Epoch, Lineage, ReplicaId, Seq};
use collab_core::time::Millis;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};

use super::log::{damaged_or_unavailable, signed, unavailable};
use super::seq;
use crate::storage::history::seal::StateRow;
use crate::storage::history::{
    Author, MAX_AUTHORS, MAX_NAMED_VERSIONS, MAX_PAGE_VERSIONS, NewVersion, Version, VersionId,
    VersionKind,
};
use crate::storage::{RoomKey, StoreError};

/// What goes when a room is deleted.
pub const DELETE_ROOM: [&str; 5] = [
    "delete from room_version_state where version_id in
       (select id from room_version where room_id = ?1)",
    "delete from room_version where room_id = ?1",
    "delete from room_author where room_id = ?1",
    "delete from room_archive where room_id = ?1",
    "delete from room_base where room_id = ?1",
];

const ADD: &str = "
  insert into room_version (room_id, seq, at, kind, name, authors, insertions, deletions)
  select id, ?3, ?4, ?5, ?6, ?7, ?8, ?9 from room
  where id = ?1 and lineage = ?2 and deleted_at is null and ?3 <= head_seq
  returning id";

/// Whether the version at a place may be added: by this owner, of a whole room, and as the newest.
const MAY_ADD: &str = "
  select ?3 <= head_seq, state = 'active' and not exists
    (select 1 from room_version where room_id = ?1 and seq >= ?3), lineage
  from room where id = ?1 and epoch = ?2 and deleted_at is null";

const COLUMNS: &str = "select id, seq, at, kind, name, authors, insertions, deletions
  from room_version where room_id = ?1";

const PUT_AUTHOR: &str = "
  insert into room_author (room_id, replica, name, color, at)
  select id, ?3, ?4, ?5, ?6 from room where id = ?1 and lineage = ?2 and deleted_at is null
  on conflict (room_id, replica) do update set
    name = excluded.name, color = excluded.color, at = excluded.at";

/// Forgets the ones heard longest ago.
const TRIM_AUTHORS: &str = "
  delete from room_author where room_id = ?1 and replica in
    (select replica from room_author where room_id = ?1 order by at desc, replica
     limit -1 offset ?2)";

pub fn add(
    connection: &mut Connection,
    key: RoomKey,
    lineage: Lineage,
    new: NewVersion,
) -> Result<Version, StoreError> {
    let failed = unavailable("adding a version");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&failed)?;
    if new.kind == VersionKind::Named {
        room_for_a_name(&transaction, key)?;
    }
    let version = insert(&transaction, key, lineage, new)?;
    transaction.commit().map_err(failed)?;
    Ok(version)
}

fn insert(
    transaction: &Connection,
    key: RoomKey,
    lineage: Lineage,
    new: NewVersion,
) -> Result<Version, StoreError> {
    let id: Option<i64> = transaction
        .prepare_cached(ADD)
        .and_then(|mut add| {
            let row = (
                key.0,
                lineage.0,
                signed(new.seq.0),
                signed(new.at.0),
                new.kind.number(),
                &new.name,
                &new.authors,
                signed(new.insertions),
                signed(new.deletions),
            );
            add.query_row(row, |row| row.get(0)).optional()
        })
        .map_err(unavailable("adding a version"))?;
    let id = id.and_then(seq).ok_or(StoreError::NotFound)?;
    Ok(Version::new(VersionId(id.0), new))
}

pub fn add_automatic(
    connection: &mut Connection,
    key: RoomKey,
    epoch: Epoch,
    new: NewVersion,
) -> Result<Option<Version>, StoreError> {
    let failed = unavailable("adding a version");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&failed)?;
    let may: Option<(bool, bool, [u8; 16])> = transaction
        .prepare_cached(MAY_ADD)
        .and_then(|mut may| {
            let place = (key.0, signed(epoch.0), signed(new.seq.0));
            may.query_row(place, |row| row.try_into()).optional()
        })
        .map_err(&failed)?;
    let version = match may {
        None => return Err(StoreError::Fenced),
        Some((false, ..)) => return Err(StoreError::NotFound),
        Some((true, false, _)) => return Ok(None),
        Some((true, true, lineage)) => insert(&transaction, key, Lineage(lineage), new)?,
    };
    transaction.commit().map_err(failed)?;
    Ok(Some(version))
}

fn room_for_a_name(connection: &Connection, key: RoomKey) -> Result<(), StoreError> {
    let named: i64 = connection
        .query_row(
            "select count(*) from room_version where room_id = ?1 and kind = 1",
            [key.0],
            |row| row.get(0),
        )
        .map_err(unavailable("counting versions"))?;
    match usize::try_from(named) {
        Ok(named) if named < MAX_NAMED_VERSIONS => Ok(()),
        _ => Err(StoreError::TooLarge {
            what: "a room's list of named versions",
            bytes: MAX_NAMED_VERSIONS + 1,
            limit: MAX_NAMED_VERSIONS,
        }),
    }
}

pub fn list(
    connection: &mut Connection,
    key: RoomKey,
    before: Option<VersionId>,
    limit: usize,
) -> Result<Vec<Version>, StoreError> {
    let limit = i64::try_from(limit.min(MAX_PAGE_VERSIONS)).unwrap_or(0);
    let before = before.map_or(i64::MAX, |before| signed(before.0));
    let statement = format!("{COLUMNS} and id < ?2 order by id desc limit ?3");
    let rows = connection
        .prepare_cached(&statement)
        .and_then(|mut list| {
            let rows = list.query_map((key.0, before, limit), read)?;
            rows.collect::<Result<Vec<_>, _>>()
        })
        .map_err(unavailable("listing versions"))?;
    rows.into_iter().map(|row| known(key, row)).collect()
}

pub fn get(
    connection: &Connection,
    key: RoomKey,
    id: VersionId,
) -> Result<Option<Version>, StoreError> {
    one(connection, key, "and id = ?2", id.0)
}

pub fn at(connection: &Connection, key: RoomKey, at: Seq) -> Result<Option<Version>, StoreError> {
    let newest = "and seq <= ?2 order by seq desc, id desc limit 1";
    one(connection, key, newest, at.0)
}

fn one(
    connection: &Connection,
    key: RoomKey,
    which: &str,
    number: u64,
) -> Result<Option<Version>, StoreError> {
    let row = connection
        .prepare_cached(&format!("{COLUMNS} {which}"))
        .and_then(|mut one| one.query_row((key.0, signed(number)), read).optional())
        .map_err(unavailable("reading a version"))?;
    row.map(|row| known(key, row)).transpose()
}

pub fn name(
    connection: &mut Connection,
    key: RoomKey,
    id: VersionId,
    name: Option<&str>,
) -> Result<Option<Version>, StoreError> {
    let failed = unavailable("naming a version");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&failed)?;
    let Some(version) = get(&transaction, key, id)? else {
        return Ok(None);
    };
    if name.is_some() && version.kind != VersionKind::Named {
        room_for_a_name(&transaction, key)?;
    }
    let kind = version.kind.renamed(name);
    transaction
        .execute(
            "update room_version set name = ?3, kind = ?4 where room_id = ?1 and id = ?2",
            (key.0, signed(id.0), name, kind.number()),
        )
        .map_err(&failed)?;
    transaction.commit().map_err(failed)?;
    Ok(Some(Version {
        kind,
        name: name.map(str::to_owned),
        ..version
    }))
}

pub fn delete(
    connection: &mut Connection,
    key: RoomKey,
    id: VersionId,
) -> Result<bool, StoreError> {
    // The kept state goes with it, by its foreign key.
    connection
        .execute(
            "delete from room_version where room_id = ?1 and id = ?2",
            (key.0, signed(id.0)),
        )
        .map(|rows| rows == 1)
        .map_err(unavailable("deleting a version"))
}

pub fn forget(connection: &mut Connection, key: RoomKey, below: Seq) -> Result<u64, StoreError> {
    connection
        .execute(
            "delete from room_version where room_id = ?1 and seq < ?2 and kind <> 1",
            (key.0, signed(below.0)),
        )
        .map(|rows| rows as u64)
        .map_err(unavailable("forgetting versions"))
}

pub fn keep_state(
    connection: &mut Connection,
    key: RoomKey,
    id: VersionId,
    state: &StateRow,
) -> Result<(), StoreError> {
    let kept = connection
        .execute(
            "insert or replace into room_version_state (version_id, n_bytes, sha256, body)
             select id, ?3, ?4, ?5 from room_version where room_id = ?1 and id = ?2",
            (
                key.0,
                signed(id.0),
                signed(state.n_bytes),
                &state.sha256,
                &state.body[..],
            ),
        )
        .map_err(unavailable("keeping a version's state"))?;
    match kept {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

pub fn kept_state(
    connection: &mut Connection,
    key: RoomKey,
    id: VersionId,
) -> Result<Option<StateRow>, StoreError> {
    let row = connection
        .query_row(
            "select n_bytes, sha256, body from room_version_state
             where version_id = (select id from room_version where room_id = ?1 and id = ?2)",
            (key.0, signed(id.0)),
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()
        .map_err(damaged_or_unavailable(key, "reading a version's state"))?;
    row.map(|row| state_row(key, row)).transpose()
}

/// Size, seal and body.
pub fn state_row(
    key: RoomKey,
    (n_bytes, sha256, body): (i64, Vec<u8>, Vec<u8>),
) -> Result<StateRow, StoreError> {
    Ok(StateRow {
        n_bytes: u64::try_from(n_bytes)
            .map_err(|_| StoreError::damaged(key, "a kept state's own row"))?,
        sha256,
        body: Bytes::from(body),
    })
}

pub fn put_authors(
    connection: &mut Connection,
    key: RoomKey,
    lineage: Lineage,
    authors: &[Author],
) -> Result<(), StoreError> {
    let failed = unavailable("remembering authors");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&failed)?;
    for author in authors {
        let row = (
            key.0,
            lineage.0,
            signed(author.replica.get()),
            &author.name,
            &author.color,
            signed(author.at.0),
        );
        transaction
            .prepare_cached(PUT_AUTHOR)
            .and_then(|mut put| put.execute(row))
            .map_err(&failed)?;
    }
    let most = i64::try_from(MAX_AUTHORS).unwrap_or(i64::MAX);
    transaction
        .prepare_cached(TRIM_AUTHORS)
        .and_then(|mut trim| trim.execute((key.0, most)))
        .map_err(&failed)?;
    transaction.commit().map_err(failed)
}

pub fn authors(connection: &mut Connection, key: RoomKey) -> Result<Vec<Author>, StoreError> {
    let rows: Vec<(i64, String, String, i64)> = connection
        .prepare_cached(
            "select replica, name, color, at from room_author where room_id = ?1 order by replica",
        )
        .and_then(|mut list| {
            let rows = list.query_map([key.0], |row| row.try_into())?;
            rows.collect()
        })
        .map_err(unavailable("reading authors"))?;
    let read = |(replica, name, color, at)| {
        Some(Author {
            replica: ReplicaId::new(seq(replica)?.0)?,
            name,
            color,
            at: Millis(seq(at)?.0),
        })
    };
    rows.into_iter()
        .map(|row| read(row).ok_or_else(|| StoreError::damaged(key, "an author's own row")))
        .collect()
}

fn known(key: RoomKey, row: Option<Version>) -> Result<Version, StoreError> {
    row.ok_or_else(|| StoreError::damaged(key, "a version's own row"))
}

/// `None` when a number cannot be what was written.
fn read(row: &Row<'_>) -> rusqlite::Result<Option<Version>> {
    let numbers: [i64; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
    let counts: [i64; 2] = [row.get(6)?, row.get(7)?];
    let (name, authors) = (row.get(4)?, row.get(5)?);
    let read = || {
        let [id, place, at, kind] = numbers;
        let [insertions, deletions] = counts;
        Some(Version {
            id: VersionId(seq(id)?.0),
            seq: seq(place)?,
            at: Millis(seq(at)?.0),
            kind: VersionKind::from_number(kind)?,
            name,
            authors,
            insertions: seq(insertions)?.0,
            deletions: seq(deletions)?.0,
        })
    };
    Ok(read())
}
