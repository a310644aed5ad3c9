// Pages of static files whose events a Worker on another host keeps: what is a visitor's right there, by the id that only their browser knows. A
// real browser, the real Worker with its shards and its bucket.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test, type TestContext } from "node:test";
import type { Locator, Page } from "playwright-core";
import { startProfiles, type Profiles } from "../worker/profiles.ts";
import { KEY } from "../worker/visitor.ts";
import { assets, compile, notice } from "./fixtures/artefacts.ts";
import { closeBrowser, DESKTOP, until, visit } from "./fixtures/browser.ts";
import { page } from "./fixtures/pages.ts";
import { serve, type Site } from "./fixtures/server.ts";
import { search } from "./fixtures/stored.ts";

const said = (title: string) => ({ title: { en: title, fr: title }, text: { en: "What it is for.", fr: "À quoi cela sert." } });

const MANIFEST = {
  site: { id: "shop", hosts: ["localhost", "127.0.0.1"] },
  consent: { ask: "banner" },
  purposes: { personalization: said("Personal shop"), analytics: said("Measurement"), marketing: said("Marketing") },
  traits: { size: { type: "string", purpose: "personalization", editable: true }, letter: { type: "string", purpose: "marketing" } },
  events: { "Product Viewed": { purpose: "analytics" } },
  slots: { hero: { selector: "h1" } },
  experiences: [{ id: "large", type: "personalization", purpose: "personalization", audience: "profile.size == 'l'", slots: { hero: { text: "All in L" } } }],
};

let worker: Profiles;
let shop: Site;
/** Pages are of another site than the Worker: it sees none of their cookies, and sets none. */
let url: string;

before(async () => {
  worker = await startProfiles({ manifest: MANIFEST, vars: { IDOINE_KEY: KEY, IDOINE_EVENTS_SECONDS: "1" }, bindings: { r2Buckets: ["EVENTS_BUCKET"] } });
  const scripts = assets("idoine.js", "asks.js", "client.js", "edits.js", "consent.js", "preferences.js", "engine.js", "engine.wasm");
  shop = await serve({
    ...scripts,
    "/site.program": { type: "application/octet-stream", body: compile(MANIFEST, "--browser") },
    "/notice.json": { type: "application/json", body: notice(MANIFEST) },
    "*": page(`<link rel="icon" href="data:,"><script async src="/_idoine/idoine.js" data-program="/site.program" data-notice="/notice.json" data-api="${worker.address.origin}" data-consent="1"></script>`, "<h1>Shop</h1><idoine-preferences></idoine-preferences>"),
  });
  url = shop.origin.replace("127.0.0.1", "localhost");
});
after(async () => {
  await closeBrowser();
  await Promise.all([worker.dispose(), shop.close()]);
});

const centre = (tab: Page): Locator => tab.locator("idoine-preferences");
const says = (tab: Page, text: string | RegExp): Promise<void> => centre(tab).getByRole("status").filter({ hasText: text }).waitFor();
const local = (tab: Page): Promise<string> => tab.evaluate(() => /idoine_id=([\w-]+)/.exec(document.cookie)?.[1] ?? localStorage.getItem("idoine_id") ?? "");
const choice = (tab: Page): Promise<string> => tab.evaluate(() => /idoine_consent=([^;]*)/.exec(document.cookie)?.[1] ?? "");
/** The key of the profile that the Worker has of who is called this. */
const keyOf = (id: string): string => `a:x-${createHash("sha256").update(id).digest("hex").slice(0, 32)}`;
const profile = async (id: string): Promise<number> => (await worker.api(`profile/${encodeURIComponent(keyOf(id))}`)).status;

/** A new visitor who agreed to all, and of whom something is stored. */
async function known(t: TestContext, product: string, refusesCookies = false): Promise<{ tab: Page; id: string }> {
  const tab = await visit(t, DESKTOP);
  if (refusesCookies) await tab.addInitScript(() => Object.defineProperty(Document.prototype, "cookie", { get: () => "", set() {} }));
  await tab.goto(url);
  const banner = tab.getByRole("region", { name: "Your privacy" });
  await banner.getByRole("button", { name: "Accept all" }).click();
  await banner.waitFor({ state: "detached" });
  await tab.evaluate(async (product) => {
    await window.idoine!("track", "Product Viewed", { product_id: product });
    await window.idoine!("identify", undefined, { size: "l", letter: "weekly" });
  }, product);
  assert.equal(await tab.evaluate(() => window.idoine!.debug!().error ?? null), null);
  const id = await local(tab);
  assert.equal(await profile(id), 200);
  return { tab, id };
}

async function downloaded(tab: Page): Promise<any> {
  const [file] = await Promise.all([tab.waitForEvent("download"), centre(tab).getByRole("button", { name: "Download my data" }).click()]);
  return JSON.parse(readFileSync(await file.path(), "utf8"));
}

const products = (file: any): string[] => file.events.filter(({ type }: any) => type === "track").map(({ properties }: any) => properties.product_id);
const traits = (file: any): string[] => [...new Set<string>(file.traits.map(({ name }: any) => name))].sort();

async function flip(tab: Page, name: string): Promise<void> {
  await centre(tab).getByRole("switch", { name }).click();
}

async function erase(tab: Page): Promise<void> {
  await centre(tab).getByRole("button", { name: "Erase everything", exact: true }).click();
  await tab.getByRole("button", { name: "Yes, erase everything" }).click();
  await says(tab, "Everything is erased.");
}

/** Asks the Worker as a page of the site does, without any cookie. */
async function asked(path: string, body: object, origin = url): Promise<{ status: number; body: any }> {
  const reply = await worker.fetch(`/_idoine/${path}`, { method: "POST", headers: { origin }, body: JSON.stringify(body) });
  return { status: reply.status, body: reply.json() };
}

