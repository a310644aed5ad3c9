// A page that is never left does not grow, however often its route changes. `npm run bench:page` says it of a thousand changes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { launch } from "../../scripts/lib/page/browser.mjs";
import { routesMemory } from "../../scripts/lib/page/memory.mjs";

test("after two hundred changes of the route the page has the nodes and listeners that it had after a hundred, and its heap", { timeout: 120_000 }, async () => {
  const browser = await launch();
  try {
    const [settled, later] = await routesMemory(browser, { rounds: 1, routes: 100 });
    assert.equal(later!.nodes, settled!.nodes);
    assert.equal(later!.listeners, settled!.listeners);
    // A route's answer is some kilobyte: a hundred of them that were kept would be seen.
    assert.ok(later!.heap - settled!.heap < 100_000, `the heap grew from ${settled!.heap} to ${later!.heap} bytes`);
  } finally {
    await browser.close();
  }
});
