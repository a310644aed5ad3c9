// The cookie `idoine_p`: what of a visitor's profile pages are decided with, sealed, so that no page asks the store. What its bytes say is
// the core's affair (src/learn/projection.rs); here they are encrypted, bound to the site, the browser's `anonymousId` and a moment at
// which they end, and opened again. Whatever is wrong with a cookie, it is as if it was not there.
//
//   cookie  = base64url(version, nonce, AES-256-GCM(inner))      bound as additional data: version, site, anonymousId
//   inner   = end (seconds since 1970), since when its user is logged in (milliseconds; 0 for none), the projection's bytes
//
// The projection names its user where an identity token proved them (identity.js), and nobody else.

import { purposesKnown } from "./agreed.js";
import { log } from "./log.js";
import { ID, PROJECTION, base64url, cookieOf, fromBase64url, keyFrom, keysOf } from "./visitor.js";

const VERSION = 2;
const [NONCE, TAG] = [12, 16];

/** What stands before the projection's bytes: four bytes and six. */
const HEAD = 10;
const HIGH = 2 ** 32;

/** Characters of a cookie's value: with its name it has 4 KB at most, as browsers keep no more. */
const LONGEST = 4096 - PROJECTION.length;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

function sealingKey(secret) {
  return keyFrom(secret, "projection", async (bytes) => {
    const hkdf = await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
    const parameters = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: encoder.encode("idoine projection") };
    return crypto.subtle.deriveKey(parameters, hkdf, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  });
}

/** No part can be taken for another: an id holds no line end. */
const boundTo = (site, id) => encoder.encode(`idoine_p\n${VERSION}\n${site}\n${id}`);

/**
 * The id of the user whom a projection names; empty when it names none. Behind its version and the second of its writing, which is of
 * variable length, it says how many bytes the id has.
 */
export function userOf(bytes) {
  let at = 1;
  const number = () => {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * unit;
      if (byte < 128) {
        return value;
      }
    }
  };
  number();
  const length = number();
  return decoder.decode(bytes.subarray(at, at + length));
}

/** The cookie's value for a projection's bytes; undefined without a secret, and where it would be too long. */
export async function seal(env, site, id, { bytes, end, since = 0 }) {
  const [secret] = keysOf(env);
  if (secret === undefined) {
    return undefined;
  }
  const inner = new Uint8Array(HEAD + bytes.length);
  const head = new DataView(inner.buffer);
  head.setUint32(0, end);
  head.setUint16(4, Math.floor(since / HIGH));
  head.setUint32(6, since % HIGH);
  inner.set(bytes, HEAD);
  if (Math.ceil(((1 + NONCE + inner.length + TAG) * 4) / 3) > LONGEST) {
    log("error", "projection_too_large", "a projection does not fit into its cookie: pages are decided without it", { site, bytes: inner.length });
    return undefined;
  }
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE));
  const parameters = { name: "AES-GCM", iv: nonce, additionalData: boundTo(site, id) };
  const sealed = new Uint8Array(await crypto.subtle.encrypt(parameters, await sealingKey(secret), inner));
  return base64url([VERSION, ...nonce, ...sealed]);
}

/**
 * What a cookie's value holds: `bytes`, `user` (empty where none is proven) `since` when, `end`, and whether it was sealed by an older secret (`isOld`);
 * undefined when it is not ours, another visitor's, or over.
 */
export async function unseal(env, site, id, value) {
  const sealed = value.length <= LONGEST ? fromBase64url(value) : undefined;
  if (sealed === undefined || sealed[0] !== VERSION || sealed.length < 1 + NONCE + TAG + HEAD) {
    return undefined;
  }
  const parameters = { name: "AES-GCM", iv: sealed.subarray(1, 1 + NONCE), additionalData: boundTo(site, id) };
  for (const [at, secret] of keysOf(env).entries()) {
    let inner;
    try {
      inner = new Uint8Array(await crypto.subtle.decrypt(parameters, await sealingKey(secret), sealed.subarray(1 + NONCE)));
    } catch {
      continue;
    }
    const head = new DataView(inner.buffer);
    const end = head.getUint32(0);
    const since = head.getUint16(4) * HIGH + head.getUint32(6);
    const bytes = inner.subarray(HEAD);
    return end * 1000 > Date.now() ? { bytes, user: userOf(bytes), end, since, isOld: at > 0 } : undefined;
  }
  return undefined;
}

/** What a visit's cookie holds, whoever its id says that it is of; undefined when that is nothing. Never rejects. */
export async function openedFor(visit, id) {
  const value = cookieOf(visit.request, PROJECTION);
  if (!value || id === undefined) {
    return undefined;
  }
  try {
    return await unseal(visit.env, visit.site.id, id, value);
  } catch (error) {
    log("error", "projection_unreadable", "a projection can't be opened", { error, site: visit.site.id });
    return undefined;
  }
}

/**
 * What pages of a visit are decided with; undefined when it brings nothing, or did not agree to it. Whether the id that it is bound to
 * is the visitor's own is for the Rust side to say, which has it checked before it reads any of this.
 */
export async function projectionOf(visit) {
  const { request, overrides } = visit;
  // Nearly all who bring none are told by this look.
  if (!request.headers.get("cookie")?.includes(`${PROJECTION}=`)) {
    return undefined;
  }
  // In a preview it may be agreed to by an override.
  if (overrides === undefined && purposesKnown(visit)?.includes("personalization") === false) {
    return undefined;
  }
  return openedFor(visit, /^[\w-]{8,64}/.exec(cookieOf(request, ID) ?? "")?.[0]);
}
