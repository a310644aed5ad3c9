// Whoever watches an audience is told who enters it: from the event that a server sends to the message that a receiver gets.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startOrigin, startWorker } from "./harness.ts";
import type { TestOrigin, TestWorker } from "./harness.ts";
import { eventually } from "./shard.ts";
import { PAGE } from "./site.ts";

/** Keys of servers, by what they declare as agreed to. */
const KEYS = { all: "a-key-of-all-purposes-000", some: "a-key-without-marketing-0", few: "a-key-of-nothing-but-analytics" };

const TOKEN = "a-token-of-the-tests-0123456789";

let receiver: TestOrigin;
let worker: TestWorker;

before(async () => {
  receiver = await startOrigin({ "/hook": "taken", "*": PAGE });
  worker = await startWorker({
    origin: receiver.url,
    profiles: true,
    manifest: {
      site: { id: "shop", hosts: ["shop.example"] },
      traits: { plan: { type: "string", purpose: "personalization" } },
      audiences: { shoppers: "profile.count('Product Viewed') >= 2", pros: "profile.plan == 'pro'" },
      webhooks: { crm: { url: `${receiver.url}/hook`, audiences: ["shoppers", "pros"], purpose: "marketing" } },
    },
    vars: {
      IDOINE_KEY: "a key of the tests",
      IDOINE_TOKENS: `read:tests:${TOKEN}`,
      IDOINE_WEBHOOK_SECRET: `whsec_${Buffer.from("a secret of the tests").toString("base64")}`,
      IDOINE_WRITE_KEYS: `server:all:${KEYS.all}:analytics+personalization+marketing server:some:${KEYS.some}:analytics+personalization server:few:${KEYS.few}:analytics`,
    },
  });
});
after(async () => {
  await worker.dispose();
  await receiver.close();
});

const identify = (userId: string, plan: string, anonymousId?: string) => ({ type: "identify", event: undefined, userId, anonymousId, traits: { plan } });

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

/** Who entered and left, once the one who is named last is among them. */
const toldUntil = async (last: string) => {
  const messages = await eventually(async () => told(), (all) => all.some(({ data }) => data.userId === last));
  return messages.map(({ type, data }: any) => `${type} ${data.audience} ${data.userId}`);
};

test("who agrees no more leaves and enters unheard: what they said last counts", async () => {
  await track(KEYS.all, identify("agreed", "pro"), { userId: "agreed" });
  assert.ok((await toldUntil("agreed")).includes("audience.entered pros agreed"));
  // The same profile, and an event that carries less: it leaves one audience and enters another.
  await track(KEYS.some, identify("agreed", "free"));
  await track(KEYS.some, { userId: "agreed" });
  await track(KEYS.all, identify("sentinel-1", "pro"));
  const told = (await toldUntil("sentinel-1")).filter((message) => message.endsWith(" agreed"));
  assert.deepEqual(told, ["audience.entered pros agreed"]);
});

test("what they said last counts also where that event is no part of a profile", async () => {
  // All of it is of one user, and what a browser of theirs does is handed over to them.
  await track(KEYS.all, identify("silent", "free", "phone-of-silent"));
  await track(KEYS.few, { userId: "silent", anonymousId: "phone-of-silent" });
  await track(KEYS.all, { anonymousId: "phone-of-silent" }, { anonymousId: "phone-of-silent" });
  const counted = async () => (await worker.fetch("/_idoine/api/audiences/shoppers", { headers: { authorization: `Bearer ${TOKEN}` } })).text;
  assert.match(await eventually(counted, (text) => text.includes('"u:silent"')), /"u:silent"/, "they have entered");
  await track(KEYS.all, identify("sentinel-2", "pro"));
  assert.deepEqual((await toldUntil("sentinel-2")).filter((message) => message.endsWith(" silent")), []);
});
