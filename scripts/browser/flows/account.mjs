// settings: OAUTH__SERVER__BODY_LIMIT=6000
// The account: the profile, the sessions in two browsers, the password; then what the server refuses by itself.
import { BASE, eq, go, listen, ok, open } from "../lib.mjs";
import { authorization, createClient, exchange, focus, look, post, signIn, signUp, somebody } from "../people.mjs";

const PASSWORD = "nine lives and a lantern";
const BETTER = "ten lives and a torch";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const client = await listen();
const { page, context, close } = await open();
const other = await open();
await other.page.setExtraHTTPHeaders({ "user-agent": FIREFOX });
const name = somebody();

await page.goto(`${BASE}/signup`);
await signUp(page, name, PASSWORD);
await page.waitForURL(`${BASE}/`);
await page.click("#to-account");
await page.waitForURL(`${BASE}/account`);
eq(await page.textContent("#who"), name);
await look(page, "account");

// The profile: what is wrong is said and linked, nothing typed is lost.
await go(page, "#account-profile");
await look(page, "account-profile-empty");
await page.fill("#name", "Ada Lovelace");
await page.fill("#phone_number", "020 7946 0958");
await page.fill("#birthdate", "10.12.1815");
await page.fill("#formatted", "12 St James's Square\nLondon");
await go(page, "#save");
ok((await page.title()).startsWith("Error: Profile"), "the title says that there is an error");
await focus(page, "problems");
eq(await page.locator("#problems li").count(), 2);
eq(await page.inputValue("#formatted"), "12 St James's Square\nLondon");
await look(page, "account-profile-problems");
await page.click('#problems a[href="#phone_number"]');
await focus(page, "phone_number");
await page.fill("#birthdate", "1815-12-10");
await page.fill("#phone_number", "+44 20 7946 0958");
await page.keyboard.press("Enter");
await page.waitForURL(/done=saved/);
eq(await page.textContent("#notice"), "Saved.");
eq(await page.inputValue("#phone_number"), "+442079460958");
eq(await page.textContent("#phone_number-hint"), "Not verified.");
await look(page, "account-profile");

// The sessions, seen from one of two browsers.
await other.page.goto(`${BASE}/account/sessions`);
await signIn(other.page, name, PASSWORD);
await other.page.waitForURL(`${BASE}/account/sessions`);
await go(page, "#account-sessions");
ok((await page.textContent("#session-1")).startsWith("Chrome on Linux"), "one's own comes first");
eq(await page.textContent("#session-2"), "Firefox on Linux");
await look(page, "account-sessions");
await page.focus("#end-2");
await page.keyboard.press("Enter");
await page.waitForURL(/done=ended$/);
await look(page, "account-sessions-ended");
await other.page.reload();
ok(other.page.url().startsWith(`${BASE}/login?to=sessions`), "the other browser has to sign in again");
await signIn(other.page, name, PASSWORD);
await page.goto(`${BASE}/account/sessions`);
await page.click("#end-others");
await page.waitForURL(/done=ended_others$/);
eq(await page.locator("#sessions > li").count(), 1);
await other.page.goto(`${BASE}/account`);
await signIn(other.page, name, PASSWORD);

// The password: a new one ends everything that was got with the old one.
const app = await createClient(page, { name: "Camera wall", redirects: [client.uri] });
const asked = authorization(app, client.uri, "profile");
await page.goto(asked.url);
await page.click("#allow");
const answer = await client.next(page);
const tokens = await exchange(app, client.uri, { code: answer.get("code"), verifier: asked.verifier });
eq(tokens.status, 200);
await page.goto(`${BASE}/account/applications`);
await look(page, "account-applications");
await go(page, "#account-password");
await look(page, "account-password");
await page.fill("#current_password", "not the password");
await page.fill("#new_password", BETTER);
await go(page, "#change-password");
ok((await page.title()).startsWith("Error: Password"), "the title says that there is an error");
eq(await page.textContent("#current_password-problem"), "This is not your password.");
eq(await page.inputValue("#new_password"), "");
await look(page, "account-password-wrong");
await page.fill("#current_password", PASSWORD);
await page.fill("#new_password", BETTER);
await page.keyboard.press("Enter");
await page.waitForURL(/done=password$/);
await look(page, "account-password-changed");
await other.page.reload();
ok(other.page.url().startsWith(`${BASE}/login`), "the other browser is signed out");
const refresh = { grant_type: "refresh_token", refresh_token: tokens.body.refresh_token };
const refreshed = await post("/oauth/token", app, refresh);
eq([refreshed.status, refreshed.body.error], [400, "invalid_grant"]);
await signIn(other.page, name, BETTER);
await other.page.waitForURL(`${BASE}/account`);

// What never reaches a page looks like one all the same.
await page.goto(`${BASE}/account/profile`);
await page.locator("#formatted").evaluate((e) => e.removeAttribute("maxlength"));
await page.fill("#formatted", "x".repeat(7000));
await go(page, "#save");
eq(await page.textContent("#error-title"), "This is too large");
await look(page, "error-too-large");

// The one that says to clients whether the session is still the same is made to be read, and opens nothing.
const readable = (await context.cookies()).filter((c) => !c.httpOnly).map((c) => c.name);
eq(readable, ["oauth_browser_state"], "no other cookie can be read by a script");
await client.close();
await other.close();
await close();
