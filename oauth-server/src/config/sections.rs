//! Every setting there is, declared once: struct, default, reader and reference come from here.

use super::{
    claims::Claims, metadata::Metadata, profiles::Profile, secret::Secret, section::sections,
    setting::words,
};
use ipnet::IpNet;
use oauth_core::model::{Access, Issuer, RedirectUri, ResourceUri, Scope, SigningAlgorithm};
use std::{net::IpAddr, path::PathBuf, time::Duration};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

words! {
    /// What kind of place the server runs in.
    Mode {
        /// A developer's machine: everything is made up that is not configured.
        Development = "development" | "default" | "dev",
        /// As development, but letters go to a mail server.
        DevEmail = "dev_email",
        /// Automatic tests: as development.
        Testing = "testing",
        /// A rehearsal for production: demo users and authenticators are refused.
        Stage = "stage" | "preprod",
        /// The real thing: nothing that weakens security is accepted by default.
        Production = "production" | "prod",
    }
}

words! {
    /// Another program whose addresses and words are spoken, too.
    Compat {
        /// None.
        None = "none",
        /// TokTok: its user service below `/api/auth` and `/api/usr`.
        Toktok = "toktok",
    }
}

words! {
    /// Who decides whether a name and a password belong together.
    Authenticator {
        /// The users of the database.
        Database = "database",
        /// Nobody: every name with every password is accepted. For demonstrations.
        Any = "any",
    }
}

words! {
    /// The form of access tokens.
    Format {
        /// A signed JWT, which a resource server checks by itself.
        Jwt = "jwt",
        /// A random string, which a resource server asks about at the introspection endpoint.
        Opaque = "opaque",
    }
}

words! {
    /// Rights on APIs that somebody gets by signing up.
    SelfService {
        /// None; an administrator gives them.
        None = "none",
        /// Whatever the person asks for. For demonstrations.
        Choose = "choose",
        /// The same for everybody: `signup.default_access` on every API.
        Fixed = "fixed",
    }
}

words! {
    /// The shape of log lines.
    LogFormat {
        /// One JSON object a line.
        Json = "json",
        /// For people.
        Pretty = "pretty",
    }
}

words! {
    /// A grant type that RFC 9700 advises against.
    DangerousGrant {
        /// `response_type=token`.
        Implicit = "implicit",
        /// `grant_type=password`.
        Password = "password",
    }
}

words! {
    /// The header in which proxies name the address they speak for.
    ProxyHeader {
        /// The common one.
        XForwardedFor = "x-forwarded-for",
        /// The one of RFC 7239.
        Forwarded = "forwarded",
    }
}

words! {
    /// Who must use PKCE.
    Pkce {
        /// Every client.
        Everybody = "everybody",
        /// Clients without a secret; others may.
        PublicClients = "public_clients",
    }
}

words! {
    /// Who may register clients at the registration endpoint.
    RegistrationMode {
        /// Nobody: there is no such endpoint. People register clients on the pages.
        Closed = "closed",
        /// Whoever has an initial access token, as `oauth-server registration invite` makes them.
        Token = "token",
        /// Everybody; what comes without an initial access token can do nothing before an administrator approves of it.
        Approval = "approval",
        /// Everybody.
        Open = "open",
    }
}

words! {
    /// The audience of client assertions.
    AssertionAudience {
        /// The issuer or an endpoint, alone or in a list.
        IssuerOrEndpoint = "issuer_or_endpoint",
        /// The issuer and nothing else. Stricter, but not every client library can.
        Issuer = "issuer",
    }
}

words! {
    /// What is in the cookies of front ends.
    SessionCookie {
        /// A random string that stands for the session, which is in the database.
        Opaque = "opaque",
        /// Beside that the tokens themselves, for APIs that check them on their own.
        Jwt = "jwt",
    }
}

