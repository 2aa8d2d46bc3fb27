//! Where somebody goes after signing in for a front end: a path of this site, or an address on the operator's list.

use crate::config::Config;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use url::Url;

/// Longer ones are refused.
const LONGEST: usize = 1024;

/// An address that may be returned to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReturnTo(String);

impl ReturnTo {
    /// The address, if it may be returned to: a path of this site that no browser can read as anything else, outside
    /// `/auth`, or one of `bff.return_to`, character by character.
    pub(super) fn parse(config: &Config, text: &str) -> Option<Self> {
        let listed = config.bff.return_to.iter().any(|allowed| allowed == text);
        (listed || is_own_path(config, text)).then(|| Self(text.to_owned()))
    }

    /// The address.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as one word, to be carried along while somebody signs in.
    pub(super) fn word(&self) -> String {
        word_of(&self.0)
    }
}

/// An address as one word.
pub(crate) fn word_of(address: &str) -> String {
    URL_SAFE_NO_PAD.encode(address)
}

/// What a word carries, if it is one. It is an address that came with a request, so it is not gone to but handed to
/// [`LOGIN`](super::LOGIN), which looks at it again.
pub(crate) fn of_word(word: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(word).ok()?;
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty() && text.len() <= LONGEST)
}

/// The address of [`LOGIN`](super::LOGIN) that leads there.
pub(crate) fn through_login(text: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    format!("{}?{}", super::LOGIN, query.append_pair("return_to", text).finish())
}

fn is_own_path(config: &Config, text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && b != b'\\';
    if text.len() > LONGEST || !text.bytes().all(plain) {
        return false;
    }
    if !text.starts_with('/') || text.starts_with("//") {
        return false;
    }
    let Ok(here) = Url::parse(config.issuer().as_str()) else { return false };
    let Ok(there) = here.join(text) else { return false };
    let path = there.path();
    there.origin() == here.origin() && path != "/auth" && !path.starts_with("/auth/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s0_16_only_paths_of_ours_and_listed_addresses_are_returned_to() {
        let mut config = Config::default();
        config.bff.return_to = vec!["https://app.example/done".into()];
        let long = format!("/{}", "a".repeat(LONGEST));
        for (text, good) in [
            ("/", true),
            ("/app/?a=b&c=%2F#there", true),
            ("/authors", true),
            ("https://app.example/done", true),
            ("https://app.example/done/", false),
            ("https://app.example/done?x", false),
            ("https://app.example", false),
            ("", false),
            ("app", false),
            ("//evil.example", false),
            ("///evil.example", false),
            ("/\\evil.example", false),
            ("/.//evil.example\\", false),
            ("\\/evil.example", false),
            ("/\t/evil.example", false),
            ("/ä", false),
            ("/a b", false),
            ("javascript:alert(1)", false),
            ("http://127.0.0.1:4999/", false),
            ("/auth/login?return_to=/", false),
            ("/x/../auth/login", false),
            (long.as_str(), false),
        ] {
            let parsed = ReturnTo::parse(&config, text);
            assert_eq!(parsed.is_some(), good, "{text}");
            if let Some(to) = parsed {
                assert_eq!(of_word(&to.word()).as_deref(), Some(text));
            }
        }
    }

    #[test]
    fn words_that_carry_nothing() {
        for word in ["", "a", "*", "_w"] {
            assert_eq!(of_word(word), None, "{word}");
        }
        assert_eq!(through_login("/a?b=c"), "/auth/login?return_to=%2Fa%3Fb%3Dc");
    }
}
