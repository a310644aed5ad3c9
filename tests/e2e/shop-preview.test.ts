// The demo shop's previews: the bar says why, and personas see the pages that they are there for.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { State } from "../../www/src/types.ts";
import { section } from "./fixtures/bar.ts";
import { arrive, consent, hero, INSTAGRAM, PHONE, screenshot, shop } from "./fixtures/demo.ts";

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
  await row("welcome-back").getByRole("button", { name: "needs a consent that was not given" }).click();
  await card.getByRole("list", { name: "Audience" }).getByText("visitor.returning needs consent for personalization").waitFor();
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

test("the panel has what the visitor did, as the Worker keeps it: events as they are told, and the profile that they make", async (t) => {
  const { page } = await arrive(t, "/");
  await consent(page, ["personalization", "analytics"]);
  await page.goto(`${shop.url}/products/trail-runner`);
  await page.getByRole("button", { name: "Preview" }).click();
  await page.getByRole("region", { name: "Slots" }).waitFor();
  await section(page, "Events");
  await page.getByRole("listitem").filter({ hasText: "Product Viewed" }).getByText("sent").waitFor();
  await screenshot(page, "debug-shop-events");
  await page.reload();
  await page.getByRole("region", { name: "Events" }).waitFor();
  const profile = await section(page, "Profile");
  await profile.getByText("profile.count('Product Viewed', '30d', {'category': 'shoes'})").first().waitFor();
  await profile.getByRole("button", { name: "Show all that is held" }).click();
  await profile.getByText("facts (").click();
  await profile.getByText("counters (").click();
  await profile.getByText("0 (").first().click();
  await profile.getByText("event: Product Viewed, category = shoes").waitFor();
  await screenshot(page, "debug-shop-profile");
  await section(page, "Consent");
  assert.deepEqual(await page.getByRole("region", { name: "Consent" }).locator("tbody tr").evaluateAll((all) => all.map((row) => [...row.children].map(({ textContent }) => textContent))), [
    ["Personalisation", "granted", "yes"],
    ["Analytics", "granted", "yes"],
    ["Marketing", "refused", "no"],
  ]);
});

test("an evening in the winter is a few clicks away, and goes along through the shop", async (t) => {
  const { page } = await arrive(t, "/");
  await page.getByRole("button", { name: "Preview" }).click();
  await page.getByRole("region", { name: "Slots" }).waitFor();
  await page.getByLabel("Date and time").fill("2026-11-27T20:00");
  await page.getByRole("button", { name: "Travel" }).click();
  await page.getByRole("note", { name: "Time travel" }).waitFor();
  const at = new URL(page.url()).searchParams.get("idoine.now");
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("link", { name: "View options" }).first().click();
  await page.waitForURL(/\/collections\//);
  assert.equal(new URL(page.url()).searchParams.get("idoine.now"), at);
  await page.getByRole("button", { name: /as of 27 Nov 2026/ }).waitFor();
  await screenshot(page, "debug-shop-travel");
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
    "Three pairs of shoes": ["/", "header h1", "Still looking for the right pair?"],
    "Trois paires de chaussures": ["/", "header h1", "Toujours à la recherche de la bonne paire ?"],
    "One of the best customers": ["/", "header h1", "Thank you for wearing us"],
    "Back after half a year": ["/", "header h1", "It has been a while"],
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
