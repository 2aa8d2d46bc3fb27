//! What holds for every page: other sites cannot use them, nothing typed becomes markup, bad input gets an answer.

use crate::{
    pages_actors::{CALLBACK, PASSWORD, client_form, interaction},
    support::{form_request, header_of, start},
};
use axum::body::Body;
use http::{Request, StatusCode, header};
use std::path::Path;

/// Every path that takes a form.
fn forms(client: &str) -> Vec<String> {
    let own = ["edit", "secret", "delete", "token"].map(|page| format!("/clients/{client}/{page}"));
    let fixed = [
        "/signup",
        "/login",
        "/logout",
        "/consent",
        "/create_client",
        "/account/applications/revoke",
        "/account/profile",
        "/account/password",
        "/account/sessions/end",
        "/account/sessions/end_others",
    ];
    fixed.into_iter().map(str::to_owned).chain(own).collect()
}

#[tokio::test]
async fn other_sites_cannot_send_forms() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[]).await;
    let id = interaction(&ada.authorize(&made.id, &[]).await);
    let form = [
        &client_form(&[("client_name", "Evil")])[..],
        &[("decision", "allow"), ("interaction", &*id)],
    ]
    .concat();
    let from_elsewhere: [&[(&str, &str)]; 5] = [
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site")],
        &[("origin", "https://evil.example"), ("host", "127.0.0.1:4999")],
        &[("origin", "null"), ("host", "127.0.0.1:4999")],
    ];
    for path in forms(&made.id) {
        for headers in from_elsewhere {
            let mut request = form_request(&path, None, &form);
            for (name, value) in headers {
                request.headers_mut().insert(*name, value.parse().unwrap());
            }
            let page = ada.send(request).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
            assert_eq!(page.by_id("error-code"), "cross_site_request");
        }
    }
    let page = ada.get("/").await;
    assert!(
        page.html.contains("Camera wall") && !page.html.contains("Evil"),
        "nothing was changed"
    );
}

#[tokio::test]
async fn our_own_pages_can_also_behind_a_proxy_and_in_old_browsers() {
    let server = start("").await;
    for headers in [
        &[("sec-fetch-site", "same-origin")][..],
        &[("origin", "http://127.0.0.1:4999"), ("host", "inner:8080")],
        &[("origin", "http://10.0.0.1"), ("host", "10.0.0.1")],
        &[],
    ] {
        let mut request = form_request("/login", None, &[("username", "x"), ("password", "y")]);
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let page = server.visitor().send(request).await;
        assert_eq!(
            (page.status, page.problems()),
            (StatusCode::FORBIDDEN, vec!["password"]),
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn the_protocol_endpoints_are_for_other_sites() {
    let server = start("").await;
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/authorize"] {
        let mut request = form_request(
            path,
            Some(("nobody", "x")),
            &[("token", "x"), ("grant_type", "client_credentials")],
        );
        request.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
        request.headers_mut().insert("origin", "https://app.example".parse().unwrap());
        let status = server.send(request).await.status();
        assert!(
            [StatusCode::UNAUTHORIZED, StatusCode::BAD_REQUEST, StatusCode::SEE_OTHER]
                .contains(&status),
            "{path}: {status}"
        );
    }
}

/// What somebody types who wants a script to run.
const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;{{ 191*191 }}";
/// As evil as a redirect URI can be.
const EVIL_CALLBACK: (&str, &str) = ("redirect_uri", "https://app.example/cb?'&c=$(id)");

#[tokio::test]
async fn nothing_typed_becomes_markup() {
    let server = start("[grants]\ndanger_password = true").await;
    let ada = server.signed_up("ada").await;
    let evil_page = ("client_uri", "https://app.example/?\"'><script>");
    let password = ("grant_type:password", "yes");
    let made =
        ada.create_client(&[("client_name", EVIL), evil_page, EVIL_CALLBACK, password]).await;
    let hint = ("login_hint", EVIL);
    let consent = ada.authorize(&made.id, &[EVIL_CALLBACK, hint, ("state", EVIL)]).await;
    let anonymous = server.visitor();
    let login = anonymous.authorize(&made.id, &[EVIL_CALLBACK, hint]).await;
    let id = interaction(&login);
    let at = |page: &str| format!("/clients/{}{page}", made.id);
    let wrong = [
        ("username", EVIL),
        ("password", EVIL),
        ("scope", EVIL),
        ("client_secret", EVIL),
        ("grant_type", "password"),
        ("redirect_uri", EVIL),
        ("client_name", EVIL),
        ("to", EVIL),
    ];
    let pages = [
        made.page.clone(),
        ada.get("/").await,
        ada.get(&at("")).await,
        ada.get(&at("/edit")).await,
        ada.get(&at("/delete")).await,
        ada.get(&at("/token")).await,
        ada.post(&at("/token"), &wrong).await,
        ada.post(&at("/edit"), &wrong).await,
        ada.post("/create_client", &wrong).await,
        ada.get(&consent).await,
        anonymous.get(&login).await,
        anonymous.get(&format!("/signup?interaction={id}")).await,
        anonymous.post("/login", &wrong).await,
        anonymous.post("/signup", &wrong).await,
        anonymous.get("/login?to=%3Cscript%3E&interaction=%3Cscript%3E").await,
        anonymous.get("/?done=%3Cscript%3E").await,
        anonymous.get("/%3Cscript%3E").await,
        ada.ask("%3Cscript%3E<script>", &[]).await,
    ];
    for page in pages {
        for bad in ["<script", "<img", "onerror=alert(1)>", "{{"] {
            let shown = page.html.replace("{{ 191*191 }}", "");
            assert!(!shown.contains(bad), "{bad} in {}", page.html);
        }
        assert!(!page.html.contains("36481"), "no template in a template");
    }
}

#[tokio::test]
async fn every_page_tells_the_browser_to_be_strict() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[]).await;
    let consent = ada.authorize(&made.id, &[]).await;
    let at = |page: &str| format!("/clients/{}{page}", made.id);
    let mut paths: Vec<String> =
        ["/", "/logout", "/create_client", "/account/applications", "/nowhere"]
            .map(str::to_owned)
            .into();
    let account = ["", "/profile", "/password", "/sessions"];
    paths.extend(account.map(|page| format!("/account{page}")));
    paths.extend(["", "/edit", "/secret", "/delete", "/token"].map(at));
    paths.push(consent);
    for path in paths {
        let page = ada.get(&path).await;
        let csp = page.header("content-security-policy");
        for rule in [
            "default-src 'none'",
            "style-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(csp.contains(rule), "{path}: {csp}");
        }
        assert!(!csp.contains("unsafe") && !csp.contains("script-src"), "{csp}");
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("content-type", "text/html; charset=utf-8"),
        ] {
            assert_eq!(page.header(name), value, "{path}");
        }
        for part in [
            "<html lang=\"en\">",
            "<main id=\"main\"",
            "href=\"#main\"",
            "name=\"viewport\"",
            "name=\"color-scheme\"",
        ] {
            assert!(page.html.contains(part), "{path} lacks {part}");
        }
        assert_eq!(page.html.matches("<h1").count(), 1, "{path}");
    }
}

