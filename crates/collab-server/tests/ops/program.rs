//! The program as an operator runs it: arguments in; exit code, lines and files out. Must not know
//! what a command does.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

/// What a run of the program left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Fails unless it ended with this code.
    pub fn ended(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }
}

/// The program, without this process's own settings.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collab"));
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.to_string_lossy().starts_with("COLLAB_")) {
        command.env_remove(name);
    }
    command
        .env_remove("DATABASE_URL")
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Runs it to its end.
pub async fn run(folder: &Path, arguments: &[&str]) -> Ran {
    let output = command(folder, arguments).output().await;
    let output = output.expect("the program starts");
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}
