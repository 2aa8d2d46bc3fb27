//! Signing keys by timetable: made once, published before they sign, kept until their last token has expired.

use crate::support::{ISSUER, SEALING_KEY, Setup, World};
use oauth_core::{
    Provider,
    config::Policy,
    env::Env,
    jose::{GeneratedKey, KeySet, Sealer, generate, import_pem, verify},
    keys::{KeyRing, RotateWhen},
    memory::MemoryStore,
    model::{SigningAlgorithm, StoredKey, Timestamp},
    ports::{KeyStore, SystemRandom},
    testing::{ManualClock, SeededRandom, fixtures::NOW},
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

const DAY: u64 = 86_400;
const ES256: SigningAlgorithm = SigningAlgorithm::ES256;

/// A provider on a shared store, as one process of several.
fn process(store: &MemoryStore, clock: &ManualClock, sealing_key: &[u8; 32]) -> Provider {
    Provider::builder(ISSUER.parse().unwrap())
        .store(store.clone())
        .clock(clock.clone())
        .sealing_key(sealing_key)
        .policy(Policy { algorithms: vec![ES256], ..Policy::default() })
        .build()
        .unwrap()
}

fn kids(jwks: &str) -> Vec<String> {
    let set: Value = serde_json::from_str(jwks).unwrap();
    let keys = set["keys"].as_array().unwrap();
    keys.iter().map(|k| k["kid"].as_str().unwrap().into()).collect()
}

/// The ids of the published keys and of the one that signs.
async fn published(provider: &Provider) -> (Vec<String>, Option<String>) {
    let env: &Env = provider.env();
    let now = env.clock.now();
    let keys = env.key_snapshot(now).await.unwrap();
    let signer = keys.signer(ES256, now).map(|s| s.kid().to_owned());
    (kids(keys.jwks()), signer)
}

#[tokio::test]
async fn the_first_start_makes_one_key_per_algorithm() {
    let world = Setup::new().policy(|p| p.algorithms = SigningAlgorithm::ALL.into()).start().await;
    let jwks: Value = serde_json::from_str(&world.provider.jwks().await.unwrap()).unwrap();
    let keys = jwks["keys"].as_array().unwrap();
    let mut algorithms: Vec<_> = keys.iter().map(|k| k["alg"].as_str().unwrap()).collect();
    algorithms.sort_unstable();
    assert_eq!(algorithms, ["ES256", "EdDSA", "PS256", "RS256", "RS512"]);
    for key in keys {
        assert_eq!(key["use"], "sig");
        assert_eq!(key["kid"].as_str().unwrap().len(), 43);
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert_eq!(key.get(private), None, "{private}");
        }
    }
    let now = world.provider.env().clock.now();
    let snapshot = world.provider.env().key_snapshot(now).await.unwrap();
    assert_eq!(snapshot.certificates().count(), 5);
    assert_eq!(snapshot.algorithms(now).count(), 5);
    let before = world.store.keys().await.unwrap();
    world.provider.maintain().await.unwrap();
    assert_eq!(world.store.keys().await.unwrap(), before);
}

#[tokio::test]
async fn before_the_first_maintenance_nothing_is_signed() {
    let (store, clock) = (MemoryStore::new(), ManualClock::default());
    let provider = process(&store, &clock, &SEALING_KEY);
    assert_eq!(provider.jwks().await.unwrap(), "{\"keys\":[]}");
    provider.maintain().await.unwrap();
    assert_eq!(kids(&provider.jwks().await.unwrap()).len(), 1);
}

#[tokio::test]
async fn a_restart_finds_its_keys() {
    let (store, clock) = (MemoryStore::new(), ManualClock::default());
    let first = process(&store, &clock, &SEALING_KEY);
    first.maintain().await.unwrap();
    let second = process(&store, &clock, &SEALING_KEY);
    second.maintain().await.unwrap();
    assert_eq!(published(&first).await, published(&second).await);
    assert_eq!(store.keys().await.unwrap().len(), 1);
}

