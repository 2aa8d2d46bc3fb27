// Writes the configurations of this folder. With --check, it only looks whether they are what it would write.
//
//   node examples/conformance/plans/make.mjs [--check]

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const ISSUER = "https://localhost:9443";
const ALIAS = "oauth-server";
const [USER, PASSWORD] = ["ada", "correct-horse-battery"];

// --- what the browser of the suite does on the pages ------------------------------------------------------

const at = (path) => `${ISSUER}${path}*`;
const screenshot = (id) => ["wait", "id", id, 10, ".*", "update-image-placeholder"];
const task = (name, match, commands, optional = false) => ({ task: name, ...(optional && { optional }), match, commands });

const signIn = (before = []) => task("Sign in", at("/login"), [
  ...before,
  ["text", "id", "username", USER],
  ["text", "id", "password", PASSWORD],
  ["click", "id", "sign-in"],
], true);
const agree = task("Agree", at("/consent"), [["click", "id", "allow"]], true);
const back = task("Back at the client", `*/test/a/${ALIAS}/callback*`, [["wait", "id", "submission_complete", 10]]);
const signedOut = task("Sign out", at("/oauth/logout"), [["click", "id", "logout"]], true);
const left = task("Back at the client", `*/test/a/${ALIAS}/post_logout_redirect*`, []);

const authorize = (...tasks) => ({ match: at("/oauth/authorize"), tasks });
const logout = (...tasks) => ({ match: at("/oauth/logout"), tasks });

const usual = [authorize(signIn(), agree, back), logout(signedOut, left)];
const errorPage = { browser: [authorize(task("The error page", at("/oauth/authorize"), [screenshot("error-title")]))] };
const secondLogin = {
  browser: [authorize(signIn([["wait", "id", "sign-in", 10, ".*", "update-image-placeholder-optional"]]), agree, back)],
};
const loginPage = (id) => ({ browser: [authorize(task("The login page", at("/login"), [screenshot(id)]))] });
const staysHere = {
  browser: [usual[0], logout(task("No way back", at("/oauth/logout"), [screenshot("main")]))],
};
const confirmed = {
  browser: [usual[0], logout(signedOut, task("Signed out", `${ISSUER}/*`, [screenshot("main")]))],
};

/** Modules in which the browser does something else, by the plans that have them. */
const COMMON = {
  "oidcc-prompt-login": secondLogin,
  "oidcc-max-age-1": secondLogin,
  "oidcc-ensure-registered-redirect-uri": errorPage,
};
const REGISTRATION = {
  "oidcc-ensure-redirect-uri-in-authorization-request": errorPage,
  "oidcc-redirect-uri-query-mismatch": errorPage,
  "oidcc-redirect-uri-query-added": errorPage,
  "oidcc-registration-logo-uri": loginPage("client-logo"),
  "oidcc-registration-policy-uri": loginPage("policy-uri"),
  "oidcc-registration-tos-uri": loginPage("tos-uri"),
};
const LOGOUT = {
  "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri": staysHere,
  "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": staysHere,
  "oidcc-rp-initiated-logout-modified-id-token-hint": staysHere,
  "oidcc-rp-initiated-logout-bad-id-token-hint": staysHere,
  "oidcc-rp-initiated-logout-no-id-token-hint": staysHere,
  "oidcc-rp-initiated-logout-no-params": confirmed,
  "oidcc-rp-initiated-logout-no-post-logout-redirect-uri": confirmed,
  "oidcc-rp-initiated-logout-only-state": confirmed,
};

// --- the clients -------------------------------------------------------------------------------------------

// The keys of RFC 7515 A.3.1 and RFC 7517 A.2.
const KEYS = {
  1: {
    kty: "EC", crv: "P-256", kid: "first", use: "sig", alg: "ES256",
    x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    d: "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
  },
  2: {
    kty: "EC", crv: "P-256", kid: "second", use: "sig", alg: "ES256",
    x: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    d: "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
  },
};
const withSecret = (method, number) => ({
  client_id: `${method}-${number}`,
  client_secret: `${method}-${number}-secret-of-forty-characters-or-more`,
});
const withKey = (number) => ({ client_id: `private-key-jwt-${number}`, jwks: { keys: [KEYS[number]] } });

const CLIENTS = {
  basic: {
    client: withSecret("secret-basic", 1), client2: withSecret("secret-basic", 2),
    client_secret_post: withSecret("secret-post", 1),
  },
  post: { client: withSecret("secret-post", 1), client2: withSecret("secret-post", 2) },
  jwt: { client: withSecret("secret-jwt", 1), client2: withSecret("secret-jwt", 2) },
  key: { client: withKey(1), client2: withKey(2) },
  dynamic: { client: { client_name: "Conformance 1" }, client2: { client_name: "Conformance 2" } },
};

