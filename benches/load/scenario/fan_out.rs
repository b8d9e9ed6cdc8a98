//! Everybody types at a steady pace: how long an update takes to the others, and to be saved. Must
//! not know the server.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::saturate::merge;
use super::{WARM_UP, fill, judge, per_second, settle};
use crate::Setting;
use crate::dialect::{Incoming, Outgoing};
use crate::latency::Latencies;
use crate::process::cpu_between;
use crate::tally::Tally;
use crate::yjs::Typist;

#[derive(Debug, clap::Args)]
pub struct Options {
    #[arg(long, default_value_t = 1)]
    rooms: usize,
    /// People in each
    #[arg(long, default_value_t = 20)]
    people: usize,
    /// Keystrokes of one person in a second
    #[arg(long, default_value_t = 5.0)]
    pace: f64,
}

pub fn run(setting: &Setting, options: &Options) -> Result<Value> {
    let members = options.rooms * options.people;
    let (mut swarm, _) = fill(setting, options.rooms, options.people)?;
    let mut tally = Tally::new(options.rooms, options.people).with_latencies();
    let mut typists: Vec<_> = (0..members).map(Typist::new).collect();
    // Keystrokes not called saved, oldest first, and how many of the connection's messages were.
    let mut unsaved: Vec<VecDeque<Instant>> = vec![VecDeque::new(); members];
    let mut counted = vec![1u64; members];
    let mut saved = Latencies::default();
    let every = Duration::from_secs_f64(1.0 / (options.pace * members as f64));
    let begun = Instant::now();
    let warm = begun + WARM_UP;
    let end = warm + setting.time;
    let mut due = begun;
    let mut typed = 0usize;
    let mut before = None;
    while due < end {
        if before.is_none() && due >= warm {
            tally.start();
            saved = Latencies::default();
            before = Some((setting.process.usage()?, Instant::now()));
        }
        let now = Instant::now();
        while due <= now {
            let member = typed % members;
            typed += 1;
            due += every;
            if let Some(typist) = typists.get_mut(member) {
                let mut update = Vec::with_capacity(48);
                typist.keystroke(&mut update);
                tally.sent(member, typist.clock, now);
                swarm.send(member, Outgoing::Update(&update));
            }
            if let Some(unsaved) = unsaved.get_mut(member) {
                unsaved.push_back(now);
            }
        }
        let wait = due.saturating_duration_since(Instant::now());
        swarm.turn(wait, &mut |swarm, who, message| {
            match message {
                Incoming::Update(update) | Incoming::Step2(update) => {
                    tally.saw(who, update, swarm.now, |_, _| {})?;
                }
                Incoming::Saved(count) => {
                    if let (Some(known), Some(unsaved)) =
                        (counted.get_mut(who), unsaved.get_mut(who))
                    {
                        while *known < count
                            && let Some(sent) = unsaved.pop_front()
                        {
                            *known += 1;
                            saved.add(swarm.now.saturating_duration_since(sent));
                        }
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
    }
    let after = setting.process.usage()?;
    let (before, since) = before.map_or((None, begun), |(usage, at)| (usage, at));
    let time = since.elapsed();
    let delivered = tally.delivered;
    settle(&mut swarm, &mut tally)?;
    let cpu = cpu_between(before, after);
    let mut measured = json!({
        "scenario": "fan-out",
        "rooms": options.rooms,
        "people": options.people,
        "pace": options.pace,
        "deliveries": delivered,
        "wall_s": time.as_secs_f64(),
        "cpu_s": cpu.map(|cpu| cpu.as_secs_f64()),
        "cpu_s_per_million": cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / delivered as f64),
        "deliveries_per_cpu_s": per_second(delivered, cpu),
        "delivery": tally.latencies.summary(),
        "saved": saved.summary(),
        "equal": judge(setting, options.rooms, options.people, &tally)?,
    });
    merge(&mut measured, tally.verdict());
    Ok(measured)
}
