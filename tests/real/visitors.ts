// A thousand visitors: real user agents (npm `user-agents`) in real places, with sources, languages, times, consents, traits
// and what was stored of them drawn by a small generator from a committed seed. The same thousand on every machine and in every run.
//
//   node tests/real/visitors.ts > visitors.ndjson

import { readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Dice } from "../support/dice.ts";
import { BUSINESS_NETWORKS, PLACES, type Place } from "./places.ts";

/** A raw request, as every face of Idoine reads it. Header values hold one character for each byte (Latin-1), as HTTP does. */
export interface Visitor {
  url: string;
  headers: Record<string, string>;
  cf?: Record<string, unknown>;
  now: string | number;
  /** Traits, which nothing fills yet: told as previews tell them. */
  context?: Record<string, string | boolean>;
  /** What is stored of the visitor. */
  profile?: Record<string, string>;
}

/** The seed of the thousand. Another one gives other visitors, who must be decided alike too. */
export const SEED = 20261120;

interface Agent {
  userAgent: string;
  deviceCategory: string;
}

/** The user agents of npm `user-agents`, in the package's order. */
export function userAgents(): Agent[] {
  const folder = dirname(createRequire(import.meta.url).resolve("user-agents"));
  return JSON.parse(readFileSync(join(folder, "user-agents.json"), "utf8")) as Agent[];
}

const TRAIL = Array<string>(8).fill("trail-runner"); // Where the campaign leads.
const PRODUCTS = [...TRAIL, "rain-jacket", "wool-coat", "fleece-zip", "city-sneaker", "leather-boot", "weekend-bag", "day-backpack", "canvas-tote", "wool-beanie", "leather-belt", "cotton-scarf"];
const COLLECTIONS = ["all", "popular", "new", "outerwear", "shoes", "bags", "accessories"];

/** Where visitors come from: query parameters, and a referrer. */
const SOURCES: { query?: string; referer?: string; weight: number }[] = [
  { weight: 18 },
  { query: "utm_source=instagram&utm_medium=social&utm_campaign=spring", referer: "https://l.instagram.com/", weight: 16 },
  { query: "utm_source=ig&utm_medium=social&utm_content=link_in_bio", weight: 10 },
  { referer: "https://www.instagram.com/", weight: 4 },
  { query: "fbclid=IwAR0abcdefgh", referer: "https://l.facebook.com/", weight: 3 },
  { query: "utm_source=facebook&utm_medium=paid_social&utm_campaign=retargeting-2026", weight: 3 },
  { query: "utm_source=google&utm_medium=cpc&utm_campaign=trail-shoes-en&utm_term=trail%20shoes&gclid=EAIaIQobChMI", referer: "https://www.google.com/", weight: 7 },
  { query: "utm_source=google&utm_medium=cpc&utm_campaign=trail-shoes-fr&utm_term=chaussures+de+trail&gclid=EAIaIQobChMI", referer: "https://www.google.fr/", weight: 7 },
  { query: "gclid=EAIaIQobChMI&gbraid=0AAAA", weight: 2 },
  { query: "msclkid=0123456789abcdef", referer: "https://www.bing.com/", weight: 2 },
  { query: "utm_source=google&utm_medium=cpc&utm_campaign=Shopping%20-%20all", weight: 2 },
  { query: "utm_campaign=cross-network&utm_source=google&utm_medium=cpc", weight: 1 },
  { referer: "https://www.google.com/", weight: 5 },
  { referer: "https://duckduckgo.com/", weight: 2 },
  { referer: "https://www.ecosia.org/search?q=rain+jacket", weight: 1 },
  { referer: "https://chatgpt.com/", weight: 7 },
  { query: "utm_source=chatgpt.com", weight: 3 },
  { referer: "https://www.perplexity.ai/search/abc", weight: 2 },
  { referer: "https://claude.ai/", weight: 1 },
  { query: "utm_source=newsletter&utm_medium=email&utm_campaign=2026-06", weight: 4 },
  { query: "mc_cid=4f1d3b", referer: "https://mail.google.com/", weight: 1 },
  { query: "utm_medium=affiliate&utm_source=bonnes-affaires", weight: 1 },
  { query: "utm_source=youtube&utm_medium=video", referer: "https://www.youtube.com/", weight: 1 },
  { query: "utm_source=radio&utm_medium=audio", weight: 1 },
  { query: "utm_source=sms&utm_medium=sms", weight: 1 },
  { query: "utm_source=firebase&utm_medium=push", weight: 1 },
  { query: "utm_medium=cpm&utm_source=programmatic", weight: 1 },
  { query: "utm_source=&utm_medium=", weight: 1 },
  { query: "UTM_SOURCE=Instagram&Utm_Medium=Social", weight: 1 },
  { query: "utm_source=%C3%89t%C3%A9%20%C3%A0%20Paris&utm_medium=r%C3%A9f%C3%A9rent", weight: 1 },
  { query: "utm_source=a%00b%ff&utm_medium=%E0%A4%A&utm_campaign=+x+", weight: 1 },
  { query: "utm_source=bing&utm_medium=organic&utm_source=second", weight: 1 },
  { referer: "https://blog.example.org/ten-jackets?utm_source=not-ours", weight: 3 },
  { referer: "https://shop.example/collections/shoes", weight: 3 },
  { referer: "android-app://com.google.android.gm/", weight: 1 },
];

