//! Which of the texts that a client registered in several languages
//! ([OpenID Connect Registration 2.1](https://openid.net/specs/openid-connect-registration-1_0.html#LanguagesAndScripts))
//! somebody is shown.

use http::{HeaderMap, header};
use std::{cmp::Reverse, collections::BTreeMap};

/// More preferences than anybody has.
const MOST: usize = 20;
/// Longer than any tag that a client may register.
const LONGEST: usize = 35;

/// The languages that somebody understands, the best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Languages(Vec<String>);

impl Languages {
    /// Those that the client names in `ui_locales`, then those that the browser names in `Accept-Language`.
    pub(super) fn of(ui_locales: &[String], headers: &HeaderMap) -> Self {
        let lines = headers.get_all(header::ACCEPT_LANGUAGE).iter();
        let accepted = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
        let mut accepted: Vec<_> = accepted.filter_map(range).take(MOST).collect();
        accepted.sort_by_key(|(_, weight)| Reverse(*weight));
        let accepted = accepted.into_iter().map(|(language, _)| language.to_owned());
        let all = ui_locales.iter().take(MOST).cloned().chain(accepted);
        Self(all.filter(|language| language.len() <= LONGEST).collect())
    }

    /// The text of this name in the best of the languages, with its tag; nothing where only the untagged one is left.
    ///
    /// A more general language serves for a special one, `de` for `de-AT`
    /// ([RFC 4647 3.4](https://www.rfc-editor.org/rfc/rfc4647#section-3.4)), and a special one for the general one
    /// ([RFC 4647 3.3.1](https://www.rfc-editor.org/rfc/rfc4647#section-3.3.1)).
    pub(super) fn choose<'t>(
        &self,
        texts: &'t BTreeMap<String, String>,
        name: &str,
    ) -> Option<(&'t str, &'t str)> {
        let tagged: Vec<(&str, &str)> = texts
            .iter()
            .filter_map(|(key, text)| Some((key.strip_prefix(name)?.strip_prefix('#')?, &**text)))
            .collect();
        let best = |language: &String| {
            let mut general = Some(language.as_str());
            while let Some(language) = general {
                if let Some(found) = tagged.iter().find(|(t, _)| t.eq_ignore_ascii_case(language)) {
                    return Some(*found);
                }
                general = language.rsplit_once('-').map(|(shorter, _)| shorter);
            }
            tagged.iter().find(|(tag, _)| is_special(tag, language)).copied()
        };
        self.0.iter().find_map(best)
    }
}

/// A language with its weight in thousandths; nothing where it is not wanted, or is not one
/// ([RFC 9110 12.5.4](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4)).
fn range(text: &str) -> Option<(&str, u16)> {
    let (language, weight) = text.split_once(';').unwrap_or((text, "q=1"));
    let weight = weight.trim().strip_prefix("q=")?;
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    let part: u16 = format!("{part:0<3}").get(..3)?.parse().ok()?;
    let weight = whole.parse::<u16>().ok()?.checked_mul(1000)?.checked_add(part)?;
    let language = language.trim();
    (weight > 0 && !language.is_empty() && language != "*").then_some((language, weight))
}

/// Whether a tag is the language with something more, as `de-CH` is `de`.
fn is_special(tag: &str, language: &str) -> bool {
    tag.split_at_checked(language.len())
        .is_some_and(|(begin, rest)| begin.eq_ignore_ascii_case(language) && rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn languages(ui_locales: &str, accepted: &[&'static str]) -> Languages {
        let mut headers = HeaderMap::new();
        for line in accepted {
            headers.append(header::ACCEPT_LANGUAGE, HeaderValue::from_static(line));
        }
        let ui_locales: Vec<_> = ui_locales.split_whitespace().map(str::to_owned).collect();
        Languages::of(&ui_locales, &headers)
    }

    #[test]
    fn the_client_is_heard_before_the_browser() {
        for (ui_locales, accepted, expected) in [
            ("", &[][..], &[][..]),
            ("de fr", &["en"], &["de", "fr", "en"]),
            ("", &["da, en-GB;q=0.8, en;q=0.75"], &["da", "en-GB", "en"]),
            ("", &["en;q=0.5,  de ; q=0.9 ,fr"], &["fr", "de", "en"]),
            ("", &["en;q=0.5", "de"], &["de", "en"]),
            ("", &["a, b, c;q=1.0, d;q=0.999, e;q=0.1"], &["a", "b", "c", "d", "e"]),
            ("", &["de;q=0, *, fr;q=0.000, en"], &["en"]),
            ("", &["de;q=x, ;q=1, fr;level=1, it;q=, es;q=-1, en;q=0.5"], &["en"]),
        ] {
            assert_eq!(languages(ui_locales, accepted).0, expected, "{ui_locales} {accepted:?}");
        }
        let many = "a,".repeat(1000);
        let headers = HeaderMap::from_iter([(
            header::ACCEPT_LANGUAGE,
            HeaderValue::from_str(&many).unwrap(),
        )]);
        assert_eq!(Languages::of(&vec!["b".into(); 1000], &headers).0.len(), 2 * MOST);
        assert_eq!(Languages::of(&["a-".repeat(18)], &HeaderMap::new()).0, [""; 0]);
    }

    #[test]
    fn the_text_is_in_the_best_language_there_is() {
        let texts: BTreeMap<String, String> = [
            ("client_name#de", "Kamerawand"),
            ("client_name#pt-BR", "Parede"),
            ("client_name#zh-Hant-TW", "墻"),
            ("client_uri#fr", "https://c.example/fr"),
            ("logo_uri", "https://c.example/logo.png"),
        ]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .into();
        for (wanted, expected) in [
            ("", None),
            ("en", None),
            ("de", Some("de")),
            ("DE", Some("de")),
            ("de-AT", Some("de")),
            ("de-AT-1996", Some("de")),
            ("d", None),
            ("den", None),
            ("pt", Some("pt-BR")),
            ("pt-br", Some("pt-BR")),
            ("pt-PT", None),
            ("zh-Hant", Some("zh-Hant-TW")),
            ("zh", Some("zh-Hant-TW")),
            ("en pt de", Some("pt-BR")),
            ("- é 墻", None),
        ] {
            let chosen = languages(wanted, &[]).choose(&texts, "client_name");
            assert_eq!(chosen.map(|(tag, _)| tag), expected, "{wanted}");
        }
        let chosen = languages("de fr", &[]).choose(&texts, "client_uri");
        assert_eq!(chosen, Some(("fr", "https://c.example/fr")), "each text by itself");
        assert_eq!(languages("de", &[]).choose(&texts, "logo_uri"), None);
        assert_eq!(languages("de", &[]).choose(&texts, "client"), None);
    }
}