/// Another sealing key must not quietly lead to another signing key, which would end every token.
#[tokio::test]
async fn a_wrong_sealing_key_is_an_error_and_no_new_key() {
    let (store, clock) = (MemoryStore::new(), ManualClock::default());
    process(&store, &clock, &SEALING_KEY).maintain().await.unwrap();
    let before = store.keys().await.unwrap();
    let wrong = process(&store, &clock, &[8; 32]);
    assert!(wrong.maintain().await.is_err());
    assert!(wrong.jwks().await.is_err());
    assert_eq!(store.keys().await.unwrap(), before);
}

/// A sealed key belongs to its id: the database cannot swap one for another, or change a bit of one.
#[tokio::test]
async fn a_changed_or_swapped_key_does_not_open() {
    let (store, clock) = (MemoryStore::new(), ManualClock::default());
    process(&store, &clock, &SEALING_KEY).maintain().await.unwrap();
    let good = store.keys().await.unwrap().remove(0);
    let mut flipped = good.sealed.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for bad in [
        StoredKey { sealed: flipped, ..good.clone() },
        StoredKey { sealed: Vec::new(), ..good.clone() },
        StoredKey { kid: "other".into(), ..good.clone() },
        StoredKey { alg: SigningAlgorithm::EdDSA, ..good.clone() },
    ] {
        let store = MemoryStore::new();
        assert!(store.insert_key(bad).await.unwrap());
        assert!(process(&store, &clock, &SEALING_KEY).maintain().await.is_err());
    }
}

#[tokio::test]
async fn the_private_key_is_not_in_the_store_in_the_clear() {
    let store = MemoryStore::new();
    let sealer = Arc::new(Sealer::new(&SEALING_KEY));
    let ring = KeyRing::new(
        Arc::new(store.clone()),
        sealer,
        Arc::new(SystemRandom),
        &Policy::default(),
        vec!["as.example".into()],
    );
    let key = generate(ES256, &SystemRandom).unwrap();
    let pkcs8 = key.pkcs8.clone();
    ring.adopt(key, None, RotateWhen::Now, NOW).await.unwrap();
    let stored = store.keys().await.unwrap().remove(0);
    let tail = &pkcs8[pkcs8.len() - 32..];
    assert!(!stored.sealed.windows(32).any(|w| w == tail));
    assert!(!stored.certificate.contains("PRIVATE"));
}

#[tokio::test]
async fn a_key_is_published_before_it_signs_and_after_it_signed() {
    let world = World::new().await;
    let (_, Some(first)) = published(&world.provider).await else { panic!("there is a signer") };
    world.after(89 * DAY - 1);
    world.provider.maintain().await.unwrap();
    assert_eq!(published(&world.provider).await.0, [first.as_str()]);
    // A day before its time the successor is there, and does not sign.
    world.after(1);
    world.provider.maintain().await.unwrap();
    let (both, signer) = published(&world.provider).await;
    assert_eq!((both.len(), signer.as_ref()), (2, Some(&first)));
    world.after(DAY - 1);
    let last = world.token("web", "client_credentials").issues().await;
    assert_eq!(published(&world.provider).await.1, Some(first.clone()));
    // At its time it signs, without anybody having done anything.
    world.after(1);
    let (_, Some(second)) = published(&world.provider).await else { panic!("there is a signer") };
    assert_ne!(first, second);
    assert!(both.contains(&second));
    assert!(world.is_active(&last.access_token).await);
    // The old one stays for as long as any token it signed may live.
    world.after(DAY - 1);
    world.provider.maintain().await.unwrap();
    assert!(published(&world.provider).await.0.contains(&first));
    world.after(1);
    world.provider.maintain().await.unwrap();
    assert_eq!(published(&world.provider).await.0, [second.as_str()]);
    // In the store it is for as long as id tokens of its time may come back as hints.
    world.after(29 * DAY - 1);
    world.provider.maintain().await.unwrap();
    assert_eq!(world.store.keys().await.unwrap().len(), 2);
    world.after(1);
    world.provider.maintain().await.unwrap();
    assert_eq!(published(&world.provider).await.0, [second.as_str()]);
    assert_eq!(world.store.keys().await.unwrap().len(), 1);
}

