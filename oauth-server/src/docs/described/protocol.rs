//! The endpoints of OAuth 2.0 and OpenID Connect, and those of the years before that some profiles keep.

use crate::{
    docs::{Lock, Op},
    state::AppState,
};

const OAUTH: &str = "OAuth 2.0";
const OPENID: &str = "OpenID Connect";
const NMOS: &str = "AMWA IS-10 of 2019";

pub(super) fn describe(state: &AppState) -> Vec<Op> {
    let paths = state.provider.paths();
    let base = state.provider.env().issuer.path();
    let at = |path: &str| format!("{base}{path}");
    let mut all = Vec::new();
    for (method, query) in [("GET", true), ("POST", false)] {
        let op = Op::page(method, at(&paths.authorize), OAUTH, "The authorization endpoint")
            .about("A person comes here by browser, signs in and consents (RFC 6749 3.1).")
            .answer(302, "To the client with a code or an error, or to the pages on the way there.")
            .answer(400, "A page that explains what is wrong, where no client can be told.");
        all.push(if query { op.query(AUTHORIZE) } else { op.form(AUTHORIZE) });
        let op = Op::new(
            method,
            at(&paths.userinfo),
            OPENID,
            "What is known of whoever the token is about",
        );
        all.push(op.lock(Lock::Bearer).answer(403, "The token was not granted `openid`."));
        let op = Op::page(
            method,
            at(&paths.end_session),
            OPENID,
            "Where applications send people to sign out",
        );
        all.push(if query { op.query(END) } else { op.form(END) });
    }
    all.extend(back_channel(paths, &at));
    all.extend(registration(&at(&paths.register)));
    let metadata = [
        format!("/.well-known/oauth-authorization-server{base}"),
        format!("{base}/.well-known/openid-configuration"),
        "/.well-known/oauth-authorization-server".into(),
    ];
    for path in metadata {
        all.push(Op::new("GET", path, OAUTH, "The metadata of the server (RFC 8414)"));
    }
    let frame = at(&paths.check_session);
    all.push(Op::page(
        "GET",
        frame,
        OPENID,
        "The frame that tells clients of a change of the session",
    ));
    all.extend(legacy());
    all
}

const AUTHORIZE: &[crate::docs::Field] = &[
    ("response_type", "`code`, or another one the client may use."),
    ("client_id", "The client."),
    ("redirect_uri?", "Where the answer goes: one that is registered, letter by letter."),
    ("scope?", "Scope tokens separated by spaces."),
    ("state?", "Comes back as it is."),
    ("code_challenge?", "SHA-256 of the verifier, in base64url (RFC 7636)."),
    ("code_challenge_method?", "`S256`."),
    ("nonce?", "For the id token."),
    ("resource?", "What the token is for (RFC 8707)."),
];
const END: &[crate::docs::Field] = &[
    ("id_token_hint?", "The id token of the session that is to end."),
    ("client_id?", "The client."),
    ("post_logout_redirect_uri?", "Where to go afterwards: one that is registered."),
    ("state?", "Comes back as it is."),
];
const TOKEN: &[crate::docs::Field] =
    &[("token", "The token."), ("token_type_hint?", "What it may be.")];

fn back_channel(paths: &oauth_core::config::Paths, at: &impl Fn(&str) -> String) -> Vec<Op> {
    vec![
        Op::new("POST", at(&paths.token), OAUTH, "The token endpoint")
            .about("Codes, refresh tokens or credentials for access tokens (RFC 6749 3.2).")
            .lock(Lock::Client)
            .form(&[
                ("grant_type", "What is brought."),
                ("code?", "An authorization code."),
                ("redirect_uri?", "As in the authorization request."),
                ("code_verifier?", "What the challenge was made of."),
                ("refresh_token?", "A refresh token, which is used once."),
                ("scope?", "Less than what could be had."),
                ("resource?", "What the token is for."),
            ])
            .answer(400, "`error` says why not.")
            .answer(401, "The client is not known by these credentials."),
        Op::new("POST", at(&paths.revoke), OAUTH, "Revokes a token (RFC 7009)")
            .lock(Lock::Client)
            .form(TOKEN)
            .answer(401, "The client is not known by these credentials."),
        Op::new("POST", at(&paths.introspect), OAUTH, "What a token is worth (RFC 7662)")
            .lock(Lock::Client)
            .form(TOKEN)
            .answer(401, "The client is not known by these credentials."),
        Op::new("GET", at(&paths.jwks), OAUTH, "The public keys that sign tokens (RFC 7517)"),
    ]
}

fn registration(at: &str) -> Vec<Op> {
    let one = format!("{at}/{{client_id}}");
    let about = "The metadata of a client as JSON (RFC 7591).";
    let fields = &[("redirect_uris?:list", "Where answers may go."), ("client_name?", "Its name.")];
    vec![
        Op::new("POST", at.to_owned(), OAUTH, "Registers a client")
            .about(about)
            .lock(Lock::Bearer)
            .json(fields)
            .answer(201, "Registered.")
            .answer(400, "`error` says what is wrong.")
            .answer(401, "An initial access token is wanted."),
        Op::new("GET", one.clone(), OAUTH, "A client reads its registration").lock(Lock::Bearer),
        Op::new("PUT", one.clone(), OAUTH, "A client changes its registration")
            .about(about)
            .lock(Lock::Bearer)
            .json(fields),
        Op::new("DELETE", one, OAUTH, "A client removes itself")
            .lock(Lock::Bearer)
            .answer(204, "Gone."),
    ]
}

/// The paths of 2019, each with and without a slash at the end.
fn legacy() -> Vec<Op> {
    const ALL: &[(&str, &str, Lock, &str)] = &[
        ("GET", "/x-nmos", Lock::Open, "What is below"),
        ("GET", "/x-nmos/auth", Lock::Open, "The versions there are"),
        ("GET", "/x-nmos/auth/v1.0", Lock::Open, "The endpoints there are"),
        ("GET", "/x-nmos/auth/v1.0/certs", Lock::Open, "Certificates of the keys that sign tokens"),
        ("POST", "/x-nmos/auth/v1.0/register_client", Lock::Open, "Registers a client"),
        ("GET", "/x-nmos/auth/v1.0/authorize", Lock::Open, "The authorization endpoint"),
        ("POST", "/x-nmos/auth/v1.0/authorize", Lock::Open, "The authorization endpoint"),
        ("POST", "/x-nmos/auth/v1.0/token", Lock::Client, "The token endpoint"),
        ("POST", "/x-nmos/auth/v1.0/revoke", Lock::Client, "Revokes a token"),
        ("POST", "/x-nmos/auth/v1.0/introspect", Lock::Client, "What a token is worth"),
        ("GET", "/x-nmos/auth/v1.0/jwks", Lock::Open, "The public keys that sign tokens"),
    ];
    let both = |&(method, path, lock, what): &(&'static str, &str, Lock, &'static str)| {
        ["", "/"].map(|slash| Op::new(method, format!("{path}{slash}"), NMOS, what).lock(lock))
    };
    ALL.iter().flat_map(both).collect()
}
