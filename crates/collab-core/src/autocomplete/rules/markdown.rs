//! Markdown. Code in its fences belongs to other languages.

use crate::autocomplete::context::Context;
use crate::autocomplete::language::{CODE, Language};
use crate::autocomplete::rank::{EXACT, LIKELY, PLAUSIBLE};
use crate::autocomplete::search::{contains, rcut};
use crate::autocomplete::{Kind, Suggestion};

/// Markdown.
pub static MARKDOWN: Language = Language {
    id: "markdown",
    aliases: &["md", "mdx", "rmd", "text/markdown"],
    indent: "  ",
    anchors: &["## ", "### "],
    min_typed: 4,
    prose: true,
    starter: "# Title\n\n‸\n",
    rules: &[list_item, fence, table, link, emphasis, front_matter],
    ..CODE
};

/// Below a list item → the next one: the same mark, the next number, an unticked box. Not below
/// an empty item: there the list is over.
pub fn list_item(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.trimmed().is_empty()
        || !context.rest.trim().is_empty()
        || context.unsure
        || context.lexed.line == 0
    {
        return;
    }
    let above = context.line_text(context.lexed.line - 1);
    let Some((mark, text)) = above
        .split_once(' ')
        .filter(|(_, text)| !text.trim().is_empty())
    else {
        return;
    };
    let next = match mark {
        "-" | "*" | "+" if text.starts_with("[ ] ") || text.starts_with("[x] ") => {
            [mark, " [ ] "].concat()
        }
        "-" | "*" | "+" | ">" => [mark, " "].concat(),
        _ => {
            let Some(number) = mark
                .strip_suffix(['.', ')'])
                .and_then(|digits| digits.parse::<u32>().ok())
            else {
                return;
            };
            let sign = if mark.ends_with('.') { ". " } else { ") " };
            [&number.saturating_add(1).to_string(), sign].concat()
        }
    };
    context.offer(found, Kind::Phrase, LIKELY, &[&next]);
}

/// Three backticks → a fence, in the language of the last one; a fence left open → its end.
pub fn fence(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let before = context.before();
    let mut open = false;
    let mut language = "";
    for line in before.lines() {
        if let Some(name) = line.trim_start().strip_prefix("```") {
            open = !open;
            if open && !name.is_empty() && line.len() < before.len() {
                language = name;
            }
        }
    }
    let end = context.rest.trim().is_empty() && open && !context.unsure;
    let closed = context
        .window
        .get(context.caret..)
        .is_some_and(|after| contains(after, "\n```"));
    if !end || closed {
        return;
    }
    match context.trimmed().strip_prefix("```") {
        Some("") => context.offer(found, Kind::Block, EXACT, &[language, "\n‸\n```"]),
        Some(_) => context.offer(found, Kind::Block, LIKELY, &["\n‸\n```"]),
        None if context.trimmed().is_empty() => {
            context.offer(found, Kind::Closing, PLAUSIBLE + 50, &["```"])
        }
        None => {}
    }
}

/// Below the head of a table → the line under it; below that and each row → another row.
pub fn table(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.trimmed().trim_end_matches(['|', ' ']).is_empty()
        || !context.rest.trim().is_empty()
        || context.lexed.line == 0
    {
        return;
    }
    let above = context.line_text(context.lexed.line - 1);
    let Some(inside) = above
        .strip_prefix('|')
        .and_then(|row| row.strip_suffix('|'))
    else {
        return;
    };
    let second = context
        .lexed
        .line
        .checked_sub(2)
        .is_some_and(|line| context.line_text(line).starts_with('|'));
    let mut row = String::from("|");
    for cell in inside.split('|') {
        row.push_str(if second { "  |" } else { " --- |" });
        // A table this wide was not typed by hand.
        if row.len() > 200 || cell.len() > 200 {
            return;
        }
    }
    let row = if second {
        row.replacen("|  |", "| ‸ |", 1)
    } else {
        row
    };
    if let Some(rest) = row.strip_prefix(context.trimmed()) {
        context.offer(found, Kind::Phrase, LIKELY, &[rest]);
    }
}

/// `[text]` → `(…)`; an image alike.
pub fn link(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let line = context.trimmed();
    if !context.rest.trim().is_empty() || context.unsure {
        return;
    }
    let closed = line
        .strip_suffix(']')
        .and_then(|line| line.rsplit_once('['));
    // `- [x]` is a box to tick, `[a][b]` a link already.
    let links = |(before, text): &(&str, &str)| {
        !text.is_empty() && !before.ends_with("- ") && !before.ends_with(']')
    };
    if closed.as_ref().is_some_and(links) {
        context.offer(found, Kind::Phrase, PLAUSIBLE + 50, &["(‸)"]);
    } else if rcut(line, "](").is_some_and(|(_, url)| !url.is_empty() && !url.contains([')', ' ']))
    {
        context.offer(found, Kind::Closing, PLAUSIBLE + 50, &[")"]);
    }
}

/// Emphasis and code begun on this line → their end, behind a complete word.
pub fn emphasis(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let line = context.trimmed();
    if !context.rest.trim().is_empty()
        || context.unsure
        || line.ends_with([' ', '*', '`', '_', '~'])
    {
        return;
    }
    for mark in ["**", "`", "~~"] {
        let begun = line.matches(mark).count() % 2 == 1 && !line.starts_with("```");
        let inside = line.rsplit(mark).next().unwrap_or("");
        if begun && inside.chars().count() > 2 && !inside.starts_with(' ') {
            context.offer(found, Kind::Closing, PLAUSIBLE, &[mark]);
        }
    }
}

/// `---` on the first line → front matter.
pub fn front_matter(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let alone = context.window.trim() == "---";
    if context.lexed.line == 0 && context.trimmed() == "---" && alone {
        context.offer(found, Kind::Block, LIKELY, &["\ntitle: ‸\n---\n"]);
    }
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::{all, first};

    #[test]
    fn lists_go_on() {
        assert_eq!(first("md", "- a\n‸"), "- ");
        assert_eq!(first("md", "1. a\n2. b\n‸"), "3. ");
        assert_eq!(first("md", "  - [x] a\n  ‸"), "- [ ] ");
        assert!(all("md", "- \n‸").is_empty());
        assert!(all("md", "prose\n‸").is_empty());
    }

    #[test]
    fn fences() {
        assert_eq!(first("md", "```‸"), "⏎‸⏎```");
        assert_eq!(first("md", "```rust\nx\n```\n\n```‸"), "rust⏎‸⏎```");
        assert_eq!(
            first("md", "```python\ndef ‸\n```"),
            "function_name(args):⏎    pass"
        );
    }

    #[test]
    fn tables() {
        assert_eq!(first("md", "| a | b |\n‸"), "| --- | --- |");
        assert_eq!(first("md", "| a | b |\n| --- | --- |\n‸"), "| ‸ |  |");
        assert_eq!(first("md", "| a | b |\n|‸"), " --- | --- |");
    }

    #[test]
    fn ends() {
        assert_eq!(first("md", "see [the page]‸"), "(‸)");
        assert_eq!(first("md", "it is **bold‸"), "**");
        assert_eq!(first("md", "---‸"), "⏎title: ‸⏎---⏎");
    }

    #[test]
    fn prose_flows() {
        assert!(all("md", "collaboration is col‸").is_empty());
        assert_eq!(first("md", "collaboration is coll‸"), "aboration");
    }
}
