//! Which of a room's effects go to storage, and with which claim. Must not know what storage does:
//! that is `storing`'s.

use std::sync::Arc;

use collab_core::room::Effect;
use futures_util::FutureExt;
use tracing::Instrument;

use super::super::remembering;
use super::super::storing::{self, Brought};
use super::Actor;
use crate::storage::{Append, Claim};

impl Actor {
    /// Sends one off; its answer is an input of a later turn.
    pub(super) fn send_to_storage(&mut self, effect: Effect) {
        let shared = Arc::clone(&self.shared);
        let id = self.id.clone();
        match (effect, self.claim) {
            (Effect::Load { epoch }, claim) => {
                self.load(claim.filter(|claim| Some(claim.epoch) == epoch));
            }
            (Effect::Reclaim { lineage, above }, _) => {
                self.errand(storing::reclaim(shared, id, lineage, above));
            }
            (Effect::Quarantine { epoch, parts }, Some(claim)) => {
                self.errand(storing::quarantine(shared, claim.key, epoch, parts));
            }
            (Effect::Mend { epoch, seq }, Some(claim)) => {
                self.errand(storing::mend(shared, claim.key, epoch, seq));
            }
            (
                Effect::Version {
                    epoch,
                    seq,
                    at,
                    authors,
                },
                Some(claim),
            ) => self.errand(remembering::version(
                shared,
                claim,
                (epoch, seq, at),
                authors,
            )),
            (Effect::Remember { authors }, Some(claim)) => {
                self.errand(remembering::remember(shared, claim, authors));
            }
            (Effect::Append { epoch, seq, record }, Some(claim)) => {
                let append = Append {
                    key: claim.key,
                    epoch,
                    seq,
                    record,
                    at: shared.clock.now(),
                };
                self.errand(storing::append(shared, id, claim.lineage, append));
            }
            (
                Effect::Compact {
                    epoch,
                    seq,
                    state,
                    digest,
                },
                Some(claim),
            ) => self.errand(storing::compact(shared, claim, epoch, seq, state, digest)),
            (effect, claim) => unreachable!(
                "a room writes only after it was loaded, which needs a claim: {} with {claim:?}",
                format!("{effect:?}").split([' ', '{']).next().unwrap_or("")
            ),
        }
    }

    /// Claims the room, or keeps this claim, and reads it.
    pub(super) fn load(&mut self, claimed: Option<Claim>) {
        let shared = Arc::clone(&self.shared);
        self.errand(storing::load(shared, self.id.clone(), self.wake, claimed));
    }

    pub(super) fn errand(&mut self, errand: impl Future<Output = Brought> + Send + 'static) {
        self.pending.push(errand.in_current_span().boxed());
    }
}
