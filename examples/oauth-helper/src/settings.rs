//! Settings: defaults that work, a TOML file, the environment (`OAUTHCLIENT_SERVER__PORT=8080`), then flags.

use crate::{
    error::{Error, Result},
    hooks::Hooks,
    seal::KeySource,
    secret::Secret,
    store::{TokenStore, TokenStoreBuilder},
    wire::HttpOptions,
};
#[cfg(feature = "redis")]
use crate::{legacy::OldTokens, redis_link::RedisServer};
use config::{Config, Environment, File, FileFormat};
use serde::Deserialize;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    time::Duration,
};
use url::Url;

/// Everything that can be set.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The set of clients that is used.
    pub profile: String,
    /// What kind of place this is; shown, and nothing else.
    pub env: String,
    /// How much is logged: error, warn, info, debug, trace.
    pub debug_level: String,
    /// Clients and their redirects.
    pub oauth: OauthSettings,
    /// Redis.
    pub message_queue: MessageQueueSettings,
    /// The local web page.
    pub server: ServerSettings,
    /// Where secrets are.
    pub store: StoreSettings,
    /// Calls to providers.
    pub http: HttpSettings,
    /// Who is told of events.
    pub hooks: HookSettings,
}

/// Clients and their redirects.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OauthSettings {
    /// The redirect URI of clients that have none of their own.
    pub redirect_url: Option<Url>,
    /// The metadata file. By default `clients.json` in the folder of the profile.
    pub token_cache: Option<PathBuf>,
    /// What keys in Redis begin with.
    pub token_key_prepend: Option<String>,
}

/// Redis.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MessageQueueSettings {
    /// Its address: `redis://HOST:PORT/DB`, or `rediss://` with TLS.
    pub url: Option<Secret>,
    /// With TLS, the certificate authorities that vouch for it, in place of those of the system.
    pub ca_file: Option<PathBuf>,
}

/// The local web page.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    /// Where it listens.
    pub host: IpAddr,
    /// Where it listens.
    pub port: u16,
    /// Its certificate, in PEM.
    pub tls_cert: Option<PathBuf>,
    /// The key of that certificate, in PEM.
    pub tls_key: Option<PathBuf>,
    /// What somebody has to type in before anything is shown. Made at random where the address is not of this
    /// machine alone.
    pub access_key: Option<Secret>,
    /// Let other machines reach it.
    pub danger_not_loopback: bool,
    /// More names under which it is asked for, as `host:port`.
    #[serde(deserialize_with = "list")]
    pub allowed_hosts: Vec<String>,
}

/// A list, or, as in a variable, its items with commas between them.
fn list<'de, D: serde::Deserializer<'de>>(input: D) -> std::result::Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        List(Vec<String>),
    }
    Ok(match Either::deserialize(input)? {
        Either::List(items) => items,
        Either::Text(text) => {
            text.split(',').map(|item| item.trim().to_owned()).filter(|i| !i.is_empty()).collect()
        }
    })
}

/// Where secrets are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// The kind of place.
    pub backend: Backend,
    /// The folder of sealed files and locks. By default that of the profile.
    pub folder: Option<PathBuf>,
    /// The file with the key that seals. By default beside the clients of the profile.
    pub key_file: Option<PathBuf>,
    /// A passphrase in the place of a key file.
    pub passphrase: Option<Secret>,
    /// A file with that passphrase.
    pub passphrase_file: Option<PathBuf>,
}

/// The kind of place secrets are in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Backend {
    /// Sealed files.
    #[default]
    File,
    /// The keyring of the operating system.
    Keyring,
    /// Memory, for as long as the process runs.
    Memory,
    /// Redis.
    Redis,
}

/// Calls to providers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSettings {
    /// How long a call may take, in seconds.
    pub timeout: u64,
    /// A file with more certificate authorities.
    pub ca_file: Option<PathBuf>,
}

/// Who is told of events.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HookSettings {
    /// A program, given the event as JSON on its standard input.
    pub command: Option<PathBuf>,
    /// An address the event is posted to.
    pub webhook: Option<Url>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            profile: "default".into(),
            env: "production".into(),
            debug_level: "warn".into(),
            oauth: OauthSettings::default(),
            message_queue: MessageQueueSettings::default(),
            server: ServerSettings::default(),
            store: StoreSettings::default(),
            http: HttpSettings::default(),
            hooks: HookSettings::default(),
        }
    }
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 8080,
            tls_cert: None,
            tls_key: None,
            access_key: None,
            danger_not_loopback: false,
            allowed_hosts: Vec::new(),
        }
    }
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self { timeout: 15, ca_file: None }
    }
}

/// The folders of this user.
#[derive(Clone, Debug)]
pub struct Folders {
    /// For what somebody sets.
    pub config: PathBuf,
    /// For what the program keeps.
    pub data: PathBuf,
    /// The home.
    pub home: PathBuf,
}