// --- the plans: the name of a file, the plan of the suite, its variants, and which clients ----------------

const PLANS = [
  ["config", "oidcc-config-certification-test-plan", {}, "basic"],
  ["basic", "oidcc-basic-certification-test-plan", { server_metadata: "discovery", client_registration: "static_client" }, "basic"],
  ["basic-dynamic", "oidcc-basic-certification-test-plan", { server_metadata: "discovery", client_registration: "dynamic_client" }, "dynamic"],
  ["implicit", "oidcc-implicit-certification-test-plan", { server_metadata: "discovery", client_registration: "static_client" }, "basic"],
  ["implicit-dynamic", "oidcc-implicit-certification-test-plan", { server_metadata: "discovery", client_registration: "dynamic_client" }, "dynamic"],
  ["hybrid", "oidcc-hybrid-certification-test-plan", { server_metadata: "discovery", client_registration: "static_client" }, "basic"],
  ["hybrid-dynamic", "oidcc-hybrid-certification-test-plan", { server_metadata: "discovery", client_registration: "dynamic_client" }, "dynamic"],
  ["dynamic", "oidcc-dynamic-certification-test-plan", { response_type: "code" }, "dynamic"],
  ["formpost-basic", "oidcc-formpost-basic-certification-test-plan", { server_metadata: "discovery", client_registration: "static_client" }, "basic"],
  ["formpost-implicit", "oidcc-formpost-implicit-certification-test-plan", { server_metadata: "discovery", client_registration: "static_client" }, "basic"],
  ["formpost-hybrid", "oidcc-formpost-hybrid-certification-test-plan", { server_metadata: "discovery", client_registration: "static_client" }, "basic"],
  ["3rdparty-init-login", "oidcc-3rdparty-init-login-certification-test-plan", { response_type: "code" }, "dynamic"],
  ["rp-initiated-logout", "oidcc-rp-initiated-logout-certification-test-plan", { response_type: "code", client_registration: "static_client" }, "basic"],
  ["backchannel-logout", "oidcc-backchannel-rp-initiated-logout-certification-test-plan", { response_type: "code", client_registration: "static_client" }, "basic"],
  ["frontchannel-logout", "oidcc-frontchannel-rp-initiated-logout-certification-test-plan", { response_type: "code", client_registration: "static_client" }, "basic"],
  ["session-management", "oidcc-session-management-certification-test-plan", { response_type: "code", client_registration: "static_client" }, "basic"],
  // Not for certification: everything there is, with the other ways to authenticate.
  ["all-secret-post", "oidcc-test-plan", { client_auth_type: "client_secret_post", response_type: "code", response_mode: "default", server_metadata: "discovery", client_registration: "static_client" }, "post"],
  ["all-secret-jwt", "oidcc-test-plan", { client_auth_type: "client_secret_jwt", response_type: "code", response_mode: "default", server_metadata: "discovery", client_registration: "static_client" }, "jwt"],
  ["all-private-key-jwt", "oidcc-test-plan", { client_auth_type: "private_key_jwt", response_type: "code", response_mode: "default", server_metadata: "discovery", client_registration: "static_client" }, "key"],
];

function override(name) {
  if (/^(config|3rdparty)/.test(name)) return undefined;
  if (name === "dynamic") return REGISTRATION;
  return /logout|session/.test(name) ? (name.startsWith("rp-") ? LOGOUT : undefined) : COMMON;
}

/** JSON with lists of plain values on one line. */
function pretty(value) {
  return `${JSON.stringify(value, null, 2).replace(/\[\n[^[\]{}]*\]/g, (list) => JSON.stringify(JSON.parse(list)).replaceAll(",", ", "))}\n`;
}

let stale = 0;
for (const [name, plan, variant, clients] of PLANS) {
  const words = Object.entries(variant).map(([key, value]) => `[${key}=${value}]`).join("");
  const configuration = {
    alias: ALIAS,
    description: `oauth-server: ${plan}${words}`,
    server: { discoveryUrl: `${ISSUER}/.well-known/openid-configuration`, login_hint: USER },
    ...CLIENTS[clients],
    browser: usual,
    override: override(name),
  };
  const text = pretty(configuration);
  const file = join(HERE, `${name}.json`);
  if (!process.argv.includes("--check")) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
    console.error(`${file} is out of date: run node examples/conformance/plans/make.mjs`);
    stale += 1;
  }
}
process.exitCode = stale === 0 ? 0 : 1;
