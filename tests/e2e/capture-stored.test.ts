// Capture as a site has it: the loader's attribute, the chunk that it loads, the real Worker, and what is in the store in the end.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startCollecting, type Collecting, type Stored } from "../worker/collecting.ts";
import { startOrigin, type TestOrigin } from "../worker/harness.ts";
import { closeBrowser, DESKTOP, until, visit } from "./fixtures/browser.ts";

let origin: TestOrigin;
let worker: Collecting;

const page = (kinds: string, body: string): string =>
  `<!doctype html><html><head><meta charset="utf-8"><title>Shop</title><script async src="/_idoine/idoine.js" data-capture="${kinds}"></script></head><body><h1>Shop</h1>${body}</body></html>`;
const KINDS = "pages visible_time scroll clicks forms web_vitals";
const BODY = `<button data-idoine-click="offer">Offer</button><form name="contact"><input name="email"></form><div style="height: 5000px"></div>`;

before(async () => {
  origin = await startOrigin();
  origin.routes["/"] = page(KINDS, BODY);
  origin.routes["/quiet"] = page("", BODY);
  worker = await startCollecting({ origin: origin.url, manifest: { site: { id: "shop", hosts: ["127.0.0.1"] } } });
});
after(async () => {
  await closeBrowser();
  await Promise.all([worker.dispose(), origin.close()]);
});

test("what is captured is in the store, to the last moment of a page, and nothing of what a visitor wrote", async (t) => {
  const tab = await visit(t, DESKTOP);
  const url = `http://127.0.0.1:${worker.address.port}`;
  const said = async (): Promise<Stored[]> => worker.stored();
  const act = async (): Promise<void> => {
    await tab.click("button");
    await tab.fill("input", "ada@shop.example secret");
    await tab.evaluate(() => scrollTo(0, 1e6));
    // So long that it counts as time, and until the package of web vitals has looked at the click.
    await tab.waitForTimeout(1500);
  };

  await tab.goto(`${url}/quiet`);
  await tab.waitForFunction(() => window.idoine?.ready);
  await tab.evaluate(() => fetch("/_idoine/consent", { method: "POST", body: JSON.stringify({ granted: ["analytics", "personalization"] }) }));
  await act();
  const loaded = tab.waitForResponse("**/_idoine/vitals.js");
  await tab.goto(`${url}/`, { referer: `${url}/quiet?customer=secret` });
  await loaded;
  await until(async () => (await said()).some(({ type }) => type === "page"));
  await act();
  await tab.evaluate(() => history.pushState(null, "", "/sale?customer=secret"));
  await until(async () => (await said()).filter(({ type }) => type === "page").length === 2);
  // Long enough to count as time here too.
  await tab.waitForTimeout(1200);
  await tab.goto(`${url}/quiet`);
  const names = ["Element Clicked", "Form Abandoned", "Form Started", "Page Engaged", "Page Scrolled", "Web Vital Measured"];
  await until(async () => {
    const found = await said();
    return names.every((name) => found.some(({ event }) => event === name)) && found.some(({ properties }) => properties?.name === "CLS");
  });
  const stored = await said();
  const of = (name: string): unknown[] => stored.filter((one) => (one.event ?? one.type) === name).map(({ properties }) => properties);
  assert.deepEqual(of("page"), [
    { path: "/", title: "Shop", referrer: `127.0.0.1:${worker.address.port}/quiet`, virtual: false },
    { path: "/sale", title: "Shop", referrer: `127.0.0.1:${worker.address.port}/`, virtual: true },
  ]);
  assert.deepEqual(of("Element Clicked"), [{ name: "offer" }]);
  assert.deepEqual(of("Form Started"), [{ form: "contact", field: "email" }]);
  assert.deepEqual(of("Form Abandoned"), [{ form: "contact", field: "email", fields: ["email"], path: "/" }]);
  assert.deepEqual(of("Page Scrolled"), [25, 50, 75, 90, 100].map((percent) => ({ percent })));
  assert.deepEqual((of("Page Engaged") as { path: string }[]).map(({ path }) => path), ["/", "/sale"]);
  assert.deepEqual([...new Set(stored.map((one) => one.event ?? one.type))].sort(), [...names, "page"].sort());
  assert.ok(!JSON.stringify(stored.map(({ properties }) => properties)).includes("secret"));
});
