//! Macros, return types and last lines.

use crate::autocomplete::context::Context;
use crate::autocomplete::names::Role;
use crate::autocomplete::rank::{EXACT, LIKELY, PLAUSIBLE};
use crate::autocomplete::{Kind, Suggestion};

/// `println`, `assert_eq`, `vec` and their like → with brackets, and the nearest value where one
/// is printed.
pub fn macros(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    let value = context.names.of(Role::Value).next().unwrap_or("");
    let inside = if value.is_empty() {
        "\"‸\"".to_owned()
    } else {
        ["\"{", value, "}\""].concat()
    };
    let statement = context.trimmed() == context.typed;
    let end = if statement { ";" } else { "" };
    match context.typed {
        "println" | "print" | "eprintln" if statement => {
            context.offer(found, Kind::Phrase, EXACT, &["!(", &inside, ");"]);
        }
        "format" => context.offer(found, Kind::Phrase, LIKELY, &["!(", &inside, ")", end]),
        "assert" if statement => context.offer(found, Kind::Phrase, LIKELY, &["!(‸);"]),
        "assert_eq" | "assert_ne" if statement => {
            context.offer(found, Kind::Phrase, EXACT, &["!(‸, );"])
        }
        "vec" => context.offer(found, Kind::Phrase, LIKELY, &["![‸]", end]),
        "panic" | "todo" if statement => context.offer(found, Kind::Phrase, LIKELY, &["!(\"‸\");"]),
        _ => {}
    }
    if matches!(context.trimmed(), "println!(" | "print!(" | "eprintln!(")
        && !context.closers().is_empty()
    {
        context.offer(found, Kind::Phrase, EXACT, &[&inside, ");"]);
    }
}

/// `fn name() -> ` → what functions of that name give back.
pub fn return_type(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context.after("fn") else {
        return;
    };
    if !context.at_code_end() || !after.rest.ends_with("-> ") || context.has_body() {
        return;
    }
    let asks = ["is_", "has_", "can_"]
        .iter()
        .any(|start| after.rest.starts_with(start));
    let makes = ["new", "from_", "with_"]
        .iter()
        .any(|start| after.rest.starts_with(start));
    let name = if asks {
        "bool"
    } else if makes {
        "Self"
    } else if context.window.contains("-> Result<") {
        "Result<‸>"
    } else {
        "Option<‸>"
    };
    context.offer(found, Kind::Block, LIKELY, &[name, " {\n\t\n}"]);
}

/// The last line of a function that gives a `Result`, when it is blank.
pub fn ok(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || !context.trimmed().is_empty() {
        return;
    }
    let header = context.enclosing().next().unwrap_or("");
    let result = header.contains("-> Result<()") || header.contains("-> io::Result<()>");
    let last = context.next().is_none_or(|(line, _)| line.starts_with('}'));
    let statement = context
        .previous()
        .is_some_and(|(line, _)| line.ends_with([';', '}']));
    if result && last && statement {
        context.offer(found, Kind::Phrase, LIKELY, &["Ok(())"]);
    }
}

/// `let name = ` → an empty value of the kind the name speaks of.
pub fn let_value(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(rest) = context
        .trimmed()
        .strip_prefix("let mut ")
        .filter(|_| context.at_code_end())
    else {
        return;
    };
    let value = match rest.split_once(" = ").filter(|(_, value)| value.is_empty()) {
        Some((name, _)) if name.ends_with('s') => "Vec::new();",
        Some(("count" | "total" | "sum" | "n" | "i" | "index", _)) => "0;",
        Some(("text" | "name" | "line" | "out" | "output", _)) => "String::new();",
        _ => return,
    };
    context.offer(found, Kind::Phrase, PLAUSIBLE + 50, &[value]);
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::first;

    #[test]
    fn macros_print_what_is_near() {
        assert_eq!(first("rust", "let total = 1;\nprintln‸"), "!(\"{total}\");");
        assert_eq!(first("rust", "println!(‸"), "\"‸\");");
        assert_eq!(first("rust", "let x = vec‸"), "![‸]");
    }

    #[test]
    fn results() {
        assert_eq!(first("rust", "fn is_open(&self) -> ‸"), "bool {⏎    ⏎}");
        assert_eq!(
            first("rust", "fn go() -> Result<(), Error> {\n    f();\n    ‸\n}"),
            "Ok(())"
        );
        assert_eq!(first("rust", "let mut users = ‸"), "Vec::new();");
    }
}
