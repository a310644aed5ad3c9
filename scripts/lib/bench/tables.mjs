// What a run found, as tables: a title, a head and rows of text. Both forms of the output, text and Markdown, are made of them.
import { count, figure, spread } from "./figures.mjs";

/** What is aimed at: microseconds of a page decision in Wasm, mixed workload, by experiences. */
export const GOALS = { 100: 10, 10_000: 25, 100_000: 100 };

/** Whole calls and what is in them, by their name in the results. */
const CALLS = [
  ["decide", "Idoine: request's bytes to decisions"],
  ["page", "the same with edits and the JavaScript around it"],
  ["index", "Idoine: decision alone, context ready"],
  ["decideByScan", "plain scan: request's bytes to decisions"],
  ["scan", "plain scan: decision alone, context ready"],
];

const PARTS = [
  ["write", "JavaScript: writing the request's bytes"],
  ["cross", "crossing: bytes copied in, one call, numbers copied out"],
  ["request", "Wasm: reading the request"],
  ["context", "Wasm: deriving the context"],
  ["index", "Wasm: deciding"],
  ["edits", "Wasm: edits, and writing both"],
  ["read", "JavaScript: reading decisions and edits, with their names"],
];

const NATIVE = [["page", "context, decision and edits"], ["context", "context alone"], ["decide", "decision alone, context ready"], ["scan", "the same by a plain scan"]];

const STEPS = { compile: "compile", load: "instance and program", decide: "first decision", total: "all" };

/** What stands in place of a figure that a peer has none of. */
const missing = ({ status, limitMs, why }) => (status === "slow" ? `over ${limitMs < 1000 ? `${limitMs} ms` : `${Math.round(limitMs / 1000)} s`}` : status === "skipped" ? "not tried" : `failed: ${why}`);

const peerCell = (peer, value) => (peer.status === "measured" ? value(peer) : missing(peer));

const head = (title, sizes) => [title, ...sizes.map(({ experiences }) => count(experiences))];
const lines = (names, sizes, cell) => names.map(([name, title]) => [title, ...sizes.map((size) => cell(size, name))]);

function mixedTables(sizes, peers) {
  const row = (title, cell) => [title, ...sizes.map(cell)];
  const byPeer = (title, value) => peers.map(({ file, name }) => row(title(name), ({ peers: results }) => peerCell(results[file], value)));
  return [
    {
      id: "mixed", title: "Mixed workload: one page of 8 slots", unit: "µs",
      head: head("experiences", sizes),
      rows: [
        ...lines(CALLS, sizes, ({ idoine }, name) => spread(idoine[name])),
        ...byPeer((name) => `${name}, attributes ready`, ({ page }) => spread(page)),
        row("goal of a decision", ({ experiences }) => (GOALS[experiences] === undefined ? "" : String(GOALS[experiences]))),
      ],
    },
    {
      id: "ratios", title: "The peers' time as a multiple of Idoine's (request's bytes to decisions)", unit: "x",
      head: head("experiences", sizes),
      rows: byPeer((name) => name, ({ ratio }) => figure(ratio)),
    },
    {
      id: "boundary", title: "A page's parts, each measured by itself", unit: "µs",
      head: head("experiences", sizes),
      rows: [...lines(PARTS, sizes, ({ idoine }, name) => spread(idoine[name])), row("all of them, measured as one", ({ idoine }) => spread(idoine.page)), row("one call without experiences", ({ idoine }) => spread(idoine.bare))],
    },
    {
      id: "native", title: "Natively", unit: "µs",
      head: head("experiences", sizes),
      rows: lines(NATIVE, sizes, ({ native }, name) => spread(native[name])),
    },
    {
      id: "load", title: "Loading the rules, and their size", unit: "ms; KB",
      head: head("experiences", sizes),
      rows: [
        row("Idoine in Wasm, ms", ({ loadMs }) => spread(loadMs)),
        row("Idoine natively, ms", ({ native }) => figure(native.load.median / 1000)),
        ...byPeer((name) => `${name}, once, ms`, ({ loadMs }) => figure(loadMs)),
        row("Idoine's program, KB", ({ bytes }) => figure(bytes.program / 1000)),
        ...byPeer((name) => `${name}'s JSON, KB`, ({ bytes }) => figure(bytes / 1000)),
      ],
    },
    {
      id: "workload", title: "What was decided", unit: "",
      head: head("experiences", sizes),
      rows: [
        row("experiences for this page", ({ onPage }) => count(onPage)),
        row("visitors, all compared", ({ visitors }) => count(visitors)),
        row("slots that an experience wins", ({ checked }) => `${figure((100 * checked.won) / checked.slots)} %`),
        row("rounds", ({ idoine }) => String(idoine.decide.batches)),
      ],
    },
  ];
}

function extremesTables(workloads) {
  const names = Object.keys(workloads);
  const sizes = workloads[names[0]];
  const times = (measures) => names.flatMap((name) => Object.entries(measures).map(([measure, title]) => [`${name}, ${title}`, ...workloads[name].map(({ idoine }) => spread(idoine[measure]))]));
  const ratios = (what, title) => names.map((name) => [`${name}, ${title}`, ...workloads[name].map(({ toScan }) => figure(toScan[what]))]);
  return [
    { id: "scan-ratios", title: "The index's time as a multiple of the plain scan's", unit: "x", head: head("experiences", sizes), rows: [...ratios("decide", "whole call"), ...ratios("alone", "decision alone")] },
    { id: "scan-alone", title: "Decision alone, context ready", unit: "µs", head: head("experiences", sizes), rows: times({ index: "index", scan: "plain scan" }) },
    { id: "scan-call", title: "Whole call: request's bytes to decisions", unit: "µs", head: head("experiences", sizes), rows: times({ decideByIndex: "index", decideByScan: "plain scan" }) },
  ];
}

function coldTables(cold) {
  return Object.entries(cold).map(([runtime, { sizes }]) => ({
    id: `cold-${runtime}`, title: `Cold start in ${runtime === "node" ? "Node" : runtime === "chromium" ? "Chromium" : runtime}`, unit: "ms",
    head: head("experiences", sizes),
    rows: Object.keys(STEPS).filter((step) => sizes[0][step]).map((step) => [STEPS[step], ...sizes.map((size) => spread(size[step]))]),
  }));
}

/** The tables of whatever parts a run has. */
export function tables({ mixed, extremes, cold, peers }) {
  const sizes = extremes && Object.values(extremes)[0].map(({ experiences }) => experiences);
  const same = (size) => sizes.includes(size.experiences);
  return [
    ...(mixed ? mixedTables(mixed, peers) : []),
    ...(extremes ? extremesTables(mixed?.filter(same).length === sizes.length ? { best: extremes.best, mixed: mixed.filter(same), ...extremes } : extremes) : []),
    ...(cold ? coldTables(cold) : []),
  ];
}
