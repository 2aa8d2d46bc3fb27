//! RFC 7516, 7518 and 8037: what is encrypted for a client, read with the client's private key.

use oauth_core::{
    jose::{EncryptionKey, EncryptionKeys, KeyProblem, encrypt, encrypt_claims},
    model::{ContentEncryption, KeyManagementAlgorithm as Alg},
    ports::SystemRandom,
    testing::JweKey,
};
use serde_json::{Value, json};

const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1In0.c2lnbmF0dXJl";

fn keys_of(alg: Alg) -> Vec<JweKey> {
    match alg {
        Alg::RsaOaep | Alg::RsaOaep256 => vec![JweKey::rsa()],
        _ => ["P-256", "P-384", "P-521", "X25519"].map(JweKey::on).into(),
    }
}

fn with(mut jwk: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk
}

fn public(key: &JweKey) -> EncryptionKey {
    EncryptionKey::from_jwk(&key.public_jwk()).unwrap()
}

/// The counterpart in these tests reads what others have written.
#[test]
fn a1_example_is_read() {
    let key = JweKey::from_jwk(&json!({
        "kty": "RSA",
        "n": "oahUIoWw0K0usKNuOR6H4wkf4oBUXHTxRvgb48E-BVvxkeDNjbC4he8rUWcJoZmds2h7M70imEVhRU5djINXtqllXI4DFqcI1DgjT9LewND8MW2Krf3Spsk_ZkoFnilakGygTwpZ3uesH-PFABNIUYpOiN15dsQRkgr0vEhxN92i2asbOenSZeyaxziK72UwxrrKoExv6kc5twXTq4h-QChLOln0_mtUZwfsRaMStPs6mS6XrgxnxbWhojf663tuEQueGC-FCMfra36C9knDFGzKsNa7LZK2djYgyD3JR_MB_4NUJW_TqOQtwHYbxevoJArm-L5StowjzGy-_bq6Gw",
        "e": "AQAB",
        "d": "kLdtIj6GbDks_ApCSTYQtelcNttlKiOyPzMrXHeI-yk1F7-kpDxY4-WY5NWV5KntaEeXS1j82E375xxhWMHXyvjYecPT9fpwR_M9gV8n9Hrh2anTpTD93Dt62ypW3yDsJzBnTnrYu1iwWRgBKrEYY46qAZIrA2xAwnm2X7uGR1hghkqDp0Vqj3kbSCz1XyfCs6_LehBwtxHIyh8Ripy40p24moOAbgxVw3rxT_vlt3UVe4WO3JkJOzlpUf-KTVI2Ptgm-dARxTEtE-id-4OJr0h-K-VFs3VSndVTIznSxfyrj8ILL6MG_Uv8YAu7VILSB3lOW085-4qE3DzgrTjgyQ",
        "p": "1r52Xk46c-LsfB5P442p7atdPUrxQSy4mti_tZI3Mgf2EuFVbUoDBvaRQ-SWxkbkmoEzL7JXroSBjSrK3YIQgYdMgyAEPTPjXv_hI2_1eTSPVZfzL0lffNn03IXqWF5MDFuoUYE0hzb2vhrlN_rKrbfDIwUbTrjjgieRbwC6Cl0",
        "q": "wLb35x7hmQWZsWJmB_vle87ihgZ19S8lBEROLIsZG4ayZVe9Hi9gDVCOBmUDdaDYVTSNx_8Fyw1YYa9XGrGnDew00J28cRUoeBB_jKI1oma0Orv1T9aXIWxKwd4gvxFImOWr3QRL9KEBRzk2RatUBnmDZJTIAfwTs0g68UZHvtc"
    }));
    let example = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.\
        OKOawDo13gRp2ojaHV7LFpZcgV7T6DVZKTyKOMTYUmKoTCVJRgckCL9kiMT03JGe\
        ipsEdY3mx_etLbbWSrFr05kLzcSr4qKAq7YN7e9jwQRb23nfa6c9d-StnImGyFDb\
        Sv04uVuxIp5Zms1gNxKKK2Da14B8S4rzVRltdYwam_lDp5XnZAYpQdb76FdIKLaV\
        mqgfwX7XWRxv2322i-vDxRfqNzo_tETKzpVLzfiwQyeyPGLBIO56YJ7eObdv0je8\
        1860ppamavo35UgoRdbYaBcoh9QcfylQr66oc6vFWXRcZ_ZT2LawVCWTIy3brGPi\
        6UklfCpIMfIjf7iGdXKHzg.\
        48V1_ALb6US04U3b.\
        5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A.\
        XFBoMYUZodetZdvTiFvSkQ";
    assert_eq!(
        key.open(example).unwrap().content,
        "The true sign of intelligence is not knowledge but imagination."
    );
    // The same key, encrypted to by us.
    let ours =
        encrypt(TOKEN, &public(&key), Alg::RsaOaep, ContentEncryption::A256Gcm, &SystemRandom);
    assert_eq!(key.open(&ours.unwrap()).unwrap().content, TOKEN);
}