/** Programs that read pages, as they name themselves. */
const CRAWLERS = [
  "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
  "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
  "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
  "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
  "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
  "curl/8.14.1",
];

/** Other machines that people read pages on. */
const RARE_AGENTS = [
  "Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/4.0 Chrome/94.0.4606.31 TV Safari/537.36",
  "Mozilla/5.0 (PlayStation; PlayStation 5/9.00) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15",
  "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 387.0.0.24.84 (iPhone14,5; iOS 18_5; fr_FR; fr; scale=3.00; 1170x2532; 750000000)",
  "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36",
  "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
];

/** So many visitors, always the same for one seed. */
export function visitors(count = 1000, seed = SEED): Visitor[] {
  const dice = new Dice(seed);
  const known = new Dice(seed + 1);
  const agents = userAgents();
  return Array.from({ length: count }, (_, index) => {
    const visitor = ordinary(dice, agents[dice.below(agents.length)]!.userAgent);
    advertised(visitor, known);
    remembered(visitor, known);
    // One in twelve is odd in one way, all ways in turn.
    if (index % 12 === 7) ODDITIES[Math.floor(index / 12) % ODDITIES.length]!(visitor, dice);
    return visitor;
  });
}

function ordinary(dice: Dice, userAgent: string): Visitor {
  const place = dice.weighted(PLACES);
  const source = dice.weighted(SOURCES);
  const agent = dice.percent(4) ? dice.of(CRAWLERS) : dice.percent(3) ? dice.of(RARE_AGENTS) : userAgent;
  const headers: Record<string, string> = { accept: "text/html,application/xhtml+xml,*/*;q=0.8", "user-agent": agent };
  if (!/compatible|facebookexternalhit|curl/.test(agent)) {
    headers["accept-language"] = dice.of(place.languages);
    Object.assign(headers, clientHints(agent, dice));
  }
  if (source.referer !== undefined) headers["referer"] = source.referer;
  if (dice.percent(20)) headers["save-data"] = "on";
  if (dice.percent(5)) headers["sec-gpc"] = "1";
  if (dice.percent(5)) headers["dnt"] = "1";
  const cookie = cookies(dice);
  if (cookie !== "") headers["cookie"] = cookie;
  return { url: pageUrl(dice, source.query), headers, cf: cf(dice, place), now: moment(dice) };
}

/** Of those whom the advertisement brings, some land in the collection. */
function advertised(visitor: Visitor, dice: Dice): void {
  const { search, searchParams } = new URL(visitor.url);
  if (searchParams.get("utm_campaign")?.startsWith("trail-shoes-") && dice.percent(35)) visitor.url = `https://shop.example/collections/shoes${search}`;
}

const FAVOURITES = ["shoes", "shoes", "shoes", "shoes", "bags", "bags", "outerwear", "accessories"];
const DAY = 86_400_000;

