//! What is said of these routes in the documents.

use crate::{
    docs::{Field, Lock, Op},
    forms::{Salt, Wanted},
    state::AppState,
};

const SIGNING_IN: &str = "TokTok: signing in";
const USERS: &str = "TokTok: users";
const WAIT: &str = "Too many attempts: `Retry-After` says how long to wait.";
const EXPIRED: &str = "There is no token, or it has ended; `sub_status` 42: it has expired.";
const LETTER: Field =
    ("token?", "The token of a letter; it may be in the `Authorization` header instead.");

/// Everything, whether it is mounted or not.
pub(crate) fn describe(state: &AppState) -> Vec<Op> {
    let mut all = logging_in(state);
    all.extend(tokens());
    all.extend(password(state));
    all.extend(registering(state));
    all.extend(users());
    all
}

const PLAIN: [Field; 2] = [("email", "The e-mail address."), ("pwd", "The password.")];
const ENCRYPTED: [Field; 2] = [
    ("email_encrypt", "The e-mail address, encrypted to `salt_token`, in base64."),
    ("pwd_encrypt", "The password, encrypted to `salt_token`, in base64. It is read once."),
];
const FORM: Field =
    ("form", "A compact JWE of everything together, as `POST /api/login` takes it.");

/// What a form takes: an address, a password, or both, plain or encrypted, and what is never encrypted.
fn takes(state: &AppState, op: Op, wanted: Wanted, rest: &[Field]) -> Op {
    let with = |fields: &[Field; 2]| {
        let [email, password] = *fields;
        let fields = match wanted {
            Wanted::Both => vec![email, password],
            Wanted::Email => vec![email],
            Wanted::Password => vec![password],
        };
        [fields.as_slice(), rest].concat()
    };
    match state.forms.salt() {
        Salt::No => op.json(&with(&PLAIN)),
        Salt::Yes => op.json_one_of(&[&with(&ENCRYPTED), &[&[FORM][..], rest].concat()]),
        Salt::Jsencrypt => op.json(&with(&ENCRYPTED)),
    }
}

/// Who may use the forms.
fn gate(state: &AppState) -> Lock {
    if state.forms.anojwt() { Lock::Raw } else { Lock::Open }
}

fn logging_in(state: &AppState) -> Vec<Op> {
    let mut all = Vec::new();
    for path in ["/api/auth/login/anonymous", "/api/auth/login/anonymous/"] {
        let op = Op::new("GET", path, SIGNING_IN, "Tokens of nobody in particular");
        all.push(op.answer(429, WAIT));
    }
    for path in ["/api/auth/login", "/api/auth/login/"] {
        let op = Op::new("POST", path, SIGNING_IN, "Tokens for an address and a password")
            .lock(gate(state))
            .answer(401, "Address or password is wrong: nobody is told which.")
            .answer(403, "Whoever asks is a user, or the account has a second factor.")
            .answer(429, WAIT);
        all.push(takes(state, op, Wanted::Both, &[]));
    }
    all
}

fn tokens() -> Vec<Op> {
    let op = |method, path: &'static str, what| Op::new(method, path, SIGNING_IN, what);
    vec![
        op("GET", "/api/auth/tokens/confirm_access", "Who holds the token")
            .lock(Lock::Raw)
            .answer(401, EXPIRED)
            .answer(403, "The address is not confirmed."),
        op("GET", "/api/auth/tokens/new_access_token", "Another access token")
            .about("The refresh token is used up: the next one is in the answer, and to be kept. A second use ends everything that came from it.")
            .lock(Lock::RawRefresh)
            .answer(401, "The refresh token is not good, or a guest's."),
        op("GET", "/api/auth/tokens/fresh_access_token", "Another access token, of a fresh sign-in")
            .about("For whoever signed in a short while ago (`accounts.fresh_for`). The refresh token is used up.")
            .lock(Lock::RawRefresh)
            .answer(401, "The sign-in was too long ago, or the refresh token is not good."),
        op("POST", "/api/auth/tokens/new_refresh_token/{old_refresh_token}", "Not to be had")
            .about("Tokens in addresses end up in logs. `POST /api/refresh` takes them in the body.")
            .answer(410, "Always; `instead` says where to go."),
    ]
}

