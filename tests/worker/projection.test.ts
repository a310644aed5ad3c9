// What is stored of a visitor, on its way back to the page: pages are decided with what the sealed cookie says, whatever was done to it,
// and ask no shard. In workerd, with real shards.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { signedId, startOrigin, startWorker } from "./harness.ts";
import type { Reply, TestOrigin, TestWorker } from "./harness.ts";

const KEY = "a secret of this test";
const ORIGIN = "https://shop.example";
const PAGE = '<!doctype html><html><head><title>x</title></head><body><h1>Welcome</h1><p class="lead">-</p><a class="buy">Buy</a><b>-</b></body></html>';

const SHOES = "profile.count('Product Viewed', '7d', {'category': 'shoes'})";

const base = {
  site: { id: "shop", hosts: ["shop.example", "localhost"], timezone: "Europe/Paris" },
  traits: { plan: { type: "string", purpose: "personalization" } },
  affinities: { category: {} },
  slots: { hero: { selector: "h1" }, lead: { selector: "p.lead" }, button: { selector: "a.buy" }, note: { selector: "b" } },
};
const shoes = { id: "shoes", type: "personalization", audience: `${SHOES} >= 3`, slots: { hero: { text: "Shoes again" } } };
const MANIFEST = {
  ...base,
  experiences: [
    shoes,
    { id: "likes", type: "personalization", audience: "profile.affinity('category') == 'shoes'", slots: { lead: { text: "You like {{ profile.affinity('category') | \"nothing\" }}" } } },
    { id: "call", type: "experiment", purpose: "personalization", sticky: true, weights: [1, 1, 1], slots: { button: [{ baseline: true }, { text: "Get it" }, { text: "Take it" }] } },
    { id: "offer", type: "personalization", audience: "consent.personalization", cap: { total: 2 }, slots: { note: { text: "An offer" } } },
  ],
};

let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin({ "/": PAGE, "/kept": (_, response) => void response.writeHead(200, { "content-type": "text/html; charset=utf-8", "cache-control": "public, max-age=600" }).end(PAGE + "<p>filler</p>".repeat(300)) });
  worker = await startWorker({
    origin: origin.url,
    manifest: MANIFEST,
    profiles: true,
    preview: true,
    vars: { IDOINE_KEY: KEY },
    parts: ["variants.js"],
    // Counts the calls of shards; gives other secrets and another time.
    around: `
      globalThis.calls ??= 0;
      if (new URL(request.url).pathname === "/calls") return Response.json(globalThis.calls);
      if (new URL(request.url).pathname === "/report") return Response.json(parts.report());
      const PROFILES = new Proxy(env.PROFILES, { get: (target, name) => typeof target[name] !== "function" ? target[name] : (...args) => { if (name === "get") globalThis.calls += 1; return target[name](...args); } });
      const headers = new Headers(request.headers);
      const [secrets, at] = ["x-secrets", "x-at"].map((name) => { const text = headers.get(name); headers.delete(name); return text; });
      const changed = { ...env, PROFILES, ...(secrets !== null && JSON.parse(secrets)) };
      const clock = Date.now;
      if (at !== null) Date.now = () => clock() + Number(at);
      const response = await worker.fetch(new Request(request, { headers }), changed, ctx);
      Date.now = clock;
      return response;`,
  });
});
after(async () => {
  await Promise.all([worker.dispose(), origin.close()]);
});

type Headers = Record<string, string>;

/** A browser: it keeps cookies as browsers do. */
class Browser {
  readonly jar = new Map<string, string>();

  get cookie(): string {
    return [...this.jar].map((pair) => pair.join("=")).join("; ");
  }

  async fetch(path: string, body?: unknown, headers: Headers = {}): Promise<Reply> {
    const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const reply = await worker.fetch(path, { headers: { origin: ORIGIN, cookie: this.cookie, ...headers }, ...sent });
    for (const cookie of reply.cookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
      if (/Max-Age=0\b/.test(cookie)) this.jar.delete(name!);
      else this.jar.set(name!, value!);
    }
    return reply;
  }

  agree = (granted: string[], headers?: Headers) => this.fetch("/_idoine/consent", { granted }, headers);
  profile = async (headers?: Headers): Promise<Record<string, string>> => (await this.fetch("/_idoine/profile", undefined, headers)).json().profile;

  async send(events: object[], headers: Headers = {}): Promise<Reply> {
    const reply = await this.fetch("/_idoine/collect", { events }, headers);
    assert.equal(reply.status, 200, reply.text);
    return reply;
  }

