//! Loops, conditions and the other headers.

use super::definitions::in_class;
use crate::autocomplete::context::{Context, is_word};
use crate::autocomplete::names::singular;
use crate::autocomplete::rank::{EXACT, FALLBACK, LIKELY, PLAUSIBLE};
use crate::autocomplete::rules::headers::{self, Body};
use crate::autocomplete::rules::values::{self, Tests};
use crate::autocomplete::{Kind, Suggestion};

const TESTS: Tests = Tests {
    many: ("", ""),
    number: ("", " > 0"),
    text: ("", ""),
    unknown: ("", ""),
};

/// `for ` → a loop over what is at hand, `for user in users:`, or over a range; a loop begun is
/// finished: `for x in ` finds the nearest iterable, best of all the plural of `x`.
pub fn for_loop(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context.after("for").filter(|_| context.at_code_end()) else {
        return;
    };
    let body = if context.has_body() { ":" } else { ":\n\tpass" };
    let rest = after.rest;
    if rest.is_empty() {
        for (score, many) in (EXACT - 3..EXACT).rev().zip(values::iterables(context)) {
            context.offer(
                found,
                Kind::Block,
                score,
                &[after.space, &singular(many), " in ", many, body],
            );
        }
        if let Some(many) = values::iterables(context).next() {
            let pieces = [
                after.space,
                "i, ",
                &singular(many),
                " in enumerate(",
                many,
                ")",
                body,
            ];
            context.offer(found, Kind::Block, LIKELY, &pieces);
        }
        context.offer(
            found,
            Kind::Block,
            LIKELY + 50,
            &[after.space, "i in range(10)", body],
        );
        return;
    }
    let Some((variable, of)) = rest
        .split_once(" in")
        .filter(|(_, of)| of.is_empty() || of.starts_with(' '))
    else {
        if is_word(rest) && context.line.ends_with(rest) {
            over(context, found, rest, " in ", body);
        } else if let Some(variable) = rest.strip_suffix(' ').filter(|name| is_word(name)) {
            over(context, found, variable, "in ", body);
        }
        return;
    };
    let space = if of.is_empty() { " " } else { "" };
    if !of.trim().is_empty() {
        headers::finish(context, found, Body::Colon);
    } else if let Some((first, _)) = variable.split_once(',') {
        let (before, behind) = if matches!(first, "i" | "index" | "n") {
            ("enumerate(", ")")
        } else {
            ("", ".items()")
        };
        let many = values::iterables(context).next().unwrap_or("items");
        context.offer(
            found,
            Kind::Block,
            EXACT,
            &[space, before, many, behind, body],
        );
    } else {
        over(context, found, variable.trim(), space, body);
    }
}

/// What `variable` could run over.
fn over(
    context: &Context<'_>,
    found: &mut Vec<Suggestion>,
    variable: &str,
    before: &str,
    body: &str,
) {
    let counts = matches!(variable, "i" | "j" | "k" | "n" | "index" | "_");
    let score = if counts { LIKELY } else { EXACT };
    for (rank, many) in (0..4).zip(values::iterables(context)) {
        let own = u32::from(singular(many) == variable) * 10;
        context.offer(
            found,
            Kind::Block,
            score + own - rank,
            &[before, many, body],
        );
    }
    let range = if counts { EXACT } else { LIKELY };
    context.offer(found, Kind::Block, range, &[before, "range(10)", body]);
}

/// `if `, `elif `, `while ` → a test of something in reach, and the rest of a test begun.
pub fn condition(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    for keyword in ["if", "elif", "while"] {
        let Some(after) = context.after(keyword) else {
            continue;
        };
        let body = if context.has_body() { ":" } else { ":\n\tpass" };
        if after.rest.is_empty() {
            let condition = values::condition(context, &TESTS);
            context.offer(found, Kind::Block, EXACT, &[after.space, &condition, body]);
            if keyword == "while" {
                context.offer(found, Kind::Block, EXACT + 9, &[after.space, "True", body]);
            }
        } else if after.rest.ends_with(" in ") || after.rest == "not " {
            let value = if after.rest == "not " {
                values::value(context)
            } else {
                values::iterables(context).next()
            };
            if let Some(value) = value {
                context.offer(found, Kind::Block, LIKELY, &[value, body]);
            }
        } else {
            headers::finish(context, found, Body::Colon);
        }
    }
}

