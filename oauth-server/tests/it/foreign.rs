//! The `oauth2` crate, which knows nothing of this server, plays the client through every grant.

use crate::support::{Server, form_request, header_of, start};
use axum::body::Body;
use http::{Request, header};
use http_body_util::BodyExt as _;
use oauth2::{
    AccessToken, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    IntrospectionUrl, PkceCodeChallenge, RedirectUrl, RefreshToken, RequestTokenError,
    ResourceOwnerPassword, ResourceOwnerUsername, RevocationUrl, Scope, StandardRevocableToken,
    StandardTokenResponse, TokenIntrospectionResponse as _, TokenResponse as _, TokenUrl,
    basic::{BasicClient, BasicErrorResponseType, BasicTokenType},
};
use std::{collections::BTreeMap, convert::Infallible, future::Future, pin::Pin};
use url::Url;

const ISSUER: &str = "https://as.example";
const SECRET: &str = "a secret that somebody chose: 100% + & =";
const CALLBACK: &str = "https://app.example/cb?tenant=1";

const CONFIG: &str = r#"
[server]
public_url = "https://as.example"

[grants]
danger_implicit = true
danger_password = true

[[user]]
name = "alice"
password = "correct horse battery"

[[client]]
id = "app: the first"
secret = "a secret that somebody chose: 100% + & ="
redirect_uris = ["https://app.example/cb?tenant=1"]
grant_types = ["authorization_code", "refresh_token", "client_credentials", "password"]
response_types = ["code"]
scope = "profile query"
skip_consent = true

[[client]]
id = "post"
secret = "a secret that somebody chose: 100% + & ="
auth_method = "client_secret_post"
grant_types = ["client_credentials"]
response_types = []
scope = "query"
access_token_format = "opaque"

[[client]]
id = "browser"
auth_method = "none"
redirect_uris = ["https://app.example/cb?tenant=1"]
grant_types = ["authorization_code", "refresh_token", "implicit"]
response_types = ["code", "token"]
scope = "profile"
skip_consent = true
"#;

type Foreign = BasicClient<EndpointSet, EndpointNotSet, EndpointSet, EndpointSet, EndpointSet>;
type Tokens = StandardTokenResponse<EmptyExtraTokenFields, BasicTokenType>;

fn client(id: &str, how: AuthType, secret: Option<&str>) -> Foreign {
    let at = |path: &str| format!("{ISSUER}{path}");
    let client = BasicClient::new(ClientId::new(id.into()))
        .set_auth_type(how)
        .set_auth_uri(AuthUrl::new(at("/oauth/authorize")).unwrap())
        .set_token_uri(TokenUrl::new(at("/oauth/token")).unwrap())
        .set_introspection_url(IntrospectionUrl::new(at("/oauth/introspect")).unwrap())
        .set_revocation_url(RevocationUrl::new(at("/oauth/revoke")).unwrap())
        .set_redirect_uri(RedirectUrl::new(CALLBACK.into()).unwrap());
    match secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.into())),
        None => client,
    }
}

fn confidential() -> Foreign {
    client("app: the first", AuthType::BasicAuth, Some(SECRET))
}

/// The wire between the foreign client and the server.
fn wire(
    server: &Server,
) -> impl Fn(HttpRequest) -> Pin<Box<dyn Future<Output = Result<HttpResponse, Infallible>> + Send>>
{
    let router = server.router.clone();
    move |request| {
        let router = router.clone();
        Box::pin(async move {
            let response = tower::ServiceExt::oneshot(router, request.map(Body::from)).await?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes().to_vec();
            Ok(HttpResponse::from_parts(parts, body))
        })
    }
}

/// A browser with its cookies, at the server's pages.
struct Browser<'a> {
    server: &'a Server,
    cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    fn new(server: &'a Server) -> Self {
        Self { server, cookies: BTreeMap::new() }
    }

    /// Sends a request with the cookies, keeps the new ones, and says where it is sent on to.
    async fn send(&mut self, mut request: Request<Body>) -> String {
        let cookies: Vec<_> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        let response = self.server.send(request).await;
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.insert(name.into(), value.into());
        }
        header_of(&response, "location").to_owned()
    }

    /// Authorizes as alice; where the client is told about it.
    async fn authorize(&mut self, url: &Url) -> Url {
        let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
        let mut to = self.send(Request::get(path).body(Body::empty()).unwrap()).await;
        if let Some(interaction) = to.strip_prefix("/login?interaction=") {
            let form = [
                ("interaction", interaction),
                ("username", "alice"),
                ("password", "correct horse battery"),
            ];
            let mut request = form_request("/login", None, &form);
            request.headers_mut().insert(header::ORIGIN, ISSUER.parse().unwrap());
            request.headers_mut().insert(header::HOST, "as.example".parse().unwrap());
            to = self.send(request).await;
        }
        Url::parse(&to).unwrap_or_else(|_| panic!("the browser stays at {to:?}"))
    }
}

