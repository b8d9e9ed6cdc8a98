//! `collab-core`'s completion for the browser: a text and a caret in, candidates out. Holds no
//! policy of any kind, and must not know documents, sessions or the page.
//!
//! A module of its own, because the rules of all languages weigh half as much as everything that
//! is needed to type: the page fetches it when somebody has begun. Its wall is the page's budget
//! (`npm run size`).

use collab_core::autocomplete::{self, Request, Suggestion};
use collab_core::ids::Offset;
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPESCRIPT: &str = r#"
/** One candidate for the text at the caret. */
export interface Suggestion {
  /** What to write. May have several lines, already indented the way the file is. */
  readonly insert: string;
  /** UTF-16 units before the caret that `insert` replaces: blanks, if any. */
  readonly replaceBefore: number;
  /** Where the caret goes, in UTF-16 units from the start of `insert`; its end when absent. */
  readonly caret: number | undefined;
  /** One line for a list. */
  readonly label: string;
  readonly kind: "block" | "closing" | "phrase" | "word" | "keyword" | "line" | "comment";
  /** Higher is better, comparable only within one answer, except for `unaskedScore()`. */
  readonly score: number;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// Candidates, best first.
    #[wasm_bindgen(typescript_type = "Suggestion[]")]
    pub type SuggestionList;
}

/// What could stand at a caret, best first, at most `max`. `caret` counts UTF-16 units;
/// `language` is an id or alias, such as `python`.
#[wasm_bindgen]
pub fn suggest(text: &str, caret: u32, language: &str, max: u32) -> SuggestionList {
    let request = Request {
        text,
        caret: Offset(caret),
        language,
        max: usize::try_from(max).unwrap_or(usize::MAX),
    };
    autocomplete::suggest(&request)
        .iter()
        .map(to_js)
        .collect::<Array>()
        .unchecked_into()
}

/// A suggestion that scores at least this is worth showing to someone who only paused.
#[wasm_bindgen(js_name = unaskedScore)]
pub fn unasked_score() -> u32 {
    autocomplete::UNASKED
}

fn to_js(suggestion: &Suggestion) -> JsValue {
    let object = Object::new();
    let properties: [(&str, JsValue); 6] = [
        ("insert", suggestion.insert.as_str().into()),
        ("replaceBefore", suggestion.replace_before.into()),
        ("caret", suggestion.caret.into()),
        ("label", suggestion.label.as_str().into()),
        ("kind", suggestion.kind.name().into()),
        ("score", suggestion.score.into()),
    ];
    for (key, value) in properties {
        Reflect::set(&object, &key.into(), &value)
            .expect("a property of an object just made can be set");
    }
    object.into()
}
