//! The names in reach of a caret, and what they seem to hold: enough to write `for user in users`
//! instead of `for item in items`. Read off the shape of declarations in the lines above; must
//! not know rules, and knows nothing about types but how they are spelled.

mod declarations;
mod spelling;

use super::language::Language;
use super::lexer::{Lexed, Sort};
use declarations::Declarations;
pub use spelling::singular;
use spelling::spelled;

/// Names kept, nearest first; those further away are not recorded. More than a screen of
/// functions declares.
pub const MAX_NAMES: usize = 64;

/// Lines above the caret that are read for names; what is further up is out of reach.
pub const MAX_LINES: usize = 400;

/// What a name was declared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A variable, constant, parameter or loop variable.
    Value,
    /// Something that can be called.
    Function,
    /// A class, struct, interface, enum, trait.
    Type,
}

/// What a value seems to hold, by what it was given or how it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Nothing is known.
    Unknown,
    /// Several of something.
    Many,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// Characters.
    Text,
}

/// One declared name.
#[derive(Debug, Clone, Copy)]
pub struct Name<'a> {
    /// As written.
    pub text: &'a str,
    /// What it was declared as.
    pub role: Role,
    /// What it seems to hold.
    pub shape: Shape,
    /// Lines between its declaration and the caret.
    pub distance: usize,
}

/// Names in reach of the caret, nearest first, none twice.
#[derive(Default)]
pub struct Names<'a>(Vec<Name<'a>>);

impl<'a> Names<'a> {
    /// Reads the lines above the caret. A line is in reach when nothing between it and the caret
    /// is indented less than it: the body of a neighbouring function is not. What a header
    /// declares for its own body (parameters, loop variables) is in reach only inside that body.
    pub fn collect(lexed: &Lexed<'a>, language: &Language, columns: usize) -> Self {
        let mut names = Names::default();
        let mut reach = columns;
        for index in (0..lexed.line).rev().take(MAX_LINES) {
            let Some(line) = lexed.lines.get(index) else {
                continue;
            };
            let next = lexed
                .lines
                .get(index + 1)
                .map_or(lexed.before, |next| next.first);
            let tokens = lexed.tokens.get(line.first..next).unwrap_or(&[]);
            let blank = tokens.iter().all(|token| token.sort == Sort::Prose);
            if blank || !line.code || line.indent > reach {
                continue;
            }
            let encloses = line.indent < reach;
            let distance = lexed.line - index;
            Declarations {
                names: &mut names,
                tokens,
                distance,
                encloses,
            }
            .read(language);
            let closes = tokens
                .first()
                .is_some_and(|token| matches!(token.text, "}" | ")" | "]"));
            if !closes {
                reach = line.indent;
            }
            if names.0.len() >= MAX_NAMES {
                break;
            }
        }
        names
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Name<'a>> {
        self.0.iter()
    }

    /// Names of a role.
    pub fn of(&self, role: Role) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |name| name.role == role)
            .map(|name| name.text)
    }

    fn add(&mut self, text: &'a str, role: Role, shape: Shape, distance: usize) {
        let known = self.0.iter().any(|name| name.text == text);
        if self.0.len() < MAX_NAMES && !known && text != "_" {
            let shape = if shape == Shape::Unknown {
                spelled(text)
            } else {
                shape
            };
            self.0.push(Name {
                text,
                role,
                shape,
                distance,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::context::Context;
    use super::super::language;
    use super::*;

    fn names(language: &str, text: &str) -> Vec<(String, Shape)> {
        let context = Context::new(text, text.len(), language::find(language));
        context
            .names
            .iter()
            .map(|name| (name.text.to_owned(), name.shape))
            .collect()
    }

    fn in_reach(language: &str, text: &str) -> String {
        names(language, text)
            .into_iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn a_neighbours_body_is_out_of_reach() {
        let text = "TOP = 1\ndef a(x):\n    y = 1\n\ndef b(u, v: int = 3):\n    w = 2\n    ";
        assert_eq!(in_reach("python", text), "w b u v a TOP");
    }

    #[test]
    fn declarations_of_each_language() {
        for (language, text, expected) in [
            ("js", "const {a, b} = f();\nlet c = 1\n", "c a b"),
            ("js", "const f = (x, y) => {\n  ", "f x y"),
            ("js", "class A {\n  go(x) {\n    ", "go x A"),
            ("ts", "function f(a: string[], b = 2): void {\n  ", "f a b"),
            (
                "rust",
                "fn f<'a>(mut a: Vec<(u8, u8)>, b: &str) -> u8 {\n    let mut c = 1;\n    ",
                "c f a b",
            ),
            (
                "go",
                "func (s *Server) Run(a, b int) error {\n\tx, err := f()\n\t",
                "x err s Run a b",
            ),
            (
                "java",
                "void f(List<String> names, int n) {\n    int x = 1;\n    String y;\n    ",
                "y x f names n",
            ),
            (
                "c",
                "int main(int argc, char **argv) {\n    int *p = 0;\n    ",
                "p main argc argv",
            ),
            (
                "python",
                "for i, x in enumerate(xs):\n    with open(p) as f:\n        ",
                "f i x",
            ),
        ] {
            assert_eq!(in_reach(language, text), expected, "{text}");
        }
    }

    #[test]
    fn shapes_come_from_values_types_and_spelling() {
        let shapes: Vec<Shape> = names("python", "a = [1]\nb = 3\nc = 'x'\nd = True\nusers = f()\ne = get_rows()\nf: list[int] = g\nis_x = h()\n")
            .into_iter()
            .map(|(_, shape)| shape)
            .collect();
        use Shape::{Flag, Many, Number, Text};
        assert_eq!(shapes, [Flag, Many, Many, Many, Flag, Text, Number, Many]);
    }

    #[test]
    fn the_nearest_names_are_kept() {
        let text: String = (0..MAX_NAMES + 5)
            .map(|n| format!("v{n} = {n}\n"))
            .collect();
        let kept = names("python", &text);
        assert_eq!(kept.len(), MAX_NAMES);
        assert_eq!(kept.first().map(|(name, _)| name.as_str()), Some("v68"));
    }
}
