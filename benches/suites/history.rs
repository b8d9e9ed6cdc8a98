//! A room with the whole trace of a paper, 259,778 keystrokes: what it takes in storage once it is
//! folded, and how long its reader waits. Each figure is printed as a ratio to what bare yrs takes in
//! the same run to load the same state. SQLite always; Postgres when `DATABASE_URL` names one.

use std::cell::Cell;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use benches::trace::{Trace, paper};
use bytes::Bytes;
use collab_core::document::{Document, Edit, FileId};
use collab_core::ids::{Lineage, Offset, ReplicaId, RoomId, Seq};
use collab_core::record::Record;
use collab_core::time::Millis;
use collab_server::history::fold::fold;
use collab_server::history::past::{History, Point};
use collab_server::history::replay::Span;
use collab_server::storage::{
    Append, Claim, Create, DatabaseUrl, OpenOptions, Snapshot, Store, open,
};
use criterion::{Criterion, criterion_group, criterion_main};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::runtime::Runtime;
use yrs::updates::decoder::Decode;
use yrs::{Doc, OffsetKind, Options, Transact, Update};

/// Edits of the trace: all of it.
const KEYSTROKES: usize = 259_778;

/// Log records between two snapshots, and so turns of a chunk: a full one.
const STEP: usize = 32_768;

/// Records of one commit.
const BATCH: usize = 4_096;

/// Places in the history that are read, in percent of it.
const DEPTHS: [u64; 4] = [10, 50, 90, 100];

/// The trace as a room logs it, and the state at its end.
struct Paper {
    trace: Trace,
    turns: Vec<Bytes>,
}

fn paper_of_turns() -> Paper {
    let trace = paper(KEYSTROKES);
    let file = FileId::main();
    let mut author = Document::new(ReplicaId::ours(1));
    author.watch(&file);
    let mut room = Document::new(ReplicaId::ours(0));
    let turns = trace.patches.iter().map(|patch| {
        let edit = Edit {
            at: Offset(patch.at),
            delete: patch.delete,
            insert: patch.insert.clone(),
        };
        let update = author.edit(&file, &[edit]).expect("a recorded edit fits");
        room.apply_from_server(&update).expect("honest").delta
    });
    let turns = turns.collect();
    assert_eq!(room.text(&file), trace.end, "the replay is the recording");
    Paper { trace, turns }
}

/// The paper in a database: every turn a record, with a snapshot and a fold now and then, and at last
/// two snapshots of everything.
async fn fill(store: &Arc<dyn Store>, paper: &Paper) -> Claim {
    let room = RoomId::parse("paper").expect("a name");
    let lineage = Lineage([7; 16]);
    let claim = store.claim(&room, Create::New { lineage }, Millis(1)).await;
    let claim = claim.expect("an empty database");
    let mut chance = StdRng::seed_from_u64(4);
    let mut document = Document::new(ReplicaId::ours(0));
    let mut at = 1_700_000_000_000;
    let mut seq = Seq(0);
    let steps = paper.turns.chunks(STEP).collect::<Vec<_>>();
    let (last, before) = steps.split_last().expect("a trace of some length");
    let (all, end) = last.split_at(last.len() - 1);
    for step in before.iter().chain([&all, &end]) {
        for batch in step.chunks(BATCH) {
            let mut appends = Vec::with_capacity(batch.len());
            for turn in batch {
                at += chance.random_range(60..400);
                seq = seq.next();
                let mut record = Record::default();
                record.push(Millis(at), turn);
                appends.push(Append {
                    key: claim.key,
                    epoch: claim.epoch,
                    seq,
                    record: record.encode(),
                    at: Millis(at),
                });
            }
            store.append(&appends).await.expect("commits");
        }
        document.apply_kept(step).expect("honest");
        let snapshot = Snapshot {
            key: claim.key,
            epoch: claim.epoch,
            seq,
            state: document.encode().expect("sound"),
            content_sha256: [0; 32],
        };
        store.put_snapshot(snapshot).await.expect("fits");
        fold(store, claim.key, claim.epoch).await.expect("folds");
    }
    claim
}

