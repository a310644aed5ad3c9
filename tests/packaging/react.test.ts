// React: rendered on a server in Node, hydrated in Chromium by a bundle of the development build, which tells every mismatch.
import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { build } from "esbuild";
import type { Page } from "playwright-core";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { IdoineProvider, Slot, type SlotProps } from "../../www/npm/src/react.ts";
import type { Edit, Idoine } from "../../www/src/types.ts";
import { closeBrowser, DESKTOP, until, visit } from "../e2e/fixtures/browser.ts";
import { serve, type Site } from "../e2e/fixtures/server.ts";
import { project, type Project } from "./project.ts";
import { INSTAGRAM, program } from "./site.ts";

after(closeBrowser);

declare global {
  var shop: Idoine;
  /** What React complained about. */
  var complaints: string[];
  /** What changed in the page's content. */
  var changes: string[];
  /** Slots that the client was told to watch, with their elements; with a minus those that are over. */
  var observed: string[];
  var hydrated: boolean;
  /** Renders all of it again. */
  var again: () => void;
}

const APP = `
import { createElement as h } from "react";
import { IdoineProvider, Slot, useDecision, useValue } from "idoine/react";
function Told() {
  const decision = useDecision("hero");
  return h("output", null, (decision?.experience ?? "none") + " " + (useValue("offer")?.percent ?? 0));
}
export const App = (provided) => h(IdoineProvider, provided,
  h(Slot, { name: "hero", as: "h1", className: "title" }, "Welcome"),
  h(Slot, { name: "intro", as: "p" }, "Free ", h("b", null, "shipping")),
  h(Slot, { name: "offer" }, (value) => (value ? "minus " + value.percent : "no offer")),
  h(Told));
`;

const SERVER = `
import { readFileSync } from "node:fs";
import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import { createIdoineServer, stateScript } from "idoine/server";
import { App } from "./app.js";
const [url] = process.argv.slice(2);
const { state } = await createIdoineServer({ program: readFileSync("site.program") }).decide({ url });
console.log(JSON.stringify({ known: renderToString(h(App, { state })), script: stateScript(state), unknown: renderToString(h(App)) }));
`;

const CLIENT = `
import { createElement as h } from "react";
import { hydrateRoot } from "react-dom/client";
import { createIdoine, readState } from "idoine";
import { App } from "./app.js";
const state = readState();
const { observe, ...client } = createIdoine({ program: "/site.program", state });
globalThis.shop = { ...client, observe(slot, element) {
  observed.push(slot + " " + element.localName);
  const end = observe(slot, element);
  return () => (observed.push("-" + slot), end());
} };
const root = hydrateRoot(document.getElementById("root"), h(App, { client: shop, state }), { onRecoverableError: (error) => complaints.push(String(error)) });
globalThis.again = () => root.render(h(App, { client: shop, state }));
const wait = () => (Object.keys(document.querySelector("#root > *")).some((key) => key.startsWith("__react")) ? (globalThis.hydrated = true) : setTimeout(wait));
wait();
`;

/** Before anything else of the page: notes what changes, and what is complained about. */
const WATCH = `
globalThis.complaints = []; globalThis.changes = []; globalThis.observed = [];
const { error } = console; console.error = (...words) => { complaints.push(words.join(" ")); error(...words); };
addEventListener("DOMContentLoaded", () => new MutationObserver((all) => all.forEach(({ type, target }) => changes.push(type + " " + target.nodeName)))
  .observe(document.getElementById("root"), { subtree: true, childList: true, characterData: true, attributes: true }));
`;

let app: Project;
let rendered: { known: string; script: string; unknown: string };
before(async () => {
  app = project({ "app.js": APP, "server.js": SERVER, "client.js": CLIENT, "site.program": program() }, "react", "react-dom");
  rendered = JSON.parse(await app.node("server.js", `http://127.0.0.1${INSTAGRAM}`));
  await build({ absWorkingDir: app.folder, entryPoints: ["client.js"], outdir: "dist", bundle: true, splitting: true, format: "esm", define: { "process.env.NODE_ENV": '"development"' } });
});

