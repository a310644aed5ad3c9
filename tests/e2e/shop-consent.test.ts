// The demo shop asks, as a site does: what is there before the answer, after either one, and after a change of mind.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import { arrive, DESKTOP, hero, INSTAGRAM, PHONE, screenshot, shop } from "./fixtures/demo.ts";

const FRENCH = { ...DESKTOP, locale: "fr-FR" };
const BASELINE = "Shop in style";
const SHOES = "Still looking for the right pair?";

const banner = (page: Page): Locator => page.getByRole("region", { name: /^(Your privacy|Votre vie privée)$/ });
const choose = async (page: Page, name: string): Promise<void> => {
  await banner(page).getByRole("button", { name, exact: true }).click();
  await banner(page).waitFor({ state: "detached" });
};
const cookies = async (page: Page): Promise<string[]> => (await page.context().cookies()).map(({ name }) => name).sort();
const stored = (page: Page): Promise<number> => page.evaluate(() => localStorage.length);
const shown = async (page: Page): Promise<string> => (await hero(page))[0]!;

/** Looks at a product until the Worker has answered. */
async function look(page: Page, slug: string): Promise<void> {
  const answered = page.waitForResponse("**/_idoine/collect");
  await page.goto(`${shop.url}/products/${slug}`);
  await answered;
}

/** Follows the footer's link. */
async function centre(page: Page, name = "Privacy choices"): Promise<Locator> {
  await page.getByRole("contentinfo").getByRole("link", { name }).click();
  const found = page.locator("idoine-preferences");
  await found.getByRole("switch").first().waitFor();
  return found;
}

/** A visitor who accepts what the banner asks. One new id in twenty is held out from all personalisation: it is not the one to look at. */
async function accepted(t: TestContext, options?: BrowserContextOptions): Promise<Page> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const { page } = await arrive(t, "/", options);
    await choose(page, "Accept all");
    await page.reload();
    if ((await page.innerText("footer p")).includes("adapts to you")) return page;
  }
  throw new Error("twenty new ids in a row were held out");
}

test("a first visit is asked, in a page that is personalised by the request already; and nothing is stored", async (t) => {
  const { page } = await arrive(t, INSTAGRAM, PHONE);
  await banner(page).waitFor();
  assert.deepEqual(await hero(page), ["As seen on Instagram", "The pieces from your feed, in your size"]);
  assert.match(await banner(page).innerText(), /A shop that suits you · Finding out what works/);
  assert.deepEqual([await cookies(page), await stored(page)], [[], 0]);
  // As many clicks, and as much to click on.
  const [refuse, accept] = await Promise.all(["Refuse all", "Accept all"].map((name) => banner(page).getByRole("button", { name }).boundingBox()));
  assert.deepEqual([refuse!.width, refuse!.height, refuse!.y], [accept!.width, accept!.height, accept!.y]);
  await screenshot(page, "consent-shop-phone");
});

for (const [name, options, words] of [["a desktop", DESKTOP, "Choose"], ["a phone", PHONE, "Choose"], ["a small phone, in French", { ...PHONE, viewport: { width: 320, height: 568 }, locale: "fr-FR" }, "Choisir"]] as const) {
  test(`the preview bar's button makes room for the banner: ${name}`, async (t) => {
    const { page } = await arrive(t, "/", options);
    const pill = page.getByRole("button", { name: "Preview" });
    const isFree = async (): Promise<boolean> => {
      const [one, other] = [(await pill.boundingBox())!, (await banner(page).boundingBox())!];
      return one.y >= 0 && one.x + one.width <= options.viewport!.width && one.y + one.height <= other.y;
    };
    await banner(page).waitFor();
    await page.waitForFunction(() => document.documentElement.style.getPropertyValue("--idoine-banner-room"));
    assert.ok(await isFree());
    // With a switch for each purpose the banner is higher.
    const room = await page.evaluate(() => document.documentElement.style.getPropertyValue("--idoine-banner-room"));
    await banner(page).getByRole("button", { name: words }).click();
    await page.waitForFunction((room) => document.documentElement.style.getPropertyValue("--idoine-banner-room") !== room, room);
    assert.ok(await isFree());
    await screenshot(page, `consent-shop-pill-${options.viewport!.width}`);
    await banner(page).getByRole("button", { name: /^(Save my choice|Enregistrer mon choix)$/ }).click();
    await banner(page).waitFor({ state: "detached" });
    await page.waitForFunction(() => !document.documentElement.style.getPropertyValue("--idoine-banner-room"));
    const { y, height } = (await pill.boundingBox())!;
    assert.equal(Math.round(y + height), options.viewport!.height - 16);
  });
}

