//! Connections that do nothing: what each costs to open and to keep, and what a room costs that
//! nobody writes in. Must not know the server.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::{milliseconds, room_name};
use crate::Setting;
use crate::process::cpu_between;
use crate::swarm::{Newcomer, Swarm};

#[derive(Debug, clap::Args)]
pub struct Options {
    #[arg(long, default_value_t = 5_000)]
    connections: usize,
    /// Rooms that they are spread over
    #[arg(long, default_value_t = 1)]
    rooms: usize,
    /// Opened and closed as often, one crowd after the other, each in rooms of its own: memory at
    /// the end of each is told
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Seconds between the end of a round and the look at the memory; the server's idle rooms leave
    /// within it
    #[arg(long, default_value_t = 0.0)]
    rest: f64,
}

pub fn run(setting: &Setting, options: &Options) -> Result<Value> {
    let rooms = options.rooms.clamp(1, options.connections.max(1));
    let before = setting.process.usage()?;
    let mut first = None;
    let mut rests = Vec::new();
    for round in 0..options.rounds {
        let begun = Instant::now();
        let mut swarm = Swarm::new(setting.target.clone())?;
        let newcomers = (0..options.connections).map(|number| Newcomer {
            room: room_name(setting, round * rooms + number % rooms),
            ..Newcomer::default()
        });
        swarm.join(newcomers, &mut |_, _, _| Ok(()))?;
        let took = begun.elapsed();
        if first.is_none() {
            first = Some((took, swarm.bytes_in, setting.process.usage()?));
        }
        for who in 0..options.connections {
            swarm.leave(who);
        }
        drop(swarm);
        std::thread::sleep(Duration::from_secs_f64(options.rest));
        rests.extend(setting.process.usage()?.map(|usage| usage.rss_kib));
    }
    let (took, bytes, after) = first.unwrap_or_default();
    let connections = options.connections as f64;
    let cpu = cpu_between(before, after);
    let grown = after
        .zip(before)
        .map(|(after, before)| after.rss_kib.saturating_sub(before.rss_kib));
    Ok(json!({
        "scenario": "idle",
        "connections": options.connections,
        "rooms": rooms,
        "all_in_ms": milliseconds(took),
        "bytes_per_connection": bytes as f64 / connections,
        "cpu_ms_per_connection": cpu.map(|cpu| milliseconds(cpu) / connections),
        "kib_per_connection": grown.map(|kib| kib as f64 / connections),
        "rss_kib_before": before.map(|usage| usage.rss_kib),
        "rss_kib_open": after.map(|usage| usage.rss_kib),
        "rss_kib_after_each_round": rests,
    }))
}
