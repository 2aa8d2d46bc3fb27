// The page knows who is signed in and the CSRF token of the session, both in memory. The session itself is a cookie that
// no script can read.
"use strict";

const at = (id) => document.getElementById(id);
const time = (seconds) => new Date(seconds * 1000).toLocaleString();

/** What /auth/session said last; null when nobody is signed in. */
let session = null;

function say(text) {
  at("status").textContent = text;
}

function show() {
  at("signed-out").hidden = session !== null;
  at("signed-in").hidden = session === null;
  if (session === null) return;
  const { user } = session;
  at("name").textContent = user.name ?? user.username;
  at("username").textContent = user.username;
  at("email").textContent = user.email ?? "";
  at("email-row").hidden = user.email === undefined;
  at("since").textContent = time(session.auth_time);
  at("until").textContent = time(session.expires_at);
}

/** Asks; whoever is refused with 401 is not signed in, and anything else that is not good is a failure. */
async function ask(path, options = {}) {
  const response = await fetch(path, { cache: "no-store", credentials: "same-origin", ...options });
  if (response.status === 401) return null;
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

function send(path) {
  return ask(path, { method: "POST", headers: { [session.csrf_header]: session.csrf_token } });
}

/** Does something, with the buttons off meanwhile, and shows what became of it. */
async function run(work) {
  const buttons = document.querySelectorAll("button");
  buttons.forEach((button) => { button.disabled = true; });
  try {
    say(await work());
  } catch {
    say("That did not work. Try again in a moment.");
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
    show();
  }
}

at("refresh").addEventListener("click", () => run(async () => {
  session = await send("/auth/refresh");
  return session === null ? "The session was over." : "The session has a new cookie and lives on.";
}));

at("sign-out").addEventListener("click", () => run(async () => {
  await send("/auth/logout");
  session = null;
  return "You are signed out.";
}));

run(async () => {
  session = await ask("/auth/session");
  return session === null ? "" : `Hello, ${session.user.name ?? session.user.username}.`;
});
