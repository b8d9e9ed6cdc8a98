-- What a room was: versions, authors, and the archive of its log. The Postgres file of the same
-- number means the same.

-- Points of the log that people go back to. A point, not a copy: a row costs nothing to speak of.
create table room_version (
  -- `autoincrement`: an id that somebody bookmarked never names another version.
  id integer primary key autoincrement,
  room_id integer not null references room (id),
  -- Everything up to this place of the log; 0 is the empty document.
  seq integer not null check (seq >= 0),
  at integer not null,
  -- 0 automatic, 1 named, 2 made by a restore.
  kind integer not null check (kind between 0 and 2),
  name text check (octet_length(name) <= 800),
  -- JSON [{"name", "color"}…] of who wrote since the version before. Kept here because a version outlives
  -- the table of authors.
  authors text not null,
  insertions integer not null check (insertions >= 0),
  deletions integer not null check (deletions >= 0)
) strict;

create index room_version_by_room on room_version (room_id, id);

-- The state at a named version whose part of the log is gone.
create table room_version_state (
  version_id integer primary key references room_version (id) on delete cascade,
  n_bytes integer not null check (n_bytes >= 0),
  sha256 blob not null check (length(sha256) = 32),
  body blob not null
) strict;

-- Who a replica (Yjs: client id) said to be when it last wrote.
create table room_author (
  room_id integer not null references room (id),
  replica integer not null,
  name text not null,
  color text not null,
  at integer not null,
  primary key (room_id, replica)
) strict, without rowid;

-- Log rows that no load needs any more, re-encoded. Ranges of a room do not overlap.
create table room_archive (
  room_id integer not null references room (id),
  first_seq integer not null check (first_seq >= 1),
  last_seq integer not null check (last_seq >= first_seq),
  first_at integer not null,
  last_at integer not null,
  -- Keystrokes, about.
  turns integer not null check (turns >= 0),
  -- Seals place, declarations and body.
  sha256 blob not null check (length(sha256) = 32),
  body blob not null,
  primary key (room_id, first_seq)
) strict;

-- The state on which a room's archive rests when it does not begin with the empty document.
create table room_base (
  room_id integer primary key references room (id),
  seq integer not null check (seq >= 1),
  at integer not null,
  n_bytes integer not null check (n_bytes >= 0),
  sha256 blob not null check (length(sha256) = 32),
  body blob not null
) strict;
