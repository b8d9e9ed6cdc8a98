//! What happens when: the simulated clock. Must not know what the events mean.

use std::collections::BTreeMap;

use collab_core::time::Millis;

/// Events by time; those of one instant in the order in which they were put down.
#[derive(Debug)]
pub struct Agenda<E> {
    now: Millis,
    next: u64,
    events: BTreeMap<(Millis, u64), E>,
}

impl<E> Default for Agenda<E> {
    fn default() -> Agenda<E> {
        Agenda {
            now: Millis(0),
            next: 0,
            events: BTreeMap::new(),
        }
    }
}

impl<E> Agenda<E> {
    /// The present.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// Puts an event down; what is in the past happens now.
    pub fn at(&mut self, when: Millis, event: E) {
        self.events.insert((when.max(self.now), self.next), event);
        self.next += 1;
    }

    /// The same, so many milliseconds from now.
    pub fn after(&mut self, ms: u64, event: E) {
        self.at(self.now.plus(ms), event);
    }

    /// The next event; the clock goes there.
    pub fn pop(&mut self) -> Option<E> {
        let ((when, _), event) = self.events.pop_first()?;
        self.now = when;
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_then_in_order() {
        let mut agenda = Agenda::default();
        agenda.at(Millis(5), "b");
        agenda.at(Millis(5), "c");
        agenda.at(Millis(1), "a");
        assert_eq!(agenda.pop(), Some("a"));
        agenda.at(Millis(0), "late");
        assert_eq!(agenda.pop(), Some("late"));
        assert_eq!(agenda.now(), Millis(1));
        assert_eq!(agenda.pop(), Some("b"));
        assert_eq!(agenda.pop(), Some("c"));
        assert_eq!(agenda.pop(), None);
    }
}