/// Whoever has gone out of publication is nobody's successor again.
#[tokio::test]
async fn a_key_that_is_out_of_use_does_not_come_back() {
    let world = World::new().await;
    let env = world.provider.env();
    let (_, Some(first)) = published(&world.provider).await else { panic!("there is a signer") };
    rotate(env, RotateWhen::Now).await;
    world.after(DAY);
    world.provider.maintain().await.unwrap();
    let (keys, Some(second)) = published(&world.provider).await else { panic!("one signs") };
    assert_eq!(keys, [second.as_str()]);
    assert_eq!(world.store.keys().await.unwrap().len(), 2);
    env.keys.retire(&second, env.clock.now()).await.unwrap();
    assert_eq!(published(&world.provider).await, (Vec::new(), None));
    world.provider.maintain().await.unwrap();
    let (keys, Some(third)) = published(&world.provider).await else { panic!("one signs") };
    assert_eq!(keys, [third.as_str()]);
    assert!(third != first && third != second);
    for _ in 0..40 {
        world.after(DAY);
        world.provider.maintain().await.unwrap();
        assert_eq!(published(&world.provider).await, (vec![third.clone()], Some(third.clone())));
    }
    assert_eq!(world.store.keys().await.unwrap().len(), 1);
}

/// Where there are no id tokens, no key is kept for them.
#[tokio::test]
async fn without_openid_connect_a_key_goes_with_its_last_token() {
    let world = Setup::new().policy(|p| p.openid = false).start().await;
    rotate(world.provider.env(), RotateWhen::Now).await;
    world.after(DAY);
    world.provider.maintain().await.unwrap();
    assert_eq!(world.store.keys().await.unwrap().len(), 1);
}

/// Whoever slept through the rotation still gives caches their time.
#[tokio::test]
async fn a_late_rotation_is_published_first_too() {
    let world = World::new().await;
    let (_, first) = published(&world.provider).await;
    world.after(1000 * DAY);
    world.provider.maintain().await.unwrap();
    let (both, signer) = published(&world.provider).await;
    assert_eq!((both.len(), &signer), (2, &first));
    world.after(DAY);
    assert_ne!(published(&world.provider).await.1, first);
}

#[tokio::test]
async fn rotating_at_once() {
    let world = World::new().await;
    let env = world.provider.env();
    let now = env.clock.now();
    let (_, first) = published(&world.provider).await;
    let token = world.token("web", "client_credentials").issues().await;
    let kid = env.keys.rotate(ES256, RotateWhen::Now, now).await.unwrap();
    let (both, signer) = published(&world.provider).await;
    assert_eq!((both.len(), signer), (2, Some(kid)));
    assert!(world.is_active(&token.access_token).await);
    // The old one is withdrawn at once, and with it what it signed.
    assert!(env.keys.retire(&first.unwrap(), now).await.unwrap());
    assert_eq!(published(&world.provider).await.0.len(), 1);
    assert!(!world.is_active(&token.access_token).await);
    assert!(!env.keys.retire("unknown", now).await.unwrap());
}

/// An emergency during the lead time: the key made in the emergency signs, also when the time of the one that was
/// waiting has come.
/// An id token may outlive every access token, and clients must be able to check it as long as it lives.
#[tokio::test]
async fn a_key_stays_published_as_long_as_an_id_token_lives() {
    let life = Duration::from_secs(2 * DAY);
    let world = Setup::new().policy(|p| p.id_token_ttl = life).start().await;
    let (before, _) = published(&world.provider).await;
    rotate(world.provider.env(), RotateWhen::Now).await;
    world.after(2 * DAY - 60);
    world.provider.maintain().await.unwrap();
    assert!(published(&world.provider).await.0.contains(&before[0]));
    world.after(120);
    world.provider.maintain().await.unwrap();
    assert!(!published(&world.provider).await.0.contains(&before[0]));
}

