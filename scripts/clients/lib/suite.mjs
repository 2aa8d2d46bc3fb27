// One run of one module: a client, a person, and the checks that every answer of a provider must pass.

import * as jose from "jose";
import { Person } from "./person.mjs";
import { must, same } from "./report.mjs";
import { KEYS, idToken, keyPair, random } from "./tokens.mjs";

const { ISSUER, PARTY, ALIAS } = process.env;
export const BASE = `${PARTY}/test/a/${ALIAS}`;

/** What an answer of the authorization endpoint may have. */
const ANSWER = ["code", "id_token", "access_token", "token_type", "expires_in", "scope", "state", "iss", "session_state"];
const ERROR = ["error", "error_description", "error_uri", "state", "iss", "session_state"];
/** What an id token has, unless somebody asks for more. */
const OF_ID_TOKENS = ["iss", "sub", "aud", "exp", "iat", "nonce", "auth_time", "acr", "amr", "azp", "at_hash", "c_hash", "sid", "jti"];
const DESCRIPTION = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** Keys of one kind, made once: making RSA keys takes long. */
const pool = new Map();
export function clientKey(alg, name = "") {
  const id = alg + name;
  if (!pool.has(id)) pool.set(id, keyPair(alg));
  return pool.get(id);
}

/** Documents of the provider, and its keys. */
export class Provider {
  static async discover() {
    const response = await fetch(`${ISSUER}/.well-known/openid-configuration`);
    same(response.status, 200, "discovery");
    const metadata = await response.json();
    return Object.assign(new Provider(), { metadata, headers: response.headers, issuer: ISSUER });
  }

  keys() {
    return jose.createRemoteJWKSet(new URL(this.metadata.jwks_uri));
  }
}

export class Run {
  constructor(provider, party, variant) {
    Object.assign(this, { provider, party, variant, person: new Person(ISSUER), registrations: [] });
    this.metadata = provider.metadata;
    this.responseType = variant.response_type ?? "code";
    this.words = this.responseType.split(" ");
    this.formPost = variant.response_mode === "form_post";
  }

  has(word) {
    return this.words.includes(word);
  }

  // --- clients ---------------------------------------------------------------------------------------

  /** The client of the run; number 2 is another one. */
  async client({ number = 1, method = this.variant.client_auth_type ?? "client_secret_basic", ...registration } = {}) {
    if (this.variant.client_registration !== "dynamic_client") return this.configured(method, number);
    return this.registered(method, registration);
  }

  configured(method, number) {
    const id = `${method.replace("client_", "").replaceAll("_", "-")}-${number}`;
    const redirect = number === 1 ? `${BASE}/callback` : `${BASE}/callback?dummy1=lorem&dummy2=ipsum`;
    const key = number === 1 ? KEYS.first : KEYS.second;
    const secret = `${id}-secret-of-forty-characters-or-more`;
    return { client_id: id, client_secret: secret, method, redirect_uri: redirect, key: { jwk: key, alg: "ES256", kid: key.kid } };
  }

  /** What this run's clients register with. The key has no name, as a client with one key may leave it out. */
  async registration(method, { redirect_uris = [`${BASE}/callback`], refresh = false, ...more } = {}) {
    const grants = [...(this.has("code") ? ["authorization_code"] : []), ...(this.responseType === "code" ? [] : ["implicit"])];
    const { jwk } = await clientKey("RS256");
    const keys = "jwks_uri" in more ? {} : { jwks: { keys: [{ ...jwk, use: "sig", alg: "RS256" }] } };
    return {
      client_name: `Conformance ${random(6)}`, redirect_uris, response_types: [this.responseType],
      grant_types: refresh ? [...grants, "refresh_token"] : grants,
      token_endpoint_auth_method: method, contacts: ["certification@oidf.org"], ...keys, ...more,
    };
  }

