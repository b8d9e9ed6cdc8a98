//! Lines that stand elsewhere in the document, for every language.

use crate::autocomplete::context::Context;
use crate::autocomplete::rank::PLAUSIBLE;
use crate::autocomplete::{Kind, Suggestion};

/// Characters that must be typed before a line is taken to repeat another.
pub const MIN_LINE: usize = 6;

/// Shortest rest in bytes worth suggesting; a letter or two is typed faster than read.
const MIN_REST: usize = 3;

/// Lines that stand once in a file; the one above is the one that need not be repeated.
const ONCE: &[&str] = &[
    "import", "from", "use", "#include", "#define", "package", "export", "@",
];

/// The rest of the nearest line that begins like this one: the third `assert_eq!(first(`.
/// Not if that line opens a block, which would need its end as well.
pub fn same_line(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let typed = context.trimmed();
    if !context.at_code_end()
        || context.language.prose
        || typed.trim_end().chars().count() < MIN_LINE
    {
        return;
    }
    if ONCE.iter().any(|start| typed.starts_with(start)) {
        return;
    }
    let mut nearest: Option<(usize, &str)> = None;
    for index in 0..context.lexed.lines.len() {
        let Some(rest) = context.line_text(index).strip_prefix(typed) else {
            continue;
        };
        let distance = index.abs_diff(context.lexed.line);
        let opens = rest.ends_with(['{', '(', '[', ':', ',']);
        let fits = distance > 0 && rest.trim().len() >= MIN_REST && !opens && !rest.contains('‸');
        if fits && nearest.is_none_or(|(best, _)| distance < best) {
            nearest = Some((distance, rest));
        }
    }
    if let Some((_, rest)) = nearest {
        context.offer(
            found,
            Kind::Line,
            PLAUSIBLE + 60,
            &[&rest.replace('\t', " ")],
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::asked::has;

    #[test]
    fn the_nearest_line_that_begins_the_same() {
        let text = "logger.info(\"a\")\nlogger.info(\"b\")\nlogger.in‸";
        assert!(has("python", text, "fo(\"b\")") && !has("python", text, "fo(\"a\")"));
        assert!(!has("python", "x = 12345\nx = 1‸", "2345"));
    }
}
