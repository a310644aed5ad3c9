// The package where there is no page: on servers in Node and workerd, and in a project that brings the Wasm by itself.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { HEADERS } from "../../www/npm/src/request.ts";
import { pack, project } from "./project.ts";
import { INSTAGRAM, program } from "./site.ts";

const URL_OF = `https://shop.example${INSTAGRAM}`;

test("the package has one copy of the Wasm, both licences, and every file that its entries name", () => {
  const { files } = pack();
  assert.deepEqual(files.filter((path) => path.endsWith(".wasm")), ["engine.wasm"]);
  assert.deepEqual(files.filter((path) => path.startsWith("LICENSE")).sort(), ["LICENSE-APACHE", "LICENSE-MIT"]);
  const { exports } = JSON.parse(readFileSync(new URL("../../www/npm/package.json", import.meta.url), "utf8"));
  const named = Object.values(exports).flatMap((entry) => (typeof entry === "string" ? entry : Object.values(entry as object))) as string[];
  assert.ok(named.length > 15);
  for (const path of named) assert.ok(files.includes(path.slice(2)), path);
});

test("a server reads of a request the headers that a context is derived from", () => {
  const source = readFileSync(new URL("../../src/context/sent.rs", import.meta.url), "utf8");
  const table = /headers! \{([^}]+)\}/g;
  const [, rows] = [...source.matchAll(table)].at(-1)!;
  assert.deepEqual(HEADERS, [...rows!.matchAll(/^\s+\w+ "([^"]+)"/gm)].map(([, name]) => name));
});

const SERVER = `
import { readdirSync, readFileSync } from "node:fs";
import { createIdoineServer, stateScript, IdoineError } from "idoine/server";
const idoine = createIdoineServer({ program: readFileSync("site.program") });
const page = await idoine.decide({ url: ${JSON.stringify(URL_OF)}, headers: { "Accept-Language": "fr", cookie: ["a=b", "idoine_id=abcdefgh"] } });
const fetched = await idoine.decide(new Request("https://shop.example/", { headers: { "accept-language": "fr-FR" } }), { cf: { country: "FR", timezone: "Europe/Paris" }, now: "2026-11-20T08:30:00Z" });
const later = await idoine.decide(new Request("https://shop.example/", { headers: { "accept-language": "fr-FR" } }), { cf: { country: "FR", timezone: "Europe/Paris" }, now: Date.UTC(2026, 6, 20, 8, 30) });
const error = await idoine.decide({ url: "/" }).catch((error) => error);
const refused = await createIdoineServer({ program: new Uint8Array(64) }).decide({ url: "https://shop.example/" }).catch((error) => error);
let options;
try { createIdoineServer({}); } catch (error) { options = error; }
const about = (error) => [error instanceof IdoineError, error.code, error.docs];
console.log(JSON.stringify({ page, script: stateScript(page.state), hero: fetched.decisions[0].experience, later: later.decisions[0].experience, errors: [error, refused, options].map(about) }));
`;

test("Node: a server decides from a program, with a state that can stand in a page", async () => {
  const shop = project({ "server.js": SERVER, "site.program": program() });
  const { page, script, hero, later, errors } = JSON.parse(await shop.node("server.js"));
  assert.equal(page.decisions.find(({ slot }: { slot: string }) => slot === "hero").experience, "instagram");
  assert.deepEqual(page.values, { offer: { percent: 10, note: "</script><!--" } });
  assert.match(page.version, /^[0-9a-f]{16}$/);
  // What is shown, but no values twice.
  assert.deepEqual(page.state.edits.map(({ slot, op }: { slot: string; op: string }) => [slot, op]).sort(), [["aside", "text"], ["hero", "attribute"], ["hero", "class_add"], ["hero", "text"], ["intro", "html"]]);
  assert.deepEqual(JSON.parse(/^<script type="application\/json" id="idoine-state">(.*)<\/script>$/s.exec(script)![1]!), page.state);
  assert.equal(script.match(/</g)!.length, 2);
  // Half past nine in Paris in winter; half past ten in summer.
  assert.deepEqual([hero, later], ["french", null]);
  assert.deepEqual(errors, [
    [true, "visitor_invalid", "docs/errors.md#visitor_invalid"],
    [true, "program_refused", "docs/errors.md#program_refused"],
    [true, "option_invalid", "docs/errors.md#option_invalid"],
  ]);
});

const SLIM = `
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createIdoineServer, initialize } from "idoine/slim";
const program = readFileSync("site.program");
const decide = () => createIdoineServer({ program }).decide({ url: ${JSON.stringify(URL_OF)} }).then((page) => page.decisions[0].experience, (error) => error.code);
const before = await decide();
initialize(WebAssembly.compile(readFileSync(fileURLToPath(import.meta.resolve("idoine/engine.wasm")))));
console.log(JSON.stringify([before, await decide()]));
`;

test("slim: nothing is decided before the Wasm is handed over", async () => {
  const shop = project({ "main.js": SLIM, "site.program": program() });
  assert.deepEqual(JSON.parse(await shop.node("main.js")), ["engine_missing", "instagram"]);
});

