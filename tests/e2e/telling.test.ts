// What the client tells of what visitors do, by where it runs. That it changes the next page: profile.test.ts.
import assert from "node:assert/strict";
import { after, test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Page } from "playwright-core";
import { assets, compile } from "./fixtures/artefacts.ts";
import { closeBrowser, until, visit } from "./fixtures/browser.ts";
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
const worker = (t: TestContext, granted: string[], collect: Route = ACCEPTED, more: object = {}): Promise<Site> => {
  const shared = (route: Route) => (request: Asked): Route => (request.method === "OPTIONS" ? { status: 204, headers: { ...allow(request), "access-control-allow-methods": "POST, DELETE" } } : { ...(route as object), headers: allow(request) });
  return started(t, {
    "/_idoine/decide": shared(json({ version: "v", decisions: [], edits: [] })),
    "/_idoine/consent": shared(json({ granted, decided: true, ...more })),
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
/** The bodies of what was sent to an address, without their times and the events' ids, which are all different. */
function sent(site: Site, path: string): any[] {
  const ids = new Set<string>();
  return site.asked
    .filter((one) => one.path === `/_idoine/${path}` && one.method !== "OPTIONS")
    .map(({ body, method }) => {
      if (body === "") return method;
      const said = JSON.parse(body);
      if (!said?.events) return said;
      const { sentAt, ...rest } = said;
      for (const event of rest.events) {
        const { messageId, timestamp } = event;
        assert.ok(timestamp <= sentAt && !ids.has(messageId) && messageId.length > 10);
        ids.add(messageId);
        delete event.messageId;
        delete event.timestamp;
      }
      return rest;
    });
}

test("behind the Worker events go to it, from visitors who agreed to something", async (t) => {
  const shop = await started(t, { ...assets("idoine.js", "edits.js", "live.js"), "/": page(edgeHead(STATE)), "/_idoine/collect": ACCEPTED, "/_idoine/identity": json({}) });
  const tab = await open(t, shop);
  for (const choice of ["", "v1", "v2.-analytics.~personalization.1.1763900000.v", "v3.analytics", "vx.personalization"]) {
    await tab.evaluate((choice) => void (document.cookie = `idoine_consent=${choice}`), choice);
    await call(tab, "track", "Product Viewed", { product_id: "p1" });
    await call(tab, "reset");
  }
  assert.deepEqual(shop.paths(), ["/", "/_idoine/idoine.js"]);
  await tab.evaluate(() => void (document.cookie = "idoine_consent=v2.analytics.-personalization.-marketing.1.1763900000.v"));
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

/**
 * A shop whose Worker answers, as the real one does, with what is known of whoever the visitor was when it was asked. Events called `Slow` and
 * the token `slow` are answered when `release` is called, as is what is agreed to; the event `Refused` never well.
 */
async function shopOfTurns(t: TestContext): Promise<{ shop: Site; tab: Page; release: () => void; projection: () => Promise<string | undefined> }> {
  let release!: () => void;
  const released = new Promise<void>((resolve) => (release = resolve));
  const projected = (who: string): Route => json({ results: [] }, { "set-cookie": `idoine_p=${who}; Path=/; HttpOnly` });
  const known = ({ headers }: Asked): string => /idoine_p=(\w+)/.exec(headers.cookie ?? "")?.[1] ?? "anonymous";
  const shop = await started(t, {
    ...assets("idoine.js", "edits.js", "live.js"),
    "/": page(edgeHead(STATE)),
    "/left": page(edgeHead(STATE)),
    "/_idoine/collect": async (request) => {
      if (request.body.includes("Slow")) await released;
      return request.body.includes("Refused") ? { status: 503 } : projected(known(request));
    },
    "/_idoine/consent": async (request) => {
      await released;
      return projected(known(request));
    },
    "/_idoine/identity": async ({ method, body }) => {
      if (body.includes("slow")) await released;
      return projected(method === "POST" ? "user" : "nobody");
    },
  });
  t.after(release);
  const tab = await open(t, shop);
  await tab.evaluate(() => void (document.cookie = "idoine_consent=v1.personalization"));
  const projection = async () => (await tab.context().cookies()).find(({ name }) => name === "idoine_p")?.value;
  return { shop, tab, release, projection };
}

const told = (shop: Site): string[] => shop.paths().filter((path) => /^(POST|DELETE)/.test(path)).map((path) => path.replace("/_idoine/", ""));

test("a late answer, to an event or to what is agreed to, undoes neither a log-in nor a log-out", async (t) => {
  const [slow, agreed] = [["track", "Slow"], ["consent.set", ["personalization"]]] as const;
  for (const [before, name, args, who] of [[slow, "identify", ["u-1", {}, "a.b.c"], "user"], [slow, "reset", [], "nobody"], [agreed, "reset", [], "nobody"]] as const) {
    const { tab, release, projection } = await shopOfTurns(t);
    const done = Promise.all([call(tab, before[0], before[1]), call(tab, name, ...args)]);
    // Time enough for the log-in to be over, if it did not wait.
    await pause(300);
    release();
    await done;
    assert.equal(await projection(), who);
    assert.equal(await errorOf(tab), null);
  }
});

test("what is told while somebody logs in is told as that user, and events do not wait for each other", async (t) => {
  const { shop, tab, release, projection } = await shopOfTurns(t);
  const first = call(tab, "track", "Slow");
  await call(tab, "track", "Fast");
  assert.deepEqual(told(shop), ["POST collect", "POST collect"]);
  const all = Promise.all([first, call(tab, "identify", "u-1", {}, "slow"), call(tab, "track", "Later"), call(tab, "reset")]);
  await pause(300);
  release();
  await all;
  assert.deepEqual(told(shop).slice(2), ["POST collect", "POST identity", "POST collect", "DELETE identity"]);
  const later = shop.asked.find(({ body }) => body.includes("Later"));
  assert.match(later!.headers.cookie!, /idoine_p=user/);
  assert.equal(await projection(), "nobody");
});

test("an event that is not taken keeps nobody from logging in", async (t) => {
  const { tab, projection } = await shopOfTurns(t);
  await Promise.all([call(tab, "track", "Refused"), call(tab, "identify", "u-1", {}, "a.b.c")]);
  assert.match(String(await errorOf(tab)), /collect: 503/);
  assert.equal(await projection(), "user");
});

test("what waits for its turn is sent when the page is left, and so is what is told then; also of a page that came back before", async (t) => {
  const { shop, tab } = await shopOfTurns(t);
  await tab.evaluate(async () => {
    // The browser of these tests keeps no page that is left, so that none comes back by itself.
    for (const name of ["pagehide", "pageshow"]) dispatchEvent(new Event(name));
    window.idoine!("track", "Slow");
    window.idoine!("identify", "u-1", {}, "a.b.c");
    addEventListener("pagehide", () => window.idoine!("track", "Leaving"));
  });
  await pause(300);
  assert.deepEqual(told(shop), ["POST collect"], "what is told in one go is sent in one go, and the log-in waits");
  assert.deepEqual(sent(shop, "collect")[0].events.map(({ type }: { type: string }) => type), ["track", "identify"]);
  await tab.goto(`${shop.origin}/left`);
  await until(async () => told(shop).length >= 3);
  assert.deepEqual(told(shop).slice(1).sort(), ["POST collect", "POST identity"]);
});

test("what is asked before the loader is there is told once it is", async (t) => {
  const stub = '<script>window.idoine = window.idoine || function () { (idoine.q = idoine.q || []).push(arguments); }; document.cookie = "idoine_consent=v1.analytics"; idoine("track", "Early");</script>';
  const shop = await started(t, { ...assets("idoine.js", "edits.js", "live.js"), "/": page(stub + edgeHead(STATE)), "/_idoine/collect": ACCEPTED });
  const tab = await visit(t);
  const told = tab.waitForResponse("**/_idoine/collect");
  await tab.goto(shop.origin);
  await told;
  assert.equal(sent(shop, "collect")[0].events[0].event, "Early");
});

test("a Worker at another host name is asked once what was agreed to", async (t) => {
  for (const granted of [[], ["analytics"]]) {
    const api = await worker(t, granted);
    const shop = await started(t, { ...assets("idoine.js", "edits.js", "live.js"), "/": page(`<script async src="/_idoine/idoine.js" data-api="${api.origin}"></script>`) });
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

test("a profile is told by the names of its traits, and of what was learned", async (t) => {
  const known = { "profile.plan": "pro", "profile.count('Product Viewed')": "2" };
  const shop = await started(t, { ...assets("idoine.js", "live.js"), "/": page(edgeHead(STATE)), "/_idoine/profile": json({ version: "v", verified: false, profile: known }) });
  const tab = await open(t, shop);
  assert.deepEqual(await call(tab, "profile"), {}, "nobody agreed");
  await tab.evaluate(() => void (document.cookie = "idoine_consent=v2.personalization.1.1763900000.v"));
  assert.deepEqual(await call(tab, "profile"), { plan: "pro", "count('Product Viewed')": "2" });
});

test("a profile that can't be had is empty", async (t) => {
  const api = await worker(t, ["personalization"]);
  const shop = await started(t, { ...assets("idoine.js", "live.js"), "/": page(`<script async src="/_idoine/idoine.js" data-api="${api.origin}"></script>`) });
  const tab = await open(t, shop);
  assert.deepEqual(await call(tab, "profile"), {});
  assert.ok(await errorOf(tab));
});

test("what is not taken is said in debug, and the page goes on", async (t) => {
  const api = await worker(t, ["analytics"], { status: 503, type: "application/json", body: "{}" });
  const shop = await started(t, { ...assets("idoine.js", "edits.js", "live.js"), "/": page(`<script async src="/_idoine/idoine.js" data-api="${api.origin}"></script>`) });
  const tab = await open(t, shop);
  await call(tab, "track", "One");
  assert.match(String(await errorOf(tab)), /collect: 503/);
});

test("a site of static files tells nobody without a Worker, and says so; with one it tells that one what it has agreed to", async (t) => {
  const files = { ...assets("idoine.js", "live.js", "client.js", "edits.js", "engine.js", "engine.wasm"), "/program.bin": { type: "application/octet-stream", body: compile("static.jsonc", "--browser") } };
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

test("where a Worker, before the site or at another host, counts without the visitor, what is done is told without them, and who they are is not", async (t) => {
  const told = (site: Site): unknown[] => sent(site, "collect").map(({ events: [{ type, anonymousId, context }] }) => [type, anonymousId, context.consent]);
  const say = async (tab: Page): Promise<void> => {
    await call(tab, "page", "Home");
    await call(tab, "identify", "u-1", { plan: "pro" }, "a.b.c");
    for (const nobody of [null, undefined, ""]) await call(tab, "identify", nobody, { email: "a@shop.example" });
    await call(tab, "reset");
    assert.equal(await errorOf(tab), null);
    assert.deepEqual(await tab.context().cookies(), []);
  };
  const shop = await started(t, { ...assets("idoine.js", "edits.js", "live.js"), "/": page(edgeHead(STATE).replace("<script async", "<script async data-measure=1")), "/_idoine/collect": ACCEPTED });
  await say(await open(t, shop));
  assert.deepEqual(sent(shop, "collect").map(({ events: [{ type }] }) => type), ["page"]);
  const api = await worker(t, [], ACCEPTED, { decided: false, measured: true });
  const asking = await started(t, { ...assets("idoine.js", "edits.js", "live.js"), "/": page(`<script async src="/_idoine/idoine.js" data-api="${api.origin}"></script>`) });
  await say(await open(t, asking));
  assert.deepEqual([told(api), sent(api, "identity")], [[["page", undefined, undefined]], []]);

  const other = await worker(t, []);
  const program = compile({ site: { id: "shop" }, consent: { mode: "measurement-exempt" } }, "--browser");
  const files = { ...assets("idoine.js", "live.js", "client.js", "edits.js", "engine.js", "engine.wasm"), "/program.bin": { type: "application/octet-stream", body: program } };
  const deciding = await started(t, { ...files, "/": page(`<script async src="/_idoine/idoine.js" data-program="/program.bin" data-api="${other.origin}"></script>`) });
  await say(await open(t, deciding));
  assert.deepEqual([told(other), sent(other, "identity")], [[["page", undefined, { categoryPreferences: {} }]], []]);
});
