// What HTTP asks of who stands between a visitor and an origin: statuses, headers, encodings, cookies; what the other files do not hold.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { signedId, startOrigin, startWorker } from "./harness.ts";
import type { TestOrigin, TestWorker } from "./harness.ts";
import { site } from "./site.ts";

const KEY = "a key of the tests";
let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin();
  worker = await startWorker({ origin: origin.url, manifest: site(), vars: { IDOINE_KEY: KEY, IDOINE_CACHE: "off" } });
});
after(async () => {
  await worker.dispose();
  await origin.close();
});

/** A page that some experience concerns, and one that none does. */
const [EDITED, UNTOUCHED] = ["/two?utm_campaign=spring", "/none"];
const HTML = "<head></head><h1>Two</h1>";

function answer(status: number, headers: Record<string, string | string[]>, body: string | Buffer | undefined = HTML) {
  for (const path of ["/two", "/none"]) origin.routes[path] = (request, response) => void response.writeHead(status, { "content-type": "text/html; charset=utf-8", ...headers }).end(request.method === "HEAD" ? undefined : body);
}

test("interim answers of the origin leave the final one as it is", async () => {
  for (const path of [EDITED, UNTOUCHED]) {
    origin.routes[path.split("?")[0]!] = (request, response) => {
      response.writeProcessing();
      response.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" });
      response.writeHead(201, { "content-type": "text/html; charset=utf-8", "x-final": "1" }).end(HTML);
    };
    const reply = await worker.fetch(path);
    assert.deepEqual([reply.status, reply.header("x-final")], [201, "1"], path);
    assert.match(reply.text, path === EDITED ? /<h1>Spring &amp; more<\/h1>/ : /^<head><\/head><h1>Two<\/h1>$/);
  }
});

test("an upload that waits for leave is sent, and what the origin says of it is the answer", async () => {
  origin.routes["/none"] = (request, response) => void request.resume().on("end", () => response.writeHead(202).end("taken"));
  const reply = await worker.fetch("/none", { method: "POST", headers: { expect: "100-continue" }, body: "a=b" });
  assert.deepEqual([reply.status, reply.text], [202, "taken"]);
  assert.equal(origin.received.at(-1)?.body.toString(), "a=b");
});

test("HEAD, OPTIONS, 204, 206, 304 and redirects go out with their headers, on pages that would be edited too", async () => {
  const headers = { etag: '"e"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT", "cache-control": "public, max-age=600", allow: "GET", "x-a": "1" };
  for (const [method, status, more] of [
    ["HEAD", 200, { "content-length": "25" }],
    ["OPTIONS", 204, {}],
    ["OPTIONS", 200, {}],
    ["GET", 204, {}],
    ["GET", 206, { "content-range": "bytes 0-24/100" }],
    ["GET", 304, {}],
    ["GET", 301, { location: "/there" }],
    ["GET", 308, { location: "/there" }],
  ] as [string, number, Record<string, string>][]) {
    answer(status, { ...headers, ...more }, status === 204 || status === 304 ? "" : HTML);
    const reply = await worker.fetch(EDITED, { method });
    assert.equal(reply.status, status, method);
    for (const [name, value] of Object.entries({ ...headers, ...more })) assert.equal(reply.header(name), value, `${method} ${status} ${name}`);
    assert.equal(reply.text, method === "HEAD" || status === 204 || status === 304 ? "" : HTML);
  }
});

test("nothing that lets others keep an edited page, or describes the origin's bytes, is left on it; all of it is on the others", async () => {
  const headers = {
    "cache-control": "public, max-age=600, s-maxage=600",
    "cdn-cache-control": "max-age=600",
    "cloudflare-cdn-cache-control": "max-age=600",
    "surrogate-control": "max-age=600",
    expires: "Thu, 01 Jan 2037 00:00:00 GMT",
    age: "12",
    etag: 'W/"abc"',
    "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT",
    "accept-ranges": "bytes",
    "content-md5": "Q2hlY2sgSW50ZWdyaXR5IQ==",
    digest: "sha-256=x",
    "content-digest": "sha-256=:eA==:",
    "repr-digest": "sha-256=:eA==:",
    "content-length": String(HTML.length),
  };
  answer(200, headers);
  const edited = await worker.fetch(EDITED);
  assert.match(edited.text, /Spring/);
  for (const name of Object.keys(headers)) assert.equal(edited.header(name), name === "cache-control" ? "private, no-store" : null, name);
  const untouched = await worker.fetch(UNTOUCHED);
  assert.equal(untouched.text, HTML);
  for (const [name, value] of Object.entries(headers)) assert.equal(untouched.header(name), value, name);
});

test("no length of the origin's is on an edited page, compressed or not, and none of it is missing", async () => {
  const page = `${HTML}${"<p>text</p>".repeat(10_000)}<p>end</p>`;
  for (const [body, headers] of [[Buffer.from(page), {}], [gzipSync(page), { "content-encoding": "gzip" }]] as const) {
    answer(200, { ...headers, "content-length": String(body.length) }, body);
    const reply = await worker.fetch(EDITED, { headers: { "accept-encoding": "gzip" } });
    assert.equal(reply.header("content-length"), null);
    assert.match(reply.text, /<h1>Spring &amp; more<\/h1>.*<p>end<\/p>$/s);
  }
});

test("a page in an encoding that can't be decoded passes untouched, whatever it is called", async () => {
  const bytes = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 1, 2, 3]);
  for (const coding of ["zstd", "deflate", "compress", "dcb", "gzip, gzip", "gzip, br", "odd", "br;q=1"]) {
    answer(200, { "content-encoding": coding, etag: '"e"', "content-length": "8" }, bytes);
    const reply = await worker.fetch(EDITED, { headers: { "accept-encoding": "gzip, deflate, br, zstd, dcb" } });
    assert.ok(reply.wire.equals(bytes), coding);
    assert.equal(reply.header("content-encoding"), coding);
    assert.equal(reply.header("etag"), '"e"', coding);
    assert.equal(origin.received.at(-1)?.headers["accept-encoding"], "gzip, br");
  }
});

