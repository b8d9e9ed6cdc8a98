//! Flags, environment and `.env` become one checked [`Config`]. Must not know what the values are
//! used for.
//!
//! Flags beat environment beats `.env` beats defaults. Everything is checked before anything
//! starts; what cannot be is refused with one line.

mod check;
mod flags;
mod operating;
mod size;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, FromArgMatches};

use crate::history::keeping::Retention;
use crate::storage::DatabaseUrl;

pub use self::check::Checked;
pub use self::flags::{
    Cli, Command, LogFormat, OpenRoomFlags, RoomCommand, ServeFlags, StoreFlags,
};
pub use self::operating::{BackupFlags, FsckFlags, ImportCommand, ImportFlags, RestoreFlags};
pub use self::size::ByteSize;

/// What the environment may hold for the test commands; the server looks away.
const TEST_PREFIX: &str = "COLLAB_TEST_";

/// Everything the server needs to know, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// `host:port`; port 0 lets the system choose.
    pub listen: String,
    /// Where people reach the server, without a trailing slash; `None`: as the request says.
    pub public_url: Option<String>,
    /// What every path begins with, as `/collab`; empty for the root.
    pub base_path: String,
    /// A folder to serve the page from; `None`: the page inside the binary.
    pub page_dir: Option<PathBuf>,
    /// Where everything is kept.
    pub database: DatabaseUrl,
    /// Whether a Postgres that may lose committed data in a crash will do.
    pub accept_unsafe_postgres: bool,
    /// See [`Limits`].
    pub limits: Limits,
    /// How long, and how much, history is kept.
    pub retention: Retention,
    /// Whether connecting to a room that does not exist creates it.
    pub auto_create: bool,
    /// Origins of other sites whose pages may connect; `*` for all.
    pub allowed_origins: Vec<String>,
    /// What is logged, in `tracing`'s filter syntax.
    pub log: String,
    /// How it is written.
    pub log_format: LogFormat,
    /// A bug to put in on purpose.
    #[cfg(feature = "sabotage")]
    pub sabotage: Option<Bug>,
}

/// Bugs that can be put in on purpose, to prove that the checkers can fail.
#[cfg(feature = "sabotage")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// One of a room.
    Room(collab_core::room::Sabotage),
    /// SQLite does not wait for the disk.
    SqliteSynchronousNormal,
    /// A document that kills ends the process, and nothing is done about it.
    NoGuard,
}

#[cfg(feature = "sabotage")]
impl Bug {
    /// As the room has it, if it is one of a room.
    pub fn of_room(self) -> Option<collab_core::room::Sabotage> {
        match self {
            Bug::Room(bug) => Some(bug),
            Bug::NoGuard => Some(collab_core::room::Sabotage::DieOfDeadly),
            Bug::SqliteSynchronousNormal => None,
        }
    }
}

/// Every bound an operator may move. What is refused names the limit and its flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open sockets of all kinds. One more hears 503 with `Retry-After`.
    pub max_connections: usize,
    /// Bytes of one WebSocket message or HTTP body. A larger one: close 1009, or 413.
    pub max_message_bytes: usize,
    /// Bytes of one encoded document. An update that might pass it is refused.
    pub max_document_bytes: usize,
    /// Connections in one room. One more is closed with 1013.
    pub max_room_connections: usize,
    /// Bytes waiting for one connection. When full, its edits are dropped whole and made good by
    /// one diff.
    pub outbox_bytes: usize,
    /// Frames waiting for one connection, likewise.
    pub outbox_frames: usize,
    /// Bytes of merged but unsaved edits in one room. Above it new edits are refused until storage
    /// is back.
    pub unsaved_bytes: usize,
    /// Milliseconds without anybody until a saved room goes to sleep.
    pub room_idle_ms: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        let room = collab_core::room::Settings::default();
        Limits {
            max_connections: 100_000,
            max_message_bytes: room.max_frame_bytes,
            max_document_bytes: room.max_document_bytes,
            max_room_connections: room.max_connections,
            outbox_bytes: collab_core::outbox::OUTBOX_BYTES,
            outbox_frames: collab_core::outbox::OUTBOX_FRAMES,
            unsaved_bytes: room.unsaved_budget_bytes,
            room_idle_ms: room.idle_ms,
        }
    }
}

/// What stops the start: one line for the person who started it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadConfig(pub String);

/// Reads the program's own arguments and environment, `.env` included.
///
/// `Err` with a [`clap::Error`] covers `--help` and `--version` too; it knows how to print itself.
pub fn read() -> Result<Result<Cli, clap::Error>, BadConfig> {
    match dotenvy::dotenv() {
        Ok(_) => {}
        Err(error) if error.not_found() => {}
        Err(error) => return Err(BadConfig(format!(".env cannot be read: {error}"))),
    }
    unknown_variables(std::env::vars_os().map(|(name, _)| name))?;
    Ok(Cli::command()
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches)))
}

/// Refuses a `COLLAB_…` variable that no flag reads: it is a typing mistake, and the operator
/// believes something that is not so.
fn unknown_variables(names: impl Iterator<Item = OsString>) -> Result<(), BadConfig> {
    let mut known = BTreeSet::new();
    collect_variables(&Cli::command(), &mut known);
    for name in names {
        let Some(name) = name.to_str() else { continue };
        if name.starts_with("COLLAB_") && !name.starts_with(TEST_PREFIX) && !known.contains(name) {
            let near = known
                .iter()
                .max_by_key(|candidate| common_prefix(candidate, name))
                .filter(|candidate| common_prefix(candidate, name) > "COLLAB_".len());
            let hint = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
            return Err(BadConfig(format!(
                "unknown environment variable {name}{hint}"
            )));
        }
    }
    Ok(())
}

fn collect_variables(command: &clap::Command, known: &mut BTreeSet<String>) {
    known.extend(
        command
            .get_arguments()
            .filter_map(|arg| arg.get_env())
            .filter_map(|name| name.to_str())
            .map(str::to_owned),
    );
    command
        .get_subcommands()
        .for_each(|command| collect_variables(command, known));
}

fn common_prefix(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

/// The database that lives in a data folder when nothing else is said.
pub(crate) fn database_in(folder: &Path) -> String {
    let path: PathBuf = folder.join("collab.db");
    format!("sqlite:{}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_variable_is_named_with_its_nearest_neighbour() {
        let names = |name: &str| std::iter::once(OsString::from(name));
        assert!(unknown_variables(names("COLLAB_LISTEN")).is_ok());
        assert!(unknown_variables(names("PATH")).is_ok());
        assert!(unknown_variables(names("COLLAB_TEST_POSTGRES")).is_ok());
        let refused = unknown_variables(names("COLLAB_MAX_CONECTIONS")).expect_err("a misspelling");
        assert_eq!(
            refused.to_string(),
            "unknown environment variable COLLAB_MAX_CONECTIONS; did you mean COLLAB_MAX_CONNECTIONS?"
        );
    }
}
