//! Rights of people and clients on APIs: as texts of the configuration, as they are checked, and for programs.

use crate::registration::is_deceptive;
use oauth_core::model::{Access, AccessRight, UserId};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The most characters of a path pattern.
const LONGEST_PATH: usize = 200;
/// The most patterns for one API, to read and to write apart.
const MOST_PATHS: usize = 50;
/// The most bytes of all patterns of a user together. They travel in every access token, in base64, and a token must
/// stay well under the 8 KB that servers take in a header.
const MOST_BYTES: usize = 3600;

/// The pattern for everywhere.
const EVERYWHERE: &str = "*";

/// A right in its plainest form, if it may stand beside the other rights of the user; else what is wrong, as a
/// sentence.
pub fn check(right: AccessRight, others: &[AccessRight]) -> Result<AccessRight, &'static str> {
    let right = plain(right);
    for paths in [&right.paths, &right.write_paths] {
        if paths.len() > MOST_PATHS || paths.iter().any(|p| p.chars().count() > LONGEST_PATH) {
            return Err("Give at most 50 paths of at most 200 characters.");
        }
        if !paths.iter().all(|path| is_pattern(path)) {
            return Err(
                "Give one path on each line, such as single/*, without spaces and without a slash before it.",
            );
        }
    }
    if others.iter().chain([&right]).map(bytes).sum::<usize>() > MOST_BYTES {
        return Err(
            "These are too many paths for one person: they would not fit into an access token. Use patterns such as single/*.",
        );
    }
    Ok(right)
}

/// Without what says nothing: patterns for what is not allowed, and the same patterns twice.
fn plain(right: AccessRight) -> AccessRight {
    let paths = if right.access == Access::None { Vec::new() } else { right.paths };
    let told = right.access == Access::Write && right.write_paths != paths;
    let write_paths = if told { right.write_paths } else { Vec::new() };
    AccessRight { paths, write_paths, ..right }
}

fn is_pattern(path: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || is_deceptive(c);
    !path.is_empty() && !path.starts_with('/') && !path.chars().any(odd)
}

/// How much a token grows by the patterns of a right: by those for reading, and by those for writing.
fn bytes(right: &AccessRight) -> usize {
    let of = |paths: &[String]| paths.iter().map(|path| path.len() + 3).sum::<usize>();
    let written = if right.access == Access::Write { of(right.written_paths()) } else { 0 };
    of(&right.paths) + written
}

/// The right as text, for people and the audit log: `write on connection: single/*`.
pub fn words(right: &AccessRight) -> String {
    let mut text = format!("{} on {}: {}", right.access.as_str(), right.api, right.paths.join(" "));
    if !right.write_paths.is_empty() {
        text.push_str("; to write: ");
        text.push_str(&right.write_paths.join(" "));
    }
    text
}

/// A right for programs.
pub fn described(right: &AccessRight) -> Value {
    json!({
        "api": right.api,
        "access": right.access.as_str(),
        "paths": right.paths,
        "write_paths": right.write_paths,
    })
}

/// One text of the configuration: `connection:write`, or `connection:write:single/*`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Written<'a> {
    api: &'a str,
    access: Access,
    path: Option<&'a str>,
}

fn written(text: &str) -> Option<Written<'_>> {
    let (api, rest) = text.split_once(':')?;
    let (access, path) = rest.split_once(':').map_or((rest, None), |(a, path)| (a, Some(path)));
    let access = Access::parse(access)?;
    let fits = path.is_none_or(|path| access != Access::None && is_pattern(path));
    (!api.is_empty() && fits).then_some(Written { api, access, path })
}

/// What several texts say together about one API.
#[derive(Default)]
struct Together {
    none: bool,
    read: Vec<String>,
    write: Vec<String>,
}

impl Together {
    fn add(&mut self, text: &Written<'_>) {
        let path = text.path.unwrap_or(EVERYWHERE).to_owned();
        match text.access {
            Access::None => self.none = true,
            Access::Read => self.read.push(path),
            Access::Write => self.write.push(path),
        }
    }

    /// None where one of them takes back what another one gives.
    fn right(self, user: UserId, api: &str) -> Option<AccessRight> {
        let everywhere = |paths: &[String]| paths.iter().any(|path| path == EVERYWHERE);
        if self.none {
            let alone = self.read.is_empty() && self.write.is_empty();
            return alone.then(|| AccessRight::new(user, api, Access::None));
        }
        let access = if self.write.is_empty() { Access::Read } else { Access::Write };
        // Whoever may write reads there, unless it is said where to read.
        let (paths, write_paths) =
            if self.read.is_empty() { (self.write, Vec::new()) } else { (self.read, self.write) };
        let paths = if everywhere(&paths) { Vec::new() } else { paths };
        let told = if everywhere(&write_paths) && !paths.is_empty() {
            vec![EVERYWHERE.to_owned()]
        } else if everywhere(&write_paths) {
            Vec::new()
        } else {
            write_paths
        };
        Some(plain(AccessRight { paths, write_paths: told, ..AccessRight::new(user, api, access) }))
    }
}

