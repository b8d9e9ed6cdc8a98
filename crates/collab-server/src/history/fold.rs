//! Folding a log into the archive: rows that no load needs become a chunk. Must not know SQL, nor the
//! room.

use std::sync::Arc;

use collab_core::ids::{Epoch, Seq};
use collab_core::record::Record;
use collab_core::time::Millis;

use super::chunk::{self, Turns};
use crate::storage::history::{Base, Chunk};
use crate::storage::{Folded, RoomKey, Store, StoreError, heavy};

/// Turns from which on a chunk is not made longer. Larger ones compress better, and are written anew
/// by each fold until they are full: about 40 times, a few milliseconds each.
const FULL_TURNS: u64 = 32_768;

/// Turns after which a chunk takes no further record.
const MAX_CHUNK_TURNS: usize = 65_536;

/// Chunks made by one fold. What is left is for the next one.
const MAX_CHUNKS: usize = 64;

/// Makes chunks of the archive of every row that the previous snapshot makes needless, and removes
/// rows and older snapshots. Errors as [`Store::fold`]; nothing is removed that is not in the archive.
pub async fn fold(
    store: &Arc<dyn Store>,
    key: RoomKey,
    epoch: Epoch,
) -> Result<Folded, StoreError> {
    let mut folded = Folded::default();
    for _ in 0..MAX_CHUNKS {
        let Some(foldable) = store.history().foldable(key, epoch).await? else {
            return Ok(folded);
        };
        let archived = store.history().archived(key).await?;
        let mut rows = store.history().records(key, Seq(0)).await?;
        rows.retain(|(seq, _)| *seq <= foldable.previous);
        let Some(first) = rows.first().map(|(seq, _)| *seq) else {
            // No row to keep: only older snapshots are left to go.
            let last = store.fold(key, epoch).await?;
            folded.snapshots_deleted += last.snapshots_deleted;
            return Ok(folded);
        };
        let end = archived.chunks.last().map(|chunk| chunk.last);
        let begins = end
            .or(archived.base.map(|(seq, _)| seq))
            .unwrap_or_default();
        let tail = archived
            .chunks
            .last()
            .filter(|chunk| chunk.last.next() == first && chunk.turns < FULL_TURNS);
        let tail = match tail {
            Some(tail) => Some(store.history().chunk(key, tail.first).await?),
            None => None,
        };
        let damaged = move |what: String| StoreError::Corrupt {
            room: key,
            what,
            seq: first,
        };
        let made = heavy("making a chunk of the archive", move || {
            let mut turns = match &tail {
                Some(tail) => chunk::unpack(tail.first, &tail.body)
                    .map_err(|error| damaged(error.to_string()))?,
                None => Turns {
                    first,
                    ..Turns::default()
                },
            };
            for (_, row) in &rows {
                let record = Record::decode(row).map_err(|error| damaged(error.to_string()))?;
                turns.push(record.turns);
                if turns.turns.len() >= MAX_CHUNK_TURNS {
                    break;
                }
            }
            let body = chunk::pack(&turns).map_err(|error| damaged(error.to_string()))?;
            let time = |at: Option<u64>| Millis(at.unwrap_or(0));
            Ok(Chunk {
                first: turns.first,
                last: turns.last(),
                first_at: time(turns.turns.first().map(|turn| turn.at)),
                last_at: time(turns.turns.iter().map(|turn| turn.at).max()),
                turns: turns.turns.len() as u64,
                body,
            })
        })
        .await?;
        // Rows before this one went before there was an archive: it rests on the snapshot.
        let base = (begins.next() != first).then(|| Base {
            seq: foldable.previous,
            at: made.last_at,
            state: foldable.state.clone(),
        });
        let last = made.last;
        let step = store.history().fold_into(key, epoch, made, base).await?;
        folded.records_deleted += step.records_deleted;
        folded.snapshots_deleted += step.snapshots_deleted;
        if last >= foldable.previous {
            return Ok(folded);
        }
    }
    Ok(folded)
}
