//! Rust.

use crate::autocomplete::context::Context;
use crate::autocomplete::imports::Imports;
use crate::autocomplete::language::{CODE, Language, Lexis, Quote};
use crate::autocomplete::search::is_word;

/// Rust.
pub static RUST: Language = Language {
    id: "rust",
    aliases: &["rs", "text/rust", "text/x-rustsrc"],
    lexis: &Lexis {
        line_comments: &["//"],
        block_comments: &[("/*", "*/")],
        nested: true,
        quotes: &[
            Quote::raw("r##\"", "\"##"),
            Quote::raw("r#\"", "\"#"),
            Quote::raw("br#\"", "\"#"),
            Quote::raw("r\"", "\""),
            Quote::raw("br\"", "\""),
            Quote::lines("\""),
            Quote::line("'"),
        ],
        lifetimes: true,
        ..Lexis::NONE
    },
    indent: "    ",
    remark: ("// ", ""),
    modifiers: &[
        "pub",
        "pub(crate)",
        "pub(super)",
        "async",
        "const",
        "unsafe",
        "extern",
    ],
    anchors: &[
        "fn ", "pub ", "impl", "struct ", "enum ", "mod ", "use ", "#[", "trait ",
    ],
    keywords: "async await break const continue crate derive else enum false impl let loop match move mut pub return \
        self Self static struct super trait true type unsafe use where while Option Some None Result String Vec Box \
        HashMap usize bool clone collect unwrap_or to_owned to_string into_iter",
    end: ";",
    starter: "fn main() {\n\tprintln!(\"Hello, world!\");\n}\n",
    tests: ["!‹›.is_empty()", "‹› > 0", "!‹›.is_empty()", "‹›"],
    phrases: &[ITEMS, FLOW, LINES],
    imports: IMPORTS,
    ..CODE
};

/// Functions, types and what is implemented for them.
const ITEMS: &[&str] = &[
    "above #[test] ¦ fn ‹it_works›() {\n\t‸\n}",
    "top, no fn  ¦ fn ·main() {\n\t‸\n}",
    "in impl, first pub fn new, outside  for  ¦ fn new(‹*›) -> Self {\n\tSelf {‸}\n}",
    "in impl ¦ fn ‹method_name›(&self‹*›) {\n\t‸\n}",
    "in trait ¦ fn ‹method_name›(&self‹*›);",
    "fn ‹function_name›(‹*›) {\n\t‸\n}",
    "fn ‹function_name›(‹*›) -> ·‹*bool› {\n\t‸\n}",
    "fn ‹function_name›<‹*T›>(‹*›)· {\n\t‸\n}",
    "struct ‹Name› {\n\t‸\n}",
    "enum ‹Name› {\n\t‸\n}",
    "trait ‹Name› {\n\t‸\n}",
    "no mod tests, above #[cfg(test)] ¦ mod tests {\n\tuse super::*;\n\n\t#[test]\n\tfn ‸() {\n\t\t\n\t}\n}",
    "mod tests· {\n\tuse super::*;\n\n\t#[test]\n\tfn ‸() {\n\t\t\n\t}\n}",
    "mod ‹name› {\n\t‸\n}",
    "impl ‹type› {\n\t‸\n}",
    "impl ·Default for ‹type› {\n\tfn default() -> Self {\n\t\tSelf {‸}\n\t}\n}",
    "impl ·fmt::Display for ‹type› {\n\tfn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {\n\t\t‸\n\t}\n}",
    "impl ·Drop for ‹type› {\n\tfn drop(&mut self) {\n\t\t‸\n\t}\n}",
    "impl ·Iterator for ‹type› {\n\ttype Item = ‸;\n\n\tfn next(&mut self) -> Option<Self::Item> {\n\t\tNone\n\t}\n}",
    "impl From<‹*T›>· for ‹type› {\n\tfn from(value: ‹*T›) -> Self {\n\t\t‸\n\t}\n}",
    "impl ‹Trait› ·for ‹type› {\n\t‸\n}",
    "impl<‹*T›>· ‹type› {\n\t‸\n}",
    "below fn  ¦ #[·test]",
    "below mod  ¦ #[·cfg(test)]",
    "#[·derive(Debug, Clone)]",
    "#[·cfg(test)]",
    "#[·test]",
    "#[·derive(Debug, Clone, Copy, PartialEq, Eq)]",
];

