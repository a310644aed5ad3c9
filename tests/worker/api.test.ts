// The API below /_idoine/: what pages, front ends and previews ask.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { compile, startOrigin, startWorker } from "./harness.ts";
import type { TestOrigin, TestWorker } from "./harness.ts";
import { IPHONE, PAGE, site } from "./site.ts";

const LOCAL = "http://localhost:8787";

let origin: TestOrigin;
/** A site on the internet. */
let worker: TestWorker;
/** A developer's machine. */
let preview: TestWorker;

before(async () => {
  origin = await startOrigin({ "*": PAGE });
  worker = await startWorker({ origin: origin.url, manifest: site() });
  preview = await startWorker({ origin: origin.url, manifest: site(), preview: true });
});
after(async () => {
  await Promise.all([worker.dispose(), preview.dispose(), origin.close()]);
});

const decide = (body: unknown, headers: Record<string, string> = {}, to = worker, base = "") =>
  to.fetch(`${base}/_idoine/decide`, { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) });

const winners = (decisions: any[]) => Object.fromEntries(decisions.filter((decision) => decision.experience).map((decision) => [decision.slot, decision.experience]));

test("context: what is known of the request, without an id", async () => {
  const reply = await worker.fetch("/_idoine/context?url=https%3A%2F%2Fshop.example%2Fcollections%2Fshoes%3Futm_source%3Dinstagram%26utm_medium%3Dsocial", {
    headers: { "user-agent": IPHONE, "accept-language": "fr-CA,fr;q=0.9", cookie: "idoine_consent=v1.personalization; idoine_id=12345678-abcd", referer: "https://shop.example/elsewhere" },
    cf: { country: "FR", city: "Lyon", latitude: "45.76", longitude: "4.83", isEUCountry: "1", timezone: "Europe/Paris", asn: 3215, asOrganization: "Orange" },
  });
  assert.equal(reply.status, 200);
  assert.equal(reply.header("content-type"), "application/json");
  assert.equal(reply.header("cache-control"), "private, no-store");
  assert.equal(reply.header("x-content-type-options"), "nosniff");
  const { version, context, preview: isPreview } = reply.json();
  assert.match(version, /^[0-9a-f]{16}$/);
  assert.equal(isPreview, false);
  const expected = {
    "page.host": "shop.example",
    "page.path": "/collections/shoes",
    "source.name": "instagram",
    "source.medium": "social",
    "source.channel": "Organic Social",
    "device.type": "mobile",
    "language.tag": "fr-CA",
    "language.accepted": ["fr-CA", "fr"],
    "geo.country": "FR",
    "geo.is_eu": true,
    "geo.latitude": 45.76,
    "network.asn": 3215,
    "visitor.returning": true,
    "consent.personalization": true,
  };
  for (const [path, value] of Object.entries(expected)) {
    assert.deepEqual(context[path], value, path);
  }
  assert.equal(typeof context["time.hour"], "number");
  assert.equal(context["source.referrer_host"], undefined);
  assert.doesNotMatch(reply.text, /12345678-abcd/);
});

test("decide: the same decisions as the page itself, by GET and POST", async () => {
  for (const [url, headers, cf] of [
    ["https://shop.example/?utm_campaign=spring", {}, {}],
    ["https://shop.example/", { "user-agent": IPHONE }, {}],
    ["https://shop.example/", { "accept-language": "fr" }, { city: "Lyon" }],
    ["https://shop.example/", { cookie: "idoine_consent=v1.personalization; idoine_id=12345678-abcd" }, { country: "CA" }],
    ["https://shop.example/nowhere", {}, {}],
  ] as const) {
    const page = (await worker.fetch(url, { headers, cf })).state;
    const get = await worker.fetch(`/_idoine/decide?url=${encodeURIComponent(url)}`, { headers, cf });
    const post = await worker.fetch("/_idoine/decide", { method: "POST", headers: { ...headers, "content-type": "text/plain" }, cf, body: JSON.stringify({ url, referrer: "https://elsewhere.example/" }) });
    assert.equal(get.status, 200);
    assert.deepEqual(get.json(), post.json(), url);
    assert.deepEqual(get.json().decisions, page?.decisions ?? [], url);
    assert.equal(get.json().explain, undefined);
    assert.equal(get.json().receipt, undefined);
  }
  const { edits } = (await worker.fetch("/_idoine/decide?url=https://shop.example/?utm_campaign=ops")).json();
  assert.deepEqual(edits.filter((edit: any) => edit.slot === "title"), [{ slot: "title", selector: "h1", op: "text", value: '1 < 2 & "3" é' }]);
});

