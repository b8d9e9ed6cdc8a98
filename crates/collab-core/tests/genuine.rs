//! What honest editors send is never refused: 10,000 updates made by yjs 13.6, and what our
//! document then says is what theirs does. `fixtures/genuine.mjs` made them and says how.

use collab_core::document::{Document, Offer, Outcome};
use collab_core::ids::ReplicaId;

/// The histories of the fixture: updates in order, and the whole state at the end.
fn histories(mut bytes: &[u8]) -> Vec<(Vec<&[u8]>, &[u8])> {
    fn uint(bytes: &mut &[u8]) -> usize {
        let (number, rest) = bytes.split_at(4);
        *bytes = rest;
        usize::try_from(u32::from_le_bytes(number.try_into().expect("4 bytes"))).expect("small")
    }
    let mut histories = Vec::new();
    while !bytes.is_empty() {
        let mut updates: Vec<&[u8]> = (0..uint(&mut bytes))
            .map(|_| {
                let length = uint(&mut bytes);
                let (update, rest) = bytes.split_at(length);
                bytes = rest;
                update
            })
            .collect();
        let state = updates.pop().expect("a state at the end");
        histories.push((updates, state));
    }
    histories
}

fn offers<'a>(updates: &[&'a [u8]]) -> Vec<Offer<'a>> {
    updates
        .iter()
        .map(|update| Offer {
            update,
            new_replicas: 100,
        })
        .collect()
}

/// The fixture; with `GENUINE=path`, more of them than the repository holds.
#[expect(clippy::disallowed_methods, reason = "the choice is the caller's")]
fn genuine() -> Vec<u8> {
    match std::env::var_os("GENUINE") {
        Some(path) => std::fs::read(path).expect("a readable file"),
        None => include_bytes!("fixtures/genuine.bin").to_vec(),
    }
}

#[test]
fn genuine_updates_pass_and_converge() {
    let bytes = genuine();
    let mut passed = 0;
    for (index, (updates, state)) in histories(&bytes).into_iter().enumerate() {
        let mut document = Document::new(ReplicaId::ours(1));
        let turns = updates.chunks(1 + index % 5);
        for (turn, updates) in turns.enumerate() {
            let result = document.apply(&offers(updates)).expect("the engine holds");
            for outcome in &result.outcomes {
                assert!(
                    matches!(outcome, Outcome::Applied { .. }),
                    "history {index}, turn {turn}: {outcome:?}: {:?}",
                    updates.iter().map(hex::encode).collect::<Vec<_>>()
                );
                passed += 1;
            }
        }
        let stored = document.encode().expect("encodes");
        let loaded = Document::load(ReplicaId::ours(2), [&stored[..]]).expect("our own bytes");
        assert_eq!(
            loaded.digest(),
            document.digest(),
            "history {index}, loaded"
        );
        if state.is_empty() {
            continue;
        }
        let mut theirs = Document::new(ReplicaId::ours(3));
        let turn = theirs.apply(&offers(&[state])).expect("the engine holds");
        assert!(
            matches!(turn.outcomes[..], [Outcome::Applied { .. }]),
            "history {index}, whole: {turn:?}"
        );
        assert_eq!(
            theirs.state_vector(),
            document.state_vector(),
            "history {index}"
        );
        assert_eq!(theirs.digest(), document.digest(), "history {index}");
    }
    assert!(passed >= 10_000, "{passed} updates");
}
