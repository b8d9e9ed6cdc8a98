//! Nothing of the machine it was written on: a fresh clone must mean the same everywhere.

use std::path::Path;

use super::Source;

/// Where the packages of the Rust lock file may come from.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Folders that say whose machine this is: the checkout and the home folder. A root folder such as `/`
/// is in every file and says nothing.
pub fn of_this_machine(root: &Path) -> Vec<String> {
    let home = std::env::var("HOME")
        .ok()
        .map(|home| format!("{}/", home.trim_end_matches('/')));
    let root = root.to_str().map(str::to_owned);
    home.into_iter()
        .chain(root)
        .filter(|folder| folder.len() > 3)
        .collect()
}

pub fn check(file: &Source, of_this_machine: &[String]) -> Vec<String> {
    let mut broken = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        let at = || format!("{}:{}", file.path, number + 1);
        let local = of_this_machine
            .iter()
            .any(|folder| line.contains(folder.as_str()))
            || names_a_home(line);
        if local {
            broken.push(format!(
                "{}: a path of one machine; it exists nowhere else",
                at()
            ));
        }
        // npm and cargo write the address they were told to use; it may be reachable from one network only.
        if file.name() == "package-lock.json"
            && line.trim_start().starts_with("\"resolved\": \"http")
        {
            broken.push(format!(
                "{}: a registry address; npm must run with omit-lockfile-registry-resolved",
                at()
            ));
        }
        let source = line
            .strip_prefix("source = ")
            .map(|source| source.trim_matches('"'));
        if file.name() == "Cargo.lock" && source.is_some_and(|source| source != CRATES_IO) {
            broken.push(format!("{}: a source other than crates.io", at()));
        }
    }
    if file.name() == ".npmrc"
        && file.text.contains("registry")
        && !file.text.contains("omit-lockfile-registry")
    {
        broken.push(format!(
            "{}: names a registry; that is for each machine to decide",
            file.path
        ));
    }
    broken
}

/// Whether a line contains the home folder of some person, on Linux or on a Mac.
fn names_a_home(line: &str) -> bool {
    ["/home/", concat!("/Use", "rs/")].iter().any(|start| {
        line.match_indices(start).any(|(at, _)| {
            let before = line.get(..at).and_then(|before| before.chars().next_back());
            let after = line
                .get(at + start.len()..)
                .and_then(|after| after.chars().next());
            // `/api/home/x` and `https://host/home/x` are addresses, not folders.
            let begins = before
                .is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '/' | '.' | '}' | '_' | '-'));
            begins && after.is_some_and(|c| c.is_ascii_lowercase())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> usize {
        let file = Source {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        check(&file, &["/srv/checkout".to_owned()]).len()
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        assert_eq!(broken("a.md", "see /srv/checkout/a"), 1);
        assert_eq!(broken("a.md", &format!("see /home{}", "/ada/a")), 1);
        assert_eq!(broken("a.md", "see https://example.org/home/ada"), 0);
        assert_eq!(broken("a.md", "see /usr/bin/env"), 0);
    }

    #[test]
    fn lock_files_name_no_private_source() {
        let line = |address: &str| format!("      \"resolved\": \"{address}\",");
        assert_eq!(
            broken("web/package-lock.json", &line("https://npm.example/a.tgz")),
            1
        );
        assert_eq!(
            broken(
                "web/package-lock.json",
                "  \"url\": \"https://opencollective.com/x\""
            ),
            0
        );
        assert_eq!(
            broken(
                "Cargo.lock",
                "source = \"registry+https://example.org/index\""
            ),
            1
        );
        assert_eq!(
            broken("Cargo.lock", &format!("source = \"{CRATES_IO}\"")),
            0
        );
    }
}