#[test]
fn s5_1_only_the_recipient_reads_it_with_every_algorithm() {
    for alg in Alg::ALL {
        let mallory = keys_of(alg);
        for (key, other) in keys_of(alg).iter().zip(&mallory) {
            for enc in ContentEncryption::ALL {
                let recipient = public(key);
                let token = encrypt(TOKEN, &recipient, alg, enc, &SystemRandom).unwrap();
                let opened = key.open(&token).unwrap();
                assert_eq!(opened.content, TOKEN, "{alg} {enc}");
                assert_eq!(opened.header["alg"], alg.as_str());
                assert_eq!(opened.header["enc"], enc.as_str());
                assert!(other.open(&token).is_none(), "{alg} {enc}");
                let again = encrypt(TOKEN, &recipient, alg, enc, &SystemRandom).unwrap();
                let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
                let (one, two) = (parts(&token), parts(&again));
                assert_eq!(one.len(), 5);
                assert_eq!(one[1].is_empty(), alg == Alg::EcdhEs);
                for part in 1..5 {
                    assert!(one[part] != two[part] || one[part].is_empty(), "part {part}");
                }
            }
        }
    }
}

#[test]
fn s4_1_headers_of_a_nested_token_and_of_claims() {
    let key = JweKey::on("P-256");
    let jwk = with(key.public_jwk(), &json!({"kid": "enc-1"}));
    let named = EncryptionKey::from_jwk(&jwk).unwrap();
    let (alg, enc) = (Alg::EcdhEs, ContentEncryption::A128Gcm);
    let mut nested = key.open(&encrypt(TOKEN, &named, alg, enc, &SystemRandom).unwrap()).unwrap();
    let epk = nested.header.as_object_mut().unwrap().remove("epk").unwrap();
    assert_eq!((&epk["kty"], &epk["crv"]), (&json!("EC"), &json!("P-256")));
    assert_eq!(epk.as_object().unwrap().len(), 4, "nothing private in {epk}");
    assert_eq!(
        nested.header,
        json!({"alg": "ECDH-ES", "enc": "A128GCM", "cty": "JWT", "kid": "enc-1"})
    );
    let claims = r#"{"sub":"u"}"#;
    let rsa = JweKey::rsa();
    let alg = Alg::RsaOaep256;
    let opened = rsa.open(&encrypt_claims(claims, &public(&rsa), alg, enc, &SystemRandom).unwrap());
    let opened = opened.unwrap();
    assert_eq!(opened.content, claims);
    assert_eq!(opened.header, json!({"alg": "RSA-OAEP-256", "enc": "A128GCM", "typ": "JWT"}));
}

#[test]
fn s11_changed_tokens_do_not_open() {
    for enc in ContentEncryption::ALL {
        let key = JweKey::on("P-256");
        let token = encrypt(TOKEN, &public(&key), Alg::EcdhEsA128Kw, enc, &SystemRandom).unwrap();
        let parts: Vec<_> = token.split('.').collect();
        for changed in 1..5 {
            let mut parts = parts.clone();
            let first = if parts[changed].starts_with('A') { "B" } else { "A" };
            let part = format!("{first}{}", &parts[changed][1..]);
            parts[changed] = &part;
            assert!(key.open(&parts.join(".")).is_none(), "part {changed} with {enc}");
        }
    }
}

