//! The check of one room's rows. Must not know a database.
//!
//! The document is built twice over: from each snapshot alone, and from the oldest snapshot (or
//! nothing) and the log behind it. Where a snapshot stands, both must say the same.

use std::collections::BTreeMap;

use bytes::Bytes;
use collab_core::document::{Digest, Document, Outcome, StateVector};
use collab_core::ids::{Epoch, ReplicaId, Seq};
use collab_core::record::Record;

use super::report::{Damaged, Finding, Part};
use crate::storage::RoomKey;
use crate::storage::assemble::{LogRow, SnapshotSearch, Standing};
use crate::storage::checksum::{check_record, unpack_snapshot};
use crate::storage::inspect::Rows;

/// Updates applied in one transaction; as when a document is loaded.
const BATCH: usize = 64;

/// One room, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub records: u64,
    pub snapshots: u64,
    /// Of their bodies, as stored.
    pub bytes: u64,
    pub damaged: Option<Damaged>,
}

impl Checked {
    /// A room of which not even the rows can be read.
    pub(super) fn unreadable(key: RoomKey, name: &str, what: String, seq: Seq) -> Checked {
        Checked {
            records: 0,
            snapshots: 0,
            bytes: 0,
            damaged: Some(Damaged {
                room: name.to_owned(),
                key: key.0,
                readable: false,
                findings: vec![Finding::new(Part::Room, seq, what)],
            }),
        }
    }
}

/// A snapshot that reads back right.
struct Good {
    seq: Seq,
    state: Bytes,
    says: Says,
}

/// What a document says and has seen.
#[derive(PartialEq, Eq)]
struct Says {
    content: Digest,
    seen: StateVector,
}

impl Says {
    fn of(document: &Document) -> Result<Says, String> {
        let content = document.digest().map_err(|error| error.to_string())?;
        let seen = document.state_vector();
        Ok(Says { content, seen })
    }
}

/// Checks everything that can be known from a room's rows.
pub fn check(rows: &Rows) -> Checked {
    let mut found = Vec::new();
    let info = &rows.info;
    found.extend(
        rows.unreadable
            .iter()
            .map(|what| Finding::new(Part::Room, Seq(0), what)),
    );
    if info.snapshot > info.head {
        let what = "the newest snapshot is beyond the log's head";
        found.push(Finding::new(Part::Room, info.snapshot, what));
    }
    let newest_is_there = rows.snapshots.iter().any(|(seq, _)| *seq == info.snapshot);
    if info.snapshot > Seq(0) && !newest_is_there {
        let what = "the snapshot that the room names is missing";
        found.push(Finding::new(Part::Snapshot, info.snapshot, what));
    }
    let good = snapshots(rows, &mut found);
    let log = records(rows, &mut found);
    content(rows, &good, &log, &mut found);
    let bodies = |bytes: usize| bytes as u64;
    let record_bytes: u64 = rows
        .records
        .iter()
        .filter_map(|(_, row)| row.as_ref().ok())
        .map(|row| bodies(row.body.len()))
        .sum();
    let snapshot_bytes: u64 = rows
        .snapshots
        .iter()
        .filter_map(|(_, row)| row.as_ref().ok())
        .map(|row| bodies(row.body.len()))
        .sum();
    found.sort_by_key(|finding| (finding.part, finding.seq));
    Checked {
        records: rows.records.len() as u64,
        snapshots: rows.snapshots.len() as u64,
        bytes: record_bytes + snapshot_bytes,
        damaged: (!found.is_empty()).then(|| Damaged {
            room: super::name_of(rows).to_string(),
            key: info.key.0,
            readable: opens(rows),
            findings: found,
        }),
    }
}

/// Every snapshot: its seal, its bytes, its document. Those that are right, newest first.
fn snapshots(rows: &Rows, found: &mut Vec<Finding>) -> Vec<Good> {
    let mut good = Vec::new();
    for (seq, row) in &rows.snapshots {
        if *seq > rows.info.head {
            let what = "it is beyond the log's head";
            found.push(Finding::new(Part::Snapshot, *seq, what));
        }
        match row.as_ref().map_err(Clone::clone).and_then(|row| {
            let (state, content) = unpack_snapshot(rows.info.key, row).map_err(damage)?;
            let document = Document::load(ReplicaId::ours(0), [&state[..]])
                .map_err(|error| format!("it does not decode: {}", error.reason))?;
            let says = Says::of(&document)?;
            if says.content.0 != content {
                return Err("it says something else than what was written".to_owned());
            }
            Ok((state, says))
        }) {
            Ok((state, says)) => good.push(Good {
                seq: *seq,
                state,
                says,
            }),
            Err(what) => found.push(Finding::new(Part::Snapshot, *seq, what)),
        }
    }
    good
}

/// Where the log begins: at 0; or, once it was folded, behind the oldest snapshot or somewhere below
/// it, as far as its rows were archived.
fn base(rows: &Rows) -> Seq {
    let oldest = rows.snapshots.last().map_or(Seq(0), |(seq, _)| *seq);
    match rows.records.first() {
        Some((first, _)) if *first <= oldest => Seq(first.0.saturating_sub(1)),
        _ => oldest,
    }
}

