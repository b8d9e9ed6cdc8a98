//! The pass itself: one byte class, one step. Must not know about the caret beyond which brackets
//! were open there.

use super::{Line, MAX_OPEN, MAX_WORD, Open, Place, Sort, TAB, Token};
use crate::autocomplete::language::{Lexis, Quote};
use crate::autocomplete::search::{from, is_word_char};

const OTHER: u8 = 0;
const BLANK: u8 = 1;
const NEWLINE: u8 = 2;
const WORD: u8 = 3;
const DIGIT: u8 = 4;
const OPENS: u8 = 5;
const CLOSES: u8 = 6;
const WIDE: u8 = 7;
/// Flag: a comment or a string may begin with this byte.
const SPECIAL: u8 = 0x80;

/// The state of one pass.
pub struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    lexis: &'static Lexis,
    class: [u8; 256],
    at: usize,
    /// What the next byte stands in.
    pub place: Place,
    /// Depth of nested block comments.
    depth: usize,
    /// Tokens so far.
    pub tokens: Vec<Token<'a>>,
    /// Lines so far.
    pub lines: Vec<Line>,
    /// Brackets open now, innermost last.
    pub open: Vec<Open>,
    /// The brackets open at the caret, once it has been passed.
    pub at_caret: Vec<Open>,
    /// How many of them are still open.
    pub floor: usize,
}

impl<'a> Lexer<'a> {
    /// Stands at the start of `text`, in code.
    pub fn new(text: &'a str, lexis: &'static Lexis) -> Self {
        let mut class = [OTHER; 256];
        for (byte, class) in (0u8..=255).zip(&mut class) {
            *class = match byte {
                b' ' | b'\t' | b'\r' => BLANK,
                b'\n' => NEWLINE,
                b'0'..=b'9' => DIGIT,
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => WORD,
                b'(' | b'[' | b'{' => OPENS,
                b')' | b']' | b'}' => CLOSES,
                0x80.. => WIDE,
                _ if lexis.word.contains(&byte) => WORD,
                _ => OTHER,
            };
        }
        let openers = (lexis.line_comments.iter().copied())
            .chain(lexis.block_comments.iter().map(|(open, _)| *open))
            .chain(lexis.quotes.iter().map(|quote| quote.open));
        for opener in openers {
            if let Some(class) = opener
                .bytes()
                .next()
                .and_then(|b| class.get_mut(usize::from(b)))
            {
                *class |= SPECIAL;
            }
        }
        let mut lexer = Lexer {
            text,
            bytes: text.as_bytes(),
            lexis,
            class,
            at: 0,
            place: Place::Code,
            depth: 0,
            tokens: Vec::with_capacity(text.len() / 4),
            lines: Vec::with_capacity(text.len() / 32),
            open: Vec::new(),
            at_caret: Vec::new(),
            floor: 0,
        };
        lexer.start_line();
        lexer
    }

