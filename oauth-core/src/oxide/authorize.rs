//! The primitives of the authorization endpoint: whose redirect URI, what scope, which code.

use super::{
    convert::{our_scope, pkce_extension, pkce_of, scope},
    memory::Memory,
    out_of_order, refused, registrar_error,
};
use crate::{
    authorize::{resolve::redirect_uri, respond},
    config::PkcePolicy,
    error::{ErrorCode, OAuthError},
    grants::resources,
    model::{
        ClaimsRequest, Client, ClientId, CodeChallenge, Epoch, Login, PendingAuthorization,
        ResourceUri, ResponseMode, Scope, UserId,
    },
    params::Params,
    pkce,
    provider::Provider,
};
use async_trait::async_trait;
use oxide_auth::{
    code_grant::authorization::Request,
    primitives::{
        grant::{Extensions, Grant},
        registrar::{BoundClient, ClientUrl, ExactUrl, PreGrant, RegisteredUrl, RegistrarError},
        scope::Scope as OxideScope,
    },
};
use oxide_auth_async::primitives::{Authorizer, Registrar};
use std::{borrow::Cow, sync::Arc};
use url::Url;

const ENDPOINT: &str = "authorize";
/// Parameters the flow hands on only when asked for by name.
const EXTENSIONS: [&str; 3] = ["code_challenge", "code_challenge_method", "resource"];

/// Registrar, authorizer and PKCE extension for one request of an `AuthorizationFlow`.
///
/// Redirect URIs are matched by our rules, a scope beyond the client's is refused, and the code is written as ours
/// are: below a new authorization, hashed, for the policy's minute. PKCE is demanded by the policy whether or
/// not the endpoint uses an extension.
#[derive(Clone)]
pub struct Authorize {
    provider: Provider,
    login: Option<Login>,
    since: Option<Epoch>,
    bound: Memory<Option<Bound>>,
}

/// The client of the request and its proven redirect URI.
#[derive(Clone)]
struct Bound {
    client: Arc<Client>,
    redirect_uri: String,
    was_sent: bool,
    resources: Vec<ResourceUri>,
    since: Epoch,
}

impl Authorize {
    /// For one request.
    pub fn new(provider: &Provider) -> Self {
        Self { provider: provider.clone(), login: None, since: None, bound: Memory::default() }
    }

    /// When and how the owner signed in. Without it, the moment of consent stands for the sign-in.
    pub fn signed_in(self, login: Login) -> Self {
        Self { login: Some(login), ..self }
    }

    /// The [epoch](crate::Provider::epoch), read before the owner's session was. Without it, it is read when the flow
    /// begins.
    pub fn since(self, epoch: Epoch) -> Self {
        Self { since: Some(epoch), ..self }
    }

    /// The extension data of a request: its PKCE challenge, checked by the policy.
    pub(super) fn extend(&self, request: &dyn Request) -> Result<Extensions, ()> {
        self.read(request).map_err(|e| refused(&self.provider, ENDPOINT, &e))
    }

    fn read(&self, request: &dyn Request) -> Result<Extensions, OAuthError> {
        let bound = self.bound.recall().ok_or(out_of_order())?;
        let mut params = Params::default();
        for name in EXTENSIONS {
            if let Some(value) = request.extension(name) {
                params.add(name.into(), value.into_owned())?;
            }
        }
        let resources = resources(&params)?;
        let known = &self.provider.env().resources;
        if resources.iter().any(|r| !known.iter().any(|k| k.uri == *r)) {
            return Err(OAuthError::new(ErrorCode::InvalidTarget, "unknown resource"));
        }
        let challenge = self.challenge(&bound.client, &params)?;
        self.bound.with(|bound| {
            if let Some(bound) = bound {
                bound.resources = resources;
            }
        });
        Ok(challenge.as_ref().map(pkce_extension).unwrap_or_default())
    }

    fn challenge(
        &self,
        client: &Client,
        params: &Params,
    ) -> Result<Option<CodeChallenge>, OAuthError> {
        let policy = &self.provider.env().policy;
        let required = policy.pkce == PkcePolicy::Everybody || client.is_public();
        pkce::challenge(params, required, policy.danger_plain_pkce)
    }

    async fn bind(&self, id: &str, asked: Option<&str>) -> Result<Bound, OAuthError> {
        let since = match self.since {
            Some(since) => since,
            None => self.provider.epoch().await?,
        };
        let client = if id.contains('\0') {
            None
        } else {
            let clients = &self.provider.env().clients;
            clients.client(&ClientId::new(id)).await?
        };
        let client =
            client.ok_or(OAuthError::invalid_request("this application is not registered here"))?;
        let needed = self.provider.grants().grants_of_response_type("code");
        let may = needed.is_some_and(|grants| grants.iter().all(|grant| client.may_use(grant)));
        if !may || !client.response_types.contains("code") {
            return Err(OAuthError::new(
                ErrorCode::UnauthorizedClient,
                "the client is not registered for this response_type",
            ));
        }
        let bound = Bound {
            redirect_uri: redirect_uri(&client, asked)?,
            was_sent: asked.is_some(),
            resources: Vec::new(),
            client,
            since,
        };
        self.bound.fill(bound.clone())?;
        Ok(bound)
    }

