// The demo's origin: a plain shop on plain HTTP, made of pages published by others. It stands for any site that the Worker is
// put in front of: all it knows of Idoine is whom a product's page tells what is done in it, and where its footers lead who changes their mind.
//
//   node www/demo/origin.ts --port 4173
//
//   /                      startbootstrap-shop-homepage as published, with a link to the privacy choices in its footer
//   /products/<slug>       startbootstrap-shop-item with a product of catalogue.json in it
//   /collections/<name>    the home page's template with that collection in it (all, popular, new, or a category);
//                          <name>-lookbook the same with large pictures
//   /fragments/care        a part of a page: how to look after what is sold here
//   /agency/               startbootstrap-agency, byte for byte as published
//   /pictures/<slug>.svg   a drawn picture of a product (and <slug>-light.svg, a lighter one)

import { createHash } from "node:crypto";
import { readFileSync, realpathSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, extname, join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { readCatalogue, shopPages, type ShopPages } from "./pages.ts";

/** A running origin. */
export interface Origin {
  /** Its address, without a slash at the end. */
  url: string;
  close(): Promise<void>;
}

const TYPES: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
};

interface Reply {
  body: Buffer;
  type: string;
  modified: Date;
  /** How long a browser may keep it without asking, in seconds. */
  maxAge: number;
}

