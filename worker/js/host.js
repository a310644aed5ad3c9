// What the Rust side asks of its host: the clock, time zones, randomness, and bodies of limited size.

/** Epoch milliseconds. */
export function now() {
  return Date.now();
}

/** A new anonymous id. */
export function newId() {
  return crypto.randomUUID();
}

/** The scalar fields of `request.cf`, names and texts in turn. Any of it may be missing, and any of it may be odd. */
export function cfFields(request) {
  const fields = [];
  for (const [name, value] of Object.entries(request.cf ?? {})) {
    if (["string", "number", "boolean"].includes(typeof value)) {
      fields.push(name, String(value));
    }
  }
  return fields;
}

/** The query parameters of an address, names and values in turn. */
export function queryOf(url) {
  const query = /\?([^#]*)/.exec(url)?.[1] ?? "";
  return [...new URLSearchParams(query)].flat();
}

/** Formatters by zone; making one costs far more than using it. `undefined` for a zone that is none. */
const formatters = new Map();

function formatterOf(zone) {
  if (formatters.has(zone)) {
    return formatters.get(zone);
  }
  let formatter;
  // Names only: some engines take "+01:00" as a zone, which time-zone databases do not know.
  if (zone.length <= 64 && /^[A-Za-z]/.test(zone)) {
    try {
      formatter = new Intl.DateTimeFormat("en-US", {
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
      formatter = undefined;
    }
  }
  // There are some 600 zones; more names than that are somebody's nonsense.
  if (formatters.size >= 1000) {
    formatters.clear();
  }
  formatters.set(zone, formatter);
  return formatter;
}

/** Seconds that a time zone (IANA) is ahead of UTC at an instant; undefined when there is no such zone. */
export function zoneOffset(zone, ms) {
  // Before year 100 `Date.UTC` means another century, and no decision is about those years.
  if (!(ms > -59_000_000_000_000 && ms < 8_600_000_000_000_000)) {
    return undefined;
  }
  const formatter = formatterOf(zone);
  if (formatter === undefined) {
    return undefined;
  }
  const at = {};
  for (const { type, value } of formatter.formatToParts(ms)) {
    at[type] = Number(value);
  }
  const local = Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second);
  return Math.round((local - Math.floor(ms / 1000) * 1000) / 1000);
}

/** The bytes of a request's body; undefined when there are more of them than `limit`. */
export async function readBody(request, limit) {
  if (request.body === null) {
    return new Uint8Array(0);
  }
  if (Number(request.headers.get("content-length")) > limit) {
    return undefined;
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
