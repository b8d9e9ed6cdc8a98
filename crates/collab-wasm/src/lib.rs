//! `collab-core` for the browser: bytes in, effects out, as plain JavaScript values. Holds no
//! policy of any kind, and must not know sockets, clocks or the page.
//!
//! Every TypeScript type of the protocol is written down here, beside the code that makes the
//! values, and reaches the page through the generated declarations: the page writes none by hand.
//! Offsets are UTF-16 code units, times are `Date.now()`'s milliseconds.

mod edits;
mod effects;
mod kept;
mod objects;
mod position;

use collab_core::document::{Assoc, FileId};
use collab_core::ids::{Offset, ReplicaId};
use collab_core::protocol::SUBPROTOCOL;
use collab_core::session::{Description, Input, Session};
use collab_core::time::Millis;
use js_sys::{Array, Uint32Array};
use wasm_bindgen::prelude::*;

use edits::EditList;
use effects::{EffectList, FileList, SaveStateValue};
use kept::KeptValue;
use position::{PlaceList, PositionList, UnknownList};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(message: &str);
}

/// Says where it failed before the instance stops: a trap alone says nothing.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|info| console_error(&info.to_string())));
}

/// The WebSocket subprotocol to ask for.
#[wasm_bindgen]
pub fn subprotocol() -> String {
    SUBPROTOCOL.to_owned()
}

/// One person's stay in one room. Each call says what happened and returns what must be done
/// about it, in order.
#[wasm_bindgen]
pub struct Client {
    session: Session,
}

#[wasm_bindgen]
impl Client {
    /// `replica`: 32 random bits, drawn anew for every stay. `seed`: random too; it spreads
    /// reconnecting clients in time.
    #[wasm_bindgen(constructor)]
    pub fn new(replica: u32, seed: u32) -> Client {
        Client {
            session: Session::new(ReplicaId::ours(replica), u64::from(seed)),
        }
    }

    /// This stay's number among the replicas of the room.
    pub fn replica(&self) -> f64 {
        objects::number(self.session.replica().get())
    }

    /// Brings back what an earlier stay in this room kept, before `start`. Throws when `kept` is
    /// not of that form; what is damaged inside is left out.
    pub fn restore(&mut self, now: f64, kept: &KeptValue) -> Result<EffectList, JsError> {
        let kept = kept::from_js(kept).ok_or_else(|| JsError::new("not what was kept"))?;
        Ok(self.handle(now, Input::Restore(kept)))
    }

    /// Everything there is, for the device: it replaces all records that this stay has restored or
    /// made. Nothing when the document cannot be read; then what was kept must stay.
    pub fn copy(&mut self) -> Option<KeptValue> {
        self.session.copy().map(|kept| kept::to_js(&kept))
    }

    /// Grows with every change of the document, whoever made it: a copy is due when it has.
    pub fn revision(&self) -> f64 {
        objects::number(self.session.document().turn().0)
    }

    /// The stay begins.
    pub fn start(&mut self, now: f64) -> EffectList {
        self.handle(now, Input::Start)
    }

    /// The socket is open.
    pub fn opened(&mut self, now: f64) -> EffectList {
        self.handle(now, Input::Opened)
    }

    /// One binary message arrived.
    pub fn frame(&mut self, now: f64, frame: Vec<u8>) -> EffectList {
        self.handle(now, Input::Frame(frame.into()))
    }

    /// The socket is closed, or could not be opened (1006).
    pub fn closed(&mut self, now: f64, code: u16, reason: String) -> EffectList {
        self.handle(now, Input::Closed { code, reason })
    }

    /// The person edited. Offsets refer to the text before the call, ascending and disjoint.
    /// Throws when `file` is not a file id or `edits` not a list of edits.
    pub fn edit(&mut self, now: f64, file: &str, edits: &EditList) -> Result<EffectList, JsError> {
        let file = file_id(file)?;
        let edits = edits::from_js(edits)?;
        Ok(self.handle(now, Input::Edit { file, edits }))
    }

