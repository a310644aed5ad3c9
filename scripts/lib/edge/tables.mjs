// What a run found, as tables of text and as the page docs/edge-speed.md.
import { join } from "node:path";
import { count, figure } from "../bench/figures.mjs";
import { writeIfChanged } from "../files.mjs";
import { ROOT } from "../paths.mjs";
import { CONTENDERS } from "./workers.mjs";

/** The most that a page of 300 KB is meant to take, as a multiple of the plain proxy's time. */
export const GOAL = 1.3;

const ms = (number) => (number === undefined ? "?" : figure(number));
const multiple = ({ median, p10, p90 }) => `${figure(median)} (${figure(p10)}-${figure(p90)})`;
const name = ({ kilobytes, slots, gzip }) => `${kilobytes} KB, ${slots === 1 ? "1 slot" : `${slots} slots`}${gzip ? ", gzip" : ""}`;
const head = (...rest) => ["page", "", ...rest];

const rowsOf = (cells, part, row) => cells.flatMap((cell) => Object.entries(cell[part] ?? {}).map(([contender, figures]) => [name(cell), CONTENDERS[contender] ?? "the origin itself", ...row(figures)]));

/** Tables: a title, a head, rows of text. */
export function tables({ cells, memory }) {
  return [
    {
      title: "One request after the other, ms until the page is whole, and as a multiple of the plain proxy (spread of ten parts of the run)",
      head: head("p50", "p99", "multiple"),
      rows: rowsOf(cells, "latency", ({ p50, p99, toPlain }) => [ms(p50), ms(p99), multiple(toPlain)]),
    },
    {
      title: "The first byte of the page, ms (median), and as a multiple of the plain proxy",
      head: head("first byte", "multiple"),
      rows: rowsOf(cells, "latency", ({ first, firstToPlain }) => [ms(first), multiple(firstToPlain)]),
    },
    {
      title: "50 connections: answers a second, as a multiple of the plain proxy, workerd's processor time for an answer (ms)",
      head: head("a second", "multiple", "processor"),
      rows: rowsOf(cells, "throughput", ({ rate, toPlain, cpu }) => [count(Math.round(rate.median)), multiple(toPlain), ms(cpu?.median)]),
    },
    {
      title: `Memory of workerd, MB, while Idoine answers ${count(memory.requests)} requests for ${name(memory)} on ${memory.connections} connections`,
      head: ["requests", ...memory.steps.map((_, at) => count((memory.requests / 10) * at))],
      rows: [["MB", ...memory.steps.map((step) => (step === undefined ? "?" : String(Math.round(step))))]],
    },
  ];
}

/** In words: how far the goal is, and how Idoine stands beside the edits by hand. */
export function verdict({ cells }) {
  return cells
    .filter(({ kilobytes, gzip }) => kilobytes === 300 && !gzip)
    .map((cell) => {
      const { plain, hand, idoine } = cell.latency;
      const reached = idoine.toPlain.median <= GOAL ? "reached" : "not reached";
      return `${name(cell)}: ${figure(idoine.toPlain.median)} times the plain proxy (goal ${GOAL}: ${reached}), the edits by hand ${figure(hand.toPlain.median)} times; Idoine adds ${figure(idoine.p50 - plain.p50)} ms to the plain proxy and ${figure(idoine.p50 - hand.p50)} ms to the edits by hand.`;
    });
}

export const METHOD = [
  "The page is the published startbootstrap-shop-homepage with as many products as make it that long. Slots are spread over it: texts, HTML, pictures, attributes, classes. Each has five experiences, one of which wins.",
  "The plain proxy is a Worker that fetches the page and returns it; the edits by hand are a Worker with an HTMLRewriter, a handler for each slot, and the same page state inserted as Idoine inserts. Idoine's Worker is the one that is deployed, with its program in KV. All three run in one workerd. Before anything is measured, Idoine's page and the one edited by hand are compared: they are equal byte by byte.",
  "The origin is a process of its own that answers from memory at once, without compression unless it says gzip, on the same machine: as no network is in the figures, they are the hardest case for a multiple. It sends pages as `no-cache`, so none comes from a cache.",
  "Latency: one connection each, a request to each in turn, beginning with another one each time; the client reads from plain sockets. Throughput: 50 open connections, rounds of each in turn. The load generator, the origin and workerd share the machine's cores. Processor time and memory are what the kernel says of workerd.",
];

/** Rows in columns: the first `left` of them are words. */
export function columns(rows, left = 2) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, column) => (column < left ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  ").trimEnd()).join("\n");
}

/** The machine in words. */
export const where = ({ cpu, cores, memoryGB, platform, node, workerd, load }) =>
  `${cpu}, ${cores} cores, ${memoryGB} GB, ${platform}; Node ${node}, workerd ${workerd}.${load > cores / 2 ? ` The machine was busy (load ${load}): take the multiples.` : ""}`;

/** The result as text. */
export function report(result) {
  const warning = result.quick ? ["--quick: too few requests to rely on", ""] : [];
  return [...warning, ...tables(result).flatMap(({ title, head, rows }) => [title, "", columns([head, ...rows]), ""]), ...verdict(result), "", `Machine: ${where(result.machine)}`, ...METHOD].join("\n");
}

const markdown = ({ title, head, rows }) => `### ${title}\n\n${[head, head.map((_, column) => (column < 2 ? "---" : "---:")), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`;

/** The page docs/edge-speed.md. */
export function page(result) {
  return `# Speed of the Worker

<!-- Written by \`npm run bench:edge -- --write\`: change scripts/lib/edge, not this page. -->

What a page costs that goes through Idoine's Worker, beside a Worker that only passes it on and one with the same edits written by hand, in
the same workerd and the same run. The figures are of ${result.date}.

${verdict(result).map((text) => `- ${text}`).join("\n")}

Where the edits by hand are already above the goal, what is above it is the rewriter's own work: reading every tag of the page. What Idoine adds
to that is the decision, and a look at every tag before the rewriter gets it, as there are pages that the rewriter gives up on half way.

Machine: ${where(result.machine)}

\`\`\`sh
npm run bench:edge                         # prints all of this
npm run --silent bench:edge -- --json      # as one object
npm run bench:edge -- --write              # writes this page
\`\`\`

${tables(result).map(markdown).join("\n")}
## Method

${METHOD.map((text) => `- ${text}`).join("\n")}
`;
}

/** Writes it; returns its path from the root. */
export function writePage(result) {
  const path = join("docs", "edge-speed.md");
  writeIfChanged(join(ROOT, path), page(result));
  return path;
}
