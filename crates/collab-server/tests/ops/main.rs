//! The commands that check, save, restore and bring in rooms, from outside: the program itself,
//! beside real servers and on real databases. Must not know private items.

mod backup;
mod backup_tables;
mod fsck;
mod lines;
mod program;
mod rooms;
mod server;
#[path = "../storage/stores.rs"]
#[expect(
    dead_code,
    reason = "these tests reach behind two of the three kinds of store"
)]
mod stores;
