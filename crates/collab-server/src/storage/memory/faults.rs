//! What goes wrong in a store on demand: calls that fail, answers that get lost, a disk that hangs.
//! Must not know rooms.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::super::StoreError;

/// The faults of one [`MemoryStore`](super::MemoryStore). Counted in calls, so that a test can fail
/// each call of a procedure in turn.
#[derive(Debug)]
pub struct Faults {
    plan: Mutex<Plan>,
    hanging: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Plan {
    calls: u64,
    waiting: usize,
    skip: u64,
    fail: u64,
    skip_answers: u64,
    lose: u64,
    closed: bool,
}

impl Default for Faults {
    fn default() -> Faults {
        Faults {
            plan: Mutex::default(),
            hanging: watch::Sender::new(false),
        }
    }
}

impl Faults {
    /// The next `calls` calls do nothing and answer `Unavailable`.
    pub fn fail_next(&self, calls: u64) {
        self.fail_after(0, calls);
    }

    /// As [`fail_next`](Self::fail_next), but the first `skip` calls go well.
    pub fn fail_after(&self, skip: u64, calls: u64) {
        let mut plan = self.plan();
        plan.skip = skip;
        plan.fail = calls;
    }

    /// The next `calls` calls do their work and then answer `Unavailable`: the commit whose answer
    /// never arrived.
    pub fn lose_next_answers(&self, calls: u64) {
        self.lose_after(0, calls);
    }

    /// As [`lose_next_answers`](Self::lose_next_answers), but the first `skip` calls are answered.
    pub fn lose_after(&self, skip: u64, calls: u64) {
        let mut plan = self.plan();
        plan.skip_answers = skip;
        plan.lose = calls;
    }

    /// Every call from now on waits until [`release`](Self::release).
    pub fn hang(&self) {
        self.hanging.send_replace(true);
    }

    /// Ends [`hang`](Self::hang).
    pub fn release(&self) {
        self.hanging.send_replace(false);
    }

    /// Calls made so far, failed ones included.
    pub fn calls(&self) -> u64 {
        self.plan().calls
    }

    /// Calls that wait for [`release`](Self::release) now.
    pub fn waiting(&self) -> usize {
        self.plan().waiting
    }

    pub(super) fn close(&self) {
        self.plan().closed = true;
    }

    /// What a call does first; for other stores that a test wants to fail.
    pub async fn before(&self) -> Result<(), StoreError> {
        {
            let mut plan = self.plan();
            plan.calls += 1;
            plan.waiting += 1;
        }
        // Counts down even when the caller gives up in the middle of the wait.
        let waiting = Waiting(self);
        let mut hanging = self.hanging.subscribe();
        let released = hanging.wait_for(|hanging| !hanging).await.is_ok();
        drop(waiting);
        let mut plan = self.plan();
        if plan.closed || !released {
            return Err(StoreError::unavailable("calling", "the store is closed"));
        }
        if plan.skip > 0 {
            plan.skip -= 1;
        } else if plan.fail > 0 {
            plan.fail -= 1;
            return Err(StoreError::unavailable("calling", "a test made it fail"));
        }
        Ok(())
    }

    /// What a call does last.
    pub fn after(&self) -> Result<(), StoreError> {
        let mut plan = self.plan();
        if plan.skip_answers > 0 {
            plan.skip_answers -= 1;
            return Ok(());
        }
        if plan.lose == 0 {
            return Ok(());
        }
        plan.lose -= 1;
        Err(StoreError::unavailable("calling", "a test lost the answer"))
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Waiting<'a>(&'a Faults);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.plan().waiting -= 1;
    }
}
