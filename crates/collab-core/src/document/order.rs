//! Whether two units can have been neighbours when something was inserted between them. Must not
//! know where units are kept.
//!
//! A list is its tree of origins, read from the root down: a unit stands behind its origin, and
//! everything between the two descends from that origin as well. So of two neighbours the right
//! one's origin is the left one or an ancestor of it; and no unit that one of them refers to can
//! stand between them. An update that claims otherwise was not made by an editor, and where its
//! units go depends on the order in which updates arrive. Walks are bounded: what cannot be
//! decided passes.

use super::place::{Run, Unit};

/// Runs that one question may look at. A text that a hundred people typed in turns is a chain of
/// many short runs; without an end, each block of an update could ask for a walk over all of it.
const MAX_WALK: usize = 256;

/// Units of one run: all from its start to `last`, each the origin of the next.
struct Span {
    replica: u64,
    run: Run,
    last: u32,
}

impl Span {
    fn contains(&self, unit: Unit) -> bool {
        unit.replica == self.replica && (self.run.start..=self.last).contains(&unit.clock)
    }
}

/// A unit, its origin, the origin of that and so on, newest first.
struct Ancestors {
    spans: Vec<Span>,
    /// Whether they reach to the beginning of the list.
    complete: bool,
}

impl Ancestors {
    fn of(unit: Unit, find: &impl Fn(Unit) -> Option<Run>) -> Ancestors {
        let mut spans = Vec::new();
        let mut next = Some(unit);
        while let Some(unit) = next {
            let Some(run) = find(unit).filter(|_| spans.len() < MAX_WALK) else {
                break;
            };
            next = run.place.origin;
            spans.push(Span {
                replica: unit.replica,
                run,
                last: unit.clock,
            });
        }
        Ancestors {
            spans,
            complete: next.is_none(),
        }
    }

    fn contain(&self, unit: Unit) -> bool {
        self.spans.iter().any(|span| span.contains(unit))
    }

    /// The one whose origin is `origin`, and its right origin. `None` when there is none, or none
    /// that these ancestors show.
    fn child_of(&self, origin: Option<Unit>) -> Option<(Unit, Option<Unit>)> {
        let (replica, clock, run) = match origin {
            Some(unit) => self
                .spans
                .iter()
                .find(|span| span.contains(unit) && span.last > unit.clock)
                .map(|span| (span.replica, unit.clock + 1, &span.run))
                .or_else(|| {
                    self.spans
                        .iter()
                        .find(|span| span.run.place.origin == origin)
                        .map(|span| (span.replica, span.run.start, &span.run))
                }),
            None => self
                .spans
                .last()
                .filter(|_| self.complete)
                .map(|span| (span.replica, span.run.start, &span.run)),
        }?;
        Some((Unit { replica, clock }, run.place.right_origin))
    }
}

/// Whether something can have been inserted between `left`, or the beginning of the list, and
/// `right`. Each comes with its run; `find` gives the runs of others.
pub(super) fn possible(
    left: Option<(Unit, &Run)>,
    (right, right_run): (Unit, &Run),
    find: impl Fn(Unit) -> Option<Run>,
) -> bool {
    let origin = right_run.origin_of(right);
    let Some((left, left_run)) = left else {
        return origin.is_none();
    };
    // What typing looks like: behind the unit typed last, before what that one was before.
    let beyond = left_run.place.right_origin;
    if left == right {
        return false;
    } else if origin == Some(left) || beyond == Some(right) {
        return true;
    }
    let lefts = Ancestors::of(left, &find);
    if lefts.contain(right) {
        return false;
    }
    if lefts.complete && origin.is_some_and(|origin| !lefts.contain(origin)) {
        return false;
    }
    // Each right origin stands further right than the one before.
    let rights = |from: Option<Unit>| {
        std::iter::successors(from, |unit| find(*unit)?.place.right_origin).take(MAX_WALK)
    };
    if rights(beyond).any(|unit| unit == right) {
        return false;
    }
    if rights(right_run.place.right_origin).any(|unit| lefts.contain(unit)) {
        return false;
    }
    // Both are children of one origin and were inserted before the same unit, so the engine
    // orders them by who inserted them; of one replica the newer one goes first.
    match lefts.child_of(origin) {
        Some((sibling, before)) if before == right_run.place.right_origin => {
            (sibling.replica, right.clock) < (right.replica, sibling.clock)
        }
        _ => true,
    }
}
