//! A room's past: folding its log into the archive, and making any past state of it again. Must not
//! know HTTP, nor SQL. Nothing here is needed to open a room.

pub mod chunk;
pub mod fold;
pub mod housekeeper;
pub mod keeping;
pub mod past;
pub mod written;
