//! Rules about where files lie and what they are called.

use std::collections::BTreeSet;

use super::Source;

/// A thing lives with what it serves; a drawer for everything is where nothing is found again.
const DRAWERS: &[&str] = &[
    "utils", "util", "common", "helpers", "helper", "types", "misc",
];

/// Both databases keep the same history of migrations: same number, same meaning.
const MIGRATIONS: [&str; 2] = ["migrations/sqlite/", "migrations/postgres/"];

pub fn check(files: &[Source]) -> Vec<String> {
    let mut broken: Vec<String> = files.iter().filter_map(name).collect();
    broken.extend(migrations(files));
    broken
}

fn name(file: &Source) -> Option<String> {
    // A module is `name.rs` beside `name/`: in a row of open files, ten of the same name help nobody.
    if file.name() == "mod.rs" {
        return Some(format!(
            "{}: a module is `name.rs` beside `name/`, never mod.rs",
            file.path
        ));
    }
    if !file.is_code() {
        return None;
    }
    let mut parts = file
        .path
        .split('/')
        .map(|part| part.split('.').next().unwrap_or(part));
    let drawer = parts.find(|part| DRAWERS.contains(part))?;
    Some(format!(
        "{}: no `{drawer}`; a thing lives with what it serves",
        file.path
    ))
}

fn migrations(files: &[Source]) -> Vec<String> {
    let [sqlite, postgres] = MIGRATIONS.map(|folder| {
        files
            .iter()
            .filter_map(|file| file.path.strip_prefix(folder))
            .collect::<BTreeSet<_>>()
    });
    let one_sided = |there: &BTreeSet<&str>, here: &BTreeSet<&str>, missing: &str| {
        there
            .difference(here)
            .map(|name| {
                format!("{missing}{name} is missing: both databases have the same migrations")
            })
            .collect::<Vec<_>>()
    };
    let mut broken = one_sided(&sqlite, &postgres, MIGRATIONS[1]);
    broken.extend(one_sided(&postgres, &sqlite, MIGRATIONS[0]));
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: String::new(),
        }
    }

    #[test]
    fn drawers_are_refused_wherever_they_stand() {
        assert!(name(&file("web/src/utils/dates.ts")).is_some());
        assert!(name(&file("crates/a/src/helpers.rs")).is_some());
        assert!(name(&file("crates/a/src/room/mod.rs")).is_some());
        assert_eq!(name(&file("crates/a/src/room.rs")), None);
        assert_eq!(name(&file("docs/types.md")), None);
    }

    #[test]
    fn migrations_come_in_pairs() {
        let pair = [
            file("migrations/sqlite/0001_a.sql"),
            file("migrations/postgres/0001_a.sql"),
        ];
        assert_eq!(migrations(&pair), Vec::<String>::new());
        let alone = [file("migrations/sqlite/0002_b.sql")];
        assert_eq!(migrations(&alone).len(), 1);
    }
}
