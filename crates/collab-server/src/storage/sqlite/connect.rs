//! A SQLite connection set up so that a commit is on the disk when it returns. Must not know
//! tables.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::storage::open::OpenError;

/// How long a connection waits for another one's lock. Only migrations and checkpoints meet; at
/// the limit the call is `Unavailable`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Older versions can corrupt a write-ahead log when it is reset (3.7.0 to 3.51.2).
const OLDEST_SQLITE: i32 = 3_051_003;

const PRAGMAS: &str = "
  pragma synchronous = full;          -- a commit returns after the disk has it
  pragma fullfsync = on;              -- macOS: not just handed to the drive; elsewhere no effect
  pragma checkpoint_fullfsync = on;
  pragma foreign_keys = on;
  pragma cell_size_check = on;        -- finds damaged pages when they are read
  pragma trusted_schema = off;
  pragma mmap_size = 0;               -- an I/O error must be an error, not a signal
  pragma wal_autocheckpoint = 4000;   -- the last resort: the writer's thread does it before
  pragma journal_size_limit = 67108864;
";

/// Opens a database file, making it when it is missing (not its folder).
pub fn connect(path: &Path) -> Result<Connection, OpenError> {
    let failed = |error| unusable(path, error);
    if rusqlite::version_number() < OLDEST_SQLITE {
        let version = rusqlite::version();
        return Err(failed(format!("SQLite {version} is older than 3.51.3")));
    }
    // Without SQLITE_OPEN_URI: a path that starts with `file:` is a path.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| failed(e.to_string()))?;
    set_up(&connection)
        .map_err(|error| failed(error.to_string()))?
        .map_err(failed)?;
    Ok(connection)
}

/// Makes a connection refuse to write.
pub fn read_only(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    connection
        .pragma_update(None, "query_only", true)
        .map_err(|error| unusable(path, error))
}

/// Why a file cannot serve as a database.
pub fn unusable(path: &Path, why: impl ToString) -> OpenError {
    OpenError::File {
        path: path.to_owned(),
        why: why.to_string(),
    }
}

/// The inner error is a setting that did not take.
fn set_up(connection: &Connection) -> rusqlite::Result<Result<(), String>> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.execute_batch(PRAGMAS)?;
    let journal = switch_to_wal(connection)?;
    if journal != "wal" {
        return Ok(Err(format!(
            "SQLite keeps journal mode `{journal}`; the folder must be on a local disk that allows `wal`"
        )));
    }
    let synchronous: i64 = connection.query_row("pragma synchronous", (), |row| row.get(0))?;
    if synchronous != 2 {
        return Ok(Err("SQLite does not take `synchronous = full`".into()));
    }
    Ok(Ok(()))
}

/// Turns the write-ahead log on and returns the mode the file has then. While another connection
/// does the same, SQLite says "busy" at once instead of waiting; an empty transaction waits for it.
fn switch_to_wal(connection: &Connection) -> rusqlite::Result<String> {
    let give_up = Instant::now() + BUSY_TIMEOUT;
    loop {
        let mode = connection.query_row("pragma journal_mode = wal", (), |row| row.get(0));
        match mode {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < give_up =>
            {
                connection.execute_batch("begin immediate; commit")?;
            }
            result => return result,
        }
    }
}
