//! Functions and classes.

use crate::autocomplete::context::{Context, is_word};
use crate::autocomplete::names::Role;
use crate::autocomplete::rank::{EXACT, LIKELY, PLAUSIBLE};
use crate::autocomplete::rules::headers::{self, Body};
use crate::autocomplete::{Kind, Suggestion};

/// `def ` → a whole function; `def name` → its parameters and body; `def name(a` → what is
/// missing. In a class it is a method, first of all `__init__`, and takes `self`.
pub fn function(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context.after("def").filter(|_| context.at_code_end()) else {
        return;
    };
    let in_class = in_class(context);
    let body = if context.has_body() { ":" } else { ":\n\tpass" };
    let returns = if !context.has_body() && annotates(context) {
        " -> None"
    } else {
        ""
    };
    let receiver = receiver(context, in_class);
    if after.rest.is_empty() {
        if in_class {
            if !has_sibling(context, "def __init__") && receiver == "self" {
                context.offer(
                    found,
                    Kind::Block,
                    EXACT + 9,
                    &[after.space, "__init__(self‸)", returns, body],
                );
            }
            context.offer(
                found,
                Kind::Block,
                EXACT,
                &[after.space, "method_name(", receiver, ")", returns, body],
            );
        } else {
            context.offer(
                found,
                Kind::Block,
                EXACT,
                &[after.space, "function_name(args)", returns, body],
            );
            if context.columns() == 0 && !has_sibling(context, "def main") {
                context.offer(
                    found,
                    Kind::Block,
                    PLAUSIBLE,
                    &[after.space, "main()", returns, body],
                );
            }
        }
    } else if is_word(after.rest) && context.typed == after.rest {
        if in_class && "__init__".starts_with(after.rest) && after.rest.len() > 1 {
            let rest = "__init__".get(after.rest.len()..).unwrap_or("");
            context.offer(
                found,
                Kind::Block,
                EXACT + 9,
                &[rest, "(self‸)", returns, body],
            );
        }
        context.offer(
            found,
            Kind::Block,
            EXACT,
            &["(", receiver, "‸)", returns, body],
        );
    } else if after.rest.ends_with('(') && receiver == "self" && !context.closers().is_empty() {
        context.offer(found, Kind::Block, EXACT, &["self‸)", returns, body]);
    } else if after.rest.contains('(') && headers::reads_complete(context)
        || after.rest.ends_with('(')
    {
        headers::finish_at(context, found, Body::Colon, LIKELY + 50);
    }
}

/// `def name(…):` → a body, unless one stands below.
pub fn function_body(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let complete = context.trimmed().ends_with(':') && context.open_here().next().is_none();
    let header = [
        "def", "class", "if", "elif", "else", "for", "while", "with", "except", "finally",
    ];
    if context.at_code_end()
        && complete
        && !context.has_body()
        && header
            .iter()
            .any(|keyword| context.after(keyword).is_some())
        && !context.trimmed().starts_with("def __init__")
    {
        context.offer(found, Kind::Block, LIKELY, &["\n\tpass"]);
    }
}

/// `class ` → a class with `__init__`; behind `@dataclass` one with a field; `class Name(` →
/// a base. Exceptions and test cases are known by their names.
pub fn class(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(after) = context.after("class").filter(|_| context.at_code_end()) else {
        return;
    };
    let dataclass = context
        .previous()
        .is_some_and(|(line, _)| line.starts_with("@dataclass"));
    let body = if context.has_body() {
        ":"
    } else if dataclass {
        ":\n\tname: str"
    } else {
        ":\n\tdef __init__(self‸):\n\t\tpass"
    };
    let rest = after.rest;
    if rest.is_empty() {
        context.offer(found, Kind::Block, EXACT, &[after.space, "ClassName", body]);
    } else if is_word(rest) && context.typed == rest {
        let base = if rest.ends_with("Error") || rest.ends_with("Exception") {
            "(Exception)"
        } else if rest.ends_with("Enum") {
            "(Enum)"
        } else if rest.starts_with("Test") && context.head.contains("unittest") {
            "(unittest.TestCase)"
        } else {
            ""
        };
        if !base.is_empty() {
            let body = if context.has_body() { ":" } else { ":\n\tpass" };
            context.offer(found, Kind::Block, EXACT + 9, &[base, body]);
        }
        context.offer(found, Kind::Block, EXACT, &[body]);
    } else if rest.ends_with('(') {
        let base = context.names.of(Role::Type).next().unwrap_or("object");
        headers::finish_at(context, found, Body::Colon, PLAUSIBLE);
        context.offer(
            found,
            Kind::Phrase,
            LIKELY,
            &[base, &context.closers(), ":"],
        );
    } else {
        headers::finish(context, found, Body::Colon);
    }
}

/// Below `def __init__(self, a, b):` → `self.a = a`, one line for each parameter.
pub fn init_body(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    let on_header =
        context.trimmed().starts_with("def __init__") && context.trimmed().ends_with(':');
    let (header, inside) = match context.previous() {
        _ if on_header => (context.trimmed(), "\n\t"),
        Some((line, indent)) if line.starts_with("def __init__") && indent < context.columns() => {
            (line, "")
        }
        _ => return,
    };
    if context.has_body() || !(on_header || context.trimmed().is_empty()) {
        return;
    }
    let mut lines = String::new();
    for name in parameters(header) {
        if !lines.is_empty() {
            lines.push_str(if on_header { "\n\t" } else { "\n" });
        }
        lines.extend(["self.", name, " = ", name]);
    }
    let lines = if lines.is_empty() {
        "pass".to_owned()
    } else {
        lines
    };
    context.offer(found, Kind::Block, EXACT, &[inside, &lines]);
}

