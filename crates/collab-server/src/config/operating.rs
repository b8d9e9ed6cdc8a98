//! Flags of the commands that check, save, restore and bring in rooms. Must not know whether a
//! value makes sense.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::StoreFlags;

/// Flags of `fsck`.
#[derive(Debug, Clone, Args)]
pub struct FsckFlags {
    /// Print the report as one JSON object.
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub store: StoreFlags,
}

/// Flags of `backup`.
#[derive(Debug, Clone, Args)]
pub struct BackupFlags {
    /// Where to; written under another name until it is whole.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Overwrite the file when it exists.
    #[arg(long)]
    pub force: bool,

    #[command(flatten)]
    pub store: StoreFlags,
}

/// Flags of `restore`.
#[derive(Debug, Clone, Args)]
pub struct RestoreFlags {
    /// What `collab backup` wrote.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// To undo damage: what clients still hold is another document from now on, and cannot come
    /// back. Without it, clients bring along what the backup does not have.
    #[arg(long)]
    pub new_lineage: bool,

    #[command(flatten)]
    pub store: StoreFlags,
}

/// Where another server's documents are.
#[derive(Debug, Clone, Subcommand)]
pub enum ImportCommand {
    /// A SQLite file written by @hocuspocus/extension-sqlite.
    Hocuspocus {
        /// The database's file, as `db.sqlite`.
        #[arg(value_name = "FILE")]
        path: PathBuf,
        #[command(flatten)]
        flags: ImportFlags,
    },
    /// A folder written by y-sweet (`y-sweet serve FOLDER`).
    YSweet {
        /// The folder, with DOCUMENT/data.ysweet below it.
        #[arg(value_name = "FOLDER")]
        path: PathBuf,
        #[command(flatten)]
        flags: ImportFlags,
    },
    /// A folder written by y-leveldb (y-websocket's own server with YPERSISTENCE=FOLDER).
    YLeveldb {
        /// The folder, with a file CURRENT in it.
        #[arg(value_name = "FOLDER")]
        path: PathBuf,
        #[command(flatten)]
        flags: ImportFlags,
    },
    /// A folder of files, each a Yjs update (v1): team/notes.bin becomes the room team/notes.
    Updates {
        /// The folder; files that end in .bin, .yjs, .update or .ydoc count.
        #[arg(value_name = "FOLDER")]
        path: PathBuf,
        /// Each folder below is one document, and the files in it are its updates, in any order.
        #[arg(long)]
        by_folder: bool,
        #[command(flatten)]
        flags: ImportFlags,
    },
}

/// Flags of every `import`.
#[derive(Debug, Clone, Args)]
pub struct ImportFlags {
    /// Write nothing, and say of each document what would become of it. Also beside a running
    /// server.
    #[arg(long)]
    pub dry_run: bool,

    /// Merge a document into the room of its name when there is one: both contents are there
    /// afterwards. Without it such a room is left as it is.
    #[arg(long)]
    pub merge: bool,

    /// Import what can be read of a damaged store or document, and name what is left out. Without
    /// it such a store is refused, and such a document not imported.
    #[arg(long)]
    pub salvage: bool,

    /// Put this in front of the name of every room.
    #[arg(long, value_name = "PREFIX", default_value = "")]
    pub prefix: String,

    /// The room for a document, without the prefix; may be given more than once.
    #[arg(long, value_name = "DOCUMENT=ROOM", value_parser = renamed)]
    pub rename: Vec<(String, String)>,

    /// Import this document only; may be given more than once.
    #[arg(long, value_name = "DOCUMENT")]
    pub only: Vec<String>,

    #[command(flatten)]
    pub store: StoreFlags,
}

/// A document's name may have `=` in it, a room's hardly: the last one divides.
fn renamed(text: &str) -> Result<(String, String), &'static str> {
    let (document, room) = text
        .rsplit_once('=')
        .ok_or("it must look like DOCUMENT=ROOM")?;
    Ok((document.to_owned(), room.to_owned()))
}
