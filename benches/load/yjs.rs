//! Yjs by hand, as far as a load generator needs it: updates of people who type, made in
//! nanoseconds, and a reader that counts what an update brings. Must not know who sends what.
//!
//! Convergence is not judged here but by the real engine, in `check`.

/// The root type everybody types into: the text of our page's main file.
pub const TEXT: &str = "file:main";

/// Units typed in a row before the caret goes back into what was typed: runs of a line's length,
/// so that the document has the shape of a written one.
const RUN: u32 = 50;

/// How far back the caret goes.
const BACK: u32 = 25;

/// Client ids count up from here: five bytes each on the wire, as random ones are.
pub const FIRST_ID: u64 = 0x4000_0000;

pub fn put_uint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(0));
}

pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A person at the keyboard: nobody but they edit around their caret.
#[derive(Debug, Clone, Copy)]
pub struct Typist {
    pub id: u64,
    /// Units typed so far.
    pub clock: u32,
}

impl Typist {
    pub fn new(number: usize) -> Typist {
        Typist {
            id: FIRST_ID + number as u64,
            clock: 0,
        }
    }

    /// One keystroke, as an update of version 1.
    pub fn keystroke(&mut self, out: &mut Vec<u8>) {
        let letter = b'a' + u8::try_from(self.clock % 26).unwrap_or(0);
        self.insert(out, &[letter]);
    }

    /// So many ASCII letters at once, as a paste brings them.
    pub fn paste(&mut self, out: &mut Vec<u8>, letters: usize) {
        let text: Vec<u8> = (b'a'..=b'z').cycle().take(letters).collect();
        self.insert(out, &text);
    }

    /// The caret goes back a little where a keystroke, and nothing longer, ends a run.
    fn insert(&mut self, out: &mut Vec<u8>, text: &[u8]) {
        let clock = self.clock;
        put_uint(out, 1);
        put_uint(out, 1);
        put_uint(out, self.id);
        put_uint(out, u64::from(clock));
        if clock == 0 {
            out.push(4);
            put_uint(out, 1);
            put_bytes(out, TEXT.as_bytes());
        } else if clock.is_multiple_of(RUN) {
            out.push(0xc4);
            put_uint(out, self.id);
            put_uint(out, u64::from(clock - BACK - 1));
            put_uint(out, self.id);
            put_uint(out, u64::from(clock - BACK));
        } else {
            out.push(0x84);
            put_uint(out, self.id);
            put_uint(out, u64::from(clock - 1));
        }
        put_bytes(out, text);
        out.push(0);
        self.clock += u32::try_from(text.len()).unwrap_or(0);
    }
}

/// Bytes that are no update of the kinds that are sent here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bytes that are not an update of text")]
pub struct Unread;

/// Units that an update carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Units {
    /// Blocks of one client: the clocks from `from` up to `to`.
    Inserted { id: u64, from: u32, to: u32 },
    /// A deleted range, so long.
    Deleted { len: u32 },
}

/// Tells `on` everything that an update carries.
pub fn read(update: &[u8], mut on: impl FnMut(Units)) -> Result<(), Unread> {
    let mut reader = Reader(update);
    for _ in 0..reader.uint()? {
        let blocks = reader.uint()?;
        let id = reader.uint()?;
        let from = reader.short()?;
        let mut to = from;
        for _ in 0..blocks {
            to = to.checked_add(reader.block()?).ok_or(Unread)?;
        }
        on(Units::Inserted { id, from, to });
    }
    for _ in 0..reader.uint()? {
        reader.uint()?;
        for _ in 0..reader.uint()? {
            reader.uint()?;
            let len = reader.short()?;
            on(Units::Deleted { len });
        }
    }
    Ok(())
}

/// Reads lib0's variable-length values.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn uint(&mut self) -> Result<u64, Unread> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Unread)?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Unread)
    }

    fn short(&mut self) -> Result<u32, Unread> {
        u32::try_from(self.uint()?).map_err(|_| Unread)
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], Unread> {
        let len = usize::try_from(self.uint()?).map_err(|_| Unread)?;
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Unread)?;
        self.0 = rest;
        Ok(taken)
    }

    /// One block; returns how many units it has.
    fn block(&mut self) -> Result<u32, Unread> {
        let (info, rest) = self.0.split_first().ok_or(Unread)?;
        self.0 = rest;
        let kind = info & 0x1f;
        // Collected or skipped units have neither neighbours nor a parent.
        if matches!(kind, 0 | 10) {
            return self.short();
        }
        for _ in 0..(info & 0xc0).count_ones() {
            self.uint()?;
            self.uint()?;
        }
        if info & 0xc0 == 0 {
            if self.uint()? == 1 {
                self.bytes()?;
            } else {
                self.uint()?;
                self.uint()?;
            }
            if info & 0x20 != 0 {
                self.bytes()?;
            }
        }
        match kind {
            1 => self.short(),
            4 => {
                let text = std::str::from_utf8(self.bytes()?).map_err(|_| Unread)?;
                let units = if text.is_ascii() {
                    text.len()
                } else {
                    text.encode_utf16().count()
                };
                u32::try_from(units).map_err(|_| Unread)
            }
            6 => {
                self.bytes()?;
                self.bytes()?;
                Ok(1)
            }
            _ => Err(Unread),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_typist_makes_is_read_again() {
        let mut typist = Typist::new(3);
        for clock in 0..200 {
            let mut update = Vec::new();
            typist.keystroke(&mut update);
            let mut seen = Vec::new();
            read(&update, |units| seen.push(units)).expect("an update");
            let id = FIRST_ID + 3;
            assert_eq!(
                seen,
                [Units::Inserted {
                    id,
                    from: clock,
                    to: clock + 1
                }]
            );
        }
        assert_eq!(read(&[9], |_| {}), Err(Unread));
    }
}
