//! The page: installs its packages, builds it, runs its npm scripts.
//!
//! Knows the names of the scripts in `web/package.json` and where the build lands; must not know what
//! is in the page.

use std::ffi::OsString;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::step::{Note, Report};
use crate::toolchain;
use crate::workspace::{Workspace, fingerprint};

/// A copy of the lock file that `node_modules` was installed from.
const INSTALLED_LOCK: &str = "node_modules/.installed-package-lock.json";

const INSTALL_LIMIT: Duration = Duration::from_secs(15 * 60);
const BUILD_LIMIT: Duration = Duration::from_secs(10 * 60);

pub fn install(workspace: &Workspace, report: &mut Report) -> Result<()> {
    report.quiet("look for Node", toolchain::check_node)?;
    report.quiet("install the page's packages", || {
        install_packages(workspace)
    })
}

pub fn build(workspace: &Workspace, report: &mut Report) -> Result<()> {
    report.quiet("build the page", || build_page(workspace))
}

/// `npm ci`, unless `node_modules` was installed from this very lock file.
pub fn install_packages(workspace: &Workspace) -> Result<Note> {
    let lock = fs::read(workspace.web().join("package-lock.json"))
        .context("web/package-lock.json cannot be read: the checkout is not complete")?;
    let installed = workspace.web().join(INSTALLED_LOCK);
    if fs::read(&installed).is_ok_and(|found| found == lock) {
        return Ok("unchanged");
    }
    let mut command = npm(workspace);
    command.args(["ci", "--no-audit", "--no-fund"]);
    process::capture(&mut command, INSTALL_LIMIT)
        .context("npm could not install the page's packages; is its registry reachable?")?;
    fs::write(&installed, &lock)
        .with_context(|| format!("while writing {}", installed.display()))?;
    Ok("")
}

/// `npm run build` into `web/dist`, unless nothing that goes into the page has changed.
pub fn build_page(workspace: &Workspace) -> Result<Note> {
    let web = workspace.web();
    let print = fingerprint(
        std::slice::from_ref(&web),
        &["node_modules", "dist", "tests"],
    )?;
    let index = web.join("dist").join("index.html");
    if workspace.is_fresh("page", print) && index.is_file() {
        return Ok("unchanged");
    }
    process::capture(npm(workspace).args(["run", "build"]), BUILD_LIMIT)?;
    if !index.is_file() {
        bail!("`npm run build` succeeded but left no {}", index.display());
    }
    workspace.mark_fresh("page", print)?;
    Ok("")
}

/// Becomes vite's development server.
pub fn dev(workspace: &Workspace, report: &Report, args: &[OsString]) -> Result<()> {
    report.finish();
    eprintln!("\n▸ the page with hot reload; start the server beside it with `cargo xtask serve`");
    process::become_program(npm(workspace).args(["run", "dev", "--"]).args(args))
}

/// The npm script `name` as a command, or a clear line when `web/package.json` has none of that name.
pub fn script(workspace: &Workspace, name: &str) -> Result<Command> {
    let manifest = workspace.web().join("package.json");
    let text = fs::read_to_string(&manifest)
        .with_context(|| format!("while reading {}", manifest.display()))?;
    let manifest: serde_json::Value =
        serde_json::from_str(&text).context("web/package.json is not JSON")?;
    if manifest.pointer(&format!("/scripts/{name}")).is_none() {
        bail!("web/package.json has no script \"{name}\"");
    }
    let mut command = npm(workspace);
    command.args(["run", "--silent", name]);
    Ok(command)
}

fn npm(workspace: &Workspace) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(workspace.web());
    // npm would otherwise look for a newer self over the network and mix that into the output.
    command.env("NPM_CONFIG_UPDATE_NOTIFIER", "false");
    command
}
