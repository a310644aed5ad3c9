// The comparison with the oracle without end: `npm run fuzz -- --target oracle`. Random seeds until the time is over; progress
// goes to stderr, one object with what happened to stdout.
//
//   node tests/oracle/fuzz.ts --seconds 60

import { parseArgs } from "node:util";
import { disagreementOf, told } from "./compare.ts";
import { keep } from "./kept.ts";

/** Visitors of each manifest. */
const VISITORS = 40;
/** More of them would be the same few mistakes. */
const MOST = 10;

const { seconds = "60" } = parseArgs({ options: { seconds: { type: "string" } } }).values;
const begun = Date.now();
const end = begun + Number(seconds) * 1000;
const crashers = new Set<string>();
let executions = 0;
let shown = begun;
while (Date.now() < end && crashers.size < MOST) {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const found = await disagreementOf(seed, VISITORS);
  executions += VISITORS;
  if (found) {
    const path = keep(found);
    if (!crashers.has(path)) process.stderr.write(`kept ${path} of seed ${seed}\n${told(found)}\n`);
    crashers.add(path);
  }
  if (Date.now() - shown > 15_000) {
    shown = Date.now();
    process.stderr.write(`oracle: ${executions} visitors, ${crashers.size} disagreements\n`);
  }
}
process.stdout.write(`${JSON.stringify({ target: "oracle", seconds: Math.round((Date.now() - begun) / 1000), executions, crashers: [...crashers] })}\n`);
process.exitCode = crashers.size > 0 ? 1 : 0;
