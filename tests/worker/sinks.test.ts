// Where events go from a shard: the real queue and bucket of workerd, webhooks on a server of the tests', and what becomes of events
// when one of them fails.

import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import { startOrigin, startWorker, wholeBody } from "./harness.ts";
import type { Received, TestOrigin, TestWorker } from "./harness.ts";
import { AT, DAY, SECOND, SHARDS, call, event, eventually, lines, objects } from "./shard.ts";
import type { Webhook } from "./shard.ts";

const SECRET = randomBytes(32);
const OLD_SECRET = randomBytes(24);

let receiver: TestOrigin;
let worker: TestWorker;
/** Each test has a shard of its own. */
let shard: string;
let shards = 0;

before(async () => {
  receiver = await startOrigin();
  worker = await startWorker({
    ...SHARDS,
    vars: {
      IDOINE_WEBHOOK_SECRET: `whsec_${SECRET.toString("base64")}`,
      IDOINE_WEBHOOK_SECRET_CRM_2: `whsec_${SECRET.toString("base64")} whsec_${OLD_SECRET.toString("base64")}`,
      IDOINE_WEBHOOK_SECRET_WRONG: "this is no base64!",
    },
  });
});
after(async () => {
  await worker.dispose();
  await receiver.close();
});
beforeEach(async () => {
  shard = `shard ${(shards += 1)}`;
  receiver.received.length = 0;
  receiver.routes = Object.assign(receiver.routes, { "/hook": "ok", "/other": "ok" });
  await fault({});
});

const on = <T = any>(method: string, ...rest: unknown[]) => call<T>(worker, shard, method, ...rest);
const fault = (faults: Record<string, string>) => worker.fetch("/", { headers: { "x-fault": JSON.stringify(faults) } });
const told = async () => (await worker.fetch("/", { headers: { "x-got": "1" } })).json<{ got: any[]; batches: number[] }>();
const hook = (more: Partial<Webhook> = {}): Webhook => ({ name: "crm", url: `${receiver.url}/hook`, events: ["*"], audiences: [], purpose: "analytics", ...more });
const named = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => event(n, { messageId: `${prefix}-${n}` }));
const ids = (events: { messageId: string }[]) => events.map(({ messageId }) => messageId).sort();
const objectsWith = async (prefix: string) => (await objects(worker)).filter(([, text]) => text.includes(`"messageId":"${prefix}-`));
const countOf = async (table: string) => (await on<[{ n: number }]>("rows", `SELECT count(*) AS n FROM ${table}`))[0].n;
const idsGot = (prefix: string, count: number) =>
  eventually(async () => ids((await told()).got.filter(({ messageId }) => messageId.startsWith(`${prefix}-`))), (found) => found.length >= count);

/** A message as its receiver got it. */
const message = ({ headers, body }: Received) => ({ id: headers["webhook-id"]!, time: headers["webhook-timestamp"]!, signatures: headers["webhook-signature"]!.split(" "), body: body.toString() });
const expected = (secret: Buffer, { id, time, body }: ReturnType<typeof message>) => `v1,${createHmac("sha256", secret).update(`${id}.${time}.${body}`).digest("base64")}`;

