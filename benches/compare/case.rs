//! What is measured: the rows of the page on performance, with their goals. Must not know how.

use crate::subject::Subject::{self, Ceiling, Collab, CollabYjs, Hocuspocus, YWebsocket};

/// One run of a server.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// More arguments for our server.
    pub server: &'static [&'static str],
    /// The scenario, for `collab-load`.
    pub load: &'static [&'static str],
    /// A scenario for the same server, started again on its data: answered under `/again`.
    pub again: Option<&'static [&'static str]>,
}

/// A row.
#[derive(Debug)]
pub struct Case {
    pub name: &'static str,
    pub what: &'static str,
    pub subjects: &'static [Subject],
    pub run: Run,
    pub values: &'static [Value],
    /// Rounds, where it is not the usual number.
    pub rounds: Option<usize>,
}

/// One figure of a row.
#[derive(Debug)]
pub struct Value {
    /// In the scenario's JSON.
    pub pointer: &'static str,
    pub title: &'static str,
    pub unit: Unit,
    pub goals: &'static [Goal],
}

/// How a figure is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Thousands of something: `533 k`.
    Thousands,
    Milliseconds,
    Kib,
    Bytes,
    Seconds,
    Percent,
}

/// What ours must reach.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// At least this share of the ceiling's.
    OfCeiling(f64),
    /// At most so many times the ceiling's.
    TimesCeiling(f64),
    /// At least so many times the best peer's.
    TimesBestPeer(f64),
    /// At least so many times Hocuspocus'.
    TimesHocuspocus(f64),
    AtMost(f64),
    AtLeast(f64),
}

const ALL: &[Subject] = &[Collab, CollabYjs, Ceiling, Hocuspocus, YWebsocket];
const WITH_DOCUMENTS: &[Subject] = &[Collab, Hocuspocus, YWebsocket];

/// A run of our server as it is.
pub const fn run(load: &'static [&'static str]) -> Run {
    Run {
        server: &[],
        load,
        again: None,
    }
}

const PER_CPU_SECOND: &[Value] = &[Value {
    pointer: "/deliveries_per_cpu_s",
    title: "deliveries per CPU-second",
    unit: Unit::Thousands,
    goals: &[Goal::OfCeiling(0.6), Goal::TimesHocuspocus(5.0)],
}];

const LATENCY: &[Value] = &[
    Value {
        pointer: "/delivery/p50_ms",
        title: "delivery, p50",
        unit: Unit::Milliseconds,
        goals: &[Goal::TimesCeiling(1.4)],
    },
    Value {
        pointer: "/delivery/p99_ms",
        title: "delivery, p99",
        unit: Unit::Milliseconds,
        goals: &[],
    },
    Value {
        pointer: "/delivery/max_ms",
        title: "delivery, longest",
        unit: Unit::Milliseconds,
        goals: &[],
    },
    Value {
        pointer: "/saved/p50_ms",
        title: "edit to Saved, p50",
        unit: Unit::Milliseconds,
        goals: &[],
    },
    Value {
        pointer: "/cpu_s_per_million",
        title: "CPU for a million deliveries",
        unit: Unit::Seconds,
        goals: &[],
    },
];

