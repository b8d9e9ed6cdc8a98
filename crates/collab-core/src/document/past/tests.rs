//! Merged turns are the turns; a trail is the text at every moment; lines and sums are what a plain
//! count says. Each against the engine itself, turn by turn, over what three people do to texts, lists
//! and trees at once.

use std::collections::BTreeMap;

use proptest::prelude::*;
use yrs::updates::decoder::Decode as _;
use yrs::{
    Any, Array, ClientID, Doc, Map, OffsetKind, Options, ReadTxn as _, Text, Transact as _, Update,
    WriteTxn as _, XmlElementPrelim, XmlFragment,
};

use super::*;
use crate::document::{Document, Offer, Outcome};
use crate::ids::ReplicaId;

/// Who does what, where and how much of it.
type Step = (usize, u8, u32, u32, String);

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (0usize..3, 0u8..16, any::<u32>(), 0u32..6, "[a-z\né😀]{1,5}");
    prop::collection::vec(step, 1..most)
}

fn person(id: u64) -> Doc {
    let mut options = Options::with_client_id(ClientID::new(id));
    options.offset_kind = OffsetKind::Utf16;
    Doc::with_options(options)
}

/// What one person does; the update of it.
fn act(doc: &Doc, (_, kind, place, amount, insert): &Step) -> Vec<u8> {
    let mut txn = doc.transact_mut();
    let text = txn.get_or_insert_text("t");
    let shown = yrs::GetString::get_string(&text, &txn);
    // Nowhere inside a surrogate pair: that is a test of its own.
    let bounds: Vec<u32> = (0..=shown.len())
        .filter(|at| shown.is_char_boundary(*at))
        .map(|at| u32::try_from(shown[..at].encode_utf16().count()).expect("short"))
        .collect();
    let plain = text.len(&txn) == *bounds.last().expect("at least 0");
    let bound = |at: u32| bounds[at as usize % bounds.len()];
    match kind {
        0..=6 if plain => text.insert(&mut txn, bound(*place), insert),
        7..=9 if plain => {
            let (a, b) = (bound(*place), bound(place.wrapping_add(*amount)));
            if a != b {
                text.remove_range(&mut txn, a.min(b), a.abs_diff(b));
            }
        }
        0..=8 => text.push(&mut txn, insert),
        9 | 10 => {
            let map = txn.get_or_insert_map("m");
            map.insert(&mut txn, format!("k{}", place % 3), insert.as_str());
        }
        11 => {
            let list = txn.get_or_insert_array("a");
            list.push_back(&mut txn, insert.as_str());
            if list.len(&txn) > 3 {
                list.remove_range(&mut txn, 0, 2);
            }
        }
        12 => {
            let tree = txn.get_or_insert_xml_fragment("x");
            let child = tree.push_back(&mut txn, XmlElementPrelim::empty("p"));
            child.push_back(&mut txn, XmlElementPrelim::empty("q"));
            if tree.len(&txn) > 2 {
                tree.remove_range(&mut txn, 0, 1);
            }
        }
        13 if plain && bounds.len() > 1 => {
            let bold = [("bold".into(), true.into())].into_iter().collect();
            text.format(&mut txn, 0, bounds[1], bold);
        }
        14 => {
            let end = text.len(&txn);
            text.insert_embed(&mut txn, end, Any::from(4.5));
        }
        _ => {
            let end = text.len(&txn);
            text.insert_embed(&mut txn, end, yrs::MapPrelim::default());
        }
    }
    txn.encode_update_v1()
}

/// The turns of a room in which this happens; everybody hears of everything now and then.
fn room(steps: &[Step]) -> Vec<Vec<u8>> {
    let people = [11, 7, 300].map(person);
    let mut server = Document::new(ReplicaId::ours(1));
    let mut turns = Vec::new();
    for step in steps {
        let who = step.0;
        if step.3 > 2 {
            let known = people[who].transact().state_vector();
            let known = yrs::updates::encoder::Encode::encode_v1(&known);
            let known = crate::document::StateVector::decode(&known).expect("honest");
            let update = server.diff(&known).expect("sound");
            let update = Update::decode_v1(&update).expect("honest");
            people[who]
                .transact_mut()
                .apply_update(update)
                .expect("honest");
        }
        let update = act(&people[who], step);
        let offer = Offer {
            update: &update,
            new_replicas: 3,
        };
        let turn = server.apply(&[offer]).expect("honest");
        assert!(
            matches!(turn.outcomes[..], [Outcome::Applied { .. }]),
            "{:?}",
            turn.outcomes
        );
        if !turn.delta.is_empty() {
            turns.push(turn.delta.to_vec());
        }
    }
    turns
}

fn loaded(turns: &[Vec<u8>]) -> Document {
    Document::load(ReplicaId::ours(0), turns.iter().map(|turn| &turn[..])).expect("sound")
}

fn assert_same(one: &Document, other: &Document) {
    assert_eq!(one.state_vector(), other.state_vector());
    assert_eq!(one.digest(), other.digest());
    assert_eq!(one.deletions_digest(), other.deletions_digest());
}

