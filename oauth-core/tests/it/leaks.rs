//! No secret in a log line or a `Debug`, and no text of a failure in a response.

use crate::support::{
    Ask, CALLBACK, CHALLENGE, ODD_ID, ODD_SECRET, PASSWORD, SEALING_KEY, SECRET, Setup, USER,
    USERNAME, VERIFIER, World,
};
use async_trait::async_trait;
use oauth_core::{
    authorize::{Answer, Decision, Interaction, Next, Refused, Visitor},
    error::{ErrorCode, OAuthError, PortError},
    grants::{Implicit, Password},
    http::{Browser, FormParams, error_json},
    issue::TokenResponse,
    jose::generate,
    model::{
        Approval, Client, ClientAuth, CodeChallenge, Consume, Credential, HashedToken, Issuance,
        NewCode, Parent, PlainToken, Scope, SecretHash, SecretMethod, SigningAlgorithm,
        TokenFormat, UserId,
    },
    params::{Incoming, Params},
    ports::{Claims, SystemRandom},
    testing::fixtures,
};
use proptest::prelude::*;
use serde_json::{Map, Value};
use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Keeps everything that is logged, at every level, spans too.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

struct Writer<'a>(&'a mut String);

impl Visit for Writer<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut text = self.0.lock().unwrap();
        let _ = write!(text, "[{}] ", span.metadata().name());
        span.record(&mut Writer(&mut text));
        text.push('\n');
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut Writer(&mut self.0.lock().unwrap()));
    }
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut text = self.0.lock().unwrap();
        let _ = write!(text, "{} ", event.metadata().level());
        event.record(&mut Writer(&mut text));
        text.push('\n');
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// Everything that must never be seen.
#[derive(Default)]
struct Secrets(Vec<String>);

impl Secrets {
    fn add(&mut self, secret: impl Into<String>) {
        self.0.push(secret.into());
    }

    fn add_tokens(&mut self, response: &TokenResponse) {
        self.add(&response.access_token);
        // The parts of a JWT tell as much as the whole.
        self.0.extend(response.access_token.split('.').skip(1).map(str::to_owned));
        self.0.extend(response.refresh_token.clone());
    }

    fn are_not_in(&self, text: &str) {
        assert!(self.0.len() > 10);
        for secret in &self.0 {
            assert!(secret.len() > 5, "{secret:?} is too short to look for");
            assert!(!text.contains(secret.as_str()), "{secret} is in\n{text}");
        }
    }
}

/// Every grant, every refusal and every page, in a world of this kind of token.
async fn everything(world: &World) -> Secrets {
    let mut secrets = Secrets::default();
    for constant in [SECRET_LONG, ODD_SECRET, PASSWORD, USERNAME, VERIFIER, "d2ViOnNlY3JldA"] {
        secrets.add(constant);
    }
    secrets.add(HINT);
    let request = world.request("web").set("login_hint", HINT).set("state", STATE);
    secrets.add(STATE);
    let step = request.send().await;
    secrets.add(step.browser.clone());
    secrets.add(step.reply.interaction("/login"));
    let step = step.sign_in(USER).await;
    let consent = step.reply.interaction("/consent");
    secrets.add(consent.clone());
    let step = step.approve().await;
    let code = step.reply.answer().get("code").unwrap().to_owned();
    secrets.add(code.clone());
    step.decide(&consent, Decision::Denied).await;
    world.redeem("web", &code).set("code_verifier", &"w".repeat(43)).send().await;
    world.redeem("other", &code).send().await;
    let first = world.redeem("web", &code).issues().await;
    secrets.add_tokens(&first);
    let second = world.refresh("web", first.refresh_token.as_ref().unwrap()).issues().await;
    secrets.add_tokens(&second);
    world.refresh("web", first.refresh_token.as_ref().unwrap()).issues().await;
    world.introspect(&second.access_token).await;
    world.introspect(second.refresh_token.as_ref().unwrap()).await;
    world.revoke("other", second.refresh_token.as_ref().unwrap()).send().await;
    world.revoke("web", &second.access_token).is_done().await;
    world.redeem("web", &code).refuses("invalid_grant").await;
    world.refresh("web", second.refresh_token.as_ref().unwrap()).send().await;
    let implicit = world.request("web").set("response_type", "token").answer().await;
    secrets.add(implicit.get("access_token").unwrap());
    let password = |word: &str| {
        let ask = world.token("web", "password").set("username", USERNAME);
        ask.set("password", word)
    };
    secrets.add("wrong password");
    password("wrong password").refuses("invalid_grant").await;
    secrets.add_tokens(&password(PASSWORD).issues().await);
    let own = world.token(ODD_ID, "client_credentials").issues().await;
    secrets.add_tokens(&own);
    world.revoke(ODD_ID, &own.access_token).is_done().await;
    world.introspect(&own.access_token).await;
    let long = |client: &str| {
        let ask = world.token(client, "client_credentials").anonymous();
        ask.set("client_id", client).set("client_secret", SECRET_LONG)
    };
    secrets.add_tokens(&long("long").issues().await);
    long("post").refuses("invalid_client").await;
    long("nobody").refuses("invalid_client").await;
    refusals(world, &code).await;
    secrets
}

