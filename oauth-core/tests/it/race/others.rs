//! Rivals for everything else.

use super::*;

/// One rival removes the client, the others answer its interactions and rotate its tokens.
pub(super) async fn a_removed_client_keeps_nothing(on: Processes) {
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

pub(super) async fn a_mark_has_one_first(on: Processes) {
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

pub(super) async fn scopes_agreed_to_at_once_are_all_remembered(on: Processes) {
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

pub(super) async fn a_name_or_number_has_one_taker(on: Processes) {
    let one = |taken: Vec<bool>| assert_eq!(taken.iter().filter(|&&t| t).count(), 1);
    for round in 0..ROUNDS / 4 {
        one(on
            .race(RIVALS, |store, n| async move {
                let name = if n % 2 == 0 { "ADA" } else { "ada" };
                let id = UserId::new(format!("{round} {n}"));
                let new = NewUser::new(id, format!("{name}{round}"), NOW);
                store.create_user(new).await.unwrap().is_some()
            })
            .await);
        one(on
            .race(RIVALS, |store, n| async move {
                let id = UserId::new(format!("by address {round} {n}"));
                let email = Some(format!("bob{round}@{}", ["example.org", "Example.ORG"][n % 2]));
                let new = NewUser {
                    email,
                    email_verified: true,
                    ..NewUser::new(id, format!("bob{round}-{n}"), NOW)
                };
                store.create_user(new).await.unwrap().is_some()
            })
            .await);
        for n in 0..RIVALS {
            let id = UserId::new(format!("late {round} {n}"));
            let new = NewUser::new(id, format!("late{round}-{n}"), NOW);
            assert!(on.stores[0].create_user(new).await.unwrap().is_some());
        }
        one(on
            .race(RIVALS, |store, n| async move {
                let id = UserId::new(format!("late {round} {n}"));
                let email = format!("carol{round}@example.org");
                let change = store.set_email(&id, Some(&email), true).await.unwrap();
                assert_ne!(change, EmailChange::Unknown);
                change == EmailChange::Done
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
pub(super) async fn sweeps_meet_each_other_and_refreshes(on: Processes) {
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
