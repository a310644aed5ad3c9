// The demo shop end to end: a browser, the real Worker in workerd, the published pages behind it.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import type { BrowserContextOptions, Page, Response } from "playwright-core";
import { inRepository } from "../real/faces.ts";
import type { State } from "../../www/src/types.ts";
import { startShop, type Shop } from "../real/shop.ts";
import { closeBrowser, visit } from "./fixtures/browser.ts";

let shop: Shop;

before(async () => {
  shop = await startShop();
  mkdirSync(inRepository("dist/screenshots"), { recursive: true });
});

after(async () => {
  await closeBrowser();
  await shop?.close();
});

const PHONE: BrowserContextOptions = {
  userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
  locale: "en-GB",
};
// Without a name of its own Chromium calls itself headless, which is how programs call themselves.
const DESKTOP: BrowserContextOptions = {
  userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36",
  viewport: { width: 1280, height: 800 },
  locale: "en-GB",
};

const INSTAGRAM = "/?utm_source=instagram&utm_medium=social&utm_campaign=spring";

/** What the templates load from other hosts, so that a test needs no network: Bootstrap's script and a grey picture. */
async function offline(page: Page): Promise<void> {
  const bootstrap = readFileSync(join(dirname(createRequire(import.meta.url).resolve("bootstrap/package.json")), "dist/js/bootstrap.bundle.min.js"));
  await page.route(
    (url) => !url.hostname.startsWith("127."),
    async (route) => {
      const { hostname, pathname } = new URL(route.request().url());
      const [, width, height] = /^\/(\d+)x(\d+)/.exec(pathname) ?? [];
      if (hostname === "dummyimage.com") {
        await route.fulfill({ contentType: "image/svg+xml", body: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#dee2e6"/><text x="50%" y="50%" fill="#6c757d" font-family="sans-serif" font-size="48" text-anchor="middle" dominant-baseline="central">${width} × ${height}</text></svg>` });
      } else if (pathname.endsWith("bootstrap.bundle.min.js")) {
        await route.fulfill({ contentType: "text/javascript", body: bootstrap });
      } else {
        await route.abort();
      }
    },
  );
}

/** A new visitor at a page of the shop. */
async function arrive(t: TestContext, path: string, options: BrowserContextOptions = DESKTOP): Promise<{ page: Page; response: Response }> {
  const page = await visit(t, options);
  await offline(page);
  const response = await page.goto(shop.url + path);
  assert.ok(response);
  return { page, response };
}

async function screenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: inRepository(`dist/screenshots/${name}.png`) });
}

const hero = async (page: Page): Promise<string[]> => [(await page.innerText("header h1")).trim(), (await page.innerText("header p.lead")).trim()];

test("a newcomer from Instagram on a phone sees the campaign's hero in the first byte", async (t) => {
  const { page, response } = await arrive(t, INSTAGRAM, PHONE);
  const html = await response.text();
  assert.ok(html.includes(">As seen on Instagram</h1>"));
  assert.ok(!html.includes("Shop in style"));
  assert.deepEqual(await hero(page), ["As seen on Instagram", "The pieces from your feed, in your size"]);
  assert.match((await page.getAttribute("header", "class"))!, /bg-primary/);
  await screenshot(page, "instagram-phone");
});

test("without scripts the page is the same", async (t) => {
  const { page } = await arrive(t, INSTAGRAM, { ...PHONE, javaScriptEnabled: false });
  assert.deepEqual(await hero(page), ["As seen on Instagram", "The pieces from your feed, in your size"]);
});

test("another campaign, another device: another hero", async (t) => {
  const { page } = await arrive(t, INSTAGRAM);
  assert.deepEqual(await hero(page), ["Shop in style", "With this shop hompeage template"]);
  await page.goto(`${shop.url}/?utm_source=google&utm_medium=cpc&utm_campaign=trail-shoes-en`);
  assert.equal((await hero(page))[0], "Trail shoes that hold");
  await page.click("header p.lead a");
  assert.equal(await page.innerText("h1"), "Trail runner");
});

