//! Everything rules may know about one caret, worked out once. Must not know what is suggested.

use std::cell::OnceCell;

use super::embedded;
use super::language::Language;
use super::lexer::{self, Lexed, Line, Open, Place, Sort, Token};
use super::names::Names;
use super::rules::sql::Table;
use super::search::{contains, first_word, from, is_listed, part};
use super::window::{self, WINDOW_AFTER, WINDOW_HEAD, WINDOW_LINE};

/// Lines above the caret, blank ones included, that rules look back over; what is further up is
/// not seen.
pub const MAX_LINES_ABOVE: usize = 500;

/// Outer lines looked at when asking what the caret is inside of.
pub const MAX_ENCLOSING: usize = 16;

/// The caret and its surroundings.
pub struct Context<'a> {
    /// The language at the caret, which in HTML and Markdown need not be that of the document.
    pub language: &'static Language,
    /// The part of the document that was lexed; positions in [`Lexed`] count from its start.
    pub window: &'a str,
    /// The caret's byte in the window.
    pub caret: usize,
    /// The start of the document, for what is only said there.
    pub head: &'a str,
    /// The caret's line up to the caret, at most [`WINDOW_LINE`] bytes.
    pub line: &'a str,
    /// The rest of the caret's line.
    pub rest: &'a str,
    /// The blanks the caret's line begins with.
    pub indent: &'a str,
    /// One level of indentation in this file.
    pub unit: &'static str,
    /// How lines end in this file.
    pub newline: &'static str,
    /// The word being typed: what stands directly before the caret.
    pub typed: &'a str,
    /// Tokens, lines, open brackets, and whether the caret is in code.
    pub lexed: Lexed<'a>,
    /// Variables, functions and types in reach of the caret, nearest first.
    pub names: Names<'a>,
    /// The tables an SQL document speaks of, once a phrase has asked.
    pub tables: OnceCell<Vec<Table<'a>>>,
    /// Whether the file ends statements in semicolons, once a rule has asked.
    semicolons: OnceCell<bool>,
    /// The document holds nothing but blanks.
    pub empty: bool,
    /// What the caret stands in could not be told: only words are safe.
    pub unsure: bool,
}

impl<'a> Context<'a> {
    /// Looks around the caret at `caret`, a character boundary of `text`.
    pub fn new(text: &'a str, caret: usize, document: &'static Language) -> Self {
        let (start, unsure) = window::start(text, caret, document);
        let stop = text.floor_char_boundary(caret.saturating_add(WINDOW_AFTER));
        let inner = embedded::find(text, start, caret, stop, document);
        let language = inner.language;
        let window = part(text, inner.start, inner.stop);
        let caret_in_window = caret.saturating_sub(inner.start);
        let before = part(window, 0, caret_in_window);
        let after = from(window, caret_in_window);

        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let cut = before.floor_char_boundary(before.len().saturating_sub(WINDOW_LINE));
        let line = from(before, line_start.max(cut));
        let rest = after.split('\n').next().unwrap_or("");
        let trimmed = line.trim_start_matches([' ', '\t']);
        let indent = part(line, 0, line.len() - trimmed.len());

        let lexed = lexer::lex(window, caret_in_window, language.lexis);
        let typed = match lexed
            .before
            .checked_sub(1)
            .and_then(|index| lexed.tokens.get(index))
        {
            Some(token)
                if token.at + token.text.len() == caret_in_window
                    && matches!(token.sort, Sort::Word | Sort::Prose) =>
            {
                token.text
            }
            _ => "",
        };
        Context {
            language,
            window,
            caret: caret_in_window,
            head: part(text, 0, text.floor_char_boundary(WINDOW_HEAD)),
            line,
            rest,
            indent,
            unit: indent_unit(&lexed.lines, language),
            newline: if contains(before, "\r\n") {
                "\r\n"
            } else {
                "\n"
            },
            typed,
            names: Names::collect(&lexed, language, columns(indent)),
            tables: OnceCell::new(),
            semicolons: OnceCell::new(),
            empty: text.len() <= WINDOW_LINE && text.trim().is_empty(),
            unsure: unsure || cut > line_start,
            lexed,
        }
    }

    /// The caret stands in code, at the end of its line but for blanks.
    #[inline(never)]
    pub fn at_code_end(&self) -> bool {
        self.in_code() && self.rest.trim().is_empty()
    }

    /// The caret stands in code.
    pub fn in_code(&self) -> bool {
        !self.unsure && self.lexed.place == Place::Code
    }

