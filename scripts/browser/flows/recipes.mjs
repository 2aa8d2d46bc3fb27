// settings: OAUTH__GRANTS__DANGER_PASSWORD=true OAUTH__GRANTS__DANGER_IMPLICIT=true OAUTH__REGISTRATION__DANGER_LOOPBACK=true
// The commands on a client's page work when they are pasted: each one is run in a shell, as it stands there.
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BASE, PATIENCE, eq, listen, ok, open } from "../lib.mjs";
import { createClient, signUp, somebody } from "../people.mjs";

const PASSWORD = "nine lives and a lantern";
const client = await listen();
const { page, close } = await open();
const name = somebody();
await page.goto(`${BASE}/signup`);
await signUp(page, name, PASSWORD, { connection: "write" });
await page.waitForURL(`${BASE}/`);

/** A shell to paste into. It reads what it runs and what its commands ask for from the same place, as a terminal does. */
class Shell {
  #shell = spawn("bash", ["--norc"], { stdio: ["pipe", "pipe", "inherit"] });
  #seen = "";
  #wake = () => {};
  constructor() {
    this.#shell.stdout.setEncoding("utf8").on("data", (text) => {
      this.#seen += text;
      this.#wake();
    });
  }
  /** Pastes commands and types answers; returns what was printed. */
  async paste(commands, ...answers) {
    const end = `end-${Math.random()}`;
    this.#seen = "";
    this.#shell.stdin.write([commands, ...answers, `echo; echo ${end}`].map((line) => `${line}\n`).join(""));
    const late = Date.now() + PATIENCE;
    while (!this.#seen.includes(`\n${end}\n`)) {
      ok(Date.now() < late, `no end of:\n${commands}\nso far: ${this.#seen}`);
      await new Promise((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 200);
      });
    }
    return this.#seen.split(`\n${end}\n`)[0];
  }
  async json(commands, ...answers) {
    const text = (await this.paste(commands, ...answers)).trim();
    return text ? JSON.parse(text) : null;
  }
  close() {
    this.#shell.stdin.end();
  }
}

/** The commands of a recipe. */
const recipe = async (id) => {
  const steps = await page.locator(`#recipe-${id} pre`).all();
  return Promise.all(steps.map((step) => step.textContent()));
};

const folder = await mkdtemp(join(tmpdir(), "recipes-"));
/** A private key in a file, and the key set with its public half. */
const key = async (name, type, options, said = {}) => {
  const { publicKey, privateKey } = generateKeyPairSync(type, options);
  const file = join(folder, `${name} key.pem`);
  await writeFile(file, privateKey.export({ type: "pkcs8", format: "pem" }));
  return { file, jwks: JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), ...said }] }) };
};
const own = await key("own", "ec", { namedCurve: "P-256" }, { kid: "it's \"mine\"" });

