//! [`Effect`] → JavaScript: discriminated unions on `kind`. Must not know how an effect is carried
//! out.
//!
//! The declarations stand here so that whoever adds a variant, which breaks a `match` below, sees
//! both.

use collab_core::document::FileEntry;
use collab_core::session::{Effect, SaveState};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::objects::{number, object};
use crate::{edits, kept};

#[wasm_bindgen(typescript_custom_section)]
const TYPESCRIPT: &str = r#"
/** Something that must be done. */
export type Effect =
  /** Open a WebSocket to the room with `subprotocol()`. */
  | { readonly kind: "connect" }
  /** Send one binary message on it. */
  | { readonly kind: "send"; readonly frame: Uint8Array<ArrayBuffer> }
  /** Close it; `closed` need not follow. */
  | { readonly kind: "disconnect" }
  /** One more unsaved edit: write this down on this device, now and whole. It may be forgotten when
   *  a later `copy()` has been written down. */
  | { readonly kind: "keep"; readonly record: Kept }
  /** Other people's edits of a file that was opened. */
  | { readonly kind: "changed"; readonly file: string; readonly edits: readonly Edit[] }
  /** An edit could not be taken: show this text instead of what the editor has. */
  | { readonly kind: "reset"; readonly file: string; readonly text: string }
  /** The list of files or a value of the room changed; read them again. */
  | { readonly kind: "described" }
  /** A change of files or of a value was not made, for this reason. */
  | { readonly kind: "refused"; readonly reason: string }
  /** Somebody's presence as JSON, nothing when they are gone. */
  | { readonly kind: "peer"; readonly replica: number; readonly state: string | undefined }
  /** The pill shows this now. */
  | { readonly kind: "status"; readonly state: SaveState };

/** What the person is told about their text. */
export type SaveState =
  /** Connecting for the first time. */
  | { readonly kind: "connecting" }
  /** The server has committed everything typed here. */
  | { readonly kind: "saved" }
  /** So many edits are on their way. */
  | { readonly kind: "saving"; readonly unsaved: number }
  /** The database does not answer; edits are shared with others but not saved. */
  | { readonly kind: "notSaved"; readonly unsaved: number }
  /** The socket is lost; the next try is in so many milliseconds, or now. */
  | { readonly kind: "reconnecting"; readonly unsaved: number; readonly inMs: number }
  /** Tries have failed for a while. */
  | { readonly kind: "offline"; readonly unsaved: number }
  /** Cannot go on by itself; the text stays in the editor. */
  | { readonly kind: "attention"; readonly unsaved: number; readonly reason: string };

/** What is known about one file. */
export interface File {
  readonly id: string;
  /** Empty until someone gives it one. */
  readonly path: string;
  /** Empty until someone chooses one. */
  readonly language: string;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// A list of effects, in order.
    #[wasm_bindgen(typescript_type = "Effect[]")]
    pub type EffectList;
    /// One state of the pill.
    #[wasm_bindgen(typescript_type = "SaveState")]
    pub type SaveStateValue;
    /// Every file.
    #[wasm_bindgen(typescript_type = "File[]")]
    pub type FileList;
}

/// Effects for the page, in order.
pub fn list(effects: Vec<Effect>) -> EffectList {
    effects
        .iter()
        .map(effect)
        .collect::<Array>()
        .unchecked_into()
}

fn effect(effect: &Effect) -> JsValue {
    match effect {
        Effect::Connect => object(&[kind("connect")]),
        Effect::Send(frame) => object(&[
            kind("send"),
            ("frame", Uint8Array::from(frame.as_ref()).into()),
        ]),
        Effect::Disconnect => object(&[kind("disconnect")]),
        Effect::Keep(record) => object(&[kind("keep"), ("record", kept::to_js(record).into())]),
        Effect::Changed { file, edits } => object(&[
            kind("changed"),
            ("file", file.as_str().into()),
            ("edits", edits::to_js(edits)),
        ]),
        Effect::Reset { file, text } => object(&[
            kind("reset"),
            ("file", file.as_str().into()),
            ("text", text.as_str().into()),
        ]),
        Effect::Described => object(&[kind("described")]),
        Effect::Refused { reason } => {
            object(&[kind("refused"), ("reason", reason.as_str().into())])
        }
        Effect::Peer { replica, state } => object(&[
            kind("peer"),
            ("replica", number(replica.get()).into()),
            ("state", state.as_deref().into()),
        ]),
        Effect::Status(state) => object(&[kind("status"), ("state", save_state(state).into())]),
    }
}

/// A state of the pill for the page.
pub fn save_state(state: &SaveState) -> SaveStateValue {
    let value = match state {
        SaveState::Connecting => object(&[kind("connecting")]),
        SaveState::Saved => object(&[kind("saved")]),
        SaveState::Saving { unsaved } => object(&[kind("saving"), count(*unsaved)]),
        SaveState::NotSaved { unsaved } => object(&[kind("notSaved"), count(*unsaved)]),
        SaveState::Reconnecting { unsaved, in_ms } => object(&[
            kind("reconnecting"),
            count(*unsaved),
            ("inMs", number(*in_ms).into()),
        ]),
        SaveState::Offline { unsaved } => object(&[kind("offline"), count(*unsaved)]),
        SaveState::Attention { unsaved, reason } => object(&[
            kind("attention"),
            count(*unsaved),
            ("reason", reason.as_str().into()),
        ]),
    };
    value.unchecked_into()
}

/// The files for the page.
pub fn files(files: &[FileEntry]) -> FileList {
    let entry = |file: &FileEntry| {
        object(&[
            ("id", file.id.as_str().into()),
            ("path", file.path.as_str().into()),
            ("language", file.language.as_str().into()),
        ])
    };
    files.iter().map(entry).collect::<Array>().unchecked_into()
}

fn kind(name: &str) -> (&'static str, JsValue) {
    ("kind", name.into())
}

fn count(unsaved: u32) -> (&'static str, JsValue) {
    ("unsaved", unsaved.into())
}
