// `npm run bench`: it runs, it checks for equal results before it measures, and its output has the promised shape. No time is asserted.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { chart } from "../../scripts/lib/bench/chart.mjs";
import { Contender, TooSlow } from "../../scripts/lib/bench/contender.mjs";
import { page } from "../../scripts/lib/bench/docs.mjs";
import { extreme, EXTREMES } from "../../scripts/lib/bench/extremes.mjs";
import { alternate, ratio, summary } from "../../scripts/lib/bench/measure.mjs";
import { PEERS } from "../../scripts/lib/bench/peers/index.mjs";
import { report } from "../../scripts/lib/bench/report.mjs";
import { compare, measureSize, people } from "../../scripts/lib/bench/size.mjs";
import { visitors } from "../../scripts/lib/bench/visitors.mjs";
import { onPage, SLOTS, workload } from "../../scripts/lib/bench/workload.mjs";
import { ROOT } from "../../scripts/lib/paths.mjs";
import * as zone from "../../www/src/zone.ts";

const scratch = mkdtempSync(join(tmpdir(), "idoine-bench-test-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

interface Summary {
  median: number;
  p10: number;
  p90: number;
  batches: number;
}

interface Peer {
  status: string;
  page: Summary;
  ratio: number;
  loadMs: number;
  bytes: number;
}

interface Size {
  experiences: number;
  onPage: number;
  visitors: number;
  checked: { slots: number; won: number; against: string[] };
  idoine: Record<string, Summary>;
  native?: Record<string, Summary>;
  toScan: Record<string, number>;
  loadMs: Summary;
  bytes: Record<string, number>;
  peers: Record<string, Peer>;
}

interface Result {
  date: string;
  machine: { cpu: string; cores: number; node: string; rustc: string; memoryGB: number; platform: string; v8: string; load: number };
  quick: boolean;
  seed: number;
  peers: { file: string; name: string; from: string; version: string; license: string; equivalence: string }[];
  method: string[];
  mixed: Size[];
  extremes: Record<string, Size[]>;
  cold: Record<string, { about: string; sizes: ({ experiences: number } & Record<string, Summary>)[] }>;
}

const bench = (...args: string[]) => [join(ROOT, "scripts", "bench.mjs"), ...args];

function assertSummary(what: string, { median, p10, p90, batches }: Summary, least = 3) {
  assert.ok(p10 >= 0 && p10 <= median && median <= p90 && batches >= least, `${what}: ${p10} ${median} ${p90} of ${batches}`);
}

let quick: Result;

test("a quick run checks that all decide the same, and says what it measured", () => {
  quick = JSON.parse(execFileSync(process.execPath, bench("--quick", "--json"), { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })) as Result;
  assert.equal(quick.quick, true);
  assert.match(quick.date, /^\d{4}-\d\d-\d\d$/);
  assert.ok(quick.machine.cpu !== "" && quick.machine.cores > 0 && quick.machine.rustc.startsWith("rustc "));
  assert.ok(quick.method.length > 3);
  assert.deepEqual(quick.peers.map(({ file }) => file), PEERS);
  for (const { from, version, license, equivalence } of quick.peers) {
    const installed = JSON.parse(readFileSync(join(ROOT, "node_modules", from, "package.json"), "utf8")) as { version: string };
    assert.equal(version, installed.version);
    assert.match(license, /^(MIT|Apache-2\.0|ISC|BSD-[23]-Clause)$/);
    assert.ok(equivalence.length > 100, from);
  }

  assert.deepEqual(quick.mixed.map(({ experiences, onPage: here }) => [experiences, here]), [[10, 6], [1000, 200]]);
  for (const { experiences, visitors: count, checked, idoine, native = {}, toScan, loadMs, bytes, peers } of quick.mixed) {
    assert.deepEqual(checked.against, ["steps", "scan", "native", ...PEERS]);
    assert.equal(checked.slots, count * 8);
    // A workload in which nothing matches, or everything does, would compare little.
    if (experiences >= 1000) assert.ok(checked.won > checked.slots * 0.1 && checked.won < checked.slots, `${experiences}: ${checked.won} of ${checked.slots} slots were won`);
    assert.deepEqual(Object.keys(native), ["load", "context", "decide", "scan", "page"]);
    for (const [name, figures] of [...Object.entries(idoine), ...Object.entries(native), ["load", loadMs] as const]) assertSummary(`${experiences} ${name}`, figures);
    assert.deepEqual(Object.keys(peers).sort(), [...PEERS].sort());
    for (const [name, peer] of Object.entries(peers)) {
      assert.equal(peer.status, "measured", name);
      assertSummary(`${experiences} ${name}`, peer.page);
      assert.ok(peer.ratio > 0 && peer.loadMs > 0 && peer.bytes > 0);
    }
    for (const value of [...Object.values(toScan), ...Object.values(bytes)]) assert.ok(value > 0);
  }

  assert.deepEqual(Object.keys(quick.extremes), EXTREMES);
  for (const [name, sizes] of Object.entries(quick.extremes)) {
    for (const { checked, idoine, toScan } of sizes) {
      assert.deepEqual(checked.against, ["steps", "scan"]);
      assert.equal(checked.won === checked.slots, name !== "best", `${name}: ${checked.won} of ${checked.slots} slots were won`);
      assert.ok(toScan["decide"]! > 0 && toScan["alone"]! > 0);
      for (const [what, figures] of Object.entries(idoine)) assertSummary(`${name} ${what}`, figures);
    }
  }

  assert.deepEqual(Object.entries(quick.cold).map(([name, { sizes }]) => [name, Object.keys(sizes[0]!)]), [
    ["node", ["experiences", "compile", "load", "decide", "total"]],
    ["workerd", ["experiences", "load", "decide", "total"]],
    ["chromium", ["experiences", "compile", "load", "decide", "total"]],
  ]);
  for (const { sizes } of Object.values(quick.cold)) for (const { experiences, ...steps } of sizes) for (const [name, figures] of Object.entries(steps)) assertSummary(`cold ${name} ${experiences}`, figures, 1);
});

test("what it does is told before anything is built, and wrong arguments are refused", () => {
  const help = spawnSync(process.execPath, bench("--help"), { encoding: "utf8" });
  assert.deepEqual([help.status, /Usage: npm run bench[^]*Example: /.test(help.stdout), help.stderr], [0, true, ""]);
  for (const wrong of [["--fast"], ["everything"], ["--write", "--quick"], ["--write", "cold"]]) assert.equal(spawnSync(process.execPath, bench(...wrong)).status, 2, wrong.join(" "));
});

/** A little of everything that `measureSize` is told. */
const of = { experiences: 100, seed: 1, visitors: 20, peers: [] as string[], isNative: false, limitMs: 60_000, folder: join(scratch, "size"), env: process.env };
const plan = { measures: ["decide", "decideByIndex", "decideByScan", "index", "scan"], warmMs: 0, ms: 0, least: 2, most: 2, batchMs: 20, nativeMs: 0, loads: 2 };

test("one different result ends the run and shows the visitor", async () => {
  const all = await people(20, 1);
  const started = async (experiences: number) => {
    const contender = new Contender("growthbook");
    try {
      await contender.tell("start", { what: "growthbook", count: 20, seed: 1, folder: scratch, experiences });
      return ((await contender.tell("answers")) as { winners: (string | null)[] }[]).map(({ winners }) => winners);
    } finally {
      await contender.end();
    }
  };
  const ours = await started(100);
  compare("GrowthBook", all, await started(100), ours);
  assert.throws(() => compare("GrowthBook", all, [["e-none"], ...ours.slice(1)], ours), /^Error: GrowthBook decides otherwise than Idoine's Wasm for visitor 0: \["e-none"\] against [^]*Nothing was measured[^]*"user-agent"[^]*"attributes"/);
  assert.throws(() => compare("the native engine", all, ours.slice(1), ours), /the native engine decides for 19 visitors instead of 20/);
  // Rules of another workload: it's what they decide that is compared.
  const other = await started(101);
  assert.throws(() => compare("GrowthBook", all, other, ours), /GrowthBook decides otherwise/);
});

test("a peer that takes too long is ended, and shown as such", async () => {
  const contender = new Contender("json-rules-engine");
  await assert.rejects(contender.tell("start", { what: "json-rules-engine", count: 20, seed: 1, folder: scratch, experiences: 1000 }, 1), TooSlow);

  const { peers } = (await measureSize("mixed", { ...of, peers: ["eppo", "flagd"], limitMs: 1 }, plan)) as unknown as Size;
  assert.deepEqual(peers, { eppo: { status: "slow", limitMs: 1 }, flagd: { status: "slow", limitMs: 1 } });
  // Beside the others it has no curve, and its cells say why.
  const slow = given();
  assert.match(report(slow), /flagd-core, attributes ready +7\.00 \(6\.00-8\.00\) +over 60 s +not tried\n/);
  assert.match(page(slow), /\| flagd-core, attributes ready \| 7\.00 \(6\.00-8\.00\) \| over 60 s \| not tried \|/);
  assert.match(chart(slow), />flagd-core ×<[^]*a minute was not enough/);
});

test("a peer that fails is shown with its words", async () => {
  const { peers } = (await measureSize("mixed", { ...of, peers: ["none"] }, plan)) as unknown as Size;
  assert.equal(peers["none"]!.status, "failed");
  assert.match((peers["none"] as unknown as { why: string }).why, /none\.mjs/);
});

test("the workloads are the same every time, and have the stated shares", () => {
  assert.deepEqual(workload(1000, 5), workload(1000, 5));
  assert.deepEqual(visitors(50, 5, zone), visitors(50, 5, zone));
  assert.notDeepEqual(workload(1000, 5).experiences, workload(1000, 6).experiences);
  const { experiences, manifest, onPage: here } = workload(1000, 5);
  assert.equal(here, onPage(1000));
  assert.deepEqual(SLOTS.map((name) => experiences.filter(({ slot }) => slot === name).length), SLOTS.map(() => 125));
  const share = (pattern: RegExp) => experiences.filter(({ test: asked }) => pattern.test(JSON.stringify(asked))).length;
  assert.equal(share(/"(contains|startsWith|endsWith)"/), 100);
  assert.equal(share(/"either"|"within","name":"(country|campaign|source|language|city)"/), 200);
  assert.equal((JSON.parse(manifest) as { experiences: unknown[] }).experiences.length, 1000);
  for (const name of EXTREMES) assert.deepEqual(extreme(name, 100), extreme(name, 100));
  // Every visitor has every attribute: engines treat missing ones differently.
  for (const { attributes } of visitors(200, 5, zone)) for (const [name, value] of Object.entries(attributes)) assert.ok(value !== undefined && value !== "" && !Number.isNaN(value), name);
});

test("figures are medians and quantiles, and ratios are those of the same round", async () => {
  assert.deepEqual(summary([5, 1, 3, 2, 4]), { median: 3, p10: 1.4, p90: 4.6, batches: 5 });
  assert.equal(summary([2, 1]).median, 1.5);
  assert.equal(ratio([10, 400, 30], [1, 20, 3]), 10);
});

test("rounds begin with another each time, and what is slow takes fewer visitors in each", async () => {
  const seen: string[] = [];
  const turn = (name: string, us: number) => async (first: number, every: number) => (seen.push(`${name} ${first}/${every}`), us);
  const times = (await alternate({ a: turn("a", 1), b: turn("b", 3000) }, 40, { warmMs: 0, ms: 0, least: 3, most: 3, batchMs: 40 })) as Record<string, number[]>;
  // How slow they are; a round that doesn't count; three that do.
  assert.deepEqual(seen, ["a 0/4", "b 0/4", "a 0/1", "b 0/3", "a 0/1", "b 0/3", "b 1/3", "a 0/1", "a 0/1", "b 2/3"]);
  assert.deepEqual(times, { a: [1, 1, 1], b: [3000, 3000, 3000] });
});

/** A result with figures that nobody measured. */
function given(): Result {
  const us = (median: number): Summary => ({ median, p10: median - 1, p90: median + 1, batches: 9 });
  const measures = ["page", "decide", "decideByIndex", "decideByScan", "index", "scan", "bare", "write", "cross", "request", "context", "edits", "read"];
  const size = (experiences: number, place: number, peers: Record<string, unknown>): Size => ({
    experiences, onPage: 6, visitors: 400, checked: { slots: 3200, won: 320, against: [] }, loadMs: us(2),
    idoine: Object.fromEntries(measures.map((name, index) => [name, us((index + 2) * 10 ** place)])),
    native: Object.fromEntries(["page", "context", "decide", "scan", "load"].map((name) => [name, us(4)])),
    toScan: { decide: 0.5, alone: 0.25 }, bytes: { program: 1000 }, peers: peers as Record<string, Peer>,
  });
  const measured = (median: number) => ({ status: "measured", page: us(median), ratio: 2, loadMs: 3, bytes: 2000 });
  const peers = (place: number, flagd: unknown) => ({ growthbook: measured(30 * 10 ** place), flagd });
  const sizes = [size(10, 0, peers(0, measured(7))), size(1000, 1, peers(1, { status: "slow", limitMs: 60_000 })), size(100_000, 2, peers(2, { status: "skipped" }))];
  const about = (file: string, name: string) => ({ file, name, from: file, version: "1.2.3", license: "MIT", equivalence: "The same." });
  return {
    date: "2026-11-22", quick: false, seed: 5, method: [], mixed: sizes, extremes: { best: sizes, adversarial: sizes },
    machine: { cpu: "A machine", cores: 2, memoryGB: 8, platform: "linux x64", node: "22.18.0", v8: "12", rustc: "rustc 1", load: 0 },
    peers: [about("growthbook", "GrowthBook <&>"), about("flagd", "flagd-core")],
    cold: { node: { about: "a new process", sizes: [{ experiences: 10, compile: us(2), load: us(3), decide: us(4), total: us(9) } as never] } },
  };
}

/** Asserts that every element of a text is closed, in order; its names, each with its attributes. */
function elements(svg: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  for (const [, closing, name, attributes, empty] of svg.matchAll(/<(\/?)(\w+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g)) {
    if (closing) assert.equal(open.pop(), name);
    else {
      names.push(`${name}${attributes}`);
      if (!empty) open.push(name!);
    }
  }
  assert.deepEqual(open, []);
  assert.doesNotMatch(svg.replace(/<\/?\w+(?:\s+[\w:-]+="[^"<]*")*\s*\/?>/g, ""), /[<>]|&(?!#?\w+;)/);
  return names;
}

test("the curves are one well-formed drawing, the same for the same figures", () => {
  const svg = chart(given());
  assert.equal(svg, chart(given()));
  assert.notEqual(svg, chart({ ...given(), mixed: given().mixed.slice(1) }));
  const names = elements(svg);
  assert.equal(names.filter((name) => name.includes('class="curve"')).length, 5);
  assert.equal(names.filter((name) => name.startsWith("circle")).length, 3 * 4 + 1);
  // Its own two themes, and nothing from elsewhere.
  assert.match(svg, /prefers-color-scheme:dark/);
  assert.doesNotMatch(svg.replace("http://www.w3.org/2000/svg", ""), /https?:|@import|url\(|NaN|undefined|Infinity/);
  assert.ok(svg.length < 12_000, `${svg.length} bytes`);
});

test("the page of figures is written whole from a result", () => {
  const text = page(given());
  assert.equal(text, page(given()));
  for (const part of ["2026-11-22", "A machine, 2 cores", "npm run bench", "(speed.svg)", "growthbook 1.2.3, MIT", "a new process", "### Cold start in Node", "| best, whole call | 0.50 | 0.50 | 0.50 |"]) assert.ok(text.includes(part), part);
  assert.doesNotMatch(text, /undefined|NaN|\[object/);
  assert.doesNotMatch(page({ ...quick }), /undefined|NaN|\[object/);
  elements(chart(quick));
});
