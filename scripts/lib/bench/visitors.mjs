// The benchmark's visitors: each as the raw request that Idoine gets, and as the ready attributes that GrowthBook gets.
// All come by a tagged link to the same page, so that every attribute is known: the two treat missing ones differently.
import { Dice } from "./dice.mjs";

/** The page that everybody looks at. */
export const PATH = "/collections/shoes";

const FIRST_MOMENT = Date.UTC(2026, 10, 16);
/** Visitors come within these two weeks of November 2026. */
export const PERIOD = [FIRST_MOMENT, FIRST_MOMENT + 14 * 86_400_000];

const place = (country, continent, isEUCountry, timezone, language, towns, networks) => ({ country, continent, isEUCountry, timezone, language, towns, networks });
const town = (city, region, regionCode, postalCode, latitude, longitude) => ({ city, region, regionCode, postalCode, latitude, longitude });

const PLACES = [
  [18, place("FR", "EU", "1", "Europe/Paris", "fr-FR", [town("Paris", "Île-de-France", "IDF", "75002", "48.85340", "2.34880"), town("Lyon", "Auvergne-Rhône-Alpes", "ARA", "69002", "45.74850", "4.84670"), town("Marseille", "Provence-Alpes-Côte d'Azur", "PAC", "13001", "43.29690", "5.38110")], [[3215, "Orange"], [12322, "Free SAS"], [15557, "SFR"], [2200, "Renater"]])],
  [14, place("DE", "EU", "1", "Europe/Berlin", "de-DE", [town("Berlin", "State of Berlin", "BE", "10115", "52.52440", "13.41050"), town("Munich", "Bavaria", "BY", "80331", "48.13740", "11.57550")], [[3320, "Deutsche Telekom AG"], [3209, "Vodafone GmbH"], [680, "DFN Verein University Network"]])],
  [10, place("GB", "EU", undefined, "Europe/London", "en-GB", [town("London", "England", "ENG", "EC2V", "51.50850", "-0.12570"), town("Edinburgh", "Scotland", "SCT", "EH1", "55.95210", "-3.19650")], [[2856, "British Telecommunications PLC"], [5089, "Virgin Media"], [786, "Jisc University Network"]])],
  [16, place("US", "NA", undefined, "America/New_York", "en-US", [town("New York", "New York", "NY", "10001", "40.71430", "-74.00600"), town("Boston", "Massachusetts", "MA", "02108", "42.35840", "-71.05980"), town("Atlanta", "Georgia", "GA", "30303", "33.74900", "-84.38800")], [[7922, "Comcast Cable"], [701, "Verizon Business"], [21928, "T-Mobile USA"], [3, "Massachusetts Institute of Technology"]])],
  [5, place("US", "NA", undefined, "America/Los_Angeles", "en-US", [town("San Francisco", "California", "CA", "94102", "37.77490", "-122.41940"), town("Seattle", "Washington", "WA", "98101", "47.60620", "-122.33210")], [[7922, "Comcast Cable"], [73, "University of Washington"]])],
  [5, place("CA", "NA", undefined, "America/Toronto", "en-CA", [town("Toronto", "Ontario", "ON", "M5A", "43.70010", "-79.41630"), town("Montreal", "Quebec", "QC", "H2X", "45.50880", "-73.58780")], [[577, "Bell Canada"], [812, "Rogers Communications"]])],
  [5, place("ES", "EU", "1", "Europe/Madrid", "es-ES", [town("Madrid", "Madrid", "MD", "28001", "40.41650", "-3.70260"), town("Barcelona", "Catalonia", "CT", "08001", "41.38880", "2.15900")], [[3352, "Telefonica de Espana"], [12479, "Orange Espagne"]])],
  [5, place("IT", "EU", "1", "Europe/Rome", "it-IT", [town("Milan", "Lombardy", "25", "20121", "45.46430", "9.18950"), town("Rome", "Lazio", "62", "00184", "41.89190", "12.51130")], [[3269, "Telecom Italia"], [30722, "Vodafone Italia"]])],
  [4, place("NL", "EU", "1", "Europe/Amsterdam", "nl-NL", [town("Amsterdam", "North Holland", "NH", "1012", "52.37400", "4.88970")], [[1136, "KPN B.V."], [1103, "SURF University Network"]])],
  [4, place("BE", "EU", "1", "Europe/Brussels", "fr-BE", [town("Brussels", "Brussels Capital", "BRU", "1000", "50.85050", "4.34880"), town("Ghent", "Flanders", "VLG", "9000", "51.05000", "3.71670")], [[5432, "Proximus NV"], [6848, "Telenet"]])],
  [3, place("CH", "EU", undefined, "Europe/Zurich", "de-CH", [town("Zurich", "Zurich", "ZH", "8001", "47.36670", "8.55000"), town("Geneva", "Geneva", "GE", "1201", "46.20220", "6.14570")], [[3303, "Swisscom"], [559, "SWITCH University Network"]])],
  [3, place("SE", "EU", "1", "Europe/Stockholm", "sv-SE", [town("Stockholm", "Stockholm", "AB", "111 29", "59.33260", "18.06490")], [[3301, "Telia Company"]])],
  [3, place("BR", "SA", undefined, "America/Sao_Paulo", "pt-BR", [town("São Paulo", "São Paulo", "SP", "01000", "-23.54750", "-46.63610")], [[28573, "Claro NXT"], [27699, "Vivo"]])],
  [3, place("JP", "AS", undefined, "Asia/Tokyo", "ja-JP", [town("Tokyo", "Tokyo", "13", "151-0052", "35.68950", "139.69170")], [[4713, "NTT Communications"], [2516, "KDDI"]])],
  [2, place("AU", "OC", undefined, "Australia/Sydney", "en-AU", [town("Sydney", "New South Wales", "NSW", "2000", "-33.86790", "151.20730")], [[1221, "Telstra"]])],
];

