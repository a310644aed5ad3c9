// The command line publishes to the real Worker; and the real `wrangler` publishes without it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DIST, ROOT, compile, startOrigin, startWorker } from "./harness.ts";
import type { Options, TestOrigin, TestWorker } from "./harness.ts";
import { PAGE, site } from "./site.ts";

const READ = "read-token-of-24-characters";
const PUBLISH = "publish-token-of-24-characters";
const vars = { IDOINE_TOKENS: `read:reader:${READ} publish:anna:${PUBLISH}`, IDOINE_KEY: "a secret" };

let origin: TestOrigin;
let folder: string;

before(async () => {
  origin = await startOrigin({ "/": PAGE });
  folder = await mkdtemp(join(tmpdir(), "idoine-cli-"));
});
after(async () => {
  await origin.close();
  await rm(folder, { recursive: true });
});

const saying = (text: string, changes: Record<string, unknown> = {}) =>
  site({ experiences: [{ id: "all", type: "personalization", slots: { title: { text } } }], ...changes });

async function using<T>(options: Options, run: (worker: TestWorker, to: string) => Promise<T>): Promise<T> {
  const worker = await startWorker({ origin: origin.url, ...options, vars: { ...vars, ...options.vars } });
  try {
    return await run(worker, worker.address.origin);
  } finally {
    await worker.dispose();
  }
}

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function run(command: string, args: string[], env: Record<string, string>): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { env: { PATH: process.env["PATH"] ?? "", ...env }, cwd: ROOT }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
    child.stdin?.end();
  });
}

const idoine = (args: string[], token: string | undefined = PUBLISH) =>
  run(join(DIST, "bin", "idoine"), args, token === "" ? {} : { IDOINE_TOKEN: token });

async function manifest(name: string, value: object): Promise<string> {
  const path = join(folder, `${name}.jsonc`);
  await writeFile(path, JSON.stringify(value));
  return path;
}

const heading = async (worker: TestWorker) => /<h1>(.*?)<\/h1>/.exec((await worker.fetch("/")).text)?.[1];

test("publish shows what changes, publishes, and waits until the site decides with it", () =>
  using({}, async (worker, to) => {
    const one = await manifest("one", saying("one"));
    const [first, second] = await Promise.all([compile(saying("one")), compile(saying("two"))]);
    const begun = await idoine(["publish", one, "--to", to, "--yes"]);
    assert.equal(begun.code, 0, begun.stderr);
    assert.equal(begun.stdout, `shop: nothing -> ${first.version}\nnothing is live yet; this has 1 experience and 8 slots\n${first.version} is live\n`);
    assert.equal(await heading(worker), "one");

    // A compiled program as well.
    const two = join(folder, "two.program");
    await writeFile(two, second.program);
    const dry = await idoine(["publish", two, "--to", to, "--dry-run"]);
    const difference = `shop: ${first.version} -> ${second.version}\n~ experience all\n    content of title: text "one" -> text "two"\n`;
    assert.deepEqual(dry, { code: 0, stdout: `${difference}nothing was changed: this was a dry run\n`, stderr: "" });
    assert.equal(await heading(worker), "one");
    const unasked = await idoine(["publish", two, "--to", to]);
    assert.deepEqual([unasked.code, unasked.stdout, unasked.stderr], [1, difference, "error: nobody can be asked here: add --yes to publish, or --dry-run to look\n"]);
    const done = await idoine(["publish", two, "--to", to, "--yes", "--json"]);
    assert.equal(done.code, 0, done.stderr);
    assert.deepEqual(JSON.parse(done.stdout), {
      site: "shop",
      version: second.version,
      live: second.version,
      previous: first.version,
      scheduled: [],
      diff: { from: first.version, to: second.version, experiences: { changed: { all: [{ property: "content of title", from: 'text "one"', to: 'text "two"' }] } } },
      published: true,
      at: null,
      taken: true,
    });
    assert.equal(await heading(worker), "two");
    const again = await idoine(["publish", two, "--to", to]);
    assert.deepEqual([again.code, again.stdout], [0, `shop: ${second.version} -> ${second.version}\nnothing\n${second.version} is live already\n`]);
  }));

