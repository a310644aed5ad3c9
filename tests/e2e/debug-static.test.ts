// The debug panel of a site of static files: on this machine, with the page's own engine and the tools; elsewhere there is none.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { inRepository } from "../real/faces.ts";
import { assets, compile } from "./fixtures/artefacts.ts";
import { card, section } from "./fixtures/bar.ts";
import { closeBrowser, DESKTOP, visit } from "./fixtures/browser.ts";
import { page } from "./fixtures/pages.ts";
import { serve, type Route, type Site } from "./fixtures/server.ts";

after(closeBrowser);

const MANIFEST = {
  site: { id: "static-debugged", hosts: ["127.0.0.1"] },
  slots: { hero: { selector: "header h1" }, intro: { selector: "#intro" }, cta: { selector: ".cta" } },
  personas: { "From France": { "geo.country": "FR" }, "Has agreed": { "consent.personalization": true, "visitor.id": "somebody-1" } },
  experiences: [
    { id: "french", type: "personalization", audience: "geo.country == 'FR'", slots: { hero: { text: "Bienvenue" } } },
    { id: "sale", type: "personalization", schedule: { from: "2035-07-05T00:00:00Z" }, slots: { intro: { text: "The sale is on" } } },
    { id: "evening", type: "personalization", audience: "time.hour >= 18", slots: { cta: { text: "Tonight" } } },
  ],
};

let programs: Record<"whole" | "browser", Buffer>;
before(() => {
  programs = { whole: compile(MANIFEST), browser: compile(MANIFEST, "--browser") };
  mkdirSync(inRepository("dist/screenshots"), { recursive: true });
});

const loader = (more = ""): string => `<script async src="/_idoine/idoine.js" data-program="/site.program"${more}></script>`;
const FILES = ["idoine.js", "live.js", "client.js", "engine.js", "engine.wasm", "debug.js", "tools.js", "tools.wasm"];

async function site(t: TestContext, head = loader(), program = programs.whole, routes: Record<string, Route> = {}): Promise<Site> {
  const started = await serve({ ...assets(...FILES), "/site.program": { type: "application/octet-stream", body: program }, "/": page(head), "/two": page(head), ...routes });
  t.after(() => started.close());
  return started;
}

const LATE = encodeURIComponent("2035-08-01T19:00:00Z");
const told = (tab: Page): Promise<(string | null)[]> => Promise.all(["h1", "#intro", ".cta"].map((selector) => tab.textContent(selector)));
const PLAIN = ["Welcome to the shop", "Free returns", "Shop now"];

async function ready(tab: Page): Promise<void> {
  await tab.waitForFunction(() => window.idoine?.ready);
  await tab.evaluate(async () => void (await window.idoine?.ready));
}

const NEW_YORK = { ...DESKTOP, timezoneId: "America/New_York" };

test("on this machine `debug.open` brings the panel, which says what the page's own engine decided, and why", async (t) => {
  const shop = await site(t);
  const tab = await visit(t, NEW_YORK);
  await tab.goto(`${shop.origin}/?idoine.geo.country=FR&idoine.now=2035-08-01T12:00:00Z`);
  await ready(tab);
  assert.deepEqual(await told(tab), ["Bienvenue", "The sale is on", "Shop now"]);
  // Nobody is offered what they did not ask for.
  assert.equal(await tab.locator("idoine-bar").count(), 0);
  assert.ok(!shop.paths().some((path) => /debug|tools/.test(path)));
  await tab.evaluate(() => void (window.idoine as unknown as (call: string) => void)("debug.open"));
  await tab.getByRole("region", { name: "Slots" }).waitFor();
  assert.match((await card(tab, "hero").textContent())!, /french: its audience matched/);
  assert.match((await card(tab, "intro").textContent())!, /sale: its audience matched/);
  assert.equal(await tab.getByText("When this page was loaded").count(), 0);
  await card(tab, "cta").locator("summary").click();
  assert.ok(await card(tab, "cta").getByText("time.hour is 8").isVisible());
  assert.ok(await tab.getByText("Date and time (America/New_York)").isVisible());
  assert.ok(await (await section(tab, "Profile")).getByText("This page decides for itself and reads no profile.").isVisible());
  await tab.getByRole("note", { name: "Time travel" }).getByText("1 Aug 2035, 08:00").waitFor();
  await tab.screenshot({ path: inRepository("dist/screenshots/debug-static.png") });
});

