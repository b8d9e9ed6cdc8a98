//! A connection on a thread of its own, fed with work through a bounded queue. Must not know what
//! the work is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::folder_lock::FolderLock;
use crate::storage::StoreError;

/// Work waiting for the thread. When full, callers wait for a place.
const QUEUE_JOBS: usize = 256;

/// Jobs after which the write-ahead log is folded into the file, at the first moment when nothing
/// waits. A commit writes a few pages: this comes before SQLite's own limit, whose work would be
/// part of somebody's commit.
pub const CHECKPOINT: Option<u32> = Some(256);

/// For a connection that does not write.
pub const NO_CHECKPOINT: Option<u32> = None;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A running thread. Ends when it is stopped or dropped, after what was queued.
#[derive(Debug)]
pub struct Thread {
    queue: Mutex<Option<mpsc::Sender<Job>>>,
    running: Mutex<Option<JoinHandle<()>>>,
}

impl Thread {
    /// Starts a thread that owns the connection and shares the folder.
    pub fn start(
        name: &str,
        mut connection: Connection,
        lock: Arc<FolderLock>,
        checkpoint_after: Option<u32>,
    ) -> std::io::Result<Thread> {
        let (sender, receiver) = mpsc::channel(QUEUE_JOBS);
        let running = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                serve(&mut connection, receiver, checkpoint_after);
                if let Err((_, error)) = connection.close() {
                    tracing::warn!(%error, "the database did not close well");
                }
                // Only now may another server open the file.
                drop(lock);
            })?;
        Ok(Thread {
            queue: Mutex::new(Some(sender)),
            running: Mutex::new(Some(running)),
        })
    }

    /// Has work done and waits for its result. Work once queued is done even when nobody waits.
    pub async fn run<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let closed = || StoreError::unavailable(doing, "the database is closed");
        let queue = held(&self.queue).clone().ok_or_else(closed)?;
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Whoever stopped waiting does not want to know.
            let _ = answer.send(work(connection));
        });
        queue.send(job).await.map_err(|_| closed())?;
        drop(queue);
        answered.await.unwrap_or_else(|_| {
            Err(StoreError::unavailable(
                doing,
                "the database's thread failed",
            ))
        })
    }

    /// Does what is queued, closes the connection and ends the thread.
    pub async fn stop(&self) {
        drop(held(&self.queue).take());
        let running = held(&self.running).take();
        if let Some(running) = running {
            let joined = tokio::task::spawn_blocking(|| running.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("a database thread ended badly");
            }
        }
    }
}

fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(
    connection: &mut Connection,
    mut queue: mpsc::Receiver<Job>,
    checkpoint_after: Option<u32>,
) {
    let mut since_checkpoint: u32 = 0;
    while let Some(job) = queue.blocking_recv() {
        // A panic loses one answer, not the database: the transaction rolls back as it unwinds.
        if catch_unwind(AssertUnwindSafe(|| job(connection))).is_err() {
            tracing::error!("a panic while using the database");
        }
        since_checkpoint = since_checkpoint.saturating_add(1);
        let due = checkpoint_after.is_some_and(|after| since_checkpoint >= after);
        if due && queue.is_empty() {
            since_checkpoint = 0;
            // PASSIVE: never waits for a reader. What it leaves, the next one takes.
            let done = connection.query_row("pragma wal_checkpoint(passive)", (), |_| Ok(()));
            if let Err(error) = done {
                tracing::warn!(%error, "the write-ahead log stays as it is");
            }
        }
    }
}
