// Enrichments: a small weather server of the test's own, asked by the Worker beside the origin. How long a page waits is
// 50 ms, which a crowded machine may need for anything: no test counts on an answer that comes in time, only on one that
// comes, and is kept, and is there for the next page.

import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { startOrigin, startWorker } from "./harness.ts";
import type { Init, Options, Reply, TestOrigin, TestWorker } from "./harness.ts";
import { PAGE, site } from "./site.ts";
import { TRAP_MODULE } from "./wasm.ts";

let origin: TestOrigin;
let weather: TestOrigin;
let elsewhere: TestOrigin;
let worker: TestWorker;

const fields = {
  temperature: { type: "double", path: "current.temp_c" },
  degrees: { type: "int", path: "current.temp_c" },
  condition: { type: "string", path: "current.condition.text", enum: ["sunny", "rain"] },
  station: { type: "string", path: "stations.0.name" },
};

/** A site whose front page, `/two` and `/late` read the weather; `/none` is edited without reading any. */
function manifest(url = `${weather.url}/v1?lat={{ geo.latitude }}&lon={{ geo.longitude }}`): object {
  return site({
    enrichments: { weather: { url, cache_seconds: 600, fields } },
    audiences: { warm: "enrichment.weather.temperature > 20.0" },
    slots: { title: { selector: "h1", pages: ["/", "/two", "/none"] }, lead: { selector: "p.lead", pages: ["/"] } },
    experiences: [
      { id: "ice", type: "personalization", audience: "warm", pages: ["/"], slots: { title: { text: "Ice cream" } } },
      { id: "now", type: "personalization", pages: ["/", "/two"], slots: { lead: { text: "{{ enrichment.weather.degrees }} degrees, {{ enrichment.weather.condition }} at {{ enrichment.weather.station | \"your place\" }}" } } },
      { id: "plain", type: "personalization", priority: -1, slots: { title: { text: "edited" } } },
    ],
  });
}

/** What the weather server answers; each test sets it. */
const report = (temp: unknown, text: unknown = "sunny", more: object = {}) => JSON.stringify({ current: { temp_c: temp, condition: { text } }, ...more });
const json = (body: string, headers: Record<string, string> = {}): RequestListener => (_, response) =>
  void response.writeHead(200, { "content-type": "application/json; charset=utf-8", ...headers }).end(body);

/** A place that no other test asks for. */
let places = 0;
const place = () => ({ latitude: "48.85", longitude: String((places += 1)) });
const asked = (cf: { longitude: string }) => weather.received.filter(({ url }) => url.endsWith(`lon=${cf.longitude}.00`));

const heading = ({ text }: Reply) => /<h1[^>]*>(.*?)<\/h1>/s.exec(text)?.[1];
const lead = ({ text }: Reply) => /<p class="lead">(.*?)<\/p>/s.exec(text)?.[1];

