//! Words, members and keywords: the rest of what is being typed, for every language.

use crate::autocomplete::context::Context;
use crate::autocomplete::lexer::{Place, Sort, Token};
use crate::autocomplete::rank::{LIKELY, WORD};
use crate::autocomplete::search::{is_listed, is_word_char, sort};
use crate::autocomplete::{Kind, Suggestion};

/// Characters of a comment's word that must be typed before it is completed: prose flows, and
/// most of it is new. In code [`Language::min_typed`](super::Language::min_typed) decides.
pub const MIN_TYPED_IN_COMMENTS: usize = 4;

/// Occurrences of fitting words that are weighed, nearest first; those further away are ignored.
/// Bounds the work when every word of the document fits.
pub const MAX_OCCURRENCES: usize = 512;

/// Members suggested behind a dot before any letter of them is typed.
const MAX_UNTYPED_MEMBERS: usize = 4;

/// Words behind which a new name is being made up.
const DECLARING: &str = "def class fn func function struct enum trait interface type let const \
    var mod as lambda namespace package record";

/// One occurrence of a word: text, bytes from the caret, whether a dot stands before it.
type Occurrence<'a> = (&'a str, usize, bool);

/// The rest of a word that stands elsewhere in the document: often, nearby, and in the same
/// position (behind a dot or not) wins. Nothing in strings, nothing in the middle of a word, and
/// nothing where a new name is being declared.
pub fn words(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let typed = context.typed;
    let min_typed = match context.lexed.place {
        Place::Code => context.language.min_typed,
        Place::LineComment | Place::BlockComment { .. } => MIN_TYPED_IN_COMMENTS,
        Place::Text { .. } => return,
    };
    if typed.chars().count() < min_typed || in_a_word(context) {
        return;
    }
    let before = context.tokens_before();
    let previous = before.last().map_or("", |token| token.text);
    if is_listed(DECLARING, previous) && context.in_code() {
        return;
    }
    let is_member = matches!(previous, "." | ">" | ":");
    let mut occurrences = Vec::new();
    gather(
        before.iter().rev(),
        context,
        MAX_OCCURRENCES * 3 / 4,
        &mut occurrences,
    );
    let after = context
        .lexed
        .tokens
        .get(context.lexed.before..)
        .unwrap_or(&[]);
    gather(after.iter(), context, MAX_OCCURRENCES, &mut occurrences);
    sort(&mut occurrences, |a, b| a < b);
    for same in occurrences.chunk_by(|a, b| a.0 == b.0) {
        let Some((word, nearest, _)) = same.first().copied() else {
            continue;
        };
        let fits = same.iter().any(|(_, _, member)| *member == is_member);
        let score = weight(same.len(), nearest) + if fits { 24 } else { 0 };
        context.offer_rest(found, Kind::Word, WORD + score, word);
    }
}

/// The members seen behind the same name: `user.` is followed by `name` if it was before. Behind
/// a bare dot only the nearest few, for this is a guess about intent.
pub fn members(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.in_code() || in_a_word(context) {
        return;
    }
    let before = context.tokens_before();
    let (separator, receiver) = match before {
        [.., receiver, a, b] if matches!((a.text, b.text), (":", ":") | ("-", ">")) => {
            (2, receiver)
        }
        [.., receiver, dot] if dot.text == "." => (1, receiver),
        _ => return,
    };
    let adjacent = before
        .last()
        .is_some_and(|last| last.at + 1 + context.typed.len() == context.caret);
    if receiver.sort != Sort::Word || !adjacent {
        return;
    }
    let mut occurrences: Vec<Occurrence<'_>> = Vec::new();
    let tokens = &context.lexed.tokens;
    for index in (0..tokens.len()).rev() {
        let Some(token) = tokens
            .get(index)
            .filter(|token| token.text == receiver.text)
        else {
            continue;
        };
        let signs = tokens.get(index + 1..index + 1 + separator).unwrap_or(&[]);
        let same = signs
            .iter()
            .zip(before.iter().rev().take(separator).rev())
            .all(|(a, b)| a.text == b.text);
        let member = tokens.get(index + 1 + separator);
        if let Some(member) = member.filter(|member| same && fits(member, context)) {
            occurrences.push((member.text, token.at.abs_diff(context.caret), true));
        }
        if occurrences.len() == MAX_OCCURRENCES {
            break;
        }
    }
    sort(&mut occurrences, |a, b| a < b);
    let mut best: Vec<(u32, &str)> = (occurrences.chunk_by(|a, b| a.0 == b.0))
        .filter_map(|same| {
            same.first()
                .map(|(word, nearest, _)| (weight(same.len(), *nearest), *word))
        })
        .collect();
    sort(&mut best, |a, b| a > b);
    let most = if context.typed.is_empty() {
        MAX_UNTYPED_MEMBERS
    } else {
        best.len()
    };
    for (score, word) in best.into_iter().take(most) {
        context.offer_rest(found, Kind::Word, LIKELY - 100 + score, word);
    }
}

