// What visitors are asked and shown about themselves, and the data map, looked at by axe: in both languages, light and dark, on a phone and
// on a desktop. What axe can't see (focus, what a screen reader hears, keys): consent.test.ts and consent-centre.test.ts.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test, type TestContext } from "node:test";
import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import { startWorker, type TestWorker } from "../worker/harness.ts";
import { inRepository } from "../real/faces.ts";
import { axe } from "./fixtures/axe.ts";
import { closeBrowser, until, visit } from "./fixtures/browser.ts";
import { consentSite, NOTICE, type ConsentSite } from "./fixtures/consent.ts";
import { page } from "./fixtures/pages.ts";
import { serve, type Route } from "./fixtures/server.ts";

const GRANTED = "v2.personalization.analytics.-marketing.3.1763900000.v";

/** Each way in which all is looked at. */
const WAYS = (["en", "fr"] as const).flatMap((lang) =>
  (["light", "dark"] as const).flatMap((colorScheme) =>
    ([["phone", { width: 360, height: 740 }], ["desktop", { width: 1280, height: 800 }]] as const).map(([size, viewport]) => {
      const options: BrowserContextOptions = { viewport, colorScheme, locale: lang === "en" ? "en-GB" : "fr-FR", reducedMotion: "reduce", ...(size === "phone" && { isMobile: true, hasTouch: true, deviceScaleFactor: 2 }) };
      return { name: `${lang}, ${colorScheme}, ${size}`, lang, colorScheme, options };
    }),
  ),
);
type Way = (typeof WAYS)[number];

/** What the elements say, in either language. */
const SAYS = {
  en: { choose: "Choose", refuse: "Refuse all", correct: /^Correct/, save: "Save", erase: "Erase everything", yes: "Yes, erase everything", failed: "That did not work", login: "Please log in again", saved: "Saved.", nothing: "Nothing is kept about you.", erased: "Everything is erased." },
  fr: { choose: "Choisir", refuse: "Tout refuser", correct: /^Corriger/, save: "Enregistrer", erase: "Tout effacer", yes: "Oui, tout effacer", failed: "Cela n’a pas fonctionné", login: "Veuillez vous reconnecter", saved: "Enregistré.", nothing: "Rien n’est gardé de vous.", erased: "Tout est effacé." },
};

let worker: TestWorker;

before(async () => {
  const said = (en: string, fr: string) => ({ en, fr });
  const purposes = { personalization: { title: said("Your own shop", "Votre boutique"), text: said("Show first what you look at.", "Montrer ce que vous regardez.") } };
  worker = await startWorker({ manifest: { site: { id: "shop", hosts: ["127.0.0.1"] }, consent: { ask: "banner", policy: "/privacy" }, purposes, slots: {}, experiences: [] } });
});
after(async () => {
  await closeBrowser();
  await worker.dispose();
});

/** Nothing is wrong with a page, and nothing is left for a person to find out. */
async function good(tab: Page, state: string): Promise<void> {
  const { violations, incomplete } = await axe(tab);
  assert.deepEqual({ violations, incomplete }, { violations: [], incomplete: [] }, state);
}

/** A page of a site's, in one of the ways, which follows the browser's colours. */
async function open(t: TestContext, { lang, options }: Way, body: string, { asks = "none", choice = "", routes = {}, more = {} }: { asks?: string; choice?: string; routes?: Record<string, Route>; more?: BrowserContextOptions } = {}): Promise<{ tab: Page; site: ConsentSite }> {
  // axe takes a page without a ground of its own for white.
  const head = `<meta name="color-scheme" content="light dark"><style>body { background: Canvas; color: CanvasText } a { color: LinkText }</style><script>document.documentElement.lang = "${lang}"</script><script async src="/_idoine/idoine.js" data-consent="${asks}"></script>`;
  const site = await consentSite(t, head, NOTICE, routes, body);
  const tab = await visit(t, { ...options, ...more });
  if (choice) await tab.context().addCookies([{ name: "idoine_consent", value: choice, url: site.origin }]);
  await tab.goto(site.origin);
  return { tab, site };
}

