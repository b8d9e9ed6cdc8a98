//! What is measured along one size: growth that must stay no worse than linear. Must not know how.

use crate::case::{Run, run};

/// Ours alone, along one size.
#[derive(Debug)]
pub struct Curve {
    pub name: &'static str,
    pub what: &'static str,
    /// What grows.
    pub along: &'static str,
    /// What is measured.
    pub pointer: &'static str,
    pub title: &'static str,
    pub points: &'static [(f64, Run)],
}

pub const CURVES: &[Curve] = &[
    Curve {
        name: "curve-rooms",
        what: "CPU for a delivery as rooms grow, 2 people each",
        along: "rooms",
        pointer: "/cpu_s_per_million",
        title: "CPU s for a million deliveries",
        points: &[
            (
                1.0,
                run(&["fan-out", "--rooms", "1", "--people", "2", "--pace", "100"]),
            ),
            (
                10.0,
                run(&["fan-out", "--rooms", "10", "--people", "2", "--pace", "50"]),
            ),
            (
                100.0,
                run(&["fan-out", "--rooms", "100", "--people", "2", "--pace", "10"]),
            ),
            (
                1_000.0,
                run(&["fan-out", "--rooms", "1000", "--people", "2", "--pace", "2"]),
            ),
            (
                10_000.0,
                run(&[
                    "fan-out", "--rooms", "10000", "--people", "2", "--pace", "0.2",
                ]),
            ),
        ],
    },
    Curve {
        name: "curve-people",
        what: "CPU for a delivery as people in one room grow",
        along: "people",
        pointer: "/cpu_s_per_million",
        title: "CPU s for a million deliveries",
        points: &[
            (2.0, run(&["fan-out", "--people", "2", "--pace", "100"])),
            (10.0, run(&["fan-out", "--people", "10", "--pace", "20"])),
            (100.0, run(&["fan-out", "--people", "100", "--pace", "5"])),
            (300.0, run(&["fan-out", "--people", "300", "--pace", "1"])),
            (
                1_000.0,
                run(&["fan-out", "--people", "1000", "--pace", "0.1"]),
            ),
        ],
    },
    Curve {
        name: "curve-document",
        what: "CPU for an edit as the document grows",
        along: "KiB of text",
        pointer: "/cpu_us_per_edit",
        title: "CPU µs for an edit",
        points: &[
            (1.0, run(&["edits", "--edits", "100000", "--kib", "1"])),
            (64.0, run(&["edits", "--edits", "100000", "--kib", "64"])),
            (
                1_024.0,
                run(&["edits", "--edits", "100000", "--kib", "1024"]),
            ),
            (
                10_240.0,
                run(&["edits", "--edits", "100000", "--kib", "10240"]),
            ),
            (
                51_200.0,
                run(&["edits", "--edits", "100000", "--kib", "51200"]),
            ),
        ],
    },
    Curve {
        name: "curve-ids",
        what: "CPU for an edit as the client ids that wrote in the document grow",
        along: "client ids",
        pointer: "/cpu_us_per_edit",
        title: "CPU µs for an edit",
        points: &[
            (10.0, run(&["edits", "--edits", "100000", "--ids", "10"])),
            (100.0, run(&["edits", "--edits", "100000", "--ids", "100"])),
            (
                1_000.0,
                run(&["edits", "--edits", "100000", "--ids", "1000"]),
            ),
            (
                10_000.0,
                run(&["edits", "--edits", "100000", "--ids", "10000"]),
            ),
        ],
    },
];