/// Follows a trail over all turns behind `from` and compares it with the engine after each.
fn follow(turns: &[Vec<u8>], from: usize, root: &str) {
    let mut past = Past::of_texts();
    for turn in &turns[..from] {
        past.turn(turn).expect("sound");
    }
    past.mark().expect("sound");
    for turn in &turns[from..] {
        past.turn(turn).expect("sound");
    }
    let (mut trail, _) = Trail::new(past, root).expect("sound");
    let mut text: Vec<u16> = trail.text().encode_utf16().collect();
    assert_eq!(trail.text(), loaded(&turns[..from]).root_text(root));
    for (at, turn) in turns.iter().enumerate().skip(from) {
        let changes = trail.turn(turn, at as u64).expect("sound");
        assert!(changes.len() as u64 <= lines_at_most(turn).expect("sound"));
        for replacement in changes.iter().flat_map(|change| &change.replacements) {
            let from = replacement.at as usize;
            let to = from + replacement.removed as usize;
            text.splice(from..to, replacement.inserted.encode_utf16());
        }
        let shown = loaded(&turns[..=at]).root_text(root);
        assert_eq!(String::from_utf16_lossy(&text), shown);
        assert_eq!(trail.text(), shown);
    }
}

#[test]
fn typed_letters_become_one_text() {
    let step = |letter: &str, at| (0, 0, at, 0, letter.to_owned());
    let turns = room(&[step("a", 0), step("b", 1), step("c", 2)]);
    let mut merged = merged::Merged::default();
    for turn in &turns {
        assert_eq!(merged.push(turn, true), Ok(true));
    }
    let update = merged.finish();
    let mut blocks = 0;
    seen::each(&update, |_| {
        blocks += 1;
        Ok(())
    })
    .expect("sound");
    assert_eq!(blocks, 1);
    assert_same(&loaded(&[update]), &loaded(&turns));
}

/// A room brought back what its database had lost: a log that says things twice.
#[test]
fn what_is_said_again_is_neither_new_nor_lost() {
    let step = |letter: &str, at| (0, 0, at, 0, letter.to_owned());
    let mut turns = room(&[step("a", 0), step("b", 1), step("c\nd", 2)]);
    let whole = loaded(&turns).encode().expect("sound").to_vec();
    turns.truncate(2);
    turns.push(whole);
    let mut past = Past::default();
    for turn in &turns {
        past.turn(turn).expect("sound");
    }
    assert_same(&past.document().expect("sound"), &loaded(&turns));
    for from in 0..turns.len() {
        follow(&turns, from, "t");
    }
}

#[test]
fn a_missing_turn_is_an_error() {
    let step = |letter: &str, at| (0, 0, at, 0, letter.to_owned());
    let turns = room(&[step("a", 0), step("b", 1), step("c", 2)]);
    let mut past = Past::default();
    past.turn(&turns[0]).expect("sound");
    let missed = past
        .turn(&turns[2])
        .and_then(|()| past.document().map(drop));
    assert_eq!(missed, Err(BadPast::Gap));
    assert!(matches!(
        Past::default().turn(b"junk"),
        Err(BadPast::Turn(_))
    ));
}

#[test]
fn deletions_have_the_hand_that_was_there() {
    // 11 types, 7 types elsewhere, 11 goes on and takes the last letter back.
    let turns = room(&[
        (0, 0, 0, 0, "abc".to_owned()),
        (1, 0, 0, 5, "xyz".to_owned()),
        (0, 0, 0, 5, "d".to_owned()),
    ]);
    let mut document = loaded(&turns);
    let text = document.root_text("t");
    let at = u32::try_from(text.find('d').expect("is there")).expect("short");
    let back = crate::document::Edit {
        at: crate::ids::Offset(at),
        delete: 1,
        insert: String::new(),
    };
    let back = document.edit_root("t", &[back]).expect("fits").to_vec();
    let mut past = Past::of_texts();
    past.mark().expect("sound");
    for turn in turns.iter().chain([&back]) {
        past.turn(turn).expect("sound");
    }
    let (mut trail, _) = Trail::new(past, "t").expect("sound");
    let mut last = Vec::new();
    for turn in turns.iter().chain([&back]) {
        last = trail.turn(turn, 0).expect("sound");
    }
    assert_eq!(last.len(), 1);
    assert_eq!(
        (last[0].replica, last[0].replacements[0].removed),
        (Some(11), 1)
    );
    // Much later, of two people nobody knows who it was.
    let mut hands = hands::Hands::default();
    let range = |replica, clock| seen::Range {
        replica,
        clock,
        units: 1,
    };
    hands.inserted(range(11, 0), 0);
    hands.inserted(range(7, 0), 0);
    assert_eq!(hands.deleted(&[range(11, 40)], None, 1), None);
    assert_eq!(hands.deleted(&[range(11, 1)], None, 1), Some(11));
    assert_eq!(hands.deleted(&[range(11, 1)], None, HAND_MS * 2), None);
}

