//! A Postgres database as the source and the target of a backup. Must not know what is inside an
//! update.
//!
//! The source is one repeatable-read transaction: it sees one moment, whatever is written
//! meanwhile. The target is one transaction too: it holds everything or nothing.

use std::error::Error as StdError;
use std::io::{Read, Write};
use std::pin::pin;

use bytes::{BufMut as _, BytesMut};
use collab_core::time::Millis;
use futures_util::TryStreamExt as _;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Config, Error, IsolationLevel, Row, Transaction};

use super::format::{BadBackup, Header, Next, Reader, TableHead, Total, Writer};
use super::sqlite::{encoded, fits, quoted};
use super::tables::copied;
use super::value::{TableDigest, Value};
use super::{BackupError, EPOCH_JUMP, Lineages, Progress, Trouble};
use crate::storage::inspect::unfit_version;
use crate::storage::migrate::{self, POSTGRES};
use crate::storage::postgres::{connect, explain, inspect};
use crate::storage::{DatabaseUrl, OpenError, OpenOptions};

const UNTOUCHED: &str = "no backup was written; run the command again";
const NOT_RESTORED: &str = "nothing was restored";

/// One transaction takes as long as it takes.
const SESSION: &str = "
  set statement_timeout = 0;
  set idle_in_transaction_session_timeout = 0;
  set lock_timeout = '10s'";

/// Writes every row of one moment.
pub(super) async fn save<W: Write>(
    url: &DatabaseUrl,
    config: &Config,
    writer: &mut Writer<W>,
    now: Millis,
    progress: Progress<'_>,
) -> Result<Header, Trouble> {
    let failed = database("reading", UNTOUCHED);
    let (mut client, _task) = connected(url, config).await?;
    let known = POSTGRES.last().map_or(0, |step| step.version);
    let moment = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .map_err(&failed)?;
    let schema = match inspect::version(moment.client()).await.map_err(&failed)? {
        // Tables of an older program are copied as they are.
        Some(version) if version <= known => version,
        other => {
            return Err(OpenError::Unusable {
                url: url.clone(),
                why: unfit_version(other, known).unwrap_or_default(),
            }
            .into());
        }
    };
    let number = async |sql: String| -> Result<u64, Error> {
        let row = moment.query_one(&sql, &[]).await?;
        Ok(u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or(0))
    };
    let mut about_bytes = 0;
    let mut heads = Vec::new();
    for table in copied() {
        let columns = columns(&moment, table).await.map_err(&failed)?;
        if columns.is_empty() {
            // Not there yet at this version.
            continue;
        }
        let size = format!("select pg_table_size('{}')", quoted(table));
        about_bytes += number(size).await.map_err(&failed)?;
        heads.push(TableHead {
            table: table.to_owned(),
            columns,
        });
    }
    let rooms = "select count(*) from room where deleted_at is null".to_owned();
    let header = Header {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        database: "postgres".to_owned(),
        schema,
        at: now.0,
        rooms: number(rooms).await.map_err(&failed)?,
        about_bytes,
    };
    writer.header(&header).map_err(Trouble::Writing)?;
    for head in &heads {
        writer.table(head).map_err(Trouble::Writing)?;
        rows(&moment, head, UNTOUCHED, |row| {
            writer.row(&row).map_err(Trouble::Writing)?;
            progress(writer.bytes(), header.about_bytes);
            Ok(())
        })
        .await?;
    }
    Ok(header)
}

