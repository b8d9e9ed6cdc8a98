//! People come back at once, each with edits made without a network. Must not know the server.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::saturate::merge;
use super::{SETTLE, judge, milliseconds, room_name};
use crate::Setting;
use crate::check;
use crate::dialect::Incoming;
use crate::process::cpu_between;
use crate::swarm::{Newcomer, Swarm};
use crate::tally::Tally;
use crate::yjs::Typist;

#[derive(Debug, clap::Args)]
pub struct Options {
    #[arg(long, default_value_t = 50)]
    people: usize,
    /// Keystrokes of each while away
    #[arg(long, default_value_t = 2_000)]
    edits: u32,
}

pub fn run(setting: &Setting, options: &Options) -> Result<Value> {
    let mut tally = Tally::new(1, options.people);
    let newcomers = (0..options.people)
        .map(|member| {
            let mut typist = Typist::new(member);
            let updates: Vec<_> = (0..options.edits)
                .map(|_| {
                    let mut update = Vec::with_capacity(48);
                    typist.keystroke(&mut update);
                    update
                })
                .collect();
            tally.sent(member, typist.clock, Instant::now());
            let mut away = check::reader();
            check::merge(&mut away, &updates)?;
            Ok(Newcomer {
                room: room_name(setting, 0),
                have: away.state_vector().encode(),
                offers: away.encode()?.to_vec(),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let mut swarm = Swarm::new(setting.target.clone())?;
    let before = setting.process.usage()?;
    let begun = Instant::now();
    let until = begun + SETTLE;
    swarm.join(newcomers, &mut |swarm, who, message| {
        see(&mut tally, swarm, who, message)
    })?;
    while tally.missing() > 0 {
        if Instant::now() > until {
            break;
        }
        ensure!(swarm.gone == 0, "{} connections ended", swarm.gone);
        swarm.turn(Duration::from_millis(20), &mut |swarm, who, message| {
            see(&mut tally, swarm, who, message)
        })?;
    }
    let wall = begun.elapsed();
    let after = setting.process.usage()?;
    let mut measured = json!({
        "scenario": "comeback",
        "people": options.people,
        "edits": options.edits,
        "wall_ms": milliseconds(wall),
        "cpu_ms": cpu_between(before, after).map(milliseconds),
        "bytes": swarm.bytes_in,
        "equal": judge(setting, 1, options.people, &tally)?,
    });
    // What one brings arrives as a whole, in whatever order its blocks stand.
    merge(&mut measured, json!({ "lost": tally.missing() }));
    Ok(measured)
}

fn see(tally: &mut Tally, swarm: &Swarm, who: usize, message: Incoming<'_>) -> Result<()> {
    if let Incoming::Update(update) | Incoming::Step2(update) = message {
        tally.saw(who, update, swarm.now, |_, _| {})?;
    }
    Ok(())
}
