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

    /// Gives it back to who posted it: the room will not read it.
    pub(super) fn give_back(self, error: &RoomError) {
        match self {
            // Whoever posted it may have gone meanwhile.
            Letter::Join { joined, .. } => drop(joined.send(Err(error.clone()))),
            Letter::Look { look, .. } => look(Err(error.clone())),
            Letter::Ask { answer, .. } => drop(answer.send(Err(error.clone()))),
            // Their connections were closed before the room retired.
            Letter::Frame { .. }
            | Letter::Drained { .. }
            | Letter::Leave { .. }
            | Letter::Deleted => {}
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

    /// Puts the first letter into the inbox of a room whose task has not begun.
    pub(super) fn post_first(&self, letter: Letter) {
        let bytes = Arc::clone(&self.bytes)
            .try_acquire_many_owned(weight(&letter))
            .ok();
        let posted = Posted {
            letter,
            _bytes: bytes,
        };
        let put = self.inbox.try_send(posted);
        debug_assert!(put.is_ok(), "an inbox has room for one letter");
    }

    /// Waits for a place and posts. `Retired` when nobody reads any more.
    pub(super) async fn post(&self, letter: Letter) -> Result<(), RoomError> {
        let bytes = match weight(&letter) {
            0 => None,
            weight => {
                let bytes = Arc::clone(&self.bytes).acquire_many_owned(weight).await;
                Some(bytes.map_err(|_| RoomError::Retired)?)
            }
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
}

/// Bytes that a letter takes in the inbox. At most everything: a frame larger than the inbox waits
/// until it is alone.
fn weight(letter: &Letter) -> u32 {
    let bytes = match letter {
        Letter::Frame { frame, .. } => frame.len(),
        Letter::Ask {
            asked: Asked::Apply(update),
            ..
        } => update.len(),
        _ => 0,
    };
    u32::try_from(bytes.min(INBOX_BYTES)).expect("the inbox is below 4 GiB")
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
