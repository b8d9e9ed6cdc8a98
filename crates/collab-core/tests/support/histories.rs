//! Histories as honest editors write them: several replicas that edit texts with formats and
//! embeds, maps, lists, nested types and XML, now and then hear of each other, and emit one update
//! per change. Made with bare yrs, so that nothing of ours has touched them.

use std::collections::BTreeSet;
use std::sync::Arc;

use yrs::types::Attrs;
use yrs::updates::decoder::Decode;
use yrs::{
    Any, Array, ArrayPrelim, ClientID, Doc, Map, MapPrelim, OffsetKind, Options, ReadTxn, Text,
    TextPrelim, Transact, TransactionMut, Update, WriteTxn, Xml, XmlElementPrelim, XmlFragment,
    XmlOut, XmlTextPrelim,
};

use super::random::Random;

const WORDS: [&str; 10] = [
    "a",
    "hello ",
    "\n",
    "😀",
    "é",
    "日本",
    "👨\u{200d}👩\u{200d}👧",
    "fn main() {}",
    "x😀",
    " ",
];

/// What a history is made of.
#[derive(Clone, Copy)]
pub struct Shape {
    pub replicas: usize,
    pub changes: usize,
    /// Only the text of `file:main`, without formats and embeds.
    pub plain: bool,
}

/// A bare document of the engine that counts like Yjs.
pub fn bare(client: u64) -> Doc {
    Doc::with_options(Options {
        offset_kind: OffsetKind::Utf16,
        cleanup_formatting: false,
        ..Options::with_client_id(ClientID::new(client))
    })
}

/// Updates in an order in which each builds only on earlier ones.
pub fn history(random: &mut Random, shape: Shape) -> Vec<Vec<u8>> {
    let mut ids = BTreeSet::new();
    while ids.len() < shape.replicas {
        ids.insert(client_id(random));
    }
    let docs: Vec<Doc> = ids.into_iter().map(bare).collect();
    let mut heard = vec![0; docs.len()];
    let mut log: Vec<(usize, Vec<u8>)> = Vec::new();
    while log.len() < shape.changes {
        let author = random.below(docs.len());
        if random.chance(3) {
            let until = heard[author] + random.below(log.len() - heard[author] + 1);
            hear(&docs[author], author, &log[heard[author]..until]);
            heard[author] = until;
        }
        let mut txn = docs[author].transact_mut();
        for _ in 0..=random.below(3) {
            if shape.plain {
                edit_text(random, &mut txn, false);
            } else {
                change(random, &mut txn);
            }
        }
        txn.commit();
        if txn.has_changes() {
            log.push((author, txn.encode_update_v1()));
        }
    }
    log.into_iter().map(|(_, update)| update).collect()
}

fn hear(doc: &Doc, listener: usize, updates: &[(usize, Vec<u8>)]) {
    let mut txn = doc.transact_mut();
    for (author, update) in updates {
        if *author != listener {
            let update = Update::decode_v1(update).expect("made by yrs");
            txn.apply_update(update).expect("made by yrs");
        }
    }
}

/// Small ids, 32-bit ids as Yjs 13 draws them, 53-bit ids as Yjs 14 and yrs do.
fn client_id(random: &mut Random) -> u64 {
    let bits = *random.pick(&[7, 32, 53]);
    random.next() >> (64 - bits)
}

fn word(random: &mut Random) -> &'static str {
    random.pick::<&'static str>(&WORDS)
}

fn change(random: &mut Random, txn: &mut TransactionMut<'_>) {
    match random.below(10) {
        0..=4 => edit_text(random, txn, true),
        5 => edit_map(random, txn),
        6 => edit_list(random, txn),
        7 => edit_nested(random, txn),
        _ => edit_xml(random, txn),
    }
}

fn edit_text(random: &mut Random, txn: &mut TransactionMut<'_>, rich: bool) {
    let text = txn.get_or_insert_text("file:main");
    let len = text.len(txn);
    let at = random.small(len + 1);
    let some = (random.small(5) + 1).min(len - at);
    match random.below(if rich { 8 } else { 5 }) {
        0..=2 => text.insert(txn, at, word(random)),
        3 | 4 if some > 0 => text.remove_range(txn, at, some),
        5 | 6 if some > 0 => {
            let format = match random.below(3) {
                0 => Any::Null,
                1 => Any::from(true),
                _ => Any::from("red"),
            };
            let key = *random.pick(&["bold", "color"]);
            text.format(txn, at, some, Attrs::from([(Arc::from(key), format)]));
        }
        7 => {
            text.insert_embed(txn, at, any(random, 2));
        }
        _ => text.insert(txn, at, word(random)),
    }
}

