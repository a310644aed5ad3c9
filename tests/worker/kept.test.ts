// Acknowledged means kept. What `collect` said that it took is in the store and in every sink, once, though workerd is killed while many
// send; a shard that fails costs no page anything, and a sink that fails nothing but time.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { compile, startOrigin, startWorker } from "./harness.ts";
import type { Options, Received, TestOrigin, TestWorker } from "./harness.ts";
import { eventually, lines, objects } from "./shard.ts";
import { PAGE } from "./site.ts";

const SERVER_KEY = "a-key-of-a-server-in-tests";
const TOKEN = "a-token-of-the-tests-0123456789";
const PURPOSES = "analytics+personalization";

/** A shard whose faults a test turns on, with a queue that outlives workerd: what it is given it has when its server said so. */
const KEPT: Options = {
  before: `
    import { Profiles as Own } from "./index.js";
    let faults = {};
    const faulty = (env) => ({
      ...env,
      EVENTS: { async sendBatch(messages) {
        const { ok } = await fetch(env.QUEUE, { method: "POST", body: JSON.stringify(messages.map(({ body }) => body)) });
        if (!ok) throw new Error("the queue is full");
      } },
      EVENTS_BUCKET: { async put(...all) {
        if (faults.r2) throw new Error("the bucket is not there");
        return env.EVENTS_BUCKET.put(...all);
      } },
    });
    export class Kept extends Own {
      constructor(ctx, env) { super(ctx, faulty(env)); this.ctx = ctx; }
      async accept(site, number, ...rest) {
        if (faults.shard === number || faults.shard === "all") throw new Error("the shard is broken");
        return super.accept(site, number, ...rest);
      }
      rows(query) { return this.ctx.storage.sql.exec(query).toArray(); }
    }`,
  around: `
    if (request.headers.has("x-fault")) { faults = JSON.parse(request.headers.get("x-fault")); return new Response(); }
    if (request.headers.has("x-objects")) {
      const { objects } = await env.EVENTS_BUCKET.list({ limit: 1000 });
      return Response.json(await Promise.all(objects.map(async ({ key }) => [key, await (await env.EVENTS_BUCKET.get(key)).text()])));
    }
    const query = request.headers.get("x-rows");
    if (query !== null) {
      const shard = (number) => env.PROFILES.get(env.PROFILES.idFromName("shop/" + number));
      return Response.json((await Promise.all(JSON.parse(request.headers.get("x-shards")).map((number) => shard(number).rows(query)))).flat());
    }
    return worker.fetch(request, env, ctx);`,
  bindings: { durableObjects: { PROFILES: { className: "Kept", useSQLite: true } }, r2Buckets: ["EVENTS_BUCKET"] },
};

const manifestFor = (hook: string) => ({
  site: { id: "shop", hosts: ["shop.example"] },
  slots: { title: { selector: "h1", pages: ["/"] } },
  experiences: [
    { id: "known", type: "personalization", audience: "profile.count('Product Viewed') > 1", slots: { title: { text: "Welcome back" } } },
    { id: "all", type: "personalization", slots: { title: { text: "Welcome" } } },
  ],
  webhooks: { crm: { url: hook, events: ["Product Viewed"], purpose: "analytics" } },
});

interface Sinks {
  /** The queue's server and the webhook's receiver. */
  server: TestOrigin;
  /** Starts a Worker; each has what those before it left on disk. */
  start(): Promise<TestWorker>;
}

