//! Going to a provider, and coming back: once, in the browser that left, within ten minutes.

use super::{Refusal, Social, Upstream};
use crate::entity::upstream_attempt::{ActiveModel, Column, Entity};
use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::{
    error::PortError,
    http::cookie,
    model::{HashedToken, PlainToken, UserId},
};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// How long somebody may be away.
const AWAY: Duration = Duration::from_mins(10);
/// Characters of 256 bits in base64url.
const LENGTH: usize = 43;
const PLAIN: &str = "oauth_upstream";
/// The prefix makes browsers insist on https, this host and the root path.
const SECURE: &str = "__Host-oauth_upstream";

/// What somebody leaves for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Errand {
    /// The interaction that waits, or nothing.
    pub interaction: String,
    /// The word for the page of ours that was wanted, or nothing.
    pub to: String,
    /// Who wants to link an identity; nobody who wants to sign in.
    pub link: Option<String>,
    /// Whether the provider has to ask the person again, and to say that it did.
    pub fresh: bool,
    /// Whether it is told to ask again. Where that is all, whoever it did not ask is signed in, and has not proved
    /// anything of late.
    #[serde(default)]
    pub ask_again: bool,
}

/// Somebody who leaves.
#[derive(Debug)]
pub struct Departure {
    /// Where to.
    pub url: String,
    /// What the browser is to keep.
    pub cookie: HeaderValue,
}

/// Somebody who came back. `Debug` shows nothing of it.
#[derive(Serialize, Deserialize)]
pub struct Attempt {
    errand: Errand,
    verifier: String,
    nonce: String,
    since: i64,
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Attempt(..)")
    }
}

impl Attempt {
    /// What somebody left for.
    pub const fn errand(&self) -> &Errand {
        &self.errand
    }

    /// Who wants to link an identity.
    pub fn link(&self) -> Option<UserId> {
        self.errand.link.as_deref().map(UserId::new)
    }

    pub(super) const fn is_fresh(&self) -> bool {
        self.errand.fresh
    }

    pub(super) const fn since(&self) -> i64 {
        self.since
    }

    pub(super) fn verifier(&self) -> &str {
        &self.verifier
    }

    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }
}

