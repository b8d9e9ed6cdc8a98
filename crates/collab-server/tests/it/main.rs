//! Black box over sockets: one module per promise. Must not know private items.

mod client;
mod damaged_rooms;
mod server;

mod addresses;
mod authors;
mod history;
mod hostile_bytes;
mod join_while_retiring;
mod limits;
mod nothing_lost_in_silence;
mod one_owner;
mod origin;
mod page;
mod program;
mod retention;
mod retention_faults;
mod rooms_api;
mod saved_is_durable;
mod shutdown;
mod versions;
mod waits_point_one_way;
