//! The steps of the test command, their order and what each needs from another.
//!
//! Must not know how a step is done.

/// One step. The order of the variants is the order of work: what is cheap and fails often comes
/// first, what needs a browser last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    LintTools,
    Format,
    Tidy,
    Xtask,
    Services,
    Node,
    PagePackages,
    InteropPackages,
    ClippyWasm,
    Clippy,
    Wasm,
    WasmBindings,
    Page,
    Size,
    PageUnit,
    Server,
    Postgres,
    Rust,
    RustDocs,
    Interop,
    Browsers,
    Firefox,
}

impl Step {
    pub const ALL: [Self; 22] = [
        Self::LintTools,
        Self::Format,
        Self::Tidy,
        Self::Xtask,
        Self::Services,
        Self::Node,
        Self::PagePackages,
        Self::InteropPackages,
        Self::ClippyWasm,
        Self::Clippy,
        Self::Wasm,
        Self::WasmBindings,
        Self::Page,
        Self::Size,
        Self::PageUnit,
        Self::Server,
        Self::Postgres,
        Self::Rust,
        Self::RustDocs,
        Self::Interop,
        Self::Browsers,
        Self::Firefox,
    ];

    /// The word for `--only`.
    pub fn name(self) -> &'static str {
        match self {
            Self::LintTools => "lint-tools",
            Self::Format => "format",
            Self::Tidy => "tidy",
            Self::Xtask => "xtask",
            Self::Services => "services",
            Self::Node => "node",
            Self::PagePackages => "page-packages",
            Self::InteropPackages => "interop-packages",
            Self::ClippyWasm => "clippy-wasm",
            Self::Clippy => "clippy",
            Self::Wasm => "wasm",
            Self::WasmBindings => "wasm-bindings",
            Self::Page => "page",
            Self::Size => "size",
            Self::PageUnit => "page-unit",
            Self::Server => "server",
            Self::Postgres => "postgres",
            Self::Rust => "rust",
            Self::RustDocs => "rust-docs",
            Self::Interop => "interop",
            Self::Browsers => "e2e",
            Self::Firefox => "firefox",
        }
    }

    /// What the line on the screen says.
    pub fn title(self) -> &'static str {
        match self {
            Self::LintTools => "look for rustfmt and clippy",
            Self::Format => "formatting",
            Self::Tidy => "rules of the house (tidy)",
            Self::Xtask => "tests of xtask itself",
            Self::Services => "look for PostgreSQL, strace, Chromium and Firefox",
            Self::Node => "look for Node",
            Self::PagePackages => "install the page's packages",
            Self::InteropPackages => "install the published clients and stores",
            Self::ClippyWasm => "clippy for wasm32: the walls of core",
            Self::Clippy => "clippy for the whole workspace",
            Self::Wasm => "compile the WASM client",
            Self::WasmBindings => "write the WASM bindings",
            Self::Page => "build the page",
            Self::Size => "size of the page",
            Self::PageUnit => "unit tests of the page",
            Self::Server => "compile the server",
            Self::Postgres => "start a throw-away PostgreSQL",
            Self::Rust => "Rust tests: unit, property, simulation, hostile, storage, server",
            Self::RustDocs => "examples in the Rust documentation",
            Self::Interop => "real client packages against the server",
            Self::Browsers => "browsers against the server",
            Self::Firefox => "the main flow in Firefox",
        }
    }

    /// Steps whose result this one uses.
    pub fn needs(self) -> &'static [Self] {
        match self {
            Self::LintTools
            | Self::Tidy
            | Self::Xtask
            | Self::Services
            | Self::Node
            | Self::Wasm
            | Self::RustDocs => &[],
            Self::Format | Self::ClippyWasm | Self::Clippy => &[Self::LintTools],
            Self::PagePackages | Self::InteropPackages => &[Self::Node],
            Self::WasmBindings => &[Self::Wasm],
            Self::Page => &[Self::PagePackages, Self::WasmBindings],
            Self::Size | Self::Server => &[Self::Page],
            Self::PageUnit => &[Self::PagePackages, Self::WasmBindings],
            Self::Postgres => &[Self::Services],
            Self::Rust => &[Self::InteropPackages, Self::Server, Self::Postgres],
            Self::Interop => &[Self::InteropPackages, Self::Server, Self::Postgres],
            Self::Browsers | Self::Firefox => &[Self::PagePackages, Self::Server, Self::Postgres],
        }
    }

    /// Whether its tool shows progress of its own. The others are silent unless they fail.
    pub fn is_loud(self) -> bool {
        matches!(
            self,
            Self::Xtask
                | Self::ClippyWasm
                | Self::Clippy
                | Self::Wasm
                | Self::PageUnit
                | Self::Server
                | Self::Rust
                | Self::RustDocs
                | Self::Interop
                | Self::Browsers
                | Self::Firefox
        )
    }

    /// Whether its tool can run some of its tests by name.
    pub fn takes_filter(self) -> bool {
        matches!(
            self,
            Self::Xtask
                | Self::PageUnit
                | Self::Rust
                | Self::Interop
                | Self::Browsers
                | Self::Firefox
        )
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }
}

/// The wanted steps and everything they need, each once, in the order of work.
pub fn in_order(wanted: &[Step]) -> Vec<Step> {
    let mut all = wanted.to_vec();
    let mut next = 0;
    while let Some(step) = all.get(next).copied() {
        next += 1;
        for needed in step.needs() {
            if !all.contains(needed) {
                all.push(*needed);
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_listed_once_and_comes_after_what_it_needs() {
        assert!(
            Step::ALL.is_sorted(),
            "ALL is in the order of the variants, without repetition"
        );
        assert_eq!(in_order(&Step::ALL), Step::ALL);
        for step in Step::ALL {
            for needed in step.needs() {
                assert!(*needed < step, "{step:?} comes before {needed:?}");
            }
            assert_eq!(Step::named(step.name()), Some(step));
        }
    }

    #[test]
    fn a_single_step_brings_what_it_needs() {
        assert_eq!(
            in_order(&[Step::PageUnit]),
            [
                Step::Node,
                Step::PagePackages,
                Step::Wasm,
                Step::WasmBindings,
                Step::PageUnit,
            ]
        );
    }
}
