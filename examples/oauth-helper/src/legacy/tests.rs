use super::*;

const OLD: &str = r#"{
  "1": {
    "client_id": "ABC@AMER", "service_name": "broker",
    "auth_endpoint": {"url": "https://auth.example/auth", "qs_params": {"response_type": "code",
      "client_id": "{client_id}", "redirect_uri": "{redirect_url}", "state": "{state}", "scope": "read trade", "tone": "calm"}},
    "token_endpoint": {"url": "https://api.example/token", "use_refresh": true,
      "access_params": {"grant_type": "authorization_code", "code": "{access_code}", "client_secret": "hush", "access_type": "offline"},
      "refesh_params": {"grant_type": "refresh_token", "refresh_token": "{refresh_token}", "audience": "api"}},
    "redirect_url": "https://127.0.0.1:8080/auth_callback",
    "add_time": 1590000000.5, "auth_code_set": true, "refresh_token_ttl": 7776000, "acess_token_ttl": 1800, "last_mod_time": 1590000001
  },
  "10": {
    "client_id": "second", "service_name": "broker",
    "auth_endpoint": {"url": "https://auth.example/auth"},
    "token_endpoint": {"url": "https://api.example/token", "use_refesh": false}
  }
}"#;

#[test]
fn s3_16_the_old_cache_is_read_with_its_misspelt_names() {
    let clients = read(OLD.as_bytes()).unwrap();
    let first = &clients[0];
    assert_eq!((first.old_id.as_str(), first.client.name.as_str()), ("1", "broker"));
    assert_eq!(first.client.scope, "read trade");
    assert_eq!(first.client.added_at, 1_590_000_000);
    assert_eq!(first.client.params.authorization.keys().collect::<Vec<_>>(), ["tone"]);
    assert_eq!(first.client.params.token.keys().collect::<Vec<_>>(), ["access_type"]);
    assert_eq!(first.client.params.refresh.keys().collect::<Vec<_>>(), ["audience"]);
    assert_eq!(first.client.auth, AuthMethod::ClientSecretPost);
    assert_eq!(first.credentials.secret.as_ref().unwrap().expose(), "hush");
    first.client.check().unwrap();
    let second = &clients[1].client;
    assert_eq!((second.name.as_str(), second.auth), ("broker-2", AuthMethod::None));
    assert!(!second.use_refresh);
    second.check().unwrap();
}

#[test]
fn what_is_not_the_old_cache_is_not_taken_for_it() {
    for text in
        ["{}", "[]", r#"{"version":1,"next_id":1,"clients":{}}"#, r#"{"a":{"auth_endpoint":1}}"#]
    {
        assert_eq!(
            read(text.as_bytes()).unwrap_err().to_string(),
            "this is not a token cache of the old program"
        );
    }
    assert_eq!(read(b"<").unwrap_err().to_string(), "the old token cache is not JSON");
}
