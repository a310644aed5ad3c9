/**
 * Time zones: the core has no table of them, so whoever calls it says how far from UTC the visitor's clock is around the instant.
 * worker/js/host.js does the same at the edge; wasm-bindgen copies that file, so that the two can share none. Both follow
 * `Offsets::around` of the core (src/zone.rs), and the same cases.
 */

/** Seconds since 1970 and the seconds ahead of UTC from then on, in turn; NaN for what is not known. Empty: unknown zone. */
export type Offsets = readonly number[];

const DAY = 86_400;
/** What is known spans three blocks, counted from 1970; the instant lies in the middle one. */
const BLOCK = 400 * DAY;
/** No two changes of a zone's clocks that cancel each other were ever nearer than this. */
const STEP = 6 * DAY;

/** By zone: making a formatter takes longer than a whole decision, and so do the looks at the clock. */
const known = new Map<string, { readonly first: number; readonly offsets: Offsets }>();

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  // Names only: some engines take "+01:00" for a zone.
  if (!/^[A-Za-z]/.test(zone) || zone.length > 64) return undefined;
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
    return undefined;
  }
}

function offsetAt(format: Intl.DateTimeFormat, seconds: number): number {
  // Before year 100 `Date.UTC` means another century, and no decision is about those years.
  if (!(seconds > -59e9 && seconds < 86e11)) return NaN;
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(seconds * 1000)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - seconds;
}

/** How far a zone is ahead of UTC around an instant (epoch milliseconds). */
export function zoneOffsets(zone: string | undefined, now: number): Offsets {
  const first = (Math.floor(now / 1000 / BLOCK) - 1) * BLOCK;
  if (!zone || Number.isNaN(first)) return [];
  let entry = known.get(zone);
  if (entry?.first !== first) {
    const format = formatOf(zone);
    entry = { first, offsets: format ? offsetsFrom(format, first) : [] };
    known.set(zone, entry);
  }
  return entry.offsets;
}

function offsetsFrom(format: Intl.DateTimeFormat, first: number): Offsets {
  const end = first + 3 * BLOCK;
  let offset = offsetAt(format, first);
  let isKnown = !Number.isNaN(offset);
  const offsets = [first, offset];
  for (let before = first; before < end; before += STEP) {
    const after = Math.min(before + STEP, end);
    const next = offsetAt(format, after);
    // From `low`, where it is as known, to the first second where it is not.
    for (let low = before; !Object.is(offset, next); ) {
      let high = after;
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (Object.is(offsetAt(format, middle), offset)) low = middle;
        else high = middle;
      }
      low = high;
      offset = offsetAt(format, high);
      isKnown ||= !Number.isNaN(offset);
      if (high < end) offsets.push(high, offset);
    }
  }
  return isKnown ? [...offsets, end, NaN] : [];
}

/** What offsets say of an instant (epoch milliseconds): seconds ahead of UTC; `undefined` when that is not known. */
export function offsetOf(offsets: Offsets, now: number): number | undefined {
  for (let at = offsets.length - 2; at >= 0; at -= 2) {
    if (offsets[at]! <= Math.floor(now / 1000)) return Number.isNaN(offsets[at + 1]!) ? undefined : offsets[at + 1];
  }
  return undefined;
}