for (const auth of ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"]) {
  const grants = ["authorization_code", "refresh_token", "password", "implicit"];
  if (auth !== "none") grants.push("client_credentials");
  const more = auth === "private_key_jwt" ? { jwks: own.jwks } : {};
  const redirects = [`${client.uri}?a='b&c=$(id)`];
  const app = await createClient(page, { name: `Recipes ${auth}`, redirects, grants, auth, more });
  const known = async () => {
    const text = {};
    for (const id of [...grants, "openid", "afterwards"]) text[id] = await recipe(id);
    return text;
  };
  // Who signs explains first how; the steps after that are numbered as for everybody else.
  const signs = auth.endsWith("_jwt");
  const begin = async (shell, steps, ...answers) => {
    await shell.paste(steps.shift(), ...answers);
    if (signs) await shell.paste(steps.shift());
  };
  const cooked = await known();
  await page.goto(`${BASE}/clients/${app.id}`);
  const later = await known();
  // On the page as it is later, the secret is asked for.
  const secret = { none: [], private_key_jwt: [own.file] }[auth] ?? [app.secret];
  const file = auth === "private_key_jwt" ? secret : [];
  ok(!app.secret || !JSON.stringify(later).includes(app.secret), "the secret is not shown again");

  const shell = new Shell();
  const code = cooked.authorization_code;
  eq(code.length, signs ? 6 : 5);
  await begin(shell, code, ...file);
  await shell.paste(code[0]);
  const address = (await shell.paste(code[1])).trim();
  await page.goto(address);
  await page.click("#allow");
  const answer = await client.next(page);
  eq(answer.get("state"), (await shell.paste('echo "$STATE"')).trim());
  eq(answer.get("c"), "$(id)", "the redirect URI is the one that was registered");
  await shell.paste(code[2], answer.get("code"));
  let tokens = await shell.json(code[3]);
  ok(tokens.access_token && tokens.refresh_token, `authorization code: ${JSON.stringify(tokens)}`);

  const openid = later.openid;
  const who = new Shell();
  eq((await who.json(openid.shift())).issuer, BASE);
  await begin(who, openid, ...secret);
  await who.paste(openid[0]);
  await page.goto((await who.paste(openid[1])).trim());
  if (page.url().includes("/consent")) await page.click("#allow");
  await who.paste(openid[2], (await client.next(page)).get("code"));
  const identity = await who.json(openid[3]);
  ok(identity.id_token, `OpenID Connect: ${JSON.stringify(identity)}`);
  await who.paste(openid[4], identity.id_token);
  const claims = await who.json(openid[5]);
  eq([claims.iss, claims.aud, claims.nonce], [BASE, app.id, (await who.paste('echo "$NONCE"')).trim()]);
  await who.paste(openid[6], identity.access_token);
  eq((await who.json(openid[7])).sub, claims.sub);
  who.close();

  const refresh = later.refresh_token;
  const fresh = new Shell();
  await begin(fresh, refresh, ...secret);
  await fresh.paste(refresh[0], tokens.refresh_token);
  tokens = await fresh.json(refresh[1]);
  ok(tokens.access_token && tokens.refresh_token, `refresh: ${JSON.stringify(tokens)}`);

  if (auth !== "none") {
    const alone = new Shell();
    await begin(alone, later.client_credentials, ...secret);
    const answer = await alone.json(later.client_credentials[0]);
    ok(answer.access_token && !answer.refresh_token, `client credentials: ${JSON.stringify(answer)}`);
    const again = await alone.json(later.client_credentials[0]);
    ok(again.access_token, `each time it is another JWT: ${JSON.stringify(again)}`);
    alone.close();
  }

  const password = later.password;
  const typed = new Shell();
  await begin(typed, password, ...secret);
  await typed.paste(password[0], name);
  await typed.paste(`stty() { :; }\n${password[1]}`, PASSWORD); // there is no terminal here whose echo could be turned off
  ok((await typed.json(password[2])).access_token, "password");

  const implicit = later.implicit;
  await typed.paste(implicit[0]);
  const fragment = (await typed.paste(implicit[1])).trim();
  await page.goto(fragment);
  if (page.url().includes("/consent")) await page.click("#allow");
  await client.next(page);
  ok(new URLSearchParams(new URL(page.url()).hash.slice(1)).get("access_token"), "implicit");

  const after = later.afterwards;
  const last = new Shell();
  await begin(last, after, ...secret);
  await last.paste(after[0], tokens.refresh_token);
  if (auth !== "none") eq((await last.json(after[1])).active, true);
  eq(await last.paste(after.at(-1)), "", "revocation says nothing");
  if (auth !== "none") eq(await last.json(after[1]), { active: false });
  for (const one of [shell, fresh, typed, last]) one.close();
}

// Every kind of key, several times: what the shell does with a signature may hang on its bytes.
for (const [alg, type, options] of [
  ["ES256", "ec", { namedCurve: "P-256" }],
  ["ES384", "ec", { namedCurve: "P-384" }],
  ["EdDSA", "ed25519", {}],
  ["RS256", "rsa", { modulusLength: 2048 }],
  ["PS384", "rsa", { modulusLength: 2048 }],
]) {
  const { file, jwks } = await key(alg, type, options, { alg });
  const [auth, grants] = ["private_key_jwt", ["client_credentials"]];
  await createClient(page, { name: `Signs with ${alg}`, grants, auth, more: { jwks } });
  const steps = await recipe("client_credentials");
  const shell = new Shell();
  await shell.paste(steps[0], file);
  await shell.paste(steps[1]);
  ok(steps[1].includes(`"alg":"${alg}"`), `${alg} is used`);
  for (let i = 0; i < 8; i += 1) {
    const answer = await shell.json(steps[2]);
    ok(answer.access_token, `${alg}: ${JSON.stringify(answer)}`);
  }
  shell.close();
}
await rm(folder, { recursive: true });
await client.close();
await close();
