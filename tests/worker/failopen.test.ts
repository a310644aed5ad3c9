// Whatever breaks inside the Worker, the visitor gets the origin's page. Faults come from around the Worker and from
// Wasm modules made here; there is no switch for them in the product.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { compile, startOrigin, startWorker } from "./harness.ts";
import type { Options, TestOrigin, TestWorker } from "./harness.ts";
import { PAGE, site } from "./site.ts";
import { TRAP_MODULE, withTrapIn } from "./wasm.ts";

let origin: TestOrigin;

before(async () => {
  origin = await startOrigin({ "/": PAGE });
});
after(() => origin.close());

const manifest = site({ experiences: [{ id: "all", type: "personalization", slots: { title: { text: "personal" } } }] });

/**
 * A request with `x-trap` makes the Rust code break in the middle of its work: the clock that it asks is a Wasm function
 * that traps, so that the trap goes through Rust's frames as one of its own would; or it throws; or the stack is full.
 * `x-held` keeps the store's answers to a request back until a request has `x-release`; both tell how many are kept back.
 */
const TRAPS: Options = {
  modules: { "trap.wasm": TRAP_MODULE },
  before: `
    import trapModule from "./trap.wasm";
    const faults = {
      trap: new WebAssembly.Instance(trapModule).exports.trap,
      throw() { throw new Error("thrown through Rust"); },
      overflow() { (function deeper() { deeper(); })(); },
    };
    let armed = "";
    const clock = Date.now;
    Date.now = () => {
      const fault = armed;
      armed = "";
      if (fault) faults[fault]();
      return clock();
    };
    let held = 0;
    let released = false;
    // The Worker waits for its program for a second; here it never gives up, however slow the test runs.
    const { setTimeout: later } = globalThis;
    globalThis.setTimeout = (run, delay, ...rest) => later(run, delay < 500 ? delay : 1e8, ...rest);`,
  around: `
    if (request.headers.has("x-release")) {
      released = request.headers.get("x-release") === "yes";
      return Response.json(held);
    }
    if (request.headers.has("x-held")) {
      const store = env.PROGRAMS;
      const get = (key, options) => {
        const answer = (async () => {
          held += 1;
          while (!released) await scheduler.wait(5);
          held -= 1;
          return store.get(key, options);
        })();
        ctx.waitUntil(answer);
        return answer;
      };
      env = { ...env, PROGRAMS: { get } };
    }
    armed = request.headers.get("x-trap") ?? "";
    return worker.fetch(request, env, ctx);`,
};

async function using<T>(options: Options, run: (worker: TestWorker) => Promise<T>): Promise<T> {
  const worker = await startWorker({ origin: origin.url, manifest, ...options });
  try {
    return await run(worker);
  } finally {
    await worker.dispose();
  }
}

const FAULTS = ["trap", "throw", "overflow"];

const until = async (check: () => Promise<boolean> | boolean, what: string) => {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await check()) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(what);
};

const held = async (worker: TestWorker, release = "no") => (await worker.fetch("/", { headers: { "x-release": release } })).json<number>();

test("a page whose decision traps goes out as the origin sent it, and the next one is personalised again", () =>
  using(TRAPS, async (worker) => {
    origin.routes["/"] = (request, response) => response.writeHead(200, { "content-type": "text/html", etag: '"e"', "cache-control": "public" }).end(PAGE);
    for (const fault of FAULTS) {
      assert.match((await worker.fetch("/")).text, /<h1>personal<\/h1>/, fault);
      const reply = await worker.fetch("/", { headers: { "x-trap": fault } });
      assert.equal(reply.text, PAGE, fault);
      assert.equal(reply.header("etag"), '"e"');
      assert.equal(reply.header("cache-control"), "public");
      assert.match((await worker.fetch("/")).text, /<h1>personal<\/h1>/, fault);
    }
    origin.routes["/"] = PAGE;
  }));

test("requests that were being decided beside a trap fall open at once", async () => {
  for (const fault of FAULTS) {
    await using(TRAPS, async (worker) => {
      // Both wait for the first load of the program, inside Rust.
      const beside = [1, 2].map(() => worker.fetch("/", { headers: { "x-held": "1" } }));
      await until(async () => (await held(worker)) === 2, "both wait");
      const [trapped, ...others] = await Promise.all([worker.fetch("/", { headers: { "x-trap": fault } }), ...beside]);
      assert.equal(trapped!.text, PAGE, fault);
      assert.ok(others.every((reply) => reply.status === 200 && reply.text === PAGE), fault);
      // They did not run into their own time-out: they were told.
      const told = () => worker.logs.filter((line) => line.includes("a page goes out as the origin sent it")).length;
      await until(() => told() >= 3, fault);
      assert.equal(told(), 3, fault);
      assert.match((await worker.fetch("/")).text, /<h1>personal<\/h1>/, fault);
      // What the old instance had still asked the store for comes back to nobody.
      await held(worker, "yes");
      await until(async () => (await held(worker, "yes")) === 0, "the store has answered");
      assert.match((await worker.fetch("/")).text, /<h1>personal<\/h1>/, fault);
      assert.ok(worker.logs.filter((line) => line.includes("the Wasm instance is replaced")).length <= 1, worker.logs.join("\n"));
    });
  }
});

