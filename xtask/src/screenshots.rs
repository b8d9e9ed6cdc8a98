//! The pictures of `docs/GALLERY.md`: takes them anew, from the release server and its page.
//!
//! Must not know what is in them.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::packages::{self, CHROMIUM};
use crate::process;
use crate::server;
use crate::step::Report;
use crate::web::{self, Packages};
use crate::workspace::Workspace;

/// A dozen pictures; waiting for the page to say that it is offline takes half a minute.
const LIMIT: Duration = Duration::from_secs(10 * 60);

pub fn take(workspace: &Workspace, report: &mut Report) -> Result<()> {
    report.quiet("look for Chromium", || packages::ensure(&[CHROMIUM]))?;
    server::build(workspace, report)?;
    report.loud("pictures into docs/images", || {
        let browser = (CHROMIUM.find)().context("Chromium was there a moment ago")?;
        let mut command = web::script(workspace, Packages::Page, "screenshot")?;
        command
            .env("COLLAB_TEST_BIN", workspace.server_binary())
            .env("COLLAB_TEST_CHROMIUM", browser);
        process::run(&mut command, LIMIT)?;
        Ok("")
    })
}
