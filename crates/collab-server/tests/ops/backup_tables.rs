//! The list of tables in a backup against the databases' own: whoever adds a table must say what a
//! backup does with it, and both databases must have the same.

use std::collections::{BTreeMap, BTreeSet};

use collab_server::backup::tables::{TABLES, copied};

use crate::stores::{Hands, Kind, Subject};

/// Column types that a backup can carry, by the name each database has for them.
const KINDS: &[(&str, &str)] = &[
    ("int8", "INTEGER"),
    ("int4", "INTEGER"),
    ("int2", "INTEGER"),
    ("bool", "INTEGER"),
    ("float8", "REAL"),
    ("text", "TEXT"),
    ("bytea", "BLOB"),
    ("uuid", "BLOB"),
];

/// Table → column → type.
type Tables = BTreeMap<String, BTreeMap<String, String>>;

fn collect(rows: impl Iterator<Item = (String, String, String)>) -> Tables {
    let mut tables = Tables::new();
    for (table, column, kind) in rows {
        tables.entry(table).or_default().insert(column, kind);
    }
    tables
}

async fn tables_of(subject: &Subject) -> Tables {
    match &subject.hands {
        Hands::Sqlite(folder) => {
            let connection = rusqlite::Connection::open(folder.path()).expect("opens");
            let mut list = connection
                .prepare(
                    "select m.name, c.name, c.type from sqlite_schema m, pragma_table_info(m.name) c
                     where m.type = 'table' and m.name not like 'sqlite_%'",
                )
                .expect("prepares");
            let rows = list.query_map((), |row| row.try_into()).expect("reads");
            let rows: Result<Vec<_>, _> = rows.collect();
            collect(rows.expect("texts").into_iter())
        }
        Hands::Postgres(database) => {
            let client = database.client().await;
            let rows = client.query(
                "select table_name::text, column_name::text, udt_name::text
                 from information_schema.columns where table_schema = current_schema()",
                &[],
            );
            let rows = rows.await.expect("reads");
            collect(rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))))
        }
        Hands::Memory(_) => unreachable!("memory is no database"),
    }
}

#[tokio::test]
async fn every_table_and_column_is_in_the_list() {
    let listed: BTreeSet<&str> = TABLES.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed.len(), TABLES.len(), "each once");
    let mut of = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let subject = Subject::new(kind).await;
        let tables = tables_of(&subject).await;
        let there: BTreeSet<&str> = tables.keys().map(String::as_str).collect();
        assert_eq!(
            there, listed,
            "{kind:?}: say in backup/tables.rs what a backup does with a new table"
        );
        of.push(tables);
        subject.finish().await;
    }
    let [sqlite, postgres] = &of[..] else {
        unreachable!("two kinds");
    };
    for table in copied() {
        let (sqlite, postgres) = (&sqlite[table], &postgres[table]);
        let names = |columns: &BTreeMap<String, String>| -> Vec<String> {
            columns.keys().cloned().collect()
        };
        assert_eq!(names(sqlite), names(postgres), "{table}");
        for (column, kind) in postgres {
            let pair = (kind.as_str(), sqlite[column].to_uppercase());
            assert!(
                KINDS
                    .iter()
                    .any(|(one, other)| (*one, (*other).to_owned()) == pair),
                "{table}.{column}: a backup cannot carry {pair:?} from one database to the other"
            );
        }
    }
}
