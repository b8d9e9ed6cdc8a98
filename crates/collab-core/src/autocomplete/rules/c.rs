//! C and C++. Their rules by what they are about: [`items`], [`flow`], [`preprocessor`].

use super::Rule;
use crate::autocomplete::language::{Language, Lexis, Quote};

mod flow;
mod items;
mod preprocessor;

static LEXIS: Lexis = Lexis {
    line_comments: &["//"],
    block_comments: &[("/*", "*/")],
    nested: false,
    quotes: &[
        Quote::raw("R\"(", ")\""),
        Quote::line("\""),
        Quote::line("'"),
    ],
    lifetimes: false,
    regex: false,
    word: b"",
};

const RULES: &[Rule] = &[
    preprocessor::include,
    preprocessor::guard,
    items::main,
    items::function,
    items::shapes,
    items::class,
    flow::for_loop,
    flow::control,
    flow::print,
    flow::give_back,
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
        indent: "    ",
        remark: ("// ", ""),
        modifiers: &[
            "static",
            "inline",
            "extern",
            "const",
            "constexpr",
            "virtual",
            "unsigned",
            "typedef",
        ],
        anchors: &[
            "#include",
            "#define",
            "int ",
            "void ",
            "static ",
            "struct ",
            "class ",
            "namespace ",
            "template",
        ],
        keywords,
        min_typed: 2,
        prose: false,
        end: ";",
        any_case: false,
        type_first: true,
        starter,
        rules: RULES,
    }
}

/// C.
pub static C: Language = language(
    "c",
    &["h", "text/x-csrc"],
    &[
        "break", "case", "char", "const", "continue", "default", "double", "else", "enum",
        "extern", "float", "for", "goto", "if", "inline", "int", "long", "return", "short",
        "signed", "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void",
        "volatile", "while", "NULL", "size_t", "uint32_t", "printf", "malloc", "free", "strlen",
        "memcpy", "bool", "true", "false",
    ],
    "#include <stdio.h>\n\nint main(void) {\n\tprintf(\"Hello, world!\\n\");\n\treturn 0;\n}\n",
);

/// C++.
pub static CPP: Language = language(
    "cpp",
    &["c++", "cc", "cxx", "hpp", "hxx", "hh", "text/x-c++src"],
    &[
        "auto",
        "bool",
        "break",
        "case",
        "catch",
        "char",
        "class",
        "const",
        "constexpr",
        "continue",
        "default",
        "delete",
        "double",
        "else",
        "enum",
        "explicit",
        "false",
        "float",
        "for",
        "if",
        "inline",
        "int",
        "long",
        "namespace",
        "new",
        "noexcept",
        "nullptr",
        "operator",
        "override",
        "private",
        "protected",
        "public",
        "return",
        "sizeof",
        "static",
        "std",
        "string",
        "struct",
        "switch",
        "template",
        "this",
        "throw",
        "true",
        "try",
        "typename",
        "unsigned",
        "using",
        "vector",
        "virtual",
        "void",
        "while",
        "push_back",
        "unique_ptr",
        "size_t",
    ],
    "#include <iostream>\n\nint main() {\n\tstd::cout << \"Hello, world!\" << std::endl;\n\treturn 0;\n}\n",
);
