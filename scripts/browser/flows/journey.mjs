// settings: OAUTH__GRANTS__DANGER_PASSWORD=true OAUTH__GRANTS__DANGER_IMPLICIT=true OAUTH__REGISTRATION__DANGER_LOOPBACK=true
// From nothing to a token and back: sign up, make a client, authorize, consent, use the token, revoke, refused.
// Every page on the way is looked at: light, dark, on a phone, for accessibility.
import { generateKeyPairSync } from "node:crypto";
import { BASE, eq, go, listen, ok, open } from "../lib.mjs";
import {
  authorization,
  createClient,
  eventually,
  exchange,
  focus,
  guard,
  look,
  post,
  signIn,
  signUp,
  somebody,
} from "../people.mjs";

const PASSWORD = "nine lives and a lantern";
const client = await listen();
const { page, context, close } = await open();
const name = somebody();

// A visitor.
await page.goto(`${BASE}/`);
await look(page, "home-visitor");
await go(page, "#signup");
await look(page, "signup");

// What is wrong is said, linked, and nothing typed is lost but the password.
await signUp(page, "two words", "short", { connection: "write" });
ok((await page.title()).startsWith("Error: "), "the title says that there is an error");
await focus(page, "problems");
eq(await page.inputValue("#username"), "two words");
eq(await page.inputValue("#password"), "");
ok(await page.isChecked("#right-connection-write"), "the choice is kept");
await look(page, "signup-problems");
await page.click('#problems a[href="#username"]');
await focus(page, "username");

await signUp(page, name, PASSWORD, { connection: "write", registration: "none" });
await page.waitForURL(`${BASE}/`);
await look(page, "home-empty");

// A client.
await go(page, "#create-client");
await look(page, "create-client");
await page.click("#more > summary");
await look(page, "create-client-more");
await page.fill("#jwks", '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}');
await page.fill("#backchannel_logout_uri", "app.example");
await page.fill("#client_name", "Camera wall");
await page.fill("#client_uri", "javascript:alert(1)");
await page.fill("#redirect_uri", "http://far.example/cb\nnowhere");
await page.check("#auth-none");
await page.check("#grant-client_credentials");
await go(page, "#save");
eq(await page.locator("#problems li").count(), 6, "everything wrong is said at once");
ok(await page.isVisible("#jwks-problem"), "what is wrong under More can be seen");
eq(await page.inputValue("#jwks"), "", "a secret is not given back");
eq(await page.inputValue("#backchannel_logout_uri"), "app.example");
eq(await page.inputValue("#redirect_uri"), "http://far.example/cb\nnowhere");
await look(page, "create-client-problems");

const app = await createClient(page, {
  name: "Camera wall",
  uri: "https://wall.example/about",
  redirects: [client.uri, "https://wall.example/callback"],
  grants: ["authorization_code", "refresh_token", "client_credentials", "password", "implicit"],
});
await look(page, "client-made");
const madeAt = page.url();
await page.reload();
eq(await page.locator("#client-secret").count(), 0, "a reload shows no secret and makes no second client");
await page.goto(madeAt.replace("/create_client", "/"));
eq(await page.locator("#clients > li").count(), 1);
await look(page, "home");
await go(page, "#clients a");
await look(page, "client");
for (const summary of (await page.locator("summary").all()).slice(1)) await summary.click();
await look(page, "client-recipes");

// One that signs, with much to say.
const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const signs = await createClient(page, {
  name: "Signs by itself",
  redirects: ["https://wall.example/callback"],
  auth: "private_key_jwt",
  more: {
    jwks: JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "wall-1" }] }),
    logo_uri: "https://wall.example/logo.svg",
    contacts: "ops@wall.example\n+49 30 1234",
    post_logout_redirect_uris: "https://wall.example/bye\nhttps://wall.example/a/rather/long/address/to/go/to/after/signing/out",
    default_max_age: "600",
  },
});
eq(await page.textContent("#registered-default_max_age"), "600");
ok((await page.textContent("#assertion-claims")).includes(signs.id), "what it must send is said");
await look(page, "client-signs");
await go(page, "#edit");
await page.click("#more > summary");
await look(page, "client-signs-edit");
await page.click("#auth-client_secret_jwt");
await go(page, "#save");
await look(page, "client-shares-secret");
await page.goto(`${BASE}/clients/${signs.id}/delete`);
await go(page, "#confirm");
await page.goto(madeAt.replace("/create_client", "/"));
await go(page, "#clients a");

// Trying it from the page.
await go(page, "#try");
await look(page, "token-request");
await page.fill("#client_credentials-client_secret", app.secret);
await page.fill("#client_credentials-scope", "query");
await go(page, "#client_credentials-request");
ok((await page.textContent("#jwt-claims")).includes(`"client_id": "${app.id}"`), "the token is decoded");
await look(page, "token-answer");

