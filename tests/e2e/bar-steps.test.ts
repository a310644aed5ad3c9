// What the preview bar tells of each step at which an experience lost, as the real tools explain it.
import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { offsetsOf, type Tools } from "../spec-wasm/checks.ts";
import { loadTools } from "../spec-wasm/files.ts";
import { assets, compile } from "./fixtures/artefacts.ts";
import { BAR, card, open } from "./fixtures/bar.ts";
import { closeBrowser, visit } from "./fixtures/browser.ts";
import { page } from "./fixtures/pages.ts";
import { json, serve, type Site } from "./fixtures/server.ts";

after(closeBrowser);

let program: Buffer;
let version: string;
let tools: Tools;
before(async () => {
  program = compile("steps.jsonc");
  version = program.subarray(16, 24).toString("hex");
  tools = await loadTools();
});

const NOW = Date.parse("2026-06-09T08:30:00Z");
const ZONE = "Europe/Berlin";

/** One who agreed to everything, and of whom much is stored. */
const KNOWN = {
  "consent.personalization": true,
  "consent.analytics": true,
  "consent.marketing": true,
  "geo.country": "DE",
  "geo.timezone": ZONE,
  "visitor.id": "visitor-0001",
  "profile.org": "acme",
  "visitor.session_start": "2026-06-09T08:00:00Z",
  "assignment.tested": "2,0",
  "seen.often": "3,3,3,3,2026-06-09T08:10:00Z",
  "seen.lately": "1,1,1,1,2026-06-09T08:10:00Z",
  "seen_group.banners": "0,1,1,1,2026-06-09T07:00:00Z",
};

/** The same who agreed to nothing. */
const UNKNOWN = { "consent.personalization": false, "consent.analytics": false, "consent.marketing": false, "geo.country": "DE", "geo.timezone": ZONE };

/** A preview of a visitor: a Worker that explains by the tools too, where it is the one to be asked. */
async function preview(t: TestContext, known: Record<string, unknown>): Promise<{ tab: Page; shop: Site }> {
  const shop = await serve({
    ...assets("bar.js", "tools.js", "tools.wasm"),
    "/": page(BAR),
    "/_idoine/program": { type: "application/octet-stream", body: program },
    "/_idoine/personas": json({}),
    "/_idoine/consent": json({ granted: [], decided: true }),
    "/_idoine/context": json({ version, now: NOW, preview: true, context: known }),
    "/_idoine/decide": ({ body }) => {
      const { url } = JSON.parse(body) as { url: string };
      const visitor = { now: NOW, context: { ...known, "page.url": url } };
      const explain = tools.explain(program, visitor, offsetsOf(visitor));
      return json({ version, decisions: explain.decisions, edits: explain.edits, explain });
    },
  });
  t.after(() => shop.close());
  const tab = await visit(t, { timezoneId: "UTC", viewport: { width: 1280, height: 900 } });
  await tab.goto(shop.origin);
  await open(tab);
  return { tab, shop };
}

const workerExplained = (shop: Site): boolean => shop.asked.some(({ path, query }) => path === "/_idoine/decide" && query.has("explain"));

/** What is told below each candidate of a slot, of those that can be opened. */
async function told(tab: Page, slot: string): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  await card(tab, slot).locator("summary").click();
  for (const row of await card(tab, slot).locator("tr", { has: tab.getByRole("button") }).all()) {
    await row.getByRole("button").click();
    const text = await card(tab, slot).locator("tr.more").textContent();
    all[(await row.getByRole("rowheader").textContent())!] = text!;
    await row.getByRole("button").click();
  }
  return all;
}

test("each step tells what it looked at", async (t) => {
  const { tab, shop } = await preview(t, KNOWN);
  assert.ok(workerExplained(shop));
  const { layered, held, ramped, ...others } = await told(tab, "hero");
  // Of what is drawn only the number is not written down here.
  assert.match(layered!, /^The visitor's place in the layer checkout is 0\.\d+; its part is 0 to 0\.000001\.$/);
  assert.match(held!, /^The visitor's bucket is 0\.\d+, the share 0\.999999\.$/);
  assert.match(ramped!, /^The bucket of profile\.org is 0\.\d+, the share 0\.000001, where its ramp is now\.$/);
  assert.deepEqual(others, {
    banner: "The group banners was shown 2 times today (1 of them on this page), at most 2.",
    follows: "It requires tested with variant 1 or 2 of picture; the visitor has variant 0 there.",
    "follows-a-user": "It requires asked; the visitor is not assigned there (no id to draw with).",
    lately: "Shown last at 9 Jun 2026, 08:10; the cooldown ends at 9 Jun 2026, 09:10.",
    often: "Shown 3 times this session, at most 3.",
    over: "It is shown until 1 Jun 2026, 10:00.",
    promotion: "The group promotions is used up by first: at most 1 on a page.",
    sale: "quiet suppresses the group sales.",
  });
  assert.match((await card(tab, "intro").textContent()) ?? "", /asked: it has the slot but shows the baseline.*visitor\.user_id is not known\./s);
});

test("the site's own cap is told as such", async (t) => {
  const { tab } = await preview(t, { ...KNOWN, seen_site: "1,1,1,9,2026-06-09T08:10:00Z" });
  const { anything, often } = await told(tab, "hero");
  assert.equal(anything, "The site's experiences were shown 9 times in all, at most 9.");
  assert.equal(often, "Shown 3 times this session, at most 3.");
});

test("without consent it is told in the page, and what is stored is not looked at", async (t) => {
  const { tab, shop } = await preview(t, UNKNOWN);
  assert.ok(!workerExplained(shop));
  assert.match((await card(tab, "intro").textContent()) ?? "", /asked: .*visitor\.user_id needs consent for personalization\./s);
  const hero = await told(tab, "hero");
  assert.equal(hero["follows"], "It requires tested with variant 1 or 2 of picture; the visitor is not assigned there (audience not matched).");
  assert.equal(hero["sale"], "quiet suppresses the group sales.");
  assert.deepEqual([hero["often"], hero["lately"]], [undefined, undefined]);
});
