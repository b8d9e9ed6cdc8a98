//! C and C++.

use crate::autocomplete::imports::Imports;
use crate::autocomplete::language::{CODE, Language, Lexis, Quote};

static LEXIS: Lexis = Lexis {
    line_comments: &["//"],
    block_comments: &[("/*", "*/")],
    quotes: &[
        Quote::raw("R\"(", ")\""),
        Quote::line("\""),
        Quote::line("'"),
    ],
    ..Lexis::NONE
};

const BOTH: Language = Language {
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
    end: ";",
    type_first: true,
    ..CODE
};

/// C.
pub static C: Language = Language {
    id: "c",
    aliases: &["h", "text/x-csrc"],
    keywords: "break case char const continue default double else enum extern float for goto if inline int long return \
        short signed sizeof static struct switch typedef union unsigned void volatile while NULL size_t uint32_t \
        printf malloc free strlen memcpy bool true false",
    starter: "#include <stdio.h>\n\nint main(void) {\n\tprintf(\"Hello, world!\\n\");\n\treturn 0;\n}\n",
    tests: ["‹›", "‹› > 0", "‹›", "‹›"],
    phrases: &[C_PHRASES, PHRASES],
    imports: &[Imports {
        prefix: "#include <",
        suffix: ">",
        inside: "",
        known: C_HEADERS,
    }],
    ..BOTH
};

/// C++.
pub static CPP: Language = Language {
    id: "cpp",
    aliases: &["c++", "cc", "cxx", "hpp", "hxx", "hh", "text/x-c++src"],
    keywords: "auto bool break case catch char class const constexpr continue default delete double else enum explicit \
        false float for if inline int long namespace new noexcept nullptr operator override private protected public \
        return sizeof static std string struct switch template this throw true try typename unsigned using vector \
        virtual void while push_back unique_ptr size_t",
    starter: "#include <iostream>\n\nint main() {\n\tstd::cout << \"Hello, world!\" << std::endl;\n\treturn 0;\n}\n",
    tests: ["!‹›.empty()", "‹› > 0", "!‹›.empty()", "‹›"],
    phrases: &[CPP_PHRASES, PHRASES],
    imports: &[Imports {
        prefix: "#include <",
        suffix: ">",
        inside: "",
        known: CPP_HEADERS,
    }],
    ..BOTH
};

/// What only C writes like this.
const C_PHRASES: &[&str] = &[
    "top, no  main( ¦ int ·main(void) {\n\t‸\n\treturn 0;\n}",
    "typedef struct {\n\t‸\n} ‹Name›;",
    "typedef struct ‹name› {\n\t‸\n} ‹Name›;",
    "printf(\"%d\\n\", ‹limit›);",
    "printf(\"‸\\n\");",
];

/// What only C++ has.
const CPP_PHRASES: &[&str] = &[
    "top, no  main( ¦ int ·main() {\n\t‸\n\treturn 0;\n}",
    "class ‹ClassName› {\npublic:\n\t‹ClassName›(‸) {\n\t}\n};",
    "class ‹ClassName› ·: public ‹type› {\npublic:\n\t‸\n};",
    "template <typename T>",
    "namespace ‹name› {\n\t‸\n}",
    "for (const auto& ‹one› : ‹many›) {\n\t‸\n}",
    "try {\n\t‸\n} catch (const std::exception& error) {\n\t\n}",
    "catch (const std::exception& error) {\n\t‸\n}",
    "std::cout· << ‹value› << std::endl;",
    "using namespace std;",
];

