//! SQL. Tables and columns are those the document itself creates or names, see [`schema`].

use crate::autocomplete::context::Context;
use crate::autocomplete::language::{CODE, Language, Lexis, Quote};
use crate::autocomplete::names::singular;
use crate::autocomplete::search::contains;
pub use schema::Table;
use schema::tables;

mod schema;

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
        quotes: &[
            Quote::raw("$$", "$$"),
            Quote::raw("'", "'"),
            Quote::line("\""),
            Quote::line("`"),
        ],
        ..Lexis::NONE
    },
    indent: "    ",
    remark: ("-- ", ""),
    anchors: &[
        "CREATE ", "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "ALTER ", "create ", "select ",
        "insert ", "WITH ",
    ],
    keywords: "SELECT FROM WHERE INSERT INTO VALUES UPDATE DELETE CREATE TABLE INDEX VIEW ALTER DROP PRIMARY FOREIGN \
        REFERENCES UNIQUE DEFAULT NOT NULL JOIN LEFT RIGHT INNER OUTER GROUP ORDER HAVING LIMIT OFFSET DISTINCT UNION \
        EXISTS BETWEEN LIKE CASE WHEN THEN ELSE COUNT INTEGER VARCHAR TIMESTAMP BOOLEAN TEXT BEGIN COMMIT ROLLBACK \
        CONSTRAINT CASCADE RETURNING COALESCE DESC",
    end: ";",
    any_case: true,
    starter: "CREATE TABLE table_name (\n\tid INTEGER PRIMARY KEY,\n\tname TEXT NOT NULL\n);\n",
    phrases: &[PHRASES],
    ..CODE
};

/// Statements and their parts.
const PHRASES: &[&str] = &[
    "SELECT * FROM ‹table›;",
    "SELECT ·‹columns› FROM ‹table›;",
    "SELECT ·COUNT(*) FROM ‹table›;",
    "SELECT ‹*columns› ·FROM ‹table›;",
    "INSERT INTO ‹table› (‹columns›) VALUES (‹places›);",
    "UPDATE ‹table› SET ‹*‸› = ? WHERE id = ?;",
    "DELETE FROM ‹table› WHERE id = ‸;",
    "CREATE TABLE ‹table_name› (\n\tid INTEGER PRIMARY KEY,\n\t‸\n);",
    "CREATE INDEX ·‹index_name› ON ‹table› (‹column›);",
    "ALTER TABLE ·‹table› ADD COLUMN ‸;",
    "DROP TABLE IF EXISTS ‹table›;",
    "in create table ¦ id ·INTEGER PRIMARY KEY,",
    "ends _id, in create table ¦ ‹name› ·INTEGER NOT NULL,",
    "ends _at, in create table ¦ ‹name› ·TIMESTAMP NOT NULL,",
    "in create table ¦ ‹name› ·TEXT NOT NULL,",
    "any ¦ FROM ·‹table›",
    "any ¦ JOIN ·‹table› ON ‹on›",
    "any ¦ WHERE ·‹column› = ",
    "any ¦ SET ·‹column› = ",
    "any ¦ ORDER BY ‹column›",
    "any ¦ GROUP BY ‹column›",
    "any ¦ PRIMARY KEY",
    "any ¦ CASE WHEN ‸ THEN  ELSE  END",
];

/// Defaults of placeholders that only SQL has; `None` when the document says nothing. `phrase` is
/// what is being filled and `table` the name typed in it: all its placeholders speak of one table.
pub fn fill(
    context: &Context<'_>,
    name: &str,
    phrase: &str,
    table: Option<&str>,
    nth: usize,
) -> Option<String> {
    let tables = context.tables.get_or_init(|| tables(context));
    // Where columns are wanted, only a table whose columns are known will do.
    let wants_columns = contains(phrase, "‹column") || name == "column";
    let mut fitting = tables
        .iter()
        .filter(|table| !wants_columns || !table.columns.is_empty());
    let alone = name == "column" && !contains(phrase, "‹table›");
    let chosen = match table {
        Some(name) => tables.iter().find(|table| table.name == name),
        None => fitting.nth(if alone { 0 } else { nth }),
    };
    // A key that counts by itself is not inserted.
    let columns = || {
        chosen
            .map(|table| {
                table
                    .columns
                    .strip_prefix(&["id"])
                    .unwrap_or(&table.columns)
            })
            .filter(|columns| !columns.is_empty())
    };
    Some(match name {
        "table" => chosen?.name.to_owned(),
        "column" => (*chosen?.columns.get(if alone { nth } else { 0 })?).to_owned(),
        "columns" => columns()?.join(", "),
        "places" => vec!["?"; columns()?.len()].join(", "),
        // The key that names the other table: `orders.user_id = users.id`.
        _ => {
            let joined = table?;
            let base = tables.iter().find(|table| table.name != joined)?;
            let key = |table: &str| singular(table) + "_id";
            if base.columns.contains(&key(joined).as_str()) {
                [base.name, ".", &key(joined), " = ", joined, ".id"].concat()
            } else {
                [joined, ".", &key(base.name), " = ", base.name, ".id"].concat()
            }
        }
    })
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
        assert_eq!(after("SELECT * FROM ‸"), "users;");
        assert_eq!(after("SELECT name, age ‸"), "FROM users;");
        assert_eq!(after("select * from users where ‸"), "id = ");
        assert_eq!(after("INSERT INTO ‸"), "users (name, age) VALUES (?, ?);");
        assert_eq!(after("insert into users ‸"), "(name, age) values (?, ?);");
        assert_eq!(after("UPDATE users ‸"), "SET ‸ = ? WHERE id = ?;");
        assert_eq!(after("DELETE ‸"), "FROM users WHERE id = ‸;");
        assert_eq!(after("SELECT * FROM users ORDER ‸"), "BY id");
        assert_eq!(
            after("SELECT * FROM orders\nJOIN users ‸"),
            "ON users.order_id = orders.id"
        );
        assert_eq!(after("SELECT na‸"), "me");
        // `orders` is nearer, but only the columns of `users` are known.
        assert_eq!(
            after("SELECT * FROM orders;\nINSERT INTO ‸"),
            "users (name, age) VALUES (?, ?);"
        );
        assert_eq!(after("SELECT * FROM orders;\nSELECT ‸"), "* FROM orders;");
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
