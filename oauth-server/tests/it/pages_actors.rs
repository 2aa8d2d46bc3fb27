//! Who goes to the pages in the tests: browsers with cookies, nobody or somebody signed in.

use crate::support::{Server, form_request, text};
use axum::body::{Body, to_bytes};
use futures_util::stream;
use http::{HeaderMap, Request, StatusCode, header};
use oauth_core::{
    model::{Client, ClientId, RedirectUri, UserId},
    ports::ClientStore as _,
    testing::fixtures,
};
use std::{cell::RefCell, collections::BTreeMap, ops::Deref};
use url::Url;

/// A good password.
pub const PASSWORD: &str = "nine lives and a lantern";
/// Where the clients of the tests get their answers.
pub const CALLBACK: &str = "https://app.example/cb";
/// The challenge and verifier of RFC 7636, appendix B.
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// The verifier that goes with the challenge.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A page that was answered.
#[derive(Clone, Debug)]
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub html: String,
}

impl Page {
    /// Where it redirects to.
    #[track_caller]
    pub fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.html);
        self.header("location")
    }

    /// A header, empty where it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// The text of the element with an id that has no element of the same name within.
    #[track_caller]
    pub fn by_id(&self, id: &str) -> String {
        let at = self
            .html
            .find(&format!("id=\"{id}\""))
            .unwrap_or_else(|| panic!("no #{id} in {}", self.html));
        let start = self.html[..at].rfind('<').unwrap();
        let name: String =
            self.html[start + 1..].chars().take_while(char::is_ascii_alphanumeric).collect();
        let content = start + self.html[start..].find('>').unwrap() + 1;
        let end = content + self.html[content..].find(&format!("</{name}>")).unwrap();
        strip(&self.html[content..end])
    }

    /// Whether there is an element with an id.
    pub fn has(&self, id: &str) -> bool {
        self.html.contains(&format!("id=\"{id}\""))
    }

    /// The value of an input.
    #[track_caller]
    pub fn value(&self, name: &str) -> String {
        let at = self
            .html
            .find(&format!("name=\"{name}\""))
            .unwrap_or_else(|| panic!("no {name} in {}", self.html));
        let rest = &self.html[at..];
        let tag = &rest[..rest.find('>').unwrap()];
        tag.split("value=\"")
            .nth(1)
            .map_or_else(String::new, |v| unescape(v.split('"').next().unwrap()))
    }

    /// Where the link with an id leads.
    #[track_caller]
    pub fn href(&self, id: &str) -> String {
        self.attribute(id, "href")
    }

    /// An attribute of the element with an id.
    #[track_caller]
    pub fn attribute(&self, id: &str, name: &str) -> String {
        let at = self.html.find(&format!("id=\"{id}\""));
        let at = at.unwrap_or_else(|| panic!("no #{id} in {}", self.html));
        let tag = &self.html[self.html[..at].rfind('<').unwrap()..];
        let tag = &tag[..tag.find('>').unwrap()];
        let value = tag.split(&format!(" {name}=\"")).nth(1);
        unescape(value.unwrap_or_else(|| panic!("no {name} in {tag}")).split('"').next().unwrap())
    }

    /// The fields that the error summary leads to; checks that everything about errors is there.
    #[track_caller]
    pub fn problems(&self) -> Vec<&str> {
        assert!(self.html.contains("<title>Error: "), "{}", self.html);
        let list = self.html.split("id=\"problems\"").nth(1).expect("there is a summary");
        let list = &list[..list.find("</div>").unwrap()];
        let fields: Vec<&str> =
            list.split("<a href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        for field in &fields {
            assert!(self.has(field), "the summary leads to #{field}");
        }
        fields
    }
}

/// A form of our pages, in the middle of which something else happens.
pub fn sent_while(
    path: &str,
    form: &[(&str, &str)],
    something: impl Future<Output = ()> + Send + 'static,
) -> Request<Body> {
    let mut request = form_request(path, None, form);
    request.headers_mut().insert("sec-fetch-site", "same-origin".parse().unwrap());
    request.map(|body| {
        Body::from_stream(stream::once(async move {
            something.await;
            to_bytes(body, usize::MAX).await
        }))
    })
}

fn strip(html: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    unescape(text.trim())
}

fn unescape(html: &str) -> String {
    [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")]
        .into_iter()
        .fold(html.to_owned(), |t, (escaped, plain)| t.replace(escaped, plain))
}

/// A browser: it keeps cookies and says where its requests come from.
pub struct Visitor<'s> {
    pub server: &'s Server,
    cookies: RefCell<BTreeMap<String, String>>,
}

impl Visitor<'_> {
    /// Follows a link.
    pub async fn get(&self, path: &str) -> Page {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Submits a form of our pages.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Page {
        let mut request = form_request(path, None, form);
        request.headers_mut().insert("sec-fetch-site", "same-origin".parse().unwrap());
        self.send(request).await
    }

    /// Sends a request with the cookies, and keeps the new ones.
    pub async fn send(&self, mut request: Request<Body>) -> Page {
        let cookies: Vec<_> =
            self.cookies.borrow().iter().map(|(k, v)| format!("{k}={v}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        let response = self.server.send(request).await;
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if value.is_empty() {
                self.cookies.borrow_mut().remove(name);
            } else {
                self.cookies.borrow_mut().insert(name.into(), value.into());
            }
        }
        let (status, headers) = (response.status(), response.headers().clone());
        Page { status, headers, html: text(response).await }
    }

    /// A cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).cloned()
    }

    /// Plants a cookie, as somebody else might.
    pub fn plant(&self, name: &str, value: &str) {
        self.cookies.borrow_mut().insert(name.into(), value.into());
    }

    /// Comes with an authorization request of a client; returns where it is sent.
    pub async fn authorize(&self, client: &str, more: &[(&str, &str)]) -> String {
        let page = self.ask(client, more).await;
        assert_eq!(page.status, StatusCode::FOUND, "{}", page.html);
        page.header("location").to_owned()
    }

    /// Comes with an authorization request of a client.
    pub async fn ask(&self, client: &str, more: &[(&str, &str)]) -> Page {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let usual = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", CALLBACK),
            ("scope", "profile query"),
            ("state", "st"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let usual = usual.into_iter().filter(|(name, _)| more.iter().all(|(n, _)| n != name));
        let query = query.extend_pairs(usual).extend_pairs(more).finish();
        self.get(&format!("/oauth/authorize?{query}")).await
    }
}

/// A browser in which nobody is signed in.
pub struct Anonymous<'s>(Visitor<'s>);

