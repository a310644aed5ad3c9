// The Worker, or whatever serves our files, is down: refused, cut off, failing, talking nonsense, silent. The page is as it was, nothing is
// thrown, and what was hidden comes back.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Page } from "playwright-core";
import { closeBrowser, until, visit } from "./fixtures/browser.ts";
import type { Route } from "./fixtures/server.ts";
import { exercise, hiding, ready, start, untouched, WAYS } from "./fixtures/ways.ts";

after(closeBrowser);

/** Before the loader, and after it: the page's own code, which must run whatever happens. */
const BEFORE = `${hiding()}<script>window.log = []; idoine("track", "Seen"); idoine(function () { log.push("called"); });</script>`;
const AFTER = `<script>window.log.push("own");</script>`;

const bodyOf = (tab: Page): Promise<string> => tab.evaluate(() => document.body.innerHTML);
const visibility = (tab: Page): Promise<string> => tab.evaluate(() => getComputedStyle(document.querySelector("h1")!).visibility);

const cutOff: Route = () => {
  throw new Error("cut off");
};
const never: Route = () => new Promise<Route>(() => {});

/** What comes in place of each answer. */
const ANSWERS: Record<string, Route> = {
  "the connection breaks": cutOff,
  "an error": { status: 500, body: "oops" },
  "a page of HTML": "<h1>Sign in to the Wi-Fi</h1>",
  "JSON of another kind": { type: "application/json", body: '{"hello":["world"]}' },
  "JSON that ends in the middle": { type: "application/json", body: '{"version":"00","decisions":[{"slo' },
  "null": { type: "application/json", body: "null" },
};
const ASKED = ["decide", "consent", "collect", "identity", "context", "profile"].map((name) => `/_idoine/${name}`);
const FILES = ["/_idoine/client.js", "/_idoine/engine.js", "/_idoine/engine.wasm", "/_idoine/tell.js", "/program.bin"];

for (const way of WAYS) {
  for (const [what, route] of Object.entries(ANSWERS)) {
    test(`${way}: ${what} instead of every answer and every file but the loader: the page is as it was`, async (t) => {
      const paths = [...ASKED, ...FILES];
      const running = await start(t, way, { head: BEFORE, markup: (tag) => tag + AFTER, routes: Object.fromEntries(paths.map((path) => [path, route])) });
      const tab = await visit(t);
      await tab.goto(running.origin);
      await until(async () => (await visibility(tab)) === "visible");
      const body = await bodyOf(tab);
      assert.equal(body, untouched(way));
      assert.ok(((await tab.evaluate(() => (window as any).log)) as string[]).includes("own"));
      if (way === "static") return; // Without client.js there is no client to call.
      await ready(tab);
      assert.deepEqual(await exercise(tab), []);
      await tab.evaluate(() => history.pushState(null, "", "/next"));
      await tab.evaluate(() => window.idoine!.decide!());
      assert.equal(await bodyOf(tab), untouched(way));
      assert.ok(await tab.evaluate(() => window.idoine!.debug!().error), "it is said in debug");
    });
  }

  test(`${way}: every connection is refused, the loader's too: what is hidden comes back by itself, and calls wait for nobody`, async (t) => {
    const running = await start(t, way, { head: BEFORE, markup: (tag) => tag + AFTER });
    const tab = await visit(t);
    await tab.route((url) => url.pathname.startsWith("/_idoine/"), (route) => route.abort("connectionrefused"));
    await tab.clock.install({ time: 0 });
    await tab.clock.pauseAt(60_000);
    await tab.goto(running.origin);
    assert.equal(await visibility(tab), "hidden");
    await tab.clock.runFor(2000);
    assert.equal(await visibility(tab), "visible");
    assert.equal(await bodyOf(tab), untouched(way));
    assert.deepEqual(await tab.evaluate(() => (window as any).log), ["own"]);
    assert.equal(await tab.evaluate(() => typeof window.idoine!("track", "Seen")), "undefined");
  });
}

test("edge: a Worker that says nothing more: the page stays, and what it asks is given up", async (t) => {
  const running = await start(t, "edge", { head: BEFORE, routes: Object.fromEntries(ASKED.map((path) => [path, never])) });
  const tab = await visit(t);
  await tab.goto(running.origin);
  await ready(tab);
  assert.equal(await visibility(tab), "visible");
  assert.equal(await bodyOf(tab), untouched("edge"));
  await tab.evaluate(() => window.idoine!.decide!());
  assert.match((await tab.evaluate(() => window.idoine!.debug!().error)) ?? "", /time/i);
  assert.equal(await bodyOf(tab), untouched("edge"));
});

for (const way of ["api", "static"] as const) {
  test(`${way}: a server that says nothing: what is hidden is back after two seconds, before the answer is given up, and the page is as it was`, async (t) => {
    const silent = way === "api" ? ASKED : [...ASKED, "/program.bin"];
    const running = await start(t, way, { head: BEFORE, routes: Object.fromEntries(silent.map((path) => [path, never])) });
    const tab = await visit(t);
    await tab.clock.install({ time: 0 });
    await tab.clock.pauseAt(60_000);
    await tab.goto(running.origin, { waitUntil: "commit" });
    await until(() => tab.evaluate(() => Boolean(window.idoine?.ready)));
    assert.equal(await visibility(tab), "hidden");
    await tab.clock.runFor(2000);
    assert.equal(await visibility(tab), "visible");
    assert.equal(await bodyOf(tab), untouched(way));
    if (way === "static") return;
    await tab.clock.runFor(10_000);
    await tab.evaluate(async () => void (await window.idoine!.ready));
    assert.match((await tab.evaluate(() => window.idoine!.debug!().error)) ?? "", /time/i);
    assert.equal(await bodyOf(tab), untouched(way));
  });
}
