//! `cargo xtask tidy`: the rules of the house that no compiler knows. Each rule has its reason beside
//! it, and its tests below it.
//!
//! Knows the rules; must not know why any single file is the way it is, except for the recorded
//! exceptions.

mod arrows;
mod layout;
mod paths;
mod sources;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::step::Note;
use crate::workspace::Workspace;

/// A file of the checkout, as git sees it.
pub struct Source {
    /// Relative to the root, with `/`.
    pub path: String,
    /// Empty for a file that is not UTF-8: no rule looks into those.
    pub text: String,
}

impl Source {
    /// The file name without its folder.
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The extension, without the dot; empty when there is none.
    fn extension(&self) -> &str {
        self.name()
            .rsplit_once('.')
            .map_or("", |(_, extension)| extension)
    }

    /// Whether people wrote it as part of the program.
    fn is_code(&self) -> bool {
        matches!(self.extension(), "rs" | "ts" | "tsx" | "mjs" | "js")
    }
}

/// Checks every rule and reports all that is broken at once.
pub fn check(workspace: &Workspace) -> Result<Note> {
    let files = files(&workspace.root)?;
    let mut broken = Vec::new();
    for file in &files {
        broken.extend(sources::check(file));
        broken.extend(paths::check(file, &paths::of_this_machine(&workspace.root)));
    }
    broken.extend(layout::check(&files));
    broken.extend(arrows::check(&metadata(workspace)?)?);
    if broken.is_empty() {
        return Ok("");
    }
    eprintln!();
    for line in &broken {
        eprintln!("  {line}");
    }
    bail!(
        "{} of the rules in xtask/src/tidy/ broken, listed above",
        broken.len()
    )
}

/// Every file that is or would be committed.
fn files(root: &Path) -> Result<Vec<Source>> {
    let output = Command::new("git")
        .current_dir(root)
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .output()
        .context("git does not run; tidy asks it which files belong to the project")?;
    if !output.status.success() {
        bail!(
            "tidy needs a git checkout: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let names = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    let mut files = Vec::new();
    for path in names.split('\0').filter(|path| !path.is_empty()) {
        // Deleted but not yet staged: no longer part of the project.
        let Ok(bytes) = fs::read(root.join(path)) else {
            continue;
        };
        files.push(Source {
            path: path.to_owned(),
            text: String::from_utf8(bytes).unwrap_or_default(),
        });
    }
    Ok(files)
}

fn metadata(workspace: &Workspace) -> Result<serde_json::Value> {
    let output = workspace
        .cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("while asking cargo for the workspace")?;
    if !output.status.success() {
        bail!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")
}
