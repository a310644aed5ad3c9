// `npm run bench`: it runs, it checks for equal results before it measures, and its output has the promised shape. No time is asserted.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { check, contenders, load } from "../../scripts/lib/bench/contenders.mjs";
import { alternate, ratio, summary } from "../../scripts/lib/bench/measure.mjs";
import { prepare } from "../../scripts/lib/bench/native.mjs";
import { visitors } from "../../scripts/lib/bench/visitors.mjs";
import { onPage, SLOTS, workload } from "../../scripts/lib/bench/workload.mjs";
import { ROOT } from "../../scripts/lib/paths.mjs";
import * as zone from "../../www/src/zone.ts";

const scratch = mkdtempSync(join(tmpdir(), "idoine-bench-test-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

interface Feature {
  rules: { condition: Record<string, unknown>; force: string }[];
}

interface Summary {
  median: number;
  p10: number;
  p90: number;
  batches: number;
}

interface Result {
  machine: { cpu: string; cores: number; node: string; rustc: string };
  quick: boolean;
  visitors: number;
  growthbook: { version: string };
  method: string[];
  start: Record<string, Summary>;
  sizes: {
    experiences: number;
    onPage: number;
    checked: { visitors: number; slots: number; won: number; against: string[] };
    wasm: Record<string, Summary>;
    growthbook: Record<string, Summary>;
    native: Record<string, Summary>;
    ratios: Record<string, number>;
    load: Record<string, Summary>;
    bytes: Record<string, number>;
  }[];
}

const bench = (...args: string[]) => [join(ROOT, "scripts", "bench.mjs"), ...args];

function assertSummary(what: string, { median, p10, p90, batches }: Summary) {
  assert.ok(p10 > 0 && p10 <= median && median <= p90 && batches >= 3, `${what}: ${p10} ${median} ${p90} of ${batches}`);
}

test("a quick run checks that all decide the same, and says what it measured", () => {
  const result = JSON.parse(execFileSync(process.execPath, bench("--quick", "--json"), { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })) as Result;
  assert.equal(result.quick, true);
  assert.ok(result.machine.cpu !== "" && result.machine.cores > 0 && result.machine.rustc.startsWith("rustc "));
  assert.ok(result.method.length > 3);
  const installed = JSON.parse(readFileSync(join(ROOT, "node_modules", "@growthbook", "growthbook", "package.json"), "utf8")) as { version: string };
  assert.equal(result.growthbook.version, installed.version);
  for (const [name, figures] of Object.entries(result.start)) assertSummary(`start ${name}`, figures);

  assert.deepEqual(result.sizes.map(({ experiences, onPage: here }) => [experiences, here]), [[100, 60], [1000, 200], [10_000, 200]]);
  for (const { experiences, checked, wasm, growthbook, native, ratios, load: loads, bytes } of result.sizes) {
    assert.deepEqual(checked.against, ["native", "growthbook"]);
    assert.equal(checked.visitors, result.visitors);
    assert.equal(checked.slots, result.visitors * 8);
    // A workload in which nothing matches, or everything does, would compare little.
    assert.ok(checked.won > checked.slots * 0.1 && checked.won < checked.slots, `${experiences}: ${checked.won} of ${checked.slots} slots were won`);
    assert.deepEqual([wasm, growthbook, native, loads].map((group) => Object.keys(group)), [["decide", "page", "context"], ["page"], ["page", "context", "decide"], ["wasmMs", "nativeMs", "growthbookMs"]]);
    for (const [name, figures] of [wasm, growthbook, native, loads].flatMap((group) => Object.entries(group))) assertSummary(`${experiences} ${name}`, figures);
    for (const value of [...Object.values(ratios), ...Object.values(bytes)]) assert.ok(value > 0);
  }
});

test("what it does is told before anything is built, and wrong arguments are refused", () => {
  const help = spawnSync(process.execPath, bench("--help"), { encoding: "utf8" });
  assert.deepEqual([help.status, /Usage: npm run bench[^]*Example: /.test(help.stdout), help.stderr], [0, true, ""]);
  assert.equal(spawnSync(process.execPath, bench("--fast")).status, 2);
});

test("one different result ends the run and shows the visitor", async () => {
  const people = visitors(20, 1, zone);
  const both = await contenders(scratch, 1);
  const all = people.map((visitor) => ({ ...visitor, bytes: both.wire.encodeRequest(visitor.request), user: { attributes: visitor.attributes } }));
  const { manifest, features } = workload(100, 1);
  const { program } = await prepare(join(scratch, "site"), manifest, all, process.env);
  const loaded = (payload: object) => load(both, readFileSync(program), JSON.stringify(payload), 1);
  const same = loaded(features);
  const native = all.map(({ bytes }) => [...(same.engine.decide(same.engine.write(bytes)) as Uint32Array)]);
  assert.equal(check(same, all, native).visitors, 20);

  // GrowthBook forces something for everybody where Idoine leaves the page as it is, or shows something else.
  const other = structuredClone(features) as Record<string, Feature>;
  other[SLOTS[3]!]!.rules.unshift({ condition: {}, force: "e-none" });
  assert.throws(() => check(loaded(other), all, native), /^Error: GrowthBook decides otherwise than Idoine's Wasm for visitor 0: .*"e-none"[^]*Nothing was measured[^]*"user-agent"[^]*"attributes"/);
  const changed = native.map((words, index) => (index === 7 ? words.with(2, 99) : words));
  assert.throws(() => check(same, all, changed), /the native engine decides otherwise than Idoine's Wasm for visitor 7/);
  assert.throws(() => check(same, all, native.slice(1)), /the native run decided for 19 visitors instead of 20/);
});

test("the workload is the same every time, and has the stated shares", () => {
  assert.deepEqual(workload(1000, 5), workload(1000, 5));
  assert.deepEqual(visitors(50, 5, zone), visitors(50, 5, zone));
  assert.notDeepEqual(workload(1000, 5).features, workload(1000, 6).features);
  const { features, manifest, onPage: here } = workload(1000, 5);
  assert.equal(here, onPage(1000));
  const rules = Object.values(features as Record<string, Feature>).map((feature) => feature.rules.length);
  assert.deepEqual(rules, SLOTS.map(() => 125));
  const { experiences } = JSON.parse(manifest) as { experiences: { audience: string; pages?: string[] }[] };
  const share = (pattern: RegExp) => experiences.filter(({ audience }) => pattern.test(audience)).length;
  assert.equal(share(/contains|startsWith|endsWith/), 100);
  assert.equal(share(/\|\|| in \["/), 200);
  // Every visitor has every attribute: the two engines treat missing ones differently.
  for (const { attributes } of visitors(200, 5, zone)) for (const [name, value] of Object.entries(attributes)) assert.ok(value !== undefined && value !== "" && !Number.isNaN(value), name);
});

test("figures are medians and quantiles, and ratios are those of the same round", () => {
  assert.deepEqual(summary([5, 1, 3, 2, 4]), { median: 3, p10: 1.4, p90: 4.6, batches: 5 });
  assert.equal(summary([2, 1]).median, 1.5);
  assert.equal(ratio([10, 400, 30], [1, 20, 3]), 10);
  const seen: string[] = [];
  const contender = (name: string) => (item: number) => (seen.push(`${name}${item}`), 1);
  const times = alternate({ a: contender("a"), b: contender("b") }, (round: number) => [round], { warmMs: 0, ms: 0, least: 2, most: 2 });
  assert.deepEqual(seen, ["a0", "b0", "a0", "b0", "b1", "a1"]);
  assert.deepEqual([times["a"]?.length, times["b"]?.length], [2, 2]);
});
