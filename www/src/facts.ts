/**
 * What the browser knows of a visit, put as the raw request that the edge would have received.
 * Nothing is interpreted here: the core derives the context from these facts, as it does at the edge.
 */
import type { Pair, RawRequest } from "./wire.ts";
import { zoneOffsets } from "./zone.ts";

/** Parts of `navigator` that not every browser has, and that TypeScript's library does not list. */
interface MoreNavigator extends Navigator {
  readonly userAgentData?: {
    readonly brands: readonly { readonly brand: string; readonly version: string }[];
    readonly mobile: boolean;
    readonly platform: string;
  };
  readonly connection?: { readonly saveData?: boolean };
  readonly globalPrivacyControl?: boolean;
}

/** Whether the browser says "do not sell or share": it refuses personalization and marketing. */
export function refusesProfiling(): boolean {
  return (navigator as MoreNavigator).globalPrivacyControl === true;
}

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
    ["sec-ch-ua", hints?.brands.map(({ brand, version }) => `"${brand}";v="${version}"`).join(", ")],
    ["sec-ch-ua-mobile", hints && (hints.mobile ? "?1" : "?0")],
    ["sec-ch-ua-platform", hints?.platform && `"${hints.platform}"`],
    ["accept-language", acceptLanguage(agent.languages)],
    ["referer", referrer],
    ["save-data", agent.connection?.saveData && "on"],
    ["sec-gpc", refusesProfiling() && "1"],
    ["cookie", cookie],
  ];
  return {
    now,
    offsets: zoneOffsets(zone, now),
    url,
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
