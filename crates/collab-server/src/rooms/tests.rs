//! What no socket can provoke: a room whose task fails.

use std::sync::Arc;

use collab_core::ids::{ConnectionId, RoomId};
use collab_core::protocol::{CloseCode, Dialect};
use collab_core::room::{Access, Answer};

use super::describe;
use super::outbox::{Found, Outlet};
use super::{Asked, Joining, RoomError, Rooms, Settings, Wake};
use crate::storage::memory::MemoryStore;
use crate::storage::{Store, Writer};
use crate::telemetry::Metrics;

fn rooms() -> Rooms {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (writer, writing) = Writer::new(Arc::clone(&store));
    tokio::spawn(writing);
    Rooms::new(Settings::default(), store, writer, Metrics::get(), 0)
}

fn seeded(text: &str) -> Asked {
    let seed = describe::seed(None, None, Some(text.to_owned()));
    Asked::Apply(seed.expect("a text").expect("not empty"))
}

async fn enter(rooms: &Rooms, room: &RoomId, connection: u64) -> Arc<Outlet> {
    let outlet = Arc::new(Outlet::new(Dialect::YWebsocket, 1 << 20, 256));
    let joining = Joining {
        connection: ConnectionId(connection),
        access: Access::Write,
        outlet: Arc::clone(&outlet),
    };
    rooms
        .join(room, Wake::OrCreate, joining)
        .await
        .expect("let in");
    outlet
}

async fn closing(outlet: &Outlet) -> CloseCode {
    loop {
        match outlet.find() {
            Found::Closing(closing) => return closing.code,
            Found::Nothing => outlet.changed().await,
            Found::Frames(_) | Found::Missed(_) => {}
        }
    }
}

#[tokio::test]
async fn a_room_that_panics_is_lost_alone_and_wakes_from_its_log() {
    let rooms = rooms();
    let (guilty, other) = (
        RoomId::parse("guilty").expect("a name"),
        RoomId::parse("other").expect("a name"),
    );
    for room in [&guilty, &other] {
        let saved = rooms.ask(room, Wake::OrCreate, seeded("kept")).await;
        assert!(matches!(saved, Ok(Answer::Saved { .. })), "{saved:?}");
    }
    let lost = enter(&rooms, &guilty, 1).await;
    let unharmed = enter(&rooms, &other, 2).await;
    let failed = rooms
        .look(&guilty, Wake::Existing, |_| panic!("as the test wants"))
        .await;
    assert_eq!(failed.map(|(): ()| ()), Err(RoomError::Lost));
    assert_eq!(closing(&lost).await, CloseCode::Internal);
    assert!(!unharmed.is_closing());
    for room in [&guilty, &other] {
        let view = rooms.look(room, Wake::Existing, describe::view).await;
        assert_eq!(view.expect("awake again").code, "kept");
    }
}

#[tokio::test]
async fn while_draining_no_room_wakes_and_all_retire() {
    let rooms = rooms();
    let room = RoomId::parse("r").expect("a name");
    let outlet = enter(&rooms, &room, 1).await;
    rooms.drain().await;
    assert_eq!(closing(&outlet).await, CloseCode::Restart);
    assert_eq!(rooms.awake(), 0);
    let late = rooms.ask(&room, Wake::OrCreate, seeded("late")).await;
    assert_eq!(late.map(drop), Err(RoomError::Draining));
}
