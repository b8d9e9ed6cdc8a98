//! Loops, conditions, output.

use crate::autocomplete::context::Context;
use crate::autocomplete::names::{Role, Shape, singular};
use crate::autocomplete::rank::{EXACT, LIKELY};
use crate::autocomplete::rules::braces;
use crate::autocomplete::rules::headers::{self, Body};
use crate::autocomplete::rules::values::{self, Tests};
use crate::autocomplete::{Kind, Suggestion};

const C_TESTS: Tests = Tests {
    many: ("", ""),
    number: ("", " > 0"),
    text: ("", ""),
    unknown: ("", ""),
};

const CPP_TESTS: Tests = Tests {
    many: ("!", ".empty()"),
    number: ("", " > 0"),
    text: ("!", ".empty()"),
    unknown: ("", ""),
};

/// `for ` → by counting, in C++ over what is at hand; one begun is finished.
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
            let closers = context.closers();
            let counter = rest.strip_prefix("(int ").unwrap_or("");
            let name = counter
                .split(' ')
                .next()
                .filter(|name| !name.is_empty())
                .unwrap_or("i");
            let whole = [
                name,
                " = 0; ",
                name,
                " < ",
                limit(context),
                "; ",
                name,
                "++",
            ]
            .concat();
            if rest.starts_with("(int ")
                && let Some(missing) = whole
                    .strip_prefix(counter)
                    .filter(|missing| !missing.is_empty())
            {
                context.offer(found, Kind::Block, EXACT, &[missing, &closers, body]);
            } else if rest.ends_with("++")
                || rest.ends_with(')')
                || rest.contains(" : ") && headers::reads_complete(context)
            {
                headers::finish_at(context, found, Body::Braces, LIKELY + 50);
            }
            return;
        }
    };
    if context.language.id == "cpp" {
        for (place, many) in (0..3).zip(values::iterables(context)) {
            let pieces = [
                after.space,
                open,
                "const auto& ",
                &singular(many),
                " : ",
                many,
                ")",
                body,
            ];
            context.offer(found, Kind::Block, EXACT - place, &pieces);
        }
    }
    context.offer(
        found,
        Kind::Block,
        LIKELY,
        &[
            after.space,
            open,
            "int i = 0; i < ",
            limit(context),
            "; i++)",
            body,
        ],
    );
}

/// What to count to.
fn limit<'a>(context: &Context<'a>) -> &'a str {
    context.names.shaped(Shape::Number).next().unwrap_or("10")
}

/// `if`, `while`, `else`, `do`, `switch`, and in C++ `try`.
pub fn control(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let cpp = context.language.id == "cpp";
    braces::conditions(
        context,
        found,
        true,
        if cpp { &CPP_TESTS } else { &C_TESTS },
    );
    if cpp
        || context.after("try").is_none()
            && context.after("catch").is_none()
            && context.after("finally").is_none()
    {
        braces::continuations(context, found, "const std::exception& error");
    }
    braces::switch(context, found);
}

/// `printf(` and `std::cout` → the nearest value, in the format its kind asks for.
pub fn print(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    let nearest = context.names.iter().find(|name| name.role == Role::Value);
    let line = context.trimmed();
    if matches!(line, "printf(" | "printf") {
        let open = if line == "printf" { "(" } else { "" };
        if open.is_empty() && context.closers().is_empty() {
            return;
        }
        match nearest {
            Some(name) => {
                let format = if name.shape == Shape::Text {
                    "\"%s\\n\", "
                } else {
                    "\"%d\\n\", "
                };
                context.offer(found, Kind::Phrase, EXACT, &[open, format, name.text, ");"]);
            }
            None => context.offer(found, Kind::Phrase, EXACT, &[open, "\"‸\\n\");"]),
        }
    } else if context.language.id == "cpp"
        && matches!(line, "std::cout" | "std::cout " | "std::cout << ")
    {
        let arrow = if line.ends_with("<< ") {
            ""
        } else if line.ends_with(' ') {
            "<< "
        } else {
            " << "
        };
        let value = nearest.map_or("\"‸\"", |name| name.text);
        context.offer(
            found,
            Kind::Phrase,
            EXACT,
            &[arrow, value, " << std::endl;"],
        );
    }
}

/// `return ` → the nearest value, or 0 in `main`.
pub fn give_back(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if context.statement() != "return " || !context.at_code_end() {
        return;
    }
    if context.enclosing().any(|line| line.contains(" main(")) {
        context.offer(found, Kind::Phrase, EXACT, &["0;"]);
    }
    for (place, name) in (0..3).zip(context.names.of(Role::Value)) {
        context.offer(found, Kind::Phrase, LIKELY - place, &[name, ";"]);
    }
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::first;

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
        assert_eq!(
            first("c", "char *name = f();\nprintf‸"),
            "(\"%s\\n\", name);"
        );
        assert_eq!(
            first("cpp", "int n = 3;\nstd::cout ‸"),
            "<< n << std::endl;"
        );
        assert_eq!(first("c", "int main(void) {\n    return ‸\n}"), "0;");
    }
}
