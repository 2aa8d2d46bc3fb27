//! The other direction: private keys of this side, to which strangers encrypt what they send.

use super::content;
use crate::{
    jose::{KeyProblem, compact::LONGEST},
    ports::Random,
};
use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{
        KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey,
        PrivateDecryptingKey,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, Jwk, RSAKeyParameters, RSAKeyType, ThumbprintHash,
};
use rsa::{
    RsaPrivateKey,
    pkcs8::{DecodePrivateKey as _, EncodePublicKey as _, LineEnding},
    traits::PublicKeyParts as _,
};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// The content encryption that is read.
const ENC: &str = "A256GCM";
/// Bytes of its key.
const CONTENT_KEY: usize = 32;

/// The padding under which a key decrypts. A key has one for its life: what leaks through the weaker one must not
/// open what was encrypted under the stronger one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RsaPadding {
    /// OAEP with SHA-256 ([RFC 7518 4.3](https://www.rfc-editor.org/rfc/rfc7518#section-4.3)).
    Oaep256,
    /// PKCS #1 v1.5 ([RFC 7518 4.2](https://www.rfc-editor.org/rfc/rfc7518#section-4.2)). Whoever learns whether a
    /// padding was right, by whatever difference, can decrypt: a failure must look like a success that came to nothing.
    Pkcs1,
}

impl RsaPadding {
    /// The name of the algorithm in a JWK or JWE.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oaep256 => "RSA-OAEP-256",
            Self::Pkcs1 => "RSA1_5",
        }
    }

    /// Reads the name back.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Oaep256, Self::Pkcs1].into_iter().find(|padding| padding.as_str() == name)
    }
}

/// A private RSA key of 3072 bits that others encrypt to, parsed once. Nothing of it can be printed.
pub struct DecryptionKey {
    padding: RsaPadding,
    private: Private,
    kid: String,
    jwk: Value,
    pem: String,
}

enum Private {
    Oaep(OaepPrivateDecryptingKey),
    Pkcs1(Pkcs1PrivateDecryptingKey),
}

impl std::fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecryptionKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl DecryptionKey {
    /// Makes a key, and gives it as PKCS #8 as well. It takes a while.
    pub fn generate(padding: RsaPadding) -> Result<(Self, Zeroizing<Vec<u8>>), KeyProblem> {
        let key =
            PrivateDecryptingKey::generate(KeySize::Rsa3072).map_err(|_| KeyProblem::Crypto)?;
        let der: Pkcs8V1Der<'static> = key.as_der().map_err(|_| KeyProblem::Crypto)?;
        let pkcs8 = Zeroizing::new(der.as_ref().to_vec());
        Ok((Self::from_pkcs8(padding, &pkcs8)?, pkcs8))
    }

    /// Parses a PKCS #8 private key of 2048 bits or more.
    pub fn from_pkcs8(padding: RsaPadding, pkcs8: &[u8]) -> Result<Self, KeyProblem> {
        let key = PrivateDecryptingKey::from_pkcs8(pkcs8).map_err(|_| KeyProblem::Crypto)?;
        let private = match padding {
            RsaPadding::Oaep256 => OaepPrivateDecryptingKey::new(key).map(Private::Oaep),
            RsaPadding::Pkcs1 => Pkcs1PrivateDecryptingKey::new(key).map(Private::Pkcs1),
        };
        let private = private.map_err(|_| KeyProblem::Crypto)?;
        // Read for its public numbers and never used: `aws-lc` decrypts.
        let public = RsaPrivateKey::from_pkcs8_der(pkcs8).map_err(|_| KeyProblem::Crypto)?;
        let public = public.to_public_key();
        let pem = public.to_public_key_pem(LineEnding::LF).map_err(|_| KeyProblem::Crypto)?;
        let n = URL_SAFE_NO_PAD.encode(public.n().to_bytes_be());
        let e = URL_SAFE_NO_PAD.encode(public.e().to_bytes_be());
        let kid = thumbprint(&n, &e)?;
        let jwk = json!({
            "kty": "RSA", "use": "enc", "alg": padding.as_str(), "kid": kid, "n": n, "e": e,
        });
        Ok(Self { padding, private, kid, jwk, pem })
    }