/// A browser in which somebody is signed in.
pub struct SignedIn<'s> {
    visitor: Visitor<'s>,
    pub id: UserId,
}

impl<'s> Deref for Anonymous<'s> {
    type Target = Visitor<'s>;
    fn deref(&self) -> &Visitor<'s> {
        &self.0
    }
}

impl<'s> Deref for SignedIn<'s> {
    type Target = Visitor<'s>;
    fn deref(&self) -> &Visitor<'s> {
        &self.visitor
    }
}

impl Server {
    /// A new browser.
    pub fn visitor(&self) -> Anonymous<'_> {
        Anonymous(Visitor { server: self, cookies: RefCell::default() })
    }

    /// A client of the operator that speaks OpenID Connect, with what it says about itself. Its secret is `secret`.
    pub async fn relying_party(&self, id: &str, texts: &[(&str, &str)]) {
        let mut client = Client {
            name: "Camera wall".into(),
            redirect_uris: vec![RedirectUri::parse(CALLBACK).unwrap()],
            ..fixtures::openid_client(id)
        };
        client.metadata.texts =
            texts.iter().map(|&(name, text)| (name.into(), text.into())).collect();
        assert!(self.state.store.insert_client(client).await.unwrap());
    }

    /// A new browser in which somebody signed up.
    pub async fn signed_up(&self, name: &str) -> SignedIn<'_> {
        self.visitor().sign_up(name).await
    }
}

impl<'s> Anonymous<'s> {
    /// Signs up.
    pub async fn sign_up(self, name: &str) -> SignedIn<'s> {
        let rights = [("right:query", "read"), ("right:connection", "write")];
        let form = [&[("username", name), ("password", PASSWORD)], &rights[..]].concat();
        assert_eq!(self.post("/signup", &form).await.location(), "/");
        self.known_as(name).await
    }

    /// Signs in.
    pub async fn sign_in(self, name: &str) -> SignedIn<'s> {
        let page = self.post("/login", &[("username", name), ("password", PASSWORD)]).await;
        assert_eq!(page.location(), "/");
        self.known_as(name).await
    }

    async fn known_as(self, name: &str) -> SignedIn<'s> {
        let account = self.server.state.store.account_by_name(name).await.unwrap().unwrap();
        SignedIn { visitor: self.0, id: account.id }
    }
}

/// A client made on the page.
#[derive(Clone, Debug)]
pub struct Made {
    pub id: String,
    pub secret: Option<String>,
    pub page: Page,
}

/// A good form for a client, with some fields in place of others.
pub fn client_form<'a>(instead: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("client_name", "Camera wall"),
        ("client_uri", "https://app.example"),
        ("redirect_uri", CALLBACK),
        ("grant_type:authorization_code", "yes"),
        ("grant_type:refresh_token", "yes"),
        ("scope:profile", "yes"),
        ("scope:query", "yes"),
        ("scope:connection", "yes"),
        ("token_endpoint_auth_method", "client_secret_basic"),
    ];
    let usual = usual.into_iter().filter(|(name, _)| instead.iter().all(|(n, _)| n != name));
    usual.chain(instead.iter().copied()).collect()
}

impl SignedIn<'_> {
    /// Makes a client.
    pub async fn create_client(&self, instead: &[(&str, &str)]) -> Made {
        let page = self.post("/create_client", &client_form(instead)).await;
        assert_eq!(page.status, StatusCode::CREATED, "{}", page.html);
        let secret = page.has("client-secret").then(|| page.by_id("client-secret"));
        Made { id: page.by_id("client-id"), secret, page }
    }

    /// Allows a client what it asks for; returns the code.
    pub async fn allow(&self, client: &str) -> String {
        let consent = self.authorize(client, &[("prompt", "consent")]).await;
        let interaction = interaction(&consent);
        let form = [
            ("interaction", &*interaction),
            ("decision", "allow"),
            ("scope:profile", "yes"),
            ("scope:query", "yes"),
        ];
        let page = self.post("/consent", &form).await;
        parameter(page.location(), "code").expect("there is a code")
    }
}

impl Made {
    /// Exchanges a code for tokens.
    pub async fn exchange(&self, server: &Server, code: &str) -> serde_json::Value {
        let basic = (&*self.id, self.secret.as_deref().unwrap());
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        crate::support::json(server.post("/oauth/token", Some(basic), &form).await).await
    }

    /// The id as the store knows it.
    pub fn client_id(&self) -> ClientId {
        ClientId::new(&*self.id)
    }
}

/// The interaction in the address of a page.
#[track_caller]
pub fn interaction(path: &str) -> String {
    parameter(path, "interaction").unwrap_or_else(|| panic!("no interaction in {path}"))
}

/// A parameter of an address.
pub fn parameter(address: &str, name: &str) -> Option<String> {
    let url = Url::parse("https://as.example").unwrap().join(address).unwrap();
    url.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
}
