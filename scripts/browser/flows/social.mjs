// Signing in through a second server of ours: there and back, linking, unlinking, and what is refused.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BASE, eq, go, listen, ok, open } from "../lib.mjs";
import { authorization, createClient, eventually, exchange, look, signIn, signUp, somebody } from "../people.mjs";

const PORT = process.env.OTHER_PORT;
const UP = `http://localhost:${PORT}`;
const PASSWORD = "nine lives and a lantern";
const THERE = "six lives and a candle";

const folder = dirname(process.env.SERVER_LOG);
const person = (name) => `
[[user]]
name = "${name}"
password = "${THERE}"
claims = { name = "${name} of the other place", email = "${name}@example.org", email_verified = true }
`;
const config = join(folder, "other.toml");
writeFileSync(
  config,
  `data_folder = "${join(folder, "other")}"
[server]
port = ${PORT}
public_url = "${UP}"
[[client]]
id = "down"
name = "This place"
secret = "mV7xQ2nR9pT4wZ8kB3cY6dL1hJ5sGfAe"
redirect_uris = ["${BASE}/login/from/up"]
scope = "openid profile email"
${person("ada")}${person("grace")}`,
);
const log = openSync(join(folder, "other.log"), "w");
const env = { PATH: process.env.PATH };
const other = spawn(process.env.SERVER, ["--config", config], { env, stdio: ["ignore", log, log] });
const exit = once(other, "exit");
try {
  const ready = async () => {
    eq(other.exitCode, null, "the other server runs");
    return fetch(`http://127.0.0.1:${PORT}/readyz`).then((answer) => answer.ok, () => false);
  };
  await eventually(ready, true, "the other server is ready");
  await flow();
} finally {
  other.kill();
  await exit;
}

async function flow() {
  const client = await listen();
  const { page, context, close } = await open();

  // For the first time: an account without a password.
  await page.goto(`${BASE}/login`);
  await look(page, "social-login");
  await page.click("#with-up");
  await page.waitForURL(`${UP}/login?*`);
  await signIn(page, "ada", THERE);
  await page.waitForURL(`${UP}/consent?*`);
  await page.click("#allow");
  await page.waitForURL(`${BASE}/`);
  await page.goto(`${BASE}/account`);
  eq(await page.textContent("#who"), "ada");
  await go(page, "#account-identities");
  eq(await page.textContent("#identity-1"), "The other place");
  await look(page, "social-identities");

  // It is the only way to sign in, so it stays.
  await go(page, "#unlink-1");
  ok((await page.textContent("#problem")).includes("only way"), "it says why");
  await look(page, "social-last-way");

  // No token of the other place is anywhere a script could look.
  const readable = await page.evaluate(() => document.cookie);
  ok(/^oauth_browser_state=[\w-]+$/.test(readable), "one cookie is for frames of clients, and says nothing");
  eq(await page.evaluate(() => Object.keys(localStorage).length + Object.keys(sessionStorage).length), 0);
  await go(page, "#nav-logout");

  // Somebody with a password here cannot have ada's identity, but one of her own.
  const name = somebody();
  await page.goto(`${BASE}/signup`);
  await look(page, "social-signup");
  await signUp(page, name, PASSWORD);
  await page.waitForURL(`${BASE}/`);
  const app = await createClient(page, { name: "Camera wall", redirects: [client.uri] });
  await page.goto(`${BASE}/account/identities`);
  await page.click("#link-up");
  await page.waitForURL(`${BASE}/login/from/up?*`);
  eq(await page.textContent("#error-code"), "identity_taken");
  await look(page, "social-taken");
  await page.click("#again");
  await page.waitForURL(`${BASE}/account/identities`);
  ok(await page.isVisible("#no-identities"), "nothing was linked");
  await context.clearCookies({ domain: "localhost" });
  await page.click("#link-up");
  await page.waitForURL(`${UP}/login?*`);
  await signIn(page, "grace", THERE);
  await page.click("#allow");
  await page.waitForURL(`${BASE}/account/identities?done=linked`);
  await look(page, "social-linked");
  await go(page, "#nav-logout");

  // An application that waits gets its answer, although somebody signs in elsewhere.
  const asked = authorization(app, client.uri, "profile");
  await page.goto(asked.url);
  await look(page, "social-login-asked");
  await page.click("#with-up");
  await page.waitForURL(`${BASE}/consent?*`);
  await page.click("#allow");
  const answer = await client.next(page);
  const tokens = await exchange(app, client.uri, { code: answer.get("code"), verifier: asked.verifier });
  eq(tokens.status, 200);
  await page.goto(`${BASE}/account`);
  eq(await page.textContent("#who"), name);

  // Unlinked, it is no way in any more.
  await page.goto(`${BASE}/account/identities`);
  await page.click("#unlink-1");
  await page.waitForURL(`${BASE}/account/identities?done=unlinked`);
  await look(page, "social-unlinked");
  await go(page, "#nav-logout");
  await page.goto(`${BASE}/login`);
  await page.click("#with-up");
  await page.waitForURL(`${BASE}/`);
  await page.goto(`${BASE}/account`);
  eq(await page.textContent("#who"), "grace", "grace is somebody of her own now");
  await go(page, "#nav-logout");

  // A no over there is explained here, and leads back.
  await context.clearCookies({ domain: "localhost" });
  await page.goto(`${BASE}/login`);
  await page.click("#with-up");
  await page.waitForURL(`${UP}/login?*`);
  await page.goto(`${BASE}/login/from/up?error=access_denied&state=made-up`);
  eq(await page.textContent("#error-code"), "state_unknown");
  await look(page, "social-over");
  await page.click("#again");
  await page.waitForURL(`${BASE}/login`);
  await close();
  await client.close();
}
