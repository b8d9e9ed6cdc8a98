//! The page `PERFORMANCE.md`: figures, machine, versions, command. What people wrote into it around
//! the figures stays. Must not know how anything was measured.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::case::CASES;
use crate::curve::CURVES;
use crate::outcome::Outcome;
use crate::plot;
use crate::subject::Programs;

/// The figures stand between these two lines.
const BEGIN: &str = "<!-- figures: written by cargo xtask bench --write -->";
const END: &str = "<!-- end of figures -->";

/// Replaces the figures of the page in `folder`, and draws the plots beside it.
pub fn write(folder: &Path, outcome: &Outcome, programs: &Programs, command: &str) -> Result<()> {
    let page = folder.join("PERFORMANCE.md");
    let text =
        fs::read_to_string(&page).with_context(|| format!("while reading {}", page.display()))?;
    let mut figures = machine(programs, command);
    for case in CASES.iter().filter(|case| outcome.has(case)) {
        let _ = write!(
            figures,
            "\n**{}** (`{}`)\n\n{}",
            case.what,
            case.name,
            outcome.table(case)
        );
    }
    for curve in CURVES {
        let points = outcome.points(curve);
        if points.len() < 2 {
            continue;
        }
        let file = format!("{}.svg", curve.name);
        plot::draw(&folder.join("images").join(&file), curve, &points)?;
        let _ = write!(figures, "\n![{}](images/{file})\n", curve.what);
    }
    for failure in outcome.failures() {
        let first = failure.lines().next().unwrap_or_default();
        let _ = write!(figures, "\nNot measured: {first}\n");
    }
    let text = replace(&text, &figures)
        .with_context(|| format!("{} lacks the lines around the figures", page.display()))?;
    fs::write(&page, text).with_context(|| format!("while writing {}", page.display()))
}

fn replace(text: &str, figures: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{figures}\n{END}{after}"))
}

fn machine(programs: &Programs, command: &str) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok();
        output.map_or_else(String::new, |output| {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        })
    };
    let mut peers = String::new();
    for package in ["@hocuspocus/server", "@y/websocket-server"] {
        if let Some(version) = programs.version(package) {
            let _ = write!(peers, ", {package} {version}");
        }
    }
    format!(
        "`{command}` on {}, {model}, {cores} cores, Linux {}, Node {}{peers}. Each figure is a median, the spread of the runs in parentheses.\n",
        said("date", &["-u", "+%F"]),
        said("uname", &["-r"]),
        said("node", &["--version"]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_stays() {
        let page = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let new = replace(&page, "new\n").expect("both lines");
        assert!(new.starts_with("before\n") && new.ends_with("after\n"));
        assert!(new.contains("new") && !new.contains("old"));
        assert_eq!(replace("no lines", "new"), None);
    }
}
