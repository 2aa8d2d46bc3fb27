// The modules that the plans Basic, Implicit, Hybrid and Form Post share.

import { must, same } from "../lib/report.mjs";
import { BASE, SCOPES, sleep } from "../lib/suite.mjs";
import { random } from "../lib/tokens.mjs";
import { Page } from "../lib/person.mjs";
import { createHash } from "node:crypto";
import * as jose from "jose";

/** A flow with these parameters is a flow like any other. */
const succeeds = (parameters) => async (run) => {
  const flow = await run.flow(await run.client(), typeof parameters === "function" ? parameters(run) : parameters);
  run.plain(flow);
};

const scope = (...scopes) => async (run) => {
  const flow = await run.flow(await run.client(), { scope: ["openid", ...scopes].join(" ") });
  const wanted = scopes.flatMap((name) => SCOPES[name]);
  const told = await run.told(flow);
  for (const name of wanted) must(name in told, `there is ${name}`, told);
  const others = Object.values(SCOPES).flat().filter((name) => !wanted.includes(name) && name in told);
  same(others, [], "claims of scopes that nobody asked for");
  run.plain(flow, flow.accessToken === undefined ? wanted : []);
};

/** Two authorizations of one person by one sign-in. */
const silent = (first, second) => async (run) => {
  const client = await run.client();
  const one = await run.flow(client, first);
  const two = await run.flow(client, typeof second === "function" ? second(one) : second);
  same(run.person.logins(), 0, "nobody is asked to sign in again");
  same([two.claims.sub, two.claims.auth_time], [one.claims.sub, one.claims.auth_time], "sub and auth_time");
  if (first.max_age) must(Number.isInteger(two.claims.auth_time), "auth_time is there", two.claims);
};

/** Two authorizations of one person with a sign-in each. */
const again = (seconds, second) => async (run) => {
  const client = await run.client();
  const one = await run.flow(client);
  await sleep(seconds);
  const two = await run.flow(client, second);
  same(run.person.logins(), 1, "the second request shows the login page");
  same(two.claims.sub, one.claims.sub, "sub");
  const { auth_time } = two.claims;
  if (second.max_age) must(Number.isInteger(auth_time), "auth_time is there", two.claims);
  if (one.claims.auth_time && auth_time) must(auth_time > one.claims.auth_time, "auth_time moved", [one.claims, two.claims]);
  if (auth_time) must(Math.abs(Date.now() / 1000 - auth_time) < 60, "auth_time is now", two.claims);
};

async function reuse(run, seconds) {
  const client = await run.client({ refresh: true });
  const flow = await run.flow(client);
  await sleep(seconds);
  await run.denied(client, flow.tokens.form, "invalid_grant");
  const response = await run.callUserinfo(flow.tokens.access_token);
  same([response.status, /error="invalid_token"/.test(response.headers.get("www-authenticate"))], [401, true], "the access token is revoked");
  if (flow.tokens.refresh_token) {
    await run.denied(client, { grant_type: "refresh_token", refresh_token: flow.tokens.refresh_token }, "invalid_grant");
  }
}

/** An unsigned request object. */
const unsigned = (claims) => `${[{ alg: "none" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".")}.`;
const DUPLICATES = ["response_type", "client_id", "scope", "redirect_uri"];

/** What must be outside of the request object as well, and the object itself. */
export function outside(run, request, reference, changed = {}) {
  const duplicates = Object.fromEntries(DUPLICATES.map((name) => [name, request[name]]));
  return run.url({ ...duplicates, ...changed, ...reference });
}

/** Whether there is something to check: either all is used, or the request is refused in the one right way. */
async function usedOr(run, client, request, url, code) {
  const answer = await run.person.authorize(url);
  // The state was inside, and so it need not come back.
  if (answer.get("error") === code) return;
  await run.finish(client, request, run.arrived(request, answer));
}

async function unsignedByReference(run, required) {
  const path = `/requesturi/${random(32)}`;
  // The hash is of something else: there is no request object yet when the client registers.
  const request_uri = `${new URL(BASE).origin}${path}#${createHash("sha256").update(random()).digest("base64url")}`;
  const client = await run.client({ request_uris: [request_uri] });
  const request = run.request(client);
  run.party.serve(path, unsigned(request), "application/jwt");
  const url = outside(run, request, { request_uri });
  if (!required) return usedOr(run, client, request, url, "request_uri_not_supported");
  return run.finish(client, request, run.arrived(request, await run.person.authorize(url)));
}