words! {
    /// Which requests of front ends must carry the CSRF token of their session.
    CsrfRule {
        /// Those that may change something: all but GET, HEAD, OPTIONS and TRACE.
        Unsafe = "unsafe",
        /// All but the one by which the token is learnt.
        All = "all",
    }
}

words! {
    /// Of whom a second factor is demanded.
    SecondFactorRule {
        /// Of nobody; everybody may set one up.
        Nobody = "nobody",
        /// Of administrators.
        Administrators = "administrators",
        /// Of everybody.
        Everybody = "everybody",
    }
}

words! {
    /// How a client of the configuration authenticates.
    AuthMethod {
        /// The secret in the `Authorization` header.
        Basic = "client_secret_basic",
        /// The secret in the form.
        Post = "client_secret_post",
        /// A JWT that is secured with the secret, which is kept sealed instead of hashed.
        SecretJwt = "client_secret_jwt",
        /// A JWT that is signed with a key of its own; `metadata.jwks` or `metadata.jwks_uri` has the public one.
        PrivateKeyJwt = "private_key_jwt",
        /// A public client without secret.
        None = "none",
    }
}

words! {
    /// Whether people have to give an e-mail address.
    AccountEmail {
        /// They may.
        Optional = "optional",
        /// They have to.
        Required = "required",
    }
}

