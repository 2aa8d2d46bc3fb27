//! An authorization request in a browser, and the person's steps after it.

use super::{Answer, CALLBACK, CHALLENGE, Reply, USER, World};
use axum::{
    body::{Body, to_bytes},
    http::{Request, header},
};
use oauth_core::{
    authorize::{Decision, Next, Refused},
    http::render,
};
use url::form_urlencoded;

/// An authorization request with everything right, to be sent or first to have one thing made wrong.
#[derive(Clone)]
pub(crate) struct Walk<'w> {
    world: &'w World,
    params: Vec<(String, String)>,
    user: Option<String>,
    cookie: Option<String>,
}

/// Where a walk has got to: a browser, and what the last response was.
pub(crate) struct Step<'w> {
    world: &'w World,
    pub(crate) browser: String,
    pub(crate) reply: Reply,
}

impl<'w> Walk<'w> {
    pub(crate) fn new(world: &'w World, client: &str) -> Self {
        let redirect_uri = match client {
            "native" => "http://127.0.0.1/cb",
            _ => CALLBACK,
        };
        let params = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", redirect_uri),
            ("scope", "a b"),
            ("state", "st"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        Self {
            world,
            params: params.map(|(n, v)| (n.into(), v.into())).into(),
            user: None,
            cookie: None,
        }
    }

    pub(crate) fn set(self, name: &str, value: &str) -> Self {
        self.unset(name).also(name, value)
    }

    pub(crate) fn also(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    pub(crate) fn unset(mut self, name: &str) -> Self {
        self.params.retain(|(n, _)| n != name);
        self
    }

    pub(crate) fn get(&self, name: &str) -> String {
        let found = self.params.iter().find(|(n, _)| n == name);
        found.map(|(_, v)| v.clone()).unwrap_or_default()
    }

    pub(crate) fn without_pkce(self) -> Self {
        self.unset("code_challenge").unset("code_challenge_method")
    }

    /// In a browser with a session of this user.
    pub(crate) fn signed_in(mut self, user: &str) -> Self {
        self.user = Some(user.into());
        self
    }

    /// In the browser with this cookie.
    pub(crate) fn in_browser(mut self, cookie: &str) -> Self {
        self.cookie = Some(cookie.into());
        self
    }

    pub(crate) fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.params).finish()
    }

    /// The request as a GET.
    pub(crate) async fn send(self) -> Step<'w> {
        let query = self.query();
        self.send_raw(&query).await
    }

    pub(crate) async fn send_raw(self, query: &str) -> Step<'w> {
        let request = Request::get(format!("/oauth/authorize?{query}"));
        let request = self.dress(request).body(Body::empty()).unwrap();
        self.step(request).await
    }

    /// The request as a POST.
    pub(crate) async fn post(self) -> Step<'w> {
        let request = Request::post("/oauth/authorize")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let body = Body::from(self.query());
        let request = self.dress(request).body(body).unwrap();
        self.step(request).await
    }

    fn dress(&self, mut request: http::request::Builder) -> http::request::Builder {
        if let Some(user) = &self.user {
            request = request.header("x-user", user);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, format!("__Host-oauth_browser={cookie}"));
        }
        request
    }

    async fn step(self, request: Request<Body>) -> Step<'w> {
        let reply = self.world.send(request).await;
        let set = reply.cookies();
        let new = set.first().map(|c| {
            let value = c.strip_prefix("__Host-oauth_browser=").unwrap();
            value.split(';').next().unwrap().to_owned()
        });
        Step { world: self.world, browser: self.cookie.or(new).unwrap_or_default(), reply }
    }

    /// A page, and no redirect.
    pub(crate) async fn shows(self, code: &str) {
        self.send().await.reply.is_page(code);
    }

    /// An error in the authorization response, with `iss`, at the redirect URI of the request.
    pub(crate) async fn refuses(self, code: &str) -> Answer {
        let to = self.get("redirect_uri");
        let answer = self.send().await.reply.answer();
        answer.is_refusal(code);
        assert_eq!(answer.to, to);
        answer
    }

    /// Signs in as the user of every world, agrees, and returns the answer.
    pub(crate) async fn answer(self) -> Answer {
        let mut step = self.send().await;
        if step.reply.screen() == Some("/login") {
            step = step.sign_in(USER).await;
        }
        if step.reply.screen() == Some("/consent") {
            step = step.approve().await;
        }
        step.reply.answer()
    }

    /// The same, and the answer must not be a refusal.
    pub(crate) async fn granted(self) -> Answer {
        let answer = self.answer().await;
        assert_eq!(answer.get("error"), None, "{answer:?}");
        answer
    }

    pub(crate) async fn code(self) -> String {
        self.granted().await.must("code").to_owned()
    }
}

impl<'w> Step<'w> {
    pub(crate) async fn sign_in(self, user: &str) -> Step<'w> {
        let id = self.reply.interaction("/login");
        let login = self.world.login(user);
        self.decide(&id, Decision::SignedIn(login)).await
    }

    pub(crate) async fn approve(self) -> Step<'w> {
        let id = self.reply.interaction("/consent");
        self.decide(&id, Decision::Approved { scope: None }).await
    }

    /// What an embedder's page does with the browser it has before it.
    pub(crate) async fn decide(&self, id: &str, decision: Decision) -> Step<'w> {
        let provider = &self.world.provider;
        // Where the store is away, that is for what comes next to find out.
        let since = provider.epoch().await.unwrap_or_default();
        self.outcome(provider.resume(id, &self.browser, decision, since).await).await
    }

    async fn outcome(&self, outcome: Result<Next, Refused>) -> Step<'w> {
        let response = render(&self.world.provider, outcome);
        let (parts, body) = response.into_parts();
        Step {
            world: self.world,
            browser: self.browser.clone(),
            reply: Reply {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
            },
        }
    }
}
