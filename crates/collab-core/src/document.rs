//! The text as a CRDT: what a room holds, and what a browser edits. The only module that names yrs.
//!
//! Bytes from outside pass the [gate](gate), which knows the rules; what passes is applied behind
//! the [guard](guard), all of a turn in one transaction; and what leaves is that transaction's own
//! encoding of what was new, never the bytes that came in. Must not know users, rooms or frames.

pub mod archive;
mod clocks;
mod content;
mod digest;
mod edit;
mod files;
mod gate;
mod guard;
mod halves;
mod integrate;
mod join;
mod order;
mod parts;
pub mod past;
mod place;
mod refusal;
mod roots;
mod salvage;
mod state_vector;
mod sticky;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use yrs::ReadTxn;

use self::clocks::{Clocks, History};
pub use self::digest::Digest;
pub use self::edit::{Edit, EditError};
pub use self::files::{FileEntry, FileId, MAX_FILES, MAX_NAME_BYTES};
use self::gate::{Gate, Source, Stop};
pub use self::gate::{MAX_BLOCKS, MAX_VALUE_DEPTH, MAX_VALUES};
pub use self::guard::Poisoned;
use self::guard::{Committed, Engine};
use self::integrate::integrate;
pub use self::place::MAX_TYPE_DEPTH;
pub use self::refusal::Refusal;
pub use self::salvage::{Care, MAX_POISONOUS, Salvaged, TooPoisonous};
pub use self::state_vector::StateVector;
pub use self::sticky::Assoc;
pub use self::tally::Tally;
use crate::ids::ReplicaId;

/// Client ids of one document. A client id is never forgotten, and the engine goes over all of
/// them in every transaction that is encoded: measured, about 0.5 µs each, so that a keystroke in a
/// full room costs some 15 ms. Further ones are refused with [`Refusal::TooManyReplicas`].
pub const MAX_REPLICAS: usize = 32_768;

/// New client ids in one update. Enough for the first upload of a document of several years; what
/// one sender may bring in all is the room's to say ([`Offer::new_replicas`]). More are refused
/// with [`Refusal::TooManyReplicas`].
pub const MAX_NEW_REPLICAS_PER_UPDATE: usize = 4_096;

/// Client ids of one document that share their lowest 12 bits. More are refused with
/// [`Refusal::ClusteredReplicas`]: random ids never come near, chosen ones make the engine's hash
/// tables slow.
pub const MAX_REPLICAS_PER_CLUSTER: usize = 64;

/// Units by which blocks without content (deleted or collected before they came) may move clocks
/// in one update. Ten bytes can state a length of 2^30, and a clock that reached 2^31 can never
/// grow again. More are refused with [`Refusal::ClockAdvance`].
pub const MAX_HOLLOW_ADVANCE: u64 = 1 << 24;

/// Turns whose state vector can be reconstructed ([`Document::state_vector_at`]). A reader that
/// fell further behind gets the whole document.
pub const CLOCK_HISTORY: usize = 4_096;

/// Updates applied in one transaction while loading: between 16 and 1,024 the engine's cost per
/// update is the same (CRDT §1), and a failure names one of few.
const LOAD_BATCH: usize = 64;

/// How many changes this document object has seen since it was made: 0 at first, also after a
/// load. It orders turns within one life of a room and means nothing outside it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TurnNumber(pub u64);

impl TurnNumber {
    /// The turn after this one.
    #[must_use]
    pub fn next(self) -> TurnNumber {
        TurnNumber(self.0.saturating_add(1))
    }
}

/// An update from outside, on its way in.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// Yjs update, version 1.
    pub update: &'a [u8],
    /// How many client ids that the document does not know this sender may still bring.
    pub new_replicas: u32,
}

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is part of the document now, or was before.
    Applied {
        /// Client ids it brought that the document did not know.
        new_replicas: u32,
    },
    /// It builds on units that are not here. Nothing of it was applied; ask the sender for what it
    /// has (SyncStep1).
    Gap,
    /// It breaks a rule. Nothing of it was applied.
    Refused(Refusal),
}

/// What one call of [`Document::apply`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// One per offer, in order.
    pub outcomes: Vec<Outcome>,
    /// Who inserted something new: the number of the offer, and the replica.
    pub moved: Vec<(usize, ReplicaId)>,
    /// Everything that was new, as one update in our own encoding; empty when nothing was.
    pub delta: Bytes,
    /// The number of this turn; when nothing was new, of the one before.
    pub number: TurnNumber,
    /// What changed in [watched](Document::watch) files, in offsets before the turn.
    pub changes: Vec<(FileId, Vec<Edit>)>,
    /// Whether the list of files or a value of `meta` changed, if that is
    /// [watched](Document::watch_description).
    pub described: bool,
}

