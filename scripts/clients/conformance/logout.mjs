// The modules of the plans for logout and session management.

import { createHash } from "node:crypto";
import * as jose from "jose";
import { Answer, Page } from "../lib/person.mjs";
import { must, same } from "../lib/report.mjs";
import { BASE, clientKey } from "../lib/suite.mjs";
import { random } from "../lib/tokens.mjs";

const AFTER = `${BASE}/post_logout_redirect`;

/** Whether the metadata says what a plan needs. */
const says = (...names) => async (run) => {
  for (const name of names) {
    const value = run.metadata[name];
    must(value === true || String(value).startsWith("https://"), `the metadata has ${name}`, value);
  }
};

/** Somebody who is signed in to a client of a kind. */
async function signedIn(run, registration = {}) {
  const client = await run.client({ post_logout_redirect_uris: [AFTER], ...registration });
  return { client, flow: await run.flow(client) };
}

async function leave(run, parameters) {
  const { issuer } = run.provider;
  must(run.metadata.end_session_endpoint.startsWith(issuer), "the end session endpoint", run.metadata);
  return run.person.logout(`${run.metadata.end_session_endpoint}?${new URLSearchParams(parameters)}`);
}

async function signedOut(run, client) {
  await run.refused(run.request(client, { prompt: "none" }), ["login_required", "interaction_required"]);
}

/** Back at the client with the state and nothing else. */
function back(answer, state) {
  must(answer instanceof Answer, "the browser comes back", String(answer));
  same(answer.url, state === undefined ? AFTER : `${AFTER}?state=${state}`, "where, and the state");
}

/** A request that does not prove where to go: a page, and never a redirect. */
const stays = (change, ends) => async (run) => {
  const { client, flow } = await signedIn(run);
  const usual = { id_token_hint: flow.idToken, post_logout_redirect_uri: AFTER, state: random() };
  const there = await leave(run, await change(usual, run, client));
  must(there instanceof Page, "the browser stays", String(there));
  must([200, 400].includes(there.status), "a page", String(there));
  if (!ends) return;
  same(there.status, 200, "a page that says so");
  must(/signed out/i.test(there.text), "the page says that one is signed out", String(there));
  await signedOut(run, client);
};

const without = (...names) => (usual) => Object.fromEntries(Object.entries(usual).filter(([name]) => !names.includes(name)));

async function sessionState(run, client, state, browserState) {
  const [hash, salt] = state.split(".");
  const text = `${client.client_id} ${new URL(client.redirect_uri).origin} ${browserState} ${salt}`;
  return createHash("sha256").update(text).digest("base64url") === hash || createHash("sha256").update(text).digest("hex") === hash;
}

