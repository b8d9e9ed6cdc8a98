//! `collab backup` while people write, `collab restore` elsewhere, `collab fsck` there: clean, and
//! equal to one moment between the start and the end of the backup.
//!
//! Every writer has two rooms and writes line *n* into the second one only after line *n* of the
//! first one is durable. So at any one moment the first has as many lines as the second, or one
//! more; what was read at two moments does not look like that.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use collab_core::document::{Document, Edit, FileId};
use collab_core::ids::{Offset, ReplicaId};
use collab_server::storage::{DatabaseUrl, open};
use tokio::task::JoinHandle;

use crate::program::{Ran, run};
use crate::rooms::counted;
use crate::server::Server;
use crate::stores::{PostgresDatabase, SqliteFolder, new_room, options, room};

const WRITERS: u64 = 6;

/// Rooms that only make the backup take its time, and the bytes of each.
const BALLAST: (u64, u64) = (12, 200_000);

/// Lines each writer has written before the backup begins, and again before it may end the test.
const LINES: u64 = 15;

/// Longest wait for any of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database as the program takes it.
enum Place {
    Sqlite(SqliteFolder),
    Postgres(PostgresDatabase),
}

impl Place {
    fn sqlite() -> Place {
        Place::Sqlite(SqliteFolder::new())
    }

    async fn postgres() -> Place {
        Place::Postgres(PostgresDatabase::create("encoding 'UTF8'").await)
    }

    fn url(&self) -> DatabaseUrl {
        match self {
            Place::Sqlite(folder) => folder.url(),
            Place::Postgres(database) => database.url.clone(),
        }
    }

    /// As an argument. The throw-away server asks for no password, so nothing is masked.
    fn argument(&self) -> String {
        self.url().to_string()
    }

    async fn forget(self) {
        if let Place::Postgres(database) = self {
            database.drop().await;
        }
    }
}

/// Somebody who writes lines into two rooms, each line durable before the next.
struct Writer {
    /// Lines that are durable in both rooms, and lines that were sent to the first.
    durable: AtomicU64,
    sent: AtomicU64,
}

impl Writer {
    fn start(
        number: u64,
        address: String,
        stop: Arc<AtomicBool>,
    ) -> (Arc<Writer>, JoinHandle<[Document; 2]>) {
        let writer = Arc::new(Writer {
            durable: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        });
        let ours = Arc::clone(&writer);
        let task = tokio::spawn(async move {
            let http = reqwest::Client::new();
            let replica = u32::try_from(number).expect("few writers");
            let mut documents =
                [0, 1].map(|half| Document::new(ReplicaId::ours(2 * replica + half)));
            for line in 1.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                ours.sent.store(line, Ordering::SeqCst);
                for (half, document) in ["a", "b"].iter().zip(&mut documents) {
                    let text = format!("line {line}\n");
                    post(&http, &address, &format!("{half}{number}"), document, text).await;
                }
                ours.durable.store(line, Ordering::SeqCst);
            }
            documents
        });
        (writer, task)
    }
}

/// Types at the end of a room's text, and returns when that is durable.
async fn post(
    http: &reqwest::Client,
    address: &str,
    room: &str,
    document: &mut Document,
    text: String,
) {
    let main = FileId::main();
    let edit = Edit {
        at: Offset(document.text_len(&main)),
        delete: 0,
        insert: text,
    };
    let update = document.edit(&main, &[edit]).expect("at the end");
    let url = format!("http://{address}/api/rooms/{room}/update");
    let answer = http.post(url).body(update).send().await;
    let answer = answer.expect("the server answers");
    assert_eq!(answer.status(), 200, "{room}");
}

