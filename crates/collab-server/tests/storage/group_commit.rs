//! The writer that gathers appends: what it promises to rooms.

use std::sync::Arc;

use bytes::Bytes;
use collab_server::storage::memory::MemoryStore;
use collab_server::storage::writer::{BATCH_BYTES, BATCH_ROWS};
use collab_server::storage::{Append, Claim, Create, MAX_RECORD_BYTES, Store, StoreError, Writer};

use crate::stores::*;

struct Setting {
    store: Arc<MemoryStore>,
    writer: Writer,
    task: tokio::task::JoinHandle<()>,
    claims: Vec<Claim>,
}

async fn rooms(count: usize) -> Setting {
    let store = Arc::new(MemoryStore::new());
    let mut claims = Vec::new();
    for number in 0..count {
        claims.push(new_room(&*store, &format!("room {number}")).await);
    }
    let (writer, task) = Writer::new(store.clone());
    Setting {
        store,
        writer,
        task: tokio::spawn(task),
        claims,
    }
}

impl Setting {
    async fn until_hanging(&self) {
        while self.store.faults().waiting() == 0 {
            tokio::task::yield_now().await;
        }
    }

    async fn stop(self) {
        drop(self.writer);
        self.task.await.unwrap();
    }
}

#[tokio::test]
async fn what_waits_becomes_one_commit() {
    let setting = rooms(BATCH_ROWS + 50).await;
    let faults = setting.store.faults();
    faults.hang();
    let before = faults.calls();
    let first = setting
        .writer
        .submit(record(&setting.claims[0], 1))
        .await
        .unwrap();
    setting.until_hanging().await;
    let mut answers = vec![first];
    for claim in &setting.claims[1..] {
        answers.push(setting.writer.submit(record(claim, 1)).await.unwrap());
    }
    for answer in &mut answers {
        let early = answer.try_recv();
        assert!(
            early.is_err(),
            "nothing is answered before its commit returned"
        );
    }
    faults.release();
    for answer in answers {
        assert_eq!(answer.await, Ok(Ok(())));
    }
    // One alone, then a full batch, then the rest.
    assert_eq!(faults.calls() - before, 3);
    setting.stop().await;
}

#[tokio::test]
async fn a_batch_is_bounded_in_bytes() {
    let setting = rooms(8).await;
    let faults = setting.store.faults();
    let sized = |index: usize, bytes: usize| Append {
        record: Bytes::from(vec![0; bytes]),
        ..record(&setting.claims[index], 1)
    };
    faults.hang();
    let mut answers = vec![setting.writer.submit(sized(0, 1)).await.unwrap()];
    setting.until_hanging().await;
    let before = faults.calls();
    // Two halves fill a batch; the byte more starts the next one, which the largest record cannot
    // join.
    for (index, bytes) in [
        (1, BATCH_BYTES / 2),
        (2, BATCH_BYTES / 2),
        (3, 1),
        (4, MAX_RECORD_BYTES),
    ] {
        answers.push(setting.writer.submit(sized(index, bytes)).await.unwrap());
    }
    faults.release();
    for answer in answers {
        assert_eq!(answer.await, Ok(Ok(())));
    }
    assert_eq!(faults.calls() - before, 3);
    setting.stop().await;
}

#[tokio::test]
async fn rooms_wait_when_the_queue_is_full_of_bytes() {
    let setting = rooms(6).await;
    let faults = setting.store.faults();
    faults.hang();
    let large = |index: usize| Append {
        record: Bytes::from(vec![0; MAX_RECORD_BYTES]),
        ..record(&setting.claims[index], 1)
    };
    let mut answers = Vec::new();
    for index in 0..2 {
        answers.push(setting.writer.submit(large(index)).await.unwrap());
    }
    let mut fifth = Box::pin(setting.writer.submit(record(&setting.claims[4], 1)));
    let place = futures_util::poll!(&mut fifth);
    assert!(place.is_pending(), "64 MiB are on their way");
    faults.release();
    answers.push(fifth.await.unwrap());
    for answer in answers {
        assert_eq!(answer.await, Ok(Ok(())));
    }
    setting.stop().await;
}

#[tokio::test]
async fn too_large_is_refused_at_the_door() {
    let setting = rooms(1).await;
    let calls = setting.store.faults().calls();
    let append = Append {
        record: Bytes::from(vec![0; MAX_RECORD_BYTES + 1]),
        ..record(&setting.claims[0], 1)
    };
    let refused = setting.writer.append(append).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a log record has 33554433 bytes; at most 33554432 can be stored"
    );
    assert_eq!(
        setting.store.faults().calls(),
        calls,
        "the store never saw it"
    );
    setting.stop().await;
}

#[tokio::test]
async fn failure_reaches_everybody_and_the_same_offer_settles_it() {
    let setting = rooms(3).await;
    let faults = setting.store.faults();
    // Not committed at all, and committed without an answer.
    for (seq, lose) in [(1, false), (2, true)] {
        faults.hang();
        match lose {
            false => faults.fail_next(1),
            true => faults.lose_next_answers(1),
        }
        let mut answers = Vec::new();
        for claim in &setting.claims {
            answers.push(setting.writer.submit(record(claim, seq)).await.unwrap());
        }
        faults.release();
        for answer in answers {
            assert!(matches!(answer.await, Ok(Err(StoreError::Unavailable(_)))));
        }
        for claim in &setting.claims {
            assert_eq!(setting.writer.append(record(claim, seq)).await, Ok(()));
        }
    }
    for claim in &setting.claims {
        let loaded = setting.store.load(claim.key).await.unwrap();
        assert_eq!(loaded.records, bodies(1..=2));
    }
    setting.stop().await;
}

#[tokio::test]
async fn one_fenced_room_does_not_concern_the_others() {
    let setting = rooms(3).await;
    let new = setting
        .store
        .claim(&room("room 1"), Create::Never, NOON)
        .await
        .unwrap();
    let append = async |index: usize| {
        let claim = &setting.claims[index];
        setting.writer.append(record(claim, 1)).await
    };
    let (zero, one, two) = tokio::join!(append(0), append(1), append(2));
    assert_eq!((zero, one, two), (Ok(()), Err(StoreError::Fenced), Ok(())));
    assert_eq!(setting.writer.append(record(&new, 1)).await, Ok(()));
    setting.stop().await;
}

#[tokio::test]
async fn stopping_answers_what_was_queued() {
    let setting = rooms(50).await;
    setting.store.faults().hang();
    let mut answers = Vec::new();
    for claim in &setting.claims {
        answers.push(setting.writer.submit(record(claim, 1)).await.unwrap());
    }
    setting.store.faults().release();
    setting.stop().await;
    for mut answer in answers {
        assert_eq!(answer.try_recv(), Ok(Ok(())));
    }
}
