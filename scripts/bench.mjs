// Decisions per page beside published packages, by the index beside a plain scan, and from cold; equal results are checked first.
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { coldStarts } from "./lib/bench/cold/index.mjs";
import { writeDocs } from "./lib/bench/docs.mjs";
import { EXTREMES } from "./lib/bench/extremes.mjs";
import { METHOD } from "./lib/bench/method.mjs";
import { buildNative } from "./lib/bench/native.mjs";
import { about, PEERS } from "./lib/bench/peers/index.mjs";
import { report } from "./lib/bench/report.mjs";
import { measureSize } from "./lib/bench/size.mjs";
import { buildParts } from "./lib/cargo.mjs";
import { command, WrongUsage } from "./lib/cli.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { duration, must, say } from "./lib/run.mjs";
import { ensure } from "./setup.mjs";

/** Everything random is drawn from it. */
const SEED = 20261122;
const SCAN = ["decide", "decideByIndex", "decideByScan", "index", "scan"];
const ALL = ["page", ...SCAN, "bare", "write", "cross", "request", "context", "edits", "read"];
const SIZES = [10, 100, 1_000, 10_000, 100_000];
/** What a peer may take at a size to load its rules and to decide once for each visitor. */
const LIMIT_MS = 60_000;

/** How much is measured. `visitors`: fewer where a page takes long, so that a minute says something. */
const FULL = {
  visitors: (experiences) => (experiences > 10_000 ? 100 : 400),
  mixed: { sizes: SIZES, measures: ALL, warmMs: 1500, ms: 12_000, least: 12, most: 60, batchMs: 40, nativeMs: 3000, loads: 15 },
  extremes: { sizes: SIZES, measures: SCAN, warmMs: 500, ms: 3000, least: 12, most: 60, batchMs: 40, loads: 3 },
  cold: { sizes: [10, 1_000, 10_000], starts: 15 },
};
const QUICK = {
  visitors: () => 30,
  mixed: { sizes: [10, 1_000], measures: ALL, warmMs: 50, ms: 200, least: 3, most: 5, batchMs: 20, nativeMs: 50, loads: 3 },
  extremes: { sizes: [1_000], measures: SCAN, warmMs: 20, ms: 50, least: 3, most: 5, batchMs: 20, loads: 3 },
  cold: { sizes: [10], starts: 1 },
};

const PARTS = ["mixed", "extremes", "cold"];

const usage = `
Usage: npm run bench [-- ${PARTS.map((part) => `[${part}]`).join(" ")} [--json] [--write] [--quick]]

Builds, then measures one page of 8 slots at ${SIZES.map((size) => size.toLocaleString("en-US")).join(", ")} experiences. First it checks that
all decide the same; if not, it shows the visitor and ends with exit code 1. A quarter of an hour on a quiet machine.

  mixed      a shop's rules: Idoine in Wasm and natively beside ${PEERS.join(", ")}
  extremes   what an index likes best and what it can do nothing about, beside a plain scan
  cold       the first decision in a fresh Node, workerd and Chromium
  --json     one object: machine, method, and what is in the tables
  --write    writes docs/speed.md and docs/speed.svg
  --quick    half a minute, with too few rounds to rely on the figures: shows that it runs and that results are equal

Example: npm run --silent bench -- mixed --json > bench.json
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

/** A workload at all sizes. A peer that has no figure at one of them is not tried at larger ones. */
async function workload(name, plan, visitors, { scratch, env }) {
  const isMixed = name === "mixed";
  const sizes = [];
  const out = {};
  for (const experiences of plan.sizes) {
    say(`${name}, ${experiences.toLocaleString("en-US")} experiences`);
    const peers = isMixed ? PEERS.filter((file) => !out[file]) : [];
    const folder = join(scratch, "size");
    const size = await measureSize(name, { experiences, seed: SEED, visitors: visitors(experiences), peers, isNative: isMixed, limitMs: LIMIT_MS, folder, env }, plan);
    rmSync(folder, { recursive: true, force: true });
    for (const [file, { status }] of Object.entries(size.peers)) if (status !== "measured") out[file] = { status: "skipped" };
    sizes.push({ ...size, peers: { ...out, ...size.peers } });
  }
  return sizes;
}

async function bench(parts, plan, where) {
  const result = { seed: SEED, unit: "us per page", peers: await about() };
  if (parts.includes("mixed")) result.mixed = await workload("mixed", plan.mixed, plan.visitors, where);
  if (parts.includes("extremes")) {
    result.extremes = {};
    for (const name of EXTREMES) result.extremes[name] = await workload(name, plan.extremes, plan.visitors, where);
  }
  if (parts.includes("cold")) result.cold = await coldStarts({ ...plan.cold, seed: SEED, folder: where.scratch, env: where.env });
  return result;
}

const options = { json: { type: "boolean" }, quick: { type: "boolean" }, write: { type: "boolean" } };

await command({ usage, options, positionals: PARTS }, async ({ json, quick, write }, named) => {
  const parts = named.length > 0 ? named : PARTS;
  if (write && (quick || PARTS.some((part) => !parts.includes(part)))) throw new WrongUsage("--write wants all parts, and no --quick");
  if (await underRecentNode()) return process.exitCode;
  const env = await ensure();
  await build(["cli", "engine"], env);
  const announce = setTimeout(() => say("building: the benchmark (a minute or two the first time) ..."), 1500);
  await buildParts(env).then(() => buildNative(env)).finally(() => clearTimeout(announce));
  const about = await machine(env); // before our own work makes it look busy
  const begun = Date.now();
  const scratch = mkdtempSync(join(tmpdir(), "idoine-bench-"));
  try {
    const result = { date: new Date(begun).toISOString().slice(0, 10), machine: about, quick: quick === true, ...(await bench(parts, quick ? QUICK : FULL, { scratch, env })) };
    say(`measured in ${duration(Date.now() - begun)}`);
    if (write) say(`wrote ${writeDocs(result).join(" and ")}`);
    process.stdout.write(`${json ? JSON.stringify({ ...result, method: METHOD }, null, 2) : report(result)}\n`);
    return 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});