  static async agreed(): Promise<Browser> {
    const browser = new Browser();
    await browser.agree(["personalization", "analytics"]);
    return browser;
  }

  /** Who has looked at three pairs of shoes. */
  static async runner(): Promise<Browser> {
    const browser = await Browser.agreed();
    await browser.send([viewed(), viewed(), viewed()]);
    return browser;
  }
}

const viewed = (category = "shoes", more: object = {}) => ({ type: "track", event: "Product Viewed", properties: { category, ...more } });
const calls = async (): Promise<number> => (await worker.fetch("/calls")).json();

/** A page with a cookie in the place of a browser's own. */
const pageWith = async (browser: Browser, name: string, value: string | undefined, headers: Headers = {}): Promise<Reply> => {
  const jar = new Map(browser.jar);
  if (value === undefined) jar.delete(name);
  else jar.set(name, value);
  return worker.fetch("/", { headers: { cookie: [...jar].map((pair) => pair.join("=")).join("; "), ...headers } });
};
/** What differs between pages of one visitor; not the date. */
const bytesOf = ({ status, headerList, text }: Reply) => ({ status, text, headers: headerList.filter(([name]) => !["date", "server-timing"].includes(name)) });

test("what was done changes the next page, in its first byte, and no page asks a shard", async () => {
  const browser = await Browser.agreed();
  assert.match((await browser.fetch("/")).text, /<h1>Welcome</);
  await browser.send([viewed(), viewed()]);
  assert.match((await browser.fetch("/")).text, /<h1>Welcome</);
  await browser.send([viewed()]);
  const before = await calls();
  const reply = await browser.fetch("/");
  assert.match(reply.text, /<h1>Shoes again<.*You like shoes</s);
  assert.deepEqual(reply.cookies, [], "HTML sets nothing");
  for (const path of ["/_idoine/profile", "/_idoine/context", `/_idoine/decide?url=${encodeURIComponent(`${ORIGIN}/`)}`]) await browser.fetch(path);
  assert.equal(await calls(), before);
  assert.ok(before >= 3, "the counter counts");
});

test("the page's own questions are answered with the same profile", async () => {
  const browser = await Browser.runner();
  const decided = (await browser.fetch("/_idoine/decide", { url: `${ORIGIN}/` })).json();
  assert.equal(decided.edits.find(({ slot }: any) => slot === "hero").value, "Shoes again");
  assert.equal((await browser.fetch("/_idoine/context")).json().context[SHOES], 3);
  const flag = (await browser.fetch("/_idoine/ofrep/v1/evaluate/flags/hero", { context: {} })).json();
  assert.deepEqual([flag.reason, flag.metadata?.experience ?? flag.variant], [flag.reason, flag.metadata?.experience ?? flag.variant]);
  assert.match(JSON.stringify(flag), /Shoes again|shoes/);
  // Of what a page claims there, nothing of a profile counts.
  const claimed = (await new Browser().fetch("/_idoine/ofrep/v1/evaluate/flags/hero", { context: { profile: { plan: "pro" }, [SHOES]: 5 } })).json();
  assert.doesNotMatch(JSON.stringify(claimed), /Shoes again/);
});

test("a cookie of which any byte was changed is as if it was not there", async () => {
  const browser = await Browser.runner();
  const bytes = Buffer.from(browser.jar.get("idoine_p")!, "base64url");
  const without = bytesOf(await pageWith(browser, "idoine_p", undefined));
  assert.match(without.text, /<h1>Welcome</);
  const places = Array.from(bytes.keys());
  const replies = await Promise.all(
    places.map((place) => {
      const changed = Buffer.from(bytes);
      changed[place]! ^= 1 << place % 8;
      return pageWith(browser, "idoine_p", changed.toString("base64url"));
    }),
  );
  for (const [place, reply] of replies.entries()) assert.deepEqual(bytesOf(reply), without, `byte ${place}`);
  const value = browser.jar.get("idoine_p")!;
  for (const bad of ["", "x", value.slice(0, -1), `${value}A`, `"${value}"`, "%00", "A".repeat(5000)]) {
    assert.deepEqual(bytesOf(await pageWith(browser, "idoine_p", bad)), without, bad.slice(0, 20));
  }
  assert.match((await pageWith(browser, "idoine_p", value)).text, /<h1>Shoes again</);
});

