//! Providers many people have, so that nobody has to look their endpoints up.

use crate::{
    error::{Error, Result},
    model::{AuthMethod, Client, Endpoints},
};
use url::Url;

/// A provider that is known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[non_exhaustive]
pub enum Preset {
    /// github.com. It publishes no metadata and gives no refresh tokens to OAuth apps.
    Github,
    /// gitlab.com, or a GitLab of your own with --url.
    Gitlab,
    /// Google.
    Google,
    /// A realm of a Keycloak, with `--url https://HOST/realms/REALM`.
    Keycloak,
    /// Microsoft Entra, of one tenant with --tenant, otherwise of any.
    Microsoft,
    /// Any provider that publishes metadata, with --url as its issuer.
    Oidc,
    /// The server of this project, with --url.
    Server,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Github,
        Self::Gitlab,
        Self::Google,
        Self::Keycloak,
        Self::Microsoft,
        Self::Oidc,
        Self::Server,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Google => "google",
            Self::Keycloak => "keycloak",
            Self::Microsoft => "microsoft",
            Self::Oidc => "oidc",
            Self::Server => "server",
        }
    }

    /// The preset with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }

    /// Sets what is known of the provider. `url` is where it is, and `tenant` which part of it, for those that need
    /// to be told.
    pub fn apply(self, client: &mut Client, url: Option<&str>, tenant: Option<&str>) -> Result<()> {
        match self {
            Self::Github => github(client),
            Self::Gitlab => client.issuer = Some(url.unwrap_or("https://gitlab.com").to_owned()),
            Self::Google => google(client),
            Self::Microsoft => microsoft(client, tenant)?,
            Self::Keycloak | Self::Oidc | Self::Server => {
                let url = url.ok_or_else(|| {
                    Error::Invalid(format!("the preset {} needs --url", self.name()))
                })?;
                client.issuer = Some(issuer(url));
            }
        }
        Ok(())
    }
}

/// People paste addresses with a slash at the end, and issuers without a path have none.
fn issuer(url: &str) -> String {
    let bare = Url::parse(url).is_ok_and(|u| u.path() == "/");
    if bare { url.trim_end_matches('/').to_owned() } else { url.to_owned() }
}

fn known(url: &str) -> Option<Url> {
    Url::parse(url).ok()
}

fn github(client: &mut Client) {
    client.auth = AuthMethod::ClientSecretPost;
    client.endpoints = Endpoints {
        authorization: known("https://github.com/login/oauth/authorize"),
        token: known("https://github.com/login/oauth/access_token"),
        device_authorization: known("https://github.com/login/device/code"),
        ..Endpoints::default()
    };
}

fn google(client: &mut Client) {
    client.issuer = Some("https://accounts.google.com".into());
    client.auth = AuthMethod::ClientSecretPost;
    // Without both there is a refresh token at the very first login alone.
    for (name, value) in [("access_type", "offline"), ("prompt", "consent")] {
        client.params.authorization.insert(name.into(), value.into());
    }
}

fn microsoft(client: &mut Client, tenant: Option<&str>) -> Result<()> {
    let tenant = tenant.unwrap_or("common");
    if !tenant.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.')) {
        return Err(Error::Invalid("a tenant is a name or an id".into()));
    }
    client.auth = AuthMethod::ClientSecretPost;
    let base = format!("https://login.microsoftonline.com/{tenant}");
    if matches!(tenant, "common" | "organizations" | "consumers") {
        // Its metadata names an issuer with a placeholder, which can be nobody's.
        client.endpoints = Endpoints {
            authorization: known(&format!("{base}/oauth2/v2.0/authorize")),
            token: known(&format!("{base}/oauth2/v2.0/token")),
            device_authorization: known(&format!("{base}/oauth2/v2.0/devicecode")),
            ..Endpoints::default()
        };
    } else {
        client.issuer = Some(format!("{base}/v2.0"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_makes_a_client_that_can_be_used() {
        for preset in Preset::ALL {
            let mut client = Client::new("x", "id");
            preset.apply(&mut client, Some("https://as.example/"), None).unwrap();
            client.check().unwrap();
            assert_eq!(Preset::named(preset.name()), Some(preset));
        }
        let mut client = Client::new("x", "id");
        let text = Preset::Keycloak.apply(&mut client, None, None).unwrap_err().to_string();
        assert_eq!(text, "the preset keycloak needs --url");
        assert!(Preset::Microsoft.apply(&mut client, None, Some("a/../b")).is_err());
        Preset::Server.apply(&mut client, Some("http://127.0.0.1:4999/"), None).unwrap();
        assert_eq!(client.issuer.as_deref(), Some("http://127.0.0.1:4999"));
    }
}
