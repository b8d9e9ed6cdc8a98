//! What is kept on this device ⇄ JavaScript. Must not know where it is written.

use bytes::Bytes;
use collab_core::ids::Lineage;
use collab_core::session::Kept;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::objects::{object, property, whole};

#[wasm_bindgen(typescript_custom_section)]
const TYPESCRIPT: &str = r"
/** All that a device needs to bring a stay's text back. */
export interface Kept {
  /** Each after what it rests on, if that is among them. */
  readonly updates: readonly Uint8Array<ArrayBuffer>[];
  /** How many edits of the stay, those it restored included, the server was not known to have saved
   *  when this was made. Of several records of one stay the last counts. */
  readonly unsaved: number;
  /** Which document they belong to; `undefined` when no server had said so. */
  readonly lineage: string | undefined;
}
";

#[wasm_bindgen]
extern "C" {
    /// What is kept.
    #[wasm_bindgen(typescript_type = "Kept")]
    pub type KeptValue;
}

/// For the device.
pub fn to_js(kept: &Kept) -> KeptValue {
    let lineage = kept.lineage.map(|lineage| lineage.to_string());
    let bytes = |update: &Bytes| Uint8Array::from(update.as_ref());
    let updates: Array = kept.updates.iter().map(bytes).collect();
    object(&[
        ("updates", updates.into()),
        ("unsaved", kept.unsaved.into()),
        ("lineage", lineage.into()),
    ])
    .unchecked_into()
}

/// From the device; `None` when it has another form.
pub fn from_js(value: &JsValue) -> Option<Kept> {
    let updates = property(value, "updates").dyn_into::<Array>().ok()?;
    let updates = updates
        .iter()
        .map(|update| Some(update.dyn_into::<Uint8Array>().ok()?.to_vec().into()))
        .collect::<Option<Vec<Bytes>>>()?;
    let unsaved = u32::try_from(whole(value, "unsaved")?).ok()?;
    let lineage = property(value, "lineage");
    let lineage = if lineage.is_undefined() {
        None
    } else {
        Some(lineage_from_hex(&lineage.as_string()?)?)
    };
    Some(Kept {
        updates,
        unsaved,
        lineage,
    })
}

fn lineage_from_hex(hex: &str) -> Option<Lineage> {
    let mut digits = hex.chars().map(|digit| digit.to_digit(16));
    let mut bytes = [0u8; 16];
    for byte in &mut bytes {
        let value = digits.next()?? << 4 | digits.next()??;
        *byte = u8::try_from(value).ok()?;
    }
    digits.next().is_none().then_some(Lineage(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lineage_reads_as_it_is_written() {
        let lineage = Lineage(*b"\x00\x01 to the end...");
        assert_eq!(lineage_from_hex(&lineage.to_string()), Some(lineage));
        for bad in ["", "+f", "0g", &"+".repeat(32), &"0".repeat(33)] {
            assert_eq!(lineage_from_hex(bad), None);
        }
    }
}
