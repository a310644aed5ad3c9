// The manifests in the documentation are manifests: what people copy compiles.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = new URL("../../", import.meta.url);
const files = ["README.md", ...readdirSync(new URL("docs/", root)).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)];
const command = fileURLToPath(new URL("dist/bin/idoine", root));

test("every manifest in the documentation compiles", () => {
  let count = 0;
  for (const file of files) {
    const text = readFileSync(new URL(file, root), "utf8");
    for (const [, block] of text.matchAll(/^```jsonc\n([\s\S]*?)^```/gm)) {
      const { status, stderr } = spawnSync(command, ["check", "-"], { input: block, encoding: "utf8" });
      assert.equal(status, 0, `${file}:\n${block}\n${stderr}`);
      count += 1;
    }
  }
  assert.ok(count > 0, "no manifest was found");
});

test("every file that the documentation links to is there", () => {
  for (const file of [...files, "ARCHITECTURE.md", "CONTRIBUTING.md"]) {
    const text = readFileSync(new URL(file, root), "utf8");
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
      assert.ok(existsSync(new URL(target!, new URL(file, root))), `${file} links to ${target}`);
    }
  }
});
