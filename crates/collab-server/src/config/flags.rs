//! The command line, one field per flag, raw. Must not know whether a value makes sense; that is
//! `check`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{BackupFlags, BadConfig, ByteSize, FsckFlags, ImportCommand, RestoreFlags};
use crate::history::keeping::{DEFAULT_DAYS, DEFAULT_ROOM_BYTES};

/// Write text together, in real time.
///
/// Every flag has an environment variable (shown beside it); DATABASE_URL, HOST and PORT work as
/// they are, and a file .env in the current folder is read. Flags beat environment beats .env
/// beats defaults.
#[derive(Debug, Parser)]
#[command(name = "collab", version, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the page, the rooms and the API.
    Serve(ServeFlags),
    /// Apply database migrations and stop (serve does it too).
    Migrate(StoreFlags),
    /// Print the effective configuration, secrets masked, and stop.
    Config(ServeFlags),
    /// Look at rooms in the database and change them. SQLite: while no server runs.
    #[command(subcommand)]
    Room(RoomCommand),
    /// Check every room: checksums, places, decoding, and that snapshots say what the log says.
    /// Reads only, also beside a running server.
    ///
    /// Exit codes: 0 everything is right; 1 the check could not be made; 2 the configuration
    /// cannot be; 3 something is damaged, as the report says.
    #[command(verbatim_doc_comment)]
    Fsck(FsckFlags),
    /// Save the whole database, as it is at one moment, into one file. Servers go on writing
    /// meanwhile.
    Backup(BackupFlags),
    /// Restore a backup into an empty database of either kind, and check every room. SQLite: while
    /// no server runs.
    ///
    /// Exit codes: 0 restored, everything is right; 1 nothing was restored; 2 the configuration
    /// cannot be; 3 restored, but some rooms were damaged when the backup was made.
    #[command(verbatim_doc_comment)]
    Restore(RestoreFlags),
    /// Bring in what another server left behind: every document becomes a room of its name. What is
    /// imported from is only read. SQLite: while no Collab server runs.
    ///
    /// Exit codes: 0 every document is in a room; 1 nothing, or not all, could be read or written;
    /// 2 the configuration cannot be; 3 some documents were not imported, or in part, as the lines
    /// say.
    #[command(subcommand, verbatim_doc_comment)]
    Import(ImportCommand),
    /// Open the room that comes through standard input, and say so: what the server has a child do.
    #[command(hide = true)]
    OpenRoom(OpenRoomFlags),
}

/// Flags of `open-room`.
#[derive(Debug, Clone, Args)]
pub struct OpenRoomFlags {
    /// A bug put in on purpose, to prove that the checkers can fail.
    #[cfg(feature = "sabotage")]
    #[arg(long, env = "COLLAB_SABOTAGE", value_name = "BUG", hide = true)]
    pub sabotage: Option<String>,
}

impl OpenRoomFlags {
    /// How the room is to be.
    pub fn settings(&self) -> Result<collab_core::room::Settings, BadConfig> {
        #[cfg_attr(
            not(feature = "sabotage"),
            expect(unused_mut, reason = "sabotage adds to it")
        )]
        let mut settings = collab_core::room::Settings::default();
        #[cfg(feature = "sabotage")]
        {
            let bug = self.sabotage.as_deref().map(super::check::sabotage);
            settings.sabotage = bug.transpose()?.and_then(super::Bug::of_room);
        }
        Ok(settings)
    }
}

/// One thing to do with rooms.
#[derive(Debug, Subcommand)]
pub enum RoomCommand {
    /// List rooms, latest first.
    Ls(StoreFlags),
    /// Print what is known about a room.
    Show {
        /// The room's name.
        room: String,
        #[command(flatten)]
        store: StoreFlags,
    },
    /// Write a room's whole document as a Yjs update (v1) to standard output or a file.
    Export {
        /// The room's name.
        room: String,
        /// Where to; standard output when absent.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        store: StoreFlags,
    },
    /// Merge a Yjs update (v1) from a file into a room, which is created when it does not exist.
    Import {
        /// The room's name.
        room: String,
        /// The update.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        store: StoreFlags,
    },
    /// Let the server load a room again that it keeps closed because loading it ended the process.
    Reopen {
        /// The room's name.
        room: String,
        #[command(flatten)]
        store: StoreFlags,
    },
    /// Delete a room and everything in it.
    Rm {
        /// The room's name.
        room: String,
        #[command(flatten)]
        store: StoreFlags,
    },
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Where everything is kept, and what is said meanwhile.
#[derive(Debug, Clone, Args)]
pub struct StoreFlags {
    /// Folder for everything kept on this machine.
    #[arg(
        long,
        env = "COLLAB_DATA_DIR",
        value_name = "DIR",
        default_value = "data",
        help_heading = "Storage"
    )]
    pub data_dir: PathBuf,

    /// Database: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME (also: DATABASE_URL)
    /// [default: sqlite:DIR/collab.db].
    #[arg(
        long,
        env = "COLLAB_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true,
        help_heading = "Storage"
    )]
    pub database_url: Option<String>,

    /// Start on a Postgres that may lose committed data in a crash (fsync, full_page_writes or
    /// synchronous_commit off). For throw-away databases only.
    #[arg(
        long,
        env = "COLLAB_ACCEPT_UNSAFE_POSTGRES",
        value_name = "BOOL",
        default_value = "false",
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = clap::ArgAction::Set,
        help_heading = "Storage"
    )]
    pub accept_unsafe_postgres: bool,

    /// What to log, as `info` or `warn,collab_server=debug`.
    #[arg(
        long,
        env = "COLLAB_LOG",
        value_name = "FILTER",
        default_value = "info",
        help_heading = "Logs"
    )]
    pub log: String,

    /// How to write it, always to standard error.
    #[arg(
        long,
        env = "COLLAB_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Logs"
    )]
    pub log_format: LogFormat,
}

