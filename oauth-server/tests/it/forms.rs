//! Encrypted forms and the gate for guests: what is accepted in each mode, and that every failure is a wrong password.

use crate::{
    forms_actors::{FrontEnd, Lock, jti},
    pages_actors::PASSWORD,
    people_actors::Answer,
    support::{Server, logged, start},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::StatusCode;
use oauth_core::jose::{DecryptionKey, RsaPadding, Sealer};
use oauth_server::{config::decode_key, entity::form_key, forms::Rotate};
use sea_orm::EntityTrait as _;
use serde_json::{Value, json};
use std::time::Duration;

const YES: &str = "[forms]\nsalt = \"yes\"\n";
const JSENCRYPT: &str = "[forms]\nsalt = \"jsencrypt\"\n";
const PATIENT: &str = "[throttle]\naccount_attempts = 1000\naddress_attempts = 1000\n";
const NEW: &str = "a new lantern for nine lives";

async fn features(server: &Server) -> Value {
    let answer = server.call("GET", "/auth/features").send().await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.body
}

/// A user with a confirmed address.
async fn somebody(server: &Server, name: &str) {
    let id = server.user(name, PASSWORD).await;
    let email = format!("{name}@example.org");
    let _ = server.state.store.set_email(&id, Some(&email), true).await.unwrap();
}

#[track_caller]
fn is_in(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.text("access_token");
}

#[tokio::test]
async fn s2_06_the_features_say_what_is_on_and_the_key_set_has_the_key() {
    for (toml, salt, anojwt, accepts, alg) in [
        ("", "no", false, json!(["plain"]), None),
        ("[forms]\nanojwt = true\n", "no", true, json!(["plain"]), None),
        (YES, "yes", false, json!(["fields", "jwe"]), Some("RSA-OAEP-256")),
        (JSENCRYPT, "jsencrypt", false, json!(["fields"]), Some("RSA1_5")),
        ("profile = \"toktok\"\n", "yes", true, json!(["fields", "jwe"]), Some("RSA-OAEP-256")),
    ] {
        let server = start(toml).await;
        let features = features(&server).await;
        assert_eq!(features["form_encryption"], salt, "{toml}");
        assert_eq!(features["guest_token_required"], anojwt, "{toml}");
        assert_eq!((&features["guest_tokens"], &features["accepts"]), (&json!(true), &accepts));
        let set = crate::support::json(server.get("/.well-known/jwks.json").await).await;
        let for_forms = |key: &&Value| key["use"] == "enc";
        let keys: Vec<_> = set["keys"].as_array().unwrap().iter().filter(for_forms).collect();
        let Some(alg) = alg else {
            assert!(features["public_key"].is_null() && keys.is_empty(), "{features}");
            continue;
        };
        let key = &features["public_key"];
        assert_eq!((keys.len(), keys[0]), (1, &key["jwk"]));
        assert_eq!((&key["alg"], &key["jwk"]["alg"]), (&json!(alg), &json!(alg)));
        assert_eq!(key["kid"], key["jwk"]["kid"]);
        assert_eq!(key["jwks_uri"], server.state.config.issuer().join("/.well-known/jwks.json"));
        let modulus = URL_SAFE_NO_PAD.decode(key["jwk"]["n"].as_str().unwrap()).unwrap();
        assert_eq!(modulus.len(), 3072 / 8);
        assert!(key["jwk"].get("d").is_none());
        assert_eq!(
            server.state.forms.public_key_pem().await.unwrap().as_deref(),
            key["pem"].as_str()
        );
    }
}

#[tokio::test]
async fn s2_26_yes_takes_fields_and_jwe_and_nothing_as_it_is() {
    let server = start(&format!("{YES}{PATIENT}")).await;
    somebody(&server, "ada").await;
    let front = FrontEnd::of(&server).await;
    is_in(&front.log_in("ada", PASSWORD).await);
    is_in(&front.log_in("ada@example.org", PASSWORD).await);
    is_in(&front.log_in_by(&front.form("ada", PASSWORD)).await);
    front.log_in("ada", NEW).await.refuses(401, "wrong_credentials");
    front.log_in_by(&front.form("ada", NEW)).await.refuses(401, "wrong_credentials");
    let lock = &front.lock;
    let (email, pwd) = (lock.oaep("ada"), lock.oaep(PASSWORD));
    let form = lock.jwe(&front.form("ada", PASSWORD));
    for (path, body) in [
        ("/login", json!({"username": "ada", "password": PASSWORD})),
        ("/login", json!({"username": "ada", "pwd_encrypt": pwd})),
        ("/login", json!({"email_encrypt": email, "password": PASSWORD})),
        ("/login", json!({"form": form, "password": PASSWORD})),
        ("/register", json!({"email": "eve@example.org", "password": PASSWORD})),
        ("/register", json!({"email": "eve@example.org", "pwd_encrypt": pwd})),
        ("/register", json!({"username": "eve", "password": PASSWORD})),
        ("/forgot-password", json!({"email": "ada@example.org"})),
    ] {
        front.tell(path, body.clone()).await.refuses(400, "form_not_encrypted");
    }
    for (path, body) in [
        ("/login", json!({})),
        ("/login", json!({"email_encrypt": email})),
        ("/login", json!({"pwd_encrypt": pwd})),
        ("/login", json!({"email_encrypt": email, "pwd_encrypt": pwd, "form": form})),
        ("/login", json!({"email_encrypt": 1, "pwd_encrypt": pwd})),
        ("/login", json!({"email_encrypt": email, "pwd_encrypt": pwd, "role": "admin"})),
        ("/register", json!({"username": "eve"})),
        ("/forgot-password", json!({})),
        ("/forgot-password", json!({"email_encrypt": email, "pwd_encrypt": pwd})),
    ] {
        front.tell(path, body.clone()).await.refuses(400, "malformed");
    }
    // Nothing of that used anything up.
    is_in(&front.tell("/login", json!({"form": form})).await);
    is_in(&front.tell("/login", json!({"email_encrypt": email, "pwd_encrypt": pwd})).await);
}

#[tokio::test]
async fn s2_26_no_takes_nothing_encrypted() {
    let server = start("").await;
    somebody(&server, "ada").await;
    for body in [
        json!({"email_encrypt": "QQ==", "pwd_encrypt": "QQ=="}),
        json!({"form": "a.b.c.d.e"}),
        json!({"username": "ada", "password": PASSWORD, "form": "a.b.c.d.e"}),
    ] {
        server.tell("/login", body).await.refuses(400, "malformed");
    }
    is_in(&server.tell("/login", json!({"username": "ada", "password": PASSWORD})).await);
}

#[tokio::test]
async fn s2_26_people_sign_up_and_choose_another_password_encrypted() {
    let server = start(&format!("{YES}{PATIENT}")).await;
    let front = FrontEnd::of(&server).await;
    let lock = &front.lock;
    let body = json!({
        "email_encrypt": lock.oaep("ada@example.org"), "pwd_encrypt": lock.oaep(PASSWORD),
        "username": "ada", "given_name": "Ada",
    });
    let made = front.tell("/register", body).await;
    assert_eq!((made.status, &made.body["confirmation"]), (StatusCode::ACCEPTED, &json!("sent")));
    let mut form = front.form("eve@example.org", PASSWORD);
    form["username"] = json!("eve");
    let made = front.tell("/register", json!({"form": lock.jwe(&form), "name": "Eve"})).await;
    assert_eq!((made.status, &made.body["username"]), (StatusCode::ACCEPTED, &json!("eve")));
    let alone = json!({"username": "bob", "pwd_encrypt": lock.oaep(PASSWORD)});
    let made = front.tell("/register", alone).await;
    assert_eq!((made.status, &made.body["confirmation"]), (StatusCode::ACCEPTED, &json!("none")));
    for name in ["ada", "eve", "bob"] {
        is_in(&front.log_in(name, PASSWORD).await);
    }
    // What is readable and not acceptable is said field by field.
    let body = json!({"email_encrypt": lock.oaep("x"), "pwd_encrypt": lock.oaep("short")});
    let refused = front.tell("/register", body).await;
    refused.refuses(422, "invalid");
    assert_eq!(refused.fields(), ["email", "password"]);
    let token = server.token_in_letter("ada@example.org", "/confirm-email", 0).await;
    assert_eq!(server.tell("/confirm-email", json!({"token": token})).await.status, 204);
    let before = server.letters().await.len();
    let by_field = json!({"email_encrypt": lock.oaep("ada@example.org")});
    assert_eq!(front.tell("/forgot-password", by_field.clone()).await.status, 202);
    let token = server.token_in_letter("ada@example.org", "/reset-password", before).await;
    let plain = json!({"token": token, "password": NEW});
    server.tell("/reset-password", plain).await.refuses(400, "form_not_encrypted");
    let garbage = json!({"token": token, "pwd_encrypt": STANDARD.encode([7; 384])});
    server.tell("/reset-password", garbage).await.refuses(401, "wrong_credentials");
    let elsewhere = json!({"token": "x", "pwd_encrypt": lock.oaep(NEW)});
    server.tell("/reset-password", elsewhere).await.refuses(400, "link_invalid");
    let new = json!({"token": token, "pwd_encrypt": lock.oaep(NEW)});
    assert_eq!(server.tell("/reset-password", new).await.status, 204);
    is_in(&front.log_in("ada", NEW).await);
    // The same answer once more, and no letter: it was read before.
    let before = server.letters().await.len();
    assert_eq!(front.tell("/forgot-password", by_field).await.status, 202);
    let form = json!({"email": "ada@example.org", "jti": jti(&front.guest), "iat": server.state.now().unix()});
    let form = json!({"form": lock.jwe(&form)});
    assert_eq!(front.tell("/forgot-password", form).await.status, 202);
    let token = server.token_in_letter("ada@example.org", "/reset-password", before).await;
    assert_eq!(server.letters().await.len(), before + 1);
    let form = json!({"pwd": PASSWORD, "iat": server.state.now().unix()});
    let form = json!({"token": token, "form": lock.jwe(&form)});
    assert_eq!(server.tell("/reset-password", form).await.status, 204);
    is_in(&front.log_in("ada", PASSWORD).await);
}

#[tokio::test]
async fn s2_26_jsencrypt_takes_fields_of_the_old_padding_alone() {
    let server = start(&format!("{JSENCRYPT}{PATIENT}")).await;
    somebody(&server, "ada").await;
    let front = FrontEnd::of(&server).await;
    let lock = &front.lock;
    let fields = |email: &str, pwd: &str| json!({"email_encrypt": lock.pkcs1(email), "pwd_encrypt": lock.pkcs1(pwd)});
    is_in(&front.tell("/login", fields("ada", PASSWORD)).await);
    let wrong = front.tell("/login", fields("ada", NEW)).await;
    wrong.refuses(401, "wrong_credentials");
    front.log_in("ada", PASSWORD).await.refuses(401, "wrong_credentials");
    front.log_in_by(&front.form("ada", PASSWORD)).await.refuses(400, "malformed");
    let plain = json!({"username": "ada", "password": PASSWORD});
    front.tell("/login", plain).await.refuses(400, "form_not_encrypted");
    let made = front.tell("/register", fields("eve@example.org", PASSWORD)).await;
    assert_eq!(made.status, StatusCode::ACCEPTED);
    // Nobody learns from a refusal whether a padding was right.
    let good = lock.pkcs1("bob@example.org");
    for (email, pwd) in [
        (good.clone(), lock.pkcs1("short")),
        (lock.pkcs1("x"), lock.pkcs1(PASSWORD)),
        (good.clone(), STANDARD.encode([7; 384])),
        (STANDARD.encode([7; 384]), lock.pkcs1(PASSWORD)),
        (good, lock.pkcs1([0xff, 0xfe])),
    ] {
        let body = json!({"email_encrypt": email, "pwd_encrypt": pwd});
        let refused = front.tell("/register", body).await;
        assert_eq!((refused.status, &refused.body), (wrong.status, &wrong.body));
    }
    for email in [lock.pkcs1("nobody"), STANDARD.encode([7; 384])] {
        let body = json!({"email_encrypt": email});
        assert_eq!(front.tell("/forgot-password", body).await.status, 202);
    }
    let closed = start(&format!("{JSENCRYPT}[signup]\nopen = false\n")).await;
    let front = FrontEnd::of(&closed).await;
    for pwd in [front.lock.pkcs1(PASSWORD), STANDARD.encode([7; 384])] {
        let body = json!({"username": "eve", "pwd_encrypt": pwd});
        front.tell("/register", body).await.refuses(403, "closed");
    }
}

/// Everything that can be wrong with a form, each with one thing wrong.
async fn failures(front: &FrontEnd<'_>) -> Vec<(&'static str, Value)> {
    let (lock, now) = (&front.lock, front.server.state.now().unix());
    let good = || front.form("ada", PASSWORD);
    let but = |name: &str, value: Value| {
        let mut form = good();
        if value.is_null() {
            form.as_object_mut().unwrap().remove(name);
        } else {
            form[name] = value;
        }
        json!({"form": lock.jwe(&form)})
    };
    let pair = |email: String, pwd: String| json!({"email_encrypt": email, "pwd_encrypt": pwd});
    let other = Lock::of(&features(&start(YES).await).await);
    let another = front.server.call("POST", "/guest").send().await.text("access_token");
    let mut changed = lock.jwe(&good());
    changed.replace_range(changed.len() - 4.., "AAAA");
    vec![
        ("no base64", pair(lock.oaep("ada"), "%".into())),
        ("nothing", pair(lock.oaep("ada"), String::new())),
        ("too long", pair(lock.oaep("ada"), "A".repeat(4_000))),
        ("another key", pair(lock.oaep("ada"), other.oaep(PASSWORD))),
        ("another padding", pair(lock.oaep("ada"), lock.pkcs1(PASSWORD))),
        ("a name nobody can read", pair(other.oaep("ada"), lock.oaep(PASSWORD))),
        ("no text", pair(lock.oaep("ada"), lock.oaep([0xff, 0xfe]))),
        ("a name with NUL", pair(lock.oaep("a\0da"), lock.oaep(PASSWORD))),
        ("no JWE", json!({"form": "x"})),
        ("a long JWE", json!({"form": "x".repeat(9_000)})),
        ("a JWE for another key", json!({"form": other.jwe(&good())})),
        ("a changed JWE", json!({"form": changed})),
        ("no JSON", json!({"form": lock.jwe_of("ada")})),
        ("another guest", but("jti", json!(jti(&another)))),
        ("no guest", but("jti", Value::Null)),
        ("too old", but("iat", json!(now - 301))),
        ("from the future", but("iat", json!(now + 31))),
        ("no time", but("iat", Value::Null)),
        ("a time that is none", but("iat", json!("now"))),
        ("no name", but("email", Value::Null)),
        ("no password", but("pwd", Value::Null)),
    ]
}

#[tokio::test]
async fn s2_26_every_failure_is_the_answer_of_a_wrong_password() {
    let server = start(&format!("{YES}{PATIENT}")).await;
    somebody(&server, "ada").await;
    let front = FrontEnd::of(&server).await;
    let wrong = front.log_in("ada", NEW).await;
    wrong.refuses(401, "wrong_credentials");
    let same = |what: &str, answer: Answer| {
        assert_eq!((answer.status, &answer.body), (wrong.status, &wrong.body), "{what}");
        let named = |answer: &Answer| {
            let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
            names.sort();
            names
        };
        assert_eq!(named(&answer), named(&wrong), "{what}");
    };
    for (what, body) in failures(&front).await {
        same(what, front.tell("/login", body.clone()).await);
        if !["no name", "a name with NUL"].contains(&what) {
            same(what, front.tell("/register", body).await);
        }
    }
    // The twins, as near to the edge as it gets.
    for iat in [-300, 30] {
        let mut form = front.form("ada", PASSWORD);
        form["iat"] = json!(server.state.now().unix() + iat);
        is_in(&front.log_in_by(&form).await);
    }
    // What was read once is not read again, as it was or spelled otherwise.
    let form = json!({"form": front.lock.jwe(&front.form("ada", PASSWORD))});
    is_in(&front.tell("/login", form.clone()).await);
    same("a JWE again", front.tell("/login", form).await);
    let (one, other) = (front.lock.oaep("ada"), front.lock.oaep("ada"));
    let pwd = front.lock.oaep(PASSWORD);
    is_in(&front.tell("/login", json!({"email_encrypt": one, "pwd_encrypt": pwd})).await);
    for pwd in [pwd.clone(), pwd.replace('=', ""), format!(" {pwd}\n")] {
        let again = json!({"email_encrypt": other, "pwd_encrypt": pwd});
        same("a password again", front.tell("/login", again).await);
    }
    server.clock.advance(Duration::from_hours(25 * 24));
    let front = FrontEnd { guest: FrontEnd::of(&server).await.guest, ..front };
    let again = json!({"email_encrypt": other, "pwd_encrypt": pwd});
    same("a password after weeks", front.tell("/login", again).await);
    is_in(&front.log_in("ada", PASSWORD).await);
}

/// How many attempts are answered until one has to wait.
async fn attempts(front: &FrontEnd<'_>, body: impl Fn() -> Value) -> usize {
    for attempt in 0..50 {
        let answer = front.tell("/login", body()).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            answer.refuses(429, "too_many_attempts");
            return attempt;
        }
        answer.refuses(401, "wrong_credentials");
    }
    panic!("nobody is slowed down");
}

