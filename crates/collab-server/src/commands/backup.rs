//! `collab backup` and `collab restore`. Must not know what a backup is made of.

use anyhow::bail;
use collab_core::time::Millis;
use collab_server::backup::{self, Lineages, Summary};
use collab_server::config::{BackupFlags, Checked, RestoreFlags};
use collab_server::http::rfc3339;
use collab_server::storage::inspect::inspect;
use collab_server::{fsck, rooms};
use indicatif::HumanBytes;

use super::fsck::progress_bar;

/// Saves the database into a file.
pub async fn backup(outside: &Checked, flags: BackupFlags) -> anyhow::Result<()> {
    let database = outside.database(&flags.store)?;
    let bar = progress_bar("bytes");
    let mut progress = |done: u64, about: u64| {
        bar.set_length(about.max(done));
        bar.set_position(done);
    };
    let now = rooms::now();
    let saved = backup::save(&database, &flags.file, flags.force, now, &mut progress).await;
    bar.finish_and_clear();
    let saved = saved?;
    println!("saved {} into {}", said(&saved), flags.file.display());
    Ok(())
}

/// Restores a file into an empty database, and checks every room of it.
pub async fn restore(outside: &Checked, flags: RestoreFlags) -> anyhow::Result<u8> {
    let database = outside.database(&flags.store)?;
    let lineages = match flags.new_lineage {
        true => Lineages::New,
        false => Lineages::Kept,
    };
    let bar = progress_bar("bytes");
    let mut progress = |done: u64, about: u64| {
        bar.set_length(about.max(done));
        bar.set_position(done);
    };
    let options = super::options(flags.store.accept_unsafe_postgres);
    let restored = backup::restore(&flags.file, &database, &options, lineages, &mut progress).await;
    bar.finish_and_clear();
    let restored = restored?;
    println!("restored {} into {database}", said(&restored));
    let bar = progress_bar("rooms checked");
    let inspected = inspect(&database).await?;
    let report = fsck::check(&*inspected, |done, total| {
        bar.set_length(total.max(done));
        bar.set_position(done);
    })
    .await?;
    bar.finish_and_clear();
    println!("{report}");
    if report.rooms != restored.header.rooms {
        bail!(
            "{} rooms were restored, {} are there; somebody else uses the database",
            restored.header.rooms,
            report.rooms
        );
    }
    Ok(super::fsck::exit_code(&report))
}

fn said(summary: &Summary) -> String {
    format!(
        "{} rooms ({} rows, {}) as of {}",
        summary.header.rooms,
        summary.rows(),
        HumanBytes(summary.file_bytes),
        rfc3339(Millis(summary.header.at))
    )
}
