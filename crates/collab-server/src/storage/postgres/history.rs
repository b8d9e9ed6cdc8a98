//! Versions and authors. Must not know chunks or what is inside a state.

use bytes::Bytes;
use collab_core::ids::{Epoch, Lineage, ReplicaId, Seq};
use collab_core::time::Millis;
use deadpool_postgres::{GenericClient, Object};
use tokio_postgres::{Error, Row};
use uuid::Uuid;

use super::{damaged_or_unavailable, seq, signed, unavailable};
use crate::storage::history::seal::StateRow;
use crate::storage::history::{
    Author, MAX_AUTHORS, MAX_NAMED_VERSIONS, MAX_PAGE_VERSIONS, NewVersion, Version, VersionId,
    VersionKind,
};
use crate::storage::{RoomKey, StoreError};

/// What goes when a room is deleted. Kept states go with their versions.
pub const DELETE_ROOM: [&str; 4] = [
    "delete from room_version where room_id = $1",
    "delete from room_author where room_id = $1",
    "delete from room_archive where room_id = $1",
    "delete from room_base where room_id = $1",
];

const ADD: &str = "
  insert into room_version (room_id, seq, at, kind, name, authors, insertions, deletions)
  select id, $3, $4, $5, $6, $7, $8, $9 from room
  where id = $1 and lineage = $2 and deleted_at is null and $3 <= head_seq
  returning id";

/// The room of this owner, held until the end of the transaction: of two who add at once, the second one
/// sees what the first one added.
const HELD: &str = "
  select lineage, $3 <= head_seq, state = 'active' from room
  where id = $1 and epoch = $2 and deleted_at is null for no key update";

const IS_THERE: &str =
    "select exists (select 1 from room_version where room_id = $1 and seq >= $2)";

const COLUMNS: &str = "select id, seq, at, kind, name, authors, insertions, deletions
  from room_version where room_id = $1";

const PUT_AUTHOR: &str = "
  insert into room_author (room_id, replica, name, color, at)
  select id, $3, $4, $5, $6 from room where id = $1 and lineage = $2 and deleted_at is null
  on conflict (room_id, replica) do update set
    name = excluded.name, color = excluded.color, at = excluded.at";

/// Forgets the ones heard longest ago.
const TRIM_AUTHORS: &str = "
  delete from room_author where room_id = $1 and replica in
    (select replica from room_author where room_id = $1 order by at desc, replica offset $2)";

pub async fn add(
    client: &mut Object,
    key: RoomKey,
    lineage: Lineage,
    new: NewVersion,
) -> Result<Version, StoreError> {
    if new.kind == VersionKind::Named {
        room_for_a_name(client, key).await?;
    }
    insert(&*client, key, lineage, new).await
}

async fn insert(
    client: &impl GenericClient,
    key: RoomKey,
    lineage: Lineage,
    new: NewVersion,
) -> Result<Version, StoreError> {
    let failed = unavailable("adding a version");
    let row = client
        .query_opt(
            ADD,
            &[
                &key.0,
                &Uuid::from_bytes(lineage.0),
                &signed(new.seq.0),
                &signed(new.at.0),
                &i16::from(new.kind.number()),
                &new.name,
                &new.authors,
                &signed(new.insertions),
                &signed(new.deletions),
            ],
        )
        .await
        .map_err(&failed)?
        .ok_or(StoreError::NotFound)?;
    let id = row.try_get(0).map(seq).map_err(failed)?;
    let id = id.ok_or_else(|| StoreError::damaged(key, "a version's own row"))?;
    Ok(Version::new(VersionId(id.0), new))
}

pub async fn add_automatic(
    client: &mut Object,
    key: RoomKey,
    epoch: Epoch,
    new: NewVersion,
) -> Result<Option<Version>, StoreError> {
    let failed = unavailable("adding a version");
    let transaction = client.transaction().await.map_err(&failed)?;
    let place = signed(new.seq.0);
    let held = transaction
        .query_opt(HELD, &[&key.0, &signed(epoch.0), &place])
        .await
        .map_err(&failed)?
        .ok_or(StoreError::Fenced)?;
    let columns = || -> Result<(Uuid, bool, bool), Error> {
        Ok((held.try_get(0)?, held.try_get(1)?, held.try_get(2)?))
    };
    let (lineage, inside, whole) = columns().map_err(&failed)?;
    if !inside {
        return Err(StoreError::NotFound);
    }
    let is_there: bool = transaction
        .query_one(IS_THERE, &[&key.0, &place])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(&failed)?;
    if is_there || !whole {
        return Ok(None);
    }
    let lineage = Lineage(*lineage.as_bytes());
    let version = insert(&transaction, key, lineage, new).await?;
    transaction.commit().await.map_err(failed)?;
    Ok(Some(version))
}

