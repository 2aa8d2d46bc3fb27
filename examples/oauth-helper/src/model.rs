//! What is known of a client, and what it holds. The first is metadata and never secret; the second always is.

use crate::{
    error::{Error, Result},
    secret::Secret,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use url::{Host, Url};

/// How a client gets its tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Grant {
    /// A person signs in with a browser ([RFC 6749 4.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1)).
    #[default]
    AuthorizationCode,
    /// The program acts for itself ([RFC 6749 4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)).
    ClientCredentials,
    /// A person signs in on another device ([RFC 8628](https://www.rfc-editor.org/rfc/rfc8628)).
    Device,
    /// The program is told the person's password, which RFC 9700 forbids: for servers that know nothing else.
    Password,
}

/// How a client proves who it is ([RFC 6749 2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3),
/// [RFC 7523](https://www.rfc-editor.org/rfc/rfc7523)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuthMethod {
    /// The secret in the `Authorization` header.
    #[default]
    ClientSecretBasic,
    /// The secret in the form.
    ClientSecretPost,
    /// It has no secret.
    None,
    /// It signs an assertion with a key of its own.
    PrivateKeyJwt,
}

/// Where a provider is, and what it says it can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Endpoints {
    /// Where people are asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Url>,
    /// Where tokens come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Url>,
    /// Where a device gets a code to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_authorization: Option<Url>,
    /// Where tokens are taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Url>,
    /// The keys of its id tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Url>,
    /// Whether its authorization responses name it
    /// ([RFC 9207](https://www.rfc-editor.org/rfc/rfc9207#section-3)).
    pub iss_parameter: bool,
}

impl Endpoints {
    /// Those of `other` where this has none; where both have one, that of `self`.
    pub fn or(self, other: Self) -> Self {
        Self {
            authorization: self.authorization.or(other.authorization),
            token: self.token.or(other.token),
            device_authorization: self.device_authorization.or(other.device_authorization),
            revocation: self.revocation.or(other.revocation),
            jwks: self.jwks.or(other.jwks),
            iss_parameter: self.iss_parameter || other.iss_parameter,
        }
    }

    fn all(&self) -> [(&'static str, Option<&Url>); 5] {
        [
            ("authorization endpoint", self.authorization.as_ref()),
            ("token endpoint", self.token.as_ref()),
            ("device authorization endpoint", self.device_authorization.as_ref()),
            ("revocation endpoint", self.revocation.as_ref()),
            ("key set", self.jwks.as_ref()),
        ]
    }
}

/// More parameters of the requests, by the request they belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExtraParams {
    /// Of the authorization request.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub authorization: BTreeMap<String, String>,
    /// Of the token request.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub token: BTreeMap<String, String>,
    /// Of the refresh request.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub refresh: BTreeMap<String, String>,
}

/// A client, without anything secret: what the metadata file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its number here.
    pub id: u32,
    /// Its name here.
    pub name: String,
    /// The service it belongs to: a group of clients.
    pub service: String,
    /// The `client_id` the provider knows it by.
    pub client_id: String,
    /// How it gets tokens.
    #[serde(default)]
    pub grant: Grant,
    /// How it proves who it is.
    #[serde(default)]
    pub auth: AuthMethod,
    /// The issuer, where the provider publishes metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Endpoints as somebody set them; they win over what the issuer says.
    #[serde(default)]
    pub endpoints: Endpoints,
    /// What the issuer said last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovered: Option<Discovered>,
    /// The scope to ask for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The redirect URI the provider knows; where it has none, one on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<Url>,
    /// The port the command line listens on, for providers that compare ports as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_port: Option<u16>,
    /// More parameters.
    #[serde(default)]
    pub params: ExtraParams,
    /// Whether refresh tokens are used.
    #[serde(default = "yes")]
    pub use_refresh: bool,
    /// Whether the password grant was allowed for it.
    #[serde(default)]
    pub insecure_password_grant: bool,
    /// Whether plain http is accepted beyond this machine.
    #[serde(default)]
    pub insecure_http: bool,
    /// When it was added.
    #[serde(default)]
    pub added_at: i64,
    /// When it was changed last.
    #[serde(default)]
    pub modified_at: i64,
}

const fn yes() -> bool {
    true
}

/// What a provider said of itself, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discovered {
    /// Its endpoints.
    pub endpoints: Endpoints,
    /// When.
    pub at: i64,
}

/// Parameters that carry secrets or belong to the protocol; nobody may set them as extra parameters.
const RESERVED: [&str; 14] = [
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "password",
    "redirect_uri",
    "refresh_token",
    "response_type",
    "state",
];

