//! Checks every room of a database: checksums, places, decoding, and that snapshots say what the
//! log says. Reads only, beside a running server too. Must not know the command line.

pub mod report;
mod room;

use collab_core::ids::RoomId;

use crate::storage::inspect::{Inspect, Rows};
use crate::storage::{RoomKey, StoreError, heavy};

pub use self::report::{Damaged, Finding, Part, Report};
pub use self::room::check as check_rows;

/// Checks a whole database. `progress` hears how many rooms are done and how many there were at
/// the start.
///
/// Errors: only `Unavailable`. What is damaged is in the report.
pub async fn check(
    database: &dyn Inspect,
    mut progress: impl FnMut(u64, u64),
) -> Result<Report, StoreError> {
    let mut report = Report {
        file: database.check_file().await?,
        ..Report::default()
    };
    let total = database.count().await?;
    let mut after = RoomKey(0);
    loop {
        let page = database.rooms(after).await?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        for (key, name) in page {
            match check_room(database, key, &name).await {
                Ok(checked) => report.add(checked),
                // Deleted since it was listed.
                Err(StoreError::NotFound) => {}
                Err(error) => return Err(error),
            }
            progress(report.rooms, total);
        }
    }
    Ok(report)
}

/// Checks one room.
pub async fn check_room(
    database: &dyn Inspect,
    key: RoomKey,
    name: &str,
) -> Result<room::Checked, StoreError> {
    let rows = match database.rows(key).await {
        Ok(rows) => rows,
        Err(StoreError::Corrupt { what, seq, .. }) => {
            return Ok(room::Checked::unreadable(key, name, what, seq));
        }
        Err(error) => return Err(error),
    };
    heavy("checking a room", move || Ok(room::check(&rows))).await
}

/// A room's name as its row has it, for a report.
fn name_of(rows: &Rows) -> &RoomId {
    &rows.info.room
}
