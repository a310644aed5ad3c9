// Consent platforms: what holds where they have a say, as a table; and the Transparency and Consent Framework, Google Consent Mode and a
// platform of the page's own in real pages.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { choiceAfter, readChoice, statusOf, writeChoice } from "../../www/src/choice.ts";
import { ranked } from "../../www/src/consent/rank.ts";
import type { Notice, Purpose } from "../../www/src/types.ts";
import { closeBrowser, until, visit } from "./fixtures/browser.ts";
import { consentSite, NOTICE, type ConsentSite } from "./fixtures/consent.ts";

after(closeBrowser);

const [P, A, M]: Purpose[] = ["personalization", "analytics", "marketing"];
const ALL = [P!, A!, M!];

/** What was chosen before, what each platform says (undefined: nothing yet), what is recorded then (undefined: nothing new). */
const TABLE: [what: string, before: string, voices: (Purpose[] | undefined)[], recorded: Purpose[] | undefined, more?: { gpc?: boolean; mode?: Notice["mode"] }][] = [
  ["no platform has spoken", "", [undefined], undefined],
  ["no platform is connected", "v2.personalization.-analytics.-marketing.3.9.v", [], undefined],
  ["one platform grants", "", [[P!, A!]], [P!, A!]],
  ["one platform refuses: that is an answer", "", [[]], []],
  ["all that have spoken must grant", "", [ALL, [A!]], [A!]],
  ["one that has not spoken is not asked", "", [undefined, ALL], ALL],
  ["what the visitor refused with us stays refused", "v2.analytics.-personalization.-marketing.3.9.v", [ALL], undefined],
  ["what they withdrew with us stays withdrawn", "v2.analytics.~personalization.-marketing.3.9.v", [ALL], undefined],
  ["what a platform refused it may grant later", "v2.analytics.-personalization.-marketing.3.9.p", [ALL], ALL],
  ["that they refused one with us keeps no other one from a platform that refused it before", "v2.personalization.!-marketing.-analytics.3.9.p", [ALL], [P!, A!]],
  ["and what was refused with us is not recorded again and again", "v2.personalization.analytics.!-marketing.3.9.p", [ALL], undefined],
  ["what the visitor granted with us a platform takes back", "v2.personalization.analytics.marketing.3.9.v", [[A!]], [A!]],
  ["what it granted itself it takes back", "v2.personalization.analytics.marketing.3.9.p", [[]], []],
  ["nothing new is not recorded again", "v2.analytics.-personalization.-marketing.3.9.p", [[A!]], undefined],
  ["an older wording is recorded anew", "v2.analytics.-personalization.-marketing.2.9.p", [[A!]], [A!]],
  ["the browser refuses profiling, whatever a platform says", "", [ALL], [A!], { gpc: true }],
  ["and is not told so again and again", "v2.analytics.-personalization.-marketing.3.9.p", [ALL], undefined, { gpc: true }],
  ["opt-out: nobody chose, and a platform refuses", "", [[A!]], [A!], { mode: "opt-out" }],
  ["opt-out: nobody chose, and no platform has spoken", "", [undefined], undefined, { mode: "opt-out" }],
  ["opt-out: what nobody chose is a choice once a platform grants it", "", [ALL], ALL, { mode: "opt-out" }],
];

for (const [what, before, voices, recorded, { gpc = false, mode = "opt-in" } = {}] of TABLE) {
  test(`ranking: ${what}`, () => {
    const status = statusOf(readChoice(before), { mode, version: 3 }, { gpc, dnt: false });
    assert.deepEqual(ranked(status, voices), recorded);
  });
}

/** What the core is held to as well (tests/spec.rs). */
const spec = JSON.parse(readFileSync(new URL("../spec/consent.json", import.meta.url), "utf8")) as {
  terms: { value: string | null; mode: Notice["mode"]; version: number; gpc: boolean; dnt: boolean; granted: Purpose[]; valid: boolean }[];
  measured: { value: string | null; dnt: boolean; measured: boolean }[];
  choices: { before: string | null; granted: Purpose[]; by: "visitor" | "platform"; version: number; at: number; gpc: boolean; after: string }[];
};

test("what a choice comes to on a site's terms, and what becomes of one when another follows, is what the core says", () => {
  assert.ok(spec.terms.length > 30 && spec.choices.length > 10);
  for (const one of spec.terms) {
    const { granted, decided } = statusOf(readChoice(one.value ?? ""), one, one);
    assert.deepEqual([granted, decided], [one.granted, one.valid], JSON.stringify(one));
  }
  for (const { value, dnt, measured } of spec.measured) {
    const terms = { mode: "measurement-exempt", version: 2 } as const;
    assert.equal(statusOf(readChoice(value ?? ""), terms, { gpc: false, dnt }).measured, measured, `${value} ${dnt}`);
    assert.equal(statusOf(readChoice(value ?? ""), { ...terms, mode: "opt-in" }, { gpc: false, dnt }).measured, false);
  }
  for (const one of spec.choices) {
    assert.equal(writeChoice(choiceAfter(readChoice(one.before ?? ""), one, one)), one.after, JSON.stringify(one));
  }
});