impl Folders {
    /// By the XDG base directory specification.
    pub fn find(environment: &HashMap<String, String>) -> Result<Self> {
        let absolute =
            |name: &str| environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = absolute("HOME").ok_or_else(|| {
            Error::Invalid("HOME is not set, so there is no place for files".into())
        })?;
        let config = absolute("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
        let data = absolute("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share"));
        Ok(Self { config: config.join("oauth-helper"), data: data.join("oauth-helper"), home })
    }
}

const PREFIX: &str = "OAUTHCLIENT_";
/// Variables with that beginning that are flags, not settings.
const FLAGS: [&str; 2] = ["OAUTHCLIENT_CONFIG", "OAUTHCLIENT_CLIENT"];

impl Settings {
    /// Reads the file, if there is one, and the environment. A file that was named must be there.
    pub fn load(file: Option<&Path>, environment: &HashMap<String, String>) -> Result<Self> {
        let mut sources = Config::builder();
        let usual = Folders::find(environment)?.config.join("settings.toml");
        if let Some(file) = file {
            sources = sources.add_source(File::from(file).format(FileFormat::Toml));
        } else if usual.exists() {
            sources = sources.add_source(File::from(usual).format(FileFormat::Toml));
        }
        let ours = environment
            .iter()
            .filter(|(name, _)| name.starts_with(PREFIX) && !FLAGS.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), unquoted(value).to_owned()))
            .collect();
        let variables = Environment::with_prefix("OAUTHCLIENT")
            .prefix_separator("_")
            .separator("__")
            .ignore_empty(true)
            .source(Some(ours));
        let settings: Self = sources
            .add_source(variables)
            .build()
            .and_then(Config::try_deserialize)
            .map_err(|e| Error::Invalid(format!("settings: {e}")))?;
        settings.checked()
    }

    fn checked(self) -> Result<Self> {
        let name = &self.profile;
        let fits = !name.is_empty() && name.len() <= 50 && !name.starts_with('.');
        if !fits || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
            return Err(Error::Invalid(
                "a profile has letters, digits, dashes, dots and underscores, 50 at most".into(),
            ));
        }
        if !(1..=300).contains(&self.http.timeout) {
            return Err(Error::Invalid("http.timeout is between 1 and 300 seconds".into()));
        }
        if self.server.tls_cert.is_some() != self.server.tls_key.is_some() {
            return Err(Error::Invalid("server.tls_cert and server.tls_key go together".into()));
        }
        Ok(self)
    }

    /// Opens the store these settings describe.
    pub async fn open(&self, folders: &Folders) -> Result<TokenStore> {
        self.builder(folders)?.open().await
    }

    /// The metadata file.
    pub fn metadata_file(&self, folders: &Folders) -> PathBuf {
        let usual = || folders.config.join(&self.profile).join("clients.json");
        self.oauth.token_cache.clone().unwrap_or_else(usual)
    }

    fn builder(&self, folders: &Folders) -> Result<TokenStoreBuilder> {
        let own = folders.config.join(&self.profile);
        let data = self.store.folder.clone().unwrap_or_else(|| folders.data.join(&self.profile));
        let builder = TokenStore::builder(&own)
            .profile(&self.profile)
            .metadata_file(self.metadata_file(folders))
            .data_folder(data)
            .key(self.key(&own)?)
            .redirect_url(self.oauth.redirect_url.clone())
            .hooks(Hooks {
                command: self.hooks.command.clone(),
                webhook: self.hooks.webhook.clone(),
            })
            .http(HttpOptions {
                timeout: Duration::from_secs(self.http.timeout),
                ca_file: self.http.ca_file.clone(),
            });
        match self.store.backend {
            Backend::File => Ok(builder.file()),
            Backend::Memory => Ok(builder.memory()),
            Backend::Keyring => keyring(builder),
            Backend::Redis => self.redis(builder),
        }
    }

    fn key(&self, own: &Path) -> Result<KeySource> {
        let file = self.store.key_file.clone();
        let phrase = match (&self.store.passphrase, &self.store.passphrase_file) {
            (Some(_), Some(_)) => {
                return Err(Error::Invalid(
                    "store.passphrase and store.passphrase_file exclude each other".into(),
                ));
            }
            (Some(phrase), None) => Some(phrase.clone()),
            (None, Some(path)) => Some(read_secret(path)?),
            (None, None) => None,
        };
        match (file, phrase) {
            (Some(_), Some(_)) => {
                Err(Error::Invalid("store.key_file and a passphrase exclude each other".into()))
            }
            (None, Some(phrase)) => Ok(KeySource::Passphrase(phrase)),
            (file, None) => Ok(KeySource::File(file.unwrap_or_else(|| own.join("vault.key")))),
        }
    }

    #[cfg(feature = "redis")]
    #[expect(clippy::unnecessary_wraps, reason = "it fails where the feature is off")]
    fn redis(&self, builder: TokenStoreBuilder) -> Result<TokenStoreBuilder> {
        let url = self.message_queue.url.as_ref().map_or("redis://redis:6379/0", Secret::expose);
        Ok(builder.redis_trusting(url, self.message_queue.ca_file.clone(), self.key_prefix()))
    }

    /// What keys in Redis begin with.
    #[cfg(feature = "redis")]
    fn key_prefix(&self) -> &str {
        self.oauth.token_key_prepend.as_deref().unwrap_or("oauth_client:")
    }

    /// The tokens that the old program left in Redis. Only where somebody said where that is.
    #[cfg(feature = "redis")]
    pub(crate) async fn old_tokens(&self) -> Option<Result<OldTokens>> {
        let url = self.message_queue.url.clone()?;
        let server = RedisServer { url, ca_file: self.message_queue.ca_file.clone() };
        Some(OldTokens::open(&server, self.key_prefix()).await)
    }

    #[cfg(not(feature = "redis"))]
    fn redis(&self, _: TokenStoreBuilder) -> Result<TokenStoreBuilder> {
        Err(Error::Invalid("this program was built without Redis".into()))
    }
}

