//! The local web page, without a browser: what it refuses, and the whole way through.

use crate::support::{Browser, Home, Provider, SECRET};
use axum::{Router, body::Body};
use http::{Request, Response, header};
use http_body_util::BodyExt as _;
use oauth_helper::{Secret, settings::ServerSettings, web::Web};
use tower::ServiceExt as _;
use url::Url;

const HOST: &str = "127.0.0.1:8080";
const ORIGIN: &str = "http://127.0.0.1:8080";

/// One browser at the page.
struct Page {
    router: Router,
    cookie: Option<String>,
    home: Home,
}

/// What came back.
struct Seen {
    status: u16,
    location: String,
    text: String,
}

impl Page {
    async fn open() -> Self {
        Self::open_with(ServerSettings::default()).await
    }

    async fn open_with(settings: ServerSettings) -> Self {
        let home = Home::new();
        let store = home.store().await;
        let web = Web::new(store, HOST.parse().unwrap(), &settings).unwrap();
        Self { router: web.router(), cookie: None, home }
    }

    async fn send(&mut self, mut request: Request<Body>) -> Seen {
        let headers = request.headers_mut();
        if !headers.contains_key(header::HOST) {
            headers.insert(header::HOST, HOST.parse().unwrap());
        }
        if let Some(cookie) = &self.cookie {
            headers.insert(header::COOKIE, cookie.parse().unwrap());
        }
        let response: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        if let Some(set) = response.headers().get(header::SET_COOKIE) {
            let set = set.to_str().unwrap();
            assert!(set.contains("HttpOnly; SameSite=Lax"), "{set}");
            self.cookie = Some(set.split(';').next().unwrap().to_owned());
        }
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let status = response.status().as_u16();
        let location = response.headers().get(header::LOCATION);
        let location = location.map(|l| l.to_str().unwrap().to_owned()).unwrap_or_default();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Seen { status, location, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    async fn get(&mut self, path: &str) -> Seen {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Posts a form of a page of ours.
    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let token = self.token().await;
        let mut all = vec![("form_token", token.as_str())];
        all.extend(fields);
        self.send(form(path, &all, &[("sec-fetch-site", "same-origin")])).await
    }

    async fn token(&mut self) -> String {
        let page = self.get("/access").await.text;
        let at = page.split("name=\"form_token\" value=\"").nth(1).unwrap();
        at.split('"').next().unwrap().to_owned()
    }

    async fn add(&mut self, provider: &Provider) -> Seen {
        let fields = [
            ("name", "app"),
            ("client_id", "app"),
            ("client_secret", SECRET),
            ("auth", "client_secret_basic"),
            ("grant", "authorization_code"),
            ("issuer", provider.issuer.as_str()),
            ("scope", "openid profile offline_access"),
            ("redirect_url", "http://127.0.0.1:8080/auth_callback"),
            ("use_refresh_token", "yes"),
        ];
        self.post("/add-client", &fields).await
    }

    /// Goes to the provider and comes back to this path.
    async fn authorize(&mut self) -> String {
        let seen = self.get("/client-auth/1").await;
        assert_eq!(seen.status, 302, "{}", seen.text);
        let back = Browser::default().authorize(&Url::parse(&seen.location).unwrap()).await;
        format!("{}?{}", back.path(), back.query().unwrap())
    }
}

fn form(path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Request<Body> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::HOST, HOST);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn s3_08_s3_18_add_authorize_exchange_refresh_edit_revoke_remove() {
    let provider = Provider::start().await;
    let mut page = Page::open().await;
    assert!(page.get("/").await.text.contains("You have none yet."));
    let added = page.add(&provider).await;
    assert_eq!(
        (added.status, added.location.as_str()),
        (303, "/client-detail/1"),
        "{}",
        added.text
    );
    let detail = page.get("/client-detail/1").await.text;
    assert!(!detail.contains(SECRET) && detail.contains("Client secret stored"), "{detail}");
    let back = page.authorize().await;
    let seen = page.get(&back).await;
    assert_eq!((seen.status, seen.location.as_str()), (303, "/client-access/1"), "{}", seen.text);
    assert_eq!(provider.token_requests(), 0, "coming back exchanges nothing by itself");
    assert!(page.get("/client-access/1").await.text.contains("Almost there"));
    let seen = page.post("/client-access/1", &[]).await;
    assert!(seen.status == 200 && seen.text.contains("The tokens are stored."), "{}", seen.text);
    let store = page.home.store().await;
    let first = store.client("app").await.unwrap().access_token().await.unwrap();
    for path in
        ["/", "/client-detail/1", "/client-access/1", "/client-refresh/1", "/client-remove/1"]
    {
        let seen = page.get(path).await;
        assert_eq!(seen.status, 200);
        assert!(!seen.text.contains(first.token.expose()), "{path} shows the token");
    }
    assert_eq!(
        store.client("app").await.unwrap().access_token().await.unwrap(),
        first,
        "GET changes nothing"
    );
    assert!(
        page.post("/client-refresh/1", &[]).await.text.contains("There is a new access token.")
    );
    assert_ne!(store.client("app").await.unwrap().access_token().await.unwrap(), first);
    let fields = [
        ("name", "renamed"),
        ("client_id", "app"),
        ("auth", "client_secret_basic"),
        ("grant", "authorization_code"),
        ("issuer", provider.issuer.as_str()),
        ("auth_params", "prompt=login\r\nx=y=z"),
    ];
    assert_eq!(page.post("/client-edit/1", &fields).await.status, 303);
    let client = store.find("renamed").await.unwrap();
    assert_eq!(client.params.authorization["x"], "y=z");
    assert!(
        store.credentials(1).await.unwrap().secret.is_some(),
        "an empty secret leaves the old one"
    );
    assert!(page.post("/client-revoke/1", &[]).await.text.contains("The tokens are taken back"));
    assert_eq!(page.post("/client-remove/1", &[]).await.location, "/");
    assert_eq!(page.get("/client-detail/1").await.status, 404);
}

#[tokio::test]
async fn s3_08_an_answer_is_for_the_browser_and_the_login_it_belongs_to_once() {
    let provider = Provider::start().await;
    let mut page = Page::open().await;
    page.add(&provider).await;
    let back = page.authorize().await;
    let mine = page.cookie.take();
    let nobody = "no login waits for this answer in this browser";
    let seen = page.get(&back).await;
    assert!(seen.status == 400 && seen.text.contains(nobody), "{}", seen.text);
    assert_eq!(
        page.post("/client-access/1", &[]).await.status,
        400,
        "another browser exchanges nothing"
    );
    page.cookie = mine;
    let forged = back.replace("state=", "state=x");
    assert!(page.get(&forged).await.text.contains(nobody));
    assert_eq!(page.get(&back).await.status, 303);
    assert!(page.get(&back).await.text.contains(nobody), "it comes once");
    assert_eq!(page.post("/client-access/1", &[]).await.status, 200);
    let again = page.post("/client-access/1", &[]).await;
    assert!(again.text.contains("there is no code to exchange: authorize first"), "{}", again.text);
}

#[tokio::test]
async fn s3_08_two_logins_at_once_in_one_browser_both_arrive() {
    let provider = Provider::start().await;
    let mut page = Page::open().await;
    page.add(&provider).await;
    let (one, two) = (page.authorize().await, page.authorize().await);
    assert_eq!(page.get(&one).await.status, 303);
    assert_eq!(page.get(&two).await.status, 303);
}

#[tokio::test]
async fn s3_12_an_answer_that_went_elsewhere_can_be_pasted() {
    let provider = Provider::start().await;
    let mut page = Page::open().await;
    page.add(&provider).await;
    let back = page.authorize().await;
    let pasted = format!("http://elsewhere.example{back}");
    assert_eq!(page.post("/client-access/1", &[("pasted", "nonsense")]).await.status, 400);
    assert_eq!(page.post("/client-access/1", &[("pasted", &pasted)]).await.status, 200);
}

#[tokio::test]
async fn no_form_of_another_site_or_of_no_page_is_taken() {
    let provider = Provider::start().await;
    let mut page = Page::open().await;
    page.add(&provider).await;
    let token = page.token().await;
    for path in [
        "/add-client",
        "/client-edit/1",
        "/client-access/1",
        "/client-refresh/1",
        "/client-revoke/1",
        "/client-remove/1",
        "/access",
    ] {
        let right = [("form_token", token.as_str())];
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example")],
            &[("origin", "http://127.0.0.1:9999")],
        ] {
            let seen = page.send(form(path, &right, headers)).await;
            assert_eq!(
                (seen.status, seen.text.as_str()),
                (403, "this request comes from another site\n"),
                "{path} {headers:?}"
            );
        }
        for wrong in [&[][..], &[("form_token", "")], &[("form_token", "AAAA")]] {
            let seen = page.send(form(path, wrong, &[("origin", ORIGIN)])).await;
            assert_eq!(seen.status, 403, "{path} {wrong:?}");
            assert!(seen.text.starts_with("this form is too old"), "{}", seen.text);
        }
        let twice = [("form_token", token.as_str()), ("form_token", token.as_str())];
        let seen = page.send(form(path, &twice, &[("origin", ORIGIN)])).await;
        assert_eq!((seen.status, seen.text.as_str()), (400, "a field is there twice\n"));
    }
    let mine = page.cookie.take();
    page.get("/").await;
    let seen =
        page.send(form("/client-remove/1", &[("form_token", &token)], &[("origin", ORIGIN)])).await;
    assert_eq!(seen.status, 403, "a form of another browser");
    page.cookie = mine;
    assert_eq!(page.get("/client-detail/1").await.status, 200, "nothing was removed");
    let request = Request::get("/client-auth/1").header("sec-fetch-site", "cross-site");
    let seen = page.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((seen.status, seen.location.as_str()), (403, ""));
}

#[tokio::test]
async fn a_name_that_was_made_to_lead_here_is_not_answered() {
    let mut page = Page::open().await;
    for (host, status) in [
        ("127.0.0.1:8080", 200),
        ("localhost:8080", 200),
        ("[::1]:8080", 200),
        ("evil.example:8080", 421),
        ("127.0.0.1:9090", 421),
        ("127.0.0.1", 421),
    ] {
        for path in ["/", "/style.css", "/auth_callback?code=a&state=b"] {
            let request =
                Request::get(path).header(header::HOST, host).body(Body::empty()).unwrap();
            let seen = page.send(request).await;
            let expected = if status == 200 && path.starts_with("/auth") { 400 } else { status };
            assert_eq!(seen.status, expected, "{host} {path}");
        }
    }
}

#[tokio::test]
async fn what_strangers_send_is_text_on_the_page() {
    let mut page = Page::open().await;
    let script = "<script>alert(1)</script>";
    let query = form_urlencoded::byte_serialize(script.as_bytes()).collect::<String>();
    for path in [
        format!("/auth_callback?error={query}&state=x"),
        format!("/client-detail/{}", query.replace('+', "%20")),
    ] {
        let seen = page.get(&path).await;
        assert!(matches!(seen.status, 400 | 404));
        assert!(!seen.text.contains("<script"), "{}", seen.text);
    }
    let fields = [
        ("name", script),
        ("client_id", "\"><script>"),
        ("auth", "none"),
        ("grant", "authorization_code"),
    ];
    let seen = page.post("/add-client", &fields).await;
    assert_eq!(seen.status, 400);
    assert!(!seen.text.contains("<script"), "{}", seen.text);
}

#[tokio::test]
async fn what_is_wrong_with_a_client_is_told_and_nothing_typed_is_lost() {
    let mut page = Page::open().await;
    let base = [("name", "mine"), ("client_id", "x"), ("grant", "authorization_code")];
    for (more, text) in [
        (&[("auth", "none")][..], "an issuer or a token endpoint is needed"),
        (&[("auth", "none"), ("issuer", "http://as.example")], "the issuer is plain http"),
        (&[("auth", "none"), ("token_url", "nonsense")], "the token endpoint is no URL"),
        (
            &[("auth", "magic"), ("issuer", "https://as.example")],
            "this way to prove who it is is not known",
        ),
        (
            &[("auth", "client_secret_post"), ("issuer", "https://as.example")],
            "needs the client secret",
        ),
        (
            &[
                ("auth", "none"),
                ("issuer", "https://as.example"),
                ("token_params", "client_secret=x"),
            ],
            "client_secret cannot be an extra parameter",
        ),
        (
            &[("auth", "none"), ("issuer", "https://as.example"), ("auth_params", "=x")],
            "parameters are lines of NAME=VALUE",
        ),
    ] {
        let fields = [&base[..], more].concat();
        let seen = page.post("/add-client", &fields).await;
        assert_eq!(seen.status, 400);
        assert!(
            seen.text.contains(text) && seen.text.contains("value=\"mine\""),
            "{text}: {}",
            seen.text
        );
    }
}

#[tokio::test]
async fn s3_04_an_access_key_keeps_everybody_else_out() {
    let key = Some(Secret::new("open sesame"));
    let mut page =
        Page::open_with(ServerSettings { access_key: key, ..ServerSettings::default() }).await;
    for path in
        ["/", "/add-client", "/client-detail/1", "/client-auth/1", "/auth_callback?code=a&state=b"]
    {
        let seen = page.get(path).await;
        assert_eq!((seen.status, seen.location.as_str()), (303, "/access"), "{path}");
    }
    assert_eq!(page.post("/add-client", &[("name", "x")]).await.location, "/access");
    let wrong = page.post("/access", &[("access_key", "open barley")]).await;
    assert!(wrong.status == 403 && wrong.text.contains("This is not the access key."));
    assert_eq!(page.get("/").await.location, "/access");
    assert_eq!(page.post("/access", &[("access_key", "open sesame")]).await.location, "/");
    assert_eq!(page.get("/").await.status, 200);
    page.cookie = None;
    assert_eq!(page.get("/").await.location, "/access", "each browser for itself");
}
