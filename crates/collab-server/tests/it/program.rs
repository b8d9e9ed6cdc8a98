//! The program itself, with flags and a database file: what a server inside this process cannot
//! show.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::client::Client;
use crate::server::PATIENCE;

/// The program in an empty folder, without this process's own settings.
fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collab"));
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.to_string_lossy().starts_with("COLLAB_")) {
        command.env_remove(name);
    }
    command
        .env_remove("DATABASE_URL")
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

struct Program {
    /// Ends with this.
    _child: Child,
    /// Where it says that it is, as in `http://127.0.0.1:8000/`.
    url: String,
}

impl Program {
    async fn serve(folder: &Path, arguments: &[&str]) -> Program {
        let mut command = program(folder, &["serve", "--listen", "127.0.0.1:0"]);
        command.args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let out = child.stdout.take().expect("piped");
        let mut line = String::new();
        let mut out = BufReader::new(out);
        let said = tokio::time::timeout(PATIENCE, out.read_line(&mut line)).await;
        said.expect("it starts in time").expect("text");
        let url = line.trim().strip_prefix("Collab is ready at ");
        Program {
            url: url.unwrap_or_else(|| panic!("{line:?}")).to_owned(),
            _child: child,
        }
    }

    fn address(&self) -> SocketAddr {
        let rest = self.url.strip_prefix("http://").expect("an address");
        let (address, _) = rest.split_once('/').expect("a path");
        address.parse().expect("an address")
    }

    async fn get(&self, path: &str) -> String {
        let answer = reqwest::get(format!("{}{path}", self.url)).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.expect("text")
    }
}

#[tokio::test]
async fn the_page_of_a_folder_answers_below_the_base_path() {
    let folder = TempDir::new().expect("a folder");
    let page = folder.path().join("page");
    std::fs::create_dir(&page).expect("a folder");
    std::fs::write(page.join("index.html"), "<base href=\"/\" />mine").expect("a file");
    let flags = ["--page-dir", "page", "--base-path", "/tools/collab/"];
    let program = Program::serve(folder.path(), &flags).await;
    assert!(program.url.ends_with("/tools/collab/"), "{}", program.url);
    let html = program.get("room/x").await;
    assert_eq!(html, "<base href=\"/tools/collab/\" />mine");
}

/// One number for "how long until Saved": each record counts once.
#[tokio::test]
async fn a_commit_is_measured_once() {
    let folder = TempDir::new().expect("a folder");
    let program = Program::serve(folder.path(), &[]).await;
    let mut ann = Client::collab(program.address(), "r").await;
    ann.until_synced().await;
    for _ in 0..3 {
        ann.type_text("x").await;
        ann.until_saved().await;
    }
    let metrics = program.get("metrics").await;
    let number = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name} in {metrics}"))
            .trim()
            .to_owned()
    };
    assert_eq!(number("collab_commit_seconds_count"), "3");
    for name in ["collab_commit_seconds", "collab_commit_records"] {
        assert!(
            metrics.contains(&format!("# HELP {name} ")),
            "{name} is explained: {metrics}"
        );
    }
}

#[tokio::test]
async fn migrating_says_in_one_line_what_it_did() {
    let folder = TempDir::new().expect("a folder");
    let all = collab_server::storage::migrate::SQLITE.len();
    for says in [
        format!("sqlite:data/collab.db: {all} migrations applied, now at version {all}\n"),
        format!("sqlite:data/collab.db: up to date at version {all}\n"),
    ] {
        let done = program(folder.path(), &["migrate"]).output().await;
        let done = done.expect("it runs");
        assert!(done.status.success(), "{done:?}");
        assert_eq!(String::from_utf8_lossy(&done.stdout), says);
    }
}