/// The rights that texts of the configuration give, one for each API; else the text that makes no sense, alone or
/// beside the others.
///
/// Several texts for one API add up: `connection:read` and `connection:write:single/*` let somebody read everywhere and
/// write below `single/`.
pub fn parse<'a>(user: &UserId, texts: &'a [String]) -> Result<Vec<AccessRight>, &'a str> {
    let mut apis: BTreeMap<&str, (Together, &str)> = BTreeMap::new();
    for text in texts {
        let read = written(text).ok_or(text.as_str())?;
        apis.entry(read.api).or_insert_with(|| (Together::default(), text.as_str())).0.add(&read);
    }
    let mut rights = Vec::new();
    for (api, (together, text)) in apis {
        let right = together.right(user.clone(), api).ok_or(text)?;
        rights.push(check(right, &rights).map_err(|_| text)?);
    }
    Ok(rights)
}

/// The first of these texts that makes no sense, or names an API that there is not.
pub fn problem<'a>(texts: &'a [String], is_known: impl Fn(&str) -> bool) -> Option<&'a str> {
    let unknown = |text: &&'a String| written(text).is_none_or(|text| !is_known(text.api));
    let unknown = texts.iter().find(unknown).map(String::as_str);
    unknown.or_else(|| parse(&UserId::new(""), texts).err())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.into()).collect()
    }

    fn right(access: Access, paths: &[&str], write: &[&str]) -> AccessRight {
        AccessRight {
            paths: texts(paths),
            write_paths: texts(write),
            ..AccessRight::new(UserId::new("u"), "connection", access)
        }
    }

    #[test]
    fn texts_of_one_api_add_up() {
        use Access::{None, Read, Write};
        for (written, expected) in [
            (&["connection:none"][..], right(None, &[], &[])),
            (&["connection:read"], right(Read, &[], &[])),
            (&["connection:write"], right(Write, &[], &[])),
            (&["connection:read:a/*"], right(Read, &["a/*"], &[])),
            (&["connection:write:a:b"], right(Write, &["a:b"], &[])),
            (&["connection:write:a/*", "connection:write:b"], right(Write, &["a/*", "b"], &[])),
            (&["connection:read", "connection:write:a/*"], right(Write, &[], &["a/*"])),
            (&["connection:write:a/*", "connection:read:b"], right(Write, &["b"], &["a/*"])),
            (&["connection:read:a/*", "connection:write"], right(Write, &["a/*"], &["*"])),
            (&["connection:read:a/*", "connection:write:a/*"], right(Write, &["a/*"], &[])),
            (&["connection:read:a/*", "connection:read"], right(Read, &[], &[])),
            (&["connection:read", "connection:write"], right(Write, &[], &[])),
        ] {
            assert_eq!(
                parse(&UserId::new("u"), &texts(written)),
                Ok(vec![expected]),
                "{written:?}"
            );
        }
    }

    #[test]
    fn texts_that_make_no_sense_are_named() {
        for (written, bad) in [
            (&["connection"][..], "connection"),
            (&[":read"], ":read"),
            (&["query:read", "connection:all"], "connection:all"),
            (&["connection:none:a"], "connection:none:a"),
            (&["connection:read:"], "connection:read:"),
            (&["connection:read:/a"], "connection:read:/a"),
            (&["connection:read:a b"], "connection:read:a b"),
            (&["connection:read", "connection:none"], "connection:read"),
        ] {
            assert_eq!(parse(&UserId::new("u"), &texts(written)), Err(bad), "{written:?}");
        }
    }

    #[test]
    fn patterns_to_write_are_bounded_together_with_those_to_read() {
        let long: Vec<String> = (0..40).map(|i| format!("{i:02}{}", "x".repeat(39))).collect();
        let read = AccessRight { paths: long.clone(), ..right(Access::Read, &[], &[]) };
        assert!(check(read.clone(), &[]).is_ok());
        let both = AccessRight { write_paths: texts(&["a"]), access: Access::Write, ..read };
        assert!(check(both.clone(), &[]).is_ok());
        let same = AccessRight { paths: long, ..right(Access::Write, &[], &[]) };
        assert!(check(same.clone(), &[]).is_ok(), "1760 bytes, twice");
        assert!(check(both, std::slice::from_ref(&same)).is_err());
        let (fits, exceeds) = ("y".repeat(77), "y".repeat(78));
        assert!(check(same.clone(), &[right(Access::Read, &[fits.as_str()], &[])]).is_ok());
        assert!(check(same, &[right(Access::Read, &[exceeds.as_str()], &[])]).is_err());
        let odd = right(Access::Write, &[], &["/single/*"]);
        assert!(check(odd, &[]).is_err());
        let idle = check(right(Access::Read, &["a"], &["b c"]), &[]).unwrap();
        assert_eq!(idle, right(Access::Read, &["a"], &[]), "whoever may not write needs no paths");
    }
}