/// Flags of `serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeFlags {
    /// Address and port (also: HOST and PORT); port 0 takes a free one [default: 127.0.0.1:8000].
    #[arg(
        long,
        env = "COLLAB_LISTEN",
        value_name = "HOST:PORT",
        help_heading = "Network"
    )]
    pub listen: Option<String>,

    /// Where people reach this server, for links in answers [default: as each request says]. With
    /// a path, as in https://example.org/collab, it is for a proxy that takes this path away.
    #[arg(
        long,
        env = "COLLAB_PUBLIC_URL",
        value_name = "URL",
        help_heading = "Network"
    )]
    pub public_url: Option<String>,

    /// Answer below this path, as /collab: the page, the API and the sockets. For a proxy that
    /// leaves the path as it is.
    #[arg(
        long,
        env = "COLLAB_BASE_PATH",
        value_name = "PATH",
        default_value = "/",
        help_heading = "Network"
    )]
    pub base_path: String,

    /// Other sites whose pages may connect, as https://editor.example,https://wiki.example; `*`
    /// for all. The server's own page always may.
    #[arg(
        long,
        env = "COLLAB_ALLOWED_ORIGINS",
        value_name = "ORIGINS",
        value_delimiter = ',',
        help_heading = "Network"
    )]
    pub allowed_origins: Vec<String>,

    /// Serve the page from this folder instead of the one inside the binary (for work on the page).
    #[arg(
        long,
        env = "COLLAB_PAGE_DIR",
        value_name = "DIR",
        help_heading = "Network"
    )]
    pub page_dir: Option<PathBuf>,

    #[command(flatten)]
    pub store: StoreFlags,

    /// Whether connecting to a room that does not exist creates it.
    #[arg(
        long,
        env = "COLLAB_AUTO_CREATE",
        value_name = "BOOL",
        default_value = "true",
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = clap::ArgAction::Set,
        help_heading = "Rooms"
    )]
    pub auto_create: bool,

    /// Seconds without anybody after which a saved room leaves memory.
    #[arg(
        long,
        env = "COLLAB_ROOM_IDLE_SECONDS",
        value_name = "SECONDS",
        default_value_t = 60,
        help_heading = "Rooms"
    )]
    pub room_idle_seconds: u32,

    /// Days that the history of a room can be replayed and compared; 0: for ever. Versions with a
    /// name are kept for ever.
    #[arg(
        long,
        env = "COLLAB_HISTORY_DAYS",
        value_name = "DAYS",
        default_value_t = DEFAULT_DAYS,
        help_heading = "History"
    )]
    pub history_days: u32,

    /// Size of one room's history; when it is larger, the oldest goes. 0: any size.
    #[arg(
        long,
        env = "COLLAB_HISTORY_ROOM_BYTES",
        value_name = "SIZE",
        default_value_t = ByteSize(DEFAULT_ROOM_BYTES),
        help_heading = "History"
    )]
    pub history_room_bytes: ByteSize,

    /// Connections of all kinds; one more hears 503.
    #[arg(
        long,
        env = "COLLAB_MAX_CONNECTIONS",
        value_name = "N",
        default_value_t = 100_000,
        help_heading = "Limits"
    )]
    pub max_connections: usize,

    /// Connections in one room; one more is closed with 1013.
    #[arg(
        long,
        env = "COLLAB_MAX_ROOM_CONNECTIONS",
        value_name = "N",
        default_value_t = 1000,
        help_heading = "Limits"
    )]
    pub max_room_connections: usize,

    /// Size of one WebSocket message or HTTP body; a larger one: close 1009, or 413.
    #[arg(
        long,
        env = "COLLAB_MAX_MESSAGE_BYTES",
        value_name = "SIZE",
        default_value = "16MiB",
        help_heading = "Limits"
    )]
    pub max_message_bytes: ByteSize,

    /// Size of one document; updates that would pass it are refused.
    #[arg(
        long,
        env = "COLLAB_MAX_DOCUMENT_BYTES",
        value_name = "SIZE",
        default_value = "128MiB",
        help_heading = "Limits"
    )]
    pub max_document_bytes: ByteSize,

    /// Bytes waiting for one slow connection before it is brought level by one diff instead.
    #[arg(
        long,
        env = "COLLAB_OUTBOX_BYTES",
        value_name = "SIZE",
        default_value = "1MiB",
        help_heading = "Limits"
    )]
    pub outbox_bytes: ByteSize,

    /// Frames waiting for one slow connection, likewise.
    #[arg(
        long,
        env = "COLLAB_OUTBOX_FRAMES",
        value_name = "N",
        default_value_t = 256,
        help_heading = "Limits"
    )]
    pub outbox_frames: usize,

    /// Edits one room keeps in memory while the database is away; then new ones are refused.
    #[arg(
        long,
        env = "COLLAB_MAX_UNSAVED_BYTES",
        value_name = "SIZE",
        default_value = "64MiB",
        help_heading = "Limits"
    )]
    pub max_unsaved_bytes: ByteSize,

    /// A bug put in on purpose, to prove that the checkers can fail.
    #[cfg(feature = "sabotage")]
    #[arg(long, env = "COLLAB_SABOTAGE", value_name = "BUG", hide = true)]
    pub sabotage: Option<String>,
}
