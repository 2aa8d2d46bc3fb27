//! The content of a JWE under a key that is already agreed ([RFC 7518 5](https://www.rfc-editor.org/rfc/rfc7518#section-5)).

use crate::{jose::KeyProblem, model::ContentEncryption, ports::Random};
use aws_lc_rs::{
    aead::{self, Aad, LessSafeKey, Nonce},
    cipher::{self, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    error::Unspecified,
    hmac,
};
use zeroize::Zeroizing;

/// The last three parts of a JWE.
pub(super) struct Sealed {
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

/// Bytes of the content key.
pub(super) const fn key_len(enc: ContentEncryption) -> usize {
    match enc {
        ContentEncryption::A128Gcm => 16,
        ContentEncryption::A128CbcHs256 | ContentEncryption::A256Gcm => 32,
        ContentEncryption::A256CbcHs512 => 64,
    }
}

/// Encrypts `plain` and authenticates it together with `aad`, the encoded header.
pub(super) fn seal(
    enc: ContentEncryption,
    key: &[u8],
    aad: &[u8],
    plain: &[u8],
    random: &dyn Random,
) -> Result<Sealed, KeyProblem> {
    use ContentEncryption as E;
    if key.len() != key_len(enc) {
        return Err(KeyProblem::Crypto);
    }
    let sealed = match enc {
        E::A128Gcm => gcm(&aead::AES_128_GCM, key, aad, plain, random),
        E::A256Gcm => gcm(&aead::AES_256_GCM, key, aad, plain, random),
        E::A128CbcHs256 => cbc_hmac((&cipher::AES_128, hmac::HMAC_SHA256), key, aad, plain, random),
        E::A256CbcHs512 => cbc_hmac((&cipher::AES_256, hmac::HMAC_SHA512), key, aad, plain, random),
    };
    sealed.map_err(|_| KeyProblem::Crypto)
}

fn gcm(
    algorithm: &'static aead::Algorithm,
    key: &[u8],
    aad: &[u8],
    plain: &[u8],
    random: &dyn Random,
) -> Result<Sealed, Unspecified> {
    let key = LessSafeKey::new(aead::UnboundKey::new(algorithm, key)?);
    let mut iv = [0; aead::NONCE_LEN];
    random.fill(&mut iv);
    let mut ciphertext = plain.to_vec();
    // Every content key is used once, so any nonce is a fresh one.
    let nonce = Nonce::assume_unique_for_key(iv);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut ciphertext)?;
    Ok(Sealed { iv: iv.to_vec(), ciphertext, tag: tag.as_ref().to_vec() })
}

/// Decrypts what AES-256-GCM encrypted, if it and `aad` are as they were: initialization vector, ciphertext, tag.
pub(super) fn open_a256gcm(
    key: &[u8],
    aad: &[u8],
    (iv, ciphertext, tag): (&[u8], &[u8], &[u8]),
) -> Option<Zeroizing<Vec<u8>>> {
    let key = LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM, key).ok()?);
    // A shorter tag would be a weaker one.
    if tag.len() != aead::AES_256_GCM.tag_len() {
        return None;
    }
    let nonce = Nonce::try_assume_unique_for_key(iv).ok()?;
    let mut buffer = Zeroizing::new([ciphertext, tag].concat());
    let len = key.open_in_place(nonce, Aad::from(aad), &mut buffer).ok()?.len();
    buffer.truncate(len);
    Some(buffer)
}

