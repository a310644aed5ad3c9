// What a visitor did not agree to changes nothing: neither a byte of a page nor a decision, whatever stands in their cookies and their profile.
// The same two visitors are told apart as soon as they agree, so that what is compared could differ.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startOrigin, startWorker } from "./harness.ts";
import type { Reply, TestOrigin, TestWorker } from "./harness.ts";
import { Browser, KEY, ORIGIN } from "./visitor.ts";

const ALL = ["personalization", "analytics", "marketing"];

const MANIFEST = {
  site: { id: "shop", hosts: ["shop.example"] },
  traits: {
    plan: { type: "string", purpose: "personalization" },
    segment: { type: "string", purpose: "analytics" },
    offer: { type: "string", purpose: "marketing" },
  },
  audiences: { viewers: "profile.count('Product Viewed', '30d') >= 2" },
  slots: Object.fromEntries(["plan", "segment", "offer", "views", "back", "split", "kept", "hint", "always"].map((name) => [name, { selector: `#${name}` }])),
  experiences: [
    { id: "of-plan", type: "personalization", slots: { plan: { text: "Plan {{ profile.plan }}" } } },
    { id: "of-segment", type: "personalization", purpose: "analytics", slots: { segment: { text: "Segment {{ profile.segment }}" } } },
    { id: "of-offer", type: "personalization", purpose: "marketing", slots: { offer: { text: "Offer {{ profile.offer }}" } } },
    { id: "of-views", type: "personalization", audience: "viewers", slots: { views: { text: "You look at much" } } },
    { id: "of-return", type: "personalization", audience: "visitor.returning", slots: { back: { text: "Welcome back" } } },
    { id: "split", type: "experiment", slots: { split: [{ baseline: true }, { text: "B" }] } },
    { id: "kept", type: "experiment", purpose: "analytics", sticky: true, slots: { kept: [{ baseline: true }, { text: "B" }] } },
    { id: "hint", type: "personalization", audience: "consent.marketing || has(profile.offer)", slots: { hint: { text: "Marketing" } } },
    { id: "always", type: "personalization", slots: { always: { text: "Everybody" } } },
  ],
};

const PAGE = `<!doctype html><html><head><title>Shop</title></head><body>${Object.keys(MANIFEST.slots).map((name) => `<p id="${name}">-</p>`).join("")}</body></html>`;

let origin: TestOrigin;
let worker: TestWorker;
/** Cookies of visitors of whom different things are known: name to value. */
let visitors: Map<string, string>[];

/** Somebody who agreed to everything, and did something. */
async function known(plan: string, segment: string, offer: string, views: number): Promise<Map<string, string>> {
  const browser = new Browser(worker);
  await browser.agree(...ALL);
  await browser.send({ type: "identify", traits: { plan, segment, offer } }, ...Array.from({ length: views }, () => ({ type: "track", event: "Product Viewed" })));
  assert.ok(browser.jar.has("idoine_p"));
  return browser.jar;
}

before(async () => {
  origin = await startOrigin({ "/": PAGE });
  worker = await startWorker({ origin: origin.url, manifest: MANIFEST, profiles: true, vars: { IDOINE_KEY: KEY } });
  visitors = [new Map(), await known("pro", "a", "x", 3), await known("free", "b", "y", 0), await known("pro", "b", "y", 5), new Map([["idoine_id", "made-up-12345"], ["idoine_p", "AAAA"]])];
});
after(async () => {
  await Promise.all([worker.dispose(), origin.close()]);
});

