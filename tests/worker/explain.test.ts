// An explanation is the same, as data and as text, from the command line, the Worker's preview and the browser's tools: for
// every visitor of the cases of decisions (tests/spec/decide) and every persona of the demo.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { idoine } from "../real/faces.ts";
import { SITE, startShop } from "../real/shop.ts";
import { offsetsOf, programOf, type Author, type DecideFile, type Tools, type Visitor } from "../spec-wasm/checks.ts";
import { casesIn, loadAuthor, loadTools } from "../spec-wasm/files.ts";
import { startSites, startWorker, type TestWorker } from "./harness.ts";

let folder: string;
let tools: Tools;
let author: Author;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "idoine-explain-"));
  tools = await loadTools();
  author = await loadAuthor();
});
after(() => rm(folder, { recursive: true }));

const DECISIONS = casesIn("decide").map(([file, content]) => ({ file, name: file.replace(/\.json$/, ""), ...(content as unknown as DecideFile) }));

/** The explanation of a visitor from each face, as data and as text. */
async function same(worker: TestWorker, origin: string, manifest: string, program: Uint8Array, visitor: Visitor): Promise<any> {
  const whole = { now: 0, headers: {}, ...visitor };
  const body = JSON.stringify(whole);
  const ask = (query: string) => worker.fetch(`${origin}/_idoine/decide?${query}`, { method: "POST", body });
  const native = (...more: string[]) => idoine(["explain", manifest, "--visitor", "-", ...more], body);
  const [data, text, json, printed] = await Promise.all([ask("explain"), ask("explain=text"), native("--json"), native()]);
  assert.equal(data.status, 200, data.text);
  const expected = JSON.parse(json);
  assert.deepEqual(data.json().explain, expected);
  // What is handed over between Wasm and a page are objects; their numbers and keys are those of JSON.
  assert.deepEqual(JSON.parse(JSON.stringify(tools.explain(program, whole, offsetsOf(whole)))), expected);
  assert.equal(text.header("content-type"), "text/plain; charset=utf-8");
  assert.equal(text.header("cache-control"), "private, no-store");
  assert.equal(text.text, printed);
  assert.equal(tools.explain_text(program, whole, offsetsOf(whole)), printed);
  return expected;
}

/** All files of decisions are sites of one Worker. */
let sites: Awaited<ReturnType<typeof startSites>>;
before(async () => {
  sites = await startSites(Object.fromEntries(DECISIONS.map(({ name, manifest }) => [name, manifest])));
});
after(() => sites?.worker.dispose());

for (const { file, name: site, manifest, cases } of DECISIONS) {
  test(file, async (context) => {
    const path = join(folder, file);
    await writeFile(path, JSON.stringify(manifest));
    const program = programOf(author, manifest);
    for (const { name, visitor } of cases) await context.test(name, async () => void (await same(sites.worker, sites.origins[site]!, path, program, visitor)));
  });
}

test("the demo's personas", async () => {
  const shop = await startShop();
  try {
    const personas: Record<string, Record<string, unknown>> = (await shop.worker.fetch("http://localhost/_idoine/personas")).json();
    const reasons = new Set<string>();
    const values = new Set<string>();
    const walk = (clause: any): void => {
      values.add(clause.value);
      for (const part of clause.parts ?? []) walk(part);
    };
    for (const context of Object.values(personas)) {
      const { experiences } = await same(shop.worker, "http://localhost", SITE, shop.program, { now: "2026-06-10T10:00:00Z", url: "https://shop.example/", context } as Visitor);
      for (const { reason, audience } of experiences) {
        reasons.add(reason);
        if (audience) walk(audience);
      }
    }
    // Nobody's explanation is so poor that any two would be the same.
    for (const reason of ["match", "page", "schedule", "audience", "no_consent", "slot_taken"]) assert.ok(reasons.has(reason), reason);
    assert.deepEqual([...values].sort(), ["denied", "false", "true", "unknown"]);
  } finally {
    await shop.close();
  }
});

test("a preview asks by GET too", async () => {
  const [, content] = casesIn("decide").find(([file]) => file === "steps.json")!;
  const worker = await startWorker({ manifest: (content as unknown as DecideFile).manifest, preview: true });
  try {
    const ask = async (query: string) => worker.fetch(`http://localhost/_idoine/decide?url=${encodeURIComponent("https://shop.example/")}&${query}`);
    assert.match((await ask("explain=text")).text, /^slot +experience +reason\n/);
    assert.ok((await ask("explain")).json().explain.experiences.length > 0);
  } finally {
    await worker.dispose();
  }
});

test("outside previews nobody is told, as text either", async () => {
  const manifest = JSON.parse(readFileSync(new URL("../spec/decide/steps.json", import.meta.url), "utf8")).manifest;
  const worker = await startWorker({ manifest });
  try {
    const reply = await worker.fetch("http://localhost/_idoine/decide?explain=text", { method: "POST", body: JSON.stringify({ url: "https://shop.example/" }) });
    assert.deepEqual(Object.keys(reply.json()), ["version", "decisions", "edits"]);
  } finally {
    await worker.dispose();
  }
});
