// Several sites in one Worker, told apart by host name: each with its own origin and its own program.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { compile, signedId, startOrigin, startWorker, versionOf } from "./harness.ts";
import type { Options, TestOrigin, TestWorker } from "./harness.ts";

const KEY = "a key of the tests";

const manifest = (id: string) => ({
  site: { id, hosts: [`${id}.example`] },
  slots: { title: { selector: "h1" } },
  experiences: [{ id: `${id}-all`, type: "personalization", slots: { title: { text: `Personal ${id}` } } }],
});

const SITES = {
  "shop.example": { site: "shop", origin: "" },
  "*.shop.example": { site: "shop", origin: "" },
  "blog.example": { site: "blog", origin: "binding:BLOG" },
  "docs.example": { site: "docs", origin: "binding:ASSETS" },
  "zone.example": { site: "zone", origin: "zone" },
  "*.wide.example": { site: "wide", origin: "" },
  "close.wide.example": { site: "close", origin: "" },
  "*.nearer.wide.example": { site: "nearer", origin: "" },
  "none.example": { site: "none" },
  "odd.example": null,
};

let origin: TestOrigin;
let folder: string;
let worker: TestWorker;
/** What the service binding and the zone's own origin were asked. */
const asked: { by: string; url: string; method: string; headers: Record<string, string>; body: string }[] = [];

const answering = (by: string) => async (request: Request) => {
  asked.push({ by, url: request.url, method: request.method, headers: Object.fromEntries(request.headers as unknown as Iterable<[string, string]>), body: await request.text() });
  const { Response } = await import("miniflare");
  return new Response(`<head></head><h1>${by}</h1>`, { headers: { "content-type": "text/html", "x-by": by } });
};

const sites = () => Object.fromEntries(Object.entries(SITES).map(([host, setting]) => [host, setting && "origin" in setting && setting.origin === "" ? { ...setting, origin: `${origin.url}/${setting.site}` } : setting]));
const options = (vars: Record<string, unknown>): Options => ({
  vars: { IDOINE_KEY: KEY, ...vars },
  assets: folder,
  bindings: { serviceBindings: { BLOG: answering("service") } },
});

async function publish(to: TestWorker, ...ids: string[]): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const id of ids) {
    const { program } = await compile(manifest(id));
    versions[id] = versionOf(program);
    await to.kv.put(`program:${versions[id]}`, Uint8Array.from(program).buffer);
    await to.kv.put(`site:${id}`, versions[id]!);
  }
  return versions;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "idoine-sites-"));
  await writeFile(join(folder, "index.html"), "<!doctype html><head></head><h1>static</h1>");
  await writeFile(join(folder, "style.css"), "h1 { color: red }");
  origin = await startOrigin({ "*": (request, response) => void response.writeHead(200, { "content-type": "text/html" }).end("<head></head><h1>url</h1>") });
  worker = await startWorker(options({ SITES: sites() }));
});
after(async () => {
  await Promise.all([worker.dispose(), rest?.dispose()]);
  await origin.close();
  await rm(folder, { recursive: true });
});

const heading = (text: string) => /<h1>(.*?)<\/h1>/.exec(text)?.[1];

test("each site by its host name: an origin by URL, by service binding, by static assets; each with its own program", async () => {
  const ids = ["shop", "blog", "docs"];
  for (const id of ids) {
    assert.equal(heading((await worker.fetch(`https://${id}.example/`)).text), { shop: "url", blog: "service", docs: "static" }[id]);
  }
  const versions = await publish(worker, ...ids);
  assert.equal(new Set(Object.values(versions)).size, 3);
  for (const id of ids) {
    await until(async () => heading((await worker.fetch(`https://${id}.example/`)).text) === `Personal ${id}`, id);
    assert.equal((await worker.fetch(`https://${id}.example/`)).state?.version, versions[id]);
    const health = (await worker.fetch(`https://${id}.example/_idoine/health`)).json();
    assert.deepEqual([health.status, health.site, health.version], ["ok", id, versions[id]]);
  }
  // Many at once, and no site's program or page for another.
  const replies = await Promise.all(Array.from({ length: 90 }, (_, at) => worker.fetch(`https://${ids[at % 3]}.example/page-${at}`)));
  for (const [at, reply] of replies.entries()) {
    if (ids[at % 3] === "docs") continue; // The folder has no such file.
    assert.equal(heading(reply.text), `Personal ${ids[at % 3]}`);
    assert.equal(reply.state?.decisions[0].experience, `${ids[at % 3]}-all`);
  }
});

