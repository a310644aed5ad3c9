// What cargo builds: the command line and the three WebAssembly modules.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { digest, unlessDone, writeIfChanged } from "./files.mjs";
import { DIST, ROOT, WASM_BINDGEN, WASM_TARGET } from "./paths.mjs";
import { order } from "./order.mjs";
import { trim } from "./trim.mjs";
import { must, Problem, run, watched } from "./run.mjs";

const ASSETS = join(DIST, "assets", "_idoine");

/** How pages start a module. */
const START = join(ROOT, "www", "wasm", "start.js");
/** How they see the engine. */
const ENGINE = join(ROOT, "www", "wasm", "engine", "engine.js");

// What rustc's wasm32-unknown-unknown uses; all of it is in every browser since 2022 and in workerd.
const FEATURES = ["bulk-memory", "bulk-memory-opt", "multivalue", "mutable-globals", "nontrapping-float-to-int", "reference-types", "sign-ext", "call-indirect-overlong"];
// How much LLVM inlines: what makes each compressed module smallest. Less and more make it larger again.
const INLINING = { "idoine-author": 5, "idoine-engine": 12, "idoine-parts": 12, "idoine-tools": 5, "idoine-worker": 12 };
// Addresses that are counted up along with a loop's number, and loads that are made earlier on some paths: more code, no less time.
const PLAIN = ["disable-lsr", "enable-pre=false", "enable-load-pre=false"].map((option) => `-Cllvm-args=-${option}`).join(" ");
// SHA-256 as a loop in place of 64 rounds written out: a few milliseconds for a manifest of megabytes, and kilobytes less.
const LOOPS = '--cfg sha2_backend_soft="compact"';
// Names of functions that say for which types they were made, so that `npm run bytes` can tell whose they are.
const NAMES = "-Csymbol-mangling-version=v0";

// All but tiny functions with one caller stay where they are: inlined, they are fewer bytes, but more once they are compressed. The first
// kilobyte of memory is the end of the stack. The passes after -Oz find another order of blocks, and -Oz again gains by it.
const PASSES = ["-Oz", "--one-caller-inline-max-function-size=10", "--low-memory-unused", "--flatten", "--rereloop", "-Oz", "-Oz", "--flatten", "--local-cse", "-Oz", "-Oz"];
// Once more when the functions are in their order (see order.mjs), for what writing them so undid.
const LAST_PASSES = ["-Oz", "--one-caller-inline-max-function-size=10", "--low-memory-unused"];
const WASM_OPT = ["--strip-producers", "--strip-target-features", ...FEATURES.map((name) => `--enable-${name}`)];

// The modules: how wasm-bindgen makes them, and what may be left out of them (see trim.mjs).
const MODULES = {
  engine: {
    crate: "idoine-engine",
    name: "engine",
    target: "bundler",
    flags: [],
    trimmed: { exports: ["memory", "input", "output", "load", "decide", "read"], formatsNothing: true },
  },
  tools: { crate: "idoine-tools", name: "tools", target: "bundler", flags: [], trimmed: { debugs: false } },
  author: { crate: "idoine-author", name: "author", target: "bundler", flags: [], trimmed: { debugs: false } },
  // After a trap the Worker makes itself a new instance; imports name the module, so no URL is needed to find it.
  worker: { crate: "idoine-worker", name: "index", target: "web", flags: ["--experimental-reset-state-function", "--omit-default-module-path"] },
};

/** Where cargo puts what it builds. */
export function targetDir(env) {
  const dir = env.CARGO_TARGET_DIR || env.CARGO_BUILD_TARGET_DIR || "target";
  return isAbsolute(dir) ? dir : join(ROOT, dir);
}

async function cargo(args, env) {
  // Colours and progress for a person; the whole output only if it fails otherwise.
  const command = ["cargo", "build", ...args];
  if (!watched()) return void (await must(command, { cwd: ROOT, env }));
  const { code } = await run(command, { cwd: ROOT, env, inherit: true });
  if (code !== 0) throw new Problem(`\`${command.join(" ")}\` failed (exit code ${code}), see above.`);
}

/** dist/bin/idoine. */
export async function buildCli(env) {
  await cargo(["--release", "-p", "idoine-cli"], env);
  return writeIfChanged(join(DIST, "bin", "idoine"), readFileSync(join(targetDir(env), "release", "idoine")), 0o755);
}

/**
 * Compiles a crate, makes its JavaScript and shrinks both.
 * `named`: the same module, except that its functions keep their names.
 * One cargo run per crate: together they would get the union of their features, and the engine the author's parser.
 */