#[tokio::test]
async fn forms_that_cannot_be_read_are_refused() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let form = "application/x-www-form-urlencoded";
    let many = (0..200).map(|i| format!("f{i}=1")).collect::<Vec<_>>().join("&");
    let bad: [(&str, &str, Vec<u8>); 7] = [
        ("repeated", form, b"client_name=a&client_name=b".to_vec()),
        (
            "repeated radio",
            form,
            b"token_endpoint_auth_method=none&token_endpoint_auth_method=x".to_vec(),
        ),
        ("not UTF-8", form, b"client_name=%ff".to_vec()),
        ("NUL", form, b"client_name=a%00b".to_vec()),
        ("many", form, many.into_bytes()),
        ("JSON", "application/json", b"{}".to_vec()),
        ("broken multipart", "multipart/form-data; boundary=x", b"nothing".to_vec()),
    ];
    for (what, content_type, body) in bad {
        let request = Request::post("/create_client").header(header::CONTENT_TYPE, content_type);
        let page = ada.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{what}");
        assert_eq!(page.by_id("error-code"), "invalid_request", "{what}");
    }
    let large = [("client_name", &*"x".repeat(70_000))];
    assert_eq!(ada.post("/create_client", &large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let multipart = "--x\r\ncontent-disposition: form-data; name=\"username\"\r\n\r\nada\r\n--x\r\ncontent-disposition: form-data; name=\"password\"\r\n\r\nnine lives and a lantern\r\n--x--\r\n";
    let request =
        Request::post("/login").header(header::CONTENT_TYPE, "multipart/form-data; boundary=x");
    let page = server.visitor().send(request.body(Body::from(multipart)).unwrap()).await;
    assert_eq!(page.location(), "/", "a form sent with curl -F is as good");
    for query in ["interaction=a&interaction=b", "to=%ff", "to=a%00"] {
        let page = ada.get(&format!("/login?{query}")).await;
        assert_eq!(
            (page.status, &*page.by_id("error-code")),
            (StatusCode::BAD_REQUEST, "invalid_request"),
            "{query}"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_explained() {
    let server = start("").await;
    let page = server.visitor().get("/nowhere").await;
    assert_eq!(
        (page.status, &*page.by_id("error-title")),
        (StatusCode::NOT_FOUND, "There is nothing here")
    );
    assert_eq!(page.by_id("request-id"), page.header("x-request-id"));
    assert!(page.html.contains("<title>Error: "));
    let page = server.visitor().get("/static/style.old.css").await;
    assert_eq!((page.status, &*page.by_id("error-code")), (StatusCode::NOT_FOUND, "not_found"));
    let page = server.visitor().send(Request::delete("/login").body(Body::empty()).unwrap()).await;
    assert_eq!(
        (page.status, &*page.by_id("error-code")),
        (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
    );
    assert!(page.header("allow").contains("POST"));
    let head = server.send(Request::head("/").body(Body::empty()).unwrap()).await;
    assert_eq!(head.status(), StatusCode::OK);
}

#[tokio::test]
async fn requests_of_bad_clients_are_explained_and_lead_nowhere() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[]).await;
    for (client, more, title) in [
        ("unknown", [("redirect_uri", CALLBACK)], "This application is unknown here"),
        (
            &made.id,
            [("redirect_uri", "https://evil.example/")],
            "This application asks to send you to an unknown place",
        ),
        (&made.id, [("client_id", "")], "This request cannot be answered"),
    ] {
        let page = ada.ask(client, &more).await;
        assert_eq!((page.status, &*page.by_id("error-title")), (StatusCode::BAD_REQUEST, title));
        assert_eq!(
            (page.by_id("error-code"), page.header("location")),
            ("invalid_request".into(), "")
        );
        assert!(!page.html.contains("evil.example"));
    }
}

#[tokio::test]
async fn a_failure_shows_its_number_and_nothing_of_its_cause() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    server.state.store.close().await.unwrap();
    for path in ["/", "/create_client", "/consent"] {
        let page = ada.get(path).await;
        assert_eq!(
            (page.status, &*page.by_id("error-code")),
            (StatusCode::INTERNAL_SERVER_ERROR, "server_error")
        );
        assert_eq!(page.by_id("request-id"), page.header("x-request-id"));
        assert!(
            !page.html.to_lowercase().contains("pool") && !page.html.to_lowercase().contains("sql")
        );
    }
}

#[tokio::test]
async fn the_style_sheet_may_be_kept_for_ever() {
    let server = start("").await;
    let home = server.visitor().get("/").await;
    for (ending, content_type) in [(".css", "text/css; charset=utf-8"), (".svg", "image/svg+xml")] {
        let link = home
            .html
            .split("href=\"")
            .find(|l| l.split('"').next().unwrap().ends_with(ending))
            .unwrap();
        let response = server.get(link.split('"').next().unwrap()).await;
        assert_eq!(header_of(&response, "content-type"), content_type);
        assert_eq!(header_of(&response, "cache-control"), "public, max-age=31536000, immutable");
    }
}

#[tokio::test]
async fn demonstrations_say_so() {
    let plain = start("").await;
    assert!(!plain.visitor().get("/login").await.has("demo"));
    let users = start("[[user]]\nname = \"bob\"\npassword = \"bob-pass\"").await;
    assert!(users.visitor().get("/login").await.has("demo"));
    let any = start("authenticator = \"any\"").await;
    assert!(any.visitor().get("/login").await.by_id("demo").contains("any password"));
    let page =
        any.visitor().post("/login", &[("username", "whoever"), ("password", PASSWORD)]).await;
    assert_eq!(page.location(), "/");
}

#[test]
fn templates_escape_everything_and_need_no_script_or_inline_style() {
    let mut seen = 0;
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|e| e != "html") {
                continue;
            }
            seen += 1;
            let text = std::fs::read_to_string(&path).unwrap().to_lowercase();
            let compact: String = text.split_whitespace().collect();
            // The one script there is comes from a file of ours, where a page says which.
            let compact = compact.replace("<scriptsrc=\"{{script}}\"defer></script>", "");
            for bad in [
                "|safe",
                "|escape",
                "autoescape",
                "<script",
                "<style",
                "javascript:",
                "style=",
                "{{-safe",
            ] {
                assert!(!compact.contains(bad), "{bad} in {}", path.display());
            }
            let handler = text.split_whitespace().any(|word| {
                word.strip_prefix("on").is_some_and(|rest| {
                    rest.split('=').next().is_some_and(|name| {
                        rest.contains('=') && name.chars().all(|c| c.is_ascii_lowercase())
                    })
                })
            });
            assert!(!handler, "an event handler in {}", path.display());
        }
    }
    assert!(seen >= 14, "only {seen} templates");
}
