// What no plan checks and clients depend on all the same: RFC 7592, and requests at the edges.

import { Page } from "../lib/person.mjs";
import { must, same } from "../lib/report.mjs";
import { BASE, clientKey, sleep } from "../lib/suite.mjs";
import { random } from "../lib/tokens.mjs";
import { outside } from "./core.mjs";
import * as jose from "jose";

/** A request to manage a registration. */
async function manage(client, method, body) {
  const headers = { authorization: `Bearer ${client.registration_access_token}`, "content-type": "application/json" };
  const response = await fetch(client.registration_client_uri, { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, json: text === "" ? undefined : JSON.parse(text), headers: response.headers };
}

/** What a client says of itself, out of what it was told. */
function said({ client_id, client_secret, redirect_uris, response_types, grant_types, token_endpoint_auth_method, jwks }) {
  return { client_id, client_secret, redirect_uris, response_types, grant_types, token_endpoint_auth_method, jwks };
}

/** Until every process has forgotten what it remembers of a client for a few seconds. */
const settle = () => (process.env.SERVER_PIDS.includes(" ") ? sleep(5.2) : undefined);

const ODD = `${"ä&=+%#\"'<>\\ ".repeat(80)}${random(40)}`;

export const modules = {
  async "registration is read, replaced and removed"(run) {
    const client = await run.client();
    const read = await manage(client, "GET");
    same([read.status, read.json.client_id, read.json.redirect_uris], [200, client.client_id, client.redirect_uris], "GET");
    must(read.json.registration_access_token && read.json.registration_client_uri, "both are there", read.json);
    const wanted = { ...said(client), client_name: "Another name", redirect_uris: [`${BASE}/callback`, `${BASE}/other`] };
    const current = { ...client, ...read.json };
    const changed = await manage(current, "PUT", wanted);
    same([changed.status, changed.json.client_name, changed.json.redirect_uris], [200, "Another name", wanted.redirect_uris], "PUT");
    same(changed.json.contacts, undefined, "what is left out is gone");
    const now = { ...current, ...changed.json };
    const bad = await manage(now, "PUT", { ...wanted, redirect_uris: ["nowhere"] });
    same([bad.status, bad.json.error], [400, "invalid_redirect_uri"], "a bad PUT");
    await settle();
    const flow = await run.flow({ ...client, redirect_uri: `${BASE}/other` });
    const stranger = await manage({ ...now, registration_access_token: "made-up" }, "GET");
    same([stranger.status, /error="invalid_token"/.test(stranger.headers.get("www-authenticate"))], [401, true], "a wrong token");
    same((await manage(now, "DELETE")).status, 204, "DELETE");
    same((await manage(now, "GET")).status, 401, "afterwards");
    same((await run.callUserinfo(flow.accessToken)).status, 401, "its tokens are gone");
    await settle();
    await run.person.refused(run.url(run.request(client)));
  },

  async "state comes back byte for byte"(run) {
    must(ODD.length > 1000, "it is long", ODD.length);
    await run.flow(await run.client(), { state: ODD });
    await run.refused(run.request(await run.client(), { state: ODD, prompt: "none login" }), "invalid_request");
  },

  async "a repeated parameter is refused"(run) {
    const client = await run.client();
    const there = await run.person.go(`${run.url(run.request(client))}&nonce=${random()}`);
    if (there instanceof Page) same(there.status, 400, "a page");
    else run.error(there, "invalid_request");
  },

  async "a person who says no"(run) {
    const request = run.request(await run.client(), { prompt: "consent" });
    await run.refused(request, "access_denied", { decision: "deny" });
  },

  async "select_account and create"(run) {
    const client = await run.client();
    const one = await run.flow(client);
    const two = await run.flow(client, { prompt: "select_account" });
    must(run.person.seen.some((page) => page.has("account-form")), "the chooser is shown");
    same(two.claims.sub, one.claims.sub, "sub");
    const page = await run.person.go(run.url(run.request(client, { prompt: "create" })));
    must(page instanceof Page && new URL(page.url).pathname === "/signup", "signing up", String(page));
    await run.refused(run.request(client, { prompt: "none select_account" }), "invalid_request");
  },

  async "an id_token_hint of somebody else"(run) {
    const client = await run.client();
    const one = await run.flow(client);
    const { privateKey } = await clientKey("RS256", "forger");
    const forged = await new jose.SignJWT({ ...jose.decodeJwt(one.idToken), sub: "another" })
      .setProtectedHeader({ alg: "RS256" }).sign(privateKey);
    await run.refused(run.request(client, { prompt: "none", id_token_hint: forged }), ["login_required", "invalid_request"]);
  },

  async "claims with values"(run) {
    const client = await run.client();
    const one = await run.flow(client);
    const ask = (value) => JSON.stringify({ id_token: { sub: { value }, auth_time: { essential: true } } });
    const two = await run.flow(client, { claims: ask(one.claims.sub) });
    must(Number.isInteger(two.claims.auth_time), "auth_time", two.claims);
    await run.refused(run.request(client, { claims: ask("another"), prompt: "none" }), "login_required");
    await run.refused(run.request(client, { claims: "{" }), "invalid_request");
    const acr = JSON.stringify({ id_token: { acr: { essential: true, values: ["urn:nobody:has:this"] } } });
    await run.refused(run.request(client, { claims: acr }), ["unmet_authentication_requirements", "access_denied"]);
  },

  async "offline_access needs consent, and the grant"(run) {
    const client = await run.client({ refresh: run.has("code") });
    const asked = await run.flow(client, { scope: "openid offline_access", prompt: "consent" });
    same(asked.tokens?.refresh_token !== undefined, run.has("code"), "a refresh token where there is a code");
    const without = await run.flow(client);
    same(without.tokens?.refresh_token, undefined, "none unasked");
  },

  async "what is in a signed request object wins"(run) {
    const client = await run.client({ redirect_uris: [`${BASE}/callback`, `${BASE}/other`] });
    const request = run.request(client, { redirect_uri: `${BASE}/other`, scope: "openid email" });
    const header = { alg: "RS256", typ: "oauth-authz-req+jwt" };
    const signed = await new jose.SignJWT(request).setProtectedHeader(header).sign(client.key.key);
    const changed = { redirect_uri: `${BASE}/callback`, scope: "openid", state: "outside", nonce: "outside" };
    const url = outside(run, request, { request: signed }, changed);
    const flow = await run.finish(client, request, await run.authorize(request, { url }));
    same((await run.told(flow)).email, "ada@example.org", "the scope inside");
  },

  async "the login page lets the browser go where the client is"(run) {
    // Browsers apply form-action to the redirect after the form, too.
    const lets = (page, scheme) => {
      const policy = page.headers.get("content-security-policy");
      const sources = policy.match(/form-action ([^;]*)/)?.[1].split(" ") ?? [scheme];
      must(sources.some((s) => s === scheme || s.startsWith(`${scheme}//127.0.0.1`)), `forms may lead to ${scheme}`, policy);
      // Passkeys take a script of the server's own; nothing else may run.
      const scripts = policy.match(/script-src ([^;]*)/)?.[1].trim() ?? "'self'";
      must(scripts === "'self'" && !/default-src (?!'none')/.test(policy), "only the server's own scripts run", policy);
      must(page.headers.get("cache-control").includes("no-store"), "no-store", page.headers);
    };
    const page = await run.person.go(run.url(run.request(await run.client(), { login_hint: "ada" })));
    lets(page, "https:");
    same(page.attribute("username", "value"), "ada", "login_hint");
    for (const [redirect_uri, scheme] of [["http://127.0.0.1/cb", "http:"], ["com.example.app:/cb", "com.example.app:"]]) {
      const native = await run.client({ application_type: "native", redirect_uris: [redirect_uri] });
      lets(await run.person.go(run.url(run.request(native))), scheme);
    }
    // An address on this machine by its number takes any port (RFC 8252 7.3).
    const native = await run.client({ application_type: "native", redirect_uris: ["http://127.0.0.1/cb"] });
    const request = run.request(native, { redirect_uri: "http://127.0.0.1:54321/cb" });
    await run.finish({ ...native, redirect_uri: request.redirect_uri }, request, await run.authorize(request));
  },

  async "a code is for its client, its redirect URI and once"(run) {
    if (!run.has("code")) return;
    const client = await run.client({ redirect_uris: [`${BASE}/callback`, `${BASE}/other`] });
    const other = await run.client();
    const fresh = async () => (await run.authorize(run.request(client))).get("code");
    const form = (code, redirect_uri = client.redirect_uri) => ({ grant_type: "authorization_code", code, redirect_uri });
    await run.denied(other, form(await fresh()), "invalid_grant");
    await run.denied(client, form(await fresh(), `${BASE}/other`), "invalid_grant");
    await run.denied({ ...client, client_secret: "wrong" }, form(await fresh()), "invalid_client");
    await run.denied(client, form("made-up"), "invalid_grant");
  },
};
