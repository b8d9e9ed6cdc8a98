//! Turns into columns. Must not know how they are read back.

use std::collections::BTreeMap;

use super::columns::{Column, Columns, folded};
use super::guess::{Guess, Id};
use super::{QUANTUM_MS, read};
use crate::document::gate::{self, Reader};
use crate::document::refusal::Refusal;
use crate::record::Logged;

/// One update, taken apart.
pub(in crate::document) struct Parsed<'a> {
    /// By client: id, first clock, structs.
    pub structs: Vec<(u64, u64, Vec<Struct<'a>>)>,
    /// By client: ranges of clock and length.
    pub deletes: Vec<(u64, Vec<(u64, u64)>)>,
}

/// One struct.
pub(in crate::document) struct Struct<'a> {
    pub info: u8,
    pub origin: Option<(u64, u64)>,
    pub right: Option<(u64, u64)>,
    /// Text without its length when `info` says so, else everything behind the origins.
    pub body: &'a [u8],
    pub units: u64,
}

impl Struct<'_> {
    /// Whether its units are UTF-16 code units of a text.
    pub(in crate::document) fn holds_text(&self) -> bool {
        self.info & KIND == TEXT
    }
}

pub(super) const HAS_ORIGIN: u8 = 0x80;
pub(super) const HAS_RIGHT: u8 = 0x40;
const KIND: u8 = 0x0f;
const TEXT: u8 = 4;

/// Whether the body of a struct is a text alone: of a kind that has one, and its parent is not said.
pub(super) fn is_text(info: u8) -> bool {
    info & KIND == TEXT && info & (HAS_ORIGIN | HAS_RIGHT) != 0
}

/// How many struct clients, structs and ranges the usual turns have; the first is "as it is".
pub(super) const RAW: u8 = 0;
pub(super) const ONE_STRUCT: u8 = 1;
pub(super) const ONE_RANGE: u8 = 2;
pub(super) const ONE_OF_EACH: u8 = 3;
pub(super) const COUNTED: u8 = 4;

/// See the module.
#[derive(Default)]
pub(super) struct Writer {
    columns: Columns,
    guess: Guess,
    clients: BTreeMap<u64, u64>,
    quantum: u64,
}

impl Writer {
    pub(super) fn finish(self) -> Columns {
        self.columns
    }

    pub(super) fn turn(&mut self, turn: &Logged) {
        let quantum = turn.at / QUANTUM_MS;
        let later = quantum.wrapping_sub(self.quantum).cast_signed();
        self.columns.put(Column::Time, folded(later));
        self.quantum = quantum;
        let parsed = parse(&turn.delta).ok();
        match parsed.filter(|parsed| read::written(parsed) == turn.delta) {
            Some(parsed) => self.parsed(&parsed),
            None => {
                self.columns.of(Column::Shape).push(RAW);
                self.raw(Column::Raw, &turn.delta);
            }
        }
    }

    fn raw(&mut self, column: Column, bytes: &[u8]) {
        self.columns.put(Column::Length, bytes.len() as u64);
        self.columns.of(column).extend_from_slice(bytes);
    }

    fn parsed(&mut self, parsed: &Parsed<'_>) {
        let one_struct = matches!(&parsed.structs[..], [(_, _, structs)] if structs.len() == 1);
        let one_range = matches!(&parsed.deletes[..], [(_, ranges)] if ranges.len() == 1);
        let shape = match (one_struct, one_range) {
            (true, true) => ONE_OF_EACH,
            (true, false) if parsed.deletes.is_empty() => ONE_STRUCT,
            (false, true) if parsed.structs.is_empty() => ONE_RANGE,
            _ => COUNTED,
        };
        self.columns.of(Column::Shape).push(shape);
        if shape == COUNTED {
            self.columns.put(Column::Count, parsed.structs.len() as u64);
        }
        for (id, clock, structs) in &parsed.structs {
            if shape == COUNTED {
                self.columns.put(Column::Count, structs.len() as u64);
            }
            let client = self.client(*id);
            let expected = self.guess.next_clock(client);
            let away = clock.wrapping_sub(expected).cast_signed();
            self.columns.put(Column::Clock, folded(away));
            let mut at = Id {
                client,
                clock: *clock,
            };
            for it in structs {
                self.one(it, at);
                at.clock += it.units;
            }
        }
        if shape == COUNTED {
            self.columns.put(Column::Count, parsed.deletes.len() as u64);
        }
        for (id, ranges) in &parsed.deletes {
            if shape == COUNTED {
                self.columns.put(Column::Count, ranges.len() as u64);
            }
            let client = self.client(*id);
            for &(clock, units) in ranges {
                self.columns.put(Column::Delete, units);
                let expected = self.guess.deletions(units);
                let from = Id { client, clock };
                self.place(Column::Delete, &expected, from, true);
                self.guess.deleted(from, units);
            }
        }
    }

