//! Control flow of the languages whose blocks stand in braces: `if`, `while`, `switch`, `try` and
//! their relatives. Each language's own file says which of these it uses and how.

use super::headers::{self, Body};
use super::values::{self, Tests};
use crate::autocomplete::context::Context;
use crate::autocomplete::rank::{EXACT, LIKELY};
use crate::autocomplete::{Kind, Suggestion};

/// `if (…) { … }`, `while (…) { … }`, `else if (…) { … }`: the condition from the names in
/// reach, or the rest of one begun. With `parens` the condition stands in parentheses.
pub fn conditions(context: &Context<'_>, found: &mut Vec<Suggestion>, parens: bool, tests: &Tests) {
    if !context.at_code_end() {
        return;
    }
    for keyword in ["if", "else if", "while"] {
        let Some(after) = context.after(keyword) else {
            continue;
        };
        let condition = || values::condition(context, tests);
        match after.rest {
            "" => {
                let (open, close) = if parens { ("(", ")") } else { ("", "") };
                let pieces = [
                    after.space,
                    open,
                    &condition(),
                    close,
                    Body::Braces.template(),
                ];
                context.offer(found, Kind::Block, EXACT, &pieces);
            }
            "(" if parens => {
                let close = if context.closers().is_empty() {
                    ""
                } else {
                    ")"
                };
                if close.is_empty() {
                    context.offer(found, Kind::Phrase, LIKELY, &[&condition()]);
                } else {
                    context.offer(
                        found,
                        Kind::Block,
                        EXACT,
                        &[&condition(), close, Body::Braces.template()],
                    );
                }
            }
            // `if let` and its like are the language's own.
            rest if parens == rest.starts_with('(') => {
                headers::finish(context, found, Body::Braces)
            }
            _ => {}
        }
        return;
    }
}

/// `else { … }`, `do { … } while (…);`, `try { … } catch (error) { … }`, `finally { … }`.
pub fn continuations(context: &Context<'_>, found: &mut Vec<Suggestion>, catch: &str) {
    if !context.at_code_end() || context.has_body() {
        return;
    }
    let plain = |keyword: &str| context.after(keyword).filter(|after| after.rest.is_empty());
    for keyword in ["else", "finally"] {
        if let Some(after) = plain(keyword) {
            context.offer(found, Kind::Block, LIKELY, &[after.space, "{\n\t‸\n}"]);
        }
    }
    if let Some(after) = plain("do") {
        context.offer(
            found,
            Kind::Block,
            LIKELY,
            &[after.space, "{\n\t‸\n} while (condition);"],
        );
    }
    if let Some(after) = plain("try") {
        context.offer(
            found,
            Kind::Block,
            EXACT,
            &[after.space, "{\n\t‸\n} catch (", catch, ") {\n\t\n}"],
        );
    }
    if let Some(after) = plain("catch") {
        context.offer(
            found,
            Kind::Block,
            EXACT,
            &[after.space, "(", catch, ") {\n\t‸\n}"],
        );
    }
}

/// `switch (value) { case …: … }`.
pub fn switch(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context.after("switch").filter(|_| context.at_code_end()) else {
        return;
    };
    let body = " {\n\tcase ‸:\n\t\tbreak;\n\tdefault:\n\t\tbreak;\n}";
    let value = values::value(context).unwrap_or("value");
    match after.rest {
        "" => context.offer(
            found,
            Kind::Block,
            EXACT,
            &[after.space, "(", value, ")", body],
        ),
        "(" if !context.closers().is_empty() => {
            context.offer(found, Kind::Block, EXACT, &[value, ")", body]);
        }
        _ if headers::reads_complete(context) && !context.has_body() => {
            context.offer(found, Kind::Block, LIKELY, &[&context.closers(), body]);
        }
        _ => {}
    }
}
