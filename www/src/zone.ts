/** Time zones: the core has no table of them, so whoever calls it says how far from UTC the visitor's clock is. */

/** Offset of a zone from UTC at an instant, in seconds; `undefined` when the zone is not known. */
export function zoneOffset(zone: string | undefined, now: number): number | undefined {
  if (!zone) return undefined;
  try {
    const parts: Record<string, number> = {};
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    for (const { type, value } of format.formatToParts(now)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    const local = Date.UTC(year, month - 1, day, hour, minute, second);
    return Math.round((local - Math.floor(now / 1000) * 1000) / 1000);
  } catch {
    return undefined;
  }
}
