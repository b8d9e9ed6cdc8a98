//! `collab-compare`: measures our server beside the ceiling and the peers, one at a time, each pinned
//! to one core with the load generator on another; prints medians, ratios and spreads, and writes
//! them down.
//!
//! `cargo xtask bench` builds what it needs and calls it. Must not know how load is made
//! (`collab-load`) nor what a server does.

mod case;
mod curve;
mod outcome;
mod page;
mod plot;
mod subject;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;

use crate::case::{CASES, Case, Run};
use crate::curve::CURVES;
use crate::outcome::Outcome;
use crate::subject::{Programs, Subject};

#[derive(Parser)]
#[command(name = "collab-compare")]
struct Cli {
    /// Folder of `collab`, `collab-load` and `collab-ceiling`
    #[arg(long)]
    programs: PathBuf,
    /// Folder of the peers, with `node_modules`; without it they are left out
    #[arg(long)]
    peers: Option<PathBuf>,
    /// Rounds: in each, every server has its turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds that each run measures, where a run has a length
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Only cases whose name begins so; may be given more than once
    #[arg(long)]
    only: Vec<String>,
    /// Leave out the growth curves
    #[arg(long)]
    no_curves: bool,
    /// Write the figures into this folder: `PERFORMANCE.md` and its plots
    #[arg(long)]
    write: Option<PathBuf>,
    /// The command that stands beside the figures
    #[arg(long, default_value = "cargo xtask bench")]
    command: String,
    /// Append every run's JSON to this file
    #[arg(long)]
    json: Option<PathBuf>,
    /// Print the cases and stop
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("collab-compare: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    let wanted = |name: &str| {
        cli.only.is_empty() || cli.only.iter().any(|only| name.starts_with(only.as_str()))
    };
    let cases: Vec<&Case> = CASES.iter().filter(|case| wanted(case.name)).collect();
    let curves: Vec<_> = CURVES
        .iter()
        .filter(|curve| !cli.no_curves && wanted(curve.name))
        .collect();
    if cli.list {
        for case in &cases {
            println!("{:<18} {}", case.name, case.what);
        }
        for curve in &curves {
            println!("{:<18} {} (curve)", curve.name, curve.what);
        }
        return Ok(());
    }
    ensure!(
        !cases.is_empty() || !curves.is_empty(),
        "no case of that name: --list prints them"
    );
    let programs = Programs::find(&cli.programs, cli.peers.as_deref())?;
    let mut outcome = Outcome::default();
    let mut log = Log::open(cli)?;
    for (number, case) in cases.iter().enumerate() {
        eprintln!(
            "▸ {} ({} of {}): {}",
            case.name,
            number + 1,
            cases.len(),
            case.what
        );
        // Interleaved, so that a noisy minute of the machine falls on everybody.
        for round in 0..case.rounds.unwrap_or(cli.rounds) {
            for subject in case.subjects.iter().filter(|it| programs.have(**it)) {
                let values = once(&programs, *subject, case.run, cli.seconds);
                outcome.add(case, *subject, round, &mut log, values)?;
            }
        }
        eprintln!("{}", outcome.table(case));
    }
    for curve in curves {
        eprintln!("▸ {}: {}", curve.name, curve.what);
        for (x, run) in curve.points {
            let values = once(&programs, Subject::Collab, *run, cli.seconds);
            outcome.add_point(curve, *x, &mut log, values)?;
        }
    }
    if let Some(folder) = &cli.write {
        page::write(folder, &outcome, &programs, &cli.command)?;
    }
    outcome.verdict()
}

/// A server of its own, freshly started, for each run.
fn once(
    programs: &Programs,
    subject: Subject,
    run: Run,
    seconds: f64,
) -> Result<serde_json::Value> {
    let mut server = programs.start(subject, run.server)?;
    let mut value = programs.load(&server, run.load, seconds)?;
    if let Some(again) = run.again {
        server = server.restart(programs, run.server)?;
        let cold = programs.load(&server, again, seconds)?;
        value
            .as_object_mut()
            .context("a scenario answers with an object")?
            .insert("again".to_owned(), cold);
    }
    server.stop()?;
    Ok(value)
}

/// Every run as it was, for whoever wants to look closer.
struct Log(Option<std::fs::File>);

impl Log {
    fn open(cli: &Cli) -> Result<Log> {
        let Some(path) = &cli.json else {
            return Ok(Log(None));
        };
        let file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| format!("while opening {}", path.display()))?;
        Ok(Log(Some(file)))
    }

    fn line(&mut self, value: &serde_json::Value) -> Result<()> {
        use std::io::Write as _;
        if let Some(file) = &mut self.0 {
            writeln!(file, "{value}")?;
        }
        Ok(())
    }
}