test("another visitor's cookie is as if it was not there, and so is one whose secret is gone", async () => {
  const [runner, other] = [await Browser.runner(), await Browser.agreed()];
  const without = bytesOf(await pageWith(other, "idoine_p", undefined));
  assert.deepEqual(bytesOf(await pageWith(other, "idoine_p", runner.jar.get("idoine_p"))), without);
  for (const secrets of [{ IDOINE_KEY: "another" }, { IDOINE_KEY: undefined }, { IDOINE_KEY: "another", IDOINE_KEYS_OLD: "a, b" }]) {
    const id = signedId(runner.jar.get("idoine_id")!.split(".")[0]!, "another");
    const jar = { cookie: `idoine_consent=v1.personalization.analytics; idoine_id=${id}; idoine_p=${runner.jar.get("idoine_p")}`, "x-secrets": JSON.stringify(secrets) };
    assert.match((await worker.fetch("/", { headers: jar })).text, /<h1>Welcome</, JSON.stringify(secrets));
  }
});

test("an older secret opens still, and what it sealed and signed is done anew by the current one", async () => {
  const browser = await Browser.runner();
  const [id, projection] = [browser.jar.get("idoine_id")!, browser.jar.get("idoine_p")!];
  const secrets = { "x-secrets": JSON.stringify({ IDOINE_KEY: "the-next", IDOINE_KEYS_OLD: `before ${KEY.replaceAll(" ", "-")}` }) };
  // A secret in the list of older ones has no spaces; this browser's has.
  assert.match((await browser.fetch("/", undefined, secrets)).text, /<h1>Welcome</);
  const rotated = (old: string) => ({ "x-secrets": JSON.stringify({ IDOINE_KEY: "the-next", IDOINE_KEYS_OLD: old }) });
  const first = { "x-secrets": JSON.stringify({ IDOINE_KEY: "the-first" }) };
  const visitor = new Browser();
  await visitor.agree(["personalization", "analytics"], first);
  await visitor.send([viewed(), viewed(), viewed()], first);
  const [oldId, old] = [visitor.jar.get("idoine_id")!, visitor.jar.get("idoine_p")!];
  assert.match((await visitor.fetch("/", undefined, rotated("the-first"))).text, /<h1>Shoes again</);
  assert.match((await visitor.fetch("/", undefined, rotated("none"))).text, /<h1>Welcome</);
  const reply = await visitor.send([{ type: "page" }], rotated("none the-first"));
  assert.deepEqual(reply.cookies.map((cookie) => cookie.split("=")[0]).sort(), ["idoine_id", "idoine_p"]);
  assert.notEqual(visitor.jar.get("idoine_p"), old);
  assert.equal(visitor.jar.get("idoine_id"), signedId(oldId.split(".")[0]!, "the-next"));
  // From now on the older one is not needed.
  assert.match((await visitor.fetch("/", undefined, { "x-secrets": JSON.stringify({ IDOINE_KEY: "the-next" }) })).text, /<h1>Shoes again</);
  assert.deepEqual([browser.jar.get("idoine_id"), browser.jar.get("idoine_p")], [id, projection]);
});

test("time passes in it: what is no longer true at the request's instant is not, and in the end it is over", async () => {
  const browser = await Browser.runner();
  const day = 86_400_000;
  const at = (ms: number) => ({ "x-at": String(ms) });
  assert.match((await browser.fetch("/", undefined, at(6 * day))).text, /<h1>Shoes again</);
  assert.match((await browser.fetch("/", undefined, at(9 * day))).text, /<h1>Welcome</);
  assert.equal((await browser.profile(at(9 * day)))[SHOES], "0");
  assert.ok((await browser.profile(at(394 * day)))["profile.affinity('category')"] !== "shoes");
  assert.deepEqual(await browser.profile(at(396 * day)), {});
  // A preview's instant counts too, from the same cookie.
  const ahead = new Date(Date.now() + 9 * day).toISOString();
  const hero = async (query: string) => /<h1>(.*?)</.exec((await worker.fetch(`http://localhost:8787/?${query}`, { headers: { cookie: browser.cookie } })).text)![1];
  assert.equal(await hero("idoine.geo.country=FR"), "Shoes again");
  assert.equal(await hero(`idoine.now=${ahead}`), "Welcome");
  // Who says who the visitor is sees the site as that one, without what is stored of themselves.
  assert.equal(await hero("idoine.profile.plan=pro"), "Welcome");
  assert.equal(await hero("idoine.visitor.id=somebody-else"), "Welcome");
  assert.equal(await hero("idoine.consent.personalization=false"), "Welcome");
});

