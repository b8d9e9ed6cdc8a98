//! Functions, types, imports, the package line.

use crate::autocomplete::context::{Context, is_word};
use crate::autocomplete::names::Role;
use crate::autocomplete::rank::{EXACT, LIKELY};
use crate::autocomplete::rules::headers::{self, Body};
use crate::autocomplete::{Kind, Suggestion};

/// `func ` → `main` where the program has none, else a function; `func (` → the receiver the
/// last method had; one begun gets the rest of its header and a body.
pub fn function(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context
        .after("func")
        .filter(|_| context.at_code_end() && !context.has_body())
    else {
        return;
    };
    let rest = after.rest;
    if rest.is_empty() {
        let program =
            context.head.contains("package main") && !context.window.contains("func main()");
        if program {
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
            &[after.space, "functionName() {\n\t‸\n}"],
        );
    } else if rest == "(" {
        let above = context
            .lines_above()
            .find_map(|(line, _)| line.strip_prefix("func ("));
        let receiver = above.and_then(|line| line.split(')').next());
        let close = if context.closers().is_empty() {
            ""
        } else {
            ") ‸() {\n\t\n}"
        };
        if let Some(receiver) = receiver {
            context.offer(found, Kind::Block, EXACT, &[receiver, close]);
        } else if let Some(name) = context.names.of(Role::Type).next() {
            let short = name
                .chars()
                .take(1)
                .flat_map(char::to_lowercase)
                .collect::<String>();
            context.offer(found, Kind::Block, EXACT, &[&short, " *", name, close]);
        }
    } else if context.typed == rest.rsplit(") ").next().unwrap_or("") && is_word(context.typed) {
        // A name, alone or behind the receiver.
        context.offer(found, Kind::Block, EXACT, &["(‸) {\n\t\n}"]);
    } else if headers::reads_complete(context) || rest.ends_with('(') {
        headers::finish_at(context, found, Body::Braces, LIKELY + 50);
    }
}

/// `type ` → a struct; `type Name ` → a struct or interface.
pub fn types(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context
        .after("type")
        .filter(|_| context.at_code_end() && !context.has_body())
    else {
        return;
    };
    let body = "struct {\n\t‸\n}";
    let rest = after.rest;
    let space = if rest.ends_with(' ') { "" } else { " " };
    if rest.is_empty() {
        context.offer(found, Kind::Block, EXACT, &[after.space, "Name ", body]);
    } else if rest.ends_with(" struct") || rest.ends_with(" interface") {
        context.offer(found, Kind::Block, EXACT, &[" {\n\t‸\n}"]);
    } else if is_word(rest.trim_end()) {
        context.offer(found, Kind::Block, EXACT, &[space, body]);
        context.offer(found, Kind::Block, LIKELY, &[space, "interface {\n\t‸\n}"]);
    }
}

/// Packages by the name they are used under.
const PACKAGES: &[&str] = &[
    "fmt",
    "os",
    "errors",
    "strings",
    "strconv",
    "time",
    "context",
    "log",
    "io",
    "bufio",
    "sync",
    "sort",
    "math",
    "bytes",
    "net/http",
    "encoding/json",
    "path/filepath",
    "testing",
];

/// `import ` and lines in `import (` → packages that are used but not imported, then common ones.
pub fn import(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    let listed = context.trimmed().is_empty() && context.enclosing().next() == Some("import (");
    let space = match context.after("import") {
        Some(after) if after.rest.is_empty() => after.space,
        _ if listed => "",
        _ => return,
    };
    for (place, package) in (0u32..).zip(PACKAGES) {
        let name = package.rsplit('/').next().unwrap_or(package);
        let used = context.lexed.tokens.windows(2).any(|two| match two {
            [token, dot] => token.text == name && dot.text == ".",
            _ => false,
        });
        if !context.head.contains(&["\"", package, "\""].concat()) && (used || !listed) {
            let score = if used { EXACT } else { LIKELY };
            context.offer(
                found,
                Kind::Phrase,
                score - place,
                &[space, "\"", package, "\""],
            );
        }
    }
    if !listed {
        context.offer(found, Kind::Block, LIKELY - 50, &[space, "(\n\t\"‸\"\n)"]);
    }
}

/// `package ` → `main`.
pub fn package(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if let Some(after) = context
        .after("package")
        .filter(|after| after.rest.is_empty() && context.at_code_end())
    {
        context.offer(found, Kind::Phrase, EXACT, &[after.space, "main"]);
    }
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::first;

    #[test]
    fn functions() {
        assert_eq!(first("go", "package main\n\nfunc ‸"), "main() {⏎→‸⏎}");
        assert_eq!(first("go", "func ‸"), "functionName() {⏎→‸⏎}");
        assert_eq!(first("go", "func go2‸"), "(‸) {⏎→⏎}");
        assert_eq!(first("go", "func go2(a int) error ‸"), "{⏎→‸⏎}");
        assert_eq!(
            first("go", "type Server struct {\n}\n\nfunc (‸"),
            "s *Server) ‸() {⏎→⏎}"
        );
        assert_eq!(first("go", "func (s *Server) Run‸"), "(‸) {⏎→⏎}");
    }

    #[test]
    fn types_and_imports() {
        assert_eq!(first("go", "type ‸"), "Name struct {⏎→‸⏎}");
        assert_eq!(first("go", "type A interface‸"), " {⏎→‸⏎}");
        assert_eq!(first("go", "import ‸"), "\"fmt\"");
        assert_eq!(
            first(
                "go",
                "import (\n\t\"fmt\"\n\t‸\n)\n\nfunc f() {\n\tstrings.Split(x)\n}"
            ),
            "\"strings\""
        );
    }
}
