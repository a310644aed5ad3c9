// The debug panel's sections beside the slots, with the real tools in real pages: audiences, profile, consents, events, and time to travel.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test, type TestContext } from "node:test";
import { inRepository } from "../real/faces.ts";
import { assets, compile } from "./fixtures/artefacts.ts";
import { axe } from "./fixtures/axe.ts";
import { BAR, card, open, section } from "./fixtures/bar.ts";
import { closeBrowser, DESKTOP, PHONE, visit } from "./fixtures/browser.ts";
import { edgeHead, page } from "./fixtures/pages.ts";
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
  await tab.getByText("1 experience without a slot").click();
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

const SECTIONS = ["Slots", "Audiences", "Profile", "Consent", "Events"];

test("events are told live, the newest first, with what became of each; exposures among them", async (t) => {
  let status = 200;
  const state = { version, decisions: [{ slot: "cta", experience: "evening", variant: 1, source: "personalization", reason: "match" } as const], values: {}, selectors: { cta: ".cta" } };
  const shop = await site(
    t,
    {
      ...assets("idoine.js", "edits.js", "live.js", "capture.js"),
      "/_idoine/collect": ({ body }) => {
        const { events } = JSON.parse(body) as { events: { messageId: string }[] };
        return status === 200 ? json({ results: events.map(({ messageId }) => ({ messageId, status: "ok" })) }) : { status };
      },
    },
    edgeHead(state) + BAR,
  );
  const tab = await visit(t, DESKTOP);
  await tab.context().addCookies([{ name: "idoine_consent", value: "v1.pa", url: shop.origin }]);
  await tab.goto(shop.origin);
  await open(tab);
  const events = await section(tab, "Events");
  const lines = (): Promise<string[]> => texts(events.locator("li.event > .line"));
  // What was seen for a second is counted without a word of the page's.
  await events.getByText("cta: evening, variant 1").waitFor();
  await tab.evaluate(() => void window.idoine!.track!("Product Viewed", { product_id: "p1" }));
  await events.locator("li", { hasText: "Product Viewed" }).getByText("sent").waitFor();
  assert.deepEqual(await lines(), ["trackProduct Viewedsent", "exposurecta: evening, variant 1sent"]);
  // What is open stays open while others come.
  await events.locator("li", { hasText: "Product Viewed" }).getByText("Properties").click();
  status = 503;
  await tab.evaluate(() => void window.idoine!.track!("Searched"));
  await events.locator("li", { hasText: "Searched" }).getByText("waiting").waitFor();
  assert.deepEqual((await lines())[1], "trackProduct Viewedsent");
  assert.ok(await events.getByText('"product_id": "p1"').isVisible());
  await tab.screenshot({ path: inRepository("dist/screenshots/debug-events.png") });
});

