//! How one message is dressed for the server at hand: y-websocket, our own dialect, or Hocuspocus.
//! Must not know sockets.

use crate::yjs::{Reader, Unread, put_bytes, put_uint};

/// What the server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Dialect {
    /// `y-websocket`: the room is in the path.
    Yjs,
    /// The same with our acknowledgements.
    Collab,
    /// Hocuspocus: every message begins with the room's name.
    Hocuspocus,
}

/// What a client sends.
#[derive(Debug, Clone, Copy)]
pub enum Outgoing<'a> {
    /// Hocuspocus asks for a token before it answers anything.
    Token,
    Step1(&'a [u8]),
    Step2(&'a [u8]),
    Update(&'a [u8]),
    Awareness(&'a [u8]),
}

/// What a server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming<'a> {
    Step1(&'a [u8]),
    Step2(&'a [u8]),
    Update(&'a [u8]),
    Awareness(&'a [u8]),
    /// So many of this client's updates are durable.
    Saved(u64),
    Other,
}

impl Dialect {
    /// Appends a message.
    pub fn put(self, out: &mut Vec<u8>, room: &str, message: Outgoing<'_>) {
        if self == Dialect::Hocuspocus {
            put_bytes(out, room.as_bytes());
        }
        match message {
            Outgoing::Token => {
                out.extend_from_slice(&[2, 0]);
                put_bytes(out, b"");
                if self == Dialect::Hocuspocus {
                    // The provider's version.
                    put_bytes(out, b"4.0.0");
                }
            }
            Outgoing::Step1(vector) => put_sync(out, 0, vector),
            Outgoing::Step2(update) => put_sync(out, 1, update),
            Outgoing::Update(update) => put_sync(out, 2, update),
            Outgoing::Awareness(entries) => {
                put_uint(out, 1);
                put_bytes(out, entries);
            }
        }
    }

    /// Reads a message.
    pub fn read(self, payload: &[u8]) -> Result<Incoming<'_>, Unread> {
        let mut reader = Reader(payload);
        if self == Dialect::Hocuspocus {
            reader.bytes()?;
        }
        Ok(match reader.uint()? {
            // Hocuspocus answers a question with its own kind 4, otherwise the same.
            0 | 4 => match reader.uint()? {
                0 => Incoming::Step1(reader.bytes()?),
                1 => Incoming::Step2(reader.bytes()?),
                2 => Incoming::Update(reader.bytes()?),
                _ => return Err(Unread),
            },
            1 => Incoming::Awareness(reader.bytes()?),
            112 => {
                let mut control = Reader(reader.bytes()?);
                match control.uint()? {
                    1 => Incoming::Saved(control.uint()?),
                    _ => Incoming::Other,
                }
            }
            _ => Incoming::Other,
        })
    }

    /// Whether the client speaks first about who it is.
    pub fn wants_token(self) -> bool {
        self == Dialect::Hocuspocus
    }
}

fn put_sync(out: &mut Vec<u8>, step: u64, body: &[u8]) {
    put_uint(out, 0);
    put_uint(out, step);
    put_bytes(out, body);
}
