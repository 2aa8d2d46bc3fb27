//! Rivals for the end of a session and for what is to be told of it.

use super::*;
use oauth_core::model::{Client, Participant};

/// An OpenID Connect authorization of this client in the session.
fn joining(id: AuthorizationId, sid: &str, client: &str) -> Parent {
    let client = ClientId::new(client);
    Parent::New(NewAuthorization { id, client, ..openid_authorization("", sid) })
}

async fn join(store: &SeaStore, id: AuthorizationId, sid: &str, client: &str) {
    done(store, Issuance { parent: joining(id, sid, client), ..nothing(NOW) }).await;
}

pub(super) async fn a_session_is_ended_by_one(on: Processes) {
    const CLIENTS: usize = 5;
    for round in 0..ROUNDS / 2 {
        let sid = format!("s{round}");
        for n in 0..CLIENTS {
            let id = numbered_authorization(round * 100 + n as u128);
            let given = Issuance {
                parent: joining(id, &sid, &format!("c{n}")),
                tokens: vec![access(&format!("{round} {n}"))],
                ..nothing(NOW)
            };
            done(&on.stores[0], given).await;
        }
        let ended = on
            .race(RIVALS, |store, _| {
                let sid = sid.clone();
                async move { store.end_session(&sid, after(1)).await.unwrap() }
            })
            .await;
        let won: Vec<_> = ended.iter().filter(|told| !told.is_empty()).collect();
        assert_eq!(won.iter().map(|told| told.len()).collect::<Vec<_>>(), [CLIENTS]);
        for n in 0..CLIENTS {
            assert!(!on.is_live(&hash(&format!("{round} {n}")), after(1)).await);
        }
        let due = on.stores[1].due_logouts(after(1), after(99), 100).await.unwrap();
        assert_eq!(due.len(), CLIENTS);
    }
}

/// Half of the rivals end the session, the other half let clients join it.
pub(super) async fn whoever_joins_while_a_session_ends_is_told_once(on: Processes) {
    for round in 0..ROUNDS / 2 {
        let sid = format!("s{round}");
        let ended = on
            .race(RIVALS, |store, n| {
                let (sid, number) = (sid.clone(), round * 100 + n as u128);
                async move {
                    if n % 2 == 0 {
                        return store.end_session(&sid, after(1)).await.unwrap();
                    }
                    join(&store, numbered_authorization(number), &sid, &format!("c{n}")).await;
                    Vec::new()
                }
            })
            .await;
        let late = on.stores[0].end_session(&sid, after(2)).await.unwrap();
        let told = ended.into_iter().flatten().chain(late);
        let mut told: Vec<_> = told.map(|p| p.client.as_str().to_owned()).collect();
        told.sort();
        assert_eq!(told, ["c1", "c3", "c5", "c7"]);
        let due = on.stores[1].due_logouts(after(2), after(99), 100).await.unwrap();
        assert_eq!(due.len(), 4);
    }
}

/// Two sessions, two clients, and each rival lets both join in an order of its own.
pub(super) async fn clients_that_join_at_once_are_all_told(on: Processes) {
    for round in 0..ROUNDS / 2 {
        on.race(RIVALS, |store, n| async move {
            for step in 0..4 {
                let (sid, client) = ((n + step) % 2, (n + step / 2) % 2);
                let id = numbered_authorization(round * 100 + (n * 4 + step) as u128);
                let until = after(100 + n as u64);
                let Parent::New(new) = joining(id, &format!("{round} {sid}"), &client.to_string())
                else {
                    return;
                };
                let new = NewAuthorization { participates_until: until, ..new };
                let given = Issuance { parent: Parent::New(new), ..nothing(NOW) };
                let given = Issuance { consent: Some(consent(&format!("s{n}"))), ..given };
                done(&store, given).await;
            }
        })
        .await;
        // The longest participation of all is what counts.
        on.stores[0].sweep(after(106), 1000).await.unwrap();
        for sid in 0..2 {
            let sid = format!("{round} {sid}");
            let told = on.stores[0].end_session(&sid, after(106)).await.unwrap();
            let wanted = ["0", "1"].map(|client| Participant {
                client: ClientId::new(client),
                user: UserId::new("u"),
                sid: sid.clone(),
            });
            assert_eq!(told, wanted);
        }
    }
}

