// settings: OAUTH__REGISTRATION__MODE=open OAUTH__KEYS__ALGORITHMS=ES256,RS256
// The administrator's area: keys, registration, people; and that it is there for nobody else.
import { execFileSync } from "node:child_process";
import { BASE, eq, go, ok, open } from "../lib.mjs";
import { look, signIn, signUp, somebody } from "../people.mjs";

const PASSWORD = "nine lives and a lantern";
const { page, close } = await open();
const other = await open();
const [admin, person] = [somebody(), `${somebody()}-other`];

await other.page.goto(`${BASE}/signup`);
await signUp(other.page, person, PASSWORD);
await other.page.goto(`${BASE}/admin`);
eq(await other.page.textContent("#error-code"), "not_found");
await other.page.goto(`${BASE}/account/profile`);
await other.page.fill("#phone_number", "+44 20 7946 0958");
await other.page.click("#save");
await other.page.waitForURL(/done=saved/);
execFileSync(process.env.SERVER, ["user", "profile", person, "--set", "email=ada@example.org"]);

await page.goto(`${BASE}/signup`);
await signUp(page, admin, PASSWORD);
execFileSync(process.env.SERVER, ["admin", "grant", admin]);
await page.goto(`${BASE}/account`);
await look(page, "account-of-administrator");
await page.click("#to-admin");
await page.waitForURL(`${BASE}/admin`);
await look(page, "admin");

// Keys: the next one, one at once, and withdrawing one, each after a question that can be declined.
await go(page, "#admin-keys");
eq(await page.textContent("#state-ES256-1"), "signing");
await page.click("#rotate-ES256");
await page.waitForURL(/done=rotated$/);
eq(await page.textContent("#state-ES256-2"), "published and waiting");
await go(page, "#rotate-now-ES256");
await look(page, "admin-keys-rotate-now");
await page.click("#cancel");
await page.waitForURL(`${BASE}/admin/keys`);
ok(!(await page.isVisible("#state-ES256-3")), "declined, nothing is done");
await go(page, "#rotate-now-ES256");
await page.click("#confirm");
await page.waitForURL(/done=rotated_now$/);
eq(await page.textContent("#state-ES256-3"), "signing");
await page.focus("#retire-ES256-2");
await page.keyboard.press("Enter");
await page.waitForURL(/retire\?kid=/);
await look(page, "admin-keys-retire");
await page.click("#confirm");
await page.waitForURL(/done=retired$/);
ok((await page.textContent("#state-ES256-2")).startsWith("retired on "), "it is retired");
await look(page, "admin-keys");
const published = async () => (await (await fetch(`${BASE}/.well-known/jwks.json`)).json()).keys.length;
eq(await published(), 3, "the former key, its successor, and the one of the other algorithm");

// Registration: a token is shown once; a program comes with it and without it; a client goes.
await go(page, "#admin-registration");
await look(page, "admin-registration-empty");
await page.fill("#days", "many");
await go(page, "#invite");
ok((await page.title()).startsWith("Error: Registration"), "the title says that there is an error");
await page.click('#problems a[href="#days"]');
await look(page, "admin-registration-problem");
await page.fill("#label", "The build of the camera wall");
await page.fill("#days", "7");
await page.keyboard.press("Enter");
await page.waitForSelector("#initial-access-token");
await look(page, "admin-registration-made");
const token = await page.textContent("#initial-access-token");
const register = async (name, headers = {}) => {
  const body = JSON.stringify({ client_name: name, redirect_uris: ["https://client.example/cb"] });
  const init = { method: "POST", body, headers: { "content-type": "application/json", ...headers } };
  const response = await fetch(`${BASE}/oauth/register`, init);
  eq(response.status, 201);
  return (await response.json()).client_id;
};
await register("Camera wall", { authorization: `Bearer ${token}` });
await register("A program that nobody has used yet");
await page.goto(`${BASE}/admin/registration`);
ok(!(await page.content()).includes(token), "it is shown once");
await look(page, "admin-registration");
await go(page, "#delete-1");
await look(page, "admin-registration-delete");
await page.click("#confirm");
await page.waitForURL(/done=deleted$/);
await page.click("#revoke-1");
await page.waitForURL(/done=revoked$/);
await look(page, "admin-registration-revoked");

// People: found, verified, given rights, locked out and let in again.
await go(page, "#admin-users");
await look(page, "admin-users");
await page.fill("#name", person);
await page.keyboard.press("Enter");
await page.waitForURL(/name=/);
eq(await page.locator("#users > li").count(), 1);
await go(page, "#user-1");
await look(page, "admin-user");
await page.click("#verify-email");
await page.waitForURL(/done=verified$/);
eq(await page.textContent("#email-state"), "verified");
await page.check("#right-query-write");
await page.click("form:has(#set-query) summary");
await page.fill("#paths-query", "single/* and more");
await page.click("#set-query");
await page.waitForSelector("#problems");
await look(page, "admin-user-problem");
await page.fill("#paths", "single/*");
await page.click("#set-query");
await page.waitForURL(/done=rights$/);
eq(await page.inputValue("#paths-query"), "single/*");
await go(page, "#disable");
await look(page, "admin-user-disable");
await page.click("#confirm");
await page.waitForURL(/done=disabled$/);
await look(page, "admin-user-disabled");
await other.page.goto(`${BASE}/account`);
ok(other.page.url().startsWith(`${BASE}/login`), "the session is over");
await page.click("#enable");
await page.waitForURL(/done=enabled$/);
await signIn(other.page, person, PASSWORD);
await other.page.waitForURL(`${BASE}/account`);
await page.goto(`${BASE}/admin/users?name=${admin}`);
await go(page, "#user-1");
ok(await page.isVisible("#self"), "nobody does it to itself");
await look(page, "admin-user-self");
await other.close();
await close();
