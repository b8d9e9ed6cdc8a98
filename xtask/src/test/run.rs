//! How each step of the test command is done.
//!
//! Owns what must live until the end: the throw-away PostgreSQL. Must not know the order.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::plan::Step;
use super::{Options, clippy, clippy_wasm, format};
use crate::packages::{self, CHROMIUM, FIREFOX, POSTGRES, STRACE};
use crate::postgres::Postgres;
use crate::process;
use crate::step::Note;
use crate::web::Packages;
use crate::workspace::Workspace;
use crate::{server, tidy, toolchain, wasm, web};

/// A step that hangs must fail while somebody still looks. Twice what the slowest machine needed.
const RUST_LIMIT: Duration = Duration::from_secs(40 * 60);
const SCRIPT_LIMIT: Duration = Duration::from_secs(20 * 60);

/// The crates with Rust tests: the same words for all commands, so that nothing is compiled twice.
pub const RUST_TESTS: &[&str] = &[
    "--workspace",
    // xtask has its own step; the benches are measured, not tested, and clippy compiles them.
    "--exclude",
    "xtask",
    "--exclude",
    "benches",
    // The campaigns prove, on a server with a bug put in, that they would have noticed.
    "--features",
    "collab-server/sabotage",
];

/// Everything that steps share.
pub struct Bench<'a> {
    workspace: &'a Workspace,
    options: &'a Options,
    postgres: Option<Postgres>,
}

impl<'a> Bench<'a> {
    pub fn new(workspace: &'a Workspace, options: &'a Options) -> Self {
        Self {
            workspace,
            options,
            postgres: None,
        }
    }

    /// Does one step. `wanted` is false for a step that another one needs: a filter is not for it.
    pub fn step(&mut self, step: Step, wanted: bool) -> Result<Note> {
        let workspace = self.workspace;
        let filter: &[String] = if wanted { &self.options.filter } else { &[] };
        match step {
            Step::LintTools => toolchain::ensure_lint_tools(workspace),
            Step::Format => format(workspace),
            Step::Tidy => tidy::check(workspace),
            Step::Xtask => self.xtask(filter),
            Step::Services => packages::ensure(&[POSTGRES, STRACE, CHROMIUM, FIREFOX]),
            Step::Node => toolchain::check_node(),
            Step::PagePackages => web::install_packages(workspace, Packages::Page),
            Step::InteropPackages => {
                web::install_packages(workspace, Packages::Interop)?;
                web::compile_y_sweet_store(workspace)
            }
            Step::ClippyWasm => clippy_wasm(workspace),
            Step::Clippy => clippy(workspace),
            Step::Wasm => {
                toolchain::ensure_wasm_target(workspace)?;
                wasm::compile(workspace)
            }
            Step::WasmBindings => wasm::bind(workspace),
            Step::Page => web::build_page(workspace),
            Step::Size => size(workspace),
            Step::PageUnit => self.script(Packages::Page, "test", filter),
            Step::Server => server::compile(workspace),
            Step::Postgres => self.start_postgres(),
            Step::Rust => self.rust(filter),
            Step::RustDocs => {
                let mut command = workspace.cargo();
                command.args(["test", "--locked", "--doc"]).args(RUST_TESTS);
                process::run(&mut command, RUST_LIMIT)?;
                Ok("")
            }
            Step::Interop => self.script(Packages::Interop, "test", filter),
            Step::Browsers => self.script(Packages::Page, "test:e2e", filter),
            Step::Firefox => self.script(Packages::Page, "test:firefox", filter),
        }
    }

    /// In its own profile, where everything but its tests is already compiled.
    fn xtask(&self, filter: &[String]) -> Result<Note> {
        let mut command = self.workspace.cargo();
        command.args([
            "test",
            "--locked",
            "--quiet",
            "--profile",
            "xtask",
            "--package",
            "xtask",
            "--",
        ]);
        process::run(command.args(filter), RUST_LIMIT)?;
        Ok("")
    }

    fn start_postgres(&mut self) -> Result<Note> {
        let programs = (POSTGRES.find)().context("PostgreSQL was there a moment ago")?;
        self.postgres = Some(Postgres::start(&programs)?);
        Ok("")
    }

    fn rust(&self, filter: &[String]) -> Result<Note> {
        let workspace = self.workspace;
        let mut command = workspace.cargo();
        let nextest = toolchain::has_nextest(workspace);
        command.args(if nextest {
            ["nextest", "run"].as_slice()
        } else {
            &["test"]
        });
        command
            .args(["--locked", "--lib", "--bins", "--tests"])
            .args(RUST_TESTS);
        if self.options.keep_going {
            command.arg("--no-fail-fast");
        }
        if nextest {
            command.args(filter);
        } else {
            command.arg("--").args(filter);
        }
        self.hand_over(&mut command)?;
        process::run(&mut command, RUST_LIMIT)?;
        Ok("")
    }

    fn script(&self, packages: Packages, name: &str, filter: &[String]) -> Result<Note> {
        let mut command = web::script(self.workspace, packages, name)?;
        if !filter.is_empty() {
            command.arg("--").args(filter);
        }
        self.hand_over(&mut command)?;
        process::run(&mut command, SCRIPT_LIMIT)?;
        Ok("")
    }

    /// Tells tests where things are. They make what they need below that: databases, folders, ports.
    fn hand_over(&self, command: &mut Command) -> Result<()> {
        command.env("COLLAB_TEST_BIN", self.workspace.server_binary());
        command.env("COLLAB_TEST_Y_SWEET", web::y_sweet_store(self.workspace));
        if let Some(postgres) = &self.postgres {
            command.env("COLLAB_TEST_POSTGRES_URL", &postgres.url);
        }
        if let Some(programs) = (POSTGRES.find)() {
            command.env("COLLAB_TEST_PG_BIN", programs);
        }
        if let Some(browser) = (CHROMIUM.find)() {
            command.env("COLLAB_TEST_CHROMIUM", browser);
        }
        if let Some(browser) = (FIREFOX.find)() {
            command.env("COLLAB_TEST_FIREFOX", browser);
        }
        Ok(())
    }
}

/// Weighs the page against its budget, as a browser would fetch it. The page knows its parts.
fn size(workspace: &Workspace) -> Result<Note> {
    let text = process::capture(
        &mut web::script(workspace, Packages::Page, "size")?,
        SCRIPT_LIMIT,
    )?;
    eprintln!();
    for line in text.lines() {
        eprintln!("    {line}");
    }
    eprint!("  ");
    Ok("")
}