fn password(state: &AppState) -> Vec<Op> {
    let op = |method, path: &'static str, what| Op::new(method, path, SIGNING_IN, what);
    let (forgotten, reset) =
        ("/api/auth/password/password_forgotten", "/api/auth/password/reset_password");
    let ask = op("POST", forgotten, "Sends a letter about a forgotten password")
        .lock(gate(state))
        .answer(200, "Always: nobody learns whether there is such an account.")
        .answer(429, WAIT);
    let look = op("GET", reset, "Whether the token of a letter is good")
        .about("Changes nothing.")
        .query(&[LETTER])
        .answer(401, "It is not.");
    let replace = op("POST", reset, "Replaces a forgotten password")
        .about("Ends every session and every token of the user, and signs nobody in.")
        .query(&[LETTER])
        .answer(401, "The token is not good, or the password is not: `errors` says why.");
    vec![takes(state, ask, Wanted::Email, &[]), look, takes(state, replace, Wanted::Password, &[])]
}

fn registering(state: &AppState) -> Vec<Op> {
    let rest = [
        ("name?", "The given name."),
        ("surname?", "The family name."),
        ("lang?", "The language, such as `en`."),
        ("agreement?:boolean", "Whether the person agrees to the terms."),
    ];
    let mut all = Vec::new();
    for path in ["/api/usr/register", "/api/usr/register/"] {
        let op = Op::new("POST", path, USERS, "Signs up")
            .about("The user is a guest until the address is confirmed.")
            .lock(gate(state))
            .answer(200, "Done; an address that is taken gets the same answer.")
            .answer(400, "Something is not acceptable: `errors` says what, field by field.")
            .answer(429, WAIT);
        all.push(takes(state, op, Wanted::Both, &rest));
    }
    let confirm = "/api/usr/register/confirm_email";
    all.extend([
        Op::new("GET", confirm, USERS, "Whether the token of a letter is good")
            .about("Changes nothing; `redirection_link` is the page with the button.")
            .query(&[LETTER])
            .answer(401, "It is not."),
        Op::new("POST", confirm, USERS, "Confirms an address")
            .query(&[LETTER])
            .answer(401, "The token is not good."),
    ]);
    all
}

fn users() -> Vec<Op> {
    let at = "/api/usr/edit/{usr_id}";
    vec![
        Op::new("PUT", at, USERS, "Changes a user")
            .about("A list of `{\"field_to_update\": .., \"field_value\": ..}`. Users write `infos.name`, `infos.surname`, `infos.pseudo`, `profile.lang` and `profile.usr_view` of themselves; administrators `infos.email`, `auth.role`, `auth.conf_usr` and `auth.is_blacklisted`, too. Nobody writes anything else.")
            .lock(Lock::Raw)
            .answer(400, "A value is not acceptable: `errors` says which.")
            .answer(401, EXPIRED)
            .answer(403, "Not for whoever asks, or not these fields.")
            .answer(404, "There is no such user."),
        Op::new("DELETE", at, USERS, "Deletes a user")
            .about("For the user itself and for administrators, who signed in a short while ago.")
            .lock(Lock::Raw)
            .answer(401, "There is no token, or the sign-in was too long ago.")
            .answer(403, "Not for whoever asks.")
            .answer(404, "There is no such user.")
            .answer(409, "The last administrator cannot go."),
        Op::new("GET", "/api/usr/infos/get_one/{id}", USERS, "A user, as far as one may see it")
            .lock(Lock::RawOrOpen)
            .answer(401, EXPIRED)
            .answer(404, "There is none that one may see."),
        Op::new("GET", "/api/usr/infos/list", USERS, "Users, as far as one may see them")
            .lock(Lock::RawOrOpen)
            .query(&[
                ("page?:integer", "Which page."),
                ("per_page?:integer", "0, 2, 5, 10, 20, 25, 50 or 100; 0 is all."),
                ("search_for?", "A text they mention."),
                ("oids?", "Ids, with commas between them."),
                ("tags?", "Nobody has any: it leaves nobody out."),
                ("only_stats?:boolean", "The counts alone."),
                ("ignore_teams?:boolean", "One list instead of two."),
                ("pivot_results?:boolean", "Columns by id; with `ignore_teams`."),
                ("normalize?:boolean", "One row for each user."),
            ])
            .answer(400, "The query is not acceptable: `errors` says why.")
            .answer(401, EXPIRED)
            .answer(429, WAIT),
    ]
}
