// The debug panel's sections beside the slots, with the real tools in real pages: audiences, profile, consents, events, and time to travel.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test, type TestContext } from "node:test";
import { inRepository } from "../real/faces.ts";
import { assets, compile } from "./fixtures/artefacts.ts";
import { BAR, card, open, section } from "./fixtures/bar.ts";
import { closeBrowser, visit } from "./fixtures/browser.ts";
import { page } from "./fixtures/pages.ts";
import { json, serve, type Route, type Site } from "./fixtures/server.ts";

after(closeBrowser);

/** A shop that opens at nine by the visitor's clock, and has a sale from the fifth on. */
const MANIFEST = {
  site: { id: "debugged", hosts: ["127.0.0.1"] },
  traits: { plan: { type: "string", purpose: "personalization" } },
  audiences: {
    german: "geo.country == 'DE'",
    on_a_phone: "device.type == 'mobile'",
    german_on_a_phone: "german && on_a_phone",
    buyers: "profile.plan == 'pro' || source.name == 'newsletter'",
  },
  slots: { hero: { selector: "header h1" }, intro: { selector: "#intro" }, cta: { selector: ".cta" } },
  groups: { offers: {} },
  experiences: [
    { id: "hush", type: "personalization", audience: "on_a_phone", suppresses: ["offers"] },
    { id: "both", type: "personalization", audience: "german_on_a_phone", slots: { hero: { text: "x" } } },
    { id: "for-buyers", type: "personalization", audience: "buyers", slots: { hero: { text: "x" } } },
    { id: "elsewhere", type: "personalization", pages: ["/sale/*"], slots: { hero: { text: "x" } } },
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
/** When the sale begins. */
const NEXT = Date.parse("2026-07-05T00:00:00Z");
const PERSONAS = { "A buyer": { "profile.plan": "pro", "consent.personalization": true }, "Last winter": { now: "2025-12-20T09:00:00Z", "geo.country": "FR" } };
const CONSENT = {
  granted: ["analytics"],
  decided: true,
  choice: { personalization: "withdrawn", analytics: "granted", marketing: "unasked" },
  version: 2,
  at: "2026-06-30T08:00:00Z",
  by: "platform",
  own: ["personalization"],
  measured: false,
  signals: { gpc: true, dnt: false },
  notice: { mode: "opt-in", version: 3, purposes: [] },
};

/** A site whose pages say by what links lead where; its Worker knows a visitor in Berlin. */
async function site(t: TestContext, routes: Record<string, Route> = {}, head = BAR): Promise<Site> {
  const body = (text: string): string => page(head, `<header><h1>${text}</h1></header><main><p id="intro">Intro</p><a class="cta" href="/two?x=1#end">Two</a> <a href="/back">Back</a></main>`);
  const started = await serve({
    ...assets("bar.js", "tools.js", "tools.wasm"),
    "/": body("One"),
    "/two": body("Two"),
    // A server that takes the query off.
    "/back": ({ query }) => (query.size > 0 ? { status: 302, headers: { location: "/back" } } : body("Back")),
    "/_idoine/program": () => ({ type: "application/octet-stream", body: program }),
    "/_idoine/personas": json(PERSONAS),
    "/_idoine/consent": json(CONSENT),
    "/_idoine/profile": json({ version, verified: false, profile: {} }),
    "/_idoine/decide": json({ version, decisions: [], edits: [], until: NEXT }),
    "/_idoine/context": ({ query }) => {
      const { searchParams, href, pathname } = new URL(query.get("url")!);
      const told: [string, unknown][] = [...searchParams].filter(([name]) => name.startsWith("idoine.")).map(([name, value]) => [name.slice(7), value]);
      const { now = NOW, ...overrides } = Object.fromEntries(told) as Record<string, string>;
      const context = { "geo.country": "DE", "geo.timezone": "Europe/Berlin", "device.type": "desktop", "source.name": "(direct)", "page.url": href, "page.path": pathname, ...overrides };
      return json({ version, now: typeof now === "string" ? Date.parse(now) : now, preview: true, context });
    },
    ...routes,
  });
  t.after(() => started.close());
  return started;
}

const texts = (found: { allTextContents(): Promise<string[]> }): Promise<string[]> => found.allTextContents();

test("each named audience says whether the visitor is in it, and the clause that failed with its value", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await open(tab);
  const audiences = await section(tab, "Audiences");
  assert.deepEqual(await texts(audiences.locator("li.audience > .line")), ["buyersno consent", "germantrue", "german_on_a_phonefalse", "on_a_phonefalse"]);
  assert.ok(await audiences.getByText("In 1 of 4 that this page asked for.").isVisible());
  assert.deepEqual(await texts(audiences.locator("li.audience > .brief")), [
    "profile.plan == 'pro' || source.name == 'newsletter' profile.plan needs consent for personalization, source.name is \"(direct)\"",
    "device.type == 'mobile' device.type is \"desktop\"",
    "device.type == 'mobile' device.type is \"desktop\"",
  ]);
  await audiences.locator("li").filter({ hasText: "german_on_a_phone" }).first().getByText("All of its clauses").click();
  const clauses = audiences.getByRole("list", { name: "Clauses of german_on_a_phone" }).locator(".clause");
  assert.deepEqual((await texts(clauses)).map((text) => text.trim()), [
    "false german_on_a_phone",
    "false all of",
    "true german",
    "true geo.country == 'DE' geo.country is \"DE\"",
    "false on_a_phone",
    "false device.type == 'mobile' device.type is \"desktop\"",
  ]);
});

test("every candidate that lost says why: the clause, the page rules, the schedule; and what has no slot is told too", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await open(tab);
  for (const slot of ["hero", "intro", "cta"]) await card(tab, slot).locator("summary").click();
  const rows = async (slot: string): Promise<string[][]> =>
    card(tab, slot).locator("tbody tr:not(.more)").evaluateAll((all) => all.map((row) => [...row.querySelectorAll("th, button, .brief")].map(({ textContent }) => textContent!)));
  assert.deepEqual(await rows("hero"), [
    ["both", "audience not matched", "device.type == 'mobile' device.type is \"desktop\""],
    ["elsewhere", "not for this page"],
    ["for-buyers", "needs a consent that was not given", "profile.plan == 'pro' || source.name == 'newsletter' profile.plan needs consent for personalization, source.name is \"(direct)\""],
  ]);
  assert.deepEqual(await rows("intro"), [["sale", "outside its schedule"]]);
  assert.deepEqual(await rows("cta"), [["evening", "audience not matched", "time.hour >= 18 time.hour is 12"]]);
  await card(tab, "hero").getByRole("button", { name: "not for this page" }).click();
  assert.ok(await card(tab, "hero").getByText("It is for /sale/*.").isVisible());
  await tab.getByText("1 without a slot").click();
  const other = tab.getByRole("row").filter({ has: tab.getByRole("rowheader", { name: "hush" }) });
  assert.match(await other.innerText(), /audience not matched[\s\S]*device\.type is "desktop"/);
});

