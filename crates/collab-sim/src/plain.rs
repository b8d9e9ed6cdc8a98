//! A client of the published `y-websocket` package, as simple as it is: says everything at once,
//! waits for nothing, and keeps what it cannot apply yet. Must not know our dialect.
//!
//! Modelled on y-websocket 3.1.0 (`y-websocket.js`): sends its edits as soon as the socket is open,
//! reconnects after 100·2ⁿ ms and at most 2.5 s, gives up after 30 s of silence, and shares edits
//! with its sibling tabs inside the browser.

use std::collections::BTreeMap;

use bytes::Bytes;
use collab_core::document::{Document, Edit, FileId, Offer, Outcome, StateVector};
use collab_core::ids::ReplicaId;
use collab_core::protocol::awareness::{self, Entry};
use collab_core::protocol::{CloseCode, Message, codec};
use collab_core::session::{Effect, Input};
use collab_core::time::Millis;

/// Milliseconds of silence after which the socket is given up.
const SILENCE_MS: u64 = 30_000;

/// Milliseconds of the longest pause between two tries.
const MAX_BACKOFF_MS: u64 = 2_500;

/// Milliseconds after which one's own presence is sent again.
const RENEW_MS: u64 = 15_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Connecting,
    Open,
    Waiting {
        until: Millis,
    },
    /// Told to stay away (4400–4499).
    Banned,
}

/// See the module.
#[derive(Debug)]
pub struct Plain {
    replica: ReplicaId,
    document: Document,
    phase: Phase,
    tries: u32,
    synced: bool,
    heard: Millis,
    renewed: Millis,
    clock: u64,
    /// Updates that rest on others which are not here yet; Yjs keeps them as pending structs.
    parked: Vec<Bytes>,
    /// Clocks of everybody's presence.
    peers: BTreeMap<ReplicaId, u64>,
    /// What was sent that no plain client understands.
    bewildered: Option<String>,
    /// It was called synced by an update that it cannot apply. Programs take the document for whole
    /// then, and fill one that looks empty.
    was_sent_a_gap: bool,
}

impl Plain {
    /// A page just loaded.
    pub fn new(replica: ReplicaId) -> Plain {
        Plain {
            replica,
            document: Document::new(replica),
            phase: Phase::Closed,
            tries: 0,
            synced: false,
            heard: Millis(0),
            renewed: Millis(0),
            clock: 0,
            parked: Vec::new(),
            peers: BTreeMap::new(),
            bewildered: None,
            was_sent_a_gap: false,
        }
    }

