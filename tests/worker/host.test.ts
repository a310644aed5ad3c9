// What the Worker's Rust side is told by JavaScript, without a Worker around it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import type { PluginBuild } from "esbuild";
import { sources } from "../../scripts/lib/bundles.mjs";
import { cfFields, sentWith, zoneOffsets } from "../../worker/js/host.js";
import { compile, DIST } from "./harness.ts";
import { IPHONE, site } from "./site.ts";

test("what came with a request is one text", () => {
  const request = { method: "GET", headers: new Headers({ "user-agent": "x y", accept: "" }), cf: { city: "Nîmes", colo: "a\0b\nc", asn: 1 } };
  assert.equal(sentWith(request), "GET\naccept\0\0user-agent\0x y\ncity\0Nîmes\0colo\0a\ufffdb\nc\0asn\x001");
  assert.equal(sentWith({ method: "POST", headers: new Headers(), cf: undefined }), "POST\n\n");
});

/** The Worker's Rust side. */
interface Worker {
  initSync(options: { module: BufferSource }): void;
  handle(request: object, env: object, ctx: object, site: string, url: string, overrides: string[] | undefined, ask: () => void): Promise<unknown>;
}

/** As Cloudflare's: it is known by its name. */
class KvNamespace {
  readonly #entries: Record<string, string | Uint8Array>;

  constructor(entries: Record<string, string | Uint8Array>) {
    this.#entries = entries;
  }

  async get(key: string, { type }: { type: string }): Promise<unknown> {
    const entry = this.#entries[key];
    return type === "arrayBuffer" && entry instanceof Uint8Array ? entry.buffer.slice(entry.byteOffset, entry.byteOffset + entry.length) : entry;
  }
}

/** The Rust side as one module, without what asks the shards of profiles: no page does. */
async function rustSide(): Promise<Worker> {
  const entry = join(DIST, "worker-pkg", "index.js");
  const named = [...readFileSync(entry, "utf8").matchAll(/^import \{ (.+) \} from '\.(.+)';$/gm)].flatMap(([, names, file]) => names!.split(", ").map((name) => [name, file!]));
  const linked = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(join(DIST, "worker-pkg", "index_bg.wasm")))).map(({ name, module }) => [name, module.slice(1)]);
  const withoutShards = {
    name: "without-shards",
    setup: ({ onLoad }: PluginBuild) =>
      onLoad({ filter: /[\\/]js[\\/](profiles|events)[\\/]/ }, ({ path }) => {
        const inSources = (file: string) => file.slice(file.indexOf("/js/"));
        const names = new Set([...named, ...linked].filter(([, file]) => path.endsWith(inSources(file!))).map(([name]) => name));
        return { contents: [...names].map((name) => `export const ${name} = () => undefined;`).join("\n") };
      }),
  };
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", write: false, plugins: [sources, withoutShards] });
  return (await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0]!.contents).toString("base64")}`)) as Worker;
}

test("headers, cf and method are read once for each request, whatever is made of them", async () => {
  const worker = await rustSide();
  worker.initSync({ module: readFileSync(join(DIST, "worker-pkg", "index_bg.wasm")) });
  const { program, version, site: id } = await compile(site());
  const env = { IDOINE_KEY: "secret", PROGRAMS: new KvNamespace({ [`site:${id}`]: version, [`program:${version}`]: program }) };
  const ctx = { waitUntil: () => undefined, passThroughOnException: () => undefined };
  const headers = new Headers({ "user-agent": IPHONE, cookie: "idoine_consent=v1.personalization; idoine_id=12345678-abcd", "accept-language": "fr" });

  const ask = async (path: string, overrides?: string[]): Promise<{ answer: unknown; reads: Record<string, number> }> => {
    const reads: Record<string, number> = {};
    const told: Record<string, unknown> = { method: "GET", headers, cf: { country: "FR", timezone: "Europe/Paris" }, body: null };
    const request = new Proxy(told, {
      get(target, name: string) {
        reads[name] = (reads[name] ?? 0) + 1;
        return target[name];
      },
    });
    return { answer: await worker.handle(request, env, ctx, id, `https://shop.example${path}`, overrides, () => undefined), reads };
  };

  const once = { method: 1, headers: 1, cf: 1 };
  const page = await ask("/?utm_source=instagram");
  assert.match(String(page.answer), /"edits":\[\{/);
  assert.deepEqual(page.reads, once);
  const decided = await ask("/_idoine/decide?url=https://shop.example/%3Futm_source=instagram", ["geo.country", "FR"]);
  assert.equal((decided.answer as Response).status, 200);
  assert.deepEqual(decided.reads, once);
});

test("the fields of request.cf are texts, those of botManagement under its name; what is no scalar is left out", () => {
  const cf = {
    country: "FR",
    asn: 3215,
    isEUCountry: "1",
    clientTcpRtt: 0,
    nothing: null,
    tlsClientAuth: { certVerified: "NONE" },
    botManagement: { score: 99, verifiedBot: false, ja3Hash: "x", detectionIds: [1], jsDetection: { passed: true } },
  };
  const fields = ["country", "FR", "asn", "3215", "isEUCountry", "1", "clientTcpRtt", "0"];
  const bot = ["botManagement.score", "99", "botManagement.verifiedBot", "false", "botManagement.ja3Hash", "x"];
  assert.deepEqual(cfFields({ cf }), [...fields, ...bot]);
  assert.deepEqual([cfFields({}), cfFields({ cf: null }), cfFields({ cf: { botManagement: "odd" } })], [[], [], []]);
});

test("a zone is looked at once: later requests ask Intl nothing", (t) => {
  const now = Date.parse("2026-11-20T12:30:00Z");
  const first = zoneOffsets("America/St_Johns", now);
  assert.ok(first.length > 8);
  t.mock.method(Intl, "DateTimeFormat", () => {
    throw new Error("a formatter was made");
  });
  t.mock.method(Intl.DateTimeFormat.prototype ?? {}, "formatToParts", () => {
    throw new Error("the clock was asked");
  });
  assert.equal(zoneOffsets("America/St_Johns", now + 86_400_000), first);
  assert.deepEqual(zoneOffsets("Europe/Atlantis", now), []);
});

test("names that are no zones are not kept for ever", () => {
  for (let name = 0; name < 1500; name++) assert.deepEqual(zoneOffsets(`Nowhere/${name}`, 0), []);
  assert.equal(zoneOffsets("UTC", 0)[1], 0);
});
