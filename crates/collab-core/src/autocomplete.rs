//! Completion at a caret: a text, a place in it and a language go in, ranked suggestions come
//! out. Pure and deterministic, and it looks only at bounded windows around the caret
//! ([`window`]). Must not know the network, the editor, or what is done with a suggestion.
//!
//! How a suggestion comes about, one module per step:
//!
//! 1. [`window`] finds the caret's byte and the part of the document worth reading.
//! 2. [`language`] knows what each language looks like; [`embedded`] finds the language *at the
//!    caret* (the script in an HTML page, the fence in a Markdown text).
//! 3. [`lexer`] tells code from strings and comments and finds the brackets still open.
//! 4. [`context`] puts that together with the file's indentation and [`names`] into one value.
//! 5. [`rules`]: each rule is a pure function from that value to suggestions. What people write
//!    again and again needs no function: it is a line in its language's table of [`phrases`] or
//!    [`imports`], whose engines are rules like any other. Adding either means writing it in the
//!    language's file, with its test below.
//! 6. [`draft`] fits what they propose into the file, and [`rank`] throws away what would repeat
//!    the text, orders the rest and removes doubles.
//!
//! Deliberately absent: any memory between two calls, any guess about types beyond what the
//! nearby text says, and any library of foreign APIs. Empty is better than wrong.

mod context;
mod draft;
mod embedded;
mod imports;
mod language;
mod lexer;
mod names;
mod phrases;
mod rank;
mod rules;
mod search;
mod window;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod situations;

use crate::ids::Offset;
use context::Context;

/// One question: what could stand at this caret?
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The whole document.
    pub text: &'a str,
    /// The caret. Past the end it counts as the end; inside a surrogate pair nothing is suggested.
    pub caret: Offset,
    /// An id or alias such as `python`, `py`, `tsx`, `c++`, in any case. Languages we do not know
    /// get words from the document only.
    pub language: &'a str,
    /// Most suggestions wanted; never more than [`MAX_SUGGESTIONS`] are given.
    pub max: usize,
}

/// One candidate for the text at the caret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// What to write. May have several lines, already indented the way the file is.
    pub insert: String,
    /// UTF-16 units before the caret that `insert` replaces. 0 except where a closing bracket
    /// takes back indentation; then only blanks are replaced.
    pub replace_before: u32,
    /// Where the caret goes, in UTF-16 units from the start of `insert`; its end when `None`.
    pub caret: Option<u32>,
    /// One line for a list: the whole word, or the first line and an ellipsis.
    pub label: String,
    /// What sort of thing this is.
    pub kind: Kind,
    /// Higher is better, comparable only within one answer, except for [`UNASKED`].
    pub score: u32,
}

/// What sort of thing a suggestion is; a page picks its icon by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Several lines, or the rest of a construct such as a loop's header and body.
    Block,
    /// Brackets, quotes or tags that end what is open.
    Closing,
    /// An expression or the rest of a statement, on one line.
    Phrase,
    /// The rest of a name or word found in the document.
    Word,
    /// The rest of a word of the language.
    Keyword,
    /// The rest of a line that stands elsewhere in the document.
    Line,
    /// A remark for the reader.
    Comment,
}

impl Kind {
    /// A stable name in lower case, for interfaces that carry text.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Block => "block",
            Kind::Closing => "closing",
            Kind::Phrase => "phrase",
            Kind::Word => "word",
            Kind::Keyword => "keyword",
            Kind::Line => "line",
            Kind::Comment => "comment",
        }
    }
}

/// Most suggestions in one answer; the best ones are kept. Nobody leafs through more.
pub const MAX_SUGGESTIONS: usize = 32;

/// A suggestion that scores at least this is worth showing to someone who only paused. Below it
/// (remarks, starting points) it is worth giving to someone who asked.
pub const UNASKED: u32 = 200;

/// What could stand at the caret, best first. Never panics; empty rather than bad.
///
/// At most 1 ms for a document of 1 MB: apart from finding the caret's byte, work is bounded by
/// the windows of [`window`], not by the document.
pub fn suggest(request: &Request<'_>) -> Vec<Suggestion> {
    let max = request.max.min(MAX_SUGGESTIONS);
    let Some(caret) = window::byte_offset(request.text, request.caret) else {
        return Vec::new();
    };
    if max == 0 {
        return Vec::new();
    }
    let context = Context::new(request.text, caret, language::find(request.language));
    let mut found = Vec::new();
    for rule in rules::EVERYWHERE.iter().chain(context.language.rules) {
        rule(&context, &mut found);
    }
    rank::best(&context, found, max)
}

/// Whether `language` is an id or alias we have rules for; others get words only.
pub fn knows(language: &str) -> bool {
    language::find(language).id != language::PLAIN.id
}