/** What a test needs beside a Worker: the queue and the receiver. All of it ends with the test. */
async function startSinks(t: TestContext): Promise<Sinks> {
  const server = await startOrigin({ "/queue": "taken", "/hook": "taken", "*": PAGE });
  const state = await mkdtemp(join(tmpdir(), "idoine-kept-"));
  const workers: TestWorker[] = [];
  t.after(async () => {
    await Promise.all([server.close(), ...workers.map((worker) => worker.dispose().catch(() => undefined))]);
    await rm(state, { recursive: true });
  });
  const { program } = await compile(manifestFor(`${server.url}/hook`));
  const vars = {
    QUEUE: `${server.url}/queue`,
    IDOINE_KEY: "a key of the tests",
    IDOINE_WRITE_KEYS: `server:erp:${SERVER_KEY}:${PURPOSES}`,
    IDOINE_WEBHOOK_SECRET: `whsec_${Buffer.from("a secret of the tests").toString("base64")}`,
    IDOINE_EVENTS_SECONDS: "1",
    IDOINE_TOKENS: `publish:tests:${TOKEN}`,
  };
  const start = async () => {
    workers.push(await startWorker({ ...KEPT, origin: server.url, program, vars, state }));
    return workers.at(-1)!;
  };
  return { server, start };
}

const viewed = (messageId: string, anonymousId: string) => ({ type: "track", event: "Product Viewed", messageId, anonymousId, timestamp: new Date().toISOString() });

interface Sent {
  status: number;
  results: { status: string }[];
}

async function collect(worker: TestWorker, events: object[]): Promise<Sent> {
  const reply = await worker.fetch("/_idoine/collect", { method: "POST", headers: { "x-write-key": SERVER_KEY, "content-type": "application/json" }, body: JSON.stringify({ events }) });
  return { status: reply.status, results: reply.json().results ?? [] };
}

/** The visitors of these tests, and the shards that they are in. */
const VISITORS = Array.from({ length: 20 }, (_, n) => `visitor-${n}`);
const SHARDS = new Set(VISITORS.map((id) => createHash("sha256").update(`a:${id}`).digest().readUInt32BE(0) % 64));

/** What a query says, of all those shards. */
const rows = async <T>(worker: TestWorker, query: string): Promise<T[]> => (await worker.fetch("/", { headers: { "x-rows": query, "x-shards": JSON.stringify([...SHARDS]) } })).json();
const fault = (worker: TestWorker, faults: object) => worker.fetch("/", { headers: { "x-fault": JSON.stringify(faults) } });

/** How often each thing is among `all`. */
function counts(all: string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const one of all) {
    found.set(one, (found.get(one) ?? 0) + 1);
  }
  return found;
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until nothing waits for a sink any more. */
async function drained(worker: TestWorker): Promise<void> {
  const left = await eventually(
    () => rows<{ n: number }>(worker, "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM deliveries) AS n"),
    (told) => told.every(({ n }) => n === 0),
    300,
    100,
  );
  assert.equal(left.reduce((sum, { n }) => sum + n, 0), 0, "events wait for a sink");
}

/** What is in the sinks and in the store: how often each event, by its `messageId`. */
async function found(worker: TestWorker, received: Received[]) {
  const queued = received.filter(({ url }) => url === "/queue").flatMap(({ body }) => JSON.parse(body.toString()));
  const hooked = new Map(received.filter(({ url }) => url === "/hook").map(({ headers, body }) => [headers["webhook-id"], JSON.parse(body.toString()).data]));
  const ids = (events: Iterable<{ messageId: string }>) => counts([...events].map(({ messageId }) => messageId));
  return {
    bucket: ids((await objects(worker)).flatMap(([, text]) => lines(text))),
    queue: ids(new Map(queued.map((event: { messageId: string }) => [event.messageId, event])).values()),
    webhook: ids(hooked.values()),
    store: counts((await rows<{ id: string }>(worker, "SELECT id FROM events")).map(({ id }) => id)),
  };
}

