// The person and the browser: follows redirects, keeps cookies as browsers do, and fills in the server's forms. No
// script runs here, so this is also a check that the pages work without.

import { must } from "./report.mjs";

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"' };

function unescape(text) {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (all, hex, decimal, name) => {
    if (name) return ENTITIES[name] ?? all;
    return String.fromCodePoint(Number.parseInt(hex ?? decimal, hex ? 16 : 10));
  });
}

function attributes(tag) {
  const found = {};
  for (const [, name, , value] of tag.matchAll(/([\w:-]+)(="([^"]*)")?/g)) found[name] = unescape(value ?? "");
  return found;
}

/** A page as a person without scripts sees it. */
export class Page {
  constructor(response, url, text) {
    Object.assign(this, { status: response.status, headers: response.headers, url, text });
  }

  /** Whether there is an element with this id. */
  has(id) {
    return this.text.includes(`id="${id}"`);
  }

  /** The text of the element with this id, without markup. */
  says(id) {
    const found = this.text.match(new RegExp(`<(\\w+)[^>]* id="${id}"[^>]*>(.*?)</\\1>`, "s"));
    return found && unescape(found[2].replace(/<[^>]+>/g, "")).trim();
  }

  /** An attribute of the element with this id. */
  attribute(id, name) {
    const tag = this.text.match(new RegExp(`<\\w+ [^>]*id="${id}"[^>]*>`))?.[0];
    return tag && attributes(tag)[name];
  }

  /** The form that has this attribute, with what it would send by itself. */
  form(attribute) {
    for (const [, head, body] of this.text.matchAll(/<form ([^>]*)>(.*?)<\/form>/gs)) {
      if (!head.includes(attribute)) continue;
      const { action, method = "get" } = attributes(head);
      const fields = [];
      for (const [tag] of body.matchAll(/<input [^>]*>/g)) {
        const { type, name, value = "", ...rest } = attributes(tag);
        if (type === "hidden" || (type === "checkbox" && "checked" in rest)) fields.push([name, value]);
      }
      return { action: new URL(action, this.url).href, method, fields };
    }
    return undefined;
  }

  /** Addresses of frames. */
  frames() {
    return [...this.text.matchAll(/<iframe [^>]*>/g)].map(([tag]) => attributes(tag).src);
  }

  /** Where the page sends the browser by itself, after how many seconds. */
  refresh() {
    const [, seconds, to] = this.headers.get("refresh")?.match(/^(\d+); *url=(.*)$/i) ?? [];
    return to && { seconds: Number(seconds), to: new URL(to, this.url).href };
  }

  toString() {
    const code = this.says("error-code");
    return `${this.status} ${this.url} ${this.text.match(/<title>(.*?)<\/title>/s)?.[1]} ${code ?? ""} ${this.says("error-detail") ?? ""}`;
  }
}

/** Where the browser was sent outside the server: the answer to a client. */
export class Answer {
  constructor(how, url, params) {
    Object.assign(this, { how, url, params });
  }

  get(name) {
    return this.params.get(name) ?? undefined;
  }

  /** The answer as what a library for clients takes: an address, or the request that reached it. */
  forLibrary() {
    if (this.how !== "form_post") return new URL(this.url);
    return new Request(this.url, { method: "POST", body: this.params });
  }

  toString() {
    return `${this.how} ${this.url} ${this.params}`;
  }
}

export class Person {
  constructor(issuer, { username = process.env.USERNAME ?? "ada", password = process.env.PASSWORD ?? "correct-horse-battery" } = {}) {
    Object.assign(this, { issuer: issuer.replace(/\/$/, ""), username, password, cookies: new Map(), seen: [] });
  }

  /** One request with the cookies that a browser would send. `foreign`: a form of another site. */
  async fetch(url, { method = "GET", fields, foreign = false } = {}) {
    const cookies = [...this.cookies].filter(([, c]) => !(foreign && method === "POST") || c.sameSite === "none");
    const headers = { accept: "text/html" };
    if (cookies.length > 0) headers.cookie = cookies.map(([name, c]) => `${name}=${c.value}`).join("; ");
    let body;
    if (method === "POST") {
      body = new URLSearchParams(fields);
      headers.origin = foreign ? "null" : this.issuer;
      headers["sec-fetch-site"] = foreign ? "cross-site" : "same-origin";
    }
    const response = await fetch(url, { method, headers, body, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) this.keep(line);
    return response;
  }

  keep(line) {
    const [pair, ...rest] = line.split(/; */);
    const at = pair.indexOf("=");
    const name = pair.slice(0, at);
    const more = Object.fromEntries(rest.map((r) => r.toLowerCase().split("=")));
    if (more["max-age"] === "0") this.cookies.delete(name);
    else this.cookies.set(name, { value: pair.slice(at + 1), sameSite: more.samesite ?? "lax" });
  }

  /** Goes to an address and on until there is a page, or an answer for somebody else. */
  async go(url, options = {}) {
    let next = { url: String(url), ...options };
    for (let hops = 0; hops < 20; hops += 1) {
      const response = await this.fetch(next.url, next);
      const location = response.headers.get("location");
      if (location === null) return this.arrived(response, next.url);
      must([302, 303].includes(response.status), "a redirect is a 302 or a 303", response.status);
      const to = new URL(location, next.url);
      if (!to.href.startsWith(`${this.issuer}/`)) return answered(location, to);
      next = { url: to.href };
    }
    throw new Error(`going round in circles at ${next.url}`);
  }

  async arrived(response, url) {
    const page = new Page(response, url, await response.text());
    this.seen.push(page);
    const form = page.form('id="form-post"');
    if (!form) return page;
    must(form.method === "post", "the form posts", form);
    must(response.headers.get("cache-control")?.includes("no-store"), "nobody keeps the form", response.headers);
    return new Answer("form_post", form.action, new URLSearchParams(form.fields));
  }

  /** Sends a form of a page, with these fields besides. */
  async submit(page, which, fields = {}) {
    const form = page.form(which);
    must(form, `there is a form ${which}`, String(page));
    return this.go(form.action, { method: "POST", fields: [...form.fields, ...Object.entries(fields)] });
  }

  /** Deals with one page: signs in, picks the account, agrees. */
  async deal(page, decision) {
    if (page.has("login-form")) {
      return this.submit(page, 'id="login-form"', { username: this.username, password: this.password });
    }
    if (page.has("account-form")) {
      return this.submit(page, 'id="account-form"', { account: page.attribute("account", "value") });
    }
    if (page.has("consent-form")) return this.submit(page, 'id="consent-form"', { decision });
    throw new Error(`nothing to do on this page: ${page}`);
  }

  /** An authorization request to its answer; the pages on the way are in `seen`. */
  async authorize(url, { decision = "allow", ...options } = {}) {
    this.seen = [];
    let there = await this.go(url, options);
    for (let pages = 0; there instanceof Page && pages < 6; pages += 1) there = await this.deal(there, decision);
    must(there instanceof Answer, "the browser comes back", String(there));
    return there;
  }

  /** An authorization request to a page that explains what is wrong. */
  async refused(url, code, options = {}) {
    this.seen = [];
    const there = await this.go(url, options);
    must(there instanceof Page && there.status === 400, "there is a page with status 400", String(there));
    must(there.has("error-code"), "the page shows the error", String(there));
    if (code) must([].concat(code).includes(there.says("error-code")), `the error is ${code}`, there.says("error-code"));
    return there;
  }

  /** The login pages that were met on the way. */
  logins() {
    return this.seen.filter((page) => page.has("login-form")).length;
  }

  /** Signs out where the server asks whether to; frames are loaded and the browser goes on as pages tell it to. */
  async logout(url, options = {}) {
    this.seen = [];
    let there = await this.go(url, options);
    if (there instanceof Page && there.has("logout")) {
      const form = [...there.text.matchAll(/<form [^>]*action="([^"]*)"[^>]*>(?:(?!<\/form>).)*id="logout"/gs)].at(-1);
      must(form, "there is a button to sign out", String(there));
      there = await this.submit(there, 'class="actions"');
    }
    if (there instanceof Page) {
      for (const frame of there.frames()) await fetch(frame);
      const refresh = there.refresh();
      if (refresh) return answered(refresh.to, new URL(refresh.to));
    }
    return there;
  }
}

function answered(location, to) {
  if (location.includes("#")) return new Answer("fragment", to.href, new URLSearchParams(to.hash.slice(1)));
  return new Answer("query", to.href, to.searchParams);
}