/// Fills an empty database in one transaction, after reading back what was written.
pub(super) async fn restore<R: Read>(
    reader: &mut Reader<R>,
    url: &DatabaseUrl,
    options: &OpenOptions,
    lineages: Lineages,
    progress: Progress<'_>,
) -> Result<Vec<Total>, Trouble> {
    let DatabaseUrl::Postgres(config) = url else {
        let why = "it does not name a Postgres database".into();
        let url = url.clone();
        return Err(OpenError::Unusable { url, why }.into());
    };
    let failed = database("restoring", NOT_RESTORED);
    let migrated = |error| OpenError::Migration {
        url: url.clone(),
        error,
    };
    let (mut client, _task) = connected(url, config).await?;
    connect::check(&client, options.accept_unsafe_postgres)
        .await
        .map_err(|unfit| unfit.refuse(url))?;
    let schema = reader.header().schema;
    let steps = known_at(schema)?;
    match inspect::version(&client).await.map_err(&failed)? {
        Some(database) if database > schema => {
            return Err(BackupError::OtherVersion {
                url: url.clone(),
                database,
                backup: schema,
            }
            .into());
        }
        // Rows go into tables as they were; what later migrations do to rows, they do to these.
        _ => migrate::postgres(&mut client, steps)
            .await
            .map_err(migrated)?,
    };
    let transaction = client.transaction().await.map_err(&failed)?;
    for table in copied() {
        if columns(&transaction, table)
            .await
            .map_err(&failed)?
            .is_empty()
        {
            continue;
        }
        // A server that starts meanwhile waits, and then finds the rooms.
        let sql = format!("lock table {} in access exclusive mode", quoted(table));
        transaction.batch_execute(&sql).await.map_err(&failed)?;
        let sql = format!("select 1 from {} limit 1", quoted(table));
        if transaction
            .query_opt(&sql, &[])
            .await
            .map_err(&failed)?
            .is_some()
        {
            return Err(BackupError::NotEmpty { url: url.clone() }.into());
        }
    }
    let heads = insert(&transaction, reader, progress).await?;
    for (head, total) in heads.iter().zip(reader.totals()) {
        let (mut count, mut digest) = (0, TableDigest::default());
        rows(&transaction, head, NOT_RESTORED, |row| {
            count += 1;
            digest.add(&encoded(&row));
            Ok(())
        })
        .await?;
        if (count, digest.to_string()) != (total.rows, total.digest.clone()) {
            return Err(Trouble::Database {
                doing: "reading back what was restored",
                why: format!("table {} is not what was written", head.table),
                after: NOT_RESTORED,
            });
        }
        go_on_counting(&transaction, head).await.map_err(&failed)?;
    }
    transaction
        .execute("update room set epoch = epoch + $1", &[&EPOCH_JUMP])
        .await
        .map_err(&failed)?;
    if lineages == Lineages::New {
        transaction
            .execute("update room set lineage = gen_random_uuid()", &[])
            .await
            .map_err(&failed)?;
    }
    transaction.commit().await.map_err(database(
        "committing what was restored",
        "whether it is restored shows `collab room ls`",
    ))?;
    migrate::postgres(&mut client, POSTGRES)
        .await
        .map_err(migrated)?;
    Ok(reader.totals().to_vec())
}

async fn connected(
    url: &DatabaseUrl,
    config: &Config,
) -> Result<(tokio_postgres::Client, tokio::task::JoinHandle<()>), Trouble> {
    let unreachable = |error: Error| OpenError::Unreachable {
        url: url.clone(),
        why: explain(&error),
    };
    let connected = connect::connect(&connect::complete(config)).await;
    let (client, task) = connected.map_err(unreachable)?;
    client.batch_execute(SESSION).await.map_err(unreachable)?;
    Ok((client, task))
}

/// The migrations that had been applied where the backup was made.
fn known_at(schema: i64) -> Result<&'static [migrate::Migration], BadBackup> {
    let steps = POSTGRES.partition_point(|step| step.version <= schema);
    let newest = POSTGRES.last().map_or(0, |step| step.version);
    if schema > newest {
        return Err(BadBackup::Newer(format!(
            "its tables are at version {schema}, this program knows versions up to {newest}"
        )));
    }
    Ok(POSTGRES.get(..steps).unwrap_or_default())
}

async fn insert<R: Read>(
    transaction: &Transaction<'_>,
    reader: &mut Reader<R>,
    progress: Progress<'_>,
) -> Result<Vec<TableHead>, Trouble> {
    let failed = database("restoring", NOT_RESTORED);
    let about = reader.header().about_bytes;
    let mut heads: Vec<TableHead> = Vec::new();
    let mut next = reader.next_part()?;
    while let Next::Table(head) = next {
        let known = columns(transaction, &head.table).await.map_err(&failed)?;
        fits(&head, &known, &heads)?;
        let names: Vec<String> = head.columns.iter().map(|name| quoted(name)).collect();
        let (names, table) = (names.join(", "), quoted(&head.table));
        let probe = format!("select {names} from {table} where false");
        let probe = transaction.prepare(&probe).await.map_err(&failed)?;
        let types: Vec<Type> = probe
            .columns()
            .iter()
            .map(|column| column.type_().clone())
            .collect();
        let copy = format!("copy {table} ({names}) from stdin binary");
        let sink = transaction.copy_in(&copy).await.map_err(&failed)?;
        let mut rows = pin!(BinaryCopyInWriter::new(sink, &types));
        heads.push(head);
        loop {
            next = reader.next_part()?;
            let Next::Row(cells) = &next else { break };
            let cells: Vec<Cell<'_>> = cells.iter().map(Cell).collect();
            let cells: Vec<&(dyn ToSql + Sync)> = cells
                .iter()
                .map(|cell| cell as &(dyn ToSql + Sync))
                .collect();
            rows.as_mut().write(&cells).await.map_err(&failed)?;
            progress(reader.bytes(), about);
        }
        rows.finish().await.map_err(&failed)?;
    }
    Ok(heads)
}

