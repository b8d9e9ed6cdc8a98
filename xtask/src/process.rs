//! Runs other programs so that nothing they start outlives the step, however the step ends.
//!
//! Every program gets its own process group. A signal to us is passed to the group; when the program
//! ends, what it left behind in the group is killed before the group's number can be used again.
//! Must not know what the programs do.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How long a program may take to end after it was asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(15);

/// Lines of a quiet program's output that are shown when it fails.
const TAIL_LINES: usize = 60;

/// The signal that interrupted us; 0 while there was none.
static INTERRUPTED: AtomicI32 = AtomicI32::new(0);

/// What is running now; there is at most one.
static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

struct Running {
    group: Pid,
    /// Tells the program's watchdog to stop it.
    stop: mpsc::Sender<()>,
}

/// Starts passing SIGINT, SIGTERM and SIGHUP on to whatever runs: it is asked to end, and killed
/// after [`GRACE`]. The second signal ends us at once.
pub fn watch_signals() -> Result<()> {
    let mut signals =
        Signals::new([SIGINT, SIGTERM, SIGHUP]).context("while listening for signals")?;
    std::thread::spawn(move || {
        for signal in &mut signals {
            let again = INTERRUPTED.swap(signal, Ordering::SeqCst) != 0;
            // Held while the group is signalled: it is not reaped before, so its number is its own.
            if let Some(running) = &*lock_running() {
                if again {
                    kill_process_group(running.group, Signal::KILL).ok();
                } else {
                    // A watchdog that is gone has seen the end already.
                    running.stop.send(()).ok();
                }
            }
            if again {
                std::process::exit(128 + signal);
            }
        }
    });
    Ok(())
}

/// Fails when a signal has asked us to stop, so that no further step begins.
pub fn check_interrupted() -> Result<()> {
    if INTERRUPTED.load(Ordering::SeqCst) == 0 {
        Ok(())
    } else {
        bail!("interrupted")
    }
}

/// What a failed command returns: 1, or 128 plus the signal that interrupted it.
pub fn exit_code() -> ExitCode {
    match INTERRUPTED.load(Ordering::SeqCst) {
        0 => ExitCode::FAILURE,
        signal => ExitCode::from(u8::try_from(128 + signal).unwrap_or(1)),
    }
}

/// Runs a program that talks to the terminal itself. At `limit` it is stopped and the step fails.
pub fn run(command: &mut Command, limit: Duration) -> Result<()> {
    let words = words(command);
    let status = supervise(command.stdin(Stdio::null()), limit)?;
    if status.success() {
        return Ok(());
    }
    bail!("`{words}` ended with {status}")
}

/// Runs a program in silence and returns what it wrote; on failure the end of it is printed.
pub fn capture(command: &mut Command, limit: Duration) -> Result<String> {
    let words = words(command);
    let mut output = nameless_file().context("while making room for a program's output")?;
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output.try_clone()?);
    let result = supervise(command, limit);
    let mut bytes = Vec::new();
    output.seek(SeekFrom::Start(0))?;
    output.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    match result {
        Ok(status) if status.success() => Ok(text),
        Ok(status) => {
            print_tail(&text);
            bail!("`{words}` ended with {status}")
        }
        Err(error) => {
            print_tail(&text);
            Err(error)
        }
    }
}

/// Asks a program for one short answer on stdout; `None` when it is missing or unhappy.
pub fn ask(program: impl AsRef<OsStr>, args: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Becomes another program: it gets our process id, the terminal, its signals and our exit code.
pub fn become_program(command: &mut Command) -> Result<()> {
    check_interrupted()?;
    let words = words(command);
    let error = command.exec();
    Err(error).with_context(|| format!("while starting `{words}`"))
}

fn supervise(command: &mut Command, limit: Duration) -> Result<ExitStatus> {
    check_interrupted()?;
    let words = words(command);
    let mut child = match command.process_group(0).spawn() {
        Ok(child) => child,
        Err(error) => return Err(error).with_context(|| format!("while starting `{words}`")),
    };
    let group = group_of(&child)?;
    let (stop, watch) = mpsc::channel::<()>();
    let running = Running {
        group,
        stop: stop.clone(),
    };
    *lock_running() = Some(running);
    // The signal may have come between the check and the line above, and found nobody to tell.
    if check_interrupted().is_err() {
        stop.send(()).ok();
    }
    let watchdog = std::thread::spawn(move || watch_over(group, &watch, limit, GRACE));
    // Wait without reaping: as long as the leader is a zombie its number names this group alone.
    waitid(
        WaitId::Pid(group),
        WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
    )
    .ok();
    kill_process_group(group, Signal::KILL).ok();
    *lock_running() = None;
    // The last sender: the watchdog learns that the program has ended.
    drop(stop);
    let timed_out = watchdog.join().unwrap_or(false);
    let status = child
        .wait()
        .with_context(|| format!("while waiting for `{words}`"))?;
    check_interrupted()?;
    if timed_out {
        bail!(
            "`{words}` was stopped: it ran longer than {} minutes",
            limit.as_secs() / 60
        );
    }
    Ok(status)
}

/// Stops a group of programs at `limit`, or before when told to through `watch`; returns when
/// `watch` closes because the group's leader has ended. Whether it ran to its limit.
///
/// Asking comes first. A program that hangs, or that was halted by SIGSTOP, does not hear it: after
/// `grace` the group is killed.
fn watch_over(group: Pid, watch: &mpsc::Receiver<()>, limit: Duration, grace: Duration) -> bool {
    let timed_out = match watch.recv_timeout(limit) {
        Err(mpsc::RecvTimeoutError::Disconnected) => return false,
        Err(mpsc::RecvTimeoutError::Timeout) => true,
        Ok(()) => false,
    };
    kill_process_group(group, Signal::TERM).ok();
    let patience = Instant::now() + grace;
    loop {
        let left = patience.saturating_duration_since(Instant::now());
        match watch.recv_timeout(left) {
            // Told again; it was asked already.
            Ok(()) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                kill_process_group(group, Signal::KILL).ok();
                break;
            }
        }
    }
    timed_out
}

