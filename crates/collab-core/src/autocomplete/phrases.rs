//! Phrases: what people write again and again, written down once per language and completed from
//! wherever the person has got to. Must not know any language; their phrases stand in their
//! files in [`rules`](super::rules).
//!
//! A phrase is a template that is also a pattern:
//!
//! ```text
//! first def __init__, in class ¦ def __init__(self‹*›):\n\tpass
//! └──────── guards ──────────┘   └───────── text ───────────┘
//! ```
//!
//! - `‹name›` is a name to be typed, and its own default: `def ‹function_name›():`.
//! - `‹many›`, `‹cond›` … are expressions whose default depends on the caret, see [`filling`].
//! - `‹*args›` is any expression; its default is what stands behind the star.
//! - `\n` and `\t` are a new line and one level of indentation, `‸` is where the caret goes.
//! - `·` is how far one must have typed before the phrase is proposed; without it, the first word.
//! - A second `‹name›` repeats the first.
//!
//! So one phrase completes `for`, `for u`, `for user in` and `for user in users`.

use super::context::Context;
use super::rank::{EXACT, PLAUSIBLE};
use super::rules::closing;
use super::search::{contains, find, from, is_word_char, part};
use super::{Kind, Suggestion};
use filling::Filling;
use matching::{Stop, follow, required};

mod filling;
mod matching;

/// Alternatives proposed for one phrase, such as different things to loop over.
const MAX_ALTERNATIVES: u32 = 3;

/// How much less a phrase scores when a default had nothing to go by: `items` instead of `users`.
const GUESSED: u32 = 200;

/// Proposes the rest of every phrase the line so far is the beginning of. Phrases further up in
/// their table score higher.
pub fn phrases(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    // What may follow the caret: nothing, or brackets an editor closes by itself.
    let rest = context.rest.trim();
    if !context.in_code() || !rest.chars().all(|c| matches!(c, ')' | ']' | '}' | '>')) {
        return;
    }
    let table = context.language.phrases.iter().copied().flatten();
    for (place, phrase) in (0..).zip(table) {
        let (guards, text) = match find(phrase, "¦ ") {
            Some(bar) => (part(phrase, 0, bar), from(phrase, bar + "¦ ".len())),
            None => ("", *phrase),
        };
        propose(context, found, guards, text, place);
    }
}

fn propose(
    context: &Context<'_>,
    found: &mut Vec<Suggestion>,
    guards: &str,
    text: &'static str,
    place: u32,
) {
    let anywhere = guards.starts_with("any");
    let blank = contains(guards, "blank");
    let line = context.trimmed();
    if line.is_empty() != blank || line.ends_with('{') {
        return;
    }
    let (typed, outside) = if anywhere {
        let Some(start) = begins(line, text, context.language.any_case) else {
            return;
        };
        (from(line, start), context.caret - (line.len() - start))
    } else {
        (line, 0)
    };
    let any_case = context.language.any_case;
    let progress = follow(text, typed, any_case).or_else(|| {
        let statement = context.statement();
        follow(text, statement, any_case).filter(|_| !statement.is_empty())
    });
    let Some(progress) = progress.filter(|_| allowed(context, guards)) else {
        return;
    };
    for nth in 0..MAX_ALTERNATIVES {
        let mut filling = Filling {
            context,
            progress: &progress,
            nth,
            guessed: false,
            chose: false,
        };
        let Some(mut text) = filling.fill() else {
            return;
        };
        let (guessed, chose) = (filling.guessed, filling.chose);
        if nth > 0 && (guessed || !chose) {
            return;
        }
        if line.ends_with(' ') && text.starts_with(' ') {
            text.remove(0);
        }
        text.insert_str(0, &progress.closers);
        if anywhere {
            // Brackets opened before the phrase end behind it, and with them the statement.
            let mut open = context
                .open_here()
                .filter(|open| !open.closed && open.at < outside)
                .peekable();
            let end = if open.peek().is_some() && closing::ends_statement(context) {
                context.language.end
            } else {
                ""
            };
            open.for_each(|open| text.push_str(open.closer()));
            if !text.ends_with(';') {
                text.push_str(end);
            }
        }
        let Some(text) = fitted(context, text) else {
            return;
        };
        let unfinished = progress.stop == Stop::Expression
            && context.typed.chars().count() > 1
            && !context.typed_is_known();
        let place = (place + nth).min(98);
        let score = if unfinished {
            PLAUSIBLE + 99 - place
        } else {
            EXACT + 99 - place
        };
        let kind = if text.contains('\n') {
            Kind::Block
        } else if text.chars().any(|c| c.is_ascii_alphanumeric()) {
            Kind::Phrase
        } else {
            Kind::Closing
        };
        context.offer(
            found,
            kind,
            score - if guessed { GUESSED } else { 0 },
            &[&text],
        );
    }
}

