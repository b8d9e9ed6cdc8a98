//! A room of which something stored is missing: what can still be had is served and added to, and
//! who holds the rest brings it back. Must not know why something is missing, nor where copies go.
//!
//! Nothing of a damaged room is folded, and no snapshot is written: it would stand for what it
//! lacks. The engine's own rules heal it. The room's state vector shows the gap, so whoever holds
//! the missing edits offers them in answer to the room's question; then the records that waited
//! for them can be applied. A missing edit that no later one rests on leaves no gap to be seen:
//! such a room counts as damaged until somebody answers its question with something it lacked.

use bytes::Bytes;

use super::merge::Offered;
use super::{
    CloseCode, Counted, Damage, Effect, Lane, Loaded, Message, Part, Phase, Room, Seq, codec,
};
use crate::document::{Care, Document, LoadErrorReason, Outcome, Salvaged};
use crate::ids::Epoch;
use crate::record::Record;
use crate::time::Millis;

/// What a damaged room waits for.
#[derive(Debug, Default)]
pub(super) struct Damaged {
    /// Stored updates that rest on what is missing, and where in the log they are.
    waiting: Vec<Waiting>,
    /// Something is missing, and nobody has answered the room's question with anything new.
    unanswered: bool,
}

/// An update, and the stored part it is from; `None` when it is ours and on its way into the log.
pub(super) type Waiting = (Option<Part>, Bytes);

impl Damaged {
    /// Whether everything that is known to be missing is there again.
    pub(super) fn is_made_good(&self) -> bool {
        self.waiting.is_empty() && !self.unanswered
    }
}

/// A document as storage has it, and what of it storage does not have.
pub(super) struct Woken {
    pub(super) document: Document,
    pub(super) waiting: Vec<Waiting>,
    pub(super) damage: Vec<Damage>,
}

/// Why there is no document.
pub(super) enum NotWoken {
    /// The snapshot must be passed over: one before it may be sound.
    Snapshot(Damage),
    /// Nothing can be had; in words for people.
    Hopeless(String),
}

impl Room {
    /// The document as storage has it, and what of ours storage may lack.
    pub(super) fn wake(&self, loaded: &Loaded) -> Result<Woken, NotWoken> {
        let mut damage = loaded.damage.clone();
        let mut sources: Vec<Option<Part>> = Vec::new();
        let mut updates: Vec<Bytes> = Vec::new();
        if let Some(snapshot) = &loaded.snapshot {
            sources.push(Some(Part::Snapshot(loaded.snapshot_seq)));
            updates.push(snapshot.clone());
        }
        for (seq, bytes) in &loaded.records {
            let part = Part::Records {
                first: *seq,
                last: *seq,
            };
            match Record::decode(bytes) {
                Ok(record) => {
                    sources.resize(sources.len() + record.turns.len(), Some(part));
                    updates.extend(record.turns.into_iter().map(|turn| Bytes::from(turn.delta)));
                }
                Err(error) => damage.push(found(part, error.to_string(), false)),
            }
        }
        let unsaved = self.log.as_ref().map(super::Log::unsaved);
        updates.extend(unsaved.unwrap_or_default().into_iter().map(Bytes::from));
        sources.resize(updates.len(), None);
        #[cfg(feature = "sabotage")]
        if self.settings.sabotage == Some(super::Sabotage::DieOfDeadly) {
            super::settings::die_of_deadly(&updates);
        }
        let slices: Vec<&[u8]> = updates.iter().map(|update| &update[..]).collect();
        if damage.is_empty() && !self.careful {
            let whole = Document::load(self.replica, slices.iter().copied());
            if let Ok(document) = whole {
                return Ok(Woken {
                    document,
                    waiting: Vec::new(),
                    damage,
                });
            }
        }
        let care = if self.careful {
            Care::Read
        } else {
            Care::Applied
        };
        let salvaged = Document::salvage(self.replica, &slices, care);
        let Salvaged {
            document,
            waiting,
            faulty,
        } = salvaged.map_err(|error| hopeless(&error.to_string()))?;
        let applied = updates.len() - waiting.len() - faulty.len();
        let mut last = None;
        for (index, reason) in faulty {
            let reason = reason_in_words(reason);
            match sources.get(index).copied().flatten() {
                Some(part @ Part::Snapshot(_)) => {
                    return Err(NotWoken::Snapshot(found(part, reason, true)));
                }
                // One record may hold several bad turns.
                Some(part) if last.replace(part) != Some(part) => {
                    damage.push(found(part, reason, false));
                }
                Some(_) => {}
                None => return Err(hopeless("an edit not yet saved breaks it")),
            }
        }
        if loaded.head > Seq(0) && applied == 0 {
            return Err(hopeless("nothing of it can be read"));
        }
        let waiting = waiting.into_iter().filter_map(|index| {
            let source = sources.get(index).copied().flatten();
            Some((source, updates.get(index)?.clone()))
        });
        Ok(Woken {
            document,
            waiting: waiting.collect(),
            damage,
        })
    }