/** A site whose pages listen to these platforms. */
async function listening(t: TestContext, platforms: string, script: string, notice: Notice = { ...NOTICE, ask: "platform" }): Promise<{ tab: Page; site: ConsentSite }> {
  const loader = `<script async src="/_idoine/idoine.js"${platforms && ` data-platforms="${platforms}"`}></script>`;
  const site = await consentSite(t, `<script>${script}</script>${loader}`, notice);
  return { tab: await visit(t), site };
}

const recorded = async (site: ConsentSite, count: number): Promise<{ granted: Purpose[]; by: string }[]> => {
  await until(async () => site.posted("consent").length >= count);
  // What is said twice is not sent twice.
  await new Promise((done) => setTimeout(done, 200));
  assert.equal(site.posted("consent").length, count);
  return site.posted("consent");
};

const TCF = `
  const listeners = [];
  window.__tcfapi = (command, version, callback) => command === "addEventListener" && version === 2 && (listeners.push(callback), callback(window.tcf, true));
  window.tell = (data) => listeners.forEach((one) => one(window.tcf = { gdprApplies: true, eventStatus: "useractioncomplete", ...data }, true));
`;

test("TCF: our purposes need all of the framework's that they stand for", async (t) => {
  const { tab, site } = await listening(t, "tcf", `window.tcf = { gdprApplies: true, eventStatus: "cmpuishown", purpose: { consents: {} } };${TCF}`);
  await tab.goto(site.origin);
  await tab.waitForFunction(() => performance.getEntriesByName(location.origin + "/_idoine/signals.js").length);
  const tell = (numbers: number[], more = {}): Promise<void> => tab.evaluate(([numbers, more]) => (window as any).tell({ purpose: { consents: Object.fromEntries((numbers as number[]).map((one) => [one, true])) }, ...(more as object) }), [numbers, more] as const);
  await tab.waitForTimeout(200);
  assert.deepEqual(site.posted("consent"), [], "a platform that is asking has not spoken");
  await tell([1, 3, 4, 5, 6, 8]);
  assert.deepEqual((await recorded(site, 1))[0], { granted: ALL, by: "platform" });
  await tell([1, 3, 4, 5, 6, 8], { eventStatus: "cmpuishown" });
  await tell([3, 4, 5, 6, 8]);
  assert.deepEqual((await recorded(site, 2))[1]!.granted, [], "nothing without storage");
  await tell([1, 3, 5, 6, 8]);
  assert.deepEqual((await recorded(site, 3))[2]!.granted, [P, A]);
  await tell([1, 8]);
  assert.deepEqual((await recorded(site, 4))[3]!.granted, [A]);
});

test("TCF: where the law does not apply nobody was asked, so nothing is granted by that", async (t) => {
  const { tab, site } = await listening(t, "tcf", `window.tcf = { gdprApplies: false, eventStatus: "tcloaded" };${TCF}`);
  await tab.goto(site.origin);
  await tab.waitForFunction(() => performance.getEntriesByName(location.origin + "/_idoine/signals.js").length);
  await tab.waitForTimeout(300);
  assert.deepEqual(site.posted("consent"), []);
});

test("TCF: a platform that comes late is found", async (t) => {
  const { tab, site } = await listening(t, "tcf", "");
  await tab.goto(site.origin);
  await tab.waitForFunction(() => performance.getEntriesByName(location.origin + "/_idoine/signals.js").length);
  await tab.evaluate((script) => {
    (window as any).tcf = { gdprApplies: true, eventStatus: "tcloaded", purpose: { consents: { 1: true, 8: true } } };
    const element = document.createElement("script");
    element.textContent = script;
    document.head.append(element);
  }, TCF);
  assert.deepEqual((await recorded(site, 1))[0]!.granted, [A]);
});

const GTAG = "window.dataLayer = []; function gtag() { dataLayer.push(arguments); }";
const DENIED = '{ ad_storage: "denied", ad_user_data: "denied", ad_personalization: "denied", analytics_storage: "denied", personalization_storage: "denied" }';

