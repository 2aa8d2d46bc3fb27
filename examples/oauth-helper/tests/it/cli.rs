//! The command line as a child process, against our own server.

use crate::support::{Browser, PATIENCE, Program, Provider, SECRET};
use std::os::unix::fs::PermissionsExt as _;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use url::Url;

/// Reads lines until one is an address of the provider.
async fn address(lines: &mut (impl tokio::io::AsyncBufRead + Unpin), provider: &Provider) -> Url {
    loop {
        let mut line = String::new();
        let read = lines.read_line(&mut line);
        let length = tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap();
        assert_ne!(length, 0, "it ended without printing an address");
        if line.starts_with(&provider.issuer) {
            return Url::parse(line.trim()).unwrap();
        }
    }
}

/// Signs in by the listener on this machine, as `login` does by default.
async fn login(program: &Program, provider: &Provider, name: &str) -> String {
    let mut child = program.command(&["login", name]).env("BROWSER", "true").spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let url = address(&mut err, provider).await;
    let back = Browser::default().authorize(&url).await;
    let page = crate::support::http_client().get(back.clone()).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let text = page.text().await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    // It listens for one answer.
    assert!(crate::support::http_client().get(back).send().await.is_err());
    text
}

#[tokio::test]
async fn s3_12_login_token_header_status_refresh_revoke() {
    let provider = Provider::start().await;
    let program = Program::new();
    program.add(&provider, "app").await;
    program
        .run(&["token", "app"])
        .await
        .refuses(4, "error: app: there is no token yet; sign in with: oauth-helper login app");
    let page = login(&program, &provider, "app").await;
    assert!(page.contains("app has its tokens. You can close this page."), "{page}");
    let token = program.run(&["token", "app"]).await.done();
    let header = program.run(&["header"]).await.done();
    assert_eq!(header, format!("Authorization: Bearer {token}"));
    let status = program.run(&["status", "app", "--json"]).await.json();
    assert_eq!(status["status"]["state"], "valid");
    let fresh = program.run(&["token", "--json", "--fresh"]).await.json();
    assert_ne!(fresh["access_token"], token.trim());
    let text = program.run(&["refresh", "app"]).await.done();
    assert!(text.starts_with("app has a new access token until 20"), "{text}");
    let text = program.run(&["revoke"]).await.done();
    assert_eq!(text, "app: the provider has taken its tokens back\n");
    let status = program.run(&["status", "app"]).await;
    assert_eq!(status.code, 4);
    assert!(status.out.contains("state      login needed"), "{status:?}");
}

