//! How much of a document is looked at, and where the caret is in it. Must not know languages.

use super::language::Language;
use super::search::{from, part};
use crate::ids::Offset;

/// Bytes before the caret that are lexed. Further back is assumed to be whole statements. 16 KiB
/// ≈ 400 lines; reading them takes about 0.1 ms.
pub const WINDOW_BEFORE: usize = 16 * 1024;

/// Bytes after the caret that are lexed, to see which brackets are closed there and for words.
pub const WINDOW_AFTER: usize = 4 * 1024;

/// Bytes at the start of the document searched for imports when the window does not reach it.
pub const WINDOW_HEAD: usize = 8 * 1024;

/// Bytes of the caret's line before the caret that rules read. In longer lines (minified code,
/// data) only words are suggested.
pub const WINDOW_LINE: usize = 2 * 1024;

/// The byte at an offset, the end for an offset past it, `None` inside a surrogate pair.
///
/// The only step that reads the whole text before the caret, so it takes 64 bytes at a time: a
/// UTF-8 character is as many UTF-16 units as it has bytes that start one, and a start of four
/// bytes counts twice.
pub fn byte_offset(text: &str, offset: Offset) -> Option<usize> {
    let mut left = offset.0;
    let mut byte_offset = 0;
    for chunk in text.as_bytes().chunks_exact(64) {
        let units = utf16_units(chunk);
        if units >= left {
            break;
        }
        left -= units;
        byte_offset += chunk.len();
    }
    // A chunk may end inside a character, whose units were all counted at its first byte.
    while !text.is_char_boundary(byte_offset) {
        byte_offset += 1;
    }
    for character in text.get(byte_offset..)?.chars() {
        if left == 0 {
            break;
        }
        let units = if u32::from(character) > 0xFFFF { 2 } else { 1 };
        left = left.checked_sub(units)?;
        byte_offset += character.len_utf8();
    }
    Some(byte_offset)
}

/// UTF-16 units of the characters that start in `chunk`, at most 64 bytes long. Eight bytes are
/// looked at as one number, which is quick on machines of every kind.
fn utf16_units(chunk: &[u8]) -> u32 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let words = || {
        let words = chunk.chunks_exact(8);
        words.map(|word| <[u8; 8]>::try_from(word).map_or(0, u64::from_le_bytes))
    };
    let (mut units, mut all) = (chunk.len(), 0);
    words().for_each(|word| all |= word);
    if all & (LOW << 7) != 0 {
        // Each byte of these sums counts its own column, eight at most.
        let (mut continuing, mut pairs) = (0, 0);
        for word in words() {
            continuing += (word >> 7) & !(word >> 6) & LOW;
            pairs += (word >> 7) & (word >> 6) & (word >> 5) & (word >> 4) & LOW;
        }
        let total = |columns: u64| {
            columns
                .to_le_bytes()
                .iter()
                .map(|byte| usize::from(*byte))
                .sum::<usize>()
        };
        units = units + total(pairs) - total(continuing);
    }
    u32::try_from(units).unwrap_or(0)
}

/// Where lexing starts for a caret at byte `caret`, and whether the state there is only a guess.
///
/// The start of the document when it is near. Otherwise the first line, in the older half of
/// [`WINDOW_BEFORE`], that begins the way only outermost statements do
/// ([`Language::anchors`]): strings and comments seldom contain such a line at column 0. Failing
/// that, the first line behind the end of a comment that must have begun before the window, or
/// the first line at all. A window without any line break is a guess.
pub fn start(text: &str, caret: usize, language: &Language) -> (usize, bool) {
    let Some(earliest) = caret.checked_sub(WINDOW_BEFORE).filter(|start| *start > 0) else {
        return (0, false);
    };
    let earliest = text.floor_char_boundary(earliest);
    let window = part(text, earliest, caret);
    let older = part(window, 0, window.floor_char_boundary(WINDOW_BEFORE / 2));
    let mut first = None;
    for (newline, _) in older.match_indices('\n') {
        let line = newline + 1;
        first = first.or(Some(line));
        let rest = from(older, line);
        if language
            .anchors
            .iter()
            .any(|anchor| rest.starts_with(anchor))
        {
            return (earliest + line, false);
        }
    }
    for (open, close) in language.lexis.block_comments {
        if let Some(end) = older.find(close)
            && older.find(open).is_none_or(|start| start > end)
        {
            return (earliest + end + close.len(), false);
        }
    }
    first.map_or((earliest, true), |line| (earliest + line, false))
}

/// Length in UTF-16 units; texts are far below 2^32 bytes, longer ones saturate.
pub fn utf16_len(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    use super::super::language;

    #[test]
    fn lexing_a_long_document_starts_where_code_does() {
        let python = language::find("python");
        let filler = "it's a line of prose\n".repeat(WINDOW_BEFORE / 21);
        let text = format!(
            "{filler}\"\"\"\ndef f():\n    pass\n{}",
            "    x\n".repeat(WINDOW_BEFORE / 8)
        );
        let (at, unsure) = start(&text, text.len(), python);
        assert!(text.get(at..).is_some_and(|rest| rest.starts_with("def f")) && !unsure);

        let text = format!(
            "{} */ x\n{}",
            "it's\n".repeat(9000),
            "y;\n".repeat(WINDOW_BEFORE / 4)
        );
        let (at, _) = start(&text, text.len(), language::find("c"));
        assert!(text.get(..at).is_some_and(|before| before.ends_with("*/")));

        let one_line = "x".repeat(WINDOW_BEFORE + 1);
        assert_eq!(start(&one_line, WINDOW_BEFORE, python), (0, false));
        assert_eq!(start(&one_line, WINDOW_BEFORE + 1, python), (1, true));
    }

    #[test]
    fn byte_offset_agrees_with_counting_characters() {
        let text = "aé€😀 plain ascii 😀😀😀 ünïcödé €€€€€€€€€ end".repeat(5);
        let mut units = 0;
        for (byte, character) in text.char_indices() {
            assert_eq!(
                byte_offset(&text, Offset(units)),
                Some(byte),
                "unit {units}"
            );
            if character.len_utf16() == 2 {
                assert_eq!(byte_offset(&text, Offset(units + 1)), None);
            }
            units += if character.len_utf16() == 2 { 2 } else { 1 };
        }
        assert_eq!(byte_offset(&text, Offset(units)), Some(text.len()));
        assert_eq!(byte_offset(&text, Offset(u32::MAX)), Some(text.len()));
        assert_eq!(byte_offset("", Offset(7)), Some(0));
    }
}
