//! Functions, structs, classes, namespaces.

use crate::autocomplete::context::{Context, is_word};
use crate::autocomplete::rank::{EXACT, LIKELY, PLAUSIBLE};
use crate::autocomplete::rules::headers::{self, Body};
use crate::autocomplete::{Kind, Suggestion};

/// Words a function's header may begin with.
const TYPES: &[&str] = &[
    "int",
    "void",
    "char",
    "bool",
    "double",
    "float",
    "long",
    "short",
    "size_t",
    "auto",
    "std::string",
    "uint8_t",
    "uint32_t",
    "uint64_t",
    "int64_t",
];

/// `int main` → with its parameters, body and `return 0`.
pub fn main(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || context.has_body() || context.columns() > 0 {
        return;
    }
    let whole = if context.language.id == "c" {
        "int main(void) {"
    } else {
        "int main() {"
    };
    let begun = context.trimmed().len() >= "int ".len();
    if let Some(rest) = whole
        .strip_prefix(context.trimmed())
        .filter(|rest| begun && rest.len() > 1)
        && (context.trimmed().contains('(') == (context.closers() == ")"))
        && !context.window.contains(" main(int")
        && context.window.matches("main(").count() <= usize::from(context.trimmed().contains('('))
    {
        context.offer(found, Kind::Block, EXACT, &[rest, "\n\t‸\n\treturn 0;\n}"]);
    }
}

/// `int name` at the outermost level → parameters and body; `int name(int a` → what is missing.
pub fn function(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let outer = context.enclosing().next();
    let outermost = outer.is_none_or(|line| {
        ["class ", "struct ", "namespace "]
            .iter()
            .any(|start| line.starts_with(start))
    });
    if !context.at_code_end() || context.has_body() || !outermost {
        return;
    }
    let statement = context.statement();
    let Some((first, rest)) = statement.split_once(' ') else {
        return;
    };
    let typed = TYPES.contains(&first) || first.ends_with('*') || first.ends_with("_t");
    if !typed || rest.contains(['=', ';', '{']) {
        return;
    }
    let name = rest.trim_start_matches('*');
    if is_word(name) && context.typed == name {
        context.offer(found, Kind::Block, PLAUSIBLE + 50, &["(‸) {\n\t\n}"]);
    } else if name.contains('(') && (headers::reads_complete(context) || name.ends_with('(')) {
        headers::finish_at(context, found, Body::Braces, LIKELY + 50);
    }
}

/// `struct `, `enum `, `union `, `namespace ` → the whole of it, with the semicolon most of them
/// end in.
pub fn shapes(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || context.has_body() {
        return;
    }
    let alias = context.trimmed().starts_with("typedef ");
    for keyword in ["struct", "enum", "enum class", "union", "namespace"] {
        let Some(after) = context.after(keyword) else {
            continue;
        };
        let end = match keyword {
            "namespace" => "}",
            _ if alias => "} Name;",
            _ => "};",
        };
        if after.rest.is_empty() {
            let name = if alias { "{" } else { "Name {" };
            context.offer(
                found,
                Kind::Block,
                EXACT,
                &[after.space, name, "\n\t‸\n", end],
            );
        } else if is_word(after.rest.trim_end()) && after.rest.trim_end() != "class" {
            let space = if after.rest.ends_with(' ') { "" } else { " " };
            context.offer(found, Kind::Block, LIKELY, &[space, "{\n\t‸\n", end]);
        }
    }
}

/// C++: `class ` → a class with a constructor; `template ` → a type parameter.
pub fn class(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if context.language.id != "cpp" || !context.at_code_end() || context.has_body() {
        return;
    }
    if let Some(after) = context.after("class") {
        let name = if after.rest.is_empty() {
            "ClassName"
        } else {
            after.rest.trim_end()
        };
        let missing = if after.rest.is_empty() {
            "ClassName"
        } else {
            ""
        };
        let space = if after.rest.is_empty() || after.rest.ends_with(' ') {
            ""
        } else {
            " "
        };
        if is_word(name) {
            let pieces = [
                after.space,
                missing,
                if missing.is_empty() { space } else { " " },
                "{\npublic:\n\t",
                name,
                "(‸) {\n\t}\n};",
            ];
            context.offer(found, Kind::Block, EXACT, &pieces);
        }
    } else if let Some(after) = context
        .after("template")
        .filter(|after| after.rest.is_empty())
    {
        context.offer(found, Kind::Phrase, EXACT, &[after.space, "<typename T>"]);
    }
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::{first, has};

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
        assert_eq!(first("c", "void walk‸"), "(‸) {⏎    ⏎}");
    }

    #[test]
    fn shapes() {
        assert_eq!(first("c", "struct ‸"), "Name {⏎    ‸⏎};");
        assert_eq!(first("c", "typedef struct ‸"), "{⏎    ‸⏎} Name;");
        assert_eq!(first("cpp", "namespace a‸"), " {⏎    ‸⏎}");
        assert_eq!(first("cpp", "class A‸"), " {⏎public:⏎    A(‸) {⏎    }⏎};");
        assert_eq!(first("cpp", "template ‸"), "<typename T>");
    }
}
