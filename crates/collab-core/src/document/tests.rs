//! What a document promises, seen from outside.

use super::*;
use crate::ids::Offset;

fn replica(id: u64) -> ReplicaId {
    ReplicaId::new(id).expect("small")
}

fn insert(at: u32, text: &str) -> [Edit; 1] {
    [Edit {
        at: Offset(at),
        delete: 0,
        insert: text.to_owned(),
    }]
}

fn offer(update: &[u8]) -> Offer<'_> {
    Offer {
        update,
        new_replicas: 100,
    }
}

fn apply_one(document: &mut Document, update: &[u8]) -> Outcome {
    let turn = document.apply(&[offer(update)]).expect("no failure");
    turn.outcomes[0]
}

#[test]
fn two_replicas_converge() {
    let main = FileId::main();
    let mut ann = Document::new(replica(1));
    let mut bob = Document::new(replica(2));
    let first = ann.edit(&main, &insert(0, "hello")).expect("edit");
    assert_eq!(
        apply_one(&mut bob, &first),
        Outcome::Applied { new_replicas: 1 }
    );
    let from_ann = ann.edit(&main, &insert(5, " world")).expect("edit");
    let from_bob = bob.edit(&main, &insert(0, "> ")).expect("edit");
    apply_one(&mut ann, &from_bob);
    apply_one(&mut bob, &from_ann);
    assert_eq!(ann.text(&main), "> hello world");
    assert_eq!(bob.text(&main), "> hello world");
    assert_eq!(ann.state_vector(), bob.state_vector());
    assert_eq!(ann.digest(), bob.digest());
    assert_eq!(ann.deletions_digest(), bob.deletions_digest());
}

/// As an input method does with what it composes, while somebody else writes on both sides of it.
#[test]
fn what_replaces_a_text_stays_between_what_others_wrote_around_it_meanwhile() {
    let main = FileId::main();
    for (before, replaced, by, around) in [
        ("a k b", 2..3, "か", ("", "]")),
        ("a かn b", 2..4, "漢字", ("[", "]")),
        ("a かnに b", 2..5, "x", ("[", "]")),
        // Characters of two units.
        ("a 😀😁 b", 2..6, "😂", ("[", "]")),
        ("a 😀 b", 2..4, "x", ("", "]")),
    ] {
        // Chance has no say: whoever's id is smaller.
        for (ann, bob) in [(1, 2), (2, 1)] {
            let mut ann = Document::new(replica(ann));
            let mut bob = Document::new(replica(bob));
            let text = ann.edit(&main, &insert(0, before)).expect("edit");
            apply_one(&mut bob, &text);
            let from_ann = ann.edit(
                &main,
                &[Edit {
                    at: Offset(replaced.start),
                    delete: replaced.end - replaced.start,
                    insert: by.to_owned(),
                }],
            );
            let (front, behind) = around;
            let beside = [(replaced.start, front), (replaced.end, behind)];
            let beside = beside.map(|(at, text)| Edit {
                at: Offset(at),
                delete: 0,
                insert: text.to_owned(),
            });
            let from_bob = bob.edit(&main, &beside).expect("edit");
            apply_one(&mut ann, &from_bob);
            apply_one(&mut bob, &from_ann.expect("edit"));
            assert_eq!(ann.text(&main), format!("a {front}{by}{behind} b"));
            assert_eq!(bob.text(&main), ann.text(&main));
        }
    }
}

#[test]
fn a_turn_is_one_delta() {
    let main = FileId::main();
    let mut author = Document::new(replica(7));
    let updates: Vec<Bytes> = (0..64)
        .map(|at| author.edit(&main, &insert(at, "x")).expect("edit"))
        .collect();
    let mut room = Document::new(replica(1));
    let offers: Vec<Offer<'_>> = updates.iter().map(|update| offer(update)).collect();
    let turn = room.apply(&offers).expect("no failure");
    assert_eq!(turn.number, TurnNumber(1));
    assert_eq!(turn.outcomes[0], Outcome::Applied { new_replicas: 1 });
    assert_eq!(turn.outcomes[63], Outcome::Applied { new_replicas: 0 });
    assert!(turn.delta.len() < 100, "{} bytes", turn.delta.len());
    let mut peer = Document::new(replica(2));
    apply_one(&mut peer, &turn.delta);
    assert_eq!(peer.text(&main).len(), 64);

    let again = room.apply(&offers).expect("no failure");
    assert!(again.delta.is_empty());
    assert_eq!(again.number, TurnNumber(1));
}

