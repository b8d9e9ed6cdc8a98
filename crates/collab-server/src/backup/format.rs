//! The file of a backup: frames in one zstd stream, written and read from the front to the end
//! without holding more than a frame. Must not know databases.
//!
//! `collabbk`, one byte of format, then the stream. A frame is its kind (one byte), the length of
//! its body (u32) and the CRC-32C of kind, length and body (u32), all little-endian, then the body.
//! The first frame describes the database; then, table by table, its columns and blocks of its
//! rows; the last one has the number of rows and the [digest](TableDigest) of every table. A file
//! without the last one is not whole.

use std::io::{self, BufReader, Read, Write};

use serde::{Deserialize, Serialize};

use super::value::{TableDigest, Value};

/// What the file starts with.
const MAGIC: &[u8; 8] = b"collabbk";

/// The format written today. A change that older programs would misread takes the next number.
pub const FORMAT: u8 = 1;

/// Bytes of rows after which a block is closed. One row may be larger.
const BLOCK_BYTES: usize = 1 << 20;

/// Largest body of a frame (256 MiB): above what any row takes, whose largest cell is a snapshot of
/// 128 MiB. A larger one is damage.
const MAX_FRAME_BYTES: usize = 256 << 20;

/// zstd's own default. Bodies are dense already; what is won is between them.
const ZSTD_LEVEL: i32 = 3;

const HEADER: u8 = 1;
const TABLE: u8 = 2;
const ROWS: u8 = 3;
const END: u8 = 4;

/// What is known about a backup before its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the program that wrote it.
    pub program: String,
    /// `sqlite` or `postgres`.
    pub database: String,
    /// Version of the tables.
    pub schema: i64,
    /// When it was begun, in milliseconds since 1970 by the clock of whoever wrote it.
    pub at: u64,
    /// Rooms in it.
    pub rooms: u64,
    /// About how many bytes of rows follow.
    pub about_bytes: u64,
}

/// A table's place in the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableHead {
    pub table: String,
    pub columns: Vec<String>,
}

/// What a table's rows must come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    pub table: String,
    pub rows: u64,
    /// [`TableDigest`] in hexadecimal.
    pub digest: String,
}

/// Why bytes are not a backup that can be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadBackup {
    NotABackup,
    Newer(String),
    Damaged(String),
}

fn damaged(why: impl Into<String>) -> BadBackup {
    BadBackup::Damaged(why.into())
}

/// Writes a backup.
pub struct Writer<W: Write> {
    out: zstd::Encoder<'static, W>,
    block: Vec<u8>,
    /// Where the row under way begins in the block.
    open_table: Option<(String, u64, TableDigest)>,
    totals: Vec<Total>,
    /// Bytes of rows so far.
    bytes: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a file.
    pub fn new(mut out: W) -> io::Result<Writer<W>> {
        out.write_all(MAGIC)?;
        out.write_all(&[FORMAT])?;
        let mut out = zstd::Encoder::new(out, ZSTD_LEVEL)?;
        out.include_checksum(true)?;
        Ok(Writer {
            out,
            block: Vec::new(),
            open_table: None,
            totals: Vec::new(),
            bytes: 0,
        })
    }

    /// The first frame.
    pub fn header(&mut self, header: &Header) -> io::Result<()> {
        let body = serde_json::to_vec(header)?;
        self.frame(HEADER, &body)
    }

    /// Begins a table, and ends the one before.
    pub fn table(&mut self, head: &TableHead) -> io::Result<()> {
        self.end_table()?;
        let body = serde_json::to_vec(head)?;
        self.frame(TABLE, &body)?;
        self.open_table = Some((head.table.clone(), 0, TableDigest::default()));
        Ok(())
    }

    /// One row of the table begun last.
    pub fn row(&mut self, cells: &[Value]) -> io::Result<()> {
        let begin = self.block.len();
        for cell in cells {
            cell.encode(&mut self.block)
                .ok_or_else(|| io::Error::other("a cell is larger than 4 GiB"))?;
        }
        let row = self.block.get(begin..).unwrap_or_default();
        self.bytes += row.len() as u64;
        if let Some((_, rows, digest)) = &mut self.open_table {
            *rows += 1;
            digest.add(row);
        }
        if self.block.len() >= BLOCK_BYTES {
            self.end_block()?;
        }
        Ok(())
    }

    /// Bytes of rows so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The last frame and the end of the stream. What was written to is given back, unflushed.
    pub fn finish(mut self) -> io::Result<(W, Vec<Total>)> {
        self.end_table()?;
        let body = serde_json::to_vec(&self.totals)?;
        self.frame(END, &body)?;
        Ok((self.out.finish()?, self.totals))
    }

    fn end_table(&mut self) -> io::Result<()> {
        self.end_block()?;
        if let Some((table, rows, digest)) = self.open_table.take() {
            self.totals.push(Total {
                table,
                rows,
                digest: digest.to_string(),
            });
        }
        Ok(())
    }

