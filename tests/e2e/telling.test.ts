// What the client tells of what visitors do, by where it runs. That it changes the next page: profile.test.ts.
import assert from "node:assert/strict";
import { after, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { assets, compile } from "./fixtures/artefacts.ts";
import { closeBrowser, visit } from "./fixtures/browser.ts";
import { edgeHead, page, STATE } from "./fixtures/pages.ts";
import { allow, json, serve, type Asked, type Route, type Site } from "./fixtures/server.ts";

after(closeBrowser);

const ACCEPTED = json({ results: [{ status: "accepted" }] });

async function started(t: TestContext, routes: Record<string, Route>): Promise<Site> {
  const site = await serve(routes);
  t.after(() => site.close());
  return site;
}

/** A Worker at another host name, whose visitor has agreed to this. */
const worker = (t: TestContext, granted: string[], collect: Route = ACCEPTED): Promise<Site> => {
  const shared = (route: Route) => (request: Asked): Route => (request.method === "OPTIONS" ? { status: 204, headers: { ...allow(request), "access-control-allow-methods": "POST, DELETE" } } : { ...(route as object), headers: allow(request) });
  return started(t, {
    "/_idoine/decide": shared(json({ version: "v", decisions: [], edits: [] })),
    "/_idoine/consent": shared(json({ granted, decided: true })),
    "/_idoine/collect": shared(collect),
    "/_idoine/identity": shared(json({ verified: true, profile: {} })),
    "/_idoine/context": shared(json({ context: {} })),
  });
};

async function open(t: TestContext, site: Site): Promise<Page> {
  const tab = await visit(t);
  await tab.goto(`${site.origin}/?utm_source=here`);
  await tab.waitForFunction(() => window.idoine?.ready);
  await tab.evaluate(async () => void (await window.idoine?.ready));
  return tab;
}

const call = (tab: Page, name: string, ...args: unknown[]): Promise<unknown> =>
  tab.evaluate(([name, args]) => window.idoine!(name, ...args) as Promise<unknown>, [name, args] as const);
const errorOf = (tab: Page): Promise<unknown> => tab.evaluate(() => window.idoine!.debug!().error ?? null);
/** The bodies of what was sent to an address. */
const sent = (site: Site, path: string): any[] => site.asked.filter((one) => one.path === `/_idoine/${path}` && one.method !== "OPTIONS").map(({ body, method }) => (body === "" ? method : JSON.parse(body)));

test("behind the Worker events go to it, from visitors who agreed to something", async (t) => {
  const shop = await started(t, { ...assets("idoine.js"), "/": page(edgeHead(STATE)), "/_idoine/collect": ACCEPTED, "/_idoine/identity": json({}) });
  const tab = await open(t, shop);
  for (const choice of ["", "v1", "v2.analytics", "vx.personalization"]) {
    await tab.evaluate((choice) => void (document.cookie = `idoine_consent=${choice}`), choice);
    await call(tab, "track", "Product Viewed", { product_id: "p1" });
    await call(tab, "reset");
  }
  assert.deepEqual(shop.paths(), ["/", "/_idoine/idoine.js"]);
  await tab.evaluate(() => void (document.cookie = "idoine_consent=v1.analytics"));
  await call(tab, "track", "Product Viewed", { product_id: "p1", price: 1.5 });
  await call(tab, "page", "Home");
  await call(tab, "identify", "u-1", { plan: "pro" }, "a.b.c");
  await call(tab, "reset");
  const context = { page: { url: `${shop.origin}/?utm_source=here`, referrer: "", title: await tab.title() } };
  assert.deepEqual(sent(shop, "collect"), [
    { events: [{ type: "track", event: "Product Viewed", properties: { product_id: "p1", price: 1.5 }, context }] },
    { events: [{ type: "page", name: "Home", context }] },
    { events: [{ type: "identify", userId: "u-1", traits: { plan: "pro" }, context }] },
  ]);
  assert.deepEqual(sent(shop, "identity"), [{ token: "a.b.c" }, null]);
  assert.deepEqual(shop.asked.filter(({ path }) => path === "/_idoine/identity").map(({ method }) => method), ["POST", "DELETE"]);
  assert.equal(await errorOf(tab), null);
});

test("what is asked before the loader is there is told once it is", async (t) => {
  const stub = '<script>window.idoine = window.idoine || function () { (idoine.q = idoine.q || []).push(arguments); }; document.cookie = "idoine_consent=v1.analytics"; idoine("track", "Early");</script>';
  const shop = await started(t, { ...assets("idoine.js"), "/": page(stub + edgeHead(STATE)), "/_idoine/collect": ACCEPTED });
  const tab = await visit(t);
  const told = tab.waitForResponse("**/_idoine/collect");
  await tab.goto(shop.origin);
  await told;
  assert.equal(sent(shop, "collect")[0].events[0].event, "Early");
});

test("a Worker at another host name is asked once what was agreed to", async (t) => {
  for (const granted of [[], ["analytics"]]) {
    const api = await worker(t, granted);
    const shop = await started(t, { ...assets("idoine.js"), "/": page(`<script async src="/_idoine/idoine.js" data-api="${api.origin}"></script>`) });
    const tab = await open(t, shop);
    await call(tab, "track", "One");
    await call(tab, "track", "Two");
    await call(tab, "reset");
    const told = granted.length > 0;
    assert.deepEqual(sent(api, "collect").map(({ events }) => events[0].event), told ? ["One", "Two"] : []);
    assert.deepEqual(sent(api, "identity"), told ? [null] : []);
    assert.equal(sent(api, "consent").length, 1);
    assert.equal(await errorOf(tab), null);
  }
});

test("what is not taken is said in debug, and the page goes on", async (t) => {
  const api = await worker(t, ["analytics"], { status: 503, type: "application/json", body: "{}" });
  const shop = await started(t, { ...assets("idoine.js"), "/": page(`<script async src="/_idoine/idoine.js" data-api="${api.origin}"></script>`) });
  const tab = await open(t, shop);
  await call(tab, "track", "One");
  assert.match(String(await errorOf(tab)), /collect: 503/);
});

test("a site of static files tells nobody without a Worker, and says so; with one it tells that one what it has agreed to", async (t) => {
  const files = { ...assets("idoine.js", "client.js", "engine.js", "engine.wasm"), "/program.bin": { type: "application/octet-stream", body: compile("static.jsonc", "--browser") } };
  const alone = await started(t, { ...files, "/": page('<script async src="/_idoine/idoine.js" data-program="/program.bin"></script>') });
  const tab = await open(t, alone);
  await call(tab, "track", "One");
  assert.equal(await errorOf(tab), null, "nothing was agreed to");
  await call(tab, "consent.set", ["analytics"]);
  await call(tab, "track", "One");
  assert.match(String(await errorOf(tab)), /collect: there is no Worker/);
  await call(tab, "reset");
  assert.match(String(await errorOf(tab)), /identity: there is no Worker/);
  assert.ok(alone.paths().every((path) => !path.startsWith("POST") && !path.startsWith("DELETE")));

  const api = await worker(t, []);
  const shop = await started(t, { ...files, "/": page(`<script async src="/_idoine/idoine.js" data-program="/program.bin" data-api="${api.origin}"></script>`) });
  const other = await open(t, shop);
  await call(other, "track", "None");
  await call(other, "consent.set", ["analytics"]);
  await call(other, "track", "One");
  const id = await other.evaluate(() => /idoine_id=([\w-]+)/.exec(document.cookie)![1]);
  const bodies = sent(api, "collect");
  assert.deepEqual(bodies.map(({ events: [{ event, anonymousId, context }] }) => [event, anonymousId, context.consent]), [["One", id, { categoryPreferences: { analytics: true } }]]);
  await call(other, "identify", "u-1", {}, "a.b.c");
  assert.match(String(await errorOf(other)), /identity: a page that decides for itself knows no users/);
});
