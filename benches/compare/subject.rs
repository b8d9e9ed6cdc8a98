//! The servers that are compared: how each is started, on which core, and when it is ready. Must not
//! know what is measured.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// The core that servers have for themselves.
const SERVER_CORE: &str = "0";

/// The core of the load generator.
const LOAD_CORE: &str = "1";

/// From starting to the first answer.
const START_LIMIT: Duration = Duration::from_secs(20);

/// From being asked to end to having ended.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Ours, with everything on: SQLite, `synchronous=FULL`, gate and guard; spoken to in `collab.v1`.
    Collab,
    /// Ours, spoken to as `y-websocket` speaks.
    CollabYjs,
    /// A WebSocket broadcaster on tokio without document or storage.
    Ceiling,
    /// `@hocuspocus/server`.
    Hocuspocus,
    /// `@y/websocket-server` with LevelDB.
    YWebsocket,
}

impl Subject {
    pub fn title(self) -> &'static str {
        match self {
            Subject::Collab => "Collab",
            Subject::CollabYjs => "Collab, plain y-websocket",
            Subject::Ceiling => "ceiling",
            Subject::Hocuspocus => "Hocuspocus",
            Subject::YWebsocket => "y-websocket server",
        }
    }

    pub fn is_peer(self) -> bool {
        matches!(self, Subject::Hocuspocus | Subject::YWebsocket)
    }

    fn dialect(self) -> &'static str {
        match self {
            Subject::Collab => "collab",
            Subject::CollabYjs | Subject::Ceiling | Subject::YWebsocket => "yjs",
            Subject::Hocuspocus => "hocuspocus",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Subject::Collab | Subject::CollabYjs => "/yjs",
            Subject::Ceiling | Subject::Hocuspocus | Subject::YWebsocket => "",
        }
    }
}

/// Where the programs are.
pub struct Programs {
    ours: PathBuf,
    peers: Option<PathBuf>,
}

/// A server that runs; killed when it is dropped.
pub struct Server {
    subject: Subject,
    child: Child,
    address: SocketAddr,
    data: PathBuf,
    keep_data: bool,
}

impl Programs {
    /// Errors when one of ours is missing.
    pub fn find(ours: &Path, peers: Option<&Path>) -> Result<Programs> {
        for name in ["collab", "collab-load", "collab-ceiling"] {
            let program = ours.join(name);
            ensure!(
                program.is_file(),
                "{} is missing: build it with `cargo build --release`",
                program.display()
            );
        }
        Ok(Programs {
            ours: ours.to_owned(),
            peers: peers.map(Path::to_owned),
        })
    }

    pub fn have(&self, subject: Subject) -> bool {
        !subject.is_peer() || self.peers.is_some()
    }

    /// Version of a peer, as its package says.
    pub fn version(&self, package: &str) -> Option<String> {
        let manifest = self
            .peers
            .as_ref()?
            .join("node_modules")
            .join(package)
            .join("package.json");
        let manifest: Value = serde_json::from_str(&fs::read_to_string(manifest).ok()?).ok()?;
        manifest["version"].as_str().map(str::to_owned)
    }

    /// Starts a server with an empty folder and waits until it answers.
    pub fn start(&self, subject: Subject, arguments: &[&str]) -> Result<Server> {
        let data = std::env::temp_dir().join(format!(
            "collab-compare-{}-{}",
            std::process::id(),
            free_port()?
        ));
        fs::create_dir_all(&data).with_context(|| format!("while making {}", data.display()))?;
        self.start_in(subject, arguments, data)
    }

    fn start_in(&self, subject: Subject, arguments: &[&str], data: PathBuf) -> Result<Server> {
        let port = free_port()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut command = Command::new("taskset");
        command.args(["-c", SERVER_CORE]);
        match subject {
            Subject::Collab | Subject::CollabYjs => {
                command
                    .arg(self.ours.join("collab"))
                    .args(["serve", "--listen"])
                    .arg(address.to_string())
                    .arg("--data-dir")
                    .arg(&data)
                    .args(arguments);
            }
            Subject::Ceiling => {
                command
                    .arg(self.ours.join("collab-ceiling"))
                    .arg("--listen")
                    .arg(address.to_string());
            }
            Subject::Hocuspocus => {
                let peers = self.peers.as_ref().context("no peers")?;
                command
                    .args(["node", "hocuspocus.mjs"])
                    .arg(port.to_string())
                    .current_dir(peers);
            }
            Subject::YWebsocket => {
                let peers = self.peers.as_ref().context("no peers")?;
                command
                    .args(["node", "node_modules/@y/websocket-server/src/server.js"])
                    .current_dir(peers)
                    .env("HOST", "127.0.0.1")
                    .env("PORT", port.to_string())
                    .env("YPERSISTENCE", data.join("level"));
            }
        }
        let log = fs::File::create(data.join("log"))?;
        let child = command
            .env("NODE_ENV", "production")
            .env_remove("DATABASE_URL")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("while starting `taskset` (util-linux)")?;
        let mut server = Server {
            subject,
            child,
            address,
            data,
            keep_data: false,
        };
        let until = Instant::now() + START_LIMIT;
        while TcpStream::connect(address).is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!("{} ended with {status}: {}", subject.title(), server.log());
            }
            ensure!(
                Instant::now() < until,
                "{} does not answer: {}",
                subject.title(),
                server.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Runs one scenario and returns what it printed.
    pub fn load(&self, server: &Server, scenario: &[&str], seconds: f64) -> Result<Value> {
        let subject = server.subject;
        let mut command = Command::new("taskset");
        command
            .args(["-c", LOAD_CORE])
            .arg(self.ours.join("collab-load"))
            .arg("--url")
            .arg(format!("ws://{}{}", server.address, subject.path()))
            .args(["--dialect", subject.dialect(), "--server-pid"])
            // `taskset` becomes the server: it has its number.
            .arg(server.child.id().to_string())
            .args(["--seconds", &seconds.to_string()]);
        if subject == Subject::Ceiling {
            command.arg("--relay");
        }
        let output = command
            .args(scenario)
            .output()
            .context("while running collab-load")?;
        let printed = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.status.success(),
            "{}: {}{printed}{}",
            subject.title(),
            String::from_utf8_lossy(&output.stderr),
            server.log()
        );
        serde_json::from_str(printed.trim()).context("while reading what collab-load printed")
    }
}

impl Server {
    /// Ends it and starts it again on the data it left.
    pub fn restart(mut self, programs: &Programs, arguments: &[&str]) -> Result<Server> {
        self.keep_data = true;
        let (subject, data) = (self.subject, self.data.clone());
        self.stop()?;
        programs.start_in(subject, arguments, data)
    }

    /// Asks it to end, and kills it when it does not.
    pub fn stop(mut self) -> Result<()> {
        Command::new("kill")
            .arg(self.child.id().to_string())
            .status()
            .context("while running `kill`")?;
        let until = Instant::now() + STOP_LIMIT;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > until {
                bail!("{} does not end", self.subject.title());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The end of what it said.
    fn log(&self) -> String {
        let log = fs::read_to_string(self.data.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(10).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already where all went well.
        self.child.kill().ok();
        self.child.wait().ok();
        if !self.keep_data {
            fs::remove_dir_all(&self.data).ok();
        }
    }
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
