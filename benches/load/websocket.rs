//! Just enough of RFC 6455 to measure with: whole frames in and out of byte buffers, without copies
//! or tasks. Used by the load generator and by the ceiling. Must not know what a payload means.

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// Bytes that are no frame we read: reserved bits, fragments, unknown opcodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bytes that are not a whole WebSocket frame of a known kind")]
pub struct NotAFrame;

/// Where the first frame of a buffer lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub opcode: Opcode,
    /// First byte of the payload.
    pub start: usize,
    /// First byte after the frame.
    pub end: usize,
    /// The mask, as clients send it.
    pub mask: Option<[u8; 4]>,
}

/// The first frame of `bytes`; `None` while it is not all here.
pub fn find(bytes: &[u8]) -> Result<Option<Found>, NotAFrame> {
    let &[first, second, ref rest @ ..] = bytes else {
        return Ok(None);
    };
    // No fragments: no server measured here sends them, and the generator does not either.
    let opcode = match first {
        0x81 => Opcode::Text,
        0x82 => Opcode::Binary,
        0x88 => Opcode::Close,
        0x89 => Opcode::Ping,
        0x8a => Opcode::Pong,
        _ => return Err(NotAFrame),
    };
    let (len, mut start) = match second & 0x7f {
        126 => match rest.first_chunk::<2>() {
            Some(len) => (u64::from(u16::from_be_bytes(*len)), 4),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(len) => (u64::from_be_bytes(*len), 10),
            None => return Ok(None),
        },
        len => (u64::from(len), 2),
    };
    let mut mask = None;
    if second & 0x80 != 0 {
        let Some(key) = bytes.get(start..).and_then(|rest| rest.first_chunk::<4>()) else {
            return Ok(None);
        };
        mask = Some(*key);
        start += 4;
    }
    let len = usize::try_from(len).map_err(|_| NotAFrame)?;
    let end = start.checked_add(len).ok_or(NotAFrame)?;
    Ok((bytes.len() >= end).then_some(Found {
        opcode,
        start,
        end,
        mask,
    }))
}

/// Takes the mask off a payload.
pub fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    if mask != [0; 4] {
        for (byte, key) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= key;
        }
    }
}

/// Appends a frame as a client sends it. The mask is four zero bytes: allowed, and free.
pub fn put_client(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    put_head(out, opcode, payload.len(), 0x80);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

/// Appends a frame as a server sends it.
pub fn put_server(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    put_head(out, opcode, payload.len(), 0);
    out.extend_from_slice(payload);
}

fn put_head(out: &mut Vec<u8>, opcode: Opcode, len: usize, masked: u8) {
    out.push(match opcode {
        Opcode::Text => 0x81,
        Opcode::Binary => 0x82,
        Opcode::Close => 0x88,
        Opcode::Ping => 0x89,
        Opcode::Pong => 0x8a,
    });
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short), _) if short < 126 => out.push(masked | short),
        (_, Ok(medium)) => {
            out.push(masked | 126);
            out.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            out.push(masked | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

/// Where the head of an HTTP message ends: the first byte after its empty line.
pub fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map(|at| at + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_every_length_are_found_again() {
        for len in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![7; len];
            let mut bytes = Vec::new();
            put_client(&mut bytes, Opcode::Binary, &payload);
            put_server(&mut bytes, Opcode::Ping, &payload);
            let first = find(&bytes).expect("a frame").expect("all of it");
            assert_eq!(first.opcode, Opcode::Binary);
            assert_eq!(first.mask, Some([0; 4]));
            assert_eq!(&bytes[first.start..first.end], payload);
            let second = find(&bytes[first.end..]).expect("a frame");
            let second = second.expect("all of it");
            assert_eq!((second.opcode, second.mask), (Opcode::Ping, None));
            assert_eq!(find(&bytes[..first.end - 1]), Ok(None), "not all here");
        }
        assert_eq!(find(&[0x02, 0]), Err(NotAFrame), "a fragment");
    }
}
