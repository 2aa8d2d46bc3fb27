//! Diffie-Hellman with a key of our own that is used once ([RFC 7518 4.6](https://www.rfc-editor.org/rfc/rfc7518#section-4.6)).

use crate::jose::KeyProblem;
use aws_lc_rs::{
    agreement::{
        self, Algorithm, ECDH_P256, ECDH_P384, ECDH_P521, ParsedPublicKey, PrivateKey,
        UnparsedPublicKey, X25519,
    },
    kdf::{SskdfDigestAlgorithmId, get_sskdf_digest_algorithm, sskdf_digest},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// The first byte of a point that is written with both coordinates.
const UNCOMPRESSED: u8 = 4;

struct Curve {
    name: &'static str,
    algorithm: &'static Algorithm,
    /// Bytes of a coordinate.
    width: usize,
}

static CURVES: [Curve; 4] = [
    Curve { name: "P-256", algorithm: &ECDH_P256, width: 32 },
    Curve { name: "P-384", algorithm: &ECDH_P384, width: 48 },
    Curve { name: "P-521", algorithm: &ECDH_P521, width: 66 },
    Curve { name: "X25519", algorithm: &X25519, width: 32 },
];

/// A public key of somebody to agree with.
#[derive(Clone)]
pub(super) struct AgreementKey {
    curve: &'static Curve,
    key: ParsedPublicKey,
}

impl AgreementKey {
    /// Reads the members of a JWK. A point that is not on its curve, or of small order, is refused.
    pub(super) fn read(crv: &str, x: &str, y: Option<&str>) -> Option<Self> {
        let curve = CURVES.iter().find(|curve| curve.name == crv)?;
        let coordinate =
            |text| URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == curve.width);
        let point = match (crv, y) {
            ("X25519", _) => coordinate(x)?,
            (_, Some(y)) => [vec![UNCOMPRESSED], coordinate(x)?, coordinate(y)?].concat(),
            _ => return None,
        };
        let key = UnparsedPublicKey::new(curve.algorithm, point).try_into().ok()?;
        let read = Self { curve, key };
        // The library looks at points of X25519 only when it agrees.
        let usable = crv != "X25519" || read.agree("", 16).is_ok();
        usable.then_some(read)
    }

    /// Agrees on `len` bytes for the algorithm `id` with a new key, whose public part comes second.
    pub(super) fn agree(
        &self,
        id: &str,
        len: usize,
    ) -> Result<(Zeroizing<Vec<u8>>, Value), KeyProblem> {
        let mine = PrivateKey::generate(self.curve.algorithm).map_err(|_| KeyProblem::Crypto)?;
        let public = mine.compute_public_key().map_err(|_| KeyProblem::Crypto)?;
        let epk = self.curve.jwk(public.as_ref());
        let derive = |secret: &[u8]| concat_kdf(secret, id, [b"", b""], len);
        let key = agreement::agree(&mine, self.key.clone(), KeyProblem::Crypto, derive)?;
        Ok((key, epk))
    }
}

impl Curve {
    fn jwk(&self, point: &[u8]) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match point {
            [UNCOMPRESSED, both @ ..] if both.len() == 2 * self.width => {
                let (x, y) = both.split_at(self.width);
                json!({ "kty": "EC", "crv": self.name, "x": encode(x), "y": encode(y) })
            }
            x => json!({ "kty": "OKP", "crv": self.name, "x": encode(x) }),
        }
    }
}

/// The Concat KDF of NIST SP 800-56A with SHA-256, for the algorithm `id` and two parties
/// ([RFC 7518 4.6.2](https://www.rfc-editor.org/rfc/rfc7518#section-4.6.2)).
pub(super) fn concat_kdf(
    secret: &[u8],
    id: &str,
    [party_u, party_v]: [&[u8]; 2],
    len: usize,
) -> Result<Zeroizing<Vec<u8>>, KeyProblem> {
    let digest = get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256);
    let mut info = Vec::new();
    for part in [id.as_bytes(), party_u, party_v] {
        info.extend(short(part.len())?);
        info.extend(part);
    }
    info.extend(short(len * 8)?);
    let mut key = Zeroizing::new(vec![0; len]);
    sskdf_digest(digest.ok_or(KeyProblem::Crypto)?, secret, &info, &mut key)
        .map_err(|_| KeyProblem::Crypto)?;
    Ok(key)
}

/// A length as four bytes.
fn short(len: usize) -> Result<[u8; 4], KeyProblem> {
    u32::try_from(len).map(u32::to_be_bytes).map_err(|_| KeyProblem::Crypto)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Alice's ephemeral key, Bob's public key, and what both agree on.
    #[test]
    fn rfc7518_appendix_c_example() {
        let alice = URL_SAFE_NO_PAD.decode("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo").unwrap();
        let alice = PrivateKey::from_private_key(&ECDH_P256, &alice).unwrap();
        let bob = AgreementKey::read(
            "P-256",
            "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
            Some("e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"),
        )
        .unwrap();
        let key = agreement::agree(&alice, bob.key.clone(), KeyProblem::Crypto, |secret| {
            concat_kdf(secret, "A128GCM", [b"Alice", b"Bob"], 16)
        });
        assert_eq!(URL_SAFE_NO_PAD.encode(key.unwrap()), "VqqN6vgjbSBcIijNcacQGg");
        let public = alice.compute_public_key().unwrap();
        assert_eq!(
            bob.curve.jwk(public.as_ref()),
            json!({
                "kty": "EC",
                "crv": "P-256",
                "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
                "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"
            })
        );
    }

    /// The scalar and the point of RFC 8037 A.6, which are those of RFC 7748 6.1.
    #[test]
    fn rfc8037_a6_x25519_example() {
        let bob = AgreementKey::read("X25519", "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08", None);
        let mine = [
            0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2,
            0x66, 0x45, 0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5,
            0x1d, 0xb9, 0x2c, 0x2a,
        ];
        let mine = PrivateKey::from_private_key(&X25519, &mine).unwrap();
        let bob = bob.unwrap();
        let secret = agreement::agree(&mine, bob.key.clone(), (), |secret| Ok(secret.to_vec()));
        assert_eq!(
            URL_SAFE_NO_PAD.encode(secret.unwrap()),
            "Sl2dW6TOLeFyjjv0gDUPJeB-IclH0Z4zdvCbPB4WF0I"
        );
        assert_eq!(
            bob.curve.jwk(mine.compute_public_key().unwrap().as_ref())["x"],
            "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"
        );
    }
}
