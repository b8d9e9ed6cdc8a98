//! What an input costs in time and memory, and the limits that no input may pass.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// No input may cost more.
const MAX_COST: Duration = Duration::from_millis(50);
/// No input may need more memory than this on top of what is there, in bytes.
const MAX_MEMORY: usize = 64 << 20;

/// Memory is counted for the whole process, so one test runs at a time.
pub fn alone() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the most expensive inputs so far cost.
#[derive(Default, Debug)]
pub struct Costs {
    pub inputs: usize,
    time: Duration,
    memory: usize,
}

impl Costs {
    /// Runs one input and holds it to the limits.
    pub fn measure<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let start = cpu_time();
        let result = run();
        self.time = self.time.max(cpu_time().saturating_sub(start));
        self.memory = self.memory.max(MEMORY.peak_usage().saturating_sub(before));
        self.inputs += 1;
        assert!(self.time < MAX_COST, "an input took {:?}", self.time);
        assert!(
            self.memory < MAX_MEMORY,
            "an input took {} bytes",
            self.memory
        );
        result
    }
}

/// Time this thread was running, where the system says so: other work on the machine does not
/// count. Elsewhere time on the wall.
#[expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this measures"
)]
fn cpu_time() -> Duration {
    static START: OnceLock<std::time::Instant> = OnceLock::new();
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|stat| stat.split(' ').next()?.parse().ok())
        .map_or_else(
            || START.get_or_init(std::time::Instant::now).elapsed(),
            Duration::from_nanos,
        )
}
