// `npm start`: set-up, build, an origin, and the Worker in front of it.
import { existsSync, readFileSync, watch } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { build } from "./build.mjs";
import { command, WrongUsage } from "./lib/cli.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { ROOT } from "./lib/paths.mjs";
import { compile, publish } from "./lib/publish.mjs";
import { duration, onEnd, Problem, say } from "./lib/run.mjs";
import { assertFree, startWorker } from "./lib/serve.mjs";
import { ensure } from "./setup.mjs";

const usage = `
Usage: npm start [-- options]

Builds Idoine and serves a shop, personalised by the real Worker, on this machine: http://localhost:8787

  --origin URL    a site of yours instead of the demo shop
  --site FILE     its manifest (default: www/demo/site.jsonc); a change is published as soon as the file is saved
  --port N        the port to listen on (default: 8787)

Example: npm start -- --origin https://shop.example --site my-site.jsonc --port 9000
`;

const options = { origin: { type: "string" }, site: { type: "string" }, port: { type: "string", default: "8787" } };

function readPort(text) {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new WrongUsage(`--port ${text}: a number from 1 to 65535 is needed`);
  return port;
}

/** The origin as the Worker wants it: scheme and host. */
function readOrigin(text) {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new WrongUsage(`--origin ${text}: a URL like https://shop.example is needed`);
  if (url.pathname !== "/" || url.search || url.hash) throw new WrongUsage(`--origin ${text}: leave out the path; the Worker asks the origin for the same path as it is asked for`);
  return url.origin;
}

/** The manifest's path; npm changes into the repository, so a relative one means where the person is. */
function readSite(text) {
  const path = text === undefined ? join(ROOT, "www", "demo", "site.jsonc") : resolve(process.env.INIT_CWD ?? process.cwd(), text);
  if (!existsSync(path)) throw new Problem(`${path} does not exist. Name a manifest: npm start -- --site my-site.jsonc`);
  return path;
}

function examples(base, demo) {
  const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
  const general = `
  What is known of a request, and why a page shows what it shows:
    curl -s '${base}/_idoine/context'
    curl -s '${base}/_idoine/decide?explain' -d '{"url":"${base}/"}'`;
  if (!demo) return general;
  return `
  A campaign and a device:
    curl -s '${base}/?utm_source=instagram&utm_medium=social' -A '${phone}' | grep '<h1'
  A language:
    curl -s '${base}/' -H 'Accept-Language: fr-FR' | grep '<h1'
  A country, a city, a time of day (previews, for this machine only):
    ${base}/products/trail-runner?idoine.geo.country=FR&idoine.geo.region_code=ARA&idoine.geo.city=Lyon&idoine.language.primary=fr
    ${base}/collections/shoes?idoine.geo.timezone=Europe/Paris&idoine.now=2026-06-10T10:40:00Z
  What a visitor does: accept what the banner asks, look at three pairs of shoes, and go back to the home page; "Privacy choices" in its
  footer says what is known of you then, and why, and takes it back:
    ${base}/products/trail-runner   ${base}/products/city-sneaker   ${base}/products/leather-boot${general}`;
}

/** Publishes the manifest again whenever its file changes; a bad one is reported and the last good program stays. */
function republish(site, first) {
  let last = readFileSync(site, "utf8");
  let version = first;
  let timer;
  let busy = Promise.resolve();
  const look = async () => {
    let source;
    try {
      source = readFileSync(site, "utf8");
    } catch {
      return; // between an editor's delete and its rename
    }
    if (source === last) return;
    last = source;
    try {
      const program = await compile(site);
      if (program.version === version) return;
      await publish(program);
      version = program.version;
      sayPublished(program);
    } catch (error) {
      say(`${relative(process.cwd(), site)} was not published; the last good program stays.\n${error.message}`);
    }
  };
  // The folder, not the file: editors replace files.
  return watch(dirname(site), (_, name) => {
    if (name !== null && name !== basename(site)) return;
    clearTimeout(timer);
    timer = setTimeout(() => (busy = busy.then(look)), 150);
  });
}

const describe = ({ version, site, experiences, slots }) => `${version} of site '${site}' (${experiences} experiences, ${slots} slots)`;

/** The compiler's warnings, which keep nothing from being published, and what was. */
function sayPublished(program) {
  if (program.warnings) process.stderr.write(`${program.warnings}\n\n`);
  say(`published ${describe(program)}`);
}

/** What of wrangler's output concerns a person: not the banner, not that a machine without network has no cf.json. */
const worthSaying = (line) => line.trim() !== "" && !/custom build\] *$|build is up to date|Running: node|Request\.cf|cf\.json|getaddrinfo|at GetAddrInfo/.test(line);

async function main(values) {
  const port = readPort(values.port);
  const origin = readOrigin(values.origin);
  const site = readSite(values.site);
  if (await underRecentNode()) return process.exitCode;
  const start = Date.now();
  await assertFree(port);

  const closing = [];
  let end;
  const asked = new Promise((resolve) => (end = resolve));
  // Several signals may come for one Ctrl-C (from the terminal, from npm): the first one counts.
  onEnd(() => end());

  const env = await ensure();
  await build([], env);
  try {
    const program = await compile(site);
    await publish(program);
    sayPublished(program);
    let upstream = origin;
    if (upstream === undefined) {
      const { startOrigin } = await import("../www/demo/origin.ts");
      const shop = await startOrigin({ port: 0 });
      closing.push(() => shop.close());
      upstream = shop.url;
    }
    const worker = await startWorker({
      port,
      env,
      // Reload: every request looks for a new program, so that what was saved shows at once.
      vars: { ORIGIN: upstream, IDOINE_SITE: program.site, IDOINE_PREVIEW: "local", IDOINE_RELOAD_SECONDS: "0" },
      onLine: (line) => worthSaying(line) && process.stdout.write(`${line}\n`),
    });
    closing.push(worker.stop);
    const watcher = republish(site, program.version);
    closing.push(() => watcher.close());

    const base = `http://localhost:${port}`;
    process.stdout.write(`\n  ${base}  is ${origin ?? "the demo shop"}, personalised by ${relative(process.cwd(), site)} (ready after ${duration(Date.now() - start)})\n${examples(base, origin === undefined)}\n\n  Ctrl-C ends it. Data stays in .idoine/.\n\n`);
    const died = await Promise.race([asked, worker.ended]);
    if (died !== undefined) throw new Problem(`${died}. All it said is in .idoine/wrangler.log.`);
    say("stopping ...");
  } finally {
    for (const close of closing.reverse()) await close();
  }
  // The origin may still hold a browser's idle connections.
  process.exit(0);
}

await command({ usage, options }, main);