test("the queue has each event as a message, in the platform's batches, and the bucket has them as one object of the day", async () => {
  const batchesBefore = (await told()).batches.length;
  await on("put", named("both", 230), AT);
  assert.equal(await on("next"), AT, "more than a batch of the queue waits: it is sent at once");
  // The full batches leave; what is left of them waits to become one, but not for long.
  assert.equal(await on("flush", AT), AT + SECOND);
  assert.deepEqual((await told()).batches.slice(batchesBefore), [100, 100]);
  assert.equal(await on("flush", AT + SECOND), AT + 300 * SECOND, "the bucket is written every five minutes");
  assert.deepEqual(await objectsWith("both"), []);
  assert.equal(await countOf("outbox"), 230, "what one sink has is kept for the other");
  assert.equal(await on("flush", AT + 300 * SECOND), null);
  assert.deepEqual(await idsGot("both", 230), ids(named("both", 230).map((line) => JSON.parse(line))));
  const [[name, text] = ["", ""], ...more] = await objectsWith("both");
  assert.equal(more.length, 0);
  assert.match(name, new RegExp(`^events/site=shop/date=2026-11-23/7-${AT + 1}-${AT + 230}\\.ndjson$`));
  assert.deepEqual(lines(text), named("both", 230).map((line) => JSON.parse(line)));
  assert.equal(await countOf("outbox"), 0);
  assert.deepEqual(await on("waiting"), [
    { name: "queue", due: null, fails: 0, error: null, waiting: 0 },
    { name: "r2", due: null, fails: 0, error: null, waiting: 0 },
  ]);
});

for (const [broken, whatBreaks] of [["the connection", "lost answer"], ["the shard", "crash"]] as const) {
  test(`an object whose writing was not noted, as ${broken} broke, is written again under its name, whatever came meanwhile`, async () => {
    const prefix = whatBreaks.replace(" ", "");
    await on("put", named(prefix, 3), AT);
    await fault({ r2: whatBreaks });
    await on("flush", AT + 300 * SECOND).catch(() => undefined);
    const [first] = await objectsWith(prefix);
    assert.equal(lines(first![1]).length, 3);
    await fault({});
    await on("put", [event(3, { messageId: `${prefix}-3` })], AT + 301 * SECOND);
    for (let now = AT + 302 * SECOND; (await on("next")) !== null; now += 300 * SECOND) {
      await on("flush", now);
    }
    const written = await objectsWith(prefix);
    assert.deepEqual(written.map(([, text]) => lines(text).length), [3, 1]);
    assert.equal(written[0]![0], first![0]);
    assert.deepEqual(ids(written.flatMap(([, text]) => lines(text))), [0, 1, 2, 3].map((n) => `${prefix}-${n}`));
  });
}

test("an object holds events of one day, and 5,000 at most", async () => {
  const midnight = Date.UTC(2026, 10, 24);
  await on("put", named("day", 2), midnight - 2);
  await on("put", [event(2, { messageId: "day-2" })], midnight);
  await on("flush", midnight + 300 * SECOND);
  assert.deepEqual((await objectsWith("day")).map(([name, text]) => [/date=[\d-]+/.exec(name)![0], lines(text).length]), [["date=2026-11-23", 2], ["date=2026-11-24", 1]]);
  await on("put", named("many", 5001), midnight);
  assert.equal(await on("next"), midnight, "a full object does not wait");
  for (let now = midnight; (await on("next")) !== null; now += 300 * SECOND) {
    await on("flush", now);
  }
  assert.deepEqual((await objectsWith("many")).map(([, text]) => lines(text).length).sort(), [1, 5000].sort());
});

test("a sink that fails holds up no other, loses nothing, and has more and more time", async () => {
  await fault({ queue: "reject" });
  await on("put", named("slow", 5), AT, [hook()]);
  let now = AT;
  const pauses: number[] = [];
  for (let fails = 1; fails <= 4; fails += 1) {
    now += 300 * SECOND * 4 ** fails;
    await on("flush", now, [hook()]);
    const row = (await on<any[]>("waiting")).find(({ name }) => name === "queue");
    assert.deepEqual([row.fails, row.waiting, row.error], [fails, 5, "the queue is full"]);
    pauses.push(row.due - now);
  }
  for (const [at, pause] of pauses.entries()) {
    const most = 5 * SECOND * 4 ** at;
    assert.ok(pause >= most / 2 && pause <= most, `pause ${at + 1}: ${pause}`);
  }
  assert.equal((await objectsWith("slow")).length, 1, "the bucket has its object");
  assert.equal(receiver.received.length, 5, "the webhook its messages");
  assert.equal(await countOf("outbox"), 5);
  await fault({});
  assert.equal(await on("flush", now + 400 * SECOND, [hook()]), null);
  assert.equal((await idsGot("slow", 5)).length, 5);
  assert.equal((await objectsWith("slow")).length, 1);
  assert.equal(await countOf("outbox"), 0);
  const events = worker.logs.map((line) => JSON.parse(line)).filter(({ event, sink }) => event === "sink_failed" && sink === "queue");
  assert.ok(events.length >= 4);
});

