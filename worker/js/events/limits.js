// What is taken of events: docs/events.md states the same numbers.

/** Bytes of a body as it is sent. */
export const MOST_BYTES = 512 * 1024;

/** Bytes of a body once it is decompressed. */
export const MOST_INFLATED = 1024 * 1024;

/** Events of a body. */
export const MOST_EVENTS = 500;

/** Bytes of one event's JSON. */
export const MOST_EVENT_BYTES = 32 * 1024;

/** Objects and lists within each other, an event's own braces among them. */
const MOST_DEPTH = 8;

/** Characters of an id. */
export const LONGEST_ID = 200;

/** Characters of the name of an event or of a page. */
export const LONGEST_NAME = 200;

/** Before it nothing was measured: an instant before it is a mistake. */
export const EARLIEST = Date.UTC(2000, 0, 1);

/** How old an event may be whose sender holds no secret of the site's: what waited on a device for longer is dated when it came. */
export const LONGEST_WAIT_MS = 30 * 24 * 60 * 60 * 1000;

const encoder = new TextEncoder();

/** Whether a text is of more bytes than that, in UTF-8. */
export function isLonger(text, bytes) {
  // A UTF-16 unit is three bytes at most.
  return text.length > bytes || (text.length * 3 > bytes && encoder.encode(text).length > bytes);
}

/** A step of a JSON pointer (RFC 6901). */
export const step = (name) => `/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;

/**
 * What is wrong with a value of JSON, as `[code, message, path]`: what lies too deep, and text or numbers that cannot be written down
 * again. `depth` is that of the value itself. Undefined when nothing is.
 */
export function flaw(value, depth, path = "") {
  if (typeof value === "string") {
    return value.isWellFormed() ? undefined : ["bad_text", "Expected text: half a surrogate pair is no character.", path];
  }
  if (typeof value === "number") {
    return Number.isFinite(value) ? undefined : ["bad_number", "Expected a number that a double can hold.", path];
  }
  if (value === null || typeof value !== "object") {
    return undefined;
  }
  if (depth > MOST_DEPTH) {
    return ["too_deep", `Expected ${MOST_DEPTH} levels of objects and lists at most.`, path];
  }
  for (const name of Object.keys(value)) {
    const found = flaw(name, depth, path) ?? flaw(value[name], depth + 1, path + step(name));
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}