test("rollback, versions, scheduling and cancelling", () =>
  using({ manifest: saying("one") }, async (worker, to) => {
    const [first, second] = await Promise.all([compile(saying("one")), compile(saying("two"))]);
    const two = await manifest("two", saying("two"));
    const unknown = await idoine(["rollback", "--to", to]);
    assert.deepEqual([unknown.code, unknown.stderr], [1, "error: Which version was live before is not known: name one.\n"]);
    assert.equal((await idoine(["publish", two, "--to", to, "--yes"])).code, 0);
    const back = await idoine(["rollback", "--to", to]);
    assert.deepEqual(back, { code: 0, stdout: `${first.version} is live; before it was ${second.version}\n`, stderr: "" });
    assert.equal(await heading(worker), "one");
    const named = await idoine(["rollback", "--to", to, second.version, "--json"]);
    assert.deepEqual(JSON.parse(named.stdout), { site: "shop", version: second.version, live: second.version, previous: first.version, scheduled: [], taken: true });

    const scheduled = await idoine(["publish", await manifest("three", saying("three")), "--to", to, "--at", "2126-11-27T00:00:00+01:00", "--yes"]);
    assert.equal(scheduled.code, 0, scheduled.stderr);
    const third = (await compile(saying("three"))).version;
    assert.ok(scheduled.stdout.endsWith(`${third} is going to be live at 2126-11-26T23:00:00Z\n`), scheduled.stdout);
    assert.equal(await worker.kv.get("site:shop"), `${second.version}\n2126-11-26T23:00:00Z ${third}`);
    const { stdout, code } = await idoine(["versions", "--to", to], READ);
    assert.equal(code, 0);
    const lines = stdout.trimEnd().split("\n").map((line) => line.split(/\s{2,}/));
    assert.deepEqual(lines[0], ["version", "published", "bytes", "by"]);
    const notes = Object.fromEntries(lines.slice(1).map(([version, at, , by, note]) => [version, [at === "-" ? at : "known", by, note]]));
    assert.deepEqual(notes, { [third]: ["known", "anna", "from 2126-11-26T23:00:00Z"], [second.version]: ["known", "anna", "live"], [first.version]: ["-", "-", "before"] });
    assert.equal(JSON.parse((await idoine(["versions", "--to", to, "--json"])).stdout).live, second.version);
    const cancelled = await idoine(["cancel", "--to", to, third]);
    assert.deepEqual(cancelled, { code: 0, stdout: `${third} is not going to be published\n`, stderr: "" });
    assert.equal(await worker.kv.get("site:shop"), second.version);
    assert.equal((await idoine(["cancel", "--to", to, third])).stderr, "error: That version is not scheduled.\n");
  }));

test("preview prints a link that works", () =>
  using({ manifest: saying("one") }, async (worker, to) => {
    const { stdout, stderr, code } = await idoine(["preview", "--to", to, "--hours", "2", "https://shop.example/?a=1"], READ);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^https:\/\/shop\.example\/\?a=1&idoine\.preview=[\w.-]+\n$/);
    assert.match(stderr, /^good until \d{4}-.*Z, for whoever has it:\n$/);
    assert.equal((await worker.fetch(stdout.trim())).status, 302);
    const data = JSON.parse((await idoine(["preview", "--to", to, "https://shop.example/", "--json"], READ)).stdout);
    assert.deepEqual(Object.keys(data).sort(), ["expires", "url"]);
    const foreign = await idoine(["preview", "--to", to, "https://evil.example/"], READ);
    assert.equal(foreign.code, 1);
    assert.match(foreign.stderr, /^error: `url` is no page of this site/);
  }));

