//! Black box over sockets: one module per promise. Must not know private items.

mod client;
mod server;

mod origin;
mod rooms_api;
mod saved_is_durable;
mod shutdown;
