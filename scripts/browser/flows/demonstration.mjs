// settings: OAUTH__AUTHENTICATOR=any OAUTH__SIGNUP__OPEN=false
// A demonstration lets everybody in, and says so on every page; where signing up is closed, nothing leads there.
import { BASE, eq, ok, open } from "../lib.mjs";
import { look, signIn, somebody } from "../people.mjs";

const { page, close } = await open();
const name = somebody();
await page.goto(`${BASE}/login`);
ok((await page.textContent("#demo")).includes("any password"));
eq(await page.locator("#signup").count(), 0);
await look(page, "demonstration-login");
await signIn(page, name, "whatever comes to mind");
await page.waitForURL(`${BASE}/`);
ok(await page.locator("#demo").isVisible());
ok((await page.textContent("#nav-logout")).includes(name));
await look(page, "demonstration-home");
await page.goto(`${BASE}/signup`);
eq(await page.textContent("#error-code"), "signup_closed");
await look(page, "error-signup-closed");
await close();
