//! `collab import …`: another server's documents into rooms. Must not know how those are stored
//! there.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use collab_server::config::{BadConfig, Checked, ImportCommand, ImportFlags};
use collab_server::import::{
    Brought, Care, Destination, Existing, Found, Importer, Put, Source, Unreachable,
};
use collab_server::storage::inspect::inspect;
use collab_server::storage::{self, DatabaseUrl};
use collab_server::telemetry;
use futures_util::{StreamExt as _, TryStreamExt as _};
use indicatif::{HumanBytes, ProgressBar};

use super::fsck::progress_bar;

/// Documents on their way at once: their rooms are written in one commit.
const AT_ONCE: usize = 8;

/// Some documents were not imported, or only in part.
const EXIT_PARTLY: u8 = 3;

/// Imports everything, and says what became of what was not.
pub async fn import(outside: &Checked, command: ImportCommand) -> anyhow::Result<u8> {
    let (source, flags) = parted(command);
    telemetry::start_logging(&flags.store.log, flags.store.log_format)?;
    let database = outside.database(&flags.store)?;
    let care = match flags.salvage {
        true => Care::LeaveOut,
        false => Care::Refuse,
    };
    let renamed = renamed(&flags)?;
    // Before anything is made in the database.
    let opened = source.open(care)?;
    let mut importer = Importer::new(destination(&database, &flags).await?);
    importer.care = care;
    importer.prefix = flags.prefix;
    importer.renamed = renamed;
    if flags.merge {
        importer.existing = Existing::Merge;
    }
    let bar = progress_bar("documents");
    bar.set_length(opened.count);
    for what in &opened.damage {
        bar.suspend(|| eprintln!("damaged, and left out: {what}"));
    }
    let mut wanted = Wanted::new(&flags.only);
    let documents = opened.documents.filter(|found| wanted.take(found));
    let mut totals = Totals::new(flags.dry_run, opened.damage.is_empty());
    let done = put_all(&importer, documents, &bar, &mut totals).await;
    bar.finish_and_clear();
    let closed = importer.destination.close().await;
    let again = "; what was imported stays: run the command again, with --merge";
    done.and(closed)
        .with_context(|| format!("after {} documents{again}", totals.documents()))?;
    println!("{}", totals.said(&database));
    let missing = wanted.missing();
    if !missing.is_empty() {
        bail!("there is no document {}", missing.join(", "));
    }
    Ok(if totals.is_whole { 0 } else { EXIT_PARTLY })
}

fn parted(command: ImportCommand) -> (Source, ImportFlags) {
    match command {
        ImportCommand::Hocuspocus { path, flags } => (Source::Hocuspocus(path), flags),
        ImportCommand::YSweet { path, flags } => (Source::YSweet(path), flags),
        ImportCommand::YLeveldb { path, flags } => (Source::YLeveldb(path), flags),
        ImportCommand::Updates {
            path,
            by_folder,
            flags,
        } => {
            let source = Source::Updates {
                folder: path,
                by_folder,
            };
            (source, flags)
        }
    }
}

/// Rooms by documents, each document once.
fn renamed(flags: &ImportFlags) -> Result<BTreeMap<String, String>, BadConfig> {
    let mut renamed = BTreeMap::new();
    for (document, room) in &flags.rename {
        if renamed.insert(document.clone(), room.clone()).is_some() {
            return Err(BadConfig(format!("--rename names {document:?} twice")));
        }
    }
    Ok(renamed)
}

/// The rooms of the database; in a dry run only their names, of which a new database has none.
async fn destination(database: &DatabaseUrl, flags: &ImportFlags) -> anyhow::Result<Destination> {
    let is_new = matches!(database, DatabaseUrl::Sqlite(path) if !path.exists());
    if flags.dry_run && is_new {
        return Ok(Destination::Nowhere(Default::default()));
    }
    if flags.dry_run {
        let inspected = inspect(database).await?;
        return Ok(Destination::beside(&*inspected).await?);
    }
    let options = super::options(flags.store.accept_unsafe_postgres);
    let store = storage::open(database, &options).await?;
    Ok(Destination::database(store))
}

