//! What a room has remembered for its history, as futures: versions of itself, and who wrote. Each ends in the
//! input that answers it. Must not know the room that asked, nor why it did.

use std::sync::Arc;

use collab_core::ids::{Epoch, Seq};
use collab_core::room::{Author, Input};
use collab_core::time::Millis;

use super::registry::Shared;
use super::storing::Brought;
use crate::history::written;
use crate::storage::history::{NewVersion, VersionKind};
use crate::storage::{Claim, RoomKey, StoreError};

/// Place and time of the newest version. `None` also when storage does not say: it adds no second one
/// of anything, and a room must not wait for its history.
pub(super) async fn newest_version(
    shared: &Shared,
    key: RoomKey,
    head: Seq,
) -> Option<(Seq, Millis)> {
    match shared.store.history().version_at(key, head).await {
        Ok(version) => version.map(|version| (version.seq, version.at)),
        Err(error) => {
            tracing::warn!(%error, "the newest version is not known");
            None
        }
    }
}

/// Remembers who wrote.
pub(super) async fn remember(shared: Arc<Shared>, claim: Claim, authors: Vec<Author>) -> Brought {
    let history = shared.store.history();
    let put = history.put_authors(claim.key, claim.lineage, authors).await;
    if let Err(error) = &put {
        tracing::warn!(%error, "authors were not remembered; they are told again");
    }
    Input::Remembered {
        stored: put.is_ok(),
    }
    .into()
}

/// Adds a version that the room makes of itself, and first remembers who wrote it.
pub(super) async fn version(
    shared: Arc<Shared>,
    claim: Claim,
    (epoch, seq, at): (Epoch, Seq, Millis),
    authors: Vec<Author>,
) -> Brought {
    let added = add(&shared, claim, (epoch, seq, at), authors).await;
    match &added {
        Ok(true) => {
            shared.metrics.version_made();
            tracing::debug!(seq = seq.0, "a version was made");
        }
        Ok(false) => tracing::debug!(seq = seq.0, "there is a version of this already"),
        // Its next append tells the room.
        Err(StoreError::Fenced) => tracing::debug!(seq = seq.0, "no version: another owner"),
        Err(error) => tracing::warn!(%error, seq = seq.0, "a version was not made; later again"),
    }
    Input::Versioned {
        seq,
        stored: added.is_ok(),
    }
    .into()
}

async fn add(
    shared: &Shared,
    claim: Claim,
    (epoch, seq, at): (Epoch, Seq, Millis),
    authors: Vec<Author>,
) -> Result<bool, StoreError> {
    let history = shared.store.history();
    if !authors.is_empty() {
        history
            .put_authors(claim.key, claim.lineage, authors)
            .await?;
    }
    let written = {
        let turn = Arc::clone(&shared.heavy).acquire_owned().await;
        let _turn = turn.map_err(|error| StoreError::unavailable("counting", error))?;
        written::since_last(&shared.store, claim.key, seq).await?
    };
    let new = NewVersion {
        seq,
        at,
        kind: VersionKind::Automatic,
        name: None,
        authors: written.authors,
        insertions: written.insertions,
        deletions: written.deletions,
    };
    let added = history.add_automatic(claim.key, epoch, new).await?;
    Ok(added.is_some())
}