  async register(body) {
    const response = await fetch(this.metadata.registration_endpoint, {
      method: "POST", headers: { "content-type": "application/json", accept: "application/json" }, body: JSON.stringify(body),
    });
    must(response.headers.get("content-type")?.startsWith("application/json"), "the registration answers in JSON", response);
    return { status: response.status, headers: response.headers, json: await response.json() };
  }

  async registered(method, { key, ...registration }) {
    const body = await this.registration(method, registration);
    const { status, json } = await this.register(body);
    same(status, 201, `the registration answers ${JSON.stringify(json)}`);
    for (const name of Object.keys(body)) must(name in json, `the registration says ${name}`, json);
    same(json.redirect_uris, body.redirect_uris, "redirect_uris");
    must(json.registration_client_uri?.startsWith("https://") && json.registration_access_token, "the client manages itself", json);
    if (method.startsWith("client_secret")) {
      must(typeof json.client_secret === "string" && Number.isInteger(json.client_secret_expires_at), "the secret and its end", json);
    }
    this.registrations.push(json);
    const { privateKey } = await clientKey("RS256");
    return { ...json, method, redirect_uri: body.redirect_uris[0], key: key ?? { key: privateKey, alg: "RS256" } };
  }

  /** Clients that registered themselves remove themselves. */
  async end() {
    for (const { registration_client_uri, registration_access_token } of this.registrations) {
      const headers = { authorization: `Bearer ${registration_access_token}` };
      const response = await fetch(registration_client_uri, { method: "DELETE", headers });
      must([204, 401].includes(response.status), "the client is removed, or has been", response.status);
    }
  }

  // --- the authorization endpoint --------------------------------------------------------------------

  /** The parameters of a request; `undefined` leaves one out. */
  request(client, parameters = {}) {
    const usual = {
      client_id: client.client_id, redirect_uri: client.redirect_uri, scope: "openid", state: random(),
      nonce: random(), response_type: this.responseType,
    };
    if (this.formPost) usual.response_mode = "form_post";
    const all = { ...usual, ...parameters };
    for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
    return all;
  }

  url(request) {
    return `${this.metadata.authorization_endpoint}?${new URLSearchParams(request)}`;
  }

  /** How answers of this run arrive. */
  mode() {
    if (this.formPost) return "form_post";
    return ["code", "none"].includes(this.responseType) ? "query" : "fragment";
  }

  async authorize(request, options = {}) {
    return this.arrived(request, await this.person.authorize(options.url ?? this.url(request), options));
  }

  /** What holds for every good answer. */
  arrived(request, answer) {
    same(answer.get("error"), undefined, `an error: ${answer}`);
    this.common(request, answer);
    const unknown = [...answer.params.keys()].filter((name) => !ANSWER.includes(name) && !new URL(request.redirect_uri).searchParams.has(name));
    same(unknown, [], "parameters that no specification knows");
    for (const [name, word] of [["code", "code"], ["id_token", "id_token"], ["access_token", "token"]]) {
      same(answer.get(name) !== undefined, this.has(word), `there is ${name} for ${this.responseType}`);
    }
    if (this.has("token")) {
      same(answer.get("token_type")?.toLowerCase(), "bearer", "token_type");
      must(Number(answer.get("expires_in")) > 0, "expires_in", String(answer));
    }
    return answer;
  }

  common(request, answer) {
    same(answer.how, this.mode(), "the mode of the answer");
    const [at] = answer.url.split("#");
    const wanted = request.redirect_uri;
    must(at === wanted || at.startsWith(wanted + (wanted.includes("?") ? "&" : "?")), "the answer is at the redirect URI", answer.url);
    same([answer.get("state"), answer.get("iss")], [request.state, ISSUER], "state and iss");
    for (const name of new Set(answer.params.keys())) same(answer.params.getAll(name).length, 1, `${name} is there once`);
  }

  /** A request that is answered with an error to the client. */
  async refused(request, codes, options = {}) {
    const answer = await this.person.authorize(options.url ?? this.url(request), options);
    this.common(request, answer);
    this.error(answer, codes);
    return answer;
  }

