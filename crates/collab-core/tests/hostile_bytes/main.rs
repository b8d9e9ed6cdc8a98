//! The promise `hostile_bytes`: bytes from outside become an edit or an error, never a panic, and
//! cost little either way. What is accepted reads the same here, in a fresh replica, and in published
//! yjs (`mutated`).

#[path = "../support/costs.rs"]
mod costs;
#[path = "../support/histories.rs"]
mod histories;
mod mutated;
#[path = "../support/random.rs"]
mod random;

use collab_core::document::{Document, Offer, Outcome, Refusal, StateVector};
use collab_core::ids::ReplicaId;

use costs::{Costs, alone};
use random::Random;

fn replica() -> ReplicaId {
    ReplicaId::ours(77)
}

fn offer(update: &[u8]) -> Offer<'_> {
    Offer {
        update,
        new_replicas: 1_000,
    }
}

fn apply(document: &mut Document, update: &[u8]) -> Outcome {
    let turn = document.apply(&[offer(update)]).expect("the engine holds");
    let [outcome] = turn.outcomes[..] else {
        panic!("one outcome for one offer");
    };
    outcome
}

/// A fresh replica must read what this one does.
fn same_in_a_fresh_replica(document: &mut Document, context: &str) {
    let bytes = document.encode().expect("encodes");
    let fresh = Document::load(ReplicaId::ours(78), [&bytes[..]]).expect("our own bytes");
    assert_eq!(fresh.state_vector(), document.state_vector(), "{context}");
    assert_eq!(
        fresh.deletions_digest(),
        document.deletions_digest(),
        "{context}"
    );
    assert_eq!(fresh.digest(), document.digest(), "{context}");
}

fn crashers() -> serde_json::Value {
    serde_json::from_str(include_str!("../fixtures/crashers.json")).expect("our fixture")
}

fn bytes(entry: &serde_json::Value) -> Vec<u8> {
    hex::decode(entry.as_str().expect("a text")).expect("hexadecimal")
}

/// Every input of the list that comes as bytes, with what becomes of its last update.
#[test]
fn crashers_do_no_harm() {
    let _alone = alone();
    let list = crashers();
    let base = bytes(&list["base_hex"]);
    let mut outcomes = Vec::new();
    let mut costs = Costs::default();
    for entry in list["entries"].as_array().expect("a list") {
        let id = entry["id"].as_str().expect("an id");
        let Some(updates) = entry["updates_hex"].as_array() else {
            continue;
        };
        let mut document = Document::new(replica());
        if entry["apply_first"] == "BASE" {
            assert_eq!(
                apply(&mut document, &base),
                Outcome::Applied { new_replicas: 2 }
            );
        }
        let mut last = None;
        for update in updates {
            let update = bytes(update);
            last = Some(costs.measure(|| apply(&mut document, &update)));
            let _ = costs.measure(|| StateVector::decode(&update));
        }
        costs.measure(|| document.digest()).expect("reads");
        same_in_a_fresh_replica(&mut document, id);
        let outcome = match last.expect("an update") {
            Outcome::Applied { .. } => "applied",
            Outcome::Gap => "gap",
            Outcome::Refused(refusal) => refusal.name(),
        };
        outcomes.push(format!("{id} {outcome}"));
    }
    insta::assert_snapshot!(outcomes.join("\n"), @r"
    C01 clock-range
    C02 clock-range
    C03 clock-range
    C04 count
    C05 count
    C06 count
    C07 clock-range
    C08 legacy-json
    C09 clock-range
    C10 empty-block
    C11 legacy-json
    C12 empty-block
    C13 clock-range
    C14 empty-block
    C15 clock-range
    C16 applied
    C19 count
    C22 applied
    C23 applied
    C24 legacy-json
    ");
}

/// `head`, then `part` n times, then `tail`.
fn repeat(head: &[u8], part: &[u8], n: usize, tail: &[u8]) -> Vec<u8> {
    [head, &part.repeat(n), tail].concat()
}

fn uint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
    out
}

