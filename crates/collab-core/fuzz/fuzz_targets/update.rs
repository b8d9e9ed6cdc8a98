//! Updates and state vectors of any bytes: nothing panics, and what is accepted reads the same to
//! whoever loads the document afresh.
//!
//! The input is cut at zero-length marks into several updates, so that histories are found too.

#![no_main]

use collab_core::document::{Document, Offer, Outcome, StateVector};
use collab_core::ids::ReplicaId;
use libfuzzer_sys::fuzz_target;

/// Between two updates of one input.
const MARK: &[u8] = &[0xff, 0xfe, 0xfd];

fuzz_target!(|input: &[u8]| {
    if let Ok(state_vector) = StateVector::decode(input) {
        let again = StateVector::decode(&state_vector.encode()).expect("own bytes");
        assert!(again.covers(&state_vector));
    }
    let mut document = Document::new(ReplicaId::ours(1));
    let mut rest = input;
    let mut accepted = false;
    while !rest.is_empty() {
        let end = rest
            .windows(MARK.len())
            .position(|window| window == MARK)
            .unwrap_or(rest.len());
        let offer = Offer {
            update: &rest[..end],
            new_replicas: 64,
        };
        let turn = document
            .apply(&[offer])
            .expect("the gate lets no panic through");
        accepted |= matches!(turn.outcomes[..], [Outcome::Applied { .. }]);
        rest = rest.get(end + MARK.len()..).unwrap_or_default();
    }
    if accepted {
        let state = document.encode().expect("no poisoned document");
        let mut reader = Document::load(ReplicaId::ours(2), [&state[..]]).expect("own bytes load");
        assert_eq!(document.digest().ok(), reader.digest().ok());
        assert_eq!(reader.encode().map(|_| ()).ok(), Some(()));
    }
});
