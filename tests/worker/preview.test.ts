// Preview by a signed link: who opens it sees the site as anyone, until it expires; nobody else does, and no page that is seen so
// is kept or listed anywhere.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { startOrigin, startWorker } from "./harness.ts";
import type { Init, Options, TestOrigin, TestWorker } from "./harness.ts";
import { PAGE, site } from "./site.ts";

const READ = "read-token-of-24-characters";
const KEY = "a secret of the Worker";

const PLAIN = "<!doctype html><title>Plain</title><p>No experience is about this page.</p>";

let origin: TestOrigin;

before(async () => {
  origin = await startOrigin({
    "/": PAGE,
    "/plain": (_, response) => response.writeHead(200, { "content-type": "text/html", "cache-control": "public, max-age=600", etag: '"1"' }).end(PLAIN),
    "/data": (_, response) => response.writeHead(200, { "content-type": "application/json", "cache-control": "public, max-age=600" }).end("{}"),
    "/moved": (_, response) => response.writeHead(301, { location: "/plain" }).end(),
    "/broken": (_, response) => response.writeHead(500, { "content-type": "text/html" }).end("<p>broken"),
  });
});
after(() => origin.close());

/** A clock that `x-ahead` sets so many milliseconds ahead. */
const CLOCK = {
  before: "let ahead = 0; const clock = Date.now; Date.now = () => clock() + ahead;",
  around: `
    if (request.headers.has("x-ahead")) { ahead = Number(request.headers.get("x-ahead")); return new Response(null); }
    return worker.fetch(request, env, ctx);`,
};

async function using(options: Options, run: (worker: TestWorker) => Promise<void>): Promise<void> {
  const vars = { IDOINE_TOKENS: `read:reader:${READ}`, IDOINE_KEY: KEY, ...options.vars };
  const worker = await startWorker({ origin: origin.url, manifest: site(), ...CLOCK, ...options, vars });
  try {
    await run(worker);
  } finally {
    await worker.dispose();
  }
}

