// The site's program: loaded once, reloaded when it changes, and never given up for a worse one.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { compile, startOrigin, startWorker } from "./harness.ts";
import type { Options, TestOrigin, TestWorker } from "./harness.ts";
import { PAGE, site } from "./site.ts";

let origin: TestOrigin;

before(async () => {
  origin = await startOrigin({ "/": PAGE });
});
after(() => origin.close());

const saying = (text: string) => site({ experiences: [{ id: "all", type: "personalization", slots: { title: { text } } }] });

const heading = async (worker: TestWorker) => /<h1>(.*?)<\/h1>/.exec((await worker.fetch("/")).text)?.[1];

async function using<T>(options: Options, run: (worker: TestWorker) => Promise<T>): Promise<T> {
  const worker = await startWorker({ origin: origin.url, ...options });
  try {
    return await run(worker);
  } finally {
    await worker.dispose();
  }
}

const until = async (check: () => Promise<boolean> | boolean, what: string) => {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await check()) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(what);
};

/**
 * Faults of the store: `fault` is shared by the requests of the isolate and set by a request's `x-fault`. What the Worker
 * would do after a second of waiting it does when `x-patience` says "over", and not before, so that no test depends on
 * how fast it runs.
 */
const FAULTS = {
  before: `
    let fault = "";
    let patience = "";
    let reads = 0;
    const waits = [];
    const { setTimeout: later, clearTimeout: forget } = globalThis;
    const forgotten = new Set();
    globalThis.setTimeout = (run, delay, ...rest) => {
      if (delay < 500) return later(run, delay, ...rest);
      waits.push(delay);
      const look = () => {
        if (forgotten.has(id)) return;
        if (patience === "over") run(...rest);
        else later(look, 5);
      };
      const id = later(look, 5);
      return id;
    };
    globalThis.clearTimeout = (id) => { forgotten.add(id); forget(id); };`,
  around: `
    if (request.headers.has("x-fault")) {
      fault = request.headers.get("x-fault");
      patience = request.headers.get("x-patience") ?? patience;
      return Response.json({ reads, waits });
    }
    const store = env.PROGRAMS;
    const answer = async (key, options) => {
      if (fault === "reject") throw new Error("the store is down");
      if (fault === "never") return new Promise(() => {});
      while (fault === "held") await scheduler.wait(5);
      return fault === "odd" ? { not: "a text" } : store.get(key, options);
    };
    const PROGRAMS = {
      get(key, options) {
        reads += 1;
        if (fault === "throw") throw new Error("the store is broken");
        return answer(key, options);
      },
    };
    return worker.fetch(request, { ...env, PROGRAMS }, ctx);`,
};

/** Sets the fault; how often the store was asked so far, and for how long the Worker has set out to wait. */
const fault = async (worker: TestWorker, kind: string, patience?: "over") =>
  (await worker.fetch("/", { headers: { "x-fault": kind, ...(patience && { "x-patience": patience }) } })).json<{ reads: number; waits: number[] }>();

test("a new program is taken over, without a page waiting for it", () =>
  using({ manifest: saying("one") }, async (worker) => {
    assert.equal(await heading(worker), "one");
    await worker.publish(saying("two"));
    assert.equal(await heading(worker), "two");
    await worker.publish(saying("one"));
    assert.equal(await heading(worker), "one");
  }));

test("the store is looked at no more often than the variable says", () =>
  using({ manifest: saying("one"), vars: { IDOINE_RELOAD_SECONDS: "3600" }, ...FAULTS }, async (worker) => {
    for (let times = 0; times < 20; times += 1) {
      assert.equal(await heading(worker), "one");
    }
    assert.equal((await fault(worker, "")).reads, 2); // the pointer and the program
  }));

test("a program that is damaged, of another version, missing or not what its name says: the last good one stays", async () => {
  const { program: good } = await compile(saying("good"));
  const changed = (at: number, bytes: number[]) => Uint8Array.from(good, (byte, index) => (index >= at && index < at + bytes.length ? bytes[index - at]! : byte));
  const bad: [string, Uint8Array | undefined, RegExp][] = [
    ["damaged", changed(good.length - 9, [good[good.length - 9]! ^ 1]), /damaged/],
    ["cut off", good.subarray(0, good.length - 4), /damaged/],
    ["of another version", changed(4, [99, 0, 0, 0]), /of another version of Idoine; publish it again/],
    ["no program", Buffer.from("<html>not found</html>"), /not an Idoine program/],
    ["empty", new Uint8Array(0), /not an Idoine program/],
    ["random", Uint8Array.from({ length: 4096 }, (_, index) => (index * 7919) % 256), /not an Idoine program/],
    ["missing", undefined, /is not in the store/],
    ["under another name", good, /what is stored as program/],
  ];
  await using({ manifest: saying("last good") }, async (worker) => {
    assert.equal(await heading(worker), "last good");
    for (const [at, [name, bytes, message]] of bad.entries()) {
      const version = `00000000000000${at.toString(16).padStart(2, "0")}`;
      if (bytes !== undefined) {
        await worker.kv.put(`program:${version}`, Uint8Array.from(bytes).buffer);
      }
      await worker.kv.put("site:shop", version);
      await until(async () => (await heading(worker), worker.logs.some((line) => message.test(line) && line.includes("the last good program stays"))), name);
      assert.equal(await heading(worker), "last good", name);
    }
    const other = await compile({ ...site(), site: { id: "blog", hosts: ["blog.example"] } });
    await worker.kv.put(`program:${other.version}`, Uint8Array.from(other.program).buffer);
    await worker.kv.put("site:shop", other.version);
    await until(async () => (await heading(worker), worker.logs.some((line) => line.includes("is of site blog, not of shop"))), "of another site");
    assert.equal(await heading(worker), "last good");
    for (const pointer of ["", "../secret", "ABCDEF0123456789", "x".repeat(10_000)]) {
      await worker.kv.put("site:shop", pointer);
      await until(async () => (await heading(worker), worker.logs.some((line) => line.includes("is not a version"))), "pointer");
      assert.equal(await heading(worker), "last good", pointer.slice(0, 20));
    }
    await worker.kv.delete("site:shop");
    await until(async () => (await heading(worker), worker.logs.some((line) => line.includes("nothing is published"))), "no pointer");
    assert.equal(await heading(worker), "last good");
    await worker.publish(saying("better"));
    assert.equal(await heading(worker), "better");
  });
});

