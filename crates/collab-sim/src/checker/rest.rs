//! What must be true when the world has come to rest: one content everywhere, and a log that can
//! be read again, whole, folded and twice. Must not know how rest was reached.

use std::fmt;

use bytes::Bytes;
use collab_core::document::{Digest, Document};
use collab_core::ids::ReplicaId;
use collab_core::record::Record;

use super::{Checker, Invariant, RoomBook, Verdict, Violation, violated};
use crate::disk::Row;
use crate::rng::Chance;

/// Writes nothing; only reads what is stored.
const READER: ReplicaId = ReplicaId::ours(u32::MAX);

/// What a document says and has seen. Equal faces are equal documents.
#[derive(Clone, PartialEq, Eq)]
pub struct Face {
    content: Digest,
    deletions: Digest,
    state_vector: Vec<(u64, u32)>,
    text: String,
}

impl fmt::Debug for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |digest: &Digest| format!("{digest:?}")[7..15].to_owned();
        write!(
            f,
            "content {} deletions {} clocks {:?} text {:?}",
            short(&self.content),
            short(&self.deletions),
            self.state_vector,
            self.text
        )
    }
}

impl Face {
    /// Of a document.
    pub fn of(document: &Document) -> Result<Face, Violation> {
        let poisoned = |_| Violation {
            invariant: Invariant::Convergence,
            detail: "a document cannot be read".to_owned(),
        };
        Ok(Face {
            content: document.digest().map_err(poisoned)?,
            deletions: document.deletions_digest().map_err(poisoned)?,
            state_vector: document.state_vector().iter().collect(),
            text: document.text(&collab_core::document::FileId::main()),
        })
    }
}

impl Checker {
    /// Everybody in a room has fallen silent: who they are, and what their documents say.
    pub fn rests(
        &self,
        room: u32,
        row: &Row,
        faces: &[(String, Face)],
        chance: &mut Chance,
    ) -> Verdict {
        let loaded = row.load();
        let state = loaded.snapshot.into_iter();
        let cold = state
            .map(Ok)
            .chain(turns(loaded.records.iter().map(|(_, record)| record)))
            .collect::<Result<Vec<Bytes>, Violation>>()?;
        let cold = Face::of(&open(&cold)?)?;
        for (who, face) in faces {
            if *face != cold {
                return violated(
                    Invariant::Convergence,
                    format!(
                        "room {room}: {who} has\n    {face:?}\n  but a cold reload gives\n    {cold:?}"
                    ),
                );
            }
        }
        match self.rooms.get(&room) {
            Some(book) => book.reads_again(room, &cold, chance),
            None => Ok(()),
        }
    }
}

impl RoomBook {
    fn reads_again(&self, room: u32, cold: &Face, chance: &mut Chance) -> Verdict {
        let all = turns(&self.archive).collect::<Result<Vec<Bytes>, Violation>>()?;
        let whole = Face::of(&open(&all)?)?;
        if whole != *cold {
            return violated(
                Invariant::SnapshotEqualsLog,
                format!(
                    "room {room}: the whole log gives\n    {whole:?}\n  but a load gives\n    {cold:?}"
                ),
            );
        }
        let prefix = &all[..chance.index(all.len() + 1)];
        let once = Face::of(&open(prefix)?)?;
        let twice = Face::of(&open(&[prefix, prefix].concat())?)?;
        if once != twice {
            return violated(
                Invariant::ReplayChangesNothing,
                format!(
                    "room {room}: the first {} turns give\n    {once:?}\n  and twice\n    {twice:?}",
                    prefix.len()
                ),
            );
        }
        Ok(())
    }
}

/// The updates of these records.
fn turns<'a>(
    records: impl IntoIterator<Item = &'a Bytes>,
) -> impl Iterator<Item = Result<Bytes, Violation>> {
    records.into_iter().flat_map(|record| {
        let turns = match Record::decode(record) {
            Ok(record) => record
                .turns
                .into_iter()
                .map(|turn| Ok(turn.delta))
                .collect(),
            Err(error) => vec![Err(Violation {
                invariant: Invariant::SnapshotEqualsLog,
                detail: format!("a stored record cannot be read: {error}"),
            })],
        };
        turns.into_iter().map(|turn| turn.map(Bytes::from))
    })
}

fn open(updates: &[Bytes]) -> Result<Document, Violation> {
    Document::load(READER, updates.iter().map(|update| &update[..])).map_err(|error| Violation {
        invariant: Invariant::SnapshotEqualsLog,
        detail: format!("the log cannot be loaded: {error}"),
    })
}