/// Bytes of a SQLite file without its free pages.
fn packed(file: &Path) -> u64 {
    let copy = file.with_extension("packed");
    let connection = rusqlite::Connection::open(file).expect("a database");
    let into = copy.to_str().expect("a path of UTF-8");
    connection
        .execute("VACUUM INTO ?1", [into])
        .expect("room for a copy");
    let bytes = std::fs::metadata(&copy).expect("the copy").len();
    std::fs::remove_file(&copy).expect("the copy");
    bytes
}

/// Measures with criterion and says how long one took on average.
fn measured(criterion: &mut Criterion, name: &str, mut once: impl FnMut()) -> Duration {
    let mean = Cell::new(Duration::ZERO);
    let mut group = criterion.benchmark_group("history");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(3));
    group.warm_up_time(Duration::from_secs(1));
    group.bench_function(name, |b| {
        b.iter_custom(|times| {
            let start = Instant::now();
            for _ in 0..times {
                once();
            }
            let took = start.elapsed();
            mean.set(took / u32::try_from(times).unwrap_or(u32::MAX));
            took
        });
    });
    group.finish();
    mean.get()
}

fn told(what: &str, took: Duration, bare: Duration) {
    // Criterion was asked for other figures only.
    if took.is_zero() {
        return;
    }
    let ratio = took.as_secs_f64() / bare.as_secs_f64();
    println!("history: {what}: {took:.1?}, {ratio:.1} x bare yrs");
}

fn history(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("threads");
    let paper = paper_of_turns();
    let folder = tempfile::tempdir().expect("a folder");
    let keystrokes = paper.turns.len();
    println!("history: {} keystrokes of {}", keystrokes, paper.trace.name);

    let file = folder.path().join("collab.db");
    let url = DatabaseUrl::Sqlite(file.clone());
    let opened = async || open(&url, &OpenOptions::default()).await;
    let store = runtime.block_on(opened()).expect("opens");
    runtime.block_on(store.close());
    drop(store);
    let empty = packed(&file);
    let store = runtime.block_on(opened()).expect("opens");
    let claim = runtime.block_on(fill(&store, &paper));
    runtime.block_on(store.close());
    drop(store);
    let bytes = packed(&file) - empty;
    println!(
        "history: stored in {:.3} bytes per keystroke (two snapshots and every turn; {bytes} bytes)",
        bytes as f64 / keystrokes as f64
    );

    let store = runtime.block_on(opened()).expect("opens");
    let stored = runtime.block_on(store.load(claim.key)).expect("whole");
    let state = stored.snapshot.expect("a snapshot").state;
    let bare = measured(criterion, "bare yrs loads the state", || {
        let mut options = Options::with_client_id(yrs::block::ClientID::new(6));
        options.offset_kind = OffsetKind::Utf16;
        let doc = Doc::with_options(options);
        let update = Update::decode_v1(&state).expect("honest bytes");
        doc.transact_mut().apply_update(update).expect("honest");
        black_box(doc);
    });
    told("bare yrs loads the state", bare, bare);
    open_cold(criterion, &runtime, "SQLite", &store, &claim, bare);
    read_past(
        criterion,
        &runtime,
        &store,
        &claim,
        (keystrokes as u64, &paper.trace.end),
        bare,
    );

    if let Ok(url) = std::env::var("DATABASE_URL") {
        let url = url.parse::<DatabaseUrl>().expect("a database URL");
        let options = OpenOptions::default();
        let store = runtime.block_on(open(&url, &options)).expect("reachable");
        let room = RoomId::parse("paper").expect("a name");
        runtime
            .block_on(store.delete(&room, Millis(1)))
            .expect("answers");
        let claim = runtime.block_on(fill(&store, &paper));
        open_cold(criterion, &runtime, "Postgres", &store, &claim, bare);
        runtime
            .block_on(store.delete(&room, Millis(2)))
            .expect("answers");
        runtime.block_on(store.close());
    }
}

