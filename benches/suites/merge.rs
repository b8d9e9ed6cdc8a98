//! Merge throughput: a real trace keystroke by keystroke and in turns, diverged replicas coming
//! together, and what a joiner costs; each beside bare yrs in the same run where there is a bare
//! counterpart. Figures are per iteration of the named size; see `Elements` for the rate.

use benches::trace::{Trace, paper};
use bytes::Bytes;
use collab_core::document::{Document, Edit, FileId, Offer, StateVector};
use collab_core::ids::{Offset, ReplicaId};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use yrs::updates::decoder::Decode;
use yrs::{Doc, OffsetKind, Options, ReadTxn, Transact, Update};

/// Edits of the trace that are replayed: enough for a document of some size, few enough for
/// criterion to repeat.
const EDITS: usize = 20_000;

/// Updates one sender may bring ids in; not what is measured here.
const ANY: u32 = 1 << 16;

fn document(replica: u32) -> Document {
    Document::new(ReplicaId::ours(replica))
}

fn bare(replica: u64) -> Doc {
    let mut options = Options::with_client_id(yrs::block::ClientID::new(replica));
    options.offset_kind = OffsetKind::Utf16;
    Doc::with_options(options)
}

/// The trace as its author's client would send it: one update an edit.
fn updates(trace: &Trace, replica: u32) -> Vec<Bytes> {
    let mut author = document(replica);
    let file = FileId::main();
    let updates = trace
        .patches
        .iter()
        .map(|patch| {
            let edit = Edit {
                at: Offset(patch.at),
                delete: patch.delete,
                insert: patch.insert.clone(),
            };
            author.edit(&file, &[edit]).expect("a recorded edit fits")
        })
        .collect();
    assert_eq!(author.text(&file), trace.end, "the replay is the recording");
    updates
}

fn apply_all(document: &mut Document, updates: &[Bytes], turn: usize) {
    for turn in updates.chunks(turn) {
        let offers: Vec<Offer<'_>> = turn
            .iter()
            .map(|update| Offer {
                update,
                new_replicas: ANY,
            })
            .collect();
        document.apply(&offers).expect("honest updates");
    }
}

fn keystrokes(criterion: &mut Criterion) {
    let trace = paper(EDITS);
    let updates = updates(&trace, 1);
    let mut group = criterion.benchmark_group(format!("trace/{}", trace.name));
    group.throughput(Throughput::Elements(updates.len() as u64));
    group.sample_size(10);
    for turn in [1, 16, 64, 256] {
        group.bench_with_input(
            BenchmarkId::new("document, turn of", turn),
            &turn,
            |b, turn| {
                b.iter_batched(
                    || document(2),
                    |mut document| apply_all(&mut document, &updates, *turn),
                    BatchSize::LargeInput,
                );
            },
        );
        group.bench_with_input(
            BenchmarkId::new("bare yrs, turn of", turn),
            &turn,
            |b, turn| {
                b.iter_batched(
                    || bare(2),
                    |doc| {
                        for turn in updates.chunks(*turn) {
                            let mut txn = doc.transact_mut();
                            for update in turn {
                                let update = Update::decode_v1(update).expect("honest bytes");
                                txn.apply_update(update).expect("honest updates");
                            }
                            std::hint::black_box(txn.encode_update_v1());
                        }
                    },
                    BatchSize::LargeInput,
                );
            },
        );
    }
    group.finish();
}

/// `replicas` people who typed `edits` each without seeing one another.
fn diverged(replicas: u32, edits: usize) -> Vec<Bytes> {
    (0..replicas)
        .map(|number| {
            let trace = benches::trace::made(edits, u64::from(number));
            let mut author = document(number + 1);
            for patch in &trace.patches {
                let edit = Edit {
                    at: Offset(patch.at),
                    delete: patch.delete,
                    insert: patch.insert.clone(),
                };
                author
                    .edit(&FileId::main(), &[edit])
                    .expect("a made edit fits");
            }
            author.encode().expect("a sound document")
        })
        .collect()
}

fn merge(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("merge diverged replicas");
    group.sample_size(10);
    for (replicas, edits) in [(2, 1_000), (10, 1_000), (50, 200)] {
        let states = diverged(replicas, edits);
        group.throughput(Throughput::Elements(u64::from(replicas) * edits as u64));
        let name = format!("{replicas} x {edits}");
        group.bench_with_input(BenchmarkId::new("document", &name), &states, |b, states| {
            b.iter_batched(
                || document(1_000),
                |mut document| apply_all(&mut document, states, 64),
                BatchSize::LargeInput,
            );
        });
        group.bench_with_input(BenchmarkId::new("bare yrs", &name), &states, |b, states| {
            b.iter_batched(
                || bare(1_000),
                |doc| {
                    let mut txn = doc.transact_mut();
                    for state in states {
                        let update = Update::decode_v1(state).expect("honest bytes");
                        txn.apply_update(update).expect("honest updates");
                    }
                    std::hint::black_box(txn.encode_update_v1());
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn encode(criterion: &mut Criterion) {
    let trace = paper(EDITS);
    let updates = updates(&trace, 1);
    let mut whole = document(2);
    apply_all(&mut whole, &updates, 64);
    let mut half = document(3);
    apply_all(&mut half, &updates[..updates.len() / 2], 64);
    let state = whole.encode().expect("a sound document");
    let (nothing, half, all) = (
        StateVector::default(),
        half.state_vector(),
        whole.state_vector(),
    );
    let mut group = criterion.benchmark_group("encode and diff");
    group.throughput(Throughput::Bytes(state.len() as u64));
    group.bench_function("encode whole", |b| b.iter(|| whole.encode()));
    for (name, have) in [("nothing", &nothing), ("half", &half), ("everything", &all)] {
        group.bench_function(BenchmarkId::new("diff for one who has", name), |b| {
            b.iter(|| whole.diff(have));
        });
    }
    group.bench_function("digest", |b| b.iter(|| whole.digest()));
    group.bench_function("load", |b| {
        b.iter(|| Document::load(ReplicaId::ours(4), [&state[..]]));
    });
    let doc = bare(5);
    group.bench_function("bare yrs load and encode", |b| {
        b.iter(|| {
            let doc = bare(6);
            let update = Update::decode_v1(&state).expect("honest bytes");
            doc.transact_mut().apply_update(update).expect("honest");
            doc.transact()
                .encode_state_as_update_v1(&yrs::StateVector::default())
        });
    });
    drop(doc);
    group.finish();
}

/// What the gate costs: an update that is known already passes all of it and changes nothing.
fn gate(criterion: &mut Criterion) {
    let trace = paper(2_000);
    let updates = updates(&trace, 1);
    let mut document = document(2);
    apply_all(&mut document, &updates, 64);
    let mut group = criterion.benchmark_group("gate");
    group.throughput(Throughput::Elements(updates.len() as u64));
    group.bench_function("known updates offered again", |b| {
        b.iter(|| apply_all(&mut document, &updates, 64));
    });
    let mut damaged = updates[0].to_vec();
    damaged.truncate(damaged.len() - 1);
    group.throughput(Throughput::Elements(1));
    group.bench_function("a damaged update refused", |b| {
        b.iter(|| {
            document.apply(&[Offer {
                update: &damaged,
                new_replicas: ANY,
            }])
        });
    });
    group.finish();
}

criterion_group!(benches, keystrokes, merge, encode, gate);
criterion_main!(benches);
