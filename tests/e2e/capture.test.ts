// Capture in real pages: each kind has a page in fixtures/capture/, where a visitor does the thing, and what is told is told exactly.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { KINDS } from "../../www/src/capture/index.ts";
import { browser, closeBrowser, DESKTOP, visit } from "./fixtures/browser.ts";
import { captureSite, fileOf, listen, pass, toldIn, type Told } from "./fixtures/capturing.ts";
import type { Site } from "./fixtures/server.ts";

after(closeBrowser);

/** What a visitor does in a fixture page, with what is to be told of it; `leave` goes on to another page of the site. */
interface Story {
  /** What stands behind the page's address. */
  query?: string;
  /** The page throws on purpose. */
  hasErrors?: boolean;
  before?(tab: Page): Promise<unknown>;
  act(tab: Page, site: Site): Promise<unknown>;
  told(site: Site): Told[];
  /** What is told without what is another value each time. */
  plain?(told: Told[]): Told[];
}

const leave = (tab: Page, site: Site): Promise<unknown> => tab.goto(`${site.origin}/elsewhere`);

const SHOE = { product_id: "SHO-201", name: "Trail shoe", price: 119 };

const STORIES: Readonly<Record<string, Story>> = {
  pages: {
    async act(tab) {
      await tab.click("#sale");
      await pass(tab);
      await tab.click("#through");
      await pass(tab);
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
      await pass(tab, 200);
      await tab.evaluate(() => scrollTo(0, 0));
      await pass(tab, 200);
      await tab.evaluate(() => scrollTo(0, 1e6));
      await pass(tab, 200);
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
  forms: {
    async act(tab, site) {
      await tab.fill("#contact [name=name]", "Ada Secret");
      await tab.fill("#contact [name=email]", "ada@shop.example");
      await tab.fill("#contact [name=password]", "secret");
      await tab.focus("#contact [name=subject]");
      await tab.keyboard.press("s");
      // What a script writes is nobody's beginning.
      await tab.evaluate(() => document.querySelector("#by-script input")!.dispatchEvent(new Event("input", { bubbles: true })));
      await tab.fill("#newsletter input", "ada@shop.example");
      await tab.click("#newsletter button");
      await tab.fill("#by-script input", "4242");
      await Promise.all([tab.waitForURL("**/thanks"), tab.evaluate(() => document.querySelector<HTMLFormElement>("#by-script")!.submit())]);
    },
    told: () => [
      ["Form Started", { form: "contact", field: "name" }],
      ["Form Started", { form: "newsletter", field: "newsletter_email" }],
      ["Form Submitted", { form: "newsletter", fields: ["newsletter_email"] }],
      ["Form Started", { form: "by-script", field: "amount" }],
      ["Form Abandoned", { form: "contact", field: "subject", fields: ["name", "email", "password", "subject"], path: "/capture/forms" }],
    ],
  },
  search: {
    query: "?q=Red%20%20Shoes&customer=ada",
    async act(tab) {
      await tab.fill("[name=other]", "secret");
      await tab.fill("[name=term]", "Boots of ada@shop.example");
      await tab.click("#within button");
      await pass(tab);
    },
    told: () => [
      ["Products Searched", { query: "red shoes" }],
      ["Products Searched", { query: "boots of …" }],
    ],
  },
  filters: {
    async act(tab) {
      await tab.check("#red");
      await tab.check("#blue");
      await tab.uncheck("#red");
      await tab.selectOption("#sort", "price");
      await tab.fill("#words", "secret");
      await tab.click("#sale");
    },
    told: () => {
      const [red, blue] = [{ type: "colour", value: "red" }, { type: "colour", value: "blue" }];
      const sorts = [{ type: "by", value: "price" }];
      return [
        ["Product List Filtered", { list_id: "shoes", filters: [red], sorts: [] }],
        ["Product List Filtered", { list_id: "shoes", filters: [red, blue], sorts: [] }],
        ["Product List Filtered", { list_id: "shoes", filters: [blue], sorts: [] }],
        ["Product List Filtered", { list_id: "shoes", filters: [blue], sorts }],
        ["Product List Filtered", { list_id: "shoes", filters: [blue, { type: "sale", value: "true" }], sorts }],
      ];
    },
  },
  video: {
    async act(tab) {
      await tab.evaluate(async () => {
        const [film, decoration] = [...document.querySelectorAll("video")] as [HTMLVideoElement, HTMLVideoElement];
        const over = new Promise((resolve) => film.addEventListener("ended", resolve, { once: true }));
        await Promise.all([decoration.play(), film.play()]);
        await over;
        // Seen again it tells nothing anew.
        const again = new Promise((resolve) => film.addEventListener("ended", resolve, { once: true }));
        await film.play();
        film.currentTime = film.duration - 0.1;
        await again;
      });
    },
    told: () => {
      const of = { title: "How it is made", total_length: 2 };
      return [
        ["Video Playback Started", { ...of, percent: 0 }],
        ...[25, 50, 75].map((percent): Told => ["Video Content Playing", { ...of, percent }]),
        ["Video Playback Completed", { ...of, percent: 100 }],
      ];
    },
  },
  outbound: {
    async act(tab) {
      await tab.click("#out b");
      await tab.click("#own");
      await tab.click("#mail");
    },
    told: () => [["Outbound Link Clicked", { host: "partner.example", url: "partner.example/offers/shoes" }]],
  },
  downloads: {
    async act(tab) {
      for (const id of ["pdf", "out", "page", "made"]) await tab.click(`#${id}`);
    },
    told: ({ origin }) => [
      ["File Downloaded", { file: "Price-List.PDF", extension: "pdf", url: `${new URL(origin).host}/files/Price-List.PDF` }],
      ["File Downloaded", { file: "manual.zip", extension: "zip", url: "partner.example/manual.zip" }],
      ["File Downloaded", { extension: "csv" }],
    ],
  },
  copy: {
    async act(tab) {
      const copyOf = async (selector: string): Promise<void> => {
        await tab.click(selector, { clickCount: 3 });
        await tab.keyboard.press("Control+c");
      };
      await copyOf("#address");
      await copyOf("h1");
      await copyOf("#own");
    },
    told: () => [
      ["Content Copied", { length: "Secret Street 7".length, where: "p#address" }],
      ["Content Copied", { length: "Imprint".length, where: "h1 in main" }],
    ],
  },
  ecommerce: {
    async act(tab) {
      await tab.click("#add");
      await tab.fill("#wish input", "secret");
      await tab.click("#wish button");
      await tab.click("#cart");
      await pass(tab);
    },
    told: () => [
      ["Product Viewed", { ...SHOE, sku: "SHO-201", brand: "Northway", category: "shoes", currency: "EUR" }],
      ["Product Added", { ...SHOE, on_sale: true, quantity: 2 }],
      ["Product Added to Wishlist", { ...SHOE, on_sale: true }],
      ["Cart Viewed", { cart_id: "c-1", products: [{ product_id: "SHO-201", quantity: 2 }, { product_id: "BAG-7", quantity: 1 }] }],
    ],
  },
  data_layer: {
    async act(tab) {
      await tab.click("#gtm");
      await tab.click("#gtag");
      // The queue answers as it did, and holds what was pushed.
      const queue = await tab.evaluate(() => ({ answered: (window as any).length, length: (window as any).dataLayer.length }));
      assert.deepEqual(queue, { answered: 4, length: 8 });
    },
    told: () => {
      const shoe = { product_id: "201", name: "Trail shoe", brand: "Northway", category: "shoes", variant: "red", price: 119, quantity: 2, position: 0 };
      return [
        ["Product Viewed", { currency: "EUR", value: 119, ...SHOE }],
        ["Product Added", { currency: "EUR", ...shoe }],
        ["Product Added", { currency: "EUR", product_id: "BAG-7", name: "Bag", price: 40 }],
        ["Products Searched", { query: "shoes" }],
        ["Order Completed", { order_id: "1042", revenue: 238, tax: 38, shipping: 5, currency: "EUR", coupon: "SPRING", products: [shoe] }],
      ];
    },
  },
  web_vitals: {
    async act(tab, site) {
      await tab.waitForFunction(() => document.querySelector("#late")!.clientHeight === 200);
      await tab.click("#slow");
      // The package looks at an interaction when the browser is idle, or a second later; what is left sooner it does not report.
      await pass(tab, 1500);
      await leave(tab, site);
    },
    told: () => ["CLS", "FCP", "INP", "LCP", "TTFB"].map((name) => ["Web Vital Measured", { name, value: "number", rating: "string", metric_id: "string" }]),
    // What is measured is another number each time.
    plain: (told) =>
      told
        .map(([event, { name, ...measured }]): Told => [event, { name, ...Object.fromEntries(Object.entries(measured).map(([key, value]) => [key, typeof value])) }])
        .sort(([, one], [, other]) => String(one.name).localeCompare(String(other.name))),
  },
  rage_clicks: {
    async act(tab) {
      for (let at = 0; at < 5; at++) await tab.click("#dead");
      await tab.click("#text", { clickCount: 3 });
      await tab.mouse.click(1, 1);
      for (let at = 0; at < 4; at++) await tab.click("#number");
      // Here and there is no anger.
      for (const at of [0, 1, 2, 3]) await tab.click(at % 2 ? "#dead" : "#far");
    },
    told: () => [["Element Rage Clicked", { element: "button#dead" }]],
  },
  errors: {
    hasErrors: true,
    async act(tab) {
      for (const id of ["throw", "reject", "quotes", "many"]) await tab.click(`#${id}`);
      await pass(tab);
    },
    told: ({ origin }) => {
      const at = { source: `${new URL(origin).host}/capture/errors`, line: "number", column: "number" };
      return [
        ["Error Occurred", { message: "Uncaught TypeError: No answer of https://shop.example/api for …", name: "TypeError", ...at }],
        ["Error Occurred", { message: "RangeError: Too many of /cart", name: "RangeError", ...at }],
        ["Error Occurred", { message: `Uncaught SyntaxError: Unexpected token 's', "…" is not valid JSON`, name: "SyntaxError", ...at }],
        ...[0, 1, 2, 3, 4, 5, 6].map((number): Told => ["Error Occurred", { message: `Uncaught Error: Mistake ${number}`, name: "Error", ...at }]),
      ];
    },
    plain: (told) => told.map(([event, facts]): Told => [event, { ...facts, line: typeof facts.line, column: typeof facts.column }]),
  },
};

/** Shows or hides the page, as the browser does when another tab is looked at. */
async function show(tab: Page, isVisible: boolean): Promise<void> {
  await tab.evaluate((state) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }, isVisible ? "visible" : "hidden");
}

/** A visitor's tab; of a page that throws on purpose one that no error fails. */
async function open(t: TestContext, hasErrors = false): Promise<Page> {
  if (!hasErrors) return visit(t, DESKTOP);
  const context = await (await browser()).newContext(DESKTOP);
  t.after(() => context.close());
  return context.newPage();
}

/** Lets a visitor live through a kind's story with these kinds switched on. */
async function live(t: TestContext, kind: string, names: readonly string[]): Promise<{ told: Told[]; site: Site }> {
  const { before, act, query = "", hasErrors, plain = (told) => told } = STORIES[kind]!;
  const site = await captureSite(t, [kind]);
  const tab = await open(t, hasErrors);
  await before?.(tab);
  await tab.goto(`${site.origin}/capture/${fileOf(kind)}${query}`);
  await listen(tab, names);
  await act(tab, site);
  return { told: plain(await toldIn(tab)), site };
}

for (const [kind, story] of Object.entries(STORIES)) {
  test(`${kind}: what is done is told exactly, and nothing where it is not switched on`, async (t) => {
    const { told, site } = await live(t, kind, [kind]);
    assert.deepEqual(told, story.told(site));
    assert.deepEqual((await live(t, kind, [])).told, []);
  });
}

test("every kind has a module, a story, a fixture page and a row in the documentation, and nothing else has", () => {
  const kinds = Object.keys(KINDS).sort();
  const doc = readFileSync(new URL("../../docs/capture.md", import.meta.url), "utf8");
  const [, table] = /## What is told\n([\s\S]*?)\n## /.exec(doc)!;
  const rows = [...table!.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name!);
  assert.deepEqual(rows.sort(), kinds);
  assert.deepEqual(Object.keys(STORIES).sort(), kinds);
  const pages = readdirSync(new URL("fixtures/capture/", import.meta.url));
  assert.deepEqual(pages.sort(), kinds.map((kind) => `${fileOf(kind)}.html`).sort());
  // What is no kind is what kinds have in common.
  const shared = ["ga4", "index", "links", "markup", "products", "scope", "shop", "text", "vitals"];
  const modules = readdirSync(new URL("../../www/src/capture/", import.meta.url)).map((file) => file.replace(/\.ts$/, ""));
  assert.deepEqual(modules.filter((name) => !shared.includes(name)).sort(), kinds.map(fileOf).sort());
  // Each event that a story has told is named in its kind's row, with its properties.
  const site = { origin: "http://127.0.0.1:1" } as Site;
  for (const [kind, { told }] of Object.entries(STORIES)) {
    const row = table!.split("\n").find((line) => line.startsWith(`| \`${kind}\` |`))!;
    if (kind === "data_layer") continue;
    for (const [event, properties] of told(site)) {
      if (kind !== "ecommerce") assert.ok(row.includes(event), `${kind}: ${event}`);
      if (!/clicks|ecommerce/.test(kind)) for (const name of Object.keys(properties)) assert.ok(row.includes(`\`${name}\``), `${kind}: ${event}: ${name}`);
    }
  }
});