    /// The key id: the [RFC 7638](https://www.rfc-editor.org/rfc/rfc7638) thumbprint.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The padding it decrypts under.
    pub const fn padding(&self) -> RsaPadding {
        self.padding
    }

    /// The public key with `kid`, `use` and `alg`.
    pub const fn public_jwk(&self) -> &Value {
        &self.jwk
    }

    /// The public key as PEM: a `SubjectPublicKeyInfo`.
    pub fn public_pem(&self) -> &str {
        &self.pem
    }

    /// Decrypts one ciphertext of RSA. Bytes at its beginning that were left out because they were zero are put back.
    pub fn decrypt(&self, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let size = match &self.private {
            Private::Oaep(key) => key.key_size_bytes(),
            Private::Pkcs1(key) => key.key_size_bytes(),
        };
        let missing = size.checked_sub(ciphertext.len())?;
        let whole = [&vec![0; missing][..], ciphertext].concat();
        let mut out = Zeroizing::new(vec![0; size]);
        let plain = match &self.private {
            Private::Oaep(key) => key.decrypt(&OAEP_SHA256_MGF1SHA256, &whole, &mut out, None),
            Private::Pkcs1(key) => key.decrypt(&whole, &mut out),
        };
        let len = plain.ok()?.len();
        out.truncate(len);
        Some(out)
    }

    /// Reads a compact JWE of `RSA-OAEP-256` and `A256GCM` that was made for this key
    /// ([RFC 7516 5.2](https://www.rfc-editor.org/rfc/rfc7516#section-5.2)).
    ///
    /// A key that cannot be unpacked is replaced by a random one, so that every failure is one of the tag
    /// ([RFC 7516 11.5](https://www.rfc-editor.org/rfc/rfc7516#section-11.5)).
    pub fn open(&self, jwe: &str, random: &dyn Random) -> Option<Zeroizing<Vec<u8>>> {
        let parts = Parts::of(jwe)?;
        let fits = parts.header.kid.as_deref().is_none_or(|kid| kid == self.kid);
        if self.padding != RsaPadding::Oaep256 || !fits {
            return None;
        }
        let [encrypted_key, iv, ciphertext, tag] = parts.rest;
        let unpacked = self.decrypt(&encrypted_key).filter(|key| key.len() == CONTENT_KEY);
        let content_key = unpacked.unwrap_or_else(|| {
            let mut key = Zeroizing::new(vec![0; CONTENT_KEY]);
            random.fill(&mut key);
            key
        });
        content::open_a256gcm(&content_key, parts.protected.as_bytes(), (&iv, &ciphertext, &tag))
    }
}

fn thumbprint(n: &str, e: &str) -> Result<String, KeyProblem> {
    let parameters = RSAKeyParameters { key_type: RSAKeyType::RSA, n: n.into(), e: e.into() };
    let jwk = Jwk {
        common: CommonParameters::default(),
        algorithm: AlgorithmParameters::RSA(parameters),
    };
    jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| KeyProblem::Crypto)
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    enc: String,
    kid: Option<String>,
    crit: Option<Value>,
    zip: Option<Value>,
}

/// A compact JWE, taken apart: short enough, and its header understood.
struct Parts<'a> {
    header: Header,
    protected: &'a str,
    rest: [Vec<u8>; 4],
}

