// settings: OAUTH__SECOND_FACTOR__REQUIRED=everybody
// A second factor is demanded of everybody: whoever signs up or signs in sets an app up before there is a session, and an
// application that waits gets its code afterwards.
import { BASE, eq, go, listen, ok, open } from "../lib.mjs";
import { authorization, createClient, look, signIn, signUp, somebody } from "../people.mjs";
import { bytes, code, now } from "../totp.mjs";

const PASSWORD = "nine lives and a lantern";

/** Sets an app up on the page that is open; its key. */
async function setUp(page) {
  const key = bytes(await page.locator("#secret").innerText());
  await page.fill("#code", code(key, now()));
  await go(page, "#confirm");
  eq(await page.locator("#recovery-codes code").count(), 10, "there are ten recovery codes");
  return key;
}

// Signing up leads to the app, and nowhere past it.
const { page, close } = await open();
const name = somebody();
await page.goto(`${BASE}/signup`);
await signUp(page, name, PASSWORD);
await page.waitForURL(/\/login\/second-factor\/set-up/);
await look(page, "set-up-demanded");
ok(await page.locator("#qr").evaluate((image) => image.complete && image.naturalWidth > 0), "the picture is shown");
await page.goto(`${BASE}/account`);
ok(page.url().includes("/login"), "nobody is signed in yet");
await page.goto(`${BASE}/login/second-factor/set-up`);
await page.fill("#code", "000000");
await go(page, "#confirm");
eq(await page.locator("#code-problem").count(), 1);
await look(page, "set-up-demanded-wrong");
const key = await setUp(page);
await look(page, "set-up-demanded-codes");
await go(page, "#kept");
await page.goto(`${BASE}/account/second-factor`);
eq(await page.locator("#remove-second-factor").count(), 0, "it cannot be turned off");
await look(page, "second-factor-demanded");

// Somebody else comes from an application, with a phone and without scripts.
const application = await listen();
const client = await createClient(page, { name: "Radio", redirects: [application.uri] });
const { url, state } = authorization(client, application.uri, "profile");
const other = await open({ size: "phone", scripts: false });
await other.page.goto(`${BASE}/signup`);
const second = somebody();
await signUp(other.page, second, PASSWORD);
await other.page.waitForURL(/set-up/);
await other.page.context().clearCookies();
await other.page.goto(url);
await signIn(other.page, second, PASSWORD);
await other.page.waitForURL(/\/login\/second-factor\/set-up\?interaction=/);
await setUp(other.page);
await go(other.page, "#kept");
if (other.page.url().startsWith(BASE)) await other.page.click("#allow");
const answer = await application.next(other.page);
eq([answer.get("state"), answer.has("code")], [state, true], "the application has its code");
await other.close();

// From now on the code is asked for, as of everybody who has an app.
const third = await open();
await third.page.goto(`${BASE}/login?to=account`);
await signIn(third.page, name, PASSWORD);
await third.page.waitForURL(/\/login\/second-factor\?to=account$/);
await third.page.fill("#code", code(key, now() + 1)); // the one of before is used up
await third.page.click("#go-on");
await third.page.waitForURL(`${BASE}/account`);
await third.close();
await close();
await application.close();
