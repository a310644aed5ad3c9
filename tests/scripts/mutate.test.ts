// `npm run mutate` as far as it can be asked without mutating; what it changes is tested in mutate/src.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const list = JSON.parse(readFileSync(`${ROOT}/mutate/functions.json`, "utf8"));

function mutate(...args: string[]) {
  return spawnSync(process.execPath, ["scripts/mutate.mjs", ...args], { cwd: ROOT, encoding: "utf8" });
}

test("every function that it names is in its file", () => {
  for (const [file, names] of Object.entries<string[]>(list.functions)) {
    const source = readFileSync(`${ROOT}/${file}`, "utf8");
    for (const name of names) {
      const [of, method] = name.split("::");
      const pattern = method === undefined ? `^(?:pub(?:\\([a-z]+\\))? )?fn ${of}\\b` : `^impl\\b.*\\b${of}\\b.*\\{$[^]*?^    (?:pub(?:\\([a-z]+\\))? )?fn ${method}\\b`;
      assert.match(source, new RegExp(pattern, "m"), `${file} has no ${name}: mutate/functions.json names it`);
    }
  }
  const files = Object.keys(list.functions);
  for (const file of ["src/expr/parse.rs", "src/expr/check.rs", "src/eval/mod.rs", "src/context/source/channel.rs"]) assert.ok(files.includes(file), file);
});

test("what is called equivalent has a reason, and a named function", () => {
  for (const { file, function: name, source, was, becomes, reason } of list.equivalent) {
    assert.ok(list.functions[file]?.includes(name), `${file}: ${name}`);
    assert.ok(source.includes(was.slice(0, 20)) || was.includes(source.slice(0, 20)), `${source} has no ${was}`);
    assert.ok([becomes].flat().every((text) => typeof text === "string"));
    assert.ok(reason.length >= 20, `${file}: ${name}: ${reason}`);
  }
});

test("wrong arguments are wrong usage", () => {
  for (const [args, message] of [[["--file", "nope"], "No file has 'nope' in its path"], [["--jobs", "0"], "--jobs is '0'"], [["--wrong"], "Unknown option"]] as const) {
    const { status, stdout, stderr } = mutate(...args);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.ok(stderr.includes(message), stderr);
  }
  assert.match(mutate("--help").stdout, /^Example: npm run mutate/m);
});
