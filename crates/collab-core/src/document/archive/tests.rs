//! What goes in comes out, whatever it is; damage is an error or other turns, never a panic.

use proptest::prelude::*;

use super::*;
use crate::document::{Document, Edit, FileId};
use crate::ids::{Offset, ReplicaId};

fn as_kept(turns: &[Logged]) -> Vec<Logged> {
    let kept = |turn: &Logged| Logged {
        at: rounded(turn.at),
        delta: turn.delta.clone(),
    };
    turns.iter().map(kept).collect()
}

fn logged(at: u64, delta: &[u8]) -> Logged {
    Logged {
        at,
        delta: delta.to_vec(),
    }
}

/// Two people who type, delete and jump about, and see each other now and then.
fn typed(steps: &[(bool, u32, u32, String)]) -> Vec<Logged> {
    let main = FileId::main();
    let mut people = [1, 2].map(|id| Document::new(ReplicaId::ours(id)));
    let mut turns = Vec::new();
    for (at, (who, place, delete, insert)) in steps.iter().enumerate() {
        let person = &mut people[usize::from(*who)];
        let len = person.text_len(&main);
        let from = place % (len + 1);
        let edit = Edit {
            at: Offset(from),
            delete: (*delete).min(len - from),
            insert: insert.clone(),
        };
        let Ok(delta) = person.edit(&main, &[edit]) else {
            continue;
        };
        if !delta.is_empty() {
            turns.push(logged(1_700_000_000_000 + at as u64 * 77, &delta));
            people[usize::from(!*who)]
                .apply_kept(&[delta])
                .expect("honest");
        }
    }
    turns
}

#[test]
fn a_typed_letter_costs_no_more_than_its_column_says() {
    let steps: Vec<_> = (0..1000).map(|at| (false, at, 0, "x".to_owned())).collect();
    let turns = typed(&steps);
    assert_eq!(turns.len(), 1000);
    let columns = encode(&turns);
    assert_eq!(decode(&columns), Ok(as_kept(&turns)));
    let places = columns.0[Columns::PLACES].len();
    assert_eq!(places, 0, "each letter is where it is expected");
}

impl Columns {
    const PLACES: usize = columns::Column::Place as usize;
}

#[test]
fn backspaces_are_expected() {
    let mut steps: Vec<_> = (0..100).map(|at| (false, at, 0, "x".to_owned())).collect();
    steps.extend((0..50).map(|back| (false, 99 - back, 1, String::new())));
    let turns = typed(&steps);
    let columns = encode(&turns);
    assert_eq!(decode(&columns), Ok(as_kept(&turns)));
    assert_eq!(columns.0[Columns::PLACES].len(), 0);
}

#[test]
fn nothing_is_an_archive_too() {
    assert_eq!(decode(&encode(&[])), Ok(Vec::new()));
}

#[test]
fn what_is_not_an_update_is_kept_as_it_is() {
    let turns = [
        logged(5, b""),
        logged(4, b"\xff\xff"),
        logged(u64::MAX, b"\0\0"),
        logged(0, b"\0"),
    ];
    assert_eq!(decode(&encode(&turns)), Ok(as_kept(&turns)));
}

#[test]
fn more_than_may_be_read_is_an_error() {
    let mut columns = Columns::default();
    columns.0[0] = vec![0; MAX_TURNS + 1];
    assert_eq!(decode(&columns), Err(BadArchive::TooLarge));
}

/// Maps, arrays, XML, formats and embeds, as Yjs wrote them.
#[test]
fn documents_of_other_editors_come_back() {
    let doc = yrs::Doc::with_client_id(7);
    let mut turns = Vec::new();
    let mut at = 0;
    let mut keep = |txn: yrs::TransactionMut<'_>| {
        at += 1000;
        turns.push(logged(at, &txn.encode_update_v1()));
    };
    use yrs::{Array, Map, Text, Transact, WriteTxn, XmlFragment};
    for round in 0..20u32 {
        let mut txn = doc.transact_mut();
        let map = txn.get_or_insert_map("m");
        map.insert(&mut txn, format!("k{}", round % 3), round);
        keep(txn);
        let mut txn = doc.transact_mut();
        let list = txn.get_or_insert_array("a");
        list.push_back(&mut txn, f64::from(round));
        if round % 4 == 3 {
            list.remove_range(&mut txn, 0, 2);
        }
        keep(txn);
        let mut txn = doc.transact_mut();
        let xml = txn.get_or_insert_xml_fragment("x");
        xml.push_back(&mut txn, yrs::XmlElementPrelim::empty("p"));
        keep(txn);
        let mut txn = doc.transact_mut();
        let text = txn.get_or_insert_text("t");
        text.insert(&mut txn, 0, "wörld 😀 ");
        let bold = [("bold".into(), true.into())].into_iter().collect();
        text.format(&mut txn, 0, 3, bold);
        keep(txn);
    }
    let columns = encode(&turns);
    assert_eq!(decode(&columns), Ok(as_kept(&turns)));
    let shapes = &columns.0[0];
    assert!(shapes.iter().all(|shape| *shape != 0), "none is kept raw");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_turn_comes_back(
        steps in prop::collection::vec(
            (any::<bool>(), 0u32..200, 0u32..4, "[a-zé😀]{0,3}"), 0..120)
    ) {
        let turns = typed(&steps);
        prop_assert_eq!(decode(&encode(&turns)), Ok(as_kept(&turns)));
    }

    #[test]
    fn damage_is_an_error_or_other_turns(
        column in 0..COLUMNS, at in any::<prop::sample::Index>(), bits in 1u8..,
        bytes in prop::collection::vec(any::<u8>(), 0..30), replace in any::<bool>()
    ) {
        let steps: Vec<_> = (0..60u32).map(|at| (at % 7 == 0, at * 13 % 50, at % 3, "ab".to_owned())).collect();
        let mut columns = encode(&typed(&steps));
        let column = &mut columns.0[column];
        if replace {
            *column = bytes;
        } else if !column.is_empty() {
            let at = at.index(column.len());
            column[at] ^= bits;
        }
        let _: Result<Vec<Logged>, BadArchive> = decode(&columns);
    }
}
