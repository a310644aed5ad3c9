// What the Worker tells its owner: data points, times, health, logs. And what it tells nobody: who a visitor is.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT, startOrigin, startWorker, wholeBody } from "./harness.ts";
import type { Init, Options, TestOrigin, TestWorker } from "./harness.ts";
import { PAGE, site } from "./site.ts";
import { TRAP_MODULE, withTrapIn } from "./wasm.ts";

interface Point {
  indexes: string[];
  blobs: string[];
  doubles: number[];
}

/** A dataset that keeps its data points for `x-points`; `x-trap` makes the decision trap, `x-counters` the counting fail. */
const COUNTING: Options = {
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
    const points = [];`,
  around: `
    if (request.headers.has("x-points")) return Response.json(points);
    armed = request.headers.has("x-trap");
    const fault = request.headers.get("x-counters");
    const COUNTERS = fault === "gone" ? undefined : fault === "odd" ? { writeDataPoint: 1 } : {
      writeDataPoint(point) {
        if (fault === "throw") throw new Error("no dataset");
        points.push(point);
      },
    };
    return worker.fetch(request, { ...env, COUNTERS }, ctx);`,
};

const NAMES = ["requests", "edits_left_out", "pages_broken_off", "exposures", "exposures_lost", "origin_retries", "instances_replaced", "rate_limited", "variants_over_cap"];
/** Behind them stand the times, and behind those: */
const EVENTS = ["events_accepted", "events_duplicate", "events_dropped", "events_rejected", "events_failed"];
const FIELDS = NAMES.length + 2 + EVENTS.length;

let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin({ "/": PAGE });
  worker = await startWorker({ origin: origin.url, manifest: site(), ...COUNTING });
});
after(async () => {
  await worker.dispose();
  await origin.close();
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

/** The runtime has lines of its own, about what is uncaught. */
const isOurs = (line: string) => line.startsWith("{");
const eventsOf = ({ logs }: TestWorker): string[] => logs.filter(isOurs).map((line) => JSON.parse(line).event);

const pointsOf = async (from: TestWorker): Promise<Point[]> => (await from.fetch("/", { headers: { "x-points": "1" } })).json();

/** The data point of a request: kind and what became of it, and the numbers that are not zero. */
async function pointOf(run: () => Promise<unknown>, from = worker) {
  const before = (await pointsOf(from)).length;
  await run();
  await until(async () => (await pointsOf(from)).length > before, "a data point");
  const [point, ...others] = (await pointsOf(from)).slice(before) as [Point, ...Point[]];
  assert.deepEqual(others, [], "one data point for a request");
  const [kind, what, reason, cache, status, visitor, version] = point.blobs;
  const numbers = Object.fromEntries(NAMES.map((name, at) => [name, point.doubles[at]!]).filter(([, number]) => number !== 0));
  return { point, kind, what, reason, cache, status, visitor, version, numbers };
}

const told = async (url: string, init?: Init) => {
  const { kind, what, reason, status, numbers } = await pointOf(() => worker.fetch(url, init));
  return [kind, what, reason, status, numbers];
};

test("a request has one data point, which says what became of it", async () => {
  const one = { requests: 1 };
  assert.deepEqual(await told("/?utm_campaign=spring"), ["page", "edited", "", "2xx", one]);
  assert.deepEqual(await told("/nowhere"), ["page", "untouched", "", "4xx", one]);
  origin.routes["/"] = (request, response) => void response.writeHead(200, { "content-type": "application/pdf" }).end("x");
  assert.deepEqual(await told("/"), ["page", "untouched", "not_a_page", "2xx", one]);
  origin.routes["/"] = (request, response) => void response.writeHead(503, { "content-type": "text/html" }).end("x");
  assert.deepEqual(await told("/"), ["page", "untouched", "not_a_page", "5xx", one]);
  origin.routes["/"] = PAGE;
  const { point, visitor, version } = await pointOf(() => worker.fetch("/"));
  assert.deepEqual([point.indexes, visitor, version], [["shop"], "visitor", (await worker.fetch("/_idoine/context")).json().version]);
  assert.equal(point.blobs.length, 7);
  assert.equal(point.doubles.length, FIELDS);
  assert.ok(point.doubles.every((number) => Number.isFinite(number) && number >= 0));
});

test("pages that fall open are counted by why", async () => {
  assert.deepEqual(await told("/", { headers: { "x-trap": "1" } }), ["page", "failed", "decision", "2xx", { requests: 1, instances_replaced: 1 }]);
  // The replacement is counted once.
  assert.deepEqual(await told("/"), ["page", "edited", "", "2xx", { requests: 1 }]);
  const empty = await startWorker({ origin: origin.url, ...COUNTING });
  const down = await startWorker({ manifest: site(), ...COUNTING });
  try {
    assert.equal((await pointOf(() => empty.fetch("/"), empty)).reason, "no_program");
    const point = await pointOf(() => down.fetch("/"), down);
    assert.deepEqual([point.what, point.reason, point.status], ["failed", "no_origin", "5xx"]);
  } finally {
    await Promise.all([empty.dispose(), down.dispose()]);
  }
});

test("edits left out are counted, in the page's own data point", async () => {
  origin.routes["/"] = "<head></head><body><h1>x</h1><iframe class='frame'></iframe></body>";
  const odd = await startWorker({
    origin: origin.url,
    manifest: site({ slots: { frame: { selector: ".frame", pages: ["/"] }, title: { selector: "h1", pages: ["/"] } }, audiences: {}, experiences: [{ id: "all", type: "personalization", slots: { frame: { text: "a" }, title: { text: "b" } } }] }),
    ...COUNTING,
  });
  try {
    const { what, numbers } = await pointOf(async () => assert.match((await odd.fetch("/")).text, /<h1>b<\/h1><iframe class='frame'><\/iframe>/), odd);
    assert.deepEqual([what, numbers], ["edited", { requests: 1, edits_left_out: 1 }]);
  } finally {
    await odd.dispose();
    origin.routes["/"] = PAGE;
  }
});

test("a page that breaks off is counted as such", async () => {
  origin.routes["/"] = (request, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.write(`<h1>Hello</h1>${"<p>filler</p>".repeat(20_000)}`, () => response.destroy());
  };
  const { what, numbers } = await pointOf(async () => {
    const message = await worker.open("/");
    await assert.rejects(wholeBody(message));
  });
  assert.deepEqual([what, numbers], ["edited", { requests: 1, pages_broken_off: 1 }]);
  origin.routes["/"] = PAGE;
});

test("requests of the API are counted by endpoint and class of status, and nothing that a visitor makes up is", async () => {
  for (const [path, init, endpoint, status] of [
    ["context", {}, "context", "2xx"],
    ["decide?url=https://shop.example/", {}, "decide", "2xx"],
    ["decide", {}, "decide", "4xx"],
    ["consent", { method: "POST", body: "{}", headers: { "sec-fetch-site": "same-origin" } }, "consent", "4xx"],
    ["health", {}, "health", "2xx"],
    ["idoine.js", {}, "asset", "2xx"],
    ["secret-of-a-visitor", {}, "other", "4xx"],
    ["consent/secret-of-a-visitor/x", {}, "other", "4xx"],
    ["contextx", {}, "other", "4xx"],
    ["__proto__", {}, "other", "4xx"],
    ["", {}, "other", "4xx"],
  ] as [string, Init, string, string][]) {
    const point = await pointOf(() => worker.fetch(`/_idoine/${path}`, init));
    assert.deepEqual([point.kind, point.what, point.status], ["api", endpoint, status], path);
  }
});

test("what only passes through is not counted, unless something happened", async () => {
  const before = (await pointsOf(worker)).length;
  await worker.fetch("/style.css", { headers: { "sec-fetch-dest": "style" } });
  await worker.fetch("/", { method: "POST", body: "x" });
  const { kind } = await pointOf(() => worker.fetch("/"));
  assert.equal(kind, "page");
  assert.equal((await pointsOf(worker)).length, before + 1);
});

test("counters that fail, or are none, touch no page", async () => {
  const expected = (await worker.fetch("/?utm_campaign=spring")).text;
  for (const fault of ["throw", "gone", "odd"]) {
    for (const path of ["/?utm_campaign=spring", "/nowhere", "/_idoine/context"]) {
      const reply = await worker.fetch(path, { headers: { "x-counters": fault } });
      assert.equal(reply.status, path === "/nowhere" ? 404 : 200);
      if (path.startsWith("/?")) assert.equal(reply.text, expected);
    }
  }
  await until(() => eventsOf(worker).includes("not_counted"), "it is logged");
  // The platform's own binding, which tells nothing here of what was written to it.
  const bound = await startWorker({ origin: origin.url, manifest: site(), bindings: { analyticsEngineDatasets: { COUNTERS: { dataset: "idoine" } } } });
  try {
    assert.equal((await bound.fetch("/?utm_campaign=spring")).text, expected);
    assert.deepEqual(bound.logs.filter((line) => line.includes("not_counted")), []);
  } finally {
    await bound.dispose();
  }
});

test("Server-Timing: on what is ours, behind the origin's own, and on no page that nothing concerns", async () => {
  const send = (headers: Record<string, string>) => (origin.routes["/"] = (request, response) => void response.writeHead(200, { "content-type": "text/html", ...headers }).end(PAGE));
  send({});
  assert.match((await worker.fetch("/")).header("server-timing") ?? "", /^idoine-decide;dur=\d+(\.\d+)?, idoine-origin;dur=\d+(\.\d+)?, idoine-cache;desc=(?:miss|bypass)$/);
  send({ "server-timing": "db;dur=53, app;dur=47.2" });
  assert.match((await worker.fetch("/")).header("server-timing") ?? "", /^db;dur=53, app;dur=47\.2, idoine-decide;dur=[\d.]+, idoine-origin;dur=[\d.]+, idoine-cache;desc=(?:miss|bypass)$/);
  assert.match((await worker.fetch("/_idoine/context")).header("server-timing") ?? "", /^idoine-decide;dur=[\d.]+$/);
  // Byte for byte and header for header.
  origin.routes["/nowhere"] = (request, response) => void response.writeHead(200, { "content-type": "text/html", "server-timing": "db;dur=53", etag: '"e"', "x-odd": "1" }).end(PAGE);
  const direct = await fetch(`${origin.url}/nowhere`);
  for (const init of [{}, { headers: { "sec-fetch-dest": "image" } }, { headers: { "x-trap": "1" } }]) {
    const reply = await worker.fetch("/nowhere", init);
    assert.equal(reply.text, PAGE);
    const hop = (name: string) => !["connection", "keep-alive", "transfer-encoding", "date"].includes(name);
    assert.deepEqual(
      reply.headerList.filter(([name]) => hop(name)).sort(),
      [...direct.headers].filter(([name]) => hop(name)).sort(),
    );
  }
  origin.routes["/"] = PAGE;
});

test("traceparent and tracestate reach the origin as they came, enrichments never, and none is made up", async () => {
  const endpoint = await startOrigin({ "*": (request, response) => void response.writeHead(200, { "content-type": "application/json" }).end('{"condition":"rain"}') });
  const traced = await startWorker({
    origin: origin.url,
    manifest: site({
      enrichments: { weather: { url: `${endpoint.url}/`, fields: { condition: { type: "string", path: "condition" } } } },
      experiences: [{ id: "rain", type: "personalization", audience: "enrichment.weather.condition == 'rain'", slots: { title: { text: "Rain" } } }],
      audiences: {},
    }),
  });
  try {
    const trace = { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", tracestate: "vendor=abc,other=1" };
    for (const path of ["/", "/nowhere", "/_idoine/context"]) {
      origin.received.length = 0;
      await traced.fetch(path, { headers: trace });
      await traced.fetch(path, { method: "POST", body: "x", headers: trace });
      await traced.fetch(path);
      const got = origin.received.map(({ headers }) => [headers["traceparent"], headers["tracestate"]]);
      assert.deepEqual(got, path.startsWith("/_idoine") ? [] : [Object.values(trace), Object.values(trace), [undefined, undefined]]);
    }
    await until(() => endpoint.received.length > 0, "the endpoint was asked");
    assert.ok(endpoint.received.every(({ headers }) => headers["traceparent"] === undefined && headers["tracestate"] === undefined));
  } finally {
    await traced.dispose();
    await endpoint.close();
  }
});

test("a header says what was decided in previews, and nowhere else", async () => {
  assert.equal((await worker.fetch("/?utm_campaign=spring")).header("idoine-decisions"), null);
  const many = Object.fromEntries(Array.from({ length: 80 }, (_, at) => [`slot-number-${at}`, { selector: `.s${at}`, pages: ["/many"] }]));
  const preview = await startWorker({
    origin: origin.url,
    manifest: site({ slots: { hero: { selector: "h1", pages: ["/"] }, ...many }, audiences: {}, experiences: [{ id: "instagram", type: "personalization", audience: "source.name == 'instagram'", slots: { hero: { text: "Hi" } } }, { id: "all", type: "personalization", pages: ["/many"], slots: Object.fromEntries(Object.keys(many).map((name) => [name, { text: "x" }])) }] }),
    preview: true,
  });
  try {
    const at = async (path: string) => (await preview.fetch(`http://localhost:8787${path}`)).header("idoine-decisions");
    assert.equal(await at("/?idoine.source.name=instagram"), "hero=instagram/1 personalization match");
    assert.equal(await at("/"), "hero=- baseline no_match".replace("no_match", (await preview.fetch("http://localhost:8787/")).state!.decisions[0].reason));
    origin.routes["/many"] = PAGE;
    const long = (await at("/many"))!;
    assert.equal(long.length, 2048);
    assert.match(long, /^slot-number-0=all\/1 personalization match; /);
    // Another name of the same Worker is no place for previews.
    assert.equal((await preview.fetch("https://shop.example/?idoine.source.name=instagram")).header("idoine-decisions"), null);
  } finally {
    await preview.dispose();
  }
});

