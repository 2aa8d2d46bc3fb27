//! Writes on SQLite share transactions; nobody should notice.

use oauth_core::{
    error::PortError,
    model::{ClientId, Committed, Consume, Issuance, NewToken, Parent},
    ports::{ClientStore, GrantStore},
    seaorm::{SeaStore, StoreOptions, entity::seen},
    testing::{TestDatabase, fixtures::*},
};
use sea_orm::{ConnectionTrait, EntityTrait, Set};
use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};
use tokio::{sync::Barrier, task::JoinSet};

fn tokens(names: &[&str]) -> Issuance {
    Issuance {
        consume: Consume::Nothing,
        parent: Parent::None,
        code: None,
        tokens: names.iter().map(|name| NewToken { login: None, ..access(name) }).collect(),
        consent: None,
        at: NOW,
    }
}

fn mark(n: u8) -> seen::ActiveModel {
    seen::ActiveModel { hash: Set(vec![n; 32]), kind: Set("test".to_owned()), expires_at: Set(1) }
}

async fn marks(store: &SeaStore) -> usize {
    seen::Entity::find().all(store.database()).await.unwrap().len()
}

/// Polls the future once and drops it, as happens to a request whose peer goes away.
async fn begin_and_leave(future: impl Future) {
    let mut future = pin!(future);
    poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn a_write_is_finished_though_nobody_waits() {
    let database = TestDatabase::sqlite().await;
    let store = database.store();
    begin_and_leave(store.commit(tokens(&["left"]))).await;
    begin_and_leave(store.insert_client(client("left"))).await;
    begin_and_leave(store.write(|on| {
        Box::pin(async move {
            seen::Entity::insert(mark(1)).exec_without_returning(on).await?;
            seen::Entity::insert(mark(2)).exec_without_returning(on).await?;
            Ok(())
        })
    }))
    .await;
    // A write that comes later is answered later.
    assert_eq!(store.commit(tokens(&["waited for"])).await.unwrap(), Committed::Done);
    assert!(store.token(&hash("left")).await.unwrap().is_some());
    assert!(store.client(&ClientId::new("left")).await.unwrap().is_some());
    assert_eq!(marks(&store).await, 2);
}

/// Starts all at the same moment, so that they meet in one batch.
async fn at_once<T: Send + 'static>(jobs: Vec<impl Future<Output = T> + Send + 'static>) -> Vec<T> {
    let gate = Arc::new(Barrier::new(jobs.len()));
    let mut running = JoinSet::new();
    for (n, job) in jobs.into_iter().enumerate() {
        let gate = Arc::clone(&gate);
        running.spawn(async move {
            gate.wait().await;
            (n, job.await)
        });
    }
    let mut outcomes = running.join_all().await;
    outcomes.sort_by_key(|(n, _)| *n);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

#[tokio::test]
async fn a_failing_commit_fails_alone() {
    let database = TestDatabase::sqlite().await;
    let store = database.store();
    assert_eq!(store.commit(tokens(&["taken"])).await.unwrap(), Committed::Done);
    for round in 0..20 {
        let jobs = (0..20).map(|n| {
            let store = store.clone();
            async move {
                let name = format!("{round} {n}");
                let issuance = match n {
                    // Fails after it has written its authorization.
                    7 => Issuance {
                        parent: Parent::New(authorization(&name)),
                        ..tokens(&[&name, "taken"])
                    },
                    8 => tokens(&[&name, "taken"]),
                    n if n % 2 == 0 => {
                        Issuance { parent: Parent::New(authorization(&name)), ..tokens(&[&name]) }
                    }
                    _ => tokens(&[&name]),
                };
                store.commit(issuance).await.is_ok()
            }
        });
        let outcomes = at_once(jobs.collect()).await;
        for (n, ok) in outcomes.into_iter().enumerate() {
            let name = format!("{round} {n}");
            assert_eq!(ok, n != 7 && n != 8, "{name}");
            assert_eq!(store.token(&hash(&name)).await.unwrap().is_some(), ok, "{name}");
        }
        let below = Issuance {
            parent: Parent::Existing(authorization_id(&format!("{round} 7"))),
            ..tokens(&[])
        };
        assert_eq!(store.commit(below).await.unwrap(), Committed::Revoked);
    }
}

#[tokio::test]
async fn failing_or_panicking_work_is_undone_alone() {
    let database = TestDatabase::sqlite().await;
    let store = database.store();
    let jobs = (0..30).map(|n: u8| {
        let store = store.clone();
        async move {
            let done = store.write(move |on| {
                Box::pin(async move {
                    seen::Entity::insert(mark(n)).exec_without_returning(on).await?;
                    match n % 3 {
                        0 => Ok(n),
                        1 => Err(PortError::new("no")),
                        _ => panic!("a test panics"),
                    }
                })
            });
            done.await.ok()
        }
    });
    let outcomes = at_once(jobs.collect()).await;
    for (n, outcome) in (0_u8..).zip(outcomes) {
        assert_eq!(outcome, (n % 3 == 0).then_some(n));
    }
    assert_eq!(marks(&store).await, 10);
    // One alone has no savepoint, and is undone all the same.
    let alone = store.write(|on| {
        Box::pin(async move {
            seen::Entity::insert(mark(100)).exec_without_returning(on).await?;
            Err::<(), _>(PortError::new("no"))
        })
    });
    assert!(alone.await.is_err());
    assert_eq!(marks(&store).await, 10);
}

#[tokio::test]
async fn more_than_one_statement_takes_is_split() {
    let database = TestDatabase::sqlite().await;
    let store = database.store();
    let names: Vec<String> = (0..1200).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let jobs = names.chunks(300).map(|some| {
        let (store, issuance) = (store.clone(), tokens(some));
        async move { store.commit(issuance).await.unwrap() }
    });
    assert_eq!(at_once(jobs.collect()).await, vec![Committed::Done; 4]);
    for name in names {
        assert!(store.token(&hash(name)).await.unwrap().is_some());
    }
}

/// Another process that holds the file for longer than the store is willing to wait.
#[tokio::test]
async fn a_locked_file_is_an_error_and_then_no_more() {
    let database = TestDatabase::sqlite().await;
    let options = StoreOptions::default().busy_timeout(Duration::from_millis(50));
    let store = SeaStore::connect_with(database.url(), &options).await.unwrap();
    let other = sqlx::SqlitePool::connect(database.url()).await.unwrap();
    let held = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let jobs = (0..10).map(|n: usize| {
        let store = store.clone();
        async move { store.commit(tokens(&[&n.to_string()])).await.is_err() }
    });
    assert_eq!(at_once(jobs.collect()).await, [true; 10]);
    assert!(store.see("jti", "a", after(1), NOW).await.is_err());
    assert!(store.token(&hash("0")).await.unwrap().is_none());
    held.rollback().await.unwrap();
    assert_eq!(store.commit(tokens(&["0"])).await.unwrap(), Committed::Done);
    assert!(store.see("jti", "a", after(1), NOW).await.unwrap());
}

/// When SQLite takes the whole transaction back by itself, as it does when the disk is full, all of the
/// batch fail and the next batch works.
#[tokio::test]
async fn a_transaction_lost_to_the_database_is_an_error_and_then_no_more() {
    let database = TestDatabase::sqlite().await;
    let store = database.store();
    let lost = store.write(|on| {
        Box::pin(async move {
            seen::Entity::insert(mark(1)).exec_without_returning(on).await?;
            on.execute_unprepared("ROLLBACK").await?;
            Ok(())
        })
    });
    assert!(lost.await.is_err());
    for n in 0..3 {
        let name = n.to_string();
        assert_eq!(store.commit(tokens(&[&name])).await.unwrap(), Committed::Done);
        assert!(store.token(&hash(&name)).await.unwrap().is_some());
    }
    assert_eq!(marks(&store).await, 0);
    // The transactions of the store are immediate still: another process sees the lock at once.
    let other = sqlx::SqlitePool::connect(database.url()).await.unwrap();
    let seen_by_other = store.write(move |_| {
        Box::pin(async move {
            let mut second = other.acquire().await.map_err(PortError::new)?;
            let patience = sqlx::query("PRAGMA busy_timeout = 0");
            patience.execute(&mut *second).await.map_err(PortError::new)?;
            Ok(sqlx::query("BEGIN IMMEDIATE").execute(&mut *second).await.is_err())
        })
    });
    assert!(seen_by_other.await.unwrap());
}

#[tokio::test]
async fn a_store_outlives_the_runtime_it_was_used_in() {
    let database = TestDatabase::sqlite().await;
    let store = database.store();
    let elsewhere = store.clone();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(begin_and_leave(elsewhere.commit(tokens(&["maybe"]))));
        // The runtime goes with the drain task in it.
    });
    thread.join().unwrap();
    assert_eq!(store.commit(tokens(&["later"])).await.unwrap(), Committed::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn look_ups_at_once_find_each_its_own() {
    let database = TestDatabase::sqlite().await;
    let store = database.store();
    let names: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (n, name) in names.iter().enumerate() {
        let mut one = tokens(&[name]);
        one.tokens[0].expires_at = after(n as u64);
        assert_eq!(store.commit(one).await.unwrap(), Committed::Done);
    }
    let jobs = (0..300_u64).map(|n| {
        let store = store.clone();
        async move { store.token(&hash(&(n % 150).to_string())).await.unwrap() }
    });
    for (n, found) in (0_u64..).zip(at_once(jobs.collect()).await) {
        let wanted = (n % 150 < 100).then(|| after(n % 150));
        assert_eq!(found.map(|t| t.expires_at), wanted);
    }
}
