//! Builds the WASM client: cargo for wasm32, then wasm-bindgen in this process, so that no tool has
//! to be installed and its version cannot differ from the library's.
//!
//! Must not know what the client does, nor how the page loads it.

use std::time::Duration;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::process;
use crate::step::{Note, Report};
use crate::toolchain::{self, WASM_TARGET};
use crate::workspace::{Workspace, fingerprint};

/// The profile of the workspace manifest that is tuned for bytes on the wire.
const PROFILE: &str = "wasm-release";

const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);

pub fn build(workspace: &Workspace, report: &mut Report) -> Result<()> {
    report.quiet("look for the wasm32 target", || {
        toolchain::ensure_wasm_target(workspace)
    })?;
    report.loud("compile the WASM client", || compile(workspace))?;
    report.quiet("write the WASM bindings", || bind(workspace))
}

/// Compiles `collab-wasm` for the browser.
pub fn compile(workspace: &Workspace) -> Result<Note> {
    let mut command = workspace.cargo();
    command.args(["build", "--locked", "--package", "collab-wasm"]);
    command.args(["--target", WASM_TARGET, "--profile", PROFILE]);
    process::run(&mut command, BUILD_LIMIT)?;
    Ok("")
}

/// Writes JavaScript and types around the compiled client into `web/src/wasm`.
pub fn bind(workspace: &Workspace) -> Result<Note> {
    let input = workspace
        .target
        .join(WASM_TARGET)
        .join(PROFILE)
        .join("collab_wasm.wasm");
    let output = workspace.web().join("src").join("wasm");
    let print = fingerprint(std::slice::from_ref(&input), &[])?;
    if workspace.is_fresh("wasm-bindings", print) && output.join("collab_wasm_bg.wasm").is_file() {
        return Ok("unchanged");
    }
    Bindgen::new()
        .input_path(&input)
        .web(true)?
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&output)
        .with_context(|| format!("while writing bindings for {}", input.display()))?;
    workspace.mark_fresh("wasm-bindings", print)?;
    Ok("")
}
