//! The program `collab`: reads the configuration, starts what was asked for, and turns its end into
//! an exit code. Must not know anything else.
//!
//! Exit codes: 0 done; 1 it failed; 2 the configuration cannot be; 3 something stored is damaged, or
//! was left out; 130 stopped a second time.

mod commands;

use std::process::ExitCode;

use collab_server::config::{self, BadConfig, Command};
use collab_server::rooms::trial;

/// The configuration cannot be.
const EXIT_BAD_CONFIG: u8 = 2;

fn main() -> ExitCode {
    let cli = match config::read() {
        Ok(Ok(cli)) => cli,
        Ok(Err(error)) => error.exit(),
        Err(error) => return refuse(&error),
    };
    if let Command::OpenRoom(flags) = &cli.command {
        // Before any other thread is there: it must find the memory that it may have.
        return match flags.settings() {
            Ok(settings) => trial::run_child(settings),
            Err(error) => refuse(&error),
        };
    }
    let outside = config::Checked::from_environment();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(trial::STACK_BYTES)
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("collab: cannot start threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = match cli.command {
        Command::Serve(flags) => match outside.serve(flags) {
            Ok(config) => runtime.block_on(commands::serve(config)),
            Err(error) => return refuse(&error),
        },
        Command::Config(flags) => match outside.serve(flags) {
            Ok(config) => {
                print!("{}", config.describe());
                Ok(())
            }
            Err(error) => return refuse(&error),
        },
        Command::Migrate(flags) => match outside.database(&flags) {
            Ok(database) => runtime.block_on(commands::migrate(&database, &flags)),
            Err(error) => return refuse(&error),
        },
        Command::OpenRoom(_) => Ok(()),
        Command::Room(command) => runtime.block_on(commands::room(&outside, command)),
        Command::Backup(flags) => runtime.block_on(commands::backup(&outside, flags)),
        Command::Restore(flags) => match runtime.block_on(commands::restore(&outside, flags)) {
            Ok(code) => return ExitCode::from(code),
            Err(error) => Err(error),
        },
        Command::Import(command) => match runtime.block_on(commands::import(&outside, command)) {
            Ok(code) => return ExitCode::from(code),
            Err(error) => Err(error),
        },
        Command::Fsck(flags) => match runtime.block_on(commands::fsck(&outside, flags)) {
            Ok(code) => return ExitCode::from(code),
            Err(error) => Err(error),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<BadConfig>() => {
            eprintln!("collab: {error:#}");
            ExitCode::from(EXIT_BAD_CONFIG)
        }
        Err(error) => {
            eprintln!("collab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn refuse(error: &BadConfig) -> ExitCode {
    eprintln!("collab: {error}");
    ExitCode::from(EXIT_BAD_CONFIG)
}