test("health: what is there, what is missing, and without Wasm", async () => {
  const { version } = (await worker.fetch("/_idoine/context")).json();
  const good = await worker.fetch("/_idoine/health");
  assert.equal(good.status, 200);
  assert.deepEqual(good.json(), { status: "ok", site: "shop", version, program: "ok", instance: "ok", origin: "ok", sites: "ok" });
  assert.equal(good.header("cache-control"), "no-store");
  assert.equal(good.header("content-type"), "application/json");
  const head = await worker.fetch("/_idoine/health", { method: "HEAD" });
  assert.deepEqual([head.status, head.wire.length], [200, 0]);
  for (const method of ["POST", "PUT", "DELETE"]) {
    const reply = await worker.fetch("/_idoine/health", { method });
    assert.deepEqual([reply.status, reply.header("allow")], [405, "GET, HEAD"], method);
  }
  // The origin is not asked: its health is told by whoever watches it.
  origin.received.length = 0;
  await worker.fetch("/_idoine/health");
  assert.deepEqual(origin.received, []);
  for (const [options, missing] of [
    [{ origin: origin.url }, { version: null, program: "missing" }],
    [{ origin: origin.url, without: ["PROGRAMS"] }, { version: null, program: "missing" }],
    [{ manifest: site() }, { origin: "missing" }],
    [{ manifest: site(), origin: "file:///etc/passwd" }, { origin: "missing" }],
    [{ manifest: site(), origin: origin.url, vars: { SITES: "{ damaged" } }, { sites: "unreadable" }],
    [{ manifest: site(), origin: origin.url, wasm: () => TRAP_MODULE }, { version: null, program: "missing", instance: "broken" }],
    [{ manifest: site(), origin: origin.url, wasm: (bytes: Uint8Array) => withTrapIn(bytes, "handle") }, { version: null, program: "missing", instance: "broken" }],
  ] as [Options, object][]) {
    const ill = await startWorker(options);
    try {
      const reply = await ill.fetch("/_idoine/health");
      assert.equal(reply.status, 503, JSON.stringify(missing));
      assert.deepEqual(reply.json(), { status: "unavailable", site: "shop", version, program: "ok", instance: "ok", origin: "ok", sites: "ok", ...missing });
      assert.equal(reply.header("cache-control"), "no-store");
    } finally {
      await ill.dispose();
    }
  }
});

