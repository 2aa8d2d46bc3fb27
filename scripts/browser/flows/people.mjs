// Letters: sign up with an address and confirm it, forget the password and choose another one, change the address and
// take that back. The letters are read where the server writes them.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { BASE, PATIENCE, eq, go, ok, open } from "../lib.mjs";
import { look, signIn, somebody } from "../people.mjs";

const PASSWORD = "nine lives and a lantern";
const BETTER = "ten lives and a torch";
const mail = join(process.env.OAUTH__DATA_FOLDER, "mail");
const { page, close } = await open();
const other = await open();
const name = somebody();
const [address, another] = [`${name}@example.org`, `${name}@example.net`];

/** The link in the letter to this address that leads to this page, once the server has sent it. */
async function letter(to, path) {
  const late = Date.now() + PATIENCE;
  while (Date.now() < late) {
    const files = (await readdir(mail).catch(() => [])).filter((file) => file.endsWith(".eml"));
    for (const file of files) {
      const text = (await readFile(join(mail, file), "utf8")).replace(/=\r?\n/g, "").replace(/=3D/g, "=");
      const link = text.match(new RegExp(`${BASE}${path}\\?token=[A-Za-z0-9_-]{43}`));
      if (link && text.includes(`To: ${to}`)) return link[0];
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no letter to ${to} leads to ${path}`);
}

// Sign up with an address, and confirm it.
await page.goto(`${BASE}/signup`);
await page.fill("#username", name);
await page.fill("#email", "no address");
await page.fill("#password", PASSWORD);
await go(page, "#sign-up");
eq(await page.locator("#email-problem").count(), 1);
await look(page, "people-signup-problem");
await page.fill("#email", address);
await page.fill("#password", PASSWORD);
await page.click("#sign-up");
await page.waitForURL(`${BASE}/`);
await page.goto(`${BASE}/account/email`);
eq(await page.textContent("#email-state"), "is not confirmed yet");
await look(page, "people-email-unconfirmed");
await page.goto(await letter(address, "/confirm-email"));
eq(await page.textContent("#account"), name);
await look(page, "people-confirm");
await go(page, "#act");
eq(await page.textContent("#done"), "Your address is confirmed");
await look(page, "people-confirmed");
await page.goto(`${BASE}/account/profile`);
eq(await page.textContent("#email-hint"), "confirmed");

// Forget the password, with another browser; the first one is signed out by it.
await other.page.goto(`${BASE}/login`);
await go(other.page, "#forgot");
await look(other.page, "people-forgot");
await other.page.fill("#email", address);
await go(other.page, "#send");
eq(await other.page.textContent("#done"), "Look into your mailbox");
await look(other.page, "people-forgot-sent");
const reset = await letter(address, "/reset-password");
await other.page.goto(reset);
await other.page.fill("#password", "short");
await go(other.page, "#act");
eq(await other.page.locator("#password-problem").count(), 1);
await look(other.page, "people-reset-problem");
await other.page.fill("#password", BETTER);
await go(other.page, "#act");
eq(await other.page.textContent("#done"), "Your password is replaced");
await page.goto(`${BASE}/account`);
ok(page.url().startsWith(`${BASE}/login`), "the session has ended");
await other.page.goto(reset);
eq(await other.page.textContent("#error-code"), "link_invalid");
await look(other.page, "people-link-invalid");
await page.goto(`${BASE}/login`);
await signIn(page, address, PASSWORD);
eq(await page.locator("#password-problem").count(), 1, "the old password is refused");
await signIn(page, address, BETTER);
await page.waitForURL(`${BASE}/`);

// Another address, and back.
await page.goto(`${BASE}/account/email`);
await page.fill("#new_email", another);
await page.fill("#current_password", BETTER);
await page.click("#change-email");
await page.waitForURL(/done=letter_sent/);
await look(page, "people-email");
await other.page.goto(await letter(another, "/confirm-new-email"));
await look(other.page, "people-new-email");
await go(other.page, "#act");
eq(await other.page.textContent("#done"), "Your new address is confirmed");
await page.goto(`${BASE}/account/email`);
eq(await page.textContent("#email"), another);
await other.page.goto(await letter(address, "/undo-email"));
await look(other.page, "people-undo");
await go(other.page, "#act");
eq(await other.page.textContent("#done"), "Your old address is back");
await page.goto(`${BASE}/account/email`);
ok(page.url().startsWith(`${BASE}/login`), "whoever changed the address is signed out");
await signIn(page, address, BETTER);
await page.goto(`${BASE}/account/email`);
eq(await page.textContent("#email"), address);

await other.close();
await close();