#[test]
fn what_is_missing_is_a_gap() {
    let main = FileId::main();
    let mut author = Document::new(replica(7));
    let first = author.edit(&main, &insert(0, "a")).expect("edit");
    let second = author.edit(&main, &insert(1, "b")).expect("edit");
    let mut room = Document::new(replica(1));
    assert_eq!(apply_one(&mut room, &second), Outcome::Gap);
    assert_eq!(room.text(&main), "");
    apply_one(&mut room, &first);
    apply_one(&mut room, &second);
    assert_eq!(room.text(&main), "ab");
}

#[test]
fn loads_all_or_nothing() {
    let main = FileId::main();
    let mut author = Document::new(replica(7));
    let updates: Vec<Bytes> = (0..200)
        .map(|at| author.edit(&main, &insert(at, "x")).expect("edit"))
        .collect();
    let loaded = Document::load(replica(1), updates.iter().map(|update| &update[..]));
    assert_eq!(loaded.map(|d| d.digest()).expect("loads"), author.digest());

    let mut holey = updates.clone();
    holey.remove(150);
    let error = Document::load(replica(1), holey.iter().map(|update| &update[..])).err();
    assert_eq!(
        error,
        Some(LoadError {
            index: 150,
            reason: LoadErrorReason::Gap
        })
    );
    let mut damaged = updates;
    damaged[100] = Bytes::from_static(&[1, 2, 3]);
    let error = Document::load(replica(1), damaged.iter().map(|update| &update[..])).err();
    assert_eq!(error.map(|e| e.index), Some(100));
}

#[test]
fn state_vectors_of_the_past() {
    let main = FileId::main();
    let mut document = Document::new(replica(7));
    assert_eq!(document.turn(), TurnNumber(0));
    let mut states = vec![document.state_vector()];
    for at in 0..10 {
        document.edit(&main, &insert(at, "ab")).expect("edit");
        states.push(document.state_vector());
    }
    for (turn, state) in (1..).map(TurnNumber).zip(&states) {
        assert_eq!(document.state_vector_at(turn).as_ref(), Some(state));
    }
    assert_eq!(document.state_vector_at(TurnNumber(12)), None);
    assert_eq!(document.state_vector_at(TurnNumber(0)), None);
    for _ in 0..CLOCK_HISTORY {
        document.edit(&main, &insert(0, "a")).expect("edit");
    }
    assert_eq!(document.state_vector_at(TurnNumber(10)), None);
    assert!(document.state_vector_at(TurnNumber(11)).is_some());
}

#[test]
fn diffs_complete_a_replica() {
    let main = FileId::main();
    let mut document = Document::new(replica(7));
    document
        .edit(&main, &insert(0, "hello 😀 world"))
        .expect("edit");
    let had = document.state_vector();
    let mut other = Document::new(replica(8));
    apply_one(&mut other, &document.encode().expect("encodes"));
    let cut = [Edit {
        at: Offset(0),
        delete: 6,
        insert: "bye ".to_owned(),
    }];
    document.edit(&main, &cut).expect("edit");
    let diff = document.diff(&had).expect("encodes");
    apply_one(&mut other, &diff);
    assert_eq!(other.text(&main), "bye 😀 world");
    assert_eq!(other.digest(), document.digest());
}

#[test]
fn edits_at_their_limits() {
    let main = FileId::main();
    let mut document = Document::new(replica(7));
    document.edit(&main, &insert(0, "a😀b")).expect("edit");
    let edit = |at, delete, insert: &str| Edit {
        at: Offset(at),
        delete,
        insert: insert.to_owned(),
    };
    for (edits, error) in [
        (
            vec![edit(2, 0, "x")],
            EditError::SplitsSurrogatePair(Offset(2)),
        ),
        (
            vec![edit(0, 2, "")],
            EditError::SplitsSurrogatePair(Offset(2)),
        ),
        (
            vec![edit(4, 1, "")],
            EditError::OutOfRange { at: 5, len: 4 },
        ),
        (
            vec![edit(1, u32::MAX, "")],
            EditError::OutOfRange {
                at: u64::from(u32::MAX) + 1,
                len: 4,
            },
        ),
        (vec![edit(0, 3, ""), edit(1, 0, "x")], EditError::OutOfOrder),
    ] {
        assert_eq!(document.edit(&main, &edits), Err(error));
    }
    let edits = [
        edit(0, 1, "A"),
        edit(1, 2, ""),
        edit(3, 1, "B"),
        edit(4, 0, "!"),
    ];
    document.edit(&main, &edits).expect("edit");
    assert_eq!(document.text(&main), "AB!");
    assert_eq!(document.edit(&main, &[]), Ok(Bytes::new()));
}

