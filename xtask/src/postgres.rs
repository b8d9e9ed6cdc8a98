//! A real PostgreSQL for tests: fresh, on a free port of this machine, gone with us.
//!
//! It runs with its durability on, because the server refuses a database that lies about `fsync`.
//! Must not know what the tests do with it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// Connections all tests together may hold.
const MAX_CONNECTIONS: u32 = 300;

/// Starts the database, says `ready`, and waits for its standard input to end. That happens when we
/// close it and also when we die of whatever cause, so even `kill -9` leaves no database behind. The
/// folder is the first argument, PostgreSQL's programs the second, its options the third.
const GUARD: &str = r#"
trap '' HUP INT TERM
cd "$1" || exit 1
"$2/initdb" -D data -U postgres -A trust -E UTF8 --locale=C --no-sync --no-instructions >>log 2>&1 &&
"$2/pg_ctl" start -D data -w -t 60 -l log -o "$3" >>log 2>&1 &&
echo ready || echo failed
read -r _
"$2/pg_ctl" stop -D data -w -t 20 -m fast >>log 2>&1 || "$2/pg_ctl" stop -D data -w -m immediate >>log 2>&1
cd / && rm -rf "$1"
"#;

/// A running database; stopped and removed when dropped.
pub struct Postgres {
    guard: Child,
    /// Where a superuser may connect without a password.
    pub url: String,
}

impl Postgres {
    /// Starts a database with the programs in `programs`. Ready when this returns.
    pub fn start(programs: &Path) -> Result<Self> {
        let owner = owner()?;
        let folder = make_folder(owner)?;
        // Free now; if somebody takes it before PostgreSQL does, the start fails and says so.
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let options = format!(
            "-h 127.0.0.1 -p {port} -c unix_socket_directories='' -c max_connections={MAX_CONNECTIONS} \
             -c fsync=on -c full_page_writes=on -c synchronous_commit=on"
        );
        let mut command = Command::new("sh");
        command
            .args(["-c", GUARD, "collab-test-postgres"])
            .arg(&folder)
            .arg(programs)
            .arg(options);
        // Its own group: Ctrl+C ends us, and our end is what it waits for.
        command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some((uid, gid)) = owner {
            command.uid(uid).gid(gid);
        }
        let mut guard = command.spawn().context("while starting PostgreSQL")?;
        let mut answer = String::new();
        if let Some(stdout) = guard.stdout.take() {
            BufReader::new(stdout).read_line(&mut answer)?;
        }
        let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
        let started = Self {
            guard,
            url: format!("postgres://postgres@127.0.0.1:{port}/postgres"),
        };
        if answer.trim() != "ready" {
            bail!(
                "PostgreSQL did not start; its log ends with:\n{}",
                tail(&log)
            );
        }
        Ok(started)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        self.guard.wait().ok();
    }
}

/// PostgreSQL refuses to run as root; then it must run as its own user, or as nobody.
fn owner() -> Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").context("while looking for the user postgres")?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| user(&users, name))
        .map(Some)
        .context("PostgreSQL does not run as root, and /etc/passwd has neither postgres nor nobody")
}

/// Number and group of a user in the format of `/etc/passwd`.
fn user(passwd: &str, name: &str) -> Option<(u32, u32)> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some((uid, gid))
    })
}

fn make_folder(owner: Option<(u32, u32)>) -> Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("collab-test-postgres-{}", std::process::id()));
    fs::create_dir(&folder).with_context(|| format!("while making {}", folder.display()))?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
    if let Some((uid, gid)) = owner {
        chown(&folder, Some(uid), Some(gid))?;
    }
    Ok(folder)
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines
        .get(lines.len().saturating_sub(10)..)
        .unwrap_or(&lines)
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_from_passwd() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgres:x:101:104:PostgreSQL:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(user(passwd, "postgres"), Some((101, 104)));
        assert_eq!(user(passwd, "post"), None);
    }
}