test("Google Consent Mode: an update is a choice, a default is none; marketing needs all three of its kinds", async (t) => {
  const { tab, site } = await listening(t, "google", `${GTAG} gtag("consent", "default", ${DENIED.replaceAll("denied", "granted")}); gtag("consent", "default", { analytics_storage: "denied", region: ["FR"] });`);
  await tab.goto(site.origin);
  await tab.waitForFunction(() => performance.getEntriesByName(location.origin + "/_idoine/signals.js").length);
  await tab.waitForTimeout(300);
  assert.deepEqual(site.posted("consent"), []);
  const update = (settings: object): Promise<void> => tab.evaluate((settings) => (window as any).gtag("consent", "update", settings), settings);
  await update({ ad_storage: "denied" });
  assert.deepEqual((await recorded(site, 1))[0], { granted: [P], by: "platform" }, "of several defaults the strictest");
  await update({ analytics_storage: "granted", ad_storage: "granted", ad_user_data: "granted" });
  assert.deepEqual((await recorded(site, 2))[1]!.granted, ALL);
  await update({ ad_user_data: "denied" });
  assert.deepEqual((await recorded(site, 3))[2]!.granted, [P, A]);
  await tab.evaluate(() => (window as any).gtag("event", "page_view", {}));
});

test("Google Consent Mode: what was said before this was loaded counts", async (t) => {
  const { tab, site } = await listening(t, "google", `${GTAG} gtag("consent", "default", ${DENIED}); gtag("consent", "update", { analytics_storage: "granted" });`);
  await tab.goto(site.origin);
  assert.deepEqual((await recorded(site, 1))[0]!.granted, [A]);
  await tab.goto(site.origin + "/second");
  await tab.waitForTimeout(400);
  assert.equal(site.posted("consent").length, 1, "it is known on the next page");
});

test("Google Consent Mode is told what our own banner was answered, now and on later pages", async (t) => {
  const { tab, site } = await listening(t, "google", `${GTAG} gtag("consent", "default", ${DENIED});`, NOTICE);
  const updates = (): Promise<unknown[]> => tab.evaluate(() => (window as any).dataLayer.map((one: any) => [...one]).filter(([command, action]: string[]) => command === "consent" && action === "update").map(([, , settings]: unknown[]) => settings));
  await tab.goto(site.origin);
  await tab.waitForFunction(() => performance.getEntriesByName(location.origin + "/_idoine/signals.js").length);
  await tab.evaluate(() => window.idoine!.consent!.get());
  assert.deepEqual(await updates(), []);
  await tab.evaluate(() => window.idoine!("consent.set", ["analytics"]));
  const told = { personalization_storage: "denied", analytics_storage: "granted", ad_storage: "denied", ad_user_data: "denied", ad_personalization: "denied" };
  await until(async () => (await updates()).length === 1);
  assert.deepEqual(await updates(), [told]);
  await recorded(site, 1);
  await tab.goto(site.origin);
  await until(async () => (await updates()).length === 1);
  assert.deepEqual(await updates(), [told]);
  await recorded(site, 1);
});

test("any other platform is connected by a function, and what all of them grant holds", async (t) => {
  const { tab, site } = await listening(t, "", "");
  await tab.goto(site.origin);
  await tab.waitForFunction(() => window.idoine?.ready);
  assert.ok(!site.paths().includes("/_idoine/signals.js"), "nothing is loaded before one is connected");
  await tab.evaluate(() => window.idoine!("consent.platform", (tell: unknown) => ((window as any).first = tell)));
  await tab.waitForFunction(() => (window as any).first);
  await tab.evaluate(() => (window as any).first(["personalization", "analytics", "nonsense"]));
  assert.deepEqual((await recorded(site, 1))[0], { granted: [P, A], by: "platform" });
  await tab.evaluate(() => window.idoine!("consent.platform", (tell: (granted: string[]) => void) => tell(["analytics"])));
  assert.deepEqual((await recorded(site, 2))[1]!.granted, [A]);
  // The visitor refuses with us: no platform grants it again.
  await tab.evaluate(() => window.idoine!.consent!.set([]));
  await tab.evaluate(() => (window as any).first(["personalization", "analytics"]));
  await recorded(site, 3);
  assert.deepEqual(await tab.evaluate(async () => (await window.idoine!.consent!.get()).granted), []);
});

test("with a platform that asks, our banner does not", async (t) => {
  const { tab, site } = await listening(t, "tcf", `window.tcf = { gdprApplies: true, eventStatus: "cmpuishown" };${TCF}`);
  await tab.goto(site.origin);
  await tab.evaluate(() => document.body.prepend(document.createElement("idoine-consent")));
  await tab.evaluate(() => import("/_idoine/consent.js" as string));
  await tab.waitForTimeout(300);
  assert.equal(await tab.locator("idoine-consent section").count(), 0);
});
