//! What a client can say beyond the essentials: the fields under "More" of its form, its page, and its credentials.

use crate::{
    pages_actors::{CALLBACK, Made, Page, SignedIn, client_form},
    support::{self, Server, start},
};
use axum::{Json, Router, routing::get};
use http::StatusCode;
use oauth_core::{
    jose::generate,
    model::{Client, ClientAuth, ClientMetadata, SecretHash, SigningAlgorithm},
    ports::{ClientStore as _, SystemRandom},
    testing::fixtures,
};
use serde_json::{Value, json};

/// Development, where what is on this machine may be named and is fetched.
const DEVELOPING: &str = "[registration]\ndanger_loopback = true\n[outgoing]\ndanger_plain_http = true\nallowed_networks = [\"127.0.0.0/8\"]\n";
const PRIVATE: &str = "There is a private key or a secret in the set. Use another key: this one has been told to somebody.";

/// A key set for signatures, and one for everything.
fn key_sets() -> (String, String) {
    let signer = generate(SigningAlgorithm::ES256, &SystemRandom).unwrap().signer;
    let signs = json!(signer.public_jwk());
    let opens =
        json!({"kty": "EC", "crv": "P-256", "x": signs["x"], "y": signs["y"], "use": "enc"});
    (json!({"keys": [signs]}).to_string(), json!({"keys": [signs, opens]}).to_string())
}

/// An address of this machine at which somebody publishes this.
async fn publish(what: Value) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/sector", get(async move || Json(what)));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/sector")
}

async fn stored(server: &Server, id: &str) -> Client {
    let id = oauth_core::model::ClientId::new(id);
    (*server.state.store.client(&id).await.unwrap().unwrap()).clone()
}

/// What a browser sends when the form is submitted as it stands.
fn as_it_stands(page: &Page) -> Vec<(String, String)> {
    let form = page.html.split("id=\"client-form\"").nth(1).unwrap();
    let form = &form[..form.find("</form>").unwrap()];
    let mut fields = Vec::new();
    for tag in form.split('<').filter(|t| t.contains(" name=\"")) {
        let name = tag.split(" name=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let id = tag.split(" id=\"").nth(1).map(|rest| rest.split('"').next().unwrap());
        let is_tick = tag.contains("type=\"checkbox\"") || tag.contains("type=\"radio\"");
        let value = if tag.starts_with("textarea") {
            page.by_id(id.unwrap())
        } else if tag.starts_with("select") {
            let select = form.split(&format!("id=\"{}\"", id.unwrap())).nth(1).unwrap();
            let select = &select[..select.find("</select>").unwrap()];
            let chosen = select.split("<option ").find(|o| o.contains(" selected")).unwrap();
            chosen.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
        } else if is_tick && !tag.contains(" checked") {
            continue;
        } else if is_tick || id.is_none() {
            tag.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
        } else {
            page.value(&name)
        };
        fields.push((name, value));
    }
    fields
}

fn borrowed(form: &[(String, String)]) -> Vec<(&str, &str)> {
    form.iter().map(|(name, value)| (&**name, &**value)).collect()
}

/// Everything that can be said, with where the list of the sector is.
fn everything<'a>(jwks: &'a str, sector: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("jwks", jwks),
        ("token_endpoint_auth_method", "private_key_jwt"),
        ("token_endpoint_auth_signing_alg", "ES256"),
        ("access_token_format", "opaque"),
        ("access_token_ttl", "60"),
        ("subject_type", "pairwise"),
        ("sector_identifier_uri", sector),
        ("id_token_signed_response_alg", "ES256"),
        ("id_token_encrypted_response_alg", "ECDH-ES"),
        ("id_token_encrypted_response_enc", "A256GCM"),
        ("userinfo_signed_response_alg", "ES256"),
        ("userinfo_encrypted_response_alg", "ECDH-ES+A128KW"),
        ("userinfo_encrypted_response_enc", "A128GCM"),
        ("default_max_age", "600"),
        ("require_auth_time", "yes"),
        ("default_acr_values", "urn:example:gold\r\n\r\nurn:example:silver"),
        ("initiate_login_uri", "https://app.example/login"),
        ("request_object_signing_alg", "PS256"),
        ("require_signed_request_object", "yes"),
        ("request_uris", "https://app.example/ro#abc\r\nhttps://app.example/ro2"),
        ("post_logout_redirect_uris", "https://app.example/bye"),
        ("frontchannel_logout_uri", "https://app.example/front"),
        ("frontchannel_logout_session_required", "yes"),
        ("backchannel_logout_uri", "https://app.example/back"),
        ("backchannel_logout_session_required", "yes"),
        ("logo_uri", "https://app.example/logo.png"),
        ("policy_uri", "https://app.example/policy"),
        ("tos_uri", "https://app.example/terms"),
        ("contacts", "ops@app.example\r\n+49 30 1234"),
        ("application_type", "web"),
        ("software_id", "wall"),
        ("software_version", "1.2"),
    ]
}

