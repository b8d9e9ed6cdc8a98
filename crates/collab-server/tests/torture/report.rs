//! What a campaign found, in one line for people and one for `cargo xtask torture`. Must not know
//! how it was found.

use std::io::Write;

use serde_json::json;

/// The file that collects the figures of a long run, one JSON object per line.
const FILE: &str = "COLLAB_TEST_TORTURE_REPORT";

/// The figures of one campaign against one subject.
#[derive(Debug)]
pub struct Report {
    campaign: &'static str,
    subject: String,
    happened: Vec<(&'static str, u64)>,
}

impl Report {
    /// Of this campaign (`F1`) against that subject (`SQLite`).
    pub fn of(campaign: &'static str, subject: impl Into<String>) -> Report {
        Report {
            campaign,
            subject: subject.into(),
            happened: Vec::new(),
        }
    }

    /// Something that happened so often.
    pub fn count(mut self, what: &'static str, times: usize) -> Report {
        self.happened.push((what, times as u64));
        self
    }

    /// The same; that it happened at all is what makes the campaign one.
    #[track_caller]
    pub fn must(self, what: &'static str, times: usize) -> Report {
        assert!(
            times > 0,
            "{} against {}: no {what}; the campaign has shown nothing",
            self.campaign,
            self.subject
        );
        self.count(what, times)
    }

    /// Writes it down. `checked` edits had been called saved and were looked for, `lost` were
    /// missing; none may be.
    #[track_caller]
    pub fn judge(self, checked: usize, lost: &[String]) {
        self.write(json!({ "checked": checked, "lost": lost.len() }), || {
            format!("{checked} saved edits looked for, {} lost", lost.len())
        });
        assert!(
            lost.is_empty(),
            "{} against {} lost: {:?}",
            self.campaign,
            self.subject,
            lost.iter().take(20).collect::<Vec<_>>()
        );
        assert!(
            checked > 0,
            "{} against {}: nothing was ever saved",
            self.campaign,
            self.subject
        );
    }

    /// Writes a control down: a bug that was put in, and what of it was seen. Some must be.
    #[track_caller]
    pub fn control(self, seen: usize, what: &str) {
        self.write(json!({ "control": true, "seen": seen }), || {
            format!("found out: {seen} {what}")
        });
        assert!(
            seen > 0,
            "{} against {}: the campaign cannot see what it is to see: no {what}",
            self.campaign,
            self.subject
        );
    }

    fn write(&self, figures: serde_json::Value, words: impl FnOnce() -> String) {
        let happened: Vec<String> = self
            .happened
            .iter()
            .map(|(what, times)| format!("{times} {what}"))
            .collect();
        println!(
            "{} {}: {}; {}",
            self.campaign,
            self.subject,
            happened.join(", "),
            words()
        );
        let Ok(file) = std::env::var(FILE) else {
            return;
        };
        let line = json!({
            "campaign": self.campaign,
            "subject": self.subject,
            "happened": self.happened,
            "figures": figures,
        });
        let written = std::fs::File::options()
            .append(true)
            .create(true)
            .open(&file)
            .and_then(|mut file| writeln!(file, "{line}"));
        written.unwrap_or_else(|error| panic!("{FILE}={file}: {error}"));
    }
}
