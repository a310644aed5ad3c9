// `npm run fuzz` as far as it can be asked without fuzzing; that kept crashers are run is tests/crashers.rs.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

function fuzz(...args: string[]) {
  return spawnSync(process.execPath, ["scripts/fuzz.mjs", ...args], { cwd: ROOT, encoding: "utf8" });
}

test("the targets it names are those of the crate, and the oracle", () => {
  const source = readFileSync(`${ROOT}/fuzz/src/targets.rs`, "utf8");
  const table = /TARGETS: [^=]*= &\[([^\]]*)\];/.exec(source)?.[1] ?? "";
  const names = [...table.matchAll(/"(\w+)"/g)].map(([, name]) => name);
  assert.ok(names.length >= 6, table);
  const { status, stdout } = fuzz("--help");
  assert.equal(status, 0);
  assert.ok(stdout.includes(`only this one: ${names.join(", ")}, oracle\n`), stdout);
});

test("wrong arguments are wrong usage", () => {
  for (const [args, message] of [[["--target", "nope"], "Unknown target 'nope'"], [["--minutes", "x"], "--minutes is 'x'"], [["--minutes", "0"], "a number above 0"], [["--wrong"], "Unknown option"]] as const) {
    const { status, stdout, stderr } = fuzz(...args);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.ok(stderr.includes(message), stderr);
  }
});
