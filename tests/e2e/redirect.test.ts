// Variants that are another page, where the browser carries them out: it leaves for that page once, only for the web, and never for the
// page that it shows already.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Page } from "playwright-core";
import type { Edit } from "../../www/src/types.ts";
import { assets, compile, stub } from "./fixtures/artefacts.ts";
import { startOrigin, startWorker } from "../worker/harness.ts";
import { closeBrowser, until, visit } from "./fixtures/browser.ts";
import { answer, HERO, HERO_TEXT, page } from "./fixtures/pages.ts";
import { json, serve, type Asked, type Route, type Site } from "./fixtures/server.ts";

after(closeBrowser);

const LOADER = '<script async src="/_idoine/idoine.js" data-api="/"></script>';
const redirect = (value: string): Edit => ({ slot: "whole", selector: "", op: "redirect", value });

/** A site whose pages ask for what they show: at `/` the `edits`, elsewhere none. */
async function open(t: TestContext, edits: Edit[], routes: Record<string, Route> = {}): Promise<{ site: Site; tab: Page }> {
  const decide = ({ body }: Asked): Route => {
    const { pathname } = new URL((JSON.parse(body) as { url: string }).url);
    return json(answer([HERO], pathname === "/" ? edits : []));
  };
  const site = await serve({
    ...assets("idoine.js", "edits.js", "live.js"),
    "/": page(`<script data-hide="h1" data-hide-ms="2000">${stub()}</script>${LOADER}`),
    "/new": page(LOADER, "<h1>The new page</h1>"),
    "/_idoine/decide": decide,
    ...routes,
  });
  t.after(() => site.close());
  return { site, tab: await visit(t) };
}

const isAt = (tab: Page, url: string) => until(async () => tab.url() === url);
const decided = async (tab: Page): Promise<void> => {
  await tab.waitForFunction(() => window.idoine?.ready);
  await tab.evaluate(async () => void (await window.idoine?.ready));
};
const title = (tab: Page): Promise<string | null> => tab.textContent("h1");

test("the page is left for the variant's, which takes its place in the history", async (t) => {
  const { site, tab } = await open(t, [redirect("/new?from=test"), HERO_TEXT], { "/before": "<h1>Before</h1>" });
  await tab.goto(`${site.origin}/before`);
  await tab.goto(site.origin);
  await isAt(tab, `${site.origin}/new?from=test`);
  await decided(tab);
  assert.equal(await title(tab), "The new page");
  await tab.goBack();
  assert.equal(tab.url(), `${site.origin}/before`);
});

test("another site's page, when the manifest names it", async (t) => {
  const other = await serve({ "/there": "<h1>There</h1>" });
  t.after(() => other.close());
  const { site, tab } = await open(t, [redirect(`${other.origin}/there`)]);
  await tab.goto(`${site.origin}/?idoine.geo.country=FR`);
  await isAt(tab, `${other.origin}/there`);
});

test("preview parameters go along within the site", async (t) => {
  const { site, tab } = await open(t, [redirect("/new?a=1")]);
  await tab.goto(`${site.origin}/?b=2&idoine.geo.country=FR&idoine.geo.city=Saint-%C3%89tienne`);
  await isAt(tab, `${site.origin}/new?a=1&idoine.geo.country=FR&idoine.geo.city=Saint-%C3%89tienne`);
});

test("no page is left for itself, nor for what is no page of the web", async (t) => {
  let edits: Edit[] = [];
  const { site, tab } = await open(t, [], { "/_idoine/decide": () => json(answer([HERO], edits)) });
  for (const value of ["", "/", "/#top", `${site.origin}/`, "javascript:document.title='x'", "data:text/html,x", "//other.example/", "/\\other.example/", "blob:x", "ftp://other.example/", "http://", "https://["]) {
    edits = [redirect(value), HERO_TEXT];
    await tab.goto(site.origin);
    await decided(tab);
    assert.equal(tab.url(), `${site.origin}/`, value);
    // What else was decided is shown.
    assert.equal(await title(tab), HERO_TEXT.value, value);
    assert.equal(await tab.evaluate(() => window.idoine?.debug?.().error), undefined, value);
  }
});