test("who reads French gets the shop in French", async (t) => {
  const { page } = await arrive(t, "/", { ...DESKTOP, locale: "fr-FR" });
  assert.equal(await page.getAttribute("html", "lang"), "fr");
  assert.deepEqual(await hero(page), ["Habillez-vous avec style", "Des vêtements faits pour durer, livrés chez vous"]);
  const nav = await page.locator(".navbar-nav > li > a").allInnerTexts();
  assert.deepEqual(nav.map((text) => text.trim()), ["Accueil", "À propos", "Boutique"]);
  const buttons = await page.locator(".card-footer a").allInnerTexts();
  assert.deepEqual([...new Set(buttons)].sort(), ["Ajouter au panier", "Voir les options"]);
  await screenshot(page, "french-desktop");
  await page.locator(".card-footer a").nth(1).click();
  await page.waitForURL("**/collections/shoes");
  assert.equal((await page.innerText("#announcement")).trim(), "Retours gratuits pendant 30 jours");
  assert.deepEqual(await hero(page), ["Chaussures", "Du sentier au bureau"]);
  await screenshot(page, "french-collection-desktop");
});

test("a product's page says what holds for this place and this hour", async (t) => {
  const preview = "?idoine.now=2026-06-09T08:30:00Z&idoine.geo.country=FR&idoine.geo.is_eu=true&idoine.geo.region_code=ARA&idoine.geo.city=Lyon&idoine.geo.timezone=Europe/Paris";
  const { page } = await arrive(t, `/products/trail-runner${preview}`, { ...DESKTOP, locale: "fr-FR" });
  const lines = await page.locator("#good-to-know > li").allInnerTexts();
  assert.deepEqual(lines.map((line) => line.replaceAll("\u00a0", " ").trim()), [
    "Commandez avant 14 h, votre colis part aujourd’hui pour Lyon",
    "Disponible dans notre boutique de Lyon, retrait dans l’heure",
    "TVA comprise ; 14 jours pour changer d’avis, partout dans l’UE",
  ]);
  await screenshot(page, "product-lyon-desktop");
  await page.goto(`${shop.url}/products/trail-runner${preview.replace("08:30", "16:30")}`);
  assert.equal((await page.innerText("#delivery")).trim(), "Livraison sous 3 à 5 jours ouvrés");
});

test("who asks for less data gets no pictures in the lists and a lighter one on the product's page", async (t) => {
  const { page } = await arrive(t, "/products/trail-runner", { ...DESKTOP, extraHTTPHeaders: { "save-data": "on" } });
  assert.equal(await page.getAttribute(".col-md-6 > img", "src"), "/pictures/trail-runner-light.svg");
  assert.equal(await page.locator(".card > img").first().isVisible(), false);
});

/** Asks the shop's own page to record a choice, as a consent banner would. */
async function consent(page: Page, granted: string[]): Promise<{ granted: string[]; decided: boolean }> {
  return page.evaluate(async (granted) => {
    const response = await fetch("/_idoine/consent", { method: "POST", body: JSON.stringify({ granted }) });
    return (await response.json()) as { granted: string[]; decided: boolean };
  }, granted);
}

