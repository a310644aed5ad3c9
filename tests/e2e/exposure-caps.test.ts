// Exposures in a real browser before the real Worker: a cap counts what was seen, whatever happens in between, and a variant that was seen stays.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { startOrigin, startWorker, type TestOrigin, type TestWorker } from "../worker/harness.ts";
import { KEY } from "../worker/visitor.ts";
import { closeBrowser, DESKTOP, visit } from "./fixtures/browser.ts";

const manifest = (more: object = {}) => ({
  site: { id: "shop", hosts: ["127.0.0.1"] },
  slots: { notice: { selector: "#notice" }, test: { selector: "#test" } },
  experiences: [
    { id: "twice", type: "personalization", cap: { total: 2 }, slots: { notice: { text: "Only twice" } } },
    { id: "kept", type: "experiment", sticky: true, slots: { test: [{ baseline: true }, { text: "B" }, { text: "C" }, { text: "D" }] }, ...more },
  ],
});

let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin();
  origin.routes["/"] = (_: unknown, response: any) => void response.writeHead(200, { "content-type": "text/html" }).end('<!doctype html><html lang="en"><head><title>Shop</title><link rel="icon" href="data:,"></head><body><p id="notice">Nothing</p><p id="test">A</p></body></html>');
  worker = await startWorker({ origin: origin.url, manifest: manifest(), profiles: true, vars: { IDOINE_KEY: KEY } });
});
after(async () => {
  await closeBrowser();
  await Promise.all([worker.dispose(), origin.close()]);
});

/** What the page shows, once all that it shows counts as seen. */
async function load(tab: Page): Promise<{ notice: string; test: string }> {
  await tab.goto(worker.address.origin);
  await tab.waitForFunction(() => window.idoine?.ready);
  const shown = await tab.evaluate(() => window.idoine!.decisions!().filter(({ experience, source }) => experience && source !== "baseline").length);
  await tab.waitForFunction((shown) => window.idoine!.debug!().events.filter(({ type, status }) => type === "exposure" && status === "sent").length === shown, shown);
  return { notice: await tab.innerText("#notice"), test: await tab.innerText("#test") };
}

test("a cap of two shows exactly twice over five pages, two tabs and a publish in between; a variant that was seen stays when its share changes", async (t) => {
  const tab = await visit(t, DESKTOP);
  await tab.goto(worker.address.origin);
  await tab.waitForFunction(() => window.idoine?.ready);
  await tab.evaluate(() => window.idoine!("consent.set", ["personalization", "analytics"]));
  const other = await tab.context().newPage();

  const seen = [await load(tab)];
  const first = seen[0]!.test;
  assert.match(first, /^[ABCD]$/);
  // Everybody new gets another variant from now on.
  const weights = ["A", "B", "C", "D"].map((name, at) => (name === first ? 0 : at === (first === "A" ? 1 : 0) ? 1 : 0));
  await worker.publish(manifest({ weights }));
  seen.push(await load(other), await load(tab), await load(other), await load(tab));
  assert.deepEqual(seen.map(({ notice }) => notice), ["Only twice", "Only twice", "Nothing", "Nothing", "Nothing"]);
  assert.deepEqual(seen.map(({ test }) => test), Array(5).fill(first));

  const stranger = await visit(t, DESKTOP);
  await stranger.goto(worker.address.origin);
  await stranger.waitForFunction(() => window.idoine?.ready);
  await stranger.evaluate(() => window.idoine!("consent.set", ["personalization"]));
  const theirs = await load(stranger);
  assert.equal(theirs.notice, "Only twice");
  assert.notEqual(theirs.test, first, "the publish was one that changes it");
});