/// The metadata as it is stored.
fn metadata(client: &Client) -> Value {
    serde_json::to_value(&client.metadata).unwrap()
}

#[tokio::test]
async fn everything_that_can_be_registered_can_be_typed_and_is_shown() {
    let server = start(DEVELOPING).await;
    let ada = server.signed_up("ada").await;
    let (_, jwks) = key_sets();
    let sector = publish(json!([CALLBACK])).await;
    let form = everything(&jwks, &sector);
    let made = ada.create_client(&form).await;
    assert!(made.secret.is_none());
    let client = stored(&server, &made.id).await;
    let kept = metadata(&client);
    for (name, value) in &form {
        let expected = match *name {
            "jwks" => serde_json::from_str(value).unwrap(),
            "default_max_age" => json!(600),
            "default_acr_values" | "request_uris" | "post_logout_redirect_uris" | "contacts" => {
                json!(value.lines().filter(|l| !l.is_empty()).collect::<Vec<_>>())
            }
            "logo_uri" | "policy_uri" | "tos_uri" => {
                assert_eq!(kept["texts"][*name], *value);
                continue;
            }
            "id_token_encrypted_response_alg" | "userinfo_encrypted_response_alg" => {
                assert_eq!(kept[name.trim_end_matches("_alg")]["alg"], *value);
                continue;
            }
            "id_token_encrypted_response_enc" | "userinfo_encrypted_response_enc" => {
                assert_eq!(kept[name.trim_end_matches("_enc")]["enc"], *value);
                continue;
            }
            // The default, and what is said elsewhere.
            "application_type" | "token_endpoint_auth_method" => continue,
            "access_token_format" | "access_token_ttl" => {
                assert!(!made.page.has(&format!("registered-{name}")));
                continue;
            }
            _ if *value == "yes" => json!(true),
            _ => json!(value),
        };
        assert_eq!(kept[*name], expected, "{name}");
        assert!(made.page.has(&format!("registered-{name}")), "{name} is on the page");
    }
    assert_eq!(client.auth, ClientAuth::PrivateKeyJwt);
    assert_eq!(made.page.by_id("client-format"), "Opaque, valid for 1 minute");
    assert!(made.page.by_id("registered-jwks").contains("kty EC, crv P-256, use enc"));
    assert!(made.page.by_id("registered-request_uris").contains("https://app.example/ro#abc"));
    // What is shown to be changed and is not changed stays the same.
    let at = format!("/clients/{}/edit", made.id);
    let page = ada.get(&at).await;
    assert!(!page.html.contains("<details id=\"more\" open"));
    let form = as_it_stands(&page);
    assert!(ada.post(&at, &borrowed(&form)).await.location().ends_with("?done=saved"));
    assert_eq!(stored(&server, &made.id).await, client);
    // What a form does not have, because a program sends it, too.
    let essentials = client_form(&[("token_endpoint_auth_method", "private_key_jwt")]);
    assert!(ada.post(&at, &essentials).await.location().ends_with("?done=saved"));
    assert_eq!(stored(&server, &made.id).await, client);
    // What is emptied on the page is gone.
    let emptied = client_form(&[("more", "yes")]);
    assert_eq!(ada.post(&at, &emptied).await.status, StatusCode::OK, "there is a secret now");
    let client = stored(&server, &made.id).await;
    assert_eq!(client.metadata, ClientMetadata::default());
    assert_eq!((client.access_token_format, client.access_token_ttl), (None, None));
    assert!(!ada.get(&format!("/clients/{}", made.id)).await.has("more-facts"));
}

