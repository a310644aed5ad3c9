// Pages as they were edited, kept by their plan: found again, few of each page, and nothing of one visitor in them.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { CLOCKED, Kept, MANIFEST, answer, heading, newPath, page } from "./kept.ts";

const PUBLIC = { "cache-control": "public, max-age=600" };
const CANADA = { cf: { country: "CA" } };
const near = (city: string) => ({ cf: { city } });

let kept: Kept;
before(async () => {
  kept = await Kept.start({
    vars: { IDOINE_CACHE_VARIANTS: "3" },
    // Tells what the caches hold.
    before: `${CLOCKED.before}
    const puts = [];
    const real = globalThis.caches;
    globalThis.caches = {
      open: async (name) => {
        const cache = await real.open(name);
        return {
          match: (key) => cache.match(key),
          delete: (key) => cache.delete(key),
          async put(key, response) {
            puts.push({ key, headers: [...response.headers], body: await response.clone().text() });
            return cache.put(key, response);
          },
        };
      },
    };`,
    around: `
    if (request.headers.has("x-puts")) return Response.json(puts);
    ${CLOCKED.around}`,
  });
});
after(() => kept.stop());
beforeEach(() => kept.setAhead(0));

interface Put {
  key: string;
  headers: [string, string][];
  body: string;
}

const puts = async () => (await kept.worker.fetch("/", { headers: { "x-puts": "1" } })).json<Put[]>();

/** A page that is kept, and its path. */
async function keptPage(headers = PUBLIC, title = "Page"): Promise<string> {
  const path = newPath();
  kept.origin.routes[path] = answer(page(title), headers);
  await kept.visit(path);
  return path;
}

/** A visit after which one variant more is kept. */
async function visitKept(path: string, init = {}) {
  const before = await kept.report();
  const visit = await kept.outcome(path, init);
  await kept.until((report) => report.kept.variants === before.kept.variants + 1, "a variant is kept");
  return visit;
}

test("a page that was edited the same way before comes from the cache, as it would be edited", async () => {
  const path = await keptPage();
  const first = await visitKept(path, CANADA);
  assert.equal(first.outcome, "hit");
  const second = await kept.outcome(path, { ...CANADA, headers: { "user-agent": "other", cookie: "idoine_consent=v1.personalization; idoine_id=12345678-abcd" } });
  assert.equal(second.outcome, "hit", "who is recognised is shown something of their own");
  const third = await kept.outcome(path, { cf: { country: "CA", latitude: "45.5" }, headers: { "user-agent": "other" } });
  assert.equal(third.outcome, "variant");
  assert.equal(heading(third.reply), "Hello, Canada");
  assert.equal(third.reply.text, first.reply.text);
  assert.deepEqual(third.reply.state, first.reply.state);
  const names = ({ reply }: typeof first) => reply.headerList.filter(([name]) => !["connection", "keep-alive", "transfer-encoding", "content-length", "server-timing"].includes(name)).sort();
  assert.deepEqual(names(third), names(first));
  assert.equal(third.reply.header("cache-control"), "private, no-store");
  assert.equal(heading(await kept.worker.fetch(path)), "Page");
  assert.equal(kept.asked(path), 1);
});

test("who wishes for a newer page, or has a session, is given no variant", async () => {
  const path = await keptPage();
  await visitKept(path, CANADA);
  for (const [headers, expected] of [
    [{ "cache-control": "no-cache" }, "bypass reload"],
    [{ "cache-control": "max-age=0" }, "miss"],
    [{ cookie: "session=1" }, "bypass cookie"],
    [{ authorization: "x" }, "bypass authorization"],
    [{ "sec-fetch-dest": "empty" }, "bypass script"],
  ] as const) {
    await kept.setAhead(2);
    assert.equal((await kept.outcome(path, { ...CANADA, headers })).outcome, expected);
  }
});

