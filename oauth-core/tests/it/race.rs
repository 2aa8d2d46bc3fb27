//! Rivals: what must hold however requests meet. Two stores with pools of their own stand for two processes.

use oauth_core::{
    model::{
        AuthorizationId, ClientId, Committed, Consent, Consume, HashedToken, Issuance,
        NewAuthorization, NewCode, Parent, SigningAlgorithm, StoredKey, Timestamp, UserId,
    },
    ports::{ClientStore, GrantStore, KeyStore},
    seaorm::{NewUser, SeaStore},
    testing::{SeededRandom, TestDatabase, fixtures::*},
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::{sync::Barrier, task::JoinSet};

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
    an_interaction_is_answered_once,
    a_removed_client_keeps_nothing,
    a_mark_has_one_first,
    scopes_agreed_to_at_once_are_all_remembered,
    a_name_or_number_has_one_taker,
    sweeps_meet_each_other_and_refreshes,
    histories_end_as_the_rules_say,
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

/// Which rival was first, and what the others got.
fn only_winner(outcomes: Vec<(usize, Committed)>) -> (usize, Vec<Committed>) {
    let (won, lost): (Vec<_>, Vec<_>) =
        outcomes.into_iter().partition(|(_, outcome)| *outcome == Committed::Done);
    assert_eq!(won.len(), 1, "{won:?}");
    (won[0].0, lost.into_iter().map(|(_, outcome)| outcome).collect())
}

async fn one_code_is_redeemed_once(on: Processes) {
    for round in 0..ROUNDS {
        let (id, code_name) = (numbered_authorization(round), format!("code {round}"));
        let given =
            Issuance { parent: new_parent(id), code: Some(code(&code_name)), ..nothing(NOW) };
        done(&on.stores[0], given).await;
        let outcomes = on
            .race(RIVALS, |store, n| {
                let redeem = Issuance {
                    consume: Consume::Code(hash(&code_name)),
                    parent: Parent::Existing(id),
                    tokens: vec![
                        refresh(&format!("{round} {n}")),
                        access(&format!("{round} {n} more")),
                    ],
                    ..nothing(after(1))
                };
                async move { store.commit(redeem).await.unwrap() }
            })
            .await;
        assert_eq!(count(&outcomes, &Committed::Done), 1, "{outcomes:?}");
        assert_eq!(count(&outcomes, &Committed::Replayed), 1, "{outcomes:?}");
        assert_eq!(count(&outcomes, &Committed::Revoked), RIVALS - 2, "{outcomes:?}");
        for n in 0..RIVALS {
            assert!(!on.is_live(&hash(&format!("{round} {n}")), after(1)).await);
        }
    }
}

async fn one_refresh_token_is_rotated_once(on: Processes) {
    for round in 0..ROUNDS {
        let (id, old) = (numbered_authorization(round), format!("old {round}"));
        let given =
            Issuance { parent: new_parent(id), tokens: vec![refresh(&old)], ..nothing(NOW) };
        done(&on.stores[0], given).await;
        let outcomes = on
            .race(RIVALS, |store, n| {
                let rotate = rotation(id, &old, &format!("{round} {n}"), NEVER);
                async move { store.commit(rotate).await.unwrap() }
            })
            .await;
        assert_eq!(count(&outcomes, &Committed::Done), 1, "{outcomes:?}");
        assert_eq!(count(&outcomes, &Committed::Replayed), 1, "{outcomes:?}");
        for n in 0..RIVALS {
            assert!(!on.is_live(&hash(&format!("{round} {n}")), after(1)).await);
        }
    }
}

async fn all_who_repeat_a_refresh_get_the_same_answer(on: Processes) {
    for round in 0..ROUNDS {
        let (id, old) = (numbered_authorization(round), format!("old {round}"));
        let given =
            Issuance { parent: new_parent(id), tokens: vec![refresh(&old)], ..nothing(NOW) };
        done(&on.stores[0], given).await;
        let outcomes = on
            .race(RIVALS, |store, n| {
                let rotate = rotation(id, &old, &format!("{round} {n}"), NOW);
                async move { (n, store.commit(rotate).await.unwrap()) }
            })
            .await;
        let (winner, lost) = only_winner(outcomes);
        let answer = format!("{round} {winner}");
        for outcome in lost {
            assert_eq!(outcome, Committed::Repeated(answer.clone().into_bytes()));
        }
        for n in 0..RIVALS {
            let live = on.is_live(&hash(&format!("{round} {n}")), after(1)).await;
            assert_eq!(live, n == winner);
        }
    }
}

async fn a_revocation_beats_a_refresh_in_flight(on: Processes) {
    for round in 0..2 * ROUNDS {
        let (id, old) = (numbered_authorization(round), format!("old {round}"));
        let (new, user) = (format!("new {round}"), UserId::new("u"));
        let given =
            Issuance { parent: new_parent(id), tokens: vec![refresh(&old)], ..nothing(NOW) };
        done(&on.stores[0], given).await;
        let outcomes = on
            .race(2, |store, n| {
                let rotate = rotation(id, &old, &new, NEVER);
                let user = user.clone();
                async move {
                    if n == 0 {
                        return Some(store.commit(rotate).await.unwrap());
                    }
                    if round % 2 == 0 {
                        store.revoke(id, after(1)).await.unwrap();
                    } else {
                        store.revoke_user(&user, None, after(1)).await.unwrap();
                    }
                    None
                }
            })
            .await;
        for name in [&old, &new, &format!("access beside {new}")] {
            assert!(!on.is_live(&hash(name), after(1)).await, "{name}: {outcomes:?}");
        }
    }
}

async fn a_chain_of_refreshes_ends_with_the_revocation(on: Processes) {
    const LINKS: usize = 100;
    for round in 0..4 {
        let id = numbered_authorization(round);
        let given = Issuance {
            parent: new_parent(id),
            tokens: vec![refresh(&format!("{round} 0"))],
            ..nothing(NOW)
        };
        done(&on.stores[0], given).await;
        let reached = Arc::new(Barrier::new(2));
        let (store, half) = (on.stores[0].clone(), Arc::clone(&reached));
        let chain = tokio::spawn(async move {
            for link in 1..=LINKS {
                let (old, new) = (format!("{round} {}", link - 1), format!("{round} {link}"));
                match store.commit(rotation(id, &old, &new, NEVER)).await.unwrap() {
                    Committed::Done => {}
                    other => return (link, other),
                }
                if link == LINKS / 2 {
                    half.wait().await;
                }
            }
            (LINKS, Committed::Done)
        });
        reached.wait().await;
        on.stores[1].revoke(id, after(1)).await.unwrap();
        let (links, last) = chain.await.unwrap();
        assert!(matches!(last, Committed::Revoked | Committed::Done), "{last:?}");
        for link in 0..=links {
            assert!(!on.is_live(&hash(&format!("{round} {link}")), after(1)).await);
        }
    }
}

async fn an_interaction_is_answered_once(on: Processes) {
    for round in 0..ROUNDS {
        let waiting = hash(&format!("waiting {round}"));
        on.stores[0].suspend(waiting, pending()).await.unwrap();
        let id = |n: usize| numbered_authorization(round * 100 + n as u128);
        let outcomes = on
            .race(RIVALS, |store, n| {
                let answer = Issuance {
                    consume: Consume::Interaction(waiting),
                    parent: new_parent(id(n)),
                    code: Some(code(&format!("{round} {n}"))),
                    consent: Some(consent("a")),
                    ..nothing(after(1))
                };
                async move { (n, store.commit(answer).await.unwrap()) }
            })
            .await;
        let (winner, lost) = only_winner(outcomes);
        assert!(lost.iter().all(|o| *o == Committed::Replayed), "{lost:?}");
        for n in 0..RIVALS {
            let found = on.stores[1].code(&hash(&format!("{round} {n}"))).await.unwrap();
            assert_eq!(found.is_some(), n == winner);
            let below = Issuance { parent: Parent::Existing(id(n)), ..nothing(NOW) };
            let exists = on.stores[1].commit(below).await.unwrap() == Committed::Done;
            assert_eq!(exists, n == winner);
        }
    }
}

/// One rival removes the client, the others answer its interactions and rotate its tokens.
async fn a_removed_client_keeps_nothing(on: Processes) {
    for round in 0..ROUNDS / 2 {
        let id = |n: usize| numbered_authorization(round * 100 + n as u128);
        assert!(on.stores[0].insert_client(client("c")).await.unwrap());
        for n in 1..RIVALS {
            let name = format!("{round} {n}");
            on.stores[0].suspend(hash(&name), pending()).await.unwrap();
            let parent = new_parent(id(10 + n));
            let tokens = vec![refresh(&format!("old {name}"))];
            done(&on.stores[0], Issuance { parent, tokens, ..nothing(NOW) }).await;
        }
        let removals = on
            .race(RIVALS, |store, n| {
                let name = format!("{round} {n}");
                let issuance = if n % 2 == 0 {
                    Issuance {
                        consume: Consume::Interaction(hash(&name)),
                        parent: new_parent(id(n)),
                        tokens: vec![refresh(&format!("new {name}"))],
                        ..nothing(after(1))
                    }
                } else {
                    rotation(id(10 + n), &format!("old {name}"), &format!("new {name}"), NEVER)
                };
                async move {
                    if n == 0 {
                        return store.remove_client(&ClientId::new("c")).await.unwrap();
                    }
                    let outcome = store.commit(issuance).await.unwrap();
                    assert!(!matches!(outcome, Committed::Repeated(_)));
                    false
                }
            })
            .await;
        assert_eq!(removals.iter().filter(|&&removed| removed).count(), 1);
        for n in 1..RIVALS {
            for age in ["old", "new"] {
                let found = on.stores[1].token(&hash(&format!("{age} {round} {n}"))).await.unwrap();
                assert_eq!(found, None, "{age} {n}");
            }
        }
    }
}

async fn a_mark_has_one_first(on: Processes) {
    for round in 0..ROUNDS {
        for now in [NOW, after(10)] {
            let firsts = on
                .race(RIVALS, |store, _| async move {
                    let until = now.plus(Duration::from_secs(10));
                    store.see("jti", &round.to_string(), until, now).await.unwrap()
                })
                .await;
            assert_eq!(firsts.iter().filter(|&&first| first).count(), 1);
        }
    }
}

async fn scopes_agreed_to_at_once_are_all_remembered(on: Processes) {
    for round in 0..ROUNDS / 2 {
        let user = UserId::new(round.to_string());
        on.race(RIVALS, |store, n| {
            let consent = Some(Consent { user: user.clone(), ..consent(&format!("s{n}")) });
            async move {
                let given = Issuance { consent, ..nothing(NOW) };
                assert_eq!(store.commit(given).await.unwrap(), Committed::Done);
            }
        })
        .await;
        let agreed = on.stores[0].consent(&user, &ClientId::new("c")).await.unwrap().unwrap();
        assert_eq!(agreed.scope, scope("s0 s1 s2 s3 s4 s5 s6 s7"));
    }
}

async fn a_name_or_number_has_one_taker(on: Processes) {
    let one = |taken: Vec<bool>| assert_eq!(taken.iter().filter(|&&t| t).count(), 1);
    for round in 0..ROUNDS / 4 {
        one(on
            .race(RIVALS, |store, n| async move {
                let new = NewUser {
                    id: UserId::new(format!("{round} {n}")),
                    username: if n % 2 == 0 {
                        format!("ADA{round}")
                    } else {
                        format!("ada{round}")
                    },
                    password_hash: None,
                    is_admin: false,
                    created_at: NOW,
                };
                store.create_user(new).await.unwrap().is_some()
            })
            .await);
        one(on
            .race(RIVALS, |store, n| async move {
                let key = StoredKey {
                    kid: format!("{round} {n}"),
                    alg: SigningAlgorithm::ES256,
                    sequence: i64::try_from(round).unwrap(),
                    sealed: Vec::new(),
                    certificate: String::new(),
                    publish_at: NOW,
                    sign_from: NOW,
                    retired_at: None,
                };
                store.insert_key(key).await.unwrap()
            })
            .await);
        one(on
            .race(RIVALS, |store, _| async move {
                store.insert_client(client(&round.to_string())).await.unwrap()
            })
            .await);
    }
}

/// Families whose first refresh token has expired and whose second has not, swept by some while others
/// go on refreshing.
async fn sweeps_meet_each_other_and_refreshes(on: Processes) {
    const FAMILIES: usize = 40;
    for n in 0..FAMILIES {
        let mut old = refresh(&format!("expired {n}"));
        old.expires_at = after(1);
        let mut young = refresh(&format!("{n} 0"));
        young.expires_at = after(9999);
        let family = Issuance {
            parent: new_parent(numbered_authorization(n as u128)),
            tokens: vec![old, young],
            ..nothing(NOW)
        };
        done(&on.stores[0], family).await;
        let empty =
            Issuance { parent: new_parent(authorization_id(&n.to_string())), ..nothing(NOW) };
        done(&on.stores[0], empty).await;
    }
    let gone = on
        .race(RIVALS, |store, n| async move {
            if n < 4 {
                let mut gone = 0;
                for _ in 0..5 {
                    gone += store.sweep(after(3700), 15).await.unwrap();
                }
                return gone;
            }
            for family in (n - 4..FAMILIES).step_by(4) {
                let id = numbered_authorization(family as u128);
                let mut rotate =
                    rotation(id, &format!("{family} 0"), &format!("{family} 1"), NEVER);
                rotate.at = after(3700);
                for token in &mut rotate.tokens {
                    token.expires_at = after(9999);
                }
                assert_eq!(store.commit(rotate).await.unwrap(), Committed::Done);
            }
            0
        })
        .await;
    let left = on.stores[0].sweep(after(3700), 1000).await.unwrap();
    assert_eq!(gone.iter().sum::<u64>() + left, 2 * FAMILIES as u64);
    for n in 0..FAMILIES {
        assert!(on.is_live(&hash(&format!("{n} 1")), after(3700)).await);
    }
}

/// What an actor did: in which family, with which credential, what came of it, and what it would have issued.
type Deed = (u64, String, Committed, String);

const FAMILIES: u64 = 6;

fn numbered_family(seed: u64, family: u64) -> AuthorizationId {
    numbered_authorization(u128::from(seed * 100 + family))
}

/// Does at random what may be done with a few authorizations.
async fn actor(store: SeaStore, seed: u64, number: usize) -> Vec<Deed> {
    const STEPS: usize = 30;
    let random = SeededRandom::new(seed * 1000 + number as u64);
    let mut deeds = Vec::new();
    let mut known = vec![Vec::<String>::new(); usize::try_from(FAMILIES).unwrap()];
    for step in 0..STEPS {
        let family = random.below(FAMILIES);
        let mine = &mut known[usize::try_from(family).unwrap()];
        let (id, new) = (numbered_family(seed, family), format!("{seed} {family} {number} {step}"));
        let (used, issuance) = match random.below(20) {
            0 => {
                store.revoke(id, after(1)).await.unwrap();
                deeds.push((family, String::new(), Committed::Revoked, new));
                continue;
            }
            1..=4 => {
                let used = format!("{seed} {family} code");
                let redeem = Issuance {
                    consume: Consume::Code(hash(&used)),
                    parent: Parent::Existing(id),
                    tokens: vec![refresh(&new)],
                    ..nothing(after(1))
                };
                (used, redeem)
            }
            _ => {
                // Mostly the youngest, now and then one that was used before.
                let age = usize::try_from(random.below(12) / 10).unwrap();
                let chosen = mine.len().checked_sub(1 + age).and_then(|i| mine.get(i));
                let Some(used) = chosen.cloned() else { continue };
                let rotate = rotation(id, &used, &new, NEVER);
                (used, rotate)
            }
        };
        let outcome = store.commit(issuance).await.unwrap();
        if outcome == Committed::Done {
            mine.push(new.clone());
        }
        deeds.push((family, used, outcome, new));
    }
    deeds
}

/// However the actors meet: nothing is used up twice, and where something was replayed or revoked,
/// nothing lives.
async fn histories_end_as_the_rules_say(on: Processes) {
    for seed in 0..6 {
        for family in 0..FAMILIES {
            let code = NewCode { expires_at: after(99), ..code(&format!("{seed} {family} code")) };
            let parent = new_parent(numbered_family(seed, family));
            done(&on.stores[0], Issuance { parent, code: Some(code), ..nothing(NOW) }).await;
        }
        let deeds = on.race(RIVALS, |store, number| actor(store, seed, number)).await.concat();
        let mut used_up = HashSet::new();
        for (_, used, outcome, _) in &deeds {
            if *outcome == Committed::Done {
                assert!(used_up.insert(used), "{used} was used up twice in history {seed}");
            }
        }
        for family in 0..FAMILIES {
            let ours = || deeds.iter().filter(|deed| deed.0 == family);
            let dead =
                ours().any(|deed| matches!(deed.2, Committed::Replayed | Committed::Revoked));
            for (_, _, outcome, new) in ours() {
                let live = on.is_live(&hash(new), after(1)).await;
                let wanted = !dead && *outcome == Committed::Done && !used_up.contains(new);
                assert_eq!(live, wanted, "{new} in history {seed}");
            }
        }
    }
}
