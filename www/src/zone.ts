/** Time zones: the core has no table of them, so whoever calls it says how far from UTC the visitor's clock is. */

/** One per zone: making a formatter takes longer than a whole decision. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(zone, format);
  }
  return format;
}

/** Offset of a zone from UTC at an instant, in seconds; `undefined` when the zone is not known. */
export function zoneOffset(zone: string | undefined, now: number): number | undefined {
  // As at the edge (worker/js/host.js, which wasm-bindgen copies, so that it can share no file with this one): names only, as
  // some engines take "+01:00" for a zone, and no year that `Date.UTC` takes for one of another century.
  if (!zone || !/^[A-Za-z]/.test(zone) || zone.length > 64 || !(now > -59e12 && now < 86e14)) return undefined;
  try {
    const parts: Record<string, number> = {};
    for (const { type, value } of formatOf(zone).formatToParts(now)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    const local = Date.UTC(year, month - 1, day, hour, minute, second);
    return Math.round((local - Math.floor(now / 1000) * 1000) / 1000);
  } catch {
    return undefined;
  }
}
