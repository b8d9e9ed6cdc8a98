//! Keeps a room that kills from killing again: one whose load ended the server's process is opened
//! by a child process first, and what the child dies of is withheld. Must not know documents; the
//! child alone looks into them.
//!
//! Storage counts the loads of a room that began and did not end. A load that ends badly is not one
//! of them: the process has to have died in it, or been killed by chance, which costs one child.

mod child;
mod parent;
mod search;
mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use collab_core::ids::RoomId;
use collab_core::room::{Damage, Part};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use self::parent::Verdict;
use self::search::Search;
use super::registry::Shared;
use crate::storage::{Claim, Store, StoreError, Stored};

pub use self::child::run as run_child;

/// Stack of the threads that open rooms, in bytes (2 MiB, as Rust's own default), here as in the
/// child: what overflows the one must overflow the other.
pub const STACK_BYTES: usize = 2 << 20;

/// Loads of a room that begin in this process although the ones before did not end. The next one
/// begins in a child.
pub const UNGUARDED_LOADS: u64 = 2;

/// Loads after which a room that kills this process although a child survives it stays closed, until
/// an operator opens it again (`collab room reopen`).
pub const MAX_LOADS: u64 = 6;

/// Parts of one room that are withheld in a row. With one more the room stays closed.
const MAX_WITHHELD: usize = 16;

/// Longest time from the first child to the verdict on the last part. Then the room stays closed.
const OPENING_WITHIN: Duration = Duration::from_secs(180);

/// How long a room stays closed before it is tried again.
const CLOSED_FOR: Duration = Duration::from_secs(300);

/// Rooms remembered as closed. One more makes the oldest be tried again.
const MAX_CLOSED: usize = 10_000;

/// What is done about a room whose loads did not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// It stays closed: this process is not the program that can open a room alone.
    Close,
    /// It is opened by a child of this program first.
    TryAlone,
    /// Nothing. A bug put in on purpose.
    #[cfg(feature = "sabotage")]
    Off,
}

/// Why there is nothing to open.
pub(super) enum Refused {
    /// It stays closed.
    Deadly,
    /// Storage says so.
    Store(StoreError),
}

/// Which rooms are closed, and whose turn it is.
#[derive(Debug)]
pub(super) struct Trials {
    /// One room is tried at a time: a child may need as much memory as it may have.
    turn: Semaphore,
    closed: Mutex<HashMap<RoomId, Instant>>,
}

impl Default for Trials {
    fn default() -> Trials {
        Trials {
            turn: Semaphore::new(1),
            closed: Mutex::default(),
        }
    }
}

impl Trials {
    /// Whether a room is not even to be claimed now.
    pub(super) fn is_closed(&self, room: &RoomId) -> bool {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        match closed.get(room) {
            Some(until) if *until > Instant::now() => true,
            Some(_) => {
                closed.remove(room);
                false
            }
            None => false,
        }
    }

    fn close(&self, room: &RoomId) {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if closed.len() >= MAX_CLOSED
            && let Some(oldest) = closed.iter().min_by_key(|(_, until)| **until)
        {
            let oldest = oldest.0.clone();
            closed.remove(&oldest);
        }
        closed.insert(room.clone(), Instant::now() + CLOSED_FOR);
    }
}

/// Reads a room just claimed, in a child first where that is called for.
pub(super) async fn load(
    shared: &Arc<Shared>,
    room: &RoomId,
    claim: &Claim,
) -> Result<Stored, Refused> {
    let store = &shared.store;
    if claim.load_attempts <= UNGUARDED_LOADS {
        return store.load(claim.key).await.map_err(Refused::Store);
    }
    let unfinished = claim.load_attempts - 1;
    let opened = match shared.settings.guard {
        #[cfg(feature = "sabotage")]
        Guard::Off => return store.load(claim.key).await.map_err(Refused::Store),
        Guard::Close => Err(Closed::Why("this process cannot open it alone".to_owned())),
        Guard::TryAlone if claim.load_attempts > MAX_LOADS => Err(Closed::Why(
            "it ends this process although a child survives it".to_owned(),
        )),
        Guard::TryAlone => {
            tracing::warn!(
                unfinished,
                "the process ended while it loaded this room: it is opened by a child first"
            );
            let Ok(_turn) = shared.trials.turn.acquire().await else {
                return Err(Refused::Deadly);
            };
            let opening = open_alone(shared, claim);
            let opened = tokio::time::timeout(OPENING_WITHIN, opening).await;
            opened.unwrap_or_else(|_| Err(Closed::Why("finding out took too long".to_owned())))
        }
    };
    match opened {
        Ok(stored) => Ok(stored),
        Err(Closed::Store(error)) => Err(Refused::Store(error)),
        Err(Closed::Why(why)) => {
            shared.metrics.room_closed();
            shared.trials.close(room);
            tracing::error!(
                unfinished,
                why,
                "loading this room has ended the server's process; it stays closed and its data is \
                 kept, every other room is served. `collab backup` keeps a copy, `collab room \
                 reopen` lets the server try again"
            );
            Err(Refused::Deadly)
        }
    }
}

enum Closed {
    Why(String),
    Store(StoreError),
}

impl From<StoreError> for Closed {
    fn from(error: StoreError) -> Closed {
        Closed::Store(error)
    }
}

/// Withholds one part after the other until a child survives the rest.
async fn open_alone(shared: &Shared, claim: &Claim) -> Result<Stored, Closed> {
    let store: &dyn Store = &*shared.store;
    for _ in 0..=MAX_WITHHELD {
        let stored = store.load(claim.key).await?;
        let died = match parent::open(&stored, stored.records.len()).await {
            Verdict::Survived => return Ok(stored),
            Verdict::Died(how) => how,
            Verdict::NotTried(why) => return Err(Closed::Why(why)),
        };
        let (part, reason) = find(&stored, died).await?;
        tracing::error!(%part, reason, "this part ends the process that opens it: it is withheld");
        shared.metrics.part_withheld();
        let damage = Damage {
            part,
            reason,
            withhold: true,
            quarantined: false,
        };
        let now = shared.clock.now();
        store
            .quarantine(claim.key, claim.epoch, &[damage], now)
            .await?;
    }
    Err(Closed::Why(format!(
        "{MAX_WITHHELD} parts of it were withheld, and it still ends a process"
    )))
}

/// The part that kills, when everything together does: the last of the shortest beginning that does.
async fn find(stored: &Stored, died: String) -> Result<(Part, String), Closed> {
    let mut search = Search::new(stored.records.len());
    let mut how = died;
    while let Some(records) = search.next() {
        match parent::open(stored, records).await {
            Verdict::Survived => search.survived(records),
            Verdict::Died(again) => {
                how = again;
                search.died(records);
            }
            Verdict::NotTried(why) => return Err(Closed::Why(why)),
        }
    }
    let part = match (search.last(), &stored.snapshot) {
        (Some(index), _) => stored.records.get(index).map(|(seq, _)| Part::Records {
            first: *seq,
            last: *seq,
        }),
        (None, Some(snapshot)) => Some(Part::Snapshot(snapshot.seq)),
        (None, None) => None,
    };
    match part {
        Some(part) => Ok((part, format!("a process that opened it ended: {how}"))),
        None => Err(Closed::Why(format!(
            "a child with no part of it ended: {how}"
        ))),
    }
}
