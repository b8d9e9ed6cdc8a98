//! Imports: what the document uses but does not bring in comes first, then what such documents
//! usually bring in; never the same thing twice. Must not know any language; what each can import
//! stands in its file.

use super::context::Context;
use super::rank::{EXACT, LIKELY};
use super::search::contains_word;
use super::{Kind, Suggestion};

/// One way a language has to bring something in.
pub struct Imports {
    /// How such a line begins.
    pub prefix: &'static str,
    /// How it ends.
    pub suffix: &'static str,
    /// What the line above the block contains in which such lines stand; empty when anywhere.
    pub inside: &'static str,
    /// `name=path`: the name it is used under and what to write between prefix and suffix; the
    /// name alone when they are the same. Most wanted first.
    pub known: &'static [&'static str],
}

/// Completes the line that brings something in.
pub fn imports(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.in_code() || !matches!(context.rest.trim(), "" | ">") {
        return;
    }
    let mut lines = None;
    for imports in context.language.imports {
        let line = context.trimmed();
        let inside = imports.inside.is_empty() || context.outer() == imports.inside;
        // In a block of its own, a blank line is a beginning as well.
        let blank = line.is_empty() && !imports.inside.is_empty();
        // The first word of the prefix is enough to tell.
        let first = imports.prefix.split(' ').next().unwrap_or("");
        let (missing, typed) = match (
            line.strip_prefix(imports.prefix),
            imports.prefix.strip_prefix(line),
        ) {
            (Some(typed), _) => ("", typed),
            (None, Some(missing)) if line.len() >= first.len() || blank => (missing, ""),
            _ => continue,
        };
        let suffix = if context.rest.trim().is_empty() {
            imports.suffix
        } else {
            ""
        };
        for (place, entry) in (0..).zip(imports.known.iter().filter(|_| inside)) {
            let (name, path) = entry.split_once('=').unwrap_or((entry, entry));
            let Some(rest) = path.strip_prefix(typed).filter(|rest| !rest.is_empty()) else {
                continue;
            };
            let used = is_used(context, name);
            let lines = lines.get_or_insert_with(|| import_lines(context));
            if !is_imported(lines, path) && (used || !blank) {
                let score = if used { EXACT + 99 } else { LIKELY + 99 };
                context.offer(found, Kind::Phrase, score - place, &[missing, rest, suffix]);
            }
        }
    }
}

/// The document speaks of it outside the line being typed.
fn is_used(context: &Context<'_>, name: &str) -> bool {
    let line = context.caret_line().map_or(0, |line| line.at);
    context
        .lexed
        .tokens
        .iter()
        .any(|token| token.text == name && !(line..=context.caret).contains(&token.at))
}

/// The lines of the document that bring something in. Found once for all that could be brought in:
/// the text is long, and those lines are few.
fn import_lines<'a>(context: &Context<'a>) -> Vec<&'a str> {
    [context.head, context.window]
        .into_iter()
        .flat_map(str::lines)
        .map(str::trim_start)
        .filter(|line| STARTS.iter().any(|word| line.starts_with(word)))
        .collect()
}

/// What such a line begins with, in any language.
const STARTS: [&str; 5] = ["import", "from", "use", "#include", "\""];

/// One of these lines brings it in.
fn is_imported(lines: &[&str], path: &str) -> bool {
    let main = path.split(" as ").next().unwrap_or(path);
    lines.iter().any(|line| contains_word(line, main))
}