test("what is hidden stays hidden while the page is left, and comes back if the browser stays", async (t) => {
  const { site, tab } = await open(t, [redirect("/nothing")], { "/nothing": { status: 204 } });
  const isHidden = (): Promise<boolean> => tab.evaluate(() => getComputedStyle(document.querySelector("h1")!).visibility === "hidden");
  await tab.goto(site.origin, { waitUntil: "commit" });
  await until(async () => site.paths().includes("/nothing"));
  assert.equal(await isHidden(), true);
  await until(async () => !(await isHidden()));
  await decided(tab);
  assert.equal(tab.url(), `${site.origin}/`);
  // The page is not left again and again.
  await tab.evaluate(async () => void (await window.idoine?.decide?.()));
  await pause(200);
  assert.equal(site.paths().filter((path) => path === "/nothing").length, 1);
});

test("a page in the place of this one is the edge's to show: the browser leaves it out, and nothing else", async (t) => {
  const { site, tab } = await open(t, [{ slot: "whole", selector: "", op: "page", value: "/new" }, HERO_TEXT]);
  await tab.goto(site.origin);
  await decided(tab);
  assert.equal(tab.url(), `${site.origin}/`);
  assert.equal(await title(tab), HERO_TEXT.value);
  assert.ok(!site.paths().includes("/new"));
});

test("a site of static files: the engine says where, the page is left", async (t) => {
  const head = '<script async src="/_idoine/idoine.js" data-program="/program.bin"></script>';
  const { site, tab } = await open(t, [], {
    ...assets("idoine.js", "live.js", "client.js", "edits.js", "engine.js", "engine.wasm"),
    "/program.bin": { type: "application/octet-stream", body: compile("whole.jsonc", "--browser") },
    "/": page(head),
    "/new": page(head, "<h1>New</h1><p>the new page</p>"),
  });
  await tab.goto(`${site.origin}/?utm_campaign=new&x=1`);
  await isAt(tab, `${site.origin}/new?utm_campaign=new&x=1`);
  await decided(tab);
  assert.deepEqual([await title(tab), await tab.textContent("p")], ["Edited", "the new page"]);
  // Another page in this one's place is not for a browser to show.
  await tab.goto(`${site.origin}/?utm_campaign=other`);
  await decided(tab);
  assert.deepEqual([await title(tab), await tab.textContent("#intro")], ["Edited", "Free returns"]);
  assert.equal(await tab.evaluate(() => window.idoine?.decision?.("whole")?.experience), "replaced");
});

test("behind the Worker: the edge redirects and replaces, and a route that is another page is left in the browser", async (t) => {
  const origin = await startOrigin({ "/": page(""), "/new": page("", "<h1>New</h1><p>the new page</p>"), "/other": page("", "<h1>Other</h1><p>the other page</p>"), "/app": page("", "<h1>App</h1>") });
  const worker = await startWorker({ origin: origin.url, manifest: readFileSync(new URL("fixtures/whole.jsonc", import.meta.url), "utf8"), preview: true });
  t.after(() => Promise.all([worker.dispose(), origin.close()]));
  const site = worker.address.origin;
  const tab = await visit(t);
  await tab.goto(`${site}/?utm_campaign=new`);
  assert.equal(tab.url(), `${site}/new?utm_campaign=new`);
  assert.deepEqual([await title(tab), await tab.textContent("p")], ["Edited", "the new page"]);
  await tab.goto(`${site}/?idoine.source.campaign=other`);
  assert.equal(tab.url(), `${site}/?idoine.source.campaign=other`);
  assert.deepEqual([await title(tab), await tab.textContent("p")], ["Edited", "the other page"]);
  // A single-page application goes to a route whose variant is another page: the preview's visitor stays who they are.
  await tab.goto(`${site}/app?idoine.source.campaign=new`);
  await decided(tab);
  await tab.evaluate(() => history.pushState(null, "", "/?idoine.source.campaign=new"));
  await isAt(tab, `${site}/new?idoine.source.campaign=new`);
  assert.equal(await tab.textContent("p"), "the new page");
});
