//! `collab fsck`: checks every room of a database and says what it found. Must not know how rooms
//! are checked.

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::Context as _;
use collab_server::config::{Checked, FsckFlags};
use collab_server::fsck;
use collab_server::storage::inspect::inspect;
use indicatif::{ProgressBar, ProgressStyle};

/// Damage was found.
const EXIT_DAMAGED: u8 = 3;

/// Checks everything; the exit code says whether something is wrong.
pub async fn fsck(outside: &Checked, flags: FsckFlags) -> anyhow::Result<u8> {
    let database = outside.database(&flags.store)?;
    let inspected = inspect(&database).await?;
    let bar = progress_bar("rooms");
    let report = fsck::check(&*inspected, |done, total| {
        bar.set_length(total.max(done));
        bar.set_position(done);
    })
    .await
    .context("while checking; nothing was changed, run the command again")?;
    bar.finish_and_clear();
    if flags.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{report}");
    }
    Ok(exit_code(&report))
}

/// What the program ends with after such a report.
pub fn exit_code(report: &fsck::Report) -> u8 {
    if report.is_clean() { 0 } else { EXIT_DAMAGED }
}

/// A bar on standard error, when that is a terminal; otherwise nothing.
pub fn progress_bar(what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    let template = "{elapsed_precise} {wide_bar} {human_pos}/{human_len} {msg} (left: {eta})";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
