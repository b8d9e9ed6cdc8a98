//! Collab's server around `collab-core`.

pub mod storage;
