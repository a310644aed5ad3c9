// The origin's pages, kept once for all: each clause of the rule by itself. What counts is how often the origin is asked.

import assert from "node:assert/strict";
import type { OutgoingHttpHeaders } from "node:http";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { CLOCKED, Kept, answer, dated, heading, newPath, page } from "./kept.ts";

let kept: Kept;
before(async () => {
  kept = await Kept.start({ vars: { IDOINE_CACHE_COOKIES: "_ga*, theme", IDOINE_CACHE_VARIANTS: "0" } });
});
after(() => kept.stop());

const PUBLIC = { "cache-control": "public, max-age=600" };
const CANADA = { cf: { country: "CA" } };

/** What the origin says of a page, what becomes of it, and the body if it matters. */
const ANSWERS: [name: string, expected: string, headers: OutgoingHttpHeaders, body?: string | Buffer, status?: number][] = [
  ["public and fresh", "kept", PUBLIC],
  ["shared caches are told by s-maxage", "kept", { "cache-control": "public, max-age=0, s-maxage=60" }],
  ["Expires", "kept", { "cache-control": "public", expires: new Date(Date.now() + 600_000).toUTCString() }],
  ["in capitals, quoted", "kept", { "cache-control": 'PUBLIC , Max-Age="600"' }],
  ["must-understand beside no-store", "kept", { "cache-control": "public, max-age=60, must-understand, no-store" }],
  ["decoded bytes", "kept", { ...PUBLIC, "content-encoding": "gzip" }, gzipSync(page("Page"))],
  ["Vary that is understood", "kept", { ...PUBLIC, vary: "Accept-Encoding, Cookie, X-Forwarded-Host" }],
  ["Vary by a header that the visitor does not send", "kept", { ...PUBLIC, vary: "accept-encoding, RSC" }],
  ["a policy without a nonce", "kept", { ...PUBLIC, "content-security-policy": "script-src 'self' 'sha256-abc'" }],
  ["a lifetime above its age", "kept", { "cache-control": "public, max-age=600", age: "500" }],
  ["a header for CDNs that allows it", "kept", { ...PUBLIC, "cdn-cache-control": "max-age=60" }],

  ["nothing said", "not_public", {}],
  ["fresh, but not public", "not_public", { "cache-control": "max-age=600" }],
  ["s-maxage alone", "not_public", { "cache-control": "s-maxage=600" }],
  ["public in another word", "not_public", { "cache-control": "max-age=600, x=public, nonpublic" }],
  ["public in a quoted text", "not_public", { "cache-control": 'max-age=600, x="a, public"' }],
  ["no lifetime", "not_fresh", { "cache-control": "public" }],
  ["a lifetime of 0", "not_fresh", { "cache-control": "public, max-age=0" }],
  ["s-maxage goes before max-age", "not_fresh", { "cache-control": "public, max-age=600, s-maxage=0" }],
  ["the least of two lifetimes", "not_fresh", { "cache-control": "public, max-age=600, max-age=0" }],
  ["a lifetime that is no number", "not_fresh", { "cache-control": "public, max-age=1d" }],
  ["no less than nothing", "not_fresh", { "cache-control": "public, max-age=-60" }],
  ["as old as its lifetime", "not_fresh", { "cache-control": "public, max-age=600", age: "600" }],
  ["dated long ago", "not_fresh", { ...PUBLIC, date: new Date(Date.now() - 3_600_000).toUTCString() }],
  ["expired", "not_fresh", { "cache-control": "public", expires: "0" }],
  ["only stale for long", "not_fresh", { "cache-control": "public, stale-while-revalidate=600" }],
  ["no-store", "no_store", { "cache-control": "public, max-age=600, no-store" }],
  ["No-Store in a second header", "no_store", { "cache-control": ["public, max-age=600", "No-Store"] as never }],
  ["no-store for CDNs", "no_store", { ...PUBLIC, "cdn-cache-control": "no-store" }],
  ["private", "private", { "cache-control": "public, private, max-age=600" }],
  ["private fields", "private", { "cache-control": 'public, max-age=600, private="x-user, x-cart"' }],
  ["private for surrogates", "private", { ...PUBLIC, "surrogate-control": "private" }],
  ["no-cache", "no_cache", { "cache-control": "public, max-age=600, no-cache" }],
  ["no-cache of fields", "no_cache", { "cache-control": 'no-cache="set-cookie", public, max-age=600' }],
  ["a quoted text without an end", "no_cache", { "cache-control": 'public, max-age=600, x="a, no-cache' }],
  ["CDNs are given no time", "not_fresh", { ...PUBLIC, "cloudflare-cdn-cache-control": "max-age=0" }],
  ["a cookie is set", "set_cookie", { ...PUBLIC, "set-cookie": "session=1" }],
  ["one of ours would be, too", "set_cookie", { ...PUBLIC, "set-cookie": "idoine_id=1" }],
  ["a nonce in the policy", "nonce", { ...PUBLIC, "content-security-policy": "script-src 'Nonce-abc'" }],
  ["a nonce in a policy that only reports", "nonce", { ...PUBLIC, "content-security-policy-report-only": "default-src 'self'; script-src 'nonce-abc'" }],
  ["a header that is not ASCII", "headers", { ...PUBLIC, "x-powered-by": "ünï" }],
  ["Vary: *", "vary", { ...PUBLIC, vary: "*" }],
  ["Vary: * among others", "vary", { ...PUBLIC, vary: "Accept-Encoding, *" }],
  ["Vary by what the visitor sends", "vary", { ...PUBLIC, vary: "User-Agent" }],
  ["Vary by what the visitor sends, in a second header", "vary", { ...PUBLIC, vary: ["Accept-Encoding", "Accept-Language"] as never }],
  ["a nonce in an attribute", "token", PUBLIC, page('Page<script nonce="abc"></script>')],
  ["a nonce in a meta element", "token", PUBLIC, page("Page<meta http-equiv=Content-Security-Policy content=\"script-src &#39;NONCE-abc&#39;\">")],
  ["a token in a form", "token", PUBLIC, page('Page<input type="hidden" name="csrfmiddlewaretoken" value="abc">')],
  ["a token in a meta element", "token", PUBLIC, page('Page<meta name="csrf-token" content="abc">')],
  ["a token of another name", "token", PUBLIC, page('Page<input name="__RequestVerificationToken" value="abc">')],
  ["a token of yet another name", "token", PUBLIC, page('Page<input name="authenticity_token" value="abc">')],
  ["too large, as it says", "too_large", { ...PUBLIC, "content-length": Buffer.byteLength(page("Page")) + 4_500_000 }, page("Page") + " ".repeat(4_500_000)],
  ["too large, as it turns out", "too_large", { ...PUBLIC, "transfer-encoding": "chunked" }, page("Page") + " ".repeat(4_500_000)],
  ["UTF-16", "charset", { ...PUBLIC, "content-type": "text/html" }, Buffer.from(`\ufeff${page("Page")}`, "utf16le")],
  ["an encoding that is not decoded", "no_page", { ...PUBLIC, "content-encoding": "zstd" }],
  ["no HTML", "no_page", { ...PUBLIC, "content-type": "application/json" }],
  ["not found", "no_page", PUBLIC, page("Page"), 404],
  ["another success", "no_page", PUBLIC, page("Page"), 203],
  ["a redirect", "no_page", { ...PUBLIC, location: "/p/other" }, "", 301],
  ["an error", "no_page", PUBLIC, page("Page"), 503],
];

