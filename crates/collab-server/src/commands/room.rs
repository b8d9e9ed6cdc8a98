//! `collab room …`: rooms in the database, without a server. Must not know sockets.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use collab_core::document::{Care, Document};
use collab_core::ids::{ReplicaId, RoomId};
use collab_core::record::Record;
use collab_core::room::Answer;
use collab_server::config::{Checked, RoomCommand, StoreFlags};
use collab_server::http::rfc3339;
use collab_server::rooms::{self, Asked, Rooms, Wake};
use collab_server::storage::{self, Create, RoomInfo, Store, StoreError, Writer};
use collab_server::telemetry::{self, Metrics};

/// Rooms asked for at a time.
const PAGE: usize = 500;

/// Carries one of them out.
pub async fn room(outside: &Checked, command: RoomCommand) -> anyhow::Result<()> {
    match command {
        RoomCommand::Ls(flags) => {
            let store = open(outside, &flags).await?;
            let listed = list(&*store).await;
            store.close().await;
            listed
        }
        RoomCommand::Show { room, store } => {
            let store = open(outside, &store).await?;
            let shown = show(&*store, &parse(&room)?).await;
            store.close().await;
            shown
        }
        RoomCommand::Export { room, out, store } => {
            let store = open(outside, &store).await?;
            let encoded = read(&*store, &parse(&room)?).await;
            store.close().await;
            let (_, encoded) = encoded?;
            match out {
                Some(path) => std::fs::write(&path, &encoded)
                    .with_context(|| format!("while writing {}", path.display())),
                None => std::io::stdout()
                    .write_all(&encoded)
                    .context("while writing to standard output"),
            }
        }
        RoomCommand::Import { room, file, store } => {
            let room = parse(&room)?;
            let update = std::fs::read(&file)
                .with_context(|| format!("while reading {}", file.display()))?;
            import(open(outside, &store).await?, room, update.into()).await
        }
        RoomCommand::Reopen { room, store } => {
            let store = open(outside, &store).await?;
            let room = parse(&room)?;
            let reopened = reopen(&*store, &room).await;
            store.close().await;
            reopened?;
            println!("{room} is loaded again when somebody comes");
            Ok(())
        }
        RoomCommand::Rm { room, store } => {
            let store = open(outside, &store).await?;
            let room = parse(&room)?;
            let removed = store.delete(&room, rooms::now()).await;
            store.close().await;
            if !removed? {
                bail!("there is no room {room}");
            }
            println!("deleted {room}");
            Ok(())
        }
    }
}

async fn open(outside: &Checked, flags: &StoreFlags) -> anyhow::Result<Arc<dyn Store>> {
    telemetry::start_logging(&flags.log, flags.log_format)?;
    let database = outside.database(flags)?;
    Ok(storage::open(&database, &super::options(flags.accept_unsafe_postgres)).await?)
}

fn parse(name: &str) -> anyhow::Result<RoomId> {
    RoomId::parse(name).context("that is not a room's name")
}

/// Forgets the loads that did not end.
async fn reopen(store: &dyn Store, room: &RoomId) -> Result<(), StoreError> {
    let claim = store.claim(room, Create::Never, rooms::now()).await?;
    store.load_ended(claim.key, claim.epoch).await
}

async fn list(store: &dyn Store) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut after = None;
    loop {
        let page = store.list(after.as_ref(), PAGE).await?;
        for info in &page {
            let updated = rfc3339(info.updated_at);
            writeln!(out, "{updated}  {:>8}  {}", info.head.0, info.room)?;
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.room.clone()),
            _ => return Ok(()),
        }
    }
}

async fn show(store: &dyn Store, room: &RoomId) -> anyhow::Result<()> {
    let (document, encoded) = read(store, room).await?;
    let info = describe(store, room).await?;
    println!("room      {}", info.room);
    println!("name      {}", document.meta("name").unwrap_or_default());
    println!("lineage   {}", info.lineage);
    println!("created   {}", rfc3339(info.created_at));
    println!("updated   {}", rfc3339(info.updated_at));
    println!("version   {} (snapshot at {})", info.head, info.snapshot);
    println!("bytes     {}", encoded.len());
    println!("replicas  {}", document.replicas());
    for file in document.files() {
        let units = document.text_len(&file.id);
        println!(
            "file      {}  {:?}  {:?}  {units} UTF-16 code units",
            file.id, file.path, file.language
        );
    }
    Ok(())
}

async fn describe(store: &dyn Store, room: &RoomId) -> anyhow::Result<RoomInfo> {
    let info = store.describe(room).await?;
    info.with_context(|| format!("there is no room {room}"))
}

/// Reads without claiming: a server that has the room awake goes on undisturbed.
async fn read(store: &dyn Store, room: &RoomId) -> anyhow::Result<(Document, Bytes)> {
    let info = describe(store, room).await?;
    let stored = store.load(info.key).await?;
    let snapshot = stored.snapshot.map(|snapshot| snapshot.state);
    let mut updates: Vec<Bytes> = snapshot.into_iter().collect();
    for (seq, record) in &stored.records {
        let record = Record::decode(record).with_context(|| format!("record {seq}"))?;
        updates.extend(record.turns.into_iter().map(|turn| Bytes::from(turn.delta)));
    }
    for damage in &stored.damage {
        eprintln!("{} is damaged and left out: {}", damage.part, damage.reason);
    }
    let updates: Vec<&[u8]> = updates.iter().map(|update| &update[..]).collect();
    let salvaged = Document::salvage(ReplicaId::ours(0), &updates, Care::Applied)
        .with_context(|| format!("the stored document of {room}"))?;
    let left_out = salvaged.waiting.len() + salvaged.faulty.len();
    if left_out > 0 {
        eprintln!("{left_out} stored edits rest on what is missing, or are damaged: left out");
    }
    let mut document = salvaged.document;
    let encoded = document
        .encode()
        .context("the document cannot be encoded")?;
    Ok((document, encoded))
}

/// Goes the way of every update: gate, guard, log.
async fn import(store: Arc<dyn Store>, room: RoomId, update: Bytes) -> anyhow::Result<()> {
    let (writer, writing) = Writer::new(Arc::clone(&store));
    let writing = tokio::spawn(writing);
    let settings = rooms::Settings::default();
    let rooms = Rooms::new(settings, Arc::clone(&store), writer, Metrics::get(), 0);
    let answer = rooms.ask(&room, Wake::OrCreate, Asked::Apply(update)).await;
    rooms.drain().await;
    drop(rooms);
    writing.await.context("the writer failed")?;
    store.close().await;
    match answer? {
        Answer::Saved { seq } => println!("imported into {room}; it is at {seq} now"),
        Answer::Refused { name, reason } => bail!("{reason} ({name})"),
        Answer::Gap => bail!("the update rests on edits that the room does not have"),
        Answer::Unavailable { reason } => bail!("{reason}"),
    }
    Ok(())
}
