//! The voucher grant in a provider.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

use example_own_grant::{VOUCHER, Voucher, print};
use oauth_core::{
    Provider,
    config::Policy,
    error::ErrorCode,
    issue::TokenResponse,
    memory::MemoryStore,
    model::{Client, ClientId, Committed, Consume, Issuance, NewCode, Parent, SigningAlgorithm},
    params::{Incoming, Params},
    testing::{ManualClock, SeededRandom, fixtures},
};
use std::time::Duration;

const LIFE: Duration = Duration::from_hours(1);

struct Hotel {
    provider: Provider,
    clock: ManualClock,
}

impl Hotel {
    /// Two televisions that live on vouchers, one client with codes too, one without vouchers, one guest.
    async fn open() -> Self {
        let voucher = |client: Client| Client { grant_types: [VOUCHER.into()].into(), ..client };
        let both = Client {
            grant_types: [VOUCHER.into(), "authorization_code".into()].into(),
            ..fixtures::public_client("both")
        };
        let store = MemoryStore::new()
            .with_client(both)
            .with_client(voucher(fixtures::public_client("tv")))
            .with_client(voucher(fixtures::public_client("tv-2")))
            .with_client(fixtures::public_client("other"))
            .with_user(fixtures::user("guest"), "unused");
        let clock = ManualClock::default();
        let provider = Provider::builder("https://hotel.example".parse().unwrap())
            .store(store)
            .grant(Voucher)
            .clock(clock.clone())
            .random(SeededRandom::default())
            .sealing_key(&[7; 32])
            .policy(Policy { algorithms: vec![SigningAlgorithm::ES256], ..Policy::default() })
            .build()
            .unwrap();
        provider.maintain().await.unwrap();
        Self { provider, clock }
    }

    async fn voucher(&self, client: &str) -> String {
        let (login, scope) = (fixtures::login("guest"), fixtures::scope("a b"));
        print(&self.provider, ClientId::new(client), login, scope, LIFE).await.unwrap()
    }

    async fn exchange(&self, form: &[(&str, &str)]) -> Result<TokenResponse, ErrorCode> {
        let mut params = Params::default();
        for (name, value) in form {
            params.add((*name).into(), (*value).into()).unwrap();
        }
        let request = Incoming { authorization: None, params };
        self.provider.token(&request).await.map_err(|e| e.code())
    }

    async fn present(&self, client: &str, voucher: &str) -> Result<TokenResponse, ErrorCode> {
        self.exchange(&[("grant_type", VOUCHER), ("client_id", client), ("voucher", voucher)]).await
    }

    async fn says(&self, token: &str, claim: &str) -> Option<String> {
        let claims = self.provider.access_token(token).await.unwrap()?;
        Some(claims.get(claim)?.as_str()?.to_owned())
    }
}

#[tokio::test]
async fn a_voucher_gives_tokens_once() {
    let hotel = Hotel::open().await;
    let voucher = hotel.voucher("tv").await;
    let tokens = hotel.present("tv", &voucher).await.unwrap();
    assert_eq!((tokens.scope.as_str(), tokens.refresh_token), ("a b", None));
    assert_eq!(hotel.says(&tokens.access_token, "sub").await.as_deref(), Some("guest"));
    assert_eq!(hotel.present("tv", &voucher).await, Err(ErrorCode::InvalidGrant));
    assert_eq!(hotel.says(&tokens.access_token, "sub").await, None, "a second use revokes");
}

#[tokio::test]
async fn one_thing_wrong() {
    let hotel = Hotel::open().await;
    let voucher = hotel.voucher("tv").await;
    let good = [("grant_type", VOUCHER), ("client_id", "tv"), ("voucher", &voucher)];
    let but = |name, value| {
        let mut form: Vec<_> = good.into_iter().filter(|(n, _)| *n != name).collect();
        form.push((name, value));
        form
    };
    for (form, code) in [
        (but("voucher", ""), ErrorCode::InvalidRequest),
        (but("voucher", "unknown"), ErrorCode::InvalidGrant),
        (but("client_id", "tv-2"), ErrorCode::InvalidGrant),
        (but("client_id", "other"), ErrorCode::UnauthorizedClient),
        (but("client_id", "nobody"), ErrorCode::InvalidClient),
        (but("scope", "a b c"), ErrorCode::InvalidScope),
        (but("grant_type", "voucher"), ErrorCode::UnsupportedGrantType),
    ] {
        assert_eq!(hotel.exchange(&form).await, Err(code), "{form:?}");
    }
    assert_eq!(hotel.exchange(&but("scope", "a")).await.unwrap().scope, "a");

    let late = hotel.voucher("tv").await;
    hotel.clock.advance(LIFE);
    assert_eq!(hotel.present("tv", &late).await, Err(ErrorCode::InvalidGrant));
}

#[tokio::test]
async fn codes_and_vouchers_are_not_each_other() {
    let hotel = Hotel::open().await;
    let voucher = hotel.voucher("both").await;
    let verifier = "x".repeat(43);
    for further in [vec![], vec![("code_verifier", verifier.as_str())]] {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "both"),
            ("code", voucher.as_str()),
        ];
        form.extend(further);
        assert_eq!(hotel.exchange(&form).await, Err(ErrorCode::InvalidGrant));
    }
    hotel.present("both", &voucher).await.unwrap();

    let code = Issuance {
        consume: Consume::Nothing,
        parent: Parent::New(fixtures::authorization("code")),
        code: Some(NewCode { client: ClientId::new("both"), ..fixtures::code("code") }),
        tokens: Vec::new(),
        consent: None,
        at: fixtures::NOW,
    };
    let committed = hotel.provider.env().grants.commit(code).await.unwrap();
    assert_eq!(committed, Committed::Done);
    assert_eq!(hotel.present("both", "code").await, Err(ErrorCode::InvalidGrant));
}

#[tokio::test]
async fn metadata_and_registration_know_the_grant() {
    let hotel = Hotel::open().await;
    let supported = &hotel.provider.metadata()["grant_types_supported"];
    assert!(supported.as_array().unwrap().iter().any(|g| g == VOUCHER), "{supported}");
    // What a client may be registered for is read from the same list.
    assert!(hotel.provider.grants().grant_types().any(|g| g == VOUCHER));
    let plain = Provider::builder("https://hotel.example".parse().unwrap())
        .store(MemoryStore::new())
        .sealing_key(&[7; 32])
        .build()
        .unwrap();
    assert!(!plain.grants().grant_types().any(|g| g == VOUCHER));
}
