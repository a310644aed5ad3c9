// Decisions per page, natively and in Wasm, beside GrowthBook on the same workload; equal results are checked first.
import { readFileSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "./build.mjs";
import { check, contenders, growthbookVersion, load, turns } from "./lib/bench/contenders.mjs";
import { alternate, ratio, summary } from "./lib/bench/measure.mjs";
import { buildNative, nativeDecisions, nativeTimes, prepare } from "./lib/bench/native.mjs";
import { METHOD, report } from "./lib/bench/report.mjs";
import { visitors } from "./lib/bench/visitors.mjs";
import { workload } from "./lib/bench/workload.mjs";
import { command } from "./lib/cli.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { ROOT } from "./lib/paths.mjs";
import { duration, must, say } from "./lib/run.mjs";
import { ensure } from "./setup.mjs";

const SIZES = [100, 1_000, 10_000];
/** Everything random is drawn from it. */
const SEED = 20261122;
/** How much is measured. `batchMs`: what a batch of the slowest contender may take. */
const FULL = { visitors: 500, warmMs: 1500, ms: 7000, least: 10, most: 120, nativeMs: 3000, loads: 15, batchMs: 150 };
const QUICK = { visitors: 40, warmMs: 50, ms: 200, least: 3, most: 10, nativeMs: 50, loads: 3, batchMs: 50 };

const usage = `
Usage: npm run bench [-- --json] [--quick]

Builds, then measures one page of 8 slots at ${SIZES.map((size) => size.toLocaleString("en-US")).join(", ")} experiences: Idoine natively and in Wasm,
and the published @growthbook/growthbook on the same rules and visitors. First it checks that all of them decide
the same; if not, it shows the visitor and ends with exit code 1. About a minute, once everything is built.

  --json    one object: machine, method, and for each size what is in the table
  --quick   some seconds, with too few batches to rely on the figures: shows that it runs and that results are equal

Example: npm run --silent bench -- --json > bench.json
`;

async function machine(env) {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 1e9),
    platform: `${process.platform} ${process.arch}`,
    load: Number(loadavg()[0].toFixed(1)),
    node: process.versions.node,
    v8: process.versions.v8,
    rustc: (await must(["rustc", "--version"], { env })).trim(),
  };
}

/** The engine's input as bytes, and GrowthBook's as its user context: both are made before anything is measured. */
function people(count, { encodeRequest }, zone) {
  return visitors(count, SEED, zone).map((visitor) => ({ ...visitor, bytes: encodeRequest(visitor.request), user: { attributes: visitor.attributes } }));
}

/** Whose turn it is in a round: some of the visitors, so that a batch of the slowest stays short, all of them over the rounds. */
function slices(all, slowest, { batchMs }) {
  const start = performance.now();
  for (const visitor of all.slice(0, 10)) slowest(visitor);
  const each = (performance.now() - start) / 10;
  const parts = Math.min(Math.ceil((each * all.length) / batchMs), Math.floor(all.length / 10));
  const lists = Array.from({ length: Math.max(parts, 1) }, (_, part) => all.filter((_, index) => index % Math.max(parts, 1) === part));
  return (round) => lists[round % lists.length];
}

async function bench(plan, scratch, env) {
  const both = await contenders(scratch, plan.loads);
  const zone = await import(pathToFileURL(join(ROOT, "www", "src", "zone.ts")).href);
  const all = people(plan.visitors, both.wire, zone);

  say(`making and compiling ${SIZES.length} sites`);
  const sites = [];
  for (const experiences of [0, ...SIZES]) {
    const { manifest, features, onPage } = workload(experiences, SEED);
    const folder = join(scratch, String(experiences));
    const { program, version } = await prepare(folder, manifest, all, env);
    sites.push({ experiences, onPage, folder, version, program: readFileSync(program), payload: JSON.stringify(features) });
  }
  const [empty, ...measured] = sites;
  const bare = new both.Engine(empty.program);

  say(`checking that native, Wasm and GrowthBook decide the same for ${all.length} visitors at each size`);
  const loaded = [];
  for (const { folder, program, payload } of measured) {
    const one = load(both, program, payload, plan.loads);
    loaded.push({ ...one, checked: check(one, all, await nativeDecisions(folder, env)) });
  }

  const sizes = [];
  for (const [index, { experiences, onPage, folder, version, program, payload }] of measured.entries()) {
    say(`measuring ${experiences.toLocaleString("en-US")} experiences (about ${Math.round((plan.warmMs + plan.ms + plan.nativeMs) / 1000)} s)`);
    const contending = turns(loaded[index], bare, both.wire);
    const times = alternate(contending, slices(all, contending.growthbook, plan), plan);
    const natively = await nativeTimes(folder, plan.nativeMs, env);
    sizes.push({
      experiences,
      onPage,
      version,
      checked: { ...loaded[index].checked, against: ["native", "growthbook"] },
      wasm: { decide: summary(times.decide), page: summary(times.page), context: summary(times.context) },
      growthbook: { page: summary(times.growthbook) },
      native: { page: summary(natively.page), context: summary(natively.context), decide: summary(natively.decide) },
      ratios: { decide: ratio(times.growthbook, times.decide), page: ratio(times.growthbook, times.page) },
      load: { wasmMs: loaded[index].idoineMs, nativeMs: summary(natively.load.map((us) => us / 1000)), growthbookMs: loaded[index].growthbookMs },
      bytes: { program: program.length, payload: Buffer.byteLength(payload) },
    });
  }
  return { visitors: all.length, seed: SEED, unit: "us per page", growthbook: { version: growthbookVersion() }, start: both.start, sizes };
}

await command({ usage, options: { json: { type: "boolean" }, quick: { type: "boolean" } } }, async ({ json, quick }) => {
  if (await underRecentNode()) return process.exitCode;
  const env = await ensure();
  await build(["cli", "engine"], env);
  const announce = setTimeout(() => say("building: native benchmark (a minute or two the first time) ..."), 1500);
  await buildNative(env).finally(() => clearTimeout(announce));
  const about = await machine(env); // before our own work makes it look busy
  const begun = Date.now();
  const scratch = mkdtempSync(join(tmpdir(), "idoine-bench-"));
  try {
    const result = { machine: about, quick: quick === true, ...(await bench(quick ? QUICK : FULL, scratch, env)) };
    say(`measured in ${duration(Date.now() - begun)}`);
    process.stdout.write(`${json ? JSON.stringify({ ...result, method: METHOD }, null, 2) : report(result)}\n`);
    return 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});
