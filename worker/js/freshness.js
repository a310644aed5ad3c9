// Whether an answer may be kept by a shared cache and how long it may be used: RFC 9111 (HTTP caching), RFC 5861 (what is stale)
// and RFC 9213 (headers for shared caches). Where a header can be read in two ways, the one that keeps less is taken.

/** Headers by which an origin tells shared caches more than it tells browsers. Here they can only forbid and shorten. */
const TARGETED = ["cloudflare-cdn-cache-control", "cdn-cache-control", "surrogate-control"];

/** More seconds than anybody means; what is above is written as if it were that. */
const LONGEST = 2 ** 31;

/** The directives of a `Cache-Control` header by name, in lower case, each with all its values (empty where it has none). */
function directivesOf(header) {
  const directives = new Map();
  // A quoted value may have commas in it, as that of `no-cache="a, b"`.
  for (const [, name, quoted, token = ""] of (header ?? "").matchAll(/([^\s,="]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/g)) {
    const key = name.toLowerCase();
    directives.set(key, [...(directives.get(key) ?? []), quoted ?? token]);
  }
  return directives;
}

/** The least of a directive's seconds; undefined where it is not there, 0 where it is no number. */
function secondsOf(directives, name) {
  const values = directives.get(name);
  return values && Math.min(...values.map((value) => (/^\d+$/.test(value) ? Math.min(Number(value), LONGEST) : 0)));
}

/** A date header in epoch milliseconds; NaN when it is none. */
const instantOf = (headers, name) => Date.parse(headers.get(name) ?? "");

/** Seconds that an answer is fresh for by `Cache-Control`, else by `Expires`; undefined when it does not say so. */
function lifetimeOf(directives, headers, arrived) {
  const told = secondsOf(directives, "s-maxage") ?? secondsOf(directives, "max-age");
  if (told !== undefined || !headers.has("expires")) {
    return told;
  }
  const date = instantOf(headers, "date");
  // What is no date (`0` is usual) has expired.
  return Math.max(0, (instantOf(headers, "expires") - (Number.isNaN(date) ? arrived : date)) / 1000) || 0;
}

/** The instant at which an answer's age was 0 (RFC 9111, section 4.2.3). */
function bornAt(headers, asked, arrived) {
  const [age] = (headers.get("age") ?? "").split(",");
  const date = instantOf(headers, "date");
  const byAge = asked - (/^\s*\d+\s*$/.test(age) ? Math.min(Number(age), LONGEST) * 1000 : 0);
  return Math.min(byAge, arrived, Number.isNaN(date) ? arrived : date);
}

/** Why a `Cache-Control` forbids to keep an answer of status 200; undefined when it doesn't. */
function forbids(directives) {
  // Who understands the status, and does as it says, need not mind a `no-store` beside `must-understand` (section 5.2.2.3).
  if (directives.has("no-store") && !directives.has("must-understand")) {
    return "no_store";
  }
  // With the names of fields they are about those alone; to take them for the whole is allowed.
  return ["private", "no-cache"].find((name) => directives.has(name))?.replace("-", "_");
}

/**
 * How long an answer may be used, `asked` and `arrived` being when it was asked for and came, in epoch milliseconds. Either
 * `{ reason }`, why it may not be kept, or instants: `born`, when its age was 0; `fresh`, until when it is; `stale`, until when it
 * may be shown while it is asked for anew; `error`, until when it may be shown where the origin fails.
 */
export function usableFor(headers, asked, arrived) {
  const directives = directivesOf(headers.get("cache-control"));
  const targeted = TARGETED.filter((name) => headers.has(name)).map((name) => directivesOf(headers.get(name)));
  const reason = [directives, ...targeted].map(forbids).find(Boolean) ?? (directives.has("public") ? undefined : "not_public");
  if (reason !== undefined) {
    return { reason };
  }
  const told = [lifetimeOf(directives, headers, arrived), ...targeted.map((one) => secondsOf(one, "s-maxage") ?? secondsOf(one, "max-age"))];
  const born = bornAt(headers, asked, arrived);
  const fresh = told[0] === undefined ? born : born + Math.min(...told.filter((seconds) => seconds !== undefined)) * 1000;
  if (fresh <= arrived) {
    return { reason: "not_fresh" };
  }
  const mayBeStale = ![directives, ...targeted].some((one) => one.has("must-revalidate") || one.has("proxy-revalidate"));
  const until = (name) => fresh + (mayBeStale ? (secondsOf(directives, name) ?? 0) : 0) * 1000;
  return { born, fresh, stale: until("stale-while-revalidate"), error: until("stale-if-error") };
}

/** What a visitor's request says of caches (section 5.2.1). */
export function wishesOf(headers) {
  const header = headers.get("cache-control");
  const directives = directivesOf(header);
  const noCache = directives.has("no-cache") || (header === null && /\bno-cache\b/i.test(headers.get("pragma") ?? ""));
  return { noStore: directives.has("no-store"), noCache, maxAge: secondsOf(directives, "max-age"), minFresh: secondsOf(directives, "min-fresh") };
}

/** Whether what is kept is new enough for a request. */
export function isNewEnough({ maxAge, minFresh }, { born, fresh }, now) {
  return !(maxAge !== undefined && now - born > maxAge * 1000) && !(minFresh !== undefined && fresh - now < minFresh * 1000);
}
