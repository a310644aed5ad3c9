/**
 * What the browser knows of a visit, put as the raw request that the edge would have received.
 * Nothing is interpreted here: the core derives the context from these facts, as it does at the edge.
 */
import type { Pair, RawRequest } from "./wire.ts";
import { zoneOffsets } from "./zone.ts";

interface Brand {
  readonly brand: string;
  readonly version: string;
}

/** What Chromium tells of itself when it is asked. Older versions leave some of it out. */
interface Details {
  readonly fullVersionList?: readonly Brand[];
  readonly platformVersion?: string;
  readonly model?: string;
  readonly formFactors?: readonly string[];
}

/** Parts of `navigator` that not every browser has, and that TypeScript's library does not list. */
interface MoreNavigator extends Navigator {
  readonly userAgentData?: {
    readonly brands: readonly Brand[];
    readonly mobile: boolean;
    readonly platform: string;
    getHighEntropyValues(hints: string[]): Promise<Details>;
  };
  readonly connection?: { readonly saveData?: boolean };
  readonly globalPrivacyControl?: boolean;
}

interface MoreDocument extends Document {
  readonly prerendering?: boolean;
}

/** Whether the browser says "do not sell or share": it refuses personalization and marketing. */
export function refusesProfiling(): boolean {
  return (navigator as MoreNavigator).globalPrivacyControl === true;
}

/** Whether the browser says "do not track", which counts where its person chose nothing. */
export function refusesTracking(): boolean {
  return navigator.doNotTrack === "1";
}

let details: Details = {};
let asked: Promise<unknown> | undefined;

/**
 * Asks the browser for its versions and model, once. The facts hold them as soon as they are there: whoever asks while
 * the engine is on its way waits for nothing.
 */
export function askDetails(): Promise<unknown> {
  const hints = ["fullVersionList", "platformVersion", "model", "formFactors"];
  asked ??= (async () => {
    details = (await (navigator as MoreNavigator).userAgentData?.getHighEntropyValues(hints)) ?? {};
  })().catch(() => undefined);
  return asked;
}

/** A string of a structured header (RFC 9651). */
const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;

const brandList = (brands: readonly Brand[] | undefined): string | undefined =>
  brands?.map(({ brand, version }) => `${quoted(brand)};v=${quoted(version)}`).join(", ");

/** The visit to `url` at `now` as a raw request. `cookie` is what the visitor's consent allows to be told. */
export function browserFacts(
  now: number,
  url: string,
  referrer: string,
  cookie: string,
  overrides: readonly Pair[],
): RawRequest {
  const agent = navigator as MoreNavigator;
  const hints = agent.userAgentData;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const headers: [string, string | false | undefined][] = [
    ["user-agent", agent.userAgent],
    ["sec-ch-ua", brandList(hints?.brands)],
    ["sec-ch-ua-full-version-list", brandList(details.fullVersionList)],
    ["sec-ch-ua-mobile", hints && (hints.mobile ? "?1" : "?0")],
    ["sec-ch-ua-platform", hints?.platform && quoted(hints.platform)],
    ["sec-ch-ua-platform-version", details.platformVersion && quoted(details.platformVersion)],
    ["sec-ch-ua-model", details.model && quoted(details.model)],
    ["sec-ch-ua-form-factors", details.formFactors?.map(quoted).join(", ")],
    ["sec-ch-viewport-width", String(innerWidth)],
    ["sec-ch-viewport-height", String(innerHeight)],
    ["sec-ch-prefers-color-scheme", quoted(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")],
    ["accept-language", acceptLanguage(agent.languages)],
    ["referer", referrer],
    ["sec-fetch-dest", window.self === window.top ? "document" : "iframe"],
    ["sec-purpose", (document as MoreDocument).prerendering && "prefetch;prerender"],
    ["save-data", agent.connection?.saveData && "on"],
    ["sec-gpc", refusesProfiling() && "1"],
    ["dnt", refusesTracking() && "1"],
    ["cookie", cookie],
  ];
  return {
    now,
    offsets: zoneOffsets(zone, now),
    // At the edge the fragment is unknown; here it is known, if only that there is none.
    url: url.includes("#") ? url : `${url}#`,
    headers: headers.filter((header): header is [string, string] => !!header[1]),
    cf: zone ? [["timezone", zone]] : [],
    // An iPad that asks for desktop sites calls itself a Mac; no Mac has a touch screen.
    overrides:
      /Macintosh/.test(agent.userAgent) && agent.maxTouchPoints > 1
        ? [["device.type", "tablet"], ["device.os", "ios"], ...overrides]
        : overrides,
  };
}

/** The header that states these languages in this order. */
export function acceptLanguage(languages: readonly string[]): string {
  return languages.map((tag, index) => (index ? `${tag};q=${Math.max(10 - index, 1) / 10}` : tag)).join(",");
}
