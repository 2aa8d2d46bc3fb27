//! Front ends of TokTok in the tests: a token in the header with nothing before it, and their words in the answers.

use crate::{
    pages_actors::PASSWORD,
    people_actors::Answer,
    support::{Server, start},
};
use http::header;
use oauth_core::model::UserId;
use serde_json::{Value, json};

/// What switches the layer on, at the address of the other tests.
pub const TOKTOK: &str = "compat = \"toktok\"\n[server]\nport = 4999\n";

/// A server with the layer and the gate for guests, and with further settings.
pub async fn toktok(more: &str) -> Server {
    start(&format!("{TOKTOK}{more}[forms]\nanojwt = true\n")).await
}

impl Answer {
    /// Checks that it is a refusal with this status and text.
    #[track_caller]
    pub fn says(&self, status: u16, msg: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.body["msg"], msg, "{}", self.body);
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body.get("sub_status"), None, "{}", self.body);
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/json");
    }

    /// Checks that it says that the token has expired, as front ends look for it.
    #[track_caller]
    pub fn says_expired(&self) {
        let expected = json!({"msg": "The token has expired", "status": 401, "sub_status": 42});
        assert_eq!((self.status.as_u16(), &self.body), (401, &expected));
    }

    /// One of the tokens.
    #[track_caller]
    pub fn token(&self, name: &str) -> String {
        let token = self.body["tokens"][name].as_str();
        token.unwrap_or_else(|| panic!("no {name} in {}", self.body)).to_owned()
    }

    /// The fields that a refusal is about.
    pub fn wrong(&self) -> Vec<String> {
        let errors = self.body["errors"].as_object().cloned().unwrap_or_default();
        errors.into_iter().map(|(field, _)| field).collect()
    }
}

impl Server {
    /// A request with a token alone in the header, or none.
    pub async fn raw(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
        let mut call = self.call(method, path);
        if !token.is_empty() {
            call = call.header("authorization", token);
        }
        if let Some(body) = body {
            call = call.body(body);
        }
        call.send().await
    }

    /// The access token of a new guest.
    pub async fn anonymous(&self) -> String {
        self.raw("GET", "/auth/login/anonymous/", "", None).await.token("access_token")
    }

    /// Signs in as front ends do: as a guest first.
    pub async fn enter(&self, email: &str, password: &str) -> Answer {
        let guest = self.anonymous().await;
        let body = json!({"email": email, "pwd": password});
        self.raw("POST", "/auth/login/", &guest, Some(body)).await
    }

    /// A user with a confirmed address of this name.
    pub async fn member(&self, name: &str) -> UserId {
        let user = self.user(name, PASSWORD).await;
        let address = format!("{name}@example.org");
        let _ = self.state.store.set_email(&user, Some(&address), true).await.unwrap();
        user
    }

    /// The access token of a member.
    pub async fn member_token(&self, name: &str) -> String {
        self.enter(&format!("{name}@example.org"), PASSWORD).await.token("access_token")
    }

    /// An administrator, and its access token.
    pub async fn admin_token(&self, name: &str) -> (UserId, String) {
        let user = self.member(name).await;
        self.state.store.set_admin(&user, true).await.unwrap();
        (user, self.member_token(name).await)
    }
}