/// Why a document could not be loaded. There is no document then: a part of it is not it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stored update {index} cannot be loaded: {reason}")]
pub struct LoadError {
    /// Which of the updates, from 0.
    pub index: usize,
    /// What is wrong with it.
    pub reason: LoadErrorReason,
}

/// What is wrong with a stored update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoadErrorReason {
    /// It is damaged.
    #[error("{0}")]
    Refused(Refusal),
    /// An earlier one is missing.
    #[error("it builds on an update that is not there")]
    Gap,
    /// It made the engine fail.
    #[error("{0}")]
    Poisoned(Poisoned),
}

/// Changes of watched files by id, written by the engine's observers at commit.
type Changes = Arc<Mutex<Vec<(FileId, Vec<Edit>)>>>;

/// One replica of a document.
pub struct Document {
    engine: Engine,
    gate: Gate,
    clocks: Clocks,
    history: History,
    watched: BTreeMap<FileId, Arc<content::Watched>>,
    /// Whether the change under way is our own.
    own: Arc<AtomicBool>,
    changes: Changes,
    /// Bytes of the last whole encoding and of every delta since.
    encoded_len: usize,
    #[cfg(feature = "sabotage")]
    fails_next: bool,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document")
            .field("turn", &self.turn())
            .field("replicas", &self.replicas())
            .finish_non_exhaustive()
    }
}

impl Document {
    /// An empty document that writes under this client id.
    pub fn new(replica: ReplicaId) -> Document {
        Document {
            engine: Engine::new(replica),
            gate: Gate::default(),
            clocks: Clocks::default(),
            history: History::default(),
            watched: BTreeMap::new(),
            own: Arc::default(),
            changes: Changes::default(),
            encoded_len: 0,
            #[cfg(feature = "sabotage")]
            fails_next: false,
        }
    }

    /// A document from what was stored: a snapshot and then deltas, in order. All of it or nothing.
    pub fn load<'a>(
        replica: ReplicaId,
        updates: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Document, LoadError> {
        let mut document = Document::new(replica);
        let mut updates = updates.into_iter().enumerate().peekable();
        while let Some(index) = updates.peek().map(|(index, _)| *index) {
            document.load_batch(index, updates.by_ref().take(LOAD_BATCH))?;
        }
        Ok(document)
    }

    fn load_batch<'a>(
        &mut self,
        first: usize,
        updates: impl Iterator<Item = (usize, &'a [u8])>,
    ) -> Result<(), LoadError> {
        let Document {
            engine,
            gate,
            clocks,
            ..
        } = self;
        let mut failed: Option<LoadError> = None;
        let mut reached = first;
        let mut bytes = 0;
        let result = engine.write(|txn| {
            for (index, update) in updates {
                reached = index;
                bytes += update.len();
                if let Err(reason) =
                    integrate(txn, gate, clocks, update, Source::Own, &mut Vec::new())?
                {
                    failed = Some(LoadError {
                        index,
                        reason: match reason {
                            Stop::Gap => LoadErrorReason::Gap,
                            Stop::Refused(refusal) => LoadErrorReason::Refused(refusal),
                        },
                    });
                    break;
                }
            }
            Ok(())
        });
        self.encoded_len += bytes;
        match (failed, result) {
            (Some(failed), _) => Err(failed),
            (None, Err(poisoned)) => Err(LoadError {
                index: reached,
                reason: LoadErrorReason::Poisoned(poisoned),
            }),
            (None, Ok(_)) => Ok(()),
        }
    }

    /// One turn: gates each offer in order, each seeing what the earlier ones brought, and applies
    /// what passes in one transaction.
    ///
    /// When this fails, the document is lost and none of the offers counts as applied. Load it
    /// again and apply them one by one to find the one to blame.
    pub fn apply(&mut self, offers: &[Offer<'_>]) -> Result<Turn, Poisoned> {
        #[cfg(feature = "sabotage")]
        if self.fails_next && offers.len() > 1 {
            self.poison();
        }
        let source = |offer: &Offer<'_>| Source::Offer {
            new_replicas: offer.new_replicas,
        };
        let updates: Vec<_> = offers.iter().map(|o| (o.update, source(o))).collect();
        self.integrate(&updates)
    }

    /// The same for an update from the server one is connected to: form and causes are checked, but
    /// the budgets for strangers do not hold. A whole document that grew within them, update by
    /// update, may be larger than each of them.
    pub fn apply_from_server(&mut self, update: &[u8]) -> Result<Turn, Poisoned> {
        self.integrate(&[(update, Source::Own)])
    }

    /// The same for several updates of our own, in one turn: what an earlier stay kept.
    pub fn apply_kept(&mut self, updates: &[Bytes]) -> Result<Turn, Poisoned> {
        let updates: Vec<_> = updates.iter().map(|u| (&u[..], Source::Own)).collect();
        self.integrate(&updates)
    }

