-- What a room was: versions, authors, and the archive of its log. The SQLite file of the same
-- number means the same.

-- Points of the log that people go back to. A point, not a copy: a row costs nothing to speak of.
create table room_version (
  -- An identity: an id that somebody bookmarked never names another version.
  id bigint generated always as identity primary key,
  room_id bigint not null references room (id),
  -- Everything up to this place of the log; 0 is the empty document.
  seq bigint not null check (seq >= 0),
  at bigint not null,
  -- 0 automatic, 1 named, 2 made by a restore.
  kind smallint not null check (kind between 0 and 2),
  name text check (octet_length(name) <= 800),
  -- JSON [{"name", "color"}…] of who wrote since the version before. Kept here because a version outlives
  -- the table of authors.
  authors text not null,
  insertions bigint not null check (insertions >= 0),
  deletions bigint not null check (deletions >= 0)
);

create index room_version_by_room on room_version (room_id, id);

-- The state at a named version whose part of the log is gone.
create table room_version_state (
  version_id bigint primary key references room_version (id) on delete cascade,
  n_bytes bigint not null check (n_bytes >= 0),
  sha256 bytea not null check (octet_length(sha256) = 32),
  body bytea not null
);

-- Who a replica (Yjs: client id) said to be when it last wrote.
create table room_author (
  room_id bigint not null references room (id),
  replica bigint not null,
  name text not null,
  color text not null,
  at bigint not null,
  primary key (room_id, replica)
);

-- Log rows that no load needs any more, re-encoded. Ranges of a room do not overlap.
create table room_archive (
  room_id bigint not null references room (id),
  first_seq bigint not null check (first_seq >= 1),
  last_seq bigint not null check (last_seq >= first_seq),
  first_at bigint not null,
  last_at bigint not null,
  -- Keystrokes, about.
  turns bigint not null check (turns >= 0),
  -- Seals place, declarations and body.
  sha256 bytea not null check (octet_length(sha256) = 32),
  body bytea not null,
  primary key (room_id, first_seq)
);

-- The state on which a room's archive rests when it does not begin with the empty document.
create table room_base (
  room_id bigint primary key references room (id),
  seq bigint not null check (seq >= 1),
  at bigint not null,
  n_bytes bigint not null check (n_bytes >= 0),
  sha256 bytea not null check (octet_length(sha256) = 32),
  body bytea not null
);

-- Bodies are dense already: trying to compress them again only costs time.
alter table room_version_state alter column body set storage external;
alter table room_archive alter column body set storage external;
alter table room_base alter column body set storage external;