test("nothing is kept for a sink that is not there", async () => {
  await on("put", named("none", 3), AT, [], ["EVENTS", "EVENTS_BUCKET"]);
  assert.deepEqual([await countOf("outbox"), await countOf("deliveries"), await on("next")], [0, 0, null]);
  // One that is taken away has what waited for it given up; one that is new has what comes from then on.
  await on("put", named("off", 2), AT, [hook()], ["EVENTS"]);
  assert.deepEqual([await countOf("outbox"), await countOf("deliveries")], [2, 2]);
  await on("put", named("on", 1), AT + 1, [], ["EVENTS_BUCKET"]);
  await on("flush", AT + 2 * SECOND, [], ["EVENTS_BUCKET"]);
  assert.deepEqual([await countOf("outbox"), await countOf("deliveries"), await on("next")], [0, 0, null]);
  assert.deepEqual(await idsGot("on", 1), ["on-0"]);
  assert.deepEqual((await told()).got.filter(({ messageId }) => /^(none|off)-/.test(messageId)), []);
  assert.deepEqual(receiver.received, []);
});

test("an event that no queue takes becomes a dead letter, and the others go", async () => {
  const large = event(0, { messageId: "large-0", properties: { text: "x".repeat(130_000) } });
  await on("put", [event(1, { messageId: "large-1" }), large, event(2, { messageId: "large-2" })], AT, [], ["EVENTS_BUCKET"]);
  await on("flush", AT + SECOND, [], ["EVENTS_BUCKET"]);
  assert.deepEqual(await idsGot("large", 2), ["large-1", "large-2"]);
  const { letters, counts } = await on("dead");
  assert.deepEqual(letters.map(({ sink, error, body }: any) => [sink, error, JSON.parse(body).messageId]), [["queue", "larger than a message of a queue can be", "large-0"]]);
  assert.deepEqual(counts, [{ sink: "queue", letters: 1, oldest: AT }]);
  await on("flush", AT + 30 * DAY, [], ["EVENTS_BUCKET"]);
  assert.equal(await countOf("dead"), 1);
  await on("flush", AT + 30 * DAY + SECOND, [], ["EVENTS_BUCKET"]);
  assert.equal(await countOf("dead"), 0, "for thirty days it could be sent again");
  const lost = worker.logs.map((line) => JSON.parse(line)).filter(({ event }) => event === "dead_letters_lost");
  assert.deepEqual(lost.map(({ letters }) => letters), [1]);
});

test("what a stream does not take for three days is dead letters, which are sent again to it alone", async () => {
  await fault({ r2: "reject" });
  await on("put", named("late", 4), AT);
  let now = AT + 300 * SECOND;
  for (let tries = 0; tries < 12; tries += 1) {
    await on("flush", now);
    now += 3600 * SECOND;
  }
  assert.equal(await countOf("dead"), 0, "half a day is no reason");
  await on("put", [event(4, { messageId: "late-4" })], AT + 3 * DAY);
  await on("flush", AT + 3 * DAY + 400 * SECOND);
  assert.deepEqual((await on("dead")).counts, [{ sink: "r2", letters: 4, oldest: AT }]);
  assert.equal((await on<any[]>("waiting")).find(({ name }) => name === "r2").waiting, 1, "what is younger is tried on");
  await fault({});
  now = AT + 4 * DAY;
  assert.deepEqual(await on("resend", { sink: "queue" }, now), { resent: 0, left: 4 });
  const [{ seq }] = (await on("dead", 0, 1)).letters;
  assert.deepEqual(await on("resend", { seqs: [seq] }, now), { resent: 1, left: 3 });
  assert.deepEqual(await on("resend", {}, now), { resent: 3, left: 0 });
  await on("put", [event(5, { messageId: "late-5" })], now);
  await on("flush", now + SECOND);
  await on("flush", now + 300 * SECOND);
  const all = [0, 1, 2, 3, 4, 5].map((n) => `late-${n}`);
  const written = await objectsWith("late");
  assert.deepEqual(ids(written.flatMap(([, text]) => lines(text))), all);
  assert.deepEqual(written.map(([name]) => /date=([\d-]+)/.exec(name)![1]).sort(), ["2026-11-23", "2026-11-26", "2026-11-27"], "each in its own day");
  assert.deepEqual(await idsGot("late", 6), all, "the queue, which had them, has them once");
});

