// Encrypts a form to the key of an oauth-server and sends it, with nothing but WebCrypto: for browsers and for Node.

const encoder = new TextEncoder();

/** Bytes as base64url without padding. */
function base64url(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** What a JWT says. It is not verified: it is our own. */
function claims(token) {
  const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  return JSON.parse(atob(payload));
}

/** A compact JWE (RFC 7516) of a JSON object: RSA-OAEP-256 and A256GCM. */
export async function seal(jwk, object) {
  const recipient = await crypto.subtle.importKey(
    "jwk", { ...jwk, alg: "RSA-OAEP-256" }, { name: "RSA-OAEP", hash: "SHA-256" }, false, ["encrypt"]);
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"]);
  const raw = await crypto.subtle.exportKey("raw", key);
  const header = base64url(encoder.encode(JSON.stringify({ alg: "RSA-OAEP-256", enc: "A256GCM", kid: jwk.kid })));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const wrapped = await crypto.subtle.encrypt({ name: "RSA-OAEP" }, recipient, raw);
  const additionalData = encoder.encode(header);
  const sealed = new Uint8Array(await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData, tagLength: 128 }, key, encoder.encode(JSON.stringify(object))));
  const [ciphertext, tag] = [sealed.slice(0, -16), sealed.slice(-16)];
  return [header, ...[wrapped, iv, ciphertext, tag].map(base64url)].join(".");
}

/** A front end of the server at this address: what it has to know, and a guest token. */
export async function connect(api) {
  const answer = async (request) => {
    const response = await request;
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return response.json();
  };
  const features = await answer(fetch(`${api}/auth/features`));
  const guest = (await answer(fetch(`${api}/guest`, { method: "POST" }))).access_token;
  return {
    features,
    guest,
    /** Posts a form. Its secrets (email, pwd, username) are sealed, the rest goes as it is. */
    async send(path, secrets, rest = {}) {
      const iat = Math.floor(Date.now() / 1000);
      const form = await seal(features.public_key.jwk, { ...secrets, jti: claims(guest).jti, iat });
      return fetch(`${api}${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${guest}`, "content-type": "application/json" },
        body: JSON.stringify({ ...rest, form }),
      });
    },
  };
}