/** Asks again until an answer is as it should be in the end. */
async function eventually(url: string, init: Init, check: (reply: Reply) => boolean, by = worker): Promise<Reply> {
  for (let tries = 0; tries < 200; tries += 1) {
    const reply = await by.fetch(url, init);
    assert.equal(reply.status, 200);
    if (check(reply)) {
      return reply;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`${url} did not become as expected: ${worker.logs.slice(-5).join("\n")}`);
}

async function until(check: () => boolean, what: string) {
  for (let tries = 0; tries < 500 && !check(); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(check(), what);
}

before(async () => {
  [origin, weather, elsewhere] = await Promise.all([startOrigin(), startOrigin(), startOrigin()]);
  worker = await startWorker({ origin: origin.url, manifest: manifest() });
});
after(async () => {
  await worker.dispose();
  await Promise.all([origin.close(), weather.close(), elsewhere.close()]);
});
beforeEach(() => {
  Object.assign(origin.routes, { "/": PAGE, "/two": "<h1>Two</h1>", "/none": "<h1>None</h1>" });
  weather.routes["/v1"] = json(report(21.6, "rain", { stations: [{ name: "Orly & <co>" }] }));
});

test("a value decides, and stands in the page", async () => {
  const cf = place();
  const reply = await eventually("/", { cf }, (reply) => heading(reply) === "Ice cream");
  assert.equal(lead(reply), "22 degrees, rain at Orly &amp; &lt;co&gt;");
  assert.equal(reply.state?.decisions.find((decision) => decision.slot === "title").experience, "ice");
  assert.equal(asked(cf)[0]!.url, `/v1?lat=48.85&lon=${cf.longitude}.00`);
});

test("one answer for a place, another for another place", async () => {
  const [here, there] = [place(), place()];
  await eventually("/", { cf: here }, (reply) => heading(reply) === "Ice cream");
  const hits = asked(here).length;
  for (let page = 0; page < 10; page += 1) {
    await worker.fetch("/", { cf: here });
    // A neighbour: rounded to the same place.
    await worker.fetch("/", { cf: { ...here, latitude: "48.8522" } });
  }
  assert.equal(asked(here).length, hits);
  weather.routes["/v1"] = json(report(-3));
  const reply = await eventually("/", { cf: there }, (reply) => lead(reply)!.startsWith("-3 degrees"));
  assert.equal(heading(reply), "edited");
  assert.ok(asked(there).length > 0);
  assert.equal(heading(await eventually("/", { cf: here }, (reply) => heading(reply) === "Ice cream")), "Ice cream");
  assert.equal(asked(here).length, hits);
});

test("an endpoint is asked only where an experience of the page reads it, and its URL can be said", async () => {
  const cf = place();
  assert.equal(heading(await worker.fetch("/none", { cf })), "edited");
  assert.equal(heading(await worker.fetch("/two", { cf })), "edited");
  await worker.fetch("/elsewhere", { cf });
  assert.deepEqual(asked(cf), []);
  const before = weather.received.length;
  for (const cf of [{}, { latitude: "1" }, { latitude: "north", longitude: "1" }]) {
    const reply = await worker.fetch("/", { cf });
    assert.equal(heading(reply), "edited");
    assert.equal(lead(reply), "Things");
  }
  // Those of other tests may come late; they are about another latitude.
  assert.deepEqual(weather.received.slice(before).filter(({ url }) => !url.includes("lat=48.85&")), []);
});

test("a slow endpoint holds no page back, and its answer is there for the next one", async () => {
  const cf = place();
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  weather.routes["/v1"] = async (_, response) => {
    await released;
    response.writeHead(200, { "content-type": "application/json" }).end(report(30));
  };
  // It arrives whole while the endpoint has not answered.
  const reply = await worker.fetch("/", { cf });
  assert.equal(heading(reply), "edited");
  assert.equal(lead(reply), "Things");
  await until(() => asked(cf).length === 1, "the endpoint is asked");
  release();
  // Who asks from now on gets no answer: the next page has the first one.
  weather.routes["/v1"] = () => {};
  assert.equal(lead(await eventually("/", { cf }, (reply) => heading(reply) === "Ice cream")), "30 degrees, sunny at your place");
});

test("the origin is asked while an endpoint is waited for", async () => {
  // The endpoint answers when the origin has been asked, so that a page with its answer proves the order.
  weather.routes["/v1"] = async (_, response) => {
    const longitude = String(places);
    await until(() => origin.received.some(({ headers }) => headers["x-place"] === longitude), "the origin was asked");
    response.writeHead(200, { "content-type": "application/json" }).end(report(30));
  };
  for (let tries = 0; tries < 50; tries += 1) {
    // A new place each time: nothing comes from the cache.
    const cf = place();
    const reply = await worker.fetch("/", { cf, headers: { "x-place": cf.longitude, "accept-encoding": "br, zstd", "if-none-match": '"x"' } });
    const seen = origin.received.filter(({ headers }) => headers["x-place"] === cf.longitude);
    assert.equal(seen.length, 1, "the origin is asked once");
    assert.equal(seen[0]!.headers["if-none-match"], undefined);
    assert.equal(seen[0]!.headers["accept-encoding"], "br");
    if (heading(reply) === "Ice cream") {
      return;
    }
  }
  assert.fail("no page had an answer that waited for the origin to be asked");
});

test("an answer that is none is unknown, the page is fine, and the endpoint is left alone for a while", async () => {
  elsewhere.routes["/v1"] = json(report(30));
  const faults: [string, RequestListener][] = [
    ["an error", (_, response) => void response.writeHead(500, { "content-type": "application/json" }).end(report(30))],
    ["not found", (_, response) => void response.writeHead(404, { "content-type": "application/json" }).end(report(30))],
    ["not JSON", json('{"current":{"temp_c":30')],
    ["nothing", json("")],
    ["no UTF-8", (_, response) => void response.writeHead(200, { "content-type": "application/json" }).end(Buffer.from([0x22, 0xff, 0x22]))],
    ["HTML", (_, response) => void response.writeHead(200, { "content-type": "text/html" }).end(report(30))],
    ["too large", json(report(30, "sunny", { padding: "x".repeat(64 * 1024) }))],
    ["too large, and it does not say so", (_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write(report(30, "sunny", { padding: "x".repeat(40 * 1024) }));
      response.end(" ".repeat(40 * 1024));
    }],
    ["a redirect", (_, response) => void response.writeHead(302, { location: `${elsewhere.url}/v1` }).end()],
    ["a redirect to itself", (request, response) => void response.writeHead(307, { location: request.url! }).end()],
    ["cut off", (_, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
      response.write(report(30));
      setTimeout(() => response.destroy(), 5);
    }],
    ["no answer at all", (_, response) => void response.destroy()],
  ];
  for (const [what, fault] of faults) {
    const cf = place();
    const before = worker.logs.length;
    weather.routes["/v1"] = fault;
    const failed = () => worker.logs.slice(before).some((line) => line.includes("no answer of 127.0.0.1"));
    const reply = await worker.fetch("/", { cf });
    assert.equal(heading(reply), "edited", what);
    assert.equal(lead(reply), "Things", what);
    await until(failed, `${what}: ${worker.logs.slice(before).join("\n")}`);
    // Once that is kept, nobody asks; the cache forgets it after five seconds.
    const pages = 5;
    for (let page = 0; page < pages; page += 1) {
      await worker.fetch("/", { cf });
    }
    assert.ok(asked(cf).length < 1 + pages, `${what}: asked ${asked(cf).length} times`);
  }
  assert.deepEqual(elsewhere.received, []);
  assert.ok(worker.logs.every((line) => !line.includes("lat=")), "no place is logged");
});

test("an endpoint that is down is unknown", async () => {
  const down = await startOrigin();
  await down.close();
  const other = await startWorker({ origin: origin.url, manifest: manifest(`${down.url}/{{ geo.city }}`) });
  try {
    const reply = await other.fetch("/", { cf: { city: "Lyon" } });
    assert.equal(heading(reply), "edited");
    assert.equal(lead(reply), "Things");
  } finally {
    await other.dispose();
  }
});

test("an endpoint that never answers is let go", async () => {
  const cf = place();
  let gone = false;
  weather.routes["/v1"] = (request) => void request.socket.on("close", () => (gone = true));
  assert.equal(heading(await worker.fetch("/", { cf })), "edited");
  for (let tries = 0; tries < 300 && !gone; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(gone);
});

test("an origin that is down while an endpoint is waited for", async () => {
  const down = await startOrigin();
  await down.close();
  const other = await startWorker({ origin: down.url, manifest: manifest() });
  try {
    const reply = await other.fetch("/", { cf: place() });
    assert.equal(reply.status, 502);
    assert.match(reply.text, /can't be reached at the moment/);
  } finally {
    await other.dispose();
  }
});

test("a value of another type is unknown, the others are there", async () => {
  const cf = place();
  weather.routes["/v1"] = json(report("30", "rain", { stations: [{ name: "Orly" }] }));
  const context = async () => (await worker.fetch("/_idoine/context", { cf })).json().context;
  await eventually("/_idoine/context", { cf }, (reply) => "enrichment.weather.station" in reply.json().context);
  const { "enrichment.weather.temperature": temperature, "enrichment.weather.degrees": degrees, "enrichment.weather.condition": condition } = await context();
  assert.deepEqual([temperature, degrees, condition], [undefined, undefined, "rain"]);
  const odd = place();
  weather.routes["/v1"] = json(report(30, "drizzle", { stations: [{ name: "Orly" }] }));
  await eventually("/_idoine/context", { cf: odd }, (reply) => {
    const { context } = reply.json();
    assert.equal(context["enrichment.weather.condition"], undefined);
    return context["enrichment.weather.temperature"] === 30;
  });
});

test("the context and the decision say it too", async () => {
  const cf = place();
  await eventually("/_idoine/context?url=https://shop.example/", { cf }, (reply) => reply.json().context["enrichment.weather.temperature"] === 21.6);
  const decided = await eventually("/_idoine/decide?url=https://shop.example/", { cf }, (reply) => reply.json().decisions[0].experience === "ice");
  assert.equal(decided.json().edits.find((edit: any) => edit.slot === "lead").value, "22 degrees, rain at Orly & <co>");
  const posted = await eventually("/_idoine/decide", { cf, method: "POST", body: JSON.stringify({ url: "https://shop.example/" }) }, (reply) => reply.json().decisions[0].experience === "ice");
  assert.equal(posted.header("cache-control"), "private, no-store");
  const other = place();
  const context = (await worker.fetch("/_idoine/context?url=https://shop.example/none", { cf: other })).json().context;
  assert.equal(context["enrichment.weather.temperature"], undefined);
  assert.deepEqual(asked(other), []);
  // Without a page: whoever decides for many pages asks once.
  const whole = await startWorker({ origin: origin.url, manifest: { ...manifest(), experiences: [] } });
  try {
    await eventually("/_idoine/context", { cf: other }, (reply) => reply.json().context["enrichment.weather.degrees"] === 22, whole);
  } finally {
    await whole.dispose();
  }
});

test("previews: a place and a value as written, a visitor with values of its own", async () => {
  const preview = await startWorker({ origin: origin.url, manifest: manifest(), preview: true });
  try {
    const cf = place();
    await eventually(`http://localhost/?idoine.geo.latitude=10&idoine.geo.longitude=${cf.longitude}`, {}, (reply) => heading(reply) === "Ice cream", preview);
    assert.equal(asked(cf)[0]!.url, `/v1?lat=10.00&lon=${cf.longitude}.00`);
    const reply = await preview.fetch("http://localhost/?idoine.enrichment.weather.temperature=5", { cf });
    assert.equal(heading(reply), "edited");
    const own = place();
    const visitor = { url: "https://shop.example/", cf: own, enrichments: { "enrichment.weather.temperature": 40 } };
    const decided = (await preview.fetch("http://localhost/_idoine/decide", { method: "POST", body: JSON.stringify(visitor) })).json();
    assert.equal(decided.decisions[0].experience, "ice");
    assert.deepEqual(asked(own), []);
  } finally {
    await preview.dispose();
  }
});

test("an endpoint learns nothing of a visitor but what its URL says", async () => {
  const cf = place();
  const secret = "tell-nobody";
  const headers = { cookie: `idoine_id=${secret}; a=${secret}`, authorization: secret, "user-agent": secret, "accept-language": secret, referer: `https://x.example/${secret}`, "x-forwarded-for": "203.0.113.9", "cf-connecting-ip": "203.0.113.9", "x-other": secret };
  weather.routes["/v1"] = (_, response) => void response.writeHead(200, { "content-type": "application/json", "set-cookie": `from=${secret}`, "x-from": secret }).end(report(30));
  const reply = await eventually("/", { cf, headers }, (reply) => heading(reply) === "Ice cream");
  const seen = JSON.stringify(asked(cf));
  assert.doesNotMatch(seen, /tell-nobody|203\.0\.113/);
  assert.doesNotMatch(JSON.stringify(reply.headerList), /tell-nobody/);
  assert.equal(asked(cf)[0]!.headers["accept"], "application/json");
});

test("a page that is kept is found while an endpoint is waited for", async () => {
  const cf = place();
  origin.routes["/two"] = (_, response) => void response.writeHead(200, { "content-type": "text/html", "cache-control": "public, max-age=600" }).end("<h1>Two</h1><p class=lead></p>");
  const asked = () => origin.received.filter(({ url }) => url === "/two?kept").length;
  let before = -1;
  for (let tries = 0; tries < 200 && before !== asked(); tries += 1) {
    before = asked();
    assert.equal(heading(await worker.fetch("/two?kept", { cf })), "edited");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(asked(), before, "in the end a page is not asked for");
});

test("the failure of one request does not undo the answer of another", async () => {
  const cf = place();
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  let first = true;
  weather.routes["/v1"] = async (request, response) => {
    if (first) {
      first = false;
      await released;
      response.writeHead(500).end();
    } else {
      json(report(30))(request, response);
    }
  };
  assert.equal(heading(await worker.fetch("/", { cf })), "edited");
  await eventually("/", { cf }, (reply) => heading(reply) === "Ice cream");
  const before = worker.logs.length;
  const hits = asked(cf).length;
  release();
  await until(() => worker.logs.slice(before).some((line) => line.includes("status 500")), "the first one failed");
  for (let page = 0; page < 5; page += 1) {
    await eventually("/", { cf }, (reply) => heading(reply) === "Ice cream");
  }
  assert.equal(asked(cf).length, hits);
});

test("many at once hurt nobody", async () => {
  const cf = place();
  const replies = await Promise.all(Array.from({ length: 30 }, () => worker.fetch("/", { cf })));
  for (const reply of replies) {
    assert.equal(reply.status, 200);
    assert.ok(reply.state);
    assert.ok(["Ice cream", "edited"].includes(heading(reply)!));
  }
  await eventually("/", { cf }, (reply) => heading(reply) === "Ice cream");
});

test("an endpoint behind the Worker itself is no page", async () => {
  const looped = await startWorker({ origin: origin.url, manifest: manifest() });
  try {
    origin.routes["/api/weather"] = json(report(30));
    // Says which page asks: it must never be the endpoint's own answer.
    const everywhere = {
      ...manifest(`${looped.address.origin}/api/weather?for={{ page.path }}`),
      slots: { title: { selector: "h1" } },
      experiences: [{ id: "ice", type: "personalization", audience: "warm", slots: { title: { text: "Ice cream" } } }],
    };
    await looped.publish(everywhere);
    await eventually("/", {}, (reply) => heading(reply) === "Ice cream", looped);
    const calls = origin.received.map(({ url }) => url).filter((url) => url.startsWith("/api/weather"));
    assert.deepEqual([...new Set(calls)], ["/api/weather?for=%2F"]);
  } finally {
    await looped.dispose();
  }
});

/** Tells what is put into caches, and lets a request trap the Wasm instance while others wait for their enrichments. */
const WATCHED: Options = {
  modules: { "trap.wasm": TRAP_MODULE },
  before: `
    import trapModule from "./trap.wasm";
    const { trap } = new WebAssembly.Instance(trapModule).exports;
    const clock = Date.now;
    let armed = false;
    Date.now = () => {
      const now = armed;
      armed = false;
      if (now) trap();
      return clock();
    };
    // Nobody's patience ends: what is waited for is what the test says.
    const { setTimeout: later } = globalThis;
    globalThis.setTimeout = (run, delay, ...rest) => later(run, delay === 50 ? 1e8 : delay, ...rest);
    const puts = [];
    const real = globalThis.caches;
    globalThis.caches = {
      open: async (name) => {
        const cache = await real.open(name);
        return {
          match: (key) => cache.match(key),
          put(key, response) {
            puts.push({ name, key, keep: response.headers.get("cache-control") });
            return cache.put(key, response);
          },
        };
      },
    };`,
  around: `
    if (request.headers.has("x-puts")) return Response.json(puts);
    armed = request.headers.has("x-trap");
    return worker.fetch(request, env, ctx);`,
};

test("answers are kept as long as the manifest says, failures shortly, under a name that no visitor asks for", async () => {
  const watched = await startWorker({ origin: origin.url, manifest: manifest(), ...WATCHED });
  try {
    const puts = async () => (await watched.fetch("/", { headers: { "x-puts": "1" } })).json<{ name: string; key: string; keep: string }[]>();
    const [good, bad] = [place(), place()];
    assert.equal(heading(await watched.fetch("/", { cf: good })), "Ice cream");
    weather.routes["/v1"] = (_, response) => void response.writeHead(503).end();
    assert.equal(heading(await watched.fetch("/", { cf: bad })), "edited");
    for (let tries = 0; tries < 100 && (await puts()).length < 2; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const name = (cf: { longitude: string }) => `https://enrichment.invalid/${encodeURIComponent(`${weather.url}/v1?lat=48.85&lon=${cf.longitude}.00`)}`;
    assert.deepEqual(await puts(), [
      { name: "idoine-enrichment", key: name(good), keep: "max-age=600" },
      { name: "idoine-enrichment", key: name(bad), keep: "max-age=5" },
    ]);
  } finally {
    await watched.dispose();
  }
});

test("a trap beside a page that waits: it goes out as the origin sent it, asked for once", async () => {
  const watched = await startWorker({ origin: origin.url, manifest: manifest(), ...WATCHED });
  try {
    await eventually("/", { cf: place() }, (reply) => heading(reply) === "Ice cream", watched);
    const cf = place();
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    weather.routes["/v1"] = async (_, response) => {
      await released;
      response.writeHead(200, { "content-type": "application/json" }).end(report(30));
    };
    const waiting = watched.fetch("/", { cf, headers: { "x-place": cf.longitude } });
    await until(() => asked(cf).length > 0, "the endpoint is asked");
    assert.equal((await watched.fetch("/two", { headers: { "x-trap": "1" } })).text, "<h1>Two</h1>");
    assert.equal((await waiting).text, PAGE);
    release();
    assert.equal(origin.received.filter(({ headers }) => headers["x-place"] === cf.longitude).length, 1);
    await eventually("/", { cf }, (reply) => heading(reply) === "Ice cream", watched);
  } finally {
    await watched.dispose();
  }
});
