//! A program watched from outside, system call by system call, with strace: what it wrote where,
//! when that reached the disk, and what it sent. Must not know what should come first.
//!
//! strace stops a thread at each call and writes one line after the other, so a line that stands
//! later did not cause one that stands earlier.

mod lines;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::{Buf, Bytes, BytesMut};
use collab_core::protocol::{Control, Message, codec};

use lines::Call;

/// Bytes of one call that are written down. Nothing a campaign does writes more at once.
const MAX_BYTES: usize = 4 << 20;

/// The calls that write, send and wait for the disk.
const CALLS: &str =
    "trace=write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,fsync,fdatasync,sync_file_range";

/// The tracer; without it some campaigns cannot be.
pub fn strace() -> String {
    let strace = "strace".to_owned();
    let version = std::process::Command::new(&strace).arg("-V").output();
    assert!(
        version.is_ok_and(|it| it.status.success()),
        "strace cannot be run: install it (`sudo apt-get install strace`); `cargo xtask test` does"
    );
    strace
}

/// Records what the program `command` and everything it starts do, into `file`.
pub fn under_strace(file: &Path, command: &[String]) -> Vec<String> {
    let mut words = vec![strace()];
    words.extend(["-f", "-qq", "-yy", "-e", "signal=none", "-e", CALLS].map(str::to_owned));
    words.extend(["-s".to_owned(), MAX_BYTES.to_string()]);
    words.extend(["-o".to_owned(), file.display().to_string()]);
    words.extend_from_slice(command);
    words
}

/// Places in the story; a larger one is later.
pub type When = usize;

/// Bytes that were put into a file.
#[derive(Debug)]
pub struct Written {
    pub file: PathBuf,
    /// Where in the file, when the call says so.
    pub offset: Option<u64>,
    pub bytes: Bytes,
    /// When the call returned.
    pub at: When,
}

/// A file that was forced to the disk.
#[derive(Debug)]
pub struct Synced {
    pub file: PathBuf,
    pub begun: When,
    pub done: When,
}

/// The server said that so many frames of a connection are saved.
#[derive(Debug)]
pub struct Saved {
    /// The client's end of the connection.
    pub port: u16,
    pub frames: u64,
    /// When the call that sent it began.
    pub at: When,
}

/// The whole story.
#[derive(Debug, Default)]
pub struct Story {
    pub written: Vec<Written>,
    pub synced: Vec<Synced>,
    pub saved: Vec<Saved>,
}

impl Story {
    /// Reads what strace wrote.
    pub fn read(file: &Path) -> Story {
        let text = std::fs::read(file).expect("strace wrote its file");
        let text = String::from_utf8_lossy(&text);
        let mut story = Story::default();
        let mut sockets: BTreeMap<u16, Outgoing> = BTreeMap::new();
        let mut calls = lines::calls(&text);
        // In the order in which they began; each also knows when it returned.
        calls.sort_by_key(|call| call.begun);
        for call in calls {
            match call.name.as_str() {
                "fsync" | "fdatasync" => story.sync(call),
                _ => match call.peer() {
                    Some(port) => {
                        let socket = sockets.entry(port).or_default();
                        let saved = socket.sends(&call.bytes);
                        story.saved.extend(saved.into_iter().map(|frames| Saved {
                            port,
                            frames,
                            at: call.begun,
                        }));
                    }
                    None => story.write(call),
                },
            }
        }
        story
    }

    fn sync(&mut self, call: Call) {
        if call.returned == Some(0)
            && let (Some(file), Some(done)) = (call.file(), call.done)
        {
            self.synced.push(Synced {
                file,
                begun: call.begun,
                done,
            });
        }
    }

    fn write(&mut self, call: Call) {
        if let (Some(file), Some(at)) = (call.file(), call.done) {
            self.written.push(Written {
                file,
                offset: call.offset,
                bytes: call.bytes,
                at,
            });
        }
    }
}

/// What the server sends on one connection: an HTTP answer, then WebSocket frames.
#[derive(Debug, Default)]
struct Outgoing {
    buffer: BytesMut,
    upgraded: bool,
}

impl Outgoing {
    /// Takes bytes; how many frames each `Saved` in them counts.
    fn sends(&mut self, bytes: &[u8]) -> Vec<u64> {
        self.buffer.extend_from_slice(bytes);
        if !self.upgraded {
            let end = self.buffer.windows(4).position(|end| end == b"\r\n\r\n");
            let Some(end) = end.filter(|_| self.buffer.starts_with(b"HTTP/1.1 101 ")) else {
                return Vec::new();
            };
            self.buffer.advance(end + 4);
            self.upgraded = true;
        }
        let mut saved = Vec::new();
        while let Some(payload) = self.frame() {
            for message in codec::decode(payload).unwrap_or_default() {
                if let Message::Control(Control::Saved { frames, .. }) = message {
                    saved.push(frames);
                }
            }
        }
        saved
    }

    /// The next whole frame; a server's are not masked.
    fn frame(&mut self) -> Option<Bytes> {
        let (head, length) = match *self.buffer.get(1)? {
            126 => (4, u64::from(u16::from_be_bytes(self.array(2)?))),
            127 => (10, u64::from_be_bytes(self.array(2)?)),
            short => (2, u64::from(short)),
        };
        let whole = head + usize::try_from(length).ok()?;
        if self.buffer.len() < whole {
            return None;
        }
        let mut frame = self.buffer.split_to(whole).freeze();
        frame.advance(head);
        Some(frame)
    }

    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.buffer.get(at..at + N)?.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_is_found_in_what_is_sent_whatever_the_pieces() {
        let control = Control::Saved {
            frames: 300,
            seq: collab_core::ids::Seq(9),
        };
        let payload = codec::encode(&Message::Control(control));
        let mut sent = b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec();
        sent.extend([0x82, u8::try_from(payload.len()).unwrap()]);
        sent.extend(&payload);
        let mut socket = Outgoing::default();
        let said: Vec<u64> = sent
            .chunks(3)
            .flat_map(|piece| socket.sends(piece))
            .collect();
        assert_eq!(said, [300]);
    }
}
