//! JSON: keys and values as the document's other objects have them.

use crate::autocomplete::context::Context;
use crate::autocomplete::language::{CODE, Language, Lexis, Quote};
use crate::autocomplete::lexer::{Place, Sort, Token};
use crate::autocomplete::rank::{EXACT, LIKELY, PLAUSIBLE};
use crate::autocomplete::search::part;
use crate::autocomplete::{Kind, Suggestion};

/// JSON, with comments where there are any.
pub static JSON: Language = Language {
    id: "json",
    aliases: &[
        "jsonc",
        "json5",
        "geojson",
        "webmanifest",
        "application/json",
    ],
    lexis: &Lexis {
        line_comments: &["//"],
        block_comments: &[("/*", "*/")],
        quotes: &[Quote::line("\"")],
        ..Lexis::NONE
    },
    indent: "  ",
    anchors: &["{", "["],
    keywords: "true false null",
    starter: "{\n\t\"name\": \"‸\"\n}\n",
    rules: &[key, value, colon],
    ..CODE
};

/// Keys that are weighed, nearest first; those further away are ignored.
const MAX_KEYS: usize = 256;

/// Suggestions of either sort.
const MAX_OFFERED: u32 = 6;

/// Where an object's key belongs → the keys other objects have and this one lacks: first the key
/// that follows this object's last key elsewhere. In a key begun, its rest.
pub fn key(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if context.unsure || context.innermost().is_none_or(|open| open.bracket != b'{') {
        return;
    }
    let (typed, open) = match context.lexed.place {
        Place::Text { start, .. } => (part(context.window, start + 1, context.caret), ""),
        Place::Code
            if context.trimmed().is_empty()
                || context.trimmed().ends_with(['{', ','])
                || context.line.ends_with(", ") =>
        {
            ("", "\"")
        }
        _ => return,
    };
    let end = match context.rest.trim_start() {
        "" => "\": ",
        "\"" => "",
        _ => return,
    };
    let before = context
        .lexed
        .tokens
        .get(..context.lexed.before)
        .unwrap_or(&[]);
    if !matches!(before.last().map(|token| token.text), Some("{" | ",")) {
        return;
    }
    let own = own_keys(context);
    let last = own.last().copied().unwrap_or("");
    let mut offered: Vec<&str> = Vec::new();
    let mut place = 0;
    let keys: Vec<&str> = keys(&context.lexed.tokens).take(MAX_KEYS).collect();
    let follows = |name: &str| keys.windows(2).any(|two| two == [name, last]);
    let mut names: Vec<&str> = Vec::new();
    // `keys` runs backwards, so what follows the last key stands before it.
    names.extend(keys.iter().filter(|name| !last.is_empty() && follows(name)));
    names.extend(&keys);
    for name in names {
        let fresh = !own.contains(&name) && !offered.contains(&name) && !name.contains(['‸', '\\']);
        if let Some(rest) = name
            .strip_prefix(typed)
            .filter(|_| fresh && place < MAX_OFFERED && *name != *typed)
        {
            offered.push(name);
            let space = if context.trimmed().ends_with([',', '{']) {
                " "
            } else {
                ""
            };
            let space = if open.is_empty() { "" } else { space };
            context.offer(
                found,
                Kind::Phrase,
                LIKELY - place,
                &[space, open, rest, end],
            );
            place += 1;
        }
    }
    if !open.is_empty() && offered.is_empty() && context.trimmed().is_empty() {
        context.offer(found, Kind::Phrase, PLAUSIBLE - 150, &["\"‸\": "]);
    }
}

