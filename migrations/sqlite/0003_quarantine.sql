-- Damaged parts of rooms, and rooms that cannot be loaded without harm. The Postgres file of the
-- same number means the same.

-- 'degraded': something of the room went into quarantine and it was not whole again since. Such a
-- room is served and appended to, but never folded.
alter table room add column state text not null default 'active'
  check (state in ('active', 'degraded'));

-- Loads that were begun and never ended: grows with each claim, 0 again when the document is awake
-- or the load failed. What a process takes down with it leaves its mark here.
alter table room add column load_attempts integer not null default 0 check (load_attempts >= 0);

-- Copies. Nothing is taken out of the room's own rows by being put here.
create table room_quarantine (
  id integer primary key autoincrement,
  room_id integer not null references room (id),
  -- What it is: a log record, a snapshot, or the room's own row.
  source text not null check (source in ('record', 'snapshot', 'room')),
  -- Places, from the first to the last; 0 for the room's own row.
  seq integer not null check (seq >= 0),
  last_seq integer not null,
  reason text not null,
  -- 1: a load passes it over from now on, as long as its body is the same.
  withhold integer not null check (withhold in (0, 1)),
  -- Of the body; empty when there was none to copy.
  sha256 blob not null,
  body blob,
  at integer not null,
  unique (room_id, source, seq, sha256),
  check (seq <= last_seq)
) strict;
