//! Go.

use crate::autocomplete::context::Context;
use crate::autocomplete::imports::Imports;
use crate::autocomplete::language::{CODE, Language, Lexis, Quote};
use crate::autocomplete::search::{contains, rcut};

/// Go.
pub static GO: Language = Language {
    id: "go",
    aliases: &["golang", "text/x-go"],
    lexis: &Lexis {
        line_comments: &["//"],
        block_comments: &[("/*", "*/")],
        quotes: &[Quote::raw("`", "`"), Quote::line("\""), Quote::line("'")],
        ..Lexis::NONE
    },
    indent: "\t",
    remark: ("// ", ""),
    anchors: &["func ", "type ", "import ", "package ", "var ", "const "],
    keywords: "append bool break byte case chan const context continue default defer else error errors fallthrough \
        false float64 fmt for func go if import int interface len make map nil package panic range return select \
        string struct switch true type var",
    starter: "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tfmt.Println(\"Hello, world!\")\n}\n",
    tests: ["len(‹›) > 0", "‹› > 0", "‹› != \"\"", "‹› != nil"],
    phrases: &[PHRASES],
    imports: &[
        Imports {
            prefix: "import \"",
            suffix: "\"",
            inside: "",
            known: PACKAGES,
        },
        Imports {
            prefix: "\"",
            suffix: "\"",
            inside: "import (",
            known: PACKAGES,
        },
    ],
    ..CODE
};

const PHRASES: &[&str] = &[
    "blank, above err := ¦ if err != nil {\n\t‹fail›\n}",
    "blank, above err = ¦ if err != nil {\n\t‹fail›\n}",
    "if err· != nil {\n\t‹fail›\n}",
    "top, has package main, no func main ¦ func ·main() {\n\t‸\n}",
    "top ¦ func ‹functionName›(‹*›) {\n\t‸\n}",
    "top ¦ func ‹functionName›(‹*›) ·‹*error› {\n\t‸\n}",
    "top ¦ func (·s *‹type›) ‹Method›(‹*›) {\n\t‸\n}",
    "top ¦ func (‹*s *T›) ‹Method›·(‹*›) {\n\t‸\n}",
    "top ¦ func (‹*s *T›) ‹Method›(‹*›) ·‹*error› {\n\t‸\n}",
    "type ‹Name› struct {\n\t‸\n}",
    "type ‹Name› interface {\n\t‸\n}",
    "package main",
    "for _, ‹one› := range ‹many› {\n\t‸\n}",
    "for ‹i› := 0; ‹i› < ‹*10›; ‹i›++ {\n\t‸\n}",
    "for ‹i›, ‹one› ·:= range ‹many› {\n\t‸\n}",
    "for ‹*true›· {\n\t‸\n}",
    "if ‹cond› {\n\t‸\n}",
    "else if ‹cond› {\n\t‸\n}",
    "else {\n\t‸\n}",
    "switch ‹value› {\ncase ‸:\n\t\ndefault:\n\t\n}",
    "select {\ncase ‸:\n\t\n}",
    "above Lock() ¦ defer s.mu.Unlock()",
    "defer func() {\n\t‸\n}()",
    "go func() {\n\t‸\n}()",
    "fmt.·Println(‹value›)",
    "fmt.Printf(·\"‸\\n\", ‹value›)",
    "‹name› = append(·‹name›, ‸)",
    "return ·‹value›",
];

/// Packages; where the path is longer, by the name they are used under.
const PACKAGES: &[&str] = &[
    "fmt",
    "os",
    "errors",
    "strings",
    "strconv",
    "time",
    "context",
    "log",
    "io",
    "bufio",
    "sync",
    "sort",
    "math",
    "bytes",
    "http=net/http",
    "json=encoding/json",
    "filepath=path/filepath",
    "testing",
];