test("what writes is limited for each client, where a limit is bound; nothing else is", async () => {
  const limited = await startWorker({
    origin: origin.url,
    manifest: site(),
    ...COUNTING,
    // As the platform has it; the simulator's windows are those of the clock, so that a minute may end meanwhile: hence many.
    bindings: { ratelimits: { WRITE_LIMIT: { namespace_id: "1001", simple: { limit: 3, period: 60 } } } },
  });
  try {
    const consent = (address: string, host = "shop.example") =>
      limited.fetch(`https://${host}/_idoine/consent`, { method: "POST", body: '{"granted":[]}', headers: { "sec-fetch-site": "same-origin", "cf-connecting-ip": address } });
    const statuses = async (address: string, times: number) => {
      const all = [];
      for (let at = 0; at < times; at += 1) all.push((await consent(address)).status);
      return all;
    };
    const first = await statuses("203.0.113.7", 8);
    assert.deepEqual([...new Set(first)].sort(), [200, 429]);
    assert.deepEqual(first.slice(0, 3), [200, 200, 200]);
    const refused = await statuses("203.0.113.7", 8).then(async () => consent("203.0.113.7"));
    if (refused.status === 429) {
      assert.equal(refused.json().error.code, "rate_limited");
      assert.equal(refused.header("retry-after"), "60");
      assert.equal(refused.header("cache-control"), "private, no-store");
      assert.deepEqual(refused.cookies, []);
    }
    // Another client is another one; of IPv6 the network is one.
    assert.equal((await consent("203.0.113.8")).status, 200);
    const network = [];
    for (let at = 0; at < 8; at += 1) network.push((await consent(`2001:db8:0:1:${at}::1`)).status);
    assert.ok(network.includes(429));
    assert.equal((await consent("2001:db8:0:2::1")).status, 200);
    for (let at = 0; at < 10; at += 1) {
      for (const [path, init] of [["/", {}], ["/", { method: "POST", body: "x" }], ["/_idoine/context", {}], ["/_idoine/consent", {}], ["/_idoine/decide", { method: "POST", body: '{"url":"https://shop.example/"}' }], ["/_idoine/api/decide", { method: "POST", body: "{}" }]] as [string, Init][]) {
        assert.notEqual((await limited.fetch(path, { ...init, headers: { "cf-connecting-ip": "203.0.113.7" } })).status, 429, path);
      }
    }
    // The owner's API writes too.
    const owner = [];
    for (let at = 0; at < 8; at += 1) owner.push((await limited.fetch("/_idoine/api/program", { method: "POST", body: "x", headers: { "cf-connecting-ip": "203.0.113.9", authorization: "Bearer guess" } })).status);
    assert.ok(owner.includes(429), String(owner));
    assert.ok((await pointsOf(limited)).some(({ blobs, doubles }) => blobs[1] === "consent" && blobs[4] === "4xx" && doubles[7] === 1));
    const everything = limited.logs.join() + JSON.stringify(await pointsOf(limited));
    assert.doesNotMatch(everything, /203\.0\.113|2001:db8/);
  } finally {
    await limited.dispose();
  }
  for (let at = 0; at < 10; at += 1) {
    assert.equal((await worker.fetch("/_idoine/consent", { method: "POST", body: '{"granted":[]}', headers: { "sec-fetch-site": "same-origin" } })).status, 200);
  }
});

