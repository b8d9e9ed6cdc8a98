//! Who wrote since the version before, and how much: what a version's row says of it. Must not know
//! who asks for versions, nor HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use collab_core::document::Tally;
use collab_core::ids::{ReplicaId, Seq};
use collab_core::record::Record;
use collab_core::time::Millis;

use super::chunk::{self, Turns};
use crate::storage::history::{Archived, Author};
use crate::storage::{RoomKey, Store, StoreError, heavy};

/// Authors named by one version; further ones wrote less.
pub const MAX_VERSION_AUTHORS: usize = 32;

/// What a version says of the time since the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// JSON `[{"name", "color"}…]`, most first.
    pub authors: String,
    /// In UTF-16 code units.
    pub insertions: u64,
    pub deletions: u64,
}

/// Counts what was written up to a place since the newest version at or before it. Of what is not
/// kept, or cannot be read, nothing is counted: a version is a point, and needs no count.
///
/// Errors: only `Unavailable`.
pub async fn since_last(
    store: &Arc<dyn Store>,
    key: RoomKey,
    up_to: Seq,
) -> Result<Written, StoreError> {
    let before = store.history().version_at(key, up_to).await?;
    let (after, since) = before.map_or((Seq(0), None), |it| (it.seq, Some(it.at)));
    let tally = match count(store, key, after, up_to).await {
        Ok(tally) => tally,
        Err(error @ StoreError::Unavailable(_)) => return Err(error),
        Err(error) => {
            tracing::warn!(%error, "what a version changed was not counted");
            Tally::default()
        }
    };
    let known = store.history().authors(key).await?;
    Ok(Written {
        authors: named(&tally, &known, since),
        insertions: tally.insertions(),
        deletions: tally.deletions(),
    })
}

/// Goes over the turns between two places, wherever they stand.
async fn count(
    store: &Arc<dyn Store>,
    key: RoomKey,
    after: Seq,
    up_to: Seq,
) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let mut at = after;
    while at < up_to {
        let rows = store.history().records(key, at).await?;
        let in_log = rows.first().is_some_and(|(seq, _)| *seq == at.next());
        let read = if in_log {
            heavy("counting what was written", move || read_rows(key, rows)).await?
        } else {
            let archived = store.history().archived(key).await?;
            let Some(chunk) = holding(&archived, at.next()) else {
                let kept = next_kept(&archived, at);
                // What comes next is kept again, or nothing does.
                let Some(kept) = kept else { break };
                at = kept;
                continue;
            };
            let chunk = store.history().chunk(key, chunk).await?;
            let damaged = move |error: chunk::BadChunk| StoreError::Corrupt {
                room: key,
                what: error.to_string(),
                seq: chunk.first,
            };
            heavy("reading a chunk of the archive", move || {
                chunk::unpack(chunk.first, &chunk.body).map_err(damaged)
            })
            .await?
        };
        let (from, to) = (read.up_to(at), read.up_to(up_to));
        at = read.last().max(at.next());
        tally = heavy("counting what was written", move || {
            for turn in read.turns.iter().take(to).skip(from) {
                tally.add(&turn.delta);
            }
            Ok(tally)
        })
        .await?;
    }
    Ok(tally)
}

fn read_rows(key: RoomKey, rows: Vec<(Seq, bytes::Bytes)>) -> Result<Turns, StoreError> {
    let mut turns = Turns {
        first: rows.first().map_or(Seq(0), |(seq, _)| *seq),
        ..Turns::default()
    };
    for (seq, row) in rows {
        let record = Record::decode(&row).map_err(|error| StoreError::Corrupt {
            room: key,
            what: error.to_string(),
            seq,
        })?;
        turns.push(record.turns);
    }
    Ok(turns)
}

/// The first place of the chunk that holds a record.
fn holding(archived: &Archived, seq: Seq) -> Option<Seq> {
    let holds = |first: Seq, last: Seq| (first..=last).contains(&seq);
    let chunk = archived.chunks.iter().find(|it| holds(it.first, it.last));
    chunk.map(|chunk| chunk.first)
}

/// The place before the next record that is in the archive, or the state it rests on.
fn next_kept(archived: &Archived, at: Seq) -> Option<Seq> {
    let base = archived.base.map(|(seq, _)| seq).filter(|seq| *seq > at);
    let firsts = archived.chunks.iter().map(|chunk| chunk.first);
    let before = firsts
        .filter(|first| *first > at.next())
        .map(|first| Seq(first.0 - 1));
    base.into_iter().chain(before).min()
}

/// Names, most written first; then who only deleted, as told by when they last wrote.
fn named(tally: &Tally, known: &[Author], since: Option<Millis>) -> String {
    let by_replica: BTreeMap<ReplicaId, &Author> = known
        .iter()
        .map(|author| (author.replica, author))
        .collect();
    let mut units: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (replica, inserted) in tally.inserted() {
        if let Some(author) = by_replica.get(&replica) {
            *units.entry((&author.name, &author.color)).or_default() += inserted;
        }
    }
    let lately = known
        .iter()
        .filter(|author| since.is_none_or(|since| author.at > since));
    for author in lately {
        units.entry((&author.name, &author.color)).or_default();
    }
    let mut authors: Vec<_> = units.into_iter().collect();
    authors.sort_by(|(a, more), (b, less)| less.cmp(more).then_with(|| a.cmp(b)));
    let authors = authors.into_iter().take(MAX_VERSION_AUTHORS);
    let authors =
        authors.map(|((name, color), _)| serde_json::json!({"name": name, "color": color}));
    serde_json::Value::from_iter(authors).to_string()
}

#[cfg(test)]
mod tests {
    use collab_core::document::{Document, Edit, FileId};
    use collab_core::ids::Offset;

    use super::*;

    fn author(replica: u32, name: &str, at: u64) -> Author {
        Author {
            replica: ReplicaId::ours(replica),
            name: name.to_owned(),
            color: "#112233".to_owned(),
            at: Millis(at),
        }
    }

    fn names(json: &str) -> Vec<String> {
        let list: Vec<serde_json::Value> = serde_json::from_str(json).expect("JSON");
        list.iter()
            .map(|author| author["name"].as_str().expect("a name").to_owned())
            .collect()
    }

    #[test]
    fn most_first_and_one_person_once() {
        let mut tally = Tally::default();
        for (replica, text) in [(1, "ab"), (2, "abc"), (3, "ab"), (4, "abcdefgh")] {
            let mut document = Document::new(ReplicaId::ours(replica));
            let edit = Edit {
                at: Offset(0),
                delete: 0,
                insert: text.to_owned(),
            };
            tally.add(&document.edit(&FileId::main(), &[edit]).expect("in range"));
        }
        // Ada wrote in two tabs, nobody knows the fourth, and Cleo only deleted.
        let known = [
            author(1, "Ada", 5),
            author(2, "Bob", 5),
            author(3, "Ada", 5),
            author(7, "Cleo", 11),
            author(8, "Dan", 10),
        ];
        assert_eq!(
            names(&named(&tally, &known, Some(Millis(10)))),
            ["Ada", "Bob", "Cleo"]
        );
        assert_eq!(names(&named(&Tally::default(), &[], None)), [""; 0]);
    }

    #[test]
    fn a_version_names_so_many() {
        let known: Vec<Author> = (0..=u32::try_from(MAX_VERSION_AUTHORS).unwrap())
            .map(|n| author(n, &format!("{n:04}"), 1))
            .collect();
        let named = named(&Tally::default(), &known, None);
        assert_eq!(names(&named).len(), MAX_VERSION_AUTHORS);
    }
}