test("consent changes what the next navigation shows, and withdrawing it takes it back", async (t) => {
  const { page } = await arrive(t, "/");
  const footer = async (): Promise<string> => (await page.innerText("footer p")).trim();
  assert.match(await footer(), /Nothing about you is stored$/);
  assert.deepEqual(await page.context().cookies(), [], "opt-in: a page sets nothing");
  // One new id in twenty is held out from all personalisation: such a visitor is not the one to look at.
  for (let attempt = 0; attempt < 20; attempt += 1) {
    assert.deepEqual(await consent(page, ["personalization"]), { granted: ["personalization"], decided: true });
    assert.match(await footer(), /Nothing about you is stored$/, "what is on the page stays");
    await page.reload();
    if (!(await footer()).endsWith("Your Website 2023")) break;
    await consent(page, []);
    await page.reload();
  }
  assert.match(await footer(), /This shop adapts to you, as you agreed$/);
  assert.deepEqual(await hero(page), ["Good to see you again", "Straight to what is new"]);
  const names = (await page.context().cookies()).map(({ name, httpOnly }) => [name, httpOnly]);
  assert.deepEqual(names.sort(), [["idoine_consent", false], ["idoine_id", true]]);
  await screenshot(page, "returning-desktop");
  assert.deepEqual(await consent(page, []), { granted: [], decided: true });
  await page.reload();
  assert.match(await footer(), /Nothing about you is stored$/);
  assert.deepEqual((await page.context().cookies()).map(({ name }) => name), ["idoine_consent"]);
  // Another consent alone stores an id too, and the footer must not deny it.
  for (const purpose of ["analytics", "marketing"]) {
    await consent(page, [purpose]);
    await page.reload();
    assert.ok((await page.context().cookies()).some(({ name }) => name === "idoine_id"));
    assert.match(await footer(), /An id of this browser is stored, as you agreed$/, purpose);
  }
});

/** How far the layout has shifted since the page's first moment, once everything that could move it is there. */
function shifts(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const frame = (): Promise<number> => new Promise(requestAnimationFrame);
    await document.fonts.ready;
    await Promise.allSettled([...document.images].map((image) => image.decode()));
    if (document.querySelector("#idoine-state")) {
      while (!window.idoine?.ready) await frame();
      await window.idoine.ready;
    }
    // One frame lays out what came last, the next one begins after that has been measured.
    await frame();
    await frame();
    let sum = 0;
    const add = (entries: PerformanceEntryList): void => {
      for (const entry of entries) sum += (entry as PerformanceEntry & { value: number }).value;
    };
    // What was measured before comes with the first call. A page that never shifted gets none, so a mark of our own says
    // that the observer is through.
    await new Promise<void>((done) => {
      const observer = new PerformanceObserver((list) => {
        add(list.getEntriesByType("layout-shift"));
        if (list.getEntriesByType("mark").length) done();
      });
      observer.observe({ type: "layout-shift", buffered: true });
      observer.observe({ type: "mark" });
      performance.mark("seen");
    });
    return sum;
  });
}

for (const [name, path, options] of [
  ["home page on a phone", INSTAGRAM, PHONE],
  ["home page in French", "/", { ...DESKTOP, locale: "fr-FR" }],
  ["product page in French", "/products/trail-runner", { ...DESKTOP, locale: "fr-FR" }],
  ["collection on a phone", "/collections/shoes", PHONE],
] as const) {
  test(`nothing shifts: ${name}`, async (t) => {
    const measure = async (site: string): Promise<number> => {
      const page = await visit(t, options);
      await offline(page);
      await page.goto(site + path, { waitUntil: "load" });
      return shifts(page);
    };
    // The published pages shift by themselves where their pictures have no size; nothing may come on top of that.
    assert.ok((await measure(shop.url)) <= (await measure(shop.origin)) + 0.001);
  });
}

test("the data slot's value is in the page's state", async (t) => {
  const { page } = await arrive(t, "/products/rain-jacket?idoine.geo.country=FR&idoine.geo.is_eu=true");
  const state = JSON.parse((await page.textContent("#idoine-state"))!) as { values: Record<string, unknown> };
  assert.deepEqual(state.values["shipping"], { zone: "eu", country: "FR", freeFrom: 60, carriers: ["post", "relay"] });
});

