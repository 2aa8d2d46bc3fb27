//! The `openidconnect` crate, which knows nothing of this server, signs people in through it. There are two server
//! processes behind one issuer: the person's browser is at one, the client at the other.
//!
//! Each test runs on PostgreSQL and on a SQLite file.

use crate::process::{BACK, Cluster, Process};
use http::header;
use oauth_core::testing::TestDatabase;
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientName, ClientSecret, CsrfToken,
    EndUserEmail, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, Scope, TokenResponse as _,
    core::{
        CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod,
        CoreClientRegistrationRequest, CoreErrorResponseType, CoreIdTokenClaims,
        CoreJwsSigningAlgorithm, CoreTokenResponse, CoreUserInfoClaims,
    },
    registration::EmptyAdditionalClientMetadata,
};
use std::{cell::RefCell, collections::BTreeMap, future::Future, pin::Pin};
use url::Url;

/// What both processes call themselves, wherever they listen.
const ISSUER: &str = "http://127.0.0.1:4999";
const SECRET: &str = "kX3vTq8mZr1wB0cYt5LxJn2Ph7UeSbGaDf4";
const MORE: &str = r#"
    [registration]
    mode = "open"
    [[client]]
    id = "relying party"
    secret = "kX3vTq8mZr1wB0cYt5LxJn2Ph7UeSbGaDf4"
    redirect_uris = ["https://app.example/back"]
    grant_types = ["authorization_code", "refresh_token"]
    scope = "openid profile email offline_access"
    [[user]]
    name = "ada"
    password = "correct horse"
    claims = { name = "Ada Lovelace", email = "ada@example.org", email_verified = true }
"#;

type Foreign = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Two processes behind one issuer.
struct Pair {
    a: Process,
    b: Process,
    _cluster: Cluster,
    _database: TestDatabase,
}

impl Pair {
    fn start(database: TestDatabase) -> Self {
        let cluster = Cluster::new(database.url(), MORE);
        let (a, b) = (cluster.start(), cluster.start());
        Self { a, b, _cluster: cluster, _database: database }
    }
}

macro_rules! on_both {
    ($($name:ident;)+) => {
        mod postgres { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let database = oauth_core::testing::TestDatabase::postgres().await;
                super::$name(super::Pair::start(database)).await;
            }
        )+ }
        mod sqlite { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let database = oauth_core::testing::TestDatabase::sqlite().await;
                super::$name(super::Pair::start(database)).await;
            }
        )+ }
    };
}

on_both! {
    code_flow_userinfo_and_refresh;
    a_client_that_registers_itself;
    logout_by_the_client;
    what_must_be_refused;
}

type Answer = Pin<Box<dyn Future<Output = Result<HttpResponse, reqwest::Error>> + Send>>;

/// The wire between the foreign client and a server.
fn wire(server: &Process) -> impl Fn(HttpRequest) -> Answer {
    let (http, base) = (server.http.clone(), server.url(""));
    move |request| {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().unwrap().as_str();
        let mut headers = parts.headers;
        headers.insert(header::HOST, "127.0.0.1:4999".parse().unwrap());
        let request =
            http.request(parts.method, format!("{base}{path}")).headers(headers).body(body);
        Box::pin(async move {
            let response = request.send().await?;
            let mut answer = HttpResponse::default();
            *answer.status_mut() = response.status();
            *answer.headers_mut() = response.headers().clone();
            *answer.body_mut() = response.bytes().await?.to_vec();
            Ok(answer)
        })
    }
}

/// What is between two marks.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let start = text.find(from)? + from.len();
    text[start..].split(to).next()
}

/// Ada's browser, whose requests go to one process.
struct Browser<'a> {
    server: &'a Process,
    cookies: RefCell<BTreeMap<String, String>>,
}

impl<'a> Browser<'a> {
    fn new(server: &'a Process) -> Self {
        Self { server, cookies: RefCell::default() }
    }