test("workerd is killed while many send: what was acknowledged is in the store and in every sink, once", { timeout: 120_000 }, async (t) => {
  const { server, start } = await startSinks(t);
  const acknowledged = new Set<string>();
  const sent = new Set<string>();
  const enough = 400;
  const kills = [80, 180, 280];
  let worker = await start();
  /** Sends batches until enough is acknowledged. Who is patient sends again what was not; who is not loses it, as pages do. */
  const client = async (name: number) => {
    for (let n = 0; acknowledged.size < enough; n += 1) {
      const ids = [0, 1, 2, 3].map((at) => `c${name}-${n}-${at}`);
      ids.forEach((id) => sent.add(id));
      const events = ids.map((id, at) => viewed(id, `visitor-${(name + at) % 9}`));
      for (let isDone = false; !isDone; ) {
        const told = await collect(worker, events).catch(() => undefined);
        told?.results.forEach(({ status }, at) => ["accepted", "duplicate"].includes(status) && acknowledged.add(ids[at]!));
        isDone = told?.status === 200 || name % 2 === 0;
        await wait(told === undefined ? 50 : 0);
      }
    }
  };
  const killer = async () => {
    for (const many of kills) {
      while (acknowledged.size < many) {
        await wait(3);
      }
      await worker.kill();
      await worker.dispose();
      worker = await start();
    }
  };
  await Promise.all([killer(), ...Array.from({ length: 8 }, (_, name) => client(name))]);
  await drained(worker);
  const places = await found(worker, server.received);
  assert.ok(acknowledged.size >= enough && sent.size > acknowledged.size, "some were lost on their way, as they were killed with workerd");
  for (const [place, all] of Object.entries(places)) {
    for (const id of acknowledged) {
      assert.equal(all.get(id), 1, `${id} is in the ${place}`);
    }
    for (const [id, times] of all) {
      assert.ok(sent.has(id) && times === 1, `${id} is in the ${place} ${times} times`);
    }
  }
});

test("a shard that fails: collect says so, the others take theirs, pages are decided without profile; sent again, all of it counts once", async (t) => {
  const { server, start } = await startSinks(t);
  const worker = await start();
  const events = Array.from({ length: 20 }, (_, n) => viewed(`m-${n}`, `visitor-${n}`));
  await fault(worker, { shard: "all" });
  const none = await collect(worker, events);
  assert.deepEqual([none.status, new Set(none.results.map(({ status }) => status))], [503, new Set(["failed"])]);
  const page = await worker.fetch("/", { headers: { cookie: "idoine_consent=v1.personalization+analytics" } });
  assert.deepEqual([page.status, /<h1[^>]*>(.*?)<\/h1>/.exec(page.text)?.[1]], [200, "Welcome"]);
  // One of 64 is broken: the one of the first event.
  await fault(worker, {});
  await collect(worker, [viewed("probe", "visitor-0")]);
  const [{ number }] = await rows<{ number: number }>(worker, "SELECT value AS number FROM meta WHERE name = 'number' AND EXISTS (SELECT 1 FROM events WHERE id = 'probe')") as [{ number: number }];
  await fault(worker, { shard: number });
  const some = await collect(worker, events);
  const failed = some.results.filter(({ status }) => status === "failed").length;
  assert.deepEqual([some.status, some.results[0]!.status], [503, "failed"]);
  assert.ok(failed < events.length && some.results.filter(({ status }) => status === "accepted").length === events.length - failed);
  await fault(worker, {});
  const again = await collect(worker, events);
  assert.equal(again.status, 200);
  assert.deepEqual(again.results.map(({ status }) => status), some.results.map(({ status }) => (status === "failed" ? "accepted" : "duplicate")));
  await drained(worker);
  const expected = new Map([...events.map(({ messageId }): [string, number] => [messageId, 1]), ["probe", 1]]);
  for (const [place, all] of Object.entries(await found(worker, server.received))) {
    assert.deepEqual(new Map([...all].sort()), new Map([...expected].sort()), place);
  }
});

