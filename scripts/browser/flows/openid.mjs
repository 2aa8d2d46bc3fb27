// settings: OAUTH__REGISTRATION__MODE=open OAUTH__GRANTS__DANGER_IMPLICIT=true OAUTH__REGISTRATION__DANGER_LOOPBACK=true
// OpenID Connect with an application that registers itself: signing in, silently again, choosing and making accounts,
// answers by form and in the fragment, and taking consent back.
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BASE, axe, eq, go, ok, open } from "../lib.mjs";
import { look, signIn, signUp, somebody } from "../people.mjs";

const PASSWORD = "nine lives and a lantern";
const LOGO =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="#0b6e4f"/>' +
  '<path d="M14 24h24v16H14zM38 30l12-7v18l-12-7z" fill="#fff"/></svg>';

const rp = await relyingParty();
const client = await register(rp);
const metadata = await (await fetch(`${BASE}/.well-known/openid-configuration`)).json();
// Only the pages of the server are under test, and those of the application answer without a policy.
const { page, context, close } = await open();
const [ada, eve] = [somebody(), somebody()];
await page.goto(`${BASE}/signup`);
await signUp(page, eve, PASSWORD);
await leave(page);
await page.goto(`${BASE}/signup`);
await page.fill("#email", "ada@example.org");
await signUp(page, ada, PASSWORD);
await page.goto(`${BASE}/account/profile`);
await page.fill("#name", "Ada Lovelace");
await page.fill("#birthdate", "1815-12-10");
await go(page, "#save");
await leave(page);

// Signing in and agreeing, for the first time. The application asks for one fact by its name.
const asked = { scope: "openid email", claims: JSON.stringify({ userinfo: { birthdate: null } }), login_hint: ada };
let request = ask(asked);
await page.goto(request.url);
eq(await page.textContent("#client-name"), "Camera wall");
eq(await page.inputValue("#username"), ada);
ok(await drawn(page), "the logo is there");
eq(await page.getAttribute("#policy-uri", "href"), `${rp.origin}/privacy`);
await look(page, "openid-login");
await page.fill("#password", PASSWORD);
await page.keyboard.press("Enter");
await page.waitForURL(/\/consent/);
eq(await page.locator("#scopes input").count(), 2);
ok(await drawn(page), "the logo is there");
await look(page, "openid-consent");
await page.click("#allow");
let answer = await arrival(page, "query");
eq([answer.get("state"), answer.get("iss")], [request.state, BASE]);
let tokens = await redeem(request, answer);
const first = idToken(tokens, request);
const userinfo = await (
  await fetch(metadata.userinfo_endpoint, { headers: { authorization: `Bearer ${tokens.access_token}` } })
).json();
eq(userinfo, { sub: first.sub, email: "ada@example.org", email_verified: false, birthdate: "1815-12-10" });

// Silently, in the same browser.
request = ask({ ...asked, prompt: "none" });
await page.goto(request.url);
answer = await arrival(page, "query");
const silent = idToken(await redeem(request, answer), request);
eq([silent.sub, silent.auth_time, silent.sid], [first.sub, first.auth_time, first.sid]);

// The password again, because the application says so.
await page.waitForTimeout(1100); // auth_time has seconds
request = ask({ ...asked, prompt: "login" });
await page.goto(request.url);
eq(await page.locator("#continue").count(), 0);
await look(page, "openid-login-again");
await signIn(page, ada, PASSWORD);
answer = await arrival(page, "query");
const renewed = idToken(await redeem(request, answer), request);
eq([renewed.sub, renewed.sid], [first.sub, first.sid]);
ok(renewed.auth_time > first.auth_time, "the sign-in is a new one");

