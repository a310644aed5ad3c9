// Never one visitor's page to another: 200 visitors at once, of other places, devices, languages, ids, consents, campaigns and
// sessions, on pages that are kept, that may not be and that only say that they may. Each gets, to the byte, what they get alone
// from a Worker that keeps nothing.

import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { after, before, test } from "node:test";
import { signedId, startOrigin, startWorker } from "./harness.ts";
import type { Init, Reply, TestOrigin, TestWorker } from "./harness.ts";
import { CLOCKED, Kept, dated } from "./kept.ts";
import { IPHONE } from "./site.ts";

const KEY = "a key of this test";

const MANIFEST = {
  site: { id: "shop", hosts: ["shop.example", "outlet.example"], timezone: "Europe/Paris" },
  audiences: { french: "language.primary == 'fr'", phone: "device.type == 'mobile'" },
  slots: {
    title: { selector: "h1" },
    lead: { selector: "p.lead" },
    button: { selector: "a.buy" },
    note: { selector: "#note" },
    picture: { selector: "img" },
    banner: { selector: "#banner" },
    prices: { type: "data" },
  },
  experiences: [
    { id: "campaign", type: "personalization", audience: "has(source.campaign)", priority: 9, slots: { title: { text: "For {{ source.campaign }} friends" } } },
    { id: "french", type: "personalization", audience: "french", priority: 5, slots: { title: { text: "Bonjour" }, banner: { html: "<b>Soldes</b>" } } },
    { id: "canada", type: "personalization", audience: "geo.country == 'CA'", slots: { title: { text: "Hello, Canada" } } },
    { id: "near", type: "personalization", audience: "has(geo.city)", slots: { lead: { text: "Near {{ geo.city }}", attribute: { title: "{{ geo.country }}" } } } },
    { id: "phone", type: "personalization", audience: "phone", slots: { picture: { image: { src: "/small.png", alt: "{{ device.os }}" } }, banner: { hide: true } } },
    { id: "button", type: "experiment", weights: [1, 1, 1], slots: { button: [{ baseline: true }, { text: "Get it now" }, { text: "Add to bag" }] } },
    { id: "again", type: "personalization", audience: "visitor.returning", slots: { note: { text: "Welcome back: {{ visitor.returning }}, by {{ network.ip | \"nowhere\" }}" } } },
    { id: "prices", type: "personalization", slots: { prices: { json: { currency: "{{ geo.country | \"none\" }}" } } } },
  ],
};

const html = (title: string, more = "") =>
  `<!doctype html><html><head><meta charset="utf-8"><title>${title}</title></head><body><h1>${title}</h1><p class="lead">-</p>${more}` +
  `<img src="/a.png" alt="a"><a class="buy">Buy</a><p id="note">-</p><div id="banner">Sale</div>${"<p>filler</p>".repeat(300)}</body></html>`;

/** Pages by what they say of caches. `of` is what the origin knows of who asks: it must never be anybody else's. */
const PAGES: Record<string, (of: string) => [headers: Record<string, string>, body: string]> = {
  "/kept": () => [{ "cache-control": "public, max-age=600" }, html("Kept")],
  "/also/kept": () => [{ "cache-control": "public, s-maxage=600, stale-while-revalidate=60", vary: "Cookie, Accept-Encoding", etag: '"1"' }, html("Also kept")],
  // Stale in the last rounds: renewed while it is shown.
  "/soon/stale": () => [{ "cache-control": "public, max-age=100, stale-while-revalidate=600" }, html("Soon stale")],
  "/private": (of) => [{ "cache-control": "private, max-age=600" }, html("Private", of)],
  "/silent": (of) => [{}, html("Silent", of)],
  // What is said of these is not true of those who have a session.
  "/claims": (of) => [{ "cache-control": "public, max-age=600" }, html("Claims", of)],
  "/session": (of) => [{ "cache-control": "public, max-age=600", "set-cookie": "seen=1" }, html("Session", of)],
  "/nonce": (of) => [{ "cache-control": "public, max-age=600", "content-security-policy": "script-src 'nonce-abc'" }, html("Nonce", of)],
  "/token": () => [{ "cache-control": "public, max-age=600" }, html("Token", '<input name="csrf" value="x">')],
};

const answerer: RequestListener = (request, response) => {
  const host = request.headers["x-forwarded-host"];
  // On `_ga` pages do not depend: the Worker is told so.
  const cookies = (request.headers.cookie ?? "").split("; ").filter((pair) => pair !== "" && !pair.startsWith("_ga="));
  const of = `<p>${host} ${cookies.join("; ") || "nobody"} ${request.headers.authorization ?? "-"}</p>`;
  const [headers, body] = PAGES[request.url!.split("?")[0]!]!(of);
  response.writeHead(200, { "content-type": "text/html; charset=utf-8", date: dated(), ...headers }).end(body.replace("</title>", ` at ${host}</title>`));
};

const pick = <T>(items: readonly T[], at: number): T => items[at % items.length]!;

