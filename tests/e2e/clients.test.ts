// The clients that sites have in their pages already, as they are published, bundled as a site's own script would be, in pages that the
// Worker serves: what they send is in the store, belongs to the visitor's own id, changes what they see, and counts once.
import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { build } from "esbuild";
import type { Page } from "playwright-core";
import { ROOT, startOrigin, type TestOrigin } from "../worker/harness.ts";
import { failing, startCollecting, type Collecting, type Stored } from "../worker/collecting.ts";
import { closeBrowser, until, visit } from "./fixtures/browser.ts";

const SCRIPT = `
import { AnalyticsBrowser } from "@segment/analytics-next";
import * as rudder from "@rudderstack/analytics-js/bundled";
import { jitsuAnalytics } from "@jitsu/js";
globalThis.published = { AnalyticsBrowser, RudderAnalytics: rudder.RudderAnalytics, jitsuAnalytics };
`;

let origin: TestOrigin;
let worker: Collecting;

before(async () => {
  const options = { bundle: true, write: false, format: "iife", target: "es2022", absWorkingDir: ROOT, tsconfigRaw: {}, define: { "process.env.NODE_ENV": '"production"' } } as const;
  const bundle = await build({ stdin: { contents: SCRIPT, resolveDir: ROOT }, ...options });
  const script = bundle.outputFiles[0]!.text;
  origin = await startOrigin({
    "*": '<!doctype html><html lang="en"><head><title>Shop</title><script src="/clients.js"></script></head><body><h1>Welcome</h1></body></html>',
    "/clients.js": (_, response) => void response.writeHead(200, { "content-type": "text/javascript" }).end(script),
  });
  worker = await startCollecting({ origin: origin.url });
});
after(async () => {
  await closeBrowser();
  await worker.dispose();
  await origin.close();
});

declare global {
  var published: any;
  var analytics: any;
}

/** A browser that says nothing of being driven: a bot's events count for no profile. */
const PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/** A page whose visitor agreed to some purposes; what it asked of the Worker is noted. */
async function open(t: TestContext, granted: string[], path = "/?utm_campaign=spring"): Promise<{ tab: Page; asked: string[] }> {
  const tab = await visit(t, { userAgent: PERSON });
  const asked: string[] = [];
  tab.on("request", (request) => void (request.url().includes("/_idoine/") && asked.push(`${request.method()} ${new URL(request.url()).pathname}`)));
  await tab.goto(new URL(path, worker.address).href);
  if (granted.length > 0) {
    await tab.evaluate(async (granted) => void (await fetch("/_idoine/consent", { method: "POST", body: JSON.stringify({ granted }) })), granted);
  }
  asked.length = 0;
  return { tab, asked };
}

/** The visitor's own id, which scripts can't read. */
const idOf = async (tab: Page) => (await tab.context().cookies()).find(({ name }) => name === "idoine_id")?.value.split(".")[0];
const named = (events: Stored[], ...names: string[]) => events.filter((event) => names.includes(event["event"] ?? event["type"]));
/** Waits until all of these events of a visitor are in the store. */
async function untilThere(anonymousId: string | undefined, ...names: string[]): Promise<Record<string, Stored>> {
  let found: Stored[] = [];
  const own = async () => (found = (await worker.stored()).filter((event) => event["anonymousId"] === anonymousId));
  await until(async () => names.every((name) => found.some((event) => (event["event"] ?? event["type"]) === name)) || ((await own()), false));
  return Object.fromEntries(found.map((event) => [event["event"] ?? event["type"], event]));
}

const ALL = ["analytics", "personalization"];

