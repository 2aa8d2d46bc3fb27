// What the browser flows share: a Chromium, screenshots, accessibility checks, asserts.
//
//   import { BASE, open, go, shot, axe, eq, ok, listen } from "../lib.mjs";
//   const { page, close } = await open();
//   await page.goto(`${BASE}/signup`);
//   await axe(page);
//   await shot(page, "signup");
//   await close();            // throws when the pages had script or policy errors
//
// A flow is a file in flows/; it fails by throwing. scripts/checks/browser.sh starts the server and runs them.
import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const screenshots = process.env.SCREENSHOTS ?? join(root, "target", "screenshots");

/** The server under test, without a slash at the end. */
export const BASE = (process.env.BASE_URL ?? "http://127.0.0.1:4999").replace(/\/+$/, "");

/** Far longer than anything of a flow takes, in milliseconds. */
export const PATIENCE = 60_000;

const FLAGS = [
  "--headless",
  "--no-sandbox", // Chromium refuses to run as root with its sandbox
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 375, height: 700 } };
const LOOPBACK = new Set(["127.0.0.1", "[::1]", "localhost"]);

/**
 * A fresh browser with one page and no cookies.
 * size: "desktop" or "phone"; dark: prefer a dark colour scheme; scripts: whether JavaScript runs;
 * expected: texts that may stand in the console (what else is written there as an error fails `close`).
 */
export async function open({ size = "desktop", dark = false, scripts = true, expected = [] } = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: FLAGS,
    headless: true,
    timeout: PATIENCE,
  });
  const context = await browser.newContext({
    viewport: SIZES[size] ?? assert.fail(`no size ${size}`),
    colorScheme: dark ? "dark" : "light",
    javaScriptEnabled: scripts,
    reducedMotion: "reduce",
    ignoreHTTPSErrors: true,
    locale: "en-GB",
  });
  context.setDefaultTimeout(PATIENCE);
  const problems = [];
  // A page of ours asks nobody else for anything.
  await context.route(
    (url) => /^(https?|wss?):$/.test(url.protocol) && !LOOPBACK.has(url.hostname),
    (route) => {
      problems.push(`a request left the machine: ${route.request().url()}`);
      return route.abort();
    },
  );
  context.on("weberror", (e) => problems.push(`script error: ${e.error().message}`));
  context.on("console", (message) => {
    const text = message.text();
    // Chromium reports each 4xx answer as a failed load; flows assert those answers themselves.
    const status = /^Failed to load resource: the server responded with a status of 4\d\d/.test(text);
    if (message.type() === "error" && !status && !expected.some((e) => text.includes(e))) {
      problems.push(`console: ${text}`);
    }
  });
  rememberSecrets(context);
  const page = await context.newPage();
  const close = async () => {
    await browser.close();
    assert.deepEqual(problems, [], "the browser reported problems");
  };
  return { browser, context, page, close };
}