test("a variant of a page that varies by a header is for those who don't send it", async () => {
  for (const [name, value] of [
    ["save-data", "on"],
    ["accept-language", "fr"],
  ] as const) {
    const path = newPath();
    kept.origin.routes[path] = (request, response) => answer(page(request.headers[name] === undefined ? "without" : "with"), { ...PUBLIC, vary: name })(request, response);
    await kept.visit(path);
    assert.equal((await visitKept(path)).outcome, "hit");
    assert.equal((await kept.outcome(path)).outcome, "variant");
    const { reply, outcome } = await kept.outcome(path, { headers: { [name]: value } });
    assert.equal(outcome, "miss", name);
    assert.equal(heading(reply), "with");
    assert.equal(kept.asked(path), 2);
    const other = await kept.outcome(path);
    assert.deepEqual([other.outcome, heading(other.reply)], ["variant", "without"]);
  }
});

test("a page has as many variants as a variable says, the others are edited on the way out; it is logged once and reported", async () => {
  const path = await keptPage();
  for (const city of ["A", "B", "C"]) {
    await visitKept(path, near(city));
  }
  const before = await kept.report();
  const cities = ["D", "E", "F", "G", "A", "B", "C", "D"];
  for (const city of cities) {
    const { reply, outcome } = await kept.outcome(path, near(city));
    assert.equal(outcome, "ABC".includes(city) ? "variant" : "hit");
    assert.match(reply.text, new RegExp(`<p class="lead">Near ${city}</p>`));
  }
  const report = await kept.report();
  assert.equal(report.over_cap - before.over_cap, 5);
  assert.equal(report.kept.variants, before.kept.variants);
  assert.equal(report.most_variants, 3);
  assert.equal(kept.asked(path), 1);
  const told = kept.worker.logs.filter((line) => line.includes("variants_capped")).map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(told.length, 1);
  assert.equal(told[0]!["variants"], 3);
  assert.equal(told[0]!["site"], "shop");
  assert.doesNotMatch(JSON.stringify(told), /\/p\//);
  // Of another page as many are kept.
  const other = await keptPage();
  await visitKept(other, near("X"));
  assert.equal((await kept.outcome(other, near("X"))).outcome, "variant");
});

test("what the origin sends where the kept page can't be read is one visitor's, and no variant", async () => {
  const broken = await Kept.start({
    vars: { IDOINE_CACHE_COOKIES: "theme" },
    // Pages can't be read, their variants can.
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
            if (found === undefined || new URL(key).pathname.split("/").length > 2) return found;
            const body = new ReadableStream({ type: "bytes", pull(controller) { controller.error(new Error("unreadable")); } });
            return new Response(body, found);
          },
        };
      },
    };`,
  });
  try {
    for (const headers of [{}, { "content-type": "text/html; charset=x-unknown" }]) {
      const path = newPath();
      broken.origin.routes[path] = answer(page("Page"), PUBLIC);
      await broken.visit(path);
      broken.origin.routes[path] = (request, response) => answer(page(`for ${request.headers.cookie ?? "all"}`), { "cache-control": "private, no-store", ...headers })(request, response);
      for (const theme of ["dark", "light"]) {
        const { reply, outcome } = await broken.outcome(path, { headers: { cookie: `theme=${theme}` } });
        assert.equal(outcome, "hit, bypass unreadable");
        assert.equal(heading(reply), `for theme=${theme}`);
        // What would be kept is, by then.
        await new Promise((resolve) => setTimeout(resolve, 100));
        assert.equal((await broken.report()).kept.variants, 0);
      }
    }
  } finally {
    await broken.stop();
  }
});

test("a page that shows something of the visitor alone is edited for each, and kept for none", async () => {
  const path = await keptPage();
  const known = { headers: { cookie: "idoine_consent=v1.personalization; idoine_id=12345678-secret" } };
  for (let times = 0; times < 3; times += 1) {
    const { reply, outcome } = await kept.outcome(path, known);
    assert.equal(outcome, "hit");
    assert.match(reply.text, /Again: true/);
  }
  assert.equal((await visitKept(path, CANADA)).outcome, "hit");
  const all = JSON.stringify(await puts());
  assert.match(all, /Hello, Canada/);
  assert.doesNotMatch(all, /Again: true|12345678-secret|set-cookie/i);
});

test("a variant is found no longer than its page is fresh", async () => {
  const path = await keptPage({ "cache-control": "public, max-age=600, stale-while-revalidate=600" });
  await kept.setAhead(300);
  await visitKept(path, CANADA);
  const [{ headers }] = (await puts()).slice(-1) as [Put];
  const [, seconds] = /max-age=(\d+)/.exec(new Map(headers).get("cache-control")!)!;
  assert.ok(Number(seconds) <= 300, seconds);
  await kept.setAhead(550);
  assert.equal((await kept.outcome(path, CANADA)).outcome, "variant");
  kept.origin.routes[path] = answer(page("two"), PUBLIC);
  await kept.setAhead(650);
  const { renewed } = await kept.report();
  assert.equal((await kept.outcome(path, CANADA)).outcome, "stale");
  await kept.until((report) => report.renewed > renewed, "the page is renewed");
});

test("a page that is renewed has none of its variants", async () => {
  const path = await keptPage(PUBLIC, "one");
  assert.equal(heading((await visitKept(path)).reply), "one");
  assert.equal((await kept.outcome(path)).outcome, "variant");
  kept.origin.routes[path] = answer(page("two"), PUBLIC);
  await kept.visit(path, { headers: { "cache-control": "no-cache" } });
  const { reply, outcome } = await kept.outcome(path);
  assert.equal(outcome, "hit");
  assert.equal(heading(reply), "two");
});

test("a published program has none of the variants before it", async () => {
  const path = await keptPage();
  await visitKept(path, CANADA);
  assert.equal(heading((await kept.outcome(path, CANADA)).reply), "Hello, Canada");
  const [canada, ...others] = MANIFEST.experiences;
  await kept.worker.publish({ ...MANIFEST, experiences: [{ ...canada, slots: { title: { text: "Bonjour" } } }, ...others] });
  assert.equal(heading(await kept.worker.fetch(path, CANADA)), "Bonjour");
  await kept.worker.publish(MANIFEST);
});

test("a page that is too large once it is edited is no variant", async () => {
  const path = newPath();
  kept.origin.routes[path] = answer(page("Page") + "<p>x</p>".repeat(520_000), PUBLIC);
  await kept.visit(path);
  const before = (await kept.report()).not_kept["too_large"] ?? 0;
  const long = "y".repeat(40_000);
  const { reply, outcome } = await kept.outcome(path, near(long));
  assert.equal(outcome, "hit");
  assert.ok(reply.text.includes(`Near ${long}`));
  await kept.until(({ not_kept }) => (not_kept["too_large"] ?? 0) === before + 1, "it is refused");
  assert.equal((await kept.outcome(path, near(long))).outcome, "hit");
});

test("of what a content shows, some is the visitor's alone", async () => {
  const rows: [content: object, isKept: boolean][] = [
    [{ text: "Hello" }, true],
    [{ text: 'In {{ geo.city | "town" }}, by {{ device.type }}, {{ source.campaign | "-" }}' }, true],
    [{ text: '{{ visitor.returning | "no" }}' }, false],
    [{ html: '<b>{{ profile.name | "you" }}</b>' }, false],
    [{ attribute: { title: 'for {{ profile.name | "you" }}' } }, false],
    [{ text: '{{ network.ip | "-" }}' }, false],
    [{ text: "{{ consent.analytics }}" }, true],
  ];
  const slots = Object.fromEntries(rows.map((_, at) => [`s${at}`, { selector: "h1", pages: [`/v/${at}`] }]));
  const experiences = rows.map(([content], at) => ({ id: `e${at}`, type: "personalization", slots: { [`s${at}`]: content } }));
  const site = { site: { id: "shop" }, traits: { name: { type: "string", purpose: "personalization" } }, slots, experiences };
  const showing = await Kept.start({ manifest: site });
  try {
    for (const [at, [content, isKept]] of rows.entries()) {
      showing.origin.routes[`/v/${at}`] = answer(page("Page"), PUBLIC);
      await showing.visit(`/v/${at}`);
      const before = await showing.report();
      assert.equal((await showing.outcome(`/v/${at}`)).outcome, "hit");
      if (isKept) {
        await showing.until((report) => report.kept.variants > before.kept.variants, "a variant is kept");
      }
      assert.equal((await showing.outcome(`/v/${at}`)).outcome, isKept ? "variant" : "hit", JSON.stringify(content));
    }
  } finally {
    await showing.stop();
  }
});
