//! The section about encrypted forms and the guest token that has to come with them.

use super::{Config, Problems, section::sections, setting::words};
use std::time::Duration;

words! {
    /// Whether the forms of the user service arrive encrypted, and how.
    Salt {
        /// They arrive as they are.
        No = "no",
        /// With RSA-OAEP-256, field by field or as one JWE.
        Yes = "yes",
        /// Field by field with PKCS #1 v1.5, as old front ends do it.
        Jsencrypt = "jsencrypt",
    }
}

sections! {
    /// Encrypted forms and the gate for guests, for the sign-in, sign-up and forgotten-password operations below `/api`.
    /// Neither takes the place of TLS: see [encrypted forms](encrypted-forms.md).
    Forms ["forms"] {
        /// Whether names and passwords arrive encrypted: `no`; `yes`, with RSA-OAEP-256, field by field or as one JWE;
        /// or `jsencrypt`, with PKCS #1 v1.5 for front ends that can do no better. Where it is not `no`, they are refused
        /// as they are. It keeps passwords out of the logs of proxies and is worth nothing without TLS.
        salt: Salt = Salt::No,
        /// Whether a valid guest token must come with them. It slows programs down and proves nothing.
        anojwt: bool = false,
        /// How long front ends are given one key to encrypt with before the next one.
        key_lifetime: Duration = Duration::from_hours(30 * 24),
        /// How long a key still decrypts after the next one has come. Then it is deleted, and what was encrypted with it
        /// can be read by nobody any more.
        key_overlap: Duration = Duration::from_hours(24),
    }
}

/// Notes what does not fit together.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    let forms = &config.forms;
    if forms.anojwt && !config.accounts.guest_tokens {
        problems.add("forms.anojwt", "needs guest tokens, and accounts.guest_tokens is false");
    }
    if forms.key_lifetime < Duration::from_hours(1) {
        problems.add("forms.key_lifetime", "must be an hour or longer");
    }
    if forms.key_overlap < Duration::from_mins(10) {
        let what = "must be 10 minutes or longer: people who are typing have the old key";
        problems.add("forms.key_overlap", what);
    }
}