test("the bar says why each slot shows what it shows, and shows the page as someone else", async (t) => {
  const { page } = await arrive(t, INSTAGRAM);
  await page.getByRole("button", { name: "Preview" }).click();
  const panel = page.getByRole("region", { name: "Idoine preview" });
  const card = panel.getByRole("listitem").filter({ has: page.getByText("hero_title", { exact: true }) });
  await card.getByText("No experience applies to this visitor here.").waitFor();
  await card.locator("summary").click();
  const row = (experience: string) => card.getByRole("row").filter({ has: page.getByRole("rowheader", { name: experience, exact: true }) });
  assert.match(await row("instagram-newcomer").innerText(), /audience not matched/);
  assert.match(await row("welcome-back").innerText(), /needs a consent that was not given/);
  assert.match(await row("gift-card").innerText(), /not for this page/);
  await screenshot(page, "bar-desktop");
  await card.getByRole("button", { name: "needs a consent that was not given" }).first().click();
  await card.getByText("visitor.returning needs consent for personalization").waitFor();
  await card.getByRole("button", { name: "audience not matched" }).first().click();
  await card.getByRole("list", { name: "Audience" }).first().scrollIntoViewIfNeeded();
  await screenshot(page, "bar-clauses-desktop");

  await panel.getByRole("button", { name: "Instagram newcomer in French" }).click();
  await page.waitForURL(/idoine\.source\.name=instagram/);
  assert.deepEqual(await hero(page), ["Vu sur Instagram", "Les pièces de votre fil, à votre taille"]);
  await card.getByText("instagram-newcomer-fr: its audience matched.").waitFor();
  await card.locator("summary").click();
  assert.match(await row("french-welcome").innerText(), /slot already taken by instagram-newcomer-fr/);
  await screenshot(page, "bar-persona-desktop");

  await panel.getByRole("button", { name: "Yourself" }).click();
  await page.waitForURL((url) => !url.search.includes("idoine."));
  assert.equal((await hero(page))[0], "Shop in style");
});

test("where the visitor's id decides, the bar says what the page was told", async (t) => {
  const { page } = await arrive(t, "/products/trail-runner");
  await consent(page, ["analytics"]);
  await page.reload();
  const { decisions } = JSON.parse((await page.textContent("#idoine-state"))!) as State;
  const told = decisions.find(({ slot }) => slot === "product_cta");
  assert.ok(told && told.reason !== "no_unit", "there is an id to draw with");
  await page.getByRole("button", { name: "Preview" }).click();
  const panel = page.getByRole("region", { name: "Idoine preview" });
  const card = panel.getByRole("listitem").filter({ has: page.getByText("product_cta", { exact: true }) });
  await card.getByText(told.variant ? `experiment, variant ${told.variant}` : /baseline/).first().waitFor();
  assert.equal(await panel.getByText("When this page was loaded").count(), 0);
});

test("every persona sees the page that it is there for", async (t) => {
  const { page } = await arrive(t, "/");
  const personas = await page.evaluate(async () => (await (await fetch("/_idoine/personas")).json()) as Record<string, Record<string, string>>);
  const expected: Record<string, [path: string, selector: string, text: string]> = {
    "Instagram newcomer on a phone": ["/", "header h1", "As seen on Instagram"],
    "Instagram newcomer in French": ["/", "header h1", "Vu sur Instagram"],
    "Returning visitor in Lyon": ["/products/trail-runner", "#store", "Disponible dans notre boutique de Lyon, retrait dans l’heure"],
    "Runner from a paid search": ["/", "header h1", "Trail shoes that hold"],
    "Lunch break in Paris": ["/collections/shoes", "#announcement", "Pause déjeuner ? Cette page se parcourt en deux minutes"],
    "Buyer for a university": ["/products/wool-coat", "#price-note", "Buying for Stanford University? Invoice and volume prices"],
    "Black Friday on a slow line": ["/collections/shoes", "#announcement", "Black Friday · −20 %"],
    "Sent by an AI assistant": ["/", "header h1", "Everything you asked about, in one place"],
    "Search engine's crawler": ["/", "header h1", "Shop in style"],
    "Customer with an open complaint": ["/collections/shoes", "#announcement", "We are looking into your complaint, and will answer within a day"],
    "Looking for a bag": ["/collections/bags", "#announcement", "Bags of waxed canvas · −10 % this week"],
    "Looking for a bag, and told twice today": ["/collections/bags", "#announcement", "Free returns within 30 days, label included"],
    "Measured since the spring": ["/products/wool-coat", ".col-md-6 .d-flex > button", "Buy now"],
    "Editor of the winter collection": ["/", "header h1", "The winter collection"],
    "Designer of the lookbook": ["/collections/new", ".row-cols-md-2 h5", "Zipped fleece"],
    "Author of the trail advertisement": ["/collections/shoes?utm_campaign=trail-shoes-en", "h1", "Trail runner"],
  };
  assert.deepEqual(Object.keys(personas).sort(), Object.keys(expected).sort());
  for (const [name, [path, selector, text]] of Object.entries(expected)) {
    await page.goto(seenBy(path, personas[name]!));
    assert.equal((await page.locator(selector).first().innerText()).replaceAll("\u00a0", " ").trim(), text, name);
  }
});

