//! `cargo xtask bench`: builds the server, the load generator and what they are compared with, and
//! lets `collab-compare` measure. Must not know what is measured.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::process;
use crate::server;
use crate::step::Report;
use crate::toolchain;
use crate::web::{self, Packages};
use crate::workspace::Workspace;

/// All cases, curves and peers take well below an hour.
const LIMIT: Duration = Duration::from_secs(4 * 60 * 60);
const BUILD_LIMIT: Duration = Duration::from_secs(45 * 60);

/// What to measure, and how often.
#[derive(Args)]
pub struct Options {
    /// Rounds: in each, every server has its turn
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Seconds that a run measures, where a run has a length
    #[arg(long, value_name = "S", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    seconds: u32,
    /// Only what begins with this name (see --list); may be given more than once
    #[arg(long, value_name = "CASE")]
    only: Vec<String>,
    /// Leave out the growth curves
    #[arg(long)]
    no_curves: bool,
    /// Leave out the other servers: nothing is installed from npm
    #[arg(long)]
    no_peers: bool,
    /// Write the figures into docs/PERFORMANCE.md, and the plots beside it
    #[arg(long)]
    write: bool,
    /// Append the JSON of every run to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Print what can be measured, and stop
    #[arg(long)]
    list: bool,
}

pub fn run(workspace: &Workspace, report: &mut Report, options: &Options) -> Result<()> {
    if !options.list {
        server::build(workspace, report)?;
    }
    report.loud("compile the load generator", || {
        let mut command = workspace.cargo();
        command.args([
            "build",
            "--locked",
            "--release",
            "--package",
            "benches",
            "--bins",
        ]);
        process::run(&mut command, BUILD_LIMIT)?;
        Ok("")
    })?;
    if !options.no_peers && !options.list {
        report.quiet("look for Node", toolchain::check_node)?;
        report.quiet("install the other servers", || {
            web::install_packages(workspace, Packages::Peers)
        })?;
    }
    report.loud("measure", || {
        process::run(&mut compare(workspace, options), LIMIT)?;
        Ok("")
    })
}

fn compare(workspace: &Workspace, options: &Options) -> Command {
    let programs = workspace.target.join("release");
    let mut command = Command::new(programs.join("collab-compare"));
    command.arg("--programs").arg(programs);
    command.args(["--rounds", &options.rounds.to_string()]);
    command.args(["--seconds", &options.seconds.to_string()]);
    let mut words = format!(
        "cargo xtask bench --rounds {} --seconds {}",
        options.rounds, options.seconds
    );
    for only in &options.only {
        command.args(["--only", only]);
        words += &format!(" --only {only}");
    }
    for (wanted, flag) in [(options.no_curves, "--no-curves"), (options.list, "--list")] {
        if wanted {
            command.arg(flag);
        }
    }
    if !options.no_peers {
        command.arg("--peers").arg(workspace.peers());
    }
    if options.write {
        command.arg("--write").arg(workspace.root.join("docs"));
    }
    if let Some(json) = &options.json {
        command.arg("--json").arg(json);
    }
    command.args(["--command", &words]);
    command
}
