//! F7: a process killed at every call to its store in turn, before the call and after it: claim,
//! load, append, snapshot and fold. And in the midst of every transaction: with SQLite at every
//! system call by which these write, with Postgres at every question, before the database hears it
//! and after it has answered. After each kill the next owner finds the room whole: I1 to
//! I5, on the rows and on what a load makes of them.
//!
//! The process that dies is this test binary, started again to lead [`life`] on the real store; it
//! is killed with SIGKILL, by itself, by strace, or by us while its wire is held. The control says that a record is durable before
//! it appends it.

mod life;
mod rows;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::process::Command;

use crate::database::{Database, FILE};
use crate::length::Length;
use crate::report::Report;
use crate::wire::{Proxy, Wire};
use life::Orders;
use rows::Rows;

/// The room of this campaign.
const ROOM: &str = "every-call";

/// System calls by which SQLite changes its files.
const WRITES: &str = "write,pwrite64,fsync,fdatasync,ftruncate,unlink";

/// More calls than one life makes.
const ENDLESS: u32 = 10_000;

/// What a campaign came upon.
#[derive(Debug, Default)]
struct Found {
    kills: usize,
    /// Largest place that a life called durable.
    acked: u64,
    /// Sum over all kills of what had to be there.
    looked_for: usize,
    broken: Vec<String>,
}

#[tokio::test]
#[ignore = "the life that the campaigns end, not a test"]
async fn one_life() {
    life::lead().await;
}

#[tokio::test]
async fn sqlite_at_every_call_to_the_store() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = Database::Sqlite(folder.path().into());
    every_call(&database, Length::of(1, 4)).await;
}

#[tokio::test]
async fn postgres_at_every_call_to_the_store() {
    let database = Database::fresh_postgres().await;
    every_call(&database, Length::of(1, 4)).await;
}

#[tokio::test]
async fn sqlite_at_every_system_call() {
    let length = Length::of(1, 4);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = Database::Sqlite(folder.path().into());
    let mut found = Found::default();
    // The first life makes the file and its tables.
    die(&database, &Orders::life(1), None, &mut found).await;
    let mut rounds = 0;
    while length.goes_on(rounds) {
        rounds += 1;
        for call in 1..ENDLESS {
            let kill = Some(call);
            if die(&database, &Orders::life(2), kill, &mut found).await == Ended::ByItself {
                break;
            }
            look(&database, &mut found).await;
        }
    }
    Report::of("F7", "SQLite, every system call")
        .must("kills", found.kills)
        .judge(found.looked_for, &found.broken);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_at_every_question() {
    let length = Length::of(1, 4);
    let database = Database::fresh_postgres().await;
    let Database::Postgres(url) = &database else {
        unreachable!("made on a Postgres");
    };
    let mut proxy = Proxy::start(database.port()).await;
    let through = Database::Postgres(proxy.through(url));
    let mut found = Found::default();
    // The first life makes the tables.
    die(&database, &Orders::life(1), None, &mut found).await;
    let mut rounds = 0;
    while length.goes_on(rounds) {
        rounds += 1;
        for hold in [Wire::HoldQuestion, Wire::HoldAnswer] {
            for question in 1..ENDLESS {
                proxy.hold_one(hold(u64::from(question)));
                let orders = Orders::life(2).on(&through);
                let ended = held(&mut proxy, &orders, &mut found).await;
                proxy.until_all_broken().await;
                if ended == Ended::ByItself {
                    break;
                }
                look(&database, &mut found).await;
            }
        }
    }
    Report::of("F7", "Postgres, every question")
        .must("kills", found.kills)
        .judge(found.looked_for, &found.broken);
}

#[tokio::test]
async fn control_a_life_that_calls_records_durable_too_early() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = Database::Sqlite(folder.path().into());
    let mut found = Found::default();
    let mut orders = Orders::life(1);
    orders.acknowledges_early = true;
    let points = points(&database, &orders).await;
    for point in 0..points {
        orders.die_at = Some(point);
        die(&database, &orders, None, &mut found).await;
        look(&database, &mut found).await;
    }
    Report::of("F7", "control: durable before the append")
        .count("kills", found.kills)
        .control(found.broken.len(), "records missing");
}