/** Whether the provider says that it takes unsigned request objects; without that, there is nothing to see. */
const takesUnsigned = (run) => run.metadata.request_object_signing_alg_values_supported?.includes("none");

export const modules = {
  async "oidcc-server"(run) {
    const flow = await run.flow(await run.client());
    run.plain(flow);
    if (flow.code) must(new Set(flow.code).size > 12, "the code is random", flow.code);
  },

  async "oidcc-response-type-missing"(run) {
    const request = run.request(await run.client(), { response_type: undefined });
    const there = await run.person.go(run.url(request));
    if (there instanceof Page) {
      same(there.status, 400, "an error page");
      must(there.has("error-code"), "the page shows the error", String(there));
      return;
    }
    same([there.get("state"), there.get("iss")], [request.state, run.provider.issuer], "state and iss");
    run.error(there, ["invalid_request", "unsupported_response_type"]);
  },

  async "oidcc-idtoken-signature"(run) {
    const flow = await run.flow(await run.client());
    const { alg, kid } = jose.decodeProtectedHeader(flow.idToken);
    same([alg, typeof kid], ["RS256", "string"], "RS256 where the client says nothing, and the key is named");
  },

  async "oidcc-userinfo-get"(run) {
    const flow = await run.flow(await run.client());
    same((await run.userinfo(flow.accessToken, "get")).sub, flow.claims.sub, "sub");
  },
  async "oidcc-userinfo-post-header"(run) {
    const flow = await run.flow(await run.client());
    same((await run.userinfo(flow.accessToken, "header")).sub, flow.claims.sub, "sub");
  },
  async "oidcc-userinfo-post-body"(run) {
    const flow = await run.flow(await run.client());
    same((await run.userinfo(flow.accessToken, "body")).sub, flow.claims.sub, "sub");
  },

  async "oidcc-ensure-request-without-nonce-succeeds-for-code-flow"(run) {
    await run.flow(await run.client(), { nonce: undefined });
  },
  async "oidcc-ensure-request-without-nonce-fails"(run) {
    await run.refused(run.request(await run.client(), { nonce: undefined }), "invalid_request");
  },

  "oidcc-scope-profile": scope("profile"),
  "oidcc-scope-email": scope("email"),
  "oidcc-scope-address": scope("address"),
  "oidcc-scope-phone": scope("phone"),
  "oidcc-scope-all": scope("profile", "email", "address", "phone"),

  async "oidcc-alternate-happy-flow"(run) {
    const client = await run.client();
    const request = run.request(client, { scope: "email openid" });
    const reversed = Object.fromEntries(Object.entries(request).reverse());
    const flow = await run.finish(client, request, await run.authorize(request, { url: run.url(reversed) }));
    const told = await run.told(flow);
    same([told.email, told.email_verified, told.name], ["ada@example.org", true, undefined], "the claims of the scope");
    run.plain(flow, flow.accessToken === undefined ? SCOPES.email : []);
  },

  "oidcc-display-page": succeeds({ display: "page" }),
  "oidcc-display-popup": succeeds({ display: "popup" }),
  "oidcc-prompt-login": again(1.1, { prompt: "login" }),
  async "oidcc-prompt-none-not-logged-in"(run) {
    const codes = ["login_required", "interaction_required", "consent_required", "account_selection_required"];
    await run.refused(run.request(await run.client(), { prompt: "none" }), codes);
    same(run.person.seen.filter((page) => !page.form('id="form-post"')).length, 0, "no page is shown");
  },
  "oidcc-prompt-none-logged-in": silent({}, { prompt: "none" }),
  "oidcc-max-age-1": again(2.1, { max_age: "1" }),
  "oidcc-max-age-10000": silent({ max_age: "15000" }, { max_age: "10000" }),
  "oidcc-ensure-request-with-unknown-parameter-succeeds": succeeds({ extra: "foobar" }),
  "oidcc-id-token-hint": silent({}, (one) => ({ prompt: "none", id_token_hint: one.idToken })),
  "oidcc-login-hint": succeeds({ login_hint: "buffy@localhost" }),
  "oidcc-ui-locales": succeeds({ ui_locales: "se" }),
  "oidcc-claims-locales": succeeds({ claims_locales: "se" }),

  async "oidcc-ensure-request-with-acr-values-succeeds"(run) {
    const values = run.metadata.acr_values_supported?.slice(0, 2) ?? ["1", "2"];
    const flow = await run.flow(await run.client(), { acr_values: values.join(" ") });
    for (const claims of flow.idTokens) must(values.includes(claims.acr), "acr is one of those asked for", claims);
  },

  "oidcc-codereuse": (run) => reuse(run, 0),
  "oidcc-codereuse-30seconds": (run) => reuse(run, Number(process.env.REUSE_AFTER ?? 2)),

  async "oidcc-ensure-registered-redirect-uri"(run) {
    const request = run.request(await run.client(), { redirect_uri: `${BASE}/callback/${random(8)}` });
    await run.person.refused(run.url(request));
  },

  async "oidcc-ensure-post-request-succeeds"(run) {
    const client = await run.client();
    const request = run.request(client);
    const options = { url: run.metadata.authorization_endpoint, method: "POST", fields: request, foreign: true };
    await run.finish(client, request, await run.authorize(request, options));
  },

  async "oidcc-server-client-secret-post"(run) {
    await run.flow(await run.client({ method: "client_secret_post" }));
  },

  async "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported"(run) {
    await unsignedByReference(run, false);
  },
  async "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported"(run) {
    const client = await run.client();
    const request = run.request(client);
    await usedOr(run, client, request, outside(run, request, { request: unsigned(request) }), "request_not_supported");
  },
  async "oidcc-ensure-request-object-with-redirect-uri"(run) {
    const client = await run.client();
    const request = run.request(client);
    const url = outside(run, request, { request: unsigned(request) }, { redirect_uri: `${BASE}/callback/${random(8)}` });
    const there = await run.person.go(url);
    if (there instanceof Page && there.has("error-code")) return same(there.status, 400, "an error page");
    same(there.url?.includes(`${BASE}/callback/`), there instanceof Page ? undefined : false, "not to the wrong address");
    const answer = there instanceof Page ? await run.person.authorize(url) : there;
    if (answer.get("error") === "request_not_supported") return undefined;
    return run.finish(client, request, run.arrived(request, answer));
  },

  async "oidcc-claims-essential"(run) {
    const member = run.responseType === "id_token" ? "id_token" : "userinfo";
    const claims = JSON.stringify({ [member]: { name: { essential: true } } });
    const flow = await run.flow(await run.client(), { claims });
    same((await run.told(flow)).name, "Ada Byron Lovelace", "name");
    run.plain(flow, member === "id_token" ? ["name"] : []);
  },

  async "oidcc-refresh-token"(run) {
    const ask = async (client) => run.flow(client, { scope: "openid offline_access", prompt: "consent" });
    const client = await run.client({ refresh: true });
    const one = await ask(client);
    await sleep(1.1);
    const form = { grant_type: "refresh_token", refresh_token: one.tokens.refresh_token };
    const next = run.tokens(await run.token(client, form));
    must(next.access_token !== one.tokens.access_token, "another access token");
    const claims = jose.decodeJwt(next.id_token);
    for (const name of ["iss", "sub", "aud", "azp", "auth_time"]) same(claims[name], one.back[name], `${name} after a refresh`);
    must(claims.iat > one.back.iat, "iat moved", claims);
    await run.userinfo(next.access_token);
    const other = await run.client({ number: 2, refresh: true });
    const two = await ask(other);
    await run.denied(client, { grant_type: "refresh_token", refresh_token: two.tokens.refresh_token }, "invalid_grant");
    run.tokens(await run.token(other, { grant_type: "refresh_token", refresh_token: two.tokens.refresh_token }));
  },

  async "oidcc-ensure-request-with-valid-pkce-succeeds"(run) {
    const verifier = random(32);
    const code_challenge = createHash("sha256").update(verifier).digest("base64url");
    const exchange = { code_verifier: verifier };
    await run.flow(await run.client(), { code_challenge, code_challenge_method: "S256" }, { exchange });
  },

  async "oidcc-request-uri-unsigned"(run) {
    if (takesUnsigned(run)) await unsignedByReference(run, true);
  },
};
