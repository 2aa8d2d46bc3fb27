//! Nothing secret is logged, at any level, in any grant or refusal.

use crate::support::{Ask, ODD_ID, ODD_SECRET, PASSWORD, Setup, USER, USERNAME, VERIFIER, World};
use oauth_core::{
    authorize::Decision,
    grants::{Implicit, Password},
    issue::TokenResponse,
    model::{ClientAuth, HashedToken, SecretHash, SecretMethod, SigningAlgorithm, TokenFormat},
};
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
pub(crate) struct Log(Arc<Mutex<String>>);

/// Until it is dropped, what is logged on this thread is kept.
pub(crate) struct Listening {
    _own: tracing::subscriber::DefaultGuard,
    _another: tracing::Dispatch,
}

impl Log {
    /// Begins to listen. While there is only one subscriber, `tracing` asks that of the thread which comes upon a log
    /// statement first whether anybody listens, and tests on other threads have none; hence there is another.
    pub(crate) fn listen(&self) -> Listening {
        let another = tracing::Dispatch::new(Self::default());
        Listening { _own: tracing::subscriber::set_default(self.clone()), _another: another }
    }

    pub(crate) fn text(&self) -> String {
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
    world.revoke("web", &second.access_token).succeeds().await;
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
    world.revoke(ODD_ID, &own.access_token).succeeds().await;
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
    let _listening = log.listen();
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
