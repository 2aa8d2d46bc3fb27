//! The forms of the user service: what they take depends on whether they arrive encrypted, and who may send them on
//! whether a guest token is asked for.

use crate::{
    config::{Forms, Salt},
    docs::{Field, Lock, Op},
};

const TAG: &str = "User service";
const WAIT: &str = "Too many attempts: `Retry-After` says how long to wait.";
const REFUSED: &str = "Something is not acceptable: `errors` says what, field by field (RFC 9457).";
const WRONG: &str = "Name or password is wrong: nobody is told which.";
const WRONG_OR_UNREADABLE: &str = "Name or password is wrong, or what is encrypted cannot be read or was used before: nobody is told which. Or there is no guest token, where one is needed.";
const TOKEN: Field = ("token", "The token of a letter. It is used once.");

const EMAIL: Field = ("email_encrypt", "The name or a confirmed address, encrypted, in base64.");
const PASSWORD: Field =
    ("pwd_encrypt", "The password, encrypted, in base64. The same ciphertext is read once.");
const FORM: Field = (
    "form",
    "A compact JWE (RSA-OAEP-256, A256GCM) of a JSON object with `email`, `pwd`, `iat` in seconds, and the `jti` of the guest token that comes along. It is read once, within five minutes.",
);

const PLAIN: &str = "Sent as it is, protected by TLS.";
const YES: &str = "Encrypted with RSA-OAEP-256 to the key at `/api/auth/features`, field by field or as one JWE; it is refused as it is. This does not replace TLS: whoever can alter the page can alter the key. It gives no forward secrecy before the key is deleted. Its one use is to keep names and passwords out of the logs of proxies and filters.";
const JSENCRYPT: &str = "Encrypted with PKCS #1 v1.5 to the key at `/api/auth/features`, field by field, for old front ends; it is refused as it is. Use RSA-OAEP-256 where you can. This does not replace TLS: whoever can alter the page can alter the key. It gives no forward secrecy before the key is deleted. Its one use is to keep names and passwords out of the logs of proxies and filters.";

pub(super) fn describe(forms: &Forms) -> Vec<Op> {
    vec![features(), register(forms), login(forms), forgot(forms), reset(forms)]
}

fn features() -> Op {
    Op::new("GET", "/api/auth/features", TAG, "What a front end has to know before it asks for a password")
        .about("`form_encryption` is `no`, `yes` or `jsencrypt`; `public_key` is what forms are encrypted to; `guest_token_required` says whether a guest token must come with them, which slows programs down and is no authentication.")
}

/// What all of them have in common.
fn form(forms: &Forms, path: &'static str, what: &'static str) -> Op {
    let about = match forms.salt {
        Salt::No => PLAIN,
        Salt::Yes => YES,
        Salt::Jsencrypt => JSENCRYPT,
    };
    let op = Op::new("POST", path, TAG, what).about(about).answer(429, WAIT);
    match forms.salt {
        Salt::No => op,
        _ => op.answer(400, "It is not encrypted, or members are missing."),
    }
}

/// Where a guest token is asked for.
fn gated(forms: &Forms, op: Op) -> Op {
    if forms.anojwt {
        op.lock(Lock::Guest).answer(403, "The token is not the one of a guest.")
    } else {
        op
    }
}

fn wrong(forms: &Forms) -> &'static str {
    if forms.salt == Salt::No && !forms.anojwt { WRONG } else { WRONG_OR_UNREADABLE }
}

/// The request, plain or encrypted, with what is never encrypted.
fn takes(forms: &Forms, op: Op, (plain, fields): (&[Field], &[Field]), rest: &[Field]) -> Op {
    let with = |fields: &[Field]| [fields, rest].concat();
    match forms.salt {
        Salt::No => op.json(&with(plain)),
        Salt::Yes => op.json_one_of(&[&with(fields), &with(&[FORM])]),
        Salt::Jsencrypt => op.json(&with(fields)),
    }
}

const GUEST: Field = ("guest_token?", "The access token of the guest who becomes this user.");

fn register(forms: &Forms) -> Op {
    let op = form(forms, "/api/register", "Signs up")
        .answer(202, "Done; an address that is taken gets the same answer.")
        .answer(409, "The user name is taken.")
        .answer(422, REFUSED);
    let op = if forms.salt == Salt::No { op } else { op.answer(401, wrong(forms)) };
    let plain: [Field; 2] = [("email?", "The e-mail address."), ("password", "The password.")];
    let fields = [("email_encrypt?", EMAIL.1), PASSWORD];
    let rest = [
        ("username?", "The name to sign in with."),
        ("name?", "The whole name."),
        ("given_name?", "The given name."),
        ("family_name?", "The family name."),
        ("locale?", "The language, such as `en-GB`."),
        ("agreement?:boolean", "Whether the person agrees to the terms."),
        GUEST,
    ];
    gated(forms, takes(forms, op, (&plain, &fields), &rest))
}

fn login(forms: &Forms) -> Op {
    let op = form(forms, "/api/login", "Tokens for a password").answer(401, wrong(forms));
    let plain = [("username", "The name or a confirmed address."), ("password", "The password.")];
    gated(forms, takes(forms, op, (&plain, &[EMAIL, PASSWORD]), &[GUEST]))
}

fn forgot(forms: &Forms) -> Op {
    let what = "Sends a letter about a forgotten password";
    let op = form(forms, "/api/forgot-password", what)
        .answer(202, "Always: nobody learns whether there is such an account, or whether what is encrypted could be read.");
    let plain = [("email", "The address, or the name.")];
    gated(forms, takes(forms, op, (&plain, &[EMAIL]), &[]))
}

fn reset(forms: &Forms) -> Op {
    let op = form(forms, "/api/reset-password", "Replaces a forgotten password")
        .answer(204, "Done. Every session and every token of the user has ended.")
        .answer(422, REFUSED);
    let op = match forms.salt {
        Salt::No => op.answer(400, "The token is not good."),
        _ => op.answer(401, wrong(forms)),
    };
    takes(forms, op, (&[("password", "The password.")], &[PASSWORD]), &[TOKEN])
}
