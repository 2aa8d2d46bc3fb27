//! A browser in words, from what it calls itself.
//!
//! Every browser claims to be many others, so the marks are looked for from the most to the least particular. What
//! has no mark that is known here is shown as it is: a wrong name is worse than an ugly one.

use crate::registration::is_deceptive;

/// Browsers by a mark that is in their user agents and in those of none further down.
const BROWSERS: [(&str, &str); 13] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    // Only Safari calls its version by that word.
    ("Version/", "Safari"),
    ("Trident/", "Internet Explorer"),
];

/// Systems in the same way: Android names Linux too, and an iPhone names Mac OS X.
const SYSTEMS: [(&str, &str); 8] = [
    ("Windows NT", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
    ("X11", "Unix"),
];

/// Characters of a user agent that are enough to recognise it by.
const ENOUGH: usize = 60;

/// A short name, such as *Firefox on Linux*.
pub(in crate::pages) fn name(user_agent: Option<&str>) -> String {
    let text: String = user_agent.unwrap_or_default().trim().to_owned();
    if text.is_empty() {
        return "A browser that does not say which".into();
    }
    // Programs that are no browsers do not begin like this.
    let known = text.starts_with("Mozilla/5.0 (").then(|| find(&BROWSERS, &text)).flatten();
    match (known, find(&SYSTEMS, &text)) {
        // An Android app that shows pages says Version/ too, and is no Safari.
        (Some("Safari"), Some("Android")) | (None, _) => shortened(&text),
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
    }
}

fn find(marks: &[(&str, &'static str)], text: &str) -> Option<&'static str> {
    marks.iter().find(|(mark, _)| text.contains(mark)).map(|(_, name)| *name)
}

fn shortened(text: &str) -> String {
    let shown = text.chars().filter(|&c| !is_deceptive(c));
    if text.chars().count() <= ENOUGH {
        return shown.collect();
    }
    shown.take(ENOUGH).chain(['\u{2026}']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_named_by_their_own_mark() {
        for (agent, words) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 OPR/120.0.0.0",
                "Opera on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                "Chrome on macOS",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1",
                "Chrome on iPad",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 Mobile/15E148 Safari/605.1.15",
                "Firefox on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Samsung Internet on Android",
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                "Chrome on ChromeOS",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36",
                "Chrome on Linux",
            ),
            (
                "Mozilla/5.0 (X11; FreeBSD amd64; rv:128.0) Gecko/20100101 Firefox/128.0",
                "Firefox on Unix",
            ),
            ("Mozilla/5.0 (compatible) Firefox/1", "Firefox"),
        ] {
            assert_eq!(name(Some(agent)), words, "{agent}");
        }
    }

    #[test]
    fn what_is_not_known_is_shown_as_it_is() {
        assert_eq!(name(None), "A browser that does not say which");
        assert_eq!(name(Some("  ")), "A browser that does not say which");
        assert_eq!(name(Some("curl/8.15.0")), "curl/8.15.0");
        assert_eq!(
            name(Some("Tool/1 (like Firefox/128.0; Linux)")),
            "Tool/1 (like Firefox/128.0; Linux)"
        );
        assert_eq!(name(Some("a\u{202e}b")), "ab");
        let view = "Mozilla/5.0 (Linux; U; Android 4.4; de-de) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30";
        assert_eq!(
            name(Some(view)),
            "Mozilla/5.0 (Linux; U; Android 4.4; de-de) AppleWebKit/534.3\u{2026}"
        );
    }
}
