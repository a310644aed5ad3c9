// The benchmark's results for people.

/** What is measured and how, sentence by sentence. It stands beside the figures in both forms of the output. */
export const METHOD = [
  "Workload: 8 slots of one page; experiences made from a committed seed: 60 % equalities of one to three fields, 20 % `||` and `in`, 10 % ranges and times, 10 % that no index can find (text contains, starts or ends with, negations); each has a priority, a page rule and one slot. Of N experiences the lesser of 60 % and 200 are for the page that is looked at, the others for other pages.",
  "Peers: the same rules as features of GrowthBook, one for each slot, with ordered rules of `condition` and `force`. A page rule is a condition on the path and stands first. Targeting only, as buckets differ by design. Every visitor has every attribute, because the two treat missing ones differently.",
  "Checked first: for every visitor the experience that wins each slot is the value that GrowthBook forces, and the native engine's answer is that of Wasm, word for word. One difference ends the run.",
  "Idoine is given the raw request (URL, headers, geography) and derives the context from it: device, source and channel, language, local time, consent. GrowthBook is given ready attributes and derives nothing; it is its published production bundle, asked through GrowthBookClient.evalFeature.",
  "`decide` is one call into the engine that pages load: request bytes in; context and decision inside; small integers out. `whole boundary` adds what a page does around it in JavaScript: writing the bytes, and reading decisions and edits, which are made when they are asked for, with their names. `without experiences` is the same call on a program with the same slots and no experience: crossing and context alone.",
  "Microseconds per page: median of batches, and in brackets the 10th and 90th percentile. In Wasm and GrowthBook all take turns in one process over the same visitors, each round beginning with another; ratios are the median of the rounds' own, above 1 where Idoine is quicker. Native runs in its own process, its parts in turn too.",
  "Loading: Idoine copies and checks the program's bytes, GrowthBook parses its JSON. Starting: a fresh module each time, from files on disk; Idoine's with its Wasm compiled.",
];

const us = ({ median, p10, p90 }) => `${figure(median)} (${figure(p10)}-${figure(p90)})`;

/** Three significant digits, in full. */
function figure(number) {
  if (number >= 100) return Math.round(number).toLocaleString("en-US");
  return number >= 10 ? number.toFixed(1) : number >= 0.1 ? number.toFixed(2) : number.toFixed(3);
}

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

/** The result of a run as text. */
export function report({ machine, growthbook, start, sizes, visitors, seed, quick }) {
  const row = (title, cell) => [title, ...sizes.map(cell)];
  const table = columns([
    row("experiences", ({ experiences }) => experiences.toLocaleString("en-US")),
    row("  for this page", ({ onPage }) => String(onPage)),
    row("  slots that an experience wins", ({ checked }) => `${Math.round((100 * checked.won) / checked.slots)} %`),
    row("", () => ""),
    row("Idoine, Wasm: decide", ({ wasm }) => us(wasm.decide)),
    row("Idoine, Wasm: decide, whole boundary", ({ wasm }) => us(wasm.page)),
    row("Idoine, Wasm: decide, without experiences", ({ wasm }) => us(wasm.context)),
    row(`GrowthBook ${growthbook.version}`, ({ growthbook: peer }) => us(peer.page)),
    row("GrowthBook / Idoine, Wasm: decide", ({ ratios }) => `${figure(ratios.decide)} x`),
    row("GrowthBook / Idoine, Wasm: whole boundary", ({ ratios }) => `${figure(ratios.page)} x`),
    row("", () => ""),
    row("Idoine, native: context, decision, edits", ({ native }) => us(native.page)),
    row("  context alone", ({ native }) => us(native.context)),
    row("  decision alone, context prepared", ({ native }) => us(native.decide)),
    row("", () => ""),
    row("load, ms: Idoine, Wasm", ({ load }) => us(load.wasmMs)),
    row("load, ms: Idoine, native", ({ load }) => us(load.nativeMs)),
    row("load, ms: GrowthBook", ({ load }) => us(load.growthbookMs)),
    row("bytes: Idoine's program, KB", ({ bytes }) => figure(bytes.program / 1000)),
    row("bytes: GrowthBook's JSON, KB", ({ bytes }) => figure(bytes.payload / 1000)),
  ]);
  const head = `One page of 8 slots, in microseconds unless said otherwise${quick ? " (--quick: too few batches to rely on)" : ""}`;
  const busy = machine.load > machine.cores / 2 ? ` The machine was busy (load ${machine.load}): take the ratios.` : "";
  const where = `Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.platform}; Node ${machine.node} (V8 ${machine.v8}), ${machine.rustc}.${busy}`;
  const started = `start of the module, ms: Idoine ${us(start.idoineMs)}, GrowthBook ${us(start.growthbookMs)}`;
  const counted = `${visitors} visitors from seed ${seed}; ${sizes.map(({ wasm, native }) => `${wasm.decide.batches} and ${native.page.batches}`).join(", ")} batches (Wasm and native).`;
  return [head, "", table, started, "", wrapped(where), wrapped(counted), ...METHOD.map((sentence) => wrapped(sentence)), ""].join("\n");
}
