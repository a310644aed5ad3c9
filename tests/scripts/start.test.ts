// `npm start`, as a person starts it: serves, publishes what is saved, survives a bad manifest, keeps its data, ends cleanly.
import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createServer, connect, type AddressInfo } from "node:net";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ROOT } from "../../scripts/lib/paths.mjs";

const scratch = mkdtempSync(join(tmpdir(), "idoine-start-"));
const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill("SIGTERM");
  rmSync(scratch, { recursive: true, force: true });
});

/** A manifest of this test's own site, so that the developer's shop in the same store is left alone. */
const site = join(scratch, "site.jsonc");
const save = (text: string) => writeFileSync(site, text);
const manifest = (words: string) => `{ // saved while it is served
  "site": { "id": "start-test", "hosts": ["shop.example"], "timezone": "UTC" },
  "slots": { "title": { "selector": "header h1", "pages": ["/"] } },
  "experiences": [{ "id": "greeting", "type": "personalization", "slots": { "title": { "text": "${words}" } } }]
}`;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

const listens = (port: number) =>
  new Promise<boolean>((done) => {
    const socket = connect(port, "127.0.0.1", () => (socket.destroy(), done(true)));
    socket.on("error", () => done(false));
  });

/** Waits until `check` gives a value; what the command printed is in the error. */
async function until<T>(what: string, started: Started, check: () => Promise<T | undefined> | T | undefined, seconds = 60): Promise<T> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    const value = await check();
    if (value !== undefined) return value;
    if (started.child.exitCode !== null) break;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`waited in vain: ${what}\n${started.output()}`);
}

/** Waits until nothing listens on the port any more. */
async function released(port: number, seconds = 30): Promise<void> {
  for (const end = Date.now() + seconds * 1000; await listens(port); ) {
    assert.ok(Date.now() < end, `something still listens on port ${port}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

interface Started {
  child: ChildProcess;
  port: number;
  output: () => string;
  heading: () => Promise<string | undefined>;
  ended: Promise<number | null>;
}

async function start(): Promise<Started> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(ROOT, "scripts", "start.mjs"), "--port", String(port), "--site", site], { cwd: scratch, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise<number | null>((done) => child.on("exit", (code) => (running.delete(child), done(code))));
  const heading = async () => /<h1[^>]*>([^<]*)</.exec(await (await fetch(`http://127.0.0.1:${port}/`)).text())?.[1];
  const started = { child, port, output: () => text, heading, ended };
  // Minutes, should a source have changed since the build.
  await until("ready", started, () => (text.includes("(ready after") ? true : undefined), 600);
  return started;
}

test("serves, publishes each good save, keeps the last good program, and ends with nothing left behind", { timeout: 1_200_000 }, async () => {
  save(manifest("First words"));
  const first = await start();
  assert.equal(await first.heading(), "First words");

  save(manifest("Second words"));
  await until("the new program", first, async () => ((await first.heading()) === "Second words" ? true : undefined));

  save(manifest("Second words").replace('"slots"', '"audiences": { "nobody": "1 == 2" }, "slots"'));
  await until("a warning", first, () => (/warning: nothing uses the audience `nobody`\n[^]*this audience can never be true[^]*published/.test(first.output()) ? true : undefined));
  save(manifest("Third words").replace('"selector"', '"selektor"'));
  await until("the compiler's words", first, () => (/was not published; the last good program stays\.[^]*selektor/.test(first.output()) ? true : undefined));
  assert.equal(await first.heading(), "Second words");

  // Twice, as a terminal and npm may both say it.
  first.child.kill("SIGINT");
  first.child.kill("SIGINT");
  assert.equal(await first.ended, 0);
  assert.equal(await listens(first.port), false);

  // The signing key is made once and is for its owner only.
  const key = readFileSync(join(ROOT, ".idoine", "key"), "utf8");
  assert.match(key, /^[\w-]{43}\n$/);
  assert.equal(statSync(join(ROOT, ".idoine", "key")).mode & 0o777, 0o600);
  assert.doesNotMatch(first.output(), new RegExp(key.trim()));

  save(manifest("Fourth words"));
  const second = await start();
  assert.equal(await second.heading(), "Fourth words");
  assert.equal(readFileSync(join(ROOT, ".idoine", "key"), "utf8"), key);

  // Everything is there since the first run: nothing is set up or built again, and that is said.
  assert.match(second.output(), /^idoine: build is up to date /m);
  assert.doesNotMatch(second.output(), /^idoine: .*\b(installing|compiling|building|built|fetching|adding)\b/m);

  // When the Worker's process is gone, the command says so and ends too.
  const table = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" });
  const worker = table.split("\n").map((line) => line.trim().split(/\s+/)).find(([, parent, ...args]) => Number(parent) === second.child.pid && args.join(" ").includes("wrangler"));
  process.kill(Number(worker?.[0]), "SIGKILL");
  assert.equal(await second.ended, 1);
  assert.match(second.output(), /wrangler dev ended \(SIGKILL\)/);
  await released(second.port);
});

test("a manifest that is bad from the start is refused with its errors", { timeout: 600_000 }, async () => {
  save(manifest("Words").replace('"hosts"', '"hostz"'));
  const port = await freePort();
  const child = spawn(process.execPath, [join(ROOT, "scripts", "start.mjs"), "--port", String(port), "--site", site], { stdio: ["ignore", "ignore", "pipe"] });
  running.add(child);
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  assert.equal(await new Promise((done) => child.on("exit", done)), 1);
  running.delete(child);
  assert.match(errors, /hostz/);
});
