//! A SQLite file as the source and the target of a backup. Must not know what is inside an update.
//!
//! The source is read in one read transaction on a connection of its own: in WAL mode it sees one
//! moment, beside a server that goes on writing (whose write-ahead log grows meanwhile). The target
//! is built under another name and takes its own only when it is whole, so that a restore that
//! fails leaves nothing behind.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use collab_core::time::Millis;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::format::{BadBackup, Header, Next, Reader, TableHead, Total, Writer};
use super::tables::copied;
use super::value::{TableDigest, Value};
use super::{BackupError, EPOCH_JUMP, Lineages, Progress, Trouble};
use crate::storage::inspect::unfit_version;
use crate::storage::migrate::{self, SQLITE};
use crate::storage::sqlite::{FolderLock, inspect};
use crate::storage::{DatabaseUrl, OpenError};

const UNTOUCHED: &str = "no backup was written; see what `collab fsck` says";
const NOT_RESTORED: &str = "nothing was restored";

/// For a file that is thrown away unless everything goes well.
const BUILDING: &str = "
  pragma journal_mode = off;
  pragma synchronous = off;
  pragma locking_mode = exclusive;
  pragma foreign_keys = off;        -- checked at the end, all at once
  pragma cache_size = -65536;
";

/// Writes every row of one moment.
pub(super) fn save<W: Write>(
    path: &Path,
    writer: &mut Writer<W>,
    now: Millis,
    progress: Progress<'_>,
) -> Result<Header, Trouble> {
    let failed = database("reading", UNTOUCHED);
    let mut connection = inspect::existing(path)?;
    // The moment is that of the first read inside.
    let moment = connection.transaction().map_err(&failed)?;
    let known = SQLITE.last().map_or(0, |step| step.version);
    let version = inspect::version(&moment).map_err(&failed)?;
    let schema = match version {
        // Tables of an older program are copied as they are.
        Some(version) if version <= known => version,
        other => {
            return Err(OpenError::Unusable {
                url: DatabaseUrl::Sqlite(path.to_owned()),
                why: unfit_version(other, known).unwrap_or_default(),
            }
            .into());
        }
    };
    let number = |sql: &str| {
        let number = moment.query_row(sql, (), |row| row.get::<_, i64>(0));
        number.map(|number| u64::try_from(number).unwrap_or(0))
    };
    let header = Header {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        database: "sqlite".to_owned(),
        schema,
        at: now.0,
        rooms: number("select count(*) from room where deleted_at is null").map_err(&failed)?,
        about_bytes: number(
            "select page_count * page_size from pragma_page_count, pragma_page_size",
        )
        .map_err(&failed)?,
    };
    writer.header(&header).map_err(Trouble::Writing)?;
    for table in copied() {
        let columns = columns(&moment, table).map_err(&failed)?;
        if columns.is_empty() {
            // Not there yet at this version.
            continue;
        }
        let head = TableHead {
            table: table.to_owned(),
            columns,
        };
        writer.table(&head).map_err(Trouble::Writing)?;
        rows(&moment, &head, UNTOUCHED, |row| {
            writer.row(&row).map_err(Trouble::Writing)?;
            progress(writer.bytes(), header.about_bytes);
            Ok(())
        })?;
    }
    Ok(header)
}

/// Builds the database, checks it, and puts it in its place.
pub(super) fn restore<R: Read>(
    reader: &mut Reader<R>,
    path: &Path,
    lineages: Lineages,
    progress: Progress<'_>,
) -> Result<Vec<Total>, Trouble> {
    let lock = FolderLock::take(path)?;
    must_be_empty(path)?;
    let file = |doing| {
        move |why| BackupError::File {
            doing,
            path: path.to_owned(),
            why,
        }
    };
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let building = tempfile::Builder::new()
        .prefix(".collab-restore-")
        .suffix(".unfinished")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(folder)
        .map_err(file("write a file beside"))?;
    let totals = build(reader, building.path(), path, lineages, progress)?;
    building
        .as_file()
        .sync_all()
        .map_err(file("write a file beside"))?;
    building
        .persist(path)
        .map_err(|error| file("name")(error.error))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(file("name"))?;
    drop(lock);
    Ok(totals)
}

