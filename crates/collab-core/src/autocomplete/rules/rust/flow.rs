//! Loops, conditions, matches.

use crate::autocomplete::context::{Context, is_word};
use crate::autocomplete::names::singular;
use crate::autocomplete::rank::{EXACT, LIKELY};
use crate::autocomplete::rules::braces;
use crate::autocomplete::rules::headers::{self, Body};
use crate::autocomplete::rules::values::{self, Tests};
use crate::autocomplete::{Kind, Suggestion};

const TESTS: Tests = Tests {
    many: ("!", ".is_empty()"),
    number: ("", " > 0"),
    text: ("!", ".is_empty()"),
    unknown: ("", ""),
};

/// Variants of an enum that arms are written for; further ones are left to the person.
const MAX_ARMS: usize = 12;

/// `for ` → a loop over what is at hand, by reference; one begun is finished. `loop` gets a body.
pub fn for_loop(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || context.has_body() {
        return;
    }
    if let Some(after) = context.after("loop").filter(|after| after.rest.is_empty()) {
        context.offer(found, Kind::Block, EXACT, &[after.space, "{\n\t‸\n}"]);
    }
    let Some(after) = context.after("for") else {
        return;
    };
    let body = " {\n\t‸\n}";
    let rest = after.rest;
    let (before, variable) = if rest.is_empty() {
        (after.space, None)
    } else if let Some(variable) = rest.strip_suffix(" in ") {
        ("", Some(variable))
    } else if is_word(rest) && context.typed == rest {
        (" in ", Some(rest))
    } else {
        if rest.contains(" in ") {
            headers::finish(context, found, Body::Braces);
        }
        return;
    };
    for (place, many) in (0..3).zip(values::iterables(context)) {
        let one = singular(many);
        let own = u32::from(variable == Some(&one)) * 10;
        let named = if variable.is_none() {
            [one.as_str(), " in "].concat()
        } else {
            String::new()
        };
        context.offer(
            found,
            Kind::Block,
            EXACT + own - place,
            &[before, &named, "&", many, body],
        );
    }
    let named = if variable.is_none() { "i in " } else { "" };
    context.offer(found, Kind::Block, LIKELY, &[before, named, "0..10", body]);
}

/// `if`, `while`, `else`, without parentheses.
pub fn condition(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !["if let", "while let"]
        .iter()
        .any(|start| context.statement().starts_with(start))
    {
        braces::conditions(context, found, false, &TESTS);
    }
    if context.at_code_end()
        && let Some(after) = context.after("else").filter(|after| after.rest.is_empty())
        && !context.has_body()
    {
        context.offer(found, Kind::Block, LIKELY, &[after.space, "{\n\t‸\n}"]);
    }
}

/// `if let ` → the pattern most wanted; one begun is finished.
pub fn if_let(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || context.has_body() {
        return;
    }
    for keyword in ["if let", "while let"] {
        let Some(after) = context.after(keyword) else {
            continue;
        };
        let value = values::value(context).unwrap_or("value");
        if after.rest.is_empty() {
            let one = if singular(value) == "item" {
                "it".to_owned()
            } else {
                singular(value)
            };
            context.offer(
                found,
                Kind::Block,
                EXACT,
                &[after.space, "Some(", &one, ") = ", value, " {\n\t‸\n}"],
            );
        } else if after.rest.ends_with(" = ") {
            context.offer(found, Kind::Block, EXACT, &[value, " {\n\t‸\n}"]);
        } else if after.rest.contains(" = ") {
            headers::finish(context, found, Body::Braces);
        }
    }
}

/// `match value` → an arm for each variant when the window shows an enum of which the function
/// speaks, else for `Some` and `None` or a value and the rest.
pub fn match_arms(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || context.has_body() {
        return;
    }
    let Some((_, rest)) = context.trimmed().rsplit_once("match") else {
        return;
    };
    let starts = context.statement().starts_with("match") || context.trimmed().contains(" match ");
    if !starts || rest.contains('{') {
        return;
    }
    let space = if rest.is_empty() { " " } else { "" };
    let closers = context.closers();
    let value = if rest.trim().is_empty() {
        values::value(context).unwrap_or("value")
    } else if headers::reads_complete(context) {
        ""
    } else {
        return;
    };
    let blank = if rest.ends_with(' ') && value.is_empty() {
        ""
    } else {
        " "
    };
    let named = if value.is_empty() { rest.trim() } else { value };
    let mut arms = String::new();
    for (name, variant) in variants(context, named) {
        arms.extend(["\n\t", name, "::", variant, " => {}"]);
    }
    let arms = if arms.is_empty() {
        "\n\t‸ => {}\n\t_ => {}".to_owned()
    } else {
        arms
    };
    let score = if context.typed_is_known() || !value.is_empty() {
        EXACT
    } else {
        LIKELY
    };
    context.offer(
        found,
        Kind::Block,
        score,
        &[space, value, &closers, blank, "{", &arms, "\n}"],
    );
}

/// The variants of the enum that `value` is declared to be: `shape: &Shape`, or that is called
/// like it.
fn variants<'a>(context: &Context<'a>, value: &str) -> Vec<(&'a str, &'a str)> {
    let tokens = &context.lexed.tokens;
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text);
    let mut all = Vec::new();
    for index in 0..tokens.len() {
        let name = text(index + 1);
        let declared = || {
            (0..tokens.len()).any(|at| {
                text(at) == value
                    && text(at + 1) == ":"
                    && (text(at + 2) == name || (text(at + 2) == "&" && text(at + 3) == name))
            })
        };
        if text(index) != "enum" || !(name.eq_ignore_ascii_case(value) || declared()) {
            continue;
        }
        let mut depth = 0;
        for at in index + 2..tokens.len() {
            match text(at) {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                variant
                    if depth == 1
                        && matches!(text(at - 1), "{" | "," | "]")
                        && is_word(variant) =>
                {
                    // What a variant carries would have to be named: `Round(_)` reads badly.
                    if matches!(text(at + 1), "," | "}" | "=") {
                        all.push((name, variant));
                    }
                }
                _ => {}
            }
            if depth == 0 || all.len() == MAX_ARMS {
                break;
            }
        }
        break;
    }
    all
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::first;

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
            first("rust", "let users = vec![];\nif let ‸"),
            "Some(user) = users {⏎    ‸⏎}"
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
}
