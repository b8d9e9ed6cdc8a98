//! The rules: pure functions that propose suggestions for one caret. Each stands with its doc
//! comment and its test in the file of its language; those for every language are in [`words`],
//! [`closing`], [`lines`] and [`starting`]. A rule knows the [`Context`] and nothing else.

use super::Suggestion;
use super::context::Context;
use super::imports::imports;
use super::language::Language;
use super::phrases::phrases;

mod c;
pub mod closing;
mod css;
pub mod go;
mod java;
mod javascript;
mod json;
mod lines;
mod markdown;
mod markup;
mod python;
pub mod rust;
pub mod sql;
mod starting;
mod words;

/// A rule adds what it proposes; nothing, more often than not.
pub type Rule = for<'c, 'a> fn(&'c Context<'a>, &mut Vec<Suggestion>);

/// Rules for every language.
pub const EVERYWHERE: &[Rule] = &[
    words::words,
    words::members,
    words::keywords,
    closing::closers,
    closing::end_of_string,
    closing::end_of_comment,
    closing::end_of_block,
    closing::body,
    closing::semicolon,
    lines::same_line,
    phrases,
    imports,
    starting::starter,
    starting::remark,
];

/// The languages we know.
pub const LANGUAGES: &[&Language] = &[
    &python::PYTHON,
    &javascript::JAVASCRIPT,
    &javascript::JSX,
    &javascript::TYPESCRIPT,
    &javascript::TSX,
    &rust::RUST,
    &go::GO,
    &java::JAVA,
    &c::C,
    &c::CPP,
    &markup::HTML,
    &markup::XML,
    &css::CSS,
    &sql::SQL,
    &markdown::MARKDOWN,
    &json::JSON,
];

/// What tests ask the engine: texts with a `‸` at the caret go in, and answers come out as one
/// line, `⏎` for a line end, `→` for a tab, `‸` for a caret that is not at the end, and `⌫` for
/// each unit replaced.
#[cfg(test)]
pub(super) mod asked {
    use crate::autocomplete::{Request, Suggestion, suggest};
    use crate::ids::Offset;

    /// All suggestions, best first.
    pub fn all(language: &str, marked: &str) -> Vec<Suggestion> {
        let before = marked.split('‸').next().unwrap_or("");
        let text = marked.replace('‸', "");
        let caret = Offset(crate::autocomplete::window::utf16_len(before));
        suggest(&Request {
            text: &text,
            caret,
            language,
            max: 32,
        })
    }

    /// The best suggestion; empty when there is none.
    pub fn first(language: &str, marked: &str) -> String {
        all(language, marked).first().map_or(String::new(), shown)
    }

    /// Whether `insert` is among the suggestions.
    pub fn has(language: &str, marked: &str, insert: &str) -> bool {
        all(language, marked)
            .iter()
            .any(|suggestion| shown(suggestion) == insert)
    }

    /// One suggestion as one line.
    pub fn shown(suggestion: &Suggestion) -> String {
        let mut shown = "⌫".repeat(usize::try_from(suggestion.replace_before).unwrap_or(0));
        let mut units = 0;
        for character in suggestion.insert.chars() {
            if suggestion.caret == Some(units) {
                shown.push('‸');
            }
            units += if character.len_utf16() == 2 { 2 } else { 1 };
            match character {
                '\n' => shown.push('⏎'),
                '\t' => shown.push('→'),
                _ => shown.push(character),
            }
        }
        shown
    }
}
