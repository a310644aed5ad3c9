// Rust with the WebAssembly target: rustup's where there is one, else Debian's compiler (debian-rust.mjs).
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { canInstall, install } from "./apt.mjs";
import { debianRust, findLinker, readyDebianRust, TARGET_ENV } from "./debian-rust.mjs";
import { ROOT, WASM_TARGET } from "./paths.mjs";
import { must, Problem, run, say, step, watched, which } from "./run.mjs";

const INSTALL_RUST =
  "Install Rust with rustup (https://rustup.rs), open a new shell and run the command again.\n" +
  "On Debian, as root or with sudo, this is done for you from Debian's packages.";

/** The oldest compiler the workspace takes, from its Cargo.toml. */
export function oldestRust(root = ROOT) {
  const path = join(root, "Cargo.toml");
  return (existsSync(path) && /^rust-version\s*=\s*"([\d.]+)"/m.exec(readFileSync(path, "utf8"))?.[1]) || "1.85";
}

/** Whether version `a` ("1.96.0") is at least `b` ("1.85"). */
export function atLeast(a, b) {
  const [x, y] = [a, b].map((text) => text.split(".").map(Number));
  return x[0] !== y[0] ? x[0] > y[0] : (x[1] ?? 0) >= (y[1] ?? 0);
}

async function hasWasm(env) {
  const { code, stdout } = await run(["rustc", "--print", "target-libdir", "--target", WASM_TARGET], { env });
  const dir = stdout.trim();
  return code === 0 && existsSync(dir) && readdirSync(dir).some((name) => name.startsWith("libstd-"));
}

/** "1.96" of the compiler in PATH; a rustup without any toolchain gets the stable one. */
async function rustVersion(env) {
  const ask = async () => /^rustc (\d+\.\d+)/.exec((await run(["rustc", "--version"], { env })).stdout)?.[1];
  const version = await ask();
  if (version !== undefined || !which("rustup", env)) return version;
  await step("installing the stable Rust toolchain", "1 minute", () => run(["rustup", "default", "stable"], { env, inherit: watched() }));
  return ask();
}

async function addTarget(env) {
  if (!which("rustup", env)) return false;
  return step(`adding the Rust target ${WASM_TARGET}`, "30 seconds", async () => {
    const added = await run(["rustup", "target", "add", WASM_TARGET], { env, inherit: watched() });
    if (added.code !== 0) say(`rustup could not add it: ${added.output.trim().split("\n").pop() || "see above"}`);
    return added.code === 0 && hasWasm(env);
  });
}

/** rustup's programs, also when the shell was not restarted since rustup was installed. */
function withCargoHome(env) {
  if (which("cargo", env)) return env;
  const bin = join(env.CARGO_HOME || join(env.HOME || homedir(), ".cargo"), "bin");
  return existsSync(join(bin, "cargo")) ? { ...env, PATH: `${env.PATH ?? ""}${delimiter}${bin}` } : env;
}

async function ensureLinker(env) {
  if (which("cc", env)) return;
  if (await canInstall(env)) {
    await step("installing a C linker for Rust", "30 seconds", () => install(["gcc", "libc6-dev"], env));
  } else {
    throw new Problem("Rust needs a C linker (`cc`).\n  Debian, Ubuntu: sudo apt-get install gcc libc6-dev\n  macOS: xcode-select --install");
  }
}

/** A distribution's Rust may have the target, built by hand as Debian's needs it, and yet no linker for it. */
function withWasmLinker(env) {
  const linker = findLinker();
  const own = which("rustup", env) !== undefined || env[`${TARGET_ENV}_LINKER`] !== undefined;
  return own || which("rustc", env) !== "/usr/bin/rustc" || linker === undefined ? env : { ...env, [`${TARGET_ENV}_LINKER`]: linker };
}

/** rustfmt and clippy, which a minimal rustup profile lacks. */
async function ensureLints(env) {
  const missing = [];
  if ((await run(["cargo", "fmt", "--version"], { env })).code !== 0) missing.push("rustfmt");
  if ((await run(["cargo", "clippy", "--version"], { env })).code !== 0) missing.push("clippy");
  if (missing.length === 0) return;
  if (!which("rustup", env)) throw new Problem(`The tests need ${missing.join(" and ")} of the same Rust.`);
  await must(["rustup", "component", "add", ...missing], { env, inherit: watched() });
}

/**
 * The environment in which `cargo` builds natively and for WebAssembly.
 * @param {{lints?: boolean}} wanted `lints`: rustfmt and clippy too
 */
export async function ensureRust(env, wanted = {}) {
  env = withCargoHome(env);
  const ready = readyDebianRust(env);
  const version = await rustVersion(env);
  const usable = which("cargo", env) !== undefined && version !== undefined && atLeast(version, oldestRust());
  if (usable && ((await hasWasm(env)) || (!ready && (await addTarget(env))))) {
    await ensureLinker(env);
    if (wanted.lints) await ensureLints(env);
    return withWasmLinker(env);
  }
  const tooOld = version !== undefined && !atLeast(version, oldestRust());
  const old = `Rust ${oldestRust()} or later is needed; this is ${version}.`;
  if (tooOld && which("rustup", env)) throw new Problem(`${old} Run: rustup update stable`);
  const debian = ready && !wanted.lints ? ready : await debianRust(env, wanted);
  if (debian) return debian;
  if (usable) throw new Problem(`This Rust (${version}) has no target ${WASM_TARGET}. Run: rustup target add ${WASM_TARGET}\n${INSTALL_RUST}`);
  throw new Problem(`${tooOld ? old : "Rust (cargo, rustc) was not found."}\n${INSTALL_RUST}`);
}