/// Fields, what cannot be in them, and what is said about it.
const WRONG: [(&str, &str, &str); 32] = [
    ("jwks", "{\"keys\": []}", "a public key in it"),
    ("jwks", "{\"keys\": [", "Give a JWK set: a JSON object"),
    ("jwks", "{\"kty\": \"EC\"}", "Give a JWK set: a JSON object"),
    ("jwks_uri", "http://app.example/jwks", "http is for"),
    ("token_endpoint_auth_signing_alg", "HS256", "fit the way it authenticates"),
    ("access_token_format", "HS256", "forms that are offered"),
    ("access_token_ttl", "soon", "whole seconds"),
    ("subject_type", "secret", "types that are offered"),
    ("sector_identifier_uri", "app.example", "full address"),
    ("sector_identifier_uri", "https://127.0.0.1:1/sector", "Nothing can be fetched"),
    ("id_token_signed_response_alg", "none", "forms that are offered"),
    ("id_token_encrypted_response_alg", "RSA1_5", "algorithms that are offered"),
    ("id_token_encrypted_response_alg", "ECDH-ES", "gives a key for ECDH-ES"),
    ("id_token_encrypted_response_enc", "A128GCM", "how the key is to be encrypted"),
    ("userinfo_signed_response_alg", "none", "forms that are offered"),
    ("userinfo_encrypted_response_alg", "ECDH-ES", "gives a key for ECDH-ES"),
    ("userinfo_encrypted_response_enc", "A128GCM", "how the key is to be encrypted"),
    ("default_max_age", "-1", "whole seconds"),
    ("default_acr_values", "gold\r\n\u{202e}", "invisible"),
    ("initiate_login_uri", "javascript:alert(1)", "begin with https://"),
    ("request_object_signing_alg", "HS256", "algorithms that are offered"),
    ("request_uris", "https://app.example/ro\r\nhttp://far.example/ro", "http is for"),
    ("post_logout_redirect_uris", "https://*.example/", "wildcards"),
    ("frontchannel_logout_uri", "https://other.example/front", "one of the redirect URIs"),
    ("backchannel_logout_uri", "https://app.example/#x", "fragment"),
    ("logo_uri", "data:image/png,x", "full web address"),
    ("policy_uri", "policy", "full web address"),
    ("tos_uri", "ftp://app.example/", "full web address"),
    ("contacts", "\u{200b}", "invisible"),
    ("application_type", "robot", "Choose web or native"),
    ("software_id", "\u{feff}x", "invisible"),
    (
        "software_version",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "at most 200 characters",
    ),
];

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field_and_stays_as_it_was_typed() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[]).await;
    let before = stored(&server, &made.id).await;
    let edit = format!("/clients/{}/edit", made.id);
    let (signs, _) = key_sets();
    for (field, bad, said) in WRONG {
        let form = match field {
            "token_endpoint_auth_signing_alg" => {
                vec![("token_endpoint_auth_method", "private_key_jwt"), ("jwks", &*signs)]
            }
            _ => Vec::new(),
        };
        let form = client_form(&[&form[..], &[("more", "yes"), (field, bad)]].concat());
        for path in ["/create_client", &edit] {
            let page = ada.post(path, &form).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {bad}");
            assert_eq!(page.problems(), [field], "{bad}");
            let problem = page.by_id(&format!("{field}-problem"));
            assert!(problem.contains(said), "{field} {bad}: {problem}");
            assert!(page.html.contains("<details id=\"more\" open"), "{field} can be seen");
            let typed = as_it_stands(&page).into_iter().find(|(name, _)| name == field).unwrap().1;
            let typed = typed.replace(' ', "");
            let trimmed = bad.replace("\r\n", "\n").replace(' ', "");
            let lines: Value = serde_json::from_str(&typed).unwrap_or(Value::Null);
            assert!(
                typed == trimmed.trim()
                    || lines == serde_json::from_str::<Value>(bad).unwrap_or(json!(0)),
                "{field}: {typed} is not {bad}"
            );
        }
    }
    assert_eq!(stored(&server, &made.id).await, before);
}