/// Requests that go wrong with a secret in them.
async fn refusals(world: &World, code: &str) {
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
        let ask = || Ask::new(world, path).basic("nobody", SECRET_LONG).set("token", code);
        ask().refuses("invalid_client").await;
        ask().set("client_secret", SECRET_LONG).refuses("invalid_request").await;
        ask().also("token", code).refuses("invalid_request").await;
        let body = ask().encoded().into_bytes();
        ask().send_as("text/plain", body).await;
        ask().send_as("multipart/form-data; boundary=X", code.into()).await;
    }
    world.request("web").set("redirect_uri", PASSWORD).shows("invalid_request").await;
    world.request("web").set("client_id", PASSWORD).shows("invalid_request").await;
    world.request("web").set("scope", PASSWORD).refuses("invalid_scope").await;
    world.request("web").set("resource", PASSWORD).refuses("invalid_target").await;
    world.token("web", PASSWORD).refuses("unsupported_grant_type").await;
    world.provider.interaction(code, code).await.unwrap_err();
    world.store.fail(Some("the database is away"));
    let ask = world.redeem("web", code).set("password", PASSWORD);
    ask.refuses("server_error").await;
    world.request("web").shows("server_error").await;
    world.store.fail(None);
}

const SECRET_LONG: &str = "a-long-secret-of-a-client";
const HINT: &str = "hint@people.example";
const STATE: &str = "state-of-the-client";

#[tokio::test]
async fn nothing_secret_is_logged() {
    let log = Log::default();
    // While there is only one subscriber, `tracing` asks that of the thread which comes upon a log statement first
    // whether anybody listens, and tests on other threads have none.
    let _another = tracing::Dispatch::new(Log::default());
    let _guard = tracing::subscriber::set_default(log.clone());
    for format in [TokenFormat::Jwt(SigningAlgorithm::ES256), TokenFormat::Opaque] {
        log.0.lock().unwrap().clear();
        let world = Setup::new()
            .policy(|p| p.access_token_format = format)
            .builder(|b| b.grant(Implicit).grant(Password))
            .client("long", |c| {
                let hash = SecretHash::Sha256(HashedToken::of(SECRET_LONG));
                c.auth = ClientAuth::Secret(SecretMethod::Post, hash);
            })
            .start()
            .await;
        let secrets = everything(&world).await;
        let text = log.text();
        for told in ["token issued", "request refused", "authorization granted", "token revoked"] {
            assert!(text.contains(told), "{told} is not in\n{text}");
        }
        assert!(text.contains("the database is away"));
        secrets.are_not_in(&text);
    }
}

