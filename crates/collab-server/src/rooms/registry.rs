//! Which rooms are awake. Must not know what happens inside one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use collab_core::ids::RoomId;
use collab_core::room::Answer;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::actor;
use super::clock::Clock;
use super::handle::{Asked, Handle, Joining, Letter, Overview};
use super::trial::Trials;
use super::{KNOCKS, RoomError, Settings, Wake};
use crate::storage::{Store, StoreError, Writer};
use crate::telemetry::Metrics;

/// All rooms of this process.
#[derive(Clone)]
pub struct Rooms {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rooms")
            .field("awake", &self.awake())
            .finish()
    }
}

/// What every room's task uses.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) store: Arc<dyn Store>,
    pub(super) writer: Writer,
    pub(super) metrics: Metrics,
    pub(super) clock: Clock,
    /// Heavy jobs (verifying a snapshot) that may run at once: one per core.
    pub(super) heavy: Arc<Semaphore>,
    /// Tells every room to save everything and retire.
    pub(super) drain: CancellationToken,
    /// Milliseconds that draining may take, told to clients.
    pub(super) drain_within_ms: u64,
    pub(super) tasks: TaskTracker,
    /// Rooms whose load ended the process before.
    pub(super) trials: Trials,
    awake: Mutex<HashMap<RoomId, Handle>>,
}

impl Shared {
    /// Takes a retiring or lost room out, unless its successor is there already.
    pub(super) fn remove(&self, room: &RoomId, handle: &Handle) {
        let mut awake = self.lock();
        if awake.get(room).is_some_and(|there| there.is_same(handle)) {
            awake.remove(room);
        }
        self.metrics.rooms_awake(awake.len());
    }

    /// Runs something that a room began and does not wait for; draining waits for it.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.tasks.spawn(task)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RoomId, Handle>> {
        self.awake.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rooms {
    /// No room awake yet.
    pub fn new(
        settings: Settings,
        store: Arc<dyn Store>,
        writer: Writer,
        metrics: Metrics,
        drain_within_ms: u64,
    ) -> Rooms {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Rooms {
            shared: Arc::new(Shared {
                settings,
                store,
                writer,
                metrics,
                clock: Clock::new(),
                heavy: Arc::new(Semaphore::new(cores)),
                drain: CancellationToken::new(),
                drain_within_ms,
                tasks: TaskTracker::new(),
                trials: Trials::default(),
                awake: Mutex::default(),
            }),
        }
    }

    /// One permit for each processor, for whoever has a heavy job.
    pub(crate) fn heavy(&self) -> Arc<Semaphore> {
        Arc::clone(&self.shared.heavy)
    }

    /// Rooms awake now.
    pub fn awake(&self) -> usize {
        self.shared.lock().len()
    }

    /// Bounds that transports need.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// Posts a letter to a room that is awake or will be in a moment: its task loads it. A letter
    /// that wakes a room stands in its inbox before its task begins, so that the room cannot go to
    /// sleep again without having read it.
    async fn deliver(&self, room: &RoomId, letter: Letter) -> Result<Handle, RoomError> {
        let awake = {
            let mut awake = self.shared.lock();
            match awake.get(room).filter(|handle| !handle.is_closed()) {
                Some(handle) => handle.clone(),
                None => return self.wake(&mut awake, room, letter),
            }
        };
        awake.post(letter).await?;
        Ok(awake)
    }

    fn wake(
        &self,
        awake: &mut HashMap<RoomId, Handle>,
        room: &RoomId,
        letter: Letter,
    ) -> Result<Handle, RoomError> {
        // Under the lock: who starts draining and then counts tasks counts this one.
        if self.shared.drain.is_cancelled() {
            return Err(RoomError::Draining);
        }
        let (handle, inbox) = Handle::new(self.shared.settings.inbox_letters);
        let wake = letter.wake();
        handle.post_first(letter);
        let shared = Arc::clone(&self.shared);
        let task = actor::run(shared, room.clone(), wake, handle.clone(), inbox);
        self.shared.tasks.spawn(task);
        awake.insert(room.clone(), handle.clone());
        self.shared.metrics.rooms_awake(awake.len());
        Ok(handle)
    }

    /// Brings a client in. Its frames go through the handle.
    pub async fn join(
        &self,
        room: &RoomId,
        wake: Wake,
        joining: Joining,
    ) -> Result<Handle, RoomError> {
        self.knock(room, |joined| Letter::Join {
            wake,
            joining: joining.clone(),
            joined,
        })
        .await
        .map(|(handle, ())| handle)
    }

    /// Asks for a change and waits until it is durable.
    pub async fn ask(&self, room: &RoomId, wake: Wake, asked: Asked) -> Result<Answer, RoomError> {
        self.knock(room, |answer| Letter::Ask {
            wake,
            asked: asked.clone(),
            answer,
        })
        .await
        .map(|(_, answer)| answer)
    }

    /// Looks at the document on the room's own task.
    pub async fn look<T, F>(&self, room: &RoomId, wake: Wake, look: F) -> Result<T, RoomError>
    where
        T: Send + 'static,
        F: FnOnce(Overview<'_>) -> T + Clone + Send + 'static,
    {
        self.knock(room, |seen: oneshot::Sender<Result<T, RoomError>>| {
            let look = look.clone();
            Letter::Look {
                wake,
                // Whoever asked may have gone meanwhile.
                look: Box::new(move |overview| drop(seen.send(overview.map(look)))),
            }
        })
        .await
        .map(|(_, seen)| seen)
    }

    /// Posts a letter and waits for its answer; again, when a retiring room turned it away.
    async fn knock<T>(
        &self,
        room: &RoomId,
        letter: impl Fn(oneshot::Sender<Result<T, RoomError>>) -> Letter,
    ) -> Result<(Handle, T), RoomError> {
        for _ in 0..KNOCKS {
            let (answer, answered) = oneshot::channel();
            let delivered = match self.deliver(room, letter(answer)).await {
                Ok(handle) => answered
                    .await
                    .unwrap_or(Err(RoomError::Lost))
                    .map(|answer| (handle, answer)),
                Err(error) => Err(error),
            };
            if !matches!(delivered, Err(RoomError::Retired)) {
                return delivered;
            }
        }
        Err(RoomError::Retired)
    }

    /// Deletes a room; everybody in it is told and closed. `false` when there was none.
    ///
    /// Storage goes first: from then on the room's task is fenced out, and nothing that it still
    /// does can bring the room back.
    pub async fn delete(&self, room: &RoomId) -> Result<bool, StoreError> {
        let existed = self
            .shared
            .store
            .delete(room, self.shared.clock.now())
            .await?;
        let handle = self.shared.lock().get(room).cloned();
        if let Some(handle) = handle {
            // A room that is gone already has nobody to tell.
            let _: Result<(), RoomError> = handle.post(Letter::Deleted).await;
        }
        Ok(existed)
    }

    /// No room wakes any more; those awake save everything, tell their clients and retire. Returns
    /// when all have.
    pub async fn drain(&self) {
        {
            let _awake = self.shared.lock();
            self.shared.drain.cancel();
        }
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}