test("a signature is the one that Standard Webhooks gives as its example", async () => {
  const asked = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}'];
  const reply = await worker.fetch("/", { method: "POST", headers: { "x-sign": "1" }, body: JSON.stringify(asked) });
  assert.equal(reply.text, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
});

test("a webhook is told of the events that it wants and may have, signed by its secret, and while that is changed by both", async () => {
  const ordered = event(1, { event: "Order Completed" });
  const denied = event(2, { event: "Order Completed", consent: [] });
  const webhooks = [hook({ events: ["Order Completed"] }), hook({ name: "crm-2", url: `${receiver.url}/other`, events: ["page"], purpose: "marketing" })];
  await on("put", [event(0), ordered, denied, event(3, { type: "page", consent: ["marketing"] }), event(4, { type: "page" })], AT, webhooks, ["EVENTS", "EVENTS_BUCKET"]);
  assert.equal(await on("next"), AT, "webhooks do not wait");
  assert.equal(await on("flush", AT, webhooks, ["EVENTS", "EVENTS_BUCKET"]), null);
  assert.deepEqual(receiver.received.map(({ url }) => url).sort(), ["/hook", "/other"]);
  const [told, other] = ["/hook", "/other"].map((url) => message(receiver.received.find((received) => received.url === url)!));
  assert.deepEqual(JSON.parse(told!.body), { type: "event", timestamp: new Date(AT + 1).toISOString(), data: JSON.parse(ordered) });
  assert.deepEqual(told!.signatures, [expected(SECRET, told!)]);
  assert.deepEqual(other!.signatures, [expected(SECRET, other!), expected(OLD_SECRET, other!)]);
  assert.match(told!.id, /^msg_[0-9a-f]{32}$/);
  assert.ok(Math.abs(Date.now() / 1000 - Number(told!.time)) < 60);
  assert.equal(receiver.received[0]!.headers["content-type"], "application/json");
});

test("a message that its receiver refuses holds up no other; it is tried ten times under one id, and can be sent again", async () => {
  const refused = (body: Buffer) => body.includes('"m-1"');
  const seen: Received[] = [];
  receiver.routes["/hook"] = async (request, response) => {
    const body = await wholeBody(request);
    seen.push({ method: "POST", url: "/hook", headers: request.headers as Record<string, string>, body });
    response.writeHead(refused(body) && !isMended ? 500 : 204).end();
  };
  let isMended = false;
  const off = ["EVENTS", "EVENTS_BUCKET"];
  await on("put", [event(0), event(1), event(2)], AT, [hook()], off);
  let due: number | null = AT;
  for (let tries = 0; due !== null && tries < 20; tries += 1) {
    due = await on<number | null>("flush", due, [hook()], off);
  }
  assert.equal(due, null);
  const tries = seen.filter(({ body }) => refused(body));
  assert.deepEqual([seen.length, tries.length, new Set(tries.map(({ headers }) => headers["webhook-id"])).size], [12, 10, 1]);
  const { letters } = await on("dead");
  assert.deepEqual(letters.map(({ sink, tries, error }: any) => [sink, tries, error]), [["webhook:crm", 10, "the receiver answered 500"]]);
  isMended = true;
  assert.deepEqual(await on("resend", { sink: "webhook:crm" }, AT + 9 * DAY), { resent: 1, left: 0 });
  assert.equal(await on("flush", AT + 9 * DAY, [hook()], off), null);
  assert.equal(seen.at(-1)!.headers["webhook-id"], tries[0]!.headers["webhook-id"]);
  assert.equal(await countOf("deliveries"), 0);
});

