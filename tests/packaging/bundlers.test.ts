// The package in pages: bundled as sites bundle it, without a line of configuration for it, and as it is. Each page decides by the real engine.
import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { build } from "esbuild";
import webpack from "webpack";
import type { Idoine } from "../../www/src/types.ts";
import { closeBrowser, DESKTOP, until, visit } from "../e2e/fixtures/browser.ts";
import { json, serve, type Route } from "../e2e/fixtures/server.ts";
import { project } from "./project.ts";
import { INSTAGRAM, program } from "./site.ts";

after(closeBrowser);

declare global {
  var shop: Idoine;
  var isOurs: (error: unknown) => boolean;
}

const page = (scripts: string): string => `<!doctype html><html lang="en"><head><title>Shop</title></head><body><h1>Welcome</h1><aside>For all</aside>${scripts}</body></html>`;

const MAIN = `
import { createIdoine } from "idoine";
globalThis.shop = createIdoine({ program: "/site.program" });
`;

/** Opens the page of a built site, and sees that it decides, shows and follows routes. Returns the paths that it asked for. */
async function decides(t: TestContext, routes: Record<string, Route>): Promise<string[]> {
  const site = await serve({ "/site.program": { type: "application/octet-stream", body: program() }, "/sale": routes["/"]!, ...routes });
  t.after(() => site.close());
  const tab = await visit(t, DESKTOP);
  await tab.goto(site.origin + INSTAGRAM);
  await tab.waitForFunction(() => document.querySelector("aside")?.textContent === "For you");
  const told = await tab.evaluate(() => [shop.decision("hero")?.experience, (shop.value("offer") as { percent: number }).percent, shop.debug().error, shop.debug().mode]);
  assert.deepEqual(told, ["instagram", 10, undefined, "static"]);
  await tab.evaluate(() => history.pushState(null, "", "/sale"));
  await tab.waitForFunction(() => shop.decision("hero")?.experience === "sale");
  assert.equal(await tab.textContent("aside"), "For all");
  return site.paths();
}

test("a plain module: the package's files as they are, each asked for once", async (t) => {
  const app = project({});
  const installed = app.routes("node_modules/idoine");
  const files = Object.fromEntries(Object.entries(installed).map(([path, file]) => [`/idoine${path}`, file]));
  const imports = '<script type="importmap">{ "imports": { "idoine": "/idoine/index.browser.js" } }</script>';
  const paths = await decides(t, { ...files, "/": page(`${imports}<script type="module">${MAIN}</script>`) });
  assert.deepEqual(paths, [...new Set(paths)]);
  assert.equal(paths.filter((path) => path.endsWith(".wasm")).join(), "/idoine/engine.wasm");
});

test("Vite", async (t) => {
  const app = project({ "index.html": page('<script type="module" src="/main.js"></script>'), "main.js": MAIN });
  await app.run("vite", "build", "--logLevel", "error");
  const paths = await decides(t, app.routes("dist"));
  assert.equal(paths.filter((path) => /^\/assets\/engine-[\w-]+\.wasm$/.test(path)).length, 1);
});

test("Vite while it is developed", async (t) => {
  const app = project({ "index.html": page('<script type="module" src="/main.js"></script>'), "main.js": MAIN, "public/site.program": program() });
  const { createServer } = await import("vite");
  const server = await createServer({ root: app.folder, logLevel: "error", cacheDir: join(app.folder, ".vite"), server: { host: "127.0.0.1", port: 0, ws: false } });
  t.after(() => server.close());
  await server.listen();
  const { port } = server.httpServer!.address() as { port: number };
  const tab = await visit(t, DESKTOP);
  await tab.goto(`http://127.0.0.1:${port}${INSTAGRAM}`);
  await tab.waitForFunction(() => document.querySelector("aside")?.textContent === "For you");
});

test("webpack", async (t) => {
  const app = project({ "main.js": MAIN });
  const stats = await new Promise<webpack.Stats>((resolve, reject) =>
    webpack({ mode: "production", context: app.folder, entry: "./main.js", output: { path: join(app.folder, "dist") } }, (error, stats) => (error ? reject(error) : resolve(stats!))),
  );
  assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }), { errors: [], warnings: [] });
  const paths = await decides(t, { ...app.routes("dist"), "/": page('<script src="/main.js"></script>') });
  assert.equal(paths.filter((path) => path.endsWith(".wasm")).length, 1);
});

test("esbuild, with the Wasm copied beside what it makes", async (t) => {
  const app = project({ "main.js": MAIN });
  const { warnings } = await build({ absWorkingDir: app.folder, entryPoints: ["main.js"], outdir: "dist", bundle: true, splitting: true, format: "esm", minify: true, logLevel: "silent" });
  assert.deepEqual(warnings, []);
  copyFileSync(join(app.folder, "node_modules/idoine/engine.wasm"), join(app.folder, "dist/engine.wasm"));
  await decides(t, { ...app.routes("dist"), "/": page('<script type="module" src="/main.js"></script>') });
});

