//! What the child does: opens a room as the server would, and says whether it is still there. Must
//! not know storage; the parts come through standard input.

use std::io::Write as _;
use std::process::ExitCode;

use collab_core::ids::{Epoch, Lineage, ReplicaId, Seq};
use collab_core::room::{self, Damage, Effect, Input, Loaded, Part, Room};
use collab_core::time::Millis;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::STACK_BYTES;
use super::wire::{self, GREETING, SURVIVED, Sent};

/// Address space that a child may have, in bytes (4 GiB): what a document of the largest size takes
/// several times over. What needs more ends the child.
const MEMORY_BYTES: u64 = 4 << 30;

/// Processor time that a child may have, in seconds. It outlives a server that was killed by no more.
const CPU_SECONDS: u64 = 60;

/// How often the child reads the same parts again when the room asks for that.
const READINGS: usize = 4;

/// Nothing could be tried.
const EXIT_NOT_TRIED: u8 = 2;

/// Opens the room that comes through standard input. What the room says of it does not matter, only
/// that this process says so at all.
pub fn run(settings: room::Settings) -> ExitCode {
    confine();
    match attempt(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("collab: a room was not opened: {error}");
            ExitCode::from(EXIT_NOT_TRIED)
        }
    }
}

fn attempt(settings: room::Settings) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(GREETING.as_bytes())?;
    out.flush()?;
    let loaded = loaded(wire::read(std::io::stdin().lock())?);
    let opening = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || open(settings, &loaded))?;
    // A panic is none of this: the server contains it.
    let _: Result<(), _> = opening.join();
    out.write_all(SURVIVED.as_bytes())?;
    out.flush()
}

/// What the server does with a room until it can be written to and folded.
fn open(settings: room::Settings, loaded: &Loaded) {
    let now = Millis(0);
    let mut effects = Vec::new();
    let mut room = Room::new(settings, ReplicaId::ours(0));
    room.start(now, &mut effects);
    for _ in 0..READINGS {
        let asked = std::mem::take(&mut effects);
        let loads = asked.iter().any(|it| matches!(it, Effect::Load { .. }));
        let quarantines = asked
            .iter()
            .any(|it| matches!(it, Effect::Quarantine { .. }));
        if loads {
            room.handle(now, Input::Loaded(loaded.clone()), &mut effects);
        } else if quarantines {
            room.handle(now, Input::Quarantined { stored: true }, &mut effects);
        }
        room.end_turn(now, &mut effects);
    }
    if let Some(document) = room.document() {
        // Only whether it ends is of interest.
        let _ = std::hint::black_box((document.encode(), document.digest(), document.files()));
    }
}

fn loaded(parts: Vec<Sent>) -> Loaded {
    let mut loaded = Loaded {
        lineage: Lineage([0; 16]),
        epoch: Epoch(1),
        head: Seq(0),
        snapshot_seq: Seq(0),
        snapshot: None,
        records: Vec::new(),
        damage: Vec::new(),
        degraded: false,
        version: None,
    };
    for part in parts {
        match part {
            Sent::Snapshot(seq, state) => {
                loaded.snapshot_seq = seq;
                loaded.head = loaded.head.max(seq);
                loaded.snapshot = Some(state);
            }
            Sent::Record(seq, record) => {
                loaded.head = loaded.head.max(seq);
                loaded.records.push((seq, record));
            }
            Sent::LeftOut => loaded.damage.push(Damage {
                part: Part::Head,
                reason: String::new(),
                withhold: true,
                quarantined: true,
            }),
        }
    }
    loaded
}

/// Bounds what this process may take. Where a bound cannot be set, the server's own patience is left.
fn confine() {
    for (resource, most) in [
        (Resource::As, MEMORY_BYTES),
        (Resource::Cpu, CPU_SECONDS),
        // A core file would hold the document.
        (Resource::Core, 0),
    ] {
        let hard = getrlimit(resource).maximum;
        let most = Some(hard.map_or(most, |hard| hard.min(most)));
        let limit = Rlimit {
            current: most,
            maximum: most,
        };
        if let Err(error) = setrlimit(resource, limit) {
            eprintln!("collab: a limit cannot be set: {error}");
        }
    }
    // Where memory runs out all the same, Linux ends this process before the server.
    let _: std::io::Result<()> = std::fs::write("/proc/self/oom_score_adj", "1000");
}
