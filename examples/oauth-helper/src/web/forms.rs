//! What is typed into the form of a client.

use crate::{
    error::{Error, Result},
    model::{AuthMethod, Client, Credentials, Grant},
    secret::Secret,
};
use clap::ValueEnum as _;
use std::collections::BTreeMap;
use url::Url;

/// The fields of a form, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Reads a form; nothing where a field is there twice.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(bytes) {
            if fields.insert(name.into_owned(), value.into_owned()).is_some() {
                return None;
            }
        }
        Some(Self(fields))
    }

    /// A field without the space around it, empty where it is not there.
    pub(super) fn text(&self, name: &str) -> String {
        self.0.get(name).map(|v| v.trim().to_owned()).unwrap_or_default()
    }

    fn url(&self, name: &str, what: &str) -> Result<Option<Url>> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        Url::parse(&text).map(Some).map_err(|_| Error::Invalid(format!("the {what} is no URL")))
    }

    /// Lines of NAME=VALUE.
    fn params(&self, name: &str) -> Result<BTreeMap<String, String>> {
        let text = self.text(name);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines
            .map(|line| {
                let pair = line.split_once('=').filter(|(name, _)| !name.is_empty());
                let (name, value) = pair.ok_or_else(|| {
                    Error::Invalid("parameters are lines of NAME=VALUE".to_owned())
                })?;
                Ok((name.trim().to_owned(), value.trim().to_owned()))
            })
            .collect()
    }

    /// Changes the client as the form says. An address that does not change is not forgotten.
    pub(super) fn apply(&self, client: &mut Client) -> Result<()> {
        client.name = self.text("name");
        client.service = Some(self.text("service"))
            .filter(|s| !s.is_empty())
            .unwrap_or_else(|| client.name.clone());
        client.client_id = self.text("client_id");
        client.issuer = Some(self.text("issuer")).filter(|s| !s.is_empty());
        client.endpoints.authorization = self.url("auth_url", "authorization endpoint")?;
        client.endpoints.token = self.url("token_url", "token endpoint")?;
        client.endpoints.revocation = self.url("revocation_url", "revocation endpoint")?;
        client.redirect_url = self.url("redirect_url", "redirect URL")?;
        client.scope = self.text("scope");
        client.params.authorization = self.params("auth_params")?;
        client.params.token = self.params("token_params")?;
        client.params.refresh = self.params("refresh_params")?;
        client.use_refresh = !self.text("use_refresh_token").is_empty();
        let unknown = |what: &str| Error::Invalid(format!("this {what} is not known"));
        client.auth = AuthMethod::from_str(&self.text("auth"), false)
            .map_err(|_| unknown("way to prove who it is"))?;
        client.grant = Grant::from_str(&self.text("grant"), false)
            .map_err(|_| unknown("way to get tokens"))?;
        if client.grant == Grant::Password && !client.insecure_password_grant {
            return Err(Error::Invalid(
                "the password grant is allowed on the command line alone".into(),
            ));
        }
        client.check()
    }

    /// The credentials with the secret that was typed, if one was.
    pub(super) fn credentials(&self, mut before: Credentials) -> Credentials {
        let secret = self.text("client_secret");
        if !secret.is_empty() {
            before.secret = Some(Secret::new(secret));
        }
        before
    }
}

/// Parameters as lines.
pub(super) fn lines(params: &BTreeMap<String, String>) -> String {
    params.iter().fold(String::new(), |text, (name, value)| text + name + "=" + value + "\n")
}

/// Whether there is what the way to prove oneself needs.
pub(super) fn complete(client: &Client, credentials: &Credentials) -> Result<()> {
    match client.auth {
        AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost
            if credentials.secret.is_none() =>
        {
            Err(Error::Invalid("this way to prove who it is needs the client secret".into()))
        }
        AuthMethod::PrivateKeyJwt if credentials.key.is_none() => Err(Error::Invalid(
            "a private key is given on the command line: oauth-helper client edit --key-file"
                .into(),
        )),
        _ => Ok(()),
    }
}
