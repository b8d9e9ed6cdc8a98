//! What an operator sees: log lines on standard error and numbers for Prometheus. Must not know
//! documents: never text, tokens or names; a room appears as a tag of its name.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use collab_core::ids::RoomId;
use collab_core::room::Counted;
use metrics::{Counter, Gauge, Histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use sha2::{Digest, Sha256};
use tracing_subscriber::EnvFilter;

use crate::config::{BadConfig, LogFormat};
use crate::history::keeping::Removed;

/// Upper bounds of the commit histogram, in seconds. An idle commit takes 3 ms, a loaded one 15.
const COMMIT_BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Upper bounds of the records in one commit, up to the most that it takes.
const RECORD_BUCKETS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 300.0, 1000.0];

/// Starts logging to standard error. Once per process.
pub fn start_logging(filter: &str, format: LogFormat) -> Result<(), BadConfig> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| BadConfig(format!("--log {filter:?}: {error}")))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    started.map_err(|error| BadConfig(format!("logging cannot start: {error}")))?;
    // A panic's message may quote the text it stumbled over; its place is enough.
    std::panic::set_hook(Box::new(|panic| match panic.location() {
        Some(at) => tracing::error!(file = at.file(), line = at.line(), "a panic was contained"),
        None => tracing::error!("a panic was contained"),
    }));
    Ok(())
}

/// A room in a log line: the first bytes of its name's hash, so that lines of one room can be
/// found without telling its name.
pub fn room_tag(room: &RoomId) -> impl fmt::Display + use<> {
    let hash = Sha256::digest(room.as_str().as_bytes());
    let mut tag = 0u64;
    for byte in hash.iter().take(5) {
        tag = tag << 8 | u64::from(*byte);
    }
    struct Tag(u64);
    impl fmt::Display for Tag {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{:010x}", self.0)
        }
    }
    Tag(tag)
}