/** Starts the shop on a port of the loopback address (a free one when none is named). */
export async function startOrigin(options: { port?: number } = {}): Promise<Origin> {
  const answer = shop();
  // Cookies of other services come along too, and may be many.
  const server = createServer({ maxHeaderSize: 128 * 1024 }, (request, response) => {
    try {
      handle(request, response, answer);
    } catch (error) {
      console.error(error);
      if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain; charset=utf-8" });
      response.end("Internal server error\n");
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

/** What the shop answers to a path: a page or file, or where to go instead. */
function shop(): (path: string) => Reply | { location: string } | undefined {
  const home = published("startbootstrap-shop-homepage");
  const item = published("startbootstrap-shop-item");
  const agency = published("startbootstrap-agency");
  const pages: ShopPages = shopPages(readFileSync(join(home, "index.html"), "utf8"), readFileSync(join(item, "index.html"), "utf8"), readCatalogue());
  const made = statSync(new URL("./catalogue.json", import.meta.url)).mtime;
  const page = (html: string | undefined): Reply | undefined =>
    html === undefined ? undefined : { body: Buffer.from(html), type: TYPES[".html"]!, modified: made, maxAge: 60 };

  return (path) => {
    if (path === "/") return page(pages.home);
    const [, first = "", second = "", ...rest] = path.split("/");
    if (path === "/agency" || path === "/collections" || path === "/products") return { location: first === "agency" ? "/agency/" : "/collections/all" };
    if (path === "/fragments/care") return page(CARE);
    if (first === "agency") return file(agency, path.slice("/agency/".length));
    if (first === "pictures" && rest.length === 0) {
      const svg = pages.picture(second);
      return svg === undefined ? undefined : { body: Buffer.from(svg), type: TYPES[".svg"]!, modified: made, maxAge: 3600 };
    }
    if (first === "products" || first === "collections") {
      // The templates name their style sheet and script relative to the page.
      if (rest.length > 0) return file(first === "products" ? item : home, [second, ...rest].join("/"));
      return page(first === "products" ? pages.product(second) : pages.collection(second));
    }
    return file(home, path.slice(1));
  };
}

/** The folder a template was published in. */
function published(name: string): string {
  return realpathSync(join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), "dist"));
}

/** A file below a folder. No path leads out of it, whatever it is made of. */
function file(folder: string, path: string): Reply | undefined {
  const parts = (path === "" ? "index.html" : path).split("/");
  if (parts.some((part) => part === "" || part.startsWith(".") || part.includes("\\") || part.includes("\0"))) return undefined;
  const type = TYPES[extname(path === "" ? "index.html" : path)];
  if (type === undefined) return undefined;
  try {
    const real = realpathSync(join(folder, ...parts));
    const status = statSync(real);
    if (!real.startsWith(folder + sep) || !status.isFile()) return undefined;
    return { body: readFileSync(real), type, modified: status.mtime, maxAge: type.startsWith("text/html") ? 60 : 3600 };
  } catch {
    return undefined;
  }
}

const CARE = `<div class="small text-muted mb-3" id="care">
    <b>Looking after it</b>: wash it cold, dry it in the shade, and it will be with you for years.
</div>
`;

const NOT_FOUND = Buffer.from(`<!DOCTYPE html>
<html lang="en">
    <head><meta charset="utf-8" /><title>Not found - Start Bootstrap</title><link href="/css/styles.css" rel="stylesheet" /></head>
    <body><div class="container py-5 text-center"><h1 class="fw-bolder">Not found</h1><p class="lead">There is no such page in this shop.</p><a class="btn btn-outline-dark" href="/">Back to the shop</a></div></body>
</html>
`);

function handle(request: IncomingMessage, response: ServerResponse, answer: ReturnType<typeof shop>): void {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD", "content-type": "text/plain; charset=utf-8" }).end("Method not allowed\n");
    return;
  }
  const path = decoded((request.url ?? "/").split("?", 1)[0]!);
  const reply = path === undefined ? undefined : answer(path);
  if (reply === undefined) {
    send(request, response, 404, { "content-type": TYPES[".html"]!, "cache-control": "no-cache" }, NOT_FOUND);
    return;
  }
  if ("location" in reply) {
    response.writeHead(301, { location: reply.location, "content-length": "0" }).end();
    return;
  }
  const etag = `W/"${createHash("sha256").update(reply.body).digest("hex").slice(0, 16)}"`;
  const headers = { "cache-control": `public, max-age=${reply.maxAge}`, etag, "last-modified": reply.modified.toUTCString() };
  if (isCurrent(request, etag, reply.modified)) {
    response.writeHead(304, headers).end();
    return;
  }
  send(request, response, 200, { ...headers, "content-type": reply.type }, reply.body);
}

function send(request: IncomingMessage, response: ServerResponse, status: number, headers: Record<string, string>, body: Buffer): void {
  response.writeHead(status, { ...headers, "content-length": String(body.length) });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** If-None-Match decides where it is given, else If-Modified-Since, as RFC 9110 says. */
function isCurrent(request: IncomingMessage, etag: string, modified: Date): boolean {
  const tags = request.headers["if-none-match"];
  if (tags !== undefined) return tags.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag.slice(2));
  const since = Date.parse(request.headers["if-modified-since"] ?? "");
  return Math.floor(modified.getTime() / 1000) * 1000 <= since;
}

function decoded(path: string): string | undefined {
  try {
    const text = decodeURIComponent(path);
    return text.startsWith("/") ? text : undefined;
  } catch {
    return undefined;
  }
}

const HELP = `The demo shop's origin: real pages, no personalisation.

Usage: node www/demo/origin.ts [--port N]

  --port N   the port to listen on (default 4173, 0 for any free one)
  --help     print this
`;

async function main(args: string[]): Promise<void> {
  let port = 4173;
  for (let index = 0; index < args.length; index += 1) {
    const [name, inline] = args[index]!.split("=", 2);
    if (name === "--help" || name === "-h") {
      process.stdout.write(HELP);
      return;
    }
    const value = name === "--port" ? (inline ?? args[(index += 1)]) : undefined;
    if (value === undefined || !/^\d+$/.test(value) || Number(value) > 65535) {
      process.stderr.write(`${name === "--port" ? "--port needs a number up to 65535" : `unknown argument ${args[index]}`}\n\n${HELP}`);
      process.exitCode = 2;
      return;
    }
    port = Number(value);
  }
  try {
    const origin = await startOrigin({ port });
    console.log(`The shop is at ${origin.url}`);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void origin.close().then(() => process.exit(0)));
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
    process.stderr.write(taken ? `Port ${port} is taken. Choose another: --port N\n` : `${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) await main(process.argv.slice(2));
