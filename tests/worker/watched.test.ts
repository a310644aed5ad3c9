// Whoever watches an audience is told who enters it: from the event that a server sends to the message that a receiver gets.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startOrigin, startWorker } from "./harness.ts";
import type { TestOrigin, TestWorker } from "./harness.ts";
import { eventually } from "./shard.ts";
import { PAGE } from "./site.ts";

/** Keys of servers, by what they declare as agreed to. */
const KEYS = { all: "a-key-of-all-purposes-000", some: "a-key-without-marketing-0" };

let receiver: TestOrigin;
let worker: TestWorker;

before(async () => {
  receiver = await startOrigin({ "/hook": "taken", "*": PAGE });
  worker = await startWorker({
    origin: receiver.url,
    profiles: true,
    manifest: {
      site: { id: "shop", hosts: ["shop.example"] },
      audiences: { shoppers: "profile.count('Product Viewed') >= 2" },
      webhooks: { crm: { url: `${receiver.url}/hook`, audiences: ["shoppers"], purpose: "marketing" } },
    },
    vars: {
      IDOINE_KEY: "a key of the tests",
      IDOINE_WEBHOOK_SECRET: `whsec_${Buffer.from("a secret of the tests").toString("base64")}`,
      IDOINE_WRITE_KEYS: `server:all:${KEYS.all}:analytics+personalization+marketing server:some:${KEYS.some}:analytics+personalization`,
    },
  });
});
after(async () => {
  await worker.dispose();
  await receiver.close();
});

const track = async (key: string, ...events: object[]) => {
  const body = JSON.stringify({ events: events.map((event) => ({ type: "track", event: "Product Viewed", ...event })) });
  const reply = await worker.fetch("/_idoine/collect", { method: "POST", headers: { "x-write-key": key, "content-type": "application/json" }, body });
  assert.deepEqual(reply.json().results.map((result: { status: string }) => result.status), events.map(() => "accepted"), reply.text);
};

/** Who entered, as the receiver was told. */
const told = () => receiver.received.filter(({ url }) => url === "/hook").map(({ body }) => JSON.parse(body.toString("utf8")));

test("who enters a watched audience is told, with their consent to what it is told for, and only then", async () => {
  await track(KEYS.some, { userId: "quiet" }, { userId: "quiet" });
  await track(KEYS.all, { userId: "willing" });
  assert.deepEqual(told(), [], "nobody has entered whose entry may be told");
  await track(KEYS.all, { userId: "willing" });
  const messages = await eventually(async () => told(), (all) => all.length > 0);
  assert.deepEqual(messages.map(({ type, data }: any) => [type, data.audience, data.userId]), [["audience.entered", "shoppers", "willing"]]);
});