    fn one(&mut self, it: &Struct<'_>, at: Id) {
        self.columns.of(Column::Info).push(it.info);
        let origin = it.origin.map(|(id, clock)| self.id(id, clock));
        if let Some(origin) = origin {
            let expected = self.guess.origins();
            self.place(Column::Origin, &expected, origin, false);
        }
        let right = it.right.map(|(id, clock)| self.id(id, clock));
        if let Some(right) = right {
            let expected = self.guess.rights(origin);
            self.place(Column::Right, &expected, right, false);
        }
        let column = if is_text(it.info) {
            Column::Text
        } else {
            Column::Raw
        };
        self.raw(column, it.body);
        self.guess.inserted(at, it.units, right);
    }

    /// A place as the number of an expectation, or in full. `known`: its client is written already.
    fn place(&mut self, column: Column, expected: &[Id], is: Id, known: bool) {
        let found = expected.iter().position(|id| *id == is);
        let code = found.unwrap_or(expected.len());
        self.columns.put(column, code as u64);
        if found.is_none() {
            if !known {
                self.columns.put(Column::Place, is.client);
            }
            let away = is.clock.wrapping_sub(self.guess.anchor().clock);
            self.columns.put(Column::Place, folded(away.cast_signed()));
        }
    }

    /// A client's number, written: 0 for the one before, else its own and one more. The id follows
    /// where it is new.
    fn client(&mut self, id: u64) -> u64 {
        let client = self.number(id);
        let code = match client == self.guess.client {
            true => 0,
            false => client + 1,
        };
        self.columns.put(Column::Client, code);
        client
    }

    /// A client's number. The id of a new one is written among the counts.
    fn number(&mut self, id: u64) -> u64 {
        if let Some(number) = self.clients.get(&id) {
            return *number;
        }
        let count = self.clients.len() as u64 + 1;
        self.clients.insert(id, count);
        self.columns.put(Column::Count, id);
        count
    }

    fn id(&mut self, id: u64, clock: u64) -> Id {
        Id {
            client: self.number(id),
            clock,
        }
    }
}

/// Takes an update apart. Errors: what is not an update.
pub(in crate::document) fn parse(update: &[u8]) -> Result<Parsed<'_>, Refusal> {
    let mut reader = Reader::new(update);
    let mut structs = Vec::new();
    for _ in 0..reader.count(4)? {
        let count = reader.count(2)?;
        let (id, clock) = (reader.replica()?, u64::from(reader.clock()?));
        let mut of_client = Vec::new();
        for _ in 0..count {
            of_client.push(parse_struct(update, &mut reader)?);
        }
        structs.push((id, clock, of_client));
    }
    let mut deletes = Vec::new();
    for _ in 0..reader.count(4)? {
        let id = reader.replica()?;
        let mut ranges = Vec::new();
        for _ in 0..reader.count(2)? {
            ranges.push((u64::from(reader.clock()?), u64::from(reader.clock()?)));
        }
        deletes.push((id, ranges));
    }
    reader.end()?;
    Ok(Parsed { structs, deletes })
}

fn parse_struct<'a>(update: &'a [u8], reader: &mut Reader<'a>) -> Result<Struct<'a>, Refusal> {
    let begins = reader.position();
    let units = gate::block_units(reader)?;
    let ends = reader.position();
    // Again from its beginning, for the parts.
    let mut parts = Reader::at(update, begins);
    let info = parts.byte()?;
    let unit = |parts: &mut Reader<'a>| -> Result<(u64, u64), Refusal> {
        Ok((parts.replica()?, u64::from(parts.clock()?)))
    };
    let is_item = gate::is_item(info);
    let origin = (is_item && info & HAS_ORIGIN != 0).then(|| unit(&mut parts));
    let origin = origin.transpose()?;
    let right = (is_item && info & HAS_RIGHT != 0).then(|| unit(&mut parts));
    let right = right.transpose()?;
    let body = match is_text(info) {
        true => parts.bytes()?,
        false => parts.skip(ends.saturating_sub(parts.position()))?,
    };
    if parts.position() != ends {
        return Err(Refusal::BlockForm);
    }
    Ok(Struct {
        info,
        origin,
        right,
        body,
        units: u64::from(units),
    })
}
