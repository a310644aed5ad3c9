// Time to travel in the debug panel: by date, by steps, to the next change; from page to page of a tab, until the way back.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { inRepository } from "../real/faces.ts";
import { assets, compile } from "./fixtures/artefacts.ts";
import { BAR, card, open, section } from "./fixtures/bar.ts";
import { closeBrowser, visit } from "./fixtures/browser.ts";
import { page } from "./fixtures/pages.ts";
import { json, serve, type Route, type Site } from "./fixtures/server.ts";

after(closeBrowser);

/** A shop with a sale from the fifth on, and something for evenings. */
const MANIFEST = {
  site: { id: "debugged", hosts: ["127.0.0.1"] },
  slots: { intro: { selector: "#intro" }, cta: { selector: ".cta" } },
  experiences: [
    { id: "sale", type: "personalization", schedule: { from: "2026-07-05T00:00:00Z" }, slots: { intro: { text: "The sale is on" } } },
    { id: "evening", type: "personalization", audience: "time.hour >= 18", slots: { cta: { text: "Tonight" } } },
  ],
};

let program: Buffer;
let version: string;
before(() => {
  program = compile(MANIFEST);
  version = program.subarray(16, 24).toString("hex");
  mkdirSync(inRepository("dist/screenshots"), { recursive: true });
});

const NOW = Date.parse("2026-07-01T10:00:00Z");
const NEXT = Date.parse("2026-07-05T00:00:00Z");
const PERSONAS = { "From France": { "geo.country": "FR" }, "Last winter": { now: "2025-12-20T09:00:00Z", "geo.country": "FR" } };

/** A site whose Worker knows a visitor in Berlin, and whose pages lead to each other in many ways. */
async function site(t: TestContext, routes: Record<string, Route> = {}): Promise<Site> {
  const body = (text: string): string =>
    page(BAR, `<header><h1>${text}</h1></header><main><p id="intro">Intro</p><a class="cta" href="/two?x=1#end">Two</a> <a href="/back">Back</a> <form action="/two"><input name="q" value="1"><button>Search</button></form></main>`);
  const started = await serve({
    ...assets("bar.js", "tools.js", "tools.wasm"),
    "/": body("One"),
    "/two": body("Two"),
    // A server that takes the query off.
    "/back": ({ query }) => (query.size > 0 ? { status: 302, headers: { location: "/back" } } : body("Back")),
    "/_idoine/program": () => ({ type: "application/octet-stream", body: program }),
    "/_idoine/personas": json(PERSONAS),
    "/_idoine/consent": json({ granted: [], decided: false }),
    "/_idoine/profile": json({ version, verified: false, profile: {} }),
    "/_idoine/decide": json({ version, decisions: [], edits: [], until: NEXT }),
    "/_idoine/context": ({ query }) => {
      const { searchParams, href, pathname } = new URL(query.get("url")!);
      const overrides = Object.fromEntries([...searchParams].filter(([name]) => name.startsWith("idoine.")).map(([name, value]) => [name.slice(7), value]));
      const { now, ...context } = overrides;
      return json({ version, now: now ? Date.parse(now) : NOW, preview: true, context: { "geo.country": "DE", "geo.timezone": "Europe/Berlin", "page.url": href, "page.path": pathname, ...context } });
    },
    ...routes,
  });
  t.after(() => started.close());
  return started;
}

const seenAt = (tab: Page): string | null => new URL(tab.url()).searchParams.get("idoine.now");
const note = (tab: Page) => tab.getByRole("note", { name: "Time travel" });

test("a date is one of the visitor's clock, decides the page, and is marked until the way back", async (t) => {
  const shop = await site(t);
  const tab = await visit(t, { timezoneId: "America/New_York", viewport: { width: 1280, height: 900 } });
  await tab.goto(`${shop.origin}/?x=2&idoine.geo.country=FR`);
  await open(tab);
  assert.equal(await note(tab).count(), 0);
  const input = tab.getByLabel("Date and time (Europe/Berlin)");
  assert.equal(await input.inputValue(), "2026-07-01T12:00");
  assert.match((await card(tab, "intro").textContent())!, /No experience applies/);
  await input.fill("2026-12-24T19:30");
  await tab.getByRole("button", { name: "Travel" }).click();
  await tab.waitForURL(/idoine\.now/);
  assert.equal(seenAt(tab), "2026-12-24T18:30:00Z");
  assert.equal(new URL(tab.url()).searchParams.get("idoine.geo.country"), "FR");
  await note(tab).getByText("Thu, 24 Dec 2026, 19:30").waitFor();
  assert.equal(await input.inputValue(), "2026-12-24T19:30");
  assert.match((await card(tab, "intro").textContent())!, /sale: its audience matched/);
  assert.match((await card(tab, "cta").textContent())!, /evening: its audience matched/);
  await tab.screenshot({ path: inRepository("dist/screenshots/debug-time.png") });
  // It is marked with the panel closed, too.
  await tab.getByRole("button", { name: "Close" }).click();
  const pill = tab.getByRole("button", { name: /Preview.*as of 24 Dec 2026/ });
  await pill.waitFor();
  await tab.screenshot({ path: inRepository("dist/screenshots/debug-time-pill.png") });
  await pill.click();
  await note(tab).getByRole("button", { name: "Back to now" }).click();
  await tab.waitForURL(`${shop.origin}/?x=2&idoine.geo.country=FR`);
  await tab.getByRole("region", { name: "Slots" }).waitFor();
  assert.equal(await note(tab).count(), 0);
});

