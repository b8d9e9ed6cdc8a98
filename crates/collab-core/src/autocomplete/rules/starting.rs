//! Where there is nothing to go by: an empty document, a blank line, the end of a finished one.
//! All of it scores below [`UNASKED`](crate::autocomplete::UNASKED): good to get when asked for,
//! a nuisance when not.

use crate::autocomplete::context::Context;
use crate::autocomplete::lexer::Sort;
use crate::autocomplete::names::Role;
use crate::autocomplete::rank::FALLBACK;
use crate::autocomplete::{Kind, Suggestion};

/// An empty document begins the way documents of its language do.
pub fn starter(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.empty {
        return;
    }
    if !context.language.starter.is_empty() {
        context.offer(
            found,
            Kind::Block,
            FALLBACK + 90,
            &[context.language.starter],
        );
    }
    let (open, close) = context.language.remark;
    if !open.is_empty() {
        context.offer(
            found,
            Kind::Comment,
            FALLBACK,
            &[open, "What this file is for", close],
        );
    }
}

/// A remark to the reader: on a blank line what is still to do, naming the function it is in; at
/// the end of a finished statement the beginning of a remark about it.
pub fn remark(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let (open, close) = context.language.remark;
    if open.is_empty() || context.empty || !context.at_code_end() {
        return;
    }
    if context.trimmed().is_empty() {
        let function = match context.enclosing().next() {
            Some(_) => context.names.of(Role::Function).next(),
            None => None,
        };
        match function {
            Some(name) => context.offer(
                found,
                Kind::Comment,
                FALLBACK,
                &[open, "TODO: finish ", name, close],
            ),
            None => context.offer(found, Kind::Comment, FALLBACK, &[open, "TODO: ‸", close]),
        }
        return;
    }
    let ended = context.line_tokens().last().is_some_and(|last| {
        matches!(last.text, ";" | ")" | "]") || matches!(last.sort, Sort::Number | Sort::Text)
    });
    if ended && !context.language.prose && context.closers().is_empty() && !context.is_header() {
        let space = if context.line.ends_with(' ') {
            ""
        } else {
            "  "
        };
        context.offer(
            found,
            Kind::Comment,
            FALLBACK - 50,
            &[space, open, "TODO: ‸", close],
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::LANGUAGES;
    use super::super::asked::{all, first};
    use crate::autocomplete::UNASKED;

    #[test]
    fn every_language_has_a_beginning_for_those_who_ask() {
        for language in LANGUAGES {
            let found = all(language.id, "‸");
            assert!(!found.is_empty(), "{}", language.id);
            assert!(
                found.iter().all(|suggestion| suggestion.score < UNASKED),
                "{}",
                language.id
            );
        }
        assert!(all("klingon", "‸").is_empty());
    }

    #[test]
    fn a_remark_where_nothing_better_is_known() {
        assert_eq!(first("python", "x = 1‸"), "  # TODO: ");
        assert_eq!(first("python", "x = 1\n‸\ny = 2"), "# TODO: ");
        assert_eq!(first("js", "f();\n‸"), "// TODO: ");
    }
}
