// Whom a shard was told to forget. Of what is older than that nothing comes back: no event that was late, no part that another shard hands
// over once more. Who they are is noted by a pseudonym alone, for as long as something of theirs may still be on its way, or lie in the bucket.

import { isMap } from "../json.js";
import { keyFrom, keysOf } from "../visitor.js";

/** For so long: a browser's event waits for thirty days at most. */
const KEPT_MS = 31 * 24 * 3600 * 1000;

const encoder = new TextEncoder();
const hmac = { name: "HMAC", hash: "SHA-256" };

/** The pseudonym of a profile's key by a secret: nobody who has not got that finds out whose it is. */
async function pseudonym(secret, key) {
  const sign = await keyFrom(secret, "pseudonym", (bytes) => crypto.subtle.importKey("raw", new Uint8Array([...encoder.encode("idoine pseudonym\n"), ...bytes]), hmac, false, ["sign"]));
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", sign, encoder.encode(key)));
  return Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The pseudonym that a profile's key is noted by. */
export const pseudonymOf = (env, key) => pseudonym(keysOf(env)[0] ?? "", key);

/** Those that it may have been noted by: secrets change. The first is `pseudonymOf`. */
export const pseudonymsOf = (env, key) => Promise.all((keysOf(env).length > 0 ? keysOf(env) : [""]).map((secret) => pseudonym(secret, key)));

/** What profiles are noted by, for `erasedAt`; undefined where nobody is. */
export async function namesOf({ sql, env }, keys) {
  if (sql.exec("SELECT 1 FROM erased LIMIT 1").toArray().length === 0) {
    return undefined;
  }
  return new Map(await Promise.all([...new Set(keys)].map(async (key) => [key, JSON.stringify(await pseudonymsOf(env, key))])));
}

const AT = "SELECT purpose, max(at) AS at FROM erased WHERE who IN (SELECT value FROM json_each(?)) GROUP BY purpose";

/** Until when a profile is to stay forgotten, by purpose; `shard.names` are those of `namesOf`. */
export function erasedAt({ sql, names }, key) {
  const name = names?.get(key);
  return name === undefined ? {} : Object.fromEntries(sql.exec(AT, name).toArray().map(({ purpose, at }) => [purpose, at]));
}

/** Whether a profile was forgotten since an instant. */
export const isErased = (shard, key, at) => erasedAt(shard, key).personalization >= at;

/** Whether what somebody said of their purposes was forgotten since an instant: of who only withdraws it is not. */
export const isUnsaid = (shard, key, at) => erasedAt(shard, key).choices >= at;

/** The first version of a profile's part: behind all that it had before it was forgotten, so that what is late is told from what is new. */
export const firstVersion = (shard, key) => erasedAt(shard, key).personalization ?? 0;

/** Notes that profiles, by their pseudonyms, are to stay forgotten. */
export function noteErased({ sql, now }, pseudonyms, purposes, at, kept = KEPT_MS) {
  for (const who of pseudonyms) {
    for (const purpose of purposes) {
      sql.exec("INSERT INTO erased (who, purpose, at, until) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at), until = excluded.until", who, purpose, at, now + kept);
    }
  }
}

/** What stands in the place of a purpose where a profile is over, and lines of it may be in the bucket still. */
const LINES = "lines";

/** Notes, for so long, that lines of profiles may be in the bucket. */
export const noteLines = (shard, pseudonyms, kept) => noteErased(shard, pseudonyms, [LINES], shard.now, kept);

/** Whether that was noted of one of them. */
export const hasLines = (sql, pseudonyms) =>
  sql.exec("SELECT 1 FROM erased WHERE purpose = ? AND who IN (SELECT value FROM json_each(?)) LIMIT 1", LINES, JSON.stringify(pseudonyms)).toArray().length > 0;

/** Forgets that too, when it is over. */
export const forgetErased = (sql, now) => void sql.exec("DELETE FROM erased WHERE until < ?", now);

const DAY_MS = 24 * 3600 * 1000;

/** How long is kept what the program says nothing of: a tracker thirteen months, measurements twenty-five (docs/consent.md). */
const KEEP = { personalization: 395 * DAY_MS, analytics: 760 * DAY_MS, marketing: 395 * DAY_MS };

/** How long is kept what is for each purpose. */
export const keepOf = (program) => ({ ...KEEP, ...program?.consent?.keep });

/** The purpose that an event is kept for. */
export const purposeOf = (program, { type, event }) => program?.consent?.events?.[type === "track" ? event : type] ?? "analytics";

/** The names of the traits that are kept for a purpose. */
export const traitsOf = (program, purpose) => Object.entries(program?.consent?.traits ?? {}).flatMap(([name, of]) => (of === purpose ? [name] : []));

/** An event as JSON without some traits. */
export function without(json, names) {
  const event = JSON.parse(json);
  if (!isMap(event.traits) || !names.some((name) => Object.hasOwn(event.traits, name))) {
    return json;
  }
  return JSON.stringify({ ...event, traits: Object.fromEntries(Object.entries(event.traits).filter(([name]) => !names.includes(name))) });
}

/** What of an event may be kept still; undefined where that is nothing. */
export function remaining(shard, given) {
  const { key, part, at } = given;
  let event = given;
  for (const one of part === "" ? [key] : [key, `a:${part}`]) {
    const erased = erasedAt(shard, one);
    if (erased.personalization >= at) {
      event = { ...event, fold: false };
    }
    if (erased.marketing >= at) {
      event = { ...event, json: without(event.json, traitsOf(shard.program, "marketing")) };
    }
    if (Object.keys(erased).length > 0 && erased[purposeOf(shard.program, JSON.parse(event.json))] >= at) {
      event = { ...event, keep: false };
    }
  }
  return event.keep || event.fold || event === given ? event : undefined;
}