const SECRET = /passw|pwd|secret|token|code|state|nonce|verifier|cookie|authorization|interaction/i;
/** Words that are no secret although they travel in such a field. */
const PLAIN = /^(authorization_code|refresh_token|client_credentials|client_secret_\w+|code( id_token)?( token)?|S256|Bearer|none|true|false|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/**
 * Notes in the file SECRETS, a line each, whatever the browser sends or is given that no log may hold: what is typed
 * into fields for passwords and codes, cookies, codes and tokens in addresses. scripts/checks/browser.sh looks for them.
 */
function rememberSecrets(context) {
  const file = process.env.SECRETS;
  if (!file) return;
  const seen = new Set();
  const note = (value) => {
    const text = String(value ?? "").trim();
    if (text.length < 8 || /\s/.test(text) || PLAIN.test(text) || seen.has(text)) return;
    seen.add(text);
    appendFileSync(file, `${text}\n`);
  };
  const pairs = (text) => {
    for (const [name, value] of new URLSearchParams(text)) if (SECRET.test(name)) note(value);
  };
  context.on("request", (request) => {
    const url = new URL(request.url());
    pairs(url.search);
    pairs(url.hash.slice(1));
    const body = request.postData();
    const type = request.headers()["content-type"] ?? "";
    if (body && type.includes("urlencoded")) pairs(body);
    if (body && type.includes("json")) {
      for (const [, name, value] of body.matchAll(/"(\w+)"\s*:\s*"((?:[^"\\]|\\.)*)"/g)) if (SECRET.test(name)) note(value);
    }
  });
  context.on("response", async (response) => {
    const headers = await response.headersArray().catch(() => []);
    for (const { name, value } of headers) {
      if (/^set-cookie$/i.test(name)) note(value.split(";")[0].replace(/^[^=]*=/, ""));
      if (/^location$/i.test(name)) pairs(value.split(/[?#]/).slice(1).join("&"));
    }
  });
}

/**
 * Presses what leads to another page, and waits for that page. What a flow looks at without waiting for a text or an
 * address is otherwise, now and then, the page from before.
 */
export async function go(page, selector) {
  await Promise.all([page.waitForEvent("load"), page.click(selector)]);
}

/** Saves the whole page as target/screenshots/NAME.png and returns the path. */
export async function shot(page, name) {
  assert.match(name, /^[a-z0-9-]+$/, "a screenshot's name is lower case letters, digits and dashes");
  await mkdir(screenshots, { recursive: true });
  const path = join(screenshots, `${name}.png`);
  await page.screenshot({ path, fullPage: true });
  return path;
}

/** Fails when axe finds a violation of WCAG 2.2 A or AA, or of axe's best practices. Needs a page with scripts on. */
export async function axe(page) {
  const builder = new AxeBuilder({ page }).withTags([
    "wcag2a",
    "wcag2aa",
    "wcag21a",
    "wcag21aa",
    "wcag22aa",
    "best-practice",
  ]);
  const { violations } = await within(builder.analyze(), "axe gave no answer (are scripts off?)");
  const lines = violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${v.help}\n    ${n.html}\n    ${n.failureSummary}`));
  assert.equal(lines.length, 0, `${page.url()} is not accessible:\n  ${lines.join("\n  ")}`);
}

/** The promise's value, or an error when it takes too long. */
export async function within(promise, what) {
  let late;
  const timeout = new Promise((_, reject) => {
    late = setTimeout(() => reject(new Error(what)), PATIENCE);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(late);
  }
}

/** Fails when the page is wider than the window, as on a phone one would have to scroll sideways. */
export async function fits(page) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(over <= 0, `${page.url()} is ${over} px wider than the window`);
}

/** Equal, deeply and strictly. */
export function eq(actual, expected, what) {
  assert.deepEqual(actual, expected, what);
}

/** True. */
export function ok(value, what) {
  assert.ok(value, what);
}

/**
 * A client's redirect URI on loopback: `uri` to register, `await next(page)` for the parameters of the next answer, once
 * the page shows that it has arrived. Until then it is the page from before, whatever the client has heard.
 */
export async function listen(path = "/callback") {
  const arrived = [];
  const waiting = [];
  let count = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://127.0.0.1");
    response.setHeader("content-type", "text/html; charset=utf-8");
    if (url.pathname !== path) {
      response.statusCode = 404;
      return response.end("<!doctype html><html lang=en><title>Not here</title><main><h1>Not here</h1></main>");
    }
    count += 1;
    const id = `arrival-${count}`;
    response.end(`<!doctype html><html lang=en><title>Back at the client</title><main><h1 id=${id}>Back at the client</h1></main>`);
    const arrival = { id, parameters: url.searchParams };
    const taker = waiting.shift();
    if (taker) taker(arrival);
    else arrived.push(arrival);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const uri = `http://127.0.0.1:${server.address().port}${path}`;
  const heard = async () => arrived.shift() ?? new Promise((resolve) => waiting.push(resolve));
  const next = async (page) => {
    const { id, parameters } = await within(heard(), `nothing arrived at ${uri}`);
    await page.waitForSelector(`#${id}`);
    await page.waitForLoadState();
    return parameters;
  };
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections?.();
    });
  return { uri, next, close };
}
