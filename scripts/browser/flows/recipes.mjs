// settings: OAUTH__GRANTS__DANGER_PASSWORD=true OAUTH__GRANTS__DANGER_IMPLICIT=true
// The commands on a client's page work when they are pasted: each one is run in a shell, as it stands there.
import { spawn } from "node:child_process";
import { BASE, eq, listen, ok, open } from "../lib.mjs";
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
    const late = Date.now() + 20_000;
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

for (const auth of ["client_secret_basic", "client_secret_post", "none"]) {
  const grants = ["authorization_code", "refresh_token", "password", "implicit"];
  if (auth !== "none") grants.push("client_credentials");
  const app = await createClient(page, { name: `Recipes ${auth}`, redirects: [`${client.uri}?a='b&c=$(id)`], grants, auth });
  const known = async () => {
    const text = {};
    for (const id of [...grants, "afterwards"]) text[id] = await recipe(id);
    return text;
  };
  const cooked = await known();
  await page.goto(`${BASE}/clients/${app.id}`);
  const later = await known();
  // On the page as it is later, the secret is asked for.
  const secret = auth === "none" ? [] : [app.secret];
  ok(auth === "none" || !JSON.stringify(later).includes(app.secret), "the secret is not shown again");

  const shell = new Shell();
  const code = cooked.authorization_code;
  eq(code.length, 5);
  await shell.paste(code[0]);
  await shell.paste(code[1]);
  const address = (await shell.paste(code[2])).trim();
  await page.goto(address);
  await page.click("#allow");
  const answer = await client.next();
  eq(answer.get("state"), (await shell.paste('echo "$STATE"')).trim());
  eq(answer.get("c"), "$(id)", "the redirect URI is the one that was registered");
  await shell.paste(code[3], answer.get("code"));
  let tokens = await shell.json(code[4]);
  ok(tokens.access_token && tokens.refresh_token, `authorization code: ${JSON.stringify(tokens)}`);

  const refresh = later.refresh_token;
  const fresh = new Shell();
  await fresh.paste(refresh[0], ...secret);
  await fresh.paste(refresh[1], tokens.refresh_token);
  tokens = await fresh.json(refresh[2]);
  ok(tokens.access_token && tokens.refresh_token, `refresh: ${JSON.stringify(tokens)}`);

  if (auth !== "none") {
    const own = new Shell();
    await own.paste(later.client_credentials[0], ...secret);
    const answer = await own.json(later.client_credentials[1]);
    ok(answer.access_token && !answer.refresh_token, `client credentials: ${JSON.stringify(answer)}`);
    own.close();
  }

  const password = later.password;
  const typed = new Shell();
  await typed.paste(password[0], ...secret);
  await typed.paste(password[1], name);
  await typed.paste(`stty() { :; }\n${password[2]}`, PASSWORD); // there is no terminal here whose echo could be turned off
  ok((await typed.json(password[3])).access_token, "password");

  const implicit = later.implicit;
  await typed.paste(implicit[0]);
  const fragment = (await typed.paste(implicit[1])).trim();
  await page.goto(fragment);
  if (page.url().includes("/consent")) await page.click("#allow");
  await client.next();
  ok(new URLSearchParams(new URL(page.url()).hash.slice(1)).get("access_token"), "implicit");

  const after = later.afterwards;
  const last = new Shell();
  await last.paste(after[0], ...secret);
  await last.paste(after[1], tokens.refresh_token);
  if (auth !== "none") eq((await last.json(after[2])).active, true);
  eq(await last.paste(after.at(-1)), "", "revocation says nothing");
  if (auth !== "none") eq(await last.json(after[2]), { active: false });
  for (const one of [shell, fresh, typed, last]) one.close();
}
await client.close();
await close();
