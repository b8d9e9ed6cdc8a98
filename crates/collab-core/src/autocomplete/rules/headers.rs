//! Finishing the header of a block that has been begun: what brackets are missing, then what
//! opens the body, then the body. Used by the rules of every language with blocks.

use crate::autocomplete::context::Context;
use crate::autocomplete::lexer::Sort;
use crate::autocomplete::rank::{LIKELY, PLAUSIBLE};
use crate::autocomplete::{Kind, Suggestion};

/// Keywords whose line is a header and no statement.
pub const CONTROL: &[&str] = &[
    "if",
    "else",
    "for",
    "while",
    "do",
    "switch",
    "case",
    "default",
    "try",
    "catch",
    "finally",
    "function",
    "class",
    "struct",
    "enum",
    "interface",
    "trait",
    "impl",
    "fn",
    "func",
    "match",
    "loop",
    "unsafe",
    "mod",
    "namespace",
    "template",
    "package",
];

/// The body a header gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// `{`, an empty line for the caret, `}`.
    Braces,
    /// `:` and `pass`.
    Colon,
}

impl Body {
    /// The body's template, with what opens it.
    pub fn template(self) -> &'static str {
        match self {
            Body::Braces => " {\n\t‸\n}",
            Body::Colon => ":\n\tpass",
        }
    }
}

/// Whether the caret's line is the header of a block.
pub fn is_header(context: &Context<'_>) -> bool {
    CONTROL
        .iter()
        .any(|keyword| context.after(keyword).is_some())
}

/// Adds what the header up to the caret lacks, if it reads complete that far: `if (a` →
/// `) { … }`. Unsure while a name is being typed that occurs nowhere else.
pub fn finish(context: &Context<'_>, found: &mut Vec<Suggestion>, body: Body) {
    if !reads_complete(context) {
        return;
    }
    let typing = context.typed.chars().count() > 1 && !context.typed_is_known();
    let score = if typing { PLAUSIBLE + 50 } else { LIKELY + 50 };
    finish_at(context, found, body, score);
}

/// The same, however the header ends.
pub fn finish_at(context: &Context<'_>, found: &mut Vec<Suggestion>, body: Body, score: u32) {
    let closers = context.closers();
    let template = body.template();
    // What stands below and is indented deeper is the body already.
    let template = match (body, context.has_body()) {
        (Body::Colon, true) => ":",
        (Body::Braces, true) => return,
        _ => template,
    };
    let blank = context.line.ends_with(' ') && closers.is_empty();
    let template = if blank {
        template.trim_start_matches(' ')
    } else {
        template
    };
    if blank && body == Body::Colon {
        return;
    }
    context.offer(found, Kind::Block, score, &[&closers, template]);
}

/// The line does not end in the middle of an expression.
pub fn reads_complete(context: &Context<'_>) -> bool {
    let Some(last) = context.line_tokens().last() else {
        return false;
    };
    match last.sort {
        Sort::Word => !matches!(
            last.text,
            "and"
                | "or"
                | "not"
                | "in"
                | "is"
                | "of"
                | "if"
                | "else"
                | "for"
                | "while"
                | "let"
                | "const"
                | "await"
                | "new"
                | "var"
                | "return"
                | "lambda"
                | "match"
                | "switch"
                | "elif"
                | "mut"
                | "as"
        ),
        Sort::Number | Sort::Text => true,
        Sort::Punct => matches!(last.text, ")" | "]" | "}" | "?"),
        Sort::Prose => false,
    }
}
