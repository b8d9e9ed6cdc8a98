//! A chunk of the archive as bytes: the columns of `collab_core::document::archive`, each compressed
//! by itself, and how many turns each log record had. Must not know where chunks are kept.

use bytes::Bytes;
use collab_core::document::archive::{self, Columns};
use collab_core::ids::Seq;
use collab_core::protocol::wire::{Reader, put_uint};
use collab_core::record::Logged;

/// Layout of a chunk: this byte, then each column as its size, its compressed size and its bytes. A
/// compressed size of 0 means that the column stands there as it is.
const FORMAT: u8 = archive::FORMAT;

/// A chunk is written once for many reads, off the runtime's threads: the level that makes short
/// texts smallest.
const ZSTD_LEVEL: i32 = 19;

/// Bytes of one column before compression (128 MiB). One that claims more is damaged.
const MAX_COLUMN_BYTES: usize = archive::MAX_BYTES;

/// Log records and their turns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turns {
    /// Place of the first record.
    pub first: Seq,
    /// Turns of each record, one record a place.
    pub counts: Vec<u32>,
    /// All turns, in order.
    pub turns: Vec<Logged>,
}

/// Why bytes are not a chunk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a chunk of the archive cannot be read: {0}")]
pub struct BadChunk(String);

impl Turns {
    /// Adds the next record.
    pub fn push(&mut self, record: Vec<Logged>) {
        self.counts
            .push(u32::try_from(record.len()).unwrap_or(u32::MAX));
        self.turns.extend(record);
    }

    /// Place of the last record.
    pub fn last(&self) -> Seq {
        Seq(self.first.0 + self.counts.len() as u64 - u64::from(!self.counts.is_empty()))
    }

    /// How many of the turns belong to records up to a place.
    pub fn up_to(&self, seq: Seq) -> usize {
        let Some(records) = seq.next().0.checked_sub(self.first.0) else {
            return 0;
        };
        let records = usize::try_from(records).unwrap_or(usize::MAX);
        self.counts
            .iter()
            .take(records)
            .map(|count| *count as usize)
            .sum()
    }

    /// As an archive keeps them.
    fn rounded(mut self) -> Turns {
        for turn in &mut self.turns {
            turn.at = archive::rounded(turn.at);
        }
        self
    }
}

/// The bytes of a chunk, read back and compared before they are returned. Keep it off the runtime's
/// own threads.
pub fn pack(turns: &Turns) -> Result<Bytes, BadChunk> {
    let columns = archive::encode(&turns.turns);
    let mut counts = Vec::new();
    for count in &turns.counts {
        put_uint(&mut counts, u64::from(*count));
    }
    let mut out = vec![FORMAT];
    for column in columns.0.iter().chain([&counts]) {
        put_column(&mut out, column)?;
    }
    let out = Bytes::from(out);
    match unpack(turns.first, &out)? == turns.clone().rounded() {
        true => Ok(out),
        false => Err(BadChunk("it says something else".to_owned())),
    }
}

fn put_column(out: &mut Vec<u8>, column: &[u8]) -> Result<(), BadChunk> {
    let packed = zstd::bulk::compress(column, ZSTD_LEVEL);
    let packed = packed.map_err(|error| BadChunk(error.to_string()))?;
    put_uint(out, column.len() as u64);
    if packed.len() < column.len() {
        put_uint(out, packed.len() as u64);
        out.extend_from_slice(&packed);
    } else {
        put_uint(out, 0);
        out.extend_from_slice(column);
    }
    Ok(())
}

/// Reads a chunk whose first record stands at `first`. Keep it off the runtime's own threads.
pub fn unpack(first: Seq, body: &Bytes) -> Result<Turns, BadChunk> {
    let bad = |what: &str| BadChunk(what.to_owned());
    if body.first() != Some(&FORMAT) {
        return Err(bad("its format is not known"));
    }
    let mut reader = Reader::new(body.slice(1..));
    let mut columns = Columns::default();
    for column in &mut columns.0 {
        *column = column_of(&mut reader)?;
    }
    let counts = column_of(&mut reader)?;
    reader.end().map_err(|_| bad("something follows it"))?;
    let turns = archive::decode(&columns).map_err(|error| BadChunk(error.to_string()))?;
    let mut reader = Reader::new(Bytes::from(counts));
    let mut counts = Vec::new();
    let mut sum = 0u64;
    while reader.remaining() > 0 {
        let count = reader.uint().map_err(|_| bad("its counts do not read"))?;
        sum = sum.saturating_add(count);
        counts.push(u32::try_from(count).map_err(|_| bad("its counts are too large"))?);
    }
    if sum != turns.len() as u64 {
        return Err(bad("its counts are of other turns"));
    }
    Ok(Turns {
        first,
        counts,
        turns,
    })
}

fn column_of(reader: &mut Reader) -> Result<Vec<u8>, BadChunk> {
    let bad = |what: &str| BadChunk(what.to_owned());
    let mut size = || {
        let size = reader
            .uint()
            .ok()
            .and_then(|size| usize::try_from(size).ok());
        size.filter(|size| *size <= MAX_COLUMN_BYTES)
            .ok_or_else(|| bad("a column's size is damaged"))
    };
    let (size, packed) = (size()?, size()?);
    let length = if packed == 0 { size } else { packed };
    let bytes = reader.take(length).map_err(|_| bad("a column is cut"))?;
    if packed == 0 {
        return Ok(bytes.to_vec());
    }
    match zstd::bulk::decompress(&bytes, size) {
        Ok(column) if column.len() == size => Ok(column),
        _ => Err(bad("a column does not decompress")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns() -> Turns {
        let mut turns = Turns {
            first: Seq(4),
            ..Turns::default()
        };
        for record in 0..50u8 {
            let turn = |n: u8| Logged {
                at: u64::from(record) * 1000,
                delta: vec![record, n, 7],
            };
            turns.push((0..record % 3 + 1).map(turn).collect());
        }
        turns
    }

    #[test]
    fn a_chunk_comes_back_with_its_places() {
        let turns = turns();
        let body = pack(&turns).unwrap();
        assert_eq!(unpack(Seq(4), &body), Ok(turns.clone().rounded()));
        assert_eq!(turns.last(), Seq(53));
        assert_eq!(turns.up_to(Seq(3)), 0);
        assert_eq!(turns.up_to(Seq(4)), 1);
        assert_eq!(turns.up_to(Seq(6)), 6);
        assert_eq!(turns.up_to(Seq(999)), turns.turns.len());
        assert!(pack(&Turns::default()).is_ok());
    }

    #[test]
    fn damage_is_an_error_or_other_turns() {
        let body = pack(&turns()).unwrap();
        for cut in 0..body.len() {
            assert!(unpack(Seq(4), &body.slice(..cut)).is_err(), "cut at {cut}");
        }
        for bit in 0..body.len() * 8 {
            let mut damaged = body.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let _: Result<Turns, BadChunk> = unpack(Seq(4), &damaged.into());
        }
        let mut bomb = vec![FORMAT];
        put_uint(&mut bomb, MAX_COLUMN_BYTES as u64 + 1);
        assert!(unpack(Seq(4), &bomb.into()).is_err());
    }
}
