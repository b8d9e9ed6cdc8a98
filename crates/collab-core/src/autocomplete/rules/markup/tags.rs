//! Which tags are open at the end of a stretch of markup. Must not know what is suggested.

use crate::autocomplete::search::{find, is_word_char};

/// Elements nested deeper are not followed; the outer ones are of no use to the caret.
pub const MAX_ELEMENTS: usize = 128;

/// Elements without content, and so without an end.
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];

/// An element whose end has not come yet.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a> {
    /// Its name; empty for a fragment.
    pub name: &'a str,
    /// Byte of its `<`.
    pub at: usize,
    /// Byte behind its `>`.
    pub end: usize,
}

/// The opening tag the text ends in.
#[derive(Debug, Clone, Copy)]
pub struct Here<'a> {
    /// Its name as far as typed.
    pub name: &'a str,
    /// Everything behind the name.
    pub attributes: &'a str,
    /// The attribute whose quoted value the text ends in, and that value so far.
    pub value: Option<(&'a str, &'a str)>,
}

/// What is open.
#[derive(Default)]
pub struct Tags<'a> {
    /// Elements, innermost last.
    pub open: Vec<Element<'a>>,
    /// The tag being written.
    pub here: Option<Here<'a>>,
    /// The first end tag that ended nothing: it belongs to an element opened before the text.
    pub outer_end: Option<&'a str>,
}

impl<'a> Tags<'a> {
    /// Reads `text`, which starts outside of any tag. With `jsx`, `<` behind a name or number
    /// compares or begins type arguments, and braces in a tag hold code.
    pub fn read(text: &'a str, jsx: bool) -> Self {
        let mut tags = Tags::default();
        let mut at = 0;
        while let Some(found) = text.get(at..).and_then(|rest| rest.find('<')) {
            let start = at + found;
            at = start + 1;
            let rest = text.get(at..).unwrap_or("");
            let compares = text
                .get(..start)
                .is_some_and(|before| before.ends_with(|c: char| is_word_char(c) || c == ')'));
            if let Some(comment) = rest.strip_prefix("!--") {
                let Some(end) = find(comment, "-->") else {
                    return tags;
                };
                at += end + "!---->".len();
            } else if let Some(name) = rest.strip_prefix('/') {
                let length = name_length(name);
                tags.close(name.get(..length).unwrap_or(""));
                at += length + 1;
            } else if !(jsx && compares || rest.starts_with(['!', '?', ' ', '=', '<'])) {
                match tags.open_tag(text, start, jsx) {
                    Some(end) => at = end,
                    None => return tags,
                }
            }
        }
        tags
    }

    /// Reads the opening tag at `start`; `None` when the text ends in it.
    fn open_tag(&mut self, text: &'a str, start: usize, jsx: bool) -> Option<usize> {
        let rest = text.get(start + 1..).unwrap_or("");
        let length = name_length(rest);
        let name = rest.get(..length).unwrap_or("");
        let attributes = rest.get(length..).unwrap_or("");
        if name.is_empty() && !attributes.is_empty() && !attributes.starts_with('>') {
            return Some(start + 1);
        }
        let mut quote: Option<(usize, char)> = None;
        let mut braces = 0u32;
        let mut before = ' ';
        for (at, character) in attributes.char_indices() {
            match (quote, character) {
                (Some((_, open)), character) if open == character => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some((at, character)),
                (None, '{') if jsx => braces += 1,
                (None, '}') if jsx => braces = braces.saturating_sub(1),
                (None, '>') if braces == 0 => {
                    let end = start + 1 + length + at + 1;
                    self.opened(name, start, end, before == '/');
                    return Some(raw_end(text, name, end));
                }
                _ => {}
            }
            before = character;
        }
        let value = quote.and_then(|(at, _)| {
            let before = attributes.get(..at)?.strip_suffix('=')?;
            let from = before.rfind([' ', '\n', '\t']).map_or(0, |blank| blank + 1);
            Some((before.get(from..)?, attributes.get(at + 1..)?))
        });
        self.here = (braces == 0).then_some(Here {
            name,
            attributes,
            value,
        });
        None
    }

    fn opened(&mut self, name: &'a str, at: usize, end: usize, ends_itself: bool) {
        if !ends_itself && !VOID.contains(&name) && self.open.len() < MAX_ELEMENTS {
            self.open.push(Element { name, at, end });
        }
    }

    fn close(&mut self, name: &'a str) {
        // What was left open inside ends with it.
        if let Some(index) = self.open.iter().rposition(|element| element.name == name) {
            self.open.truncate(index);
        } else {
            self.outer_end.get_or_insert(name);
        }
    }
}

/// Whether `after` closes an element `name` that is open where it starts.
pub fn closes(after: &str, name: &str, jsx: bool) -> bool {
    let near = after
        .get(..after.floor_char_boundary(MAX_SEARCHED))
        .unwrap_or("");
    match Tags::read(near, jsx).outer_end {
        Some(end) => end == name,
        None => near.len() < after.len(),
    }
}

/// Bytes behind the caret searched for the end of an element; further on, it is taken to exist.
const MAX_SEARCHED: usize = 2048;

fn name_length(text: &str) -> usize {
    text.find(|c: char| !(is_word_char(c) || matches!(c, '-' | ':' | '.')))
        .unwrap_or(text.len())
}

/// Scripts and styles hold no tags: where their end tag begins, or the text ends.
fn raw_end(text: &str, name: &str, end: usize) -> usize {
    if !matches!(name, "script" | "style") {
        return end;
    }
    let rest = text.get(end..).unwrap_or("");
    find(rest, &["</", name].concat()).map_or(text.len(), |found| end + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &str) -> String {
        Tags::read(text, false)
            .open
            .iter()
            .map(|element| element.name)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn what_is_open() {
        assert_eq!(open("<a><b></b><br><c/><d x='>'>"), "a d");
        assert_eq!(open("<a><!-- <b> --><script>if (a<b) {}</script>"), "a");
        assert_eq!(open("<ul><li><li></ul><p>"), "p");
        assert_eq!(open("a < b && c > d <p"), "");
        assert_eq!(
            open(&"<a>".repeat(MAX_ELEMENTS + 5)).split(' ').count(),
            MAX_ELEMENTS
        );
    }

    #[test]
    fn the_tag_being_written() {
        let here = Tags::read("<p><a href=\"x\" class=\"b c", false).here;
        assert_eq!(
            here.map(|here| (here.name, here.value)),
            Some(("a", Some(("class", "b c"))))
        );
    }

    #[test]
    fn whose_end_it_is() {
        assert!(closes("text</p></div>", "p", false));
        assert!(!closes("<p>text</p></div>", "p", false));
        assert!(closes("<p>text</p></p>", "p", false));
        assert!(!closes("", "p", false));
    }
}
