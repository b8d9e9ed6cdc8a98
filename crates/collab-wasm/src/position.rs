//! Places that hold on to the text around them, as the JSON in which Yjs editors tell each other
//! where their carets are. Must not know whose caret it is.
//!
//! Source: Yjs 13.6 `RelativePosition.js`. The bytes of [`Document::sticky`] are
//! `encodeRelativePosition`'s: 0 and an item's id, 1 and a root type's name, or 2 and a nested
//! type's id; then the association as a signed integer. The JSON has the fields of the class.
//!
//! [`Document::sticky`]: collab_core::document::Document::sticky

use bytes::Bytes;
use collab_core::document::FileId;
use collab_core::ids::{Offset, ReplicaId};
use collab_core::protocol::wire::{Reader, WireError, put_bytes, put_uint};
use wasm_bindgen::prelude::*;

use crate::objects::{number, object, property, whole};

#[wasm_bindgen(typescript_custom_section)]
const TYPESCRIPT: &str = r#"
/** A place that holds on to the text around it: a Yjs relative position as JSON. */
export interface RelativePosition {
  readonly type: { readonly client: number; readonly clock: number } | null;
  readonly tname: string | null;
  readonly item: { readonly client: number; readonly clock: number } | null;
  readonly assoc: number;
}

/** Where such a place is at the moment. */
export interface Place {
  readonly file: string;
  readonly offset: number;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// One position for each offset.
    #[wasm_bindgen(typescript_type = "(RelativePosition | undefined)[]")]
    pub type PositionList;
    /// One place for each position.
    #[wasm_bindgen(typescript_type = "(Place | undefined)[]")]
    pub type PlaceList;
    /// Values that came from outside.
    #[wasm_bindgen(typescript_type = "readonly unknown[]")]
    pub type UnknownList;
}

/// Longest name of a root type in a position, in bytes. Those of files are shorter; a longer one
/// is not a place of ours.
const MAX_NAME_BYTES: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Id {
    client: u64,
    clock: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Scope {
    /// Beside this unit of text.
    Item(Id),
    /// At the end of this root type.
    Root(String),
    /// At the end of this nested type.
    Nested(Id),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Position {
    scope: Scope,
    /// Negative: it belongs to what stands before it. 0 and above: to what follows.
    before: bool,
}

impl Position {
    fn decode(bytes: &[u8]) -> Result<Position, WireError> {
        let mut reader = Reader::new(Bytes::copy_from_slice(bytes));
        let scope = match reader.uint()? {
            0 => Scope::Item(id(&mut reader)?),
            1 => Scope::Root(reader.text()?),
            2 => Scope::Nested(id(&mut reader)?),
            number => {
                return Err(WireError::Unknown {
                    what: "scope of a position",
                    number,
                });
            }
        };
        // A signed integer of lib0: bit 6 of its first byte is the sign. Only that matters.
        let assoc = if reader.remaining() > 0 {
            reader.uint()?
        } else {
            0
        };
        Ok(Position {
            scope,
            before: assoc & 0x40 != 0,
        })
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match &self.scope {
            Scope::Item(id) => {
                put_uint(&mut out, 0);
                put_id(&mut out, id);
            }
            Scope::Root(name) => {
                put_uint(&mut out, 1);
                put_bytes(&mut out, name.as_bytes());
            }
            Scope::Nested(id) => {
                put_uint(&mut out, 2);
                put_id(&mut out, id);
            }
        }
        out.push(if self.before { 0x41 } else { 0 });
        out
    }
}

fn id(reader: &mut Reader) -> Result<Id, WireError> {
    Ok(Id {
        client: reader.uint()?,
        clock: reader.uint()?,
    })
}

fn put_id(out: &mut Vec<u8>, id: &Id) {
    put_uint(out, id.client);
    put_uint(out, id.clock);
}

/// A position for the page; `undefined` when there is none.
///
/// All four fields are there: Yjs tells "absent" from `null`.
pub fn to_js(bytes: Option<&[u8]>) -> JsValue {
    let Some(Ok(position)) = bytes.map(Position::decode) else {
        return JsValue::UNDEFINED;
    };
    let id = |id: &Id| {
        object(&[
            ("client", number(id.client).into()),
            ("clock", number(id.clock).into()),
        ])
    };
    let (item, root, nested) = match &position.scope {
        Scope::Item(item) => (id(item), JsValue::NULL, JsValue::NULL),
        Scope::Root(name) => (JsValue::NULL, name.as_str().into(), JsValue::NULL),
        Scope::Nested(nested) => (JsValue::NULL, JsValue::NULL, id(nested)),
    };
    object(&[
        ("type", nested),
        ("tname", root),
        ("item", item),
        ("assoc", if position.before { -1 } else { 0 }.into()),
    ])
}

/// Reads a position that came from anybody. When several fields are set, the item counts, as in
/// Yjs.
pub fn from_js(value: &JsValue) -> Option<Vec<u8>> {
    let id = |key| {
        let id = property(value, key);
        Some(Id {
            client: ReplicaId::new(whole(&id, "client")?)?.get(),
            clock: whole(&id, "clock")?,
        })
    };
    let name = || property(value, "tname").as_string();
    let scope = if let Some(item) = id("item") {
        Scope::Item(item)
    } else if let Some(name) = name().filter(|name| name.len() <= MAX_NAME_BYTES) {
        Scope::Root(name)
    } else {
        Scope::Nested(id("type")?)
    };
    let before = property(value, "assoc")
        .as_f64()
        .is_some_and(|assoc| assoc < 0.0);
    Some(Position { scope, before }.encode())
}

/// A place for the page; `undefined` when there is none.
pub fn place(place: Option<(FileId, Offset)>) -> JsValue {
    match place {
        Some((file, offset)) => {
            object(&[("file", file.as_str().into()), ("offset", offset.0.into())])
        }
        None => JsValue::UNDEFINED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_as_yjs_writes_them() {
        let beside = Position {
            scope: Scope::Item(Id {
                client: 300,
                clock: 7,
            }),
            before: true,
        };
        assert_eq!(beside.encode(), [0, 0xac, 0x02, 7, 0x41]);
        assert_eq!(Position::decode(&beside.encode()), Ok(beside));
        let end = Position {
            scope: Scope::Root("file:main".to_owned()),
            before: false,
        };
        assert_eq!(end.encode(), b"\x01\x09file:main\x00");
        assert_eq!(Position::decode(&end.encode()), Ok(end));
    }

    #[test]
    fn bytes_that_are_no_position() {
        assert!(Position::decode(&[]).is_err());
        assert!(Position::decode(&[3, 1, 1, 0]).is_err());
        assert!(Position::decode(&[0, 5]).is_err());
    }
}
