// settings: OAUTH__REGISTRATION__MODE=open OAUTH__REGISTRATION__DANGER_LOOPBACK=true OAUTH__OUTGOING__ALLOWED_NETWORKS=127.0.0.0/8 OAUTH__OUTGOING__DANGER_PLAIN_HTTP=true
// Signing out where applications send people: what is asked, who is told and how, and what a frame sees of it.
import { once } from "node:events";
import { createServer } from "node:http";
import { BASE, eq, go, ok, open } from "../lib.mjs";
import { authorization, eventually, exchange, look, signIn, signUp, somebody } from "../people.mjs";

const PASSWORD = "nine lives and a lantern";
const page200 = (title, more = "") =>
  `<!doctype html><html lang=en><title>${title}</title><main><h1>${title}</h1>${more}</main>`;

// An application with everything: a page that signs out in a frame, an address that is told, a frame that asks.
const told = [];
const framed = [];
const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://127.0.0.1");
  response.setHeader("content-type", "text/html; charset=utf-8");
  if (url.pathname === "/back" && request.method === "POST") {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    told.push(new URLSearchParams(Buffer.concat(chunks).toString()).get("logout_token"));
    return response.end();
  }
  if (url.pathname === "/front") {
    framed.push({ destination: request.headers["sec-fetch-dest"], ...Object.fromEntries(url.searchParams) });
    return response.end(page200("Signed out here, too"));
  }
  if (url.pathname === "/watch") return response.end(page200("Watching", watcher));
  response.end(page200(url.pathname === "/bye" ? "Goodbye" : "Back at the client"));
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const home = `http://127.0.0.1:${server.address().port}`;
const watcher = `<iframe id=op title=Session src="${BASE}/oauth/check_session"></iframe>
<script>
const frame = document.getElementById("op");
const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
async function ask(message) {
  await loaded;
  const answer = new Promise((resolve) => addEventListener("message", resolve, { once: true }));
  frame.contentWindow.postMessage(message, ${JSON.stringify(new URL(BASE).origin)});
  const { data, origin, source } = await answer;
  return source === frame.contentWindow && origin === ${JSON.stringify(new URL(BASE).origin)} ? data : "a stranger answers";
}
</script>`;

const registered = await fetch(`${BASE}/oauth/register`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    client_name: "Camera wall",
    redirect_uris: [`${home}/callback`],
    post_logout_redirect_uris: [`${home}/bye`],
    frontchannel_logout_uri: `${home}/front`,
    frontchannel_logout_session_required: true,
    backchannel_logout_uri: `${home}/back`,
    backchannel_logout_session_required: true,
    scope: "openid profile",
  }),
});
eq(registered.status, 201, await registered.clone().text());
const { client_id: id, client_secret: secret } = await registered.json();
const app = { id, secret };
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

/** Enters the application; what it gets. */
async function enter(page) {
  const asked = authorization(app, `${home}/callback`, "openid");
  await page.goto(asked.url);
  if (page.url().includes("/consent?")) await page.click("#allow");
  await page.waitForURL(`${home}/callback?**`);
  const answer = new URL(page.url()).searchParams;
  eq(answer.get("state"), asked.state);
  const tokens = await exchange(app, `${home}/callback`, { code: answer.get("code"), verifier: asked.verifier });
  eq(tokens.status, 200, JSON.stringify(tokens.body));
  return { hint: tokens.body.id_token, state: answer.get("session_state") };
}

const endSession = (parameters) => `${BASE}/oauth/logout?${new URLSearchParams(parameters)}`;

const { page, context, close } = await open();
const name = somebody();
await page.goto(`${BASE}/signup`);
await signUp(page, name, PASSWORD);
await page.waitForURL(`${BASE}/`);
let session = await enter(page);

// What a frame of the application sees.
await page.goto(`${home}/watch`);
const ask = (message) => page.evaluate((m) => ask(m), message);
const changed = session.state.replace(/^./, (c) => (c === "A" ? "B" : "A"));
eq(await ask(`${id} ${session.state}`), "unchanged");
eq(await ask(`${id} ${changed}`), "changed");
eq(await ask(`somebody-else ${session.state}`), "changed");
for (const malformed of ["", id, `${id} `, `${id} x.y`, session.state, `${id} ${session.state}.`, `${id} ${session.state} `]) {
  eq(await ask(malformed), "error", JSON.stringify(malformed));
}
for (const strange of [null, 7, {}, [`${id} ${session.state}`]]) {
  eq(await ask(strange), "error", JSON.stringify(strange));
}

