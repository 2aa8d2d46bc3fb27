// The modules of the plans Config, Dynamic and third-party-initiated login.

import * as jose from "jose";
import { rotateKeys } from "../lib/provider.mjs";
import { must, same } from "../lib/report.mjs";
import { BASE, clientKey, sleep } from "../lib/suite.mjs";
import { keyPair, random } from "../lib/tokens.mjs";
import { outside } from "./core.mjs";

const ORIGIN = new URL(BASE).origin;
/** The public members of keys, by their type. */
const PUBLIC = {
  RSA: ["n", "e"], EC: ["crv", "x", "y"], OKP: ["crv", "x"],
  any: ["kty", "kid", "use", "alg", "key_ops", "x5c", "x5t", "x5t#S256", "x5u"],
};
/** Members of the IANA registry "OAuth Authorization Server Metadata" that may be there. */
const REGISTERED = new Set(`
  issuer authorization_endpoint token_endpoint jwks_uri registration_endpoint scopes_supported response_types_supported
  response_modes_supported grant_types_supported token_endpoint_auth_methods_supported
  token_endpoint_auth_signing_alg_values_supported service_documentation ui_locales_supported op_policy_uri op_tos_uri
  revocation_endpoint revocation_endpoint_auth_methods_supported revocation_endpoint_auth_signing_alg_values_supported
  introspection_endpoint introspection_endpoint_auth_methods_supported
  introspection_endpoint_auth_signing_alg_values_supported code_challenge_methods_supported
  authorization_response_iss_parameter_supported require_signed_request_object userinfo_endpoint acr_values_supported
  subject_types_supported id_token_signing_alg_values_supported id_token_encryption_alg_values_supported
  id_token_encryption_enc_values_supported userinfo_signing_alg_values_supported
  userinfo_encryption_alg_values_supported userinfo_encryption_enc_values_supported
  request_object_signing_alg_values_supported request_object_encryption_alg_values_supported
  request_object_encryption_enc_values_supported display_values_supported claim_types_supported claims_supported
  claims_locales_supported claims_parameter_supported request_parameter_supported request_uri_parameter_supported
  require_request_uri_registration end_session_endpoint check_session_iframe frontchannel_logout_supported
  frontchannel_logout_session_supported backchannel_logout_supported backchannel_logout_session_supported
  prompt_values_supported protected_resources
`.trim().split(/\s+/));

export async function publicKeys(run) {
  const response = await fetch(run.metadata.jwks_uri);
  same(response.status, 200, "the keys");
  const { keys } = await response.json();
  const kids = keys.map((key) => key.kid);
  must(kids.every((kid) => typeof kid === "string") && new Set(kids).size === kids.length, "every key has a name of its own", kids);
  for (const key of keys) {
    const odd = Object.keys(key).filter((name) => ![...(PUBLIC[key.kty] ?? []), ...PUBLIC.any].includes(name));
    same(odd, [], "public members only");
    must(["sig", "enc"].includes(key.use) && typeof key.alg === "string", "use and alg", key);
    for (const name of PUBLIC[key.kty].filter((n) => n !== "crv")) must(/^[\w-]+$/.test(key[name]), `${name} is base64url`, key);
    await jose.importJWK(key, key.alg);
  }
  return keys;
}

async function discovery(run) {
  const { metadata: m, headers } = run.provider;
  must(headers.get("content-type").startsWith("application/json"), "JSON", headers);
  same(m.issuer, run.provider.issuer, "issuer");
  for (const [name, value] of Object.entries(m)) {
    must(REGISTERED.has(name), `${name} is a member that the registry knows`);
    if (/_endpoint$|^jwks_uri$|_iframe$/.test(name)) must(String(value).startsWith("https://") && URL.canParse(value), `${name} is https`, value);
    if (Array.isArray(value)) must(value.length > 0 && new Set(value).size === value.length, `${name} is a set with something in it`, value);
    if (/_supported$/.test(name)) must(Array.isArray(value) || typeof value === "boolean", `${name} is a list, or yes or no`, value);
  }
  for (const name of ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "registration_endpoint"]) {
    must(name in m, `there is ${name}`);
  }
  const has = (name, ...values) => {
    for (const value of values) must(m[name]?.includes(value), `${name} has ${value}`, m[name]);
  };
  has("response_types_supported", "code", "id_token", "id_token token");
  has("scopes_supported", "openid", "profile", "email", "address", "phone", "offline_access");
  has("subject_types_supported", "public", "pairwise");
  has("id_token_signing_alg_values_supported", "RS256");
  has("userinfo_signing_alg_values_supported", "RS256");
  has("request_object_signing_alg_values_supported", "RS256");
  has("token_endpoint_auth_methods_supported", "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt");
  has("grant_types_supported", "authorization_code", "implicit", "refresh_token");
  has("response_modes_supported", "query", "fragment", "form_post");
  has("code_challenge_methods_supported", "S256");
  has("claims_supported", "sub", "name", "email", "address", "phone_number");
  for (const name of ["claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported"]) same(m[name], true, name);
  for (const alg of [...m.id_token_signing_alg_values_supported, ...m.token_endpoint_auth_signing_alg_values_supported]) {
    must(alg !== "none", "no unsigned tokens");
  }
  const published = new Set((await publicKeys(run)).map((key) => key.alg));
  for (const alg of m.id_token_signing_alg_values_supported) must(published.has(alg), `there is a key for ${alg}`, [...published]);
}

