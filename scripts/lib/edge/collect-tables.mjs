// What the benchmark of collect found, as tables of text and as the page docs/collect-speed.md.
import { join } from "node:path";
import { count, figure } from "../bench/figures.mjs";
import { writeIfChanged } from "../files.mjs";
import { ROOT } from "../paths.mjs";
import { columns, where } from "./tables.mjs";

/** The least that collect is meant to take, as a share of what the bare objects take. */
export const GOAL = 0.5;

/** A change of a page's time by stored profiles that is no change, as far as can be measured. */
const SAME = 0.05;

const NAMES = { bare: "a bare object's write, 64 objects", single: "a bare object's write, one object", idoine: "collect", many: "collect, many profiles stored", batch: "collect, a server's batches" };
const multiple = ({ median, p10, p90 }) => `${figure(median)} (${figure(p10)}-${figure(p90)})`;
const order = Object.keys(NAMES);
const byOrder = (cells) => Object.entries(cells).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));

/** Tables: a title, a head, rows of text. */
export function tables({ plan, stored, pages, latency, throughput }) {
  return [
    {
      title: `${plan.throughput.connections} connections: events a second, as a multiple of the bare objects' writes, workerd's processor time for an event (ms)`,
      head: ["", "a second", "multiple", "processor"],
      rows: byOrder(throughput).map(([name, { rate, toBare, cpu }]) => [NAMES[name], count(Math.round(rate.median)), multiple(toBare), cpu === undefined ? "?" : figure(cpu.median)]),
    },
    {
      title: "One event after the other, ms until it is acknowledged, and as a multiple of the bare objects' time",
      head: ["", "p50", "p99", "multiple"],
      rows: byOrder(latency).map(([name, { p50, p99, toOther }]) => [NAMES[name], figure(p50), figure(p99), multiple(toOther)]),
    },
    {
      title: "A page that is decided by a profile, ms until it is whole, by how many profiles are stored, and as a multiple of the first",
      head: ["profiles stored", "p50", "p99", "multiple"],
      rows: byOrder(pages).map(([name, { p50, p99, toOther }]) => [count(stored[name]), figure(p50), figure(p99), multiple(toOther)]),
    },
  ];
}

/** In words: whether the goal is reached, and whether stored profiles cost pages anything. */
export function verdict({ stored, pages, throughput, events }) {
  const share = throughput.idoine.toBare.median;
  const page = pages.many.toOther.median;
  return [
    `Collect takes ${figure(share)} of the events that bare objects take writes (goal ${GOAL}: ${share >= GOAL ? "reached" : "not reached"}); with ${count(stored.many)} profiles stored ${figure(throughput.many.toBare.median)}, in a server's batches ${figure(throughput.batch.toBare.median)}.`,
    `A page takes ${figure(page)} times as long with ${count(stored.many)} profiles stored as with ${count(stored.idoine)}${Math.abs(page - 1) <= SAME ? ": the same, as far as can be measured" : ""}.`,
    `All ${count(events.idoine + events.many)} events that were acknowledged are counted in their profiles.`,
  ];
}

/** How it is measured. */
export const METHOD = [
  "Each request is a browser's: one event of a product that was viewed, with consent, the signed id and the sealed projection in cookies, of 500 visitors in turn. Collect reads and judges it, folds it into the profile in the visitor's shard, writes event, id, profile and what sinks are to get in one transaction, waits for the disk, and answers with the projection, sealed anew.",
  "The bare Worker gets the same requests, and has a Durable Object write the body into a table: one INSERT, and the answer waits for the disk as every answer of an object does. 64 objects, found by the visitor's id as shards are, or one object for all, whose writes share the disk's time.",
  "All of it is in one workerd with its objects on disk, with the load generator on the same machine. Rounds of each in turn, beginning with another one each time; multiples are of the same round, with the spread of the rounds.",
  "Before anything is measured it is checked that an event counts once however often it is sent, and that the page shows what follows from it; at the end that each visitor's profile counts every event that was acknowledged, and that the bare tables have a row for each.",
  "The stored profiles are copies of a real one, spread over the shards.",
];

/** The result as text. */
export function report(result) {
  const warning = result.quick ? ["--quick: too few requests to rely on", ""] : [];
  return [...warning, ...tables(result).flatMap(({ title, head, rows }) => [title, "", columns([head, ...rows], 1), ""]), ...verdict(result), "", `Machine: ${where(result.machine)}`, ...METHOD].join("\n");
}

const markdown = ({ title, head, rows }) => `### ${title}\n\n${[head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`;

/** The page docs/collect-speed.md. */
export function page(result) {
  return `# Speed of collect

<!-- Written by \`npm run bench:collect -- --write\`: change scripts/lib/edge, not this page. -->

What it costs to take an event, beside a bare Durable Object that makes one SQLite write of the same request, in the same workerd and the same
run. The figures are of ${result.date}.

${verdict(result).map((text) => `- ${text}`).join("\n")}

Machine: ${where(result.machine)}

\`\`\`sh
npm run bench:collect                         # prints all of this
npm run --silent bench:collect -- --json      # as one object
npm run bench:collect -- --write              # writes this page
\`\`\`

${tables(result).map(markdown).join("\n")}
## Method

${METHOD.map((text) => `- ${text}`).join("\n")}
`;
}

/** Writes it; returns its path from the root. */
export function writePage(result) {
  const path = join("docs", "collect-speed.md");
  writeIfChanged(join(ROOT, path), page(result));
  return path;
}
