//! What has to be known about a language to read it and to write in it. The languages themselves
//! stand beside their rules, in [`rules`](super::rules). Must not know any caret.

use super::imports::Imports;
use super::rules::{self, Rule};

/// How strings and comments of a language look.
pub struct Lexis {
    /// What begins a comment to the end of the line.
    pub line_comments: &'static [&'static str],
    /// What begins and ends a comment.
    pub block_comments: &'static [(&'static str, &'static str)],
    /// `/*` comments contain one another.
    pub nested: bool,
    /// Strings; where one opener begins another, the longer stands first.
    pub quotes: &'static [Quote],
    /// `'` may also begin a lifetime, which has no end.
    pub lifetimes: bool,
    /// `/` may begin a regular expression.
    pub regex: bool,
    /// Bytes of words besides letters, digits and `_`.
    pub word: &'static [u8],
}

/// One way to write a string.
#[derive(Debug, PartialEq, Eq)]
pub struct Quote {
    /// What begins it.
    pub open: &'static str,
    /// What ends it.
    pub close: &'static str,
    /// A backslash takes the next character's meaning away.
    pub escapes: bool,
    /// It may span lines; otherwise it ends with its line at the latest.
    pub lines: bool,
    /// What begins code inside it, up to the matching bracket; empty when nothing does.
    pub code: &'static str,
}

impl Quote {
    /// A string on one line with backslash escapes, the same mark at both ends.
    pub const fn line(mark: &'static str) -> Quote {
        Quote {
            open: mark,
            close: mark,
            escapes: true,
            lines: false,
            code: "",
        }
    }

    /// The same over any number of lines.
    pub const fn lines(mark: &'static str) -> Quote {
        Quote {
            open: mark,
            close: mark,
            escapes: true,
            lines: true,
            code: "",
        }
    }

    /// Over any number of lines, where a backslash is only a backslash.
    pub const fn raw(open: &'static str, close: &'static str) -> Quote {
        Quote {
            open,
            close,
            escapes: false,
            lines: true,
            code: "",
        }
    }
}

/// One language.
pub struct Language {
    /// Its one true name, lower case.
    pub id: &'static str,
    /// Other names and file extensions it goes by, lower case.
    pub aliases: &'static [&'static str],
    /// How it is lexed.
    pub lexis: &'static Lexis,
    /// One level of indentation when the file shows none.
    pub indent: &'static str,
    /// What begins a remark to the reader, and what ends it; both empty when there are none.
    pub remark: (&'static str, &'static str),
    /// Words that may stand before a statement's keyword: `async`, `pub`, `export`.
    pub modifiers: &'static [&'static str],
    /// How statements begin that stand only at the outermost level, at column 0. Lexing a long
    /// document starts at one of these, because no string or comment is likely to contain them
    /// there.
    pub anchors: &'static [&'static str],
    /// Keywords and well-known names worth completing, separated by blanks.
    pub keywords: &'static str,
    /// Letters of a word that must be typed before it is completed: 2 in code, more in prose.
    pub min_typed: usize,
    /// The text is for people: brackets in it are punctuation, and lines are no statements.
    pub prose: bool,
    /// What ends a statement: `";"` or nothing.
    pub end: &'static str,
    /// Keywords are written in whatever case the person uses.
    pub any_case: bool,
    /// `Type name` rather than `name: Type`.
    pub type_first: bool,
    /// How it asks whether a value is there: for several of something, a number, characters, and
    /// for who knows what. The value goes where `‹›` stands.
    pub tests: [&'static str; 4],
    /// Its phrases, see [`phrases`](super::phrases); earlier tables and lines score higher.
    pub phrases: &'static [&'static [&'static str]],
    /// What it can import.
    pub imports: &'static [Imports],
    /// What an empty document may begin with: a template, see [`Context::offer`].
    ///
    /// [`Context::offer`]: super::context::Context::offer
    pub starter: &'static str,
    /// Its own rules, besides those for every language.
    pub rules: &'static [Rule],
}

impl Lexis {
    /// Nothing is a comment or a string.
    pub const NONE: Lexis = Lexis {
        line_comments: &[],
        block_comments: &[],
        nested: false,
        quotes: &[],
        lifetimes: false,
        regex: false,
        word: b"",
    };
}

/// What the languages people program in have in common; each says what it has besides.
pub const CODE: Language = Language {
    id: "",
    aliases: &[],
    lexis: &Lexis::NONE,
    indent: "    ",
    remark: ("", ""),
    modifiers: &[],
    anchors: &[],
    keywords: "",
    min_typed: 2,
    prose: false,
    end: "",
    any_case: false,
    type_first: false,
    tests: ["‹›"; 4],
    phrases: &[],
    imports: &[],
    starter: "",
    rules: &[],
};

/// A language we do not know: words only.
pub static PLAIN: Language = Language {
    id: "plain",
    aliases: &["text", "txt", "plaintext", ""],
    prose: true,
    ..CODE
};

/// The language of an id or alias, [`PLAIN`] when nobody knows it.
pub fn find(name: &str) -> &'static Language {
    let name = name.trim();
    let named = |known: &&str| known.eq_ignore_ascii_case(name);
    (rules::LANGUAGES.iter().copied())
        .find(|language| named(&language.id) || language.aliases.iter().any(named))
        .unwrap_or(&PLAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_found_by_every_name_they_have() {
        for (name, id) in [
            ("python", "python"),
            ("PY", "python"),
            (" rs ", "rust"),
            ("TypeScriptReact", "tsx"),
            ("c++", "cpp"),
            ("klingon", "plain"),
            ("", "plain"),
        ] {
            assert_eq!(find(name).id, id, "{name}");
        }
    }

    #[test]
    fn no_name_means_two_languages() {
        let mut names: Vec<&str> = (rules::LANGUAGES.iter())
            .flat_map(|language| language.aliases.iter().copied().chain([language.id]))
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
