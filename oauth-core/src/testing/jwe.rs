//! The other end of an encrypted token: a client's private key, which the library never has.

use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey, UnparsedPublicKey, X25519},
    cipher::{self, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey},
    digest::{SHA256, digest},
    hmac,
    key_wrap::{AES_128, AES_256, AesKek, KeyWrap as _},
    rsa::{
        KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey,
        PrivateDecryptingKey,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rsa::{
    BigUint, RsaPrivateKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _},
    traits::PublicKeyParts as _,
};
use serde_json::{Value, json};

/// A private key of a client, with which it reads what was encrypted to it.
pub struct JweKey {
    private: Private,
    public: Value,
}

enum Private {
    Rsa(PrivateDecryptingKey),
    Agreement(PrivateKey),
}

/// A JWE as its recipient reads it.
#[derive(Debug)]
pub struct Opened {
    /// The protected header.
    pub header: Value,
    /// The content.
    pub content: String,
}

impl JweKey {
    /// A new RSA key of 2048 bits.
    pub fn rsa() -> Self {
        use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
        let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'static> = key.as_der().unwrap();
        Self::from_rsa(&RsaPrivateKey::from_pkcs8_der(der.as_ref()).unwrap())
    }

    /// A new key on P-256, P-384, P-521 or X25519.
    pub fn on(curve: &str) -> Self {
        Self::agreement(curve, PrivateKey::generate(algorithm(curve)).unwrap())
    }

    /// Reads a private JWK of one of these types.
    pub fn from_jwk(jwk: &Value) -> Self {
        let member = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        if jwk["kty"] == "RSA" {
            let number = |name| BigUint::from_bytes_be(&member(name));
            let primes = vec![number("p"), number("q")];
            let key = RsaPrivateKey::from_components(number("n"), number("e"), number("d"), primes);
            return Self::from_rsa(&key.unwrap());
        }
        let curve = jwk["crv"].as_str().unwrap();
        let key = PrivateKey::from_private_key(algorithm(curve), &member("d")).unwrap();
        Self::agreement(curve, key)
    }

    fn from_rsa(key: &RsaPrivateKey) -> Self {
        let encode = |number: &BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
        let public = json!({"kty": "RSA", "n": encode(key.n()), "e": encode(key.e())});
        let der = key.to_pkcs8_der().unwrap();
        let private = Private::Rsa(PrivateDecryptingKey::from_pkcs8(der.as_bytes()).unwrap());
        Self { private, public }
    }

    fn agreement(curve: &str, key: PrivateKey) -> Self {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let point = key.compute_public_key().unwrap();
        let public = if curve == "X25519" {
            json!({"kty": "OKP", "crv": curve, "x": encode(point.as_ref())})
        } else {
            let both = point.as_ref().split_first().unwrap().1;
            let (x, y) = both.split_at(both.len() / 2);
            json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)})
        };
        Self { private: Private::Agreement(key), public }
    }

    /// The public key as a bare JWK: add `kid`, `use` and `alg` as wanted.
    pub fn public_jwk(&self) -> Value {
        self.public.clone()
    }

    /// Reads a compact JWE; none when it was not made for this key, or was changed.
    pub fn open(&self, token: &str) -> Option<Opened> {
        let parts: Vec<_> = token.split('.').collect();
        let [protected, ..] = parts[..] else { return None };
        let raw: Option<Vec<_>> =
            parts.iter().map(|part| URL_SAFE_NO_PAD.decode(part).ok()).collect();
        let [header, encrypted_key, iv, ciphertext, tag] = <[_; 5]>::try_from(raw?).ok()?;
        let header: Value = serde_json::from_slice(&header).ok()?;
        let enc = header.get("enc")?.as_str()?;
        let key = self.content_key(&header, enc, &encrypted_key)?;
        let plain = unseal(enc, &key, protected.as_bytes(), &iv, (ciphertext, &tag))?;
        Some(Opened { header, content: String::from_utf8(plain).ok()? })
    }

    fn content_key(&self, header: &Value, enc: &str, encrypted_key: &[u8]) -> Option<Vec<u8>> {
        let alg = header["alg"].as_str()?;
        let private = match (&self.private, alg) {
            (Private::Rsa(key), "RSA-OAEP" | "RSA-OAEP-256") => {
                let padding =
                    if alg == "RSA-OAEP" { &OAEP_SHA1_MGF1SHA1 } else { &OAEP_SHA256_MGF1SHA256 };
                let key = OaepPrivateDecryptingKey::new(key.clone()).unwrap();
                let mut out = vec![0; key.min_output_size()];
                return Some(key.decrypt(padding, encrypted_key, &mut out, None).ok()?.to_vec());
            }
            (Private::Agreement(key), _) => key,
            _ => return None,
        };
        let (id, len) = match alg {
            "ECDH-ES" => (enc, key_len(enc)),
            "ECDH-ES+A128KW" => (alg, 16),
            "ECDH-ES+A256KW" => (alg, 32),
            _ => return None,
        };
        let epk = &header["epk"];
        let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(epk[name].as_str().unwrap()).unwrap();
        let point = match epk["kty"].as_str()? {
            "EC" => [vec![4], coordinate("x"), coordinate("y")].concat(),
            _ => coordinate("x"),
        };
        let point = UnparsedPublicKey::new(private.algorithm(), point);
        let derive = |secret: &[u8]| Ok(concat_kdf(secret, id, len));
        let key = agreement::agree(private, point, (), derive).ok()?;
        if alg == "ECDH-ES" {
            return encrypted_key.is_empty().then_some(key);
        }
        let kek = AesKek::new(if len == 16 { &AES_128 } else { &AES_256 }, &key).unwrap();
        let mut out = vec![0; encrypted_key.len()];
        Some(kek.unwrap(encrypted_key, &mut out).ok()?.to_vec())
    }
}