/** A page of the shop as a persona sees it. */
function seenBy(path: string, persona: Record<string, string>): string {
  const url = new URL(path, shop.url);
  for (const [field, value] of Object.entries(persona)) url.searchParams.append(`idoine.${field}`, value);
  return url.href;
}

test("the bar says why an offer is not shown: shown often enough, suppressed, beside another one, a draft", async (t) => {
  const { page } = await arrive(t, "/");
  const personas = await page.evaluate(async () => (await (await fetch("/_idoine/personas")).json()) as Record<string, Record<string, string>>);
  const panel = page.getByRole("region", { name: "Idoine preview" });
  const card = (slot: string) => panel.getByRole("listitem").filter({ has: page.getByText(slot, { exact: true }) });
  const lost = async (slot: string, experience: string): Promise<string> => {
    await card(slot).locator("summary").click();
    return card(slot).getByRole("row").filter({ has: page.getByRole("rowheader", { name: experience, exact: true }) }).innerText();
  };
  const open = (path: string, name: string): Promise<unknown> => page.goto(seenBy(path, personas[name]!));
  // It stays open from page to page.
  await page.getByRole("button", { name: "Preview" }).click();
  await open("/collections/bags", "Looking for a bag, and told twice today");
  assert.match(await lost("announcement", "bag-week"), /shown as often as it may be/);
  await card("announcement").getByText("returns-words: this variant has won the experiment.").waitFor();
  await screenshot(page, "bar-cap-desktop");
  await open("/collections/shoes", "Customer with an open complaint");
  assert.match(await lost("sale_badge", "black-friday"), /suppressed by calm-for-complaints/);
  await open("/products/trail-runner", "Black Friday on a slow line");
  assert.match(await lost("price_note", "second-pair"), /its group already shows black-friday/);
  await open("/", "Buyer for a university");
  assert.match(await lost("hero_title", "winter-collection"), /still a draft/);
  await open("/", "Editor of the winter collection");
  await card("hero_title").getByText("winter-collection: the preview asks for this variant.").waitFor();
  await open("/products/trail-runner", "Measured since the spring");
  assert.match(await lost("price_note", "gift-wrap"), /paused/);
  await card("product_cta").getByText("call-to-action: the visitor keeps the variant of before.").waitFor();
});

/** Takes new ids, as visitors who agree to be measured, until a page is as one of them gets it. */
async function measured(page: Page, path: string, found: (page: Page) => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 60; attempt += 1) {
    await page.goto(`${shop.url}/products/canvas-tote`);
    await consent(page, []);
    await consent(page, ["analytics"]);
    await page.goto(shop.url + path);
    if (await found(page)) return;
  }
  assert.fail(`nobody of sixty gets that at ${path}`);
}

