// Sets an app up as second factor, signs in with its code and with a recovery code, and turns it off again.
import { BASE, eq, go, ok, open } from "../lib.mjs";
import { look, signIn, signUp, somebody } from "../people.mjs";
import { bytes, code, now } from "../totp.mjs";

const PASSWORD = "nine lives and a lantern";

// A code is used once, and after it only later ones: this half minute's first, then the next one's. The server also takes
// those beside now, so each of them is good for half a minute more at least.

const { page, close } = await open();
const name = somebody();
await page.goto(`${BASE}/signup`);
await signUp(page, name, PASSWORD);
await page.goto(`${BASE}/account`);
await go(page, "#to-second-factor");
await look(page, "second-factor-off");
await page.click("#begin");
await page.waitForSelector("#secret");
await look(page, "second-factor-begun");
ok(await page.locator("#qr").evaluate((image) => image.complete && image.naturalWidth > 0), "the picture is shown");
const key = bytes(await page.locator("#secret").innerText());
await page.fill("#code", "000000");
await page.click("#confirm");
await page.waitForSelector("#code-problem");
await look(page, "second-factor-wrong");
await page.fill("#code", code(key, now()));
await page.click("#confirm");
await page.waitForSelector("#recovery-codes");
await look(page, "recovery-codes");
const codes = await page.locator("#recovery-codes code").allInnerTexts();
eq(codes.length, 10, "there are ten recovery codes");
await go(page, "#kept");
ok((await page.locator("#second-factor-status").innerText()).includes("10 recovery codes"), "all are left");
await look(page, "second-factor-on");

// Another browser: the password, then the app.
const other = await open();
await other.page.goto(`${BASE}/login?to=account`);
await signIn(other.page, name, PASSWORD);
await other.page.waitForURL(/\/login\/second-factor\?to=account$/);
await look(other.page, "second-factor-asked");
await other.page.goto(`${BASE}/account`);
ok(other.page.url().includes("/login"), "half a sign-in opens nothing");
await other.page.goto(`${BASE}/login/second-factor?to=account`);
await other.page.fill("#code", "123 456");
await other.page.click("#go-on");
await other.page.waitForSelector("#code-problem");
await other.page.fill("#code", code(key, now() + 1));
await other.page.click("#go-on");
await other.page.waitForURL(`${BASE}/account`);
await other.close();

// A third: a recovery code, without scripts.
const third = await open({ scripts: false });
await third.page.goto(`${BASE}/login`);
await signIn(third.page, name, PASSWORD);
await third.page.fill("#code", codes[0].toUpperCase());
await third.page.click("#go-on");
await third.page.waitForURL(`${BASE}/`);
await third.close();

await page.goto(`${BASE}/account/activity`);
ok((await page.locator("main").innerText()).includes("A recovery code was used"), "its owner sees it");
await page.goto(`${BASE}/account/second-factor`);
await page.fill("#code", codes[1]);
await page.click("#remove-second-factor");
await page.waitForSelector("#notice");
await look(page, "second-factor-removed");
await close();
