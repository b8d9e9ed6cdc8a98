//! A database that went back in time: it holds less than it had acknowledged, because it was failed
//! over to a copy that lagged, or put back from a backup under a living server. What the room holds
//! in memory is put into the log again, under a new epoch. Must not know how that was found out.
//!
//! Nothing is called saved meanwhile: whoever waits, waits until what the log lacks is committed.

use bytes::Bytes;

use super::{CloseCode, Counted, Effect, Loaded, Message, Phase, Room, codec};
use crate::document::{Document, Poisoned};
use crate::time::Millis;

/// Milliseconds to the next try when the database does not answer.
const RECLAIM_RETRY_MS: u64 = 1_000;

impl Room {
    /// Storage says that it holds an older state than it had acknowledged.
    pub(super) fn rewound(&mut self, effects: &mut Vec<Effect>) {
        effects.push(Effect::Count(Counted::Rewound));
        let loading = Phase::Loading {
            suspects: Vec::new(),
        };
        match std::mem::replace(&mut self.phase, loading) {
            Phase::Live(document) => {
                self.rescued = Some(document);
                self.compacting = None;
                self.prepared = None;
                self.reclaim(effects);
            }
            // Being woken again just now: whoever was in the room brings it back.
            Phase::Loading { .. } | Phase::Retired => self.retire_all(
                CloseCode::Restart,
                "the database went back in time; come back with what you have",
                effects,
            ),
        }
    }

    fn reclaim(&mut self, effects: &mut Vec<Effect>) {
        effects.extend(self.log.as_ref().map(|log| Effect::Reclaim {
            lineage: self.lineage,
            above: log.epoch(),
        }));
    }

    /// The room could not be claimed anew; what it holds is held until it can.
    pub(super) fn reclaim_later(&mut self, now: Millis) {
        self.reclaim_at = Some(now.plus(RECLAIM_RETRY_MS));
    }

    pub(super) fn reclaim_if_due(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if self.reclaim_at.take_if(|at| *at <= now).is_some() {
            self.reclaim(effects);
        }
    }

    /// Joins what the room holds with what storage has now: the room goes on with both, and the log
    /// gets what it lacks.
    pub(super) fn rejoin(
        &mut self,
        now: Millis,
        mut live: Box<Document>,
        stored: &mut Document,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Poisoned> {
        let (held, has) = (live.encode()?, stored.encode()?);
        let lacks = stored.apply_kept(&[held])?.delta;
        let brought = live.apply_kept(&[has])?;
        let frame = |update: Bytes| codec::encode(&Message::Update(update));
        if !brought.delta.is_empty() {
            effects.push(Effect::Fanout {
                lane: self.sync_lane(brought.number),
                frame: frame(brought.delta),
                except: None,
            });
        }
        self.phase = Phase::Live(live);
        let Some(log) = &mut self.log else {
            return Ok(());
        };
        if lacks.is_empty() {
            let waiters = log.all_durable();
            self.tell_saved(waiters, effects);
        } else {
            log.push(now, &lacks);
        }
        Ok(())
    }

    /// Before the answer to a [`Effect::Reclaim`] is read: nothing of ours is on its way any more.
    pub(super) fn rewind_log(&mut self, loaded: &Loaded) {
        if let Some(log) = &mut self.log {
            log.rewind(loaded.epoch, loaded.head);
        }
    }
}
