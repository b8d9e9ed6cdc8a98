//! Finds the language at the caret when it is not the document's: scripts and styles in HTML,
//! fenced code in Markdown. Must not know what is suggested there.

use super::language::{self, Language};
use super::search::{contains, find as find_text, part, rfind};

/// A stretch of the document in one language.
pub struct Inner {
    /// Its language.
    pub language: &'static Language,
    /// First byte in the document.
    pub start: usize,
    /// Byte behind its last.
    pub stop: usize,
}

/// The stretch between `start` and `stop` around `caret` that is in one language.
pub fn find(
    text: &str,
    start: usize,
    caret: usize,
    stop: usize,
    document: &'static Language,
) -> Inner {
    let before = part(text, start, caret);
    let after = part(text, caret, stop);
    let found = match document.id {
        "html" => element(before, after, "script").or_else(|| element(before, after, "style")),
        "markdown" => fence(before, after),
        _ => None,
    };
    match found {
        Some((language, from, to)) => Inner {
            language,
            start: start + from,
            stop: caret + to,
        },
        None => Inner {
            language: document,
            start,
            stop,
        },
    }
}

/// Inside `<script>` or `<style>`: language, start in `before`, end in `after`.
fn element(before: &str, after: &str, tag: &str) -> Option<(&'static Language, usize, usize)> {
    let open = rfind(before, tag)?;
    let opening = before.get(..open)?.ends_with('<');
    let rest = before.get(open..)?;
    let attributes = rest.get(..rest.find('>')?)?;
    if !opening || contains(rest, "</") {
        return None;
    }
    let id = match tag {
        "style" => "css",
        _ if contains(attributes, "json") => "json",
        _ => "javascript",
    };
    let to = find_text(after, "</").unwrap_or(after.len());
    Some((language::find(id), open + attributes.len() + 1, to))
}

/// Inside a fence that names a language we know.
fn fence(before: &str, after: &str) -> Option<(&'static Language, usize, usize)> {
    let mut open = None;
    let mut at = 0;
    for line in before.split_inclusive('\n') {
        at += line.len();
        if let Some(name) = line.trim_start().strip_prefix("```") {
            open = match open {
                Some(_) => None,
                // The line must be complete: on it, the caret is still in Markdown.
                None => line.ends_with('\n').then_some((name, at)),
            };
        }
    }
    let (name, from) = open?;
    let name = name.split([' ', '{', ',']).next().unwrap_or("");
    let language = language::find(name);
    let to = find_text(after, "```").map_or(after.len(), |fence| {
        after
            .get(..fence)
            .and_then(|body| body.rfind('\n'))
            .map_or(0, |newline| newline + 1)
    });
    (!matches!(language.id, "plain" | "markdown")).then_some((language, from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(document: &str, marked: &str) -> (&'static str, String) {
        let caret = marked.find('‸').unwrap_or(0);
        let text = marked.replace('‸', "");
        let inner = find(&text, 0, caret, text.len(), language::find(document));
        (
            inner.language.id,
            text.get(inner.start..inner.stop).unwrap_or("?").to_owned(),
        )
    }

    #[test]
    fn the_language_at_the_caret() {
        assert_eq!(at("html", "<p>‸</p>").0, "html");
        assert_eq!(
            at("html", "<script type=module>\nlet ‸a;\n</script>"),
            ("javascript", "\nlet a;\n".into())
        );
        assert_eq!(at("html", "<style>a {‸}</style>"), ("css", "a {}".into()));
        assert_eq!(at("html", "<script>a</script>‸").0, "html");
        assert_eq!(at("html", "<script src=‸").0, "html");
        assert_eq!(
            at("md", "```python\nx = ‸\n```\n"),
            ("python", "x = \n".into())
        );
        assert_eq!(at("md", "```python\nx\n```\n‸").0, "markdown");
        assert_eq!(at("md", "```py‸").0, "markdown");
        assert_eq!(at("md", "```klingon\n‸").0, "markdown");
    }
}
