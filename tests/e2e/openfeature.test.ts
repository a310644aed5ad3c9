// OpenFeature's web SDK with its OFREP provider, bundled as a site's own script would be, in a page that the Worker serves.
import assert from "node:assert/strict";
import { after, test, type TestContext } from "node:test";
import type { Client, OpenFeature, ProviderEvents } from "@openfeature/web-sdk";
import type { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { build } from "esbuild";
import type { Page } from "playwright-core";
import { flags } from "../worker/flags.ts";
import { ROOT, startOrigin, startWorker, type TestWorker } from "../worker/harness.ts";
import { closeBrowser, until, visit } from "./fixtures/browser.ts";

after(closeBrowser);

declare global {
  var sdk: { OpenFeature: typeof OpenFeature; ProviderEvents: typeof ProviderEvents; OFREPWebProvider: typeof OFREPWebProvider };
  var flagClient: Client;
  var changes: string[];
}

const SCRIPT = `
import { OpenFeature, ProviderEvents } from "@openfeature/web-sdk";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
globalThis.sdk = { OpenFeature, ProviderEvents, OFREPWebProvider };
`;

/** A page of a site that asks for its flags: the Worker, and every request of the page to it with the answer's status. */
async function open(t: TestContext, query = "", options: object = {}): Promise<{ tab: Page; worker: TestWorker; asked: { status: number; knew: boolean }[] }> {
  const bundle = await build({ stdin: { contents: SCRIPT, resolveDir: ROOT }, bundle: true, write: false, format: "iife", target: "es2022", absWorkingDir: ROOT, tsconfigRaw: {} });
  const script = bundle.outputFiles[0]!.text;
  const origin = await startOrigin({
    "*": '<!doctype html><html lang="en"><head><title>Shop</title><script src="/flags.js"></script></head><body><h1>Welcome</h1></body></html>',
    "/flags.js": (_, response) => void response.writeHead(200, { "content-type": "text/javascript" }).end(script),
  });
  const worker = await startWorker({ origin: origin.url, manifest: flags() });
  t.after(async () => void (await Promise.all([worker.dispose(), origin.close()])));
  const tab = await visit(t);
  const asked: { status: number; knew: boolean }[] = [];
  tab.on("response", (response) => {
    if (response.url().includes("/ofrep/")) {
      asked.push({ status: response.status(), knew: "if-none-match" in response.request().headers() });
    }
  });
  await tab.goto(new URL(query, worker.address).href);
  await tab.evaluate(async (options) => {
    const { OpenFeature, OFREPWebProvider } = globalThis.sdk;
    await OpenFeature.setContext({ url: location.href });
    await OpenFeature.setProviderAndWait(new OFREPWebProvider({ baseUrl: "/_idoine", pollInterval: 200, ...options }) as never);
    globalThis.flagClient = OpenFeature.getClient();
  }, options);
  return { tab, worker, asked };
}

test("the flags of the page are what the page shows", async (t) => {
  const { tab } = await open(t, "/?utm_campaign=spring");
  const details = await tab.evaluate(() => globalThis.flagClient.getStringDetails("title", "Welcome"));
  assert.deepEqual([details.value, details.reason, details.variant], ["Spring & more", "TARGETING_MATCH", "campaign:1"]);
  assert.equal(await tab.textContent("h1"), details.value);
  const cart = await tab.evaluate(() => globalThis.flagClient.getStringDetails("cart", "Empty"));
  assert.deepEqual([cart.value, cart.reason, cart.errorCode], ["Empty", "DEFAULT", undefined]);
  const unknown = await tab.evaluate(() => globalThis.flagClient.getStringDetails("nowhere", "mine"));
  assert.deepEqual([unknown.value, unknown.errorCode], ["mine", "FLAG_NOT_FOUND"]);
});

test("a context that changes is evaluated anew", async (t) => {
  const { tab } = await open(t);
  const values = () => tab.evaluate(() => [globalThis.flagClient.getBooleanValue("enabled", false), globalThis.flagClient.getNumberValue("count", 0), globalThis.flagClient.getStringValue("cart", "Empty")]);
  assert.deepEqual(await values(), [false, 0, "Empty"]);
  await tab.evaluate(() => globalThis.sdk.OpenFeature.setContext({ url: "/cart", geo: { country: "FR" } }));
  // From the provider's own cache at first, which knows nothing of the context, and then from the Worker.
  await until(async () => (await values())[0] === true);
  assert.deepEqual(await values(), [true, 3.5, "Yours"]);
});

test("an experiment's flag is the variant that the page shows to a visitor who agreed", async (t) => {
  // The provider's own cache knows visitors by their targeting key, and takes the one who agreed for the one before.
  const { tab } = await open(t, "/", { cacheMode: "disabled" });
  const [before, after] = await tab.evaluate(async () => {
    const value = () => globalThis.flagClient.getStringDetails("button", "Buy");
    const before = value();
    await fetch("/_idoine/consent", { method: "POST", body: JSON.stringify({ granted: ["personalization"] }) });
    await globalThis.sdk.OpenFeature.setContext({ url: location.href });
    return [before, value()];
  });
  assert.deepEqual([before!.value, before!.reason], ["Buy", "DEFAULT"]);
  assert.equal(after!.reason, "SPLIT");
  const decided = await tab.evaluate(async () => (await (await fetch(`/_idoine/decide?url=${encodeURIComponent(location.href)}`)).json()).decisions);
  const { variant } = decided.find(({ slot }: { slot: string }) => slot === "button");
  assert.deepEqual([after!.variant, after!.value], variant === 0 ? ["baseline", "Buy"] : ["button-test:1", "Get it now"]);
});

test("polling costs a 304 until something is published", async (t) => {
  const { tab, worker, asked } = await open(t, "/cart");
  await until(async () => asked.some(({ status, knew }) => status === 304 && knew));
  assert.deepEqual(asked.map(({ status }) => status).slice(0, 2), [200, 304]);
  await tab.evaluate(() => {
    globalThis.changes = [];
    globalThis.flagClient.addHandler(globalThis.sdk.ProviderEvents.ConfigurationChanged, (event) => globalThis.changes.push(...(event?.flagsChanged ?? [])));
  });
  await worker.publish(flags({ experiences: [{ id: "basket", type: "personalization", audience: "true", slots: { cart: { text: "Full" } } }] }));
  await until(() => tab.evaluate(() => globalThis.changes.includes("cart")));
  assert.equal(await tab.evaluate(() => globalThis.flagClient.getStringValue("cart", "Empty")), "Full");
});
