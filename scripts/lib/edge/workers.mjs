// Three Workers in one workerd, before one origin: one that passes everything on, one with the edits written by hand, and Idoine's as
// it is deployed, with its program in KV.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { DIST, ROOT } from "../paths.mjs";
import { must } from "../run.mjs";
import { Connection, parse } from "./connection.mjs";
import { BY_HAND, manifest, PLAIN } from "./site.mjs";

/** In the order in which tables have them. */
export const CONTENDERS = { plain: "plain proxy", hand: "edits by hand", idoine: "Idoine" };

export const compatibilityDate = () => /^compatibility_date\s*=\s*"([\d-]+)"/m.exec(readFileSync(join(ROOT, "wrangler.toml"), "utf8"))[1];

/** Idoine's Worker for miniflare. */
export const idoine = (bindings, from = "idoine") => ({
  name: from,
  modules: [
    { type: "ESModule", path: "index.js", contents: readFileSync(join(DIST, "worker", "index.js"), "utf8") },
    { type: "CompiledWasm", path: "index_bg.wasm", contents: readFileSync(join(DIST, "worker", "index_bg.wasm")) },
  ],
  compatibilityDate: compatibilityDate(),
  bindings,
  kvNamespaces: ["PROGRAMS"],
});

/** Compiles a manifest with the command line that was built. */
export async function compile(source, env) {
  const folder = mkdtempSync(join(tmpdir(), "idoine-edge-"));
  try {
    const [site, program] = ["site.json", "site.program"].map((name) => join(folder, name));
    writeFileSync(site, JSON.stringify(source));
    const { version } = JSON.parse(await must([join(DIST, "bin", "idoine"), "compile", site, "-o", program, "--json"], { env }));
    return { version, bytes: readFileSync(program) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Puts a program into a miniflare's store: first the bytes, then the pointer. */
export async function publish(miniflare, site, { version, bytes }) {
  const kv = await miniflare.getKVNamespace("PROGRAMS", "idoine");
  await kv.put(`program:${version}`, bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  await kv.put(`site:${site}`, version);
}

const socket = { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] };
const options = (workers) => convertV4MiniflareOptions({ cf: false, handleStructuredLogs: ({ level, message }) => level === "error" && process.stderr.write(`${message}\n`), workers: workers.map((worker) => ({ ...worker, ...socket })) });

const portOf = async (miniflare, name) => Number((await miniflare.unsafeGetDirectURL(name)).port);

/** A page's bytes from a port, decoded. */
export async function fetchPage(port, path) {
  const connection = await Connection.open(port);
  const { head, body } = parse((await connection.get(path, true)).raw);
  connection.close();
  return { head, body: (/\r\ncontent-encoding: gzip/i.test(head) ? gunzipSync(body) : body).toString("utf8") };
}

/** What Idoine puts at the end of the head, once it decides. */
async function stateOf(port, path) {
  for (let tries = 0; tries < 100; tries++) {
    const { body } = await fetchPage(port, path);
    const from = body.indexOf('<script type="application/json" id="idoine-state">');
    if (from >= 0) return body.slice(from, body.indexOf("</head>", from));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("Idoine's Worker edits nothing");
}

/** The process id of a miniflare's workerd, which is our only one. */
export function workerdOf() {
  const processes = execFileSync("ps", ["-A", "-o", "pid=,ppid=,comm="], { encoding: "utf8" });
  const [pid] = processes.split("\n").map((line) => line.trim().split(/\s+/)).filter(([, parent, name]) => Number(parent) === process.pid && /workerd/.test(name)).at(-1) ?? [];
  if (pid === undefined) throw new Error("workerd is not among the processes");
  return Number(pid);
}

/**
 * Starts all three.
 * @returns {Promise<{ports: Record<string, number>, pid: number, close: () => Promise<void>}>}
 */
export async function startWorkers(origin, env) {
  const program = await compile(manifest(), env);
  const ours = idoine({ ORIGIN: origin.url, IDOINE_SITE: "bench" });
  // The one by hand puts in what Idoine puts in.
  const first = new Miniflare(options([ours]));
  const states = {};
  try {
    await publish(first, "bench", program);
    const port = await portOf(first, "idoine");
    for (const slots of ["one", "twenty"]) states[`STATE_${slots.toUpperCase()}`] = await stateOf(port, `/${slots}/18`);
  } finally {
    await first.dispose();
  }
  const simple = (name, contents, bindings) => ({ name, modules: [{ type: "ESModule", path: "index.js", contents }], compatibilityDate: compatibilityDate(), bindings: { ORIGIN: origin.url, ...bindings } });
  const miniflare = new Miniflare(options([ours, simple("plain", PLAIN), simple("hand", BY_HAND, states)]));
  await publish(miniflare, "bench", program);
  const ports = {};
  for (const name of Object.keys(CONTENDERS)) ports[name] = await portOf(miniflare, name);
  await stateOf(ports.idoine, "/one/18");
  return { ports, pid: workerdOf(), close: () => miniflare.dispose() };
}