test("esbuild and slim: the Wasm is a file that the bundler knows", async (t) => {
  const app = project({ "main.js": `import { createIdoine, initialize } from "idoine/slim"; import wasm from "idoine/engine.wasm"; initialize(wasm); globalThis.shop = createIdoine({ program: "/site.program" });` });
  const { warnings } = await build({ absWorkingDir: app.folder, entryPoints: ["main.js"], outdir: "dist", bundle: true, splitting: true, format: "esm", publicPath: "/", loader: { ".wasm": "file" }, logLevel: "silent" });
  assert.deepEqual(warnings, []);
  await decides(t, { ...app.routes("dist"), "/": page('<script type="module" src="/main.js"></script>') });
});

test("behind a Worker a bundle asks for neither engine nor consent kept in the browser", async (t) => {
  const app = project({ "main.js": `import { createIdoine } from "idoine"; globalThis.shop = createIdoine();` });
  await build({ absWorkingDir: app.folder, entryPoints: ["main.js"], outdir: "dist", bundle: true, splitting: true, format: "esm", minify: true });
  const state = { version: "0123456789abcdef", decisions: [{ slot: "hero", experience: "a", variant: 1, source: "personalization", reason: "match" }], values: { offer: 5 } };
  const site = await serve({
    ...app.routes("dist"),
    "/": page(`<script type="application/json" id="idoine-state">${JSON.stringify(state)}</script><script type="module" src="/main.js"></script>`),
    "/_idoine/consent": json({ granted: [], decided: false, choice: {}, own: [], measured: false, signals: {} }),
  });
  t.after(() => site.close());
  const tab = await visit(t, DESKTOP);
  await tab.goto(site.origin);
  await tab.waitForFunction(() => globalThis.shop);
  assert.deepEqual(await tab.evaluate(async () => [shop.decision("hero")?.experience, shop.value("offer"), (await shop.consent.get()).decided]), ["a", 5, false]);
  assert.deepEqual(site.paths().filter((path) => /local|engine|\.wasm/.test(path)), []);
});

test("what is captured is told, by parts of the package that are loaded for it", async (t) => {
  const app = project({ "main.js": `import { createIdoine } from "idoine"; globalThis.shop = createIdoine({ capture: ["pages", "ecommerce", "web_vitals"] });` });
  await build({ absWorkingDir: app.folder, entryPoints: ["main.js"], outdir: "dist", bundle: true, splitting: true, format: "esm", minify: true });
  const site = await serve({ ...app.routes("dist"), "/": page('<script>document.cookie = "idoine_consent=v2.p.a"</script><script type="module" src="/main.js"></script>'), "/_idoine/collect": json({}) });
  t.after(() => site.close());
  const tab = await visit(t, DESKTOP);
  const missing: string[] = [];
  tab.on("response", (response) => void (response.status() === 404 && !response.url().endsWith("favicon.ico") && missing.push(response.url())));
  await tab.goto(site.origin);
  await tab.waitForFunction(() => globalThis.shop);
  await tab.evaluate(() => void shop.track("Product Viewed", { product_id: "p1" }));
  await until(async () => ["page", "track"].every((type) => site.asked.some(({ path, body }) => path === "/_idoine/collect" && body.includes(`"type":"${type}"`))));
  for (const part of ["live", "capture", "vitals", "shop"]) assert.equal(site.paths().filter((path) => path.startsWith(`/${part}-`)).length, 1, `${part}: ${site.paths()}`);
  assert.deepEqual(missing, []);
});

test("what a Worker refuses, or does not answer, has a code", async (t) => {
  const app = project({ "main.js": `import { createIdoine, IdoineError } from "idoine"; globalThis.shop = createIdoine({ api: location.origin }); globalThis.isOurs = (error) => error instanceof IdoineError;` });
  await build({ absWorkingDir: app.folder, entryPoints: ["main.js"], outdir: "dist", bundle: true, splitting: true, format: "esm" });
  const site = await serve({ ...app.routes("dist"), "/": page('<script type="module" src="/main.js"></script>'), "/_idoine/decide": { status: 503 }, "/_idoine/consent": { status: 403 } });
  t.after(() => site.close());
  const tab = await visit(t, DESKTOP);
  await tab.goto(site.origin);
  await tab.waitForFunction(() => globalThis.shop);
  await tab.evaluate(() => shop.ready);
  assert.equal(await tab.evaluate(() => shop.debug().error), "IdoineError: decide: 503 [worker_unavailable]");
  const refused = await tab.evaluate(() => shop.consent.get().catch((error) => [isOurs(error), error.code, error.docs]));
  assert.deepEqual(refused, [true, "worker_refused", "docs/errors.md#worker_refused"]);
});
