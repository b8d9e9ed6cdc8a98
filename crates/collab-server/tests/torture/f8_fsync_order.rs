//! F8: the order of things, observed from outside. For every `Saved` that leaves the server, the
//! call that forced those edits to the disk (`fdatasync` of SQLite's write-ahead log, or of
//! Postgres' by one of its own processes) has returned before.
//!
//! `kill -9` and an immediate stop leave the operating system's memory intact, so no other campaign
//! would see a missing fsync. The controls are databases that do not wait for one:
//! `synchronous = NORMAL` and `synchronous_commit = off`.

mod order;

use std::path::{Path, PathBuf};

use rand::rngs::StdRng;

use crate::cluster::Cluster;
use crate::crowd::{Crowd, Size};
use crate::database::{Database, execute};
use crate::length::{self, Length};
use crate::person::{Pace, Word};
use crate::report::Report;
use crate::server::{Plan, Server};
use crate::trace::{Story, under_strace};
use order::{Log, Order};

/// Few, and one key at a time, so that a record fits into a page and is found there in one piece.
const CROWD: Size = Size {
    rooms: 2,
    people: 2,
    pace: Pace::OneByOne,
};

/// Edits in one session under strace.
const EDITS: usize = 120;

/// Tells who it is, and becomes the program.
const BECOME: &str = r#"echo $$ >"$0"; exec "$@""#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_is_on_the_disk_before_saved_is_said() {
    let length = Length::of(1, 2);
    let mut found = Order::default();
    let (mut chance, mut sessions) = (length::chance(), 0);
    while length.goes_on(sessions) {
        found.add(sqlite(None, &mut chance).await);
        sessions += 1;
    }
    judge("SQLite", sessions, &found);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_sqlite_does_not_wait_for_the_disk() {
    let found = sqlite(Some("sqlite-synchronous-normal"), &mut length::chance()).await;
    control("control: synchronous=NORMAL", &found);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_on_the_disk_before_saved_is_said() {
    let length = Length::of(1, 2);
    let mut found = Order::default();
    let (mut chance, mut sessions) = (length::chance(), 0);
    while length.goes_on(sessions) {
        found.add(postgres("on", &mut chance).await);
        sessions += 1;
    }
    judge("Postgres", sessions, &found);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_postgres_does_not_wait_for_the_disk() {
    let found = postgres("off", &mut length::chance()).await;
    control("control: synchronous_commit=off", &found);
}

fn judge(subject: &str, sessions: u32, found: &Order) {
    Report::of("F8", subject)
        .must("sessions under strace", sessions as usize)
        .must("calls that forced the log to the disk", found.syncs)
        .must("Saved frames on the wire", found.saved)
        .judge(found.edits, &found.early);
}

fn control(subject: &str, found: &Order) {
    Report::of("F8", subject)
        .must("Saved frames on the wire", found.saved)
        .control(
            found.early.len(),
            "edits called saved before they were on the disk",
        );
}

async fn sqlite(sabotage: Option<&'static str>, chance: &mut StdRng) -> Order {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (trace, process) = (folder.path().join("trace"), folder.path().join("process"));
    let mut plan = Plan::on(Database::Sqlite(folder.path().join("data")));
    plan.sabotage = sabotage;
    plan.under = under_strace(&trace, &become_program(&process));
    session(plan, (&process, &trace), Log::Sqlite, chance, async || {}).await
}

async fn postgres(synchronous_commit: &str, chance: &mut StdRng) -> Order {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (trace, process) = (folder.path().join("trace"), folder.path().join("process"));
    let mut cluster = Cluster::start().await;
    let database = Database::created_on(&cluster.url()).await;
    let mut plan = Plan::on(database);
    if synchronous_commit == "off" {
        let off = "alter role postgres set synchronous_commit = off";
        execute(&cluster.url(), off).await;
        plan.arguments.push("--accept-unsafe-postgres".to_owned());
    }
    cluster.stop_in_order().await;
    // Both under one strace, so that there is one order.
    let script = format!(
        "{} & until {} -q -h 127.0.0.1 -p {}; do sleep 0.05; done; {BECOME}",
        serving(&cluster),
        cluster.program("pg_isready").display(),
        cluster.port()
    );
    plan.under = under_strace(
        &trace,
        &["sh", "-c", &script, &process.display().to_string()].map(str::to_owned),
    );
    session(
        plan,
        (&process, &trace),
        Log::Postgres,
        chance,
        async || {
            cluster.stop_in_order().await;
        },
    )
    .await
}

/// The words of a shell that run Postgres as whoever may.
fn serving(cluster: &Cluster) -> String {
    let words: Vec<String> = cluster
        .serving()
        .iter()
        .map(|word| format!("'{word}'"))
        .collect();
    let words = words.join(" ");
    match cluster.owner() {
        Some((user, group)) => {
            format!("setpriv --reuid={user} --regid={group} --clear-groups {words}")
        }
        None => words,
    }
}

fn become_program(process: &Path) -> Vec<String> {
    ["sh", "-c", BECOME, &process.display().to_string()]
        .map(str::to_owned)
        .into()
}

/// People type under strace, and the order of what happened is looked at.
async fn session(
    plan: Plan,
    (process, trace): (&Path, &Path),
    log: Log,
    chance: &mut StdRng,
    stop: impl AsyncFnOnce(),
) -> Order {
    let mut server = Server::start(plan).await;
    let traced = Traced(process.to_owned());
    let mut crowd = Crowd::arrive(&server.address(), CROWD, chance);
    crowd.until_saved_more_than(EDITS).await;
    crowd.settle().await;
    let sent: Vec<_> = crowd.people().iter().flat_map(|it| it.sent()).collect();
    crowd.say(Word::Leave);
    traced.end("-TERM");
    stop().await;
    server.ended().await;
    Order::of(&Story::read(trace), log, &sent)
}

/// The server below its tracer: whoever ends only the tracer lets it go on.
struct Traced(PathBuf);

impl Traced {
    fn end(&self, signal: &str) {
        if let Ok(process) = std::fs::read_to_string(&self.0) {
            let mut kill = std::process::Command::new("kill");
            // Already gone is as good.
            let _ = kill.args([signal, process.trim()]).output();
        }
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.end("-KILL");
        }
    }
}
