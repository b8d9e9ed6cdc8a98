//! Lines that begin with `#`.

use crate::autocomplete::context::Context;
use crate::autocomplete::rank::{EXACT, LIKELY};
use crate::autocomplete::{Kind, Suggestion};

/// Headers and names that need them, most wanted first.
const C_HEADERS: &[(&str, &[&str])] = &[
    ("stdio.h", &["printf", "scanf", "fopen", "FILE", "fprintf"]),
    ("stdlib.h", &["malloc", "free", "exit", "calloc", "atoi"]),
    (
        "string.h",
        &["strlen", "strcmp", "memcpy", "strcpy", "memset"],
    ),
    ("stdint.h", &["uint32_t", "uint8_t", "int64_t", "uint64_t"]),
    ("stdbool.h", &["bool", "true", "false"]),
    ("math.h", &["sqrt", "pow", "sin"]),
    ("assert.h", &["assert"]),
    ("errno.h", &["errno"]),
];

const CPP_HEADERS: &[(&str, &[&str])] = &[
    ("iostream", &["cout", "cin", "cerr", "endl"]),
    ("string", &["string", "to_string"]),
    ("vector", &["vector"]),
    ("map", &["map"]),
    ("unordered_map", &["unordered_map"]),
    ("memory", &["unique_ptr", "shared_ptr", "make_unique"]),
    ("algorithm", &["sort", "find_if", "transform"]),
    ("optional", &["optional"]),
    ("thread", &["thread"]),
    ("mutex", &["mutex", "lock_guard"]),
];

/// `#include ` → a header the file needs but does not include, then a common one.
pub fn include(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(typed) = context
        .trimmed()
        .strip_prefix("#include")
        .filter(|_| context.in_code())
    else {
        return;
    };
    if !matches!(context.rest.trim(), "" | ">") {
        return;
    }
    let space = if typed.is_empty() { " " } else { "" };
    let typed = typed.trim_start();
    let (open, name) = match typed.strip_prefix('<') {
        Some(name) => ("", name),
        None if typed.is_empty() => ("<", ""),
        None => return,
    };
    let close = if context.rest.trim() == ">" { "" } else { ">" };
    let headers = if context.language.id == "c" {
        C_HEADERS
    } else {
        CPP_HEADERS
    };
    for (place, (header, names)) in (0u32..).zip(headers) {
        let Some(rest) = header.strip_prefix(name) else {
            continue;
        };
        let used = context
            .lexed
            .tokens
            .iter()
            .any(|token| names.contains(&token.text));
        if !context.head.contains(&["<", header, ">"].concat()) {
            let score = if used { EXACT } else { LIKELY };
            context.offer(
                found,
                Kind::Phrase,
                score - place,
                &[space, open, rest, close],
            );
        }
    }
}

/// `#ifndef NAME` → the guard around a header; `#if` → its end.
pub fn guard(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || context.window.contains("#endif") {
        return;
    }
    if let Some(name) = context.trimmed().strip_prefix("#ifndef ") {
        let (name, missing) = if name.is_empty() {
            ("HEADER_H", "HEADER_H")
        } else {
            (name, "")
        };
        if context.previous().is_none() {
            context.offer(
                found,
                Kind::Block,
                EXACT,
                &[missing, "\n#define ", name, "\n\n‸\n\n#endif"],
            );
        }
    } else if ["#ifdef ", "#if "]
        .iter()
        .any(|start| context.trimmed().starts_with(start))
        && !context.typed.is_empty()
    {
        context.offer(found, Kind::Block, LIKELY, &["\n‸\n#endif"]);
    }
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::first;

    #[test]
    fn headers_that_are_needed() {
        assert_eq!(first("c", "#include ‸"), "<stdio.h>");
        assert_eq!(first("c", "#include ‸\nint n = strlen(s);"), "<string.h>");
        assert_eq!(
            first(
                "cpp",
                "#include <iostream>\n#include <‸>\nstd::vector<int> v;"
            ),
            "vector"
        );
        assert_eq!(first("c", "#ifndef A_H‸"), "⏎#define A_H⏎⏎‸⏎⏎#endif");
    }
}
