//! Whether the server's document is what was typed: judged by the real engine. Must not know how the
//! updates travelled.

use anyhow::{Context, Result};
use collab_core::document::{Document, FileId, Offer};
use collab_core::ids::ReplicaId;

use crate::Setting;
use crate::dialect::Incoming;
use crate::swarm::{Newcomer, Swarm};
use crate::yjs::Typist;

/// Updates applied in one turn.
const BATCH: usize = 256;

/// New client ids an update may bring; not what is judged here.
const ANY: u32 = 1 << 16;

/// An empty document that never writes.
pub fn reader() -> Document {
    Document::new(ReplicaId::ours(1))
}

/// Merges updates; each must be taken.
pub fn merge<T: AsRef<[u8]>>(document: &mut Document, updates: &[T]) -> Result<()> {
    for updates in updates.chunks(BATCH) {
        let offers: Vec<_> = updates
            .iter()
            .map(|update| Offer {
                update: update.as_ref(),
                new_replicas: ANY,
            })
            .collect();
        let turn = document.apply(&offers)?;
        let taken = turn
            .outcomes
            .iter()
            .all(|it| matches!(it, collab_core::document::Outcome::Applied { .. }));
        anyhow::ensure!(taken, "an update was not taken: {:?}", turn.outcomes);
    }
    Ok(())
}

/// What the server gives to somebody who has nothing.
pub fn fetch(setting: &Setting, room: &str) -> Result<Document> {
    let mut given = None;
    let mut swarm = Swarm::new(setting.target.clone())?;
    let newcomer = Newcomer {
        room: room.to_owned(),
        ..Newcomer::default()
    };
    swarm.join([newcomer], &mut |_, _, message| {
        if let Incoming::Step2(update) = message {
            given.get_or_insert_with(|| update.to_vec());
        }
        Ok(())
    })?;
    swarm.leave(0);
    let given = given.context("nothing was given")?;
    Ok(Document::load(ReplicaId::ours(1), [&given[..]])?)
}

/// Whether the server's document of a room is what its typists (number, units) typed.
pub fn is_what_was_typed(setting: &Setting, room: &str, typed: &[(usize, u32)]) -> Result<bool> {
    let mut expected = reader();
    for (number, units) in typed {
        let mut typist = Typist::new(*number);
        let mut updates = Vec::new();
        for _ in 0..*units {
            let mut update = Vec::new();
            typist.keystroke(&mut update);
            updates.push(update);
        }
        merge(&mut expected, &updates)?;
    }
    let given = fetch(setting, room)?;
    let main = FileId::main();
    Ok(
        given.text(&main) == expected.text(&main)
            && given.state_vector() == expected.state_vector(),
    )
}