#[tokio::test]
async fn rotating_at_once_overtakes_a_waiting_successor() {
    let world = World::new().await;
    let env = world.provider.env();
    let rotate = async |when| {
        let now = env.clock.now();
        env.keys.rotate(ES256, when, now).await.unwrap()
    };
    let waiting = rotate(RotateWhen::AfterLead).await;
    world.after(3600);
    let urgent = rotate(RotateWhen::Now).await;
    assert_eq!(published(&world.provider).await.1.as_ref(), Some(&urgent));
    for _ in 0..60 {
        world.after(3600);
        world.provider.maintain().await.unwrap();
        let (keys, signer) = published(&world.provider).await;
        assert_eq!(signer.as_ref(), Some(&urgent));
        assert!(keys.contains(&urgent));
    }
    assert!(!published(&world.provider).await.0.contains(&waiting));
}

/// Withdrawing the key that signs must not stop the server while a successor is waiting.
#[tokio::test]
async fn retiring_with_a_successor_in_waiting() {
    let world = World::new().await;
    let env = world.provider.env();
    let now = env.clock.now();
    let (_, first) = published(&world.provider).await;
    let waiting = env.keys.rotate(ES256, RotateWhen::AfterLead, now).await.unwrap();
    env.keys.retire(&first.unwrap(), now).await.unwrap();
    assert_eq!(published(&world.provider).await, (vec![waiting.clone()], Some(waiting)));
    world.token("web", "client_credentials").issues().await;
}

#[tokio::test]
async fn retiring_the_only_key() {
    let world = World::new().await;
    let env = world.provider.env();
    let (_, first) = published(&world.provider).await;
    env.keys.retire(&first.unwrap(), env.clock.now()).await.unwrap();
    world.token("web", "client_credentials").refuses("server_error").await;
    world.provider.maintain().await.unwrap();
    let token = world.token("web", "client_credentials").issues().await;
    assert!(world.is_active(&token.access_token).await);
}

#[tokio::test]
async fn several_processes_agree_without_talking() {
    let (store, clock) = (MemoryStore::new(), ManualClock::default());
    let one = process(&store, &clock, &SEALING_KEY);
    let two = process(&store, &clock, &SEALING_KEY);
    one.maintain().await.unwrap();
    two.maintain().await.unwrap();
    let mut signers = std::collections::BTreeSet::new();
    for hour in 0..24 * 400 {
        clock.advance(Duration::from_hours(1));
        // Only one of them keeps house, now this one and now that one.
        let keeper = if hour % 7 < 3 { &one } else { &two };
        if hour % 5 == 0 {
            keeper.maintain().await.unwrap();
        }
        let (keys, signer) = published(&one).await;
        assert_eq!((keys.clone(), signer.clone()), published(&two).await);
        assert!(keys.contains(&signer.clone().unwrap()));
        signers.extend(signer);
    }
    assert_eq!(signers.len(), 5);
    assert!(store.keys().await.unwrap().len() <= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_processes_start_at_once() {
    for _ in 0..20 {
        let (store, clock) = (MemoryStore::new(), ManualClock::default());
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let provider = process(&store, &clock, &SEALING_KEY);
                tokio::spawn(async move {
                    provider.maintain().await.unwrap();
                    published(&provider).await
                })
            })
            .collect();
        let mut seen = std::collections::BTreeSet::new();
        for start in starts {
            seen.insert(start.await.unwrap());
        }
        assert_eq!(seen.len(), 1);
        assert_eq!(store.keys().await.unwrap().len(), 1);
    }
}

/// A store that is away for a while does not stop the signing.
#[tokio::test]
async fn loaded_keys_stay_in_use_while_the_store_is_away() {
    let world = World::new().await;
    let before = published(&world.provider).await;
    world.store.fail(Some("away"));
    world.after(3600);
    assert_eq!(published(&world.provider).await, before);
    assert!(world.provider.maintain().await.is_err());
    world.store.fail(None);
    world.provider.maintain().await.unwrap();
}

