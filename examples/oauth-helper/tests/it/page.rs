//! `oauth-helper web` as a process: where it listens, and with what.

use crate::support::{PATIENCE, Program};
use std::path::Path;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use url::Url;

/// The page, and what it said before it listened.
struct Served {
    child: tokio::process::Child,
    url: Url,
    said: Vec<String>,
}

/// Starts the page on a port that the system chooses.
async fn served(program: &Program, arguments: &[&str]) -> Served {
    let all = [&["web", "--port", "0"], arguments].concat();
    let mut child = program.command(&all).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = Vec::new();
    let listening = async {
        loop {
            let line = lines.next_line().await.unwrap();
            let line = line.unwrap_or_else(|| panic!("it ended: {said:?}"));
            if let Some(rest) = line.strip_prefix("listening on ") {
                return Url::parse(rest.split(' ').next().unwrap()).unwrap();
            }
            said.push(line);
        }
    };
    let url = tokio::time::timeout(PATIENCE, listening).await.unwrap();
    Served { child, url, said }
}

/// A client that trusts this certificate and nothing else.
fn trusting(certificate: Option<&Path>) -> reqwest::Client {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let builder = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
    let roots = certificate
        .map(|path| reqwest::Certificate::from_pem(&std::fs::read(path).unwrap()).unwrap());
    builder.tls_certs_only(roots).build().unwrap()
}

#[tokio::test]
async fn s3_20_the_page_is_served_by_tls_with_the_certificate_it_makes() {
    let mut program = Program::new();
    let folder = program.home.path().join("certs");
    let made = ["certs", "generate", "--folder", folder.to_str().unwrap(), "--json"];
    let made = program.run(&made).await.json();
    let path = |name: &str| made[name].as_str().unwrap().to_owned();
    program.variables.push(("OAUTHCLIENT_SERVER__TLS_CERT".into(), path("certificate")));
    program.variables.push(("OAUTHCLIENT_SERVER__TLS_KEY".into(), path("key")));
    let mut page = served(&program, &[]).await;
    assert_eq!(page.url.scheme(), "https");
    let answer = trusting(Some(Path::new(&path("certificate")))).get(page.url.clone()).send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap().contains("You have none yet."));
    assert!(trusting(None).get(page.url.clone()).send().await.is_err(), "nobody vouches for it");
    let plain = Url::parse(&page.url.as_str().replacen("https", "http", 1)).unwrap();
    let answered = trusting(None).get(plain).send().await;
    assert!(answered.is_err(), "not in the open: {answered:?}");
    page.child.kill().await.unwrap();
}

#[tokio::test]
async fn s3_20_a_certificate_that_cannot_be_used_is_an_error() {
    let mut program = Program::new();
    let broken = program.file("broken.pem", "no certificate").display().to_string();
    program.variables.push(("OAUTHCLIENT_SERVER__TLS_CERT".into(), broken.clone()));
    let run = program.run(&["web", "--port", "0"]).await;
    run.refuses(2, "error: server.tls_cert and server.tls_key go together");
    program.variables.push(("OAUTHCLIENT_SERVER__TLS_KEY".into(), broken));
    let run = program.run(&["web", "--port", "0"]).await;
    assert_eq!(run.code, 8, "{run:?}");
    assert!(run.err.contains("server.tls_cert and server.tls_key cannot be used"), "{run:?}");
}

#[tokio::test]
async fn s3_10_another_address_takes_a_flag_and_then_warns_and_asks_for_a_key() {
    let program = Program::new();
    let run = program.run(&["web", "--host", "0.0.0.0", "--port", "0"]).await;
    run.refuses(
        2,
        "error: 0.0.0.0 can be reached from elsewhere, and whoever reaches this page acts as you: say --danger-not-loopback if that is what you want",
    );
    let mut page = served(&program, &["--host", "0.0.0.0", "--danger-not-loopback"]).await;
    let said = page.said.join("\n");
    assert!(said.contains("WARNING") && said.contains("served without TLS"), "{said}");
    let key = page.said.iter().find_map(|line| line.strip_prefix("access key: ")).unwrap();
    assert!(key.len() >= 32, "{key}");
    let here = format!("http://127.0.0.1:{}", page.url.port().unwrap());
    let client = crate::support::http_client();
    let answer = client.get(&here).send().await.unwrap();
    let to = answer.headers().get("location").map(|l| l.to_str().unwrap().to_owned());
    assert_eq!(
        (answer.status().as_u16(), to.as_deref()),
        (303, Some("/access")),
        "a key is asked for"
    );
    page.child.kill().await.unwrap();
    // On this machine alone nothing is said and no key is asked for.
    let mut page = served(&program, &[]).await;
    assert_eq!((page.url.scheme(), page.url.host_str()), ("http", Some("127.0.0.1")));
    assert!(page.said.is_empty(), "{:?}", page.said);
    assert_eq!(client.get(page.url.clone()).send().await.unwrap().status(), 200);
    page.child.kill().await.unwrap();
}
