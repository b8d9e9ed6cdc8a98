//! A room's past: folding its log into the archive, and making any past state of it again. Must not
//! know HTTP, nor SQL. Nothing here is needed to open a room.

mod cache;
pub mod chunk;
pub mod desk;
pub mod fold;
pub mod housekeeper;
pub mod keeping;
pub mod lines;
mod pages;
pub mod past;
pub mod replay;
pub mod written;
