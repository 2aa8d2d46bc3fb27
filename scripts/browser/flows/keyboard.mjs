// A person without a mouse and without scripts: sign up, sign in and consent by keys alone.
import { BASE, eq, listen, ok, open } from "../lib.mjs";
import { authorization, createClient, somebody } from "../people.mjs";

const PASSWORD = "nine lives and a lantern";
const client = await listen();
const { page, close } = await open({ scripts: false });
const focused = () => page.locator(":focus").getAttribute("id");
const keys = async (...all) => {
  for (const key of all) await page.keyboard.press(key);
};
/** Tabs to an element, as few people have patience for more than this. */
const tabTo = async (id, most = 40) => {
  for (let i = 0; i < most; i += 1) {
    await page.keyboard.press("Tab");
    if ((await focused()) === id) return;
  }
  throw new Error(`${id} cannot be reached by Tab on ${page.url()}`);
};

// The first Tab is the way past the menu.
await page.goto(`${BASE}/`);
await keys("Tab");
eq(await page.locator(":focus").textContent(), "Skip to content");
ok(await page.locator(":focus").isVisible(), "the skip link can be seen when it has the focus");
await keys("Enter");
await page.waitForURL((url) => url.hash === "#main");

const name = somebody();
await page.goto(`${BASE}/signup`);
eq(await focused(), "username", "one can begin to type at once");
await page.keyboard.type(name);
await tabTo("password");
await page.keyboard.type(PASSWORD);
await keys("Tab", "ArrowRight");
eq(await page.locator(":focus").getAttribute("type"), "radio");
await tabTo("sign-up");
await keys("Enter");
await page.waitForURL(`${BASE}/`);

const app = await createClient(page, { name: "Keys only", redirects: [client.uri], auth: "none" });
await page.goto(`${BASE}/`);
await tabTo("nav-logout");
await keys("Enter");
await page.waitForURL(/done=signed_out/);

const asked = authorization(app, client.uri, "profile query");
await page.goto(asked.url);
await page.waitForURL(/\/login\?/);
eq(await focused(), "username");
await page.keyboard.type(name);
await keys("Tab");
await page.keyboard.type("wrong");
await keys("Enter");
await page.waitForURL(`${BASE}/login`);
await tabTo("password");
await page.keyboard.type(PASSWORD);
await keys("Enter");
await page.waitForURL(/\/consent\?/);
await tabTo("scope-1");
await keys("Space");
await tabTo("deny");
await tabTo("allow");
await keys("Enter");
const answer = await client.next(page);
ok(answer.get("code"), "allowed by keys alone");
eq(answer.get("state"), asked.state);
await client.close();
await close();