#[test]
fn rfc7517_s4_the_key_that_fits_is_chosen() {
    let rsa = JweKey::rsa().public_jwk();
    let curve = JweKey::on("P-256").public_jwk();
    let set = EncryptionKeys::from_jwks(&json!({"keys": [
        with(rsa.clone(), &json!({"kid": "signs", "use": "sig"})),
        with(rsa.clone(), &json!({"kid": "signs by alg", "alg": "RS256"})),
        with(rsa.clone(), &json!({"kid": "says nothing"})),
        with(rsa.clone(), &json!({"kid": "is marked", "use": "enc"})),
        with(rsa.clone(), &json!({"kid": "names it", "use": "enc", "alg": "RSA-OAEP-256"})),
        with(curve.clone(), &json!({"kid": "curve", "use": "enc", "alg": "ECDH-ES"})),
        {"kty": "oct", "k": "AA", "kid": "secret"},
        "nonsense",
    ]}));
    let chosen = |alg| set.fitting(alg).and_then(|key| key.kid.as_deref());
    assert_eq!(set.len(), 5);
    assert_eq!(chosen(Alg::RsaOaep256), Some("names it"));
    assert_eq!(chosen(Alg::RsaOaep), Some("is marked"));
    assert_eq!(chosen(Alg::EcdhEs), Some("curve"));
    assert_eq!(chosen(Alg::EcdhEsA256Kw), None);
    let signs =
        json!({"keys": [with(rsa, &json!({"use": "sig"})), with(curve, &json!({"use": 1}))]});
    assert_eq!(EncryptionKeys::from_jwks(&signs).len(), 1);
    assert!(EncryptionKeys::from_jwks(&json!([])).is_empty());
}

#[test]
fn a_key_of_another_type_is_not_encrypted_to() {
    let (rsa, curve) = (public(&JweKey::rsa()), public(&JweKey::on("P-256")));
    for alg in Alg::ALL {
        let wrong = if matches!(alg, Alg::RsaOaep | Alg::RsaOaep256) { &curve } else { &rsa };
        let result = encrypt(TOKEN, wrong, alg, ContentEncryption::A128Gcm, &SystemRandom);
        assert!(matches!(result, Err(KeyProblem::NoRecipient(a)) if a == alg), "{alg}");
    }
}

fn refused(jwk: &Value) {
    let result = EncryptionKey::from_jwk(jwk);
    assert!(matches!(result, Err(KeyProblem::Recipient)), "{jwk}");
}

#[test]
fn rfc7518_s6_3_weak_rsa_keys_are_refused() {
    let good = JweKey::rsa().public_jwk();
    EncryptionKey::from_jwk(&good).unwrap();
    // 1,024 bits, all of them set.
    let small = "_".repeat(170) + "8";
    for members in [
        json!({"n": small}),
        json!({"n": ""}),
        json!({"n": "!"}),
        json!({"n": 7}),
        json!({"e": ""}),
        json!({"e": "AQ"}),
        json!({"e": "Ag"}),
        json!({"e": "AQAA"}),
        json!({"kty": "oct"}),
        json!({"use": "sig"}),
    ] {
        refused(&with(good.clone(), &members));
    }
    // A sign byte before the modulus is forgiven.
    let bytes = [vec![0], decoded(&good["n"])].concat();
    EncryptionKey::from_jwk(&with(good, &json!({"n": encoded(&bytes)}))).unwrap();
}

#[test]
fn rfc7518_s6_2_points_off_the_curve_are_refused() {
    for curve in ["P-256", "P-384", "P-521"] {
        let good = JweKey::on(curve).public_jwk();
        EncryptionKey::from_jwk(&good).unwrap();
        let mut off = decoded(&good["y"]);
        *off.last_mut().unwrap() ^= 1;
        let zero = encoded(&vec![0; off.len()]);
        let long = encoded(&[vec![0], decoded(&good["x"])].concat());
        for members in [
            json!({"y": encoded(&off)}),
            json!({"x": good["y"], "y": good["x"]}),
            json!({"x": zero, "y": zero}),
            json!({"x": long}),
            json!({"y": null}),
            json!({"crv": "P-192"}),
            json!({"crv": "X25519"}),
            json!({"crv": if curve == "P-256" { "P-384" } else { "P-256" }}),
        ] {
            // A short x of P-256 read as one of X25519 would be a point like any other.
            if curve != "P-256" || members["crv"] != "X25519" {
                refused(&with(good.clone(), &members));
            }
        }
    }
}

#[test]
fn rfc7748_s6_1_points_of_small_order_are_refused() {
    let good = JweKey::on("X25519").public_jwk();
    EncryptionKey::from_jwk(&good).unwrap();
    let one = [vec![1], vec![0; 31]].concat();
    for x in [vec![0; 32], one, vec![9; 31], vec![9; 33]] {
        refused(&with(good.clone(), &json!({"x": encoded(&x)})));
    }
    refused(&with(good, &json!({"crv": "Ed25519"})));
}

fn decoded(text: &Value) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

fn encoded(bytes: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(bytes)
}
