//! Which crate may depend on which: the picture in ARCHITECTURE.md, held up by a machine.
//!
//! Arrows only ever point toward `collab-core`, so that every decision can be read in one place and
//! replayed without a network. A new crate needs a new row here, and a wall that justifies it.

use anyhow::{Context, Result};
use serde_json::Value;

/// Crate, and those of ours it may use. Development and build dependencies count like any other.
const ARROWS: &[(&str, &[&str])] = &[
    ("collab-core", &[]),
    ("collab-wasm", &["collab-core"]),
    ("collab-suggest", &["collab-core"]),
    ("collab-server", &["collab-core"]),
    ("collab-sim", &["collab-core"]),
    ("benches", &["collab-core", "collab-server", "collab-sim"]),
    ("xtask", &[]),
];

/// What would let core do I/O, wait, or draw time and chance by itself. A name that ends in `*` stands for
/// all names that begin so. The wasm32 check catches most of these too, but says it less clearly.
const NOT_IN_CORE: &[&str] = &[
    "tokio*",
    "async-*",
    "smol",
    "mio",
    "futures*",
    "axum*",
    "hyper*",
    "tower*",
    "reqwest",
    "socket2",
    "tungstenite",
    "rusqlite",
    "postgres*",
    "deadpool*",
    "sqlx*",
    "tracing*",
    "metrics*",
    "log",
    "rand",
    "getrandom",
    "fastrand",
    "uuid",
    "chrono",
    "time",
    "dirs",
    "tempfile",
    "js-sys",
    "web-sys",
    "wasm-bindgen*",
];

/// Compares `cargo metadata --no-deps` with the tables above.
pub fn check(metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata has no packages")?;
    let mut broken = Vec::new();
    for package in packages {
        let name = text(package, "name")?;
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
            broken.push(format!(
                "{name}: a crate that tidy does not know; add a row to xtask/src/tidy/arrows.rs"
            ));
            continue;
        };
        for dependency in package["dependencies"]
            .as_array()
            .context("a package has no dependencies")?
        {
            let to = text(dependency, "name")?;
            let ours = dependency["path"].is_string();
            if ours && !allowed.contains(&to) {
                broken.push(format!(
                    "{name} may not depend on {to}: arrows point toward collab-core"
                ));
            }
            let for_tests = dependency["kind"] == "dev";
            if name == "collab-core"
                && !for_tests
                && NOT_IN_CORE.iter().any(|pattern| matches(pattern, to))
            {
                broken.push(format!("collab-core may not depend on {to}: core does no I/O and draws no time or chance"));
            }
        }
    }
    Ok(broken)
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key]
        .as_str()
        .with_context(|| format!("cargo metadata lacks \"{key}\""))
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn broken(name: &str, dependencies: Value) -> Vec<String> {
        check(&json!({ "packages": [{ "name": name, "dependencies": dependencies }] }))
            .expect("well formed")
    }

    #[test]
    fn an_arrow_away_from_core_is_reported() {
        let found = broken(
            "collab-core",
            json!([{ "name": "collab-server", "path": "/x", "kind": "dev" }]),
        );
        assert_eq!(
            found,
            ["collab-core may not depend on collab-server: arrows point toward collab-core"]
        );
        assert_eq!(
            broken(
                "collab-wasm",
                json!([{ "name": "collab-core", "path": "/x" }])
            )
            .len(),
            0
        );
    }

    #[test]
    fn input_and_output_are_kept_out_of_core() {
        assert_eq!(
            broken(
                "collab-core",
                json!([{ "name": "tokio-util", "kind": null }])
            )
            .len(),
            1
        );
        assert_eq!(
            broken("collab-core", json!([{ "name": "yrs", "kind": null }])).len(),
            0
        );
        assert_eq!(
            broken(
                "collab-core",
                json!([{ "name": "tempfile", "kind": "dev" }])
            )
            .len(),
            0
        );
        assert_eq!(
            broken("collab-server", json!([{ "name": "tokio", "kind": null }])).len(),
            0
        );
    }

    #[test]
    fn a_crate_without_a_row_is_reported() {
        assert_eq!(broken("collab-extra", json!([])).len(), 1);
    }
}
