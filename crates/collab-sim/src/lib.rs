//! A server, a network, a disk and people in a box, driven by one seed: the real state machines of
//! `collab-core` under every fault we can think of, with a checker that looks on. Must not know
//! tokio, sockets, SQL or real time.
//!
//! Modules in reading order. [`campaign`] runs many seeds; a seed that fails replays exactly.

pub mod campaign;

pub mod scenario;
pub mod world;

pub mod disk;
pub mod network;
pub mod tab;

pub mod hostile;
pub mod person;
pub mod plain;

pub mod bug;
pub mod checker;

pub mod agenda;
pub mod counts;
pub mod rng;
pub mod transcript;
