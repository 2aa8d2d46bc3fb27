// The provider from its operator's side: its command, and what its processes say in their logs.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { PATIENCE, must } from "./report.mjs";

const AGAIN = "signing keys read again";
const { SERVER, CONFIG, SERVER_PIDS, SERVER_LOGS } = process.env;

/** Has new keys sign from now on. When this is done, every process knows them. */
export async function rotateKeys() {
  const said = (log) => readFileSync(log, "utf8").split(AGAIN).length;
  const waiting = SERVER_LOGS.split(" ").map((log) => ({ log, before: said(log) }));
  execFileSync(SERVER, ["--config", CONFIG, "keys", "rotate", "--now"], { stdio: "pipe" });
  for (const pid of SERVER_PIDS.split(" ")) process.kill(Number(pid), "SIGHUP");
  const late = Date.now() + PATIENCE * 1000;
  for (const { log, before } of waiting) {
    while (said(log) === before) {
      must(Date.now() < late, `${AGAIN}, in ${log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
