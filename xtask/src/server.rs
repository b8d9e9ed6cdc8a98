//! The release server: builds it with the page inside, and becomes it.
//!
//! Must not know the server's flags: whatever follows `--` is passed on untouched.

use std::ffi::OsString;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::step::{Note, Report};
use crate::workspace::Workspace;
use crate::{wasm, web};

/// A cold release build with thin LTO takes some ten minutes on two slow cores.
const BUILD_LIMIT: Duration = Duration::from_secs(45 * 60);

/// Builds everything that is served. The order matters: the page's types come from the WASM
/// bindings, and the server embeds the finished page.
pub fn build(workspace: &Workspace, report: &mut Report) -> Result<()> {
    wasm::build(workspace, report)?;
    web::install(workspace, report)?;
    web::build(workspace, report)?;
    report.loud("compile the server", || compile(workspace))
}

pub fn compile(workspace: &Workspace) -> Result<Note> {
    let mut command = workspace.cargo();
    command.args([
        "build",
        "--locked",
        "--release",
        "--package",
        "collab-server",
    ]);
    process::run(&mut command, BUILD_LIMIT)?;
    check_page_inside(workspace)?;
    Ok("")
}

/// Becomes the server, so that Ctrl+C, SIGTERM and the exit code are the server's own.
pub fn serve(workspace: &Workspace, report: &Report, args: &[OsString]) -> Result<()> {
    report.finish();
    let binary = workspace.server_binary();
    eprintln!(
        "\n▸ {} serve",
        binary
            .strip_prefix(&workspace.root)
            .unwrap_or(&binary)
            .display()
    );
    process::become_program(
        Command::new(&binary)
            .current_dir(&workspace.root)
            .arg("serve")
            .args(args),
    )
}

/// Fails when the server was built around no page or an older one: every file name that vite gave
/// a hash and that `index.html` asks for must stand in the binary.
fn check_page_inside(workspace: &Workspace) -> Result<()> {
    let index = workspace.web().join("dist").join("index.html");
    let index =
        fs::read_to_string(&index).with_context(|| format!("while reading {}", index.display()))?;
    let binary = workspace.server_binary();
    let bytes = fs::read(&binary).with_context(|| format!("while reading {}", binary.display()))?;
    for name in assets(&index) {
        if !contains(&bytes, name.as_bytes()) {
            bail!(
                "{} does not hold the page's {name}: run `touch crates/collab-server/src/lib.rs` and build again",
                binary.display()
            );
        }
    }
    Ok(())
}

/// The file names below `assets/` that a page asks for.
fn assets(index: &str) -> Vec<&str> {
    index
        .split("assets/")
        .skip(1)
        .filter_map(|rest| rest.split(['"', '\'']).next())
        .filter(|name| !name.is_empty())
        .collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else {
        return true;
    };
    let mut rest = haystack;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        rest = &rest[at..];
        if rest.starts_with(needle) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_are_found_in_a_page() {
        let page = r#"<script type="module" src="./assets/index-Bx1.js"></script><link href='assets/a.css'>"#;
        assert_eq!(assets(page), ["index-Bx1.js", "a.css"]);
    }

    #[test]
    fn a_name_is_found_in_a_binary() {
        assert!(contains(b"xxindex.jsyy", b"index.js"));
        assert!(contains(b"iindex", b"index"));
        assert!(!contains(b"index.j", b"index.js"));
    }
}
