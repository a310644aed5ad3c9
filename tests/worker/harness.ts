// The built Worker in real workerd, before an origin of the test's own. Requests are sent byte by byte as a test says,
// so that nothing a test did not write (a default `accept-language`, a placeholder `cf`) takes part in a decision.

import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, request as httpRequest } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { build } from "esbuild";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { sources } from "../../scripts/lib/bundles.mjs";

/** The root of the repository. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export const DIST = join(ROOT, "dist");

/** An answer as it came over the wire, whole. */
export class Reply {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case and values, in their order, as they came. */
  readonly headerList: [string, string][];
  /** The body's bytes, encoded as they came. */
  readonly wire: Buffer;

  constructor(message: IncomingMessage, wire: Buffer) {
    this.status = message.statusCode ?? 0;
    this.statusText = message.statusMessage ?? "";
    this.headerList = [];
    for (let at = 0; at < message.rawHeaders.length; at += 2) {
      this.headerList.push([message.rawHeaders[at]!.toLowerCase(), message.rawHeaders[at + 1]!]);
    }
    this.wire = wire;
  }

  /** The value of a header; several joined by a comma; null when there is none. */
  header(name: string): string | null {
    const values = this.headerList.filter(([key]) => key === name).map(([, value]) => value);
    return values.length === 0 ? null : values.join(", ");
  }

  /** All `Set-Cookie` headers, in their order. */
  get cookies(): string[] {
    return this.headerList.filter(([key]) => key === "set-cookie").map(([, value]) => value);
  }

  /** The body without its content encoding. */
  get bytes(): Buffer {
    const encoding = this.header("content-encoding");
    if (this.wire.length === 0) {
      return this.wire;
    }
    return encoding === "gzip" ? gunzipSync(this.wire) : encoding === "br" ? brotliDecompressSync(this.wire) : this.wire;
  }

  get text(): string {
    return this.bytes.toString("utf8");
  }

  json<T = any>(): T {
    return JSON.parse(this.text) as T;
  }

  /** The page state that the Worker put into the page; undefined when there is none. */
  get state(): { version: string; decisions: any[]; values: Record<string, unknown> } | undefined {
    const text = /<script type="application\/json" id="idoine-state">(.*?)<\/script>/s.exec(this.text)?.[1];
    return text === undefined ? undefined : JSON.parse(text);
  }
}

export interface Init {
  method?: string;
  /** Sent exactly so, in this order; `host` comes from the URL. A list may repeat names. Values are bytes as Latin-1. */
  headers?: Record<string, string> | [string, string][];
  body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** What `request.cf` is; without it there is none. */
  cf?: Record<string, unknown>;
}

export interface Options {
  /** The origin's URL, `ORIGIN`. */
  origin?: string;
  /** A manifest (text or object) that is compiled by dist/bin/idoine and published before the first request. */
  manifest?: string | object;
  /** A program's bytes to publish instead. */
  program?: Uint8Array;
  /** Variables of the Worker, over `IDOINE_SITE` (the manifest's id) and `IDOINE_RELOAD_SECONDS` ("0": look at every request). */
  vars?: Record<string, unknown>;
  /** Allows preview parameters at loopback names (`IDOINE_PREVIEW=local`). */
  preview?: boolean;
  /**
   * JavaScript that runs in the Worker's isolate around it, for faults: the body of
   * `async (request, env, ctx, worker, parts) => Response`; call `worker.fetch(request, env, ctx)` in it.
   */
  around?: string;
  /** Further options of Miniflare for the Worker: its other bindings, and what answers requests to elsewhere. */
  bindings?: Record<string, unknown>;
  /** Further handlers of that module, as properties of an object: `async queue(batch, env, ctx) { ... }`. */
  handlers?: string;
  /** The folder behind `ASSETS`, in the place of dist/assets. */
  assets?: string;
  /** Files of `worker/js` whose exports `around` is given as `parts`: what the Worker knows of itself. */
  parts?: string[];
  /** JavaScript at the top of the module that does so, before the Worker starts. */
  before?: string;
  /** Wasm modules beside it, by file name, for `before` to import. */
  modules?: Record<string, Uint8Array>;
  /** Replaces the Worker's Wasm module. */
  wasm?: (bytes: Uint8Array) => Promise<Uint8Array> | Uint8Array;
  /** Rate limits by the names of their bindings. */
  ratelimits?: Record<string, { simple: { limit: number; period: 10 | 60 } }>;
  /** The folder that was given to `wrangler --persist-to`: its KV is the Worker's. */
  state?: string;
  /** Bindings to be left out, such as "PROGRAMS". */
  without?: string[];
  /** Binds the Durable Objects of profiles. With `state` they are kept there, on disk, for Workers that are started later. */
  profiles?: boolean;
}

