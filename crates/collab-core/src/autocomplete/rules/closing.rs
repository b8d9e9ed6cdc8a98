//! Ending what is open: brackets, strings, comments, blocks and statements, for every language
//! that is code. Tags are ended by [`markup`](super::markup).

use crate::autocomplete::context::Context;
use crate::autocomplete::lexer::{Open, Place, Sort};
use crate::autocomplete::rank::{EXACT, FALLBACK, LIKELY, PLAUSIBLE};
use crate::autocomplete::search::part;
use crate::autocomplete::{Kind, Suggestion};

/// The closing brackets this line still lacks, with the semicolon that ends the statement. Sure
/// when the last thing inside is complete, unsure while a name is being typed.
pub fn closers(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || context.language.prose {
        return;
    }
    let closers = context.closers();
    let Some(last) = context.line_tokens().last() else {
        return;
    };
    if closers.is_empty() || last.text == "{" {
        return;
    }
    let score = match last.sort {
        Sort::Punct if matches!(last.text, ")" | "]" | "}") => LIKELY,
        Sort::Punct if matches!(last.text, "(" | "[") => PLAUSIBLE,
        Sort::Punct => FALLBACK,
        Sort::Word if !context.typed.is_empty() && !context.typed_is_known() => PLAUSIBLE + 80,
        _ => LIKELY,
    };
    let header = context.is_header();
    if ends_statement(context) && !header {
        context.offer(
            found,
            Kind::Closing,
            score + 10,
            &[&closers, context.language.end],
        );
    }
    let score = if header { FALLBACK } else { score };
    context.offer(found, Kind::Closing, score, &[&closers]);
}

/// The quote that ends the string being typed, and the brackets around it. Only where the line
/// ends, only when there is something in the string, and only if no quote follows that ends it.
pub fn end_of_string(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Place::Text { quote, start } = context.lexed.place else {
        return;
    };
    if context.unsure || !context.rest.trim().is_empty() {
        return;
    }
    let inside = part(context.window, start + quote.open.len(), context.caret);
    let here = context.caret_line().is_some_and(|line| start >= line.at);
    if quote.lines {
        // Quotes come in pairs: an even number behind the caret means the next one opens.
        let after = context.after();
        let paired = after.matches(quote.close).count() % 2 == 1;
        if here && !paired {
            context.offer(found, Kind::Closing, PLAUSIBLE, &["‸", quote.close]);
        }
    } else if !inside.trim().is_empty() && !inside.ends_with('\\') {
        let closers = context.closers();
        let ends = ends_statement(context) && !closers.is_empty() && !context.is_header();
        let end = if ends { context.language.end } else { "" };
        context.offer(
            found,
            Kind::Closing,
            PLAUSIBLE + 50,
            &[quote.close, &closers, end],
        );
    }
}

/// The end of a comment that has one, or the body of a documentation comment just begun.
pub fn end_of_comment(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Place::BlockComment { close, start } = context.lexed.place else {
        return;
    };
    let after = context.after();
    let open = part(context.window, start, context.caret);
    let closed = match (
        after.find(close),
        context.language.lexis.block_comments.first(),
    ) {
        (Some(end), Some((open, _))) => after.find(open).is_none_or(|next| end < next),
        (end, _) => end.is_some(),
    };
    if closed || !context.rest.trim().is_empty() {
        return;
    }
    if open == "/**" {
        context.offer(found, Kind::Comment, EXACT, &["\n * ‸\n */"]);
    } else if !open.contains('\n') && open.len() > close.len() {
        let space = if open.ends_with(' ') { "" } else { " " };
        context.offer(found, Kind::Closing, PLAUSIBLE, &[space, close]);
    }
}

/// On a blank line: the bracket that closes the block, taking back the indentation of its body.
pub fn end_of_block(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || !context.trimmed().is_empty() || context.language.prose {
        return;
    }
    let Some(open) = context.innermost().filter(|open| !open.closed) else {
        return;
    };
    let Some((_, inner)) = context.previous() else {
        return;
    };
    let outer = indent_of(context, open);
    let Some(blanks) = context.indent.strip_prefix(outer) else {
        return;
    };
    let empty = inner <= open.indent;
    let score = match (blanks.is_empty(), empty) {
        (true, _) => LIKELY,
        (false, false) => PLAUSIBLE + 20,
        (false, true) => FALLBACK,
    };
    let ends = open.bracket != b'{' && open.indent > 0;
    let end = if ends { context.language.end } else { "" };
    context.offer_over(found, Kind::Closing, score, blanks, &[open.closer(), end]);
}

