//! Genuine bytes with mistakes in them, by the hundred thousand: updates, state vectors, awareness
//! messages, frames. What of the updates is accepted is read by published yjs. Must not know which
//! rule refuses what.

#[path = "../differential/oracle.rs"]
#[expect(
    dead_code,
    clippy::disallowed_types,
    reason = "other tests ask it other questions; the judge is a process"
)]
mod oracle;

use bytes::Bytes;
use collab_core::document::{Document, FileId, Outcome, StateVector};
use collab_core::ids::{ConnectionId, ReplicaId};
use collab_core::presence::Table;
use collab_core::protocol::{Message, awareness, codec};
use collab_core::time::Millis;
use serde_json::json;

use crate::costs::{Costs, alone};
use crate::histories::{self, Shape};
use crate::random::Random;
use crate::{apply, offer, replica, same_in_a_fresh_replica, uint};
use oracle::{Oracle, Verdict};

/// Mutated inputs of each kind in one run: 200,000 in all.
const UPDATES: usize = 120_000;
const STATE_VECTORS: usize = 30_000;
const AWARENESS: usize = 25_000;
const FRAMES: usize = 25_000;

/// Changes bytes in one of the ways in which they get damaged or forged.
fn mutate(random: &mut Random, bytes: &mut Vec<u8>, donors: &[Vec<u8>]) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(9) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = random.byte(),
            2 if at < bytes.len() => bytes[at] = bytes[at].wrapping_add(1),
            3 if at < bytes.len() => bytes[at] = bytes[at].wrapping_sub(1),
            4 if at < bytes.len() => {
                bytes.remove(at);
            }
            5 => bytes.insert(at, random.byte()),
            6 => {
                let interesting = [0, 1, 127, 128, 1 << 31, (1 << 31) - 1, 1 << 32, 1 << 53];
                let number = uint(*random.pick(&interesting));
                let end = (at + random.below(3)).min(bytes.len());
                bytes.splice(at..end, number);
            }
            7 => {
                let donor = random.pick(donors);
                let from = random.below(donor.len());
                let to = (from + random.below(24)).min(donor.len());
                let end = (at + random.below(24)).min(bytes.len());
                bytes.splice(at..end, donor[from..to].iter().copied());
            }
            _ if at < bytes.len() => {
                let end = (at + random.below(16)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => {}
        }
    }
}

/// How a campaign went.
#[derive(Default, Debug)]
struct Tally {
    applied: usize,
    changed: usize,
    gaps: usize,
    refused: std::collections::BTreeMap<&'static str, usize>,
}

/// Documents that took a forged update, and wait to be read by yjs.
struct Judge {
    oracle: Oracle,
    waiting: Vec<serde_json::Value>,
    judged: usize,
}

impl Judge {
    /// So many are read at a time.
    const BATCH: usize = 100;

    fn start() -> Judge {
        Judge {
            oracle: Oracle::start(),
            waiting: Vec::new(),
            judged: 0,
        }
    }

    fn add(&mut self, known: &[Vec<u8>], delta: &[u8], document: &mut Document) {
        let state = document.encode().expect("encodes");
        let mut vector: Vec<(u64, u32)> = document.state_vector().iter().collect();
        vector.sort_unstable();
        self.waiting.push(json!({
            "known": known.iter().map(hex::encode).collect::<Vec<_>>(),
            "delta": hex::encode(delta),
            "state": hex::encode(&state),
            "main": document.text(&FileId::main()),
            "sv": vector,
        }));
        if self.waiting.len() == Judge::BATCH {
            self.read();
        }
    }

    fn read(&mut self) {
        self.judged += self.waiting.len();
        let question = json!({ "op": "read", "documents": std::mem::take(&mut self.waiting) });
        let verdict: Verdict = self.oracle.ask(&question);
        assert_eq!(verdict.why, None, "{}", question["documents"]);
    }
}