#[cfg(feature = "keyring")]
#[expect(clippy::unnecessary_wraps, reason = "it fails where the feature is off")]
fn keyring(builder: TokenStoreBuilder) -> Result<TokenStoreBuilder> {
    Ok(builder.keyring())
}

#[cfg(not(feature = "keyring"))]
fn keyring(_: TokenStoreBuilder) -> Result<TokenStoreBuilder> {
    Err(Error::Invalid("this program was built without keyrings".into()))
}

/// A secret from a file that only its owner can read, without the line break at its end.
pub fn read_secret(path: &Path) -> Result<Secret> {
    let bytes = crate::files::read_private(path)?
        .ok_or_else(|| Error::Store(format!("{} is not there", path.display())))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::Store(format!("{} is not text", path.display())))?;
    let text = text.strip_suffix('\n').map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t));
    if text.is_empty() {
        return Err(Error::Store(format!("{} is empty", path.display())));
    }
    Ok(Secret::new(text))
}

/// A TOML string may stand in quotes, as it had to for the program this one replaces.
fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote).and_then(|v| v.strip_suffix(*quote)))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<Settings> {
        let mut environment: HashMap<_, _> =
            pairs.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        environment.insert("HOME".into(), "/nonexistent".into());
        Settings::load(None, &environment)
    }

    #[test]
    fn s3_10_it_listens_on_this_machine_alone_unless_told_otherwise() {
        let settings = with(&[]).unwrap();
        assert_eq!(
            (settings.server.host.to_string().as_str(), settings.server.port),
            ("127.0.0.1", 8080)
        );
    }

    #[test]
    fn s3_17_s3_21_the_old_names_of_variables_work_with_toml_quotes_or_without() {
        let settings = with(&[
            ("OAUTHCLIENT_OAUTH__REDIRECT_URL", "\"https://127.0.0.1:8080/auth_callback\""),
            ("OAUTHCLIENT_OAUTH__TOKEN_CACHE", "/usr/local/.my_token_cache.json"),
            ("OAUTHCLIENT_OAUTH__TOKEN_KEY_PREPEND", "'mine:'"),
            ("OAUTHCLIENT_MESSAGE_QUEUE__URL", "redis://127.0.0.1:6379/0"),
            ("OAUTHCLIENT_ENV", "docker"),
            ("OAUTHCLIENT_DEBUG_LEVEL", "debug"),
            ("OAUTHCLIENT_SERVER__HOST", "0.0.0.0"),
            ("OAUTHCLIENT_SERVER__PORT", "9090"),
            ("OAUTHCLIENT_SERVER__TLS_CERT", "/c"),
            ("OAUTHCLIENT_SERVER__TLS_KEY", "/k"),
            ("OAUTHCLIENT_SERVER__ALLOWED_HOSTS", "a:1,b:2"),
            ("OAUTHCLIENT_STORE__PASSPHRASE", "00123"),
            ("OAUTHCLIENT_CLIENT", "work"),
        ])
        .unwrap();
        let cache = settings.oauth.token_cache.unwrap();
        assert_eq!(cache, Path::new("/usr/local/.my_token_cache.json"));
        assert_eq!(settings.oauth.token_key_prepend.as_deref(), Some("mine:"));
        assert_eq!(settings.server.port, 9090);
        assert_eq!(settings.server.allowed_hosts, ["a:1", "b:2"]);
        assert_eq!(settings.store.passphrase.unwrap().expose(), "00123");
    }

    #[test]
    fn a_wrong_setting_is_an_error_that_names_it() {
        let refused = |pairs: &[(&str, &str)]| with(pairs).unwrap_err().to_string();
        assert!(refused(&[("OAUTHCLIENT_SERVER__PROT", "1")]).contains("prot"));
        assert!(refused(&[("OAUTHCLIENT_SERVER__PORT", "x")]).contains("port"));
        assert_eq!(
            refused(&[("OAUTHCLIENT_SERVER__TLS_CERT", "/c")]),
            "server.tls_cert and server.tls_key go together"
        );
        assert_eq!(
            refused(&[("OAUTHCLIENT_PROFILE", "../x")]),
            "a profile has letters, digits, dashes, dots and underscores, 50 at most"
        );
        assert_eq!(
            refused(&[("OAUTHCLIENT_HTTP__TIMEOUT", "0")]),
            "http.timeout is between 1 and 300 seconds"
        );
    }
}
