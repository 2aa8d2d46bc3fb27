//! What passkeys are bound to: the host of this server, and the origin of its pages.

use std::{fmt, net::IpAddr};
use url::{Host, Url};

/// The relying party ([Web Authentication 5.4.2](https://www.w3.org/TR/webauthn-3/#dictionary-rp-credential-params)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its id: the host.
    pub(super) id: String,
    /// Where its pages are.
    pub(super) origin: Url,
}

/// Why nobody can sign in with a passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Off {
    /// The server is known by an address in numbers; a name for it, where there is one for everybody.
    Address(Option<String>),
    /// Browsers keep passkeys from what anybody on the way could have changed.
    Insecure,
    /// The server was built without them.
    NotBuilt,
}

impl Place {
    /// The place of pages that are here, if browsers allow passkeys there.
    pub(super) fn of(origin: &str) -> Result<Self, Off> {
        if !cfg!(feature = "passkeys") {
            return Err(Off::NotBuilt);
        }
        let Ok(origin) = Url::parse(origin) else { return Err(Off::Insecure) };
        let address = match origin.host() {
            Some(Host::Domain(name)) => {
                let id = name.to_owned();
                let is_here = id == "localhost" || id.ends_with(".localhost");
                let is_fine = origin.scheme() == "https" || is_here;
                return if is_fine { Ok(Self { id, origin }) } else { Err(Off::Insecure) };
            }
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            None => return Err(Off::Insecure),
        };
        let local = address.is_loopback().then(|| {
            let port = origin.port().map_or_else(String::new, |port| format!(":{port}"));
            format!("{}://localhost{port}", origin.scheme())
        });
        Err(Off::Address(local))
    }
}

impl fmt::Display for Off {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(Some(name)) => write!(
                f,
                "This server is known by an address in numbers, and passkeys belong to a name. Start it with server.public_url = \"{name}\", and open it there."
            ),
            Self::Address(None) => f.write_str(
                "This server is known by an address in numbers, and passkeys belong to a name. Whoever runs it can give it one, in server.public_url.",
            ),
            Self::Insecure => f.write_str(
                "Browsers allow passkeys over https alone. Whoever runs this server can change that, with server.public_url and a certificate.",
            ),
            Self::NotBuilt => f.write_str("This server was built without them."),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "passkeys")]
mod tests {
    use super::*;

    #[test]
    fn passkeys_belong_to_a_name_that_is_reached_safely() {
        for (origin, expected) in [
            ("https://auth.example.org", Ok("auth.example.org")),
            ("https://auth.example.org:8443", Ok("auth.example.org")),
            ("http://localhost:4999", Ok("localhost")),
            ("http://as.localhost:4999", Ok("as.localhost")),
            ("http://auth.example.org", Err(Off::Insecure)),
            ("http://notlocalhost", Err(Off::Insecure)),
            ("http://127.0.0.1:4999", Err(Off::Address(Some("http://localhost:4999".into())))),
            ("https://[::1]", Err(Off::Address(Some("https://localhost".into())))),
            ("https://192.0.2.7", Err(Off::Address(None))),
            ("no address", Err(Off::Insecure)),
        ] {
            let place = Place::of(origin);
            assert_eq!(place.map(|p| p.id), expected.map(str::to_owned), "{origin}");
        }
    }

    #[test]
    fn what_to_do_is_said() {
        let off = Place::of("http://127.0.0.1:4999").unwrap_err();
        assert!(off.to_string().contains("server.public_url = \"http://localhost:4999\""));
    }
}
