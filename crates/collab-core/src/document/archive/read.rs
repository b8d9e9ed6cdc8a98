//! Columns into turns. Must not trust a number: columns may be damaged.

use super::columns::{Column, Columns, Cursors, unfolded};
use super::guess::{Guess, Id};
use super::write::{
    COUNTED, HAS_ORIGIN, HAS_RIGHT, ONE_OF_EACH, ONE_RANGE, ONE_STRUCT, Parsed, RAW, Struct,
    is_text,
};
use super::{BadArchive, MAX_BYTES, MAX_TURNS, QUANTUM_MS};
use crate::document::gate::{self, MAX_CLOCK};
use crate::protocol::wire::{put_bytes, put_uint};
use crate::record::Logged;

/// See the module.
pub(super) struct Reading<'a> {
    columns: Cursors<'a>,
    guess: Guess,
    /// Ids by number; the first is nobody's.
    clients: Vec<u64>,
    quantum: u64,
}

impl<'a> Reading<'a> {
    pub(super) fn new(columns: &'a Columns) -> Reading<'a> {
        Reading {
            columns: Cursors::new(columns),
            guess: Guess::default(),
            clients: vec![0],
            quantum: 0,
        }
    }

    pub(super) fn all(mut self) -> Result<Vec<Logged>, BadArchive> {
        let count = self.columns.left(Column::Shape);
        if count > MAX_TURNS {
            return Err(BadArchive::TooLarge);
        }
        let mut turns = Vec::with_capacity(count);
        let mut bytes = 0usize;
        for _ in 0..count {
            let turn = self.turn()?;
            bytes = bytes.saturating_add(turn.delta.len());
            if bytes > MAX_BYTES {
                return Err(BadArchive::TooLarge);
            }
            turns.push(turn);
        }
        self.columns.end()?;
        Ok(turns)
    }

    fn turn(&mut self) -> Result<Logged, BadArchive> {
        let later = unfolded(self.columns.uint(Column::Time)?);
        self.quantum = self.quantum.wrapping_add_signed(later);
        let at = self.quantum.checked_mul(QUANTUM_MS);
        let at = at.ok_or(BadArchive::Range)?;
        let shape = self.columns.byte(Column::Shape)?;
        if shape == RAW {
            let delta = self.raw(Column::Raw)?.to_vec();
            return Ok(Logged { at, delta });
        }
        let counted = shape == COUNTED;
        let (structs, deletes) = match shape {
            ONE_STRUCT => (1, 0),
            ONE_RANGE => (0, 1),
            ONE_OF_EACH => (1, 1),
            COUNTED => (self.count(Column::Clock)?, 0),
            _ => return Err(BadArchive::Range),
        };
        let mut parsed = Parsed {
            structs: Vec::with_capacity(structs),
            deletes: Vec::new(),
        };
        for _ in 0..structs {
            let count = if counted {
                self.count(Column::Info)?
            } else {
                1
            };
            let client = self.client()?;
            let away = unfolded(self.columns.uint(Column::Clock)?);
            let clock = self.guess.next_clock(client);
            let clock = clock_of(clock.wrapping_add_signed(away))?;
            let mut at = Id { client, clock };
            let mut of_client = Vec::with_capacity(count);
            for _ in 0..count {
                let it = self.one(at)?;
                at.clock = at.clock.wrapping_add(it.units);
                of_client.push(it);
            }
            parsed.structs.push((self.id(client)?, clock, of_client));
        }
        let deletes = if counted {
            self.count(Column::Delete)?
        } else {
            deletes
        };
        for _ in 0..deletes {
            let count = if counted {
                self.count(Column::Delete)?
            } else {
                1
            };
            let client = self.client()?;
            let mut ranges = Vec::with_capacity(count);
            for _ in 0..count {
                let units = self.columns.uint(Column::Delete)?;
                let expected = self.guess.deletions(units);
                let from = self.place(Column::Delete, &expected, Some(client))?;
                if from.client != client {
                    return Err(BadArchive::Range);
                }
                ranges.push((clock_of(from.clock)?, clock_of(units)?));
                self.guess.deleted(from, units);
            }
            parsed.deletes.push((self.id(client)?, ranges));
        }
        let delta = written(&parsed);
        Ok(Logged { at, delta })
    }

    fn one(&mut self, at: Id) -> Result<Struct<'a>, BadArchive> {
        let info = self.columns.byte(Column::Info)?;
        let is_item = gate::is_item(info);
        let origin = if is_item && info & HAS_ORIGIN != 0 {
            let expected = self.guess.origins();
            Some(self.place(Column::Origin, &expected, None)?)
        } else {
            None
        };
        let right = if is_item && info & HAS_RIGHT != 0 {
            let expected = self.guess.rights(origin);
            Some(self.place(Column::Right, &expected, None)?)
        } else {
            None
        };
        let column = if is_text(info) {
            Column::Text
        } else {
            Column::Raw
        };
        let body = self.raw(column)?;
        let mut it = Struct {
            info,
            origin: origin.map(|id| self.unit(id)).transpose()?,
            right: right.map(|id| self.unit(id)).transpose()?,
            body,
            units: 0,
        };
        let mut bytes = Vec::new();
        write_struct(&mut bytes, &it);
        let units = gate::block_units(&mut gate::Reader::new(&bytes));
        it.units = u64::from(units.map_err(|_| BadArchive::Range)?);
        self.guess.inserted(at, it.units, right);
        Ok(it)
    }

