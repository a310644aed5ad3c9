// A thousand visitors with real user agents, decided three times from the same raw requests: natively, by the Wasm in
// Chromium, and by the Worker in workerd over real HTTP. Contexts and decisions are the same; one difference is a failure.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { Decision } from "../../www/src/types.ts";
import { browser, closeBrowser } from "../e2e/fixtures/browser.ts";
import { at, decideInChromium, decideNatively, inRepository, type Seen, type SeenInChromium } from "./faces.ts";
import type { Init } from "../worker/harness.ts";
import { SITE, startShop, type Shop } from "./shop.ts";
import { userAgents, visitors as draw, type Visitor } from "./visitors.ts";

/** The page's own answer: what its first bytes say was decided. */
interface Page {
  status: number;
  decisions: Decision[] | undefined;
}

const visitors = draw();
let shop: Shop;
let native: Seen[];
let chromium: SeenInChromium[];
let worker: Seen[];
let pages: Page[];

before(async () => {
  shop = await startShop();
  native = await decideNatively(SITE, visitors);
  chromium = await decideInChromium(await browser(), shop.program, visitors);
  worker = [];
  pages = [];
  // Eight at a time: visitors do not wait for each other, and must not get each other's answers.
  const waiting = visitors.entries();
  const send = async (): Promise<void> => {
    for (const [index, visitor] of waiting) [worker[index], pages[index]] = [await askWorker(visitor), await openPage(visitor)];
  };
  await Promise.all(Array.from({ length: 8 }, send));
});

after(async () => {
  await closeBrowser();
  await shop?.close();
});

/** Where the Worker is asked: a loopback name, at which a visit's instant may be given as a preview parameter. */
const HOST = "http://localhost";

async function askWorker(visitor: Visitor): Promise<Seen> {
  const init: Init = { headers: visitor.headers, ...(visitor.cf && { cf: visitor.cf }) };
  // The `Referer` of a call to the API is the page that makes it; the page's own is told.
  const referrer = visitor.headers["referer"];
  const query = `url=${encodeURIComponent(at(visitor.url, visitor.now))}${referrer === undefined ? "" : `&referrer=${encodeURIComponent(referrer)}`}`;
  const context = await shop.worker.fetch(`${HOST}/_idoine/context?${query}`, init);
  const decision = await shop.worker.fetch(`${HOST}/_idoine/decide?${query}`, init);
  if (context.status !== 200 || decision.status !== 200) assert.fail(`${JSON.stringify(visitor)}\n${context.status} ${context.text}\n${decision.status} ${decision.text}`);
  const { decisions, edits, receipt } = decision.json<Seen>();
  return { context: context.json<Seen>().context, decisions, edits, receipt };
}

/** The visitor's page itself, with the referrer where browsers send it. */
async function openPage(visitor: Visitor): Promise<Page> {
  const { pathname, search } = new URL(visitor.url);
  const answer = await shop.worker.fetch(at(`${HOST}${pathname}${search}`, visitor.now), { headers: visitor.headers, ...(visitor.cf && { cf: visitor.cf }) });
  return { status: answer.status, decisions: answer.state?.decisions };
}

/** The visitor, whole, and what each face says where they do not all say the same. */
function describe(visitor: Visitor, faces: Record<string, unknown>): string {
  const entries = Object.values(faces).map((seen) => Object.entries(Object(seen) as object));
  const keys = [...new Set(entries.flat().map(([key]) => key))];
  const different = keys.filter((key) => !entries.every((one) => isDeepStrictEqual(one.find(([name]) => name === key), entries[0]!.find(([name]) => name === key))));
  const lines = Object.entries(faces).map(([name, seen]) => {
    const differing = typeof seen !== "object" || seen === null ? seen : Object.fromEntries(Object.entries(seen).filter(([key]) => different.includes(key)));
    return `${name}: ${JSON.stringify(differing)}`;
  });
  return `the first visitor that is seen differently:\n${JSON.stringify(visitor)}\n${lines.join("\n")}`;
}

/** Fails with the first visitor for whom two faces do not say the same. */
function same(pick: (index: number) => Record<string, unknown>): void {
  for (const [index, visitor] of visitors.entries()) {
    const faces = pick(index);
    const [first, ...others] = Object.values(faces);
    if (!others.every((other) => isDeepStrictEqual(other, first))) assert.fail(describe(visitor, faces));
  }
}

test("the context is the same on every face", () => {
  same((index) => ({ native: native[index]!.context, chromium: chromium[index]!.context, worker: worker[index]!.context }));
});

test("the decisions are the same on every face", () => {
  same((index) => ({
    native: native[index]!.decisions,
    engine: chromium[index]!.decisions,
    tools: chromium[index]!.tools.decisions,
    worker: worker[index]!.decisions,
  }));
});

test("the edits are the same on every face", () => {
  same((index) => ({
    native: native[index]!.edits,
    engine: chromium[index]!.edits,
    tools: chromium[index]!.tools.edits,
    worker: worker[index]!.edits,
  }));
});

test("the receipts are the same on every face", () => {
  same((index) => ({ native: native[index]!.receipt, tools: chromium[index]!.receipt, worker: worker[index]!.receipt }));
  assert.ok(new Set(native.map(({ receipt }) => receipt.context)).size > 990);
});

test("the page's first bytes carry the same decisions", () => {
  same((index) => ({ native: native[index]!.decisions.length === 0 ? undefined : native[index]!.decisions, page: pages[index]!.decisions }));
  const statuses = new Set(pages.map((page) => page.status));
  assert.deepEqual([...statuses].sort(), [200, 301, 404]);
});

test("every experience wins at least ten times", () => {
  const wins = new Map<string, number>(shop.experiences.map((id) => [id, 0]));
  for (const { decisions } of native) {
    const winners = decisions.filter(({ reason }) => reason === "match" || reason === "split").map(({ experience }) => experience!);
    for (const id of new Set(winners)) wins.set(id, (wins.get(id) ?? 0) + 1);
  }
  assert.deepEqual([...wins].filter(([, count]) => count < 10), []);
});

test("every variant of an experiment is shown", () => {
  const shown = new Set(native.flatMap(({ decisions }) => decisions).filter(({ source }) => source === "experiment").map(({ experience, variant }) => `${experience} ${variant}`));
  assert.deepEqual([...shown].sort(), ["call-to-action 0", "call-to-action 1", "call-to-action 2"]);
});

test("every reason occurs", () => {
  const reasons = new Set<string>();
  for (const { decisions, tools } of chromium) {
    for (const { reason } of decisions) reasons.add(reason);
    for (const { candidates } of tools.slots) for (const { reason } of candidates) if (reason !== undefined) reasons.add(reason);
  }
  const all = ["match", "split", "no_unit", "no_candidate", "page", "schedule", "audience", "unknown", "no_consent", "holdout", "experience_holdout", "traffic", "slot_taken"];
  assert.deepEqual([...reasons].sort(), all.sort());
});

test("the device's type is the one that was recorded with each of ten thousand real user agents", async () => {
  const agents = userAgents();
  const seen = await decideNatively(SITE, agents.map(({ userAgent }) => ({ url: "https://shop.example/", headers: { "user-agent": userAgent }, now: 0 })));
  assert.equal(seen.length, 10_000);
  const other = agents.filter(({ deviceCategory }, index) => seen[index]!.context["device.type"] !== deviceCategory);
  assert.deepEqual(other, []);
});

test("the manifest that decides is the one that people read", () => {
  assert.equal(SITE, inRepository("www/demo/site.jsonc"));
  assert.ok(shop.experiences.length >= 12);
});
