// A site of static files: the real engine decides in a real page.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import type { createIdoine as Create } from "../../www/src/index.ts";
import type { ConsentStatus, Purpose } from "../../www/src/types.ts";
import { assets, compile, stub } from "./fixtures/artefacts.ts";
import { closeBrowser, until, visit } from "./fixtures/browser.ts";
import { BODY, page } from "./fixtures/pages.ts";
import { allow, json, serve, type Route, type Site } from "./fixtures/server.ts";

after(closeBrowser);

let program: Buffer;
before(() => {
  program = compile("static.jsonc", "--browser");
});

const LOADER = '<script async src="/_idoine/idoine.js" data-program="/program.bin"></script>';
const INSTAGRAM = "/?utm_source=instagram&utm_medium=social";

/** The same page at every address, as single-page applications have it. */
async function site(t: TestContext, head = LOADER, routes: Record<string, Route> = {}): Promise<Site> {
  const started = await serve({
    ...assets("idoine.js", "live.js", "client.js", "edits.js", "engine.js", "engine.wasm"),
    "/program.bin": { type: "application/octet-stream", body: program },
    "/": page(head),
    ...routes,
  });
  t.after(() => started.close());
  return started;
}

async function ready(tab: Page): Promise<void> {
  await tab.waitForFunction(() => window.idoine?.ready);
  await tab.evaluate(async () => void (await window.idoine?.ready));
}

const bodyOf = (tab: Page): Promise<string> => tab.evaluate(() => document.body.innerHTML);
const title = (tab: Page): Promise<string | null> => tab.textContent("h1");
const reason = (tab: Page, slot: string): Promise<string | undefined> =>
  tab.evaluate((name) => window.idoine?.decision?.(name)?.reason, slot);
const errorOf = (tab: Page): Promise<string | undefined> => tab.evaluate(() => window.idoine?.debug?.().error);
const stored = (tab: Page): Promise<unknown> =>
  tab.evaluate(async () => ({
    cookies: document.cookie,
    local: Object.keys(localStorage),
    session: Object.keys(sessionStorage),
    databases: (await indexedDB.databases()).length,
    caches: (await caches.keys()).length,
  }));
const NOTHING_STORED = { cookies: "", local: [], session: [], databases: 0, caches: 0 };

async function route(tab: Page, url: string, expected: string): Promise<void> {
  await tab.evaluate((to) => history.pushState(null, "", to), url);
  await tab.waitForFunction((text) => document.querySelector("h1")?.textContent === text, expected);
}

test("the loader fetches the engine and the program, and decides in the page", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin + INSTAGRAM);
  await ready(tab);
  assert.equal(await title(tab), "Seen on Instagram");
  assert.equal(await tab.innerHTML("#intro"), "Free <em>express</em> shipping");
  assert.deepEqual(await tab.evaluate(() => window.idoine?.decision?.("hero")), {
    slot: "hero",
    experience: "hero-instagram",
    variant: 1,
    source: "personalization",
    reason: "match",
  });
  assert.equal(await tab.evaluate(() => window.idoine?.debug?.().mode), "static");
  assert.match(await tab.evaluate(() => window.idoine?.debug?.().version ?? ""), /^[0-9a-f]{16}$/);
  assert.deepEqual(shop.paths().sort(), [
    "/",
    "/_idoine/client.js",
    "/_idoine/edits.js",
    "/_idoine/engine.js",
    "/_idoine/engine.wasm",
    "/_idoine/idoine.js",
    "/program.bin",
  ]);
});

test("a draft is not in what browsers are given, and the page is decided as if they had it", async (t) => {
  const [whole, browser] = [compile("drafts.jsonc"), compile("drafts.jsonc", "--browser")];
  assert.match(whole.toString("latin1"), /secret/i);
  assert.doesNotMatch(browser.toString("latin1"), /secret/i);
  const shown: unknown[] = [];
  for (const body of [whole, browser]) {
    const shop = await site(t, LOADER, { "/program.bin": { type: "application/octet-stream", body } });
    const tab = await visit(t);
    await tab.goto(shop.origin + INSTAGRAM);
    await ready(tab);
    const { version, decisions } = (await tab.evaluate(() => window.idoine?.debug?.()))!;
    shown.push([version, decisions, await bodyOf(tab)]);
    assert.deepEqual([await title(tab), await tab.textContent(".cta")], ["Seen on Instagram", "Have a look"]);
    assert.deepEqual([await reason(tab, "hero"), await reason(tab, "cta"), await reason(tab, "intro")], ["match", "match", "no_candidate"]);
  }
  assert.deepEqual(shown[1], shown[0]);
});

