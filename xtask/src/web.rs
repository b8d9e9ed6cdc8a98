//! The page: installs its packages, builds it, runs its npm scripts.
//!
//! Knows the names of the scripts in `web/package.json` and where the build lands; must not know what
//! is in the page.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
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

/// The name of the program and of its folders.
const Y_SWEET_STORE: &str = "y-sweet-store";

/// A folder with its own `package.json` and lock file.
#[derive(Clone, Copy)]
pub enum Packages {
    /// What the page is made of and built with.
    Page,
    /// The published clients that talk to our server in tests, and yjs as a judge of our document.
    Interop,
    /// Other servers, to be measured beside ours.
    Peers,
}

impl Packages {
    fn folder(self, workspace: &Workspace) -> PathBuf {
        match self {
            Self::Page => workspace.web(),
            Self::Interop => workspace.web().join("tests").join("interop"),
            Self::Peers => workspace.peers(),
        }
    }
}

pub fn install(workspace: &Workspace, report: &mut Report) -> Result<()> {
    report.quiet("look for Node", toolchain::check_node)?;
    report.quiet("install the page's packages", || {
        install_packages(workspace, Packages::Page)
    })
}

pub fn build(workspace: &Workspace, report: &mut Report) -> Result<()> {
    report.quiet("build the page", || build_page(workspace))
}

/// `npm ci`, unless `node_modules` was installed from this very lock file.
pub fn install_packages(workspace: &Workspace, packages: Packages) -> Result<Note> {
    let folder = packages.folder(workspace);
    let lock = folder.join("package-lock.json");
    let lock = fs::read(&lock).with_context(|| {
        format!(
            "{} cannot be read: the checkout is not complete",
            lock.display()
        )
    })?;
    let installed = folder.join(INSTALLED_LOCK);
    if fs::read(&installed).is_ok_and(|found| found == lock) {
        return Ok("unchanged");
    }
    let mut command = npm(&folder);
    command.args(["ci", "--no-audit", "--no-fund"]);
    process::capture(&mut command, INSTALL_LIMIT)
        .context("npm could not install the packages; is its registry reachable?")?;
    fs::write(&installed, &lock)
        .with_context(|| format!("while writing {}", installed.display()))?;
    Ok("")
}

/// The program that writes y-sweet's file store with y-sweet's own crate. Not a member of the
/// workspace, which keeps that crate's dependencies out of everything else.
pub fn compile_y_sweet_store(workspace: &Workspace) -> Result<Note> {
    let folder = Packages::Interop.folder(workspace).join(Y_SWEET_STORE);
    let mut command = workspace.cargo();
    command.current_dir(&folder).args(["build", "--locked"]);
    command.arg("--target-dir").arg(y_sweet_target(workspace));
    process::capture(&mut command, BUILD_LIMIT)
        .context("y-sweet's crate could not be compiled; is the registry reachable?")?;
    Ok("")
}

/// Where [`compile_y_sweet_store`] leaves it.
pub fn y_sweet_store(workspace: &Workspace) -> PathBuf {
    y_sweet_target(workspace).join("debug").join(Y_SWEET_STORE)
}

fn y_sweet_target(workspace: &Workspace) -> PathBuf {
    workspace.target.join(Y_SWEET_STORE)
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
    process::capture(npm(&web).args(["run", "build"]), BUILD_LIMIT)?;
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
    // Not by npm, which ends at SIGTERM without passing it on.
    let vite = workspace
        .web()
        .join("node_modules")
        .join(".bin")
        .join("vite");
    process::become_program(Command::new(vite).current_dir(workspace.web()).args(args))
}

/// The npm script `name` of a folder as a command, or a clear line when there is none of that name.
pub fn script(workspace: &Workspace, packages: Packages, name: &str) -> Result<Command> {
    let folder = packages.folder(workspace);
    let manifest = folder.join("package.json");
    let text = fs::read_to_string(&manifest)
        .with_context(|| format!("while reading {}", manifest.display()))?;
    let read: serde_json::Value = serde_json::from_str(&text)
        .with_context(|| format!("{} is not JSON", manifest.display()))?;
    if !read["scripts"][name].is_string() {
        bail!("{} has no script \"{name}\"", manifest.display());
    }
    let mut command = npm(&folder);
    command.args(["run", "--silent", name]);
    Ok(command)
}

fn npm(folder: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder);
    // npm would otherwise look for a newer self over the network and mix that into the output.
    command.env("NPM_CONFIG_UPDATE_NOTIFIER", "false");
    command
}
