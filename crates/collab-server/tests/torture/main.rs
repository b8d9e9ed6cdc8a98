//! The torture campaigns: one thing that can go wrong with a server or its database per file, done
//! to the real programs, again and again, under people who type. One question is asked everywhere:
//! is everything still there that was called saved?
//!
//! Each campaign counts that its fault really happened, and each has a control, a server or
//! database with a bug put in, that must be found out: otherwise it proves nothing. Short here,
//! long with `cargo xtask torture`. `SEED=…` replays a campaign's choices, not the scheduling.

mod cluster;
mod crowd;
mod database;
mod length;
mod person;
mod report;
mod server;
mod trace;
mod volume;
mod wire;

mod f10_older_database;
mod f1_kill;
mod f3_postgres_stopped;
mod f6_disk_full;
mod f7_every_call;
mod f8_fsync_order;
mod f9_corruption;

mod deadly_room;
mod weak_postgres;
