//! Imports: what the file uses but does not import, then what such files usually import.

use crate::autocomplete::context::{Context, is_word};
use crate::autocomplete::lexer::Sort;
use crate::autocomplete::rank::{EXACT, LIKELY};
use crate::autocomplete::{Kind, Suggestion};

/// Modules worth suggesting, most wanted first.
const MODULES: &[&str] = &[
    "os",
    "sys",
    "json",
    "re",
    "time",
    "math",
    "random",
    "datetime",
    "logging",
    "pathlib",
    "collections",
    "itertools",
    "functools",
    "typing",
    "subprocess",
    "asyncio",
    "argparse",
    "csv",
    "sqlite3",
    "unittest",
    "numpy",
    "pandas",
    "requests",
    "pytest",
    "matplotlib.pyplot",
];

/// What is usually imported from a module, and, where one would rather do that than import the
/// module, why the rules know these names belong together.
const MEMBERS: &[(&str, &str)] = &[
    ("pathlib", "Path"),
    ("collections", "defaultdict"),
    ("dataclasses", "dataclass"),
    ("datetime", "datetime"),
    ("typing", "Any"),
    ("functools", "partial"),
    ("itertools", "chain"),
    ("enum", "Enum"),
    ("abc", "ABC"),
    ("contextlib", "contextmanager"),
    ("collections.abc", "Iterable"),
    ("flask", "Flask"),
    ("fastapi", "FastAPI"),
];

/// Names that modules usually go by.
const ALIASES: &[(&str, &str)] = &[
    ("numpy", "np"),
    ("pandas", "pd"),
    ("matplotlib.pyplot", "plt"),
];

/// `import ` → a module the file uses but has not imported, else a common one it has not
/// imported; `numpy` and its like with the name they go by.
pub fn import(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context.after("import").filter(|_| context.at_code_end()) else {
        return;
    };
    let typed = after.rest.rsplit(',').next().unwrap_or("").trim_start();
    let missing: Vec<&str> = MODULES
        .iter()
        .copied()
        .filter(|module| !imported(context, module))
        .collect();
    for (place, module) in (0u32..).zip(&missing) {
        let alias = ALIASES
            .iter()
            .find(|(of, _)| of == module)
            .map(|(_, alias)| *alias);
        let Some(rest) = module.strip_prefix(typed) else {
            continue;
        };
        let score = if uses(context, alias.unwrap_or(module)) {
            EXACT
        } else {
            LIKELY
        };
        // `import o` may still become anything; `import ` may as well be the first guess.
        let pieces: &[&str] = match &alias {
            Some(alias) => &[after.space, rest, " as ", alias],
            None => &[after.space, rest],
        };
        context.offer(found, Kind::Phrase, score - place, pieces);
    }
}

/// `from ` → a module with what is usually taken from it, first what the file uses; `from x
/// import ` → that member.
pub fn from_import(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context.after("from").filter(|_| context.at_code_end()) else {
        return;
    };
    for (place, (module, member)) in (0u32..).zip(MEMBERS) {
        let whole = [module, " import ", member].concat();
        let used = context
            .lexed
            .tokens
            .iter()
            .any(|token| token.text == *member);
        let known = context.head.contains(&["from ", &whole].concat());
        if let Some(rest) = whole
            .strip_prefix(after.rest)
            .filter(|rest| !rest.is_empty() && !known)
        {
            let score = if used { EXACT } else { LIKELY };
            context.offer(found, Kind::Phrase, score - place, &[after.space, rest]);
        }
    }
    if let Some(module) = after
        .rest
        .strip_suffix(' ')
        .filter(|module| is_word(module))
        && !MEMBERS.iter().any(|(known, _)| *known == module)
    {
        context.offer(found, Kind::Phrase, LIKELY, &["import "]);
    }
}

/// The file imports this module, above the window or in it.
fn imported(context: &Context<'_>, module: &str) -> bool {
    [context.head, context.window].into_iter().any(|text| {
        text.lines().any(|line| {
            let line = line.trim_start();
            let Some(rest) = line
                .strip_prefix("import ")
                .or_else(|| line.strip_prefix("from "))
            else {
                return false;
            };
            rest.split([',', ' ']).any(|word| word == module)
        })
    })
}

/// The file uses a module by this name: `json.`
fn uses(context: &Context<'_>, name: &str) -> bool {
    context.lexed.tokens.windows(3).any(|three| match three {
        [before, token, dot] => {
            token.text == name && token.sort == Sort::Word && dot.text == "." && before.text != "."
        }
        _ => false,
    }) || matches!(context.lexed.tokens.as_slice(), [token, dot, ..] if token.text == name && dot.text == ".")
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::{first, has};

    #[test]
    fn modules_in_use_come_first() {
        assert_eq!(first("python", "import ‸"), "os");
        assert_eq!(first("python", "import ‸\nx = json.loads(y)"), "json");
        assert_eq!(first("python", "import ‸\nx = np.zeros(3)"), "numpy as np");
        assert_eq!(first("python", "import ma‸"), "th");
    }

    #[test]
    fn nothing_is_imported_twice() {
        assert_eq!(
            first("python", "import os, sys\nimport json as j\nimport ‸"),
            "re"
        );
        assert!(!has("python", "from os import path\nimport ‸", "os"));
    }

    #[test]
    fn members() {
        assert_eq!(first("python", "from ‸"), "pathlib import Path");
        assert_eq!(
            first("python", "from ‸\n@dataclass\nclass A:\n    pass"),
            "dataclasses import dataclass"
        );
        assert_eq!(first("python", "from collections import ‸"), "defaultdict");
        assert_eq!(first("python", "from mine ‸"), "import ");
    }
}
