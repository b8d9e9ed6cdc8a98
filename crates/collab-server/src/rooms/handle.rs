//! The way into a room: its bounded inbox, counted in letters and bytes. Must not know what a room
//! does with a letter.

use std::sync::Arc;

use bytes::Bytes;
use collab_core::document::{Document, Edit, FileId};
use collab_core::ids::{ConnectionId, RequestId};
use collab_core::room::{Access, Answer, Describe, Missed};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::outbox::Outlet;
use super::{INBOX_BYTES, Place, RoomError, Wake};

/// Something for a room.
pub(super) enum Letter {
    Join {
        wake: Wake,
        joining: Joining,
        /// Dropped unanswered when the room is lost.
        joined: oneshot::Sender<Result<(), RoomError>>,
    },
    Frame {
        connection: ConnectionId,
        frame: Bytes,
    },
    Drained {
        connection: ConnectionId,
        missed: Missed,
    },
    Leave {
        connection: ConnectionId,
    },
    Look {
        wake: Wake,
        look: Look,
    },
    Ask {
        wake: Wake,
        asked: Asked,
        answer: oneshot::Sender<Result<Answer, RoomError>>,
    },
    Deleted,
}

impl Letter {
    /// What its sender wants done about a room that does not exist.
    pub(super) fn wake(&self) -> Wake {
        match self {
            Letter::Join { wake, .. } | Letter::Look { wake, .. } | Letter::Ask { wake, .. } => {
                *wake
            }
            Letter::Frame { .. }
            | Letter::Drained { .. }
            | Letter::Leave { .. }
            | Letter::Deleted => Wake::Existing,
        }
    }
}

/// A look at the live document, on the room's own task: keep it short.
pub(super) type Look = Box<dyn FnOnce(Result<Overview<'_>, RoomError>) + Send>;

/// What a look sees.
#[derive(Debug)]
pub struct Overview<'a> {
    pub document: &'a mut Document,
    /// Connections in the room.
    pub connections: usize,
    pub place: Place,
}

/// A client that comes in.
#[derive(Debug, Clone)]
pub struct Joining {
    pub connection: ConnectionId,
    pub access: Access,
    pub outlet: Arc<Outlet>,
}

/// What a program asks of a room. Answered when it is durable.
#[derive(Debug, Clone)]
pub enum Asked {
    /// Merge an update (v1).
    Apply(Bytes),
    /// Edit a file whose text is `base`; otherwise [`RoomError::Moved`].
    Write {
        file: FileId,
        base: Arc<str>,
        edits: Vec<Edit>,
    },
    /// Set a value that is not text.
    Describe(Describe),
}

/// A letter in the inbox, with the bytes it takes there.
pub(super) struct Posted {
    pub(super) letter: Letter,
    /// Given back when the letter was dealt with.
    pub(super) _bytes: Option<OwnedSemaphorePermit>,
}

/// The way into one awake room. Cheap to clone; outlives the room.
#[derive(Clone)]
pub struct Handle {
    inbox: mpsc::Sender<Posted>,
    bytes: Arc<Semaphore>,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

impl Handle {
    /// A handle and the inbox it leads to.
    pub(super) fn new(letters: usize) -> (Handle, mpsc::Receiver<Posted>) {
        let (inbox, receiver) = mpsc::channel(letters);
        let bytes = Arc::new(Semaphore::new(INBOX_BYTES));
        (Handle { inbox, bytes }, receiver)
    }

    /// Whether nothing posted here will be read.
    pub(super) fn is_closed(&self) -> bool {
        self.inbox.is_closed()
    }

    /// Whether both lead into the same inbox.
    pub(super) fn is_same(&self, other: &Handle) -> bool {
        self.inbox.same_channel(&other.inbox)
    }

    /// Waits for a place and posts. `Retired` when nobody reads any more.
    pub(super) async fn post(&self, letter: Letter) -> Result<(), RoomError> {
        let weight = match &letter {
            Letter::Frame { frame, .. } => frame.len(),
            Letter::Ask {
                asked: Asked::Apply(update),
                ..
            } => update.len(),
            _ => 0,
        };
        // At most everything: a frame larger than the inbox waits until it is alone.
        let weight = u32::try_from(weight.min(INBOX_BYTES)).expect("the inbox is below 4 GiB");
        let bytes = if weight == 0 {
            None
        } else {
            let bytes = Arc::clone(&self.bytes).acquire_many_owned(weight).await;
            Some(bytes.map_err(|_| RoomError::Retired)?)
        };
        let posted = Posted {
            letter,
            _bytes: bytes,
        };
        self.inbox
            .send(posted)
            .await
            .map_err(|_| RoomError::Retired)
    }

    /// One inbound message. Waits while the inbox is full.
    pub async fn frame(&self, connection: ConnectionId, frame: Bytes) -> Result<(), RoomError> {
        self.post(Letter::Frame { connection, frame }).await
    }

    /// The outbox is empty and had dropped frames.
    pub async fn drained(&self, connection: ConnectionId, missed: Missed) -> Result<(), RoomError> {
        self.post(Letter::Drained { connection, missed }).await
    }

    /// The socket is gone.
    pub async fn leave(&self, connection: ConnectionId) {
        // A room that is gone has nobody to forget.
        let _: Result<(), RoomError> = self.post(Letter::Leave { connection }).await;
    }

    pub(super) async fn join(&self, wake: Wake, joining: Joining) -> Result<(), RoomError> {
        let (joined, answer) = oneshot::channel();
        self.post(Letter::Join {
            wake,
            joining,
            joined,
        })
        .await?;
        answer.await.unwrap_or(Err(RoomError::Lost))
    }

    pub(super) async fn ask(&self, wake: Wake, asked: Asked) -> Result<Answer, RoomError> {
        let (answer, answered) = oneshot::channel();
        self.post(Letter::Ask {
            wake,
            asked,
            answer,
        })
        .await?;
        answered.await.unwrap_or(Err(RoomError::Lost))
    }

    pub(super) async fn look<T, F>(&self, wake: Wake, look: F) -> Result<T, RoomError>
    where
        T: Send + 'static,
        F: FnOnce(Overview<'_>) -> T + Send + 'static,
    {
        let (seen, answer) = oneshot::channel();
        let look: Look = Box::new(move |overview| {
            // Whoever asked may have gone meanwhile.
            let _: Result<(), _> = seen.send(overview.map(look));
        });
        self.post(Letter::Look { wake, look }).await?;
        answer.await.unwrap_or(Err(RoomError::Lost))
    }
}

/// Numbers a room's questions.
#[derive(Debug, Default)]
pub(super) struct Requests(u64);

impl Requests {
    pub(super) fn next(&mut self) -> RequestId {
        self.0 += 1;
        RequestId(self.0)
    }
}
