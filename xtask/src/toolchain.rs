//! Makes sure of the compilers: the wasm32 target, rustfmt and clippy, Node.
//!
//! Must not know what is built with them. There is deliberately no `rust-toolchain.toml`: with rustup's
//! automatic installation on it would upgrade the compiler in silence, with it off it would not add
//! the target.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::step::Note;
use crate::workspace::Workspace;

pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The oldest Node that vite runs on.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// rustup downloads tens of megabytes at most.
const RUSTUP_LIMIT: Duration = Duration::from_secs(10 * 60);

/// Adds the wasm32 standard library to the compiler in use, unless it is there.
pub fn ensure_wasm_target(workspace: &Workspace) -> Result<Note> {
    let folder = process::ask(
        "rustc",
        &["--print", "target-libdir", "--target", WASM_TARGET],
    )
    .context("rustc does not run: install Rust from https://rustup.rs")?;
    if holds_std(Path::new(&folder)) {
        return Ok("present");
    }
    rustup(workspace, &["target", "add"], &[WASM_TARGET]).with_context(|| {
        format!("the {WASM_TARGET} standard library is not in {folder}: run `rustup target add {WASM_TARGET}`")
    })?;
    Ok("added")
}

/// Adds rustfmt and clippy, which a minimal Rust installation lacks.
pub fn ensure_lint_tools(workspace: &Workspace) -> Result<Note> {
    let works = |tool: &str| {
        let asked = workspace.cargo().args([tool, "--version"]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    let missing: Vec<&str> = [("fmt", "rustfmt"), ("clippy", "clippy")]
        .into_iter()
        .filter(|(command, _)| !works(command))
        .map(|(_, component)| component)
        .collect();
    if missing.is_empty() {
        return Ok("present");
    }
    let names = missing.join(" ");
    rustup(workspace, &["component", "add"], &missing)
        .with_context(|| format!("missing: {names}; run `rustup component add {names}`"))?;
    Ok("added")
}

/// Whether nextest is there; without it `cargo test` runs the same tests, in fewer processes.
pub fn has_nextest(workspace: &Workspace) -> bool {
    let asked = workspace.cargo().args(["nextest", "--version"]).output();
    asked.is_ok_and(|output| output.status.success())
}

/// Fails with a clear line unless Node is new enough.
pub fn check_node() -> Result<Note> {
    let (major, minor) = OLDEST_NODE;
    let wanted =
        format!("Node {major}.{minor} or newer is needed to build the page: https://nodejs.org");
    let Some(found) = process::ask("node", &["--version"]) else {
        bail!("{wanted}; there is no `node` on the path");
    };
    match parse_version(&found) {
        Some(version) if version >= OLDEST_NODE => {}
        _ => bail!("{wanted}; `node --version` says {found}"),
    }
    if process::ask("npm", &["--version"]).is_none() {
        bail!("npm is missing; it comes with Node: https://nodejs.org");
    }
    Ok("")
}

fn rustup(workspace: &Workspace, verb: &[&str], what: &[&str]) -> Result<()> {
    let mut command = Command::new("rustup");
    command.current_dir(&workspace.root).args(verb).args(what);
    // The rustup proxy that started us says which toolchain that was.
    if let Some(toolchain) = std::env::var_os("RUSTUP_TOOLCHAIN") {
        command.arg("--toolchain").arg(toolchain);
    }
    process::capture(&mut command, RUSTUP_LIMIT).map(drop)
}

fn holds_std(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

/// `v20.19.2` to `(20, 19)`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim_start_matches('v').split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_are_compared_as_numbers() {
        assert_eq!(parse_version("v20.20.2"), Some((20, 20)));
        assert!(parse_version("v9.99.0") < Some(OLDEST_NODE));
        assert!(parse_version("v22.1.0") > Some(OLDEST_NODE));
        assert_eq!(parse_version("weather"), None);
    }
}
