// The oracle and three faces, on random manifests and visitors: the command line, the engine and the tools decide as it says, and
// the tools' explanation gives its reasons.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { disagreement, disagreementOf, told } from "./compare.ts";
import { generate } from "./generate.ts";
import { kept } from "./kept.ts";
import { LOSSES, REASONS, type Decided } from "./manifest.ts";
import { MISTAKES } from "./mistakes.ts";
import { bucket, decide, murmur3 } from "./oracle.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

/** The seeds of `npm test`: as many manifests, and visitors of each. */
const MANIFESTS = 500;
const VISITORS = 40;
/** How many visitors see each reason at least. */
const LEAST = 100;

test("the oracle is short, and has nothing of what it checks", () => {
  const lines = read("oracle.ts").split("\n");
  assert.ok(lines.length - 1 <= 300, `${lines.length - 1} lines`);
  // Types are erased.
  assert.deepEqual(lines.filter((line) => /\bimport\b/.test(line)).filter((line) => !line.startsWith("import type ")), []);
});

test("the oracle's buckets are the frozen ones", () => {
  interface Vectors {
    murmur3_32: { text: string; seed: number; hash: number }[];
    buckets: { purpose: string; id: string; unit: string; total: number; bucket: number; repeat?: number }[];
  }
  const { murmur3_32, buckets } = JSON.parse(read("../spec/buckets.json")) as Vectors;
  for (const { text, seed, hash } of murmur3_32) assert.equal(murmur3(new TextEncoder().encode(text), seed), hash, text);
  for (const { purpose, id, unit, total, bucket: expected, repeat = 1 } of buckets) assert.equal(bucket(purpose, id, unit.repeat(repeat), total), expected, `${purpose} ${id} ${unit}`);
  assert.ok(murmur3_32.length > 10 && buckets.length > 30);
});

for (const [name, { visitor, ...site }] of kept()) {
  test(`found once: ${name}`, async () => {
    const found = await disagreement(site, [visitor]);
    assert.ok(!found, found && told(found));
  });
}

test(`${MANIFESTS * VISITORS} visitors: the command line, the engine and the tools decide as the oracle, and every reason occurs`, async (context) => {
  const counts = new Map([...REASONS, ...LOSSES].map((reason) => [reason, 0]));
  let decided = 0;
  const see = ({ decisions, outcomes }: Decided): void => {
    decided += 1;
    const reasons = new Set([...decisions, ...Object.values(outcomes)].map(({ reason }) => reason));
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  };
  for (let seed = 1; seed <= MANIFESTS; seed++) {
    const found = await disagreementOf(seed, VISITORS, decide, see);
    if (found) assert.fail(`seed ${seed}\n${told(found)}`);
  }
  context.diagnostic(`${decided} visitors: ${[...counts].map(([reason, count]) => `${reason} ${count}`).join(", ")}`);
  assert.ok(decided >= 20_000);
  assert.deepEqual([...counts.keys()], [...REASONS, ...LOSSES]);
  assert.deepEqual([...counts].filter(([, count]) => count < LEAST), []);
});

test("a decider that is wrong in one thing is noticed", (context) => {
  const cases = Array.from({ length: 120 }, (_, index) => generate(index + 1, 14));
  const right = cases.map(({ site, visitors }) => visitors.map((visitor) => decide(site, visitor)));
  const noticed = Object.entries(MISTAKES).map(([name, mistake]): [string, number] => {
    let count = 0;
    for (const [index, { site, visitors }] of cases.entries()) {
      for (const [at, visitor] of visitors.entries()) {
        const changed = mistake(site, visitor);
        if (!isDeepStrictEqual(decide(changed.site ?? site, changed.visitor ?? visitor), right[index]![at])) count += 1;
      }
    }
    return [name, count];
  });
  context.diagnostic(noticed.map(([name, count]) => `${name} ${count}`).join(", "));
  assert.deepEqual(noticed.filter(([, count]) => count === 0), []);
});

test("a disagreement is found and made small", async () => {
  // A decider for whom traffic does not matter.
  const wrong: typeof decide = (site, visitor) => decide(MISTAKES["all traffic"]!(site, visitor).site!, visitor);
  let found;
  for (let seed = 1; !found && seed < 50; seed++) found = await disagreementOf(seed, VISITORS, wrong);
  assert.ok(found);
  assert.equal(found.site.manifest.experiences.length, 1, told(found));
  assert.match(told(found), /^manifest: .*"traffic".*\nvisitor: .*\n.*oracle/);
});