export interface TestWorker {
  /** Sends a request to the Worker; `url` is absolute, or a path at https://shop.example. */
  fetch(url: string, init?: Init): Promise<Reply>;
  /** As `fetch`, resolving when the headers are there: for streams and for requests cut off. */
  open(url: string, init?: Init): Promise<IncomingMessage>;
  /** Where the Worker listens, for clients that make their own connection. */
  address: URL;
  /** The KV namespace PROGRAMS. */
  kv: { put(key: string, value: string | ArrayBuffer): Promise<void>; get(key: string): Promise<string | null>; delete(key: string): Promise<void> };
  /** Publishes a manifest or a program as `idoine publish` does, and waits until the Worker decides with it. */
  publish(source: string | object | Uint8Array): Promise<string>;
  /** What the Worker logged so far. */
  logs: string[];
  /** Ends the isolate and starts another; what is stored stays. */
  restart(): Promise<void>;
  /** Ends workerd as a failure of the machine would: at once, with no word to it. */
  kill(): Promise<void>;
  dispose(): Promise<void>;
}

/** Sets what a test's request can't say by HTTP: the URL's scheme and host, and `cf`. */
function outerModule({ around = "return worker.fetch(request, env, ctx);", before = "", handlers = "" }: Options): string {
  return `${before}
const { default: worker, ...parts } = await import("./index.js");
export const Profiles = parts.Profiles;
async function around(request, env, ctx, worker, parts) { ${around} }
export default {
  fetch(request, env, ctx) {
    const headers = new Headers(request.headers);
    const url = headers.get("x-test-url");
    const cf = headers.get("x-test-cf");
    headers.delete("x-test-url");
    headers.delete("x-test-cf");
    if (headers.has("upgrade")) return around(request, env, ctx, worker, parts);
    const init = { method: request.method, headers, body: request.body, redirect: "manual" };
    if (cf !== null) init.cf = JSON.parse(decodeURIComponent(cf));
    return around(new Request(url ?? request.url, init), env, ctx, worker, parts);
  },
  ${handlers}
};
`;
}

/** The Worker's script as it was built; with `parts` made anew, with the exports of those files too. */
async function script(parts: string[] = []): Promise<string> {
  if (parts.length === 0) {
    return readFile(join(DIST, "worker", "index.js"), "utf8");
  }
  const contents = ['export { default, Profiles } from "./entry.js";', ...parts.map((part) => `export * from "./${part}";`)].join("\n");
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: join(ROOT, "worker", "js") },
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
    external: ["cloudflare:*"],
    plugins: [sources, { name: "wasm", setup: (build) => build.onResolve({ filter: /\.wasm$/ }, () => ({ path: "./index_bg.wasm", external: true })) }],
  });
  return outputFiles[0]!.text;
}

