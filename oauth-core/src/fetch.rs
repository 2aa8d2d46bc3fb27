//! Outgoing HTTP to addresses that strangers have named, and not to where it should not go.

mod lookup;
mod networks;
mod options;

use crate::{
    error::PortError,
    ports::{Ask, Fetch, FetchProblem},
};
use async_trait::async_trait;
use lookup::CheckedLookup;
use networks::{Networks, Reach, Refused};
use reqwest::{
    Client, ClientBuilder, RequestBuilder, Response, StatusCode,
    header::{self, HeaderValue},
};
use std::{error::Error, net::IpAddr, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::timeout};
use url::{Host, Url};

pub use lookup::{Lookup, SystemLookup};
pub use options::FetchOptions;

/// The port [`Fetch`] over the network.
///
/// It goes to https at public addresses, and where [`FetchOptions`] allow it. Names are looked up once and exactly
/// the addresses that were checked are connected to. No redirects, no retries, no cookies, no proxies; time, size
/// and number are bounded. Clones share the bounds.
#[derive(Clone)]
pub struct SafeFetch {
    https: Client,
    plain: Option<Client>,
    networks: Arc<Networks>,
    places: Arc<Semaphore>,
    timeout: Duration,
}

impl SafeFetch {
    /// Prepares connections with these options.
    pub fn new(options: &FetchOptions) -> Result<Self, PortError> {
        let networks = Arc::new(options.networks.clone());
        let checked = |reach| CheckedLookup {
            lookup: Arc::clone(&options.lookup),
            networks: Arc::clone(&networks),
            reach,
        };
        let plain = if options.plain_http {
            // Without certificates: it never speaks TLS.
            let client = base(options, checked(Reach::Allowed)).tls_certs_only([]);
            Some(client.build().map_err(PortError::new)?)
        } else {
            None
        };
        Ok(Self {
            https: https(options, &checked(Reach::Internet)).map_err(PortError::new)?,
            plain,
            places: Arc::new(Semaphore::new(options.concurrency)),
            timeout: options.timeout,
            networks,
        })
    }

    /// Checks an address and chooses how to go there.
    fn way(&self, text: &str) -> Result<(&Client, Url), Refused> {
        if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err(Refused("it has characters that do not belong into a URL"));
        }
        let url = Url::parse(text).map_err(|_| Refused("it is not a URL"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused("it has user information"));
        }
        if url.fragment().is_some() {
            return Err(Refused("it has a fragment"));
        }
        let (client, reach) = match (url.scheme(), &self.plain) {
            ("https", _) => (&self.https, Reach::Internet),
            ("http", Some(plain)) => (plain, Reach::Allowed),
            _ => return Err(Refused("it is not https")),
        };
        // Nobody looks up what is an address already.
        match url.host() {
            Some(Host::Ipv4(ip)) => self.networks.check(IpAddr::V4(ip), reach)?,
            Some(Host::Ipv6(ip)) => self.networks.check(IpAddr::V6(ip), reach)?,
            Some(Host::Domain(_)) => {}
            None => return Err(Refused("it has no host")),
        }
        Ok((client, url))
    }

    /// Does the work when there is a place for it, within the time there is.
    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, FetchProblem>> + Send,
    ) -> Result<T, FetchProblem> {
        let mut begun = false;
        let outcome = timeout(self.timeout, async {
            let _place = self.places.acquire().await.map_err(|e| unreachable(e.into()))?;
            begun = true;
            work.await
        })
        .await;
        outcome.unwrap_or_else(|_| {
            let why = if begun { "it took too long" } else { "too many requests are under way" };
            Err(unreachable(why.into()))
        })
    }

    async fn exchange<T, F>(
        &self,
        url: &str,
        work: impl FnOnce(&Client, Url) -> F + Send,
    ) -> Result<T, FetchProblem>
    where
        F: Future<Output = Result<T, FetchProblem>> + Send,
    {
        let (client, url) = self.way(url).map_err(|Refused(why)| FetchProblem::Address(why))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let outcome = self.in_time(work(client, url)).await;
        if let Err(problem) = &outcome {
            // Of the URL the host alone: path and query may hold what is nobody else's business.
            tracing::info!(host, cause = causes(problem), "an outgoing request failed");
        }
        outcome
    }
}

