// The language-neutral cases of tests/spec, decided by the Worker: a visitor by HTTP, decisions and reasons back.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT, startWorker } from "./harness.ts";
import type { TestWorker } from "./harness.ts";

interface Case {
  name: string;
  visitor: Record<string, unknown>;
  context?: Record<string, unknown>;
  decisions: Record<string, string>;
  lost?: Record<string, string>;
  edits?: Record<string, string>[];
}

const FOLDER = join(ROOT, "tests", "spec", "decide");

async function check(worker: TestWorker, { visitor, context, decisions, lost, edits }: Case) {
  // With `headers` it is a whole visitor, of whom the request itself says nothing.
  const reply = await worker.fetch("http://localhost/_idoine/decide?explain", { method: "POST", body: JSON.stringify({ headers: {}, ...visitor }) });
  assert.equal(reply.status, 200, reply.text);
  const answer = reply.json();
  assert.deepEqual(Object.fromEntries(answer.decisions.map((decision: any) => [decision.slot, `${decision.experience ?? "-"} ${decision.variant} ${decision.reason}`])), decisions);
  assert.deepEqual(answer.explain.decisions, answer.decisions);
  for (const [path, value] of Object.entries(context ?? {})) {
    assert.deepEqual(answer.explain.context[path] ?? null, value, path);
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
  if (edits !== undefined) {
    assert.equal(answer.edits.length, edits.length, JSON.stringify(answer.edits));
    for (const [at, edit] of edits.entries()) {
      const { slot, op, name = "", value = "", selector } = answer.edits[at];
      assert.deepEqual({ slot, op, name, value, ...("selector" in edit && { selector }) }, { name: "", value: "", ...edit });
    }
  }
}

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".json"))) {
  const { manifest, cases } = JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as { manifest: object; cases: Case[] };
  test(file, async (context) => {
    const worker = await startWorker({ manifest, preview: true });
    try {
      for (const one of cases) {
        await context.test(one.name, () => check(worker, one));
      }
    } finally {
      await worker.dispose();
    }
  });
}
