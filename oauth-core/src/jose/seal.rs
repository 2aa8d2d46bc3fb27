//! Sealing: AES-256-GCM for what must be stored but not read in the store.

use super::KeyProblem;
use crate::ports::Random;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
    hmac,
};
use zeroize::Zeroizing;

/// Seals and opens small secrets. The output is a nonce of 12 random bytes, then ciphertext and tag.
pub struct Sealer {
    cipher: LessSafeKey,
    /// What keys for tags are derived from.
    root: Prk,
}

/// The length of every key here.
struct KeyLen;

impl KeyType for KeyLen {
    fn len(&self) -> usize {
        32
    }
}

impl Sealer {
    /// A sealer with a key of 256 random bits.
    #[expect(clippy::missing_panics_doc, reason = "32 bytes are always a key")]
    pub fn new(key: &[u8; 32]) -> Self {
        let cipher = UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are an AES-256 key");
        Self { cipher: LessSafeKey::new(cipher), root: Prk::new_less_safe(HKDF_SHA256, key) }
    }

    /// A sealer with a key derived (HKDF-SHA-256) from a secret of full entropy, for one purpose.
    pub fn derived(secret: &[u8], purpose: &[u8]) -> Self {
        Self::new(&expand(&Salt::new(HKDF_SHA256, &[]).extract(secret), purpose))
    }

    /// A keyed fingerprint of a message: HMAC-SHA-256 under a key derived for the purpose.
    ///
    /// The same for ever for one sealing key, purpose and message, as pairwise subjects must be, and not to be guessed
    /// or traced back to the message without that key. Another sealing key gives other tags.
    #[expect(clippy::missing_panics_doc, reason = "HMAC-SHA-256 always yields 32 bytes")]
    pub fn tag(&self, purpose: &[u8], message: &[u8]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &*expand(&self.root, purpose));
        hmac::sign(&key, message).as_ref().try_into().expect("HMAC-SHA-256 yields 32 bytes")
    }

    /// Seals `plain`, bound to `context`.
    #[expect(clippy::missing_panics_doc, reason = "AES-GCM fails only beyond 64 GiB")]
    pub fn seal(&self, context: &[u8], plain: &[u8], random: &dyn Random) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce);
        let mut out = plain.to_vec();
        self.cipher
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context),
                &mut out,
            )
            .expect("a short message can be sealed");
        out.splice(0..0, nonce);
        out
    }

    /// Opens what [`seal`](Self::seal) made with the same key and context.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyProblem> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or(KeyProblem::Sealed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyProblem::Sealed)?;
        let mut buffer = Zeroizing::new(rest.to_vec());
        let plain = self
            .cipher
            .open_in_place(nonce, Aad::from(context), &mut buffer)
            .map_err(|_| KeyProblem::Sealed)?
            .len();
        buffer.truncate(plain);
        Ok(buffer)
    }
}

fn expand(root: &Prk, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    root.expand(&[purpose], KeyLen)
        .and_then(|okm| okm.fill(key.as_mut_slice()))
        .expect("HKDF-SHA-256 yields 32 bytes");
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemRandom;

    #[test]
    fn opens_only_with_its_key_and_context() {
        let a = Sealer::new(&[1; 32]);
        let sealed = a.seal(b"k1", b"secret", &SystemRandom);
        assert_eq!(a.open(b"k1", &sealed).unwrap().as_slice(), b"secret");
        assert!(a.open(b"k2", &sealed).is_err());
        assert!(Sealer::new(&[2; 32]).open(b"k1", &sealed).is_err());
        for cut in 0..sealed.len() {
            assert!(a.open(b"k1", &sealed[..cut]).is_err());
        }
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(a.open(b"k1", &changed).is_err());
        assert_ne!(sealed, a.seal(b"k1", b"secret", &SystemRandom));
        let d = Sealer::derived(b"token", b"p");
        assert!(
            Sealer::derived(b"token", b"q").open(b"", &d.seal(b"", b"x", &SystemRandom)).is_err()
        );
    }

    #[test]
    fn tags_are_stable_and_of_their_purpose() {
        let sealer = Sealer::new(&[1; 32]);
        let tag = sealer.tag(b"pairwise", b"alice");
        assert_eq!(tag, Sealer::new(&[1; 32]).tag(b"pairwise", b"alice"));
        assert_ne!(tag, Sealer::new(&[2; 32]).tag(b"pairwise", b"alice"));
        assert_ne!(tag, sealer.tag(b"other", b"alice"));
        assert_ne!(tag, sealer.tag(b"pairwise", b"bob"));
        assert_ne!(tag, sealer.tag(b"pairwisea", b"lice"));
    }
}
