//! Loops and conditions.

use crate::autocomplete::context::{Context, is_word};
use crate::autocomplete::names::singular;
use crate::autocomplete::rank::{EXACT, LIKELY, PLAUSIBLE};
use crate::autocomplete::rules::braces;
use crate::autocomplete::rules::headers::{self, Body};
use crate::autocomplete::rules::values::{self, Tests};
use crate::autocomplete::{Kind, Suggestion};

const TESTS: Tests = Tests {
    many: ("", ".length > 0"),
    number: ("", " > 0"),
    text: ("", ""),
    unknown: ("", ""),
};

/// `for ` → a loop over what is at hand, by value or by index; one begun is finished.
pub fn for_loop(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context
        .after("for")
        .filter(|_| context.at_code_end() && !context.has_body())
    else {
        return;
    };
    let open = match after.rest {
        "" => "(",
        "(" => "",
        rest => return begun(context, found, rest.trim_start_matches('(')),
    };
    if open.is_empty() && context.closers().is_empty() {
        return;
    }
    for (place, many) in (0..3).zip(values::iterables(context)) {
        let pieces = [
            after.space,
            open,
            "const ",
            &singular(many),
            " of ",
            many,
            ") {\n\t‸\n}",
        ];
        context.offer(found, Kind::Block, EXACT - place, &pieces);
    }
    let many = values::iterables(context).next().unwrap_or("items");
    let pieces = [
        after.space,
        open,
        "let i = 0; i < ",
        many,
        ".length; i++) {\n\t‸\n}",
    ];
    context.offer(found, Kind::Block, LIKELY, &pieces);
    let pieces = [after.space, open, "const item of items) {\n\t‸\n}"];
    context.offer(found, Kind::Block, LIKELY - 10, &pieces);
}

fn begun(context: &Context<'_>, found: &mut Vec<Suggestion>, inside: &str) {
    let many = || values::iterables(context).next().unwrap_or("items");
    let closers = context.closers();
    let body = " {\n\t‸\n}";
    if let Some(counter) = inside.strip_prefix("let ") {
        let limit = [many(), ".length"].concat();
        let (name, rest) = counter.split_at(
            counter
                .find(|c: char| !c.is_alphanumeric())
                .unwrap_or(counter.len()),
        );
        let name = if name.is_empty() { "i" } else { name };
        let whole = [name, " = 0; ", name, " < ", &limit, "; ", name, "++"].concat();
        if let Some(missing) = whole
            .strip_prefix(counter)
            .filter(|missing| !missing.is_empty())
        {
            context.offer(found, Kind::Block, EXACT, &[missing, &closers, body]);
            return;
        }
        if rest.contains(';') {
            headers::finish(context, found, Body::Braces);
            return;
        }
    }
    let Some((variable, of)) = inside
        .split_once(" of")
        .filter(|(_, of)| of.is_empty() || of.starts_with(' '))
    else {
        let variable = inside.strip_prefix("const ").unwrap_or("");
        let space = if variable.ends_with(' ') { "" } else { " " };
        if is_word(variable.trim()) {
            context.offer(
                found,
                Kind::Block,
                EXACT,
                &[space, "of ", many(), &closers, body],
            );
        } else if matches!(inside, "const " | "const") {
            let space = if inside == "const" { " " } else { "" };
            let pieces = [space, &singular(many()), " of ", many(), &closers, body];
            context.offer(found, Kind::Block, EXACT, &pieces);
        }
        return;
    };
    if !of.trim().is_empty() {
        headers::finish(context, found, Body::Braces);
        return;
    }
    let variable = variable.rsplit(' ').next().unwrap_or("");
    let space = if of.is_empty() { " " } else { "" };
    for (place, many) in (0..3).zip(values::iterables(context)) {
        let own = u32::from(singular(many) == variable) * 10;
        context.offer(
            found,
            Kind::Block,
            EXACT + own - place,
            &[space, many, &closers, body],
        );
    }
    if inside.starts_with("const [") && variable.ends_with(']') {
        context.offer(
            found,
            Kind::Block,
            PLAUSIBLE,
            &[space, "Object.entries(", many(), ")", &closers, body],
        );
    }
}

/// `if`, `while`, `else`, `do`, `try`, `switch`.
pub fn control(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    braces::conditions(context, found, true, &TESTS);
    braces::continuations(context, found, "error");
    braces::switch(context, found);
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::{first, has};

    #[test]
    fn loops() {
        assert_eq!(
            first("js", "for ‸"),
            "(let i = 0; i < items.length; i++) {⏎  ‸⏎}"
        );
        assert_eq!(
            first("js", "const users = [];\nfor ‸"),
            "(const user of users) {⏎  ‸⏎}"
        );
        assert_eq!(
            first("js", "const users = [];\nfor (‸"),
            "const user of users) {⏎  ‸⏎}"
        );
        assert_eq!(
            first("js", "const users = [];\nfor (const u‸"),
            " of users) {⏎  ‸⏎}"
        );
        assert_eq!(
            first("js", "const users = [];\nfor (const u of ‸"),
            "users) {⏎  ‸⏎}"
        );
        assert_eq!(
            first("js", "const users = [];\nfor (const u of users‸"),
            ") {⏎  ‸⏎}"
        );
        assert_eq!(
            first("js", "const users = [];\nfor (let j‸"),
            " = 0; j < users.length; j++) {⏎  ‸⏎}"
        );
        assert!(!has("js", "for (‸)", "const item of items) {⏎  ‸⏎}"));
    }

    #[test]
    fn conditions() {
        assert_eq!(first("js", "if ‸"), "(condition) {⏎  ‸⏎}");
        assert_eq!(
            first("js", "const users = [];\nif (‸"),
            "users.length > 0) {⏎  ‸⏎}"
        );
        assert_eq!(first("js", "const n = 1;\nif (n‸"), ") {⏎  ‸⏎}");
        assert_eq!(first("js", "const n = 1;\nif (n)‸"), " {⏎  ‸⏎}");
        assert_eq!(first("js", "if (a) {\n  b();\n} else ‸"), "{⏎  ‸⏎}");
        assert_eq!(first("js", "try ‸"), "{⏎  ‸⏎} catch (error) {⏎  ⏎}");
        assert_eq!(
            first("js", "const kind = f();\nswitch ‸"),
            "(kind) {⏎  case ‸:⏎    break;⏎  default:⏎    break;⏎}"
        );
    }
}