impl Client {
    /// A client with this name and `client_id` and defaults for everything else.
    pub fn new(name: impl Into<String>, client_id: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            id: 0,
            service: name.clone(),
            name,
            client_id: client_id.into(),
            grant: Grant::default(),
            auth: AuthMethod::default(),
            issuer: None,
            endpoints: Endpoints::default(),
            discovered: None,
            scope: String::new(),
            redirect_url: None,
            login_port: None,
            params: ExtraParams::default(),
            use_refresh: true,
            insecure_password_grant: false,
            insecure_http: false,
            added_at: 0,
            modified_at: 0,
        }
    }

    /// The endpoints in force: what was set by hand first, then what the issuer said.
    pub fn endpoints(&self) -> Endpoints {
        let discovered = self.discovered.as_ref().map(|d| d.endpoints.clone());
        self.endpoints.clone().or(discovered.unwrap_or_default())
    }

    /// Who issues its tokens: what somebody set by hand, or the issuer.
    pub fn issued_by(&self) -> Option<String> {
        let by_hand = self.endpoints.token.as_ref().map(|url| url.origin().ascii_serialization());
        by_hand.or_else(|| self.issuer.clone())
    }

    /// Whether everything about it can be used; says what cannot.
    pub fn check(&self) -> Result<()> {
        check_name("name", &self.name)?;
        check_name("service", &self.service)?;
        if self.client_id.is_empty() || self.client_id.len() > 1000 {
            return invalid("the client id must have between 1 and 1000 characters");
        }
        if self.name.bytes().all(|b| b.is_ascii_digit()) {
            return invalid("a name of digits alone would be taken for a number of a client");
        }
        if self.issuer.is_none() && self.endpoints.token.is_none() {
            return invalid("an issuer or a token endpoint is needed");
        }
        if let Some(issuer) = &self.issuer {
            let url = Url::parse(issuer)
                .map_err(|_| Error::Invalid(format!("the issuer {issuer:?} is no URL")))?;
            self.check_url("issuer", &url)?;
            if url.query().is_some() || url.fragment().is_some() {
                return invalid("an issuer has no query and no fragment");
            }
        }
        for (what, url) in self.endpoints.all() {
            url.map_or(Ok(()), |url| self.check_url(what, url))?;
        }
        if let Some(url) = &self.redirect_url
            && url.fragment().is_some()
        {
            return invalid("a redirect URL has no fragment");
        }
        if self.grant == Grant::Password && !self.insecure_password_grant {
            return invalid(
                "the password grant gives the password away: allow it with --insecure-password-grant",
            );
        }
        self.check_params()
    }

    /// Whether an address may be called: https, or this machine.
    pub fn check_url(&self, what: &str, url: &Url) -> Result<()> {
        if !url.username().is_empty() || url.password().is_some() {
            return invalid(&format!("the {what} has a user name or password in its address"));
        }
        match url.scheme() {
            "https" => Ok(()),
            "http" if self.insecure_http || is_loopback(url) => Ok(()),
            "http" => invalid(&format!(
                "the {what} is plain http, which others can read: use https, or --insecure-http"
            )),
            _ => invalid(&format!("the {what} is neither https nor http")),
        }
    }

    fn check_params(&self) -> Result<()> {
        let groups = [&self.params.authorization, &self.params.token, &self.params.refresh];
        for (name, value) in groups.into_iter().flatten() {
            if RESERVED.contains(&name.as_str()) {
                return invalid(&format!("{name} cannot be an extra parameter"));
            }
            if name.is_empty() || name.len() > 200 || value.len() > 2000 {
                return invalid(
                    "a parameter has a name, of 200 characters at most, and 2000 in its value",
                );
            }
        }
        Ok(())
    }
}

/// Whether an address is on this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

fn check_name(what: &str, name: &str) -> Result<()> {
    let fits = !name.is_empty() && name.chars().count() <= 100;
    if !fits || name.trim() != name || name.chars().any(char::is_control) || name.starts_with('-') {
        return invalid(&format!(
            "a {what} has between 1 and 100 characters, no line breaks, and does not begin with a dash"
        ));
    }
    Ok(())
}

fn invalid<T>(why: &str) -> Result<T> {
    Err(Error::Invalid(why.to_owned()))
}

/// What a client proves itself with. Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Credentials {
    /// The `client_secret`.
    pub secret: Option<Secret>,
    /// The private key in PEM, for `private_key_jwt`.
    pub key: Option<Secret>,
    /// The name of that key at the provider (`kid`).
    pub key_id: Option<String>,
}

/// The tokens of a client. Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// What is sent to the service.
    pub access_token: Secret,
    /// How it is sent: `Bearer`, as a rule.
    pub token_type: String,
    /// When it ends, where the provider said so.
    pub expires_at: Option<i64>,
    /// When it came.
    pub obtained_at: i64,
    /// What the next one is got with.
    pub refresh_token: Option<Secret>,
    /// When that ends, where the provider said so.
    pub refresh_expires_at: Option<i64>,
    /// What was granted.
    pub scope: Option<String>,
    /// Who signed in, from a verified id token.
    pub subject: Option<String>,
    /// Whose they are, so that they are never sent to another provider when the client is pointed there.
    #[serde(default)]
    pub issued_by: Option<String>,
}

/// All that is stored of the tokens of a client, as one sealed value. Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// The tokens.
    pub tokens: Option<Tokens>,
    /// A refresh has begun and its answer is not stored. Written before the request is sent.
    pub intent: Option<Intent>,
    /// The provider said no to the refresh token.
    pub refusal: Option<Refusal>,
}

/// A refresh that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// When it began.
    pub at: i64,
}

/// A refusal that another try will not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// When.
    pub at: i64,
    /// The error code.
    pub code: String,
    /// Whether it came to a refresh that had been interrupted.
    pub lost: bool,
}

#[cfg(test)]
mod tests;