/// Every public type that has a secret in it, or had one passed to it.
#[tokio::test]
async fn nothing_secret_is_in_a_debug_format() {
    let world = World::new().await;
    let mut seen = String::new();
    let mut show = |what: &dyn Debug| {
        let _ = writeln!(seen, "{what:?}\n{what:#?}");
    };
    let secret = "the-secret-itself-in-plain";
    let plain = || PlainToken::from_wire(secret);
    show(&plain());
    show(&HashedToken::of(secret));
    show(&Credential::Code(plain().hash()));
    show(&CodeChallenge::Plain(secret.into()));
    let mut params = Params::default();
    for name in ["code", "password", "client_secret", "refresh_token", "username", secret] {
        params.add(name.into(), secret.into()).unwrap();
    }
    show(&params);
    show(&FormParams(params.clone()));
    show(&Incoming { authorization: Some(format!("Basic {secret}")), params });
    show(&TokenResponse {
        access_token: secret.into(),
        token_type: "Bearer".into(),
        expires_in: 1,
        refresh_token: Some(secret.into()),
        scope: "a".into(),
    });
    let visitor = |login| Visitor { login, browser: secret.into() };
    show(&visitor(None));
    let query = world.request("web").set("state", secret).set("login_hint", secret).query();
    let params = Params::parse(query.as_bytes()).unwrap();
    let next = world.provider.authorize(&params, visitor(None)).await.unwrap();
    show(&next);
    let Next::Login(id) = next else { panic!("a login was expected") };
    let (id, signed_in) = (id.reveal(), Decision::SignedIn(world.login(USER)));
    let interaction: Interaction = world.provider.interaction(&id, secret).await.unwrap();
    show(&interaction);
    show(&interaction.pending);
    let Ok(Next::Consent(consent)) = world.provider.resume(&id, secret, signed_in).await else {
        panic!("a consent was expected")
    };
    let yes = Decision::Approved { scope: None };
    let answered = world.provider.resume(&consent.reveal(), secret, yes).await;
    show(&answered);
    let Ok(Next::Return(Answer { fields, target })) = answered else {
        panic!("an answer was expected")
    };
    show(&target);
    show(&Refused::Return(target, OAuthError::invalid_request("x")));
    let code = fields.iter().find(|(n, _)| *n == "code").unwrap().1.clone();
    show(&world.provider.env().grants.code(&HashedToken::of(&code)).await.unwrap());
    let headers = http::HeaderMap::from_iter([(
        http::header::COOKIE,
        format!("__Host-oauth_browser={}", "b".repeat(43)).parse().unwrap(),
    )]);
    let browser = Browser::of(&world.provider, &headers);
    assert_eq!(browser.as_str(), "b".repeat(43));
    show(&browser);
    show(&world.provider);
    show(&fixtures::client("x"));
    let new_code =
        NewCode { challenge: Some(CodeChallenge::Plain(secret.into())), ..fixtures::code(secret) };
    show(&approval(plain()));
    show(&Issuance {
        consume: Consume::Code(HashedToken::of(secret)),
        parent: Parent::None,
        code: Some(new_code),
        tokens: vec![fixtures::refresh(secret)],
        consent: None,
        at: fixtures::NOW,
    });
    let key = generate(SigningAlgorithm::ES256, &SystemRandom).unwrap();
    show(&key.signer);
    show(&world.provider.env().policy);
    let mut hidden = vec![secret.to_owned(), code, "b".repeat(43), format!("{SEALING_KEY:?}")];
    let hash = HashedToken::of(SECRET);
    hidden.push(format!("{:?}", hash.as_bytes()));
    for text in hidden {
        assert!(!seen.contains(&text), "{text} is in\n{seen}");
    }
    assert!(seen.len() > 5000);
}

fn approval(token: PlainToken) -> Approval {
    Approval {
        credential: Credential::RefreshToken { token, retry_since: fixtures::NOW },
        parent: Parent::None,
        login: None,
        scope: fixtures::scope("a"),
        refresh_scope: fixtures::scope("a"),
        resources: Vec::new(),
        refresh_resources: Vec::new(),
        refresh_until: None,
    }
}

/// Claims that cannot be had.
struct Failing(String);

