//! Reads the names that one line declares, by the shape of its tokens. Must not know which lines
//! are in reach of a caret.

use super::spelling::spelled;
use super::{Names, Role, Shape};
use crate::autocomplete::language::Language;
use crate::autocomplete::lexer::{Sort, Token};
use crate::autocomplete::search::is_listed;

/// The declarations of one line.
pub struct Declarations<'n, 'a> {
    /// Where they go.
    pub names: &'n mut Names<'a>,
    /// The line.
    pub tokens: &'n [Token<'a>],
    /// Lines to the caret.
    pub distance: usize,
    /// The caret is in the block this line begins.
    pub encloses: bool,
}

impl<'a> Declarations<'_, 'a> {
    fn text(&self, index: usize) -> &'a str {
        self.tokens.get(index).map_or("", |token| token.text)
    }

    fn word(&self, index: usize) -> Option<&'a str> {
        self.tokens
            .get(index)
            .filter(|token| token.sort == Sort::Word)
            .map(|token| token.text)
    }

    fn value(&mut self, text: &'a str, shape: Shape) {
        self.names.add(text, Role::Value, shape, self.distance);
    }

    /// Adds them to the names.
    pub fn read(&mut self, language: &Language) {
        let mut at = 0;
        while language.modifiers.contains(&self.text(at)) {
            at += 1;
        }
        let first = self.text(at);
        if is_listed("def fn function func fun", first) {
            // A Go method names its receiver first.
            if self.text(at + 1) == "(" {
                self.parameters(at + 1, language);
                while at < self.tokens.len() && self.text(at) != ")" {
                    at += 1;
                }
            }
            let name = at + 1 + usize::from(self.text(at + 1) == "*");
            if let Some(text) = self.word(name) {
                self.names
                    .add(text, Role::Function, Shape::Unknown, self.distance);
            }
            self.parameters(name + 1, language);
        } else if is_listed("class struct enum trait interface type record union", first) {
            if let Some(text) = self.word(at + 1) {
                self.names
                    .add(text, Role::Type, Shape::Unknown, self.distance);
            }
        } else if first == "for" {
            self.loop_variables(at + 1);
        } else if is_listed("with except", first) {
            let alias = self.tokens.iter().rposition(|token| token.text == "as");
            if let Some(text) = alias.and_then(|alias| self.word(alias + 1))
                && self.encloses
            {
                self.value(text, Shape::Unknown);
            }
        } else if !is_listed(UNDECLARING, first) {
            self.assignment(at, language);
        }
    }

    /// `let mut a = …`, `const {a, b} = …`, `a, b = …`, `a: T = …`, `int a = …`, and, where the
    /// line is a header around the caret, the parameters of a method or arrow function.
    fn assignment(&mut self, at: usize, language: &Language) {
        let binds = is_listed("let const var val auto mut static", self.text(at));
        let from = at + usize::from(binds) + usize::from(binds && self.text(at + 1) == "mut");
        let sign = (from..self.tokens.len()).find(|index| self.text(*index) == "=");
        let compares = |index: usize| {
            self.text(index + 1) == "="
                || index
                    .checked_sub(1)
                    .is_some_and(|before| is_listed("= ! < > + - * / | &", self.text(before)))
        };
        if let Some(sign) = sign.filter(|sign| !compares(*sign) || self.text(sign + 1) == ">") {
            let shape = self.shape_of(sign + 1);
            let type_first = language.type_first && !binds;
            if type_first {
                if let Some(text) = sign.checked_sub(1).and_then(|index| self.word(index)) {
                    let shape = if shape == Shape::Unknown {
                        self.type_shape(from, sign)
                    } else {
                        shape
                    };
                    self.value(text, shape);
                }
            } else {
                self.targets(from, sign, shape);
            }
        } else if language.type_first && self.tokens.last().is_some_and(|token| token.text == ";") {
            let name = self.tokens.len().saturating_sub(2);
            if name > from
                && let Some(text) = self.word(name)
                && self.tokens.get(name - 1).is_some_and(|t| {
                    t.sort == Sort::Word || matches!(t.text, "*" | ">" | "]" | "&")
                })
            {
                let shape = self.type_shape(from, name);
                self.value(text, shape);
            }
        }
        let opens = self.tokens.last().is_some_and(|token| token.text == "{");
        if opens
            && let Some(paren) = (from..self.tokens.len()).find(|index| self.text(*index) == "(")
        {
            if sign.is_none()
                && let Some(text) = paren.checked_sub(1).and_then(|index| self.word(index))
                && self.text(paren.saturating_sub(2)) != "."
            {
                self.names
                    .add(text, Role::Function, Shape::Unknown, self.distance);
            }
            let arrow = (from..self.tokens.len())
                .any(|index| self.text(index) == "=" && self.text(index + 1) == ">");
            if arrow || sign.is_none() {
                self.parameters(paren, language);
            }
        }
    }

    /// The names left of an assignment's sign: single, several, or taken apart.
    fn targets(&mut self, from: usize, sign: usize, shape: Shape) {
        let apart = matches!(self.text(from), "{" | "[" | "(");
        let mut index = from;
        while index < sign {
            let Some(text) = self.word(index) else {
                // Behind a colon stands a type, except in a pattern.
                if self.text(index) == ":" && !apart {
                    break;
                }
                if !is_listed(", { } [ ] ( ) : *", self.text(index)) {
                    return;
                }
                index += 1;
                continue;
            };
            if matches!(self.text(index + 1), "." | "(" | "[" | "-") && !apart {
                return;
            }
            let several = apart || self.text(index + 1) == "," || index > from;
            let shape = if several {
                Shape::Unknown
            } else if shape == Shape::Unknown && self.text(index + 1) == ":" {
                self.type_shape(index + 2, sign)
            } else {
                shape
            };
            self.value(text, shape);
            index += 1;
        }
    }

    fn loop_variables(&mut self, from: usize) {
        for index in from..self.tokens.len() {
            let text = self.text(index);
            if matches!(text, "in" | "of" | "=" | ":") {
                break;
            }
            if let Some(text) = self.word(index)
                && self.encloses
                && !is_listed("let const var auto int mut size_t range", text)
            {
                self.value(text, Shape::Unknown);
            }
        }
    }

    /// Parameters in the brackets that open at `from`, if the line encloses the caret.
    fn parameters(&mut self, from: usize, language: &Language) {
        // Type parameters may stand in between.
        let Some(open) = (from..self.tokens.len()).find(|index| self.text(*index) == "(") else {
            return;
        };
        if !self.encloses {
            return;
        }
        let mut depth = 0;
        for index in open..self.tokens.len() {
            match self.text(index) {
                "(" | "[" | "{" | "<" => depth += 1,
                ")" | "]" | "}" | ">" => {
                    depth -= 1;
                    if depth == 0 {
                        self.parameter_before(index, open, language);
                        return;
                    }
                }
                "," if depth == 1 => self.parameter_before(index, open, language),
                _ => {}
            }
        }
    }

    /// The parameter that the comma or bracket at `end` ends.
    fn parameter_before(&mut self, end: usize, open: usize, language: &Language) {
        let mut depth = 0;
        let mut start = end;
        while start > open + 1 {
            match self.text(start - 1) {
                ")" | "]" | "}" | ">" => depth += 1,
                "(" | "[" | "{" | "<" => depth -= 1,
                "," if depth == 0 => break,
                _ => {}
            }
            start -= 1;
        }
        let skipped = |text: &str| {
            is_listed(
                "mut const final readonly ref self this cls public private",
                text,
            )
        };
        let mut words =
            (start..end).filter(|index| self.word(*index).is_some_and(|word| !skipped(word)));
        let default = (start..end)
            .find(|index| self.text(*index) == "=")
            .unwrap_or(end);
        let name = if language.type_first {
            words.rfind(|index| *index < default)
        } else {
            words.next()
        };
        let Some(index) = name else { return };
        if let Some(text) = self.word(index) {
            let shape = if language.type_first {
                self.type_shape(start, index)
            } else {
                self.type_shape(index + 1, end)
            };
            self.value(text, shape);
        }
    }

    /// What a type spelled by these tokens holds.
    fn type_shape(&self, from: usize, to: usize) -> Shape {
        (from..to)
            .map(|index| self.text(index))
            .find_map(|text| {
                if is_listed("bool boolean", text) {
                    Some(Shape::Flag)
                } else if is_listed(
                    "int float number usize u32 i32 u64 i64 f64 double long",
                    text,
                ) {
                    Some(Shape::Number)
                } else if is_listed("str string String", text) {
                    Some(Shape::Text)
                } else {
                    (text == "[" || is_listed(COLLECTIONS, text)).then_some(Shape::Many)
                }
            })
            .unwrap_or(Shape::Unknown)
    }

    /// What the expression that begins at this token gives.
    fn shape_of(&self, at: usize) -> Shape {
        let Some(first) = self.tokens.get(at) else {
            return Shape::Unknown;
        };
        match first.sort {
            Sort::Text => Shape::Text,
            Sort::Number => Shape::Number,
            Sort::Punct if first.text == "[" => Shape::Many,
            Sort::Word => match first.text {
                "True" | "False" | "true" | "false" | "not" => Shape::Flag,
                "new" | "await" => self.shape_of(at + 1),
                "len" | "sum" | "int" => Shape::Number,
                text if is_listed(COLLECTIONS, text) => Shape::Many,
                // `users = fetch_users()`, `parts = text.split(",")`
                _ => (at..self.tokens.len())
                    .filter(|index| self.text(index + 1) == "(")
                    .filter_map(|index| self.word(index))
                    .next_back()
                    .map_or(Shape::Unknown, |called| {
                        let many = spelled(called) == Shape::Many || is_listed(COLLECTIONS, called);
                        if many { Shape::Many } else { Shape::Unknown }
                    }),
            },
            _ => Shape::Unknown,
        }
    }
}

/// Types, constructors and functions that give several of something.
const COLLECTIONS: &str = "list dict set tuple range sorted List Dict Set Map Array Iterable Sequence vec Vec \
    HashMap HashSet BTreeMap BTreeSet VecDeque Collection ArrayList LinkedList vector \
    map filter split splitlines readlines collect entries keys values slice";

/// Words that begin a line declaring nothing we read: `if let Some(x) = y` is left to the words of
/// the document.
const UNDECLARING: &str =
    "import from use package return if while else elif switch match case include namespace";
