//! A folder of Yjs updates (v1). Each file is a document, `team/notes.bin` the document
//! `team/notes`; or each folder is one, and its files are updates of it. Must not know rooms.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::{BadSource, Documents, Found, MAX_DOCUMENT_BYTES, MAX_UPDATES, must_be_folder, read};

/// Endings of files that are updates. Others are left alone.
const ENDINGS: [&str; 4] = ["bin", "yjs", "update", "ydoc"];

/// Files and folders below one folder. A folder with more is refused.
const MAX_FILES: usize = 4 << 20;

/// See the module.
pub(super) fn open(path: &Path, by_folder: bool) -> Result<Documents, BadSource> {
    must_be_folder(path)?;
    let mut documents: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let mut damage = Vec::new();
    for file in files(path)? {
        let ending = file.extension().and_then(|ending| ending.to_str());
        if !ending.is_some_and(|ending| ENDINGS.contains(&ending)) {
            continue;
        }
        let below = file.strip_prefix(path).unwrap_or(&file);
        let named = match by_folder {
            true => below.parent().unwrap_or(below).to_path_buf(),
            false => below.with_extension(""),
        };
        match name(&named) {
            Some(name) => documents.entry(name).or_default().push(file),
            None => damage.push(format!("the name of {} is not UTF-8", file.display())),
        }
    }
    if documents.contains_key("") {
        let why = "has updates that are in no folder of their own; give each document a folder, or leave --by-folder out";
        return Err(BadSource::new(path, why));
    }
    if documents.is_empty() && damage.is_empty() {
        let why = "has no update in it; they are files that end in .bin, .yjs, .update or .ydoc";
        return Err(BadSource::new(path, why));
    }
    Ok(Documents {
        count: documents.len() as u64,
        damage,
        documents: Box::new(
            documents
                .into_iter()
                .map(|(name, files)| found(name, &files)),
        ),
    })
}

fn found(name: String, files: &[PathBuf]) -> Found {
    let mut found = Found {
        name,
        ..Found::default()
    };
    let mut bytes = 0;
    for file in files {
        match read(file) {
            Ok(update) if bytes + update.len() > MAX_DOCUMENT_BYTES => {
                found.damage.push("it has more than 256 MiB".to_owned());
                break;
            }
            Ok(update) => {
                bytes += update.len();
                found.updates.push(update);
            }
            Err(why) => found.damage.push(why),
        }
        if found.updates.len() == MAX_UPDATES && files.len() > MAX_UPDATES {
            found
                .damage
                .push(format!("it has more than {MAX_UPDATES} updates"));
            break;
        }
    }
    found
}

/// The parts of a path below a folder, with `/` between them.
pub(super) fn name(below: &Path) -> Option<String> {
    let parts = below.components().map(|part| match part {
        Component::Normal(part) => part.to_str(),
        _ => None,
    });
    Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
}

/// Every file below a folder, in the order of their paths. Links are not followed.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>, BadSource> {
    let mut folders = vec![path.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let failed =
            |error: std::io::Error| BadSource::new(&folder, format!("cannot be read: {error}"));
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
            if folders.len() + files.len() > MAX_FILES {
                let why = format!("has more than {MAX_FILES} files below it");
                return Err(BadSource::new(path, why));
            }
        }
    }
    files.sort();
    Ok(files)
}
