// The preference centre in real pages: what it shows of what is known, and what a visitor can do there.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { after, test, type TestContext } from "node:test";
import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import { inRepository } from "../real/faces.ts";
import { problems, shift } from "./fixtures/access.ts";
import { closeBrowser, until, visit } from "./fixtures/browser.ts";
import { consentSite, HELD, NOTICE, type ConsentSite } from "./fixtures/consent.ts";
import { json, type Route } from "./fixtures/server.ts";

after(closeBrowser);
mkdirSync(inRepository("dist/screenshots"), { recursive: true });

const shot = (tab: Page, name: string): Promise<unknown> => tab.screenshot({ path: inRepository(`dist/screenshots/consent-${name}.png`), fullPage: true });
const GRANTED = "v2.personalization.analytics.-marketing.3.1763900000.v";
const PAGE = '<h1>My account</h1><idoine-preferences></idoine-preferences><button id="after">After</button>';
const centre = (tab: Page): Locator => tab.locator("idoine-preferences");
const section = (tab: Page, name: string): Locator => centre(tab).getByRole("region", { name });
const row = (tab: Page, title: string): Locator => section(tab, "What we know about you").locator("li").filter({ hasText: title });
const says = (tab: Page, text: string | RegExp): Promise<void> => centre(tab).getByRole("status").filter({ hasText: text }).waitFor();
const focused = (tab: Page): Promise<string | null | undefined> =>
  tab.evaluate(() => {
    const one = document.activeElement?.shadowRoot?.activeElement;
    return one?.getAttribute("aria-label") ?? ((one as HTMLInputElement)?.labels?.[0] ?? one)?.textContent ?? document.activeElement?.id;
  });

/** A page with the centre in it, opened by a visitor who has chosen. */
async function open(t: TestContext, { choice = GRANTED, routes = {}, head = "", options = {} }: { choice?: string; routes?: Record<string, Route>; head?: string; options?: BrowserContextOptions } = {}): Promise<{ tab: Page; site: ConsentSite }> {
  const site = await consentSite(t, `${head}<script async src="/_idoine/idoine.js" data-consent="none"></script>`, NOTICE, routes, PAGE);
  const tab = await visit(t, options);
  if (choice) await tab.context().addCookies([{ name: "idoine_consent", value: choice, url: site.origin }]);
  await tab.goto(site.origin);
  await centre(tab).getByRole("switch").first().waitFor();
  return { tab, site };
}

test("it shows what is known, where it came from, why it is asked and what it changes", async (t) => {
  const { tab } = await open(t);
  const size = await row(tab, "Your size").innerText();
  for (const part of ["Medium", "You said so here · March 2, 2026", "Why we ask: To show what there is in your size.", "What it changes: The list begins with your size, because you told us it."]) {
    assert.ok(size.includes(part), `${part} in ${size}`);
  }
  assert.match(await row(tab, "Birth year").innerText(), /1985\s+From our records · December 24, 2025/);
  assert.match(await row(tab, "Club member").innerText(), /Yes\s+From our systems \(erp\) · January 5, 2026/);
  assert.equal(await row(tab, "Club member").getByRole("button").count(), 0, "the site says what may be corrected");
  assert.match(await section(tab, "What we know about you").innerText(), /Groups you are in: Returning visitors/);
  assert.match(await row(tab, "Wish list").innerText(), /Yes\s+From what you did on this site/);
  assert.equal(await row(tab, "Product Viewed").count(), 0, "nothing was viewed");
  assert.match(await section(tab, "What you allow").innerText(), /You chose this on November 23, 2025\./);
  await section(tab, "What we know about you").locator("summary").click();
  assert.match(await section(tab, "What we know about you").innerText(), /Frequency\s+Quiet/);
  assert.deepEqual(await problems(tab, "idoine-preferences"), []);
  await shot(tab, "centre");
});

