//! Postgres' messages, as far as a wire must understand them: where one ends, which question is an
//! append, and when a question is answered. Must not know what is done about it.

use std::collections::BTreeSet;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;

/// Rooms and places of the records in one append.
pub type Places = Vec<(i64, i64)>;

/// The words by which the statement that appends is known.
const APPENDS: &str = "insert into room_update";

/// What a message says, as far as it matters.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// An append with these records is asked for.
    Append(Places),
    /// From the database: everything asked is answered. From the server: answer now.
    Ready,
    Other,
}

/// One message, whole.
#[derive(Debug)]
pub struct Message {
    pub bytes: Bytes,
    pub said: Said,
}

struct Reader {
    from: OwnedReadHalf,
    buffer: BytesMut,
}

impl Reader {
    /// The next message, whose length follows a head of so many bytes; `None` at the end.
    async fn next(&mut self, head: usize) -> Option<Bytes> {
        loop {
            if let Some(length) = self.buffer.get(head..head + 4) {
                let length = u32::from_be_bytes(length.try_into().ok()?);
                let whole = head + usize::try_from(length).ok()?;
                if self.buffer.len() >= whole {
                    return Some(self.buffer.split_to(whole).freeze());
                }
            }
            if self.from.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        }
    }
}

/// From the server.
pub struct Questions {
    reader: Reader,
    greeted: bool,
    /// Names of prepared statements that append.
    appending: BTreeSet<Vec<u8>>,
}

impl Questions {
    pub fn new(from: OwnedReadHalf) -> Questions {
        Questions {
            reader: Reader {
                from,
                buffer: BytesMut::new(),
            },
            greeted: false,
            appending: BTreeSet::new(),
        }
    }

    pub async fn next(&mut self) -> Option<Message> {
        if !std::mem::replace(&mut self.greeted, true) {
            // The first message has no type.
            let bytes = self.reader.next(0).await?;
            return Some(Message {
                bytes,
                said: Said::Other,
            });
        }
        let bytes = self.reader.next(1).await?;
        let said = self.said(&bytes).unwrap_or(Said::Other);
        Some(Message { bytes, said })
    }

    fn said(&mut self, message: &Bytes) -> Option<Said> {
        let mut body = message.slice(5..);
        match message.first()? {
            b'P' => {
                let name = text(&mut body)?;
                if String::from_utf8_lossy(&text(&mut body)?).contains(APPENDS) {
                    self.appending.insert(name);
                }
                None
            }
            b'B' => {
                text(&mut body)?;
                let appends = self.appending.contains(&text(&mut body)?);
                let formats = usize::from(body.try_get_u16().ok()?);
                body.try_advance(2 * formats)?;
                body.try_get_u16().ok()?;
                let (rooms, seqs) = (numbers(&mut body)?, numbers(&mut body)?);
                appends.then(|| Said::Append(rooms.into_iter().zip(seqs).collect()))
            }
            b'S' | b'Q' => Some(Said::Ready),
            _ => None,
        }
    }
}

/// From the database.
pub struct Answers(Reader);

impl Answers {
    pub fn new(from: OwnedReadHalf) -> Answers {
        Answers(Reader {
            from,
            buffer: BytesMut::new(),
        })
    }

    pub async fn next(&mut self) -> Option<Message> {
        let bytes = self.0.next(1).await?;
        let said = match bytes.first() {
            Some(b'Z') => Said::Ready,
            _ => Said::Other,
        };
        Some(Message { bytes, said })
    }
}

trait TryAdvance {
    fn try_advance(&mut self, count: usize) -> Option<()>;
}

impl TryAdvance for Bytes {
    fn try_advance(&mut self, count: usize) -> Option<()> {
        (count <= self.len()).then(|| self.advance(count))
    }
}

/// A text up to its zero byte.
fn text(body: &mut Bytes) -> Option<Vec<u8>> {
    let end = body.iter().position(|byte| *byte == 0)?;
    let text = body.split_to(end).to_vec();
    body.advance(1);
    Some(text)
}

/// A parameter that is an array of 64-bit numbers, as the binary format has it.
fn numbers(body: &mut Bytes) -> Option<Vec<i64>> {
    body.try_get_i32().ok()?;
    let dimensions = body.try_get_i32().ok()?;
    // Flags and the type of the elements.
    body.try_advance(8)?;
    if dimensions == 0 {
        return Some(Vec::new());
    }
    let count = body.try_get_i32().ok()?;
    body.try_get_i32().ok()?;
    (0..count)
        .map(|_| {
            body.try_get_i32().ok()?;
            body.try_get_i64().ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(numbers: &[i64]) -> Vec<u8> {
        let mut body = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20];
        body.extend(u32::try_from(numbers.len()).unwrap().to_be_bytes());
        body.extend([0, 0, 0, 1]);
        for number in numbers {
            body.extend([0, 0, 0, 8]);
            body.extend(number.to_be_bytes());
        }
        let mut parameter = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
        parameter.extend(body);
        parameter
    }

    #[test]
    fn the_records_of_an_append_are_read() {
        let mut body = Bytes::from([array(&[7, 7]), array(&[1, 2])].concat());
        assert_eq!(numbers(&mut body), Some(vec![7, 7]));
        assert_eq!(numbers(&mut body), Some(vec![1, 2]));
        assert!(body.is_empty());
        assert_eq!(numbers(&mut Bytes::from_static(b"abc")), None);
    }
}