/// `if __name__ == "__main__":`, when it is begun, or on a line of its own below a `main` that
/// nobody calls yet.
pub fn main_guard(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    const GUARD: &str = "if __name__ == \"__main__\":\n\tmain()";
    if context.columns() > 0 || !context.at_code_end() || in_class(context) {
        return;
    }
    let typed = context.trimmed();
    if typed.is_empty() {
        let main = context
            .lines_above()
            .any(|(line, _)| line.starts_with("def main("));
        let below =
            context.next().is_none() && context.previous().is_some_and(|(_, indent)| indent > 0);
        if main && below && !context.window.contains("__name__") {
            context.offer(found, Kind::Block, LIKELY, &[GUARD]);
        }
    } else if let Some(rest) = GUARD.strip_prefix(typed).filter(|_| typed.len() > 4) {
        context.offer(found, Kind::Block, EXACT, &[rest]);
    }
}

/// `else`, `finally` and `try` on a line of their own.
pub fn plain_headers(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if context.at_code_end()
        && !context.has_body()
        && ["else", "finally"].contains(&context.trimmed())
    {
        context.offer(found, Kind::Block, EXACT, &[":\n\tpass"]);
    }
}

/// `with ` → an opened file; `with open(path)` → the name it goes by.
pub fn with(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context.after("with").filter(|_| context.at_code_end()) else {
        return;
    };
    let body = if context.has_body() { ":" } else { ":\n\tpass" };
    if after.rest.is_empty() {
        let path = (context.names.iter().map(|name| name.text))
            .find(|name| name.contains("path") || name.contains("file"))
            .unwrap_or("path");
        context.offer(
            found,
            Kind::Block,
            EXACT,
            &[after.space, "open(", path, ") as file", body],
        );
    } else if after.rest.contains(" as ") {
        headers::finish(context, found, Body::Colon);
    } else if context.line.ends_with(')') && context.closers().is_empty() {
        let name = if after.rest.starts_with("open(") {
            " as file"
        } else {
            " as it"
        };
        context.offer(found, Kind::Block, EXACT, &[name, body]);
        context.offer(found, Kind::Block, LIKELY, &[body]);
    }
}

/// `try` → with the `except` it cannot do without; `except ` → what to catch.
pub fn try_except(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || context.has_body() {
        return;
    }
    let line = context.trimmed();
    if line == "try" || line == "try:" {
        let colon = if line == "try" { ":" } else { "" };
        let pieces = [colon, "\n\t‸pass\nexcept Exception as error:\n\traise"];
        context.offer(found, Kind::Block, EXACT, &pieces);
    } else if let Some(after) = context.after("except") {
        match after.rest {
            "" => context.offer(
                found,
                Kind::Block,
                EXACT,
                &[after.space, "Exception as error:\n\traise"],
            ),
            rest if is_word(rest) => {
                let score = if context.typed_is_known() || rest.ends_with("Error") {
                    EXACT
                } else {
                    PLAUSIBLE
                };
                context.offer(found, Kind::Block, score, &[" as error:\n\traise"]);
            }
            _ => headers::finish(context, found, Body::Colon),
        }
    }
}

/// `match value` → its cases.
pub fn matching(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || context.has_body() {
        return;
    }
    if let Some(after) = context
        .after("match")
        .filter(|after| after.space.is_empty())
        && !after.rest.is_empty()
        && !after.rest.starts_with(['=', '.', '(', ','])
        && headers::reads_complete(context)
    {
        context.offer(
            found,
            Kind::Block,
            LIKELY,
            &[":\n\tcase ‸:\n\t\tpass\n\tcase _:\n\t\tpass"],
        );
    } else if context
        .after("case")
        .is_some_and(|after| !after.rest.is_empty())
    {
        headers::finish(context, found, Body::Colon);
    }
}

