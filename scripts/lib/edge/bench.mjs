// The benchmark of the Worker: checks that pages are equal, then measures them.
import { Problem, say } from "../run.mjs";
import { latency, memoryUnderLoad, throughput } from "./measure.mjs";
import { SIZES, startOrigin } from "./origin.mjs";
import { SLOTS } from "./site.mjs";
import { fetchPage, startWorkers } from "./workers.mjs";

/** How much is measured. */
export const FULL = { sizes: SIZES, latency: { warm: 200, requests: 1000 }, throughput: { connections: 50, ms: 1500, rounds: 5 }, memory: { connections: 50, requests: 10_000 } };
export const QUICK = { sizes: [18, 300], latency: { warm: 20, requests: 50 }, throughput: { connections: 50, ms: 200, rounds: 2 }, memory: { connections: 50, requests: 500 } };

/** Throws where the three pages are not what they have to be: the plain one without edits, the other two with all of them and equal. */
export async function check(ports, path, slots) {
  const [plain, hand, idoine] = await Promise.all(["plain", "hand", "idoine"].map((name) => fetchPage(ports[name], path)));
  if (idoine.body !== hand.body) {
    const at = [...hand.body].findIndex((character, index) => character !== idoine.body[index]);
    throw new Problem(`${path}: Idoine's page is not the one edited by hand. At ${at}: ${JSON.stringify(idoine.body.slice(at - 50, at + 100))} against ${JSON.stringify(hand.body.slice(at - 50, at + 100))}. Nothing was measured.`);
  }
  const decisions = JSON.parse(/id="idoine-state">(.*?)<\/script>/s.exec(idoine.body)[1]).decisions.length;
  if (decisions !== slots || plain.body.includes("idoine-state") || !idoine.body.includes(">Shop what you came for<")) throw new Problem(`${path}: ${decisions} decisions instead of ${slots}, or a page without its edits. Nothing was measured.`);
  return Buffer.byteLength(plain.body);
}

const cellsOf = ({ sizes }) => [
  ...sizes.flatMap((kilobytes) => [1, SLOTS.length].map((slots) => ({ kilobytes, slots, gzip: false, path: `/${slots === 1 ? "one" : "twenty"}/${kilobytes}` }))),
  { kilobytes: sizes.at(-1), slots: SLOTS.length, gzip: true, path: `/twenty/${sizes.at(-1)}/gzip` },
];

/** Runs it. Figures are milliseconds; see `measure.mjs`. */
export async function bench(plan, env) {
  const origin = await startOrigin();
  let workers;
  try {
    workers = await startWorkers(origin, env);
    const cells = [];
    const { ports, pid } = workers;
    for (const cell of cellsOf(plan)) cells.push({ ...cell, bytes: await check(ports, cell.path, cell.slots) });
    for (const cell of cells) {
      say(`${cell.kilobytes} KB, ${cell.slots === 1 ? "1 slot" : `${cell.slots} slots`}${cell.gzip ? ", gzip" : ""}`);
      cell.latency = await latency({ origin: origin.port, ...ports }, cell.path, plan.latency);
      cell.throughput = await throughput(ports, cell.path, pid, plan.throughput);
    }
    say("memory");
    const { path, kilobytes, slots, gzip } = cells.findLast((cell) => !cell.gzip);
    const steps = await memoryUnderLoad(ports.idoine, path, pid, plan.memory);
    return { cells, memory: { kilobytes, slots, gzip, ...plan.memory, steps } };
  } finally {
    await workers?.close();
    await origin.close();
  }
}
