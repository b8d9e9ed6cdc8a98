//! The server under test: the real binary, on one port for all its lives. Must not know who
//! connects.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::database::Database;

/// Longest wait for the server to say that it is ready.
const READY: Duration = Duration::from_secs(120);

/// Lines of the server's log that are shown when a campaign fails.
const TAIL_LINES: usize = 40;

/// How a server is started.
#[derive(Debug, Clone)]
pub struct Plan {
    pub database: Database,
    /// A bug put in on purpose.
    pub sabotage: Option<&'static str>,
    /// More arguments for `collab serve`.
    pub arguments: Vec<String>,
    /// The program that runs it, with its arguments, as a tracer; itself when empty.
    pub under: Vec<String>,
}

impl Plan {
    /// Nothing special.
    pub fn on(database: Database) -> Plan {
        Plan {
            database,
            sabotage: None,
            arguments: Vec::new(),
            under: Vec::new(),
        }
    }

    /// With a bug.
    pub fn sabotaged(self, bug: &'static str) -> Plan {
        Plan {
            sabotage: Some(bug),
            ..self
        }
    }
}

/// See the module.
pub struct Server {
    plan: Plan,
    port: u16,
    child: Child,
    http: reqwest::Client,
    /// Its standard error, of all lives.
    log: tempfile::NamedTempFile,
}

impl Server {
    /// Starts it and waits until it is ready.
    pub async fn start(plan: Plan) -> Server {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port on loopback")
            .port();
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        let child = launch(&plan, port, &log).await;
        Server {
            plan,
            port,
            child,
            http: reqwest::Client::new(),
            log,
        }
    }

    /// `HOST:PORT`, the same over all its lives.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `kill -9`.
    pub async fn kill(&mut self) {
        self.child.start_kill().expect("the server was running");
        self.child
            .wait()
            .await
            .expect("the killed server is reaped");
    }

    /// With another bug, or none, from the next life on.
    pub fn sabotage(&mut self, bug: Option<&'static str>) {
        self.plan.sabotage = bug;
    }

    /// The next life.
    pub async fn restart(&mut self) {
        self.child = launch(&self.plan, self.port, &self.log).await;
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

    /// Status and body of a room's main file; an error when the server ended instead of answering.
    pub async fn visit(&self, room: &str) -> reqwest::Result<(u16, String)> {
        let url = format!("http://{}/api/rooms/{room}/files/main", self.address());
        let response = self.http.get(&url).send().await?;
        let status = response.status().as_u16();
        Ok((status, response.text().await?))
    }

    /// Makes a room by visiting it.
    pub async fn make(&self, room: &str) {
        use futures_util::StreamExt as _;
        let url = format!("ws://{}/yjs/{room}", self.address());
        let (mut socket, _) = tokio_tungstenite::connect_async(url)
            .await
            .expect("it opens");
        socket.next().await.expect("a greeting").expect("a frame");
    }

    /// Gives the main file of a room this text, durably.
    pub async fn write(&self, room: &str, text: &str) {
        let url = format!("http://{}/api/rooms/{room}/files/main", self.address());
        let response = self.http.put(&url).body(text.to_owned()).send().await;
        let status = response.expect("the server answers").status();
        assert!(status.is_success(), "{url}: {status}");
    }

    /// Waits until everything that a room has merged is in its log: a program's update, although
    /// there is nothing in it, is answered no sooner.
    pub async fn until_durable(&self, room: &str) {
        const NOTHING: &[u8] = &[0, 0];
        let url = format!("http://{}/api/rooms/{room}/update", self.address());
        let response = self.http.post(&url).body(NOTHING).send().await;
        let status = response.expect("the server answers").status();
        assert!(status.is_success(), "{url}: {status}");
    }

    /// A number of `/metrics`; 0 when it is not there.
    pub async fn metric(&self, name: &str) -> u64 {
        let url = format!("http://{}/metrics", self.address());
        let response = self
            .http
            .get(&url)
            .send()
            .await
            .expect("the server answers");
        let page = response.text().await.expect("a page");
        let line = page.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0, |number| number.trim().parse().expect("a number"))
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.log.path()).expect("a log of ours");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Its process id; of its tracer when it has one.
    pub fn process(&self) -> u32 {
        self.child.id().expect("the server is running")
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) {
        self.child.wait().await.expect("it can be waited for");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let from = lines.len().saturating_sub(TAIL_LINES);
            println!("the server's log ends with:\n{}", lines[from..].join("\n"));
        }
    }
}

async fn launch(plan: &Plan, port: u16, log: &tempfile::NamedTempFile) -> Child {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_collab"));
    let mut command = match plan.under.split_first() {
        Some((program, arguments)) => {
            let mut command = Command::new(program);
            command.args(arguments).arg(binary);
            command
        }
        None => Command::new(binary),
    };
    let log = log.reopen().and_then(|log| {
        use std::io::Seek;
        let mut log = log;
        log.seek(std::io::SeekFrom::End(0))?;
        Ok(log)
    });
    command
        .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
        .args(&plan.arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log.expect("a log of ours"))
        .kill_on_drop(true);
    match &plan.database {
        Database::Sqlite(folder) => command.arg("--data-dir").arg(folder),
        Database::Postgres(url) => command.args(["--database-url", url]),
    };
    if let Some(bug) = plan.sabotage {
        command.env("COLLAB_SABOTAGE", bug);
    }
    let mut child = command.spawn().expect("the server binary starts");
    let stdout = child.stdout.take().expect("its output is piped");
    let mut lines = BufReader::new(stdout).lines();
    let ready = async {
        while let Some(line) = lines.next_line().await.expect("readable output") {
            if line.contains("http://127.0.0.1:") {
                return true;
            }
        }
        false
    };
    let ready = timeout(READY, ready).await;
    assert_eq!(ready, Ok(true), "the server is ready");
    // Its pipe must stay open and be read, or a full one would stop it.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    child
}
