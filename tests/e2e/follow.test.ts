// When a page is decided anew: the time, and what became known of the visitor. Routes: snippet.test.ts and client.test.ts.
import assert from "node:assert/strict";
import { after, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { assets } from "./fixtures/artefacts.ts";
import { closeBrowser, until, visit } from "./fixtures/browser.ts";
import { answer, edgeHead, HERO, HERO_TEXT, NO_HERO, OFFER, page, STATE } from "./fixtures/pages.ts";
import { json, serve, type Asked, type Route, type Site } from "./fixtures/server.ts";

after(closeBrowser);

async function open(t: TestContext, routes: Record<string, Route>, state: object = {}, cookie = ""): Promise<{ site: Site; tab: Page; asked: () => any[] }> {
  const site = await serve({ ...assets("idoine.js", "edits.js", "live.js"), "/": page(`<script>document.cookie = "${cookie}"</script>${edgeHead({ ...STATE, ...state })}`), ...routes });
  t.after(() => site.close());
  const tab = await visit(t);
  await tab.clock.install();
  await tab.goto(site.origin);
  await tab.waitForFunction(() => window.idoine?.ready);
  return { site, tab, asked: () => site.asked.filter(({ path }) => path === "/_idoine/decide").map(({ body }) => JSON.parse(body)) };
}

test("at the time that is told the page is decided anew, and not before; without an answer, and by a clock that runs ahead, ever more rarely", async (t) => {
  const start = Date.now();
  const until_ = start + 3_600_000;
  const replies: Route[] = [{ status: 503 }];
  const { tab, asked } = await open(t, { "/_idoine/decide": () => replies.shift() ?? json({ ...answer([HERO], [HERO_TEXT]), until: until_ }) }, { until: until_ });
  /** Lets time pass in steps, so that what is asked is answered meanwhile. */
  const pass = async (seconds: number): Promise<number> => {
    const before = asked().length;
    for (let second = 0; second < seconds; second += 2) {
      await tab.clock.runFor(2000);
      await tab.evaluate(() => fetch("/"));
    }
    return asked().length - before;
  };
  await tab.clock.runFor(3_500_000);
  assert.deepEqual(asked(), []);
  await pass(140);
  assert.ok(asked().length >= 2, "also after an answer that did not come");
  assert.equal(await tab.textContent("h1"), HERO_TEXT.value);
  // Each answer names the same instant: it is asked after 2, 4, 8, ... seconds.
  const times = [await pass(100), await pass(100), await pass(100)];
  assert.ok(times[0]! + times[1]! + times[2]! <= 5, String(times));
});

test("however often the route changed before, the page is decided anew when the time comes; who reads it is led nowhere", async (t) => {
  const at = Date.now() + 600_000;
  const away = { slot: "way", selector: "", op: "redirect", value: "/elsewhere" };
  let edits = [HERO_TEXT];
  const { tab, asked, site } = await open(t, { "/_idoine/decide": () => json({ ...answer([HERO], edits as never), until: at }) }, { until: at });
  await tab.clock.runFor(3000);
  for (let route = 0; route < 15; route += 1) {
    await tab.evaluate((route) => history.pushState(null, "", `/route-${route}`), route);
    await until(async () => asked().length === route + 1);
    await tab.clock.runFor(100);
  }
  edits = [{ ...HERO_TEXT, value: "Later" }, away as never];
  await tab.clock.runFor(590_000);
  assert.equal(asked().length, 15);
  await tab.clock.runFor(10_000);
  await until(async () => (await tab.textContent("h1")) === "Later");
  await tab.evaluate(() => fetch("/"));
  assert.ok(!site.paths().includes("/elsewhere"));
});

test("what becomes known while a route is decided is asked again behind it", async (t) => {
  let release!: () => void;
  const held = new Promise<void>((resolve) => (release = resolve));
  const { tab, asked } = await open(
    t,
    {
      "/next": page(""),
      "/_idoine/decide": async ({ body }) => {
        const { slots } = JSON.parse(body);
        if (!slots) await held;
        return json(answer([HERO, OFFER], [{ ...HERO_TEXT, value: slots ? "known" : "before" }]));
      },
      "/_idoine/collect": json({ results: [], slots: ["hero"] }),
    },
    {},
    "idoine_consent=v2.personalization.1.1763900000.v",
  );
  await tab.evaluate(() => window.idoine!("profile"));
  await tab.evaluate(() => {
    history.pushState(null, "", "/next");
    void window.idoine!("track", "Product Viewed");
  });
  await until(async () => asked().length === 1);
  release();
  await tab.waitForFunction(() => document.querySelector("h1")!.textContent === "known");
  assert.deepEqual(asked().map(({ slots }) => slots ?? "all"), ["all", ["hero"]]);
});

test("a page whose decisions no time changes is left alone", async (t) => {
  const { tab, asked } = await open(t, {});
  await tab.clock.runFor(40 * 24 * 3_600_000);
  assert.deepEqual(asked(), []);
});

test("what changes a field that a slot reads has that slot decided anew, and no other one touched", async (t) => {
  let decided = (_: Asked): Route => json({ ...answer([HERO, OFFER], [HERO_TEXT]) });
  const { tab, asked } = await open(
    t,
    {
      "/_idoine/decide": (request) => decided(request),
      "/_idoine/collect": json({ results: [{ status: "accepted" }], slots: ["hero", "of-another-page"] }),
    },
    { decisions: [NO_HERO, OFFER] },
    "idoine_consent=v2.personalization.1.1763900000.v",
  );
  const news = tab.evaluate(
    () =>
      new Promise((resolve) => {
        window.idoine!("subscribe", "offer", () => resolve("the offer was touched"));
        window.idoine!("subscribe", "hero", (decision: unknown) => resolve(decision));
      }),
  );
  await tab.evaluate(() => window.idoine!("identify", "u-1", { plan: "pro" }));
  assert.deepEqual(await news, HERO);
  assert.deepEqual(asked().map(({ slots }) => slots), [["hero"]]);
  assert.equal(await tab.textContent("h1"), HERO_TEXT.value);
  assert.deepEqual(await tab.evaluate(() => [window.idoine!.decisions!(), window.idoine!.value!("offer")]), [[HERO, OFFER], { percent: 10 }]);

  // Published in between: what stays would be of another program, so all is decided.
  decided = ({ body }) => json(answer([HERO, OFFER], [{ ...HERO_TEXT, value: JSON.parse(body).slots ? "half" : "whole" }], "ffeeddccbbaa9988"));
  await tab.evaluate(() => window.idoine!("track", "Product Viewed"));
  await tab.waitForFunction(() => document.querySelector("h1")!.textContent === "whole");
  assert.deepEqual(asked().map(({ slots }) => slots ?? "all"), [["hero"], ["hero"], "all"]);
  assert.equal(await tab.evaluate(() => window.idoine!.debug!().version), "ffeeddccbbaa9988");
});

test("slots can be decided anew by name", async (t) => {
  const { tab, asked } = await open(t, { "/_idoine/decide": json(answer([HERO], [HERO_TEXT])) });
  const decisions = await tab.evaluate(() => window.idoine!("decide", { slots: ["hero"] }));
  assert.deepEqual([decisions, asked().map(({ slots }) => slots)], [[HERO, OFFER], [["hero"]]]);
});
