// Identity tokens: JSON Web Tokens (RFC 7519) that the site's server signs for a user who is logged in there. One way of signing is
// taken, HS256, whatever a token says of itself.

import { isMap } from "./json.js";
import { fromBase64url, keyFrom } from "./visitor.js";

/** The longest token that is read. */
const LONGEST = 4096;

/** How far ahead a token may end, in seconds. */
const AHEAD_S = 24 * 60 * 60;

/** What the clocks of two servers may differ by, in seconds. */
const SKEW_S = 60;

/** The longest id of a user, in characters: what the core reads. */
const MOST_USER_ID = 128;

function jsonOf(part) {
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(fromBase64url(part)));
    return isMap(value) ? value : {};
  } catch {
    return {};
  }
}

const hmac = { name: "HMAC", hash: "SHA-256" };

/** Whether one of the secrets signed a text. Compared by the platform, in a time that says nothing of the signature. */
async function isSigned(text, signature, secrets) {
  const bytes = new TextEncoder().encode(text);
  let found = false;
  for (const secret of secrets) {
    const key = await keyFrom(secret, "identity", (raw) => crypto.subtle.importKey("raw", raw, hmac, false, ["verify"]));
    found = (await crypto.subtle.verify("HMAC", key, signature, bytes)) || found;
  }
  return found;
}

/**
 * The `user` whom a token is for, of a site, at an instant (epoch milliseconds); else what is `wrong` with it, in words for whoever makes the
 * tokens. `secrets` are those that may have signed it.
 */
export async function userOf(token, secrets, site, now) {
  const [head, body, signature, ...more] = token.length <= LONGEST ? token.split(".") : [];
  const bytes = signature === undefined || more.length > 0 ? undefined : fromBase64url(signature);
  if (bytes === undefined) {
    return { wrong: "It is no JSON Web Token." };
  }
  const { alg, crit } = jsonOf(head);
  if (alg !== "HS256" || crit !== undefined) {
    return { wrong: "It is not signed by HS256." };
  }
  if (!(await isSigned(`${head}.${body}`, bytes, secrets))) {
    return { wrong: "Its signature is not by a secret of IDOINE_IDENTITY_SECRET." };
  }
  const { sub, exp, nbf, aud } = jsonOf(body);
  if (typeof sub !== "string" || !sub.isWellFormed() || sub === "" || [...sub].length > MOST_USER_ID) {
    return { wrong: `\`sub\` is not the id of a user, 1 to ${MOST_USER_ID} characters.` };
  }
  const seconds = now / 1000;
  if (typeof exp !== "number" || !(exp > seconds)) {
    return { wrong: "It has expired, or does not say by `exp` when it will." };
  }
  if (exp > seconds + AHEAD_S + SKEW_S) {
    return { wrong: "`exp` is more than 24 hours ahead." };
  }
  if (nbf !== undefined && !(nbf <= seconds + SKEW_S)) {
    return { wrong: "It is not good yet (`nbf`)." };
  }
  if (aud !== undefined && aud !== site && !(Array.isArray(aud) && aud.includes(site))) {
    return { wrong: "`aud` is another site." };
  }
  return { user: sub };
}