    /// The line up to the caret without indentation.
    pub fn trimmed(&self) -> &'a str {
        from(self.line, self.indent.len())
    }

    /// The statement being typed: [`Context::trimmed`] without a leading `}` and the language's
    /// modifiers, such as `export` or `pub`.
    #[inline(never)]
    pub fn statement(&self) -> &'a str {
        let mut statement = self.trimmed();
        statement = statement
            .strip_prefix('}')
            .unwrap_or(statement)
            .trim_start();
        while let Some((first, rest)) = statement.split_once(' ') {
            if !self.language.modifiers.contains(&first) {
                break;
            }
            statement = rest.trim_start();
        }
        statement
    }

    /// The line begins a block or belongs to its header: no statement ends with it.
    #[inline(never)]
    pub fn is_header(&self) -> bool {
        let first = first_word(self.statement());
        !first.is_empty() && is_listed(HEADERS, first)
    }

    /// A line above in the same block begins like this.
    #[inline(never)]
    pub fn has_sibling(&self, start: &str) -> bool {
        let columns = self.columns();
        self.lines_above()
            .take_while(|(_, indent)| *indent >= columns)
            .any(|(line, indent)| indent == columns && line.starts_with(start))
    }

    /// Brackets opened on the caret's line that the text after the caret does not close,
    /// innermost first.
    pub fn open_here(&self) -> impl Iterator<Item = &Open> {
        let start = self.caret_line().map_or(0, |line| line.at);
        self.lexed
            .open
            .iter()
            .rev()
            .take_while(move |open| open.at >= start)
    }

    /// The closing brackets still missing on this line, in the order they must be written.
    #[inline(never)]
    pub fn closers(&self) -> String {
        self.open_here()
            .filter(|open| !open.closed)
            .map(Open::closer)
            .collect()
    }

    /// The innermost bracket open at the caret.
    pub fn innermost(&self) -> Option<&Open> {
        self.lexed.open.last()
    }

    /// The caret's line.
    pub fn caret_line(&self) -> Option<&Line> {
        self.lexed.lines.get(self.lexed.line)
    }

    /// Tokens of the caret's line, up to the caret.
    pub fn line_tokens(&self) -> &[Token<'a>] {
        let first = self.caret_line().map_or(0, |line| line.first);
        self.lexed
            .tokens
            .get(first..self.lexed.before)
            .unwrap_or(&[])
    }

    /// Tokens before the caret, without the word being typed.
    pub fn tokens_before(&self) -> &[Token<'a>] {
        let end = self.lexed.before - usize::from(!self.typed.is_empty());
        self.lexed.tokens.get(..end).unwrap_or(&[])
    }

    /// The text of a line without its indentation and line end; empty outside the window.
    #[inline(never)]
    pub fn line_text(&self, index: usize) -> &'a str {
        let Some(line) = self.lexed.lines.get(index) else {
            return "";
        };
        let rest = from(self.window, line.at);
        rest.split('\n').next().unwrap_or("").trim()
    }

    /// The nearest line above that is not blank, with its indentation in columns.
    #[inline(never)]
    pub fn previous(&self) -> Option<(&'a str, usize)> {
        self.lines_above().next()
    }

    /// Lines above that are not blank, nearest first, with their indentation in columns.
    pub fn lines_above(&self) -> impl Iterator<Item = (&'a str, usize)> {
        (0..self.lexed.line)
            .rev()
            .take(MAX_LINES_ABOVE)
            .filter_map(|index| {
                let indent = self.lexed.lines.get(index)?.indent;
                let text = self.line_text(index);
                (!text.is_empty()).then_some((text, indent))
            })
    }

    /// The nearest line below that is not blank, with its indentation in columns.
    #[inline(never)]
    pub fn next(&self) -> Option<(&'a str, usize)> {
        let lines = self.lexed.lines.get(self.lexed.line + 1..)?;
        (self.lexed.line + 1..)
            .zip(lines)
            .find_map(|(index, line)| {
                let text = self.line_text(index);
                (!text.is_empty()).then_some((text, line.indent))
            })
    }

    /// The lines the caret is inside of by indentation, innermost first: `if` in `for` in `def`.
    pub fn enclosing(&self) -> impl Iterator<Item = &'a str> {
        let mut above = self.lines_above();
        let mut inner = columns(self.indent);
        std::iter::from_fn(move || {
            if inner == 0 {
                return None;
            }
            let outer = |(text, indent): &(&str, usize)| {
                *indent < inner && !text.starts_with(['}', ')', ']'])
            };
            let (text, indent) = above.find(outer)?;
            inner = indent;
            Some(text)
        })
        .take(MAX_ENCLOSING)
    }

    /// The innermost of [`Context::enclosing`]; empty at the outermost level.
    #[inline(never)]
    pub fn outer(&self) -> &'a str {
        self.enclosing().next().unwrap_or("")
    }

    /// The window up to the caret.
    pub fn before(&self) -> &'a str {
        part(self.window, 0, self.caret)
    }

    /// The window from the caret on.
    pub fn after(&self) -> &'a str {
        from(self.window, self.caret)
    }

    /// Columns of indentation before the caret's line.
    pub fn columns(&self) -> usize {
        columns(self.indent)
    }

    /// The line below belongs to a block that begins on the caret's line.
    #[inline(never)]
    pub fn has_body(&self) -> bool {
        self.next()
            .is_some_and(|(_, indent)| indent > self.columns())
    }

    /// The typed word stands elsewhere in the window, or is one of the language's own: it is
    /// probably complete.
    #[inline(never)]
    pub fn typed_is_known(&self) -> bool {
        is_listed(self.language.keywords, self.typed)
            || (self.lexed.tokens.iter())
                .filter(|token| token.text == self.typed && token.sort == Sort::Word)
                .nth(1)
                .is_some()
    }

    /// Most statements of this file end in a semicolon, or there is nothing to tell by.
    pub fn semicolons(&self) -> bool {
        *self.semicolons.get_or_init(|| self.count_semicolons())
    }

    fn count_semicolons(&self) -> bool {
        let (mut with, mut without) = (0, 0);
        let lines = &self.lexed.lines;
        for (index, line) in lines.iter().enumerate() {
            let end = lines
                .get(index + 1)
                .map_or(self.lexed.tokens.len(), |next| next.first);
            let last = end
                .checked_sub(1)
                .filter(|last| *last >= line.first && index != self.lexed.line);
            match last
                .and_then(|last| self.lexed.tokens.get(last))
                .map(|token| token.text)
            {
                Some(";") => with += 1,
                Some("{" | "}" | "(" | "[" | "," | ">" | ":" | "*") | None => {}
                Some(_) => without += 1,
            }
        }
        with >= without
    }
}

