//! Looks on and judges: the invariants of the durability design, on what was sent, committed and
//! said. Must not know why anything happens, and shares no code with what it judges except the
//! names of messages.
//!
//! Whatever a client was told to be saved is kept here unit by unit and looked for in storage.

mod rest;
mod units;
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use collab_core::document::Document;
use collab_core::ids::{ConnectionId, Epoch, RequestId, Seq};
use collab_core::protocol::{Control, Dialect, Message, codec};
use collab_core::room::Answer;

pub use rest::Face;
pub use units::Units;

use crate::disk::{Change, Row};

/// What must always hold. Numbers as in the durability design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// I1: what was acknowledged is in storage, whatever happens then.
    AcknowledgedIsStored,
    /// I2: the log has no gaps, and its last record is at its head.
    LogContiguous,
    /// I3: epochs grow along the log.
    EpochsGrow,
    /// I4: snapshot and log after it say what the whole log says.
    SnapshotEqualsLog,
    /// I5: records are deleted only below a kept snapshot.
    DeletedBelowSnapshot,
    /// I6: everybody and a cold reload end with the same content.
    Convergence,
    /// I7: acknowledgements only grow and never pass what was received.
    CountersMonotone,
    /// I8: nobody is sent anything of a room without the right to it: before coming in, or after
    /// being sent away.
    NothingWithoutRight,
    /// I9: memory stays within its bounds.
    MemoryBounded,
    /// I10: applying a prefix of the log twice changes nothing.
    ReplayChangesNothing,
    /// I11: a room with data never opens without it.
    NeverEmptyOnError,
    /// I12: the document in memory waits for nothing.
    NothingPending,
    /// A version is of what has committed.
    VersionOfCommitted,
    /// Nothing that a client is sent rests on edits that it was never sent.
    SentWhole,
    /// The editor shows what the document says.
    EditorShowsDocument,
    /// A page that comes back has every edit that its device said it keeps.
    KeptComesBack,
    /// Each client hears only its own dialect.
    Dialect,
    /// Nobody honest is turned away for good.
    HonestStays,
    /// The world comes to rest.
    ComesToRest,
    /// Nothing panics.
    NoPanic,
}

/// An invariant that did not hold, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// How.
    pub detail: String,
}

/// Whether all is well.
pub type Verdict = Result<(), Violation>;

/// A verdict against.
pub fn violated(invariant: Invariant, detail: impl Into<String>) -> Verdict {
    Err(Violation {
        invariant,
        detail: detail.into(),
    })
}

/// What is known of one room.
#[derive(Debug, Default)]
struct RoomBook {
    /// What a load would give now.
    stored: Units,
    /// What somebody was told to be saved.
    acknowledged: Units,
    /// Every record ever committed, in order.
    archive: Vec<Bytes>,
    last_epoch: Epoch,
    /// The last place that ever had a record.
    committed: Seq,
}

/// What is known of one connection.
#[derive(Debug)]
struct LinkBook {
    room: u32,
    dialect: Dialect,
    /// What each state-changing message carried. Of hostile ones we do not ask.
    honest: bool,
    received: Vec<Option<Units>>,
    rejected: BTreeSet<u64>,
    saved: u64,
    saved_seq: Seq,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Checker {
    rooms: BTreeMap<u32, RoomBook>,
    links: BTreeMap<ConnectionId, LinkBook>,
    requests: BTreeMap<RequestId, (u32, Units)>,
}

impl Checker {
    /// A connection was accepted.
    pub fn opened(&mut self, connection: ConnectionId, room: u32, dialect: Dialect, honest: bool) {
        self.links.insert(
            connection,
            LinkBook {
                room,
                dialect,
                honest,
                received: Vec::new(),
                rejected: BTreeSet::new(),
                saved: 0,
                saved_seq: Seq(0),
            },
        );
    }

    /// Its last frame was seen.
    pub fn closed(&mut self, connection: ConnectionId) {
        self.links.remove(&connection);
    }

    /// The server took a frame from a client.
    pub fn received(&mut self, connection: ConnectionId, frame: &Bytes) {
        let Some(book) = self.links.get_mut(&connection) else {
            return;
        };
        for message in codec::decode(frame.clone()).unwrap_or_default() {
            if let Message::SyncStep2(update) | Message::Update(update) = message {
                let units = book.honest.then(|| Units::of_update(&update)).flatten();
                book.received.push(units);
            }
        }
    }

