//! The effects that reach the database, as futures: each ends in the input that answers it. Must
//! not know the room that asked.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use collab_core::document::{Digest, Document};
use collab_core::ids::{Epoch, Lineage, ReplicaId, RoomId, Seq};
use collab_core::room::{AppendFailure, Damage, Input, LoadFailure, Loaded};
use collab_core::time::Millis;

use tracing::Instrument as _;

use super::registry::Shared;
use super::trial::{self, Refused};
use super::{Wake, remembering};
use crate::history::fold;
use crate::storage::{
    Append, Claim, Create, RoomKey, RoomState, Snapshot, StoreError, Stored, Whereabouts,
};

/// What a future brings back: the input, and the claim when one was made.
pub(super) struct Brought {
    /// What a load was to do about a room that does not exist.
    pub(super) wake: Wake,
    pub(super) claim: Option<Claim>,
    pub(super) input: Input,
}

impl From<Input> for Brought {
    fn from(input: Input) -> Brought {
        Brought {
            wake: Wake::Existing,
            claim: None,
            input,
        }
    }
}

/// Claims the room, or keeps the claim it has, and reads what is stored.
pub(super) async fn load(
    shared: Arc<Shared>,
    room: RoomId,
    wake: Wake,
    claimed: Option<Claim>,
) -> Brought {
    let claim = match claimed {
        // Awake before in this life: it does not kill.
        Some(claim) => {
            let read = shared.store.load(claim.key).await;
            return brought(&shared, wake, claim, read).await;
        }
        None if shared.trials.is_closed(&room) => return deadly(wake),
        None => {
            let create = match wake {
                Wake::Existing => Create::Never,
                Wake::OrCreate => Create::IfMissing {
                    lineage: Lineage(*uuid::Uuid::new_v4().as_bytes()),
                },
            };
            match shared.store.claim(&room, create, shared.clock.now()).await {
                Ok(claim) => claim,
                Err(error) => return failed(wake, None, &error),
            }
        }
    };
    read(&shared, &room, wake, claim).await
}

/// The database went back in time: claims the room above the epoch it had, with the document it
/// was, and reads what there is.
pub(super) async fn reclaim(
    shared: Arc<Shared>,
    room: RoomId,
    lineage: Lineage,
    above: Epoch,
) -> Brought {
    tracing::error!(
        "the database holds an older state than it had acknowledged; what is in memory is \
         appended again"
    );
    let wake = Wake::OrCreate;
    let now = shared.clock.now();
    let create = Create::IfMissing { lineage };
    let claim = match shared.store.claim(&room, create, now).await {
        // An epoch that was used once names another past.
        Ok(claim) if claim.epoch <= above => match shared.store.renew(&room, None, above).await {
            Ok(_) => shared.store.claim(&room, Create::Never, now).await,
            Err(error) => Err(error),
        },
        claimed => claimed,
    };
    match claim {
        Ok(claim) => read(&shared, &room, wake, claim).await,
        Err(error) => failed(wake, None, &error),
    }
}

async fn read(shared: &Arc<Shared>, room: &RoomId, wake: Wake, claim: Claim) -> Brought {
    match trial::load(shared, room, &claim).await {
        Ok(stored) => brought(shared, wake, claim, Ok(stored)).await,
        Err(Refused::Store(error)) => brought(shared, wake, claim, Err(error)).await,
        // The mark of the load stays.
        Err(Refused::Deadly) => deadly(wake),
    }
}

fn deadly(wake: Wake) -> Brought {
    Brought {
        wake,
        claim: None,
        input: Input::LoadFailed(LoadFailure::Deadly),
    }
}

async fn brought(
    shared: &Shared,
    wake: Wake,
    claim: Claim,
    read: Result<Stored, StoreError>,
) -> Brought {
    match read {
        Ok(stored) => {
            let version = remembering::newest_version(shared, claim.key, stored.head).await;
            Brought {
                wake,
                claim: Some(claim),
                input: Input::Loaded(loaded(&claim, stored, version)),
            }
        }
        Err(error) => failed(wake, Some(claim), &error),
    }
}

