//! Editing traces: what people typed, edit by edit. Must not know how they are replayed.
//!
//! Recorded traces (josephg/editing-traces, CC BY 4.0) are looked for in `COLLAB_TRACES`, else in
//! `../shared/traces` beside the checkout; without one, a trace of the same shape is made.

use std::io::Read;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// One edit: where (in characters; the traces are ASCII), how much goes, what comes.
#[derive(Debug, Clone)]
pub struct Patch {
    /// Offset in the text before this edit.
    pub at: u32,
    /// Characters deleted.
    pub delete: u32,
    /// Text inserted.
    pub insert: String,
}

/// A recorded or made trace of one author.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Where it is from, for the name of the benchmark.
    pub name: String,
    /// In order.
    pub patches: Vec<Patch>,
    /// The text at the end.
    pub end: String,
}

/// The recorded trace of a paper being written, 259,778 edits, cut to `edits`; or a made one.
pub fn paper(edits: usize) -> Trace {
    recorded("automerge-paper.json.gz", edits).unwrap_or_else(|| made(edits, 7))
}

fn folder() -> PathBuf {
    std::env::var_os("COLLAB_TRACES").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/traces")),
        PathBuf::from,
    )
}

fn recorded(file: &str, edits: usize) -> Option<Trace> {
    let bytes = std::fs::read(folder().join(file)).ok()?;
    let mut json = String::new();
    GzDecoder::new(&bytes[..]).read_to_string(&mut json).ok()?;
    let value: serde_json::Value = serde_json::from_str(&json).ok()?;
    let mut patches = Vec::with_capacity(edits);
    for patch in value["txns"]
        .as_array()?
        .iter()
        .filter_map(|txn| txn["patches"].as_array())
        .flatten()
        .take(edits)
    {
        patches.push(Patch {
            at: u32::try_from(patch[0].as_u64()?).ok()?,
            delete: u32::try_from(patch[1].as_u64()?).ok()?,
            insert: patch[2].as_str()?.to_owned(),
        });
    }
    Some(finish(file.trim_end_matches(".json.gz"), patches))
}

/// Bursts of typing, jumps of the caret, deletions and a paste now and then.
pub fn made(edits: usize, seed: u64) -> Trace {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut length = 0u32;
    let mut caret = 0u32;
    let mut patches = Vec::with_capacity(edits);
    while patches.len() < edits {
        if chance.random_ratio(1, 40) {
            caret = chance.random_range(0..=length);
        }
        let delete = if caret > 0 && chance.random_ratio(1, 4) {
            1
        } else {
            0
        };
        let insert = match () {
            () if delete > 0 => String::new(),
            () if chance.random_ratio(1, 800) => "pasted text ".repeat(12),
            () => char::from(chance.random_range(b'a'..=b'z')).to_string(),
        };
        caret -= delete;
        patches.push(Patch {
            at: caret,
            delete,
            insert: insert.clone(),
        });
        let inserted = u32::try_from(insert.len()).expect("a short insert");
        caret += inserted;
        length = length + inserted - delete;
    }
    finish("made", patches)
}

fn finish(name: &str, patches: Vec<Patch>) -> Trace {
    let mut text = Vec::<u8>::new();
    for patch in &patches {
        let at = usize::try_from(patch.at).expect("an offset fits");
        let gone = usize::try_from(patch.delete).expect("a length fits");
        text.splice(at..at + gone, patch.insert.bytes());
    }
    Trace {
        name: name.to_owned(),
        patches,
        end: String::from_utf8(text).expect("the traces are ASCII"),
    }
}