/// Whether there is nothing at this path that a restore would take away.
fn must_be_empty(path: &Path) -> Result<(), Trouble> {
    if !path.exists() {
        return Ok(());
    }
    let failed = database("looking for rooms", NOT_RESTORED);
    let connection = inspect::existing(path)?;
    for table in copied() {
        let there = !columns(&connection, table).map_err(&failed)?.is_empty();
        let sql = format!("select 1 from {} limit 1", quoted(table));
        if there
            && connection
                .prepare(&sql)
                .and_then(|mut any| any.exists(()))
                .map_err(&failed)?
        {
            return Err(BackupError::NotEmpty {
                url: DatabaseUrl::Sqlite(path.to_owned()),
            }
            .into());
        }
    }
    let foreign: bool = connection
        .query_row(
            "select count(*) > 0 and not exists
               (select 1 from sqlite_schema where name = 'schema_migrations')
             from sqlite_schema",
            (),
            |row| row.get(0),
        )
        .map_err(&failed)?;
    if foreign {
        let why = unfit_version(None, 0).unwrap_or_default();
        let url = DatabaseUrl::Sqlite(path.to_owned());
        return Err(OpenError::Unusable { url, why }.into());
    }
    // The last connection folds the write-ahead log into the file and removes it.
    drop(connection);
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if PathBuf::from(log).exists() {
        let path = path.to_owned();
        let why = "another program has it open: close that first".to_owned();
        return Err(OpenError::File { path, why }.into());
    }
    Ok(())
}

fn build<R: Read>(
    reader: &mut Reader<R>,
    building: &Path,
    path: &Path,
    lineages: Lineages,
    progress: Progress<'_>,
) -> Result<Vec<Total>, Trouble> {
    let migrated = |error| OpenError::Migration {
        url: DatabaseUrl::Sqlite(path.to_owned()),
        error,
    };
    let failed = database("restoring", NOT_RESTORED);
    let mut connection = Connection::open(building).map_err(&failed)?;
    connection.execute_batch(BUILDING).map_err(&failed)?;
    // Rows go into tables as they were; what later migrations do to rows, they do to these.
    migrate::sqlite(&mut connection, known_at(reader.header().schema)?).map_err(migrated)?;
    let transaction = connection.transaction().map_err(&failed)?;
    let heads = insert(&transaction, reader, progress)?;
    for (head, total) in heads.iter().zip(reader.totals()) {
        let (mut count, mut digest) = (0, TableDigest::default());
        rows(&transaction, head, NOT_RESTORED, |row| {
            count += 1;
            digest.add(&encoded(&row));
            Ok(())
        })?;
        if (count, digest.to_string()) != (total.rows, total.digest.clone()) {
            return Err(Trouble::Database {
                doing: "reading back what was restored",
                why: format!("table {} is not what was written", head.table),
                after: NOT_RESTORED,
            });
        }
    }
    transaction
        .execute("update room set epoch = epoch + ?1", [EPOCH_JUMP])
        .map_err(&failed)?;
    if lineages == Lineages::New {
        transaction
            .execute("update room set lineage = randomblob(16)", ())
            .map_err(&failed)?;
    }
    transaction.commit().map_err(&failed)?;
    migrate::sqlite(&mut connection, SQLITE).map_err(migrated)?;
    let wrong = |sql: &str| {
        let mut check = connection.prepare(sql)?;
        let mut found = check.query(())?;
        let mut lines = Vec::new();
        while let Some(row) = found.next()? {
            lines.push(format!("{:?}", row.get_ref(0)?.as_str().unwrap_or("?")));
        }
        lines.retain(|line| line != "\"ok\"");
        Ok(lines.into_iter().next())
    };
    for check in ["pragma foreign_key_check", "pragma quick_check(1)"] {
        if let Some(what) = wrong(check).map_err(&failed)? {
            return Err(Trouble::Database {
                doing: "checking what was restored",
                why: format!("{check} says {what}"),
                after: NOT_RESTORED,
            });
        }
    }
    connection.close().map_err(|(_, error)| failed(error))?;
    Ok(reader.totals().to_vec())
}