test("what is wrong is said, with what to do, and nothing is published", () =>
  using({ manifest: saying("one") }, async (worker, to) => {
    const two = await manifest("two", saying("two"));
    const blog = await manifest("blog", saying("two", { site: { id: "blog" } }));
    const bad = await manifest("bad", saying("two", { audiences: { x: "geo.contry == 'FR'" } }));
    const one = (await compile(saying("one"))).version;
    const cases: [string[], string | undefined, number, RegExp][] = [
      [["publish", two, "--to", to, "--yes"], "", 1, /^error: the variable IDOINE_TOKEN is not set/],
      [["publish", two, "--to", to, "--yes"], "two words", 1, /^error: the variable IDOINE_TOKEN holds no token/],
      [["publish", two, "--to", to, "--yes"], "x".repeat(30), 1, /does not know the token in IDOINE_TOKEN: its secret IDOINE_TOKENS has to list it\n$/],
      [["publish", two, "--to", to, "--yes"], READ, 1, /role `publish`/],
      [["rollback", "--to", to], READ, 1, /role `publish`/],
      [["publish", blog, "--to", to, "--yes"], PUBLISH, 1, /this is the site `blog`, and .* is the site `shop`: check site\.id and --to/],
      [["publish", bad, "--to", to, "--yes"], PUBLISH, 1, /geo\.country.*1 error in/s],
      [["publish", two, "--to", to, "--yes", "--if-live", "0123456789abcdef"], PUBLISH, 1, new RegExp(`The live version is ${one}, not 0123456789abcdef`)],
      [["publish", two, "--to", to, "--yes", "--at", "2020-01-01T00:00:00Z"], PUBLISH, 1, /`at` is over/],
      [["publish", two, "--to", to, "--yes", "--at", "2126-01-01"], PUBLISH, 2, /expected an instant with its zone/],
      [["publish", two, "--to", "http://shop.example", "--yes"], PUBLISH, 2, /plain http is for this machine alone/],
      [["publish", two, "--to", "shop.example", "--yes"], PUBLISH, 2, /expected the site's address alone/],
      [["publish", two, "--yes"], PUBLISH, 2, /--to <URL>/],
      [["publish", join(folder, "missing.jsonc"), "--to", to, "--yes"], PUBLISH, 1, /missing\.jsonc can't be read/],
      [["publish", two, "--to", "http://127.0.0.1:1", "--yes"], PUBLISH, 1, /^error: http:\/\/127\.0\.0\.1:1 can't be reached/],
      [["publish", two, "--to", origin.url, "--yes"], PUBLISH, 1, /answers 404 Not Found: there is no Idoine Worker that can be published to/],
      [["rollback", "--to", to, "latest"], PUBLISH, 2, /expected 16 hex digits/],
      [["rollback", "--to", to, "0123456789abcdef"], PUBLISH, 1, /The store has no such version of this site/],
      [["preview", "--to", to, "/", "--hours", "169"], READ, 2, /169/],
    ];
    for (const [args, token, expected, message] of cases) {
      const { code, stderr } = await idoine(args, token);
      assert.equal(code, expected, `${args.join(" ")}: ${stderr}`);
      assert.match(stderr, message, args.join(" "));
      assert.ok(token === undefined || token === "" || !stderr.includes(token), "the token is in no message");
    }
    assert.equal(await worker.kv.get("site:shop"), one);
  }));

test("a redirect is not followed with the token", async () => {
  const asked: (string | undefined)[] = [];
  const elsewhere = createServer((request, response) => (asked.push(request.headers.authorization), response.end("{}"))).listen(0, "127.0.0.1");
  const away = createServer((_, response) => response.writeHead(302, { location: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/` }).end()).listen(0, "127.0.0.1");
  try {
    await Promise.all([elsewhere, away].map((server) => server.listening || new Promise((resolve) => server.once("listening", resolve))));
    const { code, stderr } = await idoine(["versions", "--to", `http://127.0.0.1:${(away.address() as AddressInfo).port}`]);
    assert.equal(code, 1);
    assert.match(stderr, /leads to http:\/\/127\.0\.0\.1:\d+\/: give that address to --to/);
    assert.deepEqual(asked, []);
  } finally {
    elsewhere.close();
    away.close();
  }
});

test("a live program of another format can't be compared, and is replaced all the same", () =>
  using({ manifest: saying("one") }, async (worker, to) => {
    const { program, version } = await compile(saying("one"));
    const old = Uint8Array.from(program, (byte, index) => (index === 4 ? 99 : byte));
    await worker.kv.put(`program:${version}`, old.buffer);
    const { code, stdout, stderr } = await idoine(["publish", await manifest("two", saying("two")), "--to", to, "--yes"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /what is live can't be compared/);
    assert.equal(await heading(worker), "two");
  }));

/** The real wrangler. */
async function wrangler(state: string, ...args: string[]): Promise<void> {
  const home = await mkdtemp(join(folder, "home-"));
  const env = { HOME: home, WRANGLER_SEND_METRICS: "false", CI: "1", NO_COLOR: "1" };
  const { code, stdout, stderr } = await run(
    process.execPath,
    [join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js"), "kv", "key", "put", "--local", "--persist-to", state, "--binding", "PROGRAMS", ...args],
    env,
  );
  assert.equal(code, 0, stdout + stderr);
}

test("wrangler kv alone publishes, goes back and schedules", async () => {
  const state = await mkdtemp(join(folder, "state-"));
  const [one, two] = [await compile(saying("one")), await compile(saying("two"))];
  const put = async ({ program, version }: { program: Uint8Array; version: string }) => {
    const path = join(folder, `${version}.program`);
    await writeFile(path, program);
    await wrangler(state, `program:${version}`, "--path", path);
  };
  await put(one);
  await wrangler(state, "site:shop", one.version);
  await using({ state }, async (worker, to) => {
    assert.equal(await heading(worker), "one");
    await put(two);
    await wrangler(state, "site:shop", two.version);
    const until = async (text: string) => {
      for (let tries = 0; (await heading(worker)) !== text; tries += 1) {
        assert.ok(tries < 100, `the page does not say ${text}: ${worker.logs.join("\n")}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await until("two");
    await wrangler(state, "site:shop", one.version);
    await until("one");
    const scheduled = join(folder, "pointer");
    await writeFile(scheduled, `${one.version}\n2020-01-01T00:00:00Z ${two.version}\n2126-01-01T00:00:00Z ${one.version}\n`);
    await wrangler(state, "site:shop", "--path", scheduled);
    await until("two");
    // What wrangler put is known to the API, and can be gone back from.
    const listed = JSON.parse((await idoine(["versions", "--to", to, "--json"])).stdout);
    assert.deepEqual(
      [listed.live, listed.previous, listed.scheduled, listed.versions.map(({ version }: { version: string }) => version).sort()],
      [two.version, one.version, [{ at: "2126-01-01T00:00:00Z", version: one.version }], [one.version, two.version].sort()],
    );
    assert.equal((await idoine(["rollback", "--to", to])).code, 0);
    assert.equal(await heading(worker), "one");
  });
});
