//! What the person is told about their text, and when it is news. Must not know how it is drawn.

use super::{Effect, OFFLINE_AFTER_MS, Phase, SaveState, Session};
use crate::protocol::Status;
use crate::time::Millis;

impl Session {
    /// What the pill shows.
    pub fn state(&self, now: Millis) -> SaveState {
        let unsaved = self.unsaved();
        match &self.phase {
            Phase::Attention { reason } => SaveState::Attention {
                unsaved,
                reason: reason.clone(),
            },
            Phase::Live if self.synced => match self.server {
                Status::Degraded | Status::Frozen if unsaved > 0 => SaveState::NotSaved { unsaved },
                _ if unsaved > 0 => SaveState::Saving { unsaved },
                _ => SaveState::Saved,
            },
            _ if !self.ever_synced && self.lost_at.is_none() => SaveState::Connecting,
            _ if self
                .lost_at
                .is_some_and(|at| now.since(at) >= OFFLINE_AFTER_MS) =>
            {
                SaveState::Offline { unsaved }
            }
            Phase::Waiting { until } => SaveState::Reconnecting {
                unsaved,
                in_ms: until.since(now),
            },
            _ => SaveState::Reconnecting { unsaved, in_ms: 0 },
        }
    }

    pub(super) fn show(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        let state = self.state(now);
        // The countdown is the page's to run; only a new try is news.
        let same = match (&state, &self.shown) {
            (
                SaveState::Reconnecting { unsaved: a, in_ms },
                Some(SaveState::Reconnecting {
                    unsaved: b,
                    in_ms: shown,
                }),
            ) => a == b && (in_ms == shown || (in_ms < shown && *in_ms > 0)),
            (state, shown) => shown.as_ref() == Some(state),
        };
        if !same {
            self.shown = Some(state.clone());
            effects.push(Effect::Status(state));
        }
    }
}