/** What is known of four visitors in five. Whether it may be read depends on what they agreed to. */
function remembered(visitor: Visitor, dice: Dice): void {
  if (dice.percent(20)) return;
  const now = typeof visitor.now === "number" ? visitor.now : Date.parse(visitor.now);
  const sessionStart = now - dice.below(90) * 60_000;
  /** `session,day,week,total,last`, the last time often today or just now. */
  const seen = (most: number): string => {
    const counts = Array.from({ length: 4 }, () => dice.below(most + 1)).sort((one, other) => one - other);
    const last = dice.of([now - dice.below(30) * 60_000, now - dice.below(300) * 60_000, now - dice.below(9) * DAY, sessionStart]);
    return dice.percent(4) ? dice.of(["", "1,2", "often", "1,1,1,1,yesterday"]) : `${counts.join(",")},${new Date(last).toISOString()}`;
  };
  visitor.context = {
    ...(dice.percent(90) && { "profile.favourite_category": dice.of(FAVOURITES) }),
    ...(dice.percent(25) && { "profile.open_complaint": dice.percent(60) }),
  };
  visitor.profile = {
    ...(dice.percent(80) && { "visitor.session_start": new Date(sessionStart).toISOString() }),
    ...(dice.percent(35) && { "assignment.call-to-action": dice.percent(5) ? dice.of(["3", "1,0", "x"]) : String(dice.below(3)) }),
    ...(dice.percent(50) && { "seen.bag-week": seen(3) }),
    ...(dice.percent(40) && { "seen_group.promotions": seen(4) }),
    ...(dice.percent(70) && { "profile.count('Product Viewed', '30d', {'category': 'shoes'})": String(2 + dice.below(9)) }),
    ...(dice.percent(80) && { "profile.affinity('category')": dice.of(["shoes", "shoes", "bags"]) }),
    ...(dice.percent(40) && { "profile.rfm.segment": dice.of(["champions", "lost"]) }),
    ...(dice.percent(70) && { "profile.lifecycle": dice.of(["won_back", "won_back", "active", "new"]) }),
    ...(dice.percent(40) && { "profile.cart.quantity": String(dice.below(3)) }),
  };
  // What they said in the preference centre.
  Object.assign(visitor.context, {
    ...(dice.percent(20) && { "profile.topics": dice.of([["bags"], ["shoes"], ["outerwear", "bags"]]) }),
    ...(dice.percent(20) && { "profile.offers": dice.of(["every_day", "mondays"]) }),
    ...(dice.percent(10) && { "profile.quiet": dice.percent(70) }),
  });
}

function pageUrl(dice: Dice, query: string | undefined): string {
  // Campaigns mostly lead to the home page.
  const kind = query !== undefined && dice.percent(22) ? 0 : dice.below(100);
  const path = kind < 42 ? "/" : kind < 72 ? `/products/${dice.of(PRODUCTS)}` : kind < 97 ? `/collections/${dice.of(COLLECTIONS)}` : dice.of(["/agency/", "/about", "/collections", "/products/"]);
  const parameters = [query, path === "/" && dice.percent(11) ? "gift=4f1d" : undefined].filter((part) => part !== undefined);
  return `https://shop.example${path}${parameters.length === 0 ? "" : `?${parameters.join("&")}`}`;
}

/** What Chromium sends beside its user agent; a meaningless brand stands anywhere among the others. */
function clientHints(agent: string, dice: Dice): Record<string, string> {
  const version = / Chrome\/(\d+)/.exec(agent)?.[1];
  if (version === undefined || dice.percent(10)) return {};
  const name = agent.includes("Edg") ? "Microsoft Edge" : agent.includes("OPR") ? "Opera" : agent.includes("SamsungBrowser") ? "Samsung Internet" : "Google Chrome";
  const brands = [`"Chromium";v="${version}"`, `"${name}";v="${version}"`, `"Not/A)Brand";v="99"`];
  const first = dice.below(3);
  const platform = agent.includes("Android") ? "Android" : agent.includes("Windows") ? "Windows" : agent.includes("CrOS") ? "Chrome OS" : agent.includes("Mac OS X") ? "macOS" : "Linux";
  return {
    "sec-ch-ua": [...brands.slice(first), ...brands.slice(0, first)].join(", "),
    "sec-ch-ua-mobile": agent.includes("Mobile") ? "?1" : "?0",
    "sec-ch-ua-platform": `"${platform}"`,
  };
}

const CONSENTS = ["v1.personalization.analytics.marketing", "v1.personalization.analytics", "v1.personalization", "v1.analytics", "v1"];

function cookies(dice: Dice): string {
  const parts: string[] = [];
  if (dice.percent(30)) parts.push(`_ga=GA1.1.${dice.below(1e9)}.${dice.below(1e9)}`);
  if (dice.percent(72)) parts.push(`idoine_consent=${dice.percent(45) ? CONSENTS[0] : dice.of(CONSENTS)}`);
  if (dice.percent(66)) parts.push(`idoine_id=${dice.uuid()}`);
  if (dice.percent(20)) parts.push("theme=dark");
  return parts.join("; ");
}

function cf(dice: Dice, place: Place): Record<string, unknown> {
  const { languages: _languages, networks, weight: _weight, ...fields } = place;
  const [asn, asOrganization] = dice.percent(18) ? dice.of(BUSINESS_NETWORKS) : dice.of(networks);
  return { ...fields, asn, asOrganization, colo: "CDG", httpProtocol: "HTTP/2", tlsVersion: "TLSv1.3" };
}

