//! The configuration of the server: defaults, then files, then environment, then flags.

mod check;
mod claims;
mod docs;
mod forms;
mod load;
mod mail;
mod metadata;
mod problem;
mod profiles;
mod read;
mod redis;
mod reference;
mod rules;
mod secret;
mod section;
mod sections;
mod setting;
mod upstream;
mod words;

pub use check::decode_key;
pub use claims::Claims;
pub use docs::Docs;
pub use forms::{Forms, Salt};
pub use load::{Overrides, Sources, load};
pub use mail::*;
pub use metadata::Metadata;
pub use problem::{Problem, Problems};
pub use profiles::{Demand, Profile};
pub use redis::Redis;
pub use reference::{dump, reference};
pub use rules::{RULES, Rule};
pub use secret::Secret;
pub use section::{PREFIX, env_name};
pub use sections::*;
pub use upstream::*;
pub use words::ScopeWords;

use oauth_core::model::Issuer;
use read::Reader;
use section::{Described, Section};
use std::net::{IpAddr, SocketAddr};

/// Declares the whole: sections, then lists of tables.
macro_rules! whole {
    ($($(#[doc = $text:literal])+ $field:ident: $kind:ty,)+; $($(#[doc = $list_text:literal])+ $list:ident: $entry:ty,)+) => {
        /// The whole configuration.
        #[derive(Clone, Debug, Default)]
        pub struct Config {
            $($(#[doc = $text])+ pub $field: $kind,)+
            $($(#[doc = $list_text])+ pub $list: Vec<$entry>,)+
        }

        impl Section for Config {
            const NAME: &'static str = "";

            fn about() -> String {
                String::new()
            }

            fn read(reader: &mut Reader<'_>) -> Self {
                Self {
                    $($field: reader.part(),)+
                    $($list: reader.entries(),)+
                }
            }

            fn settings(&self) -> Vec<Described> {
                Vec::new()
            }

            fn names() -> Vec<&'static str> {
                let mut names = General::names();
                names.extend([$(<$kind>::NAME,)+ $(<$entry>::NAME,)+]);
                names.retain(|n| !n.is_empty());
                names
            }
        }

        impl Config {
            /// Every section: name, what it is for, its settings.
            fn parts(&self) -> Vec<Part> {
                vec![$(Part::of(&self.$field),)+]
            }

            /// Every list of tables, with its entries.
            fn lists(&self) -> Vec<(Part, Vec<Part>)> {
                vec![$((Part::of(&<$entry>::default()), self.$list.iter().map(Part::of).collect()),)+]
            }
        }
    };
}

whole! {
    /// What stands at the top.
    general: General,
    /// Listening.
    server: Server,
    /// Requests to clients.
    outgoing: Outgoing,
    /// Signing people in to applications.
    openid: Openid,
    /// Programs that register clients.
    registration: Registration,
    /// AMWA IS-10.
    nmos: Nmos,
    /// The audit log.
    audit: Audit,
    /// Announcing.
    dns_sd: DnsSd,
    /// Storing.
    database: Database,
    /// Signing keys.
    keys: Keys,
    /// What is issued.
    tokens: Tokens,
    /// Grant types better left off.
    grants: Grants,
    /// Signing up.
    signup: Signup,
    /// The user service.
    accounts: Accounts,
    /// Encrypted forms and the gate for guests.
    forms: Forms,
    /// The description of the routes.
    docs: Docs,
    /// Browser sessions.
    sessions: Sessions,
    /// What happened to accounts.
    activity: Activity,
    /// Letters.
    mail: Mail,
    /// Sessions for front ends.
    bff: Bff,
    /// A shared Redis.
    redis: Redis,
    /// Guessing passwords.
    throttle: Throttle,
    /// Hashing passwords.
    passwords: Passwords,
    /// Second factors.
    second_factor: SecondFactors,
    /// Log lines.
    logs: Logs,
    /// Prometheus.
    metrics: Metrics,
    /// Expired rows.
    maintenance: Maintenance,
    ;
    /// APIs that people have rights on.
    apis: Api,
    /// Other scopes.
    scopes: ScopeEntry,
    /// Protected resources.
    resources: ResourceEntry,
    /// Clients made at start.
    clients: ClientEntry,
    /// Who may describe clients.
    statement_issuers: StatementIssuer,
    /// Users made at start.
    users: UserEntry,
    /// Providers that people sign in through.
    upstreams: UpstreamEntry,
}

/// A section as the reference and the dump show it.
struct Part {
    name: &'static str,
    about: String,
    settings: Vec<Described>,
}

impl Part {
    fn of<S: Section>(section: &S) -> Self {
        Self { name: S::NAME, about: S::about(), settings: section.settings() }
    }
}

impl Config {
    /// What kind of place this is.
    pub const fn mode(&self) -> Mode {
        self.general.mode
    }

    /// The family of standards that is followed.
    pub const fn profile(&self) -> Profile {
        self.general.profile
    }

    /// Whether the front ends of TokTok are served.
    pub const fn is_toktok(&self) -> bool {
        matches!(self.general.compat, Compat::Toktok)
    }

    /// Whether shortcuts for demonstrations are welcome here.
    pub const fn is_demo(&self) -> bool {
        matches!(self.general.mode, Mode::Development | Mode::DevEmail | Mode::Testing)
    }

    /// The address to listen on.
    pub const fn listen(&self) -> SocketAddr {
        SocketAddr::new(self.server.host, self.server.port)
    }

    /// Whether the server itself does TLS.
    pub const fn has_tls(&self) -> bool {
        self.server.tls_certificate.is_some() && self.server.tls_key.is_some()
    }

    /// The issuer: the configured URL, or the one that host and port make.
    #[expect(clippy::missing_panics_doc, reason = "scheme, address and port make a URL")]
    pub fn issuer(&self) -> Issuer {
        self.server.public_url.clone().unwrap_or_else(|| {
            let scheme = if self.has_tls() { "https" } else { "http" };
            let host = match self.server.host {
                IpAddr::V6(ip) if !ip.is_unspecified() => format!("[{ip}]"),
                IpAddr::V4(ip) if !ip.is_unspecified() => ip.to_string(),
                _ => "127.0.0.1".to_owned(),
            };
            Issuer::danger_parse_insecure(&format!("{scheme}://{host}:{}", self.server.port))
                .expect("scheme, address and port make a URL")
        })
    }

    /// Where the pages are: the issuer without its path.
    pub fn origin(&self) -> String {
        let (issuer, path) = (self.issuer(), self.issuer().path());
        let text = issuer.as_str().trim_end_matches('/');
        text.strip_suffix(&*path).unwrap_or(text).to_owned()
    }

    /// Where the metadata is ([RFC 8414 3](https://www.rfc-editor.org/rfc/rfc8414#section-3)).
    pub fn metadata_url(&self) -> String {
        let path = self.issuer().path();
        format!("{}/.well-known/oauth-authorization-server{path}", self.origin())
    }

    /// Whether programs may do what administrators do: the scope `administration` exists.
    pub const fn administration_api(&self) -> bool {
        self.general.administration_api
    }

    /// The URL of the database.
    pub fn database_url(&self) -> String {
        match &self.database.url {
            Some(url) => url.reveal().to_owned(),
            None => format!("sqlite:{}", self.general.data_folder.join("oauth.db").display()),
        }
    }

    /// What somebody gets on each API by signing up without being asked, those without any included: what is written
    /// down is certain.
    pub fn rights_of_newcomers(&self) -> Vec<(String, oauth_core::model::Access)> {
        let access = match self.self_service() {
            SelfService::Fixed => self.signup.default_access,
            SelfService::None | SelfService::Choose => oauth_core::model::Access::None,
        };
        self.known_apis().into_iter().map(|api| (api.name, access)).collect()
    }

    /// Which rights somebody gets by signing up.
    pub fn self_service(&self) -> SelfService {
        self.signup.access_rights.unwrap_or(if self.is_demo() {
            SelfService::Choose
        } else {
            SelfService::None
        })
    }
}