    fn place(
        &mut self,
        column: Column,
        expected: &[Id],
        known: Option<u64>,
    ) -> Result<Id, BadArchive> {
        let code = self.columns.uint(column)?;
        let code = usize::try_from(code).map_err(|_| BadArchive::Range)?;
        if let Some(id) = expected.get(code) {
            return Ok(*id);
        }
        if code != expected.len() {
            return Err(BadArchive::Range);
        }
        let client = match known {
            Some(client) => client,
            None => {
                let number = self.columns.uint(Column::Place)?;
                self.known(number)?
            }
        };
        let away = unfolded(self.columns.uint(Column::Place)?);
        let clock = self.guess.anchor().clock.wrapping_add_signed(away);
        Ok(Id { client, clock })
    }

    fn client(&mut self) -> Result<u64, BadArchive> {
        match self.columns.uint(Column::Client)? {
            0 if self.guess.client > 0 => Ok(self.guess.client),
            code => self.known(code.wrapping_sub(1)),
        }
    }

    /// A client's number, whose id follows when it is new.
    fn known(&mut self, number: u64) -> Result<u64, BadArchive> {
        let known = self.clients.len() as u64;
        if number == known {
            let id = self.columns.uint(Column::Count)?;
            self.clients.push(id);
            return Ok(number);
        }
        match number {
            0 => Err(BadArchive::Range),
            _ if number > known => Err(BadArchive::Range),
            _ => Ok(number),
        }
    }

    fn id(&self, client: u64) -> Result<u64, BadArchive> {
        let number = usize::try_from(client).ok().filter(|number| *number > 0);
        let id = number.and_then(|number| self.clients.get(number));
        id.copied().ok_or(BadArchive::Range)
    }

    fn unit(&self, id: Id) -> Result<(u64, u64), BadArchive> {
        Ok((self.id(id.client)?, clock_of(id.clock)?))
    }

    fn raw(&mut self, column: Column) -> Result<&'a [u8], BadArchive> {
        let length = self.columns.uint(Column::Length)?;
        self.columns.bytes(column, length)
    }

    /// A count of things that each take a byte of a column.
    fn count(&mut self, of: Column) -> Result<usize, BadArchive> {
        let count = self.columns.uint(Column::Count)?;
        let count = usize::try_from(count).map_err(|_| BadArchive::Length)?;
        match count <= self.columns.left(of) {
            true => Ok(count),
            false => Err(BadArchive::Length),
        }
    }
}

fn clock_of(number: u64) -> Result<u64, BadArchive> {
    match number <= u64::from(MAX_CLOCK) {
        true => Ok(number),
        false => Err(BadArchive::Range),
    }
}

/// The bytes of an update (v1).
pub(super) fn written(parsed: &Parsed<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    put_uint(&mut out, parsed.structs.len() as u64);
    for (id, clock, structs) in &parsed.structs {
        put_uint(&mut out, structs.len() as u64);
        put_uint(&mut out, *id);
        put_uint(&mut out, *clock);
        for it in structs {
            write_struct(&mut out, it);
        }
    }
    put_uint(&mut out, parsed.deletes.len() as u64);
    for (id, ranges) in &parsed.deletes {
        put_uint(&mut out, *id);
        put_uint(&mut out, ranges.len() as u64);
        for (clock, units) in ranges {
            put_uint(&mut out, *clock);
            put_uint(&mut out, *units);
        }
    }
    out
}

fn write_struct(out: &mut Vec<u8>, it: &Struct<'_>) {
    out.push(it.info);
    for (id, clock) in it.origin.iter().chain(&it.right) {
        put_uint(out, *id);
        put_uint(out, *clock);
    }
    match is_text(it.info) {
        true => put_bytes(out, it.body),
        false => out.extend_from_slice(it.body),
    }
}
