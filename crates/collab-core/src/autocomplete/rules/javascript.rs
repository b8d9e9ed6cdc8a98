//! JavaScript and TypeScript, with and without JSX. Their rules by what they are about:
//! [`definitions`], [`flow`], [`modules`], [`calls`], [`types`].

use super::{Rule, markup};
use crate::autocomplete::Suggestion;
use crate::autocomplete::context::Context;
use crate::autocomplete::language::{Language, Lexis, Quote};

mod calls;
mod definitions;
mod flow;
mod modules;
mod types;

static LEXIS: Lexis = Lexis {
    line_comments: &["//"],
    block_comments: &[("/*", "*/")],
    nested: false,
    quotes: &[
        Quote {
            open: "`",
            close: "`",
            escapes: true,
            lines: true,
            code: "${",
        },
        Quote::line("\""),
        Quote::line("'"),
    ],
    lifetimes: false,
    regex: true,
    word: b"$",
};

const RULES: &[Rule] = &[
    definitions::function,
    definitions::arrow,
    definitions::class,
    definitions::constructor,
    flow::for_loop,
    flow::control,
    modules::import,
    modules::export,
    calls::callback,
    calls::console,
    calls::give_back,
    calls::new,
    calls::listeners,
    calls::state,
    types::interface,
    types::annotation,
    tags,
];

const KEYWORDS: &[&str] = &[
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "constructor",
    "continue",
    "default",
    "delete",
    "else",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "import",
    "instanceof",
    "let",
    "new",
    "null",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "undefined",
    "while",
    "yield",
    "console",
    "document",
    "window",
    "length",
    "Array",
    "Object",
    "Promise",
    "JSON",
    "Math",
    "require",
];

const TYPED_KEYWORDS: &[&str] = &[
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "constructor",
    "continue",
    "default",
    "delete",
    "else",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "import",
    "instanceof",
    "let",
    "new",
    "null",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "undefined",
    "while",
    "yield",
    "console",
    "document",
    "window",
    "length",
    "Array",
    "Object",
    "Promise",
    "JSON",
    "Math",
    "interface",
    "implements",
    "readonly",
    "private",
    "public",
    "protected",
    "keyof",
    "string",
    "number",
    "boolean",
    "unknown",
    "Record",
    "Partial",
];

const fn language(
    id: &'static str,
    aliases: &'static [&'static str],
    keywords: &'static [&'static str],
    starter: &'static str,
) -> Language {
    Language {
        id,
        aliases,
        lexis: &LEXIS,
        indent: "  ",
        remark: ("// ", ""),
        modifiers: &[
            "export",
            "default",
            "async",
            "public",
            "private",
            "protected",
            "static",
            "readonly",
            "abstract",
            "declare",
        ],
        anchors: &[
            "function ",
            "export ",
            "import ",
            "class ",
            "const ",
            "async function ",
            "interface ",
        ],
        keywords,
        min_typed: 2,
        prose: false,
        end: ";",
        any_case: false,
        type_first: false,
        starter,
        rules: RULES,
    }
}

/// JavaScript.
pub static JAVASCRIPT: Language = language(
    "javascript",
    &["js", "mjs", "cjs", "node", "ecmascript", "text/javascript"],
    KEYWORDS,
    "function main() {\n\tconsole.log('Hello, world!');\n}\n\nmain();\n",
);

/// JavaScript with tags in it.
pub static JSX: Language = language(
    "jsx",
    &["javascriptreact"],
    KEYWORDS,
    "export default function App() {\n\treturn <h1>Hello, world!</h1>;\n}\n",
);

/// TypeScript.
pub static TYPESCRIPT: Language = language(
    "typescript",
    &["ts", "mts", "cts", "text/typescript"],
    TYPED_KEYWORDS,
    "function main(): void {\n\tconsole.log('Hello, world!');\n}\n\nmain();\n",
);

/// TypeScript with tags in it.
pub static TSX: Language = language(
    "tsx",
    &["typescriptreact"],
    TYPED_KEYWORDS,
    "export default function App() {\n\treturn <h1>Hello, world!</h1>;\n}\n",
);

/// Tags, where the file may hold any: in plain JavaScript a `<` compares.
fn tags(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if matches!(context.language.id, "jsx" | "tsx") {
        markup::in_jsx(context, found);
    }
}