pub const CASES: &[Case] = &[
    Case {
        name: "saturate-20-w1",
        what: "1 room, 20 people, one update on its way each",
        subjects: ALL,
        run: run(&["saturate", "--people", "20", "--window", "1"]),
        values: PER_CPU_SECOND,
        rounds: None,
    },
    Case {
        name: "saturate-20-w16",
        what: "1 room, 20 people, 16 updates on their way each",
        subjects: ALL,
        run: run(&["saturate", "--people", "20", "--window", "16"]),
        values: PER_CPU_SECOND,
        rounds: None,
    },
    Case {
        name: "saturate-50x2",
        what: "50 rooms, 2 people each, one update on its way each",
        subjects: ALL,
        run: run(&[
            "saturate", "--rooms", "50", "--people", "2", "--window", "1",
        ]),
        values: &[Value {
            pointer: "/deliveries_per_cpu_s",
            title: "deliveries per CPU-second",
            unit: Unit::Thousands,
            goals: &[Goal::OfCeiling(0.6), Goal::TimesBestPeer(2.0)],
        }],
        rounds: None,
    },
    Case {
        name: "fan-out-20",
        what: "1 room, 20 people, 5 keystrokes a second each",
        subjects: ALL,
        run: run(&["fan-out", "--people", "20", "--pace", "5"]),
        values: LATENCY,
        rounds: None,
    },
    Case {
        name: "fan-out-100",
        what: "1 room, 100 people, 5 keystrokes a second each",
        subjects: ALL,
        run: run(&["fan-out", "--people", "100", "--pace", "5"]),
        values: LATENCY,
        rounds: None,
    },
    Case {
        name: "idle-connections",
        what: "5,000 people come into 50 rooms at once and do nothing",
        subjects: ALL,
        run: run(&["idle", "--connections", "5000", "--rooms", "50"]),
        values: &[
            Value {
                pointer: "/cpu_ms_per_connection",
                title: "CPU per connect",
                unit: Unit::Milliseconds,
                goals: &[Goal::AtMost(0.06)],
            },
            Value {
                pointer: "/kib_per_connection",
                title: "memory per idle connection",
                unit: Unit::Kib,
                goals: &[Goal::AtMost(7.0)],
            },
            Value {
                pointer: "/all_in_ms",
                title: "until all are synced",
                unit: Unit::Milliseconds,
                goals: &[Goal::AtMost(10_000.0)],
            },
        ],
        rounds: Some(1),
    },
    Case {
        name: "idle-rooms",
        what: "5,000 people come into a room each and do nothing",
        subjects: ALL,
        run: run(&["idle", "--connections", "5000", "--rooms", "5000"]),
        values: &[
            Value {
                pointer: "/kib_per_connection",
                title: "memory per room with its connection",
                unit: Unit::Kib,
                goals: &[Goal::AtMost(11.0)],
            },
            Value {
                pointer: "/cpu_ms_per_connection",
                title: "CPU per connect and new room",
                unit: Unit::Milliseconds,
                goals: &[],
            },
        ],
        rounds: Some(1),
    },
    Case {
        name: "rooms-come-and-go",
        what: "100,000 rooms opened and closed, 5,000 at a time: memory after the last over after the fourth",
        subjects: &[Collab],
        run: Run {
            server: &["--room-idle-seconds", "1"],
            load: &[
                "idle",
                "--connections",
                "5000",
                "--rooms",
                "5000",
                "--rounds",
                "20",
                "--rest",
                "4",
            ],
            again: None,
        },
        values: &[
            Value {
                pointer: "/rss_kib_after_each_round/3",
                title: "memory after 20,000 rooms",
                unit: Unit::Kib,
                goals: &[],
            },
            Value {
                pointer: "/rss_kib_after_each_round/19",
                title: "memory after 100,000 rooms",
                unit: Unit::Kib,
                goals: &[],
            },
        ],
        rounds: Some(1),
    },
    Case {
        name: "join",
        what: "people come into a document of 260,000 edits",
        subjects: WITH_DOCUMENTS,
        run: Run {
            server: &[],
            load: &["join"],
            again: Some(&[
                "join",
                "--prepared",
                "--alone",
                "1",
                "--together",
                "1",
                "--crowds",
                "1",
            ]),
        },
        values: &[
            Value {
                pointer: "/alone/p50_ms",
                title: "join, room awake, p50",
                unit: Unit::Milliseconds,
                goals: &[Goal::AtMost(2.0)],
            },
            Value {
                pointer: "/together_cpu_ms",
                title: "CPU for 50 at once",
                unit: Unit::Milliseconds,
                goals: &[Goal::AtMost(20.0)],
            },
            Value {
                pointer: "/again/first_ms",
                title: "join, room asleep",
                unit: Unit::Milliseconds,
                goals: &[Goal::AtMost(30.0)],
            },
            Value {
                pointer: "/up_to_date_bytes",
                title: "bytes to somebody who has everything",
                unit: Unit::Bytes,
                goals: &[Goal::AtMost(2_048.0)],
            },
        ],
        rounds: None,
    },
    Case {
        name: "comeback",
        what: "50 people return with 2,000 edits each",
        subjects: WITH_DOCUMENTS,
        run: run(&["comeback"]),
        values: &[
            Value {
                pointer: "/cpu_ms",
                title: "CPU",
                unit: Unit::Milliseconds,
                goals: &[Goal::AtMost(250.0)],
            },
            Value {
                pointer: "/wall_ms",
                title: "until all are equal",
                unit: Unit::Milliseconds,
                goals: &[],
            },
        ],
        rounds: None,
    },
    Case {
        name: "slow-reader",
        what: "one of five does not read while the others write 60 MB",
        subjects: &[Collab],
        run: run(&["slow-reader"]),
        values: &[
            Value {
                pointer: "/for_the_slow_one_kib",
                title: "memory for the one behind",
                unit: Unit::Kib,
                goals: &[Goal::AtMost(2_048.0)],
            },
            Value {
                pointer: "/everybody_reads/p99_ms",
                title: "delivery, p99, before",
                unit: Unit::Milliseconds,
                goals: &[],
            },
            Value {
                pointer: "/one_does_not/p99_ms",
                title: "delivery, p99, meanwhile",
                unit: Unit::Milliseconds,
                goals: &[],
            },
            Value {
                pointer: "/caught_up_ms",
                title: "until it is equal again",
                unit: Unit::Milliseconds,
                goals: &[],
            },
        ],
        rounds: None,
    },
    Case {
        name: "presence",
        what: "500 people in a room, each moves a caret once a second, one types",
        subjects: &[Collab, Ceiling, Hocuspocus, YWebsocket],
        run: run(&["presence"]),
        values: &[
            Value {
                pointer: "/core_share",
                title: "of one core",
                unit: Unit::Percent,
                goals: &[Goal::AtMost(0.15)],
            },
            Value {
                pointer: "/delivery/p50_ms",
                title: "delivery of an edit, p50",
                unit: Unit::Milliseconds,
                goals: &[],
            },
            Value {
                pointer: "/delivery/p99_ms",
                title: "delivery of an edit, p99",
                unit: Unit::Milliseconds,
                goals: &[],
            },
        ],
        rounds: None,
    },
    Case {
        name: "edits",
        what: "a million edits of one person, one by one, 256 on their way",
        subjects: &[Collab],
        run: run(&["edits"]),
        values: &[
            Value {
                pointer: "/edits_per_cpu_s",
                title: "edits per CPU-second",
                unit: Unit::Thousands,
                goals: &[Goal::AtLeast(300_000.0)],
            },
            Value {
                pointer: "/parts/0/edits_per_cpu_s",
                title: "of the first quarter",
                unit: Unit::Thousands,
                goals: &[],
            },
            Value {
                pointer: "/parts/3/edits_per_cpu_s",
                title: "of the last quarter",
                unit: Unit::Thousands,
                goals: &[],
            },
        ],
        rounds: None,
    },
];