/// A room that is not in memory, from its rows to a document.
fn open_cold(
    criterion: &mut Criterion,
    runtime: &Runtime,
    database: &str,
    store: &Arc<dyn Store>,
    claim: &Claim,
    bare: Duration,
) {
    let what = format!("open cold from {database}");
    let took = measured(criterion, &what, || {
        let stored = runtime.block_on(store.load(claim.key)).expect("whole");
        let records: Vec<Record> = stored
            .records
            .iter()
            .map(|(_, record)| Record::decode(record).expect("sound"))
            .collect();
        let turns = records.iter().flat_map(|record| &record.turns);
        let state = stored.snapshot.as_ref().map(|it| &it.state[..]);
        let updates = state.into_iter().chain(turns.map(|turn| &turn.delta[..]));
        black_box(Document::load(ReplicaId::ours(2), updates).expect("sound"));
    });
    told(&what, took, bare);
}

/// Texts and replays at several depths, each by a server that has just started and by one that has read
/// the archive before.
fn read_past(
    criterion: &mut Criterion,
    runtime: &Runtime,
    store: &Arc<dyn Store>,
    claim: &Claim,
    (keystrokes, end): (u64, &str),
    bare: Duration,
) {
    let warm = History::new(Arc::clone(store));
    let root = FileId::main().root();
    for depth in DEPTHS {
        let place = Point::Place(Seq(keystrokes * depth / 100));
        for first in [true, false] {
            let history = || match first {
                true => History::new(Arc::clone(store)),
                false => warm.clone(),
            };
            let how = if first { "first" } else { "again" };
            let what = format!("text at {depth} %, {how}");
            let took = measured(criterion, &what, || {
                let history = history();
                let document = history.document(claim.key, place);
                let document = runtime.block_on(document).expect("whole");
                let text = document.text(&FileId::main());
                assert!(depth < 100 || text == end);
                black_box(text);
            });
            told(&what, took, bare);
            let what = format!("replay from {depth} %, {how}");
            let took = measured(criterion, &what, || {
                let span = Span {
                    root: root.clone(),
                    from: place,
                    from_at: Millis(0),
                    to: Point::Place(Seq(keystrokes)),
                };
                let history = history();
                let (head, mut replay) = runtime
                    .block_on(history.replay(claim.key, span))
                    .expect("whole");
                black_box(head);
                let next = runtime.block_on(replay.next(|played| played.len()));
                black_box(next.expect("whole"));
            });
            told(&what, took, bare);
        }
    }
    let now = Point::Place(Seq(keystrokes));
    let took = measured(criterion, "blame", || {
        let blamed = runtime.block_on(warm.blame(claim.key, now, root.clone()));
        black_box(blamed.expect("whole"));
    });
    told("blame", took, bare);
    let room = RoomId::parse("paper").expect("a name");
    let info = runtime.block_on(store.describe(&room)).expect("answers");
    let info = info.expect("is there");
    let took = measured(criterion, "activity", || {
        let active = runtime.block_on(warm.activity(&info, 200));
        black_box(active.expect("whole"));
    });
    told("activity", took, bare);
    let took = measured(criterion, "replay of everything", || {
        let span = Span {
            root: root.clone(),
            from: Point::Place(Seq(0)),
            from_at: Millis(0),
            to: now,
        };
        runtime.block_on(async {
            let (_, mut replay) = warm.replay(claim.key, span).await.expect("whole");
            let mut changes = 0;
            while let Some(more) = replay.next(|played| played.len()).await.expect("whole") {
                changes += more;
            }
            assert_eq!(changes as u64, keystrokes);
        });
    });
    told("replay of everything", took, bare);
}

criterion_group!(benches, history);
criterion_main!(benches);