/** That a page is as dark as it is to be: else it is not what was to be looked at. */
async function assertDark(part: Locator, { colorScheme }: Way): Promise<void> {
  const [red] = (await part.evaluate((one) => getComputedStyle(one).backgroundColor)).match(/\d+/g)!;
  assert.equal(Number(red) < 128, colorScheme === "dark");
}

/** The demo's, as the command line writes it. */
const dataMap = (lang: string): string => execFileSync(inRepository("dist/bin/idoine"), ["data-map", inRepository("www/demo/site.jsonc"), "--lang", lang]).toString();

const SHOP = '<header><h1>Shop</h1></header><main><p>Free returns.</p><a href="/second">More</a></main>';
const ACCOUNT = "<main><h1>Shop</h1><idoine-preferences></idoine-preferences></main>";

for (const way of WAYS) {
  const words = SAYS[way.lang];

  test(`the banner: ${way.name}`, async (t) => {
    let works = true;
    const { tab } = await open(t, way, SHOP, { asks: "3" });
    await tab.route("**/_idoine/consent", (route) => (works || route.request().method() === "GET" ? route.continue() : route.fulfill({ status: 503 })));
    const panel = tab.locator("idoine-consent section");
    await panel.waitFor();
    await assertDark(panel, way);
    await good(tab, "asks");
    await panel.getByRole("button", { name: words.choose }).click();
    await good(tab, "each purpose");
    works = false;
    await panel.getByRole("button", { name: words.refuse }).click();
    await panel.getByRole("alert").filter({ hasText: words.failed }).waitFor();
    await good(tab, "could not be saved");
    works = true;
    await panel.getByRole("button", { name: words.refuse }).click();
    await panel.waitFor({ state: "detached" });
    await good(tab, "answered");

    const again = await open(t, way, SHOP, { asks: "3", choice: GRANTED.replace(".3.", ".2."), more: { extraHTTPHeaders: { "sec-gpc": "1" } } });
    await again.tab.locator("idoine-consent section").getByRole("button", { name: words.choose }).click();
    await good(again.tab, "asked again, with purposes that the browser refuses");
  });

  test(`the preference centre: ${way.name}`, async (t) => {
    const { tab } = await open(t, way, ACCOUNT);
    const centre = tab.locator("idoine-preferences");
    const says = (text: string): Promise<void> => centre.getByRole("status").filter({ hasText: text }).waitFor();
    await centre.getByRole("switch").first().waitFor();
    await assertDark(centre.locator(".centre"), way);
    await good(tab, "nothing known, nothing chosen");
    await tab.context().addCookies([{ name: "idoine_consent", value: GRANTED, url: tab.url() }]);
    await tab.reload();
    await centre.locator("li").first().waitFor();
    await centre.locator("summary").click();
    await good(tab, "much known");
    const correct = centre.getByRole("button", { name: words.correct });
    const fields = await correct.count();
    assert.ok(fields >= 3, String(fields));
    // Each is gone when its field is there.
    for (let at = 0; at < fields; at += 1) await correct.first().click();
    assert.equal(await centre.locator("form").count(), fields);
    await good(tab, "every field opened");
    await centre.locator("form").first().getByRole("button", { name: words.save }).click();
    await says(words.saved);
    await good(tab, "corrected");
    await tab.route("**/_idoine/profile", (route) => route.fulfill({ status: 503 }));
    await centre.getByRole("button", { name: words.correct }).first().click();
    await centre.locator("form").getByRole("button", { name: words.save }).click();
    await says(words.failed);
    await good(tab, "could not be corrected");
    await centre.getByRole("button", { name: words.erase, exact: true }).click();
    await tab.getByRole("dialog").waitFor();
    await good(tab, "to be erased");
    await tab.getByRole("dialog").getByRole("button", { name: words.yes }).click();
    await says(words.erased);
    await good(tab, "erased");

    const locked = await open(t, way, ACCOUNT, { choice: GRANTED, routes: { "/_idoine/export": { status: 401 } }, more: { extraHTTPHeaders: { "sec-gpc": "1" } } });
    await locked.tab.getByRole("status").filter({ hasText: words.login }).waitFor();
    await good(locked.tab, "to be proven, with purposes that the browser refuses");
  });

  test(`the preference centre over a page: ${way.name}`, async (t) => {
    const { tab } = await open(t, way, SHOP, { choice: GRANTED });
    await tab.waitForFunction(() => window.idoine?.ready);
    await tab.evaluate(() => window.idoine!("consent.show"));
    const dialog = tab.getByRole("dialog").first();
    await dialog.locator("li").first().waitFor();
    await good(tab, "much known");
    await dialog.getByRole("button", { name: words.erase, exact: true }).click();
    await tab.getByRole("dialog").nth(1).waitFor();
    await good(tab, "to be erased");
  });

  test(`the page of the Worker: ${way.name}`, async (t) => {
    const tab = await visit(t, way.options);
    await tab.goto(`http://127.0.0.1:${worker.address.port}/_idoine/preferences`);
    await tab.getByRole("switch").first().waitFor();
    assert.equal(await tab.locator("html").getAttribute("lang"), way.lang);
    await assertDark(tab.locator("idoine-preferences .centre"), way);
    await good(tab, "new");
    await tab.getByRole("switch").first().click();
    await tab.getByRole("status").filter({ hasText: words.saved }).waitFor();
    // What is known is asked for behind it.
    await tab.getByText(words.nothing, { exact: true }).waitFor();
    await good(tab, "chosen");
  });

  test(`the data map: ${way.name}`, async (t) => {
    const site = await serve({ "/": dataMap(way.lang) });
    t.after(() => site.close());
    const tab = await visit(t, way.options);
    await tab.goto(site.origin);
    assert.ok((await tab.locator("tbody tr").count()) > 20);
    await assertDark(tab.locator("body"), way);
    await good(tab, "all");
  });
}