test("the engine may be in a folder of its own, with or without a slash at its end", async (t) => {
  const files = assets("client.js", "edits.js", "engine.js", "engine.wasm");
  const moved = Object.fromEntries(Object.entries(files).map(([path, route]) => [path.replace("/_idoine/", "/files/v1/"), route]));
  for (const base of ["/files/v1", "files/v1/"]) {
    const shop = await site(t, LOADER.replace(" data", ` data-base="${base}" data`), moved);
    const tab = await visit(t);
    await tab.goto(shop.origin + INSTAGRAM);
    await ready(tab);
    assert.equal(await title(tab), "Seen on Instagram");
    assert.ok(!shop.paths().some((path) => /_idoine\/(client|engine)/.test(path)));
  }
});

test("attributes that make no sense leave the page as it was", async (t) => {
  for (const attributes of ['data-program="/program.bin" data-base="http://"', 'data-program="http://"', 'data-api="http://"']) {
    const shop = await site(t, `<script async src="/_idoine/idoine.js" ${attributes}></script>`);
    const tab = await visit(t);
    await tab.goto(shop.origin + INSTAGRAM);
    await tab.waitForFunction(() => window.idoine?.loaded);
    await tab.evaluate(async () => void (await window.idoine?.ready));
    assert.equal(await bodyOf(tab), BODY, attributes);
  }
});

test("what the clock changes is decided anew without asking anyone", async (t) => {
  const program = compile({ site: { id: "shop" }, slots: { hero: { selector: "h1" } }, experiences: [{ id: "later", type: "personalization", schedule: { from: "2026-11-20T12:00:00Z", until: "2026-11-20T12:05:00Z" }, slots: { hero: { text: "Only now" } } }] }, "--browser");
  const shop = await serve({ ...assets("idoine.js", "live.js", "edits.js", "client.js", "engine.js", "engine.wasm"), "/program.bin": { type: "application/octet-stream", body: program }, "/": page('<script async src="/_idoine/idoine.js" data-program="/program.bin"></script>') });
  t.after(() => shop.close());
  const tab = await visit(t);
  await tab.clock.install({ time: new Date("2026-11-20T11:58:30Z") });
  await tab.goto(shop.origin);
  await tab.waitForFunction(() => window.idoine?.ready);
  await tab.evaluate(async () => void (await window.idoine?.ready));
  const asked = shop.asked.length;
  const title = async (): Promise<string | null> => (await tab.clock.runFor(60_000), tab.evaluate(async () => (await new Promise((done) => queueMicrotask(() => done(0))), document.querySelector("h1")!.textContent)));
  const seen: (string | null)[] = [];
  for (let minute = 0; minute < 9; minute += 1) seen.push(await title());
  assert.ok(seen.slice(0, 1).every((text) => text !== "Only now") && seen.slice(3, 5).every((text) => text === "Only now") && seen.at(-1) !== "Only now", seen.join());
  assert.ok(shop.asked.slice(asked).every(({ path }) => /(live|edits)\.js$/.test(path)));
});

test("a route change decides anew without asking anyone, and restores the baseline", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin + INSTAGRAM);
  await ready(tab);
  const asked = shop.paths().length;
  await route(tab, "/sale", "The sale");
  await route(tab, "/about", "Welcome to the shop");
  assert.equal(await bodyOf(tab), BODY);
  assert.equal(shop.paths().length, asked);
});

/** Grants these purposes, and refuses all others. */
const grant = (tab: Page, ...granted: Purpose[]): Promise<ConsentStatus | undefined> => tab.evaluate((granted) => window.idoine?.consent?.set(granted), granted);

test("nothing is stored before consent, and an experiment has no visitor to split", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  assert.equal(await reason(tab, "cta"), "no_unit");
  assert.deepEqual(await tab.evaluate(() => window.idoine?.consent?.get()), {
    granted: [],
    decided: false,
    choice: { personalization: "unasked", analytics: "unasked", marketing: "unasked" },
    own: [],
    measured: false,
    signals: { gpc: false, dnt: false },
  });
  assert.deepEqual(await stored(tab), NOTHING_STORED);
  assert.deepEqual(await tab.context().cookies(), []);
  assert.equal(await bodyOf(tab), BODY);
});

