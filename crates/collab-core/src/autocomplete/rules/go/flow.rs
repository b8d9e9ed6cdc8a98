//! Loops, conditions, and the error check behind every call.

use crate::autocomplete::context::{Context, is_word};
use crate::autocomplete::names::{Role, singular};
use crate::autocomplete::rank::{EXACT, LIKELY, PLAUSIBLE};
use crate::autocomplete::rules::braces;
use crate::autocomplete::rules::headers::{self, Body};
use crate::autocomplete::rules::values::{self, Tests};
use crate::autocomplete::{Kind, Suggestion};

const TESTS: Tests = Tests {
    many: ("len(", ") > 0"),
    number: ("", " > 0"),
    text: ("", " != \"\""),
    unknown: ("", " != nil"),
};

/// Below a line that sets `err`: the check, returning what the function's results ask for.
pub fn error_check(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || context.has_body() {
        return;
    }
    let line = context.trimmed();
    let sets = |text: &str| text.contains("err :=") || text.contains("err =");
    let fresh = context
        .previous()
        .is_some_and(|(text, indent)| sets(text) && indent == context.columns());
    let handled = context.next().is_some_and(|(text, _)| text.contains("err"));
    if (line.is_empty() && fresh && !handled)
        || matches!(line, "if err" | "if err " | "if err !=" | "if err != ")
    {
        let check = "if err != nil";
        let rest = check.strip_prefix(line.trim_end()).unwrap_or("");
        let rest = if line.ends_with(' ') {
            rest.trim_start()
        } else {
            rest
        };
        let body = [" {\n\t", &failure(context), "\n}"].concat();
        context.offer(found, Kind::Block, EXACT, &[rest, &body]);
    } else if line == "if err != nil" || line == "if err != nil " {
        let space = if line.ends_with(' ') { "" } else { " " };
        context.offer(
            found,
            Kind::Block,
            EXACT + 9,
            &[space, "{\n\t", &failure(context), "\n}"],
        );
    }
}

/// What a function does with an error: by its results, which end its header.
fn failure(context: &Context<'_>) -> String {
    let header = context.enclosing().find(|line| line.starts_with("func "));
    let Some(results) = header.and_then(|line| line.trim_end_matches([' ', '{']).rsplit_once(") "))
    else {
        let alone =
            header.is_some_and(|line| line.trim_end_matches([' ', '{']).ends_with("error)"));
        return if alone {
            returned(header.unwrap_or(""))
        } else {
            "log.Fatal(err)".to_owned()
        };
    };
    returned(results.1)
}

/// `(int, error)` → `return 0, err`.
fn returned(results: &str) -> String {
    if !results.contains("error") {
        return "log.Fatal(err)".to_owned();
    }
    let inside = results
        .rsplit('(')
        .next()
        .unwrap_or("")
        .trim_end_matches([')', ' ', '{']);
    let mut line = "return ".to_owned();
    for result in inside.split(',') {
        let zero = match result.trim().rsplit(' ').next().unwrap_or("") {
            "error" => "err",
            "string" => "\"\"",
            "bool" => "false",
            "int" | "int64" | "float64" | "uint" | "byte" => "0",
            _ => "nil",
        };
        let comma = if line.ends_with(' ') && line.len() == "return ".len() {
            ""
        } else {
            ", "
        };
        line.extend([comma, zero]);
    }
    line
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
    let rest = after.rest;
    if rest.is_empty() {
        for (place, many) in (0..3).zip(values::iterables(context)) {
            let pieces = [
                after.space,
                "_, ",
                &singular(many),
                " := range ",
                many,
                body,
            ];
            context.offer(found, Kind::Block, EXACT - place, &pieces);
        }
        context.offer(
            found,
            Kind::Block,
            LIKELY,
            &[after.space, "i := 0; i < 10; i++", body],
        );
    } else if rest.ends_with("range ") {
        for (place, many) in (0..3).zip(values::iterables(context)) {
            let own = u32::from(rest.contains(&singular(many))) * 10;
            context.offer(found, Kind::Block, EXACT + own - place, &[many, body]);
        }
    } else if let Some(counter) = rest.strip_suffix(" := ").filter(|name| is_word(name)) {
        context.offer(
            found,
            Kind::Block,
            EXACT,
            &["0; ", counter, " < 10; ", counter, "++", body],
        );
    } else if rest.ends_with(" := ") {
        let many = values::iterables(context).next().unwrap_or("items");
        context.offer(found, Kind::Block, EXACT, &["range ", many, body]);
    } else if rest.contains("range ") || rest.contains(';') && rest.ends_with("++") {
        headers::finish_at(context, found, Body::Braces, LIKELY);
    }
}