/// Mutates updates that would apply next, whole states, and updates of other histories.
fn campaign(seed: u64, inputs: usize, judge: &mut Judge) -> (Tally, Costs) {
    let mut random = Random::new(seed);
    let mut tally = Tally::default();
    let mut costs = Costs::default();
    let mut donors: Vec<Vec<u8>> = Vec::new();
    while costs.inputs < inputs {
        let shape = Shape {
            replicas: 1 + random.below(4),
            changes: 12 + random.below(40),
            plain: random.chance(4),
        };
        let mut updates = histories::history(&mut random, shape);
        updates.push(histories::whole(&updates));
        donors.extend(updates.iter().cloned());
        if donors.len() > 400 {
            donors.drain(..200);
        }
        for round in 0..10 {
            let known = random.below(updates.len());
            let load = || {
                Document::load(replica(), updates[..known].iter().map(|u| &u[..]))
                    .expect("an honest history")
            };
            let mut document = load();
            for input in 0..200 {
                let mut bytes = if random.chance(5) {
                    random.pick(&donors).clone()
                } else if random.chance(2) {
                    updates[known].clone()
                } else {
                    random.pick(&updates).clone()
                };
                mutate(&mut random, &mut bytes, &donors);
                let context = || {
                    format!(
                        "seed {seed} round {round} input {input}: {}",
                        hex::encode(&bytes)
                    )
                };
                let turn = costs
                    .measure(|| document.apply(&[offer(&bytes)]))
                    .unwrap_or_else(|error| panic!("{error}, {}", context()));
                match turn.outcomes[..] {
                    [Outcome::Applied { .. }] => tally.applied += 1,
                    [Outcome::Gap] => tally.gaps += 1,
                    [Outcome::Refused(refusal)] => {
                        *tally.refused.entry(refusal.name()).or_default() += 1;
                    }
                    ref other => panic!("{other:?}"),
                }
                if !turn.delta.is_empty() {
                    tally.changed += 1;
                    same_in_a_fresh_replica(&mut document, &context());
                    judge.add(&updates[..known], &turn.delta, &mut document);
                    document = load();
                }
            }
        }
    }
    (tally, costs)
}

/// `SEED=…` runs another campaign, or a failed one again.
#[expect(clippy::disallowed_methods, reason = "the choice is the caller's")]
fn seed() -> u64 {
    std::env::var("SEED").map_or(1, |seed| seed.parse().expect("SEED is a number"))
}

#[test]
fn mutated_updates() {
    let _alone = alone();
    let mut judge = Judge::start();
    let (tally, _) = campaign(seed(), UPDATES, &mut judge);
    judge.read();
    assert_eq!(judge.judged, tally.changed);
    // A campaign in which a case never happened shows nothing.
    assert!(tally.changed > 1_000, "{tally:?}");
    assert!(tally.gaps > 1_000, "{tally:?}");
    assert!(tally.refused.len() > 15, "{tally:?}");
}

#[test]
fn mutated_state_vectors() {
    let _alone = alone();
    let mut random = Random::new(2);
    let mut costs = Costs::default();
    let shape = Shape {
        replicas: 4,
        changes: 60,
        plain: false,
    };
    let updates = histories::history(&mut random, shape);
    let document =
        Document::load(replica(), updates.iter().map(|u| &u[..])).expect("an honest history");
    let whole = document.digest();
    let genuine = document.state_vector().encode();
    let genuine_ids: Vec<u64> = document.state_vector().iter().map(|(id, _)| id).collect();
    let (mut good, mut bad) = (0, 0);
    for _ in 0..STATE_VECTORS {
        let mut bytes = genuine.clone();
        mutate(&mut random, &mut bytes, std::slice::from_ref(&genuine));
        let Ok(state) = costs.measure(|| StateVector::decode(&bytes)) else {
            bad += 1;
            continue;
        };
        good += 1;
        let diff = costs.measure(|| document.diff(&state)).expect("encodes");
        if good % 16 == 0 {
            // Whatever they claim to have: the diff is an update like any other, and who really
            // has nothing is told so by the gap.
            let mut fresh = Document::new(ReplicaId::ours(9));
            match apply(&mut fresh, &diff) {
                Outcome::Applied { .. } => {
                    let claims = state.iter().any(|(id, _)| genuine_ids.contains(&id));
                    assert!(claims || fresh.digest() == whole, "seed 2, {state:?}");
                }
                outcome => assert_eq!(outcome, Outcome::Gap),
            }
        }
    }
    assert!(good > 1_000 && bad > 1_000, "{good} good, {bad} bad");
}

