//! The pages of the area that somebody comes back to after signing in.

/// A page of the area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pages) enum Place {
    Overview,
    Keys,
    Registration,
    Pending,
    Audit,
    Users,
    /// A user, by its identifier.
    User(String),
}

impl Place {
    /// The place that a word in a query stands for.
    pub(in crate::pages) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "admin" => Self::Overview,
            "admin-keys" => Self::Keys,
            "admin-registration" => Self::Registration,
            "admin-pending" => Self::Pending,
            "admin-audit" => Self::Audit,
            "admin-users" => Self::Users,
            _ => Self::user(word.strip_prefix("admin-user-")?)?,
        })
    }

    /// The place that comes nearest to a path.
    pub(in crate::pages) fn of_path(path: &str) -> Option<Self> {
        let mut parts = path.strip_prefix("/admin")?.split('/');
        match (parts.next()?, parts.next(), parts.next()) {
            ("", None, None) => Some(Self::Overview),
            ("", Some("keys"), _) => Some(Self::Keys),
            ("", Some("registration"), _) => Some(Self::Registration),
            ("", Some("pending"), _) => Some(Self::Pending),
            ("", Some("audit"), _) => Some(Self::Audit),
            ("", Some("users"), id) => Some(id.and_then(Self::user).unwrap_or(Self::Users)),
            _ => None,
        }
    }

    fn user(id: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        ((1..=64).contains(&id.len()) && id.bytes().all(plain)).then(|| Self::User(id.to_owned()))
    }

    /// The word.
    pub(in crate::pages) fn word(&self) -> String {
        match self {
            Self::Overview => "admin".into(),
            Self::Keys => "admin-keys".into(),
            Self::Registration => "admin-registration".into(),
            Self::Pending => "admin-pending".into(),
            Self::Audit => "admin-audit".into(),
            Self::Users => "admin-users".into(),
            Self::User(id) => format!("admin-user-{id}"),
        }
    }

    /// The path.
    pub(in crate::pages) fn path(&self) -> String {
        match self {
            Self::Overview => "/admin".into(),
            Self::Keys => "/admin/keys".into(),
            Self::Registration => "/admin/registration".into(),
            Self::Pending => "/admin/pending".into(),
            Self::Audit => "/admin/audit".into(),
            Self::Users => "/admin/users".into(),
            Self::User(id) => format!("/admin/users/{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_page_of_the_area_or_nowhere() {
        for (path, word, back) in [
            ("/admin", "admin", "/admin"),
            ("/admin/keys", "admin-keys", "/admin/keys"),
            ("/admin/keys/retire", "admin-keys", "/admin/keys"),
            ("/admin/registration/invite", "admin-registration", "/admin/registration"),
            ("/admin/pending/refuse", "admin-pending", "/admin/pending"),
            ("/admin/audit", "admin-audit", "/admin/audit"),
            ("/admin/users", "admin-users", "/admin/users"),
            ("/admin/users/a-1/disable", "admin-user-a-1", "/admin/users/a-1"),
            ("/admin/users/%2e%2e/disable", "admin-users", "/admin/users"),
        ] {
            let place = Place::of_path(path).expect("it is in the area");
            assert_eq!((&*place.word(), &*place.path()), (word, back));
            assert_eq!(Place::parse(word), Some(place));
        }
        for path in ["/administration", "/admin/", "/admin/nothing", "/account", "//admin"] {
            assert_eq!(Place::of_path(path), None, "{path}");
        }
        for word in ["", "admin-", "admin-user-", "admin-user-..", "admin-user-a/b", "account"] {
            assert_eq!(Place::parse(word), None, "{word}");
        }
    }
}
