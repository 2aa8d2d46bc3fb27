//! Requests through oxide-auth's flows, with its own plain request type for a frontend.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says no by panicking")]

use crate::support::{CALLBACK, CHALLENGE, SECRET, Setup, USER, VERIFIER, World};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oauth_core::{
    Provider,
    oxide::{Authorize, ClientCredentials, Resource, Token},
    ports::{Clock as _, SystemClock},
    testing::{ManualClock, fixtures},
};
use oxide_auth::{
    endpoint::{OAuthError, OwnerConsent, OwnerSolicitor, Solicitation},
    frontends::simple::{
        endpoint::Error,
        request::{Request, Response, Status},
    },
    primitives::{
        grant::{Extensions, Grant},
        registrar::{ClientUrl, ExactUrl},
    },
};
use oxide_auth_async::endpoint::{
    access_token::AccessTokenFlow, authorization::AuthorizationFlow,
    client_credentials::ClientCredentialsFlow, refresh::RefreshFlow, resource::ResourceFlow,
};
use oxide_auth_async::primitives::{Authorizer as _, Registrar as _};
use serde_json::Value;
use std::{borrow::Cow, collections::HashMap, time::SystemTime};

/// The owner is the user of every world and agrees.
pub(super) struct Agrees;

impl OwnerSolicitor<Request> for Agrees {
    fn check_consent(&mut self, _: &mut Request, _: Solicitation<'_>) -> OwnerConsent<Response> {
        OwnerConsent::Authorized(USER.into())
    }
}

/// A world at the real time, because oxide-auth's machines look at no other clock.
pub(super) async fn world() -> World {
    now(Setup::new()).await
}

pub(super) async fn now(setup: Setup) -> World {
    let clock = ManualClock::at(SystemClock.now());
    let same = clock.clone();
    let mut world = setup.builder(|b| b.clock(same)).start().await;
    world.clock = clock;
    world
}

/// What a flow came to.
pub(super) type Outcome = Result<Response, OAuthError>;

/// A request with everything right, or first with something changed.
#[derive(Clone, Default)]
pub(super) struct Form {
    fields: HashMap<String, String>,
    auth: Option<String>,
}

impl Form {
    pub(super) fn of(fields: &[(&str, &str)]) -> Self {
        Self::default().with(fields)
    }

    pub(super) fn with(mut self, fields: &[(&str, &str)]) -> Self {
        for (name, value) in fields {
            self.fields.insert((*name).into(), (*value).into());
        }
        self
    }

    pub(super) fn without(mut self, names: &[&str]) -> Self {
        self.fields.retain(|name, _| !names.contains(&name.as_str()));
        self
    }

    pub(super) fn basic(mut self, id: &str, secret: &str) -> Self {
        self.auth = Some(format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))));
        self
    }

    pub(super) fn bearer(token: &str) -> Self {
        Self { auth: Some(format!("Bearer {token}")), ..Self::default() }
    }

    pub(super) fn query(self) -> Request {
        Request { query: self.fields, auth: self.auth, ..Request::default() }
    }

    pub(super) fn body(self) -> Request {
        Request { urlbody: self.fields, auth: self.auth, ..Request::default() }
    }
}

/// An authorization request.
pub(super) fn request(client: &str) -> Form {
    Form::of(&[
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", CALLBACK),
        ("scope", "a b"),
        ("state", "st"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ])
}

/// The token request that belongs to it, by a client with a secret or without.
pub(super) fn redemption(client: &str, code: &str) -> Form {
    let form = Form::of(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]);
    match client {
        "spa" => form.with(&[("client_id", client)]),
        _ => form.basic(client, SECRET),
    }
}

