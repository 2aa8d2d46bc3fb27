//! Secrets of the configuration: readable by name only, wiped from memory.

use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// A secret from the configuration. `Debug` and dumps do not show it.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// What stands in its place in dumps.
    pub const REDACTED: &'static str = "(secret)";

    /// Wraps the text.
    pub fn new(text: &str) -> Self {
        Self(SecretString::from(text))
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether it is one of the words people put where a secret should be, or plainly made up by hand in a hurry.
    pub fn is_placeholder(&self) -> bool {
        let word = self.reveal().trim().to_lowercase();
        let bare: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
        let letters = bare.trim_end_matches(|c: char| c.is_ascii_digit());
        let only_digits = letters.is_empty() && bare.len() < 12;
        only_digits
            || PLACEHOLDERS.contains(&letters)
            || PLACEHOLDERS.contains(&bare.as_str())
            || kinds(&word) < 4
    }

    /// Whether it can pass for a generated secret: 32 characters or more, of 10 kinds or more, and no placeholder.
    pub fn is_strong(&self) -> bool {
        self.reveal().chars().count() >= 32 && kinds(self.reveal()) >= 10 && !self.is_placeholder()
    }
}

/// How many different characters there are.
fn kinds(text: &str) -> usize {
    text.chars().collect::<std::collections::BTreeSet<_>>().len()
}

/// Words that are no secrets, as letters and digits only.
const PLACEHOLDERS: &[&str] = &[
    "admin",
    "changeit",
    "changeme",
    "changethis",
    "clientsecret",
    "default",
    "demo",
    "example",
    "fixme",
    "guest",
    "insecure",
    "letmein",
    "mysecret",
    "oauth",
    "pass",
    "passw0rd",
    "password",
    "placeholder",
    "postgres",
    "qwerty",
    "replaceme",
    "root",
    "s3cr3t",
    "sample",
    "secret",
    "supersecret",
    "test",
    "tbd",
    "todo",
    "topsecret",
    "user",
    "valid",
    "welcome",
    "yoursecret",
    "yoursecrethere",
];

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_recognised() {
        for bad in [
            "changeme",
            "Change-Me!",
            "secret",
            "qwerty",
            "password123",
            "<your-secret>",
            "1234",
            "",
            "xxxxxxxxxxxxxxxx",
            "postgres",
        ] {
            assert!(Secret::new(bad).is_placeholder(), "{bad}");
        }
        for fine in ["bob-pass", "correct horse battery staple", "kQ3vX9z0"] {
            assert!(!Secret::new(fine).is_placeholder(), "{fine}");
        }
    }

    #[test]
    fn strong_is_what_a_generator_makes() {
        assert!(Secret::new("fN3kqv8zR1w0YcTt5LxJm2Ph7UeSbGaD").is_strong());
        for weak in ["fN3kqv8zR1w0", "abababababababababababababababababab", "changeme"] {
            assert!(!Secret::new(weak).is_strong(), "{weak}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("hush")), "Secret(..)");
    }
}
