// Faults for the soak test: in the Worker's isolate by bindings that wrap the real ones, and at an origin that misbehaves when it is told to.
import { createHash } from "node:crypto";
import { createServer } from "node:http";

/** A module whose only function traps. */
const TRAP = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 8, 1, 4, 116, 114, 97, 112, 0, 0, 10, 5, 1, 3, 0, 0, 11]);

/**
 * Around the Worker: a store that fails or takes seconds, and a clock that traps when Rust asks it, for every tenth request. A request
 * with `x-soak` switches them, and tells how it is.
 */
const AROUND = `
import trapModule from "./trap.wasm";
const { trap } = new WebAssembly.Instance(trapModule).exports;
let on = {};
let armed = false;
let count = 0;
const clock = Date.now;
Date.now = () => {
  if (armed) {
    armed = false;
    trap();
  }
  return clock();
};
const { default: worker, Profiles: Shard } = await import("./index.js");
export const Profiles = Shard;
const around = (store) => new Proxy(store, {
  get(target, name) {
    const value = target[name];
    if (typeof value !== "function") return value;
    return async (...args) => {
      if (on.kv === "down") throw new Error("the store is down");
      if (on.kv === "slow") await scheduler.wait(2500);
      return value.apply(target, args);
    };
  },
});
export default {
  fetch(request, env, ctx) {
    const set = request.headers.get("x-soak");
    if (set !== null) {
      on = JSON.parse(set);
      return Response.json(on);
    }
    count += 1;
    armed = on.trap === true && count % 10 === 0;
    return worker.fetch(request, { ...env, PROGRAMS: around(env.PROGRAMS) }, ctx);
  },
};
`;

/** The modules of the Worker with that around it. */
export const withFaults = ({ modules, ...worker }) => ({
  ...worker,
  modules: [{ type: "ESModule", path: "around.js", contents: AROUND }, { type: "CompiledWasm", path: "trap.wasm", contents: TRAP }, ...modules],
});

export const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * An origin: `/page`, `/stream` (the same page in ten pieces), `/file` (bytes that are no page), `/upload` (says the digest of what it got).
 * `on.origin` may be "down", "slow", "cut" or "error".
 */
export async function startFaultyOrigin(page, file) {
  const on = { origin: "" };
  const html = Buffer.from(page);
  const pieces = Array.from({ length: 10 }, (_, at) => html.subarray(Math.floor((at * html.length) / 10), Math.floor(((at + 1) * html.length) / 10)));
  const send = async (response, type, bytes) => {
    response.writeHead(200, { "content-type": type, "content-length": bytes.length });
    if (on.origin !== "cut") return response.end(bytes);
    response.write(bytes.subarray(0, bytes.length / 2));
    await wait(20);
    response.destroy();
  };
  const answer = async (request, response) => {
    const fault = on.origin;
    if (fault === "down") return request.socket.destroy();
    if (fault === "slow") await wait(300);
    if (fault === "error") return response.writeHead(503, { "content-type": "text/html" }).end("<h1>Closed</h1>");
    const path = request.url.split("?")[0];
    if (path === "/page") return send(response, "text/html; charset=utf-8", html);
    if (path === "/file") return send(response, "application/octet-stream", file);
    if (path === "/upload") {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      return response.writeHead(200, { "content-type": "text/plain" }).end(digest(Buffer.concat(chunks)));
    }
    response.writeHead(200, { "content-type": "text/html" });
    for (const [at, piece] of pieces.entries()) {
      if (at === 5 && on.origin === "cut") return response.destroy();
      response.write(piece);
      await wait(10);
    }
    response.end();
  };
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => void answer(request, response).catch(() => response.destroy()));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { on, url: `http://127.0.0.1:${server.address().port}`, close: () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())) };
}
