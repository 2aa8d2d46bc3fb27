//! RFC 7591 2.3: software statements.

use super::*;

const PUBLISHER: &str = "https://publisher.example";

async fn site() -> Site {
    let keys = jwks(&[ClientKey::of(VerificationAlgorithm::ES256)]);
    Site::with(|rules| *rules = rules.clone().statement_issuer(PUBLISHER, keys)).await
}

fn statement() -> Draft {
    Draft::new(&json!({
        "iss": PUBLISHER,
        "iat": fixtures::NOW.unix(),
        "software_id": "published",
        "client_name": "Published",
        "redirect_uris": ["https://published.example/cb"],
    }))
}

fn body(draft: &Draft) -> Value {
    with("software_statement", draft.sign(ClientKey::of(VerificationAlgorithm::ES256)))
}

#[tokio::test]
async fn what_it_says_takes_precedence() {
    let site = site().await;
    let mut body = body(&statement());
    body["client_name"] = json!("Something else");
    body["software_version"] = json!("2");
    let own = site.registers(body.clone()).await;
    assert_eq!(own.body["client_name"], "Published");
    assert_eq!(own.body["redirect_uris"], json!(["https://published.example/cb"]));
    assert_eq!(own.body["software_id"], "published");
    assert_eq!(own.body["software_version"], "2");
    assert_eq!(own.body["software_statement"], body["software_statement"], "unmodified");
    assert_eq!(own.body.get("iss"), None);
    // And again when the registration is changed.
    let mut edited = own.editable();
    edited["client_name"] = json!("Something else");
    let changed = site.put(&own, &edited).await;
    assert_eq!((changed.status, &changed.json()["client_name"]), (200, &json!("Published")));
    edited["software_statement"] = json!("x");
    site.put(&own, &edited).await.refuses("invalid_software_statement");
}

#[tokio::test]
async fn times_and_audience_hold() {
    let site = site().await;
    let now = fixtures::NOW.unix();
    for good in [
        statement().claim("exp", now + 1),
        statement().claim("aud", "https://as.example"),
        statement().claim("aud", json!(["https://x.example", "https://as.example"])),
    ] {
        site.registers(body(&good)).await;
    }
    for bad in [
        statement().claim("exp", now - 61),
        statement().claim("exp", "soon"),
        statement().claim("nbf", now + 61),
        statement().claim("iat", now + 61),
        statement().claim("aud", "https://other.example"),
        statement().claim("aud", json!([])),
        statement().claim("aud", 7),
        statement().without("iss"),
        statement().claim("iss", 7),
    ] {
        site.post(&body(&bad)).await.refuses("invalid_software_statement");
    }
}

#[tokio::test]
async fn it_is_signed_by_somebody_trusted() {
    let site = site().await;
    let post = async |statement: Value| site.post(&with("software_statement", statement)).await;
    let other = ClientKey::new(VerificationAlgorithm::ES256, "key of ES256");
    post(statement().sign(&other).into()).await.refuses("invalid_software_statement");
    post(statement().unsecured().into()).await.refuses("invalid_software_statement");
    let mac = statement().mac(&[7; 32], MacAlgorithm::HS256);
    post(mac.into()).await.refuses("invalid_software_statement");
    for nonsense in [json!("x"), json!(""), json!(7), json!({})] {
        post(nonsense).await.refuses("invalid_software_statement");
    }
    let unknown = body(&statement().claim("iss", "https://other.example"));
    site.post(&unknown).await.refuses("unapproved_software_statement");
    let untrusting = Site::open().await;
    untrusting.post(&body(&statement())).await.refuses("unapproved_software_statement");
}

#[tokio::test]
async fn it_is_held_to_the_same_rules() {
    let site = site().await;
    let bad = body(&statement().claim("redirect_uris", json!(["http://published.example/"])));
    site.objects(bad, "invalid_redirect_uri", "redirect_uris").await;
    let bad = body(&statement().claim("client_name", 7));
    site.objects(bad, "invalid_client_metadata", "client_name").await;
}
