//! What a provider publishes about itself: [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414) and
//! [OpenID Connect Discovery](https://openid.net/specs/openid-connect-discovery-1_0.html).

use crate::{
    error::{Endpoint, Error, Result},
    model::{Client, Endpoints},
    wire::Wire,
};
use serde::Deserialize;
use url::Url;

/// How long what was read is taken as it is, in seconds.
pub const FRESH: i64 = 24 * 60 * 60;

/// What is read of the document.
#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    #[serde(default)]
    authorization_endpoint: Option<Url>,
    #[serde(default)]
    token_endpoint: Option<Url>,
    #[serde(default)]
    device_authorization_endpoint: Option<Url>,
    #[serde(default)]
    revocation_endpoint: Option<Url>,
    #[serde(default)]
    jwks_uri: Option<Url>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
}

/// Where the metadata of an issuer may be, in the order in which they are asked.
pub fn locations(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let at = |path: String| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url
    };
    let mut all = vec![
        at(format!("{path}/.well-known/openid-configuration")),
        at(format!("/.well-known/oauth-authorization-server{path}")),
    ];
    if !path.is_empty() {
        all.push(at(format!("/.well-known/openid-configuration{path}")));
    }
    all
}

/// Reads the metadata of the client's issuer. The issuer in it must be the one that was asked for, letter by letter
/// ([RFC 8414 3.3](https://www.rfc-editor.org/rfc/rfc8414#section-3.3)): that is what ties the endpoints to a name.
pub async fn discover(wire: &Wire, client: &Client) -> Result<Endpoints> {
    let issuer = client.issuer.as_deref().unwrap_or_default();
    let url = Url::parse(issuer)
        .map_err(|_| Error::Invalid(format!("{}: its issuer is no URL", client.name)))?;
    client.check_url("issuer", &url)?;
    for location in locations(&url) {
        if let Some(bytes) = wire.document(Endpoint::Metadata, &location).await? {
            return read(&bytes, issuer, client);
        }
    }
    Err(Error::unusable(Endpoint::Metadata, format!("is not there: {issuer} publishes none")))
}

fn read(bytes: &[u8], issuer: &str, client: &Client) -> Result<Endpoints> {
    let wrong = |what: &str| Error::unusable(Endpoint::Metadata, what);
    let document: Document =
        serde_json::from_slice(bytes).map_err(|_| wrong("gave an answer that is no metadata"))?;
    if document.issuer != issuer {
        return Err(Error::unusable(
            Endpoint::Metadata,
            format!("speaks for {:?}, not for {issuer:?}", crate::error::clean(&document.issuer)),
        ));
    }
    if let Some(methods) = &document.code_challenge_methods_supported
        && !methods.iter().any(|m| m == "S256")
    {
        return Err(wrong("says that the provider does not know PKCE with S256"));
    }
    let endpoints = Endpoints {
        authorization: document.authorization_endpoint,
        token: document.token_endpoint,
        device_authorization: document.device_authorization_endpoint,
        revocation: document.revocation_endpoint,
        jwks: document.jwks_uri,
        iss_parameter: document.authorization_response_iss_parameter_supported,
    };
    // An issuer that is spoken to in safety must not lead elsewhere without it.
    Client { endpoints: endpoints.clone(), ..client.clone() }.check()?;
    Ok(endpoints)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(issuer: &str) -> Client {
        Client { issuer: Some(issuer.into()), ..Client::new("x", "id") }
    }

    #[test]
    fn rfc8414_3_1_the_well_known_part_goes_between_host_and_path() {
        let issuer = Url::parse("https://as.example/realms/one/").unwrap();
        let found: Vec<_> = locations(&issuer).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "https://as.example/realms/one/.well-known/openid-configuration",
                "https://as.example/.well-known/oauth-authorization-server/realms/one",
                "https://as.example/.well-known/openid-configuration/realms/one",
            ]
        );
        assert_eq!(locations(&Url::parse("https://as.example").unwrap()).len(), 2);
    }

    #[test]
    fn rfc8414_3_3_the_issuer_must_be_the_one_asked_for() {
        let issuer = "https://as.example";
        let text = r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/t"}"#;
        let endpoints = read(text.as_bytes(), issuer, &client(issuer)).unwrap();
        assert_eq!(endpoints.token.unwrap().as_str(), "https://as.example/t");
        let refused =
            |text: &str| read(text.as_bytes(), issuer, &client(issuer)).unwrap_err().to_string();
        assert_eq!(
            refused(r#"{"issuer":"https://as.example/"}"#),
            "the metadata endpoint speaks for \"https://as.example/\", not for \"https://as.example\""
        );
        assert_eq!(refused("<html>"), "the metadata endpoint gave an answer that is no metadata");
        assert_eq!(
            refused(r#"{"issuer":"https://as.example","token_endpoint":"http://as.example/t"}"#),
            "the token endpoint is plain http, which others can read: use https, or --insecure-http"
        );
        assert_eq!(
            refused(
                r#"{"issuer":"https://as.example","code_challenge_methods_supported":["plain"]}"#
            ),
            "the metadata endpoint says that the provider does not know PKCE with S256"
        );
    }
}
