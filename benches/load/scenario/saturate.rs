//! Everybody types as fast as the next member of the room sees it: what a CPU-second of the server
//! delivers. Must not know the server.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::{WARM_UP, fill, judge, per_second, settle};
use crate::Setting;
use crate::dialect::{Incoming, Outgoing};
use crate::process::cpu_between;
use crate::swarm::Swarm;
use crate::tally::Tally;
use crate::yjs::Typist;

#[derive(Debug, clap::Args)]
pub struct Options {
    #[arg(long, default_value_t = 1)]
    rooms: usize,
    /// People in each
    #[arg(long, default_value_t = 20)]
    people: usize,
    /// Updates of one person that the next one has not seen yet
    #[arg(long, default_value_t = 1)]
    window: u32,
}

pub fn run(setting: &Setting, options: &Options) -> Result<Value> {
    let members = options.rooms * options.people;
    let (mut swarm, _) = fill(setting, options.rooms, options.people)?;
    let mut tally = Tally::new(options.rooms, options.people);
    let mut typists: Vec<_> = (0..members).map(Typist::new).collect();
    for member in 0..members {
        for _ in 0..options.window {
            keystroke(&mut swarm, &mut typists, &mut tally, member);
        }
    }
    let mut messages = 0u64;
    let mut go = |swarm: &mut Swarm, tally: &mut Tally, time: Duration, counted: &mut u64| {
        let until = Instant::now() + time;
        while Instant::now() < until {
            swarm.turn(Duration::from_millis(100), &mut |swarm, who, message| {
                *counted += 1;
                if let Incoming::Update(update) | Incoming::Step2(update) = message {
                    let mut free = 0;
                    let mut author = 0;
                    tally.saw(who, update, swarm.now, |by, clock| {
                        if next(by, options.people) == who
                            && let Some(typist) = typists.get(by)
                        {
                            author = by;
                            free = options.window.saturating_sub(typist.clock - clock);
                        }
                    })?;
                    for _ in 0..free {
                        keystroke(swarm, &mut typists, tally, author);
                    }
                }
                Ok(())
            })?;
        }
        anyhow::Ok(())
    };
    go(&mut swarm, &mut tally, WARM_UP, &mut messages)?;
    tally.start();
    messages = 0;
    let before = setting.process.usage()?;
    let begun = Instant::now();
    go(&mut swarm, &mut tally, setting.time, &mut messages)?;
    let after = setting.process.usage()?;
    let time = begun.elapsed();
    let delivered = tally.delivered;
    settle(&mut swarm, &mut tally)?;
    let cpu = cpu_between(before, after);
    let mut measured = json!({
        "scenario": "saturate",
        "rooms": options.rooms,
        "people": options.people,
        "window": options.window,
        "deliveries": delivered,
        "messages": messages,
        "wall_s": time.as_secs_f64(),
        "cpu_s": cpu.map(|cpu| cpu.as_secs_f64()),
        "deliveries_per_cpu_s": per_second(delivered, cpu),
        "deliveries_per_s": per_second(delivered, Some(time)),
        "rss_kib": after.map(|after| after.rss_kib),
        "equal": judge(setting, options.rooms, options.people, &tally)?,
    });
    merge(&mut measured, tally.verdict());
    Ok(measured)
}

/// The member after this one in its room.
fn next(member: usize, people: usize) -> usize {
    member / people * people + (member + 1) % people
}

fn keystroke(swarm: &mut Swarm, typists: &mut [Typist], tally: &mut Tally, member: usize) {
    let Some(typist) = typists.get_mut(member) else {
        return;
    };
    let mut update = Vec::with_capacity(48);
    typist.keystroke(&mut update);
    tally.sent(member, typist.clock, swarm.now);
    swarm.send(member, Outgoing::Update(&update));
}

/// Adds the fields of one object to another.
pub fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
