//! Statements and expressions on one line.

use crate::autocomplete::context::Context;
use crate::autocomplete::names::{Role, singular};
use crate::autocomplete::rank::{EXACT, LIKELY, PLAUSIBLE};
use crate::autocomplete::rules::values;
use crate::autocomplete::{Kind, Suggestion};

/// `return `, `yield `, `assert `, `x = ` → the nearest values; functions only to be called.
pub fn give_back(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || !context.typed.is_empty() {
        return;
    }
    let keyword = ["return ", "yield ", "assert "].contains(&context.trimmed());
    let assigned = context.trimmed().ends_with(" = ") && context.closers().is_empty();
    if keyword || assigned {
        let score = if keyword { LIKELY } else { PLAUSIBLE };
        for (place, name) in (0..3).zip(context.names.of(Role::Value)) {
            context.offer(found, Kind::Phrase, score - place, &[name]);
        }
        context.offer(found, Kind::Phrase, PLAUSIBLE - 20, &["None"]);
    }
}

/// `raise ` → an exception with room for its message.
pub fn raise(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context.after("raise").filter(|_| context.at_code_end()) else {
        return;
    };
    if after.rest.is_empty() {
        context.offer(
            found,
            Kind::Phrase,
            LIKELY,
            &[after.space, "ValueError(\"‸\")"],
        );
    } else if after.rest == context.typed && after.rest.ends_with("Error") {
        context.offer(found, Kind::Phrase, LIKELY, &["(\"‸\")"]);
    }
}

/// `print(` → the nearest value.
pub fn print(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if context.in_code() && (context.trimmed() == "print(" || context.trimmed() == "print") {
        let open = if context.trimmed() == "print" {
            "("
        } else {
            ""
        };
        let value =
            values::value(context).or_else(|| context.names.iter().next().map(|name| name.text));
        let close = if open.is_empty() && context.closers().is_empty() {
            ""
        } else {
            ")"
        };
        if let Some(value) = value.filter(|_| context.rest.trim_start_matches(')').is_empty()) {
            context.offer(found, Kind::Phrase, LIKELY, &[open, value, close]);
        }
    }
}

/// `lambda` → its parameter and a value, as `key=` and its like want it.
pub fn lambda(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    let space = match context.line {
        line if line.ends_with("lambda ") => "",
        _ if context.typed == "lambda" => " ",
        _ => return,
    };
    context.offer(
        found,
        Kind::Phrase,
        EXACT,
        &[space, "item: ‸", &context.closers()],
    );
}

/// In brackets, `x for ` → the loop of a comprehension, to its end.
pub fn comprehension(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(open) = context.innermost().filter(|_| context.at_code_end()) else {
        return;
    };
    let inside = context
        .window
        .get(open.at + 1..context.caret)
        .unwrap_or("")
        .trim_start();
    if inside.contains('\n') {
        return;
    }
    let Some((value, rest)) = inside.split_once(" for") else {
        return;
    };
    let closers = context.closers();
    let own = value
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .next()
        .unwrap_or("");
    let mut many = values::iterables(context);
    let (space, rest) = match rest.strip_prefix(' ') {
        Some(rest) => ("", rest),
        None => (" ", rest),
    };
    if rest.is_empty() {
        let items = many
            .find(|items| singular(items) == own)
            .or_else(|| values::iterables(context).next());
        let items = items.unwrap_or("items");
        let variable = if own.is_empty() {
            singular(items)
        } else {
            own.to_owned()
        };
        context.offer(
            found,
            Kind::Phrase,
            EXACT,
            &[space, &variable, " in ", items, &closers],
        );
    } else if let Some(variable) = rest.strip_suffix(" in ") {
        for (place, items) in (0..3).zip(many) {
            let fits = u32::from(singular(items) == variable) * 10;
            context.offer(
                found,
                Kind::Phrase,
                EXACT + fits - place,
                &[items, &closers],
            );
        }
    }
}

/// `super().` in `__init__` → the call that builds the base.
pub fn super_init(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end()
        || !context
            .enclosing()
            .next()
            .is_some_and(|line| line.starts_with("def __init__"))
    {
        return;
    }
    const CALL: &str = "super().__init__()";
    if let Some(rest) = CALL
        .strip_prefix(context.trimmed())
        .filter(|_| context.trimmed().len() > 1)
    {
        context.offer(found, Kind::Phrase, LIKELY, &[rest]);
    }
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::first;

    #[test]
    fn values_in_reach() {
        assert_eq!(
            first("python", "def f(x):\n    total = x\n    return ‸"),
            "total"
        );
        assert_eq!(first("python", "total = 1\nprint(‸"), "total)");
        assert_eq!(first("python", "total = 1\nprint(‸)"), "total");
        assert_eq!(first("python", "def f(x):\n    return ‸"), "x");
        assert_eq!(first("python", "raise ‸"), "ValueError(\"‸\")");
    }

    #[test]
    fn comprehensions() {
        assert_eq!(first("python", "xs = [x for ‸"), "x in items]");
        assert_eq!(first("python", "sorted(rows, key=lambda‸"), " item: ‸)");
        assert_eq!(
            first("python", "users = []\nrows = []\nx = [user.name for ‸"),
            "user in users]"
        );
        assert_eq!(
            first("python", "users = []\nrows = []\nx = sum(u for u in ‸"),
            "rows)"
        );
    }

    #[test]
    fn bases_are_built() {
        assert_eq!(
            first(
                "python",
                "class A(B):\n    def __init__(self):\n        sup‸"
            ),
            "er().__init__()"
        );
    }
}