export const modules = {
  "oidcc-rp-initiated-logout-discovery-endpoint-verification": says("end_session_endpoint"),
  async "oidcc-rp-initiated-logout"(run) {
    const { client, flow } = await signedIn(run);
    const state = random();
    back(await leave(run, { id_token_hint: flow.idToken, post_logout_redirect_uri: AFTER, state }), state);
    await signedOut(run, client);
  },
  async "oidcc-rp-initiated-logout-no-state"(run) {
    const { client, flow } = await signedIn(run);
    back(await leave(run, { id_token_hint: flow.idToken, post_logout_redirect_uri: AFTER }));
    await signedOut(run, client);
  },
  "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri": stays((u) => ({ ...u, post_logout_redirect_uri: `${AFTER}/${random()}` })),
  "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": stays((u) => ({ ...u, post_logout_redirect_uri: `${AFTER}?foo=bar` })),
  "oidcc-rp-initiated-logout-modified-id-token-hint": stays((u) => {
    const [, claims] = u.id_token_hint.split(".");
    return { ...u, id_token_hint: `${Buffer.from('{"alg":"none"}').toString("base64url")}.${claims}.` };
  }),
  "oidcc-rp-initiated-logout-bad-id-token-hint": stays(async (u, run, client) => {
    const { privateKey } = await clientKey("RS256", "forger");
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: run.provider.issuer, sub: random(), aud: client.client_id, iat: now, exp: now + 300 };
    return { ...u, id_token_hint: await new jose.SignJWT(claims).setProtectedHeader({ alg: "RS256" }).sign(privateKey) };
  }),
  "oidcc-rp-initiated-logout-no-id-token-hint": stays(without("id_token_hint")),
  "oidcc-rp-initiated-logout-no-params": stays(() => ({}), true),
  "oidcc-rp-initiated-logout-no-post-logout-redirect-uri": stays(without("post_logout_redirect_uri"), true),
  "oidcc-rp-initiated-logout-only-state": stays(without("id_token_hint", "post_logout_redirect_uri"), true),

  "oidcc-backchannel-logout-discovery-endpoint-verification":
    says("end_session_endpoint", "backchannel_logout_supported", "backchannel_logout_session_supported"),
  async "oidcc-backchannel-rp-initiated-logout"(run) {
    const registration = { backchannel_logout_uri: `${BASE}/backchannel_logout`, backchannel_logout_session_required: true };
    if (run.variant.client_registration === "dynamic_client") registration.backchannel_logout_uri += `/${random(6)}`;
    const { pathname } = new URL(registration.backchannel_logout_uri);
    run.party.serve(pathname, "", "text/plain");
    run.party.asked = run.party.asked.filter((one) => one.path !== pathname);
    const { client, flow } = await signedIn(run, registration);
    const state = random();
    back(await leave(run, { id_token_hint: flow.idToken, post_logout_redirect_uri: AFTER, state }), state);
    const told = await run.party.hear(pathname);
    same([told.method, told.headers["content-type"], told.tls], ["POST", "application/x-www-form-urlencoded", "TLSv1.3"], "a form");
    const fields = new URLSearchParams(told.text);
    same([...fields.keys()], ["logout_token"], "the logout token and nothing else");
    const options = { issuer: run.provider.issuer, audience: client.client_id, algorithms: ["RS256"], typ: "logout+jwt" };
    const { payload } = await jose.jwtVerify(fields.get("logout_token"), run.provider.keys(), options);
    same([payload.sid, payload.sub, payload.nonce], [flow.claims.sid, flow.claims.sub, undefined], "sid, sub, no nonce");
    must(typeof payload.sid === "string" && typeof payload.jti === "string", "sid and jti", payload);
    must(Math.abs(payload.iat - Date.now() / 1000) < 60 && payload.exp > payload.iat, "iat and exp", payload);
    same(payload.events, { "http://schemas.openid.net/event/backchannel-logout": {} }, "events");
    await signedOut(run, client);
  },

  "oidcc-frontchannel-logout-discovery-endpoint-verification":
    says("end_session_endpoint", "frontchannel_logout_supported", "frontchannel_logout_session_supported"),
  async "oidcc-frontchannel-rp-initiated-logout"(run) {
    const registration = { frontchannel_logout_uri: `${BASE}/frontchannel_logout`, frontchannel_logout_session_required: true };
    if (run.variant.client_registration === "dynamic_client") registration.frontchannel_logout_uri += `/${random(6)}`;
    const { pathname } = new URL(registration.frontchannel_logout_uri);
    run.party.serve(pathname, "<!doctype html>", "text/html");
    run.party.asked = run.party.asked.filter((one) => one.path !== pathname);
    const { client, flow } = await signedIn(run, registration);
    const state = random();
    back(await leave(run, { id_token_hint: flow.idToken, post_logout_redirect_uri: AFTER, state }), state);
    const told = await run.party.hear(pathname);
    same(Object.fromEntries(told.query), { iss: run.provider.issuer, sid: flow.claims.sid }, "iss and sid and nothing else");
    const page = run.person.seen.at(-1);
    const policy = page.headers.get("content-security-policy") ?? "";
    must(/frame-src[^;]*(https:|\*)/.test(policy) || policy.includes(new URL(BASE).origin), "the policy of the page lets the frame load", policy);
    await signedOut(run, client);
  },

  "oidcc-session-management-discovery-endpoint-verification": says("check_session_iframe", "end_session_endpoint"),
  async "oidcc-session-management-rp-initiated-logout"(run) {
    const { client, flow } = await signedIn(run);
    const state = flow.answer.get("session_state");
    must(/^[\w-]+\.[\w-]+$/.test(state ?? ""), "there is a session_state", String(flow.answer));
    const frame = await fetch(run.metadata.check_session_iframe);
    same(frame.status, 200, "the frame");
    const ancestors = frame.headers.get("content-security-policy")?.match(/frame-ancestors ([^;]*)/)?.[1] ?? "*";
    same([frame.headers.get("x-frame-options"), ancestors], [null, "*"], "clients may have it in a frame");
    // What the script of the frame reads is the one cookie that scripts may read.
    const script = await frame.text();
    const name = script.match(/data-cookie="([^"]+)"/)?.[1];
    const cookie = run.person.cookies.get(name);
    must(cookie, "the frame reads a cookie of the browser", [...run.person.cookies.keys()]);
    must(await sessionState(run, client, state, cookie.value), "unchanged after the login", { state, name });
    const logoutState = random();
    back(await leave(run, { id_token_hint: flow.idToken, post_logout_redirect_uri: AFTER, state: logoutState }), logoutState);
    const now = run.person.cookies.get(name)?.value;
    must(now === undefined || !(await sessionState(run, client, state, now)), "changed after the logout", name);
  },
};