/// The migrations that had been applied where the backup was made.
fn known_at(schema: i64) -> Result<&'static [migrate::Migration], BadBackup> {
    let steps = SQLITE.partition_point(|step| step.version <= schema);
    let newest = SQLITE.last().map_or(0, |step| step.version);
    if schema > newest {
        return Err(BadBackup::Newer(format!(
            "its tables are at version {schema}, this program knows versions up to {newest}"
        )));
    }
    Ok(SQLITE.get(..steps).unwrap_or_default())
}

fn insert<R: Read>(
    connection: &Connection,
    reader: &mut Reader<R>,
    progress: Progress<'_>,
) -> Result<Vec<TableHead>, Trouble> {
    let failed = database("restoring", NOT_RESTORED);
    let about = reader.header().about_bytes;
    let mut heads: Vec<TableHead> = Vec::new();
    let mut statement = None;
    loop {
        match reader.next_part()? {
            Next::End => return Ok(heads),
            Next::Table(head) => {
                let known = columns(connection, &head.table).map_err(&failed)?;
                fits(&head, &known, &heads)?;
                let names: Vec<String> = head.columns.iter().map(|name| quoted(name)).collect();
                let sql = format!(
                    "insert into {} ({}) values ({})",
                    quoted(&head.table),
                    names.join(", "),
                    vec!["?"; names.len()].join(", ")
                );
                statement = Some(connection.prepare(&sql).map_err(&failed)?);
                heads.push(head);
            }
            Next::Row(cells) => {
                if let Some(statement) = &mut statement {
                    statement
                        .execute(params_from_iter(&cells))
                        .map_err(&failed)?;
                }
                progress(reader.bytes(), about);
            }
        }
    }
}

/// Whether a table of a backup is one that the database has, and comes once.
pub(super) fn fits(
    head: &TableHead,
    known: &[String],
    before: &[TableHead],
) -> Result<(), BadBackup> {
    let table = &head.table;
    if !copied().any(|name| name == table) || known.is_empty() {
        return Err(BadBackup::Damaged(format!(
            "there is no table {table:?} at its version"
        )));
    }
    if before.iter().any(|head| head.table == *table) {
        return Err(BadBackup::Damaged(format!("table {table} comes twice")));
    }
    if let Some(column) = head.columns.iter().find(|name| !known.contains(name)) {
        return Err(BadBackup::Damaged(format!(
            "table {table} has no column {column:?} at its version"
        )));
    }
    Ok(())
}

/// The columns of a table, in its own order; none when there is no such table.
fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut columns = connection.prepare("select name from pragma_table_info(?1)")?;
    let names = columns.query_map([table], |row| row.get(0))?;
    names.collect()
}

/// Hands over every row of a table.
fn rows(
    connection: &Connection,
    head: &TableHead,
    after: &'static str,
    mut each: impl FnMut(Vec<Value>) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let failed = database("reading", after);
    let names: Vec<String> = head.columns.iter().map(|name| quoted(name)).collect();
    let sql = format!("select {} from {}", names.join(", "), quoted(&head.table));
    let mut statement = connection.prepare(&sql).map_err(&failed)?;
    let mut found = statement.query(()).map_err(&failed)?;
    while let Some(row) = found.next().map_err(&failed)? {
        let cells = (0..head.columns.len()).map(|column| {
            let value = row.get_ref(column).map_err(&failed)?;
            cell(value).ok_or_else(|| Trouble::Database {
                doing: "reading",
                why: format!("a text in table {} is not UTF-8", head.table),
                after,
            })
        });
        each(cells.collect::<Result<Vec<_>, _>>()?)?;
    }
    Ok(())
}

fn cell(value: ValueRef<'_>) -> Option<Value> {
    Some(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(std::str::from_utf8(text).ok()?.to_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Real(number) => ValueRef::Real(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A row's bytes, as a digest takes them.
pub(super) fn encoded(row: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for cell in row {
        // What is too long to be said was never written.
        let _ = cell.encode(&mut out);
    }
    out
}

/// An identifier, whatever is in it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn database(doing: &'static str, after: &'static str) -> impl Fn(rusqlite::Error) -> Trouble {
    move |error| Trouble::Database {
        doing,
        why: error.to_string(),
        after,
    }
}
