// docs/speed.md and docs/speed.svg: written whole by the benchmark, so that every figure in them is one that it printed.
import { join } from "node:path";
import { writeIfChanged } from "../files.mjs";
import { ROOT } from "../paths.mjs";
import { chart } from "./chart.mjs";
import { METHOD } from "./method.mjs";
import { packages, where } from "./report.mjs";
import { tables } from "./tables.mjs";

const markdown = ({ title, unit, head, rows }) => `### ${title}\n\n${[[`${head[0]}${unit && ` (${unit})`}`, ...head.slice(1)], head.map((_, column) => (column === 0 ? "---" : "---:")), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`;

const item = (text) => `- ${text}`;

/** The page. */
export function page(result) {
  const all = tables(result);
  const pick = (test) => all.filter(({ id }) => test(id)).map(markdown).join("\n");
  const cold = Object.entries(result.cold).map(([runtime, { about }]) => item(`${runtime}: ${about}.`));
  return `# Speed

<!-- Written by \`npm run bench -- --write\`: change scripts/lib/bench, not this page. -->

How long a page's decisions take, in one run beside published packages on the same rules and visitors. The figures are of ${result.date}.

![Curves: time of a page over the number of experiences](speed.svg)

Machine: ${where(result.machine)}

## To repeat it

\`\`\`sh
npm run bench                          # prints all of this
npm run --silent bench -- --json       # as one object
npm run bench -- --write               # writes this page and its curves
\`\`\`

It builds what it needs, takes a quarter of an hour, and wants a machine that does nothing else: what else runs shows in the spread.
\`npm run bench -- mixed\`, \`extremes\` or \`cold\` runs a part. The seed is ${result.seed}.

## Beside others

${pick((id) => ["mixed", "ratios", "load", "workload"].includes(id))}
## The boundary between JavaScript and Wasm

${pick((id) => ["boundary", "native"].includes(id))}
## With the index and without

${pick((id) => id.startsWith("scan"))}
## Cold start

${pick((id) => id.startsWith("cold"))}
${cold.join("\n")}

## Method

${METHOD.map(item).join("\n")}

## The same rules in each dialect

${packages(result.peers).map(item).join("\n")}
`;
}

/** Writes both. Returns their paths from the root. */
export function writeDocs(result) {
  const paths = [join("docs", "speed.md"), join("docs", "speed.svg")];
  writeIfChanged(join(ROOT, paths[0]), page(result));
  writeIfChanged(join(ROOT, paths[1]), chart(result));
  return paths;
}
