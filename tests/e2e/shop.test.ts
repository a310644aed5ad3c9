// The demo shop end to end: a browser, the real Worker in workerd, the published pages behind it.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import type { State } from "../../www/src/types.ts";
import { visit } from "./fixtures/browser.ts";
import { arrive, consent, DESKTOP, hero, INSTAGRAM, offline, PHONE, screenshot, shop } from "./fixtures/demo.ts";

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
  assert.deepEqual(names.sort(), [["idoine_consent", false], ["idoine_id", true], ["idoine_p", true]]);
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
      // Whoever is new is asked.
      while (!document.querySelector("idoine-consent")?.shadowRoot?.querySelector("section")) await frame();
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
      const loads: number[] = [];
      for (let load = 0; load < 3; load++) {
        const page = await visit(t, options);
        await offline(page);
        await page.goto(site + path, { waitUntil: "load" });
        loads.push(await shifts(page));
      }
      // Now and then a picture without a size comes after the first paint; what we would shift comes with every load.
      return Math.min(...loads);
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
