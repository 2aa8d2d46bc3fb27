//! The pages for people, in a line each: they are HTML, and forms are sent by the pages themselves.

use crate::{
    docs::{Lock, Op},
    state::AppState,
};

/// A row: methods, path, who may, what it is.
type Row = (&'static str, &'static str, Lock, &'static str);

const EVERYBODY: &[Row] = &[
    ("GET", "/", Lock::Open, "The start"),
    ("GET POST", "/signup", Lock::Open, "Signing up"),
    ("GET POST", "/login", Lock::Open, "Signing in"),
    ("POST", "/login/with/{provider}", Lock::Open, "Signing in at somebody else's"),
    ("GET", "/login/from/{provider}", Lock::Open, "Coming back from somebody else's"),
    ("POST", "/login/passkey", Lock::Open, "Signing in with a passkey"),
    ("GET POST", "/login/second-factor", Lock::Open, "The second step of signing in"),
    ("GET POST", "/login/second-factor/set-up", Lock::Open, "Setting up what is to be that step"),
    (
        "GET",
        "/login/second-factor/set-up/picture",
        Lock::Open,
        "The picture for an authenticator, between the steps",
    ),
    ("GET POST", "/logout", Lock::Session, "Signing out"),
    ("GET POST", "/consent", Lock::Session, "Allowing an application what it asks for"),
    ("GET POST", "/select-account", Lock::Session, "Choosing an account"),
    ("GET POST", "/forgot-password", Lock::Open, "A letter about a forgotten password"),
    ("GET POST", "/reset-password", Lock::Open, "Another password, by the link of a letter"),
    ("GET POST", "/confirm-email", Lock::Open, "Confirming an address, by the link of a letter"),
    (
        "GET POST",
        "/confirm-new-email",
        Lock::Open,
        "Confirming another address, by the link of a letter",
    ),
    (
        "GET POST",
        "/undo-email",
        Lock::Open,
        "Taking a change of the address back, by the link of a letter",
    ),
];

const ACCOUNT: &[Row] = &[
    ("GET", "/account", Lock::Session, "One's account"),
    ("GET POST", "/account/profile", Lock::Session, "One's profile"),
    ("GET POST", "/account/password", Lock::Session, "One's password"),
    ("GET POST", "/account/email", Lock::Session, "One's e-mail address"),
    ("POST", "/account/email/again", Lock::Session, "The letter about one's address once more"),
    ("GET", "/account/activity", Lock::Session, "What happened in one's account"),
    ("GET", "/account/data", Lock::Session, "What is kept of oneself"),
    ("POST", "/account/data/export", Lock::Session, "A copy of what is kept of oneself"),
    ("GET POST", "/account/delete", Lock::Session, "Deleting one's account"),
    ("GET", "/account/sessions", Lock::Session, "Where one is signed in"),
    ("POST", "/account/sessions/end", Lock::Session, "Ends a session"),
    ("POST", "/account/sessions/end_others", Lock::Session, "Ends every other session"),
    ("GET", "/account/applications", Lock::Session, "Connected applications"),
    ("POST", "/account/applications/revoke", Lock::Session, "Disconnects an application"),
    ("GET", "/account/identities", Lock::Session, "Accounts elsewhere that one signs in with"),
    ("POST", "/account/identities/link", Lock::Session, "Links an account elsewhere"),
    ("POST", "/account/identities/unlink", Lock::Session, "Unlinks an account elsewhere"),
    ("GET", "/account/passkeys", Lock::Session, "One's passkeys"),
    ("POST", "/account/passkeys/add", Lock::Session, "Adds a passkey"),
    ("POST", "/account/passkeys/rename", Lock::Session, "Calls a passkey something else"),
    ("POST", "/account/passkeys/remove", Lock::Session, "Removes a passkey"),
    ("GET", "/account/second-factor", Lock::Session, "One's second factor"),
    ("POST", "/account/second-factor/begin", Lock::Session, "Begins to set up one-time passwords"),
    ("GET", "/account/second-factor/picture", Lock::Session, "The picture for an authenticator"),
    ("POST", "/account/second-factor/confirm", Lock::Session, "Confirms one-time passwords"),
    ("POST", "/account/second-factor/codes", Lock::Session, "Other recovery codes"),
    ("POST", "/account/second-factor/remove", Lock::Session, "Removes the second factor"),
];

const CLIENTS: &[Row] = &[
    ("GET POST", "/create_client", Lock::Session, "Registers a client"),
    ("GET", "/clients/{id}", Lock::Session, "A client"),
    ("GET POST", "/clients/{id}/edit", Lock::Session, "Changes a client"),
    ("GET POST", "/clients/{id}/secret", Lock::Session, "Another secret for a client"),
    ("GET POST", "/clients/{id}/delete", Lock::Session, "Deletes a client"),
    ("GET POST", "/clients/{id}/token", Lock::Session, "A token of a client, to try it"),
];

pub(super) fn describe(_: &AppState) -> Vec<Op> {
    let mut all = rows("Pages", EVERYBODY);
    all.extend(rows("Account", ACCOUNT));
    all.extend(rows("Clients", CLIENTS));
    let begin = |path: &'static str, tag, what| {
        Op::new("POST", path, tag, what)
            .answer(
                200,
                "What `navigator.credentials` takes, in `publicKey`; bytes are in base64url.",
            )
            .answer(403, "Not here (`off`), or not without signing in again (`sign_in_again`).")
    };
    all.push(begin("/login/passkey/begin", "Pages", "A challenge for signing in with a passkey"));
    all.push(
        begin("/account/passkeys/begin", "Account", "A challenge for adding a passkey")
            .lock(Lock::Session)
            .answer(401, "Nobody is signed in (`not_signed_in`).")
            .answer(409, "There are enough (`too_many`)."),
    );
    all.push(Op::page("GET", "/static/{file}", "Pages", "Style sheet, icon and scripts"));
    all
}

/// A page for every method of every row.
pub(super) fn rows(tag: &'static str, rows: &'static [Row]) -> Vec<Op> {
    let of_row = |&(methods, path, lock, what): &'static Row| {
        methods.split(' ').map(move |method| Op::page(method, path, tag, what).lock(lock))
    };
    rows.iter().flat_map(of_row).collect()
}
