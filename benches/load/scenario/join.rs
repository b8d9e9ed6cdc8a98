//! What it costs to come into a room that holds a real document: alone, many at once, and again with
//! everything there already. Must not know the server.
//!
//! The room is filled first, unless it is said to be there: a server that was started anew answers
//! the first joiner cold.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use benches::trace::paper;
use collab_core::document::{Document, Edit, FileId};
use collab_core::ids::{Offset, ReplicaId};
use serde_json::{Value, json};

use super::{SETTLE, milliseconds, room_name};
use crate::Setting;
use crate::check;
use crate::latency::Latencies;
use crate::process::cpu_between;
use crate::swarm::{Newcomer, Swarm};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Edits of the trace that the document was written with
    #[arg(long, default_value_t = 260_000)]
    edits: usize,
    /// Who comes one after the other
    #[arg(long, default_value_t = 100)]
    alone: usize,
    /// Who comes at once
    #[arg(long, default_value_t = 50)]
    together: usize,
    /// Such crowds, one after the other: CPU time is counted in 10 ms
    #[arg(long, default_value_t = 10)]
    crowds: u32,
    /// The room is there already: nothing is uploaded
    #[arg(long)]
    prepared: bool,
}

pub fn run(setting: &Setting, options: &Options) -> Result<Value> {
    let room = room_name(setting, 0);
    let mut document = write(options.edits)?;
    if !options.prepared {
        upload(setting, &room, &mut document)?;
    }
    let newcomer = || Newcomer {
        room: room.clone(),
        ..Newcomer::default()
    };
    let mut swarm = Swarm::new(setting.target.clone())?;
    let mut took = Latencies::default();
    let mut first = None;
    let mut before = setting.process.usage()?;
    for number in 0..=options.alone {
        for each in swarm.join([newcomer()], &mut |_, _, _| Ok(()))? {
            // The first is told apart: it may find the room asleep.
            if number == 0 {
                first = Some(each);
                before = setting.process.usage()?;
            } else {
                took.add(each);
            }
        }
    }
    let between = setting.process.usage()?;
    let crowds = options.crowds.max(1);
    let mut together = Duration::ZERO;
    let mut together_bytes = 0;
    for _ in 0..crowds {
        let mut swarm = Swarm::new(setting.target.clone())?;
        let begun = Instant::now();
        let crowd = (0..options.together).map(|_| newcomer());
        swarm.join(crowd, &mut |_, _, _| Ok(()))?;
        together += begun.elapsed();
        together_bytes += swarm.bytes_in;
    }
    let after = setting.process.usage()?;
    let up_to_date = Newcomer {
        have: document.state_vector().encode(),
        ..newcomer()
    };
    let bytes = swarm.bytes_in;
    swarm.join([up_to_date], &mut |_, _, _| Ok(()))?;
    let up_to_date_bytes = swarm.bytes_in - bytes;
    let cpu_ms = |from, to| cpu_between(from, to).map(milliseconds);
    Ok(json!({
        "scenario": "join",
        "edits": options.edits,
        "prepared": options.prepared,
        "first_ms": first.map(milliseconds),
        "alone": took.summary(),
        "alone_cpu_ms": cpu_ms(before, between).map(|ms| ms / options.alone.max(1) as f64),
        "together": options.together,
        "together_ms": milliseconds(together / crowds),
        "together_cpu_ms": cpu_ms(between, after).map(|ms| ms / f64::from(crowds)),
        "together_bytes": together_bytes / u64::from(crowds),
        "up_to_date_bytes": up_to_date_bytes,
        "equal": check::fetch(setting, &room)?.digest()? == document.digest()?,
    }))
}

/// Brings the document into the room, and waits until somebody else is given all of it.
fn upload(setting: &Setting, room: &str, document: &mut Document) -> Result<()> {
    let mut swarm = Swarm::new(setting.target.clone())?;
    let author = Newcomer {
        room: room.to_owned(),
        offers: document.encode()?.to_vec(),
        ..Newcomer::default()
    };
    swarm.join([author], &mut |_, _, _| Ok(()))?;
    let until = Instant::now() + SETTLE;
    while check::fetch(setting, room)?.state_vector() != document.state_vector() {
        ensure!(Instant::now() < until, "the document did not arrive");
        swarm.turn(Duration::from_millis(10), &mut |_, _, _| Ok(()))?;
    }
    swarm.leave(0);
    Ok(())
}

fn write(edits: usize) -> Result<Document> {
    let mut document = Document::new(ReplicaId::ours(7));
    let main = FileId::main();
    for patch in paper(edits).patches {
        let edit = Edit {
            at: Offset(patch.at),
            delete: patch.delete,
            insert: patch.insert,
        };
        document.edit(&main, &[edit])?;
    }
    Ok(document)
}
