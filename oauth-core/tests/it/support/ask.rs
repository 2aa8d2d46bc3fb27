//! A POST to the token, revocation or introspection endpoint.

use super::{CLIENT_ASSERTION_TYPE, ODD_ID, ODD_SECRET, Reply, SECRET, World};
use axum::{
    body::Body,
    http::{Request, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oauth_core::issue::TokenResponse;
use serde_json::{Value, json};
use url::form_urlencoded;

/// A request with everything right, to be sent or first to have one thing made wrong.
#[derive(Clone)]
pub(crate) struct Ask<'w> {
    world: &'w World,
    path: String,
    headers: Vec<(String, String)>,
    form: Vec<(String, String)>,
}

impl<'w> Ask<'w> {
    pub(crate) fn new(world: &'w World, path: &str) -> Self {
        Self { world, path: path.into(), headers: Vec::new(), form: Vec::new() }
    }

    /// The credentials of one of the clients of every world.
    pub(crate) fn by(self, client: &str) -> Self {
        match client {
            "spa" | "native" => self.set("client_id", client),
            "post" => self.set("client_id", client).set("client_secret", SECRET),
            ODD_ID => self.basic(ODD_ID, ODD_SECRET),
            _ => self.basic(client, SECRET),
        }
    }

    pub(crate) fn basic(self, id: &str, secret: &str) -> Self {
        let encode = |t: &str| form_urlencoded::byte_serialize(t.as_bytes()).collect::<String>();
        let pair = STANDARD.encode(format!("{}:{}", encode(id), encode(secret)));
        self.header("authorization", &format!("Basic {pair}"))
    }

    /// A JWT in the place of all other credentials.
    pub(crate) fn asserting(self, token: &str) -> Self {
        self.anonymous()
            .set("client_assertion_type", CLIENT_ASSERTION_TYPE)
            .set("client_assertion", token)
    }

    /// No credentials at all.
    pub(crate) fn anonymous(mut self) -> Self {
        self.headers.retain(|(n, _)| n != "authorization");
        ["client_id", "client_secret", "client_assertion_type", "client_assertion"]
            .into_iter()
            .fold(self, Self::unset)
    }

    /// Sets a parameter, in the place of an earlier value.
    pub(crate) fn set(self, name: &str, value: &str) -> Self {
        let mut changed = self.unset(name);
        changed.form.push((name.into(), value.into()));
        changed
    }

    /// Adds a parameter beside what is there.
    pub(crate) fn also(mut self, name: &str, value: &str) -> Self {
        self.form.push((name.into(), value.into()));
        self
    }

    pub(crate) fn unset(mut self, name: &str) -> Self {
        self.form.retain(|(n, _)| n != name);
        self
    }

    /// Adds a header beside what is there.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// To another endpoint.
    pub(crate) fn to(mut self, path: &str) -> Self {
        self.path = path.into();
        self
    }

    pub(crate) fn encoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.form).finish()
    }

    pub(crate) async fn send(self) -> Reply {
        let body = self.encoded().into_bytes();
        self.send_as("application/x-www-form-urlencoded", body).await
    }

    /// With these bytes as the body.
    pub(crate) async fn send_as(self, content_type: &str, body: Vec<u8>) -> Reply {
        let mut request = Request::post(&self.path).header(header::CONTENT_TYPE, content_type);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        self.world.send(request.body(Body::from(body)).unwrap()).await
    }

    /// As `multipart/form-data`.
    pub(crate) async fn send_multipart(self) -> Reply {
        use std::fmt::Write as _;
        let mut body = String::new();
        for (name, value) in &self.form {
            write!(
                body,
                "--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
            .unwrap();
        }
        body.push_str("--XX--\r\n");
        self.send_as("multipart/form-data; boundary=XX", body.into_bytes()).await
    }

    /// A token response by RFC 6749 5.1.
    pub(crate) async fn issues(self) -> TokenResponse {
        let reply = self.send().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.is_not_stored();
        let body = reply.json();
        assert_eq!(body["token_type"], "Bearer");
        assert!(body["expires_in"].is_i64(), "{body}");
        serde_json::from_value(body).unwrap()
    }

    /// An error response with exactly this code.
    pub(crate) async fn refuses(self, code: &str) {
        self.send().await.refuses(code);
    }

    /// An introspection response; an inactive one says nothing else.
    pub(crate) async fn describes(self) -> Value {
        let reply = self.send().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.is_not_stored();
        let body = reply.json();
        if body["active"] != true {
            assert_eq!(body, json!({"active": false}));
        }
        body
    }

    /// An empty success of the revocation endpoint.
    pub(crate) async fn succeeds(self) {
        let reply = self.send().await;
        assert_eq!((reply.status, reply.text()), (200, ""));
        reply.is_not_stored();
    }
}