#[tokio::test]
async fn what_does_not_go_together_is_said_at_one_of_the_fields() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let (signs, _) = key_sets();
    let unsigned = [
        ("more", "yes"),
        ("require_signed_request_object", "yes"),
        ("request_object_signing_alg", "none"),
    ];
    let page = ada.post("/create_client", &client_form(&unsigned)).await;
    assert_eq!(page.problems(), ["require_signed_request_object"]);
    let both = [("jwks", &*signs), ("jwks_uri", "https://app.example/jwks")];
    assert_eq!(ada.post("/create_client", &client_form(&both)).await.problems(), ["jwks_uri"]);
    let hosts = format!("{CALLBACK}\nhttps://other.example/cb");
    let sector = [("subject_type", "pairwise"), ("redirect_uri", &*hosts)];
    let page = ada.post("/create_client", &client_form(&sector)).await;
    assert_eq!(page.problems(), ["sector_identifier_uri"]);
    let native = [("application_type", "native")];
    assert_eq!(
        ada.post("/create_client", &client_form(&native)).await.problems(),
        ["redirect_uri"]
    );
}

#[tokio::test]
async fn a_list_that_does_not_agree_is_said_at_the_sector() {
    let server = start(DEVELOPING).await;
    let ada = server.signed_up("ada").await;
    for (published, said) in [
        (json!(["https://other.example/cb"]), "Not all redirect URIs are in the list"),
        (json!({"redirect_uris": [CALLBACK]}), "Publish a JSON array"),
    ] {
        let uri = publish(published).await;
        let page =
            ada.post("/create_client", &client_form(&[("sector_identifier_uri", &uri)])).await;
        assert_eq!(page.problems(), ["sector_identifier_uri"]);
        assert!(page.by_id("sector_identifier_uri-problem").contains(said));
    }
}

#[tokio::test]
async fn a_private_key_is_refused_and_not_given_back() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let (signs, _) = key_sets();
    let mut set: Value = serde_json::from_str(&signs).unwrap();
    set["keys"][0]["d"] = json!("c2VjcmV0");
    let (in_a_set, alone) = (set.to_string(), set["keys"][0].to_string());
    let pem = "-----BEGIN PRIVATE KEY-----\r\nc2VjcmV0\r\n-----END PRIVATE KEY-----";
    let shared = "{\"keys\": [{\"kty\": \"oct\", \"k\": \"c2VjcmV0\"}]}";
    for bad in [&*in_a_set, &alone, pem, shared] {
        let form = [("token_endpoint_auth_method", "private_key_jwt"), ("jwks", bad)];
        let page = ada.post("/create_client", &client_form(&form)).await;
        assert_eq!(
            (page.status, page.problems()),
            (StatusCode::UNPROCESSABLE_ENTITY, vec!["jwks"])
        );
        assert_eq!(page.by_id("jwks-problem"), PRIVATE);
        assert!(!page.html.contains("c2VjcmV0"), "{}", page.html);
    }
}

#[tokio::test]
async fn who_signs_gives_a_key() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let method = ("token_endpoint_auth_method", "private_key_jwt");
    let page = ada.post("/create_client", &client_form(&[method])).await;
    assert_eq!(page.problems(), ["token_endpoint_auth_method"]);
    assert!(page.html.contains("<details id=\"more\" open"), "where the key goes");
    let uri = ("jwks_uri", "https://app.example/jwks");
    let made = ada.create_client(&[method, uri]).await;
    assert!(made.secret.is_none());
    assert_eq!(made.page.by_id("registered-jwks_uri"), uri.1);
    let only = client_form(&[("token_endpoint_auth_method", "none"), ("redirect_uri", "far")]);
    let page = ada.post("/create_client", &only).await;
    assert!(!page.html.contains("<details id=\"more\" open"), "nothing is wrong there");
}

/// Saves the client with another method; returns the new secret, if one was made.
async fn switch(ada: &SignedIn<'_>, made: &Made, method: &str, jwks: &str) -> Option<String> {
    let at = format!("/clients/{}/edit", made.id);
    let form = client_form(&[("token_endpoint_auth_method", method), ("jwks", jwks)]);
    let page = ada.post(&at, &form).await;
    if page.status == StatusCode::OK {
        assert_eq!(page.header("cache-control"), "no-store");
        return Some(page.by_id("client-secret"));
    }
    assert!(page.location().ends_with("?done=saved"));
    None
}