fn loaded(claim: &Claim, stored: Stored, version: Option<(Seq, Millis)>) -> Loaded {
    let (snapshot_seq, snapshot) = match stored.snapshot {
        Some(snapshot) => (snapshot.seq, Some(snapshot.state)),
        None => (Seq(0), None),
    };
    Loaded {
        lineage: claim.lineage,
        epoch: claim.epoch,
        head: stored.head,
        snapshot_seq,
        snapshot,
        records: stored.records,
        damage: stored.damage,
        degraded: stored.state == RoomState::Degraded,
        version,
    }
}

/// The load that began with this claim has ended, and the process lives.
pub(super) async fn load_ended(shared: Arc<Shared>, claim: Claim) {
    match shared.store.load_ended(claim.key, claim.epoch).await {
        // Another owner counts anew.
        Ok(()) | Err(StoreError::Fenced) => {}
        Err(error) => tracing::warn!(%error, "the mark of a load stays"),
    }
}

/// Copies damaged parts into quarantine.
pub(super) async fn quarantine(
    shared: Arc<Shared>,
    key: RoomKey,
    epoch: Epoch,
    parts: Vec<Damage>,
) -> Brought {
    for damage in &parts {
        tracing::error!(
            part = %damage.part,
            reason = damage.reason,
            "a part of the stored room is damaged; it goes into quarantine"
        );
    }
    let now = shared.clock.now();
    let stored = shared.store.quarantine(key, epoch, &parts, now).await;
    if let Err(error) = &stored {
        tracing::error!(%error, "the damaged parts are not in quarantine; they stay where they are");
    }
    Input::Quarantined {
        stored: stored.is_ok(),
    }
    .into()
}

/// Marks a room as whole.
pub(super) async fn mend(shared: Arc<Shared>, key: RoomKey, epoch: Epoch, seq: Seq) -> Brought {
    match shared.store.mend(key, epoch).await {
        Ok(()) => tracing::info!(seq = seq.0, "the room is whole again"),
        Err(error) => tracing::warn!(%error, "the room is whole again, and still marked damaged"),
    }
    Input::Tick.into()
}

fn failed(wake: Wake, claim: Option<Claim>, error: &StoreError) -> Brought {
    let failure = match error {
        StoreError::NotFound => LoadFailure::NotFound,
        StoreError::Corrupt { .. } | StoreError::TooLarge { .. } => LoadFailure::Corrupt,
        StoreError::Unavailable(_) | StoreError::Fenced | StoreError::AlreadyExists => {
            LoadFailure::Unavailable
        }
    };
    if failure != LoadFailure::NotFound {
        tracing::error!(%error, "the room cannot be loaded");
    }
    Brought {
        wake,
        claim,
        input: Input::LoadFailed(failure),
    }
}

/// Appends one record and waits until it is durable.
pub(super) async fn append(
    shared: Arc<Shared>,
    room: RoomId,
    lineage: Lineage,
    append: Append,
) -> Brought {
    let seq = append.seq;
    let place = (append.epoch, seq);
    let begun = Instant::now();
    let Err(error) = shared.writer.append(append).await else {
        shared.metrics.committed(begun.elapsed());
        return Input::Appended { seq }.into();
    };
    shared.metrics.append_failed();
    tracing::warn!(%error, seq = seq.0, "an append failed");
    let failure = match error {
        StoreError::Unavailable(_) => AppendFailure::Unavailable,
        StoreError::TooLarge { .. } => AppendFailure::TooLarge,
        // Storage refuses the record of a deleted room in the same words. Who is told to come back
        // to one brings its text along.
        StoreError::Fenced
        | StoreError::NotFound
        | StoreError::AlreadyExists
        | StoreError::Corrupt { .. } => match shared.store.whereabouts(&room).await {
            Ok(whereabouts) => why_refused(&whereabouts, lineage, place),
            // Asked again when the record is offered again.
            Err(_) => AppendFailure::Unavailable,
        },
    };
    Input::AppendFailed { seq, failure }.into()
}