test("a page on another host can read that it writes too often", async () => {
  const around = "return worker.fetch(request, { ...env, WRITE_LIMIT: { async limit() { return { success: false }; } } }, ctx);";
  const settings = { site: "shop", origin: origin.url };
  const SITES = JSON.stringify({ "shop.example": settings, "*.shop.example": settings, "blog.example": { site: "blog", origin: origin.url } });
  for (const [vars, known] of [[{ SITES }, ["https://shop.example", "https://www.shop.example"]], [{}, []]] as [Record<string, string>, string[]][]) {
    const limited = await startWorker({ origin: origin.url, manifest: site(), around, vars });
    try {
      for (const from of ["https://shop.example", "https://www.shop.example", "http://www.shop.example", "https://blog.example", "https://evil.example", "null"]) {
        const reply = await limited.fetch("/_idoine/consent", { method: "POST", body: '{"granted":[]}', headers: { origin: from } });
        assert.equal(reply.status, 429);
        assert.equal(reply.header("access-control-allow-origin"), from);
        assert.equal(reply.header("access-control-allow-credentials"), known.includes(from) ? "true" : null, from);
        assert.equal(reply.header("access-control-expose-headers"), "retry-after");
        assert.equal(reply.header("retry-after"), "60");
        assert.equal(reply.header("vary"), "origin");
      }
      const reply = await limited.fetch("/_idoine/collect", { method: "POST", body: "{}" });
      assert.deepEqual([reply.status, reply.header("access-control-allow-origin"), reply.header("vary")], [429, null, "origin"]);
    } finally {
      await limited.dispose();
    }
  }
});

