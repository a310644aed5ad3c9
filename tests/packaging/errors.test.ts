// Codes of errors: all that are thrown have a row in the documentation, and no row is of none.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { IdoineError } from "../../www/src/errors.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts")).map((path) => join(folder, path));
}

test("the table of codes is the codes that there are, and those that are thrown", () => {
  const declared = [...read("www/src/errors.ts").matchAll(/^\s+\| "(\w+)"/gm)].map(([, code]) => code!);
  const table = [...read("docs/errors.md").matchAll(/^\| <a id="(\w+)"><\/a>`(\w+)` \| [^|]+ \| [^|]+ \|$/gm)].map(([, anchor, code]) => [anchor!, code!]);
  const thrown = new Set(
    [...sources("www/src"), ...sources("www/npm/src")].flatMap((path) =>
      [...read(path).matchAll(/new IdoineError\(([^;]+?), [`"]/g)].flatMap(([, code]) => [...code!.matchAll(/"(\w+)"/g)].map(([, word]) => word!)),
    ),
  );
  assert.ok(declared.length > 10);
  assert.deepEqual(declared, [...declared].sort());
  assert.deepEqual(table, declared.map((code) => [code, code]));
  assert.deepEqual([...thrown].sort(), declared);
});

test("what the package throws has a code", () => {
  for (const path of sources("www/npm/src")) assert.doesNotMatch(read(path), /\b(throw|reject\() *(new )?(Type|Range)?Error\(/, path);
});

test("an error says its code, and where it is described", () => {
  const cause = new Error("gone");
  const error = new IdoineError("engine_unavailable", "engine: 404", cause);
  assert.deepEqual([String(error), error.code, error.docs, error.cause], ["IdoineError: engine: 404 [engine_unavailable]", "engine_unavailable", "docs/errors.md#engine_unavailable", cause]);
});