  error(answer, codes) {
    must([].concat(codes).includes(answer.get("error")), `the error is ${codes}`, String(answer));
    same([...answer.params.keys()].filter((name) => !ERROR.includes(name)), [], "an error has nothing else");
    must(DESCRIPTION.test(answer.get("error_description") ?? ""), "the description is of the characters allowed", String(answer));
  }

  // --- the token endpoint ----------------------------------------------------------------------------

  async assertion(client, claims = {}) {
    const { client_id } = client;
    const now = Math.floor(Date.now() / 1000);
    const all = { iss: client_id, sub: client_id, aud: this.metadata.token_endpoint, jti: random(), iat: now, exp: now + 60, ...claims };
    const by = client.key.key ?? (await jose.importJWK(client.key.jwk, client.key.alg));
    const header = { alg: client.key.alg, ...(client.key.kid && { kid: client.key.kid }) };
    return new jose.SignJWT(all).setProtectedHeader(header).sign(by);
  }

  async token(client, form, { claims } = {}) {
    const headers = { accept: "application/json" };
    const body = new URLSearchParams(form);
    if (client.method === "client_secret_basic") {
      const pair = [client.client_id, client.client_secret].map(encodeURIComponent).join(":");
      headers.authorization = `Basic ${Buffer.from(pair).toString("base64")}`;
    } else if (client.method === "client_secret_post") {
      body.set("client_id", client.client_id);
      body.set("client_secret", client.client_secret);
    } else if (client.method === "none") {
      body.set("client_id", client.client_id);
    } else {
      body.set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
      const secret = new TextEncoder().encode(client.client_secret);
      const by = client.method === "client_secret_jwt" ? { ...client, key: { key: secret, alg: "HS256" } } : client;
      body.set("client_assertion", await this.assertion(by, claims));
    }
    const response = await fetch(this.metadata.token_endpoint, { method: "POST", headers, body });
    must(response.headers.get("content-type")?.startsWith("application/json"), "the token endpoint answers in JSON", response);
    return { status: response.status, headers: response.headers, json: await response.json() };
  }

  /** Redeems a code; what holds for every token response. */
  async redeem(client, request, code, more = {}) {
    const form = { grant_type: "authorization_code", code, redirect_uri: request.redirect_uri, ...more };
    return { form, ...this.tokens(await this.token(client, form)) };
  }

  tokens({ status, headers, json }) {
    same(status, 200, `the token endpoint answers ${JSON.stringify(json)}`);
    must(/no-store/.test(headers.get("cache-control")), "no-store", headers);
    same(headers.get("pragma"), "no-cache", "pragma");
    same(json.token_type?.toLowerCase(), "bearer", "token_type");
    must(Number.isInteger(json.expires_in) && json.expires_in > 0, "expires_in is a number", json);
    must(typeof json.access_token === "string" && json.access_token.length >= 22, "the access token is long enough", json);
    must(typeof json.id_token === "string", "there is an id token", json);
    if (json.refresh_token !== undefined) must(/^[\x20-\x7e]{22,}$/.test(json.refresh_token), "the refresh token is printable", json);
    return json;
  }

  /** The token endpoint refuses. */
  async denied(client, form, code) {
    const { status, json, headers } = await this.token(client, form);
    same([status, json.error], [code === "invalid_client" ? 401 : 400, code], "the token endpoint refuses");
    must(/no-store/.test(headers.get("cache-control")), "no-store", headers);
    must(DESCRIPTION.test(json.error_description ?? ""), "the description is of the characters allowed", json);
  }

  // --- a whole flow ----------------------------------------------------------------------------------

  /** From the request to all tokens, each of them checked; the claims of the id tokens. */
  async flow(client, parameters = {}, options = {}) {
    const request = this.request(client, parameters);
    const answer = await this.authorize(request, options);
    return this.finish(client, request, answer, options);
  }

