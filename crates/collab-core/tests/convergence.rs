//! The promise `convergence`: the same updates, in any order that keeps each author's own, late or
//! twice, in turns of any size, give the same document everywhere.

#[path = "support/histories.rs"]
mod histories;
#[path = "support/random.rs"]
mod random;

use std::collections::VecDeque;

use collab_core::document::{Document, Offer, Outcome};
use collab_core::ids::ReplicaId;
use histories::Shape;
use proptest::prelude::*;
use random::Random;

/// Delivers updates to a replica: some held back, some twice, what comes too early again later.
fn deliver(random: &mut Random, updates: &[Vec<u8>]) -> (Document, usize) {
    let mut document = Document::new(ReplicaId::ours(1));
    let mut waiting: VecDeque<&Vec<u8>> = VecDeque::new();
    let mut gaps = 0;
    for update in updates {
        waiting.push_back(update);
        if random.chance(4) {
            waiting.push_back(update);
        }
    }
    for _ in 0..waiting.len() {
        let (a, b) = (random.below(waiting.len()), random.below(waiting.len()));
        if a.abs_diff(b) < 6 {
            waiting.swap(a, b);
        }
    }
    let mut rounds = 0;
    while !waiting.is_empty() {
        rounds += 1;
        assert!(rounds < 10_000, "nothing is delivered any more");
        let turn: Vec<&Vec<u8>> = (0..=random.below(8))
            .filter_map(|_| waiting.pop_front())
            .collect();
        let offers: Vec<Offer<'_>> = turn
            .iter()
            .map(|update| Offer {
                update,
                new_replicas: 100,
            })
            .collect();
        let outcomes = document.apply(&offers).expect("the engine holds").outcomes;
        for (update, outcome) in turn.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Applied { .. } => {}
                Outcome::Gap => {
                    gaps += 1;
                    waiting.push_back(update);
                }
                Outcome::Refused(refusal) => panic!("honest, but {refusal}"),
            }
        }
    }
    (document, gaps)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_order_gives_the_same_document(seed: u64, replicas in 1usize..6, plain: bool) {
        let mut random = Random::new(seed);
        let shape = Shape { replicas, changes: 40, plain };
        let updates = histories::history(&mut random, shape);
        let in_order = Document::load(ReplicaId::ours(2), updates.iter().map(|u| &u[..]))
            .expect("an honest history");
        let (shuffled, _) = deliver(&mut random, &updates);
        prop_assert_eq!(shuffled.state_vector(), in_order.state_vector());
        prop_assert_eq!(shuffled.deletions_digest(), in_order.deletions_digest());
        prop_assert_eq!(shuffled.digest(), in_order.digest());
        let whole = histories::whole(&updates);
        let from_whole = Document::load(ReplicaId::ours(3), [&whole[..]]).expect("honest");
        prop_assert_eq!(from_whole.digest(), in_order.digest());
    }
}

/// The property says nothing unless updates do come too early.
#[test]
fn updates_do_come_too_early() {
    let mut random = Random::new(3);
    let shape = Shape {
        replicas: 4,
        changes: 60,
        plain: false,
    };
    let updates = histories::history(&mut random, shape);
    let (_, gaps) = deliver(&mut random, &updates);
    assert!(gaps > 5, "{gaps} gaps");
}