/// Two who name at once may end with one more than the limit.
async fn room_for_a_name(client: &Object, key: RoomKey) -> Result<(), StoreError> {
    let failed = unavailable("counting versions");
    let row = client
        .query_one(
            "select count(*) from room_version where room_id = $1 and kind = 1",
            &[&key.0],
        )
        .await
        .map_err(&failed)?;
    let named: i64 = row.try_get(0).map_err(failed)?;
    match usize::try_from(named) {
        Ok(named) if named < MAX_NAMED_VERSIONS => Ok(()),
        _ => Err(StoreError::TooLarge {
            what: "a room's list of named versions",
            bytes: MAX_NAMED_VERSIONS + 1,
            limit: MAX_NAMED_VERSIONS,
        }),
    }
}

pub async fn list(
    client: &mut Object,
    key: RoomKey,
    before: Option<VersionId>,
    limit: usize,
) -> Result<Vec<Version>, StoreError> {
    let limit = i64::try_from(limit.min(MAX_PAGE_VERSIONS)).unwrap_or(0);
    let before = before.map_or(i64::MAX, |before| signed(before.0));
    let rows = client
        .query(
            &format!("{COLUMNS} and id < $2 order by id desc limit $3"),
            &[&key.0, &before, &limit],
        )
        .await
        .map_err(unavailable("listing versions"))?;
    rows.iter().map(|row| read(key, row)).collect()
}

pub async fn get(
    client: &Object,
    key: RoomKey,
    id: VersionId,
) -> Result<Option<Version>, StoreError> {
    one(client, key, "and id = $2", id.0).await
}

pub async fn at(client: &Object, key: RoomKey, at: Seq) -> Result<Option<Version>, StoreError> {
    let newest = "and seq <= $2 order by seq desc, id desc limit 1";
    one(client, key, newest, at.0).await
}

async fn one(
    client: &Object,
    key: RoomKey,
    which: &str,
    number: u64,
) -> Result<Option<Version>, StoreError> {
    let row = client
        .query_opt(&format!("{COLUMNS} {which}"), &[&key.0, &signed(number)])
        .await
        .map_err(unavailable("reading a version"))?;
    row.as_ref().map(|row| read(key, row)).transpose()
}

pub async fn name(
    client: &mut Object,
    key: RoomKey,
    id: VersionId,
    name: Option<&str>,
) -> Result<Option<Version>, StoreError> {
    let failed = unavailable("naming a version");
    let Some(version) = get(client, key, id).await? else {
        return Ok(None);
    };
    if name.is_some() && version.kind != VersionKind::Named {
        room_for_a_name(client, key).await?;
    }
    let kind = version.kind.renamed(name);
    let renamed = client
        .execute(
            "update room_version set name = $3, kind = $4 where room_id = $1 and id = $2",
            &[&key.0, &signed(id.0), &name, &i16::from(kind.number())],
        )
        .await
        .map_err(failed)?;
    Ok((renamed == 1).then(|| Version {
        kind,
        name: name.map(str::to_owned),
        ..version
    }))
}

pub async fn delete(client: &mut Object, key: RoomKey, id: VersionId) -> Result<bool, StoreError> {
    client
        .execute(
            "delete from room_version where room_id = $1 and id = $2",
            &[&key.0, &signed(id.0)],
        )
        .await
        .map(|rows| rows == 1)
        .map_err(unavailable("deleting a version"))
}

pub async fn forget(client: &mut Object, key: RoomKey, below: Seq) -> Result<u64, StoreError> {
    client
        .execute(
            "delete from room_version where room_id = $1 and seq < $2 and kind <> 1",
            &[&key.0, &signed(below.0)],
        )
        .await
        .map_err(unavailable("forgetting versions"))
}

