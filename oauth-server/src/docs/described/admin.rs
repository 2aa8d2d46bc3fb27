//! What administrators do, on pages and by program.

use super::pages::rows;
use crate::docs::{Lock, Op};

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

pub(super) fn describe() -> Vec<Op> {
    const TAG: &str = "Administration";
    let right = "/admin/api/users/{id}/rights/{api}";
    let programs = [
        Op::new("GET", "/admin/api/users", TAG, "Users"),
        Op::new("GET", "/admin/api/users/{id}/rights", TAG, "The rights of a user"),
        Op::new("PUT", right, TAG, "Gives a user a right on an API")
            .json(&[("access", "`read` or `write`."), ("paths?:list", "Where the right holds.")]),
        Op::new("DELETE", right, TAG, "Takes a right away").answer(204, "Gone."),
        Op::new("GET", "/admin/api/registrations", TAG, "Registrations that wait"),
        Op::new("POST", "/admin/api/registrations/{client_id}", TAG, "Answers a registration")
            .json(&[("decision", "`approve` or `refuse`.")]),
        Op::new("GET", "/admin/api/audit", TAG, "The audit log"),
    ];
    let mut all = rows(TAG, PAGES);
    let about = "With an access token of the scope `administration`.";
    let locked =
        |op: Op| op.about(about).lock(Lock::Bearer).answer(403, "The token is not good for this.");
    all.extend(programs.map(locked));
    all
}
