// Cold starts in Chromium: a browser for each.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { ensureBrowser } from "../../browser.mjs";

const FIRST = fileURLToPath(new URL("first.mjs", import.meta.url));

export const about = "a new browser for each start; bytes are fetched before, and the page is isolated, so that its clock tells microseconds";

/** In the page. */
async function inPage() {
  const load = (path) => import(path);
  const bytes = async (path) => (await fetch(path)).arrayBuffer();
  const [engine, { first }] = [await load("/engine.js"), await load("/first.mjs")];
  const [wasm, program, request] = await Promise.all(["/engine.wasm", "/program", "/request"].map(bytes));
  return first(engine, { wasm, program: new Uint8Array(program), request: new Uint8Array(request) });
}

function serve(files) {
  // What lets a page have a clock of microseconds.
  const isolated = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
  const server = createServer(({ url }, response) => {
    const [type, path] = files[url] ?? ["text/html"];
    response.writeHead(200, { "content-type": type, ...isolated }).end(path ? readFileSync(path) : "<!doctype html><title>Cold start</title>");
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/** One cold start: milliseconds by step. */
export async function start({ engine, program, request }, env) {
  const { browser: executablePath } = await ensureBrowser(env);
  const server = await serve({
    "/engine.js": ["text/javascript", join(engine, "engine.js")],
    "/first.mjs": ["text/javascript", FIRST],
    "/engine.wasm": ["application/wasm", join(engine, "engine.wasm")],
    "/program": ["application/octet-stream", program],
    "/request": ["application/octet-stream", request],
  });
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    return await page.evaluate(inPage);
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
}
