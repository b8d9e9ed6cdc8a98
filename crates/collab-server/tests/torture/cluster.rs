//! A Postgres of a campaign's own, which may be stopped as in a crash and started again. Must not
//! know who uses it.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// Longest wait for it to start, recovery after a crash included, or to stop.
const PATIENCE: Duration = Duration::from_secs(120);

/// Connections that a campaign may hold.
const MAX_CONNECTIONS: u32 = 50;

/// See the module. Stopped and removed when dropped.
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    owner: Option<(u32, u32)>,
    port: u16,
    /// Settings of its own, as `fsync=off`.
    settings: Vec<String>,
    postmaster: Option<Child>,
}

impl Cluster {
    /// A new one, durable as it comes, on a free port of this machine.
    pub async fn start() -> Cluster {
        Cluster::start_with(&[]).await
    }

    /// A new one with these settings, as `fsync=off`.
    pub async fn start_with(settings: &[&str]) -> Cluster {
        let mut cluster = Cluster::make().await;
        cluster.settings = settings.iter().map(|it| (*it).to_owned()).collect();
        cluster.start_again().await;
        cluster
    }

    /// The same, not running.
    async fn make() -> Cluster {
        let programs = std::env::var("COLLAB_TEST_PG_BIN")
            .expect("COLLAB_TEST_PG_BIN names the folder of PostgreSQL's programs; `cargo xtask test` sets it");
        let owner = owner();
        let folder = tempfile::tempdir().expect("a temporary folder");
        if let Some((user, group)) = owner {
            chown(folder.path(), Some(user), Some(group)).expect("the folder can be given away");
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port on loopback")
            .port();
        let cluster = Cluster {
            folder,
            programs: programs.into(),
            owner,
            port,
            settings: Vec::new(),
            postmaster: None,
        };
        let mut initdb = cluster.command("initdb");
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]);
        initdb.args(["--no-sync", "--no-instructions"]);
        run(initdb).await;
        cluster
    }

    /// Where a superuser may connect without a password.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its folder `data` is.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// One of PostgreSQL's own programs.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// The program that serves, with its arguments, run by whoever may run it.
    pub fn serving(&self) -> Vec<String> {
        let data = self.folder.path().join("data");
        let words = [
            self.program("postgres").display().to_string(),
            "-D".to_owned(),
            data.display().to_string(),
            "-h".to_owned(),
            "127.0.0.1".to_owned(),
            "-p".to_owned(),
            self.port.to_string(),
            "-c".to_owned(),
            "unix_socket_directories=".to_owned(),
            "-c".to_owned(),
            format!("max_connections={MAX_CONNECTIONS}"),
        ];
        let settings = self.settings.iter();
        let settings = settings.flat_map(|it| ["-c".to_owned(), it.clone()]);
        words.into_iter().chain(settings).collect()
    }

    /// Who must run its programs, when we may not.
    pub fn owner(&self) -> Option<(u32, u32)> {
        self.owner
    }

    /// Starts it and waits until it answers.
    pub async fn start_again(&mut self) {
        let serving = self.serving();
        let mut command = Command::new(&serving[0]);
        command.args(&serving[1..]);
        self.as_owner(&mut command);
        let log = std::fs::File::options()
            .append(true)
            .create(true)
            .open(self.folder.path().join("log"))
            .expect("a log of ours");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        self.postmaster = Some(command.spawn().expect("PostgreSQL starts"));
        self.until_ready().await;
    }

    /// Waits until it answers.
    pub async fn until_ready(&self) {
        let ready = async {
            while tokio_postgres::connect(&self.url(), tokio_postgres::NoTls)
                .await
                .is_err()
            {
                sleep(Duration::from_millis(50)).await;
            }
        };
        let ready = timeout(PATIENCE, ready).await;
        assert!(ready.is_ok(), "PostgreSQL answers again\n{}", self.log());
    }

    /// As in a crash: no process of it finishes what it does. Recovery follows at the next start.
    pub async fn stop_immediately(&mut self) {
        self.stop("immediate").await;
    }

    /// From its next start on it is a standby, as a base backup of a primary is started.
    pub fn make_standby(&self) {
        let signal = self.folder.path().join("data/standby.signal");
        std::fs::write(signal, "").expect("a folder of ours");
    }

    /// In order.
    pub async fn stop_in_order(&mut self) {
        self.stop("fast").await;
    }

    async fn stop(&mut self, mode: &str) {
        let mut stop = self.command("pg_ctl");
        stop.args(["stop", "-w", "-m", mode]);
        // Who reaps the postmaster must do it while `pg_ctl` waits for it to be gone.
        let reaped = async {
            if let Some(postmaster) = &mut self.postmaster {
                postmaster.wait().await.expect("PostgreSQL is reaped");
            }
        };
        timeout(PATIENCE, async { tokio::join!(run(stop), reaped) })
            .await
            .expect("PostgreSQL stops");
        self.postmaster = None;
    }

    /// The end of its log, for who asks why.
    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.program(program));
        command
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        self.as_owner(&mut command);
        command
    }

    fn as_owner(&self, command: &mut Command) {
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        // When a campaign fails, nothing of it stays behind.
        command.current_dir(self.folder.path()).kill_on_drop(true);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A campaign that failed may have left it running below a tracer, where nobody else ends it.
        let data = self.folder.path().join("data");
        if data.join("postmaster.pid").exists() {
            let mut stop = std::process::Command::new(self.program("pg_ctl"));
            stop.args(["stop", "-m", "immediate", "-D"]).arg(data);
            if let Some((user, group)) = self.owner {
                std::os::unix::process::CommandExt::uid(&mut stop, user);
                std::os::unix::process::CommandExt::gid(&mut stop, group);
            }
            // What cannot be stopped was gone.
            let _ = stop.current_dir(self.folder.path()).output();
        }
    }
}

async fn run(mut command: Command) {
    let status = command
        .status()
        .await
        .expect("a program of PostgreSQL runs");
    assert!(status.success(), "{command:?} ended with {status}");
}

/// PostgreSQL refuses to run as root; then it must run as its own user, or as nobody.
fn owner() -> Option<(u32, u32)> {
    let us = std::fs::metadata("/proc/self")
        .expect("this is Linux")
        .uid();
    if us != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("there are users");
    let of = |wanted: &str| {
        users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, user, group, ..] = fields[..] else {
                return None;
            };
            (name == wanted).then(|| Some((user.parse().ok()?, group.parse().ok()?)))?
        })
    };
    Some(
        of("postgres").or_else(|| of("nobody")).expect(
            "PostgreSQL does not run as root, and there is neither a user postgres nor nobody",
        ),
    )
}
