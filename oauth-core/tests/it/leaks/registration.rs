//! Registering tells nobody but the client of its secret and its token.

use super::logs::Log;
use crate::support::{CALLBACK, registering::Site};
use oauth_core::registration::rotate_secret;
use serde_json::json;

#[tokio::test]
async fn neither_the_log_nor_debug_tells_what_only_the_client_knows() {
    let log = Log::default();
    let _listening = log.listen();
    let site = Site::open().await;
    let mut secrets: Vec<String> =
        ["initial access", "hunter2", "private part"].map(str::to_owned).into();
    for method in ["client_secret_basic", "client_secret_jwt"] {
        let body = json!({"redirect_uris": [CALLBACK], "token_endpoint_auth_method": method});
        let own = site.registers(body).await;
        secrets.extend([own.token.clone(), own.secret().to_owned()]);
        let provider = &site.world.provider;
        let response = provider.registration(own.id(), Some(&own.token)).await.unwrap();
        let stored = site.stored(own.id()).await.unwrap();
        let rotated = rotate_secret(provider.env(), &stored).unwrap();
        tracing::trace!(?response, ?stored, ?rotated, "seen");
        secrets.push(rotated.secret.unwrap().reveal());
        assert_eq!(site.put(&own, &own.editable()).await.status, 200);
        let mut wrong = own.editable();
        wrong["client_secret"] = json!("hunter2");
        site.put(&own, &wrong).await.refuses("invalid_client_metadata");
        let refused = provider.registration(own.id(), Some("hunter2")).await.unwrap_err();
        tracing::trace!(?refused, %refused, "seen");
        assert_eq!(site.send("DELETE", &own.path, Some(&own.token), None).await.status, 204);
    }
    for bad in [
        json!({"redirect_uris": ["https://u:hunter2@client.example/"]}),
        json!({"redirect_uris": [CALLBACK], "jwks": {"keys": [{"kty": "oct", "k": "private part"}]}}),
        json!({"redirect_uris": [CALLBACK], "sector_identifier_uri": "https://s.example/?hunter2"}),
        json!({"redirect_uris": [CALLBACK], "software_statement": "hunter2"}),
    ] {
        let path = crate::support::registering::REGISTER;
        let reply = site.send("POST", path, Some("initial access"), Some(&bad)).await;
        assert_eq!(reply.status, 400);
        assert!(!reply.text().contains("hunter2"), "{}", reply.text());
    }
    site.world.store.fail(Some("the disk"));
    let body = json!({"redirect_uris": [CALLBACK]});
    let reply = site.post(&body).await;
    reply.refuses("server_error");
    assert!(!reply.text().contains("disk"));
    let text = log.text();
    assert!(text.contains("registered itself") && text.contains("the disk"), "{text}");
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} in {text}");
    }
}