test("on the days that clocks change the date is the clock's, too", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await open(tab);
  // The last Sunday of October: at three it is two again.
  for (const [clock, instant] of [["2026-10-25T01:30", "2026-10-24T23:30:00Z"], ["2026-10-25T04:30", "2026-10-25T03:30:00Z"], ["2026-03-29T01:30", "2026-03-29T00:30:00Z"], ["2026-03-29T03:30", "2026-03-29T01:30:00Z"]]) {
    await tab.getByLabel("Date and time").fill(clock!);
    await tab.getByRole("button", { name: "Travel" }).click();
    await tab.waitForURL((url) => url.searchParams.get("idoine.now") === instant);
    await note(tab).waitFor();
    assert.equal(await tab.getByLabel("Date and time").inputValue(), clock);
  }
});

test("steps go on from where one is, and the next change is one of them", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await open(tab);
  const steps: [string, string][] = [
    ["+ 1 day", "2026-07-02T10:00:00Z"],
    ["+ 1 hour", "2026-07-02T11:00:00Z"],
    ["+ 1 week", "2026-07-09T11:00:00Z"],
    ["− 1 day", "2026-07-08T11:00:00Z"],
    ["Next change: Sun, 5 Jul 2026, 02:00", "2026-07-05T00:00:00Z"],
  ];
  for (const [name, instant] of steps) {
    await tab.getByRole("button", { name }).click();
    await tab.waitForURL((url) => url.searchParams.get("idoine.now") === instant);
    await note(tab).waitFor();
  }
});

test("of a next change that nobody tells nothing is said, and all else works without it", async (t) => {
  let answer: Route = json({ version, decisions: [], edits: [] });
  const shop = await site(t, { "/_idoine/decide": () => answer });
  const tab = await visit(t);
  for (const path of ["/", "/two"]) {
    await tab.goto(shop.origin + path);
    await (path === "/" ? open(tab) : tab.getByRole("region", { name: "Slots" }).waitFor());
    assert.ok(await tab.getByRole("button", { name: "+ 1 day" }).isVisible());
    assert.equal(await tab.getByRole("button", { name: /Next change/ }).count(), 0);
    answer = { status: 503 };
  }
});

test("the time goes along with links, forms and scripts of the site, without a page that is loaded twice", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  const NOON = "2026-07-09T10:00:00Z";
  await tab.goto(`${shop.origin}/?idoine.now=${NOON}`);
  await tab.getByRole("button", { name: "Preview" }).waitFor();
  await tab.getByRole("link", { name: "Two" }).click();
  await tab.waitForURL(/\/two/);
  assert.equal(tab.url(), `${shop.origin}/two?x=1&idoine.now=${encodeURIComponent(NOON)}#end`);
  await tab.getByRole("button", { name: /as of 9 Jul 2026/ }).waitFor();
  await tab.getByRole("button", { name: "Search" }).click();
  await tab.waitForURL(/q=1/);
  assert.equal(seenAt(tab), NOON);
  await tab.getByRole("button", { name: /as of 9 Jul 2026/ }).waitFor();
  await tab.evaluate(() => location.assign("/?script"));
  await tab.waitForURL(/script/);
  assert.equal(seenAt(tab), NOON);
  // Each page came once, and never without the time.
  const pages = shop.asked.filter(({ path }) => ["/", "/two"].includes(path));
  assert.deepEqual(pages.map(({ path, query }) => [path, query.get("idoine.now")]), [["/", NOON], ["/two", NOON], ["/two", NOON], ["/", NOON]]);
  // Back is back.
  await tab.goBack();
  await tab.waitForURL(/q=1/);
  assert.equal(seenAt(tab), NOON);
});

test("a browser that can't be told beforehand loads the page once more, and a server that takes the query off has the last word", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.addInitScript(() => Object.defineProperty(window, "navigation", { value: undefined }));
  await tab.goto(`${shop.origin}/?idoine.now=2026-07-09T10:00:00Z`);
  await tab.getByRole("button", { name: "Preview" }).waitFor();
  await tab.getByRole("link", { name: "Two" }).click();
  await tab.waitForURL(/two.*idoine\.now/);
  assert.equal(seenAt(tab), "2026-07-09T10:00:00Z");
  await tab.getByRole("button", { name: /as of/ }).waitFor();
  await tab.getByRole("link", { name: "Back" }).click();
  await tab.waitForURL(`${shop.origin}/back`);
  await tab.getByRole("button", { name: /slots personalised/ }).waitFor();
  assert.deepEqual(shop.asked.filter(({ path }) => path === "/back").map(({ query }) => query.size), [0, 1, 0]);
});

