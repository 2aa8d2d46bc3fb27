//! Front ends that encrypt what they send, in the tests.

use crate::{people_actors::Answer, support::Server};
use aws_lc_rs::rsa::{
    OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey, PublicEncryptingKey,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oauth_core::{
    jose::{EncryptionKey, encrypt_claims, peek},
    model::{ContentEncryption, KeyManagementAlgorithm},
    ports::SystemRandom,
};
use serde_json::{Value, json};

/// What a front end encrypts to.
#[derive(Clone)]
pub struct Lock {
    key: PublicEncryptingKey,
    jwk: EncryptionKey,
}

impl Lock {
    /// The public key that the features of a server show.
    pub fn of(features: &Value) -> Self {
        let key = &features["public_key"];
        let pem = key["pem"].as_str().unwrap();
        let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(base64).unwrap();
        // Without the algorithm it is for, so that tests can use it for the wrong one.
        let mut jwk = key["jwk"].clone();
        jwk.as_object_mut().unwrap().remove("alg");
        Self {
            key: PublicEncryptingKey::from_der(&der).unwrap(),
            jwk: EncryptionKey::from_jwk(&jwk).unwrap(),
        }
    }

    /// One field with RSA-OAEP-256.
    pub fn oaep(&self, plain: impl AsRef<[u8]>) -> String {
        let key = OaepPublicEncryptingKey::new(self.key.clone()).unwrap();
        let mut out = vec![0; key.ciphertext_size()];
        key.encrypt(&OAEP_SHA256_MGF1SHA256, plain.as_ref(), &mut out, None).unwrap();
        STANDARD.encode(out)
    }

    /// One field with PKCS #1 v1.5.
    pub fn pkcs1(&self, plain: impl AsRef<[u8]>) -> String {
        let key = Pkcs1PublicEncryptingKey::new(self.key.clone()).unwrap();
        let mut out = vec![0; key.ciphertext_size()];
        key.encrypt(plain.as_ref(), &mut out).unwrap();
        STANDARD.encode(out)
    }

    /// A whole form as a JWE.
    pub fn jwe(&self, form: &Value) -> String {
        self.jwe_of(&form.to_string())
    }

    /// A JWE of any text.
    pub fn jwe_of(&self, text: &str) -> String {
        let alg = KeyManagementAlgorithm::RsaOaep256;
        encrypt_claims(text, &self.jwk, alg, ContentEncryption::A256Gcm, &SystemRandom).unwrap()
    }
}

/// A front end with the key of the server and a guest token.
pub struct FrontEnd<'s> {
    pub server: &'s Server,
    pub lock: Lock,
    pub guest: String,
}

impl<'s> FrontEnd<'s> {
    /// Asks the server for both.
    pub async fn of(server: &'s Server) -> Self {
        let features = server.call("GET", "/auth/features").send().await.body;
        let guest = server.call("POST", "/guest").send().await.text("access_token");
        Self { server, lock: Lock::of(&features), guest }
    }

    /// What a JWE must say: this name and password, the guest token, and now.
    pub fn form(&self, email: &str, pwd: &str) -> Value {
        let iat = self.server.state.now().unix();
        json!({"email": email, "pwd": pwd, "jti": jti(&self.guest), "iat": iat})
    }

    /// Sends it along with the guest token.
    pub async fn tell(&self, path: &str, body: Value) -> Answer {
        self.server.call("POST", path).token(&self.guest).body(body).send().await
    }

    /// Signs in with each field encrypted by itself.
    pub async fn log_in(&self, email: &str, pwd: &str) -> Answer {
        let body = json!({
            "email_encrypt": self.lock.oaep(email), "pwd_encrypt": self.lock.oaep(pwd),
        });
        self.tell("/login", body).await
    }

    /// Signs in with a JWE of this.
    pub async fn log_in_by(&self, form: &Value) -> Answer {
        self.tell("/login", json!({"form": self.lock.jwe(form)})).await
    }
}

/// The id of an access token.
pub fn jti(token: &str) -> String {
    peek(token).unwrap().claims["jti"].as_str().unwrap().to_owned()
}
