//! The task of one awake room: takes what waits, hands it to the room, carries out its effects,
//! sleeps until the next deadline. Must not know what a frame or an update means.
//!
//! A room that panics is lost alone: its connections are closed with 1011, and whoever comes next
//! wakes it again from its log.

mod errands;

use std::collections::{BTreeMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use collab_core::ids::{ConnectionId, ReplicaId, RequestId, RoomId};
use collab_core::protocol::CloseCode;
use collab_core::room::{Answer, Effect, Input, LoadFailure, Room};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tracing::Instrument;

use super::handle::{Asked, Handle, Joining, Letter, Look, Overview, Posted, Requests};
use super::outbox::Outlet;
use super::registry::Shared;
use super::storing::{self, Brought};
use super::{HELD_QUESTIONS, Place, RoomError, TURN_LETTERS, Wake};
use crate::storage::Claim;
use crate::telemetry::room_tag;

/// Runs a room from its first letter to its retirement.
pub(super) async fn run(
    shared: Arc<Shared>,
    id: RoomId,
    wake: Wake,
    handle: Handle,
    mut inbox: mpsc::Receiver<Posted>,
) {
    let span = tracing::info_span!("room", room = %room_tag(&id));
    async {
        let mut actor = Actor::new(Arc::clone(&shared), id.clone(), wake);
        let ended = AssertUnwindSafe(actor.live(&mut inbox))
            .catch_unwind()
            .await;
        // The next claim would count a load that has not ended, and three of them close a room.
        if let Some(ending) = actor.load_ending.take() {
            let _: Result<(), _> = ending.await;
        }
        // From here on nobody finds this task: whoever asks the registry meets the next one.
        shared.remove(&id, &handle);
        drop(handle);
        match ended {
            Ok(()) => tracing::debug!("retired"),
            Err(_) => {
                shared.metrics.room_panicked();
                tracing::error!(
                    "the room's task failed; its clients are sent away to wake it again"
                );
            }
        }
        actor.turn_away(&mut inbox, ended.is_err()).await;
        if ended.is_ok() {
            // A snapshot may still be on its way. Nothing waits for it but the stopping server.
            while actor.pending.next().await.is_some() {}
        }
    }
    .instrument(span)
    .await;
}

/// A program's question, held while the room is loading.
enum Question {
    Look(Look),
    Ask {
        asked: Asked,
        answer: oneshot::Sender<Result<Answer, RoomError>>,
    },
}

impl Question {
    fn refuse(self, error: RoomError) {
        match self {
            Question::Look(look) => look(Err(error)),
            // Whoever asked may have gone meanwhile; so below.
            Question::Ask { answer, .. } => drop(answer.send(Err(error))),
        }
    }
}

struct Actor {
    id: RoomId,
    shared: Arc<Shared>,
    wake: Wake,
    room: Room,
    clients: BTreeMap<ConnectionId, Arc<Outlet>>,
    claim: Option<Claim>,
    /// The load that this claim began has ended in this turn.
    load_ends: Option<Claim>,
    /// Says so to storage.
    load_ending: Option<JoinHandle<()>>,
    /// Questions to storage; each ends in an input.
    pending: FuturesUnordered<BoxFuture<'static, Brought>>,
    held: VecDeque<Question>,
    requests: Requests,
    answers: BTreeMap<RequestId, oneshot::Sender<Result<Answer, RoomError>>>,
    failure: Option<LoadFailure>,
    effects: Vec<Effect>,
    told_to_drain: bool,
    /// Somebody deleted the room while it was not yet claimed.
    told_deleted: bool,
    retired: bool,
    /// What `/metrics` counts for this room: unsaved bytes and connections.
    counted: (usize, usize),
    counted_degraded: bool,
}

impl Actor {
    fn new(shared: Arc<Shared>, id: RoomId, wake: Wake) -> Actor {
        let replica = ReplicaId::ours(rand::random());
        Actor {
            room: Room::new(shared.settings.room, replica),
            id,
            shared,
            wake,
            clients: BTreeMap::new(),
            claim: None,
            load_ends: None,
            load_ending: None,
            pending: FuturesUnordered::new(),
            held: VecDeque::new(),
            requests: Requests::default(),
            answers: BTreeMap::new(),
            failure: None,
            effects: Vec::new(),
            told_to_drain: false,
            told_deleted: false,
            retired: false,
            counted: (0, 0),
            counted_degraded: false,
        }
    }

    /// Until the room retires.
    async fn live(&mut self, inbox: &mut mpsc::Receiver<Posted>) {
        let now = self.shared.clock.now();
        self.room.start(now, &mut self.effects);
        self.finish_turn();
        let mut letters = Vec::with_capacity(TURN_LETTERS);
        while !self.retired {
            let deadline = self.room.next_deadline();
            let wait = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(self.shared.clock.instant(at)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(brought) = self.pending.next(), if !self.pending.is_empty() => {
                    self.bring(brought);
                }
                count = inbox.recv_many(&mut letters, TURN_LETTERS) => {
                    debug_assert!(count > 0, "this task holds a handle to its own inbox");
                }
                () = wait => self.hand(Input::Tick),
                () = self.shared.drain.cancelled(), if !self.told_to_drain => {
                    self.told_to_drain = true;
                    self.hand(Input::Drain { within_ms: self.shared.drain_within_ms });
                }
            }
            // Whoever else is ready to be read now is read first: a turn costs every member one frame
            // and one write, however many updates it merges.
            tokio::task::yield_now().await;
            // What waits is part of this turn whatever woke us: a room does not go to sleep over a
            // letter that was there before.
            while letters.len() < TURN_LETTERS
                && let Ok(posted) = inbox.try_recv()
            {
                letters.push(posted);
            }
            for posted in letters.drain(..) {
                if self.is_over() {
                    self.give_back(posted.letter, false);
                } else {
                    self.take(posted.letter);
                }
            }
            self.finish_turn();
        }
    }

    fn is_over(&self) -> bool {
        self.effects
            .iter()
            .any(|effect| matches!(effect, Effect::Retire))
    }

    fn hand(&mut self, input: Input) {
        let now = self.shared.clock.now();
        self.room.handle(now, input, &mut self.effects);
    }

    fn bring(&mut self, brought: Brought) {
        if brought.claim.is_some() {
            self.claim = brought.claim;
            self.load_ends = brought.claim;
            if std::mem::take(&mut self.told_deleted) {
                self.deleted();
            }
        }
        if let Input::LoadFailed(failure) = &brought.input {
            if *failure == LoadFailure::NotFound && self.wake != brought.wake {
                // Meanwhile somebody came who may create it.
                self.load(None);
                return;
            }
            self.failure = Some(failure.clone());
        }
        self.hand(brought.input);
    }

    fn take(&mut self, letter: Letter) {
        if letter.wake() == Wake::OrCreate {
            self.wake = Wake::OrCreate;
        }
        match letter {
            Letter::Join {
                joining, joined, ..
            } => self.join(joining, joined),
            Letter::Frame { connection, frame } => self.hand(Input::Frame { connection, frame }),
            Letter::Drained { connection, missed } => {
                self.hand(Input::Drained { connection, missed });
            }
            Letter::Leave { connection } => {
                self.clients.remove(&connection);
                self.hand(Input::Leave { connection });
            }
            Letter::Look { look, .. } => self.question(Question::Look(look)),
            Letter::Ask { asked, answer, .. } => self.question(Question::Ask { asked, answer }),
            Letter::Deleted => self.deleted(),
        }
    }

    /// Somebody deleted the room while this task was there. Which of the two came first is not
    /// known: the document here may be the next one of this name.
    fn deleted(&mut self) {
        match self.claim {
            Some(claim) => {
                let shared = Arc::clone(&self.shared);
                self.errand(storing::deleted(shared, self.id.clone(), claim.lineage));
            }
            None => self.told_deleted = true,
        }
    }

    fn join(&mut self, joining: Joining, joined: oneshot::Sender<Result<(), RoomError>>) {
        let Joining {
            connection,
            access,
            outlet,
        } = joining;
        if joined.send(Ok(())).is_err() {
            // The socket went away while the letter waited; nobody would ever say Leave.
            return;
        }
        let dialect = outlet.dialect();
        self.clients.insert(connection, outlet);
        self.hand(Input::Join {
            connection,
            dialect,
            access,
        });
    }

    /// Answers now when the document is there, else when it is.
    fn question(&mut self, question: Question) {
        if self.room.document().is_some() {
            self.answer(question);
        } else if self.held.len() < HELD_QUESTIONS {
            self.held.push_back(question);
        } else {
            question.refuse(RoomError::Unavailable(format!(
                "{HELD_QUESTIONS} requests wait for it already"
            )));
        }
    }

    fn answer(&mut self, question: Question) {
        // What came before the question is part of the document it sees.
        self.room.merge(self.shared.clock.now(), &mut self.effects);
        let place = self.place();
        let connections = self.room.connections();
        match question {
            Question::Look(look) => match (self.room.document(), place) {
                (Some(document), Some(place)) => look(Ok(Overview {
                    document,
                    connections,
                    place,
                })),
                _ => look(Err(self.absence())),
            },
            Question::Ask { asked, answer } => {
                let request = self.requests.next();
                match self.input(request, asked) {
                    Ok(input) => {
                        self.answers.insert(request, answer);
                        self.hand(input);
                    }
                    Err(error) => drop(answer.send(Err(error))),
                }
            }
        }
    }

    fn input(&mut self, request: RequestId, asked: Asked) -> Result<Input, RoomError> {
        Ok(match asked {
            Asked::Apply(update) => Input::Apply { request, update },
            Asked::Write { file, base, edits } => {
                let absence = self.absence();
                let document = self.room.document().ok_or(absence)?;
                if document.text(&file) != *base {
                    return Err(RoomError::Moved);
                }
                Input::Write {
                    request,
                    file,
                    edits,
                }
            }
            Asked::Describe(what) => Input::Describe { request, what },
        })
    }

    fn place(&self) -> Option<Place> {
        let claim = self.claim?;
        Some(Place {
            lineage: claim.lineage,
            epoch: claim.epoch,
            head: self.room.head(),
        })
    }

    /// Why there is no document to look at.
    fn absence(&self) -> RoomError {
        match &self.failure {
            Some(LoadFailure::NotFound) => RoomError::NotFound,
            Some(LoadFailure::Corrupt) => RoomError::Corrupt,
            Some(LoadFailure::Deadly) => RoomError::Deadly,
            Some(LoadFailure::Unavailable) => {
                RoomError::Unavailable("the database does not answer".to_owned())
            }
            None if self.told_to_drain => RoomError::Draining,
            None => RoomError::Lost,
        }
    }

    fn finish_turn(&mut self) {
        // Before the turn ends: a room that nobody is in may retire then.
        if !self.held.is_empty() && self.room.document().is_some() {
            for question in std::mem::take(&mut self.held) {
                self.answer(question);
            }
        }
        self.end_turn();
        self.count();
        // Only after the turn: what came while loading was answered in it.
        if let Some(claim) = self.load_ends.take() {
            // Nobody waits for it, and it is no turn of the room's.
            let ended = storing::load_ended(Arc::clone(&self.shared), claim);
            self.load_ending = Some(self.shared.spawn(ended.in_current_span()));
        }
    }

    fn end_turn(&mut self) {
        let now = self.shared.clock.now();
        self.room.end_turn(now, &mut self.effects);
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            self.carry_out(effect);
        }
        // Carrying out made none: the emptied list is used again.
        self.effects = effects;
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Send {
                connection,
                lane,
                frame,
            } => {
                if let Some(outlet) = self.clients.get(&connection)
                    && outlet.push(lane, frame)
                {
                    self.shared.metrics.outbox_overflowed();
                }
            }
            Effect::Fanout {
                lane,
                frame,
                except,
            } => {
                for (connection, outlet) in &self.clients {
                    if Some(*connection) != except && outlet.push(lane, frame.clone()) {
                        self.shared.metrics.outbox_overflowed();
                    }
                }
            }
            Effect::Resync {
                connection,
                answers,
                frames,
            } => {
                if let Some(outlet) = self.clients.get(&connection) {
                    outlet.resync(answers, frames);
                }
            }
            errand @ (Effect::Load { .. }
            | Effect::Reclaim { .. }
            | Effect::Quarantine { .. }
            | Effect::Mend { .. }
            | Effect::Version { .. }
            | Effect::Remember { .. }
            | Effect::Append { .. }
            | Effect::Compact { .. }) => self.send_to_storage(errand),
            Effect::Close {
                connection,
                code,
                reason,
            } => {
                if let Some(outlet) = self.clients.remove(&connection) {
                    outlet.close(code, reason);
                }
            }
            Effect::Answer { request, answer } => {
                if let Some(waiting) = self.answers.remove(&request) {
                    drop(waiting.send(Ok(answer)));
                }
            }
            Effect::Count(counted) => self.shared.metrics.count(counted),
            Effect::Retire => self.retired = true,
        }
    }

    /// Tells the operator's gauges what changed in this room.
    fn count(&mut self) {
        let now = (self.room.unsaved_bytes(), self.room.connections());
        self.shared.metrics.room_changed(self.counted, now);
        self.counted = now;
        let degraded = self.room.is_damaged();
        self.shared
            .metrics
            .room_degraded(self.counted_degraded, degraded);
        self.counted_degraded = degraded;
    }

    /// Nobody reads this inbox any more: everything in it is given back, everybody still here is
    /// sent away.
    async fn turn_away(&mut self, inbox: &mut mpsc::Receiver<Posted>, panicked: bool) {
        self.shared.metrics.room_changed(self.counted, (0, 0));
        self.shared
            .metrics
            .room_degraded(self.counted_degraded, false);
        let error = if panicked {
            RoomError::Lost
        } else if self.failure.is_some() {
            self.absence()
        } else {
            RoomError::Retired
        };
        for (_, outlet) in std::mem::take(&mut self.clients) {
            let reason = "the room was lost; it wakes again from its log";
            outlet.send_away(CloseCode::Internal, reason);
        }
        for question in std::mem::take(&mut self.held) {
            question.refuse(error.clone());
        }
        // Whether these were dealt with is unknown.
        for (_, answer) in std::mem::take(&mut self.answers) {
            drop(answer.send(Err(RoomError::Lost)));
        }
        inbox.close();
        while let Some(posted) = inbox.recv().await {
            self.give_back(posted.letter, panicked);
        }
    }

    /// For a letter that the room will not read.
    fn give_back(&self, letter: Letter, panicked: bool) {
        // Whoever may create what was not found asks again; everybody else knows enough.
        let again = self.failure == Some(LoadFailure::NotFound) && letter.wake() == Wake::OrCreate;
        let error = match &self.failure {
            Some(_) if !again && !panicked => self.absence(),
            _ => RoomError::Retired,
        };
        letter.give_back(&error);
    }
}
