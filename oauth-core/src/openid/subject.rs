//! Subject identifiers: [OpenID Connect Core 8](https://openid.net/specs/openid-connect-core-1_0.html#SubjectIDTypes).

use crate::{
    env::Env,
    model::{Client, SubjectType, UserId},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use url::{Host, Url};

const PURPOSE: &[u8] = b"oauth-core: pairwise subjects";
const SESSIONS: &[u8] = b"oauth-core: sessions of pairwise subjects";

/// The `sub` by which this client knows this user. A pairwise one cannot be told from another sector's
/// ([OpenID Connect Core 8.1](https://openid.net/specs/openid-connect-core-1_0.html#PairwiseAlg)); it stays the same
/// as long as the sealing key does.
pub fn subject(env: &Env, client: &Client, user: &UserId) -> String {
    match client.metadata.subject_type {
        SubjectType::Public => user.as_str().to_owned(),
        SubjectType::Pairwise => {
            // A sector is a host name, so it holds no NUL and the two parts cannot run into each other.
            let message = format!("{}\0{user}", sector(client));
            URL_SAFE_NO_PAD.encode(env.sealer.tag(PURPOSE, message.as_bytes()))
        }
    }
}

/// The `sid` by which this client knows this session. Clients of two sectors that are told of the same session by one
/// name would know that their users are the same, so a client of pairwise subjects has a name for its sector alone.
pub(crate) fn session(env: &Env, client: &Client, sid: &str) -> String {
    match client.metadata.subject_type {
        SubjectType::Public => sid.to_owned(),
        SubjectType::Pairwise => {
            let message = format!("{}\0{sid}", sector(client));
            URL_SAFE_NO_PAD.encode(env.sealer.tag(SESSIONS, message.as_bytes()))
        }
    }
}

/// Whether this can be a `sub`: at most 255 ASCII characters
/// ([OpenID Connect Core 2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)). Nothing is made to fit,
/// for then two users could be mistaken for one.
pub(crate) fn is_subject(text: &str) -> bool {
    !text.is_empty() && text.len() <= 255 && text.is_ascii()
}

/// The host that names the client's sector: that of its `sector_identifier_uri`, or of its redirect URIs, which
/// registration allows only if they agree. A client without either is a sector of its own, and so is one whose
/// redirect URIs prove nothing: whose scheme is an app's, so that anybody may write any host behind it, or which lead to
/// the user's own machine.
pub fn sector(client: &Client) -> String {
    let host = match &client.metadata.sector_identifier_uri {
        Some(uri) => Url::parse(uri).ok().and_then(|uri| uri.host_str().map(str::to_owned)),
        None => client.redirect_uris.first().and_then(|uri| sector_host(uri.as_str())),
    };
    host.unwrap_or_else(|| format!("client {}", client.id))
}

/// The host of a redirect URI, if it says whose the client is.
pub(crate) fn sector_host(redirect_uri: &str) -> Option<String> {
    let url = Url::parse(redirect_uri).ok().filter(|url| url.scheme() == "https")?;
    match url.host()? {
        Host::Domain(name) if name == "localhost" || name.ends_with(".localhost") => None,
        Host::Ipv4(ip) if ip.is_loopback() => None,
        Host::Ipv6(ip) if ip.is_loopback() => None,
        host => Some(host.to_string()),
    }
}
