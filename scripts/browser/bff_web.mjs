// The page of examples/bff-web: a session, and no token or session secret that a script could find.
// scripts/checks/bff-web.sh starts what it needs and runs it.
import { BASE, axe, eq, fits, ok, open, shot } from "./lib.mjs";

const PASSWORD = "nine lives and a lantern";
const APP = `${BASE}/app/`;

const { context, page, close } = await open();

// Everything that a script of the page could read: the answers it gets, each with the cookies there were then.
const answers = [];
context.on("response", (response) => {
  const { pathname } = new URL(response.url());
  // An answer without a body, or a refusal whose body the page's script does not read, never counts as finished.
  if (response.status() === 204 || response.status() >= 400) return;
  if (pathname.startsWith("/app") || pathname.startsWith("/auth")) {
    answers.push(response.text().then((text) => ({ pathname, text }), () => ({ pathname, text: "" })));
  }
});

/** Values of cookies so far, but for the one that is there to be read: it is a hash that frames compare. */
const secrets = new Set();
async function note() {
  for (const cookie of await context.cookies()) {
    if (cookie.httpOnly) secrets.add(cookie.value);
    else eq(cookie.name, "oauth_browser_state", "every other cookie is hidden from scripts");
  }
}

/** Nothing that is worth anything is within reach of a script. */
async function nothingInReach() {
  await note();
  const reach = await page.evaluate(() => JSON.stringify([
    document.cookie, { ...localStorage }, { ...sessionStorage }, document.documentElement.outerHTML,
    Object.keys(window).filter((name) => /token|session/i.test(name) && typeof window[name] === "string"),
  ]));
  const texts = [reach, ...(await Promise.all(answers)).map(({ text }) => text)];
  ok(secrets.size > 0, "there are cookies to look for");
  for (const text of texts) {
    for (const secret of secrets) ok(!text.includes(secret), "no session secret is within reach");
    ok(!/eyJ[\w-]{8,}\.[\w-]{8,}/.test(text), "no JWT is within reach");
    ok(!/"(access|refresh|id)_token"/.test(text), "no token is named");
  }
  eq(await page.evaluate(() => [localStorage.length, sessionStorage.length]), [0, 0]);
}

// Somebody to be.
await page.goto(`${BASE}/signup`);
await page.fill("#username", "ada");
await page.fill("#password", PASSWORD);
await page.click("#sign-up");
await page.waitForURL(`${BASE}/`);
await context.clearCookies();

// Nobody is signed in: the 401 shows the button.
const [first] = await Promise.all([
  page.waitForResponse(`${BASE}/auth/session`),
  page.goto(APP),
]);
eq(first.status(), 401);
await page.waitForSelector("#sign-in:visible");
ok(await page.isHidden("#signed-in"));
await axe(page);
await shot(page, "bff-web-signed-out");

// The button leads to the page of the provider, and back.
await page.click("#sign-in");
await page.waitForSelector("#login-form");
await page.fill("#username", "ada");
await page.fill("#password", PASSWORD);
await note();
await page.click("#login-form #sign-in");
await page.waitForURL(APP);
await page.waitForSelector("#signed-in:visible");
eq(await page.textContent("#username"), "ada");
await axe(page);
await shot(page, "bff-web-signed-in");
await nothingInReach();

// Refreshing gives another cookie.
const session = async () => (await context.cookies()).find(({ name }) => name.endsWith("oauth_session"))?.value;
const before = await session();
await page.click("#refresh");
await page.waitForFunction(() => document.getElementById("status").textContent.includes("new cookie"));
const after = await session();
ok(before && after && before !== after, "the cookie is another one");
await nothingInReach();

// Two tabs at once: both go on, with one session.
const tab = await context.newPage();
await tab.goto(APP);
await tab.waitForSelector("#signed-in:visible");
await Promise.all([page.click("#refresh"), tab.click("#refresh")]);
for (const one of [page, tab]) {
  await one.waitForFunction(() => document.querySelector("#refresh:enabled") && document.getElementById("status").textContent.includes("new cookie"));
}
await nothingInReach();

// Without the CSRF token the cookie alone does nothing, even on a page of this origin.
const bare = await page.evaluate(async () => {
  const answer = await fetch("/auth/logout", { method: "POST" });
  return [answer.status, (await answer.json()).code];
});
eq(bare, [403, "csrf"]);

// On a phone, in the dark.
await page.setViewportSize({ width: 375, height: 700 });
await page.emulateMedia({ colorScheme: "dark" });
await page.reload();
await page.waitForSelector("#signed-in:visible");
await fits(page);
await axe(page);
await shot(page, "bff-web-phone-dark");

// Signing out ends it, in the other tab too.
await page.click("#sign-out");
await page.waitForSelector("#signed-out:visible");
eq(await page.textContent("#status"), "You are signed out.");
eq(await session(), undefined);
await tab.click("#refresh");
await tab.waitForSelector("#signed-out:visible");
await nothingInReach();
await close();