// Asked without proof: a page with a button, and a way to stay.
await page.goto(endSession({}));
await look(page, "logout-asked");
const back = { client_id: id, post_logout_redirect_uri: `${home}/bye`, state: "a b&c" };
await page.goto(endSession(back));
eq(await page.textContent("#client-name"), "Camera wall");
eq(await page.textContent("#who"), name);
await look(page, "logout-asked-by-client");
await go(page, "#stay");
ok(await page.locator("#nav-logout").isVisible(), "nothing happened");

// What is not proven is refused.
const refused = await page.goto(endSession({ post_logout_redirect_uri: `${home}/bye` }));
eq(refused.status(), 400);
await look(page, "logout-refused");

// By the button, and on by itself to where the application wants.
await page.goto(endSession(back));
await page.click("#logout");
await page.waitForURL(`${home}/bye?state=a+b%26c`);
const sid = claims(session.hint).sid;
eq(framed, [{ destination: "iframe", iss: BASE, sid }]);
await eventually(async () => told.length, 1, "the application is told");
const token = claims(told[0]);
eq([token.iss, token.aud, token.sub, token.sid], [BASE, id, claims(session.hint).sub, sid]);
await page.goto(`${home}/watch`);
eq(await ask(`${id} ${session.state}`), "changed");

// With an id token of the session nothing is asked; and without an address, one stays.
await page.goto(`${BASE}/login`);
await signIn(page, name, PASSWORD);
await page.waitForURL(`${BASE}/`);
const before = session;
session = await enter(page);
await page.goto(`${home}/watch`);
eq(await ask(`${id} ${before.state}`), "changed", "it is another session");
eq(await ask(`${id} ${session.state}`), "unchanged");
await page.goto(endSession({ id_token_hint: session.hint }));
await page.waitForSelector("#to-home");
await look(page, "logout-done");
eq(await page.locator("iframe").first().isVisible(), false);
await eventually(async () => framed.length, 2, "the frame is loaded");
await eventually(async () => told.length, 2, "the application is told");
eq((await context.cookies(BASE)).filter((c) => /session|state/.test(c.name)), [], "no cookie is left");

// Two browsers, one of them without scripts.
await page.goto(`${BASE}/login`);
await signIn(page, name, PASSWORD);
await page.waitForURL(`${BASE}/`);
session = await enter(page);
const other = await open({ scripts: false });
const second = somebody();
await other.page.goto(`${BASE}/signup`);
await signUp(other.page, second, PASSWORD);
await other.page.waitForURL(`${BASE}/`);

// Without scripts it goes on by itself, too.
const elsewhere = await enter(other.page);
await other.page.goto(endSession({ id_token_hint: elsewhere.hint, post_logout_redirect_uri: `${home}/bye`, state: "s" }));
await other.page.waitForURL(`${home}/bye?state=s`);
eq(framed.at(-1).sid, claims(elsewhere.hint).sid);
await eventually(async () => told.length, 3, "the application is told");
eq(claims(told.at(-1)).sid, claims(elsewhere.hint).sid);

await page.goto(`${home}/watch`);
eq(await ask(`${id} ${session.state}`), "unchanged", "that was another browser");
// A form of the application leads there as well.
await page.setContent(
  `<form method=post action="${BASE}/oauth/logout"><input name=id_token_hint value="${session.hint}">
   <input name=post_logout_redirect_uri value="${home}/bye"><button>Leave</button></form>`,
);
await page.click("button");
await page.waitForURL(`${home}/bye`);
await eventually(async () => told.length, 4, "the application is told");
eq(claims(told.at(-1)).sid, claims(session.hint).sid);

// The page that goes on by itself, without the header that has it do so, to be looked at.
await page.goto(`${BASE}/login`);
await signIn(page, name, PASSWORD);
await page.waitForURL(`${BASE}/`);
session = await enter(page);
await page.route(/\/oauth\/logout/, async (route) => {
  const response = await route.fetch();
  const { refresh, ...headers } = response.headers();
  eq(refresh, `3; url=${home}/bye`);
  await route.fulfill({ response, headers });
});
await page.goto(endSession({ id_token_hint: session.hint, post_logout_redirect_uri: `${home}/bye` }));
await look(page, "logout-going-on");
await go(page, "#go-on");
eq(page.url(), `${home}/bye`);

server.close();
server.closeAllConnections?.();
await other.close();
await close();