/// A blank line that must hold something: the first of a body.
pub fn empty_body(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some((line, indent)) = context.previous() else {
        return;
    };
    if !context.at_code_end()
        || !context.trimmed().is_empty()
        || !line.ends_with(':')
        || indent >= context.columns()
    {
        return;
    }
    if line.starts_with("class ") {
        context.offer(
            found,
            Kind::Block,
            LIKELY,
            &["def __init__(self‸):\n\tpass"],
        );
    } else if context
        .next()
        .is_none_or(|(_, below)| below < context.columns())
    {
        context.offer(found, Kind::Keyword, FALLBACK + 90, &["pass"]);
    }
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::{first, has};

    #[test]
    fn loops() {
        assert_eq!(first("python", "for ‸"), "i in range(10):⏎    pass");
        assert_eq!(
            first("python", "users = []\nfor ‸"),
            "user in users:⏎    pass"
        );
        assert_eq!(
            first("python", "users = []\nrows = []\nfor user‸"),
            " in users:⏎    pass"
        );
        assert_eq!(
            first("python", "users = []\nrows = []\nfor user in ‸"),
            "users:⏎    pass"
        );
        assert_eq!(
            first("python", "users = []\nfor i in ‸"),
            "range(10):⏎    pass"
        );
        assert_eq!(
            first("python", "users = []\nfor i, user in ‸"),
            "enumerate(users):⏎    pass"
        );
        assert_eq!(
            first("python", "users = {}\nfor key, user in‸"),
            " users.items():⏎    pass"
        );
        assert_eq!(
            first("python", "users = []\nfor user in users‸"),
            ":⏎    pass"
        );
        assert_eq!(first("python", "for x in range(3‸"), "):⏎    pass");
    }

    #[test]
    fn conditions() {
        assert_eq!(first("python", "if ‸"), "condition:⏎    pass");
        assert_eq!(
            first("python", "count = 1\nis_open = f()\nx = 1\nif ‸"),
            "is_open:⏎    pass"
        );
        assert_eq!(first("python", "count = 1\nif ‸"), "count > 0:⏎    pass");
        assert_eq!(first("python", "count = 1\nif count‸"), ":⏎    pass");
        assert_eq!(first("python", "count = 1\nif co‸"), "unt");
        assert_eq!(first("python", "if a == ‸"), "");
        assert_eq!(first("python", "if f(a‸"), "):⏎    pass");
        assert_eq!(first("python", "while ‸"), "True:⏎    pass");
        assert_eq!(first("python", "if a:\n    b()\nelse‸"), ":⏎    pass");
    }

    #[test]
    fn main_is_called_once() {
        let guard = "if __name__ == \"__main__\":⏎    main()";
        assert_eq!(first("python", "def main():\n    f()\n\n\n‸"), guard);
        assert!(!has(
            "python",
            "def main():\n    f()\n\nif __name__ == 'x':\n    f()\n\n‸",
            guard
        ));
        assert_eq!(
            first("python", "if __na‸"),
            "me__ == \"__main__\":⏎    main()"
        );
    }

    #[test]
    fn headers_with_partners() {
        assert_eq!(first("python", "with ‸"), "open(path) as file:⏎    pass");
        assert_eq!(first("python", "with open(p)‸"), " as file:⏎    pass");
        assert_eq!(
            first("python", "try‸"),
            ":⏎    ‸pass⏎except Exception as error:⏎    raise"
        );
        assert_eq!(
            first("python", "try:\n    f()\nexcept ‸"),
            "Exception as error:⏎    raise"
        );
        assert_eq!(
            first("python", "match x‸"),
            ":⏎    case ‸:⏎        pass⏎    case _:⏎        pass"
        );
        assert!(!has(
            "python",
            "match = ‸",
            ":⏎    case ‸:⏎        pass⏎    case _:⏎        pass"
        ));
    }

    #[test]
    fn a_body_must_hold_something() {
        assert_eq!(first("python", "def f():\n    ‸"), "pass");
        assert_eq!(
            first("python", "class A:\n    ‸"),
            "def __init__(self‸):⏎        pass"
        );
    }
}
