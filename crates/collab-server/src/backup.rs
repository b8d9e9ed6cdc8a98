//! Saves a whole database into one file while servers write to it, and restores it, into either
//! kind of database. Must not know what is inside an update, nor the command line.
//!
//! What is saved is one moment of the database: a snapshot that the database itself keeps for us
//! (a read transaction beside the server on SQLite, repeatable read on Postgres). What is restored
//! is read back and compared, row by row, before it counts.

pub mod format;
pub mod postgres;
pub mod sqlite;
pub mod tables;
pub mod value;

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use collab_core::time::Millis;

use self::format::{Header, Reader, Total, Writer};
use crate::storage::{DatabaseUrl, OpenError, OpenOptions};

/// How far every room's epoch jumps in a restored database: further than any owner of the time
/// before can have come, so that all of them are fenced.
pub const EPOCH_JUMP: i64 = 1_000_000;

/// Bytes of the file in one read or write.
const BUFFER_BYTES: usize = 1 << 20;

/// Why a backup was not written, or not restored. Each is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{} exists already; choose another name, or overwrite it with --force", .0.display())]
    Exists(PathBuf),
    #[error("cannot {doing} {}: {why}", path.display())]
    File {
        doing: &'static str,
        path: PathBuf,
        why: std::io::Error,
    },
    #[error("{} is not a backup made by `collab backup`", .0.display())]
    NotABackup(PathBuf),
    #[error(
        "{} was made by a newer program ({why}); restore it with that one",
        path.display()
    )]
    Newer { path: PathBuf, why: String },
    #[error(
        "{} is damaged: {why}; nothing was restored, use another backup",
        path.display()
    )]
    Damaged { path: PathBuf, why: String },
    #[error("{url} holds rooms already; restore into an empty database")]
    NotEmpty { url: DatabaseUrl },
    #[error(
        "the tables of {url} are at version {database}, the backup's at {backup}; restore into a database without tables"
    )]
    OtherVersion {
        url: DatabaseUrl,
        database: i64,
        backup: i64,
    },
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{url} failed while {doing}: {why}; {after}")]
    Database {
        url: DatabaseUrl,
        doing: &'static str,
        why: String,
        /// How things stand now, and what to do.
        after: &'static str,
    },
}

/// What a backup or a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub header: Header,
    pub totals: Vec<Total>,
    /// Of the file.
    pub file_bytes: u64,
}

impl Summary {
    /// Rows of all tables together.
    pub fn rows(&self) -> u64 {
        self.totals.iter().map(|total| total.rows).sum()
    }
}

/// What becomes of the rooms' lineages in a restored database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lineages {
    /// They stay: clients that hold more than the backup bring it along.
    Kept,
    /// They are new: what clients hold is another document from now on, and stays out.
    New,
}

/// Hears how far it is: bytes of rows done, and about how many there are.
pub type Progress<'a> = &'a mut (dyn FnMut(u64, u64) + Send);

/// Writes a backup of a database into a new file, under another name until it is whole and on the
/// disk.
pub async fn save(
    url: &DatabaseUrl,
    path: &Path,
    overwrite: bool,
    now: Millis,
    progress: Progress<'_>,
) -> Result<Summary, BackupError> {
    if !overwrite && path.exists() {
        return Err(BackupError::Exists(path.to_owned()));
    }
    let failed = |doing| {
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
    if !folder.is_dir() {
        return Err(BackupError::File {
            doing: "write into",
            path: folder.to_owned(),
            why: std::io::Error::other("there is no such folder; make it first"),
        });
    }
    // Readable by its owner alone: it holds everything.
    let unfinished = tempfile::Builder::new()
        .prefix(".collab-backup-")
        .suffix(".unfinished")
        .tempfile_in(folder)
        .map_err(failed("write a file beside"))?;
    let file = unfinished
        .as_file()
        .try_clone()
        .map_err(failed("write to"))?;
    let out = BufWriter::with_capacity(BUFFER_BYTES, file);
    let mut writer = Writer::new(out).map_err(failed("write to"))?;
    let header = match url {
        DatabaseUrl::Sqlite(database) => sqlite::save(database, &mut writer, now, progress),
        DatabaseUrl::Postgres(config) => {
            postgres::save(url, config, &mut writer, now, progress).await
        }
    };
    let header = header.map_err(|error| error.about(url, path))?;
    let (mut out, totals) = writer.finish().map_err(failed("write to"))?;
    out.flush().map_err(failed("write to"))?;
    let file = out.get_ref();
    file.sync_all().map_err(failed("write to"))?;
    let file_bytes = file.metadata().map_err(failed("write to"))?.len();
    let named = match overwrite {
        true => unfinished.persist(path),
        false => unfinished.persist_noclobber(path),
    };
    named.map_err(|error| match error.error.kind() {
        std::io::ErrorKind::AlreadyExists => BackupError::Exists(path.to_owned()),
        _ => failed("name")(error.error),
    })?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("name"))?;
    Ok(Summary {
        header,
        totals,
        file_bytes,
    })
}

