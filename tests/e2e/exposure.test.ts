// Exposures: what was really seen is told, once, and nothing else.
import assert from "node:assert/strict";
import { after, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import type { Decision } from "../../www/src/types.ts";
import { assets } from "./fixtures/artefacts.ts";
import { closeBrowser, until, visit } from "./fixtures/browser.ts";
import { answer, edgeHead, HERO, HERO_TEXT, NO_HERO, page, STATE } from "./fixtures/pages.ts";
import { json, serve, type Site } from "./fixtures/server.ts";

after(closeBrowser);

const AGREED = '<script>document.cookie = "idoine_consent=v2.analytics.personalization.1.1763900000.v; Path=/"</script>';
const CONTROL: Decision = { slot: "side", experience: "side-test", variant: 0, source: "experiment", reason: "split" };
const LOW: Decision = { slot: "low", experience: "low", variant: 2, source: "personalization", reason: "match" };
const GONE: Decision = { slot: "gone", experience: "gone", variant: 1, source: "personalization", reason: "match" };
const BODY = `<h1>Hero</h1><aside style="height:200px">Side</aside><p id="gone" hidden>Gone</p><div style="height:3000px"></div><section id="low" style="height:400px">Low</section><div style="height:3000px"></div>`;
const SELECTORS = { hero: "h1", side: "aside", low: "#low", gone: "#gone" };

async function open(t: TestContext, decisions: Decision[], { head = AGREED, loader = "", routes = {} } = {}): Promise<{ site: Site; tab: Page; seen: () => any[] }> {
  const html = page(head + edgeHead({ ...STATE, decisions, selectors: SELECTORS }).replace("<script async", `<script async ${loader}`), BODY);
  const site = await serve({ ...assets("idoine.js", "edits.js", "live.js"), "/": html, "/next": html, "/_idoine/collect": json({ results: [] }), ...routes });
  t.after(() => site.close());
  const tab = await visit(t, { viewport: { width: 800, height: 600 } });
  await tab.goto(site.origin);
  await tab.waitForFunction(() => window.idoine?.ready);
  const seen = () => site.asked.filter(({ path }) => path === "/_idoine/collect").flatMap(({ body }) => JSON.parse(body).events.filter(({ type }: { type: string }) => type === "exposure"));
  return { site, tab, seen };
}

const slots = (events: any[]): string[] => events.map(({ properties: { slot } }) => slot).sort();
const rest = (tab: Page, ms = 1300): Promise<void> => tab.evaluate((ms) => new Promise((done) => setTimeout(done, ms)), ms);

test("what is in the window for a second is told once; what is below it when it is scrolled to; a control group too, a baseline not", async (t) => {
  const { tab, seen } = await open(t, [HERO, CONTROL, LOW, GONE, { ...NO_HERO, slot: "none" }, { ...CONTROL, slot: "unit", source: "baseline", reason: "no_unit" }]);
  await until(async () => seen().length >= 3);
  assert.deepEqual(slots(seen()), ["gone", "hero", "side"]);
  const hero = seen().find(({ properties }) => properties.slot === "hero");
  assert.deepEqual(hero.properties, { slot: "hero", experience: "hero-instagram", variant: 1, source: "personalization", version: STATE.version });
  assert.equal(new Set(seen().map(({ messageId }) => messageId)).size, 3);
  // Seen too shortly, and too little.
  await tab.evaluate(() => scrollTo(0, document.querySelector("#low")!.getBoundingClientRect().top - 600 + 150));
  await rest(tab);
  assert.equal(seen().length, 3, "less than half of it");
  await tab.evaluate(async () => {
    document.querySelector("#low")!.scrollIntoView();
    await new Promise((done) => setTimeout(done, 200));
    scrollTo(0, 0);
  });
  await rest(tab);
  assert.equal(seen().length, 3, "less than a second");
  await tab.evaluate(() => document.querySelector("#low")!.scrollIntoView());
  await until(async () => seen().length === 4);
  assert.equal(seen()[3].properties.slot, "low");
  await tab.evaluate(() => scrollTo(0, 0));
  await rest(tab);
  assert.equal(seen().length, 4, "once");
});

test("without consent nothing is told; from when it is given what is seen then is", async (t) => {
  const { tab, seen } = await open(t, [HERO], { head: "", routes: { "/_idoine/consent": json({ granted: ["analytics"], decided: true }, { "set-cookie": "idoine_consent=v2.analytics.1.1763900000.v; Path=/" }) } });
  await rest(tab, 1600);
  assert.deepEqual(seen(), []);
  await tab.evaluate(() => window.idoine!("consent.set", ["analytics"]));
  await until(async () => seen().length === 1);
});

test("a hidden page sees nothing; how much and how long is set by an attribute", async (t) => {
  const { tab, seen } = await open(t, [HERO], { loader: 'data-exposure="0.1 100"' });
  await until(async () => seen().length === 1);
  const hidden = await open(t, [HERO], { head: `${AGREED}<script>Object.defineProperty(document, "hidden", { get: () => !window.awake, configurable: true })</script>`, loader: 'data-exposure="0.1 100"' });
  await rest(hidden.tab, 600);
  assert.deepEqual(hidden.seen(), []);
  await hidden.tab.evaluate(() => {
    (window as any).awake = true;
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await until(async () => hidden.seen().length === 1);
  await tab.close();
});

test("a route change is another view; deciding again on the same page is not, but another variant is", async (t) => {
  let edits = [HERO_TEXT];
  let decision = HERO;
  const { tab, seen } = await open(t, [HERO], { loader: 'data-exposure="0.5 50"', routes: { "/_idoine/decide": () => json(answer([decision], edits)) } });
  await until(async () => seen().length === 1);
  await tab.evaluate(() => window.idoine!("decide"));
  await rest(tab, 400);
  assert.equal(seen().length, 1);
  decision = { ...HERO, variant: 2 };
  edits = [{ ...HERO_TEXT, value: "Two" }];
  await tab.evaluate(() => window.idoine!("decide"));
  await until(async () => seen().length === 2);
  await tab.evaluate(() => history.pushState(null, "", "/next"));
  await until(async () => seen().length === 3);
  assert.deepEqual(seen().map(({ properties }) => properties.variant), [1, 2, 2]);
  assert.equal(new Set(seen().map(({ messageId }) => messageId)).size, 3);
});

test("an element that the page's own code makes is watched where it is handed over, also when it is made anew", async (t) => {
  const { tab, seen } = await open(t, [{ ...LOW, slot: "own" }, { ...HERO, slot: "marked", experience: "marked" }], { loader: 'data-exposure="0.5 50"', head: AGREED });
  // Without an element both are seen with the page: the elements come first here.
  await tab.evaluate(() => {
    const far = document.querySelector("#low")!;
    window.idoine!("observe", "own", far);
  });
  await until(async () => seen().length >= 1);
  await rest(tab, 400);
  const told = slots(seen());
  await tab.evaluate(() => document.querySelector("#low")!.scrollIntoView());
  await until(async () => slots(seen()).includes("own"));
  assert.ok(told.includes("marked"));
});

test("what several slots show of one experience has one time, so that caps count it once", async (t) => {
  const { tab, seen } = await open(t, [HERO, { ...CONTROL, experience: HERO.experience }, { ...LOW, experience: HERO.experience }], { loader: 'data-exposure="0.5 50"' });
  await until(async () => seen().length === 2);
  await tab.evaluate(() => document.querySelector("#low")!.scrollIntoView());
  await until(async () => seen().length === 3);
  assert.equal(new Set(seen().map(({ timestamp }) => timestamp)).size, 1);
});

test("who keeps the baseline is exposed to it where it is, also after a route change", async (t) => {
  const control: Decision = { ...CONTROL, slot: "low" };
  const { tab, seen } = await open(t, [control], { loader: 'data-exposure="0.5 50"', routes: { "/_idoine/decide": json({ ...answer([control]), selectors: { low: "#low" } }) } });
  await rest(tab, 600);
  assert.deepEqual(seen(), [], "it is below the fold");
  await tab.evaluate(() => history.pushState(null, "", "/next"));
  await rest(tab, 600);
  assert.deepEqual(seen(), []);
  await tab.evaluate(() => document.querySelector("#low")!.scrollIntoView());
  await until(async () => seen().length === 1);
});

test("what is decided otherwise before it counted is seen all the same; what the page itself hides is not", async (t) => {
  const other = { ...HERO, variant: 2 };
  const { tab, seen } = await open(t, [HERO, { ...LOW, slot: "side" }], { loader: 'data-exposure="0.5 3000"', head: `${AGREED}<style>aside { display: none }</style>`, routes: { "/_idoine/decide": json(answer([other, { ...LOW, slot: "side" }], [{ ...HERO_TEXT, selector: "h1", value: "Two" }])) } });
  await tab.evaluate(() => window.idoine!("profile"));
  await rest(tab, 300);
  await tab.evaluate(() => window.idoine!("decide", { slots: ["hero"] }));
  await until(async () => seen().length === 1);
  await rest(tab, 600);
  assert.deepEqual(seen().map(({ properties: { slot, variant } }) => [slot, variant]), [["hero", 2]]);
});

test("a page that decides when it is told to counts what was seen as well", async (t) => {
  const { seen } = await open(t, [HERO], { loader: 'data-auto="false" data-exposure="0.5 50"' });
  await until(async () => seen().length === 1);
});

test("what was seen is told even when the tab is closed at once", async (t) => {
  const { tab, seen } = await open(t, [HERO], { loader: 'data-exposure="0.5 50"' });
  // The network is slower than the visitor.
  await tab.evaluate(() => new Promise<void>((done) => {
    const timer = setInterval(() => {
      if (!window.idoine!.debug!().events.length) return;
      clearInterval(timer);
      done();
    }, 1);
  }));
  await tab.close();
  await until(async () => seen().length === 1);
});
