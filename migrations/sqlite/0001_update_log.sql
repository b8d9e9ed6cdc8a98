-- Rooms, their update logs and snapshots. The Postgres file of the same number means the same.
-- Never edit a migration that has been merged: databases remember its SHA-256 and refuse another.

-- Times are milliseconds since 1970 on the server's clock, as the server handed them in, so that
-- both databases hold the same numbers.

create table room (
  -- `autoincrement`: a key is never given to another room, so an old owner cannot meet a new room.
  id integer primary key autoincrement,
  -- Compared byte by byte, which is also the order in which rooms are listed.
  name text not null unique check (octet_length(name) between 1 and 256),
  -- Which document this is; changes when the room is deleted and made again.
  lineage blob not null check (length(lineage) = 16),
  -- Fencing token: grows at every claim and delete, never shrinks. Every write names it.
  epoch integer not null check (epoch >= 1),
  -- Place of the last record. In the same row as the epoch, so that one UPDATE both checks the
  -- owner and takes the next place.
  head_seq integer not null default 0 check (head_seq >= 0),
  -- Place of the newest snapshot, 0 without one.
  snap_seq integer not null default 0 check (snap_seq >= 0),
  created_at integer not null,
  updated_at integer not null,
  -- A deleted room keeps this row, and nothing else, so that its next life has a larger epoch.
  deleted_at integer,
  check (snap_seq <= head_seq)
) strict;

create table room_update (
  room_id integer not null references room (id),
  seq integer not null check (seq >= 1),
  epoch integer not null,
  -- Layout of this row; a reader refuses one it does not know.
  format integer not null,
  at integer not null,
  -- CRC-32C over (room_id, seq, epoch, format, body): the place too, to catch misdirected writes.
  crc32c integer not null,
  body blob not null check (length(body) <= 33554432),
  primary key (room_id, seq)
  -- Rows are read in key order and never by rowid: one B-tree instead of two, one page less per row.
) strict, without rowid;

-- With a rowid: bodies of megabytes do not belong into a key's B-tree.
create table room_snapshot (
  room_id integer not null references room (id),
  seq integer not null check (seq >= 1),
  epoch integer not null,
  format integer not null,
  -- Size before compression: the bound for whoever decompresses.
  n_bytes integer not null check (n_bytes >= 0),
  -- Hash of what a reader of the document sees; made by the room.
  content_sha256 blob not null check (length(content_sha256) = 32),
  -- Seals place, declarations and body.
  sha256 blob not null check (length(sha256) = 32),
  body blob not null,
  primary key (room_id, seq)
) strict;
