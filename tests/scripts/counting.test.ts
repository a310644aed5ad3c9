// The scripts' own arithmetic: budgets, and how test runs are counted.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { BUDGETS, measure, table } from "../../scripts/lib/budgets.mjs";
import { countCargo, countTap } from "../../scripts/lib/stages.mjs";

const scratch = mkdtempSync(join(tmpdir(), "idoine-counting-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

test("the budgets are those of the design", () => {
  assert.deepEqual(
    BUDGETS.filter((row) => row.limit !== undefined).map(({ name, goal, limit }) => [name, goal, limit]),
    [
      ["inline stub", 0.6, 0.8],
      ["loader that applies edge decisions", 3, 4],
      ["events, exposures and routes", 4, 5],
      ["engine: JavaScript + Wasm", 30, 45],
      ["consent chunk: the banner", 8, 12],
      ["preference centre", 8, 12],
      ["edits that stand", 2, 3],
      ["capture", 5, 8],
      ["capture of products and carts", 3, 4],
      ["tools: JavaScript + Wasm", 150, 250],
      ["author's module: JavaScript + Wasm", 150, 250],
      ["Worker Wasm", 200, 300],
    ],
  );
});

test("an artefact above its limit fails, one above its goal does not", () => {
  mkdirSync(join(scratch, "snippet"));
  const row = { name: "stub", files: ["snippet/stub.js"], goal: 0.6, limit: 0.8 };
  const verdicts = [500, 700, 900].map((bytes) => {
    writeFileSync(join(scratch, "snippet", "stub.js"), randomBytes(bytes)); // gzip can't shrink it
    const rows = measure([row], scratch);
    return [rows[0]?.ok, /\S+( \S+)*$/.exec(table(rows).split("  ").pop() ?? "")?.[0]];
  });
  assert.deepEqual(verdicts, [[true, "ok"], [true, "above the goal"], [false, "TOO LARGE"]]);
  assert.throws(() => measure([{ ...row, files: ["snippet/gone.js"] }], scratch), /gone\.js is missing\. Build it first: npm run build/);
});

test("cargo's results are added up", () => {
  const output = "test result: ok. 3 passed; 0 failed; 1 ignored\n\ntest result: FAILED. 4 passed; 2 failed; 0 ignored\n";
  assert.deepEqual(countCargo({ code: 101, output }), { passed: 7, failed: 2, output });
});

test("a run without a result is a failure", () => {
  assert.equal(countCargo({ code: 101, output: "error: could not compile" }).failed, 1);
  assert.equal(countCargo({ code: 0, output: "test result: ok. 0 passed; 0 failed;" }).failed, 1);
  assert.equal(countTap("", { code: 1, output: "crashed" }).failed, 1);
});

test("node's report is read from its end", () => {
  const tap = "# fail 9 is a test's own words\nok 1 - a\n# tests 5\n# suites 0\n# pass 3\n# fail 1\n# cancelled 1\n# skipped 0\n";
  const { passed, failed } = countTap(tap, { code: 1, output: "" });
  assert.deepEqual([passed, failed], [3, 2]);
});
