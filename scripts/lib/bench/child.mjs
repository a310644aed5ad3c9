// The process of one who is measured: it is told what to do, one thing after the other, and answers. A peer that hangs is ended
// from outside, and nobody's garbage is collected in another's time.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../paths.mjs";
import { idoine } from "./idoine.mjs";
import { peer } from "./peers/index.mjs";
import { ordered } from "./rules.mjs";
import { visitors } from "./visitors.mjs";
import { mixed, SLOTS } from "./workload.mjs";

/** Who is measured here. */
let measured;
/** What answers flow into, so that no compiler may leave out the work. */
let sink = 0;

async function elapsed(work) {
  const start = process.hrtime.bigint();
  const result = await work();
  return { result, ms: Number(process.hrtime.bigint() - start) / 1e6 };
}

/** A peer with the rules of the mixed workload loaded, and visitors to ask it for. */
async function startPeer({ file, experiences, seed, people, folder }) {
  const { write, start } = await peer(file);
  const text = write(ordered(SLOTS, mixed(experiences, seed)));
  const load = await start(folder);
  const { result: loaded, ms } = await elapsed(() => load(text, SLOTS));
  const ready = people.map(({ attributes }, number) => loaded.ready(attributes, number));
  const isAsync = loaded.evaluate(ready[0]) instanceof Promise;
  const won = (winners) => winners.reduce((count, winner) => count + (winner === null ? 0 : 1), 0);
  const page = (first, every) => {
    let sum = 0;
    for (let index = first; index < ready.length; index += every) sum = (sum + won(loaded.evaluate(ready[index]))) | 0;
    return sum;
  };
  const awaited = async (first, every) => {
    let sum = 0;
    for (let index = first; index < ready.length; index += every) sum = (sum + won(await loaded.evaluate(ready[index]))) | 0;
    return sum;
  };
  const answers = async () => {
    const all = [];
    for (const one of ready) all.push({ winners: await loaded.evaluate(one) });
    return all;
  };
  return { about: { loadMs: ms, bytes: Buffer.byteLength(text) }, answers, measures: { page: isAsync ? awaited : page } };
}

const orders = {
  /** Gets ready. */
  async start({ what, count, seed, folder, experiences }) {
    const zone = await import(pathToFileURL(join(ROOT, "www", "src", "zone.ts")).href);
    const people = visitors(count, seed, zone);
    if (what !== "idoine") measured = await startPeer({ file: what, experiences, seed, people, folder });
    else {
      const read = (name) => readFileSync(join(folder, name));
      measured = await idoine({ program: read("site.program"), bare: read("bare.program"), people });
    }
    return measured.about ?? {};
  },
  /** What it decides for every visitor. */
  answers: () => measured.answers(),
  /** Milliseconds of some loads. */
  async loads({ times }) {
    const all = [];
    for (let turn = 0; turn < times; turn++) all.push((await elapsed(measured.load)).ms);
    return all;
  },
  /** Microseconds per visitor: one measure over every so many of the visitors, from the first on. */
  async turn({ measure, first, every, visitors: count }) {
    const work = measured.measures[measure];
    const start = process.hrtime.bigint();
    const result = work(first, every);
    sink = (sink + (result instanceof Promise ? await result : result)) | 0;
    return Number(process.hrtime.bigint() - start) / 1000 / Math.ceil((count - first) / every);
  },
};

process.on("message", async ({ order, ...rest }) => {
  try {
    process.send({ answer: await orders[order](rest) });
  } catch (error) {
    process.send({ error: error?.message ?? String(error) });
  }
});