    fn end_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let mut block = std::mem::take(&mut self.block);
        self.frame(ROWS, &block)?;
        block.clear();
        // A block that one large row made is not kept.
        block.shrink_to(2 * BLOCK_BYTES);
        self.block = block;
        Ok(())
    }

    fn frame(&mut self, kind: u8, body: &[u8]) -> io::Result<()> {
        let len = u32::try_from(body.len())
            .ok()
            .filter(|_| body.len() <= MAX_FRAME_BYTES)
            .ok_or_else(|| io::Error::other("a row is larger than 256 MiB"))?;
        self.out.write_all(&[kind])?;
        self.out.write_all(&len.to_le_bytes())?;
        self.out.write_all(&crc(kind, len, body).to_le_bytes())?;
        self.out.write_all(body)
    }
}

fn crc(kind: u8, len: u32, body: &[u8]) -> u32 {
    let crc = crc32c::crc32c(&[kind]);
    let crc = crc32c::crc32c_append(crc, &len.to_le_bytes());
    crc32c::crc32c_append(crc, body)
}

/// What comes next in a backup.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    Table(TableHead),
    /// One row of the table named last.
    Row(Vec<Value>),
    /// Everything was there, and was what was written.
    End,
}

/// Reads a backup.
pub struct Reader<R: Read> {
    input: zstd::Decoder<'static, BufReader<R>>,
    header: Header,
    /// The table under way, what its rows came to so far, and its number of columns.
    open_table: Option<(String, u64, TableDigest, usize)>,
    /// Rows of the block under way, and how much of it is read.
    block: Vec<u8>,
    read: usize,
    totals: Vec<Total>,
    bytes: u64,
}

impl<R: Read> Reader<R> {
    /// Reads the beginning.
    pub fn open(mut input: R) -> Result<Reader<R>, BadBackup> {
        let mut start = [0; 9];
        input
            .read_exact(&mut start)
            .map_err(|_| BadBackup::NotABackup)?;
        let Some((&format, magic)) = start.split_last() else {
            return Err(BadBackup::NotABackup);
        };
        if magic != MAGIC {
            return Err(BadBackup::NotABackup);
        }
        if format > FORMAT {
            return Err(BadBackup::Newer(format!("format {format}")));
        }
        let input = zstd::Decoder::new(input).map_err(|error| damaged(error.to_string()))?;
        let mut reader = Reader {
            input,
            header: Header {
                program: String::new(),
                database: String::new(),
                schema: 0,
                at: 0,
                rooms: 0,
                about_bytes: 0,
            },
            open_table: None,
            block: Vec::new(),
            read: 0,
            totals: Vec::new(),
            bytes: 0,
        };
        match reader.frame()? {
            (HEADER, body) => {
                reader.header = serde_json::from_slice(&body)
                    .map_err(|_| damaged("its description cannot be read"))?;
            }
            _ => return Err(damaged("it does not begin with a description")),
        }
        Ok(reader)
    }

    /// What is known about it.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What each table's rows came to; all of them after [`Next::End`].
    pub fn totals(&self) -> &[Total] {
        &self.totals
    }

    /// Bytes of rows so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next part. After [`Next::End`] there is nothing more.
    pub fn next_part(&mut self) -> Result<Next, BadBackup> {
        loop {
            if self.read < self.block.len() {
                return self.row().map(Next::Row);
            }
            match self.frame()? {
                (TABLE, body) => {
                    self.end_table();
                    let head: TableHead = serde_json::from_slice(&body)
                        .map_err(|_| damaged("a table's description cannot be read"))?;
                    let columns = head.columns.len();
                    if columns == 0 {
                        return Err(damaged(format!("table {} has no columns", head.table)));
                    }
                    let begun = (head.table.clone(), 0, TableDigest::default(), columns);
                    self.open_table = Some(begun);
                    return Ok(Next::Table(head));
                }
                (ROWS, body) => {
                    self.block = body;
                    self.read = 0;
                }
                (END, body) => {
                    self.end_table();
                    let written: Vec<Total> = serde_json::from_slice(&body)
                        .map_err(|_| damaged("its totals cannot be read"))?;
                    if written != self.totals {
                        return Err(damaged("its rows are not those that were written"));
                    }
                    // Also has the decoder compare its own checksum.
                    match self.input.read(&mut [0]) {
                        Ok(0) => {}
                        Ok(_) => return Err(damaged("there is more behind its end")),
                        Err(error) => return Err(damaged(error.to_string())),
                    }
                    return Ok(Next::End);
                }
                (kind, _) => return Err(damaged(format!("it has a part of unknown kind {kind}"))),
            }
        }
    }

