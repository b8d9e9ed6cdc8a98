//! Who may read the past just now. A past state takes a processor for a tenth of a second, and a replay
//! holds every text of its stretch; so there are only so many of them at once, and one of them computes
//! per processor. Must not know what is read.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::past::PastError;

/// Readings at once: those that compute, wait for a processor or send. One more is
/// [`PastError::Busy`].
pub const MAX_READINGS: usize = 64;

/// See the module.
#[derive(Debug, Clone)]
pub struct Desk {
    places: Arc<Semaphore>,
    processors: Arc<Semaphore>,
}

/// One reading; its place is free again when this goes.
#[derive(Debug)]
pub struct Reading {
    _place: OwnedSemaphorePermit,
    processors: Arc<Semaphore>,
}

impl Desk {
    /// With room for so many readings, of which so many compute at a time.
    pub fn new(readings: usize, processors: usize) -> Desk {
        Desk {
            places: Arc::new(Semaphore::new(readings)),
            processors: Arc::new(Semaphore::new(processors)),
        }
    }

    /// As this machine has it.
    pub fn of_this_machine() -> Desk {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Desk::new(MAX_READINGS, processors)
    }

    /// A place, if there is one.
    pub fn enter(&self) -> Result<Reading, PastError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        Ok(Reading {
            _place: place.map_err(|_| PastError::Busy)?,
            processors: Arc::clone(&self.processors),
        })
    }
}

impl Reading {
    /// Computes something as soon as a processor is free, away from the runtime's own threads. It ends
    /// what it began also when nobody waits for it any more, and holds its processor until then.
    pub async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PastError> + Send + 'static,
    ) -> Result<T, PastError> {
        let failed = |error: &dyn std::fmt::Display| PastError::Damaged(error.to_string());
        let processor = Arc::clone(&self.processors).acquire_owned().await;
        let processor = processor.map_err(|error| failed(&error))?;
        let working = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(processor);
            done
        });
        working.await.unwrap_or_else(|error| Err(failed(&error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_too_many_is_told_so_and_a_place_comes_free() {
        let desk = Desk::new(1, 1);
        let one = desk.enter().unwrap();
        assert_eq!(desk.enter().err(), Some(PastError::Busy));
        assert_eq!(one.work(|| Ok(3)).await, Ok(3));
        drop(one);
        assert!(desk.enter().is_ok());
    }

    #[tokio::test]
    async fn one_job_per_processor_and_a_panic_frees_it() {
        let desk = Desk::new(2, 1);
        let (one, other) = (desk.enter().unwrap(), desk.enter().unwrap());
        let panicked: Result<(), _> = one.work(|| panic!("as the test wants")).await;
        assert!(matches!(panicked, Err(PastError::Damaged(_))));
        let (first, second) = std::sync::mpsc::channel();
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let busy = tokio::spawn(async move {
            let told = first.clone();
            let job = move || {
                told.send("begun").unwrap();
                gone.recv().unwrap();
                told.send("ended").unwrap();
                Ok(())
            };
            one.work(job).await.unwrap();
        });
        while second.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        let waits = tokio::spawn(async move {
            let told = other.work(move || Ok(second.try_recv().ok())).await;
            told.unwrap()
        });
        go.send(()).unwrap();
        busy.await.unwrap();
        assert_eq!(waits.await.unwrap(), Some("ended"));
    }
}
