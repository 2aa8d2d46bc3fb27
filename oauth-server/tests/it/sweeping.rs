//! What has expired goes, however much of it there is.

use crate::support::start;
use oauth_core::ports::Clock as _;
use oauth_server::{entity::ceremony, maintenance};
use sea_orm::{ActiveValue::Set, EntityTrait as _, PaginatorTrait as _};
use std::time::Duration;

/// Anybody can begin to sign in, as often as it likes.
#[tokio::test]
async fn one_round_deletes_more_than_strangers_make_between_two() {
    let server = start("").await;
    let database = server.state.store.database();
    let until = server.clock.now().plus(Duration::from_mins(5)).unix();
    let begun = |number: u32| ceremony::ActiveModel {
        hash: Set([&number.to_be_bytes()[..], &[0; 28]].concat()),
        kind: Set("sign_in".into()),
        user_id: Set(None),
        state: Set("{}".into()),
        expires_at: Set(until + i64::from(number == 0)),
    };
    let rows: Vec<_> = (0..12_001).map(begun).collect();
    for some in rows.chunks(1_000) {
        let insert = ceremony::Entity::insert_many(some.to_vec());
        insert.exec_without_returning(database).await.unwrap();
    }
    assert_eq!(maintenance::sweep(&server.state).await.unwrap(), 0, "none of them is over");
    server.clock.advance(Duration::from_mins(5));
    assert_eq!(maintenance::sweep(&server.state).await.unwrap(), 12_000);
    let left = ceremony::Entity::find().count(database).await.unwrap();
    assert_eq!(left, 1, "the one that is not over yet");
}
