//! The real program, stopped by a signal: everything is flushed, clients are told, exit 0.

use std::process::Stdio;
use std::time::{Duration, Instant};

use collab_core::protocol::{Control, Status};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::client::Client;
use crate::server::{PATIENCE, Running, settings};

struct Program {
    child: Child,
    address: std::net::SocketAddr,
}

/// The program with no configuration but this.
fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collab"));
    for (name, _) in std::env::vars() {
        let ours = name.starts_with("COLLAB_");
        if ours || ["DATABASE_URL", "HOST", "PORT"].contains(&name.as_str()) {
            command.env_remove(name);
        }
    }
    command.args(args).kill_on_drop(true).stdin(Stdio::null());
    command
}

async fn start(folder: &TempDir) -> Program {
    let data = folder.path().to_str().expect("a UTF-8 path");
    let mut child = program(&["serve", "--listen", "127.0.0.1:0", "--data-dir", data])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let stdout = child.stdout.take().expect("piped");
    let mut lines = BufReader::new(stdout).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line())
        .await
        .expect("it says that it is ready")
        .expect("readable")
        .expect("one line");
    let address = line
        .strip_prefix("Collab is ready at http://")
        .and_then(|rest| rest.strip_suffix('/'))
        .expect("the line that programs wait for")
        .parse()
        .expect("an address");
    Program { child, address }
}

fn signal(child: &Child, name: &str) {
    let id = child.id().expect("running").to_string();
    let sent = std::process::Command::new("kill")
        .args([name, &id])
        .status();
    assert!(sent.expect("kill exists").success());
}

#[tokio::test]
async fn a_signal_flushes_everything_and_says_so() {
    let folder = TempDir::new().expect("a folder");
    for (name, word, text) in [
        ("-TERM", "first ", "first "),
        ("-INT", "second ", "first second "),
    ] {
        let mut program = start(&folder).await;
        let mut ann = Client::collab(program.address, "r").await;
        let mut ben = Client::plain(program.address, "r").await;
        ann.until_synced().await;
        ann.type_text(word).await;
        // Not waited for: stopping flushes it.
        ben.until_text(text).await;
        signal(&program.child, name);
        let begun = Instant::now();
        assert_eq!(ann.until_closed().await.0, 1012);
        assert_eq!(ben.until_closed().await.0, 1012);
        assert_eq!(ann.saved, ann.sent, "everything was saved before the close");
        assert!(
            ann.statuses
                .iter()
                .any(|status| matches!(status, Status::Draining { .. })),
            "{:?}",
            ann.statuses
        );
        assert!(matches!(ann.controls.last(), Some(Control::Closing { .. })));
        let status = tokio::time::timeout(Duration::from_secs(25), program.child.wait());
        let status = status.await.expect("within 25 s").expect("waited for");
        assert_eq!(status.code(), Some(0), "after {:?}", begun.elapsed());
    }
    let program = start(&folder).await;
    let mut ann = Client::collab(program.address, "r").await;
    ann.until_text("first second ").await;
}

#[tokio::test]
async fn a_second_server_in_the_same_folder_is_refused_with_one_line() {
    let folder = TempDir::new().expect("a folder");
    let first = start(&folder).await;
    let data = folder.path().to_str().expect("a UTF-8 path");
    let second = program(&["serve", "--listen", "127.0.0.1:0", "--data-dir", data]).output();
    let second = second.await.expect("it ran");
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("another server"), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    let mut ann = Client::collab(first.address, "r").await;
    ann.until_synced().await;
}

#[tokio::test]
async fn impossible_configurations_stop_the_start_with_one_line() {
    for (args, variable, says) in [
        (&["serve", "--listen", "nowhere"][..], None, "--listen"),
        (&["serve"], Some(("COLLAB_LISTN", "x")), "COLLAB_LISTN"),
        (
            &["config"],
            Some(("COLLAB_DATABASE_URL", "mysql://secret@x")),
            "--database-url",
        ),
        (
            &["serve"],
            Some(("COLLAB_MAX_CONNECTIONS", "0")),
            "--max-connections",
        ),
        (&["serve", "--log", "a=b=c"], None, "--log"),
    ] {
        let folder = TempDir::new().expect("a folder");
        let mut command = program(args);
        command.current_dir(folder.path());
        if let Some((name, value)) = variable {
            command.env(name, value);
        }
        let refused = command.output().await.expect("it ran");
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(says), "{said}");
        assert!(!said.contains("secret"), "{said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
    }
}

#[tokio::test]
async fn an_env_file_is_read_and_beaten_by_the_environment_and_by_flags() {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(
        folder.path().join(".env"),
        "COLLAB_LISTEN=127.0.0.1:1111\nCOLLAB_LOG=warn\nCOLLAB_AUTO_CREATE=false\nDATABASE_URL=postgres://me:hunter2@db/c\n",
    )
    .expect("a file");
    let mut command = program(&["config", "--listen", "127.0.0.1:3333"]);
    command
        .current_dir(folder.path())
        .env("COLLAB_LOG", "error");
    let shown = command.output().await.expect("it ran");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let value = |name: &str| {
        let line = shown
            .lines()
            .find(|line| line.split_whitespace().next() == Some(name));
        line.map(|line| line[name.len()..].trim().to_owned())
    };
    assert_eq!(
        value("listen").as_deref(),
        Some("127.0.0.1:3333"),
        "{shown}"
    );
    assert_eq!(value("log").as_deref(), Some("error"));
    assert_eq!(value("auto-create").as_deref(), Some("false"));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn while_stopping_nobody_new_is_let_in() {
    let server = Running::start(settings()).await;
    let mut ann = Client::collab(server.address, "r").await;
    let mut ben = Client::plain(server.address, "r").await;
    ann.until_synced().await;
    ann.until_saved().await;
    server.store.hold();
    ann.type_text("x").await;
    ben.until_text("x").await;
    server.order_to_stop();
    let draining = |client: &Client| {
        client
            .statuses
            .iter()
            .any(|status| matches!(status, Status::Draining { .. }))
    };
    ann.until("Draining", draining).await;
    let ready = reqwest::get(server.url("/readyz"))
        .await
        .expect("an answer");
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.headers()["retry-after"], "2");
    let refused = crate::client::request(server.address, "other", &[]);
    assert_eq!(crate::client::refused(refused).await.0, 503);
    assert_eq!(ann.saved, ann.sent - 1, "not saved, so not closed yet");
    server.store.release();
    assert_eq!(ann.until_closed().await.0, 1012);
    assert_eq!(ann.saved, ann.sent);
    assert_eq!(server.stop().await, collab_server::shutdown::Drained::Fully);
}
