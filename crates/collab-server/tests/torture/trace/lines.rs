//! strace's lines → calls with their bytes. Must not know what a call means.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytes::Bytes;

use super::When;

/// One call, from its beginning to its return.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Call {
    pub name: String,
    /// What the descriptor stands for, as strace decorates it.
    target: String,
    /// The quoted bytes, one after the other.
    pub bytes: Bytes,
    pub offset: Option<u64>,
    pub begun: When,
    /// `None` when it never returned.
    pub done: Option<When>,
    pub returned: Option<i64>,
}

impl Call {
    /// The file it is about.
    pub fn file(&self) -> Option<PathBuf> {
        self.target.starts_with('/').then(|| {
            // What was removed meanwhile is marked so.
            PathBuf::from(self.target.trim_end_matches(" (deleted)"))
        })
    }

    /// The other end's port, for a TCP connection.
    pub fn peer(&self) -> Option<u16> {
        let ends = self.target.strip_prefix("TCP:[")?.strip_suffix(']')?;
        let (_, peer) = ends.split_once("->")?;
        peer.rsplit_once(':')?.1.parse().ok()
    }
}

/// All calls of a trace.
pub fn calls(text: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut unfinished: BTreeMap<&str, usize> = BTreeMap::new();
    for (when, line) in text.lines().enumerate() {
        let Some((process, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        if rest.starts_with("<... ") {
            let begun = unfinished.remove(process);
            if let Some(call) = begun.and_then(|place| calls.get_mut(place)) {
                call.done = Some(when);
                call.returned = result(rest);
            }
            continue;
        }
        let Some(mut call) = begin(rest) else {
            continue;
        };
        call.begun = when;
        if rest.ends_with("<unfinished ...>") {
            unfinished.insert(process, calls.len());
        } else {
            call.done = Some(when);
            call.returned = result(rest);
        }
        calls.push(call);
    }
    calls
}

/// `name(3</a/file>, "bytes", 5, 4096) = 5`
fn begin(line: &str) -> Option<Call> {
    let (name, arguments) = line.split_once('(')?;
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None;
    }
    let digits = arguments.find(|c: char| !c.is_ascii_digit())?;
    let (target, rest) = match arguments.get(digits..)?.strip_prefix('<') {
        Some(decorated) => {
            let end = decoration(decorated)?;
            (decorated.get(..end)?, decorated.get(end + 1..)?)
        }
        None => ("", arguments.get(digits..)?),
    };
    let (bytes, after) = quoted(rest);
    // `, 4096, 8192) = 4096`, or unfinished after it.
    let mut numbers = after
        .split([',', ')', '<'])
        .map(|it| it.trim().parse::<u64>());
    let offset = match name {
        "pwrite64" => numbers.by_ref().flatten().nth(1),
        _ => None,
    };
    Some(Call {
        name: name.to_owned(),
        target: target.to_owned(),
        bytes: bytes.into(),
        offset,
        ..Call::default()
    })
}

/// Where a decoration ends: `TCP:[…->…]>` has a `>` inside.
fn decoration(text: &str) -> Option<usize> {
    match text.strip_prefix("TCP:[") {
        Some(ends) => Some(ends.find("]>")? + "TCP:[".len() + 1),
        None => text.find('>'),
    }
}

fn result(line: &str) -> Option<i64> {
    let (_, result) = line.rsplit_once(" = ")?;
    result.split(' ').next()?.parse().ok()
}

/// All quoted strings of a text, decoded, and what follows the last one.
fn quoted(text: &str) -> (Vec<u8>, &str) {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        let Some(body) = rest.get(start + 1..) else {
            break;
        };
        let end = unescape(body, &mut bytes);
        rest = body.get(end..).unwrap_or("");
    }
    (bytes, rest)
}

/// Decodes up to the closing quote; how far that is, the quote included.
fn unescape(body: &str, into: &mut Vec<u8>) -> usize {
    let bytes = body.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => break,
            b'\\' => {
                let Some(&escaped) = bytes.get(at) else { break };
                at += 1;
                into.push(match escaped {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'v' => 0x0b,
                    b'f' => 0x0c,
                    b'0'..=b'7' => {
                        let mut value = u32::from(escaped - b'0');
                        let mut digits = 1;
                        while digits < 3
                            && let Some(&digit @ b'0'..=b'7') = bytes.get(at)
                        {
                            value = value * 8 + u32::from(digit - b'0');
                            at += 1;
                            digits += 1;
                        }
                        u8::try_from(value).unwrap_or(0)
                    }
                    other => other,
                });
            }
            plain => into.push(plain),
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_overlap_are_put_together() {
        let text = concat!(
            "7 pwrite64(3</d/x-wal>, \"a\\0\\12\\\"b\", 5, 4096) = 5\n",
            "7 fdatasync(3</d/x-wal> <unfinished ...>\n",
            "8 sendto(9<TCP:[127.0.0.1:80->127.0.0.1:5000]>, \"\\202\", 1, MSG_NOSIGNAL, NULL, 0) = 1\n",
            "7 <... fdatasync resumed>)          = 0\n",
        );
        let calls = calls(text);
        assert_eq!(calls.len(), 3);
        assert_eq!(&calls[0].bytes[..], b"a\0\n\"b");
        assert_eq!(calls[0].offset, Some(4096));
        assert_eq!(calls[0].file(), Some("/d/x-wal".into()));
        assert_eq!((calls[1].begun, calls[1].done), (1, Some(3)));
        assert_eq!(calls[1].returned, Some(0));
        assert_eq!(calls[2].peer(), Some(5000));
        assert_eq!(&calls[2].bytes[..], [0x82]);
    }

    #[test]
    fn several_pieces_are_one_call() {
        let line = "7 writev(9<TCP:[127.0.0.1:80->127.0.0.1:5]>, [{iov_base=\"a\", iov_len=1}, {iov_base=\"bc\", iov_len=2}], 2) = 3\n";
        assert_eq!(&calls(line)[0].bytes[..], b"abc");
    }
}
