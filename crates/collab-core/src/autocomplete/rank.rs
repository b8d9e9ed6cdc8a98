//! Orders what the rules proposed. Must not know any rule or language.
//!
//! A rule states how sure it is by one of the bands below, plus at most 99 for differences within
//! its band; the order of bands is the whole policy.

use super::context::Context;
use super::search::sort;
use super::{MAX_SUGGESTIONS, Suggestion};

/// What is written here almost always continues this way.
pub const EXACT: u32 = 900;
/// The most likely of several ways to go on.
pub const LIKELY: u32 = 700;
/// The rest of a word the person has begun.
pub const WORD: u32 = 500;
/// Another way to go on, for the second place.
pub const PLAUSIBLE: u32 = 300;
/// Better than nothing for someone who asked; below [`UNASKED`](super::UNASKED).
pub const FALLBACK: u32 = 100;

/// Longest text in bytes one suggestion may insert; longer ones are dropped. About 25 lines.
pub const MAX_INSERT: usize = 1024;

/// The best `max` of `found`, best first. Dropped: what inserts nothing but blanks, what the text
/// behind the caret already says, and the lesser of two that insert the same.
pub fn best(context: &Context<'_>, mut found: Vec<Suggestion>, max: usize) -> Vec<Suggestion> {
    let after = context.after();
    let following = after.trim_start();
    found.retain(|suggestion| {
        let insert = suggestion.insert.trim();
        let stands = context.rest.trim_start().starts_with(insert)
            || (insert.contains('\n') && following.starts_with(insert));
        !stands && !insert.is_empty() && suggestion.insert.len() <= MAX_INSERT
    });
    // Everything that tells two suggestions apart takes part, so the order is total.
    sort(&mut found, |a, b| {
        let key = |s: &Suggestion| (u32::MAX - s.score, s.insert.len(), s.replace_before, s.kind);
        key(a)
            .cmp(&key(b))
            .then_with(|| a.insert.cmp(&b.insert))
            .is_lt()
    });
    let mut best: Vec<Suggestion> = Vec::new();
    for suggestion in found {
        if best.len() == max.min(MAX_SUGGESTIONS) {
            break;
        }
        let known = |other: &Suggestion| {
            other.insert == suggestion.insert && other.replace_before == suggestion.replace_before
        };
        if !best.iter().any(known) {
            best.push(suggestion);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, language};
    use super::*;

    fn suggestion(insert: &str, score: u32) -> Suggestion {
        Suggestion {
            insert: insert.to_owned(),
            replace_before: 0,
            caret: None,
            label: insert.to_owned(),
            kind: Kind::Word,
            score,
        }
    }

    fn inserts(text: &str, caret: usize, found: Vec<Suggestion>, max: usize) -> Vec<String> {
        let context = Context::new(text, caret, &language::PLAIN);
        best(&context, found, max)
            .into_iter()
            .map(|suggestion| suggestion.insert)
            .collect()
    }

    #[test]
    fn best_first_without_doubles() {
        let found = vec![
            suggestion("a", 1),
            suggestion("b", 3),
            suggestion("a", 5),
            suggestion("aa", 3),
        ];
        assert_eq!(inserts("", 0, found, 9), ["a", "b", "aa"]);
    }

    #[test]
    fn nothing_that_already_stands_there() {
        let found = vec![
            suggestion(")", 1),
            suggestion("{\n}", 2),
            suggestion("  ", 3),
            suggestion("x", 1),
        ];
        assert_eq!(inserts("f()  {\n}", 2, found.clone(), 9), ["{\n}", "x"]);
        assert_eq!(inserts("f()  {\n}", 3, found, 9), [")", "x"]);
    }

    #[test]
    fn never_more_than_the_limits() {
        let many = |count: usize| {
            (0..count)
                .map(|n| suggestion(&format!("w{n}"), 1))
                .collect::<Vec<_>>()
        };
        assert_eq!(inserts("", 0, many(9), 1).len(), 1);
        assert_eq!(
            inserts("", 0, many(MAX_SUGGESTIONS + 9), usize::MAX).len(),
            MAX_SUGGESTIONS
        );
        let long = vec![
            suggestion(&"x".repeat(MAX_INSERT + 1), 1),
            suggestion(&"x".repeat(MAX_INSERT), 1),
        ];
        assert_eq!(inserts("", 0, long, 9).len(), 1);
    }
}