test("a variant that is another page of the origin is shown at the same address", async (t) => {
  const { page } = await arrive(t, "/collections/new");
  assert.equal(await page.locator(".row-cols-md-2").count(), 0);
  const isLookbook = async (): Promise<boolean> => (await page.locator(".row-cols-md-2 .card").count()) === 3;
  // Some are held out of what the announcement says.
  const isEdited = async (): Promise<boolean> => (await page.innerText("#announcement")).trim() === "Free returns within 30 days, label included";
  await measured(page, "/collections/new", async () => (await isLookbook()) && (await isEdited()));
  assert.equal(page.url(), `${shop.url}/collections/new`);
  await page.reload();
  assert.ok(await isLookbook(), "who got it keeps it");
  const { decisions } = JSON.parse((await page.textContent("#idoine-state"))!) as State;
  assert.deepEqual(decisions.find(({ slot }) => slot === "new_arrivals"), { slot: "new_arrivals", experience: "new-lookbook", variant: 1, source: "experiment", reason: "split" });
  await screenshot(page, "lookbook-desktop");
});

test("a variant that is another address leads there, with the campaign's parameters", async (t) => {
  const { page } = await arrive(t, "/");
  const path = "/collections/shoes?utm_source=google&utm_medium=cpc&utm_campaign=trail-shoes-en";
  await measured(page, path, async () => new URL(page.url()).pathname === "/products/trail-runner");
  assert.equal(page.url(), `${shop.url}${path.replace("/collections/shoes", "/products/trail-runner")}`);
  assert.equal(await page.innerText("h1"), "Trail runner");
  // The other half stays, and both stay what they are.
  await page.goto(shop.url + path);
  assert.equal(new URL(page.url()).pathname, "/products/trail-runner");
  await measured(page, path, async () => new URL(page.url()).pathname === "/collections/shoes");
});

test("several factors of the front page are seen together, in the combinations that are written", async (t) => {
  const { page } = await arrive(t, "/");
  const texts = async (): Promise<string[]> => [...(await hero(page)), (await page.locator(".card-footer a").first().innerText()).trim(), (await page.locator(".card-footer a").nth(1).innerText()).trim()];
  const [title, lead, ...buttons] = await texts();
  assert.deepEqual([title, buttons], ["Shop in style", ["View options", "Add to cart"]]);
  await measured(page, "/", async () => (await hero(page))[0] === "Made to last");
  const [, other, ...others] = await texts();
  // With this title either the lead is new or the buttons are.
  if (other === lead) assert.deepEqual(others, ["See sizes", "Put in the cart"]);
  else assert.deepEqual([other, others], ["Clothes, shoes and bags that we mend when they wear out", buttons]);
  await screenshot(page, "front-page-desktop");
  // What follows on from the title, on another page.
  await page.goto(`${shop.url}/products/canvas-tote`);
  assert.equal((await page.innerText("#store")).trim(), "Worn out? Our shops in Paris and Lyon mend it, for ten years");
  await screenshot(page, "product-made-to-last-desktop");
});

test("the bar fits a phone", async (t) => {
  const { page } = await arrive(t, INSTAGRAM, PHONE);
  await page.getByRole("button", { name: "Preview" }).tap();
  await page.getByRole("region", { name: "Idoine preview" }).getByText("instagram-newcomer: its audience matched.").first().waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await screenshot(page, "bar-phone");
  const card = page.getByRole("region", { name: "Slots" }).getByRole("listitem").filter({ has: page.getByText("hero_title", { exact: true }) });
  await card.locator("summary").tap();
  await card.getByRole("button", { name: "audience not matched" }).first().tap();
  await card.getByRole("list", { name: "Audience" }).scrollIntoViewIfNeeded();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  assert.ok(await card.evaluate((one) => one.scrollWidth <= one.clientWidth));
  await screenshot(page, "bar-clauses-phone");
});