test("consent mints an id for the next decision; refusing deletes it", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  const { at, ...status } = (await grant(tab, "personalization", "analytics"))!;
  assert.deepEqual(status, {
    granted: ["personalization", "analytics"],
    decided: true,
    choice: { personalization: "granted", analytics: "granted", marketing: "refused" },
    version: 1,
    by: "visitor",
    own: ["marketing"],
    measured: false,
    signals: { gpc: false, dnt: false },
  });
  assert.equal(await bodyOf(tab), BODY, "what is on the page stays");
  const cookies = Object.fromEntries((await tab.context().cookies()).map((cookie) => [cookie.name, cookie]));
  assert.equal(cookies.idoine_consent?.value, `v2.personalization.analytics.-marketing.1.${Date.parse(at!) / 1000}.v`);
  assert.match(cookies.idoine_id?.value ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const months = ((cookies.idoine_id?.expires ?? 0) * 1000 - Date.now()) / 86_400_000;
  assert.ok(months > 394 && months < 395.1, `${months} days`);
  assert.equal(cookies.idoine_id?.sameSite, "Lax");

  await tab.reload();
  await ready(tab);
  assert.equal(await reason(tab, "cta"), "split");
  assert.equal(await tab.textContent(".cta"), "Buy now");
  assert.equal(await title(tab), "Welcome back");
  const again = (await tab.context().cookies()).find(({ name }) => name === "idoine_id");
  assert.equal(again?.value, cookies.idoine_id?.value);

  const refused = (await grant(tab))!;
  assert.deepEqual([refused.granted, refused.choice], [[], { personalization: "withdrawn", analytics: "withdrawn", marketing: "refused" }]);
  const left = (await tab.context().cookies()).map(({ name, value }) => `${name}=${value}`);
  assert.match(left.join("; "), /^idoine_consent=v2\.-marketing\.~personalization\.~analytics\.1\.\d+\.v$/);
  await tab.evaluate(() => window.idoine?.decide?.());
  assert.equal(await bodyOf(tab), BODY);
});

test("a browser that refuses profiling keeps it refused, whatever is granted", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.addInitScript(() => void Object.defineProperty(navigator, "globalPrivacyControl", { value: true }));
  await tab.goto(shop.origin);
  await ready(tab);
  assert.deepEqual((await grant(tab, "personalization", "marketing"))?.granted, []);
  assert.match(await tab.evaluate(() => document.cookie), /^idoine_consent=v2\.-personalization\.-analytics\.-marketing\.1\.\d+\.v$/);
  assert.deepEqual((await grant(tab, "personalization", "analytics"))?.granted, ["analytics"]);
});

/** One answer to every value that the cookie may have; the core is held to the same file natively. */
const choices = JSON.parse(readFileSync(new URL("../spec/consent.json", import.meta.url), "utf8")) as {
  cases: { value: string; gpc: boolean; granted: Purpose[]; valid: boolean }[];
};

test("what the cookie says is the same to those who ask and to the engine, whatever stands in it", async (t) => {
  const shop = await site(t, "", { "/consent.bin": { body: compile("consent.jsonc", "--browser") } });
  const tab = await visit(t);
  await tab.goto(shop.origin);
  const seen = await tab.evaluate(async (cases) => {
    const { createIdoine } = (await import("/_idoine/client.js" as string)) as { createIdoine: typeof Create };
    const client = createIdoine({ program: "/consent.bin", auto: false });
    const answers: [status: ConsentStatus, engine: string[]][] = [];
    for (const { value, gpc } of cases) {
      Object.defineProperty(navigator, "globalPrivacyControl", { value: gpc, configurable: true });
      document.cookie = `idoine_consent=${value}`;
      await client.decide();
      const granted = client.decisions().filter(({ reason }) => reason === "match");
      answers.push([await client.consent.get(), granted.map(({ slot }) => slot)]);
    }
    return answers;
  }, choices.cases);
  assert.deepEqual(
    seen.map(([{ granted, decided }, engine], index) => ({ value: choices.cases[index]!.value, granted, decided, engine: engine.sort() })),
    choices.cases.map(({ value, granted, valid }) => ({ value, granted, decided: valid, engine: [...granted].sort() })),
  );
});

