//! Java.

use crate::autocomplete::imports::Imports;
use crate::autocomplete::language::{CODE, Language, Lexis, Quote};

/// Java.
pub static JAVA: Language = Language {
    id: "java",
    aliases: &["text/x-java"],
    lexis: &Lexis {
        line_comments: &["//"],
        block_comments: &[("/*", "*/")],
        quotes: &[Quote::lines("\"\"\""), Quote::line("\""), Quote::line("'")],
        word: b"$",
        ..Lexis::NONE
    },
    indent: "    ",
    remark: ("// ", ""),
    modifiers: &[
        "public",
        "private",
        "protected",
        "static",
        "final",
        "abstract",
        "synchronized",
        "default",
    ],
    anchors: &[
        "public ",
        "import ",
        "package ",
        "class ",
        "interface ",
        "final class ",
        "@",
    ],
    keywords: "abstract boolean break case catch class continue default double else enum extends false final finally \
        for implements import instanceof int interface long new null package private protected public record return \
        static String super switch synchronized this throw throws true try var void while System List ArrayList Map \
        HashMap Optional Override Integer Object",
    end: ";",
    type_first: true,
    starter: "public class Main {\n\tpublic static void main(String[] args) {\n\t\tSystem.out.println(\"Hello, world!\");\n\t}\n}\n",
    tests: ["!‹›.isEmpty()", "‹› > 0", "!‹›.isEmpty()", "‹› != null"],
    phrases: &[PHRASES],
    imports: IMPORTS,
    ..CODE
};

const PHRASES: &[&str] = &[
    "no class  ¦ public class ·Main {\n\tpublic static void main(String[] args) {\n\t\t‸\n\t}\n}",
    "class ‹ClassName› {\n\t‸\n}",
    "class ‹ClassName› ·extends ‹type› {\n\t‸\n}",
    "class ‹ClassName› ·implements ‹type› {\n\t‸\n}",
    "interface ‹Name› {\n\t‸\n}",
    "enum ‹Name› {\n\t‸\n}",
    "record ‹Name›(‹*›) {\n}",
    "in class, no void main ¦ public static void ·main(String[] args) {\n\t‸\n}",
    "in class ¦ public static ·‹void› ‹methodName›(‹*›) {\n\t‸\n}",
    "in class ¦ public ·‹void› ‹methodName›(‹*›) {\n\t‸\n}",
    "in class ¦ private ·‹void› ‹methodName›(‹*›) {\n\t‸\n}",
    "in class ¦ ‹void› ‹methodName›(·‹*›) {\n\t‸\n}",
    "in class ¦ @·Override",
    "@·Test",
    "for (var ‹one› : ‹many›) {\n\t‸\n}",
    "for (int ‹i› = 0; ‹i› < ‹*10›; ‹i›++) {\n\t‸\n}",
    "for (‹Type› ‹one› ·: ‹many›) {\n\t‸\n}",
    "for (‹*condition›·) {\n\t‸\n}",
    "if (‹cond›) {\n\t‸\n}",
    "else if (‹cond›) {\n\t‸\n}",
    "else {\n\t‸\n}",
    "while (‹cond›) {\n\t‸\n}",
    "do {\n\t‸\n} while (condition);",
    "switch (‹value›) {\n\tcase ‸:\n\t\tbreak;\n\tdefault:\n\t\tbreak;\n}",
    "try {\n\t‸\n} catch (Exception e) {\n\t\n}",
    "catch (‹Exception› ‹e›) {\n\t‸\n}",
    "finally {\n\t‸\n}",
    "System.·out.println(‹value›);",
    "return ·‹value›;",
    "throw new IllegalArgumentException(\"‸\");",
    "List<‹*String›> ‹name› = new ·ArrayList<>();",
    "Map<‹*String, String›> ‹name› = new ·HashMap<>();",
    "Set<‹*String›> ‹name› = new ·HashSet<>();",
    "‹Type› ‹name› = new ·‹Type›(‸);",
    "any ¦ new ·‹type›(‸)",
];

/// Classes and where they live.
const IMPORTS: &[Imports] = &[Imports {
    prefix: "import ",
    suffix: ";",
    inside: "",
    known: &[
        "List=java.util.List",
        "ArrayList=java.util.ArrayList",
        "Map=java.util.Map",
        "HashMap=java.util.HashMap",
        "Set=java.util.Set",
        "HashSet=java.util.HashSet",
        "Optional=java.util.Optional",
        "Scanner=java.util.Scanner",
        "Arrays=java.util.Arrays",
        "Collectors=java.util.stream.Collectors",
        "IOException=java.io.IOException",
        "File=java.io.File",
        "Path=java.nio.file.Path",
        "Files=java.nio.file.Files",
        "Duration=java.time.Duration",
    ],
}];

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::first;

    #[test]
    fn classes_and_methods() {
        let main = "Main {⏎    public static void main(String[] args) {⏎        ‸⏎    }⏎}";
        assert_eq!(first("java", "public class ‸"), main);
        assert_eq!(
            first("java", "class A {\n    public void go‸\n}"),
            "() {⏎        ‸⏎    }"
        );
        assert_eq!(
            first("java", "class A {\n    public void go(int a‸\n}"),
            ") {⏎        ‸⏎    }"
        );
        assert_eq!(
            first("java", "class A {\n    int go(int a‸\n}"),
            ") {⏎        ‸⏎    }"
        );
        assert_eq!(first("java", "class A {\n    @‸\n}"), "Override");
    }

    #[test]
    fn loops_and_conditions() {
        assert_eq!(first("java", "for ‸"), "(int i = 0; i < 10; i++) {⏎    ‸⏎}");
        assert_eq!(
            first("java", "List<String> names = f();\nfor (‸"),
            "var name : names) {⏎    ‸⏎}"
        );
        assert_eq!(
            first("java", "List<String> names = f();\nif ‸"),
            "(!names.isEmpty()) {⏎    ‸⏎}"
        );
        assert_eq!(
            first("java", "try ‸"),
            "{⏎    ‸⏎} catch (Exception e) {⏎    ⏎}"
        );
    }

    #[test]
    fn lines() {
        assert_eq!(
            first("java", "import ‸\nclass A { Map<String, String> m; }"),
            "java.util.Map;"
        );
        assert_eq!(first("java", "int x = 1;\nSystem.‸"), "out.println(x);");
        assert_eq!(
            first("java", "List<String> names = new ‸"),
            "ArrayList<>();"
        );
        assert_eq!(first("java", "Dog dog = new ‸"), "Dog(‸);");
        assert_eq!(first("java", "int x = f(1‸"), ");");
    }
}
