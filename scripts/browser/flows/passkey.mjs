// settings: SERVER_NAME=localhost
// Adds a passkey, signs in with it without a password, for its own sake and for an application, and as second factor;
// renames and removes it. The authenticator is Chromium's own virtual one.
import { createServer } from "node:http";
import { once } from "node:events";
import { BASE, eq, go, ok, open } from "../lib.mjs";
import { authorization, createClient, exchange, focus, look, signIn, signUp, somebody } from "../people.mjs";

const PASSWORD = "nine lives and a lantern";

/** A device with a fingerprint reader in this browser; `verify(false)` takes the finger off. */
async function authenticator(context, page) {
  const session = await context.newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    verify: (isUserVerified) => session.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
    present: (enabled) => session.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled }),
    credentials: async () => (await session.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
    add: (credential) => session.send("WebAuthn.addCredential", { authenticatorId, credential }),
  };
}

async function leave(page) {
  await page.goto(`${BASE}/account`);
  await go(page, "#nav-logout");
  if (await page.locator("#sign-out").count()) await go(page, "#sign-out");
}

const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

// The application, which only has to be there.
const app = createServer((_, response) => response.end("<!doctype html><title>App</title>")).listen(0, "127.0.0.1");
await once(app, "listening");
const BACK = `http://127.0.0.1:${app.address().port}/cb`;

const { page, context, close } = await open();
const device = await authenticator(context, page);
const name = somebody();
await page.goto(`${BASE}/signup`);
await signUp(page, name, PASSWORD);

// Adding one. The form is there, since the script found that the browser can.
await page.goto(`${BASE}/account`);
await page.click("#to-passkeys");
await page.waitForSelector("#add-form:visible");
await look(page, "passkeys-none");
await device.verify(false);
await page.click("#passkey");
await page.waitForFunction(() => document.getElementById("passkey-status").textContent !== "");
eq(await page.textContent("#passkey-status"), "No passkey was added. Try again when you are ready.");
await focus(page, "passkey");
await look(page, "passkeys-cancelled");
await device.verify(true);
await page.fill("#name", "Ada’s phone");
await page.keyboard.press("Enter");
await page.waitForSelector("#notice");
eq((await device.credentials()).length, 1, "the device has a passkey");
ok((await device.credentials())[0].isResidentCredential, "which is found without a name");
ok((await page.textContent("#passkey-1")).startsWith("Ada’s phone"), "it has its name");
await look(page, "passkeys-added");

// The same device again: it says so itself.
await page.click("#passkey");
await page.waitForFunction(() => document.getElementById("passkey-status").textContent !== "");
eq(await page.textContent("#passkey-status"), "This device has a passkey for you already.");

// Another name.
await page.click("#rename-1");
await page.fill("#name-1", "Blue phone");
await look(page, "passkeys-rename");
await go(page, "#save-1");
ok((await page.textContent("#passkey-1")).startsWith("Blue phone"), "it has the new one");

// Signing in with nothing else. The list of the field would offer the passkey before anything is pressed, so nobody
// touches the device yet.
await leave(page);
await device.present(false);
await page.goto(`${BASE}/login?to=account`);
await page.waitForSelector("#passkey-form:visible");
await look(page, "passkey-login");
await device.present(true);
await Promise.all([page.waitForURL(`${BASE}/account`), page.click("#passkey").catch(() => {})]);
eq(await page.textContent("#who"), name);
await page.goto(`${BASE}/account/activity`);
ok((await page.locator("main").innerText()).includes("With a passkey"), "its owner sees it");
await look(page, "passkey-activity");

// In the list of the field, without pressing anything.
await leave(page);
await page.goto(`${BASE}/login?to=account`);
await page.waitForURL(`${BASE}/account`);

// For an application, which hears how it was.
const client = await createClient(page, { name: "Camera wall", redirects: [BACK], more: {} });
await leave(page);
const request = authorization(client, BACK, "openid", { nonce: "n" });
await page.goto(request.url);
await page.waitForURL(/\/consent|\/login/);
await page.waitForURL(/\/consent/);
await page.click("#allow");
await page.waitForURL((url) => url.href.startsWith(BACK));
const code = new URL(page.url()).searchParams.get("code");
const { status, body } = await exchange(client, BACK, { code, verifier: request.verifier });
eq(status, 200);
const told = claims(body.id_token);
eq(told.amr.slice(1), ["user", "mfa"]);
ok(["hwk", "swk"].includes(told.amr[0]), "it is a key");
eq(told.acr, "urn:oauth-core:acr:mfa");

// A finger that is not the owner's.
await leave(page);
await device.present(false);
await page.goto(`${BASE}/login`);
await page.waitForSelector("#passkey-form:visible");
await device.verify(false);
await device.present(true);
await page.click("#passkey");
await page.waitForFunction(() => document.getElementById("passkey-status").textContent !== "");
ok(page.url().includes("/login"), "it does not sign in");
await look(page, "passkey-cancelled");

// Without scripts the password is there, and no button that does nothing.
const still = await open({ scripts: false });
await still.page.goto(`${BASE}/login?to=passkeys`);
ok(!(await still.page.isVisible("#passkey")), "no button without a script");
await signIn(still.page, name, PASSWORD);
await still.page.waitForURL(`${BASE}/account/passkeys`);
ok((await still.page.textContent("noscript")).includes("allow this page to run its script"), "it says why");

// Removing it there; the server does not know it any more.
await still.page.click("#remove-1");
await still.page.waitForSelector("#no-passkeys");
await still.close();
await device.present(false);
await page.goto(`${BASE}/login`);
await page.waitForSelector("#passkey-form:visible");
await device.verify(true);
// The device would offer it again on the page that says no: there its owner would, here nobody does.
await page.route("**/login/passkey", async (route) => {
  await device.present(false);
  await route.continue();
});
await device.present(true);
await Promise.all([page.waitForSelector("#passkey-problem"), page.click("#passkey").catch(() => {})]);
eq(await page.textContent("#passkey-problem p"), "This passkey is not accepted here.");
await look(page, "passkey-refused");
app.close();
await close();