impl<'a> Parts<'a> {
    fn of(jwe: &'a str) -> Option<Self> {
        if jwe.len() > LONGEST {
            return None;
        }
        let mut parts = jwe.split('.');
        let protected = parts.next()?;
        let header: Header =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(protected).ok()?).ok()?;
        let understood = header.alg == RsaPadding::Oaep256.as_str()
            && header.enc == ENC
            && header.crit.is_none()
            && header.zip.is_none();
        let rest: Option<Vec<_>> = parts.map(|part| URL_SAFE_NO_PAD.decode(part).ok()).collect();
        let rest = rest?.try_into().ok()?;
        understood.then_some(Self { header, protected, rest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        jose::{EncryptionKey, encrypt_claims},
        model::{ContentEncryption, KeyManagementAlgorithm},
        ports::SystemRandom,
    };
    use aws_lc_rs::rsa::{
        OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey, PublicEncryptingKey,
    };
    use base64::engine::general_purpose::STANDARD;
    use rsa::pkcs8::Document;

    fn public(key: &DecryptionKey) -> PublicEncryptingKey {
        let (label, der) = Document::from_pem(key.public_pem()).unwrap();
        assert_eq!(label, "PUBLIC KEY");
        PublicEncryptingKey::from_der(der.as_bytes()).unwrap()
    }

    fn oaep(key: &DecryptionKey, plain: &[u8]) -> Vec<u8> {
        let mut out = vec![0; 384];
        let public = OaepPublicEncryptingKey::new(public(key)).unwrap();
        public.encrypt(&OAEP_SHA256_MGF1SHA256, plain, &mut out, None).unwrap();
        out
    }

    fn pkcs1(key: &DecryptionKey, plain: &[u8]) -> Vec<u8> {
        let mut out = vec![0; 384];
        Pkcs1PublicEncryptingKey::new(public(key)).unwrap().encrypt(plain, &mut out).unwrap();
        out
    }

    #[test]
    fn s2_26_a_ciphertext_opens_with_its_key_and_padding_alone() {
        let (key, pkcs8) = DecryptionKey::generate(RsaPadding::Oaep256).unwrap();
        let other = DecryptionKey::generate(RsaPadding::Oaep256).unwrap().0;
        let old = DecryptionKey::from_pkcs8(RsaPadding::Pkcs1, &pkcs8).unwrap();
        assert_eq!((key.kid(), old.padding()), (old.kid(), RsaPadding::Pkcs1));
        assert_eq!(key.public_jwk()["use"], "enc");
        assert_eq!(key.public_jwk()["alg"], "RSA-OAEP-256");
        assert_eq!(old.public_jwk()["alg"], "RSA1_5");
        let sealed = oaep(&key, b"nine lives");
        assert_eq!(key.decrypt(&sealed).unwrap().as_slice(), b"nine lives");
        assert!(other.decrypt(&sealed).is_none() && old.decrypt(&sealed).is_none());
        let weak = pkcs1(&key, b"nine lives");
        assert_eq!(old.decrypt(&weak).unwrap().as_slice(), b"nine lives");
        assert!(key.decrypt(&weak).is_none());
        let mut sha1 = vec![0; 384];
        let public = OaepPublicEncryptingKey::new(public(&key)).unwrap();
        public.encrypt(&OAEP_SHA1_MGF1SHA1, b"x", &mut sha1, None).unwrap();
        assert!(key.decrypt(&sha1).is_none());
        for wrong in [&[][..], &sealed[1..], &[&sealed[..], &[0]].concat(), &[0xff; 384]] {
            assert!(key.decrypt(wrong).is_none() && old.decrypt(wrong).is_none());
        }
        let text = format!("{key:?}");
        assert!(text.contains(key.kid()) && text.len() < 100, "{text}");
    }

    #[test]
    fn s2_26_zeros_that_were_left_out_are_put_back() {
        let key = DecryptionKey::generate(RsaPadding::Pkcs1).unwrap().0;
        let short = (0..20_000).map(|_| pkcs1(&key, b"x")).find(|c| c[0] == 0).unwrap();
        assert_eq!(key.decrypt(&short[1..]).unwrap().as_slice(), b"x");
    }

    #[test]
    fn s2_26_a_jwe_opens_if_nothing_of_it_was_changed() {
        let key = DecryptionKey::generate(RsaPadding::Oaep256).unwrap().0;
        let recipient = EncryptionKey::from_jwk(key.public_jwk()).unwrap();
        let seal = |enc| {
            let alg = KeyManagementAlgorithm::RsaOaep256;
            encrypt_claims("{\"a\":1}", &recipient, alg, enc, &SystemRandom).unwrap()
        };
        let jwe = seal(ContentEncryption::A256Gcm);
        assert_eq!(key.open(&jwe, &SystemRandom).unwrap().as_slice(), b"{\"a\":1}");
        assert!(key.open(&seal(ContentEncryption::A128Gcm), &SystemRandom).is_none());
        let other = DecryptionKey::generate(RsaPadding::Oaep256).unwrap().0;
        assert!(other.open(&jwe, &SystemRandom).is_none());
        let parts: Vec<_> = jwe.split('.').collect();
        for at in 1..5 {
            let mut changed: Vec<_> = parts.iter().map(|&part| part.to_owned()).collect();
            let mut bytes = URL_SAFE_NO_PAD.decode(parts[at]).unwrap();
            bytes[0] ^= 1;
            changed[at] = URL_SAFE_NO_PAD.encode(bytes);
            assert!(key.open(&changed.join("."), &SystemRandom).is_none(), "part {at}");
        }
        let with = |header: Value| {
            let header = URL_SAFE_NO_PAD.encode(header.to_string());
            key.open(&format!("{header}.{}", parts[1..].join(".")), &SystemRandom)
        };
        for header in [
            json!({"alg": "RSA-OAEP", "enc": "A256GCM"}),
            json!({"alg": "RSA1_5", "enc": "A256GCM"}),
            json!({"alg": "dir", "enc": "A256GCM"}),
            json!({"alg": "RSA-OAEP-256", "enc": "A256GCM"}),
            json!({"alg": "RSA-OAEP-256", "enc": "A256GCM", "crit": ["exp"]}),
            json!({"alg": "RSA-OAEP-256", "enc": "A256GCM", "zip": "DEF"}),
            json!({"alg": "RSA-OAEP-256"}),
            json!([]),
        ] {
            assert!(with(header.clone()).is_none(), "{header}");
        }
        for wrong in ["", "....", "a.b.c.d.e", &parts[1..].join("."), &format!("{jwe}.AA")] {
            assert!(key.open(wrong, &SystemRandom).is_none(), "{wrong:.20}");
        }
        assert!(key.open(&"x".repeat(LONGEST + 1), &SystemRandom).is_none());
    }

    /// A key that `openssl` made for this test, and what the libraries `jose` 6 and `JSEncrypt` 3 of npm encrypted to it.
    #[test]
    fn s2_26_what_other_libraries_made_can_be_read() {
        const KEY: &str = concat!(
            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCjINpX/j6OYDNWlnZb1qsj+1XvLj4dXOBJ",
            "w6O/ePZRDyMfRj4wTbm51YjelDvamW3fB08vjpHhaR8nFmPTshkpibC4FG7nM5TwVGoJnj9punfrh+0oO1Fb",
            "J7T3QMA27ZNVQTPw3CFT7+QerAuTSBFgGToKNbKSRKjsxDm3WTTHvyKjeUa107tLoMw4yJGlvPtRXtLNS+O5",
            "gZleMObop/j1LGto9msnPs6CBgVircFB1bVc5xam5b43U7dLeN1weEXa5tkA8/Bt0rMapNCMEFBQhVDr4Lmz",
            "DX6nGRRy/fFWyS4zIQg+WcKq7WDEIoM0LG99ME5CdQG2DpoprDeB2KvjAgMBAAECggEAD8Nz9f7WkrGPJHXj",
            "uBo1bYOzGSrRy8qWzen+39jTjJ+22CXUipxoLyIIWOHgKs6axGuTZlgTlsGuxfsu6F0Ue2QX1KH82ZCtes/d",
            "c1J8dD4Vqof3DeU1hmZ+4Um7iVNJ4norh8Ht4ouS8rfTYocbTrsBVc08lU/XNxH7NdGD/S0+pcso3WqB6Zs/",
            "pTt4fQ6WtKy+zUusyWTcjCtG/8/GFnDBYXxadSvzWUug0Gt1uWYVmaLTCR5RjJnE5qfzNn9Iol3kXJF3TH8x",
            "hNsBtgkwHPDtvQinrkrml3m23Ww2Of6vlS2ETTGmakqXqWhJUDUTg+qB1VDjMAVUkfaxpidD4QKBgQDVsOu0",
            "rEAkFaSzL8oPv+4fgeqBz8ANm0cdaHdgkp6tTQ3JNBfUUJep7V34w8rjdce7H0nzoo/MI4kC1c9i7VfdDMju",
            "7HtdpeYptLztFlCOZoLR+FuJ0j/FScrKRsXAOu2LpyZ97BrQFTaf1lOkrH7T58hsvA4wAW3RF6NlPDGZMQKB",
            "gQDDbR+2zJpzBwwDrBjVjWZAxt3NNY2xSi7DjE7hsFnSlKRcWHPf0k+lZkBmW7EZggHPZ0XgXIZYePVKaZTe",
            "N9asFVyUzxJEhe72ImsUShiaAt5KKPv2PJ8e7sbHCM5BwTuTg88lmTDGXT4NSdA26mA1ZOWlyWTmH3xrzWKd",
            "7iPRUwKBgARVVyJNz+sraTCdCnrxSHHpH4lMXjeoa3PEN4+EyaT4CAyJeuY6UCkJADvYNJgSPl+kDcrcBBB+",
            "s/uTvGXkLED2TmjR8NqAT7+Ow7oHFtEccRCy+aA83EAy8+LQNphkWYbYd+Zb0Fth4r6xCPcw7E19yMmzspH0",
            "pXZ1BUI7S0IxAoGBAJJx+N0MUAU416j80xNcxa5vGBFKO2cK1yZUw1vewkDKgKxu4E5ulJ62lDXgKkOaJ+8b",
            "TcLGsyojYnUjz5oCsAz+aQVecysETsEFo8ZtjCgFVDywn7ezT+5nMnA+Sgn+Wr29fYKIXIOZpgFhOfWdBwGc",
            "HXdyBvlnyN4j5+2/YfnfAoGAbSXMdbkOyBWfsObj/n122DNTETykzJmQwOf0MzgHkAjMeadpXYEa1uRj+QNt",
            "t2aI1sYBm/gCpAmLHQt2LMA27kGrsvnf2aVr000Cxj5d8w+UCCChnKFiktWk34++3QMrOM71iRBOfyDyb6kb",
            "CChSmZB2M12/ki6nF0t3fwJD3/Y=",
        );
        const JOSE: &str = concat!(
            "eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIn0.aXA2Kkdxv_GSjkoP3lxOL3x61lmEsGMR",
            "wEvDTPLeZ5ib-",
            "YiolKXhK3feMxbkgDuGWjO24HusnpDhWreQB_xwb1h3ufHXcmYNXfKwV5XfCE96_4RR2pCDks-dDSlvIFwFc",
            "Qbx7skFlOtmU5d9FPi8AP_v-",
            "9XxhEBC0vq5XHiu09JrDTtz6lpqvCNolBBoFN7jio7OqXF41X5YaQ1Oy0XjldqzrmeCuODB1G1I5G_jlY_7F",
            "Im_Uvpjmx3A3eHSLvd1JdsCQkzPiAe9gfmrE4HYVnEZTqHZ9NkLtHoYqPd6nNydzHXPxorgx8SKyKMMxYtjU",
            "egZlTWL96AnGcSQCBv8mw.iz40WLZVeOvtQHWH.a0IjYYWXs85Mz7osjXX_.GPL5RyHvoOuB-C7eQXurqQ",
        );
        const JSENCRYPT: &str = concat!(
            "KOOSduN/X6QlnGJTXLSQGW8D25RQftwKrUoTzds25FmPVodiO3QNiIvWes3kF0o7yhe/hyQlwhWZQC+dAHrc",
            "2yO4d9deUH5uV3L/RYqtjdO0D8adOOLimPIdMmOGgFGWwURMKg5K/J1khXTSrFuN/jlrBvz+7A3/bPr5qrBH",
            "9F3DXUyw4wLAwBjDJ2Hpyi4nYxE2jm7yZBJt1ciOa2qazw1+uhSaraBW+X7v4g/NBjEjjpTKPDPPuKc/Nwio",
            "+VnDW2qtLrSi9rBGpxYSDuNw6qUHny1M1xInw/66LnZv5vYGjchE/tD4byf1Cu6/gQiikpGYfPDWkCesJSSK",
            "bQaShg==",
        );
        let key = STANDARD.decode(KEY).unwrap();
        let oaep = DecryptionKey::from_pkcs8(RsaPadding::Oaep256, &key).unwrap();
        assert_eq!(oaep.open(JOSE, &SystemRandom).unwrap().as_slice(), b"{\"email\":\"ada\"}");
        let pkcs1 = DecryptionKey::from_pkcs8(RsaPadding::Pkcs1, &key).unwrap();
        let ciphertext = STANDARD.decode(JSENCRYPT).unwrap();
        assert_eq!(pkcs1.decrypt(&ciphertext).unwrap().as_slice(), b"nine lives");
        assert!(pkcs1.open(JOSE, &SystemRandom).is_none());
    }
}