test("it is sent again when what it says has changed, and only then", async () => {
  const browser = await Browser.runner();
  const before = browser.jar.get("idoine_p");
  // An event that no reading of the program is about.
  const reply = await browser.send([{ type: "track", event: "Film Watched" }]);
  assert.deepEqual(reply.cookies, []);
  assert.deepEqual((await browser.agree(["personalization", "analytics"])).cookies.map((cookie) => cookie.split("=")[0]), ["idoine_consent"]);
  assert.equal(browser.jar.get("idoine_p"), before);
  assert.equal((await browser.send([viewed()])).cookies.length, 1);
});

test("sticky assignments and caps travel in it", async () => {
  const browser = await Browser.agreed();
  const note = async () => /<b>(.*?)</.exec((await browser.fetch("/")).text)![1];
  const exposure = (experience: string, variant: number, slot: string) => ({ type: "exposure", properties: { experience, variant, slot } });
  assert.equal(await note(), "An offer");
  await browser.send([exposure("offer", 0, "note")]);
  assert.equal(await note(), "An offer");
  await browser.send([exposure("offer", 0, "note")]);
  assert.equal(await note(), "-", "two times are enough");
  assert.match((await browser.profile())["seen.offer"]!, /^\d+,\d+,\d+,2,/);
  const drawn = /<a class="buy">(.*?)</.exec((await browser.fetch("/")).text)![1]!;
  const variant = ["Buy", "Get it", "Take it"].indexOf(drawn);
  await browser.send([exposure("call", variant, "button")]);
  assert.equal((await browser.profile())["assignment.call"], String(variant));
  // Other weights would draw otherwise for most; who was shown one goes on with it.
  const experiences = MANIFEST.experiences.map((one) => (one.id === "call" ? { ...one, weights: [0, 1, 2].map((at) => (at === variant ? 0 : 1)) } : one));
  await worker.publish({ ...MANIFEST, experiences });
  assert.equal(/<a class="buy">(.*?)</.exec((await browser.fetch("/")).text)![1], drawn);
  await worker.publish(MANIFEST);
});

test("a page that shows a value of a profile is never kept; one that follows from a profile is shared by what was decided", async () => {
  const shared = { ...MANIFEST, experiences: MANIFEST.experiences.filter(({ id }) => id === "shoes") };
  const report = async (): Promise<any> => (await worker.fetch("/report")).json();
  const kept = async ({ cookie }: Browser) => (await worker.fetch("/kept", { headers: { cookie } })).text;
  const [one, two, other] = [await Browser.runner(), await Browser.runner(), await Browser.agreed()];
  const before = await report();
  for (let round = 0; round < 3; round += 1) {
    for (const runner of [one, two]) assert.match(await kept(runner), /<h1>Shoes again<.*You like shoes</s);
    assert.doesNotMatch(await kept(other), /Shoes again|You like/);
  }
  const after = await report();
  assert.ok(after.hit > before.hit, "the origin's page is kept");
  // Of these three visitors only the one with an empty profile has a page without a value of it.
  assert.ok(after.kept_variants - before.kept_variants <= 1, JSON.stringify([before, after]));
  await worker.publish(shared);
  await kept(one);
  for (let round = 0; round < 3; round += 1) {
    for (const runner of [one, two]) assert.match(await kept(runner), /<h1>Shoes again</);
    assert.doesNotMatch(await kept(other), /Shoes again/);
  }
  assert.ok((await report()).variant > after.variant, "a decision alone is nobody's secret");
  await worker.publish(MANIFEST);
});

test("under another program what it knows still is read, the rest is ignored, and what is new is unknown", async () => {
  const browser = await Browser.runner();
  await worker.publish({
    ...base,
    affinities: {},
    experiences: [
      shoes,
      { id: "new", type: "personalization", audience: "profile.count('Product Added', '7d') == 0", slots: { lead: { text: "Known" } } },
      { id: "unknown", type: "personalization", audience: "!has(profile.plan)", slots: { note: { text: "Unknown" } } },
    ],
  });
  const { text } = await browser.fetch("/");
  assert.match(text, /<h1>Shoes again<.*<p class="lead">-<.*<b>Unknown</s);
  const { "visitor.session_start": start, ...told } = await browser.profile();
  assert.ok(Number(start) > 0);
  assert.deepEqual(told, { [SHOES]: "3" });
  // With the next event it is written for the program that is live.
  await browser.send([viewed()]);
  assert.match((await browser.fetch("/")).text, /<p class="lead">Known</);
  await worker.publish(MANIFEST);
});