async fn until(writers: &[Arc<Writer>], lines: u64) {
    let wait = async {
        while writers
            .iter()
            .any(|writer| writer.durable.load(Ordering::SeqCst) < lines)
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    waited.expect("everybody writes");
}

/// What a restored database says: the lines in both rooms of every writer.
async fn lines_in(folder: &Path, database: &str) -> Vec<[u64; 2]> {
    let mut lines = Vec::new();
    for number in 0..WRITERS {
        let mut halves = [0; 2];
        for (half, count) in ["a", "b"].iter().zip(&mut halves) {
            let update = folder.join("exported");
            let path = update.to_str().expect("text");
            let name = format!("{half}{number}");
            let export = ["room", "export", &name, "--out", path, "--database-url"];
            let export = [&export[..], &[database]].concat();
            run(folder, &export).await.ended(0);
            let update = std::fs::read(&update).expect("written");
            let document = Document::load(ReplicaId::ours(1), [&update[..]]).expect("loads");
            let text = document.text(&FileId::main());
            *count = counted(&text).unwrap_or_else(|| panic!("{name}: {text}"));
        }
        lines.push(halves);
    }
    lines
}

/// Whether these lines were there at one moment, not before `begun` and not after `ended`.
fn one_moment(lines: &[[u64; 2]], begun: &[u64], ended: &[u64]) -> bool {
    lines
        .iter()
        .zip(begun.iter().zip(ended))
        .all(|([first, second], (begun, ended))| {
            (first == second || *first == second + 1) && second >= begun && first <= ended
        })
}

/// Digits that do not compress to nothing.
fn digits(seed: u64, bytes: u64) -> String {
    (0..bytes / 8)
        .map(|at| format!("{:08}", (at * 7919 + seed).wrapping_mul(at) % 99_999_989))
        .collect()
}

async fn saved_while_written(from: Place, to: [Place; 2]) {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let store = open(&from.url(), &options()).await.expect("opens");
    let written = (0..WRITERS).flat_map(|number| [format!("a{number}"), format!("b{number}")]);
    let ballast = (0..BALLAST.0).map(|number| format!("ballast{number}"));
    for name in written.chain(ballast) {
        new_room(&*store, &name).await;
    }
    store.close().await;
    let server = Server::start(&from.argument()).await;
    let http = reqwest::Client::new();
    for number in 0..BALLAST.0 {
        let mut document = Document::new(ReplicaId::ours(1));
        let name = format!("ballast{number}");
        let text = digits(number, BALLAST.1);
        post(&http, server.address(), &name, &mut document, text).await;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let start = |number| Writer::start(number, server.address().to_owned(), Arc::clone(&stop));
    let (writers, tasks): (Vec<_>, Vec<_>) = (0..WRITERS).map(start).unzip();
    until(&writers, LINES).await;

    let database = from.argument();
    let count = |of: fn(&Writer) -> &AtomicU64| -> Vec<u64> {
        let count = |writer: &Arc<Writer>| of(writer).load(Ordering::SeqCst);
        writers.iter().map(count).collect()
    };
    let begun = count(|writer| &writer.durable);
    let first = run(here, &["backup", "first", "--database-url", &database]).await;
    let first = first.ended(0);
    let ended = count(|writer| &writer.sent);
    assert!(
        begun.iter().sum::<u64>() < ended.iter().sum(),
        "written meanwhile"
    );
    until(&writers, ended.iter().max().expect("writers") + LINES).await;
    run(here, &["backup", "second", "--database-url", &database])
        .await
        .ended(0);
    stop.store(true, Ordering::Relaxed);
    let mut documents = Vec::new();
    for task in tasks {
        documents.push(task.await.expect("nobody failed"));
    }
    server.stop().await;
    let rooms = 2 * WRITERS + BALLAST.0;
    let says = format!("saved {rooms} rooms");
    assert!(first.out.starts_with(&says), "{}", first.out);

    let mut first = Vec::new();
    for place in &to {
        let target = place.argument();
        let restored = run(here, &["restore", "first", "--database-url", &target]).await;
        let restored = restored.ended(0);
        let clean = restored.out.lines().last().expect("a last line");
        assert!(
            clean.starts_with(&format!("clean: {rooms} rooms")),
            "{clean}"
        );
        run(here, &["fsck", "--database-url", &target])
            .await
            .ended(0);
        first.push(lines_in(here, &target).await);
    }
    for lines in &first {
        assert!(
            one_moment(lines, &begun, &ended),
            "{begun:?} {lines:?} {ended:?}"
        );
    }
    assert_eq!(first[0], first[1], "the same in both kinds of database");

    // The control: what was read at two moments must not pass for one.
    let other = SqliteFolder::new();
    let target = other.url().to_string();
    run(here, &["restore", "second", "--database-url", &target])
        .await
        .ended(0);
    let second = lines_in(here, &target).await;
    let mixed = first[0].iter().zip(&second);
    let mixed: Vec<_> = mixed.map(|(first, second)| [first[0], second[1]]).collect();
    assert!(!one_moment(&mixed, &begun, &vec![u64::MAX; mixed.len()]));

    as_before(&from, &to[0]).await;
    nothing_is_lost(&to[0], documents).await;
    for place in [from].into_iter().chain(to) {
        place.forget().await;
    }
}

/// A plain restore: another epoch, far above, and the same lineage.
async fn as_before(from: &Place, to: &Place) {
    let open = async |place: &Place| open(&place.url(), &options()).await.expect("opens");
    let (from, to) = (open(from).await, open(to).await);
    let before = from.describe(&room("a0")).await.expect("reads");
    let after = to.describe(&room("a0")).await.expect("reads");
    let (before, after) = (before.expect("is there"), after.expect("is there"));
    assert_eq!(before.lineage, after.lineage);
    assert!(after.epoch.0 > before.epoch.0 + 900_000, "{}", after.epoch);
    from.close().await;
    to.close().await;
}

/// Who holds more than the restored database brings it along, and nothing comes twice.
async fn nothing_is_lost(place: &Place, documents: Vec<[Document; 2]>) {
    let server = Server::start(&place.argument()).await;
    let http = reqwest::Client::new();
    for (number, documents) in documents.into_iter().enumerate() {
        for (half, mut document) in ["a", "b"].iter().zip(documents) {
            let name = format!("{half}{number}");
            let url = format!("http://{}/api/rooms/{name}/update", server.address());
            let all = document.encode().expect("encodes");
            let answer = http.post(url).body(all).send().await.expect("answers");
            assert_eq!(answer.status(), 200);
            assert_eq!(server.text(&name).await, document.text(&FileId::main()));
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_is_saved_while_it_is_written() {
    let to = [Place::postgres().await, Place::sqlite()];
    saved_while_written(Place::sqlite(), to).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_saved_while_it_is_written() {
    let to = [Place::sqlite(), Place::postgres().await];
    saved_while_written(Place::postgres().await, to).await;
}

/// Files and folders that a restore must not leave behind, and must not touch.
fn left(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("readable").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A folder with one room in its database and a backup of it, and what `backup` said.
async fn one_saved_room() -> (tempfile::TempDir, Ran) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = DatabaseUrl::Sqlite(folder.path().join("data/collab.db"));
    let store = open(&url, &options()).await.expect("opens");
    let mut room = crate::rooms::Written::new(&*store, "notes").await;
    room.write(&*store, 5).await;
    room.snapshot(&*store).await;
    room.write(&*store, 1).await;
    // So much that a damaged file is found out in the middle of it.
    let edit = Edit {
        at: Offset(0),
        delete: 0,
        insert: digits(1, 3_000_000),
    };
    let large = room.document.edit(&FileId::main(), &[edit]);
    room.append(&*store, &large.expect("it can be edited"))
        .await;
    store.close().await;
    let saved = run(folder.path(), &["backup", "saved"]).await.ended(0);
    (folder, saved)
}

#[tokio::test]
async fn a_restore_that_fails_leaves_nothing_behind() {
    let (folder, _) = one_saved_room().await;
    let here = folder.path();
    let whole = std::fs::read(here.join("saved")).expect("a file");
    let postgres = Place::postgres().await;
    for (name, bytes) in [
        ("cut", whole[..whole.len() - 30].to_vec()),
        ("flipped", {
            let mut bytes = whole.clone();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 4;
            bytes
        }),
    ] {
        std::fs::write(here.join(name), bytes).expect("written");
        let failed = run(here, &["restore", name, "--data-dir", "other"]).await;
        assert!(failed.ended(1).err.contains("is damaged: "));
        let left = left(&here.join("other"));
        assert!(left.is_empty() || left == ["collab.lock"], "{left:?}");
        let failed = run(
            here,
            &["restore", name, "--database-url", &postgres.argument()],
        )
        .await;
        assert!(failed.ended(1).err.contains("is damaged: "));
    }
    // The same database takes the whole one after all.
    run(
        here,
        &["restore", "saved", "--database-url", &postgres.argument()],
    )
    .await
    .ended(0);
    run(here, &["restore", "saved", "--data-dir", "other"])
        .await
        .ended(0);
    let listed = run(here, &["room", "ls", "--data-dir", "other"])
        .await
        .ended(0);
    assert!(listed.out.ends_with("notes\n"), "{}", listed.out);
    postgres.forget().await;
}

#[tokio::test]
async fn a_new_lineage_keeps_the_damage_out() {
    let (folder, _) = one_saved_room().await;
    let here = folder.path();
    let restore = ["restore", "saved", "--new-lineage", "--data-dir", "other"];
    run(here, &restore).await.ended(0);
    let lineage = async |data: &str| {
        let shown = run(here, &["room", "show", "notes", "--data-dir", data]).await;
        let shown = shown.ended(0).out;
        let line = shown.lines().find(|line| line.starts_with("lineage"));
        line.expect("a lineage").to_owned()
    };
    assert_ne!(lineage("data").await, lineage("other").await);
}

#[tokio::test]
async fn a_backup_is_not_overwritten_and_leaves_no_other_file() {
    let (folder, saved) = one_saved_room().await;
    let here = folder.path();
    assert!(
        saved.out.starts_with("saved 1 rooms (9 rows, "),
        "{}",
        saved.out
    );
    let before = std::fs::read(here.join("saved")).expect("a file");
    let refused = run(here, &["backup", "saved"]).await.ended(1);
    assert!(refused.err.contains("exists already"), "{}", refused.err);
    assert_eq!(std::fs::read(here.join("saved")).expect("a file"), before);
    run(here, &["backup", "saved", "--force"]).await.ended(0);
    assert_eq!(left(here), ["data", "saved"]);
}
