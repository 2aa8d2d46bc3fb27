// The pages of examples/oauth-helper: a client from adding to removing, at a real server; then what is refused.
// Run by scripts/checks/oauth-helper.sh, which sets PAGE (the page), CLIENT (a client of the server) and BASE_URL.
import { BASE, axe, eq, fits, go, ok, open, shot } from "../lib.mjs";

const PAGE = process.env.PAGE;
const SCOPE = "openid profile offline_access";

/** A picture of the page on a desk and on a phone, and what axe says. */
async function look(page, name) {
  await axe(page);
  await shot(page, `helper-${name}`);
  const size = page.viewportSize();
  await page.setViewportSize({ width: 375, height: 700 });
  await fits(page);
  await shot(page, `helper-${name}-phone`);
  await page.setViewportSize(size);
}

const { page, context, close } = await open();
await page.goto(`${PAGE}/`);
eq(await page.textContent("h1"), "Clients");
await look(page, "empty");

await go(page, "#add-client");
await look(page, "add");
await page.fill("#name", "mine");
await page.fill("#client_id", CLIENT());
await page.selectOption("#auth", "none");
await page.fill("#scope", SCOPE);
await go(page, "#save");
ok((await page.title()).startsWith("Error: Add a client"), "the title says that there is an error");
eq(await page.textContent("#problem"), "an issuer or a token endpoint is needed");
eq(await page.inputValue("#name"), "mine");
await look(page, "add-problem");
await page.fill("#issuer", BASE);
await page.click("#save");
await page.waitForURL(/client-detail\/1$/);
await look(page, "detail");

// To the provider and back.
await page.click("#authorize");
await page.waitForURL(/\/login\?/);
await page.fill("#username", "alice");
await page.fill("#password", "correct horse battery");
await page.keyboard.press("Enter");
await page.waitForURL(/\/consent\?|client-access/);
if (page.url().includes("/consent")) await page.click("#allow");
await page.waitForURL(`${PAGE}/client-access/1`);
eq(await page.textContent("#title"), "Almost there");
await look(page, "exchange");
await go(page, "#exchange");
eq(await page.textContent("#title"), "It is signed in");
await look(page, "signed-in");
await go(page, "#to-client");
ok((await page.textContent("#facts")).includes("valid"), "the tokens are there");
await look(page, "detail-signed-in");

await go(page, "#refresh");
eq(await page.textContent("#title"), "It is refreshed");
await go(page, "#to-client");
await go(page, "#edit");
await page.fill("#service", "<b>calendar</b>");
await page.click("#more summary");
await page.fill("#auth_params", "prompt=consent");
await page.click("#save");
await page.waitForURL(/client-detail\/1$/);
ok((await page.textContent("#facts")).includes("<b>calendar</b>"), "what was typed is text");

// Somebody says no.
await page.click("#authorize");
await page.waitForURL(/\/consent\?/);
await go(page, "#deny");
eq(await page.textContent("#title"), "That did not work");
eq(await page.textContent("#text"), "mine: access was denied");
await look(page, "denied");
await page.goto(`${PAGE}/client-detail/1`);
ok((await page.textContent("#facts")).includes("valid"), "a login that failed takes nothing away");

await go(page, "#revoke");
eq(await page.textContent("#title"), "The tokens are taken back");
await page.goto(`${PAGE}/`);
eq(await page.textContent("#state-1"), "login needed");
await look(page, "list");

// A form that another origin sends with the cookie and the right token, and one of ours with a wrong one: nothing happens.
await page.goto(`${PAGE}/client-remove/1`);
const token = await page.locator("[name=form_token]").first().inputValue();
for (const [origin, form_token, why] of [
  [BASE, token, "comes from another site"],
  [PAGE, "x", "was not shown in this browser"],
]) {
  const form = { headers: { origin }, form: { form_token } };
  const blocked = await context.request.post(`${PAGE}/client-remove/1`, form);
  eq(blocked.status(), 403);
  ok((await blocked.text()).includes(why), why);
}
await page.goto(`${PAGE}/`);
eq(await page.textContent("#state-1"), "login needed");
await page.goto(`${PAGE}/auth_callback?error=%3Cscript%3Ealert(1)%3C/script%3E&state=x`);
eq(await page.textContent("#title"), "That did not work");

await page.goto(`${PAGE}/client-remove/1`);
await look(page, "remove");
await page.click("#confirm");
await page.waitForURL(`${PAGE}/`);
ok((await page.textContent("main")).includes("You have none yet."), "it is gone");
await close();

const dark = await open({ dark: true, scripts: false });
await dark.page.goto(`${PAGE}/add-client`);
await shot(dark.page, "helper-add-dark");
await dark.close();

function CLIENT() {
  return process.env.CLIENT;
}
