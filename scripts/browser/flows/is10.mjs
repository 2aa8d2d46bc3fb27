// settings: OAUTH__PROFILE=is10 OAUTH__KEYS__ALGORITHMS=RS512 OAUTH__DNS_SD__ENABLED=false
// The profile of AMWA IS-10: approving of clients, giving rights, and the audit log.
import { execFileSync } from "node:child_process";
import { BASE, eq, go, ok, open } from "../lib.mjs";
import { look, signUp, somebody } from "../people.mjs";

const PASSWORD = "nine lives and a lantern";
const { page, close } = await open();
const admin = somebody();

const register = async (name, more) => {
  const body = JSON.stringify({ client_name: name, ...more });
  const init = { method: "POST", body, headers: { "content-type": "application/json" } };
  const response = await fetch(`${BASE}/oauth/register`, init);
  eq(response.status, 201);
  return await response.json();
};
const token = async ({ client_id, client_secret }) => {
  const authorization = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString("base64")}`;
  const body = new URLSearchParams({ grant_type: "client_credentials" });
  return await fetch(`${BASE}/oauth/token`, { method: "POST", body, headers: { authorization } });
};

await page.goto(`${BASE}/signup`);
await look(page, "is10-signup");
await signUp(page, admin, PASSWORD);
execFileSync(process.env.SERVER, ["admin", "grant", admin]);

// Approval: nobody waits, two ask, one is approved of and one refused.
await page.goto(`${BASE}/admin`);
await go(page, "#admin-pending");
await look(page, "is10-pending-none");
const camera = await register("Camera 7", {
  grant_types: ["client_credentials"],
  response_types: [],
  scope: "registration",
});
const panel = await register("A panel with a name that is rather long, as names of panels tend to be", {
  redirect_uris: ["https://panel.studio.example.org/callback"],
  client_uri: "https://panel.studio.example.org",
  scope: "connection query",
});
eq((await token(camera)).status, 401);
await page.reload();
await look(page, "is10-pending");
// Both asked within a second, so either may stand first.
await page.click(`form:has(input[value="${camera.client_id}"]) button`);
await page.waitForURL(/done=approved$/);
eq((await token(camera)).status, 200);
await go(page, "#refuse-1");
await look(page, "is10-pending-refuse");
await page.click("#cancel");
await page.waitForURL(`${BASE}/admin/pending`);
await page.focus("#refuse-1");
await page.keyboard.press("Enter");
await page.click("#confirm");
await page.waitForURL(/done=refused$/);
await look(page, "is10-pending-done");
ok(await page.isVisible("#none"), "nobody waits any more");
eq((await fetch(panel.registration_client_uri, { headers: { authorization: `Bearer ${panel.registration_access_token}` } })).status, 401);

// Rights: patterns that are too many are refused with what was typed.
await go(page, "#admin-users");
await page.fill("#name", admin);
await go(page, "#find");
await go(page, "#user-1");
await look(page, "is10-user");
const many = Array.from({ length: 51 }, (_, n) => `single/${n}`).join("\n");
await page.check("#right-query-read");
await page.click("form:has(#set-query) summary");
await page.fill("#paths-query", many);
await page.click("#set-query");
await page.waitForSelector("#problems");
ok((await page.textContent("#problems")).includes("at most 50 paths"), "they are too many");
eq(await page.inputValue("#paths"), many);
await look(page, "is10-user-problem");

// The audit log has all of it, can be searched, and taken away as a file.
await go(page, "#admin-audit");
await look(page, "is10-audit");
const text = await page.textContent("#entries");
for (const words of ["Client approved", "Client refused", "Client asks for approval", "Token issued"]) {
  ok(text.includes(words), words);
}
ok(!(await page.content()).includes(camera.client_secret), "no secret is in it");
await page.selectOption("#event", "client_approved");
await page.fill("#user", admin);
await page.keyboard.press("Enter");
await page.waitForURL(/event=client_approved/);
eq(await page.locator("#entries > li").count(), 1);
await look(page, "is10-audit-found");
const [download] = await Promise.all([page.waitForEvent("download"), page.click("#csv")]);
eq(download.suggestedFilename(), "audit.csv");
await page.fill("#client", "nobody");
await page.click("#find");
await page.waitForSelector("#none");
await look(page, "is10-audit-none");

await close();