    /// The server is about to send a frame to a client; these are the room's rows now.
    pub fn sends(&mut self, connection: ConnectionId, frame: &Bytes, row: Option<&Row>) -> Verdict {
        let Some(book) = self.links.get_mut(&connection) else {
            return Ok(());
        };
        // The longest frames are updates, which say nothing that is checked here.
        if frame.first() == Some(&0) {
            return Ok(());
        }
        for message in codec::decode(frame.clone()).unwrap_or_default() {
            let Message::Control(control) = message else {
                continue;
            };
            if book.dialect == Dialect::YWebsocket {
                return violated(
                    Invariant::Dialect,
                    format!("connection {connection} knows no control messages: {control:?}"),
                );
            }
            match control {
                Control::Saved { frames, seq } => {
                    let room = self.rooms.entry(book.room).or_default();
                    book.saved(connection, frames, seq, room, row)?;
                }
                Control::Rejected { frame, .. } => {
                    if frame <= book.saved || frame > book.received.len() as u64 {
                        return violated(
                            Invariant::CountersMonotone,
                            format!(
                                "connection {connection}: frame {frame} rejected after {} were \
                                 saved and {} received",
                                book.saved,
                                book.received.len()
                            ),
                        );
                    }
                    book.rejected.insert(frame);
                }
                Control::Welcome(_) | Control::Status(_) | Control::Closing { .. } => {}
            }
        }
        Ok(())
    }

    /// A page shows "Saved"; this is all that was typed and deleted in it.
    pub fn says_saved(&mut self, room: u32, tab: usize, own: &Units) -> Verdict {
        let book = self.rooms.entry(room).or_default();
        if let Some(missing) = own.missing_in(&book.stored) {
            return violated(
                Invariant::AcknowledgedIsStored,
                format!("tab {tab} shows Saved, but storage lacks {missing}"),
            );
        }
        book.acknowledged.add(own.clone());
        Ok(())
    }

    /// A program's edit was handed to a room; saved means that all of this is.
    pub fn asked(&mut self, request: RequestId, room: u32, units: Units) {
        self.requests.insert(request, (room, units));
    }

    /// When the edit was merged, the room had this much: the log is in order, so all of it must be
    /// durable when the program hears Saved.
    pub fn merged_before(&mut self, request: RequestId, room: u32, units: Units) {
        if let Some((_, asked)) = self
            .requests
            .get_mut(&request)
            .filter(|(asked, _)| *asked == room)
        {
            asked.add(units);
        }
    }

    /// It is answered.
    pub fn answers(&mut self, request: RequestId, answer: &Answer) -> Verdict {
        let Some((room, units)) = self.requests.remove(&request) else {
            return Ok(());
        };
        let book = self.rooms.entry(room).or_default();
        if matches!(answer, Answer::Saved { .. }) {
            if let Some(missing) = units.missing_in(&book.stored) {
                return violated(
                    Invariant::AcknowledgedIsStored,
                    format!("program {request:?} was told Saved, but storage lacks {missing}"),
                );
            }
            book.acknowledged.add(units);
        }
        Ok(())
    }

    /// Storage did something.
    pub fn disk(&mut self, room: u32, row: &Row, change: &Change) -> Verdict {
        let book = self.rooms.entry(room).or_default();
        match change {
            Change::None | Change::Known | Change::Claimed | Change::Version(_) => return Ok(()),
            Change::Appended(seq) => {
                book.appended(*seq, row)?;
                contiguous(room, row)?;
            }
            Change::Snapshot(_) | Change::Folded(_) => {
                contiguous(room, row)?;
                let before = std::mem::take(&mut book.stored);
                book.stored = read(row)?;
                if let Some(surplus) = book.stored.missing_in(&before) {
                    return violated(
                        Invariant::SnapshotEqualsLog,
                        format!("after {change:?} room {room} has what is in no record: {surplus}"),
                    );
                }
                if let Some(missing) = before.missing_in(&book.stored) {
                    return violated(
                        Invariant::SnapshotEqualsLog,
                        format!("after {change:?} a load of room {room} lacks {missing}"),
                    );
                }
            }
        }
        book.acknowledged_is_stored(room)
    }

    /// The server died: what was acknowledged must be in the rows, read anew.
    pub fn crashed(&mut self, room: u32, row: &Row) -> Verdict {
        let book = self.rooms.entry(room).or_default();
        book.stored = read(row)?;
        contiguous(room, row)?;
        book.acknowledged_is_stored(room)
    }

    /// What a load of this room would give now.
    pub fn stored(&self, room: u32) -> Units {
        self.rooms
            .get(&room)
            .map(|book| book.stored.clone())
            .unwrap_or_default()
    }

