//! Published yjs 13.6 against our document: thousands of random histories through both, compared
//! by what a yjs reader sees and by state vector, and no genuine update refused. Must not know
//! yrs, and compares nothing by our own digest.
//!
//! The judge is `web/tests/interop/oracle.mjs`; it needs Node and `npm ci` in its folder, and this
//! test fails without them. `SEED=n` replays one history, `HISTORIES=n` runs more or fewer.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::disallowed_types,
    reason = "the walls are for core itself; its judge is a process, and a campaign says what it did"
)]

mod mixed;
mod oracle;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use bytes::Bytes;
use collab_core::document::{Document, Edit, FileId, Offer, Outcome, StateVector, Turn};
use collab_core::ids::ReplicaId;
use serde_json::json;

use oracle::{Oracle, Script, Texts, Verdict, unhex};

/// Histories whose authors are all yjs, in one full run.
const YJS_HISTORIES: u64 = 2_000;
/// Histories in which our replicas and yjs write together, in one full run.
const MIXED_HISTORIES: u64 = 300;
/// Genuine updates a full run must at least have offered; fewer prove too little.
const GENUINE_UPDATES: u64 = 10_000;
/// New replica ids one offer may bring; a whole state here brings at most eight.
const NEW_REPLICAS: u32 = 32;
/// What a room on the server calls itself here; it never writes.
const SERVER: ReplicaId = ReplicaId::ours(0x00C0_11AB);

/// Why `expect` stands behind every call that may report poison: genuine updates never do.
const SURVIVES: &str = "the engine survives genuine updates";

fn notes() -> FileId {
    FileId::parse("notes").expect("a plain word is a file id")
}

fn entries(vector: &StateVector) -> Vec<(u64, u32)> {
    let mut entries: Vec<(u64, u32)> = vector.iter().collect();
    entries.sort_unstable();
    entries
}

fn assert_shows(document: &Document, texts: &Texts) {
    assert_eq!(document.text(&FileId::main()), texts.main);
    assert_eq!(document.text(&notes()), texts.notes);
}

/// One turn in which everything must be accepted.
fn accept(document: &mut Document, updates: &[Bytes], genuine: &AtomicU64) -> Turn {
    let offers: Vec<Offer<'_>> = updates
        .iter()
        .map(|update| Offer {
            update,
            new_replicas: NEW_REPLICAS,
        })
        .collect();
    let turn = document.apply(&offers).expect(SURVIVES);
    assert_eq!(turn.outcomes.len(), updates.len(), "an outcome per offer");
    for (outcome, update) in turn.outcomes.iter().zip(updates) {
        assert!(
            matches!(outcome, Outcome::Applied { .. }),
            "a genuine update was refused: {outcome:?} {}",
            hex::encode(update)
        );
    }
    let offered = u64::try_from(updates.len()).expect("a turn is short");
    genuine.fetch_add(offered, Ordering::Relaxed);
    turn
}

/// What an editor shows that only follows the changes it is told.
struct Follower {
    file: FileId,
    units: Vec<u16>,
}

impl Follower {
    fn new(document: &mut Document, file: FileId) -> Follower {
        document.watch(&file);
        let units = document.text(&file).encode_utf16().collect();
        Follower { file, units }
    }

    /// Offsets refer to the text before, so the last edit is made first.
    fn edit(&mut self, edits: &[Edit]) {
        for edit in edits.iter().rev() {
            let at = edit.at.0 as usize;
            let end = at + edit.delete as usize;
            self.units.splice(at..end, edit.insert.encode_utf16());
        }
    }

    fn hear(&mut self, turn: &Turn) {
        for (file, edits) in &turn.changes {
            if *file == self.file {
                self.edit(edits);
            }
        }
    }

    fn assert_level_with(&self, document: &Document) {
        assert_eq!(
            String::from_utf16_lossy(&self.units),
            document.text(&self.file),
            "the reported changes of {} do not lead to its text",
            self.file
        );
    }
}

/// A history written by yjs replicas only, through our document and back to yjs.
fn yjs_history(oracle: &mut Oracle, seed: u64, genuine: &AtomicU64) {
    let script: Script = oracle.ask(&json!({ "op": "script", "seed": seed }));
    let mut document = Document::new(SERVER);
    let mut followers = [FileId::main(), notes()].map(|file| Follower::new(&mut document, file));
    let mut deltas = Vec::new();
    for (number, turn) in script.turns.iter().enumerate() {
        let updates: Vec<Bytes> = turn.updates.iter().map(|update| unhex(update)).collect();
        let done = accept(&mut document, &updates, genuine);
        assert_eq!(
            entries(&document.state_vector()),
            turn.sv,
            "state vector after turn {number}"
        );
        for follower in &mut followers {
            follower.hear(&done);
        }
        if !done.delta.is_empty() {
            deltas.push(done.delta);
        }
    }
    assert_shows(&document, &script.texts);
    for follower in &followers {
        follower.assert_level_with(&document);
    }

    let diffs: Vec<String> = script
        .probes
        .iter()
        .map(|sv| StateVector::decode(&unhex(sv)).expect("a genuine state vector"))
        .map(|sv| hex::encode(document.diff(&sv).expect(SURVIVES)))
        .collect();

    // Once more from a whole state as one replica has it, and from what a log would hold.
    let mut from_whole = Document::new(ReplicaId::ours(1));
    accept(&mut from_whole, &[unhex(&script.whole)], genuine);
    let mut from_log = Document::load(ReplicaId::ours(2), deltas.iter().map(|delta| &delta[..]))
        .expect("our own deltas load");
    let states = [&mut document, &mut from_whole, &mut from_log]
        .map(|document| hex::encode(document.encode().expect(SURVIVES)));

    let verdict: Verdict = oracle.ask(&json!({
        "op": "check",
        "deltas": deltas.iter().map(hex::encode).collect::<Vec<_>>(),
        "states": states,
        "diffs": diffs,
    }));
    assert_eq!(verdict.why, None);
}

/// Says which history failed while the panic passes by.
struct Named(&'static str, u64);

impl Drop for Named {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{} history: replay with SEED={}", self.0, self.1);
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    let number = value.parse().ok();
    assert!(
        number.is_some(),
        "{variable} must be a number, not {value:?}"
    );
    number
}

/// Runs `history` for every seed on two threads, each with its own oracle. A full run must offer
/// at least `least` genuine updates.
fn campaign(name: &'static str, full: u64, least: u64, history: fn(&mut Oracle, u64, &AtomicU64)) {
    let genuine = AtomicU64::new(0);
    if let Some(seed) = number("SEED") {
        let _named = Named(name, seed);
        history(&mut Oracle::start(), seed, &genuine);
        return;
    }
    let count = number("HISTORIES").unwrap_or(full);
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut oracle = Oracle::start();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= count {
                        break;
                    }
                    let _named = Named(name, seed);
                    history(&mut oracle, seed, &genuine);
                }
            });
        }
    });
    let offered = genuine.into_inner();
    println!("{name}: {count} histories, {offered} updates offered, none refused");
    assert!(
        count < full || offered >= least,
        "only {offered} updates were offered"
    );
}

#[test]
fn yjs_histories_read_the_same_here_and_there() {
    campaign("yjs", YJS_HISTORIES, GENUINE_UPDATES, yjs_history);
}

#[test]
fn our_edits_and_theirs_merge_to_the_same_text() {
    campaign("mixed", MIXED_HISTORIES, 1, mixed::history);
}
