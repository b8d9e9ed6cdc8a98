//! A room is awake on one server: whoever claims it later fences out the earlier one, and nothing
//! is called saved that is not.

use std::sync::Arc;

use crate::client::Client;
use crate::server::{Running, settings};

#[tokio::test]
async fn the_former_owner_steps_down_and_nothing_is_lost() {
    let first = Running::start(settings()).await;
    let mut ann = Client::collab(first.address, "r").await;
    ann.type_text("before ").await;
    ann.until_saved().await;

    let second = Running::over(settings(), Arc::clone(&first.store)).await;
    let mut ben = Client::collab(second.address, "r").await;
    ben.until_text("before ").await;
    let epochs = (&ann.welcome, &ben.welcome);
    let (Some(former), Some(owner)) = epochs else {
        panic!("{epochs:?}")
    };
    assert!(owner.epoch > former.epoch);
    assert_eq!(owner.lineage, former.lineage);

    let saved = ann.saved;
    ann.type_text("from the former owner ").await;
    assert_eq!(ann.until_closed().await.0, 1012);
    assert_eq!(ann.saved, saved, "an edit that was fenced out is not saved");

    // Ann comes back where the room is now, and offers what she has.
    let mut again = Client::collab(second.address, "r").await;
    again.document = ann.document;
    again.until_synced().await;
    again.until_saved().await;
    ben.until_text("before from the former owner ").await;
}
