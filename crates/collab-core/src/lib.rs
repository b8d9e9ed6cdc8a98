//! Every decision Collab makes, and no I/O: this crate must not know who is calling, what time it
//! is, or where bytes go.
//!
//! Modules in reading order.

pub mod ids;
pub mod time;

pub mod document;
pub mod protocol;
pub mod record;

pub mod outbox;
pub mod presence;
pub mod room;

pub mod session;

pub mod autocomplete;