#[test]
fn a_line_is_whose_words_still_stand_in_it() {
    let turns = room(&[
        (0, 0, 0, 0, "one\ntwo".to_owned()),
        (1, 0, 7, 5, "\n".to_owned()),
        (1, 0, 8, 0, "tre".to_owned()),
    ]);
    let mut past = Past::of_texts();
    for turn in &turns {
        past.turn(turn).expect("sound");
    }
    let mut document = past.document().expect("sound");
    assert_eq!(document.root_text("t"), "one\ntwo\ntre");
    let said = |name: &str| Named {
        name: name.to_owned(),
        color: "#123456".to_owned(),
    };
    let said = [
        (ReplicaId::ours(11), said("Ana")),
        (ReplicaId::ours(7), said("Ben")),
        (ReplicaId::ours(8), said("No")),
    ];
    let authors = Authors::of(said, &document.state_vector());
    assert_eq!(authors.list().len(), 2, "who wrote nothing is no author");
    let mut blame = Blame::new(&mut document, "t").expect("sound");
    for (at, turn) in turns.iter().enumerate() {
        blame.turn(turn, at as u64 * 10).expect("sound");
    }
    let run = |lines, author, at| BlameRun {
        lines,
        author: Some(author),
        at: Some(at),
    };
    // Enter behind Ana's words writes none of them.
    assert_eq!(blame.finish(&authors), [run(2, 0, 0), run(1, 1, 20)]);
    // What the log begins with is older than anybody knows.
    let mut blame = Blame::new(&mut document, "t").expect("sound");
    blame.base(&turns[0]).expect("sound");
    for turn in &turns {
        blame.turn(turn, 5).expect("sound");
    }
    let runs = blame.finish(&authors);
    assert_eq!((runs[0].lines, runs[0].author, runs[0].at), (2, None, None));
    assert_eq!(runs[1], run(1, 1, 5));
}

#[test]
fn activity_counts_text_alone() {
    let turns = room(&[
        (0, 0, 0, 0, "abcd".to_owned()),
        (0, 10, 0, 0, "not a text".to_owned()),
        (1, 0, 0, 5, "xy".to_owned()),
        (1, 7, 0, 2, String::new()),
    ]);
    let mut activity = Activity::new(100, 399, 3);
    assert_eq!(activity.bucket_ms(), 100);
    for (at, turn) in turns.iter().enumerate() {
        activity.turn(turn, 100 + at as u64 * 100).expect("sound");
    }
    let authors = Authors::default();
    let buckets = activity.finish(&authors);
    assert_eq!(buckets[0], [(None, 4, 0)]);
    assert_eq!(buckets[1], []);
    assert_eq!(buckets[2], [(None, 2, 2)]);
    assert_eq!(Activity::new(0, u64::MAX, 0).bucket_ms(), u64::MAX);
    assert_eq!(Activity::new(5, 1, usize::MAX).bucket_ms(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn merged_turns_are_the_turns(steps in steps(80), cut in any::<prop::sample::Index>()) {
        let turns = room(&steps);
        let mut past = Past::default();
        for (number, turn) in turns.iter().enumerate() {
            past.turn(turn).expect("sound");
            if number == cut.index(steps.len()) {
                // As when a part is full.
                past.mark().expect("sound");
                past = Past::default();
                for turn in &turns[..=number] {
                    past.turn(turn).expect("sound");
                }
            }
        }
        assert_same(&past.document().expect("sound"), &loaded(&turns));
    }

    #[test]
    fn a_trail_is_the_text_at_every_moment(steps in steps(40), from in any::<prop::sample::Index>()) {
        let turns = room(&steps);
        follow(&turns, from.index(turns.len() + 1), "t");
    }

    /// What was written is what stands and what was deleted.
    #[test]
    fn sums_agree_with_the_text(steps in steps(40)) {
        let turns = room(&steps);
        let mut past = Past::of_texts();
        past.mark().expect("sound");
        let mut activity = Activity::new(0, 0, 1);
        for turn in &turns {
            past.turn(turn).expect("sound");
            activity.turn(turn, 0).expect("sound");
        }
        let (mut trail, _) = Trail::new(past, "t").expect("sound");
        let mut sums: BTreeMap<Option<u64>, i64> = BTreeMap::new();
        for turn in &turns {
            for change in trail.turn(turn, 0).expect("sound") {
                for replacement in change.replacements {
                    let inserted = replacement.inserted.chars().filter(|c| *c != '\u{fffc}');
                    let inserted: usize = inserted.map(char::len_utf16).sum();
                    *sums.entry(change.replica).or_default() += i64::try_from(inserted).expect("short");
                }
            }
        }
        let all: i64 = sums.values().sum();
        let counted: u64 = activity.finish(&Authors::default())[0].iter().map(|(_, inserted, _)| inserted).sum();
        prop_assert_eq!(u64::try_from(all).expect("not negative"), counted);
    }

    #[test]
    fn junk_is_an_error(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _: Result<(), BadPast> = Past::default().turn(&bytes);
        let _: Result<u64, BadPast> = lines_at_most(&bytes);
        let _: Result<(), BadPast> = Activity::new(0, 9, 3).turn(&bytes, 4);
    }
}
