// The byte budgets. A kilobyte is 1000 bytes, sizes are those of gzip at its best level.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DIST, ROOT } from "./paths.mjs";
import { Problem } from "./run.mjs";

/** What is measured: the files of a row count together, each compressed by itself, as they are sent. */
export const BUDGETS = [
  { name: "inline stub", files: ["snippet/stub.js"], goal: 0.6, limit: 0.8 },
  { name: "loader that applies edge decisions", files: ["assets/_idoine/idoine.js"], goal: 3, limit: 4 },
  { name: "events, exposures and routes", files: ["assets/_idoine/live.js"], goal: 4, limit: 5 },
  { name: "engine: JavaScript + Wasm", files: ["assets/_idoine/engine.js", "assets/_idoine/engine.wasm"], goal: 30, limit: 45 },
  { name: "consent chunk: the banner", files: ["assets/_idoine/asks.js", "assets/_idoine/consent.js"], goal: 8, limit: 12 },
  { name: "preference centre", files: ["assets/_idoine/preferences.js"], goal: 8, limit: 12 },
  { name: "edits that stand", files: ["assets/_idoine/edits.js"], goal: 2, limit: 3 },
  { name: "capture", files: ["assets/_idoine/capture.js"], goal: 5, limit: 8 },
  { name: "capture of products and carts", files: ["assets/_idoine/shop.js"], goal: 3, limit: 4 },
  { name: "tools: JavaScript + Wasm", files: ["assets/_idoine/tools.js", "assets/_idoine/tools.wasm"], goal: 150, limit: 250 },
  { name: "author's module: JavaScript + Wasm", files: ["assets/_idoine/author.js", "assets/_idoine/author.wasm"], goal: 150, limit: 250 },
  { name: "Worker Wasm", files: ["worker/index_bg.wasm"], goal: 200, limit: 300 },
  // Without a budget of their own.
  { name: "Worker script", files: ["worker/index.js"] },
  { name: "typed client", files: ["assets/_idoine/client.js"] },
  { name: "consent platforms (sites that use one only)", files: ["assets/_idoine/signals.js"] },
  { name: "web vitals (sites that capture them only)", files: ["assets/_idoine/vitals.js"] },
  { name: "preview bar (local and signed previews only)", files: ["assets/_idoine/bar.js"] },
  { name: "the same for static files (on loopback only)", files: ["assets/_idoine/debug.js"] },
];

/** The rows with their sizes in bytes and whether they are within their limit. */
export function measure(budgets = BUDGETS, dist = DIST) {
  return budgets.map((row) => {
    const contents = row.files.map((file) => {
      const path = join(dist, file);
      if (!existsSync(path)) throw new Problem(`${path.slice(ROOT.length + 1)} is missing. Build it first: npm run build`);
      return readFileSync(path);
    });
    const sum = (size) => contents.reduce((total, content) => total + size(content), 0);
    const gzip = sum((content) => gzipSync(content, { level: 9 }).length);
    return { ...row, raw: sum((content) => content.length), gzip, ok: row.limit === undefined || gzip <= row.limit * 1000 };
  });
}

const KB = (bytes) => (bytes / 1000).toFixed(2);

/** The rows as a table for people. */
export function table(rows) {
  const lines = [["", "raw KB", "gzip KB", "goal", "fails above", ""]];
  for (const { name, raw, gzip, goal, limit, ok } of rows) {
    const verdict = goal === undefined ? "" : !ok ? "TOO LARGE" : gzip > goal * 1000 ? "above the goal" : "ok";
    lines.push([name, KB(raw), KB(gzip), goal?.toString() ?? "", limit?.toString() ?? "", verdict]);
  }
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines.map((line) => line.map((cell, column) => (column === 0 || column === 5 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  ").trimEnd()).join("\n");
}
