//! Request paths as they are judged: decoded once, slashes collapsed, dot segments resolved, or refused.

use std::borrow::Cow;

/// A path that cannot be judged safely: it could mean one thing to the guard and another to the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsafePath {
    /// A percent sign without two hexadecimal digits.
    #[error("the path has a broken percent escape")]
    Escape,
    /// The decoded bytes are not UTF-8.
    #[error("the path is not UTF-8")]
    Encoding,
    /// An encoded slash, a backslash or a control character.
    #[error("the path has an encoded slash, a backslash or a control character")]
    Character,
    /// It does not start at the root, or its dot segments climb above it.
    #[error("the path does not stay below the root")]
    Root,
}

/// A normalised path.
///
/// A router in front of the handler may have taken dot segments literally. Therefore a path that had any is kept in
/// both readings, and a policy must allow both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalPath<'a> {
    path: Cow<'a, str>,
    slash: bool,
    literal: Option<String>,
}

impl<'a> NormalPath<'a> {
    /// Normalises the path of a request target
    /// ([RFC 3986 6.2.2](https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2)): percent escapes are decoded once,
    /// empty segments left out, `.` and `..` resolved.
    pub fn parse(raw: &'a str) -> Result<Self, UnsafePath> {
        let below = raw.strip_prefix('/').ok_or(UnsafePath::Root)?;
        if is_plain(raw) {
            let slash = below.ends_with('/');
            let path = if slash { raw.strip_suffix('/').unwrap_or(raw) } else { raw };
            return Ok(Self { path: Cow::Borrowed(path), slash, literal: None });
        }
        let mut written = Vec::new();
        for segment in below.split('/') {
            written.push(decode(segment)?);
        }
        let last = written.last().map_or("", |s| s);
        let slash = matches!(last, "" | "." | "..");
        let mut resolved: Vec<&str> = Vec::new();
        let mut literal = None;
        for segment in written.iter().filter(|s| !s.is_empty()) {
            match &**segment {
                "." => literal = Some(()),
                ".." => {
                    literal = Some(());
                    resolved.pop().ok_or(UnsafePath::Root)?;
                }
                name => resolved.push(name),
            }
        }
        let literal = literal.map(|()| joined(written.iter().map(|s| &**s)));
        let path = joined(resolved.iter().copied());
        let slash = slash && !resolved.is_empty();
        Ok(Self { path: Cow::Owned(path), slash, literal })
    }

    /// The path without a trailing slash; `/` for the root.
    pub fn as_str(&self) -> &str {
        &self.path
    }

    /// Every reading of the path that a handler may take, and whether it ended in a slash.
    pub(crate) fn readings(&self) -> impl Iterator<Item = (&str, bool)> {
        std::iter::once((&*self.path, self.slash))
            .chain(self.literal.as_deref().map(|p| (p, self.slash)))
    }
}

/// Nothing to decode, collapse or resolve.
fn is_plain(raw: &str) -> bool {
    let mut before = b'.';
    for &b in raw.as_bytes() {
        if b == b'%' || b == b'\\' || b < b' ' || b == 0x7f {
            return false;
        }
        if before == b'/' && matches!(b, b'/' | b'.') {
            return false;
        }
        before = b;
    }
    true
}

fn joined<'s>(segments: impl Iterator<Item = &'s str>) -> String {
    let mut path = String::new();
    for segment in segments.filter(|s| !s.is_empty()) {
        path.push('/');
        path.push_str(segment);
    }
    if path.is_empty() {
        path.push('/');
    }
    path
}

fn decode(segment: &str) -> Result<Cow<'_, str>, UnsafePath> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(b) = rest.next() {
        let escaped = b == b'%';
        let b = if escaped { escape(rest.next(), rest.next())? } else { b };
        if b < b' ' || b == 0x7f || b == b'\\' || (escaped && b == b'/') {
            return Err(UnsafePath::Character);
        }
        bytes.push(b);
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| UnsafePath::Encoding)
}