test("a receiver that is down is left alone; one that wants no more of a message has it no more", async () => {
  receiver.routes["/hook"] = (_, response) => void response.writeHead(503, { "retry-after": "1800" }).end();
  const off = ["EVENTS", "EVENTS_BUCKET"];
  await on("put", named("down", 40), AT, [hook()], off);
  const due = await on<number>("flush", AT, [hook()], off);
  assert.equal(receiver.received.length, 4, "of forty messages four say that it is down");
  assert.ok(due > AT);
  const [{ pause }] = await on("rows", "SELECT min(due) AS pause FROM deliveries WHERE tries > 0");
  assert.ok(pause >= AT + 1800 * SECOND, "as long as it asks for");
  await on("flush", due, [hook()], off);
  assert.equal(receiver.received.length, 5, "one asks whether it is there again");
  receiver.routes["/hook"] = "ok";
  for (let now = due, next: number | null = due; next !== null; now = next ?? now) {
    next = await on<number | null>("flush", next, [hook()], off);
  }
  assert.equal(new Set(receiver.received.map((received) => message(received).id)).size, 40);
  assert.equal(receiver.received.length, 45);
  receiver.routes["/hook"] = (_, response) => void response.writeHead(410).end();
  await on("put", [event(1)], AT, [hook()], off);
  assert.equal(await on("flush", AT, [hook()], off), null);
  assert.equal(await countOf("dead"), 1);
});

test("a message goes to its address alone, and only signed", async () => {
  receiver.routes["/hook"] = (_, response) => void response.writeHead(307, { location: `${receiver.url}/other` }).end();
  const off = ["EVENTS", "EVENTS_BUCKET"];
  const webhooks = [hook(), hook({ name: "plain", url: "http://crm.example/hook" }), hook({ name: "wrong", url: `${receiver.url}/other` })];
  await on("put", [event(0)], AT, webhooks, off);
  await on("flush", AT, webhooks, off);
  assert.deepEqual(receiver.received.map(({ url }) => url), ["/hook"]);
  const errors = Object.fromEntries((await on<any[]>("waiting")).map(({ name, error, waiting }) => [name, [error, waiting]]));
  assert.deepEqual(errors, {
    "webhook:crm": ["the receiver answered 307", 1],
    "webhook:plain": ["the address is not https", 1],
    "webhook:wrong": ["the secret is no base64", 1],
  });
});

