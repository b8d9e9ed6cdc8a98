//! Flags of the commands that check, save, restore and bring in rooms. Must not know whether a
//! value makes sense.

use std::path::PathBuf;

use clap::Args;

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