#[test]
fn c17_deep_values() {
    let _alone = alone();
    let nested = |levels| {
        repeat(
            &[1, 1, 1, 0, 8, 1, 1, b't', 1],
            &[0x75, 1],
            levels,
            &[0x7f, 0],
        )
    };
    let mut document = Document::new(replica());
    let mut costs = Costs::default();
    for levels in [64, 65, 20_000, 1_000_000] {
        let outcome = costs.measure(|| apply(&mut document, &nested(levels)));
        assert_eq!(outcome, Outcome::Refused(Refusal::ValueDepth), "{levels}");
    }
    assert_eq!(
        apply(&mut document, &nested(63)),
        Outcome::Applied { new_replicas: 1 }
    );
    same_in_a_fresh_replica(&mut document, "63 levels");
}

/// A chain of types, each in the one before it, clocks `from..to`.
fn chain(from: u32, to: u32) -> Vec<u8> {
    let mut update = vec![1];
    update.extend(uint(u64::from(to - from)));
    update.push(1);
    update.extend(uint(u64::from(from)));
    for clock in from..to {
        if clock == 0 {
            update.extend([7, 1, 1, b't', 0]);
        } else {
            update.extend([7, 0, 1]);
            update.extend(uint(u64::from(clock - 1)));
            update.push(0);
        }
    }
    update.push(0);
    update
}

#[test]
fn c18_deep_types() {
    let _alone = alone();
    let mut document = Document::new(replica());
    let mut costs = Costs::default();
    let deep = costs.measure(|| apply(&mut document, &chain(0, 20_000)));
    assert_eq!(deep, Outcome::Refused(Refusal::Depth));
    // Depth adds up over updates, and is still known after a load.
    apply(&mut document, &chain(0, 300));
    let stored = document.encode().expect("encodes");
    let mut document = Document::load(replica(), [&stored[..]]).expect("our own bytes");
    assert_eq!(
        apply(&mut document, &chain(300, 501)),
        Outcome::Refused(Refusal::Depth)
    );
    assert_eq!(
        apply(&mut document, &chain(300, 500)),
        Outcome::Applied { new_replicas: 0 }
    );
    assert_eq!(
        apply(&mut document, &chain(500, 501)),
        Outcome::Refused(Refusal::Depth)
    );
    costs.measure(|| document.digest()).expect("reads");
    same_in_a_fresh_replica(&mut document, "500 levels");
    // On a thread with the smallest stack anyone has.
    let small = std::thread::Builder::new().stack_size(1 << 20);
    #[expect(clippy::disallowed_types, reason = "for its stack")]
    let thread: std::thread::JoinHandle<()> = small
        .spawn(move || {
            let all = [0, 1, 1, 1, 0, 1];
            let outcome = apply(&mut document, &all);
            assert_eq!(outcome, Outcome::Applied { new_replicas: 0 });
            same_in_a_fresh_replica(&mut document, "all deleted");
        })
        .expect("a thread");
    thread.join().expect("no overflow");
}

#[test]
fn c20_claims_inside_claims() {
    let _alone = alone();
    let claim = [&[0x76][..], &uint(3_000_000), &[0]].concat();
    let bomb = repeat(&[1, 1, 1, 0, 8, 1, 1, b't', 1], &claim, 200, &[]);
    let mut document = Document::new(replica());
    let outcome = Costs::default().measure(|| apply(&mut document, &bomb));
    assert_eq!(outcome, Outcome::Refused(Refusal::Count));
}

/// One character at the start of a text, by a client that has seen nothing.
fn first_character(client: u64) -> Vec<u8> {
    [&[1, 1][..], &uint(client), &[0, 4, 1, 1, b't', 1, b'a', 0]].concat()
}