for (const [name, expected, headers, body = page("Page"), status = 200] of ANSWERS) {
  test(`kept or not: ${name}`, async () => {
    const path = newPath();
    kept.origin.routes[path] = answer(body, headers, status);
    const init = { headers: { "accept-encoding": "gzip", "user-agent": "test", "accept-language": "en" } };
    const first = await kept.visit(path, init, expected);
    const second = expected === "kept" ? (await kept.outcome(path, init)).reply : await kept.visit(path, init, expected);
    assert.equal(kept.asked(path), expected === "kept" ? 1 : 2);
    assert.equal(second.text, first.text);
    assert.equal(second.status, status);
    if (expected === "kept") {
      assert.equal(heading(await kept.worker.fetch(path, CANADA)), "Hello, Canada");
      assert.equal(kept.asked(path), 1);
    }
  });
}

/** What a visitor sends to a page that is kept, and what comes of it. */
const VISITS: [name: string, outcome: string, headers: Record<string, string>][] = [
  ["nothing special", "hit", { "user-agent": "x", "accept-language": "fr", accept: "text/html,*/*;q=0.8", "sec-fetch-dest": "document", referer: "https://x.example/", dnt: "1" }],
  ["our own cookies", "hit", { cookie: "idoine_consent=v1.personalization; idoine_id=12345678-abcd" }],
  ["cookies that pages do not depend on", "hit", { cookie: "_ga=1; idoine_id=12345678-abcd; _ga_ABC=2;theme=dark" }],
  ["conditional", "hit", { "if-none-match": '"e"', "if-modified-since": "Thu, 01 Jan 2026 00:00:00 GMT" }],
  ["as old as it may be", "hit", { "cache-control": "max-age=600" }],
  ["nothing of relevance to caches", "hit", { "cache-control": "no-transform, only-if-cached, max-stale" }],
  ["a session", "bypass cookie", { cookie: "session=1" }],
  ["a session among others", "bypass cookie", { cookie: "_ga=1; session=1; idoine_id=12345678-abcd" }],
  ["a cookie whose name only begins so", "bypass cookie", { cookie: "themes=1" }],
  ["a cookie without a name", "bypass cookie", { cookie: "abc" }],
  ["a cookie whose value looks like ours", "bypass cookie", { cookie: "x=idoine_id" }],
  ["a log-in", "bypass authorization", { authorization: "Basic YTpi" }],
  ["no wish to be kept", "bypass no_store", { "cache-control": "no-store" }],
  ["asked by a script", "bypass script", { "sec-fetch-dest": "empty" }],
  ["asked for data", "bypass accept", { accept: "application/json" }],
  ["a header that pages are not asked with", "bypass header", { "x-original-url": "/admin" }],
  ["what the network adds", "hit", { "cf-ray": "1", "cf-ipcountry": "CA", "cf-visitor": '{"scheme":"https"}' }],
  ["a log-in of Access", "bypass header", { "cf-access-jwt-assertion": "a.b.c" }],
  ["who Access says they are", "bypass header", { "cf-access-authenticated-user-email": "a@shop.example" }],
  ["a service's id of Access", "bypass header", { "cf-access-client-id": "a.access" }],
  ["a service's secret of Access", "bypass header", { "cf-access-client-secret": "a" }],
  ["a certificate", "bypass header", { "cf-client-cert-der-base64": "a" }],
  ["a certificate's hash", "bypass header", { "cf-client-cert-sha256": "a" }],
  ["a condition for the origin", "bypass header", { "if-match": '"e"' }],
  ["reload", "bypass reload", { "cache-control": "no-cache" }],
  ["reload of old", "bypass reload", { pragma: "no-cache" }],
  ["newer than it is", "miss", { "cache-control": "max-age=0" }],
  ["fresh for longer than it is", "miss", { "cache-control": "min-fresh=601" }],
];

