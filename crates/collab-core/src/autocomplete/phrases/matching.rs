//! How far the typed text has got along a phrase. Must not know any document.

use crate::autocomplete::search::{is_listed, is_word_char, part};

/// Expressions with a default of their own; see [`filling`](super::filling).
const EXPRESSIONS: &str = "many cond value type columns places fail arms";

/// Words an expression cannot end with.
const DANGLING: &str = "and or not in is of if else await new return lambda as let mut for";

/// What the typing stopped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The phrase's own text.
    Literal,
    /// A name.
    Name,
    /// An expression that reads complete.
    Expression,
}

/// The place the typing has reached.
#[derive(Debug)]
pub struct Progress<'a> {
    /// What remains of the phrase.
    pub rest: &'static str,
    /// Placeholders that were typed.
    pub bound: Vec<(&'static str, &'a str)>,
    /// What closes the brackets still open in the expression the typing stopped in.
    pub closers: String,
    /// What the typing stopped in.
    pub stop: Stop,
    /// A keyword of it was typed in lower case, where case does not matter.
    pub lower: bool,
}

/// Follows `phrase` with `typed`; `None` where they part, where the phrase is over, and where too
/// little of it has been typed to tell.
pub fn follow<'a>(phrase: &'static str, typed: &'a str, any_case: bool) -> Option<Progress<'a>> {
    let mut progress = Progress {
        rest: phrase,
        bound: Vec::new(),
        closers: String::new(),
        stop: Stop::Literal,
        lower: false,
    };
    let mut left = typed;
    while let Some(next) = left.chars().next() {
        let mut ahead = progress.rest.chars();
        let sign = ahead.next()?;
        progress.stop = Stop::Literal;
        match sign {
            '·' | '‸' => progress.rest = ahead.as_str(),
            '‹' => left = placeholder(&mut progress, left, any_case)?,
            ' ' => {
                let trimmed = left.trim_start_matches(' ');
                let before = part(phrase, 0, phrase.len() - progress.rest.len());
                let between_words = before.ends_with(is_word_char)
                    && ahead.as_str().starts_with(|c| is_word_char(c) || c == '‹');
                if trimmed.len() == left.len() && between_words {
                    return None;
                }
                left = trimmed;
                progress.rest = ahead.as_str();
            }
            _ if sign == next || (any_case && sign.eq_ignore_ascii_case(&next)) => {
                left = left.get(next.len_utf8()..)?;
                progress.lower |= sign != next;
                progress.rest = ahead.as_str();
            }
            _ => return None,
        }
    }
    let reached = phrase.len() - progress.rest.len();
    let unsaid = progress.rest.trim_start_matches(['·', '‸']);
    ((typed.is_empty() || reached >= required(phrase)) && !unsaid.is_empty()).then_some(progress)
}

/// Bytes of the phrase that must have been typed: up to `·`, or its first word.
pub fn required(phrase: &str) -> usize {
    let sign = |c: char| !is_word_char(c);
    let first = phrase.find(is_word_char).unwrap_or(0);
    let word = || {
        phrase
            .get(first..)
            .and_then(|rest| rest.find(sign))
            .map(|end| first + end)
    };
    phrase.find('·').or_else(word).unwrap_or(phrase.len())
}

/// Binds the placeholder the phrase has come to; what is left of the typed text.
fn placeholder<'a>(progress: &mut Progress<'a>, left: &'a str, any_case: bool) -> Option<&'a str> {
    let (name, after) = progress.rest.strip_prefix('‹')?.split_once('›')?;
    progress.rest = after;
    if let Some((_, known)) = progress.bound.iter().find(|(bound, _)| *bound == name) {
        return left.strip_prefix(known);
    }
    let length = if name.starts_with('*') || is_listed(EXPRESSIONS, name) {
        let token = after.trim_start_matches(['·', '‸', ' ']);
        let word = token.find(|c| !is_word_char(c)).unwrap_or(token.len());
        // A word as a whole, of punctuation the first.
        let first = token.chars().next().map_or(0, char::len_utf8);
        let token = part(token, 0, word.max(first));
        let token = if token.starts_with(['‹', '\n']) {
            ""
        } else {
            token
        };
        let (length, closers) = expression(left, token, any_case)?;
        progress.closers = closers;
        progress.stop = Stop::Expression;
        length
    } else {
        progress.stop = Stop::Name;
        left.find(|c| !is_word_char(c)).unwrap_or(left.len())
    };
    let text = part(left, 0, length).trim();
    if text.is_empty() && !name.starts_with('*') {
        return None;
    }
    progress.bound.push((name, text));
    left.get(length..)
}

