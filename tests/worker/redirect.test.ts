// Variants that are a whole page: a redirect, which nothing is asked of the origin for, and another page of the origin at
// the same address, which the other edits of the page are then made in.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { Reply, startOrigin, startWorker, wholeBody } from "./harness.ts";
import type { Init, TestOrigin, TestWorker } from "./harness.ts";
import { PAGE } from "./site.ts";

let origin: TestOrigin;
let weather: TestOrigin;
let worker: TestWorker;
let preview: TestWorker;

const when = (campaign: string, content: object) => ({ id: campaign, type: "personalization", audience: `source.campaign == '${campaign}'`, slots: { whole: content } });

/** A page that campaigns change as a whole, and a heading that is edited on it in any case. */
function manifest(): object {
  return {
    site: { id: "shop", hosts: ["shop.example", "localhost"] },
    enrichments: { weather: { url: `${weather.url}/?at={{ geo.city }}`, fields: { condition: { type: "string", path: "condition" } } } },
    slots: {
      whole: { type: "page", pages: ["/", "/new"] },
      waiting: { type: "page", pages: ["/waiting"] },
      title: { selector: "h1" },
    },
    experiences: [
      when("path", { redirect: "/new" }),
      when("query", { redirect: "/new?a=%20b#part" }),
      when("city", { redirect: "/in/{{ geo.city | \"nowhere\" }}/{{ source.content | \"\" }}" }),
      when("host", { redirect: "https://other.example/from-shop" }),
      when("same-host", { redirect: "https://shop.example/new" }),
      when("self", { redirect: "/" }),
      when("self-part", { redirect: "https://shop.example/#part" }),
      when("other", { page: "/other" }),
      when("strange", { page: "/a b/é/%2e%2E/x" }),
      { id: "sunny", type: "personalization", audience: "enrichment.weather.condition == 'sunny'", slots: { waiting: { redirect: "/new" } } },
      { id: "rainy", type: "personalization", audience: "enrichment.weather.condition == 'rain'", slots: { waiting: { page: "/other" } } },
      { id: "edited", type: "personalization", slots: { title: { text: "Edited" } } },
    ],
  };
}

before(async () => {
  [origin, weather] = await Promise.all([startOrigin(), startOrigin()]);
  worker = await startWorker({ origin: origin.url, manifest: manifest() });
  preview = await startWorker({ origin: origin.url, manifest: manifest(), preview: true });
});
after(async () => {
  await Promise.all([worker.dispose(), preview.dispose()]);
  await Promise.all([origin.close(), weather.close()]);
});
beforeEach(() => {
  Object.assign(origin.routes, { "/": PAGE, "/new": "<h1>New</h1>", "/other": "<head></head><h1>Other</h1><p>page</p>" });
  origin.received.length = 0;
});

const HTML = { accept: "text/html,application/xhtml+xml,*/*;q=0.8", "sec-fetch-dest": "document" };
const go = (campaign: string, init: Init = {}, more = "") => worker.fetch(`/?utm_campaign=${campaign}${more}`, { ...init, headers: { ...HTML, ...(init.headers as object) } });
const heading = ({ text }: Reply) => /<h1[^>]*>(.*?)<\/h1>/s.exec(text)?.[1];

/** Fails unless the visitor is led there, and nowhere else, without the origin having been asked. */
function assertLeadsTo(reply: Reply, location: string) {
  assert.equal(reply.status, 302);
  assert.equal(reply.header("location"), location);
  assert.equal(reply.header("cache-control"), "private, no-store");
  assert.equal(reply.wire.length, 0);
  assert.deepEqual(reply.cookies, []);
  assert.deepEqual(origin.received, []);
}

test("a redirect leads to the variant's address, and the origin is not asked", async () => {
  assertLeadsTo(await go("path"), "https://shop.example/new?utm_campaign=path");
  assertLeadsTo(await go("query"), "https://shop.example/new?a=%20b#part");
  assertLeadsTo(await go("host"), "https://other.example/from-shop?utm_campaign=host");
  assertLeadsTo(await go("same-host", {}, "&x=1+2"), "https://shop.example/new?utm_campaign=same-host&x=1+2");
});

test("a visitor's words stay words in it", async () => {
  for (const [city, expected] of [
    ["Lyon", "Lyon"],
    ["L'Haÿ-les-Roses", "L%27Ha%C3%BF-les-Roses"],
    ["a\r\nset-cookie: b=c", "a%0D%0Aset-cookie%3A%20b%3Dc"],
    ["/evil.example", "%2Fevil.example"],
    ["a?b#c&d", "a%3Fb%23c%26d"],
    ["\\evil.example", "%5Cevil.example"],
  ] as const) {
    const reply = await go("city", { cf: { city } });
    assert.match(reply.header("location") ?? "", /^https:\/\/shop\.example\/in\/[^/]+\/\?utm_campaign=city$/, city);
    assertLeadsTo(reply, `https://shop.example/in/${expected}/?utm_campaign=city`);
  }
  // Dots lead upwards, within the site; here to the page itself, where the visitor is.
  const up = await go("city", { cf: { city: ".." } });
  assert.deepEqual([up.status, heading(up)], [200, "Edited"]);
});