/// Everything counted in this process. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    page: PrometheusHandle,
    connections: Gauge,
    room_connections: Gauge,
    rooms_awake: Gauge,
    unacknowledged: Gauge,
    updates: Counter,
    resyncs: Counter,
    overflows: Counter,
    poisoned: Counter,
    damaged: Counter,
    mended: Counter,
    rewound: Counter,
    rooms_degraded: Gauge,
    withheld: Counter,
    closed: Counter,
    panics: Counter,
    commits: Histogram,
    append_failures: Counter,
    snapshots: Counter,
    snapshots_refused: Counter,
    versions: Counter,
    removed_turns: Counter,
    removed_bytes: Counter,
    removed_versions: Counter,
    not_removed: Counter,
    refused_connections: Counter,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// The process's own, made at the first call.
    pub fn get() -> Metrics {
        static METRICS: OnceLock<Metrics> = OnceLock::new();
        METRICS.get_or_init(Metrics::install).clone()
    }

    fn install() -> Metrics {
        let commit = Matcher::Full("collab_commit_seconds".to_owned());
        let records = Matcher::Full("collab_commit_records".to_owned());
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(commit, &COMMIT_BUCKETS)
            .and_then(|builder| builder.set_buckets_for_metric(records, &RECORD_BUCKETS))
            .expect("there is a bucket")
            .build_recorder();
        let page = recorder.handle();
        // Somebody who embeds the server may have a recorder of their own: then it hears.
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("metrics go to a recorder that was there before; /metrics is empty");
        }
        describe();
        Metrics {
            page,
            connections: metrics::gauge!("collab_connections"),
            room_connections: metrics::gauge!("collab_room_connections"),
            rooms_awake: metrics::gauge!("collab_rooms_awake"),
            unacknowledged: metrics::gauge!("collab_unacknowledged_bytes"),
            updates: metrics::counter!("collab_updates_total"),
            resyncs: metrics::counter!("collab_resyncs_total"),
            overflows: metrics::counter!("collab_outbox_overflows_total"),
            poisoned: metrics::counter!("collab_documents_poisoned_total"),
            damaged: metrics::counter!("collab_damaged_parts_total"),
            mended: metrics::counter!("collab_rooms_mended_total"),
            rewound: metrics::counter!("collab_database_rewinds_total"),
            rooms_degraded: metrics::gauge!("collab_rooms_degraded"),
            withheld: metrics::counter!("collab_deadly_parts_total"),
            closed: metrics::counter!("collab_deadly_rooms_closed_total"),
            panics: metrics::counter!("collab_room_panics_total"),
            commits: metrics::histogram!("collab_commit_seconds"),
            append_failures: metrics::counter!("collab_append_failures_total"),
            snapshots: metrics::counter!("collab_snapshots_total"),
            snapshots_refused: metrics::counter!("collab_snapshots_refused_total"),
            versions: metrics::counter!("collab_versions_total"),
            removed_turns: metrics::counter!("collab_history_removed_changes_total"),
            removed_bytes: metrics::counter!("collab_history_removed_bytes_total"),
            removed_versions: metrics::counter!("collab_history_removed_versions_total"),
            not_removed: metrics::counter!("collab_history_unreadable_total"),
            refused_connections: metrics::counter!("collab_connections_refused_total"),
        }
    }

    /// The page for Prometheus.
    pub fn render(&self) -> String {
        self.page.render()
    }

    /// Sorts collected samples into buckets; without it they pile up between two scrapes.
    pub fn upkeep(&self) {
        self.page.run_upkeep();
    }

    /// A socket was accepted, until the guard is dropped.
    pub fn connection(&self) -> ConnectionGuard {
        self.connections.increment(1.0);
        ConnectionGuard(self.connections.clone())
    }

    /// A socket heard 503 because there are too many.
    pub fn connection_refused(&self) {
        self.refused_connections.increment(1);
    }

    pub(crate) fn rooms_awake(&self, rooms: usize) {
        self.rooms_awake.set(as_number(rooms));
    }

    /// A room's unsaved bytes and connections, before and now.
    pub(crate) fn room_changed(&self, before: (usize, usize), now: (usize, usize)) {
        if before.0 != now.0 {
            self.unacknowledged
                .increment(as_number(now.0) - as_number(before.0));
        }
        if before.1 != now.1 {
            self.room_connections
                .increment(as_number(now.1) - as_number(before.1));
        }
    }

    /// Whether an awake room is degraded, before and now.
    pub(crate) fn room_degraded(&self, before: bool, now: bool) {
        match (before, now) {
            (false, true) => self.rooms_degraded.increment(1.0),
            (true, false) => self.rooms_degraded.decrement(1.0),
            _ => {}
        }
    }

    pub(crate) fn committed(&self, after: Duration) {
        self.commits.record(after);
    }

    pub(crate) fn append_failed(&self) {
        self.append_failures.increment(1);
    }

    pub(crate) fn snapshot_stored(&self) {
        self.snapshots.increment(1);
    }

    pub(crate) fn snapshot_refused(&self) {
        self.snapshots_refused.increment(1);
    }

    pub(crate) fn version_made(&self) {
        self.versions.increment(1);
    }

    pub(crate) fn history_removed(&self, removed: Removed) {
        self.removed_turns.increment(removed.turns);
        self.removed_bytes.increment(removed.bytes);
        self.removed_versions.increment(removed.versions);
    }

    pub(crate) fn history_not_removed(&self) {
        self.not_removed.increment(1);
    }

    pub(crate) fn outbox_overflowed(&self) {
        self.overflows.increment(1);
    }

    pub(crate) fn part_withheld(&self) {
        self.withheld.increment(1);
    }

    pub(crate) fn room_closed(&self) {
        self.closed.increment(1);
    }

    pub(crate) fn room_panicked(&self) {
        self.panics.increment(1);
    }

    pub(crate) fn count(&self, counted: Counted) {
        match counted {
            Counted::Update => self.updates.increment(1),
            // Labels are the rules' names: few, and none from outside.
            Counted::GateRejected(reason) => {
                metrics::counter!("collab_gate_rejections_total", "reason" => reason).increment(1);
            }
            Counted::Poisoned => self.poisoned.increment(1),
            Counted::Damaged => self.damaged.increment(1),
            Counted::Mended => self.mended.increment(1),
            Counted::Rewound => self.rewound.increment(1),
            Counted::Resynced => self.resyncs.increment(1),
            Counted::PresenceRejected(reason) => {
                metrics::counter!("collab_presence_rejections_total", "reason" => reason)
                    .increment(1);
            }
        }
    }
}

