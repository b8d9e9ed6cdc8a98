//! The way out to one connection: core's bounded outbox behind a short lock, filled by the room's
//! task and emptied by the connection's. Must not know what a frame means.
//!
//! The room never waits here: a push either fits or drops a whole lane, which one diff makes good
//! later. The lock is never held across an await.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use collab_core::outbox::{Outbox, Pushed};
use collab_core::protocol::{CloseCode, Control, Dialect, Message, codec};
use collab_core::room::{Lane, Missed};
use tokio::sync::Notify;

/// Frames taken out at a time: they share one flush.
const BATCH: usize = 64;

/// Milliseconds that a client sent away for a passing reason is told to wait.
const RETRY_AFTER_MS: u64 = 1_000;

/// One connection's outbox.
#[derive(Debug)]
pub struct Outlet {
    dialect: Dialect,
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Debug)]
struct State {
    outbox: Outbox,
    /// Whether the room was asked to bring this connection level and has not answered yet.
    asked: bool,
    closing: Option<Closing>,
}

/// How a connection ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    pub code: CloseCode,
    pub reason: String,
}

/// What the connection finds in its outbox.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// Frames to send; there may be more.
    Frames(Vec<Bytes>),
    /// Everything is out, and this was dropped: tell the room. Said once for each overflow.
    Missed(Missed),
    /// Everything is out and the connection ends.
    Closing(Closing),
    /// Nothing.
    Nothing,
}

impl Outlet {
    /// Room for this much that may be dropped.
    pub fn new(dialect: Dialect, max_bytes: usize, max_frames: usize) -> Outlet {
        Outlet {
            dialect,
            state: Mutex::new(State {
                outbox: Outbox::new(max_bytes, max_frames),
                asked: false,
                closing: None,
            }),
            wake: Notify::new(),
        }
    }

    /// Puts a frame at the end. Returns whether its lane overflowed just now.
    pub fn push(&self, lane: Lane, frame: Bytes) -> bool {
        let mut state = self.lock();
        if state.closing.is_some() {
            return false;
        }
        let pushed = state.outbox.push(lane, frame);
        if pushed == Pushed::Hopeless {
            state.outbox = Outbox::new(0, 0);
            state.closing = Some(Closing {
                code: CloseCode::TooSlow,
                reason: "this connection does not read what it is sent".to_owned(),
            });
        }
        drop(state);
        self.wake.notify_one();
        matches!(pushed, Pushed::Overflowed | Pushed::Hopeless)
    }

    /// Takes what brings the connection level.
    pub fn resync(&self, answers: Missed, frames: Vec<(Lane, Bytes)>) {
        let mut state = self.lock();
        state.asked = false;
        if state.closing.is_none() {
            state.outbox.resync(answers, frames);
        }
        drop(state);
        self.wake.notify_one();
    }

    /// Ends the connection after what is in here. The first reason stays.
    pub fn close(&self, code: CloseCode, reason: String) {
        let mut state = self.lock();
        state.closing.get_or_insert(Closing { code, reason });
        drop(state);
        self.wake.notify_one();
    }

    /// Says why in the client's own dialect and ends the connection, unless it ends already.
    pub fn send_away(&self, code: CloseCode, reason: &str) {
        let explanation = match self.dialect {
            Dialect::CollabV1 => Some(Message::Control(Control::Closing {
                code,
                retry_after_ms: if code.is_final() { 0 } else { RETRY_AFTER_MS },
                reason: reason.to_owned(),
            })),
            Dialect::YWebsocket if code.is_final() => Some(Message::Denied(reason.to_owned())),
            Dialect::YWebsocket => None,
        };
        let mut state = self.lock();
        if state.closing.is_none() {
            if let Some(message) = explanation {
                // The control lane being full changes nothing: the connection ends either way.
                let _: Pushed = state.outbox.push(Lane::Control, codec::encode(&message));
            }
            state.closing = Some(Closing {
                code,
                reason: reason.to_owned(),
            });
        }
        drop(state);
        self.wake.notify_one();
    }

    /// What the client understands.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether the connection is to end.
    pub fn is_closing(&self) -> bool {
        self.lock().closing.is_some()
    }

    /// What to do now.
    pub fn find(&self) -> Found {
        let mut state = self.lock();
        let mut frames = Vec::new();
        while frames.len() < BATCH
            && let Some(frame) = state.outbox.pop()
        {
            frames.push(frame);
        }
        if !frames.is_empty() {
            return Found::Frames(frames);
        }
        if let Some(closing) = &state.closing {
            return Found::Closing(closing.clone());
        }
        match state.outbox.missed() {
            Some(missed) if !state.asked => {
                state.asked = true;
                Found::Missed(missed)
            }
            _ => Found::Nothing,
        }
    }

    /// Waits until something changed since the last [`Outlet::find`].
    pub async fn changed(&self) {
        self.wake.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics halfway; a poisoned lock guards a whole state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use collab_core::document::TurnNumber;

    #[test]
    fn an_overflow_is_asked_about_once_until_it_is_made_good() {
        let outlet = Outlet::new(Dialect::YWebsocket, 100, 1);
        let frame = Bytes::from_static(b"x");
        assert!(!outlet.push(Lane::Sync(TurnNumber(1)), frame.clone()));
        assert!(outlet.push(Lane::Sync(TurnNumber(2)), frame.clone()));
        let Found::Missed(missed) = outlet.find() else {
            panic!("nothing waits, and a lane was dropped")
        };
        assert_eq!(outlet.find(), Found::Nothing);
        outlet.resync(missed, vec![(Lane::Sync(TurnNumber(2)), frame.clone())]);
        assert_eq!(outlet.find(), Found::Frames(vec![frame.clone()]));
        assert_eq!(outlet.find(), Found::Nothing);
        assert!(!outlet.push(Lane::Sync(TurnNumber(3)), frame.clone()));
        assert!(outlet.push(Lane::Sync(TurnNumber(4)), frame));
        assert!(
            matches!(outlet.find(), Found::Missed(_)),
            "a second episode"
        );
    }

    #[test]
    fn what_explains_a_close_comes_before_it_and_nothing_after() {
        let outlet = Outlet::new(Dialect::YWebsocket, 100, 10);
        outlet.send_away(CloseCode::Malformed, "why");
        let frame = codec::encode(&Message::Denied("why".to_owned()));
        outlet.close(CloseCode::Restart, "later".to_owned());
        outlet.push(Lane::Presence, Bytes::from_static(b"late"));
        assert_eq!(outlet.find(), Found::Frames(vec![frame]));
        assert!(matches!(
            outlet.find(),
            Found::Closing(Closing {
                code: CloseCode::Malformed,
                ..
            })
        ));
    }
}
