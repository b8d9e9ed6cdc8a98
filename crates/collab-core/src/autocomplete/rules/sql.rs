//! SQL. Tables and columns are those the document itself creates or names.

use crate::autocomplete::context::{Context, is_word};
use crate::autocomplete::language::{Language, Lexis, Quote};
use crate::autocomplete::lexer::Sort;
use crate::autocomplete::rank::{EXACT, LIKELY, PLAUSIBLE};
use crate::autocomplete::{Kind, Suggestion};

/// SQL of any dialect.
pub static SQL: Language = Language {
    id: "sql",
    aliases: &[
        "mysql",
        "postgres",
        "postgresql",
        "pgsql",
        "sqlite",
        "plsql",
        "tsql",
        "text/x-sql",
    ],
    lexis: &Lexis {
        line_comments: &["--"],
        block_comments: &[("/*", "*/")],
        nested: false,
        quotes: &[
            Quote::raw("$$", "$$"),
            Quote::raw("'", "'"),
            Quote::line("\""),
            Quote::line("`"),
        ],
        lifetimes: false,
        regex: false,
        word: b"",
    },
    indent: "    ",
    remark: ("-- ", ""),
    modifiers: &[],
    anchors: &[
        "CREATE ", "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "ALTER ", "create ", "select ",
        "insert ", "WITH ",
    ],
    keywords: &[
        "SELECT",
        "FROM",
        "WHERE",
        "INSERT",
        "INTO",
        "VALUES",
        "UPDATE",
        "DELETE",
        "CREATE",
        "TABLE",
        "INDEX",
        "VIEW",
        "ALTER",
        "DROP",
        "PRIMARY",
        "FOREIGN",
        "REFERENCES",
        "UNIQUE",
        "DEFAULT",
        "NOT",
        "NULL",
        "JOIN",
        "LEFT",
        "RIGHT",
        "INNER",
        "OUTER",
        "GROUP",
        "ORDER",
        "HAVING",
        "LIMIT",
        "OFFSET",
        "DISTINCT",
        "UNION",
        "EXISTS",
        "BETWEEN",
        "LIKE",
        "CASE",
        "WHEN",
        "THEN",
        "ELSE",
        "COUNT",
        "INTEGER",
        "VARCHAR",
        "TIMESTAMP",
        "BOOLEAN",
        "TEXT",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "CONSTRAINT",
        "CASCADE",
        "RETURNING",
        "COALESCE",
        "DESC",
    ],
    min_typed: 2,
    prose: false,
    end: ";",
    any_case: true,
    type_first: false,
    starter: "CREATE TABLE table_name (\n\tid INTEGER PRIMARY KEY,\n\tname TEXT NOT NULL\n);\n",
    rules: &[create, select, insert, update, join, filter, case, column],
};

/// Tables and columns read from one document; further ones are not looked at.
const MAX_TABLES: usize = 16;
const MAX_COLUMNS: usize = 12;

/// A table and the columns its `CREATE` lists; none when it is only mentioned.
struct Table<'a> {
    name: &'a str,
    columns: Vec<&'a str>,
}

/// `CREATE TABLE ` → a table with a key; `CREATE INDEX `, `ALTER TABLE t `, `DROP TABLE `.
pub fn create(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    let tables = tables(context);
    let first = tables.first().map_or("table_name", |table| table.name);
    let body = [" (\n\tid ", "INTEGER PRIMARY KEY", ",\n\t‸\n);"];
    if let Some(rest) =
        begun(context, "create table if not exists").or_else(|| begun(context, "create table"))
    {
        if rest.is_empty() {
            say(
                context,
                found,
                EXACT,
                &["table_name", body[0], body[1], body[2]],
            );
        } else if is_word(rest.trim_end()) && !rest.eq_ignore_ascii_case("if") {
            let open = if rest.ends_with(' ') {
                body[0].trim_start_matches(' ')
            } else {
                body[0]
            };
            say(context, found, LIKELY, &[open, body[1], body[2]]);
        }
    } else if begun(context, "create") == Some("") {
        say(
            context,
            found,
            EXACT,
            &["TABLE", " table_name", body[0], body[1], body[2]],
        );
        say(
            context,
            found,
            LIKELY,
            &["INDEX", " ‸ ", "ON ", first, " ();"],
        );
    } else if begun(context, "create index") == Some("") {
        let column = tables
            .first()
            .and_then(|table| table.columns.get(1))
            .copied()
            .unwrap_or("‸");
        say(
            context,
            found,
            EXACT,
            &["idx_", first, " ", "ON ", first, " (", column, ");"],
        );
    } else if begun(context, "drop table") == Some("") {
        say(context, found, LIKELY, &["IF EXISTS", " ", first, ";"]);
    } else if begun(context, "alter table")
        .is_some_and(|rest| rest.ends_with(' ') && is_word(rest.trim_end()))
    {
        say(context, found, EXACT, &["ADD COLUMN", " ‸;"]);
    } else if begun(context, "alter table") == Some("") {
        say(context, found, LIKELY, &[first]);
    }
}

