//! Outgoing HTTP: bounded in size and time, without redirects, over https.

#[cfg(feature = "dns-sd")]
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder, header, redirect::Policy};
use serde_json::Value;
use std::time::Duration;
#[cfg(feature = "dns-sd")]
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, PoisonError, RwLock},
};
use url::{Host, Url};

/// An address the guard may call: https, or http on loopback.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint(Url);

impl Endpoint {
    pub(crate) const fn url(&self) -> &Url {
        &self.0
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

/// Whether plain http may leave this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlainHttp {
    LoopbackOnly,
    Anywhere,
}

/// Checks an address before anything is sent there.
pub(crate) fn endpoint(text: &str, plain: PlainHttp) -> Result<Endpoint, FetchProblem> {
    let url = Url::parse(text).map_err(|_| FetchProblem::Address("not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(FetchProblem::Address("user information and fragments have no place here"));
    }
    let loopback = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url.scheme() {
        "https" => Ok(Endpoint(url)),
        "http" if loopback || plain == PlainHttp::Anywhere => Ok(Endpoint(url)),
        _ => Err(FetchProblem::Address("neither https nor http on loopback")),
    }
}

/// Why something could not be fetched. The text is for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchProblem {
    #[error("the address is not acceptable: {0}")]
    Address(&'static str),
    #[error("the metadata names no jwks_uri")]
    NoJwksUri,
    #[error("the document is not a key set")]
    NoKeySet,
    #[error("no key of the set can be used")]
    NoUsableKey,
    #[error("the request failed: {}", causes(.0))]
    Network(#[source] reqwest::Error),
    #[error("the answer is not a JSON object")]
    NotJson,
    #[error(
        "the metadata of issuer {asked:?} names the issuer {named:?}: they must be the same text"
    )]
    OtherIssuer { asked: String, named: String },
    #[error("the answer has status {0}")]
    Status(u16),
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

#[cfg(feature = "dns-sd")]
impl FetchProblem {
    /// Whether somebody else answered, and said so.
    pub(crate) fn is_another(&self) -> bool {
        matches!(self, Self::OtherIssuer { named, .. } if !named.is_empty())
    }
}

fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// How to reach authorization servers.
#[derive(Clone)]
pub(crate) struct Reach {
    pub(crate) timeout: Duration,
    pub(crate) roots: Vec<Certificate>,
    pub(crate) plain: PlainHttp,
    pub(crate) environment_proxy: bool,
    /// Whether any address is on https, so that certificates of the system are needed.
    pub(crate) tls: bool,
}

/// The addresses of hosts that were found by other means than the resolver of this machine, such as those below
/// `.local`. TLS has proved each of them.
#[cfg(feature = "dns-sd")]
#[derive(Clone, Default)]
pub(crate) struct Names(Arc<RwLock<HashMap<String, Vec<IpAddr>>>>);

#[cfg(feature = "dns-sd")]
impl Names {
    /// Notes where a host is.
    pub(crate) fn note(&self, host: &str, addresses: &[IpAddr]) {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        names.insert(host.to_owned(), addresses.to_vec());
    }

    /// Where a host is, if that was noted. Otherwise the resolver of this machine is asked.
    pub(crate) fn noted(&self, host: &str) -> Option<Vec<IpAddr>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(host).cloned()
    }

    /// Forgets the hosts that are not in use.
    pub(crate) fn keep(&self, in_use: impl Fn(&str) -> bool) {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        names.retain(|host, _| in_use(host));
    }
}

#[cfg(feature = "dns-sd")]
impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().trim_end_matches('.').to_ascii_lowercase();
        let noted = self.noted(&host);
        Box::pin(async move {
            let addresses: Vec<_> = match noted {
                Some(noted) => noted.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect(),
                None => tokio::net::lookup_host((host, 0)).await?.collect(),
            };
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The one way out.
#[derive(Clone)]
pub(crate) struct Http {
    client: Client,
    plain: PlainHttp,
    #[cfg(feature = "dns-sd")]
    names: Names,
    #[cfg(feature = "dns-sd")]
    reach: Arc<Reach>,
}

impl Http {
    #[cfg(not(feature = "dns-sd"))]
    pub(crate) fn new(reach: &Reach) -> Result<Self, reqwest::Error> {
        Ok(Self { client: client(reach, |builder| builder)?, plain: reach.plain })
    }

    #[cfg(feature = "dns-sd")]
    pub(crate) fn new(reach: &Reach) -> Result<Self, reqwest::Error> {
        Self::knowing(Names::default(), Arc::new(reach.clone()))
    }

    #[cfg(feature = "dns-sd")]
    fn knowing(names: Names, reach: Arc<Reach>) -> Result<Self, reqwest::Error> {
        let client = client(&reach, |builder| builder.dns_resolver(Arc::new(names.clone())))?;
        Ok(Self { client, plain: reach.plain, names, reach })
    }

    /// Another way out, which alone finds this host at these addresses.
    #[cfg(feature = "dns-sd")]
    pub(crate) fn finding(&self, host: &str, addresses: &[IpAddr]) -> Result<Self, FetchProblem> {
        let names = Names::default();
        names.note(host, addresses);
        Self::knowing(names, self.reach.clone()).map_err(FetchProblem::Network)
    }

    /// Where hosts are that the resolver of this machine does not know.
    #[cfg(feature = "dns-sd")]
    pub(crate) const fn names(&self) -> &Names {
        &self.names
    }

    /// Checks an address.
    pub(crate) fn endpoint(&self, text: &str) -> Result<Endpoint, FetchProblem> {
        endpoint(text, self.plain)
    }

    pub(crate) fn allows_plain(&self) -> bool {
        self.plain == PlainHttp::Anywhere
    }

    /// Gets a JSON object of at most `most` bytes.
    pub(crate) async fn get(&self, to: &Endpoint, most: usize) -> Result<Value, FetchProblem> {
        json(self.client.get(to.0.clone()), most).await
    }

    /// Posts a form and reads a JSON object of at most `most` bytes.
    pub(crate) async fn post(
        &self,
        to: &Endpoint,
        authorization: &http::HeaderValue,
        form: String,
        most: usize,
    ) -> Result<Value, FetchProblem> {
        let request = self
            .client
            .post(to.0.clone())
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        json(request, most).await
    }
}

fn client(
    reach: &Reach,
    resolving: impl Fn(ClientBuilder) -> ClientBuilder,
) -> Result<Client, reqwest::Error> {
    let base = || {
        let builder = resolving(Client::builder())
            .redirect(Policy::none())
            .timeout(reach.timeout)
            .connect_timeout(reach.timeout)
            .referer(false)
            .user_agent(concat!("resource-guard/", env!("CARGO_PKG_VERSION")));
        if reach.environment_proxy { builder } else { builder.no_proxy() }
    };
    let own_roots_only =
        |builder: ClientBuilder| builder.tls_certs_only(reach.roots.clone()).build();
    if !reach.tls {
        return own_roots_only(base());
    }
    let merged = base().tls_certs_merge(reach.roots.clone()).build();
    // A container may have no certificates of its own.
    if reach.roots.is_empty() { merged } else { merged.or_else(|_| own_roots_only(base())) }
}

async fn json(request: RequestBuilder, most: usize) -> Result<Value, FetchProblem> {
    let request = request.header(header::ACCEPT, "application/json");
    let mut response = request.send().await.map_err(network)?;
    if response.status() != http::StatusCode::OK {
        return Err(FetchProblem::Status(response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(network)? {
        if body.len() + chunk.len() > most {
            return Err(FetchProblem::TooLarge(most));
        }
        body.extend_from_slice(&chunk);
    }
    match serde_json::from_slice(&body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(FetchProblem::NotJson),
    }
}

fn network(error: reqwest::Error) -> FetchProblem {
    FetchProblem::Network(error.without_url())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for good in
            ["https://a.example/x?y", "http://127.0.0.1:1/", "http://[::1]/", "http://localhost/"]
        {
            assert!(endpoint(good, PlainHttp::LoopbackOnly).is_ok(), "{good}");
        }
        for bad in [
            "http://a.example/",
            "http://127.0.0.1.evil.example/",
            "http://localhost.evil.example/",
            "https://u:p@a.example/",
            "https://a.example/#x",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "a.example",
        ] {
            assert!(endpoint(bad, PlainHttp::LoopbackOnly).is_err(), "{bad}");
        }
        assert!(endpoint("http://a.example/", PlainHttp::Anywhere).is_ok());
        assert!(endpoint("ftp://a.example/", PlainHttp::Anywhere).is_err());
    }
}
