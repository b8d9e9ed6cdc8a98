//! Finds programs that tests need and that cargo and npm do not bring; installs them with apt-get
//! when that is possible without asking anyone.
//!
//! Must not know what the programs are used for.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::step::Note;

/// Chromium is some 350 MB.
const INSTALL_LIMIT: Duration = Duration::from_secs(20 * 60);

/// A program and the Debian package it comes in.
pub struct Needed {
    pub package: &'static str,
    pub find: fn() -> Option<PathBuf>,
}

/// The folder of PostgreSQL's own programs (`postgres`, `initdb`, `pg_ctl`).
pub const POSTGRES: Needed = Needed {
    package: "postgresql",
    find: find_postgres,
};

/// The browser that most tests of the page drive.
pub const CHROMIUM: Needed = Needed {
    package: "chromium",
    find: find_chromium,
};

/// The other browser. Not `firefox`, which Debian's stable release does not have.
pub const FIREFOX: Needed = Needed {
    package: "firefox-esr",
    find: find_firefox,
};

/// Watches a program's system calls: what the campaigns see from outside.
pub const STRACE: Needed = Needed {
    package: "strace",
    find: || in_path("strace"),
};

/// Makes sure that all of these are there. Without the right to install, the one line of the error
/// says what to type.
pub fn ensure(needed: &[Needed]) -> Result<Note> {
    let missing: Vec<&str> = needed
        .iter()
        .filter(|program| (program.find)().is_none())
        .map(|program| program.package)
        .collect();
    if missing.is_empty() {
        return Ok("present");
    }
    let names = missing.join(" ");
    let may_install = rustix::process::geteuid().is_root() && in_path("apt-get").is_some();
    if !may_install {
        bail!(
            "missing on this machine: {names}. On Debian: `sudo apt-get install --no-install-recommends {names}`"
        );
    }
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
        process::capture(&mut command, INSTALL_LIMIT)
    };
    apt(&["update"]).context("while refreshing the list of packages")?;
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(&missing);
    apt(&install).with_context(|| format!("while installing {names}"))?;
    for program in needed {
        if (program.find)().is_none() {
            bail!(
                "apt-get installed {} but its program cannot be found",
                program.package
            );
        }
    }
    Ok("installed")
}

/// The newest of Debian's installations, then whatever `pg_config` or the path leads to.
fn find_postgres() -> Option<PathBuf> {
    let complete = |folder: &Path| {
        ["postgres", "initdb", "pg_ctl"]
            .iter()
            .all(|name| folder.join(name).is_file())
    };
    let mut installed: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, folder)| complete(folder))
        .collect();
    installed.sort();
    if let Some((_, folder)) = installed.pop() {
        return Some(folder);
    }
    let by_path = in_path("postgres").and_then(|program| program.canonicalize().ok());
    let beside = by_path.and_then(|program| program.parent().map(Path::to_path_buf));
    let asked = process::ask("pg_config", &["--bindir"]).map(PathBuf::from);
    beside
        .into_iter()
        .chain(asked)
        .find(|folder| complete(folder))
}

fn find_chromium() -> Option<PathBuf> {
    [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ]
    .iter()
    .find_map(|name| in_path(name))
}

fn find_firefox() -> Option<PathBuf> {
    ["firefox-esr", "firefox"]
        .iter()
        .find_map(|name| in_path(name))
}

fn in_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}
