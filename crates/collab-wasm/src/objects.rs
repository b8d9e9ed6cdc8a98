//! Plain JavaScript objects, built and read. Must not know what they stand for.

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;

/// The largest integer that a JavaScript number holds exactly, plus one: 2^53.
const EXACT_END: f64 = 9_007_199_254_740_992.0;

/// An object with these properties.
pub fn object(properties: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (key, value) in properties {
        Reflect::set(&object, &JsValue::from_str(key), value)
            .expect("a property of an object just made can be set");
    }
    object.into()
}

/// A property; `undefined` when `value` is no object or has none of that name.
pub fn property(value: &JsValue, key: &str) -> JsValue {
    if value.is_object() {
        Reflect::get(value, &JsValue::from_str(key)).unwrap_or(JsValue::UNDEFINED)
    } else {
        JsValue::UNDEFINED
    }
}

/// A property that is a whole number from 0 to 2^53 - 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked before"
)]
pub fn whole(value: &JsValue, key: &str) -> Option<u64> {
    let number = property(value, key).as_f64()?;
    let is_whole = number.fract() == 0.0 && (0.0..EXACT_END).contains(&number);
    is_whole.then_some(number as u64)
}

/// A number of ours as JavaScript has it: exact below 2^53, and nothing of ours is above.
#[expect(
    clippy::cast_precision_loss,
    reason = "ids are below 2^53 by their type, times and counts by their nature"
)]
pub fn number(value: u64) -> f64 {
    value as f64
}
