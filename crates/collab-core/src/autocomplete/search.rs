//! Finding text in text and putting things in order: plain loops, because the page downloads
//! this, and the standard library's answers are made for larger questions. Must not know what is
//! looked for.

/// Where `what` first begins in `text`.
#[inline(never)]
pub fn find(text: &str, what: &str) -> Option<usize> {
    let (first, rest) = what.as_bytes().split_first()?;
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(found) = bytes.get(from..)?.iter().position(|byte| byte == first) {
        from += found + 1;
        if bytes.get(from..)?.starts_with(rest) {
            return Some(from - 1);
        }
    }
    None
}

/// Whether `what` stands in `text`.
pub fn contains(text: &str, what: &str) -> bool {
    find(text, what).is_some()
}

/// Whether `what` stands in `text` with no letter directly before or behind it.
pub fn contains_word(text: &str, what: &str) -> bool {
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| find(rest, what)) {
        let (start, end) = (from + found, from + found + what.len());
        let before = text
            .get(..start)
            .is_some_and(|before| before.ends_with(is_word_char));
        let behind = text
            .get(end..)
            .is_some_and(|behind| behind.starts_with(is_word_char));
        if !before && !behind {
            return true;
        }
        from = end;
    }
    false
}

/// Where `what` last begins in `text`.
pub fn rfind(text: &str, what: &str) -> Option<usize> {
    let first = what.as_bytes().first()?;
    let mut bytes = text.as_bytes();
    while let Some(at) = bytes.iter().rposition(|byte| byte == first) {
        if text.as_bytes().get(at..)?.starts_with(what.as_bytes()) {
            return Some(at);
        }
        bytes = bytes.get(..at)?;
    }
    None
}

/// The text before and behind the first `what`.
pub fn cut<'t>(text: &'t str, what: &str) -> Option<(&'t str, &'t str)> {
    let at = find(text, what)?;
    Some((part(text, 0, at), part(text, at + what.len(), text.len())))
}

/// The text before and behind the last `what`.
pub fn rcut<'t>(text: &'t str, what: &str) -> Option<(&'t str, &'t str)> {
    let at = rfind(text, what)?;
    Some((part(text, 0, at), part(text, at + what.len(), text.len())))
}

/// The bytes from one place to another; empty where that is no piece of the text.
#[inline(never)]
pub fn part(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to).unwrap_or("")
}

/// The text from a place on; empty where that is no piece of the text.
pub fn from(text: &str, from: usize) -> &str {
    part(text, from, text.len())
}

/// The word a text begins with; empty when it begins with none.
#[inline(never)]
pub fn first_word(text: &str) -> &str {
    let end = text.char_indices().find(|(_, c)| !is_word_char(*c));
    part(text, 0, end.map_or(text.len(), |(at, _)| at))
}

/// Whether `word` is one of `list`, whose words are separated by blanks.
#[inline(never)]
pub fn is_listed(list: &str, word: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

/// Whether a character belongs to a word: ASCII letters, digits and `_`, and beyond ASCII
/// everything but punctuation, symbols and pictures. Coarse, but right for every script people
/// write words in, and without Unicode's tables.
#[inline(never)]
pub fn is_word_char(character: char) -> bool {
    match u32::from(character) {
        0..=0x7F => character.is_ascii_alphanumeric() || character == '_',
        0x80..=0xBF | 0xD7 | 0xF7 => matches!(character, 'ª' | 'µ' | 'º'),
        0x2000..=0x2BFF | 0x3000..=0x303F | 0xE000..=0xF8FF | 0xFE00..=0xFE6F => false,
        0xFF00..=0xFF0F | 0xFFE0..=0xFFFF | 0x1F000..=0x1FAFF | 0xE0000.. => false,
        _ => true,
    }
}

/// Whether `text` is one name and nothing else.
#[inline(never)]
pub fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| is_word_char(c) || c == '$')
}

/// Sorts a short list in place, keeping equals in their order. Every list here is bounded by a
/// few hundred entries.
pub fn sort<T>(list: &mut [T], before: impl Fn(&T, &T) -> bool) {
    for end in 1..list.len() {
        let mut at = end;
        while at > 0 && matches!(list.get(at - 1..=at), Some([a, b]) if before(b, a)) {
            list.swap(at - 1, at);
            at -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finding() {
        assert_eq!(find("aab", "ab"), Some(1));
        assert_eq!(find("aa", "ab"), None);
        assert_eq!(rfind("abcabc", "bc"), Some(4));
        assert_eq!(cut("k: v: w", ": "), Some(("k", "v: w")));
        assert_eq!(rcut("k: v: w", ": "), Some(("k: v", "w")));
        assert_eq!((first_word("ab c"), first_word(" ab")), ("ab", ""));
        assert_eq!((part("é", 1, 2), from("é", 2), from("é", 9)), ("", "", ""));
        assert!(contains_word("import os, sys", "sys") && !contains_word("import osx", "os"));
    }

    #[test]
    fn words_of_every_script() {
        assert!(
            ["naïve", "слово", "言葉", "snake_case1"]
                .into_iter()
                .all(is_word)
        );
        assert!(!["a b", "", "…", "😀", "«a»"].into_iter().any(is_word));
    }

    #[test]
    fn order() {
        let mut list = [3, 1, 2, 1];
        sort(&mut list, |a, b| a < b);
        assert_eq!(list, [1, 1, 2, 3]);
    }
}