pub(super) async fn a_notice_is_taken_by_one(on: Processes) {
    const NOTICES: usize = 40;
    for round in 0..4_u64 {
        let sid = format!("s{round}");
        for n in 0..NOTICES {
            let id = numbered_authorization(u128::from(round) * 100 + n as u128);
            join(&on.stores[0], id, &sid, &format!("c{n:02}")).await;
        }
        let start = round * 100;
        assert_eq!(on.stores[0].end_session(&sid, after(start)).await.unwrap().len(), NOTICES);
        // Each in a first lease, and again when that has passed.
        for lease in [start, start + 10] {
            let taken = on
                .race(RIVALS, |store, _| async move {
                    let mut mine = Vec::new();
                    for _ in 0..5 {
                        let due = store.due_logouts(after(lease), after(lease + 10), 3).await;
                        mine.extend(due.unwrap());
                    }
                    mine
                })
                .await;
            let mut ids: Vec<_> = taken.into_iter().flatten().map(|notice| notice.id).collect();
            // Rows that another was taking were passed over; nobody else has taken them.
            let left = on.stores[0].due_logouts(after(lease), after(lease + 10), 100);
            ids.extend(left.await.unwrap().into_iter().map(|notice| notice.id));
            ids.sort();
            assert_eq!(ids.len(), NOTICES);
            ids.dedup();
            assert_eq!(ids.len(), NOTICES);
            if lease > start {
                on.race(RIVALS, |store, n| {
                    let ids = ids.clone();
                    async move {
                        for id in ids.into_iter().skip(n % 2) {
                            store.settle_logout(id, None).await.unwrap();
                        }
                    }
                })
                .await;
            }
        }
        assert_eq!(on.stores[1].due_logouts(NEVER, NEVER, 100).await.unwrap(), []);
    }
}

/// Everything that locks what an ending locks, at once: nothing waits for ever and nothing stays behind.
pub(super) async fn endings_meet_removals_and_refreshes(on: Processes) {
    for round in 0..ROUNDS / 4 {
        let id = |n: usize| numbered_authorization(round * 1000 + n as u128);
        let sid = |n: usize| format!("{round} {}", n % 2);
        assert!(on.stores[0].insert_client(client("c")).await.unwrap());
        for n in 0..16 {
            let parent = joining(id(n), &sid(n), if n % 4 < 2 { "c" } else { "d" });
            let tokens = vec![refresh(&format!("{round} {n}"))];
            done(&on.stores[0], Issuance { parent, tokens, ..nothing(NOW) }).await;
        }
        on.race(RIVALS, |store, n| {
            let (sid, other) = (sid(n), sid(n + 1));
            let rotate =
                rotation(id(n), &format!("{round} {n}"), &format!("new {round} {n}"), NEVER);
            let parent = joining(id(100 + n), &sid, "d");
            let consent = Some(consent("a"));
            async move {
                match n {
                    0 => drop(store.remove_client(&ClientId::new("c")).await.unwrap()),
                    1 => store.revoke_user(&UserId::new("u"), None, after(1)).await.unwrap(),
                    2 => drop(store.remove_user(&UserId::new("u")).await.unwrap()),
                    3 | 4 => {
                        store.end_session(&sid, after(1)).await.unwrap();
                        store.end_session(&other, after(1)).await.unwrap();
                    }
                    5 => drop(store.sweep(after(1), 100).await.unwrap()),
                    6 => done(&store, Issuance { parent, consent, ..nothing(NOW) }).await,
                    _ => drop(store.commit(rotate).await.unwrap()),
                }
            }
        })
        .await;
        for n in 0..2 {
            on.stores[0].end_session(&sid(n), after(2)).await.unwrap();
        }
        for n in 0..16 {
            for name in [format!("{round} {n}"), format!("new {round} {n}")] {
                assert!(!on.is_live(&hash(&name), after(2)).await, "{name}");
            }
        }
        let due = on.stores[1].due_logouts(after(2), after(99), 100).await.unwrap();
        for notice in due {
            assert_eq!(notice.participant.client.as_str(), "d");
            on.stores[0].settle_logout(notice.id, None).await.unwrap();
        }
    }
}

/// Of a sweep and a first use, whichever comes first decides.
pub(super) async fn a_client_is_kept_or_swept(on: Processes) {
    for round in 0..ROUNDS {
        let id = ClientId::new(format!("c{round}"));
        let brief = Client { expires_at: Some(after(1)), ..client(id.as_str()) };
        assert!(on.stores[0].insert_client(brief).await.unwrap());
        let kept = on
            .race(RIVALS, |store, n| {
                let id = id.clone();
                async move {
                    if n % 2 == 0 {
                        return store.keep_client(&id).await.unwrap();
                    }
                    let gone = store.sweep(after(1), 100).await.unwrap();
                    assert!(gone <= 1);
                    false
                }
            })
            .await
            .contains(&true);
        assert_eq!(on.stores[1].client(&id).await.unwrap().is_some(), kept);
        on.stores[0].remove_client(&id).await.unwrap();
    }
}
