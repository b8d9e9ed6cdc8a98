//! Functions, types, implementations, tests, attributes, imports.

use crate::autocomplete::context::{Context, is_word};
use crate::autocomplete::names::Role;
use crate::autocomplete::rank::{EXACT, LIKELY};
use crate::autocomplete::rules::headers::{self, Body};
use crate::autocomplete::{Kind, Suggestion};

/// `fn ` → a whole function: `main` in a file without functions, `new` in an `impl` without one,
/// else a method or function; one begun gets the rest of its header and a body.
pub fn function(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context
        .after("fn")
        .filter(|_| context.at_code_end() && !context.has_body())
    else {
        return;
    };
    let outer = context.enclosing().next().unwrap_or("");
    let method = outer.starts_with("impl") || outer.contains("trait ");
    let receiver = if method { "&self" } else { "" };
    let rest = after.rest;
    let test = context
        .previous()
        .is_some_and(|(line, _)| line == "#[test]");
    if rest.is_empty() {
        if test {
            context.offer(
                found,
                Kind::Block,
                EXACT,
                &[after.space, "it_works() {\n\t‸\n}"],
            );
        } else if method {
            let made = context
                .lines_above()
                .take_while(|(_, indent)| *indent >= context.columns());
            let makes_new = made.into_iter().any(|(line, _)| line.contains("fn new("));
            if outer.starts_with("impl") && !outer.contains(" for ") && !makes_new {
                context.offer(
                    found,
                    Kind::Block,
                    EXACT + 9,
                    &[after.space, "new(‸) -> Self {\n\tSelf {}\n}"],
                );
            }
            context.offer(
                found,
                Kind::Block,
                EXACT,
                &[after.space, "method_name(&self) {\n\t‸\n}"],
            );
        } else {
            let first = context.columns() == 0 && context.names.of(Role::Function).next().is_none();
            if first && !context.window.contains("fn main") {
                context.offer(
                    found,
                    Kind::Block,
                    EXACT + 9,
                    &[after.space, "main() {\n\t‸\n}"],
                );
            }
            context.offer(
                found,
                Kind::Block,
                EXACT,
                &[after.space, "function_name() {\n\t‸\n}"],
            );
        }
    } else if is_word(rest) && context.typed == rest {
        if method && rest == "new" {
            context.offer(
                found,
                Kind::Block,
                EXACT + 9,
                &["(‸) -> Self {\n\tSelf {}\n}"],
            );
        }
        context.offer(found, Kind::Block, EXACT, &["(", receiver, "‸) {\n\t\n}"]);
    } else if rest.ends_with('(') && !context.closers().is_empty() {
        context.offer(found, Kind::Block, EXACT, &[receiver, "‸) {\n\t\n}"]);
    } else if headers::reads_complete(context)
        || (rest.trim_end().ends_with('>') && !rest.trim_end().ends_with("->"))
    {
        headers::finish_at(context, found, Body::Braces, LIKELY + 50);
    }
}

/// `struct `, `enum `, `trait `, `mod ` → the whole of it.
pub fn shapes(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || context.has_body() {
        return;
    }
    for (keyword, name) in [
        ("struct", "Name"),
        ("enum", "Name"),
        ("trait", "Name"),
        ("union", "Name"),
        ("mod", "name"),
    ] {
        let Some(after) = context.after(keyword) else {
            continue;
        };
        if after.rest.is_empty() {
            context.offer(
                found,
                Kind::Block,
                EXACT,
                &[after.space, name, " {\n\t‸\n}"],
            );
        } else if after.rest != "tests" {
            headers::finish_at(context, found, Body::Braces, LIKELY + 50);
            if keyword == "mod" {
                context.offer(found, Kind::Closing, LIKELY, &[";"]);
            }
        }
    }
}

/// What the methods of well-known traits look like.
const TRAITS: &[(&str, &str)] = &[
    (
        "Display",
        "fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {\n\t\t‸\n\t}",
    ),
    ("Default", "fn default() -> Self {\n\t\tSelf {‸}\n\t}"),
    ("From", "fn from(value: ‸) -> Self {\n\t\t\n\t}"),
    (
        "Iterator",
        "type Item = ‸;\n\n\tfn next(&mut self) -> Option<Self::Item> {\n\t\tNone\n\t}",
    ),
    ("Drop", "fn drop(&mut self) {\n\t\t‸\n\t}"),
    (
        "Deref",
        "type Target = ‸;\n\n\tfn deref(&self) -> &Self::Target {\n\t\t\n\t}",
    ),
    (
        "FromStr",
        "type Err = ‸;\n\n\tfn from_str(text: &str) -> Result<Self, Self::Err> {\n\t\t\n\t}",
    ),
];