const WITHOUT_A_PAGE = `
import { createIdoine } from "idoine";
const idoine = createIdoine({ program: "/site.program" });
await idoine.ready;
await idoine.track("Product Viewed");
console.log(JSON.stringify([idoine.decisions(), await idoine.decide(), await idoine.consent.get().catch((error) => error.code)]));
`;

test("Node: the client of a page decides nothing where there is none, and throws nothing", async () => {
  const shop = project({ "main.js": WITHOUT_A_PAGE });
  assert.deepEqual(JSON.parse(await shop.node("main.js")), [[], [], "client_missing"]);
});

const BY_API = `
import { createIdoineServer } from "idoine/server";
const [api] = process.argv.slice(2);
const of = (key) => createIdoineServer({ api, key, patience: 500 }).decide({ url: "https://shop.example/", headers: { authorization: "Basic secret", "user-agent": "Mozilla", cookie: "session=secret; idoine_consent=v2" } }).then(({ decisions, values, state }) => ({ decisions, values, state }), (error) => error.code);
console.log(JSON.stringify([await of("good"), await of("bad"), await of("slow"), await of("wrong")]));
`;

test("Node: a server asks a Worker, and tells it nothing that decisions do not read", async (t) => {
  const asked: { path: string; key: string; body: any }[] = [];
  const edits = [{ slot: "hero", selector: "h1", op: "text", value: "Hi" }, { slot: "offer", selector: "", op: "json", value: "5" }];
  const decisions = [{ slot: "hero", experience: "a", variant: 1, source: "personalization", reason: "match" }];
  const worker = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const key = request.headers.authorization!.replace("Bearer ", "");
    asked.push({ path: request.url!, key, body: JSON.parse(Buffer.concat(chunks).toString()) });
    if (key === "slow") return;
    const result = key === "wrong" ? { error: { code: "bad_visitor", message: "no", path: "/visitors/0" } } : { decisions, edits, receipt: {} };
    response.writeHead(key === "bad" ? 401 : 200).end(JSON.stringify({ version: "0123456789abcdef", results: [result] }));
  });
  await new Promise<void>((resolve) => worker.listen(0, "127.0.0.1", resolve));
  t.after(() => (worker.closeAllConnections(), worker.close()));
  const shop = project({ "main.js": BY_API });
  const [good, ...others] = JSON.parse(await shop.node("main.js", `http://127.0.0.1:${(worker.address() as AddressInfo).port}`));
  assert.deepEqual(good, { decisions, values: { offer: 5 }, state: { version: "0123456789abcdef", decisions, values: { offer: 5 }, edits: [edits[0]] } });
  assert.deepEqual(others, ["worker_refused", "worker_unavailable", "visitor_invalid"]);
  assert.deepEqual(asked[0], {
    path: "/_idoine/api/decide",
    key: "good",
    body: { visitors: [{ url: "https://shop.example/", headers: { "user-agent": "Mozilla", cookie: "idoine_consent=v2" }, cf: {} }] },
  });
});

const WORKER = `
import { createIdoineServer, stateScript } from "idoine/server";
import { createIdoine } from "idoine";
import program from "./site.program";
const idoine = createIdoineServer({ program: new Uint8Array(program) });
export default {
  async fetch(request) {
    const { decisions, state } = await idoine.decide(request, { url: "https://shop.example" + new URL(request.url).pathname + new URL(request.url).search });
    return new Response(JSON.stringify({ hero: decisions.find(({ slot }) => slot === "hero").experience, script: stateScript(state).length, page: createIdoine().decisions() }));
  },
};
`;

test("workerd: a Worker of the site's own decides, as wrangler bundles it", async (t) => {
  const app = project({
    "worker.js": WORKER,
    "site.program": program(),
    "wrangler.json": JSON.stringify({ name: "shop", main: "worker.js", compatibility_date: "2026-01-01", rules: [{ type: "Data", globs: ["**/*.program"] }] }),
  });
  await app.run("wrangler", "deploy", "--dry-run", "--outdir", "out");
  const [wasm, data] = ["wasm", "program"].map((ending) => readdirSync(join(app.folder, "out")).find((name) => name.endsWith(ending))!);
  const read = (name: string): Buffer => app.read(join("out", name));
  const modules = [
    { type: "ESModule", path: "worker.js", contents: read("worker.js").toString() },
    { type: "CompiledWasm", path: wasm, contents: read(wasm!) },
    { type: "Data", path: data, contents: read(data!) },
  ];
  const worker = new Miniflare(convertV4MiniflareOptions({ compatibilityDate: "2026-01-01", modules } as never));
  t.after(() => worker.dispose());
  const answer = await worker.dispatchFetch(`http://127.0.0.1${INSTAGRAM}`);
  const { hero, script, page } = (await answer.json()) as { hero: string; script: number; page: unknown[] };
  assert.equal(hero, "instagram");
  assert.ok(script > 100);
  assert.deepEqual(page, []);
});
