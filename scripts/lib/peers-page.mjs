// Sizes beside our peers' as a table for terminals, and as docs/size.md.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CLIENT } from "./peers.mjs";
import { ROOT } from "./paths.mjs";

const KB = (bytes) => (bytes / 1000).toFixed(1);
const WAYS = { import: "npm packages, bundled", script: "script tags, as published" };
const later = (row) => (row.later?.raw ? KB(row.later.gzip) : "");
const package_ = (row) => (row.package ? `${row.package} ${row.version}` : "");
const cells = (row) => [KB(row.first.raw), KB(row.first.gzip), KB(row.first.brotli), later(row)];
const rowsOf = (rows, way) => rows.filter((row) => row.way === way);

/** For people at a terminal. */
export function peersTable(rows) {
  return Object.entries(WAYS).map(([way, title]) => {
    const lines = [[title, "raw KB", "gzip KB", "brotli KB", "later, gzip", "", ""], ...rowsOf(rows, way).map((row) => [row.name, ...cells(row), row.does, package_(row)])];
    const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
    const isNumber = (column) => column > 0 && column < 5;
    return lines.map((line) => line.map((cell, column) => (isNumber(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join("  ").trimEnd()).join("\n");
  }).join("\n\n");
}

/** A program as somebody would write it: our client by its package's name. */
const shown = (code) => code.replace(CLIENT, '"idoine"');

/** docs/size.md, whole. */
export function sizePage(rows) {
  const table = (way) => rowsOf(rows, way).map((row) => `| ${row.name} | ${cells(row).join(" | ")} | ${row.does} |${row.package ? ` ${package_(row)}` : ""} |`).join("\n");
  const head = "| | raw KB | gzip KB | brotli KB | later, gzip | what it does | package |\n| --- | ---: | ---: | ---: | ---: | --- | --- |";
  const { esbuild } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).devDependencies;
  const programs = rowsOf(rows, "import").map((row) => `${row.name}:\n\n\`\`\`js\n${shown(row.code)}\n\`\`\``).join("\n\n");
  return `# What a page loads

Written by \`npm run size -- --write\`; \`npm run size\` prints the same figures, and those of each artefact against its budget. A test fails when
a figure here is more than 3 % from what is measured. A kilobyte is 1000 bytes; each file is compressed by itself, as it is sent: gzip at its
best level, brotli at its best.

The packages do not do the same: what each of them does stands beside it. Where the page decides, GrowthBook and Optimizely are smaller than we
are: their callers hand in attributes, while the engine derives device, source, language and local time by itself. PostHog has much that is not asked
for here, and Segment decides nothing: it is what telling events costs.

## npm packages, bundled

The programs below, by esbuild ${esbuild} in one run: ESM, minified, for browsers (ES2022), with splitting. What is imported
later, if it ever is, stands apart: at most so much. Where the page decides, the engine and its WebAssembly are waited for, and counted so.

${head}
${table("import")}

## Script tags, as published

The files that each package ships for a script tag, unchanged. What ours load when the page is idle stands apart; what
a peer's file loads by itself later on is not counted. Ninetailed's package has no such file.

${head}
${table("script")}

Behind the Worker the page arrives with its decisions in it: the loader is there for what follows.

## The programs

${programs}
`;
}

/** Writes docs/size.md. */
export function writeSizePage(rows) {
  writeFileSync(join(ROOT, "docs", "size.md"), sizePage(rows));
  return "docs/size.md";
}
