// openid-client as an application uses it: clients of the configuration and registered ones, and whole flows.

import * as jose from "jose";
import * as client from "openid-client";
import { must, same } from "./report.mjs";
import { KEYS } from "./tokens.mjs";

const { ISSUER, PARTY, ALIAS } = process.env;
export const BASE = `${PARTY}/test/a/${ALIAS}`;
export const CALLBACK = `${BASE}/callback`;
export const issuer = new URL(ISSUER);

export const importKey = async (jwk) => ({ key: await jose.importJWK(jwk, jwk.alg), kid: jwk.kid });
export const first = await importKey(KEYS.first);
const { d: _, ...publicPart } = KEYS.first;
export const firstPublic = publicPart;

export const AUTHENTICATION = {
  client_secret_basic: (secret) => client.ClientSecretBasic(secret),
  client_secret_post: (secret) => client.ClientSecretPost(secret),
  client_secret_jwt: (secret) => client.ClientSecretJwt(secret),
  private_key_jwt: () => client.PrivateKeyJwt(first),
  none: () => client.None(),
};

/** A client of the configuration, as the library knows it. */
export async function statically(method, number = 1) {
  const id = `${method.replace("client_", "").replaceAll("_", "-")}-${number}`;
  const auth = AUTHENTICATION[method](`${id}-secret-of-forty-characters-or-more`);
  return client.discovery(issuer, id, { redirect_uris: [CALLBACK] }, auth);
}

/** A client that the library registers. */
export async function dynamically(method, metadata = {}) {
  const keys = method === "private_key_jwt" && !metadata.jwks_uri ? { jwks: { keys: [firstPublic] } } : {};
  const wanted = { redirect_uris: [CALLBACK], token_endpoint_auth_method: method, ...keys, ...metadata };
  if (!["client_secret_basic", "client_secret_post", "none"].includes(method) && !wanted.token_endpoint_auth_signing_alg) {
    wanted.token_endpoint_auth_signing_alg = method === "private_key_jwt" ? "ES256" : "HS256";
  }
  let secret;
  // The library makes its authentication before it knows the secret, unless it is this one.
  const late = (as, c, body, headers) => AUTHENTICATION[method](secret)(as, c, body, headers);
  const config = await client.dynamicClientRegistration(issuer, wanted, late);
  const known = config.clientMetadata();
  secret = known.client_secret;
  for (const [name, value] of Object.entries(wanted)) {
    // Response types and grant types are sets.
    const [seen, asked] = name.endsWith("_types") ? [[...known[name]].sort(), [...value].sort()] : [known[name], value];
    same(seen, asked, `the registration says ${name}`);
  }
  must(known.registration_client_uri && known.registration_access_token, "it can be managed", known);
  return config;
}

/** One authorization with the library from the request to the tokens. */
export async function flow(config, person, { parameters = {}, checks = {}, code = true, redirect = CALLBACK, url } = {}) {
  const [state, nonce, verifier] = [client.randomState(), client.randomNonce(), client.randomPKCECodeVerifier()];
  const asked = { redirect_uri: redirect, scope: "openid", state, nonce, ...parameters };
  if (code) {
    asked.code_challenge = await client.calculatePKCECodeChallenge(verifier);
    asked.code_challenge_method = "S256";
  }
  const address = url ? await url(asked) : client.buildAuthorizationUrl(config, asked);
  const answer = await person.authorize(address);
  const expected = { expectedState: state, expectedNonce: nonce, ...checks };
  if (!code) {
    const { expectedNonce, ...others } = expected;
    return { answer, claims: await client.implicitAuthentication(config, answer.forLibrary(), expectedNonce, others) };
  }
  const tokens = await client.authorizationCodeGrant(config, answer.forLibrary(), { pkceCodeVerifier: verifier, ...expected });
  return { answer, tokens, claims: tokens.claims(), nonce };
}

/** What all flows with a code lead to: the claims at the userinfo endpoint. */
export async function userinfo(config, tokens) {
  const { sub } = tokens.claims();
  const claims = await client.fetchUserInfo(config, tokens.access_token, sub);
  same(claims.sub, sub, "the same person");
  return claims;
}
