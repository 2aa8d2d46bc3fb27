//! Sealing what is written: AES-256-GCM with a key from a file, or one that is made of a passphrase by argon2id.
//!
//! The name of a value is sealed in with it, so that one cannot be put in the place of another.

use crate::{
    error::{Error, Result},
    files,
    secret::Secret,
};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    rand,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::{fmt, path::Path};
use zeroize::Zeroizing;

/// The first bytes of every sealed value; the number is that of the format.
const MAGIC: &[u8] = b"oauth-helper sealed 1\n";
/// What is sealed to tell a wrong key from a damaged value.
const PROBE: &[u8] = b"the key fits";
/// argon2id, as OWASP recommends at least: 64 MiB, three rounds.
const MEMORY_KIB: u32 = 64 * 1024;
const ROUNDS: u32 = 3;

/// Where the key comes from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum KeySource {
    /// A file with 32 bytes in base64, made where it is missing.
    File(std::path::PathBuf),
    /// A passphrase somebody knows.
    Passphrase(Secret),
}

/// Seals and opens.
pub struct Sealer {
    key: RandomizedNonceKey,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

/// What is kept in the open beside sealed values: how the key was made, and a proof of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    probe: String,
}

impl Sealer {
    /// With these 32 bytes.
    ///
    /// # Panics
    /// Where the library does not take 32 bytes for a key, which it does.
    pub fn new(key: &[u8; 32]) -> Self {
        let key = RandomizedNonceKey::new(&AES_256_GCM, key).expect("32 bytes are a key");
        Self { key }
    }

    /// With the key from this source. The header file is made at the first use; from then on it tells a wrong key
    /// before anything is written with it. Blocks.
    pub fn open(source: &KeySource, header: &Path) -> Result<Self> {
        let found: Option<Header> = files::read(header)?
            .map(|bytes| serde_json::from_slice(&bytes))
            .transpose()
            .map_err(|_| Error::Store(format!("{} is damaged", header.display())))?;
        if let Some(found) = found {
            return Self::known(source, &found);
        }
        let salt = matches!(source, KeySource::Passphrase(_)).then(|| random::<16>().to_vec());
        let sealer = Self::new(&*key(source, salt.as_deref())?);
        let written = Header {
            salt: salt.map(|s| STANDARD.encode(s)),
            probe: STANDARD.encode(sealer.seal("probe", PROBE)),
        };
        let text = serde_json::to_vec(&written).map_err(|e| Error::store("the vault", e))?;
        if files::create(header, &text)? {
            return Ok(sealer);
        }
        // Another process was faster: its salt counts.
        Self::open(source, header)
    }

    fn known(source: &KeySource, header: &Header) -> Result<Self> {
        let salt = header.salt.as_ref().map(|s| STANDARD.decode(s).unwrap_or_default());
        let wrong = || {
            let text = match source {
                KeySource::File(path) => {
                    format!("the key in {} is not that of the vault", path.display())
                }
                KeySource::Passphrase(_) => "the passphrase is not that of the vault".to_owned(),
            };
            Error::Store(text)
        };
        if salt.is_some() != matches!(source, KeySource::Passphrase(_)) {
            let text = if salt.is_some() { "a passphrase" } else { "a key file" };
            return Err(Error::Store(format!("the vault was made with {text}")));
        }
        let sealer = Self::new(&*key(source, salt.as_deref())?);
        let probe = STANDARD.decode(&header.probe).unwrap_or_default();
        match sealer.unseal("probe", &probe) {
            Ok(text) if *text == PROBE => Ok(sealer),
            _ => Err(wrong()),
        }
    }

