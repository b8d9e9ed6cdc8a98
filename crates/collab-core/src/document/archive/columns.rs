//! The columns of an archive. Must not know what stands in them.

use super::BadArchive;
use crate::document::gate::Reader;
use crate::protocol::wire::put_uint;

/// How many columns there are.
pub const COLUMNS: usize = 13;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// One byte a turn: its shape.
    Shape,
    /// Quanta since the turn before.
    Time,
    /// How many structs, ranges and clients, where the shape does not say.
    Count,
    /// Which client, by number of first appearance, and the ids themselves.
    Client,
    /// Clocks of structs, as the difference to the expected one.
    Clock,
    /// First bytes of structs.
    Info,
    /// How an origin follows from what was before.
    Origin,
    /// How a right origin does.
    Right,
    /// Origins and starts that do not follow.
    Place,
    /// How a deletion's start follows, and how long it is.
    Delete,
    /// Bytes of texts and of raw parts.
    Length,
    /// Texts.
    Text,
    /// What is kept as it is.
    Raw,
}

/// Columns on their way to or from a compressor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns(pub [Vec<u8>; COLUMNS]);

impl Columns {
    pub(super) fn of(&mut self, column: Column) -> &mut Vec<u8> {
        &mut self.0[column as usize]
    }

    pub(super) fn put(&mut self, column: Column, number: u64) {
        put_uint(self.of(column), number);
    }
}

/// Cursors over all columns.
pub(super) struct Cursors<'a>([Reader<'a>; COLUMNS]);

impl<'a> Cursors<'a> {
    pub(super) fn new(columns: &'a Columns) -> Cursors<'a> {
        Cursors(columns.0.each_ref().map(|column| Reader::new(column)))
    }

    pub(super) fn byte(&mut self, column: Column) -> Result<u8, BadArchive> {
        let byte = self.0[column as usize].byte();
        byte.map_err(|_| BadArchive::Length)
    }

    pub(super) fn uint(&mut self, column: Column) -> Result<u64, BadArchive> {
        let number = self.0[column as usize].uint();
        number.map_err(|_| BadArchive::Length)
    }

    pub(super) fn bytes(&mut self, column: Column, length: u64) -> Result<&'a [u8], BadArchive> {
        let length = usize::try_from(length).map_err(|_| BadArchive::Length)?;
        let bytes = self.0[column as usize].skip(length);
        bytes.map_err(|_| BadArchive::Length)
    }

    pub(super) fn left(&self, column: Column) -> usize {
        self.0[column as usize].left()
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), BadArchive> {
        match self.0.iter().all(|column| column.left() == 0) {
            true => Ok(()),
            false => Err(BadArchive::Length),
        }
    }
}

/// A difference as an unsigned number: small in both directions.
pub(super) fn folded(difference: i64) -> u64 {
    ((difference << 1) ^ (difference >> 63)).cast_unsigned()
}

/// And back.
pub(super) fn unfolded(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}
