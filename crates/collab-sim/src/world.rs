//! The world: it owns everything, knows what time it is, and hands each machine what happened to
//! it. Must not judge; that is `checker`.
//!
//! A schedule has two parts. While people act, everything may fail. Then faults stop, everybody who
//! is still here comes back online, and the world must come to rest with one content everywhere.

mod devices;
mod faults;
mod people;
mod rest;
mod server;
mod storage;
mod wires;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use collab_core::document::Document;
use collab_core::ids::{ConnectionId, Lineage, ReplicaId, RequestId};
use collab_core::time::Millis;

use crate::agenda::Agenda;
use crate::bug::Bug;
use crate::checker::{Checker, Invariant, Verdict, violated};
use crate::counts::{Counts, Happening};
use crate::disk::Disk;
use crate::network::{Link, Way};
use crate::rng::Chance;
use crate::scenario::{Scenario, Weather};
use crate::tab::Tab;
use crate::transcript::{Mode, Transcript};

use people::Person;
use server::Node;
use storage::Operation;

/// Events after which a schedule is called endless.
const MAX_EVENTS: u64 = 400_000;

/// Simulated milliseconds in which everything must have come to rest once faults have stopped.
/// The longest honest wait is a silent connection that each end must notice (45 s), a backoff
/// (8 s) and storage's longest pause (5 s); twice, because one may cause the next.
const REST_MS: u64 = 150_000;

/// How often it is asked whether all is at rest.
const REST_STEP_MS: u64 = 250;

/// Something that will happen.
#[derive(Debug)]
enum Event {
    /// A person does the next thing.
    Act(usize),
    /// A client wants to be woken.
    TabTimer(usize),
    /// A device has a network again.
    Online(usize),
    /// A person opens a new tab.
    OpenTab(usize),
    /// The server sees a new connection.
    Accept(ConnectionId),
    /// A connection could not be opened.
    Refused(ConnectionId),
    /// The packet in front has arrived.
    Arrive(ConnectionId, Way),
    /// An end of a dead connection notices.
    Notice(ConnectionId, Way),
    /// The server's socket takes the next frame out of its outbox.
    Drain(ConnectionId),
    /// The server says something, so that nobody thinks it dead.
    Keepalive(ConnectionId),
    /// A room takes what waits in its inbox.
    Turn { node: usize, room: u32, life: u64 },
    /// A room wants to be woken.
    RoomTimer { node: usize, room: u32, life: u64 },
    /// Storage carries an operation out.
    Execute(u64),
    /// Its answer reaches whoever asked.
    Answer(u64),
    /// Storage's weather changes.
    Weather,
    /// A program does something over HTTP.
    Program,
    /// A process starts again.
    Restart(usize),
    /// A process that was stopped gracefully has had its time.
    Stopped { node: usize, incarnation: u64 },
    /// Faults stop.
    Heal,
    /// Is everything at rest?
    RestYet { since: Millis },
}

/// How a schedule ended.
#[derive(Debug)]
pub struct Outcome {
    /// What happened in it.
    pub counts: Counts,
    /// What did not hold.
    pub verdict: Verdict,
    /// The story, as far as it was kept.
    pub transcript: Vec<String>,
}

/// See the module.
pub struct World {
    agenda: Agenda<Event>,
    chance: Chance,
    scenario: Scenario,
    nodes: Vec<Node>,
    disk: Disk,
    weather: Weather,
    operations: BTreeMap<u64, Operation>,
    links: BTreeMap<ConnectionId, Link>,
    tabs: Vec<Tab>,
    people: Vec<Person>,
    /// The latest state of each room that anybody could have copied, for programs and attackers.
    known: BTreeMap<u32, Bytes>,
    checker: Checker,
    transcript: Transcript,
    counts: Counts,
    /// Replica ids of everybody honest.
    issued: BTreeSet<u64>,
    /// Faults have stopped.
    healed: bool,
    done: bool,
    next_id: u64,
}