test("without consent to personalization no projection changes a byte of a page or of an answer", async () => {
  const browser = await Browser.runner();
  const value = browser.jar.get("idoine_p")!;
  for (const consent of [undefined, "v1", "v1.analytics", "v1.analytics.marketing", "v1.personalization.nonsense", "v2.personalization"]) {
    for (const headers of [{}, { "sec-gpc": "1" }]) {
      const of = async (path: string, projection: string | undefined) => {
        const cookies = { idoine_consent: consent, idoine_id: browser.jar.get("idoine_id"), idoine_p: projection };
        const cookie = Object.entries(cookies).filter(([, value]) => value !== undefined).map((pair) => pair.join("=")).join("; ");
        return bytesOf(await worker.fetch(path, { headers: { cookie, ...headers } }));
      };
      for (const path of ["/", "/_idoine/profile", `/_idoine/decide?url=${encodeURIComponent(`${ORIGIN}/`)}`]) {
        const without = await of(path, undefined);
        for (const projection of [value, "x", value.slice(0, 40)]) {
          assert.deepEqual(await of(path, projection), without, `${path} with ${consent} ${JSON.stringify(headers)}`);
        }
      }
    }
  }
  assert.match(bytesOf(await pageWith(browser, "idoine_p", value, { "sec-gpc": "1" })).text, /<h1>Welcome</, "Global Privacy Control refuses it");
});

test("under 1 KB for a manifest with 100 audiences and a visitor who did everything", async () => {
  const categories = ["shoes", "bags", "coats", "hats", "belts"];
  const events = ["Product Viewed", "Product Added", "Order Completed", "Products Searched"];
  const windows = ["1d", "7d", "30d", "90d"];
  const audiences: Record<string, string> = {};
  for (const [at, category] of categories.entries())
    for (const event of events)
      for (const window of windows) audiences[`a${Object.keys(audiences).length}`] = `profile.count('${event}', '${window}', {'category': '${category}'}) > ${at}`;
  const more = ["profile.affinity('category') == 'shoes'", "profile.affinity('brand') == 'b1'", "profile.affinity_share('category', 'bags') > 20", "profile.lifecycle == 'active'", "profile.engagement == 'high'", "profile.cart.value > 100.0", "profile.cart.quantity > 2", "profile.session.number > 3", "profile.session.page_count > 5", "profile.first_touch.channel == 'Direct'", "profile.last_touch.source == 'google'", "profile.plan == 'pro'", "profile.sum('Order Completed', 'revenue', '90d') > 100.0", "profile.first('Order Completed') < time.now", "profile.last('Product Viewed') < time.now", "profile.first_seen < time.now", "profile.last_seen < time.now", "profile.count('page', '7d') > 1", "profile.count('page') > 1", "profile.nps.score > 8"];
  for (const expression of more) audiences[`a${Object.keys(audiences).length}`] = expression;
  assert.equal(Object.keys(audiences).length, 100);
  await worker.publish({
    ...base,
    affinities: { category: {}, brand: {} },
    audiences,
    experiences: [
      ...Object.keys(audiences).map((name) => ({ id: `e-${name}`, type: "personalization", audience: name, slots: { lead: { text: name } } })),
      { id: "call", type: "experiment", purpose: "personalization", sticky: true, weights: [1, 1], slots: { button: [{ baseline: true }, { text: "Get it" }] } },
      { id: "offer", type: "personalization", cap: { total: 90 }, slots: { note: { text: "An offer" } } },
    ],
  });
  const browser = await Browser.agreed();
  await browser.send([{ type: "identify", userId: "a-user-with-a-long-id-0123456789", traits: { plan: "pro" } }]);
  const day = 86_400_000;
  for (let ago = 89; ago >= 0; ago -= 3) {
    const timestamp = Date.now() - Math.min(ago, 29) * day - (89 - ago) * 1000;
    const done = events.flatMap((event) => categories.map((category, at) => ({ type: "track", event, timestamp, properties: { category, brand: `b${at}`, price: 10.5, revenue: 99.99, product_id: `p${at}` } })));
    await browser.send([{ type: "page", timestamp }, ...done, { type: "exposure", timestamp, properties: { experience: "offer", variant: 0, slot: "note" } }, { type: "exposure", timestamp, properties: { experience: "call", variant: 1, slot: "button" } }]);
  }
  const told = await browser.profile();
  assert.ok(Object.keys(told).length >= 60, `${Object.keys(told).length} values`);
  // As it goes over the wire: name, value and what stands between.
  const wire = `idoine_p=${browser.jar.get("idoine_p")}`;
  assert.ok(wire.length < 1024, `${wire.length} bytes`);
  await worker.publish(MANIFEST);
});
