//! Signing a person in with a browser: the authorization code flow with PKCE, and a state of its own for each login.

use crate::{
    client::{Age, OAuthClient, discovered},
    error::{Endpoint, Error, Result, clean},
    grants::{self, missing, scopes, with_params},
    id_token,
    model::Client,
    secret::Secret,
};
use oauth2::{AuthUrl, CsrfToken, PkceCodeChallenge, RedirectUrl};
use std::collections::BTreeMap;
use url::Url;

/// A login under way. Everything that ties the answer to it is in it; nothing is shared with another login.
#[derive(Clone, Debug)]
pub struct PendingLogin {
    client: OAuthClient,
    /// Where the person is sent.
    pub url: Url,
    /// When it began.
    pub started_at: i64,
    redirect: Url,
    state: Secret,
    verifier: Secret,
    nonce: Option<String>,
    issuer: Option<String>,
    iss_required: bool,
}

/// What came back to the redirect URI.
#[derive(Clone, Debug, Default)]
pub struct Redirected {
    code: Option<Secret>,
    state: Option<Secret>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// The code of one login, checked to be the answer to it.
#[derive(Clone, Debug)]
pub struct Code(Secret);

impl Redirected {
    /// Reads a query. A parameter that is there twice makes the whole of it worthless
    /// ([RFC 6749 3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1)).
    pub fn parse(query: &str) -> Result<Self> {
        let twice = || Error::unusable(Endpoint::Authorization, "sent a parameter twice");
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if fields.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(twice());
            }
        }
        let mut take = |name: &str| fields.remove(name).filter(|v| !v.is_empty());
        Ok(Self {
            code: take("code").map(Secret::new),
            state: take("state").map(Secret::new),
            iss: take("iss"),
            error: take("error"),
            error_description: take("error_description"),
        })
    }

    /// Reads what somebody pasted: the whole address the browser was sent to, or what is behind its `?`.
    pub fn pasted(text: &str) -> Result<Self> {
        let text = text.trim();
        let query = text.split_once('?').map_or(text, |(_, query)| query);
        let query = query.split_once('#').map_or(query, |(query, _)| query);
        let found = Self::parse(query)?;
        if found.state.is_none() {
            return Err(Error::Invalid(
                "this is not the address the browser was sent to: it has no state".into(),
            ));
        }
        Ok(found)
    }

    /// The state, to find the login by.
    pub fn state(&self) -> Option<&Secret> {
        self.state.as_ref()
    }
}

impl OAuthClient {
    /// Begins a login whose answer goes to this redirect URI.
    pub async fn begin_login(&self, redirect: Url) -> Result<PendingLogin> {
        let client = discovered(&self.store, self.info().await?, Age::Day).await?;
        let endpoints = client.endpoints();
        let at = endpoints.authorization.ok_or_else(|| missing(&client, "authorization"))?;
        client.check_url("authorization endpoint", &at)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = asks_for_identity(&client).then(|| CsrfToken::new_random_len(32));
        let protocol = grants::protocol(&client)
            .set_auth_uri(AuthUrl::from_url(at))
            .set_redirect_uri(RedirectUrl::from_url(redirect.clone()));
        let mut request = protocol
            .authorize_url(|| CsrfToken::new_random_len(32))
            .add_scopes(scopes(&client))
            .set_pkce_challenge(challenge);
        if let Some(nonce) = &nonce {
            request = request.add_extra_param("nonce", nonce.secret().clone());
        }
        let (url, state) = with_params!(request, &client.params.authorization).url();
        Ok(PendingLogin {
            client: self.clone(),
            url,
            started_at: self.store.now(),
            redirect,
            state: Secret::new(state.into_secret()),
            verifier: Secret::new(verifier.into_secret()),
            nonce: nonce.map(CsrfToken::into_secret),
            issuer: client.issuer,
            iss_required: endpoints.iss_parameter,
        })
    }
}

fn asks_for_identity(client: &Client) -> bool {
    client.scope.split_whitespace().any(|s| s == "openid")
}

impl PendingLogin {
    /// The client that signs in.
    pub const fn client(&self) -> &OAuthClient {
        &self.client
    }

    /// Whether this is the state of this login.
    pub fn is_state(&self, state: &Secret) -> bool {
        self.state == *state
    }

    /// Where the answer goes.
    pub const fn redirect(&self) -> &Url {
        &self.redirect
    }

    /// The code in what came back, if it is the answer to this login: its state
    /// ([RFC 6749 10.12](https://www.rfc-editor.org/rfc/rfc6749#section-10.12)), then its issuer
    /// ([RFC 9207 2.4](https://www.rfc-editor.org/rfc/rfc9207#section-2.4)), then what it says.
    pub fn check(&self, back: Redirected) -> Result<Code> {
        if back.state.as_ref().is_none_or(|state| !self.is_state(state)) {
            return Err(Error::Invalid(
                "this is the answer to another login (its state is not ours)".into(),
            ));
        }
        self.check_issuer(back.iss.as_deref())?;
        let endpoint = Endpoint::Authorization;
        if let Some(code) = back.error {
            let description = clean(&back.error_description.unwrap_or_default());
            return Err(if code == "access_denied" {
                Error::Cancelled(format!("{}: access was denied", self.client.name()))
            } else {
                Error::Refused { endpoint, code: clean(&code), description }
            });
        }
        let without = || Error::unusable(endpoint, "sent neither a code nor an error");
        back.code.map(Code).ok_or_else(without)
    }

    fn check_issuer(&self, iss: Option<&str>) -> Result<()> {
        let wrong = |what: String| Err(Error::unusable(Endpoint::Authorization, what));
        match (iss, &self.issuer) {
            (Some(iss), Some(issuer)) if iss != issuer => {
                wrong(format!("answered as {:?}, not as {issuer:?}", clean(iss)))
            }
            (None, Some(_)) if self.iss_required => {
                wrong("did not say who it is, which it promised to".into())
            }
            _ => Ok(()),
        }
    }

    /// Exchanges the code, verifies who signed in, and stores the tokens.
    pub async fn finish(self, code: &Code) -> Result<()> {
        let store = &self.client.store;
        let client = self.client.info().await?;
        let credentials = store.credentials(client.id).await?;
        let what = (&code.0, &self.verifier, &self.redirect);
        let answer = grants::code(store, &client, &credentials, what).await;
        let subject = match (&answer, &self.nonce) {
            (Ok(answer), Some(nonce)) => id_token::subject(store, &client, answer, nonce).await,
            _ => Ok(None),
        };
        match subject {
            Ok(subject) => self.client.settle_login(&client, answer, subject).await,
            Err(e) => self.client.settle_login(&client, Err(e), None).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_3_1_a_parameter_that_is_there_twice_is_refused() {
        let text = Redirected::parse("code=a&state=s&code=b").unwrap_err().to_string();
        assert_eq!(text, "the authorization endpoint sent a parameter twice");
        assert!(Redirected::parse("code=a&state=s").is_ok());
    }

    #[test]
    fn a_pasted_address_is_read_with_everything_around_it() {
        for text in [
            "http://127.0.0.1:9/auth_callback?code=a&state=s",
            "  code=a&state=s\n",
            "https://x.example/cb?code=a&state=s#_=_",
        ] {
            let back = Redirected::pasted(text).unwrap();
            assert_eq!((back.code.unwrap().expose(), back.state.unwrap().expose()), ("a", "s"));
        }
        let text = Redirected::pasted("4/0Ab-code-alone").unwrap_err().to_string();
        assert_eq!(text, "this is not the address the browser was sent to: it has no state");
    }
}