/// The expression `text` begins with, up to `token` outside of any bracket, or to its end: its
/// length and what would close it. `None` when it does not read complete.
fn expression(text: &str, token: &str, any_case: bool) -> Option<(usize, String)> {
    if text.starts_with('<') {
        // A tag, which others finish.
        return None;
    }
    let mut open: Vec<char> = Vec::new();
    let mut quote = None;
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        let apart = before == ' ' || !token.starts_with(is_word_char);
        let here = part(text, at, at + token.len());
        let ends = here == token || (any_case && here.eq_ignore_ascii_case(token));
        if quote.is_none() && open.is_empty() && !token.is_empty() && apart && ends {
            return Some((at, String::new()));
        }
        match (quote, character) {
            (Some(mark), _) if mark == character && before != '\\' => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`') => quote = Some(character),
            (None, '(') => open.push(')'),
            (None, '[') => open.push(']'),
            (None, '{') => open.push('}'),
            (None, ')' | ']' | '}') if open.pop() != Some(character) => return None,
            _ => {}
        }
        before = character;
    }
    let last = text.trim_end();
    let word = last.rsplit(|c| !is_word_char(c)).next().unwrap_or("");
    let complete = last.ends_with(|c| {
        is_word_char(c) || matches!(c, ')' | ']' | '}' | '"' | '\'' | '`' | '?' | '>')
    }) && !is_listed(DANGLING, word);
    complete.then(|| (text.len(), open.iter().rev().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(phrase: &'static str, typed: &str) -> Option<String> {
        follow(phrase, typed, false).map(|progress| progress.closers + progress.rest)
    }

    #[test]
    fn a_phrase_goes_on_wherever_the_typing_stopped() {
        const LOOP: &str = "for (const ‹one› of ‹many›) {";
        for (typed, expected) in [
            ("fo", None),
            ("for", Some(" (const ‹one› of ‹many›) {")),
            ("for (con", Some("st ‹one› of ‹many›) {")),
            ("for(const us", Some(" of ‹many›) {")),
            ("for (const user of ", Some("‹many›) {")),
            ("for (const user of f(a[1", Some("])) {")),
            ("for (const user of users)", Some(" {")),
            ("for (let", None),
            ("for (const user of users) {", None),
            ("for (const user of a +", None),
        ] {
            assert_eq!(rest(LOOP, typed).as_deref(), expected, "{typed}");
        }
    }

    #[test]
    fn repeated_and_starred_names() {
        assert_eq!(
            rest("for ‹i› := 0; ‹i› < ‹*10›; ‹i›++ {", "for k := 0; k").as_deref(),
            Some(" < ‹*10›; ‹i›++ {")
        );
        assert_eq!(
            rest("def ‹name›(self‹*›):", "def go(self").as_deref(),
            Some("‹*›):")
        );
        assert_eq!(
            rest("def ‹name›(self‹*›):", "def go(self, a").as_deref(),
            Some("):")
        );
        assert_eq!(rest("def ‹name›(self‹*›):", "def go(a").as_deref(), None);
    }

    #[test]
    fn how_much_is_required() {
        assert_eq!(rest("console.·log()", "console"), None);
        assert_eq!(
            rest("console.·log()", "console.").as_deref(),
            Some("·log()")
        );
        assert_eq!(
            rest("#include <‹*stdio.h›>", "#include").as_deref(),
            Some(" <‹*stdio.h›>")
        );
    }

    #[test]
    fn case_where_it_does_not_matter() {
        let progress = follow("DELETE FROM ‹table›", "delete", true);
        assert!(
            progress.is_some_and(|progress| progress.lower && progress.rest == " FROM ‹table›")
        );
    }
}