/// Behind a `{` that ends the line: an empty line for the body, and everything this line still
/// lacks.
pub fn body(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let opens = context
        .line_tokens()
        .last()
        .is_some_and(|token| token.text == "{");
    let open = context.open_here().next().is_some_and(|open| !open.closed);
    if context.at_code_end() && opens && open && !context.language.prose && context.rest.is_empty()
    {
        let closers = context.closers();
        let end = if closers.len() > 1 && context.semicolons() {
            context.language.end
        } else {
            ""
        };
        context.offer(found, Kind::Block, LIKELY, &["\n\t‸\n", &closers, end]);
    }
}

/// The semicolon, where the language wants one and the statement reads complete.
pub fn semicolon(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(last) = context.line_tokens().last() else {
        return;
    };
    let complete = match last.sort {
        Sort::Number | Sort::Text => true,
        Sort::Punct => matches!(last.text, ")" | "]"),
        _ => matches!(
            last.text,
            "return" | "break" | "continue" | "true" | "false" | "null" | "None"
        ),
    };
    let touching = last.at + last.text.len() == context.caret;
    let inside = context.innermost().is_none_or(|open| open.bracket == b'{');
    if complete
        && touching
        && inside
        && context.at_code_end()
        && ends_statement(context)
        && !context.is_header()
    {
        context.offer(
            found,
            Kind::Closing,
            PLAUSIBLE - 50,
            &[context.language.end],
        );
    }
}

/// The line, once its own brackets are closed, is a statement that ends in a semicolon: the
/// language has them, the file uses them, it stands in a block and not in a list, and it is no
/// header.
pub fn ends_statement(context: &Context<'_>) -> bool {
    let start = context.caret_line().map_or(0, |line| line.at);
    let outer = context.lexed.open.iter().rev().find(|open| open.at < start);
    let block = outer.is_none_or(|open| open.bracket == b'{');
    !context.language.end.is_empty()
        && !context.is_header()
        && block
        && context.semicolons()
        && !context.trimmed().starts_with(['#', '@', '.'])
}

/// The blanks at the start of the line a bracket stands on.
fn indent_of<'a>(context: &Context<'a>, open: &Open) -> &'a str {
    let before = part(context.window, 0, open.at);
    let line = before.rsplit('\n').next().unwrap_or("");
    let trimmed = line.trim_start_matches([' ', '\t']);
    part(line, 0, line.len() - trimmed.len())
}

#[cfg(test)]
mod tests {
    use super::super::asked::{all, first, has};

    #[test]
    fn brackets_of_the_line() {
        assert_eq!(first("python", "x = f(a[1‸"), "])");
        assert_eq!(first("js", "x = f(a[1‸"), "]);");
        assert_eq!(first("js", "a()\nb()\nx = f(a[1‸"), "])");
        assert_eq!(first("js", "f({\n  a: g(1‸\n})"), ")");
        assert!(!has("js", "x = f(1‸)", ")"));
    }

    #[test]
    fn a_string_ends_with_its_brackets() {
        assert_eq!(first("python", "print(\"hi‸"), "\")");
        assert_eq!(first("js", "log('hi‸"), "');");
        assert!(all("python", "print(\"‸").is_empty());
        assert!(all("python", "print(\"hi‸\")").is_empty());
        assert_eq!(first("python", "def f():\n    \"\"\"Go.‸"), "‸\"\"\"");
        assert!(all("python", "def f():\n    \"\"\"Go.‸\n    \"\"\"\n").is_empty());
    }

    #[test]
    fn comments_end_or_become_documentation() {
        assert_eq!(first("js", "/* why‸"), " */");
        assert_eq!(first("js", "/**‸\nfunction f() {}"), "⏎ * ‸⏎ */");
        assert!(all("js", "/* why‸ */").is_empty());
    }

    #[test]
    fn a_blank_line_closes_the_block() {
        assert_eq!(first("js", "if (a) {\n  b();\n  ‸"), "⌫⌫}");
        assert_eq!(first("js", "if (a) {\n  b();\n‸"), "}");
        assert_eq!(first("python", "x = [\n    1,\n    2,\n‸"), "]");
        assert!(!has("js", "if (a) {\n  b();\n‸\n}", "}"));
    }

    #[test]
    fn a_brace_gets_a_body() {
        assert_eq!(first("js", "go(() => {‸"), "⏎  ‸⏎});");
        assert_eq!(first("js", "if (a) {‸"), "⏎  ‸⏎}");
        assert!(!has("js", "if (a) {‸\n  b();\n}", "⏎  ‸⏎}"));
    }

    #[test]
    fn statements_end_where_the_file_ends_them() {
        assert_eq!(first("js", "a();\nb()‸"), ";");
        assert!(!has("js", "a()\nb()\nc()‸", ";"));
        assert!(!has("js", "f([\n  b()‸\n])", ";"));
    }
}
