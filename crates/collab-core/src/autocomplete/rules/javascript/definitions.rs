//! Functions, arrows, classes.

use crate::autocomplete::context::{Context, is_word};
use crate::autocomplete::names::Role;
use crate::autocomplete::rank::{EXACT, LIKELY, PLAUSIBLE};
use crate::autocomplete::rules::headers::{self, Body};
use crate::autocomplete::{Kind, Suggestion};

/// `function ` → a whole function; `function name` → parameters and body; `function name(a` →
/// what is missing.
pub fn function(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context
        .after("function")
        .filter(|_| context.at_code_end() && !context.has_body())
    else {
        return;
    };
    let rest = after.rest;
    if rest.is_empty() {
        context.offer(
            found,
            Kind::Block,
            EXACT,
            &[after.space, "functionName(args) {\n\t‸\n}"],
        );
    } else if is_word(rest) && context.typed == rest {
        context.offer(found, Kind::Block, EXACT, &["(‸) {\n\t\n}"]);
    } else if headers::reads_complete(context) || rest.ends_with('(') {
        headers::finish_at(context, found, Body::Braces, LIKELY + 50);
    }
}

/// `=>` → a body in braces and whatever the line still lacks; `const f = (a, b)` → the arrow.
pub fn arrow(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || context.has_body() {
        return;
    }
    let line = context.line.trim_end();
    let space = if context.line.ends_with(' ') { "" } else { " " };
    let closers = context.closers();
    let end = if context.semicolons() { ";" } else { "" };
    // Inside an object or a longer call the statement is not over.
    let outer = context
        .lexed
        .open
        .iter()
        .any(|open| open.bracket != b'{' && !open.closed);
    let end = if outer && closers.is_empty() { "" } else { end };
    if line.ends_with("=>") {
        context.offer(
            found,
            Kind::Block,
            EXACT,
            &[space, "{\n\t‸\n}", &closers, end],
        );
    } else if line.ends_with(')')
        && closers.is_empty()
        && let Some((_, value)) = context.trimmed().split_once("= ")
    {
        let parameters = value.strip_prefix("async ").unwrap_or(value).trim_end();
        let plain = parameters
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'));
        if plain.is_some_and(|inside| {
            inside
                .split(',')
                .all(|name| is_word(name.trim()) || inside.is_empty())
        }) {
            context.offer(found, Kind::Block, LIKELY, &[space, "=> {\n\t‸\n}", end]);
        }
    }
}

/// `class ` → a class with a constructor; `extends` → a base, and a constructor that calls it.
pub fn class(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    const BODY: &str = " {\n\tconstructor(‸) {\n\t\t\n\t}\n}";
    const DERIVED: &str = " {\n\tconstructor(‸) {\n\t\tsuper();\n\t}\n}";
    let Some(after) = context
        .after("class")
        .filter(|_| context.at_code_end() && !context.has_body())
    else {
        return;
    };
    let rest = after.rest;
    let blank = rest.ends_with(' ');
    if rest.is_empty() {
        context.offer(found, Kind::Block, EXACT, &[after.space, "ClassName", BODY]);
    } else if let Some((_, base)) = rest.split_once("extends") {
        let space = if base.is_empty() { " " } else { "" };
        if base.trim().is_empty() {
            let base = context.names.of(Role::Type).next().unwrap_or("Error");
            context.offer(found, Kind::Block, EXACT, &[space, base, DERIVED]);
        } else if is_word(base.trim()) {
            context.offer(
                found,
                Kind::Block,
                EXACT,
                &[if blank { DERIVED.trim_start() } else { DERIVED }],
            );
        }
    } else if is_word(rest.trim_end()) {
        context.offer(
            found,
            Kind::Block,
            EXACT,
            &[if blank { BODY.trim_start() } else { BODY }],
        );
        if rest.trim_end().ends_with("Error") {
            let space = if blank { "" } else { " " };
            context.offer(
                found,
                Kind::Block,
                EXACT + 9,
                &[space, "extends Error", DERIVED],
            );
        }
    }
}

/// In a class: `constructor` and methods get parameters and a body.
pub fn constructor(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let class = context
        .enclosing()
        .next()
        .is_some_and(|line| line.contains("class "));
    if !class || !context.at_code_end() || context.has_body() {
        return;
    }
    let statement = context.statement();
    if statement.is_empty() && context.trimmed().is_empty() {
        let built = context
            .lines_above()
            .take_while(|(_, indent)| *indent >= context.columns());
        if !built
            .into_iter()
            .any(|(line, _)| line.starts_with("constructor"))
        {
            context.offer(found, Kind::Block, PLAUSIBLE, &["constructor(‸) {\n\t\n}"]);
        }
    } else if is_word(statement) && context.typed == statement {
        let known = matches!(
            statement,
            "constructor" | "render" | "toString" | "connectedCallback"
        );
        context.offer(
            found,
            Kind::Block,
            if known { EXACT } else { PLAUSIBLE },
            &["(‸) {\n\t\n}"],
        );
    } else if statement
        .split_once('(')
        .is_some_and(|(name, _)| is_word(name))
        && !headers::is_header(context)
        && (headers::reads_complete(context) || statement.ends_with('('))
    {
        headers::finish_at(context, found, Body::Braces, LIKELY + 50);
    }
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::first;

    #[test]
    fn functions() {
        assert_eq!(first("js", "function ‸"), "functionName(args) {⏎  ‸⏎}");
        assert_eq!(first("js", "function go‸"), "(‸) {⏎  ⏎}");
        assert_eq!(first("js", "export async function go(a, b‸"), ") {⏎  ‸⏎}");
        assert_eq!(first("js", "function go(a) ‸"), "{⏎  ‸⏎}");
        assert_eq!(first("js", "function go(a) {‸"), "⏎  ‸⏎}");
    }

    #[test]
    fn arrows() {
        assert_eq!(first("js", "const f = (a, b)‸"), " => {⏎  ‸⏎};");
        assert_eq!(first("js", "const f = (a, b) =>‸"), " {⏎  ‸⏎};");
        assert_eq!(first("js", "users.forEach((user) => ‸"), "{⏎  ‸⏎});");
    }

    #[test]
    fn classes() {
        assert_eq!(
            first("js", "class ‸"),
            "ClassName {⏎  constructor(‸) {⏎    ⏎  }⏎}"
        );
        assert_eq!(first("js", "class A‸"), " {⏎  constructor(‸) {⏎    ⏎  }⏎}");
        assert_eq!(
            first("js", "class A {}\nclass B extends ‸"),
            "A {⏎  constructor(‸) {⏎    super();⏎  }⏎}"
        );
        assert_eq!(
            first("js", "class A {\n  ‸\n}"),
            "constructor(‸) {⏎    ⏎  }"
        );
        assert_eq!(
            first("js", "class A {\n  constructor‸\n}"),
            "(‸) {⏎    ⏎  }"
        );
        assert_eq!(first("js", "class A {\n  go(x‸\n}"), ") {⏎    ‸⏎  }");
    }
}
