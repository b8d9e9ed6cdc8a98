//! Starts a child that opens a room, and waits for its word or its end. Must not know what a part is
//! good for.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::wire::{GREETING, SURVIVED, Sent};
use crate::storage::Stored;

/// Longest wait for one child. Then it is ended, and counts as dead.
#[cfg(not(feature = "sabotage"))]
const CHILD_WITHIN: Duration = Duration::from_secs(20);
/// Tests wait for it.
#[cfg(feature = "sabotage")]
const CHILD_WITHIN: Duration = Duration::from_secs(3);

/// Signals by which somebody ends a process, whatever it does: hang-up, interrupt, a closed pipe,
/// terminate.
const SIGNALS_FROM_OUTSIDE: [i32; 4] = [1, 2, 13, 15];

/// Bytes of a child's answer that are read.
const MAX_ANSWER_BYTES: u64 = 1 << 10;

/// What became of a child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It opened the room, one way or the other.
    Survived,
    /// It did not live to say so; how it ended.
    Died(String),
    /// There was no child that could have tried; why.
    NotTried(String),
}

/// Has a child open the snapshot and the first `records` of the records.
pub async fn open(stored: &Stored, records: usize) -> Verdict {
    let mut child = match command().and_then(|mut command| command.spawn()) {
        Ok(child) => child,
        Err(error) => return Verdict::NotTried(format!("a child cannot be started: {error}")),
    };
    let parts = parts(stored, records);
    let answered = timeout(CHILD_WITHIN, talk(&mut child, parts)).await;
    match answered {
        Ok(Ok((said, status))) => judge(&said, status),
        Ok(Err(error)) => Verdict::NotTried(format!("a child cannot be spoken to: {error}")),
        Err(_) => {
            // Reaped here or by the runtime; it does not matter by whom.
            let _: std::io::Result<()> = child.kill().await;
            Verdict::Died(format!("it took longer than {} s", CHILD_WITHIN.as_secs()))
        }
    }
}

fn judge(said: &str, status: ExitStatus) -> Verdict {
    match said.strip_prefix(GREETING) {
        Some(SURVIVED) if status.success() => Verdict::Survived,
        // It ended by itself: it could not begin.
        Some(_) if status.code().is_some() => {
            Verdict::NotTried(format!("a child gave up: {status}"))
        }
        Some(_)
            if status
                .signal()
                .is_some_and(|it| SIGNALS_FROM_OUTSIDE.contains(&it)) =>
        {
            Verdict::NotTried(format!("a child was stopped: {status}"))
        }
        Some(_) => Verdict::Died(status.to_string()),
        None => Verdict::NotTried(format!("a child did not begin: {status}")),
    }
}

fn parts(stored: &Stored, records: usize) -> Vec<Sent> {
    let snapshot = stored.snapshot.iter();
    let snapshot = snapshot.map(|it| Sent::Snapshot(it.seq, it.state.clone()));
    let taken = stored.records.iter().take(records);
    let taken = taken.map(|(seq, record)| Sent::Record(*seq, record.clone()));
    let left_out = stored.damage.first().map(|_| Sent::LeftOut);
    snapshot.chain(left_out).chain(taken).collect()
}

async fn talk(child: &mut Child, parts: Vec<Sent>) -> std::io::Result<(String, ExitStatus)> {
    if let Some(mut into) = child.stdin.take() {
        for part in parts {
            let written = async {
                into.write_all(&part.head()).await?;
                into.write_all(part.body()).await
            };
            if written.await.is_err() {
                // It ended; how, is asked below.
                break;
            }
        }
    }
    let mut said = String::new();
    if let Some(out) = child.stdout.take() {
        out.take(MAX_ANSWER_BYTES).read_to_string(&mut said).await?;
    }
    Ok((said, child.wait().await?))
}

/// This program, as a child that opens a room.
fn command() -> std::io::Result<Command> {
    // On Linux what runs here, even when the file has been replaced since.
    let program = match cfg!(target_os = "linux") {
        true => "/proc/self/exe".into(),
        false => std::env::current_exe()?,
    };
    let mut command = Command::new(program);
    command
        .arg("open-room")
        // It needs none of our secrets, and must not write what it stumbles over into our log.
        .env_clear()
        // A Ctrl+C in the terminal is for the server, not for what it is finding out.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    #[cfg(feature = "sabotage")]
    if let Some(bug) = std::env::var_os("COLLAB_SABOTAGE") {
        command.env("COLLAB_SABOTAGE", bug);
    }
    Ok(command)
}
