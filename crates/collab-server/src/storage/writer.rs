//! Group commit: one task that gathers the appends of all rooms and commits them together. Must
//! not know a database or a room.
//!
//! There is no timer. While one commit is on its way to the disk the next batch collects, and it
//! starts when the last one returned: an idle server answers after one commit, a busy one commits
//! more at a time. Rooms wait for a place in the queue, never the other way round; each answer goes
//! through its own oneshot.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::{Append, Appended, MAX_RECORD_BYTES, Store, StoreError};

/// Appends waiting for a commit. When full, rooms wait for a place.
pub const QUEUE_ROWS: usize = 4096;

/// Bytes of records waiting or being committed (64 MiB). When full, rooms wait for a place.
pub const QUEUE_BYTES: usize = 64 << 20;

/// Records in one commit. 1,000 take about 10 ms where one takes 3 ms; more would only make the
/// next batch wait. The rest goes into the next commit.
pub const BATCH_ROWS: usize = 1000;

/// Bytes of records in one commit (16 MiB), so that one flood does not hold up everybody's
/// keystrokes for long. A commit takes at least one record, however large.
pub const BATCH_BYTES: usize = 16 << 20;

/// The handle by which rooms append. Clones share one queue; the task ends when all are gone and
/// everything queued is answered.
#[derive(Debug, Clone)]
pub struct Writer {
    queue: mpsc::Sender<Waiting>,
    bytes: Arc<Semaphore>,
}

/// An answer on its way.
pub type Answer = oneshot::Receiver<Result<(), StoreError>>;

#[derive(Debug)]
struct Waiting {
    append: Append,
    answer: oneshot::Sender<Result<(), StoreError>>,
    /// Given back when the answer is sent.
    _bytes: OwnedSemaphorePermit,
}

impl Writer {
    /// The handle, and the task that the caller spawns and awaits at the end.
    pub fn new(store: Arc<dyn Store>) -> (Writer, impl Future<Output = ()> + Send + 'static) {
        let (sender, receiver) = mpsc::channel(QUEUE_ROWS);
        let writer = Writer {
            queue: sender,
            bytes: Arc::new(Semaphore::new(QUEUE_BYTES)),
        };
        (writer, run(store, receiver))
    }

    /// Waits for a place in the queue, then returns the answer to wait for. A room has at most one
    /// append without an answer at a time, and after `Unavailable` offers the same record again.
    ///
    /// Dropping the answer does not take the record back.
    ///
    /// Errors: `TooLarge` at once; through the answer `Unavailable`, `Fenced`.
    pub async fn submit(&self, append: Append) -> Result<Answer, StoreError> {
        let bytes = append.record.len();
        let permits = u32::try_from(bytes)
            .ok()
            .filter(|_| bytes <= MAX_RECORD_BYTES)
            .ok_or(too_large(bytes))?;
        let stopped = || StoreError::unavailable("appending", "the writer has stopped");
        let permit = Arc::clone(&self.bytes).acquire_many_owned(permits);
        let permit = permit.await.map_err(|_| stopped())?;
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting {
            append,
            answer,
            _bytes: permit,
        };
        self.queue.send(waiting).await.map_err(|_| stopped())?;
        Ok(answered)
    }

    /// Whether nothing waits to be committed, or is being committed.
    pub fn is_idle(&self) -> bool {
        self.queue.capacity() == QUEUE_ROWS && self.bytes.available_permits() == QUEUE_BYTES
    }

    /// Appends one record and waits until it is durable.
    pub async fn append(&self, append: Append) -> Result<(), StoreError> {
        let answer = self.submit(append).await?;
        answer.await.unwrap_or_else(|_| {
            Err(StoreError::unavailable(
                "appending",
                "the writer stopped before it answered",
            ))
        })
    }
}

fn too_large(bytes: usize) -> StoreError {
    StoreError::TooLarge {
        what: "a log record",
        bytes,
        limit: MAX_RECORD_BYTES,
    }
}

async fn run(store: Arc<dyn Store>, mut queue: mpsc::Receiver<Waiting>) {
    let mut next = None;
    loop {
        let first = match next.take() {
            Some(waiting) => waiting,
            None => match queue.recv().await {
                Some(waiting) => waiting,
                None => return,
            },
        };
        let (batch, beyond) = gather(first, &mut queue);
        next = beyond;
        commit(&*store, batch).await;
    }
}

/// Takes what waits, up to the limits; the second is the one that did not fit.
fn gather(first: Waiting, queue: &mut mpsc::Receiver<Waiting>) -> (Vec<Waiting>, Option<Waiting>) {
    let mut bytes = first.append.record.len();
    let mut batch = vec![first];
    while batch.len() < BATCH_ROWS
        && let Ok(waiting) = queue.try_recv()
    {
        let with_it = bytes.saturating_add(waiting.append.record.len());
        if with_it > BATCH_BYTES {
            return (batch, Some(waiting));
        }
        bytes = with_it;
        batch.push(waiting);
    }
    (batch, None)
}

async fn commit(store: &dyn Store, batch: Vec<Waiting>) {
    let (appends, answers): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .map(|waiting| (waiting.append, (waiting.answer, waiting._bytes)))
        .unzip();
    let result = store.append(&appends).await;
    let rows = u32::try_from(appends.len()).unwrap_or(u32::MAX);
    metrics::histogram!("collab_commit_records").record(rows);
    let outcomes = result.and_then(|outcomes| {
        if outcomes.len() == appends.len() {
            return Ok(outcomes);
        }
        let why = format!("{} answers to {} records", outcomes.len(), appends.len());
        Err(StoreError::unavailable("appending", why))
    });
    if let Err(error) = &outcomes {
        metrics::counter!("collab_commit_failures_total").increment(1);
        tracing::warn!(%error, records = appends.len(), "commit failed");
    }
    for (index, (answer, bytes)) in answers.into_iter().enumerate() {
        let outcome = match &outcomes {
            Ok(outcomes) => match outcomes.get(index) {
                Some(Appended::Committed) => Ok(()),
                Some(Appended::Fenced) | None => Err(StoreError::Fenced),
                Some(Appended::TooLarge) => {
                    Err(too_large(appends.get(index).map_or(0, |a| a.record.len())))
                }
            },
            Err(error) => Err(error.clone()),
        };
        drop(bytes);
        // A room that stopped waiting claims and loads again; it will find the record.
        let _ = answer.send(outcome);
    }
}
