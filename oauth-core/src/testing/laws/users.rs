//! People. Stores never create users through a port, so the caller brings one.

use crate::{
    model::{User, UserId},
    ports::{SignIn, Users},
};
use serde_json::{Map, Value, json};

/// Checks what holds of a store with exactly this user, who signs in with this password.
///
/// # Panics
/// When it does not hold.
pub async fn user_laws(users: &dyn Users, user: &User, password: &str) {
    assert_eq!(users.user(&user.id).await.unwrap().as_ref(), Some(user));
    assert_eq!(users.user(&UserId::new("nobody")).await.unwrap(), None);
    for name in [user.username.clone(), user.username.to_uppercase(), user.username.to_lowercase()]
    {
        let accepted = users.sign_in(&name, password).await.unwrap();
        assert_eq!(accepted, SignIn::Accepted(user.id.clone()), "{name}");
    }
    for (name, tried) in [
        (user.username.as_str(), "wrong"),
        (user.username.as_str(), ""),
        (user.username.as_str(), &password.to_uppercase()),
        ("nobody", password),
        ("nobody", ""),
        ("", ""),
        ("nul\0", password),
    ] {
        assert_eq!(users.sign_in(name, tried).await.unwrap(), SignIn::Refused, "{name:?}");
    }
    assert_eq!(users.rights(&UserId::new("nobody")).await.unwrap(), []);
}

/// What [`profile_laws`] wants to be known of its user.
pub fn profile() -> Map<String, Value> {
    let claims = json!({
        "name": "Ada \"Countess\" Lovelace \u{0}é🦀",
        "email": "ada@example.com",
        "email_verified": true,
        "updated_at": 1_311_280_970_u64,
        "address": { "country": "GB", "formatted": "1\n2" },
        "phone_number": null,
    });
    match claims {
        Value::Object(profile) => profile,
        _ => Map::new(),
    }
}

/// Checks what holds of a store in which [`profile`] with a `sub` beside it was set for this user, and nothing
/// for any other.
///
/// # Panics
/// When it does not hold.
pub async fn profile_laws(users: &dyn Users, user: &UserId, other: &UserId) {
    assert_eq!(users.profile(user).await.unwrap(), profile());
    assert_eq!(users.profile(other).await.unwrap(), Map::new());
    assert_eq!(users.profile(&UserId::new("nobody")).await.unwrap(), Map::new());
}
