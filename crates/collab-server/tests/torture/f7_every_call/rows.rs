//! A room's rows as they lie in either database, and the invariants that can be read off them.
//! Must not know what is inside a body.

use crate::database::{Database, FILE};

/// Places and epochs, nothing else.
#[derive(Debug, Default)]
pub struct Rows {
    pub head: u64,
    newest_snapshot: u64,
    epoch: u64,
    /// Place and epoch of each record, in order.
    log: Vec<(u64, u64)>,
    snapshots: Vec<u64>,
}

const LOG: &str = "select seq, epoch from room_update order by seq";
const SNAPSHOTS: &str = "select seq, 0 from room_snapshot order by seq";
const HEADS: &str = "select head_seq, snap_seq from room";
const EPOCH: &str = "select epoch, 0 from room";

impl Rows {
    /// Of the only room there is; nothing when there is none.
    pub async fn read(database: &Database, room: &str) -> Rows {
        let [log, snapshots, heads, epoch] = match database {
            Database::Sqlite(folder) => {
                let connection = rusqlite::Connection::open(folder.join(FILE)).expect("opens");
                [LOG, SNAPSHOTS, HEADS, EPOCH].map(|sql| {
                    let mut statement = connection.prepare(sql).expect(sql);
                    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)));
                    let rows: Result<Vec<(i64, i64)>, _> = rows.expect(sql).collect();
                    rows.expect(sql)
                })
            }
            Database::Postgres(url) => {
                let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
                    .await
                    .expect("the throw-away Postgres answers");
                let running = tokio::spawn(connection);
                let mut all = [const { Vec::new() }; 4];
                for (rows, sql) in all.iter_mut().zip([LOG, SNAPSHOTS, HEADS, EPOCH]) {
                    let sql = sql.replace(", 0 ", ", 0::bigint ");
                    let found = client.query(&sql, &[]).await.expect("readable rows");
                    *rows = found.iter().map(|row| (row.get(0), row.get(1))).collect();
                }
                drop(client);
                drop(running.await);
                all
            }
        };
        assert!(heads.len() <= 1, "{room} is the only room");
        let place = |number: i64| u64::try_from(number).expect("a place");
        let head = heads.first().copied().unwrap_or_default();
        Rows {
            head: place(head.0),
            newest_snapshot: place(head.1),
            epoch: epoch.first().map_or(0, |(epoch, _)| place(*epoch)),
            log: log
                .into_iter()
                .map(|(seq, epoch)| (place(seq), place(epoch)))
                .collect(),
            snapshots: snapshots.into_iter().map(|(seq, _)| place(seq)).collect(),
        }
    }

    /// What does not hold, in words. Everything up to `acked` was called durable.
    pub fn broken(&self, acked: u64) -> Vec<String> {
        let mut broken = Vec::new();
        let mut must = |holds: bool, what: &str| {
            if !holds {
                broken.push(format!("{what}: {self:?}, {acked} durable"));
            }
        };
        must(self.head >= acked, "I1, what was called durable is there");
        let first = self.log.first().map_or(self.head + 1, |(seq, _)| *seq);
        let places: Vec<u64> = self.log.iter().map(|(seq, _)| *seq).collect();
        must(
            places == (first..=self.head).collect::<Vec<_>>(),
            "I2, the log has no gaps and ends at its head",
        );
        must(
            self.log.is_sorted_by_key(|(_, epoch)| *epoch)
                && self
                    .log
                    .last()
                    .is_none_or(|(_, epoch)| *epoch <= self.epoch),
            "I3, epochs never shrink",
        );
        let newest = self.snapshots.last().copied().unwrap_or(0);
        must(
            newest == self.newest_snapshot && newest <= self.head,
            "I4, the newest snapshot is the one the room names",
        );
        let previous = self.snapshots.iter().rev().nth(1).copied().unwrap_or(0);
        must(
            first <= previous + 1,
            "I5, records are gone only below the snapshot before the newest",
        );
        broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_invariant_can_be_broken() {
        let whole = || Rows {
            head: 6,
            newest_snapshot: 4,
            epoch: 3,
            log: vec![(3, 1), (4, 1), (5, 2), (6, 3)],
            snapshots: vec![2, 4],
        };
        assert_eq!(whole().broken(6), [] as [String; 0]);
        let broken = |change: &dyn Fn(&mut Rows)| {
            let mut rows = whole();
            change(&mut rows);
            let broken = rows.broken(6);
            broken
                .into_iter()
                .map(|it| it[..2].to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(whole().broken(7).len(), 1);
        assert_eq!(
            broken(&|rows| rows.log.retain(|(seq, _)| *seq != 4)),
            ["I2"]
        );
        assert_eq!(broken(&|rows| rows.log[3].1 = 1), ["I3"]);
        assert_eq!(broken(&|rows| rows.newest_snapshot = 2), ["I4"]);
        assert_eq!(
            broken(&|rows| rows.log.retain(|(seq, _)| *seq != 3)),
            ["I5"]
        );
    }
}
