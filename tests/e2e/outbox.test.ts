// Events on a bad network: nothing is lost that can be kept, nothing comes twice, nothing waits without end.
import assert from "node:assert/strict";
import { after, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { assets } from "./fixtures/artefacts.ts";
import { closeBrowser, until, visit } from "./fixtures/browser.ts";
import { edgeHead, page, STATE } from "./fixtures/pages.ts";
import { json, serve, type Asked, type Route, type Site } from "./fixtures/server.ts";

after(closeBrowser);

const ACCEPTED = json({ results: [] });
const AGREED = '<script>document.cookie = "idoine_consent=v2.analytics.1.1763900000.v; Path=/"</script>';

interface Shop {
  site: Site;
  tab: Page;
  /** What `collect` answers from now on. */
  answer(route: Route): void;
}

async function shop(t: TestContext, head = AGREED, first: Route = ACCEPTED): Promise<Shop> {
  let now = first;
  const site = await serve({
    ...assets("idoine.js", "edits.js", "live.js"),
    "*": page(head + edgeHead({ ...STATE, decisions: [] })),
    "/_idoine/collect": () => now,
    "/_idoine/consent": (request: Asked) => json({ granted: request.method === "POST" ? JSON.parse(request.body).granted : ["analytics"], decided: true }),
    "/_idoine/identity": json({ verified: false, profile: {} }),
  });
  t.after(() => site.close());
  const tab = await visit(t);
  await tab.goto(site.origin);
  await tab.waitForFunction(() => window.idoine?.ready);
  return { site, tab, answer: (route) => (now = route) };
}

const track = (tab: Page, event: string): Promise<void> => tab.evaluate(async (event) => void (await window.idoine!("track", event)), event);
/** The names of the events that came, batch by batch. */
const batches = (site: Site): string[][] => site.asked.filter(({ path }) => path === "/_idoine/collect").map(({ body }) => JSON.parse(body).events.map(({ event }: { event: string }) => event));
const idsOf = (site: Site, name: string): string[] =>
  site.asked.filter(({ path }) => path === "/_idoine/collect").flatMap(({ body }) => JSON.parse(body).events.filter(({ event }: { event: string }) => event === name).map(({ messageId }: { messageId: string }) => messageId));
const events = (tab: Page): Promise<string[]> => tab.evaluate(() => window.idoine!.debug!().events.map(({ event, status }) => `${event} ${status}`));
const stored = (tab: Page): Promise<string> => tab.evaluate(() => Object.keys(localStorage).map((key) => localStorage.getItem(key)).join());

test("what a busy Worker did not take is sent again, in its order, under the same id, after what it asks to wait", async (t) => {
  const { site, tab, answer } = await shop(t, AGREED, { status: 503, headers: { "retry-after": "1" } });
  await track(tab, "One");
  await track(tab, "Two");
  assert.deepEqual(batches(site), [["One"]], "while it is known that nothing gets through, nothing is tried");
  assert.deepEqual(await events(tab), ["One waiting", "Two waiting"]);
  assert.match(await stored(tab), /One/);
  answer(ACCEPTED);
  await until(async () => batches(site).length === 2);
  assert.deepEqual(batches(site)[1], ["One", "Two"]);
  assert.equal(new Set(idsOf(site, "One")).size, 1);
  await until(async () => (await events(tab)).join() === "One sent,Two sent");
  assert.equal(await stored(tab), "");
  await track(tab, "Three");
  assert.deepEqual(batches(site)[2], ["Three"]);
});

test("what the Worker refuses is not sent again", async (t) => {
  const { site, tab } = await shop(t, AGREED, { status: 400, type: "application/json", body: "{}" });
  await track(tab, "Bad");
  await track(tab, "Worse");
  assert.deepEqual(batches(site), [["Bad"], ["Worse"]]);
  assert.deepEqual(await events(tab), ["Bad failed", "Worse failed"]);
});

test("offline: events wait, a bounded number of them, and are sent when the network is back", async (t) => {
  const { site, tab } = await shop(t);
  await tab.evaluate(() => window.idoine!("profile"));
  await tab.context().setOffline(true);
  await track(tab, "First");
  for (let at = 0; at < 110; at += 1) await tab.evaluate((at) => void window.idoine!("track", `Event ${at}`), at);
  assert.deepEqual(batches(site), []);
  await tab.context().setOffline(false);
  await until(async () => batches(site).length > 0);
  const came = batches(site).flat();
  assert.equal(came.length, 100, "the oldest had to go");
  assert.equal(came.at(-1), "Event 109");
  assert.equal(new Set(came).size, 100);
});

test("what could not be sent is sent by the next page, once", async (t) => {
  const { site, tab, answer } = await shop(t, AGREED, { status: 503, headers: { "retry-after": "60" } });
  await track(tab, "Kept");
  answer(ACCEPTED);
  await tab.goto(`${site.origin}/next`);
  await until(async () => batches(site).length === 2);
  assert.deepEqual(batches(site), [["Kept"], ["Kept"]]);
  assert.equal(new Set(idsOf(site, "Kept")).size, 1, "the Worker knows it by its id");
  await until(async () => (await stored(tab)) === "");
  await tab.goto(`${site.origin}/last`);
  await tab.evaluate(() => new Promise((done) => setTimeout(done, 500)));
  assert.equal(batches(site).length, 2);
});

test("two tabs without a network take nothing away from each other, and a third page sends what both kept", async (t) => {
  const { site, tab, answer } = await shop(t, AGREED, { status: 503, headers: { "retry-after": "60" } });
  const other = await tab.context().newPage();
  await other.goto(site.origin);
  await other.waitForFunction(() => window.idoine?.ready);
  await track(tab, "Hers");
  await track(other, "His");
  assert.match(await stored(tab), /Hers.*His|His.*Hers/);
  answer(ACCEPTED);
  await other.close();
  await tab.goto(`${site.origin}/next`);
  await until(async () => batches(site).length === 3);
  assert.deepEqual(batches(site)[2]!.sort(), ["Hers", "His"]);
  await until(async () => (await stored(tab)) === "");
});

test("what is damaged in storage harms nothing", async (t) => {
  const { site, tab } = await shop(t);
  await tab.evaluate(() => ["{", "null", "[null]", "[{}]", "7", ""].forEach((text, at) => localStorage.setItem(`idoine_outbox.${at}`, text)));
  await tab.goto(`${site.origin}/next`);
  await until(async () => (await stored(tab)) === "");
  await track(tab, "One");
  assert.deepEqual(batches(site), [["One"]]);
});

test("a tab that is closed right behind an event sends it as a beacon", async (t) => {
  const { site, tab } = await shop(t);
  await tab.evaluate(() => window.idoine!("profile"));
  await tab.evaluate(() => {
    addEventListener("pagehide", () => window.idoine!("track", "Gone"));
  });
  await tab.close({ runBeforeUnload: false });
  await until(async () => batches(site).flat().includes("Gone"));
  assert.equal(idsOf(site, "Gone").length, 1);
});

test("without consent nothing waits and nothing is stored; when it is withdrawn what waits is forgotten", async (t) => {
  const none = await shop(t, "");
  await track(none.tab, "Nobody's");
  assert.deepEqual([batches(none.site), await events(none.tab), await stored(none.tab)], [[], ["Nobody's refused"], ""]);

  const { site, tab, answer } = await shop(t, AGREED, { status: 503, headers: { "retry-after": "1" } });
  await track(tab, "Taken back");
  assert.ok(await stored(tab));
  answer(ACCEPTED);
  await tab.evaluate(() => document.dispatchEvent(new CustomEvent("idoine-consent", { detail: { granted: [] } })));
  assert.equal(await stored(tab), "", "also when a banner or a platform was told");
  await tab.evaluate(() => new Promise((done) => setTimeout(done, 1500)));
  assert.deepEqual(batches(site), [["Taken back"]], "it was tried before, and is not tried again");
});

test("of who is counted without consent nothing is kept, whatever the network does", async (t) => {
  let now: Route = { status: 503, headers: { "retry-after": "1" } };
  const site = await serve({ ...assets("idoine.js", "live.js"), "*": page(edgeHead({ ...STATE, decisions: [] }).replace("<script async", "<script async data-measure=1")), "/_idoine/collect": () => now });
  t.after(() => site.close());
  const tab = await visit(t);
  await tab.goto(site.origin);
  await tab.waitForFunction(() => window.idoine?.ready);
  await track(tab, "Counted");
  assert.deepEqual([batches(site), await stored(tab)], [[["Counted"]], ""]);
  now = ACCEPTED;
  await until(async () => batches(site).length === 2);
});

test("what is on its way when somebody logs out, and does not arrive, is not told of whoever is next", async (t) => {
  let fail!: () => void;
  const held = new Promise<void>((resolve) => (fail = resolve));
  const { site, tab } = await shop(t, AGREED, async () => {
    await held;
    return { status: 503, headers: { "retry-after": "1" } };
  });
  await tab.evaluate(() => window.idoine!("profile"));
  const told = tab.evaluate(async () => {
    void window.idoine!("track", "Hers");
    await window.idoine!("reset");
  });
  await until(async () => batches(site).length === 1);
  fail();
  await told;
  await tab.evaluate(() => new Promise((done) => setTimeout(done, 1500)));
  assert.deepEqual([batches(site), await events(tab), await stored(tab)], [[["Hers"]], ["Hers failed"], ""]);
});

test("much that waits is sent in several requests, none of them larger than may be under way while a page is left", async (t) => {
  const { site, tab } = await shop(t);
  await tab.evaluate(() => window.idoine!("profile"));
  await tab.context().setOffline(true);
  for (let at = 0; at < 40; at += 1) await tab.evaluate((at) => void window.idoine!("track", `Event ${at}`, { text: "x".repeat(3000) }), at);
  await tab.context().setOffline(false);
  await until(async () => batches(site).flat().length === 40);
  assert.deepEqual(batches(site).flat(), Array.from({ length: 40 }, (_, at) => `Event ${at}`));
  assert.ok(site.asked.every(({ body }) => body.length < 24_000));
});

test("what waits is not told of whoever logs in or out next", async (t) => {
  const { site, tab, answer } = await shop(t, AGREED, { status: 503, headers: { "retry-after": "1" } });
  await track(tab, "Hers");
  answer(ACCEPTED);
  await tab.evaluate(() => window.idoine!("reset"));
  await tab.evaluate(() => new Promise((done) => setTimeout(done, 1500)));
  assert.deepEqual(batches(site), [["Hers"]]);
  assert.deepEqual(await events(tab), ["Hers failed"]);
});
