// As much of Cloudflare's API as a deploy asks for, with what an account has: for the real wrangler, on this machine.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** An account. */
export interface Account {
  url: string;
  /** Method and path of what was asked, in order. */
  asked: string[];
  queues: string[];
  buckets: string[];
  /** How often a Worker was uploaded. */
  uploads: number;
  namespaces: { id: string; title: string }[];
  /** The Worker that was uploaded last: its bindings. */
  worker: { name: string; type: string; text?: string; namespace_id?: string }[] | undefined;
  /** Secrets, by name. */
  secrets: Record<string, string>;
  close(): Promise<void>;
}

const missing = (code: number, message: string) => ({ status: 404, errors: [{ code, message }], result: null });

/** The JSON part of an upload. */
function metadataOf(body: string) {
  const text = /name="metadata"[^]*?\r\n\r\n([^]*?)\r\n--/.exec(body)?.[1];
  return JSON.parse(text ?? "{}") as { bindings: NonNullable<Account["worker"]> };
}

/** Starts an empty account. */
export async function startCloudflare(): Promise<Account> {
  const answer = (method: string, path: string, body: string): { status?: number; errors?: object[]; result: unknown } => {
    const last = path.split("/").slice(3).join("/");
    if (last === "queues" && method === "GET") return { result: account.queues.map((name) => ({ queue_id: name, queue_name: name, producers: [], consumers: [], settings: {} })) };
    if (last === "queues") {
      account.queues.push(JSON.parse(body).queue_name);
      return { result: { queue_id: "1", queue_name: account.queues.at(-1) } };
    }
    if (last === "r2/buckets" && method === "GET") return { result: { buckets: account.buckets.map((name) => ({ name, creation_date: "2026-11-23T00:00:00.000Z" })) } };
    if (last === "r2/buckets") {
      account.buckets.push(JSON.parse(body).name);
      return { result: { name: account.buckets.at(-1) } };
    }
    const bucket = /^r2\/buckets\/([^/]+)$/.exec(last)?.[1];
    if (bucket !== undefined) return account.buckets.includes(bucket) ? { result: { name: bucket } } : missing(10006, "The specified bucket does not exist.");
    if (last === "storage/kv/namespaces" && method === "GET") return { result: account.namespaces };
    if (last === "storage/kv/namespaces") {
      account.namespaces.push({ id: String(account.namespaces.length + 1).repeat(32), title: JSON.parse(body).title });
      return { result: account.namespaces.at(-1) };
    }
    if (last.endsWith("assets-upload-session")) return { result: { jwt: "e30.e30.e30", buckets: [] } };
    if (last.endsWith("subdomain")) return { result: { subdomain: "someone", enabled: true, previews_enabled: false } };
    const isVersion = last.endsWith("/versions");
    if ((last === "workers/scripts/idoine" && method === "PUT") || (isVersion && method === "POST")) {
      account.uploads += 1;
      const { bindings } = metadataOf(body);
      for (const { name, type, text } of bindings) if (type === "secret_text") account.secrets[name] = text!;
      account.worker = bindings.map((binding) => (binding.type === "inherit" ? { ...account.worker!.find(({ name }) => name === binding.name)! } : binding));
      return { result: { id: "idoine", deployment_id: "1", startup_time_ms: 5, entry_point: "index.js", resources: { script: { etag: "1" } }, metadata: {}, number: account.uploads } };
    }
    if (account.worker === undefined) {
      return last.startsWith("workers/services/") ? missing(10090, "workers.api.error.service_not_found") : missing(10007, "This Worker does not exist on your account.");
    }
    if (last === "workers/workers/idoine") return { result: { id: "1", name: "idoine", subdomain: { enabled: true, previews_enabled: false } } };
    if (last.endsWith("/secrets")) return { result: Object.keys(account.secrets).map((name) => ({ name, type: "secret_text" })) };
    if (last.endsWith("/deployments")) return { result: { deployments: [] } };
    if (last.endsWith("/settings") || last.endsWith("/bindings")) return { result: { bindings: account.worker } };
    if (last.startsWith("workers/services/")) return { result: { id: "idoine", default_environment: { environment: "production", script: { tag: "1", tags: null, last_deployed_from: "wrangler" } } } };
    return { result: [] };
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const path = request.url!.split("?")[0]!;
      account.asked.push(`${request.method} ${path}`);
      const { status = 200, errors = [], result } = answer(request.method!, path, Buffer.concat(chunks).toString("latin1"));
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ success: status === 200, errors, messages: [], result, result_info: { page: 1, per_page: 100, total_pages: 1, count: 1, total_count: 1 } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const account: Account = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    queues: [],
    buckets: [],
    uploads: 0,
    namespaces: [],
    worker: undefined,
    secrets: {},
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
  return account;
}