    /// Sends a request with the cookies; where it leads on to, and the page.
    async fn send(&self, path: &str, form: Option<&[(String, String)]>) -> (String, String) {
        let url = self.server.url(path);
        let mut request = match form {
            None => self.server.http.get(url),
            Some(form) => self.server.http.post(url).form(form).header(header::ORIGIN, ISSUER),
        };
        let cookies: Vec<_> =
            self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        request = request.header(header::HOST, "127.0.0.1:4999");
        let response = request.header(header::COOKIE, cookies.join("; ")).send().await.unwrap();
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap().to_owned();
            self.cookies.borrow_mut().insert(name.to_owned(), value);
        }
        let to = response.headers().get(header::LOCATION);
        let to = to.map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
        (to, response.text().await.unwrap())
    }

    /// Fills in the form with this action.
    async fn submit(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> (String, String) {
        let form = between(page, &format!("action=\"{action}\""), "</form>")
            .unwrap_or_else(|| panic!("no form {action} in {page}"));
        let inputs = form.split("<input ").skip(1).filter_map(|input| {
            let tag = input.split('>').next()?;
            let sent = tag.contains("type=\"hidden\"") || tag.contains(" checked");
            let value = || Some((between(tag, "name=\"", "\"")?, between(tag, "value=\"", "\"")?));
            sent.then(value).flatten()
        });
        let all: Vec<_> = inputs
            .chain(fields.iter().copied())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        self.send(action, Some(&all)).await
    }

    /// The page that an address leads to.
    async fn page(&self, url: &Url) -> String {
        let mut to = url.to_string();
        for _ in 0..5 {
            let path = to.strip_prefix(ISSUER).unwrap_or(&to).to_owned();
            assert!(path.starts_with('/'), "the browser leaves for {path}");
            let page;
            (to, page) = self.send(&path, None).await;
            if to.is_empty() {
                return page;
            }
        }
        panic!("going round in circles at {to}");
    }

    /// From an address to where the browser leaves the server: signs in and agrees on the way.
    async fn follow(&self, url: &Url) -> Url {
        let (mut to, mut page) = (url.to_string(), String::new());
        for _ in 0..10 {
            if !to.is_empty() {
                if !to.starts_with(ISSUER) && !to.starts_with('/') {
                    return Url::parse(&to).unwrap();
                }
                let path = to.strip_prefix(ISSUER).unwrap_or(&to).to_owned();
                (to, page) = self.send(&path, None).await;
            } else if page.contains("id=\"login-form\"") {
                let fields = [("username", "ada"), ("password", "correct horse")];
                (to, page) = self.submit(&page, "/login", &fields).await;
            } else if page.contains("id=\"consent-form\"") {
                (to, page) = self.submit(&page, "/consent", &[("decision", "allow")]).await;
            } else {
                break;
            }
        }
        panic!("the browser stays at {page}");
    }
}

async fn discover(server: &Process) -> ProviderMetadataWithLogout {
    let issuer = IssuerUrl::new(ISSUER.into()).unwrap();
    ProviderMetadataWithLogout::discover_async(issuer, &wire(server)).await.unwrap()
}

async fn client(server: &Process, id: &str, secret: &str) -> Foreign {
    let secret = Some(ClientSecret::new(secret.into()));
    CoreClient::from_provider_metadata(discover(server).await, ClientId::new(id.into()), secret)
        .set_redirect_uri(RedirectUrl::new(BACK.into()).unwrap())
}

