//! What came out: medians, spreads, and whether goals were reached. Must not know how it was measured
//! nor where it is written.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use serde_json::{Value as Json, json};

use crate::Log;
use crate::case::{Case, Goal, Unit, Value};
use crate::curve::Curve;
use crate::subject::Subject;

/// All runs of all cases.
#[derive(Default)]
pub struct Outcome {
    runs: Vec<(&'static str, Subject, Json)>,
    points: Vec<(&'static str, f64, f64)>,
    failures: Vec<String>,
}

/// Of one figure of one server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Outcome {
    /// A run that failed is told, and the others go on: one broken peer must not cost an hour.
    pub fn add(
        &mut self,
        case: &Case,
        subject: Subject,
        round: usize,
        log: &mut Log,
        run: Result<Json>,
    ) -> Result<()> {
        match run {
            Ok(values) => {
                log.line(&json!({
                    "case": case.name, "subject": subject.title(), "round": round, "values": values,
                }))?;
                self.runs.push((case.name, subject, values));
            }
            Err(error) => self.fail(format!("{} of {}: {error:#}", case.name, subject.title())),
        }
        Ok(())
    }

    pub fn add_point(
        &mut self,
        curve: &Curve,
        x: f64,
        log: &mut Log,
        run: Result<Json>,
    ) -> Result<()> {
        match run {
            Ok(values) => {
                log.line(&json!({ "curve": curve.name, "x": x, "values": values }))?;
                match values.pointer(curve.pointer).and_then(Json::as_f64) {
                    Some(y) => {
                        eprintln!("  {:>8} {}: {y:.3} {}", x, curve.along, curve.title);
                        self.points.push((curve.name, x, y));
                    }
                    None => self.fail(format!("{} at {x}: no {}", curve.name, curve.pointer)),
                }
            }
            Err(error) => self.fail(format!("{} at {x}: {error:#}", curve.name)),
        }
        Ok(())
    }

    fn fail(&mut self, what: String) {
        eprintln!("✗ {what}");
        self.failures.push(what);
    }

    /// The points of a curve, in order.
    pub fn points(&self, curve: &Curve) -> Vec<(f64, f64)> {
        let of_curve = self
            .points
            .iter()
            .filter(|(name, _, _)| *name == curve.name);
        of_curve.map(|(_, x, y)| (*x, *y)).collect()
    }

    pub fn has(&self, case: &Case) -> bool {
        self.runs.iter().any(|(name, _, _)| *name == case.name)
    }

    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    pub fn figure(&self, case: &Case, subject: Subject, value: &Value) -> Option<Figure> {
        let mut all: Vec<f64> = self
            .runs
            .iter()
            .filter(|(name, whose, _)| *name == case.name && *whose == subject)
            .filter_map(|(_, _, run)| run.pointer(value.pointer)?.as_f64())
            .collect();
        all.sort_by(f64::total_cmp);
        Some(Figure {
            median: *all.get(all.len() / 2)?,
            least: *all.first()?,
            most: *all.last()?,
        })
    }

    /// Whether ours reached a goal, and in words; `None` where there is nothing to compare with.
    pub fn judge(&self, case: &Case, value: &Value, goal: Goal) -> Option<(bool, String)> {
        let of = |subject| Some(self.figure(case, subject, value)?.median);
        let ours = of(Subject::Collab)?;
        let write = |number| written(number, value.unit);
        Some(match goal {
            Goal::AtMost(most) => (ours <= most, format!("≤ {}", write(most))),
            Goal::AtLeast(least) => (ours >= least, format!("≥ {}", write(least))),
            Goal::OfCeiling(share) => {
                let is = ours / of(Subject::Ceiling)?;
                (
                    is >= share,
                    format!(
                        "≥ {:.0} % of the ceiling: {:.0} %",
                        share * 100.0,
                        is * 100.0
                    ),
                )
            }
            Goal::TimesCeiling(most) => {
                let is = ours / of(Subject::Ceiling)?;
                (is <= most, format!("≤ {most} × the ceiling: {is:.2} ×"))
            }
            Goal::TimesHocuspocus(least) => {
                let is = ours / of(Subject::Hocuspocus)?;
                (is >= least, format!("≥ {least} × Hocuspocus: {is:.1} ×"))
            }
            Goal::TimesBestPeer(least) => {
                let peers = case.subjects.iter().filter(|it| it.is_peer());
                let best = peers.filter_map(|peer| of(*peer)).max_by(f64::total_cmp)?;
                let is = ours / best;
                (is >= least, format!("≥ {least} × the best peer: {is:.1} ×"))
            }
        })
    }

    /// A case as a table in Markdown.
    pub fn table(&self, case: &Case) -> String {
        let mut out = String::from("| |");
        for subject in case.subjects {
            let _ = write!(out, " {} |", subject.title());
        }
        out.push_str(" goal |\n|---|");
        out.push_str(&"--:|".repeat(case.subjects.len()));
        out.push_str("---|\n");
        for value in case.values {
            let _ = write!(out, "| {} |", value.title);
            for subject in case.subjects {
                match self.figure(case, *subject, value) {
                    Some(figure) => {
                        let _ = write!(out, " {} |", figure.written(value.unit));
                    }
                    None => out.push_str(" |"),
                }
            }
            let goals: Vec<String> = value
                .goals
                .iter()
                .filter_map(|goal| self.judge(case, value, *goal))
                .map(|(reached, words)| format!("{} {words}", if reached { "✓" } else { "✗" }))
                .collect();
            let _ = writeln!(out, " {} |", goals.join("; "));
        }
        out
    }

    /// An error when a run failed. A goal that is missed is a figure, not an error.
    pub fn verdict(&self) -> Result<()> {
        if self.failures.is_empty() {
            return Ok(());
        }
        bail!(
            "{} runs failed:\n{}",
            self.failures.len(),
            self.failures.join("\n")
        )
    }
}

impl Figure {
    /// The median, and the spread where it is worth a word.
    fn written(self, unit: Unit) -> String {
        let median = written(self.median, unit);
        let spread = (self.most - self.least).abs();
        if spread <= self.median.abs() * 0.02 {
            return median;
        }
        format!(
            "{median} ({} to {})",
            number(self.least, unit),
            number(self.most, unit)
        )
    }
}

fn written(value: f64, unit: Unit) -> String {
    let name = match unit {
        Unit::Thousands => " k",
        Unit::Milliseconds => " ms",
        Unit::Kib => " KiB",
        Unit::Bytes => " B",
        Unit::Seconds => " s",
        Unit::Percent => " %",
    };
    number(value, unit) + name
}

/// Three digits that say something.
fn number(value: f64, unit: Unit) -> String {
    let value = match unit {
        Unit::Thousands => value / 1e3,
        Unit::Percent => value * 1e2,
        _ => value,
    };
    let places = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.places$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::CASES;

    fn outcome(runs: &[(Subject, f64)]) -> Outcome {
        let name = CASES[0].name;
        let run = |(subject, value): &(Subject, f64)| {
            (name, *subject, json!({ "deliveries_per_cpu_s": value }))
        };
        Outcome {
            runs: runs.iter().map(run).collect(),
            ..Outcome::default()
        }
    }

    #[test]
    fn the_median_counts_and_the_spread_is_told() {
        let outcome = outcome(&[
            (Subject::Collab, 900_000.0),
            (Subject::Collab, 300_000.0),
            (Subject::Collab, 600_000.0),
            (Subject::Ceiling, 1_000_000.0),
        ]);
        let case = &CASES[0];
        let value = &case.values[0];
        let figure = outcome.figure(case, Subject::Collab, value).expect("runs");
        assert_eq!(figure.written(value.unit), "600 k (300 to 900)");
        let (reached, words) = outcome
            .judge(case, value, Goal::OfCeiling(0.6))
            .expect("a ceiling");
        assert!(reached && words.ends_with("60 %"), "{words}");
        assert!(
            outcome
                .judge(case, value, Goal::TimesHocuspocus(5.0))
                .is_none()
        );
        assert!(outcome.table(case).contains("| 1000 k |"));
    }

    #[test]
    fn a_failed_run_is_an_error_in_the_end() {
        let mut outcome = Outcome::default();
        outcome.fail("broken".to_owned());
        assert!(outcome.verdict().is_err());
    }
}