fn group_of(child: &Child) -> Result<Pid> {
    i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .context("the system gave a process id out of range")
}

fn lock_running() -> std::sync::MutexGuard<'static, Option<Running>> {
    RUNNING
        .lock()
        .expect("no thread panics while it holds this lock")
}

/// An open file that no longer has a name, so that nothing is left to clean up.
fn nameless_file() -> Result<File> {
    static NEXT: AtomicI32 = AtomicI32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("collab-xtask-{}-{number}", std::process::id()));
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

fn print_tail(text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    let skipped = lines.len().saturating_sub(TAIL_LINES);
    eprintln!();
    if skipped > 0 {
        eprintln!("  … {skipped} lines before these");
    }
    for line in lines.iter().skip(skipped) {
        eprintln!("  {line}");
    }
}

/// The command as a person would type it.
fn words(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut words = program
        .file_name()
        .unwrap_or(command.get_program())
        .to_string_lossy()
        .into_owned();
    for argument in command.get_args() {
        words.push(' ');
        words.push_str(&argument.to_string_lossy());
    }
    words
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn output_is_captured_from_both_streams() {
        let text = capture(
            Command::new("sh").args(["-c", "echo one; echo two >&2"]),
            MINUTE,
        )
        .expect("sh runs");
        assert_eq!(text, "one\ntwo\n");
    }

    #[test]
    fn a_failure_names_the_command() {
        let error = run(Command::new("sh").args(["-c", "exit 3"]), MINUTE).expect_err("it failed");
        assert!(
            format!("{error:#}").starts_with("`sh -c exit 3` ended with exit status: 3"),
            "{error:#}"
        );
    }

    #[test]
    fn what_outlives_its_leader_is_killed() {
        // The grandchild holds the pipe's writing end; reading to the end proves that it is gone.
        let (mut reading, writing) = std::io::pipe().expect("a pipe can be made");
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 1000 & exit 0"]).stdout(writing);
        run(&mut command, MINUTE).expect("sh runs");
        drop(command);
        let mut rest = String::new();
        reading
            .read_to_string(&mut rest)
            .expect("the pipe can be read");
        assert_eq!(rest, "");
    }

    #[test]
    fn at_its_limit_a_program_is_stopped() {
        let error =
            run(Command::new("sleep").arg("1000"), Duration::from_millis(50)).expect_err("stopped");
        assert!(format!("{error:#}").contains("was stopped"), "{error:#}");
    }

    /// What a signal to us does, without one: the other tests run in this process too.
    #[test]
    fn a_halted_program_is_killed_when_we_are_interrupted() {
        let mut command = Command::new("sh");
        command.args(["-c", "kill -STOP $$; exit 0"]);
        let mut child = command.process_group(0).spawn().expect("sh starts");
        let group = group_of(&child).expect("a process id");
        waitid(
            WaitId::Pid(group),
            WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT,
        )
        .expect("it halts itself");
        let (stop, watch) = mpsc::channel();
        stop.send(()).expect("somebody listens");
        let timed_out = watch_over(group, &watch, MINUTE, Duration::from_millis(50));
        assert!(!timed_out);
        let status = child.wait().expect("it ended");
        assert_eq!(status.signal(), Some(9), "{status}");
    }

    #[test]
    fn who_ends_when_asked_is_not_killed() {
        let mut command = Command::new("sh");
        // Says that it listens by halting itself; going on is our part.
        command.args([
            "-c",
            "trap 'exit 7' TERM; kill -STOP $$; while :; do sleep 0.01; done",
        ]);
        let mut child = command.process_group(0).spawn().expect("sh starts");
        let group = group_of(&child).expect("a process id");
        waitid(
            WaitId::Pid(group),
            WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT,
        )
        .expect("it halts itself");
        kill_process_group(group, Signal::CONT).expect("it goes on");
        let (stop, watch) = mpsc::channel();
        stop.send(()).expect("somebody listens");
        let watchdog = std::thread::spawn(move || watch_over(group, &watch, MINUTE, MINUTE));
        let status = child.wait().expect("it ended");
        drop(stop);
        assert!(!watchdog.join().expect("the watchdog ends"));
        assert_eq!(status.code(), Some(7), "{status}");
    }
}