#[async_trait]
impl Claims for Failing {
    async fn claims(
        &self,
        _: Option<&UserId>,
        _: &Client,
        _: &Scope,
    ) -> Result<Map<String, Value>, PortError> {
        Err(PortError::new(self.0.clone()))
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(future)
}

/// The section sign, which no response contains.
const MARK: char = '\u{a7}';

/// A text that cannot occur in a response by accident.
fn cause() -> impl Strategy<Value = String> {
    "[^\0]{0,20}".prop_map(|text| format!("{text}\u{a7}<b>\"$'{text}"))
}

/// The responses to everything, while all of the store or only its writes fail with this text.
async fn failures(text: &str, all: bool) -> Vec<(String, crate::support::Reply)> {
    let world = Setup::new()
        .builder(|b| b.grant(Implicit).grant(Password))
        .client("opaque", |c| c.access_token_format = Some(TokenFormat::Opaque))
        .start()
        .await;
    let code = world.request("web").code().await;
    let tokens = world.tokens("web").await;
    let refresh = tokens.refresh_token.unwrap();
    let login = world.request("other").send().await;
    let consent = world.request("other").send().await.sign_in(USER).await;
    let own = world.token("web", "client_credentials").issues().await.access_token;
    if all {
        world.store.fail(Some(text));
        // The signing keys are due to be read again.
        world.after(61);
    } else {
        world.store.fail_writes(Some(text));
    }
    let password = world.token("web", "password").set("username", USERNAME);
    let implicit = world.request("web").signed_in(USER).set("response_type", "token");
    vec![
        ("code".into(), world.redeem("web", &code).send().await),
        ("refresh".into(), world.refresh("web", &refresh).send().await),
        ("password".into(), password.set("password", PASSWORD).send().await),
        ("opaque".into(), world.token("opaque", "client_credentials").send().await),
        ("revoke".into(), world.revoke("web", &refresh).send().await),
        ("revoke access".into(), world.revoke("web", &tokens.access_token).send().await),
        ("revoke own".into(), world.revoke("web", &own).send().await),
        ("introspect".into(), world.introspection("rs", &own).send().await),
        ("authorize".into(), world.request("web").send().await.reply),
        ("remembered".into(), world.request("web").signed_in(USER).send().await.reply),
        ("implicit".into(), implicit.send().await.reply),
        ("login".into(), login.sign_in(USER).await.reply),
        ("consent".into(), consent.approve().await.reply),
        ("jwks".into(), world.get("/.well-known/jwks.json").await),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_text_of_a_failure_reaches_nobody(text in cause()) {
        run(async {
            let mut kinds = std::collections::BTreeSet::new();
            for all in [false, true] {
                for (what, reply) in failures(&text, all).await {
                    let headers = format!("{:?}", reply.headers);
                    let encoded: String =
                        form_urlencoded::byte_serialize("\u{a7}".as_bytes()).collect();
                    for seen in [reply.text(), &headers] {
                        prop_assert!(!seen.contains(MARK) && !seen.contains(&encoded), "{what} {seen}");
                        prop_assert!(!seen.contains("port failed"), "{what} {seen}");
                    }
                    let kind = match reply.status {
                        500 if reply.text().starts_with('{') => {
                            prop_assert_eq!(reply.text(), "{\"error\":\"server_error\"}");
                            "json"
                        }
                        500 => {
                            reply.is_page("server_error");
                            "page"
                        }
                        302 | 303 if reply.location().starts_with(CALLBACK) => {
                            let answer = reply.answer();
                            prop_assert_eq!(answer.get("error"), Some("server_error"));
                            "redirect"
                        }
                        status => {
                            prop_assert!(status == 200 && !all || what == "jwks", "{} {}", what, status);
                            continue;
                        }
                    };
                    kinds.insert(kind);
                }
            }
            prop_assert_eq!(kinds.len(), 3);
            Ok(())
        })?;
    }

    #[test]
    fn nor_does_that_of_an_embedders_claims(text in cause()) {
        run(async {
            let port = Failing(text.clone());
            let world = Setup::new().builder(|b| b.grant(Implicit).claims(port)).start().await;
            let reply = world.token("web", "client_credentials").send().await;
            prop_assert_eq!(reply.text(), "{\"error\":\"server_error\"}");
            let answer = world.request("web").set("response_type", "token").answer().await;
            prop_assert_eq!(answer.get("error"), Some("server_error"));
            prop_assert_eq!(answer.get("error_description"), None);
            Ok(())
        })?;
    }

    #[test]
    fn an_error_is_shown_without_its_cause(text in cause()) {
        let error = OAuthError::from(PortError::new(text.clone()));
        prop_assert_eq!(error.code(), ErrorCode::ServerError);
        prop_assert!(!error.to_string().contains(MARK));
        prop_assert!(error.causes().contains(&text));
        let error = OAuthError::invalid_request("x").because(text);
        prop_assert!(!error.to_string().contains(MARK));
        let body = run(axum::body::to_bytes(error_json(&error).into_body(), 10_000)).unwrap();
        prop_assert_eq!(&body[..], br#"{"error":"invalid_request","error_description":"x"}"#);
    }
}

#[test]
fn the_challenge_of_s256_is_not_shown_either() {
    let shown = format!("{:?}", CodeChallenge::S256(CHALLENGE.into()));
    assert!(!shown.contains(CHALLENGE));
}
