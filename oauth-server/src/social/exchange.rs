//! From a code to who somebody is.

use super::{
    Attempt, Person, Refusal, Social, Upstream,
    id_token::{self, Expected},
    metadata::{Endpoints, KeyAge},
};
use crate::config::UpstreamAuth;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oauth_core::{
    model::Timestamp,
    ports::{Ask, FetchProblem},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// The largest answer, in bytes.
const LONGEST: usize = 256 * 1024;
/// How much older than its departure a sign-in may be that had to be new, in seconds.
const LEEWAY: i64 = 60;

/// The answer of a token endpoint ([RFC 6749 5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)).
#[derive(Clone, Deserialize, Serialize)]
pub struct Tokens {
    access_token: String,
    token_type: String,
    #[serde(skip_serializing)]
    id_token: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<u64>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(..)")
    }
}

impl Social {
    /// Exchanges the code, and finds out who it is about.
    pub async fn person(
        &self,
        upstream: &Upstream,
        attempt: &Attempt,
        code: &str,
    ) -> Result<(Person, Tokens), Refusal> {
        let endpoints = self.endpoints(upstream).await?;
        let tokens = self.redeem(upstream, &endpoints, attempt, code).await?;
        let person = if let Some(issuer) = &upstream.settings.issuer {
            let mut claims = self.claims(upstream, &endpoints, attempt, &tokens, issuer).await?;
            self.complete(upstream, &endpoints, &tokens, &mut claims).await?;
            Person::of_claims(issuer, &claims).ok_or(Refusal::IdTokenMalformed)?
        } else {
            let address = endpoints.userinfo.as_deref().ok_or(Refusal::Userinfo)?;
            let answer = self.userinfo(address, &tokens).await?;
            Person::of_userinfo(&upstream.settings, &answer).ok_or(Refusal::Userinfo)?
        };
        if attempt.is_fresh() && !upstream.settings.danger_trust_session {
            let since = attempt.since().saturating_sub(LEEWAY);
            person.auth_time.filter(|at| *at >= since).ok_or(Refusal::NotFresh)?;
        }
        Ok((person, tokens))
    }

    /// When somebody proved who it is, for a session that begins with it. A provider that knows somebody does not ask
    /// again, so that is when it says it was, and long ago where it does not say; now, where its sessions are trusted.
    pub fn proven_at(&self, upstream: &Upstream, person: &Person) -> Timestamp {
        let now = self.now();
        if upstream.settings.danger_trust_session {
            return now;
        }
        Timestamp::from_unix(person.auth_time.unwrap_or_default().max(0)).min(now)
    }

    /// Exchanges the code ([RFC 6749 4.1.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3),
    /// [RFC 7636 4.5](https://www.rfc-editor.org/rfc/rfc7636#section-4.5)).
    async fn redeem(
        &self,
        upstream: &Upstream,
        endpoints: &Endpoints,
        attempt: &Attempt,
        code: &str,
    ) -> Result<Tokens, Refusal> {
        let (form, authorization) = self.token_request(upstream, attempt, code);
        let authorization = authorization.as_ref().map(|text| text.as_str());
        let ask = Ask { form: Some(&form), authorization };
        let body = self.0.fetch.ask(&endpoints.token, &ask, LONGEST).await;
        let body = Zeroizing::new(body.map_err(|problem| match problem {
            FetchProblem::Status(400..=499) => Refusal::TokenRefused,
            other => other.into(),
        })?);
        let tokens: Tokens = serde_json::from_slice(&body).map_err(|_| Refusal::TokenRefused)?;
        let is_bearer = tokens.token_type.eq_ignore_ascii_case("bearer");
        let fits = tokens.access_token.bytes().all(|b| b.is_ascii_graphic());
        if is_bearer && fits { Ok(tokens) } else { Err(Refusal::TokenRefused) }
    }

