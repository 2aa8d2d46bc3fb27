//! The types a setting can have: how each is read, shown and described.

use super::secret::Secret;
use config::ValueKind;
use ipnet::IpNet;
use oauth_core::model::{
    Access, Issuer, RedirectUri, ResourceUri, Scope, SigningAlgorithm, UriProblem,
};
use std::{fmt::Write as _, net::IpAddr, path::PathBuf, time::Duration};

/// A type of value in a configuration.
pub(super) trait Setting: Sized {
    /// Whether values are kept out of logs and dumps, and may come from a file named by `<key>_file`.
    const SECRET: bool = false;

    /// The type in words, for the reference.
    fn kind() -> String;

    /// Reads a value; the error says what was expected and never repeats a secret.
    fn read(value: &ValueKind) -> Result<Self, String>;

    /// The value as TOML; `None` where nothing is set.
    fn show(&self) -> Option<String>;
}

/// Text in TOML's basic quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn text(value: &ValueKind) -> Option<&str> {
    match value {
        ValueKind::String(text) => Some(text.trim()),
        _ => None,
    }
}

fn expected<T>(what: &str) -> Result<T, String> {
    Err(format!("expected {what}"))
}

impl Setting for String {
    fn kind() -> String {
        "text".into()
    }
    fn read(value: &ValueKind) -> Result<Self, String> {
        text(value).map(str::to_owned).map_or_else(|| expected("text in quotes"), Ok)
    }
    fn show(&self) -> Option<String> {
        Some(quoted(self))
    }
}

impl Setting for Secret {
    const SECRET: bool = true;
    fn kind() -> String {
        "secret text".into()
    }
    fn read(value: &ValueKind) -> Result<Self, String> {
        match value {
            ValueKind::String(secret) => Ok(Self::new(secret)),
            _ => expected("text in quotes"),
        }
    }
    fn show(&self) -> Option<String> {
        Some(quoted(Self::REDACTED))
    }
}

impl Setting for PathBuf {
    fn kind() -> String {
        "path".into()
    }
    fn read(value: &ValueKind) -> Result<Self, String> {
        text(value).map(Self::from).map_or_else(|| expected("a path in quotes"), Ok)
    }
    fn show(&self) -> Option<String> {
        Some(quoted(&self.to_string_lossy()))
    }
}