    fn row(&mut self) -> Result<Vec<Value>, BadBackup> {
        let Some((table, rows, digest, columns)) = &mut self.open_table else {
            return Err(damaged("there are rows before the first table"));
        };
        let bytes = self.block.get(self.read..).unwrap_or_default();
        let mut rest = bytes;
        let cells = (0..*columns).map(|_| Value::decode(&mut rest));
        let cells: Option<Vec<Value>> = cells.collect();
        let cells = cells.ok_or_else(|| damaged(format!("a row of {table} cannot be read")))?;
        let used = bytes.len() - rest.len();
        digest.add(bytes.get(..used).unwrap_or_default());
        *rows += 1;
        self.bytes += used as u64;
        self.read += used;
        Ok(cells)
    }

    fn end_table(&mut self) {
        if let Some((table, rows, digest, _)) = self.open_table.take() {
            self.totals.push(Total {
                table,
                rows,
                digest: digest.to_string(),
            });
        }
    }

    fn frame(&mut self) -> Result<(u8, Vec<u8>), BadBackup> {
        let mut head = [0; 9];
        let cut = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => damaged("it ends too early"),
            _ => damaged(error.to_string()),
        };
        self.input.read_exact(&mut head).map_err(cut)?;
        let [kind, l0, l1, l2, l3, c0, c1, c2, c3] = head;
        let len = u32::from_le_bytes([l0, l1, l2, l3]);
        let bytes = usize::try_from(len)
            .ok()
            .filter(|bytes| *bytes <= MAX_FRAME_BYTES)
            .ok_or_else(|| damaged(format!("a part of it claims {len} bytes")))?;
        // Grows with what is there, not with what is claimed.
        let mut body = Vec::new();
        let part = (&mut self.input)
            .take(u64::from(len))
            .read_to_end(&mut body);
        part.map_err(cut)?;
        if body.len() != bytes {
            return Err(damaged("it ends too early"));
        }
        if crc(kind, len, &body) != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Err(damaged("a part of it does not match its checksum"));
        }
        Ok((kind, body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            program: "0.0.0".to_owned(),
            database: "sqlite".to_owned(),
            schema: 1,
            at: 5,
            rooms: 2,
            about_bytes: 0,
        }
    }

    fn head(table: &str) -> TableHead {
        TableHead {
            table: table.to_owned(),
            columns: vec!["id".to_owned(), "body".to_owned()],
        }
    }

    fn row(id: i64, bytes: usize) -> Vec<Value> {
        vec![Value::Integer(id), Value::Blob(vec![7; bytes])]
    }

    /// Larger than a block, smaller, and empty.
    fn rows() -> impl Iterator<Item = Vec<Value>> {
        (0u16..5).map(|id| row(id.into(), 700_000 * usize::from(id)))
    }

    fn written() -> Vec<u8> {
        written_with(rows())
    }

    fn written_with(rows: impl Iterator<Item = Vec<Value>>) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new()).expect("memory");
        writer.header(&header()).expect("memory");
        writer.table(&head("one")).expect("memory");
        for row in rows {
            writer.row(&row).expect("memory");
        }
        writer.table(&head("empty")).expect("memory");
        writer.table(&head("two")).expect("memory");
        writer.row(&row(9, 1)).expect("memory");
        writer.finish().expect("memory").0
    }

    fn read(bytes: &[u8]) -> Result<Vec<Next>, BadBackup> {
        let mut reader = Reader::open(bytes)?;
        assert_eq!(*reader.header(), header());
        let mut parts = Vec::new();
        loop {
            parts.push(reader.next_part()?);
            if parts.last() == Some(&Next::End) {
                return Ok(parts);
            }
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let mut expected = vec![Next::Table(head("one"))];
        expected.extend(rows().map(Next::Row));
        expected.push(Next::Table(head("empty")));
        expected.push(Next::Table(head("two")));
        expected.push(Next::Row(row(9, 1)));
        expected.push(Next::End);
        assert_eq!(read(&written()), Ok(expected));
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_damage() {
        // Small: a thousand readings of megabytes take minutes in a build for tests.
        let bytes = written_with((0u16..5).map(|id| row(id.into(), 7 * usize::from(id))));
        let whole = read(&bytes).expect("whole");
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "cut at {end}");
        }
        for byte in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[byte] ^= 1 << (byte % 8);
            // A bit of zstd's own header may not matter.
            let same = read(&bytes).is_ok_and(|parts| parts == whole);
            assert!(same || read(&bytes).is_err(), "flipped in byte {byte}");
        }
    }

    #[test]
    fn other_files_and_newer_formats_are_told_apart() {
        assert_eq!(read(b"SQLite format 3\0"), Err(BadBackup::NotABackup));
        assert_eq!(read(b""), Err(BadBackup::NotABackup));
        let mut newer = written();
        newer[8] = FORMAT + 1;
        assert!(matches!(read(&newer), Err(BadBackup::Newer(_))));
    }
}