test("who refuses is asked no more, and nothing is stored but that they refused", async (t) => {
  const { page } = await arrive(t, "/");
  await choose(page, "Refuse all");
  for (const slug of ["trail-runner", "city-sneaker", "leather-boot"]) {
    await page.goto(`${shop.url}/products/${slug}`);
    await page.waitForFunction(() => window.idoine?.ready);
  }
  await page.goto(`${shop.url}/`);
  await page.waitForFunction(() => window.idoine?.ready);
  assert.equal(await shown(page), BASELINE);
  assert.match(await page.innerText("footer p"), /Nothing about you is stored$/);
  assert.deepEqual([await cookies(page), await stored(page)], [["idoine_consent"], 0]);
  assert.equal(await page.locator("idoine-consent").count(), 0);
  await screenshot(page, "consent-shop-refused");
  const known = (await centre(page)).getByRole("region", { name: "What we know about you" });
  assert.match(await known.innerText(), /Nothing is kept about you without your permission\./);
});

test("who accepts is shown what follows from it, reads why, takes it back, and has the shop of before", async (t) => {
  const page = await accepted(t);
  for (const slug of ["trail-runner", "city-sneaker", "leather-boot"]) await look(page, slug);
  await page.goto(`${shop.url}/`);
  assert.equal(await shown(page), SHOES);

  const opened = await centre(page);
  const known = opened.getByRole("region", { name: "What we know about you" });
  const row = known.getByRole("listitem").filter({ hasText: "Product Viewed · Category · Shoes" });
  assert.match(await row.innerText(), /3\s+From what you did on this site\s+What it changes: After three pairs of shoes our home page begins with them, because you looked at them\./);
  assert.match(await known.getByRole("listitem").filter({ hasText: /^Category/ }).innerText(), /Shoes/);
  // What holds of everybody of whom nothing is known is not told as something that is.
  assert.match(await known.innerText(), /Groups you are in: Likes shoes$/m);
  await screenshot(page, "consent-shop-centre");

  await opened.getByRole("switch", { name: "A shop that suits you" }).click();
  await opened.getByRole("status").filter({ hasText: "Saved." }).waitFor();
  await known.getByText("Nothing is kept about you").waitFor();
  await page.goto(`${shop.url}/`);
  assert.notEqual(await shown(page), SHOES);
  await centre(page);
  await opened.getByRole("switch", { name: "Finding out what works" }).click();
  await opened.getByRole("status").filter({ hasText: "Saved." }).waitFor();
  await page.goto(`${shop.url}/`);
  assert.equal(await shown(page), BASELINE);
  assert.deepEqual(await cookies(page), ["idoine_consent"]);
  // Agreeing once more begins anew: what was taken back is gone.
  await (await centre(page)).getByRole("switch", { name: "A shop that suits you" }).click();
  await page.locator("idoine-preferences").getByRole("status").filter({ hasText: "Saved." }).waitFor();
  await page.goto(`${shop.url}/`);
  assert.notEqual(await shown(page), SHOES);
});

test("what is said in the preference centre counts on the next page: topics, on which days, quiet", async (t) => {
  const page = await accepted(t);
  const opened = await centre(page);
  const says = async (box: Locator): Promise<void> => {
    const saved = page.waitForResponse((response) => response.url().endsWith("/_idoine/profile") && response.request().method() === "POST");
    await box.click();
    assert.equal((await saved).status(), 200);
  };
  const offered = async (now: string): Promise<string> => {
    await page.goto(`${shop.url}/collections/bags?idoine.now=${now}`);
    return (await page.innerText("#announcement")).trim();
  };
  const [monday, tuesday] = ["2026-06-08T19:00:00Z", "2026-06-09T19:00:00Z"];
  const OFFER = /Bags of waxed canvas/;
  await says(opened.getByRole("checkbox", { name: "Bags" }));
  assert.match(await offered(tuesday), OFFER);
  await page.goto(`${shop.url}/_idoine/preferences`);
  await says(opened.getByRole("radio", { name: "Mondays" }));
  assert.doesNotMatch(await offered(tuesday), OFFER);
  assert.match(await offered(monday), OFFER);
  await page.goto(`${shop.url}/_idoine/preferences`);
  await says(opened.getByRole("switch", { name: "No offers at all" }));
  assert.doesNotMatch(await offered(monday), OFFER);
});

test("the shop asks in French who reads French, and its footer leads to the centre in French", async (t) => {
  const { page } = await arrive(t, "/", FRENCH);
  await banner(page).getByText("Une boutique à votre goût · Voir ce qui marche").waitFor();
  await screenshot(page, "consent-shop-french");
  await choose(page, "Tout refuser");
  const opened = await centre(page, "Vos choix de confidentialité");
  await opened.getByRole("heading", { name: "Ce que nous savons de vous" }).waitFor();
});