test("Segment: settings, calls in text/plain, one request each; its retry counts once", async (t) => {
  const { tab, asked } = await open(t, ALL);
  await tab.evaluate(async () => {
    globalThis.analytics = globalThis.published.AnalyticsBrowser.load({ writeKey: "pub-1", cdnURL: `${location.origin}/_idoine` });
    await globalThis.analytics.page("Home");
    await globalThis.analytics.track("Product Viewed", { product_id: "p1", price: 10 });
    await globalThis.analytics.track("Product Viewed", { product_id: "p2", price: 20 });
    await globalThis.analytics.identify("segment-user", { plan: "pro" });
    await globalThis.analytics.group("company-1");
  });
  const id = await idOf(tab);
  const found = await untilThere(id, "page", "Product Viewed", "identify", "group");
  assert.equal(asked[0], "GET /_idoine/v1/projects/pub-1/settings");
  assert.deepEqual(new Set(asked.slice(1)), new Set(["p", "t", "i", "g"].map((call) => `POST /_idoine/v1/${call}`)));
  assert.deepEqual([found["page"]!["name"], found["page"]!["source"], found["page"]!["trusted"]], ["Home", "site", false]);
  assert.equal(found["page"]!["context"].page.url, tab.url());
  assert.equal(found["page"]!["context"].campaign.name, "spring");
  assert.equal(typeof found["page"]!["context"].timezone, "string");
  assert.equal(JSON.stringify(found).includes("Chrome"), false, "no user agent is kept");
  assert.deepEqual([found["identify"]!["userId"], found["identify"]!["traits"]], ["segment-user", { plan: "pro" }]);
  // What was done changes what is shown.
  await tab.goto(new URL("/", worker.address).href);
  assert.equal(await tab.textContent("h1"), "You looked around");
  await tab.evaluate(async () => {
    globalThis.analytics = globalThis.published.AnalyticsBrowser.load({ writeKey: "pub-1", cdnURL: `${location.origin}/_idoine` });
    // Once it knows a user it sends that one, whoever is named.
    await globalThis.analytics.reset();
    await globalThis.analytics.alias("segment-user-2");
  });
  await failing(worker, 1, "lost");
  await tab.evaluate(() => void globalThis.analytics.track("Sent Twice"));
  const later = await untilThere(id, "Sent Twice", "alias");
  assert.deepEqual([later["alias"]!["userId"], later["alias"]!["previousId"]], ["segment-user-2", id], "the client's own id is the visitor's");
  assert.ok(asked.includes("POST /_idoine/v1/a"), asked.join("\n"));
  await until(async () => asked.filter((one) => one === "POST /_idoine/v1/t").length >= 4);
  await tab.evaluate(() => void globalThis.analytics.track("Sent Behind It"));
  await untilThere(id, "Sent Behind It");
  assert.equal(named(await worker.stored(), "Sent Twice").length, 1);
});

test("Segment: batches, where it is told to", async (t) => {
  const { tab, asked } = await open(t, ALL);
  await tab.evaluate(async () => {
    const batching = { strategy: "batching", config: { size: 2, timeout: 100 } };
    globalThis.analytics = globalThis.published.AnalyticsBrowser.load({ writeKey: "pub-1", cdnURL: `${location.origin}/_idoine` }, { integrations: { "Segment.io": { deliveryStrategy: batching } } });
    await Promise.all([globalThis.analytics.track("Product Viewed", { product_id: "p1" }), globalThis.analytics.track("Signed Up")]);
  });
  await untilThere(await idOf(tab), "Product Viewed", "Signed Up");
  assert.ok(asked.includes("POST /_idoine/v1/b"), asked.join("\n"));
});

test("Segment: without a choice it is what the event says; nothing is stored of who refused", async (t) => {
  const { tab } = await open(t, []);
  const replies = tab.waitForResponse((response) => response.url().endsWith("/v1/t"));
  await tab.evaluate(async () => {
    globalThis.analytics = globalThis.published.AnalyticsBrowser.load({ writeKey: "pub-2", cdnURL: `${location.origin}/_idoine` });
    await globalThis.analytics.track("Refused Secretly");
  });
  assert.equal((await replies).status(), 200);
  await tab.evaluate(async () => {
    await globalThis.analytics.addSourceMiddleware(({ payload, next }: any) => {
      payload.obj.context.consent = { categoryPreferences: { analytics: true, personalization: false } };
      next(payload);
    });
    await globalThis.analytics.track("Agreed Openly");
  });
  await until(async () => named(await worker.stored(), "Agreed Openly").length > 0);
  const [agreed] = named(await worker.stored(), "Agreed Openly");
  assert.match(agreed!["anonymousId"], /^x-[0-9a-f]{32}$/);
  assert.deepEqual(agreed!["consent"], ["analytics"]);
  assert.deepEqual(named(await worker.stored(), "Refused Secretly"), []);
});

/** Loads RudderStack's client, and waits until it is ready. */
const loadRudder = (tab: Page, options: object) =>
  tab.evaluate(async (options) => {
    globalThis.analytics = new globalThis.published.RudderAnalytics();
    const base = `${location.origin}/_idoine`;
    globalThis.analytics.load("pub-1", base, { configUrl: base, ...options });
    await new Promise<void>((resolve) => globalThis.analytics.ready(resolve));
  }, options);

