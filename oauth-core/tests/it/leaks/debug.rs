//! Every public type that has a secret in it, or had one passed to it, keeps it from its `Debug`.

use crate::support::{CHALLENGE, SEALING_KEY, SECRET, USER, World};
use oauth_core::{
    authorize::{Answer, Decision, Interaction, Next, Refused, Visitor},
    error::OAuthError,
    http::{Browser, FormParams},
    issue::TokenResponse,
    jose::generate,
    model::{
        Approval, Client, ClientAuth, CodeChallenge, Consume, Credential, Epoch, HashedToken,
        Issuance, NewCode, Parent, PlainToken, SealedSecret, SigningAlgorithm,
    },
    params::{Incoming, Params},
    ports::SystemRandom,
    testing::fixtures,
};
use std::fmt::{Debug, Write as _};

const HIDDEN: &str = "the-secret-itself-in-plain";

/// What was shown of many values.
#[derive(Default)]
struct Shown(String);

impl Shown {
    fn show(&mut self, what: &dyn Debug) {
        writeln!(self.0, "{what:?}\n{what:#?}").unwrap();
    }

    fn hides(&self, secret: &str) {
        assert!(!self.0.contains(secret), "{secret} is in\n{}", self.0);
    }
}

#[test]
fn values_of_the_model() {
    let mut shown = Shown::default();
    let plain = || PlainToken::from_wire(HIDDEN);
    shown.show(&plain());
    shown.show(&HashedToken::of(HIDDEN));
    shown.show(&Credential::Code(plain().hash()));
    shown.show(&CodeChallenge::Plain(HIDDEN.into()));
    shown.show(&CodeChallenge::S256(CHALLENGE.into()));
    shown.show(&fixtures::client("x"));
    shown.show(&fixtures::pending());
    let sealed = SealedSecret(HIDDEN.into());
    shown.show(&sealed);
    shown.show(&Client {
        auth: ClientAuth::SecretJwt(sealed),
        registration_token: Some(HashedToken::of(HIDDEN)),
        ..fixtures::client("x")
    });
    shown.show(&approval(plain()));
    let code =
        NewCode { challenge: Some(CodeChallenge::Plain(HIDDEN.into())), ..fixtures::code(HIDDEN) };
    shown.show(&Issuance {
        consume: Consume::Code(HashedToken::of(HIDDEN)),
        parent: Parent::None,
        code: Some(code),
        tokens: vec![fixtures::refresh(HIDDEN)],
        consent: None,
        at: fixtures::NOW,
    });
    shown.hides(HIDDEN);
    shown.hides(CHALLENGE);
    shown.hides(&format!("{:?}", HIDDEN.as_bytes()));
    shown.hides(&format!("{:?}", HashedToken::of(SECRET).as_bytes()));
    shown.hides(&format!("{:?}", HashedToken::of(HIDDEN).as_bytes()));
}

#[test]
fn requests_and_responses() {
    let mut shown = Shown::default();
    let mut params = Params::default();
    for name in ["code", "password", "client_secret", "refresh_token", "username", HIDDEN] {
        params.add(name.into(), HIDDEN.into()).unwrap();
    }
    shown.show(&params);
    shown.show(&FormParams(params.clone()));
    shown.show(&Incoming { authorization: Some(format!("Basic {HIDDEN}")), params });
    shown.show(&TokenResponse {
        access_token: HIDDEN.into(),
        token_type: "Bearer".into(),
        expires_in: 1,
        refresh_token: Some(HIDDEN.into()),
        id_token: Some(HIDDEN.into()),
        scope: "a".into(),
    });
    shown.show(&visitor());
    shown.hides(HIDDEN);
}

fn visitor() -> Visitor {
    Visitor { login: None, since: Epoch::default(), browser: HIDDEN.into() }
}

#[tokio::test]
async fn the_steps_of_an_authorization() {
    let world = World::new().await;
    let mut shown = Shown::default();
    let request = world.request("web").set("state", HIDDEN);
    let query = request.set("login_hint", HIDDEN).query();
    let params = Params::parse(query.as_bytes()).unwrap();
    let next = world.provider.authorize(&params, visitor()).await.unwrap();
    shown.show(&next);
    let Next::Login(id) = next else { panic!("a login was expected") };
    let (id, signed_in) = (id.reveal(), Decision::SignedIn(world.login(USER)));
    let interaction: Interaction = world.provider.interaction(&id, HIDDEN).await.unwrap();
    shown.show(&interaction);
    let next = world.provider.resume(&id, HIDDEN, signed_in, Epoch::default()).await;
    shown.show(&next);
    let Ok(Next::Consent(consent)) = next else { panic!("a consent was expected") };
    let consent = consent.reveal();
    let yes = Decision::Approved { scope: None };
    let next = world.provider.resume(&consent, HIDDEN, yes, Epoch::default()).await;
    shown.show(&next);
    let Ok(Next::Return(Answer { fields, target })) = next else {
        panic!("an answer was expected")
    };
    let code = &fields.iter().find(|(n, _)| *n == "code").unwrap().1;
    let grants = &world.provider.env().grants;
    shown.show(&grants.code(&HashedToken::of(code)).await.unwrap());
    shown.show(&target);
    shown.show(&Refused::Return(target, OAuthError::invalid_request("x")));
    for secret in [HIDDEN, code, &id, &consent] {
        shown.hides(secret);
    }
}

#[tokio::test]
async fn providers_keys_and_browsers() {
    let world = World::new().await;
    let mut shown = Shown::default();
    let cookie = "b".repeat(43);
    let header = format!("__Host-oauth_browser={cookie}");
    let headers = http::HeaderMap::from_iter([(http::header::COOKIE, header.parse().unwrap())]);
    let browser = Browser::of(&world.provider, &headers);
    assert_eq!(browser.as_str(), cookie);
    shown.show(&browser);
    shown.show(&world.provider);
    shown.show(&world.provider.env().policy);
    let key = generate(SigningAlgorithm::ES256, &SystemRandom).unwrap();
    shown.show(&key.signer);
    shown.hides(&cookie);
    shown.hides(&format!("{SEALING_KEY:?}"));
    shown.hides(&format!("{:?}", &key.pkcs8[..]));
}

fn approval(token: PlainToken) -> Approval {
    Approval {
        credential: Credential::RefreshToken { token, retry_since: fixtures::NOW },
        parent: Parent::None,
        login: None,
        openid: None,
        scope: fixtures::scope("a"),
        refresh_scope: fixtures::scope("a"),
        resources: Vec::new(),
        refresh_resources: Vec::new(),
        refresh_until: None,
    }
}
