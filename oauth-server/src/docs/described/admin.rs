//! What administrators do, on pages and by program.

use super::pages::rows;
use crate::docs::{Field, Lock, Op};

const PAGES: &[(&str, &str, Lock, &str)] = &[
    ("GET", "/admin", Lock::Session, "What administrators look after"),
    ("GET", "/admin/keys", Lock::Session, "Signing keys"),
    ("POST", "/admin/keys/rotate", Lock::Session, "Makes the next key"),
    ("GET POST", "/admin/keys/rotate_now", Lock::Session, "Replaces a key at once"),
    ("GET POST", "/admin/keys/retire", Lock::Session, "Retires a key"),
    ("GET", "/admin/registration", Lock::Session, "Registration by programs"),
    ("POST", "/admin/registration/invite", Lock::Session, "Makes an initial access token"),
    ("POST", "/admin/registration/revoke", Lock::Session, "Revokes an initial access token"),
    ("GET POST", "/admin/registration/delete", Lock::Session, "Deletes a registered client"),
    ("GET", "/admin/pending", Lock::Session, "Registrations that wait"),
    ("POST", "/admin/pending/approve", Lock::Session, "Approves a registration"),
    ("GET POST", "/admin/pending/refuse", Lock::Session, "Refuses a registration"),
    ("GET", "/admin/audit", Lock::Session, "The audit log"),
    ("GET", "/admin/audit/export", Lock::Session, "The audit log as a file"),
    ("GET", "/admin/users", Lock::Session, "Users"),
    ("GET", "/admin/users/{id}", Lock::Session, "A user"),
    ("GET POST", "/admin/users/{id}/disable", Lock::Session, "Locks a user out"),
    ("GET POST", "/admin/users/{id}/promote", Lock::Session, "Makes a user an administrator"),
    ("GET POST", "/admin/users/{id}/demote", Lock::Session, "Makes an administrator a user"),
    (
        "GET POST",
        "/admin/users/{id}/reset_factors",
        Lock::Session,
        "Takes the second factor and the passkeys of a user away",
    ),
    ("POST", "/admin/users/{id}/enable", Lock::Session, "Lets a user in again"),
    ("POST", "/admin/users/{id}/sign_out", Lock::Session, "Signs a user out everywhere"),
    ("POST", "/admin/users/{id}/verified", Lock::Session, "Says that an address is verified"),
    ("POST", "/admin/users/{id}/rights", Lock::Session, "Changes the rights of a user"),
];

const TAG: &str = "Administration";

const API: Field = ("api", "The API, such as `connection`.");
const ACCESS: Field = ("access", "`none`, `read` or `write`.");

/// A right, as it is shown.
const RIGHT: [Field; 4] = [
    API,
    ACCESS,
    ("paths:list", "Patterns of the paths that may be read; none is everywhere."),
    ("write_paths:list", "Patterns of those that may be written; none is the same as `paths`."),
];

pub(super) fn describe() -> Vec<Op> {
    let mut all = rows(TAG, PAGES);
    let about = "With an access token of the scope `administration`.";
    let programs = people().into_iter().chain(registrations()).chain([log()]);
    all.extend(programs.map(|op| {
        op.about(about)
            .lock(Lock::Bearer)
            .answer(400, "Something makes no sense: `invalid_request`.")
            .answer(401, "There is no token, or none that is good: `invalid_token`.")
            .answer(403, "The token is not good for this: `insufficient_scope`.")
    }));
    all
}

fn people() -> Vec<Op> {
    let right = "/admin/api/users/{id}/rights/{api}";
    let unknown = "There is no such user, or no such API: `not_found`.";
    vec![
        Op::new("GET", "/admin/api/users", TAG, "Users, at most 100, by name")
            .query(&[
                ("begins?", "How their names begin."),
                ("after?", "Only those behind this name."),
            ])
            .shows(&[
                ("users[].id", "The identifier, which is `sub` in tokens."),
                ("users[].username", "The name."),
                ("users[].is_admin:boolean", "Whether it is an administrator."),
                ("users[].disabled:boolean", "Whether it is locked out."),
            ]),
        Op::new("GET", "/admin/api/users/{id}/rights", TAG, "The rights of a user")
            .shows(&[
                ("user_id", "The identifier."),
                ("username", "The name."),
                ("rights[].api", API.1),
                ("rights[].access", ACCESS.1),
                ("rights[].paths:list", RIGHT[2].1),
                ("rights[].write_paths:list", RIGHT[3].1),
            ])
            .answer(404, unknown),
        Op::new("PUT", right, TAG, "Sets the right of a user on an API")
            .json(&[
                ACCESS,
                ("paths?:list", RIGHT[2].1),
                ("write_paths?:list", "With `write` alone: where that is allowed, if elsewhere."),
            ])
            .shows(&RIGHT)
            .answer(404, unknown),
        Op::new("DELETE", right, TAG, "Takes a right back").shows(&RIGHT).answer(404, unknown),
    ]
}

fn registrations() -> Vec<Op> {
    vec![
        Op::new("GET", "/admin/api/registrations", TAG, "Clients that await approval").shows(&[
            ("registrations[].client_id", "The client."),
            ("registrations[].client_name", "How it calls itself."),
            ("registrations[].client_uri?", "Its page, if it has one."),
            ("registrations[].texts[].name", "What else people see, such as `client_name#de`."),
            ("registrations[].texts[].text", "What that says."),
            ("registrations[].scope", "What it may ask for at most."),
            ("registrations[].grant_types:list", "How."),
            ("registrations[].redirect_uris:list", "Where answers go."),
            ("registrations[].token_endpoint_auth_method", "How it proves who it is."),
            ("registrations[].asked_at:integer", "When it asked."),
            ("registrations[].expires_at:integer", "When the question goes, and the client."),
            ("registrations[].address?", "Where it came from."),
        ]),
        Op::new("POST", "/admin/api/registrations/{client_id}", TAG, "Answers one of them")
            .json(&[
                ("answer", "`approve` or `refuse`."),
                ("asked_at:integer", "From the list, so that nobody approves of what changed."),
            ])
            .shows(&[("client_id", "The client."), ("answer", "As it was given.")])
            .answer(404, "No such client awaits approval: `not_found`.")
            .answer(409, "Somebody has answered, or the client asks again: `conflict`."),
    ]
}

fn log() -> Op {
    Op::new("GET", "/admin/api/audit", TAG, "The audit log, the latest first")
        .query(&[
            ("event?", "Of this kind alone."),
            ("user_id?", "Of this user."),
            ("client_id?", "Of this client."),
            ("since?:integer", "Not before this time."),
            ("until?:integer", "Before this time."),
            ("before?", "Older than the row of this id."),
            ("limit?:integer", "At most so many: 100 unless it is said, 1000 at most."),
        ])
        .shows(&[
            ("entries[].id", "The row."),
            ("entries[].at:integer", "When."),
            ("entries[].event", "What happened."),
            ("entries[].user_id?", "By whom."),
            ("entries[].client_id?", "To which client."),
            ("entries[].scope?", "For which scope."),
            ("entries[].grant_type?", "By which grant."),
            ("entries[].address?", "From which address."),
            ("entries[].detail?", "And what else is to be said. Never a secret."),
        ])
}
