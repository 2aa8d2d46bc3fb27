// What was found: one line for each check, and the end of the process by it.

import { inspect } from "node:util";

/** Far longer than anything of the checks takes, in seconds. */
export const PATIENCE = 60;

/** Throws unless the condition holds; `seen` is shown. */
export function must(condition, what, seen) {
  if (condition) return;
  const more = seen === undefined ? "" : `: ${typeof seen === "string" ? seen : inspect(seen, { depth: 6, breakLength: 160 })}`;
  throw new Error(`${what}${more}`);
}

/** With the names of objects in order, of which JSON has none. */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])]));
}

/** Throws unless both are the same as JSON. */
export function same(seen, wanted, what) {
  const [a, b] = [JSON.stringify(sorted(seen)), JSON.stringify(sorted(wanted))];
  must(a === b, `${what}: wanted ${b}, got ${a}`);
}

/** Whatever a promise fails with; throws if it does not. */
export async function failure(promise, what) {
  try {
    await promise;
  } catch (e) {
    return e;
  }
  throw new Error(`${what}: no failure`);
}

export class Report {
  constructor(name) {
    Object.assign(this, { name, passed: 0, failed: [] });
  }

  /** Runs a check and goes on, whatever comes of it. */
  async check(title, run) {
    try {
      await run();
      this.passed += 1;
      console.log(`ok   ${title}`);
    } catch (e) {
      this.failed.push(title);
      const cause = e.cause === undefined ? "" : `\n     because of ${inspect(e.cause, { depth: 4, breakLength: 160 })}`;
      const at = process.env.TRACE ? `\n${e.stack}` : "";
      console.log(`FAIL ${title}\n     ${e.message}${cause}${at}`);
    }
  }

  /** Prints the sum; the exit code says whether all is well. */
  end() {
    if (this.failed.length > 0) console.log(`failed: ${this.failed.join(", ")}`);
    console.log(`${this.name}: ${this.passed} passed, ${this.failed.length} failed`);
    process.exitCode = this.failed.length === 0 ? 0 : 1;
  }
}
