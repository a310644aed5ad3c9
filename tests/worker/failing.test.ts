// Failing well, item by item: whatever is down, slow, damaged or replaced, the visitor gets what the origin would have given, and what
// was lost is counted. The faults are bindings of this file's own around the real ones; traps are Wasm modules made here.
//
// KV down, KV slow: also program.test.ts. A program that is damaged: also there. Traps: also failopen.test.ts.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { compile, startOrigin, startWorker, versionOf, wholeBody } from "./harness.ts";
import type { Init, Options, TestOrigin, TestWorker } from "./harness.ts";
import { PAGE, site } from "./site.ts";
import { TRAP_MODULE } from "./wasm.ts";

const saying = (text: string) => site({ experiences: [{ id: "all", type: "personalization", slots: { title: { text } } }] });

/**
 * `x-kv` sets what the store does from then on: "down", "hang" or "". `x-trap` makes the decision trap. `x-fault` breaks something around
 * one request. `x-points` tells the data points so far.
 */
const FAULTS: Options = {
  modules: { "trap.wasm": TRAP_MODULE },
  before: `
    import trapModule from "./trap.wasm";
    const trap = new WebAssembly.Instance(trapModule).exports.trap;
    const clock = Date.now;
    let armed = false;
    Date.now = () => {
      if (armed) { armed = false; trap(); }
      return clock();
    };
    let kv = "";
    const points = [];
    const broke = () => { throw new Error("broken on purpose"); };
    /** A request that throws when it is asked for something for the first time. */
    const brokenOnce = (request, name) => new Proxy(request, {
      get(target, key) {
        if (key === name) {
          name = "";
          broke();
        }
        const value = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });`,
  around: `
    if (request.headers.has("x-points")) return Response.json(points);
    if (request.headers.has("x-kv")) {
      kv = request.headers.get("x-kv");
      return new Response();
    }
    armed = request.headers.has("x-trap");
    const fault = request.headers.get("x-fault") ?? "";
    const store = env.PROGRAMS;
    const PROGRAMS = {
      async get(key, options) {
        if (kv === "down") throw new Error("the store is down");
        if (kv === "hang") return new Promise(() => {});
        return store.get(key, options);
      },
    };
    const inner = { ...env, PROGRAMS, COUNTERS: { writeDataPoint: (point) => points.push(point) } };
    if (fault === "counters") Object.defineProperty(inner, "COUNTERS", { get: broke });
    if (fault === "store") Object.defineProperty(inner, "PROGRAMS", { get: broke });
    if (fault === "queue") Object.defineProperty(inner, "EVENTS", { get: broke });
    if (fault === "key") Object.defineProperty(inner, "IDOINE_KEY", { get: broke });
    let outer = ctx;
    if (fault === "waitUntil") outer = { waitUntil: broke, passThroughOnException: () => ctx.passThroughOnException() };
    if (fault === "headers" || fault === "method") request = brokenOnce(request, fault);
    return worker.fetch(request, inner, outer).catch(() => new Response("the Worker threw", { status: 599 }));`,
};

let origin: TestOrigin;
before(async () => {
  origin = await startOrigin({ "/": PAGE });
});
after(() => origin.close());
beforeEach(() => {
  origin.routes["/"] = PAGE;
  origin.received.length = 0;
});

async function using<T>(options: Options, run: (worker: TestWorker) => Promise<T>): Promise<T> {
  const worker = await startWorker({ origin: origin.url, manifest: saying("one"), ...FAULTS, ...options });
  try {
    return await run(worker);
  } finally {
    await worker.dispose();
  }
}

async function until(check: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await check()) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(what);
}

const heading = ({ text }: { text: string }) => /<h1>(.*?)<\/h1>/.exec(text)?.[1];
const setKv = (worker: TestWorker, kv: string) => worker.fetch("/", { headers: { "x-kv": kv } });
const points = async (worker: TestWorker) => (await worker.fetch("/", { headers: { "x-points": "1" } })).json<{ blobs: string[]; doubles: number[] }[]>();

/** Fails unless a page is counted like this; the number is that of `double<at>`, where one is meant. */
const assertCounted = (worker: TestWorker, what: string, reason: string, at = 1, number = 1) =>
  until(async () => (await points(worker)).some(({ blobs, doubles }) => blobs[1] === what && blobs[2] === reason && doubles[at - 1] === number), `counted: ${what} ${reason}`);
const RETRIES = 6;
const BROKEN_OFF = 3;

test("KV down from the start: the origin's page, counted, and personalised when it is back", () =>
  using({}, async (worker) => {
    await setKv(worker, "down");
    for (let times = 0; times < 3; times += 1) assert.equal((await worker.fetch("/")).text, PAGE);
    await assertCounted(worker, "failed", "no_program");
    await setKv(worker, "");
    await until(async () => heading(await worker.fetch("/")) === "one", "personalised again");
  }));

