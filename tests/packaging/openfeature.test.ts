// The provider for OpenFeature's web SDK, as it is openFeatureSite: bundled with it, in a page that decides for itself and in one behind a Worker.
import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import type { Client, OpenFeature, ProviderEvents } from "@openfeature/web-sdk";
import { build } from "esbuild";
import type { Page } from "playwright-core";
import type { IdoineWebProvider } from "../../www/npm/src/openfeature.ts";
import type { createIdoine as Create } from "../../www/npm/src/index.browser.ts";
import { compile } from "../e2e/fixtures/artefacts.ts";
import { closeBrowser, DESKTOP, until, visit } from "../e2e/fixtures/browser.ts";
import { json, serve, type Route, type Site } from "../e2e/fixtures/server.ts";
import { project, type Project } from "./project.ts";

after(closeBrowser);

declare global {
  var openFeatureSite: { OpenFeature: typeof OpenFeature; ProviderEvents: typeof ProviderEvents; IdoineWebProvider: typeof IdoineWebProvider; createIdoine: typeof Create };
  var shopClient: ReturnType<typeof Create>;
  var flags: Client;
  var events: unknown[];
}

const personal = (id: string, audience: string, slots: object): object => ({ id, type: "personalization", audience, slots });
const MANIFEST = {
  site: { id: "flags", hosts: ["127.0.0.1"], timezone: "Europe/Paris" },
  slots: {
    title: { selector: "h1" },
    lead: { selector: "p", pages: ["/"] },
    button: { selector: "a" },
    sale: { type: "data", pages: ["/sale"] },
    enabled: { type: "data" },
    count: { type: "data" },
    list: { type: "data" },
    nothing: { type: "data" },
    whole: { type: "data" },
  },
  experiences: [
    personal("campaign", "source.campaign == 'spring'", { title: { text: "Spring" }, lead: { html: "<b>Hi</b>", attribute: { title: "T" } }, enabled: { json: false }, count: { json: 3.5 }, list: { json: [1] }, nothing: { json: null }, whole: { json: { a: 1 } } }),
    personal("sale", "page.path == '/sale'", { sale: { json: 20 } }),
    { id: "test", type: "experiment", audience: "has(page.path)", weights: [0, 1], slots: { button: [{ baseline: true }, { text: "Get it" }] } },
  ],
};

let app: Project;
before(async () => {
  const main = 'import { OpenFeature, ProviderEvents } from "@openfeature/web-sdk"; import { IdoineWebProvider } from "idoine/openfeature"; import { createIdoine } from "idoine"; globalThis.openFeatureSite = { OpenFeature, ProviderEvents, IdoineWebProvider, createIdoine };';
  app = project({ "main.js": main, "site.program": compile(MANIFEST, "--browser") }, "@openfeature/web-sdk", "@openfeature/core");
  await build({ absWorkingDir: app.folder, entryPoints: ["main.js"], outdir: "dist", bundle: true, splitting: true, format: "esm" });
});

async function open(t: TestContext, options: Parameters<typeof Create>[0], routes: Record<string, Route> = {}): Promise<{ tab: Page; site: Site }> {
  const html = '<!doctype html><html lang="en"><head><title>Shop</title></head><body><h1>Welcome</h1><p>Lead</p><a href="/">Buy</a><script type="module" src="/main.js"></script></body></html>';
  const files = { ...app.routes("dist"), "/engine.wasm": app.routes("node_modules/idoine")["/engine.wasm"]! };
  const site = await serve({ ...files, "/site.program": { type: "application/octet-stream", body: app.read("site.program") }, "/": html, "/sale": html, ...routes });
  t.after(() => site.close());
  const tab = await visit(t, DESKTOP);
  await tab.goto(`${site.origin}/?utm_campaign=spring`);
  await tab.waitForFunction(() => globalThis.openFeatureSite);
  await tab.evaluate(async (options) => {
    const { OpenFeature, ProviderEvents, IdoineWebProvider, createIdoine } = openFeatureSite;
    globalThis.events = [];
    for (const name of Object.values(ProviderEvents)) OpenFeature.addHandler(name, (event) => {
      const { flagsChanged } = (event ?? {}) as { flagsChanged?: string[] };
      events.push(flagsChanged ? [name, [...flagsChanged].sort()] : name);
    });
    globalThis.shopClient = createIdoine(options);
    globalThis.flags = OpenFeature.getClient();
    await OpenFeature.setProviderAndWait(new IdoineWebProvider(shopClient, { onContext: (client, { targetingKey }) => targetingKey && client.identify(targetingKey) })).catch((error) => events.push(String(error)));
  }, options);
  return { tab, site };
}

const STATIC = { program: "/site.program" };