    /// A room opened after a load that could give this much.
    pub fn woke(&self, room: u32, document: &mut Document, at_least: &Units) -> Verdict {
        let has = whole(room, document)?;
        match at_least.missing_in(&has) {
            Some(missing) => violated(
                Invariant::NeverEmptyOnError,
                format!("room {room} opened without {missing}"),
            ),
            None => nothing_pending(room, document),
        }
    }
}

impl LinkBook {
    fn saved(
        &mut self,
        connection: ConnectionId,
        frames: u64,
        seq: Seq,
        room: &mut RoomBook,
        row: Option<&Row>,
    ) -> Verdict {
        let received = self.received.len() as u64;
        if frames < self.saved || frames > received || seq < self.saved_seq {
            return violated(
                Invariant::CountersMonotone,
                format!(
                    "connection {connection}: {frames} frames saved at {seq}, after {} at {}, of \
                     {received} received",
                    self.saved, self.saved_seq
                ),
            );
        }
        for number in self.saved + 1..=frames {
            let place = usize::try_from(number - 1).unwrap_or(usize::MAX);
            let units = self.received.get_mut(place).and_then(Option::take);
            if self.rejected.contains(&number) || !self.honest {
                continue;
            }
            let Some(units) = units else {
                return violated(
                    Invariant::AcknowledgedIsStored,
                    format!("connection {connection}: frame {number} is saved but unreadable"),
                );
            };
            if let Some(missing) = units.missing_in(&room.stored) {
                return violated(
                    Invariant::AcknowledgedIsStored,
                    format!(
                        "connection {connection}: frame {number} is said to be saved, but storage \
                         lacks {missing}"
                    ),
                );
            }
            room.acknowledged.add(units);
        }
        let head = row.map(|row| row.head).unwrap_or_default();
        if seq > head {
            return violated(
                Invariant::LogContiguous,
                format!("connection {connection}: saved at {seq}, but the log ends at {head}"),
            );
        }
        (self.saved, self.saved_seq) = (frames, seq);
        Ok(())
    }
}

impl RoomBook {
    fn appended(&mut self, seq: Seq, row: &Row) -> Verdict {
        let Some((epoch, record)) = row.log.get(&seq) else {
            return violated(Invariant::LogContiguous, format!("no record at {seq}"));
        };
        if *epoch < self.last_epoch {
            return violated(
                Invariant::EpochsGrow,
                format!("epoch {epoch} at {seq} after epoch {}", self.last_epoch),
            );
        }
        self.last_epoch = *epoch;
        self.committed = self.committed.max(seq);
        let Some(units) = Units::of_record(record) else {
            return violated(
                Invariant::AcknowledgedIsStored,
                format!("the record at {seq} cannot be read"),
            );
        };
        self.stored.add(units);
        self.archive.push(record.clone());
        Ok(())
    }

    fn acknowledged_is_stored(&self, room: u32) -> Verdict {
        match self.acknowledged.missing_in(&self.stored) {
            Some(missing) => violated(
                Invariant::AcknowledgedIsStored,
                format!("room {room}: what was acknowledged is gone: {missing}"),
            ),
            None => Ok(()),
        }
    }
}

fn read(row: &Row) -> Result<Units, Violation> {
    Units::of_row(row).ok_or_else(|| Violation {
        invariant: Invariant::AcknowledgedIsStored,
        detail: "what is stored cannot be read".to_owned(),
    })
}

fn contiguous(room: u32, row: &Row) -> Verdict {
    // Only the snapshot before the newest stands for deleted records: the newest was not yet relied
    // on by any load.
    let previous = row.snapshots.keys().rev().nth(1);
    let base = previous.copied().unwrap_or_default();
    let above: Vec<u64> = row.log.range(base.next()..).map(|(seq, _)| seq.0).collect();
    let wanted: Vec<u64> = (base.0 + 1..=row.head.0).collect();
    if above != wanted {
        let invariant = match row.log.keys().next() {
            Some(first) if *first > base.next() => Invariant::DeletedBelowSnapshot,
            None if row.head > base => Invariant::DeletedBelowSnapshot,
            _ => Invariant::LogContiguous,
        };
        return violated(
            invariant,
            format!(
                "room {room}: the log above snapshot {base} is {above:?}, its head {}",
                row.head
            ),
        );
    }
    Ok(())
}

fn whole(room: u32, document: &mut Document) -> Result<Units, Violation> {
    let state = document.encode().ok();
    state
        .and_then(|state| Units::of_update(&state))
        .ok_or_else(|| Violation {
            invariant: Invariant::NothingPending,
            detail: format!("the document of room {room} cannot be encoded"),
        })
}

/// The whole encoding carries what waits, and a reader of our own finds that nothing does.
pub fn nothing_pending(room: u32, document: &mut Document) -> Verdict {
    use yrs::updates::decoder::Decode;
    use yrs::{ReadTxn, Transact};

    let fails = |detail: &str| {
        violated(
            Invariant::NothingPending,
            format!("the document of room {room} {detail}"),
        )
    };
    let Ok(state) = document.encode() else {
        return fails("cannot be encoded");
    };
    let reader = yrs::Doc::with_client_id(1);
    let mut txn = reader.transact_mut();
    let Ok(update) = yrs::Update::decode_v1(&state) else {
        return fails("cannot be decoded");
    };
    if txn.apply_update(update).is_err() {
        return fails("cannot be applied");
    }
    let pending = txn.store().pending_update().is_some() || txn.store().pending_ds().is_some();
    if pending || txn.has_missing_updates() {
        return fails("waits for something");
    }
    Ok(())
}
