// What can break in set-up: pins, the lock file, what is ignored, and the words a person sees when something is missing.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { lockedVersions } from "../../scripts/lib/bindgen.mjs";
import { ensureBrowser } from "../../scripts/lib/browser.mjs";
import { recentNode } from "../../scripts/lib/node.mjs";
import { modulesMatch } from "../../scripts/lib/npm.mjs";
import { ROOT, WASM_BINDGEN } from "../../scripts/lib/paths.mjs";
import { atLeast, ensureRust } from "../../scripts/lib/rust.mjs";
import { assertFree } from "../../scripts/lib/serve.mjs";

const scratch = mkdtempSync(join(tmpdir(), "idoine-setup-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const text = (path: string) => readFileSync(join(ROOT, path), "utf8");

interface Lock {
  packages: Record<string, { version?: string; optionalDependencies?: Record<string, string> }>;
}
const lock = JSON.parse(text("package-lock.json")) as Lock;

/** A PATH that has nothing but these shell scripts. */
function fakePath(name: string, programs: Record<string, string>): Record<string, string> {
  const dir = join(scratch, name);
  mkdirSync(dir);
  for (const [program, script] of Object.entries(programs)) {
    writeFileSync(join(dir, program), `#!/bin/sh\n${script}\n`);
    chmodSync(join(dir, program), 0o755);
  }
  return { PATH: dir, HOME: scratch, IDOINE_CACHE: join(scratch, "cache") };
}

test("the lock file names no registry, so that everybody's own is used", () => {
  assert.doesNotMatch(text("package-lock.json"), /"resolved"|registry\./);
});

test("the lock file has every platform's binaries, also those that the machine it was made on could not get", () => {
  const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !lock.packages[`node_modules/${name}`] && !lock.packages[`${path}/node_modules/${name}`]),
  );
  assert.deepEqual(missing, []);
  for (const platform of ["linux-64", "linux-arm64", "darwin-64", "darwin-arm64"]) {
    assert.equal(lock.packages[`node_modules/@cloudflare/workerd-${platform}`]?.version, lock.packages["node_modules/workerd"]?.version, platform);
  }
});

test("all npm packages are pinned exactly", () => {
  const { devDependencies, dependencies } = JSON.parse(text("package.json")) as Record<string, Record<string, string>>;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, name);
});

test("miniflare is the one that wrangler runs, so that tests and `wrangler dev` have the same workerd", () => {
  const wrangler = JSON.parse(text("node_modules/wrangler/package.json")) as { dependencies: Record<string, string> };
  assert.equal(lock.packages["node_modules/miniflare"]?.version, wrangler.dependencies["miniflare"]);
});

test("wasm-bindgen's command line is the version in Cargo.lock", () => {
  assert.deepEqual(lockedVersions(text("Cargo.lock"), "wasm-bindgen"), [WASM_BINDGEN]);
});

test("git ignores what is built and what is secret", () => {
  const paths = ["dist/bin/idoine", "target/debug/x", "node_modules/x", ".idoine/key", ".idoine/state/v3", ".wrangler/tmp", ".dev.vars"];
  const ignored = execFileSync("git", ["check-ignore", "--no-index", ...paths], { cwd: ROOT, encoding: "utf8" });
  assert.deepEqual(ignored.trim().split("\n"), paths);
});

test("node_modules that differ from the lock file are noticed", () => {
  assert.equal(modulesMatch(), true);
  const root = join(scratch, "modules");
  mkdirSync(join(root, "node_modules", "a"), { recursive: true });
  const write = (path: string, packages: object) => writeFileSync(join(root, path), JSON.stringify({ packages }));
  const wanted = (version: string) => ({ "": {}, "node_modules/a": { version }, "node_modules/other-platform": { version, optional: true } });
  write("package-lock.json", wanted("1.0.0"));
  assert.equal(modulesMatch(root), false, "nothing installed");
  write("node_modules/.package-lock.json", { "node_modules/a": { version: "1.0.0" } });
  assert.equal(modulesMatch(root), false, "the package's folder is gone");
  writeFileSync(join(root, "node_modules", "a", "package.json"), "{}");
  assert.equal(modulesMatch(root), true);
  write("package-lock.json", wanted("1.0.1"));
  assert.equal(modulesMatch(root), false, "another version");
});

