// Capture in real pages: each kind has a page in fixtures/capture/, where a visitor does the thing, and what is told is told exactly.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { KINDS } from "../../www/src/capture/index.ts";
import { browser, closeBrowser, DESKTOP, until, visit } from "./fixtures/browser.ts";
import { captureSite, fileOf, fixture, listen, toldIn, type Told } from "./fixtures/capturing.ts";
import type { Site } from "./fixtures/server.ts";

after(closeBrowser);

/** What a visitor does in a fixture page, with what is to be told of it; `leave` goes on to another page of the site. */
interface Story {
  before?(tab: Page): Promise<unknown>;
  act(tab: Page, site: Site): Promise<unknown>;
  told(site: Site): Told[];
}

const leave = (tab: Page, site: Site): Promise<unknown> => tab.goto(`${site.origin}/elsewhere`);
/** Until a route that was changed to is taken for shown. */
const settle = (tab: Page): Promise<void> => tab.waitForTimeout(120);

const SHOE = { product_id: "SHO-201", name: "Trail shoe", price: 119 };

const STORIES: Readonly<Record<string, Story>> = {
  pages: {
    async act(tab) {
      await tab.click("#sale");
      await settle(tab);
      await tab.click("#through");
      await settle(tab);
    },
    told: ({ origin }) => [
      ["page", { path: "/capture/pages", title: "Shop of …", virtual: false }],
      ["page", { path: "/sale", title: "Sale", referrer: `${new URL(origin).host}/capture/pages`, virtual: true }],
      ["page", { path: "/sale", title: "Sale", referrer: `${new URL(origin).host}/sale`, virtual: true }],
    ],
  },
  visible_time: {
    // Time is what the test says it is.
    async before(tab) {
      await tab.clock.install({ time: 0 });
      await tab.clock.pauseAt(60_000);
    },
    async act(tab, site) {
      await tab.clock.runFor(2500);
      await tab.click("#next");
      await tab.clock.runFor(1500);
      // Another tab is looked at meanwhile.
      await show(tab, false);
      await tab.clock.runFor(60_000);
      await show(tab, true);
      await tab.clock.runFor(500);
      await show(tab, false);
      await show(tab, true);
      await tab.clock.runFor(700);
      await leave(tab, site);
    },
    told: () => [
      ["Page Engaged", { path: "/capture/visible-time", seconds: 2.5 }],
      ["Page Engaged", { path: "/chapter-2", seconds: 1.5 }],
      ["Page Engaged", { path: "/chapter-2", seconds: 1.2 }],
    ],
  },
  scroll: {
    async act(tab) {
      await tab.evaluate(() => document.querySelector("#small")!.scrollTo(0, 1000));
      await tab.evaluate(() => scrollTo(0, 3000));
      await tab.waitForTimeout(200);
      await tab.evaluate(() => scrollTo(0, 0));
      await tab.waitForTimeout(200);
      await tab.evaluate(() => scrollTo(0, 1e6));
      await tab.waitForTimeout(200);
    },
    told: () => [25, 50, 75, 90, 100].map((percent) => ["Page Scrolled", { percent }]),
  },
  clicks: {
    async act(tab) {
      await tab.click("#marked i");
      await tab.click("#plain");
      await tab.click("#private");
      await tab.click("#inner");
    },
    told: () => [
      ["Element Clicked", { name: "menu", position: "top", item_count: 3, page_id: "007" }],
      ["Element Clicked", { name: "inner" }],
    ],
  },
};

/** Shows or hides the page, as the browser does when another tab is looked at. */
async function show(tab: Page, isVisible: boolean): Promise<void> {
  await tab.evaluate((state) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }, isVisible ? "visible" : "hidden");
}

/** Lets a visitor live through a kind's story with these kinds switched on. */
async function live(t: TestContext, kind: string, names: readonly string[]): Promise<{ told: Told[]; site: Site }> {
  const site = await captureSite(t, [kind]);
  const tab = await visit(t, DESKTOP);
  await STORIES[kind]!.before?.(tab);
  await tab.goto(`${site.origin}/capture/${fileOf(kind)}`);
  await listen(tab, names);
  await STORIES[kind]!.act(tab, site);
  return { told: await toldIn(tab), site };
}

for (const [kind, story] of Object.entries(STORIES)) {
  test(`${kind}: what is done is told exactly, and nothing where it is not switched on`, async (t) => {
    const { told, site } = await live(t, kind, [kind]);
    assert.deepEqual(told, story.told(site));
    assert.deepEqual((await live(t, kind, [])).told, []);
  });
}