/// The browser is at one process, and the code is redeemed at the other.
async fn sign_in(
    client: &Foreign,
    browser: &Browser<'_>,
    other: &Process,
    scopes: &[&str],
) -> (CoreTokenResponse, CoreIdTokenClaims) {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let mut request = client.authorize_url(
        CoreAuthenticationFlow::AuthorizationCode,
        CsrfToken::new_random,
        Nonce::new_random,
    );
    for scope in scopes {
        request = request.add_scope(Scope::new((*scope).into()));
    }
    if scopes.contains(&"offline_access") {
        request = request.add_prompt(CoreAuthPrompt::Consent);
    }
    let (url, state, nonce) = request.set_pkce_challenge(challenge).url();
    let back = browser.follow(&url).await;
    let answer: BTreeMap<_, _> = back.query_pairs().into_owned().collect();
    assert_eq!((&answer["state"], answer["iss"].as_str()), (state.secret(), ISSUER), "{back}");
    let tokens = client
        .exchange_code(AuthorizationCode::new(answer["code"].clone()))
        .unwrap()
        .set_pkce_verifier(verifier)
        .request_async(&wire(other))
        .await
        .unwrap();
    let verifier =
        client.id_token_verifier().set_allowed_algs([CoreJwsSigningAlgorithm::EcdsaP256Sha256]);
    let id_token = tokens.id_token().unwrap();
    let claims = id_token.claims(&verifier, &nonce).unwrap().clone();
    if let Some(hash) = claims.access_token_hash() {
        let (alg, key) =
            (id_token.signing_alg().unwrap(), id_token.signing_key(&verifier).unwrap());
        assert_eq!(&AccessTokenHash::from_token(tokens.access_token(), alg, key).unwrap(), hash);
    }
    assert!(id_token.claims(&verifier, &Nonce::new("another".into())).is_err());
    (tokens, claims)
}

async fn code_flow_userinfo_and_refresh(pair: Pair) {
    let client = client(&pair.b, "relying party", SECRET).await;
    let browser = Browser::new(&pair.a);
    let scopes = ["email", "offline_access"];
    let (tokens, claims) = sign_in(&client, &browser, &pair.b, &scopes).await;
    let subject = claims.subject().clone();
    let userinfo = async |server: &Process, tokens: &CoreTokenResponse| -> CoreUserInfoClaims {
        let token = tokens.access_token().clone();
        let request = client.user_info(token, Some(subject.clone())).unwrap();
        request.request_async(&wire(server)).await.unwrap()
    };
    let told = userinfo(&pair.a, &tokens).await;
    assert_eq!(told.email(), Some(&EndUserEmail::new("ada@example.org".into())));
    assert_eq!(told.email_verified(), Some(true));
    assert!(told.name().is_none() && claims.email().is_none());
    let first = tokens.refresh_token().unwrap();
    let refresh = client.exchange_refresh_token(first).unwrap();
    let next = refresh.request_async(&wire(&pair.a)).await.unwrap();
    assert_ne!(next.refresh_token().unwrap().secret(), first.secret());
    userinfo(&pair.b, &next).await;
    let verifier =
        client.id_token_verifier().set_allowed_algs([CoreJwsSigningAlgorithm::EcdsaP256Sha256]);
    let again = next.id_token().unwrap().claims(&verifier, |_: Option<&Nonce>| Ok(())).unwrap();
    assert_eq!((again.subject(), again.auth_time()), (claims.subject(), claims.auth_time()));
    // The session and the consent are known at the other process, too.
    let elsewhere = Browser { server: &pair.b, cookies: browser.cookies.clone() };
    let (_, claims) = sign_in(&client, &elsewhere, &pair.a, &["email"]).await;
    assert_eq!(*claims.subject(), subject);
}

