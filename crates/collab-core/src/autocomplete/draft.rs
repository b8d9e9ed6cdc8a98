//! Turns what a rule wants to say into a [`Suggestion`] that fits the file: indentation, line
//! ends, caret. Must not know which rule is speaking.

use super::context::Context;
use super::search::part;
use super::window::utf16_len;
use super::{Kind, Suggestion};

/// Where the caret goes in a template. Never part of what is inserted.
pub const CARET: char = '‸';

impl Context<'_> {
    /// Adds a suggestion written as a template, given in pieces: `\n` is a line end plus the
    /// indentation of the caret's line, `\t` one level of indentation more, and [`CARET`] the
    /// place of the caret.
    pub fn offer(&self, found: &mut Vec<Suggestion>, kind: Kind, score: u32, pieces: &[&str]) {
        self.offer_over(found, kind, score, "", pieces);
    }

    /// The same, replacing `blanks`, which stand directly before the caret. The lines of the
    /// template are indented like the caret's line without them.
    pub fn offer_over(
        &self,
        found: &mut Vec<Suggestion>,
        kind: Kind,
        score: u32,
        blanks: &str,
        pieces: &[&str],
    ) {
        let kept = self.indent.len().saturating_sub(blanks.len());
        let indent = part(self.indent, 0, kept);
        let mut insert = String::new();
        let mut caret = None;
        for character in pieces.iter().flat_map(|piece| piece.chars()) {
            match character {
                '\n' => {
                    insert.push_str(self.newline);
                    insert.push_str(indent);
                }
                '\t' => insert.push_str(self.unit),
                CARET => caret = Some(utf16_len(&insert)),
                _ => insert.push(character),
            }
        }
        let label = label(&insert);
        let replace_before = utf16_len(blanks);
        found.push(Suggestion {
            insert,
            replace_before,
            caret,
            label,
            kind,
            score,
        });
    }

    /// Adds the rest of `word`, of which [`Context::typed`] is the beginning.
    pub fn offer_rest(&self, found: &mut Vec<Suggestion>, kind: Kind, score: u32, word: &str) {
        if let Some(rest) = word.get(self.typed.len()..)
            && !rest.is_empty()
        {
            found.push(Suggestion {
                insert: rest.to_owned(),
                replace_before: 0,
                caret: None,
                label: word.to_owned(),
                kind,
                score,
            });
        }
    }
}

fn label(insert: &str) -> String {
    let text = insert.trim();
    match text.split_once('\n') {
        Some((first, _)) => {
            let mut label = first.trim_end().to_owned();
            label.push('…');
            label
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::language;
    use super::*;

    #[test]
    fn templates_take_on_the_files_indentation() {
        let text = "a\r\n\tb\r\n\t";
        let context = Context::new(text, text.len(), language::find("js"));
        let mut found = Vec::new();
        context.offer(&mut found, Kind::Block, 1, &["é", " {\n\t‸\n}"]);
        context.offer_over(&mut found, Kind::Closing, 1, "\t", &["}\n"]);
        let shown: Vec<_> = (found.iter())
            .map(|s| {
                (
                    s.insert.as_str(),
                    s.caret,
                    s.replace_before,
                    s.label.as_str(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("é {\r\n\t\t\r\n\t}", Some(7), 0, "é {…"),
                ("}\r\n", None, 1, "}")
            ]
        );
    }
}