test("an address that is typed is what it says: it ends the travel; another tab never began it", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(`${shop.origin}/?idoine.now=2026-07-09T10:00:00Z`);
  await tab.getByRole("button", { name: /as of/ }).waitFor();
  const other = await tab.context().newPage();
  await other.goto(`${shop.origin}/`);
  await other.getByRole("button", { name: /slots personalised/ }).waitFor();
  await other.getByRole("link", { name: "Two" }).click();
  await other.waitForURL(/two/);
  assert.equal(seenAt(other), null);
  await tab.goto(`${shop.origin}/two`);
  await tab.getByRole("button", { name: /slots personalised/ }).waitFor();
  await tab.getByRole("link", { name: "Two" }).click();
  await tab.waitForURL(/x=1/);
  assert.equal(seenAt(tab), null);
});

test("a route of a single-page application has the time too, and the client decides again with it", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.addInitScript(() => {
    const decided: string[] = [];
    Object.assign(window, { decided, idoine: Object.assign(() => undefined, { decisions: () => [], decide: () => void decided.push(location.search) }) });
  });
  await tab.goto(`${shop.origin}/?idoine.now=2026-07-09T10:00:00Z`);
  await open(tab);
  await tab.evaluate(() => history.pushState({ mine: 1 }, "", "/two?y=1"));
  await tab.waitForURL(/y=1&idoine\.now/);
  await note(tab).getByText("9 Jul 2026").waitFor();
  const search = "?y=1&idoine.now=2026-07-09T10%3A00%3A00Z";
  assert.deepEqual(await tab.evaluate(() => [(window as unknown as { decided: string[] }).decided, location.search, history.state as unknown]), [[search], search, { mine: 1 }]);
});

test("personas go along too; who travels stays in the time they chose, and a persona's own time is its own", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  const overrides = (): Record<string, string> => Object.fromEntries([...new URL(tab.url()).searchParams].filter(([name]) => name.startsWith("idoine.")));
  const choose = async (name: string): Promise<void> => {
    const loaded = tab.waitForEvent("load");
    await tab.getByRole("button", { name, exact: true }).click();
    await loaded;
    await tab.getByRole("region", { name: "Slots" }).waitFor();
  };
  await tab.goto(`${shop.origin}/?idoine.now=2026-07-09T10:00:00Z`);
  await open(tab);
  assert.equal(await tab.getByRole("button", { name: "Yourself" }).getAttribute("aria-pressed"), "true");
  await choose("From France");
  assert.deepEqual(overrides(), { "idoine.geo.country": "FR", "idoine.now": "2026-07-09T10:00:00Z" });
  assert.equal(await tab.getByRole("button", { name: "From France" }).getAttribute("aria-pressed"), "true");
  await choose("Last winter");
  assert.deepEqual(overrides(), { "idoine.geo.country": "FR", "idoine.now": "2025-12-20T09:00:00Z" });
  await choose("From France");
  assert.deepEqual(overrides(), { "idoine.geo.country": "FR" });
  await tab.getByRole("link", { name: "Two" }).evaluate((link: HTMLElement) => link.click());
  await tab.waitForURL(/two/);
  await tab.getByRole("region", { name: "Slots" }).waitFor();
  assert.deepEqual(overrides(), { "idoine.geo.country": "FR" });
  await choose("Yourself");
  assert.deepEqual(overrides(), {});
  await tab.getByRole("link", { name: "Back" }).evaluate((link: HTMLElement) => link.click());
  await tab.waitForURL(/back/);
  assert.deepEqual(overrides(), {});
});

test("the panel is at the section where it was left, and sections are walked by arrows", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await open(tab);
  await tab.getByRole("tab", { name: "Slots" }).focus();
  await tab.keyboard.press("ArrowRight");
  await tab.getByRole("region", { name: "Audiences" }).waitFor();
  await tab.keyboard.press("End");
  await tab.getByRole("region", { name: "Events" }).waitFor();
  await tab.keyboard.press("ArrowRight");
  await tab.getByRole("region", { name: "Slots" }).waitFor();
  await tab.keyboard.press("ArrowLeft");
  await tab.keyboard.press("ArrowLeft");
  assert.deepEqual(await tab.getByRole("tab").evaluateAll((all) => all.map((one) => [one.textContent, one.getAttribute("aria-selected"), (one as HTMLElement).tabIndex])), [
    ["Slots", "false", -1],
    ["Audiences", "false", -1],
    ["Profile", "false", -1],
    ["Consent", "true", 0],
    ["Events", "false", -1],
  ]);
  await tab.reload();
  await tab.locator("idoine-bar [role=tabpanel]").getByRole("region", { name: "Consent" }).waitFor();
  await section(tab, "Slots");
});
