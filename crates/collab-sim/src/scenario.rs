//! What kind of day it will be: which faults can happen in a schedule, and how often. Must not
//! know how they are brought about.
//!
//! Each fault is switched on for some schedules and off for others: a world in which everything
//! fails at once hides what each fault does alone.

use collab_core::room::{Sabotage, Settings};

use crate::rng::Chance;

/// How storage behaves for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weather {
    /// Milliseconds from asking to doing, and from doing to answering: at most.
    pub delay_ms: u64,
    /// Of a thousand operations, how many fail before anything is committed.
    pub fails_before: u64,
    /// Of a thousand operations, how many commit and are answered as failed.
    pub fails_after: u64,
}

impl Weather {
    /// Nothing fails.
    pub const FAIR: Weather = Weather {
        delay_ms: 8,
        fails_before: 0,
        fails_after: 0,
    };
    /// Nothing fails, but it takes its time.
    pub const SLOW: Weather = Weather {
        delay_ms: 1_500,
        fails_before: 0,
        fails_after: 0,
    };
    /// Some calls fail, some of them after the commit.
    pub const FLAKY: Weather = Weather {
        delay_ms: 60,
        fails_before: 250,
        fails_after: 250,
    };
    /// Nothing gets through.
    pub const DOWN: Weather = Weather {
        delay_ms: 20,
        fails_before: 1000,
        fails_after: 0,
    };
}

/// The knobs of one schedule.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Rooms that people go to.
    pub rooms: u32,
    /// People, each with one open tab at a time.
    pub people: usize,
    /// Of a thousand tabs, how many are plain y-websocket clients.
    pub plain: u64,
    /// One more tab beside each plain one, joined to it in the browser.
    pub siblings: bool,
    /// Of a thousand tabs, how many may only read.
    pub readers: u64,
    /// Somebody sends damaged and hostile frames.
    pub hostile: bool,
    /// Programs edit over HTTP.
    pub programs: bool,
    /// What each person does before the day ends.
    pub acts: u64,
    /// Milliseconds between two acts, at most.
    pub pause_ms: u64,
    /// Milliseconds that a frame takes, at most, on most connections.
    pub latency_ms: u64,
    /// Of a thousand acts, how many cut somebody's connection.
    pub cuts: u64,
    /// Of a thousand acts, how many take somebody's network away.
    pub offline: u64,
    /// Of a thousand acts, how many close or kill a tab.
    pub leaving: u64,
    /// Of a thousand connections, how many read slowly.
    pub slow_readers: u64,
    /// Capacity of an outbox, in bytes and frames.
    pub outbox: (usize, usize),
    /// Inputs that wait in a room's inbox at most.
    pub inbox: usize,
    /// Kinds of weather that come and go.
    pub weather: Vec<Weather>,
    /// Of a thousand effects, how many the server does not live to carry out.
    pub crashes: u64,
    /// Of a thousand acts, how many stop the server gracefully.
    pub drains: u64,
    /// Of a thousand turns that merge something, how many fail inside the engine.
    pub poison: u64,
    /// A second server answers some of the clients.
    pub split: bool,
    /// The room's own limits.
    pub settings: Settings,
}

impl Scenario {
    /// A day drawn from `chance`.
    pub fn draw(chance: &mut Chance, sabotage: Option<Sabotage>) -> Scenario {
        let outbox = *chance.pick(&[
            (1 << 20, 256),
            (1 << 20, 256),
            (4_000, 12),
            (400, 4),
            (1, 1),
        ]);
        let mut weather = vec![Weather::FAIR];
        for kind in [Weather::SLOW, Weather::FLAKY, Weather::DOWN] {
            if chance.permille(450) {
                weather.push(kind);
            }
        }
        let sometimes = |chance: &mut Chance, odds: u64, values: &[u64]| match chance.permille(odds)
        {
            true => *chance.pick(values),
            false => 0,
        };
        Scenario {
            rooms: if chance.permille(250) { 2 } else { 1 },
            people: usize::try_from(chance.between(2, 5)).unwrap_or(2),
            plain: *chance.pick(&[0, 0, 250, 500]),
            siblings: chance.permille(300),
            readers: sometimes(chance, 200, &[150]),
            hostile: chance.permille(250),
            programs: chance.permille(350),
            acts: chance.between(30, 90),
            pause_ms: *chance.pick(&[150, 400, 400, 1_500, 6_000]),
            latency_ms: *chance.pick(&[2, 30, 30, 200, 2_500]),
            cuts: sometimes(chance, 600, &[5, 20, 60]),
            offline: sometimes(chance, 500, &[5, 20]),
            leaving: sometimes(chance, 500, &[5, 20, 60]),
            slow_readers: sometimes(chance, 500, &[200, 500]),
            outbox,
            inbox: *chance.pick(&[1, 8, 256, 256]),
            weather,
            crashes: sometimes(chance, 500, &[1, 3, 12]),
            drains: sometimes(chance, 200, &[5, 15]),
            poison: sometimes(chance, 150, &[20, 100]),
            split: chance.permille(150),
            settings: Settings {
                max_held_bytes: *chance.pick(&[32 << 20, 32 << 20, 1_500, 4_000]),
                unsaved_budget_bytes: *chance.pick(&[64 << 20, 64 << 20, 60, 300, 2_000]),
                idle_ms: *chance.pick(&[300, 2_000, 10_000, 60_000]),
                compact_records: *chance.pick(&[1, 4, 20, 500]),
                compact_bytes: *chance.pick(&[1 << 20, 1 << 20, 2_000]),
                version_pause_ms: *chance.pick(&[100, 1_000, 30_000]),
                version_apart_ms: *chance.pick(&[0, 2_000, 180_000]),
                version_busy_ms: *chance.pick(&[1, 500, 600_000]),
                sabotage,
                ..Settings::default()
            },
        }
    }
}
