//! Tells code from strings and comments in a window of text, and finds the brackets open at the
//! caret. One pass, table driven, no grammar. Must not know what its findings are used for.
//!
//! It is deliberately rough where being exact costs more than it gives: strings that must not
//! span lines end with the line, unknown bytes are punctuation, and a closing bracket that fits
//! nothing is passed over.

mod scan;

use super::language::{Lexis, Quote};
use scan::Lexer;

/// Deepest bracket nesting that is followed; brackets beyond are not recorded.
pub const MAX_OPEN: usize = 256;

/// Longest word in bytes that is worth suggesting; longer ones (hashes, base64) are passed over.
pub const MAX_WORD: usize = 64;

/// What the caret stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Neither of the below; the only place in languages without either.
    Code,
    /// A string that began at this byte of the window.
    Text { quote: &'static Quote, start: usize },
    /// A comment to the end of the line.
    LineComment,
    /// A comment with an end of its own, which began at this byte of the window.
    BlockComment { close: &'static str, start: usize },
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A name or keyword in code.
    Word,
    /// A number.
    Number,
    /// A string with its quotes, or the part of it up to an interpolation.
    Text,
    /// One byte of punctuation.
    Punct,
    /// A word inside a comment.
    Prose,
}

/// A piece of the window.
#[derive(Debug, Clone, Copy)]
pub struct Token<'a> {
    /// The piece.
    pub text: &'a str,
    /// Its first byte in the window.
    pub at: usize,
    /// What it is.
    pub sort: Sort,
}

/// One line of the window.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// Its first byte in the window.
    pub at: usize,
    /// Columns of leading blanks, a tab counting to the next multiple of [`TAB`].
    pub indent: usize,
    /// Leading blanks contain a tab.
    pub tabs: bool,
    /// Index of the first token that starts on it.
    pub first: usize,
    /// It starts in code, not within a string or comment.
    pub code: bool,
}

/// Columns a tab counts for when indentation is compared.
pub const TAB: usize = 4;

/// A bracket that is open at the caret.
#[derive(Debug, Clone, Copy)]
pub struct Open {
    /// `(`, `[` or `{`.
    pub bracket: u8,
    /// Its byte in the window.
    pub at: usize,
    /// Indentation of the line it stands on, in columns.
    pub indent: usize,
    /// The text after the caret closes it.
    pub closed: bool,
    /// Closing it leads back into the string it interrupts (`${` in JavaScript).
    resume: Option<&'static Quote>,
}

impl Open {
    /// The bracket that closes this one.
    pub fn closer(&self) -> &'static str {
        match self.bracket {
            b'(' => ")",
            b'[' => "]",
            _ => "}",
        }
    }
}

/// What the lexer found.
pub struct Lexed<'a> {
    /// In order; a word under the caret is cut in two there.
    pub tokens: Vec<Token<'a>>,
    /// In order; the first starts at byte 0.
    pub lines: Vec<Line>,
    /// How many tokens stand before the caret.
    pub before: usize,
    /// Index of the caret's line.
    pub line: usize,
    /// Innermost last.
    pub open: Vec<Open>,
    /// What the caret stands in.
    pub place: Place,
}

/// Lexes `window`, which starts in code.
pub fn lex<'a>(window: &'a str, caret: usize, lexis: &'static Lexis) -> Lexed<'a> {
    let mut lexer = Lexer::new(window, lexis);
    lexer.run(caret);
    let before = lexer.tokens.len();
    let line = lexer.lines.len().saturating_sub(1);
    let place = lexer.place;
    let open = lexer.open.clone();
    lexer.floor = open.len();
    lexer.at_caret = open;
    lexer.run(window.len());
    Lexed {
        tokens: lexer.tokens,
        lines: lexer.lines,
        before,
        line,
        open: lexer.at_caret,
        place,
    }
}

#[cfg(test)]
mod tests {
    use super::super::language;
    use super::*;

    fn at<'a>(language: &str, text: &'a str) -> Lexed<'a> {
        let caret = text.find('‸').unwrap_or(text.len());
        lex(text, caret, language::find(language).lexis)
    }

    fn place(language: &str, text: &str) -> &'static str {
        match at(language, text).place {
            Place::Code => "code",
            Place::Text { .. } => "text",
            Place::LineComment => "line comment",
            Place::BlockComment { .. } => "block comment",
        }
    }

    #[test]
    fn strings_and_comments_are_told_from_code() {
        assert_eq!(place("python", "x = 'it\\'s‸'"), "text");
        assert_eq!(place("python", "x = 'never ends\ny = ‸"), "code");
        assert_eq!(place("python", "\"\"\"\nit's ‸\n\"\"\""), "text");
        assert_eq!(place("python", "x = 1 # it's ‸"), "line comment");
        assert_eq!(place("js", "a = `x ${b + ‸}`"), "code");
        assert_eq!(place("js", "a = `x ${b} ‸`"), "text");
        assert_eq!(place("js", "a = /['\"]/.test(‸"), "code");
        assert_eq!(place("js", "a = b / c + '‸"), "text");
        assert_eq!(place("rust", "fn f<'a>(x: &'a str) ‸"), "code");
        assert_eq!(place("rust", "let c = '\"'; ‸"), "code");
        assert_eq!(place("rust", "let s = r#\"a\"b‸"), "text");
        assert_eq!(place("rust", "/* a /* b */ ‸"), "block comment");
        assert_eq!(place("c", "/* a /* b */ ‸"), "code");
        assert_eq!(place("sql", "-- it's\nselect 'it''s' ‸"), "code");
    }

    #[test]
    fn indentation_says_which_bracket_was_left_open() {
        let lexed = at(
            "js",
            "function a() {\n  if (x) {\n    foo(‸\n}\n\nfunction b() {\n}\n",
        );
        let closed: Vec<bool> = lexed.open.iter().map(|open| open.closed).collect();
        assert_eq!(closed, [true, false, false]);
    }

    #[test]
    fn a_lonely_closing_bracket_closes_nothing() {
        let lexed = at("js", "}))] foo(a[‸");
        assert_eq!(lexed.open.len(), 2);
    }

    #[test]
    fn nesting_beyond_the_limit_is_not_recorded() {
        let lexed = lex(
            &"(".repeat(MAX_OPEN + 9),
            MAX_OPEN + 9,
            language::find("c").lexis,
        )
        .open
        .len();
        assert_eq!(lexed, MAX_OPEN);
    }

    #[test]
    fn words_beyond_the_limit_are_passed_over() {
        let text = format!("{} {}", "a".repeat(MAX_WORD), "b".repeat(MAX_WORD + 1));
        assert_eq!(at("c", &text).tokens.len(), 1);
    }
}
