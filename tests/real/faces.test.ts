// A thousand visitors with real user agents, decided three times from the same raw requests: natively, by the Wasm in
// Chromium, and by the Worker in workerd over real HTTP. Contexts and decisions are the same; one difference is a failure.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { Decision } from "../../www/src/types.ts";
import { browser, closeBrowser } from "../e2e/fixtures/browser.ts";
import { decideInChromium, decideNatively, inRepository, preview, type Seen, type SeenInChromium } from "./faces.ts";
import type { Init } from "../worker/harness.ts";
import { LOSSES, REASONS } from "../oracle/manifest.ts";
import { SITE, startShop, type Shop } from "./shop.ts";
import { userAgents, visitors as draw, type Visitor } from "./visitors.ts";

/** The page's own answer: what its first bytes say was decided, or where it leads. */
interface Page {
  status: number;
  decisions: Decision[] | undefined;
  location: string | undefined;
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

/** Where the Worker is asked: a loopback name, at which a preview may say what no request tells. */
const HOST = "http://localhost";

async function askWorker(visitor: Visitor): Promise<Seen> {
  const init: Init = { headers: visitor.headers, ...(visitor.cf && { cf: visitor.cf }) };
  // The `Referer` of a call to the API is the page that makes it; the page's own is told.
  const referrer = visitor.headers["referer"];
  const query = `url=${encodeURIComponent(preview(visitor.url, visitor))}${referrer === undefined ? "" : `&referrer=${encodeURIComponent(referrer)}`}`;
  const context = await shop.worker.fetch(`${HOST}/_idoine/context?${query}`, init);
  const decision = await shop.worker.fetch(`${HOST}/_idoine/decide?${query}`, init);
  if (context.status !== 200 || decision.status !== 200) assert.fail(`${JSON.stringify(visitor)}\n${context.status} ${context.text}\n${decision.status} ${decision.text}`);
  const { decisions, edits, receipt } = decision.json<Seen>();
  return { context: context.json<Seen>().context, decisions, edits, receipt };
}

/** The visitor's page itself, with the referrer where browsers send it. */
async function openPage(visitor: Visitor): Promise<Page> {
  const { pathname, search } = new URL(visitor.url);
  const answer = await shop.worker.fetch(preview(`${HOST}${pathname}${search}`, visitor), { headers: visitor.headers, ...(visitor.cf && { cf: visitor.cf }) });
  return { status: answer.status, decisions: answer.state?.decisions, location: answer.header("location") ?? undefined };
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

/** Where a visitor's page leads by what was decided; the origin's own redirects are no decision. */
const leadsTo = ({ edits }: Seen): string | undefined => edits.find(({ op }) => op === "redirect")?.value;

test("the page's first bytes carry the same decisions, or lead where they say", () => {
  same((index) => {
    const { decisions } = native[index]!;
    return { native: decisions.length === 0 || leadsTo(native[index]!) !== undefined ? undefined : decisions, page: pages[index]!.decisions };
  });
  const led = visitors.flatMap((_, index) => (leadsTo(native[index]!) === undefined ? [] : [[leadsTo(native[index]!), pages[index]!] as const]));
  // Behind it stand the preview's parameters.
  for (const [to, { status, location }] of led) assert.ok(status === 302 && location?.startsWith(`${HOST}${to}&idoine.`), `${status} ${location} instead of ${to}`);
  assert.deepEqual([...new Set(pages.map((page) => page.status))].sort(), [200, 301, 302, 404]);
  assert.equal(pages.filter(({ status }) => status === 302).length, led.length);
});

test("every experience wins at least ten times", () => {
  // A draft and one that is paused never do.
  const live = shop.experiences.filter((id) => !["winter-collection", "gift-wrap"].includes(id));
  const wins = new Map<string, number>(live.map((id) => [id, 0]));
  for (const { tools } of chromium) {
    for (const { experience, reason } of tools.experiences) if (WON.has(reason)) wins.set(experience, wins.get(experience)! + 1);
  }
  assert.deepEqual([...wins].filter(([, count]) => !(count >= 10)), []);
});

/** Reasons of those that show what they are for; one without a unit shows its baseline. */
const WON = new Set(REASONS.filter((reason) => reason !== "no_unit" && reason !== "no_candidate"));

test("every variant of an experiment is shown", () => {
  const tested = native.map(({ decisions }) => decisions.filter(({ source }) => source === "experiment"));
  const shown = new Set(tested.flat().map(({ experience, variant, factor = "-" }) => `${experience} ${factor} ${variant}`));
  const variants = (experience: string, ...shown: number[]): string[] => shown.map((variant) => `${experience} - ${variant}`);
  const expected = [
    ...variants("call-to-action", 0, 1, 2),
    ...variants("card-words", 0, 1),
    ...variants("new-lookbook", 0, 1),
    ...variants("related-words", 0, 1),
    // It is over.
    ...variants("returns-words", 1),
    ...variants("trail-landing", 0, 1),
    ...["title", "lead", "buttons"].flatMap((factor) => [0, 1].map((level) => `front-page ${factor} ${level}`)),
  ];
  assert.deepEqual([...shown].sort(), expected.sort());
  // Of the combinations those that are written, and no other.
  const runs = tested.map((decisions) => ["hero_title", "hero_lead", "card_add"].map((slot) => decisions.find((one) => one.slot === slot && one.experience === "front-page")?.variant).join(""));
  assert.deepEqual([...new Set(runs)].sort(), ["", "000", "011", "101", "110"]);
});

test("nobody is in two experiments of a layer, is promoted two things at once, or anything while a complaint is open", () => {
  const won = chromium.map(({ tools }) => new Map(tools.experiences.filter(({ reason }) => WON.has(reason)).map(({ experience, reason }) => [experience, reason])));
  const ofEach = (...ids: string[]): number[] => won.map((winners) => ids.filter((id) => winners.has(id)).length);
  assert.equal(Math.max(...ofEach("card-words", "related-words")), 1);
  const promotions = ofEach("black-friday", "bag-week", "second-pair");
  assert.equal(Math.max(...promotions), 1);
  const complaints = won.flatMap((winners, index) => (winners.has("calm-for-complaints") ? [promotions[index]] : []));
  assert.ok(complaints.length >= 10 && complaints.every((count) => count === 0));
});

test("every reason occurs", () => {
  const reasons = new Set<string>();
  for (const { decisions, tools } of chromium) for (const { reason } of [...decisions, ...tools.experiences]) reasons.add(reason);
  // No visitor is forced anything: previews are.
  const all = [...REASONS, ...LOSSES].filter((reason) => reason !== "forced");
  assert.deepEqual([...reasons].sort(), all.sort());
});

test("those are all reasons that there are", () => {
  const source = readFileSync(inRepository("src/decide/reason.rs"), "utf8");
  const named = (list: string): string[] => [...new RegExp(`^    ${list} \\{\n([\\s\\S]*?)^    \\}`, "m").exec(source)![1]!.matchAll(/^        \w+ "(\w+)",$/gm)].map(([, name]) => name!);
  assert.deepEqual([named("Reason"), named("Loss")], [REASONS, LOSSES]);
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