/// What both have.
const PHRASES: &[&str] = &[
    "top ¦ ‹int› ‹name›·(‹*›) {\n\t‸\n}",
    "top ¦ ‹int› *‹name›·(‹*›) {\n\t‸\n}",
    "struct ‹Name› {\n\t‸\n};",
    "enum ‹Name› {\n\t‸\n};",
    "union ‹Name› {\n\t‸\n};",
    "for (int ‹i› = 0; ‹i› < ‹limit›; ‹i›++) {\n\t‸\n}",
    "for (int i = 0; i < 10; i++) {\n\t‸\n}",
    "for (‹*condition›·) {\n\t‸\n}",
    "if (‹cond›) {\n\t‸\n}",
    "else if (‹cond›) {\n\t‸\n}",
    "else {\n\t‸\n}",
    "while (‹cond›) {\n\t‸\n}",
    "do {\n\t‸\n} while (condition);",
    "switch (‹value›) {\n\tcase ‸:\n\t\tbreak;\n\tdefault:\n\t\tbreak;\n}",
    "in  main( ¦ return ·0;",
    "return ·‹value›;",
    "no #endif ¦ #ifndef ‹HEADER_H›\n#define ‹HEADER_H›\n\n‸\n\n#endif",
    "#ifdef ‹NAME›\n‸\n#endif",
];

/// Headers by the names that need them; several names may need one.
const C_HEADERS: &[&str] = &[
    "printf=stdio.h",
    "malloc=stdlib.h",
    "strlen=string.h",
    "uint32_t=stdint.h",
    "bool=stdbool.h",
    "sqrt=math.h",
    "assert=assert.h",
    "errno=errno.h",
    "free=stdlib.h",
    "memcpy=string.h",
    "strcmp=string.h",
    "FILE=stdio.h",
    "uint8_t=stdint.h",
    "time=time.h",
];

const CPP_HEADERS: &[&str] = &[
    "cout=iostream",
    "string",
    "vector",
    "map",
    "unordered_map",
    "unique_ptr=memory",
    "sort=algorithm",
    "optional",
    "thread",
    "mutex",
    "cin=iostream",
    "shared_ptr=memory",
    "set",
    "function=functional",
];

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::{first, has};

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

    #[test]
    fn functions() {
        assert_eq!(first("c", "int main‸"), "(void) {⏎    ‸⏎    return 0;⏎}");
        assert_eq!(first("cpp", "int ‸"), "main() {⏎    ‸⏎    return 0;⏎}");
        assert!(!has(
            "c",
            "int main(void) {\n}\n\nint ‸",
            "main(void) {⏎    ‸⏎    return 0;⏎}"
        ));
        assert_eq!(first("c", "static int go(int a‸"), ") {⏎    ‸⏎}");
        assert_eq!(first("c", "void walk‸"), "() {⏎    ‸⏎}");
    }

    #[test]
    fn shapes() {
        assert_eq!(first("c", "struct ‸"), "Name {⏎    ‸⏎};");
        assert_eq!(first("c", "typedef struct ‸"), "{⏎    ‸⏎} Name;");
        assert_eq!(first("cpp", "namespace a‸"), " {⏎    ‸⏎}");
        assert_eq!(first("cpp", "class A‸"), " {⏎public:⏎    A(‸) {⏎    }⏎};");
        assert_eq!(first("cpp", "template ‸"), "<typename T>");
    }

    #[test]
    fn loops_and_conditions() {
        assert_eq!(first("c", "for ‸"), "(int i = 0; i < 10; i++) {⏎    ‸⏎}");
        assert_eq!(
            first("c", "int n = 3;\nfor (int j‸"),
            " = 0; j < n; j++) {⏎    ‸⏎}"
        );
        assert_eq!(
            first("cpp", "std::vector<int> items;\nfor (‸"),
            "const auto& item : items) {⏎    ‸⏎}"
        );
        assert_eq!(first("c", "int n = 3;\nif ‸"), "(n > 0) {⏎    ‸⏎}");
        assert_eq!(first("c", "do ‸"), "{⏎    ‸⏎} while (condition);");
    }

    #[test]
    fn output() {
        assert_eq!(first("c", "int n = 3;\nprintf(‸"), "\"%d\\n\", n);");
        assert_eq!(first("c", "printf‸"), "(\"‸\\n\");");
        assert_eq!(
            first("cpp", "int n = 3;\nstd::cout ‸"),
            "<< n << std::endl;"
        );
        assert_eq!(first("c", "int main(void) {\n    return ‸\n}"), "0;");
    }
}
