// Edits on pages that React, Vue and Svelte render over again: nothing is thrown, nothing goes on for ever, and the application works.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, test, type TestContext } from "node:test";
import { build } from "esbuild";
import type { Page } from "playwright-core";
import type { Edit } from "../../www/src/types.ts";
import { assets } from "./fixtures/artefacts.ts";
import { closeBrowser, visit } from "./fixtures/browser.ts";
import { answer, HERO, page } from "./fixtures/pages.ts";
import { json, serve } from "./fixtures/server.ts";

after(closeBrowser);

const ROOT = new URL("../../", import.meta.url).pathname;

/** The same application three times: a title and a text that count, a list with keys, a panel that comes and goes, a field. */
const REACT = `
import { createElement as h, Fragment, useState } from "react";
import { createRoot } from "react-dom/client";
function App() {
  const [count, setCount] = useState(0), [items, setItems] = useState(["a", "b", "c"]), [open, setOpen] = useState(true), [name, setName] = useState("");
  globalThis.app = { setCount, setItems, setOpen };
  return h("main", null,
    h("h1", { className: "title n" + count }, "Count " + count),
    h("p", { id: "mixed" }, "Seen ", count, " times", count % 2 ? h("b", null, "odd") : null),
    h("ul", null, items.map((item) => h("li", { key: item, id: "i-" + item }, item))),
    open && h("section", { id: "panel" }, h("i", null, "Panel ", count)),
    h("input", { id: "field", value: name, onChange: (event) => setName(event.target.value) }),
    h("output", null, name), h("button", { onClick: () => setCount((count) => count + 1) }, "More"), h("aside", null));
}
createRoot(document.querySelector("#root")).render(h(App));`;

const VUE = `
import { createApp, h, ref } from "vue";
createApp({ setup() {
  const count = ref(0), items = ref(["a", "b", "c"]), open = ref(true), name = ref("");
  globalThis.app = { setCount: (to) => count.value = to, setItems: (to) => items.value = to, setOpen: (to) => open.value = to };
  return () => h("main", null, [
    h("h1", { class: "title n" + count.value }, "Count " + count.value),
    h("p", { id: "mixed" }, ["Seen ", h("span", count.value), " times", count.value % 2 ? h("b", "odd") : null]),
    h("ul", null, items.value.map((item) => h("li", { key: item, id: "i-" + item }, item))),
    open.value ? h("section", { id: "panel" }, [h("i", "Panel " + count.value)]) : null,
    h("input", { id: "field", value: name.value, onInput: (event) => name.value = event.target.value }),
    h("output", name.value), h("button", { onClick: () => count.value++ }, "More"), h("aside")]);
} }).mount("#root");`;

const SVELTE = `<script>
  let count = $state(0), items = $state(["a", "b", "c"]), open = $state(true), name = $state("");
  globalThis.app = { setCount: (to) => count = to, setItems: (to) => items = to, setOpen: (to) => open = to };
</script>
<main><h1 class={"title n" + count}>Count {count}</h1><p id="mixed">Seen {count} times{#if count % 2}<b>odd</b>{/if}</p>
<ul>{#each items as item (item)}<li id={"i-" + item}>{item}</li>{/each}</ul>
{#if open}<section id="panel"><i>Panel {count}</i></section>{/if}
<input id="field" bind:value={name}><output>{name}</output><button onclick={() => count++}>More</button><aside></aside></main>`;

const svelte = {
  name: "svelte",
  setup(build: any) {
    build.onResolve({ filter: /^app\.svelte$/ }, () => ({ path: "app.svelte", namespace: "app" }));
    build.onLoad({ filter: /./, namespace: "app" }, () => {
      const { compile } = createRequire(import.meta.url)("svelte/compiler") as { compile(source: string, options: object): { js: { code: string } } };
      return { contents: compile(SVELTE, { generate: "client" }).js.code, resolveDir: ROOT };
    });
  },
};

const SOURCES: Record<string, string> = {
  react: REACT,
  vue: VUE,
  svelte: `import { mount } from "svelte"; import App from "app.svelte"; mount(App, { target: document.querySelector("#root") });`,
};

async function bundle(name: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: SOURCES[name]!, resolveDir: ROOT },
    bundle: true,
    write: false,
    format: "iife",
    conditions: ["browser"],
    define: { "process.env.NODE_ENV": '"production"', __VUE_OPTIONS_API__: "true", __VUE_PROD_DEVTOOLS__: "false", __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false" },
    plugins: [svelte],
  });
  return outputFiles[0]!.text;
}

declare global {
  var app: { setCount(to: number): void; setItems(to: string[]): void; setOpen(to: boolean): void };
  var mutations: number;
}