test("KV down, or hanging, later: decided with the last program, and nobody waits", () =>
  using({}, async (worker) => {
    assert.equal(heading(await worker.fetch("/")), "one");
    for (const kind of ["down", "hang"]) {
      await setKv(worker, kind);
      // Each page looks at the store, as the tests have it; one that waited for it would never come.
      for (let times = 0; times < 10; times += 1) assert.equal(heading(await worker.fetch("/")), "one", kind);
    }
    assert.ok((await points(worker)).every(({ blobs }) => blobs[1] === "edited"));
  }));

test("a damaged program: the last one stays, and health says which", () =>
  using({}, async (worker) => {
    assert.equal(heading(await worker.fetch("/")), "one");
    const { version } = (await worker.fetch("/_idoine/health")).json();
    await worker.kv.put("program:00000000000000aa", new Uint8Array([1, 2, 3]).buffer);
    await worker.kv.put("site:shop", "00000000000000aa");
    await until(async () => (await worker.fetch("/"), worker.logs.some((line) => line.includes('"event":"program_trouble"'))), "it is seen");
    assert.equal(heading(await worker.fetch("/")), "one");
    assert.equal((await worker.fetch("/_idoine/health")).json().version, version);
  }));

test("the origin down: safe methods are asked once more, others never", () =>
  using({}, async (worker) => {
    for (const path of ["/", "/nowhere"]) {
      let fail = 1;
      origin.routes[path] = (request, response) => (fail-- > 0 ? void request.socket.destroy() : void response.writeHead(200, { "content-type": "text/html" }).end(PAGE));
      for (const [method, again] of [["GET", true], ["HEAD", true], ["POST", false], ["PUT", false], ["DELETE", false], ["PATCH", false], ["OPTIONS", false]] as const) {
        fail = 1;
        origin.received.length = 0;
        const reply = await worker.fetch(path, { method, ...(["POST", "PUT", "PATCH"].includes(method) && { body: "a=b" }) });
        assert.equal(reply.status, again ? 200 : 502, `${method} ${path}`);
        assert.equal(origin.received.length, again ? 2 : 1, `${method} ${path}`);
        if (method === "GET") assert.equal(heading(reply), path === "/" ? "one" : "Welcome");
      }
      // Once, not until it works.
      fail = 2;
      origin.received.length = 0;
      assert.equal((await worker.fetch(path)).status, 502);
      assert.equal(origin.received.length, 2);
      delete origin.routes[path];
    }
    await assertCounted(worker, "edited", "", RETRIES);
    await assertCounted(worker, "failed", "origin_unreachable", RETRIES);
  }));

test("an error of the origin is its answer, and is not asked for again", () =>
  using({}, async (worker) => {
    for (const status of [404, 429, 500, 503]) {
      origin.routes["/"] = (request, response) => void response.writeHead(status, { "content-type": "text/plain", "retry-after": "7" }).end("sorry");
      origin.received.length = 0;
      const reply = await worker.fetch("/");
      assert.deepEqual([reply.status, reply.text, reply.header("retry-after"), origin.received.length], [status, "sorry", "7", 1]);
    }
  }));

test("the origin slow: waited for as long as it takes, beside others that are not", () =>
  using({}, async (worker) => {
    let finish = () => {};
    origin.routes["/slow"] = (request, response) => void (finish = () => response.writeHead(200, { "content-type": "text/html" }).end("<head></head><h1>Slow</h1>"));
    origin.routes["/"] = PAGE;
    let over = false;
    const slow = worker.fetch("/slow").finally(() => (over = true));
    await until(() => origin.received.some(({ url }) => url === "/slow"), "it was asked");
    for (let times = 0; times < 20; times += 1) assert.equal(heading(await worker.fetch("/")), "one");
    assert.equal(over, false);
    assert.equal(origin.received.filter(({ url }) => url === "/slow").length, 1, "waiting is not asking again");
    finish();
    assert.equal(heading(await slow), "Slow");
  }));

test("the origin cut off half way: what came is there, edited, and the end is an error; it is counted", () =>
  using({}, async (worker) => {
    origin.routes["/"] = (request, response) => {
      response.writeHead(200, { "content-type": "text/html", "content-length": 10_000_000 });
      response.write(`<h1>Hello</h1>${"<p>filler</p>".repeat(10_000)}`, () => {});
      cut = () => response.destroy();
    };
    let cut = () => {};
    const message = await worker.open("/");
    let text = "";
    await assert.rejects(async () => {
      for await (const chunk of message) {
        text += chunk;
        if (text.includes("filler")) cut();
      }
    });
    assert.match(text, /^<h1>one<\/h1><p>filler/);
    assert.equal(origin.received.length, 1);
    await assertCounted(worker, "edited", "", BROKEN_OFF);
  }));

test("the origin cut off before a byte of the body: asked for once more", () =>
  using({}, async (worker) => {
    let fail = 1;
    origin.routes["/"] = (request, response) => {
      response.writeHead(200, { "content-type": "text/html", "content-length": PAGE.length });
      response.flushHeaders();
      fail-- > 0 ? setImmediate(() => response.destroy()) : response.end(PAGE);
    };
    const reply = await worker.fetch("/");
    assert.equal(reply.status, 200);
    assert.match(reply.text, /<p class="lead">Things<\/p>/);
    assert.equal(origin.received.length, 2);
  }));