async fn put_all(
    importer: &Importer,
    documents: impl Iterator<Item = Found>,
    bar: &ProgressBar,
    totals: &mut Totals,
) -> Result<(), Unreachable> {
    let mut puts = futures_util::stream::iter(documents)
        .map(|found| importer.put(found))
        .buffered(AT_ONCE);
    while let Some(put) = puts.try_next().await? {
        bar.inc(1);
        bar.suspend(|| totals.add(&put));
    }
    Ok(())
}

/// The documents that were named, or all.
struct Wanted(BTreeMap<String, bool>);

impl Wanted {
    fn new(only: &[String]) -> Wanted {
        Wanted(only.iter().map(|name| (name.clone(), false)).collect())
    }

    fn take(&mut self, found: &Found) -> bool {
        let all = self.0.is_empty();
        let named = self.0.get_mut(&found.name).map(|seen| *seen = true);
        all || named.is_some()
    }

    fn missing(&self) -> Vec<String> {
        let missing = self.0.iter().filter(|(_, seen)| !**seen);
        missing.map(|(name, _)| format!("{name:?}")).collect()
    }
}

/// What became of all documents.
struct Totals {
    dry_run: bool,
    counts: BTreeMap<Brought, u64>,
    in_part: u64,
    bytes: u64,
    is_whole: bool,
}

impl Totals {
    fn new(dry_run: bool, is_whole: bool) -> Totals {
        Totals {
            dry_run,
            counts: BTreeMap::new(),
            in_part: 0,
            bytes: 0,
            is_whole,
        }
    }

    fn documents(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Counts one, and says what its reader should know of it.
    fn add(&mut self, put: &Put) {
        *self.counts.entry(put.brought).or_default() += 1;
        self.is_whole &= put.is_whole();
        let room = match put.room == put.name {
            true => format!("{:?}", put.name),
            false => format!("{:?} (room {:?})", put.name, put.room),
        };
        let remarks = put.remarks.join("; ");
        match put.brought {
            Brought::Made | Brought::Merged => {
                self.bytes += put.bytes;
                if !put.remarks.is_empty() {
                    self.in_part += 1;
                    eprintln!("{room}: left out of it: {remarks}");
                }
            }
            Brought::Left if !self.dry_run => {
                eprintln!("{room}: exists already, and was left as it is");
            }
            Brought::Left | Brought::Empty => {}
            Brought::Failed => eprintln!("{room}: not imported: {remarks}"),
            Brought::Interrupted => {
                eprintln!("{room}: imported in part, the rest with --merge: {remarks}");
            }
        }
        if self.dry_run {
            let would = match put.brought {
                Brought::Made => "make",
                Brought::Merged => "merge",
                Brought::Left => "leave",
                Brought::Empty => "empty",
                Brought::Failed | Brought::Interrupted => "fail",
            };
            let (bytes, updates) = (HumanBytes(put.bytes), put.updates);
            println!("{would:5}  {room}  {bytes}, {updates} updates");
        }
    }

    fn said(&self, database: &DatabaseUrl) -> String {
        let of = |brought| self.counts.get(&brought).copied().unwrap_or_default();
        let (done, bytes) = (
            of(Brought::Made) + of(Brought::Merged),
            HumanBytes(self.bytes),
        );
        let mut said = match self.dry_run {
            true => format!("would import {done} documents ({bytes}) into {database}"),
            false => format!("imported {done} documents ({bytes}) into {database}"),
        };
        for (count, what) in [
            (of(Brought::Merged), "merged into rooms that exist"),
            (self.in_part, "in part, as said above"),
        ] {
            if count > 0 {
                said += &format!(", {count} of them {what}");
            }
        }
        for (count, what) in [
            (
                of(Brought::Left),
                "left alone because their rooms exist (--merge brings them together)",
            ),
            (of(Brought::Empty), "empty"),
            (of(Brought::Failed), "not imported, as said above"),
            (of(Brought::Interrupted), "imported in part, as said above"),
        ] {
            if count > 0 {
                said += &format!("; {count} {what}");
            }
        }
        said
    }
}