test("a service binding is asked at the site's own URL, with what a visitor sent", async () => {
  asked.length = 0;
  await worker.fetch("https://blog.example/a/b?c=d", { method: "POST", body: "hello", headers: { cookie: "a=1; idoine_id=x", "x-forwarded-host": "evil.example", "x-custom": "1" } });
  const [{ url, method, headers, body }] = asked as [(typeof asked)[0]];
  assert.deepEqual([url, method, body], ["https://blog.example/a/b?c=d", "POST", "hello"]);
  assert.deepEqual([headers["cookie"], headers["x-forwarded-host"], headers["x-custom"], headers["x-idoine-via"]], ["a=1", "blog.example", "1", "blog"]);
});

test("static assets: what they say of a file is kept, and a page is edited", async () => {
  const style = await worker.fetch("https://docs.example/style.css");
  assert.deepEqual([style.status, style.text, style.header("content-type")?.split(";")[0]], [200, "h1 { color: red }", "text/css"]);
  assert.equal((await worker.fetch("https://docs.example/style.css", { headers: { "if-none-match": style.header("etag")!, "sec-fetch-dest": "style" } })).status, 304);
  assert.equal((await worker.fetch("https://docs.example/nothing")).status, 404);
  const moved = await worker.fetch("https://docs.example/index.html");
  assert.deepEqual([moved.status, moved.header("location")], [307, "/"]);
});

test("on a route of the site's zone the same URL leads to the zone's own origin", async () => {
  const zone = await startWorker({ vars: { SITES: sites() }, bindings: { outboundService: answering("zone") } });
  try {
    asked.length = 0;
    await publish(zone, "zone");
    await until(async () => heading((await zone.fetch("https://zone.example/x?y=%20z")).text) === "Personal zone", "the zone's page");
    assert.ok(asked.every(({ by, url }) => by === "zone" && url === "https://zone.example/x?y=%20z"));
    assert.equal((await zone.fetch("https://zone.example/", { headers: { "x-idoine-via": "zone" } })).status, 508);
  } finally {
    await zone.dispose();
  }
});

test("the closest name wins; a star stands for any number of labels, and not for none", async () => {
  const siteOf = async (host: string) => (await worker.fetch(`https://${host}/_idoine/health`)).json().site;
  for (const [host, expected] of [
    ["shop.example", "shop"],
    ["SHOP.example", "shop"],
    ["shop.example.", "shop"],
    ["shop.example:8443", "shop"],
    ["www.shop.example", "shop"],
    ["a.b.shop.example", "shop"],
    ["x.wide.example", "wide"],
    ["x.y.wide.example", "wide"],
    ["close.wide.example", "close"],
    ["x.close.wide.example", "wide"],
    ["x.nearer.wide.example", "nearer"],
    ["nearer.wide.example", "wide"],
    ["wide.example", "elsewhere"],
    ["notshop.example", "elsewhere"],
    ["shop.example.evil.example", "elsewhere"],
    ["example", "elsewhere"],
    ["constructor", "elsewhere"],
    ["__proto__", "elsewhere"],
    ["192.0.2.1", "elsewhere"],
  ] as const) {
    assert.equal((await (await others()).fetch(`https://${host}/_idoine/health`)).json().site, expected, host);
  }
  assert.equal(await siteOf("unknown.example"), "shop");
});

let rest: TestWorker | undefined;
const others = async () => (rest ??= await startWorker(options({ SITES: sites(), IDOINE_SITE: "elsewhere" })));