test("a switch for each purpose counts at once; what is no longer allowed is no longer shown; a failure is said and undone", async (t) => {
  let fails = false;
  const { tab, site } = await open(t);
  const one = centre(tab).getByRole("switch", { name: "Personal shop" });
  assert.equal(await one.isChecked(), true);
  await one.focus();
  await tab.keyboard.press("Space");
  await says(tab, "Saved.");
  assert.deepEqual(site.posted("consent"), [{ granted: ["analytics"], version: 3, by: "visitor" }]);
  await until(async () => !(await section(tab, "What we know about you").innerText()).includes("You said so here"));
  assert.match(await section(tab, "What you would like").innerText(), /needs your permission above: Messages, Personal shop/);
  assert.equal(await one.evaluate((element) => (element.getRootNode() as ShadowRoot).activeElement === element), true, "the focus stays");

  await tab.route("**/_idoine/consent", (route) => (fails ? route.abort() : route.continue()));
  fails = true;
  await centre(tab).getByRole("switch", { name: "Messages" }).click();
  await says(tab, "That did not work");
  assert.equal(await centre(tab).getByRole("switch", { name: "Messages" }).isChecked(), false);
});

test("what is wrong is corrected, by the field that fits it, and what is not wanted is removed", async (t) => {
  const { tab, site } = await open(t);
  await row(tab, "Your size").getByRole("button", { name: "Correct: Your size" }).click();
  assert.equal(await focused(tab), "Your size" + "SmallMediumL", "the field has the focus");
  assert.deepEqual(await problems(tab, "idoine-preferences"), []);
  await row(tab, "Your size").getByRole("combobox").selectOption("L");
  await row(tab, "Your size").getByRole("button", { name: "Save" }).click();
  await says(tab, "Saved.");
  assert.deepEqual(site.posted("profile"), [{ traits: { size: "l" } }]);
  assert.match(await row(tab, "Your size").innerText(), /L\s+You said so here · November 23, 2026/);
  assert.equal(await focused(tab), "Correct: Your size");

  await row(tab, "Birth year").getByRole("button", { name: "Correct" }).click();
  assert.equal(await row(tab, "Birth year").getByRole("spinbutton").inputValue(), "1985");
  await tab.keyboard.press("Escape");
  assert.equal(await focused(tab), "Correct: Birth year");
  await tab.keyboard.press("Enter");
  await row(tab, "Birth year").getByRole("spinbutton").fill("1986");
  await tab.keyboard.press("Enter");
  await until(async () => site.posted("profile").length === 2);
  assert.deepEqual(site.posted("profile")[1], { traits: { birth_year: 1986 } });

  await until(async () => (await row(tab, "Birth year").innerText()).includes("1986"));
  await row(tab, "Birth year").getByRole("button", { name: "Remove: Birth year" }).click();
  await until(async () => site.posted("profile").length === 3);
  assert.deepEqual(site.posted("profile")[2], { traits: { birth_year: null } });
  await until(async () => (await focused(tab)) === "What we know about you");
});

test("topics, how often and quiet: each counts at once, and the focus stays where it is", async (t) => {
  const { tab, site } = await open(t, { choice: "v2.personalization.analytics.marketing.3.1763900000.v" });
  const likes = section(tab, "What you would like");
  assert.deepEqual(await likes.getByRole("group", { name: "What you want to hear of" }).getByRole("checkbox").evaluateAll((all) => all.map((one) => (one as HTMLInputElement).checked)), [true, false, false]);
  await likes.getByRole("checkbox", { name: "Coats" }).focus();
  await tab.keyboard.press("Space");
  await until(async () => site.posted("profile").length === 1);
  await until(async () => (await focused(tab)) === "Coats");
  // Words of the site's where it has some for a value.
  assert.deepEqual(await likes.getByRole("group", { name: "How often we write to you" }).locator("label").allInnerTexts(), ["Every week", "Monthly", "Never"]);
  await likes.getByRole("radio", { name: "Monthly" }).check();
  await until(async () => site.posted("profile").length === 2);
  await likes.getByRole("switch", { name: "Quiet mode" }).click();
  await until(async () => site.posted("profile").length === 3);
  assert.deepEqual(site.posted("profile"), [{ traits: { topics: ["shoes", "coats"] } }, { traits: { frequency: "monthly" } }, { traits: { quiet: true } }]);
  await until(async () => likes.getByRole("switch", { name: "Quiet mode" }).isChecked());
  assert.equal(await likes.getByRole("radio", { name: "Monthly" }).isChecked(), true);
});

