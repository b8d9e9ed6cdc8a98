//! `cargo xtask torture`: the campaigns of the test command for as long as you like, one after the
//! other, with a table of what happened at the end.
//!
//! Knows their names and what they need; must not know what one does.

mod figures;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::packages::{self, POSTGRES, STRACE};
use crate::postgres::Postgres;
use crate::process;
use crate::step::Report;
use crate::test::RUST_TESTS;
use crate::workspace::Workspace;
use figures::Figures;

/// Beside its time a campaign compiles, settles, and runs its controls; a machine may be slow.
const BESIDE: Duration = Duration::from_secs(30 * 60);

/// A campaign: its name, what goes wrong in it, and where its tests are.
struct Campaign {
    name: &'static str,
    what: &'static str,
    binary: &'static str,
    filter: &'static str,
    /// More for the test binary.
    arguments: &'static [&'static str],
}

const CAMPAIGNS: &[Campaign] = &[
    Campaign {
        name: "F1",
        what: "the server is killed (kill -9)",
        binary: "torture",
        filter: "f1_",
        arguments: &[],
    },
    Campaign {
        name: "F3",
        what: "Postgres is stopped as in a crash, and started",
        binary: "torture",
        filter: "f3_",
        arguments: &[],
    },
    Campaign {
        name: "F6",
        what: "the disk is full, and has room again",
        binary: "torture",
        filter: "f6_",
        arguments: &[],
    },
    Campaign {
        name: "F7",
        what: "a process is killed at every call to its store",
        binary: "torture",
        filter: "f7_",
        arguments: &[],
    },
    Campaign {
        name: "F8",
        what: "the disk before the word: fsync and Saved, seen from outside",
        binary: "torture",
        filter: "f8_",
        arguments: &[],
    },
    Campaign {
        name: "F9",
        what: "stored bytes are not what was written",
        binary: "torture",
        filter: "f9_",
        arguments: &[],
    },
    Campaign {
        name: "F10",
        what: "an older database is put back under people who stay",
        binary: "torture",
        filter: "f10_",
        arguments: &[],
    },
    Campaign {
        name: "S1",
        what: "days in the simulator in which everything goes wrong",
        binary: "schedules",
        filter: "schedules_for_long",
        arguments: &["--ignored"],
    },
];

/// What to run, and for how long.
#[derive(Args)]
pub struct Options {
    /// Minutes for all campaigns together, in equal parts; controls and compiling come on top
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    minutes: u64,
    /// Run only this campaign; may be given more than once
    #[arg(long, value_name = "CAMPAIGN", value_parser = names())]
    only: Vec<String>,
    /// Write the figures into docs/RELIABILITY.md when nothing was lost
    #[arg(long)]
    write: bool,
    /// Print the campaigns and stop
    #[arg(long)]
    list: bool,
}

fn names() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(CAMPAIGNS.iter().map(|campaign| campaign.name))
}

pub fn run(workspace: &Workspace, report: &mut Report, options: &Options) -> Result<()> {
    if options.list {
        for campaign in CAMPAIGNS {
            println!("{:<4} {}", campaign.name, campaign.what);
        }
        return Ok(());
    }
    let wanted: Vec<&Campaign> = CAMPAIGNS
        .iter()
        .filter(|it| options.only.is_empty() || options.only.iter().any(|name| name == it.name))
        .collect();
    report.quiet("look for PostgreSQL and strace", || {
        packages::ensure(&[POSTGRES, STRACE])
    })?;
    let programs = (POSTGRES.find)().context("PostgreSQL was there a moment ago")?;
    let mut postgres = None;
    report.quiet("start a throw-away PostgreSQL", || {
        postgres = Some(Postgres::start(&programs)?);
        Ok("")
    })?;
    let postgres = postgres.context("PostgreSQL was started a moment ago")?;
    let parts = u64::try_from(wanted.len().max(1)).unwrap_or(1);
    let time = Duration::from_secs(options.minutes * 60 / parts);
    let lines = workspace.target.join("torture.jsonl");
    // The last run's; there may be none.
    std::fs::remove_file(&lines).ok();
    let mut failed = Vec::new();
    for (number, campaign) in wanted.iter().enumerate() {
        let title = format!(
            "{} ({} of {}): {}",
            campaign.name,
            number + 1,
            wanted.len(),
            campaign.what
        );
        let environment = [
            ("COLLAB_TEST_POSTGRES_URL", postgres.url.clone().into()),
            ("COLLAB_TEST_PG_BIN", programs.clone()),
            (
                "COLLAB_TEST_TORTURE_SECONDS",
                time.as_secs().to_string().into(),
            ),
            ("COLLAB_TEST_TORTURE_REPORT", lines.clone()),
        ];
        let outcome = report.loud(&title, || {
            play(workspace, campaign, &environment, time + BESIDE)?;
            Ok("")
        });
        if let Err(error) = outcome {
            process::check_interrupted()?;
            eprintln!("✗ {error:#}");
            failed.push(campaign.name);
        }
    }
    let figures = Figures::read(&lines)?;
    eprintln!("\n{figures}");
    if !failed.is_empty() {
        bail!("not survived: {}", failed.join(", "));
    }
    if options.write {
        let today = process::ask("date", &["-u", "+%F"]).context("while asking for the date")?;
        let run = format!(
            "`cargo xtask torture --minutes {}`, {today}",
            options.minutes
        );
        figures.write_into(&workspace.root.join("docs/RELIABILITY.md"), &run)?;
    }
    Ok(())
}

/// One after the other, so that each has the machine for itself and its words can be read.
fn play(
    workspace: &Workspace,
    campaign: &Campaign,
    environment: &[(&str, PathBuf)],
    limit: Duration,
) -> Result<()> {
    let mut command = workspace.cargo();
    command
        .args(["test", "--locked", "--quiet"])
        .args(RUST_TESTS)
        .args(["--test", campaign.binary, campaign.filter])
        .args(["--", "--nocapture", "--test-threads=1"])
        .args(campaign.arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)));
    process::run(&mut command, limit)
}