#[test]
fn watched_files_report_what_others_did() {
    let main = FileId::main();
    let mut ann = Document::new(replica(1));
    let mut bob = Document::new(replica(2));
    let start = ann.edit(&main, &insert(0, "one two three")).expect("edit");
    apply_one(&mut bob, &start);
    bob.watch(&main);
    bob.watch(&main);
    bob.edit(&main, &insert(0, "0 ")).expect("edit");
    let edits = [
        Edit {
            at: Offset(4),
            delete: 3,
            insert: "2😀".to_owned(),
        },
        Edit {
            at: Offset(13),
            delete: 0,
            insert: "!".to_owned(),
        },
    ];
    let update = ann.edit(&main, &edits).expect("edit");
    let turn = bob.apply(&[offer(&update)]).expect("no failure");
    let shifted: Vec<Edit> = edits
        .into_iter()
        .map(|edit| Edit {
            at: Offset(edit.at.0 + 2),
            ..edit
        })
        .collect();
    assert_eq!(turn.changes, [(main.clone(), shifted)]);
    assert_eq!(bob.text(&main), "0 one 2😀 three!");
}

#[test]
fn files_and_meta() {
    let mut document = Document::new(replica(7));
    assert_eq!(document.files().len(), 1);
    let side = FileId::parse("side").expect("an id");
    document
        .create_file(&side, "src/side.rs", "rust")
        .expect("edit");
    document
        .set_language(&FileId::main(), "python")
        .expect("edit");
    document.set_path(&side, "src/b.rs").expect("edit");
    let files: Vec<_> = document
        .files()
        .into_iter()
        .map(|file| (file.id.to_string(), file.path, file.language))
        .collect();
    let entry = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(
        files,
        [
            entry("main", "", "python"),
            entry("side", "src/b.rs", "rust")
        ]
    );
    assert_eq!(document.meta("name"), None);
    document.set_meta("name", "Room").expect("edit");
    assert_eq!(document.meta("name").as_deref(), Some("Room"));
    let same = document.set_meta("name", "Room").expect("edit");
    assert!(same.is_empty());
    let long = "x".repeat(MAX_NAME_BYTES + 1);
    assert!(document.set_meta("name", &long).is_err());
    assert!(document.set_meta("name", &long[1..]).is_ok());
}

#[test]
fn places_stay_with_their_neighbours() {
    let main = FileId::main();
    let mut document = Document::new(replica(7));
    document.edit(&main, &insert(0, "ab😀cd")).expect("edit");
    let after = document
        .sticky(&main, Offset(2), Assoc::After)
        .expect("a place");
    let before = document
        .sticky(&main, Offset(2), Assoc::Before)
        .expect("a place");
    let end = document
        .sticky(&main, Offset(6), Assoc::After)
        .expect("a place");
    assert_eq!(document.sticky(&main, Offset(7), Assoc::After), None);
    document.edit(&main, &insert(2, "XY")).expect("edit");
    document.edit(&main, &insert(8, "Z")).expect("edit");
    assert_eq!(document.resolve(&after), Some((main.clone(), Offset(4))));
    assert_eq!(document.resolve(&before), Some((main.clone(), Offset(2))));
    assert_eq!(document.resolve(&end), Some((main.clone(), Offset(9))));
    // The second half of the pair.
    assert_eq!(
        document.resolve(&[0, 7, 3, 0]),
        Some((main.clone(), Offset(4)))
    );
    for hostile in [
        &b""[..],
        &[0],
        &[9, 0],
        &[1, 200, 1],
        &[0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0],
        &[2, 7, 0, 0],
        &[0, 7, 255, 255, 255, 255, 15, 0],
    ] {
        assert_eq!(document.resolve(hostile), None);
    }
}

#[test]
fn state_vectors_are_bounded() {
    assert_eq!(
        StateVector::decode(&[0x80, 0x88, 0xde, 0xbe, 0x01]),
        Err(Refusal::Count)
    );
    assert_eq!(StateVector::decode(&[]), Err(Refusal::Truncated));
    assert_eq!(
        StateVector::decode(&[2, 1, 1, 1, 1]),
        Err(Refusal::ClientOrder)
    );
    assert_eq!(StateVector::decode(&[0, 0]), Err(Refusal::Trailing));
    assert_eq!(StateVector::decode(&[1, 0x81, 0, 1]), Err(Refusal::Varint));
    let some: StateVector = [(5, 9), (1 << 52, 3), (6, 0)].into_iter().collect();
    assert_eq!(some.len(), 2);
    let mut back = StateVector::decode(&some.encode()).expect("our own");
    assert_eq!(back, some);
    assert!(back.covers(&StateVector::default()));
    let more: StateVector = [(5, 10)].into_iter().collect();
    assert!(!back.covers(&more));
    back.merge(&more);
    assert!(back.covers(&more) && back.covers(&some));
    assert_eq!(back.get(replica(5)), 10);
}

