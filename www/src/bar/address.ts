/** The preview parameters of an address: `?idoine.geo.country=FR` replaces a value of the visitor's context. */

const PREFIX = "idoine.";
/** The parameter of a signed link: it lets a browser preview, and overrides nothing. */
const LINK = "preview";

/** Context paths and the text that replaces their value; empty text means absent. */
export type Overrides = ReadonlyMap<string, string>;

/** The overrides in an address. */
export function readOverrides(address: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of new URL(address).searchParams) {
    const path = name.slice(PREFIX.length);
    if (name.startsWith(PREFIX) && path !== LINK) found.set(path, value);
  }
  return found;
}

/** The address with these overrides and no others. All else in it stays. */
export function withOverrides(address: string, overrides: Overrides): string {
  const url = new URL(address);
  for (const name of [...url.searchParams.keys()]) if (name.startsWith(PREFIX)) url.searchParams.delete(name);
  for (const [path, value] of overrides) url.searchParams.set(PREFIX + path, value);
  return url.href;
}

/** A value as the text of an override: lists by commas, nothing as nothing. */
export function asText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return Array.isArray(value) ? value.join(",") : String(value);
}

/** A persona's values as overrides. */
export function ofPersona(persona: Readonly<Record<string, unknown>>): Map<string, string> {
  return new Map(Object.entries(persona).map(([path, value]) => [path, asText(value)]));
}

/** Whether two sets of overrides say the same. */
export function sameOverrides(a: Overrides, b: Overrides): boolean {
  return a.size === b.size && [...a].every(([path, value]) => b.get(path) === value);
}
