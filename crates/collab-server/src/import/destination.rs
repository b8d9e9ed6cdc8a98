//! Where documents go: the rooms of a database that no server has, or nowhere, to see what would
//! happen. Must not know other servers' stores.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use collab_core::ids::{RoomId, Seq};
use collab_core::room::{self, Answer};
use tokio::task::JoinHandle;

use crate::rooms::{self, Asked, RoomError, Rooms, Wake};
use crate::storage::inspect::Inspect;
use crate::storage::{RoomKey, Store, StoreError, Writer};
use crate::telemetry::Metrics;

/// Milliseconds after which an imported room leaves memory: another part of it may follow.
const IDLE_MS: u64 = 1000;

/// The rooms that documents are put into.
#[derive(Debug)]
pub enum Destination {
    /// A database. [`Destination::close`] must follow.
    Database {
        store: Arc<dyn Store>,
        rooms: Rooms,
        writing: JoinHandle<()>,
    },
    /// Nowhere: the names of the rooms that there are.
    Nowhere(BTreeSet<String>),
}

/// The destination failed, whatever the document: nothing more can be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreachable(pub String);

impl From<StoreError> for Unreachable {
    fn from(error: StoreError) -> Unreachable {
        Unreachable(error.to_string())
    }
}

impl Destination {
    /// The rooms of a database.
    pub fn database(store: Arc<dyn Store>) -> Destination {
        let (writer, writing) = Writer::new(Arc::clone(&store));
        let settings = rooms::Settings {
            room: room::Settings {
                idle_ms: IDLE_MS,
                ..room::Settings::default()
            },
            ..rooms::Settings::default()
        };
        Destination::Database {
            rooms: Rooms::new(settings, Arc::clone(&store), writer, Metrics::get(), 0),
            writing: tokio::spawn(writing),
            store,
        }
    }

    /// Nowhere, beside a database: what would be imported is compared with what it has.
    pub async fn beside(database: &dyn Inspect) -> Result<Destination, Unreachable> {
        let mut names = BTreeSet::new();
        let mut after = RoomKey(0);
        loop {
            let page = database.rooms(after).await?;
            let Some((last, _)) = page.last() else {
                return Ok(Destination::Nowhere(names));
            };
            after = *last;
            names.extend(page.into_iter().map(|(_, name)| name));
        }
    }

    pub(super) async fn exists(&self, room: &RoomId) -> Result<bool, Unreachable> {
        Ok(match self {
            Destination::Database { store, .. } => store.describe(room).await?.is_some(),
            Destination::Nowhere(names) => names.contains(room.as_str()),
        })
    }

    /// Merges an update into a room, which is made when there is none. Durable when it returns. The
    /// inner error says why the room did not take it.
    pub(super) async fn apply(
        &self,
        room: &RoomId,
        update: Bytes,
    ) -> Result<Result<(), String>, Unreachable> {
        let Destination::Database { rooms, .. } = self else {
            return Ok(Ok(()));
        };
        let asked = Asked::Apply(update);
        Ok(match rooms.ask(room, Wake::OrCreate, asked).await {
            Ok(Answer::Saved { .. }) => Ok(()),
            Ok(Answer::Refused { reason, .. }) => Err(reason),
            Ok(Answer::Gap) => Err("it rests on edits that the room does not have".to_owned()),
            Ok(Answer::Unavailable { reason }) => return Err(Unreachable(reason)),
            Err(error @ (RoomError::Unavailable(_) | RoomError::Lost | RoomError::Retired)) => {
                return Err(Unreachable(error.to_string()));
            }
            Err(error) => Err(error.to_string()),
        })
    }

    /// Takes a room away again that nothing was ever written to.
    pub(super) async fn forget_empty(&self, room: &RoomId) -> Result<(), Unreachable> {
        let Destination::Database { store, .. } = self else {
            return Ok(());
        };
        if let Some(info) = store.describe(room).await?
            && info.head == Seq(0)
        {
            store.delete(room, rooms::now()).await?;
        }
        Ok(())
    }

    /// Waits until everything is written, and lets go.
    pub async fn close(self) -> Result<(), Unreachable> {
        let Destination::Database {
            store,
            rooms,
            writing,
        } = self
        else {
            return Ok(());
        };
        rooms.drain().await;
        drop(rooms);
        writing
            .await
            .map_err(|error| Unreachable(error.to_string()))?;
        store.close().await;
        Ok(())
    }
}