/// Restores a backup into a database without rooms. When it fails, the database is as it was.
pub async fn restore(
    path: &Path,
    url: &DatabaseUrl,
    options: &OpenOptions,
    lineages: Lineages,
    progress: Progress<'_>,
) -> Result<Summary, BackupError> {
    let (file_bytes, mut reader) = open(path)?;
    let totals = match url {
        DatabaseUrl::Sqlite(database) => sqlite::restore(&mut reader, database, lineages, progress),
        DatabaseUrl::Postgres(_) => {
            postgres::restore(&mut reader, url, options, lineages, progress).await
        }
    };
    Ok(Summary {
        totals: totals.map_err(|error| error.about(url, path))?,
        header: reader.header().clone(),
        file_bytes,
    })
}

/// A backup's reader, and the size of the file.
fn open(path: &Path) -> Result<(u64, Reader<BufReader<File>>), BackupError> {
    let failed = |why: std::io::Error| BackupError::File {
        doing: "read",
        path: path.to_owned(),
        why: match why.kind() {
            std::io::ErrorKind::NotFound => {
                std::io::Error::other("there is no such file; name what `collab backup` wrote")
            }
            _ => why,
        },
    };
    let file = File::open(path).map_err(failed)?;
    let file_bytes = file.metadata().map_err(failed)?.len();
    let reader = Reader::open(BufReader::with_capacity(BUFFER_BYTES, file));
    let reader = reader.map_err(|error| match error {
        format::BadBackup::NotABackup => BackupError::NotABackup(path.to_owned()),
        format::BadBackup::Newer(why) => BackupError::Newer {
            path: path.to_owned(),
            why,
        },
        format::BadBackup::Damaged(why) => BackupError::Damaged {
            path: path.to_owned(),
            why,
        },
    })?;
    Ok((file_bytes, reader))
}

/// What went wrong between a file and a database, before it is known which.
#[derive(Debug)]
pub(crate) enum Trouble {
    Already(BackupError),
    Writing(std::io::Error),
    Reading(format::BadBackup),
    Database {
        doing: &'static str,
        why: String,
        after: &'static str,
    },
}

impl Trouble {
    fn about(self, url: &DatabaseUrl, path: &Path) -> BackupError {
        let path = path.to_owned();
        match self {
            Trouble::Already(error) => error,
            Trouble::Writing(why) => BackupError::File {
                doing: "write to",
                path,
                why,
            },
            Trouble::Reading(format::BadBackup::NotABackup) => BackupError::NotABackup(path),
            Trouble::Reading(format::BadBackup::Newer(why)) => BackupError::Newer { path, why },
            Trouble::Reading(format::BadBackup::Damaged(why)) => BackupError::Damaged { path, why },
            Trouble::Database { doing, why, after } => BackupError::Database {
                url: url.clone(),
                doing,
                why,
                after,
            },
        }
    }
}

impl From<BackupError> for Trouble {
    fn from(error: BackupError) -> Trouble {
        Trouble::Already(error)
    }
}

impl From<OpenError> for Trouble {
    fn from(error: OpenError) -> Trouble {
        Trouble::Already(BackupError::Open(error))
    }
}

impl From<format::BadBackup> for Trouble {
    fn from(error: format::BadBackup) -> Trouble {
        Trouble::Reading(error)
    }
}
