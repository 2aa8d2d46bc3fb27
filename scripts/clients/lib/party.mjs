// The client's own web server: serves documents and remembers what was asked.

import { readFileSync } from "node:fs";
import https from "node:https";
import { PATIENCE } from "./report.mjs";

export class Party {
  constructor(origin) {
    Object.assign(this, { origin, documents: new Map(), asked: [], waiting: [] });
  }

  /** Listens at an https origin on this machine. */
  static async start(origin, { certificate, key }) {
    const party = new Party(origin);
    party.server = https.createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (q, s) => party.answer(q, s));
    await new Promise((resolve) => party.server.listen(Number(new URL(origin).port), "127.0.0.1", resolve));
    return party;
  }

  /** Serves a document from now on; its address. */
  serve(path, body, type = "application/json") {
    this.documents.set(path, { body: typeof body === "string" ? body : JSON.stringify(body), type });
    return this.origin + path;
  }

  answer(request, response) {
    let text = "";
    request.setEncoding("utf8").on("data", (part) => (text += part));
    request.on("end", () => {
      const url = new URL(request.url, this.origin);
      const { method, headers } = request;
      const one = { method, path: url.pathname, query: url.searchParams, headers, text, tls: request.socket.getProtocol() };
      this.asked.push(one);
      const document = this.documents.get(url.pathname);
      response.writeHead(document ? 200 : 404, { "content-type": document?.type ?? "text/plain", "cache-control": "no-store" });
      response.end(document?.body ?? "nothing here");
      this.waiting = this.waiting.filter((w) => !w(one));
    });
  }

  /** What is asked at this path, now or soon. */
  async hear(path) {
    const known = this.asked.find((one) => one.path === path);
    if (known) return known;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nobody asked for ${path}`)), PATIENCE * 1000);
      this.waiting.push((one) => {
        if (one.path !== path) return false;
        clearTimeout(timer);
        resolve(one);
        return true;
      });
    });
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
