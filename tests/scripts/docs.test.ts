// The manifests in the documentation are manifests: what people copy compiles.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { measure } from "../../scripts/lib/budgets.mjs";
import { comparePeers } from "../../scripts/lib/peers.mjs";
import { sizePage } from "../../scripts/lib/peers-page.mjs";

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

test("what the documentation says that a manifest is told, it is told", () => {
  const folder = mkdtempSync(join(tmpdir(), "idoine-docs-"));
  let count = 0;
  try {
    for (const file of files) {
      const text = readFileSync(new URL(file, root), "utf8");
      for (const [, block, said] of text.matchAll(/^```jsonc\n([^`]*?)^```\n\n```text\n([\s\S]*?)^```/gm)) {
        writeFileSync(join(folder, "site.jsonc"), block!);
        const { stdout, stderr } = spawnSync(command, ["check", "site.jsonc"], { cwd: folder, encoding: "utf8" });
        assert.ok(`${stderr}\n${stdout}`.includes(said!.trimEnd()), `${file} says\n${said}\nbut it is\n${stderr}\n${stdout}`);
        count += 1;
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  assert.ok(count >= 3, `${count} manifests have an answer behind them`);
});

test("every file that the documentation links to is there", () => {
  for (const file of [...files, "ARCHITECTURE.md", "CONTRIBUTING.md"]) {
    const text = readFileSync(new URL(file, root), "utf8");
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
      assert.ok(existsSync(new URL(target!, new URL(file, root))), `${file} links to ${target}`);
    }
  }
});

test("the sizes that the README quotes are the sizes", () => {
  const text = readFileSync(new URL("README.md", root), "utf8");
  const rows = [...text.matchAll(/^\| (.+?), gzip \| ([\d.]+) KB \| `npm run size` \|$/gm)];
  assert.equal(rows.length, 6);
  for (const [, name, quoted] of rows) {
    const row = measure().find((candidate: any) => candidate.name.startsWith(name!));
    assert.ok(row, `npm run size prints no row ${name}`);
    const actual = row.gzip / 1000;
    assert.ok(Math.abs(Number(quoted) - actual) <= actual * 0.03, `${name}: the README says ${quoted} KB, it is ${actual.toFixed(2)} KB`);
  }
});

test("the page about sizes is what the command writes, with its figures", async () => {
  const rows = await comparePeers();
  const fresh = sizePage(rows).split("\n");
  const quoted = readFileSync(new URL("docs/size.md", root), "utf8").split("\n");
  const figure = /\d+\.\d(?= \|)/g;
  assert.deepEqual(quoted.map((line) => line.replace(figure, "#")), fresh.map((line) => line.replace(figure, "#")));
  quoted.forEach((line, number) => {
    const actual = fresh[number]!.match(figure) ?? [];
    line.match(figure)?.forEach((said, column) => {
      const [was, is] = [Number(said), Number(actual[column])];
      assert.ok(Math.abs(was - is) <= Math.max(is * 0.03, 0.1), `docs/size.md says ${was} KB, it is ${is} KB (npm run size -- --write):\n${fresh[number]}`);
    });
  });
  // A peer of which nothing was bundled would look small.
  for (const { name, package: of, first } of rows) if (of) assert.ok(first.gzip > 10_000 && first.raw > first.gzip && first.gzip > first.brotli, `${name}: ${JSON.stringify(first)}`);
  const peers = new Set(rows.map((row) => row.package));
  for (const name of ["@growthbook/growthbook", "@optimizely/optimizely-sdk", "@ninetailed/experience.js", "posthog-js", "@segment/analytics-next"]) assert.ok(peers.has(name), name);
});
