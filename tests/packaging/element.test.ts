// <idoine-slot>, in a page of no framework: the packed package, bundled.
import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { build } from "esbuild";
import type { Page } from "playwright-core";
import type { Idoine } from "../../www/src/types.ts";
import { closeBrowser, DESKTOP, until, visit } from "../e2e/fixtures/browser.ts";
import { serve, type Route, type Site } from "../e2e/fixtures/server.ts";
import { project, type Project } from "./project.ts";
import { INSTAGRAM, program } from "./site.ts";

after(closeBrowser);

declare global {
  var shop: Idoine;
  var end: () => void;
  var defineSlotElement: (client: Idoine) => () => void;
}

const MAIN = `
import { createIdoine, readState } from "idoine";
import { defineSlotElement } from "idoine/element";
const state = readState();
globalThis.shop = createIdoine(state ? { api: location.origin, state } : { program: "/site.program" });
globalThis.defineSlotElement = defineSlotElement;
globalThis.end = defineSlotElement(shop);
`;

let app: Project;
before(async () => {
  app = project({ "main.js": MAIN, "site.program": program() });
  await build({ absWorkingDir: app.folder, entryPoints: ["main.js"], outdir: "dist", bundle: true, splitting: true, format: "esm" });
});

async function open(t: TestContext, body: string, routes: Record<string, Route> = {}): Promise<{ tab: Page; site: Site }> {
  const html = `<!doctype html><html lang="en"><head><title>Shop</title></head><body>${body}<script type="module" src="/main.js"></script></body></html>`;
  const files = { ...app.routes("dist"), "/engine.wasm": app.routes("node_modules/idoine")["/engine.wasm"]! };
  const site = await serve({ ...files, "/site.program": { type: "application/octet-stream", body: app.read("site.program") }, "/": html, "/sale": html, ...routes });
  t.after(() => site.close());
  const tab = await visit(t, DESKTOP);
  await tab.goto(site.origin + INSTAGRAM);
  return { tab, site };
}

const BODY = '<idoine-slot name="hero"><b>Welcome</b></idoine-slot><idoine-slot name="intro">Free shipping</idoine-slot>';
const html = (tab: Page, selector: string): Promise<string> => tab.evaluate((path) => document.querySelector(path)!.outerHTML, selector);

test("elements show what was decided, and their own content where nothing was", async (t) => {
  const { tab } = await open(t, BODY);
  await until(async () => (await tab.textContent("[name=hero]")) === "Seen on Instagram");
  assert.equal(await html(tab, "[name=hero]"), '<idoine-slot name="hero" class="from-instagram" title="Hello &lt;/script&gt;&lt;b&gt;">Seen on Instagram</idoine-slot>');
  assert.equal(await html(tab, "[name=intro]"), '<idoine-slot name="intro">Free <em>express</em> shipping</idoine-slot>');
  await tab.evaluate(() => shop.page());
  await tab.evaluate(() => history.pushState(null, "", "/sale"));
  await until(async () => (await tab.textContent("[name=hero]")) === "The sale");
  assert.equal(await html(tab, "[name=intro]"), '<idoine-slot name="intro">Free shipping</idoine-slot>');
  await tab.evaluate(() => end());
  assert.equal(await html(tab, "[name=hero]"), '<idoine-slot name="hero" class=""><b>Welcome</b></idoine-slot>');
});

test("an element that comes later, or takes another name, shows what is its slot's", async (t) => {
  const { tab } = await open(t, '<idoine-slot name="intro">Free shipping</idoine-slot>');
  await until(async () => (await html(tab, "[name=intro]")).includes("express"));
  await tab.evaluate(() => document.body.insertAdjacentHTML("beforeend", '<idoine-slot name="hero">Welcome</idoine-slot>'));
  await until(async () => (await tab.textContent("[name=hero]")) === "Seen on Instagram");
  await tab.evaluate(() => document.querySelector("[name=hero]")!.setAttribute("name", "intro"));
  await until(async () => (await tab.textContent("idoine-slot:last-of-type")) === "Free express shipping");
});

test("the client is told which element shows a slot, and when that is over", async (t) => {
  const { tab } = await open(t, "");
  const told = await tab.evaluate(async () => {
    const told: string[] = [];
    const client = { ...shop, observe: (slot: string, element: Element) => (told.push(`${slot} ${element.id}`), () => void told.push(`-${slot}`)) };
    (defineSlotElement as (client: Idoine, tag: string) => unknown)(client, "shop-slot");
    document.body.insertAdjacentHTML("beforeend", '<shop-slot id="a" name="hero"></shop-slot>');
    const element = document.getElementById("a")!;
    element.setAttribute("name", "intro");
    element.remove();
    return told;
  });
  assert.deepEqual(told, ["hero a", "-hero", "intro a", "-intro"]);
});

test("what a server decided is shown at once, fragments too, and nothing is decided again", async (t) => {
  const decisions = [{ slot: "hero", experience: "a", variant: 1, source: "personalization", reason: "match" }];
  const edits = [{ slot: "hero", selector: "", op: "fragment", name: "content", value: "/part.html" }];
  const state = `<script type="application/json" id="idoine-state">${JSON.stringify({ version: "0123456789abcdef", decisions, values: {}, edits })}</script>`;
  const { tab, site } = await open(t, state + BODY, { "/part.html": "<i>brought</i>" });
  await until(async () => (await tab.textContent("[name=hero]")) === "brought");
  assert.deepEqual(site.paths().filter((path) => path.includes("decide")), []);
});

test("a second definition is an error with a code", async (t) => {
  const { tab } = await open(t, BODY);
  await tab.waitForFunction(() => globalThis.end);
  const code = await tab.evaluate(() => {
    try {
      return defineSlotElement(shop);
    } catch (error) {
      return (error as { code: string }).code;
    }
  });
  assert.equal(code, "element_unsupported");
});