/// Bytes of the lists of crashers, which the gate would refuse.
fn crash(engine: &mut Engine, update: &str) -> Result<((), Committed), Poisoned> {
    use yrs::updates::decoder::Decode;
    let bytes = hex::decode(update).expect("hexadecimal");
    engine.write(|txn| {
        let update = yrs::Update::decode_v1(&bytes).expect("it decodes");
        txn.apply_update(update)
            .map_err(|_| Poisoned { during: "test" })
    })
}

/// C02 and C03 panic while applying and again in the transaction's destructor: without the guard
/// that ends the process.
#[test]
fn a_panic_inside_the_engine_is_contained() {
    for update in [
        "010600bdfbf6ed0b00bdfbf6ed0b00bdfbf6ed0b00bdfbf6ed0b00bdfbf6ed0b00bdfbf6ed0b000100",
        "010600ffffffff0f0affffffff0f000700ff0000ffffffff0f0affffffff0f000100",
    ] {
        let mut engine = Engine::new(replica(1));
        assert!(crash(&mut engine, update).is_err());
        // From then on it says so, whatever is asked of it.
        assert!(engine.write(|_| Ok(())).is_err());
        assert!(engine.read("reading", |_| ()).is_err());
    }
}

/// What waits for something that never comes makes later encodings fail, so it counts as a failure
/// at once. (The gate lets none of it through; this is what happens if it does.)
#[test]
fn pending_updates_are_a_failure() {
    let mut engine = Engine::new(replica(1));
    let waits = "010102008401000161".to_owned() + "00";
    assert!(crash(&mut engine, &waits).is_err());
}

#[test]
fn a_failed_document_fails_and_never_lies() {
    let main = FileId::main();
    let mut document = Document::new(replica(1));
    document.edit(&main, &insert(0, "text")).expect("edit");
    document.engine.abandon();
    assert!(document.apply(&[]).is_err());
    assert!(document.encode().is_err());
    assert!(document.diff(&StateVector::default()).is_err());
    assert!(document.digest().is_err());
    assert!(matches!(
        document.edit(&main, &insert(0, "x")),
        Err(EditError::Poisoned(_))
    ));
}

/// Ann deletes a nested list and, unseen by others, what she had just typed into it: that comes as
/// collected units. Zoe typed next to it before she heard. Both are honest, in one turn or in two.
#[test]
fn a_late_neighbour_of_what_is_gone_passes() {
    // Client 9 makes a list in a map with one value, then Ann (5) adds one behind it.
    let list = hex::decode("01020900270101 6d016b00 080009000 17d0100".replace(' ', ""));
    let list = list.expect("hexadecimal");
    // Ann's value at (5, 0) comes collected, with the deletion of the list.
    let gone = hex::decode("010105000001010901 0001".replace(' ', "")).expect("hexadecimal");
    // Zoe (7): between Ann's value and the one of client 9.
    let late = hex::decode("01010700c805000901017d0200").expect("hexadecimal");
    for turns in [vec![vec![&gone, &late]], vec![vec![&gone], vec![&late]]] {
        let mut document = Document::new(replica(1));
        assert_eq!(
            apply_one(&mut document, &list),
            Outcome::Applied { new_replicas: 1 }
        );
        for turn in turns {
            let offers: Vec<_> = turn.iter().map(|update| offer(update)).collect();
            for outcome in document.apply(&offers).expect("no failure").outcomes {
                assert_eq!(outcome, Outcome::Applied { new_replicas: 1 });
            }
        }
        let stored = document.encode().expect("encodes");
        let loaded = Document::load(replica(2), [&stored[..]]).expect("loads");
        assert_eq!(loaded.digest(), document.digest());
    }
    // The same while the list is alive is not honest.
    let mut document = Document::new(replica(1));
    apply_one(&mut document, &list);
    let collected = hex::decode("010105000001 00".replace(' ', "")).expect("hexadecimal");
    apply_one(&mut document, &collected);
    assert_eq!(
        apply_one(&mut document, &late),
        Outcome::Refused(Refusal::Neighbours)
    );
}
