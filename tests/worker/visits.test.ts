// Who is counted as having seen what: the exposures of redirects, which leave no page that could count them; pages that are fetched
// before anyone sees them; bots.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { signedId, startOrigin, startWorker } from "./harness.ts";
import type { Init, Options, TestOrigin, TestWorker } from "./harness.ts";
import { PAGE } from "./site.ts";

const KEY = "a key of the tests";
const ID = "6f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2d4e";
const BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

const manifest = {
  site: { id: "shop", hosts: ["shop.example", "localhost"] },
  slots: { whole: { type: "page", pages: ["/", "/other"] }, title: { selector: "h1", pages: ["/", "/new", "/other"] } },
  experiences: [
    { id: "to-new", type: "personalization", audience: "source.campaign == 'new'", slots: { whole: { redirect: "/new" } } },
    { id: "once", type: "personalization", audience: "source.campaign == 'once'", cap: { day: 1 }, slots: { whole: { redirect: "/new" } } },
    { id: "split", type: "experiment", audience: "source.campaign == 'split'", slots: { whole: [{ baseline: true }, { redirect: "/a" }, { redirect: "/b" }] } },
    { id: "other", type: "personalization", audience: "source.campaign == 'other'", slots: { whole: { page: "/new" } } },
    { id: "edited", type: "personalization", slots: { title: { text: "Edited" } } },
  ],
};

/**
 * The queue is real, and the Worker's module is its consumer: what arrived is told to `x-got`. With `x-queue` the binding fails in a
 * way of its own, and `x-queue: held` keeps `send` from resolving until `x-release`.
 */
const QUEUE: Options = {
  bindings: { queueProducers: { EVENTS: "exposures" }, queueConsumers: { exposures: { maxBatchSize: 1, maxBatchTimeout: 0 } } },
  before: `
    const got = [], points = [];
    let released = false;
    const faults = {
      throw() { throw new Error("no queue"); },
      reject: async () => { throw new Error("the queue is full"); },
      async held(body) { while (!released) await scheduler.wait(5); got.push(body); },
    };`,
  around: `
    if (request.headers.has("x-got")) return Response.json({ got, points });
    if (request.headers.has("x-release")) { released = true; return new Response(); }
    const fault = request.headers.get("x-queue");
    const EVENTS = fault ? { send: faults[fault] } : env.EVENTS;
    return worker.fetch(request, { ...env, EVENTS, COUNTERS: { writeDataPoint: (point) => points.push(point) } }, ctx);`,
  handlers: "async queue(batch) { for (const message of batch.messages) { got.push(message.body); message.ack(); } },",
};

let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin({ "*": PAGE });
  worker = await startWorker({ origin: origin.url, manifest, vars: { IDOINE_KEY: KEY }, ...QUEUE });
});
after(async () => {
  await worker.dispose();
  await origin.close();
});
beforeEach(() => void (origin.received.length = 0));

interface Got {
  got: Record<string, unknown>[];
  points: { indexes: string[]; blobs: string[]; doubles: number[] }[];
}

const told = async (from = worker): Promise<Got> => (await from.fetch("/", { headers: { "x-got": "1" } })).json();