    /// Reads up to `end`, which is a character boundary.
    pub fn run(&mut self, end: usize) {
        while self.at < end {
            match self.place {
                Place::Code => self.code(end),
                Place::Text { quote, start } => self.string(quote, start, end),
                Place::LineComment => self.comment("\n", end),
                Place::BlockComment { close, .. } => self.comment(close, end),
            }
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    fn class(&self, at: usize) -> u8 {
        self.class
            .get(usize::from(self.byte(at)))
            .copied()
            .unwrap_or(OTHER)
    }

    fn starts(&self, what: &str, end: usize) -> bool {
        self.bytes
            .get(self.at..end)
            .is_some_and(|rest| rest.starts_with(what.as_bytes()))
    }

    fn push(&mut self, start: usize, sort: Sort) {
        if let Some(text) = self.text.get(start..self.at) {
            self.tokens.push(Token {
                text,
                at: start,
                sort,
            });
        }
    }

    fn start_line(&mut self) {
        let mut indent = 0;
        let mut tabs = false;
        for byte in self.bytes.iter().skip(self.at) {
            match byte {
                b' ' => indent += 1,
                b'\t' => {
                    indent = (indent / TAB + 1) * TAB;
                    tabs = true;
                }
                _ => break,
            }
        }
        self.lines.push(Line {
            at: self.at,
            indent,
            tabs,
            first: self.tokens.len(),
            code: self.place == Place::Code,
        });
    }

    fn newline(&mut self) {
        self.at += 1;
        self.start_line();
    }

    fn code(&mut self, end: usize) {
        let class = self.class(self.at);
        if class & SPECIAL != 0 && self.special(end) {
            return;
        }
        let start = self.at;
        match class & !SPECIAL {
            BLANK => self.at += 1,
            NEWLINE => self.newline(),
            WORD | WIDE => self.word(end, Sort::Word),
            DIGIT => {
                while self.at < end {
                    let byte = self.byte(self.at);
                    let goes_on = byte.is_ascii_alphanumeric()
                        || byte == b'_'
                        || (byte == b'.' && self.byte(self.at + 1).is_ascii_digit());
                    if !goes_on {
                        break;
                    }
                    self.at += 1;
                }
                self.push(start, Sort::Number);
            }
            OPENS => {
                self.at += 1;
                self.push(start, Sort::Punct);
                self.open_bracket(start, None);
            }
            CLOSES => {
                self.at += 1;
                self.push(start, Sort::Punct);
                self.close_bracket(start);
            }
            _ => {
                self.at += 1;
                self.push(start, Sort::Punct);
                if self.lexis.regex && self.byte(start) == b'/' {
                    self.regex(end);
                }
            }
        }
    }

    /// A comment or string that begins here; `false` when none does.
    fn special(&mut self, end: usize) -> bool {
        let start = self.at;
        for (open, close) in self.lexis.block_comments {
            if self.starts(open, end) {
                self.at += open.len();
                self.depth = 1;
                self.place = Place::BlockComment { close, start };
                return true;
            }
        }
        if self
            .lexis
            .line_comments
            .iter()
            .any(|open| self.starts(open, end))
        {
            self.place = Place::LineComment;
            return true;
        }
        for quote in self.lexis.quotes {
            if !self.starts(quote.open, end) {
                continue;
            }
            if self.lexis.lifetimes && quote.open == "'" && !self.is_char_literal() {
                return false;
            }
            self.at += quote.open.len();
            self.place = Place::Text { quote, start };
            return true;
        }
        false
    }

    /// `'a'` and `'\n'`, but not the lifetime `'a`.
    fn is_char_literal(&self) -> bool {
        let mut rest = from(self.text, self.at + 1).chars();
        match rest.next() {
            Some('\\') => true,
            Some('\n' | '\'') | None => false,
            Some(_) => rest.next() == Some('\''),
        }
    }

    fn word(&mut self, end: usize, sort: Sort) {
        let start = self.at;
        while self.at < end {
            match self.class(self.at) & !SPECIAL {
                WORD | DIGIT => self.at += 1,
                WIDE => {
                    let character = self
                        .text
                        .get(self.at..)
                        .and_then(|rest| rest.chars().next());
                    let Some(character) = character else { break };
                    if !is_word_char(character) {
                        if self.at == start {
                            self.at += character.len_utf8();
                            return;
                        }
                        break;
                    }
                    self.at += character.len_utf8();
                }
                _ => break,
            }
        }
        if self.at - start <= MAX_WORD {
            self.push(start, sort);
        }
    }

    fn open_bracket(&mut self, at: usize, resume: Option<&'static Quote>) {
        if self.open.len() < MAX_OPEN {
            let indent = self.lines.last().map_or(0, |line| line.indent);
            let bracket = self.byte(at);
            self.open.push(Open {
                bracket,
                at,
                indent,
                closed: false,
                resume,
            });
        }
    }

    /// Closes the innermost bracket of the same sort. When the closing one is the first thing on
    /// its line, indentation is better evidence than nesting: it closes the one whose line is
    /// indented the same, and whatever was open inside stays unclosed.
    fn close_bracket(&mut self, at: usize) {
        let bracket = match self.byte(at) {
            b')' => b'(',
            b']' => b'[',
            _ => b'{',
        };
        let line = self.lines.last();
        let leads = line.is_some_and(|line| line.first + 1 == self.tokens.len());
        let indent = line.map_or(0, |line| line.indent);
        let fits = |open: &Open| open.bracket == bracket;
        let aligned = |open: &Open| fits(open) && open.indent == indent;
        let found = if leads {
            self.open.iter().rposition(aligned)
        } else {
            None
        };
        let Some(index) = found.or_else(|| self.open.iter().rposition(fits)) else {
            return;
        };
        let resume = self.open.get(index).and_then(|open| open.resume);
        self.open.truncate(index);
        if index < self.floor {
            self.floor = index;
            if let Some(open) = self.at_caret.get_mut(index) {
                open.closed = true;
            }
        }
        if let Some(quote) = resume {
            self.place = Place::Text { quote, start: at };
        }
    }

    fn string(&mut self, quote: &'static Quote, start: usize, end: usize) {
        let stop = quote.close.bytes().next().unwrap_or(b'"');
        while self.at < end {
            let byte = self.byte(self.at);
            if byte == b'\\' && quote.escapes {
                // Never over a newline (that ends the line, not the string) and never into the
                // middle of a character.
                let step = if self.byte(self.at + 1) == b'\n' {
                    1
                } else {
                    2
                };
                self.at = (self.at + step).min(end);
                while self.at < end && !self.text.is_char_boundary(self.at) {
                    self.at += 1;
                }
            } else if byte == stop && self.starts(quote.close, end) {
                self.at += quote.close.len();
                self.push(start, Sort::Text);
                self.place = Place::Code;
                return;
            } else if byte == b'\n' {
                if !quote.lines {
                    self.push(start, Sort::Text);
                    self.place = Place::Code;
                    return;
                }
                self.newline();
            } else if !quote.code.is_empty() && self.starts(quote.code, end) {
                self.push(start, Sort::Text);
                self.at += quote.code.len();
                self.place = Place::Code;
                self.open_bracket(self.at - 1, Some(quote));
                return;
            } else {
                self.at += 1;
            }
        }
    }

    fn comment(&mut self, close: &'static str, end: usize) {
        while self.at < end {
            match self.class(self.at) & !SPECIAL {
                NEWLINE if close == "\n" => {
                    self.place = Place::Code;
                    return;
                }
                NEWLINE => self.newline(),
                _ if self.starts(close, end) => {
                    self.at += close.len();
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        self.place = Place::Code;
                        return;
                    }
                }
                WORD | WIDE => self.word(end, Sort::Prose),
                _ => {
                    if self.lexis.nested && self.starts("/*", end) {
                        self.depth += 1;
                        self.at += 1;
                    }
                    self.at += 1;
                }
            }
        }
    }

    /// Passes over a regular expression whose first `/` was just read, if it is one: it stands
    /// where a value is expected and ends on the same line.
    fn regex(&mut self, end: usize) {
        let before = self
            .tokens
            .len()
            .checked_sub(2)
            .and_then(|index| self.tokens.get(index));
        let value_expected = before.is_none_or(|token| match token.sort {
            Sort::Punct => !matches!(token.text, ")" | "]" | "}" | "<"),
            Sort::Word => matches!(token.text, "return" | "typeof" | "case" | "in" | "of"),
            _ => false,
        });
        if !value_expected {
            return;
        }
        let mut in_class = false;
        let mut at = self.at;
        while at < end {
            match self.byte(at) {
                b'\n' => return,
                b'\\' => at += 1,
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => {
                    self.at = at + 1;
                    return;
                }
                _ => {}
            }
            at += 1;
        }
    }
}
