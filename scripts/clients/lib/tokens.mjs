// Tokens as a client checks them, by the jose library, and the keys of the clients.

import { createHash, randomBytes } from "node:crypto";
import * as jose from "jose";
import { must } from "./report.mjs";

/** The private keys of RFC 7515 A.3.1 and RFC 7517 A.2, by the names they have in the configuration. */
export const KEYS = {
  first: {
    kty: "EC", crv: "P-256", kid: "first", alg: "ES256",
    x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    d: "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
  },
  second: {
    kty: "EC", crv: "P-256", kid: "second", alg: "ES256",
    x: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    d: "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
  },
};

export const random = (bytes = 24) => randomBytes(bytes).toString("base64url");

/** A new key pair: the private key, and the public one as a JWK. */
export async function keyPair(alg, more = {}) {
  const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true });
  return { privateKey, jwk: { ...(await jose.exportJWK(publicKey)), ...more } };
}

/** `at_hash` and `c_hash`: OpenID Connect Core 3.1.3.6, 3.3.2.11. */
export function halfHash(text, alg) {
  const sha = alg === "EdDSA" || alg === "Ed25519" ? "sha512" : `sha${alg.slice(2)}`;
  const digest = createHash(sha).update(text, "ascii").digest();
  return digest.subarray(0, digest.length / 2).toString("base64url");
}

/** Verifies an id token as OpenID Connect Core 3.1.3.7 and the flows beyond it say; its claims. */
export async function idToken(token, { keys, issuer, audience, alg = "RS256", nonce, code, accessToken, front = false }) {
  const { payload, protectedHeader } = await jose.jwtVerify(token, keys, { issuer, audience, algorithms: [alg] });
  must(typeof protectedHeader.kid === "string", "the id token names its key", protectedHeader);
  for (const name of ["iss", "sub"]) must(typeof payload[name] === "string" && payload[name] !== "", `${name} is text`, payload);
  must(/^[\x20-\x7e]{1,255}$/.test(payload.sub), "sub is at most 255 ASCII characters", payload.sub);
  for (const name of ["iat", "exp"]) must(Number.isInteger(payload[name]), `${name} is a number`, payload);
  must(Math.abs(payload.iat - Date.now() / 1000) < 60, "iat is now", payload);
  must(payload.nonce === nonce, `nonce is ${nonce}`, payload);
  must(payload.azp === undefined || payload.azp === audience, "azp is the client", payload);
  hash(payload, "at_hash", front && accessToken, accessToken, alg);
  hash(payload, "c_hash", front && code, code, alg);
  return payload;
}

function hash(claims, name, required, of, alg) {
  must(!required || claims[name] !== undefined, `${name} is there`, claims);
  if (claims[name] !== undefined && of) must(claims[name] === halfHash(of, alg), `${name} fits`, claims);
}
