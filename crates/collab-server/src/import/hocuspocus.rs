//! The SQLite file of `@hocuspocus/extension-sqlite`: a table `documents` of names and whole states.
//! Must not know rooms.

use std::path::Path;

use bytes::Bytes;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{BadSource, Documents, Found, MAX_DOCUMENT_BYTES};

/// Lines in which SQLite may say what is wrong with its file.
const MAX_LINES: usize = 20;

/// See the module.
pub(super) fn open(path: &Path) -> Result<Documents, BadSource> {
    if !path.is_file() {
        let why = "is not a file; name the SQLite database of the Hocuspocus server";
        return Err(BadSource::new(path, why));
    }
    let unreadable = |error: rusqlite::Error| {
        if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) {
            let why = format!(
                "is damaged: {error}; use a sound copy, or what `sqlite3 FILE .recover` makes of it"
            );
            return BadSource::new(path, why);
        }
        let why = format!(
            "cannot be read as a Hocuspocus database: {error}; it must have a table documents(name, data)"
        );
        BadSource::new(path, why)
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(unreadable)?;
    // One moment of the file, whoever writes to it meanwhile.
    connection
        .execute_batch("pragma trusted_schema = off; pragma cell_size_check = on; begin")
        .map_err(unreadable)?;
    let damage = check(&connection).map_err(unreadable)?;
    let rows: Vec<(i64, Option<String>)> = connection
        .prepare("select rowid, name from documents order by name")
        .and_then(|mut rows| {
            let rows = rows.query_map((), |row| {
                let name = row.get_ref(1)?.as_str().ok().map(str::to_owned);
                Ok((row.get(0)?, name))
            })?;
            rows.collect()
        })
        .map_err(unreadable)?;
    Ok(Documents {
        count: rows.len() as u64,
        damage,
        documents: Box::new(rows.into_iter().map(move |(row, name)| {
            let mut found = Found {
                name: name.unwrap_or_default(),
                ..Found::default()
            };
            match state(&connection, row) {
                Ok(Ok(state)) => found.updates.extend(state),
                Ok(Err(why)) => found.damage.push(why.to_owned()),
                Err(error) => found.damage.push(format!("it cannot be read: {error}")),
            }
            found
        })),
    })
}

/// What SQLite finds wrong with the file.
fn check(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = connection.prepare(&format!("pragma quick_check({MAX_LINES})"))?;
    let lines = check.query_map((), |row| row.get::<_, String>(0))?;
    let mut lines: Vec<String> = lines.collect::<Result<_, _>>()?;
    lines.retain(|line| line != "ok");
    Ok(lines)
}

/// A row's state; none in a row without one.
fn state(
    connection: &Connection,
    row: i64,
) -> rusqlite::Result<Result<Option<Bytes>, &'static str>> {
    let mut state = connection.prepare_cached("select data from documents where rowid = ?1")?;
    state.query_row([row], |row| {
        Ok(match row.get_ref(0)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(state) if state.len() > MAX_DOCUMENT_BYTES => {
                Err("it has more than 256 MiB")
            }
            ValueRef::Blob(state) => Ok(Some(Bytes::copy_from_slice(state))),
            _ => Err("its data is not a blob"),
        })
    })
}