test("Vary is the origin's own: Cookie is never added", async () => {
  for (const vary of [undefined, "Accept-Encoding", "Accept-Encoding, Accept-Language"]) {
    answer(200, vary === undefined ? {} : { vary });
    for (const path of [EDITED, UNTOUCHED]) assert.equal((await worker.fetch(path, { headers: { cookie: "a=1; idoine_consent=v1.personalization" } })).header("vary"), vary ?? null, path);
  }
});

test("a policy in a meta element stays as it is, and its nonce is reused; so are those of several policies", async () => {
  const mark = (html: string) => /<script async [^>]*?(?: nonce="([^"]*)")?>/.exec(html)?.[1];
  for (const [headers, head, nonce] of [
    [{}, `<meta http-equiv="Content-Security-Policy" content="script-src 'nonce-abc123'">`, "abc123"],
    [{}, `<meta content='script-src &#39;nonce-abc123&#39;; object-src none' http-equiv=content-security-policy>`, "abc123"],
    [{ "content-security-policy": "script-src 'nonce-header'" }, `<meta http-equiv="Content-Security-Policy" content="script-src 'nonce-meta'">`, "header"],
    [{ "content-security-policy": ["img-src 'self'", "script-src 'nonce-second'"] }, "", "second"],
    [{ "content-security-policy-report-only": "script-src 'nonce-reported'" }, "", "reported"],
    [{ "content-security-policy": "script-src 'none'" }, "", undefined],
  ] as [Record<string, string | string[]>, string, string | undefined][]) {
    answer(200, headers, `<head>${head}</head><h1>Two</h1>`);
    const reply = await worker.fetch(EDITED);
    assert.equal(mark(reply.text), nonce, head);
    assert.ok(reply.text.startsWith(`<head>${head}<script type="application/json"`), reply.text);
    for (const [name, value] of Object.entries(headers)) assert.equal(reply.header(name), [value].flat().join(", "));
  }
});

test("no page and no question sends our cookies again, and those of the origin arrive beside ours", async () => {
  const cookie = `idoine_consent=v1.personalization; idoine_id=${signedId("6f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2d4e", KEY)}`;
  answer(200, { "set-cookie": ["a=1; Path=/", "idoine=theirs"] });
  for (const path of [EDITED, UNTOUCHED]) assert.deepEqual((await worker.fetch(path, { headers: { cookie } })).cookies, ["a=1; Path=/", "idoine=theirs"], path);
  for (const path of ["/_idoine/consent", "/_idoine/context"]) assert.deepEqual((await worker.fetch(path, { headers: { cookie } })).cookies, [], path);
});

test("our cookies live 13 months at most and are small, whatever is agreed to", async () => {
  for (const granted of [[], ["personalization"], ["personalization", "analytics", "marketing"]]) {
    const { cookies } = await worker.fetch("/_idoine/consent", { method: "POST", headers: { origin: "https://shop.example" }, body: JSON.stringify({ granted }) });
    assert.equal(cookies.length, 2);
    for (const cookie of cookies) {
      assert.match(cookie, /^idoine_\w+=[\w.-]*; Path=\/; SameSite=Lax; Max-Age=\d+; Secure(; HttpOnly)?$/);
      assert.ok(Number(/Max-Age=(\d+)/.exec(cookie)![1]) <= 396 * 24 * 60 * 60, cookie);
      assert.ok(cookie.length < 4096);
    }
  }
});

test("what is about one connection ends there, in requests and in answers", async () => {
  const raw = createServer((socket) => {
    socket.on("error", () => {});
    let request = "";
    socket.on("data", (data) => {
      request += data;
      if (!request.includes("\r\n\r\n")) return;
      seen.push(request);
      socket.end("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close, X-Private\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r\nX-Kept: 1\r\nContent-Length: 11\r\n\r\n<h1>x</h1>\n");
    });
  });
  const seen: string[] = [];
  await new Promise<void>((resolve) => raw.listen(0, "127.0.0.1", resolve));
  const through = await startWorker({ origin: `http://127.0.0.1:${(raw.address() as AddressInfo).port}`, manifest: site() });
  try {
    for (const path of [EDITED, UNTOUCHED]) {
      const reply = await through.fetch(path, { headers: { connection: "X-Mine", "x-mine": "1", te: "trailers", "proxy-authorization": "Basic x", "keep-alive": "1", "x-end": "1" } });
      assert.equal(reply.header("x-kept"), "1");
      for (const name of ["x-private", "keep-alive"]) assert.equal(reply.header(name), null, name);
      assert.doesNotMatch(seen.at(-1)!, /^(?:x-mine|te|proxy-authorization|keep-alive):/im);
      assert.match(seen.at(-1)!, /^x-end: 1/im);
    }
  } finally {
    await through.dispose();
    raw.close();
  }
});