/// Keywords whose line is a header.
const HEADERS: &str = "if else for while do switch case default try catch finally function class struct enum interface \
    trait impl fn func match loop unsafe mod namespace template package def elif with except";

/// Columns that leading blanks take.
pub fn columns(indent: &str) -> usize {
    indent.bytes().fold(0, |columns, byte| match byte {
        b'\t' => (columns / lexer::TAB + 1) * lexer::TAB,
        _ => columns + 1,
    })
}

/// The step by which lines of this file are indented: tabs if more lines begin with one, else the
/// most common growth from one line to the next, else what the language is used to.
fn indent_unit(lines: &[Line], language: &Language) -> &'static str {
    let (mut tabs, mut spaces) = (0, 0);
    let mut steps = [0u32; 9];
    let mut outer = 0;
    for line in lines.iter().filter(|line| line.code) {
        if line.tabs {
            tabs += 1;
        } else if line.indent > 0 {
            spaces += 1;
        }
        let step = line.indent.saturating_sub(outer);
        if step > 1
            && let Some(count) = steps.get_mut(step)
        {
            *count += 1;
        }
        outer = line.indent;
    }
    if tabs > spaces {
        return "\t";
    }
    let most = steps.iter().copied().max().unwrap_or(0);
    match steps.iter().position(|count| *count == most) {
        Some(step) if most > 0 => "        ".get(..step).unwrap_or(language.indent),
        _ => language.indent,
    }
}

#[cfg(test)]
mod tests {
    use super::super::language;
    use super::*;

    fn unit(text: &str) -> &'static str {
        Context::new(text, text.len(), language::find("js")).unit
    }

    #[test]
    fn indentation_follows_the_file() {
        assert_eq!(unit(""), "  ");
        assert_eq!(unit("a {\n\tb {\n\t\tc\n"), "\t");
        assert_eq!(unit("a {\n    b {\n        c\n"), "    ");
        assert_eq!(unit("a {\n  b {\n    c\n"), "  ");
        assert_eq!(unit("a {\n   b\n}\nc {\n   d\n"), "   ");
    }

    #[test]
    fn only_words_in_a_line_beyond_the_limit() {
        let at_limit = "a".repeat(WINDOW_LINE);
        assert!(!Context::new(&at_limit, WINDOW_LINE, language::find("js")).unsure);
        let beyond = "a".repeat(WINDOW_LINE + 1);
        assert!(Context::new(&beyond, WINDOW_LINE + 1, language::find("js")).unsure);
    }
}