/// `if`, `else`.
pub fn condition(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if context.after("while").is_none() && !context.statement().starts_with("if err") {
        braces::conditions(context, found, false, &TESTS);
    }
    if let Some(after) = context.after("else").filter(|after| after.rest.is_empty())
        && context.at_code_end()
        && !context.has_body()
    {
        context.offer(found, Kind::Block, LIKELY, &[after.space, "{\n\t‸\n}"]);
    }
}

/// `switch ` and `select`.
pub fn switch(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || context.has_body() {
        return;
    }
    if let Some(after) = context
        .after("select")
        .filter(|after| after.rest.is_empty())
    {
        context.offer(
            found,
            Kind::Block,
            EXACT,
            &[after.space, "{\ncase ‸:\n\t\n}"],
        );
    }
    let Some(after) = context.after("switch") else {
        return;
    };
    let body = " {\ncase ‸:\n\t\ndefault:\n\t\n}";
    if after.rest.is_empty() {
        let value = values::value(context).unwrap_or("value");
        context.offer(found, Kind::Block, EXACT, &[after.space, value, body]);
    } else if headers::reads_complete(context) {
        let body = if after.rest.ends_with(' ') {
            body.trim_start()
        } else {
            body
        };
        context.offer(found, Kind::Block, LIKELY, &[&context.closers(), body]);
    }
}

/// `go ` and `defer ` → a function called on the spot, or the counterpart of what was just done.
pub fn later(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    for keyword in ["go", "defer"] {
        let Some(after) = context.after(keyword).filter(|after| after.rest.is_empty()) else {
            continue;
        };
        if keyword == "defer" {
            let above = context.lines_above().take(6).map(|(line, _)| line);
            for line in above {
                let opened = ["Open(", "Create(", "Dial(", "Get("]
                    .iter()
                    .any(|call| line.contains(call));
                if let Some(owner) = line.strip_suffix(".Lock()") {
                    context.offer(
                        found,
                        Kind::Phrase,
                        EXACT,
                        &[after.space, owner, ".Unlock()"],
                    );
                } else if let Some((name, _)) = line
                    .split_once(',')
                    .filter(|(name, _)| opened && is_word(name))
                {
                    context.offer(found, Kind::Phrase, EXACT, &[after.space, name, ".Close()"]);
                }
            }
        }
        context.offer(
            found,
            Kind::Block,
            LIKELY,
            &[after.space, "func() {\n\t‸\n}()"],
        );
    }
}

/// `fmt.` → `Println(…)` of the nearest value; `x = append(` → what it is appended to.
pub fn print(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    let value = context.names.of(Role::Value).next();
    if context.trimmed() == "fmt." {
        context.offer(
            found,
            Kind::Phrase,
            EXACT,
            &["Println(", value.unwrap_or("‸"), ")"],
        );
    } else if let Some((name, _)) = context
        .trimmed()
        .split_once(" = append(")
        .filter(|(_, rest)| rest.is_empty())
    {
        context.offer(
            found,
            Kind::Phrase,
            EXACT,
            &[name, ", ‸", &context.closers()],
        );
    } else if let Some(value) = value.filter(|_| context.trimmed() == "return ") {
        context.offer(found, Kind::Phrase, PLAUSIBLE + 50, &[value]);
    }
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
    fn loops_and_conditions() {
        assert_eq!(first("go", "for ‸"), "i := 0; i < 10; i++ {⏎→‸⏎}");
        assert_eq!(
            first("go", "users := load()\nusers := []string{}\nfor ‸"),
            "_, user := range users {⏎→‸⏎}"
        );
        assert_eq!(first("go", "names := f()\nif ‸"), "len(names) > 0 {⏎→‸⏎}");
        assert_eq!(first("go", "switch kind‸"), " {⏎case ‸:⏎→⏎default:⏎→⏎}");
    }

    #[test]
    fn what_happens_later() {
        assert_eq!(first("go", "s.mu.Lock()\ndefer ‸"), "s.mu.Unlock()");
        assert_eq!(
            first(
                "go",
                "f, err := os.Open(p)\nif err != nil {\n\treturn\n}\ndefer ‸"
            ),
            "f.Close()"
        );
        assert_eq!(first("go", "go ‸"), "func() {⏎→‸⏎}()");
        assert_eq!(first("go", "xs = append(‸"), "xs, ‸)");
    }
}