for (const [kind, options] of [
  ["light", DESKTOP],
  ["dark", { ...DESKTOP, colorScheme: "dark" }],
  ["phone", PHONE],
] as const) {
  test(`axe finds nothing wrong with the open panel, at any of its sections: ${kind}`, async (t) => {
    const profile = { "seen.sale": "1,2,3,9,2026-07-01T09:30:00Z", "profile.plan": "pro" };
    const shop = await site(t, { "/_idoine/profile": json({ version, verified: true, profile }) });
    const tab = await visit(t, options);
    await tab.addInitScript(() => {
      const events = [
        { at: Date.parse("2026-07-01T10:00:00Z"), type: "page", status: "sent" },
        { at: Date.parse("2026-07-01T10:00:01Z"), type: "track", event: "Searched", properties: { query: "trail shoes, with a word_that_is_much_longer_than_any_line_of_a_phone_can_be_and_wraps" }, status: "waiting" },
        { at: Date.parse("2026-07-01T10:00:02Z"), type: "track", event: "Liked", status: "refused" },
      ];
      Object.assign(window, { idoine: Object.assign(() => undefined, { decisions: () => [], debug: () => ({ events, error: "collect: 503" }) }) });
    });
    await tab.goto(`${shop.origin}/?idoine.now=2026-07-01T10:00:00Z`);
    await open(tab);
    await card(tab, "hero").locator("summary").click();
    await card(tab, "hero").getByRole("button", { name: "audience not matched" }).first().click();
    for (const name of SECTIONS) {
      const shown = await section(tab, name);
      if (name === "Slots") assert.ok(await card(tab, "hero").getByRole("list", { name: "Audience" }).isVisible());
      for (const summary of await shown.locator("summary:visible").all()) if (name !== "Slots") await summary.click();
      const { violations, incomplete } = await axe(tab);
      // The page itself is only there to stand behind.
      const ours = [...violations, ...incomplete].filter((line) => !/^(?:landmark-one-main|region|page-has-heading-one)/.test(line));
      assert.deepEqual(ours, [], name);
      assert.ok(await tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} is no wider than the window`);
      const columns = tab.locator("idoine-bar .columns");
      assert.ok(await columns.evaluate((one) => one.scrollWidth <= one.clientWidth), `${name} fits`);
      await shown.scrollIntoViewIfNeeded();
      await tab.screenshot({ path: inRepository(`dist/screenshots/debug-${kind}-${name.toLowerCase()}.png`) });
    }
  });
}

test("under a strict policy with Trusted Types every section works, and nothing of the page's styles leaks in or of the panel's out", async (t) => {
  const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";
  const loud = "* { color: red !important; font: 40px serif !important; padding: 30px !important; } :host, .panel, .slot { display: none !important; } button { background: lime !important; }";
  const strict = (head: string): Route => ({ headers: { "content-security-policy": policy }, body: page(head, "<header><h1>One</h1></header><p class='slot panel soft' id='intro'>Mine</p>") });
  const shop = await site(t, { "/": strict(BAR), "/loud": strict(`<link rel="stylesheet" href="/loud.css">${BAR}`), "/loud.css": { type: "text/css", body: loud } });
  const tab = await visit(t, DESKTOP);
  const violations: string[] = [];
  tab.on("console", (message) => message.type() === "error" && violations.push(message.text()));
  const looks = (): Promise<unknown> =>
    tab.evaluate(() => {
      const root = document.querySelector("idoine-bar")!.shadowRoot!;
      return [".panel", ".slot", "button.plain", "h3", ".tabs button"].map((selector) => {
        const { color, fontSize, padding, display, backgroundColor } = getComputedStyle(root.querySelector(selector)!);
        return [selector, color, fontSize, padding, display, backgroundColor];
      });
    });
  await tab.goto(shop.origin);
  const mine = await tab.evaluate(() => JSON.stringify(["padding", "color", "display", "border", "fontSize"].map((name) => getComputedStyle(document.querySelector("#intro")!)[name as "color"])));
  await open(tab);
  const quiet = await looks();
  assert.equal(await tab.evaluate(() => JSON.stringify(["padding", "color", "display", "border", "fontSize"].map((name) => getComputedStyle(document.querySelector("#intro")!)[name as "color"]))), mine);
  for (const name of SECTIONS) await section(tab, name);
  await tab.getByRole("tab", { name: "Slots" }).click();
  await tab.goto(`${shop.origin}/loud`);
  await tab.getByRole("region", { name: "Slots" }).waitFor();
  assert.equal(await tab.evaluate(() => getComputedStyle(document.querySelector("h1")!).fontSize), "40px");
  assert.deepEqual(await looks(), quiet);
  assert.deepEqual(violations, []);
});

test("`debug.open` opens the panel, from before the client is there, and closing gives the focus back", async (t) => {
  const shop = await site(t, assets("idoine.js", "edits.js", "live.js"), edgeHead({ version, decisions: [], values: {} }) + BAR);
  const tab = await visit(t, DESKTOP);
  await tab.addInitScript(() => {
    const calls: unknown[] = [];
    Object.assign(window, { idoine: Object.assign((...call: unknown[]) => calls.push(call), { q: calls }) });
  });
  await tab.goto(shop.origin);
  await tab.getByRole("button", { name: "Preview" }).waitFor();
  await tab.waitForFunction(() => "open" in (window.idoine!.debug ?? {}));
  await tab.evaluate(() => void (window.idoine as unknown as (call: string) => void)("debug.open"));
  await tab.getByRole("region", { name: "Slots" }).waitFor();
  const focused = (): Promise<string | null | undefined> => tab.evaluate(() => document.querySelector("idoine-bar")?.shadowRoot?.activeElement?.textContent);
  assert.equal(await focused(), "Close");
  await tab.keyboard.press("Escape");
  assert.match((await focused()) ?? "", /^Preview/);
});