  async finish(client, request, answer, { exchange = {}, alg = "RS256" } = {}) {
    const keys = this.provider.keys();
    const usual = { keys, issuer: ISSUER, audience: client.client_id, alg, nonce: request.nonce };
    const flow = { client, request, answer, code: answer.get("code"), idTokens: [] };
    flow.accessToken = answer.get("access_token");
    if (this.has("id_token")) {
      const parts = { code: flow.code, accessToken: flow.accessToken, front: true };
      flow.front = await idToken(answer.get("id_token"), { ...usual, ...parts });
      flow.idToken = answer.get("id_token");
      flow.idTokens.push(flow.front);
    }
    if (flow.accessToken) await this.userinfo(flow.accessToken);
    if (flow.code) {
      must(flow.code.length >= 22, "the code has 128 bits", flow.code);
      flow.tokens = await this.redeem(client, request, flow.code, exchange);
      const accessToken = flow.tokens.access_token;
      flow.back = await idToken(flow.tokens.id_token, { ...usual, code: flow.code, accessToken });
      flow.idTokens.push(flow.back);
      flow.idToken = flow.tokens.id_token;
      if (flow.front) for (const name of ["iss", "sub"]) same(flow.back[name], flow.front[name], `${name} in both id tokens`);
      flow.accessToken = accessToken;
      await this.userinfo(accessToken);
    }
    flow.claims = flow.back ?? flow.front;
    return flow;
  }

  /** What nobody asked for is not in the id tokens. */
  plain(flow, more = []) {
    for (const claims of flow.idTokens) {
      const odd = Object.keys(claims).filter((name) => !OF_ID_TOKENS.includes(name) && !more.includes(name));
      same(odd, [], "claims in the id token that nobody asked for");
    }
  }

  // --- userinfo --------------------------------------------------------------------------------------

  async callUserinfo(accessToken, how = "get") {
    const authorization = `Bearer ${accessToken}`;
    const options = {
      get: { headers: { authorization } },
      header: { method: "POST", headers: { authorization } },
      body: { method: "POST", body: new URLSearchParams({ access_token: accessToken }) },
    };
    return fetch(this.metadata.userinfo_endpoint, options[how]);
  }

  async userinfo(accessToken, how = "get") {
    const response = await this.callUserinfo(accessToken, how);
    const text = await response.text();
    same(response.status, 200, `userinfo: ${text} ${response.headers.get("www-authenticate")}`);
    if (response.headers.get("content-type").startsWith("application/jwt")) return { jwt: text };
    must(response.headers.get("content-type").startsWith("application/json"), "userinfo is JSON", response.headers);
    const claims = JSON.parse(text);
    standard(claims);
    return claims;
  }

  /** Where the claims of scopes are told: at the userinfo endpoint, or in the only token there is. */
  async told(flow) {
    if (flow.accessToken === undefined) return flow.claims;
    const claims = await this.userinfo(flow.accessToken);
    same(claims.sub, flow.claims.sub, "sub");
    return claims;
  }
}

/** Standard claims have the types of OpenID Connect Core 5.1, and none is empty. */
export function standard(claims) {
  const booleans = ["email_verified", "phone_number_verified"];
  for (const [name, value] of Object.entries(claims)) {
    must(value !== null && value !== "", `${name} is not empty`, claims);
    if (booleans.includes(name)) must(typeof value === "boolean", `${name} is true or false`, claims);
    else if (name === "updated_at") must(Number.isInteger(value), "updated_at is a number", claims);
    else if (name === "address") must(Object.values(value).every((v) => typeof v === "string" && v !== ""), "address is of texts", claims);
    else if (name !== "aud") must(typeof value === "string" || !SCOPES.profile.includes(name), `${name} is text`, claims);
  }
  must(typeof claims.sub === "string", "sub is there", claims);
}

/** The claims of each scope: OpenID Connect Core 5.4. */
export const SCOPES = {
  profile: [
    "name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
    "gender", "birthdate", "zoneinfo", "locale", "updated_at",
  ],
  email: ["email", "email_verified"],
  address: ["address"],
  phone: ["phone_number", "phone_number_verified"],
};

export const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
