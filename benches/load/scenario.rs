//! What is measured, one file each. Must not know how bytes travel.

mod comeback;
mod edits;
mod fan_out;
mod idle;
mod join;
mod presence;
mod saturate;
mod slow_reader;

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::Value;

use crate::Setting;
use crate::dialect::Incoming;
use crate::swarm::{Newcomer, Swarm};
use crate::tally::Tally;

/// Before the clock runs.
const WARM_UP: Duration = Duration::from_secs(1);

/// How long the last updates may take to arrive.
const SETTLE: Duration = Duration::from_secs(20);

#[derive(Debug, clap::Subcommand)]
pub enum Scenario {
    /// Everybody types as fast as the others see it
    Saturate(saturate::Options),
    /// Everybody types at a steady pace: latencies
    FanOut(fan_out::Options),
    /// People come into a room with a real document
    Join(join::Options),
    /// People come back at once with what they wrote offline
    Comeback(comeback::Options),
    /// Connections are opened, do nothing, and are closed
    Idle(idle::Options),
    /// Everybody moves a caret, one types
    Presence(presence::Options),
    /// One member does not read while the others write
    SlowReader(slow_reader::Options),
    /// One person's edits, as fast as they are taken, while the document grows
    Edits(edits::Options),
}

pub fn run(setting: &Setting, scenario: &Scenario) -> Result<Value> {
    match scenario {
        Scenario::Saturate(options) => saturate::run(setting, options),
        Scenario::FanOut(options) => fan_out::run(setting, options),
        Scenario::Join(options) => join::run(setting, options),
        Scenario::Comeback(options) => comeback::run(setting, options),
        Scenario::Idle(options) => idle::run(setting, options),
        Scenario::Presence(options) => presence::run(setting, options),
        Scenario::SlowReader(options) => slow_reader::run(setting, options),
        Scenario::Edits(options) => edits::run(setting, options),
    }
}

fn room_name(setting: &Setting, room: usize) -> String {
    format!("{}-{room}", setting.room)
}

/// Fills rooms with so many people each; members of a room are numbered in a row.
fn fill(setting: &Setting, rooms: usize, people: usize) -> Result<(Swarm, Vec<Duration>)> {
    let mut swarm = Swarm::new(setting.target.clone())?;
    let newcomers = (0..rooms * people).map(|member| Newcomer {
        room: room_name(setting, member / people),
        ..Newcomer::default()
    });
    let took = swarm.join(newcomers, &mut |_, _, _| Ok(()))?;
    Ok((swarm, took))
}

/// Waits until everybody has seen everything, or gives up.
fn settle(swarm: &mut Swarm, tally: &mut Tally) -> Result<()> {
    let until = Instant::now() + SETTLE;
    while tally.missing() > 0 && Instant::now() < until {
        swarm.turn(Duration::from_millis(20), &mut |swarm, who, message| {
            if let Incoming::Update(update) | Incoming::Step2(update) = message {
                tally.saw(who, update, swarm.now, |_, _| {})?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// The real engine's judgement of the first rooms.
fn judge(setting: &Setting, rooms: usize, people: usize, tally: &Tally) -> Result<Option<bool>> {
    /// Rooms that are looked at.
    const JUDGED: usize = 3;
    if setting.relay {
        return Ok(None);
    }
    let mut equal = true;
    for room in 0..rooms.min(JUDGED) {
        let typed: Vec<_> = (room * people..(room + 1) * people)
            .map(|member| (member, tally.sent_by(member)))
            .collect();
        equal &= crate::check::is_what_was_typed(setting, &room_name(setting, room), &typed)?;
    }
    Ok(Some(equal))
}

/// So many per second, or `None` of no time.
fn per_second(count: u64, time: Option<Duration>) -> Option<f64> {
    let seconds = time?.as_secs_f64();
    (seconds > 0.0).then(|| count as f64 / seconds)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
