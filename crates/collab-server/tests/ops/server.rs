//! The real server on a database, until it is told to stop. Must not know who writes.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use crate::program::command;

/// Longest wait for the server to say that it is ready.
const READY: Duration = Duration::from_secs(60);

/// See the module.
pub struct Server {
    child: Child,
    address: String,
    /// Its working folder, empty.
    _folder: tempfile::TempDir,
}

impl Server {
    /// Starts it on a free port and waits until it is ready.
    pub async fn start(database: &str) -> Server {
        let folder = tempfile::tempdir().expect("a folder");
        let flags = ["serve", "--listen", "127.0.0.1:0", "--log", "warn"];
        let mut command = command(folder.path(), &flags);
        command.args(["--database-url", database]);
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        let said = tokio::time::timeout(READY, out.read_line(&mut line)).await;
        said.expect("ready within a minute").expect("text");
        let address = line
            .trim()
            .strip_prefix("Collab is ready at http://")
            .unwrap_or_else(|| panic!("{line:?}"))
            .trim_end_matches('/')
            .to_owned();
        Server {
            child,
            address,
            _folder: folder,
        }
    }

    /// `HOST:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The text of a room's main file, as a program reads it.
    pub async fn text(&self, room: &str) -> String {
        let url = format!("http://{}/api/rooms/{room}/files/main", self.address);
        let answer = reqwest::get(&url).await.expect("the server answers");
        assert_eq!(answer.status(), 200, "{url}");
        answer.text().await.expect("text")
    }

    /// Ends it.
    pub async fn stop(mut self) {
        self.child.kill().await.expect("the server was running");
    }
}