/// `SELECT ` → everything from the nearest table; `FROM ` → the tables.
pub fn select(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    let tables = tables(context);
    let first = tables.first().map_or("table_name", |table| table.name);
    if begun(context, "select") == Some("") {
        say(context, found, EXACT, &["*", " FROM ", first, ";"]);
        if let Some(table) = tables.iter().find(|table| !table.columns.is_empty()) {
            say(
                context,
                found,
                LIKELY,
                &[&table.columns.join(", "), " FROM ", table.name, ";"],
            );
        }
        say(
            context,
            found,
            LIKELY - 10,
            &["COUNT(*)", " FROM ", first, ";"],
        );
    } else if matches!(
        last_word(context).as_str(),
        "from" | "into" | "update" | "join"
    ) && context.typed.is_empty()
    {
        for (place, table) in (0..).zip(&tables) {
            say(context, found, LIKELY - place, &[table.name]);
        }
    } else if begun(context, "select")
        .is_some_and(|rest| rest.ends_with(' ') && !rest.to_lowercase().contains(" from"))
        && !context.trimmed().trim_end().ends_with(',')
    {
        say(context, found, PLAUSIBLE, &["FROM ", first]);
    }
}

/// `INSERT INTO t ` → its columns and as many places for values.
pub fn insert(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    if begun(context, "insert") == Some("") {
        say(context, found, LIKELY, &["INTO "]);
    }
    let Some(rest) = begun(context, "insert into") else {
        return;
    };
    let tables = tables(context);
    let (missing, name) = if rest.is_empty() {
        let Some(table) = tables.iter().find(|table| !table.columns.is_empty()) else {
            say(
                context,
                found,
                EXACT,
                &["table_name", " (‸) ", "VALUES", " ();"],
            );
            return;
        };
        (table.name, table.name)
    } else {
        ("", rest.trim_end())
    };
    if !is_word(name) {
        return;
    }
    let columns = tables
        .iter()
        .find(|table| table.name == name)
        .map_or(&[][..], |table| &table.columns);
    // A key that counts by itself is not inserted.
    let columns = columns.strip_prefix(&["id"]).unwrap_or(columns);
    let space = if rest.ends_with(' ') || missing.is_empty() && rest.is_empty() {
        ""
    } else {
        " "
    };
    if columns.is_empty() {
        say(
            context,
            found,
            LIKELY,
            &[missing, space, "(‸) ", "VALUES", " ();"],
        );
    } else {
        let places = vec!["?"; columns.len()].join(", ");
        say(
            context,
            found,
            EXACT,
            &[
                missing,
                space,
                "(",
                &columns.join(", "),
                ") ",
                "VALUES",
                " (",
                &places,
                ");",
            ],
        );
    }
}

/// `UPDATE t ` → `SET … WHERE …`; `DELETE ` → `FROM … WHERE …`.
pub fn update(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    let tables = tables(context);
    let first = tables.first().map_or("table_name", |table| table.name);
    if let Some(rest) = begun(context, "update") {
        let space = if rest.ends_with(' ') { "" } else { " " };
        if rest.is_empty() {
            say(
                context,
                found,
                EXACT,
                &[first, " SET ", "‸ = ", " WHERE ", "id = ;"],
            );
        } else if is_word(rest.trim_end()) {
            say(
                context,
                found,
                LIKELY,
                &[space, "SET ", "‸ = ", " WHERE ", "id = ;"],
            );
        }
    } else if begun(context, "delete") == Some("") {
        say(
            context,
            found,
            EXACT,
            &["FROM ", first, " WHERE ", "id = ‸;"],
        );
    } else if begun(context, "delete from")
        .is_some_and(|rest| rest.ends_with(' ') && is_word(rest.trim_end()))
    {
        say(context, found, EXACT, &["WHERE ", "id = ‸;"]);
    }
}

