//! The body of an awareness message: who is here, as Yjs writes it. Must not know whether an
//! entry is believed; that is `presence`.
//!
//! Source: `y-protocols` 1.0.7 `awareness.js`: `varUint n`, then n × (`varUint client`,
//! `varUint clock`, `varString JSON`), where the JSON `null` means gone.

use bytes::Bytes;

use super::limits::MAX_AWARENESS_ENTRIES;
use super::wire::{Reader, WireError, put_bytes, put_uint};
use crate::ids::ReplicaId;

/// One replica's presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose.
    pub replica: ReplicaId,
    /// Grows with every change of this replica's state.
    pub clock: u64,
    /// JSON text; `None` when the replica is gone.
    pub state: Option<String>,
}

/// Reads the body of an awareness message. At most [`MAX_AWARENESS_ENTRIES`]; trailing bytes are
/// refused.
pub fn decode(body: Bytes) -> Result<Vec<Entry>, WireError> {
    let mut reader = Reader::new(body);
    let count = usize::try_from(reader.uint()?).unwrap_or(usize::MAX);
    if count > MAX_AWARENESS_ENTRIES {
        return Err(WireError::TooMany {
            what: "awareness entries",
            limit: MAX_AWARENESS_ENTRIES,
        });
    }
    // An entry takes at least three bytes, so the count cannot make us reserve more than was sent.
    let mut entries = Vec::with_capacity(count.min(reader.remaining() / 3));
    for _ in 0..count {
        let replica = ReplicaId::new(reader.uint()?).ok_or(WireError::Integer)?;
        let clock = reader.uint()?;
        let state = reader.text()?;
        entries.push(Entry {
            replica,
            clock,
            state: (state != "null").then_some(state),
        });
    }
    reader.end()?;
    Ok(entries)
}

/// Writes the body of an awareness message.
pub fn encode<'a>(entries: impl ExactSizeIterator<Item = &'a Entry>) -> Bytes {
    let mut out = Vec::new();
    put_uint(&mut out, entries.len() as u64);
    for entry in entries {
        put_uint(&mut out, entry.replica.get());
        put_uint(&mut out, entry.clock);
        put_bytes(
            &mut out,
            entry.state.as_deref().unwrap_or("null").as_bytes(),
        );
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_as_y_websocket_sends_it() {
        let body = Bytes::from_static(&[1, 5, 1, 4, b'n', b'u', b'l', b'l']);
        let entries = decode(body.clone()).expect("a disconnect as seen on the wire");
        assert_eq!(
            entries,
            [Entry {
                replica: ReplicaId::ours(5),
                clock: 1,
                state: None
            }]
        );
        assert_eq!(encode(entries.iter()), body);
    }

    #[test]
    fn a_count_bomb_is_refused_before_anything_is_reserved() {
        let bomb = Bytes::from_static(&[0x80, 0x88, 0xde, 0xbe, 0x01]);
        assert!(matches!(decode(bomb), Err(WireError::TooMany { .. })));
    }
}