/** Runs a request, and waits until so many exposures have arrived and its data point is there. */
async function counted<T>(run: () => Promise<T>, exposures: number, from = worker): Promise<{ reply: T } & Got> {
  const start = await told(from);
  const reply = await run();
  for (let tries = 0; tries < 500; tries += 1) {
    const now = await told(from);
    const got = now.got.slice(start.got.length);
    const points = now.points.slice(start.points.length);
    if (got.length >= exposures && points.length > 0) {
      return { reply, got, points };
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail("what was expected did not arrive");
}

const HTML = { accept: "text/html", "sec-fetch-dest": "document" };
const go = (campaign: string, init: Init = {}, path = "/") => worker.fetch(`${path}?utm_campaign=${campaign}`, { ...init, headers: { ...HTML, ...(init.headers as object) } });
const agreed = (...purposes: string[]) => `idoine_consent=${["v1", ...purposes].join(".")}; idoine_id=${signedId(ID, KEY)}`;

test("the exposure of a redirect is in the queue: what was decided, once, and the id only where the visitor agreed to analytics", async () => {
  const seen = new Set<unknown>();
  for (const [cookie, id] of [
    [undefined, undefined],
    [agreed("personalization"), undefined],
    [agreed("marketing", "personalization"), undefined],
    [agreed("analytics"), ID],
    [agreed("personalization", "analytics"), ID],
    // An id that is not ours is nobody's.
    [`idoine_consent=v1.analytics; idoine_id=${ID}.forged`, undefined],
  ] as const) {
    const earliest = Date.now();
    const { reply, got, points } = await counted(() => go("new", cookie === undefined ? {} : { headers: { cookie } }), 1);
    assert.equal(reply.status, 302);
    assert.equal(got.length, 1);
    const { messageId, time, version, ...rest } = got[0]!;
    assert.deepEqual(rest, { type: "exposure", site: "shop", slot: "whole", experience: "to-new", variant: 1, source: "personalization", reason: "match", ...(id && { anonymousId: id }) });
    assert.match(String(messageId), /^[0-9a-f-]{36}$/);
    seen.add(messageId);
    assert.ok(Number(time) >= earliest - 1 && Number(time) <= Date.now(), String(time));
    assert.equal(version, (await worker.fetch("/_idoine/context")).json().version);
    assert.deepEqual([points[0]!.blobs[1], points[0]!.doubles[3], points[0]!.doubles[4]], ["redirected", 1, 0]);
  }
  assert.equal(seen.size, 6);
  assert.deepEqual(origin.received, []);
});

test("the variants of an experiment that lead away are counted, each as itself", async () => {
  const variants = new Set<string>();
  for (let at = 0; at < 60 && variants.size < 3; at += 1) {
    const id = `6f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2${(0x100 + at).toString(16)}`;
    const cookie = `idoine_consent=v1.personalization; idoine_id=${signedId(id, KEY)}`;
    const before = (await told()).got.length;
    const { reply, got } = await counted(() => go("split", { headers: { cookie } }), 0);
    if (reply.status === 200) {
      // The baseline is a page, in which it is seen.
      assert.deepEqual(got, []);
      variants.add("0");
      continue;
    }
    await until(async () => (await told()).got.length > before, "the exposure arrives");
    const { experience, variant, source } = (await told()).got.at(-1)!;
    assert.deepEqual([experience, source], ["split", "experiment"]);
    assert.equal(reply.header("location"), `https://shop.example/${variant === 1 ? "a" : "b"}?utm_campaign=split`);
    variants.add(String(variant));
  }
  assert.deepEqual([...variants].sort(), ["0", "1", "2"]);
});

test("who is not led away has been exposed to nothing here", async () => {
  for (const run of [
    () => go("none"),
    () => go("other"),
    () => worker.fetch("/new?utm_campaign=new", { headers: HTML }),
    () => worker.fetch("/?utm_campaign=new", { headers: { accept: "application/json", "sec-fetch-dest": "empty" } }),
  ]) {
    const { reply, got } = await counted(run, 0);
    assert.equal(reply.status, 200);
    assert.deepEqual(got, []);
  }
});

test("a page fetched ahead of its visitor is personalised and led on, and not counted as seen", async () => {
  for (const headers of [{ "sec-purpose": "prefetch" }, { "sec-purpose": "prefetch;prerender" }, { "sec-purpose": "prefetch;anonymous-client-ip" }, { purpose: "prefetch" }, { "x-moz": "prefetch" }, { "sec-purpose": "Prefetch" }] as Record<string, string>[]) {
    const redirect = await counted(() => go("new", { headers }), 0);
    assert.equal(redirect.reply.status, 302);
    assert.deepEqual(redirect.got, []);
    assert.deepEqual([redirect.points[0]!.blobs[1], redirect.points[0]!.blobs[5], redirect.points[0]!.doubles[3]], ["redirected", "prefetch", 0]);
    const page = await counted(() => go("none", { headers }), 0);
    assert.match(page.reply.text, /<h1>Edited<\/h1>/);
    assert.equal(page.points[0]!.blobs[5], "prefetch");
  }
  // What is for another purpose is a visit.
  const { points } = await counted(() => go("none", { headers: { purpose: "navigation" } }), 0);
  assert.equal(points[0]!.blobs[5], "visitor");
});

test("what is asked for as a picture, a style or a frame's data is no visit of a page", async () => {
  for (const destination of ["image", "style", "script", "font", "object", "embed"]) {
    const start = (await told()).points.length;
    const reply = await worker.fetch("/?utm_campaign=new", { headers: { "sec-fetch-dest": destination } });
    assert.equal(reply.text, PAGE, destination);
    // A page's data point, asked for behind it, is the next one.
    const { points } = await counted(() => go("none"), 0);
    assert.deepEqual([(await told()).points.length - start, points[0]!.blobs[0]], [1, "page"], destination);
  }
});

test("a bot gets what a visitor without cookies gets, and is marked wherever it is counted", async () => {
  const cookie = agreed("personalization", "analytics");
  for (const path of ["/", "/new"]) {
    const plain = await worker.fetch(path, { headers: HTML });
    const { reply, points } = await counted(() => worker.fetch(path, { headers: { ...HTML, "user-agent": BOT } }), 0);
    assert.equal(reply.text, plain.text, path);
    const others = ([name]: [string, string]) => !["server-timing", "date"].includes(name);
    assert.deepEqual(reply.headerList.filter(others), plain.headerList.filter(others));
    assert.equal(points.at(-1)!.blobs[5], "bot");
  }
  const { reply, got, points } = await counted(() => go("new", { headers: { "user-agent": BOT, cookie } }), 1);
  assert.equal(reply.status, 302);
  assert.deepEqual([got[0]!["bot"], points[0]!.blobs[5]], [true, "bot"]);
  // Where no experience concerns the page it is told too, and the network may know more than the user agent says.
  assert.equal((await counted(() => worker.fetch("/nowhere", { headers: { "user-agent": BOT } }), 0)).points[0]!.blobs[5], "bot");
  assert.equal((await counted(() => worker.fetch("/nowhere"), 0)).points[0]!.blobs[5], "visitor");
  assert.equal((await counted(() => worker.fetch("/nowhere", { cf: { botManagement: { verifiedBot: true } } }), 0)).points[0]!.blobs[5], "bot");
  // Canonical addresses are the origin's.
  origin.routes["/new"] = '<head><link rel="canonical" href="https://shop.example/canonical"></head><h1>x</h1>';
  assert.match((await worker.fetch("/new", { headers: { "user-agent": BOT } })).text, /<link rel="canonical" href="https:\/\/shop\.example\/canonical">/);
  delete origin.routes["/new"];
});

test("previews hand nothing over and are marked", async () => {
  const preview = await startWorker({ origin: origin.url, manifest, preview: true, vars: { IDOINE_KEY: KEY }, ...QUEUE });
  try {
    const look = (query: string) => preview.fetch(`http://localhost:8787/${query}`, { headers: { ...HTML, cookie: agreed("analytics") } });
    const { reply, got, points } = await counted(() => look("?idoine.source.campaign=new"), 0, preview);
    assert.equal(reply.status, 302);
    assert.deepEqual(got, []);
    assert.deepEqual([points[0]!.blobs[5], points[0]!.doubles[3]], ["preview", 0]);
    // Nor is anything logged in its place.
    assert.ok(!preview.logs.some((line) => line.includes('"exposure')));
  } finally {
    await preview.dispose();
  }
});

test("a queue that fails costs the exposure, which is counted as lost, and not the redirect", async () => {
  for (const fault of ["throw", "reject"]) {
    const logged = worker.logs.length;
    const { reply, got, points } = await counted(() => go("new", { headers: { "x-queue": fault } }), 0);
    assert.equal(reply.status, 302);
    assert.equal(reply.header("location"), "https://shop.example/new?utm_campaign=new");
    assert.deepEqual(got, []);
    assert.deepEqual(points[0]!.doubles.slice(3, 5), [0, 1], fault);
    await until(() => worker.logs.slice(logged).some((line) => JSON.parse(line).event === "exposure_lost"), fault);
  }
});

test("a queue that is slow does not hold the visitor up, and the exposure arrives behind the redirect", async () => {
  const start = await told();
  // It never answers by itself: that there is an answer means that it was not waited for.
  const reply = await go("new", { headers: { "x-queue": "held" } });
  assert.equal(reply.status, 302);
  assert.equal((await told()).points.length, start.points.length, "what is still on its way is not counted yet");
  await worker.fetch("/", { headers: { "x-release": "1" } });
  await until(async () => (await told()).points.length > start.points.length, "the data point follows");
  const { got, points } = await told();
  assert.equal(got.length, start.got.length + 1);
  assert.deepEqual(points.at(-1)!.doubles.slice(3, 5), [1, 0]);
});

test("with profiles the exposure is an event like any other: kept by a shard, and in the sinks from there", async () => {
  const { around, before, ...rest } = QUEUE;
  const shards = await startWorker({
    origin: origin.url,
    manifest,
    vars: { IDOINE_KEY: KEY },
    profiles: true,
    ...rest,
    before: `${before}
      let heldBack = true;
      // The real shards, with a fault before them.
      const failing = ({ PROFILES }, fault) => ({
        idFromName(name) { if (fault === "throw") throw new Error("no shards"); return PROFILES.idFromName(name); },
        get: (id) => ({ async accept(...given) {
          if (fault === "reject") throw new Error("a shard fails");
          while (fault === "held" && heldBack) await scheduler.wait(5);
          return PROFILES.get(id).accept(...given);
        } }),
      });`,
    around: `
      if (request.headers.has("x-free")) { heldBack = false; return new Response(); }
      const wrong = request.headers.get("x-shards");
      if (wrong !== null) env = { ...env, PROFILES: failing(env, wrong) };
      ${around}`,
  });
  const visit = (headers: Record<string, string>) => shards.fetch("/?utm_campaign=new", { headers: { ...HTML, ...headers } });
  try {
    for (const [cookie, id, consent] of [
      [undefined, undefined, []],
      [agreed("personalization"), undefined, ["personalization"]],
      [agreed("analytics"), ID, ["analytics"]],
      [agreed("personalization", "analytics"), ID, ["personalization", "analytics"]],
    ] as const) {
      const { reply, got, points } = await counted(() => visit(cookie === undefined ? {} : { cookie }), 1, shards);
      assert.equal(reply.status, 302);
      assert.equal(got.length, 1, "once, also where the profile has it too");
      const { messageId, timestamp, receivedAt, properties, ...rest } = got[0] as Record<string, any>;
      assert.deepEqual(rest, { type: "exposure", site: "shop", source: "edge", trusted: true, consent, ...(id && { anonymousId: id }) });
      const { version, ...decision } = properties;
      assert.deepEqual(decision, { slot: "whole", experience: "to-new", variant: 1, source: "personalization", reason: "match" });
      assert.match(`${messageId} ${version}`, /^[0-9a-f-]{36} [0-9a-f]{16}$/);
      assert.ok(receivedAt >= timestamp - 1);
      assert.deepEqual([points[0]!.blobs[1], points[0]!.doubles[3], points[0]!.doubles[4]], ["redirected", 1, 0]);
    }
    // The day that a cap counts is the visitor's.
    const cf = { timezone: "Pacific/Kiritimati" };
    const once = (cookie: string) => shards.fetch("/?utm_campaign=once", { headers: { ...HTML, cookie }, cf });
    const cookie = agreed("personalization", "analytics");
    const { reply: first, got } = await counted(() => once(cookie), 1, shards);
    assert.equal((got[0]!["context"] as { timezone: string }).timezone, cf.timezone);
    const [projection] = first.cookies.map((line) => line.split(";", 1)[0]!);
    assert.match(projection ?? "", /^idoine_p=/, "the browser is told with the redirect itself");
    assert.deepEqual([first.status, (await once(`${cookie}; ${projection}`)).status], [302, 200], "the cap knows it in the next page");
    assert.equal((await once(cookie)).status, 302);
    await until(async () => (await told(shards)).got.length > 0, "that one's exposure");
    for (const fault of ["throw", "reject"]) {
      const logged = shards.logs.length;
      const { reply, got, points } = await counted(() => visit({ "x-shards": fault }), 0, shards);
      assert.deepEqual([reply.status, reply.header("location"), got], [302, "https://shop.example/new?utm_campaign=new", []]);
      assert.deepEqual(points[0]!.doubles.slice(3, 5), [0, 1], fault);
      await until(() => shards.logs.slice(logged).some((line) => JSON.parse(line).event === "exposure_lost"), fault);
    }
    const start = await told(shards);
    assert.equal((await visit({ "x-shards": "held" })).status, 302);
    assert.equal((await told(shards)).points.length, start.points.length, "what is still on its way is not counted yet");
    await shards.fetch("/", { headers: { "x-free": "1" } });
    await until(async () => (await told(shards)).got.length > start.got.length, "it arrives behind the redirect");
    await until(async () => (await told(shards)).points.length > start.points.length, "the data point follows");
    assert.deepEqual((await told(shards)).points.at(-1)!.doubles.slice(3, 5), [1, 0]);
  } finally {
    await shards.dispose();
  }
});

test("without a queue the exposure is a line of the log, without the id", async () => {
  const { bindings: _, handlers: __, ...rest } = QUEUE;
  const logging = await startWorker({ origin: origin.url, manifest, vars: { IDOINE_KEY: KEY }, ...rest });
  try {
    const reply = await logging.fetch("/?utm_campaign=new", { headers: { ...HTML, cookie: agreed("personalization", "analytics"), "user-agent": BOT } });
    assert.equal(reply.status, 302);
    const find = () => logging.logs.map((line) => JSON.parse(line)).find(({ event }) => event === "exposure");
    await until(() => find() !== undefined, "it is logged");
    const { level, message, version, time, messageId, ...fields } = find();
    assert.equal(level, "info");
    assert.deepEqual(fields, { event: "exposure", type: "exposure", site: "shop", slot: "whole", experience: "to-new", variant: 1, source: "personalization", reason: "match", bot: true });
    assert.ok(message && version && time && messageId);
    assert.ok(!logging.logs.join().includes(ID));
  } finally {
    await logging.dispose();
  }
});

async function until(check: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await check()) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(what);
}