/// `JOIN t ` → by the key that names the other table: `ON orders.user_id = users.id`.
pub fn join(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() {
        return;
    }
    let words: Vec<&str> = context
        .tokens_before()
        .iter()
        .rev()
        .take(24)
        .filter(|t| t.sort == Sort::Word)
        .map(|t| t.text)
        .collect();
    let joined = match words.as_slice() {
        [table, join, ..] if join.eq_ignore_ascii_case("join") && context.typed.is_empty() => {
            *table
        }
        _ => return,
    };
    let from = words
        .windows(2)
        .find(|two| matches!(two, [_, from] if from.eq_ignore_ascii_case("from")));
    let Some(base) = from.and_then(|two| two.first().copied()) else {
        return;
    };
    let tables = tables(context);
    let has = |table: &str, column: &str| {
        tables
            .iter()
            .any(|t| t.name == table && t.columns.contains(&column))
    };
    let key = |table: &str| [crate::autocomplete::names::singular(table).as_str(), "_id"].concat();
    let space = if context.line.ends_with(' ') { "" } else { " " };
    if has(base, &key(joined)) {
        say(
            context,
            found,
            EXACT,
            &[space, "ON ", base, ".", &key(joined), " = ", joined, ".id"],
        );
    } else {
        say(
            context,
            found,
            EXACT,
            &[space, "ON ", joined, ".", &key(base), " = ", base, ".id"],
        );
    }
}

/// `WHERE `, `ORDER BY `, `GROUP BY `, `SET ` → a column of the statement's table.
pub fn filter(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if !context.at_code_end() || !context.typed.is_empty() {
        return;
    }
    let tail = match last_word(context).as_str() {
        "where" | "and" | "set" | "or" => " = ",
        "by" => "",
        "group" | "order" => {
            say(context, found, EXACT, &["BY "]);
            return;
        }
        "primary" | "foreign" => {
            say(context, found, EXACT, &["KEY"]);
            return;
        }
        "not" => {
            say(context, found, LIKELY, &["NULL"]);
            return;
        }
        _ => return,
    };
    let tables = tables(context);
    let statement = statement_words(context);
    let table = tables
        .iter()
        .find(|table| statement.contains(&table.name) && !table.columns.is_empty());
    match table {
        Some(table) => {
            for (place, column) in (0..).zip(&table.columns) {
                say(context, found, LIKELY - place, &[column, tail]);
            }
        }
        None => say(context, found, PLAUSIBLE, &["id", tail]),
    }
}

/// `CASE ` → one branch, the rest and the end.
pub fn case(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if context.at_code_end() && context.typed.is_empty() && last_word(context) == "case" {
        say(
            context,
            found,
            EXACT,
            &["WHEN ", "‸", " THEN ", " ELSE ", " END"],
        );
    }
}

/// In a `CREATE TABLE`, behind a column's name: the type such a name asks for.
pub fn column(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let inside = context
        .enclosing()
        .next()
        .is_some_and(|line| line.to_lowercase().starts_with("create table"));
    let Some(name) = context
        .trimmed()
        .strip_suffix(' ')
        .filter(|name| is_word(name))
    else {
        return;
    };
    if !inside || !context.at_code_end() {
        return;
    }
    let kind = match name {
        "id" => "INTEGER PRIMARY KEY",
        _ if name.ends_with("_id") || name.ends_with("count") || name == "age" => {
            "INTEGER NOT NULL"
        }
        _ if name.ends_with("_at") => "TIMESTAMP NOT NULL",
        _ if name.starts_with("is_") || name.starts_with("has_") => "BOOLEAN NOT NULL",
        _ => "TEXT NOT NULL",
    };
    say(context, found, LIKELY, &[kind, ","]);
}

/// Adds a suggestion whose keywords are in the case of the statement: pieces without a lower case
/// letter are keywords.
fn say(context: &Context<'_>, found: &mut Vec<Suggestion>, score: u32, pieces: &[&str]) {
    let lower = statement_words(context)
        .last()
        .is_some_and(|word| word.chars().all(|c| !c.is_uppercase()));
    let cased: Vec<String> = pieces
        .iter()
        .map(|piece| {
            let keyword = piece.chars().all(|c| !c.is_lowercase());
            if lower && keyword {
                piece.to_lowercase()
            } else {
                (*piece).to_owned()
            }
        })
        .collect();
    let cased: Vec<&str> = cased.iter().map(String::as_str).collect();
    let kind = if pieces.iter().any(|piece| piece.contains('\n')) {
        Kind::Block
    } else {
        Kind::Phrase
    };
    let space = if context.line.ends_with(|c: char| c.is_alphanumeric())
        && !cased.concat().starts_with([' ', '('])
    {
        " "
    } else {
        ""
    };
    context.offer(found, kind, score, &[&[space], cased.as_slice()].concat());
}

/// What follows these words at the start of the line, in any case.
fn begun<'a>(context: &Context<'a>, words: &str) -> Option<&'a str> {
    let line = context.trimmed();
    let start = line
        .get(..words.len())
        .filter(|start| start.eq_ignore_ascii_case(words))?;
    let rest = line.get(start.len()..)?;
    let trimmed = rest.trim_start();
    (rest.is_empty() || trimmed.len() < rest.len()).then_some(trimmed)
}

