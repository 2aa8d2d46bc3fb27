//! Making and importing keys. Rare, slow, and never on the path of a request.

use super::{KeyProblem, Signer};
use crate::{
    model::{SigningAlgorithm, Timestamp},
    ports::Random,
};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519,
    PKCS_RSA_SHA256,
};
use rsa::{
    RsaPrivateKey,
    pkcs1::DecodeRsaPrivateKey as _,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _},
    rand_core,
    traits::PublicKeyParts as _,
};
use std::time::Duration;
use zeroize::Zeroizing;

/// Bits of a generated RSA key.
const RSA_BITS: usize = 2048;

/// A new private key and its certificate.
pub struct GeneratedKey {
    /// The key, ready to sign.
    pub signer: Signer,
    /// The private key as PKCS#8 DER.
    pub pkcs8: Zeroizing<Vec<u8>>,
}

/// Makes a key pair for the algorithm.
pub fn generate(alg: SigningAlgorithm, random: &dyn Random) -> Result<GeneratedKey, KeyProblem> {
    use SigningAlgorithm as A;
    let rng = SystemRandom::new();
    let pkcs8 = match alg {
        A::ES256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng)
            .map_err(|_| KeyProblem::Crypto)?
            .as_ref()
            .to_vec(),
        A::EdDSA => Ed25519KeyPair::generate_pkcs8v1(&rng)
            .map_err(|_| KeyProblem::Crypto)?
            .as_ref()
            .to_vec(),
        A::RS256 | A::RS512 | A::PS256 => {
            let key =
                RsaPrivateKey::new(&mut Dice(random), RSA_BITS).map_err(|_| KeyProblem::Crypto)?;
            key.to_pkcs8_der().map_err(|_| KeyProblem::Crypto)?.as_bytes().to_vec()
        }
    };
    let pkcs8 = Zeroizing::new(pkcs8);
    Ok(GeneratedKey { signer: Signer::from_pkcs8(alg, &pkcs8)?, pkcs8 })
}

/// Reads a PEM private key (PKCS#8, or PKCS#1 for RSA) for use with `alg`, or with the usual algorithm of its type.
pub fn import_pem(pem: &str, alg: Option<SigningAlgorithm>) -> Result<GeneratedKey, KeyProblem> {
    let pkcs8 = if let Ok(key) = RsaPrivateKey::from_pkcs8_pem(pem)
        .map_err(drop)
        .or_else(|()| RsaPrivateKey::from_pkcs1_pem(pem).map_err(drop))
    {
        if key.size() * 8 < RSA_BITS {
            return Err(KeyProblem::Pem);
        }
        key.to_pkcs8_der().map_err(|_| KeyProblem::Pem)?.as_bytes().to_vec()
    } else {
        let (label, document) =
            rsa::pkcs8::Document::from_pem(pem.trim_start()).map_err(|_| KeyProblem::Pem)?;
        if label != "PRIVATE KEY" {
            return Err(KeyProblem::Pem);
        }
        document.as_bytes().to_vec()
    };
    let pkcs8 = Zeroizing::new(pkcs8);
    let candidates = match alg {
        Some(alg) => vec![alg],
        None => vec![SigningAlgorithm::RS256, SigningAlgorithm::ES256, SigningAlgorithm::EdDSA],
    };
    candidates
        .into_iter()
        .find_map(|alg| Signer::from_pkcs8(alg, &pkcs8).ok())
        .map(|signer| GeneratedKey { signer, pkcs8 })
        .ok_or(KeyProblem::Pem)
}

/// A self-signed certificate for the public key, as PEM, so that clients that only know certificates can pin it.
pub fn self_signed(
    key: &GeneratedKey,
    names: &[String],
    from: Timestamp,
    life: Duration,
) -> Result<String, KeyProblem> {
    use SigningAlgorithm as A;
    let algorithm = match key.signer.alg() {
        A::ES256 => &PKCS_ECDSA_P256_SHA256,
        A::EdDSA => &PKCS_ED25519,
        A::RS256 | A::RS512 | A::PS256 => &PKCS_RSA_SHA256,
    };
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&key.pkcs8.as_slice().into(), algorithm)
        .map_err(KeyProblem::Certificate)?;
    let mut params = CertificateParams::new(names.to_vec()).map_err(KeyProblem::Certificate)?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, names.first().map_or("token signing", String::as_str));
    params.distinguished_name = subject;
    let start = params.not_before.replace_year(1970).unwrap_or(params.not_before);
    params.not_before = start + Duration::from_secs(from.unix().unsigned_abs());
    params.not_after = params.not_before + life;
    let certificate = params.self_signed(&pair).map_err(KeyProblem::Certificate)?;
    Ok(certificate.pem())
}

/// The random port as the `rsa` crate wants it.
struct Dice<'a>(&'a dyn Random);

impl rand_core::RngCore for Dice<'_> {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }
    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }
    fn fill_bytes(&mut self, out: &mut [u8]) {
        self.0.fill(out);
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.fill(out);
        Ok(())
    }
}

impl rand_core::CryptoRng for Dice<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        jose::{KeySet, verify},
        ports::SystemRandom as OsRandom,
    };
    use rsa::pkcs8::LineEnding;
    use serde_json::json;

    #[test]
    fn every_algorithm_signs_what_its_public_key_verifies() {
        for alg in SigningAlgorithm::ALL {
            let key = generate(alg, &OsRandom).unwrap();
            let token = key.signer.sign("at+jwt", &json!({"sub": "u"})).unwrap();
            let set = KeySet::from_jwks(&json!({"keys": [key.signer.public_jwk()]}));
            let jwt = verify(&token, &set, &[alg]).unwrap();
            assert_eq!(jwt.claims["sub"], "u");
            assert_eq!(jwt.typ.as_deref(), Some("at+jwt"));
            let other: Vec<_> = SigningAlgorithm::ALL.into_iter().filter(|a| *a != alg).collect();
            assert!(verify(&token, &set, &other).is_err(), "{alg} must be allowed by name");
            let pem = self_signed(
                &key,
                &["as.example".into()],
                Timestamp::from_unix(1_760_000_000),
                Duration::from_hours(24),
            )
            .unwrap();
            assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
        }
    }

    #[test]
    fn imports_what_openssl_writes() {
        let rsa = RsaPrivateKey::new(&mut Dice(&OsRandom), 2048).unwrap();
        let pem = rsa.to_pkcs8_pem(LineEnding::LF).unwrap();
        assert_eq!(import_pem(&pem, None).unwrap().signer.alg(), SigningAlgorithm::RS256);
        assert_eq!(
            import_pem(&pem, Some(SigningAlgorithm::RS512)).unwrap().signer.alg(),
            SigningAlgorithm::RS512
        );
        assert!(import_pem(&pem, Some(SigningAlgorithm::ES256)).is_err());
        let small = RsaPrivateKey::new(&mut Dice(&OsRandom), 1024).unwrap();
        assert!(import_pem(&small.to_pkcs8_pem(LineEnding::LF).unwrap(), None).is_err());
        assert!(
            import_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", None)
                .is_err()
        );
        assert!(import_pem("", None).is_err());
    }
}