#[async_trait]
impl Fetch for SafeFetch {
    async fn get(&self, url: &str, limit: usize) -> Result<Vec<u8>, FetchProblem> {
        self.exchange(url, |client, url| {
            let request = client.get(url);
            async move { body(answer(request, &[StatusCode::OK]).await?, limit).await }
        })
        .await
    }

    /// An answer that is accepted is not read any further.
    async fn post_form(&self, url: &str, form: &str) -> Result<(), FetchProblem> {
        self.exchange(url, |client, url| {
            let form_type = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let request =
                client.post(url).header(form_type.0, form_type.1).body(form.to_owned());
            async move {
                answer(request, &[StatusCode::OK, StatusCode::NO_CONTENT]).await.map(drop)
            }
        })
        .await
    }

    async fn ask(&self, url: &str, ask: &Ask<'_>, limit: usize) -> Result<Vec<u8>, FetchProblem> {
        let authorization = ask.authorization.map(HeaderValue::from_str).transpose();
        let mut authorization = authorization
            .map_err(|_| FetchProblem::Address("the credentials cannot stand in a header"))?;
        if let Some(value) = &mut authorization {
            value.set_sensitive(true);
        }
        self.exchange(url, |client, url| {
            let form_type = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let request = match ask.form {
                Some(form) => {
                    client.post(url).header(form_type.0, form_type.1).body(form.to_owned())
                }
                None => client.get(url),
            };
            let mut request = request.header(header::ACCEPT, "application/json");
            if let Some(value) = authorization {
                request = request.header(header::AUTHORIZATION, value);
            }
            async move { body(answer(request, &[StatusCode::OK]).await?, limit).await }
        })
        .await
    }
}

fn base(options: &FetchOptions, lookup: CheckedLookup) -> ClientBuilder {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // A proxy would look names up again, and go where it likes.
        .no_proxy()
        .http1_only()
        // A connection serves one request: an address is checked when it is connected to.
        .pool_max_idle_per_host(0)
        .connect_timeout(options.connect_timeout)
        .user_agent(concat!("oauth-core/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(lookup)
}

fn https(options: &FetchOptions, lookup: &CheckedLookup) -> Result<Client, reqwest::Error> {
    let builder = || base(options, lookup.clone()).https_only(true);
    let authorities = || options.authorities.iter().cloned();
    builder().tls_certs_merge(authorities()).build().or_else(|problem| {
        // A container may have no authorities of its own. Then only those of the options are trusted, if any.
        let cause = causes(&problem);
        tracing::warn!(cause, "the authorities of the system cannot be used for outgoing https");
        builder().tls_certs_only(authorities()).build()
    })
}

/// Sends the request; an answer with one of these statuses.
async fn answer(request: RequestBuilder, good: &[StatusCode]) -> Result<Response, FetchProblem> {
    let response = request.send().await.map_err(problem)?;
    if good.contains(&response.status()) {
        Ok(response)
    } else {
        Err(FetchProblem::Status(response.status().as_u16()))
    }
}

/// The body, counted as it comes, whatever length was announced.
async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, FetchProblem> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(problem)? {
        if chunk.len() > limit - body.len() {
            return Err(FetchProblem::TooLong(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A refusal by the lookup comes back from inside the connection.
fn problem(error: reqwest::Error) -> FetchProblem {
    let mut next: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(cause) = next {
        if let Some(Refused(why)) = cause.downcast_ref() {
            return FetchProblem::Address(why);
        }
        next = cause.source();
    }
    unreachable(error.without_url().into())
}

fn unreachable(cause: Box<dyn Error + Send + Sync>) -> FetchProblem {
    FetchProblem::Unreachable(cause)
}

/// An error with everything behind it, for the log.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