test("a page is not redirected to itself", async () => {
  for (const campaign of ["self", "self-part"]) {
    const reply = await worker.fetch(`/?utm_campaign=${campaign}`, { headers: HTML });
    assert.equal(reply.status, 200, campaign);
    assert.equal(heading(reply), "Edited");
  }
  const reply = await worker.fetch("/new?utm_campaign=path", { headers: HTML });
  assert.equal(reply.status, 200);
  assert.equal(heading(reply), "Edited");
});

test("only who wants a page is led elsewhere", async () => {
  for (const init of [
    { method: "HEAD", headers: HTML },
    { method: "POST", headers: HTML, body: "a=b" },
    { headers: { ...HTML, range: "bytes=0-3" } },
    { headers: { ...HTML, "sec-fetch-dest": "image" } },
    // What scripts fetch as data.
    { headers: { accept: "*/*", "sec-fetch-dest": "empty" } },
    { headers: { accept: "application/json", "sec-fetch-dest": "empty" } },
  ]) {
    for (const campaign of ["path", "other"]) {
      const reply = await worker.fetch(`/?utm_campaign=${campaign}`, init);
      assert.equal(reply.status, 200, JSON.stringify(init));
      assert.equal(origin.received.at(-1)?.url, `/?utm_campaign=${campaign}`);
    }
  }
  for (const headers of [{}, { accept: "*/*" }, { ...HTML, "sec-fetch-dest": "empty" }, { ...HTML, "sec-fetch-dest": "iframe" }]) {
    origin.received.length = 0;
    assertLeadsTo(await worker.fetch("/?utm_campaign=path", { headers }), "https://shop.example/new?utm_campaign=path");
  }
});

test("another page of the origin: the address and the query stay, and the other edits are made in it", async () => {
  const reply = await go("other", { headers: { cookie: "a=1; idoine_consent=v1.personalization", "if-none-match": '"x"', "accept-encoding": "gzip, zstd" } }, "&x=1+2");
  assert.equal(reply.status, 200);
  assert.match(reply.text, /<h1>Edited<\/h1><p>page<\/p>/);
  assert.deepEqual(reply.state?.decisions.map(({ slot, experience }) => [slot, experience]), [["whole", "other"], ["title", "edited"]]);
  assert.equal(reply.header("cache-control"), "private, no-store");
  assert.equal(origin.received.length, 1);
  const [{ url, headers }] = origin.received as [TestOrigin["received"][number]];
  assert.equal(url, "/other?utm_campaign=other&x=1+2");
  assert.equal(headers["cookie"], "a=1");
  assert.equal(headers["x-forwarded-host"], "shop.example");
  assert.equal(headers["if-none-match"], undefined);
  assert.equal(headers["accept-encoding"], "gzip");
});

test("a path is a path of the origin, whatever it looks like", async () => {
  origin.routes["*"] = "<h1>Strange</h1>";
  await go("strange");
  assert.equal(origin.received.at(-1)?.url, "/a%20b/x?utm_campaign=strange");
  delete origin.routes["*"];
});

