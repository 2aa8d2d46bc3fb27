//! An authenticator in software: it makes passkeys and answers challenges, and lies where a test wants it to
//! ([Web Authentication 6](https://www.w3.org/TR/webauthn-3/#sctn-authenticator-model)).

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};

/// Somebody was there.
const PRESENT: u8 = 0b1;
/// It was the owner.
const VERIFIED: u8 = 0b100;
/// The key may leave the device.
const BACKUP: u8 = 0b1000;
/// A new credential follows.
const ATTESTED: u8 = 0b100_0000;

/// A device with passkeys. Copies of it have the same keys.
pub struct Authenticator {
    passkeys: RefCell<Vec<Passkey>>,
    next: Cell<u8>,
    counts: bool,
    synced: bool,
}

struct Passkey {
    id: Vec<u8>,
    key: EcdsaKeyPair,
    handle: Vec<u8>,
    count: Cell<u32>,
}

/// What an answer says other than it should.
#[expect(clippy::struct_excessive_bools, reason = "each is a lie of its own")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Lie {
    pub origin: Option<&'static str>,
    pub host: Option<&'static str>,
    pub challenge: Option<&'static str>,
    pub kind: Option<&'static str>,
    pub id: Option<&'static [u8]>,
    pub handle: Option<&'static [u8]>,
    pub count: Option<u32>,
    pub framed: bool,
    pub unverified: bool,
    pub absent: bool,
    pub signature: bool,
}

/// The truth.
pub const NONE: Lie = Lie {
    origin: None,
    host: None,
    challenge: None,
    kind: None,
    id: None,
    handle: None,
    count: None,
    framed: false,
    unverified: false,
    absent: false,
    signature: false,
};

pub const ORIGIN: &str = "http://localhost:4999";

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn bytes(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}

fn hash(of: &[u8]) -> Vec<u8> {
    digest(&SHA256, of).as_ref().to_vec()
}

impl Authenticator {
    /// One that counts, and keeps its keys to itself.
    pub fn new() -> Self {
        let passkeys = RefCell::default();
        Self { passkeys, next: Cell::new(1), counts: true, synced: false }
    }

    /// One whose keys are on several devices, so it does not count.
    pub fn synced() -> Self {
        Self { counts: false, synced: true, ..Self::new() }
    }

    /// The flags of an honest or lying answer.
    fn flags(&self, lie: &Lie) -> u8 {
        let mut flags = if lie.absent { 0 } else { PRESENT };
        if !lie.unverified {
            flags |= VERIFIED;
        }
        if self.synced { flags | BACKUP } else { flags }
    }

    fn client_data(kind: &str, options: &Value, lie: &Lie) -> Vec<u8> {
        let challenge = options["challenge"].as_str().unwrap();
        let data = json!({
            "type": lie.kind.unwrap_or(kind),
            "challenge": lie.challenge.unwrap_or(challenge),
            "origin": lie.origin.unwrap_or(ORIGIN),
            "crossOrigin": lie.framed,
        });
        data.to_string().into_bytes()
    }

    /// Makes a passkey as the options want it; what the browser hands to the script.
    pub fn create(&self, options: &Value, lie: &Lie) -> String {
        let options = &options["publicKey"];
        let number = self.next.replace(self.next.get() + 1);
        let mut id = vec![number; 16];
        id.extend(hash(options["challenge"].as_str().unwrap().as_bytes()));
        if let Some(other) = lie.id {
            id = other.to_vec();
        }
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let data = Self::client_data("webauthn.create", options, lie);
        let host = lie.host.unwrap_or(options["rp"]["id"].as_str().unwrap());
        let mut told = hash(host.as_bytes());
        told.push(self.flags(lie) | ATTESTED);
        told.extend(0_u32.to_be_bytes());
        told.extend([0; 16]);
        told.extend(u16::try_from(id.len()).unwrap().to_be_bytes());
        told.extend(&id);
        told.extend(cose(key.public_key().as_ref()));
        let answer = json!({
            "id": text(&id), "rawId": text(&id), "type": "public-key",
            "response": {
                "attestationObject": text(&attestation(&told)), "clientDataJSON": text(&data),
            },
        });
        let handle = bytes(&options["user"]["id"]);
        self.passkeys.borrow_mut().push(Passkey { id, key, handle, count: Cell::new(0) });
        answer.to_string()
    }

    /// Answers a challenge with the passkey that was made last.
    pub fn get(&self, options: &Value, lie: &Lie) -> String {
        let options = &options["publicKey"];
        let passkeys = self.passkeys.borrow();
        let passkey = passkeys.last().expect("there is a passkey");
        if self.counts {
            passkey.count.set(passkey.count.get() + 1);
        }
        let data = Self::client_data("webauthn.get", options, lie);
        let host = lie.host.unwrap_or(options["rpId"].as_str().unwrap());
        let mut told = hash(host.as_bytes());
        told.push(self.flags(lie));
        told.extend(lie.count.unwrap_or(passkey.count.get()).to_be_bytes());
        let mut signed = told.clone();
        signed.extend(hash(&data));
        if lie.signature {
            signed.push(0);
        }
        let signature = passkey.key.sign(&SystemRandom::new(), &signed).unwrap();
        let id = lie.id.unwrap_or(&passkey.id);
        json!({
            "id": text(id), "rawId": text(id), "type": "public-key",
            "response": {
                "authenticatorData": text(&told), "clientDataJSON": text(&data),
                "signature": text(signature.as_ref()),
                "userHandle": text(lie.handle.unwrap_or(&passkey.handle)),
            },
        })
        .to_string()
    }

    /// The user handle that the passkey was made for.
    pub fn handle(&self) -> Vec<u8> {
        self.passkeys.borrow().last().expect("there is a passkey").handle.clone()
    }
}

/// A public key of P-256 ([RFC 9053 7.1.1](https://www.rfc-editor.org/rfc/rfc9053#section-7.1.1)), from the point as it
/// is written without compression.
fn cose(point: &[u8]) -> Vec<u8> {
    let mut key = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
    key.extend(&point[1..33]);
    key.extend([0x22, 0x58, 0x20]);
    key.extend(&point[33..65]);
    key
}

/// An attestation of nothing, around what the authenticator says, in CBOR.
fn attestation(told: &[u8]) -> Vec<u8> {
    let mut object = vec![0xa3, 0x63];
    object.extend(b"fmt");
    object.push(0x64);
    object.extend(b"none");
    object.push(0x67);
    object.extend(b"attStmt");
    object.extend([0xa0, 0x68]);
    object.extend(b"authData");
    object.push(0x59);
    object.extend(u16::try_from(told.len()).unwrap().to_be_bytes());
    object.extend(told);
    object
}