// The account chooser: as who one is, then as somebody else.
request = ask({ ...asked, prompt: "select_account" });
await page.goto(request.url);
ok((await page.textContent("#account")).includes(ada));
await look(page, "openid-select-account");
await page.focus("#account");
await page.keyboard.press("Enter");
answer = await arrival(page, "query");
eq(idToken(await redeem(request, answer), request).sub, first.sub);
request = ask({ scope: "openid", prompt: "select_account" });
await page.goto(request.url);
await page.click("#other-account");
await page.waitForURL(/\/login/);
await look(page, "openid-login-other-account");
await signIn(page, eve, PASSWORD);
await page.waitForURL(/\/consent/);
eq(await page.textContent("#who"), eve);
eq(await page.locator("#scopes").count(), 0);
await look(page, "openid-consent-sign-in-only");
await page.click("#deny");
answer = await arrival(page, "query");
eq([answer.get("error"), answer.get("state"), answer.get("code")], ["access_denied", request.state, null]);

// A new account, although somebody is signed in; then the one that is there after all.
request = ask({ scope: "openid", prompt: "create", ui_locales: "de" });
await page.goto(request.url);
await page.waitForURL(/\/signup/);
eq(await page.textContent("#client-name"), "Kamerawand");
eq(await page.getAttribute("#client-name", "lang"), "de");
ok((await page.textContent("#known")).includes(eve));
await look(page, "openid-create");
const zoe = somebody();
await signUp(page, zoe, PASSWORD);
await page.waitForURL(/\/consent/);
eq(await page.textContent("#who"), zoe);
await page.click("#allow");
answer = await arrival(page, "query");
ok(idToken(await redeem(request, answer), request).sub !== first.sub, "it is somebody new");
request = ask({ scope: "openid", prompt: "create" });
await page.goto(request.url);
await go(page, "#login");
await page.click("#continue");
answer = await arrival(page, "query");
ok(answer.has("code"), "whoever has an account needs no other one");

// An answer that the browser posts by itself, and an error the same way.
request = ask({ scope: "openid", response_mode: "form_post" });
await page.goto(request.url);
answer = await arrival(page, "form");
eq([answer.get("state"), answer.get("iss")], [request.state, BASE]);
idToken(await redeem(request, answer), request);
request = ask({ scope: "openid email", response_mode: "form_post", prompt: "none" });
await page.goto(request.url);
answer = await arrival(page, "form");
eq([answer.get("error"), answer.get("state"), answer.get("iss")], ["consent_required", request.state, BASE]);

// The same page where no script runs: a button.
const still = await open({ scripts: false });
request = ask({ scope: "openid", response_mode: "form_post" });
await still.page.goto(request.url);
await signIn(still.page, zoe, PASSWORD);
await still.page.waitForSelector("#continue");
await still.page.click("#continue");
answer = await arrival(still.page, "form");
idToken(await redeem(request, answer), request);
await still.close();

// That page without its script, to be looked at.
const held = await context.newPage();
await held.route(/\/oauth\/authorize/, async (route) => {
  const response = await route.fetch();
  const body = (await response.text()).replace(/<script>.*<\/script>/, "");
  await route.fulfill({ response, body });
});
await held.goto(ask({ scope: "openid", response_mode: "form_post" }).url);
await held.waitForSelector("#form-post");
await look(held, "openid-form-post");
await held.close();

// An id token in the fragment, without a code.
request = ask({ scope: "openid", response_type: "id_token" });
await page.goto(request.url);
answer = await arrival(page, "fragment");
eq(answer.get("code"), null);
idToken({ id_token: answer.get("id_token") }, request);

// What one has allowed is in the account; taken back, it is asked for again.
await leave(page);
await page.goto(`${BASE}/account/applications`);
await signIn(page, ada, PASSWORD);
await page.waitForURL(/applications/);
const listed = await page.textContent("#applications");
for (const words of ["know who you are", "see your e-mail address", "see your date of birth"]) {
  ok(listed.includes(words), words);
}
await look(page, "openid-applications");
await go(page, "#revoke-1");
ok(await page.locator("#none").isVisible());
await page.goto(ask({ ...asked, prompt: "none" }).url);
answer = await arrival(page, "query");
eq(answer.get("error"), "consent_required");
await page.goto(ask(asked).url);
await page.waitForURL(/\/consent/);