const ask = (worker: TestWorker, body: unknown, at = "https://shop.example") =>
  worker.fetch(`${at}/_idoine/api/preview`, {
    method: "POST",
    headers: { authorization: `Bearer ${READ}` },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

const linkTo = async (worker: TestWorker, url: string, hours?: number): Promise<string> => (await ask(worker, { url, hours })).json().url;

/** Opens a link as a browser does: the cookie that it sets, and where it leads. */
async function opened(worker: TestWorker, link: string): Promise<{ cookie: string; location: string }> {
  const reply = await worker.fetch(link);
  assert.equal(reply.status, 302);
  assert.equal(reply.header("cache-control"), "private, no-store");
  assert.equal(reply.header("x-robots-tag"), "noindex");
  const [set, ...others] = reply.cookies;
  assert.deepEqual(others, []);
  return { cookie: set!.split(";")[0]!, location: reply.header("location")! };
}

const heading = async (worker: TestWorker, url: string, init?: Init) => /<h1>(.*?)<\/h1>/.exec((await worker.fetch(url, init)).text)?.[1];

/** A token as `preview_token` makes it. */
function token(expires: number, nonce = "0123456789abcdef", key = KEY, of = "shop", purpose = "preview"): string {
  const own = createHmac("sha256", key).update("idoine preview link").digest();
  const signature = createHmac("sha256", own).update(`${purpose}\n${of}\n${expires}\n${nonce}`).digest("base64url");
  return `${expires}.${nonce}.${signature}`;
}

const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;

test("a link lets the browser that opens it preview, on any host of the site, until it expires or is ended", () =>
  using({}, async (worker) => {
    const reply = await ask(worker, { url: "https://shop.example/?a=1&idoine.device.type=mobile#part", hours: 2 });
    const { url, expires } = reply.json();
    assert.match(url, /^https:\/\/shop\.example\/\?a=1&idoine\.device\.type=mobile&idoine\.preview=[\w.-]+#part$/);
    assert.ok(Math.abs(Date.parse(expires) - Date.now() - 7_200_000) < 60_000);
    const { cookie, location } = await opened(worker, url.split("#")[0]);
    assert.equal(location, "https://shop.example/?a=1&idoine.device.type=mobile");
    const set = (await worker.fetch(url.split("#")[0])).cookies[0]!;
    assert.match(set, /^idoine_preview=[\w.-]+; Path=\/; SameSite=Lax; Max-Age=\d+; HttpOnly; Secure$/);
    const age = Number(/Max-Age=(\d+)/.exec(set)![1]);
    assert.ok(age > 7_000 && age <= 7_200, set);

    origin.received.length = 0;
    for (const at of ["https://shop.example", "https://www.shop.example"]) {
      const page = await worker.fetch(`${at}/?a=1&idoine.device.type=mobile`, { headers: { cookie: `x=1; ${cookie}; y=2` } });
      assert.match(page.text, /<h1>On your phone<\/h1>/);
      assert.match(page.text, /src="\/_idoine\/bar\.js"/);
      assert.equal(page.header("cache-control"), "private, no-store");
      assert.equal(page.header("x-robots-tag"), "noindex");
    }
    // The origin learns nothing of it.
    assert.deepEqual(origin.received.map(({ url, headers }) => [url, headers["cookie"]]), [["/?a=1", "x=1;y=2"], ["/?a=1", "x=1;y=2"]].map(([url]) => [url, "x=1; y=2"]));
    // What the bar asks for.
    for (const path of ["program", "personas"]) {
      assert.equal((await worker.fetch(`/_idoine/${path}`, { headers: { cookie } })).status, 200);
      assert.equal((await worker.fetch(`/_idoine/${path}`)).status, 404);
    }
    // Nobody else previews.
    assert.equal(await heading(worker, "/?idoine.device.type=mobile"), "Welcome");

    const end = await worker.fetch("/?idoine.preview=off&a=1", { headers: { cookie } });
    assert.equal(end.status, 302);
    assert.equal(end.header("location"), "https://shop.example/?a=1");
    assert.match(end.cookies[0]!, /^idoine_preview=; Path=\/; SameSite=Lax; Max-Age=0; HttpOnly; Secure$/);

    await worker.fetch("/", { headers: { "x-ahead": "7000000" } });
    assert.equal(await heading(worker, "/?idoine.device.type=mobile", { headers: { cookie } }), "On your phone");
    await worker.fetch("/", { headers: { "x-ahead": "7400000" } });
    assert.equal(await heading(worker, "/?idoine.device.type=mobile", { headers: { cookie } }), "Welcome");
    assert.equal((await worker.fetch(url.split("#")[0])).status, 200);
  }));

test("every page that is seen in a preview is noindex and kept by nobody, edited or not", () =>
  using({}, async (worker) => {
    const { cookie } = await opened(worker, await linkTo(worker, "/plain"));
    for (const [path, status, body] of [["/", 200, undefined], ["/plain", 200, PLAIN], ["/broken", 500, "<p>broken"]] as const) {
      const page = await worker.fetch(path, { headers: { cookie } });
      assert.equal(page.status, status);
      assert.equal(page.header("x-robots-tag"), "noindex", path);
      assert.equal(page.header("cache-control"), "private, no-store", path);
      assert.equal(page.header("etag"), null, path);
      assert.equal(page.text, body ?? page.text);
    }
    // What is no page goes out as it is, and so does everything for everybody else.
    for (const [path, init] of [["/data", { headers: { cookie } }], ["/data", {}], ["/plain", {}]] as [string, Init][]) {
      const reply = await worker.fetch(path, init);
      assert.equal(reply.header("cache-control"), "public, max-age=600", path);
      assert.equal(reply.header("x-robots-tag"), null, path);
    }
    assert.equal((await worker.fetch("/moved", { headers: { cookie } })).status, 301);
  }));

test("a page that is seen in a preview comes anew, and what the origin sends in its place is kept by nobody either", () => {
  const around = `
    if (!request.headers.has("x-fail")) return worker.fetch(request, env, ctx);
    // Where a page is looked for in the cache, beyond what falls open by itself.
    return worker.fetch(request, new Proxy(env, { get: (env, name) => { if (name === "IDOINE_CACHE") throw new Error("no"); return env[name]; } }), ctx);`;
  return using({ before: "", around }, async (worker) => {
    const { cookie } = await opened(worker, await linkTo(worker, "/plain"));
    const told: [string, string | undefined, string | undefined][] = [];
    origin.routes["/known"] = (request, response) => {
      const { "if-none-match": tag, "if-modified-since": since } = request.headers;
      told.push([request.url!, tag, since]);
      const headers = { "content-type": "text/html", "cache-control": "public, max-age=600", etag: '"1"' };
      if (tag !== undefined || since !== undefined) response.writeHead(304, headers).end();
      else response.writeHead(200, headers).end(PLAIN);
    };
    const conditions = { "if-none-match": '"1"', "if-modified-since": "Thu, 01 Jan 2026 00:00:00 GMT" };
    for (const [path, more] of [["/known", {}], ["/known", { "x-fail": "1" }], ["/known", { range: "bytes=0-9" }]] as const) {
      const page = await worker.fetch(path, { headers: { cookie, ...conditions, ...more } });
      assert.deepEqual([page.status, page.text], [200, PLAIN], JSON.stringify(more));
      assert.equal(page.header("cache-control"), "private, no-store", JSON.stringify(more));
      assert.equal(page.header("x-robots-tag"), "noindex", JSON.stringify(more));
      assert.equal(page.header("etag"), null);
    }
    assert.deepEqual(told, Array.from({ length: 3 }, () => ["/known", undefined, undefined]));
    // The page that an experience is about, as the origin sends it.
    origin.routes["/"] = (_, response) => void response.writeHead(200, { "content-type": "text/html", "cache-control": "public, max-age=600" }).end(PAGE);
    const failed = await worker.fetch("/", { headers: { cookie, "x-fail": "1" } });
    origin.routes["/"] = PAGE;
    assert.deepEqual([failed.text, failed.header("cache-control"), failed.header("x-robots-tag")], [PAGE, "private, no-store", "noindex"]);
    assert.ok(worker.logs.some((line) => line.includes("request_failed")), worker.logs.join("\n"));
    // For everybody else it is as it was.
    assert.equal((await worker.fetch("/known", { headers: conditions })).status, 304);
  });
});

test("what is made up, changed, expired or of another site is as if it was not there", () =>
  using({}, async (worker) => {
    const good = token(inAnHour());
    assert.equal((await worker.fetch(`/?idoine.preview=${good}`)).status, 302, "the test's own token is one");
    const [expires, nonce, signature] = good.split(".") as [string, string, string];
    const flipped = (signature[5] === "A" ? "B" : "A") + signature.slice(6);
    origin.received.length = 0;
    const bad = [
      "",
      "on",
      "off.off.off",
      `${Number(expires) + 1}.${nonce}.${signature}`,
      `${expires}.${nonce}0.${signature}`,
      `${expires}.${nonce}.${signature.slice(0, 5)}${flipped}`,
      `${expires}.${nonce}.${signature.slice(0, -1)}`,
      `${expires}.${nonce}.`,
      `${good}.x`,
      token(Math.floor(Date.now() / 1000) - 1),
      token(inAnHour(), undefined, "another key"),
      token(inAnHour(), undefined, KEY, "blog"),
      token(inAnHour(), undefined, KEY, "shop", "other"),
      createHmac("sha256", KEY).update(`${expires}.${nonce}`).digest("base64url"),
      "%00",
      "%",
      "x".repeat(10_000),
    ];
    for (const made of bad) {
      for (const page of [
        await worker.fetch(`/?a=1&idoine.preview=${made}&idoine.device.type=mobile`),
        await worker.fetch("/?a=1&idoine.device.type=mobile", { headers: { cookie: `idoine_preview=${made}` } }),
      ]) {
        assert.equal(page.status, 200, made.slice(0, 80));
        assert.match(page.text, /<h1>Welcome<\/h1>/, made.slice(0, 80));
        assert.ok(!page.text.includes("bar.js"), made.slice(0, 80));
        assert.deepEqual(page.cookies, []);
        assert.equal(page.header("x-robots-tag"), null);
      }
    }
    // No token goes to the origin; other parameters are like any others to who does not preview.
    assert.deepEqual(new Set(origin.received.map(({ url }) => url)), new Set(["/?a=1&idoine.device.type=mobile"]));
    assert.ok(!worker.logs.some((line) => line.includes("no_preview")), worker.logs.join("\n"));
  }));

test("a link leads to its own page and nowhere else, and is for reading alone", () =>
  using({}, async (worker) => {
    const good = token(inAnHour());
    for (const [path, location] of [
      [`//evil.example/?idoine.preview=${good}`, undefined],
      [`/a//b?x=%20y&idoine.preview=${good}&z`, "https://shop.example/a//b?x=%20y&z"],
      [`/?idoine.preview=${good}&idoine.preview=${good}`, "https://shop.example/"],
      [`/_idoine/context?idoine.preview=${good}`, "https://shop.example/_idoine/context"],
    ] as const) {
      const reply = await worker.fetch(path.startsWith("//") ? `https://shop.example${path}` : path);
      assert.equal(reply.status, 302, path);
      assert.equal(new URL(reply.header("location")!).host, "shop.example", path);
      assert.ok(location === undefined || reply.header("location") === location, reply.header("location")!);
    }
    const posted = await worker.fetch(`/?idoine.preview=${good}`, { method: "POST", body: "x" });
    assert.notEqual(posted.status, 302);
    assert.deepEqual(posted.cookies, []);
  }));

test("links are made for pages of the site, by who has a token, and it is in the trail", () =>
  using({}, async (worker) => {
    for (const [body, at] of [
      [{ url: "https://www.shop.example/a?secret=1" }, undefined],
      [{ url: "/two", hours: 168 }, undefined],
      [{ url: "https://unlisted.example/", hours: 1 }, "https://unlisted.example"],
      [{ url: "http://localhost/" }, undefined],
    ] as [object, string | undefined][]) {
      const reply = await ask(worker, body, at);
      assert.equal(reply.status, 200, JSON.stringify(body));
      assert.equal(reply.header("cache-control"), "private, no-store");
    }
    for (const body of [
      {}, { url: 1 }, { url: "https://evil.example/" }, { url: "http://shop.example/" }, { url: "https://shop.example:8443/" }, { url: "https://" },
      { url: "javascript:alert(1)" }, { url: "https://shop.example/_idoine/context" }, { url: "/", hours: 0 }, { url: "/", hours: 169 },
      { url: "/", hours: 1.5 }, { url: "/", ours: 1 }, "nonsense", "", [],
    ]) {
      const reply = await ask(worker, body);
      assert.equal(reply.status, 400, JSON.stringify(body));
      assert.equal(reply.json().error.code, "bad_request");
    }
    assert.equal((await worker.fetch("/_idoine/api/preview", { method: "POST", body: '{"url":"/"}' })).status, 401);
    const { entries } = (await worker.fetch("/_idoine/api/audit", { headers: { authorization: `Bearer ${READ}` } })).json();
    assert.deepEqual(
      entries.map(({ by, action, what }: Record<string, string>) => [by, action, what]).reverse(),
      [["reader", "preview", "https://www.shop.example/a"], ["reader", "preview", "https://shop.example/two"], ["reader", "preview", "https://unlisted.example/"], ["reader", "preview", "http://localhost/"]],
    );
    // One that has a token in it already gets another, and no user's name stays in it.
    const again = await linkTo(worker, `https://a:b@shop.example/?idoine.preview=old&x=1`);
    assert.match(again, /^https:\/\/shop\.example\/\?x=1&idoine\.preview=\d+\./);
  }));

test("without a key there are no links, and nothing is checked", () =>
  using({ vars: { IDOINE_KEY: "" } }, async (worker) => {
    const reply = await ask(worker, { url: "/" });
    assert.equal(`${reply.status} ${reply.json().error.code}`, "501 no_key");
    origin.received.length = 0;
    const good = token(inAnHour(), undefined, "");
    assert.equal((await worker.fetch(`/?idoine.preview=${good}`, { headers: { cookie: `idoine_preview=${good}` } })).status, 200);
    assert.deepEqual(origin.received.map(({ url }) => url), [`/?idoine.preview=${good}`]);
  }));

test("where preview is allowed anyway a link works as well, and its parameter is none of the context", () =>
  using({ preview: true }, async (worker) => {
    const good = token(inAnHour());
    const reply = await worker.fetch(`http://localhost/?idoine.preview=${good}&idoine.device.type=mobile`);
    assert.equal(reply.status, 302);
    assert.equal(reply.header("location"), "http://localhost/?idoine.device.type=mobile");
    assert.ok(!reply.cookies[0]!.includes("Secure"));
    const page = await worker.fetch("http://localhost/?idoine.device.type=mobile&idoine.preview=nonsense");
    assert.match(page.text, /<h1>On your phone<\/h1>/);
  }));

test("a preview stores nothing and gives nobody an id", () =>
  using({}, async (worker) => {
    const { cookie } = await opened(worker, await linkTo(worker, "/"));
    const before = (await worker.fetch("/_idoine/api/audit", { headers: { authorization: `Bearer ${READ}` } })).json().entries.length;
    for (const path of ["/", "/?idoine.consent.personalization=true", "/_idoine/decide?url=https://shop.example/&idoine.consent.personalization=true"]) {
      assert.deepEqual((await worker.fetch(path, { headers: { cookie } })).cookies, [], path);
    }
    const after = (await worker.fetch("/_idoine/api/audit", { headers: { authorization: `Bearer ${READ}` } })).json().entries.length;
    assert.equal(after, before);
  }));