/** Visitor of a number: numbers that have nothing in common with each other decide what they are. */
function visitor(number: number): { url: string; init: Init } {
  const host = number % 11 === 0 ? "outlet.example" : "shop.example";
  const path = pick(Object.keys(PAGES), number);
  const query = pick(["", "", "?utm_campaign=spring", "?utm_campaign=%3Cb%3Esummer&utm_source=x"], Math.floor(number / 9));
  const id = `visitor-${number}-${"x".repeat(8)}`;
  const consent = pick(["v1.personalization", "v1.personalization.analytics", "v1.analytics", undefined], Math.floor(number / 3));
  const cookies = [
    ...(consent === undefined ? [] : [`idoine_consent=${consent}`]),
    ...(number % 5 === 0 ? [] : [`idoine_id=${signedId(id, KEY)}`]),
    ...(number % 4 === 0 ? [`_ga=${number}`] : []),
    ...(number % 6 === 0 ? [`session=secret-of-${number}`] : []),
  ];
  const city = pick([undefined, "Lyon", "Québec", "Nîmes <1>", `Town ${number}`], Math.floor(number / 2));
  const country = pick(["FR", "CA", "US", undefined], number);
  const headers: Record<string, string> = {
    "user-agent": pick([IPHONE, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"], Math.floor(number / 7)),
    "accept-language": pick(["fr-CA,fr;q=0.9", "en", "de"], number),
    "accept-encoding": pick(["gzip", "br", "identity"], number),
    "cf-connecting-ip": `203.0.113.${number % 250}`,
    ...(cookies.length > 0 ? { cookie: cookies.join("; ") } : {}),
    ...(number % 17 === 0 ? { authorization: `Bearer of-${number}` } : {}),
    ...(number % 19 === 0 ? { "cache-control": "no-cache" } : {}),
    ...(number % 23 === 0 ? { "sec-fetch-dest": "empty" } : {}),
  };
  const cf = Object.fromEntries(Object.entries({ city, country }).filter(([, value]) => value !== undefined));
  return { url: `https://${host}${path}${query}`, init: { headers, cf } };
}

const VISITORS = Array.from({ length: 200 }, (_, at) => visitor(at));

let origin: TestOrigin;
let plain: TestWorker;
let keeping: TestWorker;
/** What each visitor gets alone. */
let alone: Reply[];

before(async () => {
  origin = await startOrigin({ "*": answerer });
  const options = { origin: origin.url, manifest: MANIFEST };
  plain = await startWorker({ ...options, vars: { IDOINE_KEY: KEY, IDOINE_CACHE: "off", IDOINE_RELOAD_SECONDS: "10" } });
  keeping = await startWorker({
    ...options,
    vars: { IDOINE_KEY: KEY, IDOINE_CACHE_COOKIES: "_ga", IDOINE_CACHE_VARIANTS: "3", IDOINE_RELOAD_SECONDS: "10" },
    ...CLOCKED,
  });
  alone = [];
  for (const { url, init } of VISITORS) {
    alone.push(await plain.fetch(url, init));
  }
});
after(async () => {
  await Promise.all([plain.dispose(), keeping.dispose()]);
  await origin.close();
});

/** All of an answer that could be somebody's. */
const personal = ({ text, headerList }: Reply) => ({ text, headers: headerList.filter(([name]) => ["content-type", "cache-control", "set-cookie", "vary", "content-security-policy"].includes(name)) });

test("the visitors differ from each other", () => {
  assert.ok(new Set(alone.map(({ text }) => text)).size > 120);
  assert.ok(alone.every(({ status }) => status === 200));
  assert.ok(alone.some(({ text }) => text.includes("secret-of-6 -")) && alone.some(({ text }) => text.includes("Welcome back: true, by 203.0.113.")));
});

for (let round = 1; round <= 4; round += 1) {
  test(`each of 200 visitors at once gets their own page, round ${round}`, async () => {
    await new Kept(origin, keeping).setAhead(round > 2 ? 300 : 0);
    // Another order each time, so that others are first.
    const order = VISITORS.map((_, at) => (at * 7 + round * 31) % VISITORS.length);
    const replies = await Promise.all(order.map((number) => keeping.fetch(VISITORS[number]!.url, VISITORS[number]!.init)));
    for (const [at, number] of order.entries()) {
      assert.deepEqual(personal(replies[at]!), personal(alone[number]!), `visitor ${number} at ${VISITORS[number]!.url}`);
    }
  });
}

test("the cache was at work meanwhile", async () => {
  const report = await new Kept(origin, keeping).report();
  for (const count of ["hit", "variant", "miss", "stale", "over_cap"] as const) {
    assert.ok(report[count] > 0, `${count}: ${JSON.stringify(report)}`);
  }
  for (const reason of ["cookie", "authorization", "script", "reload"]) {
    assert.ok(report.bypass[reason]! > 0, `${reason}: ${JSON.stringify(report)}`);
  }
  assert.ok(report.most_variants <= 3);
  for (const reason of ["not_public", "set_cookie", "nonce", "token"]) {
    assert.ok(report.not_kept[reason]! > 0, `${reason}: ${JSON.stringify(report)}`);
  }
});
