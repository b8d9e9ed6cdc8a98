//! `collab fsck`: what is right is called clean, and every kind of damage is found where it is.

use collab_core::ids::Seq;
use collab_server::fsck::{self, Finding, Part, Report};
use collab_server::storage::inspect::inspect;
use collab_server::storage::{DatabaseUrl, Store};

use crate::program::run;
use crate::rooms::Written;
use crate::stores::{self, Damage, Hands, Kind, Subject};

fn url(subject: &Subject) -> DatabaseUrl {
    match &subject.hands {
        Hands::Sqlite(folder) => folder.url(),
        Hands::Postgres(database) => database.url.clone(),
        Hands::Memory(_) => unreachable!("memory is no database"),
    }
}

async fn check(subject: &Subject) -> Report {
    let inspected = inspect(&url(subject)).await.expect("can be looked at");
    fsck::check(&*inspected, |_, _| {}).await.expect("checked")
}

/// Whether a server would get a document out of it.
async fn opens(store: &dyn Store, room: &Written) -> bool {
    store.load(room.claim.key).await.is_ok()
}

/// Twelve records; snapshots at 4 and 8, so that the log begins at 1, or at 5 when it was folded.
async fn twelve(subject: &Subject, name: &str, folded: bool) -> Written {
    let store = &*subject.store;
    let mut room = Written::new(store, name).await;
    room.write(store, 4).await;
    room.snapshot(store).await;
    room.write(store, 4).await;
    room.snapshot(store).await;
    if folded {
        let folded = store.fold(room.claim.key, room.claim.epoch).await;
        assert_eq!(folded.expect("folds").records_deleted, 4);
    }
    room.write(store, 4).await;
    room
}

async fn every_damage(kind: Kind) {
    let subject = Subject::new(kind).await;
    let record = |seq, what: &str| (Part::Record, seq, what.to_owned());
    let snapshot = |seq, what: &str| (Part::Snapshot, seq, what.to_owned());
    let checksum = "the record does not match its checksum";
    let seal = "the snapshot does not match its checksum";
    let gone = "the snapshot that the room names is missing";
    let beyond = "it is beyond the log's head";
    let cases = [
        (Damage::RecordBit(Seq(2)), vec![record(2, checksum)]),
        (Damage::RecordBit(Seq(6)), vec![record(6, checksum)]),
        (Damage::RecordBit(Seq(12)), vec![record(12, checksum)]),
        (
            Damage::RecordMissing(Seq(7)),
            vec![record(7, "it is missing")],
        ),
        (
            Damage::RecordMissing(Seq(12)),
            vec![record(12, "it is missing")],
        ),
        (
            Damage::RecordsSwapped(Seq(9), Seq(10)),
            vec![record(9, checksum), record(10, checksum)],
        ),
        (Damage::RecordEpoch(Seq(11)), vec![record(11, checksum)]),
        (Damage::SnapshotBit(Seq(4)), vec![snapshot(4, seal)]),
        (Damage::SnapshotBit(Seq(8)), vec![snapshot(8, seal)]),
        (Damage::SnapshotMissing(Seq(8)), vec![snapshot(8, gone)]),
        (
            Damage::Head(Seq(10)),
            vec![record(11, beyond), record(12, beyond)],
        ),
        (
            Damage::Head(Seq(14)),
            vec![record(13, "it and those up to 14 are missing")],
        ),
    ];
    let mut opened = 0;
    for (case, (damage, expected)) in cases.iter().enumerate() {
        for folded in [false, true] {
            if folded && matches!(damage, Damage::RecordBit(Seq(2))) {
                continue;
            }
            let name = format!("case {case} folded {folded}");
            let room = twelve(&subject, &name, folded).await;
            assert!(check(&subject).await.is_clean(), "{name}: clean before");
            subject.damage(room.claim.key, *damage).await;
            let report = check(&subject).await;
            let [damaged] = &report.damaged[..] else {
                panic!("{name}, {damage:?}: {report}");
            };
            let of = |finding: &Finding| (finding.part, finding.seq, finding.what.clone());
            let findings: Vec<_> = damaged.findings.iter().map(of).collect();
            for finding in expected {
                assert!(findings.contains(finding), "{damage:?}: {findings:?}");
            }
            assert_eq!(damaged.room, name);
            let opens = opens(&*subject.store, &room).await;
            assert_eq!(damaged.readable, opens, "{name}, {damage:?}");
            opened += u32::from(opens);
            let gone = subject
                .store
                .delete(&stores::room(&name), stores::NOON)
                .await;
            assert_eq!(gone, Ok(true));
        }
    }
    assert!(opened > 0, "some damage is survived");
    subject.finish().await;
}

#[tokio::test]
async fn every_damage_is_found_where_it_is_sqlite() {
    every_damage(Kind::Sqlite).await;
}

#[tokio::test]
async fn every_damage_is_found_where_it_is_postgres() {
    every_damage(Kind::Postgres).await;
}

/// Right seals over a wrong content: what a faulty program would leave behind, not a faulty disk.
#[tokio::test]
async fn a_snapshot_that_says_something_else_than_the_log() {
    let subject = Subject::new(Kind::Sqlite).await;
    let store = &*subject.store;
    let mut room = Written::new(store, "liar").await;
    room.write(store, 3).await;
    let early = room.document.encode().expect("encodes");
    let says = room.document.digest().expect("reads");
    room.write(store, 3).await;
    // Sealed and decodable, but at a place where the log says more.
    room.snapshot_of(store, early, says.0).await;
    let report = check(&subject).await;
    assert_eq!(report.damaged.len(), 1, "{report}");
    let finding = &report.damaged[0].findings[0];
    assert_eq!((finding.part, finding.seq), (Part::Content, 6), "{report}");
    subject.finish().await;
}

#[tokio::test]
async fn the_program_says_it_in_lines_json_and_exit_codes() {
    let subject = Subject::new(Kind::Sqlite).await;
    let Hands::Sqlite(folder) = &subject.hands else {
        unreachable!("asked for");
    };
    let fine = twelve(&subject, "fine", true).await;
    let path = format!("sqlite:{}", folder.path().display());
    let here = folder.folder.path();
    // The store above holds the folder's lock all the while, as a server would.
    let clean = run(here, &["fsck", "--database-url", &path]).await.ended(0);
    let bytes = clean.out.rsplit_once(", ").expect("bytes").0;
    assert_eq!(bytes, "clean: 1 rooms, 8 records, 2 snapshots");
    subject
        .damage(fine.claim.key, Damage::RecordBit(Seq(10)))
        .await;
    let found = run(here, &["fsck", "--database-url", &path]).await.ended(3);
    let lines: Vec<&str> = found.out.lines().take(2).collect();
    assert_eq!(
        lines,
        [
            "fine (can be opened)",
            "  record 10: the record does not match its checksum"
        ]
    );
    let json = run(here, &["fsck", "--json", "--database-url", &path]).await;
    let json = json.ended(3);
    let report: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(report["damaged"][0]["findings"][0]["seq"], 10);
    assert_eq!(report["damaged"][0]["readable"], true);
    assert_eq!(report["unreadable"], 0);
    subject.finish().await;
}