/** The application with these edits. The visit fails on every error that the framework throws. */
async function open(t: TestContext, name: string, edits: readonly Edit[]): Promise<Page> {
  const shop = await serve({
    ...assets("client.js", "edits.js"),
    "/app.js": { type: "text/javascript", body: await bundle(name) },
    "/": page('<script type="module">import { createIdoine } from "/_idoine/client.js"; globalThis.createIdoine = createIdoine;</script>', '<div id="root"></div><div id="elsewhere"></div><script src="/app.js"></script>'),
    "/_idoine/decide": () => json(answer([HERO], [...edits])),
  });
  t.after(() => shop.close());
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await tab.waitForFunction(() => "createIdoine" in globalThis && document.querySelector("h1"));
  await tab.evaluate(async () => {
    globalThis.mutations = 0;
    new MutationObserver((records) => (mutations += records.length)).observe(document, { childList: true, subtree: true, characterData: true, attributes: true });
    globalThis.client = createIdoine({ auto: false });
    await client.decide();
  });
  await tab.waitForFunction(() => performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/edits.js")));
  await frames(tab);
  return tab;
}

const frames = (tab: Page): Promise<void> =>
  tab.evaluate(async () => {
    for (let frame = 0; frame < 6; frame++) await new Promise(requestAnimationFrame);
  });
const texts = (tab: Page, selector: string): Promise<string[]> => tab.locator(selector).allTextContents();
const stop = async (tab: Page): Promise<void> => {
  await tab.evaluate(() => client.stop());
  await frames(tab);
};
const edit = (op: Edit["op"], selector: string, value?: string, name?: string): Edit => ({ slot: `${op} ${selector}`, selector, op, ...(name && { name }), ...(value && { value }) });

for (const name of Object.keys(SOURCES)) {
  test(`${name}: texts, attributes, classes and contents stay over new renderings, and the baseline is the application's`, async (t) => {
    const tab = await open(t, name, [
      edit("text", "h1", "Edited"),
      edit("class_add", "h1", "big"),
      edit("attribute", "button", "yes", "title"),
      edit("html", "#mixed", "<em>new</em>"),
      edit("hide", "output"),
      edit("after", "ul", "<hr>"),
    ]);
    await tab.focus("#field");
    await tab.keyboard.type("abc");
    for (const text of ["1", "2", "3"]) {
      await tab.evaluate(() => document.querySelector("button")!.click());
      await frames(tab);
      assert.deepEqual(await texts(tab, "h1, #mixed"), ["Edited", "new"], text);
    }
    assert.equal(await tab.getAttribute("h1", "class"), "title n3 big");
    await tab.keyboard.type("d");
    assert.deepEqual(await tab.evaluate(() => [(document.activeElement as HTMLInputElement).value, document.querySelectorAll("hr").length, document.querySelector("output")!.textContent]), ["abcd", 1, "abcd"]);
    const before = await tab.evaluate(() => mutations);
    await frames(tab);
    assert.equal(await tab.evaluate(() => mutations), before, "nothing goes on");
    assert.ok(before < 200, `${before} mutations`);
    await stop(tab);
    assert.deepEqual(await texts(tab, "h1, #mixed"), ["Count 3", "Seen 3 timesodd"]);
    await tab.evaluate(() => document.querySelector("button")!.click());
    await frames(tab);
    assert.deepEqual(await texts(tab, "h1, #mixed"), ["Count 4", "Seen 4 times"]);
  });

  test(`${name}: what stands in the place of an element goes with it and comes again with it`, async (t) => {
    const tab = await open(t, name, [edit("replace", "#panel", "<nav>New</nav>"), edit("remove", "#i-b"), edit("before", "#i-c", "<li class=ad>Ad</li>")]);
    assert.deepEqual(await texts(tab, "nav, #panel, li"), ["a", "Ad", "c", "New"]);
    await tab.evaluate(() => app.setOpen(false));
    await frames(tab);
    assert.deepEqual(await texts(tab, "nav, #panel"), []);
    await tab.evaluate(() => app.setOpen(true));
    await tab.waitForFunction(() => document.querySelectorAll("nav").length === 1 && !document.querySelector("#panel"));
    await tab.evaluate(() => app.setItems(["c", "x", "b", "a"]));
    await frames(tab);
    assert.deepEqual(await texts(tab, "li"), ["Ad", "c", "x", "a"]);
    await tab.evaluate(() => app.setItems(["a", "b"]));
    await frames(tab);
    assert.deepEqual(await texts(tab, "li"), ["a"]);
    await stop(tab);
    assert.deepEqual(await texts(tab, "li, nav, #panel"), ["a", "b", "Panel 0"]);
  });

  test(`${name}: what is moved and put into an order goes back before the application changes it`, async (t) => {
    const tab = await open(t, name, [edit("reorder", "ul", '["#i-c","#i-b"]'), edit("move", "#panel", "#elsewhere", "first"), edit("move", "aside", "h1", "before")]);
    await tab.waitForFunction(() => document.querySelector("#elsewhere #panel") && document.querySelector("main")!.firstElementChild!.localName === "aside");
    assert.deepEqual(await texts(tab, "li"), ["c", "b", "a"]);
    await tab.evaluate(() => app.setItems(["d", "a", "b", "c"]));
    await frames(tab);
    assert.deepEqual(await texts(tab, "li"), ["c", "b", "d", "a"]);
    await tab.evaluate(() => app.setCount(7));
    await frames(tab);
    assert.deepEqual(await texts(tab, "#elsewhere"), ["Panel 7"]);
    await tab.evaluate(() => app.setOpen(false));
    await frames(tab);
    assert.equal(await tab.locator("#panel").count(), 0);
    await tab.evaluate(() => app.setOpen(true));
    await tab.waitForFunction(() => document.querySelectorAll("#panel").length === 1 && document.querySelector("#elsewhere #panel"));
    await stop(tab);
    assert.deepEqual(await texts(tab, "li"), ["d", "a", "b", "c"]);
    assert.equal(await tab.locator("main > #panel + input").count(), 1);
    await tab.evaluate(() => (app.setItems(["b", "a"]), app.setOpen(false)));
    await frames(tab);
    assert.deepEqual(await texts(tab, "li, #panel"), ["b", "a"]);
  });
}