// What is shown where no application can be told.
const unknown = new URL(ask(asked).url);
unknown.searchParams.set("redirect_uri", `${rp.origin}/elsewhere`);
const refusal = await page.goto(unknown.href);
eq([refusal.status(), await page.textContent("#error-code")], [400, "invalid_request"]);
await axe(page);
await close();
await rp.close();

/** An application with a page for answers in the query, the fragment or a form, a logo and a certificate of its own. */
async function relyingParty() {
  const folder = mkdtempSync(join(tmpdir(), "rp-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  execFileSync("openssl", [...made, "-keyout", key, "-out", cert, ...subject], { stdio: "ignore" });
  let posted = null;
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    const url = new URL(request.url, "https://127.0.0.1");
    if (url.pathname === "/logo.svg") return response.setHeader("content-type", "image/svg+xml").end(LOGO);
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      if (request.method === "POST") posted = new URLSearchParams(Buffer.concat(chunks).toString());
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end("<!doctype html><html lang=en><link rel=icon href='data:,'><title>Camera wall</title><main><h1>Back</h1></main>");
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  rmSync(folder, { recursive: true });
  const origin = `https://127.0.0.1:${server.address().port}`;
  const taken = () => {
    const form = posted;
    posted = null;
    return form;
  };
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { origin, uri: `${origin}/callback`, taken, close };
}

/** Registers the application. */
async function register({ origin, uri }) {
  const response = await fetch(`${BASE}/oauth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "Camera wall",
      "client_name#de": "Kamerawand",
      client_uri: origin,
      logo_uri: `${origin}/logo.svg`,
      policy_uri: `${origin}/privacy`,
      tos_uri: `${origin}/terms`,
      redirect_uris: [uri],
      grant_types: ["authorization_code", "implicit", "refresh_token"],
      response_types: ["code", "id_token"],
      token_endpoint_auth_method: "client_secret_post",
      require_auth_time: true,
    }),
  });
  const body = await response.json();
  eq(response.status, 201, JSON.stringify(body));
  return body;
}

/** An authentication request: its address, and what its answer is checked by. */
function ask(more) {
  const [state, nonce, verifier] = [8, 8, 32].map((length) => randomBytes(length).toString("base64url"));
  const url = new URL(`${BASE}/oauth/authorize`);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: client.client_id,
    redirect_uri: rp.uri,
    state,
    nonce,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...more,
  });
  return { url: url.href, state, nonce, verifier };
}

/** The answer that came to the application, in the way it was to come. */
async function arrival(at, way) {
  await at.waitForURL((url) => url.href.startsWith(rp.uri));
  const url = new URL(at.url());
  eq([url.search !== "", url.hash !== ""], [way === "query", way === "fragment"], `${url} is an answer in the ${way}`);
  if (way === "form") return rp.taken();
  return way === "query" ? url.searchParams : new URLSearchParams(url.hash.slice(1));
}

/** Exchanges a code. */
async function redeem({ verifier }, answer) {
  const response = await fetch(metadata.token_endpoint, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: answer.get("code"),
      redirect_uri: rp.uri,
      code_verifier: verifier,
      client_id: client.client_id,
      client_secret: client.client_secret,
    }),
  });
  const body = await response.json();
  eq(response.status, 200, JSON.stringify(body));
  return body;
}

/** What an id token says. It came over a connection to the server itself, or is compared with what did. */
function idToken({ id_token: jwt }, { nonce }) {
  const claims = JSON.parse(Buffer.from(jwt.split(".")[1], "base64url").toString());
  eq([claims.iss, claims.aud, claims.nonce], [BASE, client.client_id, nonce]);
  return claims;
}

/** Whether the logo was loaded. */
function drawn(at) {
  return at.locator("#client-logo").evaluate(async (image) => {
    await image.decode();
    return image.naturalWidth > 0;
  });
}

/** Signs out. */
async function leave(at) {
  await at.goto(`${BASE}/logout`);
  await at.click("#logout");
  await at.waitForURL((url) => url.pathname === "/");
}
