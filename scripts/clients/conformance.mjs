// What the certification plans of the OpenID Foundation's suite check, by the names of its modules. What is only a
// warning there is a failure here.
//
//   node conformance.mjs [PLAN...]      only these plans; with MODULE=name only that module

import { modules as core } from "./conformance/core.mjs";
import { modules as logout } from "./conformance/logout.mjs";
import { modules as more } from "./conformance/more.mjs";
import { modules as registration } from "./conformance/registration.mjs";
import { Party } from "./lib/party.mjs";
import { Report, must } from "./lib/report.mjs";
import { Provider, Run } from "./lib/suite.mjs";

const all = { ...core, ...registration, ...logout, ...more };

/** In the order of the suite. Those of the second list need a client that registers itself. */
const COMMON = `
  oidcc-server oidcc-userinfo-get oidcc-userinfo-post-header oidcc-userinfo-post-body
  oidcc-ensure-request-without-nonce-succeeds-for-code-flow oidcc-ensure-request-without-nonce-fails oidcc-scope-profile
  oidcc-scope-email oidcc-scope-address oidcc-scope-phone oidcc-scope-all oidcc-alternate-happy-flow oidcc-display-page
  oidcc-display-popup oidcc-prompt-login oidcc-prompt-none-not-logged-in oidcc-prompt-none-logged-in oidcc-max-age-1
  oidcc-max-age-10000 oidcc-ensure-request-with-unknown-parameter-succeeds oidcc-id-token-hint oidcc-login-hint
  oidcc-ui-locales oidcc-claims-locales oidcc-ensure-request-with-acr-values-succeeds oidcc-codereuse
  oidcc-codereuse-30seconds oidcc-ensure-registered-redirect-uri oidcc-ensure-post-request-succeeds
  oidcc-response-type-missing oidcc-server-client-secret-post
  oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported oidcc-claims-essential
  oidcc-ensure-request-object-with-redirect-uri oidcc-refresh-token oidcc-ensure-request-with-valid-pkce-succeeds
`.trim().split(/\s+/);
const REGISTERED = ["oidcc-idtoken-signature", "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported"];
const DYNAMIC = [
  "oidcc-server", "oidcc-request-uri-unsigned", "oidcc-ensure-request-object-with-redirect-uri", "oidcc-refresh-token",
  ...Object.keys(registration).filter((name) => !name.startsWith("oidcc-3rd_party") && name !== "oidcc-server-rotate-keys"),
];
const WITH_CODE = [
  "oidcc-refresh-token-rp-key-rotation", "oidcc-ensure-client-assertion-with-iss-aud-succeeds",
  "oidcc-codereuse", "oidcc-codereuse-30seconds", "oidcc-server-client-secret-post", "oidcc-refresh-token",
  "oidcc-ensure-request-with-valid-pkce-succeeds",
];

/** Whether a module says something about a response type. */
function applies(name, responseType) {
  const words = responseType.split(" ");
  if (WITH_CODE.includes(name) && !words.includes("code")) return false;
  if (name.startsWith("oidcc-userinfo-") && responseType === "id_token") return false;
  if (name === "oidcc-ensure-request-without-nonce-fails") return words.includes("id_token");
  if (name === "oidcc-ensure-request-without-nonce-succeeds-for-code-flow") return !words.includes("id_token");
  return true;
}

function shared(plan, responseTypes, mode = {}) {
  const runs = [];
  for (const response_type of responseTypes) {
    for (const client_registration of ["static_client", "dynamic_client"]) {
      const names = [...COMMON, ...(client_registration === "dynamic_client" ? REGISTERED : [])];
      for (const name of names.filter((n) => applies(n, response_type))) {
        runs.push({ plan, name, variant: { response_type, client_registration, ...mode } });
      }
    }
  }
  return runs;
}

function listed(plan, names, variants) {
  return variants.flatMap((variant) => names.map((name) => ({ plan, name, variant })));
}

const HYBRID = ["code id_token", "code token", "code id_token token"];
const IMPLICIT = ["id_token", "id_token token"];
const ALL = ["code", ...IMPLICIT, ...HYBRID];
const formPost = { response_mode: "form_post" };
const dynamic = { client_registration: "dynamic_client" };
const REGISTRATIONS = [{ client_registration: "static_client" }, dynamic];
const named = (part) => Object.keys(logout).filter((name) => name.startsWith(part));

const plans = {
  config: listed("config", ["oidcc-discovery-endpoint-verification"], [{}]),
  basic: shared("basic", ["code"]),
  implicit: shared("implicit", IMPLICIT),
  hybrid: shared("hybrid", HYBRID),
  "formpost-basic": shared("formpost-basic", ["code"], formPost),
  "formpost-implicit": shared("formpost-implicit", IMPLICIT, formPost),
  "formpost-hybrid": shared("formpost-hybrid", HYBRID, formPost),
  dynamic: listed("dynamic", DYNAMIC, ALL.map((response_type) => ({ response_type, client_auth_type: "private_key_jwt", ...dynamic })))
    .filter(({ name, variant }) => applies(name, variant.response_type)),
  "3rdparty-init-login": listed("3rdparty-init-login", Object.keys(registration).filter((n) => n.startsWith("oidcc-3rd_party")), [dynamic]),
  "rp-initiated-logout": listed("rp-initiated-logout", named("oidcc-rp-initiated"), REGISTRATIONS),
  "backchannel-logout": listed("backchannel-logout", named("oidcc-backchannel"), REGISTRATIONS),
  "frontchannel-logout": listed("frontchannel-logout", named("oidcc-frontchannel"), REGISTRATIONS),
  "session-management": listed("session-management", named("oidcc-session"), REGISTRATIONS),
  // Of no plan of the suite.
  more: listed("more", Object.keys(more), ALL.flatMap((response_type) => [{ response_type, ...dynamic }, { response_type, ...dynamic, ...formPost }])),
  // By itself and last: whoever looks at keys meanwhile would wonder.
  rotation: listed("rotation", ["oidcc-server-rotate-keys"], [{}]),
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(plans);
for (const plan of wanted) must(plans[plan], `there is no plan ${plan}; the plans are ${Object.keys(plans)}`);
const party = await Party.start(process.env.PARTY, { certificate: process.env.PARTY_CERTIFICATE, key: process.env.PARTY_KEY });
const provider = await Provider.discover();
const report = new Report("conformance");

async function one({ plan, name, variant }) {
  const title = `${plan} ${name}${Object.values(variant).map((value) => ` [${value}]`).join("")}`;
  await report.check(title, async () => {
    const run = new Run(provider, party, variant);
    await all[name](run);
    await run.end();
  });
}

for (const plan of wanted) {
  const queue = plans[plan].filter(({ name }) => !process.env.MODULE || name === process.env.MODULE);
  // What is told to a client of the configuration comes to one address, so these wait for each other.
  const workers = plan.endsWith("channel-logout") ? 1 : Number(process.env.WORKERS ?? 6);
  await Promise.all(Array.from({ length: workers }, async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await one(next);
  }));
}
party.stop();
report.end();