/// The first half of the key authenticates, the second encrypts; half of the MAC is the tag
/// ([RFC 7518 5.2.2.1](https://www.rfc-editor.org/rfc/rfc7518#section-5.2.2.1)).
fn cbc_hmac(
    (algorithm, mac): (&'static cipher::Algorithm, hmac::Algorithm),
    key: &[u8],
    aad: &[u8],
    plain: &[u8],
    random: &dyn Random,
) -> Result<Sealed, Unspecified> {
    let (mac_key, cipher_key) = key.split_at_checked(key.len() / 2).ok_or(Unspecified)?;
    let cipher =
        PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(algorithm, cipher_key)?)?;
    let mut iv = [0; cipher::AES_CBC_IV_LEN];
    random.fill(&mut iv);
    let mut ciphertext = plain.to_vec();
    cipher.less_safe_encrypt(&mut ciphertext, EncryptionContext::Iv128(iv.into()))?;
    let mut mac = hmac::Context::with_key(&hmac::Key::new(mac, mac_key));
    mac.update(aad);
    mac.update(&iv);
    mac.update(&ciphertext);
    mac.update(&(aad.len() as u64 * 8).to_be_bytes());
    let mut tag = mac.sign().as_ref().to_vec();
    tag.truncate(mac_key.len());
    Ok(Sealed { iv: iv.to_vec(), ciphertext, tag })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemRandom;
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    /// Gives out the initialization vector of an example.
    struct Fixed(Vec<u8>);

    impl Random for Fixed {
        fn fill(&self, out: &mut [u8]) {
            out.copy_from_slice(&self.0);
        }
    }

    fn encoded(sealed: &Sealed) -> [String; 2] {
        [&sealed.ciphertext, &sealed.tag].map(|part| URL_SAFE_NO_PAD.encode(part))
    }

    #[test]
    fn rfc7516_a1_content() {
        let key = [
            177, 161, 244, 128, 84, 143, 225, 115, 63, 180, 3, 255, 107, 154, 212, 246, 138, 7,
            110, 91, 112, 46, 34, 105, 47, 130, 203, 46, 122, 234, 64, 252,
        ];
        let iv = Fixed(URL_SAFE_NO_PAD.decode("48V1_ALb6US04U3b").unwrap());
        let aad = b"eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ";
        let plain = b"The true sign of intelligence is not knowledge but imagination.";
        let sealed = seal(ContentEncryption::A256Gcm, &key, aad, plain, &iv).unwrap();
        assert_eq!(
            encoded(&sealed),
            [
                "5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A",
                "XFBoMYUZodetZdvTiFvSkQ"
            ]
        );
    }

    #[test]
    fn rfc7516_a3_content() {
        let key = [
            4, 211, 31, 197, 84, 157, 252, 254, 11, 100, 157, 250, 63, 170, 106, 206, 107, 124,
            212, 45, 111, 107, 9, 219, 200, 177, 0, 240, 143, 156, 44, 207,
        ];
        let iv = Fixed(URL_SAFE_NO_PAD.decode("AxY8DCtDaGlsbGljb3RoZQ").unwrap());
        let aad = b"eyJhbGciOiJBMTI4S1ciLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0";
        let plain = b"Live long and prosper.";
        let sealed = seal(ContentEncryption::A128CbcHs256, &key, aad, plain, &iv).unwrap();
        assert_eq!(
            encoded(&sealed),
            ["KDlTtXchhZTGufMYmOYGS4HffxPSUrfmqCHXaI9wOGY", "U0m_YmjN04DJvceFICbCVQ"]
        );
    }

    /// The tag covers the ciphertext, so it stands for both.
    #[test]
    fn rfc7518_b1_b3_tags() {
        let iv = Fixed(vec![
            0x1a, 0xf3, 0x8c, 0x2d, 0xc2, 0xb9, 0x6f, 0xfd, 0xd8, 0x66, 0x94, 0x09, 0x23, 0x41,
            0xbc, 0x04,
        ]);
        let plain = b"A cipher system must not be required to be secret, and it must be able to \
            fall into the hands of the enemy without inconvenience";
        let aad = b"The second principle of Auguste Kerckhoffs";
        let key: Vec<u8> = (0..64).collect();
        let tag = |enc, key| seal(enc, key, aad, plain, &iv).unwrap().tag;
        assert_eq!(
            tag(ContentEncryption::A128CbcHs256, &key[..32]),
            [
                0x65, 0x2c, 0x3f, 0xa3, 0x6b, 0x0a, 0x7c, 0x5b, 0x32, 0x19, 0xfa, 0xb3, 0xa3, 0x0b,
                0xc1, 0xc4
            ]
        );
        assert_eq!(
            tag(ContentEncryption::A256CbcHs512, &key),
            [
                0x4d, 0xd3, 0xb4, 0xc0, 0x88, 0xa7, 0xf4, 0x5c, 0x21, 0x68, 0x39, 0x64, 0x5b, 0x20,
                0x12, 0xbf, 0x2e, 0x62, 0x69, 0xa8, 0xc5, 0x6a, 0x81, 0x6d, 0xbc, 0x1b, 0x26, 0x77,
                0x61, 0x95, 0x5b, 0xc5
            ]
        );
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        for enc in ContentEncryption::ALL {
            let with = |len| seal(enc, &vec![1; len], b"", b"x", &SystemRandom);
            assert!(with(key_len(enc)).is_ok());
            for len in [0, key_len(enc) - 1, key_len(enc) + 1] {
                assert!(matches!(with(len), Err(KeyProblem::Crypto)), "{len} with {enc}");
            }
        }
    }
}
