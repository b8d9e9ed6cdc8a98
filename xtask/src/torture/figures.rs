//! The figures that campaigns wrote down, as a table for people. Must not know a campaign.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// The table in the document stands between these two lines.
const BEGIN: &str = "<!-- figures: written by cargo xtask torture --write -->";
const END: &str = "<!-- end of figures -->";

const HEAD: &str = "\
| campaign | against | what happened | saved edits looked for | lost | run |
|---|---|---|--:|--:|---|";

/// One line of a campaign's report.
#[derive(Debug, Deserialize)]
struct Line {
    campaign: String,
    subject: String,
    happened: Vec<(String, u64)>,
    figures: Outcome,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Outcome {
    Held { checked: u64, lost: u64 },
    FoundOut { seen: u64 },
}

/// Of one run.
#[derive(Debug)]
pub struct Figures(Vec<Line>);

impl Figures {
    /// What campaigns appended to this file; nothing when none did.
    pub fn read(file: &Path) -> Result<Figures> {
        let text = fs::read_to_string(file).unwrap_or_default();
        let lines = text.lines().map(|line| {
            serde_json::from_str(line).with_context(|| format!("while reading the figures {line}"))
        });
        lines.collect::<Result<_>>().map(Figures)
    }

    /// Replaces the rows of these campaigns in the document's table.
    pub fn write_into(&self, document: &Path, run: &str) -> Result<()> {
        let text = fs::read_to_string(document)
            .with_context(|| format!("while reading {}", document.display()))?;
        let text = self
            .replace(&text, run)
            .with_context(|| format!("{} lacks the lines around the table", document.display()))?;
        fs::write(document, text).with_context(|| format!("while writing {}", document.display()))
    }

    fn replace(&self, text: &str, run: &str) -> Option<String> {
        let (before, rest) = text.split_once(BEGIN)?;
        let (table, after) = rest.split_once(END)?;
        let ours = |row: &&str| {
            let campaign = row.trim_start_matches("| ").split(" |").next();
            !self
                .0
                .iter()
                .any(|line| Some(line.campaign.as_str()) == campaign)
        };
        let mut rows: Vec<String> = table
            .lines()
            .filter(|row| row.starts_with("| ") && !row.starts_with("| campaign"))
            .filter(ours)
            .map(str::to_owned)
            .collect();
        rows.extend(self.0.iter().map(|line| line.row(run)));
        rows.sort();
        Some(format!(
            "{before}{BEGIN}\n\n{HEAD}\n{}\n\n{END}{after}",
            rows.join("\n")
        ))
    }
}

impl Line {
    fn row(&self, run: &str) -> String {
        let happened: Vec<String> = self
            .happened
            .iter()
            .map(|(what, times)| format!("{} {what}", grouped(*times)))
            .collect();
        let (checked, lost) = match self.figures {
            Outcome::Held { checked, lost } => (grouped(checked), grouped(lost)),
            Outcome::FoundOut { seen } => ("".to_owned(), format!("found out: {}", grouped(seen))),
        };
        format!(
            "| {} | {} | {} | {checked} | {lost} | {run} |",
            self.campaign,
            self.subject,
            happened.join(", ")
        )
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.0 {
            let outcome = match line.figures {
                Outcome::Held { checked, lost } => {
                    format!("{} saved edits looked for, {lost} lost", grouped(checked))
                }
                Outcome::FoundOut { seen } => format!("found out: {}", grouped(seen)),
            };
            let campaign = format!("{} {}", line.campaign, line.subject);
            writeln!(f, "{campaign:<40} {outcome}")?;
            for (what, times) in &line.happened {
                writeln!(f, "  {:>12} {what}", grouped(*times))?;
            }
        }
        Ok(())
    }
}

/// `1234567` → `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_rows_of_what_was_run_are_new() {
        let line = r#"{"campaign":"F1","subject":"SQLite","happened":[["kills",1300]],"figures":{"checked":2000000,"lost":0}}"#;
        let figures = Figures(vec![serde_json::from_str(line).expect("a line")]);
        let old = format!(
            "text\n{BEGIN}\n\n{HEAD}\n| F1 | SQLite | old | 1 | 0 | then |\n| F3 | Postgres | kept | 1 | 0 | then |\n\n{END}\nmore\n"
        );
        let new = figures.replace(&old, "now").expect("the lines are there");
        assert!(new.starts_with("text\n") && new.ends_with("more\n"));
        assert!(new.contains("| F1 | SQLite | 1,300 kills | 2,000,000 | 0 | now |"));
        assert!(new.contains("| F3 | Postgres | kept | 1 | 0 | then |"));
        assert!(!new.contains("old"));
        // Doing it again changes nothing.
        assert_eq!(figures.replace(&new, "now"), Some(new));
        assert_eq!(figures.replace("no table", "now"), None);
    }

    #[test]
    fn a_control_is_read() {
        let line = r#"{"campaign":"F1","subject":"control","happened":[],"figures":{"control":true,"seen":4}}"#;
        let line: Line = serde_json::from_str(line).expect("a line");
        assert!(line.row("now").contains("found out: 4"));
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}