/// A clock that was a century ahead and is set right does not stop the keys from being read again.
#[tokio::test]
async fn a_clock_set_back_does_not_stop_the_reloading() {
    let (store, clock) = (MemoryStore::new(), ManualClock::default());
    let one = process(&store, &clock, &SEALING_KEY);
    let two = process(&store, &clock, &SEALING_KEY);
    one.maintain().await.unwrap();
    clock.advance(Duration::from_secs(36_500 * DAY));
    published(&two).await;
    clock.set(NOW.plus(Duration::from_secs(100)));
    let (_, Some(signer)) = published(&two).await else { panic!("there is a signer") };
    let env = one.env();
    env.keys.retire(&signer, env.clock.now()).await.unwrap();
    clock.advance(Duration::from_secs(61));
    assert_eq!(published(&two).await.1, None);
}

#[tokio::test]
async fn a_key_made_elsewhere_can_be_adopted_once() {
    let world = World::new().await;
    let env = world.provider.env();
    let pem = || {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let key = generate(ES256, &SystemRandom).unwrap();
        let body = STANDARD.encode(&*key.pkcs8);
        let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
    };
    let pem = pem();
    let adopt = async |key: GeneratedKey| {
        let now = env.clock.now();
        let certificate = Some("its own".to_owned());
        let ring = &env.keys;
        ring.adopt(key, certificate, RotateWhen::Now, now).await
    };
    let kid = adopt(import_pem(&pem, None).unwrap()).await.unwrap();
    let (keys, signer) = published(&world.provider).await;
    assert_eq!((keys.len(), signer), (2, Some(kid)));
    assert!(adopt(import_pem(&pem, None).unwrap()).await.is_err());
    let now = env.clock.now();
    let snapshot = env.key_snapshot(now).await.unwrap();
    assert!(snapshot.certificates().any(|c| c == "its own"));
}

/// Whatever is done in whatever order: there is a signer, it is published, and what it signed verifies until it
/// expires, unless its key was withdrawn.
#[tokio::test]
async fn histories_of_rotation_keep_their_promises() {
    let dice = SeededRandom::new(1);
    for _ in 0..40 {
        history(&dice).await;
    }
}

async fn history(dice: &SeededRandom) {
    let (store, clock) = (MemoryStore::new(), ManualClock::default());
    let provider = process(&store, &clock, &SEALING_KEY);
    provider.maintain().await.unwrap();
    let env = provider.env();
    let mut issued: Vec<(String, String, Timestamp)> = Vec::new();
    for _ in 0..60 {
        let now = env.clock.now();
        match dice.below(8) {
            0 => rotate(env, RotateWhen::Now).await,
            1 => rotate(env, RotateWhen::AfterLead).await,
            2 => {
                let (keys, _) = published(&provider).await;
                let which = usize::try_from(dice.below(keys.len() as u64)).unwrap();
                env.keys.retire(&keys[which], now).await.unwrap();
                issued.retain(|(kid, ..)| *kid != keys[which]);
            }
            3 => clock.advance(Duration::from_secs(dice.below(100 * DAY))),
            _ => clock.advance(Duration::from_secs(dice.below(DAY))),
        }
        provider.maintain().await.unwrap();
        let now = env.clock.now();
        let (keys, signer) = published(&provider).await;
        let kid = signer.expect("something signs");
        assert!(keys.contains(&kid));
        let snapshot = env.key_snapshot(now).await.unwrap();
        let token = snapshot.signer(ES256, now).unwrap().sign("at+jwt", &kid).unwrap();
        let dies = now.plus(env.policy.access_token_max_ttl);
        issued.push((kid, token, dies));
        issued.retain(|(_, _, dies)| *dies > now);
        let jwks: Value = serde_json::from_str(&provider.jwks().await.unwrap()).unwrap();
        let set = KeySet::from_jwks(&jwks);
        for (kid, token, _) in &issued {
            let problem = verify(token, &set, &[ES256]).err();
            // The claims are a bare string, so a good signature is followed by `Malformed`.
            assert_eq!(problem, Some(oauth_core::jose::JwtProblem::Malformed), "{kid}");
        }
    }
}

async fn rotate(env: &Env, when: RotateWhen) {
    let now = env.clock.now();
    env.keys.rotate(ES256, when, now).await.unwrap();
}