test("slots are flags of their kinds, with the reasons and variants of OFREP", async (t) => {
  const { tab } = await open(t, STATIC);
  const told = await tab.evaluate(() =>
    [
      flags.getStringDetails("title", "mine"),
      flags.getObjectDetails("lead", {}),
      flags.getStringDetails("button", "mine"),
      flags.getBooleanDetails("enabled", true),
      flags.getNumberDetails("count", 0),
      flags.getObjectDetails("list", []),
      flags.getObjectDetails("whole", {}),
      flags.getStringDetails("nothing", "mine"),
      flags.getNumberDetails("title", 7),
      flags.getBooleanDetails("sale", true),
      flags.getBooleanDetails("typo", true),
    ].map(({ value, reason, variant, errorCode }) => [value, reason, variant, errorCode]),
  );
  assert.deepEqual(told, [
    ["Spring", "TARGETING_MATCH", "campaign:1", undefined],
    [{ edits: [{ op: "html", value: "<b>Hi</b>" }, { op: "attribute", name: "title", value: "T" }] }, "TARGETING_MATCH", "campaign:1", undefined],
    ["mine", "DEFAULT", "baseline", undefined],
    [false, "TARGETING_MATCH", "campaign:1", undefined],
    [3.5, "TARGETING_MATCH", "campaign:1", undefined],
    [[1], "TARGETING_MATCH", "campaign:1", undefined],
    [{ a: 1 }, "TARGETING_MATCH", "campaign:1", undefined],
    ["mine", "TARGETING_MATCH", "campaign:1", undefined],
    [7, "ERROR", undefined, "TYPE_MISMATCH"],
    [true, "ERROR", undefined, "FLAG_NOT_FOUND"],
    [true, "ERROR", undefined, "FLAG_NOT_FOUND"],
  ]);
  const { flagMetadata } = await tab.evaluate(() => flags.getStringDetails("title", ""));
  assert.deepEqual({ ...flagMetadata, version: "" }, { experience: "campaign", reason: "match", version: "" });
  assert.match(String(flagMetadata.version), /^[0-9a-f]{16}$/);
  // An experiment has visitors who agreed.
  const split = await tab.evaluate(async () => {
    await shopClient.consent.set(["personalization"]);
    await shopClient.decide();
    return flags.getStringDetails("button", "mine");
  });
  assert.deepEqual([split.value, split.reason, split.variant], ["Get it", "SPLIT", "test:1"]);
});

test("another route changes the configuration, and the flags that change are named", async (t) => {
  const { tab } = await open(t, STATIC);
  await tab.evaluate(() => shopClient.page());
  await tab.evaluate(() => history.pushState(null, "", "/sale?utm_campaign=spring"));
  await until(() => tab.evaluate(() => flags.getNumberValue("sale", 0) === 20));
  assert.deepEqual(await tab.evaluate(() => events), ["PROVIDER_READY", ["PROVIDER_CONFIGURATION_CHANGED", ["lead", "sale"]]]);
  assert.deepEqual(await tab.evaluate(() => flags.getStringDetails("lead", "mine").errorCode), "FLAG_NOT_FOUND");
});

test("another context has the page decided again, and is reconciled", async (t) => {
  const { tab } = await open(t, { ...STATIC, auto: false });
  // Nothing is decided before somebody asks.
  assert.equal(await tab.evaluate(() => flags.getStringValue("title", "mine")), "mine");
  await tab.evaluate(() => openFeatureSite.OpenFeature.setContext({ plan: "pro" }));
  assert.equal(await tab.evaluate(() => flags.getStringValue("title", "mine")), "Spring");
  assert.deepEqual(await tab.evaluate(() => events), ["PROVIDER_READY", "PROVIDER_RECONCILING", "PROVIDER_CONTEXT_CHANGED"]);
});

test("where nothing can be decided the provider is in error, and defaults count", async (t) => {
  const { tab } = await open(t, { program: "/nowhere.program" });
  const [value, [event, error]] = await tab.evaluate(() => [flags.getStringValue("title", "mine"), events as string[]] as const);
  assert.deepEqual([value, event], ["mine", "PROVIDER_ERROR"]);
  assert.match(error!, /program: 404 \[program_unavailable\]/);
});

test("behind a Worker, what the edge has written is asked for; contexts identify, and tracking tracks", async (t) => {
  const decisions = [{ slot: "title", experience: "campaign", variant: 1, source: "personalization", reason: "match" }];
  const told: any[] = [];
  const keep: Route = (request) => (told.push(JSON.parse(request.body)), json({ accepted: 1 }));
  const { tab } = await open(t, {}, {
    "/_idoine/decide": json({ version: "0123456789abcdef", decisions, edits: [{ slot: "title", selector: "h1", op: "text", value: "Spring" }] }),
    "/_idoine/consent": json({ granted: ["analytics"], decided: true, choice: {}, own: [], measured: false, signals: {} }),
    "/_idoine/collect": keep,
  });
  assert.deepEqual(await tab.evaluate(() => flags.getStringDetails("title", "mine").value), "Spring");
  await tab.evaluate(() => void (document.cookie = "idoine_consent=v2.a"));
  await tab.evaluate(() => openFeatureSite.OpenFeature.setContext({ targetingKey: "customer-1" }));
  await tab.evaluate(() => flags.track("Order Completed", { value: 42, currency: "EUR" }));
  await until(async () => told.flatMap(({ events }) => events).length >= 2);
  const events = told.flatMap(({ events }) => events);
  assert.equal(events.find(({ type }) => type === "identify").userId, "customer-1");
  assert.deepEqual((({ event, properties }) => ({ event, properties }))(events.find(({ type }) => type === "track")), { event: "Order Completed", properties: { value: 42, currency: "EUR" } });
});
