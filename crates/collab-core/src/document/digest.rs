//! A digest of what a document *says*: every root type by name, its text or list with formats, its
//! entries, and everything nested in them. Two replicas with the same updates have the same one,
//! however their bytes are laid out. Must not know updates.
//!
//! Safe on hostile documents: no recursion over types, and no walk that the engine does not finish.
//! (Its array iterator never ends on a text with an astral character inside an array, so lists that
//! hold text are read the way a text is, and a list walk is bounded by the list's length.)

use std::collections::VecDeque;

use sha2::{Digest as _, Sha256};
use yrs::branch::{Branch, BranchPtr};
use yrs::types::text::YChange;
use yrs::types::{Attrs, TypeRef};
use yrs::{Any, Array, ArrayRef, Map, MapRef, Out, ReadTxn, Text, TextRef};

/// SHA-256 of a document's content in a canonical form. The form may change between versions of
/// Collab: compare digests, do not keep them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("digest:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Digests everything that a reader of the document can see.
pub(super) fn content<T: ReadTxn>(txn: &T) -> Digest {
    let mut roots: Vec<(&str, Out)> = txn.root_refs().collect();
    roots.sort_by_key(|(name, _)| *name);
    let mut canon = Canon::default();
    for (name, root) in &roots {
        let Some(branch) = root.try_branch() else {
            continue;
        };
        // A root type exists as soon as anybody looks at it.
        let entries = entries(txn, branch);
        if branch.content_len() == 0 && branch.len() == 0 && entries.is_empty() {
            let shown = TextRef::from(BranchPtr::from(branch)).diff(txn, YChange::identity);
            if shown.is_empty() {
                continue;
            }
        }
        canon.tag(b'R');
        canon.text(name);
        canon.branch(txn, branch, entries);
        // Types inside, in the order in which they were met, and those inside them.
        while let Some(nested) = canon.nested.pop_front() {
            let Some(branch) = nested.try_branch() else {
                continue;
            };
            canon.tag(b'N');
            canon.kind(branch.type_ref());
            let inside = self::entries(txn, branch);
            canon.branch(txn, branch, inside);
        }
    }
    Digest(canon.hash.finalize().into())
}

/// A digest of bytes.
pub(super) fn of_bytes(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

fn entries<T: ReadTxn>(txn: &T, branch: &Branch) -> Vec<(String, Out)> {
    let map = MapRef::from(BranchPtr::from(branch));
    let mut entries: Vec<(String, Out)> = map
        .iter(txn)
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    entries
}

/// The canonical form, on its way into the hash.
#[derive(Default)]
struct Canon {
    hash: Sha256,
    /// Shared types that were met and are still to be written.
    nested: VecDeque<Out>,
}

impl Canon {
    fn tag(&mut self, tag: u8) {
        self.hash.update([tag]);
    }

    fn number(&mut self, number: u64) {
        self.hash.update(number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.hash.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn kind(&mut self, kind: &TypeRef) {
        let name = match kind {
            TypeRef::Array => "array",
            TypeRef::Map => "map",
            TypeRef::Text => "text",
            TypeRef::XmlElement(tag) => {
                self.text(tag);
                "xml-element"
            }
            TypeRef::XmlFragment => "xml-fragment",
            TypeRef::XmlHook => "xml-hook",
            TypeRef::XmlText => "xml-text",
            TypeRef::SubDoc => "document",
            TypeRef::Undefined => "undefined",
        };
        self.text(name);
    }

    fn branch<T: ReadTxn>(&mut self, txn: &T, branch: &Branch, entries: Vec<(String, Out)>) {
        self.sequence(txn, branch);
        for (key, value) in entries {
            self.tag(b'K');
            self.text(&key);
            self.value(value);
        }
    }

    /// The list or text of a type.
    fn sequence<T: ReadTxn>(&mut self, txn: &T, branch: &Branch) {
        let text = TextRef::from(BranchPtr::from(branch));
        self.number(u64::from(text.len(txn)));
        let pieces = text.diff(txn, YChange::identity);
        let has_text = pieces
            .iter()
            .any(|piece| matches!(piece.insert, Out::Any(Any::String(_))));
        let has_formats = pieces.iter().any(|piece| piece.attributes.is_some());
        if has_text || has_formats {
            self.pieces(
                pieces
                    .into_iter()
                    .map(|piece| (piece.insert, piece.attributes)),
            );
        } else {
            // Values and binaries do not show in a text's pieces.
            let list = ArrayRef::from(BranchPtr::from(branch));
            let bound = usize::try_from(text.len(txn)).unwrap_or(usize::MAX);
            for value in list.iter(txn).take(bound) {
                self.tag(b'V');
                self.value(value);
            }
        }
    }

    /// Pieces of text with their formats, neighbours of one format joined.
    fn pieces(&mut self, pieces: impl Iterator<Item = (Out, Option<Box<Attrs>>)>) {
        let mut run = String::new();
        let mut format: Option<Box<Attrs>> = None;
        for (value, attributes) in pieces {
            if attributes != format {
                self.run(&mut run);
                format = attributes;
                self.tag(b'F');
                self.format(format.as_deref());
            }
            match value {
                Out::Any(Any::String(text)) => run.push_str(&text),
                object => {
                    self.run(&mut run);
                    self.tag(b'V');
                    self.value(object);
                }
            }
        }
        self.run(&mut run);
    }

    fn run(&mut self, run: &mut String) {
        if !run.is_empty() {
            self.tag(b'T');
            self.text(run);
            run.clear();
        }
    }

    fn format(&mut self, attributes: Option<&Attrs>) {
        let mut sorted: Vec<_> = attributes.into_iter().flatten().collect();
        sorted.sort_by(|a, b| a.0.cmp(b.0));
        self.number(sorted.len() as u64);
        for (key, value) in sorted {
            self.text(key);
            self.any(value);
        }
    }

    fn value(&mut self, value: Out) {
        match value {
            Out::Any(any) => self.any(&any),
            // Refused by the gate, so there is none.
            Out::YDoc(_) => self.tag(b'D'),
            shared => {
                self.tag(b'S');
                self.nested.push_back(shared);
            }
        }
    }

    /// A JSON-like value. Recursion is bounded by the gate's `MAX_VALUE_DEPTH`.
    fn any(&mut self, any: &Any) {
        match any {
            Any::Null => self.tag(b'0'),
            Any::Undefined => self.tag(b'u'),
            Any::Bool(value) => self.tag(if *value { b't' } else { b'f' }),
            Any::Number(number) => {
                self.tag(b'n');
                // An integer may come back as a float and the other way round.
                match number.as_f64() {
                    Some(float) => self.number(float.to_bits()),
                    None => self.text(&number.to_string()),
                }
            }
            Any::String(text) => {
                self.tag(b's');
                self.text(text);
            }
            Any::Buffer(bytes) => {
                self.tag(b'b');
                self.bytes(bytes);
            }
            Any::Array(values) => {
                self.tag(b'[');
                self.number(values.len() as u64);
                values.iter().for_each(|value| self.any(value));
            }
            Any::Map(values) => {
                self.tag(b'{');
                self.number(values.len() as u64);
                let mut sorted: Vec<_> = values.iter().collect();
                sorted.sort_by(|a, b| a.0.cmp(b.0));
                for (key, value) in sorted {
                    self.text(key);
                    self.any(value);
                }
            }
        }
    }
}