test("everything that is held is downloaded as a file", async (t) => {
  const { tab, site } = await open(t);
  // To be shown they need not be looked for in the bucket.
  assert.deepEqual(site.posted("export"), [{ exported: false }]);
  const [download] = await Promise.all([tab.waitForEvent("download"), centre(tab).getByRole("button", { name: "Download my data" }).click()]);
  assert.match(download.suggestedFilename(), /^127\.0\.0\.1-\d{4}-\d\d-\d\d\.json$/);
  const { format, traits } = JSON.parse(readFileSync(await download.path(), "utf8")) as { format: string; traits: unknown };
  assert.deepEqual([format, traits], ["idoine.export.v1", HELD]);
  assert.deepEqual(site.posted("export"), [{ exported: false }, {}]);
});

/** Answers of a Worker that has lines on several pages; `fails` says how often a page is refused first, and with what. */
function paged(fails: { page: number; times: number; status: number }): Record<string, Route> {
  const line = (n: number) => ({ messageId: `line-${n}` });
  let refused = 0;
  return {
    "/_idoine/export": (request) => {
      const { exported, after } = JSON.parse(request.body) as { exported?: boolean; after?: string };
      const page = Number(after ?? 0);
      if (exported === false) return json({ format: "idoine.export.v1", traits: HELD, audiences: [] });
      if (page === fails.page && refused < fails.times) {
        refused += 1;
        return { ...json({ error: { code: "unavailable", message: "Later." } }), status: fails.status };
      }
      const lines = { exported: [line(2 * page), line(2 * page + 1)], next: page < 2 ? String(page + 1) : null };
      return json(page === 0 ? { format: "idoine.export.v1", traits: HELD, ...lines, accesses: [] } : lines);
    },
  };
}

test("a download of several pages is one file: each page is tried three times, and how far it is is said", async (t) => {
  for (const [lang, button, progress, done] of [
    ["en", "Download my data", "so far, 2 of your actions", "Your data is downloaded."],
    ["fr", "Télécharger mes données", "2 de vos actions", "Vos données sont téléchargées."],
  ] as const) {
    const { tab, site } = await open(t, { routes: paged({ page: 1, times: 2, status: 503 }), head: `<script>document.documentElement.lang = "${lang}"</script>` });
    const [download] = await Promise.all([tab.waitForEvent("download"), says(tab, progress), centre(tab).getByRole("button", { name: button }).click()]);
    await says(tab, done);
    const file = JSON.parse(readFileSync(await download.path(), "utf8")) as { exported: { messageId: string }[] };
    assert.deepEqual(Object.keys(file), ["format", "traits", "exported", "accesses"], "the file is the documented one");
    assert.deepEqual(file.exported.map(({ messageId }) => messageId), Array.from({ length: 6 }, (_, n) => `line-${n}`));
    assert.deepEqual(site.posted("export").slice(1), [{}, { after: "1" }, { after: "1" }, { after: "1" }, { after: "2" }]);
    assert.deepEqual(await problems(tab, "idoine-preferences"), []);
  }
});

test("of a download that fails nothing is saved, and it is said", async (t) => {
  for (const [status, tries] of [
    [503, 3],
    [400, 1],
  ] as const) {
    const { tab, site } = await open(t, { routes: paged({ page: 1, times: 3, status }) });
    let saved = 0;
    tab.on("download", () => (saved += 1));
    await centre(tab).getByRole("button", { name: "Download my data" }).click();
    await says(tab, "That did not work");
    assert.equal(site.posted("export").filter(({ after }) => after === "1").length, tries);
    // The next one goes well, and is the first to be saved.
    if (status === 503) {
      await Promise.all([tab.waitForEvent("download"), centre(tab).getByRole("button", { name: "Download my data" }).click()]);
      assert.equal(saved, 1);
    } else assert.equal(saved, 0);
  }
});

test("all is erased once that is confirmed, and the receipt is told", async (t) => {
  const { tab, site } = await open(t);
  const erase = centre(tab).getByRole("button", { name: "Erase everything", exact: true });
  await erase.click();
  const sure = tab.getByRole("dialog", { name: /cannot be undone/ });
  await sure.waitFor();
  assert.deepEqual(await problems(tab, "idoine-preferences"), []);
  await shot(tab, "erase");
  await tab.keyboard.press("Escape");
  assert.equal(await focused(tab), "Erase everything");
  assert.deepEqual(site.posted("erase"), []);
  await tab.keyboard.press("Enter");
  await sure.getByRole("button", { name: "Yes, erase everything" }).click();
  await says(tab, "Everything is erased. Your receipt: r-1234");
  assert.match((await focused(tab)) ?? "", /Everything is erased/);
  assert.deepEqual(await centre(tab).getByRole("switch", { disabled: false }).evaluateAll((all) => all.map((one) => (one as HTMLInputElement).checked)), [false, false, false]);
  assert.match(await section(tab, "What we know about you").innerText(), /Nothing is kept about you without your permission/);
});