fn algorithm(curve: &str) -> &'static agreement::Algorithm {
    match curve {
        "P-256" => &ECDH_P256,
        "P-384" => &ECDH_P384,
        "P-521" => &ECDH_P521,
        "X25519" => &X25519,
        _ => panic!("no key can be made on {curve}"),
    }
}

fn key_len(enc: &str) -> usize {
    match enc {
        "A128GCM" => 16,
        "A128CBC-HS256" | "A256GCM" => 32,
        "A256CBC-HS512" => 64,
        _ => panic!("{enc} is not an encryption of the library"),
    }
}

/// Written out with one hash per round, so that it checks the derivation it is the counterpart of.
fn concat_kdf(secret: &[u8], id: &str, len: usize) -> Vec<u8> {
    let four = |n: usize| u32::try_from(n).unwrap().to_be_bytes();
    let info = [&four(id.len()), id.as_bytes(), &four(0), &four(0), &four(len * 8)].concat();
    let rounds = (1..=len.div_ceil(32)).flat_map(|round| {
        digest(&SHA256, &[&four(round), secret, &info].concat()).as_ref().to_vec()
    });
    rounds.take(len).collect()
}

fn unseal(
    enc: &str,
    key: &[u8],
    aad: &[u8],
    iv: &[u8],
    (mut ciphertext, tag): (Vec<u8>, &[u8]),
) -> Option<Vec<u8>> {
    if key.len() != key_len(enc) {
        return None;
    }
    if enc.ends_with("GCM") {
        let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key).unwrap());
        ciphertext.extend(tag);
        let nonce = Nonce::try_assume_unique_for_key(iv).ok()?;
        return Some(key.open_in_place(nonce, Aad::from(aad), &mut ciphertext).ok()?.to_vec());
    }
    let (mac_key, cipher_key) = key.split_at(key.len() / 2);
    let (algorithm, mac) = match mac_key.len() {
        16 => (&cipher::AES_128, hmac::HMAC_SHA256),
        _ => (&cipher::AES_256, hmac::HMAC_SHA512),
    };
    let bits = (aad.len() as u64 * 8).to_be_bytes();
    let mac = hmac::sign(&hmac::Key::new(mac, mac_key), &[aad, iv, &ciphertext, &bits].concat());
    if mac.as_ref().split_at(mac_key.len()).0 != tag {
        return None;
    }
    let key = UnboundCipherKey::new(algorithm, cipher_key).unwrap();
    let context = DecryptionContext::Iv128(iv.try_into().ok()?);
    let cipher = PaddedBlockDecryptingKey::cbc_pkcs7(key).unwrap();
    Some(cipher.decrypt(&mut ciphertext, context).ok()?.to_vec())
}
