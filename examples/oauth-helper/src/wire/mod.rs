//! Every call to a provider: a time limit, a size limit, no redirects; and answers made standard before they are read.

mod answer;
mod authenticate;

pub use answer::{TokenAnswer, refusal, standard};
pub(crate) use authenticate::parse_key;

use crate::{
    error::{Endpoint, Error, Result},
    model::{Client, Credentials, is_loopback},
};
use oauth2::{HttpRequest, HttpResponse};
use std::{future::Future, path::PathBuf, pin::Pin, time::Duration};
use url::Url;

/// No answer of a token endpoint is longer.
const LARGEST_ANSWER: usize = 256 * 1024;
/// No metadata and no key set is longer.
const LARGEST_DOCUMENT: usize = 1024 * 1024;
const CONNECT: Duration = Duration::from_secs(5);

/// How calls are made.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// How long a call may take, from the first byte sent to the last received.
    pub timeout: Duration,
    /// A file with more certificate authorities, in PEM.
    pub ca_file: Option<PathBuf>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(15), ca_file: None }
    }
}

/// The one HTTP client.
#[derive(Clone, Debug)]
pub struct Wire {
    http: reqwest::Client,
    /// For addresses on this machine, which no proxy is asked for.
    near: reqwest::Client,
    timeout: Duration,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The media type without its parameters, in lower case.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Wire {
    /// Builds it.
    pub fn new(options: &HttpOptions) -> Result<Self> {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let failed = |e| Error::store("no HTTP client can be made", e);
        Ok(Self {
            http: builder(options)?.build().map_err(failed)?,
            near: builder(options)?.no_proxy().build().map_err(failed)?,
            timeout: options.timeout,
        })
    }

    fn to(&self, url: &Url) -> &reqwest::Client {
        if is_loopback(url) { &self.near } else { &self.http }
    }

    /// How long a call may take.
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Fetches a JSON document; `None` where there is none (404).
    pub async fn document(&self, endpoint: Endpoint, url: &Url) -> Result<Option<Vec<u8>>> {
        let request =
            self.to(url).get(url.clone()).header(http::header::ACCEPT, "application/json");
        let answer = receive(endpoint, request, LARGEST_DOCUMENT).await?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 | 410 => Ok(None),
            status => Err(answer::unusable_status(endpoint, status)),
        }
    }

    /// Posts a form as this client, authenticated in its way.
    pub async fn post(
        &self,
        endpoint: Endpoint,
        url: &Url,
        form: Vec<(String, String)>,
        who: &Identity<'_>,
    ) -> Result<Answer> {
        who.client.check_url(&format!("{endpoint} endpoint"), url)?;
        let (form, basic) = authenticate::authenticate(form, url, who)?;
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish();
        let mut request = self
            .to(url)
            .post(url.clone())
            .header(http::header::ACCEPT, "application/json")
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        if let Some(basic) = basic {
            request = request.header(http::header::AUTHORIZATION, basic);
        }
        receive(endpoint, request, LARGEST_ANSWER).await
    }
}

fn builder(options: &HttpOptions) -> Result<reqwest::ClientBuilder> {
    let mut builder = reqwest::Client::builder()
        .timeout(options.timeout)
        .connect_timeout(CONNECT.min(options.timeout))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("oauth-helper/", env!("CARGO_PKG_VERSION")));
    if let Some(file) = &options.ca_file {
        let unusable = |e: &dyn std::fmt::Display| {
            Error::Invalid(format!("http.ca_file {}: {e}", file.display()))
        };
        let pem = std::fs::read(file).map_err(|e| unusable(&e))?;
        let authorities = reqwest::Certificate::from_pem_bundle(&pem).map_err(|e| unusable(&e))?;
        builder = builder.tls_certs_merge(authorities);
    }
    Ok(builder)
}

/// Who sends a request, and when: an assertion is made anew for each.
#[derive(Debug)]
pub struct Identity<'a> {
    /// The client.
    pub client: &'a Client,
    /// What it proves itself with.
    pub credentials: &'a Credentials,
    /// The time.
    pub now: i64,
}

async fn receive(
    endpoint: Endpoint,
    request: reqwest::RequestBuilder,
    largest: usize,
) -> Result<Answer> {
    let mut response = request.send().await.map_err(|e| unreachable(endpoint, &e))?;
    let status = response.status().as_u16();
    let content_type = response
        .headers()
        .get(http::header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.split(';').next())
        .map(|v| v.trim().to_ascii_lowercase())
        .unwrap_or_default();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| unreachable(endpoint, &e))? {
        if body.len() + chunk.len() > largest {
            return Err(Error::unusable(endpoint, "gave an answer that is far too long"));
        }
        body.extend_from_slice(&chunk);
    }
    tracing::debug!(%endpoint, status, "provider answered");
    Ok(Answer { status, content_type, body })
}

fn unreachable(endpoint: Endpoint, error: &reqwest::Error) -> Error {
    // The text of the cause names addresses; what is sent is never in it.
    tracing::debug!(%endpoint, cause = %error, "no answer");
    let (what, sent) = if error.is_connect() {
        ("cannot be reached", false)
    } else if error.is_timeout() {
        ("gave no answer in time", true)
    } else if error.is_builder() {
        ("has an address that cannot be called", false)
    } else {
        ("broke off its answer", true)
    };
    Error::Unreachable { endpoint, what, sent }
}

/// The connection of the `oauth2` crate to [`Wire`]: requests of one client to one endpoint.
pub struct Connection<'a> {
    wire: &'a Wire,
    endpoint: Endpoint,
    client: &'a Client,
    credentials: &'a Credentials,
    clock: &'a dyn crate::clock::Clock,
}

impl<'a> Connection<'a> {
    /// A connection to the endpoint.
    pub const fn new(
        wire: &'a Wire,
        endpoint: Endpoint,
        client: &'a Client,
        credentials: &'a Credentials,
        clock: &'a dyn crate::clock::Clock,
    ) -> Self {
        Self { wire, endpoint, client, credentials, clock }
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse> {
        let url = Url::parse(&request.uri().to_string())
            .map_err(|_| Error::unusable(self.endpoint, "has an address that is no URL"))?;
        let form = form_urlencoded::parse(request.body()).into_owned().collect();
        let who =
            Identity { client: self.client, credentials: self.credentials, now: self.clock.now() };
        let answer = self.wire.post(self.endpoint, &url, form, &who).await?;
        let standard = match self.endpoint {
            Endpoint::Token => standard(&answer),
            endpoint => answer::object(endpoint, &answer),
        };
        let (status, body) = match standard {
            Ok(object) => (200, serde_json::Value::Object(object)),
            // The crate reads refusals itself: some of them ask a device to go on.
            Err(Error::Refused { code, description, .. }) => {
                (400, serde_json::json!({ "error": code, "error_description": description }))
            }
            Err(other) => return Err(other),
        };
        http::Response::builder()
            .status(status)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(body.to_string().into_bytes())
            .map_err(|e| Error::store("an answer", e))
    }
}

impl<'c> oauth2::AsyncHttpClient<'c> for Connection<'_> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