    /// The person adds a file, or gives it another path or language; what is not given stays.
    /// Throws when `file` is not a file id.
    #[wasm_bindgen(js_name = putFile)]
    pub fn put_file(
        &mut self,
        now: f64,
        file: &str,
        path: Option<String>,
        language: Option<String>,
    ) -> Result<EffectList, JsError> {
        let file = file_id(file)?;
        let description = Description::PutFile {
            file,
            path,
            language,
        };
        Ok(self.handle(now, Input::Describe(description)))
    }

    /// The person takes a file away, and its text with it. Throws when `file` is not a file id.
    #[wasm_bindgen(js_name = removeFile)]
    pub fn remove_file(&mut self, now: f64, file: &str) -> Result<EffectList, JsError> {
        let description = Description::RemoveFile(file_id(file)?);
        Ok(self.handle(now, Input::Describe(description)))
    }

    /// The person sets a value of the room, such as its `name`.
    #[wasm_bindgen(js_name = setMeta)]
    pub fn set_meta(&mut self, now: f64, key: String, value: String) -> EffectList {
        self.handle(now, Input::Describe(Description::SetMeta { key, value }))
    }

    /// The whole presence entry as JSON; nothing when the person leaves.
    pub fn presence(&mut self, now: f64, state: Option<String>) -> EffectList {
        self.handle(now, Input::Presence(state))
    }

    /// The network or the person is back: connect now.
    pub fn retry(&mut self, now: f64) -> EffectList {
        self.handle(now, Input::Retry)
    }

    /// The instant of `nextDeadline` has come.
    pub fn tick(&mut self, now: f64) -> EffectList {
        self.handle(now, Input::Tick)
    }

    /// The stay ends.
    pub fn stop(&mut self, now: f64) -> EffectList {
        self.handle(now, Input::Stop)
    }

    /// When to call `tick`, if nothing happens before.
    #[wasm_bindgen(js_name = nextDeadline)]
    pub fn next_deadline(&self) -> Option<f64> {
        let deadline = self.session.next_deadline()?;
        Some(objects::number(deadline.0))
    }

    /// What the pill shows.
    #[wasm_bindgen(js_name = saveState)]
    pub fn save_state(&self, now: f64) -> SaveStateValue {
        effects::save_state(&self.session.state(millis(now)))
    }

    /// The file's text; from now on other people's edits to it come as effects. Throws when `file`
    /// is not a file id.
    #[wasm_bindgen(js_name = openFile)]
    pub fn open_file(&mut self, file: &str) -> Result<String, JsError> {
        Ok(self.session.open_file(&file_id(file)?))
    }

    /// Every file, `main` first.
    pub fn files(&self) -> FileList {
        effects::files(&self.session.document().files())
    }

    /// A value of the room, such as its `name`.
    pub fn meta(&self, key: &str) -> Option<String> {
        self.session.document().meta(key)
    }

    /// One position for each offset; `undefined` for one past the end. Text inserted exactly there
    /// goes before it, as Yjs editors have it. Throws when `file` is not a file id.
    pub fn sticky(&self, file: &str, offsets: &Uint32Array) -> Result<PositionList, JsError> {
        let file = file_id(file)?;
        let found = Array::new();
        for offset in offsets.to_vec() {
            let bytes = self
                .session
                .document()
                .sticky(&file, Offset(offset), Assoc::After);
            found.push(&position::to_js(bytes.as_deref()));
        }
        Ok(found.unchecked_into())
    }

    /// Where positions are now: one place for each, `undefined` for what is none here. Anything at
    /// all may be in the list, it comes from other people.
    pub fn resolve(&self, positions: &UnknownList) -> PlaceList {
        let found = Array::new();
        for value in positions.unchecked_ref::<Array>().iter() {
            let place =
                position::from_js(&value).and_then(|bytes| self.session.document().resolve(&bytes));
            found.push(&position::place(place));
        }
        found.unchecked_into()
    }

    fn handle(&mut self, now: f64, input: Input) -> EffectList {
        let mut effects = Vec::new();
        self.session.handle(millis(now), input, &mut effects);
        effects::list(effects)
    }
}

fn file_id(id: &str) -> Result<FileId, JsError> {
    FileId::parse(id).ok_or_else(|| JsError::new("not a file id"))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts from floats saturate, and NaN becomes 0"
)]
fn millis(now: f64) -> Millis {
    Millis(now as u64)
}
