// The shelf that pages are kept on: the data centre's cache. What the owner of the site wants to know of it is counted here.

import { log } from "./log.js";

/** A cache of its own: nothing in it can be asked for by a visitor, and nothing that the site caches is in it. */
const CACHE = "idoine-pages";

/** The longest that a page waits for it. */
const PATIENCE_MS = 100;

/** What is known of an entry, beside its bytes: JSON. Headers as such would be read by the cache itself. */
const NOTE = "x-idoine-kept";

/** The longest note, which is of ASCII: caches limit the headers of an entry. */
const LONGEST_NOTE = 8192;

/** Of this isolate, since it started: how pages came about, and what became of what was to be kept. */
const counts = { hit: 0, variant: 0, stale: 0, miss: 0, bypass: {}, kept: { pages: 0, variants: 0 }, not_kept: {}, over_cap: 0, renewed: 0, forgotten: 0 };

/** Counts something: its name, and a reason where it is counted by reasons. */
export function count(name, reason) {
  if (reason === undefined) {
    counts[name] += 1;
  } else {
    counts[name][reason] = (counts[name][reason] ?? 0) + 1;
  }
}

/** What was counted so far. */
export function counted() {
  return structuredClone(counts);
}

/** An entry's address. Of a host that does not exist, so that it is no page's. */
const addressOf = (key) => `https://page.invalid/${key}`;

/** The value of a promise; undefined when it fails, or takes too long. */
function inTime(promise) {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, PATIENCE_MS);
    promise
      .catch(() => undefined)
      .then((value) => {
        clearTimeout(late);
        resolve(value);
      });
  });
}

let told = false;

/** Undefined, and logged once, where there is no such cache. */
async function open() {
  try {
    return await caches.open(CACHE);
  } catch (error) {
    if (!told) {
      told = true;
      log("error", "no_page_cache", "there is no cache for pages: the origin is asked for each", { error });
    }
    return undefined;
  }
}

/** What the cache has of a key: null when that is nothing; undefined when there is no cache. */
async function match(key) {
  const cache = await open();
  return cache && ((await cache.match(addressOf(key))) ?? null);
}

/** The entry of a key, its `note` and its `body`: null when there is none; undefined when the cache does not answer. */
export async function find(key) {
  const entry = await inTime(match(key));
  if (!entry) {
    return entry;
  }
  try {
    const note = JSON.parse(entry.headers.get(NOTE) ?? "");
    return { note, body: entry.body };
  } catch {
    return null;
  }
}

/** Bytes that are waited for: as many as are read at once later (stream.js), so that what was waited for comes in one piece. */
const BEGINNING = 1 << 16;

/** A kept body to be read, once its first bytes are there; undefined when they are not in time. One that fails does so for who reads it. */
export async function begun(body) {
  if (body === null) {
    return body;
  }
  const [probe, rest] = body.tee();
  const reader = probe.getReader({ mode: "byob" });
  const read = () => true;
  const isThere = await inTime(reader.read(new Uint8Array(BEGINNING)).then(read, read));
  reader.cancel().catch(() => {});
  if (!isThere) {
    rest.cancel().catch(() => {});
    return undefined;
  }
  return rest;
}

/** Keeps bytes with a note until an instant (epoch milliseconds); undefined, or why that was not possible. Never rejects. */
export async function keep(key, bytes, note, until) {
  const text = JSON.stringify(note);
  const seconds = Math.floor((until - Date.now()) / 1000);
  if (text.length > LONGEST_NOTE || seconds < 1) {
    return seconds < 1 ? "too_short" : "headers";
  }
  try {
    const cache = await open();
    await cache.put(addressOf(key), new Response(bytes, { headers: { "cache-control": `max-age=${seconds}`, "content-type": "text/html", [NOTE]: text } }));
    return undefined;
  } catch (error) {
    log("error", "page_not_kept", "a page can't be kept", { error });
    return "failed";
  }
}

/** Forgets an entry. Never rejects. */
export async function forget(key) {
  try {
    await (await open())?.delete(addressOf(key));
  } catch {
    // It ends by itself.
  }
}