// Authorize: the same person is signed in, so only consent is asked.
let asked = authorization(app, client.uri, "profile query connection");
await page.goto(asked.url);
await page.waitForURL(/\/consent\?/);
eq(await page.textContent("#client-name"), "Camera wall");
eq(await page.textContent("#who"), name);
await look(page, "consent");
eq(await page.locator("#scope-2 + label").textContent(), "look up what the registry knows");
await page.uncheck("#scope-2");
await page.click("#allow");
let answer = await client.next(page);
eq(answer.get("state"), asked.state);
eq(answer.get("iss"), BASE);
const tokens = await exchange(app, client.uri, { code: answer.get("code"), verifier: asked.verifier });
eq(tokens.status, 200);
eq(tokens.body.scope, "connection profile", "what was not ticked is not granted");

// The token works where it is guarded, as far as it goes, and where it is asked about.
const jwt = tokens.body.access_token;
const guarded = await guard(app);
eq(await guarded.call("/me"), 401, "nobody");
eq(await guarded.call("/me", `${jwt}x`), 401, "a forged token");
eq(await guarded.call("/me", jwt), 200);
eq(await guarded.call("/notes", jwt), 403, "a scope it does not have");
eq(await guarded.call("/x-nmos/connection/v1.1/single/senders", jwt, "PATCH"), 200, "with the right to write");
eq((await post("/oauth/introspect", app, { token: jwt })).body.active, true);

// A client whose tokens are asked about each time.
const door = await createClient(page, { name: "Door", redirects: [client.uri], format: "opaque" });
asked = authorization(door, client.uri, "profile");
await page.goto(asked.url);
await page.click("#allow");
answer = await client.next(page);
const opened = await exchange(door, client.uri, { code: answer.get("code"), verifier: asked.verifier });
const token = opened.body.access_token;
eq(await guarded.call("/me", token), 200);

// No.
asked = authorization(app, client.uri, "profile registration", { prompt: "consent" });
await page.goto(asked.url);
await page.click("#deny");
answer = await client.next(page);
eq(answer.get("error"), "access_denied");
eq(answer.get("state"), asked.state);

// Taken back.
await page.goto(`${BASE}/account/applications`);
await look(page, "applications");
eq(await page.locator("#applications > li").count(), 2);
await page.click("#revoke-2");
await page.waitForURL(/done=revoked/);
eq(await page.textContent("#application-1"), "Camera wall");
await go(page, "#revoke-1");
await look(page, "applications-none");
eq((await post("/oauth/introspect", door, { token })).body, { active: false });
eq((await post("/oauth/introspect", app, { token: jwt })).body, { active: false });
await eventually(() => guarded.call("/me", token), 401, "the guard refuses what was taken back");
const refresh = { grant_type: "refresh_token", refresh_token: tokens.body.refresh_token };
const refreshed = await post("/oauth/token", app, refresh);
eq([refreshed.status, refreshed.body.error], [400, "invalid_grant"]);
await guarded.close();

// Consent is forgotten too: it is asked for again, now of somebody who has to sign in first.
await page.goto(`${BASE}/logout`);
await look(page, "logout");
await page.click("#logout");
await page.waitForURL(/done=signed_out/);
await look(page, "signed-out");
asked = authorization(app, client.uri, "query", { login_hint: name });
await page.goto(asked.url);
await page.waitForURL(/\/login\?interaction=/);
eq(await page.inputValue("#username"), name, "the hint is filled in");
await look(page, "login");
await signIn(page, name, "not the password");
await look(page, "login-wrong");
eq(await page.inputValue("#username"), name);
await signIn(page, name, PASSWORD);
await page.waitForURL(/\/consent\?/);
await page.goBack();
await page.goForward();
await go(page, "#other-account");
await look(page, "login-other-account");
await go(page, "#continue");
await page.click("#allow");
answer = await client.next(page);
ok(answer.get("code"), "allowed");

// What is left: editing, a new secret, deleting, and the pages for what goes wrong.
await page.goto(`${BASE}/clients/${app.id}/edit`);
await page.fill("#client_name", "Camera wall <2>");
await page.click("#save");
await page.waitForURL(/done=saved/);
eq(await page.textContent("h1"), "Camera wall <2>");
await go(page, "#rotate");
await look(page, "client-secret-confirm");
await go(page, "#confirm");
const secret = await page.textContent("#client-secret");
ok(secret !== app.secret, "the secret is another one");
eq((await post("/oauth/introspect", app, { token: jwt })).status, 401, "the old secret is over");
await page.goto(`${BASE}/clients/${app.id}/delete`);
await look(page, "client-delete");
await page.click("#confirm");
await page.waitForURL(/done=deleted/);
eq(await page.locator("#clients > li").count(), 1);

await page.goto(asked.url);
eq(await page.textContent("#error-code"), "invalid_request");
await look(page, "error-client");
await page.goto(`${BASE}/consent?interaction=over`);
await look(page, "error-over");
await page.goto(`${BASE}/nowhere`);
await look(page, "error-not-found");

// The frame by which clients see that a session is over reads a cookie that says nothing else.
const readable = (await context.cookies()).filter((c) => !c.httpOnly && c.name !== "oauth_browser_state");
eq(readable, [], "no other cookie can be read by a script");
await client.close();
await close();
