//! Calls to the other services: five seconds at most, no redirects, answers checked as soon as they arrive.

use crate::trace::{REQUEST_ID, RequestId};
use reqwest::{Client, Response, StatusCode, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::time::Duration;
use url::Url;

const TIMEOUT: Duration = Duration::from_secs(5);
/// No answer of these services is longer.
const LONGEST_BODY: usize = 64 * 1024;

/// Why another service gave no usable answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// It cannot be reached, or took too long.
    #[error("{service} cannot be reached")]
    Unreachable {
        /// The service.
        service: &'static str,
        /// Why.
        #[source]
        cause: reqwest::Error,
    },
    /// It refused.
    #[error("{service} refused: {error}")]
    Refused {
        /// The service.
        service: &'static str,
        /// Its status.
        status: StatusCode,
        /// Its error code.
        error: String,
    },
    /// It answered something else than was agreed.
    #[error("{service} gave an answer that makes no sense")]
    Nonsense {
        /// The service.
        service: &'static str,
    },
}

/// An access token and its life.
#[derive(Clone, Debug, Deserialize)]
pub struct AccessToken {
    /// The token.
    pub access_token: SecretString,
    /// Its life in seconds.
    pub expires_in: i64,
}

#[derive(Deserialize)]
struct OAuthError {
    error: String,
}

/// Builds the one client of a program.
pub fn client() -> reqwest::Result<Client> {
    Client::builder().timeout(TIMEOUT).redirect(Policy::none()).no_proxy().build()
}

/// The authorization server, as a client of it sees it.
#[derive(Clone)]
pub struct AuthorizationServer {
    http: Client,
    token_endpoint: Url,
    client: Credentials,
    audience: String,
}

/// What a client proves itself with.
#[derive(Clone)]
pub struct Credentials {
    /// The `client_id`.
    pub id: String,
    /// The secret.
    pub secret: SecretString,
}

impl AuthorizationServer {
    /// The server with this issuer, for a client that wants tokens for this resource.
    pub fn new(http: Client, issuer: &Url, client: Credentials, audience: String) -> Self {
        Self { http, token_endpoint: endpoint(issuer, "token"), client, audience }
    }

    /// A token for a user (the resource owner password grant).
    pub async fn token_for_user(
        &self,
        username: &str,
        password: &SecretString,
        scope: &str,
        id: &RequestId,
    ) -> Result<AccessToken, UpstreamError> {
        let form = [
            ("grant_type", "password"),
            ("username", username),
            ("password", password.expose_secret()),
            ("scope", scope),
            ("resource", self.audience.as_str()),
        ];
        self.token(&form, id).await
    }

    /// A token for the program itself (the client credentials grant).
    pub async fn token_for_itself(
        &self,
        scope: &str,
        id: &RequestId,
    ) -> Result<AccessToken, UpstreamError> {
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", scope),
            ("resource", self.audience.as_str()),
        ];
        self.token(&form, id).await
    }

    async fn token(
        &self,
        form: &[(&str, &str)],
        id: &RequestId,
    ) -> Result<AccessToken, UpstreamError> {
        const SERVICE: &str = "the authorization server";
        let request = self
            .http
            .post(self.token_endpoint.clone())
            .basic_auth(&self.client.id, Some(self.client.secret.expose_secret()))
            .header(REQUEST_ID, id.0.clone())
            .form(form);
        let response = request
            .send()
            .await
            .map_err(|cause| UpstreamError::Unreachable { service: SERVICE, cause })?;
        let body = checked(SERVICE, response).await?;
        serde_json::from_slice(&body).map_err(|_| UpstreamError::Nonsense { service: SERVICE })
    }
}

/// An endpoint of the authorization server.
pub fn endpoint(issuer: &Url, name: &str) -> Url {
    let mut url = issuer.clone();
    url.set_path(&format!("{}/oauth/{name}", issuer.path().trim_end_matches('/')));
    url
}

/// The resource server, as the web app sees it.
#[derive(Clone)]
pub struct TimeServer {
    http: Client,
    url: Url,
}

impl TimeServer {
    /// The resource server at this address.
    pub const fn new(http: Client, url: Url) -> Self {
        Self { http, url }
    }

    /// One of its endpoints: the value of the member that has the endpoint's name, as text.
    pub async fn ask(
        &self,
        what: &str,
        token: &SecretString,
        id: &RequestId,
    ) -> Result<String, UpstreamError> {
        const SERVICE: &str = "the resource server";
        let nonsense = || UpstreamError::Nonsense { service: SERVICE };
        let url = self.url.join(what).map_err(|_| nonsense())?;
        let request =
            self.http.get(url).bearer_auth(token.expose_secret()).header(REQUEST_ID, id.0.clone());
        let response = request
            .send()
            .await
            .map_err(|cause| UpstreamError::Unreachable { service: SERVICE, cause })?;
        let body = checked(SERVICE, response).await?;
        let answer: serde_json::Value = serde_json::from_slice(&body).map_err(|_| nonsense())?;
        match answer.get(what) {
            Some(serde_json::Value::String(text)) => Ok(text.clone()),
            Some(serde_json::Value::Number(number)) => Ok(number.to_string()),
            _ => Err(nonsense()),
        }
    }
}

/// The body of a success; a refusal by its error code.
async fn checked(service: &'static str, mut response: Response) -> Result<Vec<u8>, UpstreamError> {
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) =
        response.chunk().await.map_err(|cause| UpstreamError::Unreachable { service, cause })?
    {
        if body.len() + chunk.len() > LONGEST_BODY {
            return Err(UpstreamError::Nonsense { service });
        }
        body.extend_from_slice(&chunk);
    }
    if status.is_success() {
        return Ok(body);
    }
    let error = serde_json::from_slice::<OAuthError>(&body)
        .map(|e| e.error)
        .ok()
        .filter(|e| e.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        .unwrap_or_else(|| status.as_str().to_owned());
    Err(UpstreamError::Refused { service, status, error })
}