test("an old Node is told from a recent one", () => {
  assert.deepEqual(["18.20.4", "20.20.2", "22.12.0", "22.18.0", "22.23.3", "24.1.0"].map((version) => recentNode(version)), [false, false, false, true, true, true]);
  assert.deepEqual([atLeast("1.91", "1.91"), atLeast("1.63", "1.91"), atLeast("2.0", "1.91")], [true, false, true]);
});

test("without Rust, set-up says how to get it", async () => {
  await assert.rejects(ensureRust(fakePath("no-rust", {})), /Rust \(cargo, rustc\) was not found\.\nInstall Rust with rustup \(https:\/\/rustup\.rs\)/);
});

test("with an old Rust, set-up names the version that is needed", async () => {
  const old = { cargo: "exit 0", rustc: 'echo "rustc 1.63.0 (4b91a6ea7 2022-08-08)"' };
  await assert.rejects(ensureRust(fakePath("old-rust", old)), /Rust 1\.\d+ or later is needed; this is 1\.63\.\nInstall Rust with rustup/);
  await assert.rejects(ensureRust(fakePath("old-rustup", { ...old, rustup: "exit 1" })), /this is 1\.63\. Run: rustup update stable/);
});

test("where rustup refuses the WebAssembly target, set-up says what is missing", async () => {
  const rustc = `if [ "$1" = --version ]; then echo "rustc 1.99.0 (0000000 2026-01-01)"; else echo ${scratch}/nothing; fi`;
  const env = fakePath("no-target", { cargo: "exit 0", rustc, rustup: "echo 'error: could not download file' >&2; exit 1" });
  await assert.rejects(ensureRust(env), /no target wasm32-unknown-unknown\. Run: rustup target add wasm32-unknown-unknown/);
});

test("without a browser, set-up says which and how to name one", async () => {
  const env = fakePath("no-browser", {});
  await assert.rejects(ensureBrowser(env), /chromedriver[^]*apt-get install chromium chromium-driver[^]*CHROMEDRIVER=/);
});

test("a port in use is said so", async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await assert.rejects(assertFree(port), new RegExp(`Port ${port} is in use.*npm start -- --port ${port + 1}`));
  await new Promise((done) => server.close(done));
  await assertFree(port);
});

// Node's own exit code for a script that is not there is 1 too: so the list is read, not written down.
for (const name of readdirSync(join(ROOT, "scripts")).filter((file) => file.endsWith(".mjs"))) {
  const start = (...args: string[]) => spawnSync(process.execPath, [join(ROOT, "scripts", name), ...args], { encoding: "utf8", cwd: scratch });

  test(`${name} --help prints an example`, () => {
    const { status, stdout, stderr } = start("--help");
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /^Usage: /);
    assert.match(stdout, /^Example: /m);
  });

  test(`${name} refuses an unknown option with exit code 2`, () => {
    const { status, stdout, stderr } = start("--no-such-option");
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, /--no-such-option/);
  });
}

test("every script that package.json starts exists", () => {
  const { scripts } = JSON.parse(text("package.json")) as { scripts: Record<string, string> };
  for (const [name, line] of Object.entries(scripts)) {
    for (const [, path = ""] of line.matchAll(/\bnode (\S+)/g)) assert.ok(existsSync(join(ROOT, path)), `${name}: ${path}`);
  }
});

test("start.mjs refuses what can't be a port or an origin", () => {
  const start = (...args: string[]) => spawnSync(process.execPath, [join(ROOT, "scripts", "start.mjs"), ...args], { encoding: "utf8" });
  for (const args of [["--port", "0"], ["--port", "http"], ["--origin", "shop.example"], ["--origin", "ftp://shop.example"], ["--origin", "https://shop.example/fr"]]) {
    const { status, stderr } = start(...args);
    assert.equal(status, 2, args.join(" "));
    assert.match(stderr, new RegExp(`^${args[0]} `));
  }
  const { status, stderr } = start("--site", "nowhere.jsonc");
  assert.equal(status, 1);
  assert.match(stderr, /nowhere\.jsonc does not exist\. Name a manifest/);
});
