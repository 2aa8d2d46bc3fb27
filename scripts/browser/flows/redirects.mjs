// Browsers hold every redirect that follows a form against the form's policy, those of the client among them.
// A client that sends people on to another host right away must not leave them stuck on our page.
import { createServer } from "node:http";
import { BASE, eq, go, ok, open } from "../lib.mjs";
import { authorization, createClient, signIn, signUp, somebody } from "../people.mjs";

const PASSWORD = "nine lives and a lantern";
const PAGE = "<!doctype html><html lang=en><title>Home</title><main><h1>Home again</h1></main>";
const server = createServer((request, response) => {
  const url = new URL(request.url, "http://127.0.0.1");
  const port = server.address().port;
  response.setHeader("content-type", "text/html; charset=utf-8");
  if (url.pathname === "/home") return response.end(PAGE);
  // From one host to another, as from auth.example to www.example.
  response.writeHead(302, { location: `http://localhost:${port}/home?code=${url.searchParams.has("code")}` }).end();
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const redirectUri = `http://127.0.0.1:${server.address().port}/callback`;

const { page, close } = await open();
const arrived = () => page.waitForURL((url) => url.hostname === "localhost" && url.pathname === "/home");
const name = somebody();
await page.goto(`${BASE}/signup`);
await signUp(page, name, PASSWORD);
await page.waitForURL(`${BASE}/`);
const app = await createClient(page, { name: "Sends on", redirects: [redirectUri] });

// After saying yes.
await page.goto(authorization(app, redirectUri, "profile").url);
await page.click("#allow");
await arrived();
eq(new URL(page.url()).searchParams.get("code"), "true");

// After saying no.
await page.goto(authorization(app, redirectUri, "profile", { prompt: "consent" }).url);
await page.click("#deny");
await arrived();
eq(new URL(page.url()).searchParams.get("code"), "false");

// After signing in, when nothing is left to be asked.
await page.goto(`${BASE}/logout`);
await go(page, "#logout");
await page.goto(authorization(app, redirectUri, "profile").url);
await signIn(page, name, PASSWORD);
await arrived();
ok(await page.locator("h1").isVisible());

server.close();
server.closeAllConnections?.();
await close();