test("a host name that is nobody's gets the site for all others, or a plain 502; one without an origin gets none but its own", async () => {
  origin.received.length = 0;
  for (const host of ["unknown.example", "none.example", "odd.example"]) {
    const reply = await worker.fetch(`https://${host}/`);
    assert.equal(reply.status, 502, host);
    assert.equal(reply.header("x-content-type-options"), "nosniff");
  }
  assert.equal(origin.received.length, 0);
  const other = await startWorker({ ...options({ SITES: sites(), IDOINE_SITE: "rest" }), origin: `${origin.url}/rest` });
  try {
    assert.equal(heading((await other.fetch("https://unknown.example/x")).text), "url");
    assert.equal(origin.received.at(-1)?.url, "/rest/x");
    for (const host of ["none.example", "odd.example"]) assert.equal((await other.fetch(`https://${host}/`)).status, 502, host);
    assert.equal((await other.fetch("https://shop.example/x")).status, 200);
    assert.equal(origin.received.at(-1)?.url, "/shop/x");
  } finally {
    await other.dispose();
  }
});

test("SITES as JSON text says the same", async () => {
  const text = await startWorker(options({ SITES: JSON.stringify(sites()) }));
  try {
    for (const [host, expected] of [["shop.example", "url"], ["blog.example", "service"], ["docs.example", "static"]] as const) {
      assert.equal(heading((await text.fetch(`https://${host}/`)).text), expected);
    }
    assert.equal((await text.fetch("https://unknown.example/")).status, 502);
  } finally {
    await text.dispose();
  }
});

test("SITES that can't be read is told by health and the log, once, and the one site stands in", async () => {
  for (const damaged of ["{ \"shop.example\": ", "[]", "null", "7", "\"shop\"", ["shop.example"], 7, true]) {
    const ill = await startWorker({ ...options({ SITES: damaged, IDOINE_SITE: "shop" }), origin: `${origin.url}/one` });
    try {
      for (let times = 0; times < 3; times += 1) {
        assert.equal(heading((await ill.fetch("https://blog.example/")).text), "url");
        assert.equal(origin.received.at(-1)?.url, "/one/");
      }
      const health = await ill.fetch("https://blog.example/_idoine/health");
      assert.deepEqual([health.status, health.json().sites], [503, "unreadable"], JSON.stringify(damaged));
      const told = () => ill.logs.filter((line) => line.includes('"event":"sites_unreadable"')).length;
      await until(() => told() > 0, "it is logged");
      assert.equal(told(), 1);
    } finally {
      await ill.dispose();
    }
  }
});

test("nothing in a request names another origin", async () => {
  origin.received.length = 0;
  asked.length = 0;
  for (const headers of [{ "x-forwarded-host": "blog.example" }, { forwarded: "host=blog.example" }, { "x-host": "blog.example" }, { "x-original-url": "https://blog.example/" }, { "x-rewrite-url": "/admin" }] as Record<string, string>[]) {
    await worker.fetch("https://shop.example/x", { headers });
    assert.equal(origin.received.at(-1)?.url, "/shop/x");
    assert.equal(origin.received.at(-1)?.headers["x-forwarded-host"], "shop.example");
  }
  assert.deepEqual(asked, []);
});

test("an id is signed by the Worker's key, and a browser gives each host its own cookies alone", async () => {
  await publish(worker, "shop", "blog");
  const id = "6f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2d4e";
  const returning = async (host: string, value: string) => {
    const reply = await worker.fetch(`https://${host}/_idoine/context`, { headers: { cookie: `idoine_consent=v1.personalization; idoine_id=${value}` } });
    return reply.json().context["visitor.returning"];
  };
  for (const host of ["shop.example", "blog.example"]) {
    await until(async () => (await worker.fetch(`https://${host}/_idoine/context`)).status === 200, host);
    assert.equal(await returning(host, signedId(id, KEY)), true);
    assert.notEqual(await returning(host, signedId(id, "another key")), true);
    const reply = await worker.fetch(`https://${host}/_idoine/consent`, { method: "POST", body: '{"granted":["personalization"]}', headers: { "sec-fetch-site": "same-origin" } });
    assert.ok(reply.cookies.length === 2 && reply.cookies.every((cookie) => !/domain/i.test(cookie)), "no cookie is for more than its host");
  }
});

async function until(check: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await check()) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(what);
}