test("what a page of static files has stored by a Worker elsewhere is seen, taken along, taken back by purpose and erased", async (t) => {
  const { tab, id } = await known(t, "boot-1");
  await tab.reload();
  await centre(tab).getByText("weekly").waitFor();
  const words = await centre(tab).locator("[part=centre]").innerText();
  assert.match(words, /This site keeps your choice in this browser\. What you do here is sent to us/);
  assert.doesNotMatch(words, /in this browser alone/);
  assert.equal(await centre(tab).getByRole("button", { name: /^Correct/ }).count(), 0, "nobody is there who could be told");
  const lines = async (): Promise<number> => (await asked("export", { anonymousId: id })).body.exported.length;
  await until(async () => (await lines()) >= 2);
  const file = await downloaded(tab);
  assert.deepEqual([file.who.anonymousId, products(file), traits(file)], [keyOf(id).slice(2), ["boot-1"], ["letter", "size"]]);

  // What is taken back goes there too, and the rest stays.
  await flip(tab, "Marketing");
  await says(tab, "Saved.");
  assert.match(await choice(tab), /~marketing/);
  assert.deepEqual(traits(await downloaded(tab)), ["size"]);
  assert.deepEqual(await worker.rows(keyOf(id), "SELECT what FROM receipts"), [{ what: "withdrawn: marketing" }]);

  assert.deepEqual(await search(tab, id, "boot-1", "weekly"), { [id]: ["cookie idoine_id"] });
  await erase(tab);
  assert.deepEqual(await search(tab, id, "boot-1", "weekly"), {});
  assert.match(await centre(tab).getByRole("status").innerText(), /Your receipt: [\w-]{36}/);
  assert.match(await choice(tab), /^v2\.~personalization\.~analytics\.~marketing\.1\.\d+\.v$/);
  assert.equal(await local(tab), "");
  assert.equal(await profile(id), 404);
  const left = await asked("export", { anonymousId: id });
  assert.deepEqual([left.status, products(left.body), traits(left.body)], [200, [], []]);
  await until(async () => (await lines()) === 0);
});

test("who takes all back has nothing left at the Worker, as the id by which it could be asked for goes; what can't be told is said, and undone", async (t) => {
  const { tab, id } = await known(t, "boot-2");
  await tab.route("**/_idoine/erase", (route) => route.abort());
  await flip(tab, "Measurement");
  await says(tab, "That did not work");
  assert.equal(await centre(tab).getByRole("switch", { name: "Measurement" }).isChecked(), true);
  assert.deepEqual([await local(tab), /\.analytics\./.test(await choice(tab))], [id, true]);
  const refused = await tab.evaluate(() => window.idoine!.consent!.set([]).then(() => "", String));
  assert.match(refused, /Error/);
  assert.deepEqual([await local(tab), await profile(id)], [id, 200]);

  await tab.unroute("**/_idoine/erase");
  await tab.evaluate(async () => void (await window.idoine!.consent!.set([])));
  assert.deepEqual([await local(tab), await profile(id)], ["", 404]);
});

test("where the browser refuses cookies, what local storage has in their place goes with the erasure", async (t) => {
  const { tab, id } = await known(t, "boot-5", true);
  assert.deepEqual(await search(tab, id, "personalization"), { [id]: ["localStorage idoine_id"], personalization: ["localStorage idoine_consent"] });
  await erase(tab);
  assert.deepEqual(await search(tab, id, "~personalization"), { "~personalization": ["localStorage idoine_consent"] });
  assert.equal(await profile(id), 404);
});

test("what is on its way when all is taken back is erased too", async (t) => {
  const { tab, id } = await known(t, "boot-3");
  let release!: () => void;
  const released = new Promise<void>((resolve) => (release = resolve));
  await tab.route("**/_idoine/collect", async (route) => {
    await released;
    await route.continue();
  });
  const order: string[] = [];
  tab.on("request", (request) => void (request.url().endsWith("/erase") && request.method() === "POST" && order.push("erasure sent")));
  tab.on("response", (response) => void (response.url().endsWith("/collect") && order.push("event kept")));
  const sent = tab.waitForRequest("**/_idoine/collect");
  const late = tab.evaluate(async () => void (await window.idoine!("track", "Product Viewed", { product_id: "late" })));
  await sent;
  const all = Promise.all([late, tab.evaluate(async () => void (await window.idoine!.consent!.set([])))]);
  await until(async () => (await choice(tab)).includes("~analytics"));
  release();
  await all;
  assert.deepEqual(order, ["event kept", "erasure sent"]);
  assert.equal(await profile(id), 404);
});

test("an id finds what is stored under it and nothing else, and only pages of the site ask", async (t) => {
  const { id } = await known(t, "boot-4");
  const other = await asked("export", { anonymousId: "somebody-else" });
  assert.deepEqual([other.status, products(other.body), traits(other.body)], [200, [], []]);
  assert.equal((await asked("erase", { anonymousId: "somebody-else" })).status, 200);
  // The name of a profile is not what opens it.
  for (const name of [keyOf(id), keyOf(id).slice(2)]) assert.deepEqual(products((await asked("export", { anonymousId: name })).body), []);
  for (const path of ["export", "erase"]) {
    assert.equal((await asked(path, { anonymousId: id }, "https://evil.example")).status, 403);
    for (const bad of ["", 7, "x".repeat(201)]) assert.equal((await asked(path, { anonymousId: bad })).status, 400);
  }
  for (const purposes of [[], ["all"], "analytics"]) assert.equal((await asked("erase", { anonymousId: id, purposes })).status, 400);
  const mine = await asked("export", { anonymousId: id });
  assert.deepEqual([mine.status, products(mine.body)], [200, ["boot-4"]]);
});