    /// The same inputs and effects as our own page's session, as far as they mean something here.
    pub fn handle(&mut self, now: Millis, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Start => self.connect(effects),
            Input::Opened => self.opened(now, effects),
            Input::Frame(frame) => self.frame(now, frame, effects),
            Input::Closed { code, .. } => self.closed(now, code),
            Input::Edit { file, edits } => {
                self.edit(&file, &edits, effects);
            }
            // y-websocket keeps nothing on a device, and knows no list of files.
            Input::Retry | Input::Presence(_) | Input::Restore(_) | Input::Describe(_) => {}
            Input::Tick => self.tick(now, effects),
            Input::Stop => {
                if self.phase == Phase::Open {
                    self.clock += 1;
                    effects.push(self.presence(None));
                    effects.push(Effect::Disconnect);
                }
                self.phase = Phase::Closed;
            }
        }
    }

    /// When it wants an [`Input::Tick`].
    pub fn next_deadline(&self) -> Option<Millis> {
        match self.phase {
            Phase::Open => Some(self.heard.plus(SILENCE_MS).min(self.renewed.plus(RENEW_MS))),
            Phase::Waiting { until } => Some(until),
            Phase::Closed | Phase::Connecting | Phase::Banned => None,
        }
    }

    /// Its copy.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Everything that was asked is answered. Something may wait for ever, because whoever wrote what
    /// it rests on was gone before anybody had it; if anybody has it, the documents differ.
    pub fn is_level(&self) -> bool {
        self.phase == Phase::Open && self.synced
    }

    /// Told to stay away.
    pub fn is_banned(&self) -> bool {
        self.phase == Phase::Banned
    }

    /// Whether a SyncStep2 rested on edits that it was never sent.
    pub fn was_sent_a_gap(&self) -> bool {
        self.was_sent_a_gap
    }

    /// Something that the server should never have sent to it.
    pub fn bewildered(&self) -> Option<&str> {
        self.bewildered.as_deref()
    }

    /// Edits, and returns the update; sends it when the socket is open.
    pub fn edit(&mut self, file: &FileId, edits: &[Edit], effects: &mut Vec<Effect>) -> Bytes {
        let Ok(update) = self.document.edit(file, edits) else {
            return Bytes::new();
        };
        if self.phase == Phase::Open && !update.is_empty() {
            effects.push(send(&Message::Update(update.clone())));
        }
        update
    }

    /// A sibling tab's edit, by way of the browser and not of the server.
    pub fn overhears(&mut self, update: &Bytes) {
        self.apply(update.clone());
    }

    fn connect(&mut self, effects: &mut Vec<Effect>) {
        self.phase = Phase::Connecting;
        effects.push(Effect::Connect);
    }

    fn opened(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if self.phase != Phase::Connecting {
            return;
        }
        self.phase = Phase::Open;
        self.tries = 0;
        self.heard = now;
        self.synced = false;
        effects.push(self.question());
        self.renew(now, effects);
    }

    fn closed(&mut self, now: Millis, code: u16) {
        if CloseCode::from_number(code).is_some_and(CloseCode::is_final) {
            self.phase = Phase::Banned;
            return;
        }
        let pause = (100 << self.tries.min(10)).min(MAX_BACKOFF_MS);
        self.tries += 1;
        self.synced = false;
        self.phase = Phase::Waiting {
            until: now.plus(pause),
        };
    }

    fn tick(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        match self.phase {
            Phase::Waiting { until } if now >= until => self.connect(effects),
            Phase::Open if now.since(self.heard) >= SILENCE_MS => {
                effects.push(Effect::Disconnect);
                self.closed(now, 1006);
            }
            Phase::Open if now.since(self.renewed) >= RENEW_MS => self.renew(now, effects),
            _ => {}
        }
    }

    fn renew(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        self.renewed = now;
        self.clock += 1;
        effects.push(self.presence(Some("{\"user\":{\"name\":\"plain\"}}")));
    }

    fn presence(&self, state: Option<&str>) -> Effect {
        let entry = Entry {
            replica: self.replica,
            clock: self.clock,
            state: state.map(str::to_owned),
        };
        send(&Message::Awareness(awareness::encode([entry].iter())))
    }

    fn question(&self) -> Effect {
        let state_vector = self.document.state_vector().encode();
        send(&Message::SyncStep1(state_vector.into()))
    }

    fn frame(&mut self, now: Millis, frame: Bytes, effects: &mut Vec<Effect>) {
        if self.phase != Phase::Open {
            return;
        }
        self.heard = now;
        let messages = match codec::decode(frame) {
            Ok(messages) if messages.len() == 1 => messages,
            other => {
                self.bewildered = Some(format!("not one message in a frame: {other:?}"));
                return;
            }
        };
        for message in messages {
            match message {
                Message::SyncStep1(theirs) => match StateVector::decode(&theirs) {
                    Ok(theirs) => {
                        let diff = self.document.diff(&theirs).unwrap_or_default();
                        effects.push(send(&Message::SyncStep2(diff)));
                        // What waits goes along (`encodeStateAsUpdateV2` of yjs 13.6 merges the
                        // pending structs in): this may be the only copy.
                        for update in &self.parked {
                            effects.push(send(&Message::Update(update.clone())));
                        }
                    }
                    Err(error) => self.bewildered = Some(error.to_string()),
                },
                Message::SyncStep2(update) => {
                    self.apply(update.clone());
                    // What a tab of the same browser passed on may wait; this may not.
                    self.was_sent_a_gap |= self.parked.contains(&update);
                    self.synced = true;
                }
                Message::Update(update) => self.apply(update),
                Message::Awareness(body) => self.hears_of(body),
                Message::QueryAwareness => self.renew(now, effects),
                Message::Denied(_) => {}
                Message::Control(_) | Message::Unknown(_) => {
                    self.bewildered = Some(format!("unable to compute {message:?}"));
                }
            }
        }
    }

    fn hears_of(&mut self, body: Bytes) {
        match awareness::decode(body) {
            Ok(entries) => {
                for entry in entries {
                    let known = self.peers.entry(entry.replica).or_default();
                    *known = (*known).max(entry.clock);
                    if entry.replica == self.replica {
                        self.clock = self.clock.max(entry.clock);
                    }
                }
            }
            Err(error) => self.bewildered = Some(error.to_string()),
        }
    }

    fn apply(&mut self, update: Bytes) {
        self.parked.push(update);
        // What waited may rest on what just came; each success may free another.
        while self.try_parked() {}
    }

    fn try_parked(&mut self) -> bool {
        let mut moved = false;
        for update in std::mem::take(&mut self.parked) {
            let offer = Offer {
                update: &update,
                new_replicas: u32::MAX,
            };
            let outcome = self
                .document
                .apply(&[offer])
                .map(|turn| turn.outcomes.first().copied());
            match outcome {
                Ok(Some(Outcome::Gap)) => self.parked.push(update),
                Ok(Some(Outcome::Applied { .. })) => moved = true,
                other => self.bewildered = Some(format!("a bad update: {other:?}")),
            }
        }
        moved && !self.parked.is_empty()
    }
}

fn send(message: &Message) -> Effect {
    Effect::Send(codec::encode(message))
}
