/** A request to a server as what decisions are made of: nothing else of it is read, kept or passed on. */
import { IdoineError } from "../../src/errors.ts";
import type { Visitor } from "../../src/types.ts";
import type { Pair, RawRequest } from "../../src/wire.ts";
import { zoneOffsets, type Offsets } from "../../src/zone.ts";

/** The headers that a context is derived from (src/context/sent.rs). */
export const HEADERS: readonly string[] = [
  "cookie",
  "user-agent",
  "accept-language",
  "referer",
  "sec-ch-ua",
  "sec-ch-ua-mobile",
  "sec-ch-ua-platform",
  "sec-ch-ua-platform-version",
  "sec-ch-ua-full-version-list",
  "sec-ch-ua-model",
  "sec-ch-ua-form-factors",
  "save-data",
  "viewport-width",
  "sec-ch-viewport-width",
  "sec-ch-viewport-height",
  "sec-ch-prefers-color-scheme",
  "sec-fetch-dest",
  "sec-gpc",
  "dnt",
  "sec-purpose",
  "purpose",
  "x-moz",
  "cf-connecting-ip",
];

/** What was asked for: a request as `fetch` has it, Node's with the address that it was for, or a visitor as raw facts. */
export interface Page extends Omit<Visitor, "headers" | "cf"> {
  readonly headers?: Headers | Readonly<Record<string, string | readonly string[] | undefined>> | undefined;
  /** Cloudflare's `request.cf`, where there is one. */
  readonly cf?: object | undefined;
}

/** Of all cookies the visitor's choice and id: no other one has anything to do with decisions. */
function ours(cookie: string): string {
  return cookie
    .split(/;\s*/)
    .filter((pair) => /^idoine_(consent|id)=/.test(pair))
    .join("; ");
}

function headersOf(headers: Page["headers"]): Record<string, string> {
  const entries: Iterable<readonly [string, string | readonly string[] | undefined]> = headers === undefined ? [] : headers instanceof Headers ? headers : Object.entries(headers);
  const found: Record<string, string> = {};
  for (const [name, value] of entries) {
    const key = name.toLowerCase();
    const text = typeof value === "string" ? value : (value ?? []).join(key === "cookie" ? "; " : ", ");
    const told = key === "cookie" ? ours(text) : text;
    if (told && HEADERS.includes(key)) found[key] = told;
  }
  return found;
}

/** The fields of `request.cf` as texts, those of `botManagement` too. */
function fieldsOf(cf: object | undefined, prefix = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(cf ?? {})) {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") found[prefix + name] = String(value);
    else if (name === "botManagement" && value) Object.assign(found, fieldsOf(value as object, "botManagement."));
  }
  return found;
}

/** The visitor who makes this request; `more` is laid over it. */
export function visitorOf(page: Request | Page, more: Partial<Page> = {}): Visitor {
  const { url, headers, cf, ...facts }: Page = page instanceof Request ? { url: page.url, headers: page.headers, cf: (page as { cf?: object }).cf, ...more } : { ...page, ...more };
  if (!URL.canParse(url)) throw new IdoineError("visitor_invalid", `url: ${JSON.stringify(url)} is no absolute URL, such as https://shop.example/`);
  return { ...facts, url, headers: headersOf(headers), cf: fieldsOf(cf) };
}

/** Values as the texts that the core reads, and as src/visitor.rs writes them. */
function pairs(values: Readonly<Record<string, unknown>> | undefined): Pair[] {
  const text = (value: unknown): string => (value == null ? "" : Array.isArray(value) ? value.join(",") : String(value));
  const query = (value: object): string => Object.entries(value).map((pair) => pair.map((part) => encodeURIComponent(text(part))).join("=")).join("&");
  return Object.entries(values ?? {}).map(([path, value]) => [path, value && typeof value === "object" && !Array.isArray(value) ? query(value) : text(value)]);
}

function instantOf(now: string | number | undefined): number {
  const instant = now === undefined ? Date.now() : typeof now === "number" ? now : /^\d+$/.test(now) ? Number(now) : Date.parse(now);
  if (Number.isNaN(instant)) throw new IdoineError("visitor_invalid", `now: ${JSON.stringify(now)} is no instant, such as 2026-11-20T12:30:00Z`);
  return instant;
}

/** `1761440400 3600, 1774746000 7200` as numbers; NaN from where it is not known. */
const offsetsOf = (text: string): Offsets => text.split(",").flatMap((entry) => {
  const [from, seconds] = entry.trim().split(" ");
  return [Number(from), seconds === undefined ? NaN : Number(seconds)];
});

/** The same as the engine takes it. */
export function rawRequest(visitor: Visitor): RawRequest {
  const now = instantOf((visitor.context?.now as string | number | undefined) ?? visitor.now);
  const zone = (visitor.context?.["geo.timezone"] as string | undefined) ?? visitor.cf?.timezone;
  return {
    now,
    offsets: visitor.offsets === undefined ? zoneOffsets(zone, now) : offsetsOf(visitor.offsets),
    url: visitor.url,
    headers: pairs(visitor.headers),
    cf: pairs(visitor.cf),
    overrides: pairs(visitor.context),
    enrichments: pairs(visitor.enrichments),
    profile: pairs(visitor.profile),
  };
}