test("a text in local storage that no cookie could carry is read by both in the same way", async (t) => {
  const shop = await site(t, "", { "/consent.bin": { body: compile("consent.jsonc", "--browser") } });
  const tab = await visit(t);
  await tab.addInitScript(() => void Object.defineProperty(Document.prototype, "cookie", { get: () => "", set() {} }));
  await tab.goto(shop.origin);
  const seen = await tab.evaluate(async () => {
    const { createIdoine } = (await import("/_idoine/client.js" as string)) as { createIdoine: typeof Create };
    const client = createIdoine({ program: "/consent.bin", auto: false });
    const answers: unknown[] = [];
    for (const text of [" v1.analytics ", "v1.analytics; idoine_consent=v1.marketing", "; idoine_consent=v1.marketing"]) {
      localStorage.setItem("idoine_consent", text);
      await client.decide();
      answers.push([(await client.consent.get()).granted, client.decisions().filter(({ reason }) => reason === "match").map(({ slot }) => slot)]);
    }
    return answers;
  });
  assert.deepEqual(seen, [[["analytics"], ["analytics"]], [["analytics"], ["analytics"]], [[], []]]);
});

test("where cookies are refused, the choice is kept in local storage", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.addInitScript(() => void Object.defineProperty(Document.prototype, "cookie", { get: () => "", set() {} }));
  await tab.goto(shop.origin);
  await ready(tab);
  await tab.evaluate(() => window.idoine?.consent?.set(["personalization"]));
  assert.deepEqual((await tab.evaluate(() => Object.keys(localStorage))).sort(), ["idoine_consent", "idoine_id"]);
  await tab.reload();
  await ready(tab);
  assert.equal(await reason(tab, "cta"), "split");
  const { at } = (await grant(tab))!;
  const kept = `v2.-analytics.-marketing.~personalization.1.${Date.parse(at!) / 1000}.v`;
  assert.deepEqual(await tab.evaluate(() => ({ ...localStorage })), { idoine_consent: kept });
});

test("without any storage (an opaque origin) the page is decided, and consent lasts for the page", async (t) => {
  const open = (route: Route): Route => async (request) => {
    let reply = route;
    while (typeof reply === "function") reply = await reply(request);
    return typeof reply === "string" ? reply : { ...reply, headers: allow(request) };
  };
  const files = assets("idoine.js", "live.js", "client.js", "edits.js", "engine.js", "engine.wasm");
  const shop = await site(t, LOADER, {
    ...Object.fromEntries(Object.entries(files).map(([path, route]) => [path, open(route)])),
    "/program.bin": open({ type: "application/octet-stream", body: program }),
    "/": { headers: { "content-security-policy": "sandbox allow-scripts" }, body: page(LOADER) },
  });
  const tab = await visit(t);
  await tab.goto(shop.origin + INSTAGRAM);
  await ready(tab);
  assert.equal(await title(tab), "Seen on Instagram");
  assert.deepEqual((await grant(tab, "personalization"))?.granted, ["personalization"]);
  await tab.evaluate(() => window.idoine?.decide?.());
  assert.equal(await reason(tab, "cta"), "split");
});

const POLICY = "default-src 'none'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types idoine; script-src 'self'";

test("a strict content security policy with Trusted Types: the engine runs where the page allows Wasm", async (t) => {
  const shop = await site(t, LOADER, {
    "/": { headers: { "content-security-policy": `${POLICY} 'wasm-unsafe-eval'` }, body: page(LOADER) },
  });
  const tab = await visit(t);
  await tab.goto(shop.origin + INSTAGRAM);
  await ready(tab);
  assert.equal(await title(tab), "Seen on Instagram");
  assert.equal(await tab.innerHTML("#intro"), "Free <em>express</em> shipping");
});

const broken: Record<string, Record<string, Route>> = {
  "the page forbids Wasm": { "/": { headers: { "content-security-policy": POLICY }, body: page(LOADER) } },
  "the program is missing": { "/program.bin": { status: 404 } },
  "the program is damaged": {
    "/program.bin": () => ({ body: Buffer.concat([program.subarray(0, -20), Buffer.alloc(20, 7)]) }),
  },
  "the program is cut off": { "/program.bin": () => ({ body: program.subarray(0, program.length >> 1) }) },
  "the program is a page of HTML": { "/program.bin": "<h1>Not found</h1>" },
  "engine.js is missing": { "/_idoine/engine.js": { status: 404 } },
  "engine.wasm is missing": { "/_idoine/engine.wasm": { status: 404 } },
};

