//! What came first: an edit on the disk, or the word that it is saved. Must not know how either
//! was observed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::person::Sent;
use crate::trace::{Story, When, Written};

/// Bytes of one page of Postgres' log, and of its two kinds of header.
const PAGE: usize = 8192;
const SHORT_HEADER: usize = 24;
const LONG_HEADER: usize = 40;

/// Set in the header of a page whose header is the long one.
const LONG: u8 = 2;

/// Longer than any token.
const TOKEN_BYTES: usize = 32;

/// Whose write-ahead log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    Sqlite,
    Postgres,
}

impl Log {
    fn holds(self, file: &Path) -> bool {
        let name = file.to_string_lossy();
        match self {
            Log::Sqlite => name.ends_with("-wal"),
            Log::Postgres => name.contains("/pg_wal/"),
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Order {
    /// Edits that were called saved.
    pub edits: usize,
    /// `Saved` frames.
    pub saved: usize,
    /// Calls that forced the log to the disk.
    pub syncs: usize,
    /// What was called saved too early.
    pub early: Vec<String>,
}

impl Order {
    /// Judges one session: what was sent on each connection, and what happened.
    pub fn of(story: &Story, log: Log, sent: &[Sent]) -> Order {
        let durable = durable(story, log);
        let mut order = Order {
            saved: story.saved.len(),
            syncs: story.synced.iter().filter(|it| log.holds(&it.file)).count(),
            ..Order::default()
        };
        let mut called: BTreeMap<&[u8], When> = BTreeMap::new();
        for saved in &story.saved {
            let Some(connection) = sent.iter().find(|it| it.port == saved.port) else {
                continue;
            };
            let frames = usize::try_from(saved.frames).unwrap_or(usize::MAX);
            for token in connection
                .frames
                .iter()
                .take(frames)
                .flat_map(|it| tokens(it))
            {
                called.entry(token).or_insert(saved.at);
            }
        }
        order.edits = called.len();
        for (token, called) in called {
            let words = String::from_utf8_lossy(token);
            match durable.get(token) {
                Some(durable) if *durable < called => {}
                Some(durable) => order.early.push(format!(
                    "{words} is called saved at line {called} and on the disk at line {durable}"
                )),
                None => order.early.push(format!(
                    "{words} is called saved at line {called} and never on the disk"
                )),
            }
        }
        order
    }

    /// Adds another session's.
    pub fn add(&mut self, other: Order) {
        self.edits += other.edits;
        self.saved += other.saved;
        self.syncs += other.syncs;
        self.early.extend(other.early);
    }
}

/// When each token was in a log that was then forced to the disk.
fn durable(story: &Story, log: Log) -> BTreeMap<Vec<u8>, When> {
    let mut pages = Pages::default();
    let mut durable = BTreeMap::new();
    for written in story.written.iter().filter(|it| log.holds(&it.file)) {
        let pieces = match log {
            Log::Sqlite => vec![written.bytes.to_vec()],
            Log::Postgres => pages.write(written),
        };
        // The first call that began after the bytes were there, and succeeded.
        let forced = story
            .synced
            .iter()
            .filter(|it| it.file == written.file && it.begun > written.at)
            .map(|it| it.done)
            .min();
        let Some(forced) = forced else { continue };
        for token in pieces.iter().flat_map(|piece| tokens(piece)) {
            durable.entry(token.to_vec()).or_insert(forced);
        }
    }
    durable
}

/// Postgres' log without its pages' headers: a record goes on behind the header of the next page.
#[derive(Debug, Default)]
struct Pages(BTreeMap<(PathBuf, u64), Vec<u8>>);

impl Pages {
    /// Takes whole pages; each of them with what stands before and after it.
    fn write(&mut self, written: &Written) -> Vec<Vec<u8>> {
        let Some(offset) = written.offset else {
            return Vec::new();
        };
        let mut places = Vec::new();
        for (number, page) in written.bytes.chunks(PAGE).enumerate() {
            let header = match page.get(2) {
                Some(flags) if flags & LONG != 0 => LONG_HEADER,
                _ => SHORT_HEADER,
            };
            let at = offset + (number * PAGE) as u64;
            let body = page.get(header..).unwrap_or_default().to_vec();
            self.0.insert((written.file.clone(), at), body);
            places.push(at);
        }
        let piece = |at: u64| {
            let page = |at| self.0.get(&(written.file.clone(), at));
            let before = at.checked_sub(PAGE as u64).and_then(page);
            let mut piece = before
                .map(|page| page[page.len().saturating_sub(TOKEN_BYTES)..].to_vec())
                .unwrap_or_default();
            piece.extend(page(at).into_iter().flatten());
            piece
        };
        places.into_iter().map(piece).collect()
    }
}

/// Everything in these bytes that looks like `[12.345]`.
fn tokens(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let starts = (0..bytes.len()).filter(|at| bytes[*at] == b'[');
    starts.filter_map(|at| {
        let rest = &bytes[at + 1..bytes.len().min(at + TOKEN_BYTES)];
        let end = rest.iter().position(|byte| *byte == b']')?;
        let (person, edit) = rest[..end].split_at(rest[..end].iter().position(|it| *it == b'.')?);
        let number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        (number(person) && number(&edit[1..])).then(|| &bytes[at..at + end + 2])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Saved, Synced};

    #[test]
    fn tokens_are_found_among_other_bytes() {
        let found: Vec<&[u8]> = tokens(b"\0[1.22][x][3.][3.4] [5.6").collect();
        assert_eq!(found, [&b"[1.22]"[..], b"[3.4]"]);
    }

    #[test]
    fn a_token_across_two_pages_of_the_log_is_found() {
        let mut pages = vec![0; 2 * PAGE];
        pages[PAGE - 3..PAGE].copy_from_slice(b"[1.");
        pages[PAGE + SHORT_HEADER..PAGE + SHORT_HEADER + 2].copy_from_slice(b"2]");
        let written = Written {
            file: "/d/pg_wal/1".into(),
            offset: Some(0),
            bytes: pages.into(),
            at: 1,
        };
        let pieces = Pages::default().write(&written);
        let found: Vec<&[u8]> = pieces.iter().flat_map(|piece| tokens(piece)).collect();
        assert_eq!(found, [b"[1.2]"]);
    }

    #[test]
    fn a_word_before_its_sync_is_early() {
        let sent = [Sent {
            port: 5,
            frames: vec![bytes::Bytes::from_static(b"\0\x02[1.1]")],
        }];
        let story = |said| Story {
            written: vec![Written {
                file: "/d/x-wal".into(),
                offset: None,
                bytes: bytes::Bytes::from_static(b"..[1.1].."),
                at: 10,
            }],
            // The first one began before the bytes were there.
            synced: [(9, 12), (13, 20)]
                .map(|(begun, done)| Synced {
                    file: "/d/x-wal".into(),
                    begun,
                    done,
                })
                .into(),
            saved: vec![Saved {
                port: 5,
                frames: 1,
                at: said,
            }],
        };
        assert_eq!(Order::of(&story(21), Log::Sqlite, &sent).early.len(), 0);
        assert_eq!(Order::of(&story(19), Log::Sqlite, &sent).early.len(), 1);
        assert_eq!(Order::of(&story(21), Log::Postgres, &sent).early.len(), 1);
    }
}
