// An authenticator app (RFC 6238 with HMAC-SHA-1, six digits and half minutes).
import { createHmac } from "node:crypto";

const STEP = 30;

/** The bytes of a key in base32, in groups. */
export function bytes(text) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let bits = "";
  for (const c of text.replaceAll(" ", "")) bits += alphabet.indexOf(c).toString(2).padStart(5, "0");
  return Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
}

/** The half minute that it is. */
export const now = () => Math.floor(Date.now() / 1000 / STEP);

/** What an app shows in that half minute. */
export function code(key, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const hash = createHmac("sha1", key).update(counter).digest();
  const at = hash.at(-1) & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}
