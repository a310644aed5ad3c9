// Who a visitor is by the cookies that they bring, and the cookies that they are given. For decisions the Rust side reads the same
// (worker/src/identity.rs, worker/src/visit.rs); this is for what is answered here.

import { readChoice } from "./choice.js";
import { Memo } from "./memo.js";
import { isLoopback } from "./preview.js";

/** The choice of purposes; the `anonymousId` with our signature; the sealed projection of the profile. */
export const [CONSENT, ID, PROJECTION] = ["idoine_consent", "idoine_id", "idoine_p"];

/** 395 days: thirteen months at most. */
export const MAX_AGE_S = 395 * 24 * 60 * 60;

/** Bytes of an id's signature that are kept. */
const SIGNATURE = 16;

const encoder = new TextEncoder();

/** Words of a variable, separated by spaces, commas or line ends. */
export const wordsOf = (text) => String(text ?? "").split(/[\s,]+/).filter(Boolean);

/**
 * The secrets that ids and projections are signed and sealed by: the current one first, then those that it took the place of, which
 * are good for reading still. None without a current one.
 */
export function keysOf({ IDOINE_KEY: current, IDOINE_KEYS_OLD: old }) {
  const key = String(current ?? "");
  return key === "" ? [] : [key, ...wordsOf(old).filter((one) => one !== key)];
}

/** Whether there is one. Without it there are no profiles: ids are not signed, and anybody could write into anybody's. */
export const hasKey = (env) => keysOf(env).length > 0;

/** The cookies that were read, by request: they are asked for from many sides. */
const jars = new WeakMap();

/** The cookies of a request, each as it stands there. */
function jarOf(request) {
  let jar = jars.get(request);
  if (jar === undefined) {
    jar = (request.headers.get("cookie") ?? "").split(";").map((pair) => pair.trim());
    jars.set(request, jar);
  }
  return jar;
}

/** The value of the first cookie of a name; undefined when there is none. */
export const cookieOf = (request, name) => jarOf(request).find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);

/** A `Set-Cookie` header of a visit that scripts of the page can read. */
export function readableCookie({ url }, name, value, maxAge) {
  const secure = url.protocol === "http:" && isLoopback(url.hostname) ? "" : "; Secure";
  return `${name}=${value}; Path=/; SameSite=Lax; Max-Age=${maxAge}${secure}`;
}

/** A `Set-Cookie` header of a visit. Scripts of the page can't read it. */
export const setCookie = (visit, name, value, maxAge) => `${readableCookie(visit, name, value, maxAge)}; HttpOnly`;

/** RFC 4648, section 5, without padding. */
export function base64url(bytes) {
  let text = "";
  for (const byte of bytes) {
    text += String.fromCharCode(byte);
  }
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The bytes of such a text; undefined when it is none, or not in the one way of writing it. */
export function fromBase64url(text) {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) {
    return undefined;
  }
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  return base64url(bytes) === text ? bytes : undefined;
}

/** Compares two texts in a time that does not depend on where they differ. */
export function equal(a, b) {
  let difference = a.length ^ b.length;
  for (let at = 0; at < b.length; at += 1) {
    difference |= (a.charCodeAt(at) || 0) ^ b.charCodeAt(at);
  }
  return difference === 0;
}

/** Keys by what they are for and from what, as importing them takes longer than using them. Never promises: those are of one request. */
const keys = new Map();

/** What `make` makes of a secret, made once in an isolate. */
export async function keyFrom(secret, use, make) {
  const name = `${use}\n${secret}`;
  let key = keys.get(name);
  if (key === undefined) {
    key = await make(encoder.encode(secret));
    keys.set(name, key);
  }
  return key;
}

/** The value of the id cookie for an id. */
export async function signedId(secret, id) {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await keyFrom(secret, "id", (bytes) => crypto.subtle.importKey("raw", bytes, hmac, false, ["sign"]));
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(id)));
  return `${id}.${base64url(signature.subarray(0, SIGNATURE))}`;
}

/** Values of the id cookie that were found to be good, with what they say: who acts often is looked at once by an isolate. */
const checked = new Memo(2000);

/**
 * The id in a value of the id cookie, and whether it is signed by an older key (`isOld`); undefined when it is none of ours. Without a
 * secret any id is.
 */
export async function checkedId(env, value) {
  const [, id, signature] = /^([\w-]{8,64})(?:\.(.*))?$/.exec(value) ?? [];
  if (id === undefined) {
    return undefined;
  }
  const secrets = keysOf(env);
  const name = [...secrets, value].join("\n");
  const known = checked.get(name);
  if (known !== undefined) {
    return known;
  }
  for (const [at, secret] of secrets.entries()) {
    if (equal(await signedId(secret, id), `${id}.${signature ?? ""}`)) {
      const found = { id, isOld: at > 0 };
      checked.set(name, found);
      return found;
    }
  }
  return secrets.length === 0 ? { id, isOld: false } : undefined;
}

/** The `anonymousId` that a request brings, as `checkedId` says. */
export const idOf = ({ request, env }) => checkedId(env, cookieOf(request, ID) ?? "");

/** What a request's own browser said of its purposes (choice.js); undefined when it said nothing. */
export const choiceOf = (request) => readChoice(cookieOf(request, CONSENT));