    /// Seals a value under its name.
    ///
    /// # Panics
    /// Where the value is longer than the cipher allows, which is gigabytes.
    pub fn seal(&self, name: &str, value: &[u8]) -> Vec<u8> {
        let mut text = value.to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(name.as_bytes()), &mut text)
            .expect("a record is far below the limit of the cipher");
        let mut sealed = Vec::with_capacity(MAGIC.len() + NONCE_LEN + text.len());
        sealed.extend_from_slice(MAGIC);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&text);
        sealed
    }

    /// Opens what was sealed under this name.
    pub fn unseal(&self, name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let damaged = || {
            Error::Store(format!(
                "the stored value {name} is damaged or was sealed with another key"
            ))
        };
        let rest = sealed.strip_prefix(MAGIC).ok_or_else(damaged)?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self
            .key
            .open_in_place(nonce, Aad::from(name.as_bytes()), &mut text)
            .map_err(|_| damaged())?
            .len();
        text.truncate(length);
        Ok(text)
    }
}

fn key(source: &KeySource, salt: Option<&[u8]>) -> Result<Zeroizing<[u8; 32]>> {
    match source {
        KeySource::File(path) => key_file(path),
        KeySource::Passphrase(passphrase) => stretch(passphrase, salt.unwrap_or_default()),
    }
}

fn key_file(path: &Path) -> Result<Zeroizing<[u8; 32]>> {
    let text = if let Some(text) = files::read_private(path)? {
        Zeroizing::new(text)
    } else {
        let fresh = Zeroizing::new(format!("{}\n", STANDARD.encode(random::<32>())));
        files::create(path, fresh.as_bytes())?;
        // What is in the file now, whoever wrote it.
        Zeroizing::new(files::read_private(path)?.unwrap_or_default())
    };
    let bytes = STANDARD.decode(text.trim_ascii()).map(Zeroizing::new).unwrap_or_default();
    let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| {
        Error::Store(format!("{} does not hold 32 bytes in base64", path.display()))
    })?;
    Ok(Zeroizing::new(key))
}

fn stretch(passphrase: &Secret, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
    let failed = |e: argon2::Error| Error::store("the passphrase cannot be used", e);
    let params = argon2::Params::new(MEMORY_KIB, ROUNDS, 1, Some(32)).map_err(failed)?;
    let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut key = Zeroizing::new([0; 32]);
    argon.hash_password_into(passphrase.expose().as_bytes(), salt, &mut *key).map_err(failed)?;
    Ok(key)
}

/// Random bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system has randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_under_its_name_alone() {
        let sealer = Sealer::new(&[7; 32]);
        let sealed = sealer.seal("1.tokens", b"value");
        assert!(!sealed.windows(5).any(|w| w == b"value"));
        assert_eq!(*sealer.unseal("1.tokens", &sealed).unwrap(), b"value");
        let text = "the stored value 2.tokens is damaged or was sealed with another key";
        assert_eq!(sealer.unseal("2.tokens", &sealed).unwrap_err().to_string(), text);
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(sealer.unseal("1.tokens", &changed).is_err());
        assert!(sealer.unseal("1.tokens", b"oauth-helper sealed 1\nshort").is_err());
        assert!(Sealer::new(&[8; 32]).unseal("1.tokens", &sealed).is_err());
    }

    #[test]
    fn a_wrong_key_is_told_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let header = folder.path().join("vault.json");
        let phrase = |text: &str| KeySource::Passphrase(Secret::new(text));
        let sealer = Sealer::open(&phrase("right"), &header).unwrap();
        let sealed = sealer.seal("x", b"y");
        assert_eq!(
            *Sealer::open(&phrase("right"), &header).unwrap().unseal("x", &sealed).unwrap(),
            b"y"
        );
        let text = Sealer::open(&phrase("wrong"), &header).unwrap_err().to_string();
        assert_eq!(text, "the passphrase is not that of the vault");
        let key = KeySource::File(folder.path().join("key"));
        let text = Sealer::open(&key, &header).unwrap_err().to_string();
        assert_eq!(text, "the vault was made with a passphrase");
        let other = folder.path().join("other.json");
        Sealer::open(&key, &other).unwrap();
        files::replace(&folder.path().join("key"), STANDARD.encode([1; 32]).as_bytes()).unwrap();
        let text = Sealer::open(&key, &other).unwrap_err().to_string();
        assert!(text.ends_with("is not that of the vault"), "{text}");
    }
}