fn fields(text: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn code<T, E>(outcome: Result<T, RequestTokenError<E, oauth2::basic::BasicErrorResponse>>) -> String
where
    E: std::error::Error + 'static,
{
    match outcome {
        Err(RequestTokenError::ServerResponse(answer)) => answer.error().as_ref().to_owned(),
        Err(other) => panic!("not an OAuth error: {other}"),
        Ok(_) => panic!("accepted"),
    }
}

async fn by_code(server: &Server, client: &Foreign) -> Tokens {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state) = client
        .authorize_url(CsrfToken::new_random)
        .add_scope(Scope::new("profile".into()))
        .set_pkce_challenge(challenge)
        .url();
    let back = Browser::new(server).authorize(&url).await;
    assert!(back.as_str().starts_with(CALLBACK));
    let answer = fields(back.query().unwrap());
    assert_eq!(&answer["state"], state.secret());
    assert_eq!(answer["iss"], ISSUER);
    client
        .exchange_code(AuthorizationCode::new(answer["code"].clone()))
        .set_pkce_verifier(verifier)
        .request_async(&wire(server))
        .await
        .unwrap()
}

#[tokio::test]
async fn client_credentials_by_header_and_by_form() {
    let server = start(CONFIG).await;
    for client in [confidential(), client("post", AuthType::RequestBody, Some(SECRET))] {
        let tokens =
            client.exchange_client_credentials().request_async(&wire(&server)).await.unwrap();
        assert!(tokens.refresh_token().is_none());
        assert!(tokens.expires_in().is_some_and(|life| !life.is_zero()));
    }
    let wrong = client("app: the first", AuthType::BasicAuth, Some("wrong"));
    let refused = wrong.exchange_client_credentials().request_async(&wire(&server)).await;
    assert_eq!(code(refused), BasicErrorResponseType::InvalidClient.as_ref());
}

#[tokio::test]
async fn code_with_pkce_then_refresh_for_both_kinds_of_clients() {
    let server = start(CONFIG).await;
    for client in [confidential(), client("browser", AuthType::RequestBody, None)] {
        let tokens = by_code(&server, &client).await;
        let first = tokens.refresh_token().unwrap();
        let next =
            client.exchange_refresh_token(first).request_async(&wire(&server)).await.unwrap();
        assert_ne!(next.refresh_token().unwrap().secret(), first.secret());
        let foreign = RefreshToken::new("unknown".into());
        let refused = client.exchange_refresh_token(&foreign).request_async(&wire(&server)).await;
        assert_eq!(code(refused), BasicErrorResponseType::InvalidGrant.as_ref());
    }
}

#[tokio::test]
async fn implicit_answers_in_the_fragment() {
    let server = start(CONFIG).await;
    let client = client("browser", AuthType::RequestBody, None);
    let (url, state) = client.authorize_url(CsrfToken::new_random).use_implicit_flow().url();
    let back = Browser::new(&server).authorize(&url).await;
    let answer = fields(back.fragment().unwrap());
    assert_eq!(&answer["state"], state.secret());
    assert!(!answer["access_token"].is_empty());
    assert_eq!(back.query(), Some("tenant=1"));
}

#[tokio::test]
async fn password_works_where_it_is_on() {
    let server = start(CONFIG).await;
    let client = confidential();
    let alice = ResourceOwnerUsername::new("alice".into());
    let right = ResourceOwnerPassword::new("correct horse battery".into());
    let tokens =
        client.exchange_password(&alice, &right).request_async(&wire(&server)).await.unwrap();
    assert!(tokens.refresh_token().is_some());
    let wrong = ResourceOwnerPassword::new("wrong".into());
    let refused = client.exchange_password(&alice, &wrong).request_async(&wire(&server)).await;
    assert_eq!(code(refused), BasicErrorResponseType::InvalidGrant.as_ref());
}

#[tokio::test]
async fn revoking_the_refresh_token_ends_the_access_token() {
    let server = start(CONFIG).await;
    let client = confidential();
    let tokens = by_code(&server, &client).await;
    let access: AccessToken = tokens.access_token().clone();
    let active = async || {
        let seen = client.introspect(&access).request_async(&wire(&server)).await.unwrap();
        (seen.active(), seen.username().map(str::to_owned))
    };
    assert_eq!(active().await, (true, Some("alice".into())));
    let refresh = StandardRevocableToken::RefreshToken(tokens.refresh_token().unwrap().clone());
    client.revoke_token(refresh).unwrap().request_async(&wire(&server)).await.unwrap();
    assert_eq!(active().await, (false, None));
}
