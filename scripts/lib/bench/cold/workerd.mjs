// Cold starts in workerd: a process for each, through miniflare. The module is compiled before, as a Worker's is when it is deployed.
import { readFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { ROOT } from "../../paths.mjs";
import { summary } from "../measure.mjs";

export const about =
  "a new workerd for each start, with the module compiled and the bytes in memory; clocks stand still in it, so each step is a request, timed from outside on an open connection, less the median of requests that do nothing";

/** Requests that do nothing: what the way there and back takes. */
const BASE = 31;

// A Worker may not compile: `engine.js` is given the module itself.
const WORKER = `
import init, { Engine } from "./engine.js";
import module from "./engine.wasm";
import program from "./site.program";
import request from "./request.bin";

let engine;
const steps = {
  "/nothing": () => 0,
  "/load": async () => {
    WebAssembly.compile = async (source) => source;
    await init({ module_or_path: module });
    engine = new Engine(new Uint8Array(program));
    return 1;
  },
  "/decide": () => engine.decide(engine.write(new Uint8Array(request))).length,
};
export default {
  async fetch({ url }) {
    return new Response(String(await steps[new URL(url).pathname]()));
  },
};
`;

const date = /^compatibility_date\s*=\s*"([\d-]+)"/m.exec(readFileSync(join(ROOT, "wrangler.toml"), "utf8"))[1];

/** Milliseconds until the whole answer is there. */
function timed(url, agent) {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    get(url, { agent }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => (response.statusCode === 200 ? resolve(performance.now() - begun) : reject(new Error(`${url}: ${response.statusCode} ${text}`))));
    }).on("error", reject);
  });
}

/** One cold start: milliseconds by step. */
export async function start({ engine, program, request }) {
  const module = (type, path, from) => ({ type, path, contents: type === "ESModule" && from === undefined ? WORKER : readFileSync(from, type === "ESModule" ? "utf8" : undefined) });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: "bench",
      cf: false,
      modules: [
        module("ESModule", "index.js"),
        module("ESModule", "engine.js", join(engine, "engine.js")),
        module("CompiledWasm", "engine.wasm", join(engine, "engine.wasm")),
        module("Data", "site.program", program),
        module("Data", "request.bin", request),
      ],
      compatibilityDate: date,
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    }),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const url = await miniflare.unsafeGetDirectURL("bench");
    const step = (path) => timed(new URL(path, url), agent);
    const base = [];
    for (let turn = 0; turn < BASE; turn++) base.push(await step("/nothing"));
    const way = summary(base.slice(Math.floor(BASE / 3))).median;
    const load = Math.max(await step("/load") - way, 0);
    const decide = Math.max(await step("/decide") - way, 0);
    return { load, decide, total: load + decide };
  } finally {
    agent.destroy();
    await miniflare.dispose();
  }
}