test("the profile is what is stored of the visitor that pages are decided with, by what it is", async (t) => {
  const profile = {
    "assignment.call-to-action": "1",
    "assignment.both": "2,0",
    "seen.sale": "1,2,3,9,2026-07-01T09:30:00Z",
    "seen_site": "1,1,1,1,1782900000000",
    "profile.plan": "pro",
    "profile.count('Order Completed', '30d')": "4",
    "visitor.session_start": "1782900000000",
  };
  const shop = await site(t, { "/_idoine/profile": json({ version, verified: true, profile }) });
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await open(tab);
  const section_ = await section(tab, "Profile");
  const list = async (name: string): Promise<string[]> => texts(section_.getByRole("region", { name }).locator("dt, dd"));
  assert.ok(await section_.getByText("A user who is logged in").isVisible());
  assert.deepEqual(await list("Sticky assignments"), ["assignment.call-to-action", "variant 1", "assignment.both", "variants 2, 0, by factor"]);
  assert.deepEqual(await list("Shown so far, as caps count it"), [
    "seen.sale",
    "1 in the session, 2 that day, 3 that week, 9 in all, last 1 Jul 2026, 11:30",
    "seen_site",
    "1 in the session, 1 that day, 1 that week, 1 in all, last 1 Jul 2026, 12:00",
  ]);
  assert.deepEqual(await list("Counted of events"), ["profile.count('Order Completed', '30d')", "4"]);
  assert.deepEqual(await list("Traits and what was learned"), ["profile.plan", "pro"]);
  assert.deepEqual(await list("Visits"), ["visitor.session_start", "1 Jul 2026, 12:00"]);
  await tab.screenshot({ path: inRepository("dist/screenshots/debug-profile.png") });
});