async fn every_call(database: &Database, length: Length) {
    let mut found = Found::default();
    let mut orders = Orders::life(3);
    let points = points(database, &orders).await;
    assert_eq!(
        points,
        2 * 14,
        "claim, load and three rounds of four, before and after"
    );
    let mut rounds = 0;
    while length.goes_on(rounds) {
        rounds += 1;
        for point in 0..points {
            orders.die_at = Some(point);
            assert_eq!(
                die(database, &orders, None, &mut found).await,
                Ended::Killed
            );
            look(database, &mut found).await;
        }
    }
    Report::of(
        "F7",
        format!("{}, every call to the store", database.name()),
    )
    .must("kills", found.kills)
    .judge(found.looked_for, &found.broken);
}

/// Points at which a whole life could die.
async fn points(database: &Database, orders: &Orders) -> u32 {
    let mut found = Found::default();
    let ended = die(database, orders, None, &mut found).await;
    assert_eq!(ended, Ended::ByItself);
    let calls = 2 + 4 * orders.rounds;
    2 * calls
}

#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Killed,
    ByItself,
}

/// One life, killed where its orders say or at a system call, and what it had called durable.
async fn die(
    database: &Database,
    orders: &Orders,
    system_call: Option<u32>,
    found: &mut Found,
) -> Ended {
    let mut command = match (system_call, database) {
        (Some(call), Database::Sqlite(folder)) => {
            let mut command = Command::new(crate::trace::strace());
            command.args(["-f", "-qq", "-o", "/dev/null"]);
            command.args(["-e", &format!("trace={WRITES}")]);
            command.args(["-e", &format!("inject={WRITES}:signal=KILL:when={call}")]);
            for file in [FILE.to_owned(), format!("{FILE}-wal")] {
                command.arg("-P").arg(folder.join(file));
            }
            command.arg(this_program());
            command
        }
        _ => Command::new(this_program()),
    };
    lead(&mut command, &orders.on(database));
    let output = command.output().await.expect("a life begins");
    found.ended(&output)
}

/// One life, killed when its wire holds what it was told to.
async fn held(proxy: &mut Proxy, orders: &Orders, found: &mut Found) -> Ended {
    let mut command = Command::new(this_program());
    lead(&mut command, orders);
    let life = command.spawn().expect("a life begins");
    let process = life.id().expect("it has just begun").to_string();
    let ended = life.wait_with_output();
    tokio::pin!(ended);
    let output = tokio::select! {
        output = &mut ended => output,
        () = proxy.until_held() => {
            let mut kill = Command::new("kill");
            kill.args(["-KILL", &process]).status().await.expect("`kill` runs");
            ended.await
        }
    };
    found.ended(&output.expect("it can be waited for"))
}

fn this_program() -> PathBuf {
    std::env::current_exe().expect("we run")
}

fn lead(command: &mut Command, orders: &Orders) {
    let life = [
        "f7_every_call::one_life",
        "--exact",
        "--ignored",
        "--nocapture",
    ];
    command
        .args(life)
        .env(life::ORDERS, orders.encode())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
}

impl Found {
    /// A life has ended: how, and what it had called durable.
    fn ended(&mut self, output: &Output) -> Ended {
        let said = String::from_utf8_lossy(&output.stdout);
        let acked = said.lines().filter_map(life::acknowledged).max();
        self.acked = self.acked.max(acked.unwrap_or(0));
        if said.lines().any(|line| line.trim() == life::DONE) {
            return Ended::ByItself;
        }
        // strace passes the signal on by which its program ended.
        let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
        assert_eq!(
            signal,
            Some(9),
            "a life ended otherwise ({}):\n{said}",
            output.status
        );
        self.kills += 1;
        Ended::Killed
    }
}

/// Everything that must hold after a death.
async fn look(database: &Database, found: &mut Found) {
    let rows = Rows::read(database, ROOM).await;
    found.broken.extend(rows.broken(found.acked));
    let durable = database.durable().await;
    let text = durable.text(ROOM).await;
    let past = durable.text_of_the_past(ROOM).await;
    durable.close().await;
    let wanted: String = (1..=rows.head).map(life::token).collect();
    if past != wanted {
        found.broken.push(format!(
            "the archive and the log behind it: head is {}, and together they give {} tokens",
            rows.head,
            past.matches('[').count()
        ));
    }
    if text != wanted {
        found.broken.push(format!(
            "I4: head is {}, and a load gives {} tokens",
            rows.head,
            text.matches('[').count()
        ));
    }
    found.looked_for += usize::try_from(found.acked).expect("a small log");
}

/// The file of a SQLite database, for a life.
fn file_of(folder: &Path) -> String {
    format!("sqlite:{}", folder.join(FILE).display())
}
