// settings: OAUTH__FORMS__SALT=yes OAUTH__FORMS__ANOJWT=true
// The page of examples/encrypted-form, from another origin: signing up and in with what WebCrypto encrypted. Nothing that
// was typed leaves the browser as it is.
import { appendFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BASE, eq, ok, open } from "../lib.mjs";
import { look, somebody } from "../people.mjs";

const example = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "examples", "encrypted-form");
const TYPES = { ".html": "text/html; charset=utf-8", ".mjs": "text/javascript", ".css": "text/css" };
const files = createServer(async (request, response) => {
  const name = request.url === "/" ? "/index.html" : request.url;
  const file = await readFile(join(example, name.replace(/[^a-z./]/g, ""))).catch(() => null);
  response.writeHead(file ? 200 : 404, { "content-type": TYPES[extname(name)] ?? "text/plain" });
  response.end(file ?? "");
});
await new Promise((resolve) => files.listen(0, "127.0.0.1", resolve));

const name = `${somebody()}@example.org`;
const PASSWORD = "nine-lives-and-a-lantern";
if (process.env.SECRETS) appendFileSync(process.env.SECRETS, `${PASSWORD}\n`);

const { page, close } = await open();
const sent = [];
page.on("request", (request) => {
  if (request.method() === "POST") sent.push(request);
});
await page.goto(`http://127.0.0.1:${files.address().port}/`);
await page.fill("#api", `${BASE}/api`);
await look(page, "encrypted-form");

/** Fills in the form and presses a button; what the page says then. */
async function press(button, email, password) {
  await page.evaluate(() => (document.querySelector("#status").textContent = ""));
  await page.fill("#email", email);
  await page.fill("#pwd", password);
  await page.click(`button[value="${button}"]`);
  await page.waitForFunction(() => document.querySelector("#status").textContent !== "");
  return page.textContent("#status");
}

eq(await press("/register", name, "short"), "422: A field is not acceptable");
eq(await press("/register", name, PASSWORD), "Look for a letter.");
eq(await press("/login", name, PASSWORD), "401: The name or the password is wrong", "the address is not confirmed");
const bodies = sent.map((request) => request.postData() ?? "");
ok(bodies.filter((body) => body.includes('"form":"eyJ')).length === 3, "each form is a JWE");
ok(!bodies.some((body) => body.includes(PASSWORD) || body.includes(name)), "nothing leaves as it is");

// What somebody recorded is not read again, and what is not encrypted is not read at all.
const login = sent.at(-1);
const headers = { authorization: (await login.allHeaders()).authorization, "content-type": "application/json" };
const again = await fetch(`${BASE}/api/login`, { method: "POST", headers, body: bodies.at(-1) });
eq([again.status, (await again.json()).code], [401, "wrong_credentials"]);
const plain = await fetch(`${BASE}/api/login`, {
  method: "POST", headers, body: JSON.stringify({ username: name, password: PASSWORD }),
});
eq([plain.status, (await plain.json()).code], [400, "form_not_encrypted"]);

// A user whom the operator made gets in.
const { connect } = await import(join(example, "form.mjs"));
const { spawnSync } = await import("node:child_process");
const made = spawnSync(process.env.SERVER, ["user", "create", "grace"], { input: `${PASSWORD}\n` });
eq(made.status, 0, String(made.stderr));
eq(await press("/login", "grace", PASSWORD), "Signed in as registered.");
const server = await connect(`${BASE}/api`);
const answer = await server.send("/login", { email: "grace", pwd: PASSWORD });
eq(answer.status, 200, "the same code in Node");
await close();
files.close();
files.closeAllConnections?.();