/// `impl ` → the nearest type that has none; `impl Display for ` → the type, and the methods of
/// the trait.
pub fn implementation(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context
        .after("impl")
        .filter(|_| context.at_code_end() && !context.has_body())
    else {
        return;
    };
    let bare = |name: &&str| !context.window.contains(&["impl ", name, " {"].concat());
    let own = context
        .names
        .of(Role::Type)
        .find(bare)
        .or_else(|| context.names.of(Role::Type).next());
    if after.rest.is_empty() {
        context.offer(
            found,
            Kind::Block,
            EXACT,
            &[after.space, own.unwrap_or("Name"), " {\n\t‸\n}"],
        );
        return;
    }
    let Some((name, target)) = after.rest.split_once(" for") else {
        headers::finish(context, found, Body::Braces);
        return;
    };
    let name = name.rsplit("::").next().unwrap_or(name);
    let name = name.split('<').next().unwrap_or(name);
    let body = TRAITS
        .iter()
        .find(|(known, _)| *known == name)
        .map_or("‸", |(_, body)| body);
    let space = if target.is_empty() { " " } else { "" };
    let blank = if target.ends_with(' ') { "" } else { " " };
    if target.trim().is_empty() {
        let pieces = [space, own.unwrap_or("Name"), " {\n\t", body, "\n}"];
        context.offer(found, Kind::Block, EXACT, &pieces);
    } else if !target.contains('{') {
        context.offer(found, Kind::Block, EXACT, &[blank, "{\n\t", body, "\n}"]);
    }
}

/// `mod tests` and `#[cfg(test)]` → a module of tests with a first one.
pub fn tests(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    const MODULE: &str = "mod tests {\n\tuse super::*;\n\n\t#[test]\n\tfn ‸() {\n\t\t\n\t}\n}";
    if !context.at_code_end() || context.has_body() {
        return;
    }
    let under_cfg = context
        .previous()
        .is_some_and(|(line, _)| line == "#[cfg(test)]");
    if let Some(rest) = MODULE.strip_prefix(context.trimmed())
        && (under_cfg || context.trimmed() == "mod tests")
        && context.trimmed().len() < "mod tests {".len()
    {
        context.offer(found, Kind::Block, EXACT + 20, &[rest]);
    } else if context.trimmed() == "#[cfg(test)]" {
        context.offer(found, Kind::Block, LIKELY, &["\n", MODULE]);
    }
}

/// `#[` → the attribute that belongs above what follows.
pub fn attribute(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let line = context.trimmed();
    if !context.in_code()
        || !line.starts_with("#[")
        || !context.rest.trim_start_matches([')', ']']).is_empty()
    {
        return;
    }
    let close = if context.closers().is_empty() {
        ""
    } else {
        "]"
    };
    let below = context.next().map_or("", |(line, _)| line);
    let typed = line.get(2..).unwrap_or("");
    let all: &[&str] = if below.contains("fn ") {
        &["test", "must_use", "inline"]
    } else if below.starts_with("mod ") {
        &["cfg(test)", "derive(Debug, Clone)"]
    } else {
        &[
            "derive(Debug, Clone)",
            "cfg(test)",
            "test",
            "derive(Debug, Clone, Copy, PartialEq, Eq)",
        ]
    };
    for (place, whole) in (0..4).zip(all) {
        if let Some(rest) = whole.strip_prefix(typed) {
            // Inside a bracket the editor closed, only what goes between can be added.
            let rest = if close.is_empty() && typed.contains('(') {
                rest.trim_end_matches(')')
            } else {
                rest
            };
            context.offer(found, Kind::Phrase, EXACT - place, &[rest, close]);
        }
    }
}