async function wasm({ crate, name, target, flags, trimmed }, { dir, finish, named = false }, env) {
  const variable = `CARGO_TARGET_${WASM_TARGET.toUpperCase().replaceAll("-", "_")}_RUSTFLAGS`;
  const rustflags = [env[variable], `-Cllvm-args=-inline-threshold=${INLINING[crate]}`, PLAIN, LOOPS, NAMES].filter(Boolean).join(" ");
  await cargo(["--profile", "wasm", "--lib", "--target", WASM_TARGET, "-p", crate], { ...env, WASM_BINDGEN_USE_JS_SYS: "1", [variable]: rustflags });
  const module = join(targetDir(env), WASM_TARGET, "wasm", `${crate.replaceAll("-", "_")}.wasm`);
  const optimizer = join(ROOT, "node_modules", "binaryen", "package.json");
  const options = [...WASM_OPT, named ? "--debuginfo" : "--strip-debug"];
  const scripts = ["cargo.mjs", "order.mjs", "trim.mjs"].map((name) => readFileSync(new URL(name, import.meta.url)));
  const mark = digest([module, optimizer, START, ENGINE], target, WASM_BINDGEN, flags.join(" "), options.join(" "), ...scripts);
  return unlessDone(named ? `${crate}-named` : crate, mark, finish.outputs, async () => {
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    await must(["wasm-bindgen", "--target", target, ...flags, "--out-dir", dir, "--out-name", name, module], { env });
    const raw = join(dir, `${name}_bg.wasm`);
    const small = join(dir, `${name}_bg.opt.wasm`);
    await trim(raw, { ...trimmed, named });
    const optimize = (passes, from) => must([join(ROOT, "node_modules", ".bin", "wasm-opt"), ...passes, ...options, from, "-o", small], { env });
    await optimize(PASSES, raw);
    await order(small, { named });
    await optimize(LAST_PASSES, small);
    await finish.run(dir, readFileSync(small));
    rmSync(small);
  });
}

/** The path of a module as it's shipped, except that its functions have names. */
export async function buildNamed(name, env) {
  const output = join(DIST, "named", `${name}.wasm`);
  const run = (_, bytes) => writeIfChanged(output, bytes);
  await wasm(MODULES[name], { dir: join(DIST, "named", name), named: true, finish: { outputs: [output], run } }, env);
  return output;
}

/** A module among the assets: the Wasm, and the JavaScript that `entry` makes of what wasm-bindgen wrote. */
async function browserModule(name, entry, env) {
  const js = join(ASSETS, `${name}.js`);
  const binary = join(ASSETS, `${name}.wasm`);
  const run = async (dir, bytes) => {
    const { build } = await import("esbuild");
    const stdin = { contents: entry(dir), resolveDir: dir };
    const { outputFiles } = await build({ stdin, bundle: true, write: false, minify: true, format: "esm", target: "es2022" });
    writeIfChanged(binary, bytes);
    writeIfChanged(js, outputFiles[0].text);
  };
  const dir = join(DIST, "pkg", name);
  return wasm(MODULES[name], { dir, finish: { outputs: [js, binary], run } }, env);
}

/** engine.js + engine.wasm. */
export function buildEngine(env) {
  const entry = () => `export * from ${JSON.stringify(ENGINE)}; export { default } from ${JSON.stringify(ENGINE)};`;
  return browserModule("engine", entry, env);
}

/** The core's steps, each by itself, for `npm run bench` alone: built as the engine is, and kept out of what is deployed. */
export async function buildParts(env) {
  const binary = join(DIST, "bench", "parts.wasm");
  const exports = ["memory", "input", "output", "load", "keep", "cross", "read", "derive", "decide", "scan", "write", "decide_input", "scan_input", "fold"];
  const parts = { crate: "idoine-parts", name: "parts", flags: [], target: "bundler", trimmed: { exports, formatsNothing: true } };
  const finish = { outputs: [binary], run: (_, bytes) => writeIfChanged(binary, bytes) };
  await wasm(parts, { dir: join(DIST, "pkg", "parts"), finish }, env);
  return binary;
}

/** A module that speaks plain objects, with the JavaScript of wasm-bindgen: tools.js + tools.wasm, author.js + author.wasm. */
const objectsModule = (name) => (env) => {
  const entry = (dir) => {
    // What the module itself imports is no business of pages.
    const written = readFileSync(join(dir, `${name}.js`), "utf8");
    const exported = /export \{([^}]*)\} from "\.\/\w+_bg\.js"/.exec(written.replace(/\s+/g, " "))?.[1];
    if (!exported) throw new Problem(`wasm-bindgen's ${name}.js no longer says what it exports.`);
    writeFileSync(join(dir, `${name}_exports.js`), `export {${exported}} from "./${name}_bg.js";\n`);
    return `
      import * as bindings from "./${name}_bg.js";
      import { start } from ${JSON.stringify(START)};
      let started;
      export default ({ module_or_path }) => (started ??= start(bindings, "./${name}_bg.js", module_or_path).catch((error) => {
        started = undefined;
        throw error;
      }));
      export * from "./${name}_exports.js";
    `;
  };
  return browserModule(name, entry, env);
};

/** For who looks at decisions. */
export const buildTools = objectsModule("tools");

/** For who writes manifests. */
export const buildAuthor = objectsModule("author");

/** dist/worker-pkg: the Worker's module and glue, for the bundle. */
export async function buildWorkerModule(env) {
  const dir = join(DIST, "worker-pkg");
  const outputs = [join(dir, "index.js"), join(dir, "index_bg.wasm")];
  const run = (_, bytes) => writeIfChanged(outputs[1], bytes);
  return wasm(MODULES.worker, { dir, finish: { outputs, run } }, env);
}

/** Fails early and clearly where a crate is not there. */
export function assertCrate(path) {
  if (!existsSync(join(ROOT, path))) throw new Problem(`${path} is missing: this clone is not complete (${dirname(path)}).`);
}