/// `@` → the decorator that belongs here.
pub fn decorator(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let Some(typed) = context
        .trimmed()
        .strip_prefix('@')
        .filter(|_| context.at_code_end())
    else {
        return;
    };
    let all: &[&str] = if in_class(context) {
        &["property", "staticmethod", "classmethod", "abstractmethod"]
    } else {
        &["dataclass", "cache", "contextmanager", "pytest.fixture"]
    };
    for (score, name) in (LIKELY - 10..LIKELY).rev().zip(all) {
        if let Some(rest) = name.strip_prefix(typed) {
            context.offer(found, Kind::Keyword, score, &[rest]);
        }
    }
}

/// The caret's line belongs to the body of a class, not of one of its methods.
pub fn in_class(context: &Context<'_>) -> bool {
    context
        .enclosing()
        .next()
        .is_some_and(|line| line.starts_with("class "))
}

/// What a function defined here takes first.
fn receiver(context: &Context<'_>, in_class: bool) -> &'static str {
    match context.previous() {
        _ if !in_class => "",
        Some(("@staticmethod", _)) => "",
        Some(("@classmethod", _)) => "cls",
        _ => "self",
    }
}

/// A line of the same block, or of a block above it, begins like this.
fn has_sibling(context: &Context<'_>, start: &str) -> bool {
    let columns = context.columns();
    context
        .lines_above()
        .take_while(|(_, indent)| *indent >= columns)
        .any(|(line, indent)| indent == columns && line.starts_with(start))
}

/// Functions of this file say what they return.
fn annotates(context: &Context<'_>) -> bool {
    context.window.contains(") -> ")
}

/// The names of a header's parameters, without `self` and stars.
fn parameters(header: &str) -> impl Iterator<Item = &str> {
    let inside = header.split_once('(').map_or("", |(_, rest)| rest);
    let inside = inside.rsplit_once(')').map_or(inside, |(inside, _)| inside);
    let mut depth = 0i32;
    inside
        .split(move |character| {
            depth += i32::from(matches!(character, '(' | '[' | '{'));
            depth -= i32::from(matches!(character, ')' | ']' | '}'));
            character == ',' && depth == 0
        })
        .map(|parameter| {
            parameter
                .split([':', '='])
                .next()
                .unwrap_or("")
                .trim()
                .trim_start_matches('*')
        })
        .filter(|name| is_word(name) && *name != "self")
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::{first, has};

    #[test]
    fn functions() {
        assert_eq!(first("python", "def ‸"), "function_name(args):⏎    pass");
        assert_eq!(first("python", "def‸"), " function_name(args):⏎    pass");
        assert_eq!(first("python", "def foo‸"), "(‸):⏎    pass");
        assert_eq!(first("python", "def foo(a, b‸"), "):⏎    pass");
        assert_eq!(first("python", "def foo(a)‸"), ":⏎    pass");
        assert_eq!(first("python", "def foo(a):‸"), "⏎    pass");
        assert_eq!(first("python", "async def foo‸"), "(‸):⏎    pass");
        assert_eq!(
            first("python", "def f() -> int:\n    return 1\n\ndef g‸"),
            "(‸) -> None:⏎    pass"
        );
        assert_eq!(first("python", "def foo(a)‸\n    return a"), ":");
    }

    #[test]
    fn methods() {
        assert_eq!(
            first("python", "class A:\n    def ‸"),
            "__init__(self‸):⏎        pass"
        );
        assert_eq!(
            first(
                "python",
                "class A:\n    def __init__(self):\n        pass\n\n    def ‸"
            ),
            "method_name(self):⏎        pass"
        );
        assert_eq!(
            first("python", "class A:\n\tdef go‸"),
            "(self‸):⏎\t\tpass".replace('\t', "→")
        );
        assert_eq!(
            first("python", "class A:\n  @staticmethod\n  def go‸"),
            "(‸):⏎    pass"
        );
        assert_eq!(
            first("python", "class A:\n    def go(‸"),
            "self‸):⏎        pass"
        );
    }

    #[test]
    fn classes() {
        assert_eq!(
            first("python", "class ‸"),
            "ClassName:⏎    def __init__(self‸):⏎        pass"
        );
        assert_eq!(
            first("python", "class Foo‸"),
            ":⏎    def __init__(self‸):⏎        pass"
        );
        assert_eq!(first("python", "class FooError‸"), "(Exception):⏎    pass");
        assert_eq!(
            first("python", "@dataclass\nclass Point‸"),
            ":⏎    name: str"
        );
        assert_eq!(first("python", "class A:\n    pass\n\nclass B(‸"), "A):");
        assert_eq!(first("python", "class B(A‸"), "):⏎    pass");
    }

    #[test]
    fn init_keeps_what_it_is_given() {
        let class = "class A:\n    def __init__(self, name: str, age=1, *rest):";
        assert_eq!(
            first("python", &format!("{class}\n        ‸")),
            "self.name = name⏎        self.age = age⏎        self.rest = rest"
        );
        assert_eq!(
            first("python", &format!("{class}‸")),
            "⏎        self.name = name⏎        self.age = age⏎        self.rest = rest"
        );
    }

    #[test]
    fn decorators() {
        assert_eq!(first("python", "class A:\n    @‸"), "property");
        assert_eq!(first("python", "@da‸"), "taclass");
        assert!(!has("python", "class A:\n    @‸", "dataclass"));
    }
}
