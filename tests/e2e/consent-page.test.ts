// The banner and the preference centre through the real Worker, in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { BrowserContextOptions } from "playwright-core";
import { startOrigin, startWorker, type TestOrigin, type TestWorker } from "../worker/harness.ts";
import { problems } from "./fixtures/access.ts";
import { closeBrowser, until, visit } from "./fixtures/browser.ts";

let origin: TestOrigin;
let worker: TestWorker;
const READ = "read-token-of-these-tests";

before(async () => {
  origin = await startOrigin();
  const said = (en: string, fr: string) => ({ en, fr });
  worker = await startWorker({
    origin: origin.url,
    manifest: {
      site: { id: "shop", hosts: ["127.0.0.1"] },
      consent: { version: 2, policy: "/privacy", ask: "banner" },
      purposes: {
        personalization: { title: said("Your own shop", "Votre boutique"), text: said("Show first what you look at.", "Montrer ce que vous regardez.") },
        analytics: { title: said("Counting", "Mesure d’audience"), text: said("Count visits.", "Compter les visites.") },
      },
      slots: { title: { selector: "h1", pages: ["/*"] } },
      experiences: [{ id: "all", type: "personalization", purpose: "personalization", slots: { title: { text: "Personal" } } }],
    },
  });
  origin.routes["/"] = (_, response) => void response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end('<!doctype html><html lang="en"><head><title>Shop</title></head><body><h1>Welcome</h1><a href="/">Again</a></body></html>');
});
after(async () => {
  await closeBrowser();
  await Promise.all([worker.dispose(), origin.close()]);
});

test("the page shows the choice and keeps it, in the visitor's language, and violates nothing of its own policy", async (t) => {
  const tab = await visit(t, { locale: "fr-FR" });
  const errors: string[] = [];
  tab.on("console", (message) => /policy|trusted/i.test(message.text()) && errors.push(message.text()));
  await tab.goto(`http://127.0.0.1:${worker.address.port}/_idoine/preferences`);
  assert.equal(await tab.title(), "Vos données et vos choix");
  assert.equal(await tab.getByRole("heading", { level: 1 }).textContent(), "Vos données et vos choix");
  assert.equal(await tab.getByRole("link", { name: "Retour au site" }).getAttribute("href"), "/");
  const analytics = tab.getByRole("switch", { name: "Mesure d’audience" });
  assert.equal(await analytics.isChecked(), false);
  assert.deepEqual(await tab.context().cookies(), []);
  assert.deepEqual(await problems(tab, "idoine-preferences"), []);
  await analytics.click();
  await tab.getByRole("status").filter({ hasText: "Enregistré." }).waitFor();
  await tab.reload();
  assert.equal(await analytics.isChecked(), true);
  assert.deepEqual(errors, []);
});

test("pages that the Worker edits ask who has not chosen, once", async (t) => {
  const tab = await visit(t);
  const asked: string[] = [];
  tab.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await tab.goto(`http://127.0.0.1:${worker.address.port}/`);
  const banner = tab.getByRole("region", { name: "Your privacy" });
  await banner.getByText("Your own shop · Counting").waitFor();
  assert.deepEqual(await tab.context().cookies(), []);
  await banner.getByRole("button", { name: "Choose" }).click();
  await banner.getByRole("switch", { name: "Counting" }).check();
  await banner.getByRole("button", { name: "Save my choice" }).click();
  await banner.waitFor({ state: "detached" });
  const choice = (await tab.context().cookies()).find(({ name }) => name === "idoine_consent");
  assert.match(choice?.value ?? "", /^v2\.analytics\.-personalization\.-marketing\.2\.\d+\.v$/);
  asked.length = 0;
  await tab.reload();
  await tab.evaluate(() => new Promise((done) => requestIdleCallback(() => setTimeout(done, 200))));
  assert.ok(!asked.some((path) => path.endsWith("consent.js")), asked.join(" "));
});

test("where a site measures without asking, pages of who has not chosen are counted, and of who refuses nothing is sent", async (t) => {
  const exempt = await startWorker({
    origin: origin.url,
    profiles: true,
    vars: { IDOINE_KEY: "a secret of these tests", IDOINE_TOKENS: `read:tests:${READ}` },
    manifest: {
      site: { id: "shop", hosts: ["127.0.0.1"] },
      consent: { mode: "measurement-exempt" },
      slots: { title: { selector: "h1", pages: ["/*"] } },
      experiences: [{ id: "all", type: "personalization", slots: { title: { text: "Counted" } } }],
    },
  });
  t.after(() => exempt.dispose());
  const address = `http://127.0.0.1:${exempt.address.port}/`;
  /** A page, with what its script sends of events and whatever else. */
  const arrive = async (options: BrowserContextOptions = {}) => {
    // The browser of the tests calls itself a program, which is counted nowhere.
    const tab = await visit(t, { userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", ...options });
    const sent: { path: string; cookie: string | undefined; body: string }[] = [];
    tab.on("request", (request) => {
      if (request.method() !== "GET") sent.push({ path: new URL(request.url()).pathname, cookie: request.headers()["cookie"], body: request.postData() ?? "" });
    });
    await tab.goto(address);
    await tab.waitForFunction(() => window.idoine?.ready);
    const stored = async (): Promise<unknown> => [await tab.context().cookies(), await tab.evaluate(() => localStorage.length + sessionStorage.length)];
    return { tab, sent, stored };
  };
  const measured = async (): Promise<[string, string, string, number][]> => {
    const reply = await exempt.fetch("/_idoine/api/measured", { headers: { authorization: `Bearer ${READ}` } });
    return reply.json().measured.map(({ kind, name, experience, n }: { kind: string; name: string; experience: string; n: number }) => [kind, name, experience, n]);
  };

  const { tab, sent, stored } = await arrive();
  await tab.evaluate(() => window.idoine!.page!("Home"));
  await tab.evaluate(() => window.idoine!.track!("Product Viewed", { product_id: "p1" }));
  // Who they are is nothing to be counted.
  await tab.evaluate(() => window.idoine!.identify!("u-1", { plan: "pro" }, "a.b.c"));
  assert.deepEqual(sent.map(({ path, body }) => [path, JSON.parse(body).events.map(({ type }: { type: string }) => type)]), [["/_idoine/collect", ["page"]], ["/_idoine/collect", ["track"]]]);
  assert.ok(sent.every(({ cookie, body }) => cookie === undefined && !/anonymousId|userId|u-1/.test(body)));
  assert.deepEqual(await stored(), [[], 0]);
  assert.equal(await tab.evaluate(() => window.idoine!.debug!().error ?? null), null);
  await until(async () => (await measured()).length === 2);
  const counted = [["page", "Home", "", 1], ["track", "Product Viewed", "", 1]];
  assert.deepEqual(await measured(), counted);

  // From their refusal on nothing is sent: in this page, and in the next one.
  await tab.evaluate(() => window.idoine!.consent!.set([]));
  sent.length = 0;
  await tab.evaluate(() => window.idoine!.page!("Home"));
  await tab.reload();
  await tab.waitForFunction(() => window.idoine?.ready);
  await tab.evaluate(() => window.idoine!.page!("Home"));
  assert.deepEqual(sent, []);

  // Nor of who asks not to be tracked.
  const other = await arrive({ extraHTTPHeaders: { dnt: "1" } });
  await other.tab.evaluate(() => window.idoine!.page!("Home"));
  assert.deepEqual(other.sent, []);
  assert.deepEqual(await other.stored(), [[], 0]);
  assert.deepEqual(await measured(), counted);
});