async function open(t: TestContext, root: string, script = "", headers: Record<string, string> = {}): Promise<{ tab: Page; site: Site }> {
  const html = `<!doctype html><html lang="en"><head><title>Shop</title><script>${WATCH}</script></head><body><div id="root">${root}</div><aside>For all</aside>${script}<script type="module" src="/client.js"></script></body></html>`;
  const files = { ...app.routes("dist"), "/engine.wasm": app.routes("node_modules/idoine")["/engine.wasm"]! };
  const site = await serve({ ...files, "/site.program": { type: "application/octet-stream", body: app.read("site.program") }, "/": { body: html, headers }, "/sale": html });
  t.after(() => site.close());
  const tab = await visit(t, DESKTOP);
  await tab.goto(site.origin + INSTAGRAM);
  await tab.waitForFunction(() => globalThis.hydrated);
  return { tab, site };
}

const content = (tab: Page): Promise<string> => tab.evaluate(() => document.getElementById("root")!.innerHTML);

test("a server renders what was decided, and baselines where nothing was", () => {
  const title = "Hello &lt;/script&gt;&lt;b&gt;";
  assert.equal(
    rendered.known,
    `<h1 class="title from-instagram" title="${title}" data-idoine-slot="hero">Seen on Instagram</h1>` +
      '<p data-idoine-slot="intro">Free <em>express</em> shipping</p><div data-idoine-slot="offer">minus 10</div><output>instagram 10</output>',
  );
  assert.equal(
    rendered.unknown,
    '<h1 class="title" data-idoine-slot="hero">Welcome</h1><p data-idoine-slot="intro">Free <b>shipping</b></p><div data-idoine-slot="offer">no offer</div><output>none 0</output>',
  );
});

test("what the server rendered is hydrated without a complaint and without a change, and nothing is asked for", async (t) => {
  const { tab, site } = await open(t, rendered.known, rendered.script);
  await tab.waitForFunction(() => document.querySelector("aside")!.textContent === "For you");
  await tab.evaluate(async () => void (await shop.ready));
  assert.deepEqual(await tab.evaluate(() => [complaints, changes]), [[], []]);
  assert.equal(await content(tab), rendered.known);
  assert.deepEqual(site.paths().filter((path) => /program|wasm/.test(path)), []);
  assert.deepEqual(await tab.evaluate(() => [...observed].sort()), ["hero h1", "intro p", "offer div"]);
});

test("another route is decided in the page; what has no content any more is its baseline again", async (t) => {
  const { tab } = await open(t, rendered.known, rendered.script);
  await tab.evaluate(() => shop.page());
  await tab.evaluate(() => history.pushState(null, "", "/sale"));
  await tab.waitForFunction(() => document.querySelector("output")!.textContent === "sale 0");
  assert.equal(
    await content(tab),
    '<h1 class="title" data-idoine-slot="hero">The sale</h1><p data-idoine-slot="intro">Free <b>shipping</b></p><div data-idoine-slot="offer">no offer</div><output>sale 0</output>',
  );
  assert.deepEqual(await tab.evaluate(() => complaints), []);
  assert.ok((await tab.evaluate(() => observed)).includes("-hero"));
});

const TRUSTED = (names: string): Record<string, string> => ({ "content-security-policy": `require-trusted-types-for 'script'; trusted-types ${names}` });

test("what is rendered again with the same content is left alone", async (t) => {
  // With Trusted Types, where HTML is an object and the same text another one.
  const { tab } = await open(t, rendered.known, rendered.script, TRUSTED("idoine"));
  await tab.evaluate(() => again());
  await tab.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
  assert.deepEqual(await tab.evaluate(() => [changes, complaints]), [[], []]);
});

test("with Trusted Types HTML goes by Idoine's policy; where that is refused, its slot shows the baseline", async (t) => {
  const allowed = await open(t, rendered.unknown, "", TRUSTED("idoine"));
  await allowed.tab.waitForFunction(() => document.querySelector("output")!.textContent === "instagram 10");
  assert.equal(await content(allowed.tab), rendered.known);
  const refused = await open(t, rendered.unknown, "", TRUSTED("other"));
  await refused.tab.waitForFunction(() => document.querySelector("output")!.textContent === "instagram 10");
  assert.equal(await content(refused.tab), rendered.known.replace("Free <em>express</em> shipping", "Free <b>shipping</b>"));
});

