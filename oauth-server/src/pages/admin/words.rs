//! What happened, in words.

/// What happened just now, named by a word in the query.
pub(super) fn notice(word: &str) -> Option<&'static str> {
    Some(match word {
        "rotated" => "The next key is published. It signs when everybody has had time to fetch it.",
        "rotated_now" => "A new key signs from now on. Other servers notice within a minute.",
        "retired" => "The key is withdrawn. Other servers notice within a minute.",
        "was_retired" => "That key was withdrawn before. Nothing was changed.",
        "already" => "This was done already. Nothing was changed again.",
        "made_before" => {
            "This token was made already, and was shown then. Revoke it and make another one if you lost it."
        }
        "revoked" => "The token no longer works. Clients that were registered with it stay.",
        "no_token" => "That token did not work any more already.",
        "deleted" => "The client is deleted, with every token it had.",
        "disabled" => {
            "This person is locked out: every session has ended, and every authorization is revoked."
        }
        "enabled" => "This person may sign in again.",
        "promoted" => "This person is an administrator now.",
        "demoted" => "This person is no longer an administrator.",
        "factors_reset" => "The second factor and the passkeys of this person are gone.",
        "signed_out" => "This person is signed out everywhere.",
        "verified" => "Said to be verified.",
        "unverified" => "Said to be not verified.",
        "address_taken" => {
            "Another user has this e-mail address, and confirmed it. Nothing was changed."
        }
        "changed" => {
            "It is no longer what this page showed, so nothing was changed. Look at what it is now."
        }
        "approved" => "The client is approved. It may act from now on.",
        "refused" => "The client is refused, and removed.",
        "answered" => {
            "Somebody else has answered already, or the client has changed itself and asks again. Nothing was changed."
        }
        "rights" => "The right is set. It counts from the next token on.",
        _ => return None,
    })
}