/// Somebody's presence as an editor sends it.
fn presence(random: &mut Random, clock: u64) -> Vec<u8> {
    let entries: Vec<awareness::Entry> = (0..1 + random.below(3))
        .map(|_| awareness::Entry {
            replica: ReplicaId::ours(u32::from(random.byte())),
            clock,
            state: (!random.chance(4)).then(|| {
                r##"{"user":{"name":"Ann 😀","color":"#30bced"},"cursor":null}"##.to_owned()
            }),
        })
        .collect();
    awareness::encode(entries.iter()).to_vec()
}

#[test]
fn mutated_awareness_messages() {
    let _alone = alone();
    let mut random = Random::new(3);
    let mut costs = Costs::default();
    let mut table = Table::default();
    let donors: Vec<Vec<u8>> = (0..50).map(|clock| presence(&mut random, clock)).collect();
    let (mut good, mut bad, mut taken) = (0, 0, 0);
    for input in 0..AWARENESS {
        let mut bytes = presence(&mut random, input as u64);
        mutate(&mut random, &mut bytes, &donors);
        // Many connections, some of which are long gone.
        let connection = ConnectionId(random.below(40) as u64);
        let now = Millis(input as u64 * 100);
        let entries = costs.measure(|| awareness::decode(bytes.into()));
        let Ok(entries) = entries else {
            bad += 1;
            continue;
        };
        good += 1;
        for entry in &entries {
            let offered = costs.measure(|| table.offer(now, connection, entry));
            taken += usize::from(offered.is_ok());
        }
        let everybody = costs.measure(|| table.everybody());
        let again = awareness::decode(awareness::encode(everybody.iter()));
        assert_eq!(again, Ok(everybody), "what is relayed can be read");
        if random.chance(50) {
            costs.measure(|| table.leave(now, connection));
        }
    }
    assert!(good > 1_000 && bad > 1_000, "{good} good, {bad} bad");
    assert!(taken > 1_000, "{taken} taken");
}

#[test]
fn mutated_frames() {
    let _alone = alone();
    let mut random = Random::new(4);
    let mut costs = Costs::default();
    let mut donors: Vec<Vec<u8>> = Vec::new();
    for _ in 0..20 {
        let state = Bytes::from_static(&[1, 5, 3]);
        let update = Bytes::from_static(&[1, 1, 5, 0, 4, 1, 1, b't', 1, b'a', 0]);
        let messages = [
            Message::SyncStep1(state),
            Message::SyncStep2(update.clone()),
            Message::Update(update),
            Message::Awareness(presence(&mut random, 1).into()),
            Message::QueryAwareness,
            Message::Unknown(102),
        ];
        let frame: Vec<u8> = (0..=random.below(4))
            .flat_map(|_| codec::encode(random.pick(&messages)))
            .collect();
        donors.push(frame);
    }
    let (mut good, mut bad) = (0, 0);
    for _ in 0..FRAMES {
        let mut bytes = random.pick(&donors).clone();
        mutate(&mut random, &mut bytes, &donors);
        let Ok(messages) = costs.measure(|| codec::decode(bytes.into())) else {
            bad += 1;
            continue;
        };
        good += 1;
        for message in messages {
            // What was read as a message is one: written again, it reads the same.
            let again = codec::decode(codec::encode(&message));
            assert_eq!(again, Ok(vec![message]));
        }
    }
    assert!(good > 1_000 && bad > 1_000, "{good} good, {bad} bad");
}