test("a Worker that never had a program passes everything through, and says why", async () => {
  const version = "00000000000000aa";
  for (const [name, prepare, message] of [
    ["nothing published", async () => {}, /nothing is published for site shop; pages go out as the origin sends them/],
    ["blob missing", (worker: TestWorker) => worker.kv.put("site:shop", version), /program 00000000000000aa is not in the store/],
    ["damaged", async (worker: TestWorker) => { await worker.kv.put(`program:${version}`, new Uint8Array([1, 2, 3]).buffer); await worker.kv.put("site:shop", version); }, /not an Idoine program/],
  ] as const) {
    await using({}, async (worker) => {
      await prepare(worker);
      const reply = await worker.fetch("/");
      assert.equal(reply.text, PAGE, name);
      assert.equal((await worker.fetch("/_idoine/decide?url=https://shop.example/")).status, 503);
      await until(() => worker.logs.some((line) => message.test(line)), name);
      await worker.publish(saying("published since"));
      assert.equal(await heading(worker), "published since", name);
    });
  }
  await using({ without: ["PROGRAMS"] }, async (worker) => {
    assert.equal((await worker.fetch("/")).text, PAGE);
    await until(() => worker.logs.some((line) => line.includes("the KV binding PROGRAMS is missing")), "no binding");
  });
});

test("a trouble that lasts is logged once", () =>
  using({}, async (worker) => {
    for (let times = 0; times < 10; times += 1) {
      await worker.fetch("/");
    }
    assert.equal(worker.logs.filter((line) => line.includes("nothing is published")).length, 1);
  }));

test("a store that fails, hangs or talks nonsense: decided with the last program, and no page waits", () =>
  using({ manifest: saying("one"), ...FAULTS }, async (worker) => {
    assert.equal(await heading(worker), "one");
    const { waits } = await fault(worker, "");
    for (const kind of ["throw", "reject", "never", "odd", "held"]) {
      const { reads } = await fault(worker, kind);
      for (let times = 0; times < 10; times += 1) {
        assert.equal(await heading(worker), "one", kind);
      }
      const after = await fault(worker, kind);
      assert.ok(after.reads > reads, `${kind}: the store was asked`);
      assert.deepEqual(after.waits, waits, kind);
    }
    await fault(worker, "");
    await worker.publish(saying("two"));
    assert.equal(await heading(worker), "two");
  }));

test("a store that fails or hangs from the start: the origin's page, and only the first pages wait", async () => {
  for (const kind of ["throw", "reject", "never", "odd"]) {
    await using({ manifest: saying("one"), ...FAULTS }, async (worker) => {
      await fault(worker, kind, "over");
      const pages = await Promise.all([1, 2, 3].map(() => worker.fetch("/")));
      assert.ok(pages.every((page) => page.text === PAGE), kind);
      const { waits } = await fault(worker, kind);
      assert.ok(waits.length <= 3 && waits.every((delay) => delay === 1000), `${kind}: ${waits}`);
      for (let times = 0; times < 10; times += 1) {
        assert.equal((await worker.fetch("/")).text, PAGE);
      }
      assert.deepEqual((await fault(worker, kind)).waits, waits, `${kind}: every page waits`);
      await fault(worker, "");
      await until(async () => (await heading(worker)) === "one", kind);
    });
  }
});

test("a store that is slow at the start is waited for, within limits, and used when it has answered", async () => {
  await using({ manifest: saying("one"), ...FAULTS }, async (worker) => {
    await fault(worker, "held");
    const first = heading(worker);
    await until(async () => (await fault(worker, "held")).reads > 0, "the store is asked");
    await fault(worker, "");
    assert.equal(await first, "one");
  });
  await using({ manifest: saying("one"), ...FAULTS }, async (worker) => {
    await fault(worker, "held", "over");
    assert.equal(await heading(worker), "Welcome");
    await fault(worker, "");
    await until(async () => (await heading(worker)) === "one", "the load went on in the background");
  });
});

test("many first requests at once are all personalised", () =>
  using({ manifest: saying("one"), ...FAULTS }, async (worker) => {
    await fault(worker, "held");
    const pages = Array.from({ length: 20 }, () => worker.fetch("/"));
    await until(async () => (await fault(worker, "held")).waits.length === 20, "all wait");
    await fault(worker, "");
    assert.ok((await Promise.all(pages)).every((page) => page.text.includes("<h1>one</h1>")));
  }));