/// Keys given from now on are behind the restored ones.
async fn go_on_counting(transaction: &Transaction<'_>, head: &TableHead) -> Result<(), Error> {
    let counted = transaction
        .query(
            "select column_name::text from information_schema.columns
             where table_schema = current_schema() and table_name = $1 and is_identity = 'YES'",
            &[&head.table],
        )
        .await?;
    for row in counted {
        let column: String = row.try_get(0)?;
        let table = quoted(&head.table);
        let sql = format!(
            "select setval(pg_get_serial_sequence($1, $2), max({})) from {table}
             having count(*) > 0",
            quoted(&column)
        );
        transaction.query(&sql, &[&table, &column]).await?;
    }
    Ok(())
}

/// The columns of a table, in its own order; none when there is no such table.
async fn columns(transaction: &Transaction<'_>, table: &str) -> Result<Vec<String>, Error> {
    let rows = transaction
        .query(
            "select column_name::text from information_schema.columns
             where table_schema = current_schema() and table_name = $1
               and is_generated = 'NEVER' order by ordinal_position",
            &[&table],
        )
        .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// Hands over every row of a table.
async fn rows(
    transaction: &Transaction<'_>,
    head: &TableHead,
    after: &'static str,
    mut each: impl FnMut(Vec<Value>) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let failed = database("reading", after);
    let names: Vec<String> = head.columns.iter().map(|name| quoted(name)).collect();
    let sql = format!("select {} from {}", names.join(", "), quoted(&head.table));
    let nothing = std::iter::empty::<&(dyn ToSql + Sync)>();
    // One row after the other: what was not asked for waits in the server.
    let found = transaction
        .query_raw(&sql, nothing)
        .await
        .map_err(&failed)?;
    let mut found = pin!(found);
    while let Some(row) = found.try_next().await.map_err(&failed)? {
        let cells = (0..head.columns.len()).map(|column| cell(&row, column));
        let cells: Result<Vec<Value>, Error> = cells.collect();
        each(cells.map_err(&failed)?)?;
    }
    Ok(())
}

/// A cell, by the type of its column. A type that is not in the list is an error of the driver's.
fn cell(row: &Row, column: usize) -> Result<Value, Error> {
    let kind = row.columns().get(column).map(|column| column.type_());
    fn of<T>(value: Option<T>, make: impl FnOnce(T) -> Value) -> Value {
        value.map_or(Value::Null, make)
    }
    Ok(match kind {
        Some(&Type::INT8) => of(row.try_get(column)?, Value::Integer),
        Some(&Type::INT4) => of(row.try_get::<_, Option<i32>>(column)?, |number| {
            Value::Integer(number.into())
        }),
        Some(&Type::INT2) => of(row.try_get::<_, Option<i16>>(column)?, |number| {
            Value::Integer(number.into())
        }),
        Some(&Type::BOOL) => of(row.try_get::<_, Option<bool>>(column)?, |truth| {
            Value::Integer(truth.into())
        }),
        Some(&Type::FLOAT8) => of(row.try_get(column)?, Value::Real),
        Some(&Type::BYTEA) => of(row.try_get(column)?, Value::Blob),
        Some(&Type::UUID) => of(row.try_get::<_, Option<uuid::Uuid>>(column)?, |uuid| {
            Value::Blob(uuid.as_bytes().to_vec())
        }),
        _ => of(row.try_get(column)?, Value::Text),
    })
}

/// A cell on its way into a column of any of the types above.
#[derive(Debug)]
struct Cell<'a>(&'a Value);

impl ToSql for Cell<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match (self.0, kind) {
            (Value::Null, _) => return Ok(IsNull::Yes),
            (Value::Integer(number), &Type::INT8) => out.put_i64(*number),
            (Value::Integer(number), &Type::INT4) => out.put_i32(i32::try_from(*number)?),
            (Value::Integer(number), &Type::INT2) => out.put_i16(i16::try_from(*number)?),
            (Value::Integer(number @ 0..=1), &Type::BOOL) => out.put_u8(u8::try_from(*number)?),
            (Value::Real(number), &Type::FLOAT8) => out.put_f64(*number),
            (Value::Blob(bytes), &Type::BYTEA) => out.put_slice(bytes),
            (Value::Blob(bytes), &Type::UUID) if bytes.len() == 16 => out.put_slice(bytes),
            (Value::Text(text), &Type::TEXT | &Type::VARCHAR) => out.put_slice(text.as_bytes()),
            (value, kind) => {
                return Err(format!("{value:?} does not fit a column of type {kind}").into());
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn database(doing: &'static str, after: &'static str) -> impl Fn(Error) -> Trouble {
    move |error| Trouble::Database {
        doing,
        why: explain(&error),
        after,
    }
}
