//! Plain values for tests, each from one short name.

use crate::model::{
    AuthorizationId, ClaimsRequest, Client, ClientAuth, ClientId, ClientMetadata, Consent,
    HashedToken, Login, NewAuthorization, NewCode, NewToken, OpenidContext, PendingAuthorization,
    RedirectUri, ResourceUri, ResponseMode, Scope, SecretHash, SecretMethod, Timestamp, TokenKind,
    User, UserId,
};
use std::time::Duration;
use uuid::Uuid;

/// The time at which tests begin.
pub const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

/// The authentication context class of sign-ins in a browser session.
pub const ACR: &str = "urn:example:password";

/// [`NOW`] and so many seconds.
pub fn after(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

/// The hash of a secret called so.
pub fn hash(name: &str) -> HashedToken {
    HashedToken::of(name)
}

/// A scope.
pub fn scope(text: &str) -> Scope {
    Scope::parse(text).expect("a test writes valid scopes")
}

/// A resource.
pub fn resource(uri: &str) -> ResourceUri {
    ResourceUri::parse(uri).expect("a test writes valid resources")
}

/// The authorization id that belongs to a name.
pub fn authorization_id(name: &str) -> AuthorizationId {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash(name).as_bytes()) {
        *to = *from;
    }
    AuthorizationId(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

/// The authorization id of a number.
pub const fn numbered_authorization(number: u128) -> AuthorizationId {
    AuthorizationId(Uuid::from_u128(number))
}

/// A confidential client with the secret `secret`, all grant types and the scope `a b c`.
pub fn client(id: &str) -> Client {
    let words = |words: &[&str]| words.iter().map(|&w| w.to_owned()).collect();
    Client {
        id: ClientId::new(id),
        name: format!("Client {id}"),
        uri: None,
        owner: None,
        auth: ClientAuth::Secret(SecretMethod::Basic, SecretHash::Sha256(hash("secret"))),
        redirect_uris: vec![
            RedirectUri::parse("https://client.example/cb").expect("a valid redirect URI"),
        ],
        grant_types: words(&[
            "authorization_code",
            "client_credentials",
            "implicit",
            "password",
            "refresh_token",
        ]),
        response_types: words(&["code", "token"]),
        scope: scope("a b c"),
        access_token_format: None,
        access_token_ttl: None,
        skip_consent: false,
        metadata: ClientMetadata::default(),
        registration_token: None,
        created_at: NOW,
        expires_at: None,
    }
}

/// A confidential client of OpenID Connect with the secret `secret` and all standard scopes, which gets codes
/// and refresh tokens.
pub fn openid_client(id: &str) -> Client {
    let words = |words: &[&str]| words.iter().map(|&w| w.to_owned()).collect();
    Client {
        grant_types: words(&["authorization_code", "refresh_token"]),
        response_types: words(&["code"]),
        scope: scope("openid profile email address phone offline_access"),
        ..client(id)
    }
}

/// The same without a secret.
pub fn public_client(id: &str) -> Client {
    Client { auth: ClientAuth::Public, ..client(id) }
}

/// A user whose identifier is the name.
pub fn user(name: &str) -> User {
    User { id: UserId::new(name), username: name.to_owned() }
}

/// A sign-in of that user, [`NOW`], with a password.
pub fn login(user: &str) -> Login {
    Login { user: UserId::new(user), at: NOW, amr: vec!["pwd".to_owned()], acr: None, sid: None }
}

/// The same in the browser session `sid`, with [`ACR`].
pub fn session_login(user: &str, sid: &str) -> Login {
    Login { acr: Some(ACR.to_owned()), sid: Some(sid.to_owned()), ..login(user) }
}

/// An authorization of client `c` by user `u` for scope `a b`.
pub fn authorization(name: &str) -> NewAuthorization {
    NewAuthorization {
        id: authorization_id(name),
        client: ClientId::new("c"),
        user: UserId::new("u"),
        scope: scope("a b"),
        openid: None,
        acr: None,
        sid: None,
        participates_until: NOW,
        since: None,
    }
}

/// An OpenID Connect authorization of client `c` by user `u` for scope `openid`, given in the browser session `sid`
/// with [`ACR`]. Its client takes part in that session for 3600 seconds from [`NOW`].
pub fn openid_authorization(name: &str, sid: &str) -> NewAuthorization {
    NewAuthorization {
        scope: scope("openid"),
        openid: Some(openid_context("nonce")),
        acr: Some(ACR.to_owned()),
        sid: Some(sid.to_owned()),
        participates_until: after(3600),
        ..authorization(name)
    }
}

/// What is kept of an OpenID Connect request with this `nonce`.
pub fn openid_context(nonce: &str) -> OpenidContext {
    OpenidContext { nonce: Some(nonce.to_owned()), claims: ClaimsRequest::default() }
}

/// A code of client `c` for user `u`, good for 60 seconds from [`NOW`].
pub fn code(name: &str) -> NewCode {
    NewCode {
        hash: hash(name),
        client: ClientId::new("c"),
        login: login("u"),
        redirect_uri: Some("https://client.example/cb".to_owned()),
        scope: scope("a b"),
        resources: Vec::new(),
        challenge: None,
        expires_at: after(60),
    }
}

/// An access token of client `c` for user `u`, good for 300 seconds from [`NOW`].
pub fn access(name: &str) -> NewToken {
    NewToken {
        hash: hash(name),
        kind: TokenKind::Access,
        client: ClientId::new("c"),
        login: Some(login("u")),
        scope: scope("a"),
        resources: Vec::new(),
        issued_at: NOW,
        expires_at: after(300),
    }
}

/// A refresh token of client `c` for user `u`, good for 3600 seconds from [`NOW`].
pub fn refresh(name: &str) -> NewToken {
    NewToken {
        kind: TokenKind::Refresh,
        scope: scope("a b"),
        expires_at: after(3600),
        ..access(name)
    }
}

/// The consent of user `u` to client `c`.
pub fn consent(text: &str) -> Consent {
    Consent { user: UserId::new("u"), client: ClientId::new("c"), scope: scope(text), at: NOW }
}

/// A request of client `c` that waits for user `u`, good for 600 seconds from [`NOW`].
pub fn pending() -> PendingAuthorization {
    PendingAuthorization {
        client: ClientId::new("c"),
        response_type: "code".to_owned(),
        response_mode: ResponseMode::Query,
        redirect_uri: "https://client.example/cb".to_owned(),
        redirect_uri_was_sent: true,
        state: Some("xyz".to_owned()),
        scope: scope("a b"),
        resources: vec![resource("https://api.example/v1")],
        challenge: None,
        prompt: Vec::new(),
        login_hint: None,
        nonce: None,
        claims: ClaimsRequest::default(),
        max_age: None,
        acr_values: Vec::new(),
        expected_subject: None,
        ui_locales: Vec::new(),
        signed_in_here: false,
        login: Some(login("u")),
        browser: PendingAuthorization::browser_hash("cookie"),
        first: None,
        expires_at: after(600),
    }
}
