//! `cargo xtask test`: every check there is, cheap ones first, each naming what it needs.
//!
//! Knows the order and the environment the tests get; must not know what any test checks.

mod plan;
mod run;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process;
use crate::step::{Note, Report};
use crate::toolchain::{self, WASM_TARGET};
use crate::workspace::Workspace;
use plan::Step;
pub use run::RUST_TESTS;

/// Clippy compiles (checks) the whole tree once.
const LINT_LIMIT: Duration = Duration::from_secs(30 * 60);

/// What to run.
#[derive(Args)]
pub struct Options {
    /// Run only Rust tests whose name contains one of these (with --only: tests of that step)
    filter: Vec<String>,
    /// Run only this step, and whatever it needs; may be given more than once
    #[arg(long, value_name = "STEP", value_parser = step_names())]
    only: Vec<String>,
    /// Go on after a failed step with everything that does not need it, and fail at the end
    #[arg(long)]
    keep_going: bool,
    /// Print the steps and stop
    #[arg(long)]
    list: bool,
}

fn step_names() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(Step::ALL.iter().map(|step| step.name()))
}

pub fn run(workspace: &Workspace, report: &mut Report, options: &Options) -> Result<()> {
    if options.list {
        for step in Step::ALL {
            println!("{:<17} {}", step.name(), step.title());
        }
        return Ok(());
    }
    let wanted = if options.only.is_empty() {
        if options.filter.is_empty() {
            Step::ALL.to_vec()
        } else {
            vec![Step::Rust]
        }
    } else {
        options
            .only
            .iter()
            .filter_map(|name| Step::named(name))
            .collect()
    };
    if !options.filter.is_empty()
        && let Some(step) = wanted.iter().find(|step| !step.takes_filter())
    {
        bail!(
            "the step \"{}\" cannot be narrowed to some of its tests",
            step.name()
        );
    }
    let mut bench = run::Bench::new(workspace, options);
    let mut failed: Vec<Step> = Vec::new();
    for step in plan::in_order(&wanted) {
        if step.needs().iter().any(|needed| failed.contains(needed)) {
            report.not_run(step.title());
            failed.push(step);
            continue;
        }
        let work = || bench.step(step, wanted.contains(&step));
        let outcome = if step.is_loud() {
            report.loud(step.title(), work)
        } else {
            report.quiet(step.title(), work)
        };
        let Err(error) = outcome else { continue };
        let advice = format!(
            "run it alone with `cargo xtask test --only {}`",
            step.name()
        );
        process::check_interrupted()?;
        if !options.keep_going {
            return Err(error).context(advice);
        }
        eprintln!("✗ {error:#}");
        failed.push(step);
    }
    if failed.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = failed.iter().map(|step| step.name()).collect();
    bail!("not green: {}", names.join(", "))
}

/// The checks that need nothing to be built.
pub fn lint(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let options = Options {
        filter: Vec::new(),
        only: Vec::new(),
        keep_going: false,
        list: false,
    };
    let mut bench = run::Bench::new(workspace, &options);
    for step in plan::in_order(&[Step::Format, Step::Tidy, Step::ClippyWasm, Step::Clippy]) {
        let work = || bench.step(step, true);
        if step.is_loud() {
            report.loud(step.title(), work)?;
        } else {
            report.quiet(step.title(), work)?;
        }
    }
    Ok(())
}

/// An extra beside the test command: the list of advisories lives on the network.
pub fn deny(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let asked = workspace.cargo().args(["deny", "--version"]).output();
    if !asked.is_ok_and(|output| output.status.success()) {
        bail!("cargo-deny is missing: `cargo install --locked cargo-deny`");
    }
    report.loud("licences, bans, sources and advisories", || {
        process::run(
            workspace.cargo().args(["deny", "--workspace", "check"]),
            LINT_LIMIT,
        )?;
        Ok("")
    })
}

fn format(workspace: &Workspace) -> Result<Note> {
    process::capture(
        workspace.cargo().args(["fmt", "--all", "--check"]),
        LINT_LIMIT,
    )
    .context("not formatted: run `cargo fmt --all`")?;
    Ok("")
}

fn clippy(workspace: &Workspace) -> Result<Note> {
    let mut command = workspace.cargo();
    command.args(["clippy", "--locked", "--workspace", "--all-targets"]);
    // Some tests exist only beside the bugs that prove them.
    command.args([
        "--features",
        "collab-server/sabotage",
        "--",
        "-D",
        "warnings",
    ]);
    process::run(&mut command, LINT_LIMIT)?;
    Ok("")
}

/// The wall of core: it must compile, without a warning, where there is no operating system.
fn clippy_wasm(workspace: &Workspace) -> Result<Note> {
    toolchain::ensure_wasm_target(workspace)?;
    let mut command = workspace.cargo();
    command.args([
        "clippy",
        "--locked",
        "--package",
        "collab-core",
        "--package",
        "collab-wasm",
        "--package",
        "collab-suggest",
    ]);
    command.args(["--target", WASM_TARGET, "--", "-D", "warnings"]);
    process::run(&mut command, LINT_LIMIT)?;
    Ok("")
}
