// What was measured of pages, as tables for terminals and as docs/page-speed.md.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../paths.mjs";
import { PHONE } from "./browser.mjs";

export const METHOD = [
  `Each visit is a new visitor in headless Chromium as a phone: the processor ${PHONE.cpu} times slower, ${PHONE.latencyMs} ms to an answer, ${PHONE.downKbps} kbit/s down and ${PHONE.upKbps} up (the figures by which Lighthouse has the browser slow itself down). The ways are visited in turn, beginning with another one each time. Everything is on one machine; what the network is slowed by stands for all distance, so that the Worker gains nothing by being near.`,
  "The demo's page is its home page, as a visitor from a campaign sees it: behind the Worker in workerd, with the snippet and all that comes with it there (the banner that asks for consent too), and from its origin, without all of it. Blocked is the sum of what long tasks take beyond 50 ms; LCP and CLS are the browser's own.",
  "The first decision is one text that everybody sees, on one small page: the time from the tag of the script until the text is in the document, and the same from the beginning of the visit. Behind the Worker the text comes with the page. The others wait for a script: ours for the loader and then for a Worker's answer, or for the client, the engine and the program; GrowthBook's `auto.min.js`, as it is published, for the definition of a visual experiment, served beside it. All are shown to make the same page first; nothing is kept from an earlier visit.",
  "Memory: a single-page application behind the Worker whose route changes, each with five edits of its own; the figures are what is left when all garbage was collected.",
];

const figure = (value, digits) => value.toFixed(digits);
const cell = ({ median, from, to }, digits = 0) => `${figure(median, digits)} (${figure(from, digits)} to ${figure(to, digits)})`;

/** The tables: a title, a head, and rows. */
export function tables({ page, first, memory }) {
  const of = (name, key, digits) => [name, cell(page.with[key], digits), cell(page.without[key], digits)];
  const rounds = memory.rounds;
  return [
    { title: "The demo's page with the snippet and without", head: ["median (quarters around it)", "with", "without"], rows: [of("blocked by long tasks, ms", "blockedMs"), of("longest task, ms", "longestTaskMs"), of("largest contentful paint, ms", "largestPaintMs"), of("cumulative layout shift", "layoutShift", 4)] },
    { title: "The first decision in the page, ms", head: ["median (quarters around it)", "from the script's tag", "from the beginning of the visit"], rows: Object.values(first).map((row) => [row.name, cell(row.fromScriptMs), cell(row.fromVisitMs)]) },
    { title: "What a page keeps that is never left", head: ["changes of the route", "heap, KB", "nodes", "listeners"], rows: rounds.map(({ heap, nodes, listeners }, at) => [`${(at + 1) * memory.routes}`, figure(heap / 1000, 0), `${nodes}`, `${listeners}`]) },
  ];
}

const about = ({ date, machine, chromium, visits }) => `${date}, ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.platform}, load ${machine.load} when it began; Chromium ${chromium}, Node ${machine.node}, workerd ${machine.workerd}; ${visits} visits each.`;

/** For people at a terminal. */
export function report(result) {
  const shown = tables(result).map(({ title, head, rows }) => {
    const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
    return [title, ...[head, ...rows].map((row) => row.map((text, column) => (column === 0 ? text.padEnd(widths[column]) : text.padStart(widths[column]))).join("  ").trimEnd())].join("\n");
  });
  return [...shown, about(result)].join("\n\n");
}

/** docs/page-speed.md. */
export function page(result) {
  const shown = tables(result).map(({ title, head, rows }) => `## ${title}\n\n| ${head.join(" | ")} |\n| --- |${" ---: |".repeat(head.length - 1)}\n${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}`);
  return `# What the snippet costs a page\n\nWritten by \`npm run bench:page -- --write\`. ${about(result)}\n\n${shown.join("\n\n")}\n\n## Method\n\n${METHOD.map((text) => `- ${text}`).join("\n")}\n`;
}

export function writePage(result) {
  writeFileSync(join(ROOT, "docs", "page-speed.md"), page(result));
  return "docs/page-speed.md";
}