/// Where in the line the last beginning of a phrase stands that need not begin it.
fn begins(line: &str, text: &str, any_case: bool) -> Option<usize> {
    let start = text.get(..required(text))?.trim_end();
    let (line, start) = match any_case {
        true => (&*line.to_ascii_lowercase(), &*start.to_ascii_lowercase()),
        false => (line, start),
    };
    let mut last = None;
    let mut from = 0;
    while let Some(at) = line.get(from..).and_then(|rest| find(rest, start)) {
        let at = from + at;
        let inside = line
            .get(..at)
            .is_some_and(|before| before.ends_with(is_word_char));
        if !inside || !start.starts_with(is_word_char) {
            last = Some(at);
        }
        from = at + start.len();
    }
    last
}

/// Whether every guard holds; each is a word and what it asks about.
fn allowed(context: &Context<'_>, guards: &str) -> bool {
    guards.split(',').all(|guard| {
        let guard = guard.trim();
        let (word, what) = guard.split_once(' ').unwrap_or((guard, ""));
        let within = |line: &str| {
            contains(line, what)
                || (context.language.any_case && contains(&line.to_ascii_lowercase(), what))
        };
        let elsewhere = |what: &str| {
            let start = context.caret_line().map_or(0, |line| line.at);
            [
                context.window.get(..start),
                context.window.get(context.caret..),
            ]
            .into_iter()
            .flatten()
            .any(|text| contains(text, what))
        };
        match word {
            // At the outermost level.
            "top" => context.columns() == 0,
            // The innermost line around this one contains it.
            "in" => within(context.outer()),
            "outside" => !context.enclosing().any(within),
            // The nearest line above contains it.
            "above" => context
                .previous()
                .is_some_and(|(line, _)| contains(line, what)),
            // Nothing of the kind stands above in the same block.
            "first" => !context.has_sibling(what),
            // Another line contains it, or none does.
            "has" => elsewhere(what),
            "no" => !elsewhere(what),
            // Within brackets opened on this line.
            "bracket" => context.open_here().next().is_some(),
            // The first line of a body.
            "opened" => context
                .previous()
                .is_some_and(|(_, indent)| indent < context.columns()),
            "ends" => context.trimmed().trim_end().ends_with(what),
            // The line below begins like this.
            "below" => context.next().is_some_and(|(line, _)| contains(line, what)),
            _ => true,
        }
    })
}

/// Cut to what the text behind the caret leaves room for: only a header where a body stands, only
/// the inside of brackets that are closed already.
fn fitted(context: &Context<'_>, mut text: String) -> Option<String> {
    if text.ends_with(';') && !context.semicolons() {
        text.pop();
    }
    if context.has_body()
        && let Some(header) = text.find('\n')
    {
        if text
            .get(..header)
            .is_some_and(|header| header.ends_with('{'))
        {
            return None;
        }
        text.truncate(header);
    }
    if let Some(closer) = context.rest.trim_start().chars().next() {
        let mut depth = 0;
        let own = text.char_indices().find(|(_, c)| {
            match c {
                '(' | '[' | '{' | '<' => depth += 1,
                ')' | ']' | '}' | '>' => depth -= 1,
                _ => {}
            }
            depth < 0
        });
        let (at, _) = own.filter(|(_, c)| *c == closer)?;
        text.truncate(at);
    }
    (!text.is_empty()).then_some(text)
}