test("without what a server decided, baselines are hydrated and the page's own decisions come then", async (t) => {
  const { tab } = await open(t, rendered.unknown);
  await tab.waitForFunction(() => document.querySelector("output")!.textContent === "instagram 10");
  assert.equal(await content(tab), rendered.known);
  assert.deepEqual(await tab.evaluate(() => complaints), []);
  assert.ok((await tab.evaluate(() => changes)).length > 0);
});

test("who takes everything away and shows it again leaves nothing behind", async (t) => {
  const { tab } = await open(t, rendered.known, rendered.script);
  await tab.evaluate(() => shop.page());
  for (const [path, told] of [["/sale", "sale 0"], [INSTAGRAM, "instagram 10"], ["/sale", "sale 0"], [INSTAGRAM, "instagram 10"]] as const) {
    await tab.evaluate((to) => history.pushState(null, "", to), path);
    await until(async () => (await tab.textContent("output")) === told);
  }
  assert.equal(await content(tab), rendered.known);
  const [begun, over] = await tab.evaluate(() => [observed.filter((one) => !one.startsWith("-")).length, observed.filter((one) => one.startsWith("-")).length]);
  assert.equal(begun! - over!, 3);
});

const HELLO: SlotProps = { name: "hero", as: "p", className: "a b", children: "Hello" };

/** What a slot is with these edits. */
function markup(...edits: Partial<Edit>[]): string {
  const state = { version: "", decisions: [], values: {}, edits: edits.map((edit) => ({ slot: "hero", selector: "", ...edit }) as Edit) };
  return renderToStaticMarkup(createElement(IdoineProvider, { state }, createElement(Slot, HELLO)));
}

test("each edit is what it is in a page", () => {
  const p = (content: string, attributes = ' class="a b"'): string => `<p${attributes} data-idoine-slot="hero">${content}</p>`;
  const span = (html: string): string => `<span style="display:contents">${html}</span>`;
  assert.equal(markup(), p("Hello"));
  assert.equal(markup({ op: "text", value: "<b>" }), p("&lt;b&gt;"));
  assert.equal(markup({ op: "text" }), p(""));
  assert.equal(markup({ op: "html", value: "<b>x</b>" }), p("<b>x</b>"));
  assert.equal(markup({ op: "attribute", name: "title", value: "T" }), p("Hello", ' class="a b" title="T"'));
  assert.equal(markup({ op: "attribute", name: "tabindex", value: "0" }, { op: "attribute", name: "inert" }), p("Hello", ' class="a b" tabindex="0" inert=""'));
  assert.equal(markup({ op: "attribute", name: "style", value: "color: red; background-image: url('a;b'); --own: 1" }), p("Hello", ' class="a b" style="color:red;background-image:url(&#x27;a;b&#x27;);--own:1"'));
  assert.equal(markup({ op: "remove_attribute", name: "class" }), p("Hello", ""));
  assert.equal(markup({ op: "class_add", value: "c" }, { op: "class_remove", value: "a" }), p("Hello", ' class="b c"'));
  assert.equal(markup({ op: "hide" }), p("Hello", ' class="a b" hidden="" style="display:none"'));
  assert.equal(markup({ op: "remove" }), "");
  assert.equal(markup({ op: "replace", value: "<i>r</i>" }), span("<i>r</i>"));
  assert.equal(markup({ op: "before", value: "1" }, { op: "after", value: "2" }), span("1") + p("Hello") + span("2"));
  assert.equal(markup({ op: "first", value: "1" }, { op: "last", value: "2" }), p(`${span("1")}Hello${span("2")}`));
  assert.equal(markup({ op: "html", value: "<b>x</b>" }, { op: "last", value: "2" }), p(`${span("<b>x</b>")}${span("2")}`));
  // It comes in the page.
  assert.equal(markup({ op: "fragment", name: "content", value: "/part.html" }), p("Hello"));
});

test("outside of a provider there is an error that says so", () => {
  assert.throws(() => renderToStaticMarkup(createElement(Slot, HELLO)), { name: "IdoineError", code: "provider_missing" });
});