pub async fn keep_state(
    client: &mut Object,
    key: RoomKey,
    id: VersionId,
    state: &StateRow,
) -> Result<(), StoreError> {
    let kept = client
        .execute(
            "insert into room_version_state (version_id, n_bytes, sha256, body)
             select id, $3, $4, $5 from room_version where room_id = $1 and id = $2
             on conflict (version_id) do update set
               n_bytes = excluded.n_bytes, sha256 = excluded.sha256, body = excluded.body",
            &[
                &key.0,
                &signed(id.0),
                &signed(state.n_bytes),
                &state.sha256,
                &&state.body[..],
            ],
        )
        .await
        .map_err(unavailable("keeping a version's state"))?;
    match kept {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

pub async fn kept_state(
    client: &mut Object,
    key: RoomKey,
    id: VersionId,
) -> Result<Option<StateRow>, StoreError> {
    let failed = damaged_or_unavailable(key, "reading a version's state");
    let row = client
        .query_opt(
            "select n_bytes, sha256, body from room_version_state
             where version_id = (select id from room_version where room_id = $1 and id = $2)",
            &[&key.0, &signed(id.0)],
        )
        .await
        .map_err(&failed)?;
    row.map(|row| state_row(key, &row, 0)).transpose()
}

/// Size, seal and body, from a column on.
pub fn state_row(key: RoomKey, row: &Row, from: usize) -> Result<StateRow, StoreError> {
    let columns = || -> Result<_, Error> {
        let body: Vec<u8> = row.try_get(from + 2)?;
        Ok((row.try_get(from)?, row.try_get(from + 1)?, body))
    };
    let (n_bytes, sha256, body): (i64, Vec<u8>, _) =
        columns().map_err(damaged_or_unavailable(key, "reading a kept state"))?;
    Ok(StateRow {
        n_bytes: u64::try_from(n_bytes)
            .map_err(|_| StoreError::damaged(key, "a kept state's own row"))?,
        sha256,
        body: Bytes::from(body),
    })
}

pub async fn put_authors(
    client: &mut Object,
    key: RoomKey,
    lineage: Lineage,
    authors: &[Author],
) -> Result<(), StoreError> {
    let failed = unavailable("remembering authors");
    let transaction = client.transaction().await.map_err(&failed)?;
    let lineage = Uuid::from_bytes(lineage.0);
    for author in authors {
        let (replica, at) = (signed(author.replica.get()), signed(author.at.0));
        transaction
            .execute(
                PUT_AUTHOR,
                &[&key.0, &lineage, &replica, &author.name, &author.color, &at],
            )
            .await
            .map_err(&failed)?;
    }
    let most = i64::try_from(MAX_AUTHORS).unwrap_or(i64::MAX);
    transaction
        .execute(TRIM_AUTHORS, &[&key.0, &most])
        .await
        .map_err(&failed)?;
    transaction.commit().await.map_err(failed)
}

pub async fn authors(client: &mut Object, key: RoomKey) -> Result<Vec<Author>, StoreError> {
    let failed = unavailable("reading authors");
    let rows = client
        .query(
            "select replica, name, color, at from room_author
             where room_id = $1 order by replica",
            &[&key.0],
        )
        .await
        .map_err(&failed)?;
    let mut authors = Vec::with_capacity(rows.len());
    for row in &rows {
        let replica = row.try_get(0).map(seq).map_err(&failed)?;
        let at = row.try_get(3).map(seq).map_err(&failed)?;
        let replica = replica.and_then(|replica| ReplicaId::new(replica.0));
        let damaged = || StoreError::damaged(key, "an author's own row");
        authors.push(Author {
            replica: replica.ok_or_else(damaged)?,
            name: row.try_get(1).map_err(&failed)?,
            color: row.try_get(2).map_err(&failed)?,
            at: Millis(at.ok_or_else(damaged)?.0),
        });
    }
    Ok(authors)
}

fn read(key: RoomKey, row: &Row) -> Result<Version, StoreError> {
    let columns = || -> Result<_, Error> {
        let numbers: [i64; 3] = [row.try_get(0)?, row.try_get(1)?, row.try_get(2)?];
        let kind: i16 = row.try_get(3)?;
        let counts: [i64; 2] = [row.try_get(6)?, row.try_get(7)?];
        Ok((numbers, kind, row.try_get(4)?, row.try_get(5)?, counts))
    };
    let (numbers, kind, name, authors, counts) =
        columns().map_err(unavailable("reading a version"))?;
    let version = || {
        let [id, place, at] = numbers.map(seq);
        let [insertions, deletions] = counts.map(seq);
        Some(Version {
            id: VersionId(id?.0),
            seq: place?,
            at: Millis(at?.0),
            kind: VersionKind::from_number(i64::from(kind))?,
            name,
            authors,
            insertions: insertions?.0,
            deletions: deletions?.0,
        })
    };
    version().ok_or_else(|| StoreError::damaged(key, "a version's own row"))
}
