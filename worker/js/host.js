// What the Rust side asks of its host: the clock, time zones, randomness, and bodies of limited size.

import { Memo } from "./memo.js";

/** Epoch milliseconds. */
export function now() {
  return Date.now();
}

/** A new anonymous id. */
export function newId() {
  return crypto.randomUUID();
}

/**
 * What came with a request, at once, as one text: a line for the method, a line for the headers, names and values in turn, and the
 * scalar fields of `request.cf` likewise in all that follows. NUL stands between two texts: no header holds one, nor a line break.
 */
export function sentWith(request) {
  const cf = cfFields(request).map((text) => text.replaceAll("\0", "\ufffd"));
  return [request.method, [...request.headers].flat().join("\0"), cf.join("\0")].join("\n");
}

/**
 * The scalar fields of `request.cf`, names and texts in turn; those of `botManagement` as `botManagement.score`. Any of it may
 * be missing, and any of it may be odd.
 */
export function cfFields(request) {
  const scalars = (object, prefix) =>
    Object.entries(object ?? {})
      .filter(([, value]) => ["string", "number", "boolean"].includes(typeof value))
      .flatMap(([name, value]) => [prefix + name, String(value)]);
  const { botManagement, ...fields } = request.cf ?? {};
  return [...scalars(fields, ""), ...scalars(typeof botManagement === "object" ? botManagement : undefined, "botManagement.")];
}

/** The query parameters of an address, names and values in turn. */
export function queryOf(url) {
  const query = /\?([^#]*)/.exec(url)?.[1] ?? "";
  return [...new URLSearchParams(query)].flat();
}

/** `undefined` for a zone that is none. */
function formatterOf(zone) {
  // Names only: some engines take "+01:00" as a zone, which time-zone databases do not know.
  if (zone.length <= 64 && /^[A-Za-z]/.test(zone)) {
    try {
      return new Intl.DateTimeFormat("en-US", {
        timeZone: zone,
        calendar: "gregory",
        numberingSystem: "latn",
        hourCycle: "h23",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      });
    } catch {
      // No such zone.
    }
  }
  return undefined;
}

/** Seconds that a zone is ahead of UTC at a second since 1970; NaN when that can't be told. */
function offsetAt(formatter, seconds) {
  // Before year 100 `Date.UTC` means another century, and no decision is about those years.
  if (!(seconds > -59_000_000_000 && seconds < 8_600_000_000_000)) {
    return NaN;
  }
  const at = {};
  for (const { type, value } of formatter.formatToParts(seconds * 1000)) {
    at[type] = Number(value);
  }
  return Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second) / 1000 - seconds;
}

const DAY = 86_400;
/** As `Offsets::around` of the core: blocks of 400 days, and a look at the clock every six. */
const BLOCK = 400 * DAY;
const STEP = 6 * DAY;

/**
 * By zone: what is known around an instant, and the first of its three blocks. Warm requests ask `Intl` nothing. There are some 600 zones;
 * more names than that are somebody's nonsense.
 */
const known = new Memo(1000);

/**
 * How far a time zone (IANA) is ahead of UTC around an instant (epoch milliseconds): a second since 1970 and the seconds ahead
 * from then on, in turn; NaN for what is not known. Empty when there is no such zone.
 */
export function zoneOffsets(zone, ms) {
  const first = (Math.floor(ms / 1000 / BLOCK) - 1) * BLOCK;
  let entry = known.get(zone);
  if (entry?.first !== first) {
    const formatter = formatterOf(zone);
    entry = { first, offsets: formatter === undefined || Number.isNaN(first) ? [] : offsetsFrom(formatter, first) };
    known.set(zone, entry);
  }
  return entry.offsets;
}

function offsetsFrom(formatter, first) {
  const end = first + 3 * BLOCK;
  let offset = offsetAt(formatter, first);
  const offsets = [first, offset];
  for (let before = first; before < end; before += STEP) {
    const after = Math.min(before + STEP, end);
    const next = offsetAt(formatter, after);
    // From `low`, where it is as known, to the first second where it is not.
    for (let low = before; !Object.is(offset, next); ) {
      let high = after;
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (Object.is(offsetAt(formatter, middle), offset)) {
          low = middle;
        } else {
          high = middle;
        }
      }
      low = high;
      offset = offsetAt(formatter, high);
      if (high < end) {
        offsets.push(high, offset);
      }
    }
  }
  return offsets.some((number, index) => index % 2 === 1 && !Number.isNaN(number)) ? [...offsets, end, NaN] : [];
}

/** Whether a rate limit that is bound by this name refuses a key. One that is not bound, or fails, refuses nothing. */
export async function isLimited(env, name, key) {
  try {
    return (await env[name]?.limit({ key }))?.success === false;
  } catch {
    return false;
  }
}

/** The bytes of a request's body; undefined when there are more of them than `limit`. */
export async function readBody(request, limit) {
  if (request.body === null) {
    return new Uint8Array(0);
  }
  const chunks = [];
  let size = 0;
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      break;
    }
    size += value.byteLength;
    if (size > limit) {
      await reader.cancel();
      return undefined;
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