test("`data-debug` puts the button there; personas and time are tried from page to page", async (t) => {
  const shop = await site(t, loader(" data-debug"));
  const tab = await visit(t, DESKTOP);
  await tab.goto(shop.origin);
  await tab.getByRole("button", { name: "Preview" }).click();
  await tab.getByRole("button", { name: "From France" }).click();
  await tab.waitForURL(/idoine\.geo\.country=FR/);
  await tab.getByRole("region", { name: "Slots" }).waitFor();
  // Whether it is evening is up to the day.
  assert.deepEqual((await told(tab)).slice(0, 2), ["Bienvenue", PLAIN[1]]);
  await tab.evaluate(() => location.assign("/two"));
  await tab.waitForURL(/two\?idoine\.geo\.country=FR/);
  await ready(tab);
  assert.equal(await tab.textContent("h1"), "Bienvenue");
  await tab.getByRole("button", { name: "Yourself" }).click();
  await tab.waitForURL(`${shop.origin}/two`);
  await ready(tab);
  assert.deepEqual((await told(tab)).slice(0, 2), PLAIN.slice(0, 2));
});

test("what browsers are given has no personas, and drafts are not in it: the panel says what is there", async (t) => {
  const shop = await site(t, loader(" data-debug"), programs.browser);
  const tab = await visit(t, DESKTOP);
  await tab.goto(shop.origin);
  await tab.getByRole("button", { name: "Preview" }).click();
  await tab.getByRole("region", { name: "Slots" }).waitFor();
  assert.deepEqual(await tab.getByRole("region", { name: "Personas" }).getByRole("button").allTextContents(), ["Yourself"]);
  // Nothing says when time alone changes something here, and nothing is made up of it.
  assert.equal(await tab.getByText(/Next change/).count(), 0);
});

test("consent is this browser's own, and a switch records it", async (t) => {
  const shop = await site(t, loader(" data-debug"));
  const tab = await visit(t, DESKTOP);
  await tab.goto(shop.origin);
  await tab.getByRole("button", { name: "Preview" }).click();
  await tab.getByRole("region", { name: "Slots" }).waitFor();
  const consent = await section(tab, "Consent");
  assert.deepEqual(await consent.locator("tbody tr").evaluateAll((all) => all.map((row) => row.children[1]!.textContent)), ["not asked", "not asked", "not asked"]);
  const loaded = tab.waitForEvent("load");
  await consent.getByLabel("Analytics").click();
  await loaded;
  const again = tab.locator("idoine-bar [role=tabpanel]").getByRole("region", { name: "Consent" });
  await again.waitFor();
  assert.deepEqual(await again.locator("tbody tr").evaluateAll((all) => all.map((row) => row.children[1]!.textContent)), ["refused", "granted", "refused"]);
});

test("on any other host there is no panel, no override and no file of it is asked for, whatever the page or its address says", async (t) => {
  const shop = await site(t, loader(" data-debug"));
  const tab = await visit(t, DESKTOP);
  await tab.route("http://shop.example/**", async (route) => {
    const { pathname, search } = new URL(route.request().url());
    await route.fulfill({ response: await route.fetch({ url: shop.origin + pathname + search }) });
  });
  await tab.goto(`http://shop.example/?idoine.geo.country=FR&idoine.now=${LATE}`);
  await ready(tab);
  assert.equal(await tab.evaluate(() => window.idoine!.debug!().mode), "static");
  assert.deepEqual((await told(tab)).slice(0, 2), PLAIN.slice(0, 2));
  await tab.evaluate(() => void (window.idoine as unknown as (call: string) => void)("debug.open"));
  await tab.evaluate(() => new Promise((done) => requestIdleCallback(done)));
  assert.equal(await tab.locator("idoine-bar").count(), 0);
  assert.deepEqual(await tab.evaluate(() => "open" in window.idoine!.debug!), false);
  assert.ok(!shop.paths().some((path) => /debug|tools/.test(path)), shop.paths().join());
  // The same page on this machine.
  await tab.goto(`${shop.origin}/?idoine.geo.country=FR&idoine.now=${LATE}`);
  await tab.getByRole("button", { name: /as of/ }).waitFor();
  assert.deepEqual((await told(tab)).slice(0, 2), ["Bienvenue", "The sale is on"]);
});

test("a folder without the panel's files leaves the page as it is", async (t) => {
  const shop = await site(t, loader(" data-debug"), programs.whole, { "/_idoine/debug.js": { status: 404 } });
  const tab = await visit(t, DESKTOP);
  const failed = tab.waitForEvent("console", (message) => message.type() === "error" && message.text().includes("debug.js"));
  await tab.goto(`${shop.origin}/?idoine.geo.country=FR`);
  await failed;
  await ready(tab);
  assert.equal(await tab.textContent("h1"), "Bienvenue");
});