test("the profile is asked for as whom the page was seen by, and where nothing of it takes part that is said", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(`${shop.origin}/?x=1&idoine.now=2026-07-02T10:00:00Z`);
  await open(tab);
  const profile = await section(tab, "Profile");
  assert.ok(await profile.getByText("the visitor did not agree to personalisation").isVisible());
  const asked = (): Record<string, string>[] => shop.asked.filter(({ path }) => path === "/_idoine/profile").map(({ query }) => Object.fromEntries(query));
  assert.deepEqual(asked(), [{ "idoine.now": "2026-07-02T10:00:00Z" }]);
  await tab.goto(`${shop.origin}/?idoine.profile.plan=pro`);
  await tab.getByText("You look as somebody else: nothing that is stored of you takes part.").waitFor();
});

test("all that is held is shown when it is asked for, and not to who has to prove who they are", async (t) => {
  let status = 200;
  const held = { format: "idoine.export.v1", facts: { counters: [{ event: "Order Completed", count: 3, first: 1782900000000 }] }, traits: [], audiences: ["buyers"], consents: {}, events: [], waiting: [] };
  const shop = await site(t, { "/_idoine/export": () => (status === 200 ? json(held) : { status }) });
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await open(tab);
  const profile = await section(tab, "Profile");
  assert.equal(shop.asked.filter(({ path }) => path === "/_idoine/export").length, 0);
  await profile.getByRole("button", { name: "Show all that is held" }).click();
  for (const name of ["facts (1)", "counters (1)", "0 (3)"]) await profile.getByText(name).click();
  await profile.getByText("count: 3").waitFor();
  await profile.getByText("first: 2026-07-01T10:00:00.000Z").waitFor();
  assert.deepEqual(shop.asked.filter(({ path }) => path === "/_idoine/export").map(({ body }) => JSON.parse(body) as unknown), [{ exported: false }]);
  status = 401;
  await profile.getByRole("button", { name: "Show all that is held" }).click();
  await profile.getByText("A user is logged in").waitFor();
});

test("the consents say what was said, by whom, of which wording, and what counts here", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(`${shop.origin}/?idoine.consent.personalization=true`);
  await open(tab);
  const consent = await section(tab, "Consent");
  const rows = await consent.locator("tbody tr").evaluateAll((all) => all.map((row) => [...row.children].map(({ textContent }) => textContent)));
  assert.deepEqual(rows, [
    ["Personalisation", "withdrawn", "yes, as this preview says"],
    ["Analytics", "granted", "no"],
    ["Marketing", "not asked", "no"],
  ]);
  assert.equal(await consent.getByLabel("Analytics").isChecked(), true);
  assert.deepEqual(await texts(consent.locator("dl > *")), [
    "Asked",
    "yes, and answered in the present wording",
    "By",
    "a consent platform",
    "At",
    "30 Jun 2026, 10:00",
    "Version of the wording",
    "2; it is 3 now",
    "Mode",
    "opt-in: nothing before it is agreed to",
    "Refused on the site itself",
    "personalization: no consent platform grants it",
    "Counted without the visitor",
    "no",
    "The browser asks for",
    "Global Privacy Control",
  ]);
});
