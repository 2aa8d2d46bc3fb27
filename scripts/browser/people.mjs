// What people do on the pages, for the flows to share.
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BASE, PATIENCE, axe, eq, fits, go, ok, shot, within } from "./lib.mjs";

const PHONE = { width: 375, height: 700 };
const DESKTOP = { width: 1280, height: 800 };

/** Looks at the page as it is: light, dark, on a phone; each accessible, none wider than the window. */
export async function look(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize(DESKTOP);
    if (colorScheme === "light") await axe(page);
    await shot(page, colorScheme === "dark" ? `${name}-dark` : name);
    await page.setViewportSize(PHONE);
    if (colorScheme === "dark") await axe(page);
    await fits(page);
    await targets(page);
    await shot(page, colorScheme === "dark" ? `${name}-phone-dark` : `${name}-phone`);
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize(DESKTOP);
}

/** Fails when something to press is smaller than 24 by 24 pixels, unless it stands in a line of text. */
async function targets(page) {
  const small = await page.evaluate(() => {
    const inText = (e) => e.tagName === "A" && getComputedStyle(e).display === "inline";
    return [...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, summary")]
      .filter((e) => !inText(e) && !e.closest(".skip") && !e.matches(".skip"))
      .map((e) => {
        const box = (e.closest("label") ?? e).getBoundingClientRect();
        return { what: e.id || e.outerHTML.slice(0, 80), width: box.width, height: box.height };
      })
      .filter(({ width, height }) => width > 0 && (width < 24 || height < 24));
  });
  eq(small, [], `${page.url()} has targets that are too small`);
}

/** A name nobody has. */
export const somebody = () => `ada-${randomBytes(4).toString("hex")}`;

/** Fills in and sends the sign-up form that is open. */
export async function signUp(page, name, password, rights = {}) {
  await page.fill("#username", name);
  await page.fill("#password", password);
  for (const [api, level] of Object.entries(rights)) await page.check(`#right-${api}-${level}`);
  await go(page, "#sign-up");
}

/** Fills in and sends the sign-in form that is open. */
export async function signIn(page, name, password) {
  await page.fill("#username", name);
  await page.fill("#password", password);
  await go(page, "#sign-in");
}

/**
 * Makes a client by the form; returns its id and secret, with its page still open. `more` has texts for fields under
 * "More", by their names.
 */
export async function createClient(page, { name, redirects = [], grants, auth, format, uri, more = {} }) {
  await page.goto(`${BASE}/create_client`);
  await page.fill("#client_name", name);
  if (uri) await page.fill("#client_uri", uri);
  if (grants) {
    for (const box of await page.locator('input[name^="grant_type:"]').all()) {
      await box.setChecked(grants.includes((await box.getAttribute("name")).split(":")[1]));
    }
  }
  await page.fill("#redirect_uri", redirects.join("\n"));
  if (auth) await page.check(`#auth-${auth}`);
  if (format !== undefined || Object.keys(more).length > 0) await page.click("#more > summary");
  if (format !== undefined) await page.selectOption("#access_token_format", format);
  for (const [field, text] of Object.entries(more)) await page.fill(`#${field}`, text);
  await go(page, "#save");
  const id = await page.textContent("#client-id");
  const secret = auth === "none" || auth === "private_key_jwt" ? null : await page.textContent("#client-secret");
  ok(/^[A-Za-z0-9]{24}$/.test(id), `the client id is ${id}`);
  return { id, secret };
}

/** An authorization request with PKCE: its address, and the verifier that goes with it. */
export function authorization({ id }, redirectUri, scope, more = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const state = randomBytes(8).toString("hex");
  const url = new URL(`${BASE}/oauth/authorize`);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: id,
    redirect_uri: redirectUri,
    scope,
    state,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...more,
  });
  return { url: url.href, verifier, state };
}

/** Posts a form as the client; returns status and JSON. */
export async function post(path, client, form) {
  const response = await fetch(BASE + path, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString("base64")}` },
    body: new URLSearchParams(form),
  });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : null };
}

/** Exchanges the code of an answer for tokens. */
export async function exchange(client, redirectUri, { code, verifier }) {
  return post("/oauth/token", client, {
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
}

/** Waits until an element has the focus: autofocus comes with the first frame. */
export async function focus(page, id) {
  await page.waitForFunction((wanted) => document.activeElement?.id === wanted, id);
}

/**
 * The resource server of examples/guard, which checks JWTs by itself and asks about other tokens as the client:
 * `await call("/me", token)` for the status of an answer, and `close()`.
 */
export async function guard({ id, secret }) {
  const own = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "target", "debug", "oauth-server");
  const program = join(dirname(process.env.SERVER ?? own), "guard");
  const settings = { ISSUER: BASE, AUDIENCE: BASE, LISTEN: "127.0.0.1:0", CLIENT_ID: id, CLIENT_SECRET: secret };
  const child = spawn(program, { env: { ...process.env, ...settings }, stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(child, "exit");
  let said = "";
  const listening = new Promise((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text) => {
      said += text;
      const found = said.match(/listening on (http:[\w/.:]+)\s/);
      if (found) resolve(found[1]);
    });
    exit.then(() => reject(new Error(`the guarded server ended: ${said}`)), reject);
  });
  const origin = await within(listening, "the guarded server does not listen");
  const call = async (path, token, method = "GET") => {
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const response = await fetch(origin + path, { method, headers });
    await response.arrayBuffer();
    return response.status;
  };
  const close = () => {
    child.kill();
    return exit;
  };
  return { call, close };
}

/** Asks again and again until the answer is the one that is wanted. */
export async function eventually(ask, wanted, what) {
  const late = Date.now() + PATIENCE;
  let answer = await ask();
  while (answer !== wanted) {
    ok(Date.now() < late, `${what}: still ${answer}, not ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    answer = await ask();
  }
}
