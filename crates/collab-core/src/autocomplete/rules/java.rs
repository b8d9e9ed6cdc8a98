//! Java.

use super::braces;
use super::headers::{self, Body};
use super::values::{self, Tests};
use crate::autocomplete::context::{Context, is_word};
use crate::autocomplete::language::{Language, Lexis, Quote};
use crate::autocomplete::names::{Role, Shape, singular};
use crate::autocomplete::rank::{EXACT, LIKELY, PLAUSIBLE};
use crate::autocomplete::{Kind, Suggestion};

/// Java.
pub static JAVA: Language = Language {
    id: "java",
    aliases: &["text/x-java"],
    lexis: &Lexis {
        line_comments: &["//"],
        block_comments: &[("/*", "*/")],
        nested: false,
        quotes: &[Quote::lines("\"\"\""), Quote::line("\""), Quote::line("'")],
        lifetimes: false,
        regex: false,
        word: b"$",
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
    keywords: &[
        "abstract",
        "boolean",
        "break",
        "case",
        "catch",
        "class",
        "continue",
        "default",
        "double",
        "else",
        "enum",
        "extends",
        "false",
        "final",
        "finally",
        "for",
        "implements",
        "import",
        "instanceof",
        "int",
        "interface",
        "long",
        "new",
        "null",
        "package",
        "private",
        "protected",
        "public",
        "record",
        "return",
        "static",
        "String",
        "super",
        "switch",
        "synchronized",
        "this",
        "throw",
        "throws",
        "true",
        "try",
        "var",
        "void",
        "while",
        "System",
        "List",
        "ArrayList",
        "Map",
        "HashMap",
        "Optional",
        "Override",
        "Integer",
        "Object",
    ],
    min_typed: 2,
    prose: false,
    end: ";",
    any_case: false,
    type_first: true,
    starter: "public class Main {\n\tpublic static void main(String[] args) {\n\t\tSystem.out.println(\"Hello, world!\");\n\t}\n}\n",
    rules: &[
        class, method, for_loop, control, import, print, new, annotation, give_back,
    ],
};

const TESTS: Tests = Tests {
    many: ("!", ".isEmpty()"),
    number: ("", " > 0"),
    text: ("!", ".isEmpty()"),
    unknown: ("", " != null"),
};

/// `class `, `interface `, `enum `, `record ` → the whole of it; the first class of a file is
/// given a `main`.
pub fn class(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || context.has_body() {
        return;
    }
    for (keyword, body) in [
        ("class", " {\n\t‸\n}"),
        ("interface", " {\n\t‸\n}"),
        ("enum", " {\n\t‸\n}"),
        ("record", "(‸) {\n}"),
    ] {
        let Some(after) = context.after(keyword) else {
            continue;
        };
        let alone = keyword == "class" && !context.window.contains("void main");
        let body = if alone && matches!(after.rest, "" | "Main") {
            " {\n\tpublic static void main(String[] args) {\n\t\t‸\n\t}\n}"
        } else {
            body
        };
        if after.rest.is_empty() {
            let name = if alone { "Main" } else { "ClassName" };
            context.offer(found, Kind::Block, EXACT, &[after.space, name, body]);
        } else if headers::reads_complete(context) {
            let body = if after.rest.ends_with(' ') {
                body.trim_start()
            } else {
                body
            };
            context.offer(found, Kind::Block, EXACT, &[&context.closers(), body]);
        }
    }
}

/// In a class: `public void go` → parameters and body; a constructor takes the fields; `public
/// static void ` → `main`.
pub fn method(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let header = context.enclosing().next().unwrap_or("");
    let Some((_, named)) = ["class ", "enum ", "record "]
        .iter()
        .find_map(|keyword| header.split_once(keyword))
    else {
        return;
    };
    if !context.at_code_end() || context.has_body() {
        return;
    }
    let class: String = named.chars().take_while(|c| c.is_alphanumeric()).collect();
    let statement = context.statement();
    let declared = context.trimmed().len() > statement.len();
    if context.trimmed() == "public static void " {
        context.offer(
            found,
            Kind::Block,
            EXACT,
            &["main(String[] args) {\n\t‸\n}"],
        );
    } else if context.trimmed() == "public " {
        let fields: Vec<(String, String)> = fields(context);
        let made = context.window.contains(&["public ", &class, "("].concat());
        if !fields.is_empty() && !made {
            let mut head = [&class, "("].concat();
            let mut body = String::from(") {");
            for (kind, name) in &fields {
                let comma = if head.ends_with('(') { "" } else { ", " };
                head.extend([comma, kind, " ", name]);
                body.extend(["\n\tthis.", name, " = ", name, ";"]);
            }
            context.offer(found, Kind::Block, EXACT, &[&head, &body, "\n}"]);
        }
        context.offer(found, Kind::Block, LIKELY, &["void methodName() {\n\t‸\n}"]);
    } else if declared
        && statement.split(' ').count() == 2
        && is_word(context.typed)
        && !statement.contains(['=', '(', '<'])
    {
        context.offer(found, Kind::Block, PLAUSIBLE + 50, &["(‸) {\n\t\n}"]);
    } else if statement.contains('(')
        && !statement.contains('=')
        && !headers::is_header(context)
        && (headers::reads_complete(context) || statement.ends_with('('))
    {
        headers::finish_at(context, found, Body::Braces, LIKELY + 50);
    }
}

/// Fields declared above in the same class: type and name.
fn fields(context: &Context<'_>) -> Vec<(String, String)> {
    let columns = context.columns();
    let mut fields: Vec<(String, String)> = context
        .lines_above()
        .take_while(|(_, indent)| *indent >= columns)
        .filter(|(line, indent)| {
            *indent == columns && line.starts_with("private ") && !line.contains(['(', '='])
        })
        .filter(|(line, _)| !line.contains(" static "))
        .filter_map(|(line, _)| {
            let line = line.strip_prefix("private ")?.strip_suffix(';')?;
            let (kind, name) = line
                .strip_prefix("final ")
                .unwrap_or(line)
                .rsplit_once(' ')?;
            Some((kind.to_owned(), name.to_owned()))
        })
        .take(8)
        .collect();
    fields.reverse();
    fields
}

/// `for ` → over what is at hand or by counting; one begun is finished.
pub fn for_loop(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context
        .after("for")
        .filter(|_| context.at_code_end() && !context.has_body())
    else {
        return;
    };
    let body = " {\n\t‸\n}";
    let open = match after.rest {
        "" => "(",
        "(" if !context.closers().is_empty() => "",
        rest => {
            if rest.ends_with(" : ") {
                let many = values::iterables(context).next().unwrap_or("items");
                context.offer(found, Kind::Block, EXACT, &[many, &context.closers(), body]);
            } else if rest.contains(" : ") || rest.ends_with("++") || rest.ends_with(')') {
                headers::finish_at(context, found, Body::Braces, LIKELY + 50);
            }
            return;
        }
    };
    for (place, many) in (0..3).zip(values::iterables(context)) {
        let pieces = [
            after.space,
            open,
            "var ",
            &singular(many),
            " : ",
            many,
            ")",
            body,
        ];
        context.offer(found, Kind::Block, EXACT - place, &pieces);
    }
    let limit = context.names.shaped(Shape::Number).next().unwrap_or("10");
    context.offer(
        found,
        Kind::Block,
        LIKELY,
        &[after.space, open, "int i = 0; i < ", limit, "; i++)", body],
    );
}

/// `if`, `while`, `else`, `do`, `try`, `switch`.
pub fn control(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    braces::conditions(context, found, true, &TESTS);
    braces::continuations(context, found, "Exception e");
    braces::switch(context, found);
}

/// Classes and where they live.
const CLASSES: &[(&str, &str)] = &[
    ("List", "java.util.List"),
    ("ArrayList", "java.util.ArrayList"),
    ("Map", "java.util.Map"),
    ("HashMap", "java.util.HashMap"),
    ("Set", "java.util.Set"),
    ("HashSet", "java.util.HashSet"),
    ("Optional", "java.util.Optional"),
    ("Scanner", "java.util.Scanner"),
    ("Arrays", "java.util.Arrays"),
    ("Collections", "java.util.Collections"),
    ("Collectors", "java.util.stream.Collectors"),
    ("IOException", "java.io.IOException"),
    ("File", "java.io.File"),
    ("Path", "java.nio.file.Path"),
    ("Files", "java.nio.file.Files"),
    ("Duration", "java.time.Duration"),
];

/// `import ` → what the file names but does not import, then what files often import.
pub fn import(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context.after("import").filter(|_| context.at_code_end()) else {
        return;
    };
    for (place, (name, path)) in (0u32..).zip(CLASSES) {
        let Some(rest) = path
            .strip_prefix(after.rest)
            .filter(|rest| !rest.is_empty())
        else {
            continue;
        };
        let used = context.lexed.tokens.iter().any(|token| token.text == *name);
        if !context.head.contains(&[path, ";"].concat()) {
            let score = if used { EXACT } else { LIKELY };
            context.offer(
                found,
                Kind::Phrase,
                score - place,
                &[after.space, rest, ";"],
            );
        }
    }
}

/// `System.` → printing the nearest value.
pub fn print(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let value = context.names.of(Role::Value).next().unwrap_or("‸");
    let whole = ["System.out.println(", value, ");"].concat();
    if let Some(rest) = whole
        .strip_prefix(context.trimmed())
        .filter(|_| context.at_code_end())
        && context.trimmed().len() >= "System.".len()
        && (context.trimmed().contains('(') == (context.closers() == ")"))
    {
        context.offer(found, Kind::Phrase, EXACT, &[rest]);
    }
}

/// `List<String> names = new ` → the class that is usually meant; else the types of the file.
pub fn new(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || !context.line.ends_with("new ") {
        return;
    }
    let closers = context.closers();
    let end = if closers.is_empty() { ";" } else { "" };
    if context.statement().starts_with("throw") {
        context.offer(
            found,
            Kind::Phrase,
            LIKELY,
            &["IllegalArgumentException(\"‸\");"],
        );
        return;
    }
    let declared = context.statement().split(['<', ' ']).next().unwrap_or("");
    let name = match declared {
        "List" | "Collection" => "ArrayList<>()",
        "Map" => "HashMap<>()",
        "Set" => "HashSet<>()",
        "Scanner" => "Scanner(System.in)",
        _ if declared.starts_with(char::is_uppercase) => &[declared, "(‸)"].concat(),
        _ => &[
            context.names.of(Role::Type).next().unwrap_or("Object"),
            "(‸)",
        ]
        .concat(),
    };
    context.offer(found, Kind::Phrase, LIKELY, &[name, &closers, end]);
}

/// `@` → `Override` in a class, and its like.
pub fn annotation(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(typed) = context
        .trimmed()
        .strip_prefix('@')
        .filter(|_| context.at_code_end())
    else {
        return;
    };
    for (place, name) in (0..4).zip(["Override", "Test", "Deprecated", "FunctionalInterface"]) {
        if let Some(rest) = name.strip_prefix(typed) {
            context.offer(found, Kind::Keyword, LIKELY - place, &[rest]);
        }
    }
}

/// `return ` → the nearest value; `throw ` → an exception.
pub fn give_back(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    match context.statement() {
        "return " => {
            for (place, name) in (0..3).zip(context.names.of(Role::Value)) {
                context.offer(found, Kind::Phrase, LIKELY - place, &[name, ";"]);
            }
        }
        "throw " => context.offer(
            found,
            Kind::Phrase,
            LIKELY,
            &["new IllegalArgumentException(\"‸\");"],
        ),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::first;

    #[test]
    fn classes_and_methods() {
        assert_eq!(
            first("java", "public class ‸"),
            "Main {⏎    public static void main(String[] args) {⏎        ‸⏎    }⏎}"
        );
        assert_eq!(
            first("java", "class A {\n    public void go‸\n}"),
            "(‸) {⏎        ⏎    }"
        );
        assert_eq!(
            first("java", "class A {\n    public void go(int a‸\n}"),
            ") {⏎        ‸⏎    }"
        );
        assert_eq!(
            first(
                "java",
                "class A {\n    private final int x;\n    private String y;\n\n    public ‸\n}"
            ),
            "A(int x, String y) {⏎        this.x = x;⏎        this.y = y;⏎    }"
        );
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
        assert_eq!(first("java", "class A {\n    @‸\n}"), "Override");
        assert_eq!(first("java", "int x = f(1‸"), ");");
    }
}
