// The clients that servers have already, as they are published: what they send is in the store, and what they send again counts once.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { jitsuAnalytics } from "@jitsu/js";
import { Analytics } from "@segment/analytics-node";
import { SERVER_KEY, failing, startCollecting, type Collecting, type Stored } from "./collecting.ts";

// It is published for CommonJS, and its types for neither.
const RudderAnalytics = createRequire(import.meta.url)("@rudderstack/rudder-sdk-node");

let worker: Collecting;
let base: string;
before(async () => {
  worker = await startCollecting();
  base = worker.address.href.replace(/\/$/, "");
});
after(() => worker.dispose());

/** The events of a user, by what they are: the event's name, else the type. */
const of = (events: Stored[], userId: string) => Object.fromEntries(events.filter((event) => event["userId"] === userId).map((event) => [event["event"] ?? event["type"], event]));
const count = (events: Stored[], name: string) => events.filter(({ event }) => event === name).length;
/** Waits until an event of that name is in the store; gives back all. */
async function untilThere(name: string): Promise<Stored[]> {
  for (let tries = 0; tries < 600; tries += 1) {
    const found = await worker.stored();
    if (count(found, name) > 0) {
      return found;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${name} is not in the store\n${worker.logs.join("\n")}`);
}

test("Segment for Node: a batch with a key by Basic, and its retry", async () => {
  const client = new Analytics({ writeKey: SERVER_KEY, host: base, path: "/_idoine/v1/batch", flushInterval: 10 });
  const problems: unknown[] = [];
  client.on("error", (problem) => problems.push(problem));
  const userId = "segment-node";
  client.identify({ userId, anonymousId: "device-1", traits: { plan: "pro" } });
  client.track({ userId, event: "Order Completed", properties: { revenue: 59.5, currency: "EUR" }, timestamp: new Date(Date.UTC(2026, 10, 1)) });
  client.page({ userId, name: "Home", properties: { url: "https://shop.example/", title: "Shop" } });
  client.group({ userId, groupId: "company-1" });
  client.alias({ userId, previousId: "segment-node-before" });
  client.screen({ userId: "segment-node-app", name: "Start" });
  client.track({ userId: "segment-node-refused", event: "Signed Up", context: { consent: { categoryPreferences: { analytics: false } } } });
  await client.flush();
  const found = await untilThere("Order Completed").then(() => worker.arrived(6));
  const sent = of(found, userId);
  assert.deepEqual(Object.keys(sent).sort(), ["Order Completed", "alias", "group", "identify", "page"]);
  const order = sent["Order Completed"]!;
  assert.deepEqual([order["source"], order["trusted"], order["violations"], order["properties"]], ["erp", true, undefined, { revenue: 59.5, currency: "EUR" }]);
  // Its clock is ours: what is said of the past is as it was said, but for the way.
  assert.ok(Math.abs(order["timestamp"] - Date.UTC(2026, 10, 1)) < 60_000);
  assert.deepEqual([sent["page"]!["name"], sent["page"]!["context"]], ["Home", { page: { url: "https://shop.example/", title: "Shop" } }]);
  assert.deepEqual([sent["identify"]!["anonymousId"], sent["identify"]!["traits"]], ["device-1", { plan: "pro" }]);
  assert.deepEqual([sent["group"]!["groupId"], sent["alias"]!["previousId"]], ["company-1", "segment-node-before"]);
  assert.deepEqual(of(found, "segment-node-app")["page"]!["name"], "Start");
  assert.deepEqual(of(found, "segment-node-refused"), {});
  assert.deepEqual(problems, []);
  // The answer gets lost once, and a shard fails once: the client sends it again by itself.
  await failing(worker, 1, "lost");
  client.track({ userId, event: "Sent Twice", properties: {} });
  await client.flush();
  await failing(worker, 1, "shards");
  client.track({ userId, event: "Sent After A Failure", properties: {} });
  await client.closeAndFlush();
  await untilThere("Sent Twice");
  const all = await untilThere("Sent After A Failure");
  assert.deepEqual([count(all, "Sent Twice"), count(all, "Sent After A Failure")], [1, 1]);
  assert.deepEqual(problems, []);
});

test("RudderStack for Node: gzip, and its retry", async () => {
  const client = new RudderAnalytics(SERVER_KEY, { dataPlaneUrl: `${base}/_idoine`, flushAt: 3, flushInterval: 50, logLevel: "none" });
  const userId = "rudder-node";
  client.identify({ userId, traits: { plan: "free" } });
  client.track({ userId, event: "Product Viewed", properties: { product_id: "p1", price: 5 } });
  client.page({ userId, name: "Home" });
  const found = of(await untilThere("Product Viewed").then(() => worker.settled()), userId);
  assert.deepEqual(Object.keys(found).sort(), ["Product Viewed", "identify", "page"]);
  assert.deepEqual([found["Product Viewed"]!["properties"], found["Product Viewed"]!["trusted"], found["identify"]!["traits"], found["page"]!["name"]], [{ product_id: "p1", price: 5 }, true, { plan: "free" }, "Home"]);
  await failing(worker, 1, "lost");
  client.track({ userId, event: "Sent Twice By RudderStack" });
  client.flush();
  await untilThere("Sent Twice By RudderStack");
  // What it sends behind a retry comes when the retry is over.
  client.track({ userId, event: "Sent Behind It" });
  client.flush();
  assert.equal(count(await untilThere("Sent Behind It"), "Sent Twice By RudderStack"), 1);
});

test("Jitsu for Node: a key in a header, an event in each request", async () => {
  const requests: [string, RequestInit][] = [];
  const client = jitsuAnalytics({
    host: `${base}/_idoine`,
    writeKey: `${SERVER_KEY}:secret`,
    fetch: (async (url: string, init: RequestInit) => {
      requests.push([url, init]);
      return fetch(url, init);
    }) as typeof fetch,
  });
  await client.identify("jitsu-node", { plan: "pro" });
  await client.track("Product Viewed", { product_id: "p2" });
  await client.page("Home", { section: "start" });
  await client.group("company-2", { size: 5 });
  assert.deepEqual(requests.map(([url]) => url.slice(url.indexOf("/api/"))), ["/api/s/identify", "/api/s/track", "/api/s/page", "/api/s/group"]);
  for (let tries = 0; tries < 400 && Object.keys(of(await worker.stored(), "jitsu-node")).length < 4; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const sent = of(await worker.stored(), "jitsu-node");
  assert.deepEqual(Object.keys(sent).sort(), ["Product Viewed", "group", "identify", "page"]);
  assert.deepEqual([sent["page"]!["name"], sent["identify"]!["traits"], sent["group"]!["groupId"], sent["Product Viewed"]!["source"]], ["Home", { plan: "pro" }, "company-2", "erp"]);
  // It sends nothing again by itself; whoever does sends the same request.
  for (const [url, init] of requests) {
    const again = await fetch(url, init);
    assert.deepEqual([again.status, await again.json()], [200, { success: true }]);
  }
  // With `s2s` it says so in the address.
  const server = jitsuAnalytics({ host: `${base}/_idoine`, writeKey: `${SERVER_KEY}:secret`, s2s: true } as Parameters<typeof jitsuAnalytics>[0]);
  await server.track("Sent By A Server", {}, { userId: "jitsu-node" });
  const all = await untilThere("Sent By A Server");
  assert.equal(all.filter(({ userId, event, type }) => userId === "jitsu-node" && (event ?? type) !== "Sent By A Server").length, 4);
});

test("a wrong key is told to the client, and nothing is stored", async () => {
  const client = new Analytics({ writeKey: "nobody", host: base, path: "/_idoine/v1/batch", maxRetries: 0 });
  const problems: any[] = [];
  client.on("error", (problem) => problems.push(problem));
  client.track({ userId: "nobody", event: "Nothing" });
  await client.closeAndFlush();
  assert.equal(problems.length, 1);
  assert.match(String(problems[0].reason), /401/);
  assert.deepEqual(of(await worker.settled(), "nobody"), {});
});
