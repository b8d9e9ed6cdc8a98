//! A room full of people who only move their carets, and one who types among them. Must not know the
//! server.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::saturate::merge;
use super::{WARM_UP, fill, judge, settle};
use crate::Setting;
use crate::dialect::{Incoming, Outgoing};
use crate::process::cpu_between;
use crate::tally::Tally;
use crate::yjs::{FIRST_ID, Typist, put_bytes, put_uint};

#[derive(Debug, clap::Args)]
pub struct Options {
    #[arg(long, default_value_t = 500)]
    people: usize,
    /// Moves of one person in a second
    #[arg(long, default_value_t = 1.0)]
    pace: f64,
    /// Keystrokes of the one who types in a second
    #[arg(long, default_value_t = 5.0)]
    typing: f64,
}

pub fn run(setting: &Setting, options: &Options) -> Result<Value> {
    let (mut swarm, _) = fill(setting, 1, options.people)?;
    let mut tally = Tally::new(1, options.people).with_latencies();
    let mut typist = Typist::new(0);
    let mut clocks = vec![0u32; options.people];
    let mut entries = 0u64;
    let every = Duration::from_secs_f64(1.0 / (options.pace * options.people as f64));
    let every_key = Duration::from_secs_f64(1.0 / options.typing);
    let begun = Instant::now();
    let warm = begun + WARM_UP;
    let end = warm + setting.time;
    let (mut due, mut key_due) = (begun, begun);
    let mut moved = 0usize;
    let mut before = None;
    let mut bytes = 0;
    while due < end {
        if before.is_none() && due >= warm {
            tally.start();
            entries = 0;
            bytes = swarm.bytes_in;
            before = Some((setting.process.usage()?, Instant::now()));
        }
        let now = Instant::now();
        while due <= now {
            let member = moved % options.people;
            moved += 1;
            due += every;
            if let Some(clock) = clocks.get_mut(member) {
                *clock += 1;
                swarm.send(member, Outgoing::Awareness(&caret(member, *clock)));
            }
        }
        while key_due <= now {
            key_due += every_key;
            let mut update = Vec::with_capacity(48);
            typist.keystroke(&mut update);
            tally.sent(0, typist.clock, now);
            swarm.send(0, Outgoing::Update(&update));
        }
        let next = due.min(key_due);
        let wait = next.saturating_duration_since(Instant::now());
        swarm.turn(wait, &mut |swarm, who, message| {
            match message {
                Incoming::Update(update) | Incoming::Step2(update) => {
                    tally.saw(who, update, swarm.now, |_, _| {})?;
                }
                Incoming::Awareness(update) => {
                    entries += crate::yjs::Reader(update).uint()?;
                }
                _ => {}
            }
            Ok(())
        })?;
    }
    let after = setting.process.usage()?;
    let (before, since) = before.map_or((None, begun), |(usage, at)| (usage, at));
    let time = since.elapsed().as_secs_f64();
    let bytes = swarm.bytes_in - bytes;
    settle(&mut swarm, &mut tally)?;
    let cpu = cpu_between(before, after);
    let mut measured = json!({
        "scenario": "presence",
        "people": options.people,
        "pace": options.pace,
        "entries_seen_per_s": entries as f64 / time,
        "bytes_per_s": bytes as f64 / time,
        "core_share": cpu.map(|cpu| cpu.as_secs_f64() / time),
        "delivery": tally.latencies.summary(),
        "equal": judge(setting, 1, options.people, &tally)?,
    });
    merge(&mut measured, tally.verdict());
    Ok(measured)
}

/// An awareness update as an editor's binding sends it: a name, a colour, a caret.
fn caret(member: usize, clock: u32) -> Vec<u8> {
    let state = format!(
        r##"{{"user":{{"name":"Person {member}","color":"#30bced"}},"cursor":{{"anchor":{clock},"head":{clock}}}}}"##
    );
    let mut update = Vec::with_capacity(128);
    put_uint(&mut update, 1);
    put_uint(&mut update, FIRST_ID + member as u64);
    put_uint(&mut update, u64::from(clock));
    put_bytes(&mut update, state.as_bytes());
    update
}