#[tokio::test]
async fn s2_26_what_cannot_be_read_is_counted_like_a_wrong_password() {
    let server = start(&format!("{YES}[throttle]\naccount_attempts = 3\n")).await;
    for name in ["ada", "bob", "eve"] {
        somebody(&server, name).await;
    }
    let front = FrontEnd::of(&server).await;
    let garbage = STANDARD.encode([7; 384]);
    let wrong =
        || json!({"email_encrypt": front.lock.oaep("ada"), "pwd_encrypt": front.lock.oaep(NEW)});
    let free = attempts(&front, wrong).await;
    assert!((3..6).contains(&free), "{free}");
    // A name that can be read counts for its account, whatever the password.
    let unread = || json!({"email_encrypt": front.lock.oaep("bob"), "pwd_encrypt": garbage});
    assert_eq!(attempts(&front, unread).await, free);
    front.log_in("bob", PASSWORD).await.refuses(429, "too_many_attempts");
    // One that cannot counts for itself.
    let nobody = || json!({"email_encrypt": garbage, "pwd_encrypt": front.lock.oaep(NEW)});
    assert_eq!(attempts(&front, nobody).await, free);
    let again = json!({"form": front.lock.jwe(&front.form("eve", PASSWORD))});
    is_in(&front.tell("/login", again.clone()).await);
    // A form that comes again counts for whom it names.
    assert_eq!(attempts(&front, || again.clone()).await, free);
    front.log_in("eve", PASSWORD).await.refuses(429, "too_many_attempts");
}