test("another page is one visitor's at this address, even where nothing in it can be edited", async () => {
  for (const type of ["text/html; charset=iso-2022-jp", "application/pdf"]) {
    const bytes = Buffer.from("<h1>caf\xe9</h1>", "latin1");
    origin.routes["/other"] = (request, response) =>
      void response.writeHead(200, { "content-type": type, "cache-control": "public, max-age=600", etag: '"e"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT", "accept-ranges": "bytes", "set-cookie": "a=1", "content-length": bytes.length }).end(bytes);
    const reply = await go("other");
    assert.ok(reply.bytes.equals(bytes), type);
    assert.equal(reply.header("cache-control"), "private, no-store");
    for (const name of ["etag", "last-modified", "accept-ranges"]) assert.equal(reply.header(name), null, name);
    assert.deepEqual(reply.cookies, ["a=1"]);
    assert.equal(reply.header("content-length"), String(bytes.length));
  }
});

test("where the other page is not to be had, the visitor gets the page itself", async () => {
  for (const status of [301, 302, 303, 307, 308, 404, 410, 403, 500, 503]) {
    origin.received.length = 0;
    const headers = { "content-type": "text/html", ...(status < 400 && { location: "elsewhere/" }) };
    origin.routes["/other"] = (request, response) => void response.writeHead(status, headers).end("<h1>Sorry</h1>".repeat(10_000));
    const reply = await go("other");
    assert.equal(reply.status, 200);
    assert.equal(heading(reply), "Edited");
    assert.match(reply.text, /<p class="lead">Things<\/p>/);
    assert.equal(reply.header("location"), null);
    assert.deepEqual(origin.received.map(({ url }) => url.split("?")[0]), ["/other", "/"]);
  }
  origin.routes["/other"] = (request) => void request.socket.destroy();
  assert.equal(heading(await go("other")), "Edited");
  assert.match(worker.logs.join("\n"), /a variant's page has the status 404: the page itself is shown/);
  assert.match(worker.logs.join("\n"), /a variant's page has the status 301: the page itself is shown/);
});

test("previews: both work, and the preview goes along within the site", async () => {
  const LOCAL = "http://localhost:8787";
  const look = (query: string) => preview.fetch(`${LOCAL}/${query}`, { headers: HTML });
  assertLeadsTo(await look("?x=1&idoine.source.campaign=path&idoine.geo.city=Saint-%C3%89tienne+1"), `${LOCAL}/new?x=1&idoine.source.campaign=path&idoine.geo.city=Saint-%C3%89tienne%201`);
  assertLeadsTo(await look("?idoine.source.campaign=query"), `${LOCAL}/new?a=%20b&idoine.source.campaign=query#part`);
  assertLeadsTo(await look("?idoine.source.campaign=host"), "https://other.example/from-shop");
  // To itself, as the page itself has no such parameters.
  assert.equal((await look("?idoine.source.campaign=self")).status, 200);
  const reply = await look("?x=1&idoine.source.campaign=other");
  assert.equal(heading(reply), "Edited");
  assert.equal(origin.received.at(-1)?.url, "/other?x=1");
  assert.match(reply.text, /bar\.js/);
  assert.equal((await look("?idoine.source.campaign=path")).header("x-robots-tag"), "noindex");
});

test("where an answer had to be waited for, the page that was asked for meanwhile is given up", async () => {
  const report = (condition: string) => void (weather.routes["/"] = (request, response) => void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ condition })));
  /** Asks until the weather came in time, and gives back that answer. */
  const eventually = async (city: string, check: (reply: Reply) => boolean): Promise<Reply> => {
    for (let tries = 0; tries < 200; tries += 1) {
      const reply = await worker.fetch("/waiting", { headers: HTML, cf: { city } });
      if (check(reply)) return reply;
    }
    assert.fail("the weather was never there in time");
  };
  const logged = worker.logs.length;
  origin.routes["/waiting"] = "<h1>Waiting</h1>";
  report("sunny");
  await eventually("Nice", (reply) => reply.status === 302);
  report("rain");
  await eventually("Brest", (reply) => reply.text.includes("<p>page</p>"));
  // From now on the weather is known. The page itself never ends, or never begins: nobody waits for it, and it is cut off.
  const open: ServerResponse[] = [];
  for (const begin of [true, false]) {
    origin.routes["/waiting"] = (request, response) => {
      open.push(response);
      if (begin) response.writeHead(200, { "content-type": "text/html" }).write("<h1>Waiting</h1>");
    };
    const sunny = await worker.fetch("/waiting", { headers: HTML, cf: { city: "Nice" } });
    assert.deepEqual([sunny.status, sunny.header("location")], [302, "https://shop.example/new"]);
    // Even while the variant's page is still on its way.
    let finish = () => {};
    origin.routes["/other"] = (request, response) => {
      response.writeHead(200, { "content-type": "text/html" }).write("<head></head><h1>Other</h1>");
      finish = () => response.end("<p>page</p>");
    };
    const message = await worker.open("/waiting", { headers: HTML, cf: { city: "Brest" } });
    for (const response of open) if (!response.closed) await once(response, "close", { signal: AbortSignal.timeout(10_000) });
    finish();
    assert.match(new Reply(message, await wholeBody(message)).text, /<h1>Edited<\/h1><p>page<\/p>/);
  }
  // Where the other page is not to be had, the page that was asked for meanwhile is there.
  origin.routes["/waiting"] = PAGE;
  origin.routes["/other"] = (request, response) => void response.writeHead(404).end();
  origin.received.length = 0;
  const reply = await worker.fetch("/waiting", { headers: HTML, cf: { city: "Brest" } });
  assert.match(reply.text, /<h1>Edited<\/h1><p class="lead">/);
  assert.deepEqual(origin.received.map(({ url }) => url).sort(), ["/other", "/waiting"]);
  assert.deepEqual(worker.logs.slice(logged).filter((line) => /unhandled|Uncaught|can't be reached/i.test(line)), []);
});
