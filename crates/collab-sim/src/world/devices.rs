//! What people's devices keep for them, and pages that begin with it. Must not know servers.
//!
//! A person has one page at a time, so their device is a list: a record for each edit, which the
//! disk has a moment later, and copies that replace what was before them.

use collab_core::session::{Input, Kept};
use collab_core::time::Millis;

use super::World;
use crate::checker::{Invariant, Units, Verdict, violated};
use crate::counts::Happening;
use crate::tab::Client;

/// Milliseconds that a disk may take for one record.
const DISK_MS: u64 = 200;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Device {
    records: Vec<Record>,
    /// Every edit that the device said it keeps, saved since or not.
    promised: Units,
}

#[derive(Debug)]
struct Record {
    /// When the disk has it.
    at: Millis,
    kept: Kept,
    /// The edit itself, if it is not a copy.
    edit: Units,
}

impl Device {
    /// The disk has this much by now; the rest goes with the page. Returns how much that is.
    fn crashes(&mut self, now: Millis) -> usize {
        let before = self.records.len();
        self.records.retain(|record| record.at <= now);
        self.promises();
        before - self.records.len()
    }

    fn promises(&mut self) {
        for record in &mut self.records {
            self.promised.add(std::mem::take(&mut record.edit));
        }
    }

    /// All of it, for a page that begins.
    fn kept(&self) -> Option<Kept> {
        let last = self.records.last()?;
        let records = self.records.iter();
        Some(Kept {
            updates: records.flat_map(|it| it.kept.updates.clone()).collect(),
            ..last.kept.clone()
        })
    }
}

impl World {
    /// A page wants an edit to be kept.
    pub(super) fn keep(&mut self, tab: usize, kept: Kept) {
        let delay = self.chance.below(DISK_MS);
        let at = self.now().plus(delay);
        let Some(person) = self.people.iter_mut().find(|person| person.tab == tab) else {
            return;
        };
        let records = &mut person.device.records;
        // A disk writes in order.
        let at = records.last().map_or(at, |last| last.at.max(at));
        let edit = kept.updates.last();
        let edit = edit.and_then(|edit| Units::of_update(edit));
        let edit = edit.unwrap_or_default();
        records.push(Record { at, kept, edit });
    }

    /// A person's page writes down everything instead.
    pub(super) fn copy(&mut self, person: usize) {
        let now = self.now();
        let person = &mut self.people[person];
        let Some(Client::Page(session)) = self.tabs.get_mut(person.tab).map(|it| &mut it.client)
        else {
            return;
        };
        let Some(kept) = session.copy() else { return };
        person.device.promises();
        person.device.records = vec![Record {
            at: now,
            kept,
            edit: Units::default(),
        }];
    }

    /// A person's browser is gone, and with it what the disk did not have.
    pub(super) fn device_crashes(&mut self, person: usize) {
        let now = self.now();
        let lost = self.people[person].device.crashes(now);
        if lost > 0 {
            self.count(Happening::NotKept);
        }
    }

    /// A page that was just loaded begins with what the device has: all that was promised.
    pub(super) fn restore(&mut self, person: usize) -> Verdict {
        let tab = self.people[person].tab;
        let Some(kept) = self.people[person].device.kept() else {
            return Ok(());
        };
        if !matches!(self.tabs[tab].client, Client::Page(_)) {
            return Ok(());
        }
        if kept.unsaved > 0 {
            self.count(Happening::CameBack);
            self.tabs[tab].dirty = true;
        }
        let unsaved = kept.unsaved;
        self.note(|| format!("tab {tab} begins with what was kept, {unsaved} edits unsaved"));
        self.tell(tab, Input::Restore(kept))?;
        let promised = self.people[person].device.promised.clone();
        let has = self.tabs[tab]
            .document()
            .and_then(|document| document.diff(&Default::default()).ok())
            .and_then(|whole| Units::of_update(&whole))
            .unwrap_or_default();
        if let Some(missing) = promised.missing_in(&has) {
            return violated(
                Invariant::KeptComesBack,
                format!("tab {tab} came back without {missing}"),
            );
        }
        // When it says Saved, this must be saved, too.
        self.tabs[tab].own.add(promised);
        Ok(())
    }
}
