//! Calls and expressions: callbacks, `console`, `return`, `new`, listeners, hooks.

use super::modules::quote;
use crate::autocomplete::context::{Context, is_word};
use crate::autocomplete::lexer::Sort;
use crate::autocomplete::names::{Role, singular};
use crate::autocomplete::rank::{EXACT, LIKELY, PLAUSIBLE};
use crate::autocomplete::{Kind, Suggestion};

/// Methods that are given one element at a time.
const EACH: &[&str] = &[
    "map",
    "forEach",
    "filter",
    "find",
    "some",
    "every",
    "flatMap",
    "findIndex",
];

/// `users.map(` → `(user) => )`, named after what there are many of; `.then(` and `.catch(` alike.
pub fn callback(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    let [.., owner, dot, method, open] = context.line_tokens() else {
        return;
    };
    if open.text != "(" || dot.text != "." || open.at + 1 != context.caret {
        return;
    }
    let closers = context.closers();
    let parameter = match method.text {
        "then" => "result".to_owned(),
        "catch" => "error".to_owned(),
        text if EACH.contains(&text) && owner.sort == Sort::Word => singular(owner.text),
        text if EACH.contains(&text) => "item".to_owned(),
        _ => return,
    };
    context.offer(
        found,
        Kind::Phrase,
        EXACT,
        &["(", &parameter, ") => ‸", &closers],
    );
    context.offer(
        found,
        Kind::Block,
        LIKELY,
        &["(", &parameter, ") => {\n\t‸\n}", &closers],
    );
}

/// `console.` → `log(…)` of the nearest value.
pub fn console(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    let end = if context.semicolons() { ";" } else { "" };
    let value = context.names.of(Role::Value).next().unwrap_or("‸");
    match context.statement() {
        "console." => context.offer(found, Kind::Phrase, EXACT, &["log(", value, ")", end]),
        "console.log(" | "console.error(" if value != "‸" => {
            let closers = context.closers();
            let end = if closers.is_empty() { "" } else { end };
            context.offer(found, Kind::Phrase, LIKELY, &[value, &closers, end]);
        }
        _ => {}
    }
}

/// `return `, `await `, `throw ` → what it would most likely be.
pub fn give_back(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    let end = if context.semicolons() { ";" } else { "" };
    match context.statement() {
        "return " => {
            for (place, name) in (0..3).zip(context.names.of(Role::Value)) {
                context.offer(found, Kind::Phrase, LIKELY - place, &[name, end]);
            }
        }
        "throw " => {
            let quote = quote(context);
            context.offer(
                found,
                Kind::Phrase,
                LIKELY,
                &["new Error(", quote, "‸", quote, ")", end],
            );
        }
        _ => {}
    }
}

/// `new ` → the types of this document, then those every program has.
pub fn new(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || !context.line.ends_with("new ") {
        return;
    }
    let closers = context.closers();
    let end = if closers.is_empty() && context.semicolons() {
        ";"
    } else {
        ""
    };
    for (place, name) in (0..3).zip(context.names.of(Role::Type)) {
        context.offer(
            found,
            Kind::Phrase,
            LIKELY - place,
            &[name, "(‸)", &closers, end],
        );
    }
    for (place, name) in (0..4).zip(["Map", "Set", "Date", "AbortController"]) {
        context.offer(
            found,
            Kind::Phrase,
            PLAUSIBLE - place,
            &[name, "()", &closers, end],
        );
    }
    let promise = "Promise((resolve, reject) => {\n\t‸\n})";
    context.offer(
        found,
        Kind::Block,
        PLAUSIBLE + 10,
        &[promise, &closers, end],
    );
}

/// Calls whose last argument is a function: `addEventListener(`, `setTimeout(`, `it(`.
pub fn listeners(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some((call, open)) = context
        .line_tokens()
        .split_last_chunk::<2>()
        .map(|(_, [call, open])| (call, open))
    else {
        return;
    };
    if !context.at_code_end() || open.text != "(" || context.closers() != ")" {
        return;
    }
    let quote = quote(context);
    let end = if context.semicolons() { ";" } else { "" };
    let pieces: &[&str] = match call.text {
        "addEventListener" => &[quote, "click", quote, ", (event) => {\n\t‸\n})", end],
        "setTimeout" | "setInterval" => &["() => {\n\t‸\n}, 1000)", end],
        "describe" | "it" | "test" => &[quote, "‸", quote, ", () => {\n\t\n})", end],
        "useEffect" => &["() => {\n\t‸\n}, [])", end],
        "require" => &[quote, "‸", quote, ")", end],
        _ => return,
    };
    context.offer(found, Kind::Block, EXACT, pieces);
}

/// `const [count` → `, setCount] = useState(…)`, in files that use it.
pub fn state(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(name) = context
        .statement()
        .strip_prefix("const [")
        .filter(|name| is_word(name))
    else {
        return;
    };
    if !context.at_code_end() || !context.window.contains("useState") {
        return;
    }
    let mut letters = name.chars();
    let Some(first) = letters.next() else { return };
    let setter: String = first.to_uppercase().chain(letters).collect();
    let end = if context.semicolons() { ";" } else { "" };
    let closed = context.closers().is_empty();
    if !closed {
        context.offer(
            found,
            Kind::Phrase,
            EXACT,
            &[", set", &setter, "] = useState(‸)", end],
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::{first, has};

    #[test]
    fn callbacks_name_their_element() {
        assert_eq!(first("js", "const names = users.map(‸"), "(user) => ‸)");
        assert_eq!(first("js", "fetch(url).then(‸"), "(result) => ‸)");
        assert!(has("js", "users.forEach(‸", "(user) => {⏎  ‸⏎})"));
    }

    #[test]
    fn the_nearest_value() {
        assert_eq!(first("js", "const total = 1;\nconsole.‸"), "log(total);");
        assert_eq!(
            first("js", "const total = 1\nfoo()\nconsole.log(‸"),
            "total)"
        );
        assert_eq!(first("js", "function f(x) {\n  return ‸\n}"), "x;");
        assert_eq!(first("js", "throw ‸"), "new Error('‸');");
        assert_eq!(first("js", "class A {}\nconst a = new ‸"), "A(‸);");
    }

    #[test]
    fn functions_as_arguments() {
        assert_eq!(
            first("js", "button.addEventListener(‸"),
            "'click', (event) => {⏎  ‸⏎});"
        );
        assert_eq!(first("js", "it(‸"), "'‸', () => {⏎  ⏎});");
        assert_eq!(
            first("jsx", "import { useState } from 'react';\nconst [count‸"),
            ", setCount] = useState(‸);"
        );
    }
}
