//! Every decision Collab makes, and no I/O: this crate must not know who is calling, what time it
//! is, or where bytes go.
//!
//! Modules in reading order.

pub mod ids;
pub mod time;

pub mod protocol;

pub mod document;
