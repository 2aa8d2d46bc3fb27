//! Front ends that call the user service in the tests.

use crate::support::{Server, text};
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use std::time::Duration;

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(2);

/// An answer of the API.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// A member of the body as text.
    #[track_caller]
    pub fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.body)).to_owned()
    }

    /// Checks that it is a refusal with this status and code, told the standard way.
    #[track_caller]
    pub fn refuses(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status.as_u16(), &self.body["code"]),
            (status, &json!(code)),
            "{}",
            self.body
        );
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(self.body["type"], format!("urn:oauth-server:problem:{code}"));
        assert_eq!(self.body["status"], status);
        assert!(self.body["title"].is_string());
    }

    /// The fields that a refusal is about.
    pub fn fields(&self) -> Vec<String> {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|e| e["field"].as_str().unwrap().to_owned()).collect()
    }

    /// The tag of what was answered.
    #[track_caller]
    pub fn tag(&self) -> String {
        self.headers[header::ETAG].to_str().unwrap().to_owned()
    }
}

/// A call that is not sent yet.
pub struct Call<'s> {
    server: &'s Server,
    request: http::request::Builder,
    body: Option<Value>,
}

impl Call<'_> {
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub async fn send(self) -> Answer {
        let mut request = self.request;
        if self.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = self.body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self.server.send(request.body(body).unwrap()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = text(response).await;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, headers, body }
    }
}

impl Server {
    /// A call to the API.
    pub fn call(&self, method: &str, path: &str) -> Call<'_> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = Request::builder().method(method).uri(format!("/api{path}"));
        Call { server: self, request, body: None }
    }

    /// A POST to the API.
    pub async fn tell(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path).body(body).send().await
    }

    /// The access token of whoever signs in so.
    pub async fn token_of(&self, name: &str, password: &str) -> String {
        let answer = self.tell("/login", json!({"username": name, "password": password})).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.text("access_token")
    }

    /// The token in the next letter to this address about this page, which may be written a moment from now.
    pub async fn token_in_letter(&self, to: &str, page: &str, before: usize) -> String {
        let letter = tokio::time::timeout(PATIENCE, async {
            loop {
                let letters = self.letters().await;
                let fits = |letter: &&crate::post_office::Arrived| {
                    letter.to == to && letter.text.contains(&format!("{page}?token="))
                };
                if let Some(letter) = letters.iter().skip(before).find(fits) {
                    return letter.clone();
                }
                tokio::task::yield_now().await;
            }
        });
        let link = letter.await.expect("the letter comes").link(&format!("{page}?token="));
        assert!(link.starts_with("http://127.0.0.1:4999/"), "{link}");
        link.split_once("?token=").unwrap().1.to_owned()
    }
}
