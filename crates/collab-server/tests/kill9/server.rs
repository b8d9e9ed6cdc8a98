//! The server under test: the real binary, on one port for all its lives. Must not know who
//! connects.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Longest wait for the server to say that it is ready.
const READY: Duration = Duration::from_secs(60);

/// Where a campaign keeps its rooms.
pub enum Database {
    /// A folder.
    Sqlite(PathBuf),
    /// A database of its own.
    Postgres(String),
}

impl Database {
    /// A new database on the throw-away Postgres of the test command.
    pub async fn fresh_postgres() -> Database {
        let url = std::env::var("COLLAB_TEST_POSTGRES_URL").expect(
            "COLLAB_TEST_POSTGRES_URL names a throw-away Postgres; `cargo xtask test` starts one",
        );
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
            .await
            .expect("the throw-away Postgres answers");
        let running = tokio::spawn(connection);
        let name = format!("kill9_{:016x}", rand::random::<u64>());
        client
            .batch_execute(&format!("create database {name}"))
            .await
            .expect("a superuser may create databases");
        drop(client);
        running
            .await
            .expect("the connection task ends")
            .expect("the connection ends cleanly");
        let (server, _) = url.rsplit_once('/').expect("the URL names a database");
        Database::Postgres(format!("{server}/{name}"))
    }
}

/// See the module.
pub struct Server {
    database: Database,
    sabotage: Option<String>,
    port: u16,
    child: Child,
    http: reqwest::Client,
}

impl Server {
    /// Starts it and waits until it is ready.
    pub async fn start(database: Database, sabotage: Option<&str>) -> Server {
        let sabotage = sabotage.map(str::to_owned);
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port on loopback")
            .port();
        let child = launch(&database, sabotage.as_deref(), port).await;
        Server {
            database,
            sabotage,
            port,
            child,
            http: reqwest::Client::new(),
        }
    }

    /// `HOST:PORT`, the same over all its lives.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.start_kill().expect("the server was running");
    }

    /// The next life.
    pub async fn restart(&mut self) {
        self.child
            .wait()
            .await
            .expect("the killed server is reaped");
        self.child = launch(&self.database, self.sabotage.as_deref(), self.port).await;
    }

    /// The text of a room's main file, as a program reads it.
    pub async fn text(&self, room: &str) -> String {
        let url = format!("http://{}/api/rooms/{room}/files/main", self.address());
        let response = self
            .http
            .get(&url)
            .send()
            .await
            .expect("the server answers");
        let status = response.status();
        let body = response.text().await.expect("a body");
        if status == reqwest::StatusCode::NOT_FOUND {
            // Nobody's first edit had reached the disk.
            return String::new();
        }
        assert!(status.is_success(), "{url}: {status} {body}");
        body
    }

    /// Ends it.
    pub async fn stop(mut self) {
        self.child.kill().await.expect("the server was running");
    }
}

async fn launch(database: &Database, sabotage: Option<&str>, port: u16) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collab"));
    command
        .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    match database {
        Database::Sqlite(folder) => command.arg("--data-dir").arg(folder),
        Database::Postgres(url) => command.args(["--database-url", url]),
    };
    if let Some(bug) = sabotage {
        command.env("COLLAB_SABOTAGE", bug);
    }
    let mut child = command.spawn().expect("the server binary starts");
    let stdout = child.stdout.take().expect("its output is piped");
    let mut lines = BufReader::new(stdout).lines();
    let ready = async {
        while let Some(line) = lines.next_line().await.expect("readable output") {
            if line.contains("http://127.0.0.1:") {
                return;
            }
        }
        panic!("the server ended before it was ready");
    };
    timeout(READY, ready).await.expect("ready within a minute");
    // Its pipe must stay open and be read, or a full one would stop it.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    child
}
