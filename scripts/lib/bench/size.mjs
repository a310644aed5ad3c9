// One workload at one size: made, compiled, decided by all, compared, and only then measured.
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../paths.mjs";
import { Problem } from "../run.mjs";
import { Contender, TooSlow } from "./contender.mjs";
import { extreme } from "./extremes.mjs";
import { asking } from "./idoine.mjs";
import { alternate, ratio, summary } from "./measure.mjs";
import { nativeDecisions, nativeTimes, prepare } from "./native.mjs";
import { visitors } from "./visitors.mjs";
import { workload } from "./workload.mjs";

/** The visitors as the engine gets them too. */
export async function people(count, seed) {
  const load = (name) => import(pathToFileURL(join(ROOT, "www", "src", name)).href);
  const { bytesOf } = asking(await load("wire.ts"));
  return visitors(count, seed, await load("zone.ts")).map((visitor) => ({ ...visitor, bytes: bytesOf(visitor.request) }));
}

/** What one of them decides otherwise than Idoine ends the run, with the visitor. */
export function compare(who, all, theirs, ours) {
  if (theirs.length !== ours.length) throw new Problem(`${who} decides for ${theirs.length} visitors instead of ${ours.length}`);
  ours.forEach((our, number) => {
    if (our.join() === theirs[number].join()) return;
    const { request, attributes } = all[number];
    const { headers, cf, ...rest } = request;
    const about = JSON.stringify({ request: { ...rest, headers: Object.fromEntries(headers), cf: Object.fromEntries(cf) }, attributes }, null, 2);
    throw new Problem(`${who} decides otherwise than Idoine's Wasm for visitor ${number}: ${JSON.stringify(theirs[number])} against ${JSON.stringify(our)}. Nothing was measured.\n${about}`);
  });
}

/** Writes the program of a workload into a folder, and that of the same slots without experiences. */
async function compiled(folder, name, { experiences, seed, all, env }) {
  mkdirSync(folder, { recursive: true });
  await prepare(folder, workload(0, seed).manifest, all, env);
  renameSync(join(folder, "site.program"), join(folder, "bare.program"));
  const made = name === "mixed" ? workload(experiences, seed) : extreme(name, experiences);
  const begun = performance.now();
  const { program, version } = await prepare(folder, made.manifest, all, env);
  const compileMs = performance.now() - begun;
  return { onPage: made.onPage, version, compileMs, bytes: { manifest: Buffer.byteLength(made.manifest), program: readFileSync(program).length } };
}

/** Starts a peer and compares what it decides, in its time. What it can't is what is returned in its place. */
async function tryPeer(file, order, { all, ours, limitMs }) {
  const contender = new Contender(file);
  const begun = performance.now();
  const left = () => Math.max(limitMs - (performance.now() - begun), 1);
  try {
    const about = await contender.tell("start", { ...order, what: file }, left());
    const theirs = await contender.tell("answers", {}, left());
    compare(file, all, theirs.map(({ winners }) => winners), ours);
    return { contender, about };
  } catch (error) {
    await contender.end();
    if (error instanceof Problem) throw error;
    return { result: error instanceof TooSlow ? { status: "slow", limitMs } : { status: "failed", why: error.message } };
  }
}

/**
 * Measures a workload at a size.
 * @param {string} name `mixed`, or one of `EXTREMES`
 * @param {{experiences: number, seed: number, visitors: number, peers: string[], isNative: boolean, limitMs: number, folder: string, env: object}} of
 * `limitMs`: what a peer may take to load its rules and to decide once for each visitor
 * @param {object} plan how much is measured: see `alternate`; `loads` and `nativeMs` besides
 */
export async function measureSize(name, of, plan) {
  const { experiences, seed, peers, isNative, limitMs, folder, env } = of;
  const all = await people(of.visitors, seed);
  const { onPage, version, compileMs, bytes } = await compiled(folder, name, { experiences, seed, all, env });
  const order = { count: of.visitors, seed, folder, experiences };
  const idoine = new Contender("Idoine");
  const running = { idoine };
  try {
    await idoine.tell("start", { ...order, what: "idoine" });
    const answers = await idoine.tell("answers");
    const ours = answers.map(({ winners }) => winners);
    if (isNative) compare("the native engine", all, await nativeDecisions(folder, env), answers.map(({ words }) => words));
    const results = {};
    for (const file of peers) {
      const { contender, about, result } = await tryPeer(file, order, { all, ours, limitMs });
      results[file] = result ?? { status: "measured", ...about };
      if (contender) running[file] = contender;
    }

    const turn = (contender, measure) => (first, every) => contender.tell("turn", { measure, first, every, visitors: all.length });
    const turns = Object.fromEntries([...plan.measures.map((measure) => [measure, turn(idoine, measure)]), ...Object.keys(running).filter((file) => file !== "idoine").map((file) => [file, turn(running[file], "page")])]);
    const times = await alternate(turns, all.length, plan);
    for (const file of Object.keys(running)) {
      if (file !== "idoine") Object.assign(results[file], { page: summary(times[file]), ratio: ratio(times[file], times.decide) });
    }
    const loadMs = summary(await idoine.tell("loads", { times: plan.loads }));
    await Promise.all(Object.values(running).map((contender) => contender.end()));
    const natively = isNative && (await nativeTimes(folder, plan.nativeMs, env));
    const slots = ours.flat();
    return {
      experiences, onPage, version, visitors: all.length, compileMs, bytes, loadMs,
      checked: { slots: slots.length, won: slots.filter((winner) => winner !== null).length, against: ["steps", "scan", ...(isNative ? ["native"] : []), ...Object.keys(running).filter((file) => file !== "idoine")] },
      idoine: Object.fromEntries(plan.measures.map((measure) => [measure, summary(times[measure])])),
      toScan: { decide: ratio(times.decideByIndex, times.decideByScan), alone: ratio(times.index, times.scan) },
      ...(natively && { native: Object.fromEntries(Object.entries(natively).map(([what, us]) => [what, summary(us)])) }),
      peers: results,
    };
  } finally {
    await Promise.all(Object.values(running).map((contender) => contender.end()));
  }
}
