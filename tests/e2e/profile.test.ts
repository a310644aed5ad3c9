// What a visitor does in the demo shop changes its next page: a browser, the real Worker with its shards in workerd, the published pages.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { IDENTITY_SECRET } from "../real/shop.ts";
import { arrive, hero, screenshot, shop } from "./fixtures/demo.ts";

const SHOES = ["trail-runner", "city-sneaker", "leather-boot"];
const TITLE = "Still looking for the right pair?";

/** As docs/profiles.md has a site's server make them. */
function identityToken(userId: string): string {
  const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${base64url({ alg: "HS256", typ: "JWT" })}.${base64url({ sub: userId, aud: "shop", exp: Math.floor(Date.now() / 1000) + 3600 })}`;
  return `${text}.${createHmac("sha256", IDENTITY_SECRET).update(text).digest("base64url")}`;
}

/** Calls the client in the page. */
const call = (page: Page, name: string, ...args: unknown[]): Promise<unknown> =>
  page.evaluate(([name, args]) => window.idoine!(name, ...args) as Promise<unknown>, [name, args] as const);

const error = (page: Page): Promise<unknown> => page.evaluate(() => window.idoine!.debug!().error ?? null);

/** A new visitor who agrees to be remembered. One new id in twenty is held out from all personalisation: it is not the one to look at. */
async function agreed(t: TestContext): Promise<Page> {
  const { page } = await arrive(t, "/");
  for (let attempt = 0; attempt < 20; attempt += 1) {
    await page.waitForFunction(() => window.idoine?.ready);
    await call(page, "consent.set", ["personalization"]);
    await page.reload();
    if ((await page.innerText("footer p")).includes("adapts to you")) return page;
    await page.waitForFunction(() => window.idoine?.ready);
    await call(page, "consent.set", []);
    await page.reload();
  }
  throw new Error("twenty new ids in a row were held out");
}

/** Looks at a product, until the Worker has answered. */
async function look(page: Page, slug: string): Promise<void> {
  const answered = page.waitForResponse("**/_idoine/collect");
  await page.goto(`${shop.url}/products/${slug}`);
  const answer = await answered;
  assert.deepEqual((await answer.json()).results, [{ status: "accepted" }]);
}

/** The home page as the Worker sends it. */
async function home(page: Page): Promise<string> {
  const response = await page.goto(`${shop.url}/`);
  return response!.text();
}

test("after three pairs of shoes the home page's hero is another one, in its first byte", async (t) => {
  const page = await agreed(t);
  assert.ok(!(await home(page)).includes(TITLE));
  for (const [at, slug] of SHOES.entries()) {
    await look(page, slug);
    assert.equal((await home(page)).includes(TITLE), at === 2, `after ${at + 1}`);
  }
  assert.equal((await hero(page))[0], TITLE);
  await screenshot(page, "shoe-lover-desktop");
  // The page itself says nothing of whose it is.
  const html = await home(page);
  const id = (await page.context().cookies()).find(({ name }) => name === "idoine_id")!.value.split(".")[0]!;
  assert.ok(!html.includes(id));
  // Bags, now: they are liked better after a while.
  await look(page, "weekend-bag");
  assert.ok((await home(page)).includes(TITLE));
  for (const slug of ["day-backpack", "canvas-tote", "weekend-bag", "day-backpack"]) await look(page, slug);
  assert.ok(!(await home(page)).includes(TITLE));
});

test("what is put into the cart stands in the next page's cart", async (t) => {
  const page = await agreed(t);
  await look(page, "rain-jacket");
  await page.fill("#inputQuantity", "2");
  const answered = page.waitForResponse("**/_idoine/collect");
  await page.click(".col-md-6 .d-flex > button");
  await answered;
  assert.match(await home(page), /Cart <span class="badge[^>]*>2<\/span>/);
});

test("without consent nothing is sent, and nothing follows from anything", async (t) => {
  const { page } = await arrive(t, "/");
  const sent: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/_idoine/") && request.method() !== "GET") sent.push(request.url());
  });
  for (const slug of SHOES) {
    await page.goto(`${shop.url}/products/${slug}`);
    await page.waitForFunction(() => window.idoine?.ready);
  }
  await call(page, "track", "Product Viewed", { product_id: "x", category: "shoes" });
  await call(page, "identify", "u-nobody", {}, identityToken("u-nobody"));
  await call(page, "reset");
  assert.deepEqual(sent, []);
  assert.equal(await error(page), null);
  assert.ok(!(await home(page)).includes(TITLE));
  assert.deepEqual(await page.context().cookies(), []);
});

test("who logs in on a second device finds what they did on the first, and leaves nothing of it behind when they log out", async (t) => {
  const [phone, laptop] = [await agreed(t), await agreed(t)];
  for (const slug of SHOES) await look(phone, slug);
  const token = identityToken("u-1");
  await home(phone);
  await call(phone, "identify", "u-1", { first_name: "Zoë" }, token);
  assert.equal(await error(phone), null);
  // Saying so is not proving it.
  await home(laptop);
  await call(laptop, "identify", "u-1");
  assert.ok(!(await home(laptop)).includes(TITLE));
  await call(laptop, "identify", "u-1", {}, `${token}x`);
  assert.match(String(await error(laptop)), /identity: 401/);
  assert.ok(!(await home(laptop)).includes(TITLE));
  await call(laptop, "identify", "u-1", {}, token);
  assert.ok((await home(laptop)).includes(TITLE));
  await call(laptop, "reset");
  assert.ok(!(await home(laptop)).includes(TITLE));
  assert.ok((await home(phone)).includes(TITLE), "the other device stays logged in");
});

test("who logs in while an earlier event is still on its way is shown what is known of them", async (t) => {
  const [phone, laptop] = [await agreed(t), await agreed(t)];
  for (const slug of SHOES) await look(phone, slug);
  await home(phone);
  await call(phone, "identify", "u-2", {}, identityToken("u-2"));
  await home(laptop);
  await laptop.waitForFunction(() => window.idoine?.ready);
  // The Worker answers the first event at once, as it does; that answer comes to the browser a good while later.
  let held = 0;
  await laptop.route("**/_idoine/collect", async (route) => {
    const request = route.request();
    const { "content-length": _, ...headers } = await request.allHeaders();
    const answer = await fetch(request.url(), { method: "POST", headers, body: request.postData() });
    if (answer.headers.getSetCookie().some((cookie) => cookie.startsWith("idoine_p="))) held += 1;
    if (request.postData()?.includes("Product Viewed")) await laptop.waitForTimeout(500);
    await route.fulfill({ status: answer.status, headers: { "content-type": "application/json", "set-cookie": answer.headers.getSetCookie().join("\n") }, body: await answer.text() });
  });
  await Promise.all([
    call(laptop, "track", "Product Viewed", { product_id: "BAG-301", category: "bags" }),
    call(laptop, "identify", "u-2", {}, identityToken("u-2")),
  ]);
  assert.equal(await error(laptop), null);
  assert.ok(held > 0, "the event's answer brought a projection");
  assert.ok((await home(laptop)).includes(TITLE));
});

test("an event is sent also while its page is left", async (t) => {
  const page = await agreed(t);
  for (const slug of SHOES.slice(0, 2)) await look(page, slug);
  await page.waitForFunction(() => window.idoine?.ready);
  await page.evaluate(() => {
    window.idoine!("track", "Product Viewed", { product_id: "SHO-203", category: "shoes" });
    location.href = "/collections/all";
  });
  await page.waitForURL("**/collections/all");
  // Nothing in the new page tells when the old one's request is answered.
  for (let tries = 0; tries < 50 && !(await home(page)).includes(TITLE); tries += 1) await page.waitForTimeout(100);
  assert.ok((await home(page)).includes(TITLE));
});