for (const [name, expected, headers] of VISITS) {
  test(`a visitor sends ${name}`, async () => {
    const path = newPath();
    kept.origin.routes[path] = answer(page("Page"), { ...PUBLIC, date: dated(-1) });
    await kept.visit(path);
    const { reply, outcome } = await kept.outcome(path, { headers, ...CANADA });
    assert.equal(outcome, expected);
    assert.equal(kept.asked(path), expected === "hit" ? 1 : 2);
    assert.equal(heading(reply), "Hello, Canada");
    const { cookie } = headers;
    if (expected.startsWith("bypass") && cookie !== undefined) {
      const passed = cookie.split("; ").filter((pair) => !pair.startsWith("idoine_")).join("; ");
      assert.equal(kept.origin.received.at(-1)!.headers["cookie"], passed);
    }
  });
}

test("a page that varies by a header is for those who don't send it, and stays so", async () => {
  const path = newPath();
  const saving = { headers: { "save-data": "on" } };
  kept.origin.routes[path] = (request, response) => answer(page(request.headers["save-data"] === undefined ? "large" : "small"), { ...PUBLIC, vary: "Save-Data" })(request, response);
  assert.equal(heading(await kept.visit(path)), "large");
  assert.equal(heading(await kept.visit(path, saving, "vary")), "small");
  assert.equal(heading(await kept.visit(path, saving, "vary")), "small");
  const { reply, outcome } = await kept.outcome(path);
  assert.equal(outcome, "hit");
  assert.equal(heading(reply), "large");
});