test("a limiter that fails limits nobody", async () => {
  const open = await startWorker({ origin: origin.url, manifest: site(), around: "return worker.fetch(request, { ...env, WRITE_LIMIT: { async limit() { throw new Error('down'); } } }, ctx);" });
  try {
    const reply = await open.fetch("/_idoine/consent", { method: "POST", body: '{"granted":[]}', headers: { "sec-fetch-site": "same-origin" } });
    assert.equal(reply.status, 200);
    await until(() => eventsOf(open).includes("no_limit"), "it is logged");
  } finally {
    await open.dispose();
  }
});

test("nothing of a visitor is in a log or a data point, whatever fails", async () => {
  const MARK = "MARKER";
  const endpoint = await startOrigin();
  const manifest = site({
    enrichments: { weather: { url: `${endpoint.url}/{{ geo.city }}?ip={{ source.term }}`, fields: { condition: { type: "string", path: "condition" } } } },
    slots: { title: { selector: "h1" }, frame: { selector: ".frame" }, whole: { type: "page", pages: ["/*"] } },
    audiences: {},
    experiences: [
      { id: "page", type: "personalization", audience: "source.campaign == 'page'", slots: { whole: { page: "/other" } } },
      { id: "redirect", type: "personalization", audience: "source.campaign == 'redirect'", slots: { whole: { redirect: "/to/{{ geo.city | \"x\" }}" } } },
      { id: "all", type: "personalization", audience: "enrichment.weather.condition != 'x' || true", slots: { title: { text: "{{ source.term | \"t\" }} {{ geo.city | \"c\" }}" }, frame: { text: "{{ source.term | \"t\" }}" } } },
    ],
  });
  const options: Options = {
    origin: origin.url,
    manifest,
    ...COUNTING,
    around: `${COUNTING.around!.replace("return worker.fetch(request, { ...env, COUNTERS }, ctx);", "")}
      const EVENTS = { async send(body) { throw new Error("no"); } };
      const WRITE_LIMIT = { async limit() { return { success: !request.headers.has("x-limit") }; } };
      return worker.fetch(request, { ...env, COUNTERS, WRITE_LIMIT, ...(request.headers.has("x-no-queue") && { EVENTS }) }, ctx);`,
  };
  const watched = await startWorker(options);
  const closed = await startOrigin();
  await closed.close();
  const down = await startWorker({ ...options, origin: closed.url });
  try {
    const marked = (at: number) => ({
      cookie: `session=${MARK}${at}; idoine_consent=v1.analytics.personalization; idoine_id=${MARK}${at}-abcd-4f5e-9d57-0a3f5c1b2d4e`,
      "user-agent": `Mozilla/5.0 ${MARK}${at}`,
      referer: `https://${MARK}${at}.example/${MARK}?q=${MARK}`,
      authorization: `Bearer ${MARK}${at}`,
      "x-anything": `${MARK}${at}`,
      "cf-connecting-ip": `${MARK}${at}`,
      "accept-language": `${MARK}${at}`,
      traceparent: `${MARK}${at}`,
    });
    const answers: TestOrigin["routes"][string][] = [
      (request, response) => void response.writeHead(200, { "content-type": "application/json" }).end(`{"condition":"${MARK}"}`),
      (request, response) => void response.writeHead(200, { "content-type": "application/json" }).end(`{"a": "b"} ${MARK} "c"`),
      (request, response) => void response.writeHead(200, { "content-type": `text/${MARK}` }).end(MARK),
      (request, response) => void response.writeHead(302, { location: `/${MARK}` }).end(MARK),
      (request) => void request.socket.destroy(),
    ];
    const pages: TestOrigin["routes"][string][] = [
      `<head></head><h1>${MARK}</h1><iframe class="frame">${MARK}</iframe>`,
      (request, response) => void response.writeHead(200, { "content-type": `text/html; charset=${MARK}` }).end(MARK),
      (request, response) => void response.writeHead(500, { "content-type": "text/html", "x-a": MARK }).end(MARK),
      (request) => void request.socket.destroy(),
      (request, response) => void response.writeHead(200, { "content-type": "text/html", "content-length": "100000" }).write(`<h1>${MARK}</h1>`, () => response.destroy()),
      (request, response) => void response.writeHead(200, { "content-type": "text/html", "content-encoding": "gzip" }).end(MARK),
    ];
    let sent = 0;
    for (const from of [watched, down]) {
      for (const [at, answer] of answers.entries()) {
        endpoint.routes["*"] = answer;
        for (const page of pages) {
          origin.routes["*"] = page;
          for (const campaign of ["none", "page", "redirect"]) {
            for (const extra of [{}, { "x-trap": "1" }, { "x-no-queue": "1" }, { "sec-fetch-dest": "image" }] as Record<string, string>[]) {
              sent += 1;
              const url = `/${MARK}${at}/path?utm_campaign=${campaign}&utm_term=${MARK}${sent}&${MARK}=${MARK}`;
              const reply = from.open(url, { headers: { ...marked(at), ...extra }, cf: { city: `${MARK}${at}`, country: "FR", asOrganization: MARK } });
              await reply.then(wholeBody).catch(() => {});
            }
          }
        }
      }
      for (const [path, init] of [
        [`/_idoine/${MARK}?${MARK}`, {}],
        [`/_idoine/decide?url=${MARK}`, {}],
        [`/_idoine/decide`, { method: "POST", body: `{"${MARK}": "${MARK}` }],
        [`/_idoine/consent`, { method: "POST", body: `"${MARK}" x "${MARK}`, headers: { "sec-fetch-site": "same-origin" } }],
        [`/_idoine/consent`, { method: "POST", body: "{}", headers: { "x-limit": "1" } }],
        [`/_idoine/context?url=https://${MARK}/`, { headers: { "x-trap": "1" } }],
        [`/_idoine/api/program`, { method: "POST", body: MARK }],
        [`https://${MARK}.example/${MARK}`, {}],
      ] as [string, Init][]) {
        await from.fetch(path, { ...init, headers: { ...marked(9), ...(init.headers as object) } });
      }
    }
    const points = [...(await pointsOf(watched)), ...(await pointsOf(down))];
    assert.ok(points.length > 200);
    const logs = [...watched.logs, ...down.logs];
    // What failed was logged: that there is nothing in the logs is not why nothing is found in them.
    for (const event of ["page_as_it_is", "instance_replaced", "enrichment_failed", "edit_left_out", "page_broke_off", "origin_unreachable", "exposure_lost", "exposure", "variant_page_left_out"]) {
      assert.ok(logs.some((line) => line.includes(`"event":"${event}"`)), event);
    }
    for (const text of [...logs, ...points.map((point) => JSON.stringify(point))]) {
      assert.ok(!text.toLowerCase().includes(MARK.toLowerCase()), text);
    }
    for (const line of logs.filter(isOurs)) {
      const { level, event, message } = JSON.parse(line);
      assert.ok(["info", "warn", "error"].includes(level) && /^[a-z_]+$/.test(event) && message.startsWith("idoine: "), line);
    }
  } finally {
    await Promise.all([watched.dispose(), down.dispose()]);
    await endpoint.close();
    delete origin.routes["*"];
  }
});