for (const [what, routes] of Object.entries(broken)) {
  test(`when ${what}, the page stays as it was`, async (t) => {
    const shop = await site(t, LOADER, routes);
    const tab = await visit(t);
    await tab.goto(shop.origin + INSTAGRAM);
    await ready(tab);
    assert.equal(await bodyOf(tab), BODY);
    assert.ok(await errorOf(tab));
    assert.deepEqual(await tab.evaluate(() => window.idoine?.decisions?.()), []);
  });
}

test("when client.js is missing, the page stays as it was and hidden slots come back at once", async (t) => {
  const head = `<script data-hide="h1" data-hide-ms="2000">${stub()}</script>${LOADER}`;
  const shop = await site(t, head, { "/_idoine/client.js": { status: 404 } });
  const tab = await visit(t);
  await tab.clock.install({ time: 0 });
  await tab.clock.pauseAt(60_000);
  await tab.goto(shop.origin + INSTAGRAM);
  await until(() => tab.evaluate(() => getComputedStyle(document.querySelector("h1")!).visibility === "visible"));
  assert.equal(await bodyOf(tab), BODY);
});

test("a trap costs one decision nothing: the engine is replaced and asked again", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin + INSTAGRAM);
  await ready(tab);
  const count = (path: string): number => shop.paths().filter((one) => one === path).length;
  /** Lets so many decisions trap. */
  const trap = (times: number): Promise<void> =>
    tab.evaluate(async (times) => {
      const { Engine } = (await import("/_idoine/engine.js" as string)) as { Engine: { prototype: { decide(bytes: number): unknown } } };
      const decide = Engine.prototype.decide;
      Engine.prototype.decide = function (bytes) {
        if (times-- > 0) throw new WebAssembly.RuntimeError("unreachable");
        return decide.call(this, bytes);
      };
    }, times);
  await trap(1);
  await route(tab, "/sale", "The sale");
  assert.equal(await errorOf(tab), undefined);
  assert.equal(count("/program.bin"), 1, "the program is not downloaded again");
  await trap(1);
  await route(tab, INSTAGRAM, "Welcome to the shop");
  assert.match((await errorOf(tab)) ?? "", /unreachable/);
  assert.equal(await bodyOf(tab), BODY);
});

/** What the Worker tells: the place counts, and what follows from it; the zone and the source are the page's own. */
const TOLD = {
  "geo.country": "FR",
  "geo.latitude": 45.7,
  "geo.longitude": 4.8,
  "geo.timezone": "Asia/Tokyo",
  "network.organization": "Example Net",
  "places.stores.nearest": "sydney",
  "source.name": "x",
};

test("a Worker at another host name tells the place; without its answer the page is decided all the same", async (t) => {
  const api = await serve({
    "/_idoine/context": (request) =>
      json({ version: "0", preview: false, context: TOLD }, allow(request)),
  });
  t.after(() => api.close());
  const head = `<script async src="/_idoine/idoine.js" data-program="/program.bin" data-api="${api.origin}"></script>`;
  const shop = await site(t, head);
  const tab = await visit(t);
  await tab.goto(shop.origin + INSTAGRAM);
  await ready(tab);
  const offer = { percent: 10, store: "lyon", network: "Example Net", zone: await tab.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone) };
  assert.deepEqual(await tab.evaluate(() => window.idoine?.value?.("offer")), offer);
  assert.equal(await title(tab), "Seen on Instagram", "the source is the page's own");

  await api.close();
  api.close = async () => {};
  await tab.reload();
  await ready(tab);
  assert.equal(await tab.evaluate(() => window.idoine?.value?.("offer")), undefined);
  assert.equal(await title(tab), "Seen on Instagram");
});

test("a Worker at another host name tells what enrichments say", async (t) => {
  let context: Record<string, unknown> = { "enrichment.weather.condition": "rain", "enrichment.weather.degrees": -2, "enrichment.weather.alerts": ["wind", "flood"] };
  const api = await serve({ "/_idoine/context": (request) => json({ version: "0", preview: false, context }, allow(request)) });
  t.after(() => api.close());
  const head = `<script async src="/_idoine/idoine.js" data-program="/program.bin" data-api="${api.origin}"></script>`;
  const shop = await site(t, head, { "/program.bin": { type: "application/octet-stream", body: compile("weather.jsonc", "--browser") } });
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  assert.equal(await title(tab), "Rain, -2 degrees");

  context = { ...context, "enrichment.weather.condition": "hail" };
  await tab.reload();
  await ready(tab);
  assert.equal(await title(tab), "Welcome to the shop");
  assert.equal(await reason(tab, "hero"), "no_candidate");
});