test("what is asked for all is asked without cookies; an answer to a visitor with a session is not kept", async () => {
  const path = newPath();
  kept.origin.routes[path] = (request, response) => answer(page(`for ${request.headers.cookie ?? "all"}`), PUBLIC)(request, response);
  assert.equal(heading(await kept.worker.fetch(path, { headers: { cookie: "session=1; _ga=2" } })), "for session=1; _ga=2");
  assert.equal(heading(await kept.visit(path, { headers: { cookie: "_ga=2; idoine_id=12345678-abcd" } })), "for all");
  assert.equal(heading(await kept.worker.fetch(path, { headers: { cookie: "session=3" } })), "for session=3");
  assert.equal((await kept.outcome(path)).outcome, "hit");
  assert.equal(heading(await kept.worker.fetch(path)), "for all");
});

test("a reload renews what is kept, for everyone; who wishes nothing to be kept does not", async () => {
  const path = newPath();
  kept.origin.routes[path] = answer(page("one"), PUBLIC);
  await kept.visit(path);
  kept.origin.routes[path] = answer(page("two"), PUBLIC);
  assert.equal(heading(await kept.worker.fetch(path, { headers: { "cache-control": "no-store" } })), "two");
  assert.equal(heading(await kept.worker.fetch(path)), "one");
  assert.equal(heading(await kept.visit(path, { headers: { "cache-control": "no-cache" } })), "two");
  assert.equal(heading(await kept.worker.fetch(path)), "two");
});

for (const control of ["max-age=0", "no-cache"]) {
  test(`a page that turns private is no longer given to anyone, once someone asked with ${control}`, async () => {
    const path = newPath();
    kept.origin.routes[path] = answer(page("public"), PUBLIC);
    await kept.visit(path);
    kept.origin.routes[path] = answer(page("private"), { "cache-control": "private" });
    await kept.visit(path, { headers: { "cache-control": control } }, "private");
    for (let tries = 0; tries < 200 && heading(await kept.worker.fetch(path)) === "public"; tries += 1);
    assert.equal(heading(await kept.worker.fetch(path)), "private");
  });
}

test("host, port, scheme, path and query are different pages", async () => {
  const path = newPath();
  kept.origin.routes[path] = (request, response) =>
    answer(page(`${request.headers["x-forwarded-proto"]}://${request.headers["x-forwarded-host"]}${request.url}`), PUBLIC)(request, response);
  const urls = ["https://shop.example", "http://shop.example", "https://shop.example:8443", "https://other.example"].flatMap((host) => ["", "?a=1", "?a=1&b=2", "?b=2&a=1", "?"].map((query) => host + path + query));
  const shown = (url: string) => (url.endsWith("?") ? url.slice(0, -1) : url).replace(/&/g, "&");
  for (const url of urls) {
    assert.equal(heading(await kept.visit(url)), heading(await kept.worker.fetch(url)));
  }
  for (const url of urls) {
    const { reply, outcome } = await kept.outcome(url);
    assert.equal(outcome, "hit", url);
    assert.equal(heading(reply)!.replace(/\?$/, ""), shown(url));
  }
});