/// The rest of a keyword or well-known name, in the person's own case where the language does not
/// mind.
pub fn keywords(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let typed = context.typed;
    let before = context
        .tokens_before()
        .last()
        .map_or("", |token| token.text);
    if !context.in_code()
        || typed.len() < context.language.min_typed
        || in_a_word(context)
        || before == "."
        || is_listed(DECLARING, before)
    {
        return;
    }
    let upper = typed.chars().all(|c| !c.is_ascii_lowercase());
    for keyword in context
        .language
        .keywords
        .split(' ')
        .filter(|word| word.len() > typed.len())
    {
        if keyword.starts_with(typed) {
            context.offer_rest(found, Kind::Keyword, WORD + 40, keyword);
        } else if context.language.any_case
            && keyword
                .get(..typed.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(typed))
        {
            let cased = if upper {
                keyword.to_owned()
            } else {
                keyword.to_ascii_lowercase()
            };
            context.offer_rest(found, Kind::Keyword, WORD + 40, &cased);
        }
    }
}

/// The caret stands before or inside a word: adding letters would change that word.
fn in_a_word(context: &Context<'_>) -> bool {
    context.rest.starts_with(is_word_char)
}

fn fits(token: &Token<'_>, context: &Context<'_>) -> bool {
    // The word being typed ends at the caret and is no evidence for itself.
    let typed_itself = token.at + token.text.len() == context.caret;
    matches!(token.sort, Sort::Word | Sort::Prose)
        && !typed_itself
        && token.text.starts_with(context.typed)
}

fn gather<'t, 'a: 't>(
    tokens: impl Iterator<Item = &'t Token<'a>>,
    context: &Context<'a>,
    most: usize,
    occurrences: &mut Vec<Occurrence<'a>>,
) {
    let in_comment = context.lexed.place != Place::Code;
    let bytes = context.window.as_bytes();
    for token in tokens {
        if occurrences.len() >= most {
            return;
        }
        let usable = token.sort == Sort::Word || in_comment;
        if usable && fits(token, context) && token.text.len() > context.typed.len() {
            let before = token.at.checked_sub(1).and_then(|at| bytes.get(at));
            let member = matches!(before, Some(b'.' | b'>' | b':'));
            occurrences.push((token.text, token.at.abs_diff(context.caret), member));
        }
    }
}

/// 0 to 72: a third for how often, two thirds for how near, both by orders of magnitude.
fn weight(count: usize, nearest: usize) -> u32 {
    let often = u32::try_from(count.min(8)).unwrap_or(8) * 3;
    let cubed = u64::try_from(nearest)
        .unwrap_or(u64::MAX)
        .saturating_add(1)
        .saturating_pow(3);
    let near = 48u32.saturating_sub(cubed.ilog2());
    often + near
}

#[cfg(test)]
mod tests {
    use super::super::asked::{all, first, has};

    #[test]
    fn the_nearer_and_more_frequent_word_comes_first() {
        assert_eq!(first("plain", "counter country\nfiller\ncou‸"), "ntry");
        let often = format!("counter country {} cou‸", "counter ".repeat(6));
        assert_eq!(first("plain", &often), "nter");
    }

    #[test]
    fn case_is_the_persons_own() {
        assert_eq!(first("js", "let userName, UserStore;\nUs‸"), "erStore");
    }

    #[test]
    fn two_letters_in_code_four_in_comments_none_in_strings() {
        assert_eq!(first("python", "counter = 1\nc‸"), "");
        assert_eq!(first("python", "counter = 1\nx = cou‸"), "nter");
        assert!(!has("python", "counter = 1\n# cou‸", "nter"));
        assert_eq!(first("python", "counter = 1\n# coun‸"), "ter");
        assert!(!has("python", "counter = 1\nx = \"coun‸\"", "ter"));
    }

    #[test]
    fn a_word_is_not_changed_from_within() {
        assert!(all("python", "counter = 1\nx = cou‸ld").is_empty());
    }

    #[test]
    fn a_new_name_is_not_an_old_one() {
        assert!(!has("python", "counter = 1\ndef cou‸", "nter"));
    }

    #[test]
    fn members_follow_their_owner() {
        let text = "print(user.name, user.age, shop.till)\nx = user.‸";
        assert_eq!(first("python", text), "age");
        assert!(has("python", text, "name") && !has("python", text, "till"));
        assert_eq!(first("rust", "Shape::Round;\nShape::R‸"), "ound");
        assert_eq!(first("c", "p->next;\np->‸"), "next");
    }

    #[test]
    fn every_word_of_a_long_text_fits() {
        let text: String = (0..20_000).map(|n| format!("aa{n} ")).collect::<String>() + "aa‸";
        assert_eq!(
            all("plain", &text).len(),
            crate::autocomplete::MAX_SUGGESTIONS
        );
    }
}
