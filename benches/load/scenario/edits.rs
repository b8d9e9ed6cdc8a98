//! One person's edits as fast as the server calls them durable, and whether that stays so while the
//! document grows. Must not know the server.
//!
//! A server without acknowledgements is timed by a second member of the room, who sees what comes.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::saturate::merge;
use super::{fill, milliseconds, per_second, room_name, settle};
use crate::Setting;
use crate::check;
use crate::dialect::{Incoming, Outgoing};
use crate::process::cpu_between;
use crate::swarm::{Newcomer, Swarm};
use crate::tally::Tally;
use crate::yjs::Typist;

/// Letters of one paste that a document is filled with.
const PASTE: usize = 64 << 10;

/// Of whoever was in the room before; the two who are measured come first.
const FIRST_BEFORE: usize = 2;

/// A server that says nothing for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, clap::Args)]
pub struct Options {
    #[arg(long, default_value_t = 1_000_000)]
    edits: u32,
    /// Edits on their way
    #[arg(long, default_value_t = 256)]
    window: u32,
    /// Parts of equal size that are measured each for itself
    #[arg(long, default_value_t = 4)]
    parts: u32,
    /// People who each left a letter in the document before, with a client id of their own
    #[arg(long, default_value_t = 0)]
    ids: usize,
    /// KiB of text that are there before
    #[arg(long, default_value_t = 0)]
    kib: usize,
}

pub fn run(setting: &Setting, options: &Options) -> Result<Value> {
    let before = prepare(setting, options)?;
    let (mut swarm, _) = fill(setting, 1, 2)?;
    let mut tally = Tally::new(1, 2);
    let mut typist = Typist::new(0);
    let mut arrived = 0;
    let mut parts = Vec::new();
    let first = setting.process.usage()?;
    let begun = Instant::now();
    for part in 1..=options.parts {
        let target = options.edits / options.parts * part;
        let before = setting.process.usage()?;
        let since = Instant::now();
        let from = arrived;
        let mut latest = since;
        while arrived < target {
            while typist.clock < target && typist.clock - arrived < options.window {
                let mut update = Vec::with_capacity(48);
                typist.keystroke(&mut update);
                tally.sent(0, typist.clock, swarm.now);
                swarm.send(0, Outgoing::Update(&update));
            }
            let known = arrived;
            swarm.turn(Duration::from_millis(100), &mut |swarm, who, message| {
                if let Incoming::Update(update) | Incoming::Step2(update) = message {
                    tally.saw(who, update, swarm.now, |_, clock| {
                        arrived = arrived.max(clock)
                    })?;
                }
                Ok(())
            })?;
            if arrived > known {
                latest = swarm.now;
            }
            ensure!(
                latest.elapsed() < PATIENCE,
                "nothing comes after {arrived} edits"
            );
        }
        let cpu = cpu_between(before, setting.process.usage()?);
        let edits = u64::from(arrived - from);
        parts.push(json!({
            "edits": arrived,
            "wall_ms": milliseconds(since.elapsed()),
            "edits_per_cpu_s": per_second(edits, cpu),
            "edits_per_s": per_second(edits, Some(since.elapsed())),
        }));
    }
    let wall = begun.elapsed();
    settle(&mut swarm, &mut tally)?;
    let last = setting.process.usage()?;
    let cpu = cpu_between(first, last);
    let mut measured = json!({
        "scenario": "edits",
        "edits": options.edits,
        "window": options.window,
        "parts": parts,
        "wall_ms": milliseconds(wall),
        "ids": options.ids,
        "kib": options.kib,
        "edits_per_cpu_s": per_second(u64::from(arrived), cpu),
        "cpu_us_per_edit": cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / f64::from(arrived)),
        "rss_kib": last.map(|usage| usage.rss_kib),
        "equal": is_all_there(setting, &before, typist.clock)?,
    });
    merge(&mut measured, tally.verdict());
    Ok(measured)
}

/// Fills the room with what was there before; returns it, in order.
fn prepare(setting: &Setting, options: &Options) -> Result<Vec<Vec<u8>>> {
    let mut updates = Vec::new();
    for id in 0..options.ids {
        let mut update = Vec::new();
        Typist::new(FIRST_BEFORE + 1 + id).keystroke(&mut update);
        updates.push(update);
    }
    // Each comes with a connection of its own, as the person did.
    let newcomers = updates.iter().map(|update| Newcomer {
        room: room_name(setting, 0),
        offers: update.clone(),
        ..Newcomer::default()
    });
    let mut swarm = Swarm::new(setting.target.clone())?;
    swarm.join(newcomers, &mut |_, _, _| Ok(()))?;
    let mut writer = Typist::new(FIRST_BEFORE);
    if options.kib > 0 {
        let who = options.ids;
        let newcomer = Newcomer {
            room: room_name(setting, 0),
            ..Newcomer::default()
        };
        swarm.join([newcomer], &mut |_, _, _| Ok(()))?;
        let mut left = options.kib << 10;
        while left > 0 {
            let letters = left.min(PASTE);
            left -= letters;
            let mut update = Vec::with_capacity(letters + 32);
            writer.paste(&mut update, letters);
            swarm.send(who, Outgoing::Update(&update));
            updates.push(update);
            while swarm.unwritten(who) > PASTE {
                swarm.turn(Duration::from_millis(10), &mut |_, _, _| Ok(()))?;
            }
        }
    }
    let mut expected = check::reader();
    check::merge(&mut expected, &updates)?;
    let until = Instant::now() + PATIENCE * 3;
    while !setting.relay
        && check::fetch(setting, &room_name(setting, 0))?.state_vector() != expected.state_vector()
    {
        ensure!(Instant::now() < until, "the document did not arrive");
        swarm.turn(Duration::from_millis(50), &mut |_, _, _| Ok(()))?;
    }
    Ok(updates)
}

fn is_all_there(setting: &Setting, before: &[Vec<u8>], edits: u32) -> Result<Option<bool>> {
    if setting.relay {
        return Ok(None);
    }
    let mut updates = before.to_vec();
    let mut typist = Typist::new(0);
    for _ in 0..edits {
        let mut update = Vec::with_capacity(48);
        typist.keystroke(&mut update);
        updates.push(update);
    }
    let mut expected = check::reader();
    check::merge(&mut expected, &updates)?;
    let given = check::fetch(setting, &room_name(setting, 0))?;
    Ok(Some(
        given.state_vector() == expected.state_vector() && given.digest()? == expected.digest()?,
    ))
}