    fn integrate(&mut self, updates: &[(&[u8], Source)]) -> Result<Turn, Poisoned> {
        let Document {
            engine,
            gate,
            clocks,
            ..
        } = self;
        let mut before: Vec<(u64, u32)> = Vec::new();
        let mut moved = Vec::new();
        let (outcomes, Committed { delta, described }) = engine.write(|txn| {
            let mut outcomes = Vec::with_capacity(updates.len());
            for (index, &(update, source)) in updates.iter().enumerate() {
                let known = before.len();
                let outcome = match integrate(txn, gate, clocks, update, source, &mut before)? {
                    Ok(new_replicas) => Outcome::Applied { new_replicas },
                    Err(Stop::Gap) => Outcome::Gap,
                    Err(Stop::Refused(refusal)) => Outcome::Refused(refusal),
                };
                outcomes.push(outcome);
                let new = before.iter().skip(known);
                moved.extend(new.filter_map(|(id, _)| Some((index, ReplicaId::new(*id)?))));
            }
            Ok(outcomes)
        })?;
        let changes = self.take_changes();
        self.count(&delta, before);
        Ok(Turn {
            outcomes,
            moved,
            delta,
            number: self.history.newest(),
            changes,
            described,
        })
    }

    fn take_changes(&mut self) -> Vec<(FileId, Vec<Edit>)> {
        if self.watched.is_empty() {
            return Vec::new();
        }
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count(&mut self, delta: &Bytes, before: Vec<(u64, u32)>) {
        if !delta.is_empty() {
            self.encoded_len += delta.len();
            self.history.push(before);
        }
    }

    /// What this replica has seen.
    pub fn state_vector(&self) -> StateVector {
        self.clocks.state_vector()
    }

    /// What a replica with this state vector lacks. Always carries every deletion.
    pub fn diff(&self, have: &StateVector) -> Result<Bytes, Poisoned> {
        let have: yrs::StateVector = have
            .iter()
            .map(|(replica, clock)| (yrs::ClientID::new(replica), clock))
            .collect();
        self.engine.read("encoding a diff", |txn| {
            Bytes::from(txn.encode_diff_v1(&have))
        })
    }

    /// A sound update as several of at most `limit` bytes, which are to be applied in this order.
    /// `None` when it holds a value that is longer and cannot be divided; a text can.
    pub fn parts(update: &[u8], limit: usize) -> Option<Vec<Bytes>> {
        parts::divide(update, limit)
    }

    /// The whole document as one update.
    pub fn encode(&mut self) -> Result<Bytes, Poisoned> {
        let bytes = self.engine.read("encoding the document", |txn| {
            Bytes::from(txn.encode_state_as_update_v1(&yrs::StateVector::default()))
        })?;
        self.encoded_len = bytes.len();
        Ok(bytes)
    }

    /// A digest of what the document says. Two replicas agree when their state vectors,
    /// [`Document::deletions_digest`] and this are equal.
    pub fn digest(&self) -> Result<Digest, Poisoned> {
        self.engine
            .read("reading the document", |txn| digest::content(txn))
    }

    /// A digest of which units are deleted. Deletions move no state vector.
    pub fn deletions_digest(&self) -> Result<Digest, Poisoned> {
        self.engine.read("reading deletions", |txn| {
            digest::of_bytes(&txn.encode_diff_v1(&txn.state_vector()))
        })
    }

    /// The number of the newest turn. It grows by one with every call that changed something.
    pub fn turn(&self) -> TurnNumber {
        self.history.newest()
    }

    /// What this replica had seen before a turn. `None` when that is too long ago.
    pub fn state_vector_at(&self, turn: TurnNumber) -> Option<StateVector> {
        self.history.before(turn, &self.clocks)
    }

    /// About how many bytes [`Document::encode`] would give, without doing it. Never much too
    /// small; too large by what was typed since the last encoding, at up to 25 bytes per
    /// keystroke.
    pub fn encoded_len_hint(&self) -> usize {
        self.encoded_len
    }

    /// Client ids that inserted anything.
    pub fn replicas(&self) -> usize {
        self.clocks.len()
    }
}

/// Failures of the engine, brought about on purpose: honest bytes cannot.
#[cfg(feature = "sabotage")]
impl Document {
    /// The next turn of several offers fails inside the engine; none of them is to blame.
    pub fn fail_next_turn(&mut self) {
        self.fails_next = true;
    }

    /// The engine fails now. Whoever touches the document next finds out.
    pub fn poison(&mut self) {
        self.engine.abandon();
        // What somebody remembers of reading the newest turn must not hide it.
        self.history.push(Vec::new());
    }
}
