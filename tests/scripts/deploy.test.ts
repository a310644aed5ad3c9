// Deploying, by the real wrangler: dry runs of every way to be in front of a site, and `npm run deploy` against an account of the test's
// own. Nothing leaves this machine.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { after, test } from "node:test";
import { problemsOf } from "../../scripts/lib/deploy.mjs";
import { LOCAL, ROOT } from "../../scripts/lib/paths.mjs";
import { startCloudflare } from "./cloudflare.ts";

mkdirSync(LOCAL, { recursive: true });
const scratch = mkdtempSync(join(LOCAL, "deploy-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const SHIPPED = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
const ORIGIN = 'ORIGIN = "http://127.0.0.1:4173"';
const AT = 'ORIGIN = "https://origin.shop.example"';

/** The shipped configuration with changes, and without its build: what is built already is deployed. Returns its path. */
function configuration(name: string, change: (text: string) => string): string {
  const from = relative(scratch, ROOT);
  const text = SHIPPED.replace(/^\[build\]\n(?:\w.*\n)*/m, "").replace('"dist/worker', `"${from}/dist/worker`).replace('"dist/assets"', `"${from}/dist/assets"`);
  const changed = change(text.replace(ORIGIN, AT));
  const path = join(scratch, `${name}.toml`);
  writeFileSync(path, changed);
  return path;
}

const above = (line: string) => (text: string) => text.replace(/^name = /m, `${line}\nname = `);
const origin = (value: string) => (text: string) => text.replace(AT, `ORIGIN = "${value}"`);
const shown = (text: string) => text.replace(/^# (\[\[queues|\[\[analytics|\[\[r2|binding = "(?:EVENTS|EVENTS_BUCKET|COUNTERS)"|queue =|bucket_name =|dataset =)/gm, "$1");

interface Ended {
  code: number | null;
  output: string;
}

function started(command: string[], env: Record<string, string> = {}): Promise<Ended> {
  const { CLOUDFLARE_API_TOKEN: _token, CLOUDFLARE_ACCOUNT_ID: _account, ...own } = process.env;
  const child = spawn(process.execPath, command, { cwd: ROOT, env: { ...own, WRANGLER_SEND_METRICS: "false", NO_COLOR: "1", FORCE_COLOR: "0", CI: "1", ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, output })));
}

const wrangler = (...args: string[]) => started([join("node_modules", "wrangler", "bin", "wrangler.js"), ...args]);
const deploy = (...args: string[]) => started([join("scripts", "deploy.mjs"), ...args]);

test("plain `wrangler deploy` takes the configuration as it is shipped", { timeout: 1_200_000 }, async () => {
  const { code, output } = await wrangler("deploy", "--dry-run");
  assert.equal(code, 0, output);
  for (const line of [/env\.PROGRAMS\s+KV Namespace/, /env\.ASSETS\s+Assets/, /env\.WRITE_LIMIT \(60 requests\/60s\)\s+Rate Limit/, /env\.IDOINE_SITE \("shop"\)/]) assert.match(output, line);
  assert.doesNotMatch(output, /WARNING/);
  // The free plan takes 3 MB, compressed.
  const [, size, unit] = /gzip: ([\d.]+) (\w+)/.exec(output)!;
  assert.equal(unit, "KiB");
  assert.ok(Number(size) < 1024, `${size} KiB`);
});

test("what is switched off in it can be switched on", async () => {
  const { code, output } = await wrangler("deploy", "--dry-run", "--config", configuration("all", shown));
  assert.equal(code, 0, output);
  assert.match(output, /env\.EVENTS \(idoine-events\)\s+Queue/);
  assert.match(output, /env\.EVENTS_BUCKET \(idoine-events\)\s+R2 Bucket/);
  assert.match(output, /env\.COUNTERS \(idoine\)\s+Analytics Engine Dataset/);
});

const SERVICE = '[[services]]\nbinding = "SHOP"\nservice = "shop-worker"\n\n[vars]';
const WAYS: Record<string, (text: string) => string> = {
  "an address": (text) => text,
  "a route of the zone": (text) => above('routes = [{ pattern = "shop.example/*", zone_name = "shop.example" }]')(origin("zone")(text)),
  "a custom domain": above('routes = [{ pattern = "shop.example", custom_domain = true }]'),
  "a service binding": (text) => origin("binding:SHOP")(text).replace("[vars]", SERVICE),
  "static assets": origin("binding:ASSETS"),
  "several sites": (text) =>
    above('routes = [{ pattern = "*.shop.example/*", zone_name = "shop.example" }]')(text)
      .replace(AT, 'SITES = { "shop.example" = { site = "shop", origin = "https://origin.shop.example" }, "*.shop.example" = { site = "blog", origin = "zone" }, "assets.shop.example" = { site = "shop", origin = "binding:ASSETS" } }')
      .replace('IDOINE_SITE = "shop"\n', ""),
  "several sites as a text": (text) => text.replace(AT, `SITES = '{"blog.example":{"site":"blog","origin":"https://origin.blog.example/base"}}'`).replace('IDOINE_SITE = "shop"\n', ""),
};

for (const [name, change] of Object.entries(WAYS)) {
  test(`\`npm run deploy -- --dry-run\`: ${name}`, async () => {
    const { code, output } = await deploy("--dry-run", "--config", configuration(name.replaceAll(" ", "-"), change));
    assert.equal(code, 0, output);
    assert.match(output, /--dry-run: exiting now\./);
    assert.match(output, /env\.PROGRAMS/);
  });
}

const WRONG: [string, (text: string) => string, RegExp][] = [
  ["this machine", origin("http://127.0.0.1:4173"), /ORIGIN is http:\/\/127\.0\.0\.1:4173, which is this machine.*set it to the address/],
  ["this machine by name", origin("http://localhost"), /ORIGIN is http:\/\/localhost, which is this machine/],
  ["no origin", (text) => text.replace(`${AT}\n`, ""), /ORIGIN is missing: the site's own address/],
  ["no URL", origin("shop.example"), /ORIGIN is "shop\.example": a URL such as/],
  ["another scheme", origin("ftp://shop.example"), /a URL such as/],
  ["a password", origin("https://a:b@shop.example"), /leave out what is not scheme, host or path/],
  ["a zone without a route", origin("zone"), /ORIGIN is "zone".*give the Worker one, such as routes/],
  ["a zone with a custom domain alone", (text) => above('routes = [{ pattern = "shop.example", custom_domain = true }]')(origin("zone")(text)), /ORIGIN is "zone"/],
  ["a binding that is not there", origin("binding:SHOP"), /there is no service or assets binding of that name; there are: ASSETS/],
  ["itself", (text) => above('routes = [{ pattern = "origin.shop.example", custom_domain = true }]')(text), /the custom domain of the Worker itself: it would ask itself/],
  ["no site", (text) => text.replace('IDOINE_SITE = "shop"', ""), /IDOINE_SITE is missing: the manifest's site\.id/],
  ["SITES that is no JSON", (text) => text.replace("[vars]", "[vars]\nSITES = '{'"), /SITES is no JSON/],
  ["SITES that is a list", (text) => text.replace("[vars]", "[vars]\nSITES = [1]"), /SITES is no object/],
  ["a host that is none", (text) => text.replace("[vars]", '[vars]\nSITES = { "https://shop.example" = { site = "a", origin = "https://b.example" } }'), /SITES has "https:\/\/shop\.example", which is no host name/],
  ["a site without an id", (text) => text.replace("[vars]", '[vars]\nSITES = { "shop.example" = { origin = "https://b.example" } }'), /SITES\."shop\.example" has no site/],
  ["a site without an origin", (text) => text.replace("[vars]", '[vars]\nSITES = { "shop.example" = { site = "a" } }'), /The origin of SITES\."shop\.example" is missing/],
  ["a secret in the file", (text) => text.replace("[vars]", '[vars]\nIDOINE_KEY = "x"'), /IDOINE_KEY is a secret.*--setup/],
  ["preview", (text) => text.replace("[vars]", '[vars]\nIDOINE_PREVIEW = "local"'), /IDOINE_PREVIEW is for `npm start` alone/],
  ["no programs", (text) => text.replace('[[kv_namespaces]]\nbinding = "PROGRAMS"', ""), /no KV namespace for programs/],
  ["no files", (text) => text.replace('binding = "ASSETS"', 'binding = "FILES"'), /no files for browsers/],
  ["pages past the Worker", (text) => text.replace("run_worker_first = true", ""), /run_worker_first = true/],
];

test("a wrong configuration is refused with what to do, before anything is asked of Cloudflare", async () => {
  const { unstable_readConfig: read } = await import("wrangler");
  for (const [name, change, expected] of WRONG) {
    const path = configuration("wrong", change);
    assert.notEqual(readFileSync(path, "utf8"), readFileSync(configuration("right", (text) => text), "utf8"), name);
    const problems = problemsOf(read({ config: path }));
    assert.equal(problems.length, 1, `${name}: ${problems.join("; ")}`);
    assert.match(problems[0]!, expected, name);
  }
  assert.deepEqual(problemsOf(read({ config: configuration("right", (text) => text) })), []);
  const { code, output } = await deploy("--dry-run");
  assert.equal(code, 1, "the demo's origin is this machine");
  assert.match(output, /wrangler\.toml can't be deployed:\n {2}- ORIGIN is http:\/\/127\.0\.0\.1:4173/);
  const broken = await deploy("--config", configuration("broken", (text) => text.replace("compatibility_date", "compatibility-date = 1\ncompatibility_date").replace("[vars]", "[vars")));
  assert.equal(broken.code, 1);
  assert.match(broken.output, /broken\.toml/);
  assert.equal((await deploy("--dry-run", "--nonsense")).code, 2);
});

test("without an account it says how to get in", async () => {
  const { code, output } = await started([join("scripts", "deploy.mjs"), "--config", configuration("nobody", (text) => text)], { CLOUDFLARE_API_BASE_URL: "http://127.0.0.1:9", XDG_CONFIG_HOME: scratch, HOME: scratch, IDOINE_CACHE: scratch });
  assert.equal(code, 1);
  assert.match(output, /npx wrangler login/);
});

test("--setup makes what is not there and deploys; a second time it makes nothing; without it nothing is made", async () => {
  const account = await startCloudflare();
  try {
    const env = { CLOUDFLARE_API_BASE_URL: account.url, CLOUDFLARE_API_TOKEN: "t".repeat(40), CLOUDFLARE_ACCOUNT_ID: "a".repeat(32), HOME: scratch, XDG_CONFIG_HOME: scratch, IDOINE_CACHE: scratch };
    const config = configuration("setup", shown);
    const run = (...args: string[]) => started([join("scripts", "deploy.mjs"), "--config", config, ...args], env);

    const early = await run();
    assert.equal(early.code, 1);
    assert.match(early.output, /The Worker idoine has no IDOINE_KEY and no IDOINE_TOKENS\. `npm run deploy -- --setup` makes what is missing/);
    assert.deepEqual(account.asked.filter((line) => !line.startsWith("GET")), []);

    const first = await run("--setup");
    assert.equal(first.code, 0, `${first.output}\n${account.asked.join("\n")}`);
    assert.deepEqual([account.queues, account.buckets], [["idoine-events"], ["idoine-events"]]);
    assert.equal(account.namespaces.length, 1);
    assert.equal(account.worker!.find(({ name }) => name === "PROGRAMS")!.namespace_id, account.namespaces[0]!.id);
    assert.match(account.secrets["IDOINE_KEY"]!, /^[\w-]{43}$/);
    const token = /^publish:deploy:([\w-]{43})$/.exec(account.secrets["IDOINE_TOKENS"]!)![1]!;
    assert.equal(first.output.split(token).length, 2, "the token is shown once");
    assert.ok(!first.output.includes(account.secrets["IDOINE_KEY"]!));

    const secrets = { ...account.secrets };
    for (const args of [["--setup"], []]) {
      const again = await run(...args);
      assert.equal(again.code, 0, `${again.output}\n${account.asked.join("\n")}`);
      assert.deepEqual([account.queues, account.buckets, account.namespaces.length, account.secrets], [["idoine-events"], ["idoine-events"], 1, secrets]);
      assert.doesNotMatch(again.output, /idoine: made|shown this once/);
    }
    assert.equal(account.uploads, 3);
  } finally {
    await account.close();
  }
});