const hints = (platform, mobile, brand, version) => ({ "sec-ch-ua": `"Chromium";v="${version}", "${brand}";v="${version}", "Not/A)Brand";v="99"`, "sec-ch-ua-mobile": mobile, "sec-ch-ua-platform": `"${platform}"` });
const agent = (type, os, browser, userAgent, clientHints = {}) => ({ type, os, browser, headers: { "user-agent": userAgent, ...clientHints } });

const AGENTS = [
  [22, agent("mobile", "ios", "safari", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1")],
  [26, agent("mobile", "android", "chrome", "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Mobile Safari/537.36", hints("Android", "?1", "Google Chrome", 148))],
  [6, agent("mobile", "android", "samsung", "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36", hints("Android", "?1", "Samsung Internet", 130))],
  [3, agent("tablet", "ios", "safari", "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1")],
  [2, agent("tablet", "android", "chrome", "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36", hints("Android", "?0", "Google Chrome", 148))],
  [18, agent("desktop", "windows", "chrome", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36", hints("Windows", "?0", "Google Chrome", 148))],
  [8, agent("desktop", "windows", "edge", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36 Edg/148.0.0.0", hints("Windows", "?0", "Microsoft Edge", 148))],
  [5, agent("desktop", "macos", "chrome", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36", hints("macOS", "?0", "Google Chrome", 148))],
  [7, agent("desktop", "macos", "safari", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15")],
  [3, agent("desktop", "linux", "firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0")],
];

const source = (name, medium, channel, referer) => ({ name, medium, channel, referer });

const SOURCES = [
  [14, source("instagram", "social", "Organic Social", "https://l.instagram.com/")],
  [9, source("facebook", "paid_social", "Paid Social", "https://l.facebook.com/")],
  [5, source("facebook", "social", "Organic Social", "https://m.facebook.com/")],
  [7, source("tiktok", "social", "Organic Social", "https://www.tiktok.com/")],
  [5, source("pinterest", "social", "Organic Social", "https://www.pinterest.com/")],
  [20, source("google", "cpc", "Paid Search", "https://www.google.com/")],
  [6, source("bing", "cpc", "Paid Search", "https://www.bing.com/")],
  [4, source("youtube", "video", "Organic Video", "https://www.youtube.com/")],
  [14, source("newsletter", "email", "Email")],
  [5, source("bonnes-affaires", "affiliate", "Affiliates", "https://bonnes-affaires.example/")],
  [4, source("programmatic", "display", "Display")],
  [3, source("sms", "sms", "SMS")],
  [4, source("partner-blog", "referral", "Referral", "https://blog.example/")],
];

const THEMES = ["spring-sale", "summer-sale", "winter-sale", "black-week", "new-in", "trail-shoes", "city-sneakers", "rain-gear", "gift-guide", "outlet", "members-days", "retargeting"];
const CAMPAIGNS = THEMES.flatMap((theme) => ["2026", "2026-b", "test"].map((edition) => `${theme}-${edition}`));

const all = (list, value) => [...new Set(list.map(([, thing]) => value(thing)))];

/** The values that a field of the context can have here, for conditions to ask for. */
export const VALUES = {
  country: [...all(PLACES, ({ country }) => country), "AT", "PT", "IE", "DK", "PL", "MX", "IN"],
  city: [...new Set(PLACES.flatMap(([, { towns }]) => towns.map(({ city }) => city)))],
  organization: [...new Set(PLACES.flatMap(([, { networks }]) => networks.map(([, name]) => name)))],
  deviceType: all(AGENTS, ({ type }) => type),
  os: all(AGENTS, ({ os }) => os),
  browser: all(AGENTS, ({ browser }) => browser),
  language: [...new Set(PLACES.map(([, { language }]) => language.slice(0, 2)))],
  source: all(SOURCES, ({ name }) => name),
  channel: all(SOURCES, ({ channel }) => channel),
  campaign: CAMPAIGNS,
  theme: THEMES,
};

const hex = (dice, digits) => Array.from({ length: digits }, () => dice.below(16).toString(16)).join("");

/**
 * So many visitors, always the same for one seed: `request` for Idoine (see www/src/wire.ts), `attributes` for GrowthBook.
 * @param {typeof import("../../../www/src/zone.ts")} zone how far zones are ahead of UTC
 */
export function visitors(count, seed, zone) {
  const dice = new Dice(seed);
  return Array.from({ length: count }, () => visitor(dice, zone));
}

function visitor(dice, zone) {
  const { towns, networks, language, ...land } = dice.weighted(PLACES);
  const { city, region, regionCode, postalCode, latitude, longitude } = dice.of(towns);
  const [asn, asOrganization] = dice.of(networks);
  const device = dice.weighted(AGENTS);
  const from = dice.weighted(SOURCES);
  const campaign = dice.of(CAMPAIGNS);
  const now = PERIOD[0] + dice.below(PERIOD[1] - PERIOD[0]);
  const offsets = zone.zoneOffsets(land.timezone, now);
  const local = new Date(now + zone.offsetOf(offsets, now) * 1000);
  const primary = language.slice(0, 2);

  const cookies = [`_ga=GA1.1.${dice.below(1e9)}.${dice.below(1e9)}`];
  if (dice.percent(70)) cookies.push("idoine_consent=v1.personalization.analytics", `idoine_id=${hex(dice, 8)}-${hex(dice, 4)}-4${hex(dice, 3)}-8${hex(dice, 3)}-${hex(dice, 12)}`);
  const headers = { accept: "text/html,application/xhtml+xml,*/*;q=0.8", ...device.headers, "accept-language": primary === "en" ? `${language},en;q=0.9` : `${language},${primary};q=0.9,en;q=0.8` };
  if (from.referer) headers.referer = from.referer;
  headers.cookie = cookies.join("; ");
  const cf = { ...land, city, region, regionCode, postalCode, latitude, longitude, asn: String(asn), asOrganization };

  const request = {
    now,
    offsets,
    url: `https://shop.example${PATH}?utm_source=${from.name}&utm_medium=${from.medium}&utm_campaign=${campaign}`,
    headers: Object.entries(headers),
    cf: Object.entries(cf).filter(([, value]) => value !== undefined),
    overrides: [],
  };
  const attributes = {
    path: PATH, now, country: land.country, city, latitude: Number(latitude), longitude: Number(longitude), asn, organization: asOrganization,
    deviceType: device.type, os: device.os, browser: device.browser, language: primary, languageTag: language,
    source: from.name, medium: from.medium, channel: from.channel, campaign, hour: local.getUTCHours(), weekday: local.getUTCDay(),
  };
  return { request, attributes };
}