/// Behind a key's colon → the values this key has elsewhere, nearest first, then what its name
/// promises.
pub fn value(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let before = context
        .lexed
        .tokens
        .get(..context.lexed.before)
        .unwrap_or(&[]);
    let [.., key, colon] = before else { return };
    if !context.at_code_end() || colon.text != ":" || key.sort != Sort::Text {
        return;
    }
    let space = if context.line.ends_with(' ') { "" } else { " " };
    let mut place = 0;
    let mut offered: Vec<&str> = Vec::new();
    for three in context.lexed.tokens.windows(3).rev() {
        let [other, sign, value] = three else {
            continue;
        };
        let plain = matches!(value.sort, Sort::Text | Sort::Number | Sort::Word)
            && !value.text.contains('‸');
        let same = other.text == key.text
            && sign.text == ":"
            && plain
            && value.text.ends_with(|c| c != ':');
        if same && value.at < context.caret && !offered.contains(&value.text) && place < MAX_OFFERED
        {
            offered.push(value.text);
            context.offer(found, Kind::Phrase, LIKELY - place, &[space, value.text]);
            place += 1;
        }
    }
    let name = key.text.trim_matches('"');
    let score = PLAUSIBLE - 50;
    if name.ends_with('s') {
        context.offer(found, Kind::Phrase, score, &[space, "[‸]"]);
    } else if ["is", "has", "enable"]
        .iter()
        .any(|start| name.starts_with(start))
        || matches!(name, "private" | "strict")
    {
        context.offer(found, Kind::Phrase, score + 50, &[space, "true"]);
    }
    context.offer(found, Kind::Phrase, score - 10, &[space, "\"‸\""]);
}

/// Behind a complete key → the colon.
pub fn colon(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let before = context
        .lexed
        .tokens
        .get(..context.lexed.before)
        .unwrap_or(&[]);
    let [.., sign, key] = before else { return };
    let object = context.innermost().is_some_and(|open| open.bracket == b'{');
    let touching = key.at + key.text.len() == context.caret && key.text.len() > 1;
    if context.at_code_end()
        && object
        && touching
        && key.sort == Sort::Text
        && matches!(sign.text, "{" | ",")
    {
        context.offer(found, Kind::Closing, EXACT, &[": "]);
    }
}

/// All keys, from the end of the window to its start.
fn keys<'t, 'a: 't>(tokens: &'t [Token<'a>]) -> impl Iterator<Item = &'a str> + 't {
    tokens.windows(2).rev().filter_map(|two| match two {
        [key, sign] if sign.text == ":" && key.sort == Sort::Text => key
            .text
            .strip_prefix('"')
            .and_then(|key| key.strip_suffix('"')),
        _ => None,
    })
}

/// The keys of the object the caret is in, before and behind it.
fn own_keys<'a>(context: &Context<'a>) -> Vec<&'a str> {
    let Some(open) = context.innermost() else {
        return Vec::new();
    };
    let mut depth = 0i32;
    let mut own = Vec::new();
    let inside = context
        .lexed
        .tokens
        .windows(2)
        .skip_while(|two| two.first().is_none_or(|token| token.at <= open.at));
    for two in inside {
        let [token, next] = two else { continue };
        match token.text {
            "{" | "[" => depth += 1,
            "}" | "]" => depth -= 1,
            _ => {}
        }
        if depth < 0 || own.len() == MAX_KEYS {
            break;
        }
        if depth == 0 && next.text == ":" && token.sort == Sort::Text {
            own.push(token.text.trim_matches('"'));
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::{all, first, has};

    const LIST: &str = "[\n  { \"id\": 1, \"name\": \"a\", \"kind\": \"x\" },\n  { ‸\n]";

    fn at(object: &str) -> String {
        first("json", &LIST.replace("{ ‸", object))
    }

    #[test]
    fn keys_of_the_other_objects_in_their_order() {
        assert_eq!(at("{ \"id\": 2, ‸"), "\"name\": ");
        assert_eq!(at("{ \"id\": 2, \"na‸"), "me\": ");
        assert_eq!(at("{ \"id\": 2, \"name\": \"b\", ‸"), "\"kind\": ");
        assert!(!has(
            "json",
            &LIST.replace("{ ‸", "{ \"id\": 2, ‸"),
            "\"id\": "
        ));
    }

    #[test]
    fn values_of_the_same_key() {
        assert_eq!(at("{ \"kind\": ‸"), "\"x\"");
        assert_eq!(first("json", "{\"tags\": ‸"), "[‸]");
    }

    #[test]
    fn punctuation() {
        assert_eq!(first("json", "{\n  \"name\"‸"), ": ");
        assert_eq!(first("json", "{\n  \"a\": [1, 2‸"), "]");
        assert_eq!(first("json", "{\n  \"a\": 1\n‸"), "}");
        assert!(all("json", "{\n  \"a\": \"some text‸ here\"\n}").is_empty());
    }
}
