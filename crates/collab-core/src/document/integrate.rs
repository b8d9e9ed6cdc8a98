//! One update on its way from bytes into the engine: past the gate, decoded, applied. Must not know
//! whose it is, nor what the rest of its turn is.

use yrs::updates::decoder::Decode;
use yrs::{Assoc, ClientID, ID, IndexScope, ReadTxn, StickyIndex, TransactionMut, Update};

use super::clocks::Clocks;
use super::gate::{Doubt, Gate, Source, Stop};
use super::guard::Poisoned;
use super::join;
use super::place::Unit;
use super::refusal::Refusal;

/// Gates one update and hands it to the engine; returns how many new client ids it brought, and
/// writes down which clocks moved. The outer error means the engine failed.
pub(super) fn integrate(
    txn: &mut TransactionMut<'_>,
    gate: &mut Gate,
    clocks: &mut Clocks,
    update: &[u8],
    source: Source,
    before: &mut Vec<(u64, u32)>,
) -> Result<Result<u32, Stop>, Poisoned> {
    if let Err(stop) = gate.check(update, clocks, source) {
        return Ok(Err(stop));
    }
    if !gate
        .doubts()
        .iter()
        .all(|doubt| is_gone(txn, clocks, *doubt))
    {
        return Ok(Err(Stop::Refused(Refusal::Neighbours)));
    }
    let Ok(decoded) = Update::decode_v1(&join::join(update, clocks)) else {
        return Ok(Err(Stop::Refused(Refusal::Undecodable)));
    };
    let new_replicas = gate.new_replicas();
    gate.admit(clocks, before);
    txn.apply_update(decoded).map_err(|_| Poisoned {
        during: "integrating an update",
    })?;
    if txn.has_missing_updates() {
        return Err(Poisoned {
            during: "integrating all of an update",
        });
    }
    Ok(Ok(new_replicas))
}

/// Whether something has been deleted with the list it was in. The engine forgets such units when
/// the transaction in which that happened ends; until then they are in a type that is deleted.
fn is_gone(txn: &TransactionMut<'_>, clocks: &Clocks, doubt: Doubt) -> bool {
    let id = |unit: Unit| ID::new(ClientID::new(unit.replica), unit.clock);
    let (unit, scope) = match doubt {
        Doubt::Unit(unit) => (unit, IndexScope::Relative(id(unit))),
        Doubt::Type(unit) => (unit, IndexScope::Nested(id(unit))),
    };
    // What comes with the update itself cannot have been lost already.
    clocks.run(unit).is_some()
        && StickyIndex::new(scope, Assoc::After)
            .get_offset(txn)
            .is_none_or(|place| place.branch.is_deleted())
}