/// Where names come from that files use without saying so.
const PATHS: &[(&str, &str)] = &[
    ("HashMap", "std::collections::HashMap"),
    ("HashSet", "std::collections::HashSet"),
    ("BTreeMap", "std::collections::BTreeMap"),
    ("BTreeSet", "std::collections::BTreeSet"),
    ("VecDeque", "std::collections::VecDeque"),
    ("Arc", "std::sync::Arc"),
    ("Mutex", "std::sync::Mutex"),
    ("Rc", "std::rc::Rc"),
    ("RefCell", "std::cell::RefCell"),
    ("Path", "std::path::Path"),
    ("PathBuf", "std::path::PathBuf"),
    ("Duration", "std::time::Duration"),
    ("Instant", "std::time::Instant"),
    ("fmt", "std::fmt"),
    ("fs", "std::fs"),
    ("io", "std::io"),
    ("env", "std::env"),
    ("thread", "std::thread"),
    ("Read", "std::io::Read"),
    ("Write", "std::io::Write"),
];

/// `use ` → what the file names but does not import, then what files often import.
pub fn import(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context.after("use").filter(|_| context.at_code_end()) else {
        return;
    };
    if context
        .enclosing()
        .next()
        .is_some_and(|line| line.contains("mod tests"))
        && after.rest.is_empty()
    {
        context.offer(found, Kind::Phrase, EXACT + 20, &[after.space, "super::*;"]);
    }
    for (place, (name, path)) in (0u32..).zip(PATHS) {
        let Some(rest) = path
            .strip_prefix(after.rest)
            .filter(|rest| !rest.is_empty())
        else {
            continue;
        };
        let imported = context.head.contains(&[path, ";"].concat());
        let used = context.lexed.tokens.iter().any(|token| token.text == *name);
        if !imported {
            let score = if used { EXACT } else { LIKELY };
            context.offer(
                found,
                Kind::Phrase,
                score - place,
                &[after.space, rest, ";"],
            );
        }
    }
}

#[cfg(test)]
mod tests_of_rules {
    use crate::autocomplete::rules::asked::{first, has};

    #[test]
    fn functions() {
        assert_eq!(first("rust", "fn ‸"), "main() {⏎    ‸⏎}");
        assert_eq!(
            first("rust", "fn main() {\n}\n\nfn ‸"),
            "function_name() {⏎    ‸⏎}"
        );
        assert_eq!(first("rust", "pub(crate) async fn go‸"), "(‸) {⏎    ⏎}");
        assert_eq!(first("rust", "fn go(a: u8‸"), ") {⏎    ‸⏎}");
        assert_eq!(first("rust", "fn go(a: u8) -> Vec<u8> ‸"), "{⏎    ‸⏎}");
        assert_eq!(
            first("rust", "impl A {\n    fn ‸\n}"),
            "new(‸) -> Self {⏎        Self {}⏎    }"
        );
        assert_eq!(
            first("rust", "impl A {\n    fn go‸\n}"),
            "(&self‸) {⏎        ⏎    }"
        );
    }

    #[test]
    fn types_and_implementations() {
        assert_eq!(first("rust", "struct ‸"), "Name {⏎    ‸⏎}");
        assert_eq!(first("rust", "pub enum Shape‸"), " {⏎    ‸⏎}");
        assert_eq!(first("rust", "struct A {\n}\n\nimpl ‸"), "A {⏎    ‸⏎}");
        assert_eq!(
            first("rust", "struct A {\n}\n\nimpl Default for ‸"),
            "A {⏎    fn default() -> Self {⏎        Self {‸}⏎    }⏎}"
        );
    }

    #[test]
    fn tests_begin_with_a_module() {
        assert_eq!(
            first("rust", "#[cfg(test)]\nmod ‸"),
            "tests {⏎    use super::*;⏎⏎    #[test]⏎    fn ‸() {⏎        ⏎    }⏎}"
        );
        assert_eq!(first("rust", "#[test]\nfn ‸"), "it_works() {⏎    ‸⏎}");
    }

    #[test]
    fn attributes_fit_what_follows() {
        assert_eq!(first("rust", "#[‸\nstruct A;"), "derive(Debug, Clone)]");
        assert_eq!(first("rust", "#[‸\nfn a() {}"), "test]");
        assert_eq!(first("rust", "#[der‸\nstruct A;"), "ive(Debug, Clone)]");
    }

    #[test]
    fn imports_of_what_is_used() {
        assert_eq!(
            first("rust", "use ‸\nfn f(x: &Arc<u8>) {}"),
            "std::sync::Arc;"
        );
        assert!(!has(
            "rust",
            "use std::sync::Arc;\nuse std::‸\nfn f(x: &Arc<u8>) {}",
            "sync::Arc;"
        ));
    }
}
