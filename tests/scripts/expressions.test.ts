// The reference of expressions: up to date, and every entry is held by a case.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { written } from "../../scripts/docs.mjs";
import { unexplained } from "../../scripts/lib/expressions-page.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const IDOINE = `${ROOT}dist/bin/idoine`;

interface Entry {
  id: string;
  example: string;
}

const read = (path: string): any => JSON.parse(readFileSync(`${ROOT}${path}`, "utf8"));
const functions = (): Entry[] => read("www/schema/expressions.json").functions;

test("what is written from the tables is up to date", async () => {
  const stale = (await written(process.env)).filter(([path, text]) => readFileSync(path, "utf8") !== text);
  assert.deepEqual(stale.map(([path]) => relative(ROOT, path)), [], "run: npm run docs");
});

test("the page explains every type", () => {
  assert.deepEqual(unexplained(read("www/schema/expressions.json")), []);
});

test("the page has every entry, every field and all that is read of profiles, once", () => {
  const page = readFileSync(`${ROOT}docs/expressions.md`, "utf8");
  const { functions, fields, readings } = read("www/schema/expressions.json");
  const rows = [...functions.map(({ signature }: { signature: string }) => signature.replace(" -> ", " → ")), ...fields.map(({ path }: { path: string }) => path), ...readings.map(({ signature }: { signature: string }) => signature)];
  for (const text of rows) {
    assert.equal(page.split(`\n| \`${text.replaceAll("|", "\\|")}\` |`).length, 2, text);
  }
});

test("every operator, function and macro is covered by a case", () => {
  const folder = `${ROOT}tests/spec/expr/`;
  const files = readdirSync(folder).filter((name) => name.endsWith(".json") && name !== "functions.json");
  const covered = new Set(files.flatMap((name) => read(`tests/spec/expr/${name}`).cases.flatMap((one: { covers?: string[] }) => one.covers ?? [])));
  const ids = functions().map(({ id }) => id);
  assert.deepEqual(ids.filter((id) => !covered.has(id)), [], "no case of tests/spec/expr names these in `covers`");
  assert.deepEqual([...covered].filter((id) => !ids.includes(id as string)), [], "cases cover what is not there");
});

test("every example is an expression", () => {
  for (const { id, example } of functions()) {
    const { stdout } = spawnSync(IDOINE, ["eval", "--json", "--", example], { encoding: "utf8" });
    const { error } = JSON.parse(stdout);
    assert.ok(!error || error.kind === "evaluation", `${id}: ${example}: ${error?.message}`);
  }
});
