//! `import` and `export`.

use crate::autocomplete::context::{Context, is_word};
use crate::autocomplete::lexer::Sort;
use crate::autocomplete::names::Role;
use crate::autocomplete::rank::{EXACT, LIKELY, PLAUSIBLE};
use crate::autocomplete::{Kind, Suggestion};

/// Modules by the name they are used under.
const MODULES: &[(&str, &str)] = &[
    ("fs", "node:fs"),
    ("path", "node:path"),
    ("os", "node:os"),
    ("http", "node:http"),
    ("crypto", "node:crypto"),
    ("express", "express"),
    ("React", "react"),
    ("axios", "axios"),
];

/// Hooks, all from one module.
const HOOKS: &[&str] = &["useState", "useEffect", "useRef", "useMemo", "useCallback"];

/// `import ` → what the file uses but does not import; `import x` → `from` where it comes from.
pub fn import(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context.after("import").filter(|_| context.at_code_end()) else {
        return;
    };
    let quote = quote(context);
    let end = if context.semicolons() { ";" } else { "" };
    let rest = after.rest;
    if rest.is_empty() {
        let unknown = |name: &str| !context.head.contains(&["import ", name].concat());
        for (name, module) in MODULES
            .iter()
            .filter(|(name, _)| unknown(name) && uses(context, name))
        {
            let pieces = [after.space, name, " from ", quote, module, quote, end];
            context.offer(found, Kind::Phrase, EXACT, &pieces);
        }
        let hooks: Vec<&str> = HOOKS
            .iter()
            .copied()
            .filter(|hook| calls(context, hook))
            .collect();
        if !hooks.is_empty()
            && !context.head.contains("'react'")
            && !context.head.contains("\"react\"")
        {
            let pieces = [
                after.space,
                "{ ",
                &hooks.join(", "),
                " } from ",
                quote,
                "react",
                quote,
                end,
            ];
            context.offer(found, Kind::Phrase, EXACT + 9, &pieces);
        }
        context.offer(
            found,
            Kind::Phrase,
            LIKELY,
            &[after.space, "{ ‸ } from ", quote, quote, end],
        );
        return;
    }
    let name = rest.trim_end();
    let space = if name.len() < rest.len() { "" } else { " " };
    if is_word(name) && name != "type" && (context.typed == name || space.is_empty()) {
        let own = ["./", name].concat();
        let module = MODULES
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(own.as_str(), |(_, module)| module);
        context.offer(
            found,
            Kind::Phrase,
            EXACT,
            &[space, "from ", quote, module, quote, end],
        );
    } else if name.ends_with('}') {
        let module = if HOOKS.iter().any(|hook| name.contains(hook)) {
            "react"
        } else {
            "./‸"
        };
        context.offer(
            found,
            Kind::Phrase,
            EXACT,
            &[space, "from ", quote, module, quote, end],
        );
    } else if name.ends_with(" from") {
        context.offer(
            found,
            Kind::Phrase,
            LIKELY,
            &[space, quote, "./‸", quote, end],
        );
    }
}

/// `export default ` → the nearest function or class; `export ` → how an export begins.
pub fn export(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    let end = if context.semicolons() { ";" } else { "" };
    match context.trimmed() {
        "export default " => {
            let name = context.names.iter().find(|name| name.role != Role::Value);
            if let Some(name) = name {
                context.offer(found, Kind::Phrase, LIKELY, &[name.text, end]);
            }
            context.offer(found, Kind::Block, PLAUSIBLE, &["function ‸() {\n\t\n}"]);
        }
        "export " => {
            context.offer(
                found,
                Kind::Block,
                LIKELY,
                &["function functionName(args) {\n\t‸\n}"],
            );
            context.offer(found, Kind::Keyword, PLAUSIBLE, &["default "]);
            context.offer(found, Kind::Keyword, PLAUSIBLE - 1, &["const "]);
        }
        _ => {}
    }
}

/// The quote most strings of this file stand in.
pub fn quote(context: &Context<'_>) -> &'static str {
    let texts = context
        .lexed
        .tokens
        .iter()
        .filter(|token| token.sort == Sort::Text);
    let (double, single) = texts.fold((0, 0), |(double, single), token| {
        let is_double = token.text.starts_with('"');
        (
            double + usize::from(is_double),
            single + usize::from(!is_double),
        )
    });
    if double > single { "\"" } else { "'" }
}

fn uses(context: &Context<'_>, name: &str) -> bool {
    let tokens = &context.lexed.tokens;
    (0..tokens.len()).any(|index| {
        let text = |index: usize| tokens.get(index).map_or("", |token| token.text);
        text(index) == name
            && matches!(text(index + 1), "." | "(")
            && index
                .checked_sub(1)
                .is_none_or(|before| text(before) != ".")
    })
}

fn calls(context: &Context<'_>, name: &str) -> bool {
    context.lexed.tokens.iter().any(|token| token.text == name)
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::first;

    #[test]
    fn imports() {
        assert_eq!(first("js", "import ‸"), "{ ‸ } from '';");
        assert_eq!(
            first("js", "import ‸\nfs.readFileSync(x);"),
            "fs from 'node:fs';"
        );
        assert_eq!(
            first("jsx", "import ‸\nconst [a, setA] = useState(\"x\");"),
            "{ useState } from \"react\";"
        );
        assert_eq!(first("js", "import thing‸"), " from './thing';");
        assert_eq!(first("js", "import { a, b }‸"), " from './‸';");
    }

    #[test]
    fn exports() {
        assert_eq!(first("js", "function go() {\n}\n\nexport default ‸"), "go;");
        assert_eq!(
            first("js", "export ‸"),
            "function functionName(args) {⏎  ‸⏎}"
        );
    }
}