#[tokio::test]
async fn a_secret_is_kept_where_it_fits_and_made_where_it_does_not() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let (jwks, _) = key_sets();
    let made = ada.create_client(&[]).await;
    let first = made.secret.clone().unwrap();
    assert_eq!(switch(&ada, &made, "client_secret_post", "").await, None);
    let is_hash_of = async |secret: &str| {
        let auth = stored(&server, &made.id).await.auth;
        matches!(auth, ClientAuth::Secret(_, SecretHash::Sha256(hash)) if hash.matches(secret))
    };
    assert!(is_hash_of(&first).await);
    // Of a hash nobody can make a MAC.
    let shared = switch(&ada, &made, "client_secret_jwt", "").await.unwrap();
    assert!(shared.len() >= 64 && shared != first);
    let opened = async |made: &Made| {
        let ClientAuth::SecretJwt(sealed) = stored(&server, &made.id).await.auth else {
            panic!("a secret that is sealed")
        };
        let env = server.state.provider.env();
        let secret = oauth_core::client_auth::open_secret(env, &made.client_id(), &sealed).unwrap();
        String::from_utf8(secret.to_vec()).unwrap()
    };
    assert_eq!(opened(&made).await, shared);
    assert_eq!(switch(&ada, &made, "client_secret_jwt", "").await, None, "it is shown once");
    assert_eq!(opened(&made).await, shared);
    let page = ada.get(&format!("/clients/{}", made.id)).await;
    assert!(!page.html.contains(&shared) && page.has("rotate"));
    let rotated = ada.post(&format!("/clients/{}/secret", made.id), &[]).await;
    assert!(rotated.by_id("secret").contains("sealed"));
    let rotated = rotated.by_id("client-secret");
    assert!(rotated != shared && opened(&made).await == rotated);
    // Back again it is another one: what is sent is not what was never to be sent.
    let second = switch(&ada, &made, "client_secret_basic", "").await.unwrap();
    assert!(![first, shared, rotated].contains(&second) && is_hash_of(&second).await);
    assert_eq!(switch(&ada, &made, "private_key_jwt", &jwks).await, None);
    assert_eq!(stored(&server, &made.id).await.auth, ClientAuth::PrivateKeyJwt);
    let page = ada.get(&format!("/clients/{}/secret", made.id)).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND, "there is no secret to be changed");
    let third = switch(&ada, &made, "client_secret_jwt", "").await.unwrap();
    assert_eq!(opened(&made).await, third);
    let basic = Some((&*made.id, &*third));
    let answer = server.post("/oauth/introspect", basic, &[("token", "x")]).await;
    assert_eq!(support::json(answer).await["error"], "invalid_client", "it is not to be sent");
}

#[tokio::test]
async fn the_page_says_what_a_client_sends_that_signs() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let (jwks, _) = key_sets();
    let all = [("grant_type:client_credentials", "yes"), ("scope:openid", "yes")];
    let of = async |more: &[(&str, &str)]| ada.create_client(&[&all, more].concat()).await;
    let keyed = of(&[("token_endpoint_auth_method", "private_key_jwt"), ("jwks", &jwks)]).await;
    assert_eq!(keyed.page.by_id("client-auth"), "a JWT signed with a key of its own");
    assert!(keyed.page.by_id("assertion-with").contains("ES256, ES384"));
    let claims: Value = serde_json::from_str(&keyed.page.by_id("assertion-claims")).unwrap();
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(keyed.id), &json!(keyed.id)));
    assert_eq!(claims["aud"], server.state.config.issuer().as_str());
    assert!(!keyed.page.html.contains("CLIENT_SECRET") && !keyed.page.has("try"));
    assert!(keyed.page.html.contains("client_assertion=$(assertion)"));
    assert!(keyed.page.html.contains("PRIVATE_KEY"));
    let token = ada.get(&format!("/clients/{}/token", keyed.id)).await;
    assert!(token.by_id("no-forms").contains("by a JWT"));

    let shared = of(&[
        ("token_endpoint_auth_method", "client_secret_jwt"),
        ("token_endpoint_auth_signing_alg", "HS512"),
    ])
    .await;
    assert!(shared.page.by_id("assertion-with").contains("by HS512."));
    assert!(shared.page.html.contains("dgst -sha512 -hmac"));
    assert!(!shared.page.html.contains("client_secret=$CLIENT_SECRET"), "it is never sent");
    assert!(!shared.page.html.contains("-u &#34;$CLIENT_ID"));
    for method in ["client_secret_basic", "none"] {
        let method = ("token_endpoint_auth_method", method);
        let made = ada.create_client(&[method]).await;
        assert!(!made.page.has("assertion") && !made.page.html.contains("client_assertion"));
    }
}

