//! What the benchmarks share: real editing traces, or made ones when there are none. Must not know
//! what is measured.

pub mod trace;