/// The last word before the one being typed, in lower case; empty when something else stands there.
fn last_word(context: &Context<'_>) -> String {
    match context.tokens_before().last() {
        Some(token) if token.sort == Sort::Word => token.text.to_lowercase(),
        _ => String::new(),
    }
}

/// Words of the statement so far, last first.
fn statement_words<'a>(context: &Context<'a>) -> Vec<&'a str> {
    (context
        .lexed
        .tokens
        .get(..context.lexed.before)
        .unwrap_or(&[])
        .iter()
        .rev())
    .take_while(|token| token.text != ";")
    .filter(|token| token.sort == Sort::Word)
    .map(|token| token.text)
    .take(64)
    .collect()
}

/// Tables above the caret, nearest first.
fn tables<'a>(context: &Context<'a>) -> Vec<Table<'a>> {
    let tokens = context.tokens_before();
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text);
    let mut tables: Vec<Table<'a>> = Vec::new();
    for index in (0..tokens.len()).rev() {
        let word = text(index);
        if !["table", "from", "join", "into", "update", "exists"]
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
        {
            continue;
        }
        let name = text(index + 1);
        let reserved = SQL
            .keywords
            .iter()
            .any(|keyword| keyword.eq_ignore_ascii_case(name))
            || name.eq_ignore_ascii_case("if");
        if !is_word(name) || reserved {
            continue;
        }
        let mut columns = Vec::new();
        if matches!(word.len(), 5 | 6) && word.eq_ignore_ascii_case("table")
            || word.eq_ignore_ascii_case("exists")
        {
            let mut depth = 0;
            for at in index + 2..tokens.len() {
                match text(at) {
                    "(" => depth += 1,
                    ")" => depth -= 1,
                    column
                        if depth == 1 && matches!(text(at - 1), "(" | ",") && is_word(column) =>
                    {
                        let constraint = ["primary", "foreign", "constraint", "unique", "check"];
                        if !constraint
                            .iter()
                            .any(|word| word.eq_ignore_ascii_case(column))
                            && columns.len() < MAX_COLUMNS
                        {
                            columns.push(column);
                        }
                    }
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        }
        match tables.iter_mut().find(|table| table.name == name) {
            Some(known) if known.columns.is_empty() => known.columns = columns,
            Some(_) => {}
            None => tables.push(Table { name, columns }),
        }
        if tables.len() == MAX_TABLES {
            break;
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::{first, has};

    const USERS: &str =
        "CREATE TABLE users (\n    id INTEGER PRIMARY KEY,\n    name TEXT,\n    age INTEGER\n);\n";

    fn after(line: &str) -> String {
        first("sql", &[USERS, line].concat())
    }

    #[test]
    fn statements_know_the_tables() {
        assert_eq!(after("SELECT ‸"), "* FROM users;");
        assert_eq!(after("SELECT * FROM ‸"), "users");
        assert_eq!(after("select * from users where ‸"), "id = ");
        assert_eq!(after("INSERT INTO ‸"), "users (name, age) VALUES (?, ?);");
        assert_eq!(after("insert into users ‸"), "(name, age) values (?, ?);");
        assert_eq!(after("UPDATE users ‸"), "SET ‸ =  WHERE id = ;");
        assert_eq!(after("DELETE ‸"), "FROM users WHERE id = ‸;");
        assert_eq!(after("SELECT * FROM users ORDER ‸"), "BY ");
        assert_eq!(
            after("SELECT * FROM orders JOIN users ‸"),
            "ON users.order_id = orders.id"
        );
        assert_eq!(after("SELECT na‸"), "me");
    }

    #[test]
    fn tables_are_made() {
        assert_eq!(
            first("sql", "CREATE TABLE ‸"),
            "table_name (⏎    id INTEGER PRIMARY KEY,⏎    ‸⏎);"
        );
        assert_eq!(
            first("sql", "create table users‸"),
            " (⏎    id integer primary key,⏎    ‸⏎);"
        );
        assert_eq!(
            first("sql", "CREATE TABLE a (\n    created_at ‸\n);"),
            "TIMESTAMP NOT NULL,"
        );
        assert!(has("sql", "CASE ‸", "WHEN ‸ THEN  ELSE  END"));
    }

    #[test]
    fn keywords_in_the_persons_own_case() {
        assert_eq!(first("sql", "sel‸"), "ect");
        assert_eq!(first("sql", "SEL‸"), "ECT");
    }
}