/// Why a record was not taken under this epoch at this place.
fn why_refused(
    whereabouts: &Whereabouts,
    lineage: Lineage,
    (epoch, seq): (Epoch, Seq),
) -> AppendFailure {
    match whereabouts {
        Whereabouts::Deleted => AppendFailure::Gone,
        // A room that was deleted leaves its name behind: this database never heard of it.
        Whereabouts::Unknown => AppendFailure::Rewound,
        Whereabouts::Here(info) if info.lineage != lineage => AppendFailure::Gone,
        Whereabouts::Here(info) if info.epoch < epoch => AppendFailure::Rewound,
        // The record before this one was acknowledged.
        Whereabouts::Here(info) if info.epoch == epoch && info.head.next() < seq => {
            AppendFailure::Rewound
        }
        Whereabouts::Here(_) => AppendFailure::Fenced,
    }
}

/// Somebody says that the room was deleted. It may have been made anew since.
pub(super) async fn deleted(shared: Arc<Shared>, room: RoomId, lineage: Lineage) -> Brought {
    match is_gone(&shared, &room, lineage).await {
        Ok(false) => Input::Tick.into(),
        Ok(true) | Err(_) => Input::Deleted.into(),
    }
}

/// Whether the document of this lineage is no more.
async fn is_gone(shared: &Shared, room: &RoomId, lineage: Lineage) -> Result<bool, StoreError> {
    let info = shared.store.describe(room).await?;
    Ok(info.is_none_or(|info| info.lineage != lineage))
}

/// Verifies a state by decoding it, stores it as a snapshot, and then, in a transaction of its
/// own, folds the log below the snapshot before it.
///
/// `digest` is the live document's at the moment the state was encoded. What does not decode to
/// the same is never stored: the log would be folded under it one day.
pub(super) async fn compact(
    shared: Arc<Shared>,
    claim: Claim,
    epoch: Epoch,
    seq: Seq,
    state: Bytes,
    digest: Digest,
) -> Brought {
    let Ok(turn) = Arc::clone(&shared.heavy).acquire_owned().await else {
        return Input::CompactFailed { seq }.into();
    };
    let checked = {
        let state = state.clone();
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            decodes_to(&state, digest)
        })
        .await
    };
    match checked {
        Ok(Ok(())) => {}
        Ok(Err(why)) => {
            shared.metrics.snapshot_refused();
            tracing::error!(
                seq = seq.0,
                why,
                "a snapshot does not verify; the log stays"
            );
            return Input::CompactFailed { seq }.into();
        }
        Err(error) => {
            shared.metrics.snapshot_refused();
            tracing::error!(seq = seq.0, %error, "verifying a snapshot failed; the log stays");
            return Input::CompactFailed { seq }.into();
        }
    }
    let snapshot = Snapshot {
        key: claim.key,
        epoch,
        seq,
        state,
        content_sha256: digest.0,
    };
    if let Err(error) = shared.store.put_snapshot(snapshot).await {
        tracing::warn!(%error, seq = seq.0, "a snapshot was not stored; the log stays");
        return Input::CompactFailed { seq }.into();
    }
    shared.metrics.snapshot_stored();
    // Not part of what the room waits for: it may retire meanwhile. A stopping server waits.
    shared
        .tasks
        .spawn(fold_log(Arc::clone(&shared), claim, epoch).in_current_span());
    Input::Compacted { seq }.into()
}

/// Puts what the snapshot before the newest one covers into the archive.
async fn fold_log(shared: Arc<Shared>, claim: Claim, epoch: Epoch) {
    let Ok(_turn) = Arc::clone(&shared.heavy).acquire_owned().await else {
        return;
    };
    match fold::fold(&shared.store, claim.key, epoch).await {
        Ok(folded) => tracing::debug!(
            records = folded.records_deleted,
            snapshots = folded.snapshots_deleted,
            "log folded into the archive"
        ),
        // Its next owner, or the next fold, does it.
        Err(error @ (StoreError::Fenced | StoreError::Unavailable(_))) => {
            tracing::debug!(%error, "the log was not folded");
        }
        // The snapshot stands; what it covers stays in the log.
        Err(error) => tracing::warn!(%error, "the log was not folded"),
    }
}

fn decodes_to(state: &[u8], digest: Digest) -> Result<(), &'static str> {
    let scratch = Document::load(ReplicaId::ours(0), [state]).map_err(|_| "it does not decode")?;
    match scratch.digest() {
        Ok(decoded) if decoded == digest => Ok(()),
        Ok(_) => Err("it decodes to another content"),
        Err(_) => Err("what it decodes to cannot be read"),
    }
}
