// The order of functions in our Wasm: alike ones together, none lost.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { readModule } from "../../scripts/lib/bytes/module.mjs";
import { best, chain } from "../../scripts/lib/order.mjs";
import { DIST } from "../../scripts/lib/paths.mjs";

test("the longest function is the first, and each is followed by the one that is most like it", () => {
  const bodies = ["abcdefgh", "the other kind", "abcd", "one", "another kind", "xyzabcdefgh"].map((text) => Buffer.from(text));
  assert.deepEqual(chain(bodies, 0.5), [1, 4, 0, 5, 2, 3]);
  assert.deepEqual(best([]), []);
});

test("the modules are as small as functions in this order make them", () => {
  const bytes = readFileSync(join(DIST, "assets", "_idoine", "engine.wasm"));
  const bodies = readModule(bytes).functions.map(({ start, size }) => bytes.subarray(start, start + size));
  const compressed = (order: number[]) => gzipSync(Buffer.concat(order.map((index) => bodies[index]!)), { level: 9 }).length;
  const bySize = [...bodies.keys()].sort((a, b) => bodies[b]!.length - bodies[a]!.length);
  assert.ok(compressed([...bodies.keys()]) < compressed(bySize));
});
