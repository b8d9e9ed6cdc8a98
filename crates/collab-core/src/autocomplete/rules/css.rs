//! CSS.

use crate::autocomplete::context::Context;
use crate::autocomplete::language::{CODE, Language, Lexis, Quote};
use crate::autocomplete::lexer::Sort;
use crate::autocomplete::rank::{EXACT, LIKELY, PLAUSIBLE, WORD};
use crate::autocomplete::search::{cut, from, rcut};
use crate::autocomplete::{Kind, Suggestion};

/// CSS. Its preprocessors are close enough.
pub static CSS: Language = Language {
    id: "css",
    aliases: &["scss", "less", "postcss", "text/css"],
    lexis: &Lexis {
        block_comments: &[("/*", "*/")],
        quotes: &[Quote::line("\""), Quote::line("'")],
        word: b"-",
        ..Lexis::NONE
    },
    indent: "  ",
    remark: ("/* ", " */"),
    anchors: &[".", "#", "@media", "body", ":root", "html", "h1"],
    end: ";",
    starter: "body {\n\tmargin: 0;\n\tfont-family: system-ui, sans-serif;\n}\n",
    rules: &[property, value, selector, at_rule, semicolon],
    ..CODE
};

/// Properties by how often they are written, with values worth suggesting.
const PROPERTIES: &[(&str, &[&str])] = &[
    ("color", &["inherit", "#333", "white", "currentColor"]),
    (
        "display",
        &["flex", "block", "grid", "none", "inline-block", "inline"],
    ),
    ("margin", &["0", "0 auto", "1rem"]),
    ("padding", &["1rem", "0", "0.5rem 1rem"]),
    ("width", &["100%", "auto", "fit-content"]),
    ("height", &["100%", "100vh", "auto"]),
    ("background", &["none", "white"]),
    ("background-color", &["white", "transparent", "#f5f5f5"]),
    ("font-size", &["1rem", "0.875rem", "1.25rem"]),
    ("font-weight", &["bold", "600", "normal"]),
    (
        "font-family",
        &["system-ui, sans-serif", "monospace", "inherit"],
    ),
    ("border", &["1px solid #ccc", "none"]),
    ("border-radius", &["4px", "50%", "0.5rem"]),
    (
        "position",
        &["relative", "absolute", "fixed", "sticky", "static"],
    ),
    ("text-align", &["center", "left", "right"]),
    ("text-decoration", &["none", "underline"]),
    (
        "justify-content",
        &["center", "space-between", "flex-start", "flex-end"],
    ),
    (
        "align-items",
        &["center", "flex-start", "stretch", "baseline"],
    ),
    ("flex-direction", &["column", "row"]),
    ("flex-wrap", &["wrap", "nowrap"]),
    ("flex", &["1", "0 0 auto"]),
    ("gap", &["1rem", "0.5rem"]),
    (
        "grid-template-columns",
        &["repeat(auto-fill, minmax(200px, 1fr))", "1fr 1fr"],
    ),
    ("top", &["0", "50%"]),
    ("left", &["0", "50%"]),
    ("right", &["0"]),
    ("bottom", &["0"]),
    ("max-width", &["100%", "60ch", "1200px"]),
    ("min-height", &["100vh", "0"]),
    ("min-width", &["0"]),
    ("max-height", &["100%", "none"]),
    ("line-height", &["1.5", "1"]),
    ("cursor", &["pointer", "default", "not-allowed"]),
    ("overflow", &["hidden", "auto", "visible"]),
    ("opacity", &["0.5", "0", "1"]),
    ("z-index", &["1", "10"]),
    ("transition", &["all 0.2s ease", "opacity 0.2s"]),
    (
        "transform",
        &["translate(-50%, -50%)", "rotate(45deg)", "scale(1.1)"],
    ),
    ("box-shadow", &["0 1px 3px rgb(0 0 0 / 0.2)", "none"]),
    ("box-sizing", &["border-box"]),
    ("white-space", &["nowrap", "pre-wrap"]),
    ("list-style", &["none"]),
    ("content", &["\"\""]),
    ("visibility", &["hidden", "visible"]),
    ("object-fit", &["cover", "contain"]),
    ("outline", &["none"]),
    ("pointer-events", &["none", "auto"]),
    ("user-select", &["none"]),
    ("text-transform", &["uppercase", "none"]),
    ("text-overflow", &["ellipsis"]),
    ("letter-spacing", &["0.05em"]),
    ("margin-top", &["1rem", "0", "auto"]),
    ("margin-bottom", &["1rem", "0"]),
    ("margin-left", &["auto", "0"]),
    ("margin-right", &["auto", "0"]),
    ("padding-left", &["1rem", "0"]),
    ("animation", &["fade 0.3s ease"]),
];

/// In a block, a property begun → its name and colon.
pub fn property(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || !in_block(context) {
        return;
    }
    let typed = declaration(context);
    if typed.len() < 2 || typed.contains(':') {
        return;
    }
    for (place, (name, _)) in (0u32..).zip(PROPERTIES) {
        if let Some(rest) = name.strip_prefix(typed) {
            let score = if rest.is_empty() {
                LIKELY
            } else {
                WORD + 90 - place
            };
            context.offer(found, Kind::Phrase, score, &[rest, ": ‸;"]);
        }
    }
}