    /// The form and the credentials of the token request.
    fn token_request(
        &self,
        upstream: &Upstream,
        attempt: &Attempt,
        code: &str,
    ) -> (Zeroizing<String>, Option<Zeroizing<String>>) {
        let settings = &upstream.settings;
        let secret = settings.client_secret.as_ref().map_or("", |secret| secret.reveal());
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.redirect_uri(upstream))
            .append_pair("code_verifier", attempt.verifier());
        let mut authorization = None;
        match settings.auth_method {
            UpstreamAuth::Basic => authorization = Some(basic(&settings.client_id, secret)),
            UpstreamAuth::None => {
                form.append_pair("client_id", &settings.client_id);
            }
            UpstreamAuth::Post => {
                form.append_pair("client_id", &settings.client_id)
                    .append_pair("client_secret", secret);
            }
        }
        (Zeroizing::new(form.finish()), authorization)
    }

    /// The claims of the id token, verified with keys that are remembered, or with newer ones where none of those fits.
    async fn claims(
        &self,
        upstream: &Upstream,
        endpoints: &Endpoints,
        attempt: &Attempt,
        tokens: &Tokens,
        issuer: &str,
    ) -> Result<Map<String, Value>, Refusal> {
        let token = tokens.id_token.as_deref().ok_or(Refusal::IdTokenMissing)?;
        let expected = Expected {
            issuer,
            client_id: &upstream.settings.client_id,
            nonce: attempt.nonce(),
            access_token: Some(&tokens.access_token),
            now: self.now(),
        };
        let keys = self.keys(upstream, endpoints, KeyAge::Remembered).await?;
        match id_token::check(token, &keys, &expected) {
            Err(Refusal::IdTokenKey) => {
                let keys = self.keys(upstream, endpoints, KeyAge::Newer).await?;
                id_token::check(token, &keys, &expected)
            }
            outcome => outcome,
        }
    }

    /// Asks for what the id token does not say. An answer about somebody else is refused
    /// ([OpenID Connect Core 5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)).
    async fn complete(
        &self,
        upstream: &Upstream,
        endpoints: &Endpoints,
        tokens: &Tokens,
        claims: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        let Some(address) = &endpoints.userinfo else { return Ok(()) };
        let asked = |scope: &str| upstream.settings.scopes.iter().any(|s| s == scope);
        let lacks = |scope: &str, claim: &str| asked(scope) && !claims.contains_key(claim);
        if !lacks("email", "email") && !lacks("profile", "name") {
            return Ok(());
        }
        let answer = self.userinfo(address, tokens).await?;
        let Value::Object(answer) = answer else { return Err(Refusal::Userinfo) };
        if answer.get("sub") != claims.get("sub") {
            return Err(Refusal::Userinfo);
        }
        for name in ["email", "name", "nickname", "preferred_username"] {
            if let (false, Some(value)) = (claims.contains_key(name), answer.get(name)) {
                claims.insert(name.into(), value.clone());
                // Both words about the address are of one mouth.
                if name == "email" {
                    let verified = answer.get("email_verified").cloned().unwrap_or_default();
                    claims.insert("email_verified".into(), verified);
                }
            }
        }
        Ok(())
    }

    async fn userinfo(&self, address: &str, tokens: &Tokens) -> Result<Value, Refusal> {
        let bearer = Zeroizing::new(format!("Bearer {}", tokens.access_token));
        let ask = Ask { form: None, authorization: Some(&bearer) };
        let body = self.0.fetch.ask(address, &ask, LONGEST).await;
        let body = body.map_err(|problem| match problem {
            FetchProblem::Status(400..=499) => Refusal::Userinfo,
            other => other.into(),
        })?;
        serde_json::from_slice(&body).map_err(|_| Refusal::Userinfo)
    }
}

/// Basic credentials ([RFC 6749 2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)).
fn basic(id: &str, secret: &str) -> Zeroizing<String> {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!("{}:{}", encode(id), encode(secret)));
    Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}
