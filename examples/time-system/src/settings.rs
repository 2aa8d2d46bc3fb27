//! Settings of both programs: defaults that work, a TOML file, the environment (`TIME__WEBAPP__PORT`).

use config::{Config, Environment, File, FileFormat};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::{net::IpAddr, path::Path};
use url::Url;

/// Credentials of the demonstration. They are in this file, so they protect nothing.
const DEMO_SECRETS: [&str; 3] = ["qwerty", "bob-pass", "time-resource-demo-secret"];

/// Everything that can be set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What kind of place this is.
    pub mode: Mode,
    /// The authorization server, as its issuer URL.
    pub issuer: Url,
    /// The name of the resource server in tokens (`aud`).
    pub audience: String,
    /// The resource server.
    pub resource: ResourceSettings,
    /// The web app.
    pub webapp: WebappSettings,
}

/// What kind of place the programs run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Mode {
    /// A developer's machine.
    Development,
    /// Automatic tests.
    Testing,
    /// A rehearsal.
    Stage,
    /// The real thing.
    Production,
}

/// Settings of the resource server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceSettings {
    /// Where to listen.
    pub host: IpAddr,
    /// Where to listen.
    pub port: u16,
    /// The `client_id` under which it asks the introspection endpoint.
    pub client_id: String,
    /// The secret that goes with it.
    pub client_secret: SecretString,
}

/// Settings of the web app.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebappSettings {
    /// Where to listen.
    pub host: IpAddr,
    /// Where to listen.
    pub port: u16,
    /// Where the resource server is.
    pub resource_url: Url,
    /// The web app's own `client_id`.
    pub client_id: String,
    /// The secret that goes with it.
    pub client_secret: SecretString,
    /// The user on whose behalf it asks.
    pub username: String,
    /// The user's password.
    pub password: SecretString,
}

const DEFAULTS: &str = r#"
mode = "development"
issuer = "http://127.0.0.1:5001"
audience = "urn:example:time"

[resource]
host = "127.0.0.1"
port = 5002
client_id = "time-resource"
client_secret = "time-resource-demo-secret"

[webapp]
host = "127.0.0.1"
port = 5003
resource_url = "http://127.0.0.1:5002"
client_id = "1234"
client_secret = "qwerty"
username = "bob"
password = "bob-pass"
"#;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadSettings {
    /// A value is missing, unknown or of the wrong type.
    #[error("{0}")]
    Unreadable(#[from] config::ConfigError),
    /// Demo credentials outside a demonstration.
    #[error(
        "{0} is a credential of the demonstration and is refused in stage and production; set it to one of your own"
    )]
    DemoCredential(&'static str),
}

impl Settings {
    /// Reads defaults, the file if one is named, and the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, BadSettings> {
        Self::from(file, None)
    }

    /// As [`load`](Self::load), with the environment as given.
    fn from(
        file: Option<&Path>,
        environment: Option<std::collections::HashMap<String, String>>,
    ) -> Result<Self, BadSettings> {
        let mut sources = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(file) = file {
            sources = sources.add_source(File::from(file).format(FileFormat::Toml));
        }
        let variables = Environment::with_prefix("TIME")
            .prefix_separator("__")
            .separator("__")
            .ignore_empty(true)
            .source(environment);
        let settings: Self = sources.add_source(variables).build()?.try_deserialize()?;
        settings.checked()
    }

    fn checked(self) -> Result<Self, BadSettings> {
        if matches!(self.mode, Mode::Stage | Mode::Production) {
            let secrets = [
                ("resource.client_secret", &self.resource.client_secret),
                ("webapp.client_secret", &self.webapp.client_secret),
                ("webapp.password", &self.webapp.password),
            ];
            for (key, secret) in secrets {
                if DEMO_SECRETS.contains(&secret.expose_secret()) {
                    return Err(BadSettings::DemoCredential(key));
                }
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<Settings, BadSettings> {
        let variables = pairs.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        Settings::from(None, Some(variables))
    }

    #[test]
    fn works_without_any_setting() {
        let settings = with(&[]).unwrap();
        assert_eq!((settings.resource.port, settings.webapp.port), (5002, 5003));
    }

    #[test]
    fn the_environment_wins_and_unknown_names_are_errors() {
        assert_eq!(with(&[("TIME__WEBAPP__PORT", "80")]).unwrap().webapp.port, 80);
        let error = with(&[("TIME__WEBAPP__PROT", "80")]).unwrap_err().to_string();
        assert!(error.contains("prot"), "{error}");
        assert!(with(&[("TIME__WEBAPP__PORT", "x")]).is_err());
        assert_eq!(
            with(&[("TIME__WEBAPP__CLIENT_SECRET", "00123")])
                .unwrap()
                .webapp
                .client_secret
                .expose_secret(),
            "00123"
        );
    }

    #[test]
    fn production_refuses_each_demo_credential() {
        let mine = [
            ("TIME__MODE", "production"),
            ("TIME__RESOURCE__CLIENT_SECRET", "a"),
            ("TIME__WEBAPP__CLIENT_SECRET", "b"),
            ("TIME__WEBAPP__PASSWORD", "c"),
        ];
        assert!(with(&mine).is_ok());
        for skipped in 1..mine.len() {
            let some: Vec<_> =
                mine.iter().enumerate().filter(|(i, _)| *i != skipped).map(|(_, p)| *p).collect();
            assert!(matches!(with(&some), Err(BadSettings::DemoCredential(_))));
        }
    }
}