    fn scope_of(&self, client: &str, asked: Option<OxideScope>) -> Result<Granted, OAuthError> {
        let bound = self.bound.recall().ok_or(out_of_order())?;
        if bound.client.id.as_str() != client {
            return Err(out_of_order());
        }
        let scope = match asked {
            Some(asked) => narrow(&bound.client, &asked)?,
            None => bound.client.scope.clone(),
        };
        Ok(Granted { bound, scope })
    }

    /// Writes authorization and code in one commit, as our own endpoint does.
    async fn code(&self, grant: Grant) -> Result<String, OAuthError> {
        let env = self.provider.env();
        let now = env.clock.now();
        let bound = self.bound.recall().ok_or(out_of_order())?;
        let client = bound.client;
        let target = Url::parse(&bound.redirect_uri).ok();
        if client.id.as_str() != grant.client_id || target != Some(grant.redirect_uri) {
            return Err(out_of_order());
        }
        let mut params = Params::default();
        let unreadable = |()| OAuthError::invalid_request("code_challenge is not acceptable");
        if let Some((method, text)) = pkce_of(grant.extensions).map_err(unreadable)? {
            params.add("code_challenge".into(), text)?;
            params.add("code_challenge_method".into(), method.into())?;
        }
        let challenge = self.challenge(&client, &params)?;
        let login = self.login_of(UserId::new(grant.owner_id)).await?;
        let pending = PendingAuthorization {
            client: client.id.clone(),
            response_type: "code".into(),
            response_mode: ResponseMode::Query,
            redirect_uri: bound.redirect_uri,
            redirect_uri_was_sent: bound.was_sent,
            state: None,
            scope: narrow(&client, &grant.scope)?,
            resources: bound.resources,
            challenge,
            prompt: Vec::new(),
            login_hint: None,
            nonce: None,
            claims: ClaimsRequest::default(),
            max_age: None,
            acr_values: Vec::new(),
            expected_subject: None,
            ui_locales: Vec::new(),
            signed_in_here: false,
            login: Some(login),
            browser: String::new(),
            first: None,
            expires_at: now,
        };
        let answer = respond::grant(env, &client, None, pending, (bound.since, now)).await?;
        let answer = answer.ok_or(out_of_order())?;
        let mut fields = answer.fields.into_iter();
        let code = fields.find_map(|(name, value)| (name == "code").then_some(value));
        code.ok_or(out_of_order())
    }

    async fn login_of(&self, owner: UserId) -> Result<Login, OAuthError> {
        let env = self.provider.env();
        let denied = |why| OAuthError::new(ErrorCode::AccessDenied, why);
        if env.users.user(&owner).await?.is_none() {
            return Err(denied("the user is gone"));
        }
        match &self.login {
            Some(login) if login.user == owner => Ok(login.clone()),
            Some(_) => Err(denied("somebody else is signed in")),
            None => Ok(Login {
                user: owner,
                at: env.clock.now(),
                amr: Vec::new(),
                acr: None,
                sid: None,
            }),
        }
    }
}

struct Granted {
    bound: Bound,
    scope: Scope,
}

fn narrow(client: &Client, asked: &OxideScope) -> Result<Scope, OAuthError> {
    our_scope(asked)
        .and_then(|asked| client.scope.narrow(&asked))
        .ok_or(OAuthError::new(ErrorCode::InvalidScope, "the scope exceeds what may be granted"))
}

/// The registered or asked URI, character by character.
fn exact(uri: String) -> Result<RegisteredUrl, RegistrarError> {
    ExactUrl::new(uri).map(RegisteredUrl::Exact).map_err(|_| RegistrarError::Unspecified)
}

#[async_trait]
impl Registrar for Authorize {
    async fn bound_redirect<'a>(
        &self,
        asked: ClientUrl<'a>,
    ) -> Result<BoundClient<'a>, RegistrarError> {
        let uri = asked.redirect_uri.as_ref().map(|u| u.as_str());
        let bound = self.bind(&asked.client_id, uri).await.map_err(|e| {
            refused(&self.provider, ENDPOINT, &e);
            registrar_error(&e)
        })?;
        Ok(BoundClient {
            client_id: asked.client_id,
            redirect_uri: Cow::Owned(exact(bound.redirect_uri)?),
        })
    }

    /// The flow hands over a parsed redirect URL here; the exact one is remembered and put back.
    async fn negotiate<'a>(
        &self,
        client: BoundClient<'a>,
        asked: Option<OxideScope>,
    ) -> Result<PreGrant, RegistrarError> {
        let granted = self.scope_of(&client.client_id, asked).map_err(|e| {
            refused(&self.provider, ENDPOINT, &e);
            registrar_error(&e)
        })?;
        Ok(PreGrant {
            client_id: client.client_id.into_owned(),
            redirect_uri: exact(granted.bound.redirect_uri)?,
            scope: scope(&granted.scope),
        })
    }

    /// Nobody authenticates at the authorization endpoint.
    async fn check(&self, _: &str, _: Option<&[u8]>) -> Result<(), RegistrarError> {
        Err(RegistrarError::Unspecified)
    }
}

#[async_trait]
impl Authorizer for Authorize {
    async fn authorize(&mut self, grant: Grant) -> Result<String, ()> {
        self.code(grant).await.map_err(|e| refused(&self.provider, ENDPOINT, &e))
    }

    /// Codes are exchanged by [`Token`](super::Token).
    async fn extract(&mut self, _: &str) -> Result<Option<Grant>, ()> {
        Err(())
    }
}