test("a visitor who leaves half way harms nobody else", () =>
  using({}, async (worker) => {
    origin.routes["/"] = (request, response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.write(`<h1>Hello</h1>${"<p>filler</p>".repeat(1000)}`);
      const more = setInterval(() => response.write("<p>more</p>".repeat(1000)), 5);
      response.on("close", () => clearInterval(more));
    };
    const messages = await Promise.all(Array.from({ length: 10 }, () => worker.open("/")));
    for (const message of messages) message.destroy();
    origin.routes["/"] = PAGE;
    for (let times = 0; times < 10; times += 1) assert.equal(heading(await worker.fetch("/")), "one");
  }));

test("a trap with requests in flight beside it: all are answered, and it is counted", () =>
  using({}, async (worker) => {
    assert.equal(heading(await worker.fetch("/")), "one");
    for (let round = 0; round < 10; round += 1) {
      const replies = await Promise.all(Array.from({ length: 12 }, (_, at) => worker.fetch("/", at === 5 ? { headers: { "x-trap": "1" } } : {})));
      assert.equal(replies[5]!.text, PAGE);
      assert.ok(replies.every((reply) => reply.status === 200 && (reply.text === PAGE || heading(reply) === "one")));
    }
    await assertCounted(worker, "failed", "decision");
    await until(async () => (await points(worker)).reduce((sum, { doubles }) => sum + doubles[6]!, 0) === 10, "each replacement is counted once");
  }));

test("a manifest published while requests run: each page is of one version, whole", () =>
  using({}, async (worker) => {
    const programs = await Promise.all(["one", "two", "three", "four"].map(async (text) => ({ text, ...(await compile(saying(text))) })));
    const texts = new Map(programs.map(({ text, program }) => [versionOf(program), text]));
    for (const { program, version } of programs) await worker.kv.put(`program:${version}`, Uint8Array.from(program).buffer);
    let over = false;
    const seen = new Set<string>();
    const visitors = Array.from({ length: 8 }, async () => {
      while (!over) {
        const reply = await worker.fetch("/");
        assert.equal(reply.status, 200);
        assert.equal(heading(reply), texts.get(reply.state!.version), "the edits and the state are of the same version");
        seen.add(heading(reply)!);
      }
    });
    for (const { version, text } of [...programs, ...programs]) {
      await worker.kv.put("site:shop", version);
      await until(() => seen.has(text), text);
      seen.clear();
    }
    over = true;
    await Promise.all(visitors);
  }));

test("an isolate restarted: what is stored is there, and the next page is personalised", () =>
  using({}, async (worker) => {
    assert.equal(heading(await worker.fetch("/")), "one");
    await worker.publish(saying("two"));
    await worker.restart();
    assert.equal(heading(await worker.fetch("/")), "two");
    await worker.restart();
    const replies = await Promise.all(Array.from({ length: 10 }, () => worker.fetch("/")));
    assert.ok(replies.every((reply) => heading(reply) === "two"), "the first requests of an isolate wait for its program");
  }));

test("whatever around the Worker throws, the page goes out, the Worker never throws, and other methods pass through whole", () =>
  using({}, async (worker) => {
    assert.equal(heading(await worker.fetch("/")), "one");
    origin.routes["/form"] = async (request, response) => void response.end(`got ${await wholeBody(request)}`);
    for (const fault of ["counters", "store", "queue", "key", "waitUntil", "headers", "method"]) {
      const reply = await worker.fetch("/", { headers: { "x-fault": fault } });
      assert.equal(reply.status, 200, fault);
      assert.ok(reply.text === PAGE || heading(reply) === "one", fault);
      const form = await worker.fetch("/form", { method: "POST", body: "a=b", headers: { "x-fault": fault } });
      assert.deepEqual([form.status, form.text], [200, "got a=b"], fault);
      const api = await worker.fetch("/_idoine/context", { headers: { "x-fault": fault } });
      assert.ok([200, 503].includes(api.status), `${fault}: ${api.status}`);
      assert.equal(heading(await worker.fetch("/")), "one", fault);
    }
    await assertCounted(worker, "failed", "exception");
    assert.ok(worker.logs.some((line) => line.includes('"event":"request_failed"')));
  }));

test("after the first byte nothing of ours can fail: what is broken then breaks no page that is on its way", () =>
  using({}, async (worker) => {
    let finish = () => {};
    origin.routes["/"] = (request, response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.write(`<h1>Hello</h1>${"<p>filler</p>".repeat(1000)}`);
      finish = () => response.end('<p id="place">-</p>');
    };
    const message = await worker.open("/");
    origin.routes["/"] = PAGE;
    await setKv(worker, "down");
    for (const init of [{ headers: { "x-trap": "1" } }, { headers: { "x-fault": "waitUntil" } }, { headers: { "x-fault": "counters" } }, {}] as Init[]) await worker.fetch("/", init);
    finish();
    const text = String(await wholeBody(message));
    assert.match(text, /^<h1>one<\/h1>/);
    assert.match(text, /<p id="place">-<\/p><script type="application\/json" id="idoine-state">/);
  }));
