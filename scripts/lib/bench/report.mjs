// The benchmark's results as text.
import { METHOD } from "./method.mjs";
import { tables } from "./tables.mjs";

function columns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  ").trimEnd()).join("\n");
}

function wrapped(text, width = 118) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line.length + word.length >= width) lines.push(`  ${word}`);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}

/** The machine in one sentence, and a warning where it was busy. */
export function where({ cpu, cores, memoryGB, platform, node, v8, rustc, load }) {
  const busy = load > cores / 2 ? ` The machine was busy (load ${load}): take the ratios.` : "";
  return `${cpu}, ${cores} cores, ${memoryGB} GB, ${platform}; Node ${node} (V8 ${v8}), ${rustc}.${busy}`;
}

export const packages = (peers) => peers.map(({ name, from, version, license, equivalence }) => `${name} (${from} ${version}, ${license}): ${equivalence}`);

/** The result of a run as text. */
export function report(result) {
  const { machine, peers, seed, quick, cold } = result;
  const warning = quick ? ["--quick: too few rounds to rely on", ""] : [];
  const parts = tables(result).flatMap(({ title, unit, head, rows }) => [`${title}${unit && `, ${unit}`}`, "", columns([head, ...rows]), ""]);
  const starts = Object.entries(cold ?? {}).map(([runtime, { about }]) => wrapped(`Cold start in ${runtime}: ${about}.`));
  return [...warning, ...parts, wrapped(`Machine: ${where(machine)} Seed ${seed}.`), ...METHOD.map((sentence) => wrapped(sentence)), ...packages(peers).map((text) => wrapped(text)), ...starts].join("\n");
}
