//! One server per data folder. Must not know SQLite: the lock guards whatever lies in the folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::storage::open::OpenError;

/// Held as long as a server uses a folder. The operating system lets go of it when the process
/// ends, however it ends.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

/// The lock's file, beside the database. Never removed: whoever removes a lock file lets two in.
const NAME: &str = "collab.lock";

impl FolderLock {
    /// Locks the folder of a database file, making the folder when it is missing.
    pub fn take(database: &Path) -> Result<FolderLock, OpenError> {
        let folder = match database.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let failed = |error: std::io::Error| OpenError::File {
            path: folder.clone(),
            why: error.to_string(),
        };
        if !folder.exists() {
            fs::create_dir_all(&folder).map_err(failed)?;
            // A power cut must not take the folder away with everything saved in it.
            if let Some(parent) = folder.canonicalize().map_err(failed)?.parent() {
                File::open(parent)
                    .and_then(|parent| parent.sync_all())
                    .map_err(failed)?;
            }
        }
        let path = folder.join(NAME);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&path).unwrap_or_default();
                let holder = match holder.trim().parse::<u32>() {
                    Ok(process) => format!(" (process {process})"),
                    Err(_) => String::new(),
                };
                return Err(OpenError::InUse { folder, holder });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // For the message above only; the lock does not depend on it.
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(failed)?;
        Ok(FolderLock { _file: file })
    }
}