/** The first page of a request. */
async function loginPage(run, registration) {
  const client = await run.client(registration);
  const page = await run.person.go(run.url(run.request(client)));
  must(page.has?.("login-form"), "the login page", String(page));
  must(page.text.includes(client.client_name), "it names the client", String(page));
  return page;
}

async function shows(run, name, id, attribute) {
  const uri = `${ORIGIN}/${name}`;
  const page = await loginPage(run, { [name]: uri });
  same(page.attribute(id, attribute), uri, `the page shows ${name}`);
  if (name === "logo_uri") {
    const policy = page.headers.get("content-security-policy") ?? "";
    const images = policy.match(/img-src ([^;]*)/)?.[1] ?? policy.match(/default-src ([^;]*)/)?.[1] ?? "*";
    must(images.includes("https:") || images.includes(ORIGIN) || images.includes("*"), "the policy of the page lets the logo be seen", policy);
  }
}

async function rejected(run, registration, codes, method = "private_key_jwt") {
  const { status, json } = await run.register(await run.registration(method, registration));
  same(status, 400, `the registration is refused: ${JSON.stringify(json)}`);
  must(codes.includes(json.error), `the error is ${codes}`, json);
}

async function byReference(run, registration, make) {
  const path = `/requesturi/${random(32)}`;
  const request_uri = `${ORIGIN}${path}#${random(32)}`;
  const client = await run.client({ request_uris: [request_uri], ...registration });
  const request = run.request(client);
  run.party.serve(path, await make(client, request), "application/jwt");
  await run.finish(client, request, await run.authorize(request, { url: outside(run, request, { request_uri }) }));
}