/** Starts the Worker that `npm run build` made. */
export async function startWorker(options: Options = {}): Promise<TestWorker> {
  const compiled = options.manifest === undefined ? undefined : await compile(options.manifest);
  const bytes = options.program ?? compiled?.program;
  const site = String(options.vars?.["IDOINE_SITE"] ?? compiled?.site ?? "shop");
  const logs: string[] = [];
  const binary = await readFile(join(DIST, "worker", "index_bg.wasm"));
  const bindings = {
    ...(options.origin === undefined ? {} : { ORIGIN: options.origin }),
    IDOINE_SITE: site,
    IDOINE_RELOAD_SECONDS: "0",
    ...(options.preview ? { IDOINE_PREVIEW: "local" } : {}),
    ...options.vars,
  };
  const bound = (name: string) => !options.without?.includes(name);
  const configuration = async () =>
    convertV4MiniflareOptions({
      name: "idoine",
      cf: false,
      modules: [
        { type: "ESModule", path: "outer.js", contents: outerModule(options) },
        { type: "ESModule", path: "index.js", contents: await script(options.parts) },
        { type: "CompiledWasm", path: "index_bg.wasm", contents: (await options.wasm?.(binary)) ?? binary },
        ...Object.entries(options.modules ?? {}).map(([path, contents]) => ({ type: "CompiledWasm" as const, path, contents })),
      ],
      compatibilityDate: await compatibilityDate(),
      bindings: bindings as any,
      ...(options.ratelimits === undefined ? {} : { ratelimits: Object.fromEntries(Object.entries(options.ratelimits).map(([name, limit]) => [name, { namespace_id: name, ...limit }])) }),
      ...(options.profiles ? { durableObjects: { PROFILES: { className: "Profiles", useSQLite: true } } } : {}),
      ...(bound("PROGRAMS") ? { kvNamespaces: ["PROGRAMS"] } : {}),
      ...(options.state === undefined ? {} : { resourcePersistencePath: join(options.state, "v3") }),
      ...(bound("ASSETS") ? { assets: { directory: options.assets ?? join(DIST, "assets"), binding: "ASSETS", routerConfig: { invoke_user_worker_ahead_of_assets: true, has_user_worker: true } } } : {}),
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      handleStructuredLogs: ({ message }) => logs.push(message),
      ...options.bindings,
    });
  const others = await children();
  const miniflare = new Miniflare(await configuration());
  let address = await miniflare.unsafeGetDirectURL("idoine");
  const kv = (bound("PROGRAMS") ? await miniflare.getKVNamespace("PROGRAMS") : undefined) as unknown as TestWorker["kv"];
  const put = async (program: Uint8Array): Promise<string> => {
    const version = versionOf(program);
    await kv.put(`program:${version}`, program.buffer.slice(program.byteOffset, program.byteOffset + program.byteLength) as ArrayBuffer);
    await kv.put(`site:${site}`, version);
    return version;
  };
  if (bytes !== undefined) {
    await put(bytes);
  }
  const open = (url: string, init: Init = {}) => send(address, url, init);
  const fetch = async (url: string, init: Init = {}) => {
    const message = await open(url, init);
    return new Reply(message, await wholeBody(message));
  };
  return {
    fetch,
    open,
    get address() {
      return address;
    },
    kv,
    logs,
    async kill() {
      const own = (await children()).filter(({ pid, name }) => name === "workerd" && !others.some((other) => other.pid === pid));
      if (own.length !== 1) {
        throw new Error(`of ${own.length} processes of workerd it is not known which one is meant`);
      }
      process.kill(own[0]!.pid, "SIGKILL");
      while ((await children()).some(({ pid }) => pid === own[0]!.pid)) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async restart() {
      await miniflare.setOptions(await configuration());
      address = await miniflare.unsafeGetDirectURL("idoine");
    },
    async publish(source) {
      const version = await put(source instanceof Uint8Array ? source : (await compile(source)).program);
      for (let tries = 0; tries < 100; tries += 1) {
        const state = await fetch("/_idoine/context");
        if (state.status === 200 && state.json().version === version) {
          return version;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`the Worker did not take over program ${version}: ${logs.join("\n")}`);
    },
    dispose: () => miniflare.dispose(),
  };
}

/** The processes that this one started and that are still there. */
async function children(): Promise<{ pid: number; name: string }[]> {
  const found = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    // The name stands in brackets and may hold any of them; the state and the parent follow.
    const [, name, state, parent] = /^\d+ \((.*)\) (\S) (\d+)/s.exec(await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")) ?? [];
    if (Number(parent) === process.pid && state !== "Z") {
      found.push({ pid: Number(pid), name: name! });
    }
  }
  return found;
}

/** One Worker for many manifests in a preview, each a site of its own: where each is asked, by the name that it has here. */
export async function startSites(manifests: Record<string, object>): Promise<{ worker: TestWorker; origins: Record<string, string> }> {
  const compiled = await Promise.all(Object.entries(manifests).map(async ([name, manifest]) => ({ name, ...(await compile(manifest)) })));
  const sites = compiled.map(({ name, site }) => [`${name}.localhost`, { site }] as const);
  if (new Set(sites.map(([, { site }]) => site)).size < sites.length) {
    throw new Error("two of the manifests are of one site");
  }
  const worker = await startWorker({ preview: true, vars: { SITES: Object.fromEntries(sites) } });
  for (const { site, version, program } of compiled) {
    await worker.kv.put(`program:${version}`, program.buffer.slice(program.byteOffset, program.byteOffset + program.byteLength) as ArrayBuffer);
    await worker.kv.put(`site:${site}`, version);
  }
  for (const { name, version } of compiled) {
    let tries = 0;
    while ((await worker.fetch(`http://${name}.localhost/_idoine/context`)).text.includes(version) === false) {
      if ((tries += 1) > 100) {
        throw new Error(`the Worker did not take over the program of ${name}: ${worker.logs.join("\n")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return { worker, origins: Object.fromEntries(compiled.map(({ name }) => [name, `http://${name}.localhost`])) };
}

/** The date in wrangler.toml, so that tests run what is deployed. */
async function compatibilityDate(): Promise<string> {
  const date = /^compatibility_date\s*=\s*"([\d-]+)"/m.exec(await readFile(join(ROOT, "wrangler.toml"), "utf8"))?.[1];
  if (date === undefined) {
    throw new Error("wrangler.toml has no compatibility_date");
  }
  return date;
}

function send(address: URL, to: string, init: Init): Promise<IncomingMessage> {
  const url = new URL(to, "https://shop.example");
  const headers: string[] = ["host", url.host];
  for (const [name, value] of Array.isArray(init.headers) ? init.headers : Object.entries(init.headers ?? {})) {
    headers.push(name, value);
  }
  // As written: `new URL` has already resolved what a browser would.
  headers.push("x-test-url", url.href);
  if (init.cf !== undefined) {
    headers.push("x-test-cf", encodeURIComponent(JSON.stringify(init.cf)));
  }
  const bytes = typeof init.body === "string" ? Buffer.from(init.body) : init.body instanceof Uint8Array ? Buffer.from(init.body) : undefined;
  if (bytes !== undefined) {
    headers.push("content-length", String(bytes.length));
  } else if (init.body !== undefined) {
    headers.push("transfer-encoding", "chunked");
  }
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: address.hostname, port: address.port, path: url.pathname + url.search, method: init.method ?? "GET", headers, agent: false },
      resolve,
    );
    request.on("error", reject);
    if (bytes === undefined && init.body !== undefined) {
      Readable.from(init.body as AsyncIterable<Uint8Array>).pipe(request);
    } else {
      request.end(bytes);
    }
  });
}

/** The rest of a body. */
export async function wholeBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** The value of the id cookie of a Worker that has this key. */
export function signedId(id: string, key: string): string {
  return `${id}.${createHmac("sha256", key).update(id).digest().subarray(0, 16).toString("base64url")}`;
}

/** The version in a program's header. */
export function versionOf(program: Uint8Array): string {
  return Buffer.from(program.subarray(16, 24)).toString("hex");
}

/** Compiles a manifest with the command line; rejects with its words. */
export async function compile(manifest: string | object): Promise<{ program: Uint8Array; version: string; site: string }> {
  const folder = await mkdtemp(join(tmpdir(), "idoine-test-"));
  try {
    const source = join(folder, "site.jsonc");
    const target = join(folder, "site.program");
    const text = typeof manifest === "string" ? manifest : JSON.stringify(manifest);
    await writeFile(source, text);
    await promisify(execFile)(join(DIST, "bin", "idoine"), ["compile", source, "-o", target]);
    const program = new Uint8Array(await readFile(target));
    return { program, version: versionOf(program), site: /"site"\s*:\s*\{[^}]*?"id"\s*:\s*"([^"]+)"/.exec(text)?.[1] ?? "shop" };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What an origin got. */
export interface Received {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: Buffer;
}

export interface TestOrigin {
  url: string;
  /** Every request that came, in order; empty it as you like. */
  received: Received[];
  /** What is answered by path; "*" answers the others. */
  routes: Record<string, string | RequestListener>;
  close(): Promise<void>;
}

/** An origin on a free port. A route is HTML to send, or a listener that may do anything. */
export async function startOrigin(routes: TestOrigin["routes"] = {}): Promise<TestOrigin> {
  const received: Received[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const entry: Received = { method: request.method ?? "", url: request.url ?? "", headers: request.headers as Record<string, string>, body: Buffer.alloc(0) };
    received.push(entry);
    const route = routes[(request.url ?? "").split("?")[0]!] ?? routes["*"];
    if (typeof route === "function") {
      route(request, response);
    } else if (route === undefined) {
      response.writeHead(404, { "content-type": "text/plain" }).end("not found");
    } else {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(route);
    }
    entry.body = await wholeBody(request).catch(() => Buffer.alloc(0));
  };
  const server: Server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    routes,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
