//! Rules that look at one source file at a time: its first line, its length, its words.

use super::Source;

/// Past this many lines a file usually hides a second module; split it there.
const LONGEST: usize = 500;

/// Files that may be longer, each with the reason.
const LONGER: &[(&str, &str)] = &[(
    "crates/collab-sim/src/world/server.rs",
    "carries out every effect of a room and may die between any two: one match that is read whole",
)];

pub fn check(file: &Source) -> Vec<String> {
    let mut broken = Vec::new();
    if file.is_code() {
        broken.extend(header(file));
        broken.extend(length(file));
    }
    if file.extension() == "rs" {
        broken.extend(no_unsafe(file));
    }
    if file.name() == "Cargo.toml" {
        broken.extend(lints(file));
    }
    broken
}

/// A file opens with what it is for and what it must not know: whoever reads only first paragraphs should
/// come away with a map of the program.
fn header(file: &Source) -> Option<String> {
    let text = match file.text.strip_prefix("#!/") {
        Some(rest) => rest.split_once('\n').map_or("", |(_, after)| after),
        None => &file.text,
    };
    let wanted = if file.extension() == "rs" {
        "//!"
    } else {
        "/**"
    };
    let good = text.trim_start().starts_with(wanted);
    (!good).then(|| {
        format!(
            "{}: opens without `{wanted}`, what it is for and what it must not know",
            file.path
        )
    })
}

fn length(file: &Source) -> Option<String> {
    let lines = file.text.lines().count();
    let excused = LONGER.iter().any(|(path, _)| *path == file.path);
    (lines > LONGEST && !excused).then(|| {
        format!(
            "{}: {lines} lines; past {LONGEST}, look for the second module hiding inside",
            file.path
        )
    })
}

/// Nothing here needs it, and hostile bytes must meet no code whose safety rests on a comment. The
/// compiler forbids it wherever the workspace lints apply; this rule also sees `#[cfg]`ed-out code.
fn no_unsafe(file: &Source) -> Option<String> {
    let word = concat!("un", "safe");
    let found = file.text.lines().position(|line| {
        let code = line.split("//").next().unwrap_or("");
        code.match_indices(word).any(|(at, _)| {
            let before = code.get(..at).and_then(|before| before.chars().next_back());
            let after = code.get(at + word.len()..).unwrap_or("").trim_start();
            let starts_a_word =
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '"' || c == '`');
            starts_a_word
                && ["{", "fn ", "impl ", "impl<", "extern ", "trait "]
                    .iter()
                    .any(|next| after.starts_with(next))
        })
    })?;
    Some(format!(
        "{}:{}: `{word}` is not used here",
        file.path,
        found + 1
    ))
}

/// A crate that does not inherit the workspace's lints escapes all of them in silence. One that is a workspace
/// of its own (fuzz targets, which only another compiler can build) has nothing to inherit from.
fn lints(file: &Source) -> Option<String> {
    let has = |table: &str| file.text.lines().any(|line| line.trim() == table);
    let is_member = has("[package]") && !has("[workspace]");
    let inherits = file
        .text
        .replace(' ', "")
        .contains("[lints]\nworkspace=true");
    (is_member && !inherits).then(|| format!("{}: lacks `[lints] workspace = true`", file.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn files_open_with_their_purpose() {
        assert_eq!(header(&file("a.rs", "//! What it is for.\n")), None);
        assert_eq!(header(&file("a.ts", "/** What it is for. */\n")), None);
        assert_eq!(
            header(&file(
                "a.mjs",
                "#!/usr/bin/env node\n/** What it is for. */\n"
            )),
            None
        );
        assert!(header(&file("a.rs", "use std::fs;\n")).is_some());
        assert!(header(&file("a.ts", "// note\n")).is_some());
    }

    #[test]
    fn length_at_the_limit() {
        assert_eq!(length(&file("a.rs", &"\n".repeat(LONGEST))), None);
        assert!(length(&file("a.rs", &"\n".repeat(LONGEST + 1))).is_some());
    }

    #[test]
    fn the_keyword_is_found_and_the_word_is_not() {
        let word = concat!("un", "safe");
        assert!(no_unsafe(&file("a.rs", &format!("let a = {word} {{ b() }};"))).is_some());
        assert!(no_unsafe(&file("a.rs", &format!("pub {word} fn a() {{}}"))).is_some());
        assert_eq!(no_unsafe(&file("a.rs", &format!("// {word} {{ }}"))), None);
        assert_eq!(
            no_unsafe(&file("a.rs", &format!("#![forbid({word}_code)]"))),
            None
        );
    }

    #[test]
    fn every_crate_inherits_the_lints() {
        assert_eq!(
            lints(&file(
                "Cargo.toml",
                "[package]\nname = \"a\"\n[lints]\nworkspace = true\n"
            )),
            None
        );
        assert!(lints(&file("Cargo.toml", "[package]\nname = \"a\"\n")).is_some());
        assert_eq!(lints(&file("Cargo.toml", "[workspace]\n")), None);
        assert_eq!(
            lints(&file(
                "Cargo.toml",
                "[package]\nname = \"a\"\n[workspace]\n"
            )),
            None
        );
    }
}
