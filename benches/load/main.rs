//! `collab-load`: puts load on any y-websocket or Hocuspocus server and says in JSON what came of it:
//! deliveries, latencies, the server's CPU and memory, and whether everybody has everything at the
//! end. A fast server that loses is not fast.
//!
//! One scenario a run. Must not know how the server is started.

mod check;
mod dialect;
mod latency;
mod process;
mod scenario;
mod swarm;
mod tally;
#[expect(
    dead_code,
    reason = "the ceiling uses the other side of the same frames"
)]
mod websocket;
mod yjs;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;

use crate::dialect::Dialect;
use crate::process::Process;
use crate::scenario::Scenario;
use crate::swarm::Target;

#[derive(Parser)]
#[command(name = "collab-load")]
struct Cli {
    /// Where the server is, without the room: `ws://127.0.0.1:8000/yjs`
    #[arg(long)]
    url: String,
    /// What it speaks
    #[arg(long, value_enum, default_value_t = Dialect::Yjs)]
    dialect: Dialect,
    /// The server's process, for CPU and memory
    #[arg(long)]
    server_pid: Option<u32>,
    /// Rooms begin with this name
    #[arg(long, default_value = "load")]
    room: String,
    /// Seconds that are measured, after one of warming up
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// The server only relays: there is no document to compare with
    #[arg(long)]
    relay: bool,
    #[command(subcommand)]
    scenario: Scenario,
}

/// What every scenario is told.
pub struct Setting {
    pub target: Target,
    pub process: Process,
    pub room: String,
    pub time: Duration,
    pub relay: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("collab-load: something was lost, or replicas differ");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("collab-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what was measured; whether nothing was lost.
fn run(cli: Cli) -> Result<bool> {
    let setting = Setting {
        target: Target::parse(&cli.url, cli.dialect)?,
        process: Process(cli.server_pid),
        room: cli.room,
        time: Duration::from_secs_f64(cli.seconds),
        relay: cli.relay,
    };
    let measured = scenario::run(&setting, &cli.scenario)?;
    println!("{measured}");
    let none = |key: &str| measured.get(key).is_none_or(|value| value == 0);
    let equal = measured.get("equal").is_none_or(|equal| equal != false);
    Ok(none("lost") && none("gaps") && equal)
}
