//! A world in which clients register themselves, and the requests by which they do.

use super::{Published, Reply, Setup, World};
use async_trait::async_trait;
use axum::{
    body::Body,
    http::{Request, header},
};
use oauth_core::{
    config::Policy,
    error::PortError,
    grants::{Grants, Implicit, standard},
    model::{Client, ClientId, SigningAlgorithm},
    ports::{Admission, ClientStore as _, Registrars},
    registration::Rules,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

pub(crate) const REGISTER: &str = "/oauth/register";
/// What a client may be registered for here.
pub(crate) const SCOPES: [&str; 4] = ["a", "b", "offline_access", "openid"];

/// Who is admitted, and which tokens were brought.
#[derive(Clone)]
pub(crate) struct Door(Arc<Mutex<(Admission, Vec<Option<String>>)>>);

impl Door {
    pub(crate) fn answers(&self, admission: Admission) {
        self.0.lock().unwrap().0 = admission;
    }

    pub(crate) fn brought(&self) -> Vec<Option<String>> {
        self.0.lock().unwrap().1.clone()
    }
}

#[async_trait]
impl Registrars for Door {
    async fn admit(&self, token: Option<&str>) -> Result<Admission, PortError> {
        let mut door = self.0.lock().unwrap();
        door.1.push(token.map(str::to_owned));
        Ok(door.0.clone())
    }
}

/// Admits everybody.
pub(crate) struct Everybody;

#[async_trait]
impl Registrars for Everybody {
    async fn admit(&self, _: Option<&str>) -> Result<Admission, PortError> {
        Ok(Admission::Granted { owner: None, expires_at: None, invitation: None })
    }
}

/// A world with registration, open to everybody until the door answers otherwise.
pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) published: Published,
    pub(crate) door: Door,
}

/// What came of a registration, to be managed.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) path: String,
    pub(crate) token: String,
    pub(crate) body: Value,
}

impl Own {
    pub(crate) fn of(body: Value) -> Self {
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        let uri = text("registration_client_uri");
        let path = uri.strip_prefix("https://as.example").unwrap().to_owned();
        assert_eq!(path, format!("{REGISTER}/{}", text("client_id")));
        Self { path, token: text("registration_access_token"), body }
    }

    pub(crate) fn id(&self) -> &str {
        self.body["client_id"].as_str().unwrap()
    }

    pub(crate) fn secret(&self) -> &str {
        self.body["client_secret"].as_str().unwrap()
    }

    /// What it may send back to be registered with the same again.
    pub(crate) fn editable(&self) -> Value {
        let mut body = self.body.clone();
        for name in [
            "registration_client_uri",
            "registration_access_token",
            "client_id_issued_at",
            "client_secret_expires_at",
        ] {
            body.as_object_mut().unwrap().remove(name);
        }
        body
    }
}

impl Site {
    pub(crate) async fn open() -> Self {
        Self::with(|_| ()).await
    }

    /// By other rules.
    pub(crate) async fn with(change: impl FnOnce(&mut Rules)) -> Self {
        let algorithms = vec![SigningAlgorithm::ES256, SigningAlgorithm::EdDSA];
        let policy = Policy { algorithms: algorithms.clone(), ..Policy::default() };
        let mut grants = standard();
        grants.push(Box::new(Implicit));
        let mut rules =
            Rules::new(&Grants::new(grants, true), &policy).scopes(SCOPES.map(str::to_owned));
        change(&mut rules);
        let everybody = Admission::Granted { owner: None, expires_at: None, invitation: None };
        let door = Door(Arc::new(Mutex::new((everybody, Vec::new()))));
        let published = Published::new();
        let (at_the_door, net) = (door.clone(), published.clone());
        let setup = Setup::openid().policy(|p| p.algorithms = algorithms);
        let setup = setup.builder(|b| b.registration(rules, at_the_door).fetch(net));
        Self { world: setup.start().await, published, door }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            None => Body::empty(),
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
        };
        self.world.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn post(&self, body: &Value) -> Reply {
        self.send("POST", REGISTER, None, Some(body)).await
    }

    /// A client information response.
    pub(crate) async fn registers(&self, body: Value) -> Own {
        let reply = self.post(&body).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.is_not_stored();
        Own::of(reply.json())
    }

    /// An error response about this field.
    pub(crate) async fn objects(&self, body: Value, code: &str, field: &str) {
        let reply = self.post(&body).await;
        reply.refuses(code);
        let description = reply.json()["error_description"].as_str().unwrap().to_owned();
        assert_eq!(description, format!("{field} cannot be accepted"), "{body}");
    }

    pub(crate) async fn read(&self, own: &Own) -> Reply {
        self.send("GET", &own.path, Some(&own.token), None).await
    }

    pub(crate) async fn put(&self, own: &Own, body: &Value) -> Reply {
        self.send("PUT", &own.path, Some(&own.token), Some(body)).await
    }

    /// The client as it is stored.
    pub(crate) async fn stored(&self, id: &str) -> Option<Client> {
        let client = self.world.store.client(&ClientId::new(id)).await.unwrap();
        client.map(|client| Client::clone(&client))
    }

    /// The most a client may be registered with, but for request objects, whose keys are another matter.
    pub(crate) fn everything(&self) -> Value {
        let at = |path: &str| format!("https://client.example/{path}");
        self.published.put(&at("sector"), json!([at("cb"), "https://other.example/cb"]));
        json!({
            "redirect_uris": [at("cb"), "https://other.example/cb"],
            "client_name": "Kamera",
            "client_name#en": "Camera",
            "client_uri": at(""),
            "client_uri#en": at("en"),
            "logo_uri": at("logo"),
            "logo_uri#en": at("logo-en"),
            "policy_uri": at("policy"),
            "tos_uri": at("tos"),
            "scope": "openid a",
            "grant_types": ["authorization_code", "implicit", "refresh_token"],
            "response_types": ["code", "code id_token token"],
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "application_type": "web",
            "contacts": ["ops@client.example"],
            "jwks_uri": at("jwks"),
            "sector_identifier_uri": at("sector"),
            "subject_type": "pairwise",
            "id_token_signed_response_alg": "EdDSA",
            "id_token_encrypted_response_alg": "ECDH-ES",
            "id_token_encrypted_response_enc": "A256GCM",
            "userinfo_signed_response_alg": "ES256",
            "userinfo_encrypted_response_alg": "RSA-OAEP-256",
            "userinfo_encrypted_response_enc": "A128CBC-HS256",
            "request_object_signing_alg": "RS256",
            "default_max_age": 600,
            "require_auth_time": true,
            "default_acr_values": ["urn:x"],
            "initiate_login_uri": at("login"),
            "request_uris": [at("request#hash")],
            "require_signed_request_object": true,
            "post_logout_redirect_uris": [at("out")],
            "frontchannel_logout_uri": at("front"),
            "frontchannel_logout_session_required": true,
            "backchannel_logout_uri": at("back"),
            "backchannel_logout_session_required": true,
            "software_id": "camera",
            "software_version": "1.0",
        })
    }
}