#[tokio::test]
async fn the_openid_recipe_is_for_those_who_may_ask() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let openid = ("scope:openid", "yes");
    let made = ada.create_client(&[openid]).await;
    let recipe = made.page.html.split("id=\"recipe-openid\"").nth(1).expect("there is one");
    let recipe = &recipe[..recipe.find("</details>").unwrap()];
    for part in ["/.well-known/openid-configuration", "nonce=$NONCE", "$ID_TOKEN", "userinfo"] {
        assert!(recipe.contains(part), "{part}");
    }
    let without = [
        vec![],
        vec![
            openid,
            ("grant_type:authorization_code", ""),
            ("grant_type:client_credentials", "yes"),
            ("grant_type:refresh_token", ""),
        ],
        vec![openid, ("require_signed_request_object", "yes")],
    ];
    for form in without {
        let page = ada.create_client(&form).await.page;
        assert!(!page.has("recipe-openid") && page.has("recipe-afterwards"), "{form:?}");
    }
    let (_, jwks) = key_sets();
    let encrypted = [openid, ("jwks", &*jwks), ("id_token_encrypted_response_alg", "ECDH-ES")];
    let page = ada.create_client(&encrypted).await.page;
    assert!(page.has("recipe-openid") && !page.html.contains("ID_TOKEN"), "it cannot be read");
}

#[tokio::test]
async fn where_openid_is_off_its_fields_are_not_there() {
    let server = start("[openid]\nenabled = false").await;
    let ada = server.signed_up("ada").await;
    let page = ada.get("/create_client").await;
    for hidden in ["more-identity", "more-sign-in", "more-logout", "subject_type"] {
        assert!(!page.has(hidden), "{hidden}");
    }
    for shown in ["more-keys", "more-access", "more-requests", "more-about"] {
        assert!(page.has(shown), "{shown}");
    }
    let mut client = Client { owner: Some(ada.id.clone()), ..fixtures::client("known") };
    client.metadata.default_max_age = Some(60);
    client.scope = oauth_core::model::Scope::default();
    assert!(server.state.store.insert_client(client).await.unwrap());
    let page = ada.get("/clients/known/edit").await;
    assert_eq!(page.value("default_max_age"), "60", "what is there can be taken away");
    assert!(!page.has("more-logout"));
}

#[tokio::test]
async fn what_the_page_has_no_field_for_stays() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[("logo_uri", "https://app.example/logo")]).await;
    let mut client = stored(&server, &made.id).await;
    client.metadata.texts.insert("logo_uri#de".into(), "https://app.example/bild".into());
    client.metadata.software_statement = Some("a.b.c".into());
    assert!(server.state.store.replace_client(client.clone()).await.unwrap());
    let page = ada.get(&format!("/clients/{}", made.id)).await;
    assert_eq!(page.by_id("registered-logo_uri-de"), "https://app.example/bild");
    let at = format!("/clients/{}/edit", made.id);
    let form = as_it_stands(&ada.get(&at).await);
    assert!(ada.post(&at, &borrowed(&form)).await.location().ends_with("?done=saved"));
    assert_eq!(stored(&server, &made.id).await, client);
    let without: Vec<_> = form.into_iter().filter(|(name, _)| name != "logo_uri").collect();
    ada.post(&at, &borrowed(&without)).await;
    let texts = stored(&server, &made.id).await.metadata.texts;
    assert_eq!(texts.keys().collect::<Vec<_>>(), ["logo_uri#de"]);
}