test("RudderStack: its configuration, one request for each event, and its retry", async (t) => {
  const { tab, asked } = await open(t, ALL);
  await loadRudder(tab, { useBeacon: false });
  await tab.evaluate(() => {
    globalThis.analytics.page("Home");
    globalThis.analytics.track("Product Viewed", { product_id: "p1" });
    globalThis.analytics.identify("rudder-user", { plan: "pro" });
    globalThis.analytics.group("company-1", { size: 3 });
    globalThis.analytics.alias("rudder-user-2");
  });
  const id = await idOf(tab);
  const found = await untilThere(id, "page", "Product Viewed", "identify", "group", "alias");
  assert.ok(asked.includes("GET /_idoine/sourceConfig/"), asked.join("\n"));
  assert.ok(asked.includes("POST /_idoine/v1/page") && asked.includes("POST /_idoine/v1/track"), asked.join("\n"));
  assert.deepEqual([found["page"]!["name"], found["page"]!["context"].page.url, found["identify"]!["traits"], found["group"]!["groupId"]], ["Home", tab.url(), { plan: "pro" }, "company-1"]);
  await failing(worker, 1, "lost");
  await tab.evaluate(() => void globalThis.analytics.track("Sent Twice By RudderStack"));
  await until(async () => asked.filter((one) => one === "POST /_idoine/v1/track").length >= 3);
  await tab.evaluate(() => void globalThis.analytics.track("Sent Behind RudderStack"));
  await untilThere(id, "Sent Twice By RudderStack", "Sent Behind RudderStack");
  assert.equal(named(await worker.stored(), "Sent Twice By RudderStack").length, 1);
});

test("RudderStack: beacons, where it is told to", async (t) => {
  const { tab, asked } = await open(t, ALL);
  await loadRudder(tab, { useBeacon: true, beaconQueueOptions: { flushQueueInterval: 100 } });
  await tab.evaluate(() => void globalThis.analytics.track("Signed Up", { by: "beacon" }));
  const found = await untilThere(await idOf(tab), "Signed Up");
  assert.deepEqual([found["Signed Up"]!["properties"], found["Signed Up"]!["source"]], [{ by: "beacon" }, "site"]);
  assert.ok(asked.includes("POST /_idoine/beacon/v1/batch"), asked.join("\n"));
});

test("Jitsu: a key in a header; what is sent again counts once", async (t) => {
  const { tab, asked } = await open(t, ALL);
  const bodies: string[] = [];
  tab.on("request", (request) => void (request.url().includes("/api/s/") && bodies.push(`${request.url()} ${request.postData()}`)));
  await tab.evaluate(async () => {
    globalThis.analytics = globalThis.published.jitsuAnalytics({ host: `${location.origin}/_idoine`, writeKey: "pub-1:browser" });
    await globalThis.analytics.page("Home");
    await globalThis.analytics.track("Product Viewed", { product_id: "p1" });
    await globalThis.analytics.identify("jitsu-user", { plan: "pro" });
  });
  const id = await idOf(tab);
  const found = await untilThere(id, "page", "Product Viewed", "identify");
  assert.deepEqual(asked.sort(), ["POST /_idoine/api/s/identify", "POST /_idoine/api/s/page", "POST /_idoine/api/s/track"]);
  assert.deepEqual([found["page"]!["context"].page.url, found["page"]!["context"].campaign.name, found["identify"]!["userId"]], [tab.url(), "spring", "jitsu-user"]);
  for (const one of [...bodies]) {
    const [url, body] = [one.slice(0, one.indexOf(" ")), one.slice(one.indexOf(" ") + 1)];
    assert.deepEqual(await tab.evaluate(async ([url, body]) => (await fetch(url!, { method: "POST", headers: { "x-write-key": "pub-1:browser" }, body: body! })).json(), [url, body]), { success: true });
  }
  await tab.evaluate(async () => void (await globalThis.analytics.track("Sent Behind Jitsu")));
  await untilThere(id, "Sent Behind Jitsu");
  const own = (await worker.stored()).filter((event) => event["anonymousId"] === id);
  assert.equal(own.length, 4, JSON.stringify(own.map(({ type, event }) => event ?? type)));
});

test("our own format: sendBeacon, from the site's other host by CORS, and never from another site", async (t) => {
  const { tab } = await open(t, ALL);
  assert.ok(await tab.evaluate(() => navigator.sendBeacon("/_idoine/collect", new Blob([JSON.stringify({ events: [{ type: "track", event: "Signed Up", properties: { by: "blob" } }] })], { type: "text/plain" }))));
  assert.ok(await tab.evaluate(() => navigator.sendBeacon("/_idoine/collect", JSON.stringify({ events: [{ type: "track", event: "Left", properties: { by: "text" } }] }))));
  await untilThere(await idOf(tab), "Signed Up", "Left");
  const port = worker.address.port;
  for (const [host, allowed] of [[`http://localhost:${port}`, true], [`http://evil.localhost:${port}`, false]] as const) {
    const other = await visit(t);
    await other.goto(`${host}/`);
    const told = await other.evaluate(
      async ([url]) => {
        try {
          const response = await fetch(url!, { method: "POST", headers: { "x-write-key": "pub-1" }, body: JSON.stringify({ events: [{ type: "track", event: "Across" }] }) });
          return (await response.json()).results[0].status;
        } catch (error) {
          return String(error);
        }
      },
      [`${worker.address.origin}/_idoine/collect`],
    );
    assert.match(told, allowed ? /^accepted$/ : /Failed to fetch/, host);
  }
});