impl World {
    /// Plays the schedule of this seed to its end.
    pub fn play(seed: u64, bug: Option<Bug>, mode: Mode) -> Outcome {
        let mut chance = Chance::new(seed);
        let scenario = Scenario::draw(&mut chance.fork(), bug.and_then(Bug::in_room));
        let mut world = World {
            agenda: Agenda::default(),
            weather: Weather::FAIR,
            nodes: vec![Node::new(true), Node::new(scenario.split)],
            disk: Disk::with(bug),
            operations: BTreeMap::new(),
            links: BTreeMap::new(),
            tabs: Vec::new(),
            people: Vec::new(),
            known: BTreeMap::new(),
            checker: Checker::default(),
            transcript: Transcript::new(mode),
            counts: Counts::default(),
            issued: BTreeSet::new(),
            healed: false,
            done: false,
            next_id: 0,
            chance,
            scenario,
        };
        let verdict = world.run();
        if let Err(violation) = &verdict {
            world.note(|| format!("VIOLATED {:?}: {}", violation.invariant, violation.detail));
        }
        Outcome {
            counts: world.counts,
            verdict,
            transcript: world.transcript.into_lines(),
        }
    }

    fn run(&mut self) -> Verdict {
        let scenario = format!("{:?}", self.scenario);
        self.note(|| scenario);
        self.people_arrive();
        self.agenda.after(200, Event::Weather);
        if self.scenario.programs {
            self.agenda.after(300, Event::Program);
        }
        for _ in 0..MAX_EVENTS {
            let Some(event) = self.agenda.pop() else {
                break;
            };
            self.happen(event)?;
            if self.done {
                return Ok(());
            }
        }
        violated(
            Invariant::ComesToRest,
            "events never end, or ended before everything was at rest",
        )
    }

    fn happen(&mut self, event: Event) -> Verdict {
        match event {
            Event::Act(person) => self.act(person),
            Event::TabTimer(tab) => self.tab_timer(tab),
            Event::Online(tab) => self.back_online(tab),
            Event::OpenTab(person) => self.open_tab(person),
            Event::Accept(connection) => self.accept(connection),
            Event::Refused(connection) => self.refused(connection),
            Event::Arrive(connection, Way::Up) => self.arrive_up(connection),
            Event::Arrive(connection, Way::Down) => self.arrive_down(connection),
            Event::Notice(connection, way) => self.notice(connection, way),
            Event::Drain(connection) => self.drain_outbox(connection),
            Event::Keepalive(connection) => {
                self.keepalive(connection);
                Ok(())
            }
            Event::Turn { node, room, life } => self.turn(node, room, life),
            Event::RoomTimer { node, room, life } => {
                self.room_timer(node, room, life);
                Ok(())
            }
            Event::Execute(operation) => self.execute(operation),
            Event::Answer(operation) => self.storage_answers(operation),
            Event::Weather => {
                self.weather_changes();
                Ok(())
            }
            Event::Program => self.program(),
            Event::Restart(node) => {
                self.restart(node);
                Ok(())
            }
            Event::Stopped { node, incarnation } => self.stopped(node, incarnation),
            Event::Heal => self.heal(),
            Event::RestYet { since } => self.rest_yet(since),
        }
    }

    fn now(&self) -> Millis {
        self.agenda.now()
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        self.transcript.note(self.agenda.now(), line);
    }

    fn count(&mut self, happening: Happening) {
        self.counts.add(happening);
    }

    fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn fresh_request(&mut self) -> RequestId {
        RequestId(self.fresh_id())
    }

    /// A replica id that nobody had. Unordered, because the order of ids decides who comes first
    /// where two type at one place.
    fn fresh_replica(&mut self) -> ReplicaId {
        let low = u32::try_from(self.fresh_id() & 0xffff).unwrap_or(0);
        let replica = ReplicaId::ours((self.chance.bits32() & 0x7fff_0000) | low);
        self.issued.insert(replica.get());
        replica
    }

    fn fresh_lineage(&mut self) -> Lineage {
        let mut bytes = [0; 16];
        bytes.iter_mut().for_each(|byte| *byte = self.chance.byte());
        Lineage(bytes)
    }
}

/// Whether a document holds blocks of somebody hostile: damaged updates that break no rule.
fn is_tainted(issued: &BTreeSet<u64>, document: &Document) -> bool {
    let seen = document.state_vector();
    seen.iter().any(|(id, _)| !issued.contains(&id))
}