/// Every record: its checksum, its form, its place. Those that are right, decoded.
fn records(rows: &Rows, found: &mut Vec<Finding>) -> BTreeMap<Seq, Vec<Bytes>> {
    let mut log = BTreeMap::new();
    let mut expected = base(rows).next();
    let mut epoch = Epoch(0);
    for (seq, row) in &rows.records {
        let decoded = row.as_ref().map_err(Clone::clone).and_then(|row| {
            check_record(rows.info.key, row).map_err(damage)?;
            if row.epoch > rows.info.epoch {
                return Err("it was written under an epoch that the room has not reached".into());
            }
            if row.epoch < epoch {
                return Err("its epoch is older than that of a record before it".into());
            }
            epoch = row.epoch;
            Record::decode(&row.body).map_err(|error| error.to_string())
        });
        if *seq > rows.info.head {
            let what = "it is beyond the log's head";
            found.push(Finding::new(Part::Record, *seq, what));
        } else if *seq > expected {
            missing(expected, Seq(seq.0 - 1), found);
        }
        expected = seq.next();
        match decoded {
            Ok(record) => {
                let deltas = record.turns.into_iter().map(|turn| turn.delta.into());
                log.insert(*seq, deltas.collect());
            }
            Err(what) => found.push(Finding::new(Part::Record, *seq, what)),
        }
    }
    if expected <= rows.info.head {
        missing(expected, rows.info.head, found);
    }
    log
}

fn missing(first: Seq, last: Seq, found: &mut Vec<Finding>) {
    let what = match first == last {
        true => "it is missing".to_owned(),
        false => format!("it and those up to {last} are missing"),
    };
    found.push(Finding::new(Part::Record, first, what));
}

/// Whether the log, played from where it begins, says at each snapshot what that says, and can be
/// played to its end. Over a gap the next snapshot helps, which then stands for itself.
fn content(rows: &Rows, good: &[Good], log: &BTreeMap<Seq, Vec<Bytes>>, found: &mut Vec<Finding>) {
    let mut reached = base(rows);
    let mut document = match reached {
        Seq(0) => Some(Document::new(ReplicaId::ours(0))),
        _ => None,
    };
    for snapshot in good.iter().rev() {
        let played = document.take().and_then(|document| {
            let document = play(document, log, reached, snapshot.seq, found)?;
            match Says::of(&document) {
                Ok(says) if says == snapshot.says => Some(document),
                Ok(_) => {
                    let what = "it does not say what the log up to it says";
                    found.push(Finding::new(Part::Content, snapshot.seq, what));
                    None
                }
                Err(what) => {
                    found.push(Finding::new(Part::Content, snapshot.seq, what));
                    None
                }
            }
        });
        reached = snapshot.seq;
        document =
            played.or_else(|| Document::load(ReplicaId::ours(0), [&snapshot.state[..]]).ok());
    }
    let played = document.and_then(|document| play(document, log, reached, rows.info.head, found));
    if let Some(Err(what)) = played.as_ref().map(Says::of) {
        found.push(Finding::new(Part::Content, rows.info.head, what));
    }
}

/// Applies the records in `(from, to]`. `None` when one is missing, which was said already, or does
/// not go, which is said here.
fn play(
    mut document: Document,
    log: &BTreeMap<Seq, Vec<Bytes>>,
    from: Seq,
    to: Seq,
    found: &mut Vec<Finding>,
) -> Option<Document> {
    let records = || log.range(from.next()..=to.max(from.next()));
    let there = records().filter(|(seq, _)| **seq <= to).count() as u64;
    if there != to.0.saturating_sub(from.0) {
        return None;
    }
    let deltas: Vec<(Seq, Bytes)> = records()
        .filter(|(seq, _)| **seq <= to)
        .flat_map(|(seq, deltas)| deltas.iter().map(|delta| (*seq, delta.clone())))
        .collect();
    for batch in deltas.chunks(BATCH) {
        let updates: Vec<Bytes> = batch.iter().map(|(_, delta)| delta.clone()).collect();
        let first = batch.first().map_or(from, |(seq, _)| *seq);
        let last = batch.last().map_or(first, |(seq, _)| *seq);
        let turn = match document.apply_kept(&updates) {
            Ok(turn) => turn,
            Err(error) => {
                let what = format!("{error}, at it or up to record {last}");
                found.push(Finding::new(Part::Record, first, what));
                return None;
            }
        };
        for ((seq, _), outcome) in batch.iter().zip(&turn.outcomes) {
            let what = match outcome {
                Outcome::Applied { .. } => continue,
                Outcome::Gap => "it builds on an edit that is not there".to_owned(),
                Outcome::Refused(refusal) => refusal.to_string(),
            };
            found.push(Finding::new(Part::Record, *seq, what));
            return None;
        }
    }
    Some(document)
}

/// Whether a server that wakes the room finds something to begin with, as
/// [`Store::load`](crate::storage::Store::load) decides it. What is damaged it leaves out.
fn opens(rows: &Rows) -> bool {
    let info = &rows.info;
    let standing = Standing {
        head: info.head,
        newest: info.snapshot,
        ..Standing::default()
    };
    let stored: Vec<Seq> = rows.snapshots.iter().map(|(seq, _)| *seq).collect();
    let mut search = SnapshotSearch::new(info.key, standing, &stored);
    for (seq, row) in &rows.snapshots {
        match row {
            Ok(row) if search.offer(row) => break,
            Ok(_) => {}
            Err(why) => search.pass_over(*seq, None, why),
        }
    }
    let base = search.base();
    let behind: Vec<LogRow> = rows
        .records
        .iter()
        .filter(|(seq, _)| *seq > base)
        .map(|(seq, row)| match row {
            Ok(row) => LogRow::Read(row.clone()),
            Err(why) => LogRow::Unreadable {
                seq: *seq,
                why: why.clone(),
            },
        })
        .collect();
    rows.unreadable.is_empty() && search.finish(&behind).is_ok()
}

/// What is wrong, without the room and the place, which the report names anyway.
fn damage(error: crate::storage::StoreError) -> String {
    match error {
        crate::storage::StoreError::Corrupt { what, .. } => what,
        other => other.to_string(),
    }
}