/// Counts a connection for as long as it lives.
pub struct ConnectionGuard(Gauge);

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Exact up to 2^32, which no gauge here reaches while memory lasts.
fn as_number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_gauge!("collab_connections", "Open sockets of all kinds");
    describe_gauge!("collab_room_connections", "Clients in rooms");
    describe_gauge!("collab_rooms_awake", "Rooms in memory");
    describe_gauge!(
        "collab_unacknowledged_bytes",
        Unit::Bytes,
        "Merged edits that are not yet committed"
    );
    describe_counter!("collab_updates_total", "Updates merged");
    describe_counter!(
        "collab_resyncs_total",
        "Slow connections brought level by one diff"
    );
    describe_counter!(
        "collab_outbox_overflows_total",
        "Lanes dropped because a connection was slow"
    );
    describe_counter!("collab_gate_rejections_total", "Updates refused, by rule");
    describe_counter!(
        "collab_presence_rejections_total",
        "Presence entries not taken, by rule"
    );
    describe_counter!(
        "collab_documents_poisoned_total",
        "Failures contained inside the engine"
    );
    describe_gauge!(
        "collab_rooms_degraded",
        "Rooms in memory of which something stored is missing"
    );
    describe_counter!(
        "collab_damaged_parts_total",
        "Records and snapshots that did not read back right, copied into quarantine"
    );
    describe_counter!(
        "collab_rooms_mended_total",
        "Degraded rooms that are whole again"
    );
    describe_counter!(
        "collab_database_rewinds_total",
        "Times a room found the database older than what it had acknowledged"
    );
    describe_counter!(
        "collab_deadly_parts_total",
        "Records and snapshots that ended the process that opened them, and are withheld"
    );
    describe_counter!(
        "collab_deadly_rooms_closed_total",
        "Times a room was closed because loading it ends the process"
    );
    describe_counter!(
        "collab_room_panics_total",
        "Rooms lost to a failure of their task"
    );
    describe_histogram!(
        "collab_commit_seconds",
        Unit::Seconds,
        "From a room's wish to save a record to its commit, the wait for its turn included"
    );
    describe_histogram!(
        "collab_commit_records",
        "Records of all rooms that one commit took"
    );
    describe_counter!(
        "collab_commit_failures_total",
        "Commits that the database did not confirm"
    );
    describe_counter!(
        "collab_append_failures_total",
        "Records, one of a room at a time, that did not commit"
    );
    describe_counter!("collab_snapshots_total", "Snapshots verified and stored");
    describe_counter!(
        "collab_snapshots_refused_total",
        "Snapshots that did not verify"
    );
    describe_counter!(
        "collab_versions_total",
        "Versions that rooms made of themselves"
    );
    describe_counter!(
        "collab_history_removed_changes_total",
        "Changes removed because history is not kept so long, or so large"
    );
    describe_counter!(
        "collab_history_removed_bytes_total",
        Unit::Bytes,
        "What they took in the archive"
    );
    describe_counter!(
        "collab_history_removed_versions_total",
        "Versions without a name removed with them"
    );
    describe_counter!(
        "collab_history_unreadable_total",
        "Rooms whose history could not be read, and was kept, when it was to be removed"
    );
    describe_counter!(
        "collab_connections_refused_total",
        "Sockets refused because there are too many"
    );
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// Names in a text, between these two.
    fn names<'a>(text: &'a str, before: &str, after: &str) -> BTreeSet<&'a str> {
        text.split(before)
            .skip(1)
            .filter_map(|rest| rest.split_once(after))
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn every_number_is_explained() {
        let code = include_str!("telemetry.rs");
        let (code, _) = code.split_once("#[cfg(test)]").expect("this module");
        let (_, helped) = code.split_once("fn describe()").expect("it is there");
        let said = names(code, "\"collab_", "\"");
        assert_eq!(names(helped, "\"collab_", "\""), said, "in `# HELP`");
        let page = include_str!("../../../docs/METRICS.md");
        assert_eq!(names(page, "`collab_", "`"), said, "in docs/METRICS.md");
    }
}