/// Behind a property's colon → its usual values, and the custom properties of this file.
pub fn value(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || !in_block(context) {
        return;
    }
    let Some((name, typed)) = declaration(context).split_once(':') else {
        return;
    };
    let space = if typed.is_empty() { " " } else { "" };
    let typed = typed.trim_start();
    let values = PROPERTIES
        .iter()
        .find(|(known, _)| *known == name.trim())
        .map_or(&[][..], |(_, values)| values);
    for (place, value) in (0u32..).zip(values) {
        if let Some(rest) = value.strip_prefix(typed).filter(|rest| !rest.is_empty()) {
            context.offer(found, Kind::Phrase, LIKELY - place, &[space, rest, ";"]);
        }
    }
    let Some((_, begun)) = rcut(typed, "var(") else {
        return;
    };
    let mut place = 0;
    for token in context.tokens_before().iter().rev() {
        let fits = token.sort == Sort::Word
            && token.text.starts_with("--")
            && token.text.starts_with(begun);
        if fits && token.text.len() > begun.len() && place < 4 {
            let rest = from(token.text, begun.len());
            context.offer(
                found,
                Kind::Phrase,
                EXACT - place,
                &[rest, &context.closers(), ";"],
            );
            place += 1;
        }
    }
}

/// Outside of blocks, a selector → its block.
pub fn selector(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let line = context.trimmed();
    if !context.at_code_end() || line.is_empty() || line.starts_with('@') || context.has_body() {
        return;
    }
    let nested = context.lexed.open.last().is_some_and(|open| {
        context.window.get(..open.at).is_some_and(|before| {
            before
                .rsplit('\n')
                .next()
                .unwrap_or("")
                .trim_start()
                .starts_with('@')
        })
    });
    let begins = line.starts_with(['.', '#', '*', ':', '&', '[']) || !in_block(context) || nested;
    if begins
        && !line.contains(['{', '}', ';'])
        && !line.ends_with([',', '>', '+', '~', ':', '.', '#'])
        && context.closers().is_empty()
    {
        let space = if line.ends_with(' ') { "" } else { " " };
        let score = if context.typed_is_known() || line.ends_with([' ', ')', ']']) {
            LIKELY
        } else {
            PLAUSIBLE + 50
        };
        context.offer(found, Kind::Block, score, &[space, "{\n\t‸\n}"]);
    }
}

/// `@media `, `@keyframes `, `@font-face`, `@import `.
pub fn at_rule(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || !context.trimmed().starts_with('@') || context.has_body() {
        return;
    }
    for (place, (name, rest)) in (0..).zip([
        ("@media ", "(max-width: 600px) {\n\t‸\n}"),
        (
            "@keyframes ",
            "fade {\n\tfrom {\n\t\topacity: 0;\n\t}\n\tto {\n\t\topacity: 1;\n\t}\n}",
        ),
        (
            "@font-face ",
            "{\n\tfont-family: \"‸\";\n\tsrc: url(\"\");\n}",
        ),
        ("@import ", "\"‸\";"),
        ("@supports ", "(display: grid) {\n\t‸\n}"),
    ]) {
        if let Some(missing) = name.strip_prefix(context.trimmed()) {
            context.offer(found, Kind::Block, EXACT - place, &[missing, rest]);
        } else if context.trimmed().starts_with(name)
            && context.closers().is_empty()
            && !context.trimmed().contains(['{', '"'])
        {
            let space = if context.line.ends_with(' ') { "" } else { " " };
            context.offer(found, Kind::Block, LIKELY, &[space, "{\n\t‸\n}"]);
        }
    }
}

/// A declaration with a value → its semicolon.
pub fn semicolon(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let value = cut(declaration(context), ": ").map_or("", |(_, value)| value);
    let whole = !value.is_empty() && !value.ends_with([' ', ',', '(', ';', '-']);
    if context.at_code_end() && in_block(context) && whole {
        context.offer(found, Kind::Closing, PLAUSIBLE, &[&context.closers(), ";"]);
    }
}

/// The caret is between braces.
fn in_block(context: &Context<'_>) -> bool {
    context.lexed.open.iter().any(|open| open.bracket == b'{')
}

/// The declaration being typed, which need not begin its line.
fn declaration<'a>(context: &Context<'a>) -> &'a str {
    context
        .trimmed()
        .rsplit(['{', ';'])
        .next()
        .unwrap_or("")
        .trim_start()
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::{first, has};

    #[test]
    fn declarations() {
        assert_eq!(first("css", "a {\n  disp‸\n}"), "lay: ‸;");
        assert_eq!(first("css", "a {\n  display: ‸\n}"), "flex;");
        assert_eq!(first("css", "a {\n  display: in‸\n}"), "line-block;");
        assert_eq!(first("css", "a {\n  color: red‸\n}"), ";");
        assert_eq!(first("css", "a { disp‸"), "lay: ‸;");
        assert_eq!(
            first(
                "css",
                ":root {\n  --main: red;\n}\na {\n  color: var(--‸\n}"
            ),
            "main);"
        );
    }

    #[test]
    fn rules() {
        assert_eq!(first("css", ".card ‸"), "{⏎  ‸⏎}");
        assert_eq!(first("css", "@media ‸"), "(max-width: 600px) {⏎  ‸⏎}");
        assert_eq!(first("css", "@me‸"), "dia (max-width: 600px) {⏎  ‸⏎}");
        assert!(!has("css", "a {\n  color‸\n}", " {⏎    ‸⏎  }"));
    }
}
