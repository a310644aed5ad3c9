/** What is told, made fit for it: short, without addresses' queries, without e-mail addresses, and of values that JSON has. */

export type Facts = Readonly<Record<string, unknown>>;

/** Characters of a text, entries of a list, and how deep lists and objects lie in each other. */
const LONGEST = 200;
const MOST = 50;
const DEEPEST = 4;

/** A text without what may say who somebody is, no longer than that. */
export function text(value: unknown, longest = LONGEST): string {
  return String(value ?? "")
    .slice(0, 2000)
    .replace(/[^\s@/?&=]+(@|%40)[^\s@/?&=]+/gi, "…")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, longest)
    // Half a surrogate pair is no text.
    .replace(/[\ud800-\udfff]/gu, "");
}

/** The page's path. */
export const path = (): string => text(location.pathname);

/** Host and path of an address: a query may hold anything. Empty for what is no address of the web. */
export function address(href: string): string {
  try {
    const { protocol, host, pathname } = new URL(href, location.href);
    return href && /^http/.test(protocol) ? text(host + pathname) : "";
  } catch {
    return "";
  }
}

/** A value as it is told; undefined for what says nothing. */
function fit(value: unknown, depth: number): unknown {
  if (typeof value === "string") return text(value) || undefined;
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value === "boolean") return value;
  if (!value || typeof value !== "object" || !depth) return undefined;
  if (Array.isArray(value)) return value.slice(0, MOST).map((one) => fit(one, depth - 1)).filter((one) => one !== undefined);
  return tidy(value as Facts, depth - 1);
}

/** The same without what says nothing. */
export function tidy(facts: Facts, depth = DEEPEST): Facts {
  const entries = Object.entries(facts).slice(0, MOST).map(([name, value]) => [name.slice(0, LONGEST), fit(value, depth)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