fn escape(high: Option<u8>, low: Option<u8>) -> Result<u8, UnsafePath> {
    let digit = |b: Option<u8>| char::from(b?).to_digit(16);
    let (Some(high), Some(low)) = (digit(high), digit(low)) else {
        return Err(UnsafePath::Escape);
    };
    u8::try_from(high * 16 + low).map_err(|_| UnsafePath::Escape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(raw: &str) -> Result<String, UnsafePath> {
        NormalPath::parse(raw).map(|p| p.as_str().to_owned())
    }

    #[test]
    fn rfc3986_s6_2_2_normalisation() {
        for (raw, expected) in [
            ("/", "/"),
            ("//", "/"),
            ("/.", "/"),
            ("/a", "/a"),
            ("/a/", "/a"),
            ("/a//b", "/a/b"),
            ("/a/./b", "/a/b"),
            ("/a/../b", "/b"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/.%2e/b/", "/b"),
            ("/a/%2e/b", "/a/b"),
            ("/a/b%20c", "/a/b c"),
            ("/a/%252e%252e/b", "/a/%2e%2e/b"),
            ("/a/..b/.c", "/a/..b/.c"),
            ("/a/...", "/a/..."),
            ("/%C3%A9", "/é"),
        ] {
            assert_eq!(normal(raw), Ok(expected.to_owned()), "{raw}");
        }
        for (raw, problem) in [
            ("", UnsafePath::Root),
            ("*", UnsafePath::Root),
            ("/..", UnsafePath::Root),
            ("/a/../../b", UnsafePath::Root),
            ("/%2e%2e", UnsafePath::Root),
            ("/a%2fb", UnsafePath::Character),
            ("/a%2Fb", UnsafePath::Character),
            ("/a%5cb", UnsafePath::Character),
            ("/a\\b", UnsafePath::Character),
            ("/a%00b", UnsafePath::Character),
            ("/a%0ab", UnsafePath::Character),
            ("/a%7fb", UnsafePath::Character),
            ("/a%", UnsafePath::Escape),
            ("/a%2", UnsafePath::Escape),
            ("/a%zz", UnsafePath::Escape),
            ("/a%+1", UnsafePath::Escape),
            ("/a%ff", UnsafePath::Encoding),
            ("/%c0%ae%c0%ae/", UnsafePath::Encoding),
        ] {
            assert_eq!(normal(raw), Err(problem), "{raw}");
        }
    }

    #[test]
    fn dot_segments_leave_two_readings() {
        let readings = |raw| {
            let path = NormalPath::parse(raw).unwrap();
            path.readings().map(|(p, s)| (p.to_owned(), s)).collect::<Vec<_>>()
        };
        assert_eq!(readings("/a/b/"), [("/a/b".to_owned(), true)]);
        assert_eq!(readings("/"), [("/".to_owned(), false)]);
        assert_eq!(
            readings("/single/%2e%2e//bulk"),
            [("/bulk".to_owned(), false), ("/single/../bulk".to_owned(), false)]
        );
    }

    proptest! {
        #[test]
        fn never_panics_and_never_leaves_anything_to_resolve(raw in "/[a./%2eE5cF\\\\ ]{0,24}") {
            if let Ok(path) = NormalPath::parse(&raw) {
                let text = path.as_str();
                prop_assert!(text.starts_with('/') && !text.contains("//") && !text.contains('\\'));
                prop_assert!(text.split('/').all(|s| s != "." && s != ".."));
                prop_assert!(text == "/" || !text.ends_with('/'));
            }
        }

        #[test]
        fn plain_paths_stay_as_they_are(segments in prop::collection::vec("[a-z0-9_-]{1,6}", 1..6)) {
            let raw = format!("/{}", segments.join("/"));
            let path = NormalPath::parse(&raw).unwrap();
            prop_assert_eq!(path.as_str(), &raw);
            prop_assert_eq!(path.readings().count(), 1);
        }
    }
}
