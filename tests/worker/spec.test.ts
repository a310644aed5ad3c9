// The language-neutral cases of tests/spec, decided by the Worker: a visitor by HTTP, decisions and reasons back.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { differences, PLAIN_SITE } from "../spec-wasm/checks.ts";
import type { ContextFile, ReceiptFile } from "../spec-wasm/checks.ts";
import { ROOT, startSites, startWorker } from "./harness.ts";
import type { TestWorker } from "./harness.ts";

interface Case {
  name: string;
  visitor: Record<string, unknown>;
  context?: Record<string, unknown>;
  decisions: Record<string, string>;
  factors?: Record<string, string | null>;
  lost?: Record<string, string>;
  edits?: Record<string, string>[];
  until?: number | null;
}

const SPEC = join(ROOT, "tests", "spec");

function files<File>(folder: string): [string, File][] {
  const names = readdirSync(join(SPEC, folder)).filter((name) => name.endsWith(".json"));
  return names.map((name) => [`${folder}/${name}`, JSON.parse(readFileSync(join(SPEC, folder, name), "utf8")) as File]);
}

async function explained(worker: TestWorker, visitor: object, origin = "http://localhost") {
  // With `headers` it is a whole visitor, of whom the request itself says nothing.
  const reply = await worker.fetch(`${origin}/_idoine/decide?explain`, { method: "POST", body: JSON.stringify({ headers: {}, ...visitor }) });
  assert.equal(reply.status, 200, reply.text);
  return reply.json();
}

async function check(worker: TestWorker, origin: string, { visitor, context, decisions, factors, lost, edits, until }: Case) {
  const answer = await explained(worker, visitor, origin);
  assert.deepEqual(Object.fromEntries(answer.decisions.map((decision: any) => [decision.slot, `${decision.experience ?? "-"} ${decision.variant} ${decision.reason}`])), decisions);
  assert.deepEqual(answer.explain.decisions, answer.decisions);
  for (const [path, value] of Object.entries(context ?? {})) {
    assert.deepEqual(answer.explain.context[path] ?? null, value, path);
  }
  for (const [slot, factor] of Object.entries(factors ?? {})) {
    assert.equal(answer.decisions.find((decision: any) => decision.slot === slot)?.factor ?? null, factor, `factor of ${slot}`);
  }
  const onPage = new Set(answer.decisions.map((decision: any) => decision.slot));
  for (const [experience, reason] of Object.entries(lost ?? {})) {
    const slots = answer.explain.slots.filter((slot: any) => onPage.has(slot.slot) || onPage.size === 0 || reason === "page");
    const candidates = slots.flatMap((slot: any) => slot.candidates).filter((candidate: any) => candidate.experience === experience);
    assert.ok(candidates.length > 0, `${experience} is no candidate`);
    for (const candidate of candidates) {
      assert.equal(candidate.by === undefined ? candidate.reason : `${candidate.reason} by ${candidate.by}`, reason, experience);
    }
  }
  if (until !== undefined) {
    assert.equal(answer.until ?? null, until);
  }
  if (edits !== undefined) {
    assert.equal(answer.edits.length, edits.length, JSON.stringify(answer.edits));
    for (const [at, edit] of edits.entries()) {
      const { slot, op, name = "", value = "", selector } = answer.edits[at];
      assert.deepEqual({ slot, op, name, value, ...("selector" in edit && { selector }) }, { name: "", value: "", ...edit });
    }
  }
}

const DECISIONS = files<{ manifest: object; cases: Case[] }>("decide");
const nameOf = (file: string) => file.replace(/^decide\/|\.json$/g, "");

/** All files of decisions are sites of one Worker. */
let sites: Awaited<ReturnType<typeof startSites>>;
before(async () => {
  sites = await startSites(Object.fromEntries(DECISIONS.map(([file, { manifest }]) => [nameOf(file), manifest])));
});
after(() => sites?.worker.dispose());

for (const [file, { cases }] of DECISIONS) {
  test(file, async (context) => {
    for (const one of cases) {
      await context.test(one.name, () => check(sites.worker, sites.origins[nameOf(file)]!, one));
    }
  });
}

/** Most files of contexts are of one plain site. */
let plain: Promise<TestWorker> | undefined;
after(async () => (await plain)?.dispose());

for (const [file, { manifest, cases }] of files<ContextFile>("context")) {
  test(file, async (context) => {
    const worker = await (manifest ? startWorker({ manifest, preview: true }) : (plain ??= startWorker({ manifest: PLAIN_SITE, preview: true })));
    try {
      for (const one of cases) {
        await context.test(one.name, async () => {
          const answer = await explained(worker, { now: 0, ...one.visitor });
          assert.deepEqual(differences(answer.explain.context, one.context), []);
        });
      }
    } finally {
      if (manifest) await worker.dispose();
    }
  });
}

test("receipts.json", async (context) => {
  const { manifest, cases } = JSON.parse(readFileSync(join(SPEC, "receipts.json"), "utf8")) as ReceiptFile;
  const worker = await startWorker({ manifest, preview: true });
  try {
    for (const { name, visitor, receipt } of cases) {
      await context.test(name, async () => {
        const answer = await explained(worker, visitor);
        assert.deepEqual(answer.receipt, { program: answer.version, ...receipt });
        assert.deepEqual(answer.explain.receipt, answer.receipt);
      });
    }
  } finally {
    await worker.dispose();
  }
});