/// Loops, conditions, matches.
const FLOW: &[&str] = &[
    "for ‹one› in &‹many› {\n\t‸\n}",
    "for ‹i› in 0..‹*10› {\n\t‸\n}",
    "for ‹one› in ·‹many› {\n\t‸\n}",
    "for (‹i›, ‹one›) ·in ‹many›.iter().enumerate() {\n\t‸\n}",
    "loop {\n\t‸\n}",
    "if let Some(‹it›) = ·‹value› {\n\t‸\n}",
    "if let· Some(‹it›) = ‹value› {\n\t‸\n}",
    "if let ·‹*pattern› = ‹value› {\n\t‸\n}",
    "if ‹cond› {\n\t‸\n}",
    "else if ‹cond› {\n\t‸\n}",
    "else {\n\t‸\n}",
    "while let ·Some(‹it›) = ‹value› {\n\t‸\n}",
    "while let ·‹*pattern› = ‹value› {\n\t‸\n}",
    "while ‹cond› {\n\t‸\n}",
    "match ‹value› {‹arms›\n}",
    "any ¦ = match ·‹value› {‹arms›\n};",
];

/// Macros, and the last line of a function that gives a `Result`.
const LINES: &[&str] = &[
    "println!(\"{‹value›}\");",
    "println!(\"‸\");",
    "eprintln!(\"{‹value›}\");",
    "assert_eq!(‸, );",
    "assert_ne!(‸, );",
    "assert!(‸);",
    "panic!(\"‸\");",
    "any ¦ vec![‸]",
    "any ¦ format!(\"{‹value›}\")",
    "any ¦ format!(\"‸\")",
    "blank, in -> Result<(), below } ¦ Ok(())",
    "blank, in -> io::Result<(), below } ¦ Ok(())",
    "let mut ‹name› ·= Vec::new();",
    "let mut ‹name› ·= String::new();",
    "return ·‹value›;",
];

/// Where names come from that files use without saying so.
const IMPORTS: &[Imports] = &[Imports {
    prefix: "use ",
    suffix: ";",
    inside: "",
    known: &[
        "HashMap=std::collections::HashMap",
        "HashSet=std::collections::HashSet",
        "BTreeMap=std::collections::BTreeMap",
        "BTreeSet=std::collections::BTreeSet",
        "VecDeque=std::collections::VecDeque",
        "Arc=std::sync::Arc",
        "Mutex=std::sync::Mutex",
        "Rc=std::rc::Rc",
        "RefCell=std::cell::RefCell",
        "Path=std::path::Path",
        "PathBuf=std::path::PathBuf",
        "Duration=std::time::Duration",
        "Instant=std::time::Instant",
        "fmt=std::fmt",
        "fs=std::fs",
        "io=std::io",
        "env=std::env",
        "thread=std::thread",
        "Read=std::io::Read",
        "Write=std::io::Write",
    ],
}];

/// Variants of an enum that arms are written for; further ones are left to the person.
const MAX_ARMS: usize = 12;

