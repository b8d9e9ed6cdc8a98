//! What holds for any text, caret and language: proptest looks for the ones where it does not.
//! Tests only.

use proptest::prelude::*;

use super::{Kind, MAX_SUGGESTIONS, Request, Suggestion, rules, suggest, window};
use crate::ids::Offset;

/// Pieces of programs, so that rules are reached that random characters never would.
const PIECES: &[&str] = &[
    "def ",
    "class ",
    "for ",
    "if ",
    "while ",
    "import ",
    "from ",
    "return ",
    "else",
    "try",
    "switch ",
    "match ",
    "fn ",
    "func ",
    "struct ",
    "impl ",
    "enum ",
    "let ",
    "const ",
    "use ",
    "#include ",
    "printf(",
    "console.",
    "users",
    "user",
    "x",
    "count = 1",
    "= [",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ";",
    ":",
    ".",
    "->",
    "=>",
    "=",
    " ",
    "  ",
    "\t",
    "\n",
    "\n    ",
    "\r\n",
    "\"",
    "'",
    "`",
    "/*",
    "*/",
    "//",
    "#",
    "#[",
    "--",
    "<",
    ">",
    "</",
    "<div",
    "class=\"",
    "```",
    "- ",
    "| a |",
    "[x]",
    "@",
    "self.",
    "é",
    "😀",
    "‸",
    "SELECT ",
    "CREATE TABLE t (",
    "INSERT INTO ",
    "color: ",
    "\"k\": ",
    "/**",
    "\"\"\"",
    "${",
    "\\",
    "let Some(",
    "of ",
    "in ",
    "range ",
    "err := f()",
    "1",
    "0.5",
    "\u{2028}",
    "\u{0}",
];

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => proptest::collection::vec(proptest::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat()),
        1 => "\\PC{0,80}",
        1 => any::<String>(),
    ]
}

fn languages() -> impl Strategy<Value = &'static str> {
    let ids: Vec<&str> = rules::LANGUAGES
        .iter()
        .map(|language| language.id)
        .chain(["plain"])
        .collect();
    proptest::sample::select(ids)
}

fn ask(text: &str, caret: u32, language: &str) -> Vec<Suggestion> {
    suggest(&Request {
        text,
        caret: Offset(caret),
        language,
        max: MAX_SUGGESTIONS,
    })
}

/// The text after accepting a suggestion.
fn accepted(text: &str, caret: u32, suggestion: &Suggestion) -> String {
    let units: Vec<u16> = text.encode_utf16().collect();
    let at = usize::try_from(caret).unwrap_or(0).min(units.len());
    let from = at - usize::try_from(suggestion.replace_before).unwrap_or(0);
    let insert: Vec<u16> = suggestion.insert.encode_utf16().collect();
    let whole = [
        units.get(..from).unwrap_or(&[]),
        &insert,
        units.get(at..).unwrap_or(&[]),
    ]
    .concat();
    String::from_utf16(&whole).expect("nothing was cut inside a surrogate pair")
}

/// Brackets without a partner, in any text.
fn lonely(text: &str) -> usize {
    let mut open = Vec::new();
    let mut lonely = 0;
    for character in text.chars() {
        match character {
            '(' | '[' | '{' => open.push(character),
            ')' | ']' | '}' => {
                let partner = match character {
                    ')' => '(',
                    ']' => '[',
                    _ => '{',
                };
                if open.last() == Some(&partner) {
                    open.pop();
                } else {
                    lonely += 1;
                }
            }
            _ => {}
        }
    }
    lonely + open.len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn any_question_has_a_sound_answer(text in texts(), caret in 0u32..120, language in languages()) {
        let found = ask(&text, caret, language);
        prop_assert_eq!(&found, &ask(&text, caret, language), "the same question, another answer");
        prop_assert!(found.len() <= MAX_SUGGESTIONS);
        prop_assert!(found.is_sorted_by(|a, b| a.score >= b.score));
        let caret = caret.min(window::utf16_len(&text));
        for suggestion in &found {
            prop_assert!(!suggestion.insert.trim().is_empty());
            prop_assert!(!suggestion.label.contains('\n'));
            prop_assert!(suggestion.replace_before <= caret);
            let whole = accepted(&text, caret, suggestion);
            let start = caret - suggestion.replace_before;
            let new_caret = start + suggestion.caret.unwrap_or(window::utf16_len(&suggestion.insert));
            let end = start + window::utf16_len(&suggestion.insert);
            prop_assert!(new_caret <= end, "the caret left what was inserted");
            prop_assert!(window::byte_offset(&whole, Offset(new_caret)).is_some(), "the caret split a pair");
        }
        for (index, suggestion) in found.iter().enumerate() {
            let same = |other: &Suggestion| other.insert == suggestion.insert && other.replace_before == suggestion.replace_before;
            prop_assert!(!found.iter().skip(index + 1).any(same), "twice: {:?}", suggestion.insert);
        }
    }

    #[test]
    fn a_word_goes_on_where_the_typing_stopped(text in texts(), caret in 0u32..120, language in languages()) {
        let before = window::byte_offset(&text, Offset(caret)).map(|at| text.get(..at).unwrap_or(""));
        for word in ask(&text, caret, language).iter().filter(|suggestion| suggestion.kind == Kind::Word) {
            prop_assert_eq!(word.replace_before, 0);
            prop_assert!(!word.insert.contains('\n'));
            if let Some(typed) = word.label.strip_suffix(word.insert.as_str()) {
                prop_assert!(before.is_some_and(|before| before.ends_with(typed)), "{:?} after {:?}", word, before);
            }
        }
    }

    /// Without strings and comments, whose brackets are characters like any other.
    #[test]
    fn a_block_brings_its_own_partners(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..30),
        language in languages(),
    ) {
        let quiet = |piece: &&&str| !piece.contains(['"', '\'', '`', '#', '/', '-', '<', '$', '\\', '|', '‸']);
        let text: String = pieces.iter().filter(quiet).copied().collect();
        let caret = window::utf16_len(&text);
        for block in ask(&text, caret, language).iter().filter(|suggestion| suggestion.kind == Kind::Block) {
            let whole = accepted(&text, caret, block);
            prop_assert!(lonely(&whole) <= lonely(&text), "{:?} in {:?}", block.insert, text);
        }
    }

    #[test]
    fn a_smaller_answer_is_the_start_of_a_larger(text in texts(), caret in 0u32..120, max in 0usize..8) {
        let found = ask(&text, caret, "python");
        let fewer = suggest(&Request { text: &text, caret: Offset(caret), language: "python", max });
        prop_assert_eq!(fewer.as_slice(), found.get(..max.min(found.len())).unwrap_or(&[]));
    }
}

#[test]
fn a_caret_anywhere_in_a_long_document() {
    let line = "    value = [compute(item, \"text\") for item in items]  # note 😀\n";
    let text = line.repeat(2000);
    let units = window::utf16_len(&text);
    for language in ["python", "js", "html", "sql", "json", "md", "rust"] {
        for step in 0..60 {
            ask(&text, units / 60 * step + step, language);
        }
    }
}
