//! JavaScript ⇄ [`Edit`]. Must not know who edits.

use collab_core::document::Edit;
use collab_core::ids::Offset;
use js_sys::Array;
use wasm_bindgen::prelude::*;

use crate::objects::{object, property, whole};

#[wasm_bindgen(typescript_custom_section)]
const TYPESCRIPT: &str = r"
/** One replacement in a text. A list of them ascends and does not overlap; all offsets are UTF-16
 *  code units of the text before any of them. */
export interface Edit {
  readonly at: number;
  /** Code units to delete from there. */
  readonly delete: number;
  readonly insert: string;
}
";

#[wasm_bindgen]
extern "C" {
    /// What the page hands in.
    #[wasm_bindgen(typescript_type = "readonly Edit[]")]
    pub type EditList;
}

/// Reads what the page hands in. Half a surrogate pair in `insert` becomes U+FFFD on the way.
pub fn from_js(list: &EditList) -> Result<Vec<Edit>, JsError> {
    Array::from(list.as_ref())
        .iter()
        .map(|value| edit(&value).ok_or_else(|| JsError::new("not an edit")))
        .collect()
}

fn edit(value: &JsValue) -> Option<Edit> {
    Some(Edit {
        at: Offset(u32::try_from(whole(value, "at")?).ok()?),
        delete: u32::try_from(whole(value, "delete")?).ok()?,
        insert: property(value, "insert").as_string()?,
    })
}

/// Edits for the page.
pub fn to_js(edits: &[Edit]) -> JsValue {
    let list = Array::new();
    for edit in edits {
        list.push(&object(&[
            ("at", edit.at.0.into()),
            ("delete", edit.delete.into()),
            ("insert", edit.insert.as_str().into()),
        ]));
    }
    list.into()
}