sections! {
    /// At the top of the file, before any section.
    General [""] {
        /// What kind of place this is. It decides which shortcuts are refused; see the rules below.
        mode: Mode = Mode::Development,
        /// The family of standards that is followed. It changes the defaults of other settings, and refuses what its
        /// standard forbids; see the tables below.
        profile: Profile = Profile::Standard,
        /// Another program whose front ends are served, too, at its addresses and in its words: `toktok` has its user service
        /// below `/api/auth` and `/api/usr`. It changes the defaults of other settings; see the table below.
        compat: Compat = Compat::None,
        /// Whether programs may do what administrators do on the pages, below `/admin/api`, with access tokens of the scope
        /// `administration`: for an administrator, or by a client that the operator made.
        administration_api: bool = false,
        /// Where the SQLite file and the sealing key are kept when nothing else is configured. Made with access for the owner alone.
        data_folder: PathBuf = "data".into(),
        /// Who decides whether a name and a password belong together. `any` accepts everybody and is for demonstrations.
        authenticator: Authenticator = Authenticator::Database,
    }

    /// Where and how the server listens.
    Server ["server"] {
        /// The address to listen on.
        host: IpAddr = LOOPBACK,
        /// The port to listen on.
        port: u16 = 4999,
        /// The URL under which people and clients reach the server, without a slash at the end. It is the issuer of
        /// every token and compared as the exact string. Unset: made from host and port, which is only right on one machine.
        public_url: Option<Issuer> = None,
        /// A PEM file with the certificate chain, for https.
        tls_certificate: Option<PathBuf> = None,
        /// A PEM file with the private key of the certificate. Both are read again on SIGHUP.
        tls_key: Option<PathBuf> = None,
        /// A PEM file with the certificate chain of an ECDSA key, beside `server.tls_certificate`, which is then of an RSA
        /// key: whoever can verify ECDSA gets this one, everybody else the other (AMWA BCP-003-01).
        tls_ecdsa_certificate: Option<PathBuf> = None,
        /// A PEM file with the private key of that certificate. SIGHUP reads all four files again; where one is no good,
        /// both certificates stay as they were.
        tls_ecdsa_key: Option<PathBuf> = None,
        /// Listen without TLS on an address that is not loopback. Only behind a proxy that does TLS, or in a closed network.
        danger_plain_http: bool = false,
        /// Proxies that are believed when they say for whom they speak, as networks. Nobody else is.
        trusted_proxies: Vec<IpNet> = Vec::new(),
        /// The header in which the trusted proxies say it. They must set or extend this one; the other is ignored, since
        /// anybody can send it through a proxy that does not know it.
        proxy_header: ProxyHeader = ProxyHeader::XForwardedFor,
        /// Threads that serve requests. Unset: one for each processor.
        workers: Option<u16> = None,
        /// The longest a request may take, its body included.
        request_timeout: Duration = seconds(30),
        /// The longest a client may take to send the head of a request.
        header_timeout: Duration = seconds(10),
        /// How long requests in flight may go on after SIGTERM.
        shutdown_timeout: Duration = seconds(20),
        /// The largest body of a request, in bytes.
        body_limit: u32 = 64 * 1024,
    }

    /// Requests that the server itself makes: to documents that clients publish, such as their keys, and to their logout
    /// addresses. Whoever registers a client names those, so they go over https to public addresses only, follow no
    /// redirect, use no proxy, and fetch nothing large.
    Outgoing ["outgoing"] {
        /// Networks that may be gone to although they are not public: those in which clients of yours are.
        allowed_networks: Vec<IpNet> = Vec::new(),
        /// Networks that are never gone to, be they public or allowed: your own public addresses, or the prefix of your NAT64.
        refused_networks: Vec<IpNet> = Vec::new(),
        /// PEM files with certificates of authorities that are trusted as well as those of the system.
        ca_files: Vec<PathBuf> = Vec::new(),
        /// The longest a request may take, waiting for its turn included. Shorter than `server.request_timeout`.
        timeout: Duration = seconds(5),
        /// How many are made at once; further ones wait.
        concurrency: u16 = 32,
        /// Go to the allowed networks over plain http, too. Whoever is in between can replace the keys of a client.
        danger_plain_http: bool = false,
    }

    /// Where everything is stored.
    Database ["database"] {
        /// `sqlite:` and a path, or a `postgres://` URL. Unset: `oauth.db` in the data folder.
        url: Option<Secret> = None,
        /// The most connections held open.
        max_connections: u32 = 8,
    }

    /// The keys that sign tokens. They live in the database, sealed.
    Keys ["keys"] {
        /// 32 random bytes in base64 that seal the signing keys, as `openssl rand -base64 32` makes them. The same for
        /// every process on one database. Unset: made on first start, in `sealing.key` in the data folder.
        sealing_key: Option<Secret> = None,
        /// The algorithms there are signing keys for.
        algorithms: Vec<SigningAlgorithm> = vec![SigningAlgorithm::ES256, SigningAlgorithm::RS256],
        /// How long a key signs before the next one does.
        rotate_every: Duration = seconds(90 * DAY),
        /// How long a key is published before it signs, so that every resource server has fetched it by then.
        publish_lead: Duration = seconds(DAY),
    }

    /// What is issued, and how long it lives.
    Tokens ["tokens"] {
        /// The form of access tokens where neither resource nor client decides.
        access_token_format: Format = Format::Jwt,
        /// The algorithm of JWT access tokens where neither resource nor client decides.
        access_token_algorithm: SigningAlgorithm = SigningAlgorithm::ES256,
        /// How long access tokens live where neither resource nor client decides.
        access_token_ttl: Duration = seconds(10 * MINUTE),
        /// The longest life any access token gets. Retired keys stay published this long.
        access_token_max_ttl: Duration = seconds(DAY),
        /// How long a refresh token lives without being used.
        refresh_token_ttl: Duration = seconds(30 * DAY),
        /// How long a refresh token and all its successors live together.
        refresh_token_max_age: Duration = seconds(90 * DAY),
        /// How long a refresh whose answer was lost may be repeated and gets the same answer. May be 0.
        refresh_retry_window: Duration = seconds(30),
        /// How long an authorization code lives.
        code_ttl: Duration = seconds(MINUTE),
        /// How long somebody may take to sign in and consent.
        interaction_ttl: Duration = seconds(10 * MINUTE),
    }

    /// OpenID Connect: signing people in to applications.
    Openid ["openid"] {
        /// Whether it is spoken: id tokens, userinfo, logout, and the scopes `openid`, `profile`, `email`, `address`,
        /// `phone` and `offline_access`.
        enabled: bool = true,
        /// How long an id token is valid. A client reads it once, when it arrives.
        id_token_ttl: Duration = seconds(HOUR),
        /// Which audience the assertions of clients must name that authenticate with a JWT.
        assertion_audience: AssertionAudience = AssertionAudience::IssuerOrEndpoint,
    }

    /// Programs that register clients by themselves (RFC 7591, RFC 7592, OpenID Connect Registration).
    Registration ["registration"] {
        /// Who may: nobody (`closed`: there is no such endpoint, and clients that registered earlier can no longer manage
        /// themselves), whoever has a token of `oauth-server registration invite` (`token`), everybody, where a client
        /// that came without such a token awaits the approval of an administrator (`approval`), or everybody (`open`).
        mode: RegistrationMode = RegistrationMode::Closed,
        /// How long a client stays that awaits approval.
        pending_client_ttl: Duration = seconds(30 * DAY),
        /// How many clients may await approval at once. Further ones are told to come back later.
        most_pending_clients: u32 = 200,
        /// How long a client stays that somebody registered without a token and that nobody has used.
        unused_client_ttl: Duration = seconds(DAY),
        /// Let clients name plain http addresses on this machine where the standards ask for https. For tests.
        danger_loopback: bool = false,
    }

    /// What AMWA IS-10 knows and OAuth does not. It holds in the profiles `is10` and `is10-legacy` alone.
    Nmos ["nmos"] {
        /// Whom access tokens are for where neither a `resource` nor an API says so: domain names, such as
        /// `*.studio.example.org`, in which `*` stands for one label or more. Unset: the devices of the server's own domain
        /// and of `.local`; in production it must be set.
        audience: Vec<String> = Vec::new(),
        /// What a client may do for itself, by the client credentials grant, as `api:access` or
        /// `api:access:pattern`. Nothing else is granted to it.
        client_rights: Vec<String> = vec!["registration:write".into()],
        /// Files with JWK sets of other authorization servers of the facility, published beside the own keys. Read
        /// again every minute.
        hosted_key_files: Vec<PathBuf> = Vec::new(),
        /// Addresses of such key sets. They are fetched as the section `outgoing` says, and remembered while the other
        /// server is not there.
        hosted_key_urls: Vec<String> = Vec::new(),
        /// How often they are fetched.
        hosted_keys_every: Duration = seconds(10 * MINUTE),
    }

    /// The audit log: what was authorized, registered, issued, refreshed and revoked, by whom and from where, in the
    /// database. Rows are never changed, and hold no secrets.
    Audit ["audit"] {
        /// Whether it is kept.
        enabled: bool = false,
        /// How long a row is kept. Unset: for good.
        retention: Option<Duration> = None,
    }

    /// Announcing the server to the devices of the local network by multicast DNS (DNS-SD), as AMWA IS-10 describes it.
    DnsSd ["dns_sd"] {
        /// Whether it is announced. Where the network has a DNS server, the records of `oauth-server dns-sd zone` in it
        /// are the better way.
        enabled: bool = false,
        /// The name of the announced service.
        name: String = "oauth-server".into(),
        /// The interfaces it is announced on, by name or address. Empty: all but loopback.
        interfaces: Vec<String> = Vec::new(),
        /// The priority: 0 to 99 for production, 0 before all others; 100 and more for development.
        priority: u16 = 100,
        /// The versions of the Authorization API, in ascending order.
        api_versions: Vec<String> = vec!["v1.0".into()],
    }

    /// What authorization requests must bring, and grant types that RFC 9700 advises against. Those are off; on, each
    /// client must be allowed to use them as well.
    Grants ["grants"] {
        /// Who must use PKCE. RFC 9700 wants everybody to.
        pkce: Pkce = Pkce::Everybody,
        /// Accept the PKCE method `plain`, which only some profiles of broadcast devices ask for.
        danger_plain_pkce: bool = false,
        /// Allow the implicit grant, which shows access tokens to the browser's history and to every script.
        danger_implicit: bool = false,
        /// Allow the password grant, which teaches people to type their password into clients.
        danger_password: bool = false,
        /// Which of the two are accepted in production in spite of RFC 9700.
        danger_accepted_in_production: Vec<DangerousGrant> = Vec::new(),
    }

    /// Signing up.
    Signup ["signup"] {
        /// Whether everybody may sign up. Otherwise `oauth-server user create` makes users.
        open: bool = true,
        /// Which rights on APIs somebody gets by signing up. Unset: `choose` in development and testing, else `none`.
        access_rights: Option<SelfService> = None,
        /// What everybody gets on every API when `access_rights` is `fixed`.
        default_access: Access = Access::Read,
        /// The fewest characters of a password.
        password_length: u16 = 8,
        /// Whether the page has a field that nobody sees. Programs that fill in every field make no account.
        honeypot: bool = false,
    }

    /// The user service: accounts of people, and what they get without a browser session.
    Accounts ["accounts"] {
        /// Whether guest tokens are given out: tokens of nobody in particular, for front ends that want to tell their
        /// visitors apart before anybody signs in. They slow programs down and prove nothing.
        guest_tokens: bool = true,
        /// How long a guest token lives.
        guest_token_ttl: Duration = seconds(15 * MINUTE),
        /// How often a guest token can be refreshed. 0: never.
        guest_refreshes: u16 = 4,
        /// Whether people have to give an e-mail address when they sign up.
        email: AccountEmail = AccountEmail::Optional,
        /// Where the terms are that people agree to when they sign up. Unset: there are none.
        terms_url: Option<String> = None,
        /// For how long somebody may confirm the address of a new account by the link in the letter.
        confirm_ttl: Duration = seconds(3 * DAY),
        /// For how long the link in a letter about a forgotten password is good.
        reset_ttl: Duration = seconds(45 * MINUTE),
        /// For how long somebody may confirm another address.
        change_ttl: Duration = seconds(DAY),
        /// For how long the old address can take such a change back.
        undo_ttl: Duration = seconds(7 * DAY),
        /// When an address that nobody confirmed is forgotten; and the account with it where `email` is `required`.
        unconfirmed_ttl: Duration = seconds(7 * DAY),
        /// How long ago a sign-in may be for what matters most: another address, deleting the account; on pages a quarter of
        /// an hour at most.
        fresh_for: Duration = seconds(10 * MINUTE),
    }

    /// Browser sessions.
    Sessions ["sessions"] {
        /// How long a session lives without being used.
        idle_timeout: Duration = seconds(DAY),
        /// How long a session lives at most.
        max_age: Duration = seconds(14 * DAY),
    }

    /// Sessions for front ends in the browser, at `/auth`: they are told who is signed in and never see a token.
    Bff ["bff"] {
        /// Whether there are any.
        enabled: bool = true,
        /// What is in the cookies: `opaque`, a random string; or `jwt`, an access token that APIs on this origin check on
        /// their own, and a refresh token for `/auth` alone. No script can read either.
        cookie: SessionCookie = SessionCookie::Opaque,
        /// Whether the addresses of the original are there, too: `/api/v1/auth/...` and `/api/v1/users/...`.
        api_v1: bool = false,
        /// Addresses outside this site that `/auth/login` may return to, compared character by character. Paths of this
        /// site always may.
        return_to: Vec<String> = Vec::new(),
        /// How long the cookie of a session still works after `/auth/refresh` replaced it, for requests of other tabs that
        /// are under way. Whoever comes with it later ends the session.
        rotation_grace: Duration = seconds(10),
        /// Which requests must carry the CSRF token of the session, in `X-CSRF-Token` or `X-API-KEY`.
        csrf_methods: CsrfRule = CsrfRule::Unsafe,
    }

    /// Slowing down whoever guesses passwords. The counters are in the database: they survive a restart and hold for all processes together.
    Throttle ["throttle"] {
        /// Failed attempts for one account that cost nothing. Each further one doubles the wait.
        account_attempts: u16 = 5,
        /// Failed attempts from one address (IPv6: one /64) that cost nothing. Each further one doubles the wait.
        address_attempts: u16 = 20,
        /// New accounts from one address that cost nothing. Each further one doubles the wait.
        signup_attempts: u16 = 20,
        /// Registrations of clients from one address that cost nothing. Each further one doubles the wait.
        registration_attempts: u16 = 20,
        /// Guest tokens for one address that cost nothing, and lists of users without any token (`compat = "toktok"`). Each
        /// further one doubles the wait.
        guest_attempts: u16 = 200,
        /// Letters to one person that anybody can ask for, such as those about a forgotten password, that cost nothing.
        /// Each further one doubles the wait.
        letter_attempts: u16 = 3,
        /// The first wait.
        first_delay: Duration = seconds(2),
        /// The longest wait.
        longest_delay: Duration = seconds(15 * MINUTE),
        /// How long after the last attempt the count starts anew.
        forget_after: Duration = seconds(DAY),
    }

    /// Hashing passwords with Argon2id, which takes 19 MiB each.
    Passwords ["passwords"] {
        /// How many are hashed at once. Unset: one for each processor.
        concurrency: Option<u16> = None,
    }

    /// Second factors: what is asked for after a password.
    SecondFactors ["second_factor"] {
        /// Of whom one is demanded: of `nobody`, though everybody may set one up, of `administrators`, or of `everybody`. Whoever
        /// has none sets up an app while signing in on the page; a password alone gives no session and no tokens. A passkey
        /// is enough. Sessions that were begun by a password alone count no more.
        required: SecondFactorRule = SecondFactorRule::Nobody,
    }

    /// Log lines, on standard output.
    Logs ["logs"] {
        /// Unset: `pretty` on a terminal, else `json`.
        format: Option<LogFormat> = None,
        /// The least important level that is written (`error`, `warn`, `info`, `debug`, `trace`), or a list such as `info,oauth_core=debug`.
        level: String = "info".into(),
        /// Write a line for every request.
        requests: bool = true,
    }

    /// Prometheus metrics at `/metrics`, on a listener of their own for the operator alone.
    Metrics ["metrics"] {
        /// Collect them and listen.
        enabled: bool = false,
        /// The address to listen on.
        host: IpAddr = LOOPBACK,
        /// The port to listen on.
        port: u16 = 9000,
    }

    /// What happened to accounts, which their people see under `/account/activity`: sign-ins and changes.
    Activity ["activity"] {
        /// How long it is kept.
        keep: Duration = seconds(180 * DAY),
    }

    /// Looking after keys and expired rows.
    Maintenance ["maintenance"] {
        /// Delete what has expired. Off only where something else runs `oauth-server maintain`.
        sweep: bool = true,
        /// How often, give or take a quarter.
        sweep_every: Duration = seconds(5 * MINUTE),
    }

    /// An API that people have rights on. Its name is also the scope that asks for it. Without any `[[api]]`, development
    /// and testing have `registration`, `query`, `node` and `connection`; the profiles of IS-10 have these in every mode,
    /// and `events`, `channelmapping` and `system`.
    Api ["api"] {
        /// Required. Its name in scopes and claims, such as `connection`.
        name: String = String::new(),
        /// Its name for people.
        title: String = String::new(),
        /// What a client may do with it, in words for the consent page: *This application wants to* ...
        description: String = String::new(),
        /// Its versions, such as `v1.1`.
        versions: Vec<String> = Vec::new(),
        /// In the profiles of IS-10, whom access tokens for it are for: domain names of the devices that have it. Empty:
        /// `nmos.audience`.
        audience: Vec<String> = Vec::new(),
    }

    /// A scope that is not an API, or other words for one of OpenID Connect. With `openid.enabled = false` and without
    /// any `[[scope]]` there is `profile`.
    ScopeEntry ["scope"] {
        /// Required. The scope token.
        name: String = String::new(),
        /// What a client may do with it, in words for the consent page: *This application wants to* ...
        description: String = String::new(),
    }

    /// A protected resource that tokens are issued for (RFC 8707).
    ResourceEntry ["resource"] {
        /// Required. Its identifier: `resource` in requests, `aud` in tokens.
        uri: Option<ResourceUri> = None,
        /// The form of the access tokens it gets. Unset: the client decides.
        access_token_format: Option<Format> = None,
        /// The algorithm of the JWTs it gets. Unset: `tokens.access_token_algorithm`.
        access_token_algorithm: Option<SigningAlgorithm> = None,
        /// How long its access tokens live. Unset: the client decides.
        access_token_ttl: Option<Duration> = None,
        /// The scopes it understands. Empty: all.
        scope: Scope = Scope::default(),
    }

    /// A client that is registered, or brought up to date, at every start.
    ClientEntry ["client"] {
        /// Required. The `client_id`.
        id: String = String::new(),
        /// Its name on the consent page. Unset: the id.
        name: Option<String> = None,
        /// Its home page.
        uri: Option<String> = None,
        /// Its secret, unless it is a public client or has a key. Stored as a hash, of Argon2id unless it is long and random.
        secret: Option<Secret> = None,
        /// How it authenticates.
        auth_method: AuthMethod = AuthMethod::Basic,
        /// Where answers may go.
        redirect_uris: Vec<RedirectUri> = Vec::new(),
        /// Its grant types.
        grant_types: Vec<String> = vec!["authorization_code".into(), "refresh_token".into()],
        /// Its response types. Empty: those of its grant types.
        response_types: Vec<String> = Vec::new(),
        /// The most it may be granted.
        scope: Scope = Scope::default(),
        /// The form of its access tokens. Unset: `tokens.access_token_format`.
        access_token_format: Option<Format> = None,
        /// The algorithm of its JWTs. Unset: `tokens.access_token_algorithm`.
        access_token_algorithm: Option<SigningAlgorithm> = None,
        /// How long its access tokens live. Unset: `tokens.access_token_ttl`.
        access_token_ttl: Option<Duration> = None,
        /// Do not ask people for consent: it is the operator's own.
        skip_consent: bool = false,
        /// What else it would register (OpenID Connect Registration), by its names there: `logo_uri`, `jwks`,
        /// `subject_type`, `post_logout_redirect_uris`, `backchannel_logout_uri` and so on.
        metadata: Metadata = Metadata::default(),
    }

    /// Somebody who is trusted to make software statements: signed descriptions of clients (RFC 7591 2.3).
    StatementIssuer ["software_statement_issuer"] {
        /// Required. The `iss` of the statements.
        issuer: String = String::new(),
        /// Required. A file with the JWK set of the issuer.
        jwks_file: PathBuf = PathBuf::new(),
    }

    /// A user that is made at start when there is none of that name. For demonstrations.
    UserEntry ["user"] {
        /// Required. The name to sign in with.
        name: String = String::new(),
        /// Required. The password.
        password: Option<Secret> = None,
        /// Whether the user is an administrator.
        admin: bool = false,
        /// Rights on APIs, such as `connection:write`, or with a path pattern `connection:write:single/*`. Several for
        /// one API add up: `connection:read` and `connection:write:single/*` are reading everywhere, writing there.
        rights: Vec<String> = Vec::new(),
        /// What the user says about itself: standard claims of OpenID Connect, such as
        /// `{ name = "Ada Lovelace", email = "ada@example.org", email_verified = true, address = { locality = "London" } }`.
        claims: Claims = Claims::default(),
    }
}