test("a page that is never to be kept is not looked for each time, and is again after a while", async () => {
  const path = newPath();
  kept.origin.routes[path] = answer(page("Page"), { "cache-control": "no-store" });
  const outcomes: string[] = [];
  for (let times = 0; times < 5; times += 1) {
    outcomes.push((await kept.outcome(path)).outcome);
  }
  assert.deepEqual(outcomes, ["miss", "miss", "miss", "bypass not_kept", "bypass not_kept"]);
  assert.equal(kept.asked(path), 5);
  try {
    await kept.setAhead(31);
    kept.origin.routes[path] = answer(page("Page"), { ...PUBLIC, date: dated() });
    await kept.visit(path);
    assert.equal((await kept.outcome(path)).outcome, "hit");
  } finally {
    await kept.setAhead(0);
  }
});

test("what comes from the cache looks as what comes from the origin", async () => {
  const path = newPath();
  kept.origin.routes[path] = answer(page("Page"), { ...PUBLIC, date: dated(), etag: '"e"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT", vary: "Accept-Encoding", "x-powered-by": "\"it\"", "content-security-policy": "script-src 'self'", link: "</a.css>; rel=preload", age: "3" });
  const first = await kept.visit(path);
  const second = await kept.worker.fetch(path);
  assert.equal(kept.asked(path), 1);
  const names = (reply: typeof first) => reply.headerList.filter(([name]) => !["connection", "keep-alive", "transfer-encoding", "content-length", "server-timing"].includes(name)).sort();
  assert.deepEqual(names(second), names(first));
  assert.equal(second.header("cache-control"), "private, no-store");
  for (const name of ["age", "etag", "last-modified", "cf-cache-status", "x-idoine-kept", "set-cookie"]) {
    assert.equal(second.header(name), null, name);
  }
  assert.equal(second.text, first.text);
});

test("who can't decode what the origin sent to the first visitor gets what they can", async () => {
  const path = newPath();
  kept.origin.routes[path] = answer(gzipSync(page("Packed")), { ...PUBLIC, "content-encoding": "gzip", etag: '"packed"' });
  const first = await kept.visit(path, { headers: { "accept-encoding": "gzip" } });
  const second = await kept.worker.fetch(path);
  assert.equal(kept.asked(path), 1);
  assert.equal(second.header("content-encoding"), null);
  assert.equal(second.text, first.text);
  assert.equal(heading(second), "Packed");
});

test("a page that no experience concerns is not kept, and goes out byte for byte", async () => {
  kept.origin.routes["/none"] = answer("<h1>None</h1>", { ...PUBLIC, etag: '"e"' });
  for (let times = 1; times <= 3; times += 1) {
    const { reply, outcome } = await kept.outcome("/none");
    assert.equal(outcome, "");
    assert.equal(reply.text, "<h1>None</h1>");
    assert.equal(reply.header("cache-control"), PUBLIC["cache-control"]);
    assert.equal(kept.asked("/none"), times);
  }
});

test("HEAD and ranges are asked of the origin", async () => {
  const path = newPath();
  kept.origin.routes[path] = answer(page("Page"), PUBLIC);
  await kept.visit(path);
  await kept.worker.fetch(path, { method: "HEAD" });
  await kept.worker.fetch(path, { headers: { range: "bytes=0-9" } });
  await kept.worker.fetch(path, { method: "POST", body: "a=b" });
  assert.equal(kept.asked(path), 4);
});

test("the first visitor does not wait for the store, and a token that comes in two chunks is found", async () => {
  for (const [begin, end, expected] of [["<h1>x</h1><script non", 'ce="abc"></script>', "token"], ["<h1>x</h1><p>", "</p>", "kept"]] as const) {
    const path = newPath();
    let finish = () => {};
    kept.origin.routes[path] = (_, response) => {
      response.writeHead(200, { "content-type": "text/html", ...PUBLIC, date: dated() });
      response.write(begin);
      finish = () => response.end(end);
    };
    const before = await kept.report();
    const message = await kept.worker.open(path);
    let body = "";
    const ended = new Promise((resolve) => message.once("end", resolve));
    await new Promise<void>((resolve) => message.on("data", (chunk) => ((body += chunk), resolve())));
    assert.match(body, /^<h1>x<\/h1>/);
    finish();
    await ended;
    assert.ok(body.includes(begin + end));
    const after = await kept.until(({ kept, not_kept }) => kept.pages > before.kept.pages || (not_kept["token"] ?? 0) > (before.not_kept["token"] ?? 0), "kept or not");
    assert.equal(after.kept.pages - before.kept.pages, expected === "kept" ? 1 : 0);
  }
});

test("a visitor who leaves takes the page from nobody", async () => {
  const path = newPath();
  let finish = () => {};
  kept.origin.routes[path] = (_, response) => {
    response.writeHead(200, { "content-type": "text/html", ...PUBLIC, date: dated() });
    response.write("<h1>x</h1>");
    finish = () => response.end("<p>whole</p>");
  };
  const before = await kept.report();
  const message = await kept.worker.open(path);
  await new Promise((resolve) => message.once("data", resolve));
  message.destroy();
  finish();
  const { kept: pages } = await kept.until(({ kept: now, not_kept }) => now.pages > before.kept.pages || (not_kept["broke_off"] ?? 0) > (before.not_kept["broke_off"] ?? 0), "kept or not");
  kept.origin.routes[path] = answer("<h1>x</h1><p>whole</p>", PUBLIC);
  assert.match((await kept.worker.fetch(path)).text, /<p>whole<\/p>/);
  assert.equal(kept.asked(path), pages.pages > before.kept.pages ? 1 : 2);
});

test("a body that is cut off is never kept", async () => {
  const whole = page("Page") + "x".repeat(100_000);
  for (const [name, headers] of Object.entries({ length: { "content-length": Buffer.byteLength(whole) }, chunked: {} })) {
    const path = newPath();
    kept.origin.routes[path] = (_, response) => {
      response.writeHead(200, { "content-type": "text/html", ...PUBLIC, date: dated(), ...headers });
      response.write(whole.slice(0, 50_000), () => setImmediate(() => response.destroy()));
    };
    const before = (await kept.report()).not_kept["broke_off"] ?? 0;
    await assert.rejects(kept.worker.fetch(path), name);
    await kept.until(({ not_kept }) => not_kept["broke_off"] === before + 1, name);
    kept.origin.routes[path] = answer(whole, PUBLIC);
    assert.ok((await kept.visit(path)).text.endsWith("xxx"), name);
    assert.equal(kept.asked(path), 2);
  }
});

test("a body that stops for long is not kept, and is no longer in the way of others", async () => {
  const impatient = await Kept.start({
    vars: { IDOINE_CACHE_VARIANTS: "0" },
    before: `${CLOCKED.before}
    const { setTimeout: given } = globalThis;
    globalThis.setTimeout = (run, delay, ...rest) => given(run, delay === 20_000 ? 1500 : delay, ...rest);`,
  });
  try {
    const begun = page("Page") + "x".repeat(3_900_000);
    const finish: (() => void)[] = [];
    const paths = Array.from({ length: 4 }, newPath);
    for (const path of paths) {
      impatient.origin.routes[path] = (_, response) => {
        response.writeHead(200, { "content-type": "text/html", ...PUBLIC, date: dated() }).write(begun);
        finish.push(() => response.end("<p>end</p>"));
      };
    }
    const visits = paths.map(async (path) => impatient.worker.fetch(path));
    await impatient.until(({ not_kept }) => not_kept["too_slow"] === 4, "they are given up");
    // As much as may wait at once, were they still waiting.
    const path = newPath();
    impatient.origin.routes[path] = answer(begun, PUBLIC);
    await impatient.visit(path);
    finish.forEach((run) => run());
    for (const { text } of await Promise.all(visits)) {
      assert.ok(text.endsWith("<p>end</p>"));
    }
    assert.equal((await impatient.report()).kept.pages, 1);
    impatient.origin.routes[paths[0]!] = answer(page("whole"), PUBLIC);
    assert.equal(heading(await impatient.visit(paths[0]!)), "whole");
  } finally {
    await impatient.stop();
  }
});
