use super::*;

fn client() -> Client {
    let issuer = Some("https://as.example".to_owned());
    Client { issuer, ..Client::new("work", "id") }
}

fn refusal(client: &Client) -> String {
    client.check().unwrap_err().to_string()
}

#[test]
fn a_complete_client_is_accepted_and_each_fault_is_named() {
    client().check().unwrap();
    let http = Some("http://as.example".to_owned());
    let cases: [(Client, &str); 8] = [
        (Client { issuer: None, ..client() }, "an issuer or a token endpoint is needed"),
        (Client { issuer: Some("as".into()), ..client() }, "the issuer \"as\" is no URL"),
        (
            Client { issuer: http.clone(), ..client() },
            "the issuer is plain http, which others can read: use https, or --insecure-http",
        ),
        (
            Client { issuer: Some("ftp://as.example".into()), ..client() },
            "the issuer is neither https nor http",
        ),
        (
            Client { issuer: Some("https://as.example?a=b".into()), ..client() },
            "an issuer has no query and no fragment",
        ),
        (
            Client { name: "17".into(), ..client() },
            "a name of digits alone would be taken for a number of a client",
        ),
        (
            Client { client_id: String::new(), ..client() },
            "the client id must have between 1 and 1000 characters",
        ),
        (
            Client { grant: Grant::Password, ..client() },
            "the password grant gives the password away: allow it with --insecure-password-grant",
        ),
    ];
    for (wrong, text) in cases {
        assert_eq!(refusal(&wrong), text);
    }
    Client { issuer: http, insecure_http: true, ..client() }.check().unwrap();
    Client { issuer: Some("http://127.0.0.1:4999".into()), ..client() }.check().unwrap();
}

#[test]
fn s3_06_no_secret_can_be_put_into_the_metadata() {
    for name in ["client_secret", "password", "refresh_token", "client_assertion"] {
        let mut wrong = client();
        wrong.params.token.insert(name.into(), "x".into());
        assert_eq!(refusal(&wrong), format!("{name} cannot be an extra parameter"));
    }
    let mut with_user = client();
    with_user.endpoints.token = Some(Url::parse("https://me:secret@as.example/token").unwrap());
    assert_eq!(
        refusal(&with_user),
        "the token endpoint has a user name or password in its address"
    );
}

#[test]
fn secrets_do_not_print() {
    let credentials = Credentials { secret: Some(Secret::new("hush")), ..Credentials::default() };
    assert!(!format!("{credentials:?}").contains("hush"));
}

#[test]
fn what_was_set_by_hand_wins_over_what_the_issuer_says() {
    let url = |text: &str| Some(Url::parse(text).unwrap());
    let mut client = client();
    client.endpoints.token = url("https://mine.example/token");
    let theirs = Endpoints {
        token: url("https://as.example/token"),
        revocation: url("https://as.example/revoke"),
        ..Endpoints::default()
    };
    client.discovered = Some(Discovered { endpoints: theirs, at: 0 });
    let endpoints = client.endpoints();
    assert_eq!(endpoints.token, url("https://mine.example/token"));
    assert_eq!(endpoints.revocation, url("https://as.example/revoke"));
}
