//! What only TypeScript has. The rules also see JavaScript files and stay silent there.

use crate::autocomplete::context::{Context, is_word};
use crate::autocomplete::names::Role;
use crate::autocomplete::rank::{EXACT, LIKELY, PLAUSIBLE};
use crate::autocomplete::{Kind, Suggestion};

/// `interface `, `enum `, `type ` → the whole of it.
pub fn interface(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !is_typescript(context) || !context.at_code_end() || context.has_body() {
        return;
    }
    for (keyword, name, body) in [
        ("interface", "Name", " {\n\t‸\n}"),
        ("enum", "Name", " {\n\t‸\n}"),
        ("type", "Name", " = {\n\t‸\n};"),
    ] {
        let Some(after) = context.after(keyword) else {
            continue;
        };
        if after.rest.is_empty() {
            context.offer(found, Kind::Block, EXACT, &[after.space, name, body]);
        } else if is_word(after.rest.trim_end()) {
            let body = if after.rest.ends_with(' ') {
                body.trim_start()
            } else {
                body
            };
            context.offer(found, Kind::Block, EXACT, &[body]);
        }
    }
}

/// Behind the colon of a declaration or parameter: a type.
pub fn annotation(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let line = context.trimmed();
    if !is_typescript(context) || !context.at_code_end() || !line.ends_with(": ") {
        return;
    }
    let declares = ["const", "let", "var", "function"]
        .iter()
        .any(|keyword| context.after(keyword).is_some());
    let member = context.enclosing().next().is_some_and(|line| {
        ["interface ", "class ", "type "]
            .iter()
            .any(|keyword| line.contains(keyword))
    });
    if declares || member {
        for (place, name) in (0..3).zip(["string", "number", "boolean"]) {
            context.offer(found, Kind::Keyword, LIKELY - place, &[name]);
        }
        for (place, name) in (0..3).zip(context.names.of(Role::Type)) {
            context.offer(found, Kind::Word, PLAUSIBLE - place, &[name]);
        }
    }
}

fn is_typescript(context: &Context<'_>) -> bool {
    matches!(context.language.id, "typescript" | "tsx")
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::first;

    #[test]
    fn types() {
        assert_eq!(first("ts", "interface ‸"), "Name {⏎  ‸⏎}");
        assert_eq!(first("ts", "export type Point‸"), " = {⏎  ‸⏎};");
        assert_eq!(first("js", "interface ‸"), "");
        assert_eq!(first("ts", "interface A {\n  name: ‸\n}"), "string");
        assert_eq!(first("ts", "const x: ‸"), "string");
    }
}