fn any(random: &mut Random, depth: usize) -> Any {
    match random.below(if depth == 0 { 7 } else { 9 }) {
        0 => Any::Null,
        1 => Any::Bool(random.chance(2)),
        2 => Any::from(random.below(1000) as i64 - 500),
        3 => Any::from(f64::from(random.small(u32::MAX)) / 7.0),
        4 => Any::from(1i64 << random.below(53)),
        5 => Any::from(word(random)),
        6 => Any::Undefined,
        7 => (0..random.below(4))
            .map(|_| any(random, depth - 1))
            .collect::<Vec<_>>()
            .into(),
        // One entry at most: the engine writes them in the order of a hash table.
        _ => Any::Map(Arc::new(
            (0..random.below(2))
                .map(|i| (format!("k{i}"), any(random, depth - 1)))
                .collect(),
        )),
    }
}

fn edit_map(random: &mut Random, txn: &mut TransactionMut<'_>) {
    let map = txn.get_or_insert_map("meta");
    let key = *random.pick(&["name", "a", "b", "日本"]);
    match random.below(6) {
        0 => {
            map.remove(txn, key);
        }
        1 => {
            map.insert(txn, key, vec![random.byte(); random.below(9)]);
        }
        _ => {
            map.insert(txn, key, any(random, 2));
        }
    }
}

fn edit_list(random: &mut Random, txn: &mut TransactionMut<'_>) {
    let list = txn.get_or_insert_array("list");
    let len = list.len(txn);
    let at = random.small(len + 1);
    if at < len && random.chance(3) {
        list.remove(txn, at);
    } else if random.chance(4) {
        list.insert(txn, at, vec![random.byte(); 3]);
    } else {
        let values: Vec<Any> = (0..=random.below(3)).map(|_| any(random, 1)).collect();
        list.insert_range(txn, at, values);
    }
}

fn edit_nested(random: &mut Random, txn: &mut TransactionMut<'_>) {
    let files = txn.get_or_insert_map("files");
    let key = *random.pick(&["main", "b"]);
    match files.get(txn, key) {
        Some(yrs::Out::YMap(entry)) if !random.chance(4) => {
            entry.insert(txn, "path", word(random));
        }
        Some(yrs::Out::YText(text)) if !random.chance(4) => {
            text.insert(txn, 0, word(random));
        }
        Some(yrs::Out::YArray(list)) if !random.chance(4) => {
            list.push_back(txn, any(random, 1));
        }
        Some(_) if random.chance(2) => {
            files.remove(txn, key);
        }
        _ => match random.below(3) {
            0 => {
                files.insert(txn, key, MapPrelim::from([("path", "main.rs")]));
            }
            1 => {
                files.insert(txn, key, TextPrelim::new("nested"));
            }
            _ => {
                files.insert(txn, key, ArrayPrelim::from([1, 2]));
            }
        },
    }
}

fn edit_xml(random: &mut Random, txn: &mut TransactionMut<'_>) {
    let root = txn.get_or_insert_xml_fragment("prose");
    let len = root.len(txn);
    let at = random.small(len + 1);
    if at < len && random.chance(4) {
        root.remove_range(txn, at, 1);
        return;
    }
    match root.get(txn, at) {
        Some(XmlOut::Element(element)) => match random.below(3) {
            0 => {
                element.insert_attribute(txn, "level", "2");
            }
            1 => {
                element.push_back(txn, XmlTextPrelim::new(word(random)));
            }
            _ => {
                element.push_back(txn, XmlElementPrelim::empty("b"));
            }
        },
        Some(XmlOut::Text(text)) => text.insert(txn, 0, word(random)),
        _ => {
            if random.chance(2) {
                root.insert(txn, at, XmlElementPrelim::empty("p"));
            } else {
                root.insert(txn, at, XmlTextPrelim::new("t"));
            }
        }
    }
}

/// The whole state of a bare document that heard everything, as an up-to-date peer would send it.
pub fn whole(updates: &[Vec<u8>]) -> Vec<u8> {
    let doc = bare(1);
    let everything: Vec<(usize, Vec<u8>)> = updates.iter().map(|u| (1, u.clone())).collect();
    hear(&doc, 0, &everything);
    let txn = doc.transact();
    txn.encode_state_as_update_v1(&yrs::StateVector::default())
}