test("requests that wait for the origin beside a trap lose nothing", () =>
  using(TRAPS, async (worker) => {
    assert.match((await worker.fetch("/")).text, /<h1>personal<\/h1>/);
    const answers: (() => void)[] = [];
    origin.routes["/"] = (request, response) => {
      const answer = () => response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
      request.headers["x-slow-origin"] === undefined ? answer() : answers.push(answer);
    };
    const beside = [1, 2, 3].map(() => worker.fetch("/", { headers: { "x-slow-origin": "1" } }));
    await until(() => answers.length === 3, "all wait for the origin");
    assert.equal((await worker.fetch("/", { headers: { "x-trap": "trap" } })).text, PAGE);
    answers.forEach((answer) => answer());
    for (const reply of await Promise.all(beside)) {
      assert.match(reply.text, /<h1>personal<\/h1>/);
    }
    origin.routes["/"] = PAGE;
  }));

test("a page that streams while another request traps arrives whole", () =>
  using(TRAPS, async (worker) => {
    let finish = () => {};
    origin.routes["/"] = (request, response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.write(`<h1>Welcome</h1>${"<p>filler</p>".repeat(1000)}`);
      finish = () => response.end('<a class="buy">Buy</a><p id="place">-</p>');
    };
    const message = await worker.open("/");
    origin.routes["/"] = PAGE;
    assert.equal((await worker.fetch("/", { headers: { "x-trap": "trap" } })).text, PAGE);
    finish();
    let text = "";
    for await (const chunk of message) {
      text += chunk;
    }
    assert.match(text, /^<h1>personal<\/h1>/);
    assert.match(text, /<p id="place">-<\/p><script type="application\/json" id="idoine-state">/);
  }));

test("traps among many requests cost the personalisation of those beside them, and no response", () =>
  using({ ...TRAPS, vars: { IDOINE_RELOAD_SECONDS: "10" } }, async (worker) => {
    for (let round = 0; round < 20; round += 1) {
      const replies = await Promise.all(Array.from({ length: 10 }, (_, at) => worker.fetch("/", at === round % 10 ? { headers: { "x-trap": FAULTS[round % 3]! } } : {})));
      assert.ok(replies.every((reply) => reply.status === 200 && (reply.text === PAGE || reply.text.includes("<h1>personal</h1>"))));
      assert.match((await worker.fetch("/")).text, /<h1>personal<\/h1>/);
    }
  }));

test("the API says that it can't answer, and answers again", () =>
  using(TRAPS, async (worker) => {
    const reply = await worker.fetch("/_idoine/decide?url=https://shop.example/", { headers: { "x-trap": "trap" } });
    assert.equal(reply.status, 503);
    assert.equal(reply.json().error.code, "unavailable");
    assert.equal((await worker.fetch("/_idoine/decide?url=https://shop.example/")).status, 200);
  }));

test("a Worker whose Wasm can do nothing at all is a plain proxy", async () => {
  for (const name of ["handle", "__wbindgen_start", "__wbindgen_malloc"]) {
    await using({ wasm: (bytes) => withTrapIn(bytes, name) }, async (worker) => {
      for (let times = 0; times < 3; times += 1) {
        const [page, post] = await Promise.all([worker.fetch("/"), worker.fetch("/", { method: "POST", body: "a=b" })]);
        assert.equal(page.text, PAGE, name);
        assert.equal(post.status, 200, name);
        assert.equal((await worker.fetch("/_idoine/context")).status, 503, name);
      }
    });
  }
});

test("a module that is none of ours is a plain proxy too", () =>
  using({ wasm: () => TRAP_MODULE }, async (worker) => {
    assert.equal((await worker.fetch("/")).text, PAGE);
    assert.equal((await worker.fetch("/_idoine/context")).status, 503);
  }));

test("edits that HTMLRewriter can't carry out leave the page whole", async () => {
  // Bytes of a program may come from anyone who can write to the store: this selector is one that the compiler refuses.
  const selector = "h1.aaaaaaaaaa";
  const good = site({
    slots: { title: { selector, pages: ["/"] } },
    experiences: [{ id: "all", type: "personalization", slots: { title: { text: "personal" } } }],
    audiences: {},
  });
  const { program } = await compile(good);
  const bytes = Buffer.from(program);
  bytes.write("h1:hover(((((", bytes.indexOf(selector));
  bytes.writeUInt32LE(murmur3(bytes.subarray(12)), 8);
  await using({ program: bytes }, async (worker) => {
    const reply = await worker.fetch("/");
    assert.equal(reply.status, 200);
    assert.equal(reply.text, PAGE);
    await until(() => worker.logs.some((line) => line.includes("a page goes out as the origin sent it")), "it is logged");
  });
});

/** MurmurHash3 x86 32 with seed 0, as programs are sealed with. */
function murmur3(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rotate = (value: number, by: number) => (value << by) | (value >>> (32 - by));
  let hash = 0;
  const mix = (word: number) => Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
  const blocks = bytes.length >> 2;
  for (let at = 0; at < blocks; at += 1) {
    hash = (Math.imul(rotate(hash ^ mix(view.getUint32(at * 4, true)), 13), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let at = bytes.length - 1; at >= blocks * 4; at -= 1) {
    tail = (tail << 8) | bytes[at]!;
  }
  hash ^= mix(tail) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
