//! The list of rooms.

use collab_core::ids::{RoomId, Seq};
use collab_server::storage::{Appended, Create, RoomInfo, RoomState, StoreError};

use crate::stores::*;

pub async fn names(subject: &Subject) {
    let store = &subject.store;
    let longest = "é".repeat(128);
    assert_eq!(longest.len(), RoomId::MAX_BYTES);
    let names = [
        "it's",
        "\"quoted\"",
        "'; drop table room; --",
        "$1 ?1 %s \\ \\x00",
        "team/notes/../x",
        "\u{5e9}\u{5dc} \u{202e}rtl",
        "😀 e\u{301} é",
        "a",
        "A",
        " a ",
        "a ",
        &longest,
    ];
    for (number, name) in (0..).zip(names) {
        let create = Create::New {
            lineage: lineage(number),
        };
        store.claim(&room(name), create, NOON).await.unwrap();
    }
    for (number, name) in (0..).zip(names) {
        let info = store.describe(&room(name)).await.unwrap().unwrap();
        assert_eq!((info.room.as_str(), info.lineage), (name, lineage(number)));
    }
    assert_eq!(
        store.list(None, 100).await.unwrap().len(),
        names.len(),
        "all different"
    );
    let unknown = store.describe(&room("á")).await;
    assert_eq!(unknown, Ok(None));
}

pub async fn described(subject: &Subject) {
    let store = &subject.store;
    let claim = new_room(&**store, "r").await;
    let mut expected = RoomInfo {
        room: room("r"),
        key: claim.key,
        lineage: lineage(1),
        epoch: claim.epoch,
        head: Seq(0),
        snapshot: Seq(0),
        created_at: NOON,
        updated_at: NOON,
        state: RoomState::Active,
    };
    assert_eq!(store.describe(&room("r")).await, Ok(Some(expected.clone())));
    fill(&**store, &claim, 1..=2).await;
    store.put_snapshot(snapshot(&claim, 1)).await.unwrap();
    expected.head = Seq(2);
    expected.snapshot = Seq(1);
    expected.updated_at = NOON.plus(2);
    assert_eq!(store.describe(&room("r")).await, Ok(Some(expected.clone())));
    let mut earlier = record(&claim, 3);
    earlier.at = NOON;
    assert_eq!(
        store.append(&[earlier]).await,
        Ok(vec![Appended::Committed])
    );
    expected.head = Seq(3);
    assert_eq!(
        store.list(None, 1).await,
        Ok(vec![expected]),
        "a clock that steps back moves no time back"
    );
}

pub async fn list_pages(subject: &Subject) {
    let store = &subject.store;
    let mut names: Vec<String> = (0..25).map(|n| format!("room {n}")).collect();
    names.extend(["Z", "a", "É", "é/x", "z", "~"].map(String::from));
    for name in &names {
        new_room(&**store, name).await;
    }
    store.delete(&room("room 7"), NOON).await.unwrap();
    names.retain(|name| name != "room 7");
    names.sort();
    for page_rooms in [1, 7, 100] {
        let mut listed: Vec<String> = Vec::new();
        let mut after = None;
        loop {
            let page = store.list(after.as_ref(), page_rooms).await.unwrap();
            assert!(page.len() <= page_rooms);
            let Some(last) = page.last() else { break };
            after = Some(last.room.clone());
            listed.extend(page.iter().map(|info| info.room.as_str().to_owned()));
        }
        assert_eq!(
            listed, names,
            "in the order of bytes, {page_rooms} at a time"
        );
    }
    assert_eq!(store.list(None, 0).await, Ok(vec![]));
    assert_eq!(
        store.list(None, usize::MAX).await.unwrap().len(),
        names.len()
    );
}

pub async fn delete_and_make_again(subject: &Subject) {
    let store = &subject.store;
    assert_eq!(store.delete(&room("r"), NOON).await, Ok(false));
    let old = new_room(&**store, "r").await;
    fill(&**store, &old, 1..=4).await;
    store.put_snapshot(snapshot(&old, 3)).await.unwrap();
    assert_eq!(store.delete(&room("r"), NOON).await, Ok(true));
    assert_eq!(store.delete(&room("r"), NOON).await, Ok(false));
    assert_eq!(store.describe(&room("r")).await, Ok(None));
    assert_eq!(store.list(None, 10).await, Ok(vec![]));
    let never = store.claim(&room("r"), Create::Never, NOON).await;
    assert_eq!(never, Err(StoreError::NotFound));
    let create = Create::New {
        lineage: lineage(2),
    };
    let new = store.claim(&room("r"), create, NOON.plus(9)).await.unwrap();
    assert!(new.created && new.epoch > old.epoch);
    assert_eq!((new.lineage, new.created_at), (lineage(2), NOON.plus(9)));
    assert_eq!((new.head, new.snapshot), (Seq(0), Seq(0)));
    let loaded = store.load(new.key).await.unwrap();
    assert_eq!((loaded.snapshot, loaded.records), (None, vec![]));
    fill(&**store, &new, 1..=1).await;
    assert_eq!(store.load(new.key).await.unwrap().records, bodies(1..=1));
}

pub async fn deleted_owner_is_fenced(subject: &Subject) {
    let store = &subject.store;
    let old = new_room(&**store, "r").await;
    fill(&**store, &old, 1..=2).await;
    store.delete(&room("r"), NOON).await.unwrap();
    let fenced = async |when: &str| {
        let appended = store.append(&[record(&old, 3), record(&old, 4)]).await;
        assert_eq!(appended, Ok(vec![Appended::Fenced; 2]), "{when}");
        let appended = store.append(&[record(&old, 1)]).await;
        assert_eq!(
            appended,
            Ok(vec![Appended::Fenced]),
            "{when}: not there any more"
        );
        let put = store.put_snapshot(snapshot(&old, 2)).await;
        assert_eq!(put, Err(StoreError::Fenced), "{when}");
        let folded = store.fold(old.key, old.epoch).await;
        assert_eq!(folded, Err(StoreError::Fenced), "{when}");
    };
    fenced("while it is deleted").await;
    let new = new_room(&**store, "r").await;
    fenced("in its next life").await;
    assert_eq!(store.load(new.key).await.unwrap().head, Seq(0));
}

pub async fn answers_until_closed(subject: &Subject) {
    let store = &subject.store;
    assert_eq!(store.ping().await, Ok(()));
    let claim = new_room(&**store, "r").await;
    store.close().await;
    store.close().await;
    let unavailable = |error: StoreError| matches!(error, StoreError::Unavailable(_));
    assert!(unavailable(store.ping().await.unwrap_err()));
    assert!(unavailable(store.load(claim.key).await.unwrap_err()));
    assert!(unavailable(
        store.append(&[record(&claim, 1)]).await.unwrap_err()
    ));
}