/// The arms of a `match` on `value`: one for each variant of the enum that `value` is declared to
/// be (`shape: &Shape`) or that is called like it, if the window shows one.
pub fn arms(context: &Context<'_>, value: &str) -> String {
    let tokens = &context.lexed.tokens;
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text);
    let is = |name: &str| {
        name.eq_ignore_ascii_case(value)
            || (0..tokens.len()).any(|at| {
                text(at) == value
                    && text(at + 1) == ":"
                    && [text(at + 2), text(at + 3)].contains(&name)
            })
    };
    let mut arms = String::new();
    let mut count = 0;
    if let Some(found) = (0..tokens.len()).find(|at| text(*at) == "enum" && is(text(at + 1))) {
        let mut depth = 0;
        for at in found + 2..tokens.len() {
            match text(at) {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                // What a variant carries would have to be named: `Round(_)` reads badly.
                variant
                    if depth == 1
                        && is_word(variant)
                        && matches!(text(at + 1), "," | "}" | "=") =>
                {
                    if matches!(text(at - 1), "{" | "," | "]") {
                        arms.extend(["\n\t", text(found + 1), "::", variant, " => {}"]);
                        count += 1;
                    }
                }
                _ => {}
            }
            if depth == 0 || count == MAX_ARMS {
                break;
            }
        }
    }
    if arms.is_empty() {
        "\n\t‸ => {}\n\t_ => {}".to_owned()
    } else {
        arms
    }
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::{first, has};

    #[test]
    fn functions() {
        assert_eq!(first("rust", "fn ‸"), "main() {⏎    ‸⏎}");
        assert_eq!(
            first("rust", "fn main() {\n}\n\nfn ‸"),
            "function_name() {⏎    ‸⏎}"
        );
        assert_eq!(first("rust", "pub(crate) async fn go‸"), "() {⏎    ‸⏎}");
        assert_eq!(first("rust", "fn go(a: u8‸"), ") {⏎    ‸⏎}");
        assert_eq!(first("rust", "fn go(a: u8) -> Vec<u8> ‸"), "{⏎    ‸⏎}");
        assert_eq!(
            first("rust", "impl A {\n    fn ‸\n}"),
            "new() -> Self {⏎        Self {‸}⏎    }"
        );
        assert_eq!(
            first("rust", "impl A {\n    fn go‸\n}"),
            "(&self) {⏎        ‸⏎    }"
        );
    }

    #[test]
    fn types_and_implementations() {
        assert_eq!(first("rust", "struct ‸"), "Name {⏎    ‸⏎}");
        assert_eq!(first("rust", "pub enum Shape‸"), " {⏎    ‸⏎}");
        assert_eq!(first("rust", "struct A {\n}\n\nimpl ‸"), "A {⏎    ‸⏎}");
        let default = "A {⏎    fn default() -> Self {⏎        Self {‸}⏎    }⏎}";
        assert_eq!(
            first("rust", "struct A {\n}\n\nimpl Default for ‸"),
            default
        );
    }

    #[test]
    fn tests_begin_with_a_module() {
        let module = "tests {⏎    use super::*;⏎⏎    #[test]⏎    fn ‸() {⏎        ⏎    }⏎}";
        assert_eq!(first("rust", "#[cfg(test)]\nmod ‸"), module);
        assert_eq!(first("rust", "#[test]\nfn ‸"), "it_works() {⏎    ‸⏎}");
    }

    #[test]
    fn attributes_fit_what_follows() {
        assert_eq!(first("rust", "#[‸\nstruct A;"), "derive(Debug, Clone)]");
        assert_eq!(first("rust", "#[‸\nfn a() {}"), "test]");
        assert_eq!(first("rust", "#[derive(‸)]\nstruct A;"), "Debug, Clone");
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

    #[test]
    fn loops() {
        assert_eq!(first("rust", "for ‸"), "i in 0..10 {⏎    ‸⏎}");
        assert_eq!(
            first("rust", "let users = vec![];\nfor ‸"),
            "user in &users {⏎    ‸⏎}"
        );
        assert_eq!(
            first("rust", "let users = vec![];\nfor user in ‸"),
            "&users {⏎    ‸⏎}"
        );
        assert_eq!(first("rust", "for i in 0..3‸"), " {⏎    ‸⏎}");
        assert_eq!(first("rust", "loop‸"), " {⏎    ‸⏎}");
    }

    #[test]
    fn conditions() {
        assert_eq!(
            first("rust", "let users = vec![];\nif ‸"),
            "!users.is_empty() {⏎    ‸⏎}"
        );
        assert_eq!(first("rust", "if a == b ‸"), "{⏎    ‸⏎}");
        assert_eq!(
            first("rust", "let user = f();\nif let ‸"),
            "Some(it) = user {⏎    ‸⏎}"
        );
        assert_eq!(first("rust", "if let Some(x) = y‸"), " {⏎    ‸⏎}");
    }

    #[test]
    fn a_match_names_the_variants() {
        let text = "enum Shape {\n    Round,\n    Square,\n}\n\nfn f(s: &Shape) {\n    match s‸\n}";
        assert_eq!(
            first("rust", text),
            " {⏎        Shape::Round => {}⏎        Shape::Square => {}⏎    }"
        );
        assert_eq!(
            first("rust", "let x = 1;\nmatch ‸"),
            "x {⏎    ‸ => {}⏎    _ => {}⏎}"
        );
    }

    #[test]
    fn lines() {
        assert_eq!(first("rust", "let total = 1;\nprintln‸"), "!(\"{total}\");");
        assert_eq!(first("rust", "println!(‸"), "\"‸\");");
        assert_eq!(first("rust", "let x = vec‸"), "![‸]");
        assert_eq!(
            first("rust", "fn go() -> Result<(), Error> {\n    f();\n    ‸\n}"),
            "Ok(())"
        );
        assert_eq!(first("rust", "let mut users ‸"), "= Vec::new();");
    }
}
