//! The issuer of a `ResourceFlow`: which grant does a presented access token stand for?

use super::{
    convert::{nowhere, scope, time},
    refused,
};
use crate::{
    error::OAuthError,
    model::{ResourceUri, Scope, Timestamp},
    provider::Provider,
};
use async_trait::async_trait;
use oxide_auth::{
    endpoint::{Scopes, WebRequest},
    primitives::{
        grant::{Extensions, Grant},
        issuer::{IssuedToken, RefreshedToken},
        scope::Scope as OxideScope,
    },
};
use oxide_auth_async::primitives::Issuer;
use serde_json::{Map, Value};

const ENDPOINT: &str = "introspect";

/// Issuer and scopes for a resource guarded by a `ResourceFlow`.
///
/// It lets live access tokens of this provider through and no others: not refresh tokens, not revoked ones, not
/// those of a user who is gone, and not those that were issued for a resource of another name. Unlike the
/// other values it remembers nothing and may serve any number of requests.
#[derive(Clone)]
pub struct Resource {
    provider: Provider,
    audience: Option<ResourceUri>,
    scopes: Vec<OxideScope>,
}

/// What of a token matters here.
struct Live {
    owner: String,
    client: String,
    scope: Scope,
    audience: Vec<String>,
    until: Timestamp,
}

impl Resource {
    /// A resource that takes tokens issued for no resource in particular.
    pub fn new(provider: &Provider) -> Self {
        Self { provider: provider.clone(), audience: None, scopes: Vec::new() }
    }

    /// A resource of this name ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)); it takes tokens issued for it.
    pub fn audience(self, name: ResourceUri) -> Self {
        Self { audience: Some(name), ..self }
    }

    /// Lets requests through that carry all of this scope. Called again, either scope will do; never called,
    /// nobody is let through.
    pub fn needs(mut self, needed: &Scope) -> Self {
        self.scopes.push(scope(needed));
        self
    }

    async fn live(&self, presented: &str) -> Result<Option<Live>, OAuthError> {
        let claims = self.provider.access_token(presented).await?;
        let issuer = self.provider.env().issuer.as_str();
        Ok(claims.and_then(|claims| read(&claims, issuer)))
    }

    fn is_for_here(&self, audience: &[String]) -> bool {
        match &self.audience {
            Some(name) => audience.iter().any(|a| a == name.as_str()),
            None => audience.is_empty(),
        }
    }
}

fn read(claims: &Map<String, Value>, issuer: &str) -> Option<Live> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    Some(Live {
        owner: text("sub")?.to_owned(),
        client: text("client_id")?.to_owned(),
        scope: Scope::parse(text("scope").unwrap_or_default())?,
        audience: audience(claims.get("aud")?, issuer)?,
        until: Timestamp::from_unix(claims.get("exp")?.as_i64()?),
    })
}

/// The resources in `aud`; the issuer stands there when there is none.
fn audience(aud: &Value, issuer: &str) -> Option<Vec<String>> {
    let many = match aud {
        Value::Array(many) => many.as_slice(),
        one => std::slice::from_ref(one),
    };
    let named: Option<Vec<_>> = many.iter().map(|a| Some(a.as_str()?.to_owned())).collect();
    Some(named?.into_iter().filter(|a| a != issuer).collect())
}

#[async_trait]
impl Issuer for Resource {
    /// Resources issue nothing.
    async fn issue(&mut self, _: Grant) -> Result<IssuedToken, ()> {
        Err(())
    }

    async fn refresh(&mut self, _: &str, _: Grant) -> Result<RefreshedToken, ()> {
        Err(())
    }

    async fn recover_token(&mut self, token: &str) -> Result<Option<Grant>, ()> {
        let live = self.live(token).await.map_err(|e| refused(&self.provider, ENDPOINT, &e))?;
        let live = live.filter(|live| self.is_for_here(&live.audience));
        Ok(live.map(|live| Grant {
            owner_id: live.owner,
            client_id: live.client,
            scope: scope(&live.scope),
            redirect_uri: nowhere().into(),
            until: time(live.until).into(),
            extensions: Extensions::new(),
        }))
    }

    async fn recover_refresh(&mut self, _: &str) -> Result<Option<Grant>, ()> {
        Err(())
    }
}

impl<R: WebRequest> Scopes<R> for Resource {
    fn scopes(&mut self, _: &mut R) -> &[OxideScope] {
        &self.scopes
    }
}
