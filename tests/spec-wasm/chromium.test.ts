// The language-neutral cases through the browser's Wasm in headless Chromium.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { browser, closeBrowser } from "../e2e/fixtures/browser.ts";
import { serve, type Site } from "../e2e/fixtures/server.ts";
import type * as checksModule from "./checks.ts";
import { asset, everyFile } from "./files.ts";

let site: Site;
let page: Page;

before(async () => {
  const { outputFiles } = await build({ entryPoints: [fileURLToPath(new URL("checks.ts", import.meta.url))], bundle: true, format: "esm", write: false });
  const script = (body: Buffer) => ({ type: "text/javascript", body });
  site = await serve({
    "/": "<!doctype html><title>Cases</title>",
    "/checks.js": script(Buffer.from(outputFiles[0]!.contents)),
    ...Object.fromEntries(["tools", "author"].flatMap((name) => [
      [`/${name}.js`, script(asset(`${name}.js`))],
      [`/${name}.wasm`, { type: "application/wasm", body: asset(`${name}.wasm`) }],
    ])),
  });
  page = await (await browser()).newPage();
  await page.goto(site.origin);
});

after(async () => {
  await closeBrowser();
  await site.close();
});

/** Runs in the page: the results of one file's cases. Texts go in and out, which is faster than trees of objects. */
async function inPage([check, content]: string[]): Promise<string> {
  const load = (path: string): Promise<any> => import(path);
  const [checks, tools, author] = (await Promise.all([load("/checks.js"), load("/tools.js"), load("/author.js")])) as [Record<string, (...args: unknown[]) => unknown>, any, any];
  await tools.default({ module_or_path: "/tools.wasm" });
  await author.default({ module_or_path: "/author.wasm" });
  return JSON.stringify(checks[check!]!({ tools, author }, JSON.parse(content!)));
}

for (const { path, check, content } of everyFile()) {
  test(path, async (context) => {
    const results = JSON.parse(await page.evaluate(inPage, [check, JSON.stringify(content)])) as checksModule.Result[];
    assert.equal(results.length, content.cases.length);
    // JSON has no `undefined`.
    for (const [name, problem] of results) await context.test(name, () => assert.equal(problem ?? undefined, undefined));
  });
}