async fn a_client_that_registers_itself(pair: Pair) {
    let metadata = discover(&pair.a).await;
    let endpoint = metadata.registration_endpoint().unwrap().clone();
    let redirect = RedirectUrl::new(BACK.into()).unwrap();
    let request = CoreClientRegistrationRequest::new(
        vec![redirect],
        EmptyAdditionalClientMetadata::default(),
    )
    .set_client_name(Some([(None, ClientName::new("Foreign".into()))].into_iter().collect()))
    .set_token_endpoint_auth_method(Some(CoreClientAuthMethod::ClientSecretBasic))
    .set_id_token_signed_response_alg(Some(CoreJwsSigningAlgorithm::EcdsaP256Sha256));
    let registered = request.register_async(&endpoint, &wire(&pair.a)).await.unwrap();
    assert!(registered.registration_client_uri().is_some());
    assert!(registered.registration_access_token().is_some());
    let secret = registered.client_secret().unwrap().secret();
    let client = client(&pair.b, registered.client_id(), secret).await;
    let browser = Browser::new(&pair.b);
    let (tokens, claims) = sign_in(&client, &browser, &pair.a, &["profile"]).await;
    let token = tokens.access_token().clone();
    let request = client.user_info(token, Some(claims.subject().clone())).unwrap();
    let told: CoreUserInfoClaims = request.request_async(&wire(&pair.b)).await.unwrap();
    assert_eq!(told.name().unwrap().get(None).unwrap().as_str(), "Ada Lovelace");
}

async fn logout_by_the_client(pair: Pair) {
    let metadata = discover(&pair.a).await;
    let end = metadata.additional_metadata().end_session_endpoint.clone().unwrap();
    let client = client(&pair.a, "relying party", SECRET).await;
    let browser = Browser::new(&pair.a);
    let (tokens, _) = sign_in(&client, &browser, &pair.b, &[]).await;
    let session = browser.cookies.borrow().clone();
    let url = LogoutRequest::from(end)
        .set_id_token_hint(tokens.id_token().unwrap())
        .set_client_id(ClientId::new("relying party".into()))
        .http_get_url();
    let elsewhere = Browser { server: &pair.b, cookies: RefCell::new(session) };
    let page = elsewhere.page(&url).await;
    assert!(page.contains("signed out"), "{page}");
    // What one process ended is over at the other.
    let (url, ..) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_prompt(CoreAuthPrompt::None)
        .set_pkce_challenge(PkceCodeChallenge::new_random_sha256().0)
        .url();
    let back = browser.follow(&url).await;
    assert!(back.query().unwrap().contains("error=login_required"), "{back}");
    // An address that is not registered leads nowhere.
    let stray = PostLogoutRedirectUrl::new("https://evil.example/".into()).unwrap();
    let end = discover(&pair.a).await.additional_metadata().end_session_endpoint.clone().unwrap();
    let url = LogoutRequest::from(end)
        .set_id_token_hint(tokens.id_token().unwrap())
        .set_post_logout_redirect_uri(stray)
        .http_get_url();
    let page = browser.page(&url).await;
    assert!(!page.contains("href=\"https://evil.example"), "{page}");
}

async fn what_must_be_refused(pair: Pair) {
    let good = client(&pair.a, "relying party", SECRET).await;
    let (tokens, _) = sign_in(&good, &Browser::new(&pair.a), &pair.b, &["offline_access"]).await;
    let refresh = tokens.refresh_token().unwrap();
    let error = async |client: &Foreign, server: &Process| {
        let request = client.exchange_refresh_token(refresh).unwrap();
        match request.request_async(&wire(server)).await {
            Err(openidconnect::RequestTokenError::ServerResponse(e)) => e.error().clone(),
            other => panic!("not refused: {other:?}"),
        }
    };
    let wrong = client(&pair.a, "relying party", "wrong").await;
    assert_eq!(error(&wrong, &pair.a).await, CoreErrorResponseType::InvalidClient);
    let other = client(&pair.b, "app", crate::process::APP.1).await;
    assert_eq!(error(&other, &pair.b).await, CoreErrorResponseType::InvalidGrant);
    // An access token is good for what it is for, and nothing made up is.
    let made_up = openidconnect::AccessToken::new("made-up".into());
    let request = good.user_info(made_up, None).unwrap();
    let told: Result<CoreUserInfoClaims, _> = request.request_async(&wire(&pair.a)).await;
    assert!(told.is_err());
}
