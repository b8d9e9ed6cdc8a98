//! Builds the WASM modules: cargo for wasm32, then wasm-bindgen in this process, so that no tool has
//! to be installed and its version cannot differ from the library's.
//!
//! Must not know what the modules do, nor how the page loads them.

use std::time::Duration;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::process;
use crate::step::{Note, Report};
use crate::toolchain::{self, WASM_TARGET};
use crate::workspace::{Workspace, fingerprint};

/// The profile of the workspace manifest that is tuned for bytes on the wire.
const PROFILE: &str = "wasm-release";

/// The modules, by package and by the name of what cargo leaves.
const MODULES: [(&str, &str); 2] = [
    ("collab-wasm", "collab_wasm"),
    ("collab-suggest", "collab_suggest"),
];

const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);

pub fn build(workspace: &Workspace, report: &mut Report) -> Result<()> {
    report.quiet("look for the wasm32 target", || {
        toolchain::ensure_wasm_target(workspace)
    })?;
    report.loud("compile the WASM client", || compile(workspace))?;
    report.quiet("write the WASM bindings", || bind(workspace))
}

/// Compiles the modules for the browser.
pub fn compile(workspace: &Workspace) -> Result<Note> {
    let mut command = workspace.cargo();
    command.args(["build", "--locked"]);
    for (package, _) in MODULES {
        command.args(["--package", package]);
    }
    command.args(["--target", WASM_TARGET, "--profile", PROFILE]);
    process::run(&mut command, BUILD_LIMIT)?;
    Ok("")
}

/// Writes JavaScript and types around the compiled modules into `web/src/wasm`.
pub fn bind(workspace: &Workspace) -> Result<Note> {
    let compiled = workspace.target.join(WASM_TARGET).join(PROFILE);
    let output = workspace.web().join("src").join("wasm");
    let inputs = MODULES.map(|(_, name)| compiled.join(format!("{name}.wasm")));
    let print = fingerprint(&inputs, &[])?;
    let is_bound = |(_, name)| output.join(format!("{name}_bg.wasm")).is_file();
    if workspace.is_fresh("wasm-bindings", print) && MODULES.into_iter().all(is_bound) {
        return Ok("unchanged");
    }
    for input in &inputs {
        Bindgen::new()
            .input_path(input)
            .web(true)?
            .typescript(true)
            .remove_name_section(true)
            .remove_producers_section(true)
            .generate(&output)
            .with_context(|| format!("while writing bindings for {}", input.display()))?;
    }
    workspace.mark_fresh("wasm-bindings", print)?;
    Ok("")
}