export const modules = {
  "oidcc-discovery-endpoint-verification": discovery,

  async "oidcc-idtoken-rs256"(run) {
    const flow = await run.flow(await run.client({ id_token_signed_response_alg: "RS256" }));
    same(jose.decodeProtectedHeader(flow.idToken).alg, "RS256", "alg");
  },
  async "oidcc-idtoken-unsigned"(run) {
    must(!run.metadata.id_token_signing_alg_values_supported.includes("none"), "not offered");
    await rejected(run, { id_token_signed_response_alg: "none" }, ["invalid_client_metadata"]);
  },
  async "oidcc-userinfo-rs256"(run) {
    const client = await run.client({ userinfo_signed_response_alg: "RS256" });
    const flow = await run.flow(client);
    if (!flow.accessToken) return;
    const { jwt } = await run.userinfo(flow.accessToken);
    const options = { issuer: run.provider.issuer, audience: client.client_id, algorithms: ["RS256"] };
    const { payload, protectedHeader } = await jose.jwtVerify(jwt, run.provider.keys(), options);
    same([payload.sub, payload.nonce, typeof protectedHeader.kid], [flow.claims.sub, undefined, "string"], "sub, no nonce, kid");
  },

  async "oidcc-ensure-redirect-uri-in-authorization-request"(run) {
    const client = await run.client({ redirect_uris: [`${BASE}/callback`, `${BASE}/callback2`] });
    await run.person.refused(run.url(run.request(client, { redirect_uri: undefined })));
  },
  async "oidcc-redirect-uri-query-OK"(run) {
    const client = await run.client({ redirect_uris: [`${BASE}/callback?foo=bar`] });
    const { answer } = await run.flow(client);
    same(new URL(answer.url).searchParams.get("foo"), "bar", "the query stays");
  },
  async "oidcc-redirect-uri-query-mismatch"(run) {
    const client = await run.client({ redirect_uris: [`${BASE}/callback?foo=bar`] });
    await run.person.refused(run.url(run.request(client, { redirect_uri: `${BASE}/callback?foo=bar2` })));
  },
  async "oidcc-redirect-uri-query-added"(run) {
    await run.person.refused(run.url(run.request(await run.client(), { redirect_uri: `${BASE}/callback?foo=bar` })));
  },
  async "oidcc-redirect-uri-regfrag"(run) {
    await rejected(run, { redirect_uris: [`${BASE}/callback#fragment`] }, ["invalid_redirect_uri", "invalid_client_metadata"]);
  },

  "oidcc-registration-logo-uri": (run) => shows(run, "logo_uri", "client-logo", "src"),
  "oidcc-registration-policy-uri": (run) => shows(run, "policy_uri", "policy-uri", "href"),
  "oidcc-registration-tos-uri": (run) => shows(run, "tos_uri", "tos-uri", "href"),

  async "oidcc-registration-jwks-uri"(run) {
    const path = `/jwks/${random(8)}`;
    const { privateKey, jwk } = await clientKey("RS256", "by reference");
    const jwks_uri = run.party.serve(path, { keys: [{ ...jwk, kid: "a", use: "sig", alg: "RS256" }] });
    const client = await run.client({ jwks_uri, key: { key: privateKey, alg: "RS256", kid: "a" } });
    await run.flow(client);
    if (run.has("code")) must(run.party.asked.some((one) => one.path === path), "the keys were fetched");
  },
  async "oidcc-registration-sector-uri"(run) {
    const sector_identifier_uri = run.party.serve(`/sector/${random(8)}`, [`${BASE}/callback`, "https://client.example/cb"]);
    const client = await run.client({ sector_identifier_uri, subject_type: "pairwise" });
    const { claims } = await run.flow(client);
    const plain = await run.flow(await run.client());
    must(claims.sub !== plain.claims.sub, "the subject is one of the sector", [claims, plain.claims]);
  },
  async "oidcc-registration-sector-bad"(run) {
    const sector_identifier_uri = run.party.serve(`/sector/${random(8)}`, ["https://client.example/cb"]);
    await rejected(run, { sector_identifier_uri, subject_type: "pairwise" }, ["invalid_client_metadata"]);
  },

  async "oidcc-server-rotate-keys"(run) {
    const before = await publicKeys(run);
    await rotateKeys();
    const after = await publicKeys(run);
    const fresh = after.filter((key) => !before.some((old) => old.kid === key.kid));
    must(fresh.some((key) => key.use === "sig"), "there is a new key", after);
    for (const { kid } of before) must(after.some((key) => key.kid === kid), "the old key stays", after);
  },

  async "oidcc-refresh-token-rp-key-rotation"(run) {
    const path = `/jwks/${random(8)}`;
    const key = async (kid) => {
      const { privateKey, jwk } = await keyPair("RS256");
      const jwks_uri = run.party.serve(path, { keys: [{ ...jwk, kid, use: "sig", alg: "RS256" }] });
      return { jwks_uri, key: { key: privateKey, alg: "RS256", kid } };
    };
    const client = await run.client({ ...(await key("old")), refresh: true });
    const flow = await run.flow(client, { scope: "openid offline_access", prompt: "consent" });
    const { key: young } = await key("young");
    // The suite waits for a minute, so that keys are not fetched too often.
    await sleep(11);
    const form = { grant_type: "refresh_token", refresh_token: flow.tokens.refresh_token };
    run.tokens(await run.token({ ...client, key: young }, form));
  },

  async "oidcc-request-uri-signed-rs256"(run) {
    await byReference(run, { request_object_signing_alg: "RS256" }, (client, request) => {
      const claims = { ...request, iss: client.client_id, aud: run.provider.issuer };
      return new jose.SignJWT(claims).setProtectedHeader({ alg: "RS256" }).sign(client.key.key);
    });
  },

  async "oidcc-ensure-client-assertion-with-iss-aud-succeeds"(run) {
    const client = await run.client();
    const request = run.request(client);
    const answer = await run.authorize(request);
    const form = { grant_type: "authorization_code", code: answer.get("code"), redirect_uri: request.redirect_uri };
    run.tokens(await run.token(client, form, { claims: { aud: run.provider.issuer } }));
  },

  // --- third-party-initiated login -------------------------------------------------------------------

  async "oidcc-3rd_party-init-login"(run) {
    const initiate_login_uri = `${BASE}/initiate_login`;
    const client = await run.client({ initiate_login_uri });
    same(client.initiate_login_uri, initiate_login_uri, "the registration keeps it");
    const headers = { authorization: `Bearer ${client.registration_access_token}`, accept: "application/json" };
    const response = await fetch(client.registration_client_uri, { headers });
    same(response.status, 200, "the client reads its registration");
    must(response.headers.get("content-type").startsWith("application/json"), "JSON", response.headers);
    same((await response.json()).initiate_login_uri, initiate_login_uri, "the registration has it");
  },
  async "oidcc-3rd_party-init-login-nohttps"(run) {
    // Of this machine, plain addresses are taken in this configuration.
    await rejected(run, { initiate_login_uri: "http://client.example/initiate_login" }, ["invalid_client_metadata"], "client_secret_basic");
  },
};
