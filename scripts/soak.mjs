// A steady load on the Worker with faults switched on and off: no response may be lost, and nothing may leak.
import { build } from "./build.mjs";
import { command, WrongUsage } from "./lib/cli.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { say } from "./lib/run.mjs";
import { ensure } from "./setup.mjs";

const usage = `
Usage: npm run soak [-- [--minutes N] [--json]]

Builds, then asks the real Worker in workerd for pages, streams, files, uploads and decisions and sends it events, as steadily as it answers,
while its store fails or is slow, its origin is down, slow, cut off or in error, its Wasm traps, programs are published, damaged ones among
them, and workerd is killed and started again on what lies on disk.
Ends with exit code 1 where a response is not what it may be then, is missing or hangs, where an event that was acknowledged does not count
or counts twice, or where memory grows.

  --minutes N    how long (default: 5); a minute is all faults once, more tell more of memory
  --json         one object: requests, outcomes by kind, what was wrong, memory, events

Example: npm run soak -- --minutes 60
`;

const options = { minutes: { type: "string", default: "5" }, json: { type: "boolean" } };

function report({ requests, outcomes, wrong, faults, memory: { early, late, mbPerMinute, isFlat, why }, events, ok }) {
  const list = (counts) => Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(", ");
  return [
    `${requests} requests`,
    ...Object.entries(outcomes).map(([kind, counts]) => `  ${kind}: ${list(counts)}`),
    `faults: ${Object.entries(faults).map(([name, times]) => `${name} (${times} times)`).join("; ")}`,
    why === undefined ? `memory of workerd: ${early} MB after the first third, ${late} MB at the end, ${mbPerMinute} MB a minute${isFlat ? "" : ": it grows"}` : `memory: ${why}`,
    `events: ${events.acknowledged} acknowledged, ${events.ok ? "each counted once" : `${events.owed} never taken; counted otherwise: ${JSON.stringify(events.differences)}`}`,
    ...wrong.map((one) => `wrong: ${JSON.stringify(one)}`),
    ok ? "nothing was lost" : "this is not as it should be",
  ].join("\n");
}

await command({ usage, options }, async ({ minutes: text, json }) => {
  const minutes = Number(text);
  if (!(minutes > 0 && minutes <= 10_000)) throw new WrongUsage(`--minutes ${text}: a number above 0 is needed`);
  if (await underRecentNode()) return process.exitCode;
  const env = await ensure();
  await build(["cli", "worker"], env);
  const { soak } = await import("./lib/edge/soak.mjs");
  const result = await soak({ minutes, say }, env);
  process.stdout.write(`${json ? JSON.stringify(result, null, 2) : report(result)}\n`);
  return result.ok ? 0 : 1;
});
