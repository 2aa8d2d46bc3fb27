//! Rivals: what must hold however requests meet. Two stores with pools of their own stand for two processes.

mod credentials;
mod histories;
mod others;
mod sessions;

use oauth_core::{
    model::{
        AuthorizationId, ClientId, Committed, Consent, Consume, HashedToken, Issuance,
        NewAuthorization, NewCode, Parent, SigningAlgorithm, StoredKey, Timestamp, UserId,
    },
    ports::{ClientStore, GrantStore, KeyStore},
    seaorm::{NewUser, SeaStore, people::EmailChange},
    testing::{SeededRandom, TestDatabase, fixtures::*},
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::{sync::Barrier, task::JoinSet};

use credentials::*;
use histories::*;
use others::*;
use sessions::*;

const ROUNDS: u128 = 100;
const RIVALS: usize = 8;

/// Two stores on one database.
struct Processes {
    stores: [SeaStore; 2],
    _database: TestDatabase,
}

impl Processes {
    async fn on(database: TestDatabase) -> Self {
        Self { stores: [database.store(), database.another_store().await], _database: database }
    }

    /// Starts so many rivals at the same moment, spread over the processes.
    async fn race<T, F>(&self, rivals: usize, run: impl Fn(SeaStore, usize) -> F) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let gate = Arc::new(Barrier::new(rivals));
        let mut running = JoinSet::new();
        for (n, store) in (0..rivals).zip(self.stores.iter().cycle()) {
            let (gate, rival) = (Arc::clone(&gate), run(store.clone(), n));
            running.spawn(async move {
                gate.wait().await;
                rival.await
            });
        }
        running.join_all().await
    }

    async fn is_live(&self, token: &HashedToken, now: Timestamp) -> bool {
        self.stores[0].token(token).await.unwrap().is_some_and(|t| t.is_live(now))
    }
}

macro_rules! on_every_database {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                super::$name(super::Processes::on(super::TestDatabase::sqlite().await).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                super::$name(super::Processes::on(super::TestDatabase::postgres().await).await).await;
            })+
        }
    };
}

on_every_database!(
    one_code_is_redeemed_once,
    one_refresh_token_is_rotated_once,
    all_who_repeat_a_refresh_get_the_same_answer,
    a_revocation_beats_a_refresh_in_flight,
    a_chain_of_refreshes_ends_with_the_revocation,
    a_revocation_beats_an_authorization_in_flight,
    an_interaction_is_answered_once,
    a_removed_client_keeps_nothing,
    a_mark_has_one_first,
    scopes_agreed_to_at_once_are_all_remembered,
    a_name_or_number_has_one_taker,
    sweeps_meet_each_other_and_refreshes,
    histories_end_as_the_rules_say,
    a_session_is_ended_by_one,
    whoever_joins_while_a_session_ends_is_told_once,
    clients_that_join_at_once_are_all_told,
    a_notice_is_taken_by_one,
    endings_meet_removals_and_refreshes,
    a_client_is_kept_or_swept,
);

fn nothing(at: Timestamp) -> Issuance {
    Issuance {
        consume: Consume::Nothing,
        parent: Parent::None,
        code: None,
        tokens: Vec::new(),
        consent: None,
        at,
    }
}

fn new_parent(id: AuthorizationId) -> Parent {
    Parent::New(NewAuthorization { id, ..authorization("") })
}

async fn done(store: &SeaStore, issuance: Issuance) {
    assert_eq!(store.commit(issuance).await.unwrap(), Committed::Done);
}

fn rotation(family: AuthorizationId, old: &str, new: &str, retry_since: Timestamp) -> Issuance {
    Issuance {
        consume: Consume::Refresh {
            token: hash(old),
            response: new.as_bytes().to_vec(),
            successor: hash(new),
            retry_since,
        },
        parent: Parent::Existing(family),
        tokens: vec![refresh(new), access(&format!("access beside {new}"))],
        ..nothing(after(1))
    }
}

/// A time later than every rotation of these tests: nothing may be repeated.
const NEVER: Timestamp = Timestamp::from_unix(i64::MAX);

fn count(outcomes: &[Committed], wanted: &Committed) -> usize {
    outcomes.iter().filter(|&o| o == wanted).count()
}