test("what is wrong is found, inside of a shadow root too", async (t) => {
  const site = await serve({ "/": page("", "<main><h1>Shop</h1><div></div></main>") });
  t.after(() => site.close());
  const tab = await visit(t);
  await tab.goto(site.origin);
  await good(tab, "a plain page");
  await tab.evaluate(() => {
    document.querySelector("div")!.attachShadow({ mode: "open" }).innerHTML =
      '<button></button><p style="color: #999; background: #fff">Pale</p><input><h5>Deep</h5><button style="width: 10px; height: 10px; padding: 0" aria-label="a"></button><button style="width: 10px; height: 10px; padding: 0" aria-label="b"></button>';
  });
  const { violations } = await axe(tab);
  assert.deepEqual([...new Set(violations.map((line) => line.split(" ")[0]))].sort(), ["button-name", "color-contrast", "heading-order", "label", "target-size"]);
  // What it can't tell is told too.
  await tab.evaluate(() => {
    document.querySelector("main")!.innerHTML = '<h1>Shop</h1><p style="background: linear-gradient(red, white)">Over a gradient</p>';
  });
  assert.match((await axe(tab)).incomplete.join(), /^color-contrast/);
});

test("texts whose ground axe can't tell, as they are scrolled away, are looked at nevertheless", async (t) => {
  const site = await serve({ "/": dataMap("en") });
  t.after(() => site.close());
  const tab = await visit(t, { viewport: { width: 360, height: 740 }, isMobile: true });
  await tab.goto(site.origin);
  const { looked } = await axe(tab);
  assert.ok(looked.length > 50 && looked.every((line) => Number.parseFloat(line) > 12), looked[0]);
  await tab.locator("td").evaluateAll((all) => all.forEach((one) => (one.style.color = "#999")));
  const { violations } = await axe(tab);
  assert.ok(violations.some((line) => /^color-contrast .* It is 2\.85\.$/.test(line)), violations[0]);
});

test("in its elements axe sees what is in the shadow root", async (t) => {
  const { tab } = await open(t, WAYS[0]!, ACCOUNT, { choice: GRANTED });
  await until(async () => (await tab.locator("idoine-preferences li").count()) > 0);
  await tab.locator("idoine-preferences").evaluate((one) => one.shadowRoot!.querySelector("[role=switch]")!.closest("label")!.querySelector("span")!.remove());
  assert.match((await axe(tab)).violations.join(), /^(label|aria-toggle-field-name)/);
});
