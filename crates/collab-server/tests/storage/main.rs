//! The stores from outside: one conformance suite for all three, and what only one of them has.
//! Must not know private items.

mod conformance;
mod fault_points;
mod group_commit;
mod migrations;
mod postgres_only;
mod proxy;
mod sqlite_only;
mod stores;