impl Setting for bool {
    fn kind() -> String {
        "true or false".into()
    }
    fn read(value: &ValueKind) -> Result<Self, String> {
        match (value, text(value)) {
            (ValueKind::Boolean(b), _) => Ok(*b),
            (_, Some("true" | "1" | "yes" | "on")) => Ok(true),
            (_, Some("false" | "0" | "no" | "off")) => Ok(false),
            _ => expected("true or false"),
        }
    }
    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

fn integer(value: &ValueKind) -> Option<i128> {
    match value {
        ValueKind::I64(n) => Some((*n).into()),
        ValueKind::I128(n) => Some(*n),
        ValueKind::U64(n) => Some((*n).into()),
        ValueKind::String(digits) => digits.trim().parse().ok(),
        _ => None,
    }
}

macro_rules! integers {
    ($($kind:ty),+) => { $(
        impl Setting for $kind {
            fn kind() -> String {
                "whole number".into()
            }
            fn read(value: &ValueKind) -> Result<Self, String> {
                integer(value).and_then(|n| n.try_into().ok()).map_or_else(
                    || expected(&format!("a whole number from {} to {}", Self::MIN, Self::MAX)),
                    Ok,
                )
            }
            fn show(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )+ };
}
integers!(u16, u32);

/// The units of a duration, largest first.
const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

impl Setting for Duration {
    fn kind() -> String {
        "duration: seconds, or a number with s, m, h or d".into()
    }
    fn read(value: &ValueKind) -> Result<Self, String> {
        let seconds = integer(value).and_then(|n| u64::try_from(n).ok()).or_else(|| {
            let text = text(value)?;
            UNITS.iter().find_map(|(unit, seconds)| {
                text.strip_suffix(unit)?.trim_end().parse::<u64>().ok()?.checked_mul(*seconds)
            })
        });
        // A century is enough for everybody, and far from any overflow.
        match seconds.filter(|s| *s <= 100 * 366 * 86_400) {
            Some(seconds) => Ok(Self::from_secs(seconds)),
            None => expected("a duration such as 90, \"90s\", \"15m\", \"2h\" or \"30d\""),
        }
    }
    fn show(&self) -> Option<String> {
        let seconds = self.as_secs();
        let (unit, per) = UNITS
            .into_iter()
            .find(|(_, per)| seconds > 0 && seconds.is_multiple_of(*per))
            .unwrap_or(("s", 1));
        Some(quoted(&format!("{}{unit}", seconds / per)))
    }
}

impl<T: Setting> Setting for Option<T> {
    const SECRET: bool = T::SECRET;
    fn kind() -> String {
        T::kind()
    }
    fn read(value: &ValueKind) -> Result<Self, String> {
        T::read(value).map(Some)
    }
    fn show(&self) -> Option<String> {
        self.as_ref().and_then(T::show)
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn kind() -> String {
        format!("list; each: {}", T::kind())
    }
    fn read(value: &ValueKind) -> Result<Self, String> {
        match value {
            ValueKind::Array(items) => items.iter().map(|v| T::read(&v.kind)).collect(),
            ValueKind::String(line) => line
                .split([',', ' ', '\n'])
                .filter(|s| !s.is_empty())
                .map(|s| T::read(&ValueKind::String(s.to_owned())))
                .collect(),
            _ => expected("a list, or text with commas or spaces between the items"),
        }
    }
    fn show(&self) -> Option<String> {
        let items: Vec<_> = self.iter().filter_map(T::show).collect();
        Some(format!("[{}]", items.join(", ")))
    }
}

/// Types that are text to be parsed: kind, example, parser, writer.
macro_rules! texts {
    ($($kind:ty: $words:literal, $example:literal, $parse:expr, $write:expr;)+) => { $(
        impl Setting for $kind {
            fn kind() -> String {
                $words.into()
            }
            fn read(value: &ValueKind) -> Result<Self, String> {
                let parse: fn(&str) -> Result<Self, String> = $parse;
                let what = || format!("expected {} such as {}", $words, $example);
                let text = text(value).ok_or_else(what)?;
                parse(text).map_err(|why| if why.is_empty() { what() } else { format!("{}: {why}", what()) })
            }
            fn show(&self) -> Option<String> {
                let write: fn(&Self) -> String = $write;
                Some(quoted(&write(self)))
            }
        }
    )+ };
}

fn plain<T, E>(parsed: Result<T, E>) -> Result<T, String> {
    parsed.map_err(|_| String::new())
}

fn uri<T>(parsed: Result<T, UriProblem>) -> Result<T, String> {
    parsed.map_err(|problem| problem.to_string())
}

texts! {
    IpAddr: "IP address", "127.0.0.1", |t| plain(if t == "localhost" { Ok(std::net::Ipv4Addr::LOCALHOST.into()) } else { t.parse() }), Self::to_string;
    IpNet: "network", "10.0.0.0/8", |t| plain(t.parse().or_else(|_| t.parse::<IpAddr>().map(IpNet::from))), Self::to_string;
    Issuer: "https URL without query", "https://auth.example.org", |t| uri(Issuer::danger_parse_insecure(t)), Self::to_string;
    RedirectUri: "redirect URI", "https://app.example.org/callback", |t| uri(RedirectUri::parse(t)), Self::to_string;
    ResourceUri: "absolute URI", "https://api.example.org", |t| uri(ResourceUri::parse(t)), |v| v.as_str().to_owned();
    Scope: "scope tokens separated by spaces", "\"read write\"", |t| Scope::parse(t).ok_or_else(String::new), Self::to_string;
    SigningAlgorithm: "ES256, EdDSA, RS256, RS512 or PS256", "ES256", |t| SigningAlgorithm::parse(t).ok_or_else(String::new), Self::to_string;
}

impl Setting for Access {
    fn kind() -> String {
        "`none`, `read` or `write`".into()
    }
    fn read(value: &ValueKind) -> Result<Self, String> {
        text(value).and_then(Self::parse).map_or_else(|| expected("none, read or write"), Ok)
    }
    fn show(&self) -> Option<String> {
        Some(quoted(self.as_str()))
    }
}

/// Declares an enum whose variants are words of the configuration and of the command line.
macro_rules! words {
    ($(#[doc = $about:literal])+ $name:ident { $($(#[doc = $text:literal])+ $variant:ident = $word:literal $(| $alias:literal)*),+ $(,)? }) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[doc = $text])+ $variant),+ }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Other words for it.
            pub const fn aliases(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($alias),*]),+ }
            }

            /// Reads the word back.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.as_str() == word || v.aliases().contains(&word))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::config::setting::Setting for $name {
            fn kind() -> String {
                let words: Vec<_> = Self::ALL.iter().map(|v| format!("`{v}`")).collect();
                format!("one of {}", words.join(", "))
            }
            fn read(value: &config::ValueKind) -> Result<Self, String> {
                let config::ValueKind::String(word) = value else {
                    return Err(format!("expected {}", Self::kind()));
                };
                Self::parse(word.trim()).ok_or_else(|| format!("expected {}", Self::kind()))
            }
            fn show(&self) -> Option<String> {
                Some(format!("\"{self}\""))
            }
        }

        impl clap::ValueEnum for $name {
            fn value_variants<'a>() -> &'a [Self] {
                Self::ALL
            }
            fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
                Some(clap::builder::PossibleValue::new(self.as_str()).aliases(self.aliases()))
            }
        }
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Setting>(text: &str) -> Result<T, String> {
        T::read(&ValueKind::String(text.into()))
    }

    #[test]
    fn durations() {
        for (text, seconds) in
            [("0", 0), ("90", 90), ("90s", 90), ("15m", 900), ("2 h", 7200), ("30d", 2_592_000)]
        {
            assert_eq!(read::<Duration>(text).unwrap().as_secs(), seconds, "{text}");
        }
        for bad in ["", "-1", "1w", "1.5h", "h", "99999999999999999999d", "18446744073709551615"] {
            assert!(read::<Duration>(bad).is_err(), "{bad}");
        }
        assert_eq!(Duration::from_hours(2).show().unwrap(), "\"2h\"");
        assert_eq!(Duration::from_secs(61).show().unwrap(), "\"61s\"");
        assert_eq!(Duration::ZERO.show().unwrap(), "\"0s\"");
    }

    #[test]
    fn numbers_keep_their_bounds_and_secrets_their_zeros() {
        assert_eq!(read::<u16>("0080").unwrap(), 80);
        assert_eq!(read::<u16>("65536").unwrap_err(), "expected a whole number from 0 to 65535");
        assert!(u16::read(&ValueKind::Float(1.0)).is_err());
        assert_eq!(read::<Secret>("00123").unwrap().reveal(), "00123");
    }

    #[test]
    fn lists_come_from_arrays_and_from_lines() {
        assert_eq!(read::<Vec<u16>>("1, 2 3").unwrap(), [1, 2, 3]);
        assert_eq!(read::<Vec<IpNet>>("10.0.0.0/8,::1").unwrap().len(), 2);
        assert!(read::<Vec<u16>>("1,x").is_err());
    }

    #[test]
    fn text_is_quoted_for_toml() {
        assert_eq!(quoted("a\"b\\c\n\u{1}"), "\"a\\\"b\\\\c\\n\\u0001\"");
    }
}
