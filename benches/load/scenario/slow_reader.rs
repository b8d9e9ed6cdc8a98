//! One member stops reading while the others go on: what it costs the server, and them. Must not
//! know the server.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::saturate::merge;
use super::{WARM_UP, fill, milliseconds, room_name, settle};
use crate::Setting;
use crate::check;
use crate::dialect::{Incoming, Outgoing};
use crate::swarm::Swarm;
use crate::tally::Tally;
use crate::yjs::Typist;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// People, of whom the last stops reading
    #[arg(long, default_value_t = 5)]
    people: usize,
    /// MiB that the others write meanwhile
    #[arg(long, default_value_t = 60)]
    behind: usize,
    /// KiB of each of their updates
    #[arg(long, default_value_t = 8)]
    update: usize,
    /// Updates of all of them in a second
    #[arg(long, default_value_t = 400.0)]
    pace: f64,
}

/// One phase: the same writing, with and without somebody who does not read.
struct Phase {
    latencies: Value,
    grown_kib: Option<u64>,
}

pub fn run(setting: &Setting, options: &Options) -> Result<Value> {
    let (mut swarm, _) = fill(setting, 1, options.people)?;
    let mut tally = Tally::new(1, options.people).with_latencies();
    let mut typists: Vec<_> = (0..options.people).map(Typist::new).collect();
    let mut sent = Vec::new();
    let slow = options.people - 1;
    let mut phase = |swarm: &mut Swarm, tally: &mut Tally| {
        write(setting, options, swarm, tally, &mut typists, &mut sent)
    };
    // The same amount of writing before and after, so that the document's own growth is the same.
    let everybody_reads = phase(&mut swarm, &mut tally)?;
    swarm.stall(slow);
    let one_does_not = phase(&mut swarm, &mut tally)?;
    let begun = Instant::now();
    swarm.resume(slow, &mut |swarm, who, message| {
        see(&mut tally, swarm, who, message)
    })?;
    settle(&mut swarm, &mut tally)?;
    let caught_up = begun.elapsed();
    let mut expected = check::reader();
    check::merge(&mut expected, &sent)?;
    let given = check::fetch(setting, &room_name(setting, 0))?;
    let grown = one_does_not
        .grown_kib
        .zip(everybody_reads.grown_kib)
        .map(|(with, without)| i128::from(with) - i128::from(without));
    let mut measured = json!({
        "scenario": "slow-reader",
        "people": options.people,
        "behind_mib": options.behind,
        "everybody_reads": everybody_reads.latencies,
        "one_does_not": one_does_not.latencies,
        "grown_kib": { "everybody_reads": everybody_reads.grown_kib, "one_does_not": one_does_not.grown_kib },
        "for_the_slow_one_kib": grown.and_then(|kib| i64::try_from(kib).ok()),
        "caught_up_ms": milliseconds(caught_up),
        "connections_lost": swarm.gone,
        "equal": given.state_vector() == expected.state_vector() && given.digest()? == expected.digest()?,
    });
    // A reader who was behind is given the difference as one state, in whatever order.
    merge(&mut measured, json!({ "lost": tally.missing() }));
    Ok(measured)
}

fn write(
    setting: &Setting,
    options: &Options,
    swarm: &mut Swarm,
    tally: &mut Tally,
    typists: &mut [Typist],
    sent: &mut Vec<Vec<u8>>,
) -> Result<Phase> {
    let writers = typists.len() - 1;
    let letters = options.update << 10;
    let count = (options.behind << 20) / letters;
    let every = Duration::from_secs_f64(1.0 / options.pace);
    tally.start();
    let before = setting.process.usage()?;
    let mut due = Instant::now() + WARM_UP / 10;
    for number in 0..count {
        while Instant::now() < due {
            let wait = due.saturating_duration_since(Instant::now());
            swarm.turn(wait, &mut |swarm, who, message| {
                see(tally, swarm, who, message)
            })?;
        }
        due += every;
        let member = number % writers;
        if let Some(typist) = typists.get_mut(member) {
            let mut update = Vec::with_capacity(letters + 32);
            typist.paste(&mut update, letters);
            tally.sent(member, typist.clock, Instant::now());
            swarm.send(member, Outgoing::Update(&update));
            sent.push(update);
        }
    }
    // Until everybody who reads has it.
    let until = Instant::now() + super::SETTLE;
    while tally.missing_of(0..writers) > 0 && Instant::now() < until {
        swarm.turn(Duration::from_millis(20), &mut |swarm, who, message| {
            see(tally, swarm, who, message)
        })?;
    }
    let after = setting.process.usage()?;
    Ok(Phase {
        latencies: tally.latencies.summary(),
        grown_kib: after
            .zip(before)
            .map(|(after, before)| after.rss_kib.saturating_sub(before.rss_kib)),
    })
}

fn see(tally: &mut Tally, swarm: &Swarm, who: usize, message: Incoming<'_>) -> Result<()> {
    if let Incoming::Update(update) | Incoming::Step2(update) = message {
        tally.saw(who, update, swarm.now, |_, _| {})?;
    }
    Ok(())
}
