//! The form of a delete set: whose units are deleted, range by range. Must not know which units
//! there are.

use super::reader::{Reader, after};
use crate::document::refusal::Refusal;

/// Smallest entry of a delete set: id, count, one range.
pub(super) const SMALLEST_ENTRY: usize = 4;
/// Smallest range: clock and length.
pub(super) const SMALLEST_RANGE: usize = 2;

/// Reads over a delete set.
pub(super) fn form(reader: &mut Reader<'_>) -> Result<(), Refusal> {
    let mut previous: Option<u64> = None;
    let mut direction = None;
    for _ in 0..reader.count(SMALLEST_ENTRY)? {
        let replica = reader.replica()?;
        if let Some(previous) = previous {
            // Yjs writes them descending, yrs ascending; either way each comes once.
            let order = replica.cmp(&previous);
            if order.is_eq() || direction.is_some_and(|direction| direction != order) {
                return Err(Refusal::ClientOrder);
            }
            direction = Some(order);
        }
        previous = Some(replica);
        let ranges = reader.count(SMALLEST_RANGE)?;
        if ranges == 0 {
            return Err(Refusal::Count);
        }
        let mut end = 0;
        for _ in 0..ranges {
            let start = reader.clock()?;
            if start < end {
                return Err(Refusal::DeleteSet);
            }
            let len = reader.clock()?;
            if len == 0 {
                return Err(Refusal::EmptyBlock);
            }
            end = after(start, len)?;
        }
    }
    Ok(())
}
