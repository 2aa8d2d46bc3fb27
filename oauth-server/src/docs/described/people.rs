//! The user service and browser sessions for front ends.

use crate::docs::{Field, Lock, Op};

const TAG: &str = "User service";
const REFUSED: &str = "Something is not acceptable: `errors` says what, field by field (RFC 9457).";
const WAIT: &str = "Too many attempts: `Retry-After` says how long to wait.";
const TOKEN: Field = ("token", "The token of a letter. It is used once.");

pub(super) fn describe() -> Vec<Op> {
    let mut all = open();
    all.extend(own());
    all.extend(others());
    all.extend(front());
    all
}

fn open() -> Vec<Op> {
    let post = |path: &'static str, what| Op::new("POST", path, TAG, what).answer(429, WAIT);
    vec![
        post("/api/guest", "Tokens for a guest")
            .about("A guest token is nobody's. It slows programs down and proves nothing."),
        post("/api/refresh", "Other tokens for a refresh token")
            .json(&[("refresh_token", "A refresh token. It is used once.")])
            .answer(401, "It is not good."),
        post("/api/confirm-email", "Confirms an address")
            .json(&[TOKEN])
            .answer(400, "The token is not good."),
        post("/api/confirm-new-email", "Confirms another address")
            .json(&[TOKEN])
            .answer(400, "The token is not good."),
        post("/api/undo-email", "Takes a change of the address back")
            .json(&[TOKEN])
            .answer(400, "The token is not good."),
    ]
}

fn own() -> Vec<Op> {
    let op = |method, path: &'static str, what| Op::new(method, path, TAG, what).lock(Lock::Bearer);
    vec![
        op("POST", "/api/logout", "Ends the token and what belongs to it").answer(204, "Done."),
        op("GET", "/api/users/me", "Oneself"),
        op("PATCH", "/api/users/me", "Changes oneself")
            .about("A JSON object with the fields to change (RFC 7396); `If-Match` names what is changed. Fields that one may not write are refused by name.")
            .json(&[("profile?:object", "Claims to change."), ("visibility?:object", "Who sees what.")])
            .answer(412, "Somebody else changed it meanwhile.")
            .answer(422, REFUSED)
            .answer(428, "`If-Match` is missing."),
        op("DELETE", "/api/users/me", "Deletes oneself").answer(204, "Gone."),
        op("POST", "/api/users/me/email", "Another address")
            .json(&[("email", "The new address, which a letter goes to.")])
            .answer(202, "A letter is on its way."),
        op("POST", "/api/users/me/email/confirmation", "The letter about the address once more"),
        op("POST", "/api/users/me/password", "Another password").json(&[
            ("current_password", "The present one."),
            ("new_password", "The new one."),
        ]),
        op("GET", "/api/users/me/sessions", "Where one is signed in"),
        op("DELETE", "/api/users/me/sessions", "Signs out everywhere else").answer(204, "Done."),
        op("DELETE", "/api/users/me/sessions/{id}", "Signs out there").answer(204, "Done."),
    ]
}

fn others() -> Vec<Op> {
    let op = |method, path: &'static str, what| Op::new(method, path, TAG, what).lock(Lock::Bearer);
    vec![
        op("GET", "/api/users", "Users, as far as one may see them").query(&[
            ("search?", "A text they mention."),
            ("after?", "The id behind which to go on."),
            ("limit?:integer", "So many."),
        ]),
        op("GET", "/api/users/{id}", "A user, as far as one may see it")
            .answer(404, "There is none that one may see."),
        op("PATCH", "/api/users/{id}", "Changes a user")
            .about("For staff and administrators, who may write different fields.")
            .json(&[
                ("profile?:object", "Claims to change."),
                ("role?", "What the user is to the server."),
            ])
            .answer(403, "Not for whoever asks, or not these fields."),
        op("DELETE", "/api/users/{id}", "Deletes a user")
            .about("For administrators.")
            .answer(204, "Gone."),
    ]
}

fn front() -> Vec<Op> {
    const TAG: &str = "Browser sessions for front ends";
    let mut all = Vec::new();
    for base in ["/auth", "/api/v1/auth"] {
        all.extend([
            Op::page(
                "GET",
                format!("{base}/login"),
                TAG,
                "Where front ends send people to sign in",
            )
            .query(&[("return_to?", "Where to go afterwards.")])
            .answer(303, "To the page where one signs in."),
            Op::new("POST", format!("{base}/refresh"), TAG, "Goes on with the session")
                .lock(Lock::Front),
            Op::new("POST", format!("{base}/logout"), TAG, "Ends the session").lock(Lock::Front),
            Op::new("DELETE", format!("{base}/logout"), TAG, "Ends the session").lock(Lock::Front),
            Op::new("POST", format!("{base}/authorized"), TAG, "Whether the session is good")
                .lock(Lock::Front),
        ]);
    }
    all.push(
        Op::new("GET", "/auth/session", TAG, "Who is signed in, and the CSRF token")
            .lock(Lock::Session)
            .answer(401, "Nobody is."),
    );
    all.extend([
        Op::new(
            "GET",
            "/api/v1/auth/oauth2callback",
            TAG,
            "Nothing: sign-ins come back to `/login/from/{provider}`",
        )
        .answer(410, "It is gone."),
        Op::new("GET", "/api/v1/users/me", TAG, "Who is signed in").lock(Lock::Front),
        Op::new("GET", "/api/v1/users/{id}", TAG, "A user").lock(Lock::Bearer),
        Op::new("GET", "/api/v1/users/by_username/{name}", TAG, "A user by name")
            .lock(Lock::Bearer),
    ]);
    all
}