impl Social {
    /// Sends somebody away: notes it, and says where to.
    pub async fn depart(
        &self,
        upstream: &Upstream,
        headers: &HeaderMap,
        errand: Errand,
    ) -> Result<Departure, Refusal> {
        let endpoints = self.endpoints(upstream).await?;
        let browser = self.browser(headers).unwrap_or_else(|| self.secret());
        let (state, now) = (self.secret(), self.now());
        let (verifier, nonce) = (self.secret(), self.secret());
        let attempt = Attempt { errand, verifier, nonce, since: now.unix() };
        let url = self.address(upstream, &endpoints.authorization, &state, &attempt)?;
        let hash = HashedToken::of(&state);
        let plain = Zeroizing::new(serde_json::to_vec(&attempt).map_err(PortError::new)?);
        let row = ActiveModel {
            hash: Set(hash.as_bytes().to_vec()),
            browser: Set(HashedToken::of(&browser).as_bytes().to_vec()),
            upstream: Set(upstream.settings.id.clone()),
            sealed: Set(self.0.sealer.seal(hash.as_bytes(), &plain, &*self.0.random)),
            expires_at: Set(now.plus(AWAY).unix()),
        };
        self.0
            .store
            .write(move |t| {
                Box::pin(async move {
                    Entity::insert(row).exec_without_returning(t).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(Departure { url, cookie: self.cookie(&browser) })
    }

    /// The authorization request ([RFC 6749 4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1),
    /// [RFC 7636 4.3](https://www.rfc-editor.org/rfc/rfc7636#section-4.3)).
    fn address(
        &self,
        upstream: &Upstream,
        endpoint: &str,
        state: &str,
        attempt: &Attempt,
    ) -> Result<String, Refusal> {
        let settings = &upstream.settings;
        let mut url = Url::parse(endpoint).map_err(|_| Refusal::Metadata)?;
        let mut scopes: Vec<&str> = settings.scopes.iter().map(String::as_str).collect();
        let is_openid = settings.issuer.is_some();
        if is_openid && !scopes.contains(&"openid") {
            scopes.insert(0, "openid");
        }
        let challenge = URL_SAFE_NO_PAD.encode(HashedToken::of(&attempt.verifier).as_bytes());
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &settings.client_id)
            .append_pair("redirect_uri", &self.redirect_uri(upstream))
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if is_openid {
            query.append_pair("nonce", &attempt.nonce);
            if attempt.errand.fresh || attempt.errand.ask_again {
                query.append_pair("prompt", "login").append_pair("max_age", "0");
            }
        }
        query.extend_pairs(settings.pairs());
        drop(query);
        Ok(url.into())
    }

    /// Lets somebody come back. Of several who come with one state, one does: the statement that uses it up decides.
    ///
    /// # Errors
    /// [`Refusal::StateUnknown`] where there is no such departure to this provider from this browser, or no longer.
    pub async fn arrive(
        &self,
        upstream: &Upstream,
        headers: &HeaderMap,
        state: &str,
    ) -> Result<Attempt, Refusal> {
        let Some(browser) = self.browser(headers) else { return Err(Refusal::StateUnknown) };
        let hash = HashedToken::of(state);
        let browser = HashedToken::of(&browser).as_bytes().to_vec();
        let found = Entity::find_by_id(hash.as_bytes().to_vec()).one(self.0.store.database()).await;
        let Some(row) = found.map_err(PortError::from)? else { return Err(Refusal::StateUnknown) };
        let used = Entity::delete_many()
            .filter(Column::Hash.eq(row.hash))
            .filter(Column::Browser.eq(browser))
            .filter(Column::Upstream.eq(&*upstream.settings.id))
            .filter(Column::ExpiresAt.gt(self.now().unix()));
        let used = self
            .0
            .store
            .write(move |t| Box::pin(async move { Ok(used.exec(t).await?.rows_affected) }))
            .await?;
        if used != 1 {
            return Err(Refusal::StateUnknown);
        }
        let plain = self.0.sealer.open(hash.as_bytes(), &row.sealed).map_err(PortError::new)?;
        Ok(serde_json::from_slice(&plain).map_err(PortError::new)?)
    }

    /// Whether an answer may be of this provider ([RFC 9207 2.4](https://www.rfc-editor.org/rfc/rfc9207#section-2.4)).
    pub async fn check_issuer(
        &self,
        upstream: &Upstream,
        named: Option<&str>,
    ) -> Result<(), Refusal> {
        // A server without OpenID Connect has no issuer that it could be compared with; its address of return is its own.
        let Some(issuer) = upstream.settings.issuer.as_deref() else { return Ok(()) };
        let fits = match named {
            Some(named) => named == issuer,
            None => !self.endpoints(upstream).await?.names_itself,
        };
        if fits { Ok(()) } else { Err(Refusal::IssuerMismatch) }
    }

    /// Deletes at most `limit` departures that nobody came back from in time.
    pub async fn sweep(&self, limit: u64) -> Result<u64, PortError> {
        let (now, store) = (self.now().unix(), &self.0.store);
        crate::maintenance::delete_expired::<Entity>(
            store,
            Column::Hash,
            Column::ExpiresAt,
            now,
            limit,
        )
        .await
    }

    fn secret(&self) -> String {
        let mut bytes = [0; 32];
        self.0.random.fill(&mut bytes);
        PlainToken::from_bytes(bytes).reveal()
    }

    fn browser(&self, headers: &HeaderMap) -> Option<String> {
        let value = cookie(headers, if self.0.https { SECURE } else { PLAIN })?;
        let well_formed = value.len() == LENGTH
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        well_formed.then(|| value.to_owned())
    }

    fn cookie(&self, secret: &str) -> HeaderValue {
        let (name, secure) = if self.0.https { (SECURE, "; Secure") } else { (PLAIN, "") };
        // It comes along when the provider sends people back, which is a navigation.
        let text = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&text).expect("base64url may stand in a header")
    }
}
