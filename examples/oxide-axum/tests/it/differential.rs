//! One database behind two frontends: what one issues the other knows, and what one refuses the other refuses.

use crate::site::{CALLBACK, FRONTS, Front, Site, VERIFIER};

#[tokio::test]
async fn a_code_of_either_is_redeemed_at_either_once() {
    let site = Site::new().await;
    for maker in FRONTS {
        for taker in FRONTS {
            for client in ["web", "spa"] {
                let code = site.code(maker, client).await;
                let (access, refresh) = site.redeem(taker, client, &code).await.tokens();
                assert!(site.is_live(&access).await);
                let seen = site.introspect(&access).await;
                assert_eq!(seen["sub"], "ada-id");
                assert_eq!(seen["username"], "ada");
                assert_eq!(seen["client_id"], client);
                assert_eq!(seen["scope"], "profile");
                let replay = site.redeem(taker.other(), client, &code).await;
                assert!(replay.status == 400, "{maker:?} {taker:?} {replay:?}");
                assert!(!site.is_live(&access).await);
                for front in FRONTS {
                    let dead = site.refresh(front, client, &refresh).await;
                    assert_eq!(dead.error(), "invalid_grant", "{front:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_refresh_token_of_either_rotates_at_either() {
    let site = Site::new().await;
    for maker in FRONTS {
        for taker in FRONTS {
            for client in ["web", "spa"] {
                let (_, first) = site.pair(maker, client).await;
                let (access, second) = site.refresh(taker, client, &first).await.tokens();
                assert!(site.is_live(&access).await);
                let stolen = site.refresh(taker.other(), client, &first).await;
                assert_eq!(stolen.error(), "invalid_grant");
                assert!(!site.is_live(&access).await);
                let dead = site.refresh(taker, client, &second).await;
                assert_eq!(dead.error(), "invalid_grant");
            }
        }
    }
}

#[tokio::test]
async fn a_revocation_is_seen_by_both() {
    let site = Site::new().await;
    for maker in FRONTS {
        let (access, refresh) = site.pair(maker, "web").await;
        let other = site.post("/oauth/revoke", "other", &[("token", &access)]).await;
        assert_eq!(other.error(), "invalid_grant");
        assert!(site.is_live(&access).await);
        let done = site.post("/oauth/revoke", "web", &[("token", &refresh)]).await;
        assert_eq!(done.status, 200);
        assert!(!site.is_live(&access).await);
        let dead = site.refresh(Front::Oxide, "web", &refresh).await;
        assert_eq!(dead.error(), "invalid_grant");

        let (access, _) = site.pair(maker, "web").await;
        let form = [("grant_type", "client_credentials"), ("scope", "profile")];
        let (own, none) = site.token(maker, "web", &form).await.tokens();
        assert_eq!(none, "", "a client asks again instead of refreshing");
        for token in [&access, &own] {
            assert!(site.is_live(token).await);
            let done = site.post("/oauth/revoke", "web", &[("token", token)]).await;
            assert_eq!(done.status, 200);
            assert!(!site.is_live(token).await);
        }
    }
}

/// The same request at both: the same decision, each in its own words.
#[tokio::test]
async fn both_refuse_the_same_requests() {
    let site = Site::new().await;
    let (access, refresh) = site.pair(Front::Ours, "web").await;
    let fresh = site.code(Front::Ours, "web").await;
    let code = |changed: &[(&'static str, &'static str)]| {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", "unknown"),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        form.retain(|(n, _)| !changed.iter().any(|(c, _)| c == n));
        form.extend(changed.iter().filter(|(_, v)| !v.is_empty()));
        form
    };
    let renew = |token, more: &[(&'static str, &'static str)]| {
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
        form.extend(more);
        form
    };
    let own = |scope| vec![("grant_type", "client_credentials"), ("scope", scope)];
    let stolen = vec![
        ("grant_type", "authorization_code"),
        ("code", fresh.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    for (client, form, ours, oxide) in [
        ("web", code(&[]), "invalid_grant", "invalid_request"),
        ("web", code(&[("code", "")]), "invalid_request", "invalid_request"),
        ("web", code(&[("grant_type", "")]), "invalid_request", "invalid_request"),
        ("web", code(&[("grant_type", "x")]), "unsupported_grant_type", "unsupported_grant_type"),
        ("nobody", code(&[]), "invalid_client", "invalid_client"),
        ("", code(&[("client_id", "web")]), "invalid_client", "invalid_client"),
        ("", code(&[]), "invalid_client", "invalid_request"),
        ("other", stolen.clone(), "invalid_grant", "invalid_request"),
        ("spa", stolen, "invalid_grant", "invalid_request"),
        ("web", renew("unknown", &[]), "invalid_grant", "invalid_grant"),
        ("web", renew(&access, &[]), "invalid_grant", "invalid_grant"),
        ("other", renew(&refresh, &[]), "invalid_grant", "invalid_grant"),
        ("spa", renew(&refresh, &[]), "invalid_grant", "invalid_client"),
        ("nobody", renew(&refresh, &[]), "invalid_client", "invalid_client"),
        ("web", renew(&refresh, &[("scope", "profile a")]), "invalid_scope", "invalid_scope"),
        ("web", renew(&refresh, &[("scope", "\"")]), "invalid_scope", "invalid_scope"),
        ("web", own("admin"), "invalid_scope", "400"),
        ("nobody", own("profile"), "invalid_client", "invalid_client"),
        ("spa", own("profile"), "unauthorized_client", "invalid_request"),
    ] {
        for (front, expected) in [(Front::Ours, ours), (Front::Oxide, oxide)] {
            let reply = site.token(front, client, &form).await;
            assert_eq!(reply.error(), expected, "{front:?} {client} {form:?}");
        }
    }
    // None of it used anything up.
    site.redeem(Front::Oxide, "web", &fresh).await.tokens();
    site.refresh(Front::Oxide, "web", &refresh).await.tokens();
    assert!(site.is_live(&access).await);
}

/// With a code at stake the frontends differ in one thing more: oxide-auth uses it up before it looks further.
#[tokio::test]
async fn both_refuse_a_code_in_the_wrong_hands() {
    let site = Site::new().await;
    for (name, value, ours, oxide) in [
        ("redirect_uri", "https://client.example/other", "invalid_grant", "invalid_grant"),
        ("code_verifier", "x", "invalid_grant", "invalid_request"),
        ("code_verifier", "", "invalid_grant", "invalid_request"),
    ] {
        for (front, expected) in [(Front::Ours, ours), (Front::Oxide, oxide)] {
            let code = site.code(front, "spa").await;
            let form: Vec<_> = [
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("redirect_uri", CALLBACK),
                ("code_verifier", VERIFIER),
            ]
            .into_iter()
            .map(|(n, v)| if n == name { (n, value) } else { (n, v) })
            .collect();
            let refused = site.token(front, "spa", &form).await;
            assert_eq!(refused.error(), expected, "{front:?} {name}={value}");
            let honest = site.redeem(front, "spa", &code).await;
            let burnt = if front == Front::Oxide { 400 } else { 200 };
            assert_eq!(honest.status, burnt, "{front:?} {name}={value}");
        }
    }
}