/// What a function does with an error, by its results: `(int, error)` → `return 0, err`. Where
/// none is an error, the program ends.
pub fn failure(context: &Context<'_>) -> String {
    let header = context
        .enclosing()
        .find(|line| line.starts_with("func "))
        .unwrap_or("");
    let header = header.trim_end_matches([' ', '{']);
    let results = match header.strip_suffix(')') {
        // `… (int, error)`; a header that ends with its parameters gives nothing.
        Some(open) => rcut(open, ") (").map_or("", |(_, results)| results),
        None => rcut(header, ") ").map_or("", |(_, results)| results),
    };
    if !contains(results, "error") {
        return "log.Fatal(err)".to_owned();
    }
    let mut line = String::from("return ");
    for (place, result) in results.split(',').enumerate() {
        let zero = match result.trim().rsplit(' ').next().unwrap_or("") {
            "error" => "err",
            "string" => "\"\"",
            "bool" => "false",
            "int" | "int64" | "float64" | "uint" | "byte" => "0",
            _ => "nil",
        };
        line.extend([if place == 0 { "" } else { ", " }, zero]);
    }
    line
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::first;

    #[test]
    fn errors_are_checked_as_the_function_asks() {
        let body = |header: &str| format!("{header} {{\n\tx, err := g()\n\t‸\n}}");
        for (header, line) in [
            ("func f() error", "return err"),
            ("func f() (int, error)", "return 0, err"),
            (
                "func (s *T) f(a int) (*T, string, error)",
                "return nil, \"\", err",
            ),
            ("func main()", "log.Fatal(err)"),
        ] {
            assert_eq!(
                first("go", &body(header)),
                format!("if err != nil {{⏎→→{line}⏎→}}"),
                "{header}"
            );
        }
        assert_eq!(
            first("go", "func f() error {\n\terr := g()\n\tif err‸\n}"),
            " != nil {⏎→→return err⏎→}"
        );
    }

    #[test]
    fn functions_and_types() {
        assert_eq!(first("go", "package main\n\nfunc ‸"), "main() {⏎→‸⏎}");
        assert_eq!(first("go", "func ‸"), "functionName() {⏎→‸⏎}");
        assert_eq!(first("go", "func go2‸"), "() {⏎→‸⏎}");
        assert_eq!(first("go", "func go2(a int) error ‸"), "{⏎→‸⏎}");
        assert_eq!(
            first("go", "type Server struct {\n}\n\nfunc (‸"),
            "s *Server) Method() {⏎→‸⏎}"
        );
        assert_eq!(first("go", "func (s *Server) Run‸"), "() {⏎→‸⏎}");
        assert_eq!(first("go", "type ‸"), "Name struct {⏎→‸⏎}");
        assert_eq!(first("go", "type A interface‸"), " {⏎→‸⏎}");
    }

    #[test]
    fn imports() {
        assert_eq!(first("go", "import ‸"), "\"fmt\"");
        let list = "import (\n\t\"fmt\"\n\t‸\n)\n\nfunc f() {\n\tstrings.Split(x)\n}";
        assert_eq!(first("go", list), "\"strings\"");
    }

    #[test]
    fn loops_and_conditions() {
        assert_eq!(first("go", "for ‸"), "i := 0; i < 10; i++ {⏎→‸⏎}");
        assert_eq!(
            first("go", "users := []string{}\nfor ‸"),
            "_, user := range users {⏎→‸⏎}"
        );
        assert_eq!(first("go", "names := f()\nif ‸"), "len(names) > 0 {⏎→‸⏎}");
        assert_eq!(first("go", "switch kind‸"), " {⏎case ‸:⏎→⏎default:⏎→⏎}");
    }

    #[test]
    fn lines() {
        assert_eq!(first("go", "go ‸"), "func() {⏎→‸⏎}()");
        assert_eq!(first("go", "xs = append(‸"), "xs, ‸)");
        assert_eq!(first("go", "total := 1\nfmt.‸"), "Println(total)");
    }
}
