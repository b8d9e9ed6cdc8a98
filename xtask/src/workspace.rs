//! Where things are: the checkout, its target folder, and small stamps that say what is already built.
//!
//! Knows paths; must not know what is built from them.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The checkout this command was called in.
pub struct Workspace {
    /// The folder of the virtual manifest.
    pub root: PathBuf,
    /// Cargo's target folder; `target` below the root unless `CARGO_TARGET_DIR` says otherwise.
    pub target: PathBuf,
}

impl Workspace {
    /// Finds the checkout from the manifest cargo ran us by, so that it works in every folder of it.
    pub fn find() -> Result<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest
            .parent()
            .context("xtask must be called as `cargo xtask` inside the checkout")?
            .to_path_buf();
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => root.join(folder),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// The page's folder.
    pub fn web(&self) -> PathBuf {
        self.root.join("web")
    }

    /// The folder of other servers that ours is measured beside.
    pub fn peers(&self) -> PathBuf {
        self.root.join("benches").join("peers")
    }

    /// The complete server that `cargo xtask build` leaves behind.
    pub fn server_binary(&self) -> PathBuf {
        self.target.join("release").join("collab")
    }

    /// A cargo command in the checkout, by the same cargo that runs us.
    pub fn cargo(&self) -> Command {
        let mut command = Command::new(cargo());
        command.current_dir(&self.root);
        // Set by `cargo run` for us alone; a nested cargo must see what a plain one would.
        command.env_remove("CARGO_MANIFEST_DIR");
        command.env_remove("CARGO_MANIFEST_PATH");
        command
    }

    /// Whether the step `name` already ran on input with this fingerprint.
    pub fn is_fresh(&self, name: &str, fingerprint: u64) -> bool {
        fs::read_to_string(self.stamp(name))
            .is_ok_and(|found| found == format!("{fingerprint:016x}"))
    }

    /// Remembers that the step `name` ran on input with this fingerprint.
    pub fn mark_fresh(&self, name: &str, fingerprint: u64) -> Result<()> {
        let stamp = self.stamp(name);
        if let Some(folder) = stamp.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&stamp, format!("{fingerprint:016x}"))
            .with_context(|| format!("while writing {}", stamp.display()))
    }

    fn stamp(&self, name: &str) -> PathBuf {
        self.target.join("xtask-stamps").join(name)
    }
}

/// The cargo that runs us, or the one on the path.
fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// One number for the content of some files and folders, in a fixed order. Folders named in `except`
/// are left out at every depth; a path that does not exist counts as empty.
///
/// Only good for "has this changed on this machine": the hash may differ between compilers, and
/// then a step merely runs once more.
pub fn fingerprint(paths: &[PathBuf], except: &[&str]) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        hash_path(path, except, &mut hasher)
            .with_context(|| format!("while reading {}", path.display()))?;
    }
    Ok(hasher.finish())
}

fn hash_path(path: &Path, except: &[&str], hasher: &mut DefaultHasher) -> std::io::Result<()> {
    path.hash(hasher);
    if path.is_dir() {
        let mut inside = fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<Vec<_>>>()?;
        inside.sort();
        for child in inside {
            let skipped = child
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| except.contains(&name));
            if !skipped {
                hash_path(&child, except, hasher)?;
            }
        }
    } else if path.is_file() {
        fs::read(path)?.hash(hasher);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_follows_content_and_leaves_out_what_it_is_told() {
        let folder = std::env::temp_dir().join(format!("xtask-fingerprint-{}", std::process::id()));
        fs::create_dir_all(folder.join("dist")).expect("the temporary folder can be written");
        fs::write(folder.join("a"), "one").expect("the temporary folder can be written");
        let paths = [folder.clone()];
        let before = fingerprint(&paths, &["dist"]).expect("readable");
        fs::write(folder.join("dist/b"), "new").expect("the temporary folder can be written");
        assert_eq!(before, fingerprint(&paths, &["dist"]).expect("readable"));
        assert_ne!(before, fingerprint(&paths, &[]).expect("readable"));
        fs::write(folder.join("a"), "two").expect("the temporary folder can be written");
        assert_ne!(before, fingerprint(&paths, &["dist"]).expect("readable"));
        fs::remove_dir_all(&folder).expect("the temporary folder can be removed");
    }
}
