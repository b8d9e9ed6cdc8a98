//! What a room's effects do to the simulated world: storage is asked, frames are pushed, and now and
//! then the process dies in between. Must not know why a room asks.

use collab_core::ids::ConnectionId;
use collab_core::room::{Counted, Effect};

use super::super::World;
use super::sockets::has_right;
use crate::checker::Verdict;
use crate::counts::Happening;
use crate::disk::Request;

impl World {
    /// Does what a room asked for, in order. The process may die before any of it.
    pub(super) fn carry_out(&mut self, node: usize, room: u32, effects: Vec<Effect>) -> Verdict {
        for effect in effects {
            if !self.healed && self.chance.permille(self.scenario.crashes) {
                self.count(crash_before(&effect));
                self.note(|| format!("node {node} dies before {}", name(&effect)));
                return self.crash(node);
            }
            self.carry_out_one(node, room, effect)?;
        }
        Ok(())
    }

    fn carry_out_one(&mut self, node: usize, room: u32, effect: Effect) -> Verdict {
        let life = self.nodes[node].hosts.get(&room).map(|host| host.life);
        match effect {
            Effect::Load { epoch } => self.ask_storage(node, room, life, Request::Load { epoch }),
            Effect::Reclaim { above, .. } => {
                self.ask_storage(node, room, life, Request::Reclaim { above });
            }
            Effect::Quarantine { epoch, parts } => {
                self.note(|| format!("room {room} puts {} parts into quarantine", parts.len()));
                self.ask_storage(node, room, life, Request::Quarantine { epoch });
            }
            Effect::Mend { epoch, .. } => {
                self.ask_storage(node, room, life, Request::Mend { epoch });
            }
            Effect::Version {
                epoch,
                seq,
                at,
                authors,
            } => {
                self.note(|| format!("room {room} makes a version of {seq}"));
                self.checker.version(room, seq)?;
                let request = Request::Version {
                    epoch,
                    seq,
                    at,
                    authors,
                };
                self.ask_storage(node, room, life, request);
            }
            Effect::Remember { authors } => {
                self.ask_storage(node, room, life, Request::Remember { authors });
            }
            Effect::Append { epoch, seq, record } => {
                self.note(|| format!("room {room} appends {seq}, {} bytes", record.len()));
                let request = Request::Append { epoch, seq, record };
                self.ask_storage(node, room, life, request);
            }
            Effect::Compact {
                epoch,
                seq,
                state,
                digest,
            } => return self.snapshot(node, room, life, (epoch, seq), (state, digest)),
            Effect::Send {
                connection,
                lane,
                frame,
            } => return self.push(node, connection, lane, frame),
            Effect::Fanout {
                lane,
                frame,
                except,
            } => {
                let joined: Vec<ConnectionId> = self.nodes[node]
                    .sockets
                    .iter()
                    .filter(|(id, socket)| {
                        let is_in = socket.joined == life && socket.closing.is_none();
                        socket.room == room && is_in && Some(**id) != except
                    })
                    .map(|(id, _)| *id)
                    .collect();
                for connection in joined {
                    self.push(node, connection, lane, frame.clone())?;
                }
            }
            Effect::Resync {
                connection,
                answers,
                frames,
            } => {
                self.count(Happening::Resync);
                self.note(|| format!("connection {connection} is brought level"));
                for (_, frame) in &frames {
                    self.checker.sends(connection, frame, self.disk.row(room))?;
                }
                if let Some(socket) = self.nodes[node].sockets.get_mut(&connection) {
                    has_right(connection, socket)?;
                    let longest = frames.iter().map(|(_, frame)| frame.len()).max();
                    socket.largest = socket.largest.max(longest.unwrap_or(0));
                    socket.asked = false;
                    socket.outbox.resync(answers, frames);
                }
                self.schedule_drain(connection, 0);
            }
            Effect::Close {
                connection,
                code,
                reason,
            } => {
                self.note(|| format!("connection {connection} is closed: {code:?} {reason}"));
                self.count_close(connection, &reason);
                if let Some(socket) = self.nodes[node].sockets.get_mut(&connection) {
                    socket.closing = Some((code, reason));
                }
                self.schedule_drain(connection, 0);
            }
            Effect::Answer { request, answer } => {
                self.note(|| format!("{request:?} is answered {answer:?}"));
                self.count_answer(&answer);
                return self.checker.answers(request, &answer);
            }
            Effect::Count(counted) => self.count_counted(counted),
            Effect::Retire => {
                if let Some(host) = self.nodes[node].hosts.get_mut(&room) {
                    host.retired = true;
                    self.counts.add(Happening::Retired);
                }
            }
        }
        Ok(())
    }

    fn count_counted(&mut self, counted: Counted) {
        match counted {
            Counted::Poisoned => self.count(Happening::Poisoned),
            Counted::GateRejected(_) => self.count(Happening::GateRefused),
            Counted::PresenceRejected(_) => self.count(Happening::PresenceRefused),
            Counted::Update
            | Counted::Resynced
            | Counted::Damaged
            | Counted::Mended
            | Counted::Rewound => {}
        }
    }

    fn count_close(&mut self, connection: ConnectionId, reason: &str) {
        let hostile = self
            .links
            .get(&connection)
            .is_some_and(|link| !self.tabs[link.tab].is_honest());
        if hostile {
            self.count(Happening::HostileClosed);
        }
        if reason.contains("is loading and holds") {
            self.count(Happening::HeldFull);
        }
    }

    fn count_answer(&mut self, answer: &collab_core::room::Answer) {
        use collab_core::room::Answer;
        match answer {
            Answer::Saved { .. } => self.count(Happening::ProgramSaved),
            Answer::Gap => self.count(Happening::GapFromProgram),
            Answer::Refused { .. } | Answer::Unavailable { .. } => {}
        }
    }
}

fn crash_before(effect: &Effect) -> Happening {
    match effect {
        Effect::Load { .. }
        | Effect::Reclaim { .. }
        | Effect::Quarantine { .. }
        | Effect::Mend { .. } => Happening::CrashLoad,
        Effect::Send { .. }
        | Effect::Count(_)
        | Effect::Remember { .. }
        | Effect::Version { .. } => Happening::CrashSend,
        Effect::Fanout { .. } => Happening::CrashFanout,
        Effect::Resync { .. } => Happening::CrashResync,
        Effect::Append { .. } => Happening::CrashAppend,
        Effect::Compact { .. } => Happening::CrashCompact,
        Effect::Close { .. } => Happening::CrashClose,
        Effect::Answer { .. } => Happening::CrashAnswer,
        Effect::Retire => Happening::CrashRetire,
    }
}

fn name(effect: &Effect) -> String {
    let whole = format!("{effect:?}");
    whole.split([' ', '{', '(']).next().unwrap_or("").to_owned()
}