#[tokio::test]
async fn s2_26_nobody_gets_in_unread_even_where_everybody_does() {
    let server = start(&format!("authenticator = \"any\"\n{YES}")).await;
    let front = FrontEnd::of(&server).await;
    is_in(&front.log_in("ada", "anything").await);
    let garbage = STANDARD.encode([7; 384]);
    let body = json!({"email_encrypt": front.lock.oaep("ada"), "pwd_encrypt": garbage});
    front.tell("/login", body).await.refuses(401, "wrong_credentials");
    let body = json!({"email_encrypt": garbage, "pwd_encrypt": front.lock.oaep("x")});
    front.tell("/login", body).await.refuses(401, "wrong_credentials");
    assert_eq!(server.state.store.accounts(None, 10).await.unwrap().len(), 1);
}

/// The private key, as whoever has the sealing key can read it.
async fn private_key(server: &Server) -> Vec<u8> {
    let rows = form_key::Entity::find().all(server.state.store.database()).await.unwrap();
    let row = rows.last().unwrap();
    assert!(DecryptionKey::from_pkcs8(RsaPadding::Oaep256, &row.sealed).is_err(), "sealed");
    let file = server.folder.path().join("data/sealing.key");
    let sealing = decode_key(&std::fs::read_to_string(file).unwrap()).unwrap();
    let context = format!("form key {}", row.kid);
    let pkcs8 = Sealer::new(&sealing).open(context.as_bytes(), &row.sealed).unwrap();
    assert!(Sealer::new(&[7; 32]).open(context.as_bytes(), &row.sealed).is_err());
    let key = DecryptionKey::from_pkcs8(RsaPadding::Oaep256, &pkcs8).unwrap();
    assert_eq!(key.kid(), row.kid);
    pkcs8.to_vec()
}

