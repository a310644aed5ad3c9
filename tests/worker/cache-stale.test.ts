// Pages that were kept and are no longer fresh, programs that are no longer live, and a cache that fails.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { startOrigin, startWorker } from "./harness.ts";
import type { Options } from "./harness.ts";
import { CLOCKED, Kept, MANIFEST, answer, dated, heading, newPath, page } from "./kept.ts";

let kept: Kept;
before(async () => {
  kept = await Kept.start({ vars: { IDOINE_CACHE_VARIANTS: "0" } });
});
after(() => kept.stop());
beforeEach(() => kept.setAhead(0));

const CANADA = { cf: { country: "CA" } };
const STALE = { "cache-control": "public, max-age=100, stale-while-revalidate=200", etag: '"one"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" };

/** Waits until what went on behind a stale page is over. */
async function renewedAfter(visit: () => Promise<unknown>) {
  const { renewed } = await kept.report();
  await visit();
  await kept.until((report) => report.renewed === renewed + 1, "the page is renewed");
}

test("a stale page is shown while it is asked for anew, by its validators; what has not changed is fresh again", async () => {
  const path = newPath();
  kept.origin.routes[path] = answer(page("one"), STALE);
  await kept.visit(path, { headers: { "user-agent": "first" } });
  kept.origin.routes[path] = (_, response) => void response.writeHead(304, { date: dated(), "cache-control": "public, max-age=500", "x-more": "new", etag: '"one"' }).end();
  await kept.setAhead(120);
  await renewedAfter(async () => {
    const { reply, outcome } = await kept.outcome(path, { ...CANADA, headers: { cookie: "idoine_id=12345678-abcd", "if-none-match": '"other"' } });
    assert.equal(outcome, "stale");
    assert.equal(heading(reply), "Hello, Canada");
    assert.equal(reply.header("x-more"), null);
  });
  assert.equal(kept.asked(path), 2);
  const { headers } = kept.origin.received.at(-1)!;
  assert.equal(headers["if-none-match"], '"one"');
  assert.equal(headers["if-modified-since"], "Thu, 01 Jan 2026 00:00:00 GMT");
  assert.equal(headers["cookie"], undefined);
  await kept.setAhead(580);
  const { reply, outcome } = await kept.outcome(path);
  assert.equal(outcome, "hit");
  assert.equal(heading(reply), "one");
  assert.equal(reply.header("x-more"), "new");
  assert.equal(kept.asked(path), 2);
  await kept.setAhead(650);
  kept.origin.routes[path] = answer(page("two"), STALE);
  assert.equal(heading(await kept.visit(path)), "two");
});

test("a stale page that has changed is shown once more, and the new one after it", async () => {
  const path = newPath();
  kept.origin.routes[path] = answer(page("one"), STALE);
  await kept.visit(path);
  kept.origin.routes[path] = answer(page("two"), STALE);
  await kept.setAhead(270);
  await renewedAfter(async () => assert.equal(heading(await kept.worker.fetch(path)), "one"));
  const { reply, outcome } = await kept.outcome(path);
  assert.equal(outcome, "hit");
  assert.equal(heading(reply), "two");
  assert.equal(kept.asked(path), 2);
});

test("a page is never shown beyond the time that the origin allows", async () => {
  for (const [control, seconds, expected] of [
    ["public, max-age=100, stale-while-revalidate=200", 310, "miss"],
    ["public, max-age=100", 110, "miss"],
    ["public, max-age=100, stale-while-revalidate=200, must-revalidate", 110, "miss"],
    ["public, max-age=100, stale-while-revalidate=200, proxy-revalidate", 110, "miss"],
    ["public, max-age=100, stale-while-revalidate=abc", 110, "miss"],
    ["public, s-maxage=100, max-age=600, stale-while-revalidate=200", 310, "miss"],
    ["public, s-maxage=100, max-age=0, stale-while-revalidate=200", 270, "stale"],
    ["public, max-age=100, stale-while-revalidate=200, stale-if-error=6000", 310, "miss"],
  ] as const) {
    const path = newPath();
    await kept.setAhead(0);
    kept.origin.routes[path] = answer(page("one"), { "cache-control": control });
    await kept.visit(path);
    kept.origin.routes[path] = answer(page("two"), { "cache-control": control });
    await kept.setAhead(seconds);
    const { reply, outcome } = await kept.outcome(path);
    assert.equal(outcome, expected, control);
    assert.equal(heading(reply), expected === "miss" ? "two" : "one", control);
  }
});

test("who wishes for a fresh page is shown no stale one", async () => {
  const path = newPath();
  kept.origin.routes[path] = answer(page("one"), STALE);
  await kept.visit(path);
  kept.origin.routes[path] = answer(page("two"), STALE);
  await kept.setAhead(150);
  assert.equal(heading(await kept.worker.fetch(path, { headers: { "cache-control": "min-fresh=1" } })), "two");
});

test("many who meet a stale page ask for it once", async () => {
  const path = newPath();
  kept.origin.routes[path] = answer(page("one"), STALE);
  await kept.visit(path);
  await kept.setAhead(120);
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const two = answer(page("two"), STALE);
  kept.origin.routes[path] = async (request, response) => {
    await released;
    two(request, response);
  };
  await renewedAfter(async () => {
    const replies = await Promise.all(Array.from({ length: 30 }, () => kept.worker.fetch(path)));
    assert.deepEqual([...new Set(replies.map(heading))], ["one"]);
    release();
  });
  assert.equal(kept.asked(path), 2);
  assert.equal(heading(await kept.worker.fetch(path)), "two");
});

test("what was kept meanwhile is not undone by an answer that nothing has changed", async () => {
  const path = newPath();
  kept.origin.routes[path] = answer(page("one"), { ...STALE, "x-page": "one" });
  await kept.visit(path);
  await kept.setAhead(120);
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  kept.origin.routes[path] = async (_, response) => {
    await released;
    response.writeHead(304, { date: dated(), etag: '"one"' }).end();
  };
  await renewedAfter(async () => {
    assert.equal(heading(await kept.worker.fetch(path)), "one");
    for (let tries = 0; tries < 500 && kept.asked(path) < 2; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    kept.origin.routes[path] = answer(page("two"), { ...STALE, "x-page": "two", etag: '"two"' });
    await kept.visit(path, { headers: { "cache-control": "no-cache" } });
    release();
  });
  const { reply, outcome } = await kept.outcome(path);
  assert.equal(outcome, "hit");
  assert.deepEqual([heading(reply), reply.header("x-page")], ["two", "two"]);
});

test("what comes back in the place of a stale page is kept under the same rule", async () => {
  for (const [name, headers, body, status] of [
    ["private", { "cache-control": "private" }, page("two"), 200],
    ["with a cookie", { ...STALE, "set-cookie": "session=1" }, page("two"), 200],
    ["with a nonce", STALE, page('two</h1><script nonce="a"></script><h1>'), 200],
    ["gone", STALE, page("two"), 410],
    ["not changed, but private now", { "cache-control": "private" }, "", 304],
    ["not changed, but with a cookie", { "set-cookie": "session=1" }, "", 304],
  ] as const) {
    const path = newPath();
    await kept.setAhead(0);
    kept.origin.routes[path] = answer(page("one"), STALE);
    await kept.visit(path);
    kept.origin.routes[path] = answer(body, headers, status);
    await kept.setAhead(120);
    await renewedAfter(async () => {
      const reply = await kept.worker.fetch(path);
      assert.equal(heading(reply), "one", name);
      assert.deepEqual(reply.cookies, [], name);
    });
    kept.origin.routes[path] = answer(page("three"));
    for (let tries = 0; tries < 200 && heading(await kept.worker.fetch(path)) !== "three"; tries += 1);
    assert.equal(heading(await kept.worker.fetch(path)), "three", name);
  }
});

test("where the origin fails, what is stale is shown as long as it allows", async () => {
  const path = newPath();
  const headers = { "cache-control": "public, max-age=100, stale-while-revalidate=50, stale-if-error=6000" };
  kept.origin.routes[path] = answer(page("one"), headers);
  await kept.visit(path);
  kept.origin.routes[path] = answer("down", {}, 503);
  await kept.setAhead(120);
  await renewedAfter(async () => assert.equal(heading(await kept.worker.fetch(path)), "one"));
  await kept.setAhead(6000);
  const { reply, outcome } = await kept.outcome(path, CANADA);
  assert.equal(outcome, "stale");
  assert.equal(heading(reply), "Hello, Canada");
  kept.origin.routes[path] = (_, response) => void response.destroy();
  assert.equal(heading(await kept.worker.fetch(path)), "one");
  kept.origin.routes[path] = answer(page("gone"), {}, 404);
  assert.equal((await kept.worker.fetch(path)).status, 404);
  await kept.setAhead(0);
  const other = newPath();
  kept.origin.routes[other] = answer(page("one"), headers);
  await kept.visit(other);
  kept.origin.routes[other] = answer("down", {}, 503);
  await kept.setAhead(6110);
  assert.equal((await kept.worker.fetch(other)).status, 503);
});

test("what was kept before a program was published is not found after it", async () => {
  const path = newPath();
  kept.origin.routes[path] = answer(page("one"), { "cache-control": "public, max-age=600" });
  await kept.visit(path);
  assert.equal(heading(await kept.worker.fetch(path, CANADA)), "Hello, Canada");
  kept.origin.routes[path] = answer(page("two"), { "cache-control": "public, max-age=600" });
  const [canada, ...others] = MANIFEST.experiences;
  await kept.worker.publish({ ...MANIFEST, experiences: [{ ...canada, slots: { title: { text: "Bonjour" } } }, ...others] });
  assert.equal(heading(await kept.visit(path)), "two");
  assert.equal(heading(await kept.worker.fetch(path, CANADA)), "Bonjour");
  assert.equal(kept.asked(path), 2);
  // The one before it, published again, finds what is still fresh.
  await kept.worker.publish(MANIFEST);
  assert.equal(heading(await kept.worker.fetch(path)), "one");
});

test("two sites of one Worker share nothing, whatever their pages are called", async () => {
  const others = await startOrigin();
  const sites = { "a.example": { site: "shop", origin: kept.origin.url }, "b.example": { site: "shop", origin: others.url }, "c.example": { site: "shop", origin: kept.origin.url } };
  const worker = await startWorker({ manifest: MANIFEST, vars: { SITES: JSON.stringify(sites) }, ...CLOCKED });
  const two = new Kept(kept.origin, worker);
  try {
    const path = newPath();
    const named = (origin: string): typeof others.routes[string] => (request, response) =>
      answer(page(`${origin} for ${request.headers["x-forwarded-host"]}`), { "cache-control": "public, max-age=600" })(request, response);
    kept.origin.routes[path] = named("first");
    others.routes[path] = named("second");
    for (const outcome of ["miss", "hit"]) {
      for (const [host, expected] of [["a.example", "first for a.example"], ["b.example", "second for b.example"], ["c.example", "first for c.example"]]) {
        const before = await two.report();
        const found = await two.outcome(`https://${host}${path}`);
        assert.equal(heading(found.reply), expected);
        assert.equal(found.outcome, outcome);
        await two.until(({ kept }) => outcome === "hit" || kept.pages === before.kept.pages + 1, "it is kept");
      }
    }
  } finally {
    await worker.dispose();
    await others.close();
  }
});

test("a site that moves to another origin finds nothing of the one before", async () => {
  const others = await startOrigin();
  const moving = await Kept.start({
    ...CLOCKED,
    around: `
    const origin = request.headers.get("x-origin");
    if (origin !== null) {
      const headers = new Headers(request.headers);
      headers.delete("x-origin");
      request = new Request(request, { headers });
      env = { ...env, ORIGIN: origin };
    }
    ${CLOCKED.around}`,
  });
  try {
    const path = newPath();
    moving.origin.routes[path] = answer(page("before"), { "cache-control": "public, max-age=600" });
    others.routes[path] = answer(page("after"), { "cache-control": "public, max-age=600" });
    assert.equal(heading(await moving.visit(path)), "before");
    assert.equal(heading(await moving.visit(path, { headers: { "x-origin": others.url } })), "after");
    assert.equal((await moving.outcome(path, { headers: { "x-origin": others.url } })).outcome, "hit");
  } finally {
    await moving.stop();
    await others.close();
  }
});

test("previews neither find nor keep anything", async () => {
  const preview = await Kept.start({ preview: true });
  try {
    const path = newPath();
    preview.origin.routes[path] = answer(page("Page"), { "cache-control": "public, max-age=600" });
    for (let times = 1; times <= 2; times += 1) {
      const { reply, outcome } = await preview.outcome(`http://localhost:8787${path}?idoine.geo.country=CA`);
      assert.equal(outcome, "bypass preview");
      assert.equal(heading(reply), "Hello, Canada");
      assert.equal(preview.asked(path), times);
    }
  } finally {
    await preview.stop();
  }
});

/** A Worker with a cache that is as `caches` says, or a variable; the origin is asked each time, and pages are as ever. */
const without = (name: string, expected: string, options: Options) =>
  test(`${name}: the origin is asked each time`, async () => {
    const faulty = await Kept.start({ ...options, before: `${CLOCKED.before}\n${options.before ?? ""}` });
    try {
      const path = newPath();
      faulty.origin.routes[path] = answer(page("Page"), { "cache-control": "public, max-age=600" });
      for (let times = 1; times <= 3; times += 1) {
        const { reply, outcome } = await faulty.outcome(path, CANADA);
        assert.equal(reply.status, 200);
        assert.equal(heading(reply), "Hello, Canada");
        assert.equal(outcome, expected);
        assert.equal(faulty.asked(path), times);
      }
    } finally {
      await faulty.stop();
    }
  });

const cache = (methods: string) => `globalThis.caches = { open: async () => ({ match: async () => undefined, put: async () => {}, delete: async () => false, ${methods} }) };`;
without("IDOINE_CACHE is off", "bypass off", { vars: { IDOINE_CACHE: "off" } });
without("IDOINE_CACHE is Off", "bypass off", { vars: { IDOINE_CACHE: "Off" } });
without("there is no Cache API", "bypass unavailable", { before: "globalThis.caches = undefined;" });
without("the Cache API throws", "bypass unavailable", { before: 'globalThis.caches = { open() { throw new Error("none"); } };' });
without("the cache fails to find", "bypass unavailable", { before: cache('match: async () => { throw new Error("broken"); },') });
without("the cache throws", "bypass unavailable", { before: cache('match() { throw new Error("broken"); },') });
without("the cache never answers", "bypass unavailable", { before: `${cache("match: () => new Promise(() => {}),")} globalThis.setTimeout = later;` });
without("the cache never opens", "bypass unavailable", { before: "globalThis.caches = { open: () => new Promise(() => {}) }; globalThis.setTimeout = later;" });
without("the cache keeps nothing", "miss", { before: cache('put: async () => { throw new Error("full"); },') });
without("the cache holds something else", "miss", { before: cache('match: async () => new Response("something"),') });
without("the cache holds nonsense", "bypass failed", { before: cache('match: async () => new Response("something", { headers: { "x-idoine-kept": "{}" } }),') });

test("an entry that can't be read is asked of the origin", async () => {
  const broken = await Kept.start({
    vars: { IDOINE_CACHE_VARIANTS: "0" },
    before: `${CLOCKED.before}
    const real = globalThis.caches;
    globalThis.caches = {
      open: async (name) => {
        const cache = await real.open(name);
        return {
          put: (key, response) => cache.put(key, response),
          delete: (key) => cache.delete(key),
          async match(key) {
            const found = await cache.match(key);
            if (found === undefined) return undefined;
            const body = new ReadableStream({ type: "bytes", pull(controller) { controller.error(new Error("unreadable")); } });
            return new Response(body, found);
          },
        };
      },
    };`,
  });
  try {
    const path = newPath();
    broken.origin.routes[path] = answer(page("Page"), { "cache-control": "public, max-age=600" });
    await broken.visit(path);
    const { reply, outcome } = await broken.outcome(path, CANADA);
    assert.equal(heading(reply), "Hello, Canada");
    assert.equal(outcome, "hit, bypass unreadable");
    assert.equal(broken.asked(path), 2);
  } finally {
    await broken.stop();
  }
});

test("what is kept and does not come is not waited for", async () => {
  const stalling = await Kept.start({
    vars: { IDOINE_CACHE_COOKIES: "theme" },
    // What the cache gives once it is told to stall says nothing: variants, then pages too.
    before: `${CLOCKED.before}
    globalThis.setTimeout = later;
    let stalls = "";
    const real = globalThis.caches;
    globalThis.caches = {
      open: async (name) => {
        const cache = await real.open(name);
        return {
          put: (key, response) => cache.put(key, response),
          delete: (key) => cache.delete(key),
          async match(key) {
            const found = await cache.match(key);
            const kind = new URL(key).pathname.split("/").length > 2 ? "variant" : "page";
            return found === undefined || !stalls.includes(kind) ? found : new Response(new ReadableStream({ type: "bytes" }), found);
          },
        };
      },
    };`,
    around: `
    if (request.headers.has("x-stalls")) stalls = request.headers.get("x-stalls");
    ${CLOCKED.around}`,
  });
  const stall = async (what: string) => stalling.worker.fetch("/", { headers: { "x-stalls": what, "x-report": "1" } });
  try {
    const path = newPath();
    stalling.origin.routes[path] = answer(page("Page"), { "cache-control": "public, max-age=600" });
    await stalling.visit(path);
    await stalling.worker.fetch(path, CANADA);
    await stalling.until(({ kept }) => kept.variants > 0, "a variant is kept");
    for (const [what, expected, asked] of [
      ["", "variant", 1],
      ["variant", "hit", 1],
      ["variant, page", "bypass unreadable", 2],
    ] as const) {
      await stall(what);
      const { reply, outcome } = await stalling.outcome(path, { ...CANADA, headers: { cookie: "theme=dark" } });
      assert.equal(outcome, expected, what);
      assert.equal(heading(reply), "Hello, Canada", what);
      assert.equal(stalling.asked(path), asked, what);
    }
    assert.equal(stalling.origin.received.at(-1)!.headers["cookie"], "theme=dark");
  } finally {
    await stalling.stop();
  }
});
