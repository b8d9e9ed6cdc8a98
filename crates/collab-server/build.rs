//! Has the server compiled again when the page appears or changes. Must not build the page: that
//! is `cargo xtask build`, and a server without a page is a complete one for programs.
//!
//! rust-embed watches the files it found, but not those that were not there yet.

use std::path::Path;

fn main() {
    let page = "../../web/dist";
    // Cargo takes a path that does not exist for one that has always just changed.
    let watched = if Path::new(page).is_dir() {
        page
    } else {
        "../../web"
    };
    println!("cargo::rerun-if-changed={watched}");
}