#[tokio::test]
async fn s2_26_no_log_line_has_a_password_or_a_key() {
    let mut held = None;
    let run = async {
        let server = start(&format!("{YES}{PATIENT}")).await;
        somebody(&server, "ada").await;
        let front = FrontEnd::of(&server).await;
        is_in(&front.log_in("ada@example.org", PASSWORD).await);
        is_in(&front.log_in_by(&front.form("ada@example.org", PASSWORD)).await);
        front.log_in("ada@example.org", NEW).await.refuses(401, "wrong_credentials");
        for (_, body) in failures(&front).await {
            front.tell("/login", body).await.refuses(401, "wrong_credentials");
        }
        let email = front.lock.oaep("eve@example.org");
        let body = json!({"email_encrypt": email, "pwd_encrypt": front.lock.oaep(NEW)});
        assert_eq!(front.tell("/register", body).await.status, StatusCode::ACCEPTED);
        server.state.forms.rotate(Rotate::AtOnce).await.unwrap();
        held = Some((private_key(&server).await, front.guest.clone()));
    };
    let log = Box::pin(logged(run)).await;
    let (key, guest) = held.unwrap();
    assert!(log.contains("key for encrypted forms added"), "it was listened to");
    assert!(log.contains("sign-in refused"), "what cannot be read is tried and refused");
    let slice = &key[200..260];
    let hex = slice.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    for secret in [
        PASSWORD,
        NEW,
        "ada@example.org",
        "eve@example.org",
        &guest,
        "PRIVATE",
        &hex,
        &STANDARD.encode(slice),
        &format!("{slice:?}"),
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn s2_26_keys_follow_each_other_with_an_overlap() {
    let server = start(&format!("{YES}{PATIENT}")).await;
    somebody(&server, "ada").await;
    let first = FrontEnd::of(&server).await;
    is_in(&first.log_in("ada", PASSWORD).await);
    let kid = async || features(&server).await["public_key"]["kid"].as_str().unwrap().to_owned();
    let old = kid().await;
    server.state.forms.maintain().await.unwrap();
    assert_eq!(kid().await, old, "a key lives for a month");
    server.clock.advance(Duration::from_hours(30 * 24) - Duration::from_mins(5));
    server.state.forms.maintain().await.unwrap();
    assert_eq!(kid().await, old, "every process knows the next one before anybody is given it");
    assert_eq!(server.state.forms.keys().await.unwrap().len(), 2);
    server.clock.advance(Duration::from_mins(5));
    let new = kid().await;
    assert_ne!(new, old);
    let second = FrontEnd::of(&server).await;
    let typing = FrontEnd { guest: second.guest.clone(), ..first };
    is_in(&second.log_in("ada", PASSWORD).await);
    is_in(&typing.log_in("ada", PASSWORD).await);
    is_in(&typing.log_in_by(&typing.form("ada", PASSWORD)).await);
    let set = crate::support::json(server.get("/.well-known/jwks.json").await).await;
    let keys = set["keys"].as_array().unwrap();
    let published: Vec<_> = keys.iter().filter(|k| k["use"] == "enc").collect();
    assert_eq!((published.len(), &published[0]["kid"]), (1, &json!(new)));
    server.clock.advance(Duration::from_hours(24));
    server.state.forms.maintain().await.unwrap();
    let guest = FrontEnd::of(&server).await.guest;
    let late = FrontEnd { guest: guest.clone(), ..typing };
    late.log_in("ada", PASSWORD).await.refuses(401, "wrong_credentials");
    late.log_in_by(&late.form("ada", PASSWORD)).await.refuses(401, "wrong_credentials");
    let left = server.state.forms.keys().await.unwrap();
    assert_eq!((left.len(), &left[0].kid, left[0].state), (1, &new, "in use"));
    is_in(&FrontEnd { guest: guest.clone(), ..second }.log_in("ada", PASSWORD).await);
    // A key in wrong hands goes at once.
    let exposed = FrontEnd::of(&server).await;
    let made = server.state.forms.rotate(Rotate::AtOnce).await.unwrap().unwrap();
    assert_eq!(kid().await, made);
    exposed.log_in("ada", PASSWORD).await.refuses(401, "wrong_credentials");
    is_in(&FrontEnd::of(&server).await.log_in("ada", PASSWORD).await);
}

#[tokio::test]
async fn s2_27_the_gate_wants_the_token_of_a_guest() {
    let toml = format!("[forms]\nanojwt = true\n{PATIENT}");
    let server = start(&toml).await;
    somebody(&server, "ada").await;
    let guest = server.call("POST", "/guest").send().await;
    let (token, again) = (guest.text("access_token"), guest.text("refresh_token"));
    let login = json!({"username": "ada", "password": PASSWORD});
    let post = |path: &str, body: &Value| server.call("POST", path).body(body.clone());
    let answer = post("/login", &login).token(&token).send().await;
    is_in(&answer);
    let users = answer.text("access_token");
    for (path, body, status) in [
        ("/login", login.clone(), 200),
        ("/register", json!({"username": "eve", "password": PASSWORD}), 202),
        ("/forgot-password", json!({"email": "ada@example.org"}), 202),
    ] {
        post(path, &body).send().await.refuses(401, "token_missing");
        post(path, &body)
            .header("authorization", &token)
            .send()
            .await
            .refuses(401, "token_missing");
        post(path, &body).token("x").send().await.refuses(401, "token_invalid");
        post(path, &body).token(&again).send().await.refuses(401, "token_invalid");
        post(path, &body).token(&users).send().await.refuses(403, "not_allowed");
        // The gate is before the form.
        post(path, &json!({"nonsense": 1})).send().await.refuses(401, "token_missing");
        post(path, &json!({"nonsense": 1})).token(&token).send().await.refuses(400, "malformed");
        assert_eq!(post(path, &body).token(&token).send().await.status, status, "{path}");
    }
    // Nothing else is behind it.
    server
        .tell("/reset-password", json!({"token": "x", "password": NEW}))
        .await
        .refuses(400, "link_invalid");
    server.tell("/refresh", json!({"refresh_token": "x"})).await.refuses(401, "refresh_invalid");
    // A token that was good at the gate is good for what it was good for before: the guest becomes somebody.
    let mut merging = login.clone();
    merging["guest_token"] = json!(token);
    is_in(&post("/login", &merging).token(&token).send().await);
    post("/login", &login).token(&token).send().await.refuses(401, "token_invalid");
    let other = server.call("POST", "/guest").send().await;
    server.clock.advance(Duration::from_mins(14));
    let refresh = json!({"refresh_token": other.text("refresh_token")});
    let refreshed = server.tell("/refresh", refresh).await.text("access_token");
    server.clock.advance(Duration::from_mins(2));
    post("/login", &login)
        .token(&other.text("access_token"))
        .send()
        .await
        .refuses(401, "token_expired");
    is_in(&post("/login", &login).token(&refreshed).send().await);
}

#[tokio::test]
async fn s2_28_the_switches_add_up() {
    for salt in ["no", "yes", "jsencrypt"] {
        for anojwt in [false, true] {
            let server = start(&format!("[forms]\nsalt = \"{salt}\"\nanojwt = {anojwt}\n")).await;
            somebody(&server, "ada").await;
            let guest = server.call("POST", "/guest").send().await.text("access_token");
            let features = features(&server).await;
            let body = || {
                if salt == "no" {
                    return json!({"username": "ada", "password": PASSWORD});
                }
                let lock = Lock::of(&features);
                let one =
                    |text: &str| if salt == "yes" { lock.oaep(text) } else { lock.pkcs1(text) };
                json!({"email_encrypt": one("ada"), "pwd_encrypt": one(PASSWORD)})
            };
            is_in(&server.call("POST", "/login").token(&guest).body(body()).send().await);
            let without = server.tell("/login", body()).await;
            if anojwt {
                without.refuses(401, "token_missing");
            } else {
                is_in(&without);
            }
            if salt == "yes" {
                // Without a gate a form may be of nobody, and then none comes along.
                let now = server.state.now().unix();
                let form = json!({"email": "ada", "pwd": PASSWORD, "iat": now});
                let form = || json!({"form": Lock::of(&features).jwe(&form)});
                let alone = server.tell("/login", form()).await;
                let along = server.call("POST", "/login").token(&guest).body(form()).send().await;
                along.refuses(401, "wrong_credentials");
                if anojwt {
                    alone.refuses(401, "token_missing");
                } else {
                    is_in(&alone);
                }
                let bound =
                    json!({"email": "ada", "pwd": PASSWORD, "iat": now, "jti": jti(&guest)});
                let bound = json!({"form": Lock::of(&features).jwe(&bound)});
                let stolen = server.tell("/login", bound.clone()).await;
                let code = if anojwt { "token_missing" } else { "wrong_credentials" };
                stolen.refuses(401, code);
                is_in(&server.call("POST", "/login").token(&guest).body(bound).send().await);
            }
        }
    }
}

#[tokio::test]
async fn s2_31_the_document_describes_what_is_on() {
    for (toml, kinds, locked) in [
        ("", vec![&["username", "password"][..]], false),
        ("[forms]\nanojwt = true\n", vec![&["username", "password"][..]], true),
        (YES, vec![&["email_encrypt", "pwd_encrypt"][..], &["form"]], false),
        (JSENCRYPT, vec![&["email_encrypt", "pwd_encrypt"][..]], false),
        ("profile = \"toktok\"\n", vec![&["email_encrypt", "pwd_encrypt"][..], &["form"]], true),
    ] {
        let server = start(toml).await;
        let document = crate::support::json(server.get("/openapi.json").await).await;
        let login = &document["paths"]["/api/login"]["post"];
        let schema = &login["requestBody"]["content"]["application/json"]["schema"];
        let described: Vec<Value> =
            schema["oneOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
        let described: Vec<_> = described.iter().map(|kind| kind["required"].clone()).collect();
        assert_eq!(described, kinds.iter().map(|kind| json!(kind)).collect::<Vec<_>>(), "{toml}");
        for path in ["login", "register", "forgot-password"] {
            let operation = &document["paths"][format!("/api/{path}")]["post"];
            let lock = if locked { json!([{"bearer": []}]) } else { json!([]) };
            assert_eq!(operation["security"], lock, "{path} with {toml}");
            assert_eq!(operation["responses"]["403"].is_object(), locked, "{path} with {toml}");
            let about = operation["description"].as_str().unwrap();
            let encrypted = about.contains("does not replace TLS");
            assert_eq!(encrypted, kinds[0][0] == "email_encrypt", "{path} with {toml}");
            assert_eq!(about.contains("no forward secrecy"), encrypted);
        }
        assert!(document["paths"]["/api/auth/features"]["get"].is_object());
    }
}