#[test]
fn c21_too_many_authors_at_one_place() {
    let _alone = alone();
    let mut document = Document::new(replica());
    let mut costs = Costs::default();
    let updates: Vec<Vec<u8>> = (0..2_000).map(first_character).collect();
    // The sender's allowance is what bounds the quadratic merge.
    let mut allowance = 1_000;
    let mut refused = 0;
    for update in &updates {
        let offer = Offer {
            update,
            new_replicas: allowance,
        };
        let turn = costs.measure(|| document.apply(&[offer])).expect("holds");
        match turn.outcomes[..] {
            [Outcome::Applied { new_replicas }] => allowance -= new_replicas,
            [Outcome::Refused(Refusal::TooManyReplicas)] => refused += 1,
            ref other => panic!("{other:?}"),
        }
    }
    assert_eq!((allowance, refused), (0, 1_000));
    assert_eq!(document.replicas(), 1_000);
}

/// One collected unit each of many clients.
fn many_clients(ids: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let ids: Vec<u64> = ids.into_iter().collect();
    let mut update = uint(ids.len() as u64);
    for id in ids.into_iter().rev() {
        update.push(1);
        update.extend(uint(id));
        update.extend([0, 0, 1]);
    }
    update.push(0);
    update
}

#[test]
fn client_ids_that_collide() {
    let _alone = alone();
    let mut costs = Costs::default();
    let mut document = Document::new(replica());
    let all = |update: &[u8], document: &mut Document| {
        let offer = Offer {
            update,
            new_replicas: u32::MAX,
        };
        document.apply(&[offer]).expect("holds").outcomes[0]
    };
    let colliding = many_clients((0..4_000u64).map(|i| i << 32));
    assert_eq!(
        costs.measure(|| all(&colliding, &mut document)),
        Outcome::Refused(Refusal::ClusteredReplicas)
    );
    // Nor a few at a time.
    for i in 0..64 {
        let one = many_clients([i << 32]);
        assert_eq!(
            all(&one, &mut document),
            Outcome::Applied { new_replicas: 1 }
        );
    }
    let one = many_clients([64 << 32]);
    assert_eq!(
        all(&one, &mut document),
        Outcome::Refused(Refusal::ClusteredReplicas)
    );
    let mut document = Document::new(replica());
    let too_many = many_clients(0..4_097);
    assert_eq!(
        costs.measure(|| all(&too_many, &mut document)),
        Outcome::Refused(Refusal::TooManyReplicas)
    );
    // Random ids are no trouble, up to the last place in the room.
    let mut random = Random::new(5);
    let mut document = Document::new(replica());
    for bits in [32, 53].repeat(4) {
        let mut ids: Vec<u64> = (0..4_000).map(|_| random.next() >> (64 - bits)).collect();
        ids.sort_unstable();
        ids.dedup();
        let update = many_clients(ids);
        let outcome = costs.measure(|| all(&update, &mut document));
        assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    }
    let mut last: Vec<u64> = (0..2_000).map(|_| random.next() >> 32).collect();
    last.sort_unstable();
    assert_eq!(
        all(&many_clients(last), &mut document),
        Outcome::Refused(Refusal::TooManyReplicas)
    );
    same_in_a_fresh_replica(&mut document, "a full room");
}

/// Characters typed in a row, each a block of its own, as `Y.mergeUpdates` leaves them; or values.
fn typed_in_a_row(n: u64, content: &[u8]) -> Vec<u8> {
    let mut update = [&[1][..], &uint(n), &[1, 0]].concat();
    update.push(content[0]);
    update.extend([1, 1, b't']);
    update.extend(&content[1..]);
    for clock in 1..n {
        update.push(0x80 | content[0]);
        update.push(1);
        update.extend(uint(clock - 1));
        update.extend(&content[1..]);
    }
    update.push(0);
    update
}

/// The engine needs 5 GB and 3 s for 100,000 neighbours that nobody joined.
#[test]
fn neighbours_that_the_engine_would_join_one_by_one() {
    let _alone = alone();
    let mut costs = Costs::default();
    for content in [&[4, 1, b'a'][..], &[8, 1, 0x7e]] {
        let mut document = Document::new(replica());
        let update = typed_in_a_row(50_000, content);
        let outcome = costs.measure(|| apply(&mut document, &update));
        assert_eq!(outcome, Outcome::Applied { new_replicas: 1 });
        same_in_a_fresh_replica(&mut document, "50,000 neighbours");
    }
}