/** What each answer is, but for when it was made: a time on the full second is written in four characters less. */
const seen = ({ status, text, headerList }: Reply) => {
  const told = headerList.filter(([name]) => !["date", "server-timing", "content-length"].includes(name));
  return JSON.stringify([status, told.sort(), text.replace(/"now":\d+|"time\.now":"[^"]*"/g, "now")]);
};

/** What is asked, in this order. */
const ASKED = ["the page", "decide", "context", "profile", "consent", "flags"];

/** All that a visitor is answered with who has these cookies and a choice. */
async function answers(choice: string | undefined, cookies: Map<string, string>, signals: Record<string, string>): Promise<string[]> {
  const jar = new Map([...cookies].filter(([name]) => name !== "idoine_consent"));
  const cookie = [...(choice === undefined ? [] : [["idoine_consent", choice]]), ...jar].map((pair) => pair.join("=")).join("; ");
  const headers = { ...(cookie && { cookie }), ...signals };
  const post = (path: string, body: object) => worker.fetch(path, { method: "POST", headers: { ...headers, origin: ORIGIN, "content-type": "application/json" }, body: JSON.stringify(body) });
  const replies = [
    await worker.fetch("/", { headers }),
    await post("/_idoine/decide", { url: `${ORIGIN}/` }),
    await worker.fetch("/_idoine/context", { headers }),
    await worker.fetch("/_idoine/profile", { headers }),
    await worker.fetch("/_idoine/consent", { headers }),
    await post("/_idoine/ofrep/v1/evaluate/flags", { context: {} }),
  ];
  return replies.map(seen);
}

/** Choices that agree to nothing. */
const REFUSALS: [string, string | undefined, Record<string, string>][] = [
  ["nobody asked", undefined, {}],
  ["all refused", "v2.-personalization.-analytics.-marketing.1.1763900000.v", {}],
  ["all withdrawn", "v2.~personalization.~analytics.~marketing.1.1763900000.v", {}],
  ["an older format", "v1", {}],
  ["no choice of ours", "nonsense", {}],
  ["what another mode noted", "v2.personalization.analytics.marketing.1.1763900000.d", {}],
  ["a platform that refused", "v2.-personalization.-analytics.-marketing.1.1763900000.p", {}],
  ["profiling, refused by the browser", "v2.personalization.marketing.-analytics.1.1763900000.v", { "sec-gpc": "1" }],
];

for (const [name, choice, signals] of REFUSALS) {
  test(`${name}: nothing that is known of a visitor changes what they get`, async () => {
    const [first, ...others] = await Promise.all(visitors.map((cookies) => answers(choice, cookies, signals)));
    // One by one, so that what differs is told and not all that is the same.
    others.forEach((other, at) => first!.forEach((answer, asked) => assert.equal(other[asked], answer, `visitor ${at + 1}, ${ASKED[asked]}`)));
    assert.match(first![0]!, /Everybody/);
    assert.doesNotMatch(first![0]!, /Plan |Segment |Offer |You look|Welcome back/);
  });
}

/** With one id, projections of different profiles: what stands in them for other purposes than these must not be seen. */
test("what is known for one purpose is not seen by who agreed to another", async () => {
  const [, rich, poor] = visitors;
  const page = async (choice: string, cookies: Map<string, string>) => (await answers(choice, cookies, {}))[0]!;
  const granted = (...purposes: string[]) => ["v2", ...purposes, "1", "1763900000", "v"].join(".");
  // An id counts for what was agreed to: of the same visitor all else is flipped.
  const flipped = new Map([...rich!].filter(([name]) => name !== "idoine_p"));
  assert.equal(await page(granted("analytics"), rich!), await page(granted("analytics"), flipped), "the projection is for personalization");
  assert.equal(await page(granted("marketing"), rich!), await page(granted("marketing"), flipped));
  const shown = await page(granted("personalization"), rich!);
  assert.match(shown, /Plan pro/);
  assert.doesNotMatch(shown, /Segment |Offer |Marketing/);
  assert.match(await page(granted("personalization"), poor!), /Plan free/);
});

test("who agrees is told apart by all of it", async () => {
  const choice = ["v2", ...ALL, "1", "1763900000", "v"].join(".");
  const all = await Promise.all(visitors.map((cookies) => answers(choice, cookies, {})));
  const pages = all.map(([page]) => page!);
  assert.match(pages[1]!, /Plan pro.*Segment a.*Offer x.*You look at much/s);
  assert.match(pages[2]!, /Plan free.*Segment b.*Offer y/s);
  assert.equal(new Set(pages).size, pages.length - 1, "but the one whose cookies are made up is a visitor without any");
});