test("sinks that fail cost collect nothing: events wait, and arrive once when the sinks are well again", async (t) => {
  const { server, start } = await startSinks(t);
  const worker = await start();
  const broken = (_: unknown, response: { writeHead(status: number): { end(): void } }) => response.writeHead(500).end();
  server.routes["/queue"] = broken as never;
  server.routes["/hook"] = broken as never;
  await fault(worker, { r2: true });
  // One of each: a webhook that refuses three of a shard's messages in a row is left alone for longer (sinks.test.ts).
  const events = VISITORS.map((id, n) => viewed(`m-${n}`, id));
  const { status, results } = await collect(worker, events);
  assert.deepEqual([status, new Set(results.map((result) => result.status))], [200, new Set(["accepted"])]);
  const failing = await eventually(() => rows<{ name: string; fails: number }>(worker, "SELECT name, fails FROM sinks WHERE fails > 0"), (told) => new Set(told.map(({ name }) => name)).size === 3);
  assert.deepEqual(new Set(failing.map(({ name }) => name)), new Set(["queue", "r2", "webhook:crm"]));
  assert.equal((await rows<{ n: number }>(worker, "SELECT count(*) AS n FROM outbox")).reduce((sum, { n }) => sum + n, 0), events.length, "nothing is lost");
  assert.deepEqual(await objects(worker), []);
  // Events that come meanwhile are taken as ever.
  assert.equal((await collect(worker, [viewed("m-more", "visitor-2")])).status, 200);
  server.received.length = 0;
  server.routes["/queue"] = server.routes["/hook"] = "taken";
  await fault(worker, {});
  await drained(worker);
  const expected = new Map([...events.map(({ messageId }): [string, number] => [messageId, 1]), ["m-more", 1]]);
  for (const [place, all] of Object.entries(await found(worker, server.received))) {
    assert.deepEqual(new Map([...all].sort()), new Map([...expected].sort()), place);
  }
  const told = worker.logs.map((line) => JSON.parse(line)).filter(({ event }) => event === "sink_failed");
  assert.deepEqual(new Set(told.map(({ sink }) => sink)), new Set(["queue", "r2", "webhook:crm"]));
});

test("dead letters of all shards are seen by the owner, who has them sent again", async (t) => {
  const { server, start } = await startSinks(t);
  const worker = await start();
  const owner = { authorization: `Bearer ${TOKEN}` };
  const at = "/_idoine/api/dead-letters";
  const letters = async (query = "") => (await worker.fetch(at + query, { headers: owner })).json();
  const resend = async (body: object) => (await worker.fetch(at, { method: "POST", headers: owner, body: JSON.stringify(body) })).json();
  server.routes["/hook"] = (_, response) => void response.writeHead(410).end();
  await collect(worker, Array.from({ length: 9 }, (_, n) => viewed(`m-${n}`, `visitor-${n}`)));
  const told = await eventually(letters, (told) => told.letters.length === 9);
  const of = (rows: { sink: string }[]): any => rows.find(({ sink }) => sink === "webhook:crm");
  assert.deepEqual(of(told.sinks), { sink: "webhook:crm", waiting: 0, failing: of(told.sinks).failing, error: "the receiver answered 410" });
  assert.deepEqual(told.counts, [{ sink: "webhook:crm", letters: 9, oldest: of(told.counts).oldest }]);
  assert.ok(of(told.counts).oldest <= told.letters[0].died && of(told.sinks).failing > 1);
  assert.deepEqual(told.letters.map(({ message }: any) => message.data.messageId).sort(), Array.from({ length: 9 }, (_, n) => `m-${n}`));
  // A page at a time, each letter once.
  const paged = [];
  for (let cursor = ""; ; ) {
    const page = await letters(`?limit=2${cursor}`);
    paged.push(...page.letters);
    if (page.cursor === null) break;
    cursor = `&cursor=${page.cursor}`;
  }
  assert.deepEqual(paged, told.letters);
  assert.deepEqual((await letters("?sink=r2")).letters, []);
  server.received.length = 0;
  server.routes["/hook"] = "taken";
  assert.deepEqual(await resend({ ids: [told.letters[3].id] }), { resent: 1, left: 8 });
  assert.deepEqual(await resend({ sink: "queue" }), { resent: 0, left: 8 });
  assert.deepEqual(await resend({ sink: "webhook:crm" }), { resent: 8, left: 0 });
  await drained(worker);
  assert.deepEqual([...(await found(worker, server.received)).webhook.values()], Array(9).fill(1));
  assert.deepEqual((await letters()).letters, []);
  const trail = (await worker.fetch("/_idoine/api/audit", { headers: owner })).json().entries;
  assert.equal(trail.filter(({ action }: { action: string }) => action === "resend").length, 3);
});
