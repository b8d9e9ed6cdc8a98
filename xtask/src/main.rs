//! `cargo xtask`: the only scripts we have. Each command does its own set-up and says what it is
//! doing and how long each step took.
//!
//! This file knows the command line and nothing about how a step works. It depends on none of our
//! crates, so that it builds when they do not.

mod bench;
mod packages;
mod postgres;
mod process;
mod screenshots;
mod server;
mod step;
mod test;
mod tidy;
mod toolchain;
mod torture;
mod wasm;
mod web;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::step::Report;
use crate::workspace::Workspace;

/// Build, run and test Collab. Every command does the set-up it needs, from a fresh clone on.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything, then serve it on http://127.0.0.1:8000
    ///
    /// Adds the wasm32 target, installs the page's packages, builds the WASM client, the page and the
    /// release server, and runs it. What has not changed is not built again.
    Serve {
        /// Arguments for `collab serve`, after `--`: for example `-- --listen 0.0.0.0:9000`
        #[arg(last = true, value_name = "SERVER ARGS")]
        args: Vec<OsString>,
    },
    /// Run every check there is: formatting, lints, walls, tests, real databases, real browsers
    ///
    /// Starts the services it needs on free ports in a temporary folder and stops them. What is missing
    /// on the machine it installs with apt-get when it may, and otherwise names it and fails; nothing
    /// is skipped in silence.
    Test(test::Options),
    /// Build the complete server, page included: target/release/collab
    Build,
    /// Run the page with hot reload, against a server started with `cargo xtask serve`
    Dev {
        /// Arguments for vite, after `--`
        #[arg(last = true, value_name = "VITE ARGS")]
        args: Vec<OsString>,
    },
    /// Build the WASM client into web/src/wasm
    Wasm,
    /// rustfmt, clippy (host and wasm32) and tidy: what a change must pass before anything runs
    Lint,
    /// Check the rules of the house that no compiler knows
    Tidy,
    /// Measure the server over real sockets, beside a bare broadcaster and other Yjs servers
    ///
    /// Each in turn gets one core for itself and the load generator another, with everything switched
    /// on. Prints medians, spreads and ratios. (`cargo bench` runs the criterion benchmarks.)
    Bench(bench::Options),
    /// Run the torture campaigns for long: kills, crashes of the database, full and corrupt disks
    ///
    /// The test command runs the same campaigns in their short form. Each says what really happened
    /// and what was lost; a table at the end says it again.
    Torture(torture::Options),
    /// Take the pictures of docs/GALLERY.md anew: builds what it needs, drives Chromium
    Screenshots,
    /// Check licences, sources and advisories of all dependencies (needs cargo-deny and the network)
    Deny,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut report = Report::new();
    let outcome = process::watch_signals().and_then(|()| run(cli.command, &mut report));
    report.finish();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n✗ {error:#}");
            process::exit_code()
        }
    }
}

fn run(command: Command, report: &mut Report) -> Result<()> {
    let workspace = Workspace::find()?;
    match command {
        Command::Serve { args } => {
            server::build(&workspace, report)?;
            server::serve(&workspace, report, &args)
        }
        Command::Test(options) => test::run(&workspace, report, &options),
        Command::Build => server::build(&workspace, report),
        Command::Dev { args } => {
            wasm::build(&workspace, report)?;
            web::install(&workspace, report)?;
            web::dev(&workspace, report, &args)
        }
        Command::Wasm => wasm::build(&workspace, report),
        Command::Lint => test::lint(&workspace, report),
        Command::Tidy => report.quiet("tidy", || tidy::check(&workspace)),
        Command::Bench(options) => bench::run(&workspace, report, &options),
        Command::Torture(options) => torture::run(&workspace, report, &options),
        Command::Screenshots => screenshots::take(&workspace, report),
        Command::Deny => test::deny(&workspace, report),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