test("opened over the page it takes the focus and gives it back; the page behind it stands still", async (t) => {
  const site = await consentSite(t, '<script async src="/_idoine/idoine.js" data-consent="none"></script>');
  const tab = await visit(t, { viewport: { width: 1280, height: 800 } });
  await tab.context().addCookies([{ name: "idoine_consent", value: GRANTED, url: site.origin }]);
  await tab.goto(site.origin);
  await tab.waitForFunction(() => window.idoine?.ready);
  await tab.evaluate(() => document.querySelector("#later")!.addEventListener("click", () => window.idoine!("consent.show")));
  await tab.locator("#later").focus();
  await tab.keyboard.press("Enter");
  const dialog = tab.getByRole("dialog", { name: "Your data and choices" });
  await dialog.waitFor();
  await dialog.getByRole("switch").first().waitFor();
  assert.equal(await focused(tab), "Your data and choices");
  assert.equal(await shift(tab), 0);
  await shot(tab, "dialog");
  await tab.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal(await tab.evaluate(() => document.activeElement?.id), "later");
  await until(async () => (await centre(tab).count()) === 0);
});

test("of who allows nothing, nothing is asked for", async (t) => {
  const { tab, site } = await open(t, { choice: "" });
  assert.match(await section(tab, "What you allow").innerText(), /You have not chosen yet/);
  assert.match(await section(tab, "What we know about you").innerText(), /Nothing is kept about you without your permission/);
  assert.deepEqual(site.posted("export"), []);
  assert.deepEqual(await tab.evaluate(() => [document.cookie, localStorage.length]), ["", 0]);
});

test("a known user is shown their data when the site's server says that it is them", async (t) => {
  const guarded: Route = ({ body }) => (JSON.parse(body).token === "signed" ? json({ format: "idoine.export.v1", traits: HELD }) : { status: 401 });
  const { tab } = await open(t, { routes: { "/_idoine/export": guarded } });
  await says(tab, "Please log in again");
  assert.equal(await section(tab, "What we know about you").count(), 0, "it is not said that nothing is known");
  await tab.evaluate(() => {
    const old = document.querySelector("idoine-preferences")!;
    old.replaceWith(Object.assign(document.createElement("idoine-preferences"), { token: async () => "signed" }));
  });
  await row(tab, "Your size").waitFor();
});

test("a browser that refuses profiling: those switches are off, with the reason", async (t) => {
  const { tab } = await open(t, { options: { extraHTTPHeaders: { "sec-gpc": "1" } } });
  assert.deepEqual(await section(tab, "What you allow").getByRole("switch").evaluateAll((all) => all.map((one) => [(one as HTMLInputElement).disabled, (one as HTMLInputElement).checked])), [[true, false], [false, true], [true, false]]);
  assert.match(await section(tab, "What you allow").innerText(), /Global Privacy Control.*Refused by your browser/s);
});

test("in French, in the dark, on a phone", async (t) => {
  const options: BrowserContextOptions = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2, colorScheme: "dark", locale: "fr-FR" };
  const head = '<meta name="color-scheme" content="light dark"><script>document.documentElement.lang = "fr"</script>';
  const { tab } = await open(t, { head, options });
  assert.equal(await centre(tab).getByRole("heading").first().textContent(), "Vos données et vos choix");
  assert.match(await section(tab, "Ce que nous savons de vous").innerText(), /Vous l’avez dit ici · 2 mars 2026/);
  assert.match(await section(tab, "Ce que vous autorisez").innerText(), /Gardé au plus 13\smois après/);
  assert.equal(await tab.evaluate(() => document.documentElement.scrollWidth), 360);
  assert.deepEqual(await problems(tab, "idoine-preferences"), []);
  await shot(tab, "centre-phone");
});

test("a page that keeps its room does not move when it comes", async (t) => {
  const head = "<style>idoine-preferences { display: block; min-height: 100vh }</style>";
  const { tab } = await open(t, { head, options: { viewport: { width: 1280, height: 800 } } });
  assert.equal(await shift(tab), 0);
});