#[tokio::test]
async fn s3_12_without_a_browser_the_address_is_printed_and_the_answer_pasted() {
    let provider = Provider::start().await;
    let program = Program::new();
    program.add(&provider, "public").await;
    let mut child = program.command(&["login", "--no-browser"]).spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let url = address(&mut err, &provider).await;
    let back = Browser::default().authorize(&url).await;
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(format!("{back}\n").as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    program.run(&["token"]).await.done();
    // What was pasted is good for one login.
    let mut child = program.command(&["login", "--no-browser"]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(format!("{back}\n").as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    let line = "error: this is the answer to another login (its state is not ours)\n";
    assert!(err.ends_with(line), "{err}");
}

#[tokio::test]
async fn s3_24_curl_gets_the_token_and_nobody_sees_it_among_its_arguments() {
    let provider = Provider::start().await;
    let program = Program::new();
    program.add(&provider, "app").await;
    login(&program, &provider, "app").await;
    let userinfo = format!("{}/oauth/userinfo", provider.issuer);
    let answer = program.run(&["curl", "app", "--", "-sS", &userinfo]).await.done();
    assert!(answer.contains("\"sub\""), "{answer}");
    // Standard input is left to those who want it.
    let words = ["curl", "--", "-sS", "-X", "POST", "-d", "@-", &userinfo];
    let answer = program.run_with(&words, "a=b").await.done();
    assert!(answer.contains("\"sub\""), "{answer}");
    // A curl of our own says what it was given.
    let folder = program.home.path().join("bin");
    std::fs::create_dir(&folder).unwrap();
    let fake = folder.join("curl");
    std::fs::write(&fake, "#!/bin/sh\necho \"arguments: $*\"\ntr '\\0' ' ' </proc/$$/cmdline\ncat >/dev/null\nexit 22\n").unwrap();
    std::fs::set_permissions(&fake, std::fs::Permissions::from_mode(0o755)).unwrap();
    let token = program.run(&["token"]).await.done();
    let path = format!("{}:/usr/bin:/bin", folder.display());
    let output = program
        .command(&["curl", "--", "https://api.example"])
        .env("PATH", path)
        .output()
        .await
        .unwrap();
    let seen = String::from_utf8(output.stdout).unwrap();
    assert!(seen.starts_with("arguments: --config - https://api.example\n"), "{seen}");
    assert!(!seen.contains(token.trim()));
    assert_eq!(output.status.code(), Some(22), "the exit code is that of curl");
}

#[tokio::test]
async fn s3_13_s3_19_clients_are_added_listed_shown_edited_renamed_and_removed() {
    let provider = Provider::start().await;
    let program = Program::new();
    program.add(&provider, "app").await;
    program.add(&provider, "public").await;
    let again = program
        .run(&["client", "add", "app", "--client-id", "x", "--issuer", &provider.issuer])
        .await;
    again.refuses(2, "error: there is a client \"app\" already");
    let list = program.run(&["client", "list", "--json"]).await.json();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(list[0]["service"], "server");
    program
        .run(&[
            "client",
            "edit",
            "app",
            "--service",
            "mine",
            "--scope",
            "profile",
            "--auth-param",
            "prompt=login",
        ])
        .await
        .done();
    let shown = program.run(&["client", "show", "app", "--json"]).await;
    assert!(!shown.out.contains(SECRET) && !shown.out.contains("a secret"), "{shown:?}");
    let shown = shown.json();
    assert_eq!(shown["client"]["scope"], "profile");
    assert_eq!(shown["client"]["params"]["authorization"]["prompt"], "login");
    assert_eq!(shown["has_secret"], true);
    assert_eq!(
        program
            .run(&["client", "list", "--service", "mine", "--json"])
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );
    program.run(&["client", "rename", "app", "work"]).await.done();
    program.run(&["client", "show", "app"]).await.refuses(3, "error: there is no client \"app\"");
    let text = program.run(&["client", "rm", "work"]).await.done();
    assert_eq!(text, "removed work: there were no tokens\n");
    program.run(&["client", "show", "work"]).await.refuses(3, "error: there is no client \"work\"");
    let refused =
        program.run(&["client", "edit", "public", "--token-param", "client_secret=x"]).await;
    refused.refuses(2, "error: client_secret cannot be an extra parameter");
    let refused = program.run(&["client", "edit", "public", "--auth", "client_secret_post"]).await;
    refused.refuses(
        2,
        "error: this method needs the client secret: --secret or --secret-file (or --auth none)",
    );
}

#[tokio::test]
async fn s3_06_no_file_holds_a_secret_in_the_open_and_all_are_private() {
    let provider = Provider::start().await;
    let program = Program::new();
    program.add(&provider, "app").await;
    std::fs::remove_file(program.home.path().join("secret")).unwrap();
    login(&program, &provider, "app").await;
    let token = program.run(&["token"]).await.done();
    let mut folders = vec![program.home.path().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o077;
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            assert_eq!(mode, 0, "{}", path.display());
            let content = std::fs::read(&path).unwrap();
            for secret in [token.trim(), SECRET] {
                assert!(
                    !content.windows(secret.len()).any(|w| w == secret.as_bytes()),
                    "{}",
                    path.display()
                );
            }
            files += 1;
        }
    }
    assert!(files >= 4, "clients, key, credentials, tokens: {files}");
}

#[tokio::test]
async fn s3_28_errors_are_json_where_json_is_asked_for() {
    let program = Program::new();
    let run = program.run(&["token", "nobody", "--json"]).await;
    let error: serde_json::Value = serde_json::from_str(&run.err).unwrap();
    assert_eq!(
        (run.code, &error["error"], &error["exit_code"]),
        (3, &"unknown_client".into(), &3.into())
    );
    assert_eq!(error["message"], "there is no client \"nobody\"");
    program
        .run(&["token"])
        .await
        .refuses(2, "error: there is no client yet; add one with: oauth-helper client add");
}

#[tokio::test]
async fn s3_20_certificates_and_completions() {
    let program = Program::new();
    let folder = program.home.path().join("certs");
    let folder = folder.to_str().unwrap();
    let made = program.run(&["certs", "generate", "--folder", folder, "--json"]).await.json();
    let pem = std::fs::read_to_string(made["certificate"].as_str().unwrap()).unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
    let again = program.run(&["certs", "generate", "--folder", folder]).await;
    again.refuses(
        2,
        &format!("error: there is a certificate or key in {folder} already; --force replaces it"),
    );
    let script = program.run(&["completions", "bash"]).await.done();
    assert!(script.contains("oauth-helper"));
}

#[tokio::test]
async fn s3_16_the_old_cache_is_read_at_the_first_use_and_left_alone() {
    let program = Program::new();
    let old = r#"{"1":{"client_id":"abc","service_name":"broker",
        "auth_endpoint":{"url":"https://auth.example/auth","qs_params":{"scope":"read"}},
        "token_endpoint":{"url":"https://api.example/token","access_params":{"client_secret":"hush-hush"}},
        "redirect_url":"https://127.0.0.1:8080/auth_callback","acess_token_ttl":1800}}"#;
    let path = program.file(".oauth_token_cache.json", old);
    let run = program.run(&["client", "list", "--json"]).await;
    assert_eq!(run.err, format!("read 1 clients from {}\n", path.display()));
    let list = run.json();
    assert_eq!((&list[0]["name"], &list[0]["service"]), (&"broker".into(), &"broker".into()));
    let again = program.run(&["client", "list"]).await;
    assert_eq!(again.err, "");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), old);
    let ours = std::fs::read_to_string(
        program.home.path().join(".config/oauth-helper/default/clients.json"),
    )
    .unwrap();
    assert!(!ours.contains("hush-hush"), "its secret is sealed");
    // The same through the variable of the old program: the file is replaced, and the old one kept beside it.
    let mut other = Program::new();
    let path = other.file("cache.json", old);
    other.variables.push(("OAUTHCLIENT_OAUTH__TOKEN_CACHE".into(), path.display().to_string()));
    let run = other.run(&["client", "list"]).await;
    assert!(run.out.contains("broker"), "{run:?}");
    assert_eq!(std::fs::read_to_string(format!("{}.old", path.display())).unwrap(), old);
}