test("decide refuses what it can't read", async () => {
  for (const body of ['["https://shop.example/q"]', "", "{", "[]", "null", "{}", '{"url":1}', '{"url":"/path"}', '{"url":"nonsense"}', "\0", `${"[".repeat(100_000)}`]) {
    const reply = await decide(body);
    assert.equal(reply.status, 400, body.slice(0, 20));
    assert.equal(reply.json().error.code, "bad_request");
  }
  assert.equal((await decide(`{"url":"https://shop.example/${"a".repeat(300_000)}"}`)).status, 413);
  assert.equal((await worker.fetch("/_idoine/decide")).status, 400);
});

test("addresses and methods that there are not", async () => {
  for (const path of ["/_idoine/", "/_idoine/nothing", "/_idoine/decide/", "/_idoine/%64ecide", "/_idoine/../_idoine/x", "/_idoine/personas", "/_idoine/program"]) {
    const reply = await worker.fetch(path);
    assert.equal(reply.status, 404, path);
    assert.equal(reply.json().error.code, "not_found");
  }
  for (const [path, method] of [["/_idoine/context", "POST"], ["/_idoine/program", "DELETE"], ["/_idoine/decide", "PUT"], ["/_idoine/consent", "PATCH"]] as const) {
    const reply = await worker.fetch(path, { method });
    assert.equal(reply.status, 405);
    assert.match(reply.header("allow")!, /GET/);
  }
  const head = await worker.fetch("/_idoine/context", { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(head.wire.length, 0);
  assert.equal(head.header("content-type"), "application/json");
  // What is not below the base path is the origin's.
  assert.equal((await worker.fetch("/_idoine")).text, PAGE);
});

test("preview: the program's bytes, named by their version", async () => {
  const { program, version } = await compile(site());
  const reply = await preview.fetch(`${LOCAL}/_idoine/program`);
  assert.equal(reply.header("content-type"), "application/octet-stream");
  assert.equal(reply.header("etag"), `"${version}"`);
  assert.equal(reply.header("cache-control"), "private, no-cache");
  assert.ok(reply.bytes.equals(program));
  const known = await preview.fetch(`${LOCAL}/_idoine/program`, { headers: { "if-none-match": `W/"x", "${version}"` } });
  assert.equal(known.status, 304);
  const named = await preview.fetch(`${LOCAL}/_idoine/program?v=${version}`);
  assert.ok(named.bytes.equals(program));
  assert.equal(named.header("cache-control"), "private, max-age=31536000, immutable");
  for (const wrong of ["0123456789abcdef", "", "nonsense", "..%2fsite:shop"]) {
    assert.equal((await preview.fetch(`${LOCAL}/_idoine/program?v=${wrong}`)).status, 404, wrong);
  }
});

test("a page with an older version still gets that program", async () => {
  const other = await startWorker({ origin: origin.url, manifest: site(), preview: true });
  try {
    const { program, version } = await compile(site());
    await other.publish(site({ experiences: [] }));
    assert.ok((await other.fetch(`${LOCAL}/_idoine/program?v=${version}`)).bytes.equals(program));
    await other.kv.put("program:00000000000000aa", new Uint8Array([1, 2, 3]).buffer);
    assert.equal((await other.fetch(`${LOCAL}/_idoine/program?v=00000000000000aa`)).status, 404);
  } finally {
    await other.dispose();
  }
});

test("other hosts of the site may ask, with credentials; no one else", async () => {
  for (const path of ["/_idoine/context", "/_idoine/decide?url=https://www.shop.example/", "/_idoine/consent"]) {
    const trusted = await worker.fetch(path, { headers: { origin: "https://www.shop.example" } });
    assert.equal(trusted.header("access-control-allow-origin"), "https://www.shop.example", path);
    assert.equal(trusted.header("access-control-allow-credentials"), "true");
    assert.equal(trusted.header("vary"), "origin");
    for (const origin of ["https://evil.example", "null", "http://www.shop.example", "https://shop.example.evil.example"]) {
      const reply = await worker.fetch(path, { headers: { origin } });
      assert.equal(reply.header("access-control-allow-origin"), null, origin);
      assert.equal(reply.header("access-control-allow-credentials"), null, origin);
      assert.equal(reply.header("vary"), "origin");
    }
  }
  const preflight = await worker.fetch("/_idoine/consent", { method: "OPTIONS", headers: { origin: "https://www.shop.example", "access-control-request-method": "POST", "access-control-request-headers": "content-type" } });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.header("access-control-allow-origin"), "https://www.shop.example");
  assert.match(preflight.header("access-control-allow-methods")!, /POST/);
  assert.equal(preflight.header("access-control-allow-headers"), "content-type, if-none-match");
  assert.equal((await worker.fetch("/_idoine/consent", { method: "OPTIONS", headers: { origin: "https://evil.example" } })).header("access-control-allow-origin"), null);
});

test("preview parameters replace any value of the context, and the origin never sees them", async () => {
  const heading = (html: string) => /<h1>(.*?)<\/h1>/.exec(html)?.[1];
  const page = await preview.fetch(`${LOCAL}/?a=1&idoine.geo.country=CA&b=%20x+y`, { headers: { "user-agent": "x" }, cf: { country: "FR" } });
  assert.equal(heading(page.text), "Hello, Canada");
  assert.equal(origin.received.at(-1)!.url, "/?a=1&b=%20x+y");
  assert.match(page.text, /<script type="module" src="\/_idoine\/bar.js"><\/script><\/head>/);
  assert.equal(page.header("x-robots-tag"), "noindex");
  assert.equal(page.header("cache-control"), "private, no-store");
  assert.equal(heading((await preview.fetch(`${LOCAL}/?idoine.device.type=mobile`)).text), "On your phone");
  assert.equal(heading((await preview.fetch(`${LOCAL}/?idoine.device.type=`, { headers: { "user-agent": IPHONE } })).text), "Welcome");
  assert.equal(heading((await preview.fetch(`${LOCAL}/?idoine.source.campaign=spring`)).text), "Spring &amp; more");
  const returning = await preview.fetch(`${LOCAL}/?idoine.consent.personalization=true&idoine.visitor.id=preview-1`);
  assert.match(returning.text, /<p id="place">Welcome back<\/p>/);
  assert.equal(returning.state!.decisions.find((decision) => decision.slot === "button").reason, "split");
  assert.deepEqual(returning.cookies, []);
  // They are gone from a page that nothing concerns, and from what is sent to the origin by POST, too.
  await preview.fetch(`${LOCAL}/nowhere?idoine.geo.country=CA`);
  assert.equal(origin.received.at(-1)!.url, "/nowhere");
  await preview.fetch(`${LOCAL}/form?x=1&idoine.geo.country=CA`, { method: "POST", body: "a" });
  assert.equal(origin.received.at(-1)!.url, "/form?x=1");
  for (const nonsense of ["idoine.=x", "idoine.nothing=x", "idoine.time.hour=late", "idoine.now=then", "idoine.visitor.id=%3Cscript%3E", "idoine.geo.country=%FF%FE", "idoine.%00=%00", `idoine.geo.city=${"x".repeat(5000)}`]) {
    assert.equal((await preview.fetch(`${LOCAL}/?${nonsense}`)).status, 200, nonsense.slice(0, 30));
  }
});

test("away from a developer's machine preview parameters are like any other", async () => {
  for (const [to, url] of [
    [worker, `${LOCAL}/?idoine.geo.country=CA`], // no variable
    [preview, "https://shop.example/?idoine.geo.country=CA"], // no loopback name
    [preview, "http://localhost.evil.example/?idoine.geo.country=CA"],
    [preview, "http://127.0.0.1.evil.example/?idoine.geo.country=CA"],
  ] as const) {
    const page = await to.fetch(url);
    assert.match(page.text, /<h1>Welcome<\/h1>/, url);
    assert.doesNotMatch(page.text, /bar\.js/);
    assert.equal(origin.received.at(-1)!.url, "/?idoine.geo.country=CA");
    assert.equal((await to.fetch(new URL("/_idoine/personas", url).href)).status, 404);
    assert.equal((await to.fetch(new URL("/_idoine/context?idoine.geo.country=CA", url).href)).json().context["geo.country"], undefined);
    assert.equal((await to.fetch(new URL("/_idoine/context", url).href)).json().preview, false);
    const body = await to.fetch(new URL("/_idoine/decide?explain", url).href, { method: "POST", body: JSON.stringify({ url: "https://shop.example/", context: { "geo.country": "CA" } }) });
    assert.equal(winners(body.json().decisions)["title"], undefined);
    assert.equal(body.json().explain, undefined);
    assert.equal(body.json().receipt, undefined);
  }
  for (const host of ["localhost:8787", "127.0.0.1:8787", "127.1.2.3", "[::1]:8787", "shop.localhost"]) {
    assert.match((await preview.fetch(`http://${host}/?idoine.geo.country=CA`)).text, /Hello, Canada/, host);
  }
});

test("preview: context and decide take the page's parameters and the request's own", async () => {
  const context = async (query: string) => (await preview.fetch(`${LOCAL}/_idoine/context?${query}`)).json();
  const page = encodeURIComponent(`${LOCAL}/two?x=1&idoine.geo.country=CA`);
  assert.equal((await context(`url=${page}`)).preview, true);
  assert.equal((await context(`url=${page}`)).context["geo.country"], "CA");
  assert.equal((await context(`url=${page}`)).context["page.url"], `${LOCAL}/two?x=1`);
  assert.equal((await context(`url=${page}&idoine.geo.country=FR`)).context["geo.country"], "FR");
  assert.deepEqual(winners((await decide({ url: `${LOCAL}/?idoine.geo.country=CA` }, {}, preview, LOCAL)).json().decisions)["title"], "canada");
});

test("preview: a whole visitor is decided for, and explained", async () => {
  const visitor = {
    url: "https://shop.example/?utm_campaign=spring",
    headers: { "User-Agent": IPHONE, "accept-language": "fr", cookie: "idoine_consent=v1.personalization; idoine_id=12345678-abcd" },
    cf: { country: "FR", timezone: "Europe/Paris", latitude: 48.85, isEUCountry: "1" },
    now: "2026-11-20T12:30:00Z",
    context: { "geo.city": "Lyon" },
  };
  // The request's own headers and place must not matter.
  const reply = await preview.fetch(`${LOCAL}/_idoine/decide?explain`, { method: "POST", headers: { "accept-language": "de", "sec-gpc": "1" }, cf: { country: "DE" }, body: JSON.stringify(visitor) });
  const { decisions, edits, explain } = reply.json();
  assert.equal(winners(decisions)["title"], "campaign");
  assert.equal(winners(decisions)["place"], "returning");
  assert.ok(edits.length > 0);
  assert.equal(explain.context["geo.country"], "FR");
  assert.equal(explain.context["geo.city"], "Lyon");
  assert.equal(explain.context["time.hour"], 13);
  assert.equal(explain.context["visitor.returning"], true);
  const title = explain.slots.find((slot: any) => slot.slot === "title");
  assert.deepEqual(title.candidates.find((candidate: any) => candidate.experience === "phone"), { experience: "phone", reason: "slot_taken", by: "campaign" });
  assert.deepEqual(title.candidates.find((candidate: any) => candidate.experience === "canada"), { experience: "canada", reason: "audience" });
  assert.doesNotMatch(reply.text, /12345678-abcd/);
  // The same again, and without the reasons.
  const again = (await preview.fetch(`${LOCAL}/_idoine/decide`, { method: "POST", body: JSON.stringify(visitor) })).json();
  assert.deepEqual([explain.receipt, again.receipt], [reply.json().receipt, reply.json().receipt]);
  assert.deepEqual([again.receipt.program, again.receipt.time, again.receipt.context.length], [again.version, visitor.now, 32]);
  assert.equal((await worker.fetch("/_idoine/context")).json().context["page.path"], "/");
  const referred = await worker.fetch("/_idoine/context?url=https://shop.example/&referrer=https://www.google.com/");
  assert.equal(referred.json().context["source.channel"], "Organic Search");
  assert.equal((await worker.fetch("/_idoine/context?url=nonsense")).status, 400);
  for (const bad of [{ ...visitor, headers: [] }, { ...visitor, cf: { country: {} } }, { ...visitor, extra: 1 }]) {
    const refused = await decide(bad, {}, preview, LOCAL);
    assert.equal(refused.status, 400);
    assert.match(refused.json().error.message, /no visitor/);
  }
});

test("preview: personas", async () => {
  const reply = await preview.fetch(`${LOCAL}/_idoine/personas`);
  assert.deepEqual(reply.json(), { "Parisian on a phone": { "device.type": "mobile", "geo.country": "FR", now: "2026-11-20T12:30:00Z" } });
});

test("the files that pages load", async () => {
  for (const name of ["idoine.js", "engine.js", "tools.js", "author.js", "client.js", "bar.js"]) {
    const reply = await worker.fetch(`/_idoine/${name}`);
    assert.equal(reply.status, 200, name);
    assert.equal(reply.header("content-type"), "text/javascript; charset=utf-8");
    assert.equal(reply.header("access-control-allow-origin"), "*");
    assert.equal(reply.header("x-content-type-options"), "nosniff");
    assert.ok(reply.wire.length > 0);
    const known = await worker.fetch(`/_idoine/${name}`, { headers: { "if-none-match": reply.header("etag")! } });
    assert.equal(known.status, 304, name);
    assert.equal(known.header("etag"), reply.header("etag"));
    for (const one of [reply, known]) {
      assert.equal(one.header("cache-control"), "public, no-cache", name);
    }
  }
  for (const name of ["engine.wasm", "tools.wasm", "author.wasm"]) {
    const reply = await worker.fetch(`/_idoine/${name}`);
    assert.equal(reply.header("content-type"), "application/wasm", name);
    assert.equal(reply.header("cache-control"), "public, no-cache", name);
    assert.equal((await worker.fetch(`/_idoine/${name}`, { headers: { "if-none-match": reply.header("etag")! } })).status, 304, name);
    assert.equal(reply.bytes.subarray(0, 4).toString("latin1"), "\0asm");
  }
  assert.equal((await worker.fetch("/_idoine/nothing.js")).status, 404);
  assert.equal((await worker.fetch("/_idoine/idoine.js", { method: "POST", body: "x" })).status, 405);
  const head = await worker.fetch("/_idoine/idoine.js", { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(head.wire.length, 0);
});

test("without its files the site goes on", async () => {
  const bare = await startWorker({ origin: origin.url, manifest: site(), without: ["ASSETS"] });
  try {
    assert.equal((await bare.fetch("/_idoine/idoine.js")).status, 503);
    assert.ok((await bare.fetch("/")).state);
  } finally {
    await bare.dispose();
  }
});