test("docs/operations.md names every event, and the fields of a data point in their order", () => {
  const sources = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).filter((name) => /\.(?:js|rs)$/.test(name)).map((name) => readFileSync(join(ROOT, folder, name), "utf8"));
  const logged = [...sources("worker/js"), ...sources("worker/src")].flatMap((text) => [...text.matchAll(/\blog\(\s*"(?:info|warn|error)",\s*"(\w+)"/g)].map(([, event]) => event!));
  const page = readFileSync(join(ROOT, "docs", "operations.md"), "utf8");
  const rows = (heading: string) => {
    const section = page.slice(page.indexOf(`## ${heading}`)).split(/\n## /)[0] === undefined ? "" : page.slice(page.indexOf(`## ${heading}`) + 3).split(/\n## /)[0]!;
    return [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name!);
  };
  assert.deepEqual(rows("Logs").sort(), [...new Set(logged)].sort());
  assert.ok(logged.length > 15);
  const fields = ["index1", "blob1", "blob2", "blob3", "blob4", "blob5", "blob6", "blob7", ...Array.from({ length: FIELDS }, (_, at) => `double${at + 1}`)];
  assert.deepEqual(rows("Counters"), fields);
  for (const [at, name] of [...NAMES, "milliseconds_to_decide", "milliseconds_until", ...EVENTS].entries()) {
    assert.match(page, new RegExp(`^\\| \`double${at + 1}\` \\| ${name.replaceAll("_", " ")}`, "m"), name);
  }
});