/** A moment of 2026: by day rather than by night, often around noon in Europe, and often in the days of the sale. */
function moment(dice: Dice): string | number {
  if (dice.percent(2)) return dice.of(["2026-03-29T00:59:59.999Z", "2026-03-29T01:00:00Z", "2026-10-25T00:59:59Z", "2026-10-25T01:00:00Z", "2026-11-19T23:00:00Z", "2026-11-30T22:59:59.999Z", "2026-12-31T23:59:59Z"]);
  const day = dice.percent(20) ? Date.UTC(2026, 10, 20) + dice.below(11) * 86_400_000 : Date.UTC(2026, 0, 1) + dice.below(365) * 86_400_000;
  const hour = dice.percent(52) ? 10 + dice.below(3) : dice.percent(50) ? 7 + dice.below(8) : dice.below(24);
  const instant = day + hour * 3_600_000 + dice.below(3_600_000);
  return dice.percent(25) ? instant : new Date(instant).toISOString();
}

type Oddity = (visitor: Visitor, dice: Dice) => void;

/** What goes wrong in the world: each makes one visitor odd, and each is a visitor that must be decided. */
export const ODDITIES: Oddity[] = [
  function noPlace(visitor) {
    delete visitor.cf;
  },
  function emptyPlace(visitor) {
    visitor.cf = {};
  },
  function noLanguage(visitor) {
    delete visitor.headers["accept-language"];
  },
  function noAgent(visitor) {
    for (const name of ["user-agent", "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform"]) delete visitor.headers[name];
  },
  function garbageCookies(visitor) {
    visitor.headers["cookie"] = "=; ;;; idoine_consent; idoine_id=<script>alert(1)</script>; idoine_consent=v9.everything; idoine_id=%00%ff; a==b=c; \"";
  },
  function hugeCookie(visitor, dice) {
    visitor.headers["cookie"] = `idoine_consent=v1.personalization; idoine_id=${"x".repeat(20_000)}; idoine_p=${dice.uuid()}`;
  },
  function hugeForeignCookie(visitor, dice) {
    visitor.headers["cookie"] = `tracker=${"0123456789".repeat(2_000)}; idoine_consent=${CONSENTS[0]}; idoine_id=${dice.uuid()}`;
  },
  function impossibleCoordinates(visitor) {
    visitor.cf = { ...visitor.cf, latitude: "948.85", longitude: "-1e9", postalCode: "" };
  },
  function coordinatesThatAreNoNumbers(visitor) {
    visitor.cf = { ...visitor.cf, latitude: "NaN", longitude: "forty-five", asn: "AS3215" };
  },
  function latin1Headers(visitor) {
    visitor.headers["user-agent"] += " (Mod\u00e8le \u00c9t\u00e9)";
    visitor.headers["accept-language"] = "fran\u00e7ais,fr-FR;q=0.9,\u00ff;q=0.8";
    visitor.headers["referer"] = "https://www.caf\u00e9.example/\u00e9t\u00e9";
  },
  function bytesThatAreNotUtf8(visitor, dice) {
    visitor.headers["cookie"] = `name=\u00c3\u0028\u00a0\u00a1\u00fe; idoine_consent=${CONSENTS[0]}; idoine_id=${dice.uuid()}`;
  },
  function unknownZone(visitor) {
    visitor.cf = { ...visitor.cf, timezone: "Mars/Olympus_Mons" };
  },
  function torExit(visitor) {
    visitor.cf = { country: "T1", asn: 60729, asOrganization: "Stiftung Erneuerbare Freiheit" };
  },
  function garbageLanguages(visitor) {
    visitor.headers["accept-language"] = "*;q=0.5, ,;q=1,en-us;q=2,fr;q=0.9999,FR-ca;q=0.7,x-klingon;q=0.8,zh-hant-TW;q=0.75,de;q=0";
  },
  function manyLanguages(visitor) {
    visitor.headers["accept-language"] = Array.from({ length: 400 }, (_, index) => `x${index.toString(36)}-fr;q=0.${index % 10}`).join(",");
  },
  function forgedId(visitor) {
    visitor.headers["cookie"] = `idoine_consent=${CONSENTS[0]}; idoine_id=short; idoine_id=11111111-1111-4111-8111-111111111111`;
  },
  function oddUrl(visitor) {
    visitor.url = "https://shop.example/collections/%73hoes/?&&=&utm_source&a=b=c&%zz=%&gift=1&q=%F0%9F%91%9F&%75tm_medium=social";
  },
  function longUrl(visitor) {
    visitor.url = `https://shop.example/?${"parameter=value&".repeat(400)}utm_source=instagram&utm_medium=social`;
  },
  function referrerThatIsNoUrl(visitor) {
    visitor.headers["referer"] = "about:blank";
  },
  function emptyHeaders(visitor) {
    visitor.headers = {};
  },
];

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  process.stdout.write(visitors().map((visitor) => `${JSON.stringify(visitor)}\n`).join(""));
}
