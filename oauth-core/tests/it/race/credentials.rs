//! Rivals for one credential, and for the authorization above it.

use super::*;

/// Which rival was first, and what the others got.
fn only_winner(outcomes: Vec<(usize, Committed)>) -> (usize, Vec<Committed>) {
    let (won, lost): (Vec<_>, Vec<_>) =
        outcomes.into_iter().partition(|(_, outcome)| *outcome == Committed::Done);
    assert_eq!(won.len(), 1, "{won:?}");
    (won[0].0, lost.into_iter().map(|(_, outcome)| outcome).collect())
}

pub(super) async fn one_code_is_redeemed_once(on: Processes) {
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

pub(super) async fn one_refresh_token_is_rotated_once(on: Processes) {
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

pub(super) async fn all_who_repeat_a_refresh_get_the_same_answer(on: Processes) {
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

pub(super) async fn a_revocation_beats_a_refresh_in_flight(on: Processes) {
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

/// One rival lets a client act, by what was seen before; the other revokes everything of the user, or all of that client.
pub(super) async fn a_revocation_beats_an_authorization_in_flight(on: Processes) {
    for round in 0..2 * ROUNDS {
        let (id, name) = (numbered_authorization(round), format!("new {round}"));
        // Somebody who is seen for the first time, or once more.
        let user = UserId::new(format!("u{}", if round % 4 < 2 { round } else { 0 }));
        let since = on.stores[0].epoch().await.unwrap();
        let outcomes = on
            .race(2, |store, n| {
                let parent = NewAuthorization {
                    user: user.clone(),
                    since: Some(since),
                    id,
                    ..authorization("")
                };
                let given = Issuance {
                    parent: Parent::New(parent),
                    tokens: vec![refresh(&name)],
                    consent: Some(Consent { user: user.clone(), ..consent("a") }),
                    ..nothing(after(1))
                };
                let user = user.clone();
                let client = (round % 2 == 0).then(|| ClientId::new("c"));
                async move {
                    if n == 0 {
                        return Some(store.commit(given).await.unwrap());
                    }
                    store.revoke_user(&user, client.as_ref(), after(1)).await.unwrap();
                    None
                }
            })
            .await;
        assert!(!on.is_live(&hash(&name), after(1)).await, "{outcomes:?}");
        let agreed = on.stores[1].consent(&user, &ClientId::new("c")).await.unwrap();
        assert_eq!(agreed, None, "{outcomes:?}");
    }
}

pub(super) async fn a_chain_of_refreshes_ends_with_the_revocation(on: Processes) {
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

pub(super) async fn an_interaction_is_answered_once(on: Processes) {
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
