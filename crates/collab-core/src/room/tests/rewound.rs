//! A database that went back in time under an awake room.

use super::*;

fn older(head: u64, epoch: u64, snapshot: Option<Bytes>) -> Loaded {
    Loaded {
        lineage: Lineage([7; 16]),
        epoch: Epoch(epoch),
        head: Seq(head),
        snapshot_seq: Seq(head),
        snapshot,
        records: Vec::new(),
        damage: Vec::new(),
        degraded: false,
        version: None,
    }
}

/// A room in which "ab" was acknowledged at 1 and 2, and "c" is on its way to 3.
fn house_of_three() -> (House, Document, Bytes) {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    let mut person = author(1);
    house.frame(A, &typed(&mut person, 0, "a"));
    house.give(Input::Appended { seq: Seq(1) });
    let early = person.encode().expect("sound");
    house.frame(A, &typed(&mut person, 1, "b"));
    house.give(Input::Appended { seq: Seq(2) });
    house.frame(A, &typed(&mut person, 2, "c"));
    house.take();
    house.give(Input::AppendFailed {
        seq: Seq(3),
        failure: AppendFailure::Rewound,
    });
    (house, person, early)
}

#[test]
fn what_was_acknowledged_is_put_into_the_log_again_under_a_new_epoch() {
    let (mut house, mut person, early) = house_of_three();
    let effects = house.take();
    assert!(effects.contains(&Effect::Count(Counted::Rewound)));
    let reclaim = Effect::Reclaim {
        lineage: Lineage([7; 16]),
        above: Epoch(1),
    };
    assert!(effects.contains(&reclaim), "{effects:?}");
    assert_eq!(house.room.status(), Status::Degraded);
    // Editing goes on meanwhile, and is held.
    house.frame(A, &typed(&mut person, 3, "d"));
    assert!(saved(&House::sent(&house.take(), A)).is_empty());

    house.give(Input::Loaded(older(1, 5, Some(early.clone()))));
    let effects = house.take();
    assert!(saved(&House::sent(&effects, A)).is_empty(), "{effects:?}");
    let Some(Effect::Append { epoch, seq, record }) = effects
        .iter()
        .find(|effect| matches!(effect, Effect::Append { .. }))
    else {
        panic!("it appends: {effects:?}")
    };
    assert_eq!((*epoch, *seq), (Epoch(5), Seq(2)));
    let mut reader = Document::load(ReplicaId::ours(8), [&early[..]]).expect("sound");
    for turn in crate::record::Record::decode(record).expect("own").turns {
        reader.apply_from_server(&turn.delta).expect("sound");
    }
    assert!(reader.text(&FileId::main()).starts_with("abc"));

    house.give(Input::Appended { seq: Seq(2) });
    house.give(Input::Appended { seq: Seq(3) });
    let told = saved(&House::sent(&house.take(), A));
    assert_eq!(told.last(), Some(&4), "c and d are saved now: {told:?}");
    assert_eq!(house.room.status(), Status::Normal);
}

#[test]
fn what_the_other_past_brought_reaches_everybody() {
    let (mut house, _, _) = house_of_three();
    let mut other = author(2);
    typed(&mut other, 0, "from elsewhere ");
    let state = other.encode().expect("sound");
    house.take();
    house.give(Input::Loaded(older(1, 5, Some(state))));
    let effects = house.take();
    let text = house.room.document().expect("awake").text(&FileId::main());
    assert!(text.contains("from elsewhere") && text.contains("abc"));
    let told = House::sent(&effects, A);
    assert!(
        told.iter()
            .any(|message| matches!(message, Message::Update(_))),
        "{told:?}"
    );
}

#[test]
fn a_database_that_does_not_answer_then_is_asked_again_and_nothing_is_given_up() {
    let (mut house, _, early) = house_of_three();
    house.take();
    house.give(Input::LoadFailed(LoadFailure::Unavailable));
    assert!(house.take().is_empty());
    let again = house.room.next_deadline().expect("it tries again");
    house.give_at(again, Input::Tick);
    assert!(matches!(house.take()[..], [Effect::Reclaim { .. }]));
    house.give_at(again, Input::Loaded(older(1, 5, Some(early))));
    assert_eq!(appends(&house.take()), [Seq(2)]);
}

#[test]
fn another_document_under_the_same_name_is_not_joined() {
    let (mut house, _, _) = house_of_three();
    house.take();
    house.give(Input::Loaded(Loaded {
        lineage: Lineage([8; 16]),
        ..older(1, 5, None)
    }));
    let effects = house.take();
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::Close {
            code: CloseCode::Gone,
            ..
        }
    )));
    assert_eq!(effects.last(), Some(&Effect::Retire));
}