    /// A document was woken of which something is missing, or was when it was last awake.
    pub(super) fn take_damage(
        &mut self,
        loaded: &Loaded,
        waiting: Vec<Waiting>,
        damage: Vec<Damage>,
        effects: &mut Vec<Effect>,
    ) {
        let epoch = self.log.as_ref().map_or(loaded.epoch, super::Log::epoch);
        if damage.is_empty() && waiting.is_empty() {
            self.damaged = None;
            if loaded.degraded {
                effects.push(Effect::Count(Counted::Mended));
                effects.push(Effect::Mend {
                    epoch,
                    seq: loaded.head,
                });
            }
            return;
        }
        let lost = |damage: &Damage| matches!(damage.part, Part::Records { .. });
        self.damaged = Some(Damaged {
            waiting,
            unanswered: damage.iter().any(lost),
        });
        let new = damage.iter().filter(|damage| !damage.quarantined).count();
        effects.extend((0..new).map(|_| Effect::Count(Counted::Damaged)));
        if new > 0 || !loaded.degraded {
            effects.push(Effect::Quarantine {
                epoch,
                parts: damage,
            });
        }
        // Who came in before this waking was asked what it has then.
        for member in self.members.values_mut().filter(|member| member.greeted) {
            member.owes = true;
        }
    }

    /// The snapshot does not decode: it is put aside, and the room read again without it.
    pub(super) fn pass_over_snapshot(
        &mut self,
        loaded: &Loaded,
        damage: Damage,
        effects: &mut Vec<Effect>,
    ) {
        let epoch = loaded.epoch;
        let again = self.passed_over.replace(loaded.snapshot_seq);
        if again.is_some_and(|before| before <= loaded.snapshot_seq) {
            // Storage gives it again all the same.
            self.retire_all(CloseCode::Internal, &damage.reason, effects);
            return;
        }
        effects.push(Effect::Count(Counted::Damaged));
        effects.push(Effect::Quarantine {
            epoch,
            parts: vec![damage],
        });
    }

    /// Copies of what is damaged are in quarantine, or not.
    pub(super) fn quarantined(&mut self, stored: bool, effects: &mut Vec<Effect>) {
        // A living room goes on: the next waking finds the same.
        let Phase::Loading { suspects } = &mut self.phase else {
            return;
        };
        if stored {
            let suspects = std::mem::take(suspects);
            self.reload(suspects, effects);
        } else {
            self.retire_all(
                CloseCode::TryLater,
                "the stored room is damaged and the database does not answer; its data is kept",
                effects,
            );
        }
    }

    /// A turn was merged that may hold what was missing.
    pub(super) fn make_good(
        &mut self,
        now: Millis,
        merged: &[&Offered],
        effects: &mut Vec<Effect>,
    ) {
        let (Some(damaged), Phase::Live(document)) = (&mut self.damaged, &mut self.phase) else {
            return;
        };
        if merged.iter().any(|offered| offered.answers()) {
            damaged.unanswered = false;
        }
        if damaged.waiting.is_empty() {
            return;
        }
        let updates: Vec<Bytes> = damaged.waiting.iter().map(|(_, it)| it.clone()).collect();
        let Ok(turn) = document.apply_kept(&updates) else {
            effects.push(Effect::Count(Counted::Poisoned));
            self.careful = true;
            self.reload(Vec::new(), effects);
            return;
        };
        let before = std::mem::take(&mut damaged.waiting);
        let mut parts = Vec::new();
        for ((part, update), outcome) in before.into_iter().zip(&turn.outcomes) {
            match (outcome, part) {
                (Outcome::Gap, part) => damaged.waiting.push((part, update)),
                (Outcome::Refused(refusal), Some(part)) => {
                    parts.push(found(part, format!("it breaks a rule: {refusal}"), false));
                }
                (Outcome::Refused(_) | Outcome::Applied { .. }, _) => {}
            }
        }
        if let Some(epoch) = self.log.as_ref().map(super::Log::epoch)
            && !parts.is_empty()
        {
            effects.push(Effect::Quarantine { epoch, parts });
        }
        if !turn.delta.is_empty() {
            if let Some(log) = &mut self.log {
                log.push(now, &turn.delta);
            }
            let lane: Lane = self.sync_lane(turn.number);
            effects.push(Effect::Fanout {
                lane,
                frame: codec::encode(&Message::Update(turn.delta)),
                except: None,
            });
        }
    }

    /// A snapshot was stored. Of a damaged room only the one that holds everything is.
    pub(super) fn whole_again(&mut self, epoch: Epoch, seq: Seq, effects: &mut Vec<Effect>) {
        if self.damaged.take().is_some() {
            effects.push(Effect::Count(Counted::Mended));
            effects.push(Effect::Mend { epoch, seq });
        }
    }
}

fn found(part: Part, reason: String, withhold: bool) -> Damage {
    Damage {
        part,
        reason,
        withhold,
        quarantined: false,
    }
}

fn hopeless(why: &str) -> NotWoken {
    NotWoken::Hopeless(format!(
        "the stored document cannot be read ({why}); its data is kept"
    ))
}

fn reason_in_words(reason: LoadErrorReason) -> String {
    match reason {
        LoadErrorReason::Refused(refusal) => format!("it breaks a rule: {refusal}"),
        LoadErrorReason::Gap => "it rests on what is missing".to_owned(),
        LoadErrorReason::Poisoned(poisoned) => poisoned.to_string(),
    }
}