/// A refresh request; a public client only shows the token.
pub(super) fn renewal(client: &str, token: &str) -> Form {
    let form = Form::of(&[("grant_type", "refresh_token"), ("refresh_token", token)]);
    match client {
        "spa" => form,
        _ => form.basic(client, SECRET),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn oauth(e: Error<Request>) -> OAuthError {
    match e {
        Error::OAuth(e) => e,
        Error::Web(never) => match never {},
    }
}

pub(super) async fn authorize(provider: &Provider, form: Form) -> Outcome {
    let endpoint = Authorize::new(provider).asking(Agrees);
    let mut flow = AuthorizationFlow::prepare(endpoint).map_err(oauth)?;
    flow.execute(form.query()).await.map_err(oauth)
}

pub(super) async fn redeem(provider: &Provider, form: Form) -> Outcome {
    let mut flow = AccessTokenFlow::prepare(Token::new(provider)).map_err(oauth)?;
    flow.execute(form.body()).await.map_err(oauth)
}

pub(super) async fn refresh(provider: &Provider, form: Form) -> Outcome {
    let mut flow = RefreshFlow::prepare(Token::new(provider)).map_err(oauth)?;
    flow.execute(form.body()).await.map_err(oauth)
}

pub(super) async fn client_credentials(provider: &Provider, form: Form) -> Outcome {
    let endpoint = ClientCredentials::new(provider);
    let mut flow = ClientCredentialsFlow::prepare(endpoint).map_err(oauth)?;
    flow.execute(form.body()).await.map_err(oauth)
}

/// The grant behind a bearer token at a resource, or the challenge.
pub(super) async fn resource(resource: Resource, token: &str) -> Result<Grant, String> {
    let mut flow = ResourceFlow::prepare(resource).map_err(|e| format!("{:?}", oauth(e)))?;
    flow.execute(Form::bearer(token).query()).await.map_err(|refusal| match refusal {
        Ok(response) => response.www_authenticate.unwrap_or_default(),
        Err(e) => format!("{:?}", oauth(e)),
    })
}

/// A resource that needs scope `a`.
pub(super) fn needs_a(world: &World) -> Resource {
    Resource::new(&world.provider).needs(&fixtures::scope("a"))
}

/// A parameter of the answer in the address.
pub(super) fn answer(outcome: Outcome, name: &str) -> Option<String> {
    let response = outcome.expect("an answer");
    assert_eq!(response.status, Status::Redirect);
    let location = response.location.expect("a place to go");
    let found = location.query_pairs().find(|(n, _)| n == name);
    found.map(|(_, value)| value.into_owned())
}

/// The tokens of a success.
pub(super) fn tokens(outcome: Outcome) -> Value {
    let response = outcome.expect("an answer");
    assert_eq!(response.status, Status::Ok, "{:?}", response.body);
    let body = response.body.expect("a body");
    serde_json::from_str(body.as_str()).expect("JSON")
}

/// The error code of a refusal, and whether it said 401.
pub(super) fn refusal(outcome: Outcome) -> (String, bool) {
    let response = match outcome {
        Ok(response) => response,
        Err(e) => return (format!("{e:?}"), false),
    };
    assert!([Status::BadRequest, Status::Unauthorized].contains(&response.status));
    let body = response.body.expect("a body");
    let body: Value = serde_json::from_str(body.as_str()).expect("JSON");
    let code = body["error"].as_str().expect("an error code").to_owned();
    (code, response.status == Status::Unauthorized)
}

/// A code from the whole authorization flow.
pub(super) async fn code(world: &World, client: &str) -> String {
    answer(authorize(&world.provider, request(client)).await, "code").expect("a code")
}

/// Access and refresh token from the whole code flow.
pub(super) async fn pair(world: &World, client: &str) -> (String, String) {
    let code = code(world, client).await;
    split(&tokens(redeem(&world.provider, redemption(client, &code)).await))
}

pub(super) fn split(tokens: &Value) -> (String, String) {
    let text = |name: &str| tokens[name].as_str().expect(name).to_owned();
    (text("access_token"), text("refresh_token"))
}

/// A binding and a consent as a frontend without any extension makes them.
pub(super) async fn bare_code(
    authorize: &mut Authorize,
    extensions: Extensions,
) -> Result<String, ()> {
    let uri = ExactUrl::new(CALLBACK.into()).unwrap();
    let bound = authorize
        .bound_redirect(ClientUrl {
            client_id: Cow::Borrowed("web"),
            redirect_uri: Some(Cow::Owned(uri)),
        })
        .await
        .unwrap();
    let granted = authorize.negotiate(bound, None).await.unwrap();
    let grant = Grant {
        owner_id: USER.into(),
        client_id: granted.client_id,
        scope: granted.scope,
        redirect_uri: granted.redirect_uri.into_url(),
        until: SystemTime::UNIX_EPOCH.into(),
        extensions,
    };
    authorize.authorize(grant).await
}
