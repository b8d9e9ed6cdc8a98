-- Rooms, their update logs and snapshots. The SQLite file of the same number means the same.
-- Never edit a migration that has been merged: databases remember its SHA-256 and refuse another.

-- Times are milliseconds since 1970 on the server's clock, as the server handed them in, so that
-- both databases hold the same numbers.

create table room (
  -- An identity is never given to another room, so an old owner cannot meet a new room.
  id bigint generated always as identity primary key,
  -- "C": compared byte by byte, as SQLite and the server do; also the order in which rooms are
  -- listed, whatever locale the database was made with.
  name text collate "C" not null unique check (octet_length(name) between 1 and 256),
  -- Which document this is; changes when the room is deleted and made again.
  lineage uuid not null,
  -- Fencing token: grows at every claim and delete, never shrinks. Every write names it.
  epoch bigint not null check (epoch >= 1),
  -- Place of the last record. In the same row as the epoch, so that one UPDATE both checks the
  -- owner and takes the next place.
  head_seq bigint not null default 0 check (head_seq >= 0),
  -- Place of the newest snapshot, 0 without one.
  snap_seq bigint not null default 0 check (snap_seq >= 0),
  created_at bigint not null,
  updated_at bigint not null,
  -- A deleted room keeps this row, and nothing else, so that its next life has a larger epoch.
  deleted_at bigint,
  check (snap_seq <= head_seq)
  -- Every append updates this row. No index on what it changes and room on the page: the new version
  -- stays on the page and costs no index entry.
) with (fillfactor = 70);

create table room_update (
  room_id bigint not null references room (id),
  seq bigint not null check (seq >= 1),
  epoch bigint not null,
  -- Layout of this row; a reader refuses one it does not know.
  format smallint not null,
  at bigint not null,
  -- CRC-32C over (room_id, seq, epoch, format, body): the place too, to catch misdirected writes.
  crc32c bigint not null,
  body bytea not null check (octet_length(body) <= 33554432),
  primary key (room_id, seq)
);

create table room_snapshot (
  room_id bigint not null references room (id),
  seq bigint not null check (seq >= 1),
  epoch bigint not null,
  format smallint not null,
  -- Size before compression: the bound for whoever decompresses.
  n_bytes bigint not null check (n_bytes >= 0),
  -- Hash of what a reader of the document sees; made by the room.
  content_sha256 bytea not null check (octet_length(content_sha256) = 32),
  -- Seals place, declarations and body.
  sha256 bytea not null check (octet_length(sha256) = 32),
  body bytea not null,
  primary key (room_id, seq)
);

-- Bodies are dense already: trying to compress them again only costs time.
alter table room_update alter column body set storage external;
alter table room_snapshot alter column body set storage external;