test("a webhook is told who enters and leaves an audience, by what they did and by time alone", async () => {
  const off = ["EVENTS", "EVENTS_BUCKET"];
  const webhooks = [hook({ events: [], audiences: ["vip"], purpose: "personalization" })];
  const who = { site: "shop", key: "u:1", userId: "1", consent: ["personalization"] };
  const anonymous = { site: "shop", key: "a:x", anonymousId: "x", consent: [] };
  await on("audiences", who, ["other", "vip"], AT, webhooks);
  await on("audiences", who, ["vip"], AT + 1, webhooks);
  await on("audiences", anonymous, ["vip"], AT + 1, webhooks);
  await on("flush", AT + 1, webhooks, off);
  const bodies = () => receiver.received.splice(0).map((received) => JSON.parse(message(received).body));
  assert.deepEqual(bodies(), [{ type: "audience.entered", timestamp: new Date(AT).toISOString(), data: { site: "shop", audience: "vip", userId: "1" } }]);
  assert.equal(await on("next"), AT + DAY, "once a day all profiles are looked at");
  assert.equal(await on("recheck", AT + DAY - 1, webhooks, []), AT + DAY);
  const profiles = [{ who: anonymous, audiences: ["vip"] }, { who, audiences: [] }];
  await on("recheck", AT + DAY, webhooks, profiles);
  await on("flush", AT + DAY, webhooks, off);
  assert.deepEqual(bodies(), [{ type: "audience.exited", timestamp: new Date(AT + DAY).toISOString(), data: { site: "shop", audience: "vip", userId: "1" } }]);
  assert.equal(await on("next"), AT + 2 * DAY);
  // Many profiles are looked at in parts, each once.
  const many = Array.from({ length: 600 }, (_, n) => ({ who: { ...who, key: `u:${String(n).padStart(4, "0")}`, userId: String(n) }, audiences: ["vip"] }));
  assert.equal(await on("recheck", AT + 2 * DAY, webhooks, many), AT + 2 * DAY);
  await on("recheck", AT + 2 * DAY, webhooks, many);
  await on("recheck", AT + 2 * DAY, webhooks, many);
  assert.equal((await on("rows", "SELECT due FROM watch"))[0].due, AT + 3 * DAY);
  assert.equal(await countOf("deliveries"), 600);
  // Where no webhook listens nothing is kept of it.
  await on("recheck", AT + 4 * DAY, [], many);
  assert.deepEqual([await countOf("members"), await countOf("watch")], [0, 0]);
});

test("alarms that overlap send nothing twice", async () => {
  receiver.routes["/hook"] = (_, response) => void setTimeout(() => response.writeHead(204).end(), 100);
  await on("put", named("twice", 30), AT, [hook()]);
  const next = await Promise.all([0, 1, 2].map(() => on("flush", AT + 300 * SECOND, [hook()])));
  assert.deepEqual(next, [null, null, null]);
  assert.equal(receiver.received.length, 30);
  assert.equal((await objectsWith("twice")).length, 1);
  // What is sent now comes last.
  await on("put", [event(30, { messageId: "last-0" })], AT + 301 * SECOND, [], ["EVENTS_BUCKET"]);
  await on("flush", AT + 302 * SECOND, [], ["EVENTS_BUCKET"]);
  await idsGot("last", 1);
  assert.deepEqual(await idsGot("twice", 30), ids(named("twice", 30).map((line) => JSON.parse(line))));
});

test("DuckDB reads the bucket's objects, with site and day as columns", async () => {
  await on("put", named("duck", 1200), AT);
  await on("put", [event(0, { messageId: "duck-1200", type: "page", properties: { order: { revenue: 12.5 } }, traits: { plan: "pro" } })], AT + DAY);
  await on("flush", AT + DAY + 300 * SECOND);
  const folder = await mkdtemp(join(tmpdir(), "idoine-bucket-"));
  try {
    for (const [name, text] of await objectsWith("duck")) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    const connection = await (await DuckDBInstance.create()).connect();
    const from = `read_ndjson('${folder}/events/**/*.ndjson', hive_partitioning = true, union_by_name = true)`;
    const rows = async (query: string) => (await connection.runAndReadAll(query)).getRowsJson();
    assert.deepEqual(await rows(`SELECT site, date::VARCHAR, type, count(*) FROM ${from} GROUP BY ALL ORDER BY ALL`), [
      ["shop", "2026-11-23", "track", "1200"],
      ["shop", "2026-11-24", "page", "1"],
    ]);
    assert.deepEqual(await rows(`SELECT count(DISTINCT "messageId"), sum(properties.n) FROM ${from} WHERE date = '2026-11-23'`), [["1200", String((1199 * 1200) / 2)]]);
    assert.deepEqual(await rows(`SELECT epoch_ms("timestamp")::VARCHAR, properties.name FROM ${from} WHERE "messageId" = 'duck-7'`), [["2026-11-23 12:00:00.007", "Schuh für „Käthe“"]]);
    connection.closeSync();
  } finally {
    await rm(folder, { recursive: true });
  }
});
